//! Payload bodies: one file a body, and the table that leads a payload type of either version to its decoder.
//!
//! Numeric fields keep their number; the names are in [`super::registry`].

mod attribute;
mod authentication;
mod certificate;
mod configuration;
mod delete;
mod eap;
mod encrypted;
mod fragment;
mod identification;
mod key_exchange;
mod nat;
mod notification;
mod security_association;
mod traffic_selector;
mod walk;

use nom::Parser;

pub use attribute::{Attribute, AttributeValue};
pub use authentication::Authentication;
pub use certificate::Certificate;
pub use configuration::Configuration;
pub use delete::Delete;
pub use eap::Eap;
pub use encrypted::EncryptedFragment;
pub use fragment::Fragment;
pub use identification::Identification;
pub use key_exchange::KeyExchange;
pub use notification::Notification;
pub use security_association::{Proposal, SecurityAssociation, Transform};
pub use traffic_selector::{TrafficSelector, TrafficSelectors};
pub use walk::Walk;

use crate::base::{Fault, FaultKind};

use super::field::{Short, after, read};

/// What a payload says. Which variants a version can produce is told by the table in this module.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Body<'a> {
    /// v1 type 1, v2 type 33.
    SecurityAssociation(SecurityAssociation<'a>),
    /// v1 type 4, v2 type 34.
    KeyExchange(KeyExchange<'a>),
    /// v1 type 5, v2 types 35 and 36.
    Identification(Identification<'a>),
    /// v1 type 6, v2 type 37: encoding and data.
    Certificate(Certificate<'a>),
    /// v1 type 7, v2 type 38: encoding and authority.
    CertificateRequest(Certificate<'a>),
    /// v1 type 8.
    Hash(&'a [u8]),
    /// v1 type 9.
    Signature(&'a [u8]),
    /// v1 type 10, v2 type 40.
    Nonce(&'a [u8]),
    /// v1 type 11, v2 type 41.
    Notification(Notification<'a>),
    /// v1 type 12, v2 type 42.
    Delete(Delete<'a>),
    /// v1 type 13, v2 type 43.
    VendorId(&'a [u8]),
    /// v1 type 14 (Mode Config and XAUTH), v2 type 47 (CP).
    Configuration(Configuration<'a>),
    /// v1 types 20, 130, and 15 where it can only be the drafts' NAT-D: the hash.
    NatDetection(&'a [u8]),
    /// v1 types 21, 131, and 16 where it can only be the drafts' NAT-OA.
    NatOriginalAddress(Identification<'a>),
    /// v1 type 132 (Cisco and Microsoft).
    Fragment(Fragment<'a>),
    /// v2 type 39.
    Authentication(Authentication<'a>),
    /// v2 types 44 and 45.
    TrafficSelectors(TrafficSelectors<'a>),
    /// v2 type 46: everything behind the generic header (IV, ciphertext, ICV).
    Encrypted(&'a [u8]),
    /// v2 type 53.
    EncryptedFragment(EncryptedFragment<'a>),
    /// v2 type 48.
    Eap(Eap<'a>),
    /// A type known by name only (GDOI, GSPM, AuthIP, …) or not known at all: the octets.
    Opaque(&'a [u8]),
    /// The body contradicts itself.
    Malformed(Fault),
}

/// Payload type of an IKEv1 fragment.
pub(super) const FRAGMENT: u8 = 132;
/// Octets of an IKEv1 fragment in front of its data.
pub(super) const FRAGMENT_LEN: u16 = 8;

/// Whether this IKEv2 payload type ends the chain in clear.
pub(super) const fn is_encrypted(payload_type: u8) -> bool {
    matches!(payload_type, 46 | 53)
}

impl<'a> Body<'a> {
    /// The body of a payload of this type. One that is cut short is malformed, unless it is read part by part, or says of which
    /// error it is, or is encrypted or a fragment, and what it says in clear stands in front of what was not captured.
    #[inline]
    pub(super) fn decode(payload_type: u8, content: Content<'a>) -> Self {
        let decoded = match content.cut {
            Some(cut) if matches!((content.version, payload_type), (1, 11) | (2, 41)) => {
                notification::decode_cut(content, cut)
            }
            Some(Fault { kind: FaultKind::NotCaptured { .. }, .. })
                if matches!((content.version, payload_type), (1, FRAGMENT) | (2, 46 | 53)) =>
            {
                Self::look_up(payload_type, content)
            }
            Some(cut) if !matches!((content.version, payload_type), (1, 1) | (2, 33)) => Err(cut),
            _ => Self::look_up(payload_type, content),
        };
        decoded.unwrap_or_else(Self::Malformed)
    }

    /// The table: major version and payload type to decoder. A type of the other version, or of none, is opaque.
    #[inline]
    fn look_up(payload_type: u8, content: Content<'a>) -> Result<Self, Fault> {
        match (content.version, payload_type) {
            (1, 1) => security_association::decode_v1(content),
            (2, 33) => security_association::decode_v2(content),
            (1, 4) => key_exchange::decode_v1(content),
            (2, 34) => key_exchange::decode_v2(content),
            (1, 5) | (2, 35 | 36) => identification::decode(content),
            (1, 6) | (2, 37) => certificate::decode(content),
            (1, 7) | (2, 38) => certificate::decode_request(content),
            (1, 8) => Ok(Self::Hash(content.octets)),
            (1, 9) => Ok(Self::Signature(content.octets)),
            (1, 10) | (2, 40) => Ok(Self::Nonce(content.octets)),
            (1, 11) => notification::decode_v1(content),
            (2, 41) => notification::decode_v2(content),
            (1, 12) => delete::decode_v1(content),
            (2, 42) => delete::decode_v2(content),
            (1, 13) | (2, 43) => Ok(Self::VendorId(content.octets)),
            (1, 14) => configuration::decode_v1(content),
            (2, 47) => configuration::decode_v2(content),
            (1, 15) => nat::decode_15(content),
            (1, 16) => nat::decode_16(content),
            (1, 20 | 130) => nat::decode_nat_d(content),
            (1, 21 | 131) => identification::decode_nat_oa(content),
            (1, FRAGMENT) => fragment::decode(content),
            (2, 39) => authentication::decode(content),
            (2, 44 | 45) => traffic_selector::decode(content),
            (2, 46) => encrypted::decode(content),
            (2, 48) => eap::decode(content),
            (2, 53) => encrypted::decode_fragment(content),
            _ => Ok(Self::Opaque(content.octets)),
        }
    }

    /// The first lie inside, by the octets of the body, which begin at octet `at` of the message.
    pub(super) fn fault(&self, octets: &[u8], at: u32) -> Option<Fault> {
        match self {
            Self::Malformed(fault) => Some(*fault),
            Self::SecurityAssociation(association) => association.fault(),
            Self::KeyExchange(key_exchange) => key_exchange.fault(at),
            Self::Notification(notification) => notification.fault(octets, at),
            Self::Delete(delete) => delete.fault(octets.len(), at),
            Self::Configuration(configuration) => configuration.fault(),
            Self::Fragment(fragment) => fragment.fault(at),
            Self::TrafficSelectors(selectors) => selectors.fault(),
            Self::EncryptedFragment(fragment) => fragment.fault(at),
            _ => None,
        }
    }
}

/// The octets of a body, and where they were found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content<'a> {
    pub(super) octets: &'a [u8],
    /// Octet of the message at which they begin.
    pub(super) at: u32,
    /// Major version.
    pub(super) version: u8,
    pub(super) exchange_type: u8,
    /// Why the body ends before its length says, if it does.
    pub(super) cut: Option<Fault>,
}

impl<'a> Content<'a> {
    /// Reads fields from the start of the body.
    #[inline]
    fn read<O>(&self, parser: impl Parser<&'a [u8], Output = O, Error = Short>) -> Result<(&'a [u8], O), Fault> {
        self.read_on(self.octets, parser)
    }

    /// Reads fields from `rest`, the end of the body.
    #[inline]
    fn read_on<O>(
        &self,
        rest: &'a [u8],
        parser: impl Parser<&'a [u8], Output = O, Error = Short>,
    ) -> Result<(&'a [u8], O), Fault> {
        read(rest, self.position(rest), parser).map_err(|fault| self.cut.unwrap_or(fault))
    }

    /// Octet of the message at which `rest`, the end of the body, begins.
    #[inline]
    fn position(&self, rest: &[u8]) -> u32 {
        after(self.at, self.octets.len().saturating_sub(rest.len()))
    }
}
