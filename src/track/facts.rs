//! The facts: plain data, nested as the field speaks of it. A pair has attempts, an attempt has exchanges, an
//! exchange has messages; ESP flows, ICMP errors and broken fragments belong to the pair.
//!
//! Numbers keep their code points; names are given where words are made ([`crate::report`]).

use std::collections::BTreeSet;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::base::{EspSpi, Fault, FrameRef, IkeSpi, MessageId, Timestamp};
use crate::packet::{Encapsulation, GaveUp};

use super::pairs::Pairs;

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
    /// ESP packets, however often each was recorded.
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

/// Version of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IkeVersion {
    /// ISAKMP/IKEv1.
    V1,
    /// IKEv2.
    V2,
}

/// Phase 1 mode of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// IKEv1 Main Mode (Identity Protection).
    Main,
    /// IKEv1 Aggressive Mode.
    Aggressive,
    /// IKEv2.
    IkeV2,
    /// IKEv1, phase 1 not seen.
    Unknown,
}

/// A side of an SA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Sent the first message of the attempt.
    Initiator,
    /// Its peer.
    Responder,
}

impl Side {
    /// The peer.
    pub const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }

    /// 0 for the initiator, 1 for the responder.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// Notify type of both versions (RFC 2408 §3.14.1, RFC 7296 §3.10.1).
pub(super) const INVALID_SPI: u16 = 11;

/// One negotiation: an IKE SA, or a try at one. One entry across retries within it (COOKIE, INVALID_KE_PAYLOAD), the
/// float to port 4500, NAT rebinding and address changes; retries with new SPIs are attempts of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// IKE version.
    pub version: IkeVersion,
    /// Phase 1 mode.
    pub mode: Mode,
    /// Address and port of the initiator in the first message seen.
    pub initiator: SocketAddr,
    /// Address and port of the responder in the first message seen.
    pub responder: SocketAddr,
    /// Initiator's SPI.
    pub initiator_spi: IkeSpi,
    /// Responder's SPI; zero while it never showed one.
    pub responder_spi: IkeSpi,
    /// First and last message.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// See `first`.
    pub first_frame: FrameRef,
    /// See `first`.
    pub last_frame: FrameRef,
    /// Exchanges in order of their first message.
    pub exchanges: Vec<Exchange>,
    /// Proposals of the first SA payload from the initiator (the latest one, where SA_INIT was repeated).
    pub offered: Arc<[ProposalFact]>,
    /// The responder's choice.
    pub chosen: Option<Arc<ProposalFact>>,
    /// Vendor ids in clear, by side ([`Side::index`]), each once, in order.
    pub vendor_ids: [Arc<[Box<[u8]>]>; 2],
    /// What the NAT-D hashes say.
    pub nat: NatFacts,
    /// The capture does not hold its beginning.
    pub midstream: bool,
    /// Which side is the initiator is known. If not, it is the one that was heard first.
    pub roles_known: bool,
    /// Later places the sides sent from, after the first: the float to 4500, rebinding, MOBIKE.
    pub moves: Vec<Move>,
    /// The furthest message of the set-up.
    pub stage: Label,
    /// The message that has to come next, or `None` if nothing is owed.
    pub waiting_for: Option<Label>,
    /// When phase 1, or the IKE SA, was completed as far as the wire shows.
    pub phase1_up: Option<Timestamp>,
    /// When the first phase 2, or child SA, was completed as far as the wire shows.
    pub phase2_up: Option<Timestamp>,
    /// Index, within the pair, of the IKE SA that this one seems to replace: it came up without an SA_INIT of its own
    /// after a CREATE_CHILD_SA exchange there.
    pub rekeyed_from: Option<usize>,
    /// Messages not kept because of the limits.
    pub messages_forgotten: u64,
    /// When the last of them came.
    pub forgotten_until: Option<Timestamp>,
}

impl Attempt {
    /// Counts a message that is not kept.
    pub(super) fn forget_message(&mut self, at: Timestamp) {
        self.messages_forgotten += 1;
        self.forgotten_until = self.forgotten_until.max(Some(at));
    }

    /// It is no attempt: one side says in clear, outside of any SA, that it does not have an SA of ESP or AH, or what else it
    /// does not take.
    pub fn is_of_remarks(&self) -> bool {
        !self.exchanges.is_empty() && self.exchanges.iter().all(Exchange::is_remark)
    }

    /// The responder's choice as a list: of one, or empty.
    pub fn choice(&self) -> &[ProposalFact] {
        self.chosen.as_deref().map_or(&[], std::slice::from_ref)
    }
}

/// Address and port that a side began to send from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// When, and in which frame.
    pub at: Timestamp,
    /// See `at`.
    pub frame: FrameRef,
    /// Which side moved.
    pub side: Side,
    /// From here on.
    pub to: SocketAddr,
}

/// What NAT detection showed. `None` where no hash could be checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NatFacts {
    /// Per side: the address it put into its own hash is the one it was seen to send from.
    pub own_matches: [Option<bool>; 2],
    /// Per side: the address its peer's hash names for it is the one it was seen at.
    pub peer_matches: [Option<bool>; 2],
    /// Per side: it announced NAT traversal (vendor id, or NAT_DETECTION notifies).
    pub announced: [bool; 2],
    /// Frame of the first hash that did not match.
    pub mismatch_frame: Option<FrameRef>,
}

impl NatFacts {
    /// Whether `side` is behind a NAT. A hash that matches speaks for one stretch of the path only, from the side to the
    /// capture or from there to its peer: "no" takes both. Where nothing fits, nothing is said.
    pub fn behind(&self, side: Side) -> Option<bool> {
        if self.fits_nowhere() {
            return None;
        }
        match (self.own_matches[side.index()], self.peer_matches[side.index()]) {
            (Some(false), _) | (_, Some(false)) => Some(true),
            (Some(true), Some(true)) => Some(false),
            _ => None,
        }
    }

    /// No hash of either side is of any address that the capture shows. One NAT leaves the hash of one address right: what differs is
    /// the capture, whose addresses were made up afterwards, or it was taken between two NATs that both rewrite both addresses.
    pub fn fits_nowhere(&self) -> bool {
        [self.own_matches, self.peer_matches].as_flattened().iter().all(|matches| *matches == Some(false))
    }
}

/// An exchange: messages that share a message id (and, in phase 1 of IKEv1, the SA's set-up).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Which.
    pub kind: ExchangeKind,
    /// Its message id.
    pub message_id: MessageId,
    /// Side of the SA that sent its first message.
    pub started_by: Side,
    /// Its messages in order, repeats folded into the message they repeat.
    pub messages: Vec<MessageRecord>,
}

impl Exchange {
    /// The first message with this label.
    pub fn message(&self, label: Label) -> Option<&MessageRecord> {
        self.messages.iter().find(|message| message.label == label)
    }

    /// An Informational in clear with INVALID-SPI, or under a cookie of its own.
    pub(super) fn is_remark(&self) -> bool {
        let invalid = |message: &MessageRecord| match message.carried.first().map(|payload| &payload.detail) {
            Some(PayloadDetail::Notify { notify_message_type, .. }) => *notify_message_type == INVALID_SPI,
            _ => false,
        };
        matches!(self.kind, ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2)
            && self.messages.iter().all(|message| !message.encrypted && (message.own_cookie || invalid(message)))
    }
}

/// Kinds of exchange, of both versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExchangeKind {
    /// v1 type 2.
    MainMode,
    /// v1 type 4.
    AggressiveMode,
    /// v1 type 32.
    QuickMode,
    /// v1 type 33.
    NewGroupMode,
    /// v1 type 6.
    Transaction,
    /// v1 type 5.
    InformationalV1,
    /// v2 type 34.
    IkeSaInit,
    /// v2 type 43.
    IkeIntermediate,
    /// v2 type 35.
    IkeAuth,
    /// v2 type 36.
    CreateChildSa,
    /// v2 type 37.
    InformationalV2,
    /// v2 type 44.
    IkeFollowupKe,
    /// v2 type 38.
    IkeSessionResume,
    /// Any other, by number.
    Other(u8),
}

/// A message's place in its exchange, as the field writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// Main Mode, 1 to 6.
    Mm(u8),
    /// Main Mode, 3 or 5, or the one after it: which side sent it is not known.
    MmEither(u8),
    /// Aggressive Mode, 1 to 3.
    Am(u8),
    /// Quick Mode, 1 to 3; 4 with the commit bit.
    Qm(u8),
    /// Transaction, from 1.
    Tr(u8),
    /// New Group Mode, 1 and 2.
    Ngm(u8),
    /// IKEv1 Informational.
    Inf,
    /// A clear-text notify or other stray inside a phase 1 or phase 2 exchange type.
    Stray,
    /// IKEv2 request and response of the exchange with this type.
    Request(u8),
    /// See `Request`.
    Response(u8),
    /// A message of an exchange type this program does not know.
    Other(u8),
}

impl Label {
    /// Request of IKE_SA_INIT.
    pub const SA_INIT_REQ: Self = Self::Request(34);
    /// Response of IKE_SA_INIT.
    pub const SA_INIT_RSP: Self = Self::Response(34);
    /// Request of IKE_AUTH.
    pub const AUTH_REQ: Self = Self::Request(35);
    /// Response of IKE_AUTH.
    pub const AUTH_RSP: Self = Self::Response(35);
    /// Request of CREATE_CHILD_SA.
    pub const CREATE_CHILD_SA_REQ: Self = Self::Request(36);
    /// Response of CREATE_CHILD_SA.
    pub const CREATE_CHILD_SA_RSP: Self = Self::Response(36);
    /// Request of INFORMATIONAL.
    pub const INFORMATIONAL_REQ: Self = Self::Request(37);
    /// Response of INFORMATIONAL.
    pub const INFORMATIONAL_RSP: Self = Self::Response(37);
    /// Request of IKE_SESSION_RESUME.
    pub const SESSION_RESUME_REQ: Self = Self::Request(38);
    /// Response of IKE_SESSION_RESUME.
    pub const SESSION_RESUME_RSP: Self = Self::Response(38);
    /// Request of IKE_INTERMEDIATE.
    pub const INTERMEDIATE_REQ: Self = Self::Request(43);
    /// Response of IKE_INTERMEDIATE.
    pub const INTERMEDIATE_RSP: Self = Self::Response(43);
    /// Request of IKE_FOLLOWUP_KE.
    pub const FOLLOWUP_KE_REQ: Self = Self::Request(44);
    /// Response of IKE_FOLLOWUP_KE.
    pub const FOLLOWUP_KE_RSP: Self = Self::Response(44);

    /// The same, of a message of which is not known which side sent it.
    pub(super) fn by_either(self) -> Self {
        match self {
            Self::Mm(number @ 1..=6) => Self::MmEither(number - (number + 1) % 2),
            other => other,
        }
    }

    /// The same, of a message that `side` sent.
    pub(super) fn by(self, side: Side) -> Self {
        match self {
            Self::MmEither(number) => Self::Mm(number.saturating_add(side.index() as u8)),
            other => other,
        }
    }

    /// A set-up that got no further leaves the responder with a negotiation half open.
    pub(super) fn leaves_half_open(self) -> bool {
        matches!(self, Label::Mm(1 | 2) | Label::Am(1 | 2) | Label::SA_INIT_REQ | Label::SA_INIT_RSP)
    }
}

impl fmt::Display for Label {
    /// `MM1`, `AM2`, `QM3`, `TR1`, `INF`, `SA_INIT-REQ`, `AUTH-RSP`, …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Mm(number) => write!(f, "MM{number}"),
            Self::MmEither(number) => write!(f, "MM{number}/{}", number.saturating_add(1)),
            Self::Am(number) => write!(f, "AM{number}"),
            Self::Qm(number) => write!(f, "QM{number}"),
            Self::Tr(number) => write!(f, "TR{number}"),
            Self::Ngm(number) => write!(f, "NGM{number}"),
            Self::Inf => f.write_str("INF"),
            Self::Stray => f.write_str("STRAY"),
            Self::Request(exchange_type) => write_v2(f, exchange_type, "REQ"),
            Self::Response(exchange_type) => write_v2(f, exchange_type, "RSP"),
            Self::Other(exchange_type) => write!(f, "EXCH{exchange_type}"),
        }
    }
}

fn write_v2(f: &mut fmt::Formatter<'_>, exchange_type: u8, end: &str) -> fmt::Result {
    let name = match exchange_type {
        34 => "SA_INIT",
        35 => "AUTH",
        36 => "CREATE_CHILD_SA",
        37 => "INFORMATIONAL",
        38 => "SESSION_RESUME",
        43 => "INTERMEDIATE",
        44 => "FOLLOWUP_KE",
        other => return write!(f, "EXCH{other}-{end}"),
    };
    write!(f, "{name}-{end}")
}

/// One message, with everything that later stops may need of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MessageRecord {
    /// The frame, or the frame that completed it.
    pub frame: FrameRef,
    /// When.
    pub at: Timestamp,
    /// Its place in the exchange.
    pub label: Label,
    /// Side of the SA that sent it.
    pub from: Side,
    /// Where it was sent from.
    pub source: SocketAddr,
    /// Where it was sent to.
    pub destination: SocketAddr,
    /// Length of the message in octets: the header's claim.
    pub length: u32,
    /// Encrypted (E bit, or SK/SKF).
    pub encrypted: bool,
    /// UDP or TCP.
    pub encapsulation: Encapsulation,
    /// Non-ESP marker present.
    pub non_esp_marker: bool,
    /// Header flags.
    pub flags: u8,
    /// IP fragments it came in; 1 if it was not fragmented.
    pub ip_fragments: u16,
    /// IKE fragments (payload 132 or SKF) it came in; 0 if none.
    pub ike_fragments: u16,
    /// IKE fragments of it that never came, as (lowest missing number, total if known).
    pub ike_fragments_missing: Option<(u16, Option<u16>)>,
    /// What a capture at another point holds of its IKE fragments.
    pub ike_fragments_elsewhere: Option<FragmentsElsewhere>,
    /// Its payloads in clear, in order.
    pub carried: Arc<[PayloadFact]>,
    /// The lie in it that weighs most.
    pub fault: Option<Fault>,
    /// An error in clear under a cookie of its own, outside of any SA: that it belongs here shows only in when it came.
    pub own_cookie: bool,
    /// Repeats, the first [`crate::base::Limits::repeats_a_message`] of them.
    pub repeats: Vec<Repeat>,
    /// How often it was repeated in all.
    pub repeat_count: u32,
    /// How often the same packet was recorded again (mirror port, `-i any`).
    pub recorded_again: u32,
}

/// The IKE fragments of a message that a capture holds at another point than that of its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct FragmentsElsewhere {
    /// The capture.
    pub capture: u32,
    /// Those that it has of no copy, as (lowest missing number, total if known); number 0 if each copy lacks another one.
    pub missing: Option<(u16, Option<u16>)>,
}

/// A repeat of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repeat {
    /// Its frame.
    pub frame: FrameRef,
    /// When.
    pub at: Timestamp,
    /// Octets differ from the first copy (encrypted or fragmented anew).
    pub changed: bool,
    /// Lowest IKEv1 fragment that never came of this copy of a message that came whole before, and how many there are.
    pub missing: Option<(u16, Option<u16>)>,
}

/// One payload of a message, in clear.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PayloadFact {
    /// Payload type.
    pub payload_type: u8,
    /// What later stops may need of it.
    pub detail: PayloadDetail,
}

/// What is kept of a payload.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum PayloadDetail {
    /// Its type only.
    Plain,
    /// SA: the number of proposals and transforms. Those of message 1 and its answer are on the attempt.
    Sa {
        /// Proposals.
        proposals: u16,
        /// Transforms in all of them.
        transforms: u16,
    },
    /// KE: group (v2) and octets of the public value.
    KeyExchange {
        /// Group, as the payload names it (v2).
        group: Option<u16>,
        /// Octets.
        length: u16,
    },
    /// Nonce: octets.
    Nonce {
        /// Octets.
        length: u16,
    },
    /// Notification.
    Notify {
        /// Protocol id.
        protocol_id: u8,
        /// SPI size.
        spi_size: u8,
        /// Type.
        notify_message_type: u16,
        /// Up to 64 octets of its data; none of NAT detection, whose hash is checked and means nothing to a reader.
        data: Box<[u8]>,
    },
    /// Delete.
    Delete {
        /// Protocol id.
        protocol_id: u8,
        /// SPIs.
        count: u16,
    },
    /// Identification.
    Identification {
        /// ID type.
        id_type: u8,
        /// Up to 256 octets of its data.
        data: Box<[u8]>,
    },
    /// Vendor id: index into the sender's [`Attempt::vendor_ids`].
    VendorId {
        /// Index.
        index: u16,
    },
    /// Certificate or certificate request.
    Certificate {
        /// Encoding.
        encoding: u8,
        /// Octets.
        length: u16,
    },
    /// NAT-D hash: whether it matches the address it should stand for, if that could be checked.
    NatDetection {
        /// Result.
        matches: Option<bool>,
    },
    /// IKE fragment, v1 (132) or v2 (SKF).
    Fragment {
        /// Number from 1.
        number: u16,
        /// How many, if known.
        total: Option<u16>,
        /// As in [`Self::Encrypted`], if this fragment says it: the first of IKEv2 does (RFC 7383 §2.5).
        first: Option<u8>,
    },
    /// SK of IKEv2.
    Encrypted {
        /// Type of the first payload inside, 0 if there is none: its sender says so in clear (RFC 7296 §3.14).
        first: u8,
    },
}

impl MessageRecord {
    /// Too little of it was captured to read it to its end.
    pub fn is_cut(&self) -> bool {
        self.fault.is_some_and(|fault| fault.is_cut())
    }

    /// Frame and time of each of its copies, the first and then the repeats.
    pub fn copies(&self) -> impl Iterator<Item = (FrameRef, Timestamp)> + '_ {
        std::iter::once((self.frame, self.at)).chain(self.repeats.iter().map(|repeat| (repeat.frame, repeat.at)))
    }

    /// When its last copy was sent.
    pub fn last_sent(&self) -> Timestamp {
        self.repeats.iter().map(|repeat| repeat.at).fold(self.at, Timestamp::max)
    }

    /// IKEv2: the type of the first payload inside of what is encrypted, 0 if there is none, as the sender says in clear.
    pub fn first_inside(&self) -> Option<u8> {
        match self.carried.last()?.detail {
            PayloadDetail::Encrypted { first } => Some(first),
            PayloadDetail::Fragment { first, .. } => first,
            _ => None,
        }
    }
}

/// A proposal as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ProposalFact {
    /// Number.
    pub number: u8,
    /// Protocol id.
    pub protocol_id: u8,
    /// SPI.
    pub spi: Box<[u8]>,
    /// Transforms in order.
    pub transforms: Vec<TransformFact>,
}

/// A transform as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TransformFact {
    /// v1: transform number.
    pub number: u8,
    /// v2: transform type.
    pub transform_type: u8,
    /// Transform id.
    pub transform_id: u16,
    /// Attributes in order.
    pub attributes: Vec<AttributeFact>,
}

/// An attribute as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct AttributeFact {
    /// Type, AF bit removed.
    pub attribute_type: u16,
    /// Value as a number, if it fits into eight octets.
    pub number: Option<u64>,
    /// Value as octets, if it was in the long form (up to 64 of them).
    pub octets: Option<Box<[u8]>>,
}

impl TransformFact {
    /// The number of the first attribute of this type.
    pub fn attribute(&self, attribute_type: u16) -> Option<u64> {
        self.attributes
            .iter()
            .find(|attribute| attribute.attribute_type == attribute_type)
            .and_then(|attribute| attribute.number)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_behind_a_nat_takes_both_hashes() {
        let behind = |own: Option<bool>, peer: Option<bool>| {
            let nat = NatFacts { own_matches: [own, None], peer_matches: [peer, None], ..NatFacts::default() };
            nat.behind(Side::Initiator)
        };
        assert_eq!(behind(Some(true), Some(true)), Some(false));
        assert_eq!(behind(Some(false), Some(true)), Some(true));
        assert_eq!(behind(None, Some(false)), Some(true));
        assert_eq!(behind(None, Some(true)), None, "the NAT may stand between the side and the capture");
        assert_eq!(behind(Some(true), None), None, "the NAT may stand between the capture and the peer");
        assert_eq!(behind(None, None), None);
    }

    #[test]
    fn hashes_that_all_differ_tell_of_no_nat() {
        let nat = NatFacts { own_matches: [Some(false); 2], peer_matches: [Some(false); 2], ..NatFacts::default() };
        assert_eq!([Side::Initiator, Side::Responder].map(|side| nat.behind(side)), [None; 2]);
        let one_fits = NatFacts { peer_matches: [Some(false), Some(true)], ..nat };
        assert_eq!([Side::Initiator, Side::Responder].map(|side| one_fits.behind(side)), [Some(true); 2]);
    }

    #[test]
    fn of_many_lengths_none_says_anything() {
        let mut lengths = Lengths::default();
        (100..1400).step_by(36).for_each(|length| lengths.note(length));
        assert!(lengths.are_few() && lengths.hold(136) && !lengths.hold(140));
        (100..1400).step_by(4).for_each(|length| lengths.note(length));
        assert!(!lengths.are_few());
    }
}
