//! What shows in a frame alone, without what came before it: enough for nearly all frames, whoever looks and when.
//!
//! Not here: TCP streams, fragments, counts, which [`super::Classifier`] keeps. Contract: whoever tells the classifier what was
//! seen gets the datagrams and the class that it gives for the frame itself.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::{EspSpi, FrameRef, Timestamp};
use crate::capture::Frame;

use super::look::{self, Glance, Look};
use super::protocol::IkePorts;
use super::{Body, Class, Datagram, Encapsulation, IsakmpDatagram, encap};

/// Looks at frames one by one and keeps nothing of them.
#[derive(Debug, Clone)]
pub struct Eye {
    ports: IkePorts,
}

/// What shows in a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
    /// An ISAKMP message over UDP.
    Isakmp(SeenIsakmp),
    /// More than can be told so: the frame itself has to be classified.
    Open,
}

/// An ESP packet over IPv4, unfragmented: what its flow is followed by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenEsp {
    /// SPI.
    pub spi: EspSpi,
    /// Sequence number (its low 32 bits).
    pub sequence: u32,
    /// Octets on the wire, as in [`super::EspPacket::length`].
    pub length: u32,
    /// Source address.
    pub source: Ipv4Addr,
    /// Destination address.
    pub destination: Ipv4Addr,
    /// IPv4 identification.
    pub ip_id: u16,
    /// Native or in UDP.
    pub encapsulation: Encapsulation,
    /// See [`super::EspPacket::ports`].
    pub ports: (u16, u16),
    /// See [`super::EspPacket::readable`].
    pub readable: bool,
}

/// An ISAKMP message over UDP, unfragmented: its datagram, but for the octets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenIsakmp {
    /// Source address.
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// IPv4 identification.
    pub ip_id: Option<u32>,
    /// IPv4 time to live or IPv6 hop limit.
    pub ttl: u8,
    /// Interface within the capture.
    pub interface: u32,
    /// UDP source port.
    pub source_port: u16,
    /// UDP destination port.
    pub destination_port: u16,
    /// See [`IsakmpDatagram::non_esp_marker`].
    pub non_esp_marker: bool,
    /// Octets at its end that were not captured.
    pub missing: u32,
    /// Where in the frame its octets begin.
    pub place: u32,
    /// How many there are.
    pub len: u32,
}

impl Eye {
    /// For IKE on UDP 500, 4500 and `extra_ports`.
    pub fn new(extra_ports: &[u16]) -> Self {
        Self { ports: IkePorts::new(extra_ports) }
    }

    /// A glance at `frame`, which settles most of them. The rest is for [`Eye::look`].
    #[inline(always)]
    pub fn glance(&self, frame: &Frame<'_>, streams: bool) -> Glance {
        look::glance(frame, &self.ports, streams)
    }

    /// The ESP packet in a frame of which a glance showed that it may be one.
    #[inline(always)]
    pub fn esp(&self, frame: &Frame<'_>) -> Option<SeenEsp> {
        look::esp(frame, look::USUAL, &self.ports)
    }

    /// The ISAKMP message in a frame of which a glance showed that it is ours, if it was captured whole: what [`Eye::sight`] finds,
    /// written to `seen`. Answers whether there is one.
    #[inline(always)]
    pub fn whole_isakmp(&self, frame: &Frame<'_>, seen: &mut SeenIsakmp) -> bool {
        look::whole_isakmp(frame, &self.ports, seen).is_some()
    }

    /// What shows in a frame of which a glance showed that it is ours.
    #[inline(always)]
    pub fn sight(&self, frame: &Frame<'_>) -> Sight {
        look::sight(frame, look::USUAL, &self.ports).unwrap_or(Sight::Open)
    }

    /// Looks at `frame`. `streams`: some TCP stream is being followed, so that any segment may be ours.
    #[inline(always)]
    pub fn look(&self, frame: &Frame<'_>, streams: bool) -> Sight {
        match look::look(frame, &self.ports, streams) {
            Look::Foreign => Sight::Foreign,
            Look::Private(source, destination) => Sight::Private { source, destination },
            Look::Ours(at) => look::sight(frame, at, &self.ports).unwrap_or(Sight::Open),
            Look::Unsettled => Sight::Open,
        }
    }
}

impl SeenEsp {
    /// What its frame counts as.
    #[inline]
    pub fn class(&self) -> Class {
        if self.encapsulation == Encapsulation::None { Class::Esp } else { Class::EspUdp }
    }
}

impl SeenIsakmp {
    /// Of no message yet.
    pub const BLANK: Self = Self {
        source: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        destination: IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        ip_id: None,
        ttl: 0,
        interface: 0,
        source_port: 0,
        destination_port: 0,
        non_esp_marker: false,
        missing: 0,
        place: 0,
        len: 0,
    };

    /// The octets of the message, in what its place is in.
    #[inline]
    pub fn octets<'a>(&self, within: &'a [u8]) -> &'a [u8] {
        within.get(self.place as usize..).and_then(|octets| octets.get(..self.len as usize)).unwrap_or_default()
    }

    /// What its frame counts as, of which these octets are the message.
    #[inline]
    pub fn class(&self, octets: &[u8]) -> Class {
        if encap::has_header(octets) { Class::Isakmp } else { Class::Malformed }
    }

    /// The datagram, in this frame that was recorded then; `octets` are the message.
    #[inline]
    pub fn datagram<'a>(&self, (frame, at): (FrameRef, Timestamp), octets: &'a [u8]) -> Datagram<'a> {
        Datagram {
            frame,
            first_frame: frame,
            at,
            interface: self.interface,
            source: self.source,
            destination: self.destination,
            ip_id: self.ip_id,
            ttl: self.ttl,
            fragments: 1,
            ambiguous_overlap: false,
            missing: self.missing,
            body: Body::Isakmp(self.isakmp(octets)),
        }
    }

    /// The message, which these octets are.
    #[inline]
    pub fn isakmp<'a>(&self, octets: &'a [u8]) -> IsakmpDatagram<'a> {
        IsakmpDatagram {
            source_port: self.source_port,
            destination_port: self.destination_port,
            encapsulation: Encapsulation::Udp,
            non_esp_marker: self.non_esp_marker,
            octets,
        }
    }
}
