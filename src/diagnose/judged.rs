//! What was judged, kept small: a few octets a finding and an attempt. A finding is made again, whole, when it is asked for.
//!
//! Not here: the judging. Contract: the same place gives the same finding, as long as it is asked with the facts that were
//! judged.

use std::num::NonZeroU8;

use crate::base::FrameRef;
use crate::track::{Facts, Room};

use super::losses::{self, Losses};
use super::pattern::Pattern;
use super::patterns::CATALOGUE;
use super::survey::Survey;
use super::{Finding, Outcome, PairStatus, Severity, engine};

/// A pattern of the catalogue, by its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Verdict(NonZeroU8);

impl Verdict {
    /// The pattern with this id.
    pub fn named(id: &str) -> Option<Self> {
        CATALOGUE.iter().position(|pattern| pattern.id.eq_ignore_ascii_case(id)).and_then(Self::at)
    }

    /// The pattern at this place of the catalogue.
    pub(super) fn at(place: usize) -> Option<Self> {
        NonZeroU8::new(u8::try_from(place.checked_add(1)?).ok()?).filter(|_| place < CATALOGUE.len()).map(Self)
    }

    /// All of them, in the order of the catalogue.
    pub(super) fn all() -> impl Iterator<Item = Self> {
        (0..CATALOGUE.len()).filter_map(Self::at)
    }

    /// Its place in the catalogue.
    pub(super) fn place(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    /// The pattern.
    pub fn pattern(self) -> &'static Pattern {
        CATALOGUE[self.place()]
    }

    /// Catalogue id.
    pub fn id(self) -> &'static str {
        self.pattern().id
    }
}

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Diagnosis {
    /// In order of severity, then first frame.
    findings: Vec<Kept>,
    /// Findings that are held whole: those that belong to no pair.
    held: Vec<Finding>,
    /// Per pair of [`Facts::pairs`].
    pairs: Vec<JudgedPair>,
    /// Of all pairs, one after the other.
    attempts: Vec<AttemptDiagnosis>,
    /// What the checks asked of the capture as a whole.
    survey: Survey,
    /// What the recorder lost.
    losses: Losses,
}

/// Stands for no frame: their numbers begin at 1.
pub(super) const NO_FRAME: FrameRef = FrameRef::new(0, 0);

/// A finding as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    /// Frame of its first evidence; [`NO_FRAME`] if there is none.
    pub frame: FrameRef,
    /// Index of the pair, or into the findings that are held.
    pub index: u32,
    /// What it is a case of; `None` for a finding that is held.
    pub verdict: Option<Verdict>,
    /// What it follows from.
    pub consequence_of: Option<Verdict>,
    /// Severity.
    pub severity: Severity,
}

/// A pair as it is kept.
#[derive(Debug, Clone, Copy)]
struct JudgedPair {
    /// Where its attempts end.
    end: usize,
    status: PairStatus,
    verdict: Option<Verdict>,
}

/// What is known of a finding before it is made.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// What it is a case of.
    pub pattern: &'static Pattern,
    /// Severity.
    pub severity: Severity,
    /// Index into [`Facts::pairs`].
    pub pair: Option<usize>,
}

/// Status and verdict of one pair.
#[derive(Debug, Clone, Copy)]
pub struct PairDiagnosis<'a> {
    /// Status at the end of the capture.
    pub status: PairStatus,
    /// What best explains it.
    pub verdict: Option<Verdict>,
    /// Per attempt of [`crate::track::Pair::attempts`].
    pub attempts: &'a [AttemptDiagnosis],
}

/// Outcome and verdict of one attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AttemptDiagnosis {
    /// How it stood at the end of the capture.
    pub outcome: Outcome,
    /// What best explains it.
    pub verdict: Option<Verdict>,
}

impl Diagnosis {
    /// A diagnosis that is filled by hand with [`Diagnosis::judge`] and [`Diagnosis::hold`].
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn keep_survey(&mut self, survey: Survey) {
        self.survey = survey;
    }

    /// Judges the next pair of [`Facts::pairs`].
    pub fn judge(
        &mut self,
        status: PairStatus,
        verdict: Option<Verdict>,
        attempts: impl IntoIterator<Item = AttemptDiagnosis>,
    ) {
        self.attempts.extend(attempts);
        self.pairs.push(JudgedPair { end: self.attempts.len(), status, verdict });
    }

    /// Adds a finding behind all others, held whole.
    pub fn hold(&mut self, finding: Finding) {
        let Ok(index) = u32::try_from(self.held.len()) else { return };
        self.findings.push(Kept {
            frame: finding.frames.first().copied().unwrap_or(NO_FRAME),
            index,
            verdict: None,
            consequence_of: None,
            severity: finding.severity,
        });
        self.held.push(finding);
    }

    pub(super) fn keep(&mut self, findings: impl IntoIterator<Item = Kept>) {
        self.findings.extend(findings);
    }

    /// Puts the findings in order: severity, first frame, pair, id.
    pub(super) fn sort(&mut self) {
        let mut findings = std::mem::take(&mut self.findings);
        let rank = |one: &Kept, other: &Kept| {
            let key = |kept: &Kept| (std::cmp::Reverse(kept.severity), kept.frame);
            let rest = |kept: &Kept| self.entry(kept).map(|entry| (entry.pair, entry.pattern.id));
            key(one).cmp(&key(other)).then_with(|| rest(one).cmp(&rest(other)))
        };
        findings.sort_by(rank);
        self.findings = findings;
    }

    fn entry(&self, kept: &Kept) -> Option<Entry> {
        let index = usize::try_from(kept.index).ok()?;
        match kept.verdict {
            Some(verdict) => Some(Entry { pattern: verdict.pattern(), severity: kept.severity, pair: Some(index) }),
            None => {
                let held = self.held.get(index)?;
                Some(Entry { pattern: held.pattern, severity: held.severity, pair: held.pair })
            }
        }
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.findings.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.findings.is_empty()
    }

    /// What is known of each finding before it is made, in order of severity, then first frame. Places count from 0 here.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.findings.iter().filter_map(|kept| self.entry(kept))
    }

    /// The finding at `place`, made from the facts that were judged.
    pub fn finding(&self, place: usize, facts: &Facts, room: &mut Room) -> Option<Finding> {
        let kept = self.findings.get(place)?;
        let mut finding = match kept.verdict {
            Some(verdict) => engine::again(&self.survey, kept, verdict, facts, room)?,
            None => self.held.get(usize::try_from(kept.index).ok()?)?.clone(),
        };
        losses::allow_for(self.losses, &mut finding);
        Some(finding)
    }

    /// Makes less certain what the recorder's losses allow to doubt.
    pub fn allow_for(&mut self, losses: Losses) {
        self.losses = losses;
    }

    /// All findings, one after the other, made from the facts that were judged.
    pub fn findings<'a>(&'a self, facts: &'a Facts) -> impl Iterator<Item = Finding> + use<'a> {
        let mut room = Room::default();
        (0..self.len()).filter_map(move |place| self.finding(place, facts, &mut room))
    }

    /// Status and verdicts of pair `index` of [`Facts::pairs`].
    pub fn pair(&self, index: usize) -> Option<PairDiagnosis<'_>> {
        let judged = self.pairs.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.pairs.get(before)).map_or(0, |before| before.end);
        let attempts = self.attempts.get(start..judged.end)?;
        Some(PairDiagnosis { status: judged.status, verdict: judged.verdict, attempts })
    }

    /// Status and verdicts of all pairs, in the order of [`Facts::pairs`].
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = PairDiagnosis<'_>> + ExactSizeIterator {
        (0..self.pairs.len()).map(|index| self.pair(index).expect("judged above"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_findings_fit_into_32_megabytes() {
        assert!(size_of::<Kept>() <= 32);
        assert!(size_of::<AttemptDiagnosis>() <= 2);
        assert!(size_of::<JudgedPair>() <= 16);
    }

    #[test]
    fn every_pattern_can_be_a_verdict() {
        for (place, pattern) in CATALOGUE.iter().enumerate() {
            let verdict = Verdict::named(pattern.id).unwrap();
            assert_eq!((verdict.place(), verdict.id()), (place, pattern.id));
        }
        assert_eq!(Verdict::named("NO-SUCH"), None);
        assert_eq!(Verdict::at(CATALOGUE.len()), None);
    }
}
