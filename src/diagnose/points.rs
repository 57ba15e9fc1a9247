//! What two captures of one conversation, taken at two points at the same time, tell of a message: it passed both, or was lost
//! between them. Between them there may be a NAT.
//!
//! Not here: which causes of a pattern that speaks for and against; the pattern declares it. Contract: no message is said to be
//! lost where the other capture was not recording, or holds nothing else of its sender.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::base::Timestamp;
use crate::track::{Attempt, Exchange, FragmentsElsewhere, IncompleteFact, Label, MessageRecord, Pair, Side, UNDERWAY};

use super::case::{Case, PATIENCE, View};
use super::pattern::{Hypothesis, Match, Pattern};
use super::unheard::ANSWER_WITHIN;
use super::words::{role, times};
use super::{Confidence, Severity};

/// Messages alike, of which the last that tells is asked.
const LATEST: usize = 4;
/// So many messages tell how far the clocks of two captures differ.
const APART: u32 = 3;
/// Factors on the causes that a message is lost: where it is, where it seems to be, and where it passes both points.
pub(super) const LOST: f32 = 50.0;
pub(super) const MISSING: f32 = 4.0;
pub(super) const PASSED: f32 = 0.03;

/// What became of a message between two points.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// Both have it.
    Passed,
    /// The first of these captures has it, and the other one, which was recording, has not.
    Lost(u32, u32),
    /// The same, but nothing shows that the other one was recording when it passed.
    Unwatched(u32, u32),
    /// It goes in IKE fragments, and of that number the same is true, while the other one has others.
    FragmentLost(u16, u32, u32),
    /// Both have it, and of the answer, of this length, the same is true: the first has it, the other has not.
    AnswerLost((Label, u32), u32, u32),
}

/// The captures that hold messages of a pair, and when each was recording.
#[derive(Debug, Clone)]
pub(super) struct Points {
    windows: BTreeMap<u32, (Timestamp, Timestamp)>,
    /// First and last message of the pair that both of two have.
    both: Option<(Timestamp, Timestamp)>,
    /// Of whom two have something.
    heard: BTreeSet<IpAddr>,
}

impl Points {
    /// Those of a pair, if there are two that were recording at the same time and saw the same packet. Asked once: see
    /// [`Case::points`].
    pub(super) fn of(case: &Case<'_>) -> Option<Self> {
        let both = || messages(case).filter(|message| twice(message));
        let times = || both().map(|message| message.at);
        let first = times().min()?;
        let windows = windows(case);
        let heard = both().map(|message| message.source.ip()).collect();
        let both = times().max().map(|last| (first, last)).filter(|_| windows.len() == 2);
        let points = Self { windows, both, heard };
        points.overlap().then_some(points)
    }

    /// What became of a message.
    pub(super) fn fate(&self, message: &MessageRecord) -> Option<Fate> {
        let here = message.frame.capture;
        if let Some(elsewhere) = message.ike_fragments_elsewhere.filter(|_| message.ip_fragments <= 1) {
            return self.fate_in_pieces(message, elsewhere);
        }
        // of which fragments both hold is not known
        let in_one = message.ike_fragments.max(message.ip_fragments) <= 1;
        let passed = in_one.then_some(Fate::Passed);
        if twice(message) || message.repeats.iter().any(|repeat| repeat.frame.capture != here) {
            return passed;
        }
        let others = || self.windows.iter().filter(|&(&capture, _)| capture != here);
        // what came before it, or after it, is at both
        let begun = self.both.is_some_and(|(first, _)| first <= message.at);
        let goes_on = self.both.is_some_and(|(_, last)| message.at <= last);
        let lost = others()
            .find(|&(_, &window)| was_recording(window, message, [begun, goes_on]))
            .map(|(&there, _)| Fate::Lost(here, there));
        lost.or_else(|| others().next().map(|(&there, _)| Fate::Unwatched(here, there)))
    }

    /// What became of a message in IKE fragments that both have, or some of it.
    fn fate_in_pieces(&self, message: &MessageRecord, elsewhere: FragmentsElsewhere) -> Option<Fate> {
        let (here, there) = (message.frame.capture, elsewhere.capture);
        let lost = match (message.ike_fragments_missing, elsewhere.missing) {
            (None, None) => return Some(Fate::Passed),
            // now one, now another
            (None, Some((0, _))) => return None,
            (None, Some((number, _))) => Fate::FragmentLost(number, here, there),
            (Some((number, _)), None) => Fate::FragmentLost(number, there, here),
            (Some(_), Some(_)) => return None,
        };
        let recording =
            |capture| self.windows.get(&capture).is_some_and(|&window| was_recording(window, message, [false; 2]));
        (recording(here) && recording(there)).then_some(lost)
    }

    /// Whether a message is lost between them.
    pub(super) fn loses(&self, message: &MessageRecord) -> bool {
        matches!(self.fate(message), Some(Fate::Lost(..) | Fate::FragmentLost(..)))
    }

    /// Whether a message is lost between them, or nothing tells, and what its sender had sent before it in this attempt was.
    pub(super) fn loses_in(&self, view: &View<'_>, message: &MessageRecord) -> bool {
        match self.fate(message) {
            Some(Fate::Lost(..) | Fate::FragmentLost(..)) => true,
            Some(Fate::Unwatched(..)) => {
                let earlier = view.messages().filter(|other| other.from == message.from && other.at < message.at);
                earlier.max_by_key(|other| other.at).is_some_and(|before| self.loses(before))
            }
            _ => false,
        }
    }

    /// Another capture than this, which was recording all the time from `first` to `last`.
    pub(super) fn watching(&self, capture: u32, first: Timestamp, last: Timestamp) -> Option<u32> {
        let around = |&window: &(Timestamp, Timestamp)| covers(window, (first, last));
        let mut others = self.windows.iter().filter(|&(&other, window)| other != capture && around(window));
        others.next().map(|(&other, _)| other)
    }

    /// Another capture than this.
    pub(super) fn another(&self, capture: u32) -> Option<u32> {
        self.windows.keys().copied().find(|&other| other != capture)
    }

    /// Two captures were recording at the same time: not the pieces of one, which follow each other.
    fn overlap(&self) -> bool {
        let mut spans: Vec<_> = self.windows.values().collect();
        spans.sort_unstable();
        spans.windows(2).any(|pair| matches!(pair, [earlier, later] if later.0 < earlier.1))
    }
}

/// Says of what a pattern found whether the message in question passed both points, and what that makes of the causes.
pub(super) fn tell_fate(case: &Case<'_>, pattern: &Pattern, found: &mut Match) {
    if pattern.lost.is_empty() || !case.survey.captures_overlap() {
        return;
    }
    let Some(view) = found.attempt.and_then(|index| case.view(index)) else { return };
    let shown = |message: &&MessageRecord| message.copies().any(|(frame, _)| found.frames.contains(&frame));
    let shown: Vec<_> = view.messages().filter(shown).collect();
    let Some(last) = shown.last() else { return };
    let elsewhere = Elsewhere::of(&view);
    // of several alike the last may come too late to tell
    let alike = shown.iter().rev().filter(|message| (message.label, message.from) == (last.label, last.from));
    let told = |&message| Some((message, fate(&view, message, elsewhere.as_ref())?));
    let Some((message, fate)) = alike.take(LATEST).find_map(told) else { return };
    let heard = is_heard(&view, message, elsewhere.as_ref());
    if let Some(Elsewhere { capture, between: [one, other], .. }) = elsewhere {
        let same = format!("; capture {capture} has the same negotiation between {one} and {other}, beyond a NAT");
        found.seen.push_str(&same);
    }
    // what one more capture would settle, these do
    let own = found.settle.take().filter(|own| !own.contains("capture"));
    let refuses = stands_for_answer(message, &shown);
    let tells = if refuses { message.from } else { message.from.other() };
    let log = || Cow::from(format!("the {}'s log at that time", role(tells)));
    let Account { factors, seen, lost, settle } = Account::of(&view, message, fate, heard);
    found.seen.push_str("; ");
    found.seen.push_str(&seen);
    // what a refusal is about came to who refuses it
    if refuses {
        found.settle = own.or_else(|| Some(log()));
        return;
    }
    let proven = lost.is_some();
    found.settle = Some(match (lost, settle) {
        (Some(Lost { what, from, to }), _) => {
            found.confidence = found.confidence.max(Some(Confidence::Inferred));
            if found.severity.unwrap_or(pattern.severity) >= Severity::Warning {
                found.means = format!("{what} is lost on its way, between the two points").into();
            }
            what_drops(&what, from, to).into()
        }
        (None, Some(settle)) => own.iter().map(|own| &**own).chain([&*settle]).collect::<Vec<_>>().join("; ").into(),
        (None, None) => own.unwrap_or_else(log),
    });
    let factor = |cause: &Hypothesis| {
        let says = [pattern.lost, pattern.unanswered].map(|keys| keys.contains(&cause.key));
        factors.into_iter().zip(says).filter(|&(_, says)| says).map(|(factor, _)| factor).reduce(f32::max)
    };
    // where it is lost, and that is a cause, nothing is left of what else it may be
    let says_so = |cause: &Hypothesis| factor(cause) == Some(LOST) && !found.weights.contains(&(cause.key, 0.0));
    let settled = proven && pattern.causes.iter().any(says_so);
    for cause in pattern.causes {
        let factor = match factor(cause) {
            Some(factor) if factor != LOST && settled => Some(0.0),
            None if settled => Some(0.0),
            None if proven => Some(PASSED),
            factor => factor,
        };
        found.weights.extend(factor.map(|factor| (cause.key, factor)));
    }
}

/// What to look for where something is lost between two points.
pub(super) fn what_drops(what: &str, from: u32, to: u32) -> String {
    format!("what drops {what} between the point of capture {from} and that of capture {to}")
}

/// Whether an Informational of IKEv1 stands where an answer is due to one of the messages shown with it: who sent it ends the
/// negotiation.
fn stands_for_answer(message: &MessageRecord, shown: &[&MessageRecord]) -> bool {
    let asks =
        |other: &&MessageRecord| other.label != Label::Inf && other.from != message.from && other.at <= message.at;
    message.label == Label::Inf && shown.iter().any(asks)
}

/// What is lost between two points, and on its way from which capture to which.
struct Lost {
    what: String,
    from: u32,
    to: u32,
}

/// What is told of a message, by what became of it.
struct Account {
    /// What that makes of the causes that the message was lost, and that its answer was.
    factors: [f32; 2],
    seen: String,
    /// What is surely lost.
    lost: Option<Lost>,
    /// What is left to settle.
    settle: Option<String>,
}

impl Account {
    /// `heard`: as [`is_heard`] has it.
    fn of(view: &View<'_>, message: &MessageRecord, fate: Fate, heard: bool) -> Self {
        let label = named(view, (message.label, message.length), message.from);
        let if_so = format!("if so, {label} is lost between the two points");
        match fate {
            Fate::Passed => {
                let seen = format!("{label} passes both capture points");
                Self { factors: [PASSED, PASSED], seen, lost: None, settle: None }
            }
            Fate::AnswerLost(answer, from, to) => {
                let what = named(view, answer, message.from.other());
                let seen = format!(
                    "{what} is in capture {from} only, and not in capture {to}: it is lost between the two points"
                );
                Self { factors: [PASSED, LOST], seen, lost: Some(Lost { what, from, to }), settle: None }
            }
            Fate::FragmentLost(number, from, to) => {
                let what = format!("IKE fragment {number} of {label}");
                let seen = format!(
                    "{what} is in capture {from} only, and capture {to} has others of it: it is lost between the two points"
                );
                Self { factors: [LOST, 1.0], seen, lost: Some(Lost { what, from, to }), settle: None }
            }
            Fate::Lost(from, to) if heard && message.ip_fragments > 1 => {
                let Fragments { datagrams, ports_alone } = Fragments::of(view, message, to);
                let only = format!("{label} is whole in capture {from} only");
                let there = match datagrams {
                    0 => "was recording: it is lost between the two points, or a fragment of it is".to_owned(),
                    datagrams if ports_alone => format!("has its first fragment {}, and no other", times(datagrams)),
                    datagrams => {
                        format!("has part of it {}: fragments are lost between the two points", times(datagrams))
                    }
                };
                let what = format!("fragments of {label}");
                let lost = (datagrams > 0 && !ports_alone).then_some(Lost { what, from, to });
                let settle = format!("whether the filter of capture {to} takes in all IP fragments: {if_so}");
                Self {
                    factors: [LOST, 1.0],
                    seen: format!("{only}, and capture {to} {there}"),
                    lost,
                    settle: Some(settle),
                }
            }
            Fate::Lost(from, to) if heard => {
                let seen = format!(
                    "{label} is in capture {from} only, and capture {to} was recording: it is lost between the two points"
                );
                Self { factors: [LOST, 1.0], seen, lost: Some(Lost { what: label, from, to }), settle: None }
            }
            Fate::Lost(from, to) => {
                let sender = role(message.from);
                let seen =
                    format!("{label} is in capture {from} only, and capture {to} holds nothing from the {sender}");
                let settle = format!("whether capture {to} takes in both directions: {if_so}");
                Self { factors: [MISSING, 1.0], seen, lost: None, settle: Some(settle) }
            }
            Fate::Unwatched(from, to) => {
                // that one has what its sender said before
                let breaks_off = heard && recorded(&view.case, to).is_some_and(|window| ends_before(window, message));
                let (factor, ends) = if breaks_off {
                    (MISSING, format!(", and capture {to} ends before it"))
                } else {
                    (1.0, String::new())
                };
                let seen = format!("{label} is in capture {from} only{ends}");
                let settle = format!("whether capture {to} was running then: {if_so}");
                Self { factors: [factor, 1.0], seen, lost: None, settle: Some(settle) }
            }
        }
    }
}

/// What a capture has of a message in IP fragments that it does not have whole.
struct Fragments {
    /// Datagrams of which something is missing.
    datagrams: u64,
    /// Of all of them the first fragment alone is there, as a filter of ports leaves it.
    ports_alone: bool,
}

impl Fragments {
    fn of(view: &View<'_>, message: &MessageRecord, capture: u32) -> Self {
        let (first, last) = (message.at, message.last_sent().after(UNDERWAY));
        let of = |pair: &Pair, attempt: &Attempt| {
            let ends = [attempt.initiator.ip(), attempt.responder.ip()];
            let source = ends[message.from.index()];
            let meanwhile = |at: Timestamp| at.after(UNDERWAY) >= first && at <= last;
            let in_part = pair.incomplete.iter().filter(|one| {
                (one.frame.capture, one.source) == (capture, source)
                    && ends.contains(&one.destination)
                    && meanwhile(one.at)
            });
            let first_alone = |one: &IncompleteFact| one.fragments == 1 && one.first_seen;
            in_part.fold((0, true), |(count, alone), one| (count + 1, alone && first_alone(one)))
        };
        let there = view.elsewhere(|pair, other| (other.first_frame.capture == capture).then(|| of(pair, other)));
        let (datagrams, ports_alone) = there.unwrap_or_else(|| of(view.case.pair, view.attempt));
        Self { datagrams, ports_alone }
    }
}

/// What one more capture would settle, where one of those that were given holds nothing at all.
pub(super) fn tell_empty(case: &Case<'_>, found: &mut Match) {
    let recorded = &case.facts.recorded;
    let Some(empty) = recorded.iter().position(Option::is_none).filter(|_| recorded.len() > 1) else { return };
    if let Some(settle) = found.settle.as_mut().filter(|settle| settle.contains("a capture on")) {
        settle.to_mut().push_str(&format!(
            "; capture {empty} holds no packet: if it ran there at that time, nothing arrives there"
        ));
    }
}

/// Whether another capture shows that a message got further than this one: it passes both points, and if its answer is lost
/// between them, that was sent once only.
pub(super) fn arrives(view: &View<'_>, message: &MessageRecord) -> bool {
    if !view.case.survey.captures_overlap() {
        return false;
    }
    let elsewhere = Elsewhere::of(view);
    match fate(view, message, elsewhere.as_ref()) {
        Some(Fate::Passed) => true,
        Some(Fate::AnswerLost((label, length), ..)) => {
            let once =
                |answer: &MessageRecord| (answer.label, answer.length) == (label, length) && answer.repeat_count == 0;
            elsewhere.map_or_else(|| view.messages().any(once), |elsewhere| elsewhere.messages().any(once))
        }
        _ => false,
    }
}

/// Whether a message is lost between two points.
pub(super) fn loses(view: &View<'_>, message: &MessageRecord) -> bool {
    if !view.case.survey.captures_overlap() {
        return false;
    }
    let elsewhere = Elsewhere::of(view);
    let lost = matches!(fate(view, message, elsewhere.as_ref()), Some(Fate::Lost(..) | Fate::FragmentLost(..)));
    lost && is_heard(view, message, elsewhere.as_ref())
}

/// Whether another capture has something else of a message's sender: otherwise it may not be where its packets go.
fn is_heard(view: &View<'_>, message: &MessageRecord, elsewhere: Option<&Elsewhere>) -> bool {
    match elsewhere {
        Some(elsewhere) => elsewhere.messages().any(|other| other.from == message.from),
        None => view.case.points().is_some_and(|points| points.heard.contains(&message.source.ip())),
    }
}

/// The capture that has an answer to one of a few messages which is lost between two points.
pub(super) fn answered_elsewhere<'a>(
    view: &View<'_>,
    mut messages: impl Iterator<Item = &'a MessageRecord>,
) -> Option<u32> {
    if !view.case.survey.captures_overlap() {
        return None;
    }
    let elsewhere = Elsewhere::of(view);
    messages.find_map(|message| match fate(view, message, elsewhere.as_ref()) {
        Some(Fate::AnswerLost(_, there, _)) => Some(there),
        _ => None,
    })
}

/// The IKE fragment of a message that is lost between two points, while others of it are not: its number, and the captures that
/// have it and have it not.
pub(super) fn lost_fragment(view: &View<'_>, message: &MessageRecord) -> Option<(u16, u32, u32)> {
    if message.ike_fragments == 0 || !view.case.survey.captures_overlap() {
        return None;
    }
    match fate(view, message, Elsewhere::of(view).as_ref()) {
        Some(Fate::FragmentLost(number, here, there)) => Some((number, here, there)),
        _ => None,
    }
}

/// A message by its label, and by its length where one in clear has the same label and another length.
fn named(view: &View<'_>, (label, length): (Label, u32), from: Side) -> String {
    let alike = |other: &MessageRecord| {
        (other.label, other.from) == (label, from) && other.length != length && !other.encrypted
    };
    if view.messages().any(alike) { format!("{label} of {length} octets") } else { label.to_string() }
}

/// Whether a message passes two points, and nothing that answers it is lost between them.
pub(super) fn passes(view: &View<'_>, message: &MessageRecord) -> bool {
    let overlap = view.case.survey.captures_overlap();
    overlap && fate(view, message, Elsewhere::of(view).as_ref()) == Some(Fate::Passed)
}

/// What became of a message, as the other point tells, which may be beyond a NAT.
fn fate(view: &View<'_>, message: &MessageRecord, elsewhere: Option<&Elsewhere>) -> Option<Fate> {
    match elsewhere {
        Some(elsewhere) => elsewhere.fate(view, message),
        None => {
            let points = view.case.points()?;
            let answers = counterparts(view.exchanges(), view.exchanges(), message)
                .chain(view.messages().filter(|other| message.label == Label::Inf && may_answer(other, message)))
                .filter(|other| other.from != message.from && other.at >= message.at);
            let lost = |answer: &MessageRecord| match points.fate(answer) {
                Some(Fate::Lost(from, to)) => Some(Fate::AnswerLost((answer.label, answer.length), from, to)),
                _ => None,
            };
            let fate = points.fate(message)?;
            Some(if fate == Fate::Passed { answers.into_iter().find_map(lost).unwrap_or(fate) } else { fate })
        }
    }
}

/// An attempt as another capture shows it, between other addresses: at a point beyond a NAT.
struct Elsewhere {
    capture: u32,
    between: [IpAddr; 2],
    attempt: Attempt,
}

impl Elsewhere {
    fn of(view: &View<'_>) -> Option<Self> {
        view.elsewhere(|_, other| {
            let capture = other.first_frame.capture;
            let between = [other.initiator.ip(), other.responder.ip()];
            (capture != view.attempt.first_frame.capture).then(|| Self { capture, between, attempt: other.clone() })
        })
    }

    fn messages(&self) -> impl Iterator<Item = &MessageRecord> {
        self.attempt.exchanges.iter().flat_map(|exchange| &exchange.messages)
    }

    fn fate(&self, view: &View<'_>, message: &MessageRecord) -> Option<Fate> {
        let (here, there) = (message.frame.capture, self.capture);
        let same = same_in(&self.attempt.exchanges, view.exchanges(), message);
        let missing = |message: &MessageRecord| message.ike_fragments_missing.map(|(number, _)| number);
        let unless_whole = match (missing(message), same.map(missing)) {
            (None, Some(None)) => None,
            (Some(_), Some(Some(_))) => return None,
            (Some(number), Some(None)) => Some(Fate::FragmentLost(number, there, here)),
            (None, Some(Some(number))) => Some(Fate::FragmentLost(number, here, there)),
            (_, None) => Some(Fate::Lost(here, there)),
        };
        if let Some(lost) = unless_whole {
            let first =
                self.messages().next().and_then(|first| same_in(view.exchanges(), &self.attempt.exchanges, first));
            let begun = first.is_some_and(|first| first.at < message.at);
            let recording = was_recording(recorded(&view.case, there)?, message, [begun, false]);
            return Some(if recording { lost } else { Fate::Unwatched(here, there) });
        }
        let in_exchange = counterparts(&self.attempt.exchanges, view.exchanges(), message);
        let of_stage = self.messages().filter(|other| other.label == self.attempt.stage);
        let missed = |answer: &MessageRecord| same_in(view.exchanges(), &self.attempt.exchanges, answer).is_none();
        let asked = same.filter(|asked| asked.label == Label::Inf);
        let informs = asked.into_iter().flat_map(|asked| self.messages().filter(|other| may_answer(other, asked)));
        let lost =
            in_exchange.chain(of_stage).chain(informs).find(|answer| answer.from != message.from && missed(answer));
        let Some(answer) = lost else { return Some(Fate::Passed) };
        // what was sent as the other capture ended may have come after it
        let in_time = |(_, last): (Timestamp, Timestamp)| answer.copies().any(|(_, at)| at.after(UNDERWAY) <= last);
        let watched = recorded(&view.case, here).is_none_or(in_time);
        watched.then_some(Fate::AnswerLost((answer.label, answer.length), there, here))
    }
}

/// Whether an Informational of IKEv1, of which none is of another's exchange, may answer another: as liveness checks are answered, in
/// the same length (RFC 3706 §5.3).
fn may_answer(message: &MessageRecord, asked: &MessageRecord) -> bool {
    (message.label, message.encrypted, message.length) == (Label::Inf, asked.encrypted, asked.length)
        && message.at >= asked.at
        && message.at.since(asked.at) <= ANSWER_WITHIN
}

/// The message among `theirs` that is `message`, one of `own`: of an exchange with the same message id, which tells one
/// Informational from another, and what is in clear of the same length and payloads, which tell an answer from a request to ask
/// again.
fn same_in<'a>(theirs: &'a [Exchange], own: &[Exchange], message: &MessageRecord) -> Option<&'a MessageRecord> {
    let kinds = |one: &MessageRecord| one.carried.iter().map(|payload| payload.payload_type).collect::<Vec<_>>();
    let same = |one: &MessageRecord| {
        let clear = !one.encrypted && !message.encrypted;
        (one.label, one.from) == (message.label, message.from)
            && (!clear || one.length == message.length && kinds(one) == kinds(message))
    };
    counterparts(theirs, own, message).find(|one| same(one))
}

/// The messages among `theirs` of the exchange that `message` is of, as it is one of `own`.
fn counterparts<'a>(
    theirs: &'a [Exchange],
    own: &[Exchange],
    message: &MessageRecord,
) -> impl Iterator<Item = &'a MessageRecord> {
    let key = |exchange: &Exchange| (exchange.kind, exchange.message_id);
    let is_it = |one: &MessageRecord| (one.frame, one.label, one.from) == (message.frame, message.label, message.from);
    let of = own.iter().find(|exchange| exchange.messages.iter().any(is_it)).map(key);
    theirs.iter().filter(move |exchange| Some(key(exchange)) == of).flat_map(|exchange| &exchange.messages)
}

/// Whether the captures of the run were taken at two points at the same time: what comes twice is one packet, seen at both,
/// and what they have in common is in the order of neither.
pub(super) fn is_seen_twice(case: &Case<'_>) -> bool {
    case.survey.captures_overlap() && (messages(case).any(twice) || are_apart(messages(case)))
}

/// The clocks of two captures differ by more than a packet is under way: all messages are as far apart in one and the other.
fn are_apart<'a>(messages: impl Iterator<Item = &'a MessageRecord>) -> bool {
    let apart = messages.filter_map(|message| {
        let first = message.copies().map(|(frame, _)| frame.capture).min()?;
        let at =
            |here: bool| message.copies().filter(|(frame, _)| (frame.capture == first) == here).map(|(_, at)| at).min();
        at(true).zip(at(false)).map(|(here, there)| there.as_nanos().saturating_sub(here.as_nanos()))
    });
    let (count, least, most) = apart
        .fold((0, i64::MAX, i64::MIN), |(count, least, most), apart| (count + 1, apart.min(least), apart.max(most)));
    count >= APART && most.saturating_sub(least) <= UNDERWAY.as_nanos() as i64 / 2
}

fn messages<'a>(case: &Case<'a>) -> impl Iterator<Item = &'a MessageRecord> {
    case.attempts().flat_map(|(_, view)| view.messages())
}

/// When each capture that holds messages of this pair was recording: from its first frame to its last, or where that is not
/// known, between the messages.
fn windows(case: &Case<'_>) -> BTreeMap<u32, (Timestamp, Timestamp)> {
    let mut windows = BTreeMap::new();
    let mut again = false;
    for message in messages(case) {
        again |= message.recorded_again > 0;
        for (frame, at) in message.copies() {
            let window = windows.entry(frame.capture).or_insert((at, at));
            window.0 = window.0.min(at);
            window.1 = window.1.max(at);
        }
    }
    let recorded = (0..).zip(&case.facts.recorded).filter_map(|(capture, window)| Some((capture, (*window)?)));
    // The copy at the other point may have been taken for one that was recorded again.
    let own: Vec<u32> = windows.keys().copied().filter(|_| again).collect();
    let same = |&one: &u32, other: u32| case.facts.at_two_points.contains(&(one.min(other), one.max(other)));
    for (capture, (first, last)) in recorded {
        let meanwhile = first <= case.pair.last && last >= case.pair.first;
        if windows.contains_key(&capture) || meanwhile && own.iter().any(|own| same(own, capture)) {
            windows.insert(capture, (first, last));
        }
    }
    windows
}

/// When the last capture ended that holds something of this pair, or follows one that does. What another one, of the same time,
/// holds nothing of does not pass there.
pub(super) fn recorded_until(case: &Case<'_>) -> Option<Timestamp> {
    let flows = case.pair.flows.iter().flat_map(|flow| [flow.first_frame.capture, flow.last_frame.capture]);
    let holding: BTreeSet<u32> = windows(case).into_keys().chain(flows).collect();
    let ends = holding.into_iter().filter_map(|capture| recorded(case, capture)).map(|(_, last)| last);
    let last = ends.max()?;
    let behind = case.facts.recorded.iter().flatten().filter(|&&(begun, _)| begun >= last).map(|&(_, last)| last);
    Some(behind.fold(last, Timestamp::max))
}

/// When a capture was recording, from its first frame to its last, if that is known.
pub(super) fn recorded(case: &Case<'_>, capture: u32) -> Option<(Timestamp, Timestamp)> {
    case.facts.recorded.get(usize::try_from(capture).ok()?).copied()?
}

/// Whether a capture that was recording in this window saw what passed from the first to the last of these times.
pub(super) fn covers(window: (Timestamp, Timestamp), (first, last): (Timestamp, Timestamp)) -> bool {
    window.0 <= first.after(UNDERWAY) && last <= window.1.after(UNDERWAY)
}

/// Whether a capture was recording in this window when some copy of a message passed; `known`: what came before the message, and
/// what came after it, is there, so that clocks do not matter.
fn was_recording((first, last): (Timestamp, Timestamp), message: &MessageRecord, known: [bool; 2]) -> bool {
    let [begun, goes_on] = known;
    message.copies().any(|(_, at)| (begun || first.after(UNDERWAY) <= at) && (goes_on || at.after(UNDERWAY) <= last))
}

/// Whether a capture ended shortly before a message.
fn ends_before((first, last): (Timestamp, Timestamp), message: &MessageRecord) -> bool {
    first <= message.at && last <= message.at.after(UNDERWAY) && message.at.since(last) <= PATIENCE
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
