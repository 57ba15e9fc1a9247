//! A classifier under test, and what it hands on in a form that outlives the frame.

use std::net::IpAddr;

use ikescope::base::{EspSpi, FrameRef, Limits, LinkType, Timestamp};
use ikescope::capture::Frame;
use ikescope::packet::{
    AhPacket, Body, Class, Classifier, Datagram, Encapsulation, EspPacket, IncompleteDatagram, Quoted,
};

use crate::craft::{ethernet, ike};

/// A datagram that outlives its frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub frame: u64,
    pub first_frame: u64,
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ip_id: Option<u32>,
    pub ttl: u8,
    pub fragments: u16,
    pub ambiguous_overlap: bool,
    pub missing: u32,
    pub what: What,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    Isakmp { ports: (u16, u16), encapsulation: Encapsulation, non_esp_marker: bool, octets: Vec<u8> },
    Esp(EspPacket),
    Ah(AhPacket),
    Keepalive(u16, u16),
    Error { version: u8, icmp_type: u8, code: u8, mtu: Option<u32>, from: IpAddr, ip_id: Option<u32>, quoted: Quote },
    Incomplete(IncompleteDatagram),
    Aside,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Quote {
    Udp { ports: (u16, u16), length: u16, isakmp: Vec<u8>, esp: Option<EspSpi> },
    Esp(Option<EspSpi>),
    Ah(Option<EspSpi>),
    Fragment(u8),
}

pub fn seen(datagram: &Datagram<'_>) -> Seen {
    let what = match datagram.body {
        Body::Isakmp(isakmp) => What::Isakmp {
            ports: (isakmp.source_port, isakmp.destination_port),
            encapsulation: isakmp.encapsulation,
            non_esp_marker: isakmp.non_esp_marker,
            octets: isakmp.octets.to_vec(),
        },
        Body::Esp(packet) => What::Esp(packet),
        Body::Ah(packet) => What::Ah(packet),
        Body::Keepalive { source_port, destination_port } => What::Keepalive(source_port, destination_port),
        Body::IcmpError(error) => What::Error {
            version: error.version,
            icmp_type: error.icmp_type,
            code: error.code,
            mtu: error.mtu,
            from: error.quoted_source,
            ip_id: error.quoted_ip_id,
            quoted: match error.quoted {
                Quoted::Udp { source_port, destination_port, length, isakmp, esp } => {
                    Quote::Udp { ports: (source_port, destination_port), length, isakmp: isakmp.to_vec(), esp }
                }
                Quoted::Esp { spi } => Quote::Esp(spi),
                Quoted::Ah { spi } => Quote::Ah(spi),
                Quoted::Fragment { protocol } => Quote::Fragment(protocol),
            },
        },
        Body::Aside(_) => What::Aside,
        Body::Incomplete(incomplete) => What::Incomplete(incomplete),
    };
    Seen {
        frame: datagram.frame.frame,
        first_frame: datagram.first_frame.frame,
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

/// A classifier that numbers frames and remembers what it handed on.
pub struct Bench {
    pub classifier: Classifier,
    pub frames: u64,
    pub seen: Vec<Seen>,
}

impl Bench {
    pub fn new() -> Self {
        Self::with(&[], &Limits::default())
    }

    pub fn with(extra_ports: &[u16], limits: &Limits) -> Self {
        Self { classifier: Classifier::new(extra_ports, limits), frames: 0, seen: Vec::new() }
    }

    pub fn frame(&mut self, link: LinkType, seconds: i64, bytes: &[u8], wire_len: usize) -> Class {
        self.frames += 1;
        let frame = Frame {
            reference: FrameRef::new(0, self.frames),
            at: Timestamp::from_parts(seconds, 0),
            link,
            interface: 0,
            bytes,
            wire_len: u32::try_from(wire_len).expect("frames are small"),
        };
        self.classifier.classify(&frame, &mut |datagram| self.seen.push(seen(datagram)))
    }

    /// An IP packet in Ethernet.
    pub fn ip(&mut self, packet: &[u8]) -> Class {
        self.ip_at(0, packet)
    }

    pub fn ip_at(&mut self, seconds: i64, packet: &[u8]) -> Class {
        let frame = ethernet(packet);
        self.frame(LinkType::ETHERNET, seconds, &frame, frame.len())
    }

    pub fn finish(&mut self) {
        self.classifier.finish(&mut |datagram| self.seen.push(seen(datagram)));
    }

    pub fn taken(&mut self) -> Vec<Seen> {
        std::mem::take(&mut self.seen)
    }

    pub fn messages(&self) -> Vec<Vec<u8>> {
        let octets = |seen: &Seen| match &seen.what {
            What::Isakmp { octets, .. } => Some(octets.clone()),
            _ => None,
        };
        self.seen.iter().filter_map(octets).collect()
    }
}

/// Class and datagrams of one frame.
pub fn one(link: LinkType, bytes: &[u8]) -> (Class, Vec<Seen>) {
    let mut bench = Bench::new();
    let class = bench.frame(link, 0, bytes, bytes.len());
    (class, bench.taken())
}

pub fn one_ip(packet: &[u8]) -> (Class, Vec<Seen>) {
    one(LinkType::ETHERNET, &ethernet(packet))
}

/// What [`crate::craft::request`] is.
pub fn the_request() -> What {
    What::Isakmp { ports: (500, 500), encapsulation: Encapsulation::Udp, non_esp_marker: false, octets: ike(60) }
}
