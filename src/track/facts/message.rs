//! A message: payloads, proposals, repeats, fragments.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::{Fault, FrameRef, Timestamp};
use crate::packet::Encapsulation;

use super::attempt::Side;
use super::exchange::Label;

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
    /// Vendor id: index into the sender's [`super::Attempt::vendor_ids`].
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
