//! What is said of findings before they are made: matches that say the same make findings of the same kind, and only the first
//! of them has to be made to know which.
//!
//! Not here: how matches become one finding ([`super::engine`]), what kinds there are ([`super::judged`]). Contract: findings of
//! the same gist are of the same kind, whatever their pair, their attempt and their evidence are; what is remembered has a
//! ceiling.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::pattern::Match;
use super::{Severity, Verdict};

/// Gists that are remembered, and octets of them.
const MOST: (usize, usize) = (1 << 12, 1 << 20);

/// All that the kind of a finding depends on, where it names no address and nothing was forgotten.
#[derive(Debug, Clone, Copy)]
pub(super) struct Gist<'m> {
    pub(super) verdict: Verdict,
    pub(super) consequence_of: Option<&'static str>,
    pub(super) severity: Severity,
    /// Attempts that it is about, and how many of them the other side began.
    pub(super) attempts: (u64, u64),
    /// What the first match says.
    pub(super) said: &'m Match,
}

/// A gist that is remembered.
#[derive(Debug)]
struct Known {
    verdict: Verdict,
    consequence_of: Option<&'static str>,
    severity: Severity,
    attempts: (u64, u64),
    /// Without evidence.
    said: Match,
    kind: u32,
}

impl Known {
    fn of(gist: Gist<'_>, kind: u32) -> Self {
        let Gist { verdict, consequence_of, severity, attempts, said } = gist;
        let Match { attempt, confidence, severity: own, frames: _, seen, means, weights, settle, party } = said;
        let said = Match {
            attempt: *attempt,
            confidence: *confidence,
            severity: *own,
            frames: Vec::new(),
            seen: seen.clone(),
            means: means.clone(),
            weights: weights.clone(),
            settle: settle.clone(),
            party: *party,
        };
        Self { verdict, consequence_of, severity, attempts, said, kind }
    }

    fn is(&self, gist: &Gist<'_>) -> bool {
        let (one, other) = (&self.said, gist.said);
        (self.verdict, self.severity, self.attempts) == (gist.verdict, gist.severity, gist.attempts)
            && self.consequence_of == gist.consequence_of
            && one.attempt.is_some() == other.attempt.is_some()
            && one.confidence == other.confidence
            && one.weights == other.weights
            && one.seen == other.seen
            && one.means == other.means
            && one.settle == other.settle
            && one.party == other.party
    }

    fn octets(&self) -> usize {
        let Match { seen, means, weights, settle, .. } = &self.said;
        let settle = settle.as_ref().map_or(0, |settle| settle.len());
        size_of::<Self>() + seen.len() + means.len() + settle + size_of_val(&**weights)
    }
}

/// Kinds of findings, by what they say.
#[derive(Debug, Default)]
pub(super) struct Gists {
    hasher: RandomState,
    known: HashTable<Known>,
    octets: usize,
}

/// What most gists differ in.
fn hash(hasher: &RandomState, verdict: Verdict, said: &Match) -> u64 {
    hasher.hash_one((verdict, said.seen.as_str()))
}

impl Gists {
    /// The kind of findings of this gist, if it is remembered.
    pub(super) fn kind(&self, gist: &Gist<'_>) -> Option<u32> {
        let known = self.known.find(hash(&self.hasher, gist.verdict, gist.said), |known| known.is(gist))?;
        Some(known.kind)
    }

    /// Makes ready to remember a gist whose finding is going to be made.
    pub(super) fn note(&self, gist: Gist<'_>) -> Noted {
        Noted(Known::of(gist, 0))
    }

    /// Remembers of which kind the finding was.
    pub(super) fn learn(&mut self, Noted(known): Noted, kind: u32) {
        let known = Known { kind, ..known };
        self.octets += known.octets();
        if self.known.len() >= MOST.0 || self.octets > MOST.1 {
            self.known.clear();
            self.octets = known.octets();
        }
        let Self { hasher, known: all, .. } = self;
        let rehash = |known: &Known| hash(hasher, known.verdict, &known.said);
        all.insert_unique(rehash(&known), known, rehash);
    }
}

/// A gist whose kind is not known yet.
pub(super) struct Noted(Known);

#[cfg(test)]
mod tests {
    use super::super::Confidence;
    use super::*;

    fn gist(said: &Match) -> Gist<'_> {
        let verdict = Verdict::named("T-NONE").unwrap();
        Gist { verdict, consequence_of: None, severity: Severity::Info, attempts: (1, 0), said }
    }

    #[test]
    fn matches_that_say_the_same_are_of_one_kind() {
        let said = |seen: &str| Match::on(0, Confidence::Inferred).seen(seen);
        let mut gists = Gists::default();
        let (one, again, other, weighed) =
            (said("no packet"), said("no packet"), said("one packet"), said("no packet").weigh("idle", 2.0));
        assert_eq!(gists.kind(&gist(&one)), None);
        gists.learn(gists.note(gist(&one)), 7);
        assert_eq!(gists.kind(&gist(&again)), Some(7));
        assert_eq!(gists.kind(&Gist { attempts: (2, 1), ..gist(&one) }), None);
        assert_eq!([&other, &weighed].map(|said| gists.kind(&gist(said))), [None; 2]);
        for number in 0..MOST.0 {
            let said = said(&number.to_string());
            gists.learn(gists.note(gist(&said)), 8);
        }
        assert!(gists.known.len() <= MOST.0 && gists.kind(&gist(&one)).is_none());
    }
}
