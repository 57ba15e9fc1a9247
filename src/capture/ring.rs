//! The last frames, kept in memory: what can be written to a file after something has happened.
//!
//! Contract: holds at most so many octets; the oldest frame is forgotten first, and counted.

use std::collections::VecDeque;

use crate::base::{FrameRef, LinkType, Timestamp};

use super::Frame;

/// Octets that a frame takes besides its own.
const BESIDES: usize = size_of::<Kept>();

/// The last frames.
#[derive(Debug)]
pub struct Ring {
    ceiling: usize,
    frames: VecDeque<Kept>,
    octets: usize,
    forgotten: u64,
}

#[derive(Debug)]
struct Kept {
    reference: FrameRef,
    at: Timestamp,
    link: LinkType,
    interface: u32,
    wire_len: u32,
    bytes: Box<[u8]>,
}

impl Ring {
    /// With room for `ceiling` octets.
    pub const fn new(ceiling: usize) -> Self {
        Self { ceiling, frames: VecDeque::new(), octets: 0, forgotten: 0 }
    }

    /// Keeps a copy of `frame`.
    pub fn keep(&mut self, frame: &Frame<'_>) {
        let Frame { reference, at, link, interface, bytes, wire_len } = *frame;
        self.octets = self.octets.saturating_add(bytes.len()).saturating_add(BESIDES);
        self.frames.push_back(Kept { reference, at, link, interface, wire_len, bytes: bytes.into() });
        while self.octets > self.ceiling {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.octets = self.octets.saturating_sub(oldest.bytes.len()).saturating_sub(BESIDES);
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }

    /// The frames, oldest first.
    pub fn frames(&self) -> impl ExactSizeIterator<Item = Frame<'_>> {
        self.frames.iter().map(|kept| Frame {
            reference: kept.reference,
            at: kept.at,
            link: kept.link,
            interface: kept.interface,
            bytes: &kept.bytes,
            wire_len: kept.wire_len,
        })
    }

    /// Frames that were kept and had to go.
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_first_and_are_counted() {
        let mut ring = Ring::new(3 * (100 + BESIDES));
        for number in 1..=5 {
            ring.keep(&Frame {
                reference: FrameRef::new(0, number),
                at: Timestamp::default(),
                link: LinkType::ETHERNET,
                interface: 0,
                bytes: &[7; 100],
                wire_len: 120,
            });
        }
        let numbers: Vec<u64> = ring.frames().map(|frame| frame.reference.frame).collect();
        assert_eq!((numbers.as_slice(), ring.forgotten()), (&[3, 4, 5][..], 2));
        assert!(ring.frames().all(|frame| frame.bytes == [7; 100] && frame.wire_len == 120));
    }
}
