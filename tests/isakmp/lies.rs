//! SA payloads that contradict themselves: what stood before the lie is kept, and the lie is found where it stands.

use super::*;

/// Octet of the first proposal in an IKEv2 message that begins with an SA.
const PROPOSAL: usize = 32;
/// Octet of its first transform: no SPI.
const TRANSFORM: usize = 40;

fn changed(changes: &[(usize, &[u8])]) -> Vec<u8> {
    let mut octets = sa_init().octets();
    for (at, new) in changes {
        octets[*at..at + new.len()].copy_from_slice(new);
    }
    octets
}

/// Transforms of each proposal that can be read, and the fault.
fn read(octets: &[u8]) -> (Vec<usize>, Fault) {
    let message = decode(octets);
    let sa = message.payloads().next().expect("an SA");
    let Body::SecurityAssociation(association) = sa.body else { panic!("{sa:?}") };
    let counts = association.proposals().map(|proposal| proposal.transforms().count()).collect();
    assert_eq!(sa.fault(), message.fault(), "the lie is inside of the SA");
    (counts, message.fault().expect("a fault"))
}

#[test]
fn the_sample_is_sound() {
    let octets = sa_init().octets();
    assert_eq!(decode(&octets).fault(), None);
    assert_eq!(&octets[PROPOSAL..PROPOSAL + 4], [2, 0, 0, 36]);
    assert_eq!(&octets[TRANSFORM..TRANSFORM + 4], [3, 0, 0, 12]);
}

#[test]
fn a_wrong_last_octet_ends_the_walk_behind_its_part() {
    for value in [1u8, 3, 33, 255] {
        let (counts, fault) = read(&changed(&[(PROPOSAL, &[value])]));
        let kind = FaultKind::Unexpected { value: value.into() };
        assert_eq!(fault, Fault { field: "last substructure", at: PROPOSAL as u32, kind });
        assert_eq!(counts, [3]);
    }
    for value in [1u8, 2, 34] {
        let (counts, fault) = read(&changed(&[(TRANSFORM, &[value])]));
        assert_eq!((fault.field, fault.at), ("last substructure", TRANSFORM as u32));
        assert_eq!(counts, [1, 2], "the other proposal is not touched by it");
    }
}

#[test]
fn last_where_more_follow_leaves_octets_over() {
    let (counts, fault) = read(&changed(&[(PROPOSAL, &[0])]));
    assert_eq!(counts, [3]);
    assert!(matches!(fault.kind, FaultKind::Trailing { .. }), "{fault}");
    let (counts, fault) = read(&changed(&[(TRANSFORM, &[0])]));
    assert_eq!(counts, [1, 2]);
    assert_eq!((fault.at, fault.kind), (TRANSFORM as u32 + 12, FaultKind::Trailing { octets: 16 }));
}

#[test]
fn more_where_none_follow_is_a_fault() {
    let octets = changed(&[(TRANSFORM + 20, &[3])]);
    let (counts, fault) = read(&octets);
    assert_eq!(counts, [3, 2]);
    assert_eq!((fault.field, fault.at), ("transform header", TRANSFORM as u32 + 28));
}

#[test]
fn a_false_number_of_transforms_is_a_fault_and_all_are_read() {
    for value in [0u8, 2, 4, 255] {
        let (counts, fault) = read(&changed(&[(PROPOSAL + 7, &[value])]));
        let kind = FaultKind::Unexpected { value: value.into() };
        assert_eq!(fault, Fault { field: "number of transforms", at: PROPOSAL as u32 + 7, kind });
        assert_eq!(counts, [3, 2]);
    }
}

#[test]
fn an_spi_beyond_its_proposal_is_a_fault() {
    let (counts, fault) = read(&changed(&[(PROPOSAL + 6, &[255])]));
    let kind = FaultKind::Overrun { claims: 255, room: 28 };
    assert_eq!(fault, Fault { field: "SPI size", at: PROPOSAL as u32 + 6, kind });
    assert_eq!(counts, [0; 0]);
}

#[test]
fn lengths_below_the_fixed_part_are_faults() {
    for claims in 0..8u8 {
        let kind = FaultKind::TooShort { claims: claims.into(), least: 8 };
        let (counts, fault) = read(&changed(&[(TRANSFORM + 12 + 2, &[0, claims])]));
        assert_eq!(fault, Fault { field: "transform length", at: TRANSFORM as u32 + 14, kind });
        assert_eq!(counts, [1, 2]);
        let (counts, fault) = read(&changed(&[(PROPOSAL + 2, &[0, claims])]));
        assert_eq!(fault, Fault { field: "proposal length", at: PROPOSAL as u32 + 2, kind });
        assert_eq!(counts, [0; 0]);
    }
}

#[test]
fn lengths_beyond_the_container_are_faults() {
    let (counts, fault) = read(&changed(&[(TRANSFORM + 20 + 2, &[0xff, 0xff])]));
    let kind = FaultKind::Overrun { claims: 65535, room: 8 };
    assert_eq!(fault, Fault { field: "transform length", at: TRANSFORM as u32 + 22, kind });
    assert_eq!(counts, [2, 2]);
    let (counts, fault) = read(&changed(&[(PROPOSAL + 2, &[0xff, 0xff])]));
    assert_eq!((fault.field, fault.at), ("proposal length", PROPOSAL as u32 + 2));
    assert_eq!(counts, [3], "its transforms can still be told");
}

#[test]
fn an_attribute_beyond_its_transform_is_a_fault() {
    // Long form, and longer than the transform.
    let octets = changed(&[(TRANSFORM + 8, &[0, 14, 0, 5])]);
    let (counts, fault) = read(&octets);
    assert_eq!((fault.field, fault.at), ("attribute length", TRANSFORM as u32 + 10));
    assert_eq!(fault.kind, FaultKind::Overrun { claims: 9, room: 4 });
    assert_eq!(counts, [3, 2]);
}

#[test]
fn attribute_values_of_any_length_are_numbers_up_to_eight_octets() {
    for length in 0..=16 {
        let value = vec![1; length];
        let body = proposals(&[proposal(1, 1, &[], &[transform_v1(1, 1, &[long(12, &value)])])]);
        let octets = wire::Message::v1(2, vec![payload(1, join(&[&wire::IPSEC_IDENTITY_ONLY, &body]))]).octets();
        let message = decode(&octets);
        assert_eq!(message.fault(), None);
        let Body::SecurityAssociation(association) = only_body(&message) else { panic!() };
        let transform = association.proposals().next().unwrap().transforms().next().unwrap();
        let number = transform.attributes().next().unwrap().value.number();
        let expected = (1..=8).contains(&length).then(|| (0..length).fold(0, |sum: u64, _| sum << 8 | 1));
        assert_eq!(number, expected);
    }
}

#[test]
fn an_sa_without_proposals_is_a_fault() {
    let octets = wire::Message::v2(34, vec![payload(33, [])]).octets();
    let (counts, fault) = read(&octets);
    assert_eq!((counts.len(), fault.at, fault.kind), (0, 32, FaultKind::Truncated { need: 4, have: 0 }));
}

#[test]
fn an_sa_that_was_not_captured_whole_shows_its_whole_transforms() {
    let octets = sa_init().octets();
    for end in TRANSFORM..68 {
        let missing = octets.len() as u32 - end as u32;
        let message = Message::decode(&octets[..end], missing).unwrap();
        let Body::SecurityAssociation(association) = message.payloads().next().unwrap().body else { panic!() };
        let counts: Vec<_> = association.proposals().map(|proposal| proposal.transforms().count()).collect();
        let whole = [52, 60, 68].iter().filter(|&&whole| whole <= end).count();
        assert_eq!(counts, [whole], "{end} octets");
        assert_eq!(message.fault().unwrap().kind, FaultKind::NotCaptured { missing });
    }
}

#[test]
fn work_grows_with_the_message_and_not_with_its_square() {
    // As many minimal transforms, then as many minimal proposals, as 64 KiB hold.
    let transforms = proposals(&[proposal(1, 1, &[], &vec![transform_v2(1, 12, &[]); 8180])]);
    let octets = wire::Message::v2(34, vec![payload(33, transforms)]).octets();
    assert_eq!(read(&octets).0, [8180]);
    let proposals = proposals(&vec![proposal(1, 1, &[], &[]); 8180]);
    let octets = wire::Message::v2(34, vec![payload(33, proposals)]).octets();
    let started = std::time::Instant::now();
    for _ in 0..10 {
        let message = decode(&octets);
        assert_eq!(message.fault(), None);
        let Body::SecurityAssociation(association) = only_body(&message) else { panic!() };
        assert_eq!(association.proposals().count(), 8180);
    }
    // A square would take minutes.
    assert!(started.elapsed() < std::time::Duration::from_secs(10));
}
