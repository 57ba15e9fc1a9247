//! Ciphertexts and fragments.

use super::*;

#[test]
fn an_encrypted_ikev1_message_has_no_payloads() {
    let octets =
        wire::Message { flags: Header::ENCRYPTION, ..wire::Message::v1(32, vec![payload(8, [7; 40])]) }.octets();
    let message = decode(&octets);
    assert!(message.is_encrypted());
    assert_eq!(message.payloads().count(), 0);
    assert_eq!(message.fault(), None);
}

#[test]
fn fragments_tell_their_numbers_though_what_they_hold_was_not_captured() {
    let v1 = one_v1(132, [&[0, 7, 3, 1][..], &[0xaa; 40]].concat()).octets();
    let v2 = one_v2(53, [&[0, 2, 0, 4][..], &[0xaa; 40]].concat()).octets();
    for (octets, end) in [&v1, &v2].into_iter().flat_map(|octets| (32..octets.len()).map(move |end| (octets, end))) {
        let missing = octets.len() as u32 - end as u32;
        let message = Message::decode(&octets[..end], missing).unwrap();
        let read = match message.payloads().next().unwrap().body {
            Body::Fragment(fragment) => Some((fragment.fragment_id, fragment.number, fragment.data.len())),
            Body::EncryptedFragment(fragment) => Some((fragment.total, fragment.number as u8, fragment.data.len())),
            _ => None,
        };
        let (first, second) = if octets == &v1 { (7, 3) } else { (4, 2) };
        assert_eq!(read, (end >= 36).then(|| (first, second, end - 36)), "{end} octets");
        assert_eq!(message.fault().unwrap().kind, FaultKind::NotCaptured { missing });
    }
    // a length that cannot be true is another matter
    let mut lying = v1.clone();
    lying[30..32].copy_from_slice(&[0, 0xff]);
    assert!(matches!(decode(&lying).payloads().next().map(|payload| payload.body), None | Some(Body::Malformed(_))));
}

#[test]
fn a_fragment_is_in_clear_whatever_its_e_bit_says() {
    for flags in [0, Header::ENCRYPTION] {
        let fragment = one_v1(132, [0, 7, 3, 1, 0xaa, 0xbb]);
        body!(wire::Message { flags, ..fragment }, Body::Fragment(fragment) => {
            assert_eq!((fragment.fragment_id, fragment.number, fragment.flags), (7, 3, 1));
            assert_eq!(fragment.data, [0xaa, 0xbb]);
        });
    }
    // A ciphertext that only happens to be announced as one.
    let mut octets = wire::Message { flags: 1, ..one_v1(132, [7; 24]) }.octets();
    octets[30] = 0xff;
    assert!(decode(&octets).is_encrypted());
}

#[test]
fn sk_ends_the_chain_and_names_the_first_payload_inside() {
    for (payload_type, body) in [(46, vec![1; 48]), (53, vec![0, 1, 0, 2, 9, 9, 9, 9])] {
        let mut octets = one_v2(payload_type, body).octets();
        octets[28] = 35;
        let message = decode(&octets);
        assert!(message.is_encrypted());
        assert_eq!(message.fault(), None);
        let payloads: Vec<_> = message.payloads().collect();
        assert_eq!((payloads.len(), payloads[0].next_payload), (1, 35));
    }
    assert!(!decode(&sa_init().octets()).is_encrypted());
}

#[test]
fn nothing_may_follow_sk() {
    let octets = wire::Message::v2(35, vec![payload(46, [1; 16]), payload(41, [0; 4])]).octets();
    let fault = decode(&octets).fault().unwrap();
    assert_eq!((fault.at, fault.kind), (48, FaultKind::Trailing { octets: 8 }));
}

#[test]
fn skf_tells_its_number_and_how_many_there_are() {
    body!(one_v2(53, [0, 2, 1, 0, 9]), Body::EncryptedFragment(fragment) => {
        assert_eq!((fragment.number, fragment.total, fragment.data), (2, 256, &[9][..]));
    });
    for numbers in [[0, 0, 0, 3], [0, 4, 0, 3]] {
        let octets = one_v2(53, numbers).octets();
        assert_eq!(decode(&octets).fault().unwrap().field, "fragment number");
    }
}
