//! IP fragments of datagrams that may be ours, put together within fixed bounds.
//!
//! First writer wins where fragments overlap; that they differed is said. What never becomes whole is handed on as
//! [`Body::Incomplete`]. Contract: at most `reassemblies` datagrams and `reassembly_octets` octets are held, and the work
//! for a fragment is bounded by its length.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use lru::LruCache;

use crate::base::{FrameRef, Limits, Timestamp};

use super::ip::{self, Fragment, Payload};
use super::octets::{be16, count, up_to};
use super::place::Place;
use super::protocol::{IkePorts, ip_protocol};
use super::{Body, GaveUp, IncompleteDatagram, Sink, udp};

/// No datagram is longer (RFC 791 §3.1).
const LONGEST: u32 = 65_535;

/// Octets kept of ESP and AH, whose clear part is all that matters.
const KEPT_OF_ESP: u32 = 64;

/// What a piece is reckoned to cost beside its octets.
const PIECE_COST: usize = 96;

/// Datagrams that are asked one by one whether they can wait.
const FEW: usize = 256;

/// What a fragment did.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is not of a datagram of ours.
    NotOurs,
    /// It cannot be a fragment of anything.
    Malformed,
    /// The datagram is not whole yet.
    Held,
    /// The datagram is whole, or as whole as it can become: its first fragment was not captured to the end.
    Whole(Whole),
}

/// A datagram put together.
#[derive(Debug)]
pub(super) struct Whole {
    pub place: Place,
    pub octets: Vec<u8>,
    /// Octets it had on the wire; more than `octets` holds where fragments were not captured whole. The most there can
    /// be if the rest is not there yet.
    pub wire: u32,
    /// Octets of all fragments that were not captured.
    pub uncaptured: u32,
}

/// The fragments of one datagram share these (RFC 791 §3.2, RFC 8200 §4.5). Captures are not mixed: two of them may hold
/// the same datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Key {
    capture: u32,
    source: IpAddr,
    destination: IpAddr,
    id: u32,
    protocol: u8,
}

/// What became of a datagram that is no longer held.
#[derive(Debug, Clone, Copy)]
struct Settled {
    at: Timestamp,
    /// Its ports are not ours. Otherwise it was put together, and what comes now is a copy.
    foreign: bool,
}

/// Datagrams under reassembly.
#[derive(Debug)]
pub(super) struct Reassembly {
    /// In order of arrival: never promoted, so that the least recently used is the oldest.
    partial: LruCache<Key, Partial>,
    settled: LruCache<Key, Settled>,
    octets: usize,
    most: usize,
    most_octets: usize,
    time: Duration,
}

impl Reassembly {
    pub fn new(limits: &Limits) -> Self {
        Self {
            partial: LruCache::unbounded(),
            settled: LruCache::unbounded(),
            octets: 0,
            most: limits.reassemblies.max(1),
            most_octets: limits.reassembly_octets,
            time: limits.reassembly_time,
        }
    }

    /// Whether fragments of this protocol are worth keeping. Destination options may stand in front of any other.
    pub fn wants(protocol: u8) -> bool {
        matches!(protocol, ip_protocol::UDP | ip_protocol::ESP | ip_protocol::AH | ip_protocol::DESTINATION_OPTIONS)
    }

    /// Takes a fragment of a datagram that carries `protocol`.
    pub fn add(
        &mut self,
        place: &Place,
        protocol: u8,
        fragment: Fragment,
        payload: Payload<'_>,
        ports: &IkePorts,
        sink: &mut Sink<'_>,
    ) -> Outcome {
        let end = fragment.offset.saturating_add(payload.wire);
        if !Self::wants(protocol) {
            return Outcome::NotOurs;
        }
        if payload.wire == 0 || end > LONGEST {
            return Outcome::Malformed;
        }
        let key = self.at_home(
            Key {
                capture: place.frame.capture,
                source: place.source,
                destination: place.destination,
                id: place.ip_id.unwrap_or(0),
                protocol,
            },
            fragment.offset,
            end,
        );
        let upper = (fragment.offset == 0).then(|| Upper::read(protocol, payload.octets));
        let known_as_ours = self.partial.peek(&key).is_some_and(|held| held.upper.is_some());
        if !known_as_ours && upper.is_some_and(|upper| !upper.is_ours(ports)) {
            self.forget(&key);
            self.settle(key, Settled { at: place.at, foreign: true });
            return Outcome::NotOurs;
        }
        let settled = self.settled.peek(&key).copied().filter(|settled| !self.is_over(settled.at, place.at));
        if settled.is_some_and(|settled| settled.foreign) {
            if upper.is_none() {
                return Outcome::NotOurs;
            }
            // The identification came round again, this time with a datagram of ours.
            self.settled.pop(&key);
        }
        let contradicted = self.partial.peek(&key).is_some_and(|held| held.contradicts(fragment, end));
        if contradicted {
            self.give_up(&key, GaveUp::Evicted, sink);
        }
        if !self.partial.contains(&key) {
            self.make_room(self.most - 1, usize::MAX, sink);
            let copy = settled.is_some_and(|settled| !settled.foreign);
            self.partial.push(key, Partial::new(place, copy));
        }
        let Some(held) = self.partial.peek_mut(&key) else { return Outcome::Held };
        let cost = held.cost;
        held.insert(place, fragment, payload, end, upper, protocol);
        self.octets = self.octets.saturating_sub(cost).saturating_add(held.cost);
        let cut_short = payload.missing() != 0 && upper.is_some_and(|upper| upper.ports.is_some());
        let outcome = if cut_short && !held.handed_on {
            // Nothing behind the cut can be used: there is no reason to wait for it, but one to see that it comes.
            held.handed_on = true;
            Outcome::Whole(Whole {
                place: Place { fragments: fragments_told(payload.octets, end), ..*place },
                octets: payload.octets.to_vec(),
                wire: LONGEST,
                uncaptured: payload.missing(),
            })
        } else {
            Outcome::Held
        };
        if held.is_whole() {
            self.settle(key, Settled { at: place.at, foreign: false });
            return match self.forget(&key) {
                Some(whole) if !whole.handed_on => Outcome::Whole(whole.put_together(place)),
                _ => outcome,
            };
        }
        self.make_room(self.most, self.most_octets, sink);
        outcome
    }

    /// The key under which a fragment is put together. Two captures may be two taps, which see the same fragments; but a
    /// recorder that changes files may also do so between two fragments, and then what came in the file before waits for
    /// just this one.
    fn at_home(&self, key: Key, offset: u32, end: u32) -> Key {
        if key.capture == 0 || self.partial.is_empty() || self.partial.contains(&key) {
            return key;
        }
        let before = Key { capture: key.capture - 1, ..key };
        match self.partial.peek(&before) {
            Some(held) if !held.overlaps(offset, end) => before,
            _ => key,
        }
    }

    /// Gives up what waits too long by `at`.
    #[inline]
    pub fn advance(&mut self, at: Timestamp, sink: &mut Sink<'_>) {
        if !self.partial.is_empty() {
            self.expire(at, sink);
        }
    }

    /// Whether some datagram is not whole.
    #[inline]
    pub fn holds_any(&self) -> bool {
        !self.partial.is_empty()
    }

    /// Whether no frame between these two times gives up anything, be it held now or begun between them. `false` as well where
    /// so much is held that it would be long to tell.
    pub fn is_patient(&self, earliest: Timestamp, latest: Timestamp) -> bool {
        let lasts = |since: Timestamp| !self.is_over(since, earliest) && !self.is_over(since, latest);
        lasts(earliest) && self.partial.len() <= FEW && self.partial.iter().all(|(_, held)| lasts(held.since))
    }

    fn expire(&mut self, at: Timestamp, sink: &mut Sink<'_>) {
        while let Some((key, held)) = self.partial.peek_lru() {
            if !self.is_over(held.since, at) {
                break;
            }
            let key = *key;
            self.give_up(&key, GaveUp::TimedOut, sink);
        }
    }

    /// Gives up everything.
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        while let Some((key, _)) = self.partial.peek_lru() {
            let key = *key;
            self.give_up(&key, GaveUp::CaptureEnded, sink);
        }
        self.settled.clear();
    }

    /// Whether more time than is allowed lies between the two. A clock that jumped back ends a wait as well: what is in
    /// front of the jump has nothing to do with what follows.
    fn is_over(&self, since: Timestamp, at: Timestamp) -> bool {
        at.since(since).max(since.since(at)) > self.time
    }

    fn settle(&mut self, key: Key, settled: Settled) {
        self.settled.push(key, settled);
        if self.settled.len() > self.most {
            self.settled.pop_lru();
        }
    }

    fn make_room(&mut self, most: usize, most_octets: usize, sink: &mut Sink<'_>) {
        while self.partial.len() > most || self.octets > most_octets {
            let Some((key, _)) = self.partial.peek_lru() else { break };
            let key = *key;
            self.give_up(&key, GaveUp::Evicted, sink);
        }
    }

    fn forget(&mut self, key: &Key) -> Option<Partial> {
        let held = self.partial.pop(key)?;
        self.octets = self.octets.saturating_sub(held.cost);
        Some(held)
    }

    fn give_up(&mut self, key: &Key, reason: GaveUp, sink: &mut Sink<'_>) {
        if let Some(held) = self.forget(key).filter(|held| !held.copy) {
            let place = held.last.starting(held.first, held.fragments, held.ambiguous);
            sink(&place.datagram(0, Body::Incomplete(held.incomplete(key, reason))));
        }
    }
}

/// What the first fragment tells about the datagram.
#[derive(Debug, Clone, Copy)]
struct Upper {
    protocol: u8,
    ports: Option<(u16, u16)>,
}

impl Upper {
    fn read(protocol: u8, octets: &[u8]) -> Self {
        match ip::pass_extensions(protocol, octets) {
            Some(chain) if chain.protocol == ip_protocol::UDP => {
                Self { protocol: chain.protocol, ports: octets.get(chain.len..).and_then(udp::ports) }
            }
            Some(chain) => Self { protocol: chain.protocol, ports: None },
            None => Self { protocol, ports: None },
        }
    }

    fn is_ours(&self, ports: &IkePorts) -> bool {
        match self.protocol {
            ip_protocol::UDP => self.ports.is_none_or(|(source, destination)| ports.either(source, destination)),
            ip_protocol::ESP | ip_protocol::AH => true,
            _ => false,
        }
    }
}

/// In how many fragments a UDP datagram comes that begins with `octets`, if all but the last carry as much as the first, which ends at
/// octet `end` of it.
fn fragments_told(octets: &[u8], end: u32) -> u16 {
    let length = be16(octets, 4).map_or(0, u32::from);
    u16::try_from(length.div_ceil(end.max(1))).unwrap_or(u16::MAX).max(1)
}

/// A run of octets that arrived together and that no earlier fragment had brought.
#[derive(Debug)]
struct Piece {
    wire: u32,
    /// As many of them as were captured and are worth keeping.
    octets: Box<[u8]>,
}

/// A datagram that is not whole yet.
#[derive(Debug)]
struct Partial {
    first: FrameRef,
    since: Timestamp,
    last: Place,
    /// By offset; they do not overlap.
    pieces: BTreeMap<u32, Piece>,
    total: Option<u32>,
    have: u32,
    uncaptured: u32,
    fragments: u16,
    ambiguous: bool,
    upper: Option<Upper>,
    /// The datagram was put together before: its absence is no loss.
    copy: bool,
    /// Its first fragment was cut short, and the message in it handed on.
    handed_on: bool,
    /// What it counts against the limit.
    cost: usize,
}

impl Partial {
    fn new(place: &Place, copy: bool) -> Self {
        Self {
            first: place.frame,
            since: place.at,
            last: *place,
            pieces: BTreeMap::new(),
            total: None,
            have: 0,
            uncaptured: 0,
            fragments: 0,
            ambiguous: false,
            upper: None,
            copy,
            handed_on: false,
            cost: 0,
        }
    }

    /// Whether a fragment up to `end` cannot be of the same datagram: the ends do not agree.
    fn contradicts(&self, fragment: Fragment, end: u32) -> bool {
        let reached = self.pieces.last_key_value().map_or(0, |(start, piece)| start.saturating_add(piece.wire));
        match self.total {
            Some(total) => end > total || (!fragment.more && end != total),
            None => !fragment.more && reached > end,
        }
    }

    fn insert(
        &mut self,
        place: &Place,
        fragment: Fragment,
        payload: Payload<'_>,
        end: u32,
        upper: Option<Upper>,
        protocol: u8,
    ) {
        self.last = *place;
        self.upper = self.upper.or(upper);
        if !fragment.more {
            self.total = Some(end);
        }
        let kept = if matches!(protocol, ip_protocol::ESP | ip_protocol::AH) { KEPT_OF_ESP } else { LONGEST };
        let gaps = self.gaps(fragment.offset, end, payload.octets);
        if !gaps.is_empty() {
            self.fragments = self.fragments.saturating_add(1);
            self.uncaptured = self.uncaptured.saturating_add(payload.missing());
        }
        for (start, gap_end) in gaps {
            let octets: Box<[u8]> = within(payload.octets, fragment.offset, start, gap_end.min(kept)).into();
            let wire = gap_end - start;
            self.have = self.have.saturating_add(wire);
            self.cost = self.cost.saturating_add(PIECE_COST).saturating_add(octets.len());
            self.pieces.insert(start, Piece { wire, octets });
        }
    }

    /// The parts of `offset..end` that no piece covers. Where pieces cover the rest, compares them with `octets`.
    fn gaps(&mut self, offset: u32, end: u32, octets: &[u8]) -> Vec<(u32, u32)> {
        let mut gaps = Vec::new();
        let mut reached = offset;
        let first = self.pieces.range(..=offset).next_back().map_or(offset, |(&start, _)| start);
        for (&start, piece) in self.pieces.range(first..end) {
            let piece_end = start.saturating_add(piece.wire);
            if piece_end <= offset {
                continue;
            }
            if start > reached {
                gaps.push((reached, start));
            }
            let (from, to) = (start.max(offset), piece_end.min(end));
            let (mine, theirs) = (within(&piece.octets, start, from, to), within(octets, offset, from, to));
            // Where one of them was not captured or kept to the end, only what both have can differ.
            self.ambiguous |= mine.iter().zip(theirs).any(|(mine, theirs)| mine != theirs);
            reached = reached.max(piece_end);
        }
        if reached < end {
            gaps.push((reached, end));
        }
        gaps
    }

    fn overlaps(&self, offset: u32, end: u32) -> bool {
        self.pieces.range(..end).next_back().is_some_and(|(start, piece)| start.saturating_add(piece.wire) > offset)
    }

    fn is_whole(&self) -> bool {
        self.total == Some(self.have)
    }

    fn put_together(self, place: &Place) -> Whole {
        let mut octets = Vec::with_capacity(self.have as usize);
        for piece in self.pieces.values() {
            octets.extend_from_slice(&piece.octets);
            if count(&piece.octets) < piece.wire {
                break;
            }
        }
        let place = place.starting(self.first, self.fragments, self.ambiguous);
        Whole { place, octets, wire: self.have, uncaptured: self.uncaptured }
    }

    fn incomplete(&self, key: &Key, reason: GaveUp) -> IncompleteDatagram {
        let mut missing_from = 0;
        for (&start, piece) in &self.pieces {
            if start != missing_from {
                break;
            }
            missing_from = missing_from.saturating_add(piece.wire);
        }
        IncompleteDatagram {
            protocol: self.upper.map_or(key.protocol, |upper| upper.protocol),
            ip_id: key.id,
            ports: self.upper.and_then(|upper| upper.ports),
            fragments: self.fragments,
            have: self.have,
            total: self.total,
            missing_from,
            first_seen: self.upper.is_some(),
            reason,
            since: self.since,
        }
    }
}

/// Octets `from..to` of a datagram, as far as `octets`, which begin at `start`, hold them.
fn within(octets: &[u8], start: u32, from: u32, to: u32) -> &[u8] {
    let to = up_to(octets, to.saturating_sub(start));
    to.get(from.saturating_sub(start) as usize..).unwrap_or(&[])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn place(id: u32, seconds: i64) -> Place {
        let address = IpAddr::from([192, 0, 2, 1]);
        let frame = FrameRef::new(0, 1);
        Place {
            frame,
            first_frame: frame,
            at: Timestamp::from_parts(seconds, 0),
            interface: 0,
            source: address,
            destination: address,
            ip_id: Some(id),
            ttl: 64,
            fragments: 1,
            ambiguous_overlap: false,
        }
    }

    #[test]
    fn little_is_kept_of_esp() {
        let mut reassembly = Reassembly::new(&Limits::default());
        let octets = [7; 1480];
        for at in 0..10 {
            let fragment = Fragment { offset: 1480 * at, more: true };
            let payload = Payload::cut(&octets, 0);
            reassembly.add(&place(1, 0), ip_protocol::ESP, fragment, payload, &IkePorts::new(&[]), &mut |_| ());
        }
        assert_eq!(reassembly.octets, 10 * PIECE_COST + KEPT_OF_ESP as usize);
    }

    proptest! {
        /// What is held is what is counted, and never more than is allowed.
        #[test]
        fn holds_no_more_than_it_may(
            fragments in prop::collection::vec((0_u32..6, 0_u32..40, 1_usize..400, any::<bool>(), any::<bool>(), 0_i64..9), 1..80),
        ) {
            let limits = Limits {
                reassemblies: 4,
                reassembly_octets: 1500,
                reassembly_time: Duration::from_secs(3),
                ..Limits::default()
            };
            let mut reassembly = Reassembly::new(&limits);
            let ports = IkePorts::new(&[]);
            let mut ike = [0; 400];
            ike[..4].copy_from_slice(&[1, 0xf4, 1, 0xf4]);
            for (id, eighths, len, more, esp, seconds) in fragments {
                let place = place(id, seconds);
                let protocol = if esp { ip_protocol::ESP } else { ip_protocol::UDP };
                let fragment = Fragment { offset: eighths * 8, more };
                reassembly.advance(place.at, &mut |_| ());
                reassembly.add(&place, protocol, fragment, Payload::cut(&ike[..len], 0), &ports, &mut |_| ());
                prop_assert_eq!(reassembly.octets, reassembly.partial.iter().map(|(_, held)| held.cost).sum::<usize>());
                prop_assert!(reassembly.octets <= 1500);
                prop_assert!(reassembly.partial.len() <= 4);
                prop_assert!(reassembly.settled.len() <= 4);
            }
            reassembly.finish(&mut |_| ());
            prop_assert_eq!((reassembly.octets, reassembly.partial.len()), (0, 0));
        }
    }
}
