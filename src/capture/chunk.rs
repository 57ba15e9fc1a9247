//! A capture file in chunks that can be walked by anyone, in any order: where the records of a chunk begin is guessed, and
//! believed only when the walk of what lies in front of it ends right there.
//!
//! A chunk is looked at where it lies in memory, if that can be had, and read otherwise. Not here: what is odd, which only the
//! reader tells about, and in order; a walk ends in front of it. Not here either: threads. Contract: what the reader takes over
//! from a chunk is what it would have found there itself; a chunk is its own octets and one record that reaches beyond them.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::sync::{Arc, Mutex, PoisonError};

use super::map::Region;
use super::recognise::Walk;
use super::stretch::{Each, Plain, Stretch};
use crate::base::Timestamp;

/// Records in a row that have to look right for the first of them to be believed for now.
const CONVINCING: usize = 6;
/// The same where little depends on it.
const FEW: usize = 2;
/// Nanoseconds that may lie between two such records.
const DAY: i64 = 86_400_000_000_000;
/// The longest record that a chunk is extended by.
const MOST_BEYOND: usize = 1 << 20;
/// Octets at the head of a record that say how long it is.
const HEAD: usize = 28;
/// Octets beyond a chunk that are read for its last record before it is known how long that is.
const BEYOND: usize = 2048;

/// Octets of the file that are held in memory together.
const REGION: u64 = 64 << 20;
/// Octets that have been looked at and are let go together: a page of the largest kind that files are mapped in. To take a part of
/// one out of memory, all processors have to wait for each other.
const LET_GO: u64 = 2 << 20;

/// Places at which records are fetched at a time.
const PARTS: usize = 8;
/// Starts that are tried for each: one octet in 256 looks like one by chance.
const MOST_MARKS: usize = 256;
/// An octet of a record, from its start, up to which most of what is looked at lies: the ports of UDP over IPv4.
const FAR_HEAD: usize = 60;
/// Octets of the shortest record.
const LEAST: usize = 12;

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
    /// What of the file is being looked at.
    region: Arc<Mutex<Option<Arc<Region>>>>,
}

/// The records in some octets of a file.
#[derive(Debug)]
pub struct Chunk {
    /// Octet of the file at which it starts.
    base: u64,
    /// Where in it the first record starts, as far as that can be guessed.
    start: usize,
    pub(super) stretch: Stretch,
    pub(super) walk: Option<Arc<Walk>>,
    /// What was read, which is nothing where the file was only looked at.
    octets: Octets,
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
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Self { file, walk: Arc::new(walk), common, first, len, count, region: Arc::default() }
    }

    /// The same chunks, read by another walk.
    pub(super) fn read_as(&self, walk: Walk) -> Self {
        Self { walk: Arc::new(walk), ..self.clone() }
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Looks at chunk `index` where it lies and walks its records, of which `each` is shown one after the other. `false` where
    /// that cannot be done, or what was seen cannot be believed: then there is [`Chunks::read`].
    #[inline]
    pub fn look(&self, index: usize, chunk: &mut Chunk, each: &mut impl Each) -> bool {
        let base = self.base_of(index);
        let Some(region) = self.region_of(base) else { return false };
        let end = base.saturating_add(self.len as u64);
        let octets = region.octets(base, end.saturating_add(MOST_BEYOND as u64));
        self.begin(index, chunk);
        match &*self.walk {
            Walk::Pcap(walk) => match walk.little_endian() {
                Some(walk) => self.look_by(&walk, index, octets, chunk, each),
                None => self.look_by(walk, index, octets, chunk, each),
            },
            Walk::Pcapng(walk) => self.look_by(walk, index, octets, chunk, each),
        }
        let (before, after) = (base / LET_GO, end / LET_GO);
        if after > before {
            // others may still have looked at what was let go the last time
            region.let_go(before.saturating_sub(1) * LET_GO, after * LET_GO);
        }
        // beyond the end of a file its last page is zero, and not missing
        let is_there = |now: Metadata| now.len() >= base.saturating_add(octets.len() as u64);
        !region.is_torn() && self.file.metadata().is_ok_and(is_there)
    }

    /// Reads chunk `index` and walks its records, of which `each` is shown one after the other. Where nothing can be read there
    /// are none: what the reason is, the reader will find.
    pub fn read(&self, index: usize, chunk: &mut Chunk, each: &mut impl Each) {
        self.begin(index, chunk);
        self.read_by(&*self.walk, index, chunk, each);
    }

    /// The records of `chunk` once more, as far as `each` wants.
    pub fn again(&self, chunk: &Chunk, each: &mut impl Each) -> Stretch {
        let Some(walk) = chunk.walk.as_deref() else { return Stretch::empty(chunk.start) };
        let mut octets = Octets::default();
        octets.fill(&self.file, chunk.base, chunk.stretch.end);
        Stretch::walk(walk, octets.view(), Stretch::empty(chunk.start), chunk.stretch.end, each)
    }

    fn begin(&self, index: usize, chunk: &mut Chunk) {
        chunk.base = self.base_of(index);
        chunk.start = 0;
        chunk.stretch = Stretch::empty(0);
        chunk.walk = Some(Arc::clone(&self.walk));
        chunk.octets.filled = 0;
    }

    fn base_of(&self, index: usize) -> u64 {
        self.first.saturating_add((index as u64).saturating_mul(self.len as u64))
    }

    #[inline]
    fn look_by(&self, plain: &impl Plain, index: usize, octets: &[u8], chunk: &mut Chunk, each: &mut impl Each) {
        if let Some(start) = self.first_record(plain, index, octets) {
            chunk.start = start;
            chunk.stretch = Stretch::walk(plain, octets, Stretch::empty(start), self.len, each);
        }
    }

    fn read_by(&self, plain: &impl Plain, index: usize, chunk: &mut Chunk, each: &mut impl Each) {
        let Chunk { base, octets, .. } = chunk;
        octets.fill(&self.file, *base, self.len);
        let Some(start) = self.first_record(plain, index, octets.view()) else { return };
        let mut stretch = Stretch::walk(plain, octets.view(), Stretch::empty(start), self.len, each);
        let end = stretch.end;
        if end < self.len && octets.filled == self.len {
            // the last record reaches into the next chunk, perhaps with its head already
            octets.fill(&self.file, *base, end.saturating_add(BEYOND));
            if let Some(whole) = plain.whole(octets.view(), end).filter(|whole| *whole <= MOST_BEYOND) {
                octets.fill(&self.file, *base, end.saturating_add(whole));
                stretch = Stretch::walk(plain, octets.view(), stretch, self.len, each);
            }
        }
        (chunk.start, chunk.stretch) = (start, stretch);
    }

    /// Where in the octets of chunk `index` its first record starts, as far as that can be guessed.
    fn first_record(&self, plain: &impl Plain, index: usize, octets: &[u8]) -> Option<usize> {
        if index == 0 {
            return Some(0);
        }
        let starts = self.walk.alignment(self.base_of(index));
        let guess = Guess { before: self.len, common: self.common, records: CONVINCING };
        guess.first_record(plain, octets, starts)
    }

    /// Brings the heads of all records of `count` chunks near, from chunk `index` on. In memory records are found one through the
    /// other, with a wait for each; here that is done in several places at a time, whose starts are only guessed: a wrong one
    /// costs time and nothing else.
    pub fn fetch(&self, index: usize, count: usize) {
        let base = self.base_of(index);
        let Some(region) = self.region_of(base) else { return };
        let octets = region.octets(base, base.saturating_add((self.len as u64).saturating_mul(count as u64)));
        match &*self.walk {
            Walk::Pcap(walk) => self.fetch_by(walk, octets),
            Walk::Pcapng(walk) => self.fetch_by(walk, octets),
        }
    }

    fn fetch_by(&self, plain: &impl Plain, octets: &[u8]) {
        let part = octets.len() / PARTS;
        let begin_of = |number: usize| number.saturating_mul(part);
        // all of them are waited for together
        let mut seen = 0;
        for number in 0..PARTS {
            seen ^= octets.get(begin_of(number)).copied().unwrap_or_default();
        }
        let mut lines = [(0, 0); PARTS];
        for (number, (place, end)) in lines.iter_mut().enumerate() {
            let begin = begin_of(number);
            let guess = Guess { before: part, common: self.common, records: FEW };
            let first = octets.get(begin..).and_then(|octets| guess.marked(plain, octets, MOST_MARKS));
            *end = begin.saturating_add(part);
            *place = first.map_or(*end, |first| begin.saturating_add(first));
        }
        let mut goes_on = true;
        while goes_on {
            goes_on = false;
            for (place, end) in &mut lines {
                if *place < *end {
                    let whole = plain.whole(octets, *place).filter(|whole| *whole >= LEAST);
                    seen ^= octets.get(place.wrapping_add(FAR_HEAD)).copied().unwrap_or_default();
                    *place = whole.map_or(*end, |whole| place.wrapping_add(whole));
                    goes_on = true;
                }
            }
        }
        std::hint::black_box(seen);
    }

    /// A region with all that belongs to the chunk at octet `base`.
    fn region_of(&self, base: u64) -> Option<Arc<Region>> {
        let start = base.saturating_sub(self.first) / REGION * REGION + self.first;
        let mut held = self.region.lock().unwrap_or_else(PoisonError::into_inner);
        if held.as_ref().is_none_or(|held| held.start() != start) {
            let size = self.file.metadata().ok()?.len();
            let end = start.saturating_add(REGION).saturating_add((self.len + MOST_BEYOND) as u64).min(size);
            let len = usize::try_from(end.checked_sub(start)?).ok()?;
            *held = Some(Arc::new(Region::new(&self.file, start, len)?));
        }
        held.as_ref().map(Arc::clone).filter(|region| !region.is_torn())
    }
}

impl Default for Chunk {
    fn default() -> Self {
        Self { base: 0, start: 0, stretch: Stretch::empty(0), walk: None, octets: Octets::default() }
    }
}

impl Chunk {
    /// The records that were found.
    pub fn stretch(&self) -> &Stretch {
        &self.stretch
    }

    /// Octet of the file at which the first record starts, if the guess is right.
    pub fn starts(&self) -> u64 {
        self.base.saturating_add(self.start as u64)
    }

    /// Octet of the file behind `stretch`, which is of its records.
    pub(super) fn offset_of(&self, stretch: &Stretch) -> u64 {
        self.base.saturating_add(stretch.end as u64)
    }
}

/// Octets that were read of a file.
#[derive(Debug, Default)]
struct Octets {
    octets: Vec<u8>,
    /// How many of them were read.
    filled: usize,
}

impl Octets {
    fn view(&self) -> &[u8] {
        self.octets.get(..self.filled).unwrap_or_default()
    }

    /// Reads on until there are `len` octets from octet `base` of the file on, or no more.
    fn fill(&mut self, file: &File, base: u64, len: usize) {
        if self.octets.len() < len {
            self.octets.resize(len, 0);
        }
        while self.filled < len {
            let room = self.octets.get_mut(self.filled..len).unwrap_or_default();
            match read_at(file, room, base.saturating_add(self.filled as u64)) {
                Ok(0) => return,
                Ok(count) => self.filled += count.min(room.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return,
            }
        }
    }
}

/// How to guess where the first record starts.
struct Guess {
    /// Octet in front of which it starts.
    before: usize,
    /// An octet that it probably has, and where in it.
    common: Option<(usize, u8)>,
    /// Records in a row that have to look right.
    records: usize,
}

impl Guess {
    /// Where in `octets` the first record starts, by what follows it. It may start at `first` and every `step` octets on.
    fn first_record(&self, plain: &impl Plain, octets: &[u8], (first, step): (usize, usize)) -> Option<usize> {
        let mut all = (first..octets.len().min(self.before)).step_by(step);
        self.marked(plain, octets, usize::MAX).or_else(|| all.find(|start| self.is_convincing(plain, octets, *start)))
    }

    /// The same, where the octet stands that it probably has, in no more than so many places.
    fn marked(&self, plain: &impl Plain, octets: &[u8], most: usize) -> Option<usize> {
        let (place, octet) = self.common?;
        let marks = octets.get(place..)?;
        let marks = marks.get(..self.before).unwrap_or(marks);
        memchr::memchr_iter(octet, marks).take(most).find(|start| self.is_convincing(plain, octets, *start))
    }

    fn is_convincing(&self, plain: &impl Plain, octets: &[u8], start: usize) -> bool {
        let mut at = start;
        let mut before: Option<i64> = None;
        for seen in 0..self.records {
            let Some(record) = plain.plain(octets, at) else {
                // the octets end before there is enough to be convinced by
                let reaches_beyond =
                    plain.whole(octets, at).is_some_and(|whole| whole > octets.len().saturating_sub(at));
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

#[cfg(test)]
mod tests {
    use super::super::{Captures, Frame};
    use super::*;
    use std::path::Path;

    /// Keeps all frames.
    #[derive(Debug, Default, PartialEq)]
    struct All(Vec<(Timestamp, Vec<u8>)>);

    impl Each for All {
        fn frame(&mut self, frame: Frame<'_>, _place: usize) -> bool {
            self.0.push((frame.at, frame.bytes.to_vec()));
            true
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn what_is_looked_at_is_what_is_read() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab/v2-cert-ipfrag-dropped.pcap");
        let mut captures = Captures::open(&[path]);
        while captures.next_frame().is_some_and(|frame| frame.reference.frame < 3) {}
        for len in [6_000, 8_000, 100_000] {
            let chunks = captures.chunks(len).unwrap();
            let mut frames = 0;
            for index in 0..chunks.count() {
                let (mut looked, mut read) = (All::default(), All::default());
                let (mut one, mut other) = (Chunk::default(), Chunk::default());
                chunks.fetch(index, 2);
                assert!(chunks.look(index, &mut one, &mut looked));
                chunks.read(index, &mut other, &mut read);
                assert_eq!(looked, read);
                assert_eq!((one.starts(), one.stretch().end), (other.starts(), other.stretch().end));
                assert_eq!(chunks.again(&one, &mut All::default()).frames, one.stretch().frames);
                frames += looked.0.len();
            }
            assert!(frames > 12, "{frames} frames in chunks of {len}");
        }
    }
}
