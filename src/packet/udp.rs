//! The UDP header (RFC 768), and what its length field is worth.

use super::ip::Payload;
use super::octets::be16;

/// Octets of the header.
const HEADER_LEN: usize = 8;

/// A UDP datagram.
#[derive(Debug, Clone, Copy)]
pub(super) struct UdpDatagram<'a> {
    pub source_port: u16,
    pub destination_port: u16,
    /// `None` if not even the header is whole.
    pub payload: Option<Payload<'a>>,
}

/// Reads a datagram, `None` if its ports are not there. The length field may shorten what IP carries and never extend
/// it; below eight it says nothing.
#[inline(always)]
pub(super) fn read(carried: Payload<'_>) -> Option<UdpDatagram<'_>> {
    let (source_port, destination_port) = ports(carried.octets)?;
    let payload = be16(carried.octets, 4).and_then(|length| {
        let carried = if usize::from(length) < HEADER_LEN { carried } else { carried.up_to(u32::from(length)) };
        carried.behind(HEADER_LEN)
    });
    Some(UdpDatagram { source_port, destination_port, payload })
}

/// Source and destination port of UDP or TCP.
#[inline(always)]
pub(super) fn ports(octets: &[u8]) -> Option<(u16, u16)> {
    Some((be16(octets, 0)?, be16(octets, 2)?))
}
