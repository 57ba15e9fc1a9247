//! Frames that the recorder lost, and what was forgotten to stay within the limits of memory: what is concluded from
//! something that was not seen becomes less certain.
//!
//! A frame that was lost may have been any. What was forgotten is known better: a finding becomes less certain only if what
//! it misses is of the kind that was forgotten, and in a place where that can have been.
//!
//! Where messages of the very exchange were forgotten after what a finding waits for, or datagrams came of which too little was
//! captured to read them, nothing is concluded from their absence at all: how far the exchange got is not known.
//!
//! Contract: what a peer said in clear stays as certain as it was; nothing becomes more certain.

use crate::base::Timestamp;
use crate::packet::{Encapsulation, GaveUp};
use crate::track::{Attempt, Forgotten, Pair};

use super::case::{Case, View};
use super::pattern::{Match, Missed};
use super::{Confidence, Finding, Severity};

/// One frame lost of so many changes no conclusion: what matters was sent more than once.
const FEW: u64 = 1000;

/// Frames recorded, and frames lost while recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Recorded.
    pub recorded: u64,
    /// Lost, as the recorder says.
    pub lost: u64,
}

impl Losses {
    /// Whether enough was lost to doubt what was not seen.
    pub fn matter(self) -> bool {
        self.lost > 0 && self.lost.saturating_mul(FEW) >= self.recorded
    }
}

/// Makes a finding that no longer stands on firm ground *suspected*, and says what would settle it.
pub(super) fn allow_for(losses: Losses, finding: &mut Finding) {
    let doubtful = finding.confidence == Confidence::Inferred && finding.severity >= Severity::Notice;
    if !losses.matter() || !doubtful {
        return;
    }
    let frames = if losses.lost == 1 { "1 frame was".to_owned() } else { format!("{} frames were", losses.lost) };
    doubt(finding, &format!("a capture that loses nothing: {frames} lost while this one was recorded"));
}

fn doubt(finding: &mut Finding, settle: &str) {
    finding.confidence = Confidence::Suspected;
    finding.settle = Some(match finding.settle.take() {
        Some(before) => format!("{before}; {settle}"),
        None => settle.to_owned(),
    });
}

/// What a finding misses and may have been forgotten.
fn missed(finding: &Finding) -> Option<Missed> {
    match finding.pattern.misses {
        Missed::Nothing | Missed::Answer => None,
        missed @ (Missed::Beginning | Missed::Data) => Some(missed),
        missed => Some(missed).filter(|_| finding.confidence == Confidence::Inferred),
    }
}

/// Whether a match of a pattern concludes that a negotiation got no further which brought a tunnel up all the same, as traffic
/// shows, whose keys are used later on, or that nobody asked for again: what it misses came, and is not in the capture. What was
/// asked once traffic ran is another matter.
pub(super) fn is_refuted(case: &Case<'_>, misses: Missed, found: &Match) -> bool {
    let of_set_up = matches!(misses, Missed::SetUp | Missed::Fragments);
    let concludes = of_set_up || matches!(misses, Missed::Messages | Missed::Answer);
    let shown = |view: View<'_>| {
        view.shown_by_traffic().is_some_and(|begins| of_set_up || beginning(view.attempt, found) <= begins)
    };
    let lives_on = |view: View<'_>| of_set_up && (view.lives_on().is_some() || view.unasked_beside_traffic());
    let came_up = |index| case.view(index).is_some_and(|view| shown(view) || lives_on(view));
    found.confidence != Some(Confidence::Stated) && concludes && found.attempt.is_some_and(came_up)
}

/// Whether a match of a pattern misses messages where messages were forgotten or could not be read, so that nobody knows whether they
/// came.
pub(super) fn is_open(case: &Case<'_>, misses: Missed, found: &Match) -> bool {
    if found.confidence == Some(Confidence::Stated) || !matches!(misses, Missed::Messages | Missed::SetUp) {
        return false;
    }
    let attempts = &case.pair.attempts;
    let attempts = found.attempt.and_then(|index| attempts.get(index)).map_or(&attempts[..], std::slice::from_ref);
    let cut = case.pair.malformed.iter().filter(|datagram| datagram.fault.is_cut()).map(|datagram| datagram.at).max();
    let since = |until: Timestamp, attempt: &Attempt| until >= beginning(attempt, found);
    attempts.iter().any(|attempt| attempt.forgotten_until.max(cut).is_some_and(|until| since(until, attempt)))
}

/// When the first of the messages came that a match shows.
fn beginning(attempt: &Attempt, found: &Match) -> Timestamp {
    let messages = attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
    let shown = messages.filter(|message| found.frames.contains(&message.frame));
    shown.map(|message| message.at).min().unwrap_or(attempt.first)
}

/// Whether messages of an attempt were forgotten that may have led further than any that was kept.
pub(super) fn may_have_gone_on(view: &View<'_>) -> bool {
    let furthest = || view.message(view.attempt.stage).map_or(view.attempt.first, |message| message.at);
    view.attempt.forgotten_until.is_some_and(|until| until >= furthest())
}

/// Makes a finding on `pair` *suspected* if what it misses may have been forgotten, and says so.
pub(super) fn allow_for_forgotten(forgotten: Forgotten, pair: &Pair, finding: &mut Finding) {
    let missed = missed(finding).filter(|_| finding.confidence > Confidence::Suspected);
    // Where equal attempts were folded any of them may be meant.
    let attempt = finding.attempt.filter(|_| finding.count == 1).and_then(|index| pair.attempts.get(index));
    if let Some(what) = missed.and_then(|missed| explained_by(forgotten, missed, pair, attempt)) {
        doubt(finding, &format!("a run with more memory: {what} forgotten to stay within its limits"));
    }
}

/// What was forgotten that may be what is missed, with its verb.
fn explained_by(forgotten: Forgotten, missed: Missed, pair: &Pair, attempt: Option<&Attempt>) -> Option<String> {
    let after = |first: Timestamp| forgotten.since.is_some_and(|since| first >= since);
    let attempts = attempt.map_or(pair.attempts.as_slice(), std::slice::from_ref);
    let messages: u64 = attempts.iter().map(|attempt| attempt.messages_forgotten).sum();
    let of_messages = matches!(missed, Missed::Messages | Missed::SetUp);
    // What misses messages that would have followed was held against them before: see `is_open`.
    if missed == Missed::Beginning && messages > 0 {
        return Some(were(messages, "message of it", "messages of it"));
    }
    // A pair or attempt that began when others were being forgotten may go on with one of those.
    let began_late = after(attempt.map_or(pair.first, |attempt| attempt.first));
    let of_attempts = of_messages || missed == Missed::Beginning;
    if (of_attempts || missed == Missed::Data && after(pair.first)) && began_late {
        return Some(match (forgotten.pairs, forgotten.attempts) {
            (0, attempts) => were(attempts, "attempt", "attempts"),
            (pairs, _) => were(pairs, "pair", "pairs"),
        });
    }
    // Packets of flows that are gone are still counted.
    let flows: u64 = pair.flows.iter().map(|flow| flow.packets).sum();
    let packets: u64 = pair.sent.iter().map(|sent| sent.esp + sent.ah).sum();
    if missed == Missed::Data && forgotten.flows > 0 && packets > flows {
        return Some(were(forgotten.flows, "flow", "flows"));
    }
    let given_up = pair.incomplete.iter().filter(|incomplete| incomplete.reason == GaveUp::Evicted).count() as u64;
    if (of_messages || missed == Missed::Fragments) && given_up > 0 {
        return Some(were(given_up, "datagram in fragments", "datagrams in fragments"));
    }
    if missed == Missed::Fragments && forgotten.reassemblies > 0 {
        return Some(were(forgotten.reassemblies, "reassembly", "reassemblies"));
    }
    if forgotten.streams > 0 && missed != Missed::Fragments && in_tcp(pair) {
        return Some(were(forgotten.streams, "TCP stream", "TCP streams"));
    }
    None
}

fn in_tcp(pair: &Pair) -> bool {
    let flows = pair.flows.iter().map(|flow| flow.encapsulation);
    let exchanges = pair.attempts.iter().flat_map(|attempt| &attempt.exchanges);
    let messages = exchanges.flat_map(|exchange| &exchange.messages).map(|message| message.encapsulation);
    flows.chain(messages).any(|encapsulation| encapsulation == Encapsulation::Tcp)
}

fn were(count: u64, one: &str, more: &str) -> String {
    if count == 1 { format!("1 {one} was") } else { format!("{count} {more} were") }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::patterns::by_id;
    use super::super::{Diagnosis, Words};
    use super::*;
    use crate::track::{Facts, Room};

    fn judged(confidence: Confidence, severity: Severity, recorded: u64, lost: u64) -> (Confidence, String) {
        let mut diagnosis = Diagnosis::new();
        diagnosis.hold(Finding {
            pattern: by_id("P1-PSK").unwrap(),
            severity,
            confidence,
            pair: None,
            attempt: None,
            frames: Vec::new(),
            count: 1,
            words: Arc::new(Words { settle: Some("a longer capture".into()), ..Words::default() }),
            consequence_of: None,
        });
        diagnosis.allow_for(Losses { recorded, lost });
        let finding = diagnosis.finding(0, &Facts::default(), &mut Room::default()).unwrap();
        (finding.confidence, finding.settle.clone().unwrap())
    }

    #[test]
    fn what_was_concluded_from_silence_is_doubted_and_what_was_said_is_not() {
        let (confidence, settle) = judged(Confidence::Inferred, Severity::Error, 100, 1);
        assert_eq!(confidence, Confidence::Suspected);
        assert_eq!(
            settle,
            "a longer capture; a capture that loses nothing: 1 frame was lost while this one was recorded"
        );
        assert_eq!(judged(Confidence::Stated, Severity::Error, 100, 50).0, Confidence::Stated);
        assert_eq!(judged(Confidence::Inferred, Severity::Info, 100, 50).0, Confidence::Inferred);
        assert_eq!(judged(Confidence::Inferred, Severity::Error, 100, 0).0, Confidence::Inferred);
        assert_eq!(judged(Confidence::Inferred, Severity::Error, 1_000_000, 3).0, Confidence::Inferred);
    }
}
