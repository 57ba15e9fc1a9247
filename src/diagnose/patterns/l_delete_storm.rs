//! L-DELETE-STORM: SAs are made and deleted without end.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::net::IpAddr;
use std::ops::Range;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, MessageRecord, Side};

use super::informational::{self, Reading};
use super::life_cycle;

/// What is counted together.
const MINUTE: Duration = Duration::from_secs(60);
/// Deletes in a minute.
pub(super) const DELETES: usize = 10;
/// New SAs in the same minute.
const NEW_SAS: usize = 5;
/// SAs in a row that the responder deletes.
const THROWN_OUT: usize = 5;
/// Who wants the tunnel begins anew within this.
const ANEW: Duration = Duration::from_secs(5);
/// Busy minutes that are read before it is given up.
const MINUTES_READ: usize = 8;

pattern! {
    /// ## What is seen
    ///
    /// Within a minute ten or more encrypted Informationals that by size and place are deletes, and five or more new SAs. Or five
    /// negotiations within a minute, each ended by the responder's delete, and begun anew at once.
    ///
    /// ## What it means
    ///
    /// The two ends undo each other's work: both initiate and each deletes what the other made, or both insist on one SA
    /// for each peer and do not agree on which. Traffic stumbles with each change, and the gateways are busy with keys.
    ///
    /// ## Look-alikes
    ///
    /// - Taking down a tunnel of many subnets: many deletes, no new SAs.
    /// - Monitoring, or a person, that opens and closes tunnels: one side does it all, one SA after the other.
    L_DELETE_STORM = "L-DELETE-STORM", LifeCycle, Error;
    title: "SAs are made and deleted without end";
    causes: [
        "both" 0.375 "both sides initiate and each removes the other's duplicate", raised by "negotiations from both sides", lowered by "one side starts them all";
        "unique" 0.250 "the two ends differ on how many SAs a peer may have", raised by "a delete right after each set-up", lowered by "";
        "same" 0.042 "another peer comes with the same identity, and the responder keeps one SA for each", raised by "it deletes one right after the other, and nobody else does", lowered by "both ends delete";
        "margin" 0.125 "one side negotiates anew long before an SA is used up: a soft lifetime or margin far too short", raised by "one side makes them all", lowered by "negotiations from both sides";
        "reauth" 0.208 "re-authentication that breaks the old SA before the new one is there", raised by "a new IKE SA each time", lowered by "one IKE SA throughout";
    ];
    checks: [
        Either: "compare lifetimes, soft limits and margins of the side that makes the SAs" about "margin";
        Responder: "look for another peer that comes with the same identity: the older SA goes each time" about "same";
        Either: "let one side initiate and the other only respond";
        Either: "set the same policy for unique SAs";
        Either: "re-key instead of re-authenticating, or make the new SA before the old one goes";
    ];
    logs: [
        "AWS": "redundant SA is being deleted due to detected collision" ("AWS log-contents");
        "strongSwan": "detected rekey collision / deleting duplicate IKE_SA" ("strongSwan source");
    ];
    sources: ["RFC 7296 §2.8", "RFC 2408 §5.15"];
    when: MANY_INFORMATIONALS, MANY_ATTEMPTS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    stormy_minute(case).or_else(|| thrown_out(case)).into_iter().collect()
}

fn stormy_minute(case: &Case<'_>) -> Option<Match> {
    let mut told: Vec<(Timestamp, usize)> = Vec::new();
    let mut new: Vec<Timestamp> = Vec::new();
    let mut makers: Vec<(Timestamp, IpAddr)> = Vec::new();
    for (index, view) in case.attempts() {
        for message in view.messages() {
            let maker = match message.label {
                Label::Inf | Label::INFORMATIONAL_REQ if message.encrypted => {
                    told.push((message.at, index));
                    continue;
                }
                Label::Qm(3) => message.from,
                Label::AUTH_RSP | Label::CREATE_CHILD_SA_RSP => message.from.other(),
                _ => continue,
            };
            new.push(message.at);
            makers.push((message.at, life_cycle::address(view.attempt, maker)));
        }
    }
    makers.sort_unstable();
    told.sort_unstable();
    new.sort_unstable();
    let mut from = 0;
    for _ in 0..MINUTES_READ {
        let minute = busy_minute(&told, &new, from)?;
        if let Some(found) = storm(case, told.get(minute.clone()).unwrap_or_default(), &makers) {
            return Some(found);
        }
        from = minute.end;
    }
    None
}

/// Negotiations that the responder ends, one after the other, though the initiator begins anew at once.
fn thrown_out(case: &Case<'_>) -> Option<Match> {
    let attempts = &case.pair.attempts;
    if attempts.len() <= THROWN_OUT {
        return None;
    }
    let ended: Vec<(usize, &MessageRecord)> = case
        .attempts()
        .filter_map(|(index, view)| {
            let (up, next) = (view.attempt.phase1_up?, attempts.get(index + 1)?);
            let read = informational::read(&view).into_iter();
            let delete = read.filter(|one| one.reading == Reading::Delete).map(|one| one.message).next()?;
            let anew = next.initiator.ip() == view.attempt.initiator.ip() && next.rekeyed_from.is_none();
            let at_once = next.first >= delete.at && next.first.since(delete.at) <= ANEW;
            let by_responder = delete.from == Side::Responder && delete.at >= up;
            (anew && at_once && by_responder).then_some((index, delete))
        })
        .collect();
    let run = ended.windows(THROWN_OUT).find(|run| match run {
        [(first, begin), .., (last, end)] => last - first + 1 == THROWN_OUT && end.at.since(begin.at) <= MINUTE,
        _ => false,
    })?;
    let (first, begin) = run.first()?;
    let (_, end) = run.last()?;
    let attempt = attempts.get(*first)?;
    let (client, server) = (attempt.initiator.ip(), attempt.responder.ip());
    let found = Match::on_pair(Confidence::Suspected)
        .seen(format!(
            "{server} deleted {} in a row within {}, and each time {client} began anew at once; {} like this in the capture",
            number(THROWN_OUT as u64, "SA"),
            span(end.at.since(begin.at)),
            number(ended.len() as u64, "SA"),
        ))
        .means(format!("{server} does not keep what {client} sets up: most likely another peer comes with the same identity"))
        .frames(ended.iter().map(|(_, delete)| delete.frame).take(32))
        .weigh("same", 20.0)
        .rule_out(&["both", "margin"])
        .settle(format!("the log of {server}: why it deletes each SA"));
    Some(calm(case, found))
}

/// No worse than a warning where it is up, or in use, in the end.
fn calm(case: &Case<'_>, found: Match) -> Match {
    let recently = |from| case.flows_from(from).any(|flow| flow.last.after(MINUTE) >= case.end());
    let up = life_cycle::lives(case).last().is_some_and(|life| life.index + 1 == case.pair.attempts.len());
    let in_use = recently(case.pair.a) && recently(case.pair.b);
    if up || in_use { found.severity(Severity::Warning) } else { found }
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
fn storm(case: &Case<'_>, told: &[(Timestamp, usize)], new: &[(Timestamp, IpAddr)]) -> Option<Match> {
    let (first, last) = (told.first()?.0, told.last()?.0);
    let attempts: BTreeSet<usize> = told.iter().map(|(_, index)| *index).collect();
    let mut deletes: Vec<(Timestamp, FrameRef, IpAddr)> = case
        .attempts()
        .filter(|(index, _)| attempts.contains(index))
        .flat_map(|(_, view)| informational::read(&view).into_iter().map(move |each| (view, each)))
        .filter(|(_, each)| each.reading == Reading::Delete && (first..=last).contains(&each.message.at))
        .map(|(view, each)| (each.message.at, each.message.frame, life_cycle::address(view.attempt, each.message.from)))
        .collect();
    if deletes.len() < DELETES {
        return None;
    }
    deletes.sort_unstable();
    let until = first.after(MINUTE);
    let from = new.partition_point(|(at, _)| *at < first);
    let made = new.get(from..new.partition_point(|(at, _)| *at <= until)).unwrap_or_default();
    let one_of = |mut addresses: Vec<IpAddr>| {
        addresses.sort_unstable();
        addresses.dedup();
        <[IpAddr; 1]>::try_from(addresses).ok().map(|[address]| address)
    };
    let deleter = one_of(deletes.iter().map(|&(.., address)| address).collect());
    let maker = one_of(made.iter().map(|&(_, address)| address).collect());
    // Who makes SAs and deletes them again, one after the other, undoes nobody's work.
    if maker.is_some() && maker == deleter && takes_turns(made, &deletes) {
        return None;
    }
    let found = Match::on_pair(Confidence::Suspected)
        .seen(format!(
            "{} within a minute{}, beside {}{}",
            number(deletes.len() as u64, "delete"),
            deleter.map_or_else(String::new, |address| format!(", all from {address}")),
            number(made.len() as u64, "new SA"),
            maker.map_or_else(String::new, |address| format!(", all made by {address}")),
        ))
        .means(match maker {
            Some(maker) => format!("{maker} makes SAs faster than they are used up").into(),
            None => Cow::Borrowed("the two ends undo each other's work"),
        })
        .frames(deletes.iter().map(|&(_, frame, _)| frame).take(32))
        .weigh("both", if maker.is_some() { 0.2 } else { 2.0 })
        .weigh("margin", if maker.is_some() { 5.0 } else { 0.2 })
        .settle("the logs of both gateways for one such minute");
    Some(calm(case, found))
}

/// Whether no SA is made before the last one is deleted. Of a whole minute the capture may miss one delete.
fn takes_turns(made: &[(Timestamp, IpAddr)], deletes: &[(Timestamp, FrameRef, IpAddr)]) -> bool {
    let undeleted = made.windows(2).filter(|two| match two {
        [(one, _), (other, _)] => !deletes.iter().any(|(at, ..)| (one..=other).contains(&at)),
        _ => false,
    });
    undeleted.count() <= 1
}
