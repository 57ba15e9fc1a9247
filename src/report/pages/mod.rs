//! The pages of the catalogue: what `ikescope explain` prints and what stands under `docs/`.
//!
//! | file | what it does |
//! |---|---|
//! | `prose` | reads the light Markdown that patterns are written in |
//! | `text` | a page, the catalogue and the answer to a log line, for a terminal |
//! | `markdown` | a page, the catalogue and the source documents, for `docs/` |
//! | `json` | the same for machines |
//!
//! Contract: everything comes from the catalogue; the order of a page is the same in every form.

pub mod json;
pub mod markdown;
mod prose;
pub mod text;

use std::borrow::Cow;

use crate::diagnose::Where;
use crate::diagnose::documents::{self, Document};
use crate::diagnose::pattern::{Hypothesis, Pattern, Stage};
use crate::diagnose::patterns::CATALOGUE;

use super::words::Word;

/// What is said above hits that are only the nearest.
const NONE_LIKE_IT: &str = "No log line is known that is like it; the nearest are:";

/// Stages with their word and their heading, in the order of the catalogue.
const STAGES: [(Stage, &str, &str); 11] = [
    (Stage::Capture, "capture", "What the capture shows"),
    (Stage::Phase1, "phase1", "IKEv1 phase 1"),
    (Stage::Phase2, "phase2", "IKEv1 phase 2"),
    (Stage::IkeV2, "ikev2", "IKEv2"),
    (Stage::Path, "path", "NAT, ports and ICMP"),
    (Stage::Fragments, "fragments", "Fragments and packet sizes"),
    (Stage::Traffic, "traffic", "ESP and AH"),
    (Stage::LifeCycle, "life-cycle", "Liveness, re-keying, deletion"),
    (Stage::Security, "security", "Security advice"),
    (Stage::Malformed, "malformed", "Malformed messages"),
    (Stage::Normal, "normal", "All is well"),
];

impl Word for Stage {
    fn word(self) -> &'static str {
        STAGES.iter().find(|(stage, _, _)| *stage == self).map_or("other", |(_, word, _)| word)
    }
}

/// Heading of a stage.
pub fn stage_heading(stage: Stage) -> &'static str {
    STAGES.iter().find(|(known, _, _)| *known == stage).map_or("Other", |(_, _, heading)| heading)
}

/// The catalogue by stage; stages without a pattern are left out.
pub fn by_stage() -> impl Iterator<Item = (Stage, Vec<&'static Pattern>)> {
    STAGES.iter().filter_map(|(stage, _, _)| {
        let patterns: Vec<_> = CATALOGUE.iter().copied().filter(|pattern| pattern.stage == *stage).collect();
        (!patterns.is_empty()).then_some((*stage, patterns))
    })
}

/// The one heading of the prose that stands behind the checks and not before them.
const LOOK_ALIKES: &str = "Look-alikes";

/// Where to check, as a heading, in the order of the page.
const PLACES: [(Where, &str); 5] = [
    (Where::Initiator, "On the initiator"),
    (Where::Responder, "On the responder"),
    (Where::Either, "On both sides"),
    (Where::Path, "On the path between them"),
    (Where::Capture, "At the capture point"),
];

/// What to check, by place; places without a check are left out. A side that shows only in a case is a place of its own.
fn checks(pattern: &Pattern) -> Vec<(Cow<'static, str>, Vec<&'static str>)> {
    let mut places: Vec<(Cow<'static, str>, Vec<&str>)> = Vec::new();
    for (place, heading) in PLACES {
        for check in pattern.checks.iter().filter(|check| check.side == place) {
            let heading = check.party.map_or(Cow::Borrowed(heading), |party| format!("On {party}").into());
            match places.iter_mut().find(|(known, _)| *known == heading) {
                Some((_, texts)) => texts.push(check.text),
                None => places.push((heading, vec![check.text])),
            }
        }
    }
    places
}

/// Causes, likeliest first.
fn causes(pattern: &Pattern) -> Vec<&'static Hypothesis> {
    let mut causes: Vec<_> = pattern.causes.iter().collect();
    causes.sort_by(|left, right| right.prior.total_cmp(&left.prior));
    causes
}

/// Evidence that makes a cause more and less likely, with the words before each.
fn evidence(cause: &'static Hypothesis) -> impl Iterator<Item = (&'static str, &'static str)> {
    let both = [("more likely: ", cause.raised_by), ("less likely: ", cause.lowered_by)];
    both.into_iter().filter(|(_, text)| !matches!(*text, "" | "-"))
}

/// Log lines by vendor, in the order in which the vendors first appear.
fn logs_by_vendor(pattern: &Pattern) -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let mut vendors: Vec<(&str, Vec<_>)> = Vec::new();
    for log in pattern.logs {
        let line = (log.message, log.source);
        match vendors.iter_mut().find(|(vendor, _)| *vendor == log.vendor) {
            Some((_, lines)) => lines.push(line),
            None => vendors.push((log.vendor, vec![line])),
        }
    }
    vendors
}

/// Sources: rows by document, then everything else.
fn sources(pattern: &Pattern) -> (Vec<(&'static Document, Vec<&'static str>)>, Vec<&'static str>) {
    let mut rows: Vec<(&Document, Vec<&str>)> = Vec::new();
    let mut others = Vec::new();
    for source in pattern.sources {
        match documents::row(source) {
            None => others.push(*source),
            Some((document, row)) => match rows.iter_mut().find(|(known, _)| known.prefix == document.prefix) {
                Some((_, ids)) => ids.push(row.id),
                None => rows.push((document, vec![row.id])),
            },
        }
    }
    (rows, others)
}

/// Patterns that answer a row of a source document: those that it leads to, then those that name it, all known.
pub fn answering(row: &documents::Row) -> Vec<&'static Pattern> {
    let named = CATALOGUE.iter().copied().filter(|pattern| pattern.sources.contains(&row.id));
    let mut patterns: Vec<&Pattern> = named.collect();
    let place = |pattern: &Pattern| row.patterns.iter().position(|id| *id == pattern.id).unwrap_or(usize::MAX);
    patterns.sort_by_key(|pattern| place(pattern));
    patterns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_stands_under_one_heading() {
        let listed: usize = by_stage().map(|(_, patterns)| patterns.len()).sum();
        assert_eq!(listed, CATALOGUE.len());
        for pattern in CATALOGUE {
            assert_ne!(pattern.stage.word(), "other", "{}", pattern.id);
        }
    }

    #[test]
    fn a_side_that_a_case_names_has_a_heading_of_its_own() {
        let pattern = crate::diagnose::patterns::by_id("P2-REJECT").unwrap();
        let places: Vec<_> = checks(pattern).into_iter().map(|(heading, _)| heading).collect();
        assert_eq!(places, ["On the side that refuses", "On both sides"]);
    }

    #[test]
    fn no_check_is_lost_by_grouping() {
        for pattern in CATALOGUE {
            let grouped: usize = checks(pattern).iter().map(|(_, texts)| texts.len()).sum();
            assert_eq!(grouped, pattern.checks.len(), "{}", pattern.id);
        }
    }
}
