//! R14 to R17: messages in IKE fragments and datagrams in IP fragments that contradict each other.

use serde_json::Value;

use crate::made::Made;
use crate::shown::*;
use crate::support::packet;
use crate::support::story::{ikev2_psk, main_mode_psk};
use crate::support::verdict::findings;
use crate::support::{Header, Payload, Scenario, Side, secs, v1, v2};
use crate::tape::*;

pub const MADE: &[Made] = &[
    Made {
        name: "r14-nested.pcap",
        shows: "fragments (payload 132) of a message that is a fragment itself",
        make: nested,
    },
    Made {
        name: "r15-skf.pcap",
        shows: "SKF numbers of 0, above the total, in changing totals, twice, and of two clients behind one NAT",
        make: skf,
    },
    Made {
        name: "r16-v1-fragments.pcap",
        shows: "payload 132 with two ends, ids 0 and 65535, and two sessions at once",
        make: v1_fragments,
    },
    Made {
        name: "r17-ip-fragments.pcap",
        shows: "IP fragments that overlap, nest, lack an end or a start, and use an id again",
        make: ip_fragments,
    },
];

/// A header of a Main Mode under way, case `n`.
fn main_mode(n: u8) -> Header {
    Header { responder_spi: 0x99, ..v1_header(n) }
}

fn nested() -> Vec<u8> {
    let innermost = main_mode(1).message(&[v1::key_exchange(14, 1), v1::nonce(32, 2)]);
    let (one, two) = innermost.split_at(150);
    let middle: Vec<Vec<u8>> = [(1, false, one), (2, true, two)]
        .map(|(number, last, data)| main_mode(1).message(&[v1::fragment(8, number, last, data)]))
        .into();
    // The fragments of the inner message, each split into fragments once more.
    let mut tape = Tape::new();
    for (id, message) in middle.iter().enumerate() {
        for outer in v1::fragments(message, id as u16 + 1, &main_mode(1), 120) {
            tape = tape.says(1, &outer);
        }
    }
    // And fragments that hold themselves, ten deep.
    let mut message = main_mode(2).message(&[v1::nonce(16, 1)]);
    for depth in 0..10 {
        message = main_mode(2).message(&[v1::fragment(depth, 1, true, &message)]);
    }
    tape.says(2, &message).pcap()
}

#[test]
fn r14_what_was_put_together_is_not_taken_apart_again() {
    let rows = messages("r14-nested.pcap");
    let whole: Vec<&Value> = rows.iter().map(|row| &row["reassembled"]).filter(|whole| !whole.is_null()).collect();
    // Both inner fragments became whole; the message that they are parts of did not, and no deeper one was looked for.
    assert_eq!(whole.len(), 3);
    for inner in &whole {
        assert_eq!(inner["payloads"][0]["type"], 132);
        assert!(inner["reassembled"].is_null() && inner["payloads"][0]["payloads"].is_null());
    }
    let report = report("r14-nested.pcap");
    assert_eq!(counts(&report), format!("ike {}", rows.len()));
    let carried: Vec<u64> = list(&report["exchanges"])
        .iter()
        .flat_map(|exchange| list(&exchange["messages"]))
        .flat_map(|message| list(&message["carried"]))
        .filter_map(|payload| payload["type"].as_u64().or_else(|| payload["payload_type"].as_u64()))
        .collect();
    assert!(carried.iter().all(|&kind| kind == 132), "no payload from a second level: {carried:?}");
}

/// IKE_AUTH of case `n` with SKF number `number` of `total`.
fn sealed(n: u8, message_id: u32, number: u16, total: u16, filler: u8) -> Vec<u8> {
    let body = [&number.to_be_bytes()[..], &total.to_be_bytes(), &[filler; 64]].concat();
    Header { responder_spi: 0x66, exchange_type: v2::exchange::AUTH, message_id, ..v2_header(n) }
        .message(&[Payload { next: Some(35), ..Payload::new(53, body) }])
}

fn skf() -> Vec<u8> {
    let mut tape = Tape::new();
    /// Message id, number, total.
    type Number = (u32, u16, u16);
    let cases: &[(u8, &[Number])] = &[
        (1, &[(1, 0, 2), (1, 1, 2)]),
        (2, &[(1, 0, 0)]),
        (3, &[(1, 3, 2), (1, 1, 2)]),
        (4, &[(1, 1, 3), (1, 2, 2), (1, 3, 3)]),
        (5, &[(1, 1, 65_535), (1, 65_535, 65_535)]),
        // The same number with other octets, and the first one missing.
        (6, &[(1, 2, 3), (1, 2, 3), (1, 3, 3)]),
        // Two message ids at once; neither is whole with the other's fragments.
        (7, &[(1, 1, 2), (2, 2, 2)]),
    ];
    for (n, fragments) in cases {
        for (at, (message_id, number, total)) in fragments.iter().enumerate() {
            tape = tape.says(*n, &sealed(*n, *message_id, *number, *total, at as u8));
        }
    }
    // Two clients behind one NAT: one address, two ports, two SPIs, fragments in turn.
    let from = |port| std::net::SocketAddr::new(peer(8), port);
    let to = std::net::SocketAddr::new(RESPONDER, 4500);
    for number in 1..=2 {
        for (port, n) in [(10_001, 81), (10_002, 82)] {
            tape = tape.between(from(port), to, &packet::marked(&sealed(n, 1, number, 2, n)));
        }
    }
    tape.pcap()
}

/// Of every message in the report: who, fragments seen, and what is missing.
fn sets(report: &Value) -> Vec<String> {
    list(&report["exchanges"])
        .iter()
        .flat_map(|exchange| list(&exchange["messages"]))
        .map(|message| {
            let missing = &message["ike_fragments_missing"];
            let missing = match missing["first_missing"].as_u64() {
                Some(first) => format!("{first} of {} is missing", missing["total"]),
                None => "whole".to_owned(),
            };
            format!("{} {}: {missing}", message["source"].as_str().unwrap_or("?"), message["ike_fragments"])
        })
        .collect()
}

#[test]
fn r15_fragments_are_counted_by_number_and_never_across_messages() {
    let rows = messages("r15-skf.pcap");
    let lies: Vec<String> = faults(&rows).into_iter().filter(|fault| !fault.ends_with("whole")).collect();
    let expected = [
        "1: fragment number at 32: unexpected value 0",
        "3: fragment number at 32: unexpected value 0",
        "4: fragment number at 32: unexpected value 3",
    ];
    assert_eq!(lies, expected);
    let report = report("r15-skf.pcap");
    assert_eq!(counts(&report), "ike 19");
    let expected = [
        "203.0.113.1:500 1: 2 of 2 is missing",
        "203.0.113.2:500 0: 1 of null is missing",
        "203.0.113.3:500 1: 2 of 2 is missing",
        "203.0.113.4:500 2: 2 of 3 is missing",
        "203.0.113.5:500 1: 2 of 65535 is missing",
        "203.0.113.6:500 2: 1 of 3 is missing",
        "203.0.113.7:500 1: 2 of 2 is missing",
        "203.0.113.7:500 1: 1 of 2 is missing",
        "203.0.113.8:10001 2: whole",
        "203.0.113.8:10002 2: whole",
    ];
    assert_eq!(sets(&report), expected);
    assert_eq!(list(&report["attempts"]).len(), 9, "one a client, and two behind the NAT");
}

/// A response in no fragments at all brings nothing up.
#[test]
fn r15_an_answer_in_fragment_0_of_0_establishes_nothing() {
    let story = Scenario::new().ikev2_init(&v2::ike_cbc(31));
    let (initiator_spi, responder_spi) = story.ike_spis();
    let body = [&[0, 0, 0, 0][..], &[7; 64]].concat();
    let asked = Header { initiator_spi, responder_spi, exchange_type: 35, message_id: 1, ..v2_header(1) };
    let answer = Header { flags: v2::RESPONSE, ..asked };
    let skf = Payload { next: Some(36), ..Payload::new(53, body) };
    let story = story.raw(Side::Initiator, &asked.message(&[v2::encrypted(v2::Suite::AES_CBC_SHA2_256, &[], 1)]));
    let report = report_of(&story.raw(Side::Responder, &answer.message(&[skf])).quiet(secs(20)).pcap());
    assert_ne!(report["attempts"][0]["outcome"], "established");
}

fn v1_fragments() -> Vec<u8> {
    let whole = |n: u8| main_mode(n).message(&[v1::key_exchange(14, u64::from(n)), v1::nonce(32, 2)]);
    let part = |n: u8, id: u16, number: u8, last: bool, data: &[u8]| {
        main_mode(n).message(&[v1::fragment(id, number, last, data)])
    };
    let (a, b) = (whole(1), whole(2));
    let (c, d) = (whole(3), whole(4));
    Tape::new()
        // The end is announced twice: first too early, then right.
        .says(1, &part(1, 0, 1, false, &a[..100]))
        .says(1, &part(1, 0, 3, true, &a[200..]))
        .says(1, &part(1, 0, 2, true, &a[100..200]))
        // Number 0 belongs nowhere; the id is the highest there is.
        .says(2, &part(2, 65_535, 0, true, &b[..50]))
        .says(2, &part(2, 65_535, 2, true, &b[150..]))
        .says(2, &part(2, 65_535, 1, false, &b[..150]))
        // Two sessions of one peer with the same id, fragment by fragment.
        .says(3, &part(3, 7, 1, false, &c[..150]))
        .between(
            "203.0.113.3:500".parse().unwrap(),
            "198.51.100.7:500".parse().unwrap(),
            &part(4, 7, 1, false, &d[..150]),
        )
        .says(3, &part(3, 7, 2, true, &c[150..]))
        .between(
            "203.0.113.3:500".parse().unwrap(),
            "198.51.100.7:500".parse().unwrap(),
            &part(4, 7, 2, true, &d[150..]),
        )
        // What is put together is no message: too short for a header, and of a version that there is not.
        .says(5, &part(5, 1, 1, true, &[1, 2, 3]))
        .says(6, &part(6, 1, 1, true, &with(whole(6), 17, &[0x70])))
        // A fragment that holds nothing, and one whose number is the highest.
        .says(7, &part(7, 1, 1, true, &[]))
        .says(8, &part(8, 1, 255, true, &[9; 40]))
        .pcap()
}

#[test]
fn r16_fragments_find_each_other_by_cookies_and_id() {
    let rows = messages("r16-v1-fragments.pcap");
    let whole: Vec<(u64, u64)> = rows
        .iter()
        .filter(|row| row["reassembled"].is_object())
        .map(|row| {
            (row["frame"].as_u64().unwrap_or(0), row["reassembled"]["payloads"][0]["length"].as_u64().unwrap_or(0))
        })
        .collect();
    // Frames that completed a message, with the length of its KE payload.
    assert_eq!(whole, [(3, 260), (6, 260), (9, 260), (10, 260)]);
    assert!(rows.iter().filter(|row| row["reassembled"].is_object()).all(|row| row["reassembled"]["fault"].is_null()));
    assert_eq!(faults(&rows)[3], "4: fragment number at 34: unexpected value 0");
    let report = report("r16-v1-fragments.pcap");
    assert_eq!(counts(&report), "ike 14");
    let unreadable: Vec<String> = list(&report["malformed"])
        .iter()
        .map(|row| format!("{} {}", row["source"].as_str().unwrap_or("?"), fault(&row["fault"])))
        .collect();
    let expected = [
        "203.0.113.5 header at 3: truncated need 28 have 3",
        "203.0.113.6 version at 17: unexpected value 7",
        "203.0.113.7 header at 0: truncated need 28 have 0",
    ];
    assert_eq!(unreadable, expected);
}

fn ip_fragments() -> Vec<u8> {
    let datagram = |n: u8, length: usize| {
        let message = v2_header(n).message(&[v2::sa(&[v2::ike_cbc(31)]), v2::vendor_id(&vec![n; length])]);
        packet::udp(std::net::SocketAddr::new(peer(n), 500), std::net::SocketAddr::new(RESPONDER, 500), &message)
    };
    let of = |n: u8| datagram(n, 400);
    let changed = |n: u8| {
        let mut other = of(n);
        other.iter_mut().skip(104).for_each(|octet| *octet = 0xee);
        other
    };
    let end = of(1).len();
    let tape = Tape::new()
        // Whole, for comparison.
        .numbered(100)
        .fragment(1, 0, true, &of(1)[..200])
        .numbered(100)
        .fragment(1, 200, false, &of(1)[200..])
        // An overlap with the same octets, and one with others: the first to come is believed.
        .numbered(200)
        .fragment(2, 0, true, &of(2)[..200])
        .numbered(200)
        .fragment(2, 104, true, &of(2)[104..304])
        .numbered(200)
        .fragment(2, 304, false, &of(2)[304..])
        .numbered(300)
        .fragment(3, 0, true, &of(3)[..200])
        .numbered(300)
        .fragment(3, 104, true, &changed(3)[104..304])
        .numbered(300)
        .fragment(3, 304, false, &of(3)[304..])
        // Teardrop: the second lies within the first.
        .numbered(400)
        .fragment(4, 0, true, &of(4)[..200])
        .numbered(400)
        .fragment(4, 24, false, &of(4)[24..48])
        // Beyond 64 KiB, and nothing at all.
        .numbered(500)
        .fragment(5, 65_528, true, &[5; 400])
        .numbered(600)
        .fragment(6, 64, true, &[])
        // Without its start, without its end, and with a gap.
        .numbered(700)
        .fragment(7, 200, false, &of(7)[200..])
        .numbered(800)
        .fragment(8, 0, true, &of(8)[..200])
        .numbered(900)
        .fragment(9, 0, true, &of(9)[..200])
        .numbered(900)
        .fragment(9, 304, false, &of(9)[304..]);
    // One identification, two datagrams, the second only begun.
    let tape = tape
        .numbered(77)
        .fragment(10, 0, true, &of(10)[..200])
        .numbered(77)
        .fragment(10, 200, false, &of(10)[200..])
        .wait(90_000_000_000)
        .numbered(77)
        .fragment(10, 0, true, &changed(10)[..200]);
    // Two ends that do not agree.
    tape.numbered(88)
        .fragment(11, 0, true, &of(11)[..200])
        .numbered(88)
        .fragment(11, 304, false, &of(11)[304..end - 8])
        .numbered(88)
        .fragment(11, 304, false, &of(11)[304..])
        .pcap()
}

#[test]
fn r17_fragments_become_a_datagram_once_and_a_doubt_about_it_is_told() {
    let rows = messages("r17-ip-fragments.pcap");
    let shown: Vec<String> = rows
        .iter()
        .map(|row| {
            let doubt = if row["ambiguous_overlap"] == true { " in doubt" } else { "" };
            format!("{} from {}{doubt}: {}", row["frame"], row["source"].as_str().unwrap_or("?"), fault(&row["fault"]))
        })
        .collect();
    let expected = [
        "2 from 203.0.113.1:500: whole",
        "5 from 203.0.113.2:500: whole",
        "8 from 203.0.113.3:500 in doubt: whole",
        "18 from 203.0.113.10:500: whole",
    ];
    assert_eq!(shown, expected);
    // The octets of whoever came first: only what the first fragment did not bring is taken from the second.
    let expected = ["03".repeat(112), "ee".repeat(104), "03".repeat(184)].concat();
    assert_eq!(rows[2]["payloads"][1]["data"], expected);
    let report = report("r17-ip-fragments.pcap");
    assert_eq!(counts(&report), "ike 4, ip_fragment 16, malformed 2");
    let given_up: Vec<String> = list(&report["incomplete"])
        .iter()
        .map(|row| {
            let word = |key: &str| row[key].as_str().unwrap_or("?").to_owned();
            format!("{} {} {} of {} {}", word("source"), row["ip_id"], row["have"], row["total"], word("reason"))
        })
        .collect();
    let expected = [
        "203.0.113.4 400 200 of null evicted",
        "203.0.113.4 400 24 of 48 timed-out",
        "203.0.113.7 700 288 of 488 timed-out",
        "203.0.113.8 800 200 of null timed-out",
        "203.0.113.9 900 384 of 488 timed-out",
        "203.0.113.10 77 200 of null capture-ended",
        "203.0.113.11 88 376 of 480 evicted",
        "203.0.113.11 88 184 of 488 capture-ended",
    ];
    assert_eq!(given_up, expected);
    assert_eq!(
        notes(&report),
        ["1 datagram in IP fragments that overlap with different octets: the receiver may have read something else"]
    );
    let text = String::from_utf8(run(&[], &committed("r17-ip-fragments.pcap")).stdout).expect("UTF-8");
    assert!(text.contains("overlap with different octets"), "{text}");
}

/// Fragments that never become whole do not grow without bound, and what was given up for room is said.
#[test]
fn r15_r16_r17_a_flood_of_beginnings_is_given_up_and_counted() {
    let mut tape = Tape::new();
    for id in 0..20_000_u16 {
        tape = tape.numbered(id).at_once().fragment(
            1,
            0,
            true,
            &[0x01, 0xf4, 0x01, 0xf4, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        );
    }
    let report = report_of(&tape.pcap());
    assert_eq!(counts(&report), "ip_fragment 20000");
    assert!(!list(&report["incomplete"]).is_empty());
    let evicted = list(&report["incomplete"]).iter().filter(|row| row["reason"] == "evicted").count();
    assert!(evicted > 0, "no more than the limit wait at once");
}

/// A healthy tunnel beside all that keeps its verdict.
#[test]
fn r15_fragments_in_order_are_no_fault() {
    for capture in [
        ikev2_psk().capture().merge(&crate::support::Capture::read_pcap(&skf())),
        main_mode_psk().quick_mode().capture().merge(&crate::support::Capture::read_pcap(&v1_fragments())),
    ] {
        let report = report_of(&capture.pcap());
        let peers = |pair: &&Value| pair["a"] == "203.0.113.10" || pair["b"] == "203.0.113.10";
        let pair = list(&report["pairs"]).iter().find(peers).expect("the healthy pair");
        assert!(pair["verdict"].as_str().is_some_and(|verdict| verdict.starts_with("OK-")), "{pair}");
        assert!(findings(&report, "F-SKF-INCOMPLETE").iter().all(|finding| finding["pair"] != pair["id"]));
    }
}
