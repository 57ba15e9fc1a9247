//! What pairs have in common whose attempts went alike: the advice that follows from how they went and from nothing else is
//! found on one of them, and holds for all. What is left for each of them is known, too.
//!
//! Not here: which checks ask for nothing else; each says so itself ([`by_story`]). Contract: as if the checks had run on
//! each pair; what is remembered has a ceiling.
//!
//! [`by_story`]: super::pattern::Pattern::by_story

use std::hash::{BuildHasher as _, Hasher as _};
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use crate::base::FrameRef;
use crate::track::{MadeFrom, Pair};

use super::signs::Signs;
use super::{Finding, Verdict};

/// Lists of stories that are remembered.
const MOST: usize = 1024;
/// Attempts of a pair of which it is.
const ATTEMPTS: usize = 16;

/// What is remembered, by the stories of a pair's attempts.
#[derive(Debug, Default)]
pub(super) struct Alike {
    hasher: RandomState,
    known: HashTable<Advice>,
}

/// What all pairs are told that have these stories.
#[derive(Debug)]
pub(super) struct Advice {
    stories: Box<[MadeFrom]>,
    /// By check. `None` if it says something else of each pair.
    checks: Vec<(Verdict, Option<Vec<Common>>)>,
    settled: Option<Settled>,
}

/// What is left to do for pairs with these stories and signs, once all that they have in common is known.
#[derive(Debug)]
pub(super) struct Settled {
    signs: Signs,
    /// What all of them are told.
    pub(super) common: Vec<Common>,
    /// Checks that have to run on each, in the order of the catalogue.
    pub(super) checks: Vec<Verdict>,
}

/// A finding, but for its pair and its frames.
#[derive(Debug, Clone)]
pub(super) struct Common {
    /// Of which kind it is, by its place in the piece.
    pub(super) kind: u32,
    pub(super) attempt: Option<usize>,
    pub(super) count: u64,
    evidence: Box<[Place]>,
}

/// Where a message stands in its pair: attempt, exchange and message.
type Place = (usize, usize, usize);

impl Alike {
    /// What pairs of these stories are told. `None` if it is not to be remembered.
    pub(super) fn advice(&mut self, stories: &[MadeFrom]) -> Option<&mut Advice> {
        if stories.len() > ATTEMPTS || stories.iter().any(Option::is_none) {
            return None;
        }
        let Self { hasher, known } = self;
        let hash_of = |stories: &[MadeFrom]| {
            let mut hasher = hasher.build_hasher();
            for story in stories.iter().flatten() {
                hasher.write_usize(Arc::as_ptr(story).addr());
            }
            hasher.finish()
        };
        let hash = hash_of(stories);
        let same = |advice: &Advice| {
            let mut pairs = advice.stories.iter().flatten().zip(stories.iter().flatten());
            advice.stories.len() == stories.len() && pairs.all(|(one, other)| Arc::ptr_eq(one, other))
        };
        if known.len() >= MOST && known.find(hash, same).is_none() {
            known.clear();
        }
        let entry = known.entry(hash, same, |advice| hash_of(&advice.stories));
        Some(entry.or_insert_with(|| Advice { stories: stories.into(), checks: Vec::new(), settled: None }).into_mut())
    }
}

impl Advice {
    /// What `check` is known to find; `None` if it has to run, and whether it ran before.
    pub(super) fn of(&self, check: Verdict) -> (Option<&[Common]>, bool) {
        let known = self.checks.iter().find(|(known, _)| *known == check);
        (known.and_then(|(_, common)| common.as_deref()), known.is_some())
    }

    /// What is left to do for a pair with these signs, which call for these checks. `None` if some of them have to run once
    /// to know.
    pub(super) fn settled(&mut self, signs: Signs, called: &[Verdict]) -> Option<&Settled> {
        if self.settled.as_ref().is_none_or(|settled| settled.signs != signs) {
            self.settled = self.settle(signs, called);
        }
        self.settled.as_ref()
    }

    fn settle(&self, signs: Signs, called: &[Verdict]) -> Option<Settled> {
        let mut settled = Settled { signs, common: Vec::new(), checks: Vec::new() };
        for &check in called {
            match self.of(check) {
                _ if !check.pattern().by_story => settled.checks.push(check),
                (Some(common), _) => settled.common.extend_from_slice(common),
                (None, true) => settled.checks.push(check),
                (None, false) => return None,
            }
        }
        Some(settled)
    }

    /// Remembers what `check` found on `pair`, if it can be told of any other: no more than advice (`mild`), without
    /// addresses in its words, its frames each those of one message.
    pub(super) fn learn(&mut self, check: Verdict, pair: &Pair, found: &[(Finding, u32)], mild: bool) {
        let common = |(finding, kind): &(Finding, u32)| {
            let evidence: Option<Box<[Place]>> = finding.frames.iter().map(|&frame| place(pair, frame)).collect();
            Some(Common {
                kind: *kind,
                attempt: finding.attempt,
                count: finding.count,
                evidence: evidence.filter(|_| !names_an_address(finding, pair))?,
            })
        };
        let all = if mild { found.iter().map(common).collect() } else { None };
        self.checks.push((check, all));
    }
}

impl Common {
    /// Its frames, of another pair.
    pub(super) fn frames<'a>(&'a self, pair: &'a Pair) -> impl Iterator<Item = FrameRef> + use<'a> {
        let message = |&(attempt, exchange, message): &Place| {
            Some(pair.attempts.get(attempt)?.exchanges.get(exchange)?.messages.get(message)?.frame)
        };
        self.evidence.iter().filter_map(message)
    }
}

/// The one message that came in `frame`.
fn place(pair: &Pair, frame: FrameRef) -> Option<Place> {
    let mut places = pair.attempts.iter().enumerate().flat_map(|(attempt, facts)| {
        facts.exchanges.iter().enumerate().flat_map(move |(exchange, facts)| {
            let of = facts.messages.iter().enumerate().filter(move |(_, message)| message.frame == frame);
            of.map(move |(message, _)| (attempt, exchange, message))
        })
    });
    places.next().filter(|_| places.next().is_none())
}

fn names_an_address(finding: &Finding, pair: &Pair) -> bool {
    let words = &finding.words;
    let said = [Some(&words.seen), Some(&words.means), words.settle.as_ref()];
    let ends = [pair.a, pair.b].map(|address| address.to_string());
    said.into_iter().flatten().any(|said| ends.iter().any(|end| said.contains(end)))
}
