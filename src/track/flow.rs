//! ESP and AH by direction and SPI: counts, and the sequence numbers' story.

use std::hash::{Hash, Hasher};
use std::hint::black_box;
use std::mem::offset_of;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use crate::base::{EspSpi, FrameRef, Timestamp};
use crate::packet::{AhPacket, Datagram, Encapsulation, EspPacket, SeenEsp};

use super::Tracker;
use super::facts::{EspFlow, FlowProtocol, Follows, Latest, Lengths, Pair, PortChange};
use super::pairs::NONE;

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

/// Numbers behind the highest one that are remembered one by one.
const WINDOW: u32 = 256;
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
/// Packets remembered to tell a packet recorded twice from one sent twice.
const RECENT: usize = 8;
/// Copies of one packet that a capture records lie closer together than this.
pub(super) const RECORDED_TWICE: Duration = Duration::from_millis(10);
/// Or, where every packet is recorded twice, within this time: a router may hold one back.
const HELD_BACK: Duration = Duration::from_secs(1);
/// Another capture holds the same packet or message within this time: it may have been taken far away, with another clock.
pub const UNDERWAY: Duration = Duration::from_secs(2);

/// One of the last packets, in few octets, because there may be a million flows.
#[derive(Debug, Clone, Copy, Default)]
struct Recent {
    sequence: u32,
    /// Length and, above it, IP identification; 0 for none.
    mark: u32,
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
fn single(packets: u64, recorded_again: u64) -> u8 {
    packets.saturating_sub(recorded_again).min(u8::MAX.into()) as u8
}

/// A time in units of 2^14 ns.
const fn in_units(duration: Duration) -> i32 {
    (duration.as_nanos() >> 14) as i32
}

impl Recent {
    #[inline(always)]
    fn of(packet: &FlowPacket, first: Timestamp) -> Self {
        let mark = packet.ip_id.map_or(0, |id| id << 16) | u32::from(packet.short_length());
        Self { sequence: packet.sequence, mark, at: units(first, packet.at) }
    }

    fn length(&self) -> u16 {
        self.mark as u16
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
    /// Of `reordered`, those that came more than [`DEEP`] behind the highest number.
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

/// A capture that holds packets after another one had them.
#[derive(Debug, Clone)]
struct Follower {
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

const _: () = assert!(size_of::<FlowRow>() <= 6 * 64);
const _: () = assert!(offset_of!(FlowRow, last) == 64 && offset_of!(FlowRow, recent) == 128);

/// What tells flows apart, in words that are soon compared.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlowKey {
    source: [u64; 2],
    destination: [u64; 2],
    pub(super) spi: EspSpi,
    protocol: FlowProtocol,
    encapsulation: Encapsulation,
    family: Family,
}

/// What the addresses of a flow are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Family {
    /// There are none: the flow was forgotten.
    Gone,
    V4,
    V6,
}

impl PartialEq for FlowKey {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        // word by word: to compare arrays as such, they would be written to memory first
        let ([a, b], [c, d]) = (self.source, self.destination);
        let ([e, f], [g, h]) = (other.source, other.destination);
        (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) == 0
            && self.spi == other.spi
            && self.protocol == other.protocol
            && self.encapsulation == other.encapsulation
            && self.family == other.family
    }
}

impl FlowKey {
    #[inline(always)]
    fn of_esp(esp: &SeenEsp) -> Self {
        Self {
            source: [0, u64::from(esp.source.to_bits())],
            destination: [0, u64::from(esp.destination.to_bits())],
            spi: esp.spi,
            protocol: FlowProtocol::Esp,
            encapsulation: esp.encapsulation,
            family: Family::V4,
        }
    }

    /// ESP in a datagram.
    pub(super) fn esp(datagram: &Datagram<'_>, esp: &EspPacket) -> Self {
        Self::new((datagram.source, datagram.destination), esp.spi, FlowProtocol::Esp, esp.encapsulation)
    }

    /// AH in a datagram.
    pub(super) fn ah(datagram: &Datagram<'_>, ah: &AhPacket) -> Self {
        Self::new((datagram.source, datagram.destination), ah.spi, FlowProtocol::Ah, Encapsulation::None)
    }

    fn new(
        (source, destination): (IpAddr, IpAddr),
        spi: EspSpi,
        protocol: FlowProtocol,
        encapsulation: Encapsulation,
    ) -> Self {
        let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
        Self { source: words(source), destination: words(destination), spi, protocol, encapsulation, family }
    }

    /// Source and destination.
    fn ends(&self) -> (IpAddr, IpAddr) {
        (self.address(self.source), self.address(self.destination))
    }

    fn address(&self, [high, low]: [u64; 2]) -> IpAddr {
        match self.family {
            Family::V6 => Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)).into(),
            Family::V4 | Family::Gone => Ipv4Addr::from_bits(low as u32).into(),
        }
    }
}

/// An address in two words.
fn words(address: IpAddr) -> [u64; 2] {
    match address {
        IpAddr::V4(address) => [0, u64::from(address.to_bits())],
        IpAddr::V6(address) => [(address.to_bits() >> 64) as u64, address.to_bits() as u64],
    }
}

impl Hash for FlowKey {
    /// In as few steps as it takes; what is alike in this is told apart by comparing.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ([source_high, source], [destination_high, destination]) = (self.source, self.destination);
        if self.family == Family::V6 {
            state.write_u64(source_high);
            state.write_u64(source);
            state.write_u64(destination_high);
            state.write_u64(destination);
        } else {
            state.write_u64(source << 32 | destination);
        }
        let kind = u64::from(self.protocol as u8) << 8 | u64::from(self.encapsulation as u8);
        state.write_u64(u64::from(self.spi.0) << 16 | kind);
    }
}

/// Which of the last numbers were seen, up to the highest one: a bit for each, by the number itself.
#[derive(Debug, Clone, Default)]
struct Window([u64; (WINDOW / 64) as usize]);

impl Window {
    #[inline(always)]
    fn mark(&mut self, number: u32) {
        if let Some(word) = self.0.get_mut((number % WINDOW / 64) as usize) {
            *word |= 1 << (number % 64);
        }
    }

    fn is_marked(&self, number: u32) -> bool {
        self.0.get((number % WINDOW / 64) as usize).is_some_and(|word| word & (1 << (number % 64)) != 0)
    }

    /// Forgets `count` numbers from `first` on, and those that had their places.
    fn clear(&mut self, first: u32, count: u32) {
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

    /// When a packet was last recorded again, and how many there were until then.
    fn doubled(&self) -> Option<(Timestamp, u64)> {
        let known = self.recorded_again > 0 && self.recorded_again <= self.packets && self.single < u8::MAX;
        known.then_some((self.again, self.recorded_again + u64::from(self.single)))
    }

    /// What the one capture has that has packets after another one.
    fn of_follower(&self) -> Option<Follows> {
        match self.rare.as_ref()?.followers.as_slice() {
            [follower] => Some(follower.has),
            _ => None,
        }
    }

    /// The last few packets, if there were as many as are remembered.
    fn latest(&self) -> Option<Latest> {
        let last = units(self.first, self.last);
        let ago = |packet: &Recent| last.wrapping_sub(packet.at);
        let longest =
            self.recent.iter().all(|packet| packet.mark != 0).then(|| self.recent.iter().map(ago).max())??;
        let since = Timestamp::from_nanos(self.last.as_nanos() - (i64::from(longest) << 14));
        Some(Latest { lengths: self.recent.map(|packet| packet.length()), since })
    }

    /// Files a sequence number: ahead (serial arithmetic, so that 2^32 wraps), late, seen before, or begun again.
    #[inline(always)]
    fn place(&mut self, packet: &FlowPacket, mark: u32) {
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

    #[inline]
    fn remember(&mut self, packet: Recent) {
        self.recent[usize::from(self.next_recent) % RECENT] = packet;
        self.lengths.note(packet.length());
        self.next_recent = self.next_recent.wrapping_add(1);
    }

    /// Whether the captures hold this packet already. One with a number higher than all before is new, unless the numbers
    /// began again in between; and nothing is recorded twice long after the last packet.
    #[inline(always)]
    fn recorded_before(&mut self, at: Timestamp, capture: u32, packet: Recent) -> bool {
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

/// A packet of ESP or AH, as far as it is counted in its flow.
#[derive(Debug, Clone, Copy)]
pub(super) struct FlowPacket {
    frame: FrameRef,
    at: Timestamp,
    sequence: u32,
    length: u32,
    ip_id: Option<u32>,
    fragmented: bool,
    readable: bool,
    /// Source and destination port, if encapsulated; zero otherwise.
    ports: (u16, u16),
}

impl FlowPacket {
    /// Its length, as far as two octets hold it: what is longer was never one packet.
    #[inline(always)]
    fn short_length(&self) -> u16 {
        self.length.min(u16::MAX.into()) as u16
    }

    /// Whether it is encapsulated, between ports of which none is 4500.
    #[inline(always)]
    fn is_off_4500(&self) -> bool {
        let (source, destination) = self.ports;
        source != 4500 && destination != 4500 && self.ports != (0, 0)
    }

    #[inline(always)]
    fn of_esp(esp: &SeenEsp, frame: FrameRef, at: Timestamp) -> Self {
        Self {
            frame,
            at,
            sequence: esp.sequence,
            length: esp.length,
            ip_id: Some(u32::from(esp.ip_id)),
            fragmented: false,
            readable: esp.readable,
            ports: esp.ports,
        }
    }

    /// ESP in a datagram.
    pub(super) fn esp(datagram: &Datagram<'_>, esp: &EspPacket) -> Self {
        Self { readable: esp.readable, ports: esp.ports, ..Self::new(datagram, (esp.sequence, esp.length)) }
    }

    /// AH in a datagram.
    pub(super) fn ah(datagram: &Datagram<'_>, ah: &AhPacket) -> Self {
        Self::new(datagram, (ah.sequence, ah.length))
    }

    fn new(datagram: &Datagram<'_>, (sequence, length): (u32, u32)) -> Self {
        Self {
            frame: datagram.frame,
            at: datagram.at,
            sequence,
            length,
            ip_id: datagram.ip_id,
            fragmented: datagram.fragments > 1,
            readable: false,
            ports: (0, 0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn packet(sequence: u32, at_ms: i64, ip_id: u32) -> FlowPacket {
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

    fn open(packet: &FlowPacket) -> FlowRow {
        let ends = (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into());
        let key = FlowKey::new(ends, EspSpi(0xc0ff_ee00), FlowProtocol::Esp, Encapsulation::None);
        FlowRow::open(key, packet, 0)
    }

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
}
