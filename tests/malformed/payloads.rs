//! R3 to R7, R10, R13, R29: what payloads, their parts and their counts may claim.

use serde_json::Value;

use crate::made::Made;
use crate::shown::*;
use crate::support::story::{main_mode_psk, usual_transform};
use crate::support::wire::Attribute;
use crate::support::{Payload, Scenario, Side, secs, v1, v2};
use crate::tape::*;

pub const MADE: &[Made] = &[
    Made {
        name: "r03-payload-length.pcap",
        shows: "payload lengths 0, 1, 3, 4, 65535 and one beyond the message",
        make: payload_length,
    },
    Made {
        name: "r04-chain.pcap",
        shows: "chains that end early, hold unknown types, or go on for 4,000 payloads",
        make: chain,
    },
    Made {
        name: "r05-proposals.pcap",
        shows: "wrong last-substructure octets, counts, SPI sizes and transform lengths",
        make: proposals,
    },
    Made {
        name: "r06-attributes.pcap",
        shows: "attributes of both forms with lengths 0, 65535 and beyond; lifetimes of 1 to 16 octets",
        make: attributes,
    },
    Made { name: "r07-spi-count.pcap", shows: "Delete and Notify whose SPI size and count cannot be", make: spi_count },
    Made {
        name: "r10-key-exchange.pcap",
        shows: "public values that are empty, zero, short, long, or of no known group",
        make: key_exchange,
    },
    Made { name: "r13-quoted.pcap", shows: "notification data that look like IKE messages and payloads", make: quoted },
    Made {
        name: "r29-certificate.pcap",
        shows: "certificates that are no DER, and names in indefinite length",
        make: certificate,
    },
];

/// A request of one Vendor ID, one payload whose length field says `length`, and a Nonce behind it.
fn with_length(n: u8, length: u16) -> Vec<u8> {
    let payloads = [v2::vendor_id(&[0x5a; 12]), v2::vendor_id(&[0x5b; 12]), v2::nonce(16, 1)];
    with(v2_header(n).message(&payloads), 28 + 16 + 2, &length.to_be_bytes())
}

fn payload_length() -> Vec<u8> {
    [0, 1, 3, 4, 16, 37, 65_535]
        .into_iter()
        .zip(1..)
        .fold(Tape::new(), |tape, (length, n)| tape.says(n, &with_length(n, length)))
        // Three octets where a generic header should stand.
        .says(
            8,
            &with(
                v2_header(8).message(&[v2::vendor_id(&[0x5a; 12]), Payload::new(43, vec![])])[..47].to_vec(),
                24,
                &47_u32.to_be_bytes(),
            ),
        )
        .pcap()
}

#[test]
fn r03_the_chain_stops_at_the_first_length_that_cannot_be() {
    let rows = messages("r03-payload-length.pcap");
    let expected = [
        "1: payload length at 46: too_short claims 0 least 4",
        "2: payload length at 46: too_short claims 1 least 4",
        "3: payload length at 46: too_short claims 3 least 4",
        // An empty payload is possible; what is then read as the Nonce's header is not.
        "4: payload length at 50: overrun claims 23387 room 32",
        "5: whole",
        "6: payload length at 46: overrun claims 37 room 36",
        "7: payload length at 46: overrun claims 65535 room 36",
        "8: payload header at 44: truncated need 4 have 3",
    ];
    assert_eq!(faults(&rows), expected);
    let decoded: Vec<Vec<u64>> = rows.iter().map(types).collect();
    assert_eq!(decoded, [&[43][..], &[43], &[43], &[43, 43, 40], &[43, 43, 40], &[43, 43], &[43, 43], &[43]]);
    // What stood before is whole, what is cut short says so.
    assert!(rows.iter().all(|row| row["payloads"][0]["data"] == "5a".repeat(12)));
    assert_eq!(fault(&rows[6]["payloads"][1]["fault"]), "payload length at 46: overrun claims 65535 room 36");
    let report = report("r03-payload-length.pcap");
    assert_eq!(counts(&report), "ike 8");
    assert_eq!(crate::support::verdict::findings(&report, "M-LENGTH").len(), 7);
}

fn chain() -> Vec<u8> {
    let many = |count: usize| vec![Payload::new(43, Vec::new()); count];
    let unknown: Vec<Payload> =
        [1, 32, 49, 54, 127, 129, 200, 255].map(|kind| Payload::new(kind, vec![kind; 4])).into();
    // Every payload says that the next one is an SA; no body is one.
    let endless: Vec<Payload> = vec![Payload::new(33, Vec::new()); 60];
    Tape::new()
        // "No next payload" with payloads left, and a first payload of type 0.
        .says(1, &with(v2_init(1), 28, &[0]))
        .says(2, &with(v2_init(2), 16, &[0]))
        .says(3, &v2_header(3).message(&unknown))
        .says(4, &v2_header(4).message(&endless))
        .says(5, &v2_header(5).message(&many(128)))
        .says(6, &v2_header(6).message(&many(129)))
        .says(7, &v2_header(7).message(&many(4_000)))
        .pcap()
}

#[test]
fn r04_a_chain_has_an_end_and_no_more_payloads_than_anybody_sends() {
    let rows = messages("r04-chain.pcap");
    let expected = [
        "1: last payload at 76: trailing octets 76",
        "2: last payload at 28: trailing octets 124",
        "3: whole",
        "4: proposal header at 32: truncated need 4 have 0",
        "5: whole",
        "6: payloads at 540: too_many limit 128",
        "7: payloads at 540: too_many limit 128",
    ];
    assert_eq!(faults(&rows), expected);
    assert_eq!(types(&rows[2]), [1, 32, 49, 54, 127, 129, 200, 255]);
    assert!(list(&rows[2]["payloads"])[4..].iter().all(|payload| payload["name"].is_null()));
    let decoded: Vec<usize> = rows.iter().map(|row| types(row).len()).collect();
    assert_eq!(decoded, [1, 0, 8, 60, 128, 128, 128]);
    assert_eq!(counts(&report("r04-chain.pcap")), "ike 7");
}

/// The largest chain that UDP carries: 16,369 payloads of four octets.
#[test]
fn r04_the_longest_chain_of_all_is_read_no_further_either() {
    let message = v2_header(1).message(&vec![Payload::new(43, Vec::new()); 16_369]);
    let capture = Tape::new().says(1, &message).pcap();
    let rows = messages_of(&capture);
    assert_eq!(faults(&rows), ["1: payloads at 540: too_many limit 128"]);
    assert_eq!(counts(&report_of(&capture)), "ike 1");
}

/// Octets of the first transform in [`v2_init`]: header, SA's generic header, proposal.
const PROPOSAL: usize = 28 + 4;
const TRANSFORM: usize = PROPOSAL + 8;

fn proposals() -> Vec<u8> {
    let changed = |n: u8, at: usize, octets: &[u8]| with(v2_init(n), at, octets);
    let spi = |n: u8, size: u8| {
        let sa = v2::sa(&[v2::esp(0x1234_5678, &[v2::encr(12, 256)])]);
        with(v2_header(n).message(&[sa, v2::nonce(16, 1)]), PROPOSAL + 6, &[size])
    };
    Tape::new()
        // Last substructure: neither 0 nor 2, neither 0 nor 3; more announced than there is; the end announced too early.
        .says(1, &changed(1, PROPOSAL, &[33]))
        .says(2, &changed(2, PROPOSAL, &[2]))
        .says(3, &changed(3, TRANSFORM, &[34]))
        .says(4, &changed(4, TRANSFORM, &[0]))
        .says(5, &changed(5, TRANSFORM + 12 + 16, &[3]))
        // Number of transforms.
        .says(6, &changed(6, PROPOSAL + 7, &[0]))
        .says(7, &changed(7, PROPOSAL + 7, &[255]))
        // Transform lengths.
        .says(8, &changed(8, TRANSFORM + 2, &[0, 0]))
        .says(9, &changed(9, TRANSFORM + 2, &[0, 7]))
        .says(10, &changed(10, TRANSFORM + 2, &[0xff, 0xff]))
        // Proposal lengths.
        .says(11, &changed(11, PROPOSAL + 2, &[0, 7]))
        .says(12, &changed(12, PROPOSAL + 2, &[0, 8]))
        .says(13, &changed(13, PROPOSAL + 2, &[0xff, 0xff]))
        // SPI sizes.
        .says(14, &spi(14, 0))
        .says(15, &spi(15, 255))
        .says(16, &spi(16, 4))
        // An SA without a proposal, and an IKEv1 one of a DOI that nobody knows.
        .says(17, &v2_header(17).message(&[Payload::new(33, Vec::new()), v2::nonce(16, 1)]))
        .says(18, &v1_header(18).message(&[Payload::new(1, [&[0, 0, 0, 9], &v1_sa().body[4..]].concat())]))
        .pcap()
}

#[test]
fn r05_proposals_and_transforms_are_read_as_far_as_they_agree_with_themselves() {
    let rows = messages("r05-proposals.pcap");
    let expected = [
        "1: last substructure at 32: unexpected value 33",
        "2: proposal header at 76: truncated need 4 have 0",
        "3: last substructure at 40: unexpected value 34",
        "4: last transform at 52: trailing octets 24",
        "5: transform header at 76: truncated need 4 have 0",
        "6: number of transforms at 39: unexpected value 0",
        "7: number of transforms at 39: unexpected value 255",
        "8: transform length at 42: too_short claims 0 least 8",
        "9: transform length at 42: too_short claims 7 least 8",
        "10: transform length at 42: overrun claims 65535 room 36",
        "11: proposal length at 34: too_short claims 7 least 8",
        "12: number of transforms at 39: unexpected value 4",
        "13: proposal length at 34: overrun claims 65535 room 44",
        "14: transform length at 42: overrun claims 22136 room 16",
        "15: SPI size at 38: overrun claims 255 room 16",
        "16: whole",
        "17: proposal header at 32: truncated need 4 have 0",
        "18: whole",
    ];
    assert_eq!(faults(&rows), expected);
    // No octet of a proposal is ever taken for a payload type.
    let decoded: Vec<Vec<u64>> = rows.iter().map(types).collect();
    assert!(decoded[..13].iter().all(|types| types == &[33, 34, 40]), "{decoded:?}");
    assert!(decoded[13..17].iter().all(|types| types == &[33, 40]), "{decoded:?}");
    let transforms: Vec<usize> = rows[..13]
        .iter()
        .map(|row| {
            list(&row["payloads"][0]["proposals"]).iter().map(|proposal| list(&proposal["transforms"]).len()).sum()
        })
        .collect();
    assert_eq!(transforms, [4, 4, 1, 1, 4, 4, 4, 0, 0, 0, 0, 0, 4]);
    assert_eq!(counts(&report("r05-proposals.pcap")), "ike 18");
}

/// Main Mode message 1 with these octets as the attributes of its only transform.
fn with_attributes(n: u8, attributes: &[u8]) -> Vec<u8> {
    let mut body = vec![0, 0, 0, 1, 0, 0, 0, 1, 0, 0];
    body.extend((16 + attributes.len() as u16).to_be_bytes());
    body.extend([1, 1, 0, 1, 0, 0]);
    body.extend((8 + attributes.len() as u16).to_be_bytes());
    body.extend([1, 1, 0, 0]);
    body.extend(attributes);
    v1_header(n).message(&[Payload::new(1, body)])
}

fn attributes() -> Vec<u8> {
    let group = Attribute::Tv(4, 14).octets();
    let mut tape = Tape::new()
        .says(1, &with_attributes(1, &[&group[..], &Attribute::Tlv(12, vec![]).octets()].concat()))
        .says(2, &with_attributes(2, &[&group[..], &[0, 12, 0xff, 0xff, 0, 0, 0x70, 0x80]].concat()))
        .says(3, &with_attributes(3, &[&group[..], &[0, 12, 0, 5, 0, 0, 0x70, 0x80]].concat()))
        .says(4, &with_attributes(4, &[&group[..], &[0x80, 12, 0]].concat()))
        // A group in the long form, and a key length longer than any number.
        .says(5, &with_attributes(5, &Attribute::Tlv(4, vec![0, 14]).octets()))
        .says(6, &with_attributes(6, &[&group[..], &Attribute::Tlv(14, vec![1; 20]).octets()].concat()));
    for octets in 1..=16 {
        let lifetime = Attribute::Tlv(12, vec![0x01; usize::from(octets)]).octets();
        tape = tape.says(20 + octets, &with_attributes(20 + octets, &[&group[..], &lifetime].concat()));
    }
    tape.pcap()
}

#[test]
fn r06_attributes_are_numbers_where_they_can_be_and_octets_where_not() {
    let rows = messages("r06-attributes.pcap");
    let odd = [
        "1: whole",
        "2: attribute length at 62: overrun claims 65539 room 8",
        "3: attribute length at 62: overrun claims 9 room 8",
        "4: attribute length at 62: truncated need 2 have 1",
        "5: whole",
        "6: whole",
    ];
    assert_eq!(faults(&rows)[..6], odd);
    assert!(rows[6..].iter().all(|row| row["fault"].is_null()));
    let attribute = |row: usize, index: usize| {
        rows[row]["payloads"][0]["proposals"][0]["transforms"][0]["attributes"][index]["value"].clone()
    };
    assert_eq!(attribute(0, 1), "", "no octets are no number");
    assert_eq!((attribute(1, 0), attribute(1, 1)), (14.into(), Value::Null), "read up to the lie");
    assert_eq!(attribute(4, 0), 14, "the long form of a short number");
    assert_eq!(attribute(5, 1), "01".repeat(20));
    for octets in 1..=16_usize {
        let value = attribute(5 + octets, 1);
        match octets {
            0..=8 => assert_eq!(value, (0..octets).fold(0_u64, |sum, _| sum << 8 | 1)),
            _ => assert_eq!(value, "01".repeat(octets)),
        }
    }
    // The report does not put a lifetime of sixteen octets into words that it cannot have.
    let report = report("r06-attributes.pcap");
    assert_eq!(counts(&report), "ike 22");
    assert_eq!(list(&report["attempts"]).len(), 22);
    let text = String::from_utf8(run(&[], &committed("r06-attributes.pcap")).stdout).expect("UTF-8");
    assert!(text.contains("MODP-2048"));
}

/// A Delete payload of version 1 with these numbers and octets behind them.
fn v1_delete(size: u8, count: u16, spis: &[u8]) -> Payload {
    Payload::new(12, [&[0, 0, 0, 1, 3, size][..], &count.to_be_bytes(), spis].concat())
}

fn spi_count() -> Vec<u8> {
    let informational = |n: u8, payload: Payload| {
        crate::support::Header { exchange_type: 5, responder_spi: 0x77, message_id: 9, ..v1_header(n) }
            .message(&[payload])
    };
    let v2_informational = |n: u8, payload: Payload| {
        crate::support::Header { exchange_type: 37, responder_spi: 0x77, message_id: 2, ..v2_header(n) }
            .message(&[payload])
    };
    Tape::new()
        .says(1, &informational(1, v1_delete(0, 65_535, &[])))
        .says(2, &informational(2, v1_delete(255, 65_535, &[7; 300])))
        .says(3, &informational(3, v1_delete(4, 65_535, &[7; 10])))
        .says(4, &informational(4, v1_delete(4, 1, &[7; 10])))
        .says(5, &informational(5, v1_delete(0, 0, &[])))
        .says(6, &informational(6, v1_delete(4, 2, &[7; 8])))
        .says(7, &v2_informational(7, Payload::new(42, vec![3, 255, 0xff, 0xff])))
        .says(8, &informational(8, Payload::new(11, vec![0, 0, 0, 1, 3, 255, 0, 14, 1, 2, 3])))
        .says(9, &v2_informational(9, Payload::new(41, vec![3, 9, 0, 14, 1, 2, 3])))
        .says(10, &informational(10, Payload::new(12, vec![0, 0, 0, 1, 3])))
        .pcap()
}

#[test]
fn r07_a_count_of_spis_is_worth_the_octets_that_are_there() {
    let rows = messages("r07-spi-count.pcap");
    let expected = [
        "1: number of SPIs at 38: unexpected value 65535",
        "2: number of SPIs at 38: overrun claims 16711425 room 300",
        "3: number of SPIs at 38: overrun claims 262140 room 10",
        "4: last SPI at 44: trailing octets 6",
        "5: whole",
        "6: whole",
        "7: number of SPIs at 34: overrun claims 16711425 room 0",
        "8: SPI size at 37: overrun claims 255 room 3",
        "9: SPI size at 33: overrun claims 9 room 3",
        "10: SPI size at 37: truncated need 1 have 0",
    ];
    assert_eq!(faults(&rows), expected);
    let spis: Vec<usize> = rows[..7].iter().map(|row| list(&row["payloads"][0]["spis"]).len()).collect();
    assert_eq!(spis, [0, 1, 2, 1, 0, 2, 0]);
    for row in [7, 8] {
        assert_eq!((&rows[row]["payloads"][0]["spi"], &rows[row]["payloads"][0]["data"]), (&"".into(), &"".into()));
    }
    let report = report("r07-spi-count.pcap");
    assert_eq!(counts(&report), "ike 10");
    // One warning a message, whatever the count says.
    assert_eq!(crate::support::verdict::findings(&report, "M-LENGTH").len(), 8);
}

fn key_exchange() -> Vec<u8> {
    let ke = |n: u8, group: u16, value: &[u8]| {
        let payload = Payload::new(34, [&group.to_be_bytes()[..], &[0, 0], value].concat());
        v2_header(n).message(&[v2::sa(&[v2::ike_cbc(14)]), payload, v2::nonce(32, 2)])
    };
    let v1_ke = |n: u8, value: &[u8]| {
        let header = crate::support::Header { responder_spi: 0x77, ..v1_header(n) };
        header.message(&[Payload::new(4, value.to_vec()), v1::nonce(32, 2)])
    };
    Tape::new()
        .says(1, &ke(1, 14, &[]))
        .says(2, &ke(2, 14, &[9]))
        .says(3, &ke(3, 14, &[9; 255]))
        .says(4, &ke(4, 14, &[9; 257]))
        .says(5, &ke(5, 14, &[0; 256]))
        .says(6, &ke(6, 14, &[9; 256]))
        // Of a group that nobody knows, any length will do; but not none.
        .says(7, &ke(7, 65_000, &[9; 11]))
        .says(8, &ke(8, 65_000, &[]))
        .says(9, &v1_ke(9, &[]))
        .says(10, &v1_ke(10, &[0; 256]))
        .says(11, &v1_ke(11, &[9]))
        // Cut short: no group.
        .says(12, &v2_header(12).message(&[Payload::new(34, vec![0])]))
        .pcap()
}

#[test]
fn r10_a_public_value_that_no_group_has_is_flagged() {
    let rows = messages("r10-key-exchange.pcap");
    let expected = [
        "1: key exchange data at 84: too_short claims 0 least 256",
        "2: key exchange data at 84: too_short claims 1 least 256",
        "3: key exchange data at 84: too_short claims 255 least 256",
        "4: key exchange data at 340: trailing octets 1",
        "5: key exchange data at 84: unexpected value 0",
        "6: whole",
        "7: whole",
        "8: key exchange data at 84: too_short claims 0 least 1",
        "9: key exchange data at 32: too_short claims 0 least 1",
        "10: key exchange data at 32: unexpected value 0",
        "11: whole",
        "12: key exchange method at 32: truncated need 2 have 1",
    ];
    assert_eq!(faults(&rows), expected);
    assert_eq!(types(&rows[0]), [33, 34, 40]);
    assert_eq!(rows[6]["payloads"][1]["dh_group"], 65_000);
    assert!(rows[6]["payloads"][1]["dh_group_name"].is_null());
    let report = report("r10-key-exchange.pcap");
    assert_eq!(counts(&report), "ike 12");
    // It is the value that is wrong, not a length field: only the payload that is cut short is said to contradict itself.
    assert_eq!(crate::support::verdict::findings(&report, "M-LENGTH").len(), 1);
}

/// What the messages alone cannot tell, the negotiation does: one octet is not a public value of its group.
#[test]
fn r10_what_the_group_of_the_negotiation_does_not_have_is_a_finding() {
    let story = |value: &'static [u8]| {
        let transform = usual_transform();
        Scenario::new()
            .mm1(std::slice::from_ref(&transform))
            .mm2(&transform)
            .clear(Side::Initiator, v1::exchange::MAIN, 0, &[Payload::new(4, value.to_vec()), v1::nonce(32, 2)])
            .repeat(3, &[4.0, 7.2, 13.0])
            .quiet(secs(30))
            .pcap()
    };
    for value in [&[][..], &[9], &[9; 255], &[9; 257]] {
        let report = report_of(&story(value));
        assert_eq!(crate::support::verdict::findings(&report, "P1-KE").len(), 1, "{} octets", value.len());
    }
    assert!(crate::support::verdict::findings(&report_of(&story(&[9; 256])), "P1-KE").is_empty());
}

fn quoted() -> Vec<u8> {
    let inner = v2_init(99);
    let refusal = |n: u8, payloads: &[Payload]| {
        crate::support::Header { responder_spi: 0x55, flags: v2::RESPONSE, ..v2_header(n) }.message(payloads)
    };
    Tape::new()
        .says(1, &v2_init(1))
        // A whole request, and payloads, as data of a refusal.
        .hears(1, &refusal(1, &[v2::notify(v2::INVALID_SYNTAX, &inner)]))
        .says(2, &v2_init(2))
        .hears(2, &refusal(2, &[v2::notify(v2::NO_PROPOSAL_CHOSEN, &inner[28..])]))
        .says(3, &v1_init(3))
        .hears(
            3,
            &crate::support::Header { exchange_type: 5, message_id: 7, ..v1_header(3) }.message(&[v1::notify_about(
                1,
                &[],
                v1::PAYLOAD_MALFORMED,
                &v1_init(98),
            )]),
        )
        .pcap()
}

#[test]
fn r13_what_a_notification_quotes_is_data() {
    let rows = messages("r13-quoted.pcap");
    assert_eq!(rows.len(), 6);
    for row in [1, 3, 5] {
        assert_eq!(types(&rows[row]).len(), 1);
        assert!(rows[row]["payloads"][0]["data"].as_str().expect("octets").len() > 100);
        assert!(rows[row]["fault"].is_null());
    }
    let report = report("r13-quoted.pcap");
    assert_eq!(counts(&report), "ike 6");
    assert_eq!((list(&report["pairs"]).len(), list(&report["attempts"]).len()), (3, 3));
    assert!(
        list(&report["attempts"]).iter().all(|attempt| attempt["offered"].as_array().is_some_and(|o| o.len() == 1))
    );
}

/// A distinguished name in DER: `length` as it stands, then the octets.
fn name(length: &[u8], inside: &[u8]) -> Vec<u8> {
    [&[0x30], length, inside].concat()
}

/// `CN=gw` as a relative name.
const COMMON_NAME: [u8; 13] = [0x31, 11, 0x30, 9, 0x06, 3, 0x55, 4, 3, 0x0c, 2, b'g', b'w'];

fn certificate() -> Vec<u8> {
    let with_id = |n: u8, data: &[u8]| {
        let payloads = [v1_sa(), v1::key_exchange(14, 1), v1::nonce(32, 2), v1::identification(9, data)];
        crate::support::Header { exchange_type: v1::exchange::AGGRESSIVE, ..v1_header(n) }.message(&payloads)
    };
    let with_certificate = |n: u8, octets: &[u8]| {
        let header = crate::support::Header { responder_spi: 0x44, ..v1_header(n) };
        let payloads = [v1::key_exchange(14, 1), v1::nonce(32, 2), Payload::new(6, octets.to_vec())];
        header.message(&payloads)
    };
    Tape::new()
        .says(1, &with_id(1, &name(&[13], &COMMON_NAME)))
        // Indefinite length, a length of four octets that is not there, and one that needs more octets than a number has.
        .says(2, &with_id(2, &name(&[0x80], &[&COMMON_NAME[..], &[0, 0]].concat())))
        .says(3, &with_id(3, &name(&[0x84, 0xff, 0xff, 0xff, 0xff], &COMMON_NAME)))
        .says(4, &with_id(4, &name(&[0xff; 128], &COMMON_NAME)))
        // Sequences within sequences.
        .says(5, &with_id(5, &(0..120_u8).rev().flat_map(|depth| [0x30, depth]).collect::<Vec<u8>>()))
        // No encoding, an unknown one, a certificate that is no DER, and one of exponent 0 and a huge name.
        .says(6, &with_certificate(6, &[]))
        .says(7, &with_certificate(7, &[99]))
        .says(8, &with_certificate(8, &[&[4][..], &[0x30, 0x80, 0x30, 0x80], &[0; 16]].concat()))
        .says(9, &with_certificate(9, &[&[4][..], &[0x30, 0x82, 0xff, 0xff, 0x02, 0x01, 0x00], &[b'a'; 6000]].concat()))
        .pcap()
}

#[test]
fn r29_certificates_stay_octets_and_names_are_read_within_their_bounds() {
    let rows = messages("r29-certificate.pcap");
    let mut expected: Vec<String> = (1..=9).map(|frame| format!("{frame}: whole")).collect();
    expected[5] = "6: certificate encoding at 328: truncated need 1 have 0".to_owned();
    assert_eq!(faults(&rows), expected);
    let texts: Vec<Option<&str>> = rows[..5].iter().map(|row| row["payloads"][3]["text"].as_str()).collect();
    assert_eq!(texts, [Some("CN=gw"), None, None, None, None]);
    for row in &rows[..5] {
        assert!(row["payloads"][3]["data"].as_str().is_some_and(|data| data.starts_with("30")), "the octets are there");
    }
    assert_eq!(rows[6]["payloads"][2]["cert_encoding"], 99);
    assert_eq!(rows[8]["payloads"][2]["data"].as_str().map(str::len), Some(2 * 6007));
    assert_eq!(counts(&report("r29-certificate.pcap")), "ike 9");
}

/// 64 KiB of certificate, as much as IP carries; and the encrypted kind says no more than its length.
#[test]
fn r29_the_largest_certificate_is_no_more_than_octets() {
    let header = crate::support::Header { responder_spi: 0x44, ..v1_header(1) };
    let message = header.message(&[v1::certificate(65_000, 3)]);
    let rows = messages_of(&Tape::new().says(1, &message).pcap());
    assert_eq!(rows[0]["payloads"][0]["data"].as_str().map(str::len), Some(130_000));
    let report = report_of(&main_mode_psk().mm5_certificate(60_000).pcap());
    assert!(counts(&report).contains("ip_fragment"), "{}", counts(&report));
}
