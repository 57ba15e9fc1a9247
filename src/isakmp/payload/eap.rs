//! EAP in IKEv2.

use super::{Body, Content};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{count, u8, u16};

/// A v2 EAP payload (RFC 3748 §4).
#[derive(Debug, Clone, Copy)]
pub struct Eap<'a> {
    /// Code: 1 request, 2 response, 3 success, 4 failure.
    pub code: u8,
    /// Identifier.
    pub identifier: u8,
    /// Method type, in requests and responses.
    pub method: Option<u8>,
    /// Data after the method type.
    pub data: &'a [u8],
}

/// (RFC 7296 §3.16)
#[inline]
pub(super) fn decode(content: Content<'_>) -> Result<Body<'_>, Fault> {
    const FIXED: u32 = 4;
    const REQUEST: u8 = 1;
    const RESPONSE: u8 = 2;
    let (rest, (code, identifier, length)) = content.read((u8("code"), u8("identifier"), u16("length")))?;
    let (claims, room) = (u32::from(length), count(content.octets.len()));
    let kind = if claims < FIXED {
        Some(FaultKind::TooShort { claims, least: FIXED })
    } else if claims > room {
        Some(FaultKind::Overrun { claims, room })
    } else if claims < room {
        Some(FaultKind::Unexpected { value: claims })
    } else {
        None
    };
    if let Some(kind) = kind {
        return Err(Fault { field: "EAP length", at: content.at.saturating_add(2), kind });
    }
    let (data, method) = match code {
        REQUEST | RESPONSE => content.read_on(rest, u8("type")).map(|(data, method)| (data, Some(method)))?,
        _ => (rest, None),
    };
    Ok(Body::Eap(Eap { code, identifier, method, data }))
}
