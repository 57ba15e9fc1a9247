//! P1-NO-REPLY: the first IKEv1 message gets no answer.

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::track::{IkeVersion, Label, Mode};

use super::phase1::{Habits, Standing};
use super::{p1_mode, p1_version, silence};

pattern! {
    /// ## What is seen
    ///
    /// Main Mode or Aggressive Mode message 1, responder cookie zero, sent again and again with the same initiator
    /// cookie. Nothing comes back for it: no message 2, no notify, no ICMP error.
    ///
    /// ## What it means
    ///
    /// The initiator tries; either its packets do not arrive, or the responder is silent on purpose, or the answers get
    /// lost. The wire alone does not tell which. Anything else from the same address (ping, TCP, ESP, IKE of its own)
    /// proves that the host lives and shifts the blame from the path to its configuration.
    ///
    /// ## Look-alikes
    ///
    /// - `C-ONE-DIR`: answers exist and the capture does not hold them. A responder cookie in a later message gives it away.
    /// - `P1-PROPOSAL`, `P1-MODE`, `P1-VERSION`: some responders refuse in silence.
    /// - `N-ICMP-PORT`, `N-ICMP-PROHIB`, `N-ICMP-HOST`: an ICMP error came back; it says more than silence.
    P1_NO_REPLY = "P1-NO-REPLY", Phase1, Error;
    title: "the first IKEv1 message gets no answer";
    causes: [
        "path" 0.49 "the message or its answer is lost: peer down, wrong peer address, a filter for UDP 500, no route back",
            raised by "nothing of any kind from the peer; ICMP unreachable; several silent peers behind one router",
            lowered by "the peer answers ping or TCP, or sends ESP or other IKE";
        "no-profile" 0.20 "the responder has no configuration for this source address and stays silent",
            raised by "the peer is alive; NAT in front of the initiator", lowered by "the peer answered this address before";
        "refused" 0.15 "the responder refuses the proposal, the mode or the IKE version in silence",
            raised by "the peer starts with another mode, version or proposal itself", lowered by "the peer is known to send notifies";
        "off" 0.10 "IKE, or IKEv1, is not enabled on the responder's interface",
            raised by "the peer is alive, and speaks another IKE version", lowered by "the peer answered IKEv1 before";
        "source-port" 0.01 "a filter lets nothing through that comes from another port than 500, as it does behind a NAT",
            raised by "what comes from port 500 is answered, and this comes from another", lowered by "it comes from port 500; another port is answered";
        "gone" 0.02 "the peer, its IKE daemon or the path to it went away since it was last heard",
            raised by "the peer was heard until then, and nothing comes from it since", lowered by "it is heard meanwhile, or never was";
        "load" 0.03 "the responder is overloaded or at its limit of negotiations",
            raised by "other initiators are answered now and then", lowered by "a single small site";
    ];
    checks: [
        Path: "let UDP 500 and 4500 through whatever port it comes from" about "source-port";
        Path: "ping the responder; check routes both ways and every filter between the two for UDP 500 and 4500" about "path" "gone";
        Initiator: "check the peer address in its configuration" about "path";
        Responder: "look for message 1 in its log or capture on its outside: if it arrives, check that IKE is enabled there and that a profile (tunnel group, peer) exists for the initiator's address";
        Responder: "compare mode (main or aggressive), IKE version and proposals: some stacks refuse without a word";
    ];
    logs: [
        "SMG": "MM Msg1 sent for policy 1" ("SMG-10");
        "Cisco ASA": "MM_WAIT_MSG2" ("S2S-10");
        "Cisco IOS": "MM_NO_STATE / AG_NO_STATE" ("CON-16");
        "Cisco PIX": "ISAKMP (0): retransmitting phase 1" ("PIX-17");
        "Netopia": "phase1 resend timeout" ("NIR-12");
        "Palo Alto": "IKE phase-1 negotiation is failed as initiator, main mode. Failed SA: … due to timeout." ("PAN-OS message table");
        "Check Point": "No response from peer" ("Check Point FireWall book ch. 11");
        "strongSwan": "giving up after … retransmits / peer not responding, trying again / establishing IKE_SA failed, peer not responding" ("strongSwan source");
        "strongSwan": "sending retransmit … of request message ID …, seq …" ("strongSwan log");
        "libreswan": "No response (or no acceptable response) to our first IKEv1 message" ("libreswan source");
        "racoon, MikroTik": "phase1 negotiation failed due to time up." ("racoon source");
        "Fortinet": "no matching gateway for new request" ("public forum log");
        "ZyXEL": "!! IKE Packet Retransmit" ("ZyXEL manuals");
        "Huawei": "53: max transmit reached" ("Huawei ALM-303046755");
        "Palo Alto": "IKE phase 1 negotiation is failed. Couldn't find configuration for IKE phase-1 request for peer IP" ("PAN-OS message table");
        "racoon": "no configuration found for …." ("racoon source");
        "HP-UX": "message retransmission count exceeded the limit" ("HP-UX IPSec admin guide");
        "Cisco": "Remote Peer Not Responding" ("Cisco doc 5409");
        "Cisco ASA": "Timed out on initial contact to server. Tunnel could not be established." ("Cisco ASA syslog reference");
        "Cisco ASA": "Maximum concurrent IKE negotiations exceeded!" ("Cisco ASA syslog reference");
        "Cisco ASA": "Cookie/peer address session already in progress" ("Cisco ASA syslog reference");
        "Cisco ASA": "memory resources are critical, IKE key acquire message … ignored" ("Cisco ASA syslog reference");
        "GCP": "NO_INCOMING_PACKETS" ("Google Cloud VpnTunnel.Status reference");
        "Windows": "Error 809" ("Microsoft RAS error documentation");
    ];
    sources: [
        "SMG-08", "SMG-10", "SMG-11", "SMG-12", "SMG-29", "PIX-02", "PIX-07", "PIX-17", "S2S-05", "S2S-06", "S2S-08",
        "S2S-10", "S2S-11", "S2S-12", "S2S-13", "S2S-14", "S2S-15", "S2S-19", "CON-04", "CON-16", "CON-20", "CON-28",
        "NIR-02", "NIR-09", "NIR-12", "NIR-13", "NIR-31", "NIR-32", "NIR-33", "NIR-34", "NIR-35", "NIR-37", "NIR-44", "NIR-45",
        "RFC 2408 §2.5.3", "RFC 2409 §5",
    ];
    misses: SetUp;
    lost: "path", or its answer: "path";
    when: V1 UNHEARD;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let found =
        silence::unanswered_first_message(case, IkeVersion::V1, |label| matches!(label, Label::Mm(1) | Label::Am(1)));
    let standing = Standing::of(case);
    let habits = Habits::of(case);
    found
        .into_iter()
        .filter_map(|found| {
            let index = found.attempt?;
            let view = case.view(index)?;
            let explained = p1_mode::explains(&habits, &view) || p1_version::explains(&habits, &view);
            (!explained).then(|| {
                let severity = found.severity.unwrap_or(P1_NO_REPLY.severity);
                weighed(&view, &habits, found.severity(standing.severity(&view, severity)))
            })
        })
        .collect()
}

/// What the silent peer does at other times, laid in the scales.
fn weighed(view: &View<'_>, habits: &Habits<'_>, mut found: Match) -> Match {
    let peer = habits.at(view.attempt.responder.ip());
    let other_mode = if view.attempt.mode == Mode::Main { peer.starts_aggressive } else { peer.starts_main };
    if peer.starts_v2.is_some() {
        found = found.weigh("off", 3.0).weigh("refused", 1.5);
    }
    if other_mode.is_some() {
        found = found.weigh("refused", 3.0);
    }
    if let Some(accepted) = peer.accepts_v1 {
        found.seen.push_str("; it answered this address at another time");
        let same = accepted.offered == view.attempt.offered;
        found = found.weigh("no-profile", 0.2).weigh("off", 0.2).weigh("refused", if same { 0.3 } else { 1.0 });
    }
    found
}
