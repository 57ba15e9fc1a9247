//! Records of a pcap or pcapng file, written one after the other.
//!
//! Contract: Ethernet only; little-endian; nothing is kept.

use std::io::{self, Write};

use super::Format;

/// Octets of a packet that the file says it would hold.
const SNAP_LENGTH: u32 = 262_144;
const ETHERNET: u16 = 1;

/// A capture file under way.
pub struct File<W> {
    out: W,
    format: Format,
    nanoseconds: bool,
    /// Octets written so far.
    pub octets: u64,
    /// Packets written so far.
    pub packets: u64,
}

impl<W: Write> File<W> {
    /// Writes what stands in front of the packets.
    pub fn begin(mut out: W, format: Format, nanoseconds: bool) -> io::Result<Self> {
        let mut head = Vec::new();
        match format {
            Format::Pcap => {
                let magic: u32 = if nanoseconds { 0xa1b2_3c4d } else { 0xa1b2_c3d4 };
                head.extend(magic.to_le_bytes());
                head.extend(2_u16.to_le_bytes());
                head.extend(4_u16.to_le_bytes());
                head.extend([0; 8]);
                head.extend(SNAP_LENGTH.to_le_bytes());
                head.extend(u32::from(ETHERNET).to_le_bytes());
            }
            Format::Pcapng => {
                let mut section = 0x1a2b_3c4d_u32.to_le_bytes().to_vec();
                section.extend([1, 0, 0, 0]);
                section.extend([0xff; 8]);
                head.extend(block(0x0a0d_0d0a, &section));
                let mut interface = ETHERNET.to_le_bytes().to_vec();
                interface.extend([0, 0]);
                interface.extend(SNAP_LENGTH.to_le_bytes());
                // if_tsresol: 10 to the minus 9 or 6, then opt_endofopt
                interface.extend([9, 0, 1, 0, if nanoseconds { 9 } else { 6 }, 0, 0, 0, 0, 0, 0, 0]);
                head.extend(block(1, &interface));
            }
        }
        out.write_all(&head)?;
        Ok(Self { out, format, nanoseconds, octets: head.len() as u64, packets: 0 })
    }

    /// Writes one packet, recorded at `at` nanoseconds since the epoch.
    pub fn packet(&mut self, at: u64, octets: &[u8]) -> io::Result<()> {
        let length = octets.len() as u32;
        let written = match self.format {
            Format::Pcap => {
                let (seconds, nanoseconds) = (at / 1_000_000_000, at % 1_000_000_000);
                let fraction = if self.nanoseconds { nanoseconds } else { nanoseconds / 1000 };
                let mut head = [0; 16];
                head[..4].copy_from_slice(&(seconds as u32).to_le_bytes());
                head[4..8].copy_from_slice(&(fraction as u32).to_le_bytes());
                head[8..12].copy_from_slice(&length.to_le_bytes());
                head[12..].copy_from_slice(&length.to_le_bytes());
                self.out.write_all(&head)?;
                self.out.write_all(octets)?;
                16 + octets.len()
            }
            Format::Pcapng => {
                let units = if self.nanoseconds { at } else { at / 1000 };
                let padding = octets.len().wrapping_neg() % 4;
                let total = 32 + octets.len() + padding;
                let words =
                    [6, total as u32, 0, (units >> 32) as u32, units as u32, length, length].map(u32::to_le_bytes);
                self.out.write_all(words.as_flattened())?;
                self.out.write_all(octets)?;
                self.out.write_all(&[0; 3][..padding])?;
                self.out.write_all(&(total as u32).to_le_bytes())?;
                total
            }
        };
        self.octets += written as u64;
        self.packets += 1;
        Ok(())
    }
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let length = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, body, &length].concat()
}
