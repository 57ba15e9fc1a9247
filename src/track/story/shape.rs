//! What a message has in common with others of its kind: its octets without those that are random or an SA's own.
//!
//! How long a message is whose payloads are encrypted is its own, too: it differs with the length of a name, and is no part of the
//! shape. Not here: what becomes of the message. Contract: messages of one shape give the same payload facts and the same faults,
//! whatever stands in the octets that were left out; where that cannot be said of a message, it has no shape.

use std::hash::Hasher;

use crate::base::{IkeSpi, MessageId};
use crate::isakmp::HEADER_LEN;

/// NAT detection hashes of one message that are looked at.
pub(super) const MOST_HASHES: usize = 4;
/// Payloads of one message that are looked at.
const MOST_PAYLOADS: usize = 48;
/// Octets of a shape: longer ones are read in full each time.
const LONGEST: usize = 2048;

/// A message as its shape and what is its own.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::track) struct Outline {
    pub(super) initiator_spi: IkeSpi,
    pub(super) responder_spi: IkeSpi,
    pub(super) message_id: MessageId,
    pub(super) major: u8,
    pub(super) exchange_type: u8,
    pub(super) flags: u8,
    hash_count: u8,
    /// Octets, if how many is not for the shape to tell; else 0.
    pub(super) own_length: u16,
    hashes: [NatHash; MOST_HASHES],
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
    /// Of another message of the same shape, with this header.
    #[inline(always)]
    pub(super) fn with(&self, header: &[u8; HEADER_LEN]) -> Self {
        let &[i0, i1, i2, i3, i4, i5, i6, i7, rest @ ..] = header;
        let [r0, r1, r2, r3, r4, r5, r6, r7, _, _, _, _, m0, m1, m2, m3, _, _, l0, l1] = rest;
        let own_length = u16::from_be_bytes([l0, l1]);
        Self {
            initiator_spi: IkeSpi(u64::from_be_bytes([i0, i1, i2, i3, i4, i5, i6, i7])),
            responder_spi: IkeSpi(u64::from_be_bytes([r0, r1, r2, r3, r4, r5, r6, r7])),
            message_id: MessageId(u32::from_be_bytes([m0, m1, m2, m3])),
            own_length: if self.own_length == 0 { 0 } else { own_length },
            ..*self
        }
    }

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

/// What is kept of a message, and where it stood.
#[derive(Debug, Default)]
pub(super) struct Shape {
    octets: Vec<u8>,
    /// Of what is behind [`HEAD`], in order.
    pieces: Vec<Piece>,
    /// Public values: what they are is left out, that they are some is not.
    values: Vec<Piece>,
    /// One payload of IKEv2 that holds all others, and is as long as the message is.
    sealed: bool,
}

/// Octets of a shape that stand for the header and for the way the message came.
const HEAD: usize = 11;

/// Some octets of a message.
#[derive(Debug, Clone, Copy)]
struct Piece {
    at: usize,
    len: usize,
}

impl Piece {
    #[inline(always)]
    fn of(self, octets: &[u8]) -> Option<&[u8]> {
        octets.get(self.at..)?.get(..self.len)
    }
}

impl Shape {
    pub(super) fn octets(&self) -> &[u8] {
        &self.octets
    }

    /// Whether a message is of this shape. Its head has to be, and it has to be as long as its header says.
    #[inline(always)]
    pub(super) fn fits(&self, octets: &[u8]) -> bool {
        let mut rest = self.octets.get(HEAD..).unwrap_or_default();
        if self.sealed && !fills(octets) {
            return false;
        }
        self.pieces.iter().all(|piece| {
            let Some((kept, behind)) = rest.split_at_checked(piece.len) else { return false };
            rest = behind;
            piece.of(octets) == Some(kept)
        }) && self.values.iter().all(|value| value.of(octets).is_some_and(is_value))
    }

    /// Takes a whole message apart that came in so many IP fragments, with or without a non-ESP marker in front of it. Answers
    /// what is its own; `None` if it has no shape, whatever is here then.
    pub(super) fn read(&mut self, octets: &[u8], (fragments, marker): (u16, bool)) -> Option<Outline> {
        self.octets.clear();
        self.pieces.clear();
        self.values.clear();
        self.sealed = false;
        let header = octets.first_chunk::<HEADER_LEN>()?;
        let &[.., next_payload, version, exchange_type, flags, _, _, _, _, l0, l1, l2, l3] = header;
        let major = match version {
            0x10 => 1,
            0x20 => 2,
            _ => return None,
        };
        if usize::try_from(u32::from_be_bytes([l0, l1, l2, l3])).ok()? != octets.len() {
            return None;
        }
        let encrypted = is_encrypted(next_payload, version, flags);
        let own_length = if encrypted { u16::try_from(octets.len()).ok()? } else { 0 };
        let mut outline = Outline { major, exchange_type, flags, own_length, ..Outline::default() }.with(header);
        let ([f0, f1], marker) = (fragments.to_le_bytes(), u8::from(marker));
        let [l0, l1, l2, l3] = if encrypted { [0; 4] } else { [l0, l1, l2, l3] };
        let head: [u8; HEAD] = [next_payload, version, exchange_type, flags, marker, f0, f1, l0, l1, l2, l3];
        self.octets.extend_from_slice(&head);
        if major == 1 {
            if encrypted {
                return (!v1::UNCLEAR.contains(&next_payload)).then_some(outline);
            }
            // told apart by what they say
            if exchange_type == v1::INFORMATIONAL {
                return None;
            }
        } else if encrypted {
            self.keep(octets, Piece { at: HEADER_LEN, len: 2 })?;
            self.sealed = true;
            return fills(octets).then_some(outline);
        }
        self.chain(octets, next_payload, &mut outline)?;
        (self.octets.len() <= LONGEST).then_some(outline)
    }

    /// Follows the payloads in clear.
    fn chain(&mut self, octets: &[u8], mut payload_type: u8, outline: &mut Outline) -> Option<()> {
        let mut at = HEADER_LEN;
        let mut has_sa = false;
        for _ in 0..MOST_PAYLOADS {
            let rest = octets.get(at..)?;
            if payload_type == 0 {
                self.keep(octets, Piece { at, len: rest.len() })?;
                // offers that name the hash with which hashes of the same message are to be checked
                let unclear = outline.major == 1 && has_sa && outline.hash_count > 0;
                return (rest.len() < 4 && !unclear).then_some(());
            }
            let generic = rest.first_chunk::<4>()?;
            let length = usize::from(u16::from_be_bytes([generic[2], generic[3]]));
            let payload = rest.get(4..length)?;
            let own = if outline.major == 1 {
                has_sa |= payload_type == v1::SA;
                own_of_v1(outline, payload_type, payload, at + 4)?
            } else {
                own_of_v2(outline, payload_type, payload, at + 4)?
            };
            let kept = match own {
                Own::None => payload.len(),
                Own::From(kept) => kept,
                Own::Value(kept) => {
                    let value = Piece { at: at + 4 + kept, len: payload.len().checked_sub(kept)? };
                    is_value(value.of(octets)?).then(|| self.values.push(value))?;
                    kept
                }
            };
            self.keep(octets, Piece { at, len: 4 + kept })?;
            payload_type = generic[0];
            at += length;
        }
        None
    }

    /// Keeps some octets behind the others.
    fn keep(&mut self, octets: &[u8], piece: Piece) -> Option<()> {
        self.octets.extend_from_slice(piece.of(octets)?);
        match self.pieces.last_mut() {
            Some(last) if last.at + last.len == piece.at => last.len += piece.len,
            _ => self.pieces.push(piece),
        }
        Some(())
    }
}

/// What is left out of a payload's body behind its generic header.
enum Own {
    /// Nothing.
    None,
    /// All but so many octets at its start.
    From(usize),
    /// The same, and it is a public value. One of zeros only is a lie, so that it is no value as any other.
    Value(usize),
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

fn own_of_v1(outline: &mut Outline, payload_type: u8, payload: &[u8], at: usize) -> Option<Own> {
    Some(match payload_type {
        v1::KE => Own::Value(0),
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
        v2::KE => Own::Value(FIXED),
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

/// Whether what follows a header is encrypted as a whole: in IKEv1 its flags say so, in IKEv2 the type of the one payload.
#[inline(always)]
pub(super) fn is_encrypted(next_payload: u8, version: u8, flags: u8) -> bool {
    match version {
        0x10 => flags & v1::ENCRYPTION != 0,
        _ => next_payload == v2::SK,
    }
}

/// Whether the first payload of a message ends where that does.
#[inline(always)]
fn fills(octets: &[u8]) -> bool {
    let length = octets.get(HEADER_LEN + 2..).and_then(|rest| rest.first_chunk());
    length.is_some_and(|&length| octets.len() == HEADER_LEN + usize::from(u16::from_be_bytes(length)))
}

/// Whether a public value is none of zeros only.
#[inline(always)]
fn is_value(octets: &[u8]) -> bool {
    octets.iter().any(|&octet| octet != 0)
}

/// A hash of a shape.
pub(super) fn hash(shape: &[u8], mut hasher: impl Hasher) -> u64 {
    hasher.write(shape);
    hasher.finish()
}
