//! T-SEQ-GAP: packets are lost on the way.

use std::collections::HashSet;

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::{Confidence, Severity};
use crate::track::{EspFlow, FlowProtocol};

use super::traffic;

/// Fewer lost packets than these are nothing to speak of.
const LEAST_LOST: u64 = 5;
/// A sender that skips numbers skips so many at least.
const SKIPPED: u64 = 1000;
/// One in so many lost is worth a word.
const ONE_IN: u64 = 200;
/// One in so many lost is much.
const MUCH: u64 = 10;

pattern! {
    /// ## What is seen
    ///
    /// Sequence numbers of an SA that never came by, though higher ones did.
    ///
    /// ## What it means
    ///
    /// The sender numbers its packets without gaps, so what is missing was lost before the capture point, or the capture
    /// itself dropped it. Loss behind the capture point does not show.
    ///
    /// ## Look-alikes
    ///
    /// - `T-REORDER`: late packets are not lost.
    /// - A cluster member that takes over skips numbers, so that none comes twice (RFC 6311); and after a pause of the capture
    ///   they have gone on. Then more are missing in a row than were seen, which is a remark.
    /// - An SA keyed by hand that several destinations share (OSPFv3) counts over all of them.
    /// - A sender that spreads an SA over several paths, of which one is captured.
    T_SEQ_GAP = "T-SEQ-GAP", Traffic, Notice;
    title: "packets of the tunnel are lost before the capture point";
    causes: [
        "path" 0.45 "loss or policing on the path", raised by "one direction loses more than the other; bursts of IKE repeats",
            lowered by "the capture was taken at the sender";
        "capture" 0.35 "the capture could not keep up, or its mirror port drops",
            raised by "both directions lose alike", lowered by "the capture file reports no drops";
        "paths" 0.15 "part of the packets travels another path", raised by "a steady share is missing", lowered by "";
        "ahead" 0.05 "the sender skipped numbers, as a cluster member does that takes over", raised by "one jump by thousands at an unbroken rhythm", lowered by "both directions jump";
    ];
    checks: [
        Capture: "look at the capture's own drop counter first";
        Path: "check interface errors, policing and queues for protocol 50 or UDP 4500 on the way to the capture point";
    ];
    logs: [];
    sources: ["S2S-49", "RFC 4303 §2.2", "RFC 6311 §5.2"];
    when: LOST;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let (mut one_stretch, mut skipped) = (true, true);
    let mut parts = Vec::new();
    let mut frames = Vec::new();
    // AH or ESP without IKE may be keyed by hand and count over several destinations, as routing protocols do. Who chooses an SPI
    // does not choose that of the other side.
    let flows = &case.pair.flows;
    let spis = |from_a| {
        let of = flows.iter().filter(move |flow| case.pair.is_from_a(flow.source, flow.destination) == from_a);
        of.map(|flow| flow.spi).collect::<HashSet<_>>()
    };
    let by_hand = case.pair.attempts.is_empty();
    let both = if by_hand { &spis(true) & &spis(false) } else { HashSet::new() };
    let counted = |flow: &EspFlow| {
        let shared = by_hand && (flow.protocol == FlowProtocol::Ah || both.contains(&flow.spi));
        !(flow.destination.is_multicast() || shared)
    };
    for way in traffic::ways(case).map(|way| way.only(counted)) {
        let lost: u64 = way.flows.iter().map(|flow| flow.lost).sum();
        let sent = way.packets().saturating_add(lost);
        if lost >= LEAST_LOST && lost.saturating_mul(ONE_IN) >= sent {
            let percent = lost as f64 * 100.0 / sent as f64;
            let stretch = way.flows.iter().map(|flow| flow.lost.min(flow.widest.into())).max().unwrap_or(0);
            let in_a_row = stretch.saturating_mul(5) >= lost.saturating_mul(4);
            let row = if in_a_row { format!(", {stretch} of them in a row") } else { String::new() };
            parts.push(format!("{lost} of {sent} packets from {} never came by ({percent:.1} %){row}", way.from));
            one_stretch &= in_a_row;
            skipped &= stretch >= SKIPPED && stretch >= way.packets().saturating_mul(10);
            frames.extend(way.only(|flow| flow.lost > 0).frames());
        }
    }
    if parts.is_empty() {
        return Vec::new();
    }
    let both = parts.len() == 2;
    let found = Match::on_pair(Confidence::Inferred)
        .seen(parts.join("; "))
        .frames(frames)
        .weigh("capture", if both { 1.5 } else { 0.7 });
    vec![match (one_stretch, skipped) {
        (true, true) => found
            .severity(Severity::Info)
            .means("more numbers are missing in a row than packets were seen: the sender skipped ahead, or the capture paused")
            .rule_out(&["paths"])
            .weigh("path", 0.1)
            .weigh("ahead", if both { 4.0 } else { 20.0 }),
        (true, false) => found
            .means("they were lost one after the other: the path, a NAT's mapping or the capture was gone for a while, or packets of one kind or size do not pass")
            .rule_out(&["paths", "ahead"]),
        _ => found.means("they were lost before the capture point, or by the capture").rule_out(&["ahead"]),
    }]
}

/// Whether much of what one side sends under an SA does not come by, and it did not skip numbers.
pub(super) fn is_patchy(case: &Case<'_>) -> bool {
    case.pair.flows.iter().any(|flow| {
        let skips = flow.packets.saturating_mul(10) <= flow.widest.into();
        let much = flow.lost.saturating_mul(MUCH) >= flow.packets.saturating_add(flow.lost);
        flow.lost >= LEAST_LOST && much && !skips
    })
}
