//! Light Markdown: headings, paragraphs, items, `code` and **strong** words. Everything else is plain text.

use std::mem;

/// What stands under one heading.
#[derive(Debug, PartialEq, Eq)]
pub struct Section {
    /// Empty for what stands before the first heading.
    pub heading: String,
    /// In order.
    pub blocks: Vec<Block>,
}

/// A paragraph or an item of a list, on one line.
#[derive(Debug, PartialEq, Eq)]
pub enum Block {
    /// A paragraph.
    Paragraph(String),
    /// An item of a list.
    Item(String),
}

/// A piece of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span<'a> {
    /// As it is.
    Plain(&'a str),
    /// Between backticks.
    Code(&'a str),
    /// Between two stars.
    Strong(&'a str),
}

/// The sections of a text whose lines may be indented.
pub fn sections(text: &str) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut section = Section { heading: String::new(), blocks: Vec::new() };
    let mut open: Option<Block> = None;
    for line in text.lines().map(str::trim) {
        if let Some(heading) = line.strip_prefix('#') {
            section.blocks.extend(open.take());
            let next = Section { heading: heading.trim_start_matches('#').trim().into(), blocks: Vec::new() };
            let done = mem::replace(&mut section, next);
            sections.extend((!done.blocks.is_empty()).then_some(done));
        } else if line.is_empty() {
            section.blocks.extend(open.take());
        } else if let Some(item) = line.strip_prefix("- ") {
            section.blocks.extend(open.replace(Block::Item(item.trim().into())));
        } else {
            match &mut open {
                Some(Block::Paragraph(text) | Block::Item(text)) => {
                    text.push(' ');
                    text.push_str(line);
                }
                None => open = Some(Block::Paragraph(line.into())),
            }
        }
    }
    section.blocks.extend(open);
    sections.extend((!section.blocks.is_empty()).then_some(section));
    sections
}

/// The spans of a line. A mark that is never closed is plain text.
pub fn spans(line: &str) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    let mut plain = line;
    let mut rest = line;
    while let Some(at) = rest.find(['`', '*']) {
        let (_, marked) = rest.split_at(at);
        let found = ["`", "**"].iter().find_map(|mark| {
            let inside = marked.strip_prefix(mark)?;
            let (text, behind) = inside.split_once(mark)?;
            (!text.is_empty()).then_some((*mark, text, behind))
        });
        match found {
            Some((mark, text, behind)) => {
                let before = plain.len() - marked.len();
                spans.extend(plain.get(..before).filter(|text| !text.is_empty()).map(Span::Plain));
                spans.push(if mark == "`" { Span::Code(text) } else { Span::Strong(text) });
                plain = behind;
                rest = behind;
            }
            None => rest = marked.get(1..).unwrap_or_default(),
        }
    }
    spans.extend((!plain.is_empty()).then_some(Span::Plain(plain)));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_into_sections_paragraphs_and_items() {
        let text = " ## What is seen\n\n Message 1,\n again.\n\n More.\n\n ## Look-alikes\n\n - `A`: one\n   of them.\n - two\n";
        assert_eq!(
            sections(text),
            [
                Section {
                    heading: "What is seen".into(),
                    blocks: vec![Block::Paragraph("Message 1, again.".into()), Block::Paragraph("More.".into())],
                },
                Section {
                    heading: "Look-alikes".into(),
                    blocks: vec![Block::Item("`A`: one of them.".into()), Block::Item("two".into())],
                },
            ]
        );
    }

    #[test]
    fn marks_are_read_where_they_are_closed() {
        use Span::{Code, Plain, Strong};
        assert_eq!(
            spans("see `A-B`, **not** 2*3*4"),
            [Plain("see "), Code("A-B"), Plain(", "), Strong("not"), Plain(" 2*3*4")]
        );
        assert_eq!(spans("`open"), [Plain("`open")]);
        assert_eq!(spans("a ` b `c`"), [Plain("a "), Code(" b "), Plain("c`")]);
        assert_eq!(spans("`a`"), [Code("a")]);
        assert_eq!(spans(""), []);
    }
}
