//! V2-AUTH-INIT-REJECT: the initiator turns the responder's IKE_AUTH answer down.

use std::time::Duration;

use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{Suite, payload};
use crate::diagnose::words::span;
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, MessageRecord, Side};

use super::ikev2::{self, Standing, notify};

pattern! {
    /// ## What is seen
    ///
    /// An IKE_AUTH response long enough for an identity and its proof; at once the initiator sends an INFORMATIONAL on the
    /// same SA, and then nothing more: no ESP, no other exchange. If it holds one notify and nothing else, that shows even where the
    /// capture ends there. Or it says nothing and begins again with a new
    /// IKE_SA_INIT, more than once.
    ///
    /// ## What it means
    ///
    /// The responder was content with the initiator; the initiator is not content with the responder: its identity, its
    /// proof, its certificate, or something the initiator needs and did not get. The INFORMATIONAL holds
    /// AUTHENTICATION_FAILED or a delete, encrypted.
    ///
    /// ## Look-alikes
    ///
    /// - An administrator, or a script, stops a tunnel in the moment it is up.
    /// - `V2-REDIRECT`: in IKE_AUTH the redirection is encrypted; the initiator turns to another address then.
    /// - `V2-CHILD-REJECT`: the Delete is answered with a Delete, so that it is of the child SA; the initiator keeps the IKE SA.
    /// - `V2-AUTH-FAIL`: the response is short.
    /// - `V2-EAP`: several rounds of IKE_AUTH.
    V2_AUTH_INIT_REJECT = "V2-AUTH-INIT-REJECT", IkeV2, Error;
    title: "the initiator refuses the responder's IKE_AUTH answer";
    causes: [
        "identity" 0.38 "the responder's identity is not the one that the initiator expects", raised by "the peer is named by address on one side and by name on the other", lowered by "";
        "certificate" 0.25 "the responder's certificate or signature is not accepted", raised by "a long IKE_AUTH response", lowered by "a short response";
        "key" 0.15 "the responder proves itself with another pre-shared key", raised by "each side has a key of its own for the other", lowered by "";
        "address" 0.10 "the initiator got no inner address, or a child SA it cannot use", raised by "remote access", lowered by "site to site";
        "redirect" 0.05 "the responder sent the initiator to another gateway (REDIRECT)", raised by "the initiator announced that it can be redirected, and turns to another gateway", lowered by "it did not";
        "stop" 0.05 "the tunnel was stopped on purpose", raised by "happens once", lowered by "happens on every attempt";
        "late" 0.02 "the answer came when the initiator had given up waiting for it", raised by "an answer long after the last of several copies of the request", lowered by "an answer at once";
    ];
    checks: [
        Responder: "look why it takes so long to answer, or whether its answers come late" about "late";
        Initiator: "read its log at that time: it names the identity or the certificate that it does not accept";
        Initiator: "compare the peer identity that it expects with the one that the responder sends";
        Responder: "with certificates: make sure that its identity is in the certificate (subjectAltName), and that the initiator trusts the CA";
    ];
    logs: [
        "strongSwan": "constraint check failed / received IDr …, but require …" ("strongSwan source");
        "libreswan": "authentication failed: responder did not include IDr payload" ("libreswan source");
        "libreswan": "we require IKEv2 peer to have ID '…', but peer declares '…'" ("libreswan log") about "identity";
    ];
    sources: ["RFC 7296 §2.21.2", "RFC 7296 §1.2"];
    when: V2 TOLD_AT_ONCE, V2 SEVERAL;
    check: check
}

/// Octets of an IKE_AUTH response from which on it holds more than identity, proof and child SA: a certificate, most likely.
const WITH_CERTIFICATE: u32 = 700;

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let mut silent = Vec::new();
    let mut found = Vec::new();
    for (index, view) in ikev2::attempts(case) {
        if view.authenticated() != Some(true) || view.auth_exchanges().nth(1).is_some() {
            continue;
        }
        if view.turned_down().is_some() {
            let good = standing.up_after(view.attempt);
            found.extend(with_a_word(index, &view).map(|found| ikev2::recalled(found, good)));
        } else if without_a_word(case, index, &view) {
            silent.push((index, view));
        }
    }
    // Once may be chance; an initiator that does it again and again has a reason.
    if silent.len() >= 2 && case.flows_from(case.pair.a).chain(case.flows_from(case.pair.b)).next().is_none() {
        found.extend(silent.into_iter().filter_map(|(index, view)| {
            let response = view.last_auth_response()?;
            Some(
                Match::on(index, Confidence::Suspected)
                    .seen("a full IKE_AUTH response, nothing more from the initiator, then a new IKE_SA_INIT from it")
                    .means("the initiator seems not to accept the responder's answer, and starts over")
                    .weigh("stop", 0.2)
                    .rule_out(&["redirect", "late"])
                    .settle("the initiator's log at that time")
                    .frames([response.frame]),
            )
        }));
    }
    ikev2::tempered(case, found)
}

/// How long after its request an answer came that came long after the last of several copies of it.
fn came_late(view: &View<'_>, response: &MessageRecord) -> Option<Duration> {
    let request = view.message(Label::AUTH_REQ)?;
    let copies = || request.copies().map(|(_, at)| at).filter(|&at| at <= response.at);
    let waited = copies().max().map(|last| response.at.since(last))?;
    (copies().count() > 2 && waited >= PATIENCE).then(|| response.at.since(request.at))
}

fn with_a_word(index: usize, view: &View<'_>) -> Option<Match> {
    let response = view.last_auth_response()?;
    let farewell = view.turned_down()?;
    let redirected = view
        .clear_notifies(Side::Initiator)
        .any(|notify| matches!(notify.notify_message_type, notify::REDIRECT_SUPPORTED | notify::REDIRECTED_FROM));
    // Where its sender does not say so, a liveness check may have the length of a farewell.
    let suite = Suite::chosen(view.attempt);
    let first = view.first_inside(farewell);
    let surely = first.is_some() || suite.and_then(|suite| suite.is_empty(farewell)) == Some(false);
    let settled = surely && view.is_watched_after(farewell);
    let confidence = if settled { Confidence::Inferred } else { Confidence::Suspected };
    // Who deletes the SA in the moment it is up, and once, may have been told to.
    let before = index.checked_sub(1).and_then(|before| view.case.view(before));
    let again = before.is_some_and(|before| before.turned_down().is_some());
    let on_purpose = first == Some(payload::DELETE) && !settled && !again;
    let certificates = response.length >= WITH_CERTIFICATE;
    let what = match first {
        Some(payload::DELETE) => " that deletes",
        Some(payload::NOTIFY) => " with a Notify",
        _ => "",
    };
    let mut found = Match::on(index, confidence)
            .seen(format!(
                "the IKE_AUTH response of {} octets {}; {} later the initiator sent an INFORMATIONAL{what}, and nothing after it",
                response.length,
                if view.auth_answer().is_some() { "has room for identity and proof" } else { "begins with an identity" },
                span(farewell.at.since(response.at)),
            ))
            .means("the initiator did not accept what the responder sent, and ended the SA at once")
            .settle("the initiator's log at that time")
            .frames([response.frame, farewell.frame])
            // who follows a redirection deletes the SA (RFC 5685 §6)
            .weigh("redirect", if redirected && first != Some(payload::NOTIFY) { 3.0 } else { 0.0 })
            .weigh("certificate", if certificates { 3.0 } else { 1.0 })
            .weigh("key", if certificates { 0.2 } else { 1.0 })
            .weigh("stop", if first == Some(payload::NOTIFY) { 0.0 } else { 1.0 });
    if let Some(waited) = came_late(view, response) {
        found.seen.push_str(&format!("; the response came {} after the first copy of the request", span(waited)));
        found =
            found.means("the initiator ended the SA as soon as the answer came: most likely it had given up waiting");
        found = found.weigh("late", 100.0);
    } else {
        found = found.rule_out(&["late"]);
    }
    Some(if on_purpose { found.severity(Severity::Warning).weigh("stop", 4.0) } else { found })
}

/// The responder's answer was not repeated nor asked for again, and the initiator began anew.
fn without_a_word(case: &Case<'_>, index: usize, view: &View<'_>) -> bool {
    let Some(response) = view.last_auth_response() else { return false };
    let Some(next) = case.pair.attempts.get(index + 1) else { return false };
    let nothing_more = view.messages().all(|message| message.at <= response.at)
        && response.repeat_count == 0
        && !view.traffic_begins(response.at);
    nothing_more
        && view.child_created().is_none()
        && view.heard(Side::Initiator)
        && next.initiator.ip() == view.attempt.initiator.ip()
        && next.initiator_spi != view.attempt.initiator_spi
        && next.rekeyed_from.is_none()
}
