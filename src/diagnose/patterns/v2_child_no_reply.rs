//! V2-CHILD-NO-REPLY: a request on an IKE SA that is up gets no answer.

use crate::diagnose::Severity;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::sizes::{Suite, payload};
use crate::diagnose::unheard::Unheard;
use crate::diagnose::words::{span, times};
use crate::track::{Exchange, ExchangeKind, Label, MessageRecord};

use super::ikev2::{self, Standing};
use super::informational::{self, Informational, Reading};
use super::v2_msgid;

/// Fewer copies may be a short loss.
const COPIES: u64 = 3;

pattern! {
    /// ## What is seen
    ///
    /// A CREATE_CHILD_SA request, or an INFORMATIONAL that deletes or is longer than a liveness check, sent three times or more
    /// under the same message id, without a response. Afterwards a new IKE_SA_INIT, or silence. Or CREATE_CHILD_SA is answered each
    /// time and comes again all the same.
    ///
    /// ## What it means
    ///
    /// The IKE SA was up, and its peer does not answer on it any more, or this request or its answer is lost. ESP tells more: if
    /// it goes on in both directions, the path works, and either something on it drops these messages or the IKE service of the
    /// peer is the problem; if it stops too, the path or the whole peer is gone.
    /// If a request goes on after its answer, the answer does not get there: the side that asks will give up the IKE SA.
    ///
    /// ## Look-alikes
    ///
    /// - `L-DPD-TIMEOUT`: short INFORMATIONALs (liveness checks) without an answer.
    /// - `V2-REKEY-REFUSED`: an answer comes, and it refuses.
    V2_CHILD_NO_REPLY = "V2-CHILD-NO-REPLY", IkeV2, Error;
    title: "no answer arrives to a request on an IKE SA that is up";
    causes: [
        "path" 0.38 "the path is broken, or a NAT mapping is gone", raised by "ESP from the peer stops too; NAT on the path", lowered by "ESP from the peer goes on";
        "restart" 0.34 "the peer restarted or lost the SA", raised by "a new IKE_SA_INIT from the peer", lowered by "ESP from the peer goes on";
        "service" 0.12 "the peer's IKE service hangs, or it refuses in silence", raised by "ESP from the peer goes on", lowered by "ESP from the peer stops";
        "message-id" 0.08 "the two ends disagree on the message id, after a failover", raised by "a cluster; requests of both sides unanswered", lowered by "a single device";
        "request" 0.04 "the request does not reach the peer: a filter, a NAT or lost fragments on its way",
            raised by "ESP from the peer goes on; a large request", lowered by "its answer is seen";
        "return" 0.04 "the answer does not reach the side that asks: a filter, a NAT or lost fragments on its way",
            raised by "the request comes again although its answer has left; ESP from the peer goes on", lowered by "nothing more comes from the peer";
    ];
    checks: [
        Path: "see whether anything of the peer still arrives; check the NAT's timers for UDP 4500" about "path";
        Path: "follow the request to the peer: filters, fragments, address translation" about "request";
        Path: "follow the answer to the side that asks: filters, fragments, address translation" about "return";
        Either("the silent side"): "look for a restart, a failover or an error in its log at that time" about "restart" "service" "message-id";
        Either: "enable liveness checks, so that a dead SA is replaced early";
    ];
    logs: [
        "AWS": "AWS tunnel DPD timed out after {retry_count} retransmits" ("AWS log-contents");
        "libreswan": "300 second timeout exceeded after 10 retransmits" ("GitHub issue");
        "libreswan": "ESTABLISHED_IKE_SA: … second timeout exceeded after … retransmits. No response (or no acceptable response) to our IKEv2 message" ("libreswan log");
        "strongSwan": "giving up after … retransmits / rekeying IKE_SA failed, peer not responding" ("strongSwan source");
        "strongSwan": "retransmit … of request with message ID …" ("strongSwan log");
        "strongSwan": "received retransmit of request with ID …, retransmitting response" ("strongSwan log");
    ];
    sources: ["RFC 7296 §2.1", "RFC 7296 §2.4", "RFC 6311 §3"];
    misses: Messages;
    lost: "path" "request", or its answer: "return";
    when: V2_OPEN, CREATE_CHILD REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if ikev2::refused_by_icmp(case) {
        return Vec::new();
    }
    let standing = Standing::of(case);
    let suites = ikev2::suites(case);
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            no_answer(case, &standing, suites.get(index).copied().flatten(), index, &view)
                .or_else(|| answer_lost(&standing, index, &view))
        })
        .collect()
}

fn no_answer(
    case: &Case<'_>,
    standing: &Standing,
    suite: Option<Suite>,
    index: usize,
    view: &View<'_>,
) -> Option<Match> {
    let unanswered = view
        .exchanges()
        .iter()
        .filter(|exchange| is_meant(view, exchange, suite))
        .filter_map(|exchange| ikev2::unanswered(view, exchange))
        .find(|unanswered| unanswered.waited.copies >= COPIES)?;
    let ikev2::Unanswered { request, waited, confidence } = unanswered;
    // A number used before is reason enough not to answer: `V2-MSGID`.
    if v2_msgid::used_twice(view, request.from).is_some() {
        return None;
    }
    let peer = request.destination.ip();
    let esp_before = case.flows_from(peer).any(|flow| flow.first <= request.at);
    let esp_after =
        case.flows_from(peer).any(|flow| flow.first <= request.at && flow.last > request.at.after(waited.over));
    let starts_anew = case
        .pair
        .attempts
        .get(index + 1..)
        .unwrap_or_default()
        .iter()
        .any(|later| later.initiator.ip() == peer && later.rekeyed_from.is_none());
    let mut found = Match::on(index, confidence)
        .about(request.from.other())
        .seen(format!(
            "{} of {} (message id {}) {}",
            request.label,
            request.source.ip(),
            request_id(view, request.frame),
            unanswered.in_vain()
        ))
        .means(format!("this request, or its answer, is lost, or {peer} no longer answers on this IKE SA"))
        .frames(view.frames(request));
    if points::loses(view, request) {
        found = found.rule_out(&["return"]);
    }
    if deletes(view, request) {
        // Whoever asks takes leave: that nobody is there any more is no surprise, nor that nothing is sent.
        found.seen.push_str("; it begins with a Delete");
        let means = if points::loses(view, request) {
            "the Delete is lost between the two points".to_owned()
        } else if esp_after {
            found = lives(found);
            format!("{peer} is there, as its ESP shows, and does not answer the Delete, or the answer does not arrive")
        } else {
            format!("{peer} does not answer the Delete: it was gone before, or the answer does not arrive")
        };
        return Some(found.means(means).severity(Severity::Notice));
    }
    if esp_after {
        found.seen.push_str("; its ESP goes on after it");
        found = lives(found);
    } else if esp_before {
        found.seen.push_str("; no ESP from the peer after it either");
        found = found.weigh("path", 1.5);
    }
    if starts_anew {
        found = found.weigh("restart", 3.0);
    }
    let asks_too = view.messages().any(|message| {
        message.from != request.from && matches!(message.label, Label::Request(_)) && message.last_sent() > request.at
    });
    if asks_too {
        found.seen.push_str("; the peer itself asks meanwhile on the same IKE SA");
        found = found.weigh("path", 0.1).weigh("restart", 0.2).weigh("message-id", 6.0);
    }
    Some(if standing.up_since(request.at) { found.severity(Severity::Notice) } else { found })
}

/// What the peer's ESP makes of the causes.
fn lives(found: Match) -> Match {
    found.weigh("path", 0.1).weigh("restart", 0.2).weigh("service", 4.0).weigh("request", 8.0).weigh("return", 8.0)
}

/// CREATE_CHILD_SA is answered, and comes all the same.
fn answer_lost(standing: &Standing, index: usize, view: &View<'_>) -> Option<Match> {
    let exchanges = view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::CreateChildSa);
    let (id, unheard) =
        exchanges.filter_map(|exchange| Some((exchange.message_id, view.child_unheard(exchange)?))).next_back()?;
    let Unheard { request, answer, copies, confidence } = unheard;
    let (asks, answers) = (request.source.ip(), answer.source.ip());
    let over = standing.up_since(answer.at);
    Some(
        Match::on(index, confidence)
            .seen(format!(
                "{} of {asks} (message id {id}) is answered by {answers}, {}, and comes all the same, {} more in the {} after \
                 the first answer",
                request.label,
                times(u64::from(answer.repeat_count) + 1),
                times(copies as u64),
                span(request.last_sent().since(answer.at)),
            ))
            .means(format!("the answer does not reach {asks}, which will give up this IKE SA"))
            .settle(format!("a capture on the outside of {asks}: whether the answer arrives whole"))
            .frames(view.frames(request))
            .frames([answer.frame])
            .rule_out(&["path", "restart", "service", "message-id", "request"])
            .severity(if over { Severity::Notice } else { V2_CHILD_NO_REPLY.severity }),
    )
}

/// CREATE_CHILD_SA, or an INFORMATIONAL that is surely no liveness check: those are told by `L-DPD-TIMEOUT`.
fn is_meant(view: &View<'_>, exchange: &Exchange, suite: Option<Suite>) -> bool {
    match exchange.kind {
        ExchangeKind::CreateChildSa => true,
        ExchangeKind::InformationalV2 => {
            let (request, _) = ikev2::request_and_response(exchange);
            let long = || request.zip(suite).is_some_and(|(request, suite)| suite.is_short(request) == Some(false));
            request.is_some_and(|request| deletes(view, request) || long() && !asks_for_life(view, request))
        }
        _ => false,
    }
}

fn asks_for_life(view: &View<'_>, request: &MessageRecord) -> bool {
    let asks = |one: &Informational<'_>| matches!(one.reading, Reading::Question { .. });
    informational::read(view).iter().any(|one| std::ptr::eq(one.message, request) && asks(one))
}

fn deletes(view: &View<'_>, request: &MessageRecord) -> bool {
    request.label == Label::INFORMATIONAL_REQ && view.first_inside(request) == Some(payload::DELETE)
}

fn request_id(view: &View<'_>, frame: crate::base::FrameRef) -> crate::base::MessageId {
    view.exchanges()
        .iter()
        .find(|exchange| exchange.messages.iter().any(|message| message.frame == frame))
        .map_or(crate::base::MessageId(0), |exchange| exchange.message_id)
}
