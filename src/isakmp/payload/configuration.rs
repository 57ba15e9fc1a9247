//! Mode Config and XAUTH of IKEv1, CP of IKEv2.

use super::{Attribute, Body, Content, Walk};
use crate::base::Fault;
use crate::isakmp::field::{array, u8, u16};

/// A v1 attributes payload or a v2 CP payload.
#[derive(Debug, Clone, Copy)]
pub struct Configuration<'a> {
    /// CFG type.
    pub cfg_type: u8,
    /// v1: identifier; v2: `None`.
    pub identifier: Option<u16>,
    octets: &'a [u8],
    at: u32,
    forms: u8,
}

/// (draft-dukes-ike-mode-cfg-02 §3.2)
#[inline]
pub(super) fn decode_v1(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (octets, (cfg_type, _, identifier)) = content.read((u8("CFG type"), u8("reserved"), u16("identifier")))?;
    let (at, forms) = (content.position(octets), Attribute::SHORT_OR_LONG);
    Ok(Body::Configuration(Configuration { cfg_type, identifier: Some(identifier), octets, at, forms }))
}

/// (RFC 7296 §3.15)
#[inline]
pub(super) fn decode_v2(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (octets, (cfg_type, _)) = content.read((u8("CFG type"), array::<3>("reserved")))?;
    let (at, forms) = (content.position(octets), Attribute::LONG);
    Ok(Body::Configuration(Configuration { cfg_type, identifier: None, octets, at, forms }))
}

impl<'a> Configuration<'a> {
    /// The attributes in order, ending at the first fault.
    pub fn attributes(&self) -> Walk<'a, Attribute<'a>> {
        Walk::new(self.octets, self.at, self.forms)
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.attributes().first_fault(|_| None)
    }
}
