//! The first look: refuses most frames of a busy link after a few comparisons, before anything is parsed.
//!
//! Contract: what it refuses, the full path would call [`super::Class::Other`], too; what it does not understand it
//! leaves to that path.

use crate::base::LinkType;
use crate::capture::Frame;

use super::icmp::Version;
use super::octets::{be8, be16};
use super::protocol::{IkePorts, ether_type, ip_protocol, tunnel_port};
use super::tcp;

/// Whether `frame` is certainly not ours. `streams`: some TCP stream is being followed, so that any segment may be.
#[inline]
pub(super) fn refuses(frame: &Frame<'_>, ports: &IkePorts, streams: bool) -> bool {
    frame.link == LinkType::ETHERNET && refuses_ethernet(frame.bytes, ports, streams).unwrap_or(false)
}

/// `None` where the octets end before that is settled.
#[inline]
fn refuses_ethernet(octets: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    let mut at = 12;
    let mut kind = be16(octets, at)?;
    while kind == ether_type::VLAN && at < 20 {
        at += 4;
        kind = be16(octets, at)?;
    }
    let packet = octets.get(at + 2..)?;
    match kind {
        ether_type::IPV4 => refuses_ipv4(packet, ports, streams),
        ether_type::IPV6 => refuses_ipv6(packet, ports, streams),
        _ => None,
    }
}

#[inline]
fn refuses_ipv4(packet: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    const MORE_FRAGMENTS_AND_OFFSET: u16 = 0x3fff;
    const LEN: usize = 20;
    if be8(packet, 0)? != 0x45 || be16(packet, 6)? & MORE_FRAGMENTS_AND_OFFSET != 0 {
        return None;
    }
    refuses_upper(be8(packet, 9)?, packet.get(LEN..)?, ports, streams)
}

#[inline]
fn refuses_ipv6(packet: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    const LEN: usize = 40;
    if be8(packet, 0)? >> 4 != 6 {
        return None;
    }
    refuses_upper(be8(packet, 6)?, packet.get(LEN..)?, ports, streams)
}

#[inline]
fn refuses_upper(protocol: u8, carried: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    match protocol {
        ip_protocol::UDP => {
            let (source, destination) = (be16(carried, 0)?, be16(carried, 2)?);
            Some(!ports.either(source, destination) && !tunnel_port::any(destination))
        }
        ip_protocol::TCP => {
            let (source, destination) = (be16(carried, 0)?, be16(carried, 2)?);
            let header_len = usize::from(be8(carried, 12)? >> 4) * 4;
            let may_start = carried.get(header_len..).is_some_and(tcp::may_start);
            Some(!streams && !ports.shared_with_esp(source, destination) && !may_start)
        }
        ip_protocol::ICMP => Some(!Version::V4.is_error(be8(carried, 0)?)),
        ip_protocol::ICMPV6 => Some(!Version::V6.is_error(be8(carried, 0)?)),
        _ => None,
    }
}
