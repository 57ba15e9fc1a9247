//! S-KEYLEN: key lengths left out, or put where they do not belong.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::signs::Signs;
use crate::track::{Attempt, IkeVersion, TransformFact};

use super::offer::{self, v1, v2};
use super::s_null_integ::is_cut;

/// IKEv2 ciphers with keys of several lengths: AES and Camellia in all modes.
const SEVERAL_LENGTHS: &[u16] = &[12, 13, 14, 15, 16, 18, 19, 20, 23, 24, 25, 26, 27];
/// IKEv2 ciphers with one: DES, 3DES, IDEA, ChaCha20-Poly1305.
const ONE_LENGTH: &[u16] = &[1, 2, 3, 5, 8, 9, 28];

pattern! {
    /// ## What is seen
    ///
    /// AES or another cipher with keys of several lengths, and no Key Length attribute; or 3DES, DES or ChaCha20 with one.
    ///
    /// ## What it means
    ///
    /// The standards want the length stated for ciphers that have several, and forbid it for those that have one. Some stacks
    /// take what is missing for 128 bits, others refuse the proposal. Between vendors this shows as a refusal that nobody can
    /// explain from the algorithms.
    ///
    /// ## Look-alikes
    ///
    /// - A capture that cut its frames: what it did not record may have been the length, and nothing is reported.
    S_KEYLEN = "S-KEYLEN", Security, Notice;
    title: "a key length is missing or out of place";
    causes: [
        "stack" 0.70 "the sender's product leaves it out or adds it", raised by "the same from all of its tunnels", lowered by "";
        "config" 0.30 "the length is not set in the proposal", raised by "a setting such as aes without a number", lowered by "";
    ];
    checks: [
        Either: "state the key length (aes-128 or aes-256)";
    ];
    logs: [];
    sources: ["RFC 7296 §3.3.5", "RFC 2409 appendix A", "RFC 3602 §5.3", "RFC 8247 §2.1"];
    when: KEY_LENGTH;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // Of a proposal that the capture cut, the length may be what it did not record.
    if case.pair.attempts.iter().any(is_cut) {
        return Vec::new();
    }
    let odd = offer::advice(case, [Signs::KEY_LENGTH, Signs::KEY_LENGTH_CHOSEN], names);
    odd.found(case, "some stacks guess the length, others refuse the proposal")
}

/// What is found of a transform, by name.
pub(super) fn names(attempt: &Attempt, transform: &TransformFact) -> Vec<String> {
    let (length, several, one) = match attempt.version {
        IkeVersion::V1 => (
            transform.attribute(v1::KEY_LENGTH),
            offer::weak_v1(transform, v1::ENCRYPTION, &[7, 8]),
            offer::weak_v1(transform, v1::ENCRYPTION, &[1, 2, 5]),
        ),
        IkeVersion::V2 => (
            transform.attribute(v2::KEY_LENGTH),
            offer::weak_v2(transform, v2::ENCR, SEVERAL_LENGTHS),
            offer::weak_v2(transform, v2::ENCR, ONE_LENGTH),
        ),
    };
    let odd = if length.is_none() { several } else { one };
    let what = if length.is_none() { "without a key length" } else { "with a key length" };
    odd.into_iter().map(|name| format!("{name} {what}")).collect()
}
