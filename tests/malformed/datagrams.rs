//! R18, R19, R27, R28, R31, R32: ESP, AH, ciphertexts, TCP streams, ICMP errors and copies.

use ikescope::base::Limits;
use ikescope::capture::Captures;
use ikescope::pipeline::{self, Options};
use ikescope::report::Report;
use serde_json::Value;

use crate::made::Made;
use crate::shown::*;
use crate::support::packet;
use crate::support::story::{ikev2_psk, main_mode_psk};
use crate::support::verdict::verdicts;
use crate::support::{Header, Link, Payload, Scenario, Side, ms, v1, v2};
use crate::tape::*;

pub const MADE: &[Made] = &[
    Made { name: "r18-esp.pcap", shows: "ESP of 0 to 8 octets, and sequence numbers that wrap", make: esp },
    Made {
        name: "r19-ah.pcap",
        shows: "AH that is cut short or claims 0 and 255 words, around ESP and around IP",
        make: ah,
    },
    Made {
        name: "r27-ciphertext.pcap",
        shows: "ciphertexts shorter than an IV and of no whole blocks",
        make: ciphertext,
    },
    Made {
        name: "r28-tcp.pcap",
        shows: "IKE in TCP: prefix and length in pieces, lengths 0 and 1, overlaps, a gap",
        make: tcp,
    },
    Made { name: "r31-icmp.pcap", shows: "ICMP errors that quote IKE and ESP, whole and cut anywhere", make: icmp },
    Made { name: "r32-twice.pcap", shows: "a healthy tunnel, every frame recorded twice: a mirror port", make: twice },
    Made { name: "r32-two-hops.pcap", shows: "the same, before and behind a router", make: two_hops },
    Made { name: "r32-tagged.pcap", shows: "the same, with and without a VLAN tag", make: tagged },
];

fn esp() -> Vec<u8> {
    let mut tape = Tape::new();
    for length in 0..=8_u32 {
        let packet = packet::esp(0xc000_0001, length, &[]);
        tape = tape.ip(peer(1), RESPONDER, packet::ESP, &packet[..length as usize]);
    }
    // The lowest and the highest number, then over the edge (RFC 4303 §2.2: ESN counts on).
    for sequence in [u32::MAX - 1, u32::MAX, 0, 1, 3] {
        tape = tape.ip(peer(2), RESPONDER, packet::ESP, &packet::esp(0xc000_0002, sequence, &[0xa5; 80]));
    }
    // SPI 0 and the reserved ones below 256 (RFC 4303 §2.1).
    for spi in [0, 1, 255] {
        tape = tape.ip(peer(3), RESPONDER, packet::ESP, &packet::esp(spi, 1, &[0xa5; 80]));
    }
    tape.pcap()
}

#[test]
fn r18_esp_too_short_is_malformed_and_a_wrap_is_no_loss() {
    let report = report("r18-esp.pcap");
    assert_eq!(counts(&report), "esp 9, malformed 8");
    let flows: Vec<String> = list(&report["esp_flows"])
        .iter()
        .map(|flow| {
            let spi = flow["spi"].as_str().unwrap_or("?");
            format!(
                "{spi} {} packets, {} lost, to {}, {} resets",
                flow["packets"], flow["lost"], flow["last_sequence"], flow["resets"]
            )
        })
        .collect();
    let expected = [
        "c0000001 1 packets, 0 lost, to 8, 0 resets",
        "c0000002 5 packets, 1 lost, to 3, 0 resets",
        "00000000 1 packets, 0 lost, to 1, 0 resets",
        "00000001 1 packets, 0 lost, to 1, 0 resets",
        "000000ff 1 packets, 0 lost, to 1, 0 resets",
    ];
    assert_eq!(flows, expected);
    assert_eq!(list(&report["esp_flows"])[0]["octets"], 8);
    // The roll-over is told as that, and as nothing worse.
    assert_eq!(findings(&report), ["C-ESP-NO-IKE", "T-SEQ-WRAP"]);
}

fn ah() -> Vec<u8> {
    let esp = packet::esp(0xc000_0009, 1, &[0xa5; 60]);
    let whole = packet::ah(packet::ESP, 0xa000_0001, 1, &esp);
    let inner = packet::Ip { source: peer(9), destination: RESPONDER, id: 1, ttl: 60 }.packet(packet::ESP, &esp);
    let tunnel = packet::ah(4, 0xa000_0001, 2, &inner);
    let mut tape = Tape::new();
    for payload in [&whole[..0], &whole[..11], &whole[..12], &whole] {
        tape = tape.ip(peer(1), RESPONDER, packet::AH, payload);
    }
    // The length field, in words less two: nothing, and more than there is (RFC 4302 §2.2).
    for words in [0, 255] {
        tape = tape.ip(peer(2), RESPONDER, packet::AH, &with(tunnel.clone(), 1, &[words]));
    }
    // AH in AH in AH.
    let nested = (0..40).fold(tunnel, |inside, depth| packet::ah(packet::AH, 0xa000_0100 + depth, 1, &inside));
    tape.ip(peer(3), RESPONDER, packet::AH, &nested).pcap()
}

#[test]
fn r19_ah_is_counted_by_its_own_header_and_not_opened() {
    let report = report("r19-ah.pcap");
    assert_eq!(counts(&report), "ah 5, malformed 2");
    let spis: Vec<(&str, u64)> = list(&report["esp_flows"])
        .iter()
        .filter_map(|flow| Some((flow["spi"].as_str()?, flow["packets"].as_u64()?)))
        .collect();
    // What AH wraps is part of it: no ESP flow from inside.
    assert_eq!(spis, [("a0000001", 2), ("a0000001", 2), ("a0000127", 1)]);
    assert!(list(&report["esp_flows"]).iter().all(|flow| flow["protocol"] == "ah"));
}

/// IKE_AUTH of case `n` whose SK payload holds `length` octets.
fn sealed(n: u8, length: usize) -> Vec<u8> {
    let header = Header { responder_spi: 0x66, exchange_type: v2::exchange::AUTH, message_id: 1, ..v2_header(n) };
    header.message(&[Payload { next: Some(35), ..Payload::new(46, vec![0xa5; length]) }])
}

fn ciphertext() -> Vec<u8> {
    let mut tape = Tape::new();
    for (length, n) in [0, 1, 7, 8, 15, 16, 31, 33, 47, 49].into_iter().zip(1..) {
        tape = tape.says(n, &sealed(n, length));
    }
    for (length, n) in [0, 1, 7, 8, 9, 17].into_iter().zip(20..) {
        let header = Header { responder_spi: 0x99, flags: v1::ENCRYPTED, ..v1_header(n) };
        tape = tape.says(n, &header.around(5, &vec![0xa5; length]));
    }
    tape.pcap()
}

#[test]
fn r27_nothing_is_decrypted_and_nothing_claimed_of_what_could_not_be() {
    let rows = messages("r27-ciphertext.pcap");
    assert_eq!(rows.len(), 16);
    assert!(rows.iter().all(|row| row["encrypted"] == true && row["fault"].is_null()), "{:?}", faults(&rows));
    let sizes: Vec<u64> = rows.iter().filter_map(|row| row["payloads"][0]["data_length"].as_u64()).collect();
    assert_eq!(sizes, [0, 1, 7, 8, 15, 16, 31, 33, 47, 49]);
    let report = report("r27-ciphertext.pcap");
    assert_eq!(counts(&report), "ike 16");
    assert!(attempts(&report).iter().all(|attempt| !attempt.ends_with("established")));
}

/// Which sizes a plaintext may have had is reckoned from the length of a message. No length makes that go below nothing.
#[test]
fn r27_every_length_of_a_ciphertext_is_reckoned_with() {
    for length in (0..=80).chain([65_000]) {
        let body = |n: usize| Payload { next: Some(36), ..Payload::new(46, vec![0x5a; n]) };
        let story = Scenario::new().ikev2_init(&v2::ike_cbc(31));
        let (initiator_spi, responder_spi) = story.ike_spis();
        let asked = Header { initiator_spi, responder_spi, exchange_type: 35, message_id: 1, ..v2_header(1) };
        let answer = Header { flags: v2::RESPONSE, ..asked };
        let story = story.raw(Side::Initiator, &asked.message(&[body(200)]));
        let v2_report = report_of(&story.raw(Side::Responder, &answer.message(&[body(length)])).pcap());
        assert_eq!(list(&v2_report["attempts"]).len(), 1, "{length} octets");

        let story = Scenario::new().mm1(&[crate::support::story::usual_transform()]);
        let story = story.mm2(&crate::support::story::usual_transform()).mm3().mm4().mm5();
        let (initiator_spi, responder_spi) = story.ike_spis();
        let header = Header { initiator_spi, responder_spi, flags: v1::ENCRYPTED, ..v1_header(1) };
        let mm6 = story.raw(Side::Responder, &header.around(5, &vec![0x5a; length]));
        assert_eq!(list(&report_of(&mm6.pcap())["attempts"]).len(), 1, "{length} octets");
    }
}

/// One segment of case `n`'s connection to port 4500.
fn segment(tape: Tape, n: u8, sequence: u32, payload: &[u8]) -> Tape {
    let (from, to) = (std::net::SocketAddr::new(peer(n), 40_000), std::net::SocketAddr::new(RESPONDER, 4500));
    tape.ip(peer(n), RESPONDER, packet::TCP, &packet::tcp(from, to, sequence, 1, packet::ACK, payload))
}

fn tcp() -> Vec<u8> {
    let record = |n: u8| packet::streamed(&v2_init(n));
    let length = record(1).len() as u32;
    let mut tape = Tape::new();
    // 1: the prefix, the length and the message in pieces.
    let mut at = 1;
    for piece in [&b"IK"[..], b"ETC", b"P", &record(1)[..1], &record(1)[1..2], &record(1)[2..40], &record(1)[40..]] {
        tape = segment(tape, 1, at, piece);
        at += piece.len() as u32;
    }
    // 2 and 3: a record of length 0, of length 1, and one that is right again.
    for (n, length) in [(2, 0_u16), (3, 1)] {
        tape = segment(tape, n, 1, &[&b"IKETCP"[..], &length.to_be_bytes(), &[0; 30]].concat());
        tape = segment(tape, n, 39, &record(n));
    }
    // 4: the same octets again, and segments that overlap.
    tape = segment(tape, 4, 1, b"IKETCP");
    tape = segment(tape, 4, 7, &record(4)[..60]);
    tape = segment(tape, 4, 7, &record(4)[..60]);
    tape = segment(tape, 4, 37, &record(4)[30..]);
    // 5: a segment is missing, and what comes behind it is found again at the end.
    tape = segment(tape, 5, 1, &[&b"IKETCP"[..], &record(5)].concat());
    tape = segment(tape, 5, 7 + 2 * length, &record(55));
    // 6: no record and no prefix.
    tape = segment(tape, 6, 1, b"GET / HTTP/1.1\r\n");
    // 7: a record of the greatest length, of which little comes.
    tape = segment(tape, 7, 1, &[&b"IKETCP"[..], &[0xff, 0xff], &[0; 40]].concat());
    tape.pcap()
}

#[test]
fn r28_records_are_found_in_streams_however_they_are_cut() {
    let rows = messages("r28-tcp.pcap");
    let spis: Vec<(u64, &str)> =
        rows.iter().filter_map(|row| Some((row["frame"].as_u64()?, row["initiator_spi"].as_str()?))).collect();
    let expected = [
        (7, "2200000000000001"),
        (9, "2200000000000002"),
        (11, "2200000000000003"),
        (15, "2200000000000004"),
        (16, "2200000000000005"),
        (17, "2200000000000037"),
    ];
    assert_eq!(spis, expected);
    assert!(rows.iter().all(|row| row["fault"].is_null() && row["retransmission_of"].is_null()));
    let report = report("r28-tcp.pcap");
    assert_eq!(counts(&report), "ike 5, malformed 2, other 12");
    assert_eq!(
        notes(&report),
        ["1 gap in TCP streams: what was sent there was not captured, and is not in this report"]
    );
}

/// Gaps are told of the capture that has them.
#[test]
fn r28_a_gap_belongs_to_its_capture() {
    let folder = crate::files::Folder::new("gaps");
    let broken = folder.write("broken.pcap", &tcp());
    let whole = folder.write("whole.pcap", &ikev2_psk().pcap());
    let run = crate::files::ikescope(&["--format", "json", &whole, &broken]);
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    let notes: Vec<usize> = list(&report["captures"]).iter().map(|capture| list(&capture["notes"]).len()).collect();
    assert_eq!(notes, [0, 1]);
}

/// Streams beyond the limit are not followed, and that is said.
#[test]
fn r28_streams_that_are_forgotten_are_counted() {
    let mut tape = Tape::new();
    for n in 1..=20 {
        tape = segment(tape, n, 1, b"IKETCP");
    }
    for n in 1..=20 {
        tape = segment(tape, n, 7, &packet::streamed(&v2_init(n)));
    }
    let octets = tape.pcap();
    let limits = Limits { streams: 8, ..Limits::default() };
    let report = |limits: Limits| {
        let mut captures = Captures::from_reader("streams", std::io::Cursor::new(octets.clone()));
        let options = Options { limits, ..Options::default() };
        let analysis = pipeline::analyze(&mut captures, &options, &mut ());
        serde_json::to_value(Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis)).expect("JSON")
    };
    // Both directions of a connection count; a record behind a forgotten prefix is found again on port 4500.
    let few = report(limits);
    assert!(few["forgotten"]["streams"].as_u64().is_some_and(|streams| streams >= 32), "{}", few["forgotten"]);
    assert_eq!(report(Limits::default())["forgotten"]["streams"], 0);
}

fn icmp() -> Vec<u8> {
    let router = "192.0.2.254".parse().expect("an address");
    let mut tape = Tape::new();
    let ike = Tape::new().says(1, &v2_init(1)).last_packet();
    let esp = Tape::new().ip(peer(2), RESPONDER, packet::ESP, &packet::esp(0xc000_0002, 7, &[0xa5; 60])).last_packet();
    let natted = Tape::new().on(3, 4500, &packet::marked(&v2_init(3))).last_packet();
    // Half a UDP header, a whole one, some of the message, its header, all of it.
    for quote in [20, 24, 28, 40, 56, 1000] {
        tape = quoting(tape, router, 1, (3, 3), &ike, quote);
    }
    for quote in [20, 22, 28] {
        tape = quoting(tape, router, 2, (3, 13), &esp, quote);
    }
    tape = quoting(tape, router, 3, (11, 0), &natted, 1000);
    // An error about an error, and one that quotes the other IP version.
    let error = packet::icmp_error(router, peer(1), (3, 3), 0, &ike, 1000);
    let again = packet::Ip { source: router, destination: peer(4), id: 1, ttl: 60 }.packet(packet::ICMP, &error);
    tape = quoting(tape, router, 4, (3, 3), &again, 1000);
    tape = quoting(tape, router, 5, (3, 3), &[0x60; 48], 1000);
    // Errors whose own header is cut.
    tape = tape.ip(router, peer(6), packet::ICMP, &[3, 3, 0, 0]);
    tape.pcap()
}

fn quoting(tape: Tape, router: std::net::IpAddr, n: u8, kind: (u8, u8), about: &[u8], quote: usize) -> Tape {
    tape.ip(router, peer(n), packet::ICMP, &packet::icmp_error(router, peer(n), kind, 0, about, quote))
}

#[test]
fn r31_what_an_error_quotes_is_no_message_and_opens_no_negotiation() {
    let report = report("r31-icmp.pcap");
    assert_eq!(counts(&report), "icmp_error 9, other 4");
    assert!(messages("r31-icmp.pcap").is_empty());
    assert!(list(&report["attempts"]).is_empty() && list(&report["esp_flows"]).is_empty());
    let about: Vec<String> = list(&report["icmp_errors"])
        .iter()
        .map(|error| {
            let spi = error["initiator_spi"].as_str().unwrap_or("-");
            let word = |key: &str| error[key].as_str().unwrap_or("?").to_owned();
            format!("{} about {} {spi} ×{}", word("quoted_source"), word("about"), error["count"])
        })
        .collect();
    let expected = [
        "203.0.113.1 about isakmp - ×3",
        "203.0.113.1 about isakmp 2200000000000001 ×2",
        "203.0.113.2 about esp - ×3",
        "203.0.113.3 about isakmp 2200000000000003 ×1",
    ];
    assert_eq!(about, expected);
}

fn healthy() -> Scenario {
    main_mode_psk().quick_mode().traffic(6)
}

fn twice() -> Vec<u8> {
    healthy().capture().double_every_frame().pcap()
}

fn two_hops() -> Vec<u8> {
    healthy().capture().double_across_a_hop(ms(2)).pcap()
}

fn tagged() -> Vec<u8> {
    let mut capture = healthy().capture();
    let frames = std::mem::take(&mut capture.frames);
    for frame in frames {
        let packet = Link::Ethernet.unwrap(&frame.octets).expect("an IP packet");
        let octets = Link::Vlan(100).wrap(packet);
        let copy = crate::support::capture::Frame { at: frame.at + 5_000, wire_length: octets.len(), octets };
        capture.frames.extend([frame, copy]);
    }
    capture.pcap()
}

#[test]
fn r32_a_packet_recorded_twice_is_not_sent_twice() {
    let once = report_of(&healthy().pcap());
    for name in ["r32-twice.pcap", "r32-two-hops.pcap", "r32-tagged.pcap"] {
        let rows = messages(name);
        assert!(rows.iter().all(|row| row["retransmission_of"].is_null()), "{name}");
        let copies = rows.iter().filter(|row| row["recorded_before"].is_object()).count();
        assert_eq!(copies * 2, rows.len(), "{name}");
        let report = report(name);
        assert_eq!(verdicts(&report), verdicts(&once), "{name}");
        let messages = |report: &Value, key: &str| -> u64 {
            let all = list(&report["exchanges"]).iter().flat_map(|exchange| list(&exchange["messages"]));
            all.filter_map(|message| message[key].as_u64()).sum()
        };
        assert_eq!(messages(&report, "retransmission_count"), 0, "{name}");
        assert_eq!(messages(&report, "recorded_again"), 9, "{name}");
        let flows = |report: &Value| -> Vec<(u64, u64, u64)> {
            let number = |flow: &Value, key: &str| flow[key].as_u64().unwrap_or(u64::MAX);
            let all = list(&report["esp_flows"]).iter();
            all.map(|flow| (number(flow, "packets"), number(flow, "lost"), number(flow, "duplicates"))).collect()
        };
        assert_eq!(flows(&report), flows(&once), "{name}");
    }
}
