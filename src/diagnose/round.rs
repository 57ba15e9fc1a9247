//! The round of all pairs: each is judged by the checks that its signs call for, on one thread or on several, and what was
//! judged is put together in the order of the pairs.
//!
//! Not here: what a check finds, and what follows from it ([`super::consequences`]). Contract: the same diagnosis on any number of
//! threads; what is judged and not yet put together stays within some thousand pairs.

use std::mem;
use std::net::IpAddr;
use std::ops::Range;

use crate::base::crew::{Crew, Hand};
use crate::track::{Facts, Forgotten, Room};

use super::alike::{Advice, Alike};
use super::case::{Answers, Case};
use super::consequences;
use super::engine::{self, Folded, Found};
use super::gists::{Gist, Gists};
use super::judged::Piece;
use super::pattern::Match;
use super::patterns::{Floods, Memory, is_of_flood, signs_of};
use super::sayings::Names;
use super::signs::Signs;
use super::survey::Survey;
use super::verdicts::{self, Explained};
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
    let mut floods = Floods::default();
    let mut ran = 0;
    let crew = Crew { helpers: threads - 1, sheets: JUDGES_A_THREAD, run: 1 };
    let pieces = count.div_ceil(shares.pairs);
    crew.work(
        pieces,
        || Judge::new(facts, &survey, checks),
        || Round { facts, pairs: shares.pairs },
        |lead| {
            for number in 0..pieces {
                let Some(mut piece) = lead.take_made(number) else { break };
                ran += piece.sheet.hand_over(&mut diagnosis, &mut floods);
                lead.give_back(piece);
            }
        },
    );
    let (flooded, floods): (Vec<IpAddr>, Vec<Match>) = floods.found().into_iter().unzip();
    if let Some(flood) = Verdict::named(FLOOD).filter(|_| !flooded.is_empty()) {
        let mut room = Room::default();
        let is_of_flood = |index| facts.pairs.read(index, &mut room).is_some_and(|pair| is_of_flood(pair, &flooded));
        diagnosis.lay_to(flood, &consequences::consequences_of(FLOOD), is_of_flood);
    }
    let beside = floods.into_iter().filter_map(|case| engine::beside_pairs(FLOOD, case));
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

/// What many pairs show together.
const FLOOD: &str = "S-HALFOPEN";

/// Judges of each thread: while what one found is put to the rest, another goes on.
const JUDGES_A_THREAD: usize = 2;

/// Has every judge judge the pairs of a piece.
struct Round<'f> {
    facts: &'f Facts,
    /// Pairs of a piece.
    pairs: usize,
}

impl<'f> Hand for Round<'f> {
    /// A judge, because where he wrote down what he found is where he looks for the words again.
    type Sheet = Judge<'f>;

    fn make(&mut self, number: usize, judge: &mut Judge<'f>) {
        let first = number.saturating_mul(self.pairs);
        judge.judge(first..first.saturating_add(self.pairs).min(self.facts.pairs.len()));
    }
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
    gists: Gists,
    answers: Vec<Answers>,
    matches: Vec<Found>,
    told: Vec<Explained>,
    floods: Floods,
    /// What was judged and not yet put to the rest, and where its words stand there.
    piece: Piece,
    known: Vec<u32>,
    /// Checks that ran for that.
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
            gists: Gists::default(),
            answers: Vec::new(),
            matches: Vec::new(),
            told: Vec::new(),
            floods: Floods::default(),
            piece: Piece::default(),
            known: Vec::new(),
            ran: 0,
        }
    }

    /// Puts what was judged to the rest. Answers how many checks ran for it.
    fn hand_over(&mut self, diagnosis: &mut Diagnosis, floods: &mut Floods) -> u64 {
        diagnosis.add(&self.piece, &mut self.known);
        self.piece.clear();
        floods.add(mem::take(&mut self.floods));
        mem::take(&mut self.ran)
    }

    fn judge(&mut self, pairs: Range<usize>) {
        for index in pairs {
            self.judge_pair(index);
        }
    }

    fn judge_pair(&mut self, index: usize) {
        let Self { facts, survey, piece, matches, ran, .. } = self;
        let everything = self.checks == Checks::All;
        let Some((pair, stories)) = facts.pairs.read_alike(index, &mut self.room) else { return };
        let stories = stories.filter(|_| !everything);
        let case = Case::new(facts, survey, index, pair, &mut self.answers);
        let signs = signs_of(&case, stories, &mut self.memory);
        if signs.has(Signs::LEFT_OPEN) || everything {
            self.floods.note(&case);
        }
        let called = if everything { &self.all } else { self.memory.called_for(signs) };
        let mut advice = stories.and_then(|stories| self.alike.advice(stories));
        let mut run = |check: Verdict| {
            *ran += 1;
            engine::found_by(check, &case).into_iter().map(move |case| Found::new(check, case))
        };
        matches.clear();
        if let Some(settled) = advice.as_mut().and_then(|advice| advice.settled(signs, called)) {
            settled.common.iter().for_each(|common| piece.keep_common(common, &case));
            settled.checks.iter().for_each(|&check| matches.extend(run(check)));
        } else {
            for &check in called {
                let Some(advice) = advice.as_mut().filter(|_| check.pattern().by_story) else {
                    matches.extend(run(check));
                    continue;
                };
                match advice.of(check) {
                    (Some(common), _) => common.iter().for_each(|common| piece.keep_common(common, &case)),
                    (None, true) => matches.extend(run(check)),
                    (None, false) => {
                        let found = run(check).collect();
                        matches.extend(learn(advice, check, found, &case, piece));
                    }
                }
            }
        }
        consequences::deny(matches);
        consequences::name_consequences(matches);
        verdicts::judge(&case, matches, piece, &mut self.told);
        // what was forgotten makes findings less certain
        let all_kept = facts.forgotten == Forgotten::default() && pair.incomplete.is_empty();
        let mut gists = Some(&mut self.gists).filter(|_| all_kept && !everything);
        engine::fold(&case, matches.drain(..), |folded| keep(folded, &case, piece, gists.as_deref_mut()));
    }
}

/// Keeps what `check` finds on the first pair of these stories, and remembers it for the others. Answers what it found instead, if
/// that may be more than advice.
fn learn(advice: &mut Advice, check: Verdict, found: Vec<Found>, case: &Case<'_>, piece: &mut Piece) -> Vec<Found> {
    let mut findings = Vec::new();
    let mild = verdicts::are_advice(&found, case);
    let (kept, found) = if mild { (found, Vec::new()) } else { (Vec::new(), found) };
    engine::fold(case, kept.into_iter(), |folded| {
        let (verdict, cause) = (folded.verdict(), folded.consequence_of());
        let finding = folded.finding(case);
        let kind = piece.keep(&finding, case.ends(), verdict, cause);
        findings.push((finding, kind));
    });
    advice.learn(check, case.pair, &findings, mild);
    found
}

/// Keeps what matches of a pattern become. The finding is made only if none is known in `gists` that says the same.
fn keep(folded: Folded, case: &Case<'_>, piece: &mut Piece, gists: Option<&mut Gists>) {
    let mut make = |folded: Folded| {
        let (verdict, cause) = (folded.verdict(), folded.consequence_of());
        piece.keep(&folded.finding(case), case.ends(), verdict, cause)
    };
    let Some(gists) = gists else {
        make(folded);
        return;
    };
    let gist = folded.gist();
    if let Some(kind) = gists.kind(&gist) {
        return piece.keep_known(&folded, case.index, kind);
    }
    let blank = Names::of(case.ends()).left_out_of(gist.said);
    let gist = Gist { said: blank.as_ref().unwrap_or(gist.said), ..gist };
    if let Some(kind) = gists.kind(&gist).filter(|_| blank.is_some()) {
        return piece.keep_known(&folded, case.index, kind);
    }
    let noted = gists.note(gist);
    let kind = make(folded);
    if piece.names_ends(kind) == Some(blank.is_some()) {
        gists.learn(noted, kind);
    }
}
