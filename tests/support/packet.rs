//! IP packets and what they carry: UDP, TCP, ESP, AH, ICMP errors, DNS.
//!
//! Ports and addresses come as `SocketAddr`; both ends of a packet are of one family.

use std::net::{IpAddr, SocketAddr};

use super::wire::address;

// IP protocol numbers.
pub const ICMP: u8 = 1;
pub const TCP: u8 = 6;
pub const UDP: u8 = 17;
pub const FRAGMENT: u8 = 44;
pub const ESP: u8 = 50;
pub const AH: u8 = 51;
pub const ICMPV6: u8 = 58;

/// The changing parts of an IP header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ip {
    /// Source address.
    pub source: IpAddr,
    /// Destination address, of the same family.
    pub destination: IpAddr,
    /// Identification; of IPv6 only fragments carry it.
    pub id: u16,
    /// Time to live or hop limit.
    pub ttl: u8,
}

impl Ip {
    /// The packet with `payload` of `protocol` (RFC 791 §3.1, RFC 8200 §3).
    pub fn packet(&self, protocol: u8, payload: &[u8]) -> Vec<u8> {
        if self.source.is_ipv4() { self.ipv4(protocol, 0, payload) } else { self.ipv6(protocol, payload) }
    }

    /// The same in as many fragments as `mtu` asks for: one packet if it fits (RFC 791 §3.2, RFC 8200 §4.5).
    pub fn fragments(&self, protocol: u8, payload: &[u8], mtu: usize) -> Vec<Vec<u8>> {
        let head = if self.source.is_ipv4() { 20 } else { 40 };
        if head + payload.len() <= mtu {
            return vec![self.packet(protocol, payload)];
        }
        let extra = if self.source.is_ipv4() { 0 } else { 8 };
        let room = (mtu - head - extra) / 8 * 8;
        let pieces = payload.len().div_ceil(room);
        payload
            .chunks(room)
            .enumerate()
            .map(|(index, piece)| {
                let more = index + 1 < pieces;
                let offset = (index * room / 8) as u16;
                if self.source.is_ipv4() {
                    self.ipv4(protocol, offset | if more { 0x2000 } else { 0 }, piece)
                } else {
                    let place = (offset << 3 | u16::from(more)).to_be_bytes();
                    let header = [&[protocol, 0][..], &place, &u32::from(self.id).to_be_bytes()].concat();
                    self.ipv6(FRAGMENT, &[&header, piece].concat())
                }
            })
            .collect()
    }

    fn ipv4(&self, protocol: u8, place: u16, payload: &[u8]) -> Vec<u8> {
        let mut header = vec![0x45, 0];
        header.extend((20 + payload.len() as u16).to_be_bytes());
        header.extend(self.id.to_be_bytes());
        header.extend(place.to_be_bytes());
        header.extend([self.ttl, protocol, 0, 0]);
        header.extend(address(self.source));
        header.extend(address(self.destination));
        let sum = checksum(&header);
        header[10..12].copy_from_slice(&sum.to_be_bytes());
        [&header, payload].concat()
    }

    fn ipv6(&self, next_header: u8, payload: &[u8]) -> Vec<u8> {
        let mut header = vec![0x60, 0, 0, 0];
        header.extend((payload.len() as u16).to_be_bytes());
        header.extend([next_header, self.ttl]);
        header.extend(address(self.source));
        header.extend(address(self.destination));
        [&header, payload].concat()
    }
}

/// The Internet checksum (RFC 1071).
pub fn checksum(octets: &[u8]) -> u16 {
    let words = octets.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(*pair.get(1).unwrap_or(&0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

/// The checksum of an upper layer over its pseudo-header (RFC 768, RFC 8200 §8.1).
fn upper_checksum(source: IpAddr, destination: IpAddr, protocol: u8, segment: &[u8]) -> u16 {
    let pseudo = [
        &address(source)[..],
        &address(destination),
        &(segment.len() as u32).to_be_bytes(),
        &[0, 0, 0, protocol],
        segment,
    ];
    checksum(&pseudo.concat())
}

/// A UDP datagram (RFC 768).
pub fn udp(source: SocketAddr, destination: SocketAddr, payload: &[u8]) -> Vec<u8> {
    let mut datagram = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    let sum = match upper_checksum(source.ip(), destination.ip(), UDP, &datagram) {
        0 => 0xffff,
        sum => sum,
    };
    datagram[6..8].copy_from_slice(&sum.to_be_bytes());
    datagram
}

// TCP flags (RFC 9293 §3.1).
pub const FIN: u8 = 0x01;
pub const SYN: u8 = 0x02;
pub const RST: u8 = 0x04;
pub const PSH: u8 = 0x08;
pub const ACK: u8 = 0x10;

/// A TCP segment without options (RFC 9293 §3.1).
pub fn tcp(
    source: SocketAddr,
    destination: SocketAddr,
    sequence: u32,
    acknowledges: u32,
    flags: u8,
    payload: &[u8],
) -> Vec<u8> {
    let mut segment = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
    segment.extend(sequence.to_be_bytes());
    segment.extend(acknowledges.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    let sum = upper_checksum(source.ip(), destination.ip(), TCP, &segment);
    segment[16..18].copy_from_slice(&sum.to_be_bytes());
    segment
}

/// A message behind the non-ESP marker (RFC 3948 §2.2).
pub fn marked(message: &[u8]) -> Vec<u8> {
    [&[0; 4], message].concat()
}

/// A message in the stream of RFC 9329 §3: its length with these two octets, the marker, the message.
pub fn streamed(message: &[u8]) -> Vec<u8> {
    [&(6 + message.len() as u16).to_be_bytes()[..], &marked(message)].concat()
}

/// An ESP packet (RFC 4303 §2).
pub fn esp(spi: u32, sequence: u32, body: &[u8]) -> Vec<u8> {
    [&spi.to_be_bytes()[..], &sequence.to_be_bytes(), body].concat()
}

/// An AH packet with a twelve-octet ICV around `inner` of protocol `next_header` (RFC 4302 §2).
pub fn ah(next_header: u8, spi: u32, sequence: u32, inner: &[u8]) -> Vec<u8> {
    let header = [next_header, 4, 0, 0];
    [&header[..], &spi.to_be_bytes(), &sequence.to_be_bytes(), &[0xa5; 12], inner].concat()
}

/// An ICMP or ICMPv6 error with `mtu` in its second word, about the packet `about`, of which at most `quote` octets
/// are quoted (RFC 792, RFC 1191 §4, RFC 4443 §3). Give the numbers of the family of `from`.
pub fn icmp_error(
    from: IpAddr,
    to: IpAddr,
    (icmp_type, code): (u8, u8),
    mtu: u16,
    about: &[u8],
    quote: usize,
) -> Vec<u8> {
    let mut error = vec![icmp_type, code, 0, 0, 0, 0];
    error.extend(mtu.to_be_bytes());
    error.extend(&about[..about.len().min(quote)]);
    icmp_finished(from, to, error)
}

/// An echo request, or the reply to one.
pub fn icmp_echo(from: IpAddr, to: IpAddr, reply: bool, sequence: u16) -> Vec<u8> {
    let icmp_type = match (from.is_ipv4(), reply) {
        (true, false) => 8,
        (true, true) => 0,
        (false, false) => 128,
        (false, true) => 129,
    };
    let mut echo = vec![icmp_type, 0, 0, 0, 0x12, 0x34];
    echo.extend(sequence.to_be_bytes());
    echo.extend([0x61; 32]);
    icmp_finished(from, to, echo)
}

fn icmp_finished(from: IpAddr, to: IpAddr, mut message: Vec<u8>) -> Vec<u8> {
    let sum = if from.is_ipv4() { checksum(&message) } else { upper_checksum(from, to, ICMPV6, &message) };
    message[2..4].copy_from_slice(&sum.to_be_bytes());
    message
}

/// Protocol number of ICMP in the family of `ip`.
pub fn icmp_protocol(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { ICMP } else { ICMPV6 }
}

/// A DNS question for the address of `name` (RFC 1035 §4).
pub fn dns_query(id: u16, name: &str) -> Vec<u8> {
    let mut query = dns_header(id, 0x0100, 0);
    query.extend(dns_question(name));
    query
}

/// Its answer: an IPv4 address, or an error (`Err(3)`: no such name).
pub fn dns_answer(id: u16, name: &str, answer: Result<[u8; 4], u8>) -> Vec<u8> {
    let mut message = match answer {
        Ok(_) => dns_header(id, 0x8180, 1),
        Err(rcode) => dns_header(id, 0x8180 | u16::from(rcode), 0),
    };
    message.extend(dns_question(name));
    if let Ok(ip) = answer {
        message.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 1, 0x2c, 0, 4]);
        message.extend(ip);
    }
    message
}

fn dns_header(id: u16, flags: u16, answers: u16) -> Vec<u8> {
    [id, flags, 1, answers, 0, 0].iter().flat_map(|word| word.to_be_bytes()).collect()
}

fn dns_question(name: &str) -> Vec<u8> {
    let labels = name.split('.').flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat());
    labels.chain([0, 0, 1, 0, 1]).collect()
}
