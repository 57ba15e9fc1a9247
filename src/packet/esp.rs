//! The clear part of ESP (RFC 4303 §2): SPI and sequence number.

use crate::base::EspSpi;

use super::ip::Payload;
use super::octets::be32;
use super::{Encapsulation, EspPacket};

/// Octets of SPI and sequence number.
const HEADER_LEN: usize = 8;

/// Reads an ESP packet, `None` if SPI and sequence number are not there.
#[inline(always)]
pub(super) fn read(carried: Payload<'_>, encapsulation: Encapsulation, ports: (u16, u16)) -> Option<EspPacket> {
    Some(EspPacket {
        spi: EspSpi(be32(carried.octets, 0)?),
        sequence: be32(carried.octets, 4)?,
        length: carried.wire,
        encapsulation,
        ports,
        readable: carried.octets.get(HEADER_LEN..).is_some_and(is_ipv4),
    })
}

/// Whether `inside` begins with an IPv4 header without options whose checksum is right: chance gives that once in
/// sixteen million ciphertexts.
#[inline(always)]
fn is_ipv4(inside: &[u8]) -> bool {
    const IPV4_LEN: usize = 20;
    let Some(header) = inside.get(..IPV4_LEN).filter(|header| header[0] == 0x45) else { return false };
    let sum: u32 = header.chunks_exact(2).map(|pair| u32::from(u16::from_be_bytes([pair[0], pair[1]]))).sum();
    (sum >> 16) + (sum & 0xffff) == 0xffff
}
