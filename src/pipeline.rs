//! The journey from captures to report: the only module that knows every stop.

use crate::base::{Limits, Timestamp};
use crate::capture::{CaptureInfo, Captures};
use crate::diagnose::{self, Diagnosis};
use crate::isakmp::Message;
use crate::packet::{Body, Class, Classifier, Datagram, IsakmpDatagram};
use crate::track::{Facts, Observed, Tracker};

/// What to look at.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// UDP ports that carry IKE besides 500 and 4500.
    pub ike_ports: Vec<u16>,
    /// Frames before this are passed over.
    pub from: Option<Timestamp>,
    /// Frames after this are passed over.
    pub to: Option<Timestamp>,
    /// Ceilings.
    pub limits: Limits,
}

/// How often progress is told, in frames.
const PROGRESS: u64 = 1 << 16;

/// One ISAKMP message on its way through, for those who print it.
#[derive(Debug)]
pub struct Passing<'a> {
    /// The datagram it came in.
    pub datagram: &'a Datagram<'a>,
    /// Its ports, marker and octets.
    pub isakmp: &'a IsakmpDatagram<'a>,
    /// The message, or the fault that kept its header from being read.
    pub message: Result<Message<'a>, crate::base::Fault>,
    /// What the tracker made of it.
    pub observed: Option<Observed>,
}

/// Frames of one capture by what they were.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    counts: Vec<[u64; CLASSES]>,
}

const CLASSES: usize = 10;

impl Tally {
    fn add(&mut self, capture: u32, class: Class) {
        let index = capture as usize;
        if self.counts.len() <= index {
            self.counts.resize(index + 1, [0; CLASSES]);
        }
        self.counts[index][class as usize] += 1;
    }

    /// Frames of `class` in `capture`.
    pub fn of(&self, capture: usize, class: Class) -> u64 {
        self.counts.get(capture).map_or(0, |counts| counts[class as usize])
    }
}

/// Everything that was read and found.
#[derive(Debug)]
pub struct Analysis {
    /// What is known of each capture.
    pub captures: Vec<CaptureInfo>,
    /// What their frames were.
    pub tally: Tally,
    /// The facts.
    pub facts: Facts,
    /// The findings and verdicts.
    pub diagnosis: Diagnosis,
}

/// Reads all captures to their end and judges what was seen. `progress` is called now and then.
pub fn analyze(captures: &mut Captures, options: &Options, progress: impl FnMut(&Captures)) -> Analysis {
    let (tally, facts) = follow(captures, options, |_| {}, progress);
    let diagnosis = diagnose::diagnose(&facts);
    Analysis { captures: captures.infos(), tally, facts, diagnosis }
}

/// Reads all captures to their end and hands every ISAKMP message to `each` as it passes.
pub fn follow(
    captures: &mut Captures,
    options: &Options,
    mut each: impl FnMut(&Passing<'_>),
    mut progress: impl FnMut(&Captures),
) -> (Tally, Facts) {
    let mut classifier = Classifier::new(&options.ike_ports, &options.limits);
    let mut tracker = Tracker::new(&options.limits);
    let mut tally = Tally::default();
    let mut frames = 0_u64;
    while let Some(frame) = captures.next_frame() {
        let outside = options.from.is_some_and(|from| frame.at < from) || options.to.is_some_and(|to| frame.at > to);
        if !outside {
            tracker.advance(frame.at);
            let class = classifier.classify(&frame, &mut |datagram| pass(&mut tracker, datagram, &mut each));
            tally.add(frame.reference.capture, class);
        }
        frames += 1;
        if frames.is_multiple_of(PROGRESS) {
            progress(captures);
        }
    }
    classifier.finish(&mut |datagram| pass(&mut tracker, datagram, &mut each));
    (tally, tracker.into_facts())
}

fn pass(tracker: &mut Tracker, datagram: &Datagram<'_>, each: &mut impl FnMut(&Passing<'_>)) {
    let observed = tracker.observe(datagram);
    if let Body::Isakmp(isakmp) = &datagram.body {
        each(&Passing { datagram, isakmp, message: Message::decode(isakmp.octets, datagram.missing), observed });
    }
}
