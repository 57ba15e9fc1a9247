//! S-HALFOPEN: negotiations that are begun and left.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::track::{MessageRecord, Pair, Side};

use super::probe;

/// What is counted together.
const MINUTE: Duration = Duration::from_secs(60);
/// Negotiations left open in a minute.
const LEAST: usize = 10;
/// Addresses that leave one open in a minute.
const SOURCES: usize = 20;

pattern! {
    /// ## What is seen
    ///
    /// Many first messages within a minute, each with new SPIs, that the responder answers (also with COOKIE) and that the
    /// initiator never goes on with.
    ///
    /// ## What it means
    ///
    /// Each of them costs the responder memory and, without cookies, a key exchange. It is a flood, a scan, or an initiator that
    /// forgets its own negotiations.
    ///
    /// ## Look-alikes
    ///
    /// - `S-SCAN`: a few probes.
    /// - `P1-MM2-NO-MM3`, `V2-INIT-NO-AUTH`: the answers do not reach the initiator, which repeats the same message. Where many
    ///   addresses ask once each, these are laid to the flood.
    S_HALFOPEN = "S-HALFOPEN", Security, Warning;
    title: "many negotiations are begun and none is continued";
    causes: [
        "flood" 0.50 "somebody floods the responder, perhaps with forged addresses", raised by "no vendor ids; COOKIE answers never returned", lowered by "the initiator is a known peer";
        "loop" 0.50 "a broken initiator starts anew each time", raised by "the address of a configured peer", lowered by "";
    ];
    checks: [
        Responder: "enable cookies and limits on half-open negotiations for each address";
        Initiator: "if it is a known peer: look why it does not take the answer";
        Path: "if it is not, filter it";
    ];
    logs: [];
    sources: ["RFC 7296 §2.6", "RFC 8019 §4"];
    misses: Messages;
    when: LEFT_OPEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let left: Vec<_> = case.attempts().filter(|(_, view)| probe::left_open(view)).collect();
    let begun: Vec<_> = left.iter().map(|(_, view)| (view.attempt.first, view.attempt.first_frame)).collect();
    let flood = busiest_minute(&begun);
    let Some((index, last)) = left.last().filter(|_| flood.len() >= LEAST) else { return Vec::new() };
    let others = case.attempts().any(|(_, view)| view.attempt.phase1_up.is_some());
    let found = if left.len() == case.pair.attempts.len() {
        Match::on(*index, Confidence::Inferred)
    } else {
        Match::on_pair(Confidence::Inferred)
    };
    vec![
        found
            .seen(format!(
                "{} negotiations of {} were answered and never continued, {} of them within {}",
                left.len(),
                last.attempt.initiator.ip(),
                flood.len(),
                span(lasted(flood)),
            ))
            .means("each costs the responder memory and computing time")
            .frames(flood.iter().take(LEAST).map(|&(_, frame)| frame))
            .weigh("flood", if others { 0.3 } else { 1.5 }),
    ]
}

/// The longest stretch of negotiations, in order of their begin, that began within a minute.
fn busiest_minute(begun: &[(Timestamp, FrameRef)]) -> &[(Timestamp, FrameRef)] {
    let mut from = 0;
    let mut busiest: &[(Timestamp, FrameRef)] = &[];
    for (to, (last, _)) in begun.iter().enumerate() {
        while begun.get(from).is_some_and(|(first, _)| last.since(*first) > MINUTE) {
            from += 1;
        }
        let stretch = begun.get(from..=to).unwrap_or_default();
        if stretch.len() > busiest.len() {
            busiest = stretch;
        }
    }
    busiest
}

/// From the first of some negotiations to the last.
fn lasted(begun: &[(Timestamp, FrameRef)]) -> Duration {
    begun.first().zip(begun.last()).map_or(Duration::ZERO, |((first, _), (last, _))| last.since(*first))
}

/// Negotiations left open at one responder by many addresses: one flood, whoever it claims to come from.
#[derive(Debug, Default)]
pub(crate) struct Floods {
    left_open: BTreeMap<IpAddr, Vec<(Timestamp, FrameRef)>>,
}

impl Floods {
    /// Counts the first negotiation of a pair that was left open.
    pub(crate) fn note(&mut self, case: &Case<'_>) {
        if let Some((_, view)) = case.attempts().find(|(_, view)| probe::left_open(view)) {
            let seen = (view.attempt.first, view.attempt.first_frame);
            self.left_open.entry(view.attempt.responder.ip()).or_default().push(seen);
        }
    }

    /// Counts what others counted too.
    pub(crate) fn add(&mut self, others: Self) {
        for (responder, seen) in others.left_open {
            self.left_open.entry(responder).or_default().extend(seen);
        }
    }

    /// One match for each responder that was flooded, by its address.
    pub(crate) fn found(mut self) -> Vec<(IpAddr, Match)> {
        for seen in self.left_open.values_mut() {
            seen.sort_unstable();
        }
        self.left_open
            .iter()
            .filter_map(|(responder, seen)| {
                let flood = busiest_minute(seen);
                (flood.len() >= SOURCES).then(|| {
                    let found = Match::on_pair(Confidence::Inferred)
                        .seen(format!(
                            "{} addresses began a negotiation with {responder} that was answered and never continued, {} of them within {}",
                            seen.len(),
                            flood.len(),
                            span(lasted(flood)),
                        ))
                        .means("each costs the responder memory and computing time; the addresses may be forged")
                        .frames(flood.iter().take(SOURCES).map(|&(_, frame)| frame))
                        .weigh("flood", 3.0);
                    (*responder, found)
                })
            })
            .collect()
    }
}

/// Whether a pair is part of a flood of one of these responders: nothing but negotiations with it of which the first message
/// came once. Who means it asks again.
pub(crate) fn is_of_flood(pair: &Pair, flooded: &[IpAddr]) -> bool {
    pair.attempts.iter().all(|attempt| {
        let mut messages = attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
        let asks = |message: &MessageRecord| message.from == Side::Initiator;
        flooded.contains(&attempt.responder.ip()) && messages.all(|message| !asks(message) || message.repeat_count == 0)
    })
}
