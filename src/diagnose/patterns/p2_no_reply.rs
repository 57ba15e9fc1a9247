//! P2-NO-REPLY: Quick Mode gets no answer.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{role, span, times};
use crate::track::{IkeVersion, Label, Side};

use super::phase1::{self, Habits};
use super::phase2::{self, Accepted, Fate, Standing};
use super::{life_cycle, p1_xauth};

/// Whoever sent message 6 no longer ago than this has the SA.
const JUST_BEFORE: Duration = Duration::from_secs(1);

pattern! {
    /// ## What is seen
    ///
    /// Message 1 of Quick Mode is sent again and again under the same message id; nothing comes from the peer for it.
    ///
    /// ## What it means
    ///
    /// The peer refuses phase 2 without a word (networks, proposal, PFS), or it no longer knows the phase 1 SA, or nothing
    /// arrives any more. A peer that still answers liveness checks under the same cookies knows the SA: then it refuses. One that
    /// accepted a Quick Mode of the same length before hardly refuses its re-key.
    ///
    /// ## Look-alikes
    ///
    /// - `P2-REJECT`: the peer answers with an encrypted error.
    /// - `L-STALE-SA`: the peer restarted; its own new message 1, or INVALID-COOKIE, follows.
    /// - `C-ONE-DIR`: the answer exists and the capture does not hold it.
    P2_NO_REPLY = "P2-NO-REPLY", Phase2, Error;
    title: "phase 2 (quick mode) gets no answer";
    causes: [
        "refused" 0.60 "the peer refuses phase 2 without a word: networks, proposal or PFS differ",
            raised by "the peer answers liveness checks under the same cookies", lowered by "no liveness answer either; one of the same length was accepted before";
        "lost-sa" 0.25 "the peer has lost the phase 1 SA", raised by "the peer sends a new message 1, or INVALID-COOKIE", lowered by "liveness checks are answered";
        "path" 0.15 "the message or its answer is lost", raised by "all traffic of the pair stops; a large message 1 with PFS; one of the same length was accepted before", lowered by "liveness checks are answered";
    ];
    checks: [
        Either: "make protected networks, ESP or AH proposal and PFS the same" about "refused";
        Either: "clear the phase 1 SA and try again" about "lost-sa";
        Path: "look for loss, or a filter that takes the message or its answer" about "path";
        Responder: "look in its log whether message 1 of Quick Mode arrives, and what it says about it";
    ];
    logs: [
        "Netopia": "ph2 resend timeout" ("NIR-16");
        "Cisco PIX": "retransmitting phase 2..." ("PIX-21");
        "Cisco PIX": "Reserved Not Zero on Payload 8" ("PIX-15");
        "libreswan": "No acceptable response to our first Quick Mode message: perhaps peer likes no proposal" ("libreswan source");
        "strongSwan": "giving up after … retransmits" ("strongSwan source");
        "strongSwan": "sending retransmit … of request message ID …, seq …" ("strongSwan log");
        "racoon": "phase2 negotiation failed due to time up." ("racoon source");
    ];
    sources: ["PIX-15", "PIX-21", "NIR-16", "NIR-17", "RFC 2409 §5.5", "RFC 3706 §5"];
    misses: Messages;
    lost: "path", or its answer: "path";
    when: QUICK_MODE_OPEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let habits = Habits::of(case);
    let accepted = Accepted::of(case);
    case.attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1)
        .filter_map(|(index, view)| {
            if phase1::message_3_ignored(&view).is_some() || p1_xauth::quick_mode_too_early(&view) {
                // P1-AGGR-AUTH: for the responder there is no SA yet. P1-XAUTH: nor is it time for phase 2.
                return None;
            }
            let quick_modes = phase2::quick_modes(&view);
            if quick_modes.iter().any(|quick| matches!(quick.fate, Fate::Refused { .. } | Fate::InClear(_))) {
                return None;
            }
            let silent = quick_modes.iter().rev().find(|quick| matches!(quick.fate, Fate::Silence(_)))?;
            let Fate::Silence(waited) = silent.fate else { return None };
            let peer = silent.started_by.other();
            let (starter, other) = (role(silent.started_by), role(peer));
            let mut found = Match::on(index, waited.certainty())
                .frames(view.frames(silent.first))
                .severity(standing.severity(silent.first.at, P2_NO_REPLY.severity))
                .means("the peer refuses phase 2 without a word or has lost the phase 1 SA, or the message or its answer is lost")
                .settle(format!("the {other}'s log, or a capture on its outside: whether QM1 arrives"));
            found.seen = format!(
                "QM1 from the {starter} ({} octets) was sent {}; no QM2 and no error in the {} from the first copy to the end",
                silent.first.length,
                times(waited.copies),
                span(waited.over + waited.after),
            );
            let before = accepted.before(&view, silent);
            if let Some(before) = before {
                found.seen.push_str(&format!(
                    "; one of the same length that the {starter} started {} before was accepted",
                    span(before)
                ));
                found = found.weigh("refused", 0.15).weigh("path", 2.0);
            }
            let talks = phase1::encrypted_informationals(&view, peer).any(|message| message.at > silent.first.at);
            if talks {
                found.seen.push_str(&format!("; the {other} sends other messages under the same cookies meanwhile"));
                found = found.weigh("refused", 1.5).weigh("lost-sa", 0.2).weigh("path", 0.2);
            } else if before.is_some() {
                found.means = "the message or its answer is lost, or the peer has lost the phase 1 SA; it refuses what it accepted before only if that was about other networks, or its configuration was changed".into();
            }
            if lost(&view, &habits, peer, silent.first.at) {
                found.seen.push_str(&format!("; the {other} then begins anew or says that it does not know the SA"));
                found = found.weigh("lost-sa", 4.0);
            }
            if silent.started_by == Side::Initiator && has_just_come_up(&view, silent.first.at) {
                found.means = "the peer refuses phase 2 without a word, or the message or its answer is lost".into();
                found = found.rule_out(&["lost-sa"]);
            }
            if silent.first.ip_fragments > 1 {
                found = found.weigh("path", 3.0);
            }
            Some(found)
        })
        .collect()
}

/// Message 6 of Main Mode came right before `at`.
fn has_just_come_up(view: &View<'_>, at: Timestamp) -> bool {
    view.message(Label::Mm(6)).is_some_and(|sixth| at.since(sixth.at) <= JUST_BEFORE)
}

/// `side` said, or shows by a new message 1 of its own, that it no longer knows the SA.
fn lost(view: &View<'_>, habits: &Habits<'_>, side: Side, since: Timestamp) -> bool {
    let address = life_cycle::address(view.attempt, side);
    view.clear_errors(side).any(|error| error.message.at > since)
        || habits.at(address).latest.is_some_and(|latest| latest > since)
}
