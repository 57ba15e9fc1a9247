//! Any octets as a capture file: what is read does not depend on how it is read, and a part tells a part of the whole.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

use ikescope::base::{LinkType, Timestamp};
use ikescope::capture::Captures;

use super::Asked;

/// Frames after which a file is left: what a few octets of compressed data can hold has no end worth waiting for.
const MOST_FRAMES: usize = 4096;

/// A frame that outlives the reader's buffer.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Seen {
    capture: u32,
    number: u64,
    at: Timestamp,
    link: LinkType,
    interface: u32,
    len: usize,
    digest: u64,
    wire_len: u32,
}

/// What a file turned out to hold.
#[derive(Debug, PartialEq, Eq)]
struct Content {
    frames: Vec<Seen>,
    /// Whether all frames are listed.
    ended: bool,
    errors: Vec<String>,
}

/// Every file is read; one in four again, one in two in dribbles, one in two cut, one in four beside its copy.
pub fn hold(file: &[u8], asked: Asked) {
    let mut captures = Captures::from_reader("capture", Cursor::new(file.to_vec()));
    let whole = read(&mut captures);
    check_infos(&captures, &whole, file);
    if asked.one_in(4, 0) {
        let again = read(&mut Captures::from_reader("capture", Cursor::new(file.to_vec())));
        assert_eq!(whole, again, "the same octets give the same frames");
    }
    if asked.one_in(2, 1) {
        check_dribbled(file, &whole);
    }
    if asked.one_in(2, 2) {
        check_cuts(file, &whole);
    }
    if asked.one_in(4, 3) {
        check_merged(file, &whole);
    }
}

/// A few octets at a time are the same file.
fn check_dribbled(file: &[u8], whole: &Content) {
    let dribbled = read(&mut Captures::from_reader("capture", Dribble { octets: file.to_vec(), at: 0, turn: 0 }));
    assert_eq!(*whole, dribbled, "how many octets come at once changes nothing");
}

/// A part of a file is a part of its frames.
fn check_cuts(file: &[u8], whole: &Content) {
    for cut in [file.len() / 3, file.len() / 4 * 3, file.len().saturating_sub(1)] {
        let part = read(&mut Captures::from_reader("capture", Cursor::new(file[..cut].to_vec())));
        let shorter = part.frames.len() <= whole.frames.len() || is_packed(file);
        assert!(
            shorter && one_begins_the_other(&part, whole),
            "a file cut at {cut} of {} octets holds other frames: {part:?} and {whole:?}",
            file.len()
        );
    }
}

fn is_packed(file: &[u8]) -> bool {
    !matches!(file, [0x0a | 0xa1 | 0xd4 | 0x4d | 0x34 | 0x1c | 0xab | 0xac, ..])
}

/// Whether one holds the first frames of the other.
fn one_begins_the_other(one: &Content, other: &Content) -> bool {
    one.frames.iter().zip(&other.frames).all(|(one, other)| one == other)
}

fn read(captures: &mut Captures) -> Content {
    let mut frames = Vec::new();
    while frames.len() < MOST_FRAMES
        && let Some(frame) = captures.next_frame()
    {
        let mut hasher = DefaultHasher::new();
        frame.bytes.hash(&mut hasher);
        frames.push(Seen {
            capture: frame.reference.capture,
            number: frame.reference.frame,
            at: frame.at,
            link: frame.link,
            interface: frame.interface,
            len: frame.bytes.len(),
            digest: hasher.finish(),
            wire_len: frame.wire_len,
        });
    }
    let ended = frames.len() < MOST_FRAMES;
    Content { frames, ended, errors: captures.errors().iter().map(ToString::to_string).collect() }
}

/// What is said of the capture is what was seen of it.
fn check_infos(captures: &Captures, whole: &Content, file: &[u8]) {
    assert!(whole.errors.len() <= 1, "one file ends once: {:?}", whole.errors);
    for error in &whole.errors {
        assert!(!error.is_empty() && !error.contains(char::is_control), "{error:?}");
    }
    let infos = captures.infos();
    assert!(infos.len() + whole.errors.len() >= 1, "a file is a capture or an error");
    for (number, frame) in (1..).zip(&whole.frames) {
        assert_eq!(frame.number, number, "frames are numbered from 1");
        assert!(frame.wire_len as usize >= frame.len, "a frame is recorded as long as it was, or shorter");
    }
    let Some(info) = infos.first().filter(|_| whole.ended) else { return };
    let frames = &whole.frames;
    assert_eq!(info.frames, frames.len() as u64);
    assert_eq!(info.octets, frames.iter().map(|frame| frame.len as u64).sum::<u64>());
    assert_eq!(info.snapped, frames.iter().filter(|frame| frame.wire_len as usize > frame.len).count() as u64);
    if info.compression.is_none() {
        assert!(info.octets <= file.len() as u64, "more octets were read than there are");
    }
    for (told, seen) in
        [(info.first, frames.iter().map(|f| f.at).min()), (info.last, frames.iter().map(|f| f.at).max())]
    {
        // A frame without time stamp is given one, which is not told as a time of the capture.
        assert!(told.is_none_or(|told| seen.is_some_and(|seen| seen <= told || told <= seen)));
    }
    assert!(info.notes.iter().all(|note| !note.contains(char::is_control)), "{:?}", info.notes);
}

/// A file beside its copy: every frame of both, each in the order of its file.
fn check_merged(file: &[u8], whole: &Content) {
    let copies = (0..2).map(|id| {
        let stream: Box<dyn Read + Send> = Box::new(Cursor::new(file.to_vec()));
        (PathBuf::from(format!("copy {id}")), stream)
    });
    let merged = read(&mut Captures::from_readers(copies));
    if !merged.ended || !whole.ended {
        return;
    }
    for id in 0..2 {
        let own: Vec<Seen> = merged.frames.iter().filter(|frame| frame.capture == id).cloned().collect();
        let expected: Vec<Seen> = whole.frames.iter().map(|frame| Seen { capture: id, ..frame.clone() }).collect();
        assert_eq!(own, expected, "beside its copy a file gives the same frames");
    }
    assert_eq!(merged.frames.len(), whole.frames.len() * 2);
}

/// Gives out a few octets at a time, and is interrupted now and then.
struct Dribble {
    octets: Vec<u8>,
    at: usize,
    turn: usize,
}

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.turn += 1;
        if self.turn.is_multiple_of(5) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let rest = &self.octets[self.at..];
        let count = rest.len().min(buffer.len()).min(1 + self.turn * 7 % 97);
        buffer[..count].copy_from_slice(&rest[..count]);
        self.at += count;
        Ok(count)
    }
}
