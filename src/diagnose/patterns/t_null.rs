//! T-NULL: ESP that can be read.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;

pattern! {
    /// ## What is seen
    ///
    /// Behind SPI and sequence number stands a valid IP header, checksum and all, packet after packet.
    ///
    /// ## What it means
    ///
    /// The SA uses NULL encryption: integrity without secrecy. Everybody on the path can read the traffic.
    ///
    /// ## Look-alikes
    ///
    /// - `S-AH`: AH does not encrypt either.
    T_NULL = "T-NULL", Traffic, Advisory;
    title: "ESP is not encrypted";
    causes: [
        "mistake" 0.60 "left over from tests, or a default of an old product", raised by "", lowered by "";
        "design" 0.40 "meant so: integrity only", raised by "", lowered by "";
    ];
    checks: [
        Either: "use AES-GCM, unless the traffic is meant to be readable";
    ];
    logs: [];
    sources: ["RFC 2410", "RFC 4303 §3.2.1", "RFC 8221 §5"];
    when: READABLE;
    check: check
}

/// Readable packets that make it certain.
const ENOUGH: u64 = 5;

fn check(case: &Case<'_>) -> Vec<Match> {
    let readable: Vec<_> = case
        .pair
        .flows
        .iter()
        .filter(|flow| flow.readable >= ENOUGH && flow.readable * 10 >= flow.packets * 9)
        .collect();
    let Some(first) = readable.first() else { return Vec::new() };
    let packets: u64 = readable.iter().map(|flow| flow.readable).sum();
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} of {} hold a readable IP packet behind the sequence number",
                number(packets, "ESP packet"),
                number(readable.len() as u64, "SA"),
            ))
            .means("everybody on the path can read this traffic")
            .frames([first.first_frame]),
    ]
}
