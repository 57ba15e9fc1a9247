//! The catalogue for machines.

use std::borrow::Cow;

use serde::Serialize;

use crate::diagnose::lookup::{Hit, is_good};
use crate::diagnose::pattern::Pattern;
use crate::diagnose::{Severity, Where};
use crate::report::words::Word;

/// The page of a pattern.
#[derive(Debug, Serialize)]
pub struct Page {
    id: &'static str,
    title: &'static str,
    severity: Severity,
    stage: &'static str,
    /// Markdown.
    prose: String,
    causes: Vec<Cause>,
    checks: Vec<Check>,
    logs: Vec<Log>,
    sources: &'static [&'static str],
}

#[derive(Debug, Serialize)]
struct Cause {
    text: &'static str,
    prior: f32,
    raised_by: &'static str,
    lowered_by: &'static str,
}

#[derive(Debug, Serialize)]
struct Check {
    side: Where,
    text: Cow<'static, str>,
}

#[derive(Debug, Serialize)]
struct Log {
    vendor: &'static str,
    message: &'static str,
    source: &'static str,
}

impl Page {
    /// The page of `pattern`.
    pub fn new(pattern: &'static Pattern) -> Self {
        let prose = pattern.prose.lines().map(|line| line.strip_prefix(' ').unwrap_or(line));
        let causes = super::causes(pattern).into_iter().map(|cause| Cause {
            text: cause.text,
            prior: cause.prior,
            raised_by: cause.raised_by,
            lowered_by: cause.lowered_by,
        });
        let logs = pattern.logs.iter();
        Self {
            id: pattern.id,
            title: pattern.title,
            severity: pattern.severity,
            stage: pattern.stage.word(),
            prose: prose.collect::<Vec<_>>().join("\n"),
            causes: causes.collect(),
            checks: pattern.checks.iter().map(|check| Check { side: check.side, text: check.in_full() }).collect(),
            logs: logs.map(|log| Log { vendor: log.vendor, message: log.message, source: log.source }).collect(),
            sources: pattern.sources,
        }
    }
}

/// The answer to a line of a log.
#[derive(Debug, Serialize)]
pub struct Answer<'a> {
    query: &'a str,
    /// Whether a line is known that is like it; else the matches are only the nearest.
    known: bool,
    matches: Vec<Match>,
    page: Option<Page>,
}

#[derive(Debug, Serialize)]
struct Match {
    vendor: &'static str,
    message: &'static str,
    is_log: bool,
    sources: Vec<&'static str>,
    patterns: Vec<&'static str>,
    why_unanswered: Option<&'static str>,
    score: f32,
}

impl<'a> Answer<'a> {
    /// What `query` resembles, and the page that it clearly means.
    pub fn new(query: &'a str, hits: &[Hit], pattern: Option<&'static Pattern>) -> Self {
        let matches = hits.iter().map(|hit| Match {
            vendor: hit.vendor,
            message: hit.message,
            is_log: hit.is_log,
            sources: hit.sources.clone(),
            patterns: hit.patterns.iter().map(|pattern| pattern.id).collect(),
            why_unanswered: hit.why_unanswered(),
            score: (hit.score.min(1.0) * 100.0).round() / 100.0,
        });
        Self { query, known: is_good(hits), matches: matches.collect(), page: pattern.map(Page::new) }
    }
}
