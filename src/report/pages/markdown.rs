//! The catalogue as Markdown: one file a pattern, their list, and the source documents row by row.

use crate::diagnose::documents::{self, DOCUMENTS, Row, why_unanswered};
use crate::diagnose::lookup::{Hit, is_good};
use crate::diagnose::pattern::Pattern;
use crate::diagnose::patterns::by_id;
use crate::report::words::{Word, vendor};

use super::prose::{Block, Section, Span, sections, spans};
use super::{
    LOOK_ALIKES, NONE_LIKE_IT, answering, by_stage, causes, checks, evidence, logs_by_vendor, sources, stage_heading,
};

/// Columns of a line, where the text allows.
const WIDTH: usize = 110;

/// The page of a pattern: `docs/patterns/ID.md`.
pub fn page(pattern: &Pattern) -> String {
    let mut text = format!("# {}: {}\n\n", pattern.id, escaped(pattern.title));
    let stage = stage_heading(pattern.stage);
    text.push_str(&format!("{} as a rule, [{stage}](README.md#{})\n", pattern.severity.word(), anchor(stage)));
    let (after, before): (Vec<_>, Vec<_>) =
        sections(pattern.prose).into_iter().partition(|section| section.heading == LOOK_ALIKES);
    before.iter().for_each(|section| push_section(&mut text, pattern, section));
    push_causes(&mut text, pattern);
    push_checks(&mut text, pattern);
    after.iter().for_each(|section| push_section(&mut text, pattern, section));
    push_logs(&mut text, pattern);
    push_sources(&mut text, pattern);
    text
}

/// The list of all patterns: `docs/patterns/README.md`.
pub fn catalogue() -> String {
    let mut text = String::from("# The catalogue\n\n");
    let about = "Everything that ikescope can find, by stage of a tunnel's life. `ikescope explain` prints this list, \
                 `ikescope explain ID` a page of it; with a line of a vendor's log instead of an id, it finds the page \
                 that the line belongs to. A severity is that of most cases; a finding has the one of its own. The rows of the source documents are listed in \
                 [documents.md](../documents.md).";
    text.push_str(&wrapped("", "", about));
    for (stage, patterns) in by_stage() {
        text.push_str(&format!("\n## {}\n\n", stage_heading(stage)));
        text.push_str(&list(&patterns));
    }
    text
}

/// Some patterns as a table.
pub fn list(patterns: &[&Pattern]) -> String {
    let mut text = String::from("| page | severity | |\n|---|---|---|\n");
    for pattern in patterns {
        let (id, severity) = (pattern.id, pattern.severity.word());
        text.push_str(&format!("| [{id}]({id}.md) | {severity} | {} |\n", in_table(&escaped(pattern.title))));
    }
    text
}

/// The known lines that a log line resembles, and the patterns of each.
pub fn hits(hits: &[Hit]) -> String {
    let mut text = if is_good(hits) { String::new() } else { format!("{NONE_LIKE_IT}\n\n") };
    for hit in hits {
        let message = if hit.is_log { code(hit.message) } else { escaped(hit.message) };
        let from = hit.sources.join(", ");
        text.push_str(&format!("- {} {message} ({}): ", escaped(vendor(hit.vendor)), escaped(&from)));
        let links: Vec<String> = hit.patterns.iter().map(|pattern| format!("[{0}]({0}.md)", pattern.id)).collect();
        text.push_str(&links.join(" "));
        text.push_str(hit.why_unanswered().unwrap_or_default());
        text.push('\n');
    }
    text
}

/// Every row of the source documents with the pages that answer it: `docs/documents.md`.
pub fn source_documents() -> String {
    let mut text = String::from("# The source documents\n\n");
    let about = "Every message, state, symptom and check of the five documents that the catalogue answers, and the \
                 pages that answer it. Log lines stand as the document prints them; what is no log line is named in \
                 our own words. `ikescope explain ROW` shows the same.";
    text.push_str(&wrapped("", "", about));
    for document in DOCUMENTS {
        text.push_str(&format!("\n## {}\n\n| row | what it says | pages |\n|---|---|---|\n", document.name));
        for row in document.rows {
            let id = row.id;
            text.push_str(&format!("| <a id=\"{}\"></a>{id} | {} | {} |\n", anchor(id), said(row), answers(row)));
        }
    }
    text
}

/// What a row says, in a cell.
fn said(row: &Row) -> String {
    let mut parts: Vec<String> = row.log.split(" / ").filter(|line| !line.is_empty()).map(code).collect();
    if !row.note.is_empty() {
        parts.push(escaped(row.note));
    }
    in_table(&parts.join(", "))
}

/// The pages that answer a row, in a cell.
fn answers(row: &Row) -> String {
    match why_unanswered(row.id) {
        Some(why) => format!("none: {}", in_table(&escaped(why))),
        None => {
            let links = answering(row).into_iter().map(|pattern| format!("[{0}](patterns/{0}.md)", pattern.id));
            links.collect::<Vec<_>>().join(" ")
        }
    }
}

fn push_section(text: &mut String, pattern: &Pattern, section: &Section) {
    text.push_str(&format!("\n## {}\n", section.heading));
    let mut in_list = false;
    for block in &section.blocks {
        let item = matches!(block, Block::Item(_));
        if !(item && in_list) {
            text.push('\n');
        }
        in_list = item;
        match block {
            Block::Paragraph(line) => text.push_str(&wrapped("", "", &linked(pattern, line))),
            Block::Item(line) => text.push_str(&wrapped("- ", "  ", &linked(pattern, line))),
        }
    }
}

fn push_causes(text: &mut String, pattern: &Pattern) {
    let causes = causes(pattern);
    if causes.is_empty() {
        return;
    }
    text.push_str("\n## Likely causes, the likeliest first\n\n");
    for (cause, number) in causes.into_iter().zip(1_u32..) {
        text.push_str(&wrapped(&format!("{number}. "), "   ", &linked(pattern, cause.text)));
        for (label, evidence) in evidence(cause) {
            text.push_str(&wrapped(&format!("   - *{}* ", label.trim_end()), "     ", &linked(pattern, evidence)));
        }
    }
}

fn push_checks(text: &mut String, pattern: &Pattern) {
    if pattern.checks.is_empty() {
        return;
    }
    text.push_str("\n## What to check\n");
    for (place, lines) in checks(pattern) {
        text.push_str(&format!("\n{place}:\n\n"));
        lines.into_iter().for_each(|line| text.push_str(&wrapped("- ", "  ", &linked(pattern, line))));
    }
}

fn push_logs(text: &mut String, pattern: &Pattern) {
    if pattern.logs.is_empty() {
        return;
    }
    text.push_str("\n## What vendors log\n\n| vendor | line | seen in |\n|---|---|---|\n");
    for (name, lines) in logs_by_vendor(pattern) {
        for (message, source) in lines {
            let message = message.split(" / ").map(code).collect::<Vec<_>>().join(", ");
            let cells = [escaped(vendor(name)), message, source_link(source)].map(|cell| in_table(&cell));
            text.push_str(&format!("| {} |\n", cells.join(" | ")));
        }
    }
}

fn push_sources(text: &mut String, pattern: &Pattern) {
    if pattern.sources.is_empty() {
        return;
    }
    text.push_str("\n## Sources\n\n");
    let (rows, others) = sources(pattern);
    for (document, ids) in rows {
        let links: Vec<String> = ids.iter().map(|id| source_link(id)).collect();
        text.push_str(&wrapped("- ", "  ", &format!("{}: {}", escaped(document.name), links.join(", "))));
    }
    if !others.is_empty() {
        text.push_str(&wrapped("- ", "  ", &escaped(&others.join("; "))));
    }
}

/// One source or several; a row of a source document leads to its place in the list of them.
fn source_link(source: &str) -> String {
    let link = |source: &str| match documents::row(source) {
        Some((_, row)) => format!("[{0}](../documents.md#{1})", row.id, anchor(row.id)),
        None => escaped(source),
    };
    source.split(", ").map(link).collect::<Vec<_>>().join(", ")
}

/// A line of light Markdown, with ids of other patterns as links to their pages.
fn linked(on: &Pattern, line: &str) -> String {
    let mut text = String::new();
    for span in spans(line) {
        match span {
            Span::Plain(plain) => text.push_str(&escaped(plain)),
            Span::Strong(strong) => text.push_str(&format!("**{}**", escaped(strong))),
            Span::Code(inside) => match by_id(inside).filter(|pattern| pattern.id != on.id) {
                Some(pattern) => text.push_str(&format!("[{0}]({0}.md)", pattern.id)),
                None => text.push_str(&code(inside)),
            },
        }
    }
    text
}

/// As code, whatever is in it.
fn code(text: &str) -> String {
    if text.contains('`') { format!("`` {text} ``") } else { format!("`{text}`") }
}

/// With everything escaped that Markdown would take for a mark.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '*' | '[' | ']' | '`' | '\\' => safe.extend(['\\', character]),
            '<' => safe.push_str("&lt;"),
            _ => safe.push(character),
        }
    }
    safe
}

/// In a cell of a table a bar has to be escaped, in code too.
fn in_table(text: &str) -> String {
    text.replace('|', "\\|")
}

/// The anchor of a heading, as GitHub makes it.
fn anchor(heading: &str) -> String {
    let kept = heading.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-'));
    kept.map(|character| if character == ' ' { '-' } else { character.to_ascii_lowercase() }).collect()
}

/// Behind `head`, wrapped; every further line begins with `hang`.
fn wrapped(head: &str, hang: &str, line: &str) -> String {
    let mut text = String::from(head);
    let mut used = head.chars().count();
    let mut first = true;
    let mut in_code = false;
    for word in line.split(' ') {
        let width = word.chars().count();
        // a dash or a number at the start of a line would begin a list
        let marks = word.starts_with(['-', '+', '#', '>']) || word.ends_with('.') && word.parse::<f32>().is_ok();
        if !first && used + 1 + width > WIDTH && !marks && !in_code {
            text.push_str(&format!("\n{hang}"));
            used = hang.len();
        } else if !first {
            text.push(' ');
            used += 1;
        }
        text.push_str(word);
        used += width;
        first = false;
        in_code ^= word.matches('`').count() % 2 == 1;
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_of_other_patterns_become_links() {
        let on = by_id("P1-NO-REPLY").unwrap();
        assert_eq!(
            linked(on, "see `P1-PROPOSAL`, `P1-NO-REPLY`, `MM1`"),
            "see [P1-PROPOSAL](P1-PROPOSAL.md), `P1-NO-REPLY`, `MM1`"
        );
    }

    #[test]
    fn what_is_data_is_no_markup() {
        assert_eq!(escaped("a*b [c] <d>"), "a\\*b \\[c\\] &lt;d>");
        assert_eq!(code("a ` b"), "`` a ` b ``");
        assert_eq!(in_table("`a|b`"), "`a\\|b`");
    }

    #[test]
    fn long_lines_are_wrapped_and_begin_no_list() {
        let line = format!("{} - tail", "word ".repeat(22).trim_end());
        assert_eq!(wrapped("", "", &line), format!("{} -\ntail\n", "word ".repeat(22).trim_end()));
        let line = "word ".repeat(40);
        assert!(wrapped("- ", "  ", line.trim_end()).lines().all(|line| line.len() <= WIDTH));
    }

    #[test]
    fn headings_have_the_anchors_of_github() {
        assert_eq!(anchor("NAT, ports and ICMP"), "nat-ports-and-icmp");
        assert_eq!(anchor("SMG-08"), "smg-08");
    }
}
