//! A capture file in chunks, on one thread or several: each goes through chunks and sieves them, and one of them takes them on in
//! order.
//!
//! Whoever looks at a chunk knows nothing of what comes before it, so all that depends on that is left to the one who takes it
//! on: the start of the first record, which was guessed; TCP streams and fragments; all that is odd. Where a guess was wrong or
//! a chunk says too little, he goes that way himself, as through a small file. Not here: merged, packed and streamed captures.
//! Contract: the same octets of output on any number of threads; a fixed number of chunks in memory.

use std::mem;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread;

use crate::base::crew::{Crew, Hand};
use crate::capture::{Captures, Chunk, Chunks, Each, Frame, Stretch};
use crate::packet::Eye;
use crate::track::Moulds;

use super::path::Path;
use super::sieve::Sieve;
use super::{Again, Options, Road, Unseen, Watch, pass};

/// Threads that one thread can take on for: more would wait.
const MOST_THREADS: usize = 4;
/// Octets of a chunk: what a thread reads and looks at lies in its own cache.
const CHUNK: usize = 256 << 10;
/// Chunks of each thread.
const CHUNKS_A_THREAD: usize = 8;
/// Chunks one behind the other that a thread goes through, and fetches together.
const RUN: usize = 4;
/// Files smaller than this are read before threads have begun, and go without chunks.
const LEAST_FILE: u64 = 16 << 20;
/// Chunks that may be for nothing before the threads are sent home.
const MOST_LOST: u32 = 16;

/// On how many threads, and in pieces of which size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Threads at most; `None` for as many as the machine has, up to four.
    pub threads: Option<usize>,
    /// Octets of a piece, `None` for what is good; with this, small files are shared as well.
    pub chunk: Option<usize>,
}

impl Sharing {
    /// How many threads that are.
    pub fn threads(self) -> usize {
        let wanted = self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        wanted.min(if self.chunk.is_some() { wanted } else { MOST_THREADS }).max(1)
    }
}

/// A chunk and what was left of it.
#[derive(Debug)]
struct Sifted {
    chunk: Chunk,
    sieve: Sieve,
}

/// What the threads share.
struct Work<'w> {
    chunks: Mutex<Chunks>,
    /// `None`: frames are not looked at.
    eye: Option<&'w Eye>,
    /// Some TCP stream is being followed.
    streams: AtomicBool,
}

impl Work<'_> {
    fn chunks(&self) -> MutexGuard<'_, Chunks> {
        self.chunks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Goes through chunks and sieves them.
struct Sifter<'w> {
    work: &'w Work<'w>,
    /// Chunks in front of this one were fetched.
    fetched: usize,
    moulds: Moulds,
}

impl Hand for Sifter<'_> {
    type Sheet = Sifted;

    fn make(&mut self, number: usize, Sifted { chunk, sieve }: &mut Sifted) {
        let Self { work, fetched, moulds } = self;
        let chunks = work.chunks().clone();
        if number >= *fetched {
            chunks.fetch(number, RUN);
            *fetched = number.saturating_add(RUN);
        }
        let streams = work.streams.load(Ordering::Relaxed);
        let Some(eye) = work.eye else {
            sieve.begin(streams);
            if !chunks.look(number, chunk, &mut Unseen) {
                chunks.read(number, chunk, &mut Unseen);
            }
            return;
        };
        mem::swap(moulds, &mut sieve.moulds);
        sieve.begin(streams);
        if !chunks.look(number, chunk, &mut All { eye, sieve }) {
            sieve.begin(streams);
            chunks.read(number, chunk, &mut All { eye, sieve });
        }
        mem::swap(moulds, &mut sieve.moulds);
    }
}

/// Sieves all of a chunk.
struct All<'a> {
    eye: &'a Eye,
    sieve: &'a mut Sieve,
}

impl Each for All<'_> {
    #[inline(always)]
    fn frame(&mut self, frame: Frame<'_>, place: usize) -> bool {
        let Self { eye, sieve } = self;
        sieve.sift(eye, frame, place);
        true
    }
}

/// Goes the road to its end, or to the point from which one thread does as well. `None`: the captures have ended.
pub(super) fn share(
    road: &mut Road,
    captures: &mut Captures,
    path: &mut Path,
    options: &Options,
    watch: &mut impl Watch,
) -> Option<ControlFlow<()>> {
    let threads = options.sharing.threads();
    let len = options.sharing.chunk.unwrap_or(CHUNK);
    let (_, size) = captures.progress();
    let pays = size.is_some_and(|size| options.sharing.chunk.is_some() || size >= LEAST_FILE);
    if !pays || captures.chunks(len).is_none() {
        return Some(ControlFlow::Continue(()));
    }
    // what describes the interfaces stands in front
    let begun = captures.offset().saturating_add(len.min(64 << 10) as u64);
    if let found @ (None | Some(ControlFlow::Break(()))) = road.go_until(begun, captures, path, watch) {
        return found;
    }
    let Some(chunks) = captures.chunks(len) else { return Some(ControlFlow::Continue(())) };
    let eye = road.eye.clone();
    let count = chunks.count();
    let work = Work { chunks: Mutex::new(chunks), eye: eye.as_ref(), streams: AtomicBool::new(false) };
    // chunks of a size that somebody wants to see tried are tried
    let most_lost = if options.sharing.chunk.is_some() { u32::MAX } else { MOST_LOST };
    let previewer = path.previewer();
    let crew = Crew { helpers: threads - 1, sheets: CHUNKS_A_THREAD, run: RUN };
    let sheet = || Sifted { chunk: Chunk::default(), sieve: Sieve::keeping(previewer.clone()) };
    crew.work(
        count,
        sheet,
        || Sifter { work: &work, fetched: 0, moulds: Moulds::default() },
        |lead| {
            let mut foreman = Foreman { work: &work, lost: 0 };
            for number in 0..count {
                let Some(piece) = lead.take_made(number) else { break };
                watch.progress(captures);
                let flow = foreman.take_on(&piece.sheet, road, captures, path, watch);
                lead.give_back(piece);
                match flow {
                    Some(ControlFlow::Continue(())) if foreman.lost < most_lost => {}
                    found => {
                        road.until = u64::MAX;
                        return found;
                    }
                }
            }
            road.until = u64::MAX;
            Some(ControlFlow::Continue(()))
        },
    )
}

/// Who takes the chunks on.
struct Foreman<'w> {
    work: &'w Work<'w>,
    /// Chunks that were for nothing, less those that were not.
    lost: u32,
}

impl Foreman<'_> {
    fn take_on(
        &mut self,
        Sifted { chunk, sieve }: &Sifted,
        road: &mut Road,
        captures: &mut Captures,
        path: &mut Path,
        watch: &mut impl Watch,
    ) -> Option<ControlFlow<()>> {
        let stretch = *chunk.stretch();
        if stretch.frames == 0 {
            self.lost = self.lost.saturating_add(1);
            return Some(ControlFlow::Continue(()));
        }
        if let found @ (None | Some(ControlFlow::Break(()))) = road.go_until(chunk.starts(), captures, path, watch) {
            return found;
        }
        self.describe(captures);
        let follows = path.classifier.follows_streams();
        self.work.streams.store(follows, Ordering::Relaxed);
        let admitted = (captures.is_before(chunk) && path.takes(sieve, &stretch))
            .then(|| watch.admits_all(stretch.first, stretch.earliest, stretch.latest))
            .flatten();
        let (mut flow, follows) = (ControlFlow::Continue(()), path.follows);
        match admitted {
            None => {
                self.lost = self.lost.saturating_add(1);
                return Some(flow);
            }
            Some(false) => captures.pass_chunk(chunk, &stretch),
            Some(true) => {
                let before = captures.frames();
                let taken = path.stretch(sieve, &stretch, sieve.kept(), before, |tracker, datagram, ahead| {
                    flow = pass(follows.then_some(tracker), datagram, ahead, watch);
                    flow
                });
                let stretch = if taken < stretch.frames { self.again(chunk, taken) } else { stretch };
                captures.pass_chunk(chunk, &stretch);
                path.close(&stretch);
            }
        }
        self.lost = self.lost.saturating_sub(1);
        Some(flow)
    }

    /// The first `frames` of `chunk`.
    fn again(&self, chunk: &Chunk, frames: u64) -> Stretch {
        let chunks = self.work.chunks().clone();
        chunks.again(chunk, &mut Again(frames))
    }

    /// Tells the others where the capture has said how its packets are to be read.
    fn describe(&self, captures: &Captures) {
        let mut chunks = self.work.chunks();
        if let Some(now) = captures.chunks_now(&chunks) {
            *chunks = now;
        }
    }
}
