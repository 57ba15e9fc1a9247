//! Many captures as one stream of frames in order of time.
//!
//! Only the next frame of each capture is looked at. A capture whose clock runs backwards keeps its order: it is merged
//! by the latest time it has reached. Of however many files, a bounded number is open at once; the others sleep.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::Read;
use std::mem;
use std::path::PathBuf;

use super::chunk::{Chunk, Chunks};
use super::reader::Reader;
use super::search::{ALONE, AMONG_OTHERS, Search};
use super::window::Stream;
use super::{CaptureError, CaptureInfo, Each, Frame, Stretch};
use crate::base::Timestamp;

/// Files open at once, as far as they can be closed for a while: well below what systems allow a process, and no more
/// than 32 MiB of windows.
pub(super) const MOST_AWAKE: usize = 128;

/// Captures opened for reading, merged by time.
#[derive(Debug)]
pub struct Captures {
    /// By capture id.
    readers: Vec<Reader>,
    errors: Vec<CaptureError>,
    /// Captures whose next frame waits, by its time and their id.
    due: BinaryHeap<Reverse<(Timestamp, usize)>>,
    /// The capture whose frame was given out last.
    turn: Option<usize>,
    /// Captures with an open file that could be closed for a while.
    awake: Vec<usize>,
}

impl Captures {
    /// Opens files, folders (every capture below them) and `-` for standard input. What cannot be opened is an error
    /// kept for [`Captures::errors`]; the rest is read all the same. Capture ids follow the order of first time stamps
    /// within a folder, and the order of `paths` otherwise.
    ///
    /// With several paths this waits for the first frame of each that is a pipe.
    pub fn open(paths: &[PathBuf]) -> Self {
        let (readers, errors) = Search::run(paths);
        Self::over(readers, errors)
    }

    /// Reads one capture from anything that can be read, under a name of the caller's choice.
    pub fn from_reader(name: impl Into<PathBuf>, stream: impl Read + Send + 'static) -> Self {
        match Reader::over_stream(name.into(), Box::new(stream), ALONE) {
            Ok(reader) => Self::over(vec![reader], Vec::new()),
            Err(error) => Self::over(Vec::new(), vec![error]),
        }
    }

    /// Reads several captures from anything that can be read; ids follow the order given.
    pub fn from_readers(streams: impl IntoIterator<Item = (PathBuf, Box<dyn Read + Send>)>) -> Self {
        let (mut readers, mut errors) = (Vec::new(), Vec::new());
        for (name, stream) in streams {
            let stream: Stream = stream;
            match Reader::over_stream(name, stream, AMONG_OTHERS) {
                Ok(mut reader) => {
                    errors.extend(reader.advance().err());
                    readers.push(reader);
                }
                Err(error) => errors.push(error),
            }
        }
        Self::over(readers, errors)
    }

    /// Over readers that are at their first frame, or before it if there is only one.
    fn over(readers: Vec<Reader>, errors: Vec<CaptureError>) -> Self {
        let at_frame = || readers.iter().enumerate().filter(|(_, reader)| reader.is_at_frame());
        let due = at_frame().map(|(id, reader)| Reverse((reader.latest(), id))).collect();
        let awake = at_frame().filter(|(_, reader)| reader.can_sleep() && !reader.is_asleep());
        let awake = awake.map(|(id, _)| id).collect();
        Self { due, awake, turn: None, readers, errors }
    }

    /// Puts captures right whose clocks are ahead of the others', by so many nanoseconds each (behind, if below zero), before
    /// any frame was given out.
    pub fn put_back(&mut self, ahead: &[i64]) {
        if self.turn.is_some() || ahead.iter().all(|&ahead| ahead == 0) {
            return;
        }
        for (reader, &ahead) in self.readers.iter_mut().zip(ahead) {
            reader.put_back(ahead);
        }
        let at_frame = self.readers.iter().enumerate().filter(|(_, reader)| reader.is_at_frame());
        self.due = at_frame.map(|(id, reader)| Reverse((reader.latest(), id))).collect();
    }

    /// The next frame of all captures in order of time (file order within a capture), or `None` at the end.
    #[inline]
    pub fn next_frame(&mut self) -> Option<Frame<'_>> {
        if self.readers.len() == 1 && self.due.is_empty() {
            let stepped = self.readers.first_mut().and_then(Reader::step_in_view);
            let (record, at) = match stepped {
                Some(stepped) => stepped,
                None if self.advance(0) => self.readers.first()?.current()?,
                None => return None,
            };
            return self.readers.first().map(|reader| reader.frame(0, &record, at));
        }
        self.next_of_many()
    }

    /// The frames from the next one on that take no reading, whose records start in front of octet `until`, and about which
    /// there is nothing to note, until `each` wants no more; their places are those in [`Captures::buffer`]. Empty where there
    /// is none, or where captures are merged. Nothing is counted until [`Captures::pass`].
    #[inline]
    pub fn stretch(&self, until: u64, each: &mut impl Each) -> Stretch {
        self.alone().map_or(Stretch::empty(0), |reader| reader.stretch(until, each))
    }

    /// The only capture, where nothing is merged.
    #[inline]
    fn alone(&self) -> Option<&Reader> {
        self.readers.first().filter(|_| self.readers.len() == 1 && self.due.is_empty())
    }

    /// Octet at which the next record of the only capture starts, counted in the unpacked data.
    #[inline]
    pub fn offset(&self) -> u64 {
        self.alone().map_or(0, Reader::offset)
    }

    /// The rest of the only capture in chunks of `len` octets, if it is a plain file.
    pub fn chunks(&self, len: usize) -> Option<Chunks> {
        self.alone()?.chunks(len)
    }

    /// The same chunks, if the capture has said since how packets are to be read from now on.
    pub fn chunks_now(&self, chunks: &Chunks) -> Option<Chunks> {
        Some(chunks.read_as(self.alone()?.describe(chunks)?))
    }

    /// Whether the records found in `chunk` are the next ones, beyond doubt.
    pub fn is_before(&self, chunk: &Chunk) -> bool {
        self.alone().is_some_and(|reader| reader.is_before(chunk))
    }

    /// Goes on behind `stretch`, the first records of `chunk` or all of them, of which [`Captures::is_before`] was true.
    pub fn pass_chunk(&mut self, chunk: &Chunk, stretch: &Stretch) {
        if let Some(reader) = self.readers.first_mut() {
            reader.pass_chunk(chunk, stretch);
        }
    }

    /// What [`Captures::stretch`] gave places in; good until something is read.
    #[inline]
    pub fn buffer(&self) -> &[u8] {
        self.readers.first().map_or(&[], Reader::buffer)
    }

    /// Frames of the first capture that were read.
    pub fn frames(&self) -> u64 {
        self.readers.first().map_or(0, |reader| reader.tally.frames)
    }

    /// Goes on behind a stretch that [`Captures::stretch`] just gave.
    pub fn pass(&mut self, stretch: &Stretch) {
        if let Some(reader) = self.readers.first_mut() {
            reader.pass(stretch);
        }
    }

    /// What could not be opened or read to its end, in the order it happened.
    pub fn errors(&self) -> &[CaptureError] {
        &self.errors
    }

    /// What is known about each capture so far, by id. Final once [`Captures::next_frame`] has said `None`.
    pub fn infos(&self) -> Vec<CaptureInfo> {
        self.readers.iter().map(Reader::info).collect()
    }

    /// Octets read so far of the files, packed as they are, and how many there are in all (`None` with anything but
    /// regular files): for progress. Looks at every capture, so not to be asked at every frame.
    pub fn progress(&self) -> (u64, Option<u64>) {
        self.readers.iter().map(Reader::progress).fold((0, Some(0)), |(taken, all), (more, size)| {
            (taken.saturating_add(more), all.zip(size).map(|(all, size)| all.saturating_add(size)))
        })
    }

    fn next_of_many(&mut self) -> Option<Frame<'_>> {
        let id = self.next_turn()?;
        let (record, at) = self.readers.get(id)?.current()?;
        self.readers.get(id).map(|reader| reader.frame(u32::try_from(id).unwrap_or(u32::MAX), &record, at))
    }

    /// The capture whose frame is next; a frame that was looked at to learn its time is still to be given out.
    fn next_turn(&mut self) -> Option<usize> {
        if let Some(id) = self.turn.take()
            && self.advance(id)
        {
            let own = Reverse((self.latest(id), id));
            // Rotated files do not overlap: mostly it is the same capture's turn again.
            let Some(mut next) = self.due.peek_mut().filter(|next| **next > own) else {
                self.turn = Some(id);
                return self.turn;
            };
            let Reverse((_, id)) = mem::replace(&mut *next, own);
            drop(next);
            if self.wake(id) {
                self.turn = Some(id);
                return self.turn;
            }
        }
        while let Some(Reverse((_, id))) = self.due.pop() {
            if self.wake(id) {
                self.turn = Some(id);
                return self.turn;
            }
        }
        None
    }

    /// Takes a capture to its next frame; `false` at its end.
    #[inline]
    fn advance(&mut self, id: usize) -> bool {
        match self.readers.get_mut(id).map(Reader::advance) {
            Some(Ok(true)) => return true,
            Some(Err(error)) => self.errors.push(error),
            Some(Ok(false)) | None => {}
        }
        self.awake.retain(|awake| *awake != id);
        false
    }

    /// Sees to it that a capture's file is open; `false` if it cannot be opened again.
    fn wake(&mut self, id: usize) -> bool {
        if !self.readers.get(id).is_some_and(Reader::is_asleep) {
            return true;
        }
        if self.awake.len() >= MOST_AWAKE {
            self.send_to_sleep();
        }
        match self.readers.get_mut(id).map(Reader::wake) {
            Some(Ok(())) => {
                self.awake.push(id);
                true
            }
            Some(Err(error)) => {
                self.errors.push(error);
                false
            }
            None => false,
        }
    }

    /// Closes the file that will be needed last.
    fn send_to_sleep(&mut self) {
        let can_sleep = |id: &usize| self.readers.get(*id).is_some_and(Reader::can_sleep);
        let awake = self.awake.iter().enumerate().filter(|(_, id)| can_sleep(id));
        let last = awake.max_by_key(|(_, id)| self.latest(**id)).map(|(place, _)| place);
        if let Some(place) = last
            && let Some(reader) = self.readers.get_mut(self.awake.swap_remove(place))
        {
            reader.sleep();
        }
    }

    fn latest(&self, id: usize) -> Timestamp {
        self.readers.get(id).map_or(Timestamp::default(), Reader::latest)
    }
}
