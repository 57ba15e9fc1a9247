//! L-SIMULT-INIT: both sides initiate, and two negotiations run side by side.

use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::track::Attempt;

/// Further apart than this, the second is an answer to trouble with the first.
const SIDE_BY_SIDE: Duration = Duration::from_secs(5);

pattern! {
    /// ## What is seen
    ///
    /// Two first messages in opposite directions, the second before the first negotiation is complete, and both go on.
    ///
    /// ## What it means
    ///
    /// Both ends start at boot or on traffic, and did so at once. The result is two IKE SAs and often two sets of IPsec
    /// SAs, of which one carries the traffic. It is normal; some stacks then delete one, and rarely the wrong one.
    ///
    /// ## Look-alikes
    ///
    /// - `L-STALE-SA`: one side starts anew because it lost its state.
    L_SIMULT_INIT = "L-SIMULT-INIT", LifeCycle, Notice;
    title: "both sides initiate, and two negotiations run side by side";
    causes: [
        "both" 1.0 "both ends are configured to initiate", raised by "", lowered by "";
    ];
    checks: [
        Either: "if it makes trouble, let one side only respond";
    ];
    logs: [
        "racoon": "the negotiation is stopped, because there is no suitable ISAKMP-SA" ("racoon source");
        "Cisco ASA": "Cookie/peer address session already in progress" ("Cisco ASA syslog reference");
    ];
    sources: ["RFC 7296 §2.8.2", "RFC 2408 §5.1"];
    when: BEGUN_BY_SEVERAL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let crossed = case.pair.attempts.windows(2).find_map(|two| match two {
        [first, second] if crossed(first, second) => Some((first, second)),
        _ => None,
    });
    let Some((first, second)) = crossed else { return Vec::new() };
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} began {} after {} did, before that negotiation was complete",
                second.initiator.ip(),
                span(second.first.since(first.first)),
                first.initiator.ip(),
            ))
            .means("one of the two negotiations is enough")
            .frames([first.first_frame, second.first_frame]),
    ]
}

/// The attempt that the other side began at the same time, if it came up: one of the two is enough.
pub(super) fn beside<'a>(view: &View<'a>) -> Option<View<'a>> {
    let near = [view.index.checked_sub(1), Some(view.index + 1)].into_iter().flatten();
    near.filter_map(|index| view.case.view(index)).find(|other| {
        let before = other.attempt.first <= view.attempt.first;
        let (first, second) = if before { (other, view) } else { (view, other) };
        other.attempt.phase1_up.is_some() && crossed(first.attempt, second.attempt)
    })
}

fn crossed(first: &Attempt, second: &Attempt) -> bool {
    let opposite = first.initiator.ip() == second.responder.ip() && first.responder.ip() == second.initiator.ip();
    let from_the_start = !first.midstream && !second.midstream && second.rekeyed_from.is_none();
    let answered = !first.responder_spi.is_zero() && !second.responder_spi.is_zero();
    let progress = first.phase1_up.is_some() || second.phase1_up.is_some();
    let open = first.phase1_up.is_none_or(|up| second.first < up);
    opposite && from_the_start && answered && progress && open && second.first.since(first.first) <= SIDE_BY_SIDE
}
