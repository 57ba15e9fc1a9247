//! V2-MSGID: the message ids of an IKE SA do not follow each other.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{role, span, times};
use crate::track::{Exchange, ExchangeKind, Side};

use super::ikev2;

pattern! {
    /// ## What is seen
    ///
    /// One side numbers a request out of order and gets no answer to it: the number jumps over, or falls behind, what was
    /// answered last. Or it uses one number for two exchanges: of different kinds, or for another request long after the first
    /// was answered.
    ///
    /// ## What it means
    ///
    /// Each side counts its requests from 0, one up each time, and the peer drops what does not fit into its window. Two nodes
    /// of a cluster that do not share the counter, or an SA restored from old state, get stuck like this: both ends believe
    /// that the SA lives, and neither hears the other.
    ///
    /// ## Look-alikes
    ///
    /// - The capture misses messages between the two numbers; then the exchange is answered all the same as a rule.
    /// - `V2-CHILD-NO-REPLY`, `L-DPD-TIMEOUT`: no answer to a request with the right number.
    V2_MSGID = "V2-MSGID", IkeV2, Warning;
    title: "the message ids of an IKE SA do not follow each other";
    causes: [
        "failover" 0.50 "a cluster changed nodes without the counters", raised by "the number falls back, or is used twice", lowered by "a single device";
        "loss" 0.30 "the capture misses messages between the two", raised by "other gaps in the capture", lowered by "the request is not answered";
        "restored" 0.10 "an SA was restored from old state", raised by "after a restart", lowered by "";
        "replay" 0.10 "old messages are sent again by somebody", raised by "another source or time to live", lowered by "";
    ];
    checks: [
        Either: "on a cluster: check that IKE state is synchronised, and whether RFC 6311 is supported and enabled";
        Either: "clear the SA";
        Capture: "look for dropped packets at the capture point";
    ];
    logs: [
        "strongSwan": "received message ID …, expected …, ignored" ("strongSwan source");
    ];
    sources: ["RFC 7296 §2.2", "RFC 7296 §2.3", "RFC 6311 §3"];
    when: V2_OPEN, V2_IDS, V2 REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter(|(_, view)| view.attempt.messages_forgotten == 0)
        .filter_map(|(index, view)| {
            [Side::Initiator, Side::Responder].into_iter().find_map(|side| {
                let behind = || behind_the_window(index, &view, side);
                reuse(index, &view, side).or_else(behind).or_else(|| out_of_order(index, &view, side))
            })
        })
        .collect()
}

/// Exchanges that `side` began and that count: IKE_SA_INIT and session resumption may share number 0.
fn begun_by<'a>(view: &View<'a>, side: Side) -> impl Iterator<Item = &'a Exchange> + use<'a> {
    view.exchanges().iter().filter(move |exchange| {
        exchange.started_by == side
            && !matches!(
                exchange.kind,
                ExchangeKind::IkeSaInit | ExchangeKind::IkeSessionResume | ExchangeKind::Other(_)
            )
    })
}

/// Two exchanges of different kinds that `side` began under one number.
pub(super) fn used_twice<'a>(view: &View<'a>, side: Side) -> Option<(&'a Exchange, &'a Exchange)> {
    let mut exchanges: Vec<&Exchange> =
        begun_by(view, side).filter(|exchange| ikev2::request_and_response(exchange).0.is_some()).collect();
    exchanges.sort_by_key(|exchange| exchange.message_id);
    exchanges.windows(2).find_map(|pair| match pair {
        [one, other] if one.message_id == other.message_id && one.kind != other.kind => Some((*one, *other)),
        _ => None,
    })
}

fn reuse(index: usize, view: &View<'_>, side: Side) -> Option<Match> {
    let twice = used_twice(view, side)?;
    let (one, other) = (ikev2::request_and_response(twice.0).0?, ikev2::request_and_response(twice.1).0?);
    Some(
        Match::on(index, Confidence::Stated)
            .seen(format!(
                "the {} used message id {} for {} and for {}",
                role(side),
                twice.0.message_id,
                one.label,
                other.label
            ))
            .means("its peer answers the first of the two and drops the other")
            .weigh("failover", 2.0)
            .weigh("loss", 0.0)
            .frames([one.frame, other.frame]),
    )
}

/// `side` asks something else under a number that was answered long ago, and gets no answer. A repeat of the old request would
/// have its octets (RFC 7296 §2.1).
fn behind_the_window(index: usize, view: &View<'_>, side: Side) -> Option<Match> {
    begun_by(view, side).find_map(|exchange| {
        let (Some(request), Some(response)) = ikev2::request_and_response(exchange) else { return None };
        let answered = response.last_sent();
        let others: Vec<_> = request.repeats.iter().filter(|repeat| repeat.changed && repeat.at > answered).collect();
        let (first, last) = (others.first()?, others.last()?);
        let went_on = begun_by(view, side).filter_map(|other| Some((other, other.messages.first()?)));
        let (newest, _) = went_on
            .filter(|(other, began)| other.message_id > exchange.message_id && began.at < first.at)
            .max_by_key(|(other, _)| other.message_id)?;
        let whole = request.ike_fragments == 0 && others.len() >= 2;
        whole.then(|| {
            Match::on(index, Confidence::Inferred)
                .seen(format!(
                    "after message id {} the {} sent another request under id {}, {} in {}, and got no answer",
                    newest.message_id,
                    role(side),
                    exchange.message_id,
                    times(others.len() as u64),
                    span(last.at.since(first.at)),
                ))
                .means("the peer waits for a higher number, and drops this one")
                .weigh("failover", 2.0)
                .weigh("loss", 0.0)
                .frames(others.iter().map(|repeat| repeat.frame))
        })
    })
}

fn out_of_order(index: usize, view: &View<'_>, side: Side) -> Option<Match> {
    let answered = begun_by(view, side)
        .filter_map(|exchange| Some((exchange, ikev2::request_and_response(exchange).1?)))
        .max_by_key(|(_, response)| response.at)?;
    let (exchange, unanswered) = begun_by(view, side)
        .filter_map(|exchange| Some((exchange, ikev2::unanswered(view, exchange)?)))
        .filter(|(_, unanswered)| unanswered.waited.copies >= 2 && unanswered.request.at > answered.1.at)
        .min_by_key(|(exchange, _)| exchange.message_id)?;
    let request = unanswered.request;
    let (last, this) = (answered.0.message_id, exchange.message_id);
    // A request in between whose answer the capture misses fills the gap.
    let follows = |number: u32| begun_by(view, side).any(|other| other.message_id.0 == number);
    if last.0 < this.0 && this.0.checked_sub(1).is_some_and(follows) {
        return None;
    }
    let found = Match::on(index, Confidence::Suspected)
        .seen(format!(
            "the {}'s last answered request had message id {last}; then {} with message id {this} {}",
            role(side),
            request.label,
            unanswered.in_vain()
        ))
        .means("the peer may be waiting for another number, and drops this one")
        .settle("the peer's log, or a capture without gaps")
        .frames([answered.1.frame])
        .frames(view.frames(request));
    Some(if this <= last { found.weigh("loss", 0.2) } else { found })
}
