//! From the first octets of a stream to the walk that reads it, through gzip and zstd if need be.
//!
//! Not here: file names, which decide nothing. Contract: unpacking is streamed and one layer deep.

use std::io::{self, BufReader, Read};

use flate2::bufread::MultiGzDecoder;

use super::error::Refusal;
use super::pcap::{Pcap, Variant};
use super::pcapng::{self, Pcapng};
use super::stretch::{Plain, PlainRecord};
use super::tally::{Cut, Tally};
use super::window::{Stream, Window};
use super::{Record, Step};
use crate::base::Timestamp;

/// Octets of compressed data asked for at once.
const PACKED_READ: usize = 128 << 10;
/// Octets that a decompressor is asked for at once.
const UNPACKED_READ: usize = 64 << 10;

/// How a capture is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

impl Compression {
    pub fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        }
    }

    fn of(head: &[u8]) -> Option<Self> {
        match head {
            [0x1f, 0x8b, ..] => Some(Self::Gzip),
            // A frame, or a skippable frame in front of one (RFC 8878 §3.1).
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }

    /// What `packed` holds once unpacked. The same octets give the same, however many of them come at once.
    pub fn unpack(self, packed: Stream) -> io::Result<Stream> {
        let packed = BufReader::with_capacity(PACKED_READ, Whole { stream: packed, failed: None });
        Ok(match self {
            Self::Gzip => Box::new(InSteps::over(Unpacked { stream: MultiGzDecoder::new(packed), compression: self })),
            Self::Zstd => {
                let stream = zstd::stream::read::Decoder::with_buffer(packed)?;
                Box::new(InSteps::over(Unpacked { stream, compression: self }))
            }
        })
    }
}

/// A stream that gives as many octets as it is asked for, until it ends: where packed data is damaged, what a decompressor
/// gives out before that depends on how much it was given.
struct Whole {
    stream: Stream,
    /// What is to be said once the octets that came before it are used up.
    failed: Option<io::Error>,
}

impl Read for Whole {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        let mut filled = 0;
        while let Some(room) = buffer.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.stream.read(room) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if filled == 0 => return Err(error),
                Err(error) => {
                    self.failed = Some(error);
                    break;
                }
            }
        }
        Ok(filled)
    }
}

/// A decompressor that is asked for equally much every time, for the same reason.
struct InSteps<R> {
    stream: R,
    octets: Box<[u8]>,
    start: usize,
    end: usize,
}

impl<R: Read> InSteps<R> {
    fn over(stream: R) -> Self {
        Self { stream, octets: vec![0; UNPACKED_READ].into(), start: 0, end: 0 }
    }
}

impl<R: Read> Read for InSteps<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.start >= self.end {
            (self.start, self.end) = (0, 0);
            self.end = self.stream.read(&mut self.octets)?.min(self.octets.len());
        }
        let ready = self.octets.get(self.start..self.end).unwrap_or_default();
        let count = ready.len().min(buffer.len());
        if let (Some(to), Some(from)) = (buffer.get_mut(..count), ready.get(..count)) {
            to.copy_from_slice(from);
        }
        self.start += count;
        Ok(count)
    }
}

/// A decompressor whose errors say what they are about.
struct Unpacked<R> {
    stream: R,
    compression: Compression,
}

impl<R: Read> Read for Unpacked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.stream.read(buffer).map_err(|error| match error.kind() {
            // What the system says about the packed file is not the decompressor's fault.
            _ if error.raw_os_error().is_some() => error,
            kind @ (io::ErrorKind::Interrupted | io::ErrorKind::UnexpectedEof) => io::Error::new(kind, error),
            kind => io::Error::new(kind, format!("the {} data cannot be unpacked: {error}", self.compression.name())),
        })
    }
}

/// How the records of a stream are walked.
#[derive(Debug, Clone)]
pub(super) enum Walk {
    Pcap(Pcap),
    Pcapng(Pcapng),
}

impl Plain for Walk {
    #[inline]
    fn plain(&self, octets: &[u8], at: usize) -> Option<PlainRecord> {
        match self {
            Self::Pcap(walk) => walk.plain(octets, at),
            Self::Pcapng(walk) => walk.plain(octets, at),
        }
    }

    fn whole(&self, octets: &[u8], at: usize) -> Option<usize> {
        match self {
            Self::Pcap(walk) => walk.whole(octets, at),
            Self::Pcapng(walk) => walk.whole(octets, at),
        }
    }
}

impl Walk {
    /// What changes where the file says anew how its packets are to be read.
    pub fn described(&self) -> u64 {
        match self {
            Self::Pcap(_) => 0,
            Self::Pcapng(walk) => walk.described(),
        }
    }

    /// An octet that records of about this time have in common, and where in each it stands.
    pub fn common_to_records_about(&self, at: Timestamp) -> Option<(usize, u8)> {
        match self {
            Self::Pcap(walk) => Some(walk.common_to_records_about(at)),
            Self::Pcapng(_) => None,
        }
    }

    /// Where records may start in octets from octet `base` of the file on: the first place, and the step to the next.
    pub fn alignment(&self, base: u64) -> (usize, usize) {
        match self {
            Self::Pcap(_) => (0, 1),
            // every block is a multiple of four octets long
            Self::Pcapng(_) => ((base.wrapping_neg() % 4) as usize, 4),
        }
    }

    pub fn format(&self) -> &'static str {
        match self {
            Self::Pcap(_) => "pcap",
            Self::Pcapng(_) => "pcapng",
        }
    }

    pub fn watched_until(&self) -> Option<Timestamp> {
        match self {
            Self::Pcap(_) => None,
            Self::Pcapng(walk) => walk.watched_until(),
        }
    }

    pub fn dropped(&self) -> Option<u64> {
        match self {
            Self::Pcap(_) => None,
            Self::Pcapng(walk) => walk.dropped(),
        }
    }

    /// The next record, or the end.
    pub fn advance(&mut self, window: &mut Window, tally: &mut Tally) -> Result<Option<Record>, Refusal> {
        let step = match self {
            Self::Pcap(walk) => walk.advance(window, tally)?,
            Self::Pcapng(walk) => walk.advance(window, tally)?,
        };
        match step {
            Step::Record(record) => return Ok(Some(record)),
            Step::End => {}
            Step::Cut(octet) => tally.cut = Some(Cut::Record(octet)),
        }
        Ok(None)
    }
}

/// A stream that turned out to be a capture.
pub(super) struct Recognised {
    pub window: Window,
    pub walk: Walk,
    pub compression: Option<Compression>,
}

/// Finds out what a stream holds. `capacity` is the size of the window over it.
pub(super) fn recognise(stream: Stream, capacity: usize, tally: &mut Tally) -> Result<Recognised, Refusal> {
    let mut window = Window::new(stream, 0, capacity);
    window.need(4)?;
    let compression = Compression::of(window.view());
    if let Some(compression) = compression {
        window = Window::new(compression.unpack(window.into_stream())?, 0, capacity);
        window.need(4)?;
    }
    let walk = match window.view().first_chunk::<4>() {
        Some(&pcapng::MAGIC) => Walk::Pcapng(Pcapng::start(&mut window)?),
        Some(&magic) if let Some(variant) = Variant::of(magic) => Walk::Pcap(Pcap::start(variant, &mut window, tally)?),
        _ => return Err(foreign(&window, compression)),
    };
    Ok(Recognised { window, walk, compression })
}

fn foreign(window: &Window, compression: Option<Compression>) -> Refusal {
    let head = window.view().get(..window.view().len().min(4)).unwrap_or_default();
    let what = match compression {
        Some(compression) => format!("the {} data", compression.name()),
        None => "this".to_owned(),
    };
    if window.is_torn() {
        return Refusal::foreign(format!("{what} ends too early"));
    }
    match (head, compression) {
        ([], None) => return Refusal::foreign("empty file"),
        ([], Some(_)) => return Refusal::foreign(format!("{what} holds nothing")),
        _ => {}
    }
    let octets: Vec<String> = head.iter().map(|octet| format!("{octet:02x}")).collect();
    let nature = nature(head).map(|nature| format!(" ({nature})")).unwrap_or_default();
    let starts = format!("not a pcap or pcapng capture: starts with {}{nature}", octets.join(" "));
    Refusal::foreign(match compression {
        Some(_) => format!("{what} is {starts}"),
        None => starts,
    })
}

/// What people hand to packet analyzers by mistake, or have to convert first.
fn nature(head: &[u8]) -> Option<&'static str> {
    Some(match head {
        b"PK\x03\x04" => "a zip archive",
        [0x1f, 0x8b, ..] => "gzip again",
        [0x28, 0xb5, 0x2f, 0xfd] => "zstd again",
        b"\xfd7zX" => "xz data: unpack it first",
        b"BZh1" | b"BZh2" | b"BZh3" | b"BZh4" | b"BZh5" | b"BZh6" | b"BZh7" | b"BZh8" | b"BZh9" => {
            "bzip2 data: unpack it first"
        }
        [0x04, 0x22, 0x4d, 0x18] => "lz4 data: unpack it first",
        b"snoo" => "a snoop capture: convert it with editcap",
        b"GMBU" | b"RTSS" => "a Network Monitor capture: convert it with editcap",
        b"XCP\0" => "a NetXRay capture: convert it with editcap",
        _ => return None,
    })
}
