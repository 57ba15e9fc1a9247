//! P1-NOTIFY: an error in clear during phase 1 that no other pattern speaks about.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{role, times};
use crate::track::{Label, Mode, Side};

use super::phase1::{self, Method, Standing, notify};
use super::{p1_ke, p1_no_key};

/// INVALID-COOKIE, INVALID-FLAGS, PAYLOAD-MALFORMED (RFC 2408 §3.14.1).
const INVALID_COOKIE: u16 = 4;
const INVALID_FLAGS: u16 = 8;
const PAYLOAD_MALFORMED: u16 = 16;

pattern! {
    /// ## What is seen
    ///
    /// Before message 5, a notify in clear with an error type (1 to 30) that is neither a refused proposal, a wrong mode or
    /// version, a missing key nor a certificate: the report prints its type. A refused proposal is one if the responder had
    /// accepted the offer before, or if the initiator refuses.
    ///
    /// ## What it means
    ///
    /// What the type says. INVALID-COOKIE (4): the sender does not know this SA, it restarted or gave up. INVALID-FLAGS (8): a
    /// message came in clear that should have been encrypted. PAYLOAD-MALFORMED (16): the sender could not read a payload.
    /// INVALID-ID-INFORMATION (18): no configuration for this identity or address. INVALID-KEY-INFORMATION (17): the public
    /// value or its group. NO-PROPOSAL-CHOSEN (14) and its relatives after message 2 are not about the offer, which that
    /// message accepts: the responder finds later that something of its configuration is missing or does not fit. The
    /// notify is not authenticated: anybody can send it.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-PSK`: the same notifies after message 5 mean keys that differ.
    /// - `L-STALE-SA`: INVALID-COOKIE for an SA that was up.
    P1_NOTIFY = "P1-NOTIFY", Phase1, Error;
    title: "the peer sent an error in clear during phase 1";
    causes: [
        "as-said" 0.80 "as the type of the notify says", raised by "it repeats; the other side gives up", lowered by "the exchange goes on regardless";
        "later" 0.03 "the responder accepted the offer and found then that it has no key or no configuration that fits this peer",
            raised by "a refused proposal after message 2", lowered by "any other type";
        "no-key" 0.02 "the initiator has no pre-shared key for the address or identity of this peer",
            raised by "INVALID-KEY-INFORMATION of the initiator, with a pre-shared key method", lowered by "any other type";
        "stale" 0.10 "the notify belongs to an older SA or a restarted peer", raised by "INVALID-COOKIE", lowered by "any other type";
        "forged" 0.05 "somebody else sent it: it is not authenticated", raised by "the exchange goes on regardless", lowered by "the other side gives up";
    ];
    checks: [
        Initiator: "enter the pre-shared key for this peer, under the address and identity that it uses" about "no-key";
        Either: "look up the notify in the log of the side that sent it: it knows what it disliked";
        Either: "if both ends are of different vendors, bring their software up to date";
    ];
    logs: [
        "libreswan": "packet rejected: should have been encrypted" ("libreswan source");
        "racoon": "malformed cookie received." ("racoon source");
        "Huawei": "21: invalid cookie / 28: malformed payload" ("Huawei ALM-303046755");
        "D-Link": "Ike_invalid_payload, Ike_invalid_cookie" ("D-Link NetDefendOS manual 9.7.5");
        "Cisco ASA": "Received packet with missing payload, Expected payload" ("Cisco ASA syslog reference");
    ];
    sources: ["RFC 2408 §3.14.1", "RFC 2408 §5"];
    when: V1 ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter(|(_, view)| view.message(Label::Mm(5)).is_none() && view.message(Label::Am(3)).is_none())
        .filter_map(|(index, view)| {
            let (side, error) = [Side::Responder, Side::Initiator].into_iter().find_map(|side| {
                let error = view.clear_errors(side).find(|error| !spoken_for(&view, side, error))?;
                Some((side, error))
            })?;
            let withdrawn = withdraws(&view, side, &error);
            let (who, other) = (role(side), role(side.other()));
            let after = view
                .messages()
                .filter(|message| message.from != side && message.at <= error.message.at)
                .last()
                .map_or("nothing".to_owned(), |message| message.label.to_string());
            let mut found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "the {who} answered {after} with {} in clear, {}",
                    phase1::notify_name(error.notify_message_type),
                    times(u64::from(error.message.repeat_count) + 1),
                ))
                .means(match error.notify_message_type {
                    INVALID_COOKIE => format!("the {who} does not know this negotiation: it restarted, or gave it up"),
                    INVALID_FLAGS => format!("the {who} wanted an encrypted message and got one in clear"),
                    PAYLOAD_MALFORMED => format!("the {who} could not read a payload of the {other}"),
                    notify::INVALID_ID_INFORMATION => {
                        format!("the {who} has no configuration for this peer's identity or address")
                    }
                    notify::INVALID_KEY_INFORMATION => {
                        format!("the {who} does not accept the public value of the {other}, or has no key to go on with")
                    }
                    _ if withdrawn => {
                        "the offer was accepted in message 2, and the responder refuses all the same: it has no key or no configuration that fits this peer, or the notify is about something else"
                            .to_owned()
                    }
                    _ if side == Side::Initiator => {
                        "the initiator does not accept what the responder chose or sent".to_owned()
                    }
                    _ => "the responder refuses this message".to_owned(),
                })
                .frames([view.attempt.first_frame, error.message.frame])
                .severity(standing.severity(&view, P1_NOTIFY.severity));
            let no_key = side == Side::Initiator
                && error.notify_message_type == notify::INVALID_KEY_INFORMATION
                && phase1::method(&view) == Method::SharedKey;
            found = if no_key { found.weigh("no-key", 60.0).weigh("as-said", 0.5) } else { found.rule_out(&["no-key"]) };
            if error.notify_message_type == INVALID_COOKIE {
                found = found.weigh("stale", 4.0);
            }
            Some(if withdrawn {
                found
                    .weigh("later", 20.0)
                    .weigh("as-said", 0.3)
                    .settle("the responder's log at that time: what it found missing after message 2")
            } else {
                found.rule_out(&["later"])
            })
        })
        .collect()
}

/// The responder refuses an offer that it has accepted.
fn withdraws(view: &View<'_>, side: Side, error: &ClearNotify<'_>) -> bool {
    let choice = [Label::Mm(2), Label::Am(2)].into_iter().find_map(|label| view.message(label));
    side == Side::Responder
        && notify::REFUSALS.contains(&error.notify_message_type)
        && choice.is_some_and(|choice| choice.at <= error.message.at)
}

/// Errors that have a page of their own.
fn spoken_for(view: &View<'_>, side: Side, error: &ClearNotify<'_>) -> bool {
    let said = error.notify_message_type;
    if notify::CERTIFICATE.contains(&said) {
        return true;
    }
    if view.attempt.mode == Mode::Aggressive && notify::PROOF.contains(&said) {
        // P1-AGGR-AUTH: the responder refuses message 1, the initiator message 2.
        let answered = view.message(Label::Am(2)).is_some_and(|second| second.at <= error.message.at);
        return (side == Side::Initiator) == answered;
    }
    if side == Side::Initiator {
        return false;
    }
    match said {
        notify::INVALID_EXCHANGE_TYPE
        | notify::UNSUPPORTED_EXCHANGE_TYPE
        | notify::INVALID_MAJOR_VERSION
        | notify::INVALID_MINOR_VERSION => true,
        notify::INVALID_KEY_INFORMATION => !p1_ke::fits(view) || p1_no_key::asks_for_shared_key(view),
        _ => notify::REFUSALS.contains(&said) && !withdraws(view, side, error),
    }
}
