//! L-DELETE-STORM: SAs are made and deleted without end.

use std::time::Duration;

use crate::base::Timestamp;
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
const DELETES: usize = 10;
/// New SAs in the same minute.
const NEW_SAS: usize = 5;

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
        Either: "set the same policy for unique SAs on both ends";
        Either: "re-key instead of re-authenticating, or make the new SA before the old one goes";
    ];
    logs: [
        "AWS": "redundant SA is being deleted due to detected collision" ("AWS log-contents");
        "strongSwan": "detected rekey collision / deleting duplicate IKE_SA" ("strongSwan source");
    ];
    sources: ["RFC 7296 §2.8", "RFC 2408 §5.15"];
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut deletes = Vec::new();
    let mut new: Vec<Timestamp> = Vec::new();
    for (_, view) in case.attempts() {
        deletes.extend(
            informational::read(&view)
                .iter()
                .filter(|each| each.reading == Reading::Delete)
                .map(|each| (each.message.at, each.message.frame)),
        );
        let sets_up = |label| matches!(label, Label::Qm(3) | Label::Response(35 | 36));
        new.extend(view.messages().filter(|message| sets_up(message.label)).map(|message| message.at));
    }
    deletes.sort_unstable();
    new.sort_unstable();
    let storm = deletes.windows(DELETES).find(|window| {
        let (Some((first, _)), Some((last, _))) = (window.first(), window.last()) else { return false };
        let until = first.after(MINUTE);
        let made = new.partition_point(|at| *at <= until) - new.partition_point(|at| at < first);
        *last <= until && made >= NEW_SAS
    });
    let Some(storm) = storm else { return Vec::new() };
    let initiators = |address| case.pair.attempts.iter().any(|attempt| attempt.initiator.ip() == address);
    let both = initiators(case.pair.a) && initiators(case.pair.b);
    let up = life_cycle::lives(case).last().is_some_and(|life| life.index + 1 == case.pair.attempts.len());
    let found = Match::on_pair(Confidence::Suspected)
        .seen(format!(
            "{} or more within a minute, {} in all, beside {}",
            number(DELETES as u64, "delete"),
            deletes.len(),
            number(new.len() as u64, "new SA"),
        ))
        .means("the two ends undo each other's work")
        .frames(storm.iter().map(|(_, frame)| *frame))
        .weigh("both", if both { 2.0 } else { 0.5 })
        .settle("the logs of both gateways for one such minute");
    vec![if up { found.severity(Severity::Warning) } else { found }]
}
