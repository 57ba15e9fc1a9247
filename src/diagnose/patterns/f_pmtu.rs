//! F-PMTU: a router asks for smaller packets.

use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::{IcmpAbout, IcmpFact};

/// A sender that still sends too large packets after this does not listen.
const LISTENS_WITHIN: Duration = Duration::from_secs(3);
/// So many requests are enough to say that it does not listen.
const ENOUGH: u64 = 5;

pattern! {
    /// ## What is seen
    ///
    /// ICMP fragmentation needed (type 3 code 4) or packet too big (ICMPv6 type 2) that quotes IKE, ESP or AH of the pair,
    /// with the MTU of the next link.
    ///
    /// ## What it means
    ///
    /// A link on the path takes smaller packets than the gateway sends. One or two of these are how path MTU discovery works:
    /// the gateway sends smaller packets from then on. Many of them over a long time say that it does not listen, or that
    /// a firewall keeps them from it. If it is a message of the negotiation that is asked to be smaller, each time it is sent,
    /// that is what stops the negotiation.
    ///
    /// ## Look-alikes
    ///
    /// - `F-PMTU-BLACKHOLE`: large packets vanish and nobody says so.
    F_PMTU = "F-PMTU", Fragments, Notice;
    title: "a router on the path asks for smaller packets";
    causes: [
        "link" 0.70 "a link on the path with a smaller MTU (PPPoE, a tunnel in the tunnel)", raised by "it comes once or twice", lowered by "it repeats for as long as large packets are sent";
        "ignored" 0.30 "the gateway does not act on it, or a filter in front of it drops the ICMP", raised by "it repeats for as long as large packets are sent", lowered by "it comes once or twice";
    ];
    checks: [
        Either: "lower the MTU of the tunnel or clamp the TCP MSS to what the router names, less the overhead of ESP";
        Either: "turn on IKE fragmentation, or let the gateway fragment what is too large (no DF on IKE), if it is IKE that is too large";
        Path: "let ICMP type 3 code 4 (ICMPv6 type 2) through to both gateways";
    ];
    logs: [
        "Cisco ASA": "#PMTUs sent / #PMTUs rcvd" ("S2S-54");
        "Cisco ASA": "%ASA-6-602103: IPSEC: Received an ICMP Destination Unreachable with suggested PMTU; PMTU updated for SA with peer, SPI" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-22", "PIX-45", "S2S-54", "RFC 1191", "RFC 8201", "RFC 4301 §8.2"];
    when: ICMP;
    check: check
}

/// Whether an error asks for smaller packets.
pub(super) fn asks_for_smaller(error: &IcmpFact) -> bool {
    matches!((error.version, error.icmp_type, error.code), (4, 3, 4) | (6, 2, _))
}

/// Whether a router asks for smaller messages of IKE.
pub(super) fn about_ike(case: Case<'_>) -> bool {
    let isakmp = |error: &IcmpFact| matches!(error.about, IcmpAbout::Isakmp { .. });
    case.pair.icmp_errors.iter().any(|error| asks_for_smaller(error) && isakmp(error))
}

/// The attempt that stops with a message that a router asks to be smaller, each time it is sent.
fn in_negotiation(case: &Case<'_>, error: &IcmpFact) -> Option<usize> {
    if !matches!(error.about, IcmpAbout::Isakmp { .. }) || error.count < 2 {
        return None;
    }
    let (index, view) = case
        .attempts()
        .filter(|(_, view)| error.initiator_spi.is_none_or(|spi| spi == view.attempt.initiator_spi))
        .filter(|(_, view)| view.attempt.first <= error.first)
        .last()?;
    let attempt = view.attempt;
    let last = view.messages().max_by_key(|message| message.last_sent())?;
    let up = attempt.phase1_up.is_some() || view.tunnel_up().is_some() || case.overcome(index);
    let quoted = last.source.ip() == error.quoted_source && last.at <= error.first;
    let unanswered = view.messages().all(|message| message.from == last.from || message.at < last.at);
    (!up && quoted && unanswered && error.count > u64::from(last.repeat_count)).then_some(index)
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.pair
        .icmp_errors
        .iter()
        .filter(|error| asks_for_smaller(error))
        .map(|error| {
            let over = error.last.since(error.first);
            let deaf = error.count >= ENOUGH && over >= LISTENS_WITHIN;
            let mtu = error.mtu.filter(|&mtu| mtu > 0).map_or(String::new(), |mtu| format!(", at most {mtu} octets"));
            let stopped = in_negotiation(case, error);
            let found = match stopped {
                Some(index) => Match::on(index, Confidence::Stated),
                None => Match::on_pair(Confidence::Stated),
            };
            let found = found
                .seen(format!(
                    "{} asked {} for smaller packets to {}{mtu}, {} in {}",
                    error.from,
                    error.quoted_source,
                    error.quoted_destination,
                    times(error.count),
                    span(over),
                ))
                .frames(error.frames.iter().copied());
            if stopped.is_some() {
                found
                    .severity(Severity::Error)
                    .means("a message of the negotiation is too large for a link on the path, and never sent smaller: it cannot arrive")
                    .weigh("ignored", 4.0)
            } else if deaf {
                found
                    .severity(Severity::Warning)
                    .means("the sender goes on sending packets that are too large: it does not hear or does not heed the router")
                    .weigh("ignored", 4.0)
            } else {
                // Path MTU discovery at work is no trouble while the tunnel carries traffic.
                let works = case.both_ways() && case.attempts().any(|(_, view)| view.tunnel_up().is_some());
                let found = found.means("path MTU discovery at work: smaller packets should follow");
                if works { found.severity(Severity::Info) } else { found }
            }
        })
        .collect()
}
