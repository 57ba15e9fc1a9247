//! C-TWO-POINT: two captures of the same conversation, put side by side.

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points::{self, Fate, LOST, MISSING, PASSED, Points};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};

use super::traffic;

/// Packets of ESP or AH that are more than a few.
const TRAFFIC: u64 = 10;
/// Messages named as evidence.
const NAMED: usize = 8;

pattern! {
    /// ## What is seen
    ///
    /// Two captures of the run hold messages of the same SPIs, message id and content. A message that one of them holds and
    /// the other does not, although that one was recording, was lost between the two points. So was ESP of one side that only
    /// one of them holds, where both hold that of the other side.
    ///
    /// ## What it means
    ///
    /// A silence can be placed: a message 1 that leaves one gateway and does not show outside the other never arrived; an
    /// answer that shows at the responder and not at the initiator was lost on its way back.
    ///
    /// ## Look-alikes
    ///
    /// - A capture in pieces (one file after the other): nothing is seen twice, and nothing is compared.
    /// - A capture filter, or a clock, that differs between the two points.
    C_TWO_POINT = "C-TWO-POINT", Capture, Info;
    title: "one capture point misses what the other one saw";
    causes: [
        "filter" 0.60 "a filter, firewall or translation between the two points drops them", raised by "always the same kind of message", lowered by "now one message, now another";
        "loss" 0.30 "packets are lost between the two points", raised by "now one message, now another", lowered by "every copy of a message is missing";
        "capture" 0.10 "one of the captures dropped or filtered them", raised by "the missing message was answered", lowered by "the missing message was sent again";
    ];
    checks: [
        Path: "look for the filter or the loss between the two capture points";
        Capture: "make sure that both captures use the same filter, and clocks that agree";
    ];
    logs: [
        "Netopia": "show ip nat translation: no UDP 500 incoming" ("NIR-31");
    ];
    sources: ["SMG-31", "NIR-31", "NIR-36"];
    when: CAPTURES;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let Some(points) = case.points() else { return Vec::new() };
    messages_of(case, points).into_iter().chain(traffic_of(case, points)).collect()
}

fn messages_of(case: &Case<'_>, points: &Points) -> Option<Match> {
    let mut found = Match::on_pair(Confidence::Inferred);
    let (mut both, mut missing, mut labels) = (0_u64, [0_u64; 2], Vec::new());
    for message in case.attempts().flat_map(|(_, view)| view.messages()) {
        match points.fate(message) {
            None | Some(Fate::Unwatched(..) | Fate::AnswerLost(..)) => {}
            Some(Fate::Passed) => both += 1,
            Some(Fate::Lost(..)) => {
                let Some(count) = missing.get_mut(message.from.index()) else { continue };
                *count += 1;
                if found.frames.len() < NAMED {
                    found.frames.push(message.frame);
                    labels.push(message.label.to_string());
                }
            }
        }
    }
    let [from_initiator, from_responder] = missing;
    (from_initiator + from_responder > 0).then(|| {
        found
            .seen(format!(
                "{} in both captures; in one of them only: {from_initiator} from the initiator, {from_responder} from the responder ({})",
                number(both, "message"),
                labels.join(", "),
            ))
            .means("what one capture holds and the other does not was lost between the two points")
    })
}

/// ESP or AH of one side at one point only, where that of the other side is at both: half of the tunnel. Or that of each side at
/// its own point only: all of it.
fn traffic_of(case: &Case<'_>, points: &Points) -> Option<Match> {
    let [there, back] = &traffic::ways(case);
    let (lost, known) = if at_both(back) { (there, back) } else { (back, there) };
    let enough = recorded(lost) >= TRAFFIC && recorded(known) >= TRAFFIC;
    let found = Match::on_pair(Confidence::Inferred).severity(Severity::Error);
    let of = |way: &traffic::Way<'_>| {
        let capture = way.flows.first().map_or(0, |flow| flow.first_frame.capture);
        format!("{} of ESP or AH from {} in capture {capture} only", number(way.packets(), "packet"), way.from)
    };
    match [lost, known].map(|way| missed_by(points, way)) {
        _ if !enough => None,
        [Some(_), _] if at_both(known) => Some(
            found
                .seen(format!("{}; what {} sends is in both", of(lost), known.from))
                .means(format!(
                    "what {} sends is lost between the two points: the tunnel is up and carries traffic one way only",
                    lost.from
                ))
                .frames(lost.frames()),
        ),
        _ if at_both(known) && at_one(lost) > lost.packets() / 2 && watched_all(points, lost) => Some(
            found
                .seen(format!(
                    "of {} of ESP or AH from {}, {} in one capture only; what {} sends is in both",
                    number(lost.packets(), "packet"),
                    lost.from,
                    match at_one(lost) {
                        1 => "1 is".to_owned(),
                        several => format!("{several} are"),
                    },
                    known.from,
                ))
                .means(format!("much of what {} sends is lost between the two points", lost.from))
                .frames(lost.frames()),
        ),
        [Some(one), Some(other)] if one != other => Some(
            found
                .seen(format!("{}, {}", of(there), of(back)))
                .means("what both sides send is lost between the two points: the tunnel is up and carries nothing")
                .frames(there.frames())
                .frames(back.frames()),
        ),
        _ => None,
    }
}

/// Adds to what was found of traffic that has no answer what another capture tells of it. `lost`: the cause that it is lost on
/// its way.
pub(super) fn tell_traffic(case: &Case<'_>, way: &traffic::Way<'_>, lost: &'static str, found: Match) -> Match {
    let view = found.attempt.and_then(|attempt| case.view(attempt));
    if let Some((capture, has)) = view.and_then(|view| beyond_nat(&view, way)) {
        let (factor, seen) = match has {
            true => (PASSED, "has them, too"),
            false => (LOST, "was recording and has none of them: they are lost between the two points"),
        };
        let mut found = found.weigh(lost, factor);
        found.seen.push_str(&format!("; capture {capture}, beyond a NAT, {seen}"));
        return found;
    }
    let missed = case.points().and_then(|points| missed_by(points, way));
    let Some(capture) = missed else { return found };
    let mut found = found.weigh(lost, MISSING).settle(format!(
        "whether capture {capture} takes in IP protocols 50 and 51: if so, they are lost between the two points"
    ));
    found.seen.push_str(&format!("; capture {capture} was recording and has none of them"));
    found
}

/// Of traffic that one capture has: another one, beyond a NAT, that was recording all the time, and whether it has any of it.
fn beyond_nat(view: &View<'_>, way: &traffic::Way<'_>) -> Option<(u32, bool)> {
    if !view.case.survey.captures_overlap() {
        return None;
    }
    let (first, last) = way.first().zip(way.last())?;
    view.elsewhere(|pair, other| {
        let capture = other.first_frame.capture;
        let watched = points::covers(points::recorded(&view.case, capture)?, (first, last));
        let has = pair.flows.iter().any(|flow| way.flows.iter().any(|own| own.spi == flow.spi));
        (capture != view.attempt.first_frame.capture && watched).then_some((capture, has))
    })
}

/// The capture that was recording and has nothing of a way that another one has.
fn missed_by(points: &Points, way: &traffic::Way<'_>) -> Option<u32> {
    let (first, last) = way.first().zip(way.last())?;
    let here = way.flows.first()?.first_frame.capture;
    let at_one = way.flows.iter().all(|flow| [flow.first_frame, flow.last_frame].iter().all(|at| at.capture == here));
    points.watching(here, first, last).filter(|_| at_one && doubles(way) == 0)
}

/// Nearly all packets were recorded twice.
fn at_both(way: &traffic::Way<'_>) -> bool {
    doubles(way).saturating_mul(5) >= recorded(way).saturating_mul(2)
}

/// Packets that were recorded once.
fn at_one(way: &traffic::Way<'_>) -> u64 {
    way.packets().saturating_sub(doubles(way))
}

/// Whether two captures were recording all the time from the first packet of a way to the last.
fn watched_all(points: &Points, way: &traffic::Way<'_>) -> bool {
    let Some((first, last)) = way.first().zip(way.last()) else { return false };
    let another = |capture| points.watching(capture, first, last);
    way.flows.first().and_then(|flow| another(flow.first_frame.capture)).and_then(another).is_some()
}

fn doubles(way: &traffic::Way<'_>) -> u64 {
    way.flows.iter().map(|flow| flow.duplicates.saturating_add(flow.recorded_again)).sum()
}

fn recorded(way: &traffic::Way<'_>) -> u64 {
    way.flows.iter().map(|flow| flow.packets.saturating_add(flow.recorded_again)).sum()
}
