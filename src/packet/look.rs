//! The first look: refuses most frames of a busy link after a few comparisons, before anything is parsed.
//!
//! Contract: what it refuses, the full path would call [`super::Class::Other`], too; what it does not understand it
//! leaves to that path.

use crate::base::LinkType;
use crate::capture::Frame;

use super::aside;
use super::icmp::Version;
use super::octets::{be8, be16};
use super::protocol::{IkePorts, ether_type, ip_protocol, tunnel_port};
use super::tcp;

/// Whether `frame` is certainly not ours. `streams`: some TCP stream is being followed, so that any segment may be.
#[inline]
pub(super) fn refuses(frame: &Frame<'_>, ports: &IkePorts, streams: bool) -> bool {
    frame.link == LinkType::ETHERNET && refuses_ethernet(frame.bytes, ports, streams).unwrap_or(false)
}

/// `None` where the octets end before that is settled.
#[inline]
fn refuses_ethernet(octets: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    let mut at = 12;
    let mut kind = be16(octets, at)?;
    while kind == ether_type::VLAN && at < 20 {
        at += 4;
        kind = be16(octets, at)?;
    }
    let packet = octets.get(at + 2..)?;
    match kind {
        ether_type::IPV4 => refuses_ipv4(packet, ports, streams),
        ether_type::IPV6 => refuses_ipv6(packet, ports, streams),
        _ => None,
    }
}

#[inline]
fn refuses_ipv4(packet: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    const MORE_FRAGMENTS_AND_OFFSET: u16 = 0x3fff;
    const LEN: usize = 20;
    if be8(packet, 0)? != 0x45 || be16(packet, 6)? & MORE_FRAGMENTS_AND_OFFSET != 0 {
        return None;
    }
    refuses_upper(be8(packet, 9)?, packet.get(LEN..)?, ports, streams)
}

#[inline]
fn refuses_ipv6(packet: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    const LEN: usize = 40;
    if be8(packet, 0)? >> 4 != 6 {
        return None;
    }
    refuses_upper(be8(packet, 6)?, packet.get(LEN..)?, ports, streams)
}

#[inline]
fn refuses_upper(protocol: u8, carried: &[u8], ports: &IkePorts, streams: bool) -> Option<bool> {
    match protocol {
        ip_protocol::UDP => {
            let (source, destination) = (be16(carried, 0)?, be16(carried, 2)?);
            let aside = source == aside::DNS || source == aside::L2TP || destination == aside::L2TP;
            Some(!aside && !ports.either(source, destination) && !tunnel_port::any(destination))
        }
        ip_protocol::TCP => {
            let (source, destination) = (be16(carried, 0)?, be16(carried, 2)?);
            let header_len = usize::from(be8(carried, 12)? >> 4) * 4;
            let may_start = carried.get(header_len..).is_some_and(tcp::may_start);
            Some(!streams && !ports.shared_with_esp(source, destination) && !may_start)
        }
        ip_protocol::ICMP => Some(!Version::V4.is_error(be8(carried, 0)?)),
        ip_protocol::ICMPV6 => Some(!Version::V6.is_error(be8(carried, 0)?)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::{FrameRef, Limits, Timestamp};
    use crate::packet::{Class, Classifier};

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
        super::refuses(&frame(bytes), &IkePorts::new(&[]), false)
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

    proptest! {
        /// What the first look refuses, the full path would not want either.
        #[test]
        fn refuses_nothing_of_ours(
            tags in 0_usize..3,
            v6 in any::<bool>(),
            protocol in prop::sample::select(&[0_u8, 1, 4, 6, 17, 41, 44, 47, 50, 51, 58, 60, 89][..]),
            ports in prop::collection::vec(prop::sample::select(&[53_u16, 443, 500, 4500, 4789][..]), 2),
            rest in prop::collection::vec(prop::sample::select(&b"\x00\x01\x08\x20\x45\x50\x80\xffIKETCP"[..]), 0..90),
            fragment in any::<bool>(),
            cut in 0_usize..120,
        ) {
            let mut carried: Vec<u8> = ports.iter().flat_map(|port| port.to_be_bytes()).collect();
            carried.extend(rest);
            let mut octets = packet(tags, v6, protocol, &carried);
            if fragment && !v6 {
                octets[20 + 4 * tags] = 0x20;
            }
            octets.truncate(cut.max(20));
            if refuses(&octets) {
                let mut full = Classifier::new(&[], &Limits::default());
                let class = full.read(&frame(&octets), &mut |datagram| panic!("{datagram:?}"));
                prop_assert_eq!(class, Class::Other);
            }
        }
    }
}
