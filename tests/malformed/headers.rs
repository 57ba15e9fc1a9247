//! R1, R2, R11, R12, R20 to R22: what a datagram is, and what a header may claim.

use std::net::SocketAddr;

use crate::made::Made;
use crate::shown::*;
use crate::support::packet;
use crate::support::{Header, Payload, v1, v2};
use crate::tape::*;

pub const MADE: &[Made] = &[
    Made {
        name: "r01-short.pcap",
        shows: "UDP payloads of 0 to 28 octets on 500 and 4500, and UDP lengths that lie",
        make: short,
    },
    Made {
        name: "r02-length.pcap",
        shows: "header lengths below 28, beyond the datagram, and of 2^31 and 2^32-1",
        make: length,
    },
    Made {
        name: "r11-version.pcap",
        shows: "payloads of the other version, and the versions 0, 3 and 15",
        make: version,
    },
    Made { name: "r12-missing.pcap", shows: "messages without SA, KE or Nonce, and with two of them", make: missing },
    Made {
        name: "r20-esp-or-ike.pcap",
        shows: "what stands on 4500 and follows neither rule of RFC 3948",
        make: esp_or_ike,
    },
    Made { name: "r21-flags.pcap", shows: "flags and message ids that contradict each other", make: flags },
    Made {
        name: "r22-spi.pcap",
        shows: "initiator SPI 0, a responder SPI too early, one SPI of three peers",
        make: spi,
    },
];

fn short() -> Vec<u8> {
    let mut tape = Tape::new();
    for port in [500, 4500] {
        let n = if port == 500 { 1 } else { 2 };
        for payload in [&[][..], &[0xff], &[0x00], &[1, 2, 3], &[0; 4], &[1, 2, 3, 4], &[7; 27], &[0; 31], &[0; 27]] {
            tape = tape.on(n, port, payload);
        }
    }
    // The UDP header's own length: nothing, less than itself, more than IP carries (RFC 768).
    let (from, to) = (SocketAddr::new(peer(3), 500), SocketAddr::new(RESPONDER, 500));
    for length in [0_u16, 7, 200] {
        let datagram = packet::udp(from, to, &v2_init(3));
        tape = tape.ip(peer(3), RESPONDER, packet::UDP, &with(datagram, 4, &length.to_be_bytes()));
    }
    // Ports, and nothing else of the UDP header.
    tape.ip(peer(4), RESPONDER, packet::UDP, &[0x01, 0xf4, 0x01, 0xf4]).pcap()
}

#[test]
fn r01_datagrams_too_short_for_anything_are_counted_as_that() {
    let report = report("r01-short.pcap");
    // On 500: the keepalive, and what is not a header. On 4500 the same, but 27 octets that begin with an SPI are ESP.
    assert_eq!(counts(&report), "esp_udp 1, ike 3, keepalive 2, malformed 16");
    let rows = messages("r01-short.pcap");
    let expected = [
        "1: header at 0: truncated need 28 have 0",
        "3: header at 1: truncated need 28 have 1",
        "4: header at 3: truncated need 28 have 3",
        "5: header at 4: truncated need 28 have 4",
        "6: header at 4: truncated need 28 have 4",
        "7: header at 27: truncated need 28 have 27",
        "8: version at 17: unexpected value 0",
        "9: header at 27: truncated need 28 have 27",
        "14: header at 0: truncated need 28 have 0",
        "17: header at 27: truncated need 28 have 27",
        "18: header at 23: truncated need 28 have 23",
        "19: whole",
        "20: whole",
        "21: whole",
    ];
    assert_eq!(faults(&rows), expected);
}

fn claiming(n: u8, length: u32) -> Vec<u8> {
    with(v2_init(n), 24, &length.to_be_bytes())
}

fn length() -> Vec<u8> {
    let whole = v2_init(1).len() as u32;
    let mut tape = Tape::new();
    for (n, length) in [0, 27, 28, whole - 1, whole, whole + 1, 65_535, 1 << 31, u32::MAX].into_iter().enumerate() {
        let n = n as u8 + 1;
        tape = tape.says(n, &claiming(n, length));
    }
    // The same lie where the exchange does not exist either: nobody's ISAKMP.
    tape = tape.says(10, &with(claiming(10, 1 << 31), 18, &[99]));
    // Longer than its header says, as UDP and IP pad nothing.
    tape = tape.says(11, &[v2_init(11), vec![0xee; 40]].concat());
    // The capture cut the frame, not the sender.
    let mut capture = tape.says(12, &v2_init(12)).capture();
    let last = capture.frames.last_mut().expect("a frame");
    last.octets.truncate(14 + 20 + 8 + 28 + 60);
    capture.pcap()
}

#[test]
fn r02_a_length_is_believed_as_far_as_there_are_octets() {
    let rows = messages("r02-length.pcap");
    let expected = [
        "1: length at 24: too_short claims 0 least 28",
        "2: length at 24: too_short claims 27 least 28",
        "3: payload header at 28: truncated need 4 have 0",
        "4: payload length at 118: overrun claims 36 room 35",
        "5: whole",
        "6: length at 24: overrun claims 153 room 152",
        "7: length at 24: overrun claims 65535 room 152",
        "8: length at 24: overrun claims 2147483648 room 152",
        "9: length at 24: overrun claims 4294967295 room 152",
        "10: length at 24: overrun claims 2147483648 room 152",
        "11: message at 152: trailing octets 40",
        "12: payload at 88: not_captured missing 64",
    ];
    assert_eq!(faults(&rows), expected);
    // What there is was decoded, and the claim is shown as it stands.
    for (row, length) in [(5, 153), (6, 65_535), (7, 1_u64 << 31), (8, u64::from(u32::MAX))] {
        assert_eq!(rows[row]["length"], length);
        assert_eq!(types(&rows[row]), [33, 34, 40]);
    }
    assert_eq!(types(&rows[3]), [33, 34, 40]);
    assert_eq!(types(&rows[11]), [33, 34]);

    let report = report("r02-length.pcap");
    assert_eq!(counts(&report), "ike 12");
    // Cases 5 (true) and 12 (cut by the capture) are nobody's fault.
    let lies = crate::support::verdict::findings(&report, "M-LENGTH");
    let mut frames: Vec<u64> = lies.iter().filter_map(|finding| finding["frames"][0]["frame"].as_u64()).collect();
    frames.sort_unstable();
    assert_eq!(frames, [1, 2, 3, 4, 6, 7, 8, 9, 10, 11]);
}

/// A header whose version octet is `version`.
fn of_version(n: u8, version: u8) -> Header {
    Header { version, ..v2_header(n) }
}

fn version() -> Vec<u8> {
    let v1_chain = [v1_sa(), v1::key_exchange(14, 1), v1::nonce(32, 2)];
    Tape::new()
        // IKEv2 payloads under an IKEv1 header, and the other way round.
        .says(1, &v1_header(1).message(&v2_payloads()))
        .says(2, &v2_header(2).message(&v1_chain))
        .says(3, &of_version(3, 0x00).message(&v2_payloads()))
        .says(4, &of_version(4, 0x30).message(&v2_payloads()))
        .says(5, &of_version(5, 0xf0).message(&v2_payloads()))
        // A minor version may be anything (RFC 7296 §2.5).
        .says(6, &of_version(6, 0x2f).message(&v2_payloads()))
        .on(7, 4500, &packet::marked(&of_version(7, 0x30).message(&v2_payloads())))
        .pcap()
}

#[test]
fn r11_no_payload_is_read_by_the_table_of_the_other_version() {
    let rows = messages("r11-version.pcap");
    let expected = [
        "1: whole",
        "2: whole",
        "3: version at 17: unexpected value 0",
        "4: version at 17: unexpected value 48",
        "5: version at 17: unexpected value 240",
        "6: whole",
        "7: version at 17: unexpected value 48",
    ];
    assert_eq!(faults(&rows), expected);
    for (row, numbers) in [(0, [33, 34, 40]), (1, [1, 4, 10])] {
        assert_eq!(types(&rows[row]), numbers);
        for payload in list(&rows[row]["payloads"]) {
            assert!(payload["name"].is_null() && payload["data"].is_string(), "only octets: {payload}");
            assert!(payload["proposals"].is_null() && payload["dh_group"].is_null());
        }
    }
    assert_eq!(types(&rows[3]), [0; 0]);
    assert_eq!(rows[3]["version"], "3.0");
    assert_eq!(types(&rows[5]), [33, 34, 40]);
    assert_eq!(rows[5]["version"], "2.15");

    let report = report("r11-version.pcap");
    assert_eq!(counts(&report), "ike 3, malformed 4");
    assert_eq!(list(&report["malformed"]).len(), 4);
    assert_eq!(attempts(&report).len(), 3);
    assert!(list(&report["attempts"])[..2].iter().all(|attempt| list(&attempt["offered"]).is_empty()));
}

fn missing() -> Vec<u8> {
    let (sa, ke, nonce) = (v2::sa(&[v2::ike_cbc(31)]), v2::key_exchange(31, 1), v2::nonce(32, 2));
    let init = |n: u8, payloads: &[&Payload]| {
        let payloads: Vec<Payload> = payloads.iter().map(|&payload| payload.clone()).collect();
        v2_header(n).message(&payloads)
    };
    Tape::new()
        .says(1, &init(1, &[&ke, &nonce]))
        .says(2, &init(2, &[&sa, &nonce]))
        .says(3, &init(3, &[&sa, &ke]))
        .says(4, &init(4, &[&sa, &ke, &nonce, &sa]))
        .says(5, &init(5, &[&sa, &ke, &ke, &nonce]))
        .says(6, &v1_header(6).message(&[v1::vid_dpd()]))
        .says(7, &v1_header(7).message(&[v1_sa(), v1_sa()]))
        .says(8, &v2_init(8))
        .pcap()
}

#[test]
fn r12_what_a_message_lacks_or_has_twice_is_said() {
    let rows = messages("r12-missing.pcap");
    let said: Vec<String> = rows
        .iter()
        .map(|row| {
            let one = |violation: &serde_json::Value| {
                format!("{} {}", violation["kind"].as_str().unwrap_or("?"), violation["payload_type"])
            };
            list(&row["violations"]).iter().map(one).collect::<Vec<_>>().join(", ")
        })
        .collect();
    let expected =
        ["missing 33", "missing 34", "missing 40", "duplicate 33", "duplicate 34", "missing 1", "duplicate 1", ""];
    assert_eq!(said, expected);
    // Not a fault: every length is true, and all payloads are shown.
    assert!(rows.iter().all(|row| row["fault"].is_null()));
    assert_eq!(types(&rows[4]), [33, 34, 34, 40]);

    let lines = run(&["messages"], &committed("r12-missing.pcap"));
    let lines = String::from_utf8(lines.stdout).expect("UTF-8");
    let lines: Vec<&str> = lines.lines().collect();
    assert!(lines[0].contains("[SA is missing]") && lines[4].contains("[KE more than once]"), "{}", lines[0]);
    assert!(!lines[7].contains("missing"));

    let report = report("r12-missing.pcap");
    assert_eq!(counts(&report), "ike 8");
    assert!(attempts(&report).iter().all(|attempt| !attempt.ends_with("established")), "{:?}", attempts(&report));
}

fn esp_or_ike() -> Vec<u8> {
    let esp = packet::esp(0xc0de_0001, 1, &[0xa5; 60]);
    let mut tape = Tape::new()
        // By the rule.
        .on(1, 4500, &packet::marked(&v2_init(1)))
        .on(1, 4500, &esp)
        // IKE without a marker: version, exchange and length say so.
        .on(2, 4500, &v2_init(2))
        // The same, but its length is not true: an SPI and a sequence number as good as any.
        .on(3, 4500, &claiming(3, 999))
        // A marker, and behind it no IKE: ESP of SPI 0, or a version that does not exist.
        .on(4, 4500, &packet::esp(0, 1, &[0xa5; 60]))
        .on(5, 4500, &packet::marked(&of_version(5, 0x50).message(&v2_payloads())))
        // A marker on 500, and ESP on 500.
        .says(6, &packet::marked(&v2_init(6)))
        .says(7, &esp);
    // An initiator SPI that begins with four zero octets, on 500, is no marker.
    let low = Header { initiator_spi: 0x0000_0000_8765_4321, ..v2_header(8) };
    tape = tape.says(8, &low.message(&v2_payloads()));
    tape.pcap()
}

#[test]
fn r20_esp_and_ike_are_told_apart_by_port_marker_and_header_together() {
    let rows = messages("r20-esp-or-ike.pcap");
    let shown: Vec<String> = rows
        .iter()
        .map(|row| format!("{}: marker {}, {}", row["frame"], row["non_esp_marker"], fault(&row["fault"])))
        .collect();
    let expected = [
        "1: marker true, whole",
        "3: marker false, whole",
        "5: marker true, version at 17: unexpected value 165",
        "6: marker true, version at 17: unexpected value 80",
        "7: marker true, whole",
        "8: marker false, version at 17: unexpected value 165",
        "9: marker false, whole",
    ];
    assert_eq!(shown, expected);
    let report = report("r20-esp-or-ike.pcap");
    assert_eq!(counts(&report), "esp_udp 2, ike 4, malformed 3");
    // No flow of SPI 0, and none of what came on port 500.
    let spis: Vec<&str> = list(&report["esp_flows"]).iter().filter_map(|flow| flow["spi"].as_str()).collect();
    assert_eq!(spis, ["c0de0001", "22000000"]);
    assert_eq!(
        list(&report["attempts"]).iter().filter_map(|attempt| attempt["initiator"].as_str()).collect::<Vec<_>>(),
        ["203.0.113.1:4500", "203.0.113.2:4500", "203.0.113.6:500", "203.0.113.8:500"]
    );
    let marker = crate::support::verdict::findings(&report, "M-MARKER");
    let frames: Vec<u64> = marker.iter().filter_map(|finding| finding["frames"][0]["frame"].as_u64()).collect();
    assert_eq!(frames, [3, 7]);
}

/// A header with these SPIs, flags and message id.
fn heading(n: u8, responder_spi: u64, exchange_type: u8, flags: u8, message_id: u32) -> Header {
    Header { responder_spi, exchange_type, flags, message_id, ..v2_header(n) }
}

fn flags() -> Vec<u8> {
    let sealed = [v2::encrypted(v2::Suite::AES_CBC_SHA2_256, &[v2::nonce(32, 3)], 9)];
    let both = v2::INITIATOR | v2::RESPONSE;
    Tape::new()
        // Request and response, both from the initiator by their flags.
        .says(1, &v2_init(1))
        .hears(1, &heading(1, 0x99, 34, both, 0).message(&v2_payloads()))
        // A first message that says it is a response, and one with a message id.
        .says(2, &heading(2, 0, 34, both, 0).message(&v2_payloads()))
        .says(3, &heading(3, 0, 34, v2::INITIATOR, 77).message(&v2_payloads()))
        // An answer to a question that nobody asked.
        .says(4, &heading(4, 0x94, 37, both, 0xffff_ffff).message(&sealed))
        // All flag bits.
        .says(5, &heading(5, 0, 34, 0xff, 0).message(&v2_payloads()))
        // IKEv1: encrypted, commit and authentication-only at once, and a message id in Main Mode.
        .says(6, &Header { flags: 0xff, message_id: 5, ..v1_header(6) }.message(&[v1_sa()]))
        .pcap()
}

#[test]
fn r21_messages_with_impossible_flags_are_kept_and_shown_as_they_are() {
    let rows = messages("r21-flags.pcap");
    assert_eq!(rows.len(), 7);
    let flags: Vec<u64> = rows.iter().filter_map(|row| row["flags"].as_u64()).collect();
    assert_eq!(flags, [0x08, 0x28, 0x28, 0x08, 0x28, 0xff, 0xff]);
    let ids: Vec<&str> = rows.iter().filter_map(|row| row["message_id"].as_str()).collect();
    assert_eq!(ids, ["00000000", "00000000", "00000000", "0000004d", "ffffffff", "00000000", "00000005"]);
    let odd: Vec<String> = faults(&rows);
    let expected = [
        "1: whole",
        "2: flags at 19: unexpected value 40",
        "3: flags at 19: unexpected value 40",
        "4: message ID at 20: unexpected value 77",
        "5: whole",
        "6: flags at 19: unexpected value 255",
        "7: message ID at 20: unexpected value 5",
    ];
    assert_eq!(odd, expected);
    let report = report("r21-flags.pcap");
    assert_eq!(counts(&report), "ike 7");
    assert_eq!(list(&report["attempts"]).len(), 6);
    // The responder's answer is the responder's, whatever its flags claim.
    let messages: Vec<(&str, &str)> = list(&report["exchanges"])
        .iter()
        .flat_map(|exchange| list(&exchange["messages"]))
        .filter_map(|message| Some((message["from"].as_str()?, message["label"].as_str()?)))
        .collect();
    assert!(messages.contains(&("responder", "SA_INIT-RSP")), "{messages:?}");
    assert!(attempts(&report).iter().all(|attempt| !attempt.ends_with("established")));
}

fn spi() -> Vec<u8> {
    let same = |n: u8| Header { initiator_spi: 0x4242_4242_4242_4242, ..v2_header(n) }.message(&v2_payloads());
    Tape::new()
        .says(1, &Header { initiator_spi: 0, ..v2_header(1) }.message(&v2_payloads()))
        .says(2, &Header { initiator_spi: 0, ..v1_header(2) }.message(&[v1_sa()]))
        .says(3, &Header { responder_spi: 0x77, ..v2_header(3) }.message(&v2_payloads()))
        .says(4, &Header { responder_spi: 0x77, ..v1_header(4) }.message(&[v1_sa()]))
        .says(5, &same(5))
        .says(6, &same(6))
        .says(7, &same(7))
        .pcap()
}

#[test]
fn r22_spis_are_told_apart_by_who_uses_them() {
    let rows = messages("r22-spi.pcap");
    let expected = [
        "1: initiator SPI at 0: unexpected value 0",
        "2: initiator SPI at 0: unexpected value 0",
        "3: responder SPI at 12: unexpected value 119",
        "4: whole",
        "5: whole",
        "6: whole",
        "7: whole",
    ];
    assert_eq!(faults(&rows), expected);
    assert!(rows.iter().all(|row| row["retransmission_of"].is_null()), "nobody repeats anybody");
    let report = report("r22-spi.pcap");
    assert_eq!(counts(&report), "ike 7");
    assert_eq!((list(&report["pairs"]).len(), list(&report["attempts"]).len()), (7, 7));
    // An SA payload with a responder SPI is message 2 (RFC 2408 §4.5), here of a negotiation that began before.
    assert_eq!(list(&report["attempts"])[3]["midstream"], true);
}
