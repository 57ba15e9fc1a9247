//! The report as JSON: one object, or one row a line.
//!
//! Both are written straight from the model, without a copy in between.

use std::io::{self, BufWriter, Write};

use serde::Serialize;

use super::model::{Forgotten, Report, Window};

/// Writes the report as one indented JSON object.
///
/// Errors: those of `out`.
pub fn write_json(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let mut out = BufWriter::new(out);
    serde_json::to_writer_pretty(&mut out, report)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Writes the report as rows, one JSON object a line: first one of table `report`, then every row of every array in
/// the order of the report, each with the name of its array in `table`.
///
/// Errors: those of `out`.
pub fn write_ndjson(report: &Report, out: &mut impl Write) -> io::Result<()> {
    let out = &mut BufWriter::new(out);
    let top = Top {
        schema: report.schema,
        tool_version: report.tool_version,
        window: report.window,
        selection: &report.selection,
        forgotten: report.forgotten,
    };
    rows(out, "report", &[top])?;
    rows(out, "captures", &report.captures)?;
    rows(out, "pairs", &report.pairs)?;
    rows(out, "attempts", &report.attempts)?;
    rows(out, "exchanges", &report.exchanges)?;
    rows(out, "esp_flows", &report.esp_flows)?;
    rows(out, "icmp_errors", &report.icmp_errors)?;
    rows(out, "incomplete", &report.incomplete)?;
    rows(out, "malformed", &report.malformed)?;
    rows(out, "findings", &report.findings)?;
    out.flush()
}

#[derive(Serialize)]
struct Top<'a> {
    schema: &'static str,
    tool_version: &'static str,
    window: Option<Window>,
    selection: &'a [String],
    forgotten: Forgotten,
}

#[derive(Serialize)]
struct Row<'a, T> {
    table: &'static str,
    #[serde(flatten)]
    row: &'a T,
}

fn rows<T: Serialize>(out: &mut impl Write, table: &'static str, rows: &[T]) -> io::Result<()> {
    for row in rows {
        serde_json::to_writer(&mut *out, &Row { table, row })?;
        out.write_all(b"\n")?;
    }
    Ok(())
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
}
