//! Transaction exchange (draft-ietf-ipsec-isakmp-mode-cfg): a message and its answer under one message id.

use super::super::attempt::MessageState;
use super::super::facts::{Exchange, Label, Side};

pub(super) fn label(from: Side, exchange: Option<(&Exchange, &[MessageState])>) -> Label {
    match exchange {
        Some((exchange, _)) if exchange.started_by != from => Label::Tr(2),
        _ => Label::Tr(1),
    }
}
