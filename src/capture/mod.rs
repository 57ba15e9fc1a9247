//! Where frames come from: capture files, standard input, folders of rotated files, interfaces.
//!
//! Not here: what is inside a frame. Contract: a frame's octets are borrowed from the reader's buffer and
//! good until the next one is asked for; a file that cannot be read further is an error that names path, frame
//! and octet, and everything before it has been delivered.

#[cfg(feature = "live")]
pub mod live;

use std::path::PathBuf;

use crate::base::{FrameRef, LinkType, Timestamp};

/// One recorded frame, borrowed from the reader.
#[derive(Debug, Clone, Copy)]
pub struct Frame<'buf> {
    /// Capture and number.
    pub reference: FrameRef,
    /// When it was recorded.
    pub at: Timestamp,
    /// Link type of the interface it was recorded on.
    pub link: LinkType,
    /// Interface within the capture, from 0 (always 0 in pcap files).
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
    /// One line each, for a person: unknown blocks skipped, clock running backwards, …
    pub notes: Vec<String>,
}

/// Captures opened for reading, merged by time.
#[derive(Debug)]
pub struct Captures {}

impl Captures {
    /// Opens files, folders (every capture below them) and `-` for standard input. What cannot be opened is an error
    /// kept for [`Captures::errors`]; the rest is read all the same. Capture ids follow the order of first time stamps
    /// within a folder, and the order of `paths` otherwise.
    pub fn open(paths: &[PathBuf]) -> Self {
        let _ = paths;
        Self {}
    }

    /// The next frame of all captures in order of time (file order within a capture), or `None` at the end.
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        todo!()
    }

    /// What could not be opened or read to its end, in the order it happened.
    pub fn errors(&self) -> &[CaptureError] {
        &[]
    }

    /// What is known about each capture so far, by id.
    pub fn infos(&self) -> Vec<CaptureInfo> {
        todo!()
    }

    /// Octets read so far of the files, and how many there are in all (`None` with standard input): for progress.
    pub fn progress(&self) -> (u64, Option<u64>) {
        (0, None)
    }
}

/// A capture that cannot be read, or not further: where and why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.line())]
pub struct CaptureError {
    /// Which file; `-` for standard input.
    pub path: PathBuf,
    /// Frames read before it.
    pub frame: Option<u64>,
    /// Octet of the file at which it happened.
    pub octet: Option<u64>,
    /// Why, in words.
    pub reason: String,
}

impl CaptureError {
    fn line(&self) -> String {
        let mut line = format!("{}: {}", self.path.display(), self.reason);
        if let Some(octet) = self.octet {
            line.push_str(&format!(" (octet {octet})"));
        }
        line
    }
}
