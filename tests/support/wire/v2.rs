//! IKEv2 payloads and encrypted messages (RFC 7296 §3, RFC 5282, RFC 7383).

use std::net::{IpAddr, SocketAddr};

use sha1::{Digest, Sha1};

use super::{Attribute, Header, Payload, address, nat_detection_input, plain_length, public_value};
use crate::support::filler;

/// Exchange types (RFC 7296 §3.1, RFC 5723, RFC 9242, RFC 9370).
pub mod exchange {
    pub const SA_INIT: u8 = 34;
    pub const AUTH: u8 = 35;
    pub const CREATE_CHILD_SA: u8 = 36;
    pub const INFORMATIONAL: u8 = 37;
    pub const SESSION_RESUME: u8 = 38;
    pub const INTERMEDIATE: u8 = 43;
    pub const FOLLOWUP_KE: u8 = 44;
}

/// Flag bits (RFC 7296 §3.1).
pub const INITIATOR: u8 = 0x08;
pub const HIGHER_VERSION: u8 = 0x10;
pub const RESPONSE: u8 = 0x20;

// Encryption algorithms (RFC 7296 §3.3.2).
pub const TRIPLE_DES: u16 = 3;
pub const AES_CBC: u16 = 12;
pub const AES_GCM_16: u16 = 20;
pub const CHACHA20_POLY1305: u16 = 28;

// Pseudorandom functions.
pub const PRF_SHA1: u16 = 2;
pub const PRF_SHA2_256: u16 = 5;

// Integrity algorithms.
pub const SHA1_96: u16 = 2;
pub const SHA2_256_128: u16 = 12;

// Protocol ids (RFC 7296 §3.3.1).
pub const PROTO_IKE: u8 = 1;
pub const PROTO_AH: u8 = 2;
pub const PROTO_ESP: u8 = 3;

// Notify message types (RFC 7296 §3.10.1, RFC 4555, RFC 5685, RFC 5723, RFC 6023, RFC 7383, RFC 8784, RFC 9242, RFC 9370).
pub const UNSUPPORTED_CRITICAL_PAYLOAD: u16 = 1;
pub const INVALID_IKE_SPI: u16 = 4;
pub const INVALID_MAJOR_VERSION: u16 = 5;
pub const INVALID_SYNTAX: u16 = 7;
pub const INVALID_SPI: u16 = 11;
pub const NO_PROPOSAL_CHOSEN: u16 = 14;
pub const INVALID_KE_PAYLOAD: u16 = 17;
pub const AUTHENTICATION_FAILED: u16 = 24;
pub const TS_UNACCEPTABLE: u16 = 38;
pub const TEMPORARY_FAILURE: u16 = 43;
pub const INITIAL_CONTACT: u16 = 16384;
pub const NAT_DETECTION_SOURCE_IP: u16 = 16388;
pub const NAT_DETECTION_DESTINATION_IP: u16 = 16389;
pub const COOKIE: u16 = 16390;
pub const REKEY_SA: u16 = 16393;
pub const UPDATE_SA_ADDRESSES: u16 = 16400;
pub const REDIRECT: u16 = 16407;
pub const REDIRECT_SUPPORTED: u16 = 16406;
pub const REDIRECTED_FROM: u16 = 16408;
pub const TICKET_NACK: u16 = 16412;
pub const TICKET_OPAQUE: u16 = 16413;
pub const CHILDLESS_IKEV2_SUPPORTED: u16 = 16418;
pub const FRAGMENTATION_SUPPORTED: u16 = 16430;
pub const SIGNATURE_HASH_ALGORITHMS: u16 = 16431;
pub const USE_PPK: u16 = 16435;
pub const INTERMEDIATE_EXCHANGE_SUPPORTED: u16 = 16438;
pub const ADDITIONAL_KEY_EXCHANGE: u16 = 16441;

/// A transform (RFC 7296 §3.3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transform {
    /// 1 ENCR, 2 PRF, 3 INTEG, 4 key exchange method, 5 ESN, from 6 on additional key exchanges (RFC 9370).
    pub kind: u8,
    /// Transform id.
    pub id: u16,
    /// Key length in bits, if it carries that attribute.
    pub key_length: Option<u16>,
}

/// Encryption; `key_length` 0 leaves the attribute out.
pub fn encr(id: u16, key_length: u16) -> Transform {
    Transform { kind: 1, id, key_length: (key_length > 0).then_some(key_length) }
}

/// Pseudorandom function.
pub fn prf(id: u16) -> Transform {
    Transform { kind: 2, id, key_length: None }
}

/// Integrity.
pub fn integ(id: u16) -> Transform {
    Transform { kind: 3, id, key_length: None }
}

/// Key exchange method.
pub fn group(id: u16) -> Transform {
    Transform { kind: 4, id, key_length: None }
}

/// Extended sequence numbers: 0 no, 1 yes.
pub fn esn(id: u16) -> Transform {
    Transform { kind: 5, id, key_length: None }
}

/// A proposal: its number follows from its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// Protocol id.
    pub protocol: u8,
    /// SPI: none for an initial IKE SA.
    pub spi: Vec<u8>,
    /// What it offers, alternatives of one type side by side.
    pub transforms: Vec<Transform>,
}

impl Proposal {
    /// Id of its first transform of `kind`.
    pub fn first(&self, kind: u8) -> Option<u16> {
        self.transforms.iter().find(|transform| transform.kind == kind).map(|transform| transform.id)
    }
}

/// A proposal for an IKE SA.
pub fn ike(transforms: &[Transform]) -> Proposal {
    Proposal { protocol: PROTO_IKE, spi: Vec::new(), transforms: transforms.to_vec() }
}

/// A proposal for an ESP SA.
pub fn esp(spi: u32, transforms: &[Transform]) -> Proposal {
    Proposal { protocol: PROTO_ESP, spi: spi.to_be_bytes().to_vec(), transforms: transforms.to_vec() }
}

/// AES-CBC-256, HMAC-SHA2-256 and `group`.
pub fn ike_cbc(group_id: u16) -> Proposal {
    ike(&[encr(AES_CBC, 256), integ(SHA2_256_128), prf(PRF_SHA2_256), group(group_id)])
}

/// AES-GCM-256 with a 16-octet ICV and `group`.
pub fn ike_gcm(group_id: u16) -> Proposal {
    ike(&[encr(AES_GCM_16, 256), prf(PRF_SHA2_256), group(group_id)])
}

/// An SA payload (RFC 7296 §3.3).
pub fn sa(proposals: &[Proposal]) -> Payload {
    let mut body = Vec::new();
    for (place, proposal) in proposals.iter().enumerate() {
        let mut transforms = Vec::new();
        for (place, transform) in proposal.transforms.iter().enumerate() {
            let attribute = transform.key_length.map_or(Vec::new(), |bits| Attribute::Tv(14, bits).octets());
            transforms.extend([if place + 1 < proposal.transforms.len() { 3 } else { 0 }, 0]);
            transforms.extend((8 + attribute.len() as u16).to_be_bytes());
            transforms.extend([transform.kind, 0]);
            transforms.extend(transform.id.to_be_bytes());
            transforms.extend(attribute);
        }
        body.extend([if place + 1 < proposals.len() { 2 } else { 0 }, 0]);
        body.extend((8 + (proposal.spi.len() + transforms.len()) as u16).to_be_bytes());
        body.extend([place as u8 + 1, proposal.protocol, proposal.spi.len() as u8, proposal.transforms.len() as u8]);
        body.extend(&proposal.spi);
        body.extend(transforms);
    }
    Payload::new(33, body)
}

/// A KE payload with a public value of `group`'s size (RFC 7296 §3.4).
pub fn key_exchange(group: u16, seed: u64) -> Payload {
    Payload::new(34, [&group.to_be_bytes()[..], &[0, 0], &public_value(group, seed)].concat())
}

/// A nonce of `length` octets.
pub fn nonce(length: usize, seed: u64) -> Payload {
    Payload::new(40, filler::octets(seed, length))
}

/// IDi: type 1 address, 2 name, 3 mail address, 9 DN, 11 key id (RFC 7296 §3.5).
pub fn id_initiator(id_type: u8, data: &[u8]) -> Payload {
    Payload::new(35, [&[id_type, 0, 0, 0], data].concat())
}

/// IDr.
pub fn id_responder(id_type: u8, data: &[u8]) -> Payload {
    Payload::new(36, [&[id_type, 0, 0, 0], data].concat())
}

/// A CERT payload with an X.509 signature certificate of `length` octets.
pub fn certificate(length: usize, seed: u64) -> Payload {
    Payload::new(37, [vec![4], filler::octets(seed, length)].concat())
}

/// A CERTREQ payload naming `authorities` by hash, twenty octets each (RFC 7296 §3.7).
pub fn certificate_request(authorities: usize, seed: u64) -> Payload {
    Payload::new(38, [vec![4], filler::octets(seed, 20 * authorities)].concat())
}

/// An AUTH payload: method 1 RSA signature, 2 shared key, 14 digital signature (RFC 7296 §3.8).
pub fn auth(method: u8, length: usize, seed: u64) -> Payload {
    Payload::new(39, [vec![method, 0, 0, 0], filler::octets(seed, length)].concat())
}

/// A notify without SPI (RFC 7296 §3.10).
pub fn notify(message_type: u16, data: &[u8]) -> Payload {
    notify_about(0, &[], message_type, data)
}

/// Any notify.
pub fn notify_about(protocol: u8, spi: &[u8], message_type: u16, data: &[u8]) -> Payload {
    let mut body = vec![protocol, spi.len() as u8];
    body.extend(message_type.to_be_bytes());
    body.extend(spi);
    body.extend(data);
    Payload::new(41, body)
}

/// NAT detection about `at`: type 16388 for the sender's own address, 16389 for the other's (RFC 7296 §2.23).
pub fn nat_detection(message_type: u16, initiator_spi: u64, responder_spi: u64, at: SocketAddr) -> Payload {
    notify(message_type, &Sha1::digest(nat_detection_input(initiator_spi, responder_spi, at)))
}

/// A delete of this IKE SA (RFC 7296 §3.11).
pub fn delete_ike() -> Payload {
    Payload::new(42, vec![PROTO_IKE, 0, 0, 0])
}

/// A delete of ESP SAs.
pub fn delete_esp(spis: &[u32]) -> Payload {
    let mut body = vec![PROTO_ESP, 4];
    body.extend((spis.len() as u16).to_be_bytes());
    body.extend(spis.iter().flat_map(|spi| spi.to_be_bytes()));
    Payload::new(42, body)
}

/// A vendor id.
pub fn vendor_id(data: &[u8]) -> Payload {
    Payload::new(43, data.to_vec())
}

/// A range of addresses, any protocol and port (RFC 7296 §3.13.1).
pub fn selector(first: IpAddr, last: IpAddr) -> Vec<u8> {
    let ends = [address(first), address(last)].concat();
    let kind = if first.is_ipv4() { 7 } else { 8 };
    [&[kind, 0][..], &(8 + ends.len() as u16).to_be_bytes(), &[0, 0, 0xff, 0xff], &ends].concat()
}

/// TSi.
pub fn ts_initiator(selectors: &[Vec<u8>]) -> Payload {
    Payload::new(44, [vec![selectors.len() as u8, 0, 0, 0], selectors.concat()].concat())
}

/// TSr.
pub fn ts_responder(selectors: &[Vec<u8>]) -> Payload {
    Payload::new(45, [vec![selectors.len() as u8, 0, 0, 0], selectors.concat()].concat())
}

/// A CP payload: `cfg_type` 1 request, 2 reply (RFC 7296 §3.15). Its attributes have no short form.
pub fn configuration(cfg_type: u8, attributes: &[(u16, Vec<u8>)]) -> Payload {
    let mut body = vec![cfg_type, 0, 0, 0];
    body.extend(attributes.iter().flat_map(|(kind, value)| Attribute::Tlv(*kind, value.clone()).octets()));
    Payload::new(47, body)
}

/// An EAP payload around an EAP packet of `length` octets (RFC 7296 §3.16).
pub fn eap(length: usize, seed: u64) -> Payload {
    Payload::new(48, filler::octets(seed, length))
}

/// What decides the length of encrypted messages (RFC 7296 §3.14, RFC 5282 §3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Suite {
    /// Octets of initialization vector.
    pub iv: usize,
    /// What padding fills up to.
    pub block: usize,
    /// Octets of integrity checksum.
    pub icv: usize,
}

impl Suite {
    /// AES-CBC with HMAC-SHA2-256-128.
    pub const AES_CBC_SHA2_256: Self = Self { iv: 16, block: 16, icv: 16 };
    /// AES-GCM with a 16-octet ICV; ChaCha20-Poly1305 has the same sizes.
    pub const AES_GCM_16: Self = Self { iv: 8, block: 1, icv: 16 };

    /// Of a chosen proposal.
    pub fn of(proposal: &Proposal) -> Self {
        let icv = if proposal.first(3) == Some(SHA1_96) { 12 } else { 16 };
        match proposal.first(1) {
            Some(TRIPLE_DES) => Self { iv: 8, block: 8, icv },
            Some(AES_GCM_16 | CHACHA20_POLY1305) => Self::AES_GCM_16,
            _ => Self { iv: 16, block: 16, icv },
        }
    }

    /// Octets of IV, ciphertext and ICV for `plain` octets of payloads and the pad length octet.
    pub fn sealed(&self, plain: usize) -> usize {
        self.iv + (plain + 1).next_multiple_of(self.block) + self.icv
    }
}

/// The SK payload that would hold `payloads`: its length is right, its body is filler.
pub fn encrypted(suite: Suite, payloads: &[Payload], seed: u64) -> Payload {
    let first = payloads.first().map_or(0, |payload| payload.payload_type);
    Payload { next: Some(first), ..Payload::new(46, filler::octets(seed, suite.sealed(plain_length(payloads)))) }
}

/// The messages with SKF payloads that would hold `payloads`, each of at most `size` octets (RFC 7383 §2.5).
pub fn encrypted_fragments(
    header: &Header,
    suite: Suite,
    payloads: &[Payload],
    size: usize,
    seed: u64,
) -> Vec<Vec<u8>> {
    let first = payloads.first().map_or(0, |payload| payload.payload_type);
    let room = (size - 28 - 8 - suite.iv - suite.icv) / suite.block * suite.block - 1;
    let mut left = plain_length(payloads);
    let total = left.div_ceil(room);
    (1..=total)
        .map(|number| {
            let plain = left.min(room);
            left -= plain;
            let body = [
                &(number as u16).to_be_bytes()[..],
                &(total as u16).to_be_bytes(),
                &filler::octets(filler::mix(seed) ^ number as u64, suite.sealed(plain)),
            ]
            .concat();
            // Only the first fragment names what is inside.
            let next = Some(if number == 1 { first } else { 0 });
            header.message(&[Payload { next, ..Payload::new(53, body) }])
        })
        .collect()
}
