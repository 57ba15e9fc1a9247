//! The pairs that were seen, kept small: what is asked for is brought out whole, and only while it is looked at.
//!
//! Not here: what becomes of a datagram. Contract: the same index gives the same pair, however often it is asked for.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::base::{FrameRef, Timestamp};

use super::facts::{Attempt, Pair};

/// All pairs, in order of their first frame.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    pairs: Vec<Pair>,
}

/// Where pairs and attempts are brought out to. Reusing one saves the allocations.
#[derive(Debug, Default)]
pub struct Room {}

impl Pairs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// The addresses of pair `index`: the one that sent the first datagram, and the other one.
    pub fn ends(&self, index: usize) -> Option<(IpAddr, IpAddr)> {
        self.pairs.get(index).map(|pair| (pair.a, pair.b))
    }

    /// How many attempts pair `index` has.
    pub fn attempts(&self, index: usize) -> usize {
        self.pairs.get(index).map_or(0, |pair| pair.attempts.len())
    }

    /// Pair `index`, for a look at one or a few.
    pub fn get(&self, index: usize) -> Option<Cow<'_, Pair>> {
        self.pairs.get(index).map(Cow::Borrowed)
    }

    /// Pair `index`, brought out into `room`: for a walk over many.
    pub fn read<'s>(&'s self, index: usize, room: &'s mut Room) -> Option<&'s Pair> {
        let _ = room;
        self.pairs.get(index)
    }

    /// One attempt of a pair, brought out into `room`: for a walk over many.
    pub fn read_attempt<'s>(&'s self, index: usize, attempt: usize, room: &'s mut Room) -> Option<&'s Attempt> {
        let _ = room;
        self.pairs.get(index)?.attempts.get(attempt)
    }

    /// What is known of pair `index` beside its attempts, which may not be there.
    pub fn outline(&self, index: usize) -> Option<&Pair> {
        self.pairs.get(index)
    }

    /// When and in which frame an attempt of pair `index` begins.
    pub fn beginning(&self, index: usize, attempt: usize) -> Option<(Timestamp, FrameRef)> {
        self.pairs.get(index)?.attempts.get(attempt).map(|attempt| (attempt.first, attempt.first_frame))
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, Pair>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }
}

impl From<Vec<Pair>> for Pairs {
    fn from(pairs: Vec<Pair>) -> Self {
        Self { pairs }
    }
}
