//! P1-PSK: the pre-shared keys do not match.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span, times};
use crate::track::{Label, MessageRecord};

use super::phase1::{self, Answer, Conduct, Method, Standing, notify};

pattern! {
    /// ## What is seen
    ///
    /// A pre-shared key method, messages 1 to 4, then message 5, encrypted. What comes back is either in clear, where only an
    /// encrypted message 6 may stand, or an encrypted Informational after which the initiator sends message 5 again as if it
    /// had got nothing, each copy drawing another one.
    ///
    /// ## What it means
    ///
    /// In IKEv1 the encryption keys depend on the pre-shared key. A responder that cannot decrypt message 5 complains in clear,
    /// or under keys that the initiator cannot use. An initiator that could read the complaint would stop. So the keys
    /// differ: mistyped, with a blank at the end, or the key of another peer, picked by the address that the responder sees.
    /// INVALID-PAYLOAD-TYPE (1), PAYLOAD-MALFORMED (16), INVALID-ID-INFORMATION (18), INVALID-HASH-INFORMATION (23) and
    /// AUTHENTICATION-FAILED (24) in clear say so; of other types it is only suspected.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-AUTH-REJECT`: the initiator stops at once, so it could read the answer; the keys agree and something else is refused.
    /// - `P1-AUTH-SILENT`: most responders say nothing at all about a wrong key.
    /// - `P1-NOTIFY`: an error in clear that is not about what message 5 holds, such as INVALID-COOKIE (4).
    /// - `N-PORT4500`: message 5 moved to UDP 4500 and is not answered there.
    P1_PSK = "P1-PSK", Phase1, Error;
    title: "the pre-shared keys do not match";
    causes: [
        "differs" 0.68 "the keys differ: mistyped, other letter case, a blank at the end, text against hexadecimal",
            raised by "newly configured; it repeats over several attempts", lowered by "the same pair worked before";
        "lookup" 0.25 "the responder picks the key of another peer: it looks it up by the address it sees",
            raised by "NAT in front of the initiator; a dynamic address", lowered by "no NAT";
        "broken" 0.05 "the key exchange was damaged, or the answer is forged or a fault of the software",
            raised by "a single occurrence", lowered by "it repeats with new cookies";
        "changed" 0.02 "the key was changed on one side and not on the other since the responder accepted the initiator",
            raised by "an attempt of the same initiator was authenticated before", lowered by "none was";
    ];
    checks: [
        Either: "enter the same key again; mind case, blanks at the end, and text against hexadecimal";
        Either: "find out on which side the key was changed since, and by whom" about "changed";
        Responder: "check which key it selects for the source address it really sees, and that no entry for any address comes first";
        Initiator: "check that the peer address the key belongs to is the one it connects to";
    ];
    logs: [
        "SMG": "Encryption bit not set / MM Msg6 received" ("SMG-20");
        "SMG": "Invalid Payload / IkeMMProcessIDMsg : IkeCheckPayloads failed" ("SMG-19");
        "Cisco PIX": "Reserved Not Zero on Payload 5" ("PIX-14");
        "Cisco IOS": "%CRYPTO-4-IKMP_BAD_MESSAGE: … failed its sanity check or is malformed" ("PIX-01");
        "Fortinet": "probable pre-shared secret mismatch / parse error" ("FortiOS debug notes");
        "ZyXEL": "PYLD_MALFORMED" ("ZyXEL manuals");
        "libreswan": "probable authentication failure (mismatch of preshared secrets?):" ("libreswan source");
        "strongSwan": "invalid HASH_V1 payload length, decryption failed?" ("strongSwan source");
        "AWS": "AWS tunnel payload decryption was unsuccessful due to invalid Pre-shared Key" ("AWS log-contents");
        "Azure": "Authentication: Preshared key mismatch / error 13801 ERROR_IPSEC_IKE_AUTH_FAIL" ("Azure network-watcher-troubleshoot-overview");
        "Tencent": "Failed to establish IKE SA for the reason of no matching secret" ("Tencent Cloud doc 554/79960");
        "Huawei": "15: authentication fail" ("Huawei ALM-303046755");
        "Netopia": "phase1 auth failure" ("NIR-11");
        "GCP": "AUTHORIZATION_ERROR" ("Google Cloud VpnTunnel.Status reference");
        "D-Link": "Incorrect pre-shared key" ("D-Link NetDefendOS manual 9.7.5");
        "D-Link": "Payload_Malformed" ("D-Link NetDefendOS manual 9.7.5");
        "SonicWALL": "Header verification failed" ("public forum log");
        "Windows": "Error 789" ("Microsoft RAS error documentation");
        "isakmpd": "message_parse_payloads: reserved field non-zero" ("isakmpd log");
    ];
    sources: [
        "SMG-19", "SMG-20", "PIX-01", "PIX-14", "S2S-04", "S2S-22", "S2S-24", "CON-18", "NIR-11", "RFC 2409 §5.4",
        "RFC 2408 §5.1",
    ];
    misses: SetUp;
    when: V1 DOWN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let mut found: Vec<Match> = phase1::attempts(case)
        .filter(|(_, view)| matches!(phase1::method(view), Method::SharedKey | Method::Unknown))
        .filter_map(|(index, view)| {
            let (proof, answer) = phase1::answer_to_message_5(&view)?;
            let found = match answer {
                Answer::Clear(clear) => in_clear(index, &view, proof, clear),
                Answer::Encrypted { messages, initiator: Conduct::GoesOn, may_greet: false } => {
                    not_understood(index, &view, proof, &messages)?
                }
                _ => return None,
            };
            let found = phase1::weigh_change(&view, found, 60.0, &["differs", "lookup", "broken"]);
            let translated = view.attempt.nat.behind(crate::track::Side::Initiator) == Some(true);
            let mut found = if translated { found.weigh("lookup", 3.0) } else { found };
            if phase1::method(&view) == Method::Unknown {
                found.confidence = Some(Confidence::Suspected);
                found.seen.push_str("; that the method is a pre-shared key was not seen");
                found = found.settle("the method, in a capture that begins earlier or in either configuration");
            }
            Some(found.severity(standing.severity(&view, P1_PSK.severity)))
        })
        .collect();
    if found.len() > 1 {
        found = found.into_iter().map(|found| found.weigh("broken", 0.2)).collect();
    }
    found
}

fn in_clear(index: usize, view: &View<'_>, proof: &MessageRecord, clear: &MessageRecord) -> Match {
    let said = view.clear_notifies(clear.from).find(|notify| notify.message.frame == clear.frame);
    let said = said.map(|notify| notify.notify_message_type);
    let notify = said.map_or("no notify".to_owned(), phase1::notify_name);
    let names_it = said.is_none_or(|said| notify::UNREADABLE.contains(&said));
    let found = Match::on(index, if names_it { Confidence::Inferred } else { Confidence::Suspected })
        .seen(format!(
            "MM5 is encrypted; the responder answered it in clear ({notify}), {}, where only an encrypted MM6 may stand",
            times(u64::from(clear.repeat_count) + 1),
        ))
        .frames([proof.frame, clear.frame]);
    if names_it {
        return found.means("the responder could not decrypt message 5: its key is another one");
    }
    found
        .means("the responder could not decrypt message 5, its key being another one, or it refuses what that holds")
        .settle("the responder's log: what it makes of message 5")
}

fn not_understood(index: usize, view: &View<'_>, proof: &MessageRecord, answers: &[&MessageRecord]) -> Option<Match> {
    let first = answers.first()?;
    if phase1::answered_once(view, proof, answers) || (answers.len() == 1 && phase1::went_before(view, first, true)) {
        // P1-AUTH-REJECT.
        return None;
    }
    // A responder that repeats message 4 has not got as far as message 5 in its own eyes: it may refuse the identity and
    // throw the state away, under keys that agree.
    let waits = || view.message(Label::Mm(4)).is_some_and(|fourth| phase1::repeats_after(fourth, proof.at) > 0);
    if !phase1::is_first_copy(view, proof) || waits() {
        return None;
    }
    let copies = u64::from(proof.repeat_count) + 1;
    let last = proof.repeats.iter().map(|repeat| repeat.at).max().unwrap_or(proof.at);
    let several = answers.len() >= 2;
    let found = Match::on(index, if several { Confidence::Inferred } else { Confidence::Suspected })
        .seen(format!(
            "MM5 was sent {} in {}, drawing {} and no MM6; the initiator goes on after them as if nothing had come",
            times(copies),
            span(last.since(proof.at)),
            number(answers.len() as u64, "encrypted Informational"),
        ))
        .means("neither end can decrypt what the other sends: the pre-shared keys differ")
        .frames([proof.frame, first.frame])
        .frames(proof.repeats.iter().take(2).map(|repeat| repeat.frame));
    Some(if several {
        found
    } else {
        found.settle("the responder's log, or a longer capture: whether each copy of message 5 draws an answer")
    })
}
