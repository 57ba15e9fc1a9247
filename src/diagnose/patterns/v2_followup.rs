//! V2-FOLLOWUP: an additional key exchange of a re-key fails.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::ExchangeKind;

use super::ikev2;

pattern! {
    /// ## What is seen
    ///
    /// CREATE_CHILD_SA is answered, and the IKE_FOLLOWUP_KE request (44) after it draws no response, or one that is too short
    /// for a key exchange value.
    ///
    /// ## What it means
    ///
    /// A re-key (or a new child SA) with additional key exchanges takes one exchange more for each of them, tied together by
    /// state that the responder keeps for a short time only. A short answer is a notify, encrypted: STATE_NOT_FOUND (47) if the
    /// responder has dropped that state. The SAs in use go on until their lifetime ends.
    ///
    /// ## Look-alikes
    ///
    /// - The last answer may hold a key exchange value and SA together and is never short.
    /// - `V2-REKEY-REFUSED`: CREATE_CHILD_SA itself is refused.
    V2_FOLLOWUP = "V2-FOLLOWUP", IkeV2, Warning;
    title: "an additional key exchange of a re-key fails";
    causes: [
        "state" 0.50 "the side that answers no longer has the state of the CREATE_CHILD_SA before it",
            raised by "a short answer; a long gap between the two exchanges", lowered by "no answer at all";
        "lost" 0.35 "the long message or its fragments are lost", raised by "no answer at all", lowered by "a short answer";
        "other" 0.15 "the side that answers refuses the key exchange value, or cannot handle the exchange", raised by "it never works", lowered by "it worked before";
    ];
    checks: [
        Either: "on the side that answers, look in the log; raise the time for which it keeps the state if that can be set";
        Either: "enable IKE fragmentation (RFC 7383)";
        Either: "on the side that asks, see whether it tries the re-key again";
    ];
    logs: [
        "strongSwan": "STATE_NOT_FOUND" ("strongSwan source");
    ];
    sources: ["RFC 9370 §2.2.4"];
    misses: Messages;
    when: RARE_EXCHANGE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let suites = ikev2::suites(case);
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let exchange = view.exchanges().iter().rfind(|exchange| exchange.kind == ExchangeKind::IkeFollowupKe)?;
            if let Some(unanswered) = ikev2::unanswered(&view, exchange) {
                let request = unanswered.request;
                return Some(
                    Match::on(index, unanswered.confidence)
                        .seen(format!("IKE_FOLLOWUP_KE of {} octets {}", request.length, unanswered.in_vain()))
                        .means("the additional key exchange of this re-key does not get through")
                        .weigh("lost", 2.0)
                        .weigh("state", 0.3)
                        .frames(view.frames(request)),
                );
            }
            if let Some((found, unheard)) = ikev2::round_unheard(index, &view, exchange, "IKE_FOLLOWUP_KE") {
                let asks = unheard.request.source.ip();
                return Some(
                    found
                        .means(format!("the answer does not reach {asks}"))
                        .settle(format!("a capture on the outside of {asks}"))
                        .rule_out(&["state", "other"]),
                );
            }
            let (request, response) = ikev2::request_and_response(exchange);
            let response = response?;
            let refused = suites.get(index).copied().flatten()?.lacks_key_exchange(response)?;
            refused.then(|| {
                Match::on(index, Confidence::Inferred)
                    .seen(format!(
                        "the IKE_FOLLOWUP_KE response of {} ({} octets) has no room for a key exchange value",
                        response.source.ip(),
                        response.length
                    ))
                    .means(format!(
                        "{} refused to go on with the re-key; the reason is encrypted",
                        response.source.ip()
                    ))
                    .weigh("state", 2.0)
                    .weigh("lost", 0.1)
                    .settle(format!("the log of {} at that time", response.source.ip()))
                    .frames(request.map(|request| request.frame))
                    .frames([response.frame])
            })
        })
        .collect()
}
