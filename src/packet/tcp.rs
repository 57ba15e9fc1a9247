//! IKE and ESP in TCP: streams, and the records in them (RFC 9329).

use crate::base::Limits;

use super::ip::Payload;
use super::protocol::IkePorts;
use super::{Class, Datagram, Place};

/// What the one who opens the connection sends first (RFC 9329 §4).
const PREFIX: &[u8; 6] = b"IKETCP";

/// Whether a segment with this payload may open a stream of ours: it begins with the prefix, or with part of it.
#[inline]
pub(super) fn may_start(payload: &[u8]) -> bool {
    payload.first() == Some(&PREFIX[0]) && payload.iter().zip(PREFIX).all(|(octet, expected)| octet == expected)
}

/// Streams under observation.
#[derive(Debug)]
pub(super) struct Streams {}

impl Streams {
    pub fn new(limits: &Limits) -> Self {
        let _ = limits;
        Self {}
    }

    /// Whether no stream is followed.
    #[inline]
    pub fn is_empty(&self) -> bool {
        true
    }

    pub fn segment(
        &mut self,
        place: &Place,
        carried: Payload<'_>,
        ports: &IkePorts,
        sink: &mut dyn FnMut(&Datagram<'_>),
    ) -> Class {
        let _ = (place, carried, ports, sink);
        Class::Other
    }

    pub fn finish(&mut self, sink: &mut dyn FnMut(&Datagram<'_>)) {
        let _ = sink;
    }
}
