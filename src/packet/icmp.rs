//! ICMP and ICMPv6 errors, and the datagram of ours that they quote.
//!
//! A quotation is never handed on as a message. It may end anywhere: RFC 792 asks for eight octets behind the quoted
//! IP header, later RFCs for more.

use crate::base::EspSpi;

use super::encap::{self, Content};
use super::ip::{self, IpPacket, Payload};
use super::octets::{be8, be16, be32, up_to};
use super::protocol::{IkePorts, ip_protocol};
use super::{IcmpError, Quoted, udp};

/// Octets in front of the quotation.
const HEADER_LEN: usize = 8;

/// What an ICMP error says, by IP version, type and code (RFC 792, RFC 1812 §5.2.7.1, RFC 4443 §3).
pub fn icmp_error_name(version: u8, icmp_type: u8, code: u8) -> Option<&'static str> {
    Some(match (version, icmp_type, code) {
        (4, 3, 0) => "network unreachable",
        (4, 3, 1) => "host unreachable",
        (4, 3, 2) => "protocol unreachable",
        (4, 3, 3) => "port unreachable",
        (4, 3, 4) => "fragmentation needed and not allowed",
        (4, 3, 5) => "source route failed",
        (4, 3, 6) => "network unknown",
        (4, 3, 7) => "host unknown",
        (4, 3, 9) => "network administratively prohibited",
        (4, 3, 10) => "host administratively prohibited",
        (4, 3, 13) => "communication administratively prohibited",
        (4, 4, 0) => "source quench",
        (4, 5, _) => "redirect",
        (4, 11, 0) => "time to live exceeded",
        (4, 11, 1) => "fragment reassembly time exceeded",
        (4, 12, _) => "parameter problem",
        (6, 1, 0) => "no route to destination",
        (6, 1, 1) => "communication administratively prohibited",
        (6, 1, 2) => "beyond scope of source address",
        (6, 1, 3) => "address unreachable",
        (6, 1, 4) => "port unreachable",
        (6, 1, 5) => "source address failed policy",
        (6, 1, 6) => "route rejected",
        (6, 2, _) => "packet too big",
        (6, 3, 0) => "hop limit exceeded",
        (6, 3, 1) => "fragment reassembly time exceeded",
        (6, 4, _) => "parameter problem",
        _ => return None,
    })
}

/// The IP version whose errors a message is about; the types differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V4,
    V6,
}

impl Version {
    /// Whether messages of this type are errors, which quote what caused them (RFC 1122 §3.2.2, RFC 4443 §2.1).
    #[inline]
    pub fn is_error(self, icmp_type: u8) -> bool {
        match self {
            Self::V4 => matches!(icmp_type, 3..=5 | 11..=12),
            Self::V6 => matches!(icmp_type, 1..=4),
        }
    }

    /// Whether a message answers a ping (RFC 792, RFC 4443 §4.2).
    #[inline]
    pub fn is_echo_reply(self, octets: &[u8]) -> bool {
        let echo_reply = match self {
            Self::V4 => 0,
            Self::V6 => 129,
        };
        octets.first() == Some(&echo_reply)
    }

    fn mtu(self, icmp_type: u8, code: u8, octets: &[u8]) -> Option<u32> {
        match (self, icmp_type, code) {
            (Self::V4, 3, 4) => be16(octets, 6).map(u32::from),
            (Self::V6, 2, _) => be32(octets, 4),
            _ => None,
        }
        // Routers older than RFC 1191 leave it zero.
        .filter(|&mtu| mtu != 0)
    }

    /// Octets that are quotation if something else follows it; zero if nothing does (RFC 4884 §4).
    fn quoted_len(self, icmp_type: u8, octets: &[u8]) -> Option<u32> {
        match (self, icmp_type) {
            (Self::V4, 3 | 11 | 12) => be8(octets, 5).map(|words| u32::from(words) * 4),
            (Self::V6, 1 | 3) => be8(octets, 4).map(|words| u32::from(words) * 8),
            _ => None,
        }
        .filter(|&len| len != 0)
    }
}

/// Reads an error that quotes a datagram of ours; `None` for everything else.
pub(super) fn read<'a>(version: Version, octets: &'a [u8], ports: &IkePorts) -> Option<IcmpError<'a>> {
    let icmp_type = be8(octets, 0).filter(|&icmp_type| version.is_error(icmp_type))?;
    let code = be8(octets, 1)?;
    let mut quotation = octets.get(HEADER_LEN..)?;
    if let Some(len) = version.quoted_len(icmp_type, octets) {
        quotation = up_to(quotation, len);
    }
    // The quoted length is of a datagram that was longer than the quotation.
    let packet = ip::read(quotation, u32::MAX)?;
    let expected = match version {
        Version::V4 => packet.source.is_ipv4(),
        Version::V6 => packet.source.is_ipv6(),
    };
    if !expected {
        return None;
    }
    Some(IcmpError {
        version: match version {
            Version::V4 => 4,
            Version::V6 => 6,
        },
        icmp_type,
        code,
        mtu: version.mtu(icmp_type, code, octets),
        quoted_source: packet.source,
        quoted_destination: packet.destination,
        quoted_ip_id: packet.id,
        quoted: quoted(&packet, ports)?,
    })
}

fn quoted<'a>(packet: &IpPacket<'a>, ports: &IkePorts) -> Option<Quoted<'a>> {
    let octets = packet.payload.octets;
    match packet.protocol {
        protocol @ (ip_protocol::UDP | ip_protocol::ESP | ip_protocol::AH)
            if packet.fragment.is_some_and(|fragment| fragment.offset != 0) =>
        {
            Some(Quoted::Fragment { protocol })
        }
        ip_protocol::UDP => quoted_udp(octets, ports),
        ip_protocol::ESP => Some(Quoted::Esp { spi: be32(octets, 0).map(EspSpi) }),
        ip_protocol::AH => Some(Quoted::Ah { spi: be32(octets, 4).map(EspSpi) }),
        _ => None,
    }
}

fn quoted_udp<'a>(octets: &'a [u8], ports: &IkePorts) -> Option<Quoted<'a>> {
    let (source_port, destination_port) = udp::ports(octets)?;
    if !ports.either(source_port, destination_port) {
        return None;
    }
    let length = be16(octets, 4).unwrap_or(0);
    let wire = u32::from(length).saturating_sub(8);
    let payload = Payload { octets: up_to(octets.get(8..).unwrap_or(&[]), wire), wire };
    let (isakmp, esp): (&[u8], _) = match encap::read(ports.shared_with_esp(source_port, destination_port), payload) {
        Content::Isakmp { message, .. } => (message.octets, None),
        Content::Esp(carried) => (&[], be32(carried.octets, 0).map(EspSpi)),
        Content::Keepalive | Content::Short => (&[], None),
    };
    Some(Quoted::Udp { source_port, destination_port, length, isakmp, esp })
}
