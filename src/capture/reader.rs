//! One capture: its stream, its walk and what is counted, and how it sleeps while others are read.
//!
//! Contract: a reader is at a frame, or at its end; a sleeping reader holds neither a file nor a buffer.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::chunk::{Chunk, Chunks, Span};
use super::error::Refusal;
use super::recognise::{Compression, Recognised, Walk, recognise};
use super::stretch::{Each, Plain, PlainRecord};
use super::tally::{Cut, Tally};
use super::window::{Stream, Window};
use super::{CaptureError, CaptureInfo, Frame, Record, Stretch};
use crate::base::{FrameRef, Timestamp};

/// One capture being read.
#[derive(Debug)]
pub(super) struct Reader {
    path: PathBuf,
    /// Octets in the file; `None` for a stream, which cannot be opened again.
    size: Option<u64>,
    capacity: usize,
    /// Octets taken from the file, packed as they are.
    taken: Arc<AtomicU64>,
    /// The file itself, if it is a regular one and open.
    file: Option<Arc<File>>,
    compression: Option<Compression>,
    window: Window,
    walk: Walk,
    pub tally: Tally,
    /// The frame the reader is at, and its time.
    current: Option<(Record, Timestamp)>,
    /// Latest time so far: what the captures are merged by.
    latest: Timestamp,
    asleep: Option<Asleep>,
}

/// Where to go on in the unpacked stream.
#[derive(Debug, Clone, Copy)]
struct Asleep {
    /// Octet at which the current frame starts.
    frame: u64,
    /// Octets from there to the next record.
    span: usize,
}

impl Reader {
    /// Over a regular file of `size` octets.
    pub fn over_file(path: PathBuf, file: File, size: u64, capacity: usize) -> Result<Self, CaptureError> {
        let file = Arc::new(file);
        let mut reader = Self::over(path, Box::new(Arc::clone(&file)), Some(size), capacity)
            .map_err(|(path, refusal)| refusal.at(&path, None))?;
        reader.file = Some(file);
        Ok(reader)
    }

    /// Over anything that is read once.
    pub fn over_stream(path: PathBuf, stream: Stream, capacity: usize) -> Result<Self, CaptureError> {
        Self::over(path, stream, None, capacity).map_err(|(path, refusal)| refusal.at(&path, None))
    }

    /// Over a regular file of a folder; `None` if it is not a capture.
    pub fn over_found(path: PathBuf, file: File, size: u64, capacity: usize) -> Result<Option<Self>, CaptureError> {
        match Self::over(path, Box::new(file), Some(size), capacity) {
            Ok(reader) => Ok(Some(reader)),
            Err((_, refusal)) if refusal.foreign => Ok(None),
            Err((path, refusal)) => Err(refusal.at(&path, None)),
        }
    }

    fn over(path: PathBuf, stream: Stream, size: Option<u64>, capacity: usize) -> Result<Self, (PathBuf, Refusal)> {
        let taken = Arc::new(AtomicU64::new(0));
        let stream = Box::new(Counted { stream, taken: Arc::clone(&taken) });
        let mut tally = Tally::default();
        match recognise(stream, capacity, &mut tally) {
            Ok(Recognised { window, walk, compression }) => Ok(Self {
                path,
                size,
                capacity,
                taken,
                file: None,
                compression,
                window,
                walk,
                tally,
                current: None,
                latest: Timestamp::from_nanos(i64::MIN),
                asleep: None,
            }),
            Err(refusal) => Err((path, refusal)),
        }
    }

    /// Goes to the next frame; `false` at the end.
    #[inline]
    pub fn advance(&mut self) -> Result<bool, CaptureError> {
        match self.step_in_view() {
            Some((record, at)) => {
                self.stand_at(record, at);
                Ok(true)
            }
            None => self.advance_anyhow(),
        }
    }

    /// The next record and its time, if it takes no reading; the reader itself stays where it is. Enough for a capture
    /// that is read alone, and never sleeps.
    #[inline]
    pub fn step_in_view(&mut self) -> Option<(Record, Timestamp)> {
        let record = {
            let (octets, place) = self.window.buffer();
            self.walk.plain(octets, place)?
        };
        self.window.move_to(record.next);
        let PlainRecord { at, link, interface, place, len, wire_len, .. } = record;
        let record = Record { at: Some(at), link, interface, place, len, wire_len };
        let at = self.tally.count(&record);
        Some((record, at))
    }

    /// The records from the next one on that take no reading, start in front of octet `until` and are not odd, until `each`
    /// wants no more. The reader stays where it is, in front of them.
    #[inline]
    pub fn stretch(&self, until: u64, each: &mut impl Each) -> Stretch {
        let (octets, place) = self.window.buffer();
        let from = Stretch::empty(place);
        let left = usize::try_from(until.saturating_sub(self.window.offset())).unwrap_or(usize::MAX);
        let stop = place.saturating_add(left).min(octets.len());
        match &self.walk {
            Walk::Pcap(walk) => match walk.little_endian() {
                Some(walk) => Stretch::walk(&walk, octets, from, stop, each),
                None => Stretch::walk(walk, octets, from, stop, each),
            },
            Walk::Pcapng(walk) => Stretch::walk(walk, octets, from, stop, each),
        }
    }

    /// Octet of the unpacked stream at which the next record starts.
    pub fn offset(&self) -> u64 {
        self.window.offset()
    }

    /// The rest of a plain file in chunks of `len` octets, as its records are to be read from here on.
    pub fn chunks(&self, len: usize) -> Option<Chunks> {
        let file = Arc::clone(self.file.as_ref().filter(|_| self.compression.is_none())?);
        Some(Chunks::new(file, self.walk.clone(), self.tally.last, (self.window.offset(), self.size?), len))
    }

    /// How packets are to be read now, where that is not how `chunks` has it.
    pub fn describe(&self, chunks: &Chunks) -> Option<Walk> {
        (self.walk.described() != chunks.walk.described()).then(|| self.walk.clone())
    }

    /// Whether the reader is in front of the records of `chunk` and would read them as they were read.
    pub fn is_before(&self, chunk: &Chunk) -> bool {
        let described = chunk.walk.as_ref().map(|walk| walk.described());
        self.window.offset() == chunk.starts() && described == Some(self.walk.described())
    }

    /// Goes on behind `stretch`, which is some of the records of `chunk` that lie in front of the reader.
    pub fn pass_chunk(&mut self, chunk: &Chunk, stretch: &Stretch) {
        let Some(file) = &self.file else { return };
        let at = chunk.offset_of(stretch);
        let span = Box::new(Span { file: Arc::clone(file), at });
        self.taken.store(at, Ordering::Relaxed);
        self.window.go_on_with(Box::new(Counted { stream: span, taken: Arc::clone(&self.taken) }), at);
        self.tally.add(stretch);
    }

    /// The buffer in which a stretch lies.
    #[inline]
    pub fn buffer(&self) -> &[u8] {
        self.window.buffer().0
    }

    /// Goes on behind a stretch that lies in front of the reader.
    pub fn pass(&mut self, stretch: &Stretch) {
        self.window.move_to(stretch.end);
        self.tally.add(stretch);
    }

    #[inline]
    fn stand_at(&mut self, record: Record, at: Timestamp) {
        self.latest = self.latest.max(at);
        self.current = Some((record, at));
    }

    fn advance_anyhow(&mut self) -> Result<bool, CaptureError> {
        match self.walk.advance(&mut self.window, &mut self.tally) {
            Ok(Some(record)) => {
                let at = self.tally.count(&record);
                self.stand_at(record, at);
                Ok(true)
            }
            Ok(None) => {
                self.end();
                match self.tally.cut {
                    Some(Cut::Compression(_)) if self.tally.frames == 0 => Err(self.nothing_unpacked()),
                    _ => Ok(false),
                }
            }
            Err(refusal) => Err(self.fail(refusal)),
        }
    }

    /// The record that the reader is at, and its time.
    #[inline]
    pub fn current(&self) -> Option<(Record, Timestamp)> {
        self.current
    }

    /// The frame in `record`, which was the last one that was stepped to.
    #[inline]
    pub fn frame(&self, capture: u32, record: &Record, at: Timestamp) -> Frame<'_> {
        Frame {
            reference: FrameRef::new(capture, self.tally.frames),
            at,
            link: record.link,
            interface: record.interface,
            bytes: self.window.slice(record.place, record.len),
            wire_len: record.wire_len,
        }
    }

    /// Latest time up to the current frame.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }

    /// Times are this many nanoseconds earlier from the current frame on, which is the first.
    pub fn put_back(&mut self, ahead: i64) {
        self.tally.put_back(ahead);
        if let Some((_, at)) = &mut self.current {
            *at = at.before(ahead);
            self.latest = *at;
        }
    }

    /// Whether there is a current frame.
    pub fn is_at_frame(&self) -> bool {
        self.current.is_some()
    }

    pub fn is_asleep(&self) -> bool {
        self.asleep.is_some()
    }

    /// Whether the reader could go on after closing its file. What is packed has to be unpacked from its start again,
    /// so it can only before it was really begun.
    pub fn can_sleep(&self) -> bool {
        self.size.is_some() && (self.compression.is_none() || self.tally.frames <= 1)
    }

    /// Closes the file and forgets the buffer, keeping the place.
    pub fn sleep(&mut self) {
        if let Some((record, _)) = &self.current {
            let frame = self.window.offset_of(record.place);
            let span = usize::try_from(self.window.offset().saturating_sub(frame)).unwrap_or(record.len);
            self.asleep = Some(Asleep { frame, span });
            self.window = Window::closed();
            self.file = None;
        }
    }

    /// Opens the file again where the reader fell asleep, current frame in view.
    pub fn wake(&mut self) -> Result<(), CaptureError> {
        let Some(asleep) = self.asleep.take() else { return Ok(()) };
        self.reopen(asleep).map_err(|refusal| {
            // The current frame was counted when it was looked at, and is now never given out.
            let octets = self.current.as_ref().map_or(0, |(record, _)| record.len as u64);
            self.tally.frames = self.tally.frames.saturating_sub(1);
            self.tally.octets = self.tally.octets.saturating_sub(octets);
            self.fail(refusal)
        })
    }

    fn reopen(&mut self, asleep: Asleep) -> Result<(), Refusal> {
        let mut file = File::open(&self.path)?;
        self.taken.store(0, Ordering::Relaxed);
        if self.compression.is_none() {
            file.seek(SeekFrom::Start(asleep.frame))?;
            self.taken.store(asleep.frame, Ordering::Relaxed);
        }
        let mut stream: Stream = Box::new(Counted { stream: Box::new(file), taken: Arc::clone(&self.taken) });
        self.window = match self.compression {
            None => Window::new(stream, asleep.frame, self.capacity),
            Some(compression) => {
                stream = compression.unpack(stream)?;
                let mut window = Window::new(stream, 0, self.capacity);
                window.skip(asleep.frame)?;
                window
            }
        };
        if !self.window.need(asleep.span)? {
            return Err(Refusal::corrupt(asleep.frame, "the file was cut while it was read"));
        }
        let place = self.window.consume(asleep.span);
        if let Some((record, _)) = &mut self.current {
            record.place = place;
        }
        Ok(())
    }

    /// What is known so far.
    pub fn info(&self) -> CaptureInfo {
        let tally = &self.tally;
        CaptureInfo {
            path: self.path.clone(),
            format: self.walk.format(),
            compression: self.compression.map(Compression::name),
            link_types: tally.link_types.clone(),
            frames: tally.frames,
            octets: tally.octets,
            snapped: tally.snapped,
            first: tally.first,
            last: tally.last,
            cut_short: tally.cut.is_some(),
            dropped: self.walk.dropped(),
            watched_until: self.walk.watched_until().map(|at| at.before(tally.ahead)),
            notes: tally.notes(),
        }
    }

    /// Octets taken from the file, and its size.
    pub fn progress(&self) -> (u64, Option<u64>) {
        (self.taken.load(Ordering::Relaxed), self.size)
    }

    fn end(&mut self) {
        if let Some(compression) = self.compression
            && self.window.is_torn()
        {
            self.tally.cut = Some(Cut::Compression(compression.name()));
        }
        let read = self.window.offset();
        if self.compression.is_none() && self.size.is_some_and(|size| read < size) {
            self.tally.cut.get_or_insert(Cut::Shrunk(read));
        }
        self.close();
    }

    fn fail(&mut self, mut refusal: Refusal) -> CaptureError {
        refusal.octet.get_or_insert(self.window.offset());
        self.close();
        refusal.at(&self.path, Some(self.tally.frames))
    }

    /// The compressed data ends before the first frame.
    fn nothing_unpacked(&self) -> CaptureError {
        let name = self.compression.map_or("compressed", Compression::name);
        let reason =
            format!("the {name} data ends too early: the file is incomplete, and no frame could be read from it");
        Refusal { reason, octet: None, foreign: false }.at(&self.path, None)
    }

    fn close(&mut self) {
        self.current = None;
        self.window = Window::closed();
        self.file = None;
        if let Some(size) = self.size {
            self.taken.store(size, Ordering::Relaxed);
        }
    }
}

/// A stream that says how much was taken from it.
struct Counted {
    stream: Stream,
    taken: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.stream.read(buffer)?;
        self.taken.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
