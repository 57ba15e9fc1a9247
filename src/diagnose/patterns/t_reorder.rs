//! T-REORDER: packets overtake each other.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};

use super::traffic;

/// Fewer late packets than these are nothing to speak of.
const LEAST_LATE: u64 = 10;
/// One in so many late is worth a word.
const ONE_IN: u64 = 50;
/// One in so many that the usual window drops is an alarm.
const DROPPED_ONE_IN: u64 = 100;

pattern! {
    /// ## What is seen
    ///
    /// Packets of an SA that come by after others with higher sequence numbers.
    ///
    /// ## What it means
    ///
    /// A receiver that checks for replays keeps a window behind the highest number, of 32 to 1024 packets and mostly 64.
    /// What comes later than that it drops, so that strong reordering costs traffic without any loss on the path. A little
    /// reordering is harmless. Where many come more than 64 behind, it is a warning.
    ///
    /// ## Look-alikes
    ///
    /// - `T-REPLAY`: the number had come before.
    /// - `T-SEQ-RESET`: all following numbers are low.
    T_REORDER = "T-REORDER", Traffic, Notice;
    title: "packets of the tunnel arrive out of order";
    causes: [
        "queues" 0.45 "queueing by class after encryption lets some packets overtake others",
            raised by "small packets overtake large ones", lowered by "";
        "links" 0.40 "parallel links or paths that balance by packet", raised by "late packets at all times", lowered by "";
        "fragments" 0.15 "fragments are put together late on the way", raised by "fragmented ESP in the capture", lowered by "no fragment of ESP in the capture";
    ];
    checks: [
        Either: "on the receiving side, look at the replay counter; if it rises, enlarge the replay window (1024)";
        Either: "on the sending side, classify and queue before encryption, or copy the marking so that one SA stays in one class";
        Path: "balance by flow and not by packet";
    ];
    logs: [
        "Cisco IOS": "%CRYPTO-4-PKT_REPLAY_ERR: decrypt: replay check failed" ("Cisco 116858");
        "Cisco": "IPSEC-3-REPLAY_ERROR: IPSec SA receives anti-replay error" ("public blog");
        "ZyXEL": "Discard REPLAY packet" ("ZyXEL manuals");
    ];
    sources: ["S2S-42", "RFC 4303 §3.4.3", "RFC 6479"];
    when: REORDERED;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let late = |way: &traffic::Way<'_>| way.flows.iter().map(|flow| flow.reordered).sum::<u64>();
    let deep = |way: &traffic::Way<'_>| way.flows.iter().map(|flow| u64::from(flow.deep)).sum::<u64>();
    let counts = |count: u64, way: &traffic::Way<'_>, one_in| {
        count >= LEAST_LATE && count.saturating_mul(one_in) >= way.packets()
    };
    let is_deep = |way: &traffic::Way<'_>| counts(deep(way), way, DROPPED_ONE_IN);
    let Some(way) = traffic::ways(case)
        .into_iter()
        .filter(|way| counts(late(way), way, ONE_IN) || is_deep(way))
        .max_by_key(|way| (is_deep(way), late(way)))
    else {
        return Vec::new();
    };
    // Two clocks put in order of time what each of them saw in its own.
    if points::is_seen_twice(case) {
        return Vec::new();
    }
    let (deep, is_deep) = (deep(&way), is_deep(&way));
    let fragmented = way.flows.iter().any(|flow| flow.fragmented > 0);
    let mut seen =
        format!("{} of {} from {} came after a higher number", late(&way), number(way.packets(), "packet"), way.from);
    let many = if deep > 0 { deep.to_string() } else { "none".into() };
    seen.push_str(&format!(", {many} of them more than 64 behind it"));
    let found = Match::on_pair(Confidence::Stated)
        .seen(seen)
        .means(if is_deep {
            "a receiver with the usual window of 64 drops what comes later than that: traffic is lost without loss on the path"
        } else {
            "harmless within the receiver's replay window; what comes later than that it drops"
        })
        .frames(way.only(|flow| flow.reordered > 0).frames())
        .weigh("fragments", if fragmented { 3.0 } else { 0.2 })
        .settle(format!("the replay counter of the SA on {}", way.to));
    vec![if is_deep { found.severity(Severity::Warning) } else { found }]
}
