//! P2-NO-QM3: Quick Mode is not confirmed.

use std::net::IpAddr;

use crate::diagnose::case::{AT_ONCE, Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{Content, V1Suite};
use crate::diagnose::waiting::Waited;
use crate::diagnose::words::{span, times, until};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Exchange, ExchangeKind, Label, MessageRecord};

use super::traffic::AHEAD;
use super::{life_cycle, phase1, phase2};

pattern! {
    /// ## What is seen
    ///
    /// Message 2 of Quick Mode is sent again and again: message 3 does not come, or it passes here and yet message 2 goes on. Or an
    /// encrypted Informational comes in the place of message 3 at once, and nothing more.
    ///
    /// ## What it means
    ///
    /// The responder does not get the confirmation and does not use the SA. If message 3 passes this point, or ESP from the
    /// side that started appears, that side is content and message 3 is lost further on. If neither is seen, the side that
    /// started did not like message 2, or did not get it.
    ///
    /// ## Look-alikes
    ///
    /// - One message 2 more that crosses message 3: normal.
    /// - A message 2 that is sent once, and nobody asks again: message 3 came, and the capture missed it.
    /// - `T-ONEWAY`: what follows, if the responder never installs the SA.
    P2_NO_QM3 = "P2-NO-QM3", Phase2, Warning;
    title: "phase 2 (quick mode) is not confirmed";
    causes: [
        "lost-3" 0.41 "message 3 is lost on its way to the responder", raised by "message 3 passes here; ESP from the side that started", lowered by "message 1 is repeated";
        "lost-2" 0.23 "message 2 does not get back", raised by "message 1 is repeated after message 2 was sent", lowered by "message 1 stops";
        "install" 0.10 "the side that does not go on cannot install the SA, or fails on the message", raised by "every copy passes here and changes nothing", lowered by "other losses";
        "dislikes" 0.26 "the side that started refuses what was chosen: networks or proposal", raised by "an encrypted Informational after message 2; message 1 stops", lowered by "ESP from the side that started";
    ];
    checks: [
        Path: "look for loss, a filter or a missing route between the two" about "lost-2" "lost-3";
        Either("the side that does not go on"): "look in its log for what it did with message 2" about "dislikes";
        Either("the side that does not go on"): "look in its log for an error when it installs the SA" about "install";
        Either: "clear the SAs and try again";
    ];
    logs: [
        "strongSwan": "peer selected invalid traffic selectors" ("strongSwan source") about "dislikes";
        "strongSwan": "sending retransmit … of response message ID …, seq …" ("strongSwan log");
    ];
    sources: ["RFC 2409 §5.5", "RFC 2408 §4.5"];
    misses: Messages;
    lost: "lost-2", or its answer: "lost-3";
    when: QUICK_MODE_UNCONFIRMED, V1 REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.attempts()
        .filter(|(_, view)| !view.one_sided())
        .filter_map(|(index, view)| {
            let quick_modes = || view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::QuickMode);
            // Beside others, what comes after message 2 may delete the SA that is replaced.
            let answered = quick_modes().filter(|exchange| exchange.message(Label::Qm(2)).is_some());
            let alone = view.shows_set_up() && answered.count() == 1;
            quick_modes().filter_map(|exchange| unconfirmed(index, &view, exchange, alone)).next_back()
        })
        .collect()
}

/// `alone`: no other Quick Mode of the attempt was answered, before the capture either.
fn unconfirmed(index: usize, view: &View<'_>, exchange: &Exchange, alone: bool) -> Option<Match> {
    let second = exchange.message(Label::Qm(2))?;
    let third = exchange.message(Label::Qm(3));
    let [starter, other] =
        [exchange.started_by, exchange.started_by.other()].map(|side| life_cycle::address(view.attempt, side));
    // That the side that started has left since explains no message 2 that comes in spite of message 3.
    let silence = match third {
        Some(_) => Some(view.waited(second)).filter(Waited::is_silence),
        None => phase1::silence_after(view, second),
    };
    let may_end = alone && third.is_none();
    if silence.is_none() && !may_end {
        return None;
    }
    let answer = phase1::encrypted_informationals(view, exchange.started_by)
        .find(|message| message.at > second.at && third.is_none());
    // What comes at once, and is no liveness check by its length, is about message 2.
    let refused = answer.filter(|answer| answer.at.since(second.at) <= AT_ONCE && may_refuse(view, answer));
    let last_word = refused.filter(|refused| may_end && is_last_word(view, second, refused));
    let waited = silence.or_else(|| last_word.map(|_| view.waited(second)))?;
    // Message 3 may come yet.
    let early = silence.is_none() && last_word.is_some_and(|last| !view.is_watched_after(last));
    let last = second.repeats.iter().map(|repeat| repeat.at).max().unwrap_or(second.at);
    if let Some(third) = third {
        phase1::copies_in_spite_of(third, second)?;
    }
    // New traffic from the responder after all this: it has the SA.
    let last_from = |end: IpAddr| {
        let begun = view.case.flows_from(end).filter(|flow| flow.first.after(AHEAD) >= second.at);
        begun.map(|flow| flow.last).max()
    };
    if last_from(other).is_some_and(|packet| packet > last) {
        return None;
    }
    let uses = last_from(starter).is_some();
    let asked_again =
        exchange.message(Label::Qm(1)).map_or(0, |first: &MessageRecord| phase1::repeats_after(first, second.at));
    let unasked = view.quick_mode_unasked(exchange);
    if unasked && view.quick_mode_settled(exchange) {
        return None;
    }
    let later = view.exchanges().iter().any(|later| {
        later.kind == ExchangeKind::QuickMode
            && later.message(Label::Qm(3)).is_some()
            && later.messages.first().is_some_and(|message| message.at > second.at)
    });
    let shown = third.is_some() || asked_again > 0 || refused.is_some();
    let confidence = match early {
        true => Confidence::Suspected,
        false if shown => Confidence::Inferred,
        false => waited.certainty(),
    };
    let mut found = Match::on(index, confidence)
        .frames(view.frames(second))
        .frames(third.map(|third| third.frame))
        .about(if third.is_some() || uses { second.from } else { exchange.started_by })
        .settle(match third {
            Some(_) => "a capture on the outside of the side that answered: whether QM3 arrives",
            None if uses => "a capture on the outside of the side that started: whether QM3 leaves",
            None if refused.is_some() => "the log of the side that started: what it makes of QM2",
            None => "a capture on the outside of the side that started: whether QM2 arrives, and QM3 leaves",
        });
    found.seen = format!(
        "QM2 was sent {}{}; {}",
        times(waited.copies),
        if waited.copies > 1 { format!(" in {}", span(waited.over)) } else { String::new() },
        match third {
            Some(_) => "QM3 passed here and did not stop it".to_owned(),
            None => format!("no QM3 {}", until(waited.over + waited.after, "it")),
        },
    );
    if uses {
        found.seen.push_str(&format!("; {starter} uses the SA"));
    }
    if asked_again > 0 {
        found.seen.push_str(&format!("; QM1 came {} more after it", times(asked_again as u64)));
    }
    if let Some(answer) = answer {
        found.frames.push(answer.frame);
        found.seen.push_str(&format!(
            "; an encrypted Informational came from {starter} {} after QM2",
            span(answer.at.since(second.at))
        ));
    }
    found.means = match (third.is_some() || uses, asked_again > 0) {
        _ if refused.is_some() && !uses => {
            "the side that started got message 2 and seems to refuse it: networks or proposal of the answer, or it cannot install the SA"
        }
        (true, _) => {
            "the side that started takes the SA for complete; its message 3 does not reach the other side, or is not taken by it"
        }
        (_, true) => "message 2 does not reach the side that started, or is not taken by it",
        _ => "the side that started refuses message 2, did not get it, or its message 3 is lost before this point",
    }
    .into();
    if third.is_some() || uses {
        found = found.rule_out(&["lost-2", "dislikes"]);
    } else if asked_again > 1 {
        found = found.rule_out(&["lost-3"]);
    }
    if asked_again > 0 {
        found = found.weigh("lost-2", 5.0).weigh("install", 3.0).weigh("dislikes", 0.3);
    }
    if refused.is_some() && !uses {
        found = found.weigh("dislikes", 10.0).weigh("lost-2", 0.05).weigh("lost-3", 0.3).weigh("install", 3.0);
    } else if answer.is_some() {
        found = found.weigh("dislikes", 2.0);
    }
    // What takes one side long, as a large group does, may take the other as long.
    let took = exchange.message(Label::Qm(1)).map(|first| second.at.since(first.at));
    let at_work = third.is_none() && !uses && answer.is_none() && asked_again == 0;
    if let Some(took) = took.filter(|&took| at_work && waited.over + waited.after < took * 2) {
        found.confidence = Some(Confidence::Suspected);
        found.seen.push_str(&format!("; QM2 itself came {} after QM1", span(took)));
        found.means = "too early to call it a stop: the side that started may take as long".into();
        return Some(found.severity(Severity::Notice));
    }
    Some(if later || unasked { found.severity(Severity::Notice) } else { found })
}

/// With this the side that started ends what it began: it is no liveness check by its length, nothing more comes from that side
/// under the SA, and no traffic begins.
fn is_last_word(view: &View<'_>, second: &MessageRecord, refused: &MessageRecord) -> bool {
    let contents = |suite: V1Suite| suite.contents(view.attempt, refused.from, refused.length);
    let goes_on = || view.messages().any(|message| message.from == refused.from && message.last_sent() > refused.at);
    V1Suite::chosen(view.attempt).is_some_and(|suite| !contents(suite).contains(Content::Dpd))
        && refused.repeat_count == 0
        && !goes_on()
        && view.begun_from(second.at).next().is_none()
}

/// An encrypted Informational that may be a refusal, as far as its length tells.
fn may_refuse(view: &View<'_>, message: &MessageRecord) -> bool {
    V1Suite::chosen(view.attempt).is_none_or(|suite| {
        let contents = suite.contents(view.attempt, message.from, message.length);
        contents.is_empty() || contents.iter().any(phase2::refuses)
    })
}
