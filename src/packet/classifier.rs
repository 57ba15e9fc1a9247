//! The stop that every frame passes: a cheap first look, then the slower path for what that look does not settle.

use crate::base::{FrameRef, Limits, Timestamp};
use crate::capture::Frame;

use super::aside::{self, ClearTraffic};
use super::encap::{self, Content};
use super::icmp::{self, Version};
use super::ip::{self, IpPacket, Payload};
use super::link::{self, Carried};
use super::look::{self, Look};
use super::octets::count;
use super::place::Place;
use super::protocol::{IkePorts, ip_protocol};
use super::reassembly::{Outcome, Reassembly, Whole};
use super::tcp::Streams;
use super::{Aside, Body, Class, Datagram, Encapsulation, IsakmpDatagram, Sink, ah, esp, tunnel, udp};

/// Tunnels within tunnels that are opened.
const MOST_TUNNELS: u8 = 4;

/// Tells what a frame is and hands on the datagrams in it.
#[derive(Debug)]
pub struct Classifier {
    ports: IkePorts,
    reassembly: Reassembly,
    streams: Streams,
    clear: ClearTraffic,
}

impl Classifier {
    /// For IKE on UDP 500, 4500 and `extra_ports`.
    pub fn new(extra_ports: &[u16], limits: &Limits) -> Self {
        Self {
            ports: IkePorts::new(extra_ports),
            reassembly: Reassembly::new(limits),
            streams: Streams::new(limits),
            clear: ClearTraffic::default(),
        }
    }

    /// Tells what `frame` is, and gives `sink` every datagram that ended in it: none, one, or several (TCP).
    /// Datagrams whose reassembly timed out by `frame.at` come first, as [`super::Body::Incomplete`].
    #[inline]
    pub fn classify(&mut self, frame: &Frame<'_>, sink: &mut impl FnMut(&Datagram<'_>)) -> Class {
        self.reassembly.advance(frame.at, sink);
        match look::look(frame, &self.ports, !self.streams.is_empty()) {
            Look::Foreign => Class::Other,
            Look::Private(source, destination) => {
                self.clear.count((frame.reference, frame.at, frame.interface), (source, destination), sink);
                Class::Other
            }
            Look::Ours(at) => match look::read(frame, at) {
                Some(packet) => self.ours(frame, &packet, sink),
                None => self.read(frame, sink),
            },
            Look::Unsettled => self.read(frame, sink),
        }
    }

    /// Counts a frame, by reference, time and interface, that was seen to travel between these private addresses.
    #[inline]
    pub fn count_private(
        &mut self,
        frame: (FrameRef, Timestamp, u32),
        ends: (u32, u32),
        sink: &mut impl FnMut(&Datagram<'_>),
    ) {
        self.clear.count(frame, ends, sink);
    }

    /// Whether some TCP stream is being followed, so that any segment may be ours.
    #[inline]
    pub fn follows_streams(&self) -> bool {
        !self.streams.is_empty()
    }

    /// Whether some datagram waits for its fragments.
    #[inline]
    pub fn holds_fragments(&self) -> bool {
        self.reassembly.holds_any()
    }

    /// Whether frames between these two times let nothing time out that waits for fragments, come when they may.
    pub fn is_patient(&self, earliest: Timestamp, latest: Timestamp) -> bool {
        self.reassembly.is_patient(earliest, latest)
    }

    /// A whole packet that carries ESP, or UDP between ports of ours if that is captured.
    #[inline]
    fn ours(&self, frame: &Frame<'_>, packet: &IpPacket<'_>, sink: &mut impl FnMut(&Datagram<'_>)) -> Class {
        let place = Place::new(frame, packet);
        if packet.protocol == ip_protocol::ESP {
            return native_esp(&place, packet.payload, packet.payload.missing(), sink);
        }
        match udp::read(packet.payload) {
            Some(datagram) => self.udp(&place, &datagram, sink),
            None => Class::Other,
        }
    }

    /// What `classify` does with frames that the first look does not refuse.
    pub(super) fn read(&mut self, frame: &Frame<'_>, sink: &mut Sink<'_>) -> Class {
        match link::carried(frame.link, frame.bytes) {
            Carried::Ip(packet) => {
                let uncaptured = frame.wire_len.saturating_sub(count(frame.bytes));
                self.packet(frame, Payload::cut(packet, uncaptured), 0, sink)
            }
            Carried::Other => Class::Other,
            Carried::UnknownLink => Class::UnknownLink,
        }
    }

    /// Gives up what waited too long by `at`.
    pub fn advance(&mut self, at: Timestamp, sink: &mut impl FnMut(&Datagram<'_>)) {
        self.reassembly.advance(at, sink);
    }

    /// The captures have ended: gives up everything still under reassembly.
    pub fn finish(&mut self, sink: &mut impl FnMut(&Datagram<'_>)) {
        self.streams.finish(sink);
        self.reassembly.finish(sink);
        self.clear.finish(sink);
    }

    /// TCP streams no longer followed because others needed the room.
    pub fn streams_forgotten(&self) -> u64 {
        self.streams.forgotten
    }

    /// Gaps in the TCP streams of a capture, behind which the next record had to be found anew. Final after
    /// [`Self::finish`].
    pub fn stream_gaps(&self, capture: u32) -> u64 {
        self.streams.gaps(capture)
    }

    /// An IP packet, `tunnels` deep.
    fn packet(&mut self, frame: &Frame<'_>, carried: Payload<'_>, tunnels: u8, sink: &mut Sink<'_>) -> Class {
        let Some(packet) = ip::read(carried.octets, carried.missing()) else { return Class::Other };
        let place = Place::new(frame, &packet);
        let Some(fragment) = packet.fragment else {
            return self.upper(frame, &place, packet.protocol, packet.payload, tunnels, sink);
        };
        if fragment.offset == 0 && matches!(packet.protocol, ip_protocol::ICMP | ip_protocol::ICMPV6) {
            // The first fragment of an error holds all that is wanted of it.
            return self.upper(frame, &place, packet.protocol, packet.payload, tunnels, sink);
        }
        match self.reassembly.add(&place, packet.protocol, fragment, packet.payload, &self.ports, sink) {
            Outcome::NotOurs => Class::Other,
            Outcome::Malformed => Class::Malformed,
            Outcome::Held => Class::Fragment,
            Outcome::Whole(whole) => self.reassembled(frame, packet.protocol, &whole, tunnels, sink),
        }
    }

    /// A datagram put together from fragments that announced `protocol`.
    fn reassembled(
        &mut self,
        frame: &Frame<'_>,
        protocol: u8,
        whole: &Whole,
        tunnels: u8,
        sink: &mut Sink<'_>,
    ) -> Class {
        let carried = Payload { octets: &whole.octets, wire: whole.wire };
        let Some(chain) = ip::pass_extensions(protocol, carried.octets) else { return Class::Malformed };
        let (None, Some(carried)) = (chain.fragment, carried.behind(chain.len)) else { return Class::Malformed };
        match chain.protocol {
            // Only the clear part was kept, so what is not here was not all left out of the capture.
            ip_protocol::ESP => native_esp(&whole.place, carried, whole.uncaptured, sink),
            ip_protocol::AH => authenticated(&whole.place, carried, whole.uncaptured, sink),
            upper => self.upper(frame, &whole.place, upper, carried, tunnels, sink),
        }
    }

    /// What a whole IP datagram carries.
    fn upper(
        &mut self,
        frame: &Frame<'_>,
        place: &Place,
        protocol: u8,
        carried: Payload<'_>,
        tunnels: u8,
        sink: &mut Sink<'_>,
    ) -> Class {
        let inside = match protocol {
            ip_protocol::UDP => match udp::read(carried) {
                Some(datagram) if self.ports.either(datagram.source_port, datagram.destination_port) => {
                    return self.udp(place, &datagram, sink);
                }
                Some(datagram) => {
                    if let Some(aside) = said_aside(&datagram) {
                        sink(&place.datagram(0, Body::Aside(aside)));
                    }
                    datagram.payload.and_then(|payload| tunnel::udp(datagram.destination_port, payload))
                }
                None => None,
            },
            ip_protocol::TCP => return self.streams.segment(place, carried, &self.ports, sink),
            ip_protocol::ESP => return native_esp(place, carried, carried.missing(), sink),
            ip_protocol::AH => return authenticated(place, carried, carried.missing(), sink),
            ip_protocol::ICMP => return self.icmp(Version::V4, place, carried, sink),
            ip_protocol::ICMPV6 => return self.icmp(Version::V6, place, carried, sink),
            ip_protocol::GRE => tunnel::gre(carried),
            ip_protocol::IPV4 | ip_protocol::IPV6 => Some(carried),
            _ => None,
        };
        match inside {
            Some(packet) if tunnels < MOST_TUNNELS => self.packet(frame, packet, tunnels + 1, sink),
            _ => Class::Other,
        }
    }

    /// A UDP datagram between ports of ours.
    fn udp(
        &self,
        place: &Place,
        datagram: &udp::UdpDatagram<'_>,
        sink: &mut (impl FnMut(&Datagram<'_>) + ?Sized),
    ) -> Class {
        let Some(payload) = datagram.payload else { return Class::Malformed };
        let ports = (datagram.source_port, datagram.destination_port);
        let shared_with_esp = self.ports.shared_with_esp(ports.0, ports.1);
        content(place, Encapsulation::Udp, ports, encap::read(shared_with_esp, payload), sink)
    }

    fn icmp(&self, version: Version, place: &Place, carried: Payload<'_>, sink: &mut Sink<'_>) -> Class {
        match icmp::read(version, carried.octets, &self.ports) {
            Some(error) => {
                sink(&place.datagram(carried.missing(), Body::IcmpError(error)));
                Class::IcmpError
            }
            None => {
                // what goes between private networks is counted, whatever it says
                if version.is_echo_reply(carried.octets) && !aside::are_apart(place.source, place.destination) {
                    sink(&place.datagram(0, Body::Aside(Aside::EchoReply)));
                }
                Class::Other
            }
        }
    }
}

/// What a UDP datagram between other ports says that matters here.
fn said_aside<'a>(datagram: &udp::UdpDatagram<'a>) -> Option<Aside<'a>> {
    match (datagram.source_port, datagram.destination_port) {
        (aside::L2TP, _) | (_, aside::L2TP) => Some(Aside::ClearL2tp),
        (aside::DNS, _) => aside::failed_lookup(datagram.payload?.octets),
        _ => None,
    }
}

/// Hands on what stood in UDP or in a TCP record.
pub(super) fn content(
    place: &Place,
    encapsulation: Encapsulation,
    ports: (u16, u16),
    content: Content<'_>,
    sink: &mut (impl FnMut(&Datagram<'_>) + ?Sized),
) -> Class {
    let (source_port, destination_port) = ports;
    match content {
        Content::Keepalive => {
            sink(&place.datagram(0, Body::Keepalive { source_port, destination_port }));
            Class::Keepalive
        }
        Content::Isakmp { non_esp_marker, message } => {
            let octets = message.octets;
            let isakmp = IsakmpDatagram { source_port, destination_port, encapsulation, non_esp_marker, octets };
            sink(&place.datagram(message.missing(), Body::Isakmp(isakmp)));
            if encap::has_header(octets) { Class::Isakmp } else { Class::Malformed }
        }
        Content::Esp(carried) => match esp::read(carried, encapsulation, ports) {
            Some(packet) => {
                sink(&place.datagram(carried.missing(), Body::Esp(packet)));
                Class::EspUdp
            }
            None => Class::Malformed,
        },
        Content::Short => Class::Malformed,
    }
}

fn native_esp(
    place: &Place,
    carried: Payload<'_>,
    missing: u32,
    sink: &mut (impl FnMut(&Datagram<'_>) + ?Sized),
) -> Class {
    match esp::read(carried, Encapsulation::None, (0, 0)) {
        Some(packet) => {
            sink(&place.datagram(missing, Body::Esp(packet)));
            Class::Esp
        }
        None => Class::Malformed,
    }
}

fn authenticated(place: &Place, carried: Payload<'_>, missing: u32, sink: &mut Sink<'_>) -> Class {
    match ah::read(carried) {
        Some(packet) => {
            sink(&place.datagram(missing, Body::Ah(packet)));
            Class::Ah
        }
        None => Class::Malformed,
    }
}
