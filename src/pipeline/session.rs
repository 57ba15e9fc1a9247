//! The same journey while it happens: frames and the clock go in, messages are passed on, and the report of the moment
//! can be asked for at any time.
//!
//! Not here: where frames come from, how often to judge, what is shown. Contract: reads no clock; whoever asks at the end
//! gets the report that [`super::analyze`] makes of the same frames (of several captures: with their clocks put right before).

use std::net::IpAddr;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::capture::{CaptureInfo, Frame};
use crate::diagnose;
use crate::diagnose::losses::Losses;
use crate::diagnose::waiting::next_due;
use crate::packet::{Body, Class, Datagram};
use crate::report::{Counts, Report, Selection, tense};
use crate::track::{Attempt, Facts, Label, MessageRecord, Observed, Tracker};

use super::Options;
use super::path::Path;

/// "No IKE at all" is said after this much of it, and in the report at the end.
const NOTHING_YET: Duration = Duration::from_secs(60);

/// An analysis under way.
#[derive(Debug)]
pub struct Session {
    path: Path,
    selection: Selection,
    progress: Vec<Vec<Progress>>,
    /// Attempts of wanted pairs so far.
    attempts: usize,
}

/// How far an attempt was before the message that passes.
#[derive(Debug, Clone, Copy)]
struct Progress {
    id: Option<usize>,
    first_frame: FrameRef,
    stage: Label,
    phase1_up: bool,
    phase2_up: bool,
}

/// Who is told of messages as they pass. `()` is told and does not listen.
pub trait Onlooker {
    /// A datagram passes that holds an ISAKMP message.
    fn message(&mut self, passed: &Passed<'_>) {
        let _ = passed;
    }
}

impl Onlooker for () {}

/// A message that passes.
#[derive(Debug, Clone, Copy)]
pub struct Passed<'a> {
    /// The datagram it came in.
    pub datagram: &'a Datagram<'a>,
    /// What the tracker made of it.
    pub observed: Option<&'a Observed>,
    /// Where it belongs; `None` if its header could not be read.
    pub place: Option<Place<'a>>,
}

/// Where a message belongs.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The addresses of its pair.
    pub ends: (IpAddr, IpAddr),
    /// The attempt.
    pub attempt: &'a Attempt,
    /// The id that the attempt has in the report.
    pub attempt_id: usize,
    /// The message as it was filed: with this one the first copy of it, if this is a repeat. `None` if it was not kept.
    pub record: Option<&'a MessageRecord>,
    /// It took the attempt to a stage where it had not been before.
    pub reached: Option<Label>,
    /// What it completed.
    pub completed: Option<Completed>,
}

/// What a message completed, as far as the wire shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Completed {
    /// Phase 1, or the IKE SA.
    Phase1,
    /// The first phase 2, or child SA.
    Phase2,
}

impl Place<'_> {
    /// When the next copy of this message is due, as the rhythm of those so far tells.
    pub fn next_due(&self) -> Option<Timestamp> {
        self.record.and_then(next_due).map(|(due, _)| due)
    }

    /// Messages that came from the other side since this one was first sent.
    pub fn answers(&self) -> u64 {
        let Some(record) = self.record else { return 0 };
        let messages = self.attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
        let answers = messages.filter(|other| other.from != record.from && other.at >= record.at);
        answers.map(|answer| u64::from(answer.repeat_count) + 1).fold(0, u64::saturating_add)
    }
}

impl Session {
    /// With nothing seen yet. `selection`: the pairs that the report is about.
    pub fn new(options: &Options, selection: Selection) -> Self {
        let mut path = Path::new(options);
        path.tracker = path.tracker.keep_at_work();
        Self { path, selection, progress: Vec::new(), attempts: 0 }
    }

    /// A frame has come. Answers whether anything in it was ours.
    pub fn frame(&mut self, frame: &Frame<'_>, onlooker: &mut impl Onlooker) -> bool {
        let (path, mut follow) = self.parts();
        let mut ours = false;
        let class = path.frame(frame, |tracker, datagram| {
            ours = true;
            follow.pass(tracker, datagram, onlooker);
        });
        ours || !matches!(class, Class::Other | Class::UnknownLink)
    }

    /// Time has moved on without a frame.
    pub fn advance(&mut self, at: Timestamp, onlooker: &mut impl Onlooker) {
        let (path, mut follow) = self.parts();
        path.advance(at, |tracker, datagram| follow.pass(tracker, datagram, onlooker));
    }

    fn parts(&mut self) -> (&mut Path, Follow<'_>) {
        let Self { path, selection, progress, attempts } = self;
        (path, Follow { selection, progress, attempts })
    }

    /// Frames by what they are, over all captures.
    pub fn counts(&self) -> Counts {
        self.path.counts.iter().fold(Counts::default(), |sum, counts| sum.plus(counts))
    }

    /// Up to when was watched.
    pub fn watched_until(&self) -> Option<Timestamp> {
        self.path.tracker.window().map(|(_, last)| last)
    }

    /// How much there is to judge: pairs and attempts.
    pub fn weight(&self) -> usize {
        self.path.tracker.weight()
    }

    /// The report of this moment. `goes_on`: more may come, so that silence is told as lasting until now and not until the
    /// end of the capture.
    pub fn report(&self, infos: Vec<CaptureInfo>, goes_on: bool) -> Report {
        let counts = self.path.counts_of(&infos);
        let facts = self.path.facts(&infos);
        let mut report = judge(infos, counts, &facts, &self.selection);
        if report.window.is_none_or(|window| window.last.since(window.first) < NOTHING_YET) {
            report.findings.retain(|finding| finding.id != "C-NO-IKE");
        }
        for finding in report.findings.iter_mut().filter(|_| goes_on) {
            finding.seen = tense::while_it_runs(&finding.seen);
            finding.means = tense::while_it_runs(&finding.means);
        }
        report
    }

    /// It is over: the report of everything.
    pub fn finish(mut self, infos: Vec<CaptureInfo>, onlooker: &mut impl Onlooker) -> Report {
        let (path, mut follow) = self.parts();
        path.drain(|tracker, datagram| follow.pass(tracker, datagram, onlooker));
        for until in infos.iter().filter_map(|info| info.watched_until) {
            path.tracker.advance(until);
        }
        let counts = path.counts_of(&infos);
        let facts = self.path.into_facts(&infos);
        judge(infos, counts, &facts, &self.selection)
    }
}

fn judge(infos: Vec<CaptureInfo>, counts: Vec<Counts>, facts: &Facts, selection: &Selection) -> Report {
    let mut diagnosis = diagnose::diagnose(facts);
    diagnosis.allow_for(losses_of(&infos));
    Report::selected(infos.into_iter().zip(counts).collect(), facts, &diagnosis, selection)
}

/// Frames recorded and lost, over all captures.
pub fn losses_of<'a>(infos: impl IntoIterator<Item = &'a CaptureInfo>) -> Losses {
    infos.into_iter().fold(Losses::default(), |sum, info| Losses {
        recorded: sum.recorded.saturating_add(info.frames),
        lost: sum.lost.saturating_add(info.dropped.unwrap_or(0)),
    })
}

/// Takes datagrams to the tracker and tells what each message changed.
struct Follow<'a> {
    selection: &'a Selection,
    progress: &'a mut Vec<Vec<Progress>>,
    attempts: &'a mut usize,
}

impl Follow<'_> {
    fn pass(&mut self, tracker: &mut Tracker, datagram: &Datagram<'_>, onlooker: &mut impl Onlooker) {
        let observed = tracker.observe(datagram);
        let Body::Isakmp(_) = datagram.body else { return };
        let place = observed.as_ref().and_then(|observed| self.place(tracker, datagram, observed));
        let admits = |a: IpAddr, b: IpAddr| self.selection.admits(a, b);
        let wanted = match (&observed, &place) {
            (Some(_), Some(place)) => admits(place.ends.0, place.ends.1),
            (Some(_), None) => false,
            (None, _) => admits(datagram.source, datagram.destination),
        };
        if wanted {
            onlooker.message(&Passed { datagram, observed: observed.as_ref(), place });
        }
    }

    fn place<'t>(&mut self, tracker: &'t Tracker, datagram: &Datagram<'_>, observed: &Observed) -> Option<Place<'t>> {
        let (ends, attempt) = (tracker.ends(observed)?, tracker.attempt(observed)?);
        if self.progress.len() <= observed.pair {
            self.progress.resize_with(observed.pair.saturating_add(1), Vec::new);
        }
        let known = self.progress.get_mut(observed.pair)?;
        let wanted = self.selection.admits(ends.0, ends.1);
        let mut began = false;
        let first_frame = attempt.first_frame;
        // Where an older one was forgotten, another attempt stands in its place now.
        if known.get(observed.attempt).is_none_or(|known| known.first_frame != first_frame) {
            known.truncate(observed.attempt);
            while known.len() <= observed.attempt {
                let id = wanted.then_some(*self.attempts);
                *self.attempts = self.attempts.saturating_add(usize::from(wanted));
                known.push(Progress { id, first_frame, stage: attempt.stage, phase1_up: false, phase2_up: false });
            }
            began = true;
        }
        let before = known.get_mut(observed.attempt)?;
        let reached = (began || before.stage != attempt.stage).then_some(attempt.stage);
        let completed = if attempt.phase2_up.is_some() && !before.phase2_up {
            Some(Completed::Phase2)
        } else if attempt.phase1_up.is_some() && !before.phase1_up {
            Some(Completed::Phase1)
        } else {
            None
        };
        before.stage = attempt.stage;
        before.phase1_up = attempt.phase1_up.is_some();
        before.phase2_up = attempt.phase2_up.is_some();
        let frame = observed.retransmission_of.or(observed.recorded_before).unwrap_or(datagram.frame);
        let messages = attempt.exchanges.iter().rev().flat_map(|exchange| exchange.messages.iter().rev());
        let record = messages.into_iter().find(|record| record.frame == frame);
        Some(Place { ends, attempt, attempt_id: before.id?, record, reached, completed })
    }
}
