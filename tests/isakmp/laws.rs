//! Laws that hold for any octets.

use super::*;

#[test]
fn the_samples_hold_every_payload_type() {
    let seen: std::collections::BTreeSet<_> = samples()
        .iter()
        .flat_map(|octets| {
            let message = decode(octets);
            let types: Vec<_> =
                message.payloads().map(|each| (message.header.version.major, each.payload_type)).collect();
            types
        })
        .collect();
    let v1 = [1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 21, 130, 131, 132].map(|each| (1, each));
    assert!(v1.iter().all(|each| seen.contains(each)), "{seen:?}");
    assert!((33..=54).all(|each| each == 46 || seen.contains(&(2, each))), "{seen:?}");
}

#[test]
fn cutting_a_message_yields_a_prefix_and_a_fault() {
    for octets in samples() {
        let whole = walk(&octets, 0);
        for end in 0..octets.len() {
            let left = (octets.len() - end) as u32;
            for missing in [0, left] {
                let part = walk(&octets[..end], missing);
                // The last one may have been cut.
                let sure = part.len().saturating_sub(1);
                assert_eq!(part[..sure], whole[..sure], "{end} of {} octets", octets.len());
                assert!(part.len() <= whole.len());
                let fault = Message::decode(&octets[..end], missing).map_or_else(Some, |message| message.fault());
                assert!(fault.is_some(), "{end} of {} octets", octets.len());
            }
        }
    }
}

#[test]
fn any_octet_may_be_anything() {
    for octets in samples() {
        for at in 0..octets.len() {
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff] {
                let mut octets = octets.clone();
                octets[at] = value;
                walk(&octets, 0);
                walk(&octets, 100);
            }
        }
    }
}

/// Faults point into the message, or right behind it.
fn check_places(octets: &[u8], missing: u32) {
    walk(octets, missing);
    if let Ok(message) = Message::decode(octets, missing) {
        let end = octets.len() as u32;
        assert!(message.fault().is_none_or(|fault| fault.at <= end), "{:?} of {end}", message.fault());
        for payload in message.payloads() {
            assert_eq!(octets[payload.at as usize + 4..][..payload.octets.len()], *payload.octets);
        }
        let mut payloads = message.payloads();
        payloads.by_ref().for_each(drop);
        assert!(payloads.next().is_none(), "a chain that has ended stays so");
    }
}

proptest! {
    #[test]
    fn any_octets(octets in proptest::collection::vec(any::<u8>(), 0..600), missing in prop_oneof![Just(0), any::<u32>()]) {
        check_places(&octets, missing);
    }

    #[test]
    fn any_body_behind_a_sound_header(
        version in prop_oneof![Just(0x10), Just(0x20)],
        exchange_type in prop_oneof![Just(2), Just(4), Just(32), Just(34), any::<u8>()],
        first in any::<u8>(),
        body in proptest::collection::vec(prop_oneof![Just(0), Just(3), Just(8), any::<u8>()], 0..300),
        missing in 0u32..64,
    ) {
        let mut octets = wire::Message { version, ..wire::Message::v1(exchange_type, vec![payload(first, body)]) }.octets();
        check_places(&octets, 0);
        octets[27] = octets[27].saturating_add(missing as u8);
        check_places(&octets, missing);
    }

    #[test]
    fn an_sa_comes_back_as_it_was_written(
        heads in proptest::collection::vec((any::<u8>(), any::<u8>(), proptest::collection::vec(any::<u8>(), 0..9)), 1..6),
        ids in proptest::collection::vec((any::<u8>(), any::<u16>(), proptest::option::of(any::<u16>())), 0..9),
    ) {
        let transforms: Vec<_> = ids
            .iter()
            .map(|(kind, id, length)| transform_v2(*kind, *id, &length.map(|length| short(14, length)).into_iter().collect::<Vec<_>>()))
            .collect();
        let written: Vec<_> = heads.iter().map(|(number, protocol, spi)| proposal(*number, *protocol, spi, &transforms)).collect();
        let octets = wire::Message::v2(34, vec![payload(33, proposals(&written))]).octets();
        let message = decode(&octets);
        prop_assert_eq!(message.fault(), None);
        let Body::SecurityAssociation(association) = only_body(&message) else { panic!() };
        let read: Vec<_> = association.proposals().map(|each| (each.number, each.protocol_id, each.spi.to_vec())).collect();
        prop_assert_eq!(read, heads);
        for proposal in association.proposals() {
            let read: Vec<_> = proposal
                .transforms()
                .map(|each| {
                    let length = each.attributes().next().and_then(|each| each.value.number());
                    (each.transform_type, each.transform_id, length.map(|length| length as u16))
                })
                .collect();
            prop_assert_eq!(&read, &ids);
        }
    }
}
