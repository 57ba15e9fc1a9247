//! A finding in a few octets, and what findings have in common that say the same.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::base::FrameRef;
use crate::diagnose::sayings::NOWHERE;
use crate::diagnose::{Confidence, Severity};

use super::verdict::Verdict;

/// Stands for no frame: their numbers begin at 1.
pub(super) const NO_FRAME: u64 = 0;
/// Stands for a frame that cannot be packed.
pub(super) const TOO_FAR: u64 = u64::MAX;
/// Marks the last frame of some; none is as far as that behind the first.
pub(super) const LAST: u32 = 1 << 31;

pub(super) fn packed(frame: FrameRef) -> u64 {
    frame.packed().unwrap_or(TOO_FAR)
}

/// A finding as it is kept: what is its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    /// The first of its evidence, packed: upper and lower half.
    pub(super) first: [u32; 2],
    /// Index of the pair, or into the findings that are held.
    pub(super) index: u32,
    pub(super) kind_and_attempt: Tagged,
    pub(super) others_and_count: Tagged,
}

/// Stands for no attempt.
pub(super) const NO_ATTEMPT: u8 = u8::MAX;

/// A place below [`Tagged::MOST`] or [`NOWHERE`], and a small number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tagged(u32);

impl Tagged {
    const BITS: u32 = 24;
    pub(super) const MOST: u32 = (1 << Self::BITS) - 1;

    pub(super) fn new(place: u32, tag: u8) -> Self {
        Self(place.min(Self::MOST) | u32::from(tag) << Self::BITS)
    }

    pub(super) fn place(self) -> u32 {
        let place = self.0 & Self::MOST;
        if place == Self::MOST { NOWHERE } else { place }
    }

    pub(super) fn tag(self) -> u8 {
        (self.0 >> Self::BITS) as u8
    }
}

/// What findings have in common that say the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Kind {
    /// Where what is said of it stands; [`NOWHERE`] if such a finding has to be made again.
    pub(super) words: u32,
    /// What it is a case of.
    pub(super) verdict: Verdict,
    /// What it follows from.
    pub(super) consequence_of: Option<Verdict>,
    pub(super) severity: Severity,
    pub(super) confidence: Confidence,
}

/// Kinds of findings, each once: no more than some for each thing that is said.
#[derive(Debug, Clone, Default)]
pub(super) struct Kinds {
    hasher: RandomState,
    known: HashTable<u32>,
    pub(super) all: Vec<Kind>,
}

impl Kinds {
    /// Kinds that say something: those that do not are few.
    const MOST: usize = 1 << 23;

    pub(super) fn place(&mut self, mut kind: Kind) -> u32 {
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

    pub(super) fn get(&self, place: u32) -> Option<&Kind> {
        self.all.get(place as usize)
    }

    /// The kind of findings of this kind that have to be made again.
    pub(super) fn unsaid(&mut self, place: u32) -> u32 {
        self.get(place).copied().map_or(place, |kind| self.place(Kind { words: NOWHERE, ..kind }))
    }
}

impl Kept {
    pub(super) fn new(first: u64, index: u32, (kind, attempt): (u32, u8), (others, count): (u32, u8)) -> Self {
        Self {
            first: [(first >> 32) as u32, first as u32],
            index,
            kind_and_attempt: Tagged::new(kind, attempt),
            others_and_count: Tagged::new(others, count),
        }
    }

    pub(super) fn first(&self) -> u64 {
        u64::from(self.first[0]) << 32 | u64::from(self.first[1])
    }

    /// Where stands what it shares with others; [`NOWHERE`] for a finding that is held.
    pub(super) fn kind(&self) -> u32 {
        self.kind_and_attempt.place()
    }

    /// Index of the attempt, if it belongs to one.
    pub(super) fn attempt(&self) -> Option<usize> {
        let attempt = self.kind_and_attempt.tag();
        (attempt != NO_ATTEMPT).then_some(attempt.into())
    }

    /// Where more of its evidence begins, which ends with a [`LAST`]; [`NOWHERE`] if there is no more.
    pub(super) fn others(&self) -> u32 {
        self.others_and_count.place()
    }

    /// How many attempts, or events, show the same.
    pub(super) fn count(&self) -> u64 {
        self.others_and_count.tag().into()
    }
}

/// A first frame and the others, packed.
pub(super) fn all_of(first: u64, others: &[u32]) -> impl Iterator<Item = u64> {
    let other = move |&other: &u32| first.saturating_add(u64::from(other & !LAST));
    std::iter::once(first).chain(others.iter().map(other))
}

/// Puts findings in the order of their first frames, whose lowest `bits` may differ: they are dealt out by the highest octet of
/// these that differs, in place, and then those of each octet among themselves. That takes a few steps for each of them, however
/// many there are.
pub(super) fn sort_by_first(findings: &mut [Kept], bits: u32) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_million_findings_fit_into_20_megabytes() {
        assert!(size_of::<Kept>() <= 20);
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
}
