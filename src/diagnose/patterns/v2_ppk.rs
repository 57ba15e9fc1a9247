//! V2-PPK: the post-quantum pre-shared key may be what stops it.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::{Confidence, Severity};

use super::ikev2::{self, notify};

pattern! {
    /// ## What is seen
    ///
    /// USE_PPK (16435) in one direction of IKE_SA_INIT only, or in both and IKE_AUTH is refused, or never sent.
    ///
    /// ## What it means
    ///
    /// One or both ends want to mix a post-quantum pre-shared key (PPK) into the keys. If only one knows it and insists, it
    /// stops; if both do and the PPK differs, IKE_AUTH fails as with a wrong key. This is a hint that goes with the finding on
    /// IKE_AUTH: anything else that makes IKE_AUTH fail looks the same.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-AUTH-FAIL`: every other reason for a refusal.
    /// - A PPK that is optional on both ends does no harm when it is missing.
    V2_PPK = "V2-PPK", IkeV2, Notice;
    title: "the post-quantum pre-shared key may be what stops it";
    causes: [
        "differs" 0.50 "the PPK or its identifier differs", raised by "USE_PPK in both directions", lowered by "USE_PPK in one direction";
        "mandatory" 0.50 "the PPK is mandatory on one end and not set on the other", raised by "USE_PPK in one direction", lowered by "USE_PPK in both directions";
    ];
    checks: [
        Either: "compare the PPK and its identifier, and whether it is mandatory";
    ];
    logs: [
        "strongSwan": "PPK required but peer does not support PPK" ("strongSwan source");
    ];
    sources: ["RFC 8784 §3"];
    when: V2_UNPROVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::never_authenticated(case)
        .filter_map(|(index, view)| {
            let round = ikev2::accepted(view.attempt)?;
            let (request, response) = (round.request?, round.response?);
            let wants = |message| ikev2::notified(message, notify::USE_PPK).is_some();
            let refused = view.authenticated() == Some(false);
            let given_up = view.auth_exchanges().next().is_none() && view.is_watched_after(response);
            let (who, key) = match (wants(request), wants(response)) {
                _ if !refused && !given_up => return None,
                (true, true) => ("both ends want", "differs"),
                (true, false) => ("the initiator alone wants", "mandatory"),
                (false, true) => ("the responder alone wants", "mandatory"),
                (false, false) => return None,
            };
            let then = if refused { "IKE_AUTH was refused" } else { "IKE_AUTH never followed" };
            // Who alone wants one, and leaves as soon as it has the answer, has read there that the other does not.
            let severity = if given_up && key == "mandatory" { Severity::Warning } else { Severity::Notice };
            Some(
                Match::on(index, Confidence::Suspected)
                    .severity(severity)
                    .seen(format!("{who} a post-quantum pre-shared key (USE_PPK), and {then}"))
                    .means("a missing or different PPK would look like this; so would other reasons")
                    .weigh(key, 4.0)
                    .settle("the PPK settings of both ends, or the log of the end that stopped")
                    .frames([request.frame, response.frame]),
            )
        })
        .collect()
}
