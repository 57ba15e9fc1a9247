//! ESP and AH.

use std::net::IpAddr;

use crate::base::{EspSpi, FrameRef, Timestamp};
use crate::packet::Encapsulation;

/// Protocol of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowProtocol {
    /// ESP.
    Esp,
    /// AH.
    Ah,
}

/// ESP or AH packets of one direction and SPI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EspFlow {
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// SPI.
    pub spi: EspSpi,
    /// ESP or AH.
    pub protocol: FlowProtocol,
    /// Native, UDP or TCP.
    pub encapsulation: Encapsulation,
    /// Packets, without those recorded twice.
    pub packets: u64,
    /// Their octets, from the SPI on.
    pub octets: u64,
    /// Sequence number of the first packet.
    pub first_sequence: u32,
    /// Highest sequence number.
    pub last_sequence: u32,
    /// Sequence numbers between first and highest that never came.
    pub lost: u64,
    /// Most of them that were missing in a row.
    pub widest: u32,
    /// Packets that came after one with a higher number.
    pub reordered: u64,
    /// Of these, those that came further behind the highest number than receivers look back by default.
    pub deep: u32,
    /// Packets whose number had come before.
    pub duplicates: u64,
    /// Of these, those that differ, in length or IP identification, from the packet shortly before that had the number.
    pub changed: u32,
    /// Of the others, those that are alike to it in both.
    pub copied: u32,
    /// Packets recorded again by the capture (mirror port, `-i any`).
    pub recorded_again: u64,
    /// When one was last recorded again, and how many packets there were until then, if nearly all of them were.
    pub doubled: Option<(Timestamp, u64)>,
    /// Where one of two captures has packets after the other one: what that one has and lacks.
    pub follows: Option<Follows>,
    /// Times the numbers began again from a low value.
    pub resets: u32,
    /// Shortest and longest packet.
    pub length_range: (u32, u32),
    /// First and last packet.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// See `first`.
    pub first_frame: FrameRef,
    /// See `first`.
    pub last_frame: FrameRef,
    /// Packets that came in IP fragments.
    pub fragmented: u64,
    /// ESP packets whose inside is readable IPv4: not encrypted.
    pub readable: u64,
    /// How long its packets are.
    pub lengths: Lengths,
    /// Its last few packets.
    pub latest: Option<Latest>,
    /// Source and destination port, if encapsulated: those of the latest two packets in a row that had the same.
    pub ports: Option<(u16, u16)>,
    /// That its ports changed.
    pub port_change: Option<PortChange>,
    /// The first packet after its numbers ran over 2^32.
    pub ran_over: Option<(Timestamp, FrameRef)>,
}

impl EspFlow {
    /// A sequence number so near to 2^32 that a re-key is overdue.
    pub const NEAR_END: u32 = 0xf000_0000;
}

/// What a capture has of a flow whose packets another one had before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Follows {
    /// Packets.
    pub packets: u64,
    /// Their octets, from the SPI on.
    pub octets: u64,
    /// The longest of them.
    pub longest: u32,
    /// Numbers that it lacks below the highest that it has.
    pub lacks: u32,
    /// Most of them in a row.
    pub widest: u32,
}

/// A change of the ports that an encapsulated flow goes between: the latest of its changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PortChange {
    /// How many there were.
    pub count: u32,
    /// Source and destination port before it.
    pub from: (u16, u16),
    /// First packet between the other ports.
    pub at: Timestamp,
    /// Its frame.
    pub frame: FrameRef,
}

/// Lengths of packets, a bit each: those that differ by 512 octets share one, and so do those of one word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lengths([u64; 2]);

impl Lengths {
    /// There is a packet of this length.
    #[inline(always)]
    pub fn note(&mut self, length: u16) {
        self.0[(length / 256 % 2) as usize] |= 1 << (length / 4 % 64);
    }

    /// Whether there seems to be one.
    pub fn hold(&self, length: u16) -> bool {
        self.0[(length / 256 % 2) as usize] & 1 << (length / 4 % 64) != 0
    }

    /// Whether so few lengths are there that one of them says something: of many, any other one seems to be among them.
    pub fn are_few(self) -> bool {
        self.0.iter().map(|word| word.count_ones()).sum::<u32>() <= u64::BITS
    }

    /// Those of both.
    pub fn with(self, other: Self) -> Self {
        Self([self.0[0] | other.0[0], self.0[1] | other.0[1]])
    }
}

/// The last few packets of a flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Latest {
    /// How long they are.
    pub lengths: [u16; 8],
    /// When the first of them came.
    pub since: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_many_lengths_none_says_anything() {
        let mut lengths = Lengths::default();
        (100..1400).step_by(36).for_each(|length| lengths.note(length));
        assert!(lengths.are_few() && lengths.hold(136) && !lengths.hold(140));
        (100..1400).step_by(4).for_each(|length| lengths.note(length));
        assert!(!lengths.are_few());
    }
}
