//! S-DES: single DES or an export cipher.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::signs::Signs;
use crate::track::{Attempt, TransformFact};

use super::offer::{self, v1, v2};

pattern! {
    /// ## What is seen
    ///
    /// DES, or a variant of it, in a proposal in clear.
    ///
    /// ## What it means
    ///
    /// A 56-bit key is found by trying them all, in days and for little money. No current standard allows it.
    ///
    /// ## Look-alikes
    ///
    /// - A long default offer names weak algorithms that nobody chooses; that is reported as information only.
    /// - Proposals of IKEv1 phase 2 and of IKE_AUTH are encrypted: what protects the traffic itself may be weaker or stronger.
    S_DES = "S-DES", Security, Advisory;
    title: "DES is in use or on offer";
    causes: [
        "kept" 0.60 "the configuration dates from when this was usual, or follows an old example", raised by "a choice from a short offer", lowered by "a long default offer";
        "default" 0.40 "the product offers it by default, beside better ones", raised by "a long offer of which a better part was chosen", lowered by "";
    ];
    checks: [
        Either: "take DES out of the proposals; use AES-GCM or AES-CBC with SHA-256";
    ];
    logs: [];
    sources: ["PIX-23", "RFC 8247 §2.1", "RFC 8221 §5", "RFC 4772"];
    when: WEAK_DES;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let des = offer::advice(case, [Signs::WEAK_DES, Signs::WEAK_DES_CHOSEN], names);
    des.found(case, "a 56-bit key protects nothing against anybody who wants to know")
}

/// What is found of a transform, by name.
pub(super) fn names(attempt: &Attempt, transform: &TransformFact) -> Vec<String> {
    offer::weak(attempt, transform, (v1::ENCRYPTION, &[1]), &[(v2::ENCR, &[1, 2, 9])])
}
