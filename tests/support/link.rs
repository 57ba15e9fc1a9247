//! The link layer around an IP packet: wrapping it in each link type, and taking it out again.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// A link layer, and so the link type of a capture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// Ethernet II.
    Ethernet,
    /// Ethernet with one IEEE 802.1Q tag.
    Vlan(u16),
    /// Ethernet with a service tag and a customer tag (IEEE 802.1ad).
    DoubleVlan(u16, u16),
    /// Ethernet with PPPoE session and PPP (RFC 2516).
    EthernetPppoe,
    /// Ethernet with one MPLS label (RFC 3032).
    EthernetMpls(u32),
    /// BSD loopback, written by a little-endian host.
    Null,
    /// OpenBSD loopback.
    Loop,
    /// Raw IP.
    Raw,
    /// Raw IP by its older number.
    RawBsd,
    /// PPP without HDLC framing.
    Ppp,
    /// PPP in HDLC-like framing (RFC 1662).
    PppHdlc,
    /// PPP behind a direction octet.
    PppWithDirection,
    /// PPPoE session without Ethernet.
    Pppoe,
    /// Linux cooked capture v1.
    LinuxSll,
    /// Linux cooked capture v2.
    LinuxSll2,
}

impl Link {
    /// All of them, tagged ones with some tag.
    pub const ALL: [Self; 15] = [
        Self::Ethernet,
        Self::Vlan(100),
        Self::DoubleVlan(200, 100),
        Self::EthernetPppoe,
        Self::EthernetMpls(16),
        Self::Null,
        Self::Loop,
        Self::Raw,
        Self::RawBsd,
        Self::Ppp,
        Self::PppHdlc,
        Self::PppWithDirection,
        Self::Pppoe,
        Self::LinuxSll,
        Self::LinuxSll2,
    ];

    /// Its LINKTYPE_ number.
    pub fn number(self) -> u32 {
        match self {
            Self::Ethernet | Self::Vlan(_) | Self::DoubleVlan(..) | Self::EthernetPppoe | Self::EthernetMpls(_) => 1,
            Self::Null => 0,
            Self::Ppp => 9,
            Self::RawBsd => 12,
            Self::PppHdlc => 50,
            Self::Pppoe => 51,
            Self::Raw => 101,
            Self::Loop => 108,
            Self::LinuxSll => 113,
            Self::PppWithDirection => 204,
            Self::LinuxSll2 => 276,
        }
    }

    /// `packet` (IPv4 or IPv6) in a frame of this link.
    pub fn wrap(self, packet: &[u8]) -> Vec<u8> {
        let six = version(packet) == Some(6);
        let ethertype: [u8; 2] = if six { [0x86, 0xdd] } else { [0x08, 0x00] };
        let ppp: [u8; 2] = if six { [0x00, 0x57] } else { [0x00, 0x21] };
        let family: u32 = if six { 30 } else { 2 };
        let macs = [mac(destination(packet)), mac(source(packet))].concat();
        let pppoe = [&[0x11, 0, 0, 7][..], &(2 + packet.len() as u16).to_be_bytes(), &ppp].concat();
        let head = match self {
            Self::Ethernet => [&macs[..], &ethertype].concat(),
            Self::Vlan(tag) => [&macs[..], &[0x81, 0], &tag.to_be_bytes(), &ethertype].concat(),
            Self::DoubleVlan(outer, inner) => {
                let tags = [&[0x88, 0xa8][..], &outer.to_be_bytes(), &[0x81, 0], &inner.to_be_bytes()].concat();
                [&macs[..], &tags, &ethertype].concat()
            }
            Self::EthernetPppoe => [&macs[..], &[0x88, 0x64], &pppoe].concat(),
            Self::EthernetMpls(label) => [&macs[..], &[0x88, 0x47], &(label << 12 | 0x100 | 64).to_be_bytes()].concat(),
            Self::Null => family.to_le_bytes().to_vec(),
            Self::Loop => family.to_be_bytes().to_vec(),
            Self::Raw | Self::RawBsd => Vec::new(),
            Self::Ppp => ppp.to_vec(),
            Self::PppHdlc => [&[0xff, 0x03][..], &ppp].concat(),
            Self::PppWithDirection => [&[0, 0xff, 0x03][..], &ppp].concat(),
            Self::Pppoe => pppoe,
            Self::LinuxSll => [&[0, 0, 0, 1, 0, 6][..], &mac(source(packet)), &[0, 0], &ethertype].concat(),
            Self::LinuxSll2 => {
                [&ethertype[..], &[0, 0, 0, 0, 0, 2, 0, 1, 0, 6], &mac(source(packet)), &[0, 0]].concat()
            }
        };
        [&head, packet].concat()
    }

    /// The IP packet in a frame of this link, without Ethernet's padding; `None` if it holds something else.
    pub fn unwrap(self, frame: &[u8]) -> Option<&[u8]> {
        let head = self.wrap(&[0x45; 20]).len() - 20;
        let packet = frame.get(head..)?;
        let is_ip = match self {
            Self::Ethernet | Self::Vlan(_) | Self::DoubleVlan(..) => {
                matches!(frame.get(head - 2..head)?, [0x08, 0x00] | [0x86, 0xdd])
            }
            _ => true,
        };
        let length = match version(packet)? {
            4 => length_at(packet, 2)?,
            _ => 40 + length_at(packet, 4)?,
        };
        is_ip.then(|| &packet[..length.min(packet.len())])
    }
}

/// What a router does to the IP packet in a frame of `link`: one hop less to live. Frames that hold no IP stay.
pub fn route_on(link: Link, frame: &mut [u8]) {
    let Some(length) = link.unwrap(frame).map(<[u8]>::len) else { return };
    let head = link.wrap(&[0x45; 20]).len() - 20;
    let packet = &mut frame[head..head + length];
    if version(packet) == Some(6) {
        packet[7] = packet[7].saturating_sub(1);
        return;
    }
    packet[8] = packet[8].saturating_sub(1);
    let header = usize::from(packet[0] & 0x0f) * 4;
    packet[10..12].fill(0);
    let sum = super::packet::checksum(&packet[..header]);
    packet[10..12].copy_from_slice(&sum.to_be_bytes());
}

fn length_at(packet: &[u8], at: usize) -> Option<usize> {
    Some(usize::from(u16::from_be_bytes([*packet.get(at)?, *packet.get(at + 1)?])))
}

/// 4 or 6, by the version nibble.
pub fn version(packet: &[u8]) -> Option<u8> {
    packet.first().map(|first| first >> 4).filter(|version| matches!(version, 4 | 6))
}

/// Source address of an IP packet.
pub fn source(packet: &[u8]) -> IpAddr {
    ip_at(packet, 12, 8)
}

/// Destination address of an IP packet.
pub fn destination(packet: &[u8]) -> IpAddr {
    ip_at(packet, 16, 24)
}

fn ip_at(packet: &[u8], at_v4: usize, at_v6: usize) -> IpAddr {
    if version(packet) == Some(6) {
        let octets: [u8; 16] = packet[at_v6..at_v6 + 16].try_into().expect("a whole IPv6 header");
        IpAddr::V6(Ipv6Addr::from(octets))
    } else {
        let octets: [u8; 4] = packet[at_v4..at_v4 + 4].try_into().expect("a whole IPv4 header");
        IpAddr::V4(Ipv4Addr::from(octets))
    }
}

/// A locally administered hardware address, different for each IP address of a test.
fn mac(ip: IpAddr) -> [u8; 6] {
    let octets = super::wire::address(ip);
    let tail = &octets[octets.len() - 4..];
    [0x02, 0x00, tail[0], tail[1], tail[2], tail[3]]
}
