//! What was judged, kept small: a few octets a finding and an attempt. What many findings say is kept once; what there is
//! no room for is made again when it is asked for.
//!
//! Not here: the judging. Contract: the same place gives the same finding, as long as it is asked with the facts that were
//! judged.

use std::cmp::Reverse;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::sync::Arc;

use crate::base::FrameRef;
use crate::track::{Facts, Pair, Room};

use super::alike::Common;
use super::losses::{self, Losses};
use super::pattern::Pattern;
use super::patterns::CATALOGUE;
use super::sayings::{NOWHERE, Sayings};
use super::survey::Survey;
use super::{Confidence, Finding, Outcome, PairStatus, Severity, Words, engine};

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
    /// Of all pairs of [`Facts::pairs`]; the findings in order of severity, then first frame.
    all: Piece,
    /// Findings that are held whole: those that belong to no pair.
    held: Vec<Finding>,
    /// What the checks asked of the capture as a whole.
    survey: Survey,
    /// What the recorder lost.
    losses: Losses,
}

/// What was judged of pairs that follow each other.
#[derive(Debug, Clone, Default)]
pub(super) struct Piece {
    findings: Vec<Kept>,
    /// Evidence of all findings behind the first frame of each, one after the other: how many frames, then the frames.
    frames: Vec<u64>,
    sayings: Sayings,
    pairs: Vec<JudgedPair>,
    /// Of all pairs, one after the other.
    attempts: Vec<AttemptDiagnosis>,
    /// Room to put evidence in order.
    evidence: Vec<u64>,
}

/// Stands for no frame: their numbers begin at 1.
const NO_FRAME: u64 = 0;
/// Stands for a frame that cannot be packed.
const TOO_FAR: u64 = u64::MAX;

fn packed(frame: FrameRef) -> u64 {
    frame.packed().unwrap_or(TOO_FAR)
}

/// A finding as it is kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Index of the pair, or into the findings that are held.
    index: u32,
    /// The first of its evidence, packed.
    first: u64,
    /// Where it stands how much more there is, and behind that the rest; [`NOWHERE`] if there is no more.
    others: u32,
    /// Where what is said of it stands; [`NOWHERE`] if it has to be made again.
    words: u32,
    count: u32,
    /// [`NOWHERE`] if it belongs to none.
    attempt: u32,
    /// What it is a case of; `None` for a finding that is held.
    verdict: Option<Verdict>,
    /// What it follows from.
    consequence_of: Option<Verdict>,
    severity: Severity,
    confidence: Confidence,
}

/// Frames of evidence that are kept.
const FRAMES: usize = 4 << 20;

/// A pair as it is kept.
#[derive(Debug, Clone, Copy)]
struct JudgedPair {
    /// Where its attempts end, in its piece.
    end: u32,
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
    others: &'d [u64],
}

impl Brief<'_> {
    /// Evidence, in order.
    pub fn frames(&self) -> impl Iterator<Item = FrameRef> {
        std::iter::once(self.first).chain(self.others.iter().copied()).map(FrameRef::unpacked)
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

    /// Judges the next pair of [`Facts::pairs`].
    pub fn judge(
        &mut self,
        status: PairStatus,
        verdict: Option<Verdict>,
        attempts: impl IntoIterator<Item = AttemptDiagnosis>,
    ) {
        self.all.judge(status, verdict, attempts);
    }

    /// Adds what was judged of the next pairs. `known`: where words of `piece` stand here, of those that were added before.
    pub(super) fn add(&mut self, piece: &Piece, known: &mut Vec<u32>) {
        self.all.add(piece, known);
    }

    /// Adds a finding behind all others, held whole.
    pub fn hold(&mut self, finding: Finding) {
        let Ok(index) = u32::try_from(self.held.len()) else { return };
        self.all.findings.push(Kept {
            index,
            first: finding.frames.first().map_or(NO_FRAME, |&frame| packed(frame)),
            others: NOWHERE,
            words: NOWHERE,
            count: 0,
            attempt: NOWHERE,
            verdict: None,
            consequence_of: None,
            severity: finding.severity,
            confidence: finding.confidence,
        });
        self.held.push(finding);
    }

    /// Puts the findings in order: severity, first frame, pair, id.
    pub(super) fn sort(&mut self) {
        let Self { all, held, .. } = self;
        let ids = alphabet();
        let of = |kept: &Kept| match kept.verdict {
            Some(verdict) => (Some(kept.index), Some(verdict)),
            None => {
                let held = held.get(kept.index as usize);
                let pair = held.and_then(|held| held.pair).map(|pair| u32::try_from(pair).unwrap_or(NOWHERE));
                (pair, held.and_then(|held| Verdict::named(held.pattern.id)))
            }
        };
        let pair_and_id = |kept: &Kept| {
            let (pair, verdict) = of(kept);
            (pair, verdict.and_then(|verdict| ids.get(verdict.place()).copied()))
        };
        all.findings.sort_unstable_by(|one, other| {
            let [before, after] = [one, other].map(|kept| (Reverse(kept.severity), kept.first));
            // most have a frame of their own
            before.cmp(&after).then_with(|| pair_and_id(one).cmp(&pair_and_id(other)))
        });
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
        let verdict = kept.verdict.filter(|_| (kept.words as usize) < self.all.sayings.len())?;
        let consequence_of = kept.consequence_of.map_or(0, |cause| cause.0.get());
        let [severity, confidence] = [kept.severity as u64, kept.confidence as u64];
        Some(Brief {
            pair: kept.index as usize,
            attempt: (kept.attempt != NOWHERE).then_some(kept.attempt as usize),
            count: kept.count.into(),
            first: kept.first,
            others: self.all.others_of(kept),
            says: u64::from(kept.words) << 32
                | u64::from(verdict.0.get()) << 24
                | u64::from(consequence_of) << 16
                | severity << 8
                | confidence,
        })
    }

    /// The finding at `place`, made from the facts that were judged.
    pub fn finding<'f>(&self, place: usize, facts: &'f Facts, room: &mut Room<'f>) -> Option<Finding> {
        let kept = self.all.findings.get(place)?;
        let index = usize::try_from(kept.index).ok()?;
        let words = || self.all.sayings.filled(kept.words, facts.pairs.ends(index)?);
        let mut finding = match (kept.verdict, words()) {
            (None, _) => self.held.get(index)?.clone(),
            (Some(verdict), Some(words)) => self.all.finding(kept, verdict, words),
            (Some(verdict), None) => {
                let what = (verdict, kept.severity, kept.consequence_of);
                engine::again(&self.survey, index, what, facts, room)?
            }
        };
        losses::allow_for(self.losses, &mut finding);
        Some(finding)
    }

    /// The finding at `place` as it is told of every pair: with [`BLANKS`](super::BLANKS) for the addresses. `None` if it
    /// has to be made.
    pub fn finding_of_many(&self, place: usize) -> Option<Finding> {
        let kept = self.all.findings.get(place).filter(|_| !self.losses.matter())?;
        Some(self.all.finding(kept, kept.verdict?, self.all.sayings.blank(kept.words)?))
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

/// Place of each pattern of the catalogue when they are put in the order of their ids.
fn alphabet() -> Vec<u8> {
    let mut sorted: Vec<usize> = (0..CATALOGUE.len()).collect();
    sorted.sort_unstable_by_key(|&place| CATALOGUE[place].id);
    let mut ranks = vec![0; sorted.len()];
    for (rank, &place) in (0..).zip(&sorted) {
        ranks[place] = rank;
    }
    ranks
}

impl Piece {
    /// Judges the next pair.
    pub(super) fn judge(
        &mut self,
        status: PairStatus,
        verdict: Option<Verdict>,
        attempts: impl IntoIterator<Item = AttemptDiagnosis>,
    ) {
        self.attempts.extend(attempts);
        self.pairs.push(JudgedPair { end: self.attempts.len() as u32, status, verdict });
    }

    /// Adds a finding of a pair of these ends. Answers where its words stand.
    pub(super) fn keep(
        &mut self,
        finding: &Finding,
        ends: (IpAddr, IpAddr),
        verdict: Verdict,
        consequence_of: Option<Verdict>,
    ) -> u32 {
        let words = self.sayings.place(&finding.words, ends);
        let Some(index) = finding.pair.and_then(|pair| u32::try_from(pair).ok()) else { return words };
        let kept = Kept {
            index,
            first: NO_FRAME,
            others: NOWHERE,
            words,
            count: u32::try_from(finding.count).unwrap_or(u32::MAX),
            attempt: finding.attempt.and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(NOWHERE),
            verdict: Some(verdict),
            consequence_of,
            severity: finding.severity,
            confidence: finding.confidence,
        };
        self.push(kept, finding.frames.iter().copied().map(packed));
        words
    }

    /// Adds a finding that `pair`, number `index`, has in common with others.
    pub(super) fn keep_common(&mut self, common: &Common, check: Verdict, index: usize, pair: &Pair) {
        let Ok(index) = u32::try_from(index) else { return };
        let mut evidence = std::mem::take(&mut self.evidence);
        evidence.clear();
        evidence.extend(common.frames(pair).map(packed));
        evidence.sort_unstable();
        evidence.dedup();
        if !evidence.is_empty() {
            let kept = Kept {
                index,
                first: NO_FRAME,
                others: NOWHERE,
                words: common.words,
                count: u32::try_from(common.count).unwrap_or(u32::MAX),
                attempt: common.attempt.and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(NOWHERE),
                verdict: Some(check),
                consequence_of: None,
                severity: common.severity,
                confidence: common.confidence,
            };
            self.push(kept, evidence.iter().copied());
        }
        self.evidence = evidence;
    }

    /// Adds a finding with this evidence; without more of it than the first frame if there is no room for that or for the
    /// words.
    fn push(&mut self, mut kept: Kept, mut evidence: impl Iterator<Item = u64>) {
        kept.first = evidence.next().unwrap_or(NO_FRAME);
        let from = self.frames.len();
        self.frames.push(0);
        self.frames.extend(evidence);
        let fits = self.frames.len() <= FRAMES && !self.frames[from..].contains(&TOO_FAR) && kept.first != TOO_FAR;
        if !fits {
            kept.words = NOWHERE;
        }
        let others = self.frames.len().saturating_sub(from + 1);
        if kept.words == NOWHERE || others == 0 {
            self.frames.truncate(from);
        } else {
            self.frames[from] = others as u64;
            kept.others = from as u32;
        }
        self.findings.push(kept);
    }

    fn others_of(&self, kept: &Kept) -> &[u64] {
        let behind = self.frames.get(kept.others as usize..).unwrap_or_default();
        behind.split_first().and_then(|(&count, rest)| rest.get(..count as usize)).unwrap_or_default()
    }

    fn finding(&self, kept: &Kept, verdict: Verdict, words: Arc<Words>) -> Finding {
        Finding {
            pattern: verdict.pattern(),
            severity: kept.severity,
            confidence: kept.confidence,
            pair: Some(kept.index as usize),
            attempt: (kept.attempt != NOWHERE).then_some(kept.attempt as usize),
            frames: self.frames_of(kept).map(FrameRef::unpacked).collect(),
            count: kept.count.into(),
            words,
            consequence_of: kept.consequence_of.map(Verdict::id),
        }
    }

    fn frames_of(&self, kept: &Kept) -> impl Iterator<Item = u64> {
        std::iter::once(kept.first).chain(self.others_of(kept).iter().copied())
    }

    /// Adds a piece behind.
    fn add(&mut self, piece: &Piece, known: &mut Vec<u32>) {
        let before = self.attempts.len() as u32;
        self.attempts.extend_from_slice(&piece.attempts);
        self.pairs.extend(piece.pairs.iter().map(|pair| JudgedPair { end: before + pair.end, ..*pair }));
        known.resize(piece.sayings.len(), NOWHERE);
        for kept in &piece.findings {
            let mut kept = *kept;
            if let Some(place) = known.get_mut(kept.words as usize) {
                if *place == NOWHERE {
                    *place = self.sayings.take(&piece.sayings, kept.words);
                }
                kept.words = *place;
            }
            self.push(kept, piece.frames_of(&kept));
        }
    }

    /// Ready for the next pairs. What is said of findings is still known.
    pub(super) fn clear(&mut self) {
        self.findings.clear();
        self.frames.clear();
        self.pairs.clear();
        self.attempts.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_findings_fit_into_32_megabytes() {
        assert!(size_of::<Kept>() <= 32);
        assert!(size_of::<AttemptDiagnosis>() <= 2);
        assert!(size_of::<JudgedPair>() <= 8);
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
