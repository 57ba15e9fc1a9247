//! What is cut off, of a file or of its frames, changes nothing before the cut.

use std::collections::BTreeSet;

use ikescope::report::Report;
use serde_json::{Value, json};

use crate::bench::{difference, nothing_wrong, report, story};
use crate::samples;

/// Octets before and behind the end of a record at which the file is cut: in the record, at its end, in the header of
/// the next one, and in what that holds.
const AROUND: [isize; 8] = [-20, -1, 0, 1, 8, 15, 16, 30];

/// Records of each capture around which it is cut.
const BORDERS: usize = 3;

#[test]
fn a_file_cut_anywhere_tells_what_its_whole_frames_tell() {
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let file = sample.capture.pcap();
        let borders = sample.capture.pcap_borders();
        let step = borders.len().div_ceil(BORDERS);
        for (place, &border) in borders.iter().enumerate().step_by(step) {
            let mut expected: Vec<Option<Value>> = vec![None; 2];
            for around in AROUND {
                let cut = border.saturating_add_signed(around).clamp(24, file.len());
                let whole = borders.partition_point(|&border| border <= cut) - 1;
                let report = report(file[..cut].to_vec());
                let info = &report.captures[0];
                assert_eq!(info.frames, whole as u64, "{} cut at {cut}", sample.name);
                assert_eq!(info.cut_short, !borders.contains(&cut), "{} cut at {cut}", sample.name);
                if whole + 1 < place || whole > place {
                    continue; // a record shorter than the step over its border
                }
                let expected = expected[whole + 1 - place]
                    .get_or_insert_with(|| story(&crate::bench::report(sample.capture.clone().first(whole).pcap())));
                let other = difference(expected, &story(&report));
                wrong.extend(other.map(|other| format!("{} cut at {cut}: {other}", sample.name)));
            }
        }
    }
    nothing_wrong(&wrong);
}

/// Frames that a message was read from, repeats included.
fn message_frames(report: &Report) -> BTreeSet<u64> {
    let messages = report.exchanges.iter().flat_map(|exchange| &exchange.messages);
    messages
        .flat_map(|message| std::iter::once(message.frame).chain(message.retransmissions.iter().map(|copy| copy.frame)))
        .collect()
}

/// What a header alone tells of each message.
fn messages_of(report: &Report) -> Value {
    let messages = report.exchanges.iter().flat_map(|exchange| &exchange.messages);
    messages
        .map(|message| {
            let again: Vec<u64> = message.retransmissions.iter().map(|copy| copy.frame).collect();
            json!([message.frame, message.label, message.from, message.length, message.encrypted, again])
        })
        .collect()
}

/// Octets of Ethernet, IPv6, UDP, the non-ESP marker and the ISAKMP header.
const HEADERS: usize = 14 + 40 + 8 + 4 + 28;

#[test]
fn any_snap_length_keeps_the_frames_and_their_headers() {
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let whole = report(sample.capture.pcap());
        let messages = message_frames(&whole);
        // Of a message in pieces that are not captured whole, the first piece is read by itself, and that is another frame.
        let mut all = whole.exchanges.iter().flat_map(|exchange| &exchange.messages);
        let in_pieces = whole.captures[0].counts.ip_fragment > 0 || all.any(|message| message.ike_fragments > 0);
        for length in [0, 1, 13, 14, 20, 34, 41, 42, 60, 70, HEADERS, 128, 200, 400, 1_000] {
            let snapped = report(sample.capture.clone().snap(length).pcap());
            let info = &snapped.captures[0];
            assert_eq!(info.frames, whole.captures[0].frames, "{} at {length}", sample.name);
            let counts = &info.counts;
            let told = [
                counts.ike,
                counts.esp,
                counts.esp_udp,
                counts.ah,
                counts.keepalive,
                counts.icmp_error,
                counts.ip_fragment,
                counts.malformed,
                counts.other,
            ];
            assert_eq!(told.iter().sum::<u64>(), info.frames, "{} at {length}: {counts:?}", sample.name);
            if length < HEADERS && !in_pieces {
                let seen = message_frames(&snapped);
                let invented: Vec<_> = seen.difference(&messages).collect();
                wrong.extend(
                    (!invented.is_empty())
                        .then(|| format!("{} at {length}: new messages in {invented:?}", sample.name)),
                );
            }
            if length >= HEADERS && !in_pieces {
                let other = difference(&messages_of(&whole), &messages_of(&snapped));
                wrong.extend(other.map(|other| format!("{} at {length}: {other}", sample.name)));
            }
        }
    }
    nothing_wrong(&wrong);
}
