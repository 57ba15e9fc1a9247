//! A message: header, then a chain of payloads decoded one at a time.
//!
//! Not here: what a payload's body holds ([`super::payload`]) and what a message has to carry ([`super::grammar`]).

use crate::base::{Fault, FaultKind};

use super::field::{GenericHeader, after, count, first, generic_header, read};
use super::header::{HEADER_LEN, Header, Version};
use super::payload::{self, Body, Content};

/// Payloads of one message that are followed; a chain longer than this is a fault.
pub const MAX_PAYLOADS: u32 = 128;

/// A decoded message, borrowed from its octets.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The fixed header.
    pub header: Header,
    octets: &'a [u8],
    /// Octets that were captured, those behind the message included.
    captured: u32,
    missing: u32,
}

impl<'a> Message<'a> {
    /// Reads the header of `octets`, which start at the initiator SPI and hold what was captured of the UDP (or TCP,
    /// or reassembled) payload; `missing` octets more were on the wire.
    ///
    /// Errors: the fault, if there are fewer than 28 octets.
    pub fn decode(octets: &'a [u8], missing: u32) -> Result<Self, Fault> {
        let header = Header::decode(octets, missing)?;
        let claimed = usize::try_from(header.length).unwrap_or(usize::MAX).max(HEADER_LEN);
        Ok(Self { header, octets: octets.get(..claimed).unwrap_or(octets), captured: count(octets.len()), missing })
    }

    /// The octets of the message, header included, as far as the header's length claims and the capture holds.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Whether what follows the header is a ciphertext: the E bit of IKEv1, or an IKEv2 chain that begins with SK or SKF.
    ///
    /// An IKEv1 fragment (payload 132) is in clear whatever its E bit says.
    pub fn is_encrypted(&self) -> bool {
        match self.header.version.major {
            1 => self.header.has(Header::ENCRYPTION) && !self.is_clear_fragment(),
            2 => payload::is_encrypted(self.header.next_payload),
            _ => false,
        }
    }

    /// The payloads in order. Nothing for an encrypted IKEv1 message; the SK or SKF payload itself for IKEv2.
    ///
    /// The iterator ends at the first fault; [`Payloads::fault`] then tells it. A payload that is cut short, by the
    /// end of the message or of the capture, is the last one: its body is malformed, except that of an SA, whose
    /// whole proposals and transforms can still be read.
    pub fn payloads(&self) -> Payloads<'a> {
        let Header { version, exchange_type, next_payload, .. } = self.header;
        let body = self.octets.get(HEADER_LEN..).unwrap_or_default();
        let opaque = version.major == 1 && self.is_encrypted() || !matches!(version.major, 1 | 2);
        Payloads {
            rest: if opaque { &[] } else { body },
            at: if opaque { count(self.octets.len()) } else { count(HEADER_LEN) },
            next_payload: if opaque { 0 } else { next_payload },
            version,
            exchange_type,
            followed: 0,
            uncaptured: self.uncaptured(),
            missing: self.missing,
            fault: None,
        }
    }

    /// The first lie anywhere in the message (header, chain, or inside a body), or `None`. Walks the message.
    ///
    /// First means lowest octet: what is false in the header comes before all that follows from it, octets left over
    /// behind the message, or not captured, come last. Of a version that is not known nothing else is said.
    pub fn fault(&self) -> Option<Fault> {
        self.version_fault()
            .or_else(|| self.contradiction())
            .or_else(|| self.length_fault())
            .or_else(|| self.chain_fault(|_| false))
            .or_else(|| self.trailing())
    }

    /// The lie that weighs most: one about lengths, which leaves the rest unread, before values that cannot be. Bodies that
    /// `sound` vouches for are not looked into: the same octets were walked before.
    pub fn gravest_fault(&self, sound: impl FnMut(&Payload<'_>) -> bool) -> Option<Fault> {
        self.version_fault()
            .or_else(|| self.length_fault())
            .or_else(|| self.chain_fault(sound))
            .or_else(|| self.trailing())
            .or_else(|| self.contradiction())
    }

    /// Octets of the message, as its header claims, that were on the wire and not captured.
    fn uncaptured(&self) -> u32 {
        self.header.length.saturating_sub(count(self.octets.len())).min(self.missing)
    }

    fn version_fault(&self) -> Option<Fault> {
        let Version { major, minor } = self.header.version;
        let kind = FaultKind::Unexpected { value: u32::from(major << 4 | minor) };
        (!matches!(major, 1 | 2)).then_some(Fault { field: "version", at: Header::VERSION_AT, kind })
    }

    /// What SPIs, flags and message id cannot be, by the exchange they stand in (RFC 2408 §3.1, RFC 7296 §3.1).
    fn contradiction(&self) -> Option<Fault> {
        const V1_PHASE_1: [u8; 3] = [1, 2, 4];
        const IKE_SA_INIT: u8 = 34;
        const INFORMATIONAL: u8 = 37;
        let header = &self.header;
        // who got a packet of an SA that it does not know may say so outside of any (RFC 7296 §1.5)
        let stands_alone = header.version.major == 2 && header.exchange_type == INFORMATIONAL && !self.is_encrypted();
        let (phase1, init) = match header.version.major {
            1 => (V1_PHASE_1.contains(&header.exchange_type), false),
            _ => (false, header.exchange_type == IKE_SA_INIT),
        };
        let (asks, from_initiator) = (!header.has(Header::RESPONSE), header.has(Header::INITIATOR));
        let (field, at, value) = if header.initiator_spi.is_zero() && !stands_alone {
            ("initiator SPI", 0, 0)
        } else if init && asks && !header.responder_spi.is_zero() {
            // the half of it that is not zero
            match (header.responder_spi.0 >> 32) as u32 {
                0 => ("responder SPI", Header::RESPONDER_SPI_AT.saturating_add(4), header.responder_spi.0 as u32),
                high => ("responder SPI", Header::RESPONDER_SPI_AT, high),
            }
        } else if init && asks != from_initiator {
            ("flags", Header::FLAGS_AT, header.flags.into())
        } else if (init || phase1) && header.message_id.0 != 0 {
            ("message ID", Header::MESSAGE_ID_AT, header.message_id.0)
        } else {
            return None;
        };
        Some(Fault { field, at, kind: FaultKind::Unexpected { value } })
    }

    fn length_fault(&self) -> Option<Fault> {
        let claims = self.header.length;
        let (least, room) = (count(HEADER_LEN), self.captured.saturating_add(self.missing));
        let kind = if claims < least {
            FaultKind::TooShort { claims, least }
        } else if claims > room {
            FaultKind::Overrun { claims, room }
        } else {
            return None;
        };
        Some(Fault { field: "length", at: Header::LENGTH_AT, kind })
    }

    fn chain_fault(&self, mut sound: impl FnMut(&Payload<'_>) -> bool) -> Option<Fault> {
        let mut payloads = self.payloads();
        while let Some(payload) = payloads.next() {
            let inside = if sound(&payload) { None } else { payload.fault() };
            if let Some(fault) = first(inside, payloads.fault()) {
                return Some(fault);
            }
        }
        payloads.fault()
    }

    fn trailing(&self) -> Option<Fault> {
        let at = count(self.octets.len());
        let octets = self.captured.saturating_add(self.missing).saturating_sub(at.saturating_add(self.uncaptured()));
        (octets > 0).then_some(Fault { field: "message", at, kind: FaultKind::Trailing { octets } })
    }

    /// DEVIATION: racoon and what descends from it set the E bit on fragments, though a fragment itself is in clear.
    fn is_clear_fragment(&self) -> bool {
        let body = self.octets.get(HEADER_LEN..).unwrap_or_default();
        let room = self.header.length.saturating_sub(count(HEADER_LEN));
        self.header.next_payload == payload::FRAGMENT
            && generic_header("payload header")(body).is_ok_and(|(_, header)| {
                header.next == 0 && header.length >= payload::FRAGMENT_LEN && u32::from(header.length) <= room
            })
    }
}

/// Iterator over the payload chain of a message.
#[derive(Debug, Clone)]
pub struct Payloads<'a> {
    rest: &'a [u8],
    /// Octet of the message at which `rest` begins.
    at: u32,
    next_payload: u8,
    version: Version,
    exchange_type: u8,
    followed: u32,
    /// Octets of the message behind `rest` that were not captured.
    uncaptured: u32,
    /// Octets of the frame that were not captured.
    missing: u32,
    fault: Option<Fault>,
}

impl<'a> Payloads<'a> {
    /// What stopped the chain, once the iterator has ended.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    fn stop(&mut self, fault: Fault) {
        self.fault = Some(fault);
        self.rest = &[];
    }

    fn not_captured(&self, field: &'static str) -> Fault {
        let kind = FaultKind::NotCaptured { missing: self.missing };
        Fault { field, at: after(self.at, self.rest.len()), kind }
    }

    /// The chain says that it is over: so must be the message.
    fn end(&mut self) {
        let left = self.rest.len();
        if self.uncaptured > 0 {
            self.stop(self.not_captured("message"));
        } else if left > 0 && !self.is_padding() {
            let kind = FaultKind::Trailing { octets: count(left) };
            self.stop(Fault { field: "last payload", at: self.at, kind });
        }
    }

    /// IKEv1 messages may be padded to a multiple of four octets (RFC 2408 §3.6).
    ///
    /// DEVIATION: libreswan 3.2x pads its IKEv2 messages in clear too, with zeros.
    fn is_padding(&self) -> bool {
        let left = self.rest.len();
        let may_pad = self.version.major == 1 || self.rest.iter().all(|octet| *octet == 0);
        may_pad && left < 4 && after(self.at, left).is_multiple_of(4)
    }
}

impl<'a> Iterator for Payloads<'a> {
    type Item = Payload<'a>;

    #[inline]
    fn next(&mut self) -> Option<Payload<'a>> {
        if self.fault.is_some() {
            return None;
        }
        if self.next_payload == 0 {
            self.end();
            return None;
        }
        if self.followed == MAX_PAYLOADS {
            let kind = FaultKind::TooMany { limit: MAX_PAYLOADS };
            self.stop(Fault { field: "payloads", at: self.at, kind });
            return None;
        }
        let (behind, header) = match read(self.rest, self.at, generic_header("payload header")) {
            Ok(read) => read,
            Err(_) if self.uncaptured > 0 => {
                self.stop(self.not_captured("payload header"));
                return None;
            }
            Err(fault) => {
                self.stop(fault);
                return None;
            }
        };
        let GenericHeader { next, reserved, length } = header;
        let Some(body_length) = length.checked_sub(GenericHeader::LEN) else {
            let kind = FaultKind::TooShort { claims: length.into(), least: GenericHeader::LEN.into() };
            self.stop(Fault { field: "payload length", at: self.at.saturating_add(GenericHeader::LENGTH_AT), kind });
            return None;
        };

        let (at, payload_type) = (self.at, self.next_payload);
        let (octets, rest) = behind.split_at_checked(body_length.into()).unwrap_or((behind, &[]));
        let cut = (octets.len() < body_length.into()).then(|| {
            let (claims, room) = (u32::from(length), count(self.rest.len()).saturating_add(self.uncaptured));
            if claims <= room {
                self.not_captured("payload")
            } else {
                let at = at.saturating_add(GenericHeader::LENGTH_AT);
                Fault { field: "payload length", at, kind: FaultKind::Overrun { claims, room } }
            }
        });
        self.rest = rest;
        self.at = at.saturating_add(length.into());
        self.followed = self.followed.saturating_add(1);
        // The next payload of SK and SKF is the first one inside of the ciphertext.
        let ends = self.version.major == 2 && payload::is_encrypted(payload_type);
        self.next_payload = if ends { 0 } else { next };
        self.fault = cut;

        let (critical, reserved) = match self.version.major {
            2 => (reserved & 0x80 != 0, reserved & 0x7f),
            _ => (false, reserved),
        };
        let content = Content {
            octets,
            at: at.saturating_add(GenericHeader::LEN.into()),
            version: self.version.major,
            exchange_type: self.exchange_type,
            cut,
        };
        let body = Body::decode(payload_type, content);
        Some(Payload { payload_type, next_payload: next, critical, reserved, at, length, octets, body })
    }
}

/// One payload of the chain.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// Payload type: the number that the header or the payload before it announced.
    pub payload_type: u8,
    /// Type of the payload after it; for SK and SKF, of the first payload inside.
    pub next_payload: u8,
    /// IKEv2 critical bit.
    pub critical: bool,
    /// The reserved octet of the generic header, critical bit removed for IKEv2.
    pub reserved: u8,
    /// Octet of the message at which its generic header stands.
    pub at: u32,
    /// Payload length as claimed, generic header included.
    pub length: u16,
    /// Octets after the generic header, as far as they are there.
    pub octets: &'a [u8],
    /// What they say. Unreadable bodies are [`Body::Malformed`] with the fault.
    pub body: Body<'a>,
}

impl Payload<'_> {
    /// Type of the first payload inside of what is encrypted, 0 if there is none: SK says so in clear (RFC 7296 §3.14), of
    /// several SKF the first one (RFC 7383 §2.5).
    pub fn first_inside(&self) -> Option<u8> {
        match self.body {
            Body::Encrypted(_) => Some(self.next_payload),
            Body::EncryptedFragment(fragment) => (fragment.number == 1).then_some(self.next_payload),
            _ => None,
        }
    }

    /// The first lie inside the body, or `None`. Walks its proposals, attributes or selectors.
    pub fn fault(&self) -> Option<Fault> {
        let whole = self.octets.len() >= usize::from(self.length.saturating_sub(GenericHeader::LEN));
        match self.body {
            // what is missing is told of the chain, and not of the sizes inside
            Body::Notification(_) if !whole => None,
            _ => self.body.fault(self.octets, self.at.saturating_add(GenericHeader::LEN.into())),
        }
    }
}
