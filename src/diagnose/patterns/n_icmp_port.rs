//! N-ICMP-PORT: the peer refuses the UDP port.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};

use super::icmp;

pattern! {
    /// ## What is seen
    ///
    /// ICMP port unreachable (type 3 code 3; ICMPv6 type 1 code 4) that quotes an IKE message of the pair.
    ///
    /// ## What it means
    ///
    /// The host is reached and nothing listens on that port: the IKE service is off, bound to another address, or this is
    /// the wrong host. A firewall may also answer in its name; the address that the ICMP comes from tells.
    ///
    /// ## Look-alikes
    ///
    /// - `N-ICMP-PROHIB`: a filter says that it is one.
    /// - `L-DPD-TIMEOUT`: the service died after the tunnel was up.
    N_ICMP_PORT = "N-ICMP-PORT", Path, Error;
    title: "nothing listens on the peer's IKE port";
    causes: [
        "off" 0.70 "IKE is not enabled on the responder, its service is down, or it listens on another address",
            raised by "the ICMP comes from the responder's own address", lowered by "it comes from a router";
        "address" 0.20 "the initiator's peer address is that of another host", raised by "first attempt ever", lowered by "the peer answered before";
        "firewall" 0.10 "a firewall answers in the responder's name", raised by "another source or time to live than the responder's other packets",
            lowered by "the same source and time to live";
    ];
    checks: [
        Responder: "enable IKE on the outside interface and start the service; check which addresses it listens on";
        Initiator: "check the peer address" about "address";
        Path: "look for a firewall that rejects UDP 500 or 4500 with port unreachable";
    ];
    logs: [];
    sources: ["SMG-08", "S2S-06", "S2S-11", "RFC 792", "RFC 4443 §3.1"];
    when: ICMP;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    icmp::errors(
        case,
        |fact| matches!((fact.version, fact.icmp_type, fact.code), (4, 3, 3) | (6, 1, 4)),
        "the host is there, and no IKE service listens on that port",
        |said, found| {
            let found = found.weigh("off", if said.itself { 1.5 } else { 0.4 });
            match (said.after_up, said.heard) {
                (true, _) => found.rule_out(&["address"]),
                (_, true) => found.weigh("address", 0.1),
                _ => found,
            }
        },
    )
}
