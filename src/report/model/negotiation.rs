//! The tables of a negotiation: attempts, their proposals, exchanges and messages.

use std::net::SocketAddr;

use serde::Serialize;

use crate::base::{Fault, FrameRef, IkeSpi, MessageId, Timestamp};
use crate::diagnose::Outcome;
use crate::packet::Encapsulation;
use crate::track::{Label, Mode, Side};

/// One negotiation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attempt {
    /// Index in `attempts`.
    pub id: usize,
    /// Its pair.
    pub pair: usize,
    /// IKE version: 1 or 2.
    pub version: u8,
    /// Phase 1 mode; `unknown` for IKEv1 whose phase 1 was not seen.
    pub mode: Mode,
    /// Where the initiator sent its first message from, `addr:port`.
    pub initiator: SocketAddr,
    /// Where the responder was first seen or addressed, `addr:port`.
    pub responder: SocketAddr,
    /// Initiator's SPI, 16 hex digits.
    pub initiator_spi: IkeSpi,
    /// Responder's SPI, zero while it never showed one.
    pub responder_spi: IkeSpi,
    /// Frame of its first message.
    pub first_frame: FrameRef,
    /// Frame of its last message.
    pub last_frame: FrameRef,
    /// First message.
    pub first: Timestamp,
    /// Last message.
    pub last: Timestamp,
    /// Last message of the set-up that was seen.
    pub stage: Label,
    /// Message that has to come next, or null.
    pub waiting_for: Option<Label>,
    /// How it stood at the end of the capture.
    pub outcome: Outcome,
    /// Catalogue id of what best explains the outcome. Of an attempt that is up it may be an `OK-…` that is among no findings,
    /// where the pair has a worse one.
    pub verdict: Option<&'static str>,
    /// What vendors call this stage.
    pub states: VendorStates,
    /// The capture does not hold its beginning.
    pub midstream: bool,
    /// Which side is the initiator is known. If not, it is the one that was heard first.
    pub roles_known: bool,
    /// The attempt whose IKE SA this one seems to replace, without an SA_INIT of its own.
    pub rekeyed_from: Option<usize>,
    /// When phase 1, or the IKE SA, was complete as far as the wire shows.
    pub phase1_up: Option<Timestamp>,
    /// When the first phase 2, or child SA, was complete as far as the wire shows.
    pub phase2_up: Option<Timestamp>,
    /// Proposals of the initiator's first SA payload.
    pub offered: Vec<Proposal>,
    /// The responder's choice.
    pub chosen: Option<Proposal>,
    /// Who is behind a NAT.
    pub nat: Nat,
    /// Vendor ids in clear, by side.
    pub vendor_ids: BothSides<Vec<VendorId>>,
    /// Later places the sides sent from: the float to port 4500, rebinding, MOBIKE.
    pub moves: Vec<Move>,
    /// Ids of its exchanges.
    pub exchanges: Vec<usize>,
    /// Messages not kept because of the limits.
    pub messages_forgotten: u64,
}

/// One of a thing for each side.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct BothSides<T> {
    /// The initiator's.
    pub initiator: T,
    /// The responder's.
    pub responder: T,
}

impl<T> BothSides<T> {
    /// The one of `side`.
    pub fn of(&self, side: Side) -> &T {
        match side {
            Side::Initiator => &self.initiator,
            Side::Responder => &self.responder,
        }
    }
}

/// What vendors call a stage: the state of the side that waits, or of both once nobody does.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VendorStates {
    /// Side whose state the four names are; null if both have the same.
    pub side: Option<Side>,
    /// `show crypto isakmp sa`, `show crypto ikev2 sa`.
    pub cisco_asa: Option<&'static str>,
    /// The same on IOS.
    pub cisco_ios: Option<&'static str>,
    /// `ipsec status`.
    pub libreswan: Option<&'static str>,
    /// `swanctl --list-sas`.
    pub strongswan: Option<&'static str>,
    /// The same by side.
    pub by_side: BothSides<SideStates>,
}

/// What vendors call the state of one side.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct SideStates {
    /// Cisco ASA.
    pub cisco_asa: Option<&'static str>,
    /// Cisco IOS.
    pub cisco_ios: Option<&'static str>,
    /// libreswan.
    pub libreswan: Option<&'static str>,
    /// strongSwan.
    pub strongswan: Option<&'static str>,
}

/// Who is behind a NAT, by the hashes of NAT detection; null where they do not tell.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Nat {
    /// The initiator is.
    pub initiator_behind: Option<bool>,
    /// The responder is.
    pub responder_behind: Option<bool>,
    /// The initiator announced NAT traversal.
    pub initiator_announced: bool,
    /// The responder announced NAT traversal.
    pub responder_announced: bool,
    /// By side: the address that it put into its own hash is the one it was seen to send from.
    pub own_matches: BothSides<Option<bool>>,
    /// By side: the address that its peer's hash names for it is the one it was seen at.
    pub peer_matches: BothSides<Option<bool>>,
    /// Frame of the first hash that did not match.
    pub mismatch_frame: Option<FrameRef>,
}

/// A vendor id payload.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct VendorId {
    /// Its octets in hex.
    pub data: String,
    /// What it stands for; null if it is not known.
    pub name: Option<&'static str>,
    /// Family of it: `cisco`, `nat-t`, `dpd`, …
    pub family: Option<&'static str>,
    /// Version that it tells, if it does.
    pub version: Option<String>,
}

/// Address and port that a side began to send from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Move {
    /// When.
    pub at: Timestamp,
    /// In which frame.
    pub frame: FrameRef,
    /// Which side.
    pub side: Side,
    /// From here on, `addr:port`.
    pub to: SocketAddr,
}

/// A proposal as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Proposal {
    /// Proposal number.
    pub number: u8,
    /// Protocol id.
    pub protocol_id: u8,
    /// Its name.
    pub protocol: Option<&'static str>,
    /// SPI in hex, empty if there was none.
    pub spi: String,
    /// Transforms in order.
    pub transforms: Vec<Transform>,
    /// In one line, for people.
    pub text: String,
}

/// A transform as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Transform {
    /// IKEv1: transform number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number: Option<u8>,
    /// IKEv2: transform type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transform_type: Option<u8>,
    /// IKEv2: name of the type: `ENCR`, `PRF`, `INTEG`, `KE`, `SN`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub type_name: Option<&'static str>,
    /// Transform id.
    pub transform_id: u16,
    /// Its name as the RFC writes it: `ENCR_AES_CBC`, `KEY_IKE`.
    pub name: Option<&'static str>,
    /// Attributes in order.
    pub attributes: Vec<Attribute>,
    /// In short, for people: `AES-CBC-256 SHA2-256 PSK MODP-2048`.
    pub text: String,
}

/// An attribute as it stood on the wire.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Attribute {
    /// Attribute type.
    #[serde(rename = "type")]
    pub attribute_type: u16,
    /// Its name.
    pub name: Option<&'static str>,
    /// Value: a number, or hex digits if it does not fit into eight octets.
    pub value: AttributeValue,
    /// Name of the value.
    pub value_name: Option<&'static str>,
}

/// Value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum AttributeValue {
    /// A number.
    Number(u64),
    /// Octets in hex.
    Octets(String),
}

/// Messages that share a message id, and the set-up of phase 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Exchange {
    /// Index in `exchanges`.
    pub id: usize,
    /// Its attempt.
    pub attempt: usize,
    /// `main`, `aggressive`, `quick`, `new-group`, `transaction`, `informational`, `ike-sa-init`, `ike-intermediate`,
    /// `ike-auth`, `create-child-sa`, `ike-followup-ke`, `ike-session-resume`, or `exchange-N`.
    pub kind: String,
    /// Message id, 8 hex digits.
    pub message_id: MessageId,
    /// Side that sent its first message.
    pub started_by: Side,
    /// Messages in order, repeats folded into what they repeat.
    pub messages: Vec<Message>,
}

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Message {
    /// Capture of its frame.
    pub capture: u32,
    /// Frame, or the frame that completed it.
    pub frame: u64,
    /// When.
    pub at: Timestamp,
    /// Place in the exchange: `MM1`, `AUTH-RSP`.
    pub label: Label,
    /// Side that sent it.
    pub from: Side,
    /// Where it was sent from, `addr:port`.
    pub source: SocketAddr,
    /// Where it was sent to, `addr:port`.
    pub destination: SocketAddr,
    /// Length in octets, as its header claims.
    pub length: u32,
    /// Whether it was encrypted.
    pub encrypted: bool,
    /// `udp`, or `tcp`.
    pub encapsulation: Encapsulation,
    /// Whether it had the non-ESP marker in front.
    pub non_esp_marker: bool,
    /// Flags of its header.
    pub flags: u8,
    /// IP fragments it came in; 1 if it was not fragmented.
    pub ip_fragments: u16,
    /// IKE fragments it came in; 0 if it was not fragmented.
    pub ike_fragments: u16,
    /// IKE fragments that never came; null if all did.
    pub ike_fragments_missing: Option<MissingFragments>,
    /// Payloads in clear, in order.
    pub carried: Vec<Carried>,
    /// First lie in it.
    pub fault: Option<Fault>,
    /// Frames that repeat it, the first ones.
    pub retransmissions: Vec<Retransmission>,
    /// How often it was repeated in all.
    pub retransmission_count: u32,
    /// How often the same packet was recorded again by the capture.
    pub recorded_again: u32,
}

impl Message {
    /// Its frame reference.
    pub const fn frame_ref(&self) -> FrameRef {
        FrameRef::new(self.capture, self.frame)
    }

    /// When it, or the last remembered repeat of it, was seen.
    pub fn last_at(&self) -> Timestamp {
        self.retransmissions.last().map_or(self.at, |repeat| repeat.at)
    }
}

/// IKE fragments that never came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct MissingFragments {
    /// Lowest number that is missing, from 1.
    pub first_missing: u16,
    /// How many there should be, if that is known.
    pub total: Option<u16>,
}

/// A repeat of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Retransmission {
    /// Capture of its frame.
    pub capture: u32,
    /// Its frame.
    pub frame: u64,
    /// When.
    pub at: Timestamp,
    /// Its octets differ from the first copy.
    pub changed: bool,
}

/// A payload in clear.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Carried {
    /// Payload type.
    #[serde(rename = "type")]
    pub payload_type: u8,
    /// Short notation of the RFCs: `SA`, `KE`, `NAT-D`.
    pub notation: Option<&'static str>,
    /// What it says, in short, for people.
    pub text: String,
    /// SA: proposals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposals: Option<u16>,
    /// SA: transforms in all proposals.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transforms: Option<u16>,
    /// Key exchange: group (IKEv2).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dh_group: Option<u16>,
    /// Notify and delete: protocol id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub protocol_id: Option<u8>,
    /// Notify: type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub notify_message_type: Option<u16>,
    /// Notify: it stands for an error.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<bool>,
    /// Delete: SPIs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spi_count: Option<u16>,
    /// Identification: type.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id_type: Option<u8>,
    /// Certificate: encoding.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub encoding: Option<u8>,
    /// Notify and identification: data in hex, the first octets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data: Option<String>,
    /// Octets of public value, nonce or certificate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub length: Option<u16>,
    /// NAT detection: the hash matches the address it should stand for. Absent if that could not be checked.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub matches: Option<bool>,
    /// Encrypted (IKEv2): type of the first payload inside, 0 if there is none, as the sender says in clear.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_payload: Option<u8>,
    /// Fragment: number, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragment: Option<u16>,
    /// Fragment: how many there are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fragments: Option<u16>,
    /// Vendor id: index into its side's `vendor_ids`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vendor_id: Option<u16>,
}
