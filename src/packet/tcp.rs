//! IKE and ESP in TCP: streams, and the records in them (RFC 9329).
//!
//! A stream is known by the prefix that its opener sends, on any port; on the ports of ours also by records that can be
//! told from anything else, so that a capture may begin in the middle. Not here: TLS around it, which cannot be read.
//! Contract: at most `streams` directions and `reassembly_octets` octets are held; a segment is copied once.

use std::collections::BTreeMap;
use std::net::IpAddr;

use etherparse::TcpHeaderSlice;
use lru::LruCache;

use crate::base::{FrameRef, Limits};

use super::classifier::content;
use super::encap::{self, Content, ISAKMP_HEADER_LEN};
use super::ip::Payload;
use super::octets::{be16, be32, count};
use super::place::Place;
use super::protocol::IkePorts;
use super::{Class, Encapsulation, Sink};

/// What the one who opens the connection sends first (RFC 9329 §4).
const PREFIX: &[u8; 6] = b"IKETCP";

/// The first octet of it.
pub(super) const FIRST: u8 = PREFIX[0];

/// Octets of a record's length field, which counts itself (RFC 9329 §3).
const LENGTH_LEN: usize = 2;

/// Segments held until those in front of them come; then these are taken for lost.
const MOST_AHEAD: usize = 32;

/// A jump in sequence numbers that no window allows: another connection between the same ports.
const FAR: u32 = 1 << 24;

/// What a segment held out of order is reckoned to cost beside its octets.
const SEGMENT_COST: usize = 160;

/// Room that a stream keeps for its next record.
const PENDING_KEPT: usize = 2048;

/// Whether a segment with this payload may open a stream of ours: it begins with the prefix, or with part of it.
#[inline]
pub(super) fn may_start(payload: &[u8]) -> bool {
    payload.first() == Some(&FIRST) && payload.iter().zip(PREFIX).all(|(octet, expected)| octet == expected)
}

/// One direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    capture: u32,
    source: (IpAddr, u16),
    destination: (IpAddr, u16),
}

impl Key {
    fn back(self) -> Self {
        Self { source: self.destination, destination: self.source, ..self }
    }

    fn ports(&self) -> (u16, u16) {
        (self.source.1, self.destination.1)
    }
}

/// Streams under observation.
#[derive(Debug)]
pub(super) struct Streams {
    followed: LruCache<Key, Stream>,
    octets: usize,
    most: usize,
    most_octets: usize,
    /// Streams no longer followed for want of room.
    pub forgotten: u64,
    /// Gaps given up, by capture.
    gaps: BTreeMap<u32, u64>,
}

impl Streams {
    pub fn new(limits: &Limits) -> Self {
        Self {
            followed: LruCache::unbounded(),
            octets: 0,
            most: limits.streams.max(2),
            most_octets: limits.reassembly_octets,
            forgotten: 0,
            gaps: BTreeMap::new(),
        }
    }

    /// Gaps given up in the streams of a capture.
    pub fn gaps(&self, capture: u32) -> u64 {
        self.gaps.get(&capture).copied().unwrap_or(0)
    }

    /// Whether no stream is followed.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.followed.is_empty()
    }

    /// Takes a segment, and hands on every record that it completes.
    pub fn segment(&mut self, place: &Place, carried: Payload<'_>, ports: &IkePorts, sink: &mut Sink<'_>) -> Class {
        let Ok(header) = TcpHeaderSlice::from_slice(carried.octets) else { return Class::Other };
        let Some(payload) = carried.behind(header.slice().len()) else { return Class::Other };
        let key = Key {
            capture: place.frame.capture,
            source: (place.source, header.source_port()),
            destination: (place.destination, header.destination_port()),
        };
        if header.rst() {
            self.end(&key);
            self.end(&key.back());
            return Class::Other;
        }
        if header.syn() {
            self.forget(&key);
        }
        if payload.wire == 0 {
            if header.fin() {
                self.end(&key);
            }
            return Class::Other;
        }
        let sequence = header.sequence_number().wrapping_add(u32::from(header.syn()));
        let Some(mut stream) = self.forget(&key).or_else(|| Stream::begin(&key, sequence, payload, ports)) else {
            return Class::Other;
        };
        let opening = stream.state == State::Prefix;
        let class = stream.take(place, &key, sequence, payload, sink);
        self.note_gaps(&key, std::mem::take(&mut stream.gaps));
        if stream.state == State::Foreign {
            return class;
        }
        if opening && stream.state == State::Records && header.ack() {
            // Whoever answers sends no prefix: its first octet is the one acknowledged next.
            self.follow_unless_known(key.back(), Stream::new(State::Records, header.acknowledgment_number()));
        }
        self.follow(key, stream);
        if header.fin() {
            self.end(&key);
        }
        class
    }

    /// Hands on what was held back until segments came that never did.
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        while let Some((key, mut stream)) = self.followed.pop_lru() {
            while stream.give_up_gap(None, &key, sink).is_some() {}
            self.note_gaps(&key, stream.gaps);
        }
        self.octets = 0;
    }

    fn note_gaps(&mut self, key: &Key, gaps: u64) {
        if gaps > 0 {
            let known = self.gaps.entry(key.capture).or_default();
            *known = known.saturating_add(gaps);
        }
    }

    fn follow_unless_known(&mut self, key: Key, stream: Stream) {
        if !self.followed.contains(&key) {
            self.follow(key, stream);
        }
    }

    fn follow(&mut self, key: Key, stream: Stream) {
        self.octets = self.octets.saturating_add(stream.octets());
        self.followed.push(key, stream);
        while self.followed.len() > self.most || self.octets > self.most_octets {
            let Some((_, stream)) = self.followed.pop_lru() else { break };
            self.octets = self.octets.saturating_sub(stream.octets());
            self.forgotten = self.forgotten.saturating_add(1);
        }
    }

    /// The connection is closing: nothing will come, unless segments are held that wait for others.
    fn end(&mut self, key: &Key) {
        if self.followed.peek(key).is_some_and(|stream| stream.ahead.is_empty()) {
            self.forget(key);
        }
    }

    fn forget(&mut self, key: &Key) -> Option<Stream> {
        let stream = self.followed.pop(key)?;
        self.octets = self.octets.saturating_sub(stream.octets());
        Some(stream)
    }
}

/// What the next octet of a stream is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Of the prefix.
    Prefix,
    /// Of a record.
    Records,
    /// Unknown, until a segment begins with a record again.
    Lost,
    /// Nothing of ours.
    Foreign,
}

/// A segment that came before its turn.
#[derive(Debug)]
struct Ahead {
    place: Place,
    sequence: u32,
    octets: Box<[u8]>,
    wire: u32,
}

#[derive(Debug)]
struct Stream {
    state: State,
    /// Sequence number of the next octet.
    next: u32,
    /// A record that is not whole yet, from its length field on; or part of the prefix.
    pending: Vec<u8>,
    /// Frame that brought the first octet of `pending`.
    started: Option<FrameRef>,
    /// Octets of a record, already handed on, that are yet to come.
    skip: u32,
    ahead: Vec<Ahead>,
    /// Gaps given up and not counted yet.
    gaps: u64,
}

impl Stream {
    fn new(state: State, next: u32) -> Self {
        Self { state, next, pending: Vec::new(), started: None, skip: 0, ahead: Vec::new(), gaps: 0 }
    }

    /// A stream that a segment shows to be ours.
    fn begin(key: &Key, sequence: u32, payload: Payload<'_>, ports: &IkePorts) -> Option<Self> {
        if may_start(payload.octets) {
            return Some(Self::new(State::Prefix, sequence));
        }
        let (source, destination) = key.ports();
        (ports.shared_with_esp(source, destination) && begins_with_record(payload))
            .then(|| Self::new(State::Records, sequence))
    }

    fn octets(&self) -> usize {
        let ahead: usize = self.ahead.iter().map(|segment| segment.octets.len().saturating_add(SEGMENT_COST)).sum();
        self.pending.capacity().saturating_add(ahead)
    }

    fn take(&mut self, place: &Place, key: &Key, sequence: u32, payload: Payload<'_>, sink: &mut Sink<'_>) -> Class {
        let ahead = sequence.wrapping_sub(self.next);
        if ahead.min(self.next.wrapping_sub(sequence)) > FAR {
            let state = if may_start(payload.octets) { State::Prefix } else { State::Lost };
            *self = Self::new(state, sequence);
        } else if ahead != 0 && ahead <= FAR {
            self.hold(place, sequence, payload);
            if self.ahead.len() > MOST_AHEAD {
                return self.give_up_gap(Some(place), key, sink).unwrap_or(Class::Other);
            }
            return Class::Other;
        }
        let class = self.in_turn(place, key, sequence, payload, sink);
        class.better(self.catch_up(Some(place), key, sink))
    }

    fn hold(&mut self, place: &Place, sequence: u32, payload: Payload<'_>) {
        let held = self.ahead.iter().any(|held| held.sequence == sequence && held.wire >= payload.wire);
        if !held {
            let octets = payload.octets.into();
            self.ahead.push(Ahead { place: *place, sequence, octets, wire: payload.wire });
        }
    }

    /// Takes the held segments whose turn has come. `now`: the frame that let them; without one, each speaks for itself.
    fn catch_up(&mut self, now: Option<&Place>, key: &Key, sink: &mut Sink<'_>) -> Class {
        let mut class = Class::Other;
        while let Some(at) = self.ahead.iter().position(|held| self.next.wrapping_sub(held.sequence) <= FAR) {
            let held = self.ahead.swap_remove(at);
            let place = now.unwrap_or(&held.place);
            let payload = Payload { octets: &held.octets, wire: held.wire };
            class = class.better(self.in_turn(place, key, held.sequence, payload, sink));
        }
        class
    }

    /// Goes on behind a gap, with the nearest segment held. `None` if none is.
    fn give_up_gap(&mut self, now: Option<&Place>, key: &Key, sink: &mut Sink<'_>) -> Option<Class> {
        self.next = self.ahead.iter().map(|held| held.sequence).min_by_key(|at| at.wrapping_sub(self.next))?;
        self.lose();
        self.gaps = self.gaps.saturating_add(1);
        Some(self.catch_up(now, key, sink))
    }

    fn lose(&mut self) {
        self.state = State::Lost;
        self.pending.clear();
        self.skip = 0;
    }

    /// Takes a segment that begins at or before the next octet; what came before is passed over.
    fn in_turn(&mut self, place: &Place, key: &Key, sequence: u32, payload: Payload<'_>, sink: &mut Sink<'_>) -> Class {
        let known = self.next.wrapping_sub(sequence);
        if known >= payload.wire {
            return Class::Other;
        }
        self.next = sequence.wrapping_add(payload.wire);
        self.feed(place, key, payload.past(known), sink)
    }

    fn feed(&mut self, place: &Place, key: &Key, payload: Payload<'_>, sink: &mut Sink<'_>) -> Class {
        if self.state == State::Lost {
            if !begins_with_record(payload) {
                return Class::Other;
            }
            self.state = State::Records;
        }
        let skipped = self.skip.min(payload.wire);
        self.skip -= skipped;
        let payload = payload.past(skipped);
        if self.pending.is_empty() {
            self.started = Some(place.frame);
        }
        self.pending.extend_from_slice(payload.octets);
        let pending = std::mem::take(&mut self.pending);
        let (mut class, used) = self.records(place, key, &pending, sink);
        self.pending = pending;
        if used > 0 {
            self.pending.drain(..used);
            // not at every segment: a record that comes octet by octet would be copied as often
            self.pending.shrink_to(PENDING_KEPT);
        }
        if payload.missing() != 0 {
            class = class.better(self.cut(place, key, payload.missing(), sink));
        }
        class
    }

    /// Hands on the whole records in `pending`; answers how many octets they took.
    fn records(&mut self, place: &Place, key: &Key, pending: &[u8], sink: &mut Sink<'_>) -> (Class, usize) {
        let mut class = Class::Other;
        let mut used = 0;
        if self.state == State::Prefix {
            let rest = pending.get(PREFIX.len()..);
            match rest {
                _ if !may_start(pending) => self.state = State::Foreign,
                Some(rest) => {
                    self.state = State::Records;
                    self.started = Some(place.frame);
                    used = pending.len() - rest.len();
                }
                None => {}
            }
        }
        if self.state != State::Records {
            let useless = self.state == State::Foreign;
            return (class, if useless { pending.len() } else { used });
        }
        while let Some(length) = pending.get(used..).and_then(|rest| be16(rest, 0)) {
            let length = usize::from(length);
            if length < LENGTH_LEN {
                self.lose();
                return (class.better(Class::Malformed), pending.len());
            }
            let Some(record) = pending.get(used + LENGTH_LEN..used + length) else { break };
            class = class.better(self.record(place, key, Payload::cut(record, 0), sink));
            used += length;
            self.started = Some(place.frame);
        }
        (class, used)
    }

    fn record(&self, place: &Place, key: &Key, carried: Payload<'_>, sink: &mut Sink<'_>) -> Class {
        let place = place.starting(self.started.unwrap_or(place.frame), 1, false);
        content(&place, Encapsulation::Tcp, key.ports(), encap::read(true, carried), sink)
    }

    /// The frame was cut: hands on the record that its captured part ends in, and finds the next one if it can.
    fn cut(&mut self, place: &Place, key: &Key, missing: u32, sink: &mut Sink<'_>) -> Class {
        let length = be16(&self.pending, 0).map(u32::from);
        let (State::Records, Some(length)) = (self.state, length) else {
            self.lose();
            return Class::Other;
        };
        let to_come = length.saturating_sub(count(&self.pending));
        let pending = std::mem::take(&mut self.pending);
        let content = Payload::cut(&pending, to_come).behind(LENGTH_LEN);
        let class = content.map_or(Class::Other, |content| self.record(place, key, content, sink));
        match to_come.checked_sub(missing) {
            Some(behind) => self.skip = behind,
            None => self.lose(),
        }
        class
    }
}

/// Whether a segment that may be of any stream begins with a record: one that holds an ISAKMP message beyond doubt, or
/// records that end just where the segment does.
fn begins_with_record(payload: Payload<'_>) -> bool {
    let record = |at: usize| {
        let length = be16(payload.octets, at)?;
        let content = payload.behind(at)?.up_to(u32::from(length)).behind(LENGTH_LEN)?;
        Some((usize::from(length), content))
    };
    let Some((length, first)) = record(0) else { return false };
    if let Content::Isakmp { message, .. } = encap::read(true, first) {
        let claimed = be32(message.octets, 24).and_then(|claimed| usize::try_from(claimed).ok());
        let marked = claimed.and_then(|claimed| claimed.checked_add(LENGTH_LEN + 4)) == Some(length);
        return marked && encap::may_be_isakmp(message.octets) && message.octets.len() >= ISAKMP_HEADER_LEN;
    }
    let mut at = 0;
    while let Some((length, content)) = record(at) {
        if !matches!(encap::read(true, content), Content::Esp(_) | Content::Isakmp { .. } | Content::Keepalive) {
            return false;
        }
        at += length;
    }
    at != 0 && u32::try_from(at) == Ok(payload.wire)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::Timestamp;

    fn place() -> Place {
        let address = IpAddr::from([192, 0, 2, 1]);
        let frame = FrameRef::new(0, 1);
        Place {
            frame,
            first_frame: frame,
            at: Timestamp::default(),
            interface: 0,
            source: address,
            destination: address,
            ip_id: None,
            ttl: 64,
            fragments: 1,
            ambiguous_overlap: false,
        }
    }

    fn segment(port: u16, sequence: u32, payload: &[u8]) -> Vec<u8> {
        let mut octets = port.to_be_bytes().to_vec();
        octets.extend([1, 0xbb]);
        octets.extend(sequence.to_be_bytes());
        octets.extend([0, 0, 0, 1, 0x50, 0x10, 1, 1, 0, 0, 0, 0]);
        octets.extend(payload);
        octets
    }

    #[test]
    fn a_stream_starts_with_the_prefix_or_part_of_it() {
        for len in 1..=PREFIX.len() {
            assert!(may_start(&PREFIX[..len]));
        }
        assert!(may_start(b"IKETCP and more"));
        for payload in [&b""[..], b"i", b"IKED", b"GET / HTTP/1.1"] {
            assert!(!may_start(payload));
        }
    }

    proptest! {
        /// What is held is what is counted, and never more than is allowed.
        #[test]
        fn holds_no_more_than_it_may(
            segments in prop::collection::vec((0_u16..6, 0_u32..3000, 0_usize..900, any::<bool>()), 1..80),
        ) {
            let limits = Limits { streams: 4, reassembly_octets: 8000, ..Limits::default() };
            let mut streams = Streams::new(&limits);
            let ports = IkePorts::new(&[]);
            for (port, sequence, len, opens) in segments {
                let mut payload = if opens { PREFIX.to_vec() } else { Vec::new() };
                payload.extend(std::iter::repeat_n(2, len));
                let sequence = if opens { 0 } else { sequence };
                let octets = segment(port, sequence, &payload);
                streams.segment(&place(), Payload::cut(&octets, 0), &ports, &mut |_| ());
                prop_assert_eq!(streams.octets, streams.followed.iter().map(|(_, stream)| stream.octets()).sum::<usize>());
                prop_assert!(streams.octets <= 8000);
                prop_assert!(streams.followed.len() <= 4);
            }
            streams.finish(&mut |_| ());
            prop_assert!(streams.is_empty());
        }
    }
}
