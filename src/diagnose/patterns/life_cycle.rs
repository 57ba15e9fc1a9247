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
}

impl Traffic {
    /// Of both directions.
    pub fn of(case: &Case<'_>) -> Self {
        Self::over(case.pair.flows.iter())
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
        Self { begun }
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
}

/// Whether the tunnel was down between two lives: the second began after the first was up, no traffic ran across the
/// new negotiation, and nothing of the first was heard after it.
pub(super) fn interrupted(traffic: &Traffic, earlier: &Life<'_>, later: &Life<'_>) -> bool {
    later.begun() > earlier.up
        && !traffic.spans(later.begun(), later.up)
        && earlier.view.attempt.last.after(TO_AND_FRO) < later.up
}

/// Who takes a tunnel down and brings it up again in less than this does so to renew it.
const TO_AND_FRO: Duration = Duration::from_secs(1);

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
