//! `ikescope explain [ID | "LOG LINE"]`: the page of a finding.

use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::diagnose::lookup::{self, Hit};
use crate::diagnose::pattern::Pattern;
use crate::diagnose::patterns::{CATALOGUE, by_id};
use crate::report::escape::escape;
use crate::report::pages::{json, markdown, text};
use crate::report::text::Style;

use super::Status;
use super::output::{Color, Format, Output, Sink};

const EXAMPLES: &str = "\
Examples:
  ikescope explain                               every finding, by stage
  ikescope explain P1-PROPOSAL                   the page of a finding, in any letter case
  ikescope explain \"Reserved Not Zero on Payload 5\"
                                                 which finding a vendor's log line belongs to
  ikescope explain \"$(tail -1 /var/log/charon.log)\"
                                                 time, host and process around the message do no harm
  ikescope explain V2-AUTH                       the findings whose ids begin like this
  ikescope explain PIX-14                        a row of the source documents
  ikescope explain --format json | jq -r '.[] | [.id, .severity, .title] | @tsv'";

/// Explains a finding, or finds the one that a vendor's log line belongs to.
///
/// Without an argument the catalogue is listed. Exit status 2 if neither a finding nor a log line is known by it: then the nearest
/// lines are named as such.
#[derive(Debug, Clone, Args)]
#[command(after_help = EXAMPLES)]
pub(super) struct Arguments {
    /// Id of a finding, or a line of a vendor's log (several words are one line); without it, the catalogue
    #[arg(value_name = "ID | LOG LINE")]
    query: Vec<String>,

    /// Form of the answer
    #[arg(long, value_enum, default_value_t = Form::Text, help_heading = "Output")]
    format: Form,

    /// Write to this file instead of standard output; it appears whole or not at all
    #[arg(long, short, value_name = "FILE", help_heading = "Output")]
    output: Option<PathBuf>,

    /// When to colour text (NO_COLOR is honoured)
    #[arg(long, value_enum, value_name = "WHEN", default_value_t = Color::Auto, help_heading = "Output")]
    color: Color,
}

/// Form of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Words for people
    Text,
    /// One JSON document
    Json,
    /// The page as it stands under docs/
    Markdown,
}

/// What is asked for.
enum Question {
    /// Nothing in particular.
    Catalogue,
    /// Findings by their ids.
    Pages(Vec<&'static Pattern>),
    /// Findings whose ids begin alike.
    Family(Vec<&'static Pattern>),
    /// What a line belongs to.
    Line(Vec<Hit>),
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<Status> {
    let query = arguments.query.join(" ");
    let question = Question::of(query.trim())?;
    let is_known = !matches!(&question, Question::Line(hits) if !lookup::is_good(hits));
    let mut view = View::new(arguments)?;
    match question {
        Question::Catalogue => view.catalogue()?,
        Question::Pages(patterns) => view.pages(&patterns)?,
        Question::Family(patterns) => view.family(&patterns)?,
        Question::Line(hits) => view.line(query.trim(), &hits)?,
    }
    view.sink.finish()?;
    Ok(if is_known { Status::Read } else { Status::Unreadable })
}

impl Question {
    /// Errors: nothing is known by this name, and no log line is like it.
    fn of(query: &str) -> anyhow::Result<Self> {
        if query.is_empty() {
            return Ok(Self::Catalogue);
        }
        if let Some(patterns) = by_ids(query) {
            return Ok(Self::Pages(patterns));
        }
        if let Some(hit) = lookup::row(query) {
            return Ok(Self::Line(vec![hit]));
        }
        let family = lookup::family(query);
        if !family.is_empty() {
            return Ok(Self::Family(family));
        }
        let hits = lookup::find(query);
        let is_word = !query.contains(char::is_whitespace);
        let similar = if is_word && !lookup::is_good(&hits) { lookup::similar(query) } else { Vec::new() };
        let asked = escape(query).chars().take(LONGEST_ECHO).collect::<String>();
        match similar.as_slice() {
            [] if hits.is_empty() => anyhow::bail!(
                "no finding and no log line is known that is like \"{asked}\"; ikescope explain lists the findings"
            ),
            [] => Ok(Self::Line(hits)),
            similar => {
                let ids: Vec<&str> = similar.iter().map(|pattern| pattern.id).collect();
                anyhow::bail!("there is no finding {asked}; did you mean {}?", ids.join(", "))
            }
        }
    }
}

/// An error message repeats no more of the question.
const LONGEST_ECHO: usize = 60;

/// The findings that are named: every word is an id, or all together are one, or one stands in brackets as in
/// `error[P1-PSK]: …`.
fn by_ids(query: &str) -> Option<Vec<&'static Pattern>> {
    let words = || query.split([' ', ',', '\t']).filter(|word| !word.is_empty());
    let each: Option<Vec<_>> = words().map(by_id).collect();
    let together = || by_id(&words().collect::<Vec<_>>().join("-").replace('_', "-"));
    let bracketed = || query.split_once('[').and_then(|(_, behind)| by_id(behind.split_once(']')?.0));
    each.filter(|patterns| !patterns.is_empty()).or_else(|| together().or_else(bracketed).map(|pattern| vec![pattern]))
}

/// The answer on its way out.
struct View {
    form: Form,
    style: Style,
    sink: Sink,
}

impl View {
    fn new(arguments: &Arguments) -> anyhow::Result<Self> {
        let format = if arguments.format == Form::Json { Format::Json } else { Format::Text };
        let output = Output { format, output: arguments.output.clone(), color: arguments.color };
        Ok(Self { form: arguments.format, style: output.style(), sink: output.open()? })
    }

    fn catalogue(&mut self) -> anyhow::Result<()> {
        match self.form {
            Form::Text => text::catalogue(&mut self.sink, &self.style)?,
            Form::Markdown => self.sink.write_all(markdown::catalogue().as_bytes())?,
            Form::Json => self.json(&CATALOGUE.iter().map(|pattern| json::Page::new(pattern)).collect::<Vec<_>>())?,
        }
        Ok(())
    }

    fn family(&mut self, patterns: &[&'static Pattern]) -> anyhow::Result<()> {
        match self.form {
            Form::Text => text::list(patterns, &mut self.sink, &self.style)?,
            Form::Markdown => self.sink.write_all(markdown::list(patterns).as_bytes())?,
            Form::Json => self.json(&patterns.iter().map(|pattern| json::Page::new(pattern)).collect::<Vec<_>>())?,
        }
        Ok(())
    }

    fn pages(&mut self, patterns: &[&'static Pattern]) -> anyhow::Result<()> {
        match (self.form, patterns) {
            (Form::Json, [pattern]) => return self.json(&json::Page::new(pattern)),
            (Form::Json, _) => {
                return self.json(&patterns.iter().map(|pattern| json::Page::new(pattern)).collect::<Vec<_>>());
            }
            (Form::Text | Form::Markdown, _) => {}
        }
        for (index, pattern) in patterns.iter().enumerate() {
            if index > 0 {
                self.sink.write_all(b"\n")?;
            }
            match self.form {
                Form::Markdown => self.sink.write_all(markdown::page(pattern).as_bytes())?,
                Form::Text | Form::Json => text::page(pattern, &mut self.sink, &self.style)?,
            }
        }
        Ok(())
    }

    fn line(&mut self, query: &str, hits: &[Hit]) -> anyhow::Result<()> {
        let clear = lookup::clearly(hits);
        match self.form {
            Form::Json => return self.json(&json::Answer::new(&escape(query), hits, clear)),
            Form::Text => text::hits(hits, &mut self.sink, &self.style)?,
            Form::Markdown => self.sink.write_all(markdown::hits(hits).as_bytes())?,
        }
        match clear {
            Some(pattern) => {
                self.sink.write_all(b"\n")?;
                self.pages(&[pattern])
            }
            None if !lookup::is_good(hits) || hits.iter().all(|hit| hit.patterns.is_empty()) => Ok(()),
            None => {
                Ok(self.sink.write_all(b"\nNo page is clearly the one; to read any of them: ikescope explain ID\n")?)
            }
        }
    }

    fn json(&mut self, answer: &impl Serialize) -> anyhow::Result<()> {
        serde_json::to_writer_pretty(&mut self.sink, answer)?;
        Ok(self.sink.write_all(b"\n")?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(query: &str) -> Vec<&'static str> {
        by_ids(query).unwrap_or_default().iter().map(|pattern| pattern.id).collect()
    }

    #[test]
    fn findings_are_named_in_many_ways() {
        for query in ["P1-NO-REPLY", "p1-no-reply", "p1 no reply", "p1_no_reply", "error[P1-NO-REPLY]: the first"] {
            assert_eq!(ids(query), ["P1-NO-REPLY"], "{query}");
        }
        assert_eq!(ids("OK-UP p1-proposal"), ["OK-UP", "P1-PROPOSAL"]);
        assert!(ids("P1-NO-REPLY is shown").is_empty());
    }

    #[test]
    fn a_slip_of_the_finger_is_answered_with_the_id_that_was_meant() {
        let error = |query| Question::of(query).err().map(|error| error.to_string()).unwrap_or_default();
        assert_eq!(error("P1-PROPSAL"), "there is no finding P1-PROPSAL; did you mean P1-PROPOSAL?");
        assert!(error("\x1b[31mxyzzy").contains("like \"\\x1b[31mxyzzy\""));
    }
}
