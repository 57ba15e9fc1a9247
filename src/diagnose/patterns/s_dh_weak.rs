//! S-DH-WEAK: a weak Diffie-Hellman group.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::signs::Signs;
use crate::track::{Attempt, TransformFact};

use super::offer::{self, v1, v2};

pattern! {
    /// ## What is seen
    ///
    /// Group 1, 2, 5, 22, 23, 24, or one of the old binary curves 3 and 4, in a proposal in clear.
    ///
    /// ## What it means
    ///
    /// Groups 1, 2 and 22 (768 and 1024 bits) are within reach of those who can afford it, once for all tunnels that share them;
    /// group 5 is short. The primes of 22 to 24 come without a reason for their choice. All secrecy of a tunnel hangs on this.
    ///
    /// ## Look-alikes
    ///
    /// - A long default offer names weak algorithms that nobody chooses; that is reported as information only.
    /// - Proposals of IKEv1 phase 2 and of IKE_AUTH are encrypted: what protects the traffic itself may be weaker or stronger.
    S_DH_WEAK = "S-DH-WEAK", Security, Advisory;
    title: "a weak Diffie-Hellman group is in use or on offer";
    causes: [
        "kept" 0.60 "the configuration dates from when this was usual, or follows an old example", raised by "a choice from a short offer", lowered by "a long default offer";
        "default" 0.40 "the product offers it by default, beside better ones", raised by "a long offer of which a better part was chosen", lowered by "";
    ];
    checks: [
        Either: "use group 14 (2048 bits), 19 (P-256) or 31 (Curve25519), or stronger, in phase 1 and for PFS";
    ];
    logs: [
        "Cisco ASA": "D/H Group : 2" ("S2S-53");
    ];
    sources: ["S2S-53", "S2S-57", "RFC 8247 §2.4", "RFC 3526"];
    when: WEAK_GROUP;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let weak = offer::advice(case, [Signs::WEAK_GROUP, Signs::WEAK_GROUP_CHOSEN], names);
    weak.found(case, "whoever breaks the key exchange reads everything, also what was recorded before")
}

/// What is found of a transform, by name.
pub(super) fn names(attempt: &Attempt, transform: &TransformFact) -> Vec<String> {
    offer::weak(
        attempt,
        transform,
        (v1::GROUP, &[1, 2, 3, 4, 5, 22, 23, 24]),
        &[(v2::KE, &[1, 2, 3, 4, 5, 22, 23, 24])],
    )
}
