//! The catalogue on a terminal: the list, a page, and the answer to a log line.

use std::io::{self, Write};

use crate::diagnose::Severity;
use crate::diagnose::lookup::{Hit, is_good};
use crate::diagnose::pattern::Pattern;
use crate::report::text::{Page, Palette, Style, Words};
use crate::report::words::{Word, vendor};

use super::prose::{Block, Section, Span, sections, spans};
use super::{LOOK_ALIKES, NONE_LIKE_IT, by_stage, causes, checks, evidence, logs_by_vendor, sources, stage_heading};

/// Prose is not read well in longer lines.
const READABLE: usize = 80;
const INDENT: usize = 2;

/// Marks of the severities in the list, with their meaning.
const MARKS: [(Severity, &str); 5] = [
    (Severity::Error, "E"),
    (Severity::Warning, "W"),
    (Severity::Notice, "N"),
    (Severity::Advisory, "A"),
    (Severity::Info, "·"),
];

/// Writes all patterns, one a line, under the headings of their stages.
///
/// Errors: those of `out`.
pub fn catalogue(out: &mut impl Write, style: &Style) -> io::Result<()> {
    let mut page = page_of(out, style);
    let palette = page.palette;
    let marks = MARKS.iter().map(|(severity, mark)| {
        Words::inked(ink(&palette, *severity), *mark).and_inked(palette.faint, format!("\u{a0}{}", severity.word()))
    });
    for (stage, patterns) in by_stage() {
        page.line(&Words::inked(palette.heading, stage_heading(stage)))?;
        for pattern in patterns {
            entry(&mut page, pattern)?;
        }
        page.blank()?;
    }
    page.wrapped(Words::default(), &Words::default(), &Words::joined(marks.collect(), ", "))?;
    let more = "A severity is that of most cases; a finding has the one of its own. A page: ikescope explain ID. From a log line: ikescope explain \"LOG LINE\".";
    page.paragraph(0, &Words::inked(palette.faint, more))
}

/// Writes some patterns, one a line.
///
/// Errors: those of `out`.
pub fn list(patterns: &[&Pattern], out: &mut impl Write, style: &Style) -> io::Result<()> {
    let page = &mut page_of(out, style);
    patterns.iter().try_for_each(|pattern| entry(page, pattern))
}

/// Writes the page of a pattern.
///
/// Errors: those of `out`.
pub fn page(pattern: &Pattern, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let page = &mut page_of(out, style);
    let palette = page.palette;
    let head = Words::inked(ink(&palette, pattern.severity), pattern.id).and(": ");
    page.wrapped(head, &Words::of("  "), &Words::inked(palette.heading, pattern.title))?;
    let under = format!("{} as a rule, {}", pattern.severity.word(), stage_heading(pattern.stage));
    page.paragraph(0, &Words::inked(palette.faint, under))?;

    let (after, before): (Vec<_>, Vec<_>) =
        sections(pattern.prose).into_iter().partition(|section| section.heading == LOOK_ALIKES);
    before.iter().try_for_each(|section| print_section(page, section))?;
    print_causes(page, pattern)?;
    print_checks(page, pattern)?;
    after.iter().try_for_each(|section| print_section(page, section))?;
    print_logs(page, pattern)?;
    print_sources(page, pattern)
}

/// Writes which known lines a log line resembles, and the patterns of each; or that it resembles none, and the nearest.
///
/// Errors: those of `out`.
pub fn hits(hits: &[Hit], out: &mut impl Write, style: &Style) -> io::Result<()> {
    let page = &mut page_of(out, style);
    let palette = page.palette;
    if !is_good(hits) {
        page.paragraph(0, &Words::of(NONE_LIKE_IT))?;
    }
    for (index, hit) in hits.iter().enumerate() {
        if index > 0 || !is_good(hits) {
            page.blank()?;
        }
        let head = Words::inked(palette.label, vendor(hit.vendor)).and("  ");
        let message = if hit.is_log { Words::of(format!("\"{}\"", hit.message)) } else { Words::of(hit.message) };
        let message = if hit.note.is_empty() { message } else { message.and(format!(", {}", hit.note)) };
        let from = format!(" ({})", hit.sources.join(", "));
        page.wrapped(head, &Words::of("    "), &message.and_inked(palette.faint, from))?;
        for pattern in &hit.patterns {
            entry(page, pattern)?;
        }
        if let Some(why) = hit.why_unanswered() {
            page.paragraph(INDENT, &Words::of(format!("says nothing about the tunnel: {why}")))?;
        }
    }
    Ok(())
}

fn page_of<'a, W: Write>(out: &'a mut W, style: &Style) -> Page<'a, W> {
    Page::new(out, style.width.min(READABLE), style.palette)
}

fn ink(palette: &Palette, severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Error => palette.error,
        Severity::Warning => palette.warning,
        Severity::Notice | Severity::Advisory => palette.notice,
        Severity::Info => palette.good,
    }
}

/// One line of a list of patterns.
fn entry(page: &mut Page<'_, impl Write>, pattern: &Pattern) -> io::Result<()> {
    const LONGEST_ID: usize = 19;
    let ink = ink(&page.palette, pattern.severity);
    let mark = MARKS.iter().find(|(severity, _)| *severity == pattern.severity).map_or(" ", |(_, mark)| mark);
    let head = Words::inked(ink, format!("{mark} ")).and_inked(page.palette.label, pattern.id).padded(LONGEST_ID + 2);
    page.wrapped(head.and("  "), &Words::of(" ".repeat(LONGEST_ID + 4)), &Words::of(pattern.title))
}

fn heading(page: &mut Page<'_, impl Write>, text: &str) -> io::Result<()> {
    page.blank()?;
    page.line(&Words::inked(page.palette.heading, text))
}

fn print_section(page: &mut Page<'_, impl Write>, section: &Section) -> io::Result<()> {
    heading(page, &section.heading)?;
    let mut after_paragraph = false;
    for block in &section.blocks {
        match block {
            Block::Paragraph(text) => {
                if after_paragraph {
                    page.blank()?;
                }
                page.paragraph(INDENT, &marked(&page.palette, text))?;
            }
            Block::Item(text) => item(page, "- ", text)?,
        }
        after_paragraph = matches!(block, Block::Paragraph(_));
    }
    Ok(())
}

fn item(page: &mut Page<'_, impl Write>, mark: &str, text: &str) -> io::Result<()> {
    let head = Words::of(" ".repeat(INDENT)).and(mark);
    let hang = Words::of(" ".repeat(head.width()));
    page.wrapped(head, &hang, &marked(&page.palette, text))
}

fn print_causes(page: &mut Page<'_, impl Write>, pattern: &Pattern) -> io::Result<()> {
    let causes = causes(pattern);
    if causes.is_empty() {
        return Ok(());
    }
    heading(page, "Likely causes, the likeliest first")?;
    for (cause, number) in causes.into_iter().zip(1_u32..) {
        item(page, &format!("{number}. "), cause.text)?;
        for (label, text) in evidence(cause) {
            let head = Words::of(" ".repeat(INDENT + 3)).and_inked(page.palette.faint, label);
            page.wrapped(head, &Words::of(" ".repeat(INDENT + 5)), &marked(&page.palette, text))?;
        }
    }
    Ok(())
}

fn print_checks(page: &mut Page<'_, impl Write>, pattern: &Pattern) -> io::Result<()> {
    if pattern.checks.is_empty() {
        return Ok(());
    }
    heading(page, "What to check")?;
    for (place, texts) in checks(pattern) {
        page.paragraph(INDENT, &Words::inked(page.palette.label, place.into_owned()))?;
        for text in texts {
            item(page, "- ", text)?;
        }
    }
    Ok(())
}

fn print_logs(page: &mut Page<'_, impl Write>, pattern: &Pattern) -> io::Result<()> {
    if pattern.logs.is_empty() {
        return Ok(());
    }
    heading(page, "What vendors log")?;
    for (name, lines) in logs_by_vendor(pattern) {
        page.paragraph(INDENT, &Words::inked(page.palette.label, vendor(name)))?;
        for (message, source) in lines {
            let source = format!(" ({source})");
            let words = Words::of(message).and_inked(page.palette.faint, source);
            page.wrapped(Words::of("    "), &Words::of("      "), &words)?;
        }
    }
    Ok(())
}

fn print_sources(page: &mut Page<'_, impl Write>, pattern: &Pattern) -> io::Result<()> {
    if pattern.sources.is_empty() {
        return Ok(());
    }
    heading(page, "Sources")?;
    let (rows, others) = sources(pattern);
    for (document, ids) in rows {
        let ids = Words::of(format!(": {}", ids.join(", ")));
        let name = Words::of(document.name);
        page.wrapped(Words::of("  "), &Words::of("    "), &name.join(ids))?;
    }
    if others.is_empty() {
        return Ok(());
    }
    page.wrapped(Words::of("  "), &Words::of("    "), &Words::of(others.join("; ")))
}

/// A line of light Markdown as words: marks become ink.
fn marked(palette: &Palette, line: &str) -> Words {
    spans(line).into_iter().fold(Words::default(), |words, span| match span {
        Span::Plain(text) => words.and(text),
        Span::Code(text) => words.and_inked(palette.notice, text),
        Span::Strong(text) => words.and_inked(palette.heading, text),
    })
}

#[cfg(test)]
mod tests {
    use crate::diagnose::patterns::{CATALOGUE, by_id};

    use super::*;

    fn written(style: Style, write: impl FnOnce(&mut Vec<u8>, &Style) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        write(&mut out, &style).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn nothing_is_wider_than_80_columns_nor_ends_in_a_space() {
        for width in [40, 60, 80, 200] {
            let style = Style { width, ..Style::default() };
            let mut text = written(style, catalogue);
            for pattern in CATALOGUE {
                text.push_str(&written(style, |out, style| page(pattern, out, style)));
            }
            for line in text.lines() {
                assert!(line.chars().count() <= width.min(READABLE), "{width}: {line}");
                assert_eq!(line, line.trim_end());
            }
        }
    }

    #[test]
    fn a_page_has_its_parts_in_order() {
        let pattern = by_id("P1-NO-REPLY").unwrap();
        let text = written(Style::default(), |out, style| page(pattern, out, style));
        let parts = [
            "P1-NO-REPLY: the first IKEv1 message gets no answer\nerror as a rule, IKEv1 phase 1\n",
            "\nWhat is seen\n",
            "\nWhat it means\n",
            "\nLikely causes, the likeliest first\n  1. the message or its answer is lost",
            "     more likely: ",
            "     less likely: ",
            "\nWhat to check\n  On the initiator\n  - ",
            "\nLook-alikes\n  - C-ONE-DIR: ",
            "\nWhat vendors log\n  Service Managed Gateway\n    MM Msg1 sent for policy 1 (SMG-10)\n",
            "\nSources\n",
            "  RFC 2408 §2.5.3; RFC 2409 §5\n",
        ];
        let mut from = 0;
        for part in parts {
            let at = text[from..].find(part).unwrap_or_else(|| panic!("no {part:?} in order in\n{text}"));
            from += at + part.len();
        }
        assert!(!text.contains('`'), "{text}");
    }

    #[test]
    fn colours_change_nothing_else() {
        let pattern = by_id("P1-PROPOSAL").unwrap();
        let plain = written(Style::default(), |out, style| page(pattern, out, style));
        let style = Style { palette: Palette::colour(), ..Style::default() };
        let coloured = written(style, |out, style| page(pattern, out, style));
        assert!(!plain.contains('\x1b') && coloured.contains('\x1b'));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }
}
