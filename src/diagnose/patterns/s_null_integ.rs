//! S-NULL-INTEG: encryption without integrity.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::{Attempt, IkeVersion, PayloadDetail, ProposalFact};

use super::offer::{self, v2};

/// Protocol id of a proposal for an IKE SA.
const IKE: u8 = 1;

pattern! {
    /// ## What is seen
    ///
    /// An IKEv2 proposal for the IKE SA with a cipher that does not authenticate, and no integrity algorithm, or only NONE.
    ///
    /// ## What it means
    ///
    /// No standard allows it: without integrity whoever can change packets can steer what is decrypted. A peer that follows the
    /// standard refuses it.
    ///
    /// ## Look-alikes
    ///
    /// - AEAD ciphers (GCM, CCM, ChaCha20-Poly1305) bring integrity with them and are offered without an integrity algorithm.
    /// - Proposals for ESP are encrypted and cannot be judged.
    /// - A capture that cut its frames: what it did not record of a proposal may have been there, and nothing is reported.
    S_NULL_INTEG = "S-NULL-INTEG", Security, Advisory;
    title: "an IKE proposal encrypts without integrity";
    causes: [
        "mistake" 0.80 "AEAD and other ciphers mixed up in one proposal", raised by "AEAD ciphers elsewhere in the offer", lowered by "";
        "bug" 0.20 "the sender builds its proposal wrongly", raised by "", lowered by "";
    ];
    checks: [
        Either: "add an integrity algorithm (SHA-256), or use an AEAD cipher in a proposal of its own";
    ];
    logs: [];
    sources: ["RFC 7296 §3.3.3", "RFC 8221 §4"];
    when: BARE_CIPHER;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let bare: Vec<_> = case
        .pair
        .attempts
        .iter()
        .filter(|attempt| attempt.version == IkeVersion::V2 && !is_cut(attempt))
        .filter_map(|attempt| {
            let proposal = attempt.offered.iter().chain(attempt.choice()).find(|proposal| is_bare(proposal))?;
            Some((attempt, proposal))
        })
        .collect();
    let Some((_, proposal)) = bare.first() else { return Vec::new() };
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!("proposal {} encrypts and has no integrity algorithm", proposal.number))
            .means("a peer that follows the standard refuses it; one that accepts it is open to changed packets")
            .frames(bare.iter().take(8).flat_map(|(attempt, _)| offer::frames(attempt))),
    ]
}

/// Whether a message with an offer or a choice could not be read whole: what they lack may have stood there.
pub(super) fn is_cut(attempt: &Attempt) -> bool {
    let messages = attempt.exchanges.iter().take(1).flat_map(|exchange| &exchange.messages);
    messages
        .filter(|message| message.fault.is_some())
        .any(|message| message.carried.iter().any(|payload| matches!(payload.detail, PayloadDetail::Sa { .. })))
}

/// For IKE, with a cipher of its own kind, and without integrity.
pub(super) fn is_bare(proposal: &ProposalFact) -> bool {
    let of = |kind| proposal.transforms.iter().filter(move |transform| transform.transform_type == kind);
    let cipher = of(v2::ENCR).any(|transform| matches!(transform.transform_id, 1..=9 | 12 | 13 | 23 | 24));
    let integrity = of(v2::INTEG).any(|transform| transform.transform_id != 0);
    proposal.protocol_id == IKE && cipher && !integrity
}
