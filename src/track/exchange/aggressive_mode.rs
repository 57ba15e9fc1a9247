//! Aggressive Mode (RFC 2409 §5): SA, KE and nonce both ways, then the initiator's proof, clear or encrypted.

use super::super::facts::{Label, Side};
use super::Clues;

pub(super) fn label(clues: &Clues<'_>, from: Side) -> Label {
    match (from, clues.has_sa) {
        (Side::Initiator, true) => Label::Am(1),
        (Side::Responder, true) => Label::Am(2),
        (Side::Initiator, false) => Label::Am(3),
        (Side::Responder, false) => Label::Stray,
    }
}
