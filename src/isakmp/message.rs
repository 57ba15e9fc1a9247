//! A message: header, then a chain of payloads decoded one at a time.

use crate::base::Fault;

use super::header::Header;
use super::payload::Body;

/// Payloads of one message that are followed; a chain longer than this is a fault.
pub const MAX_PAYLOADS: u32 = 128;

/// A decoded message, borrowed from its octets.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// The fixed header.
    pub header: Header,
    octets: &'a [u8],
    missing: u32,
}

impl<'a> Message<'a> {
    /// Reads the header of `octets`, which start at the initiator SPI and hold what was captured of the UDP (or TCP,
    /// or reassembled) payload; `missing` octets more were on the wire.
    ///
    /// Errors: the fault, if there are fewer than 28 octets.
    pub fn decode(octets: &'a [u8], missing: u32) -> Result<Self, Fault> {
        let _ = (octets, missing);
        todo!()
    }

    /// The octets of the message, header included, as far as the header's length claims and the capture holds.
    pub fn octets(&self) -> &'a [u8] {
        self.octets
    }

    /// Whether what follows the header is a ciphertext: the E bit of IKEv1, or an IKEv2 chain that begins with SK or SKF.
    pub fn is_encrypted(&self) -> bool {
        todo!()
    }

    /// The payloads in order. Nothing for an encrypted IKEv1 message; the SK or SKF payload itself for IKEv2.
    ///
    /// The iterator ends at the first fault; [`Payloads::fault`] then tells it.
    pub fn payloads(&self) -> Payloads<'a> {
        let _ = self.missing;
        todo!()
    }

    /// The first lie anywhere in the message (header length, chain, or inside a body), or `None`. Walks the message.
    pub fn fault(&self) -> Option<Fault> {
        todo!()
    }
}

/// Iterator over the payload chain of a message.
#[derive(Debug, Clone)]
pub struct Payloads<'a> {
    rest: &'a [u8],
    fault: Option<Fault>,
}

impl Payloads<'_> {
    /// What stopped the chain, once the iterator has ended.
    pub fn fault(&self) -> Option<Fault> {
        let _ = self.rest;
        self.fault
    }
}

impl<'a> Iterator for Payloads<'a> {
    type Item = Payload<'a>;

    fn next(&mut self) -> Option<Payload<'a>> {
        todo!()
    }
}

/// One payload of the chain.
#[derive(Debug, Clone, Copy)]
pub struct Payload<'a> {
    /// Payload type: the number that the header or the payload before it announced.
    pub payload_type: u8,
    /// Type of the payload after it.
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
