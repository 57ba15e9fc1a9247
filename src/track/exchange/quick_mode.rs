//! Quick Mode (RFC 2409 §5.5): three encrypted messages under one message id; either side of the SA may start it.

use super::super::attempt::MessageState;
use super::super::facts::{Exchange, Label, Side};
use super::Clues;

pub(super) fn label(clues: &Clues<'_>, from: Side, exchange: Option<(&Exchange, &[MessageState])>) -> Label {
    let Some((exchange, states)) = exchange else { return Label::Qm(1) };
    if from != exchange.started_by {
        return Label::Qm(2);
    }
    let Some(first) = exchange.messages.iter().position(|message| message.label == Label::Qm(1)) else {
        return Label::Qm(3);
    };
    // A repeat of message 1 keeps its length even when it is encrypted anew; message 3 carries a hash only.
    let repeats_first = states.get(first).is_some_and(|state| state.digest == clues.digest)
        || exchange.messages[first].length == clues.header.length;
    if repeats_first { Label::Qm(1) } else { Label::Qm(3) }
}
