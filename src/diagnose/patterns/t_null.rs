//! T-NULL: ESP that can be read.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};

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
    check: check
}

/// Flows do not tell yet how many of their packets could be read.
fn check(_: &Case<'_>) -> Vec<Match> {
    Vec::new()
}
