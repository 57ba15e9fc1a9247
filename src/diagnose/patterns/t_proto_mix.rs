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
    /// protocol each way is nothing that IKE negotiates: these SAs were set up by hand, or are left over, and each end may drop
    /// what the other sends. It need not: SAs are for one direction, and where packets have answers the tunnel works.
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
    sources: ["NIR-28", "RFC 4301 §3.2", "RFC 4301 §4.1", "RFC 8221 §4"];
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
        const BY_HAND: &str =
            "IKE negotiates one protocol for both directions: these SAs were set up by hand, or are left over";
        let found = found.weigh("mismatch", 8.0);
        if there.is_answered_by(&back) {
            found.means(format!("{BY_HAND}; what one side sends has as many answers"))
        } else {
            found.means(format!("{BY_HAND}, and each end may drop what the other sends")).severity(Severity::Warning)
        }
    } else {
        found.means("two tunnels, or a change of configuration")
    }]
}
