//! L-RETRY-LOOP: the same failure again and again.

use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;

use super::life_cycle;

/// Attempts before it is a loop.
const LEAST: usize = 3;

pattern! {
    /// ## What is seen
    ///
    /// One new negotiation after the other, each with new SPIs, from the same side, and each stops at the same message.
    ///
    /// ## What it means
    ///
    /// Nothing changes between the tries, and waiting will not help. Another finding names what stops them; this one
    /// counts them and gives their rhythm.
    ///
    /// ## Look-alikes
    ///
    /// - `L-FLAP`: the tunnel comes up each time.
    L_RETRY_LOOP = "L-RETRY-LOOP", LifeCycle, Notice;
    title: "the same negotiation fails again and again";
    causes: [
        "lasting" 1.0 "whatever stops the single attempt", raised by "", lowered by "";
    ];
    checks: [
        Either: "see the other findings of this pair: they say what stops each attempt";
    ];
    logs: [
        "Azure": "Azure will keep retrying every few seconds" ("Azure diagnostics doc");
    ];
    sources: ["RFC 7296 §2.4"];
    when: MANY_ATTEMPTS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let attempts: Vec<(usize, View<'_>)> = case.attempts().collect();
    let alike = |one: &(usize, View<'_>), other: &(usize, View<'_>)| {
        let (one, other) = (one.1.attempt, other.1.attempt);
        one.version == other.version && one.stage == other.stage && one.initiator.ip() == other.initiator.ip()
    };
    let failed = |(_, view): &(usize, View<'_>)| {
        let shown = !view.attempt.midstream && !view.one_sided();
        view.tunnel_up().is_none() && shown && view.attempt.rekeyed_from.is_none()
    };
    let longest = attempts
        .chunk_by(|one, other| failed(one) && failed(other) && alike(one, other))
        .filter(|run| run.len() >= LEAST)
        .max_by_key(|run| run.len());
    let Some(run @ [(_, first), ..]) = longest else { return Vec::new() };
    let starts: Vec<_> = run.iter().map(|(_, view)| view.attempt.first).collect();
    let periods: Vec<Duration> = starts.windows(2).filter_map(|two| Some(two.get(1)?.since(*two.first()?))).collect();
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} attempts of {} in a row got as far as {} and no further, {} apart{}",
                run.len(),
                first.attempt.initiator.ip(),
                first.attempt.stage,
                span(life_cycle::mean(&periods)),
                if life_cycle::alike(&periods) { "" } else { " on average" },
            ))
            .means("nothing changes from one try to the next; another finding says what stops them")
            .frames(run.iter().take(16).map(|(_, view)| view.attempt.first_frame)),
    ]
}
