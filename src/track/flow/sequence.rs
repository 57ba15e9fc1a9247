//! The sequence numbers' story: ahead, late, lost, seen before, begun again.

use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::track::facts::EspFlow;

use super::{FlowPacket, FlowRow};

/// Numbers behind the highest one that are remembered one by one.
pub(super) const WINDOW: u32 = 256;
/// A number further behind than this is not late: the sender may have begun again.
const FAR_BEHIND: u32 = 4096;
/// A number further behind than receivers look back by default (RFC 4303 §3.4.3 wants 32 at least and 64 at best).
const DEEP: u32 = 64;
/// Numbers begin again at no more than this,
const LOW: u32 = 16;
/// after this long without a packet of the flow,
const PAUSE: Duration = Duration::from_secs(1);
/// and as many come in a row that had come before. Fewer may be copies of a burst.
const RUN: u8 = 32;

/// Which of the last numbers were seen, up to the highest one: a bit for each, by the number itself.
#[derive(Debug, Clone, Default)]
pub(super) struct Window([u64; (WINDOW / 64) as usize]);

impl Window {
    #[inline(always)]
    pub(super) fn mark(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut((number % WINDOW / 64) as usize) {
            *word |= 1 << (number % 64);
        }
    }

    pub(super) fn is_marked(&self, number: u32) -> bool {
        self.0.get((number % WINDOW / 64) as usize).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Forgets `count` numbers from `first` on, and those that had their places.
    pub(super) fn clear(&mut self, first: u32, count: u32) {
        let (mut number, mut left) = (first, count.min(WINDOW));
        while left > 0 {
            let (bit, run) = (number % 64, left.min(64 - number % 64));
            if let Some(word) = self.0.get_mut((number % WINDOW / 64) as usize) {
                *word &= !(u64::MAX >> (64 - run) << bit);
            }
            (number, left) = (number.wrapping_add(run), left - run);
        }
    }
}

impl FlowRow {
    /// Files a sequence number: ahead (serial arithmetic, so that 2^32 wraps), late, seen before, or begun again.
    #[inline(always)]
    pub(super) fn place(&mut self, packet: &FlowPacket, mark: u32) {
        let sequence = packet.sequence;
        let ahead = sequence.wrapping_sub(self.last_sequence);
        if ahead == 0 || ahead >= 1 << 31 {
            // word by word: what is lent to it would have to be in memory for every packet
            return self.place_behind(sequence, mark, (packet.at, packet.frame.capture));
        }
        if self.restarts {
            self.restart_with(None);
        }
        if ahead > 1 {
            self.seen.clear(self.last_sequence.wrapping_add(1), ahead - 1);
            self.widest = self.widest.max(ahead - 1);
        }
        if sequence < self.last_sequence {
            self.run_over((packet.at, packet.frame));
        }
        self.seen.mark(sequence);
        self.last_sequence = sequence;
    }

    /// The first packet after the numbers ran over, if they came near their end before.
    #[cold]
    fn run_over(&mut self, packet: (Timestamp, FrameRef)) {
        if self.last_sequence >= EspFlow::NEAR_END {
            self.rare.get_or_insert_default().ran_over.get_or_insert(packet);
        }
    }

    #[cold]
    fn place_behind(&mut self, sequence: u32, mark: u32, when: (Timestamp, u32)) {
        let behind = self.last_sequence.wrapping_sub(sequence);
        if behind > FAR_BEHIND && self.begins_again(sequence) {
            self.begin_again(sequence, 1);
        } else if behind < WINDOW {
            if self.seen.is_marked(sequence) {
                self.place_double(sequence, mark, when);
            } else {
                self.seen.mark(sequence);
                self.place_late(sequence);
            }
        } else if self.lost() > 0 || self.last_sequence.wrapping_sub(self.base) < behind {
            self.place_late(sequence);
        } else {
            self.place_double(sequence, mark, when);
        }
    }

    fn place_late(&mut self, sequence: u32) {
        let behind = self.last_sequence.wrapping_sub(sequence);
        self.reordered = self.reordered.saturating_add(1);
        self.deep = self.deep.saturating_add(u32::from(behind > DEEP));
        self.lower_base(sequence);
    }

    /// A number that had come before. From a low one on, after a pause, many in a row are no doubles: the sender counts anew.
    fn place_double(&mut self, sequence: u32, mark: u32, (at, capture): (Timestamp, u32)) {
        let follows = self.restarts && sequence.wrapping_sub(self.restart) == 1;
        let paused = at.since(self.last) >= PAUSE && capture == self.last_frame.capture;
        self.run = match follows {
            true if self.run > 0 => self.run + 1,
            _ => u8::from(sequence <= LOW && paused && self.last_sequence > LOW),
        };
        self.restart_with(Some(sequence));
        let had_it = || self.recent.iter().filter(|known| known.mark != 0 && known.sequence == sequence);
        let differs = had_it().any(|known| known.mark != mark);
        let alike = !differs && had_it().next().is_some();
        self.changed = self.changed.saturating_add(differs.into());
        self.copied = self.copied.saturating_add(alike.into());
        if self.run >= RUN {
            self.begin_again(sequence, RUN);
        } else {
            self.duplicates = self.duplicates.saturating_add(1);
        }
    }

    /// Packets with a number of their own since the numbers last began.
    fn unique(&self) -> u64 {
        self.packets.wrapping_sub(self.duplicates.into()).wrapping_sub(self.unique_before)
    }

    pub(super) fn lost(&self) -> u64 {
        let span = u64::from(self.last_sequence.wrapping_sub(self.base)) + 1;
        self.lost_before.saturating_add(span.saturating_sub(self.unique()))
    }

    /// A packet from before the first one seen widens the span that is accounted for.
    fn lower_base(&mut self, sequence: u32) {
        let behind = self.last_sequence.wrapping_sub(sequence);
        if behind > self.last_sequence.wrapping_sub(self.base) && behind < FAR_BEHIND {
            self.base = sequence;
        }
    }

    /// Two low numbers in a row, far behind: the sender counts anew. One alone may be a stray.
    fn begins_again(&mut self, sequence: u32) -> bool {
        let follows = self.restarts && sequence.wrapping_sub(self.restart).wrapping_sub(1) < 16;
        self.restart_with(Some(sequence));
        follows
    }

    fn restart_with(&mut self, sequence: Option<u32>) {
        self.restart = sequence.unwrap_or(0);
        self.restarts = sequence.is_some();
        if sequence.is_none() {
            self.run = 0;
        }
    }

    /// The packet that is being counted is the latest of the first `count` new numbers, and those before it were counted as
    /// doubles.
    fn begin_again(&mut self, sequence: u32, count: u8) {
        let before = u32::from(count.saturating_sub(1));
        self.lost_before = self.lost();
        self.unique_before = self.packets.wrapping_sub(self.duplicates.into());
        self.duplicates = self.duplicates.saturating_sub(before);
        self.resets = self.resets.saturating_add(1);
        self.was_reset = true;
        self.last_sequence = sequence;
        self.base = sequence.wrapping_sub(before);
        self.seen = Window::default();
        for back in 0..=before {
            self.seen.mark(sequence.wrapping_sub(back));
        }
        self.restart_with(None);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{open, packet};
    use super::*;

    fn run(sequences: &[u32]) -> EspFlow {
        let mut row = open(&packet(sequences[0], 0, 0));
        for (index, &sequence) in sequences.iter().enumerate().skip(1) {
            row.count(&packet(sequence, index as i64 * 100, index as u32));
        }
        row.facts()
    }

    /// The highest number and those up to 255 behind it are remembered one by one, however the numbers went on.
    #[test]
    fn remembers_as_many_numbers_as_the_window_holds() {
        for ahead in [1, 2, 63, 64, 65, 200, 254, 255, 256, 257, 1000] {
            for first in [0, 40, 255, u32::MAX - 70] {
                let numbers: Vec<u32> = (0..400).map(|step: u32| first.wrapping_add(step)).collect();
                let highest = first.wrapping_add(399 + ahead);
                let seen = run(&[&numbers[..], &[highest]].concat());
                for behind in 1..WINDOW {
                    let late = highest.wrapping_sub(behind);
                    let flow = run(&[&numbers[..], &[highest, late]].concat());
                    let known = u64::from(behind >= ahead);
                    assert_eq!(flow.duplicates - seen.duplicates, known, "{behind} behind, after {ahead} from {first}");
                }
            }
        }
    }

    #[test]
    fn a_gap_is_lost_until_the_late_packet_comes() {
        assert_eq!(run(&[1, 2, 5]).lost, 2);
        let flow = run(&[1, 2, 5, 3]);
        assert_eq!((flow.lost, flow.reordered, flow.duplicates, flow.packets), (1, 1, 0, 4));
    }

    #[test]
    fn the_same_number_twice_is_a_duplicate() {
        let flow = run(&[1, 2, 2, 3, 1]);
        assert_eq!((flow.duplicates, flow.reordered, flow.lost), (2, 0, 0));
    }

    #[test]
    fn numbers_wrap_without_loss() {
        let flow = run(&[u32::MAX - 1, u32::MAX, 0, 1, 3]);
        assert_eq!((flow.lost, flow.last_sequence, flow.resets), (1, 3, 0));
    }

    #[test]
    fn two_low_numbers_in_a_row_begin_again() {
        let flow = run(&[100_000, 100_001, 1, 2, 3]);
        assert_eq!((flow.resets, flow.last_sequence), (1, 3));
        assert_eq!(run(&[100_000, 100_001, 7, 100_002]).resets, 0);
    }
}
