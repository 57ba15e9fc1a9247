//! A writer of ISAKMP messages, by the RFCs' diagrams and not by the decoder: lengths and the chain are filled in,
//! everything else is what the test says, lies included.

/// A payload that is not yet part of a chain: its type and its body behind the generic header.
#[derive(Clone)]
pub struct Payload {
    pub payload_type: u8,
    pub reserved: u8,
    pub body: Vec<u8>,
}

/// Payload of `payload_type` with this body.
pub fn payload(payload_type: u8, body: impl Into<Vec<u8>>) -> Payload {
    Payload { payload_type, reserved: 0, body: body.into() }
}

/// A message: header fields, then payloads.
#[derive(Clone)]
pub struct Message {
    pub initiator_spi: u64,
    pub responder_spi: u64,
    pub version: u8,
    pub exchange_type: u8,
    pub flags: u8,
    pub message_id: u32,
    pub payloads: Vec<Payload>,
}

impl Message {
    /// An IKEv1 message of this exchange type.
    pub fn v1(exchange_type: u8, payloads: Vec<Payload>) -> Self {
        Self { version: 0x10, flags: 0, ..Self::v2(exchange_type, payloads) }
    }

    /// An IKEv2 request of this exchange type, from the original initiator.
    pub fn v2(exchange_type: u8, payloads: Vec<Payload>) -> Self {
        Self {
            initiator_spi: 0x1122_3344_5566_7788,
            responder_spi: 0,
            version: 0x20,
            exchange_type,
            flags: 0x08,
            message_id: 0,
            payloads,
        }
    }

    /// With the responder's SPI filled in, and the R bit of IKEv2.
    pub fn response(mut self) -> Self {
        self.responder_spi = 0x99aa_bbcc_ddee_ff00;
        if self.version == 0x20 {
            self.flags = 0x20;
        }
        self
    }

    /// Its octets.
    pub fn octets(&self) -> Vec<u8> {
        let mut chain = Vec::new();
        for (index, payload) in self.payloads.iter().enumerate() {
            let next = self.payloads.get(index + 1).map_or(0, |next| next.payload_type);
            chain.extend([next, payload.reserved]);
            chain.extend((payload.body.len() as u16 + 4).to_be_bytes());
            chain.extend(&payload.body);
        }
        let mut octets = Vec::new();
        octets.extend(self.initiator_spi.to_be_bytes());
        octets.extend(self.responder_spi.to_be_bytes());
        octets.extend([self.payloads.first().map_or(0, |first| first.payload_type), self.version]);
        octets.extend([self.exchange_type, self.flags]);
        octets.extend(self.message_id.to_be_bytes());
        octets.extend((chain.len() as u32 + 28).to_be_bytes());
        octets.extend(chain);
        octets
    }
}

/// Octets one behind the other.
pub fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// An attribute in the short form.
pub fn short(attribute_type: u16, value: u16) -> Vec<u8> {
    join(&[&(0x8000 | attribute_type).to_be_bytes(), &value.to_be_bytes()])
}

/// An attribute in the long form.
pub fn long(attribute_type: u16, value: &[u8]) -> Vec<u8> {
    join(&[&attribute_type.to_be_bytes(), &(value.len() as u16).to_be_bytes(), value])
}

/// An IKEv1 transform behind its generic header.
pub fn transform_v1(number: u8, id: u8, attributes: &[Vec<u8>]) -> Vec<u8> {
    join(&[&[number, id, 0, 0], &attributes.concat()])
}

/// An IKEv2 transform behind its generic header.
pub fn transform_v2(transform_type: u8, id: u16, attributes: &[Vec<u8>]) -> Vec<u8> {
    join(&[&[transform_type, 0], &id.to_be_bytes(), &attributes.concat()])
}

/// A proposal behind its generic header, of either version.
pub fn proposal(number: u8, protocol: u8, spi: &[u8], transforms: &[Vec<u8>]) -> Vec<u8> {
    join(&[&[number, protocol, spi.len() as u8, transforms.len() as u8], spi, &substructures(3, transforms)])
}

/// Proposals, as they stand in an SA payload.
pub fn proposals(proposals: &[Vec<u8>]) -> Vec<u8> {
    substructures(2, proposals)
}

/// DOI IPsec and SIT_IDENTITY_ONLY, as they open an SA payload of IKEv1.
pub const IPSEC_IDENTITY_ONLY: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];

fn substructures(more: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let mut octets = Vec::new();
    for (index, part) in parts.iter().enumerate() {
        octets.extend([if index + 1 < parts.len() { more } else { 0 }, 0]);
        octets.extend((part.len() as u16 + 4).to_be_bytes());
        octets.extend(part);
    }
    octets
}
