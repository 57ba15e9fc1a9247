//! S-SHA1: SHA-1.

use std::net::IpAddr;

use crate::base::FrameRef;
use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::signs::Signs;
use crate::track::{Attempt, Side, TransformFact};

use super::offer::{self, v1, v2};

/// RFC 7427 §4: the notify, and the number of SHA-1 in its list of two-octet numbers.
pub(super) const SIGNATURE_HASH_ALGORITHMS: u16 = 16431;
/// See [`SIGNATURE_HASH_ALGORITHMS`].
pub(super) const SHA1: [u8; 2] = [0, 1];

pattern! {
    /// ## What is seen
    ///
    /// SHA-1 as hash, PRF or integrity algorithm in a proposal in clear, or in the list of hashes that a side accepts in
    /// signatures (IKEv2).
    ///
    /// ## What it means
    ///
    /// HMAC-SHA-1 still holds and is on its way out of the standards. SHA-1 in signatures is broken and must not be used.
    ///
    /// ## Look-alikes
    ///
    /// - A long default offer names weak algorithms that nobody chooses; that is reported as information only.
    /// - Proposals of IKEv1 phase 2 and of IKE_AUTH are encrypted: what protects the traffic itself may be weaker or stronger.
    S_SHA1 = "S-SHA1", Security, Advisory;
    title: "SHA-1 is in use or on offer";
    causes: [
        "kept" 0.60 "the configuration dates from when this was usual, or follows an old example", raised by "a choice from a short offer", lowered by "a long default offer";
        "default" 0.40 "the product offers it by default, beside better ones", raised by "a long offer of which a better part was chosen", lowered by "";
    ];
    checks: [
        Either: "use SHA-256 or stronger, or an AEAD cipher";
        Either: "take SHA-1 out of the signature hashes";
    ];
    logs: [
        "Cisco ASA": "Hashing : SHA1" ("S2S-53");
    ];
    sources: ["S2S-53", "S2S-57", "RFC 8247 §2.2", "RFC 8247 §2.3", "RFC 8247 §3.2", "RFC 7427 §4"];
    when: WEAK_SHA1;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let sha1 = offer::advice(case, [Signs::WEAK_SHA1, Signs::WEAK_SHA1_CHOSEN], names);
    let mut found = sha1.found(case, "HMAC-SHA-1 holds, and is on its way out of the standards");
    if let Some((frame, from)) = signature_hash(case) {
        let told = case.in_words(|| format!("{from} accepts SHA-1 in signatures"));
        match found.first_mut() {
            Some(known) => {
                known.seen.push_str("; ");
                known.seen.push_str(&told);
                known.frames.push(frame);
                known.severity = None;
            }
            None => found.push(
                Match::on_pair(Confidence::Stated)
                    .seen(told)
                    .means("a signature over SHA-1 can be forged; it must not be accepted")
                    .frames([frame]),
            ),
        }
    }
    found
}

/// What is found of a transform, by name.
pub(super) fn names(attempt: &Attempt, transform: &TransformFact) -> Vec<String> {
    offer::weak(attempt, transform, (v1::HASH, &[2]), &[(v2::PRF, &[2]), (v2::INTEG, &[2, 7])])
}

/// A SIGNATURE_HASH_ALGORITHMS notify that names SHA-1.
fn signature_hash(case: &Case<'_>) -> Option<(FrameRef, IpAddr)> {
    case.attempts().filter(|(_, view)| view.is_v2()).find_map(|(_, view)| {
        [Side::Initiator, Side::Responder].into_iter().find_map(|side| {
            view.clear_notifies(side)
                .find(|notify| {
                    notify.notify_message_type == SIGNATURE_HASH_ALGORITHMS
                        && notify.data.chunks_exact(2).any(|hash| hash == SHA1)
                })
                .map(|notify| (notify.message.frame, notify.message.source.ip()))
        })
    })
}
