//! From matches to findings and verdicts: one finding a loop, the deepest stage first, what is over no longer an error.
//!
//! Not here: which checks run, on which pairs ([`super::round`]).

use std::borrow::Cow;
use std::sync::{Arc, LazyLock};

use crate::base::FrameRef;
use crate::track::{Facts, MessageRecord, Room};

use super::case::Case;
use super::gists::Gist;
use super::judged::Piece;
use super::losses;
use super::pattern::{Match, Missed, Pattern, Stage};
use super::patterns::unless_short;
use super::points;
use super::status::{outcome, status};
use super::survey::Survey;
use super::words::{role, span};
use super::{AttemptDiagnosis, Cause, Confidence, Finding, PairStatus, Severity, Verdict, Words};

/// What follows from a pattern where that is found on a pair: its consequences stay in the report, and neither raise an alarm
/// of their own nor explain the pair.
struct Consequences {
    cause: &'static str,
    /// How bad the cause has to be.
    least: Severity,
    patterns: &'static [&'static str],
    /// On the attempt of the cause; otherwise on any of the pair.
    same_attempt: bool,
}

impl Consequences {
    const fn of(cause: &'static str, patterns: &'static [&'static str]) -> Self {
        Self { cause, least: Severity::Warning, patterns, same_attempt: false }
    }

    /// What has another reason on another attempt.
    const fn on_attempt_of(cause: &'static str, patterns: &'static [&'static str]) -> Self {
        Self { same_attempt: true, ..Self::of(cause, patterns) }
    }
}

/// A later one has the last word.
const CONSEQUENCES: &[Consequences] = &[
    // Where all attempts are probes, those that get no answer are no more than that.
    Consequences { least: Severity::Notice, ..Consequences::of("S-SCAN", &["P1-NO-REPLY", "V2-NO-REPLY"]) },
    // Guesses at the reason.
    Consequences::of("P2-REJECT", &["P2-PROPOSAL", "P2-SELECTOR"]),
    Consequences::of("P2-NO-QM3", &["T-ONEWAY", "T-ESP-BLOCKED", "T-NONE"]),
    Consequences::of(
        "F-IKE-FRAG-LOST",
        &[
            "P1-AUTH-SILENT",
            "P1-CERT",
            "P1-MM4-NO-MM5",
            "P1-UP-NO-P2",
            "V2-AUTH-NO-REPLY",
            "V2-INIT-NO-AUTH",
            "F-SKF-INCOMPLETE",
            "F-V1FRAG-INCOMPLETE",
        ],
    ),
    Consequences { least: Severity::Error, ..Consequences::of("F-PMTU-BLACKHOLE", &["C-TWO-POINT"]) },
    Consequences::of("F-V1FRAG-INCOMPLETE", &["P1-AUTH-SILENT", "P1-MM4-NO-MM5", "P1-UP-NO-P2"]),
    Consequences::on_attempt_of("F-SKF-INCOMPLETE", &["V2-AUTH-NO-REPLY"]),
    Consequences::of("M-MARKER", &["N-PORT4500", "P1-AUTH-SILENT", "V2-AUTH-NO-REPLY", "P1-NO-REPLY", "V2-NO-REPLY"]),
    Consequences::of("M-LENGTH", &["P1-MM3-NO-REPLY"]),
    Consequences::on_attempt_of("M-LENGTH", &["P1-NO-REPLY", "V2-NO-REPLY"]),
    Consequences::on_attempt_of("P2-REJECT", &["M-ENC-BIT"]),
    // and may itself follow from N-PORT4500
    Consequences::on_attempt_of("P1-AGGR-AUTH", &["N-ICMP-PORT"]),
    Consequences::of("N-PORT4500", &["P1-AUTH-SILENT", "P1-AGGR-AUTH", "P1-UP-NO-P2", "V2-AUTH-NO-REPLY"]),
    // Beyond the NAT it is the same silence, told with less.
    Consequences::on_attempt_of("N-PORT4500", &["P1-MM4-NO-MM5", "V2-INIT-NO-AUTH", "P1-XAUTH"]),
    Consequences::of("P1-INIT-REJECT", &["L-DELETE-AFTER-P1"]),
    Consequences::on_attempt_of("P1-VERSION", &["P1-PROPOSAL", "V2-PROPOSAL"]),
    // Some accept Main Mode up to message 5 and then want the other one.
    Consequences::of("P1-MODE", &["P1-AUTH-REJECT"]),
    Consequences::on_attempt_of(
        "F-PMTU",
        &["P1-AUTH-SILENT", "V2-AUTH-NO-REPLY", "V2-NO-REPLY", "V2-EAP", "P2-NO-REPLY"],
    ),
    Consequences::on_attempt_of("V2-COOKIE-LOOP", &["V2-NO-REPLY"]),
    // Who follows a redirection deletes the SA.
    Consequences { least: Severity::Info, ..Consequences::on_attempt_of("V2-REDIRECT", &["V2-AUTH-INIT-REJECT"]) },
    // A peer that refuses ESP answers none.
    Consequences::of("N-ICMP-PORT", &["T-ONEWAY"]),
    Consequences::of("N-WIN-NAT-SERVER", &["N-PORT4500", "P1-MM4-NO-MM5", "T-ONEWAY"]),
    Consequences::of("N-WRONG-ADDR", &["P1-NO-REPLY", "V2-NO-REPLY"]),
    Consequences::on_attempt_of("N-WRONG-ADDR", &["P1-MM2-NO-MM3", "P1-AGGR-AUTH", "V2-INIT-NO-AUTH"]),
    Consequences::of("N-NATT-MISSING", &["T-ONEWAY"]),
    Consequences::of("N-NAT-AH", &["T-ONEWAY"]),
    Consequences::of("T-SEQ-RESET", &["T-ONEWAY"]),
    Consequences::on_attempt_of("V2-CHILD-NO-REPLY", &["T-ONEWAY"]),
    Consequences { least: Severity::Error, ..Consequences::of("V2-CHILD-NO-REPLY", &["V2-NO-REPLY"]) },
    Consequences::of("N-NAT-MULTI", &["T-ONEWAY"]),
    Consequences::of("L-STALE-SA", &["P1-NO-REPLY", "P2-NO-REPLY", "V2-NO-REPLY", "V2-CLEAR-ERROR", "T-ONEWAY"]),
    Consequences::on_attempt_of("L-STALE-SA", &["L-DPD-TIMEOUT"]),
    Consequences::of("T-SPI-UNKNOWN", &["T-ONEWAY", "V2-TS-NARROW"]),
    Consequences::of("L-DPD-TIMEOUT", &["P1-NO-REPLY", "V2-NO-REPLY", "T-ONEWAY"]),
    Consequences::on_attempt_of("L-DPD-TIMEOUT", &["N-ICMP-PORT"]),
    // A peer that fell silent on another SA had another reason.
    Consequences::on_attempt_of("N-ICMP-HOST", &["L-DPD-TIMEOUT"]),
    Consequences::of("N-ICMP-HOST", &["P2-NO-REPLY", "V2-CHILD-NO-REPLY"]),
    Consequences::on_attempt_of("N-ICMP-PROHIB", &["L-DPD-TIMEOUT"]),
    Consequences::of("N-ICMP-PROHIB", &["P2-NO-REPLY", "V2-CHILD-NO-REPLY"]),
    Consequences::of("M-ENC-BIT", &["P2-NO-REPLY", "V2-CLEAR-ERROR"]),
    Consequences::on_attempt_of("V2-AUTH-FAIL", &["M-ENC-BIT"]),
    Consequences::on_attempt_of("V2-CHILD-REJECT", &["M-ENC-BIT"]),
    Consequences::on_attempt_of("V2-REKEY-REFUSED", &["M-ENC-BIT", "V2-CLEAR-ERROR"]),
    Consequences::of("S-HALFOPEN", &["V2-INIT-NO-AUTH", "V2-COOKIE-LOOP", "P1-MM2-NO-MM3"]),
    // What somebody may open and close on purpose does not flap.
    Consequences { least: Severity::Notice, ..Consequences::of("T-SHORT-SESSION", &["L-FLAP"]) },
];

/// Normal states that an alarm denies.
struct Denial {
    alarm: &'static str,
    /// How bad it has to be.
    least: Severity,
    normal: &'static [&'static str],
    /// On any attempt; otherwise on its own and on those before it.
    everywhere: bool,
}

impl Denial {
    const fn of(alarm: &'static str, normal: &'static [&'static str]) -> Self {
        Self { alarm, least: Severity::Warning, normal, everywhere: false }
    }
}

const DENIED: &[Denial] = &[
    Denial::of("L-DPD-TIMEOUT", &["OK-UP", "OK-IDLE", "OK-P1-UP"]),
    Denial::of("L-STALE-SA", &["OK-UP", "OK-IDLE", "OK-P1-UP"]),
    Denial::of("P1-INIT-REJECT", &["OK-P1-UP"]),
    Denial::of("P1-CERT", &["OK-P1-UP"]),
    // That nobody starts phase 2 is a warning, and denies nothing.
    Denial { least: Severity::Error, ..Denial::of("P1-UP-NO-P2", &["OK-P1-UP"]) },
    // An initiator that has turned down every answer so far turns down the next one too, unless a tunnel works beside.
    Denial {
        least: Severity::Error,
        everywhere: true,
        ..Denial::of("V2-AUTH-INIT-REJECT", &["OK-UP", "OK-IDLE", "OK-P1-UP", "T-NONE"])
    },
    Denial::of("L-DELETE-AFTER-P1", &["OK-IDLE", "OK-P1-UP", "OK-DELETE", "T-NONE"]),
    Denial::of("P1-AGGR-AUTH", &["OK-P1-UP"]),
    Denial::of("M-ENC-BIT", &["OK-P1-UP"]),
    Denial::of("T-ENCAP-MISMATCH", &["OK-UP"]),
    // As an error it says that the traffic of one side is lost.
    Denial { least: Severity::Error, everywhere: true, ..Denial::of("C-TWO-POINT", &["OK-UP", "OK-IDLE"]) },
    // As an error it says that the peer refuses all that is sent, until the end.
    Denial {
        least: Severity::Error,
        everywhere: true,
        ..Denial::of("T-SPI-UNKNOWN", &["OK-UP", "OK-IDLE", "OK-P1-UP"])
    },
];

/// A pattern found, before it is made a finding.
pub(super) struct Found {
    pattern: &'static Pattern,
    verdict: Verdict,
    case: Match,
    consequence_of: Option<&'static str>,
}

impl Found {
    /// A match of the pattern `verdict` names.
    pub(super) fn new(verdict: Verdict, case: Match) -> Self {
        Self { pattern: verdict.pattern(), verdict, case, consequence_of: None }
    }

    /// How bad it is by itself.
    fn own_severity(&self) -> Severity {
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

/// Takes back normal states that an alarm denies.
pub(super) fn deny(matches: &mut Vec<Found>) {
    if matches.iter().all(|found| found.severity() < Severity::Warning) {
        return;
    }
    for denial in DENIED {
        let loud = |found: &&Found| found.pattern.id == denial.alarm && found.severity() >= denial.least;
        let Some(latest) = matches.iter().filter(loud).map(|found| found.case.attempt).max() else { continue };
        let reaches = |found: &Found| denial.everywhere || found.case.attempt <= latest;
        matches.retain(|found| !denial.normal.contains(&found.pattern.id) || !reaches(found));
    }
}

/// What follows from a pattern where that is found.
pub(super) fn consequences_of(cause: &str) -> Vec<&'static str> {
    CONSEQUENCES.iter().filter(|row| row.cause == cause).flat_map(|row| row.patterns).copied().collect()
}

impl Consequences {
    /// The row by which a pattern follows from `cause` on the same attempt only.
    fn on_attempt(pattern: Verdict, cause: Verdict) -> Option<&'static Self> {
        let mut rows = CONSEQUENCES.iter();
        rows.find(|row| row.same_attempt && row.cause == cause.id() && row.patterns.contains(&pattern.id()))
    }

    /// Attempts that the cause was found on, as bad as it has to be.
    fn attempts(&self, matches: &[Found]) -> Vec<Option<usize>> {
        let loud = |found: &&Found| found.pattern.id == self.cause && found.severity() >= self.least;
        matches.iter().filter(loud).map(|found| found.case.attempt).collect()
    }
}

/// Marks what follows from something else that was found on the same pair.
pub(super) fn name_consequences(matches: &mut [Found]) {
    if matches.iter().all(|found| found.severity() < Severity::Warning) {
        return;
    }
    for row @ &Consequences { cause, patterns, same_attempt, .. } in CONSEQUENCES {
        let causes = row.attempts(matches);
        for found in matches.iter_mut().filter(|found| patterns.contains(&found.pattern.id)) {
            if !causes.is_empty() && (!same_attempt || causes.contains(&found.case.attempt)) {
                found.consequence_of = Some(cause);
            }
        }
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

/// What stands between phase 1 and phase 2 and does not come to an end.
const ASKS_FOR_USER: &str = "P1-XAUTH";

/// What was found on an attempt.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Told {
    /// What best explains it, so far, and how well.
    best: Option<(Weight, Verdict)>,
    /// An error, or what else stopped it.
    error: bool,
    /// XAUTH or Mode Config is as far as it got.
    asks: bool,
}

/// Status of the pair, its verdict, and outcome and verdict of each attempt. Takes back what says that a tunnel is up which is down.
/// `told` is room for what was found on each attempt; reusing it saves the allocation.
pub(super) fn judge(case: &Case<'_>, matches: &mut Vec<Found>, piece: &mut Piece, told: &mut Vec<Told>) {
    told.clear();
    told.resize(case.pair.attempts.len(), Told::default());
    let mut best_of_all: Option<(Weight, &Found)> = None;
    for found in &*matches {
        let mut own = found.case.attempt.and_then(|index| told.get_mut(index));
        if let Some(own) = &mut own {
            let asks = found.pattern.id == ASKS_FOR_USER;
            own.error |= found.severity() >= if asks { Severity::Warning } else { Severity::Error };
            own.asks |= asks;
        }
        // Advice explains nothing: a pair about which nothing else can be said has no verdict.
        let weight = weight(found, case);
        if found.consequence_of.is_some() || weight.0 == 0 {
            continue;
        }
        if best_of_all.is_none_or(|(known, _)| weight >= known) {
            best_of_all = Some((weight, found));
        }
        if let Some(own) = own.filter(|own| own.best.is_none_or(|(known, _)| weight >= known)) {
            own.best = Some((weight, found.verdict));
        }
    }
    let best_of_all = best_of_all.map(|(_, found)| found);
    let attempts = piece.judge_attempts(case.attempts().zip(told).map(|((_, view), told)| AttemptDiagnosis {
        outcome: outcome(case, &view, told.error, told.asks),
        verdict: told.best.map(|(_, verdict)| verdict),
    }));
    // An alarm that is laid to another one is one all the same.
    let is_silent = |found: &Found| found.pattern.id == "L-DPD-TIMEOUT" && found.own_severity() == Severity::Error;
    let silent = matches.iter().any(|found| found.consequence_of.is_some() && is_silent(found));
    let status = status(case, attempts, best_of_all, silent);
    piece.judge_pair(status, best_of_all.map(|found| found.verdict));
    if matches!(status, PairStatus::Down | PairStatus::DownNegotiating) {
        matches.retain(|found| !UP.contains(&found.pattern.id));
    }
}

/// Whether matches raise no alarm and explain nothing, whatever else is found on the pair.
pub(super) fn are_advice(matches: &[Found], case: &Case<'_>) -> bool {
    matches.iter().all(|found| found.severity() < Severity::Warning && weight(found, case).0 == 0)
}

/// How well a match explains a pair.
type Weight = (u8, u8, u8, usize, u8);

/// What makes one match explain a pair better than another: how bad, what kind of evidence, how deep, how late.
///
/// A normal state explains a pair better than a notice does, and advice never explains one.
fn weight(found: &Found, case: &Case<'_>) -> Weight {
    let index = found.case.attempt.unwrap_or(0);
    let part = PARTS.get(found.verdict.place()).copied().unwrap_or(Part::Plain);
    let normal = if let Part::Normal(rank) = part { rank } else { 0 };
    if normal > 0 {
        // What was only cleaned up, while the tunnel goes on, is said of the pair and of no attempt, and says least.
        let rank = match found.case.attempt {
            Some(_) => normal,
            None => u8::from(found.pattern.id != "OK-DELETE"),
        };
        return (3, 0, 0, index, rank);
    }
    let probes = found.case.attempt.is_some() && part == Part::Probe;
    if found.severity() <= Severity::Notice && part == Part::Circumstance {
        return (0, 0, 0, 0, 0);
    }
    let level = match (found.pattern.stage, found.severity()) {
        // Attempts that are nothing but probes are best called that; a flood of them before all.
        (Stage::Security, Severity::Warning) if probes => 6,
        (Stage::Security, _) if probes => 3,
        (_, Severity::Error) => 5,
        (_, Severity::Warning) => 4,
        (Stage::Security, _) => 0,
        (_, Severity::Notice) => 2,
        _ => 1,
    };
    let evidence = match found.pattern.stage {
        Stage::Path => 3,
        Stage::Fragments => 2,
        _ => 1,
    };
    let attempt = found.case.attempt.and_then(|index| case.pair.attempts.get(index));
    let depth = attempt.and_then(|attempt| attempt.stage.rank()).unwrap_or(0);
    (level, evidence, depth, index, 0)
}

/// The part that a pattern plays in explaining a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Plain,
    /// One of [`NORMAL`], by its place there, from 1.
    Normal(u8),
    Circumstance,
    Probe,
}

/// The parts of all patterns, by their places in the catalogue.
static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
    let part = |verdict: Verdict| match verdict.id() {
        id if CIRCUMSTANCES.contains(&id) => Part::Circumstance,
        id if PROBES.contains(&id) => Part::Probe,
        id => NORMAL.iter().position(|&normal| normal == id).map_or(Part::Plain, |place| Part::Normal(place as u8 + 1)),
    };
    Verdict::all().map(part).collect()
});

/// What attempts can be best called that nobody means to finish.
const PROBES: [&str; 2] = ["S-SCAN", "S-HALFOPEN"];

/// How things are or were, which explains nothing by itself.
const CIRCUMSTANCES: [&str; 6] =
    ["N-NAT-DETECTED", "N-PRIVATE-OUTER", "N-TCP-ENCAP", "F-IKE-BIG", "F-PMTU", "OK-RETRANS"];

/// Normal states that can explain a pair, the most telling last.
const NORMAL: [&str; 5] = ["OK-DPD", "OK-P1-UP", "OK-IDLE", "OK-UP", "OK-DELETE"];

/// Those of them that say that the tunnel is up.
const UP: [&str; 2] = ["OK-IDLE", "OK-UP"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_found_once_for_many_pairs_follows_from_nothing_on_one_of_them() {
        let followed = |id| CONSEQUENCES.iter().any(|row| row.patterns.contains(&id));
        let by_story = || Verdict::all().map(Verdict::pattern).filter(|pattern| pattern.by_story);
        assert!(by_story().count() > 5);
        for pattern in by_story() {
            assert!(!followed(pattern.id) && pattern.misses == Missed::Nothing, "{}", pattern.id);
        }
    }
}
