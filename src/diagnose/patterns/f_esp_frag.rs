//! F-ESP-FRAG: ESP packets are IP-fragmented.

use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;

/// Fewer fragmented packets than one in this many are not worth an alarm.
const SHARE: u64 = 100;
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
    /// costs speed at both ends, and breaks where a firewall or NAT drops fragments.
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
    let lost: Vec<_> = case.pair.incomplete.iter().filter(|lost| [ESP, AH].contains(&lost.protocol)).collect();
    if fragmented.is_empty() && lost.is_empty() {
        return Vec::new();
    }
    let packets: u64 = case.pair.flows.iter().map(|flow| flow.packets).sum();
    let pieces: u64 = fragmented.iter().map(|flow| flow.fragmented).sum();
    let mut seen = format!("{} of {} of ESP or AH came in IP fragments", pieces, number(packets, "packet"));
    if !lost.is_empty() {
        seen.push_str(&format!("; {} never became whole here", number(lost.len() as u64, "more packet")));
    }
    let found = Match::on_pair(Confidence::Stated)
        .seen(seen)
        .means(
            "packets no longer fit after encryption and are fragmented: slow, and lost wherever fragments are dropped",
        )
        .frames(fragmented.iter().map(|flow| flow.first_frame))
        .frames(lost.iter().map(|lost| lost.frame));
    let few = lost.is_empty() && pieces.saturating_mul(SHARE) < packets;
    vec![if few { found.severity(Severity::Info) } else { found }]
}
