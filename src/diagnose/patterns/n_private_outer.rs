//! N-PRIVATE-OUTER: one of the gateways has a private address here.

use std::net::IpAddr;

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};

pattern! {
    /// ## What is seen
    ///
    /// One end of the pair has a private address (10/8, 172.16/12, 192.168/16, 100.64/10, fc00::/7) at the capture point, and
    /// the other end a public one.
    ///
    /// ## What it means
    ///
    /// There is a NAT further on, between this capture point and the other end. NAT traversal is needed, and an identity that
    /// defaults to the private address will not be what the peer expects.
    ///
    /// ## Look-alikes
    ///
    /// - A laboratory or a private backbone, where both ends are private: not reported.
    N_PRIVATE_OUTER = "N-PRIVATE-OUTER", Path, Info;
    title: "one of the gateways has a private address here";
    causes: [
        "nat" 1.0 "a NAT between this capture point and the other end", raised by "", lowered by "";
    ];
    checks: [
        Path: "expect NAT traversal: UDP 4500 must pass";
        Either: "set the identity explicitly where it defaults to the address";
    ];
    logs: [
        "Netopia": "non-routable WAN addresses not supported" ("NIR-01");
    ];
    sources: ["NIR-01", "RFC 1918", "RFC 6598", "RFC 4193"];
    when: PRIVATE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let pair = case.pair;
    let (private, public) = match (is_private(pair.a), is_private(pair.b)) {
        (true, false) => (pair.a, pair.b),
        (false, true) => (pair.b, pair.a),
        _ => return Vec::new(),
    };
    if pair.attempts.is_empty() {
        return Vec::new();
    }
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!("{private} is a private address, its peer {public} is not"))
            .means("there is a NAT between this capture point and the peer: expect NAT traversal")
            .frames([pair.first_frame]),
    ]
}

/// Private or shared address space (RFC 1918, RFC 6598), or a unique local address (RFC 4193).
pub(super) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let [one, two, ..] = address.octets();
            address.is_private() || (one == 100 && two & 0xc0 == 64)
        }
        IpAddr::V6(address) => address.is_unique_local(),
    }
}
