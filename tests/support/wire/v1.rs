//! IKEv1 payloads and encrypted messages (RFC 2407, RFC 2408, RFC 2409, RFC 3706, RFC 3947).

use std::net::{IpAddr, SocketAddr};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use super::{Attribute, Header, Payload, address, nat_detection_input, plain_length, public_value};
use crate::support::filler;

/// Exchange types (RFC 2408 §3.1, RFC 2409 appendix A; Transaction is Mode Config's).
pub mod exchange {
    pub const BASE: u8 = 1;
    pub const MAIN: u8 = 2;
    pub const AGGRESSIVE: u8 = 4;
    pub const INFORMATIONAL: u8 = 5;
    pub const TRANSACTION: u8 = 6;
    pub const QUICK: u8 = 32;
    pub const NEW_GROUP: u8 = 33;
}

/// Flag bits (RFC 2408 §3.1).
pub const ENCRYPTED: u8 = 1;
pub const COMMIT: u8 = 2;

// Encryption algorithms (RFC 2409 appendix A).
pub const DES_CBC: u16 = 1;
pub const BLOWFISH_CBC: u16 = 3;
pub const TRIPLE_DES: u16 = 5;
pub const AES_CBC: u16 = 7;

// Hash algorithms.
pub const MD5: u16 = 1;
pub const SHA1: u16 = 2;
pub const SHA2_256: u16 = 4;
pub const SHA2_384: u16 = 5;
pub const SHA2_512: u16 = 6;

// Authentication methods.
pub const PSK: u16 = 1;
pub const RSA_SIG: u16 = 3;
pub const XAUTH_INIT_PSK: u16 = 65001;

// Protocol ids (RFC 2407 §4.4.1).
pub const PROTO_ISAKMP: u8 = 1;
pub const PROTO_AH: u8 = 2;
pub const PROTO_ESP: u8 = 3;

// Notify message types (RFC 2408 §3.14.1, RFC 2407 §4.6.3, RFC 3706 §5.1).
pub const INVALID_PAYLOAD_TYPE: u16 = 1;
pub const INVALID_COOKIE: u16 = 4;
pub const INVALID_MAJOR_VERSION: u16 = 5;
pub const INVALID_EXCHANGE_TYPE: u16 = 7;
pub const INVALID_SPI: u16 = 11;
pub const NO_PROPOSAL_CHOSEN: u16 = 14;
pub const PAYLOAD_MALFORMED: u16 = 16;
pub const INVALID_KEY_INFORMATION: u16 = 17;
pub const INVALID_ID_INFORMATION: u16 = 18;
pub const AUTHENTICATION_FAILED: u16 = 24;
pub const RESPONDER_LIFETIME: u16 = 24576;
pub const INITIAL_CONTACT: u16 = 24578;
pub const R_U_THERE: u16 = 36136;
pub const R_U_THERE_ACK: u16 = 36137;

/// Vendor id of RFC 3947: MD5 of "RFC 3947".
pub fn vid_nat_t() -> Payload {
    vendor_id(&Md5::digest(b"RFC 3947"))
}

/// Vendor id of Dead Peer Detection 1.0 (RFC 3706 §5.1).
pub fn vid_dpd() -> Payload {
    vendor_id(&[0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 1, 0])
}

/// Vendor id of XAUTH (draft-beaulieu-ike-xauth).
pub fn vid_xauth() -> Payload {
    vendor_id(&[0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12])
}

/// Vendor id of proprietary fragmentation: MD5 of "FRAGMENTATION" and capabilities.
pub fn vid_fragmentation() -> Payload {
    vendor_id(&[&Md5::digest(b"FRAGMENTATION")[..], &[0x80, 0, 0, 0]].concat())
}

/// A transform: its number follows from its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// Transform id.
    pub id: u8,
    /// Its attributes.
    pub attributes: Vec<Attribute>,
}

impl Transform {
    /// The short value of attribute `kind`.
    pub fn value(&self, kind: u16) -> Option<u16> {
        self.attributes.iter().find_map(|attribute| match attribute {
            Attribute::Tv(this, value) if *this == kind => Some(*value),
            _ => None,
        })
    }
}

/// A phase 1 transform with a lifetime of eight hours; `key_length` 0 leaves that attribute out (RFC 2409 appendix A).
pub fn transform(encryption: u16, key_length: u16, hash: u16, authentication: u16, group: u16) -> Transform {
    let mut attributes = vec![Attribute::Tv(1, encryption)];
    if key_length > 0 {
        attributes.push(Attribute::Tv(14, key_length));
    }
    attributes.extend([
        Attribute::Tv(2, hash),
        Attribute::Tv(4, group),
        Attribute::Tv(3, authentication),
        Attribute::Tv(11, 1),
        Attribute::Tv(12, 28_800),
    ]);
    Transform { id: 1, attributes }
}

/// A phase 2 transform in tunnel mode: `id` 12 is AES, 3 is 3DES; `authentication` 5 is HMAC-SHA2-256, 2 HMAC-SHA1;
/// `group` 0 means no PFS (RFC 2407 §4.4.4, §4.5).
pub fn ipsec_transform(id: u8, key_length: u16, authentication: u16, group: u16) -> Transform {
    let mut attributes = vec![Attribute::Tv(1, 1), Attribute::Tlv(2, 3600_u32.to_be_bytes().to_vec())];
    if group > 0 {
        attributes.push(Attribute::Tv(3, group));
    }
    attributes.extend([Attribute::Tv(4, 1), Attribute::Tv(5, authentication)]);
    if key_length > 0 {
        attributes.push(Attribute::Tv(6, key_length));
    }
    Transform { id, attributes }
}

/// A proposal: its number follows from its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Protocol id.
    pub protocol: u8,
    /// SPI, none in phase 1.
    pub spi: Vec<u8>,
    /// The transforms it offers.
    pub transforms: Vec<Transform>,
}

/// An SA payload, DOI IPSEC and SIT_IDENTITY_ONLY (RFC 2407 §4.6.1, RFC 2408 §3.4 to §3.6).
pub fn sa(proposals: &[Proposal]) -> Payload {
    let mut body = vec![0, 0, 0, 1, 0, 0, 0, 1];
    for (place, proposal) in proposals.iter().enumerate() {
        let mut transforms = Vec::new();
        for (place, transform) in proposal.transforms.iter().enumerate() {
            let attributes: Vec<u8> = transform.attributes.iter().flat_map(Attribute::octets).collect();
            transforms.extend([if place + 1 < proposal.transforms.len() { 3 } else { 0 }, 0]);
            transforms.extend((8 + attributes.len() as u16).to_be_bytes());
            transforms.extend([place as u8 + 1, transform.id, 0, 0]);
            transforms.extend(attributes);
        }
        body.extend([if place + 1 < proposals.len() { 2 } else { 0 }, 0]);
        body.extend((8 + (proposal.spi.len() + transforms.len()) as u16).to_be_bytes());
        body.extend([place as u8 + 1, proposal.protocol, proposal.spi.len() as u8, proposal.transforms.len() as u8]);
        body.extend(&proposal.spi);
        body.extend(transforms);
    }
    Payload::new(1, body)
}

/// A phase 1 SA payload: one proposal with `transforms`.
pub fn phase1_sa(transforms: &[Transform]) -> Payload {
    sa(&[Proposal { protocol: PROTO_ISAKMP, spi: Vec::new(), transforms: transforms.to_vec() }])
}

/// A KE payload with a public value of `group`'s size (RFC 2408 §3.7).
pub fn key_exchange(group: u16, seed: u64) -> Payload {
    Payload::new(4, public_value(group, seed))
}

/// A nonce of `length` octets (RFC 2408 §3.13).
pub fn nonce(length: usize, seed: u64) -> Payload {
    Payload::new(10, filler::octets(seed, length))
}

/// An ID payload for any protocol and port: type 1 address, 2 name, 3 user name, 4 subnet, 9 DN, 11 key id (RFC 2407 §4.6.2).
pub fn identification(id_type: u8, data: &[u8]) -> Payload {
    Payload::new(5, [&[id_type, 0, 0, 0], data].concat())
}

/// An ID payload with an address (ID_IPV4_ADDR or ID_IPV6_ADDR).
pub fn id_address(ip: IpAddr) -> Payload {
    identification(if ip.is_ipv4() { 1 } else { 5 }, &address(ip))
}

/// An ID payload with an IPv4 subnet.
pub fn id_subnet(network: [u8; 4], mask: [u8; 4]) -> Payload {
    identification(4, &[network, mask].concat())
}

/// A CERT payload with an X.509 signature certificate of `length` octets (RFC 2408 §3.9).
pub fn certificate(length: usize, seed: u64) -> Payload {
    Payload::new(6, [vec![4], filler::octets(seed, length)].concat())
}

/// A CR payload naming an authority in `length` octets (RFC 2408 §3.10).
pub fn certificate_request(length: usize, seed: u64) -> Payload {
    Payload::new(7, [vec![4], filler::octets(seed, length)].concat())
}

/// A HASH payload of `length` octets.
pub fn hash(length: usize, seed: u64) -> Payload {
    Payload::new(8, filler::octets(seed, length))
}

/// A SIG payload of `length` octets.
pub fn signature(length: usize, seed: u64) -> Payload {
    Payload::new(9, filler::octets(seed, length))
}

/// A notify of the ISAKMP SA without SPI (RFC 2408 §3.14).
pub fn notify(message_type: u16) -> Payload {
    notify_about(PROTO_ISAKMP, &[], message_type, &[])
}

/// Any notify.
pub fn notify_about(protocol: u8, spi: &[u8], message_type: u16, data: &[u8]) -> Payload {
    let mut body = vec![0, 0, 0, 1, protocol, spi.len() as u8];
    body.extend(message_type.to_be_bytes());
    body.extend(spi);
    body.extend(data);
    Payload::new(11, body)
}

/// A delete of IPsec SAs of `protocol` (RFC 2408 §3.15).
pub fn delete_ipsec(protocol: u8, spis: &[u32]) -> Payload {
    let mut body = vec![0, 0, 0, 1, protocol, 4];
    body.extend((spis.len() as u16).to_be_bytes());
    body.extend(spis.iter().flat_map(|spi| spi.to_be_bytes()));
    Payload::new(12, body)
}

/// A delete of the ISAKMP SA with these cookies.
pub fn delete_isakmp(initiator_spi: u64, responder_spi: u64) -> Payload {
    let mut body = vec![0, 0, 0, 1, PROTO_ISAKMP, 16, 0, 1];
    body.extend(cookies(initiator_spi, responder_spi));
    Payload::new(12, body)
}

/// Both cookies, the SPI of the ISAKMP SA.
pub fn cookies(initiator_spi: u64, responder_spi: u64) -> Vec<u8> {
    [initiator_spi.to_be_bytes(), responder_spi.to_be_bytes()].concat()
}

/// A VID payload.
pub fn vendor_id(data: &[u8]) -> Payload {
    Payload::new(13, data.to_vec())
}

/// A NAT-D payload for the address `at`, hashed with phase 1's hash algorithm (RFC 3947 §3.2).
pub fn nat_d(hash: u16, initiator_spi: u64, responder_spi: u64, at: SocketAddr) -> Payload {
    let input = nat_detection_input(initiator_spi, responder_spi, at);
    let digest = match hash {
        MD5 => Md5::digest(input).to_vec(),
        SHA1 => Sha1::digest(input).to_vec(),
        SHA2_256 => Sha256::digest(input).to_vec(),
        SHA2_384 => Sha384::digest(input).to_vec(),
        SHA2_512 => Sha512::digest(input).to_vec(),
        other => panic!("no hash algorithm {other}"),
    };
    Payload::new(20, digest)
}

/// An Attributes payload of a Transaction: `cfg_type` 1 request, 2 reply, 3 set, 4 acknowledge (draft-dukes-ike-mode-cfg).
pub fn attributes(cfg_type: u8, identifier: u16, attributes: &[Attribute]) -> Payload {
    let mut body = vec![cfg_type, 0];
    body.extend(identifier.to_be_bytes());
    body.extend(attributes.iter().flat_map(Attribute::octets));
    Payload::new(14, body)
}

/// One proprietary fragment of a message (Cisco, Microsoft: payload 132).
pub fn fragment(id: u16, number: u8, last: bool, data: &[u8]) -> Payload {
    Payload::new(132, [&id.to_be_bytes()[..], &[number, u8::from(last)], data].concat())
}

/// `message` as fragments whose own messages have at most `size` octets; all but the last are as long as they can be.
pub fn fragments(message: &[u8], id: u16, header: &Header, size: usize) -> Vec<Vec<u8>> {
    let header = Header { flags: 0, ..*header };
    let pieces: Vec<&[u8]> = message.chunks(size - 28 - 8).collect();
    let count = pieces.len();
    pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| header.message(&[fragment(id, index as u8 + 1, index + 1 == count, piece)]))
        .collect()
}

/// How a stack pads an encrypted message up to its cipher's block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// Only when needed.
    Min,
    /// Always at least one octet.
    Always,
}

/// What decides the length of encrypted messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suite {
    /// Octets of a hash.
    pub hash: usize,
    /// Octets of a cipher block.
    pub block: usize,
}

impl Suite {
    /// Of a phase 1 transform.
    pub fn of(transform: &Transform) -> Self {
        let block = match transform.value(1) {
            Some(AES_CBC) => 16,
            _ => 8,
        };
        let hash = match transform.value(2) {
            Some(MD5) => 16,
            Some(SHA1) => 20,
            Some(SHA2_384) => 48,
            Some(SHA2_512) => 64,
            _ => 32,
        };
        Self { hash, block }
    }

    /// Octets of ciphertext for `plain` octets of payloads.
    pub fn ciphertext(&self, plain: usize, padding: Padding) -> usize {
        match padding {
            Padding::Min => plain.next_multiple_of(self.block),
            Padding::Always => (plain + 1).next_multiple_of(self.block),
        }
    }
}

/// The message that would hold `payloads` encrypted: its length is right, its body is filler.
pub fn encrypted(header: &Header, suite: Suite, padding: Padding, payloads: &[Payload], seed: u64) -> Vec<u8> {
    let header = Header { flags: header.flags | ENCRYPTED, ..*header };
    let first = payloads.first().map_or(0, |payload| payload.payload_type);
    header.around(first, &filler::octets(seed, suite.ciphertext(plain_length(payloads), padding)))
}
