//! The round of all pairs: each is judged by the checks that its signs call for, on one thread or on several, and what was
//! judged is put together in the order of the pairs.
//!
//! Not here: what a check finds, and what follows from it ([`super::engine`]). Contract: the same diagnosis on any number of
//! threads; what is judged and not yet put together stays within some thousand pairs.

use std::ops::Range;
use std::thread;

use crate::track::{Facts, Forgotten, Room};

use super::alike::Alike;
use super::case::{Answers, Case};
use super::engine::{self, Found};
use super::judged::Piece;
use super::patterns::{Floods, Memory, signs_of};
use super::signs::Signs;
use super::survey::Survey;
use super::{Diagnosis, Verdict};

/// Which checks run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Checks {
    /// Those that the signs of a pair call for, but for what is known to be found.
    Called,
    /// All of them on every pair: for a test that it makes no difference.
    All,
}

/// How the pairs are shared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shares {
    /// Threads at most, at least one.
    pub threads: usize,
    /// Pairs that a thread judges before what it found is put to the rest.
    pub pairs: usize,
}

impl Shares {
    /// For this many threads.
    pub fn on(threads: usize) -> Self {
        Self { threads: threads.max(1), pairs: 2048 }
    }
}

/// Judges the facts.
pub fn diagnose(facts: &Facts) -> Diagnosis {
    judge_all(facts, Checks::Called, Shares::on(1)).0
}

/// Judges the facts on no more than so many threads.
pub fn diagnose_on(facts: &Facts, threads: usize) -> Diagnosis {
    judge_all(facts, Checks::Called, Shares::on(threads)).0
}

/// Judges the facts, and says how many checks ran.
pub fn judge_all(facts: &Facts, checks: Checks, shares: Shares) -> (Diagnosis, u64) {
    let survey = Survey::of(facts);
    let mut diagnosis = Diagnosis::default();
    let count = facts.pairs.len();
    // A thread for less than it judges at a time would wait more than it works.
    let threads = shares.threads.min(count.div_ceil(shares.pairs)).max(1);
    let mut judges: Vec<Judge<'_>> = (0..threads).map(|_| Judge::new(facts, &survey, checks)).collect();
    let mut next = 0;
    while next < count {
        let mut shares = judges.iter_mut().map(|judge| {
            let share = next..count.min(next.saturating_add(shares.pairs));
            next = share.end;
            (judge, share)
        });
        match (shares.next(), shares.next()) {
            (Some((first, share)), None) => first.judge(share),
            (Some((first, share)), Some((second, its_share))) => thread::scope(|scope| {
                scope.spawn(|| second.judge(its_share));
                for (other, its_share) in shares {
                    scope.spawn(|| other.judge(its_share));
                }
                first.judge(share);
            }),
            (None, _) => break,
        }
        for judge in &mut judges {
            diagnosis.add(&judge.piece, &mut judge.known);
            judge.piece.clear();
        }
    }
    let mut floods = Floods::default();
    let mut ran = 0;
    for judge in judges {
        floods.add(judge.floods);
        ran += judge.ran;
    }
    let beside = floods.found().into_iter().filter_map(|case| engine::beside_pairs("S-HALFOPEN", case));
    let unresolved = || engine::failed_lookups(facts).filter(|_| !survey.has_ike());
    let nothing = engine::nothing_at_all(facts).into_iter().chain(unresolved());
    // what was forgotten was there
    let all_kept = facts.forgotten == Forgotten::default();
    for finding in beside.chain(nothing.filter(|_| all_kept)) {
        diagnosis.hold(finding);
    }
    diagnosis.sort();
    diagnosis.keep_survey(survey);
    (diagnosis, ran)
}

/// Judges pairs, one after the other.
struct Judge<'f> {
    facts: &'f Facts,
    survey: &'f Survey,
    checks: Checks,
    all: Vec<Verdict>,
    room: Room<'f>,
    memory: Memory,
    alike: Alike,
    answers: Vec<Answers>,
    matches: Vec<Found>,
    floods: Floods,
    /// What was judged and not yet put to the rest, and where its words stand there.
    piece: Piece,
    known: Vec<u32>,
    /// Checks that ran.
    ran: u64,
}

impl<'f> Judge<'f> {
    fn new(facts: &'f Facts, survey: &'f Survey, checks: Checks) -> Self {
        Self {
            facts,
            survey,
            checks,
            all: Verdict::all().collect(),
            room: Room::default(),
            memory: Memory::default(),
            alike: Alike::default(),
            answers: Vec::new(),
            matches: Vec::new(),
            floods: Floods::default(),
            piece: Piece::default(),
            known: Vec::new(),
            ran: 0,
        }
    }

    fn judge(&mut self, pairs: Range<usize>) {
        for index in pairs {
            self.judge_pair(index);
        }
    }

    fn judge_pair(&mut self, index: usize) {
        let Self { facts, survey, piece, matches, ran, .. } = self;
        let Some((pair, stories)) = facts.pairs.read_alike(index, &mut self.room) else { return };
        let ends = (pair.a, pair.b);
        let case = Case::new(facts, survey, index, pair, &mut self.answers);
        let signs = signs_of(&case, &mut self.memory);
        let everything = self.checks == Checks::All;
        if signs.has(Signs::LEFT_OPEN) || everything {
            self.floods.note(&case);
        }
        let called = if everything { &self.all } else { self.memory.called_for(signs) };
        let mut advice = stories.filter(|_| !everything).and_then(|stories| self.alike.advice(stories));
        let mut run = |check: Verdict| {
            *ran += 1;
            engine::found_by(check, &case).map(move |case| Found::new(check, case))
        };
        matches.clear();
        for &check in called {
            let Some(advice) = advice.as_mut().filter(|_| check.pattern().by_story) else {
                matches.extend(run(check));
                continue;
            };
            match advice.of(check) {
                (Some(common), _) => {
                    for common in common {
                        piece.keep_common(common, index, pair);
                    }
                }
                (None, true) => matches.extend(run(check)),
                (None, false) => {
                    let found: Vec<Found> = run(check).collect();
                    let mild = engine::are_advice(&found, &case);
                    let mut findings = Vec::new();
                    if mild {
                        engine::fold(&case, found.into_iter(), |finding, verdict, cause| {
                            let kind = piece.keep(&finding, ends, verdict, cause);
                            findings.push((finding, kind));
                        });
                    } else {
                        matches.extend(found);
                    }
                    advice.learn(check, pair, &findings, mild);
                }
            }
        }
        engine::name_consequences(matches);
        engine::judge(&case, matches, piece);
        engine::fold(&case, matches.drain(..), |finding, verdict, cause| {
            piece.keep(&finding, ends, verdict, cause);
        });
    }
}
