//! V2-CLEAR-ERROR: an IKEv2 error notify came in clear.

use std::borrow::Cow;

use crate::base::{Fault, FaultKind, Timestamp};
use crate::diagnose::case::{Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{role, times};
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{Label, MessageRecord, Side};

use super::ikev2::{self, Standing, notify};
use super::{informational, t_spi_unknown};

/// RFC 7296 §3.10.1.
const INVALID_SYNTAX: u16 = 7;
const TEMPORARY_FAILURE: u16 = 43;
const PRIVATE: u16 = 8192;

pattern! {
    /// ## What is seen
    ///
    /// An IKEv2 message in clear with an error notify that has no page of its own: UNSUPPORTED_CRITICAL_PAYLOAD (1),
    /// INVALID_IKE_SPI (4), INVALID_SYNTAX (7), AUTHENTICATION_FAILED (24) and the like.
    ///
    /// ## What it means
    ///
    /// Inside IKE_SA_INIT the responder could not make sense of the request, or will not; there is no SA yet that could be lost.
    /// UNSUPPORTED_CRITICAL_PAYLOAD names the payload, and whoever sends that has to leave it out; INVALID_SYNTAX also stands for
    /// reasons that no other type has; TEMPORARY_FAILURE asks to try again later. INVALID_MAJOR_VERSION after a response to
    /// IKE_SA_INIT comes from a peer that lost its state, from another member of a cluster, or from somebody else. Outside of it, the sender has no
    /// key to say it under protection: INVALID_IKE_SPI means that it does not know this IKE SA (any more). Nobody vouches
    /// for such a message; a peer must not tear an SA down for it alone, only test whether the other end still lives.
    ///
    /// ## Look-alikes
    ///
    /// - `L-STALE-SA`: what INVALID_IKE_SPI usually comes from.
    /// - `T-SPI-UNKNOWN`: INVALID_SPI, about ESP or AH.
    /// - `V2-AUTH-FAIL`, `V2-CHILD-REJECT`: AUTHENTICATION_FAILED and the like in answer to IKE_AUTH, as old stacks say it.
    /// - `V2-PROPOSAL`, `V2-KE-RETRY`, `V2-VERSION`: error notifies of IKE_SA_INIT with pages of their own.
    V2_CLEAR_ERROR = "V2-CLEAR-ERROR", IkeV2, Error;
    title: "an IKEv2 error notify came in clear";
    causes: [
        "lost-sa" 0.43 "the sender lost the SA: restart, failover, deletion that did not arrive",
            raised by "INVALID_IKE_SPI", lowered by "the notify answers IKE_SA_INIT";
        "unsupported" 0.25 "one side uses a payload or feature that the other does not know",
            raised by "UNSUPPORTED_CRITICAL_PAYLOAD; the notify answers IKE_SA_INIT", lowered by "INVALID_IKE_SPI";
        "defect" 0.15 "a message was built or read wrongly, or damaged on the way",
            raised by "INVALID_SYNTAX; a fault in the message that it answers", lowered by "INVALID_IKE_SPI";
        "forged" 0.10 "the notify was not sent by the peer",
            raised by "the peer goes on all the same", lowered by "the SA ends";
        "policy" 0.05 "the responder has no configuration for this peer, or its policy forbids the request",
            raised by "another type in answer to IKE_SA_INIT", lowered by "the notify answers a later exchange";
        "busy" 0.02 "the sender is busy, or at a limit, for the moment", raised by "TEMPORARY_FAILURE", lowered by "any other type";
    ];
    checks: [
        Either: "clear the SA and let it come up anew; enable liveness checks on both" about "lost-sa";
        Responder: "look in its log for the reason";
        Responder: "look for a restart at that time" about "lost-sa";
        Responder: "make sure that a configuration for the address of the initiator exists" about "policy";
        Initiator: "try again later; if it stays so, look what keeps the responder busy" about "busy";
        Initiator: "switch off features that the peer may not know, one by one" about "unsupported";
    ];
    logs: [
        "strongSwan": "critical unknown payloads found" ("strongSwan source");
    ];
    sources: ["RFC 7296 §1.5", "RFC 7296 §2.21", "RFC 7296 §2.5", "RFC 7296 §3.10.1"];
    when: V2 ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    ikev2::attempts(case)
        .filter(|(_, view)| !ikev2::auth_refused_in_clear(view).is_some_and(|refusal| has_page(&refusal)))
        .filter_map(|(index, view)| {
            let accepted = ikev2::accepted_at(&view);
            let notify = [Side::Responder, Side::Initiator]
                .into_iter()
                .flat_map(|side| view.clear_notifies(side))
                .find(|notify| without_page(&view, accepted, notify))?;
            let message = notify.message;
            let what = notify.notify_message_type;
            let first = answers_first(accepted, &notify);
            let broken = broken_before(&view, message).filter(|_| what == INVALID_SYNTAX);
            // Who refuses a message may go on under the SA; who does not know it, or has refused it, cannot.
            let refuted =
                (lost(what) || what == notify::AUTHENTICATION_FAILED) && informational::is_refuted(&view, message);
            let over =
                refuted || standing.up_since(message.at) || standing.authenticated_after(view.attempt) && !lost(what);
            let mut found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "the {} sent {} in clear, {}{}",
                    role(message.from),
                    ikev2::named(what),
                    times(u64::from(message.repeat_count) + 1),
                    unknown_payload(&view, &notify),
                ))
                .frames([message.frame]);
            if let Some((asked, fault)) = broken {
                found.seen.push_str(&format!("; {} is malformed: {fault}", asked.label));
                found.frames.push(asked.frame);
            }
            found.means = match broken {
                _ if refuted => informational::REFUTED.into(),
                Some((asked, _)) => broken_by(asked).into(),
                None => meaning(&notify, first),
            };
            // There is no SA yet that could be lost.
            let found = found.rule_out(if first { &["lost-sa"] } else { &["policy"] });
            let found = if what == TEMPORARY_FAILURE { found.weigh("busy", 60.0) } else { found.rule_out(&["busy"]) };
            let found = match what {
                _ if refuted => found.weigh("forged", 10.0),
                _ if lost(what) && first => found.weigh("defect", 3.0).rule_out(&["unsupported", "policy"]),
                _ if lost(what) => found.weigh("lost-sa", 3.0).weigh("unsupported", 0.2).weigh("defect", 0.3),
                notify::UNSUPPORTED_CRITICAL_PAYLOAD => {
                    found.weigh("unsupported", 4.0).rule_out(&["lost-sa", "policy"])
                }
                INVALID_SYNTAX if broken.is_some() => found.weigh("defect", 20.0).weigh("lost-sa", 0.1),
                INVALID_SYNTAX => found.weigh("defect", 3.0).weigh("policy", 4.0).weigh("lost-sa", 0.1),
                notify::INVALID_MAJOR_VERSION => found.weigh("unsupported", 0.1).weigh("forged", 2.0),
                notify::INVALID_SPI => {
                    found.weigh("defect", 2.0).weigh("forged", 2.0).rule_out(&["unsupported", "policy"])
                }
                _ if first => found.weigh("policy", 8.0).weigh("unsupported", 0.5),
                _ => found.weigh("lost-sa", 0.3),
            };
            Some(if over { found.severity(Severity::Notice) } else { found })
        })
        .collect()
}

/// An error in a clear message that no other pattern of IKEv2 speaks of.
fn without_page(view: &View<'_>, accepted: Option<Timestamp>, notify: &ClearNotify<'_>) -> bool {
    let elsewhere = match notify.notify_message_type {
        notify::INVALID_MAJOR_VERSION => accepted.is_none_or(|at| notify.message.at < at),
        notify::INVALID_SPI => t_spi_unknown::speaks_of(&view.case, notify),
        notify::NO_PROPOSAL_CHOSEN | notify::INVALID_KE_PAYLOAD => answers_init(notify),
        _ => false,
    };
    !notify.message.encrypted && registry::notify_is_error(2, notify.notify_message_type) && !elsewhere
}

fn answers_init(notify: &ClearNotify<'_>) -> bool {
    notify.message.label == Label::SA_INIT_RSP
}

/// It answers IKE_SA_INIT before anything was agreed on.
fn answers_first(accepted: Option<Timestamp>, notify: &ClearNotify<'_>) -> bool {
    answers_init(notify) && accepted.is_none_or(|at| notify.message.at < at)
}

/// The latest message before `said` of the other side, if its sender broke it.
fn broken_before<'a>(view: &View<'a>, said: &MessageRecord) -> Option<(&'a MessageRecord, Fault)> {
    let asked = view.messages().filter(|message| message.from != said.from && message.at <= said.at);
    let latest = asked.max_by_key(|message| message.at)?;
    let of_sender = |fault: &Fault| !matches!(fault.kind, FaultKind::NotCaptured { .. } | FaultKind::TooMany { .. });
    latest.fault.filter(of_sender).map(|fault| (latest, fault))
}

/// A refusal of IKE_AUTH that `V2-AUTH-FAIL` or `V2-CHILD-REJECT` speaks of, with what follows it.
fn has_page(refusal: &ClearNotify<'_>) -> bool {
    let what = refusal.notify_message_type;
    let named = [notify::AUTHENTICATION_FAILED, notify::NO_PROPOSAL_CHOSEN, notify::TS_UNACCEPTABLE];
    named.contains(&what) || notify::OF_CHILD.contains(&what)
}

fn lost(notify_message_type: u16) -> bool {
    notify_message_type == notify::INVALID_IKE_SPI
}

/// Which payload UNSUPPORTED_CRITICAL_PAYLOAD is about (RFC 7296 §3.10.1), and whether it was sent in clear.
fn unknown_payload(view: &View<'_>, error: &ClearNotify<'_>) -> String {
    let names_one = error.notify_message_type == notify::UNSUPPORTED_CRITICAL_PAYLOAD;
    let Some(&payload_type) = error.data.first().filter(|_| names_one) else { return String::new() };
    let asked = view.messages().filter(|message| message.from != error.message.from);
    let sent = asked.flat_map(|message| message.carried.iter()).any(|payload| payload.payload_type == payload_type);
    let sent = if sent { ", which the other side sent" } else { "" };
    format!("; it is about payload type {payload_type}{sent}")
}

fn broken_by(asked: &MessageRecord) -> String {
    let (who, other) = (role(asked.from.other()), role(asked.from));
    format!(
        "the {who} does not take {}, and that is malformed: the fault is with the {other}, or on the way",
        asked.label
    )
}

/// What the type says, and of whom (RFC 7296 §3.10.1).
fn meaning(notify: &ClearNotify<'_>, first: bool) -> Cow<'static, str> {
    let side = notify.message.from;
    let (who, other) = (role(side), role(side.other()));
    match notify.notify_message_type {
        notify::UNSUPPORTED_CRITICAL_PAYLOAD => format!(
            "the {who} found a payload that it does not know and must not pass over: the {other} has to leave it out"
        )
        .into(),
        notify::INVALID_IKE_SPI if first => {
            format!("the {who} takes the request for one of an IKE SA that it does not know, and there is none yet").into()
        }
        notify::INVALID_IKE_SPI => "the sender does not know this IKE SA (any more)".into(),
        notify::INVALID_MAJOR_VERSION => format!(
            "the {who} had gone along with IKEv2 before: a peer that lost its state says so, another member of a cluster, or somebody else"
        )
        .into(),
        INVALID_SYNTAX => {
            "the sender could not read a message, found a value out of range, or refuses it by its policy".into()
        }
        notify::INVALID_SPI => format!(
            "this type is about ESP or AH, and none had gone to the {who}: a fault of the {who}, or somebody else sent it"
        )
        .into(),
        notify::AUTHENTICATION_FAILED if first => {
            format!("the {who} refuses the {other} before that has proven itself; in clear anybody can say so").into()
        }
        notify::AUTHENTICATION_FAILED => "a refusal that cannot be believed: in clear anybody can send it".into(),
        TEMPORARY_FAILURE => format!("the {who} cannot do this now: the {other} should try again later").into(),
        said if first => {
            let what = match registry::notify_name(2, said) {
                _ if said >= PRIVATE => "a type of private use: its vendor has to tell what it means",
                Some(_) => "a type that belongs to later exchanges",
                None => "a type that is not assigned",
            };
            format!("the {who} refuses the request, with {what}").into()
        }
        _ => "the sender refuses, and cannot say so under protection".into(),
    }
}
