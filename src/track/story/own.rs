//! What is an attempt's own, taken out of it: what is left is what many may share.
//!
//! Not here: where it is kept ([`super::arrivals`]), and how it is put back ([`super::Story::fill`]).

use crate::base::{FrameRef, IkeSpi, MessageId, Timestamp};
use crate::track::facts::{Attempt, ExchangeKind, IkeVersion, MessageRecord};
use crate::track::store::packed::NOWHERE;

use super::aside::BESIDE;

const NO_PLACE: (FrameRef, Timestamp) = (FrameRef::new(0, 0), Timestamp::from_nanos(0));

/// Whether the message id of an exchange that began with this message of the story is the attempt's own. In IKEv2 it counts the
/// exchanges, as long as none is told beside the story.
pub(super) fn has_own_id(version: IkeVersion, began: u8) -> bool {
    version == IkeVersion::V1 || began >= BESIDE
}

/// `attempt` without what is its own. `began`: kind of each exchange, and which message began it.
pub(super) fn blanked(mut attempt: Attempt, began: &[(ExchangeKind, u8)]) -> Attempt {
    (attempt.initiator_spi, attempt.responder_spi) = (IkeSpi::ZERO, IkeSpi::ZERO);
    (attempt.initiator, attempt.responder) = (NOWHERE, NOWHERE);
    (attempt.first_frame, attempt.first) = NO_PLACE;
    (attempt.last_frame, attempt.last) = NO_PLACE;
    for (exchange, &(_, began)) in attempt.exchanges.iter_mut().zip(began) {
        if has_own_id(attempt.version, began) {
            exchange.message_id = MessageId(0);
        }
        exchange.messages.iter_mut().for_each(blank);
    }
    for step in &mut attempt.moves {
        (step.frame, step.at) = NO_PLACE;
        step.to = NOWHERE;
    }
    attempt.nat.mismatch_frame = attempt.nat.mismatch_frame.map(|_| NO_PLACE.0);
    attempt.phase1_up = attempt.phase1_up.map(|_| NO_PLACE.1);
    attempt.phase2_up = attempt.phase2_up.map(|_| NO_PLACE.1);
    attempt
}

/// Takes out of a message what is its own.
pub(super) fn blank(record: &mut MessageRecord) {
    (record.frame, record.at) = NO_PLACE;
    (record.source, record.destination) = (NOWHERE, NOWHERE);
    if record.encrypted {
        record.length = 0;
    }
}
