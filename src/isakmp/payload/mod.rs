//! Payload bodies: one file a body, and the table that leads a payload type of either version to its decoder.
//!
//! Numeric fields keep their number; the names are in [`super::registry`].

use crate::base::Fault;

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

/// An SA payload of either version. Proposals are decoded one at a time.
#[derive(Debug, Clone, Copy)]
pub struct SecurityAssociation<'a> {
    /// v1: domain of interpretation.
    pub doi: Option<u32>,
    /// v1, IPsec DOI: situation bits.
    pub situation: Option<u32>,
    version: u8,
    octets: &'a [u8],
    at: u32,
}

/// One proposal (RFC 2408 §3.5, RFC 7296 §3.3.1).
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// Proposal number.
    pub number: u8,
    /// Protocol id.
    pub protocol_id: u8,
    /// SPI of the sender, `spi.len()` is the SPI size.
    pub spi: &'a [u8],
    /// Number of transforms as claimed.
    pub transform_count: u8,
    version: u8,
    octets: &'a [u8],
    at: u32,
}

/// One transform (RFC 2408 §3.6, RFC 7296 §3.3.2).
#[derive(Debug, Clone, Copy)]
pub struct Transform<'a> {
    /// v1: transform number; v2: 0.
    pub number: u8,
    /// v2: transform type; v1: 0.
    pub transform_type: u8,
    /// Transform id (8 bits in v1, 16 in v2).
    pub transform_id: u16,
    octets: &'a [u8],
    at: u32,
}

/// A data attribute (RFC 2408 §3.3, RFC 7296 §3.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Attribute type, the AF bit removed.
    pub attribute_type: u16,
    /// Its value.
    pub value: AttributeValue<'a>,
}

/// A value in the short (TV) or the long (TLV) form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeValue<'a> {
    /// AF = 1: sixteen bits.
    Short(u16),
    /// AF = 0: octets.
    Long(&'a [u8]),
}

impl AttributeValue<'_> {
    /// The value as a number: `Short`, or `Long` of at most eight octets, big-endian.
    pub fn number(&self) -> Option<u64> {
        match *self {
            Self::Short(value) => Some(u64::from(value)),
            Self::Long(octets) if octets.is_empty() || octets.len() > 8 => None,
            Self::Long(octets) => Some(octets.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet))),
        }
    }
}

/// A KE payload.
#[derive(Debug, Clone, Copy)]
pub struct KeyExchange<'a> {
    /// v2: key exchange method (group); v1: `None`, the SA tells it.
    pub group: Option<u16>,
    /// Public value.
    pub data: &'a [u8],
}

/// An ID payload, or a NAT-OA.
#[derive(Debug, Clone, Copy)]
pub struct Identification<'a> {
    /// ID type.
    pub id_type: u8,
    /// v1: IP protocol the identity is for; v2: reserved octet.
    pub protocol_id: u8,
    /// v1: port; v2: reserved octets.
    pub port: u16,
    /// Identification data.
    pub data: &'a [u8],
}

/// CERT and CERTREQ: encoding and data.
#[derive(Debug, Clone, Copy)]
pub struct Certificate<'a> {
    /// Certificate encoding.
    pub encoding: u8,
    /// Certificate, or certification authority.
    pub data: &'a [u8],
}

/// A notification.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// v1: domain of interpretation.
    pub doi: Option<u32>,
    /// Protocol id.
    pub protocol_id: u8,
    /// SPI, `spi.len()` is the SPI size.
    pub spi: &'a [u8],
    /// Notify message type.
    pub notify_message_type: u16,
    /// Notification data.
    pub data: &'a [u8],
}

/// A delete.
#[derive(Debug, Clone, Copy)]
pub struct Delete<'a> {
    /// v1: domain of interpretation.
    pub doi: Option<u32>,
    /// Protocol id.
    pub protocol_id: u8,
    /// Octets of one SPI.
    pub spi_size: u8,
    /// SPIs claimed.
    pub spi_count: u16,
    /// The SPIs, one after the other: whole ones only.
    pub spis: &'a [u8],
}

/// A v1 attributes payload or a v2 CP payload.
#[derive(Debug, Clone, Copy)]
pub struct Configuration<'a> {
    /// CFG type.
    pub cfg_type: u8,
    /// v1: identifier; v2: `None`.
    pub identifier: Option<u16>,
    octets: &'a [u8],
    at: u32,
    version: u8,
}

/// One fragment of a v1 message, Cisco and Microsoft (payload 132).
#[derive(Debug, Clone, Copy)]
pub struct Fragment<'a> {
    /// Fragment id: the same on all fragments of a message.
    pub fragment_id: u16,
    /// Number, from 1.
    pub number: u8,
    /// Bit 0: the last one.
    pub flags: u8,
    /// Its part of the message.
    pub data: &'a [u8],
}

/// A v2 AUTH payload.
#[derive(Debug, Clone, Copy)]
pub struct Authentication<'a> {
    /// Authentication method.
    pub method: u8,
    /// Authentication data.
    pub data: &'a [u8],
}

/// A v2 TS payload. Selectors are decoded one at a time.
#[derive(Debug, Clone, Copy)]
pub struct TrafficSelectors<'a> {
    /// Number of selectors as claimed.
    pub count: u8,
    octets: &'a [u8],
    at: u32,
}

/// One traffic selector (RFC 7296 §3.13.1).
#[derive(Debug, Clone, Copy)]
pub struct TrafficSelector<'a> {
    /// TS type.
    pub ts_type: u8,
    /// IP protocol, 0 for any.
    pub protocol_id: u8,
    /// First port.
    pub start_port: u16,
    /// Last port.
    pub end_port: u16,
    /// First address, 4 or 16 octets.
    pub start: &'a [u8],
    /// Last address.
    pub end: &'a [u8],
}

/// A v2 SKF payload (RFC 7383 §2.5). Numbers are in clear.
#[derive(Debug, Clone, Copy)]
pub struct EncryptedFragment<'a> {
    /// Number, from 1.
    pub number: u16,
    /// How many there are.
    pub total: u16,
    /// IV, ciphertext, ICV.
    pub data: &'a [u8],
}

/// A v2 EAP payload (RFC 3748 §4).
#[derive(Debug, Clone, Copy)]
pub struct Eap<'a> {
    /// Code: 1 request, 2 response, 3 success, 4 failure.
    pub code: u8,
    /// Identifier.
    pub identifier: u8,
    /// Method type, in requests and responses.
    pub method: Option<u8>,
    /// Data after the method type.
    pub data: &'a [u8],
}

impl<'a> SecurityAssociation<'a> {
    /// The proposals in order, ending at the first fault ([`Walk::fault`]).
    pub fn proposals(&self) -> Walk<'a, Proposal<'a>> {
        let _ = (self.version, self.octets, self.at);
        todo!()
    }
}

impl<'a> Proposal<'a> {
    /// The transforms in order, ending at the first fault.
    pub fn transforms(&self) -> Walk<'a, Transform<'a>> {
        let _ = (self.version, self.octets, self.at);
        todo!()
    }
}

impl<'a> Transform<'a> {
    /// The attributes in order, ending at the first fault.
    pub fn attributes(&self) -> Walk<'a, Attribute<'a>> {
        let _ = (self.octets, self.at);
        todo!()
    }
}

impl<'a> Configuration<'a> {
    /// The attributes in order, ending at the first fault.
    pub fn attributes(&self) -> Walk<'a, Attribute<'a>> {
        let _ = (self.octets, self.at, self.version);
        todo!()
    }
}

impl<'a> TrafficSelectors<'a> {
    /// The selectors in order, ending at the first fault.
    pub fn selectors(&self) -> Walk<'a, TrafficSelector<'a>> {
        let _ = (self.octets, self.at);
        todo!()
    }
}

impl<'a> Delete<'a> {
    /// The SPIs one at a time, each `spi_size` octets.
    pub fn each_spi(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.spis.chunks_exact(usize::from(self.spi_size).max(1))
    }
}

/// A walk over equal parts that stops at the first one that contradicts itself.
#[derive(Debug, Clone)]
pub struct Walk<'a, T> {
    rest: &'a [u8],
    at: u32,
    version: u8,
    fault: Option<Fault>,
    part: std::marker::PhantomData<T>,
}

impl<T> Walk<'_, T> {
    /// What stopped the walk, once it has ended.
    pub fn fault(&self) -> Option<Fault> {
        let _ = (self.rest, self.at, self.version, self.part);
        self.fault
    }
}

impl<'a> Iterator for Walk<'a, Proposal<'a>> {
    type Item = Proposal<'a>;
    fn next(&mut self) -> Option<Proposal<'a>> {
        todo!()
    }
}

impl<'a> Iterator for Walk<'a, Transform<'a>> {
    type Item = Transform<'a>;
    fn next(&mut self) -> Option<Transform<'a>> {
        todo!()
    }
}

impl<'a> Iterator for Walk<'a, Attribute<'a>> {
    type Item = Attribute<'a>;
    fn next(&mut self) -> Option<Attribute<'a>> {
        todo!()
    }
}

impl<'a> Iterator for Walk<'a, TrafficSelector<'a>> {
    type Item = TrafficSelector<'a>;
    fn next(&mut self) -> Option<TrafficSelector<'a>> {
        todo!()
    }
}
