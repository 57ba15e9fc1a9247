//! What became of datagrams on the way: ICMP errors, lost fragments, what cannot be read.

use std::net::IpAddr;

use crate::base::{Fault, FrameRef, IkeSpi, Timestamp};
use crate::packet::GaveUp;

/// ICMP errors of one kind from one sender about one kind of datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IcmpFact {
    /// Who sent them.
    pub from: IpAddr,
    /// 4 or 6.
    pub version: u8,
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code.
    pub code: u8,
    /// Next-hop MTU (smallest).
    pub mtu: Option<u32>,
    /// Source of the quoted datagram.
    pub quoted_source: IpAddr,
    /// Its destination.
    pub quoted_destination: IpAddr,
    /// What was quoted.
    pub about: IcmpAbout,
    /// Initiator SPI quoted, if the quotation reaches that far.
    pub initiator_spi: Option<IkeSpi>,
    /// How many.
    pub count: u64,
    /// Frames of the first few.
    pub frames: Vec<FrameRef>,
    /// First and last.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
}

/// What an ICMP error was about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IcmpAbout {
    /// ISAKMP between these ports.
    Isakmp {
        /// Source port of the quoted datagram.
        source_port: u16,
        /// Its destination port.
        destination_port: u16,
    },
    /// ESP in UDP.
    EspInUdp,
    /// Native ESP.
    Esp,
    /// AH.
    Ah,
    /// A later fragment of this IP protocol.
    Fragment {
        /// IP protocol.
        protocol: u8,
    },
}

/// A fragmented datagram that never became whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IncompleteFact {
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// IP protocol.
    pub protocol: u8,
    /// UDP ports, if the first fragment was seen.
    pub ports: Option<(u16, u16)>,
    /// IP identification.
    pub ip_id: u32,
    /// Fragments seen.
    pub fragments: u16,
    /// Octets there.
    pub have: u32,
    /// Octets it should have had.
    pub total: Option<u32>,
    /// Offset of the first gap.
    pub missing_from: u32,
    /// The first fragment was seen.
    pub first_seen: bool,
    /// First fragment's frame.
    pub frame: FrameRef,
    /// First fragment's time.
    pub at: Timestamp,
    /// Why it was given up.
    pub reason: GaveUp,
}

/// A datagram on an IKE port that could not be read as ISAKMP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MalformedFact {
    /// Its frame.
    pub frame: FrameRef,
    /// When.
    pub at: Timestamp,
    /// From `a` (0) or from `b` (1).
    pub direction: usize,
    /// What was wrong.
    pub fault: Fault,
}
