//! P1-MM2-NO-MM3: the responder answered, and the initiator never goes on.

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{times, until};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, MessageRecord, Mode, Side};

use super::phase1::{self, Standing};

pattern! {
    /// ## What is seen
    ///
    /// Message 2 (one chosen transform), perhaps sent again, and no message 3. Message 1 goes on repeating, or stops.
    ///
    /// ## What it means
    ///
    /// If message 1 is repeated although message 2 was sent, the answer does not get back: a filter, a missing return route, a
    /// translation. If message 1 stops, the initiator got message 2 and did not like it, or gave up. A scanner never goes on:
    /// it only wanted to see the answer.
    ///
    /// ## Look-alikes
    ///
    /// - `C-ONE-DIR`: message 3 exists and the capture does not hold that direction.
    /// - `S-SCAN`: many offers, many targets, no vendor ids.
    P1_MM2_NO_MM3 = "P1-MM2-NO-MM3", Phase1, Error;
    title: "message 1 is answered and the initiator does not go on";
    causes: [
        "return" 0.60 "message 2 does not get back to the initiator: a filter, an address translation, no return route",
            raised by "message 1 keeps repeating after message 2 was sent", lowered by "message 1 stops after message 2";
        "dislikes" 0.25 "the initiator does not accept message 2, or gave up",
            raised by "message 1 stops; the initiator begins anew with another offer", lowered by "message 1 keeps repeating";
        "probe" 0.15 "the initiator is a scanner or a monitor, and wants no tunnel",
            raised by "many transforms, no vendor id, several targets", lowered by "a known peer";
    ];
    checks: [
        Path: "follow the responder's answer back: filters for UDP from port 500, the return route, address translation on both sides";
        Initiator: "look in its log for what it did with message 2";
        Responder: "make sure that it answers from the address and port that message 1 was sent to";
    ];
    logs: [
        "Cisco ASA": "MM_WAIT_MSG3" ("S2S-16");
        "Cisco IOS": "MM_SA_SETUP" ("CON-17");
        "Cisco PIX": "retransmitting phase 1" ("PIX-18");
        "strongSwan": "deleting half open IKE_SA with … after timeout" ("public logs");
        "strongSwan": "sending retransmit … of response message ID …, seq …" ("strongSwan log");
        "AWS": "AWS tunnel Timeout: deleting un-established Phase 1 IKE_SA with cgw" ("AWS log-contents");
        "Cisco ASA": "IKE session establishment timed out […], aborting!" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-18", "PIX-19", "S2S-16", "S2S-17", "S2S-18", "S2S-19", "CON-17", "RFC 2409 §5", "RFC 2408 §4.5"];
    misses: SetUp;
    lost: "return";
    when: V1 DOWN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter(|(_, view)| view.attempt.mode == Mode::Main)
        .filter_map(|(index, view)| {
            let choice = view.message(Label::Mm(2))?;
            let goes_on = view.messages().any(|message| matches!(message.label, Label::Mm(3..)));
            let refused =
                [Side::Initiator, Side::Responder].into_iter().any(|side| view.clear_errors(side).next().is_some());
            if goes_on || refused || view.attempt.phase1_up.is_some() {
                return None;
            }
            stopped(index, &view, choice, &standing)
        })
        .collect()
}

fn stopped(index: usize, view: &View<'_>, choice: &MessageRecord, standing: &Standing) -> Option<Match> {
    let first = view.message(Label::Mm(1));
    let repeated = first.map_or(0, |first| phase1::repeats_after(first, choice.at));
    let anonymous = phase1::is_anonymous(view);
    let waited = phase1::silence_after(view, choice);
    let watched = waited.is_some();
    let severity = match waited {
        Some(_) => standing.severity(view, P1_MM2_NO_MM3.severity),
        // Too short to call it a stop; a daemon names itself or its abilities, a scanner need not.
        None if anonymous => Severity::Notice,
        None => return None,
    };
    let mut found = Match::on(index, if repeated > 0 { Confidence::Inferred } else { Confidence::Suspected })
        .frames(view.frames(choice))
        .frames(first.map(|first| first.frame))
        .severity(severity);
    let waited = waited.unwrap_or_else(|| view.waited(choice));
    found.seen = format!("MM2 was sent {}; no MM3 {}", times(waited.copies), until(waited.over + waited.after, "it"));
    if repeated > 0 {
        found.seen.push_str(&format!("; MM1 came {} more after it", times(repeated as u64)));
        found.means = "the initiator goes on asking: it does not get, or does not take, the answer".into();
        found = found.weigh("return", 1.5).weigh("dislikes", 0.3).weigh("probe", 0.3);
    } else {
        found.means = if watched {
            "the initiator stopped asking and did not go on: it refused the answer, gave up, or never wanted more"
        } else {
            "the capture ends with the responder's answer; an initiator that does not name itself may want no more than that"
        }
        .into();
        found = found.weigh("return", 0.5).weigh("dislikes", 2.0);
    }
    if anonymous {
        found.seen.push_str("; the initiator sent no vendor id");
        found = found.weigh("probe", 4.0);
    }
    Some(
        found.settle("a capture on the initiator's outside: whether message 2 arrives there; else the initiator's log"),
    )
}
