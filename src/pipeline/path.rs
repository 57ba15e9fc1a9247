//! The stops that every frame passes, offline and live: it is classified, followed and counted. Frames come one by one, or
//! as what a [`Sieve`] left of many.
//!
//! Not here: where frames come from, and judgement. Contract: the same frames in the same order leave the same facts.

use std::ops::ControlFlow;

use crate::base::{FrameRef, Timestamp};
use crate::capture::{CaptureInfo, Frame, Stretch};
use crate::packet::{Class, Classifier, Datagram};
use crate::report::Counts;
use crate::track::{Expected, Facts, Previewer, Tracker};

use super::sieve::{Ahead, Row, Sieve, What};
use super::{Extent, Options};

/// Rows that are taken on together: what is known of their flows stays in the nearest cache in between.
const AT_ONCE: usize = 64;

/// What a frame passes, and what its frames were, by capture.
#[derive(Debug)]
pub(super) struct Path {
    pub(super) classifier: Classifier,
    pub(super) tracker: Tracker,
    pub(super) counts: Vec<Counts>,
    /// Whether the tracker is to be told of what passes.
    pub(super) follows: bool,
}

impl Path {
    /// With nothing seen yet.
    pub(super) fn new(options: &Options) -> Self {
        let tracker = Tracker::new(&options.limits);
        Self {
            classifier: Classifier::new(&options.ike_ports, &options.limits),
            tracker: if options.extent == Extent::Named { tracker.only_naming() } else { tracker },
            counts: Vec::new(),
            follows: options.extent > Extent::Classified,
        }
    }

    /// A frame has come. `pass` takes each datagram of it to the tracker.
    #[inline]
    pub(super) fn frame(&mut self, frame: &Frame<'_>, mut pass: impl FnMut(&mut Tracker, &Datagram<'_>)) -> Class {
        let Self { classifier, tracker, counts, .. } = self;
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

    /// Whether a stretch can be taken on by its rows: nothing happens in it that any frame may set off.
    pub(super) fn takes(&self, sieve: &Sieve, stretch: &Stretch) -> bool {
        let waits = sieve.open || self.classifier.holds_fragments();
        (sieve.streams || !self.classifier.follows_streams())
            && (!waits || self.classifier.is_patient(stretch.earliest, stretch.latest))
    }

    /// Takes on the rows of a stretch of capture 0 that lies in `octets`, with `before` frames in front of it. Answers how
    /// many of its frames were taken on: all of them, unless `pass` wants no more or a TCP stream begins, after which rows
    /// that were made before say too little. [`Path::close`] is to follow.
    pub(super) fn stretch(
        &mut self,
        sieve: &Sieve,
        stretch: &Stretch,
        octets: &[u8],
        before: u64,
        mut pass: impl FnMut(&mut Tracker, &Datagram<'_>, Ahead<'_>) -> ControlFlow<()>,
    ) -> u64 {
        let Self { classifier, tracker, counts, follows } = self;
        if counts.is_empty() {
            counts.push(Counts::default());
        }
        let Some(counts) = counts.first_mut() else { return 0 };
        let mut expected = [Expected::NOWHERE; AT_ONCE];
        // frames with a row of their own
        let mut told = 0;
        for rows in sieve.rows.chunks(AT_ONCE) {
            for (Row { what, .. }, expected) in rows.iter().zip(&mut expected) {
                if let What::Esp(esp) = what
                    && *follows
                {
                    *expected = tracker.expect(esp);
                }
            }
            for (Row { at, number, what }, expected) in rows.iter().zip(&expected) {
                let (at, number) = (*at, u64::from(*number));
                let reference = FrameRef::new(0, before.saturating_add(number));
                if let What::Esp(esp) = what {
                    if *follows {
                        tracker.observe_esp(esp, *expected, (reference, at));
                    }
                    counts.add(esp.class());
                    told += 1;
                    continue;
                }
                tracker.advance(at);
                let mut flow = ControlFlow::Continue(());
                let mut hand_on = |datagram: &Datagram<'_>| {
                    if flow.is_continue() {
                        flow = pass(tracker, datagram, None);
                    }
                };
                match what {
                    What::Esp(_) | What::Passed => continue,
                    What::Isakmp(place) => {
                        if let Some((datagram, class, ahead)) = sieve.letter(*place, (reference, at), octets) {
                            flow = pass(tracker, &datagram, ahead);
                            counts.add(class);
                        }
                    }
                    What::Private { source, destination, interface } => {
                        classifier.count_private((reference, at, *interface), (*source, *destination), &mut hand_on);
                        counts.add(Class::Other);
                    }
                    What::Open(lying) => {
                        let mut overlaps = 0;
                        let class = classifier.classify(&lying.frame(octets, reference, at), &mut |datagram| {
                            overlaps += u64::from(datagram.ambiguous_overlap);
                            hand_on(datagram);
                        });
                        counts.add(class);
                        counts.ambiguous_overlaps = counts.ambiguous_overlaps.saturating_add(overlaps);
                        if classifier.follows_streams() && !sieve.streams {
                            flow = ControlFlow::Break(());
                        }
                    }
                }
                told += 1;
                if flow.is_break() {
                    counts.add_others(number - told);
                    return number;
                }
            }
        }
        counts.add_others(stretch.frames.saturating_sub(told));
        stretch.frames
    }

    /// Time has passed from the first to the last frame of a stretch that was taken on.
    pub(super) fn close(&mut self, stretch: &Stretch) {
        if stretch.frames > 0 {
            self.tracker.advance(stretch.earliest);
            self.tracker.advance(stretch.latest);
        }
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

    /// Reads messages ahead for the tracker, if it is told of them.
    pub(super) fn previewer(&self) -> Option<Previewer> {
        self.follows.then(|| self.tracker.previewer())
    }

    /// The facts so far of these captures, while more is coming.
    pub(super) fn facts(&self, infos: &[CaptureInfo]) -> Facts {
        self.complete(self.tracker.facts(), infos)
    }

    /// Everything that was seen in these captures.
    pub(super) fn into_facts(mut self, infos: &[CaptureInfo]) -> Facts {
        let tracker = std::mem::replace(&mut self.tracker, Tracker::new(&Default::default()));
        self.complete(tracker.into_facts(), infos)
    }

    fn complete(&self, mut facts: Facts, infos: &[CaptureInfo]) -> Facts {
        facts.forgotten.streams = self.classifier.streams_forgotten();
        if infos.len() > 1 {
            facts.recorded = infos.iter().map(|info| info.first.zip(info.last)).collect();
        }
        facts
    }
}
