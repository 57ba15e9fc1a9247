//! Events one a line, in words or as JSON, each written out at once.
//!
//! Not here: when something is judged. Contract: an event's object has `event`, `time`, `pair` and `attempt`, and what
//! it is about; names and meanings are those of the published contract.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::net::IpAddr;

use serde::Serialize;
use serde_json::json;

use crate::base::Timestamp;
use crate::capture::Drops;
use crate::diagnose::Severity;
use crate::messages::Row;
use crate::pipeline::{Change, Completed, Onlooker, Passed, Place};
use crate::report::escape::escape;
use crate::report::quantity::{self, count, counted};
use crate::report::text::Palette;
use crate::report::words::Word;
use crate::report::{self, Finding, Report};
use crate::track::IkeVersion;

/// Form of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Words for people.
    Plain,
    /// One JSON object a line.
    Ndjson,
}

/// Where events go.
pub(super) struct Events {
    out: Box<dyn Write>,
    form: Form,
    palette: Palette,
    /// Findings that were told in words and stand, by pair and id.
    told: HashSet<(Option<(IpAddr, IpAddr)>, &'static str)>,
    /// The first write that failed: what passes cannot answer.
    failed: Option<io::Error>,
}

impl Onlooker for Events {
    fn message(&mut self, passed: &Passed<'_>) {
        match self.form {
            Form::Plain => self.message_in_words(passed),
            Form::Ndjson => self.message_as_json(passed),
        }
    }
}

impl Events {
    /// To `out`. `palette` is for findings in words.
    pub fn new(out: Box<dyn Write>, form: Form, palette: Palette) -> Self {
        Self { out, form, palette, told: HashSet::new(), failed: None }
    }

    /// What went wrong with writing so far.
    ///
    /// Errors: that.
    pub fn check(&mut self) -> io::Result<()> {
        self.failed.take().map_or(Ok(()), Err)
    }

    /// A finding was raised or withdrawn. `attempt` as in the report.
    pub fn change(&mut self, at: Timestamp, change: &Change) {
        match self.form {
            Form::Plain => {
                if self.is_worth_words(change) {
                    self.words(at, &change_in_words(change, &self.palette));
                }
            }
            Form::Ndjson => self.change_as_json(at, change),
        }
    }

    /// People are told of findings that somebody has to act on, whenever they change; of others once; and of normal
    /// states when they explain a pair. What is too early to be called a finding is left out.
    fn is_worth_words(&mut self, change: &Change) -> bool {
        match change {
            Change::Raised { pair, finding, verdict, .. } => match finding.severity {
                Severity::Error | Severity::Warning => {
                    self.told.insert((*pair, finding.id));
                    true
                }
                Severity::Notice | Severity::Advisory => self.told.insert((*pair, finding.id)),
                Severity::Info => {
                    let explains = *verdict == Some(finding.id) && finding.id.starts_with("OK-");
                    explains && self.told.insert((*pair, finding.id))
                }
            },
            Change::Withdrawn { pair, finding, .. } => self.told.remove(&(*pair, finding.id)),
        }
    }

    /// Frames were lost.
    pub fn drops(&mut self, at: Timestamp, drops: Drops) {
        match self.form {
            Form::Plain => {
                let Drops { kernel, interface, .. } = drops;
                let lost = counted(kernel.saturating_add(interface), "frame", "frames");
                self.words(
                    at,
                    &format!(
                        "{lost} lost so far ({} by this program, {} by the interface): what was not seen may only \
                         have been lost",
                        count(kernel),
                        count(interface)
                    ),
                );
            }
            Form::Ndjson => {
                let Drops { received, kernel, interface } = drops;
                let about = json!({"received": received, "kernel": kernel, "interface": interface});
                self.object("drops", at, None, None, about);
            }
        }
    }

    /// Something about an interface that a person should know.
    pub fn notice(&mut self, at: Timestamp, text: &str) {
        match self.form {
            Form::Plain => self.words(at, &escape(text)),
            Form::Ndjson => self.object("notice", at, None, None, json!({"text": escape(text)})),
        }
    }

    /// It is over. In words, the report follows this.
    pub fn end(&mut self, at: Timestamp, report: &Report) {
        if self.form == Form::Ndjson {
            let head = Event { event: "end", time: at, pair: None, attempt: None, about: json!({}) };
            self.with_raw(&head, "report", |out| Ok(serde_json::to_writer(out, report)?));
        }
    }

    /// Writes the report in words, if events are in words.
    ///
    /// Errors: those of the output.
    pub fn report(&mut self, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
        if self.form == Form::Plain {
            writeln!(self.out)?;
            render(&mut self.out)?;
        }
        self.out.flush()
    }

    fn message_as_json(&mut self, passed: &Passed<'_>) {
        let Some(row) = Row::new(passed.datagram, passed.observed) else { return };
        let at = passed.datagram.at;
        let place = passed.place.as_ref();
        let pair = place.map_or((passed.datagram.source, passed.datagram.destination), |place| place.ends);
        let attempt = place.map(|place| place.attempt_id);
        let repeat = passed.observed.is_some_and(|observed| observed.retransmission_of.is_some());
        let (event, about) = match place.filter(|_| repeat) {
            None => ("message", json!({})),
            Some(place) => {
                let record = place.record;
                let about = json!({
                    "copies": record.map_or(2, |record| u64::from(record.repeat_count) + 1),
                    "seconds": record.map_or(0.0, |record| at.since(record.at).as_secs_f64()),
                    "answers": place.answers(),
                    "waiting_for": place.attempt.waiting_for,
                    "next_due": place.next_due(),
                });
                ("retransmission", about)
            }
        };
        let head = Event { event, time: at, pair: Some(pair), attempt, about };
        self.with_raw(&head, "message", |out| {
            row.write_json(out);
            Ok(())
        });
        let Some(place) = place.filter(|place| place.reached.is_some() || place.completed.is_some()) else { return };
        let completed = place.completed.map(|completed| match completed {
            Completed::Phase1 => "phase1",
            Completed::Phase2 => "phase2",
        });
        let about = json!({
            "stage": place.attempt.stage,
            "waiting_for": place.attempt.waiting_for,
            "completed": completed,
        });
        self.object("stage", at, Some(pair), attempt, about);
    }

    fn change_as_json(&mut self, at: Timestamp, change: &Change) {
        match change {
            Change::Raised { pair, finding, .. } => {
                self.object("finding", at, *pair, finding.attempt, Raised { finding });
            }
            Change::Withdrawn { pair, finding, verdict } => {
                let about = Withdrawn { finding, verdict: *verdict };
                self.object("finding-withdrawn", at, *pair, finding.attempt, about);
            }
        }
    }

    fn object(
        &mut self,
        event: &'static str,
        time: Timestamp,
        pair: Option<(IpAddr, IpAddr)>,
        attempt: Option<usize>,
        about: impl Serialize,
    ) {
        let mut line = Vec::new();
        let event = Event { event, time, pair, attempt, about };
        self.finish(serde_json::to_writer(&mut line, &event).map_err(io::Error::from), line);
    }

    /// An object whose last member is written by somebody else.
    fn with_raw(&mut self, head: &impl Serialize, key: &str, write: impl FnOnce(&mut Vec<u8>) -> io::Result<()>) {
        let mut line = Vec::new();
        let written = serde_json::to_writer(&mut line, head).map_err(io::Error::from).and_then(|()| {
            line.pop();
            line.extend_from_slice(format!(",\"{key}\":").as_bytes());
            write(&mut line)?;
            line.push(b'}');
            Ok(())
        });
        self.finish(written, line);
    }

    fn words(&mut self, at: Timestamp, words: &str) {
        let line = format!("{}  {words}", time(at));
        self.finish(Ok(()), line.into_bytes());
    }

    fn finish(&mut self, written: io::Result<()>, mut line: Vec<u8>) {
        line.push(b'\n');
        let written = written.and_then(|()| self.out.write_all(&line)).and_then(|()| self.out.flush());
        if let (Err(error), None) = (written, &self.failed) {
            self.failed = Some(error);
        }
    }

    fn message_in_words(&mut self, passed: &Passed<'_>) {
        // the same packet seen twice by the recorder is no event
        if passed.observed.is_some_and(|observed| observed.recorded_before.is_some()) {
            return;
        }
        let datagram = passed.datagram;
        let who = format!("{} → {}", datagram.source, datagram.destination);
        let Some((observed, place)) = passed.observed.zip(passed.place.as_ref()) else {
            let fault = Row::new(datagram, None).and_then(|row| row.fault());
            let fault = fault.map(|fault| format!(": {fault}")).unwrap_or_default();
            return self.words(datagram.at, &format!("{who}  unreadable on an IKE port{fault}"));
        };
        let label = observed.label;
        let what = match (observed.retransmission_of, place.record) {
            (Some(_), _) => repeat_in_words(place, datagram.at),
            (None, Some(record)) => report::message_words(place.attempt, record),
            (None, None) => "a fragment of it".into(),
        };
        let separator = if observed.retransmission_of.is_some() { " " } else { "  " };
        self.words(datagram.at, &format!("{who}  {label}{separator}{what}{}", completed_in_words(place)));
    }
}

/// An event as JSON: what all have, and what it is about.
#[derive(Serialize)]
struct Event<T> {
    event: &'static str,
    time: Timestamp,
    pair: Option<(IpAddr, IpAddr)>,
    attempt: Option<usize>,
    #[serde(flatten)]
    about: T,
}

#[derive(Serialize)]
struct Raised<'a> {
    finding: &'a Finding,
}

#[derive(Serialize)]
struct Withdrawn<'a> {
    finding: &'a Finding,
    verdict: Option<&'static str>,
}

/// `10:42:07.1`, UTC.
fn time(at: Timestamp) -> String {
    let tenths = at.as_nanos().rem_euclid(1_000_000_000) / 100_000_000;
    format!("{}.{tenths}", at.to_utc().format("%H:%M:%S"))
}

/// `sent again (×3), 14 s, nothing back; next is due in 9 s`.
fn repeat_in_words(place: &Place<'_>, at: Timestamp) -> String {
    let Some(record) = place.record else { return "sent again".into() };
    let copies = count(u64::from(record.repeat_count) + 1);
    let since = quantity::span(at.since(record.at));
    let awaited = place.attempt.waiting_for.filter(|_| place.attempt.stage == record.label);
    let back = match (place.answers(), awaited) {
        (0, Some(_)) => ", nothing back".into(),
        (answers, Some(awaited)) => format!(", {} back but no {awaited}", counted(answers, "message", "messages")),
        // nothing has to follow the last message of an exchange
        (0, None) => String::new(),
        (_, None) => ", though it was answered".into(),
    };
    let mut words = format!("sent again (×{copies}), {since}{back}");
    if let Some(due) = place.next_due() {
        let _ = write!(words, "; next is due in {}", quantity::span(due.since(at)));
    }
    words
}

/// What a message completed: no more than the wire shows.
fn completed_in_words(place: &Place<'_>) -> String {
    let Some(completed) = place.completed else { return String::new() };
    let after = |at: Option<Timestamp>| {
        at.map(|at| format!(" after {}", quantity::span(at.since(place.attempt.first)))).unwrap_or_default()
    };
    match (place.attempt.version, completed) {
        (IkeVersion::V1, Completed::Phase1) => format!("; phase 1 is complete{}", after(place.attempt.phase1_up)),
        (IkeVersion::V1, Completed::Phase2) => format!("; phase 2 is complete{}", after(place.attempt.phase2_up)),
        (IkeVersion::V2, Completed::Phase1) => format!("; IKE_AUTH is answered{}", after(place.attempt.phase1_up)),
        (IkeVersion::V2, Completed::Phase2) => format!("; a child SA is complete{}", after(place.attempt.phase2_up)),
    }
}

fn change_in_words(change: &Change, palette: &Palette) -> String {
    let who = |pair: &Option<(IpAddr, IpAddr)>| pair.map(|(a, b)| format!("{a} ⇄ {b}  ")).unwrap_or_default();
    match change {
        Change::Raised { pair, finding, again, .. } => {
            let ink = match finding.severity {
                Severity::Error => palette.error,
                Severity::Warning => palette.warning,
                Severity::Notice | Severity::Advisory => palette.notice,
                Severity::Info => palette.good,
            };
            let level = format!("{ink}{}[{}]{ink:#}", finding.severity.word(), finding.id);
            let again = if *again { "now " } else { "" };
            format!("{}{again}{level}: {}", who(pair), finding_in_words(finding))
        }
        Change::Withdrawn { pair, finding, verdict } => {
            let now = verdict.filter(|now| *now != finding.id).map(|now| format!("; now {now}")).unwrap_or_default();
            format!("{}no longer {}: {}{now}", who(pair), finding.id, finding.title)
        }
    }
}

fn finding_in_words(finding: &Finding) -> String {
    let mut words = format!("{} ({})", finding.title, finding.confidence.word());
    if !finding.seen.is_empty() {
        let _ = write!(words, ": {}", finding.seen);
    }
    if finding.severity >= Severity::Warning
        && let Some(check) = finding.checks.first()
    {
        let place = match check.side {
            crate::diagnose::Where::Initiator => "on the initiator",
            crate::diagnose::Where::Responder => "on the responder",
            crate::diagnose::Where::Path => "between them",
            crate::diagnose::Where::Capture => "at the capture point",
            crate::diagnose::Where::Either => "on both sides",
        };
        let _ = write!(words, ". Check {place}: {}", check.text);
    }
    words
}
