//! The clear part of ESP (RFC 4303 §2): SPI and sequence number.

use crate::base::EspSpi;

use super::ip::Payload;
use super::octets::be32;
use super::{Encapsulation, EspPacket};

/// Reads an ESP packet, `None` if SPI and sequence number are not there.
pub(super) fn read(
    carried: Payload<'_>,
    encapsulation: Encapsulation,
    (source_port, destination_port): (u16, u16),
) -> Option<EspPacket> {
    Some(EspPacket {
        spi: EspSpi(be32(carried.octets, 0)?),
        sequence: be32(carried.octets, 4)?,
        length: carried.wire,
        encapsulation,
        source_port,
        destination_port,
    })
}
