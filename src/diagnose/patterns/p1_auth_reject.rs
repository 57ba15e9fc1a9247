//! P1-AUTH-REJECT: the responder refuses message 5 with an encrypted error.

use crate::diagnose::Confidence;
use crate::diagnose::case::{AT_ONCE, Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{Content, V1Suite};
use crate::diagnose::words::{number, span, times, until};
use crate::track::{Label, MessageRecord, Side};

use super::phase1::{self, Answer, Conduct, Method, Standing};

pattern! {
    /// ## What is seen
    ///
    /// Message 5, then an encrypted Informational from the responder and no message 6. The initiator stops; it may begin
    /// anew with other cookies and fare the same.
    ///
    /// ## What it means
    ///
    /// Authentication was refused; the reason is encrypted. What the initiator does next tells something: if it stops at once
    /// it could read the error, so with a pre-shared key the keys agree, and the identity, the method or another policy is
    /// what the responder refuses. If it goes on with message 5 it could not read it (`P1-PSK`), except that a responder which
    /// also repeats message 4 may have refused the identity and dropped its state.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-PSK`: the initiator goes on, each copy drawing another error.
    /// - `P1-CERT`: the same with certificates.
    /// - `P1-UP-NO-P2`: message 6 is lost, and what comes is the responder's INITIAL-CONTACT behind it, which is as long.
    /// - `L-DELETE-AFTER-P1`: message 6 was sent before.
    P1_AUTH_REJECT = "P1-AUTH-REJECT", Phase1, Error;
    title: "the responder refuses message 5, reason encrypted";
    causes: [
        "identity" 0.53 "the responder does not know the initiator's identity, or has no configuration for it: its type or value differs",
            raised by "a pre-shared key method and an initiator that stops; NAT with addresses for identities", lowered by "an initiator that goes on";
        "method" 0.15 "the responder wants another authentication method for this peer: key against certificate",
            raised by "several methods in the offer", lowered by "one method on both ends";
        "keys" 0.15 "the pre-shared keys differ", raised by "the initiator goes on with message 5", lowered by "the initiator stops: it could read the error";
        "lost-6" 0.05 "the responder accepts message 5, and message 6 is lost: what came is its INITIAL-CONTACT",
            raised by "the initiator goes on; the responder completes phase 1 in its log", lowered by "the initiator stops; another error for each copy of message 5";
        "mode" 0.03 "the responder's configuration for this peer asks for Aggressive Mode", raised by "the peer starts Aggressive Mode itself", lowered by "Main Mode worked before";
        "policy" 0.07 "another policy: one side wants XAUTH and the other does not, or a limit is reached", raised by "an XAUTH method elsewhere between the two", lowered by "a plain peer";
        "changed" 0.02 "what the responder accepted of the initiator before was changed on one side since: identity, key, method or another policy",
            raised by "an attempt of the same initiator was authenticated before", lowered by "none was";
    ];
    checks: [
        Either: "find out what was changed since the responder accepted this initiator, and on which side" about "changed";
        Responder: "look in its log for the identity it got; set its type and value as this peer sends it";
        Initiator: "set the local identity explicitly (address, name) as the responder expects it";
        Either: "compare the authentication method, and whether XAUTH is expected";
        Either: "then compare the pre-shared keys";
    ];
    logs: [
        "strongSwan": "no peer config found / received AUTHENTICATION_FAILED error notify" ("strongSwan source");
        "strongSwan": "ignore malformed INFORMATIONAL request" ("strongSwan source");
        "Nokia": "terminated by state machine" ("PIX-43");
        "Cisco ASA": "MM_WAIT_MSG6" ("S2S-24");
        "Tencent": "responder no peer config found by ID payload" ("Tencent Cloud doc 554/79960");
        "Huawei": "13: config ID mismatch" ("Huawei ALM-303046755");
        "SonicWALL": "IKE Responder: Proposed IKE ID mismatch / VPN Policy NOT found for proposed ID type: KEY ID" ("public forum log");
        "Cisco ASA": "Unknown identification type / Identification type not supported, Phase 1" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-43", "PIX-52", "S2S-24", "RFC 2409 §5.4", "RFC 2409 §5.7", "RFC 2408 §5.8"];
    misses: SetUp;
    when: V1 DOWN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter(|(_, view)| phase1::method(view) != Method::Certificate)
        .filter_map(|(index, view)| {
            let (proof, Answer::Encrypted { messages, initiator, may_greet }) = phase1::answer_to_message_5(&view)? else {
                return None;
            };
            let waits = view.message(Label::Mm(4)).map_or(0, |fourth| phase1::repeats_after(fourth, proof.at));
            let first = messages.first()?;
            let once = may_greet
                || phase1::answered_once(&view, proof, &messages)
                || (messages.len() == 1 && phase1::went_before(&view, first, true));
            let whole = phase1::is_first_copy(&view, proof);
            if initiator == Conduct::GoesOn && waits == 0 && !once && whole {
                // P1-PSK.
                return None;
            }
            if initiator == Conduct::Unknown && phase1::went_before(&view, first, false) {
                // As far as it goes, it goes like the one before: P1-PSK.
                return None;
            }
            let mut found = Match::on(index, Confidence::Inferred)
                .frames([proof.frame, first.frame])
                .severity(standing.severity(&view, P1_AUTH_REJECT.severity));
            found.seen = format!(
                "the responder answered MM5 with {}{} {}, and sent no MM6",
                number(messages.len() as u64, "encrypted Informational"),
                if messages.len() > 1 { ", the first" } else { "" },
                if first.at < proof.at {
                    "in front of the first copy that was captured".to_owned()
                } else {
                    format!("{} later", span(first.at.since(proof.at)))
                },
            );
            let named = names_cookies(&view, first.length);
            let replies = replies_alike(&view, first);
            match initiator {
                Conduct::Stops => {
                    found.seen.push_str(&format!(
                        "; the initiator did not send MM5 again {}",
                        until(case.end().since(first.at), "it")
                    ));
                    // Some stop at whatever they cannot read.
                    let (means, keys) = match named {
                        Some(true) => ("the initiator could read the error, so the keys agree: identity, method or another policy is refused", 0.1),
                        Some(false) => ("the error is as short as one about a message that could not be decrypted: the keys differ, or the initiator could read that its identity or method is refused", 5.0),
                        None => ("the initiator seems to have read the error, that its identity, method or another policy is refused; or it stops at what it cannot read", 2.0),
                    };
                    found.means = means.into();
                    found = found.weigh("keys", keys);
                    if replies {
                        found.confidence = Some(Confidence::Suspected);
                        found.seen.push_str("; it says something as long itself, as both do where INITIAL-CONTACT follows message 6");
                        found.means = "the responder refuses what message 5 says, and the initiator deletes the SA; or message 6 is not in the capture".into();
                        found = found.settle("the responder's log: that it refuses, or that phase 1 is complete");
                    } else if named != Some(true) {
                        found.confidence = Some(Confidence::Suspected);
                        found = found.settle("the responder's log: the identity it got, or that it could not decrypt");
                    }
                }
                Conduct::GoesOn => {
                    found.confidence = Some(Confidence::Suspected);
                    found.seen.push_str(&match waits {
                        0 if once => "; the initiator repeats MM5, and no copy draws another answer".to_owned(),
                        0 => "; the initiator repeats MM5; what came before is not in the capture".to_owned(),
                        _ => format!("; the initiator repeats MM5, the responder sent MM4 {} more", times(waits as u64)),
                    });
                    found.means = match waits {
                        0 if !once => "the keys differ, or the responder refuses the identity",
                        0 => "the responder refuses the identity and forgets the SA with it, or the keys differ",
                        _ => "the responder refuses the identity and goes back to waiting for MM5, or the keys differ",
                    }
                    .into();
                    found = found.weigh("keys", match (once, waits) { (true, _) => 1.0, (_, 0) => 6.0, _ => 2.5 }).settle("the responder's log: the identity it got, or that it could not decrypt");
                }
                Conduct::Unknown => {
                    found.confidence = Some(Confidence::Suspected);
                    found.seen.push_str("; the capture ends too early to tell whether the initiator could read it");
                    found.means = match named {
                        Some(true) => "most likely the responder refuses the initiator's identity, its method or another policy; the capture ends too early to be sure",
                        _ => "most likely authentication was refused; this capture does not tell whether the keys or something else is the reason",
                    }
                    .into();
                    found = found.weigh("keys", 2.0).settle(
                        "a capture that goes on for ten seconds: an initiator that sends message 5 again has another key",
                    );
                }
            }
            match named {
                Some(true) => {
                    found.seen.push_str("; its length fits an error that names both cookies");
                    if initiator != Conduct::Stops {
                        found = found.weigh("keys", 0.4);
                    }
                }
                Some(false) if initiator == Conduct::Stops => {
                    found.seen.push_str("; its length fits an error that names no cookies");
                }
                _ => {}
            }
            if replies {
                found = found.weigh("lost-6", 6.0);
            } else if may_greet {
                found.seen.push_str("; an INITIAL-CONTACT would be as long");
                found = found.weigh("lost-6", 4.0);
                if initiator == Conduct::GoesOn {
                    found.means = "the responder refuses the identity and drops its state with it, or it accepts message 5 and message 6 is lost".into();
                    found = found.settle("the responder's log: the identity it got, or that phase 1 is complete");
                }
            } else {
                found = found.rule_out(&["lost-6"]);
            }
            if view.attempt.nat.behind(Side::Initiator) == Some(true) {
                found = found.weigh("identity", 1.5);
            }
            if phase1::method(&view) == Method::Unknown {
                found.confidence = Some(Confidence::Suspected);
                found.seen.push_str("; that the method is a pre-shared key was not seen");
            }
            if phase1::wants_xauth(&view) {
                found.seen.push_str("; the method that was agreed on asks for XAUTH");
                found = found.weigh("policy", 5.0);
            } else if phase1::announce_xauth(&view) {
                found = found.weigh("policy", 2.0);
            }
            Some(phase1::weigh_change(&view, found, 60.0, &["identity", "method", "keys", "mode", "policy"]))
        })
        .collect()
}

/// Whether the initiator says something as long at once.
fn replies_alike(view: &View<'_>, first: &MessageRecord) -> bool {
    phase1::encrypted_informationals(view, Side::Initiator).any(|message| {
        message.length == first.length && message.at >= first.at && message.at.since(first.at) <= AT_ONCE
    })
}

/// Whether an error of this length names both cookies, if that can be told: responders that could not decrypt message 5 name no
/// SPI; those that refuse what it says often do.
fn names_cookies(view: &View<'_>, length: u32) -> Option<bool> {
    let contents = V1Suite::chosen(view.attempt)?.contents(view.attempt, Side::Responder, length);
    match (contents.contains(Content::IsakmpNotify), contents.contains(Content::BareNotify)) {
        (true, false) if !contents.contains(Content::IpsecNotify) => Some(true),
        (false, true) => Some(false),
        _ => None,
    }
}
