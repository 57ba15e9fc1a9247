//! The KE payload.

use super::{Body, Content};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{after, array, count, u16};
use crate::isakmp::registry;

/// A KE payload.
#[derive(Debug, Clone, Copy)]
pub struct KeyExchange<'a> {
    /// v2: key exchange method (group); v1: `None`, the SA tells it.
    pub group: Option<u16>,
    /// Public value.
    pub data: &'a [u8],
}

#[inline]
pub(super) fn decode_v1(content: Content<'_>) -> Result<Body<'_>, Fault> {
    Ok(Body::KeyExchange(KeyExchange { group: None, data: content.octets }))
}

/// (RFC 7296 §3.4)
#[inline]
pub(super) fn decode_v2(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (data, (group, _)) = content.read((u16("key exchange method"), array::<2>("reserved")))?;
    Ok(Body::KeyExchange(KeyExchange { group: Some(group), data }))
}

impl KeyExchange<'_> {
    /// Whether no group has such a public value, or the group named has not; the body begins at octet `at`.
    ///
    /// Zero is a public value of none: of MODP it is refused (RFC 2631 §2.1.5), of a curve it is no point.
    pub(super) fn fault(&self, at: u32) -> Option<Fault> {
        let at = at.saturating_add(if self.group.is_some() { 4 } else { 0 });
        let claims = count(self.data.len());
        let known = self.group.filter(|&group| group != 0).and_then(registry::group_public_lens);
        let fits = |length: u16| claims == u32::from(length);
        let kind = match known {
            _ if !self.data.is_empty() && self.data.iter().all(|&octet| octet == 0) => {
                FaultKind::Unexpected { value: 0 }
            }
            Some((one, other)) if fits(one) || fits(other) => return None,
            Some((one, other)) if claims < u32::from(one.min(other)) => {
                FaultKind::TooShort { claims, least: one.min(other).into() }
            }
            Some((one, other)) => {
                let length = if claims > u32::from(one.max(other)) { one.max(other) } else { one.min(other) };
                let at = after(at, length.into());
                let octets = claims.saturating_sub(length.into());
                return Some(Fault { field: "key exchange data", at, kind: FaultKind::Trailing { octets } });
            }
            None if claims == 0 => FaultKind::TooShort { claims, least: 1 },
            None => return None,
        };
        Some(Fault { field: "key exchange data", at, kind })
    }
}
