//! P1-MM3-NO-REPLY: Main Mode stops after message 3.

use std::time::Duration;

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::{Label, MessageRecord, Mode, PayloadDetail, Side};

use super::p1_ke;
use super::phase1::{self, Standing};

/// Public values longer than this make message 4 outgrow what some paths carry in one piece.
const LARGE_PUBLIC_VALUE: u16 = 384;
/// A message that goes in one packet wherever IPv4 goes: 576 octets (RFC 791 §3.1), less the headers of IP and UDP.
const ANY_PATH: u32 = 576 - 28;
/// A responder that takes this long for a message without cryptography is short of something.
const SLOW: Duration = Duration::from_secs(2);

pattern! {
    /// ## What is seen
    ///
    /// Messages 1 and 2 as they should be; message 3 (key exchange, nonce, NAT detection) is sent and sent again; no
    /// message 4 and no notify.
    ///
    /// ## What it means
    ///
    /// The algorithms are agreed. With a pre-shared key the responder needs that key to go on from here: a responder that has
    /// none for this address stops now. A key that is wrong shows later, at message 5. Messages 3 and 4 are also the first
    /// large ones: a path that drops larger packets stops here too. A responder that goes on with message 2 while message 3
    /// passes here does not get it.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-NO-KEY`: the responder says in clear that it has no key.
    /// - `F-IKE-FRAG-LOST`: pieces of a large message are missing.
    /// - `P1-MM4-NO-MM5`: message 4 is sent, as a capture at the responder shows.
    P1_MM3_NO_REPLY = "P1-MM3-NO-REPLY", Phase1, Error;
    title: "main mode stops after message 3";
    causes: [
        "no-key" 0.45 "the responder has no pre-shared key (tunnel group) for this peer's address",
            raised by "Cisco's vendor ids; the peer answers at once up to here", lowered by "the same pair worked before; a certificate method";
        "lost-3" 0.08 "message 3 does not reach the responder, which goes on with message 2",
            raised by "message 2 is repeated after message 3 was sent", lowered by "message 2 is not repeated";
        "size" 0.29 "message 3 or its answer is lost because it is larger: fragments, MTU, a filter on length",
            raised by "a large group; IP fragments; a tunnel within a tunnel", lowered by "a small group";
        "load" 0.18 "the responder is overloaded, or fails at this group",
            raised by "long delays earlier in the exchange", lowered by "a quick message 2";
    ];
    checks: [
        Path: "follow message 3 on its way to the responder: filters, address translation, packets of its size" about "lost-3";
        Responder: "create the tunnel group or key for the address that the responder really sees" about "no-key";
        Path: "ping with packets as large as message 4 and the don't-fragment bit; look for filters on fragments or length";
        Responder: "look whether it is busy (CPU, its limit of negotiations), and try another group";
    ];
    logs: [
        "Cisco ASA": "MM_WAIT_MSG4" ("S2S-20");
        "Cisco IOS": "MM_SA_SETUP" ("CON-17");
        "strongSwan": "no shared key found for … - …" ("strongSwan source");
        "strongSwan": "giving up after … retransmits / establishing IKE_SA failed, peer not responding" ("strongSwan source");
        "strongSwan": "sending retransmit … of request message ID …, seq …" ("strongSwan log");
        "Cisco ASA": "Can't find a valid tunnel group, aborting...!" ("public ASA logs");
        "Cisco ASA": "Group not found and BASE GROUP default preshared key not configured" ("Cisco ASA syslog reference");
        "Cisco ASA": "No Group found matching peer_ID or IP_address for Pre-shared key peer" ("Cisco ASA syslog reference");
    ];
    sources: ["SMG-17", "PIX-11", "S2S-20", "S2S-21", "CON-17", "RFC 2409 §5"];
    misses: SetUp;
    lost: "lost-3" "size", or its answer: "size";
    when: V1 DOWN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter(|(_, view)| view.attempt.mode == Mode::Main && view.attempt.phase1_up.is_none() && p1_ke::fits(view))
        .filter_map(|(index, view)| {
            let third = view.message(Label::Mm(3))?;
            let goes_on = view.messages().any(|message| matches!(message.label, Label::Mm(4..)));
            let said = view.clear_errors(Side::Responder).next().is_some()
                || phase1::encrypted_informationals(&view, Side::Responder).next().is_some();
            if goes_on || said {
                return None;
            }
            let waited = phase1::silence_after(&view, third)?;
            let second = view.message(Label::Mm(2));
            let second_again = second.and_then(|second| phase1::copies_in_spite_of(third, second));
            let mut found = Match::on(index, waited.certainty())
                .seen(format!(
                    "{}sent {}; no MM4 in the {} from the first copy to the end",
                    match second {
                        Some(_) => format!("the responder sent MM2; MM3 ({} octets) was then ", third.length),
                        None => format!("MM3 ({} octets) was ", third.length),
                    },
                    times(waited.copies),
                    span(waited.over + waited.after),
                ))
                .means(if phase1::method(&view) == phase1::Method::Certificate {
                    "the algorithms are agreed; message 3 or 4 does not get through, or the responder fails on it"
                } else {
                    "the algorithms are agreed; the responder has no key for this peer, or message 3 or 4 does not get through"
                })
                .frames(view.frames(third))
                .severity(standing.severity(&view, P1_MM3_NO_REPLY.severity))
                .settle("a capture on the responder's outside: whether message 3 arrives there and message 4 leaves");
            for (key, factor) in weights(&view, third) {
                found = found.weigh(key, factor);
            }
            Some(match second_again {
                Some(copies) => {
                    found.seen.push_str(&format!(
                        "; the responder goes on with MM2, {} more after it",
                        times(copies as u64)
                    ));
                    found.means = "the responder still waits for message 3: it does not arrive there, or is not taken".into();
                    found.weigh("lost-3", 20.0).weigh("no-key", 0.2).weigh("load", 0.3)
                }
                None => found.rule_out(&["lost-3"]),
            })
        })
        .collect()
}

fn weights(view: &View<'_>, third: &MessageRecord) -> Vec<(&'static str, f32)> {
    let mut weights = Vec::new();
    let public = third.carried.iter().find_map(|payload| match payload.detail {
        PayloadDetail::KeyExchange { length, .. } => Some(length),
        _ => None,
    });
    let pieces = third.ip_fragments > 1 || third.ike_fragments > 1 || !view.case.pair.incomplete.is_empty();
    match public {
        _ if pieces => weights.push(("size", 3.0)),
        _ if third.length <= ANY_PATH => weights.push(("size", 0.1)),
        Some(public) if public > LARGE_PUBLIC_VALUE => weights.push(("size", 2.0)),
        Some(public) if public <= LARGE_PUBLIC_VALUE / 3 => weights.push(("size", 0.4)),
        _ => {}
    }
    if phase1::method(view) == phase1::Method::Certificate {
        weights.push(("no-key", 0.0));
    }
    if let (Some(first), Some(second)) = (view.message(Label::Mm(1)), view.message(Label::Mm(2))) {
        weights.push(("load", if second.at.since(first.at) >= SLOW { 2.0 } else { 0.5 }));
    }
    weights
}
