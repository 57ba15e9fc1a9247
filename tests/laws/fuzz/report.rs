//! Any octets as a capture file, taken all the way: what is printed is words, what is written is JSON, and every frame is
//! counted once.

use std::io::Cursor;
use std::ops::ControlFlow;

use ikescope::capture::Captures;
use ikescope::messages::Row;
use ikescope::packet::Datagram;
use ikescope::pipeline::{self, Options, Watch};
use ikescope::report::{Report, json, text};
use ikescope::track::Observed;
use serde::de::IgnoredAny;
use serde_json::Value;

use super::Asked;
use super::plain::check_plain;

/// Every report is sound; one in eight is written in every form, and one in sixteen twice.
pub fn hold(file: &[u8], asked: Asked) {
    let read = || report_of(&mut Captures::from_reader("capture", Cursor::new(file.to_vec())), &mut ());
    let once = if asked.one_in(8, 0) {
        Some(everything(file).1)
    } else {
        let report = read();
        check_counts(&report);
        check_ids(&report);
        asked.one_in(16, 1).then(|| octets_of(&report))
    };
    if let Some(once) = once.filter(|_| asked.one_in(16, 1)) {
        assert!(once == octets_of(&read()), "the same octets give the same report");
    }
}

fn report_of(captures: &mut Captures, watch: &mut impl Watch) -> Report {
    let analysis = pipeline::analyze(captures, &Options::default(), watch);
    Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis)
}

/// The report as JSON.
pub fn octets_of(report: &Report) -> Vec<u8> {
    let mut object = Vec::new();
    json::write_json(report, &mut object).expect("memory takes everything");
    object
}

/// Fails unless `octets` are one JSON value.
pub fn check_json(octets: &[u8]) {
    let text = std::str::from_utf8(octets).expect("JSON is UTF-8");
    serde_json::from_str::<IgnoredAny>(text).expect("JSON");
}

/// Writes every message in every form.
#[derive(Default)]
struct Clerk {
    text: String,
    rows: Vec<u8>,
}

impl Watch for Clerk {
    fn message(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        if let Some(row) = Row::new(datagram, observed) {
            row.write_line(&mut self.text, true);
            row.write_tree(&mut self.text, false);
            row.write_ndjson(&mut self.rows);
        }
        ControlFlow::Continue(())
    }
}

/// Everything that can be done with a capture file; answers how many frames were read, and the report's octets.
pub fn everything(file: &[u8]) -> (u64, Vec<u8>) {
    let mut captures = Captures::from_reader("capture", Cursor::new(file.to_vec()));
    let mut clerk = Clerk::default();
    let report = report_of(&mut captures, &mut clerk);
    for error in captures.errors() {
        assert!(!error.to_string().is_empty());
    }
    let object = octets_of(&report);
    check_json(&object);
    check_counts(&report);
    check_ids(&report);
    json::write_ndjson(&report, &mut clerk.rows).expect("memory takes everything");
    for row in clerk.rows.split(|&octet| octet == b'\n').filter(|row| !row.is_empty()) {
        check_json(row);
    }
    check_text(&report, &clerk.text);
    (report.captures.iter().map(|capture| capture.frames).sum(), object)
}

/// Every frame has exactly one count.
fn check_counts(report: &Report) {
    for capture in &report.captures {
        let counts = serde_json::to_value(capture.counts).expect("counts are JSON");
        let sum: u64 = counts.as_object().expect("an object").values().filter_map(Value::as_u64).sum();
        assert_eq!(sum, capture.frames, "{counts:?}");
    }
}

/// What a row names is there.
pub fn check_ids(report: &Report) {
    for finding in &report.findings {
        assert!(finding.pair.is_none_or(|pair| report.pair(pair).is_some()), "{finding:?}");
        assert!(finding.attempt.is_none_or(|attempt| attempt < report.attempts.len()), "{finding:?}");
        assert!(!finding.title.is_empty() && finding.frames.is_sorted(), "{finding:?}");
    }
    for pair in &report.pairs {
        let verdict = pair.verdict.map(|verdict| report.verdict_finding(pair.id, verdict));
        assert!(verdict.is_none_or(|finding| finding.is_some()), "{:?} is found nowhere", pair.verdict);
    }
}

/// The page of a report, and `more` text: words and line ends.
pub fn check_text(report: &Report, more: &str) {
    let mut page = Vec::new();
    text::render(report, &mut page, &text::Style::default()).expect("memory takes everything");
    let page = std::str::from_utf8(&page).expect("text is UTF-8");
    assert!(!page.contains('\x1b'), "a page without colours has none");
    check_plain(page);
    check_plain(more);
}
