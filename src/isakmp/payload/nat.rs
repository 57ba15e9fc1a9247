//! NAT-D and NAT-OA of the drafts that shared their numbers with GDOI.

use super::identification;
use super::{Body, Content};
use crate::base::Fault;

/// Octets of the hashes that IKEv1 can negotiate: MD5, SHA-1, SHA2-256, -384 and -512.
const HASH_LENGTHS: [usize; 5] = [16, 20, 32, 48, 64];
const MAIN_MODE: u8 = 2;
const AGGRESSIVE_MODE: u8 = 4;
const QUICK_MODE: u8 = 32;

/// (RFC 3947 §3.2)
#[inline]
pub(super) fn decode_nat_d(content: Content<'_>) -> Result<Body<'_>, Fault> {
    Ok(Body::NatDetection(content.octets))
}

/// Type 15: NAT-D of draft-ietf-ipsec-nat-t-ike-04 to 08, and SAK of GDOI. GDOI has no place in phase 1.
#[inline]
pub(super) fn decode_15(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let phase_1 = matches!(content.exchange_type, MAIN_MODE | AGGRESSIVE_MODE);
    if phase_1 && HASH_LENGTHS.contains(&content.octets.len()) {
        return decode_nat_d(content);
    }
    Ok(Body::Opaque(content.octets))
}

/// Type 16: NAT-OA of the same drafts, and SAT of GDOI. What is laid out as an address to the octet is one.
#[inline]
pub(super) fn decode_16(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let is_address = matches!(
        (content.octets.split_first_chunk(), content.octets.len()),
        (Some(([1, 0, 0, 0], _)), 8) | (Some(([5, 0, 0, 0], _)), 20)
    );
    if content.exchange_type == QUICK_MODE && is_address {
        return identification::decode_nat_oa(content);
    }
    Ok(Body::Opaque(content.octets))
}
