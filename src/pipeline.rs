//! The journey from captures to diagnosis: the only module that knows every stop.
//!
//! Not here: files, formats of output, the command line. Contract: one pass, in order of time, nothing kept but facts.

mod changes;
mod session;

use std::ops::ControlFlow;

use crate::base::{Limits, Timestamp};
use crate::capture::{CaptureInfo, Captures};
use crate::diagnose::{self, Diagnosis, losses};
use crate::packet::{Body, Classifier, Datagram};
use crate::report::Counts;
use crate::track::{Facts, Observed, Tracker};

pub use changes::{Change, Standing};
pub use session::{Completed, Onlooker, Passed, Place, Session, losses_of};

/// How to look.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// UDP ports that carry IKE besides 500 and 4500.
    pub ike_ports: Vec<u16>,
    /// Ceilings.
    pub limits: Limits,
}

/// Who looks on while captures are read. `()` looks at everything and sees nothing.
pub trait Watch {
    /// Whether frames of this time count.
    fn admits(&mut self, at: Timestamp) -> bool {
        let _ = at;
        true
    }

    /// A datagram passes that holds an ISAKMP message, with what the tracker made of it. `Break` ends the reading.
    fn message(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        let _ = (datagram, observed);
        ControlFlow::Continue(())
    }

    /// Another frame is about to be read.
    fn progress(&mut self, captures: &Captures) {
        let _ = captures;
    }
}

impl Watch for () {}

/// Everything that was read and found.
#[derive(Debug)]
pub struct Analysis {
    /// What is known of each capture, and what its frames were.
    pub captures: Vec<(CaptureInfo, Counts)>,
    /// The facts.
    pub facts: Facts,
    /// The findings and verdicts.
    pub diagnosis: Diagnosis,
}

impl Analysis {
    /// Makes less certain what the recorder's losses allow to doubt.
    pub fn allow_for_losses(&mut self) {
        let captures = self.captures.iter();
        let losses = captures.fold(losses::Losses::default(), |sum, (info, _)| losses::Losses {
            recorded: sum.recorded.saturating_add(info.frames),
            lost: sum.lost.saturating_add(info.dropped.unwrap_or(0)),
        });
        self.diagnosis.allow_for(losses);
    }
}

/// Reads all captures to their end and judges what was seen.
pub fn analyze(captures: &mut Captures, options: &Options, watch: &mut impl Watch) -> Analysis {
    let (counts, facts) = follow(captures, options, watch);
    let diagnosis = diagnose::diagnose(&facts);
    Analysis { captures: captures.infos().into_iter().zip(counts).collect(), facts, diagnosis }
}

/// Reads all captures to their end, or until `watch` has seen enough. One [`Counts`] a capture, by id.
pub fn follow(captures: &mut Captures, options: &Options, watch: &mut impl Watch) -> (Vec<Counts>, Facts) {
    let mut classifier = Classifier::new(&options.ike_ports, &options.limits);
    let mut tracker = Tracker::new(&options.limits);
    let mut counts: Vec<Counts> = Vec::new();
    let mut flow = ControlFlow::Continue(());
    while flow.is_continue() {
        watch.progress(captures);
        let Some(frame) = captures.next_frame() else { break };
        if !watch.admits(frame.at) {
            continue;
        }
        tracker.advance(frame.at);
        let mut overlaps = 0;
        let class = classifier.classify(&frame, &mut |datagram| {
            overlaps += u64::from(datagram.ambiguous_overlap);
            if flow.is_continue() {
                flow = pass(&mut tracker, datagram, watch);
            }
        });
        let capture = usize::try_from(frame.reference.capture).unwrap_or(usize::MAX);
        if counts.len() <= capture {
            counts.resize(capture.saturating_add(1), Counts::default());
        }
        if let Some(counts) = counts.get_mut(capture) {
            counts.add(class);
            counts.ambiguous_overlaps = counts.ambiguous_overlaps.saturating_add(overlaps);
        }
    }
    classifier.finish(&mut |datagram| {
        if flow.is_continue() {
            flow = pass(&mut tracker, datagram, watch);
        }
    });
    for until in captures.infos().iter().filter_map(|info| info.watched_until) {
        if flow.is_continue() && watch.admits(until) {
            tracker.advance(until);
        }
    }
    counts.resize(captures.infos().len(), Counts::default());
    for (counts, capture) in counts.iter_mut().zip(0..) {
        counts.stream_gaps = classifier.stream_gaps(capture);
    }
    let mut facts = tracker.into_facts();
    facts.forgotten.streams = classifier.streams_forgotten();
    (counts, facts)
}

fn pass(tracker: &mut Tracker, datagram: &Datagram<'_>, watch: &mut impl Watch) -> ControlFlow<()> {
    let observed = tracker.observe(datagram);
    match datagram.body {
        Body::Isakmp(_) => watch.message(datagram, observed.as_ref()),
        _ => ControlFlow::Continue(()),
    }
}
