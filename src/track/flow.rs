//! ESP and AH by direction and SPI: counts, and the sequence numbers' story.

use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::mem::offset_of;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{EspSpi, FrameRef, Timestamp};
use crate::packet::{AhPacket, Body, Datagram, Encapsulation, EspPacket};

use super::Tracker;
use super::facts::{EspFlow, FlowProtocol, Pair};
use super::pairs::NONE;

impl Tracker {
    /// A packet of ESP or AH.
    #[inline]
    pub(super) fn observe_flow(&mut self, datagram: &Datagram<'_>, packet: &Sequenced) {
        let key = FlowKey::of(datagram, packet);
        if let Some(known) = self.flow_index.find(&self.pairs.flows, &key) {
            if let Some(row) = self.pairs.flows.get_mut(known) {
                row.count(datagram, packet);
            }
        } else if let Some(pair) = self.pair_of(datagram) {
            self.place_flow(FlowRow::open(datagram, packet, pair as u32));
        }
    }

    /// An ESP packet will be observed soon. Changes nothing; what is known of its flow is fetched, which takes long where
    /// there are many, and no longer for several that are asked for one after the other.
    #[inline]
    pub fn expect(&mut self, datagram: &Datagram<'_>) {
        if self.pairs.flows.len() < MANY_FLOWS {
            return;
        }
        let Body::Esp(esp) = &datagram.body else { return };
        let key = FlowKey::of(datagram, &Sequenced::from(esp));
        if let Some(known) = self.flow_index.find(&self.pairs.flows, &key)
            && let Some(row) = self.pairs.flows.get(known)
        {
            row.fetch();
        }
    }
}

/// With fewer flows what is known of each is near anyway.
const MANY_FLOWS: usize = 4096;
/// Numbers behind the highest one that are remembered one by one.
const WINDOW: u32 = 256;
/// A number further behind than this is not late: the sender may have begun again.
const FAR_BEHIND: u32 = 4096;
/// Packets remembered to tell a packet recorded twice from one sent twice.
const RECENT: usize = 8;
/// Copies of one packet that a capture records lie closer together than this.
const RECORDED_TWICE: Duration = Duration::from_millis(10);
const RECORDED_TWICE_UNITS: i32 = (RECORDED_TWICE.as_nanos() >> 14) as i32;

/// One of the last packets, in few octets, because there may be a million flows.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    sequence: u32,
    /// Length and IP identification, mixed; 0 for none.
    mark: u32,
    /// Time in units of 2^14 ns, the low bits of it.
    at: u32,
}

impl Recent {
    fn of(datagram: &Datagram<'_>, packet: &Sequenced) -> Self {
        let ip_id = datagram.ip_id.map_or(0, |id| id.wrapping_add(1));
        let mark = packet.length.wrapping_mul(0x9e37_79b1) ^ ip_id.wrapping_mul(0x85eb_ca6b).rotate_left(16);
        Self { sequence: packet.sequence, mark: mark | 1, at: (datagram.at.as_nanos() >> 14) as u32 }
    }
}

/// A flow in the table of all flows, with its place in the list of its pair's.
///
/// In the order in which it is needed: there may be a million flows whose packets come in turns, and then every cache line
/// that a packet touches is waited for. What can be told from the rest is not counted but derived, in [`FlowRow::facts`].
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct FlowRow {
    source: IpAddr,
    destination: IpAddr,
    protocol: FlowProtocol,
    encapsulation: Encapsulation,
    next_recent: u8,
    /// The last packet was one recorded again: see `again`.
    again_last: bool,
    /// `resets` is not zero.
    was_reset: bool,
    /// `restart` is something.
    restarts: bool,
    spi: EspSpi,
    shortest: u32,
    packets: u64,
    octets: u64,
    /// Numbers seen, from the highest one downwards.
    seen: [u64; (WINDOW / 64) as usize],
    last: Timestamp,
    last_frame: FrameRef,
    last_sequence: u32,
    longest: u32,
    recent: [Recent; RECENT],
    /// Packets to or from UDP 4500.
    pub(super) on_4500: u64,
    /// Lowest number accounted for.
    base: u32,
    restart: Option<u32>,
    resets: u32,
    /// Its pair, and, with `next` and `previous`, its neighbours in the order of first packets.
    pub(super) pair: u32,
    /// See `pair`.
    pub(super) next: u32,
    first: Timestamp,
    first_frame: FrameRef,
    first_sequence: u32,
    /// See `pair`.
    pub(super) previous: u32,
    /// Lost before the numbers began again.
    lost_before: u64,
    /// Packets before the numbers began again, but for duplicates.
    unique_before: u64,
    reordered: u64,
    duplicates: u64,
    recorded_again: u64,
    fragmented: u64,
    readable: u64,
    /// The latest time of a packet recorded again, and the frame of the last one.
    again: (Timestamp, FrameRef),
}

const _: () = assert!(size_of::<FlowRow>() <= 6 * 64);
const _: () = assert!(offset_of!(FlowRow, seen) == 64 && offset_of!(FlowRow, recent) == 128);

/// What tells flows apart. Addresses are referred to, and compared where they stand: to copy them costs more.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlowKey<'a> {
    pub(super) source: &'a IpAddr,
    pub(super) destination: &'a IpAddr,
    pub(super) spi: EspSpi,
    pub(super) protocol: FlowProtocol,
    pub(super) encapsulation: Encapsulation,
}

impl<'a> FlowKey<'a> {
    #[inline(always)]
    fn of(datagram: &'a Datagram<'_>, packet: &Sequenced) -> Self {
        Self {
            source: &datagram.source,
            destination: &datagram.destination,
            spi: packet.spi,
            protocol: packet.protocol,
            encapsulation: packet.encapsulation,
        }
    }
}

impl Hash for FlowKey<'_> {
    /// In as few steps as it takes; what is alike in this is told apart by comparing.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        match (self.source, self.destination) {
            (IpAddr::V4(source), IpAddr::V4(destination)) => {
                state.write_u64(u64::from(source.to_bits()) << 32 | u64::from(destination.to_bits()));
            }
            (source, destination) => {
                for address in [source, destination] {
                    state.write_u128(match address {
                        IpAddr::V4(address) => u128::from(address.to_bits()),
                        IpAddr::V6(address) => address.to_bits(),
                    });
                }
            }
        }
        let kind = u64::from(self.protocol as u8) << 8 | u64::from(self.encapsulation as u8);
        state.write_u64(u64::from(self.spi.0) << 16 | kind);
    }
}

#[inline(always)]
fn same(one: &IpAddr, other: &IpAddr) -> bool {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => one.to_bits() == other.to_bits(),
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() == other.to_bits(),
        _ => false,
    }
}

impl FlowRow {
    /// A flow with its first packet.
    pub(super) fn open(datagram: &Datagram<'_>, packet: &Sequenced, pair: u32) -> Self {
        let mut row = Self {
            source: datagram.source,
            destination: datagram.destination,
            protocol: packet.protocol,
            encapsulation: packet.encapsulation,
            next_recent: 0,
            again_last: false,
            was_reset: false,
            restarts: false,
            spi: packet.spi,
            pair,
            packets: 1,
            octets: u64::from(packet.length),
            seen: [0; (WINDOW / 64) as usize],
            last: datagram.at,
            last_frame: datagram.frame,
            last_sequence: packet.sequence,
            base: packet.sequence,
            shortest: packet.length,
            longest: packet.length,
            restart: None,
            resets: 0,
            on_4500: u64::from(packet.on_4500),
            first: datagram.at,
            first_frame: datagram.frame,
            first_sequence: packet.sequence,
            next: NONE,
            recent: [Recent::default(); RECENT],
            previous: NONE,
            lost_before: 0,
            unique_before: 0,
            reordered: 0,
            duplicates: 0,
            recorded_again: 0,
            fragmented: u64::from(datagram.fragments > 1),
            readable: u64::from(packet.readable),
            again: (datagram.at, datagram.frame),
        };
        row.mark(0);
        row.remember(Recent::of(datagram, packet));
        row
    }

    /// A flow that was made by hand.
    pub(super) fn made(flow: EspFlow, pair: u32) -> Self {
        Self {
            source: flow.source,
            destination: flow.destination,
            protocol: flow.protocol,
            encapsulation: flow.encapsulation,
            next_recent: 0,
            again_last: false,
            was_reset: flow.resets > 0,
            restarts: false,
            spi: flow.spi,
            pair,
            packets: flow.packets,
            octets: flow.octets,
            seen: [0; (WINDOW / 64) as usize],
            last: flow.last,
            last_frame: flow.last_frame,
            last_sequence: flow.last_sequence,
            base: flow.last_sequence,
            shortest: flow.length_range.0,
            longest: flow.length_range.1,
            restart: None,
            resets: flow.resets,
            on_4500: 0,
            first: flow.first,
            first_frame: flow.first_frame,
            first_sequence: flow.first_sequence,
            next: NONE,
            recent: [Recent::default(); RECENT],
            previous: NONE,
            lost_before: flow.lost,
            // As if every number had been seen: what was lost has been said.
            unique_before: flow.packets.wrapping_sub(flow.duplicates).wrapping_sub(1 << 32),
            reordered: flow.reordered,
            duplicates: flow.duplicates,
            recorded_again: flow.recorded_again,
            fragmented: flow.fragmented,
            readable: flow.readable,
            again: (flow.last, flow.last_frame),
        }
    }

    /// One more packet of it.
    #[inline]
    pub(super) fn count(&mut self, datagram: &Datagram<'_>, packet: &Sequenced) {
        if packet.on_4500 {
            self.on_4500 += 1;
        }
        let recent = Recent::of(datagram, packet);
        if self.recorded_before(datagram.at, recent) {
            self.recorded_again += 1;
            self.again = (self.again.0.max(datagram.at), datagram.frame);
            self.again_last = true;
            return;
        }
        self.again_last = false;
        self.remember(recent);
        self.octets += u64::from(packet.length);
        if datagram.fragments > 1 {
            self.fragmented += 1;
        }
        if packet.readable {
            self.readable += 1;
        }
        self.shortest = self.shortest.min(packet.length);
        self.longest = self.longest.max(packet.length);
        self.last = self.last.max(datagram.at);
        self.last_frame = datagram.frame;
        self.place(packet.sequence);
        self.packets += 1;
    }

    /// Touches the cache lines that one more packet needs.
    #[inline(always)]
    fn fetch(&self) {
        black_box(self.last_sequence ^ self.recent[usize::from(self.next_recent) % RECENT].sequence);
    }

    /// Whether this is its key.
    #[inline(always)]
    pub(super) fn is(&self, key: &FlowKey<'_>) -> bool {
        self.spi == key.spi
            && same(&self.source, key.source)
            && same(&self.destination, key.destination)
            && self.protocol == key.protocol
            && self.encapsulation == key.encapsulation
    }

    /// What it is found by.
    #[inline]
    pub(super) fn key(&self) -> FlowKey<'_> {
        let Self { source, destination, spi, protocol, encapsulation, .. } = self;
        FlowKey { source, destination, spi: *spi, protocol: *protocol, encapsulation: *encapsulation }
    }

    /// Packets so far, as recorded.
    pub(super) fn packets(&self) -> u64 {
        self.packets + self.recorded_again
    }

    /// The time of the last packet, those recorded again included.
    pub(super) fn seen_last(&self) -> Timestamp {
        self.last.max(self.again.0)
    }

    /// Whether it goes from `a` to `b` of its pair.
    pub(super) fn is_from_a(&self, pair: &Pair) -> bool {
        pair.is_from_a(self.source, self.destination)
    }

    /// The frame of the last packet, those recorded again included.
    pub(super) fn last_frame(&self) -> FrameRef {
        if self.again_last { self.again.1 } else { self.last_frame }
    }

    /// When and in which frame it begins.
    pub(super) fn begins(&self) -> (Timestamp, FrameRef) {
        (self.first, self.first_frame)
    }

    /// The flow as a fact.
    pub(super) fn facts(&self) -> EspFlow {
        EspFlow {
            source: self.source,
            destination: self.destination,
            spi: self.spi,
            protocol: self.protocol,
            encapsulation: self.encapsulation,
            packets: self.packets,
            octets: self.octets,
            first_sequence: self.first_sequence,
            last_sequence: self.last_sequence,
            lost: self.lost(),
            reordered: self.reordered,
            duplicates: self.duplicates,
            recorded_again: self.recorded_again,
            resets: self.resets,
            length_range: (self.shortest, self.longest),
            first: self.first,
            last: self.last,
            first_frame: self.first_frame,
            last_frame: self.last_frame,
            fragmented: self.fragmented,
            readable: self.readable,
        }
    }

    /// Files a sequence number: ahead (serial arithmetic, so that 2^32 wraps), late, seen before, or begun again.
    #[inline]
    fn place(&mut self, sequence: u32) {
        let ahead = sequence.wrapping_sub(self.last_sequence);
        if ahead == 0 || ahead >= 1 << 31 {
            return self.place_behind(sequence);
        }
        if self.restarts {
            self.restart_with(None);
        }
        self.shift(ahead);
        self.mark(0);
        self.last_sequence = sequence;
    }

    #[cold]
    fn place_behind(&mut self, sequence: u32) {
        let behind = self.last_sequence.wrapping_sub(sequence);
        if behind > FAR_BEHIND && self.begins_again(sequence) {
            self.begin_again(sequence);
        } else if behind < WINDOW {
            if self.is_marked(behind) {
                self.duplicates += 1;
            } else {
                self.mark(behind);
                self.reordered += 1;
                self.lower_base(sequence);
            }
        } else if self.lost() > 0 || self.last_sequence.wrapping_sub(self.base) < behind {
            self.reordered += 1;
            self.lower_base(sequence);
        } else {
            self.duplicates += 1;
        }
    }

    /// Packets with a number of their own since the numbers last began.
    fn unique(&self) -> u64 {
        self.packets.wrapping_sub(self.duplicates).wrapping_sub(self.unique_before)
    }

    fn lost(&self) -> u64 {
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
        let follows = self.restart.is_some_and(|last| sequence.wrapping_sub(last).wrapping_sub(1) < 16);
        self.restart_with(Some(sequence));
        follows
    }

    fn restart_with(&mut self, sequence: Option<u32>) {
        self.restart = sequence;
        self.restarts = sequence.is_some();
    }

    /// The packet that is being counted is the first one of the new numbers.
    fn begin_again(&mut self, sequence: u32) {
        self.lost_before = self.lost();
        self.unique_before = self.packets.wrapping_sub(self.duplicates);
        self.resets += 1;
        self.was_reset = true;
        self.last_sequence = sequence;
        self.base = sequence;
        self.seen = [0; (WINDOW / 64) as usize];
        self.mark(0);
        self.restart_with(None);
    }

    /// Moves the window up by `ahead` numbers. Bit 0 of word 0 stands for the highest number.
    #[inline]
    fn shift(&mut self, ahead: u32) {
        if ahead == 1 {
            let mut carried = 0;
            for word in &mut self.seen {
                (carried, *word) = (*word >> 63, *word << 1 | carried);
            }
        } else {
            self.shift_far(ahead);
        }
    }

    fn shift_far(&mut self, ahead: u32) {
        if ahead >= WINDOW {
            self.seen = [0; (WINDOW / 64) as usize];
            return;
        }
        let (words, bits) = ((ahead / 64) as usize, ahead % 64);
        for index in (0..self.seen.len()).rev() {
            let from = |offset: usize| index.checked_sub(offset).map_or(0, |source| self.seen[source]);
            self.seen[index] =
                if bits == 0 { from(words) } else { from(words) << bits | from(words + 1) >> (64 - bits) };
        }
    }

    #[inline]
    fn mark(&mut self, behind: u32) {
        if let Some(word) = self.seen.get_mut((behind / 64) as usize) {
            *word |= 1 << (behind % 64);
        }
    }

    fn is_marked(&self, behind: u32) -> bool {
        self.seen.get((behind / 64) as usize).is_some_and(|word| word & (1 << (behind % 64)) != 0)
    }

    #[inline]
    fn remember(&mut self, packet: Recent) {
        self.recent[usize::from(self.next_recent) % RECENT] = packet;
        self.next_recent = self.next_recent.wrapping_add(1);
    }

    /// Whether the capture holds this packet already. One with a number higher than all before is new, unless the numbers
    /// began again in between; and nothing is recorded twice after more than a moment without a packet.
    #[inline]
    fn recorded_before(&self, at: Timestamp, packet: Recent) -> bool {
        let ahead = packet.sequence.wrapping_sub(self.last_sequence);
        if (ahead != 0 && ahead < 1 << 31 && !self.was_reset) || at.since(self.last) >= RECORDED_TWICE {
            return false;
        }
        self.recent.iter().any(|recent| {
            let gap = packet.at.wrapping_sub(recent.at) as i32;
            (recent.sequence, recent.mark) == (packet.sequence, packet.mark) && gap < RECORDED_TWICE_UNITS
        })
    }
}

/// The clear part that ESP and AH share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sequenced {
    pub(super) spi: crate::base::EspSpi,
    pub(super) sequence: u32,
    pub(super) length: u32,
    pub(super) protocol: FlowProtocol,
    pub(super) encapsulation: Encapsulation,
    pub(super) readable: bool,
    pub(super) on_4500: bool,
}

impl From<&EspPacket> for Sequenced {
    #[inline(always)]
    fn from(esp: &EspPacket) -> Self {
        Self {
            spi: esp.spi,
            sequence: esp.sequence,
            length: esp.length,
            protocol: FlowProtocol::Esp,
            encapsulation: esp.encapsulation,
            readable: esp.readable,
            on_4500: esp.source_port == 4500 || esp.destination_port == 4500,
        }
    }
}

impl From<&AhPacket> for Sequenced {
    fn from(ah: &AhPacket) -> Self {
        Self {
            spi: ah.spi,
            sequence: ah.sequence,
            length: ah.length,
            protocol: FlowProtocol::Ah,
            encapsulation: Encapsulation::None,
            readable: false,
            on_4500: false,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    fn datagram(at_ms: i64, ip_id: u32) -> Datagram<'static> {
        Datagram {
            frame: FrameRef::new(0, 1),
            first_frame: FrameRef::new(0, 1),
            at: Timestamp::from_nanos(at_ms * 1_000_000),
            interface: 0,
            source: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
            destination: IpAddr::V4(Ipv4Addr::new(192, 0, 2, 2)),
            ip_id: Some(ip_id),
            ttl: 64,
            fragments: 1,
            ambiguous_overlap: false,
            missing: 0,
            body: Body::Keepalive { source_port: 0, destination_port: 0 },
        }
    }

    fn run(sequences: &[u32]) -> EspFlow {
        let packet = |sequence| Sequenced {
            spi: EspSpi(0xc0ff_ee00),
            sequence,
            length: 120,
            protocol: FlowProtocol::Esp,
            encapsulation: Encapsulation::None,
            readable: false,
            on_4500: false,
        };
        let mut row = FlowRow::open(&datagram(0, 0), &packet(sequences[0]), 0);
        for (index, &sequence) in sequences.iter().enumerate().skip(1) {
            row.count(&datagram(index as i64 * 100, index as u32), &packet(sequence));
        }
        row.facts()
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

    #[test]
    fn a_packet_recorded_twice_is_counted_once() {
        let packet = Sequenced {
            spi: EspSpi(1),
            sequence: 9,
            length: 120,
            protocol: FlowProtocol::Esp,
            encapsulation: Encapsulation::None,
            readable: false,
            on_4500: false,
        };
        let mut row = FlowRow::open(&datagram(0, 77), &packet, 0);
        row.count(&datagram(1, 77), &packet);
        row.count(&datagram(2, 78), &packet);
        let flow = row.facts();
        assert_eq!((flow.packets, flow.recorded_again, flow.duplicates), (2, 1, 1));
    }
}
