//! From what a vendor logged to the patterns it belongs to.
//!
//! Known are the log lines of every pattern, the rows of the source documents, the states that programs show, and the
//! titles of the patterns themselves. Not here: how an answer is printed. Contract: any text may be asked; the effort is linear in it, up to
//! a ceiling.

mod state;
mod token;

use std::collections::BTreeMap;

use super::documents::{self, Row};
use super::pattern::Pattern;
use super::patterns::{CATALOGUE, by_id};
use state::STATES;
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
    /// Whether the known line stands in the one asked for, word for word.
    whole: bool,
    /// Whether the one asked for is a part of it, word for word.
    part: bool,
    /// What speaks for each of the patterns, to the first of them.
    shares: Vec<f32>,
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
    ("isakmpd", "isakmpd"),
    ("vpnc", "vpnc"),
    ("%asa-", "Cisco ASA"),
    ("%pix-", "Cisco PIX"),
    ("%crypto-", "Cisco IOS"),
];

/// Hits below this share of a full match are not worth showing.
const WORTH_SHOWING: f32 = 0.32;
/// Hits from here on may speak for themselves.
const CLEAR: f32 = 0.55;
/// How far the best has to be ahead of the next.
const AHEAD: f32 = 0.1;
/// What a pattern of a line counts at least, to the first one of it.
const LEAST_SHARE: f32 = 0.7;
/// More hits help nobody.
const MOST_HITS: usize = 6;
/// A longer line is looked at up to here, in characters.
const LONGEST_LINE: usize = 8192;
/// And in tokens.
const MOST_TOKENS: usize = 400;

/// The known lines that resemble `line`, best first.
pub fn find(line: &str) -> Vec<Hit> {
    let line = line.char_indices().nth(LONGEST_LINE).and_then(|(end, _)| line.get(..end)).unwrap_or(line);
    let mut asked = tokens(line);
    asked.truncate(MOST_TOKENS);
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
    // but of lines that a part was cut from, the shorter is not the likelier
    let cut_from = |known: &Known| best <= 0.9 && stands_in(&asked, &known.tokens);
    hits.into_iter()
        .filter(|(known, score)| *score >= least || cut_from(known))
        .take(MOST_HITS)
        .map(|(known, score)| known.hit(score, &asked))
        .collect()
}

/// A row of a source document by its id, as the hit that it would be.
pub fn row(id: &str) -> Option<Hit> {
    let (document, row) = documents::row(id)?;
    let patterns: Vec<&Pattern> = row.patterns.iter().filter_map(|id| by_id(id)).collect();
    Some(Hit {
        vendor: if row.vendor.is_empty() { document.vendor } else { row.vendor },
        message: if row.log.is_empty() { row.note } else { row.log },
        note: if row.log.is_empty() { "" } else { row.note },
        is_log: !row.log.is_empty(),
        sources: vec![row.id],
        shares: share_of_places().take(patterns.len()).collect(),
        patterns,
        score: 1.0,
        whole: true,
        part: false,
    })
}

/// What speaks for the first, the second and each further pattern of a row.
fn share_of_places() -> impl Iterator<Item = f32> {
    (1_u8..).map(|place| 1.0 / f32::from(place))
}

/// Whether the best of the hits may speak for itself; else no line is known that is like the one asked for, and these are only
/// the nearest.
pub fn is_good(hits: &[Hit]) -> bool {
    hits.first().is_some_and(|hit| hit.score >= CLEAR)
}

/// The pattern that the hits clearly mean, if there is one.
pub fn clearly(hits: &[Hit]) -> Option<&'static Pattern> {
    // a line that is there word for word leaves no room for those that only resemble it
    let &Hit { whole, part, score: most, .. } = hits.first()?;
    let mut scores: BTreeMap<&str, f32> = BTreeMap::new();
    for hit in hits.iter().filter(|hit| hit.whole || !whole) {
        let score = if part && !whole && hit.part { most } else { hit.score };
        for (pattern, share) in hit.patterns.iter().zip(&hit.shares) {
            let best = scores.entry(pattern.id).or_default();
            *best = best.max(score * (LEAST_SHARE + (1.0 - LEAST_SHARE) * share));
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

/// The patterns whose id differs from `text` in a letter or two.
pub fn similar(text: &str) -> Vec<&'static Pattern> {
    const MOST: usize = 6;
    let text = text.to_ascii_uppercase();
    let near = |pattern: &Pattern| {
        let far = distance(&text, pattern.id);
        (far <= 2 && far * 3 <= text.len()).then_some(far)
    };
    let mut found: Vec<_> = CATALOGUE.iter().filter_map(|pattern| near(pattern).map(|far| (far, *pattern))).collect();
    found.sort_by_key(|(far, _)| *far);
    // beside a single slip of the finger, two of them are far away
    let nearest = found.first().map_or(0, |(far, _)| *far);
    found.into_iter().filter(|(far, _)| *far == nearest).take(MOST).map(|(_, pattern)| pattern).collect()
}

/// The patterns whose ids begin with `family`, as in `P1` or `V2-AUTH`.
pub fn family(family: &str) -> Vec<&'static Pattern> {
    let begins = format!("{}-", family.trim_end_matches('-').to_ascii_uppercase());
    CATALOGUE.iter().copied().filter(|pattern| pattern.id.starts_with(&begins)).collect()
}

/// How many letters have to be changed, added, left out or swapped with their neighbour.
pub fn distance(left: &str, right: &str) -> usize {
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

    fn hit(&self, score: f32, asked: &[Token]) -> Hit {
        let mut patterns = self.patterns.clone();
        patterns.sort_by(|(_, left), (_, right)| right.total_cmp(left));
        let most = patterns.first().map_or(1.0, |(_, share)| *share);
        Hit {
            vendor: self.vendor,
            message: self.message,
            note: "",
            is_log: self.is_log,
            sources: self.sources.clone(),
            shares: patterns.iter().map(|(_, share)| share / most).collect(),
            patterns: patterns.into_iter().map(|(pattern, _)| pattern).collect(),
            score,
            whole: stands_in(&self.tokens, asked),
            part: stands_in(asked, &self.tokens),
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
                    index.add(log.vendor, message, log.is_line(), log.source).belongs_to(pattern, 0.6);
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
        for state in STATES {
            for name in state.name.split(" / ") {
                let known = index.add(state.vendor, name, true, state.source);
                state.patterns.iter().filter_map(|id| by_id(id)).for_each(|pattern| known.belongs_to(pattern, 1.0));
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
        patterns.zip(share_of_places()).for_each(|(pattern, share)| known.belongs_to(pattern, share));
    }

    /// The line, made known if it is not yet.
    fn add(&mut self, vendor: &'static str, message: &'static str, is_log: bool, source: &'static str) -> &mut Known {
        let tokens = tokens(message);
        let same = self.by_tokens.entry(tokens.clone()).or_default();
        let is_same =
            |known: &Known| known.vendor == vendor || source.split(", ").any(|row| known.sources.contains(&row));
        let found = same.iter().copied().find(|at| self.lines.get(*at).is_some_and(is_same));
        let at = found.unwrap_or_else(|| {
            same.push(self.lines.len());
            self.lines.push(Known { vendor, message, is_log, tokens, sources: Vec::new(), patterns: Vec::new() });
            self.lines.len() - 1
        });
        let known = &mut self.lines[at];
        for row in source.split(", ") {
            if !known.sources.contains(&row) {
                known.sources.push(row);
            }
        }
        known
    }

    /// What a token tells: the rarer, the more; a small number half of it, because the same message comes with others.
    fn weight(&self, token: &Token) -> f32 {
        let all = self.lines.len().max(1) as f32;
        let lines = self.lines_with.get(token).copied();
        let rarity = (1.0 + all / lines.unwrap_or(1) as f32).ln();
        match token {
            Token::Gap => 0.0,
            token if token.is_small_number() => 0.5 * rarity,
            // a number that no message has is a port, a process, a line
            Token::Number(_) if lines.is_none() => 0.1 * rarity,
            Token::Word(_) | Token::Number(_) => rarity,
        }
    }

    /// How well the line that is asked for fits the known one, from 0 to 1.
    fn score(&self, known: &Known, asked: &[Token]) -> f32 {
        /// What surrounds a message in a log (time, host, process) hardly counts against it, and not without end; words
        /// that no message has, half of it.
        const SURROUNDINGS: (f32, f32) = (0.15, 8.0);
        /// A shorter message may stand in a line by chance.
        const FEW_WORDS: f32 = 12.0;
        /// What is left out where only a part of a message is asked for.
        const LEFT_OUT: f32 = 0.3;
        /// The same words with others between them, or without some of them.
        const SCATTERED: f32 = 0.85;
        /// How much words of other messages count against one that is not there as it is.
        const OTHER_WORDS: f32 = 0.4;
        /// What one says of phase 1 and the other of phase 2.
        const OTHER_PHASE: f32 = 0.5;

        // one word stands in any line by chance
        let other_word = |token: &Token| matches!(token, Token::Word(_)) && !known.tokens.contains(token);
        if known.tokens.len() == 1 && asked.iter().any(other_word) {
            return 0.0;
        }
        let whole: f32 = known.tokens.iter().map(|token| self.weight(token)).sum();
        let common = self.common(&known.tokens, asked);
        if common <= 0.0 {
            return 0.0;
        }
        let (asked_for, foreign) = self.weights(asked);
        if stands_in(asked, &known.tokens) {
            return common / (asked_for + LEFT_OUT * (whole - common).max(0.0));
        }
        let around = (SURROUNDINGS.0 * (asked_for - common - foreign / 2.0).max(0.0)).min(SURROUNDINGS.1);
        let around = around * (FEW_WORDS / whole).max(1.0);
        if stands_in(&known.tokens, asked) {
            return common / (whole + around);
        }
        // other messages begin alike: what follows the first common word and is known of them speaks against this one
        let first = asked.iter().position(|token| tells(token) && known.tokens.contains(token)).unwrap_or_default();
        let (message, unknown) = self.weights(asked.get(first..).unwrap_or_default());
        let other = OTHER_WORDS * (message - unknown - common).max(0.0);
        let phase = if other_phase(&known.tokens, asked) { OTHER_PHASE } else { 1.0 };
        SCATTERED * phase * common / (whole + around.max(other))
    }

    /// What tokens tell in all, and those of them that no message has.
    fn weights(&self, tokens: &[Token]) -> (f32, f32) {
        tokens.iter().fold((0.0, 0.0), |(all, foreign), token| {
            let weight = self.weight(token);
            (all + weight, foreign + if self.lines_with.contains_key(token) { 0.0 } else { weight })
        })
    }

    /// Weight of the tokens that both have in the same order.
    fn common(&self, known: &[Token], asked: &[Token]) -> f32 {
        if !known.iter().any(|token| tells(token) && asked.contains(token)) {
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
                let gained = if token == other { weight } else { 0.0 };
                left = (diagonal + gained).max(upper).max(left);
                current.push(left);
            }
            above = current;
        }
        above.last().copied().unwrap_or(0.0)
    }
}

/// Whether both lines name a phase, and not the same.
fn other_phase(known: &[Token], asked: &[Token]) -> bool {
    let phase = |line: &[Token]| {
        line.windows(2).find_map(|pair| match pair {
            [Token::Word(word), Token::Number(phase)] if word == "phase" || word == "ph" => Some(phase.clone()),
            _ => None,
        })
    };
    matches!((phase(known), phase(asked)), (Some(known), Some(asked)) if known != asked)
}

/// Whether the token says something by itself.
fn tells(token: &Token) -> bool {
    *token != Token::Gap && !token.is_small_number()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn clear(line: &str) -> Option<&'static str> {
        clearly(&find(line)).map(|pattern| pattern.id)
    }

    #[test]
    fn a_line_is_found_as_it_is_known() {
        let hits = find("ISAKMP (0:1); no offers accepted!");
        let best = hits.first().unwrap();
        assert_eq!((best.vendor, best.sources.as_slice()), ("Cisco PIX", ["PIX-07"].as_slice()));
        assert!(best.is_log && best.score > 0.99, "{best:?}");
        assert_eq!(best.patterns.first().unwrap().id, "P1-PROPOSAL");
    }

    #[test]
    fn what_stands_around_a_message_does_no_harm() {
        for line in [
            "giving up after 4 retransmits",
            "Oct 12 13:50:12 gw charon[1234]: 05[IKE] <site|1> giving up after 4 retransmits",
            "2024-05-01T10:00:00.123+02:00 192.0.2.1 charon: 13[IKE] giving up after 3 retransmits (2001:db8::1)",
        ] {
            let hits = find(line);
            assert_eq!(hits.first().map(|hit| hit.message), Some("giving up after … retransmits"), "{line}");
        }
        let asa = "%ASA-4-713903: Group = 198.51.100.1, IP = 198.51.100.1, All SA proposals found unacceptable";
        assert_eq!(clear(asa), Some("P1-PROPOSAL"));
    }

    #[test]
    fn what_else_a_daemon_says_of_authentication_is_told_apart() {
        for (line, id) in [
            ("2026-11-29 21:27:59: ERROR: Xauth authentication failed", "P1-XAUTH"),
            ("/usr/sbin/vpnc: authentication unsuccessful", "P1-XAUTH"),
            ("!! : gateway authentication error", "P1-AGGR-AUTH"),
            ("racoon: ERROR: HASH mismatched", "P1-AGGR-AUTH"),
            ("\"site\" #1: PSK Authentication failed: AUTH mismatch!", "V2-AUTH-FAIL"),
            ("05[IKE] received AUTHENTICATION_FAILED notify error", "V2-AUTH-FAIL"),
            ("05[IKE] received TEMPORARY_FAILURE notify error", "V2-REKEY-REFUSED"),
            ("message_parse_payloads: reserved field non-zero: c9", "P1-PSK"),
        ] {
            assert_eq!(clear(line), Some(id), "{line}");
        }
    }

    #[test]
    fn one_word_tells_which_phase_a_line_is_about() {
        for (line, id) in [
            ("[192.0.2.1] ERROR: notification INVALID-ID-INFORMATION received in informational exchange.", "P2-REJECT"),
            ("[192.0.2.1] ERROR: notification NO-PROPOSAL-CHOSEN received in informational exchange.", "P2-REJECT"),
            (
                "[192.0.2.1] ERROR: notification NO-PROPOSAL-CHOSEN received in unencrypted informational exchange.",
                "P1-PROPOSAL",
            ),
            ("we require IKEv1 peer to have ID '@a.example', but peer declares '@b.example'", "P1-INIT-REJECT"),
            ("we require IKEv2 peer to have ID '@a.example', but peer declares '@b.example'", "V2-AUTH-INIT-REJECT"),
            ("WARNING: trns_id mismatched: my:AES peer:3DES", "P2-PROPOSAL"),
            ("ERROR: certificate has expired(10) at depth:0 SubjectName:/CN=gw.example", "P1-CERT"),
        ] {
            assert_eq!(clear(line), Some(id), "{line}");
        }
    }

    #[test]
    fn a_line_that_shares_words_with_another_is_not_taken_for_it() {
        for line in [
            "received IKE message from unknown peer",
            "Phase 1 failed due to mismatched Pre-shared key",
            "IKE phase-2 negotiation is failed as initiator, quick mode. Due to negotiation timeout.",
            "error 868",
        ] {
            let hits = find(line);
            assert!(!is_good(&hits) && clear(line).is_none(), "{line}: {:?}", hits.first());
        }
        for placeholder in ["foo", "bar", "%s", "x.x.x.x"] {
            assert!(find(placeholder).is_empty(), "{placeholder}");
        }
        assert_eq!(clear("ERROR: unable to fragment packet pktsize=1454, eff_mtu = 1400"), Some("F-PMTU"));
    }

    #[test]
    fn a_part_of_many_messages_means_none_of_them() {
        for part in ["Main Mode", "proposal", "peer"] {
            assert_eq!(clear(part), None, "{part}");
        }
    }

    #[test]
    fn a_line_that_several_patterns_know_names_them_all() {
        for (line, ids) in [
            ("ike 0:hq:44: no SA proposal chosen", &["P1-PROPOSAL", "P2-REJECT", "V2-PROPOSAL"][..]),
            ("error 13801 ERROR_IPSEC_IKE_AUTH_FAIL", &["P1-PSK", "V2-AUTH-FAIL"]),
            ("error 691", &["T-SHORT-SESSION", "V2-EAP"]),
            ("received KE type 14, expected 2", &["V2-KE-LOOP", "V2-KE-RETRY"]),
        ] {
            let hits = find(line);
            let found: Vec<&str> = hits.iter().flat_map(|hit| &hit.patterns).map(|pattern| pattern.id).collect();
            assert!(ids.iter().all(|id| found.contains(id)), "{line}: {found:?}");
            assert!(is_good(&hits) && clearly(&hits).is_none(), "{line}");
        }
    }

    #[test]
    fn a_line_that_comes_at_any_stage_names_every_one() {
        for (line, ids) in [
            (
                "13[IKE] giving up after 5 retransmits",
                &["P1-NO-REPLY", "P1-AUTH-SILENT", "V2-NO-REPLY", "V2-AUTH-NO-REPLY", "L-DPD-TIMEOUT"][..],
            ),
            ("13[IKE] establishing IKE_SA failed, peer not responding", &["P1-AUTH-SILENT", "V2-NO-REPLY"]),
            ("13[IKE] received NO_PROPOSAL_CHOSEN error notify", &["P1-PROPOSAL", "P2-REJECT"]),
            (
                "13[IKE] retransmit 2 of request with message ID 0",
                &["V2-NO-REPLY", "V2-AUTH-NO-REPLY", "L-DPD-TIMEOUT"],
            ),
            ("13[IKE] sending retransmit 2 of request message ID 0, seq 3", &["P1-NO-REPLY", "P1-AUTH-SILENT"]),
            ("13[IKE] sending retransmit 1 of response message ID 0, seq 1", &["P1-MM2-NO-MM3", "P1-MM4-NO-MM5"]),
            ("13[IKE] no peer config found", &["P1-AUTH-REJECT", "P1-AGGR-AUTH"]),
            ("13[IKE] no acceptable proposal found", &["V2-CHILD-REJECT", "V2-REKEY-REFUSED"]),
            (
                "\"hq\" #1: ESTABLISHED_IKE_SA: 12 second timeout exceeded after 5 retransmits.  No response (or no \
                 acceptable response) to our IKEv2 message",
                &["V2-CHILD-NO-REPLY", "L-DPD-TIMEOUT"],
            ),
        ] {
            let hits = find(line);
            let found: Vec<&str> = hits.iter().flat_map(|hit| &hit.patterns).map(|pattern| pattern.id).collect();
            assert!(ids.iter().all(|id| found.contains(id)), "{line}: {found:?}");
            assert!(is_good(&hits) && clearly(&hits).is_none(), "{line}");
        }
    }

    #[test]
    fn lines_that_share_most_words_have_pages_of_their_own() {
        for (line, id) in [
            ("received NO_PROPOSAL_CHOSEN notify error", "V2-PROPOSAL"),
            ("received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built", "V2-CHILD-REJECT"),
            ("#2: IKE_AUTH response rejected Child SA with NO_PROPOSAL_CHOSEN", "V2-CHILD-REJECT"),
            ("rekeying IKE_SA failed, peer not responding", "V2-CHILD-NO-REPLY"),
            ("Quick Mode message is for a non-existent (expired or deleted?) ISAKMP SA", "L-STALE-SA"),
        ] {
            assert_eq!(clear(line), Some(id), "{line}");
        }
    }

    #[test]
    fn a_state_is_found_alone_and_at_the_head_of_its_line() {
        for line in ["STATE_MAIN_I3", "\"hq\" #1: STATE_MAIN_I3: retransmission; will wait 8 seconds for response"] {
            let best = find(line).into_iter().next().unwrap();
            assert_eq!((best.message, best.patterns[0].id), ("STATE_MAIN_I3", "P1-AUTH-SILENT"), "{line}");
        }
        for line in ["nginx: server is ready", "connecting to 192.0.2.1", "link established"] {
            assert!(!is_good(&find(line)), "{line}");
        }
    }

    #[test]
    fn a_part_of_a_message_is_enough() {
        assert_eq!(find("no offers accepted").first().unwrap().message, "ISAKMP (0:1); no offers accepted!");
        assert_eq!(clear("encryption algorithm did not match"), Some("P1-PROPOSAL"));
    }

    #[test]
    fn the_number_of_a_state_tells() {
        assert_eq!(find("MM_WAIT_MSG2").first().unwrap().message, "MM_WAIT_MSG2");
        assert_eq!(clear("%ASA-7: IKE Peer: 203.0.113.1 State : MM_WAIT_MSG2"), Some("P1-NO-REPLY"));
    }

    #[test]
    fn a_line_that_says_nothing_about_the_tunnel_says_so() {
        let hits = find("ISADB: reaper checking SA 0x10ab3c, conn_id = 0");
        assert!(hits.first().unwrap().patterns.is_empty());
        assert!(hits.first().unwrap().why_unanswered().is_some());
        assert_eq!(clearly(&hits).map(|pattern| pattern.id), None);
    }

    #[test]
    fn other_lines_are_not_known() {
        for line in
            ["", "…", "sshd: accepted password for root from 192.0.2.1 port 22", "link up, 1000Mbps", "12 34 56"]
        {
            assert!(find(line).is_empty(), "{line}: {:?}", find(line).first());
        }
    }

    #[test]
    fn a_title_leads_to_its_page() {
        for pattern in CATALOGUE {
            assert_eq!(clear(pattern.title), Some(pattern.id));
        }
    }

    #[test]
    fn a_line_of_any_length_is_answered() {
        for piece in ["no offers accepted 10.0.0.1 ", "a:", "{", "%#"] {
            assert!(find(&piece.repeat(60_000)).len() <= MOST_HITS, "{piece}");
        }
    }

    #[test]
    fn ids_are_completed_and_corrected() {
        let ids = |found: Vec<&Pattern>| found.iter().map(|pattern| pattern.id).collect::<Vec<_>>();
        assert_eq!(ids(similar("P1-PROPSOAL")), ["P1-PROPOSAL"]);
        assert_eq!(ids(similar("v2-no-replay")), ["V2-NO-REPLY"]);
        assert!(similar("").is_empty() && similar("banana").is_empty());
        assert!(ids(family("n-icmp")).contains(&"N-ICMP-PORT"));
        assert!(family("N-IC").is_empty() && family("").is_empty());
    }

    #[test]
    fn distance_counts_slips_of_the_finger() {
        for (left, right, expected) in
            [("", "", 0), ("", "ab", 2), ("ab", "ba", 1), ("abc", "axc", 1), ("abcd", "acd", 1)]
        {
            assert_eq!(distance(left, right), expected, "{left} {right}");
            assert_eq!(distance(right, left), expected, "{right} {left}");
        }
    }
}
