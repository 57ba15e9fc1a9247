//! A fragment of an IKEv1 message.

use super::{Body, Content};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{u8, u16};

/// One fragment of a v1 message, Cisco and Microsoft (payload 132).
#[derive(Debug, Clone, Copy)]
pub struct Fragment<'a> {
    /// Fragment id: the same on all fragments of a message.
    pub fragment_id: u16,
    /// Number, from 1.
    pub number: u8,
    /// Bit 0: the last one.
    pub flags: u8,
    /// Its part of the message.
    pub data: &'a [u8],
}

/// (MS-IKEE §2.2.6)
#[inline]
pub(super) fn decode(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (data, (fragment_id, number, flags)) =
        content.read((u16("fragment ID"), u8("fragment number"), u8("fragment flags")))?;
    Ok(Body::Fragment(Fragment { fragment_id, number, flags, data }))
}

impl Fragment<'_> {
    /// Whether the number was false, in a body that begins at octet `at`.
    pub(super) fn fault(&self, at: u32) -> Option<Fault> {
        let (at, kind) = (at.saturating_add(2), FaultKind::Unexpected { value: 0 });
        (self.number == 0).then_some(Fault { field: "fragment number", at, kind })
    }
}
