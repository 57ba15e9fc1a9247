//! The KE payload.

use super::{Body, Content};
use crate::base::Fault;
use crate::isakmp::field::{array, u16};

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
