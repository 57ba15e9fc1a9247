//! OK-RETRANS: a message was repeated and then answered.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::{Exchange, MessageRecord};

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
    /// - The same packet recorded twice by a mirror port: not counted.
    /// - `P1-NO-REPLY`, `P2-NO-REPLY` and the like: the repeats are never answered.
    OK_RETRANS = "OK-RETRANS", Normal, Info;
    title: "a message was repeated, and then the exchange went on";
    causes: [];
    checks: [];
    logs: [];
    sources: ["RFC 2408 §5.1", "RFC 7296 §2.1"];
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let repeated: Vec<&MessageRecord> = case
        .attempts()
        .flat_map(|(_, view)| {
            view.exchanges().iter().flat_map(move |exchange| {
                exchange.messages.iter().filter(move |message| {
                    (1..=FEW).contains(&message.repeat_count) && went_on(&view, exchange, message)
                })
            })
        })
        .collect();
    if repeated.is_empty() {
        return Vec::new();
    }
    let copies = repeated.iter().map(|message| u64::from(message.repeat_count)).sum();
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} of {}, all of which went on",
                number(copies, "repeat"),
                number(repeated.len() as u64, "message")
            ))
            .means("a packet was lost or late; the protocol made up for it")
            .frames(repeated.iter().map(|message| message.frame)),
    ]
}

/// What came of it is seen: messages beyond the answer, another exchange, or traffic both ways.
fn went_on(view: &View<'_>, exchange: &Exchange, message: &MessageRecord) -> bool {
    let place = exchange.messages.iter().position(|other| std::ptr::eq(other, message));
    let later = place.and_then(|place| exchange.messages.get(place + 1..)).unwrap_or_default();
    if later.len() > 1 {
        return true;
    }
    let last = exchange.messages.iter().flat_map(|message| message.repeats.iter().map(|repeat| repeat.at)).max();
    let last = last.unwrap_or(message.at);
    let traffic = |address| view.case.flows_from(address).any(|flow| flow.last >= last);
    (traffic(view.case.pair.a) && traffic(view.case.pair.b))
        || view.exchanges().iter().any(|other| other.messages.first().is_some_and(|first| first.at > last && first.encrypted))
}
