//! A packet as its flow counts it.

use crate::base::{FrameRef, Timestamp};
use crate::packet::{AhPacket, Datagram, EspPacket, SeenEsp};

/// A packet of ESP or AH, as far as it is counted in its flow.
#[derive(Debug, Clone, Copy)]
pub(in crate::track) struct FlowPacket {
    pub(super) frame: FrameRef,
    pub(super) at: Timestamp,
    pub(super) sequence: u32,
    pub(super) length: u32,
    pub(super) ip_id: Option<u32>,
    pub(super) fragmented: bool,
    pub(super) readable: bool,
    /// Source and destination port, if encapsulated; zero otherwise.
    pub(super) ports: (u16, u16),
}

impl FlowPacket {
    /// Its length, as far as two octets hold it: what is longer was never one packet.
    #[inline(always)]
    pub(super) fn short_length(&self) -> u16 {
        self.length.min(u16::MAX.into()) as u16
    }

    /// Whether it is encapsulated, between ports of which none is 4500.
    #[inline(always)]
    pub(super) fn is_off_4500(&self) -> bool {
        let (source, destination) = self.ports;
        source != 4500 && destination != 4500 && self.ports != (0, 0)
    }

    #[inline(always)]
    pub(super) fn of_esp(esp: &SeenEsp, frame: FrameRef, at: Timestamp) -> Self {
        Self {
            frame,
            at,
            sequence: esp.sequence,
            length: esp.length,
            ip_id: Some(u32::from(esp.ip_id)),
            fragmented: false,
            readable: esp.readable,
            ports: esp.ports,
        }
    }

    /// ESP in a datagram.
    pub(in crate::track) fn esp(datagram: &Datagram<'_>, esp: &EspPacket) -> Self {
        Self { readable: esp.readable, ports: esp.ports, ..Self::new(datagram, (esp.sequence, esp.length)) }
    }

    /// AH in a datagram.
    pub(in crate::track) fn ah(datagram: &Datagram<'_>, ah: &AhPacket) -> Self {
        Self::new(datagram, (ah.sequence, ah.length))
    }

    fn new(datagram: &Datagram<'_>, (sequence, length): (u32, u32)) -> Self {
        Self {
            frame: datagram.frame,
            at: datagram.at,
            sequence,
            length,
            ip_id: datagram.ip_id,
            fragmented: datagram.fragments > 1,
            readable: false,
            ports: (0, 0),
        }
    }
}
