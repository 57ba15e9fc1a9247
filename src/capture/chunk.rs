//! A capture file in chunks that can be walked by anyone, in any order: where the records of a chunk begin is guessed, and
//! believed only when the walk of what lies in front of it ends right there.
//!
//! Not here: what is odd, which only the reader tells about, and in order; a walk ends in front of it. Not here either: threads.
//! Contract: what the reader takes over from a chunk is what it would have found there itself; one chunk holds its own octets and
//! one record that reaches beyond them.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;

use super::recognise::Walk;
use super::stretch::{Each, Plain, Stretch};
use crate::base::Timestamp;

/// Records in a row that have to look right for the first of them to be believed for now.
const CONVINCING: usize = 6;
/// Nanoseconds that may lie between two such records.
const DAY: i64 = 86_400_000_000_000;
/// The longest record that a chunk is extended by.
const MOST_BEYOND: usize = 1 << 20;
/// Octets at the head of a record that say how long it is.
const HEAD: usize = 28;
/// Octets beyond a chunk that are read for its last record before it is known how long that is.
const BEYOND: usize = 2048;

/// How a file is cut into chunks.
#[derive(Debug, Clone)]
pub struct Chunks {
    file: Arc<File>,
    pub(super) walk: Arc<Walk>,
    /// An octet that nearly every record has, and where in it.
    common: Option<(usize, u8)>,
    /// Octet at which chunk 0 starts, where a record does.
    first: u64,
    /// Octets in a chunk.
    len: usize,
    /// How many there are, by the size of the file when it was opened.
    count: usize,
}

/// Some octets of a file, and the records in them.
#[derive(Debug)]
pub struct Chunk {
    octets: Vec<u8>,
    /// Octets of it that were read.
    filled: usize,
    /// Octet of the file at which it starts.
    base: u64,
    /// Where in it the first record starts, as far as that can be guessed.
    start: usize,
    pub(super) stretch: Stretch,
    pub(super) walk: Option<Arc<Walk>>,
}

impl Chunks {
    /// The rest of `file` from octet `first` on, which has `size` octets in all, where the last record was recorded at `last`.
    pub(super) fn new(
        file: Arc<File>,
        walk: Walk,
        last: Option<Timestamp>,
        (first, size): (u64, u64),
        len: usize,
    ) -> Self {
        let common = last.and_then(|last| walk.common_to_records_about(last));
        let len = len.max(64);
        let count = size.saturating_sub(first).div_ceil(len as u64);
        Self { file, walk: Arc::new(walk), common, first, len, count: usize::try_from(count).unwrap_or(usize::MAX) }
    }

    /// The same chunks, read by another walk.
    pub(super) fn read_as(&self, walk: Walk) -> Self {
        Self { walk: Arc::new(walk), ..self.clone() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Octet of the file behind chunk `index`.
    pub fn end_of(&self, index: usize) -> u64 {
        self.first.saturating_add((index as u64).saturating_add(1).saturating_mul(self.len as u64))
    }

    /// Reads chunk `index` and walks its records, of which `each` is shown one after the other. Where nothing can be read there
    /// are none: what the reason is, the reader will find.
    #[inline]
    pub fn read(&self, index: usize, chunk: &mut Chunk, each: &mut impl Each) {
        match &*self.walk {
            Walk::Pcap(walk) => match walk.little_endian() {
                Some(walk) => self.read_by(&walk, index, chunk, each),
                None => self.read_by(walk, index, chunk, each),
            },
            Walk::Pcapng(walk) => self.read_by(walk, index, chunk, each),
        }
        chunk.walk = Some(Arc::clone(&self.walk));
    }

    #[inline]
    fn read_by(&self, plain: &impl Plain, index: usize, chunk: &mut Chunk, each: &mut impl Each) {
        chunk.base = self.first.saturating_add((index as u64).saturating_mul(self.len as u64));
        chunk.filled = 0;
        chunk.start = 0;
        chunk.stretch = Stretch::empty(0);
        chunk.fill(&self.file, self.len);
        let start = if index == 0 {
            Some(0)
        } else {
            first_record(plain, chunk.view(), self.walk.alignment(chunk.base), self.common)
        };
        let Some(start) = start else { return };
        chunk.start = start;
        chunk.stretch = Stretch::walk(plain, chunk.view(), Stretch::empty(start), self.len, each);
        let end = chunk.stretch.end;
        if end < self.len && chunk.filled == self.len {
            // the last record reaches into the next chunk, perhaps with its head already
            chunk.fill(&self.file, end.saturating_add(BEYOND));
            if let Some(whole) = plain.whole(chunk.view(), end).filter(|whole| *whole <= MOST_BEYOND) {
                chunk.fill(&self.file, end.saturating_add(whole));
                chunk.stretch = Stretch::walk(plain, chunk.view(), chunk.stretch, self.len, each);
            }
        }
    }
}

impl Default for Chunk {
    fn default() -> Self {
        Self { octets: Vec::new(), filled: 0, base: 0, start: 0, stretch: Stretch::empty(0), walk: None }
    }
}

impl Chunk {
    /// The records that were found.
    pub fn stretch(&self) -> &Stretch {
        &self.stretch
    }

    /// The octets, in which frames have their places.
    pub fn octets(&self) -> &[u8] {
        self.view()
    }

    /// Octet of the file at which the first record starts, if the guess is right.
    pub fn starts(&self) -> u64 {
        self.base.saturating_add(self.start as u64)
    }

    /// Octet of the file behind the last record.
    pub fn ends(&self) -> u64 {
        self.base.saturating_add(self.stretch.end as u64)
    }

    /// Octet of the file behind `stretch`, which is of its records.
    pub(super) fn offset_of(&self, stretch: &Stretch) -> u64 {
        self.base.saturating_add(stretch.end as u64)
    }

    /// The same records once more, as far as `each` wants.
    pub fn again(&self, each: &mut impl Each) -> Stretch {
        match self.walk.as_deref() {
            Some(walk) => Stretch::walk(walk, self.view(), Stretch::empty(self.start), self.stretch.end, each),
            None => Stretch::empty(self.start),
        }
    }

    fn view(&self) -> &[u8] {
        self.octets.get(..self.filled).unwrap_or_default()
    }

    /// Reads on until there are `len` octets, or no more.
    fn fill(&mut self, file: &File, len: usize) {
        if self.octets.len() < len {
            self.octets.resize(len, 0);
        }
        while self.filled < len {
            let room = self.octets.get_mut(self.filled..len).unwrap_or_default();
            match read_at(file, room, self.base.saturating_add(self.filled as u64)) {
                Ok(0) => return,
                Ok(count) => self.filled += count.min(room.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

/// Where in `octets` the first record starts, by what follows it. It may start at `first` and every `step` octets on.
fn first_record(
    plain: &impl Plain,
    octets: &[u8],
    (first, step): (usize, usize),
    common: Option<(usize, u8)>,
) -> Option<usize> {
    let convinces = |start: &usize| is_convincing(plain, octets, *start);
    let soon = common.and_then(|(place, octet)| {
        let marks = octets.get(place..)?.iter().enumerate().filter(|(_, here)| **here == octet);
        marks.map(|(start, _)| start).find(convinces)
    });
    soon.or_else(|| (first..octets.len()).step_by(step).find(convinces))
}

fn is_convincing(plain: &impl Plain, octets: &[u8], start: usize) -> bool {
    let mut at = start;
    let mut before: Option<i64> = None;
    for seen in 0..CONVINCING {
        let Some(record) = plain.plain(octets, at) else {
            // the chunk ends before there is enough to be convinced by
            let reaches_beyond = plain.whole(octets, at).is_some_and(|whole| whole > octets.len().saturating_sub(at));
            return seen > 0 && (reaches_beyond || octets.len().saturating_sub(at) < HEAD);
        };
        let nanos = record.at.as_nanos();
        if record.len == 0 || before.is_some_and(|before| nanos.abs_diff(before) > DAY.unsigned_abs()) {
            return false;
        }
        before = Some(nanos);
        at = record.next;
    }
    true
}

/// A file from some octet on, however far others have read it.
#[derive(Debug)]
pub(super) struct Span {
    pub file: Arc<File>,
    pub at: u64,
}

impl Read for Span {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = read_at(&self.file, buffer, self.at)?;
        self.at = self.at.saturating_add(count as u64);
        Ok(count)
    }
}

#[cfg(unix)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buffer, at)
}

#[cfg(windows)]
fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buffer, at)
}

#[cfg(not(any(unix, windows)))]
fn read_at(_file: &File, _buffer: &mut [u8], _at: u64) -> io::Result<usize> {
    Err(io::ErrorKind::Unsupported.into())
}
