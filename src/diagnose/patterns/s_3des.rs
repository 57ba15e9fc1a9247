//! S-3DES: 3DES and other ciphers with 64-bit blocks.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::signs::Signs;
use crate::track::{Attempt, TransformFact};

use super::offer::{self, v1, v2};

pattern! {
    /// ## What is seen
    ///
    /// 3DES, Blowfish, CAST, IDEA or RC5 in a proposal in clear.
    ///
    /// ## What it means
    ///
    /// Blocks of 64 bits repeat after some tens of gigabytes under one key, and then leak. 3DES is slow besides. The others are
    /// deprecated outright.
    ///
    /// ## Look-alikes
    ///
    /// - A long default offer names weak algorithms that nobody chooses; that is reported as information only.
    /// - Proposals of IKEv1 phase 2 and of IKE_AUTH are encrypted: what protects the traffic itself may be weaker or stronger.
    S_3DES = "S-3DES", Security, Advisory;
    title: "3DES or another cipher with 64-bit blocks is in use or on offer";
    causes: [
        "kept" 0.60 "the configuration dates from when this was usual, or follows an old example", raised by "a choice from a short offer", lowered by "a long default offer";
        "default" 0.40 "the product offers it by default, beside better ones", raised by "a long offer of which a better part was chosen", lowered by "";
    ];
    checks: [
        Either: "use AES-GCM, or AES-CBC with SHA-256";
        Either: "until then re-key by volume, well below 32 GB";
    ];
    logs: [
        "Cisco ASA": "Encryption : 3DES" ("S2S-53");
    ];
    sources: ["S2S-53", "RFC 8247 §2.1", "RFC 8221 §5", "RFC 9395 §3"];
    when: WEAK_3DES;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let short_blocks = offer::advice(case, [Signs::WEAK_3DES, Signs::WEAK_3DES_CHOSEN], names);
    short_blocks.found(case, "ciphers with 64-bit blocks leak when much is sent under one key, and are deprecated")
}

/// What is found of a transform, by name.
pub(super) fn names(attempt: &Attempt, transform: &TransformFact) -> Vec<String> {
    offer::weak(attempt, transform, (v1::ENCRYPTION, &[2, 3, 4, 5, 6]), &[(v2::ENCR, &[3, 4, 5, 6, 7, 8])])
}
