//! Pairs that are packed between any two messages are told as if they had never been.

use std::io::Cursor;

use ikescope::base::Limits;
use ikescope::capture::Captures;
use ikescope::pipeline::Options;

use crate::bench::{difference, nothing_wrong, report, report_within, story};
use crate::samples;

#[test]
fn packing_between_messages_changes_nothing() {
    let options = Options { limits: Limits { working: 0, ..Limits::default() }, ..Options::default() };
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let file = sample.capture.pcap();
        let kept = story(&report(file.clone()));
        // Which packet was recorded twice is remembered for a second, and not while packed.
        if kept["exchanges"].to_string().contains("\"recorded_again\":1") {
            continue;
        }
        let packed = story(&report_within(Captures::from_reader("capture", Cursor::new(file)), &options));
        if let Some(difference) = difference(&kept, &packed) {
            wrong.push(format!("{}{difference}", sample.name));
        }
    }
    nothing_wrong(&wrong);
}
