//! P1-NOTIFY: an error in clear during phase 1 that no other pattern speaks about.

use crate::base::Timestamp;
use crate::diagnose::case::{Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{role, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, Mode, Side};

use super::phase1::{self, Answer, Method, Standing, notify};
use super::{p1_cert, p1_ke, p1_no_key};

/// INVALID-FLAGS, PAYLOAD-MALFORMED (RFC 2408 §3.14.1).
const INVALID_FLAGS: u16 = 8;
const PAYLOAD_MALFORMED: u16 = 16;

pattern! {
    /// ## What is seen
    ///
    /// A notify in clear with an error type (1 to 30) that is neither a refused proposal, a wrong mode or version, a missing key
    /// nor a certificate: the report prints its type. A refused proposal, mode or version is one if the responder had
    /// accepted it before, in message 2, or if the initiator refuses; one about certificates if a pre-shared key was agreed on or
    /// none was sent. In answer to message 5 it is one only if it is not about what that holds.
    ///
    /// ## What it means
    ///
    /// What the type says. INVALID-COOKIE (4): the sender does not know this SA, it restarted or gave up. INVALID-FLAGS (8): a
    /// message came in clear that should have been encrypted. PAYLOAD-MALFORMED (16): the sender could not read a payload.
    /// INVALID-ID-INFORMATION (18): no configuration for this identity or address. INVALID-KEY-INFORMATION (17): the public
    /// value or its group. ADDRESS-NOTIFICATION (26) and NOTIFY-SA-LIFETIME (27) refuse nothing. NO-PROPOSAL-CHOSEN (14) and its relatives after message 2 are not about the offer, which that
    /// message accepts: the responder finds later that something of its configuration is missing or does not fit.
    /// INVALID-MAJOR-VERSION (5), INVALID-EXCHANGE-TYPE (7) and the like after message 2 come from a peer that lost its state,
    /// from another member of a cluster, or from somebody else. The notify is not authenticated: anybody can send it.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-PSK`: what may be about the contents of message 5 means keys that differ there.
    /// - `L-STALE-SA`: INVALID-COOKIE for an SA that was up.
    P1_NOTIFY = "P1-NOTIFY", Phase1, Error;
    title: "the peer sent an error in clear during phase 1";
    causes: [
        "as-said" 0.80 "as the type of the notify says", raised by "it repeats; the other side gives up", lowered by "the exchange goes on regardless";
        "later" 0.03 "the responder accepted the offer and found then that it has no key or no configuration that fits this peer",
            raised by "a refused proposal after message 2", lowered by "any other type";
        "no-key" 0.02 "the initiator has no pre-shared key for the address or identity of this peer",
            raised by "INVALID-KEY-INFORMATION of the initiator, with a pre-shared key method", lowered by "any other type";
        "stale" 0.10 "the peer restarted, another member of a cluster answers, or the notify belongs to an older SA",
            raised by "INVALID-COOKIE; a version or mode that was accepted before", lowered by "any other type";
        "forged" 0.05 "somebody else sent it: it is not authenticated", raised by "the exchange goes on regardless", lowered by "the other side gives up";
    ];
    checks: [
        Initiator: "enter the pre-shared key for this peer, under the address and identity that it uses" about "no-key";
        Either: "look up the notify in the log of the side that sent it: it knows what it disliked";
        Either: "if both ends are of different vendors, bring their software up to date";
        Either: "on the side that sent it, look for a restart at that time, and for a second device that answers for its address" about "stale";
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
        .filter_map(|(index, view)| {
            let accepted = phase1::accepted_at(&view);
            let error = error_of(&view, accepted)?;
            let (side, said) = (error.message.from, error.notify_message_type);
            let withdrawn = withdraws(accepted, &error);
            let gone_along =
                side == Side::Responder && of_message_1(said) && phase1::was_accepted(accepted, error.message);
            let asked = phase1::answered_by(&view, error.message);
            let unseen = if view.attempt.midstream { "what is not in the capture" } else { "nothing" };
            let after = asked.map_or(unseen.to_owned(), |asked| asked.label.to_string());
            let severity = if notify::REFUSES_NOTHING.contains(&said) { Severity::Warning } else { P1_NOTIFY.severity };
            let found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "the {} answered {after} with {} in clear, {}",
                    role(side),
                    phase1::notify_name(said),
                    times(view.times_said(&error)),
                ))
                .means(meaning(&view, &error, withdrawn, gone_along))
                .frames([asked.map_or(view.attempt.first_frame, |asked| asked.frame), error.message.frame])
                .severity(standing.severity(&view, severity));
            let no_key = side == Side::Initiator
                && said == notify::INVALID_KEY_INFORMATION
                && phase1::method(&view) == Method::SharedKey;
            let found =
                if no_key { found.weigh("no-key", 60.0).weigh("as-said", 0.5) } else { found.rule_out(&["no-key"]) };
            let found = match said {
                notify::INVALID_COOKIE => found.weigh("stale", 12.0),
                _ if gone_along => found.weigh("stale", 20.0).weigh("forged", 10.0).weigh("as-said", 0.3),
                _ => found,
            };
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

/// The error to speak of: one before the proofs, or one in answer to a proof that is not about that.
fn error_of<'a>(view: &View<'a>, accepted: Option<Timestamp>) -> Option<ClearNotify<'a>> {
    if view.message(Label::Mm(5)).is_some() {
        let (_, Answer::Aside(error)) = phase1::answer_to_message_5(view)? else { return None };
        return Some(error).filter(|error| !spoken_for(view, accepted, error));
    }
    if let Some(third) = view.message(Label::Am(3)) {
        let aside = |error: &ClearNotify<'_>| {
            notify::ASIDE.contains(&error.notify_message_type) && phase1::may_answer(error.message, third)
        };
        let used = view.messages().any(|message| phase1::uses_phase_1(message.label));
        let error = view.clear_errors(Side::Responder).find(aside).filter(|_| !used)?;
        return Some(error).filter(|error| !spoken_for(view, accepted, error));
    }
    [Side::Responder, Side::Initiator]
        .into_iter()
        .find_map(|side| view.clear_errors(side).find(|error| !spoken_for(view, accepted, error)))
}

/// What a responder says of message 1: it does not do this version, or this mode.
fn of_message_1(said: u16) -> bool {
    matches!(
        said,
        notify::INVALID_MAJOR_VERSION
            | notify::INVALID_MINOR_VERSION
            | notify::INVALID_EXCHANGE_TYPE
            | notify::UNSUPPORTED_EXCHANGE_TYPE
    )
}

/// What the type says, and of whom (RFC 2408 §3.14.1, §5).
fn meaning(view: &View<'_>, error: &ClearNotify<'_>, withdrawn: bool, gone_along: bool) -> String {
    let side = error.message.from;
    let (who, other) = (role(side), role(side.other()));
    match error.notify_message_type {
        1 => format!("the {who} met a payload of a type that it does not know or take here; the {other} sends it"),
        2 => format!("the {who} does not take the DOI that the {other} names; on both sides it has to be that of IPsec (1)"),
        3 => format!("the {who} does not take the situation that the {other} names; without labels it is identity only (1)"),
        notify::INVALID_COOKIE => format!("the {who} does not know this negotiation: it restarted, or gave it up"),
        _ if gone_along => format!(
            "the {who} had gone along with this in message 2: a peer that lost its state says so, another member of a cluster, or somebody else"
        ),
        notify::INVALID_MAJOR_VERSION | notify::INVALID_MINOR_VERSION => {
            format!("the {who} does not take the IKE version that the {other} answers with")
        }
        notify::INVALID_EXCHANGE_TYPE | notify::UNSUPPORTED_EXCHANGE_TYPE => {
            format!("the {who} does not take the exchange that the {other} answers in")
        }
        INVALID_FLAGS => {
            format!("the {who} does not take the flags of the message; mostly it wanted an encrypted one and got one in clear")
        }
        9 => format!("the {who} does not take the message id that the {other} sets; in phase 1 it has to be zero"),
        10 => format!("the {who} does not know the protocol of a proposal of the {other}; in phase 1 it has to be ISAKMP (1)"),
        notify::INVALID_SPI => format!(
            "the {who} does not take an SPI: that of a proposal, which in phase 1 does not matter, or that of an SA that it does not have"
        ),
        PAYLOAD_MALFORMED => format!("the {who} could not read a payload of the {other}"),
        notify::INVALID_ID_INFORMATION => {
            format!("the {who} has no configuration for this peer's identity or address")
        }
        notify::INVALID_KEY_INFORMATION => {
            format!("the {who} does not accept the public value of the {other}, or has no key to go on with")
        }
        notify::INVALID_HASH_INFORMATION => {
            format!("the {who} finds a hash wrong, and the {other} has not proven itself yet: the log of the {who} has to tell what it means")
        }
        notify::AUTHENTICATION_FAILED => {
            format!("the {who} refuses the {other} before that has proven itself: for its address, its method or the mode")
        }
        said if notify::CERTIFICATE.contains(&said) => format!(
            "{}; but {}",
            p1_cert::meaning(said, who, other),
            match phase1::method(view) {
                Method::SharedKey => "pre-shared keys are to prove the identities: compare the methods of both sides",
                _ => "nothing that this could be about was sent yet",
            },
        ),
        26 => format!("this refuses nothing by itself: the {who} tells an address"),
        27 => format!("this refuses nothing by itself: the {who} tells a lifetime; compare those of phase 1"),
        30 => format!("the {who} finds a length that is not that of the message: the {other} wrote it, or the path changed it"),
        _ if withdrawn => {
            "the offer was accepted in message 2, and the responder refuses all the same: it has no key or no configuration that fits this peer, or the notify is about something else"
                .to_owned()
        }
        _ if side == Side::Initiator => "the initiator does not accept what the responder chose or sent".to_owned(),
        _ => "the responder refuses this message".to_owned(),
    }
}

/// The responder refuses an offer that it has accepted.
fn withdraws(accepted: Option<Timestamp>, error: &ClearNotify<'_>) -> bool {
    error.message.from == Side::Responder
        && notify::REFUSALS.contains(&error.notify_message_type)
        && phase1::was_accepted(accepted, error.message)
}

/// Errors that have a page of their own.
fn spoken_for(view: &View<'_>, accepted: Option<Timestamp>, error: &ClearNotify<'_>) -> bool {
    let side = error.message.from;
    let said = error.notify_message_type;
    if p1_cert::speaks_of(view, error) {
        return true;
    }
    if view.attempt.mode == Mode::Aggressive && notify::PROOF.contains(&said) {
        // P1-AGGR-AUTH: the responder refuses message 1, the initiator message 2.
        let answered = view.message(Label::Am(2)).is_some_and(|second| second.at <= error.message.last_sent());
        return (side == Side::Initiator) == answered;
    }
    if side == Side::Initiator {
        return false;
    }
    match said {
        _ if of_message_1(said) => !phase1::was_accepted(accepted, error.message),
        notify::INVALID_KEY_INFORMATION => !p1_ke::fits(view) || p1_no_key::asks_for_shared_key(view),
        _ => notify::REFUSALS.contains(&said) && !withdraws(accepted, error),
    }
}
