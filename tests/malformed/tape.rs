//! A capture datagram by datagram: no story, no peers that mean well, only what stands on the wire.
//!
//! Sub-case `n` comes from 203.0.113.`n` and goes to 198.51.100.7, a second after the one before, so that every case is
//! a pair of its own and frame numbers count the cases.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::support::packet::{self, Ip};
use crate::support::story::START;
use crate::support::{Capture, Header, Link, Payload, v1, v2};

/// Who is written to.
pub const RESPONDER: IpAddr = IpAddr::V4(Ipv4Addr::new(198, 51, 100, 7));

/// Who writes case `n`.
pub fn peer(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(203, 0, 113, n))
}

/// A capture under construction.
#[derive(Debug, Clone)]
pub struct Tape {
    capture: Capture,
    clock: u64,
    id: u16,
}

impl Tape {
    /// An empty one on Ethernet.
    pub fn new() -> Self {
        Self { capture: Capture::new(), clock: START, id: 0 }
    }

    /// The next packet comes this much later, in nanoseconds, beside the second that passes anyway.
    pub fn wait(mut self, nanos: u64) -> Self {
        self.clock += nanos;
        self
    }

    /// The next packet comes at once: the second does not pass.
    pub fn at_once(mut self) -> Self {
        self.clock -= 1_000_000_000;
        self
    }

    /// The IP identification of the next packet.
    pub fn numbered(mut self, id: u16) -> Self {
        self.id = id.wrapping_sub(1);
        self
    }

    /// Any octets as an IP packet.
    pub fn packet(mut self, octets: &[u8]) -> Self {
        self.capture.record(self.clock, octets);
        self.clock += 1_000_000_000;
        self
    }

    /// `payload` of an IP protocol.
    pub fn ip(mut self, source: IpAddr, destination: IpAddr, protocol: u8, payload: &[u8]) -> Self {
        let packet = self.header(source, destination).packet(protocol, payload);
        self.packet(&packet)
    }

    /// A UDP datagram.
    pub fn between(self, source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Self {
        let datagram = packet::udp(source, destination, payload);
        self.ip(source.ip(), destination.ip(), packet::UDP, &datagram)
    }

    /// Case `n` on this port at both ends.
    pub fn on(self, n: u8, port: u16, payload: &[u8]) -> Self {
        self.between(SocketAddr::new(peer(n), port), SocketAddr::new(RESPONDER, port), payload)
    }

    /// Case `n` on port 500.
    pub fn says(self, n: u8, message: &[u8]) -> Self {
        self.on(n, 500, message)
    }

    /// The answer to case `n` on port 500.
    pub fn hears(self, n: u8, message: &[u8]) -> Self {
        self.between(SocketAddr::new(RESPONDER, 500), SocketAddr::new(peer(n), 500), message)
    }

    /// One IP fragment of case `n`, `offset` in octets.
    pub fn fragment(mut self, n: u8, offset: u16, more: bool, payload: &[u8]) -> Self {
        let mut packet = self.header(peer(n), RESPONDER).packet(packet::UDP, payload);
        packet[6..8].copy_from_slice(&((offset / 8) | if more { 0x2000 } else { 0 }).to_be_bytes());
        packet[10..12].fill(0);
        let sum = packet::checksum(&packet[..20]);
        packet[10..12].copy_from_slice(&sum.to_be_bytes());
        self.packet(&packet)
    }

    fn header(&mut self, source: IpAddr, destination: IpAddr) -> Ip {
        self.id = self.id.wrapping_add(1);
        Ip { source, destination, id: self.id, ttl: 64 }
    }

    /// All frames.
    pub fn capture(self) -> Capture {
        self.capture
    }

    /// All frames as a pcap file.
    pub fn pcap(self) -> Vec<u8> {
        self.capture.pcap()
    }

    /// The IP packet that was recorded last.
    pub fn last_packet(&self) -> Vec<u8> {
        let frame = self.capture.frames.last().expect("a frame");
        Link::Ethernet.unwrap(&frame.octets).expect("an IP packet").to_vec()
    }
}

/// The header of an IKE_SA_INIT request of case `n`.
pub fn v2_header(n: u8) -> Header {
    Header {
        initiator_spi: 0x2200_0000_0000_0000 | u64::from(n),
        responder_spi: 0,
        version: 0x20,
        exchange_type: v2::exchange::SA_INIT,
        flags: v2::INITIATOR,
        message_id: 0,
    }
}

/// The header of a Main Mode message 1 of case `n`.
pub fn v1_header(n: u8) -> Header {
    Header {
        initiator_spi: 0x1100_0000_0000_0000 | u64::from(n),
        responder_spi: 0,
        version: 0x10,
        exchange_type: v1::exchange::MAIN,
        flags: 0,
        message_id: 0,
    }
}

/// A whole IKE_SA_INIT request of case `n`: SA, KE of Curve25519, Nonce. 28 + 48 + 40 + 36 octets.
pub fn v2_init(n: u8) -> Vec<u8> {
    v2_header(n).message(&v2_payloads())
}

/// Its payloads.
pub fn v2_payloads() -> Vec<Payload> {
    vec![v2::sa(&[v2::ike_cbc(31)]), v2::key_exchange(31, 1), v2::nonce(32, 2)]
}

/// A whole Main Mode message 1 of case `n`: an SA with one transform.
pub fn v1_init(n: u8) -> Vec<u8> {
    v1_header(n).message(&[v1_sa()])
}

/// Its SA payload.
pub fn v1_sa() -> Payload {
    v1::phase1_sa(&[crate::support::story::usual_transform()])
}

/// The message with other octets from `at` on.
pub fn with(mut message: Vec<u8>, at: usize, octets: &[u8]) -> Vec<u8> {
    message[at..at + octets.len()].copy_from_slice(octets);
    message
}
