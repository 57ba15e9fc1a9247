//! C-NO-IKE: no IKE at all from a peer that ought to speak it.

use std::time::Duration;

use crate::diagnose::case::{Case, PATIENCE};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};
use crate::track::Pair;

use super::traffic;

pattern! {
    /// ## What is seen
    ///
    /// Not one IKE message between two addresses of which at least one shows up otherwise: an ICMP error about the pair's
    /// traffic, fragments that never became whole, datagrams on an IKE port that are not IKE, or are recorded too short to be
    /// read.
    ///
    /// ## What it means
    ///
    /// Neither side started a negotiation that reached this capture point. Most reasons are inside the box and never on the
    /// wire: no traffic for the tunnel, policy or access list that does not match, a responder-only role, no profile,
    /// a key that is too short, a name that does not resolve, a crypto map on another interface.
    ///
    /// ## Look-alikes
    ///
    /// - `C-ESP-NO-IKE`: the tunnel is up and quiet; its negotiation lies before the capture.
    /// - `C-ONE-DIR`: the capture misses one direction.
    /// - NAT keepalives and nothing else: an idle tunnel, which is no more than a remark. So is a capture of a few seconds.
    C_NO_IKE = "C-NO-IKE", Capture, Warning;
    title: "no IKE is seen";
    causes: [
        "trigger" 0.40 "nothing triggers the tunnel: no traffic for the far subnet, or it does not match the policy or access list",
            raised by "", lowered by "";
        "role" 0.25 "the gateway is responder only, IKE is off, or the policy is on another interface", raised by "", lowered by "";
        "local" 0.20 "the gateway refuses to start: no profile, key too short, peer name does not resolve", raised by "a DNS failure in the capture", lowered by "";
        "capture" 0.10 "the capture filter or the mirror port misses IKE", raised by "no other IKE in the capture", lowered by "IKE of other pairs is there";
        "cut" 0.05 "the frames were recorded too short to be read (snap length)", raised by "datagrams on an IKE port of a few octets", lowered by "whole frames";
    ];
    checks: [
        Initiator: "send traffic for the far subnet and look whether the gateway tries at all" about "trigger";
        Initiator: "check that IKE is enabled, may initiate, and that the policy or access list matches that traffic on this interface" about "trigger" "role";
        Initiator: "check the pre-shared key's minimum length and that the peer's name resolves" about "local";
        Capture: "check that the capture filter lets UDP 500 and 4500 through" about "capture";
        Capture: "capture whole packets (snap length 0)";
    ];
    logs: [
        "SMG": "Could not find ISAKMP SA / Deleting SA for policy 0" ("SMG-09");
        "Cisco PIX": "IPSEC(sa_initiate): ACL = deny; no sa created" ("PIX-28");
        "Netopia": "no ph1 preferences assigned" ("NIR-06");
        "Netopia": "DNS Lookup Failure" ("NIR-07");
        "Cisco ASA": "IKE Initiator unable to find policy: Intf, Src, Dst" ("Cisco ASA syslog reference");
        "Cisco ASA": "IKE Peer address not configured for destination" ("Cisco ASA syslog reference");
        "Cisco ASA": "IKE Peer address same as our interface address" ("Cisco ASA syslog reference");
        "Cisco ASA": "No crypto map bound to interface... dropping pkt" ("public ASA logs");
        "Cisco ASA": "Static Crypto Map Check by-passed: Crypto map entry incomplete!" ("Cisco ASA syslog reference");
        "Fortinet": "ignoring request to establish IPsec SA, no policy configured" ("public FortiGate debug logs");
    ];
    sources: [
        "SMG-02", "SMG-04", "SMG-08", "SMG-09", "SMG-29", "SMG-30", "PIX-25", "PIX-26", "PIX-27", "PIX-28", "PIX-29",
        "PIX-30", "PIX-47", "S2S-35", "CON-29", "NIR-06", "NIR-07", "NIR-08", "NIR-19",
    ];
    when: NO_IKE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let pair = case.pair;
    let turned_away = case.facts.forgotten.attempts + case.facts.forgotten.flows > 0;
    if turned_away || !pair.attempts.is_empty() || !pair.icmp_errors.is_empty() {
        return Vec::new();
    }
    if let Some(unreadable) = unreadable(case) {
        return vec![unreadable];
    }
    if !pair.flows.is_empty() || pair.sent.iter().any(|seen| seen.isakmp + seen.esp + seen.ah > 0) {
        return Vec::new();
    }
    let keepalives: u64 = pair.sent.iter().map(|seen| seen.keepalives).sum();
    if keepalives > 0 && pair.malformed.is_empty() {
        return vec![only_keepalives(case, keepalives)];
    }
    let mut found = Match::on_pair(Confidence::Suspected)
        .seen(nothing_between(case))
        .means("no negotiation between them reached this capture point")
        .frames([pair.first_frame])
        .settle("a trace on the gateway that should start, while traffic for the far subnet is sent")
        .rule_out(&["cut"]);
    found = unless_short(case.watched(), found);
    if !pair.malformed.is_empty() {
        found.seen.push_str(&format!(
            "; {} on an IKE port that cannot be read as IKE",
            number(pair.malformed.len() as u64, "datagram")
        ));
        found.means = "something else uses an IKE port between them, or the messages are broken".into();
        found.frames.extend(pair.malformed.iter().take(4).map(|malformed| malformed.frame));
    }
    if case.survey.has_ike() {
        found = found.weigh("capture", 0.3);
    }
    vec![found]
}

/// Who waits for an answer repeats his question within this time: in less than that nothing may have been due.
pub(in crate::diagnose) fn unless_short(watched: Duration, found: Match) -> Match {
    if watched >= PATIENCE {
        return found;
    }
    found.severity(Severity::Info).means("too short to say anything about a tunnel").settle("a longer capture")
}

fn nothing_between(case: &Case<'_>) -> String {
    format!("no IKE message between {} and {} in {} of capture", case.pair.a, case.pair.b, span(case.watched()))
}

/// Keepalives are sent as long as there is an SA (RFC 3948 §4).
fn only_keepalives(case: &Case<'_>, keepalives: u64) -> Match {
    Match::on_pair(Confidence::Inferred)
        .severity(Severity::Info)
        .seen(format!("{}; {}", number(keepalives, "keepalive"), nothing_between(case)))
        .means("who sends keepalives holds an SA: the tunnel is idle, and its negotiation lies before the capture")
        .frames([case.pair.first_frame])
        .settle("a longer capture, or the gateway's list of SAs")
        .rule_out(&["trigger", "role", "local", "cut"])
}

/// Messages of IKE that were recorded too short to be read, or in part, or packets that only look like ESP.
fn unreadable(case: &Case<'_>) -> Option<Match> {
    let pair = case.pair;
    let found = Match::on_pair(Confidence::Inferred).severity(Severity::Info);
    let found = found.rule_out(&["trigger", "role", "local", "capture"]);
    if is_cut_short(pair) {
        let cut = number(pair.malformed.len() as u64, "datagram");
        return Some(
            found
                .seen(format!("{cut} on an IKE port recorded too short to be read"))
                .means("the capture cut the messages of IKE off: nothing can be said about the negotiation")
                .frames(pair.malformed.iter().take(4).map(|malformed| malformed.frame))
                .settle("a capture of whole packets (snap length 0)"),
        );
    }
    if pair.flows.is_empty() && pair.malformed.is_empty() && !pair.incomplete.is_empty() {
        let parts = number(pair.incomplete.len() as u64, "datagram");
        return Some(
            found
                .seen(format!("{parts} in IP fragments, never whole; {}", nothing_between(case)))
                .means("what was said between them cannot be read: fragments are lost, or the capture leaves them out")
                .frames(pair.incomplete.iter().take(4).map(|incomplete| incomplete.frame))
                .settle("a capture whose filter lets all fragments through, on both sides of what may drop them")
                .rule_out(&["cut"]),
        );
    }
    let packets = pair.flows.iter().map(|flow| flow.packets).sum();
    traffic::is_no_esp(pair).then(|| {
        found
            .seen(format!(
                "{} on UDP 4500 that would be ESP under {}",
                number(packets, "packet"),
                number(pair.flows.len() as u64, "SPI")
            ))
            .means("an SPI of its own for nearly every packet: something else than IKE and ESP uses the port")
            .frames(pair.flows.iter().take(4).map(|flow| flow.first_frame))
            .rule_out(&["cut"])
    })
}

/// Whether there are datagrams on an IKE port of which the capture does not hold enough, and no others that cannot be read.
pub(in crate::diagnose) fn is_cut_short(pair: &Pair) -> bool {
    !pair.malformed.is_empty() && pair.malformed.iter().all(|datagram| datagram.fault.is_cut())
}
