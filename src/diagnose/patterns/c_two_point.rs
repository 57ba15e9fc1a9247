//! C-TWO-POINT: two captures of the same conversation, put side by side.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};
use crate::track::MessageRecord;

use super::traffic;

/// The same message reaches both points within this time; the clocks of two captures may differ by as much.
const UNDERWAY: Duration = Duration::from_secs(2);
/// So many messages tell how far the clocks of two captures differ.
const APART: u32 = 3;
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
    let windows = windows(case);
    let messages = || case.attempts().flat_map(|(_, view)| view.messages());
    if !overlap(&windows) || !messages().any(twice) {
        return Vec::new();
    }
    messages_of(case, &windows).into_iter().chain(traffic_of(case, &windows)).collect()
}

/// Whether the captures of the run were taken at two points at the same time: what comes twice is one packet, seen at both,
/// and what they have in common is in the order of neither.
pub(super) fn is_seen_twice(case: &Case<'_>) -> bool {
    let messages = || case.attempts().flat_map(|(_, view)| view.messages());
    case.survey.captures_overlap() && (messages().any(twice) || are_apart(messages()))
}

/// The clocks of two captures differ by more than a packet is under way: all messages are as far apart in one and the other.
fn are_apart<'a>(messages: impl Iterator<Item = &'a MessageRecord>) -> bool {
    let apart = messages.filter_map(|message| {
        let copies =
            || message.repeats.iter().map(|repeat| (repeat.frame, repeat.at)).chain([(message.frame, message.at)]);
        let first = copies().map(|(frame, _)| frame.capture).min()?;
        let at = |here: bool| copies().filter(|(frame, _)| (frame.capture == first) == here).map(|(_, at)| at).min();
        at(true).zip(at(false)).map(|(here, there)| there.as_nanos().saturating_sub(here.as_nanos()))
    });
    let (count, least, most) = apart
        .fold((0, i64::MAX, i64::MIN), |(count, least, most), apart| (count + 1, apart.min(least), apart.max(most)));
    count >= APART && most.saturating_sub(least) <= UNDERWAY.as_nanos() as i64 / 2
}

fn messages_of(case: &Case<'_>, windows: &BTreeMap<u32, (Timestamp, Timestamp)>) -> Option<Match> {
    let messages = || case.attempts().flat_map(|(_, view)| view.messages());
    let mut found = Match::on_pair(Confidence::Inferred);
    let (mut both, mut missing, mut labels) = (0_u64, [0_u64; 2], Vec::new());
    for message in messages() {
        if twice(message) {
            both += 1;
        } else if elsewhere_recording(windows, message)
            && let Some(count) = missing.get_mut(message.from.index())
        {
            *count += 1;
            if found.frames.len() < NAMED {
                found.frames.push(message.frame);
                labels.push(message.label.to_string());
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

/// ESP or AH of one side at one point only, where that of the other side is at both.
fn traffic_of(case: &Case<'_>, windows: &BTreeMap<u32, (Timestamp, Timestamp)>) -> Option<Match> {
    let ways = traffic::ways(case);
    let doubles = |way: &traffic::Way<'_>| -> u64 {
        way.flows.iter().map(|flow| flow.duplicates.saturating_add(flow.recorded_again)).sum()
    };
    let recorded = |way: &traffic::Way<'_>| -> u64 {
        way.flows.iter().map(|flow| flow.packets.saturating_add(flow.recorded_again)).sum()
    };
    let at_both = |way: &traffic::Way<'_>| doubles(way).saturating_mul(5) >= recorded(way).saturating_mul(2);
    let [there, back] = &ways;
    let (lost, known) = if at_both(back) { (there, back) } else { (back, there) };
    let (first, last) = lost.first().zip(lost.last())?;
    let capture = lost.flows.first()?.first_frame.capture;
    let at_one =
        lost.flows.iter().all(|flow| [flow.first_frame, flow.last_frame].iter().all(|at| at.capture == capture));
    let watched = windows.iter().any(|(&other, window)| {
        other != capture && window.0 <= first.after(UNDERWAY) && last <= window.1.after(UNDERWAY)
    });
    let at_two = known.flows.iter().any(|flow| flow.first_frame.capture != flow.last_frame.capture);
    let enough = at_two && recorded(lost) >= TRAFFIC && doubles(lost) == 0 && recorded(known) >= TRAFFIC;
    (at_both(known) && at_one && watched && enough).then(|| {
        Match::on_pair(Confidence::Inferred)
            .severity(Severity::Warning)
            .seen(format!(
                "{} of ESP or AH from {} in one capture only; what {} sends is in both",
                number(lost.packets(), "packet"),
                lost.from,
                known.from,
            ))
            .means(format!("what {} sends is lost between the two points", lost.from))
            .frames(lost.frames())
    })
}

/// When each capture that holds messages of this pair was recording: from its first frame to its last, or where that is not
/// known, between the messages.
fn windows(case: &Case<'_>) -> BTreeMap<u32, (Timestamp, Timestamp)> {
    let mut windows = BTreeMap::new();
    let mut again = false;
    for (_, view) in case.attempts() {
        for message in view.messages() {
            again |= message.recorded_again > 0;
            let copies = message.repeats.iter().map(|repeat| (repeat.frame, repeat.at));
            for (frame, at) in copies.chain([(message.frame, message.at)]) {
                let window = windows.entry(frame.capture).or_insert((at, at));
                window.0 = window.0.min(at);
                window.1 = window.1.max(at);
            }
        }
    }
    let recorded = (0..).zip(&case.facts.recorded).filter_map(|(capture, window)| Some((capture, (*window)?)));
    // The copy at the other point may have been taken for one that was recorded again.
    let elsewhere = again && case.survey.captures_overlap();
    for (capture, (first, last)) in recorded {
        let meanwhile = first <= case.pair.last && last >= case.pair.first;
        if windows.contains_key(&capture) || elsewhere && meanwhile {
            windows.insert(capture, (first, last));
        }
    }
    windows
}

/// Two captures were recording at the same time: not the pieces of one, which follow each other.
fn overlap(windows: &BTreeMap<u32, (Timestamp, Timestamp)>) -> bool {
    let mut spans: Vec<_> = windows.values().collect();
    spans.sort_unstable();
    spans.windows(2).any(|pair| matches!(pair, [earlier, later] if later.0 < earlier.1))
}

/// A copy in another capture, soon enough to be the same packet, or the same packet once more.
fn twice(message: &MessageRecord) -> bool {
    message.recorded_again > 0
        || message.repeats.iter().any(|repeat| {
            repeat.frame.capture != message.frame.capture
                && repeat.at.since(message.at) <= UNDERWAY
                && message.at.since(repeat.at) <= UNDERWAY
        })
}

/// Another capture of the pair was recording when this message, or a repeat of it, passed.
fn elsewhere_recording(windows: &BTreeMap<u32, (Timestamp, Timestamp)>, message: &MessageRecord) -> bool {
    let mut copies = message.repeats.iter().map(|repeat| repeat.at).chain([message.at]);
    copies.any(|at| {
        windows.iter().any(|(&capture, &(first, last))| {
            capture != message.frame.capture && first.after(UNDERWAY) <= at && at.after(UNDERWAY) <= last
        })
    })
}
