//! The fixed header (RFC 2408 §3.1, RFC 7296 §3.1).

use crate::base::{IkeSpi, MessageId};

/// Octets of the fixed header.
pub const HEADER_LEN: usize = 28;

/// Protocol version of a header: major and minor nibble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Version {
    /// 1 for IKEv1/ISAKMP, 2 for IKEv2.
    pub major: u8,
    /// 0 in every published version.
    pub minor: u8,
}

/// The fixed header, every field as it stands on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Header {
    /// Initiator's SPI (initiator cookie).
    pub initiator_spi: IkeSpi,
    /// Responder's SPI (responder cookie); zero in a first message.
    pub responder_spi: IkeSpi,
    /// Type of the first payload.
    pub next_payload: u8,
    /// Version.
    pub version: Version,
    /// Exchange type.
    pub exchange_type: u8,
    /// Flags, all eight bits.
    pub flags: u8,
    /// Message id.
    pub message_id: MessageId,
    /// Length of the whole message in octets, as claimed.
    pub length: u32,
}

impl Header {
    /// IKEv1 E bit: the payloads are encrypted (RFC 2408 §3.1).
    pub const ENCRYPTION: u8 = 0x01;
    /// IKEv1 C bit.
    pub const COMMIT: u8 = 0x02;
    /// IKEv1 A bit.
    pub const AUTHENTICATION_ONLY: u8 = 0x04;
    /// IKEv2 I bit: sent by the original initiator of the IKE SA (RFC 7296 §3.1).
    pub const INITIATOR: u8 = 0x08;
    /// IKEv2 V bit.
    pub const HIGHER_VERSION: u8 = 0x10;
    /// IKEv2 R bit: this is a response.
    pub const RESPONSE: u8 = 0x20;

    /// Whether all of `flags` are set.
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}
