//! UDP, ESP and AH: lengths, ports, markers.

use ikescope::base::{EspSpi, Limits};
use ikescope::packet::{AhPacket, Class, Encapsulation, EspPacket};

use crate::bench::*;
use crate::craft::*;

#[test]
fn payloads_of_every_length_on_port_500() {
    for len in 0..=30 {
        let (class, seen) = one_ip(&ipv4(UDP, &udp(500, 500, &ike(60)[..len])));
        assert_eq!(class, if len < 28 { Class::Malformed } else { Class::Isakmp }, "{len} octets");
        assert!(matches!(&seen[0].what, What::Isakmp { octets, .. } if octets.len() == len), "{len} octets");
    }
    assert_eq!(one_ip(&ipv4(UDP, &udp(500, 500, &[0xff]))).0, Class::Keepalive);
}

/// vpnc puts its keepalives behind the marker (RFC 3948 §2.3 has none there).
#[test]
fn a_keepalive_behind_a_marker_is_one() {
    let behind_marker = |port| one_ip(&ipv4(UDP, &udp(port, port, &[0, 0, 0, 0, 0xff])));
    let (class, seen) = behind_marker(4500);
    assert_eq!((class, &seen[0].what), (Class::Keepalive, &What::Keepalive(4500, 4500)));
    assert_eq!(behind_marker(500).0, Class::Malformed);
}

#[test]
fn payloads_of_every_length_on_port_4500() {
    for len in 0..=34 {
        // Behind a marker.
        let marked = join(&[&[0; 4], &ike(60)]);
        let (class, seen) = one_ip(&ipv4(UDP, &udp(4500, 4500, &marked[..len])));
        assert_eq!(class, if len < 32 { Class::Malformed } else { Class::Isakmp }, "{len} octets");
        let messages = usize::from(len >= 4);
        assert_eq!(seen.len(), messages, "{len} octets");
        if messages == 1 {
            let expected = What::Isakmp {
                ports: (4500, 4500),
                encapsulation: Encapsulation::Udp,
                non_esp_marker: true,
                octets: ike(60)[..len - 4].to_vec(),
            };
            assert_eq!(seen[0].what, expected);
        }
        // ESP.
        let (class, seen) = one_ip(&ipv4(UDP, &udp(4500, 61_000, &vec![0xc3; len])));
        assert_eq!(class, if len < 8 { Class::Malformed } else { Class::EspUdp }, "{len} octets");
        assert_eq!(seen.len(), usize::from(len >= 8));
        if let Some(seen) = seen.first() {
            let esp = EspPacket {
                spi: EspSpi(0xc3c3_c3c3),
                sequence: 0xc3c3_c3c3,
                length: len as u32,
                encapsulation: Encapsulation::Udp,
                ports: (4500, 61_000),
                readable: false,
            };
            assert_eq!(seen.what, What::Esp(esp));
        }
    }
}

#[test]
fn a_udp_header_that_is_not_whole_is_malformed() {
    let datagram = udp(500, 500, &[]);
    for len in 4..8 {
        assert_eq!(one_ip(&ipv4(UDP, &datagram[..len])), (Class::Malformed, vec![]), "{len} octets");
    }
    for len in 0..4 {
        assert_eq!(one_ip(&ipv4(UDP, &datagram[..len])), (Class::Other, vec![]), "{len} octets");
    }
}

#[test]
fn the_udp_length_may_shorten_and_never_extend() {
    for (claimed, expected) in [(0, 60), (7, 60), (8, 0), (38, 30), (68, 60), (69, 60), (65_535, 60)] {
        let mut packet = request();
        packet[24..26].copy_from_slice(&be(claimed));
        let mut bench = Bench::new();
        bench.ip(&packet);
        assert_eq!(bench.messages(), [&ike(60)[..expected]], "length {claimed}");
        assert_eq!(bench.seen[0].missing, 0);
    }
}

#[test]
fn markers_are_recognised_by_what_follows_them() {
    let marked = join(&[&[0; 4], &ike(60)]);
    let mut zeros_in_spi = ike(60);
    zeros_in_spi[..4].fill(0);
    // Ports, payload, whether it is ISAKMP and with a marker; `None` for ESP.
    let cases = [
        ((500, 500), ike(60), Some(false)),
        ((500, 500), marked.clone(), Some(true)),
        ((500, 500), zeros_in_spi.clone(), Some(false)),
        ((4500, 4500), ike(60), Some(false)),
        ((4500, 4500), marked.clone(), Some(true)),
        ((4500, 4500), zeros_in_spi, Some(false)),
        ((500, 4500), ike(60), Some(false)),
        ((4500, 500), marked, Some(true)),
        ((61_000, 4500), join(&[&ike(60), &[0]]), None),
    ];
    for (ports, payload, expected) in cases {
        let (_, seen) = one_ip(&ipv4(UDP, &udp(ports.0, ports.1, &payload)));
        let found = match seen[0].what {
            What::Isakmp { non_esp_marker, .. } => Some(non_esp_marker),
            _ => None,
        };
        assert_eq!(found, expected, "{ports:?}");
    }
}

#[test]
fn other_ports_are_looked_at_only_if_asked_for() {
    let marked = join(&[&[0; 4], &ike(60)]);
    for payload in [ike(60), marked] {
        let packet = ipv4(UDP, &udp(61_000, 7000, &payload));
        assert_eq!(one_ip(&packet), (Class::Other, vec![]));
        let mut bench = Bench::with(&[7000], &Limits::default());
        assert_eq!(bench.ip(&packet), Class::Isakmp);
        assert_eq!(bench.messages(), [ike(60)]);
    }
}

#[test]
fn native_esp_and_ah_need_their_fixed_part() {
    for len in 0..=16 {
        let octets: Vec<u8> = (0..len).collect();
        let (class, seen) = one_ip(&ipv4(ESP, &octets));
        assert_eq!(class, if len < 8 { Class::Malformed } else { Class::Esp }, "ESP of {len} octets");
        assert_eq!(seen.len(), usize::from(len >= 8));
        let (class, seen) = one_ip(&ipv6(AH, &octets));
        assert_eq!(class, if len < 12 { Class::Malformed } else { Class::Ah }, "AH of {len} octets");
        if let Some(seen) = seen.first() {
            let ah =
                AhPacket { spi: EspSpi(0x0405_0607), sequence: 0x0809_0a0b, length: u32::from(len), next_header: 0 };
            assert_eq!(seen.what, What::Ah(ah));
        }
    }
}

#[test]
fn what_ah_wraps_counts_as_ah() {
    let ah = join(&[&[ESP, 4, 0, 0, 0, 0, 0, 5, 0, 0, 0, 6], &[0; 12], &[9; 40]]);
    let (class, seen) = one_ip(&ipv4(AH, &ah));
    assert_eq!(class, Class::Ah);
    let expected = AhPacket { spi: EspSpi(5), sequence: 6, length: 64, next_header: ESP };
    assert_eq!(seen.iter().map(|seen| &seen.what).collect::<Vec<_>>(), [&What::Ah(expected)]);
}
