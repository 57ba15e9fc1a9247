//! A capture file on several threads: each reads chunks and sieves them, and one of them takes them on in order.
//!
//! Whoever looks at a chunk knows nothing of what comes before it, so all that depends on that is left to the one who takes it
//! on: the start of the first record, which was guessed; TCP streams and fragments; all that is odd. Where a guess was wrong or
//! a chunk says too little, he goes that way himself, as on one thread. Not here: merged, packed and streamed captures.
//! Contract: the same octets of output on any number of threads; a fixed number of chunks in memory.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::capture::{Captures, Chunk, Chunks, Each, Frame};
use crate::packet::{Eye, Glance};

use super::path::Path;
use super::sieve::Sieve;
use super::{Again, Options, Road, Watch, pass};

/// Threads that one thread can take on for: more would wait.
const MOST_THREADS: usize = 4;
/// Octets of a chunk: what a thread reads and looks at lies in its own cache.
const CHUNK: usize = 256 << 10;
/// Chunks of each thread.
const CHUNKS_A_THREAD: usize = 3;
/// Files smaller than this are read before threads have begun.
const LEAST_FILE: u64 = 16 << 20;
/// Chunks that may be for nothing before the threads are sent home.
const MOST_LOST: u32 = 16;

/// On how many threads, and in pieces of which size.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sharing {
    /// Threads at most; `None` for as many as the machine has. One is the plain way.
    pub threads: Option<usize>,
    /// Octets of a piece, `None` for what is good; with this, small files are shared as well.
    pub chunk: Option<usize>,
}

impl Sharing {
    /// How many threads that are.
    pub fn threads(self) -> usize {
        let wanted = self.threads.unwrap_or_else(|| thread::available_parallelism().map_or(1, usize::from));
        wanted.min(if self.chunk.is_some() { wanted } else { MOST_THREADS })
    }
}

/// A chunk and what was left of it.
#[derive(Debug)]
struct Piece {
    index: usize,
    chunk: Chunk,
    sieve: Sieve,
    /// Who is to get it back; `None` for the thread that takes chunks on.
    owner: Option<usize>,
}

/// What the threads share.
struct Work<'w> {
    chunks: Mutex<Chunks>,
    count: usize,
    eye: &'w Eye,
    /// The chunk that nobody has begun.
    next: AtomicUsize,
    /// Some TCP stream is being followed.
    streams: AtomicBool,
}

impl Work<'_> {
    /// Sieves the next chunk; `false` if there is none.
    fn sift(&self, piece: &mut Piece) -> bool {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        if index >= self.count {
            return false;
        }
        let chunks = self.chunks.lock().unwrap_or_else(PoisonError::into_inner).clone();
        piece.index = index;
        piece.sieve.begin(self.streams.load(Ordering::Relaxed));
        chunks.read(index, &mut piece.chunk, &mut All { eye: self.eye, sieve: &mut piece.sieve });
        true
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
        match sieve.glance(eye, &frame) {
            Glance::Foreign => {}
            Glance::Esp => sieve.take_esp(eye, frame, place),
            Glance::Unsettled => sieve.take(eye, frame, place),
        }
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
    if threads < 2 || !pays || captures.chunks(len).is_none() {
        return Some(ControlFlow::Continue(()));
    }
    // what describes the interfaces stands in front
    let begun = captures.offset().saturating_add(len.min(64 << 10) as u64);
    if let found @ (None | Some(ControlFlow::Break(()))) = road.go_until(begun, captures, path, watch) {
        return found;
    }
    let Some(chunks) = captures.chunks(len) else { return Some(ControlFlow::Continue(())) };
    let eye = road.eye.clone();
    let work = Work {
        count: chunks.count(),
        chunks: Mutex::new(chunks),
        eye: &eye,
        next: AtomicUsize::new(0),
        streams: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let (done, ready) = mpsc::channel();
        let mut back = Vec::new();
        for owner in 0..threads - 1 {
            let (give, given) = mpsc::channel();
            for _ in 0..CHUNKS_A_THREAD {
                // the other end is at hand
                let _ = give.send(Piece::new(Some(owner)));
            }
            let (work, done) = (&work, done.clone());
            if thread::Builder::new().spawn_scoped(scope, move || help(work, &given, &done)).is_ok() {
                back.push(give);
            }
        }
        drop(done);
        let spare = (0..CHUNKS_A_THREAD).map(|_| Piece::new(None)).collect();
        // chunks of a size that somebody wants to see tried are tried
        let most_lost = if options.sharing.chunk.is_some() { u32::MAX } else { MOST_LOST };
        let mut foreman = Foreman { work: &work, ready, back, spare, pending: BTreeMap::new(), lost: 0, most_lost };
        foreman.lead(road, captures, path, watch)
    })
}

/// Sieves chunks as long as there are some, and room for them.
fn help(work: &Work<'_>, given: &Receiver<Piece>, done: &Sender<Piece>) {
    while let Ok(mut piece) = given.recv() {
        if !work.sift(&mut piece) || done.send(piece).is_err() {
            return;
        }
    }
}

impl Piece {
    fn new(owner: Option<usize>) -> Self {
        Self { index: 0, chunk: Chunk::default(), sieve: Sieve::new(), owner }
    }
}

/// Who takes the chunks on.
struct Foreman<'w> {
    work: &'w Work<'w>,
    ready: Receiver<Piece>,
    /// Where pieces go back to, by owner.
    back: Vec<Sender<Piece>>,
    spare: Vec<Piece>,
    /// Pieces whose turn has not come.
    pending: BTreeMap<usize, Piece>,
    /// Chunks that were for nothing, less those that were not.
    lost: u32,
    most_lost: u32,
}

impl Foreman<'_> {
    fn lead(
        &mut self,
        road: &mut Road,
        captures: &mut Captures,
        path: &mut Path,
        watch: &mut impl Watch,
    ) -> Option<ControlFlow<()>> {
        for index in 0..self.work.count {
            let Some(piece) = self.piece(index) else { break };
            watch.progress(captures);
            let flow = self.take_on(&piece, road, captures, path, watch);
            self.give_back(piece);
            match flow {
                Some(ControlFlow::Continue(())) if self.lost < self.most_lost => {}
                found => {
                    road.until = u64::MAX;
                    return found;
                }
            }
        }
        road.until = u64::MAX;
        Some(ControlFlow::Continue(()))
    }

    /// Chunk `index`, of which all before it were taken on. As long as it is not ready there are others to sieve.
    fn piece(&mut self, index: usize) -> Option<Piece> {
        loop {
            while let Ok(piece) = self.ready.try_recv() {
                self.pending.insert(piece.index, piece);
            }
            if let Some(piece) = self.pending.remove(&index) {
                return Some(piece);
            }
            if let Some(mut piece) = self.spare.pop() {
                if self.work.sift(&mut piece) {
                    self.pending.insert(piece.index, piece);
                    continue;
                }
                self.spare.push(piece);
            }
            let piece = self.ready.recv().ok()?;
            self.pending.insert(piece.index, piece);
        }
    }

    fn give_back(&mut self, piece: Piece) {
        match piece.owner.and_then(|owner| self.back.get(owner)) {
            // a thread that found nothing more to do has gone
            Some(back) => drop(back.send(piece)),
            None => self.spare.push(piece),
        }
    }

    fn take_on(
        &mut self,
        piece: &Piece,
        road: &mut Road,
        captures: &mut Captures,
        path: &mut Path,
        watch: &mut impl Watch,
    ) -> Option<ControlFlow<()>> {
        let (chunk, stretch) = (&piece.chunk, *piece.chunk.stretch());
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
        let admitted = (captures.is_before(chunk) && path.takes(&piece.sieve, &stretch))
            .then(|| watch.admits_all(stretch.first, stretch.earliest, stretch.latest))
            .flatten();
        let mut flow = ControlFlow::Continue(());
        match admitted {
            None => {
                self.lost = self.lost.saturating_add(1);
                return Some(flow);
            }
            Some(false) => captures.pass_chunk(chunk, &stretch),
            Some(true) => {
                let before = captures.frames();
                let taken = path.stretch(&piece.sieve, &stretch, chunk.octets(), before, |tracker, datagram| {
                    flow = pass(tracker, datagram, watch);
                    flow
                });
                let stretch = if taken < stretch.frames { chunk.again(&mut Again(taken)) } else { stretch };
                captures.pass_chunk(chunk, &stretch);
                path.close(&stretch);
            }
        }
        self.lost = self.lost.saturating_sub(1);
        Some(flow)
    }

    /// Tells the others where the capture has said how its packets are to be read.
    fn describe(&self, captures: &Captures) {
        let mut chunks = self.work.chunks.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(now) = captures.chunks_now(&chunks) {
            *chunks = now;
        }
    }
}
