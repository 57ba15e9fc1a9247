//! The built program on a crafted capture, and what its JSON report says.

use serde_json::Value;

/// The report of `ikescope analyze --format json -` with `capture` on its standard input.
pub fn analyze(capture: &[u8]) -> Value {
    let output = assert_cmd::Command::new(env!("CARGO_BIN_EXE_ikescope"))
        .args(["analyze", "--format", "json", "-"])
        .write_stdin(capture)
        .output()
        .expect("the program runs");
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}: {complaint}", output.status);
    serde_json::from_slice(&output.stdout).unwrap_or_else(|fault| panic!("not JSON ({fault}): {complaint}"))
}

/// Rows of one of the report's tables.
pub fn rows<'a>(report: &'a Value, table: &str) -> &'a [Value] {
    report[table].as_array().unwrap_or_else(|| panic!("the report has no {table}"))
}

/// The verdict of each pair, in the report's order.
pub fn verdicts(report: &Value) -> Vec<&str> {
    rows(report, "pairs").iter().filter_map(|pair| pair["verdict"].as_str()).collect()
}

/// All findings with this id.
pub fn findings<'a>(report: &'a Value, id: &str) -> Vec<&'a Value> {
    rows(report, "findings").iter().filter(|finding| finding["id"] == id).collect()
}

/// Ids of all findings of severity error or warning, sorted, each once.
pub fn loud(report: &Value) -> Vec<&str> {
    let is_loud = |finding: &&Value| matches!(finding["severity"].as_str(), Some("error" | "warning"));
    let mut ids: Vec<&str> =
        rows(report, "findings").iter().filter(is_loud).filter_map(|finding| finding["id"].as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
