//! ESP and AH by direction and SPI: counts, and the sequence numbers' story.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::{EspSpi, FrameRef, Timestamp};
use crate::packet::{AhPacket, Datagram, Encapsulation, EspPacket};

use super::facts::{EspFlow, FlowProtocol};
use super::pairs::NONE;

/// Numbers behind the highest one that are remembered one by one.
const WINDOW: u32 = 256;
/// A number further behind than this is not late: the sender may have begun again.
const FAR_BEHIND: u32 = 4096;
/// Packets remembered to tell a packet recorded twice from one sent twice.
const RECENT: usize = 8;
/// Copies of one packet that a capture records lie closer together than this.
const RECORDED_TWICE: Duration = Duration::from_millis(10);
const RECORDED_TWICE_UNITS: i32 = (RECORDED_TWICE.as_nanos() >> 14) as i32;

/// What is remembered of a flow besides its counts.
#[derive(Debug, Clone)]
struct FlowState {
    seen: [u64; (WINDOW / 64) as usize],
    unique: u64,
    base: u32,
    lost_before: u64,
    restart: Option<u32>,
    recent: [Recent; RECENT],
    next_recent: u8,
}

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
#[derive(Debug, Clone)]
pub(super) struct FlowRow {
    flow: EspFlow,
    state: FlowState,
    /// Packets to or from UDP 4500.
    pub(super) on_4500: u64,
    /// The last packet, those recorded again included: when, and in which frame.
    pub(super) seen_last: Timestamp,
    last_frame: FrameRef,
    /// Its pair, and its neighbours in the order of first packets.
    pub(super) pair: u32,
    /// See `pair`.
    pub(super) next: u32,
    /// See `pair`.
    pub(super) previous: u32,
}

/// What tells flows apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FlowKey {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) spi: EspSpi,
    pub(super) protocol: FlowProtocol,
    pub(super) encapsulation: Encapsulation,
}

impl FlowRow {
    /// A flow with its first packet.
    pub(super) fn open(datagram: &Datagram<'_>, packet: &Sequenced, pair: u32) -> Self {
        let (flow, state) = open(datagram, packet);
        Self {
            flow,
            state,
            on_4500: u64::from(packet.on_4500),
            seen_last: datagram.at,
            last_frame: datagram.frame,
            pair,
            next: NONE,
            previous: NONE,
        }
    }

    /// A flow that was made by hand.
    pub(super) fn made(flow: EspFlow, pair: u32) -> Self {
        let state = FlowState { lost_before: flow.lost, unique: u64::MAX, ..FlowState::new(flow.last_sequence) };
        let (seen_last, last_frame) = (flow.last, flow.last_frame);
        Self { flow, state, on_4500: 0, seen_last, last_frame, pair, next: NONE, previous: NONE }
    }

    /// One more packet of it.
    pub(super) fn count(&mut self, datagram: &Datagram<'_>, packet: &Sequenced) {
        self.on_4500 += u64::from(packet.on_4500);
        self.seen_last = self.seen_last.max(datagram.at);
        self.last_frame = datagram.frame;
        count(&mut self.flow, &mut self.state, datagram, packet);
    }

    /// What it is found by.
    pub(super) fn key(&self) -> FlowKey {
        let EspFlow { source, destination, spi, protocol, encapsulation, .. } = self.flow;
        FlowKey { source, destination, spi, protocol, encapsulation }
    }

    /// Packets so far, as recorded.
    pub(super) fn packets(&self) -> u64 {
        self.flow.packets + self.flow.recorded_again
    }

    /// The frame of the last packet, those recorded again included.
    pub(super) fn last_frame(&self) -> FrameRef {
        self.last_frame
    }

    /// When and in which frame it begins.
    pub(super) fn begins(&self) -> (Timestamp, FrameRef) {
        (self.flow.first, self.flow.first_frame)
    }

    /// The flow as a fact.
    pub(super) fn facts(&self) -> EspFlow {
        EspFlow { lost: self.state.lost(&self.flow), ..self.flow.clone() }
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

/// Opens a flow with its first packet.
fn open(datagram: &Datagram<'_>, packet: &Sequenced) -> (EspFlow, FlowState) {
    let mut state = FlowState::new(packet.sequence);
    state.mark(0);
    state.remember(Recent::of(datagram, packet));
    let flow = EspFlow {
        source: datagram.source,
        destination: datagram.destination,
        spi: packet.spi,
        protocol: packet.protocol,
        encapsulation: packet.encapsulation,
        packets: 1,
        octets: u64::from(packet.length),
        first_sequence: packet.sequence,
        last_sequence: packet.sequence,
        lost: 0,
        reordered: 0,
        duplicates: 0,
        recorded_again: 0,
        resets: 0,
        length_range: (packet.length, packet.length),
        first: datagram.at,
        last: datagram.at,
        first_frame: datagram.frame,
        last_frame: datagram.frame,
        fragmented: u64::from(datagram.fragments > 1),
        readable: u64::from(packet.readable),
    };
    (flow, state)
}

/// Counts one more packet of an open flow.
fn count(flow: &mut EspFlow, state: &mut FlowState, datagram: &Datagram<'_>, packet: &Sequenced) {
    let recent = Recent::of(datagram, packet);
    if state.recorded_before(flow, datagram.at, recent) {
        flow.recorded_again += 1;
        return;
    }
    state.remember(recent);
    flow.packets += 1;
    flow.octets += u64::from(packet.length);
    flow.fragmented += u64::from(datagram.fragments > 1);
    flow.readable += u64::from(packet.readable);
    flow.length_range = (flow.length_range.0.min(packet.length), flow.length_range.1.max(packet.length));
    flow.last = flow.last.max(datagram.at);
    flow.last_frame = datagram.frame;
    state.place(flow, packet.sequence);
}

impl FlowState {
    fn new(sequence: u32) -> Self {
        Self {
            seen: [0; (WINDOW / 64) as usize],
            unique: 1,
            base: sequence,
            lost_before: 0,
            restart: None,
            recent: [Recent::default(); RECENT],
            next_recent: 0,
        }
    }

    /// Files a sequence number: ahead (serial arithmetic, so that 2^32 wraps), late, seen before, or begun again.
    fn place(&mut self, flow: &mut EspFlow, sequence: u32) {
        let ahead = sequence.wrapping_sub(flow.last_sequence);
        if ahead != 0 && ahead < 1 << 31 {
            self.restart = None;
            self.shift(ahead);
            self.mark(0);
            flow.last_sequence = sequence;
            self.unique += 1;
        } else {
            let behind = flow.last_sequence.wrapping_sub(sequence);
            if behind > FAR_BEHIND && self.begins_again(sequence) {
                self.begin_again(flow, sequence);
            } else if behind < WINDOW {
                if self.is_marked(behind) {
                    flow.duplicates += 1;
                } else {
                    self.mark(behind);
                    self.unique += 1;
                    flow.reordered += 1;
                    self.lower_base(flow, sequence);
                }
            } else if self.lost(flow) > 0 || flow.last_sequence.wrapping_sub(self.base) < behind {
                self.unique += 1;
                flow.reordered += 1;
                self.lower_base(flow, sequence);
            } else {
                flow.duplicates += 1;
            }
        }
    }

    fn lost(&self, flow: &EspFlow) -> u64 {
        let span = u64::from(flow.last_sequence.wrapping_sub(self.base)) + 1;
        self.lost_before.saturating_add(span.saturating_sub(self.unique))
    }

    /// A packet from before the first one seen widens the span that is accounted for.
    fn lower_base(&mut self, flow: &EspFlow, sequence: u32) {
        let behind = flow.last_sequence.wrapping_sub(sequence);
        if behind > flow.last_sequence.wrapping_sub(self.base) && behind < FAR_BEHIND {
            self.base = sequence;
        }
    }

    /// Two low numbers in a row, far behind: the sender counts anew. One alone may be a stray.
    fn begins_again(&mut self, sequence: u32) -> bool {
        let follows = self.restart.is_some_and(|last| sequence.wrapping_sub(last).wrapping_sub(1) < 16);
        self.restart = Some(sequence);
        follows
    }

    fn begin_again(&mut self, flow: &mut EspFlow, sequence: u32) {
        self.lost_before = self.lost(flow);
        flow.resets += 1;
        flow.last_sequence = sequence;
        self.base = sequence;
        self.unique = 1;
        self.seen = [0; (WINDOW / 64) as usize];
        self.mark(0);
        self.restart = None;
    }

    /// Moves the window up by `ahead` numbers. Bit 0 of word 0 stands for the highest number.
    fn shift(&mut self, ahead: u32) {
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

    fn mark(&mut self, behind: u32) {
        if let Some(word) = self.seen.get_mut((behind / 64) as usize) {
            *word |= 1 << (behind % 64);
        }
    }

    fn is_marked(&self, behind: u32) -> bool {
        self.seen.get((behind / 64) as usize).is_some_and(|word| word & (1 << (behind % 64)) != 0)
    }

    fn remember(&mut self, packet: Recent) {
        self.recent[usize::from(self.next_recent) % RECENT] = packet;
        self.next_recent = self.next_recent.wrapping_add(1);
    }

    /// Whether the capture holds this packet already. One with a number higher than all before is new, unless the numbers
    /// began again in between; and nothing is recorded twice after more than a moment without a packet.
    fn recorded_before(&self, flow: &EspFlow, at: Timestamp, packet: Recent) -> bool {
        let ahead = packet.sequence.wrapping_sub(flow.last_sequence);
        if (ahead != 0 && ahead < 1 << 31 && flow.resets == 0) || at.since(flow.last) >= RECORDED_TWICE {
            return false;
        }
        self.recent.iter().any(|recent| {
            let gap = packet.at.wrapping_sub(recent.at) as i32;
            (recent.sequence, recent.mark) == (packet.sequence, packet.mark) && gap < RECORDED_TWICE_UNITS
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::packet::Body;

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
