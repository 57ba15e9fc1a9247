//! ICMP errors and what they quote.

use ikescope::base::EspSpi;
use ikescope::packet::Class;

use crate::bench::*;
use crate::craft::*;

#[test]
fn errors_quote_as_much_as_they_quote() {
    let quoted = request();
    for len in 0..=quoted.len() {
        let (class, seen) = one_ip(&icmp(3, 3, [0; 4], &quoted[..len]));
        // The ports are what tells that a quoted datagram is ours.
        if len < 24 {
            assert_eq!((class, seen), (Class::Other, vec![]), "{len} octets");
            continue;
        }
        assert_eq!((class, seen.len()), (Class::IcmpError, 1), "{len} octets");
        let expected = What::Error {
            version: 4,
            icmp_type: 3,
            code: 3,
            mtu: None,
            from: "192.0.2.1".parse().expect("an address"),
            ip_id: Some(0x1234),
            quoted: Quote::Udp {
                ports: (500, 500),
                length: if len < 26 { 0 } else { 68 },
                isakmp: ike(60)[..len.saturating_sub(28)].to_vec(),
                esp: None,
            },
        };
        assert_eq!(seen[0].what, expected, "{len} octets");
    }
}

#[test]
fn errors_carry_the_mtu_where_they_have_one() {
    let mtu = |packet: &[u8]| match one_ip(packet).1.remove(0).what {
        What::Error { icmp_type, mtu, .. } => (icmp_type, mtu),
        other => panic!("not an error: {other:?}"),
    };
    assert_eq!(mtu(&icmp(3, 4, [0, 0, 5, 0x78], &request())), (3, Some(1400)));
    assert_eq!(mtu(&icmp(3, 4, [0; 4], &request())), (3, None));
    assert_eq!(mtu(&icmp(3, 1, [0, 0, 5, 0x78], &request())), (3, None));
    assert_eq!(mtu(&icmp(11, 0, [0; 4], &request())), (11, None));
    let quoted = ipv6(UDP, &udp(500, 500, &ike(60)));
    assert_eq!(mtu(&ipv6(58, &join(&[&[2, 0, 0, 0, 0, 0, 5, 0], &quoted]))), (2, Some(1280)));
    assert_eq!(mtu(&ipv6(58, &join(&[&[1, 4, 0, 0, 0, 0, 0, 0], &quoted]))), (1, None));
}

#[test]
fn errors_name_what_they_quote() {
    let marked = join(&[&[0; 4], &ike(60)]);
    let cases = [
        (
            ipv4(UDP, &udp(4500, 4500, &marked)),
            Quote::Udp { ports: (4500, 4500), length: 72, isakmp: ike(60), esp: None },
        ),
        (
            ipv4(UDP, &udp(4500, 61_000, &[9; 40])),
            Quote::Udp { ports: (4500, 61_000), length: 48, isakmp: vec![], esp: Some(EspSpi(0x0909_0909)) },
        ),
        (ipv4(ESP, &[9; 40]), Quote::Esp(Some(EspSpi(0x0909_0909)))),
        (ipv4(ESP, &[9; 3]), Quote::Esp(None)),
        (ipv4(AH, &[ESP, 4, 0, 0, 0, 0, 1, 2]), Quote::Ah(Some(EspSpi(0x102)))),
        (ipv4_fragment(UDP, 1480, false, &[9; 40]), Quote::Fragment(UDP)),
        (ipv4_fragment(ESP, 1480, true, &[9; 40]), Quote::Fragment(ESP)),
    ];
    for (packet, expected) in cases {
        let (class, seen) = one_ip(&icmp(3, 13, [0; 4], &packet));
        assert_eq!(class, Class::IcmpError);
        assert!(matches!(&seen[0].what, What::Error { quoted, .. } if *quoted == expected), "{expected:?}");
    }
    let extension = join(&[&[60, 0, 1, 4, 0, 0, 0, 0], &[UDP, 0, 1, 4, 0, 0, 0, 0], &udp(500, 500, &ike(60))]);
    let (class, seen) = one_ip(&ipv6(58, &join(&[&[3, 0, 0, 0, 0, 0, 0, 0], &ipv6(0, &extension)])));
    assert_eq!(class, Class::IcmpError);
    assert!(matches!(&seen[0].what, What::Error { version: 6, quoted: Quote::Udp { length: 68, .. }, .. }));
}

#[test]
fn a_quotation_ends_where_its_length_says() {
    // Eight words of the packet, padded, and an extension structure behind them (RFC 4884 §4.1).
    let mut error = icmp(11, 0, [0, 8, 0, 0], &join(&[&request()[..32], &[0x20, 0, 0, 0, 0, 4, 1, 1]]));
    assert!(matches!(
        &one_ip(&error).1[0].what,
        What::Error { quoted: Quote::Udp { isakmp, .. }, .. } if isakmp.len() == 4
    ));
    error[25] = 0;
    assert!(matches!(
        &one_ip(&error).1[0].what,
        What::Error { quoted: Quote::Udp { isakmp, .. }, .. } if isakmp.len() == 12
    ));
}

#[test]
fn messages_about_others_are_not_ours() {
    for packet in [
        icmp(3, 3, [0; 4], &ipv4(UDP, &udp(53, 53, &[0; 40]))),
        icmp(3, 3, [0; 4], &ipv4(6, &[0; 40])),
        icmp(8, 0, [0; 4], &request()),
        icmp(3, 3, [0; 4], &ipv6(UDP, &udp(500, 500, &ike(60)))),
        ipv6(58, &join(&[&[128, 0, 0, 0, 0, 0, 0, 0], &ipv6(UDP, &udp(500, 500, &ike(60)))])),
    ] {
        assert_eq!(one_ip(&packet), (Class::Other, vec![]));
    }
}
