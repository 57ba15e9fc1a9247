//! L-FLAP: the tunnel goes up and down.

use std::time::Duration;

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};

use super::informational::{self, Reading};
use super::life_cycle::{self, Life, Traffic};
use super::ok_delete;

/// Interruptions before it is a habit.
const LEAST: usize = 2;
/// A tunnel that was not used for this long before it was taken down in good order was no longer needed.
const UNUSED: Duration = Duration::from_secs(30);
/// Further apart than this, on average, they are single events.
const APART: Duration = Duration::from_secs(3600);

pattern! {
    /// ## What is seen
    ///
    /// Three or more complete negotiations of the same two addresses within a short time, and between them times when
    /// the tunnel was down: no ESP of the old SAs runs across the new negotiation.
    ///
    /// ## What it means
    ///
    /// The tunnel comes up each time, so the configuration is right in the main. The rhythm tells the class of cause: a
    /// constant period points at a lifetime, an idle timeout or liveness checks; no rhythm points at the path.
    ///
    /// ## Look-alikes
    ///
    /// - Re-keying: the old SA carries traffic until the new one does.
    /// - A tunnel on demand: it is taken down in good order after an idle time, and comes up again when there is traffic.
    /// - `T-SHORT-SESSION`: the tunnel is taken down after a few packets each time.
    /// - `L-RETRY-LOOP`: it never comes up at all.
    L_FLAP = "L-FLAP", LifeCycle, Error;
    title: "the tunnel goes up and down";
    causes: [
        "timer" 0.35 "a lifetime without overlap, or different lifetimes on the two ends", raised by "a constant period, equal to a lifetime in the proposal", lowered by "no rhythm";
        "liveness" 0.25 "liveness checks fail, or only one side uses them", raised by "unanswered checks before each end", lowered by "no checks in the capture";
        "path" 0.25 "the line or its address changes", raised by "no rhythm; another address or port each time", lowered by "a constant period";
        "idle" 0.15 "an idle timeout takes it down between uses", raised by "a pause in traffic before each end", lowered by "traffic up to the end";
    ];
    checks: [
        Either: "compare the period with phase 1 and phase 2 lifetimes, idle timeout and liveness settings on both ends; phase 1 must outlive phase 2";
        Either: "look what each side logs at the moment the tunnel goes down";
        Path: "check the line for interruptions and address changes at those times";
        Either: "make sure that nobody changed the far end, and that the subnets are the same on both";
    ];
    logs: [
        "Cisco ASA": "Intermittent vpn flapping and disconnection" ("S2S-44");
    ];
    sources: ["S2S-26", "S2S-44", "S2S-45", "S2S-46", "S2S-49", "RFC 7296 §2.8"];
    when: SEVERAL FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let lives = life_cycle::lives(case);
    // Without traffic, nobody can say whether it was interrupted.
    if case.pair.flows.is_empty() {
        return Vec::new();
    }
    let traffic = Traffic::of(case);
    // Who takes leave of a tunnel that nobody used meant to.
    let ended_idle = |life: &Life<'_>| {
        ok_delete::left(&life.view).is_some_and(|left| left.since(life.up) >= UNUSED && traffic.rests(left, UNUSED))
    };
    let breaks: Vec<(&Life<'_>, &Life<'_>)> = lives
        .windows(2)
        .filter_map(|two| match two {
            [earlier, later] if life_cycle::interrupted(&traffic, earlier, later) && !ended_idle(earlier) => {
                Some((earlier, later))
            }
            _ => None,
        })
        .collect();
    let periods: Vec<Duration> = breaks.iter().map(|(earlier, later)| later.up.since(earlier.up)).collect();
    let period = life_cycle::mean(&periods);
    let (Some(last), true) = (lives.last(), breaks.len() >= LEAST && period <= APART) else { return Vec::new() };
    let steady = life_cycle::alike(&periods);
    // What ended each is in the capture.
    let unanswered = |life: &Life<'_>| {
        let mut read = informational::read(&life.view).into_iter();
        read.any(|one| one.reading == Reading::Question { answered: false })
    };
    let silent = breaks.iter().all(|(earlier, _)| unanswered(earlier));
    let by_hand = !steady
        && breaks.iter().all(|(earlier, later)| {
            let left = ok_delete::left(&earlier.view).and_then(|_| ok_delete::leaver(&earlier.view));
            let begins = later.view.attempt.initiator.ip();
            left.is_some_and(|side| life_cycle::address(earlier.view.attempt, side) == begins)
        });
    let still_up = last.index + 1 == case.pair.attempts.len();
    let mut found = Match::on_pair(Confidence::Inferred)
        .seen(format!(
            "up {} times, with {} between; {} from one to the next{}",
            lives.len(),
            number(breaks.len() as u64, "interruption"),
            span(period),
            if steady { ", always the same" } else { " on average" },
        ))
        .means(if silent {
            "each time one end had stopped answering liveness checks"
        } else if by_hand {
            "the side that takes it down brings it up again, in no rhythm: somebody means it"
        } else if steady {
            "something that counts time takes it down"
        } else {
            "it comes up each time and does not stay up"
        })
        .frames(lives.iter().take(16).map(|life| life.view.attempt.first_frame));
    found = if silent {
        found.weigh("liveness", 4.0).weigh("path", 2.0).weigh("timer", 0.2).weigh("idle", 0.2)
    } else if steady {
        found.weigh("timer", 2.0).weigh("path", 0.3)
    } else {
        found.weigh("timer", 0.4).weigh("path", 1.5)
    };
    vec![match still_up {
        _ if by_hand => found.severity(Severity::Notice),
        true => found.severity(Severity::Warning),
        false => found,
    }]
}
