//! Hands: the blocks of a report are drawn on several threads, and one of them writes all in order.
//!
//! Who writes draws as well as long as the block that is next is not there. Not here: what stands in a block
//! ([`super::blocks`]). Contract: the same octets on any number of threads; a fixed number of sheets, none larger than
//! [`SHEET`], which are used again and again; whoever draws stops with the block at hand once nobody writes any more.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use crate::report::walk::Walk;

use super::blocks::{Block, Blocks, Desk};
use super::lines::{Form, Lines};

/// Octets of a block that others draw than who writes it.
const SHEET: usize = 1 << 20;
/// Sheets of each thread.
const SHEETS_A_THREAD: usize = 4;
/// Reports of fewer rows are written before threads have begun.
const LEAST_ROWS: usize = 4096;

/// On how many threads rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hands {
    /// Threads at most. One is the plain way.
    pub threads: usize,
    /// Rows of a block, `None` for what is good; with this, small reports are shared as well.
    pub rows: Option<usize>,
}

impl Hands {
    /// The plain way.
    pub const ONE: Self = Self::on(1);

    /// For this many threads.
    pub const fn on(threads: usize) -> Self {
        Self { threads, rows: None }
    }
}

/// Rows that were drawn and not yet written.
struct Sheet {
    index: usize,
    rows: Vec<u8>,
    /// The block found room.
    whole: bool,
    /// Who is to get it back; `None` for who writes.
    owner: Option<usize>,
}

/// What all hands share.
struct Work<'w> {
    walk: &'w Walk<'w>,
    blocks: &'w Blocks,
    form: Form,
    /// The block that nobody has begun.
    next: AtomicUsize,
}

impl Work<'_> {
    fn next(&self) -> Option<(usize, Block)> {
        let index = self.next.fetch_add(1, Ordering::Relaxed);
        Some((index, self.blocks.get(index)?))
    }
}

/// Where nothing can be written to: rows stay in the buffer in front of it as long as they find room there.
struct Nowhere;

impl Write for Nowhere {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Draws blocks on sheets.
struct Draughtsman<'f> {
    desk: Desk<'f>,
    lines: Lines<Nowhere>,
}

impl<'f> Draughtsman<'f> {
    fn new(work: &Work<'f>) -> Self {
        let mut lines = Lines::new(Nowhere, work.form);
        lines.most = SHEET;
        Self { desk: Desk::new(work.walk), lines }
    }

    fn draw(&mut self, index: usize, block: &Block, sheet: &mut Sheet) {
        let Self { desk, lines } = self;
        std::mem::swap(&mut lines.buffer, &mut sheet.rows);
        lines.go_on(block.name);
        sheet.whole = desk.draw(block, lines).is_ok();
        sheet.index = index;
        std::mem::swap(&mut lines.buffer, &mut sheet.rows);
    }
}

/// Draws blocks as long as there are some, and sheets for them.
fn help(work: &Work<'_>, given: &Receiver<Sheet>, done: &Sender<Sheet>) {
    let mut draughtsman = Draughtsman::new(work);
    while let Ok(mut sheet) = given.recv() {
        let Some((index, block)) = work.next() else { return };
        draughtsman.draw(index, &block, &mut sheet);
        if done.send(sheet).is_err() {
            return;
        }
    }
}

/// Writes all tables of a walk.
///
/// Errors: those of `lines`.
pub(super) fn write(walk: &Walk<'_>, hands: Hands, lines: &mut Lines<impl Write>) -> io::Result<()> {
    let blocks = Blocks::of(walk, hands.rows);
    let work = Work { walk, blocks: &blocks, form: lines.form, next: AtomicUsize::new(0) };
    let helpers = if hands.rows.is_some() || blocks.rows() >= LEAST_ROWS { hands.threads.saturating_sub(1) } else { 0 };
    thread::scope(|scope| {
        let (done, ready) = mpsc::channel();
        let mut back = Vec::new();
        for owner in 0..helpers {
            let (give, given) = mpsc::channel();
            for _ in 0..SHEETS_A_THREAD {
                // the other end is at hand
                let _ = give.send(Sheet::new(Some(owner)));
            }
            let (work, done) = (&work, done.clone());
            if thread::Builder::new().spawn_scoped(scope, move || help(work, &given, &done)).is_ok() {
                back.push(give);
            }
        }
        drop(done);
        let spare = (0..SHEETS_A_THREAD).map(|_| Sheet::new(None)).collect();
        Scribe { work: &work, ready, back, spare, pending: BTreeMap::new() }.write(lines)
    })
}

impl Sheet {
    fn new(owner: Option<usize>) -> Self {
        Self { index: 0, rows: Vec::new(), whole: false, owner }
    }
}

/// Who writes.
struct Scribe<'w> {
    work: &'w Work<'w>,
    ready: Receiver<Sheet>,
    /// Where sheets go back to, by owner.
    back: Vec<Sender<Sheet>>,
    spare: Vec<Sheet>,
    /// Sheets whose turn has not come.
    pending: BTreeMap<usize, Sheet>,
}

impl Scribe<'_> {
    fn write(&mut self, lines: &mut Lines<impl Write>) -> io::Result<()> {
        let mut draughtsman = Draughtsman::new(self.work);
        for (index, block) in (0..).map_while(|index| Some((index, self.work.blocks.get(index)?))) {
            if block.begins {
                lines.begin(block.name);
            }
            match self.sheet(index, &mut draughtsman) {
                Some(sheet) => {
                    if sheet.whole {
                        lines.drawn_elsewhere(&sheet.rows)?;
                    } else {
                        draughtsman.desk.draw(&block, lines)?;
                    }
                    self.give_back(sheet);
                }
                None => draughtsman.desk.draw(&block, lines)?,
            }
            if block.ends {
                lines.close();
            }
        }
        Ok(())
    }

    /// Block `index`, drawn; `None` if it is to be drawn where it is written. As long as it is not ready there are others
    /// to draw.
    fn sheet(&mut self, index: usize, draughtsman: &mut Draughtsman<'_>) -> Option<Sheet> {
        loop {
            while let Ok(sheet) = self.ready.try_recv() {
                self.pending.insert(sheet.index, sheet);
            }
            if let Some(sheet) = self.pending.remove(&index) {
                return Some(sheet);
            }
            if let Some(mut sheet) = self.spare.pop() {
                match self.work.next() {
                    Some((next, _)) if next == index => {
                        self.spare.push(sheet);
                        return None;
                    }
                    Some((next, block)) => {
                        draughtsman.draw(next, &block, &mut sheet);
                        self.pending.insert(next, sheet);
                        continue;
                    }
                    None => self.spare.push(sheet),
                }
            }
            // nobody who could have drawn it is left: it is drawn once more
            let sheet = self.ready.recv().ok()?;
            self.pending.insert(sheet.index, sheet);
        }
    }

    fn give_back(&mut self, sheet: Sheet) {
        match sheet.owner.and_then(|owner| self.back.get(owner)) {
            // a thread that found nothing more to do has gone
            Some(back) => drop(back.send(sheet)),
            None => self.spare.push(sheet),
        }
    }
}
