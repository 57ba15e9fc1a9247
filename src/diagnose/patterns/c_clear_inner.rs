//! C-CLEAR-INNER: traffic that belongs into the tunnel leaves in clear.

use std::net::IpAddr;

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};

use super::is_taken_down;

pattern! {
    /// ## What is seen
    ///
    /// On the outside, IP packets in clear between the private networks of the two sites, or from one site to the far
    /// private network; or L2TP (UDP 1701) in clear between peers that protect it with IPsec.
    ///
    /// ## What it means
    ///
    /// The gateway sends around the tunnel what should go through it: the packets are lost at the first router on the
    /// Internet, or read by whoever carries them.
    ///
    /// ## Look-alikes
    ///
    /// - A capture on the gateway itself: Linux hands packets that came out of the tunnel to the capture once more.
    /// - Private addresses that never had a tunnel: a routing leak.
    C_CLEAR_INNER = "C-CLEAR-INNER", Capture, Error;
    title: "traffic that should be in the tunnel leaves in clear";
    causes: [
        "nat" 0.40 "the traffic is translated before it is matched: no NAT exemption", raised by "the source is the gateway's own address", lowered by "private sources";
        "policy" 0.30 "the policy or access list does not match it", raised by "other networks do pass the tunnel", lowered by "nothing passes it";
        "route" 0.20 "a more specific route takes it past the tunnel", raised by "a route-based tunnel", lowered by "a policy-based one";
        "open" 0.10 "the gateway lets traffic pass in clear while the tunnel is down", raised by "it stops when the tunnel comes up", lowered by "it goes on with the tunnel up";
    ];
    checks: [
        Either: "exempt traffic between the protected networks from address translation";
        Either: "check policy or access list and routes for these networks";
        Either: "block traffic to the far networks on the outside, so that nothing leaks while the tunnel is down";
    ];
    logs: [
        "Cisco PIX": "NO TRANS error" ("PIX-40");
    ];
    sources: ["SMG-03", "PIX-40", "S2S-33", "S2S-50", "RFC 4301 §4.4.1"];
    when: CLEAR_PACKETS;
    check: check
}

/// Packets in clear that are more than a stray.
const ENOUGH: u64 = 3;

fn check(case: &Case<'_>) -> Vec<Match> {
    l2tp(case).into_iter().chain(private(case)).collect()
}

/// L2TP between the very peers that negotiate protection for it.
fn l2tp(case: &Case<'_>) -> Option<Match> {
    let (index, view) = case.attempts().last()?;
    let pair = case.pair;
    let fact = case.facts.clear.iter().find(|fact| {
        let ends = (fact.source, fact.destination);
        fact.l2tp && (ends == (pair.a, pair.b) || ends == (pair.b, pair.a))
    })?;
    Some(
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "{} from {} to {} in clear, UDP 1701, {}",
                number(fact.count, "L2TP packet"),
                fact.source,
                fact.destination,
                if view.attempt.phase1_up.is_some() {
                    "beside an IKE SA of the same peers"
                } else {
                    "and no IKE SA came up"
                },
            ))
            .means(format!("{} sends L2TP past IPsec", fact.source))
            .frames([fact.frame]),
    )
}

/// Packets between private networks beside the only pair of gateways with public addresses: a guess at what the tunnel is
/// for, and said as one.
fn private(case: &Case<'_>) -> Option<Match> {
    let pair = case.pair;
    if pair.attempts.is_empty() || !case.survey.is_only_pair_with_ike() || is_private(pair.a) || is_private(pair.b) {
        return None;
    }
    let fact = case.facts.clear.iter().find(|fact| !fact.l2tp && fact.count >= ENOUGH)?;
    // Where there is no traffic in the tunnel, or it had ended before: this may be what the tunnel is for. Beside such traffic
    // a capture that sees the inside too is the likelier reading.
    let carried = pair.flows.iter().filter(|flow| flow.packets > 1).map(|flow| flow.last).max();
    let beside = carried.is_some_and(|last| fact.first < last);
    let taken_down = is_taken_down(case) && fact.first > pair.last;
    let when = match (taken_down, carried.is_some() && !beside) {
        (true, _) => ", all of them after the tunnel was taken down",
        (_, true) => ", all of them after the last packet of ESP or AH",
        _ => "",
    };
    let handed_up = beside && is_handed_up(case);
    let found = Match::on_pair(Confidence::Suspected)
        .seen(format!(
            "{} from {} to {} in clear, both private addresses{when}",
            number(fact.count, "packet"),
            fact.source,
            fact.destination,
        ))
        .means(if handed_up {
            "one direction only, about as many as ESP has one way: a capture on a Linux gateway shows what came out of the tunnel once more; \
             if this is none, a gateway sends the traffic of these networks around the tunnel"
        } else {
            "if these networks belong into the tunnel, a gateway sends their traffic around it"
        })
        .frames([fact.frame])
        .settle("the networks that the tunnel is for, and whether the capture point also sees the inside");
    let found = if when.is_empty() { found } else { found.weigh("open", 8.0) };
    Some(found.severity(match beside || taken_down {
        _ if handed_up => Severity::Info,
        true => Severity::Notice,
        false => Severity::Warning,
    }))
}

/// Whether packets in clear go one way only, about as many as ESP brings that way: Linux shows a capture what came out of the tunnel.
fn is_handed_up(case: &Case<'_>) -> bool {
    let clear = || case.facts.clear.iter().filter(|fact| !fact.l2tp);
    let back =
        clear().any(|fact| clear().any(|other| (other.source, other.destination) == (fact.destination, fact.source)));
    let count: u64 = clear().map(|fact| fact.count).sum();
    let carried = |end| case.flows_from(end).map(|flow| flow.packets).sum::<u64>();
    let fits = |carried: u64| count <= carried && count.saturating_mul(5) >= carried.saturating_mul(4);
    !back && (fits(carried(case.pair.a)) || fits(carried(case.pair.b)))
}

fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_private(),
        IpAddr::V6(address) => address.is_unique_local(),
    }
}
