//! ISAKMP messages: the header and the chain of payloads, the same for both versions (RFC 2408 §3.1, RFC 7296 §3.1).

use super::filler;

pub mod v1;
pub mod v2;

/// A payload before it is chained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Its type, which stands in what precedes it.
    pub payload_type: u8,
    /// IKEv2's critical bit (RFC 7296 §3.2).
    pub critical: bool,
    /// What follows the four octets of the generic payload header.
    pub body: Vec<u8>,
    /// What its own next payload field says if it is not the type of its successor: the first payload inside SK.
    pub next: Option<u8>,
}

impl Payload {
    /// A payload of any type.
    pub fn new(payload_type: u8, body: Vec<u8>) -> Self {
        Self { payload_type, critical: false, body, next: None }
    }

    /// The same, marked critical.
    pub fn critical(mut self) -> Self {
        self.critical = true;
        self
    }

    /// Octets with its generic payload header.
    pub fn length(&self) -> usize {
        4 + self.body.len()
    }
}

/// Octets of `payloads` with their generic payload headers: what an encrypted message holds before padding.
pub fn plain_length(payloads: &[Payload]) -> usize {
    payloads.iter().map(Payload::length).sum()
}

/// `payloads` one after the other, each naming the next.
pub fn chain(payloads: &[Payload]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (index, payload) in payloads.iter().enumerate() {
        let follower = payloads.get(index + 1).map_or(0, |next| next.payload_type);
        octets.push(payload.next.unwrap_or(follower));
        octets.push(if payload.critical { 0x80 } else { 0 });
        octets.extend((payload.length() as u16).to_be_bytes());
        octets.extend(&payload.body);
    }
    octets
}

/// A header without its next payload and length, which follow from what it heads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// Initiator SPI (cookie).
    pub initiator_spi: u64,
    /// Responder SPI (cookie), zero in a first message.
    pub responder_spi: u64,
    /// 0x10 or 0x20.
    pub version: u8,
    /// Exchange type.
    pub exchange_type: u8,
    /// Flags.
    pub flags: u8,
    /// Message id.
    pub message_id: u32,
}

impl Header {
    /// The message that holds `payloads` in clear.
    pub fn message(&self, payloads: &[Payload]) -> Vec<u8> {
        let first = payloads.first().map_or(0, |payload| payload.payload_type);
        self.around(first, &chain(payloads))
    }

    /// The message with `body` behind the header and `next_payload` in it.
    pub fn around(&self, next_payload: u8, body: &[u8]) -> Vec<u8> {
        let mut octets = Vec::with_capacity(28 + body.len());
        octets.extend(self.initiator_spi.to_be_bytes());
        octets.extend(self.responder_spi.to_be_bytes());
        octets.extend([next_payload, self.version, self.exchange_type, self.flags]);
        octets.extend(self.message_id.to_be_bytes());
        octets.extend((28 + body.len() as u32).to_be_bytes());
        octets.extend(body);
        octets
    }
}

/// A data attribute: short ones hold their value where long ones hold their length (RFC 2408 §3.3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attribute {
    /// AF = 1: type and value.
    Tv(u16, u16),
    /// AF = 0: type, length, value.
    Tlv(u16, Vec<u8>),
}

impl Attribute {
    /// As it stands on the wire.
    pub fn octets(&self) -> Vec<u8> {
        match self {
            Self::Tv(kind, value) => [(kind | 0x8000).to_be_bytes(), value.to_be_bytes()].concat(),
            Self::Tlv(kind, value) => [&kind.to_be_bytes()[..], &(value.len() as u16).to_be_bytes(), value].concat(),
        }
    }
}

/// Octets of a public value in `group` (RFC 2409 §6, RFC 3526, RFC 5903, RFC 8031).
pub fn public_value_length(group: u16) -> usize {
    match group {
        1 => 96,
        2 | 22 => 128,
        5 => 192,
        14 | 23 | 24 => 256,
        15 => 384,
        16 => 512,
        17 => 768,
        18 => 1024,
        19 | 28 => 64,
        20 | 29 => 96,
        21 => 132,
        25 => 48,
        26 | 27 => 56,
        30 => 128,
        31 => 32,
        32 => 56,
        _ => panic!("no public value length known for group {group}"),
    }
}

/// A public value in `group`.
pub fn public_value(group: u16, seed: u64) -> Vec<u8> {
    filler::octets(seed, public_value_length(group))
}

/// An IP address's octets, four or sixteen.
pub fn address(ip: std::net::IpAddr) -> Vec<u8> {
    match ip {
        std::net::IpAddr::V4(ip) => ip.octets().to_vec(),
        std::net::IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

/// What NAT detection hashes: both SPIs, the address and the port (RFC 3947 §3.2, RFC 7296 §2.23).
pub fn nat_detection_input(initiator_spi: u64, responder_spi: u64, at: std::net::SocketAddr) -> Vec<u8> {
    [&initiator_spi.to_be_bytes()[..], &responder_spi.to_be_bytes(), &address(at.ip()), &at.port().to_be_bytes()]
        .concat()
}
