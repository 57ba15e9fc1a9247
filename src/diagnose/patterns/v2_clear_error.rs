//! V2-CLEAR-ERROR: an IKEv2 error notify came in clear.

use crate::diagnose::case::{Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{Label, Side};

use super::ikev2::{self, SA_INIT, Standing, notify};
use super::informational;

pattern! {
    /// ## What is seen
    ///
    /// An IKEv2 message in clear with an error notify that has no page of its own: UNSUPPORTED_CRITICAL_PAYLOAD (1),
    /// INVALID_IKE_SPI (4), INVALID_SYNTAX (7), AUTHENTICATION_FAILED (24) and the like.
    ///
    /// ## What it means
    ///
    /// Inside IKE_SA_INIT the responder could not make sense of the request, or will not. Outside of it, the sender has no
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
        "lost-sa" 0.50 "the sender lost the SA: restart, failover, deletion that did not arrive",
            raised by "INVALID_IKE_SPI", lowered by "the notify answers IKE_SA_INIT";
        "unsupported" 0.25 "one side uses a payload or feature that the other does not know",
            raised by "UNSUPPORTED_CRITICAL_PAYLOAD; the notify answers IKE_SA_INIT", lowered by "INVALID_IKE_SPI";
        "defect" 0.15 "a message was built or read wrongly, or damaged on the way",
            raised by "INVALID_SYNTAX; a fault in the message that it answers", lowered by "INVALID_IKE_SPI";
        "forged" 0.10 "the notify was not sent by the peer",
            raised by "the peer goes on all the same", lowered by "the SA ends";
    ];
    checks: [
        Either: "clear the SA and let it come up anew; enable liveness checks on both";
        Responder: "look in its log for the reason, and for a restart at that time";
        Initiator: "switch off features that the peer may not know, one by one";
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
            let notify = [Side::Responder, Side::Initiator]
                .into_iter()
                .flat_map(|side| view.clear_notifies(side))
                .find(without_page)?;
            let message = notify.message;
            let what = notify.notify_message_type;
            let who = if message.from == Side::Responder { "responder" } else { "initiator" };
            // Who refuses a message may go on under the SA; who does not know it, or has refused it, cannot.
            let refuted =
                (lost(what) || what == notify::AUTHENTICATION_FAILED) && informational::is_refuted(&view, message);
            let over =
                refuted || standing.up_since(message.at) || standing.authenticated_after(view.attempt) && !lost(what);
            let found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "the {who} sent {} in clear, {}{}",
                    ikev2::named(what),
                    times(u64::from(message.repeat_count) + 1),
                    unknown_payload(&view, &notify),
                ))
                .means(if refuted { informational::REFUTED } else { meaning(what) })
                .frames([message.frame]);
            let found = match what {
                _ if refuted => found.weigh("forged", 10.0),
                _ if lost(what) => found.weigh("lost-sa", 3.0).weigh("unsupported", 0.2).weigh("defect", 0.3),
                notify::UNSUPPORTED_CRITICAL_PAYLOAD => found.weigh("unsupported", 4.0).weigh("lost-sa", 0.1),
                7 => found.weigh("defect", 3.0).weigh("lost-sa", 0.1),
                _ => found.weigh("lost-sa", 0.3),
            };
            Some(if over { found.severity(Severity::Notice) } else { found })
        })
        .collect()
}

/// An error in a clear message that no other pattern of IKEv2 speaks of.
fn without_page(notify: &ClearNotify<'_>) -> bool {
    let answers_init = notify.message.label == Label::Response(SA_INIT);
    let elsewhere = match notify.notify_message_type {
        notify::INVALID_MAJOR_VERSION | notify::INVALID_SPI => true,
        notify::NO_PROPOSAL_CHOSEN | notify::INVALID_KE_PAYLOAD => answers_init,
        _ => false,
    };
    !notify.message.encrypted && registry::notify_is_error(2, notify.notify_message_type) && !elsewhere
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

fn meaning(notify_message_type: u16) -> &'static str {
    match notify_message_type {
        notify::UNSUPPORTED_CRITICAL_PAYLOAD => {
            "the sender found a payload that it does not know and must not pass over"
        }
        notify::INVALID_IKE_SPI => "the sender does not know this IKE SA (any more)",
        7 => "the sender could not read a message, or found a value out of range",
        notify::AUTHENTICATION_FAILED => "a refusal that cannot be believed: in clear anybody can send it",
        _ => "the sender refuses, and cannot say so under protection",
    }
}
