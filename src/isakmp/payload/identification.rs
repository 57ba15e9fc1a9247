//! The ID payloads, and NAT-OA which is laid out like one.

use super::{Body, Content};
use crate::base::Fault;
use crate::isakmp::field::{u8, u16};

/// An ID payload, or a NAT-OA.
#[derive(Debug, Clone, Copy)]
pub struct Identification<'a> {
    /// ID type.
    pub id_type: u8,
    /// v1: IP protocol the identity is for; v2: reserved octet.
    pub protocol_id: u8,
    /// v1: port; v2: reserved octets.
    pub port: u16,
    /// Identification data.
    pub data: &'a [u8],
}

/// (RFC 2407 §4.6.2, RFC 7296 §3.5)
#[inline]
pub(super) fn decode(content: Content<'_>) -> Result<Body<'_>, Fault> {
    fields(content).map(Body::Identification)
}

/// (RFC 3947 §5.2)
#[inline]
pub(super) fn decode_nat_oa(content: Content<'_>) -> Result<Body<'_>, Fault> {
    fields(content).map(Body::NatOriginalAddress)
}

fn fields(content: Content<'_>) -> Result<Identification<'_>, Fault> {
    let (data, (id_type, protocol_id, port)) = content.read((u8("ID type"), u8("protocol ID"), u16("port")))?;
    Ok(Identification { id_type, protocol_id, port, data })
}
