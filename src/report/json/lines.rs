//! Lines on their way out: tables of rows in either layout.
//!
//! Not here: what stands in a row. Contract: one buffer, which is used again and again, and no row is kept.

use std::io::{self, Write};

use serde::Serialize;

use super::Top;
use crate::report::moment::Calendar;
use crate::report::pen;

/// The two layouts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// One object.
    Object,
    /// One object a row.
    Rows,
}

/// Octets that are gathered before they are written.
const GATHERED: usize = 1 << 16;

/// Lines on their way out, through one buffer that is used again and again.
pub(super) struct Lines<W> {
    out: W,
    pub buffer: Vec<u8>,
    /// Octets that are gathered before they are written.
    pub most: usize,
    pub form: Form,
    table: &'static str,
    /// No row of this table has been written.
    pub first: bool,
    pub dates: Calendar,
}

impl<W: Write> Lines<W> {
    pub fn new(out: W, form: Form) -> Self {
        Self {
            out,
            buffer: Vec::with_capacity(GATHERED + (GATHERED >> 2)),
            most: GATHERED,
            form,
            table: "",
            first: true,
            dates: Calendar::default(),
        }
    }

    /// Writes what was gathered, if that is enough to be worth it. May stand anywhere in a row.
    #[inline]
    pub fn relieve(&mut self) -> io::Result<()> {
        if self.buffer.len() >= self.most { self.flush() } else { Ok(()) }
    }

    #[cold]
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
    }

    pub fn top(&mut self, top: &Top<'_>) -> io::Result<()> {
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
    pub fn table<T: Serialize>(&mut self, table: &'static str, rows: &[T]) -> io::Result<()> {
        self.begin(table);
        for row in rows {
            self.row(row)?;
        }
        self.close();
        Ok(())
    }

    /// Rows of a table are drawn for somebody else, who has begun it.
    pub fn go_on(&mut self, table: &'static str) {
        self.table = table;
        self.first = false;
        self.buffer.clear();
    }

    /// Rows that somebody else drew for this table.
    ///
    /// Errors: those of `out`.
    pub fn drawn_elsewhere(&mut self, rows: &[u8]) -> io::Result<()> {
        if rows.is_empty() {
            return Ok(());
        }
        self.flush()?;
        // all begin as if there was one before
        let comma = usize::from(self.first && self.form == Form::Object);
        self.first = false;
        self.out.write_all(rows.get(comma..).unwrap_or_default())
    }

    /// A table begins.
    pub fn begin(&mut self, table: &'static str) {
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
    pub fn close(&mut self) {
        if self.form == Form::Object {
            pen::raw(&mut self.buffer, if self.first { "]" } else { "\n]" });
        }
    }

    /// A row that `draw` draws, from its first key to its last value.
    #[inline]
    pub fn drawn(&mut self, draw: impl FnOnce(&mut Self) -> io::Result<()>) -> io::Result<()> {
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
    pub fn row(&mut self, row: &impl Serialize) -> io::Result<()> {
        self.drawn(|lines| {
            let start = lines.buffer.len();
            serde_json::to_writer(&mut lines.buffer, row)?;
            // the braces are there already
            lines.buffer.remove(start);
            lines.buffer.pop();
            Ok(())
        })
    }

    pub fn end(&mut self) -> io::Result<()> {
        if self.form == Form::Object {
            pen::raw(&mut self.buffer, "\n}\n");
        }
        self.flush()?;
        self.out.flush()
    }
}
