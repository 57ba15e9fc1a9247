//! What was judged, kept small: a few octets a finding and an attempt. What many findings say is kept once; what there is
//! no room for is made again when it is asked for.
//!
//! Not here: the judging. Contract: the same place gives the same finding, as long as it is asked with the facts that were
//! judged.

use std::hash::BuildHasher;
use std::num::NonZeroU8;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::base::FrameRef;
use crate::track::{Facts, Pair, Room};

use super::alike::Common;
use super::losses::{self, Losses};
use super::pattern::Pattern;
use super::patterns::CATALOGUE;
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
    /// Evidence of all findings behind the first frame of each, one after the other.
    frames: Vec<Packed>,
    sayings: Sayings,
    pairs: Vec<JudgedPair>,
    /// Of all pairs, one after the other.
    attempts: Vec<AttemptDiagnosis>,
}

/// Stands for no frame: their numbers begin at 1.
const NO_FRAME: FrameRef = FrameRef::new(0, 0);
/// Stands for no place.
const NOWHERE: u32 = u32::MAX;

/// A finding as it is kept.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// Index of the pair, or into the findings that are held.
    index: u32,
    /// The first of its evidence; where the rest of it stands, and how much that is.
    first: Packed,
    frames: u32,
    frame_count: u32,
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

/// What is said of findings, each once.
#[derive(Debug, Clone, Default)]
struct Sayings {
    hasher: RandomState,
    known: HashTable<u32>,
    all: Vec<Arc<Words>>,
    octets: usize,
}

impl Sayings {
    /// What is said at most, and octets of it.
    const MOST: usize = 1 << 16;
    const OCTETS: usize = 8 << 20;

    /// Where these words stand; [`NOWHERE`] if there is no room for them.
    fn place(&mut self, words: &Arc<Words>) -> u32 {
        let Self { hasher, known, all, octets } = self;
        let hash = hasher.hash_one(words);
        if let Some(&place) = known.find(hash, |&place| all[place as usize] == *words) {
            return place;
        }
        *octets += words.seen.len() + words.means.len() + size_of_val(&*words.causes) + size_of::<Words>();
        if all.len() >= Self::MOST || *octets > Self::OCTETS {
            return NOWHERE;
        }
        let place = all.len() as u32;
        all.push(Arc::clone(words));
        known.insert_unique(hash, place, |&place| hasher.hash_one(&all[place as usize]));
        place
    }
}

/// A frame in few octets.
type Packed = [u32; 3];

fn pack(frame: FrameRef) -> Packed {
    [frame.capture, (frame.frame >> 32) as u32, frame.frame as u32]
}

fn unpack([capture, high, low]: Packed) -> FrameRef {
    FrameRef::new(capture, u64::from(high) << 32 | u64::from(low))
}

/// Frames of evidence that are kept.
const FRAMES: usize = 4 << 20;

/// A pair as it is kept.
#[derive(Debug, Clone, Copy)]
struct JudgedPair {
    /// Where its attempts end, in its piece.
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
    first: Packed,
    others: &'d [Packed],
}

impl Brief<'_> {
    /// Evidence, in order.
    pub fn frames(&self) -> impl Iterator<Item = FrameRef> {
        std::iter::once(self.first).chain(self.others.iter().copied()).map(unpack)
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
            first: pack(finding.frames.first().copied().unwrap_or(NO_FRAME)),
            frames: 0,
            frame_count: 0,
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
        all.findings.sort_unstable_by_key(|kept| {
            let (pair, verdict) = match kept.verdict {
                Some(verdict) => (Some(kept.index), Some(verdict)),
                None => {
                    let held = held.get(kept.index as usize);
                    let pair = held.and_then(|held| held.pair).map(|pair| u32::try_from(pair).unwrap_or(NOWHERE));
                    (pair, held.and_then(|held| Verdict::named(held.pattern.id)))
                }
            };
            let id = verdict.and_then(|verdict| ids.get(verdict.place()).copied());
            (std::cmp::Reverse(kept.severity), kept.first, pair, id)
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
        let verdict = kept.verdict.filter(|_| (kept.words as usize) < self.all.sayings.all.len())?;
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
        let mut finding = match (kept.verdict, self.all.sayings.all.get(kept.words as usize)) {
            (None, _) => self.held.get(index)?.clone(),
            (Some(verdict), Some(words)) => Finding {
                pattern: verdict.pattern(),
                severity: kept.severity,
                confidence: kept.confidence,
                pair: Some(index),
                attempt: (kept.attempt != NOWHERE).then_some(kept.attempt as usize),
                frames: self.all.frames_of(kept).map(unpack).collect(),
                count: kept.count.into(),
                words: Arc::clone(words),
                consequence_of: kept.consequence_of.map(Verdict::id),
            },
            (Some(verdict), None) => {
                let what = (verdict, kept.severity, kept.consequence_of);
                engine::again(&self.survey, index, what, facts, room)?
            }
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
        let Piece { pairs, attempts, .. } = &self.all;
        let judged = pairs.get(index)?;
        let start = index.checked_sub(1).and_then(|before| pairs.get(before)).map_or(0, |before| before.end);
        let attempts = attempts.get(start..judged.end)?;
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
        self.pairs.push(JudgedPair { end: self.attempts.len(), status, verdict });
    }

    /// Adds a finding of a pair. Answers where its words stand.
    pub(super) fn keep(&mut self, finding: &Finding, verdict: Verdict, consequence_of: Option<Verdict>) -> u32 {
        let words = self.sayings.place(&finding.words);
        let Some(index) = finding.pair.and_then(|pair| u32::try_from(pair).ok()) else { return words };
        let kept = Kept {
            index,
            first: pack(finding.frames.first().copied().unwrap_or(NO_FRAME)),
            frames: 0,
            frame_count: 0,
            words,
            count: u32::try_from(finding.count).unwrap_or(u32::MAX),
            attempt: finding.attempt.and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(NOWHERE),
            verdict: Some(verdict),
            consequence_of,
            severity: finding.severity,
            confidence: finding.confidence,
        };
        let from = self.frames.len();
        self.frames.extend(finding.frames.iter().skip(1).copied().map(pack));
        self.push(kept, from);
        words
    }

    /// Adds a finding that `pair`, number `index`, has in common with others.
    pub(super) fn keep_common(&mut self, common: &Common, check: Verdict, index: usize, pair: &Pair) {
        let Ok(index) = u32::try_from(index) else { return };
        let mut evidence: Vec<Packed> = common.frames(pair).map(pack).collect();
        evidence.sort_unstable();
        evidence.dedup();
        let Some((&first, others)) = evidence.split_first() else { return };
        let kept = Kept {
            index,
            first,
            frames: 0,
            frame_count: 0,
            words: common.words,
            count: u32::try_from(common.count).unwrap_or(u32::MAX),
            attempt: common.attempt.and_then(|attempt| u32::try_from(attempt).ok()).unwrap_or(NOWHERE),
            verdict: Some(check),
            consequence_of: None,
            severity: common.severity,
            confidence: common.confidence,
        };
        let from = self.frames.len();
        self.frames.extend_from_slice(others);
        self.push(kept, from);
    }

    /// Adds a finding whose evidence behind the first frame stands behind all other from place `from` on; without it if there
    /// is no room for it or for the words.
    fn push(&mut self, mut kept: Kept, from: usize) {
        if self.frames.len() > FRAMES || kept.words == NOWHERE {
            kept.words = NOWHERE;
            self.frames.truncate(from);
        }
        kept.frames = u32::try_from(from).unwrap_or(NOWHERE);
        kept.frame_count = u32::try_from(self.frames.len().saturating_sub(from)).unwrap_or(u32::MAX);
        self.findings.push(kept);
    }

    fn others_of(&self, kept: &Kept) -> &[Packed] {
        let from = kept.frames as usize;
        self.frames.get(from..from.saturating_add(kept.frame_count as usize)).unwrap_or_default()
    }

    fn frames_of(&self, kept: &Kept) -> impl Iterator<Item = Packed> {
        std::iter::once(kept.first).chain(self.others_of(kept).iter().copied())
    }

    /// Adds a piece behind.
    fn add(&mut self, piece: &Piece, known: &mut Vec<u32>) {
        let before = self.attempts.len();
        self.attempts.extend_from_slice(&piece.attempts);
        self.pairs.extend(piece.pairs.iter().map(|pair| JudgedPair { end: before + pair.end, ..*pair }));
        known.resize(piece.sayings.all.len(), NOWHERE);
        self.findings.reserve(piece.findings.len());
        for kept in &piece.findings {
            let mut kept = *kept;
            if let (Some(place), Some(words)) =
                (known.get_mut(kept.words as usize), piece.sayings.all.get(kept.words as usize))
            {
                if *place == NOWHERE {
                    *place = self.sayings.place(words);
                }
                kept.words = *place;
            }
            let from = self.frames.len();
            self.frames.extend_from_slice(piece.others_of(&kept));
            self.push(kept, from);
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
    fn a_million_findings_fit_into_40_megabytes() {
        assert!(size_of::<Kept>() <= 40);
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
