//! One tunnel that was seen on both sides of a NAT, and is two pairs therefore: the second tells only what the first does not.

use std::collections::HashMap;

use crate::diagnose::Severity;
use crate::report::model::{Attempt, Finding, Pair, Report};
use crate::track::UNDERWAY;

use super::View;

/// A tunnel that was told before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// The pair that it was told as.
    pair: usize,
    /// The capture that has it between other addresses.
    capture: u32,
}

/// Of each pair, by id, what its tunnel was told as, where the first pairs are told in the order `by_need`.
pub fn told_before(report: &Report, by_need: &[usize]) -> Vec<Option<Before>> {
    let mut known: HashMap<_, &Attempt> = HashMap::new();
    let mut before = vec![None; report.pairs.len()];
    for pair in by_need.iter().filter_map(|&id| report.pairs.get(id)) {
        let again = report.attempts_of(pair).find_map(|attempt| {
            let first = *known.entry((attempt.version, attempt.initiator_spi)).or_insert(attempt);
            let same = first.pair != pair.id && are_one(first, attempt);
            same.then_some(Before { pair: first.pair, capture: attempt.first_frame.capture })
        });
        if let Some(before) = before.get_mut(pair.id) {
            *before = again;
        }
    }
    before
}

/// Whether two attempts with the same SPI of the initiator are one that was seen at two points, and not one whose ends took other
/// addresses. What is answered may be lost on its way to one of them.
fn are_one(one: &Attempt, other: &Attempt) -> bool {
    let spis = [one.responder_spi, other.responder_spi];
    let answered = spis[0] == spis[1] || spis.iter().any(|spi| spi.is_zero());
    let elsewhere = one.first_frame.capture != other.first_frame.capture;
    let at_once = one.first.since(other.first) <= UNDERWAY && other.first.since(one.first) <= UNDERWAY;
    answered && !one.midstream && !other.midstream && (elsewhere || at_once)
}

/// Puts each pair behind the one that its tunnel was told as.
pub fn put_together(by_need: &mut [usize], before: &[Option<Before>]) {
    let place = |id: &usize| before.get(*id).copied().flatten().map_or(*id, |before| before.pair);
    let ranks: HashMap<usize, usize> = by_need.iter().enumerate().map(|(rank, &id)| (id, rank)).collect();
    by_need.sort_by_key(|id| ranks.get(&place(id)).copied());
}

/// What to say of a pair whose tunnel was told before.
pub fn words(view: &View<'_>, pair: &Pair) -> Option<String> {
    let Before { pair: first, capture } = view.before(pair)?;
    let first = view.report.pair(first)?;
    let place = if view.many_captures { format!(", in capture {capture}") } else { String::new() };
    Some(format!("the same tunnel as {} ⇄ {}, beyond a NAT{place}", first.a, first.b))
}

/// The pair that a tunnel was told as before this one.
pub fn first_of<'a>(view: &View<'a>, pair: &Pair) -> Option<&'a Pair> {
    view.before(pair).and_then(|before| view.report.pair(before.pair))
}

/// Whether a finding was told where the tunnel was.
pub fn was_told(view: &View<'_>, pair: &Pair, finding: &Finding) -> bool {
    let told = |first| view.findings_of(first).any(|told| told.id == finding.id);
    is_denied(view, pair, finding) || first_of(view, pair).is_some_and(told)
}

/// Whether a finding says less than the problem that the tunnel was told to have: what is in order on one side of a NAT is not in order
/// if it is not on the other.
pub fn is_denied(view: &View<'_>, pair: &Pair, finding: &Finding) -> bool {
    finding.severity < Severity::Warning && first_of(view, pair).is_some_and(|first| view.has_problem(first))
}
