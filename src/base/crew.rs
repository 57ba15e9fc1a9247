//! Numbered pieces of work, made on several threads; one of them takes what was made in the order of the numbers.
//!
//! Who takes makes pieces too, as long as the one whose turn it is is not there. Not here: what a piece is. Contract: a fixed
//! number of sheets, which are used again and again; whoever makes stops with the piece at hand once nobody takes any more;
//! where one panics, all end.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::{panic, thread};

/// Who makes, and on how many sheets.
#[derive(Debug, Clone, Copy)]
pub struct Crew {
    /// Threads besides the one that takes.
    pub helpers: usize,
    /// Sheets of each thread.
    pub sheets: usize,
    /// Pieces that a thread makes one after the other before it goes where others are not.
    pub run: usize,
}

/// Makes pieces, one at a time.
pub trait Hand {
    /// What a piece is made on.
    type Sheet: Send;

    /// Makes piece `number` on a sheet, on which another may stand.
    fn make(&mut self, number: usize, sheet: &mut Self::Sheet);
}

/// A piece that was made.
#[derive(Debug)]
pub struct Piece<S> {
    number: usize,
    /// What it was made on.
    pub sheet: S,
    /// Who is to get the sheet back; `None` for who takes.
    owner: Option<usize>,
}

/// What comes of a thread: a piece, or the news that there will be none, because it panicked.
type Made<S> = Option<Piece<S>>;

/// Who takes the pieces.
#[derive(Debug)]
pub struct Lead<'w, H: Hand> {
    /// His own hand.
    pub hand: H,
    work: Work<'w>,
    ready: Receiver<Made<H::Sheet>>,
    /// Where sheets go back to, by owner.
    back: Vec<Sender<Piece<H::Sheet>>>,
    spare: Vec<Piece<H::Sheet>>,
    /// Pieces whose turn has not come.
    pending: BTreeMap<usize, Piece<H::Sheet>>,
}

/// What one thread has still to make.
#[derive(Debug, Clone)]
struct Work<'w> {
    /// The run that nobody has begun.
    next: &'w AtomicUsize,
    /// Pieces of the run that was begun.
    begun: Range<usize>,
    run: usize,
    count: usize,
}

impl Work<'_> {
    fn next(&mut self) -> Option<usize> {
        if self.begun.is_empty() {
            let first = self.next.fetch_add(self.run, Ordering::Relaxed);
            self.begun = first..first.saturating_add(self.run).min(self.count);
        }
        self.begun.next()
    }
}

impl Crew {
    /// Makes `count` pieces. `sheet`: a new one; `hand`: one for each thread; `lead` takes what is made.
    pub fn work<H: Hand, R>(
        self,
        count: usize,
        sheet: impl Fn() -> H::Sheet,
        hand: impl Fn() -> H + Sync,
        lead: impl FnOnce(&mut Lead<'_, H>) -> R,
    ) -> R {
        let next = AtomicUsize::new(0);
        let work = Work { next: &next, begun: 0..0, run: self.run.max(1), count };
        let sheet = |owner| Piece { number: 0, sheet: sheet(), owner };
        thread::scope(|scope| {
            let (done, ready) = mpsc::channel();
            let mut back = Vec::new();
            for _ in 0..self.helpers {
                let (give, given) = mpsc::channel();
                for _ in 0..self.sheets {
                    // the other end is at hand
                    let _ = give.send(sheet(Some(back.len())));
                }
                let (hand, work, done) = (&hand, work.clone(), done.clone());
                if thread::Builder::new().spawn_scoped(scope, move || help(work, hand(), &given, &done)).is_ok() {
                    back.push(give);
                }
            }
            drop(done);
            let spare = (0..self.sheets).map(|_| sheet(None)).collect();
            lead(&mut Lead { hand: hand(), work, ready, back, spare, pending: BTreeMap::new() })
        })
    }
}

/// Makes pieces as long as there are some, and sheets for them.
fn help<H: Hand>(mut work: Work<'_>, mut hand: H, given: &Receiver<Piece<H::Sheet>>, done: &Sender<Made<H::Sheet>>) {
    let _outcry = Outcry(done);
    while let Ok(mut piece) = given.recv() {
        let Some(number) = work.next() else { return };
        piece.number = number;
        hand.make(number, &mut piece.sheet);
        if done.send(Some(piece)).is_err() {
            return;
        }
    }
}

/// Tells who takes that the thread panics: that piece would be waited for in vain, as the other threads do not end.
struct Outcry<'d, S>(&'d Sender<Made<S>>);

impl<S> Drop for Outcry<'_, S> {
    fn drop(&mut self) {
        if thread::panicking() {
            // where nobody takes any more, all end anyway
            let _ = self.0.send(None);
        }
    }
}

impl<H: Hand> Lead<'_, H> {
    /// Piece `number`, of which all before it were taken. `None` if nobody made it, which is then left to who takes it.
    pub fn take(&mut self, number: usize) -> Option<Piece<H::Sheet>> {
        loop {
            while let Ok(made) = self.ready.try_recv() {
                self.await_turn(made);
            }
            if let Some(piece) = self.pending.remove(&number) {
                return Some(piece);
            }
            if let Some(mut piece) = self.spare.pop() {
                match self.work.next() {
                    Some(next) if next != number => {
                        piece.number = next;
                        self.hand.make(next, &mut piece.sheet);
                        self.pending.insert(next, piece);
                        continue;
                    }
                    next => {
                        self.spare.push(piece);
                        if next.is_some() {
                            return None;
                        }
                    }
                }
            }
            // where nobody is left who could have made it, it is as if nobody had
            let made = self.ready.recv().ok()?;
            self.await_turn(made);
        }
    }

    /// Keeps what a thread made until it is taken.
    fn await_turn(&mut self, made: Made<H::Sheet>) {
        match made {
            Some(piece) => _ = self.pending.insert(piece.number, piece),
            // its own words are on standard error by now
            None => panic::resume_unwind(Box::new("a thread panicked")),
        }
    }

    /// The same, made here if nobody did. `None` without a sheet to make it on.
    pub fn take_made(&mut self, number: usize) -> Option<Piece<H::Sheet>> {
        self.take(number).or_else(|| {
            let mut piece = self.spare.pop()?;
            self.hand.make(number, &mut piece.sheet);
            Some(piece)
        })
    }

    /// Gives back a sheet that is no longer needed.
    pub fn give_back(&mut self, piece: Piece<H::Sheet>) {
        match piece.owner.and_then(|owner| self.back.get(owner)) {
            // a thread that found nothing more to do has gone
            Some(back) => drop(back.send(piece)),
            None => self.spare.push(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the number of a piece as often as it says.
    struct Writer;

    impl Hand for Writer {
        type Sheet = Vec<usize>;

        fn make(&mut self, number: usize, sheet: &mut Vec<usize>) {
            sheet.clear();
            sheet.extend(std::iter::repeat_n(number, number % 7));
        }
    }

    #[test]
    fn pieces_are_taken_in_order_on_any_number_of_threads() {
        for helpers in 0..4 {
            let taken = Crew { helpers, sheets: 2, run: 1 }.work(
                500,
                Vec::new,
                || Writer,
                |lead| {
                    let mut taken = Vec::new();
                    for number in 0..500 {
                        let piece = lead.take_made(number).unwrap();
                        taken.extend_from_slice(&piece.sheet);
                        lead.give_back(piece);
                    }
                    taken
                },
            );
            let expected: Vec<usize> = (0..500).flat_map(|number| std::iter::repeat_n(number, number % 7)).collect();
            assert_eq!(taken, expected);
        }
    }

    #[test]
    fn everybody_goes_home_when_nobody_takes_any_more() {
        let taken = Crew { helpers: 3, sheets: 2, run: 1 }.work(
            1_000_000,
            Vec::new,
            || Writer,
            |lead| lead.take_made(0).is_some(),
        );
        assert!(taken);
    }

    /// Makes pieces up to a number.
    struct Breaker(usize);

    impl Hand for Breaker {
        type Sheet = ();

        fn make(&mut self, number: usize, _: &mut ()) {
            assert!(number < self.0, "piece {number} breaks");
        }
    }

    #[test]
    fn a_panic_of_one_ends_all() {
        let crew = Crew { helpers: 3, sheets: 2, run: 1 };
        let taken = panic::catch_unwind(|| {
            let take = |lead: &mut Lead<'_, Breaker>| {
                for number in 0..500 {
                    let piece = lead.take_made(number).unwrap();
                    lead.give_back(piece);
                }
            };
            crew.work(500, || (), || Breaker(100), take);
        });
        assert!(taken.is_err());
    }
}
