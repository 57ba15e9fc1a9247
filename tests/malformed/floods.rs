//! R23, R26: more of everything than anybody needs. What is kept of it is small; the large floods are made here, and those of
//! millions of packets in `tests/floods.rs`.

use ikescope::base::Limits;
use ikescope::capture::Captures;
use ikescope::pipeline::{self, Options};
use ikescope::report::Report;
use serde_json::Value;

use crate::made::Made;
use crate::shown::*;
use crate::support::packet;
use crate::support::story::main_mode_psk;
use crate::support::{Capture, Header, Payload, v2};
use crate::tape::*;

pub const MADE: &[Made] = &[
    Made {
        name: "r23-made-up.pcap",
        shows: "a healthy tunnel between first messages of 300 made-up addresses and SPIs",
        make: made_up,
    },
    Made {
        name: "r26-crowded.pcap",
        shows: "an SA of 4,096 proposals, and one of 4,800 transforms in one proposal",
        make: crowds,
    },
];

fn made_up() -> Vec<u8> {
    let mut tape = Tape::new();
    for number in 0..300_u32 {
        let header = Header { initiator_spi: u64::from(number) << 40 | 0xabc, ..v2_header(1) };
        let from = std::net::SocketAddr::from((std::net::Ipv4Addr::from(0x0a00_0000 | number), 500));
        tape = tape.between(from, std::net::SocketAddr::new(RESPONDER, 500), &header.message(&[])).at_once();
        tape = tape.wait(50_000_000);
    }
    main_mode_psk().quick_mode().traffic(6).capture().merge(&tape.capture()).pcap()
}

#[test]
fn r23_a_tunnel_among_made_up_addresses_keeps_its_verdict_and_what_was_forgotten_is_counted() {
    let octets = committed("r23-made-up.pcap");
    let limits = Limits { pairs: 10, ..Limits::default() };
    for (limits, forgotten) in [(limits, 291), (Limits::default(), 0)] {
        let report = judged(octets.clone(), limits);
        assert_eq!(report["forgotten"]["pairs"], forgotten);
        let pair = list(&report["pairs"]).iter().find(|pair| pair["a"] == "203.0.113.10").expect("the tunnel's pair");
        assert_eq!(pair["verdict"], "OK-UP");
    }
}

fn crowds() -> Vec<u8> {
    Tape::new()
        .says(1, &v2_header(1).message(&[crowded(4_096, true)]))
        .says(2, &v2_header(2).message(&[crowded(4_800, false)]))
        .pcap()
}

#[test]
fn r26_a_crowd_of_proposals_or_transforms_is_shown_whole_and_kept_in_part() {
    let rows = messages("r26-crowded.pcap");
    let proposals = |row: usize| list(&rows[row]["payloads"][0]["proposals"]);
    assert_eq!((proposals(0).len(), list(&proposals(1)[0]["transforms"]).len()), (4_096, 4_800));
    let report = report("r26-crowded.pcap");
    assert_eq!(counts(&report), "ike 2");
    let offered = |attempt: usize| list(&report["attempts"][attempt]["offered"]);
    assert_eq!((offered(0).len(), list(&offered(1)[0]["transforms"]).len()), (128, 128));
}

/// The report under these limits.
fn judged(octets: Vec<u8>, limits: Limits) -> Value {
    let mut captures = Captures::from_reader("flood", std::io::Cursor::new(octets));
    let analysis = pipeline::analyze(&mut captures, &Options { limits, ..Options::default() }, &mut ());
    serde_json::to_value(Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis)).expect("JSON")
}

/// Many SPIs of one address, many addresses, and many ESP flows, each a hundredth of a second after the other.
fn flood(count: u32) -> Capture {
    let mut tape = Tape::new();
    for number in 0..count {
        let step = 990_000_000_u64;
        tape = tape.says(1, &with(v2_init(1), 0, &(u64::from(number) << 20 | 0xabc).to_be_bytes()));
        tape = tape.at_once().wait(1_000_000_000 - step);
        let address = std::net::IpAddr::V4(std::net::Ipv4Addr::from(0x0a00_0000 | number));
        let from = std::net::SocketAddr::new(address, 500);
        tape = tape.between(from, std::net::SocketAddr::new(RESPONDER, 500), &v2_init(2)).at_once();
        tape = tape.ip(peer(3), RESPONDER, packet::ESP, &packet::esp(0x1000 + number, 1, &[0xa5; 40])).at_once();
        tape = tape.wait(step / 99);
    }
    tape.capture()
}

#[test]
fn r23_what_does_not_fit_is_forgotten_and_counted() {
    const EACH: u32 = 2_000;
    let limits = Limits { pairs: 100, attempts: 300, flows: 200, ..Limits::default() };
    let report = judged(flood(EACH).pcap(), limits);
    assert_eq!(counts(&report), format!("esp {EACH}, ike {}", 2 * EACH));
    let table = |name: &str| list(&report[name]).len() as u64;
    let forgotten = |name: &str| report["forgotten"][name].as_u64().expect("a count");
    assert!(table("pairs") <= 100 && table("attempts") <= 300 && table("esp_flows") <= 200);
    assert!(
        table("pairs") > 50 && table("attempts") > 150 && table("esp_flows") > 50,
        "room is used: {} {} {}",
        table("pairs"),
        table("attempts"),
        table("esp_flows")
    );
    assert!(forgotten("pairs") + forgotten("attempts") > 0 && forgotten("flows") > 0, "{}", report["forgotten"]);
    // Without limits that small, nothing is.
    let whole = judged(flood(EACH).pcap(), Limits::default());
    assert_eq!((list(&whole["attempts"]).len(), list(&whole["esp_flows"]).len()), (2 * EACH as usize, EACH as usize));
    let sum: u64 = whole["forgotten"].as_object().expect("counts").values().filter_map(Value::as_u64).sum();
    assert_eq!(sum, 0);
}

/// A tunnel that was up before the flood began keeps its verdict.
#[test]
fn r23_a_tunnel_that_was_there_first_is_not_forgotten() {
    let limits = Limits { pairs: 100, attempts: 300, flows: 200, ..Limits::default() };
    let tunnel = main_mode_psk().quick_mode().traffic(6).capture().shift_time(-60);
    let report = judged(tunnel.merge(&flood(2_000)).pcap(), limits);
    let pair = list(&report["pairs"]).iter().find(|pair| pair["a"] == "203.0.113.10").expect("the tunnel's pair");
    assert!(pair["verdict"].as_str().is_some_and(|verdict| verdict.starts_with("OK-")), "{pair}");
}

/// An SA with `count` proposals of one transform, or one proposal of `count` transforms, each as short as can be.
fn crowded(count: usize, as_proposals: bool) -> Payload {
    let last = |at: usize, more: u8| if at + 1 < count { more } else { 0 };
    let mut body = Vec::new();
    if as_proposals {
        for at in 0..count {
            body.extend([last(at, 2), 0, 0, 8, at as u8, 1, 0, 0]);
        }
    } else {
        body.extend([0, 0]);
        body.extend((8 + 8 * count as u16).to_be_bytes());
        body.extend([1, 1, 0, count as u8]);
        for at in 0..count {
            body.extend([last(at, 3), 0, 0, 8, 1, 0, 0, at as u8]);
        }
    }
    Payload::new(33, body)
}

/// The largest SA that IP carries is read as far as anybody can use it, and its refusal is explained in finite words.
#[test]
fn r26_an_sa_of_8000_parts_is_read_once() {
    for as_proposals in [true, false] {
        let sa = crowded(8_000, as_proposals);
        let refused = Header { responder_spi: 0x55, flags: v2::RESPONSE, ..v2_header(1) };
        let capture = Tape::new()
            .says(1, &v2_header(1).message(&[sa, v2::key_exchange(31, 1), v2::nonce(32, 2)]))
            .hears(1, &refused.message(&[v2::notify(v2::NO_PROPOSAL_CHOSEN, &[])]))
            .pcap();
        let rows = messages_of(&capture);
        let proposals = list(&rows[0]["payloads"][0]["proposals"]);
        let parts = if as_proposals { proposals.len() } else { list(&proposals[0]["transforms"]).len() };
        assert_eq!(parts, 8_000, "single messages are shown whole");
        // A number of transforms has eight bits: 8,000 of them is a lie, found where it stands.
        let expected = if as_proposals { "1: whole" } else { "1: number of transforms at 39: unexpected value 64" };
        assert_eq!(faults(&rows)[0], expected);
        let report = report_of(&capture);
        assert_eq!(counts(&report), "ike 2");
        // The report keeps what a person can read.
        let offered = list(&report["attempts"][0]["offered"]);
        let kept = if as_proposals { offered.len() } else { list(&offered[0]["transforms"]).len() };
        assert_eq!(kept, 128);
        assert!(run(&[], &capture).stdout.len() < 60_000);
    }
}
