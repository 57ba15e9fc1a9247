//! N-ICMP-PORT: the peer refuses the UDP port.

use crate::diagnose::Severity;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::Side;

use super::icmp::{self, Said};
use super::nat;

pattern! {
    /// ## What is seen
    ///
    /// ICMP port unreachable (type 3 code 3; ICMPv6 type 1 code 4) that quotes an IKE message of the pair, or ESP in UDP.
    ///
    /// ## What it means
    ///
    /// Where it comes from the peer's own address, the host is reached and nothing listens on that port: the IKE service is off,
    /// bound to another address, or this is the wrong host. Where it comes from another, a filter there answers in the peer's name.
    ///
    /// ## Look-alikes
    ///
    /// - `N-ICMP-PROHIB`: a filter says that it is one.
    /// - `N-KEEPALIVE`, `N-MAPPING-CHANGED`: a NAT answers for ESP in UDP to a port that it no longer maps, while the side behind it
    ///   goes on under the same SA.
    /// - `L-DPD-TIMEOUT`: the service died after the tunnel was up.
    /// - A client that takes its tunnel down and closes its port: a packet that was still under way to it is refused once or
    ///   twice. That is normal, and no more than a remark.
    N_ICMP_PORT = "N-ICMP-PORT", Path, Error;
    title: "the peer's IKE port is refused";
    causes: [
        "off" 0.560 "IKE is not enabled on the responder, its service is down, or it listens on another address",
            raised by "the ICMP comes from the responder's own address", lowered by "it comes from a router";
        "address" 0.129 "the initiator's peer address is that of another host", raised by "first attempt ever", lowered by "the peer answered before";
        "firewall" 0.086 "a firewall answers in the host's name", raised by "another source or time to live than the host's other packets",
            lowered by "the same source and time to live";
        "traversal" 0.043 "NAT traversal is off on the responder, or its own firewall rejects UDP 4500",
            raised by "the responder answered on UDP 500", lowered by "UDP 500 is refused too";
        "mapping" 0.043 "the NAT in front of it has no mapping for the port any more: its timer is shorter than the pauses between packets",
            raised by "a NAT is in front of the host; the host had been quiet", lowered by "there is no NAT";
        "left" 0.069 "the initiator ended its IKE service, and its peer still sent something",
            raised by "it deleted the SA before", lowered by "the refused packets went to the responder";
        "probe" 0.018 "the initiator is a scanner or a monitor, and wanted no more than one answer",
            raised by "it sent no vendor id, and nothing after the first answer", lowered by "it went on";
        "moved" 0.018 "that side has moved to UDP 4500, and listens there only", raised by "it goes on from UDP 4500", lowered by "it is silent";
        "stopped" 0.017 "the responder's IKE service has stopped since the tunnel was up, or listens on another address or port since",
            raised by "the tunnel had been up, and the ICMP comes from the responder's own address", lowered by "it comes from a router";
        "restart" 0.017 "the IKE service was down for a while, and listens again without the SAs that it had",
            raised by "packets to the same port go on and are not refused any more", lowered by "they are refused to the end";
    ];
    checks: [
        Responder: "permit UDP 4500 on the host, and enable NAT traversal" about "traversal";
        Initiator: "send NAT keepalives more often than the NAT's timer for UDP, every 20 seconds or so" about "mapping";
        Responder: "enable IKE on the outside interface and start the service; check which addresses it listens on" about "off";
        Responder: "look whether its IKE service runs, and why it stopped" about "stopped";
        Initiator: "check the peer address" about "address";
        Path: "look for a firewall that rejects UDP 500 or 4500 with port unreachable";
        Initiator: "look why its IKE service ended" about "left";
        Either: "look in the log of the host for when its IKE service started, and why" about "restart";
        Either: "set the tunnel up anew; enable liveness checks on the other side, so that it finds out by itself" about "restart";
    ];
    logs: [];
    sources: ["SMG-08", "S2S-06", "S2S-11", "RFC 792", "RFC 4443 §3.1"];
    when: ICMP;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    icmp::errors(
        case,
        |fact| icmp::is_no_port(fact) && !nat::is_unmapped(case, fact),
        "the host is there, and no IKE service listens on that port",
        weigh,
    )
}

fn weigh(said: &Said<'_>, found: Match) -> Match {
    if said.ceased && said.itself && said.after_up && !said.after_farewell {
        return found
            .severity(Severity::Notice)
            .means("something listens on that port again, and does not answer: the IKE service was down for a while, and has lost the SA")
            .rule_out(&["off", "stopped", "address", "traversal", "mapping", "left", "probe", "moved"])
            .weigh("restart", 20.0);
    }
    let found = found.rule_out(&["restart"]);
    if said.moved {
        return found
            .means("the host has moved to UDP 4500, and listens no more on the port that it came from")
            .rule_out(&["off", "stopped", "address", "firewall", "traversal", "mapping", "left", "probe"]);
    }
    let found = found.rule_out(&["moved"]);
    if said.unreached == Some(Side::Initiator) {
        let found = found.rule_out(&["off", "stopped", "address", "traversal"]);
        let found = if said.natted { found.weigh("mapping", 30.0) } else { found.rule_out(&["mapping"]) };
        let found =
            if said.probed { found.rule_out(&["left"]).weigh("probe", 20.0) } else { found.rule_out(&["probe"]) };
        return match said.after_farewell {
            _ if said.probed => found.means(
                "the initiator asked once and closed its port: it is a scanner or a monitor, and no tunnel is meant",
            ),
            _ if said.refused => {
                found.rule_out(&["firewall"]).means("the initiator was refused, and had closed its port by then")
            }
            true => found.rule_out(&["firewall"]).means("a packet that was still under way found the port closed"),
            false if said.natted => found.means(
                "the NAT in front of the host has no mapping for the port any more, or the host's IKE service is gone",
            ),
            false => found.means("the host is there, and has closed that port while the peer still sends to it"),
        };
    }
    if said.only_4500 && said.itself {
        return found
            .means("IKE of that host answers on UDP 500, and UDP 4500 alone is refused")
            .rule_out(&["off", "stopped", "address", "left", "probe", "mapping"])
            .weigh("traversal", 20.0);
    }
    let found = found.rule_out(&["left", "probe", "traversal"]);
    if said.after_up && said.itself {
        let found = found.rule_out(&["off", "address"]).weigh("stopped", 60.0);
        return if said.natted { found.weigh("mapping", 10.0) } else { found.rule_out(&["mapping"]) };
    }
    let found = found.rule_out(&["stopped"]);
    let mut found = found.weigh("off", if said.itself { 1.5 } else { 0.1 });
    found = if said.natted { found.weigh("mapping", 10.0) } else { found.rule_out(&["mapping"]) };
    if !said.itself {
        found = found.weigh("firewall", 8.0);
        if said.heard {
            found = found.rule_out(&["off"]);
        }
        if !said.natted {
            found = found
                .means("what is on the path refuses the port in the peer's name; nothing is said of the peer itself");
        }
    }
    match (said.after_up || said.redirected, said.heard) {
        (true, _) => found.rule_out(&["address"]),
        (_, true) => found.weigh("address", 0.1),
        _ => found,
    }
}
