//! What the built program says of a capture, in words short enough to be compared.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// What a run left behind.
pub struct Run {
    pub status: i32,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

/// Runs the program on octets that come by standard input.
pub fn run(arguments: &[&str], capture: &[u8]) -> Run {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_ikescope"))
        .args(arguments)
        .arg("-")
        .write_stdin(capture)
        .output()
        .expect("the program runs");
    let stderr = String::from_utf8(output.stderr).expect("messages are UTF-8");
    Run { status: output.status.code().expect("no signal"), stdout: output.stdout, stderr }
}

/// A committed capture.
pub fn committed(name: &str) -> Vec<u8> {
    let path = folder().join(name);
    std::fs::read(&path).unwrap_or_else(|fault| panic!("{}: {fault}", path.display()))
}

/// Where they are.
pub fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("captures/malformed")
}

/// The report of a committed capture. Every frame must be in one count, whatever else it says.
pub fn report(name: &str) -> Value {
    report_of(&committed(name))
}

/// The report of any capture that can be read to its end.
pub fn report_of(capture: &[u8]) -> Value {
    let run = run(&["--format", "json"], capture);
    assert_eq!((run.status, run.stderr.as_str()), (0, ""));
    let report: Value = serde_json::from_slice(&run.stdout).expect("JSON");
    for capture in report["captures"].as_array().expect("captures") {
        let counts = capture["counts"].as_object().expect("counts");
        let sum: u64 = counts.values().map(|count| count.as_u64().expect("a number")).sum();
        assert_eq!(Some(sum), capture["frames"].as_u64(), "every frame is in exactly one count");
    }
    report
}

/// All messages of a committed capture. Text and trees of it must come out as well.
pub fn messages(name: &str) -> Vec<Value> {
    messages_of(&committed(name))
}

/// All messages of any capture.
pub fn messages_of(capture: &[u8]) -> Vec<Value> {
    let rows = run(&["messages", "--format", "ndjson"], capture);
    // where there is none, that is said
    let said = if rows.stdout.is_empty() { "ikescope: no IKE message; " } else { "" };
    assert!(rows.status == 0 && rows.stderr.starts_with(said), "{}", rows.stderr);
    assert_eq!(rows.stdout.is_empty(), !rows.stderr.is_empty());
    let rows: Vec<Value> = String::from_utf8(rows.stdout)
        .expect("UTF-8")
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect();
    let lines = run(&["messages"], capture);
    assert_eq!((lines.status, String::from_utf8(lines.stdout).expect("UTF-8").lines().count()), (0, rows.len()));
    let trees = run(&["messages", "-v"], capture);
    let trees = String::from_utf8(trees.stdout).expect("UTF-8");
    assert_eq!(trees.lines().filter(|line| line.starts_with("Frame ")).count(), rows.len());
    rows
}

/// The counts that are not zero: `ike 3, malformed 2`.
pub fn counts(report: &Value) -> String {
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    for capture in report["captures"].as_array().expect("captures") {
        for (name, count) in capture["counts"].as_object().expect("counts") {
            *counts.entry(name).or_default() += count.as_u64().expect("a number");
        }
    }
    counts.retain(|_, count| *count > 0);
    counts.iter().map(|(name, count)| format!("{name} {count}")).collect::<Vec<_>>().join(", ")
}

/// The notes of the first capture.
pub fn notes(report: &Value) -> Vec<&str> {
    report["captures"][0]["notes"].as_array().expect("notes").iter().filter_map(Value::as_str).collect()
}

/// Frame and fault of every message: `3: payload length at 30: too_short 2 of 4`, `4: whole`.
pub fn faults(messages: &[Value]) -> Vec<String> {
    messages.iter().map(|message| format!("{}: {}", message["frame"], fault(&message["fault"]))).collect()
}

/// A fault in short: field, octet, kind and its numbers. `whole` where there is none.
pub fn fault(fault: &Value) -> String {
    if fault.is_null() {
        return "whole".to_owned();
    }
    let numbers: Vec<String> = ["claims", "need", "value", "limit", "octets", "missing", "room", "have", "least"]
        .iter()
        .filter_map(|key| Some(format!("{key} {}", fault.get(*key)?)))
        .collect();
    let word = |key: &str| fault[key].as_str().unwrap_or("?").to_owned();
    format!("{} at {}: {} {}", word("field"), fault["at"], word("kind"), numbers.join(" "))
}

/// The payload types of a message, in order.
pub fn types(message: &Value) -> Vec<u64> {
    list(&message["payloads"]).iter().filter_map(|payload| payload["type"].as_u64()).collect()
}

/// The elements of an array.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Ids of all findings, sorted, each once.
pub fn findings(report: &Value) -> Vec<&str> {
    let mut ids: Vec<&str> = list(&report["findings"]).iter().filter_map(|finding| finding["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// Every attempt as `initiator stage outcome`.
pub fn attempts(report: &Value) -> Vec<String> {
    list(&report["attempts"])
        .iter()
        .map(|attempt| {
            let word = |key: &str| attempt[key].as_str().unwrap_or("?").to_owned();
            format!("{} {} {}", word("initiator"), word("stage"), word("outcome"))
        })
        .collect()
}
