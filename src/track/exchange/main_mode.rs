//! Main Mode (RFC 2409 §5): six messages, the last two encrypted. Which one it is shows in what it carries, so that
//! a capture that misses some of them still names the others.

use super::super::facts::{Label, Side};
use super::Clues;

pub(super) fn label(clues: &Clues<'_>, from: Side) -> Label {
    let number = match (clues.encrypted, clues.has_sa, clues.has_ke) {
        (true, _, _) => 5,
        (false, true, _) => 1,
        (false, false, true) => 3,
        // A notify where an encrypted message has to stand: kept, and named for what it is.
        (false, false, false) => return Label::Stray,
    };
    Label::Mm(number + from.index() as u8)
}
