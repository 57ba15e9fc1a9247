//! From a capture file to its report, and what two reports differ in.

use std::io::{Cursor, Read};
use std::path::PathBuf;

use ikescope::capture::Captures;
use ikescope::pipeline::{self, Options};
use ikescope::report::{Report, json};
use serde_json::Value;

/// The report of a capture file that can be read to its end.
pub fn report(file: Vec<u8>) -> Report {
    report_of(Captures::from_reader("capture", Cursor::new(file)))
}

/// The report of several capture files, ids in their order.
pub fn report_of_files(files: Vec<Vec<u8>>) -> Report {
    let streams = files.into_iter().zip(0..).map(|(file, id)| {
        let stream: Box<dyn Read + Send> = Box::new(Cursor::new(file));
        (PathBuf::from(format!("capture {id}")), stream)
    });
    report_of(Captures::from_readers(streams))
}

/// The report of captures that can be read to their end.
pub fn report_of(captures: Captures) -> Report {
    report_within(captures, &Options::default())
}

/// The same, looked at in a certain way.
pub fn report_within(mut captures: Captures, options: &Options) -> Report {
    let analysis = pipeline::analyze(&mut captures, options, &mut ());
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis)
}

/// The octets of the report as JSON.
pub fn octets(report: &Report) -> Vec<u8> {
    let mut out = Vec::new();
    json::write_json(report, &mut out).expect("memory takes everything");
    out
}

/// The report as JSON without the rows about the capture files themselves.
pub fn story(report: &Report) -> Value {
    let mut value = serde_json::to_value(report).expect("a report is JSON");
    value["captures"].take();
    value
}

/// Where two values differ first, with both of them; `None` if they are equal.
pub fn difference(one: &Value, other: &Value) -> Option<String> {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) if one.keys().eq(other.keys()) => one
            .iter()
            .zip(other.values())
            .find_map(|((key, one), other)| difference(one, other).map(|rest| format!(".{key}{rest}"))),
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => one
            .iter()
            .zip(other)
            .enumerate()
            .find_map(|(index, (one, other))| difference(one, other).map(|rest| format!("[{index}]{rest}"))),
        _ if one == other => None,
        _ => Some(format!(": {one} and {other}")),
    }
}

/// Fails with all that was found wrong, the first lines of it if there is much.
pub fn nothing_wrong(wrong: &[String]) {
    let shown = wrong.len().min(60);
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong[..shown].join("\n"));
}
