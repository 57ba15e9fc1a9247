//! What shows in a frame alone, without what came before it: enough for nearly all frames, whoever looks and when.
//!
//! Not here: TCP streams, fragments, counts, which [`super::Classifier`] keeps. Contract: whoever tells the classifier what was
//! seen gets the datagrams and the class that it gives for the frame itself.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::{FrameRef, Timestamp};
use crate::capture::Frame;

use super::look::{self, Look};
use super::protocol::IkePorts;
use super::{Body, Class, Datagram, Encapsulation, EspPacket};

/// Looks at frames one by one and keeps nothing of them.
#[derive(Debug, Clone)]
pub struct Eye {
    ports: IkePorts,
}

/// What shows in a frame.
#[derive(Debug, Clone, Copy)]
pub enum Sight {
    /// It is not ours.
    Foreign,
    /// It is not ours, and IPv4 between private networks of different /24.
    Private {
        /// Source address.
        source: u32,
        /// Destination address.
        destination: u32,
    },
    /// ESP over IPv4, or in UDP over it.
    Esp(SeenEsp),
    /// More than can be told so: the frame itself has to be classified.
    Open,
}

/// An ESP packet over IPv4: its [`Datagram`], in few octets.
#[derive(Debug, Clone, Copy)]
pub struct SeenEsp {
    pub(super) packet: EspPacket,
    pub(super) source: Ipv4Addr,
    pub(super) destination: Ipv4Addr,
    pub(super) interface: u32,
    pub(super) missing: u32,
    pub(super) ip_id: Option<u32>,
    pub(super) ttl: u8,
}

impl Eye {
    /// For IKE on UDP 500, 4500 and `extra_ports`.
    pub fn new(extra_ports: &[u16]) -> Self {
        Self { ports: IkePorts::new(extra_ports) }
    }

    /// Whether `frame` is foreign, if that is told by a few comparisons. The rest is for [`Eye::look`].
    #[inline(always)]
    pub fn refuses(&self, frame: &Frame<'_>, streams: bool) -> bool {
        look::refuses(frame, &self.ports, streams)
    }

    /// Looks at `frame`. `streams`: some TCP stream is being followed, so that any segment may be ours.
    #[inline(always)]
    pub fn look(&self, frame: &Frame<'_>, streams: bool) -> Sight {
        match look::look(frame, &self.ports, streams) {
            Look::Foreign => Sight::Foreign,
            Look::Private(source, destination) => Sight::Private { source, destination },
            Look::Ours(at) => look::esp(frame, at, &self.ports).map_or(Sight::Open, Sight::Esp),
            Look::Unsettled => Sight::Open,
        }
    }
}

impl SeenEsp {
    /// The datagram, which came in frame `frame` at `at`.
    #[inline(always)]
    pub fn datagram(&self, frame: FrameRef, at: Timestamp) -> Datagram<'static> {
        Datagram {
            frame,
            first_frame: frame,
            at,
            interface: self.interface,
            source: IpAddr::V4(self.source),
            destination: IpAddr::V4(self.destination),
            ip_id: self.ip_id,
            ttl: self.ttl,
            fragments: 1,
            ambiguous_overlap: false,
            missing: self.missing,
            body: Body::Esp(self.packet),
        }
    }

    /// What its frame counts as.
    #[inline]
    pub fn class(&self) -> Class {
        if self.packet.encapsulation == Encapsulation::None { Class::Esp } else { Class::EspUdp }
    }
}
