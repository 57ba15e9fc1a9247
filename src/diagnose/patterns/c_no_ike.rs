//! C-NO-IKE: no IKE at all from a peer that ought to speak it.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};

pattern! {
    /// ## What is seen
    ///
    /// Not one IKE message between two addresses of which at least one shows up otherwise: an ICMP error about the pair's
    /// traffic, fragments that never became whole, datagrams on an IKE port that are not IKE.
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
    C_NO_IKE = "C-NO-IKE", Capture, Warning;
    title: "no IKE is seen";
    causes: [
        "trigger" 0.40 "nothing triggers the tunnel: no traffic for the far subnet, or it does not match the policy or access list",
            raised by "", lowered by "";
        "role" 0.25 "the gateway is responder only, IKE is off, or the policy is on another interface", raised by "", lowered by "";
        "local" 0.20 "the gateway refuses to start: no profile, key too short, peer name does not resolve", raised by "a DNS failure in the capture", lowered by "";
        "capture" 0.15 "the capture filter or the mirror port misses IKE", raised by "no other IKE in the capture", lowered by "IKE of other pairs is there";
    ];
    checks: [
        Initiator: "send traffic for the far subnet and look whether the gateway tries at all";
        Initiator: "check that IKE is enabled, may initiate, and that the policy or access list matches that traffic on this interface";
        Initiator: "check the pre-shared key's minimum length and that the peer's name resolves";
        Capture: "check that the capture filter lets UDP 500 and 4500 through";
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
    let forgotten = turned_away || pair.sent.iter().any(|seen| seen.isakmp + seen.esp + seen.ah > 0);
    if !pair.attempts.is_empty() || !pair.flows.is_empty() || !pair.icmp_errors.is_empty() || forgotten {
        return Vec::new();
    }
    let mut found = Match::on_pair(Confidence::Suspected)
        .seen(format!("no IKE message between {} and {} in {} of capture", pair.a, pair.b, span(case.watched())))
        .means("no negotiation between them reached this capture point")
        .frames([pair.first_frame])
        .settle("a trace on the gateway that should start, while traffic for the far subnet is sent");
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
