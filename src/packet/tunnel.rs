//! Tunnels over IP, as mirror ports and plain site-to-site tunnels use them: GRE, ERSPAN, VXLAN, Geneve.
//!
//! Not here: IP in IP, which needs no reading. Contract: borrows only.

use super::ip::Payload;
use super::link::{Header, inside};
use super::octets::{be8, be16, be32};
use super::protocol::{ether_type, tunnel_port};

/// The IP packet inside a GRE packet (RFC 2784, RFC 2890).
pub(super) fn gre(carried: Payload<'_>) -> Option<Payload<'_>> {
    const CHECKSUM: u16 = 0x8000;
    const ROUTING: u16 = 0x4000;
    const KEY: u16 = 0x2000;
    const SEQUENCE: u16 = 0x1000;
    const VERSION: u16 = 0x0007;
    let flags = be16(carried.octets, 0)?;
    if flags & (ROUTING | VERSION) != 0 {
        return None;
    }
    let optional = [CHECKSUM, KEY, SEQUENCE].iter().filter(|&&flag| flags & flag != 0).count();
    let behind = carried.behind(4 + 4 * optional)?;
    match be16(carried.octets, 2)? {
        ether_type::ERSPAN if flags & SEQUENCE == 0 => ethernet(behind),
        ether_type::ERSPAN => ethernet(behind.behind(8)?),
        ether_type::ERSPAN_III => erspan_iii(behind),
        kind => packet(behind, Header::EtherType(kind, behind.octets)),
    }
}

/// The IP packet inside the payload of a UDP datagram to `port`.
pub(super) fn udp(port: u16, carried: Payload<'_>) -> Option<Payload<'_>> {
    match port {
        tunnel_port::VXLAN | tunnel_port::VXLAN_LINUX => vxlan(carried),
        tunnel_port::GENEVE => geneve(carried),
        _ => None,
    }
}

/// Twelve octets, and eight more if the last bit says so.
fn erspan_iii(carried: Payload<'_>) -> Option<Payload<'_>> {
    const PLATFORM_SPECIFIC: u16 = 1;
    const FRAME_TYPE_IP: u16 = 2;
    let last = be16(carried.octets, 10)?;
    let behind = carried.behind(if last & PLATFORM_SPECIFIC == 0 { 12 } else { 20 })?;
    if (last >> 10) & 0x1f == FRAME_TYPE_IP { Some(behind) } else { ethernet(behind) }
}

/// A valid network identifier and a zero octet at the end are all that marks VXLAN (RFC 7348 §5).
fn vxlan(carried: Payload<'_>) -> Option<Payload<'_>> {
    const VALID_IDENTIFIER: u8 = 0x08;
    let header = (be8(carried.octets, 0)?, be8(carried.octets, 7)?);
    if header.0 & VALID_IDENTIFIER == 0 || header.1 != 0 {
        return None;
    }
    ethernet(carried.behind(8)?)
}

/// Options are counted in fours; the protocol is an EtherType (RFC 8926 §3.4).
fn geneve(carried: Payload<'_>) -> Option<Payload<'_>> {
    let first = be8(carried.octets, 0)?;
    let reserved = be32(carried.octets, 4)? & 0xff;
    if first >> 6 != 0 || reserved != 0 {
        return None;
    }
    let behind = carried.behind(8 + 4 * usize::from(first & 0x3f))?;
    packet(behind, Header::EtherType(be16(carried.octets, 2)?, behind.octets))
}

fn ethernet(carried: Payload<'_>) -> Option<Payload<'_>> {
    packet(carried, Header::Ethernet(carried.octets))
}

/// What stands behind `first` and all headers that follow it, which lie in `carried`.
fn packet<'a>(carried: Payload<'a>, first: Header<'a>) -> Option<Payload<'a>> {
    let packet = inside(first)?;
    carried.behind(carried.octets.len().checked_sub(packet.len())?)
}
