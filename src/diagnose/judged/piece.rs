//! What was judged of pairs that follow each other.

use std::net::IpAddr;
use std::sync::Arc;

use crate::base::FrameRef;
use crate::diagnose::alike::Common;
use crate::diagnose::case::Case;
use crate::diagnose::engine::Folded;
use crate::diagnose::sayings::{NOWHERE, Sayings};
use crate::diagnose::{Finding, PairStatus, Words};

use super::AttemptDiagnosis;
use super::kept::{Kept, Kind, Kinds, LAST, NO_ATTEMPT, NO_FRAME, TOO_FAR, Tagged, all_of, packed};
use super::verdict::Verdict;

/// What was judged of pairs that follow each other.
#[derive(Debug, Clone, Default)]
pub(in crate::diagnose) struct Piece {
    pub(super) findings: Vec<Kept>,
    /// Evidence of all findings behind the first frame of each, one after the other, as how far behind the first it is, each
    /// with a [`LAST`] at its end.
    pub(super) frames: Vec<u32>,
    pub(super) sayings: Sayings,
    pub(super) kinds: Kinds,
    pub(super) pairs: Vec<JudgedPair>,
    /// Of all pairs, one after the other.
    pub(super) attempts: Vec<AttemptDiagnosis>,
    /// Room to put evidence in order.
    pub(super) evidence: Vec<u64>,
}

/// Frames of evidence that are kept.
const FRAMES: usize = 4 << 20;
const _: () = assert!(FRAMES < Tagged::MOST as usize);

/// A pair as it is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct JudgedPair {
    /// Where its attempts end, in its piece.
    pub(super) end: u32,
    pub(super) status: PairStatus,
    pub(super) verdict: Option<Verdict>,
}

impl Piece {
    /// Judges the attempts of the next pair. Answers what was judged.
    pub(in crate::diagnose) fn judge_attempts(
        &mut self,
        attempts: impl IntoIterator<Item = AttemptDiagnosis>,
    ) -> &[AttemptDiagnosis] {
        let from = self.attempts.len();
        self.attempts.extend(attempts);
        self.attempts.get(from..).unwrap_or_default()
    }

    /// Judges the pair whose attempts were judged last.
    pub(in crate::diagnose) fn judge_pair(&mut self, status: PairStatus, verdict: Option<Verdict>) {
        self.pairs.push(JudgedPair { end: self.attempts.len() as u32, status, verdict });
    }

    /// Adds a finding of a pair of these ends. Answers of which kind it is.
    pub(in crate::diagnose) fn keep(
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
    pub(in crate::diagnose) fn keep_known(&mut self, folded: &Folded, index: usize, kind: u32) {
        if let Ok(index) = u32::try_from(index) {
            self.push(index, kind, folded.attempt_and_count(), folded.frames().iter().copied().map(packed));
        }
    }

    /// Whether findings of this kind name addresses of their pairs. `None` if they have to be made again.
    pub(in crate::diagnose) fn names_ends(&self, kind: u32) -> Option<bool> {
        self.kinds.get(kind).and_then(|kind| self.sayings.has_blanks(kind.words))
    }

    /// Adds a finding that the pair of `case` has in common with others.
    pub(in crate::diagnose) fn keep_common(&mut self, common: &Common, case: &Case<'_>) {
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
    pub(super) fn push(
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

    pub(super) fn others_of(&self, kept: &Kept) -> &[u32] {
        let behind = self.frames.get(kept.others() as usize..).unwrap_or_default();
        let last = behind.iter().position(|frame| frame & LAST != 0);
        last.and_then(|last| behind.get(..=last)).unwrap_or_default()
    }

    fn frames_of(&self, kept: &Kept) -> impl Iterator<Item = FrameRef> {
        all_of(kept.first(), self.others_of(kept)).map(FrameRef::unpacked)
    }

    pub(super) fn finding(&self, kept: &Kept, kind: &Kind, words: Arc<Words>) -> Finding {
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
    pub(super) fn add(&mut self, piece: &Piece, known: &mut Vec<u32>) {
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
    pub(in crate::diagnose) fn clear(&mut self) {
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
    fn a_million_pairs_and_attempts_fit_into_10_megabytes() {
        assert!(size_of::<AttemptDiagnosis>() <= 2);
        assert!(size_of::<JudgedPair>() <= 8);
    }
}
