//! Link types, tunnels and IP: the same message however it is wrapped.

use ikescope::base::{EspSpi, LinkType};
use ikescope::packet::{Class, Encapsulation, EspPacket};

use crate::bench::*;
use crate::craft::*;

#[test]
fn every_link_type_carries_the_same_message() {
    for packet in [request(), ipv6(UDP, &udp(500, 500, &ike(60)))] {
        for (name, link, frame) in on_every_link(&packet) {
            let (class, seen) = one(link, &frame);
            assert_eq!(class, Class::Isakmp, "{name}");
            assert_eq!(seen.len(), 1, "{name}");
            assert_eq!(seen[0].what, the_request(), "{name}");
            assert_eq!((seen[0].frame, seen[0].first_frame, seen[0].fragments), (1, 1, 1), "{name}");
            let (ttl, id) = if packet[0] == 0x45 { (61, Some(0x1234)) } else { (62, None) };
            assert_eq!((seen[0].ttl, seen[0].ip_id, seen[0].missing), (ttl, id, 0), "{name}");
        }
    }
}

#[test]
fn a_link_type_without_a_reader_is_said_to_be_unknown() {
    assert_eq!(one(LinkType(105), &request()), (Class::UnknownLink, vec![]));
}

#[test]
fn tunnels_are_opened_and_the_inner_datagram_counts() {
    let mut inner = request();
    inner[8] = 33;
    let framed = ethernet(&inner);
    let vxlan = join(&[&[8, 0, 0, 0, 0, 0, 7, 0], &framed]);
    let erspan_iii = [0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    let erspan_iii_with_subheader = [0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 9, 9, 9, 9, 9, 9, 9, 9];
    let tunnels = [
        ("IP in IP", ipv4(4, &inner)),
        ("IPv4 in IPv6", ipv6(4, &inner)),
        ("GRE", gre(0, 0x0800, &[], &inner)),
        ("GRE, checksum, key and sequence", gre(0xb000, 0x0800, &[1; 12], &inner)),
        ("GRE, key", gre(0x2000, 0x0800, &[1; 4], &inner)),
        ("GRE, Ethernet", gre(0, 0x6558, &[], &framed)),
        ("GRE, MPLS", gre(0, 0x8847, &[0, 1, 1, 64], &inner)),
        ("ERSPAN I", gre(0, 0x88be, &[], &framed)),
        ("ERSPAN II", gre(0x1000, 0x88be, &[0, 0, 0, 9, 0x10, 0, 0, 0, 0, 0, 0, 0], &framed)),
        ("ERSPAN III", gre(0x1000, 0x22eb, &join(&[&[0, 0, 0, 9], &erspan_iii]), &framed)),
        (
            "ERSPAN III with subheader",
            gre(0x1000, 0x22eb, &join(&[&[0, 0, 0, 9], &erspan_iii_with_subheader]), &framed),
        ),
        ("VXLAN", ipv4(UDP, &udp(55_000, 4789, &vxlan))),
        ("VXLAN, Linux port", ipv6(UDP, &udp(55_000, 8472, &vxlan))),
        (
            "Geneve with an option",
            ipv4(UDP, &udp(55_000, 6081, &join(&[&[1, 0, 0x65, 0x58, 0, 0, 7, 0, 1, 2, 3, 4], &framed]))),
        ),
        ("GRE in VXLAN", {
            let outer = join(&[&[8, 0, 0, 0, 0, 0, 7, 0], &ethernet(&gre(0, 0x0800, &[], &inner))]);
            ipv4(UDP, &udp(55_000, 4789, &outer))
        }),
    ];
    for (name, packet) in tunnels {
        let (class, seen) = one_ip(&packet);
        assert_eq!(class, Class::Isakmp, "{name}");
        assert_eq!(seen.len(), 1, "{name}");
        assert_eq!((&seen[0].what, seen[0].ttl, seen[0].missing), (&the_request(), 33, 0), "{name}");
        assert_eq!(seen[0].source.to_string(), "192.0.2.1", "{name}");
    }
}

#[test]
fn tunnels_are_opened_four_deep() {
    let nested = |depth| (0..depth).fold(request(), |packet, _| ipv4(4, &packet));
    assert_eq!(one_ip(&nested(4)).0, Class::Isakmp);
    assert_eq!(one_ip(&nested(5)), (Class::Other, vec![]));
}

#[test]
fn ipv4_options_are_passed() {
    let mut packet = request();
    packet[0] = 0x46;
    packet[3] += 4;
    packet.splice(20..20, [1, 1, 1, 0]);
    assert_eq!(one_ip(&packet).1[0].what, the_request());
}

#[test]
fn ipv6_extension_headers_are_passed() {
    let datagram = udp(500, 500, &ike(60));
    let options = |next: u8| [next, 0, 1, 4, 0, 0, 0, 0];
    let routing = |next: u8| [next, 0, 4, 0, 0, 0, 0, 0];
    let atomic_fragment = |next: u8| [next, 0, 0, 0, 0, 0, 0, 77];
    let all = join(&[&options(43), &routing(60), &options(44), &atomic_fragment(60), &options(UDP), &datagram]);
    let (class, seen) = one_ip(&ipv6(0, &all));
    assert_eq!((class, &seen[0].what, seen[0].ip_id), (Class::Isakmp, &the_request(), Some(77)));
    assert_eq!(seen[0].fragments, 1);
}

#[test]
fn octets_behind_the_ip_length_do_not_count() {
    // A keepalive is padded to the least length of an Ethernet frame.
    let padded = join(&[&ipv4(UDP, &udp(4500, 4500, &[0xff])), &[0; 17]]);
    let (class, seen) = one_ip(&padded);
    assert_eq!((class, &seen[0].what), (Class::Keepalive, &What::Keepalive(4500, 4500)));
    let esp = join(&[&ipv4(ESP, &[1; 20]), &[0; 6]]);
    assert!(matches!(one_ip(&esp).1[0].what, What::Esp(EspPacket { length: 20, .. })));
}

#[test]
fn a_total_length_of_zero_means_all_that_is_there() {
    let mut packet = request();
    packet[2..4].copy_from_slice(&[0, 0]);
    assert_eq!(one_ip(&packet).1[0].what, the_request());
    let mut packet = ipv6(UDP, &udp(500, 500, &ike(60)));
    packet[4..6].copy_from_slice(&[0, 0]);
    assert_eq!(one_ip(&packet).1[0].what, the_request());
}

#[test]
fn what_the_snap_length_cut_off_is_counted_as_missing() {
    let frame = ethernet(&request());
    for cut in 0..=60 {
        let mut bench = Bench::new();
        let class = bench.frame(LinkType::ETHERNET, 0, &frame[..frame.len() - cut], frame.len());
        assert_eq!(class, if cut <= 32 { Class::Isakmp } else { Class::Malformed });
        assert_eq!(bench.seen[0].missing, cut as u32);
        assert_eq!(bench.messages(), [&ike(60)[..60 - cut]]);
    }
}

#[test]
fn a_length_beyond_an_uncut_frame_is_not_believed() {
    let mut packet = request();
    packet[2..4].copy_from_slice(&be(1000));
    packet[24..26].copy_from_slice(&be(980));
    let (class, seen) = one_ip(&packet);
    assert_eq!((class, &seen[0].what, seen[0].missing), (Class::Isakmp, &the_request(), 0));
}

#[test]
fn the_length_of_esp_is_what_was_on_the_wire() {
    let frame = ethernet(&ipv4(ESP, &join(&[&[0, 0, 1, 2, 0, 0, 0, 9], &[7; 1000]])));
    let mut bench = Bench::new();
    assert_eq!(bench.frame(LinkType::ETHERNET, 0, &frame[..96], frame.len()), Class::Esp);
    let expected = EspPacket {
        spi: EspSpi(0x102),
        sequence: 9,
        length: 1008,
        encapsulation: Encapsulation::None,
        ports: (0, 0),
        readable: false,
    };
    assert_eq!(bench.seen[0].what, What::Esp(expected));
    assert_eq!(bench.seen[0].missing, u32::try_from(frame.len() - 96).expect("small"));
}
