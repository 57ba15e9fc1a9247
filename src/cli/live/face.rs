//! Who is told of what happens: the screen, lines, or nobody until the end.
//!
//! Contract: places that an answer goes to are opened before anything is captured; events are written out one by one;
//! the report comes last, and after a screen it stands on the terminal that was there before.

use std::fs::File;
use std::io::{self, Write};

use anyhow::Context;

use crate::base::Timestamp;
use crate::capture::{Drops, shown_path};
use crate::pipeline::{Change, Onlooker, Passed};
use crate::report::text::{self, Style};
use crate::report::{Report, json};
#[cfg(feature = "tui")]
use crate::tui::{Screen, Status, Wish};

use super::super::output::{Format, Output, Sink};
use super::events::{Events, Form};
#[cfg(feature = "tui")]
use super::rates::Rates;

/// What will be shown where.
pub(super) struct Plan {
    output: Output,
    style: Style,
    lines: Option<(Box<dyn Write>, Form)>,
    screen: bool,
    /// The place of the report, if it is a file.
    sink: Option<Sink>,
}

impl Plan {
    /// Opens the places.
    ///
    /// Errors: a file cannot be made.
    pub fn new(output: Output, screen: bool) -> anyhow::Result<Self> {
        let style = output.style();
        let form = match output.format {
            Format::Ndjson => Some(Form::Ndjson),
            Format::Text if !screen => Some(Form::Plain),
            Format::Text | Format::Json => None,
        };
        let lines = match (form, &output.output) {
            (None, _) => None,
            (Some(form), None) => Some((Box::new(io::stdout()) as Box<dyn Write>, form)),
            (Some(form), Some(path)) => {
                let file = File::create(path).with_context(|| format!("{}: cannot be written", shown_path(path)))?;
                Some((Box::new(file) as Box<dyn Write>, form))
            }
        };
        let sink = if lines.is_none() && output.output.is_some() { Some(output.open()?) } else { None };
        Ok(Self { output, style, lines, screen, sink })
    }
}

/// Who is told.
pub(super) struct Face {
    output: Output,
    style: Style,
    sink: Option<Sink>,
    teller: Teller,
}

enum Teller {
    Nobody,
    Lines(Events),
    #[cfg(feature = "tui")]
    Screen(Box<Screen>, Rates),
}

impl Onlooker for Face {
    fn message(&mut self, passed: &Passed<'_>) {
        if let Teller::Lines(events) = &mut self.teller {
            events.message(passed);
        }
    }
}

impl Face {
    /// Begins to show.
    ///
    /// Errors: the terminal does not obey.
    pub fn open(plan: Plan) -> anyhow::Result<Self> {
        let Plan { output, style, lines, screen, sink } = plan;
        let teller = match lines {
            Some((out, form)) => Teller::Lines(Events::new(out, form, style.palette)),
            #[cfg(feature = "tui")]
            None if screen => {
                let colour = style.palette != text::Palette::plain();
                let screen = Screen::open(colour).context("the terminal cannot show the screen; try --plain")?;
                Teller::Screen(Box::new(screen), Rates::default())
            }
            None => Teller::Nobody,
        };
        #[cfg(not(feature = "tui"))]
        let _ = screen;
        Ok(Self { output, style, sink, teller })
    }

    /// Whether there is somebody at a screen.
    pub fn is_screen(&self) -> bool {
        match self.teller {
            Teller::Nobody | Teller::Lines(_) => false,
            #[cfg(feature = "tui")]
            Teller::Screen(..) => true,
        }
    }

    /// Findings came and went.
    pub fn changes(&mut self, at: Timestamp, changes: &[Change]) {
        if let Teller::Lines(events) = &mut self.teller {
            changes.iter().for_each(|change| events.change(at, change));
        }
    }

    /// Frames were lost.
    pub fn drops(&mut self, at: Timestamp, drops: Drops) {
        if let Teller::Lines(events) = &mut self.teller {
            events.drops(at, drops);
        }
    }

    /// Something that a person should know.
    pub fn notice(&mut self, at: Timestamp, text: &str) {
        match &mut self.teller {
            Teller::Nobody => super::super::complain(text),
            Teller::Lines(events) => events.notice(at, text),
            #[cfg(feature = "tui")]
            Teller::Screen(screen, _) => screen.say(crate::report::escape::escape(text)),
        }
    }

    /// Shows the report of the moment, and how the session stands.
    #[cfg(feature = "tui")]
    pub fn show(&mut self, report: Report, mut status: Status) {
        if let Teller::Screen(screen, rates) = &mut self.teller {
            let now = rates.update(&report, status.now);
            if status.ended.is_none() {
                status.rates = now;
            }
            screen.show(report, status);
        }
    }

    /// Obeys keys and draws.
    ///
    /// Errors: the terminal is gone.
    #[cfg(feature = "tui")]
    pub fn step(&mut self) -> io::Result<Option<Wish>> {
        match &mut self.teller {
            Teller::Screen(screen, _) => screen.step(),
            Teller::Nobody | Teller::Lines(_) => Ok(None),
        }
    }

    /// Whether everything said so far was heard.
    ///
    /// Errors: it was not.
    pub fn check(&mut self) -> io::Result<()> {
        match &mut self.teller {
            Teller::Lines(events) => events.check(),
            _ => Ok(()),
        }
    }

    /// It is over: the whole report.
    ///
    /// Errors: it cannot be written.
    pub fn end(self, at: Timestamp, report: &Report) -> anyhow::Result<()> {
        let Self { output, style, sink, teller } = self;
        let width = match teller {
            Teller::Lines(mut events) => {
                events.end(at, report);
                events.check()?;
                events.report(|mut out| text::render(report, &mut out, &style))?;
                return Ok(());
            }
            Teller::Nobody => style.width,
            // the terminal is given back first
            #[cfg(feature = "tui")]
            Teller::Screen(screen, _) => {
                drop(screen);
                let columns = crate::tui::columns().filter(|_| output.output.is_none());
                columns.map_or(style.width, |columns| columns.clamp(40, 200))
            }
        };
        let style = Style { width, ..style };
        let mut sink = match sink {
            Some(sink) => sink,
            None => output.open()?,
        };
        match output.format {
            Format::Text => text::render(report, &mut sink, &style)?,
            Format::Json | Format::Ndjson => json::write_json(report, &mut sink)?,
        }
        sink.finish()
    }
}
