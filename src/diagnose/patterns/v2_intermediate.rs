//! V2-INTERMEDIATE: an additional key exchange fails before IKE_AUTH.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::Suite;
use crate::track::{Attempt, ExchangeKind, Side};

use super::ikev2::{self, notify};

/// Transform types of additional key exchanges (RFC 9370 §4).
const ADDITIONAL: std::ops::RangeInclusive<u8> = 6..=12;

pattern! {
    /// ## What is seen
    ///
    /// IKE_SA_INIT agrees on additional key exchanges; then an IKE_INTERMEDIATE request (43) draws no response, arrives in
    /// fragments that are not all there, or is answered too shortly for a key exchange value. Or the responder chose an
    /// additional key exchange without saying INTERMEDIATE_EXCHANGE_SUPPORTED (16438).
    ///
    /// ## What it means
    ///
    /// Post-quantum key exchange values are long (ML-KEM: 800 to 1600 octets). IKE_INTERMEDIATE is the first long message of
    /// such a negotiation, so it is the first to suffer from lost fragments. A short answer is an error notify, encrypted.
    ///
    /// ## Look-alikes
    ///
    /// - `F-IKE-FRAG-LOST`, `F-SKF-INCOMPLETE`: the fragments themselves are seen to be missing.
    /// - `V2-AUTH-NO-REPLY`: the same one exchange later.
    V2_INTERMEDIATE = "V2-INTERMEDIATE", IkeV2, Error;
    title: "an additional key exchange fails before IKE_AUTH";
    causes: [
        "fragments" 0.50 "fragments of the long message are dropped on the way",
            raised by "a request above 1200 octets, IP fragments", lowered by "a short answer came back";
        "support" 0.30 "the two ends support RFC 9242 and RFC 9370 differently, or in different editions",
            raised by "a short answer; INTERMEDIATE_EXCHANGE_SUPPORTED missing on one side", lowered by "the request draws no answer at all";
        "silent" 0.20 "the responder drops the request in silence, or fails on it",
            raised by "a request in one packet without an answer", lowered by "a short answer came back";
    ];
    checks: [
        Either: "enable IKE fragmentation (RFC 7383), with fragments of 1280 octets or less";
        Either: "compare the additional key exchanges (ADDKE1 to ADDKE7) of both ends, and the software versions";
        Responder: "look in its log whether IKE_INTERMEDIATE arrives, and what it makes of it";
    ];
    logs: [
        "strongSwan": "peer didn't send … while accepting multiple key exchanges" ("strongSwan source");
    ];
    sources: ["RFC 9242 §3", "RFC 9370 §2", "RFC 7383 §1"];
    misses: SetUp;
    lost: "fragments", or its answer: "fragments";
    when: V2_UNPROVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if ikev2::refused_by_icmp(case) {
        return Vec::new();
    }
    let found = ikev2::never_authenticated(case)
        .filter(|(_, view)| view.auth_exchanges().next().is_none())
        .filter_map(|(index, view)| unannounced(index, &view).or_else(|| failed(index, &view)))
        .collect();
    ikev2::tempered(case, found)
}

/// The responder chose an additional key exchange, and there is no exchange in which it could take place.
fn unannounced(index: usize, view: &View<'_>) -> Option<Match> {
    let response = ikev2::accepted(view.attempt)?.response?;
    let announced = ikev2::notified(response, notify::INTERMEDIATE_EXCHANGE_SUPPORTED).is_some();
    if announced || !chose_additional(view.attempt) {
        return None;
    }
    Some(
        Match::on(index, Confidence::Stated)
            .seen("the responder chose an additional key exchange and did not send INTERMEDIATE_EXCHANGE_SUPPORTED (16438)")
            .means("the initiator cannot go on: the additional key exchange needs IKE_INTERMEDIATE")
            .weigh("support", 10.0)
            .frames([response.frame]),
    )
}

fn failed(index: usize, view: &View<'_>) -> Option<Match> {
    let exchange = view.exchanges().iter().rfind(|exchange| exchange.kind == ExchangeKind::IkeIntermediate)?;
    if let Some(unanswered) = ikev2::unanswered(view, exchange) {
        let request = unanswered.request;
        let long = request.ip_fragments > 1 || request.length > 1200;
        let found = Match::on(index, unanswered.confidence)
            .seen(format!("IKE_INTERMEDIATE of {} octets {}", request.length, unanswered.in_vain()))
            .means("the responder answers IKE_SA_INIT and not this: it is lost, or dropped without a word")
            .weigh("support", 0.3)
            .settle("a capture on the responder's outside tells whether the request arrives whole")
            .frames(view.frames(request));
        return Some(if long { found.weigh("fragments", 2.0) } else { found.weigh("fragments", 0.3) });
    }
    if let Some((found, _)) = ikev2::round_unheard(index, view, exchange, "IKE_INTERMEDIATE") {
        return Some(
            found
                .means("the answer does not reach the initiator, or is not taken by it")
                .settle("a capture on the initiator's outside tells whether the answer arrives whole")
                .weigh("fragments", 4.0)
                .rule_out(&["silent"]),
        );
    }
    let (_, response) = ikev2::request_and_response(exchange);
    let response = response.filter(|response| response.from == Side::Responder)?;
    let refused = Suite::chosen(view.attempt)?.lacks_key_exchange(response)?;
    let additional = chose_additional(view.attempt);
    (refused && additional).then(|| {
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "the IKE_INTERMEDIATE response of {} octets has no room for a key exchange value",
                response.length
            ))
            .means("the responder refused; the reason is encrypted")
            .weigh("support", 4.0)
            .weigh("fragments", 0.1)
            .weigh("silent", 0.1)
            .settle("the responder's log at that time")
            .frames([response.frame])
    })
}

fn chose_additional(attempt: &Attempt) -> bool {
    attempt.chosen.as_ref().is_some_and(|chosen| {
        chosen
            .transforms
            .iter()
            .any(|transform| ADDITIONAL.contains(&transform.transform_type) && transform.transform_id != 0)
    })
}
