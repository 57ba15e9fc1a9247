//! N-ICMP-PROHIB: a filter on the path says that it refuses the traffic.

use crate::diagnose::Severity;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::{IcmpAbout, IcmpFact};

use super::{icmp, traffic};

pattern! {
    /// ## What is seen
    ///
    /// ICMP administratively prohibited (type 3 code 9, 10 or 13; ICMPv6 type 1 code 1, 5 or 6) that quotes IKE, ESP or
    /// AH of the pair, or protocol unreachable (type 3 code 2) for ESP or AH.
    ///
    /// ## What it means
    ///
    /// A filter refuses it and says so. The address that the ICMP comes from is that of the filter.
    ///
    /// ## Look-alikes
    ///
    /// - `N-ICMP-PORT`: the host refuses, not a filter.
    /// - `T-ESP-BLOCKED`: ESP is dropped and nobody says so.
    /// - `P1-NO-REPLY`, `V2-NO-REPLY`: a filter that says nothing.
    N_ICMP_PROHIB = "N-ICMP-PROHIB", Path, Error;
    title: "a filter on the path refuses the traffic";
    causes: [
        "filter" 0.90 "an access list or firewall at the address that sent the ICMP", raised by "it repeats for each copy", lowered by "a single ICMP";
        "spoof" 0.10 "a forged ICMP", raised by "the refused traffic is answered all the same", lowered by "no answer ever comes";
    ];
    checks: [
        Path: "on the device that sent the ICMP, permit UDP 500, UDP 4500 and IP protocol 50 (ESP) between the two gateways, both ways";
    ];
    logs: [];
    sources: ["S2S-07", "S2S-08", "S2S-13", "NIR-13", "NIR-34", "RFC 1812 §5.2.7.1", "RFC 4443 §3.1"];
    when: ICMP;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let means = "a filter refuses the traffic and says so; its address is the source of the ICMP";
    let up = traffic::last_up(case).map(|(.., up)| up);
    icmp::errors(case, is_prohibited, means, |said, found| match said.fact.about {
        // protocol unreachable
        IcmpAbout::Esp | IcmpAbout::Ah if said.itself && said.fact.code == 2 => {
            let found = found.means(
                "the host itself does not take this IP protocol: no IPsec SA in its kernel, or its own packet filter",
            );
            // T-ESP-BLOCKED, and no filter on the path.
            let worst = found.severity.unwrap_or(N_ICMP_PROHIB.severity).min(Severity::Notice);
            if up.is_some_and(|up| up <= said.fact.last) { found.severity(worst) } else { found }
        }
        _ => found,
    })
}

fn is_prohibited(fact: &IcmpFact) -> bool {
    match (fact.version, fact.icmp_type, fact.code) {
        (4, 3, 9 | 10 | 13) | (6, 1, 1 | 5 | 6) => true,
        // Protocol unreachable. UDP is there on every host: said of UDP it is no filter.
        (4, 3, 2) => matches!(fact.about, IcmpAbout::Esp | IcmpAbout::Ah | IcmpAbout::Fragment { protocol: 50 | 51 }),
        _ => false,
    }
}
