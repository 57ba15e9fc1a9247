//! CERT and CERTREQ.

use super::{Body, Content};
use crate::base::Fault;
use crate::isakmp::field::u8;

/// CERT and CERTREQ: encoding and data.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// Certificate encoding.
    pub encoding: u8,
    /// Certificate, or certification authority.
    pub data: &'a [u8],
}

/// (RFC 2408 §3.9, RFC 7296 §3.6)
#[inline]
pub(super) fn decode(content: Content<'_>) -> Result<Body<'_>, Fault> {
    fields(content).map(Body::Certificate)
}

/// (RFC 2408 §3.10, RFC 7296 §3.7)
#[inline]
pub(super) fn decode_request(content: Content<'_>) -> Result<Body<'_>, Fault> {
    fields(content).map(Body::CertificateRequest)
}

fn fields(content: Content<'_>) -> Result<Certificate<'_>, Fault> {
    let (data, encoding) = content.read(u8("certificate encoding"))?;
    Ok(Certificate { encoding, data })
}
