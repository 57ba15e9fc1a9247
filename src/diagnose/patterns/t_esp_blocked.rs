//! T-ESP-BLOCKED: IKE passes and ESP does not.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span, times};
use crate::diagnose::{Confidence, Severity};
use crate::packet::icmp_error_name;
use crate::track::{IcmpAbout, IcmpFact};

use super::{c_two_point, icmp, nat, traffic};

pattern! {
    /// ## What is seen
    ///
    /// IKE over UDP is answered, during set-up and after. ESP travels directly over IP (protocol 50, no NAT, so no UDP
    /// around it), and either a router or host answers it with an ICMP error (protocol unreachable, prohibited), or it goes
    /// out and none ever comes in.
    ///
    /// ## What it means
    ///
    /// A firewall, a provider or a NAT device passes UDP 500 and not IP protocol 50. An ICMP error proves it; without one,
    /// a capture at one point cannot tell it from a far side that has nothing to answer with.
    ///
    /// ## Look-alikes
    ///
    /// - `T-ONEWAY`: the same picture at one capture point, when the fault is behind the far gateway.
    T_ESP_BLOCKED = "T-ESP-BLOCKED", Traffic, Error;
    title: "IKE passes and ESP does not";
    causes: [
        "filter" 0.70 "a firewall or provider on the path passes UDP 500 and drops IP protocol 50",
            raised by "an ICMP error about protocol 50; liveness checks answered meanwhile", lowered by "ESP of other pairs on the same path";
        "nat" 0.15 "a NAT or pass-through device handles one ESP flow at a time, or none",
            raised by "several clients behind one address", lowered by "NAT detection: there is none";
        "host" 0.15 "the receiving host does not take protocol 50: no SA in its kernel, or its own packet filter",
            raised by "protocol unreachable from the peer itself", lowered by "the error comes from a router";
    ];
    checks: [
        Path: "permit IP protocol 50 (and 51, if AH is used) in both directions on every firewall between the two gateways";
        Either: "if that is not possible, force UDP encapsulation of ESP";
        Either: "on the side that gets no ESP, capture on its outside: does any arrive?";
    ];
    logs: [
        "Cisco ASA": "ESP traffic permitted through the outside interface" ("S2S-07");
    ];
    sources: ["S2S-07", "NIR-02", "RFC 4303 §2", "RFC 3948 §1", "RFC 792"];
    when: ICMP, FLOWS_ONE_WAY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let Some((attempt, view, up)) = traffic::last_up(case) else { return Vec::new() };
    let refused: Vec<&IcmpFact> = case
        .pair
        .icmp_errors
        .iter()
        .filter(|fact| fact.last >= up && is_refusal(fact))
        .filter(|fact| !icmp::passes_again(case, fact.quoted_destination, fact.last))
        .collect();
    if let Some(first) = refused.first() {
        if refuses_ike(case, first) {
            return Vec::new();
        }
        let itself = first.from == first.quoted_destination;
        let to = if itself { " to it".to_owned() } else { format!(" to {}", first.quoted_destination) };
        let says = icmp_error_name(first.version, first.icmp_type, first.code).unwrap_or("a refusal");
        let icmp = if first.version == 6 { "ICMPv6" } else { "ICMP" };
        let found = Match::on(attempt, Confidence::Stated)
            .seen(format!(
                "the tunnel is up, and {} answered ESP{to} with \"{says}\" ({icmp} {}/{}) {}",
                first.from,
                first.icmp_type,
                first.code,
                times(refused.iter().map(|fact| fact.count).sum()),
            ))
            .means(if itself {
                "IKE gets through on UDP; the host itself says that it does not take IP protocol 50"
            } else {
                "IKE gets through on UDP, and IP protocol 50 is refused"
            })
            .frames([view.attempt.last_frame])
            .frames(first.frames.iter().copied());
        let found = if itself { found.weigh("host", 12.0).weigh("nat", 0.2) } else { found.rule_out(&["host"]) };
        // A router on the way speaks of what it does itself.
        return vec![if nat::none(&view) { found.rule_out(&["nat"]) } else { found }];
    }
    let Some(one_way) = traffic::one_way(case) else { return Vec::new() };
    if !one_way.alive || one_way.late || !one_way.way.is_native() || one_way.answered_before || one_way.unconfirmed {
        return Vec::new();
    }
    let way = &one_way.way;
    let found = Match::on(attempt, Confidence::Suspected)
        .seen(format!(
            "{} of ESP from {} in {} and none from {}, which goes on answering IKE",
            number(way.packets(), "packet"),
            way.from,
            span(way.span()),
            way.to,
        ))
        .means("UDP passes between the two and IP protocol 50 perhaps does not")
        .frames(way.frames())
        .severity(if one_way.may_want_no_answer() { Severity::Notice } else { Severity::Warning })
        .settle(format!("a capture on the outside of {}: ESP that arrives there is not blocked", way.to));
    let found = if nat::none(&view) { found.rule_out(&["nat"]) } else { found };
    vec![c_two_point::tell_traffic(case, way, (&T_ESP_BLOCKED, "filter"), found)]
}

/// ICMP errors that refuse the packets of `way`.
pub(super) fn refusals<'a>(case: &Case<'a>, way: &traffic::Way<'_>) -> impl Iterator<Item = &'a IcmpFact> {
    let (from, to, since) = (way.from, way.to, way.first());
    case.pair.icmp_errors.iter().filter(move |fact| {
        is_refusal(fact)
            && since.is_some_and(|since| fact.last >= since)
            && (fact.quoted_source, fact.quoted_destination) == (from, to)
    })
}

/// Who refuses ESP refuses IKE to the same host too, from then on or before, and nothing of IKE comes from there since.
fn refuses_ike(case: &Case<'_>, esp: &IcmpFact) -> bool {
    let alike = |fact: &&IcmpFact| {
        matches!(fact.about, IcmpAbout::Isakmp { .. })
            && (fact.from, fact.quoted_destination) == (esp.from, esp.quoted_destination)
    };
    let heard = |since| {
        let mut messages = case.attempts().flat_map(|(_, view)| view.messages());
        messages.any(|message| message.source.ip() == esp.quoted_destination && message.last_sent() > since)
    };
    case.pair.icmp_errors.iter().filter(alike).any(|fact| !heard(fact.first.min(esp.first)))
}

/// Protocol unreachable, or prohibited, about ESP or AH directly over IP.
fn is_refusal(fact: &IcmpFact) -> bool {
    let about = matches!(fact.about, IcmpAbout::Esp | IcmpAbout::Ah | IcmpAbout::Fragment { protocol: 50 | 51 });
    let refusal = match fact.version {
        4 => fact.icmp_type == 3 && matches!(fact.code, 2 | 9 | 10 | 13),
        _ => matches!((fact.icmp_type, fact.code), (1, 1 | 5 | 6) | (4, 1)),
    };
    about && refusal
}
