//! The journey from captures to diagnosis: the only module that knows every stop.
//!
//! Not here: files, formats of output, the command line. Contract: one pass, in order of time, nothing kept but facts.

mod changes;
mod path;
mod session;

use std::ops::ControlFlow;

use crate::base::{Limits, Timestamp};
use crate::capture::{CaptureInfo, Captures};
use crate::diagnose::{self, Diagnosis};
use crate::packet::{Body, Datagram};
use crate::report::Counts;
use crate::track::{Facts, Observed, Tracker};

pub use changes::{Change, Standing};
use path::Path;
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
        let losses = losses_of(self.captures.iter().map(|(info, _)| info));
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
    let mut path = Path::new(options);
    let mut flow = ControlFlow::Continue(());
    while flow.is_continue() {
        watch.progress(captures);
        let Some(frame) = captures.next_frame() else { break };
        if watch.admits(frame.at) {
            path.frame(&frame, |tracker, datagram| {
                if flow.is_continue() {
                    flow = pass(tracker, datagram, watch);
                }
            });
        }
    }
    path.drain(|tracker, datagram| {
        if flow.is_continue() {
            flow = pass(tracker, datagram, watch);
        }
    });
    let infos = captures.infos();
    for until in infos.iter().filter_map(|info| info.watched_until) {
        if flow.is_continue() && watch.admits(until) {
            path.tracker.advance(until);
        }
    }
    (path.counts_of(&infos), path.into_facts())
}

fn pass(tracker: &mut Tracker, datagram: &Datagram<'_>, watch: &mut impl Watch) -> ControlFlow<()> {
    let observed = tracker.observe(datagram);
    match datagram.body {
        Body::Isakmp(_) => watch.message(datagram, observed.as_ref()),
        _ => ControlFlow::Continue(()),
    }
}
