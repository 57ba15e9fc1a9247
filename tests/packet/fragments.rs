//! IP fragments: order, overlap, loss, bounds.

use ikescope::base::{EspSpi, Limits, LinkType, Timestamp};
use ikescope::packet::{Class, GaveUp, IncompleteDatagram};

use crate::bench::*;
use crate::craft::*;

#[test]
fn fragments_make_one_message_in_any_order() {
    let parts = fragments(UDP, &udp(500, 500, &ike(300)), 104);
    assert_eq!(parts.len(), 3);
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let mut bench = Bench::new();
        assert_eq!(bench.ip(&parts[order[0]]), Class::Fragment);
        assert_eq!(bench.ip(&parts[order[1]]), Class::Fragment);
        assert_eq!(bench.seen, []);
        assert_eq!(bench.ip(&parts[order[2]]), Class::Isakmp);
        assert_eq!(bench.messages(), [ike(300)]);
        let seen = bench.taken().remove(0);
        assert_eq!((seen.frame, seen.first_frame, seen.fragments), (3, 1, 3));
        assert_eq!((seen.ambiguous_overlap, seen.missing, seen.ip_id), (false, 0, Some(0x1234)));
        bench.finish();
        assert_eq!(bench.seen, []);
    }
}

#[test]
fn ipv6_fragments_make_one_message() {
    let datagram = udp(500, 500, &ike(300));
    // Destination options belong to what is fragmented (RFC 8200 §4.5).
    let whole = join(&[&[UDP, 0, 1, 4, 0, 0, 0, 0], &datagram]);
    for (next_header, whole) in [(UDP, &datagram), (60, &whole)] {
        let mut bench = Bench::new();
        for (at, part) in whole.chunks(160).enumerate() {
            let field = be((at * 160) | usize::from(at == 0));
            let header = join(&[&[next_header, 0], &field, &[0, 0, 0, 99], part]);
            let class = bench.ip(&ipv6(44, &header));
            assert_eq!(class, if at == 0 { Class::Fragment } else { Class::Isakmp });
        }
        assert_eq!(bench.messages(), [ike(300)]);
        assert_eq!((bench.seen[0].ip_id, bench.seen[0].fragments), (Some(99), 2));
    }
}

#[test]
fn overlaps_are_ambiguous_only_if_they_differ() {
    let datagram = udp(500, 500, &ike(300));
    let first = ipv4_fragment(UDP, 0, true, &datagram[..160]);
    let middle = ipv4_fragment(UDP, 80, true, &datagram[80..240]);
    let mut forged = datagram[80..240].to_vec();
    forged[0] ^= 1;
    let forged = ipv4_fragment(UDP, 80, true, &forged);
    let last = ipv4_fragment(UDP, 200, false, &datagram[200..]);
    for (middle, ambiguous) in [(middle, false), (forged, true)] {
        let mut bench = Bench::new();
        bench.ip(&first);
        bench.ip(&middle);
        assert_eq!(bench.ip(&last), Class::Isakmp);
        // First writer wins.
        assert_eq!(bench.messages(), [ike(300)]);
        assert_eq!(bench.seen[0].ambiguous_overlap, ambiguous);
    }
}

#[test]
fn a_frame_recorded_twice_is_neither_ambiguous_nor_incomplete() {
    let parts = fragments(UDP, &udp(500, 500, &ike(300)), 160);
    for order in [[0, 0, 1, 1], [0, 1, 1, 0]] {
        let mut bench = Bench::new();
        for at in order {
            bench.ip(&parts[at]);
        }
        bench.finish();
        assert!(!bench.messages().is_empty());
        for seen in &bench.seen {
            assert!(matches!(seen.what, What::Isakmp { .. }));
            assert_eq!((seen.fragments, seen.ambiguous_overlap), (2, false));
        }
    }
}

#[test]
fn what_never_becomes_whole_is_reported_when_its_time_is_over() {
    let parts = fragments(UDP, &udp(500, 500, &ike(300)), 104);
    let mut bench = Bench::new();
    bench.ip_at(100, &parts[0]);
    bench.ip_at(101, &parts[2]);
    assert_eq!(bench.ip_at(160, &request()), Class::Isakmp);
    assert_eq!(bench.taken().len(), 1);
    assert_eq!(bench.ip_at(161, &request()), Class::Isakmp);
    let seen = bench.taken();
    assert_eq!(seen.len(), 2);
    assert_eq!((seen[0].first_frame, seen[0].frame), (1, 2));
    let expected = IncompleteDatagram {
        protocol: UDP,
        ip_id: 0x1234,
        ports: Some((500, 500)),
        fragments: 2,
        have: 204,
        total: Some(308),
        missing_from: 104,
        first_seen: true,
        reason: GaveUp::TimedOut,
        since: Timestamp::from_parts(100, 0),
    };
    assert_eq!(seen[0].what, What::Incomplete(expected));
    assert_eq!(seen[1].what, the_request());
}

#[test]
fn time_passes_without_frames() {
    let parts = fragments(UDP, &udp(500, 500, &ike(300)), 104);
    let mut bench = Bench::new();
    bench.ip_at(100, &parts[0]);
    let mut given_up = 0;
    bench.classifier.advance(Timestamp::from_parts(160, 0), &mut |_| given_up += 1);
    assert_eq!(given_up, 0);
    bench.classifier.advance(Timestamp::from_parts(161, 0), &mut |_| given_up += 1);
    assert_eq!(given_up, 1);
}

#[test]
fn a_later_fragment_alone_is_reported_without_ports() {
    let mut bench = Bench::new();
    assert_eq!(bench.ip(&fragments(UDP, &udp(500, 500, &ike(300)), 160)[1]), Class::Fragment);
    bench.finish();
    let What::Incomplete(incomplete) = bench.seen[0].what else { panic!("not incomplete") };
    assert_eq!((incomplete.ports, incomplete.first_seen, incomplete.missing_from), (None, false, 0));
    assert_eq!((incomplete.have, incomplete.total, incomplete.reason), (148, Some(308), GaveUp::CaptureEnded));
}

#[test]
fn fragments_of_others_are_not_kept() {
    let parts = fragments(UDP, &udp(53, 53, &ike(300)), 104);
    let mut bench = Bench::new();
    for part in &parts {
        assert_eq!(bench.ip(part), Class::Other);
    }
    // A later fragment may come first; the first one tells whose it is.
    let mut bench = Bench::new();
    assert_eq!(bench.ip(&parts[2]), Class::Fragment);
    assert_eq!(bench.ip(&parts[0]), Class::Other);
    assert_eq!(bench.ip(&parts[1]), Class::Other);
    // The same identification may come round with a datagram of ours.
    for part in fragments(UDP, &udp(500, 500, &ike(300)), 104) {
        bench.ip(&part);
    }
    assert_eq!(bench.messages(), [ike(300)]);
    bench.finish();
    assert_eq!(bench.seen.len(), 1);
    assert_eq!(one_ip(&ipv4_fragment(6, 0, true, &[0; 40])), (Class::Other, vec![]));
}

#[test]
fn a_forged_first_fragment_does_not_hide_a_message() {
    let parts = fragments(UDP, &udp(500, 500, &ike(300)), 160);
    let forged = &fragments(UDP, &udp(53, 53, &ike(300)), 160)[0];
    let mut bench = Bench::new();
    bench.ip(&parts[0]);
    bench.ip(forged);
    assert_eq!(bench.ip(&parts[1]), Class::Isakmp);
    assert_eq!(bench.messages(), [ike(300)]);
    assert!(bench.seen[0].ambiguous_overlap);
}

#[test]
fn native_esp_in_fragments_is_one_packet() {
    let packet = join(&[&[0, 0, 1, 2, 0, 0, 0, 9], &[7; 3000]]);
    let mut bench = Bench::new();
    let classes: Vec<Class> = fragments(ESP, &packet, 1480).iter().rev().map(|part| bench.ip(part)).collect();
    assert_eq!(classes, [Class::Fragment, Class::Fragment, Class::Esp]);
    let What::Esp(esp) = bench.seen[0].what else { panic!("not ESP") };
    assert_eq!((esp.spi, esp.sequence, esp.length), (EspSpi(0x102), 9, 3008));
    assert_eq!((bench.seen[0].fragments, bench.seen[0].missing), (3, 0));
}

#[test]
fn fragments_that_cannot_be_are_malformed() {
    for packet in [ipv4_fragment(UDP, 80, true, &[]), ipv4_fragment(UDP, 65_528, false, &[1; 40])] {
        let mut bench = Bench::new();
        assert_eq!(bench.ip(&packet), Class::Malformed);
        bench.finish();
        assert_eq!(bench.seen, []);
    }
}

#[test]
fn fragments_whose_ends_disagree_do_not_mix() {
    let datagram = udp(500, 500, &ike(300));
    let mut bench = Bench::new();
    bench.ip(&ipv4_fragment(UDP, 240, false, &datagram[240..]));
    // The last fragment of another datagram of the same identification.
    bench.ip(&ipv4_fragment(UDP, 160, false, &[5; 16]));
    bench.finish();
    let reasons: Vec<GaveUp> = bench
        .seen
        .iter()
        .map(|seen| match seen.what {
            What::Incomplete(incomplete) => incomplete.reason,
            _ => panic!("not incomplete"),
        })
        .collect();
    assert_eq!(reasons, [GaveUp::Evicted, GaveUp::CaptureEnded]);
}

#[test]
fn the_smallest_and_the_largest_fragments() {
    // The last fragment of one octet, and the longest datagram there can be.
    let datagram = udp(500, 500, &ike(60));
    let mut odd = datagram.clone();
    odd.push(1);
    odd[4..6].copy_from_slice(&be(69));
    let mut bench = Bench::new();
    for part in fragments(UDP, &odd[..65], 8).iter().rev() {
        bench.ip(part);
    }
    assert_eq!(bench.seen.len(), 1);
    assert_eq!(bench.seen[0].fragments, 9);
    let longest = udp(500, 500, &ike(65_507 - 8));
    let mut bench = Bench::new();
    for part in fragments(UDP, &longest, 8).iter().rev() {
        bench.ip(part);
    }
    assert_eq!(bench.messages(), [ike(65_507 - 8)]);
}

#[test]
fn the_oldest_gives_way_when_there_is_no_room() {
    let with_id = |id: u16, packet: &[u8]| {
        let mut packet = packet.to_vec();
        packet[4..6].copy_from_slice(&id.to_be_bytes());
        packet
    };
    let first = fragments(UDP, &udp(500, 500, &ike(1400)), 1000).remove(0);
    let by_number = Limits { reassemblies: 3, ..Limits::default() };
    let by_octets = Limits { reassembly_octets: 3 * 1100, ..Limits::default() };
    for limits in [by_number, by_octets] {
        let mut bench = Bench::with(&[], &limits);
        for id in 0..100 {
            assert_eq!(bench.ip(&with_id(id, &first)), Class::Fragment);
        }
        assert_eq!(bench.seen.len(), 97);
        for (at, seen) in bench.taken().iter().enumerate() {
            let What::Incomplete(incomplete) = seen.what else { panic!("not incomplete") };
            assert_eq!((incomplete.ip_id, incomplete.reason), (at as u32, GaveUp::Evicted));
        }
        bench.finish();
        assert_eq!(bench.seen.len(), 3);
    }
}

#[test]
fn a_first_fragment_cut_by_the_snap_length_is_handed_on_at_once() {
    let parts = fragments(UDP, &udp(500, 500, &ike(300)), 160);
    let frame = ethernet(&parts[0]);
    let mut bench = Bench::new();
    assert_eq!(bench.frame(LinkType::ETHERNET, 0, &frame[..96], frame.len()), Class::Isakmp);
    let here = 96 - 14 - 20 - 8;
    assert_eq!(bench.messages(), [&ike(300)[..here]]);
    assert_eq!(bench.taken()[0].missing, 300 - here as u32);
    // The rest is awaited all the same: if it came, nothing was lost.
    assert_eq!(bench.ip(&parts[1]), Class::Fragment);
    bench.finish();
    assert_eq!(bench.seen, []);
}
