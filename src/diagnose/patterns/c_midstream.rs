//! C-MIDSTREAM: the capture begins in the middle of an SA's life.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};

use super::phase1::RefusalsInV2;

pattern! {
    /// ## What is seen
    ///
    /// The first message of a pair of SPIs is not a first message: the responder's SPI is filled in, it is encrypted, or its
    /// exchange is one that needs an SA.
    ///
    /// ## What it means
    ///
    /// The capture began after the negotiation did. What was offered is not known, nor what was chosen, if that is missing too, and then
    /// lengths tell less. What the rest shows is said all the same: refusals, silence and repeats need no offer. Nothing is
    /// concluded from what may have come before.
    ///
    /// ## Look-alikes
    ///
    /// - `C-ONE-DIR`: the beginning is missing because a whole direction is.
    /// - `L-STALE-SA`: a peer that goes on using an SA which the other end no longer knows.
    C_MIDSTREAM = "C-MIDSTREAM", Capture, Info;
    title: "the capture begins in the middle of this negotiation or SA";
    causes: [
        "late" 0.90 "the capture was started later than the negotiation", raised by "it is the first thing in the capture", lowered by "the capture ran for long before";
        "lost" 0.10 "the first messages are missing from the capture, or the SA is a stale one",
            raised by "the capture ran for long before", lowered by "it is the first thing in the capture";
    ];
    checks: [
        Capture: "to see the set-up: start the capture, then clear the tunnel on one end";
    ];
    logs: [
        "Cisco PIX": "VPN Peer:ISAKMP: Peer Info for …/500 not found - peers:0" ("PIX-16");
    ];
    sources: ["PIX-16", "RFC 2408 §3.1", "RFC 7296 §3.1"];
    misses: Beginning;
    when: MIDSTREAM;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let refusals = RefusalsInV2::of(case);
    case.attempts()
        // P1-VERSION.
        .filter(|(_, view)| !refusals.holds(view.attempt))
        .filter(|(_, view)| view.attempt.midstream && !view.attempt.is_of_remarks() && !begins_elsewhere(view))
        .map(|(index, view)| {
            let first = view.messages().next();
            let what = first.map_or("a message".to_owned(), |message| message.label.to_string());
            Match::on(index, Confidence::Stated)
                .seen(format!(
                    "the first message of this SA in the capture is {what}; {} is not in the capture",
                    if view.shows_set_up() { "what came before" } else { "its set-up" },
                ))
                .means(match view.attempt.chosen {
                    Some(_) => "what was chosen is known, and what was offered is not",
                    None => "what was offered and chosen is not known: less can be said about this SA",
                })
                .frames([view.attempt.first_frame])
        })
        .collect()
}

/// Whether the set-up began between other addresses: this is an answer from one that was not asked.
fn begins_elsewhere(view: &View<'_>) -> bool {
    view.elsewhere(|_, other| (!other.midstream).then_some(())).is_some()
}
