//! Every payload body, one test each.

use super::*;

#[test]
fn an_sa_of_ikev1_tells_doi_situation_and_every_attribute() {
    body!(wire::Message::v1(2, vec![sa_v1()]), Body::SecurityAssociation(association) => {
        assert_eq!((association.doi, association.situation), (Some(1), Some(1)));
        let all: Vec<_> = association.proposals().collect();
        assert_eq!(all.len(), 1);
        assert_eq!((all[0].number, all[0].protocol_id, all[0].spi, all[0].transform_count), (0, 1, &[][..], 2));
        let transforms: Vec<_> = all[0].transforms().collect();
        let heads: Vec<_> = transforms.iter().map(|each| (each.number, each.transform_type, each.transform_id)).collect();
        assert_eq!(heads, [(1, 0, 1), (2, 0, 1)]);
        let numbers = |index: usize| -> Vec<_> {
            transforms[index].attributes().map(|each| (each.attribute_type, each.value.number().unwrap())).collect()
        };
        assert_eq!(numbers(0), [(1, 7), (14, 256), (2, 4), (4, 14), (3, 1), (11, 1), (12, 86400)]);
        assert_eq!(numbers(1), [(1, 5), (2, 2), (4, 2), (3, 1)]);
        let lifetime = transforms[0].attributes().last().unwrap();
        assert_eq!(lifetime.value, AttributeValue::Long(&[0, 1, 0x51, 0x80]));
    });
}

#[test]
fn an_sa_of_ikev2_tells_types_and_sixteen_bit_ids() {
    body!(wire::Message::v2(34, vec![sa_v2()]), Body::SecurityAssociation(association) => {
        assert_eq!((association.doi, association.situation), (None, None));
        let all: Vec<_> = association.proposals().collect();
        let heads: Vec<_> = all.iter().map(|each| (each.number, each.protocol_id, each.spi.len())).collect();
        assert_eq!(heads, [(1, 1, 0), (2, 3, 4)]);
        assert_eq!(all[1].spi, [0xc0, 0xff, 0xee, 1]);
        let ids: Vec<_> =
            all.iter().flat_map(|each| each.transforms()).map(|each| (each.transform_type, each.transform_id)).collect();
        assert_eq!(ids, [(1, 20), (2, 5), (4, 31), (1, 12), (3, 12)]);
        let first = all[0].transforms().next().unwrap();
        let key_length = Attribute { attribute_type: 14, value: AttributeValue::Short(256) };
        assert_eq!(first.attributes().collect::<Vec<_>>(), [key_length]);
    });
    let wide = proposals(&[proposal(1, 1, &[], &[transform_v2(241, 0x0403, &[])])]);
    body!(wire::Message::v2(34, vec![payload(33, wide)]), Body::SecurityAssociation(association) => {
        let transform = association.proposals().next().unwrap().transforms().next().unwrap();
        assert_eq!((transform.transform_type, transform.transform_id), (241, 0x0403));
    });
}

#[test]
fn labels_in_the_situation_are_stepped_over() {
    let label: &[u8] = &[0, 3, 0, 0, 1, 2, 3, 0, 0, 9, 0, 0, 0xff, 0x80, 0, 0];
    let parts = proposals(&[proposal(1, 1, &[], &[transform_v1(1, 1, &[])])]);
    let situations: [(u8, Vec<u8>); 3] = [(2, label.to_vec()), (4, label.to_vec()), (6, label.repeat(2))];
    for (bits, labels) in situations {
        let body = join(&[&[0, 0, 0, 1, 0, 0, 0, bits, 0, 0, 0, 0], &labels, &parts]);
        body!(wire::Message::v1(2, vec![payload(1, body)]), Body::SecurityAssociation(association) => {
            assert_eq!(association.situation, Some(bits.into()));
            assert_eq!(association.proposals().count(), 1);
        });
    }
    let octets =
        wire::Message::v1(2, vec![payload(1, [0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 0xff, 0xff, 0, 0])]).octets();
    let fault = decode(&octets).fault().unwrap();
    assert_eq!((fault.field, fault.at), ("secrecy level", 48));
}

#[test]
fn proposals_of_an_unknown_doi_are_left_alone() {
    let parts = proposals(&[proposal(1, 1, &[], &[transform_v1(1, 1, &[])])]);
    let gdoi = join(&[&[0, 0, 0, 2, 0, 0, 0, 1], &parts]);
    body!(wire::Message::v1(2, vec![payload(1, gdoi)]), Body::SecurityAssociation(association) => {
        assert_eq!((association.doi, association.situation), (Some(2), None));
        assert_eq!(association.proposals().count(), 0);
    });
    // DOI 0 has no situation of its own, and some send one all the same.
    for (situation, expected) in [(&[][..], None), (&[0, 0, 0, 1][..], Some(1))] {
        let body = join(&[&[0, 0, 0, 0], situation, &parts]);
        body!(wire::Message::v1(2, vec![payload(1, body)]), Body::SecurityAssociation(association) => {
            assert_eq!((association.situation, association.proposals().count()), (expected, 1));
        });
    }
}

#[test]
fn key_exchange() {
    body!(one_v1(4, [7; 128]), Body::KeyExchange(ke) => assert_eq!((ke.group, ke.data), (None, &[7; 128][..])));
    let impossible =
        [(vec![], FaultKind::TooShort { claims: 0, least: 1 }), (vec![0; 9], FaultKind::Unexpected { value: 0 })];
    for (value, kind) in impossible {
        let octets = one_v1(4, value).octets();
        let fault = Some(Fault { field: "key exchange data", at: 32, kind });
        assert_eq!(decode(&octets).fault(), fault, "no group has this public value");
    }
    let body = join(&[&[0, 31, 0, 0], &[7; 32]]);
    body!(one_v2(34, body), Body::KeyExchange(ke) => assert_eq!((ke.group, ke.data), (Some(31), &[7; 32][..])));
    assert_short(one_v2(34, [0, 31, 0]));
}

#[test]
fn identification() {
    body!(one_v1(5, [1, 17, 1, 0xf4, 192, 0, 2, 1]), Body::Identification(id) => {
        assert_eq!((id.id_type, id.protocol_id, id.port, id.data), (1, 17, 500, &[192, 0, 2, 1][..]));
    });
    for payload_type in [35, 36] {
        body!(one_v2(payload_type, b"\x02\0\0\0vpn.example"), Body::Identification(id) => {
            assert_eq!((id.id_type, id.data), (2, &b"vpn.example"[..]));
        });
        assert_short(one_v2(payload_type, [2, 0, 0]));
    }
    // An address of three octets is what was sent: whoever prints it has to look.
    body!(one_v1(5, [1, 0, 0, 0, 192, 0, 2]), Body::Identification(id) => assert_eq!(id.data.len(), 3));
}

#[test]
fn certificates_and_requests() {
    for message in [one_v1(6, [4, 0x30, 0x82]), one_v2(37, [4, 0x30, 0x82])] {
        body!(message, Body::Certificate(certificate) => {
            assert_eq!((certificate.encoding, certificate.data), (4, &[0x30, 0x82][..]));
        });
    }
    for message in [one_v1(7, [4]), one_v2(38, [4])] {
        body!(message, Body::CertificateRequest(request) => {
            assert_eq!((request.encoding, request.data), (4, &[][..]));
        });
    }
    assert_short(one_v2(37, []));
}

#[test]
fn bodies_that_are_octets_only() {
    body!(one_v1(8, [1; 20]), Body::Hash(hash) => assert_eq!(hash, [1; 20]));
    body!(one_v1(9, [2; 64]), Body::Signature(signature) => assert_eq!(signature, [2; 64]));
    body!(one_v1(10, [3; 16]), Body::Nonce(nonce) => assert_eq!(nonce, [3; 16]));
    body!(one_v2(40, [3; 32]), Body::Nonce(nonce) => assert_eq!(nonce, [3; 32]));
    body!(one_v1(13, [4; 16]), Body::VendorId(id) => assert_eq!(id, [4; 16]));
    body!(one_v2(43, [4; 3]), Body::VendorId(id) => assert_eq!(id, [4; 3]));
    body!(one_v2(46, [5; 48]), Body::Encrypted(octets) => assert_eq!(octets, [5; 48]));
    for opaque in [17, 18, 19, 22, 129, 133, 200] {
        body!(one_v1(opaque, [6; 9]), Body::Opaque(octets) => assert_eq!(octets, [6; 9]));
    }
    for opaque in [49, 50, 51, 52, 54, 128] {
        body!(one_v2(opaque, [6; 9]), Body::Opaque(octets) => assert_eq!(octets, [6; 9]));
    }
}

#[test]
fn notification() {
    let cookies = [0xab; 16];
    body!(one_v1(11, join(&[&[0, 0, 0, 1, 1, 16, 0x8d, 0x28], &cookies, &[0, 0, 0, 9]])), Body::Notification(notify) => {
        assert_eq!((notify.doi, notify.protocol_id, notify.notify_message_type), (Some(1), 1, 36136));
        assert_eq!((notify.spi, notify.data), (&cookies[..], &[0, 0, 0, 9][..]));
    });
    body!(one_v2(41, [3, 4, 0x40, 0x09, 1, 2, 3, 4, 5]), Body::Notification(notify) => {
        assert_eq!((notify.doi, notify.protocol_id, notify.notify_message_type), (None, 3, 16393));
        assert_eq!((notify.spi, notify.data), (&[1, 2, 3, 4][..], &[5][..]));
    });
    assert_short(one_v1(11, [0, 0, 0, 1, 1, 0, 0]));
    assert_short(one_v2(41, [0, 0, 0]));
}

#[test]
fn a_false_spi_size_leaves_the_notify_type_readable() {
    let notifications = [(one_v1(11, [0, 0, 0, 1, 1, 255, 0, 14, 9]), 37), (one_v2(41, [1, 255, 0, 14, 9]), 33)];
    for (message, at) in notifications {
        let octets = message.octets();
        let message = decode(&octets);
        match only_body(&message) {
            Body::Notification(notify) => assert_eq!((notify.notify_message_type, notify.spi.len()), (14, 0)),
            other => panic!("{other:?}"),
        }
        let kind = FaultKind::Overrun { claims: 255, room: 1 };
        assert_eq!(message.fault(), Some(Fault { field: "SPI size", at, kind }));
    }
}

#[test]
fn delete() {
    body!(one_v1(12, [0, 0, 0, 1, 3, 4, 0, 2, 1, 1, 1, 1, 2, 2, 2, 2]), Body::Delete(delete) => {
        assert_eq!((delete.doi, delete.protocol_id, delete.spi_size, delete.spi_count), (Some(1), 3, 4, 2));
        assert_eq!(delete.each_spi().collect::<Vec<_>>(), [[1; 4], [2; 4]]);
    });
    body!(one_v2(42, [1, 0, 0, 0]), Body::Delete(delete) => {
        assert_eq!((delete.protocol_id, delete.each_spi().count()), (1, 0));
    });
}

#[test]
fn a_delete_that_claims_too_much_keeps_its_whole_spis() {
    let lies = [
        (vec![3, 4, 0, 3, 1, 1, 1, 1, 2, 2], 1, FaultKind::Overrun { claims: 12, room: 6 }),
        (vec![3, 255, 0xff, 0xff, 1], 0, FaultKind::Overrun { claims: 255 * 65535, room: 1 }),
        (vec![3, 0, 0xff, 0xff], 0, FaultKind::Unexpected { value: 65535 }),
        (vec![3, 4, 0, 1, 1, 1, 1, 1, 2], 1, FaultKind::Trailing { octets: 1 }),
    ];
    for (body, spis, kind) in lies {
        for message in [one_v2(42, body.clone()), one_v1(12, join(&[&[0, 0, 0, 1], &body]))] {
            let octets = message.octets();
            let message = decode(&octets);
            assert!(matches!(only_body(&message), Body::Delete(delete) if delete.each_spi().count() == spis));
            assert_eq!(message.fault().unwrap().kind, kind);
        }
    }
}

#[test]
fn configuration() {
    let attributes = [short(16520, 0), long(16521, b"user"), long(1, &[])].concat();
    body!(one_v1(14, join(&[&[1, 0, 0x12, 0x34], &attributes])), Body::Configuration(configuration) => {
        assert_eq!((configuration.cfg_type, configuration.identifier), (1, Some(0x1234)));
        let all: Vec<_> = configuration.attributes().map(|each| (each.attribute_type, each.value)).collect();
        let expected = [
            (16520, AttributeValue::Short(0)),
            (16521, AttributeValue::Long(b"user")),
            (1, AttributeValue::Long(&[])),
        ];
        assert_eq!(all, expected);
    });
    // In CP the first bit is reserved: there is no short form.
    body!(one_v2(47, [2, 0, 0, 0, 0x80, 1, 0, 4, 10, 0, 0, 1]), Body::Configuration(configuration) => {
        assert_eq!((configuration.cfg_type, configuration.identifier), (2, None));
        let address = Attribute { attribute_type: 1, value: AttributeValue::Long(&[10, 0, 0, 1]) };
        assert_eq!(configuration.attributes().collect::<Vec<_>>(), [address]);
    });
}

#[test]
fn nat_detection_under_its_four_numbers() {
    for payload_type in [20, 130, 15] {
        let octets = wire::Message::v1(2, vec![payload(payload_type, [7; 20])]).octets();
        assert!(matches!(only_body(&decode(&octets)), Body::NatDetection(hash) if hash == [7; 20]));
    }
    // 15 is GDOI's as well: where it cannot be a hash of phase 1, nobody can tell.
    for (exchange_type, length) in [(2, 21), (4, 8), (32, 20), (33, 32)] {
        let octets = wire::Message::v1(exchange_type, vec![payload(15, vec![7; length])]).octets();
        assert!(matches!(only_body(&decode(&octets)), Body::Opaque(_)));
    }
}

#[test]
fn nat_original_address_under_its_numbers() {
    for payload_type in [21, 131, 16] {
        let octets = wire::Message::v1(32, vec![payload(payload_type, [1, 0, 0, 0, 192, 0, 2, 1])]).octets();
        match only_body(&decode(&octets)) {
            Body::NatOriginalAddress(id) => assert_eq!((id.id_type, id.data), (1, &[192, 0, 2, 1][..])),
            other => panic!("{other:?}"),
        }
    }
    let octets = wire::Message::v1(32, vec![payload(16, [1, 0, 0, 0, 192, 0, 2])]).octets();
    assert!(matches!(only_body(&decode(&octets)), Body::Opaque(_)));
}

#[test]
fn fragment_number_zero_is_a_fault() {
    let octets = one_v1(132, [0, 1, 0, 1, 9]).octets();
    let fault = decode(&octets).fault().unwrap();
    assert_eq!((fault.field, fault.at), ("fragment number", 34));
}

#[test]
fn authentication() {
    body!(one_v2(39, join(&[&[14, 0, 0, 0], &[3; 64]])), Body::Authentication(authentication) => {
        assert_eq!((authentication.method, authentication.data), (14, &[3; 64][..]));
    });
    assert_short(one_v2(39, [2, 0, 0]));
}

#[test]
fn traffic_selectors() {
    let v4: &[u8] = &[7, 6, 0, 16, 0, 80, 0, 81, 10, 0, 0, 0, 10, 0, 0, 255];
    let v6 = join(&[&[8, 0, 0, 40, 0, 0, 0xff, 0xff], &[0; 16], &[0xff; 16]]);
    let label: &[u8] = &[10, 0, 0, 8, b's', b'e', b'c', b'l'];
    for payload_type in [44, 45] {
        body!(one_v2(payload_type, join(&[&[3, 0, 0, 0], v4, &v6, label])), Body::TrafficSelectors(selectors) => {
            assert_eq!(selectors.count, 3);
            let all: Vec<_> = selectors.selectors().collect();
            assert_eq!(all.len(), 3);
            assert_eq!((all[0].ts_type, all[0].protocol_id, all[0].start_port, all[0].end_port), (7, 6, 80, 81));
            assert_eq!((all[0].start, all[0].end), (&[10, 0, 0, 0][..], &[10, 0, 0, 255][..]));
            assert_eq!((all[1].start, all[1].end, all[1].end_port), (&[0; 16][..], &[0xff; 16][..], 65535));
            assert_eq!((all[2].ts_type, all[2].start), (10, &b"secl"[..]));
        });
    }
    let lies = [
        (join(&[&[2, 0, 0, 0], v4]), "number of TSs", 0),
        (join(&[&[1, 0, 0, 0], &v4[..12]]), "selector length", 6),
        (vec![1, 0, 0, 0, 8, 0, 0, 16, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2], "selector length", 6),
        (vec![1, 0, 0, 0, 7, 0, 0, 20, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3], "selector length", 6),
        (vec![1, 0, 0, 0, 9, 0, 0, 3], "selector length", 6),
    ];
    for (body, field, offset) in lies {
        let octets = one_v2(44, body).octets();
        let fault = decode(&octets).fault().unwrap();
        assert_eq!((fault.field, fault.at), (field, 32 + offset));
    }
}

#[test]
fn eap() {
    body!(one_v2(48, [1, 9, 0, 8, 26, 1, 2, 3]), Body::Eap(eap) => {
        assert_eq!((eap.code, eap.identifier, eap.method, eap.data), (1, 9, Some(26), &[1, 2, 3][..]));
    });
    body!(one_v2(48, [3, 9, 0, 4]), Body::Eap(eap) => assert_eq!((eap.code, eap.method), (3, None)));
    for length in [3, 7, 9] {
        let octets = one_v2(48, [1, 9, 0, length, 26, 1, 2, 3]).octets();
        assert_eq!(decode(&octets).fault().unwrap().at, 34);
    }
}

fn assert_short(message: wire::Message) {
    let octets = message.octets();
    let message = decode(&octets);
    let fault = message.fault().expect("the body is too short");
    assert!(matches!(fault.kind, FaultKind::Truncated { .. }), "{fault}");
    assert!(matches!(only_body(&message), Body::Malformed(found) if found == fault));
}
