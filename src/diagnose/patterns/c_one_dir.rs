//! C-ONE-DIR: only one direction of the conversation is captured.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::track::{Attempt, MessageRecord, Side};

use super::life_cycle;

pattern! {
    /// ## What is seen
    ///
    /// Messages that answer something, or that carry the other side's SPI, and not one packet from that other side.
    /// Or both are seen at first, and from some point on only one, which goes on as if it were answered.
    ///
    /// ## What it means
    ///
    /// The conversation went both ways and the capture holds one of them: asymmetric routing, a mirror port for one
    /// direction, a capture filter on one address. Nothing can be said about missing answers.
    ///
    /// ## Look-alikes
    ///
    /// None: this takes every verdict of silence off the table.
    C_ONE_DIR = "C-ONE-DIR", Capture, Warning;
    title: "only one direction of the conversation is captured";
    causes: [
        "tap" 0.50 "the mirror port or tap delivers one direction", raised by "the same for every pair in the capture", lowered by "other pairs show both directions";
        "route" 0.40 "answers come in by another path or interface", raised by "other pairs show both directions", lowered by "the same for every pair";
        "filter" 0.10 "the capture filter names a source", raised by "", lowered by "";
    ];
    checks: [
        Capture: "capture again with both directions (mirror both, capture on all interfaces, filter on hosts and not on source)";
    ];
    logs: [];
    sources: ["SMG-28", "S2S-19", "RFC 2408 §3.1", "RFC 7296 §3.1"];
    misses: Messages;
    when: ONE_SIDED;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.attempts()
        .filter_map(|(index, view)| {
            let lost = view.lost_direction();
            if lost.is_none() && (!view.proves_missing_direction() || case.both_ways()) {
                return None;
            }
            let silent = if view.heard(Side::Initiator) { Side::Responder } else { Side::Initiator };
            let silent = lost.unwrap_or(silent);
            if speaks_elsewhere(&view, silent) {
                return None;
            }
            let missing = life_cycle::address(view.attempt, silent);
            let more = if lost.is_some() { "no more packet" } else { "no packet" };
            let from_then = if lost.is_some() { " from some point on" } else { "" };
            let found = Match::on(index, Confidence::Inferred)
                .seen(format!(
                    "{more} from {missing} is in the capture{from_then}, and yet the other side goes on as if it answered"
                ))
                .means("the other direction exists and was not captured: nothing can be said about missing answers")
                .frames([view.attempt.first_frame])
                .settle("capture both directions");
            Some(found)
        })
        .collect()
}

/// The same capture holds what this side says, from or to another address: `N-WRONG-ADDR`.
fn speaks_elsewhere(view: &View<'_>, side: Side) -> bool {
    let here = view.attempt.first_frame.capture;
    let said = |message: &MessageRecord| message.from == side && message.frame.capture == here;
    let says = |other: &Attempt| other.exchanges.iter().any(|exchange| exchange.messages.iter().any(said));
    view.elsewhere(|_, other| says(other).then_some(())).is_some()
}
