//! L-DELETE-STORM: SAs are made and deleted without end.

use std::collections::BTreeSet;
use std::ops::Range;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};
use crate::track::Label;

use super::informational::{self, Reading};
use super::life_cycle;

/// What is counted together.
const MINUTE: Duration = Duration::from_secs(60);
/// Deletes in a minute.
pub(super) const DELETES: usize = 10;
/// New SAs in the same minute.
const NEW_SAS: usize = 5;
/// Busy minutes that are read before it is given up.
const MINUTES_READ: usize = 8;

pattern! {
    /// ## What is seen
    ///
    /// Within a minute ten or more encrypted Informationals that by size and place are deletes, and five or more new SAs.
    ///
    /// ## What it means
    ///
    /// The two ends undo each other's work: both initiate and each deletes what the other made, or both insist on one SA
    /// for each peer and do not agree on which. Traffic stumbles with each change, and the gateways are busy with keys.
    ///
    /// ## Look-alikes
    ///
    /// - Taking down a tunnel of many subnets: many deletes, no new SAs.
    /// - Monitoring that opens and closes tunnels.
    L_DELETE_STORM = "L-DELETE-STORM", LifeCycle, Error;
    title: "SAs are made and deleted without end";
    causes: [
        "both" 0.45 "both sides initiate and each removes the other's duplicate", raised by "negotiations from both sides", lowered by "one side starts them all";
        "unique" 0.30 "the two ends differ on how many SAs a peer may have", raised by "a delete right after each set-up", lowered by "";
        "reauth" 0.25 "re-authentication that breaks the old SA before the new one is there", raised by "a new IKE SA each time", lowered by "one IKE SA throughout";
    ];
    checks: [
        Either: "let one side initiate and the other only respond";
        Either: "set the same policy for unique SAs";
        Either: "re-key instead of re-authenticating, or make the new SA before the old one goes";
    ];
    logs: [
        "AWS": "redundant SA is being deleted due to detected collision" ("AWS log-contents");
        "strongSwan": "detected rekey collision / deleting duplicate IKE_SA" ("strongSwan source");
    ];
    sources: ["RFC 7296 §2.8", "RFC 2408 §5.15"];
    when: MANY_INFORMATIONALS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut told: Vec<(Timestamp, usize)> = Vec::new();
    let mut new: Vec<Timestamp> = Vec::new();
    for (index, view) in case.attempts() {
        for message in view.messages() {
            match message.label {
                Label::Inf | Label::Request(37) if message.encrypted => told.push((message.at, index)),
                Label::Qm(3) | Label::Response(35 | 36) => new.push(message.at),
                _ => {}
            }
        }
    }
    told.sort_unstable();
    new.sort_unstable();
    let mut from = 0;
    for _ in 0..MINUTES_READ {
        let Some(minute) = busy_minute(&told, &new, from) else { return Vec::new() };
        if let Some(found) = storm(case, told.get(minute.clone()).unwrap_or_default(), &new) {
            return vec![found];
        }
        from = minute.end;
    }
    Vec::new()
}

/// The first run of Informationals, from index `from` on, that fill a minute with enough of them and with new SAs.
fn busy_minute(told: &[(Timestamp, usize)], new: &[Timestamp], from: usize) -> Option<Range<usize>> {
    (from..told.len()).find_map(|first| {
        let (at, _) = *told.get(first)?;
        let (last, _) = *told.get(first + DELETES - 1)?;
        let until = at.after(MINUTE);
        let made = new.partition_point(|at| *at <= until) - new.partition_point(|new| *new < at);
        let end = told.partition_point(|(at, _)| *at <= until);
        (last <= until && made >= NEW_SAS).then_some(first..end)
    })
}

/// Reads the Informationals of a busy minute.
fn storm(case: &Case<'_>, told: &[(Timestamp, usize)], new: &[Timestamp]) -> Option<Match> {
    let (first, last) = (told.first()?.0, told.last()?.0);
    let attempts: BTreeSet<usize> = told.iter().map(|(_, index)| *index).collect();
    let deletes: Vec<FrameRef> = case
        .attempts()
        .filter(|(index, _)| attempts.contains(index))
        .flat_map(|(_, view)| informational::read(&view))
        .filter(|each| each.reading == Reading::Delete && (first..=last).contains(&each.message.at))
        .map(|each| each.message.frame)
        .collect();
    if deletes.len() < DELETES {
        return None;
    }
    let until = first.after(MINUTE);
    let made = new.partition_point(|at| *at <= until) - new.partition_point(|at| *at < first);
    let initiators = |address| case.pair.attempts.iter().any(|attempt| attempt.initiator.ip() == address);
    let both = initiators(case.pair.a) && initiators(case.pair.b);
    let up = life_cycle::lives(case).last().is_some_and(|life| life.index + 1 == case.pair.attempts.len());
    let found = Match::on_pair(Confidence::Suspected)
        .seen(format!(
            "{} within a minute, beside {}",
            number(deletes.len() as u64, "delete"),
            number(made as u64, "new SA"),
        ))
        .means("the two ends undo each other's work")
        .frames(deletes.into_iter().take(32))
        .weigh("both", if both { 2.0 } else { 0.5 })
        .settle("the logs of both gateways for one such minute");
    Some(if up { found.severity(Severity::Warning) } else { found })
}
