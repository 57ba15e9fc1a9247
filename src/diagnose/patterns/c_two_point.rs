//! C-TWO-POINT: two captures of the same conversation, put side by side.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::MessageRecord;

/// The same message reaches both points within this time; the clocks of two captures may differ by as much.
const UNDERWAY: Duration = Duration::from_secs(2);
/// Messages named as evidence.
const NAMED: usize = 8;

pattern! {
    /// ## What is seen
    ///
    /// Two captures of the run hold messages of the same SPIs, message id and content. A message that one of them holds and
    /// the other does not, although that one was recording, was lost between the two points.
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
    let mut found = Match::on_pair(Confidence::Inferred);
    let (mut both, mut missing) = (0_u64, [0_u64; 2]);
    for message in messages() {
        if twice(message) {
            both += 1;
        } else if elsewhere_recording(&windows, message)
            && let Some(count) = missing.get_mut(message.from.index())
        {
            *count += 1;
            if found.frames.len() < NAMED {
                found.frames.push(message.frame);
            }
        }
    }
    let [from_initiator, from_responder] = missing;
    if from_initiator + from_responder == 0 {
        return Vec::new();
    }
    vec![
        found
            .seen(format!(
                "{} in both captures; in one of them only: {from_initiator} from the initiator, {from_responder} from the responder",
                number(both, "message"),
            ))
            .means("what one capture holds and the other does not was lost between the two points"),
    ]
}

/// The first and last message of this pair in each capture: it was recording then, whatever it did before and after.
fn windows(case: &Case<'_>) -> BTreeMap<u32, (Timestamp, Timestamp)> {
    let mut windows = BTreeMap::new();
    for (_, view) in case.attempts() {
        for message in view.messages() {
            let copies = message.repeats.iter().map(|repeat| (repeat.frame, repeat.at));
            for (frame, at) in copies.chain([(message.frame, message.at)]) {
                let window = windows.entry(frame.capture).or_insert((at, at));
                window.0 = window.0.min(at);
                window.1 = window.1.max(at);
            }
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
