//! AUTH of IKEv2.

use super::{Body, Content};
use crate::base::Fault;
use crate::isakmp::field::{array, u8};

/// A v2 AUTH payload.
#[derive(Debug, Clone, Copy)]
pub struct Authentication<'a> {
    /// Authentication method.
    pub method: u8,
    /// Authentication data.
    pub data: &'a [u8],
}

/// (RFC 7296 §3.8)
#[inline]
pub(super) fn decode(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (data, (method, _)) = content.read((u8("auth method"), array::<3>("reserved")))?;
    Ok(Body::Authentication(Authentication { method, data }))
}
