//! Attempts packed: what many negotiations have in common is a template held once, what is an attempt's own (SPIs,
//! addresses, frames, times, message ids) a few dozen octets.
//!
//! Not here: when an attempt is packed. Contract: what was packed comes out as it was; an attempt costs about a hundred
//! octets and its share of the template.

use std::hash::{Hash as _, Hasher as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use hashbrown::HashTable;

use crate::base::{FrameRef, IkeSpi, MessageId, Timestamp};

use super::shared::Sweep;
use crate::track::facts::{Attempt, IkeVersion};

/// Octets that hold the two SPIs, in front.
const SPIS: usize = 16;

/// What an address and port are in a template.
pub(in crate::track) const NOWHERE: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0);

/// An attempt, packed.
#[derive(Debug, Clone)]
pub(in crate::track) struct PackedAttempt {
    template: Arc<Attempt>,
    octets: Box<[u8]>,
    /// Octets, about, that it holds alone besides these.
    alone: u32,
}

/// Templates by their content.
#[derive(Debug, Default)]
pub(in crate::track) struct Templates {
    known: HashTable<Arc<Attempt>>,
    sweep: Sweep,
}

impl Templates {
    /// Octets that templates may take, about, to be found again.
    const ROOM: usize = 16 << 20;

    /// The one allocation that holds what `attempt` holds, and what it takes of octets if it is not kept here.
    fn share(&mut self, attempt: Attempt) -> (Arc<Attempt>, usize) {
        let hash = fingerprint(&attempt);
        if let Some(known) = self.known.find(hash, |known| **known == attempt) {
            return (Arc::clone(known), 0);
        }
        let new = Arc::new(attempt);
        if self.sweep.is_due(weight(&new), self.known.len(), Self::ROOM) {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.sweep.held = self.known.iter().map(|known| weight(known)).sum();
        }
        if self.sweep.admits(weight(&new), Self::ROOM) {
            self.known.insert_unique(hash, Arc::clone(&new), |known| fingerprint(known));
            (new, 0)
        } else {
            let alone = weight(&new);
            (new, alone)
        }
    }
}

/// Octets that a template takes, about, without what others share.
pub(in crate::track) fn weight(attempt: &Attempt) -> usize {
    let messages = attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
    let messages = messages.map(|message| size_of_val(message) + size_of_val(&*message.repeats));
    size_of_val(attempt) + size_of_val(&*attempt.exchanges) + messages.sum::<usize>()
}

/// A hash of everything in which templates can differ, so that nobody can make many that collide. Lists that are held
/// once are told apart by where they are held.
pub(in crate::track) fn fingerprint(attempt: &Attempt) -> u64 {
    let mut hasher = crate::track::hasher();
    let place = |list: &Arc<[_]>| Arc::as_ptr(list).addr();
    let [ours, theirs] = &attempt.vendor_ids;
    (attempt.version, attempt.mode, attempt.stage, attempt.waiting_for, attempt.nat).hash(&mut hasher);
    (attempt.midstream, attempt.roles_known, attempt.rekeyed_from, attempt.messages_forgotten).hash(&mut hasher);
    (attempt.phase1_up.is_some(), attempt.phase2_up.is_some(), attempt.exchanges.len()).hash(&mut hasher);
    (Arc::as_ptr(&attempt.offered).addr(), place(ours), place(theirs)).hash(&mut hasher);
    attempt.chosen.as_ref().map(|chosen| Arc::as_ptr(chosen).addr()).hash(&mut hasher);
    for step in &attempt.moves {
        step.side.hash(&mut hasher);
    }
    for exchange in &attempt.exchanges {
        (exchange.kind, exchange.started_by, exchange.messages.len()).hash(&mut hasher);
        for message in &exchange.messages {
            (message.label, message.from, message.length, message.encrypted, message.flags).hash(&mut hasher);
            (message.encapsulation, message.non_esp_marker, message.ip_fragments).hash(&mut hasher);
            (message.ike_fragments, message.ike_fragments_missing, message.fault, message.own_cookie).hash(&mut hasher);
            message.ike_fragments_elsewhere.hash(&mut hasher);
            (message.repeat_count, message.recorded_again, message.repeats.len()).hash(&mut hasher);
            for repeat in &message.repeats {
                (repeat.changed, repeat.missing).hash(&mut hasher);
            }
            Arc::as_ptr(&message.carried).addr().hash(&mut hasher);
        }
    }
    hasher.finish()
}

impl PackedAttempt {
    /// Packs an attempt of the pair of `ends`, which holds `alone` octets alone. `rest` is what follows in the same octets.
    pub(in crate::track) fn pack(
        mut attempt: Attempt,
        alone: usize,
        ends: (IpAddr, IpAddr),
        templates: &mut Templates,
        rest: &[u8],
    ) -> Self {
        let mut pen = Writer { octets: Vec::with_capacity(160), memory: Memory::new(ends) };
        walk(&mut attempt, &mut pen);
        let mut octets = pen.octets;
        octets.extend_from_slice(rest);
        let (template, more) = templates.share(attempt);
        Self { template, octets: octets.into(), alone: u32::try_from(alone + more).unwrap_or(u32::MAX) }
    }

    /// The attempt as it was.
    pub(in crate::track) fn unpack(&self, ends: (IpAddr, IpAddr)) -> (Attempt, &[u8]) {
        let mut attempt = Attempt::clone(&self.template);
        let rest = self.fill(&mut attempt, ends);
        (attempt, rest)
    }

    /// Fills an attempt that was made from the same template. Answers what follows in the octets.
    pub(in crate::track) fn fill(&self, attempt: &mut Attempt, ends: (IpAddr, IpAddr)) -> &[u8] {
        let mut pen = Reader { octets: &self.octets, memory: Memory::new(ends) };
        walk(attempt, &mut pen);
        pen.octets
    }

    /// Octets, about, that it holds alone.
    pub(in crate::track) fn alone(&self) -> usize {
        self.alone as usize + self.octets.len()
    }

    /// When and in which frame it begins.
    pub(in crate::track) fn beginning(&self, ends: (IpAddr, IpAddr)) -> (Timestamp, FrameRef) {
        let mut pen = Reader { octets: self.octets.get(SPIS..).unwrap_or_default(), memory: Memory::new(ends) };
        let (mut endpoint, mut frame, mut at) = (NOWHERE, FrameRef::new(0, 0), Timestamp::default());
        pen.endpoint(&mut endpoint);
        pen.endpoint(&mut endpoint);
        pen.place(&mut frame, &mut at);
        (at, frame)
    }

    /// What it was made from.
    pub(in crate::track) fn template(&self) -> &Arc<Attempt> {
        &self.template
    }

    /// Version and SPIs.
    pub(in crate::track) fn spis(&self) -> (IkeVersion, IkeSpi, IkeSpi) {
        let spi = |at: usize| {
            let octets = self.octets.get(at..at + 8).and_then(|octets| octets.try_into().ok());
            IkeSpi(octets.map_or(0, u64::from_le_bytes))
        };
        (self.template.version, spi(0), spi(SPIS / 2))
    }
}

/// Passes over everything that is an attempt's own, in the same order for writing and for reading.
fn walk(attempt: &mut Attempt, pen: &mut impl Pen) {
    pen.spi(&mut attempt.initiator_spi);
    pen.spi(&mut attempt.responder_spi);
    pen.endpoint(&mut attempt.initiator);
    pen.endpoint(&mut attempt.responder);
    pen.place(&mut attempt.first_frame, &mut attempt.first);
    for exchange in &mut attempt.exchanges {
        pen.id(&mut exchange.message_id);
        for message in &mut exchange.messages {
            pen.place(&mut message.frame, &mut message.at);
            pen.endpoint(&mut message.source);
            pen.endpoint(&mut message.destination);
            for repeat in &mut message.repeats {
                pen.place(&mut repeat.frame, &mut repeat.at);
            }
        }
    }
    for step in &mut attempt.moves {
        pen.place(&mut step.frame, &mut step.at);
        pen.endpoint(&mut step.to);
    }
    if let Some(frame) = &mut attempt.nat.mismatch_frame {
        pen.frame(frame);
    }
    for at in [&mut attempt.phase1_up, &mut attempt.phase2_up, &mut attempt.forgotten_until].into_iter().flatten() {
        pen.time(at);
    }
    pen.place(&mut attempt.last_frame, &mut attempt.last);
}

/// Writes a value and blanks it, or reads it back.
trait Pen {
    fn spi(&mut self, spi: &mut IkeSpi);
    fn id(&mut self, id: &mut MessageId);
    fn frame(&mut self, frame: &mut FrameRef);
    fn time(&mut self, at: &mut Timestamp);
    fn endpoint(&mut self, endpoint: &mut SocketAddr);

    fn place(&mut self, frame: &mut FrameRef, at: &mut Timestamp) {
        self.frame(frame);
        self.time(at);
    }
}

/// What was passed last: the next value is written as its difference from that.
struct Memory {
    ends: (IpAddr, IpAddr),
    frame: FrameRef,
    at: Timestamp,
    /// The first endpoints that were passed.
    endpoints: [SocketAddr; Self::ENDPOINTS],
    known: usize,
}

impl Memory {
    const ENDPOINTS: usize = 6;

    fn new(ends: (IpAddr, IpAddr)) -> Self {
        Self {
            ends,
            frame: FrameRef::new(0, 0),
            at: Timestamp::default(),
            endpoints: [NOWHERE; Self::ENDPOINTS],
            known: 0,
        }
    }

    fn learn(&mut self, endpoint: SocketAddr) {
        if let Some(slot) = self.endpoints.get_mut(self.known) {
            *slot = endpoint;
            self.known += 1;
        }
    }
}

/// Codes of an address: an endpoint passed before by its index, else one of these and what follows.
const FIRST_END: u8 = 0xf0;
const SECOND_END: u8 = 0xf1;
const OTHER_V4: u8 = 0xf2;
const OTHER_V6: u8 = 0xf3;

pub(in crate::track) struct Writer {
    octets: Vec<u8>,
    memory: Memory,
}

impl Pen for Writer {
    fn spi(&mut self, spi: &mut IkeSpi) {
        self.octets.extend_from_slice(&spi.0.to_le_bytes());
        *spi = IkeSpi(0);
    }

    fn id(&mut self, id: &mut MessageId) {
        put(&mut self.octets, u64::from(id.0));
        *id = MessageId(0);
    }

    fn frame(&mut self, frame: &mut FrameRef) {
        let before = std::mem::replace(&mut self.memory.frame, *frame);
        let moved = zigzag(frame.frame.wrapping_sub(before.frame) as i64);
        let elsewhere = before.capture != frame.capture;
        // one bit tells whether a capture follows; the topmost bit of a difference that large does not exist
        put(&mut self.octets, moved << 1 | u64::from(elsewhere));
        if elsewhere {
            put(&mut self.octets, u64::from(frame.capture));
        }
        *frame = FrameRef::new(0, 0);
    }

    fn time(&mut self, at: &mut Timestamp) {
        let before = std::mem::replace(&mut self.memory.at, *at);
        put(&mut self.octets, zigzag(at.as_nanos().wrapping_sub(before.as_nanos())));
        *at = Timestamp::default();
    }

    fn endpoint(&mut self, endpoint: &mut SocketAddr) {
        let value = std::mem::replace(endpoint, NOWHERE);
        let known = self.memory.endpoints.iter().take(self.memory.known).position(|known| *known == value);
        if let Some(index) = known {
            self.octets.push(index as u8);
            return;
        }
        self.memory.learn(value);
        match value.ip() {
            ip if ip == self.memory.ends.0 => self.octets.push(FIRST_END),
            ip if ip == self.memory.ends.1 => self.octets.push(SECOND_END),
            IpAddr::V4(ip) => {
                self.octets.push(OTHER_V4);
                self.octets.extend_from_slice(&ip.octets());
            }
            IpAddr::V6(ip) => {
                self.octets.push(OTHER_V6);
                self.octets.extend_from_slice(&ip.octets());
            }
        }
        self.octets.extend_from_slice(&value.port().to_le_bytes());
    }
}

pub(in crate::track) struct Reader<'a> {
    octets: &'a [u8],
    memory: Memory,
}

impl Reader<'_> {
    fn array<const N: usize>(&mut self) -> [u8; N] {
        match self.octets.split_first_chunk() {
            Some((array, rest)) => {
                self.octets = rest;
                *array
            }
            None => [0; N],
        }
    }
}

impl Pen for Reader<'_> {
    fn spi(&mut self, spi: &mut IkeSpi) {
        *spi = IkeSpi(u64::from_le_bytes(self.array()));
    }

    fn id(&mut self, id: &mut MessageId) {
        *id = MessageId(take(&mut self.octets) as u32);
    }

    fn frame(&mut self, frame: &mut FrameRef) {
        let moved = take(&mut self.octets);
        let known = &mut self.memory.frame;
        known.frame = known.frame.wrapping_add(unzigzag(moved >> 1) as u64);
        if moved & 1 == 1 {
            known.capture = take(&mut self.octets) as u32;
        }
        *frame = *known;
    }

    fn time(&mut self, at: &mut Timestamp) {
        let moved = unzigzag(take(&mut self.octets));
        self.memory.at = Timestamp::from_nanos(self.memory.at.as_nanos().wrapping_add(moved));
        *at = self.memory.at;
    }

    fn endpoint(&mut self, endpoint: &mut SocketAddr) {
        let [code] = self.array();
        let ip = match code {
            FIRST_END => self.memory.ends.0,
            SECOND_END => self.memory.ends.1,
            OTHER_V4 => IpAddr::from(self.array::<4>()),
            OTHER_V6 => IpAddr::from(self.array::<16>()),
            index => {
                *endpoint = self.memory.endpoints.get(usize::from(index)).copied().unwrap_or(NOWHERE);
                return;
            }
        };
        *endpoint = SocketAddr::new(ip, u16::from_le_bytes(self.array()));
        self.memory.learn(*endpoint);
    }
}

/// Small numbers of either sign as small numbers.
#[inline]
pub(in crate::track) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)) as u64
}

/// What was [zigzagged](zigzag).
#[inline]
pub(in crate::track) const fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

/// Writes a number seven bits an octet, the lowest first.
pub(in crate::track) fn put(octets: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        octets.push(value as u8 | 0x80);
        value >>= 7;
    }
    octets.push(value as u8);
}

/// Reads what [`put`] wrote.
pub(in crate::track) fn take(octets: &mut &[u8]) -> u64 {
    let mut value = 0;
    let mut shift = 0;
    while let Some((&octet, rest)) = octets.split_first() {
        *octets = rest;
        value |= u64::from(octet & 0x7f).checked_shl(shift).unwrap_or(0);
        shift += 7;
        if octet < 0x80 {
            break;
        }
    }
    value
}
