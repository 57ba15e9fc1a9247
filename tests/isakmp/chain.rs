//! The chain of payloads.

use super::*;

#[test]
fn payloads_come_in_order_with_their_places() {
    let octets = main_mode_1().octets();
    let message = decode(&octets);
    assert_eq!(message.fault(), None);
    let mut at = 28;
    for (payload, (payload_type, next)) in message.payloads().zip([(1, 13), (13, 13), (13, 0)]) {
        assert_eq!((payload.payload_type, payload.next_payload, payload.at), (payload_type, next, at));
        assert_eq!(payload.octets.len() + 4, usize::from(payload.length));
        at += u32::from(payload.length);
    }
    assert_eq!(at as usize, octets.len());
}

#[test]
fn the_critical_bit_is_told_apart_from_reserved_ones() {
    for (version, critical, reserved) in [(0x20, true, 0x05), (0x10, false, 0x85)] {
        let odd = wire::Payload { reserved: 0x85, ..payload(200, [0; 4]) };
        let octets = wire::Message { version, payloads: vec![odd], ..main_mode_1() }.octets();
        let message = decode(&octets);
        let payload = message.payloads().next().unwrap();
        assert_eq!((payload.critical, payload.reserved), (critical, reserved));
        assert_eq!(message.fault(), None, "reserved octets are not judged");
    }
}

#[test]
fn a_payload_length_below_four_ends_the_chain_where_it_stands() {
    for claims in 0..4 {
        let mut octets = main_mode_1().octets();
        let second = 28 + usize::from(u16::from_be_bytes([octets[30], octets[31]]));
        octets[second + 3] = claims;
        let message = decode(&octets);
        assert_eq!(message.payloads().count(), 1);
        let kind = FaultKind::TooShort { claims: claims.into(), least: 4 };
        assert_eq!(message.fault(), Some(Fault { field: "payload length", at: second as u32 + 2, kind }));
    }
}

#[test]
fn a_payload_beyond_the_message_is_the_last_one_and_has_no_body() {
    let mut octets = wire::Message::v2(34, vec![payload(40, [1; 16]), payload(43, [2; 8])]).octets();
    octets[30..32].copy_from_slice(&u16::MAX.to_be_bytes());
    let message = decode(&octets);
    let payloads: Vec<_> = message.payloads().collect();
    assert_eq!(payloads.len(), 1);
    let kind = FaultKind::Overrun { claims: 65535, room: 32 };
    let fault = Fault { field: "payload length", at: 30, kind };
    assert!(matches!(payloads[0].body, Body::Malformed(found) if found == fault));
    assert_eq!(message.fault(), Some(fault));
}

#[test]
fn a_chain_longer_than_the_limit_is_not_followed() {
    let octets = wire::Message::v1(2, vec![payload(13, []); 16_000]).octets();
    let message = decode(&octets);
    assert_eq!(message.payloads().count(), MAX_PAYLOADS as usize);
    assert_eq!(message.fault().unwrap().kind, FaultKind::TooMany { limit: MAX_PAYLOADS });
    let octets = wire::Message::v1(2, vec![payload(13, []); MAX_PAYLOADS as usize]).octets();
    assert_eq!(decode(&octets).fault(), None);
}

#[test]
fn a_chain_that_ends_early_or_late_is_a_fault() {
    let mut octets = main_mode_1().octets();
    let at = 28 + u32::from(u16::from_be_bytes([octets[30], octets[31]]));
    octets[28] = 0;
    let fault = decode(&octets).fault().unwrap();
    assert_eq!((fault.at, fault.kind), (at, FaultKind::Trailing { octets: 44 }));

    let mut octets = wire::Message::v1(2, vec![payload(13, [1; 8])]).octets();
    octets[28] = 13;
    let fault = decode(&octets).fault().unwrap();
    assert_eq!((fault.at, fault.kind), (40, FaultKind::Truncated { need: 4, have: 0 }));
}

#[test]
fn messages_are_padded_to_four_octets_ikev2_only_with_zeros() {
    let cases: [(u8, &[u8], bool); 6] = [
        (0x10, &[0, 0, 0], false),
        (0x10, &[0, 0, 1], false),
        (0x20, &[0, 0, 0], false),
        (0x20, &[0, 0, 1], true),
        (0x20, &[0, 0], true),
        (0x20, &[0; 7], true),
    ];
    for (version, padding, is_fault) in cases {
        let one = wire::Message { version, payloads: vec![payload(200, [1; 5])], ..main_mode_1() };
        let mut octets = [&one.octets()[..], padding].concat();
        octets[27] += padding.len() as u8;
        assert_eq!(decode(&octets).fault().is_some(), is_fault, "{version:#x} {padding:?}");
    }
}

#[test]
fn types_of_the_other_version_are_opaque() {
    for (version, foreign) in [(0x10, 33..=54u8), (0x20, 1..=32)] {
        for payload_type in foreign {
            let octets = wire::Message { version, ..one_v1(payload_type, [0; 12]) }.octets();
            assert!(matches!(only_body(&decode(&octets)), Body::Opaque(_)), "{version:#x} {payload_type}");
        }
    }
    // A proposal or a transform is never a payload.
    for payload_type in [2, 3] {
        let octets = one_v1(payload_type, [0; 12]).octets();
        assert!(matches!(only_body(&decode(&octets)), Body::Opaque(_)));
    }
}

#[test]
fn what_a_notification_quotes_is_not_read_as_a_message() {
    let quoted = main_mode_1().octets();
    let octets = wire::Message::v2(37, vec![notify_v2(5, &quoted)]).octets();
    let message = decode(&octets);
    assert_eq!(message.payloads().count(), 1);
    assert!(matches!(only_body(&message), Body::Notification(notify) if notify.data == quoted));
}
