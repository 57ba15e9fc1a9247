//! C-CLEAR-INNER: traffic that belongs into the tunnel leaves in clear.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};

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
    check: check
}

/// Packets in clear are not among the facts: the classifier passes over everything that is not IKE, IPsec or an ICMP error
/// about them, so there is nothing to find yet.
fn check(_: &Case<'_>) -> Vec<Match> {
    Vec::new()
}
