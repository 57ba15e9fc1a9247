//! The facts: plain data, nested as the field speaks of it. A pair has attempts, an attempt has exchanges, an
//! exchange has messages; ESP flows, ICMP errors and broken fragments belong to the pair.
//!
//! Numbers keep their code points; names are given where words are made ([`crate::report`]).
//!
//! | file | what |
//! |---|---|
//! | `attempt` | a negotiation: its sides, its NAT |
//! | `exchange` | its exchanges, and the labels of their messages |
//! | `message` | a message: payloads, proposals, repeats, fragments |
//! | `flow` | ESP and AH |
//! | `path` | what became of datagrams on the way: ICMP errors, lost fragments, what cannot be read |

mod attempt;
mod exchange;
mod flow;
mod message;
mod path;

use std::collections::BTreeSet;
use std::net::IpAddr;

pub use attempt::{Attempt, IkeVersion, Mode, Move, NatFacts, Side};
pub(super) use exchange::INVALID_SPI;
pub use exchange::{Exchange, ExchangeKind, Label};
pub use flow::{EspFlow, FlowProtocol, Follows, Latest, Lengths, PortChange};
pub use message::{
    AttributeFact, FragmentsElsewhere, MessageRecord, PayloadDetail, PayloadFact, ProposalFact, Repeat, TransformFact,
};
pub use path::{IcmpAbout, IcmpFact, IncompleteFact, MalformedFact};

use crate::base::{FrameRef, Timestamp};

use super::store::pairs::Pairs;

/// Everything that was seen.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Peer pairs in order of their first frame.
    pub pairs: Pairs,
    /// Earliest and latest time stamp over all frames of all captures, ours or not.
    pub window: Option<(Timestamp, Timestamp)>,
    /// First and last frame of each capture, by its id, if there are several.
    pub recorded: Vec<Option<(Timestamp, Timestamp)>>,
    /// Two captures, the lower id first, that both recorded a packet, the first few.
    pub at_two_points: BTreeSet<(u32, u32)>,
    /// Packets in clear that may belong into a tunnel, by their addresses, the first few.
    pub clear: Vec<ClearFact>,
    /// Hosts that answer pings, by who is answered, the first few.
    pub echo_replies: Vec<EchoFact>,
    /// DNS answers for addresses that gave none, by who asked and for what, the first few.
    pub dns_failures: Vec<DnsFact>,
    /// What was forgotten to stay within the limits.
    pub forgotten: Forgotten,
}

/// Packets in clear one way between two private networks, or L2TP between two addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClearFact {
    /// From (the first one seen of its network).
    pub source: IpAddr,
    /// To.
    pub destination: IpAddr,
    /// Interface within the capture.
    pub interface: u32,
    /// It is L2TP (UDP 1701), not a packet between private networks.
    pub l2tp: bool,
    /// Packets.
    pub count: u64,
    /// The first one's frame.
    pub frame: FrameRef,
    /// The first one's time.
    pub first: Timestamp,
    /// The last one's time.
    pub last: Timestamp,
}

/// Answers to pings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EchoFact {
    /// Who answers.
    pub source: IpAddr,
    /// Who asked.
    pub destination: IpAddr,
    /// The first and the last one's time.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
}

/// DNS answers without an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DnsFact {
    /// Who asked.
    pub client: IpAddr,
    /// Who answered.
    pub server: IpAddr,
    /// Response code (RFC 1035 §4.1.1).
    pub code: u8,
    /// The name asked for, labels with their lengths as on the wire.
    pub name: Box<[u8]>,
    /// How often.
    pub count: u64,
    /// The first one's frame.
    pub frame: FrameRef,
    /// The first one's time.
    pub first: Timestamp,
}

/// Counts of what was forgotten because of [`crate::base::Limits`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Pairs never opened or dropped.
    pub pairs: u64,
    /// Attempts.
    pub attempts: u64,
    /// Flows.
    pub flows: u64,
    /// Messages.
    pub messages: u64,
    /// Reassemblies given up for room.
    pub reassemblies: u64,
    /// TCP streams no longer followed.
    pub streams: u64,
    /// When the first pair or attempt was: what began before and is still there is whole.
    pub since: Option<Timestamp>,
}

/// Two addresses that exchange IKE, ESP or AH, or are named in an ICMP error about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The address that sent the first datagram.
    pub a: IpAddr,
    /// The other one.
    pub b: IpAddr,
    /// First and last datagram, with their frames.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// See `first`.
    pub first_frame: FrameRef,
    /// See `first`.
    pub last_frame: FrameRef,
    /// Negotiations in order of their first frame: one for each IKE SA or try at one.
    pub attempts: Vec<Attempt>,
    /// ESP and AH, one for each direction and SPI, in order of first packet.
    pub flows: Vec<EspFlow>,
    /// ICMP errors about this pair's datagrams, equal ones counted on one entry.
    pub icmp_errors: Vec<IcmpFact>,
    /// Fragmented datagrams of this pair that never became whole.
    pub incomplete: Vec<IncompleteFact>,
    /// ISAKMP-port datagrams whose header could not be read, the first few.
    pub malformed: Vec<MalformedFact>,
    /// What was seen from `a` to `b`, and from `b` to `a`.
    pub sent: [Seen; 2],
}

/// What was seen of a pair in one direction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Seen {
    /// ISAKMP messages, repeats included.
    pub isakmp: u64,
    /// ESP packets, each once however often it was recorded.
    pub esp: u64,
    /// AH packets, the same.
    pub ah: u64,
    /// NAT keepalives.
    pub keepalives: u64,
    /// Datagrams of any of these kinds to or from UDP 4500.
    pub on_4500: u64,
    /// First and last of any of these.
    pub span: Option<(Timestamp, Timestamp)>,
}
