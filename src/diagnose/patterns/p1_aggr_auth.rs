//! P1-AGGR-AUTH: Aggressive Mode stops at authentication.

use std::net::IpAddr;

use crate::base::Timestamp;
use crate::diagnose::case::{AT_ONCE, Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::V1Suite;
use crate::diagnose::words::{span, times, until};
use crate::diagnose::{Confidence, Severity};
use crate::track::{IcmpFact, Label, MessageRecord, Mode, Side};

use super::phase1::{self, Ended, Method, Standing, notify};
use super::{icmp, nat};

pattern! {
    /// ## What is seen
    ///
    /// Messages 1 and 2 of Aggressive Mode and no message 3: the initiator complains in clear (AUTHENTICATION-FAILED 24,
    /// INVALID-HASH-INFORMATION 23, INVALID-ID-INFORMATION 18) or encrypted, or one side only repeats itself. Or no message 2:
    /// message 1 is answered in clear by AUTHENTICATION-FAILED or INVALID-ID-INFORMATION. Or message 3 is refused in clear, or
    /// passes here and the responder goes on with message 2, or ends the SA as soon as it has it. Or the responder's copies of message 2 are answered by the
    /// initiator's host with ICMP port unreachable: it got message 2, and went away.
    ///
    /// ## What it means
    ///
    /// After message 2 the initiator checks the responder's hash or signature, so a wrong key shows there and the initiator is
    /// the one that complains. A refusal of message 1 is about what that message carries in clear: an identity (group name) that the
    /// responder does not know, or a mode that it does not allow. Some gateways answer an unknown group with a made-up
    /// message 2; then it looks like a wrong key.
    ///
    /// Some initiators send Quick Mode right behind message 3. A responder that does not accept message 3 deletes the SA then, which
    /// looks much like a refusal of that Quick Mode; but who only refuses that keeps phase 1, and begins to speak after it.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-MODE`: the responder does Main Mode only, and some say AUTHENTICATION-FAILED for it.
    /// - `F-IKE-FRAG-LOST`: message 2 is large, and fragments of it are missing.
    /// - `S-SCAN`: a scanner asks for message 2 and goes away.
    /// - `P2-REJECT`: the answer has the size of a notify, or comes for each copy of the Quick Mode.
    P1_AGGR_AUTH = "P1-AGGR-AUTH", Phase1, Error;
    title: "aggressive mode stops at authentication";
    causes: [
        "keys" 0.38 "the pre-shared key or group password differs",
            raised by "the initiator complains after message 2, about the hash", lowered by "the responder refuses message 1";
        "identity" 0.20 "the responder does not know the identity or group name in message 1",
            raised by "the responder refuses message 1", lowered by "message 2 was sent; the identity is the initiator's own address";
        "peer" 0.10 "the initiator does not accept the responder's identity",
            raised by "INVALID-ID-INFORMATION after message 2", lowered by "INVALID-HASH-INFORMATION";
        "certificate" 0.05 "the certificate or signature of the other side is not accepted",
            raised by "a signature method", lowered by "a pre-shared key method";
        "mode" 0.13 "the responder does not allow Aggressive Mode, or not with a pre-shared key",
            raised by "message 1 is refused with AUTHENTICATION-FAILED", lowered by "message 2 was sent";
        "xauth" 0.01 "the responder has no XAUTH for this identity or group name, and the initiator asks for it",
            raised by "message 1 is refused, and its transforms name a method with XAUTH", lowered by "message 2 was sent; no offer with XAUTH";
        "port-4500" 0.01 "message 3 goes to UDP 4500, and is lost on its way there",
            raised by "both announce NAT traversal, and the initiator closes its port behind message 2", lowered by "anything of the initiator on UDP 4500";
        "lost" 0.09 "message 2 or 3 is lost, or the initiator is a scanner", raised by "silence after message 2; message 1 repeats", lowered by "any notify";
        "phase2" 0.01 "the responder accepts message 3 and ends the SA because of the Quick Mode behind it: networks, proposal or PFS",
            raised by "Quick Mode right behind message 3, and then a delete", lowered by "the delete comes before Quick Mode";
        "changed" 0.02 "what the two accepted of each other before was changed on one side since, or has expired: key, identity, certificate or mode",
            raised by "an attempt of the same initiator was authenticated before", lowered by "none was";
    ];
    checks: [
        Either: "find out what was changed since the two accepted each other, and on which side" about "changed";
        Path: "follow messages 2 and 3 on their way: filters, fragments of a large message 2, address translation, the return route" about "lost";
        Path: "permit UDP 4500 both ways, and forward it to the responder wherever UDP 500 is forwarded" about "port-4500";
        Either: "set both ends to the same mode: Main Mode, or Aggressive Mode" about "mode";
        Either: "check the certificates: authority, dates, names, and the clocks" about "certificate";
        Initiator: "check the group name (identity); it stands in clear in message 1" about "identity";
        Initiator: "check the group password or key" about "keys";
        Initiator: "check which identity it expects of the responder; the responder's stands in clear in message 2" about "peer";
        Responder: "check that it knows this identity, and allows Aggressive Mode for it" about "identity" "mode";
        Responder: "turn on XAUTH for this identity, or turn it off at the initiator" about "xauth";
        Responder: "check which key it takes for this identity" about "keys";
        Either: "look in the log of the side that refuses or falls silent: it names the reason";
        Either: "then compare networks, proposal and PFS of phase 2" about "phase2";
        Either: "prefer Main Mode or IKEv2: Aggressive Mode shows identities, and with a shared key it can be attacked offline";
    ];
    logs: [
        "Cisco IOS": "AG_INIT_EXCH" ("CON-21") about "keys" "peer" "lost";
        "Netopia": "phase1 auth failure" ("NIR-11");
        "strongSwan": "calculated HASH does not match HASH payload" ("strongSwan log") about "keys";
        "strongSwan": "IDir … INVALID_ID_INFORMATION" ("strongSwan source") about "peer";
        "strongSwan": "no peer config found / received AUTHENTICATION_FAILED error notify" ("strongSwan log") about "peer";
        "strongSwan": "Aggressive Mode PSK disabled for security reasons" ("strongSwan source") about "mode";
        "Cisco ASA": "Received ISAKMP Aggressive Mode message 1 with unknown tunnel group name" ("Cisco ASA syslog reference") about "identity";
        "Cisco ASA": "Sending spoofed ISAKMP Aggressive Mode message 2 due to receipt of unknown tunnel group" ("Cisco ASA syslog reference") about "identity";
        "racoon": "HASH mismatched" ("racoon log") about "keys";
        "racoon": "notification INVALID-HASH-INFORMATION received in unencrypted informational exchange." ("racoon log") about "keys";
        "racoon": "notification AUTHENTICATION-FAILED received in unencrypted informational exchange." ("racoon log");
        "libreswan": "received Hash Payload does not match computed value" ("libreswan log") about "keys";
        "vpnc": "hash comparison failed: (ISAKMP_N_AUTHENTICATION_FAILED)(24)" ("vpnc log") about "keys";
        "Shrew": "gateway authentication error" ("Shrew log") about "keys";
    ];
    sources: ["PIX-52", "CON-21", "NIR-11", "RFC 2409 §5", "RFC 2409 §5.4", "RFC 2408 §3.14.1"];
    misses: SetUp;
    lost: "lost", or its answer: "lost" "port-4500";
    when: V1_UNUSED AGGRESSIVE, AGGRESSIVE REPEATS, AGGRESSIVE QUICK_MODE_OPEN INFORMATIONAL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let last_success = phase1::last_with_phase_2(case);
    let aggressive = || phase1::attempts(case).filter(|(_, view)| view.attempt.mode == Mode::Aggressive);
    let early = aggressive().filter_map(|(_, view)| ended(&view)).find(Ended::before_quick).map(|ended| ended.by);
    aggressive()
        .filter_map(|(index, view)| {
            let ended = ended(&view);
            let behind_quick = ended.is_some() && early.is_none();
            let used = view.messages().any(|message| matches!(message.label, Label::Qm(_) | Label::Tr(_)));
            let ended = ended.map(|ended| sa_ended(index, &view, &ended, early, last_success));
            let found = message_3_ignored(index, &view, last_success).or(ended).or_else(|| {
                if used {
                    return None;
                }
                message_1_refused(index, &view)
                    .or_else(|| message_2_refused(index, &view))
                    .or_else(|| message_3_refused(index, &view))
                    .or_else(|| no_message_3(index, &view))
            })?;
            let severity = standing.severity(&view, found.severity.unwrap_or(P1_AGGR_AUTH.severity));
            let found = if behind_quick { found } else { found.rule_out(&["phase2"]) };
            let found = match phase1::wants_xauth(&view) && phase1::accepted_at(&view).is_none() {
                true => found.weigh("xauth", 20.0),
                false => found.rule_out(&["xauth"]),
            };
            let found = match may_have_moved(&view) {
                true => found.weigh("port-4500", 20.0),
                false => found.rule_out(&["port-4500"]),
            };
            let found = match found.weights.contains(&("lost", 0.0)) {
                true => phase1::weigh_change(
                    &view,
                    found,
                    60.0,
                    &["keys", "identity", "peer", "certificate", "mode", "xauth"],
                ),
                // what may have been lost is no refusal
                false => found.rule_out(&["changed"]),
            };
            Some(
                match phase1::method(&view) {
                    Method::SharedKey => found.rule_out(&["certificate"]),
                    Method::Certificate | Method::Hybrid => found.rule_out(&["keys"]).weigh("certificate", 5.0),
                    Method::Unknown => found,
                }
                .severity(severity),
            )
        })
        .collect()
}

fn sentence(view: &View<'_>, who: &str, what: &str, error: &ClearNotify<'_>) -> String {
    format!(
        "the {who} answered {what} with {} in clear, {}",
        phase1::notify_name(error.notify_message_type),
        times(view.times_said(error)),
    )
}

fn about_proof(error: &ClearNotify<'_>) -> bool {
    notify::PROOF.contains(&error.notify_message_type)
}

fn message_1_refused(index: usize, view: &View<'_>) -> Option<Match> {
    if view.message(Label::Am(2)).is_some() {
        return None;
    }
    let error = view.clear_errors(Side::Responder).find(about_proof)?;
    let found = Match::on(index, Confidence::Stated)
        .seen(sentence(view, "responder", "AM1", &error))
        .means(if phase1::wants_xauth(view) {
            "the responder does not know the identity in message 1, or does not allow Aggressive Mode, or XAUTH, for it"
        } else {
            "the responder does not know the identity in message 1, or does not allow Aggressive Mode for it"
        })
        .frames([view.attempt.first_frame, error.message.frame])
        // no proof was made yet, and an answer came
        .rule_out(&["keys", "peer", "certificate", "lost"]);
    Some(match error.notify_message_type {
        notify::INVALID_ID_INFORMATION => found.weigh("identity", 4.0).weigh("xauth", 0.2),
        _ if names_itself_by_address(view) => found.weigh("mode", 2.0).weigh("identity", 0.5),
        _ => found.weigh("mode", 2.0),
    })
}

/// The identity in message 1 is the address that it came from.
fn names_itself_by_address(view: &View<'_>) -> bool {
    let address = view.attempt.initiator.ip();
    let id = view.message(Label::Am(1)).and_then(phase1::identity);
    id.is_some_and(|(_, data)| match address {
        IpAddr::V4(address) => *data == address.octets(),
        IpAddr::V6(address) => *data == address.octets(),
    })
}

fn message_2_refused(index: usize, view: &View<'_>) -> Option<Match> {
    let second = view.message(Label::Am(2))?;
    if view.message(Label::Am(3)).is_some() {
        return None;
    }
    let signed = matches!(phase1::method(view), Method::Certificate | Method::Hybrid);
    let found = match view.clear_errors(Side::Initiator).find(|error| error.message.last_sent() >= second.at) {
        // P1-NOTIFY, P1-CERT.
        Some(error) if !about_proof(&error) => return None,
        Some(error) => {
            let found = Match::on(index, Confidence::Stated)
                .seen(sentence(view, "initiator", "AM2", &error))
                .frames([second.frame, error.message.frame]);
            match error.notify_message_type {
                notify::INVALID_ID_INFORMATION => found
                    .means("the initiator does not accept the identity of the responder in message 2")
                    .weigh("peer", 10.0)
                    .weigh("keys", 0.2),
                notify::INVALID_HASH_INFORMATION => found
                    .means(if signed {
                        "the responder's signature in message 2 does not verify at the initiator"
                    } else {
                        "the responder's hash in message 2 does not verify at the initiator: the keys differ"
                    })
                    .rule_out(&["peer"]),
                _ => found.weigh("peer", 2.0),
            }
        }
        None => {
            let answer = phase1::encrypted_informationals(view, Side::Initiator)
                .find(|answer| phase1::may_answer(answer, second))?;
            Match::on(index, Confidence::Inferred)
                .seen(format!(
                    "the initiator answered AM2 with an encrypted Informational {} later, and sent no AM3",
                    span(answer.at.since(second.at)),
                ))
                .frames([second.frame, answer.frame])
                .settle("the initiator's log: whether the hash or the identity of message 2 did not verify")
        }
    };
    // Some gateways answer an identity that they do not know with a message 2 that was made up.
    let mut found = found.weigh("keys", 1.5).weigh("identity", 0.4).rule_out(&["mode", "lost"]);
    if found.means.is_empty() {
        found.means = if signed {
            "the initiator does not accept the responder's signature, its certificate, or the identity in it"
        } else {
            "the responder's proof does not verify at the initiator: the keys differ, or the identity is not the expected one"
        }
        .into();
    }
    Some(found)
}

/// The responder refuses in clear what message 3 proves.
fn message_3_refused(index: usize, view: &View<'_>) -> Option<Match> {
    let third = view.message(Label::Am(3))?;
    // P1-NOTIFY.
    let aside = |error: &ClearNotify<'_>| notify::ASIDE.contains(&error.notify_message_type);
    let error = view.clear_errors(Side::Responder).find(|error| error.message.at >= third.at && !aside(error))?;
    Some(
        Match::on(index, Confidence::Stated)
            .seen(sentence(view, "responder", "AM3", &error))
            .means(match phase1::method(view) {
                Method::Certificate => "the responder does not accept the initiator's signature or certificate",
                Method::Hybrid => "the responder does not accept message 3",
                _ => "the initiator's proof does not verify at the responder: the keys differ",
            })
            .frames([third.frame, error.message.frame])
            .weigh("identity", 0.2)
            .rule_out(&["peer", "mode", "lost"]),
    )
}

/// Message 3 passes here and the responder goes on with message 2. `last_success` is when the last attempt with a tunnel
/// began.
fn message_3_ignored(index: usize, view: &View<'_>, last_success: Option<Timestamp>) -> Option<Match> {
    let second = view.message(Label::Am(2))?;
    let (third, copies) = phase1::message_3_ignored(view)?;
    let here = third.label == Label::Am(3);
    let history = last_success.is_some_and(|success| success > view.attempt.first);
    let mut seen = format!(
        "{}{} was sent {}; the responder goes on with AM2, {} more after it",
        if here { "" } else { "no AM3 is seen; " },
        third.label,
        times(u64::from(third.repeat_count) + 1),
        times(copies as u64),
    );
    let error = phase1::encrypted_informationals(view, Side::Responder).find(|error| error.at >= third.at);
    match error {
        Some(error) => {
            let after = span(error.at.since(third.at));
            seen.push_str(&format!(", and sent an encrypted Informational {after} after it"));
        }
        None => seen.push_str(", and says nothing else"),
    }
    let left = left_after(view, third);
    if let Some(left) = left {
        let after = span(left.at.since(third.at));
        seen.push_str(&format!(
            "; the initiator sent an encrypted Informational {after} after {}, and nothing more",
            third.label
        ));
    }
    let found = Match::on(index, Confidence::Inferred)
        .frames(view.frames(second))
        .frames([third.frame])
        .frames(error.into_iter().chain(left).map(|message| message.frame))
        .severity(if history { Severity::Notice } else { P1_AGGR_AUTH.severity })
        .rule_out(&["mode"]);
    let found = if error.is_some() || left.is_some() {
        // What is answered arrives, and who leaves at once does not wait for anything.
        let found = if error.is_some() { found.rule_out(&["lost"]) } else { found };
        found
            .means(match (error, left) {
                (Some(_), Some(_)) => "the responder answers message 3 with an error and the initiator leaves: neither takes the other's proof",
                (Some(_), None) => "the responder answers message 3 with an error and goes on as if it had not come: it does not take the initiator's proof",
                _ => "the initiator leaves right after message 3, and the responder goes on as if it had not come: most likely neither takes the other's proof",
            })
            .weigh("keys", 4.0)
            .settle("the logs of both ends: what they make of messages 2 and 3")
    } else {
        found
            .means(if here {
                "message 3 does not reach the responder, or it does not take it: for the initiator phase 1 is complete, for the responder it is not"
            } else {
                "message 3 is lost before this point: for the initiator phase 1 is complete, for the responder it is not"
            })
            // the initiator took message 2
            .rule_out(&["peer"])
            .weigh("lost", 10.0)
            .weigh("keys", 0.2)
            .weigh("identity", 0.2)
            .settle(if here {
                "a capture on the responder's outside: whether message 3 arrives"
            } else {
                "a capture on the initiator's outside: whether message 3 leaves"
            })
    };
    Some(found.seen(seen))
}

fn ended<'a>(view: &View<'a>) -> Option<Ended<'a>> {
    // P2-REJECT.
    phase1::ended_at_message_3(view).filter(|ended| !ended.may_refuse_quick)
}

/// The responder ends the SA as soon as it has message 3, with a Quick Mode right behind that. `early`: what one says that had no Quick
/// Mode yet, on any attempt: then it is not that which is refused.
fn sa_ended(
    index: usize,
    view: &View<'_>,
    ended: &Ended<'_>,
    early: Option<&MessageRecord>,
    last_success: Option<Timestamp>,
) -> Match {
    let Ended { third, quick, by, .. } = *ended;
    let size = if V1Suite::chosen(view.attempt).is_some() { " of the size of a delete" } else { "" };
    let mut seen = format!(
        "AM3 was sent {} and QM1 {} behind it; the responder sent an encrypted Informational{size} {} after AM3, and nothing else",
        times(u64::from(third.repeat_count) + 1),
        span(quick.at.since(third.at)),
        span(by.at.since(third.at)),
    );
    if ended.before_quick() {
        seen.push_str("; it came before QM1");
    } else if early.is_some() {
        seen.push_str("; on another attempt it came before QM1");
    }
    let signed = phase1::method(view) == Method::Certificate;
    let found = Match::on(index, if ended.before_quick() { Confidence::Inferred } else { Confidence::Suspected })
        .seen(seen)
        .frames([third.frame, quick.frame, by.frame])
        .frames(early.map(|early| early.frame))
        .settle("the responder's log: what it makes of message 3")
        .rule_out(&["mode", "lost", "peer"])
        .weigh("keys", 0.2)
        .weigh("identity", 0.5);
    let found = match last_success {
        Some(success) if success > view.attempt.first => found.severity(Severity::Notice),
        _ => found,
    };
    match (early, signed) {
        (Some(_), true) => {
            found.means("the responder ends phase 1 as soon as it has message 3: it does not accept the initiator's certificate, signature or identity")
        }
        (Some(_), false) => {
            found.means("the responder ends phase 1 as soon as it has message 3: it does not accept the initiator's proof or identity")
        }
        (None, true) => found
            .means("the responder ends phase 1: most likely it does not accept the initiator's certificate, signature or identity in message 3, or else the Quick Mode behind it")
            .weigh("phase2", 10.0),
        (None, false) => found
            .means("the responder ends phase 1: it does not accept message 3, or the Quick Mode behind it")
            .weigh("phase2", 20.0),
    }
}

/// The encrypted Informational with which the initiator leaves right after message 3, deaf to what comes later.
fn left_after<'a>(view: &View<'a>, third: &MessageRecord) -> Option<&'a MessageRecord> {
    let of_initiator = || view.messages().filter(|message| message.from == Side::Initiator);
    let left = phase1::encrypted_informationals(view, Side::Initiator)
        .find(|left| left.at >= third.at && left.at.since(third.at) <= AT_ONCE)?;
    let goes_on = of_initiator().any(|message| message.at > left.at || message.last_sent() > left.at.after(AT_ONCE));
    (!goes_on).then_some(left)
}

fn no_message_3(index: usize, view: &View<'_>) -> Option<Match> {
    let second = view.message(Label::Am(2))?;
    let said = [Side::Initiator, Side::Responder]
        .into_iter()
        .any(|side| view.clear_errors(side).any(|error| error.message.at >= second.at));
    if view.message(Label::Am(3)).is_some() || said {
        return None;
    }
    let waited = phase1::silence_after(view, second);
    let closed = closed_its_port(view, second);
    let anonymous = phase1::is_anonymous(view);
    if waited.is_none() && !anonymous && closed.is_none() {
        return None;
    }
    let severity =
        if waited.is_some() || (closed.is_some() && !anonymous) { P1_AGGR_AUTH.severity } else { Severity::Notice };
    let waited = waited.unwrap_or_else(|| view.waited(second));
    let asked_again = view.message(Label::Am(1)).map_or(0, |first| phase1::repeats_after(first, second.at));
    let mut found = Match::on(index, Confidence::Suspected)
        .frames(view.frames(second))
        .severity(severity)
        .rule_out(&["mode"])
        .settle("the initiator's log, or a capture on its outside: whether message 2 arrives whole");
    found.seen = format!(
        "AM2 was sent {}; no AM3 and no notify {}",
        times(waited.copies),
        until(waited.over + waited.after, "it"),
    );
    if asked_again > 0 {
        found.seen.push_str(&format!("; AM1 came {} more after it", times(asked_again as u64)));
        found.means = "the initiator goes on asking: message 2 does not reach it".into();
        found = found.weigh("lost", 10.0).weigh("keys", 0.3).weigh("identity", 0.3);
    } else if let Some(error) = closed {
        found.frames.extend(error.frames.iter().copied());
        found.seen.push_str(&format!(
            "; {} itself says that the port is closed (ICMP port unreachable), {}",
            error.from,
            times(error.count)
        ));
        found.means = if may_have_moved(view) {
            "the initiator got message 2 and closed its port: it does not accept the responder's proof, or it is behind a NAT, moved to UDP 4500, and its message 3 does not get here"
        } else {
            "the initiator got message 2, did not go on, and closed its port: most likely it does not accept the responder's proof"
        }
        .into();
        found = found.weigh("keys", 1.5).weigh("peer", 2.0).weigh("identity", 0.4);
    } else {
        found.means =
            "the initiator did not accept message 2 and says nothing, waits for its user, or never wanted more".into();
    }
    if anonymous {
        found.seen.push_str("; the initiator sent no vendor id");
        found = found.weigh("lost", 4.0);
    }
    Some(found)
}

/// The initiator has message 2, says nothing here since and may have moved to UDP 4500 with message 3 (RFC 3947 §4): it closed the port
/// that it came from, and nothing is seen to pass on 4500. Within its own NAT, as its peer's hash tells, that would be seen.
fn may_have_moved(view: &View<'_>) -> bool {
    let nat = &view.attempt.nat;
    let detects = nat.announced == [true; 2] && nat.peer_matches[Side::Initiator.index()] == Some(true);
    let closed = || view.message(Label::Am(2)).is_some_and(|second| closed_its_port(view, second).is_some());
    let silent = || view.messages().all(|message| message.from == Side::Responder || message.label == Label::Am(1));
    detects && closed() && silent() && view.attempt.initiator.port() != nat::NAT_T && !view.messages().any(nat::on_4500)
}

/// The initiator's host itself refuses what the responder goes on sending after message 2.
fn closed_its_port<'a>(view: &View<'a>, second: &MessageRecord) -> Option<&'a IcmpFact> {
    let initiator = view.attempt.initiator;
    view.case.pair.icmp_errors.iter().find(|error| {
        icmp::is_no_port(error)
            && [error.from, error.quoted_destination] == [initiator.ip(); 2]
            && error.initiator_spi.is_none_or(|spi| spi == view.attempt.initiator_spi)
            && error.first >= second.at
    })
}
