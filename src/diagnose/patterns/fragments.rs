//! IKE messages in fragments, of IP or of IKE: which were missed, and what that did. Shared by the patterns about sizes.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{AT_ONCE, Case, View};
use crate::diagnose::pattern::Match;
use crate::diagnose::points;
use crate::diagnose::waiting::Waited;
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Exchange, IkeVersion, IncompleteFact, Label, MessageRecord, PayloadDetail, Side};

/// IKEV2_FRAGMENTATION_SUPPORTED (RFC 7383 §2.3).
const FRAGMENTATION_SUPPORTED: u16 = 16430;
/// MD5 of "FRAGMENTATION": how IKEv1 stacks announce payload 132.
const FRAGMENTATION: [u8; 16] =
    [0x40, 0x48, 0xb7, 0xd5, 0x6e, 0xbc, 0xe8, 0x85, 0x25, 0xe7, 0xde, 0x7f, 0x00, 0xd6, 0xc2, 0xd3];

/// Watched for less than this after the first fragment, the others may still be on their way.
const WITHIN: Duration = Duration::from_secs(5);

/// Whether the capture goes on for long enough after the first fragment of a datagram for the others to come, and did not begin
/// behind it.
pub(super) fn were_awaited(case: &Case<'_>, incomplete: &IncompleteFact) -> bool {
    let recorded = points::recorded(case, incomplete.frame.capture).or(case.facts.window);
    let begins = recorded.is_some_and(|(begun, _)| incomplete.at.since(begun) < AT_ONCE);
    case.end().since(incomplete.at) >= WITHIN && (incomplete.first_seen || !begins)
}

/// Whether `side` announced that it can take IKE fragments.
pub(super) fn announced(view: &View<'_>, side: Side) -> bool {
    match view.attempt.version {
        IkeVersion::V1 => view.attempt.vendor_ids[side.index()].iter().any(|id| id.starts_with(&FRAGMENTATION)),
        IkeVersion::V2 => view.messages().filter(|message| message.from == side).any(|message| {
            message.carried.iter().any(|payload| {
                matches!(payload.detail, PayloadDetail::Notify { notify_message_type: FRAGMENTATION_SUPPORTED, .. })
            })
        }),
    }
}

/// The exchange went on past `message`: whatever is missing of it here was not missed there.
pub(super) fn went_on(view: &View<'_>, exchange: &Exchange, message: &MessageRecord) -> bool {
    let in_exchange = exchange
        .messages
        .iter()
        .any(|other| other.from != message.from && other.at >= message.at && follows(other.label, message.label));
    in_exchange
        || view.exchanges().iter().any(|other| {
            other.messages.first().is_some_and(|first| {
                first.at > message.at && first.encrypted && first.label != Label::Inf && other.kind != exchange.kind
            })
        })
}

fn follows(later: Label, earlier: Label) -> bool {
    match (earlier, later) {
        (Label::Mm(one), Label::Mm(other))
        | (Label::Am(one), Label::Am(other))
        | (Label::Qm(one), Label::Qm(other)) => other > one,
        (Label::Request(one), Label::Response(other)) => one == other,
        _ => false,
    }
}

/// Messages of `version` of which IKE fragments never came.
pub(super) fn incomplete(case: &Case<'_>, version: IkeVersion) -> Vec<Match> {
    case.attempts()
        .filter(|(index, view)| view.attempt.version == version && !case.overcome(*index))
        .flat_map(|(index, view)| {
            let exchanges = view.exchanges();
            let of = move |exchange| of_exchange(index, &view, exchange).or_else(|| of_copies(index, &view, exchange));
            exchanges.iter().filter_map(of).chain(lost_between(index, &view)).take(1)
        })
        .collect()
}

fn of_exchange(index: usize, view: &View<'_>, exchange: &Exchange) -> Option<Match> {
    let message = exchange.messages.iter().find(|message| message.ike_fragments_missing.is_some())?;
    let (lowest, total) = message.ike_fragments_missing?;
    let waited = view.waited(message);
    if went_on(view, exchange, message) || view.one_sided() || !waited.is_silence() {
        return None;
    }
    let found = never_whole(index, view, message, (lowest, waited));
    let of = total.map_or(String::new(), |total| format!(" of {total}"));
    let copies = match waited.copies {
        1 => String::new(),
        copies => format!("; the message was sent {}", times(copies)),
    };
    let found = found.seen(format!(
        "of {} {}{of} {} seen; number {lowest} is the first that never came{copies}; watched for {}",
        message.label,
        message.ike_fragments,
        match (message.ike_fragments, total) {
            (1, None) => "IKE fragment was",
            _ => "IKE fragments were",
        },
        span(waited.over + waited.after),
    ));
    Some(match points::lost_fragment(view, message) {
        Some((number, here, there)) => {
            let mut found = Match { settle: None, ..found };
            found
                .seen
                .push_str(&format!("; number {number} is in capture {here}, and lost on its way to capture {there}"));
            found
        }
        None => found,
    })
}

/// The last message in IKE fragments: one of them is in one capture, copy after copy, and not in the other, which has others.
fn lost_between(index: usize, view: &View<'_>) -> Option<Match> {
    let last = |exchange: &Exchange| exchange.messages.iter().rposition(|message| message.ike_fragments > 1);
    let (exchange, message) = view.exchanges().iter().rev().find_map(|one| Some((one, last(one)?)))?;
    let message = exchange.messages.get(message)?;
    let waited = view.waited(message);
    if went_on(view, exchange, message) || view.one_sided() || !waited.is_silence() {
        return None;
    }
    let (number, here, there) = points::lost_fragment(view, message)?;
    let found = never_whole(index, view, message, (number, waited)).seen(format!(
        "{}, in {} IKE fragments, was sent {}; number {number} is in capture {here} only, and capture {there} has others of it: it is \
         lost between the two points",
        message.label,
        message.ike_fragments,
        times(waited.copies),
    ));
    Some(Match { settle: None, confidence: Some(Confidence::Inferred), ..found })
}

/// What it means that one of the fragments of a message, of all its copies, does not arrive.
fn never_whole(index: usize, view: &View<'_>, message: &MessageRecord, (lowest, waited): (u16, Waited)) -> Match {
    let found = Match::on(index, Confidence::Inferred)
        .means(match (message.label, message.from) {
            (Label::Response(_), Side::Responder) => {
                "the answer cannot be put together, and the initiator cannot go on"
            }
            (Label::Response(_), Side::Initiator) => {
                "the answer cannot be put together, and the responder cannot go on"
            }
            (Label::Mm(6) | Label::Am(2), _) => "the message cannot be put together, and the initiator cannot go on",
            _ => "the message cannot be put together, and so cannot be answered",
        })
        .frames(view.frames(message))
        .settle("a capture next to the sender: if all fragments leave, the path loses them");
    // No other is longer than the first: where that passes none is too large.
    let small = lowest > 1;
    let found = if small { found.weigh("size", 0.05) } else { found };
    let found = match (waited.copies >= 3, small) {
        (true, true) => found.weigh("loss", 0.3).weigh("filter", 10.0),
        (true, false) => found.weigh("loss", 0.3).weigh("size", 1.5),
        (false, _) => found,
    };
    // A single set may have been lost by the capture alone.
    if waited.copies > 1 { found } else { Match { confidence: Some(Confidence::Suspected), ..found } }
}

/// A message that came whole once and then, copy after copy, in part, while nothing comes of it.
fn of_copies(index: usize, view: &View<'_>, exchange: &Exchange) -> Option<Match> {
    let in_part = |message: &MessageRecord| message.repeats.iter().filter(|repeat| repeat.missing.is_some()).count();
    let message = exchange.messages.iter().find(|message| in_part(message) >= 2)?;
    let last = message.repeats.last()?;
    let (lowest, total) = last.missing?;
    if view.one_sided() || view.tunnel_up().is_some() || !view.waited(message).is_silence() {
        return None;
    }
    let of = total.map_or(String::new(), |total| format!(" of {total}"));
    Some(
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "{} came whole once; after it, it was sent {} in IKE fragments of which number {lowest}{of} never came",
                message.label,
                times(in_part(message) as u64),
            ))
            .means("the path drops IKE fragments: these copies cannot be put together")
            .frames(view.frames(message))
            .settle("a capture next to the sender: if all fragments leave, the path loses them")
            .weigh("loss", 0.3)
            .weigh("size", 1.5),
    )
}

/// The attempt that was being negotiated at `at`.
pub(super) fn negotiating<'a>(case: &Case<'a>, at: Timestamp) -> Option<(usize, View<'a>)> {
    case.attempts()
        .filter(|(_, view)| view.attempt.first <= at && view.attempt.phase1_up.is_none_or(|up| up >= at))
        .last()
}

/// What is over is no longer an error.
pub(super) fn unless_over(found: Match, over: bool) -> Match {
    if over { found.severity(Severity::Info) } else { found }
}
