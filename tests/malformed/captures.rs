//! R24, R25: clocks and capture files that cannot be believed.

use serde_json::Value;

use crate::files::{Folder, ikescope};
use crate::made::Made;
use crate::shown::*;
use crate::support::Capture;
use crate::support::story::main_mode_psk;
use crate::support::verdict::verdicts;
use crate::tape::*;

pub const MADE: &[Made] = &[
    Made {
        name: "r24-clock.pcap",
        shows: "a healthy tunnel whose clock starts at 0, runs backwards and ends in 2106",
        make: clock,
    },
    Made {
        name: "r24-big-endian-nanoseconds.pcap",
        shows: "a healthy tunnel, big-endian, in nanoseconds",
        make: big_endian,
    },
    Made { name: "r24-fraction.pcap", shows: "more than a second in the fraction of a second", make: fraction },
    Made {
        name: "r25-claims.pcap",
        shows: "records longer than the snap length and than on the wire, the last one cut",
        make: claims,
    },
    Made { name: "r25-record.pcap", shows: "a record that claims 4 GiB, behind two that are right", make: record },
    Made {
        name: "r25-blocks.pcapng",
        shows: "unknown blocks, two sections in two byte orders, two link types, broken options",
        make: blocks,
    },
    Made { name: "r25-trailer.pcapng", shows: "a block whose two lengths disagree", make: trailer },
];

fn healthy() -> Capture {
    main_mode_psk().quick_mode().traffic(4).capture()
}

fn clock() -> Vec<u8> {
    let mut capture = healthy();
    let last = capture.frames.len() - 1;
    capture.frames[0].at = 0;
    // A second back in the middle of the negotiation, and the last second that 32 bits have.
    capture.frames[4].at -= 1_000_000_000;
    capture.frames[last].at = u64::from(u32::MAX) * 1_000_000_000 + 999_999_000;
    capture.pcap()
}

#[test]
fn r24_a_clock_that_jumps_is_told_and_changes_no_order() {
    let report = report("r24-clock.pcap");
    let capture = &report["captures"][0];
    assert_eq!(capture["first"], "1970-01-01T00:00:00.000000000Z");
    assert_eq!(capture["last"], "2106-02-07T06:28:15.999999000Z");
    let told = notes(&report);
    assert_eq!(told.len(), 1);
    assert!(told[0].starts_with("time stamps run backwards once, by up to "), "{told:?}");
    // The order is the file's: every message is in its place, none a repeat of a later one.
    let labels: Vec<&str> = list(&report["exchanges"])
        .iter()
        .flat_map(|exchange| list(&exchange["messages"]))
        .filter_map(|message| message["label"].as_str())
        .collect();
    assert_eq!(labels, ["MM1", "MM2", "MM3", "MM4", "MM5", "MM6", "QM1", "QM2", "QM3"]);
    assert_eq!(report["attempts"][0]["outcome"], "established");
    // The same in words, and no time in them is below nothing.
    let text = String::from_utf8(run(&[], &committed("r24-clock.pcap")).stdout).expect("UTF-8");
    let shown: Vec<usize> = labels.iter().filter_map(|label| text.find(&format!(" {label} "))).collect();
    assert!(shown.len() == labels.len() && shown.is_sorted(), "{text}");
    assert!(!text.contains(" -0") && !text.contains("+-"), "{text}");
}

fn big_endian() -> Vec<u8> {
    healthy().pcap_big_endian_nanoseconds()
}

#[test]
fn r24_all_four_kinds_of_pcap_are_one_capture() {
    let said = |octets: &[u8]| {
        let mut report = report_of(octets);
        assert_eq!(notes(&report).len(), 0);
        report["captures"].take();
        report
    };
    let capture = healthy();
    let first = said(&capture.pcap());
    for other in [capture.pcap_nanoseconds(), capture.pcap_big_endian(), committed("r24-big-endian-nanoseconds.pcap")] {
        assert_eq!(said(&other), first);
    }
}

/// Where the record of a 0-based frame starts in a pcap file.
fn border(capture: &Capture, frame: usize) -> usize {
    capture.pcap_borders()[frame]
}

fn fraction() -> Vec<u8> {
    let capture = Tape::new().says(1, &v2_init(1)).says(2, &v2_init(2)).capture();
    let at = border(&capture, 1) + 4;
    with(capture.pcap(), at, &u32::MAX.to_le_bytes())
}

#[test]
fn r24_a_fraction_of_more_than_a_second_is_told() {
    let report = report("r24-fraction.pcap");
    assert_eq!(notes(&report), ["1 frame with more than a second in the fraction of a second"]);
    assert_eq!(counts(&report), "ike 2");
}

fn claims() -> Vec<u8> {
    let capture =
        Tape::new().says(1, &v2_init(1)).says(2, &v2_init(2)).says(3, &v2_init(3)).says(4, &v2_init(4)).capture();
    // A snap length below every record; a wire length of 10 in the second record.
    let file = with(capture.pcap(), 16, &60_u32.to_le_bytes());
    let mut file = with(file, border(&capture, 1) + 12, &10_u32.to_le_bytes());
    file.truncate(border(&capture, 4) - 30);
    file
}

#[test]
fn r25_records_are_believed_as_far_as_the_file_goes() {
    let report = report("r25-claims.pcap");
    assert_eq!(report["captures"][0]["cut_short"], true);
    let octet = 24 + 3 * (16 + 14 + 20 + 8 + 152);
    let expected = [
        format!("the file ends inside a record, at octet {octet} after frame 3"),
        "1 frame recorded longer than on the wire, which is taken as unknown".to_owned(),
        "3 frames longer than the snap length".to_owned(),
    ];
    assert_eq!(notes(&report), expected);
    assert_eq!(counts(&report), "ike 3");
    assert!(messages("r25-claims.pcap").iter().all(|row| row["fault"].is_null()));
}

fn record() -> Vec<u8> {
    let capture = Tape::new().says(1, &v2_init(1)).says(2, &v2_init(2)).says(3, &v2_init(3)).capture();
    with(capture.pcap(), border(&capture, 2) + 8, &u32::MAX.to_le_bytes())
}

#[test]
fn r25_a_record_beyond_belief_ends_the_reading_and_is_named() {
    let run = run(&["--format", "json"], &committed("r25-record.pcap"));
    assert_eq!(run.status, 2);
    let octet = 24 + 2 * (16 + 14 + 20 + 8 + 152);
    let expected =
        format!("a record claims 4294967295 octets where at most 262144 can be (octet {octet}, after frame 2)");
    assert_eq!(run.stderr, format!("ikescope: -: {expected}\n"));
    // What was read before is reported all the same.
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!((counts(&report).as_str(), report["captures"][0]["frames"].as_u64()), ("ike 2", Some(2)));
}

/// A number in one of the byte orders.
type Word = fn(u32) -> [u8; 4];

/// A pcapng block in either byte order.
fn block(word: Word, kind: u32, body: &[u8]) -> Vec<u8> {
    let padding = vec![0; body.len().next_multiple_of(4) - body.len()];
    let length = word((12 + body.len() + padding.len()) as u32);
    [&word(kind)[..], &length, body, &padding, &length].concat()
}

/// A section header.
fn section(word: Word, options: &[u8]) -> Vec<u8> {
    let version = if word(1) == [1, 0, 0, 0] { [1, 0, 0, 0] } else { [0, 1, 0, 0] };
    block(word, 0x0a0d_0d0a, &[&word(0x1a2b_3c4d)[..], &version, &[0xff; 8], options].concat())
}

/// An enhanced packet block of interface `id`.
fn packet_block(word: Word, id: u32, at: u64, frame: &[u8], options: &[u8]) -> Vec<u8> {
    let length = word(frame.len() as u32);
    let padding = vec![0; frame.len().next_multiple_of(4) - frame.len()];
    let head = [word(id), word((at >> 32) as u32), word(at as u32), length, length].concat();
    block(word, 6, &[&head, frame, &padding, options].concat())
}

/// An option in little endian: code, length, value, padding.
fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let padding = vec![0; value.len().next_multiple_of(4) - value.len()];
    [&code.to_le_bytes()[..], &(value.len() as u16).to_le_bytes(), value, &padding].concat()
}

/// A capture whose section, interface and packets all have `text` as names and comments.
pub fn commented(text: &[u8]) -> Vec<u8> {
    let named = |codes: &[u16]| codes.iter().flat_map(|&code| option(code, text)).chain([0; 4]).collect::<Vec<u8>>();
    let frame = Tape::new().says(1, &v2_init(1)).capture().frames.remove(0);
    let interface = [&[1, 0, 0, 0, 0, 0, 4, 0][..], &named(&[1, 2, 3, 11, 12, 15])].concat();
    [
        section(u32::to_le_bytes, &named(&[1, 2, 3, 4])),
        block(u32::to_le_bytes, 1, &interface),
        packet_block(u32::to_le_bytes, 0, frame.at / 1000, &frame.octets, &named(&[1, 2988])),
        // A name resolution block: an address and what it is said to be called.
        block(u32::to_le_bytes, 4, &[&option(1, &[&[203, 0, 113, 1][..], text, &[0]].concat())[..], &[0; 4]].concat()),
    ]
    .concat()
}

fn blocks() -> Vec<u8> {
    let frames = Tape::new().says(1, &v2_init(1)).says(2, &v2_init(2)).says(3, &v2_init(3)).capture().frames;
    let le: Word = u32::to_le_bytes;
    let be: Word = u32::to_be_bytes;
    let micros = |frame: usize| frames[frame].at / 1000;
    [
        section(le, &[]),
        block(le, 1, &[1, 0, 0, 0, 0, 0, 4, 0]),
        block(le, 0x7fff_0001, &[0xee; 40]),
        packet_block(le, 0, micros(0), &frames[0].octets, &[]),
        // An interface that was never described, and an option longer than its block.
        packet_block(le, 9, micros(0), &frames[0].octets, &[]),
        block(le, 1, &[&[1, 0, 0, 0, 0, 0, 4, 0][..], &[9, 0, 0xff, 0xff]].concat()),
        // The next section counts its own interfaces, in its own byte order: raw IP, then a link that cannot be read.
        section(be, &[]),
        block(be, 1, &[0, 101, 0, 0, 0, 4, 0, 0]),
        block(be, 1, &[0, 147, 0, 0, 0, 4, 0, 0]),
        block(be, 0x7fff_0002, &[]),
        packet_block(be, 0, micros(1), &frames[1].octets[14..], &[]),
        packet_block(be, 1, micros(2), &frames[2].octets, &[]),
    ]
    .concat()
}

#[test]
fn r25_sections_interfaces_and_blocks_are_each_read_by_their_own_rules() {
    let report = report("r25-blocks.pcapng");
    assert_eq!(counts(&report), "ike 2, other 1");
    assert_eq!(report["captures"][0]["link_types"], serde_json::json!(["ethernet", "raw", "linktype-147"]));
    let expected = [
        "1 frame of interfaces that the file does not describe, skipped",
        "unknown blocks skipped 2 times, the first of type 0x7fff0001",
        "block options that cannot be read once",
        "1 frame of link type linktype-147 was not read",
    ];
    assert_eq!(notes(&report), expected);
    assert_eq!(attempts(&report).len(), 2);
}

fn trailer() -> Vec<u8> {
    let frames = Tape::new().says(1, &v2_init(1)).says(2, &v2_init(2)).capture().frames;
    let le: Word = u32::to_le_bytes;
    let mut last = packet_block(le, 0, frames[1].at / 1000, &frames[1].octets, &[]);
    let end = last.len() - 4;
    last[end..].copy_from_slice(&le(12));
    [
        section(le, &[]),
        block(le, 1, &[1, 0, 0, 0, 0, 0, 4, 0]),
        packet_block(le, 0, frames[0].at / 1000, &frames[0].octets, &[]),
        last,
    ]
    .concat()
}

#[test]
fn r25_a_block_that_contradicts_itself_ends_the_reading_and_is_named() {
    let run = run(&["messages"], &committed("r25-trailer.pcapng"));
    assert_eq!((run.status, run.stdout.iter().filter(|&&octet| octet == b'\n').count()), (2, 1));
    assert!(
        run.stderr.starts_with("ikescope: -: a block claims 228 octets at its head and 12 at its end (octet "),
        "{}",
        run.stderr
    );
}

/// One capture that cannot be read to its end does not keep others from being read.
#[test]
fn r25_a_broken_capture_among_others_costs_only_itself() {
    let folder = Folder::new("among");
    for name in ["r25-record.pcap", "r25-claims.pcap", "r25-trailer.pcapng"] {
        folder.write(name, &committed(name));
    }
    folder.write("healthy.pcap", &healthy().pcap());
    let run = ikescope(&["--format", "json", folder.0.to_str().expect("a plain path")]);
    assert_eq!((run.status, run.stderr.lines().count()), (2, 2));
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    assert_eq!(list(&report["captures"]).len(), 4);
    assert!(verdicts(&report).contains(&"OK-UP"), "{:?}", verdicts(&report));
}
