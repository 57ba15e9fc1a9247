//! T-SEQ-RESET: the sequence numbers of an SA begin again.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::words::times;

use super::traffic;

pattern! {
    /// ## What is seen
    ///
    /// On one SPI the sequence number falls to a low value and rises again from there: by some thousands, or after a pause with
    /// many numbers in a row that had come before.
    ///
    /// ## What it means
    ///
    /// No sender may do that within one SA. The receiver takes everything below its replay window for a replay and drops
    /// it, until the numbers catch up, which may take days.
    ///
    /// ## Look-alikes
    ///
    /// - The same SPI chosen again by chance for a new SA.
    /// - `T-SEQ-WRAP`: the number ran over.
    T_SEQ_RESET = "T-SEQ-RESET", Traffic, Warning;
    title: "the sequence numbers of an SA begin again";
    causes: [
        "failover" 0.45 "a cluster member took over without the sequence numbers", raised by "a pause before; another TTL or hardware address", lowered by "a single gateway";
        "restart" 0.30 "the sender restarted with SAs that it had saved", raised by "a pause in all of its traffic", lowered by "";
        "manual" 0.15 "the SA is keyed by hand and the sender restarted", raised by "no IKE of this pair at all; SPIs that look chosen by a person", lowered by "IKE in the capture";
        "reuse" 0.10 "a new SA got the same SPI", raised by "a negotiation at that moment", lowered by "no negotiation then";
    ];
    checks: [
        Either: "clear the SAs of this tunnel, so that new ones are negotiated";
        Either: "if the sender is a cluster, check that it synchronises IPsec counters";
    ];
    logs: [];
    sources: ["RFC 4303 §2.2", "RFC 4303 §3.3.3", "RFC 6311"];
    when: RESETS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let no_ike = case.pair.attempts.is_empty();
    let reset: Vec<_> =
        traffic::ways(case).into_iter().flat_map(|way| way.flows).filter(|flow| flow.resets > 0).collect();
    if points::is_seen_twice(case) {
        return Vec::new();
    }
    let Some(flow) = reset.iter().max_by_key(|flow| flow.resets) else { return Vec::new() };
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "the numbers of SPI {} from {} began again {}",
                flow.spi,
                flow.source,
                times(u64::from(flow.resets))
            ))
            .means("a receiver that checks for replays drops them until they catch up")
            .frames(reset.iter().take(8).flat_map(|flow| [flow.first_frame, flow.last_frame]))
            .weigh("manual", if no_ike { 3.0 } else { 0.2 }),
    ]
}
