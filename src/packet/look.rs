//! The first look: settles most frames of a busy link after a few comparisons. What is not ours is refused before
//! anything is parsed; whole IP packets with ESP or UDP of ours on Ethernet take the short way to their datagram.
//!
//! Contract: what it refuses, the full path would call [`super::Class::Other`], too; what it reads, the full path would
//! read the same; what it does not understand it leaves to that path.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::LinkType;
use crate::capture::Frame;

use super::encap::{self, Content};
use super::icmp::Version;
use super::ip::{self, IpPacket, Payload};
use super::octets::{be8, be16, count};
use super::protocol::{IkePorts, ether_type, ip_protocol, tunnel_port};
use super::{Encapsulation, SeenEsp, SeenIsakmp, Sight, aside, esp, tcp, udp};

/// What the first look makes of a frame.
#[derive(Debug, Clone, Copy)]
pub(super) enum Look {
    /// Certainly not ours.
    Foreign,
    /// Certainly not ours, and IPv4 between private networks of different /24: source and destination.
    Private(u32, u32),
    /// At this octet of the frame begins a whole packet that carries native ESP, or UDP between ports of ours: `read`
    /// reads it.
    Ours(usize),
    /// Not settled.
    Unsettled,
}

/// Looks at `frame`. `streams`: some TCP stream is being followed, so that any segment may be ours.
#[inline(always)]
pub(super) fn look(frame: &Frame<'_>, ports: &IkePorts, streams: bool) -> Look {
    if frame.link != LinkType::ETHERNET {
        return Look::Unsettled;
    }
    ethernet(frame.bytes, ports, streams).unwrap_or(Look::Unsettled)
}

/// What a glance at a frame shows, if it is a whole IPv4 packet on Ethernet with neither tags nor options.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Glance {
    /// Certainly not ours, and of no other interest.
    Foreign,
    /// Native ESP, or UDP between ports that ESP may have.
    Esp,
    /// UDP between other ports of ours.
    Ike,
    /// Anything else.
    Unsettled,
}

/// Where an IP packet begins behind Ethernet.
pub(super) const USUAL: usize = 14;

/// Glances at `frame`: what [`look`] finds of most frames, in the fewest steps.
#[inline(always)]
pub(super) fn glance(frame: &Frame<'_>, ports: &IkePorts, streams: bool) -> Glance {
    if frame.link != LinkType::ETHERNET {
        return Glance::Unsettled;
    }
    glance_at_usual(frame.bytes, ports, streams).unwrap_or(Glance::Unsettled)
}

#[inline(always)]
fn glance_at_usual(octets: &[u8], ports: &IkePorts, streams: bool) -> Option<Glance> {
    const CARRIED: usize = 34;
    const DONT_FRAGMENT: u8 = 0x40;
    let &[_, _, _, _, _, _, _, _, _, _, _, _, t0, t1, version, _, _, _, _, _, f0, f1, _, protocol, _, _, ref rest @ ..] =
        octets.first_chunk::<38>()?;
    if [t0, t1, version, f0 & !DONT_FRAGMENT | f1] != [8, 0, 0x45, 0] {
        return None;
    }
    let &[.., p0, p1, p2, p3] = rest;
    let ends = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([p2, p3]));
    let foreign = match protocol {
        ip_protocol::TCP => {
            let header_len = usize::from(*octets.get(CARRIED + 12)? >> 4) * 4;
            // whoever begins a stream of ours does so with a certain octet
            let begins = octets.get(CARRIED + header_len..)?.first() == Some(&tcp::FIRST);
            !streams && !begins && !ports.shared_with_esp(ends.0, ends.1)
        }
        ip_protocol::UDP if ports.shared_with_esp(ends.0, ends.1) => return Some(Glance::Esp),
        ip_protocol::UDP if ports.either(ends.0, ends.1) => return Some(Glance::Ike),
        ip_protocol::UDP => !may_be_aside(ends.0, ends.1),
        ip_protocol::ESP => return Some(Glance::Esp),
        _ => false,
    };
    let &[addresses @ .., _, _, _, _] = rest;
    let (source, destination) = ipv4_ends(addresses);
    let passes = foreign && !aside::are_private_apart(source, destination);
    Some(if passes { Glance::Foreign } else { Glance::Unsettled })
}

/// Whether a UDP datagram between ports that are not ours may still be of interest.
#[inline(always)]
fn may_be_aside(source: u16, destination: u16) -> bool {
    source == aside::DNS || source == aside::L2TP || destination == aside::L2TP || tunnel_port::any(destination)
}

/// `None` where the octets end before that is settled, and where it cannot be.
#[inline(always)]
fn ethernet(octets: &[u8], ports: &IkePorts, streams: bool) -> Option<Look> {
    const TYPE: usize = 12;
    const TAG: usize = 4;
    let mut at = TYPE;
    let mut kind = be16(octets, at)?;
    while kind == ether_type::VLAN && at < TYPE + 2 * TAG {
        at += TAG;
        kind = be16(octets, at)?;
    }
    // Private networks are looked for behind one tag at most.
    let near = at <= TYPE + TAG;
    at += 2;
    let packet = octets.get(at..)?;
    match kind {
        ether_type::IPV4 => ipv4(packet, at, near, ports, streams),
        ether_type::IPV6 => ipv6(packet, at, ports, streams),
        _ => None,
    }
}

#[inline(always)]
fn ipv4(packet: &[u8], at: usize, near: bool, ports: &IkePorts, streams: bool) -> Option<Look> {
    const MORE_FRAGMENTS_AND_OFFSET: u16 = 0x3fff;
    let (header, rest) = packet.split_first_chunk::<20>()?;
    let [version, _, _, _, _, _, f0, f1, _, protocol, _, _, addresses @ ..] = header;
    if *version != 0x45 || u16::from_be_bytes([*f0, *f1]) & MORE_FRAGMENTS_AND_OFFSET != 0 {
        return None;
    }
    if !is_foreign(*protocol, rest, ports, streams)? {
        return Some(Look::Ours(at));
    }
    let (source, destination) = ipv4_ends(*addresses);
    if near && aside::are_private_apart(source, destination) {
        return Some(Look::Private(source, destination));
    }
    (!is_echo_reply(*protocol, rest)).then_some(Look::Foreign)
}

#[inline(always)]
fn ipv6(packet: &[u8], at: usize, ports: &IkePorts, streams: bool) -> Option<Look> {
    let (header, rest) = packet.split_first_chunk::<40>()?;
    let [version, _, _, _, _, _, protocol, ..] = header;
    if version >> 4 != 6 {
        return None;
    }
    if !is_foreign(*protocol, rest, ports, streams)? {
        return Some(Look::Ours(at));
    }
    (!is_echo_reply(*protocol, rest)).then_some(Look::Foreign)
}

/// Whether what is not ours answers a ping, which shows that a host is there.
#[inline(always)]
fn is_echo_reply(protocol: u8, carried: &[u8]) -> bool {
    match protocol {
        ip_protocol::ICMP => Version::V4.is_echo_reply(carried),
        ip_protocol::ICMPV6 => Version::V6.is_echo_reply(carried),
        _ => false,
    }
}

/// Whether what IP carries is certainly foreign, or certainly to be read as ours.
#[inline(always)]
fn is_foreign(protocol: u8, carried: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    let foreign = match protocol {
        ip_protocol::UDP => {
            let (source, destination) = udp::ports(carried)?;
            if ports.either(source, destination) {
                return Some(false);
            }
            !may_be_aside(source, destination)
        }
        ip_protocol::TCP => {
            let (source, destination) = udp::ports(carried)?;
            let header_len = usize::from(be8(carried, 12)? >> 4) * 4;
            let may_start = carried.get(header_len..).is_some_and(tcp::may_start);
            !streams && !ports.shared_with_esp(source, destination) && !may_start
        }
        ip_protocol::ESP => return Some(false),
        ip_protocol::ICMP => !Version::V4.is_error(be8(carried, 0)?),
        ip_protocol::ICMPV6 => !Version::V6.is_error(be8(carried, 0)?),
        _ => return None,
    };
    foreign.then_some(true)
}

/// The ESP packet in a frame that was found ours at octet `at`, if it is IPv4: what [`sight`] finds, in fewer steps, for where
/// nearly all are ESP.
#[inline(always)]
pub(super) fn esp(frame: &Frame<'_>, at: usize, ports: &IkePorts) -> Option<SeenEsp> {
    let packet = read(frame, at)?;
    let (IpAddr::V4(source), IpAddr::V4(destination)) = (packet.source, packet.destination) else { return None };
    let place = (source, destination, packet.id? as u16);
    if packet.protocol == ip_protocol::ESP {
        return seen(packet.payload, Encapsulation::None, (0, 0), place);
    }
    let datagram = udp::read(packet.payload)?;
    let ends = (datagram.source_port, datagram.destination_port);
    match encap::read(ports.shared_with_esp(ends.0, ends.1), datagram.payload?) {
        Content::Esp(carried) => seen(carried, Encapsulation::Udp, ends, place),
        _ => None,
    }
}

/// The ISAKMP message in a frame that a glance found ours, if it was captured whole and is as long as IP and UDP say: what
/// [`sight`] finds, where it is to stay, as it is slow to hand about.
#[inline(always)]
pub(super) fn whole_isakmp(frame: &Frame<'_>, ports: &IkePorts, seen: &mut SeenIsakmp) -> Option<()> {
    const HEADERS: usize = 28;
    let packet = frame.bytes.get(USUAL..)?;
    let (headers, carried) = packet.split_first_chunk::<HEADERS>()?;
    let &[version, _, l0, l1, i0, i1, _, _, ttl, protocol, _, _, ref rest @ ..] = headers;
    let &[s0, s1, s2, s3, d0, d1, d2, d3, p0, p1, q0, q1, u0, u1, _, _] = rest;
    let length = usize::from(u16::from_be_bytes([l0, l1])).checked_sub(HEADERS)?;
    let whole = frame.wire_len <= count(frame.bytes) && usize::from(u16::from_be_bytes([u0, u1])) == length + 8;
    if version != 0x45 || protocol != ip_protocol::UDP || !whole {
        return None;
    }
    let ends = (u16::from_be_bytes([p0, p1]), u16::from_be_bytes([q0, q1]));
    let carried = Payload::cut(carried.get(..length)?, 0);
    let Content::Isakmp { non_esp_marker, message } = encap::read(ports.shared_with_esp(ends.0, ends.1), carried)
    else {
        return None;
    };
    *seen = SeenIsakmp {
        source: IpAddr::V4(Ipv4Addr::new(s0, s1, s2, s3)),
        destination: IpAddr::V4(Ipv4Addr::new(d0, d1, d2, d3)),
        ip_id: Some(u32::from(u16::from_be_bytes([i0, i1]))),
        ttl,
        interface: frame.interface,
        source_port: ends.0,
        destination_port: ends.1,
        non_esp_marker,
        missing: 0,
        place: (USUAL + HEADERS + length - message.octets.len()) as u32,
        len: count(message.octets),
    };
    Some(())
}

/// What shows in a frame that was found ours at octet `at`.
#[inline(always)]
pub(super) fn sight(frame: &Frame<'_>, at: usize, ports: &IkePorts) -> Option<Sight> {
    let packet = read(frame, at)?;
    let esp = |carried, encapsulation, ends| {
        let (IpAddr::V4(source), IpAddr::V4(destination)) = (packet.source, packet.destination) else { return None };
        seen(carried, encapsulation, ends, (source, destination, packet.id? as u16)).map(Sight::Esp)
    };
    if packet.protocol == ip_protocol::ESP {
        return esp(packet.payload, Encapsulation::None, (0, 0));
    }
    let datagram = udp::read(packet.payload)?;
    let ends = (datagram.source_port, datagram.destination_port);
    match encap::read(ports.shared_with_esp(ends.0, ends.1), datagram.payload?) {
        Content::Esp(carried) => esp(carried, Encapsulation::Udp, ends),
        Content::Isakmp { non_esp_marker, message } => Some(Sight::Isakmp(SeenIsakmp {
            source: packet.source,
            destination: packet.destination,
            ip_id: packet.id,
            ttl: packet.ttl,
            interface: frame.interface,
            source_port: ends.0,
            destination_port: ends.1,
            non_esp_marker,
            missing: message.missing(),
            place: message.octets.as_ptr().addr().wrapping_sub(frame.bytes.as_ptr().addr()) as u32,
            len: count(message.octets),
        })),
        Content::Keepalive | Content::Short => None,
    }
}

/// The ESP packet in `carried`, of a datagram with these addresses and this identification.
#[inline(always)]
fn seen(
    carried: Payload<'_>,
    encapsulation: Encapsulation,
    ends: (u16, u16),
    (source, destination, ip_id): (Ipv4Addr, Ipv4Addr, u16),
) -> Option<SeenEsp> {
    let esp = esp::read(carried, encapsulation, ends)?;
    Some(SeenEsp {
        spi: esp.spi,
        sequence: esp.sequence,
        length: esp.length,
        source,
        destination,
        ip_id,
        encapsulation,
        ports: esp.ports,
        readable: esp.readable,
    })
}

/// The packet that was found ours, at octet `at` of `frame`.
#[inline(always)]
pub(super) fn read<'a>(frame: &Frame<'a>, at: usize) -> Option<IpPacket<'a>> {
    let uncaptured = frame.wire_len.saturating_sub(count(frame.bytes));
    let packet = frame.bytes.get(at..)?;
    if *packet.first()? == 0x45 {
        let (header, rest) = packet.split_first_chunk::<20>()?;
        let [_, _, l0, l1, i0, i1, _, _, ttl, protocol, _, _, addresses @ ..] = header;
        let claimed = usize::from(u16::from_be_bytes([*l0, *l1])).checked_sub(header.len());
        let (source, destination) = ipv4_ends(*addresses);
        return Some(IpPacket {
            source: IpAddr::V4(Ipv4Addr::from_bits(source)),
            destination: IpAddr::V4(Ipv4Addr::from_bits(destination)),
            ttl: *ttl,
            id: Some(u32::from(u16::from_be_bytes([*i0, *i1]))),
            protocol: *protocol,
            payload: ip::length_or_all(rest, claimed, uncaptured),
            fragment: None,
        });
    }
    let (header, rest) = packet.split_first_chunk::<40>()?;
    let [_, _, _, _, l0, l1, protocol, hop_limit, addresses @ ..] = header;
    let (source, destination) = addresses.split_first_chunk::<16>()?;
    let claimed = Some(usize::from(u16::from_be_bytes([*l0, *l1]))).filter(|&claimed| claimed != 0);
    Some(IpPacket {
        source: IpAddr::V6(Ipv6Addr::from(*source)),
        destination: IpAddr::V6(Ipv6Addr::from(*destination.first_chunk::<16>()?)),
        ttl: *hop_limit,
        id: None,
        protocol: *protocol,
        payload: ip::length_or_all(rest, claimed, uncaptured),
        fragment: None,
    })
}

/// Source and destination.
#[inline(always)]
fn ipv4_ends([s0, s1, s2, s3, d0, d1, d2, d3]: [u8; 8]) -> (u32, u32) {
    (u32::from_be_bytes([s0, s1, s2, s3]), u32::from_be_bytes([d0, d1, d2, d3]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::{FrameRef, Limits, Timestamp};
    use crate::packet::{Aside, Body, Class, Classifier, Datagram, Eye};

    fn frame(bytes: &[u8]) -> Frame<'_> {
        Frame {
            reference: FrameRef::new(0, 1),
            at: Timestamp::default(),
            link: LinkType::ETHERNET,
            interface: 0,
            bytes,
            wire_len: bytes.len() as u32,
        }
    }

    fn refuses(bytes: &[u8]) -> bool {
        matches!(look(&frame(bytes), &IkePorts::new(&[]), false), Look::Foreign | Look::Private(..))
    }

    /// Ethernet, tags, and the start of an IP packet that carries `protocol`; addresses are of no interest.
    fn packet(tags: usize, v6: bool, protocol: u8, carried: &[u8]) -> Vec<u8> {
        let mut octets = vec![2; 12];
        octets.extend([0x81, 0, 0, 7].repeat(tags));
        let len = carried.len() as u8;
        if v6 {
            octets.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, len, protocol, 64]);
            octets.extend([9; 32]);
        } else {
            octets.extend([8, 0, 0x45, 0, 0, 20 + len, 0, 1, 0x40, 0, 64, protocol, 0, 0]);
            octets.extend([9; 8]);
        }
        octets.extend(carried);
        octets
    }

    #[test]
    fn refuses_what_most_links_carry() {
        let dns = [0xc0, 0, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4];
        let web = [0xc0, 0, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 1, 0, 0, 0, 0, 0x17, 3, 3];
        let echo = [8, 0, 0, 0, 0, 0, 0, 0];
        for tags in 0..=2 {
            for (protocol, carried) in [(17, &dns[..]), (6, &web[..]), (1, &echo[..])] {
                assert!(refuses(&packet(tags, false, protocol, carried)), "protocol {protocol}, {tags} tags");
            }
            assert!(refuses(&packet(tags, true, 17, &dns)));
            assert!(refuses(&packet(tags, true, 6, &web)));
        }
    }

    /// A class, and the datagrams, but for counts of what is not ours.
    type Answer = (Class, Vec<String>);

    fn answer(way: impl FnOnce(&mut Classifier, &mut dyn FnMut(&Datagram<'_>)) -> Class) -> Answer {
        let mut seen = Vec::new();
        let mut classifier = Classifier::new(&[5555], &Limits::default());
        let class = way(&mut classifier, &mut |datagram| match datagram.body {
            Body::Aside(Aside::ClearPrivate { .. }) => {}
            _ => seen.push(format!("{datagram:?}")),
        });
        (class, seen)
    }

    /// Both ways of a frame: with the first look, and without.
    fn both_ways(frame: &Frame<'_>) -> (Answer, Answer) {
        (
            answer(|classifier, sink| classifier.classify(frame, &mut |datagram: &Datagram<'_>| sink(datagram))),
            answer(|classifier, sink| classifier.read(frame, sink)),
        )
    }

    /// The ESP packets that the full path finds in a frame, as they are seen by the short one.
    fn in_full(frame: &Frame<'_>) -> Vec<SeenEsp> {
        let mut seen = Vec::new();
        Classifier::new(&[5555], &Limits::default()).read(frame, &mut |datagram: &Datagram<'_>| {
            if let (Body::Esp(esp), IpAddr::V4(source), IpAddr::V4(destination)) =
                (datagram.body, datagram.source, datagram.destination)
            {
                seen.push(SeenEsp {
                    spi: esp.spi,
                    sequence: esp.sequence,
                    length: esp.length,
                    source,
                    destination,
                    ip_id: datagram.ip_id.unwrap_or_default() as u16,
                    encapsulation: esp.encapsulation,
                    ports: esp.ports,
                    readable: esp.readable,
                });
            }
        });
        seen
    }

    #[test]
    fn reads_what_is_ours_without_the_full_path() {
        let esp = [0xc0, 0xff, 0xee, 1, 0, 0, 0, 7, 1, 2, 3, 4];
        let udp = |ports: [u8; 4], payload: &[u8]| [&ports[..], &[0, 8 + payload.len() as u8, 0, 0], payload].concat();
        let isakmp = [&[7; 16][..], &[33, 0x20, 34, 8, 0, 0, 0, 0, 0, 0, 0, 28]].concat();
        let cases = [
            (50, esp.to_vec(), Class::Esp),
            (17, udp([0x11, 0x94, 0xc0, 0], &esp), Class::EspUdp),
            (17, udp([1, 0xf4, 1, 0xf4], &isakmp), Class::Isakmp),
            (17, udp([0xc0, 0, 0x11, 0x94], &[&[0; 4][..], &isakmp].concat()), Class::Isakmp),
            (17, udp([0xc0, 0, 0x11, 0x94], &[0xff]), Class::Keepalive),
            (17, udp([0xc0, 0, 0x11, 0x94], &[0, 0, 0, 0, 0xff]), Class::Keepalive),
        ];
        for (tags, v6, (protocol, carried, class)) in (0..=2)
            .flat_map(|tags| [(tags, false), (tags, true)])
            .flat_map(|(tags, v6)| cases.iter().map(move |case| (tags, v6, case)))
        {
            let octets = packet(tags, v6, *protocol, carried);
            let frame = frame(&octets);
            assert!(matches!(look(&frame, &IkePorts::new(&[]), false), Look::Ours(_)), "{class:?}, {tags} tags");
            let (short, full) = both_ways(&frame);
            assert_eq!(short.0, *class);
            assert_eq!(short, full);
        }
    }

    proptest! {
        /// The first look changes no answer, whatever the octets.
        #[test]
        fn both_ways_agree(
            tags in 0_usize..4,
            v6 in any::<bool>(),
            protocol in prop::sample::select(&[0_u8, 1, 4, 6, 17, 17, 17, 41, 44, 47, 50, 50, 51, 58, 60, 89][..]),
            ports in prop::collection::vec(
                prop::sample::select(&[53_u16, 443, 500, 1701, 4500, 4789, 5555][..]), 2,
            ),
            length in prop_oneof![Just(None), (0_u16..70).prop_map(Some)],
            rest in prop::collection::vec(prop::sample::select(&b"\x00\x01\x08\x10\x20\x22\x45\xffIKETCP"[..]), 0..90),
            spoilt in prop::collection::vec((0_usize..100, any::<u8>()), 0..3),
            uncaptured in prop_oneof![Just(0_u32), 0_u32..60],
            cut in prop_oneof![Just(200_usize), 0_usize..120],
        ) {
            let mut carried: Vec<u8> = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
            carried.extend(length.unwrap_or(rest.len() as u16 + 8).to_be_bytes());
            carried.extend([0, 0]);
            carried.extend(rest);
            let mut octets = packet(tags, v6, protocol, &carried);
            for (at, octet) in spoilt {
                if let Some(spoilt) = octets.get_mut(at) {
                    *spoilt = octet;
                }
            }
            octets.truncate(cut);
            let frame = Frame { wire_len: octets.len() as u32 + uncaptured, ..frame(&octets) };
            let (short, full) = both_ways(&frame);
            prop_assert_eq!(&short, &full);
            let eye = Eye::new(&[5555]);
            match eye.look(&frame, false) {
                Sight::Foreign | Sight::Private { .. } => prop_assert_eq!(&full, &(Class::Other, Vec::new())),
                Sight::Esp(esp) => {
                    prop_assert_eq!(esp.class(), full.0);
                    prop_assert_eq!(in_full(&frame), [esp]);
                }
                Sight::Isakmp(isakmp) => {
                    let octets = isakmp.octets(frame.bytes);
                    let datagram = isakmp.datagram((frame.reference, frame.at), octets);
                    prop_assert_eq!((isakmp.class(octets), vec![format!("{datagram:?}")]), full.clone());
                }
                Sight::Open => {}
            }
            for streams in [false, true] {
                match eye.glance(&frame, streams) {
                    Glance::Foreign => prop_assert!(matches!(eye.look(&frame, streams), Sight::Foreign)),
                    Glance::Esp | Glance::Ike => {
                        let sight = eye.look(&frame, streams);
                        prop_assert_eq!(eye.sight(&frame), sight);
                        let mut seen = SeenIsakmp::BLANK;
                        if eye.whole_isakmp(&frame, &mut seen) {
                            prop_assert_eq!(Sight::Isakmp(seen), sight);
                        }
                        let esp = if let Sight::Esp(esp) = sight { Some(esp) } else { None };
                        prop_assert_eq!(eye.esp(&frame), esp);
                    }
                    Glance::Unsettled => {}
                }
            }
        }
    }
}
