//! What a classifier hands on, in a form that outlives the frame and can be compared.

use std::net::IpAddr;

use ikescope::packet::{Body, Class, Datagram, Encapsulation};

/// A datagram.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ip_id: Option<u32>,
    pub ttl: u8,
    pub fragments: u16,
    pub ambiguous_overlap: bool,
    pub missing: u32,
    pub what: What,
}

/// Its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Isakmp { ports: (u16, u16), encapsulation: Encapsulation, marker: bool, octets: Vec<u8> },
    Aside(String),
    Incomplete(String),
    Other(Class, String),
}

impl Seen {
    pub fn of(datagram: &Datagram<'_>) -> Self {
        let words = || format!("{:?}", datagram.body);
        let what = match &datagram.body {
            Body::Isakmp(isakmp) => What::Isakmp {
                ports: (isakmp.source_port, isakmp.destination_port),
                encapsulation: isakmp.encapsulation,
                marker: isakmp.non_esp_marker,
                octets: isakmp.octets.to_vec(),
            },
            Body::Aside(_) => What::Aside(words()),
            Body::Incomplete(_) => What::Incomplete(words()),
            Body::Esp(packet) if packet.encapsulation == Encapsulation::None => What::Other(Class::Esp, words()),
            Body::Esp(_) => What::Other(Class::EspUdp, words()),
            Body::Ah(_) => What::Other(Class::Ah, words()),
            Body::Keepalive { .. } => What::Other(Class::Keepalive, words()),
            Body::IcmpError(_) => What::Other(Class::IcmpError, words()),
        };
        Self {
            source: datagram.source,
            destination: datagram.destination,
            ip_id: datagram.ip_id,
            ttl: datagram.ttl,
            fragments: datagram.fragments,
            ambiguous_overlap: datagram.ambiguous_overlap,
            missing: datagram.missing,
            what,
        }
    }

    /// The class of the frame that it alone would give; `None` for what gives none.
    pub fn class(&self) -> Option<Class> {
        match &self.what {
            What::Isakmp { octets, .. } if octets.len() < ikescope::isakmp::HEADER_LEN => Some(Class::Malformed),
            What::Isakmp { .. } => Some(Class::Isakmp),
            What::Other(class, _) => Some(*class),
            What::Aside(_) | What::Incomplete(_) => None,
        }
    }

    /// The octets of its ISAKMP message.
    pub fn isakmp(&self) -> Option<&[u8]> {
        match &self.what {
            What::Isakmp { octets, .. } => Some(octets),
            _ => None,
        }
    }
}
