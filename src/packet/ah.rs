//! The clear part of AH (RFC 4302 §2). What AH wraps is not looked at: it counts as AH.

use crate::base::EspSpi;

use super::AhPacket;
use super::ip::Payload;
use super::octets::{be8, be32};

/// Reads an AH packet, `None` if its fixed part is not there.
pub(super) fn read(carried: Payload<'_>) -> Option<AhPacket> {
    Some(AhPacket {
        next_header: be8(carried.octets, 0)?,
        spi: EspSpi(be32(carried.octets, 4)?),
        sequence: be32(carried.octets, 8)?,
        length: carried.wire,
    })
}
