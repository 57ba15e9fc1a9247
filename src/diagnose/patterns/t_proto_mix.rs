//! T-PROTO-MIX: AH and ESP between the same two addresses.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};
use crate::track::{EspFlow, FlowProtocol};

use super::traffic::{self, Way};

pattern! {
    /// ## What is seen
    ///
    /// IP protocols 50 (ESP) and 51 (AH) between the same two addresses: both in both directions, or one each way.
    ///
    /// ## What it means
    ///
    /// Both in both directions are two tunnels, or a change of configuration; ESP inside AH shows as AH alone. One
    /// protocol each way means that the two ends do not use the same SAs: each drops what the other sends.
    ///
    /// ## Look-alikes
    ///
    /// None.
    T_PROTO_MIX = "T-PROTO-MIX", Traffic, Notice;
    title: "AH and ESP are used between the same addresses";
    causes: [
        "two" 0.50 "two tunnels, of which one uses AH", raised by "both protocols in both directions at the same time", lowered by "one protocol each way";
        "change" 0.30 "the configuration was changed", raised by "one protocol stops as the other begins", lowered by "both at the same time";
        "mismatch" 0.20 "the two ends are configured differently and use left-over or manual SAs", raised by "one protocol each way", lowered by "";
    ];
    checks: [
        Either: "use ESP only, with integrity protection";
        Either: "clear the SAs of this pair, and compare the proposals of both";
    ];
    logs: [
        "Netopia": "Rx discard: SA mismatch" ("NIR-28");
    ];
    sources: ["NIR-28", "RFC 4301 §3.2", "RFC 8221 §4"];
    when: AH;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let is = |protocol| move |flow: &EspFlow| flow.protocol == protocol;
    let [there, back] = traffic::ways(case);
    let split = |way: &Way<'_>| (way.only(is(FlowProtocol::Esp)).packets(), way.only(is(FlowProtocol::Ah)).packets());
    let (there_split, back_split) = (split(&there), split(&back));
    if there_split.0 + back_split.0 == 0 || there_split.1 + back_split.1 == 0 {
        return Vec::new();
    }
    let crossed = matches!((there_split, back_split), ((0, 1..), (1.., 0)) | ((1.., 0), (0, 1..)));
    let told = |from, (esp, ah): (u64, u64)| {
        format!("{} and {} from {from}", number(esp, "ESP packet"), number(ah, "AH packet"))
    };
    let found = Match::on_pair(Confidence::Stated)
        .seen(format!("{}; {}", told(there.from, there_split), told(back.from, back_split)))
        .frames(there.frames())
        .frames(back.frames());
    vec![if crossed {
        found
            .means("the two ends do not use the same SAs, and each drops what the other sends")
            .severity(Severity::Warning)
            .weigh("mismatch", 8.0)
    } else {
        found.means("two tunnels, or a change of configuration")
    }]
}
