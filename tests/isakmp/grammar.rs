//! What a clear message lacks or carries twice.

use super::*;

fn found(message: wire::Message) -> Vec<Violation> {
    violations(&decode(&message.octets())).collect()
}

fn missing(payload_types: &[u8]) -> Vec<Violation> {
    payload_types.iter().map(|&payload_type| Violation::Missing { payload_type }).collect()
}

fn of(payload_types: &[u8]) -> Vec<wire::Payload> {
    payload_types.iter().map(|&payload_type| payload(payload_type, [1; 24])).collect()
}

#[test]
fn sound_messages_have_none() {
    let sound = [
        wire::Message::v1(2, of(&[1, 13, 13])),
        wire::Message::v1(2, of(&[1, 13])).response(),
        wire::Message::v1(2, of(&[4, 10, 20, 20])).response(),
        wire::Message::v1(4, of(&[1, 4, 10, 5, 13])),
        wire::Message::v1(4, of(&[1, 4, 10, 5, 8, 13])).response(),
        wire::Message::v1(4, of(&[1, 4, 10, 5, 6, 9])).response(),
        wire::Message::v1(4, of(&[8, 20, 20])).response(),
        wire::Message::v2(34, of(&[33, 34, 40, 41, 41, 43])),
        wire::Message::v2(34, of(&[33, 34, 40, 41, 38])).response(),
        wire::Message::v2(38, of(&[40, 41])),
        wire::Message::v2(35, of(&[46])),
        wire::Message::v2(35, of(&[53])).response(),
    ];
    for message in sound {
        assert_eq!(found(message.clone()), [], "{:?}", message.octets());
    }
}

#[test]
fn a_refusal_may_be_notifications_only() {
    // COOKIE, INVALID_KE_PAYLOAD, NO_PROPOSAL_CHOSEN; INVALID_IKE_SPI outside of any SA.
    assert_eq!(found(wire::Message::v2(34, of(&[41])).response()), []);
    assert_eq!(found(wire::Message::v2(34, of(&[41, 41, 43])).response()), []);
    assert_eq!(found(wire::Message::v2(37, of(&[41])).response()), []);
    assert_eq!(found(wire::Message::v1(2, of(&[11])).response()), []);
    assert_eq!(found(wire::Message::v2(34, of(&[41]))), missing(&[33, 34, 40]), "a request refuses nothing");
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(found(wire::Message::v1(2, of(&[13]))), missing(&[1]));
    assert_eq!(found(wire::Message::v1(2, of(&[4])).response()), missing(&[10]));
    assert_eq!(found(wire::Message::v1(4, of(&[1, 13]))), missing(&[4, 10, 5]));
    assert_eq!(found(wire::Message::v1(4, of(&[1, 4, 10, 5])).response()), missing(&[8]));
    assert_eq!(found(wire::Message::v2(34, of(&[33, 40]))), missing(&[34]));
    assert_eq!(found(wire::Message::v2(34, vec![])), missing(&[33, 34, 40]));
    assert_eq!(found(wire::Message::v2(35, of(&[35, 39]))), missing(&[46]), "IKE_AUTH is never in clear");
}

#[test]
fn what_is_there_twice_is_named() {
    let twice = |payload_type| vec![Violation::Duplicate { payload_type }];
    assert_eq!(found(wire::Message::v1(2, of(&[1, 1]))), twice(1));
    assert_eq!(found(wire::Message::v1(2, of(&[4, 4, 10])).response()), twice(4));
    assert_eq!(found(wire::Message::v2(34, of(&[33, 34, 34, 40]))), twice(34));
    assert_eq!(found(wire::Message::v2(34, of(&[33, 33, 34, 40])).response()), twice(33));
}

#[test]
fn nothing_is_asked_of_ciphertexts_fragments_and_broken_chains() {
    assert_eq!(found(wire::Message { flags: 1, ..wire::Message::v1(2, of(&[5, 8])).response() }), []);
    assert_eq!(found(wire::Message::v1(2, of(&[132])).response()), []);
    let octets = sa_init().octets();
    assert_eq!(violations(&decode(&octets[..octets.len() - 1])).count(), 0);
    assert_eq!(violations(&Message::decode(&octets[..80], 400).unwrap()).count(), 0);
}
