//! From the link layer to the IP packet: Ethernet and its tags, MPLS, PPP, PPPoE, cooked and raw captures.
//!
//! Not here: tunnels over IP. Contract: borrows only, and passes at most [`MOST_HEADERS`] headers.

use crate::base::LinkType;

use super::octets::{be8, be16, be32};
use super::protocol::ether_type;

/// Headers that are passed before a frame is given up as not ours.
const MOST_HEADERS: usize = 16;

/// What a frame carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carried<'a> {
    /// Something that should be an IPv4 or IPv6 packet.
    Ip(&'a [u8]),
    /// Something else.
    Other,
    /// The link type cannot be read.
    UnknownLink,
}

/// The header that is to be passed next, and the octets from there on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Header<'a> {
    Ethernet(&'a [u8]),
    /// What an EtherType announced; the EtherType itself is passed.
    EtherType(u16, &'a [u8]),
    /// 802.2 logical link control.
    Llc(&'a [u8]),
    /// A label stack (RFC 3032).
    Mpls(&'a [u8]),
    /// From the session header on (RFC 2516).
    Pppoe(&'a [u8]),
    /// From the HDLC address, if it is there, or from the protocol field on (RFC 1661, RFC 1662).
    Ppp(&'a [u8]),
    Ip(&'a [u8]),
}

/// What a frame of link type `link` carries.
pub(super) fn carried(link: LinkType, octets: &[u8]) -> Carried<'_> {
    let first = match link {
        LinkType::ETHERNET => Some(Header::Ethernet(octets)),
        LinkType::RAW | LinkType::RAW_BSD | LinkType::RAW_OPENBSD | LinkType::IPV4 | LinkType::IPV6 => {
            Some(Header::Ip(octets))
        }
        LinkType::NULL | LinkType::LOOP => loopback(octets),
        LinkType::PPP | LinkType::PPP_HDLC => Some(Header::Ppp(octets)),
        LinkType::PPP_WITH_DIR => octets.get(1..).map(Header::Ppp),
        LinkType::PPP_ETHER => Some(Header::Pppoe(octets)),
        LinkType::LINUX_SLL => cooked(octets, 14, 16),
        LinkType::LINUX_SLL2 => cooked(octets, 0, 20),
        _ => return Carried::UnknownLink,
    };
    first.and_then(inside).map_or(Carried::Other, Carried::Ip)
}

/// The IP packet behind `header` and all that follow it.
pub(super) fn inside(mut header: Header<'_>) -> Option<&[u8]> {
    for _ in 0..MOST_HEADERS {
        header = match header {
            Header::Ip(octets) => return Some(octets),
            Header::Ethernet(octets) => tagged(be16(octets, 12)?, octets.get(14..)?),
            Header::EtherType(kind, octets) => announced(kind, octets)?,
            Header::Llc(octets) => llc(octets)?,
            Header::Mpls(octets) => mpls(octets)?,
            Header::Pppoe(octets) => pppoe(octets)?,
            Header::Ppp(octets) => ppp(octets)?,
        };
    }
    None
}

/// The field behind the addresses is a type or, in older frames, a length.
fn tagged(kind: u16, octets: &[u8]) -> Header<'_> {
    if kind < ether_type::LEAST { Header::Llc(octets) } else { Header::EtherType(kind, octets) }
}

fn announced(kind: u16, octets: &[u8]) -> Option<Header<'_>> {
    match kind {
        ether_type::IPV4 | ether_type::IPV6 => Some(Header::Ip(octets)),
        ether_type::VLAN | ether_type::PROVIDER_BRIDGING | ether_type::VLAN_STACKED => {
            Some(tagged(be16(octets, 2)?, octets.get(4..)?))
        }
        ether_type::MPLS | ether_type::MPLS_UPSTREAM => Some(Header::Mpls(octets)),
        ether_type::PPPOE_SESSION => Some(Header::Pppoe(octets)),
        ether_type::PPP => Some(Header::Ppp(octets)),
        ether_type::TRANSPARENT_ETHERNET => Some(Header::Ethernet(octets)),
        _ => None,
    }
}

/// IP by its own SAP, or by EtherType behind a SNAP header (RFC 1042).
fn llc(octets: &[u8]) -> Option<Header<'_>> {
    match octets.get(..3)? {
        [0xaa, 0xaa, 0x03] if octets.get(3..6)? == [0, 0, 0] => {
            Some(Header::EtherType(be16(octets, 6)?, octets.get(8..)?))
        }
        [0x06, 0x06, 0x03] => Some(Header::Ip(octets.get(3..)?)),
        _ => None,
    }
}

/// The label stack does not say what follows it: the first nibble must tell IP from a pseudowire (RFC 4385 §3).
fn mpls(octets: &[u8]) -> Option<Header<'_>> {
    let mut rest = octets;
    for _ in 0..MOST_HEADERS {
        let (label, behind) = rest.split_first_chunk::<4>()?;
        rest = behind;
        let bottom_of_stack = label[2] & 1 == 1;
        if bottom_of_stack {
            return match be8(rest, 0)? >> 4 {
                4 | 6 => Some(Header::Ip(rest)),
                0 => Some(Header::Ethernet(rest.get(4..)?)),
                _ => None,
            };
        }
    }
    None
}

/// Version and type are 1; code 0 is session data.
fn pppoe(octets: &[u8]) -> Option<Header<'_>> {
    (be16(octets, 0)? == 0x1100).then(|| octets.get(6..).map(Header::Ppp)).flatten()
}

fn ppp(octets: &[u8]) -> Option<Header<'_>> {
    let octets = match octets.get(..2)? {
        [0xff, 0x03] => octets.get(2..)?,
        // Cisco HDLC, unicast and multicast: an EtherType follows.
        [0x0f | 0x8f, 0x00] => return Some(Header::EtherType(be16(octets, 2)?, octets.get(4..)?)),
        _ => octets,
    };
    let first = be8(octets, 0)?;
    // The first octet of a full protocol field is even, a compressed field is one odd octet (RFC 1661 §2).
    let (protocol, rest) =
        if first & 1 == 1 { (u16::from(first), octets.get(1..)?) } else { (be16(octets, 0)?, octets.get(2..)?) };
    match protocol {
        0x0021 | 0x0057 => Some(Header::Ip(rest)),
        0x0281 | 0x0283 => Some(Header::Mpls(rest)),
        _ => None,
    }
}

/// The address family in the byte order of whoever captured: INET everywhere, INET6 by system.
fn loopback(octets: &[u8]) -> Option<Header<'_>> {
    let family = be32(octets, 0)?;
    let known = |family: u32| matches!(family, 2 | 10 | 23 | 24 | 28 | 30);
    (known(family) || known(family.swap_bytes())).then(|| octets.get(4..).map(Header::Ip)).flatten()
}

/// A cooked header: its protocol field at `protocol`, its end at `end`.
fn cooked(octets: &[u8], protocol: usize, end: usize) -> Option<Header<'_>> {
    const LLC: u16 = 4;
    let rest = octets.get(end..)?;
    match be16(octets, protocol)? {
        LLC => Some(Header::Llc(rest)),
        kind => Some(Header::EtherType(kind, rest)),
    }
}
