//! F-ESP-FRAG: ESP packets are IP-fragmented.

use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::{EspFlow, IncompleteFact};

use super::fragments;

/// Fewer fragmented packets than one in this many are not worth an alarm.
const SHARE: u64 = 100;
/// The other side sends again within this, if what it gets is whole.
const SILENT: Duration = Duration::from_secs(2);
/// IP protocols.
const ESP: u8 = 50;
const AH: u8 = 51;

pattern! {
    /// ## What is seen
    ///
    /// ESP or AH packets, native or in UDP, that come in IP fragments.
    ///
    /// ## What it means
    ///
    /// Packets are encrypted first and fragmented afterwards, because with the overhead of the tunnel they no longer fit. It
    /// costs speed at both ends, and breaks where a firewall or NAT drops fragments. As long as all come whole and the other
    /// side answers, that is no more than worth knowing.
    ///
    /// ## Look-alikes
    ///
    /// - `F-PMTU-BLACKHOLE`: large packets vanish instead of being fragmented.
    F_ESP_FRAG = "F-ESP-FRAG", Fragments, Warning;
    title: "ESP packets are fragmented on the way";
    causes: [
        "mss" 0.70 "inner packets are too large: the MTU of the tunnel or the TCP MSS does not allow for the overhead", raised by "many packets of full size", lowered by "a few packets only";
        "path" 0.30 "a link on the path has a smaller MTU than the gateway believes", raised by "ICMP that asks for smaller packets", lowered by "";
    ];
    checks: [
        Either: "lower the MTU of the tunnel, or clamp the TCP MSS (1350 octets is usual)";
        Path: "let IP fragments through as long as there are any";
    ];
    logs: [
        "Cisco PIX": "ERROR: unable to fragment packet" ("PIX-22");
        "Cisco": "sysopt connection tcpmss 1350" ("PIX-45");
    ];
    sources: ["PIX-22", "PIX-45", "S2S-62", "RFC 4301 §8.2", "RFC 4303 §3.3.4"];
    when: FLOWS_IN_FRAGMENTS, INCOMPLETE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let fragmented: Vec<_> = case.pair.flows.iter().filter(|flow| flow.fragmented > 0).collect();
    let data = |lost: &&IncompleteFact| [ESP, AH].contains(&lost.protocol);
    let mut lost: Vec<_> = case.pair.incomplete.iter().filter(data).collect();
    if !lost.iter().any(|lost| fragments::were_awaited(case, lost)) {
        lost.clear();
    }
    if fragmented.is_empty() && lost.is_empty() {
        return Vec::new();
    }
    let packets: u64 = case.pair.flows.iter().map(|flow| flow.packets).sum();
    let pieces: u64 = fragmented.iter().map(|flow| flow.fragmented).sum();
    let mut seen = Vec::new();
    if !fragmented.is_empty() {
        seen.push(format!("{} of {} of ESP or AH came in IP fragments", pieces, number(packets, "packet")));
    }
    for from in [case.pair.a, case.pair.b] {
        let of_it = lost.iter().filter(|lost| lost.source == from);
        let (first_only, count) = of_it.fold((true, 0), |(all, count), lost| (all && lost.first_seen, count + 1));
        if count > 0 {
            let rest = if first_only { ": the first fragment came, and not the rest" } else { "" };
            seen.push(format!("{} from {from} never became whole here{rest}", number(count, "fragmented packet")));
        }
    }
    let found = Match::on_pair(Confidence::Stated)
        .seen(seen.join("; "))
        .means(if lost.is_empty() {
            "packets no longer fit after encryption and are fragmented: slow, and lost wherever fragments are dropped"
        } else {
            "packets no longer fit after encryption and are fragmented, and fragments of them are lost before this point"
        })
        .frames(fragmented.iter().map(|flow| flow.first_frame))
        .frames(lost.iter().map(|lost| lost.frame));
    let few = lost.is_empty() && pieces.saturating_mul(SHARE) < packets;
    vec![match (few, lost.is_empty() && answered(case, &fragmented)) {
        (true, _) => found.severity(Severity::Info),
        (_, true) => found.severity(Severity::Notice),
        _ => found,
    }]
}

/// Whether the other side still sends when fragmented packets come: they are slow, and do arrive.
fn answered(case: &Case<'_>, fragmented: &[&EspFlow]) -> bool {
    fragmented.iter().all(|flow| {
        let back = case.flows_from(flow.destination).map(|flow| flow.last).max();
        back.is_some_and(|back| flow.last.since(back) < SILENT)
    })
}
