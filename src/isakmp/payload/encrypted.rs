//! SK and SKF of IKEv2: what stands in clear in front of a ciphertext.

use super::{Body, Content};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::u16;

/// A v2 SKF payload (RFC 7383 §2.5). Numbers are in clear.
#[derive(Debug, Clone, Copy)]
pub struct EncryptedFragment<'a> {
    /// Number, from 1.
    pub number: u16,
    /// How many there are.
    pub total: u16,
    /// IV, ciphertext, ICV.
    pub data: &'a [u8],
}

/// (RFC 7296 §3.14)
#[inline]
pub(super) fn decode(content: Content<'_>) -> Result<Body<'_>, Fault> {
    Ok(Body::Encrypted(content.octets))
}

/// (RFC 7383 §2.5)
#[inline]
pub(super) fn decode_fragment(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (data, (number, total)) = content.read((u16("fragment number"), u16("total fragments")))?;
    Ok(Body::EncryptedFragment(EncryptedFragment { number, total, data }))
}

impl EncryptedFragment<'_> {
    /// Whether the numbers were false, in a body that begins at octet `at`.
    pub(super) fn fault(&self, at: u32) -> Option<Fault> {
        let kind = FaultKind::Unexpected { value: self.number.into() };
        (self.number == 0 || self.number > self.total).then_some(Fault { field: "fragment number", at, kind })
    }
}
