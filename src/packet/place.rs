//! Everything of a datagram but its body: carried along while the layers are taken off.

use std::net::IpAddr;

use crate::base::{FrameRef, Timestamp};
use crate::capture::Frame;

use super::ip::IpPacket;
use super::{Body, Datagram};

/// Where and when a datagram stood; the fields are those of [`Datagram`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub frame: FrameRef,
    pub first_frame: FrameRef,
    pub at: Timestamp,
    pub interface: u32,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ip_id: Option<u32>,
    pub ttl: u8,
    pub fragments: u16,
    pub ambiguous_overlap: bool,
}

impl Place {
    /// Where `packet`, found in `frame`, stands.
    pub fn new(frame: &Frame<'_>, packet: &IpPacket<'_>) -> Self {
        Self {
            frame: frame.reference,
            first_frame: frame.reference,
            at: frame.at,
            interface: frame.interface,
            source: packet.source,
            destination: packet.destination,
            ip_id: packet.id,
            ttl: packet.ttl,
            fragments: 1,
            ambiguous_overlap: false,
        }
    }

    /// The same place, for a datagram in pieces of which `first_frame` brought the first.
    pub fn starting(self, first_frame: FrameRef, fragments: u16, ambiguous_overlap: bool) -> Self {
        Self { first_frame, fragments, ambiguous_overlap, ..self }
    }

    /// The datagram at this place.
    pub fn datagram<'a>(&self, missing: u32, body: Body<'a>) -> Datagram<'a> {
        Datagram {
            frame: self.frame,
            first_frame: self.first_frame,
            at: self.at,
            interface: self.interface,
            source: self.source,
            destination: self.destination,
            ip_id: self.ip_id,
            ttl: self.ttl,
            fragments: self.fragments,
            ambiguous_overlap: self.ambiguous_overlap,
            missing,
            body,
        }
    }
}
