//! The stops that every frame passes, offline and live: it is classified, followed and counted.
//!
//! Not here: where frames come from, and judgement. Contract: the same frames in the same order leave the same facts.

use crate::base::Timestamp;
use crate::capture::{CaptureInfo, Frame};
use crate::packet::{Class, Classifier, Datagram};
use crate::report::Counts;
use crate::track::{Facts, Tracker};

use super::Options;

/// What a frame passes, and what its frames were, by capture.
#[derive(Debug)]
pub(super) struct Path {
    classifier: Classifier,
    pub(super) tracker: Tracker,
    pub(super) counts: Vec<Counts>,
}

impl Path {
    /// With nothing seen yet.
    pub(super) fn new(options: &Options) -> Self {
        Self {
            classifier: Classifier::new(&options.ike_ports, &options.limits),
            tracker: Tracker::new(&options.limits),
            counts: Vec::new(),
        }
    }

    /// A frame has come. `pass` takes each datagram of it to the tracker.
    #[inline]
    pub(super) fn frame(&mut self, frame: &Frame<'_>, mut pass: impl FnMut(&mut Tracker, &Datagram<'_>)) -> Class {
        let Self { classifier, tracker, counts } = self;
        tracker.advance(frame.at);
        let mut overlaps = 0;
        let class = classifier.classify(frame, &mut |datagram| {
            overlaps += u64::from(datagram.ambiguous_overlap);
            pass(tracker, datagram);
        });
        let capture = usize::try_from(frame.reference.capture).unwrap_or(usize::MAX);
        if counts.len() <= capture {
            counts.resize(capture.saturating_add(1), Counts::default());
        }
        if let Some(counts) = counts.get_mut(capture) {
            counts.add(class);
            counts.ambiguous_overlaps = counts.ambiguous_overlaps.saturating_add(overlaps);
        }
        class
    }

    /// Time has moved on without a frame.
    pub(super) fn advance(&mut self, at: Timestamp, mut pass: impl FnMut(&mut Tracker, &Datagram<'_>)) {
        let Self { classifier, tracker, .. } = self;
        classifier.advance(at, &mut |datagram| pass(tracker, datagram));
        tracker.advance(at);
    }

    /// The frames have ended: what waited for more is handed on as it is.
    pub(super) fn drain(&mut self, mut pass: impl FnMut(&mut Tracker, &Datagram<'_>)) {
        let Self { classifier, tracker, .. } = self;
        classifier.finish(&mut |datagram| pass(tracker, datagram));
    }

    /// The counts of these captures, by id.
    pub(super) fn counts_of(&self, infos: &[CaptureInfo]) -> Vec<Counts> {
        let mut counts = self.counts.clone();
        counts.resize(infos.len(), Counts::default());
        for (counts, capture) in counts.iter_mut().zip(0..) {
            counts.stream_gaps = self.classifier.stream_gaps(capture);
        }
        counts
    }

    /// The facts so far, while more is coming.
    pub(super) fn facts(&self) -> Facts {
        self.complete(self.tracker.facts())
    }

    /// Everything that was seen.
    pub(super) fn into_facts(mut self) -> Facts {
        let tracker = std::mem::replace(&mut self.tracker, Tracker::new(&Default::default()));
        self.complete(tracker.into_facts())
    }

    fn complete(&self, mut facts: Facts) -> Facts {
        facts.forgotten.streams = self.classifier.streams_forgotten();
        facts
    }
}
