//! What explains a pair and each of its attempts best, of all that was found on it.

use std::sync::LazyLock;

use super::case::Case;
use super::engine::Found;
use super::judged::Piece;
use super::pattern::Stage;
use super::status::{outcome, status};
use super::{AttemptDiagnosis, PairStatus, Severity, Verdict};

/// What stands between phase 1 and phase 2 and does not come to an end.
const ASKS_FOR_USER: &str = "P1-XAUTH";

/// What was found on an attempt.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Explained {
    /// What best explains it, so far, and how well.
    best: Option<(Weight, Verdict)>,
    /// An error, or what else stopped it.
    error: bool,
    /// XAUTH or Mode Config is as far as it got.
    asks: bool,
}

/// Status of the pair, its verdict, and outcome and verdict of each attempt. Takes back what says that a tunnel is up which is down.
/// `told` is room for what was found on each attempt; reusing it saves the allocation.
pub(super) fn judge(case: &Case<'_>, matches: &mut Vec<Found>, piece: &mut Piece, told: &mut Vec<Explained>) {
    told.clear();
    told.resize(case.pair.attempts.len(), Explained::default());
    let mut best_of_all: Option<(Weight, &Found)> = None;
    for found in &*matches {
        let mut own = found.case.attempt.and_then(|index| told.get_mut(index));
        if let Some(own) = &mut own {
            let asks = found.pattern.id == ASKS_FOR_USER;
            own.error |= found.severity() >= if asks { Severity::Warning } else { Severity::Error };
            own.asks |= asks;
        }
        // Advice explains nothing: a pair about which nothing else can be said has no verdict.
        let weight = weight(found, case);
        if found.consequence_of.is_some() || weight.0 == 0 {
            continue;
        }
        if best_of_all.is_none_or(|(known, _)| weight >= known) {
            best_of_all = Some((weight, found));
        }
        if let Some(own) = own.filter(|own| own.best.is_none_or(|(known, _)| weight >= known)) {
            own.best = Some((weight, found.verdict));
        }
    }
    let best_of_all = best_of_all.map(|(_, found)| found);
    let attempts = piece.judge_attempts(case.attempts().zip(told).map(|((_, view), told)| AttemptDiagnosis {
        outcome: outcome(case, &view, told.error, told.asks),
        verdict: told.best.map(|(_, verdict)| verdict),
    }));
    // An alarm that is laid to another one is one all the same.
    let is_silent = |found: &Found| found.pattern.id == "L-DPD-TIMEOUT" && found.own_severity() == Severity::Error;
    let silent = matches.iter().any(|found| found.consequence_of.is_some() && is_silent(found));
    let status = status(case, attempts, best_of_all, silent);
    piece.judge_pair(status, best_of_all.map(|found| found.verdict));
    if matches!(status, PairStatus::Down | PairStatus::DownNegotiating) {
        matches.retain(|found| !UP.contains(&found.pattern.id));
    }
}

/// Whether matches raise no alarm and explain nothing, whatever else is found on the pair.
pub(super) fn are_advice(matches: &[Found], case: &Case<'_>) -> bool {
    matches.iter().all(|found| found.severity() < Severity::Warning && weight(found, case).0 == 0)
}

/// How well a match explains a pair.
type Weight = (u8, u8, u8, usize, u8);

/// What makes one match explain a pair better than another: how bad, what kind of evidence, how deep, how late.
///
/// A normal state explains a pair better than a notice does, and advice never explains one.
fn weight(found: &Found, case: &Case<'_>) -> Weight {
    let index = found.case.attempt.unwrap_or(0);
    let part = PARTS.get(found.verdict.place()).copied().unwrap_or(Part::Plain);
    let normal = if let Part::Normal(rank) = part { rank } else { 0 };
    if normal > 0 {
        // What was only cleaned up, while the tunnel goes on, is said of the pair and of no attempt, and says least.
        let rank = match found.case.attempt {
            Some(_) => normal,
            None => u8::from(found.pattern.id != "OK-DELETE"),
        };
        return (3, 0, 0, index, rank);
    }
    let probes = found.case.attempt.is_some() && part == Part::Probe;
    if found.severity() <= Severity::Notice && part == Part::Circumstance {
        return (0, 0, 0, 0, 0);
    }
    let level = match (found.pattern.stage, found.severity()) {
        // Attempts that are nothing but probes are best called that; a flood of them before all.
        (Stage::Security, Severity::Warning) if probes => 6,
        (Stage::Security, _) if probes => 3,
        (_, Severity::Error) => 5,
        (_, Severity::Warning) => 4,
        (Stage::Security, _) => 0,
        (_, Severity::Notice) => 2,
        _ => 1,
    };
    let evidence = match found.pattern.stage {
        Stage::Path => 3,
        Stage::Fragments => 2,
        _ => 1,
    };
    let attempt = found.case.attempt.and_then(|index| case.pair.attempts.get(index));
    let depth = attempt.and_then(|attempt| attempt.stage.rank()).unwrap_or(0);
    (level, evidence, depth, index, 0)
}

/// The part that a pattern plays in explaining a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Plain,
    /// One of [`NORMAL`], by its place there, from 1.
    Normal(u8),
    Circumstance,
    Probe,
}

/// The parts of all patterns, by their places in the catalogue.
static PARTS: LazyLock<Vec<Part>> = LazyLock::new(|| {
    let part = |verdict: Verdict| match verdict.id() {
        id if CIRCUMSTANCES.contains(&id) => Part::Circumstance,
        id if PROBES.contains(&id) => Part::Probe,
        id => NORMAL.iter().position(|&normal| normal == id).map_or(Part::Plain, |place| Part::Normal(place as u8 + 1)),
    };
    Verdict::all().map(part).collect()
});

/// What attempts can be best called that nobody means to finish.
const PROBES: [&str; 2] = ["S-SCAN", "S-HALFOPEN"];

/// How things are or were, which explains nothing by itself.
pub(super) const CIRCUMSTANCES: [&str; 6] =
    ["N-NAT-DETECTED", "N-PRIVATE-OUTER", "N-TCP-ENCAP", "F-IKE-BIG", "F-PMTU", "OK-RETRANS"];

/// Normal states that can explain a pair, the most telling last.
const NORMAL: [&str; 5] = ["OK-DPD", "OK-P1-UP", "OK-IDLE", "OK-UP", "OK-DELETE"];

/// Those of them that say that the tunnel is up.
const UP: [&str; 2] = ["OK-IDLE", "OK-UP"];
