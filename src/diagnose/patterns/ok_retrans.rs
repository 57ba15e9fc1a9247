//! OK-RETRANS: a message was repeated and then answered.

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::words::number;
use crate::track::{Exchange, ExchangeKind, Label, MessageRecord};

use super::{ikev2, phase1};

/// More repeats of one message than this are no longer an accident.
const FEW: u32 = 3;

pattern! {
    /// ## What is seen
    ///
    /// A message is sent again, once or a few times, and the exchange goes on.
    ///
    /// ## What it means
    ///
    /// A packet was lost or its answer came late. Nothing to do.
    ///
    /// ## Look-alikes
    ///
    /// - The same packet recorded twice by a mirror port, or at two capture points: not counted.
    /// - `P1-NO-REPLY`, `P2-NO-REPLY` and the like: the repeats are never answered.
    OK_RETRANS = "OK-RETRANS", Normal, Info;
    title: "a message was repeated, and then the exchange went on";
    causes: [];
    checks: [];
    logs: [
        "strongSwan": "received retransmit of request with ID …, retransmitting response" ("strongSwan log");
    ];
    sources: ["RFC 2408 §5.1", "RFC 7296 §2.1"];
    when: REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let traffic = |address| case.flows_from(address).map(|flow| flow.last).max();
    let both_ways_until = traffic(case.pair.a).zip(traffic(case.pair.b)).map(|(one, other)| one.min(other));
    let two_points = points::is_seen_twice(case);
    let copies_of = |message: &MessageRecord| match two_points {
        true => u64::from(at_one_point(message)),
        false => u64::from(message.repeat_count),
    };
    let mut repeated: Vec<&MessageRecord> = Vec::new();
    for (_, view) in case.attempts() {
        let exchanges = view.exchanges();
        let begins = exchanges.iter().filter_map(|exchange| exchange.messages.first());
        let last_begin = begins.filter(|first| first.encrypted).map(|first| first.at).max();
        let seen_until = last_begin.max(both_ways_until);
        for exchange in exchanges {
            // An SA that was there before goes on whatever becomes of what is asked on it.
            let until = if asked_in_spite(exchange) { last_begin } else { seen_until };
            repeated.extend(settled_repeats(exchange, until));
        }
    }
    repeated.retain(|message| copies_of(message) > 0);
    if repeated.is_empty() {
        return Vec::new();
    }
    let copies = repeated.iter().map(|message| copies_of(message)).sum();
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} of {}; the exchange went on each time",
                number(copies, "repeat"),
                number(repeated.len() as u64, "message")
            ))
            .means("a packet was lost or late; the protocol made up for it")
            .frames(repeated.iter().map(|message| message.frame)),
    ]
}

/// Repeats of a message where most of its copies were recorded: two captures hold each copy once.
fn at_one_point(message: &MessageRecord) -> u32 {
    let captures = || message.repeats.iter().map(|repeat| repeat.frame.capture).chain([message.frame.capture]);
    let copies = captures().map(|capture| captures().filter(|&other| other == capture).count()).max();
    u32::try_from(copies.unwrap_or(1)).unwrap_or(u32::MAX).saturating_sub(1)
}

/// A request on an IKE SA that is up was answered and came again all the same, more than once.
fn asked_in_spite(exchange: &Exchange) -> bool {
    use ExchangeKind::{CreateChildSa, IkeFollowupKe, InformationalV2};
    let of_its_own = matches!(exchange.kind, CreateChildSa | IkeFollowupKe | InformationalV2);
    let (request, response) = ikev2::request_and_response(exchange);
    let in_spite = |(request, response)| phase1::copies_in_spite_of(response, request).is_some();
    of_its_own && request.zip(response).is_some_and(in_spite)
}

/// Repeated messages of which is seen what came of them: messages beyond the answer, or, by `seen_until`, another exchange or
/// traffic both ways.
fn settled_repeats(exchange: &Exchange, seen_until: Option<Timestamp>) -> impl Iterator<Item = &MessageRecord> {
    let messages = &exchange.messages;
    let last = messages.iter().flat_map(|message| message.repeats.iter().map(|repeat| repeat.at)).max();
    let settled = last.is_some_and(|last| seen_until.is_some_and(|until| until > last));
    messages
        .iter()
        .enumerate()
        .filter(move |(place, message)| {
            let is_last = place + 1 == messages.len();
            let awaits = matches!(
                message.label,
                Label::Mm(1..=5) | Label::Am(1 | 2) | Label::Qm(1 | 2) | Label::Tr(1) | Label::Request(_)
            );
            (1..=FEW).contains(&message.repeat_count)
                && !(is_last && awaits)
                && !message.own_cookie
                && (settled || place + 2 < messages.len())
        })
        .map(|(_, message)| message)
}
