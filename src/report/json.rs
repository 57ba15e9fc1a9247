//! The report as JSON: one object with a row a line, or every row an object of its own.
//!
//! Not here: what a row holds. Contract: a [`Report`] and the [`Walk`] that it comes from are written octet for octet the
//! same; a walk takes one buffer and no row is kept.

mod parts;
mod rows;

use std::io::{self, Write};

use serde::Serialize;

use super::build;
use super::model::{Forgotten, Report, Window};
use super::moment::Calendar;
use super::walk::Walk;
use super::{SCHEMA_NAME, pen};

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
pub fn stream_json(walk: &Walk<'_>, out: &mut impl Write) -> io::Result<()> {
    streamed(walk, Lines::new(out, Form::Object))
}

/// Writes what [`write_ndjson`] writes of the report of this walk, without making that report.
///
/// Errors: those of `out`.
pub fn stream_ndjson(walk: &Walk<'_>, out: &mut impl Write) -> io::Result<()> {
    streamed(walk, Lines::new(out, Form::Rows))
}

fn whole(report: &Report, mut lines: Lines<'_, impl Write>) -> io::Result<()> {
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

fn streamed(walk: &Walk<'_>, mut lines: Lines<'_, impl Write>) -> io::Result<()> {
    lines.top(&Top {
        schema: SCHEMA_NAME,
        tool_version: env!("CARGO_PKG_VERSION"),
        window: walk.window(),
        selection: &walk.selection,
        forgotten: walk.forgotten(),
    })?;
    lines.table("captures", &walk.captures)?;
    lines.begin("pairs");
    walk.each_pair(|row| lines.drawn(|lines| rows::pair(lines, &row)))?;
    lines.close();
    lines.begin("attempts");
    let mut parts = parts::OfAttempts::default();
    walk.each_attempt(|row| lines.drawn(|lines| rows::attempt(lines, &mut parts, &row)))?;
    lines.close();
    lines.begin("exchanges");
    let mut parts = parts::OfMessages::default();
    walk.each_exchange(|row| lines.drawn(|lines| rows::exchange(lines, &mut parts, &row)))?;
    lines.close();
    lines.begin("esp_flows");
    walk.each_flow(|id, pair, flow| lines.drawn(|lines| rows::esp_flow(lines, id, pair, flow)))?;
    lines.close();
    lines.begin("icmp_errors");
    walk.each_icmp_error(|pair, error| lines.row(&build::icmp_error(pair, error)))?;
    lines.close();
    lines.begin("incomplete");
    walk.each_incomplete(|pair, datagram| lines.row(&build::incomplete(pair, datagram)))?;
    lines.close();
    lines.begin("malformed");
    walk.each_malformed(|id, pair, datagram| lines.row(&build::malformed(id, pair, datagram)))?;
    lines.close();
    lines.begin("findings");
    let mut parts = parts::OfFindings::default();
    walk.each_finding(|row| lines.drawn(|lines| rows::finding(lines, &mut parts, &row)))?;
    lines.close();
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

/// The two layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// One object.
    Object,
    /// One object a row.
    Rows,
}

/// Octets that are gathered before they are written.
const GATHERED: usize = 1 << 16;

/// Lines on their way out, through one buffer that is used again and again.
struct Lines<'w, W> {
    out: &'w mut W,
    buffer: Vec<u8>,
    form: Form,
    table: &'static str,
    /// No row of this table has been written.
    first: bool,
    dates: Calendar,
}

impl<'w, W: Write> Lines<'w, W> {
    fn new(out: &'w mut W, form: Form) -> Self {
        Self {
            out,
            buffer: Vec::with_capacity(GATHERED + (GATHERED >> 2)),
            form,
            table: "",
            first: true,
            dates: Calendar::default(),
        }
    }

    /// Writes what was gathered, if that is enough to be worth it. May stand anywhere in a row.
    #[inline]
    fn relieve(&mut self) -> io::Result<()> {
        if self.buffer.len() >= GATHERED { self.flush() } else { Ok(()) }
    }

    #[cold]
    fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    fn top(&mut self, top: &Top<'_>) -> io::Result<()> {
        match self.form {
            Form::Rows => {
                self.begin("report");
                self.row(top)
            }
            Form::Object => {
                pen::raw(&mut self.buffer, "{\n");
                self.entry("schema", &top.schema)?;
                self.entry("tool_version", &top.tool_version)?;
                self.entry("window", &top.window)?;
                self.entry("selection", &top.selection)?;
                self.entry("forgotten", &top.forgotten)
            }
        }
    }

    /// A key beside the tables.
    fn entry(&mut self, key: &str, value: &impl Serialize) -> io::Result<()> {
        pen::string(&mut self.buffer, key);
        self.buffer.push(b':');
        serde_json::to_writer(&mut self.buffer, value)?;
        pen::raw(&mut self.buffer, ",\n");
        Ok(())
    }

    /// A whole table.
    fn table<T: Serialize>(&mut self, table: &'static str, rows: &[T]) -> io::Result<()> {
        self.begin(table);
        for row in rows {
            self.row(row)?;
        }
        self.close();
        Ok(())
    }

    /// A table begins.
    fn begin(&mut self, table: &'static str) {
        if self.form == Form::Object {
            if !self.table.is_empty() {
                pen::raw(&mut self.buffer, ",\n");
            }
            pen::string(&mut self.buffer, table);
            pen::raw(&mut self.buffer, ":[");
        }
        self.table = table;
        self.first = true;
    }

    /// A table ends.
    fn close(&mut self) {
        if self.form == Form::Object {
            pen::raw(&mut self.buffer, if self.first { "]" } else { "\n]" });
        }
    }

    /// A row that `draw` draws, from its first key to its last value.
    #[inline]
    fn drawn(&mut self, draw: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
        match self.form {
            Form::Object => pen::raw(&mut self.buffer, if self.first { "\n{" } else { ",\n{" }),
            Form::Rows => {
                pen::raw(&mut self.buffer, "{\"table\":\"");
                pen::raw(&mut self.buffer, self.table);
                pen::raw(&mut self.buffer, "\",");
            }
        }
        self.first = false;
        draw(self)?;
        pen::raw(&mut self.buffer, if self.form == Form::Object { "}" } else { "}\n" });
        self.relieve()
    }

    /// A row that draws itself.
    fn row(&mut self, row: &impl Serialize) -> io::Result<()> {
        self.drawn(|lines| {
            let start = lines.buffer.len();
            serde_json::to_writer(&mut lines.buffer, row)?;
            // the braces are there already
            lines.buffer.remove(start);
            lines.buffer.pop();
            Ok(())
        })
    }

    fn end(&mut self) -> io::Result<()> {
        if self.form == Form::Object {
            pen::raw(&mut self.buffer, "\n}\n");
        }
        self.flush()?;
        self.out.flush()
    }
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
