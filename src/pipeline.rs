//! The journey from captures to diagnosis: the only module that knows every stop.
//!
//! Not here: files, formats of output, the command line. Contract: one pass, in order of time, nothing kept but facts.

mod changes;
mod clocks;
mod path;
mod session;
mod shard;
mod sieve;

use std::ops::ControlFlow;
use std::time::Duration;

use crate::base::{Limits, Timestamp};
use crate::capture::{CaptureInfo, Captures, Each, Frame, Stretch};
use crate::diagnose::{self, Diagnosis};
use crate::packet::{Body, Datagram, Eye};
use crate::report::Counts;
use crate::track::{Facts, Observed, Tracker};

pub use changes::{Change, Standing};
pub use clocks::put_right;
use path::Path;
pub use session::{Completed, Onlooker, Passed, Place, Session, losses_of};
pub use shard::Sharing;
use sieve::{Ahead, Sieve};

/// How to look.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// UDP ports that carry IKE besides 500 and 4500.
    pub ike_ports: Vec<u16>,
    /// Ceilings.
    pub limits: Limits,
    /// How far frames go.
    pub extent: Extent,
    /// On how many threads to read what can be shared. The answer is the same for any number.
    pub sharing: Sharing,
}

/// How far the journey of a frame goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Extent {
    /// Records are walked and counted.
    Walked,
    /// Frames are classified: [`Watch::message`] is told of messages, and nothing is made of them.
    Classified,
    /// Messages are named: the facts are for nobody.
    Named,
    /// All is followed.
    #[default]
    Followed,
}

/// Who looks on while captures are read. `()` looks at everything and sees nothing.
pub trait Watch {
    /// Whether frames of this time count.
    fn admits(&mut self, at: Timestamp) -> bool {
        let _ = at;
        true
    }

    /// Whether frames between these two times count, all of them or none, the first of them at `first`; `None` if each has to
    /// be asked about. Must be what [`Watch::admits`] would say of each.
    fn admits_all(&mut self, first: Timestamp, earliest: Timestamp, latest: Timestamp) -> Option<bool> {
        let _ = (first, earliest, latest);
        None
    }

    /// A datagram passes that holds an ISAKMP message, with what the tracker made of it, if it was asked. `Break` ends the reading.
    fn message(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        let _ = (datagram, observed);
        ControlFlow::Continue(())
    }

    /// More is about to be read: a frame, or some thousand octets of them.
    fn progress(&mut self, captures: &Captures) {
        let _ = captures;
    }
}

impl Watch for () {
    fn admits_all(&mut self, _first: Timestamp, _earliest: Timestamp, _latest: Timestamp) -> Option<bool> {
        Some(true)
    }
}

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
    let diagnosis = diagnose::diagnose_on(&facts, options.sharing.threads());
    Analysis { captures: captures.infos().into_iter().zip(counts).collect(), facts, diagnosis }
}

/// Reads all captures to their end, or until `watch` has seen enough. One [`Counts`] a capture, by id.
pub fn follow(captures: &mut Captures, options: &Options, watch: &mut impl Watch) -> (Vec<Counts>, Facts) {
    clocks::put_right(captures, options);
    let mut path = Path::new(options);
    let mut road = Road::new(options, &path);
    let mut flow = match shard::share(&mut road, captures, &mut path, options, watch) {
        Some(ControlFlow::Continue(())) => road.go_until(u64::MAX, captures, &mut path, watch),
        found => found,
    }
    .unwrap_or(ControlFlow::Continue(()));
    let follows = path.follows;
    path.drain(|tracker, datagram| {
        if flow.is_continue() {
            flow = pass(follows.then_some(tracker), datagram, None, watch);
        }
    });
    let infos = captures.infos();
    for until in infos.iter().filter_map(|info| info.watched_until) {
        if flow.is_continue() && watch.admits(until) {
            path.tracker.advance(until);
        }
    }
    let counts = path.counts_of(&infos);
    (counts, path.into_facts(&infos))
}

/// Frames of a stretch that are looked at before any is taken on, so that what is known of them stays near.
const MOST_ROWS: usize = 128;
/// Capture time that a stretch may span: short enough for nothing to be given up meanwhile that waits for more.
const MOST_SPAN: Duration = Duration::from_secs(30);

/// How frames come to the path: many at a time where each can be looked at alone, singly where not.
struct Road {
    /// `None`: frames are not looked at.
    eye: Option<Eye>,
    sieve: Sieve,
    /// Frames that are to go singly.
    singly: u64,
    /// Octet of the capture in front of which every step begins, if a frame at a time does not lead beyond it.
    until: u64,
}

impl Road {
    fn new(options: &Options, path: &Path) -> Self {
        let eye = (options.extent > Extent::Walked).then(|| Eye::new(&options.ike_ports));
        Self { eye, sieve: Sieve::new(path.previewer()), singly: 0, until: u64::MAX }
    }

    /// Frame by frame or stretch by stretch to the first record that starts at octet `until` or behind it; `None` at the end.
    fn go_until(
        &mut self,
        until: u64,
        captures: &mut Captures,
        path: &mut Path,
        watch: &mut impl Watch,
    ) -> Option<ControlFlow<()>> {
        self.until = until;
        let mut flow = ControlFlow::Continue(());
        while flow.is_continue() && captures.offset() < until {
            watch.progress(captures);
            flow = self.step(captures, path, watch)?;
        }
        Some(flow)
    }

    /// Some frames on; `None` at the end.
    fn step(&mut self, captures: &mut Captures, path: &mut Path, watch: &mut impl Watch) -> Option<ControlFlow<()>> {
        if self.singly == 0 {
            let stretch = self.sift(captures, path);
            let admitted = (stretch.frames > 0)
                .then(|| watch.admits_all(stretch.first, stretch.earliest, stretch.latest))
                .flatten()
                .filter(|_| path.takes(&self.sieve, &stretch));
            match admitted {
                Some(true) => return Some(self.take(captures, path, &stretch, watch)),
                Some(false) => {
                    captures.pass(&stretch);
                    return Some(ControlFlow::Continue(()));
                }
                None => self.singly = stretch.frames.max(1),
            }
        }
        self.singly -= 1;
        let frame = captures.next_frame()?;
        let mut flow = ControlFlow::Continue(());
        if watch.admits(frame.at) {
            let follows = path.follows;
            path.frame(&frame, |tracker, datagram| {
                if flow.is_continue() {
                    flow = pass(follows.then_some(tracker), datagram, None, watch);
                }
            });
        }
        Some(flow)
    }

    /// Looks at the frames that lie ready.
    fn sift(&mut self, captures: &Captures, path: &Path) -> Stretch {
        let Self { eye, sieve, until, .. } = self;
        sieve.begin(path.classifier.follows_streams());
        match eye {
            Some(eye) => captures.stretch(*until, &mut Ready { eye, sieve, until: None }),
            None => captures.stretch(*until, &mut Unseen),
        }
    }

    /// Takes on what lies ready.
    fn take(
        &mut self,
        captures: &mut Captures,
        path: &mut Path,
        stretch: &Stretch,
        watch: &mut impl Watch,
    ) -> ControlFlow<()> {
        let mut flow = ControlFlow::Continue(());
        let (before, follows) = (captures.frames(), path.follows);
        let taken = path.stretch(&self.sieve, stretch, captures.buffer(), before, |tracker, datagram, ahead| {
            flow = pass(follows.then_some(tracker), datagram, ahead, watch);
            flow
        });
        let stretch = if taken < stretch.frames { captures.stretch(self.until, &mut Again(taken)) } else { *stretch };
        captures.pass(&stretch);
        path.close(&stretch);
        flow
    }
}

/// Sieves what lies ready, as much of it as is good to take on at once.
struct Ready<'r> {
    eye: &'r Eye,
    sieve: &'r mut Sieve,
    until: Option<Timestamp>,
}

impl Each for Ready<'_> {
    #[inline(always)]
    fn frame(&mut self, frame: Frame<'_>, place: usize) -> bool {
        let Self { eye, sieve, until } = self;
        let at = frame.at;
        if !sieve.sift(eye, frame, place) {
            return true;
        }
        let until = *until.get_or_insert_with(|| at.after(MOST_SPAN));
        sieve.rows.len() < MOST_ROWS && at < until
    }
}

/// Looks at nothing.
struct Unseen;

impl Each for Unseen {
    #[inline(always)]
    fn frame(&mut self, _frame: Frame<'_>, _place: usize) -> bool {
        true
    }
}

/// Goes once more over as many frames.
struct Again(u64);

impl Each for Again {
    fn frame(&mut self, frame: Frame<'_>, _place: usize) -> bool {
        frame.reference.frame < self.0
    }
}

/// Takes a datagram to the tracker, if it is to be followed.
#[inline]
fn pass(
    tracker: Option<&mut Tracker>,
    datagram: &Datagram<'_>,
    ahead: Ahead<'_>,
    watch: &mut impl Watch,
) -> ControlFlow<()> {
    match (tracker, &datagram.body) {
        (Some(tracker), Body::Isakmp(isakmp)) => match ahead {
            Some(ahead) => tracker.observe_ahead(datagram, isakmp, ahead, |observed| watch.message(datagram, observed)),
            None => watch.message(datagram, tracker.observe(datagram).as_ref()),
        },
        (None, Body::Isakmp(_)) => watch.message(datagram, None),
        (Some(tracker), _) => {
            tracker.observe(datagram);
            ControlFlow::Continue(())
        }
        (None, _) => ControlFlow::Continue(()),
    }
}
