//! What was judged, kept small: a few octets a finding and an attempt. What many findings share is kept once; what there is
//! no room for is made again when it is asked for.
//!
//! Not here: the judging. Contract: the same place gives the same finding, as long as it is asked with the facts that were
//! judged.
//!
//! | file | what |
//! |---|---|
//! | `verdict` | a pattern of the catalogue as what best explains something |
//! | `kept` | a finding in a few octets, and what findings have in common that say the same |
//! | `piece` | what was judged of pairs that follow each other |

mod kept;
mod piece;
mod verdict;

use std::cmp::Reverse;

pub(super) use piece::Piece;
pub use verdict::Verdict;

use crate::base::FrameRef;
use crate::track::{Facts, Room};

use super::losses::{self, Losses};
use super::pattern::Pattern;
use super::sayings::NOWHERE;
use super::survey::Survey;
use super::{Finding, Outcome, PairStatus, Severity, engine};

use kept::{Kept, Kind, NO_ATTEMPT, NO_FRAME, Tagged, all_of, packed, sort_by_first};
use verdict::alphabet;

/// What was found.
#[derive(Debug, Clone, Default)]
pub struct Diagnosis {
    /// Of all pairs of [`Facts::pairs`]; the findings in order of severity, then first frame.
    all: Piece,
    /// Findings that are held whole: those that belong to no pair.
    held: Vec<Finding>,
    /// What the checks asked of the capture as a whole.
    survey: Survey,
    /// What the recorder lost.
    losses: Losses,
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

/// A finding as far as it is its own.
#[derive(Debug, Clone, Copy)]
pub struct Brief<'d> {
    /// Index into [`Facts::pairs`].
    pub pair: usize,
    /// Index of the attempt within the pair.
    pub attempt: Option<usize>,
    /// How many attempts, or events, show the same.
    pub count: u64,
    /// Equal for findings of one diagnosis that are equal in all that is not in here.
    pub says: u64,
    first: u64,
    others: &'d [u32],
}

impl Brief<'_> {
    /// Evidence, in order.
    pub fn frames(&self) -> impl Iterator<Item = FrameRef> {
        all_of(self.first, self.others).map(FrameRef::unpacked)
    }
}

impl Diagnosis {
    /// A diagnosis that is filled by hand with [`Diagnosis::judge`] and [`Diagnosis::hold`].
    pub fn new() -> Self {
        Self::default()
    }

    pub(super) fn keep_survey(&mut self, survey: Survey) {
        self.survey = survey;
    }

    /// Pairs, by index, with a negotiation that another one has, too, if two captures were recording at the same time.
    pub fn seen_elsewhere(&self) -> impl Iterator<Item = usize> {
        self.survey.shared_at_once()
    }

    /// Judges the next pair of [`Facts::pairs`].
    pub fn judge(
        &mut self,
        status: PairStatus,
        verdict: Option<Verdict>,
        attempts: impl IntoIterator<Item = AttemptDiagnosis>,
    ) {
        self.all.judge_attempts(attempts);
        self.all.judge_pair(status, verdict);
    }

    /// Adds what was judged of the next pairs. `known`: where kinds of `piece` stand here, of those that were added before.
    pub(super) fn add(&mut self, piece: &Piece, known: &mut Vec<u32>) {
        self.all.add(piece, known);
    }

    /// Adds a finding behind all others, held whole.
    pub fn hold(&mut self, finding: Finding) {
        let Ok(index) = u32::try_from(self.held.len()) else { return };
        let first = finding.frames.first().map_or(NO_FRAME, |&frame| packed(frame));
        self.all.findings.push(Kept::new(first, index, (NOWHERE, NO_ATTEMPT), (NOWHERE, 0)));
        self.held.push(finding);
    }

    /// Lays alarms of these patterns, on pairs that `follows` tells by number, to `cause`, which was found beside all pairs.
    pub(super) fn lay_to(&mut self, cause: Verdict, patterns: &[&str], mut follows: impl FnMut(usize) -> bool) {
        let Piece { findings, kinds, pairs, attempts, .. } = &mut self.all;
        for kept in findings {
            let index = kept.index as usize;
            let alarm = kinds.get(kept.kind()).copied();
            let alarm =
                alarm.filter(|kind| kind.severity >= Severity::Warning && patterns.contains(&kind.verdict.id()));
            let Some(kind) = alarm.filter(|_| follows(index)) else { continue };
            let place = kinds.place(Kind { severity: Severity::Notice, consequence_of: Some(cause), ..kind });
            kept.kind_and_attempt = Tagged::new(place, kept.kind_and_attempt.tag());
            let start = index.checked_sub(1).and_then(|before| pairs.get(before)).map_or(0, |before| before.end);
            let Some(pair) = pairs.get_mut(index) else { continue };
            let its = attempts.get_mut(start as usize..pair.end as usize).unwrap_or_default();
            let verdicts = its.iter_mut().map(|attempt| &mut attempt.verdict);
            for verdict in verdicts.chain([&mut pair.verdict]).filter(|verdict| **verdict == Some(kind.verdict)) {
                *verdict = Some(cause);
            }
        }
    }

    /// Puts the findings in order: severity, first frame, pair, id.
    pub(super) fn sort(&mut self) {
        let Self { all: Piece { findings, kinds, .. }, held, .. } = self;
        let ids = alphabet();
        let held = |kept: &Kept| held.get(kept.index as usize);
        let severity = |kept: &Kept| match kinds.get(kept.kind()) {
            Some(kind) => Some(kind.severity),
            None => held(kept).map(|held| held.severity),
        };
        let pair_and_id = |kept: &Kept| {
            let (pair, verdict) = match kinds.get(kept.kind()) {
                Some(kind) => (Some(kept.index), Some(kind.verdict)),
                None => {
                    let pair = held(kept).and_then(|held| held.pair);
                    let pair = pair.map(|pair| u32::try_from(pair).unwrap_or(NOWHERE));
                    (pair, held(kept).and_then(|held| Verdict::named(held.pattern.id)))
                }
            };
            (pair, verdict.and_then(|verdict| ids.get(verdict.place()).copied()))
        };
        // one after the other: each looks at less than all of them together would
        findings.sort_unstable_by_key(|kept| Reverse(severity(kept)));
        for alike in findings.chunk_by_mut(|one, other| severity(one) == severity(other)) {
            sort_by_first(alike, u64::BITS);
            // most have a frame of their own
            for together in alike.chunk_by_mut(|one, other| one.first == other.first).filter(|some| some.len() > 1) {
                together.sort_by_key(pair_and_id);
            }
        }
    }

    fn entry(&self, kept: &Kept) -> Option<Entry> {
        let index = usize::try_from(kept.index).ok()?;
        match self.all.kinds.get(kept.kind()) {
            Some(kind) => Some(Entry { pattern: kind.verdict.pattern(), severity: kind.severity, pair: Some(index) }),
            None => {
                let held = self.held.get(index)?;
                Some(Entry { pattern: held.pattern, severity: held.severity, pair: held.pair })
            }
        }
    }

    /// How many findings there are.
    pub fn len(&self) -> usize {
        self.all.findings.len()
    }

    /// Whether nothing was found.
    pub fn is_empty(&self) -> bool {
        self.all.findings.is_empty()
    }

    /// What is known of each finding before it is made, in order of severity, then first frame. Places count from 0 here.
    pub fn entries(&self) -> impl Iterator<Item = Entry> {
        self.all.findings.iter().filter_map(|kept| self.entry(kept))
    }

    /// What is known of the finding at `place` before it is made.
    pub fn entry_at(&self, place: usize) -> Option<Entry> {
        self.all.findings.get(place).and_then(|kept| self.entry(kept))
    }

    /// The finding at `place` as far as it is its own. `None` if it has to be made.
    pub fn brief(&self, place: usize) -> Option<Brief<'_>> {
        let kept = self.all.findings.get(place).filter(|_| !self.losses.matter())?;
        self.all.kinds.get(kept.kind()).filter(|kind| kind.words != NOWHERE)?;
        Some(Brief {
            pair: kept.index as usize,
            attempt: kept.attempt(),
            count: kept.count(),
            first: kept.first(),
            others: self.all.others_of(kept),
            says: kept.kind().into(),
        })
    }

    /// The finding at `place`, made from the facts that were judged.
    pub fn finding<'f>(&self, place: usize, facts: &'f Facts, room: &mut Room<'f>) -> Option<Finding> {
        let kept = self.all.findings.get(place)?;
        let index = usize::try_from(kept.index).ok()?;
        let mut finding = match self.all.kinds.get(kept.kind()) {
            None => self.held.get(index)?.clone(),
            Some(kind) => match self.all.sayings.filled(kind.words, facts.pairs.ends(index)?) {
                Some(words) => self.all.finding(kept, kind, words),
                None => {
                    let what = (kind.verdict, kind.severity, kind.consequence_of);
                    engine::again(&self.survey, index, what, facts, room)?
                }
            },
        };
        losses::allow_for(self.losses, &mut finding);
        Some(finding)
    }

    /// The finding at `place` as it is told of every pair: with [`BLANKS`](super::BLANKS) for the addresses. `None` if it
    /// has to be made.
    pub fn finding_of_many(&self, place: usize) -> Option<Finding> {
        let kept = self.all.findings.get(place).filter(|_| !self.losses.matter())?;
        let kind = self.all.kinds.get(kept.kind())?;
        Some(self.all.finding(kept, kind, self.all.sayings.blank(kind.words)?))
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
        let Piece { pairs, attempts, .. } = &self.all;
        let judged = pairs.get(index)?;
        let start = index.checked_sub(1).and_then(|before| pairs.get(before)).map_or(0, |before| before.end);
        let attempts = attempts.get(start as usize..judged.end as usize)?;
        Some(PairDiagnosis { status: judged.status, verdict: judged.verdict, attempts })
    }

    /// Status and verdicts of all pairs, in the order of [`Facts::pairs`].
    pub fn pairs(&self) -> impl DoubleEndedIterator<Item = PairDiagnosis<'_>> + ExactSizeIterator {
        (0..self.all.pairs.len()).map(|index| self.pair(index).expect("judged above"))
    }
}
