//! C-DNS-FAIL: the peer's name does not resolve.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};

pattern! {
    /// ## What is seen
    ///
    /// DNS queries of a gateway without a useful answer (no answer, NXDOMAIN, SERVFAIL), and no IKE from it after them.
    ///
    /// ## What it means
    ///
    /// A peer that is configured by name cannot be reached while the name does not resolve: message 1 is never sent.
    ///
    /// ## Look-alikes
    ///
    /// - `C-NO-IKE`: the same without DNS in the capture.
    /// - A failed query for some other name: gateways look up time servers and updates as well.
    C_DNS_FAIL = "C-DNS-FAIL", Capture, Warning;
    title: "the peer's name does not resolve";
    causes: [
        "record" 0.50 "the name has no address record, or is misspelt", raised by "NXDOMAIN", lowered by "no answer at all";
        "server" 0.40 "the gateway's DNS server does not answer or cannot resolve", raised by "no answer, or SERVFAIL", lowered by "other names resolve";
        "dynamic" 0.10 "a dynamic DNS record is out of date", raised by "an answer with an address that never answers", lowered by "no answer at all";
    ];
    checks: [
        Initiator: "resolve the peer's name on the gateway itself";
        Initiator: "use the peer's address instead of its name, or another DNS server";
    ];
    logs: [
        "Netopia": "DNS Lookup Failure" ("NIR-08");
        "Cisco ASA": "DNS lookup for peer Server failed!" ("Cisco ASA syslog reference");
    ];
    sources: ["NIR-08", "RFC 1035 §4.1.1"];
    check: check
}

/// DNS is not among the facts: the classifier passes over it, so there is nothing to find yet.
fn check(_: &Case<'_>) -> Vec<Match> {
    Vec::new()
}
