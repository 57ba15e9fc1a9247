//! From a frame to a datagram that matters: ISAKMP, ESP, AH, keepalive, an ICMP error about one of these, or "not ours".
//!
//! Not here: what ISAKMP says, and any judgement. Contract: never panics on any octets, never allocates for a
//! frame that is not ours (a fragment that may be ours, it has to remember), and holds no more state than
//! [`crate::base::Limits`] allows.
//!
//! A frame's way, outside in: `look` refuses most, `link` finds the IP packet, `ip` what it carries, `reassembly`
//! waits for fragments, `tunnel` goes round again; then `udp` or `tcp` and `encap`, `esp`, `ah` or `icmp`. `sight` is what the
//! first look alone settles.

mod ah;
mod aside;
mod classifier;
mod encap;
mod esp;
mod icmp;
mod ip;
mod link;
mod look;
mod octets;
mod place;
mod protocol;
mod reassembly;
mod sight;
mod tcp;
mod tunnel;
mod udp;

pub use classifier::Classifier;
pub use icmp::icmp_error_name;
pub use look::Glance;
pub use sight::{Eye, SeenEsp, SeenIsakmp, Sight};

use std::net::IpAddr;

use crate::base::{EspSpi, FrameRef, Timestamp};

/// A datagram of interest, borrowed from the frame or from the reassembly buffer.
#[derive(Debug, Clone, Copy)]
pub struct Datagram<'a> {
    /// The frame, or the frame that completed it.
    pub frame: FrameRef,
    /// The first frame of it: the same as `frame` unless it came in fragments.
    pub first_frame: FrameRef,
    /// When `frame` was recorded.
    pub at: Timestamp,
    /// Interface within the capture.
    pub interface: u32,
    /// Source address of the IP datagram (the innermost one where a mirror port wrapped it).
    pub source: IpAddr,
    /// Destination address.
    pub destination: IpAddr,
    /// IPv4 identification; `None` for IPv6 without a fragment header.
    pub ip_id: Option<u32>,
    /// IPv4 time to live or IPv6 hop limit.
    pub ttl: u8,
    /// IP fragments it was put together from; 1 if it was not fragmented.
    pub fragments: u16,
    /// Fragments overlapped with different octets, so that two receivers may read two different messages.
    pub ambiguous_overlap: bool,
    /// Octets at the end that were on the wire but not captured (snap length).
    pub missing: u32,
    /// What it is.
    pub body: Body<'a>,
}

/// What a datagram turned out to be.
#[derive(Debug, Clone, Copy)]
pub enum Body<'a> {
    /// An ISAKMP message (its header was there, or it was too short to tell and stands where one must).
    Isakmp(IsakmpDatagram<'a>),
    /// An ESP packet, native or encapsulated.
    Esp(EspPacket),
    /// An AH packet.
    Ah(AhPacket),
    /// A NAT keepalive: one octet 0xFF (RFC 3948 §2.3), or the same behind a non-ESP marker.
    Keepalive {
        /// UDP source port.
        source_port: u16,
        /// UDP destination port.
        destination_port: u16,
    },
    /// An ICMP or ICMPv6 error that quotes one of the above.
    IcmpError(IcmpError<'a>),
    /// Not ours, and still of interest. Never counted as anything but "other".
    Aside(Aside<'a>),
    /// A datagram given up before all of its fragments had come. Where the first one was cut at the snap length, the
    /// message in it was handed on when it came, as far as it was captured.
    Incomplete(IncompleteDatagram),
}

/// Something beside the exchanges that a diagnosis may want to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Aside<'a> {
    /// A packet in clear between private networks; told for the first one of two networks, each time their count has
    /// doubled, and at the end.
    ClearPrivate {
        /// Packets so far between these two networks, this way.
        count: u64,
    },
    /// L2TP in clear: a datagram from or to UDP 1701 (RFC 2661).
    ClearL2tp,
    /// An answer to a ping. The datagram's source is the host that is there.
    EchoReply,
    /// An answer to a DNS query for an address that gives none. The datagram's destination is who asked.
    DnsFailure {
        /// Response code: 3 is NXDOMAIN, 2 SERVFAIL, 0 an empty answer (RFC 1035 §4.1.1).
        code: u8,
        /// The name asked for, labels with their lengths as on the wire.
        name: &'a [u8],
    },
}

/// How ISAKMP or ESP was carried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Encapsulation {
    /// Directly over IP.
    None,
    /// In UDP (RFC 3948, and ISAKMP itself).
    Udp,
    /// In TCP (RFC 9329).
    Tcp,
}

/// An ISAKMP message with the ports it travelled between.
#[derive(Debug, Clone, Copy)]
pub struct IsakmpDatagram<'a> {
    /// Source port.
    pub source_port: u16,
    /// Destination port.
    pub destination_port: u16,
    /// UDP or TCP.
    pub encapsulation: Encapsulation,
    /// Whether four zero octets stood in front of the message (RFC 3948 §2.2); they are not part of `octets`.
    pub non_esp_marker: bool,
    /// The message from its initiator SPI on, as long as was captured.
    pub octets: &'a [u8],
}

/// The clear part of an ESP packet (RFC 4303 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EspPacket {
    /// SPI.
    pub spi: EspSpi,
    /// Sequence number (its low 32 bits).
    pub sequence: u32,
    /// Octets on the wire from the SPI to the ICV, by the IP or UDP length.
    pub length: u32,
    /// Native, in UDP or in TCP.
    pub encapsulation: Encapsulation,
    /// Source and destination port, if encapsulated; zero otherwise.
    pub ports: (u16, u16),
    /// What follows the sequence number is an IPv4 header with the right checksum: it is not encrypted (RFC 2410).
    pub readable: bool,
}

/// The clear part of an AH packet (RFC 4302 §2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AhPacket {
    /// SPI.
    pub spi: EspSpi,
    /// Sequence number (its low 32 bits).
    pub sequence: u32,
    /// Octets on the wire from the AH header to the end of the datagram.
    pub length: u32,
    /// Protocol inside.
    pub next_header: u8,
}

/// An ICMP error about a datagram of ours. The datagram's source is who sent the error.
#[derive(Debug, Clone, Copy)]
pub struct IcmpError<'a> {
    /// 4 for ICMP, 6 for ICMPv6.
    pub version: u8,
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code.
    pub code: u8,
    /// Next-hop MTU, where the error carries one.
    pub mtu: Option<u32>,
    /// Source of the quoted datagram.
    pub quoted_source: IpAddr,
    /// Destination of the quoted datagram.
    pub quoted_destination: IpAddr,
    /// IP identification of the quoted datagram (IPv4).
    pub quoted_ip_id: Option<u32>,
    /// What the quoted datagram was.
    pub quoted: Quoted<'a>,
}

/// What an ICMP error quotes, as far as the quotation goes.
#[derive(Debug, Clone, Copy)]
pub enum Quoted<'a> {
    /// UDP between IKE ports.
    Udp {
        /// Source port.
        source_port: u16,
        /// Destination port.
        destination_port: u16,
        /// UDP length field.
        length: u16,
        /// What is quoted of the ISAKMP message (marker removed): often empty or a header only. Empty for ESP in UDP.
        isakmp: &'a [u8],
        /// SPI of ESP in UDP, if that is what was quoted.
        esp: Option<EspSpi>,
    },
    /// Native ESP.
    Esp {
        /// SPI, if quoted.
        spi: Option<EspSpi>,
    },
    /// AH.
    Ah {
        /// SPI, if quoted.
        spi: Option<EspSpi>,
    },
    /// A later fragment: only addresses, identification and protocol are known.
    Fragment {
        /// IP protocol.
        protocol: u8,
    },
}

/// A fragmented datagram that never became whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IncompleteDatagram {
    /// IP protocol (17 for UDP, 50, 51).
    pub protocol: u8,
    /// Identification.
    pub ip_id: u32,
    /// UDP ports, if the first fragment was seen.
    pub ports: Option<(u16, u16)>,
    /// Fragments seen.
    pub fragments: u16,
    /// Octets of the datagram's payload that are there.
    pub have: u32,
    /// Octets it should have had, if the last fragment was seen.
    pub total: Option<u32>,
    /// Offset of the first gap.
    pub missing_from: u32,
    /// The first fragment was seen.
    pub first_seen: bool,
    /// Why it was given up.
    pub reason: GaveUp,
    /// When the first of its fragments was recorded.
    pub since: Timestamp,
}

/// Why a reassembly was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GaveUp {
    /// Its time ran out.
    TimedOut,
    /// The capture ended first.
    CaptureEnded,
    /// Room was needed for others, or its fragments contradicted each other.
    Evicted,
}

/// Which count of its capture a frame belongs to; every frame has exactly one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// At least one ISAKMP message ended in this frame.
    Isakmp,
    /// Native ESP.
    Esp,
    /// ESP in UDP or TCP.
    EspUdp,
    /// AH.
    Ah,
    /// NAT keepalive.
    Keepalive,
    /// ICMP error that quotes one of ours.
    IcmpError,
    /// A fragment of something ours that is not whole yet.
    Fragment,
    /// Ours by its ports or protocol, and too broken or too short to be any of the above.
    Malformed,
    /// Link type that cannot be read.
    UnknownLink,
    /// Not ours.
    Other,
}

impl Class {
    /// The one that a frame with both counts as: the more telling.
    fn better(self, other: Self) -> Self {
        if self.rank() <= other.rank() { self } else { other }
    }

    fn rank(self) -> u8 {
        match self {
            Self::Isakmp => 0,
            Self::Esp => 1,
            Self::EspUdp => 2,
            Self::Ah => 3,
            Self::Keepalive => 4,
            Self::IcmpError => 5,
            Self::Fragment => 6,
            Self::Malformed => 7,
            Self::UnknownLink => 8,
            Self::Other => 9,
        }
    }
}

/// Where datagrams go.
type Sink<'s> = dyn FnMut(&Datagram<'_>) + 's;
