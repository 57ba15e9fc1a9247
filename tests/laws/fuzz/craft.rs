//! Packets for scripts: just enough of IP, UDP, TCP and ISAKMP to carry what a script says, from the RFCs.

/// Number and head of links that can carry the same IP packet.
pub fn links(v6: bool) -> [(u32, &'static [u8]); 9] {
    if v6 {
        [
            (101, &[]),
            (12, &[]),
            (229, &[]),
            (1, &[2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 0x86, 0xdd]),
            (1, &[2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 0x81, 0, 0, 7, 0x86, 0xdd]),
            (113, &[0, 0, 0, 1, 0, 6, 4, 4, 4, 4, 4, 4, 0, 0, 0x86, 0xdd]),
            (276, &[0x86, 0xdd, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 4, 4, 4, 4, 4, 4, 0, 0]),
            (0, &[30, 0, 0, 0]),
            (9, &[0, 0x57]),
        ]
    } else {
        [
            (101, &[]),
            (12, &[]),
            (228, &[]),
            (1, &[2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 8, 0]),
            (1, &[2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 0x81, 0, 0, 7, 8, 0]),
            (113, &[0, 0, 0, 1, 0, 6, 4, 4, 4, 4, 4, 4, 0, 0, 8, 0]),
            (276, &[8, 0, 0, 0, 0, 0, 0, 2, 0, 1, 0, 6, 4, 4, 4, 4, 4, 4, 0, 0]),
            (0, &[2, 0, 0, 0]),
            (9, &[0, 0x21]),
        ]
    }
}

/// A piece of an IP datagram: `offset` in octets, a multiple of eight (RFC 791 §3.1, RFC 8200 §4.5).
#[derive(Debug, Clone, Copy)]
pub struct Piece<'a> {
    pub v6: bool,
    /// Last octet of the source address; the destination is fixed.
    pub source: u8,
    pub protocol: u8,
    pub id: u16,
    pub offset: u16,
    pub more: bool,
    pub octets: &'a [u8],
}

impl Piece<'_> {
    pub fn packet(&self) -> Vec<u8> {
        let length = self.octets.len() as u16;
        if self.v6 {
            let mut packet = vec![0x60, 0, 0, 0];
            packet.extend((length + 8).to_be_bytes());
            packet.extend([44, 62]);
            packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, self.source]);
            packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xfe]);
            packet.extend([self.protocol, 0]);
            packet.extend((self.offset & !7 | u16::from(self.more)).to_be_bytes());
            packet.extend([0, 0]);
            packet.extend(self.id.to_be_bytes());
            packet.extend(self.octets);
            packet
        } else {
            let mut packet = vec![0x45, 0];
            packet.extend((length + 20).to_be_bytes());
            packet.extend(self.id.to_be_bytes());
            packet.extend(((self.offset / 8) | (u16::from(self.more) << 13)).to_be_bytes());
            packet.extend([61, self.protocol, 0, 0, 192, 0, 2, self.source, 198, 51, 100, 2]);
            packet.extend(self.octets);
            packet
        }
    }
}

/// A UDP datagram (RFC 768).
pub fn udp(ports: (u16, u16), payload: &[u8]) -> Vec<u8> {
    let mut datagram = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    datagram.extend((8 + payload.len() as u16).to_be_bytes());
    datagram.extend([0, 0]);
    datagram.extend(payload);
    datagram
}

/// A TCP segment (RFC 9293 §3.1).
pub fn tcp(ports: (u16, u16), sequence: u32, flags: u8, payload: &[u8]) -> Vec<u8> {
    let mut segment = [ports.0.to_be_bytes(), ports.1.to_be_bytes()].concat();
    segment.extend(sequence.to_be_bytes());
    segment.extend(7000_u32.to_be_bytes());
    segment.extend([0x50, flags, 0xff, 0xff, 0, 0, 0, 0]);
    segment.extend(payload);
    segment
}

/// The fields of an ISAKMP header that a script chooses (RFC 7296 §3.1).
#[derive(Debug, Clone, Copy)]
pub struct Header {
    pub spis: (u64, u64),
    pub version: u8,
    pub exchange_type: u8,
    pub flags: u8,
    pub message_id: u32,
}

impl Header {
    /// The message with these payloads, its lengths right.
    pub fn message(&self, payloads: &[(u8, &[u8])]) -> Vec<u8> {
        let next = |at: usize| payloads.get(at).map_or(0, |payload| payload.0);
        let mut message = [self.spis.0.to_be_bytes(), self.spis.1.to_be_bytes()].concat();
        message.extend([next(0), self.version, self.exchange_type, self.flags]);
        message.extend(self.message_id.to_be_bytes());
        message.extend([0; 4]);
        for (at, (_, body)) in payloads.iter().enumerate() {
            message.extend([next(at + 1), 0]);
            message.extend((body.len() as u16 + 4).to_be_bytes());
            message.extend(*body);
        }
        let length = message.len() as u32;
        message[24..28].copy_from_slice(&length.to_be_bytes());
        message
    }
}
