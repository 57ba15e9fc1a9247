//! Where frames come from: capture files, standard input, folders of rotated files, interfaces.
//!
//! Not here: what is inside a frame. Contract: a frame's octets are borrowed from the reader's buffer and
//! good until the next one is asked for; a file that cannot be read further is an error that names path, frame
//! and octet, and everything before it has been delivered.
//!
//! A path becomes frames in these steps: `search` finds the files, `recognise` tells what each holds and unpacks
//! it, `pcap` or `pcapng` walks its records through a `window`, `stretch` where nothing is odd, `reader` keeps count, `merge`
//! orders by time.

mod chunk;
mod clock;
mod error;
#[cfg_attr(not(target_os = "linux"), path = "map/none.rs")]
mod map;
mod merge;
mod order;
mod pcap;
mod pcapng;
mod reader;
mod recognise;
mod replay;
mod ring;
mod search;
mod source;
mod stretch;
mod tally;
mod window;
mod write;

#[cfg(feature = "live")]
pub mod live;

use std::path::PathBuf;

pub use chunk::{Chunk, Chunks};
pub use error::{CaptureError, shown_path};
pub use merge::Captures;
pub use replay::Replay;
pub use ring::Ring;
pub use source::{Drops, Heard, Source};
pub use stretch::{Each, Stretch};
pub use write::{WriteOptions, Writer};

use crate::base::{FrameRef, LinkType, Timestamp};

/// Octets a frame may claim before the claim is called a lie: what the largest snap lengths in use allow.
const MOST_RECORD: u32 = 64 << 20;

/// One recorded frame, borrowed from the reader.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'buf> {
    /// Capture and number.
    pub reference: FrameRef,
    /// When it was recorded.
    pub at: Timestamp,
    /// Link type of the interface it was recorded on.
    pub link: LinkType,
    /// Interface within the capture, from 0 (always 0 in pcap files; counted through all sections of a pcapng file).
    pub interface: u32,
    /// The octets that were recorded.
    pub bytes: &'buf [u8],
    /// Octets the frame had on the wire; more than `bytes.len()` if it was cut at the snap length.
    pub wire_len: u32,
}

/// What is known about one capture once it has been read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CaptureInfo {
    /// As named on the command line or found in a folder; `-` for standard input.
    pub path: PathBuf,
    /// `"pcap"`, `"pcapng"`, …; `"unknown"` for what could not be recognised.
    pub format: &'static str,
    /// `"gzip"`, `"zstd"`, or `None`.
    pub compression: Option<&'static str>,
    /// Link types of its interfaces, each once, in order of appearance.
    pub link_types: Vec<LinkType>,
    /// Frames read.
    pub frames: u64,
    /// Octets of frame data read (recorded length).
    pub octets: u64,
    /// Frames recorded shorter than they were on the wire.
    pub snapped: u64,
    /// Earliest time stamp.
    pub first: Option<Timestamp>,
    /// Latest time stamp.
    pub last: Option<Timestamp>,
    /// The file ends inside a record.
    pub cut_short: bool,
    /// Frames the recorder says it dropped (pcapng interface statistics), if it says.
    pub dropped: Option<u64>,
    /// Up to when was watched, frames or not, if the recorder says so. Only ikescope's own files are believed: whoever cuts
    /// a file short leaves such a statement as it was.
    pub watched_until: Option<Timestamp>,
    /// One line each, for a person: unknown blocks skipped, clock running backwards, …
    pub notes: Vec<String>,
}

/// A record as a walk finds it: a frame that still lies in the window.
#[derive(Debug, Clone, Copy)]
struct Record {
    /// `None` if the format has no time stamp for it.
    at: Option<Timestamp>,
    link: LinkType,
    interface: u32,
    /// Where in the window's buffer its octets start.
    place: usize,
    len: usize,
    wire_len: u32,
}

/// What a walk comes to.
#[derive(Debug)]
enum Step {
    Record(Record),
    /// The file ends after a whole record.
    End,
    /// The file ends inside the record that starts at this octet.
    Cut(u64),
}
