//! What a message has in common with others of its kind: its octets without those that are random or an SA's own.
//!
//! Not here: what becomes of the message. Contract: messages of one shape give the same payload facts and the same faults,
//! whatever stands in the octets that were left out; where that cannot be said of a message, it has no shape.

use std::hash::Hasher;

use crate::base::{IkeSpi, MessageId};
use crate::isakmp::HEADER_LEN;

/// NAT detection hashes of one message that are looked at.
const MOST_HASHES: usize = 4;
/// Payloads of one message that are looked at.
const MOST_PAYLOADS: usize = 48;
/// Octets of a shape: longer ones are read in full each time.
const LONGEST: usize = 2048;

/// A message as its shape and what is its own.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::track) struct Outline {
    pub(super) initiator_spi: IkeSpi,
    pub(super) responder_spi: IkeSpi,
    pub(super) major: u8,
    pub(super) exchange_type: u8,
    pub(super) flags: u8,
    pub(super) message_id: MessageId,
    hashes: [NatHash; MOST_HASHES],
    hash_count: u8,
}

/// Where a NAT detection hash stands, and which end it stands for.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct NatHash {
    pub(super) at: u16,
    pub(super) length: u16,
    /// The end that sent the message.
    pub(super) of_sender: bool,
}

impl Outline {
    /// The NAT detection hashes, in order.
    pub(super) fn hashes(&self) -> &[NatHash] {
        self.hashes.get(..usize::from(self.hash_count)).unwrap_or_default()
    }

    fn add_hash(&mut self, at: usize, length: usize, of_sender: bool) -> Option<()> {
        let slot = self.hashes.get_mut(usize::from(self.hash_count))?;
        *slot = NatHash { at: u16::try_from(at).ok()?, length: u16::try_from(length).ok()?, of_sender };
        self.hash_count += 1;
        Some(())
    }
}

/// What is left out of a payload's body behind its generic header.
enum Own {
    /// Nothing.
    None,
    /// All but so many octets at its start.
    From(usize),
}

/// Payload types by major version.
mod v1 {
    pub(super) const SA: u8 = 1;
    pub(super) const KE: u8 = 4;
    pub(super) const CERTIFICATE: u8 = 6;
    pub(super) const HASH: u8 = 8;
    pub(super) const SIGNATURE: u8 = 9;
    pub(super) const NONCE: u8 = 10;
    pub(super) const NAT_D: [u8; 2] = [20, 130];
    /// Types that mean different things, and fragments.
    pub(super) const UNCLEAR: [u8; 3] = [15, 16, 132];
    pub(super) const INFORMATIONAL: u8 = 5;
    pub(super) const ENCRYPTION: u8 = 1;
}

mod v2 {
    pub(super) const KE: u8 = 34;
    pub(super) const CERTIFICATE: u8 = 37;
    pub(super) const NONCE: u8 = 40;
    pub(super) const NOTIFY: u8 = 41;
    pub(super) const SK: u8 = 46;
    pub(super) const SKF: u8 = 53;
    pub(super) const NAT_DETECTION_SOURCE_IP: u16 = 16388;
    pub(super) const NAT_DETECTION_DESTINATION_IP: u16 = 16389;
}

/// Takes a whole message apart: writes its shape behind what is in `shape`, and the rest to `outline`, where it stays: to be
/// handed about, it is too large. `fragments`: IP fragments it came in, `marker`: a non-ESP marker stood in front of it. `None` if
/// it has no shape, whatever was written.
pub(super) fn read(
    octets: &[u8],
    (fragments, marker): (u16, bool),
    shape: &mut Vec<u8>,
    outline: &mut Outline,
) -> Option<()> {
    let (header, body) = octets.split_first_chunk::<HEADER_LEN>()?;
    let [spis @ .., next_payload, version, exchange_type, flags, m0, m1, m2, m3, l0, l1, l2, l3] = header;
    let (initiator_spi, responder_spi) = spis.split_first_chunk::<8>()?;
    let initiator_spi = IkeSpi(u64::from_be_bytes(*initiator_spi));
    let responder_spi = IkeSpi(u64::from_be_bytes(*responder_spi.first_chunk::<8>()?));
    let length = u32::from_be_bytes([*l0, *l1, *l2, *l3]);
    let major = match version {
        0x10 => 1,
        0x20 => 2,
        _ => return None,
    };
    if initiator_spi.is_zero() || usize::try_from(length).ok()? != octets.len() {
        return None;
    }
    (outline.initiator_spi, outline.responder_spi) = (initiator_spi, responder_spi);
    (outline.major, outline.exchange_type, outline.flags) = (major, *exchange_type, *flags);
    outline.message_id = MessageId(u32::from_be_bytes([*m0, *m1, *m2, *m3]));
    outline.hash_count = 0;
    let ([f0, f1], marker) = (fragments.to_le_bytes(), u8::from(marker));
    let start = shape.len();
    shape.extend_from_slice(&[*next_payload, *version, *exchange_type, *flags, marker, f0, f1, *l0, *l1, *l2, *l3]);
    if major == 1 {
        if flags & v1::ENCRYPTION != 0 {
            return (!v1::UNCLEAR.contains(next_payload)).then_some(());
        }
        // told apart by what they say
        if *exchange_type == v1::INFORMATIONAL {
            return None;
        }
    } else if *next_payload == v2::SK {
        let (generic, _) = body.split_first_chunk::<4>()?;
        shape.extend_from_slice(generic);
        return (usize::from(u16::from_be_bytes([generic[2], generic[3]])) == body.len()).then_some(());
    }
    chain(outline, body, *next_payload, shape)?;
    (shape.len() - start <= LONGEST).then_some(())
}

/// Follows the payloads in clear.
fn chain(outline: &mut Outline, body: &[u8], mut payload_type: u8, shape: &mut Vec<u8>) -> Option<()> {
    let (mut rest, mut at) = (body, HEADER_LEN);
    let mut has_sa = false;
    for _ in 0..MOST_PAYLOADS {
        if payload_type == 0 {
            shape.extend_from_slice(rest);
            // offers that name the hash with which hashes of the same message are to be checked
            let unclear = outline.major == 1 && has_sa && outline.hash_count > 0;
            return (rest.len() < 4 && !unclear).then_some(());
        }
        let (generic, _) = rest.split_first_chunk::<4>()?;
        let length = usize::from(u16::from_be_bytes([generic[2], generic[3]]));
        let payload = rest.get(4..length)?;
        let own = if outline.major == 1 {
            has_sa |= payload_type == v1::SA;
            own_of_v1(outline, payload_type, payload, at + 4)?
        } else {
            own_of_v2(outline, payload_type, payload, at + 4)?
        };
        shape.extend_from_slice(generic);
        match own {
            Own::None => shape.extend_from_slice(payload),
            Own::From(kept) => shape.extend_from_slice(payload.get(..kept)?),
        }
        payload_type = generic[0];
        rest = rest.get(length..)?;
        at += length;
    }
    None
}

fn own_of_v1(outline: &mut Outline, payload_type: u8, payload: &[u8], at: usize) -> Option<Own> {
    Some(match payload_type {
        v1::KE => public_value(payload, 0)?,
        v1::NONCE | v1::HASH | v1::SIGNATURE => Own::From(0),
        v1::CERTIFICATE if !payload.is_empty() => Own::From(1),
        kind if v1::NAT_D.contains(&kind) => {
            // RFC 3947 §3.2: the first hash stands for the peer, the others for the sender.
            outline.add_hash(at, payload.len(), outline.hash_count > 0)?;
            Own::From(0)
        }
        kind if v1::UNCLEAR.contains(&kind) => return None,
        _ => Own::None,
    })
}

fn own_of_v2(outline: &mut Outline, payload_type: u8, payload: &[u8], at: usize) -> Option<Own> {
    const FIXED: usize = 4;
    Some(match payload_type {
        v2::KE => public_value(payload, FIXED)?,
        v2::NONCE => Own::From(0),
        v2::CERTIFICATE if !payload.is_empty() => Own::From(1),
        v2::NOTIFY => {
            let (&[_, spi_size, t0, t1], hash) = payload.split_first_chunk::<FIXED>()?;
            let of_sender = match u16::from_be_bytes([t0, t1]) {
                v2::NAT_DETECTION_SOURCE_IP => true,
                v2::NAT_DETECTION_DESTINATION_IP => false,
                _ => return Some(Own::None),
            };
            if spi_size != 0 {
                return None;
            }
            outline.add_hash(at + FIXED, hash.len(), of_sender)?;
            Own::From(FIXED)
        }
        v2::SK | v2::SKF => return None,
        _ => Own::None,
    })
}

/// A public value behind `fixed` octets. One of zeros only is a lie, so that it is no value as any other.
fn public_value(payload: &[u8], fixed: usize) -> Option<Own> {
    payload.get(fixed..)?.iter().any(|&octet| octet != 0).then_some(Own::From(fixed))
}

/// A hash of a shape.
pub(super) fn hash(shape: &[u8], mut hasher: impl Hasher) -> u64 {
    hasher.write(shape);
    hasher.finish()
}
