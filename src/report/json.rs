//! The report as JSON: one object with a row a line, or every row an object of its own.
//!
//! Not here: what a row holds. Contract: a [`Report`] and the [`Walk`] that it comes from are written octet for octet the
//! same, on any number of threads; a walk takes a few buffers and no row is kept.

mod blocks;
mod hands;
mod lines;
mod parts;
mod rows;
mod stencils;

use std::io::{self, Write};

use serde::Serialize;

use super::SCHEMA_NAME;
use super::model::{Forgotten, Report, Window};
use super::walk::Walk;
use lines::{Form, Lines};

pub use hands::Hands;

/// Writes the report as one JSON object: each of its keys on a line, and each row of an array on a line.
///
/// Errors: those of `out`.
pub fn write_json(report: &Report, out: &mut impl Write) -> io::Result<()> {
    whole(report, Lines::new(out, Form::Object))
}

/// Writes the report as rows, one JSON object a line: first one of table `report`, then every row of every array in
/// the order of the report, each with the name of its array in `table`.
///
/// Errors: those of `out`.
pub fn write_ndjson(report: &Report, out: &mut impl Write) -> io::Result<()> {
    whole(report, Lines::new(out, Form::Rows))
}

/// Writes what [`write_json`] writes of the report of this walk, without making that report.
///
/// Errors: those of `out`.
pub fn stream_json(walk: &Walk<'_>, hands: Hands, out: &mut impl Write) -> io::Result<()> {
    streamed(walk, hands, Lines::new(out, Form::Object))
}

/// Writes what [`write_ndjson`] writes of the report of this walk, without making that report.
///
/// Errors: those of `out`.
pub fn stream_ndjson(walk: &Walk<'_>, hands: Hands, out: &mut impl Write) -> io::Result<()> {
    streamed(walk, hands, Lines::new(out, Form::Rows))
}

fn whole(report: &Report, mut lines: Lines<impl Write>) -> io::Result<()> {
    lines.top(&Top {
        schema: report.schema,
        tool_version: report.tool_version,
        window: report.window,
        selection: &report.selection,
        forgotten: report.forgotten,
    })?;
    lines.table("captures", &report.captures)?;
    lines.table("pairs", &report.pairs)?;
    lines.table("attempts", &report.attempts)?;
    lines.table("exchanges", &report.exchanges)?;
    lines.table("esp_flows", &report.esp_flows)?;
    lines.table("icmp_errors", &report.icmp_errors)?;
    lines.table("incomplete", &report.incomplete)?;
    lines.table("malformed", &report.malformed)?;
    lines.table("findings", &report.findings)?;
    lines.end()
}

fn streamed(walk: &Walk<'_>, hands: Hands, mut lines: Lines<impl Write>) -> io::Result<()> {
    lines.top(&Top {
        schema: SCHEMA_NAME,
        tool_version: env!("CARGO_PKG_VERSION"),
        window: walk.window(),
        selection: &walk.selection,
        forgotten: walk.forgotten(),
    })?;
    lines.table("captures", &walk.captures)?;
    hands::write(walk, hands, &mut lines)?;
    lines.end()
}

/// What stands beside the tables.
#[derive(Serialize)]
struct Top<'a> {
    schema: &'static str,
    tool_version: &'static str,
    window: Option<Window>,
    selection: &'a [String],
    forgotten: Forgotten,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::super::sample;
    use super::*;

    #[test]
    fn rows_are_the_arrays_of_the_object() {
        let report = sample::mixed().report();
        let mut object = Vec::new();
        write_json(&report, &mut object).unwrap();
        let object: Value = serde_json::from_slice(&object).unwrap();
        assert_eq!(object, serde_json::to_value(&report).unwrap());

        let mut lines = Vec::new();
        write_ndjson(&report, &mut lines).unwrap();
        let lines = String::from_utf8(lines).unwrap();
        let mut tables: std::collections::BTreeMap<String, Vec<Value>> = Default::default();
        for line in lines.lines() {
            assert!(line.starts_with("{\"table\":\""));
            let mut row: Value = serde_json::from_str(line).unwrap();
            let table = row.as_object_mut().unwrap().remove("table").unwrap();
            tables.entry(table.as_str().unwrap().into()).or_default().push(row);
        }

        let top = tables.remove("report").unwrap();
        assert_eq!(top.len(), 1);
        assert_eq!(top[0]["schema"], "ikescope.report/1");
        for (name, value) in object.as_object().unwrap() {
            match value.as_array() {
                Some(array) if name != "selection" => {
                    assert_eq!(array, &tables.remove(name).unwrap_or_default(), "table {name}");
                }
                _ => assert_eq!(value, &top[0][name], "top-level {name}"),
            }
        }
        assert!(tables.is_empty(), "tables that the object does not have: {tables:?}");
    }

    #[test]
    fn every_key_and_every_row_has_its_line() {
        let report = sample::mixed().report();
        let mut object = Vec::new();
        write_json(&report, &mut object).unwrap();
        let object = String::from_utf8(object).unwrap();
        let attempts = object.lines().skip_while(|line| *line != "\"attempts\":[").skip(1);
        let attempts: Vec<&str> = attempts.take_while(|line| *line != "],").collect();
        assert_eq!(attempts.len(), report.attempts.len());
        for (line, row) in attempts.iter().zip(&report.attempts) {
            assert_eq!(line.trim_end_matches(','), serde_json::to_string(row).unwrap());
        }
        let mut bare = report;
        bare.malformed.clear();
        let mut object = Vec::new();
        write_json(&bare, &mut object).unwrap();
        assert!(String::from_utf8(object).unwrap().contains("\n],\n\"malformed\":[],\n\"findings\":["));
    }
}
