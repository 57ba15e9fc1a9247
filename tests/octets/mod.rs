//! Capture files octet by octet, in either byte order, for tests.
//!
//! Contract: written from the specifications and knowing nothing of the reader; lengths and padding come out right, so a
//! test that wants a lie patches the octets.

/// Writes numbers in one byte order.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Order {
    Little,
    Big,
}

pub const BOTH: [Order; 2] = [Order::Little, Order::Big];

impl Order {
    pub fn u16(self, n: u16) -> [u8; 2] {
        if self == Self::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }

    pub fn u32(self, n: u32) -> [u8; 4] {
        if self == Self::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }

    pub fn u64(self, n: u64) -> [u8; 8] {
        if self == Self::Little { n.to_le_bytes() } else { n.to_be_bytes() }
    }

    /// A pcap file header (draft-ietf-opsawg-pcap §4).
    pub fn pcap(self, magic: u32, version: (u16, u16), snap: u32, network: u32) -> Vec<u8> {
        let mut file = self.u32(magic).to_vec();
        file.extend(self.u16(version.0));
        file.extend(self.u16(version.1));
        file.extend([0; 8]);
        file.extend(self.u32(snap));
        file.extend(self.u32(network));
        file
    }

    /// A pcap record (draft-ietf-opsawg-pcap §5).
    pub fn record(self, seconds: u32, fraction: u32, wire: u32, octets: &[u8]) -> Vec<u8> {
        let mut record = Vec::new();
        for number in [seconds, fraction, octets.len() as u32, wire] {
            record.extend(self.u32(number));
        }
        record.extend(octets);
        record
    }

    /// A pcapng block around `body`, which is padded (draft-ietf-opsawg-pcapng §3.1).
    pub fn block(self, kind: u32, body: &[u8]) -> Vec<u8> {
        let padded = body.len().next_multiple_of(4);
        let len = self.u32(padded as u32 + 12);
        let mut block = self.u32(kind).to_vec();
        block.extend(len);
        block.extend(body);
        block.resize(8 + padded, 0);
        block.extend(len);
        block
    }

    pub fn section(self) -> Vec<u8> {
        let mut body = self.u32(0x1a2b_3c4d).to_vec();
        body.extend(self.u16(1));
        body.extend(self.u16(0));
        body.extend([0xff; 8]);
        self.block(0x0a0d_0d0a, &body)
    }

    pub fn options(self, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut octets = Vec::new();
        for (code, value) in options {
            octets.extend(self.u16(*code));
            octets.extend(self.u16(value.len() as u16));
            octets.extend(value);
            octets.resize(octets.len().next_multiple_of(4), 0);
        }
        octets.extend([0; 4]);
        octets
    }

    pub fn interface(self, link: u16, snap: u32, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut body = self.u16(link).to_vec();
        body.extend([0; 2]);
        body.extend(self.u32(snap));
        body.extend(self.options(options));
        self.block(1, &body)
    }

    pub fn enhanced(self, interface: u32, ticks: u64, wire: u32, octets: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        for number in [interface, (ticks >> 32) as u32, ticks as u32, octets.len() as u32, wire] {
            body.extend(self.u32(number));
        }
        body.extend(octets);
        self.block(6, &body)
    }

    pub fn simple(self, wire: u32, octets: &[u8]) -> Vec<u8> {
        let mut body = self.u32(wire).to_vec();
        body.extend(octets);
        self.block(3, &body)
    }

    pub fn obsolete(self, interface: u16, drops: u16, ticks: u64, octets: &[u8]) -> Vec<u8> {
        let mut body = self.u16(interface).to_vec();
        body.extend(self.u16(drops));
        for number in [(ticks >> 32) as u32, ticks as u32, octets.len() as u32, octets.len() as u32] {
            body.extend(self.u32(number));
        }
        body.extend(octets);
        self.block(2, &body)
    }

    pub fn statistics(self, interface: u32, options: &[(u16, Vec<u8>)]) -> Vec<u8> {
        let mut body = self.u32(interface).to_vec();
        body.extend([0; 8]);
        body.extend(self.options(options));
        self.block(5, &body)
    }
}

pub const MICROSECONDS: u32 = 0xa1b2_c3d4;
pub const NANOSECONDS: u32 = 0xa1b2_3c4d;
