//! From what a vendor logged to the patterns it belongs to.
//!
//! Known are the log lines of every pattern, the rows of the source documents, and the titles of the patterns
//! themselves. Not here: how an answer is printed. Contract: any text may be asked; the effort is linear in it, up to
//! a ceiling.

mod token;

use std::collections::BTreeMap;

use super::documents::{self, Row};
use super::pattern::Pattern;
use super::patterns::{CATALOGUE, by_id};
use token::{Token, tokens};

/// A known line that resembles the one asked for.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Vendor or product; the program itself for a title.
    pub vendor: &'static str,
    /// The line, as it is known.
    pub message: &'static str,
    /// Under which condition, where a row of a source document was asked for that names one. Mostly empty.
    pub note: &'static str,
    /// Whether it is the line of a log, and not a state of affairs in words.
    pub is_log: bool,
    /// Where it was seen: rows of the source documents, or a public reference.
    pub sources: Vec<&'static str>,
    /// The patterns it belongs to, the likeliest first. Empty for a line that says nothing about a tunnel.
    pub patterns: Vec<&'static Pattern>,
    /// How well it fits, 1 for the same line.
    pub score: f32,
}

impl Hit {
    /// Why the line belongs to no pattern, if it belongs to none.
    pub fn why_unanswered(&self) -> Option<&'static str> {
        self.sources.iter().find_map(|source| documents::why_unanswered(source))
    }
}

/// Whose lines begin like this.
const TAGS: &[(&str, &str)] = &[
    ("charon", "strongSwan"),
    ("pluto", "libreswan"),
    ("racoon", "racoon"),
    ("%asa-", "Cisco ASA"),
    ("%pix-", "Cisco PIX"),
    ("%crypto-", "Cisco IOS"),
];

/// Hits below this share of a full match are not worth showing.
const WORTH_SHOWING: f32 = 0.35;
/// Hits from here on may speak for themselves.
const CLEAR: f32 = 0.55;
/// How far the best has to be ahead of the next.
const AHEAD: f32 = 0.1;
/// What the second and each further pattern of a line counts, to the one before it.
const NEXT_PATTERN: f32 = 0.85;
/// More hits help nobody.
const MOST_HITS: usize = 6;
/// A longer line is looked at up to here, in tokens.
const LONGEST_LINE: usize = 400;

/// The known lines that resemble `line`, best first.
pub fn find(line: &str) -> Vec<Hit> {
    let mut asked = tokens(line);
    asked.truncate(LONGEST_LINE);
    let lowercase = line.to_lowercase();
    let tags: Vec<&str> = TAGS.iter().filter(|(tag, _)| lowercase.contains(tag)).map(|(_, vendor)| *vendor).collect();
    let index = Index::new();
    let mut hits: Vec<(&Known, f32)> = index
        .lines
        .iter()
        .map(|known| {
            let tagged = tags.iter().any(|vendor| known.vendor.contains(vendor));
            let trust = if known.is_log { 1.0 } else { 0.9 };
            (known, index.score(known, &asked) * trust * if tagged { 1.05 } else { 1.0 })
        })
        .filter(|(_, score)| *score >= WORTH_SHOWING)
        .collect();
    hits.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    let best = hits.first().map_or(0.0, |(_, score)| *score);
    // beside the very line, others are only noise
    let least = if best > 0.9 { best * 0.9 } else { best * 0.75 };
    hits.into_iter()
        .filter(|(_, score)| *score >= least)
        .take(MOST_HITS)
        .map(|(known, score)| known.hit(score))
        .collect()
}

/// A row of a source document by its id, as the hit that it would be.
pub fn row(id: &str) -> Option<Hit> {
    let (document, row) = documents::row(id)?;
    Some(Hit {
        vendor: if row.vendor.is_empty() { document.vendor } else { row.vendor },
        message: if row.log.is_empty() { row.note } else { row.log },
        note: if row.log.is_empty() { "" } else { row.note },
        is_log: !row.log.is_empty(),
        sources: vec![row.id],
        patterns: row.patterns.iter().filter_map(|id| by_id(id)).collect(),
        score: 1.0,
    })
}

/// Whether the best of the hits may speak for itself.
pub fn is_good(hits: &[Hit]) -> bool {
    hits.first().is_some_and(|hit| hit.score >= CLEAR)
}

/// The pattern that the hits clearly mean, if there is one.
pub fn clearly(hits: &[Hit]) -> Option<&'static Pattern> {
    let mut scores: BTreeMap<&str, f32> = BTreeMap::new();
    for hit in hits {
        let mut score = hit.score;
        for pattern in &hit.patterns {
            let best = scores.entry(pattern.id).or_default();
            *best = best.max(score);
            score *= NEXT_PATTERN;
        }
        if hit.patterns.is_empty() {
            let best = scores.entry("").or_default();
            *best = best.max(score);
        }
    }
    let mut ranked: Vec<(&str, f32)> = scores.into_iter().collect();
    ranked.sort_by(|(_, left), (_, right)| right.total_cmp(left));
    let (id, best) = *ranked.first()?;
    let next = ranked.get(1).map_or(0.0, |(_, score)| *score);
    if best >= CLEAR && best - next >= AHEAD { by_id(id) } else { None }
}

/// The patterns whose id is like `text`: begins with it, or differs from it in a letter or two.
pub fn similar(text: &str) -> Vec<&'static Pattern> {
    const MOST: usize = 6;
    let text = text.to_ascii_uppercase();
    if text.is_empty() {
        return Vec::new();
    }
    let near = |pattern: &Pattern| {
        let distance = distance(&text, pattern.id);
        let begins = pattern.id.starts_with(&text);
        let few = distance <= 2 && distance * 3 <= text.len();
        (few || begins).then_some(if few { distance } else { 3 })
    };
    let mut found: Vec<_> = CATALOGUE.iter().filter_map(|pattern| near(pattern).map(|far| (far, *pattern))).collect();
    found.sort_by_key(|(far, _)| *far);
    // beside a single slip of the finger, two of them are far away
    let nearest = found.first().map_or(0, |(far, _)| *far);
    found.into_iter().filter(|(far, _)| *far == nearest).take(MOST).map(|(_, pattern)| pattern).collect()
}

/// How many letters have to be changed, added, left out or swapped with their neighbour.
fn distance(left: &str, right: &str) -> usize {
    const LONGEST_ID: usize = 40;
    let left: Vec<char> = left.chars().take(LONGEST_ID).collect();
    let right: Vec<char> = right.chars().take(LONGEST_ID).collect();
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=right.len()).collect();
    for (row, letter) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, other) in right.iter().enumerate() {
            let at = |line: &[usize], column: usize| line.get(column).copied().unwrap_or(usize::MAX / 2);
            let change = at(&above, column) + usize::from(letter != other);
            let mut least = change.min(at(&above, column + 1) + 1).min(at(&current, column) + 1);
            let swapped =
                row > 0 && column > 0 && left.get(row - 1) == Some(other) && right.get(column - 1) == Some(letter);
            if swapped && letter != other {
                least = least.min(at(&before, column - 1) + 1);
            }
            current.push(least);
        }
        before = std::mem::replace(&mut above, current);
    }
    above.last().copied().unwrap_or(0)
}

/// A line that is known.
#[derive(Debug)]
struct Known {
    vendor: &'static str,
    message: &'static str,
    is_log: bool,
    tokens: Vec<Token>,
    sources: Vec<&'static str>,
    /// With how much speaks for each.
    patterns: Vec<(&'static Pattern, f32)>,
}

impl Known {
    fn belongs_to(&mut self, pattern: &'static Pattern, weight: f32) {
        match self.patterns.iter_mut().find(|(known, _)| known.id == pattern.id) {
            Some((_, sum)) => *sum += weight,
            None => self.patterns.push((pattern, weight)),
        }
    }

    fn hit(&self, score: f32) -> Hit {
        let mut patterns = self.patterns.clone();
        patterns.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        Hit {
            vendor: self.vendor,
            message: self.message,
            note: "",
            is_log: self.is_log,
            sources: self.sources.clone(),
            patterns: patterns.into_iter().map(|(pattern, _)| pattern).collect(),
            score,
        }
    }
}

/// All lines that are known, and how rare each of their tokens is.
struct Index {
    lines: Vec<Known>,
    /// In how many lines a token stands.
    lines_with: BTreeMap<Token, usize>,
    by_tokens: BTreeMap<Vec<Token>, Vec<usize>>,
}

impl Index {
    fn new() -> Self {
        let mut index = Self { lines: Vec::new(), lines_with: BTreeMap::new(), by_tokens: BTreeMap::new() };
        for pattern in CATALOGUE {
            for log in pattern.logs {
                for message in log.message.split(" / ") {
                    index.add(log.vendor, message, true, log.source).belongs_to(pattern, 0.6);
                }
            }
            index.add("ikescope", pattern.title, false, pattern.id).belongs_to(pattern, 1.0);
        }
        for (document, row) in documents::rows() {
            let vendor = if row.vendor.is_empty() { document.vendor } else { row.vendor };
            if row.log.is_empty() {
                index.add_row(vendor, row.note, false, row);
            } else {
                row.log.split(" / ").for_each(|message| index.add_row(vendor, message, true, row));
            }
        }
        for known in &index.lines {
            let mut once = known.tokens.clone();
            once.sort();
            once.dedup();
            once.into_iter().for_each(|token| *index.lines_with.entry(token).or_default() += 1);
        }
        index
    }

    fn add_row(&mut self, vendor: &'static str, message: &'static str, is_log: bool, row: &'static Row) {
        let known = self.add(vendor, message, is_log, row.id);
        let patterns = row.patterns.iter().filter_map(|id| by_id(id));
        patterns.zip(1_u8..).for_each(|(pattern, place)| known.belongs_to(pattern, 1.0 / f32::from(place)));
    }

    /// The line, made known if it is not yet.
    fn add(&mut self, vendor: &'static str, message: &'static str, is_log: bool, source: &'static str) -> &mut Known {
        let tokens = tokens(message);
        let same = self.by_tokens.entry(tokens.clone()).or_default();
        let is_same = |known: &Known| known.vendor == vendor || known.sources.contains(&source);
        let found = same.iter().copied().find(|at| self.lines.get(*at).is_some_and(is_same));
        let at = found.unwrap_or_else(|| {
            same.push(self.lines.len());
            self.lines.push(Known { vendor, message, is_log, tokens, sources: Vec::new(), patterns: Vec::new() });
            self.lines.len() - 1
        });
        let known = &mut self.lines[at];
        if !known.sources.contains(&source) {
            known.sources.push(source);
        }
        known
    }

    /// What a token tells: the rarer, the more; a number half of it, because the same message comes with others.
    fn weight(&self, token: &Token) -> f32 {
        let all = self.lines.len().max(1) as f32;
        let lines = self.lines_with.get(token).copied().unwrap_or(1) as f32;
        match token {
            Token::Word(_) => (1.0 + all / lines).ln(),
            Token::Number(_) => 0.5 * (1.0 + all / lines).ln(),
            Token::Gap => 0.0,
        }
    }

    /// How well the line that is asked for fits the known one, from 0 to 1.
    fn score(&self, known: &Known, asked: &[Token]) -> f32 {
        /// What surrounds a message in a log (time, host, process) hardly counts against it, and not without end.
        const SURROUNDINGS: (f32, f32) = (0.15, 8.0);
        /// What is left out where only a part of a message is asked for.
        const LEFT_OUT: f32 = 0.1;
        /// The same words with others between them.
        const SCATTERED: f32 = 0.9;

        let whole: f32 = known.tokens.iter().map(|token| self.weight(token)).sum();
        let asked_for: f32 = asked.iter().map(|token| self.weight(token)).sum();
        let common = self.common(&known.tokens, asked);
        if common <= 0.0 {
            return 0.0;
        }
        let around = (SURROUNDINGS.0 * (asked_for - common).max(0.0)).min(SURROUNDINGS.1);
        let contained = common / (whole + around);
        let part = common / (asked_for + LEFT_OUT * (whole - common).max(0.0));
        let together = stands_in(&known.tokens, asked) || stands_in(asked, &known.tokens);
        contained.max(part) * if together { 1.0 } else { SCATTERED }
    }

    /// Weight of the tokens that both have in the same order.
    fn common(&self, known: &[Token], asked: &[Token]) -> f32 {
        /// A number in the place of another one.
        const OTHER_NUMBER: f32 = 0.3;
        let words = |token: &&Token| matches!(token, Token::Word(_));
        if !known.iter().filter(words).any(|token| asked.contains(token)) && known.iter().any(|token| words(&token)) {
            return 0.0;
        }
        let mut above = vec![0.0_f32; asked.len() + 1];
        for token in known {
            let weight = self.weight(token);
            let mut current = Vec::with_capacity(above.len());
            let mut left = 0.0_f32;
            current.push(left);
            for (other, pair) in asked.iter().zip(above.windows(2)) {
                let &[diagonal, upper] = pair else { continue };
                let gained = match (token, other) {
                    (Token::Gap, _) | (_, Token::Gap) => 0.0,
                    _ if token == other => weight,
                    (Token::Number(_), Token::Number(_)) => weight * OTHER_NUMBER,
                    _ => 0.0,
                };
                left = (diagonal + gained).max(upper).max(left);
                current.push(left);
            }
            above = current;
        }
        above.last().copied().unwrap_or(0.0)
    }
}

/// Whether the tokens between the gaps of `part` stand in `whole`, each run unbroken and all in order.
fn stands_in(part: &[Token], whole: &[Token]) -> bool {
    let mut rest = whole;
    for run in part.split(|token| *token == Token::Gap).filter(|run| !run.is_empty()) {
        match rest.windows(run.len()).position(|window| window == run) {
            Some(at) => rest = rest.get(at + run.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    true
}
