//! C-DNS-FAIL: the peer's name does not resolve.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{DnsFact, Facts};

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
    when: DNS_FAILURES;
    check: check
}

/// Answers shown.
const SHOWN: usize = 3;

/// On a pair of which one end asked in vain and started no IKE after it.
fn check(case: &Case<'_>) -> Vec<Match> {
    let pair = case.pair;
    let started = |address| pair.attempts.iter().any(|attempt| attempt.initiator.ip() == address);
    [pair.a, pair.b]
        .into_iter()
        .filter(|&address| !started(address) && !case.survey.starts_ike(case.facts, address))
        .filter_map(|address| of(case.facts, |fact| fact.client == address))
        .collect()
}

/// What the failed look-ups that `concerns` selects amount to.
pub(crate) fn of(facts: &Facts, concerns: impl Fn(&DnsFact) -> bool) -> Option<Match> {
    let failed: Vec<&DnsFact> =
        facts.dns_failures.iter().filter(|fact| concerns(fact) && !is_discovery(&fact.name)).collect();
    let first = failed.first()?;
    let clients: BTreeSet<IpAddr> = failed.iter().map(|fact| fact.client).collect();
    let who = match clients.len() {
        1 => format!("{} asked {}", first.client, first.server),
        several => format!("{} asked", number(several as u64, "host")),
    };
    // several hosts may ask for the same name
    let mut asked: Vec<(String, u8, u64)> = Vec::new();
    for fact in &failed {
        let name = name(&fact.name);
        match asked.iter_mut().find(|(known, code, _)| *known == name && *code == fact.code) {
            Some((.., count)) => *count += fact.count,
            None => asked.push((name, fact.code, fact.count)),
        }
    }
    let told =
        asked.iter().take(SHOWN).map(|(name, code, count)| format!("{name} ({}, {})", answer(*code), times(*count)));
    // Who needs a name for a tunnel asks again.
    let insists = asked.iter().any(|(.., count)| *count > 1);
    Some(
        Match::on_pair(Confidence::Suspected)
            .severity(if insists { Severity::Warning } else { Severity::Notice })
            .seen(format!("{who} in vain for {}, and started no IKE", told.collect::<Vec<_>>().join(", ")))
            .means("if one of these is the name of the peer, message 1 cannot be sent while it does not resolve")
            .frames(failed.iter().map(|fact| fact.frame))
            .weigh("record", if first.code == NXDOMAIN { 1.5 } else { 0.7 })
            .settle("the peer's name in the gateway's configuration"),
    )
}

const NXDOMAIN: u8 = 3;

/// Whether hosts ask for this name of their own accord, to find a proxy or a router (RFC 5214 §8.3.2): it is nobody's peer.
fn is_discovery(labels: &[u8]) -> bool {
    let Some((&len, rest)) = labels.split_first() else { return false };
    let first = rest.get(..usize::from(len)).unwrap_or_default();
    [&b"wpad"[..], b"isatap"].iter().any(|name| first.eq_ignore_ascii_case(name))
}

fn answer(code: u8) -> String {
    match code {
        0 => "no address".into(),
        2 => "SERVFAIL".into(),
        NXDOMAIN => "NXDOMAIN".into(),
        5 => "REFUSED".into(),
        other => format!("code {other}"),
    }
}

/// A name from its labels; octets that are not printable are left to whoever prints it.
fn name(labels: &[u8]) -> String {
    let mut name = String::new();
    let mut rest = labels;
    while let Some((&len, behind)) = rest.split_first() {
        let Some((label, behind)) = behind.split_at_checked(usize::from(len)) else { break };
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&String::from_utf8_lossy(label));
        rest = behind;
    }
    name
}
