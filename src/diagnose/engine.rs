//! From matches to findings and verdicts: one finding a loop, the deepest stage first, what is over no longer an error.

use crate::track::{Attempt, Facts, Label, Pair};

use super::case::{Case, PATIENCE, View};
use super::pattern::{Match, Pattern, Stage};
use super::patterns::CATALOGUE;
use super::survey::Survey;
use super::{
    AttemptDiagnosis, Cause, Check, Confidence, Diagnosis, Finding, Outcome, PairDiagnosis, PairStatus, Severity,
};

/// A pair that tried more than once is still negotiating if its last try ended no longer ago than this.
const NEGOTIATING: std::time::Duration = std::time::Duration::from_secs(120);

/// Judges the facts.
pub fn diagnose(facts: &Facts) -> Diagnosis {
    let mut diagnosis = Diagnosis::default();
    let survey = Survey::of(facts);
    for (index, pair) in facts.pairs.iter().enumerate() {
        let case = Case::new(facts, &survey, pair);
        let matches: Vec<(&Pattern, Match)> = CATALOGUE
            .iter()
            .flat_map(|pattern| (pattern.check)(&case).into_iter().map(move |found| (*pattern, found)))
            .collect();
        diagnosis.pairs.push(verdicts(&case, &matches));
        diagnosis.findings.extend(fold(index, pair, matches));
    }
    diagnosis.findings.sort_by_key(|finding| {
        (std::cmp::Reverse(finding.severity), finding.frames.first().copied(), finding.pair, finding.id)
    });
    diagnosis
}

/// Matches of one pattern on one pair are one finding, counted.
fn fold(pair_index: usize, pair: &Pair, matches: Vec<(&'static Pattern, Match)>) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (pattern, found) in matches {
        let severity = found.severity.unwrap_or(pattern.severity);
        if let Some(known) =
            findings.iter_mut().find(|finding| finding.id == pattern.id && finding.severity == severity)
        {
            known.count += 1;
            known.confidence = known.confidence.max(found.confidence.unwrap_or(Confidence::Suspected));
            known.frames.extend(found.frames);
            continue;
        }
        findings.push(finding(pair_index, pattern, severity, found));
    }
    for finding in &mut findings {
        finding.frames.sort_unstable();
        finding.frames.dedup();
        if finding.count > 1 && finding.attempt.is_some() {
            finding.seen.push_str(&format!("; the same on {} attempts", finding.count));
        }
        if finding.frames.is_empty() {
            finding.frames.push(pair.first_frame);
        }
    }
    findings
}

fn finding(pair: usize, pattern: &'static Pattern, severity: Severity, found: Match) -> Finding {
    let mut causes: Vec<(f32, &str)> = pattern
        .causes
        .iter()
        .map(|cause| {
            let factor: f32 =
                found.weights.iter().filter(|(key, _)| *key == cause.key).map(|(_, factor)| factor).product();
            (cause.prior * factor, cause.text)
        })
        .collect();
    let total: f32 = causes.iter().map(|(weight, _)| weight).sum();
    causes.sort_by(|one, other| other.0.total_cmp(&one.0));
    Finding {
        id: pattern.id,
        severity,
        confidence: found.confidence.unwrap_or(Confidence::Suspected),
        pair: Some(pair),
        attempt: found.attempt,
        frames: found.frames,
        count: 1,
        title: pattern.title.to_owned(),
        seen: found.seen,
        means: found.means,
        causes: causes
            .into_iter()
            .map(|(weight, text)| Cause {
                text: text.to_owned(),
                likelihood: likelihood(weight / total.max(f32::MIN_POSITIVE)),
            })
            .collect(),
        checks: pattern.checks.iter().map(|&(side, text)| Check { side, text: text.to_owned() }).collect(),
        logs: pattern.logs.to_vec(),
        sources: pattern.sources.to_vec(),
        settle: found.settle,
    }
}

fn likelihood(share: f32) -> &'static str {
    match share {
        0.4.. => "likely",
        0.15.. => "possible",
        _ => "less likely",
    }
}

/// Status of the pair, its verdict, and outcome and verdict of each attempt.
fn verdicts(case: &Case<'_>, matches: &[(&Pattern, Match)]) -> PairDiagnosis {
    let best = |of: &dyn Fn(&Match) -> bool| {
        matches
            .iter()
            .filter(|(_, found)| of(found))
            .max_by_key(|(pattern, found)| weight(pattern, found, case))
            .map(|(pattern, _)| pattern.id)
    };
    let attempts: Vec<AttemptDiagnosis> = case
        .attempts()
        .map(|(index, view)| AttemptDiagnosis {
            outcome: outcome(case, index, &view, matches),
            verdict: best(&|found| found.attempt == Some(index)),
        })
        .collect();
    PairDiagnosis { status: status(case, &attempts), verdict: best(&|_| true), attempts }
}

/// What makes one match explain a pair better than another: how bad, what kind of evidence, how deep, how late.
fn weight(pattern: &Pattern, found: &Match, case: &Case<'_>) -> (Severity, u8, u8, usize) {
    let severity = found.severity.unwrap_or(pattern.severity);
    // Advice never explains a pair; a normal state does, when nothing is wrong.
    let severity = match (pattern.stage, severity) {
        (Stage::Security, _) => Severity::Info,
        (Stage::Normal, _) => Severity::Notice,
        (_, other) => other,
    };
    let evidence = match pattern.stage {
        Stage::Path => 3,
        Stage::Fragments => 2,
        Stage::Security => 0,
        _ => 1,
    };
    let depth = found.attempt.and_then(|index| case.pair.attempts.get(index)).map_or(0, depth);
    (severity, evidence, depth, found.attempt.unwrap_or(0))
}

fn depth(attempt: &Attempt) -> u8 {
    match attempt.stage {
        Label::Mm(number) | Label::Am(number) => number,
        Label::Tr(_) => 10,
        Label::Qm(number) => 10 + number,
        Label::Request(34) => 1,
        Label::Response(34) => 2,
        Label::Request(35) => 5,
        Label::Response(35) => 6,
        _ => 0,
    }
}

fn outcome(case: &Case<'_>, index: usize, view: &View<'_>, matches: &[(&Pattern, Match)]) -> Outcome {
    let attempt = view.attempt;
    let error = matches.iter().any(|(pattern, found)| {
        found.attempt == Some(index) && found.severity.unwrap_or(pattern.severity) == Severity::Error
    });
    // An IKE SA whose phase 2 nobody asked for is all that was negotiated.
    let done = attempt.phase1_up.is_some() && attempt.waiting_for.is_none() && !error;
    if view.tunnel_up().is_some() || (done && !(view.is_v2() && view.authenticated() == Some(false))) {
        return Outcome::Established;
    }
    if attempt.waiting_for.is_none() && !attempt.midstream {
        return Outcome::Failed;
    }
    if error && view.answered_otherwise() {
        return Outcome::Failed;
    }
    if view.one_sided() || attempt.midstream {
        return Outcome::Unknown;
    }
    let quiet = case.end().since(attempt.last);
    let replaced =
        case.pair.attempts.get(index + 1..).unwrap_or_default().iter().any(|later| later.first >= attempt.last);
    if replaced || quiet > PATIENCE * 6 { Outcome::Failed } else { Outcome::Unfinished }
}

fn status(case: &Case<'_>, attempts: &[AttemptDiagnosis]) -> PairStatus {
    let pair = case.pair;
    let traffic = !pair.flows.is_empty();
    let up = case.attempts().any(|(_, view)| view.tunnel_up().is_some());
    match (up, traffic) {
        (true, true) => return PairStatus::UpActive,
        (true, false) => return PairStatus::UpIdle,
        (false, true) if pair.attempts.is_empty() => return PairStatus::UpNoIke,
        _ => {}
    }
    let Some(last) = pair.attempts.last() else { return PairStatus::Down };
    if traffic && last.midstream {
        return PairStatus::UpActive;
    }
    match attempts.last().map(|attempt| attempt.outcome) {
        Some(Outcome::Unknown) => PairStatus::Unknown,
        Some(Outcome::Unfinished) => PairStatus::DownNegotiating,
        // One try after another: the next one is due.
        _ if pair.attempts.len() > 1 && case.end().since(last.last) < NEGOTIATING => PairStatus::DownNegotiating,
        _ => PairStatus::Down,
    }
}
