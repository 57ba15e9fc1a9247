//! S-AH: AH.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::FlowProtocol;

pattern! {
    /// ## What is seen
    ///
    /// Packets of IP protocol 51.
    ///
    /// ## What it means
    ///
    /// AH protects packets against change and hides nothing. It covers the outer addresses, so it never passes a NAT. ESP with
    /// integrity, or with NULL encryption where secrecy is unwanted, does the same without that.
    ///
    /// ## Look-alikes
    ///
    /// - ESP inside AH shows as AH: then the content may be encrypted all the same.
    S_AH = "S-AH", Security, Advisory;
    title: "AH is in use";
    causes: [
        "design" 0.60 "meant so: integrity only", raised by "", lowered by "";
        "kept" 0.40 "left over from old configurations", raised by "", lowered by "";
    ];
    checks: [
        Either: "use ESP with an AEAD cipher instead";
    ];
    logs: [];
    sources: ["RFC 4302", "RFC 8221 §4"];
    when: AH;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let flows: Vec<_> = case.pair.flows.iter().filter(|flow| flow.protocol == FlowProtocol::Ah).collect();
    let packets: u64 = flows.iter().map(|flow| flow.packets).sum();
    if packets == 0 {
        return Vec::new();
    }
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!("{} of AH", number(packets, "packet")))
            .means("nothing in them is hidden, unless there is ESP inside, and no NAT lets them through")
            .frames(flows.iter().take(8).map(|flow| flow.first_frame)),
    ]
}
