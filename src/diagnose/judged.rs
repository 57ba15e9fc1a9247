//! What was judged, kept small: a few octets a finding and an attempt. What many findings share is kept once; what there is
//! no room for is made again when it is asked for.
//!
//! Not here: the judging. Contract: the same place gives the same finding, as long as it is asked with the facts that were
//! judged.

use std::cmp::Reverse;
use std::hash::BuildHasher;
use std::net::IpAddr;
use std::num::NonZeroU8;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::base::FrameRef;
use crate::track::{Facts, Room};

use super::alike::Common;
use super::case::Case;
use super::engine::Folded;
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
    /// Evidence of all findings behind the first frame of each, one after the other, as how far behind the first it is, each
    /// with a [`LAST`] at its end.
    frames: Vec<u32>,
    sayings: Sayings,
    kinds: Kinds,
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
/// Marks the last frame of some; none is as far as that behind the first.
const LAST: u32 = 1 << 31;

fn packed(frame: FrameRef) -> u64 {
    frame.packed().unwrap_or(TOO_FAR)
}

/// A finding as it is kept: what is its own.
#[derive(Debug, Clone, Copy)]
struct Kept {
    /// The first of its evidence, packed: upper and lower half.
    first: [u32; 2],
    /// Index of the pair, or into the findings that are held.
    index: u32,
    kind_and_attempt: Tagged,
    others_and_count: Tagged,
}

/// Stands for no attempt.
const NO_ATTEMPT: u8 = u8::MAX;

/// A place below [`Tagged::MOST`] or [`NOWHERE`], and a small number.
#[derive(Debug, Clone, Copy)]
struct Tagged(u32);

impl Tagged {
    const BITS: u32 = 24;
    const MOST: u32 = (1 << Self::BITS) - 1;

    fn new(place: u32, tag: u8) -> Self {
        Self(place.min(Self::MOST) | u32::from(tag) << Self::BITS)
    }

    fn place(self) -> u32 {
        let place = self.0 & Self::MOST;
        if place == Self::MOST { NOWHERE } else { place }
    }

    fn tag(self) -> u8 {
        (self.0 >> Self::BITS) as u8
    }
}

/// What findings have in common that say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Kind {
    /// Where what is said of it stands; [`NOWHERE`] if such a finding has to be made again.
    words: u32,
    /// What it is a case of.
    verdict: Verdict,
    /// What it follows from.
    consequence_of: Option<Verdict>,
    severity: Severity,
    confidence: Confidence,
}

/// Kinds of findings, each once: no more than some for each thing that is said.
#[derive(Debug, Clone, Default)]
struct Kinds {
    hasher: RandomState,
    known: HashTable<u32>,
    all: Vec<Kind>,
}

impl Kinds {
    /// Kinds that say something: those that do not are few.
    const MOST: usize = 1 << 23;

    fn place(&mut self, mut kind: Kind) -> u32 {
        if self.all.len() >= Self::MOST {
            kind.words = NOWHERE;
        }
        let Self { hasher, known, all } = self;
        let same = |&place: &u32| all[place as usize] == kind;
        let entry = known.entry(hasher.hash_one(kind), same, |&place| hasher.hash_one(all[place as usize]));
        let place = *entry.or_insert(all.len() as u32).get();
        if place as usize == all.len() {
            all.push(kind);
        }
        place
    }

    fn get(&self, place: u32) -> Option<&Kind> {
        self.all.get(place as usize)
    }

    /// The kind of findings of this kind that have to be made again.
    fn unsaid(&mut self, place: u32) -> u32 {
        self.get(place).copied().map_or(place, |kind| self.place(Kind { words: NOWHERE, ..kind }))
    }
}

/// Frames of evidence that are kept.
const FRAMES: usize = 4 << 20;
const _: () = assert!(FRAMES < Tagged::MOST as usize);

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
    others: &'d [u32],
}

/// A first frame and the others, packed.
fn all_of(first: u64, others: &[u32]) -> impl Iterator<Item = u64> {
    let other = move |&other: &u32| first.saturating_add(u64::from(other & !LAST));
    std::iter::once(first).chain(others.iter().map(other))
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

/// Puts findings in the order of their first frames, whose lowest `bits` may differ: they are dealt out by the highest octet of
/// these that differs, in place, and then those of each octet among themselves. That takes a few steps for each of them, however
/// many there are.
fn sort_by_first(findings: &mut [Kept], bits: u32) {
    /// So few are put in order as quickly by comparing them.
    const FEW: usize = 64;
    let Some((one, others)) = findings.split_first() else { return };
    let differ = others.iter().fold(0, |differ, kept| differ | (kept.first() ^ one.first()));
    let bits = bits.min(u64::BITS - differ.leading_zeros());
    if findings.len() <= FEW || bits == 0 {
        return findings.sort_unstable_by_key(Kept::first);
    }
    let shift = bits.saturating_sub(8);
    let octet = |kept: &Kept| (kept.first() >> shift & 0xff) as usize;
    // where the next one of each octet belongs, and where the last one ends
    let (mut next, mut ends) = ([0; 256], [0; 256]);
    findings.iter().for_each(|kept| ends[octet(kept)] += 1);
    let mut before = 0;
    for (next, end) in next.iter_mut().zip(&mut ends) {
        *next = before;
        *end += before;
        before = *end;
    }
    for own in 0..ends.len() {
        while next[own] < ends[own] {
            let at = next[own];
            let of = octet(&findings[at]);
            findings.swap(at, next[of]);
            next[of] += 1;
        }
    }
    let mut rest = findings;
    let mut from = 0;
    for end in ends {
        let (together, behind) = rest.split_at_mut(end - from);
        (rest, from) = (behind, end);
        sort_by_first(together, shift);
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

impl Kept {
    fn new(first: u64, index: u32, (kind, attempt): (u32, u8), (others, count): (u32, u8)) -> Self {
        Self {
            first: [(first >> 32) as u32, first as u32],
            index,
            kind_and_attempt: Tagged::new(kind, attempt),
            others_and_count: Tagged::new(others, count),
        }
    }

    fn first(&self) -> u64 {
        u64::from(self.first[0]) << 32 | u64::from(self.first[1])
    }

    /// Where stands what it shares with others; [`NOWHERE`] for a finding that is held.
    fn kind(&self) -> u32 {
        self.kind_and_attempt.place()
    }

    /// Index of the attempt, if it belongs to one.
    fn attempt(&self) -> Option<usize> {
        let attempt = self.kind_and_attempt.tag();
        (attempt != NO_ATTEMPT).then_some(attempt.into())
    }

    /// Where more of its evidence begins, which ends with a [`LAST`]; [`NOWHERE`] if there is no more.
    fn others(&self) -> u32 {
        self.others_and_count.place()
    }

    /// How many attempts, or events, show the same.
    fn count(&self) -> u64 {
        self.others_and_count.tag().into()
    }
}

impl Piece {
    /// Judges the attempts of the next pair. Answers what was judged.
    pub(super) fn judge_attempts(
        &mut self,
        attempts: impl IntoIterator<Item = AttemptDiagnosis>,
    ) -> &[AttemptDiagnosis] {
        let from = self.attempts.len();
        self.attempts.extend(attempts);
        self.attempts.get(from..).unwrap_or_default()
    }

    /// Judges the pair whose attempts were judged last.
    pub(super) fn judge_pair(&mut self, status: PairStatus, verdict: Option<Verdict>) {
        self.pairs.push(JudgedPair { end: self.attempts.len() as u32, status, verdict });
    }

    /// Adds a finding of a pair of these ends. Answers of which kind it is.
    pub(super) fn keep(
        &mut self,
        finding: &Finding,
        ends: (IpAddr, IpAddr),
        verdict: Verdict,
        consequence_of: Option<Verdict>,
    ) -> u32 {
        let words = self.sayings.place(&finding.words, ends);
        let Finding { severity, confidence, .. } = *finding;
        let kind = self.kinds.place(Kind { words, verdict, consequence_of, severity, confidence });
        if let Some(index) = finding.pair.and_then(|pair| u32::try_from(pair).ok()) {
            self.push(index, kind, (finding.attempt, finding.count), finding.frames.iter().copied().map(packed));
        }
        kind
    }

    /// Adds a finding of pair `index`, of a kind that is known.
    pub(super) fn keep_known(&mut self, folded: &Folded, index: usize, kind: u32) {
        if let Ok(index) = u32::try_from(index) {
            self.push(index, kind, folded.attempt_and_count(), folded.frames().iter().copied().map(packed));
        }
    }

    /// Whether findings of this kind name addresses of their pairs. `None` if they have to be made again.
    pub(super) fn names_ends(&self, kind: u32) -> Option<bool> {
        self.kinds.get(kind).and_then(|kind| self.sayings.has_blanks(kind.words))
    }

    /// Adds a finding that the pair of `case` has in common with others.
    pub(super) fn keep_common(&mut self, common: &Common, case: &Case<'_>) {
        let Ok(index) = u32::try_from(case.index) else { return };
        let mut evidence = std::mem::take(&mut self.evidence);
        evidence.clear();
        evidence.extend(common.frames(case.pair).map(packed));
        evidence.sort_unstable();
        evidence.dedup();
        if !evidence.is_empty() {
            self.push(index, common.kind, (common.attempt, common.count), evidence.iter().copied());
        }
        self.evidence = evidence;
    }

    /// Adds a finding of pair `index`, on this attempt, this often, with this evidence. What there is no room for has to be made
    /// again.
    fn push(
        &mut self,
        index: u32,
        kind: u32,
        (attempt, count): (Option<usize>, u64),
        mut evidence: impl Iterator<Item = u64>,
    ) {
        let first = evidence.next().unwrap_or(NO_FRAME);
        let from = self.frames.len();
        let mut near = first != TOO_FAR;
        self.frames.extend(evidence.map(|frame| {
            let behind = frame.checked_sub(first).filter(|&behind| behind < u64::from(LAST));
            near &= behind.is_some();
            behind.unwrap_or_default() as u32
        }));
        let attempt = attempt
            .map_or(Some(NO_ATTEMPT), |attempt| u8::try_from(attempt).ok().filter(|&attempt| attempt != NO_ATTEMPT));
        let count = u8::try_from(count).ok();
        let fits = near && self.frames.len() <= FRAMES && attempt.is_some() && count.is_some();
        let kind = if fits { kind } else { self.kinds.unsaid(kind) };
        let mut others = NOWHERE;
        if self.kinds.get(kind).is_none_or(|kind| kind.words == NOWHERE) {
            self.frames.truncate(from);
        } else if let Some(last) = self.frames[from..].last_mut() {
            *last |= LAST;
            others = from as u32;
        }
        let (attempt, count) = (attempt.unwrap_or(NO_ATTEMPT), count.unwrap_or(0));
        self.findings.push(Kept::new(first, index, (kind, attempt), (others, count)));
    }

    fn others_of(&self, kept: &Kept) -> &[u32] {
        let behind = self.frames.get(kept.others() as usize..).unwrap_or_default();
        let last = behind.iter().position(|frame| frame & LAST != 0);
        last.and_then(|last| behind.get(..=last)).unwrap_or_default()
    }

    fn frames_of(&self, kept: &Kept) -> impl Iterator<Item = FrameRef> {
        all_of(kept.first(), self.others_of(kept)).map(FrameRef::unpacked)
    }

    fn finding(&self, kept: &Kept, kind: &Kind, words: Arc<Words>) -> Finding {
        Finding {
            pattern: kind.verdict.pattern(),
            severity: kind.severity,
            confidence: kind.confidence,
            pair: Some(kept.index as usize),
            attempt: kept.attempt(),
            frames: self.frames_of(kept).collect(),
            count: kept.count(),
            words,
            consequence_of: kind.consequence_of.map(Verdict::id),
        }
    }

    /// Adds a piece behind.
    fn add(&mut self, piece: &Piece, known: &mut Vec<u32>) {
        let before = self.attempts.len() as u32;
        self.attempts.extend_from_slice(&piece.attempts);
        self.pairs.extend(piece.pairs.iter().map(|pair| JudgedPair { end: before + pair.end, ..*pair }));
        known.resize(piece.kinds.all.len(), NOWHERE);
        for kept in &piece.findings {
            let (Some(kind), Some(place)) = (piece.kinds.get(kept.kind()), known.get_mut(kept.kind() as usize)) else {
                continue;
            };
            if *place == NOWHERE {
                let words = self.sayings.take(&piece.sayings, kind.words);
                *place = self.kinds.place(Kind { words, ..*kind });
            }
            let evidence = all_of(kept.first(), piece.others_of(kept));
            self.push(kept.index, *place, (kept.attempt(), kept.count()), evidence);
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
    fn a_million_findings_fit_into_20_megabytes() {
        assert!(size_of::<Kept>() <= 20);
        assert!(size_of::<AttemptDiagnosis>() <= 2);
        assert!(size_of::<JudgedPair>() <= 8);
    }

    #[test]
    fn findings_are_in_order_of_their_first_frames() {
        let mut state = 7_u64;
        let mut random = |bits: u32| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state ^ state >> 29) >> (u64::BITS - bits)
        };
        for bits in [1, 7, 8, 9, 20, 33, 64] {
            let mut findings: Vec<Kept> =
                (0..3000).map(|index| Kept::new(random(bits), index, (0, 0), (0, 0))).collect();
            let mut firsts: Vec<u64> = findings.iter().map(Kept::first).collect();
            firsts.sort_unstable();
            sort_by_first(&mut findings, u64::BITS);
            assert!(findings.iter().map(Kept::first).eq(firsts), "{bits}");
            let mut all: Vec<u32> = findings.iter().map(|kept| kept.index).collect();
            all.sort_unstable();
            assert!(all.into_iter().eq(0..3000));
        }
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
