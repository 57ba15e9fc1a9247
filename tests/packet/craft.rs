//! Packets made octet by octet from the RFCs.

use ikescope::base::LinkType;

pub const UDP: u8 = 17;
pub const ESP: u8 = 50;
pub const AH: u8 = 51;

pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

pub fn be(number: usize) -> [u8; 2] {
    u16::try_from(number).expect("fits a 16-bit field").to_be_bytes()
}

/// An IKE_SA_INIT request of `len` octets (RFC 7296 §3.1): a header and one vendor id payload that fills it.
pub fn ike(len: usize) -> Vec<u8> {
    let mut message = vec![0xa1; 8];
    message.extend([0; 8]);
    message.extend([43, 0x20, 34, 0x08, 0, 0, 0, 0]);
    message.extend(u32::try_from(len).expect("small").to_be_bytes());
    message.extend([0, 0]);
    message.extend(be(len - 28));
    let from = message.len();
    message.extend((from..len).map(|at| (at % 251) as u8));
    message
}

pub fn udp(source: u16, destination: u16, payload: &[u8]) -> Vec<u8> {
    join(&[&source.to_be_bytes(), &destination.to_be_bytes(), &be(8 + payload.len()), &[0, 0], payload])
}

pub fn ipv4(protocol: u8, payload: &[u8]) -> Vec<u8> {
    ipv4_fragment(protocol, 0, false, payload)
}

pub fn ipv4_fragment(protocol: u8, offset: usize, more: bool, payload: &[u8]) -> Vec<u8> {
    let flags = u16::try_from(offset / 8).expect("small") | if more { 0x2000 } else { 0 };
    join(&[
        &[0x45, 0],
        &be(20 + payload.len()),
        &[0x12, 0x34],
        &flags.to_be_bytes(),
        &[61, protocol, 0, 0],
        &[192, 0, 2, 1],
        &[198, 51, 100, 2],
        payload,
    ])
}

pub fn ipv6(next_header: u8, payload: &[u8]) -> Vec<u8> {
    let mut packet = join(&[&[0x60, 0, 0, 0], &be(payload.len()), &[next_header, 62]]);
    for last in [1, 2] {
        packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    packet
}

/// In Ethernet, by the packet's own version.
pub fn ethernet(packet: &[u8]) -> Vec<u8> {
    let kind: [u8; 2] = if packet.first().is_some_and(|first| first >> 4 == 6) { [0x86, 0xdd] } else { [8, 0] };
    join(&[&[2; 12], &kind, packet])
}

pub fn request() -> Vec<u8> {
    ipv4(UDP, &udp(500, 500, &ike(60)))
}

pub fn on_every_link(packet: &[u8]) -> Vec<(&'static str, LinkType, Vec<u8>)> {
    let v6 = packet[0] >> 4 == 6;
    let kind: &[u8] = if v6 { &[0x86, 0xdd] } else { &[8, 0] };
    let ppp: &[u8] = if v6 { &[0, 0x57] } else { &[0, 0x21] };
    let raw = if v6 { LinkType::IPV6 } else { LinkType::IPV4 };
    let macs = [2_u8; 12];
    let ppp_len = be(2 + packet.len());
    let frames: Vec<(&'static str, LinkType, Vec<&[u8]>)> = vec![
        ("ethernet", LinkType::ETHERNET, vec![&macs, kind]),
        ("802.1Q", LinkType::ETHERNET, vec![&macs, &[0x81, 0, 0, 7], kind]),
        ("802.1ad", LinkType::ETHERNET, vec![&macs, &[0x88, 0xa8, 0, 7, 0x81, 0, 0, 8], kind]),
        ("stacked 0x9100", LinkType::ETHERNET, vec![&macs, &[0x91, 0, 0, 7, 0x81, 0, 0, 8], kind]),
        ("three tags", LinkType::ETHERNET, vec![&macs, &[0x81, 0, 0, 7, 0x81, 0, 0, 8, 0x81, 0, 0, 9], kind]),
        ("MPLS", LinkType::ETHERNET, vec![&macs, &[0x88, 0x47, 0, 1, 0, 64, 0, 1, 1, 64]]),
        ("MPLS upstream", LinkType::ETHERNET, vec![&macs, &[0x88, 0x48, 0, 1, 1, 64]]),
        ("MPLS pseudowire", LinkType::ETHERNET, vec![&macs, &[0x88, 0x47, 0, 1, 1, 64, 0, 0, 0, 0], &macs, kind]),
        ("PPPoE", LinkType::ETHERNET, vec![&macs, &[0x88, 0x64, 0x11, 0, 0, 9], &ppp_len, ppp]),
        ("SNAP", LinkType::ETHERNET, vec![&macs, &[0, 90, 0xaa, 0xaa, 3, 0, 0, 0], kind]),
        ("PPPoE link", LinkType::PPP_ETHER, vec![&[0x11, 0, 0, 9], &ppp_len, ppp]),
        ("PPP", LinkType::PPP, vec![ppp]),
        ("PPP, HDLC framing", LinkType::PPP, vec![&[0xff, 3], ppp]),
        ("PPP, compressed protocol", LinkType::PPP_HDLC, vec![&[0xff, 3], &ppp[1..]]),
        ("PPP, both compressed", LinkType::PPP_HDLC, vec![&ppp[1..]]),
        ("Cisco HDLC", LinkType::PPP_HDLC, vec![&[0x0f, 0], kind]),
        ("PPP with direction", LinkType::PPP_WITH_DIR, vec![&[1, 0xff, 3], ppp]),
        ("cooked", LinkType::LINUX_SLL, vec![&[0; 14], kind]),
        ("cooked, tagged", LinkType::LINUX_SLL, vec![&[0; 14], &[0x81, 0, 0, 7], kind]),
        ("cooked v2", LinkType::LINUX_SLL2, vec![kind, &[0; 18]]),
        ("null, little endian", LinkType::NULL, vec![if v6 { &[30, 0, 0, 0] } else { &[2, 0, 0, 0] }]),
        ("null, big endian", LinkType::NULL, vec![if v6 { &[0, 0, 0, 24] } else { &[0, 0, 0, 2] }]),
        ("loop", LinkType::LOOP, vec![if v6 { &[0, 0, 0, 28] } else { &[0, 0, 0, 2] }]),
        ("raw", LinkType::RAW, vec![]),
        ("raw, BSD", LinkType::RAW_BSD, vec![]),
        ("raw, OpenBSD", LinkType::RAW_OPENBSD, vec![]),
        ("raw by version", raw, vec![]),
    ];
    frames.into_iter().map(|(name, link, parts)| (name, link, join(&[&parts.concat(), packet]))).collect()
}

pub fn gre(flags: u16, kind: u16, optional: &[u8], inside: &[u8]) -> Vec<u8> {
    ipv4(47, &join(&[&flags.to_be_bytes(), &kind.to_be_bytes(), optional, inside]))
}

pub fn icmp(icmp_type: u8, code: u8, rest: [u8; 4], quote: &[u8]) -> Vec<u8> {
    ipv4(1, &join(&[&[icmp_type, code, 0, 0], &rest, quote]))
}

/// The datagram in fragments of `size` octets.
pub fn fragments(protocol: u8, datagram: &[u8], size: usize) -> Vec<Vec<u8>> {
    let last = datagram.chunks(size).count() - 1;
    let cut = datagram.chunks(size).enumerate();
    cut.map(|(at, part)| ipv4_fragment(protocol, at * size, at != last, part)).collect()
}

pub struct Tcp {
    pub source: u16,
    pub destination: u16,
    pub sequence: u32,
}

impl Tcp {
    pub const ACK: u8 = 0x10;

    pub fn segment(&self, sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
        let header = join(&[
            &self.source.to_be_bytes(),
            &self.destination.to_be_bytes(),
            &sequence.to_be_bytes(),
            &7000_u32.to_be_bytes(),
            &[0x50, flags, 0xff, 0xff, 0, 0, 0, 0],
        ]);
        let mut packet = ipv4(6, &join(&[&header, payload]));
        if self.source < self.destination {
            // The answering side.
            let (source, destination) = ([198, 51, 100, 2], [192, 0, 2, 1]);
            packet[12..20].copy_from_slice(&join(&[&source, &destination]));
        }
        packet
    }

    /// The next octets of the stream.
    pub fn next(&mut self, payload: &[u8]) -> Vec<u8> {
        let packet = self.segment(self.sequence, Self::ACK, payload);
        self.sequence = self.sequence.wrapping_add(payload.len() as u32);
        packet
    }
}

pub fn record(content: &[u8]) -> Vec<u8> {
    join(&[&be(2 + content.len()), content])
}

pub fn marked(len: usize) -> Vec<u8> {
    record(&join(&[&[0; 4], &ike(len)]))
}

/// A stream from its prefix on: ISAKMP, ESP, ISAKMP.
pub fn stream() -> Vec<u8> {
    join(&[b"IKETCP", &marked(60), &record(&[9; 40]), &marked(90)])
}
