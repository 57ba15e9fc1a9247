//! The screen of a session: what stands in the latest report, drawn again as it changes.
//!
//! Not here: capturing, judging, writing files. Contract: shows a [`Report`] and a [`Status`] and decides nothing; leaves
//! the terminal as it was, also after a panic; nothing is told by colour alone; any size of terminal will do.
//!
//! | file | what it does |
//! |---|---|
//! | `view` | what is chosen, scrolled, filtered; what keys do |
//! | `draw` | the panels |
//! | `words` | the lines that stand in them |

mod draw;
mod view;
mod words;

use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use ratatui::crossterm::{cursor, execute};

use crate::base::Timestamp;
use crate::report::Report;

pub use view::View;

/// Time between two drawings.
const REST: Duration = Duration::from_millis(100);

/// How the session stands beside its report.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Status {
    /// What is listened to, for people; escaped.
    pub source: String,
    /// When listening began.
    pub began: Timestamp,
    /// Now, on the clock of the source.
    pub now: Timestamp,
    /// Frames received.
    pub frames: u64,
    /// ISAKMP messages among them.
    pub ike: u64,
    /// ESP and AH packets among them.
    pub esp: u64,
    /// Frames lost by this program or by an interface.
    pub lost: u64,
    /// Frames were lost within the last seconds.
    pub losing: bool,
    /// Frames that can still be written to a file, and frames that were forgotten to make room for them.
    pub kept: (u64, u64),
    /// ESP and AH now, by pair of the report: from `a` and from `b`.
    pub rates: Vec<[Rate; 2]>,
    /// Why nothing more will come; `None` while it may.
    pub ended: Option<String>,
}

/// Packets and octets a second.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Rate {
    /// Packets.
    pub packets: f64,
    /// Octets.
    pub octets: f64,
}

/// What the person at the screen wants and the screen cannot do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wish {
    /// To end the session.
    Quit,
    /// The frames that are kept, in this file.
    Write(PathBuf),
}

/// A terminal taken over. Dropping it gives the terminal back.
#[derive(Debug)]
pub struct Screen {
    terminal: DefaultTerminal,
    view: View,
    stale: bool,
    drawn: Option<Instant>,
}

impl Screen {
    /// Takes over the terminal of standard output. `colour`: whether to use any.
    ///
    /// Errors: it is no terminal, or does not obey.
    pub fn open(colour: bool) -> io::Result<Self> {
        let terminal = ratatui::try_init()?;
        Ok(Self { terminal, view: View::new(colour), stale: true, drawn: None })
    }

    /// Shows this from the next drawing on.
    pub fn show(&mut self, report: Report, status: Status) {
        self.view.show(report, status);
        self.stale = true;
    }

    /// Says one line to the person at the screen.
    pub fn say(&mut self, line: impl Into<String>) {
        self.view.say(line.into());
        self.stale = true;
    }

    /// Obeys the keys pressed since, and draws if anything changed. Does not wait.
    ///
    /// Errors: the terminal is gone.
    pub fn step(&mut self) -> io::Result<Option<Wish>> {
        let mut wish = None;
        let mut at_once = false;
        while wish.is_none() && event::poll(Duration::ZERO)? {
            match event::read()? {
                Event::Key(key) if key.kind != KeyEventKind::Release => {
                    wish = self.view.key(key);
                    at_once = true;
                }
                Event::Resize(..) => at_once = true,
                _ => {}
            }
        }
        let rested = self.drawn.is_none_or(|drawn| drawn.elapsed() >= REST);
        if at_once || (self.stale && rested) {
            self.terminal.draw(|frame| self.view.draw(frame))?;
            self.drawn = Some(Instant::now());
            self.stale = false;
        }
        Ok(wish)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        leave();
    }
}

/// Gives the terminal back, whoever took it over. Harmless if nobody did.
pub fn leave() {
    // there is nobody to tell, and nothing to be done about it
    let _ = ratatui::try_restore();
    let _ = execute!(io::stdout(), cursor::Show);
}

/// Columns of the terminal, if there is one.
pub fn columns() -> Option<usize> {
    ratatui::crossterm::terminal::size().ok().map(|(columns, _)| columns.into())
}
