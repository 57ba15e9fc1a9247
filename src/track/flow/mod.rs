//! ESP and AH by direction and SPI.
//!
//! | file | what |
//! |---|---|
//! | `key` | what tells flows apart |
//! | `packet` | a packet as its flow counts it |
//! | `copies` | what a packet is to those before it: new, the same recorded twice, or the same in another capture |
//! | `sequence` | the sequence numbers' story: ahead, late, lost, seen before, begun again |

mod copies;
mod key;
mod packet;
mod sequence;

use std::hint::black_box;
use std::mem::offset_of;

pub(super) use copies::RECORDED_TWICE;
pub use copies::UNDERWAY;
pub(super) use key::FlowKey;
pub(super) use packet::FlowPacket;

use crate::base::{FrameRef, Timestamp};
use crate::packet::{Encapsulation, SeenEsp};

use super::Tracker;
use super::facts::{EspFlow, Lengths, Pair, PortChange};
use super::store::slot::NONE;

use copies::{Follower, RECENT, Recent, single};
use key::Family;
use sequence::Window;

/// Where the flow of a packet is, as long as no flow is forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Expected {
    place: u32,
    /// Flows forgotten so far.
    forgotten: u64,
}

impl Expected {
    /// Not known.
    pub const NOWHERE: Self = Self { place: u32::MAX, forgotten: 0 };
}

impl Tracker {
    /// A packet of ESP or AH.
    pub(super) fn observe_flow(&mut self, key: &FlowKey, packet: &FlowPacket) {
        if let Some((place, _)) = self.flow_index.find(&self.pairs.flows, key) {
            if let Some(row) = self.pairs.flows.get_mut(place) {
                row.count(packet);
            }
            return;
        }
        let (source, destination) = key.ends();
        if let Some(pair) = self.pair_between(source, destination, packet.at, packet.frame) {
            self.place_flow(FlowRow::open(*key, packet, pair as u32));
        }
    }

    /// An ESP packet will be observed soon. Changes nothing; what is known of its flow is fetched, which takes long where
    /// there are many, and no longer for several that are asked for one after the other.
    #[inline(always)]
    pub fn expect(&mut self, esp: &SeenEsp) -> Expected {
        let Some((place, row)) = self.flow_index.find(&self.pairs.flows, &FlowKey::of_esp(esp)) else {
            return Expected::NOWHERE;
        };
        row.fetch();
        Expected { place: place as u32, forgotten: self.facts.forgotten.flows }
    }

    /// What [`Tracker::advance`] and then [`Tracker::observe`] do, for an ESP packet that was expected.
    #[inline(always)]
    pub fn observe_esp(&mut self, esp: &SeenEsp, expected: Expected, (frame, at): (FrameRef, Timestamp)) {
        self.advance(at);
        match self.pairs.flows.get_mut(expected.place as usize) {
            // one more packet takes no more room than there was
            Some(row) if expected.forgotten == self.facts.forgotten.flows && !self.unproven.is_waiting() => {
                row.count(&FlowPacket::of_esp(esp, frame, at));
            }
            _ => self.observe_unexpected(esp, frame, at),
        }
    }

    #[inline(never)]
    fn observe_unexpected(&mut self, esp: &SeenEsp, frame: FrameRef, at: Timestamp) {
        if self.only_naming {
            return;
        }
        self.observe_flow(&FlowKey::of_esp(esp), &FlowPacket::of_esp(esp, frame, at));
        self.settle_if_due(None);
    }
}

/// A flow in the table of all flows, with its place in the list of its pair's.
///
/// In the order in which it is needed: there may be a million flows whose packets come in turns, and then every cache line
/// that a packet touches is waited for. What can be told from the rest is not counted but derived, in [`FlowRow::facts`].
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub(super) struct FlowRow {
    key: FlowKey,
    packets: u64,
    octets: u64,
    last_sequence: u32,
    next_recent: u8,
    /// The last packet was one recorded again: see `again`.
    again_last: bool,
    /// `resets` is not zero.
    was_reset: bool,
    /// `restart` counts.
    restarts: bool,
    last: Timestamp,
    last_frame: FrameRef,
    shortest: u16,
    longest: u16,
    /// See [`FlowPacket`].
    ports: (u16, u16),
    seen: Window,
    recent: [Recent; RECENT],
    lengths: Lengths,
    /// Packets between ports of which none is 4500.
    off_4500: u64,
    /// Lowest number accounted for.
    base: u32,
    /// The latest number of those that may have begun again.
    restart: u32,
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
    reordered: u32,
    duplicates: u32,
    recorded_again: u64,
    fragmented: u32,
    readable: u32,
    /// Of `reordered`, those that came more than `sequence::DEEP` behind the highest number.
    deep: u32,
    /// Of `duplicates`, those that are another packet than the one that had the number before.
    changed: u32,
    /// Most numbers that were missing in a row when a higher one came.
    widest: u32,
    resets: u16,
    /// Numbers that had come before and that came in a row, from a low one on.
    run: u8,
    /// Packets that were not recorded again while others were, or the highest number for more.
    single: u8,
    /// The latest time of a packet recorded again.
    again: Timestamp,
    /// The frame of the last one, in two words so that nothing is left between them.
    again_frame: u64,
    /// See `again_frame`.
    again_capture: u32,
    /// Of `duplicates`, those that look like the packet that had the number shortly before.
    copied: u32,
    /// In a box of its own, because few flows have it.
    rare: Option<Box<Rare>>,
}

const _: () = assert!(size_of::<FlowRow>() <= 6 * 64);
const _: () = assert!(offset_of!(FlowRow, last) == 64 && offset_of!(FlowRow, recent) == 128);

/// What few flows have.
#[derive(Debug, Clone, Default)]
struct Rare {
    /// The captures that hold packets after another one had them.
    followers: Vec<Follower>,
    port_change: Option<PortChange>,
    ran_over: Option<(Timestamp, FrameRef)>,
    /// The latest packet between other ports than the flow's.
    stray: Option<Stray>,
}

/// A packet between other ports than those before it.
#[derive(Debug, Clone, Copy)]
struct Stray {
    ports: (u16, u16),
    at: Timestamp,
    frame: FrameRef,
    /// Packets of the flow before it.
    before: u64,
}

impl FlowRow {
    /// A flow with its first packet.
    pub(super) fn open(key: FlowKey, packet: &FlowPacket, pair: u32) -> Self {
        let mut row = Self {
            key,
            next_recent: 0,
            again_last: false,
            was_reset: false,
            restarts: false,
            pair,
            packets: 1,
            octets: u64::from(packet.length),
            seen: Window::default(),
            last: packet.at,
            last_frame: packet.frame,
            last_sequence: packet.sequence,
            base: packet.sequence,
            shortest: packet.short_length(),
            longest: packet.short_length(),
            ports: packet.ports,
            restart: 0,
            resets: 0,
            off_4500: u64::from(packet.is_off_4500()),
            first: packet.at,
            first_frame: packet.frame,
            first_sequence: packet.sequence,
            next: NONE,
            recent: [Recent::default(); RECENT],
            lengths: Lengths::default(),
            previous: NONE,
            lost_before: 0,
            unique_before: 0,
            reordered: 0,
            duplicates: 0,
            recorded_again: 0,
            fragmented: packet.fragmented.into(),
            readable: packet.readable.into(),
            deep: 0,
            changed: 0,
            copied: 0,
            widest: 0,
            run: 0,
            single: 0,
            again: packet.at,
            again_frame: packet.frame.frame,
            again_capture: packet.frame.capture,
            rare: None,
        };
        row.seen.mark(packet.sequence);
        row.remember(Recent::of(packet, packet.at));
        row
    }

    /// A flow that was made by hand.
    pub(super) fn made(flow: EspFlow, pair: u32) -> Self {
        Self {
            key: FlowKey::new((flow.source, flow.destination), flow.spi, flow.protocol, flow.encapsulation),
            next_recent: 0,
            again_last: false,
            was_reset: flow.resets > 0,
            restarts: false,
            pair,
            packets: flow.packets,
            octets: flow.octets,
            seen: Window::default(),
            last: flow.last,
            last_frame: flow.last_frame,
            last_sequence: flow.last_sequence,
            base: flow.last_sequence,
            shortest: flow.length_range.0 as u16,
            longest: flow.length_range.1 as u16,
            ports: flow.ports.unwrap_or_default(),
            restart: 0,
            resets: u16::try_from(flow.resets).unwrap_or(u16::MAX),
            off_4500: flow.packets.wrapping_add(flow.recorded_again),
            first: flow.first,
            first_frame: flow.first_frame,
            first_sequence: flow.first_sequence,
            next: NONE,
            recent: [Recent::default(); RECENT],
            lengths: flow.lengths,
            previous: NONE,
            lost_before: flow.lost,
            // As if every number had been seen: what was lost has been said.
            unique_before: flow.packets.wrapping_sub(flow.duplicates).wrapping_sub(1 << 32),
            reordered: u32::try_from(flow.reordered).unwrap_or(u32::MAX),
            duplicates: u32::try_from(flow.duplicates).unwrap_or(u32::MAX),
            recorded_again: flow.recorded_again,
            fragmented: u32::try_from(flow.fragmented).unwrap_or(u32::MAX),
            readable: u32::try_from(flow.readable).unwrap_or(u32::MAX),
            deep: flow.deep,
            changed: flow.changed,
            copied: flow.copied,
            widest: flow.widest,
            run: 0,
            single: flow.doubled.map_or(u8::MAX, |(_, until)| single(until, flow.recorded_again)),
            again: flow.doubled.map_or(flow.last, |(at, _)| at),
            again_frame: flow.last_frame.frame,
            again_capture: flow.last_frame.capture,
            rare: (flow.port_change.is_some() || flow.ran_over.is_some())
                .then(|| Box::new(Rare { port_change: flow.port_change, ran_over: flow.ran_over, ..Rare::default() })),
        }
    }

    /// One more packet of it.
    #[inline(always)]
    pub(super) fn count(&mut self, packet: &FlowPacket) {
        if packet.is_off_4500() {
            self.off_4500 += 1;
        }
        let recent = Recent::of(packet, self.first);
        if self.recorded_before(packet.at, packet.frame.capture, recent) {
            self.recorded_again += 1;
            self.again = self.again.max(packet.at);
            (self.again_frame, self.again_capture) = (packet.frame.frame, packet.frame.capture);
            self.single = single(self.packets, self.recorded_again);
            self.again_last = true;
            return;
        }
        self.again_last = false;
        // looks at the packets before this one
        self.place(packet, recent.mark);
        if packet.ports != self.ports {
            self.change_ports(packet.ports, packet.sequence, (packet.at, packet.frame));
        }
        self.remember(recent);
        self.octets += u64::from(packet.length);
        if packet.fragmented {
            self.fragmented = self.fragmented.saturating_add(1);
        }
        if packet.readable {
            self.readable = self.readable.saturating_add(1);
        }
        self.shortest = self.shortest.min(recent.length());
        self.longest = self.longest.max(recent.length());
        self.last = self.last.max(packet.at);
        self.last_frame = packet.frame;
        self.packets += 1;
    }

    /// Notes a packet between other ports than those before. Two in a row change the ports: one may be a stray, and one that
    /// comes late was sent before.
    #[cold]
    fn change_ports(&mut self, ports: (u16, u16), sequence: u32, (at, frame): (Timestamp, FrameRef)) {
        if sequence != self.last_sequence {
            return;
        }
        let rare = self.rare.get_or_insert_default();
        match rare.stray.filter(|stray| stray.ports == ports && stray.before + 1 == self.packets) {
            Some(Stray { at, frame, .. }) => {
                let count = rare.port_change.map_or(0, |change| change.count).saturating_add(1);
                rare.port_change = Some(PortChange { count, from: self.ports, at, frame });
                self.ports = ports;
            }
            None => rare.stray = Some(Stray { ports, at, frame, before: self.packets }),
        }
    }

    /// Touches the cache lines that one more packet needs.
    #[inline(always)]
    fn fetch(&self) {
        black_box(u32::from(self.shortest) ^ self.recent[usize::from(self.next_recent) % RECENT].sequence);
    }

    /// What it is found by.
    #[inline(always)]
    pub(super) fn key(&self) -> &FlowKey {
        &self.key
    }

    /// The flow is forgotten: from now on it is found by nothing.
    pub(super) fn forget(&mut self) {
        (self.key.family, self.pair) = (Family::Gone, NONE);
    }

    /// Packets to or from UDP 4500.
    pub(super) fn on_4500(&self) -> u64 {
        match self.key.encapsulation {
            Encapsulation::None => 0,
            Encapsulation::Udp | Encapsulation::Tcp => self.packets().saturating_sub(self.off_4500),
        }
    }

    /// Packets so far, as recorded.
    pub(super) fn packets(&self) -> u64 {
        self.packets + self.recorded_again
    }

    /// The time of the last packet, those recorded again included.
    pub(super) fn seen_last(&self) -> Timestamp {
        self.last.max(self.again)
    }

    /// Whether it goes from `a` to `b` of its pair.
    pub(super) fn is_from_a(&self, pair: &Pair) -> bool {
        let (source, destination) = self.key.ends();
        pair.is_from_a(source, destination)
    }

    /// The frame of the last packet, those recorded again included.
    pub(super) fn last_frame(&self) -> FrameRef {
        let again = FrameRef { capture: self.again_capture, frame: self.again_frame };
        if self.again_last { again } else { self.last_frame }
    }

    /// When and in which frame it begins.
    pub(super) fn begins(&self) -> (Timestamp, FrameRef) {
        (self.first, self.first_frame)
    }

    /// The flow as a fact.
    pub(super) fn facts(&self) -> EspFlow {
        let (source, destination) = self.key.ends();
        EspFlow {
            source,
            destination,
            spi: self.key.spi,
            protocol: self.key.protocol,
            encapsulation: self.key.encapsulation,
            packets: self.packets,
            octets: self.octets,
            first_sequence: self.first_sequence,
            last_sequence: self.last_sequence,
            lost: self.lost(),
            reordered: self.reordered.into(),
            duplicates: self.duplicates.into(),
            deep: self.deep,
            changed: self.changed,
            copied: self.copied,
            widest: self.widest,
            recorded_again: self.recorded_again,
            doubled: self.doubled(),
            follows: self.of_follower(),
            resets: self.resets.into(),
            length_range: (self.shortest.into(), self.longest.into()),
            first: self.first,
            last: self.last,
            first_frame: self.first_frame,
            last_frame: self.last_frame,
            fragmented: self.fragmented.into(),
            readable: self.readable.into(),
            lengths: self.lengths,
            latest: self.latest(),
            ports: Some(self.ports).filter(|_| self.key.encapsulation != Encapsulation::None),
            port_change: self.rare.as_ref().and_then(|rare| rare.port_change),
            ran_over: self.rare.as_ref().and_then(|rare| rare.ran_over),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;
    use crate::base::EspSpi;
    use crate::track::facts::FlowProtocol;

    /// A NAT that makes another mapping does not go back to the old one; a stray packet, and one that comes late, change nothing.
    #[test]
    fn two_packets_in_a_row_change_the_ports() {
        let change = |numbers: &[(u32, u16)]| {
            let at = |(place, &(sequence, port)): (usize, &(u32, u16))| FlowPacket {
                ports: (port, 4500),
                ..packet(sequence, place as i64 * 100, place as u32)
            };
            let packets: Vec<_> = numbers.iter().enumerate().map(at).collect();
            let mut row = open(&packets[0]);
            packets[1..].iter().for_each(|packet| row.count(packet));
            (row.ports.0, row.facts().port_change.map(|change| (change.count, change.from.0, change.at.as_nanos())))
        };
        assert_eq!(change(&[(1, 4500), (2, 4500), (3, 1027), (4, 1027)]), (1027, Some((1, 4500, 200_000_000))));
        assert_eq!(change(&[(1, 4500), (2, 4500), (3, 1027), (4, 4500), (5, 1027), (6, 4500)]), (4500, None));
        assert_eq!(
            change(&[(1, 4500), (4, 1027), (2, 4500), (5, 1027), (3, 4500), (6, 1027), (7, 1027)]),
            (1027, Some((1, 4500, 500_000_000)))
        );
        assert_eq!(change(&[(1, 1), (2, 2), (3, 2), (4, 3), (5, 3)]), (3, Some((2, 2, 300_000_000))));
    }

    pub(super) fn packet(sequence: u32, at_ms: i64, ip_id: u32) -> FlowPacket {
        FlowPacket {
            frame: FrameRef::new(0, 1),
            at: Timestamp::from_nanos(at_ms * 1_000_000),
            sequence,
            length: 120,
            ip_id: Some(ip_id),
            fragmented: false,
            readable: false,
            ports: (0, 0),
        }
    }

    pub(super) fn open(packet: &FlowPacket) -> FlowRow {
        let ends = (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into());
        let key = FlowKey::new(ends, EspSpi(0xc0ff_ee00), FlowProtocol::Esp, Encapsulation::None);
        FlowRow::open(key, packet, 0)
    }
}
