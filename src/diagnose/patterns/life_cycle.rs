//! The life of a tunnel after it came up, and from one negotiation to the next: shared by the patterns that judge it.

use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::case::{Case, View};
use crate::track::{Attempt, EspFlow, Side};

/// A negotiation that brought the tunnel up.
#[derive(Debug, Clone, Copy)]
pub(super) struct Life<'a> {
    /// Index of the attempt.
    pub index: usize,
    /// Its facts.
    pub view: View<'a>,
    /// When it came up.
    pub up: Timestamp,
}

impl Life<'_> {
    /// When its negotiation began.
    pub fn begun(&self) -> Timestamp {
        self.view.attempt.first
    }
}

/// Negotiations that brought the tunnel up, in order, without those that only replace the keys of an earlier one.
pub(super) fn lives<'a>(case: &Case<'a>) -> Vec<Life<'a>> {
    case.attempts()
        .filter(|(_, view)| view.attempt.rekeyed_from.is_none())
        .filter_map(|(index, view)| Some(Life { index, view, up: view.tunnel_up()? }))
        .collect()
}

/// Index of the last attempt that came up: what befell an earlier one is history.
pub(super) fn last_up(case: &Case<'_>) -> Option<usize> {
    case.pair.attempts.iter().rposition(|attempt| attempt.phase1_up.is_some())
}

/// When traffic ran, so that it can be asked at once for many moments.
#[derive(Debug)]
pub(super) struct Traffic {
    /// For each flow in order of its first packet: that, and the latest packet of it and of those before.
    begun: Vec<(Timestamp, Timestamp)>,
    /// The same of each direction, with how far the packets of the flow with the latest one lie apart.
    ways: [Vec<(Timestamp, Timestamp, Duration)>; 2],
}

impl Traffic {
    /// Of both directions.
    pub fn of(case: &Case<'_>) -> Self {
        let mut ways: [Vec<_>; 2] = Default::default();
        for flow in &case.pair.flows {
            let way = usize::from(!case.pair.is_from_a(flow.source, flow.destination));
            ways[way].push((flow.first, flow.last, spacing(flow)));
        }
        for way in &mut ways {
            way.sort_unstable();
            let mut latest = (Timestamp::from_nanos(i64::MIN), Duration::ZERO);
            for (_, last, apart) in way.iter_mut() {
                latest = latest.max((*last, *apart));
                (*last, *apart) = latest;
            }
        }
        Self { ways, ..Self::over(case.pair.flows.iter()) }
    }

    /// Of these flows.
    pub fn over<'a>(flows: impl Iterator<Item = &'a EspFlow>) -> Self {
        let mut begun: Vec<_> = flows.map(|flow| (flow.first, flow.last)).collect();
        begun.sort_unstable();
        let mut latest = Timestamp::from_nanos(i64::MIN);
        for (_, last) in &mut begun {
            latest = latest.max(*last);
            *last = latest;
        }
        Self { begun, ways: Default::default() }
    }

    /// Whether a flow that began before `from` still ran at `to`.
    pub fn spans(&self, from: Timestamp, to: Timestamp) -> bool {
        self.latest_of(|first| first < from).is_some_and(|last| last >= to)
    }

    /// The latest packet of the flows whose first packet is `early`, as all before it are.
    pub fn latest_of(&self, early: impl Fn(Timestamp) -> bool) -> Option<Timestamp> {
        let count = self.begun.partition_point(|&(first, _)| early(first));
        count.checked_sub(1).and_then(|index| self.begun.get(index)).map(|&(_, last)| last)
    }

    /// Whether nothing ran for at least `quiet` before `at`, and for longer than packets lie apart.
    pub fn rests(&self, at: Timestamp, quiet: Duration) -> bool {
        self.ways.iter().all(|way| {
            let before = way.partition_point(|&(first, ..)| first <= at);
            let latest = before.checked_sub(1).and_then(|index| way.get(index));
            latest.is_none_or(|&(_, last, apart)| at.since(last) >= quiet.max(apart.saturating_mul(MISSING)))
        })
    }

    /// Whether, in each direction that is used, packets on new SAs followed those on the ones from before `at` without a pause:
    /// as close as packets of that direction come.
    fn changes_over(&self, at: Timestamp) -> bool {
        let mut used = self.ways.iter().filter(|way| !way.is_empty()).peekable();
        used.peek().is_some()
            && used.all(|way| {
                let before = way.partition_point(|&(first, ..)| first < at);
                let (Some(&(_, last, apart)), Some(&(next, ..))) =
                    (before.checked_sub(1).and_then(|index| way.get(index)), way.get(before))
                else {
                    return false;
                };
                next.since(last) <= SHORT_PAUSE.max(apart.saturating_mul(MISSING)).min(LONG_PAUSE)
            })
    }
}

/// How far the packets of a flow lie apart on average.
pub(in crate::diagnose) fn spacing(flow: &EspFlow) -> Duration {
    let gaps = u32::try_from(flow.packets.saturating_sub(1)).unwrap_or(u32::MAX);
    flow.last.since(flow.first).checked_div(gaps).unwrap_or_default()
}

/// Whether the tunnel was down between two lives: the second began after the first was up, no traffic ran across the
/// new negotiation or changed over without a pause, and nothing of the first was heard after it.
pub(super) fn interrupted(traffic: &Traffic, earlier: &Life<'_>, later: &Life<'_>) -> bool {
    later.begun() > earlier.up
        && !traffic.spans(later.begun(), later.up)
        && !traffic.changes_over(later.begun())
        && earlier.view.attempt.last.after(TO_AND_FRO) < later.up
}

/// An SA that is refused or deleted this soon after it came up was not wanted; later, there are other reasons.
pub(super) const UNWANTED: Duration = Duration::from_secs(5);
/// Who takes a tunnel down and brings it up again in less than this does so to renew it.
const TO_AND_FRO: Duration = Duration::from_secs(1);
/// Traffic that pauses no longer than this was not interrupted.
const SHORT_PAUSE: Duration = Duration::from_secs(2);
/// One that pauses longer may have been, however rare its packets are.
const LONG_PAUSE: Duration = Duration::from_secs(30);
/// Nor was traffic that misses no more packets than these.
const MISSING: u32 = 3;

/// Whether all spans are alike to within a tenth: something counts time.
pub(super) fn alike(spans: &[Duration]) -> bool {
    let (Some(shortest), Some(longest)) = (spans.iter().min(), spans.iter().max()) else { return false };
    *longest > Duration::from_secs(1) && longest.as_secs_f64() <= shortest.as_secs_f64() * 1.1
}

/// The mean of some spans.
pub(super) fn mean(spans: &[Duration]) -> Duration {
    let total: Duration = spans.iter().sum();
    u32::try_from(spans.len()).ok().filter(|&count| count > 0).map_or(Duration::ZERO, |count| total / count)
}

/// The message of an attempt that came then, or its last.
pub(super) fn frame_at(view: &View<'_>, at: Timestamp) -> FrameRef {
    view.messages().find(|message| message.at == at).map_or(view.attempt.last_frame, |message| message.frame)
}

/// Address of a side of an attempt, as first seen.
pub(super) fn address(attempt: &Attempt, side: Side) -> std::net::IpAddr {
    match side {
        Side::Initiator => attempt.initiator.ip(),
        Side::Responder => attempt.responder.ip(),
    }
}
