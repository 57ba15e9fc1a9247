//! The model: one struct a table, every field as it stands in the JSON (`ikescope.report/1`).
//!
//! Not here: how rows are made ([`super::build`]) and how they are printed. Contract: text in here is escaped
//! ([`super::escape`]); arrays are flat, in order of first frame, and refer to each other by `id`, which is the index.
//! Exchanges stand in the order of their attempts.

mod negotiation;

pub use negotiation::*;

use std::net::IpAddr;

use serde::Serialize;

use crate::base::{EspSpi, Fault, FrameRef, IkeSpi, Timestamp};
use crate::diagnose::{Confidence, PairStatus, Severity, Where};
use crate::packet::{Class, Encapsulation, GaveUp};
use crate::track::FlowProtocol;

/// Name and version of the form of the report.
pub const SCHEMA_NAME: &str = "ikescope.report/1";

/// Everything that one run has to say about its captures.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Report {
    /// Form of this report.
    pub schema: &'static str,
    /// Version of the program that wrote it.
    pub tool_version: &'static str,
    /// Earliest and latest time stamp over all frames; null if there was none.
    pub window: Option<Window>,
    /// Only these pairs were asked for, as `A` or `A,B`; empty if all were.
    pub selection: Vec<String>,
    /// What was forgotten to stay within the limits, in counts.
    pub forgotten: Forgotten,
    /// Capture files, standard input or interfaces, in the order they were read.
    pub captures: Vec<Capture>,
    /// Pairs of addresses that speak IKE, ESP or AH with each other.
    pub pairs: Vec<Pair>,
    /// Negotiations: one for each IKE SA or try at one.
    pub attempts: Vec<Attempt>,
    /// Exchanges, in the order of their attempts, those of one attempt in order of first frame.
    pub exchanges: Vec<Exchange>,
    /// ESP and AH, one row for each direction and SPI.
    pub esp_flows: Vec<EspFlow>,
    /// ICMP errors about IKE, ESP or AH, equal ones counted on one row.
    pub icmp_errors: Vec<IcmpError>,
    /// Fragmented datagrams that never became whole.
    pub incomplete: Vec<Incomplete>,
    /// Datagrams on IKE ports that could not be read as ISAKMP, the first few of each pair.
    pub malformed: Vec<Malformed>,
    /// What is the case, worst first.
    pub findings: Vec<Finding>,
}

/// A span of capture time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Window {
    /// Earliest.
    pub first: Timestamp,
    /// Latest.
    pub last: Timestamp,
}

/// Counts of what was forgotten to stay within the limits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Forgotten {
    /// Pairs.
    pub pairs: u64,
    /// Attempts.
    pub attempts: u64,
    /// ESP and AH flows.
    pub flows: u64,
    /// Messages.
    pub messages: u64,
    /// Reassemblies given up for room.
    pub reassemblies: u64,
    /// TCP streams no longer followed.
    pub streams: u64,
}

/// One capture.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Capture {
    /// Index in `captures`; frame references name it.
    pub id: u32,
    /// Path as given or found, `-` for standard input. Escaped: `\\` is a backslash, `\xNN` an octet that is a control
    /// or not UTF-8, `\u{N}` an invisible character.
    pub path: String,
    /// `pcap`, `pcapng`, …; `unknown` if it could not be recognised.
    pub format: &'static str,
    /// `gzip`, `zstd`, or null.
    pub compression: Option<&'static str>,
    /// Link types of its interfaces, `linktype-N` for those without a name.
    pub link_types: Vec<String>,
    /// Frames read.
    pub frames: u64,
    /// Octets of frame data read.
    pub octets: u64,
    /// Frames recorded shorter than they were on the wire.
    pub snapped: u64,
    /// Earliest time stamp.
    pub first: Option<Timestamp>,
    /// Latest time stamp.
    pub last: Option<Timestamp>,
    /// The file ends inside a record.
    pub cut_short: bool,
    /// Frames that the recorder says it dropped; null if it does not say.
    pub dropped: Option<u64>,
    /// Frames by what they are; every frame is in exactly one count.
    pub counts: Counts,
    /// Remarks for a person, one sentence each.
    pub notes: Vec<String>,
}

/// Frames of a capture by what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Counts {
    /// Frames in which an ISAKMP message ended.
    pub ike: u64,
    /// Native ESP.
    pub esp: u64,
    /// ESP in UDP or TCP.
    pub esp_udp: u64,
    /// AH.
    pub ah: u64,
    /// NAT keepalives.
    pub keepalive: u64,
    /// ICMP errors that quote one of these.
    pub icmp_error: u64,
    /// IP fragments of one of these that did not complete it.
    pub ip_fragment: u64,
    /// Ours by port or protocol, and unreadable.
    pub malformed: u64,
    /// All others, those of unreadable link types included.
    pub other: u64,
    /// Frames of link types that cannot be read; they are in `other` too.
    #[serde(skip)]
    #[cfg_attr(test, schemars(skip))]
    pub unknown_link: u64,
    /// Gaps in TCP streams; no frame has them, so they are a remark and not a count.
    #[serde(skip)]
    #[cfg_attr(test, schemars(skip))]
    pub stream_gaps: u64,
    /// Datagrams whose IP fragments overlap with different octets; a remark as well.
    #[serde(skip)]
    #[cfg_attr(test, schemars(skip))]
    pub ambiguous_overlaps: u64,
}

impl Counts {
    /// Counts one frame.
    #[inline]
    pub fn add(&mut self, class: Class) {
        let count = match class {
            Class::Isakmp => &mut self.ike,
            Class::Esp => &mut self.esp,
            Class::EspUdp => &mut self.esp_udp,
            Class::Ah => &mut self.ah,
            Class::Keepalive => &mut self.keepalive,
            Class::IcmpError => &mut self.icmp_error,
            Class::Fragment => &mut self.ip_fragment,
            Class::Malformed => &mut self.malformed,
            Class::UnknownLink => {
                self.unknown_link = self.unknown_link.saturating_add(1);
                &mut self.other
            }
            Class::Other => &mut self.other,
        };
        *count = count.saturating_add(1);
    }

    /// Counts frames that are not ours.
    pub fn add_others(&mut self, frames: u64) {
        self.other = self.other.saturating_add(frames);
    }

    /// The sum of these and `other`.
    pub fn plus(self, other: &Self) -> Self {
        Self {
            ike: self.ike.saturating_add(other.ike),
            esp: self.esp.saturating_add(other.esp),
            esp_udp: self.esp_udp.saturating_add(other.esp_udp),
            ah: self.ah.saturating_add(other.ah),
            keepalive: self.keepalive.saturating_add(other.keepalive),
            icmp_error: self.icmp_error.saturating_add(other.icmp_error),
            ip_fragment: self.ip_fragment.saturating_add(other.ip_fragment),
            malformed: self.malformed.saturating_add(other.malformed),
            other: self.other.saturating_add(other.other),
            unknown_link: self.unknown_link.saturating_add(other.unknown_link),
            stream_gaps: self.stream_gaps.saturating_add(other.stream_gaps),
            ambiguous_overlaps: self.ambiguous_overlaps.saturating_add(other.ambiguous_overlaps),
        }
    }
}

/// Two addresses and how they stand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pair {
    /// Index in `pairs`.
    pub id: usize,
    /// Address that sent the first datagram.
    pub a: IpAddr,
    /// The other one.
    pub b: IpAddr,
    /// State at the end of the capture.
    pub status: PairStatus,
    /// Catalogue id of the finding that best explains the state.
    pub verdict: Option<&'static str>,
    /// An earlier pair that shows the same tunnel at the same time, in another capture and between other addresses: on the other
    /// side of a NAT.
    pub same_as: Option<SameAs>,
    /// Ids of its attempts.
    pub attempts: Vec<usize>,
    /// First datagram.
    pub first: Timestamp,
    /// Last datagram.
    pub last: Timestamp,
    /// Frame of the first datagram.
    pub first_frame: FrameRef,
    /// Frame of the last datagram.
    pub last_frame: FrameRef,
    /// What `a` sent.
    pub sent_by_a: Sent,
    /// What `b` sent.
    pub sent_by_b: Sent,
}

/// A pair that shows the same tunnel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SameAs {
    /// Its id.
    pub pair: usize,
    /// The capture that has it.
    pub capture: u32,
}

/// What one side of a pair sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Sent {
    /// ISAKMP messages, repeats included.
    pub isakmp: u64,
    /// ESP packets.
    pub esp: u64,
    /// AH packets.
    pub ah: u64,
    /// NAT keepalives.
    pub keepalives: u64,
    /// Of all these, to or from UDP 4500.
    pub on_4500: u64,
}

impl Sent {
    /// ESP and AH packets.
    pub fn protected(&self) -> u64 {
        self.esp.saturating_add(self.ah)
    }
}

/// ESP or AH packets of one direction and SPI.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct EspFlow {
    /// Index in `esp_flows`.
    pub id: usize,
    /// Its pair.
    pub pair: usize,
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// SPI, 8 hex digits.
    pub spi: EspSpi,
    /// ESP or AH.
    pub protocol: FlowProtocol,
    /// `none`, `udp` or `tcp`.
    pub encapsulation: Encapsulation,
    /// Port that its packets come from, if encapsulated: the latest that two in a row had.
    pub source_port: Option<u16>,
    /// Port that they go to.
    pub destination_port: Option<u16>,
    /// How often the ports changed (a NAT that made another mapping).
    pub port_changes: u32,
    /// Packets, without those recorded twice.
    pub packets: u64,
    /// Their octets, from the SPI on.
    pub octets: u64,
    /// Sequence number of the first packet.
    pub first_sequence: u32,
    /// Highest sequence number.
    pub last_sequence: u32,
    /// Sequence numbers between these two that never came.
    pub lost: u64,
    /// Packets that came after one with a higher number.
    pub reordered: u64,
    /// Packets whose number had come before.
    pub duplicates: u64,
    /// Packets recorded again by the capture.
    pub recorded_again: u64,
    /// Times the numbers began again from a low value.
    pub resets: u32,
    /// Octets of the shortest packet.
    pub shortest: u32,
    /// Octets of the longest packet.
    pub longest: u32,
    /// Packets that came in IP fragments.
    pub fragmented: u64,
    /// First packet.
    pub first: Timestamp,
    /// Last packet.
    pub last: Timestamp,
    /// Frame of the first packet.
    pub first_frame: FrameRef,
    /// Frame of the last packet.
    pub last_frame: FrameRef,
}

/// ICMP errors of one kind from one sender.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IcmpError {
    /// Its pair: that of the datagram it quotes.
    pub pair: usize,
    /// Who sent them.
    pub from: IpAddr,
    /// 4 or 6.
    pub version: u8,
    /// ICMP type.
    pub icmp_type: u8,
    /// ICMP code.
    pub code: u8,
    /// What it says, for people.
    pub text: String,
    /// Smallest next-hop MTU.
    pub mtu: Option<u32>,
    /// Source of the quoted datagram.
    pub quoted_source: IpAddr,
    /// Destination of the quoted datagram.
    pub quoted_destination: IpAddr,
    /// What was quoted: `isakmp`, `esp-in-udp`, `esp`, `ah` or `fragment`.
    pub about: &'static str,
    /// Ports of the quoted ISAKMP datagram.
    pub quoted_ports: Option<Ports>,
    /// Initiator SPI quoted.
    pub initiator_spi: Option<IkeSpi>,
    /// How many.
    pub count: u64,
    /// Frames of the first few.
    pub frames: Vec<FrameRef>,
    /// First.
    pub first: Timestamp,
    /// Last.
    pub last: Timestamp,
}

/// Ports of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Ports {
    /// Source.
    pub source: u16,
    /// Destination.
    pub destination: u16,
}

/// A fragmented datagram that never became whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Incomplete {
    /// Its pair.
    pub pair: usize,
    /// From.
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// IP protocol.
    pub protocol: u8,
    /// UDP ports, if the first fragment was seen.
    pub ports: Option<Ports>,
    /// IP identification.
    pub ip_id: u32,
    /// Fragments seen.
    pub fragments: u16,
    /// Octets that are there.
    pub have: u32,
    /// Octets there should be.
    pub total: Option<u32>,
    /// Offset of the first gap.
    pub missing_from: u32,
    /// The first fragment was seen.
    pub first_seen: bool,
    /// Frame of the fragment that came first.
    pub frame: FrameRef,
    /// When that was.
    pub at: Timestamp,
    /// Why it was given up.
    pub reason: GaveUp,
}

/// A datagram on an IKE port that could not be read as ISAKMP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Malformed {
    /// Its pair.
    pub pair: usize,
    /// Who sent it.
    pub source: IpAddr,
    /// Its frame.
    pub frame: FrameRef,
    /// When.
    pub at: Timestamp,
    /// What was wrong.
    pub fault: Fault,
}

/// One thing that is the case, with its evidence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Finding {
    /// Catalogue id.
    pub id: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// How sure it is.
    pub confidence: Confidence,
    /// Its pair; null if it is about the captures as a whole.
    pub pair: Option<usize>,
    /// The first attempt it was found on.
    pub attempt: Option<usize>,
    /// Evidence.
    pub frames: Vec<FrameRef>,
    /// How many attempts, or events, show the same.
    pub count: u64,
    /// One lower-case sentence.
    pub title: String,
    /// What was seen and what was not.
    pub seen: String,
    /// What it means.
    pub means: String,
    /// Possible causes, likeliest first.
    pub causes: Vec<Cause>,
    /// What to check, and where.
    pub checks: Vec<Check>,
    /// Where to begin: the side of the first check, and so the one that has to act first.
    pub side: Where,
    /// What vendors' own logs say.
    pub logs: Vec<VendorLog>,
    /// Rows of the source documents, and RFC sections.
    pub sources: Vec<&'static str>,
    /// What would settle it, if it is not stated.
    pub settle: Option<String>,
    /// Id of the finding on the same pair that this one follows from.
    pub consequence_of: Option<&'static str>,
}

/// A possible cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Cause {
    /// In words.
    pub text: String,
    /// `likely`, `possible` or `less likely`.
    pub likelihood: &'static str,
}

/// Something to check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Check {
    /// Where.
    pub side: Where,
    /// What.
    pub text: String,
}

/// A line of a vendor's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VendorLog {
    /// Vendor or product.
    pub vendor: &'static str,
    /// The line, as the source words it; " / " stands between two lines, "…" for a variable part.
    pub message: &'static str,
    /// Where the wording was seen: a row of a source document, a public reference, or `lab`.
    pub source: &'static str,
}

impl Report {
    /// The pair with this id.
    pub fn pair(&self, id: usize) -> Option<&Pair> {
        self.pairs.get(id)
    }

    /// The attempts of a pair, in order.
    pub fn attempts_of<'a>(&'a self, pair: &'a Pair) -> impl Iterator<Item = &'a Attempt> {
        pair.attempts.iter().filter_map(|&id| self.attempts.get(id))
    }

    /// The messages of an attempt over all of its exchanges, each with its exchange: in the order of their capture, or in
    /// order of time if there are several.
    pub fn messages_of<'a>(&'a self, attempt: &'a Attempt) -> Vec<(&'a Exchange, &'a Message)> {
        let mut messages: Vec<_> = attempt
            .exchanges
            .iter()
            .filter_map(|&id| self.exchanges.get(id))
            .flat_map(|exchange| exchange.messages.iter().map(move |message| (exchange, message)))
            .collect();
        // a capture's own order is the truth even if its clock ran backwards
        let many = self.captures.len() > 1;
        messages.sort_by_key(|(_, message)| (many.then_some(message.at), message.frame_ref()));
        messages
    }

    /// The ESP and AH flows of a pair, in order.
    pub fn flows_of(&self, pair: usize) -> impl Iterator<Item = &EspFlow> {
        self.esp_flows.iter().filter(move |flow| flow.pair == pair)
    }

    /// The findings about a pair, worst first.
    pub fn findings_of(&self, pair: usize) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.pair == Some(pair))
    }

    /// The finding that a verdict names, if it is among those about this pair or about the captures as a whole.
    pub fn verdict_finding(&self, pair: usize, verdict: &str) -> Option<&Finding> {
        self.findings
            .iter()
            .find(|finding| finding.id == verdict && finding.pair == Some(pair))
            .or_else(|| self.findings.iter().find(|finding| finding.id == verdict && finding.pair.is_none()))
    }
}
