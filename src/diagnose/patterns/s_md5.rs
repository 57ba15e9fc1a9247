//! S-MD5: MD5.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::signs::Signs;
use crate::track::{Attempt, TransformFact};

use super::offer::{self, v1, v2};

pattern! {
    /// ## What is seen
    ///
    /// MD5 as hash, PRF or integrity algorithm in a proposal in clear.
    ///
    /// ## What it means
    ///
    /// MD5 is broken as a hash. HMAC-MD5 is not known to be, but no current standard allows it here.
    ///
    /// ## Look-alikes
    ///
    /// - A long default offer names weak algorithms that nobody chooses; that is reported as information only.
    /// - Proposals of IKEv1 phase 2 and of IKE_AUTH are encrypted: what protects the traffic itself may be weaker or stronger.
    S_MD5 = "S-MD5", Security, Advisory;
    title: "MD5 is in use or on offer";
    causes: [
        "kept" 0.60 "the configuration dates from when this was usual, or follows an old example", raised by "a choice from a short offer", lowered by "a long default offer";
        "default" 0.40 "the product offers it by default, beside better ones", raised by "a long offer of which a better part was chosen", lowered by "";
    ];
    checks: [
        Either: "use SHA-256 or stronger, or an AEAD cipher";
    ];
    logs: [];
    sources: ["RFC 8247 §2.2", "RFC 8247 §2.3", "RFC 6151"];
    when: WEAK_MD5;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let md5 = offer::advice(case, [Signs::WEAK_MD5, Signs::WEAK_MD5_CHOSEN], names);
    md5.found(case, "no current standard allows MD5 here")
}

/// What is found of a transform, by name.
pub(super) fn names(attempt: &Attempt, transform: &TransformFact) -> Vec<String> {
    offer::weak(attempt, transform, (v1::HASH, &[1]), &[(v2::PRF, &[1]), (v2::INTEG, &[1, 4, 6])])
}
