//! What is not ours and still says something about us: packets in clear between private networks, L2TP in clear, DNS
//! answers that are none.
//!
//! Contract: a fixed table and no allocation; a frame whose addresses are not both private costs a few comparisons.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::{FrameRef, Timestamp};

use super::octets::{be8, be16};
use super::place::Place;
use super::{Aside, Body, Datagram, Sink};

/// Pairs of networks that are counted.
const NETWORKS: usize = 256;
/// L2TP (RFC 2661 §8.1).
pub(super) const L2TP: u16 = 1701;
/// DNS (RFC 1035 §4.2).
pub(super) const DNS: u16 = 53;

/// Packets between private networks of different sites, by /24.
#[derive(Debug, Default)]
pub(super) struct ClearTraffic {
    seen: Vec<Option<Entry>>,
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    source: u32,
    destination: u32,
    interface: u32,
    count: u64,
    first_frame: FrameRef,
    last: Timestamp,
}

impl ClearTraffic {
    /// Counts a frame, which came at `at` over `interface` and travels between these private addresses in different networks. Told on its first packet,
    /// and then each time the count has doubled.
    #[inline]
    pub fn count(
        &mut self,
        (frame, at, interface): (FrameRef, Timestamp, u32),
        (source, destination): (u32, u32),
        sink: &mut impl FnMut(&Datagram<'_>),
    ) {
        if self.seen.is_empty() {
            self.seen.resize(NETWORKS, None);
        }
        let (from, to) = (source >> 8, destination >> 8);
        let slot = (from.wrapping_mul(0x9e37_79b1) ^ to.wrapping_mul(0x85eb_ca6b)) >> 24;
        let Some(entry) = self.seen.get_mut(slot as usize) else { return };
        match entry {
            Some(entry) if (entry.source >> 8, entry.destination >> 8) == (from, to) => {
                entry.count += 1;
                entry.last = at;
                if entry.count.is_power_of_two() {
                    entry.tell(sink);
                }
            }
            // Another pair of networks holds the place: what is counted is a sample, not a census.
            Some(_) => {}
            None => {
                let entry =
                    entry.insert(Entry { source, destination, interface, count: 1, first_frame: frame, last: at });
                entry.tell(sink);
            }
        }
    }

    /// Tells the final counts.
    pub fn finish(&mut self, sink: &mut Sink<'_>) {
        for entry in self.seen.iter().flatten() {
            entry.tell(sink);
        }
    }
}

impl Entry {
    fn tell(&self, sink: &mut Sink<'_>) {
        let place = Place {
            frame: self.first_frame,
            first_frame: self.first_frame,
            at: self.last,
            interface: self.interface,
            source: IpAddr::V4(Ipv4Addr::from_bits(self.source)),
            destination: IpAddr::V4(Ipv4Addr::from_bits(self.destination)),
            ip_id: None,
            ttl: 0,
            fragments: 1,
            ambiguous_overlap: false,
        };
        sink(&place.datagram(0, Body::Aside(Aside::ClearPrivate { count: self.count })));
    }
}

/// Whether both addresses are private and in different /24 (RFC 1918).
#[inline(always)]
pub(super) fn are_private_apart(source: u32, destination: u32) -> bool {
    source >> 8 != destination >> 8 && is_private(source) && is_private(destination)
}

/// The same of addresses of any family.
pub(super) fn are_apart(source: IpAddr, destination: IpAddr) -> bool {
    match (source, destination) {
        (IpAddr::V4(source), IpAddr::V4(destination)) => are_private_apart(source.to_bits(), destination.to_bits()),
        _ => false,
    }
}

#[inline(always)]
fn is_private(address: u32) -> bool {
    address >> 24 == 10 || address >> 20 == 0xac1 || address >> 16 == 0xc0a8
}

/// What a DNS answer for an address says, if it gives none (RFC 1035 §4.1): the code, and the name as it stands on the
/// wire.
pub(super) fn failed_lookup(message: &[u8]) -> Option<Aside<'_>> {
    const HEADER_LEN: usize = 12;
    const RESPONSE: u8 = 0x80;
    const ADDRESS_TYPES: [u16; 2] = [1, 28];
    let (flags, code) = (be8(message, 2)?, be8(message, 3)? & 0x0f);
    let (questions, answers) = (be16(message, 4)?, be16(message, 6)?);
    if flags & RESPONSE == 0 || questions != 1 || (code == 0 && answers > 0) {
        return None;
    }
    let question = message.get(HEADER_LEN..)?;
    let mut end = 0;
    loop {
        match usize::from(be8(question, end)?) {
            0 => break,
            label @ 1..=63 => end += label + 1,
            _ => return None,
        }
    }
    let name = question.get(..end)?;
    let asked = be16(question, end + 1)?;
    (name.len() <= 255 && ADDRESS_TYPES.contains(&asked)).then_some(Aside::DnsFailure { code, name })
}
