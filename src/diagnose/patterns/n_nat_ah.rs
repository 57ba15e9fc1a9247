//! N-NAT-AH: AH through a NAT.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::FlowProtocol;

use super::nat;

pattern! {
    /// ## What is seen
    ///
    /// AH (IP protocol 51) between two gateways for which NAT detection shows a NAT on the path.
    ///
    /// ## What it means
    ///
    /// AH protects the addresses of the packet. A NAT changes them, so every packet fails its integrity check at the other
    /// end. It cannot work.
    ///
    /// ## Look-alikes
    ///
    /// - `T-ESP-BLOCKED`, `T-ONEWAY`: AH or ESP lost without a NAT.
    N_NAT_AH = "N-NAT-AH", Path, Error;
    title: "AH cannot pass the NAT on the path";
    causes: [
        "ah" 1.0 "the policy asks for AH where addresses are translated", raised by "", lowered by "";
    ];
    checks: [
        Either: "use ESP with integrity instead of AH, with NAT traversal";
    ];
    logs: [
        "Netopia": "AH protocol does NOT work through NAT" ("NIR-03");
    ];
    sources: ["NIR-03", "RFC 4302 §3.3.3.1", "RFC 3715 §2.1"];
    when: AH NAT;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let flows: Vec<_> = case.pair.flows.iter().filter(|flow| flow.protocol == FlowProtocol::Ah).collect();
    let (Some(first), Some(last)) = (flows.first(), flows.iter().map(|flow| flow.last).max()) else {
        return Vec::new();
    };
    let packets = flows.iter().map(|flow| flow.packets).sum();
    case.attempts()
        .filter(|(_, view)| nat::detected(view) && view.attempt.first <= last)
        .last()
        .map(|(index, view)| {
            Match::on(index, Confidence::Inferred)
                .seen(format!(
                    "NAT detection shows a NAT on the path, and {} of AH go through it",
                    number(packets, "packet")
                ))
                .means("the NAT changes what AH protects: the receiver must drop every packet")
                .frames(view.attempt.nat.mismatch_frame)
                .frames([first.first_frame])
        })
        .into_iter()
        .collect()
}
