//! N-ICMP-HOST: a router says that the peer cannot be reached.

use crate::diagnose::case::{AT_ONCE, Case};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;

use super::icmp::{self, Said};

pattern! {
    /// ## What is seen
    ///
    /// ICMP network or host unreachable (type 3 code 0, 1, 6 or 7; ICMPv6 type 1 code 0 or 3) or time to live exceeded
    /// (type 11 code 0; ICMPv6 type 3 code 0) that quotes IKE, ESP or AH of the pair.
    ///
    /// ## What it means
    ///
    /// A router on the way has no route to the peer, cannot find it on its last segment, or the packet went round in a loop.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-NO-REPLY`, `V2-NO-REPLY`: the same without a router that says so.
    N_ICMP_HOST = "N-ICMP-HOST", Path, Error;
    title: "a router says that the peer cannot be reached";
    causes: [
        "down" 0.50 "the peer is down or off its segment", raised by "host unreachable (code 1) from the peer's own router", lowered by "other packets from the peer";
        "route" 0.40 "a route is missing or loops", raised by "network unreachable (code 0) or time exceeded", lowered by "host unreachable from the last router";
        "address" 0.10 "the peer address is wrong", raised by "first attempt ever", lowered by "the peer answered before";
    ];
    checks: [
        Path: "on the router that sent the ICMP, check the route to the peer and, if it is the last one, its ARP or neighbour entry";
        Path: "follow the route to the peer from router to router (traceroute), and look where it goes back" about "route";
        Either("the side that cannot be reached"): "check that it is up and connected" about "down";
        Initiator: "check the peer address" about "address";
    ];
    logs: [];
    sources: ["SMG-11", "S2S-05", "S2S-15", "NIR-32", "RFC 792", "RFC 4443 §3.1"];
    when: ICMP;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    icmp::errors(
        case,
        |fact| {
            matches!(
                (fact.version, fact.icmp_type, fact.code),
                (4, 3, 0 | 1 | 6 | 7) | (4, 11, 0) | (6, 1, 0 | 3) | (6, 3, 0)
            )
        },
        "the packet did not get to the peer: no route to it, or no such host on its segment",
        weigh,
    )
}

/// The last router asks for the host and gets no answer; those before it know no way.
fn weigh(said: &Said<'_>, mut found: Match) -> Match {
    let fact = said.fact;
    found.party = said.unreached;
    let asked = said.delay.filter(|&delay| delay >= AT_ONCE);
    let found = match (fact.version, fact.icmp_type, fact.code, asked) {
        (4, 3, 1, Some(asked)) | (6, 1, 3, Some(asked)) => found
            .means(format!(
                "the packet got as far as {}, which took {} to say so, as who asks its last segment for a host and gets no answer: most likely the peer is off, or has another address",
                fact.from,
                span(asked),
            ))
            .weigh("down", 2.0)
            .weigh("route", 0.2),
        (4, 3, 1 | 7, _) | (6, 1, 3, _) => found.weigh("route", 0.4),
        (4, 11, 0, _) | (6, 3, 0, _) => found
            .means("the packet went from router to router until its time to live was up: they send it in a circle")
            .rule_out(&["down"]),
        _ => found.weigh("route", 2.5).weigh("down", 0.4),
    };
    match (said.after_up || said.redirected, said.heard) {
        (true, _) => found.rule_out(&["address"]),
        (_, true) => found.weigh("address", 0.1),
        _ => found,
    }
}
