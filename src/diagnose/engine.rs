//! From matches to findings: one finding a loop, what is over no longer an error.
//!
//! Not here: which checks run, on which pairs ([`super::round`]), what follows from what ([`super::consequences`]), what explains a
//! pair ([`super::verdicts`]).

use std::borrow::Cow;
use std::sync::Arc;

use crate::base::FrameRef;
use crate::track::{Facts, MessageRecord, Room};

use super::case::Case;
use super::consequences::Consequences;
use super::gists::Gist;
use super::losses;
use super::pattern::{Match, Missed, Pattern, Stage};
use super::patterns::unless_short;
use super::points;
use super::survey::Survey;
use super::verdicts::CIRCUMSTANCES;
use super::words::{role, span};
use super::{Cause, Confidence, Finding, Severity, Verdict, Words};

/// A pattern found, before it is made a finding.
pub(super) struct Found {
    pub(super) pattern: &'static Pattern,
    pub(super) verdict: Verdict,
    pub(super) case: Match,
    pub(super) consequence_of: Option<&'static str>,
}

impl Found {
    /// A match of the pattern `verdict` names.
    pub(super) fn new(verdict: Verdict, case: Match) -> Self {
        Self { pattern: verdict.pattern(), verdict, case, consequence_of: None }
    }

    /// How bad it is by itself.
    pub(super) fn own_severity(&self) -> Severity {
        self.case.severity.unwrap_or(self.pattern.severity)
    }

    pub(super) fn severity(&self) -> Severity {
        let own = self.own_severity();
        if self.consequence_of.is_some() { own.min(Severity::Notice) } else { own }
    }

    /// Whether it is a match of this pattern, of this severity.
    pub(super) fn is(&self, id: &str, severity: Severity) -> bool {
        self.pattern.id == id && self.severity() == severity
    }

    pub(super) fn stage(&self) -> Stage {
        self.pattern.stage
    }

    /// Whether it rests on messages that did not come.
    pub(super) fn misses_messages(&self) -> bool {
        self.pattern.misses == Missed::Messages
    }

    /// Whether it rests on this frame.
    pub(super) fn rests_on(&self, frame: FrameRef) -> bool {
        self.case.frames.contains(&frame)
    }

    /// The attempt that it is about, by its index.
    pub(super) fn attempt(&self) -> Option<usize> {
        self.case.attempt
    }
}

/// A finding of pair `index` for which there was no room, made again: its pattern's matches on the pair that have this
/// severity.
pub(super) fn again<'f>(
    survey: &Survey,
    index: usize,
    (verdict, severity, consequence_of): (Verdict, Severity, Option<Verdict>),
    facts: &'f Facts,
    room: &mut Room<'f>,
) -> Option<Finding> {
    let pair = facts.pairs.read(index, room)?;
    let mut answers = Vec::new();
    let case = Case::new(facts, survey, index, pair, &mut answers);
    // what follows from something on its own attempt only, does so where that is found
    let attempts = consequence_of.and_then(|cause| {
        let row = Consequences::on_attempt(verdict, cause)?;
        let causes: Vec<Found> = found_by(cause, &case).into_iter().map(|found| Found::new(cause, found)).collect();
        Some(row.attempts(&causes))
    });
    let follows = |found: &Match| attempts.as_ref().is_none_or(|attempts| attempts.contains(&found.attempt));
    let found = |case: Match| {
        let consequence_of = consequence_of.filter(|_| follows(&case)).map(Verdict::id);
        Found { consequence_of, ..Found::new(verdict, case) }
    };
    let mut found =
        found_by(verdict, &case).into_iter().map(found).filter(|found: &Found| found.severity() == severity);
    let mut folded = Folded::of(&case, found.next()?);
    found.for_each(|found| folded.add(&case, found));
    Some(folded.complete(&case).finding(&case))
}

/// Where a pattern fits, as far as what was not forgotten tells, and nothing in the capture tells otherwise.
pub(super) fn found_by(verdict: Verdict, case: &Case<'_>) -> Vec<Match> {
    let pattern = verdict.pattern();
    let mut found = (pattern.check)(case);
    // most checks find nothing
    if found.is_empty() {
        return found;
    }
    let misses = pattern.misses;
    found.retain(|found| !losses::is_open(case, misses, found) && !losses::is_refuted(case, misses, found));
    if matches!(pattern.stage, Stage::Phase1 | Stage::Phase2) {
        found.iter_mut().for_each(|found| tie_by_time(case, found));
    }
    found
}

/// What is said under a cookie of its own is tied to an attempt by its time, and anybody can say it: no conclusion from it is
/// stated. It is inferred if it was said again, or the other side heeded it.
fn tie_by_time(case: &Case<'_>, found: &mut Match) {
    let Some(view) = found.attempt.and_then(|index| case.view(index)) else { return };
    let of = |message: &&MessageRecord| message.own_cookie && found.frames.contains(&message.frame);
    let Some(said) = view.messages().find(of) else { return };
    let asks_on = || view.messages().any(|message| message.from != said.from && message.last_sent() > said.at);
    let believed = said.repeat_count > 0 || view.is_watched_after(said) && !asks_on();
    let most = if believed { Confidence::Inferred } else { Confidence::Suspected };
    found.confidence = found.confidence.min(Some(most));
    found.seen.push_str("; it came under a cookie of its own, and only its time ties it to this negotiation");
    found.settle.get_or_insert(Cow::Borrowed("the log of the side that sent the notify: what it refused"));
}

/// Matches of one pattern, of one severity, that become one finding.
pub(super) struct Folded {
    /// The first of them, with the evidence of all and the certainty of the surest.
    first: Found,
    /// What the last of them follows from.
    consequence_of: Option<&'static str>,
    /// How many they are.
    count: u64,
    /// Attempts that they are about, the last of these, and how many of them the other side began.
    attempts: u64,
    last: Option<usize>,
    by_other: u64,
}

impl Folded {
    fn of(case: &Case<'_>, mut first: Found) -> Self {
        if first.severity() >= Severity::Warning && !CIRCUMSTANCES.contains(&first.pattern.id) {
            tell_next_copy(case, &mut first.case);
        }
        points::tell_fate(case, first.pattern, &mut first.case);
        points::tell_empty(case, &mut first.case);
        name_sides(case, &mut first.case);
        let (last, consequence_of) = (first.case.attempt, first.consequence_of);
        Self { first, consequence_of, count: 1, attempts: last.is_some().into(), last, by_other: 0 }
    }

    /// Adds one more match.
    fn add(&mut self, case: &Case<'_>, found: Found) {
        let first = &mut self.first.case;
        self.consequence_of = found.consequence_of;
        self.count += 1;
        let certainty = |found: &Match| found.confidence.unwrap_or(Confidence::Suspected);
        first.confidence = Some(certainty(first).max(certainty(&found.case)));
        first.frames.extend(found.case.frames);
        first.party = first.party.filter(|_| first.party == found.case.party);
        // What is said of the pair is said of none of them.
        if found.case.attempt.is_some() && found.case.attempt != self.last {
            self.last = found.case.attempt;
            self.attempts += 1;
            let of = |index: Option<usize>| case.pair.attempts.get(index?).filter(|attempt| attempt.roles_known);
            let both = of(found.case.attempt).zip(of(first.attempt));
            self.by_other += u64::from(both.is_some_and(|(one, other)| one.initiator.ip() != other.initiator.ip()));
        }
    }

    /// All of the evidence is there: in order, and each frame once.
    fn complete(mut self, case: &Case<'_>) -> Self {
        let frames = &mut self.first.case.frames;
        frames.sort_unstable();
        frames.dedup();
        if frames.is_empty() {
            frames.push(case.pair.first_frame);
        }
        self
    }

    /// What it is a case of.
    pub(super) fn verdict(&self) -> Verdict {
        self.first.verdict
    }

    /// What it follows from.
    pub(super) fn consequence_of(&self) -> Option<Verdict> {
        self.consequence_of.and_then(Verdict::named)
    }

    /// The first attempt that it is about, and how many matches there are.
    pub(super) fn attempt_and_count(&self) -> (Option<usize>, u64) {
        (self.first.case.attempt, self.count)
    }

    /// Evidence, in order.
    pub(super) fn frames(&self) -> &[FrameRef] {
        &self.first.case.frames
    }

    /// What it says, as far as that shows before it is made.
    pub(super) fn gist(&self) -> Gist<'_> {
        Gist {
            verdict: self.first.verdict,
            consequence_of: self.consequence_of,
            severity: self.first.severity(),
            attempts: (self.attempts, self.by_other),
            said: &self.first.case,
        }
    }

    /// The finding.
    pub(super) fn finding(self, case: &Case<'_>) -> Finding {
        let Self { first, count, attempts, by_other, .. } = self;
        let mut whole = Finding { count, ..finding(Some(case.index), first) };
        if attempts > 1 && whole.attempt.is_some() {
            let more = match by_other {
                0 => format!("; the same on {attempts} attempts"),
                _ => format!("; much the same on {attempts} attempts, {by_other} of them begun by the other side"),
            };
            whole.seen.push_str(&more);
        }
        losses::allow_for_forgotten(case.facts.forgotten, case.pair, &mut whole);
        whole
    }
}

/// Of an attempt whose sides are not known, addresses are said and no sides.
fn name_sides(case: &Case<'_>, found: &mut Match) {
    // of several attempts each may have begun it
    found.party = found.party.filter(|_| found.attempt.is_some());
    let attempt = found.attempt.and_then(|index| case.pair.attempts.get(index));
    let Some(attempt) =
        attempt.filter(|attempt| !attempt.roles_known && attempt.initiator.ip() != attempt.responder.ip())
    else {
        return;
    };
    found.party = None;
    for (side, end) in [("initiator", attempt.initiator), ("responder", attempt.responder)] {
        let address = end.ip().to_string();
        let said = [format!("the {side} {address}"), format!("the {side} ({address})"), format!("the {side}")];
        let name = |text: &str| said.iter().fold(text.to_owned(), |text, said| text.replace(said, &address));
        found.seen = name(&found.seen);
        found.means = name(&found.means).into();
        found.settle = found.settle.as_deref().map(|settle| name(settle).into());
    }
}

/// Matches of one pattern on one pair are one finding for each severity. They follow each other.
pub(super) fn fold(case: &Case<'_>, matches: impl Iterator<Item = Found>, mut keep: impl FnMut(Folded)) {
    let mut matches = matches.peekable();
    // a pattern has few severities, and mostly one
    let mut others: Vec<Folded> = Vec::new();
    while let Some(first) = matches.next() {
        let verdict = first.verdict;
        let mut folded = Folded::of(case, first);
        while let Some(found) = matches.next_if(|next| next.verdict == verdict) {
            let severity = found.severity();
            let mut known = std::iter::once(&mut folded).chain(&mut others);
            match known.find(|known| known.first.severity() == severity) {
                Some(known) => known.add(case, found),
                None => others.push(Folded::of(case, found)),
            }
        }
        std::iter::once(folded).chain(others.drain(..)).for_each(|folded| keep(folded.complete(case)));
    }
}

/// Where a message is repeated in vain: who gave up, or when the next copy is due.
fn tell_next_copy(case: &Case<'_>, found: &mut Match) {
    let Some(view) = found.attempt.and_then(|index| case.view(index)) else { return };
    let repeated = view.waiting().filter(|_| !case.is_over(view.attempt));
    let Some((message, next)) = repeated.and_then(|message| Some((message, view.next_copy(message)?))) else { return };
    let side = role(message.from);
    let end = case.end();
    let label = message.label;
    found.seen.push_str(&if next.given_up {
        let ago = span(end.since(next.due));
        format!("; by this rhythm another {label} was due {ago} before the capture ends and did not come: the {side} gave up")
    } else if next.due > end {
        format!("; if this rhythm holds, the next {label} is due {} after the capture ends", span(next.due.since(end)))
    } else {
        format!("; if this rhythm holds, the next {label} is due as the capture ends")
    });
}

/// A finding that belongs to no pair.
pub(super) fn beside_pairs(id: &str, case: Match) -> Option<Finding> {
    let verdict = Verdict::named(id)?;
    Some(finding(None, Found::new(verdict, case)))
}

/// Names that did not resolve, in a capture without any IKE: the peer's may be among them.
pub(super) fn failed_lookups(facts: &Facts) -> Option<Finding> {
    beside_pairs("C-DNS-FAIL", super::patterns::failed_lookups(facts)?)
}

/// A capture without any pair: that is a result too, and has reasons.
pub(super) fn nothing_at_all(facts: &Facts) -> Option<Finding> {
    let (first, last) = facts.window.filter(|_| facts.pairs.is_empty())?;
    let watched = last.since(first);
    let case = Match::on_pair(Confidence::Suspected)
        .seen(format!("no IKE, ESP or AH at all in {} of capture", span(watched)))
        .means("no negotiation reached this capture point while it was recorded")
        .settle("a trace on the gateway that should start, while traffic for the far subnet is sent")
        .rule_out(&["cut"]);
    beside_pairs("C-NO-IKE", unless_short(watched, case))
}

fn finding(pair: Option<usize>, found: Found) -> Finding {
    let severity = found.severity();
    let Found { pattern, case, consequence_of, .. } = found;
    let named = |key: &str| pattern.causes.iter().any(|cause| cause.key == key);
    debug_assert!(case.weights.iter().all(|(key, _)| named(key)), "{}: {:?}", pattern.id, case.weights);
    let mut causes: Vec<(f32, &'static str, bool)> = pattern
        .causes
        .iter()
        .map(|cause| {
            let factors = case.weights.iter().filter(|(key, _)| *key == cause.key);
            let factor = factors.map(|(_, factor)| factor).product::<f32>();
            (cause.prior * factor, cause.text, factor < REFUTED)
        })
        .filter(|(weight, ..)| *weight > 0.0)
        .collect();
    let total: f32 = causes.iter().map(|(weight, ..)| weight).sum();
    causes.sort_by(|one, other| other.0.total_cmp(&one.0));
    Finding {
        pattern,
        severity,
        confidence: case.confidence.unwrap_or(Confidence::Suspected),
        pair,
        attempt: case.attempt,
        frames: case.frames,
        count: 1,
        words: Arc::new(Words {
            seen: case.seen,
            means: case.means.into_owned(),
            causes: causes
                .into_iter()
                .map(|(weight, text, refuted)| Cause {
                    text,
                    likelihood: likelihood(weight / total.max(f32::MIN_POSITIVE)),
                    refuted,
                })
                .collect(),
            settle: case.settle.map(Cow::into_owned),
            party: case.party,
        }),
        consequence_of,
    }
}

/// A cause of which the evidence leaves less than this is all but refuted.
const REFUTED: f32 = 0.1;

fn likelihood(share: f32) -> &'static str {
    match share {
        0.4.. => "likely",
        0.15.. => "possible",
        _ => "less likely",
    }
}
