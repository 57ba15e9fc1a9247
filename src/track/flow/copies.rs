//! What a packet is to those before it: new, the same recorded twice, or the same in another capture.

use std::time::Duration;

use crate::base::Timestamp;
use crate::track::facts::{Follows, Latest};

use super::sequence::{WINDOW, Window};
use super::{FlowPacket, FlowRow, Rare};

/// Packets remembered to tell a packet recorded twice from one sent twice.
pub(super) const RECENT: usize = 8;
/// Copies of one packet that a capture records lie closer together than this.
pub(in crate::track) const RECORDED_TWICE: Duration = Duration::from_millis(10);
/// Or, where every packet is recorded twice, within this time: a router may hold one back.
const HELD_BACK: Duration = Duration::from_secs(1);
/// Another capture holds the same packet or message within this time: it may have been taken far away, with another clock.
pub const UNDERWAY: Duration = Duration::from_secs(2);

/// One of the last packets, in few octets, because there may be a million flows.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Recent {
    pub(super) sequence: u32,
    /// Length and, above it, IP identification; 0 for none.
    pub(super) mark: u32,
    /// Time since the first packet in units of 2^14 ns, the low bits of it.
    at: u32,
}

/// From one time to the other in units of 2^14 ns, the low bits of it: counted from the flow's beginning, so that it makes no
/// difference what the clock says.
#[inline(always)]
fn units(first: Timestamp, at: Timestamp) -> u32 {
    (at.as_nanos().wrapping_sub(first.as_nanos()) >> 14) as u32
}

/// Of so many packets, of which so many were recorded again, the others: few of them, or the highest number.
pub(super) fn single(packets: u64, recorded_again: u64) -> u8 {
    packets.saturating_sub(recorded_again).min(u8::MAX.into()) as u8
}

/// A time in units of 2^14 ns.
const fn in_units(duration: Duration) -> i32 {
    (duration.as_nanos() >> 14) as i32
}

impl Recent {
    #[inline(always)]
    pub(super) fn of(packet: &FlowPacket, first: Timestamp) -> Self {
        let mark = packet.ip_id.map_or(0, |id| id << 16) | u32::from(packet.short_length());
        Self { sequence: packet.sequence, mark, at: units(first, packet.at) }
    }

    pub(super) fn length(&self) -> u16 {
        self.mark as u16
    }
}

/// A capture that holds packets after another one had them.
#[derive(Debug, Clone)]
pub(super) struct Follower {
    capture: u32,
    /// The highest number in it.
    highest: u32,
    has: Follows,
    seen: Window,
}

impl Rare {
    /// Notes that a capture holds a number; whether it has it for the first time, as far as is remembered.
    fn is_first(&mut self, capture: u32, (number, length): (u32, u32)) -> bool {
        let place = self.followers.iter().position(|follower| follower.capture == capture);
        let place = place.unwrap_or_else(|| {
            let (highest, has, seen) = (number.wrapping_sub(1), Follows::default(), Window::default());
            self.followers.push(Follower { capture, highest, has, seen });
            self.followers.len() - 1
        });
        self.followers[place].is_first((number, length))
    }
}

impl Follower {
    /// Notes a packet; whether this capture has it for the first time, as far as is remembered.
    fn is_first(&mut self, (number, length): (u32, u32)) -> bool {
        let has = &mut self.has;
        let ahead = number.wrapping_sub(self.highest);
        let behind = self.highest.wrapping_sub(number);
        if ahead > 0 && ahead < 1 << 31 {
            self.seen.clear(self.highest.wrapping_add(1), ahead - 1);
            self.highest = number;
            has.lacks = has.lacks.saturating_add(ahead - 1);
            has.widest = has.widest.max(ahead - 1);
        } else if behind >= WINDOW || self.seen.is_marked(number) {
            return false;
        } else {
            has.lacks = has.lacks.saturating_sub(1);
        }
        has.packets += 1;
        has.octets += u64::from(length);
        has.longest = has.longest.max(length);
        self.seen.mark(number);
        true
    }
}

impl FlowRow {
    /// When a packet was last recorded again, and how many there were until then.
    pub(super) fn doubled(&self) -> Option<(Timestamp, u64)> {
        let known = self.recorded_again > 0 && self.recorded_again <= self.packets && self.single < u8::MAX;
        known.then_some((self.again, self.recorded_again + u64::from(self.single)))
    }

    /// What the one capture has that has packets after another one.
    pub(super) fn of_follower(&self) -> Option<Follows> {
        match self.rare.as_ref()?.followers.as_slice() {
            [follower] => Some(follower.has),
            _ => None,
        }
    }

    /// The last few packets, if there were as many as are remembered.
    pub(super) fn latest(&self) -> Option<Latest> {
        let last = units(self.first, self.last);
        let ago = |packet: &Recent| last.wrapping_sub(packet.at);
        let longest =
            self.recent.iter().all(|packet| packet.mark != 0).then(|| self.recent.iter().map(ago).max())??;
        let since = self.last.before(i64::from(longest) << 14);
        Some(Latest { lengths: self.recent.map(|packet| packet.length()), since })
    }

    #[inline]
    pub(super) fn remember(&mut self, packet: Recent) {
        self.recent[usize::from(self.next_recent) % RECENT] = packet;
        self.lengths.note(packet.length());
        self.next_recent = self.next_recent.wrapping_add(1);
    }

    /// Whether the captures hold this packet already. One with a number higher than all before is new, unless the numbers
    /// began again in between; and nothing is recorded twice long after the last packet.
    #[inline(always)]
    pub(super) fn recorded_before(&mut self, at: Timestamp, capture: u32, packet: Recent) -> bool {
        let ahead = packet.sequence.wrapping_sub(self.last_sequence);
        if (ahead != 0 && ahead < 1 << 31 && !self.was_reset) || at.since(self.last) >= UNDERWAY {
            return false;
        }
        self.remembers(capture, packet)
    }

    #[inline(never)]
    fn remembers(&mut self, capture: u32, packet: Recent) -> bool {
        if capture != self.last_frame.capture {
            return self.follows(capture, packet);
        }
        // a capture at two places has nearly all packets twice, each time with the same identification
        let all = self.packets.saturating_mul(9)..=self.packets.saturating_mul(11);
        let all_twice = self.recorded_again > 4 && all.contains(&self.recorded_again.saturating_mul(10));
        let longest = if all_twice && packet.mark >> 16 != 0 { HELD_BACK } else { RECORDED_TWICE };
        self.recent.iter().any(|recent| {
            let gap = packet.at.wrapping_sub(recent.at) as i32;
            (recent.sequence, recent.mark) == (packet.sequence, packet.mark) && gap < in_units(longest)
        })
    }

    /// Whether a packet is one that another capture had before, and that this one has for the first time.
    #[inline(never)]
    fn follows(&mut self, capture: u32, packet: Recent) -> bool {
        let behind = self.last_sequence.wrapping_sub(packet.sequence);
        let another =
            |known: &Recent| known.mark != 0 && known.sequence == packet.sequence && known.mark != packet.mark;
        let missed = behind < WINDOW && !self.seen.is_marked(packet.sequence);
        if behind >= 1 << 31 || missed || self.recent.iter().any(another) {
            return false;
        }
        self.rare.get_or_insert_default().is_first(capture, (packet.sequence, packet.length().into()))
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{open, packet};
    use super::*;
    use crate::base::FrameRef;

    #[test]
    fn a_packet_recorded_twice_is_counted_once() {
        let mut row = open(&packet(9, 0, 77));
        row.count(&packet(9, 1, 77));
        row.count(&packet(9, 2, 78));
        let flow = row.facts();
        assert_eq!((flow.packets, flow.recorded_again, flow.duplicates), (2, 1, 1));
    }

    /// The second capture has all packets 150 ms later, and one of them twice: that one came twice there.
    #[test]
    fn a_packet_in_two_captures_is_counted_once_however_long_it_was_underway() {
        let there = |sequence, at_ms, capture| {
            let frame = FrameRef::new(capture, 1);
            FlowPacket { frame, ..packet(sequence, at_ms, sequence) }
        };
        let mut packets: Vec<_> = (1..=100).map(|number| there(number, i64::from(number) * 5, 0)).collect();
        packets.extend((1..=100).map(|number| there(number, i64::from(number) * 5 + 150, 1)));
        packets.push(there(60, 455, 1));
        packets.sort_by_key(|packet| packet.at);
        let mut row = open(&packets[0]);
        packets[1..].iter().for_each(|packet| row.count(packet));
        let flow = row.facts();
        assert_eq!((flow.packets, flow.recorded_again, flow.duplicates, flow.lost), (101, 100, 1, 0));
    }

    /// Times may be as far back as the type goes, and run backwards there.
    #[test]
    fn the_latest_packets_are_told_at_the_ends_of_time() {
        for end in [i64::MIN, i64::MAX - 1_000_000_000] {
            let there =
                |nanos, number| FlowPacket { at: Timestamp::from_nanos(end + nanos), ..packet(number, 0, number) };
            let mut row = open(&there(1_000_000_000, 1));
            (2..=8).for_each(|number| row.count(&there(i64::from(number % 2), number)));
            assert!(row.facts().latest.is_some());
        }
    }
}
