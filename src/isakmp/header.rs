//! The fixed header (RFC 2408 §3.1, RFC 7296 §3.1).

use crate::base::{Fault, FaultKind, IkeSpi, MessageId};

use super::field::{count, read, u8, u32, u64};

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

    /// Octet at which the responder SPI stands.
    pub(crate) const RESPONDER_SPI_AT: u32 = 8;
    /// Octet at which the version stands.
    pub(super) const VERSION_AT: u32 = 17;
    /// Octet at which the flags stand.
    pub(super) const FLAGS_AT: u32 = 19;
    /// Octet at which the message id stands.
    pub(crate) const MESSAGE_ID_AT: u32 = 20;
    /// Octet at which the length stands.
    pub(super) const LENGTH_AT: u32 = 24;

    /// Reads the header that `octets` begin with; `missing` octets more were on the wire than were captured.
    ///
    /// Errors: the fault, if there are fewer than 28 octets.
    pub(super) fn decode(octets: &[u8], missing: u32) -> Result<Self, Fault> {
        if octets.len() < HEADER_LEN {
            let (have, need) = (count(octets.len()), count(HEADER_LEN));
            let kind = match missing {
                0 => FaultKind::Truncated { need, have },
                missing => FaultKind::NotCaptured { missing },
            };
            return Err(Fault { field: "header", at: have, kind });
        }
        let fields = (
            u64("initiator SPI"),
            u64("responder SPI"),
            u8("next payload"),
            u8("version"),
            u8("exchange type"),
            u8("flags"),
            u32("message ID"),
            u32("length"),
        );
        let (_, (initiator_spi, responder_spi, next_payload, version, exchange_type, flags, message_id, length)) =
            read(octets, 0, fields)?;
        Ok(Self {
            initiator_spi: IkeSpi(initiator_spi),
            responder_spi: IkeSpi(responder_spi),
            next_payload,
            version: Version { major: version >> 4, minor: version & 0x0f },
            exchange_type,
            flags,
            message_id: MessageId(message_id),
            length,
        })
    }

    /// Whether all of `flags` are set.
    pub const fn has(&self, flags: u8) -> bool {
        self.flags & flags == flags
    }
}
