//! What was seen, as facts: pairs, attempts, exchanges, flows, ICMP errors, fragments.
//!
//! Not here: judgement, and text. Contract: time comes from the datagrams, memory has a ceiling, what is
//! forgotten is counted, and the same datagrams in the same order give the same facts.

mod facts;

pub use facts::*;

use crate::base::{FrameRef, Limits, Timestamp};
use crate::packet::Datagram;

/// Follows every exchange of every pair.
#[derive(Debug)]
pub struct Tracker {
    facts: Facts,
}

/// What the tracker made of one ISAKMP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Index of the pair in [`Facts::pairs`].
    pub pair: usize,
    /// Index of the attempt in [`Pair::attempts`].
    pub attempt: usize,
    /// Which message of its exchange it is.
    pub label: Label,
    /// Which side of the SA sent it.
    pub from: Side,
    /// The frame of the message that this one repeats.
    pub retransmission_of: Option<FrameRef>,
    /// The frame of the same packet recorded before (mirror port, `-i any`): not a retransmission.
    pub recorded_before: Option<FrameRef>,
    /// The whole message that this fragment (IKEv1 payload 132) completed, from its initiator SPI on.
    pub reassembled: Option<Vec<u8>>,
}

impl Tracker {
    /// With nothing seen yet.
    pub fn new(limits: &Limits) -> Self {
        let _ = limits;
        Self { facts: Facts::default() }
    }

    /// Files one datagram. Answers what it was, if it was an ISAKMP message whose header could be read.
    pub fn observe(&mut self, datagram: &Datagram<'_>) -> Option<Observed> {
        let _ = datagram;
        todo!()
    }

    /// Lets capture time move on to `at` without a datagram.
    pub fn advance(&mut self, at: Timestamp) {
        let _ = at;
    }

    /// The facts so far.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}
