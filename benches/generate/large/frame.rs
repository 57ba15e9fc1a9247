//! Frames: Ethernet, 802.1Q, IPv4 or IPv6 with fragments, UDP and TCP with right checksums.
//!
//! Not here: what is in them. Contract: one buffer, used again for every frame.

use std::io::{self, Write};

use super::file::File;

/// IP protocol numbers.
pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const ESP: u8 = 50;
const FRAGMENT: u8 = 44;

/// Octets of an IP packet that fit the link.
const MTU: usize = 1500;

/// The addresses of two hosts: of the one that asks, and of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Addresses {
    /// IPv4.
    V4([[u8; 4]; 2]),
    /// IPv6.
    V6([[u8; 16]; 2]),
}

impl Addresses {
    /// The octets of one of them.
    pub fn of(&self, host: usize) -> &[u8] {
        match self {
            Self::V4(addresses) => &addresses[host],
            Self::V6(addresses) => &addresses[host],
        }
    }
}

/// Between whom frames go, and how.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// Who.
    pub addresses: Addresses,
    /// VLAN id, if frames carry a tag.
    pub vlan: Option<u16>,
}

/// Writes frames.
pub struct Frames<W> {
    /// Where they go.
    pub file: File<W>,
    frame: Vec<u8>,
    segment: Vec<u8>,
    identification: u32,
}

impl<W: Write> Frames<W> {
    /// Into `file`.
    pub fn new(file: File<W>) -> Self {
        Self { file, frame: Vec::with_capacity(1 << 11), segment: Vec::with_capacity(1 << 13), identification: 0 }
    }

    /// A UDP datagram from host `from`, with a checksum or with zero for "none".
    pub fn udp(
        &mut self,
        at: u64,
        route: &Route,
        from: usize,
        ports: [u16; 2],
        payload: &[u8],
        checksum: bool,
    ) -> io::Result<()> {
        let mut segment = std::mem::take(&mut self.segment);
        segment.clear();
        segment.extend(ports[0].to_be_bytes());
        segment.extend(ports[1].to_be_bytes());
        segment.extend((8 + payload.len() as u16).to_be_bytes());
        segment.extend([0, 0]);
        segment.extend(payload);
        if checksum {
            let sum = match upper_checksum(route, UDP, &segment) {
                0 => 0xffff,
                sum => sum,
            };
            segment[6..8].copy_from_slice(&sum.to_be_bytes());
        }
        let done = self.ip(at, route, from, UDP, &segment);
        self.segment = segment;
        done
    }

    /// A TCP segment of an open connection: ACK, and PSH if it carries something.
    pub fn tcp(
        &mut self,
        at: u64,
        route: &Route,
        from: usize,
        ports: [u16; 2],
        (sequence, acknowledged): (u32, u32),
        payload: &[u8],
    ) -> io::Result<()> {
        let mut segment = std::mem::take(&mut self.segment);
        segment.clear();
        segment.extend(ports[0].to_be_bytes());
        segment.extend(ports[1].to_be_bytes());
        segment.extend(sequence.to_be_bytes());
        segment.extend(acknowledged.to_be_bytes());
        segment.extend([0x50, if payload.is_empty() { 0x10 } else { 0x18 }, 0xff, 0xff, 0, 0, 0, 0]);
        segment.extend(payload);
        let sum = upper_checksum(route, TCP, &segment);
        segment[16..18].copy_from_slice(&sum.to_be_bytes());
        let done = self.ip(at, route, from, TCP, &segment);
        self.segment = segment;
        done
    }

    /// An IP packet from host `from`, in fragments if the link asks for it.
    pub fn ip(&mut self, at: u64, route: &Route, from: usize, protocol: u8, payload: &[u8]) -> io::Result<()> {
        self.identification = self.identification.wrapping_add(1);
        let head = if matches!(route.addresses, Addresses::V4(_)) { 20 } else { 40 };
        if head + payload.len() <= MTU {
            return self.packet(at, route, from, protocol, None, payload);
        }
        let room = (MTU - head - if head == 40 { 8 } else { 0 }) / 8 * 8;
        let pieces = payload.len().div_ceil(room);
        for (index, piece) in payload.chunks(room).enumerate() {
            let place = Place { offset: (index * room / 8) as u16, more: index + 1 < pieces };
            self.packet(at, route, from, protocol, Some(place), piece)?;
        }
        Ok(())
    }

    fn packet(
        &mut self,
        at: u64,
        route: &Route,
        from: usize,
        protocol: u8,
        place: Option<Place>,
        payload: &[u8],
    ) -> io::Result<()> {
        self.link(route, from, if matches!(route.addresses, Addresses::V4(_)) { 0x0800 } else { 0x86dd });
        let start = self.frame.len();
        match &route.addresses {
            Addresses::V4(addresses) => {
                let place = place.map_or(0, |place| place.offset | if place.more { 0x2000 } else { 0 });
                self.frame.extend([0x45, 0]);
                self.frame.extend((20 + payload.len() as u16).to_be_bytes());
                self.frame.extend((self.identification as u16).to_be_bytes());
                self.frame.extend(place.to_be_bytes());
                self.frame.extend([if from == 0 { 62 } else { 58 }, protocol, 0, 0]);
                self.frame.extend(addresses[from]);
                self.frame.extend(addresses[1 - from]);
                let sum = fold(sum(&self.frame[start..]));
                self.frame[start + 10..start + 12].copy_from_slice(&sum.to_be_bytes());
            }
            Addresses::V6(addresses) => {
                let extra = if place.is_some() { 8 } else { 0 };
                self.frame.extend([0x60, 0, 0, 0]);
                self.frame.extend((extra + payload.len() as u16).to_be_bytes());
                self.frame.extend([if place.is_some() { FRAGMENT } else { protocol }, if from == 0 { 62 } else { 58 }]);
                self.frame.extend(addresses[from]);
                self.frame.extend(addresses[1 - from]);
                if let Some(place) = place {
                    self.frame.extend([protocol, 0]);
                    self.frame.extend((place.offset << 3 | u16::from(place.more)).to_be_bytes());
                    self.frame.extend(self.identification.to_be_bytes());
                }
            }
        }
        self.frame.extend(payload);
        self.finish(at)
    }

    /// A frame that is not IP.
    pub fn other(&mut self, at: u64, route: &Route, from: usize, ether_type: u16, body: &[u8]) -> io::Result<()> {
        self.link(route, from, ether_type);
        self.frame.extend(body);
        self.finish(at)
    }

    fn link(&mut self, route: &Route, from: usize, ether_type: u16) {
        self.frame.clear();
        self.frame.extend([2, 0, 0, 0, 0, 2 - from as u8]);
        self.frame.extend([2, 0, 0, 0, 0, 1 + from as u8]);
        if let Some(vlan) = route.vlan {
            self.frame.extend([0x81, 0]);
            self.frame.extend(vlan.to_be_bytes());
        }
        self.frame.extend(ether_type.to_be_bytes());
    }

    fn finish(&mut self, at: u64) -> io::Result<()> {
        // Ethernet pads what is shorter
        if self.frame.len() < 60 {
            self.frame.resize(60, 0);
        }
        self.file.packet(at, &self.frame)
    }
}

/// Where a fragment stands, in units of eight octets.
#[derive(Clone, Copy)]
struct Place {
    offset: u16,
    more: bool,
}

/// The checksum of a UDP datagram or TCP segment, over its pseudo-header too (RFC 768, RFC 9293, RFC 8200 §8.1).
fn upper_checksum(route: &Route, protocol: u8, segment: &[u8]) -> u16 {
    let addresses = sum(route.addresses.of(0)) + sum(route.addresses.of(1));
    fold(addresses + u64::from(protocol) + segment.len() as u64 + sum(segment))
}

/// The sum of all 16-bit words (RFC 1071), not yet folded.
pub fn sum(octets: &[u8]) -> u64 {
    let mut words = octets.chunks_exact(4);
    let mut sum = 0_u64;
    for word in &mut words {
        let &[a, b, c, d] = word else { continue };
        sum = sum.wrapping_add(u64::from(u32::from_be_bytes([a, b, c, d])));
    }
    let mut last = [0; 4];
    let rest = words.remainder();
    last[..rest.len()].copy_from_slice(rest);
    // a sum of 32-bit words folds to the same as one of 16-bit words
    sum.wrapping_add(u64::from(u32::from_be_bytes(last)))
}

/// The checksum that a sum comes to.
pub fn fold(mut sum: u64) -> u16 {
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}
