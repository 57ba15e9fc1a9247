//! The page that text is laid on: a width, a palette, lines of styled words, wrapping and columns.
//!
//! Not here: what is printed. Contract: no line is wider than the page unless a single word is given no room at all,
//! none ends in a space, and without colours no escape is written.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style as Ink};

/// Colours by meaning.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Palette {
    /// Headings.
    pub heading: Ink,
    /// What is of less interest.
    pub faint: Ink,
    /// Errors, and what went wrong in a ladder.
    pub error: Ink,
    /// Warnings.
    pub warning: Ink,
    /// Notices and advisories.
    pub notice: Ink,
    /// What is well.
    pub good: Ink,
    /// Labels of messages and fields.
    pub label: Ink,
}

impl Palette {
    /// No colours.
    pub const fn plain() -> Self {
        let none = Ink::new();
        Self { heading: none, faint: none, error: none, warning: none, notice: none, good: none, label: none }
    }

    /// The sixteen colours that every terminal has.
    pub fn colour() -> Self {
        Self {
            heading: Ink::new().bold(),
            faint: Ink::new().dimmed(),
            error: AnsiColor::Red.on_default().bold(),
            warning: AnsiColor::Yellow.on_default().bold(),
            notice: AnsiColor::Cyan.on_default(),
            good: AnsiColor::Green.on_default(),
            label: AnsiColor::Blue.on_default().bold(),
        }
    }
}

/// Keeps words together; printed as a space.
const NO_BREAK: &str = "\u{a0}";

/// Words with their ink, on one line or wrapped over several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Words {
    spans: Vec<(Ink, String)>,
}

impl Words {
    /// Without ink.
    pub fn of(text: impl Into<String>) -> Self {
        Self::inked(Ink::new(), text)
    }

    /// With ink.
    pub fn inked(ink: Ink, text: impl Into<String>) -> Self {
        Self { spans: vec![(ink, text.into())] }
    }

    /// That stay on one line when others are wrapped.
    pub fn whole(ink: Ink, text: &str) -> Self {
        Self::inked(ink, text.replace(' ', NO_BREAK))
    }

    /// With more words behind, without ink.
    pub fn and(self, text: impl Into<String>) -> Self {
        self.and_inked(Ink::new(), text)
    }

    /// With more words behind, with ink.
    pub fn and_inked(mut self, ink: Ink, text: impl Into<String>) -> Self {
        self.spans.push((ink, text.into()));
        self
    }

    /// With other words behind.
    pub fn join(mut self, other: Self) -> Self {
        self.spans.extend(other.spans);
        self
    }

    /// Several, with `between` between any two.
    pub fn joined(parts: Vec<Self>, between: &str) -> Self {
        let mut whole = Self::default();
        for (index, part) in parts.into_iter().enumerate() {
            if index > 0 {
                whole = whole.and(between);
            }
            whole = whole.join(part);
        }
        whole
    }

    /// Filled up with spaces on the right to `width`.
    pub fn padded(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        self.and(" ".repeat(missing))
    }

    /// Filled up with spaces on the left to `width`.
    pub fn right(self, width: usize) -> Self {
        let missing = width.saturating_sub(self.width());
        Self::of(" ".repeat(missing)).join(self)
    }

    /// Columns that they take.
    pub fn width(&self) -> usize {
        self.spans.iter().map(|(_, text)| text.chars().count()).sum()
    }

    /// The text of them, without ink.
    pub fn text(&self) -> String {
        self.spans.iter().map(|(_, text)| text.replace(NO_BREAK, " ")).collect()
    }

    /// Whether there is nothing in them.
    pub fn is_empty(&self) -> bool {
        self.width() == 0
    }

    /// Cut to `width`, with an ellipsis where something is missing.
    pub fn cut(mut self, width: usize) -> Self {
        if self.width() <= width {
            return self;
        }
        let mut room = width.saturating_sub(1);
        for (_, text) in &mut self.spans {
            let kept: String = text.chars().take(room).collect();
            room -= kept.chars().count();
            *text = kept;
        }
        self.and("…")
    }

    /// The pieces between which a line may be broken, none wider than `room`.
    fn pieces(&self, room: usize) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut space = true;
        for (ink, text) in &self.spans {
            for (index, word) in text.split(' ').enumerate() {
                space |= index > 0;
                if word.is_empty() {
                    continue;
                }
                let word = word.chars().collect::<Vec<char>>();
                match pieces.last_mut() {
                    Some(piece) if !space && piece.width + word.len() <= room => piece.push(*ink, &word),
                    _ => {
                        for part in word.chunks(room.max(1)) {
                            let mut piece = Piece { space, ..Piece::default() };
                            piece.push(*ink, part);
                            pieces.push(piece);
                            space = false;
                        }
                    }
                }
                space = false;
            }
        }
        pieces
    }
}

/// Words that stand on one line; whether a space comes before them if they are not the first of it.
#[derive(Default)]
struct Piece {
    space: bool,
    words: Words,
    width: usize,
}

impl Piece {
    fn push(&mut self, ink: Ink, part: &[char]) {
        self.words.spans.push((ink, part.iter().collect()));
        self.width += part.len();
    }
}

/// Where text goes, and how wide and how colourful.
#[derive(Debug)]
pub struct Page<'a, W> {
    out: &'a mut W,
    /// Columns.
    pub width: usize,
    /// Colours.
    pub palette: Palette,
}

impl<'a, W: Write> Page<'a, W> {
    /// An empty page. Fewer than 40 columns are taken for 40.
    pub fn new(out: &'a mut W, width: usize, palette: Palette) -> Self {
        Self { out, width: width.max(40), palette }
    }

    /// An empty line.
    pub fn blank(&mut self) -> io::Result<()> {
        writeln!(self.out)
    }

    /// One line, as it is.
    pub fn line(&mut self, words: &Words) -> io::Result<()> {
        let last = words.spans.iter().rposition(|(_, text)| !text.trim_end().is_empty()).map_or(0, |last| last + 1);
        for (index, (ink, text)) in words.spans.iter().take(last).enumerate() {
            let text = text.replace(NO_BREAK, " ");
            let text = if index + 1 == last { text.trim_end() } else { text.as_str() };
            if !text.is_empty() {
                write!(self.out, "{ink}{text}{ink:#}")?;
            }
        }
        writeln!(self.out)
    }

    /// Words behind `head`, wrapped to the page; every further line begins with `hang`, which may be shorter.
    pub fn wrapped(&mut self, head: Words, hang: &Words, words: &Words) -> io::Result<()> {
        let room_behind = |words: &Words| self.width.saturating_sub(words.width()).max(8);
        let below = room_behind(hang);
        let mut room = room_behind(&head);
        let mut line = head;
        let mut used = 0;
        for piece in words.pieces(below) {
            let gap = usize::from(piece.space && used > 0);
            if used + gap + piece.width > room && (used > 0 || room < below) {
                self.line(&line)?;
                line = hang.clone();
                room = below;
                used = 0;
            }
            let gap = usize::from(piece.space && used > 0);
            used += gap + piece.width;
            line = line.and(" ".repeat(gap)).join(piece.words);
        }
        self.line(&line)
    }

    /// Words wrapped behind an indent.
    pub fn paragraph(&mut self, indent: usize, words: &Words) -> io::Result<()> {
        let indent = Words::of(" ".repeat(indent));
        self.wrapped(indent.clone(), &indent, words)
    }

    /// Rows in columns. Columns that find no room go to a second, faint line of their row, each with its heading.
    pub fn table(&mut self, indent: usize, columns: &[Column], rows: &[Vec<Words>]) -> io::Result<()> {
        let widths: Vec<usize> = columns
            .iter()
            .enumerate()
            .map(|(index, column)| {
                let cells = rows.iter().filter_map(|row| row.get(index)).map(Words::width);
                cells.max().unwrap_or(0).max(column.heading.chars().count())
            })
            .collect();
        let mut fitting = columns.len();
        let needed = |fitting: usize| indent + widths.iter().take(fitting).map(|width| width + 2).sum::<usize>();
        while fitting > 1 && needed(fitting) > self.width + 2 {
            fitting -= 1;
        }
        let faint = self.palette.faint;
        let place = |index: usize, cell: Words| {
            let width = widths.get(index).copied().unwrap_or(0);
            let right = columns.get(index).is_some_and(|column| column.right);
            if right { cell.right(width) } else { cell.padded(width) }
        };
        let line = |cells: Vec<Words>| {
            let placed = cells.into_iter().enumerate().map(|(index, cell)| place(index, cell)).collect();
            Words::of(" ".repeat(indent)).join(Words::joined(placed, "  "))
        };
        let headings = columns.iter().take(fitting).map(|column| Words::inked(faint, column.heading)).collect();
        self.line(&line(headings))?;
        for row in rows {
            self.line(&line(row.iter().take(fitting).cloned().collect()))?;
            let rest: Vec<Words> = columns
                .iter()
                .zip(row)
                .skip(fitting)
                .filter(|(_, cell)| !cell.is_empty())
                .map(|(column, cell)| Words::inked(faint, format!("{} ", column.heading)).join(cell.clone()))
                .collect();
            if !rest.is_empty() {
                self.paragraph(indent + 2, &Words::joined(rest, ", "))?;
            }
        }
        Ok(())
    }
}

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Its heading.
    pub heading: &'static str,
    /// Aligned to the right, as numbers are.
    pub right: bool,
}

impl Column {
    /// Aligned to the left.
    pub const fn left(heading: &'static str) -> Self {
        Self { heading, right: false }
    }

    /// Aligned to the right.
    pub const fn right(heading: &'static str) -> Self {
        Self { heading, right: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn printed(width: usize, print: impl FnOnce(&mut Page<'_, Vec<u8>>) -> io::Result<()>) -> String {
        let mut out = Vec::new();
        print(&mut Page::new(&mut out, width, Palette::plain())).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn words_wrap_under_their_hang() {
        let words = Words::of("one two three four five six seven eight nine ten");
        let text = printed(40, |page| page.wrapped(Words::of("  = seen: "), &Words::of("          "), &words));
        assert_eq!(text, "  = seen: one two three four five six\n          seven eight nine ten\n");
    }

    #[test]
    fn what_is_written_together_stays_together() {
        let words = Words::of("one two three four five six sevens").and(", ").join(Words::whole(Ink::new(), "a b"));
        let text = printed(40, |page| page.paragraph(6, &words));
        assert_eq!(text, "      one two three four five six\n      sevens, a b\n");
    }

    #[test]
    fn a_word_longer_than_the_page_is_broken() {
        let text = printed(40, |page| page.paragraph(4, &Words::of("f".repeat(100))));
        assert!(text.lines().all(|line| line.chars().count() <= 40));
        assert_eq!(text.chars().filter(|&character| character == 'f').count(), 100);
    }

    #[test]
    fn columns_without_room_go_below_with_their_heading() {
        let columns = [Column::left("name"), Column::right("packets"), Column::left("seen from and until")];
        let row = vec![Words::of("c0ffee01"), Words::of("12"), Words::of("04:20:55.193 – 04:35:01.002")];
        let text = printed(40, |page| page.table(2, &columns, &[row]));
        assert_eq!(
            text,
            "  name      packets\n  c0ffee01       12\n    seen from and until 04:20:55.193 –\n    04:35:01.002\n"
        );
    }

    #[test]
    fn lines_do_not_end_in_spaces() {
        assert_eq!(printed(40, |page| page.line(&Words::of("a ").and("  ").padded(30))), "a\n");
    }
}
