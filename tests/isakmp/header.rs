//! The fixed header, and what its length claims.

use super::*;

#[test]
fn every_field_stands_where_the_diagram_says() {
    let message = wire::Message { message_id: 0x0a0b_0c0d, flags: 0x28, ..sa_init().response() };
    let octets = message.octets();
    let header = decode(&octets).header;
    assert_eq!(header.initiator_spi, IkeSpi(0x1122_3344_5566_7788));
    assert_eq!(header.responder_spi, IkeSpi(0x99aa_bbcc_ddee_ff00));
    assert_eq!((header.version.major, header.version.minor), (2, 0));
    assert_eq!((header.next_payload, header.exchange_type), (33, 34));
    assert!(header.has(Header::RESPONSE | Header::INITIATOR), "impossible together, and kept all the same");
    assert_eq!(header.message_id, MessageId(0x0a0b_0c0d));
    assert_eq!(header.length as usize, octets.len());
}

#[test]
fn fewer_than_28_octets_are_no_message() {
    let octets = sa_init().octets();
    for length in 0..28u32 {
        let fault = Message::decode(&octets[..length as usize], 0).unwrap_err();
        assert_eq!(fault.kind, FaultKind::Truncated { need: 28, have: length });
        let fault = Message::decode(&octets[..length as usize], 9).unwrap_err();
        assert_eq!(fault.kind, FaultKind::NotCaptured { missing: 9 });
    }
}

fn with_length(claims: u32) -> Vec<u8> {
    let mut octets = main_mode_1().octets();
    octets[24..28].copy_from_slice(&claims.to_be_bytes());
    octets
}

#[test]
fn a_length_below_the_header_is_a_fault_and_leaves_no_payloads() {
    for claims in [0, 1, 27] {
        let octets = with_length(claims);
        let message = decode(&octets);
        let kind = FaultKind::TooShort { claims, least: 28 };
        assert_eq!(message.fault(), Some(Fault { field: "length", at: 24, kind }));
        assert_eq!(message.payloads().count(), 0);
    }
}

#[test]
fn a_length_beyond_the_datagram_is_a_fault_and_what_is_there_is_read() {
    let room = main_mode_1().octets().len() as u32;
    for claims in [room + 1, u32::MAX] {
        let octets = with_length(claims);
        let message = decode(&octets);
        assert_eq!(message.fault().unwrap().kind, FaultKind::Overrun { claims, room });
        assert_eq!(message.payloads().count(), 3);
    }
}

#[test]
fn octets_behind_the_message_are_told_last() {
    let mut octets = main_mode_1().octets();
    let at = octets.len() as u32;
    octets.extend([0; 5]);
    let message = decode(&octets);
    assert_eq!(message.octets().len(), at as usize);
    assert_eq!(message.fault(), Some(Fault { field: "message", at, kind: FaultKind::Trailing { octets: 5 } }));
    octets[30..32].copy_from_slice(&[0, 3]);
    assert_eq!(decode(&octets).fault().unwrap().field, "payload length", "it stands in front");
}

#[test]
fn what_was_not_captured_is_no_lie() {
    let octets = sa_init().octets();
    let message = Message::decode(&octets[..200], octets.len() as u32 - 200).unwrap();
    let kind = FaultKind::NotCaptured { missing: octets.len() as u32 - 200 };
    assert_eq!(message.fault().map(|fault| (fault.at, fault.kind)), Some((200, kind)));
    let full: Vec<_> = decode(&octets).payloads().map(|payload| payload.payload_type).collect();
    let seen: Vec<_> = message.payloads().map(|payload| payload.payload_type).collect();
    assert_eq!(seen, full[..seen.len()]);
}

#[test]
fn a_version_that_nobody_speaks_is_read_no_further() {
    for version in [0x00, 0x30, 0xf1] {
        let octets = wire::Message { version, ..sa_init() }.octets();
        let message = decode(&octets);
        let kind = FaultKind::Unexpected { value: version.into() };
        assert_eq!(message.fault(), Some(Fault { field: "version", at: 17, kind }));
        assert_eq!(message.payloads().count(), 0);
        assert_eq!(message.header.exchange_type, 34);
    }
}
