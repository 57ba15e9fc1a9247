//! Quick Mode (RFC 2409 §5.5): three encrypted messages under one message id; either side of the SA may start it. With the
//! commit bit a fourth one confirms the third (RFC 2408 §3.1).
//!
//! Messages 1 and 2 carry an offer and a nonce, message 3 a hash only: where one was not captured, lengths tell the others.

use super::super::attempt::MessageState;
use super::super::facts::{Exchange, Label, Side};
use super::super::nat::HashAlgorithm;
use super::Clues;

/// Header; SA with one proposal of one transform with one attribute, and its SPI; the shortest nonce.
const LEAST: u32 = 28 + 36 + 12;
/// Header flag: a fourth message will come (RFC 2408 §3.1).
const COMMIT: u8 = 2;
/// Head of a HASH payload.
const GENERIC: u32 = 4;

pub(super) fn label(clues: &Clues<'_>, from: Side, exchange: Option<(&Exchange, &[MessageState])>) -> Label {
    let Some((exchange, states)) = exchange else {
        return if is_hash_only(clues) { Label::Qm(3) } else { Label::Qm(1) };
    };
    let known = |label| exchange.messages.iter().position(|message| message.label == label);
    // A repeat keeps its length even when it is encrypted anew.
    let repeats = |place: usize| {
        states.get(place).is_some_and(|state| state.digest == clues.digest)
            || exchange.messages[place].length == clues.header.length
    };
    if from != exchange.started_by {
        let confirmed = known(Label::Qm(3)).is_some();
        return match known(Label::Qm(2)) {
            Some(second) if repeats(second) => Label::Qm(2),
            Some(_) if confirmed || is_hash_only(clues) => Label::Qm(4),
            None if confirmed && is_hash_only(clues) => Label::Qm(4),
            _ => Label::Qm(2),
        };
    }
    match known(Label::Qm(1)) {
        Some(first) if repeats(first) => Label::Qm(1),
        _ => Label::Qm(3),
    }
}

/// Who sends a hash only started the exchange: where the other side was heard first, message 1 was not captured, or was
/// recorded behind message 2.
pub(in crate::track) fn turn(exchange: &mut Exchange, clues: &Clues<'_>, from: Side) {
    let commits = clues.header.flags & COMMIT != 0
        || exchange.messages.iter().any(|message| message.flags & COMMIT != 0 || message.label == Label::Qm(3));
    if from == exchange.started_by || commits || !is_hash_only(clues) {
        return;
    }
    exchange.started_by = from;
    for message in &mut exchange.messages {
        match message.label {
            Label::Qm(1) => message.label = Label::Qm(2),
            Label::Qm(2) => message.label = Label::Qm(1),
            _ => {}
        }
    }
}

/// Whether an encrypted message is too short for what messages 1 and 2 carry.
fn is_hash_only(clues: &Clues<'_>) -> bool {
    clues.encrypted && is_for_hash_only(clues.header.length, clues.hash)
}

/// Whether an encrypted message of so many octets is too short for what messages 1 and 2 carry.
pub(in crate::track) fn is_for_hash_only(length: u32, hash: Option<HashAlgorithm>) -> bool {
    let hash = hash.map_or(HashAlgorithm::SHORTEST, HashAlgorithm::octets);
    length < LEAST + GENERIC + hash
}
