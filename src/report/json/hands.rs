//! Hands: the blocks of a report are drawn on several threads, and one of them writes all in order.
//!
//! Not here: what stands in a block ([`super::blocks`]), and who draws which ([`crate::base::crew`]). Contract: the same
//! octets on any number of threads; no sheet is larger than [`SHEET`].

use std::io::{self, Write};

use crate::base::crew::{Crew, Hand, Piece};
use crate::report::walk::Walk;

use super::blocks::{Blocks, Desk};
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
#[derive(Debug, Default)]
struct Sheet {
    rows: Vec<u8>,
    /// The block found room.
    whole: bool,
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
    blocks: &'f Blocks,
    desk: Desk<'f>,
    lines: Lines<Nowhere>,
}

impl<'f> Draughtsman<'f> {
    fn new(walk: &'f Walk<'f>, blocks: &'f Blocks, form: Form) -> Self {
        let mut lines = Lines::new(Nowhere, form);
        lines.most = SHEET;
        Self { blocks, desk: Desk::new(walk), lines }
    }
}

impl Hand for Draughtsman<'_> {
    type Sheet = Sheet;

    fn make(&mut self, number: usize, sheet: &mut Sheet) {
        let Self { blocks, desk, lines } = self;
        let Some(block) = blocks.get(number) else { return };
        std::mem::swap(&mut lines.buffer, &mut sheet.rows);
        lines.go_on(block.name);
        sheet.whole = desk.draw(&block, lines).is_ok();
        std::mem::swap(&mut lines.buffer, &mut sheet.rows);
    }
}

/// Writes all tables of a walk.
///
/// Errors: those of `lines`.
pub(super) fn write(walk: &Walk<'_>, hands: Hands, lines: &mut Lines<impl Write>) -> io::Result<()> {
    let blocks = Blocks::of(walk, hands.rows);
    let helpers = if hands.rows.is_some() || blocks.rows() >= LEAST_ROWS { hands.threads.saturating_sub(1) } else { 0 };
    let form = lines.form;
    let crew = Crew { helpers, sheets: SHEETS_A_THREAD, run: 1 };
    crew.work(
        blocks.len(),
        Sheet::default,
        || Draughtsman::new(walk, &blocks, form),
        |lead| {
            for (number, block) in (0..).map_while(|number| Some((number, blocks.get(number)?))) {
                if block.begins {
                    lines.begin(block.name);
                }
                let piece = lead.take(number);
                match &piece {
                    Some(Piece { sheet, .. }) if sheet.whole => lines.drawn_elsewhere(&sheet.rows)?,
                    _ => lead.hand.desk.draw(&block, lines)?,
                }
                piece.into_iter().for_each(|piece| lead.give_back(piece));
                if block.ends {
                    lines.close();
                }
            }
            Ok(())
        },
    )
}
