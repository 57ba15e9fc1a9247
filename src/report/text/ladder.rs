//! One attempt as a ladder: every message in order, repeats folded into it, gaps in time visible, long quiet stretches
//! and equal attempts folded, and what was folded said.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::Outcome;
use crate::report::model::{Attempt, Exchange, IcmpError, Message, Move, Pair, Report, VendorId};
use crate::report::naming;
use crate::report::quantity::{self, count, counted};
use crate::report::words::Word;
use crate::track::{Label, Side};

use super::message::{arrow, between, content, repeats_text};
use super::{Page, Palette, View, Words, finding, mode, proposal, standing, twice};

/// Silence worth a line of its own.
const GAP: Duration = Duration::from_secs(5);
/// Encrypted informational messages in a row that become one line.
const QUIET_RUN: usize = 5;
/// Rows of one ladder: at its beginning, and at its end.
const ROWS: (usize, usize) = (40, 12);
/// Ladders of one pair.
const LADDERS: usize = 12;

/// Prints the attempts of a pair, equal ones as one ladder.
pub fn print_attempts(view: &View<'_>, page: &mut Page<'_, impl Write>, pair: &Pair) -> io::Result<()> {
    let groups = grouped(view.report.attempts_of(pair).collect());
    let total = pair.attempts.len();
    for (shown, group) in groups.iter().enumerate() {
        page.blank()?;
        if shown == LADDERS {
            let left: usize = groups.iter().skip(LADDERS).map(Vec::len).sum();
            let words = format!("… and {}, not shown here", counted(left as u64, "more attempt", "more attempts"));
            return page.line(&Words::inked(page.palette.faint, words));
        }
        let Some((first, others)) = group.split_first() else { continue };
        let number = pair.attempts.iter().position(|&id| id == first.id).unwrap_or(0) + 1;
        print_attempt(view, page, first, (number, total))?;
        if let Some(last) = others.last() {
            let every = last.first.since(first.first).checked_div(others.len() as u32).unwrap_or_default();
            let words = format!(
                "×{} more like it until {}, {}{}",
                count(others.len() as u64),
                view.clock.second(last.last),
                if others.len() > 1 { "one every " } else { "begun after " },
                quantity::span(every),
            );
            page.paragraph(2, &Words::inked(page.palette.heading, words))?;
        }
    }
    Ok(())
}

/// Prints one attempt by itself.
pub fn print_one(view: &View<'_>, page: &mut Page<'_, impl Write>, attempt: &Attempt) -> io::Result<()> {
    let ids = view.report.pair(attempt.pair).map(|pair| pair.attempts.as_slice()).unwrap_or_default();
    let number = ids.iter().position(|&id| id == attempt.id).unwrap_or(0) + 1;
    print_attempt(view, page, attempt, (number, ids.len()))
}

/// Ids of the attempts of a pair that have a ladder of their own.
pub fn first_of_each(report: &Report, pair: &Pair) -> Vec<usize> {
    let groups = grouped(report.attempts_of(pair).collect());
    groups.iter().take(LADDERS).filter_map(|group| group.first()).map(|attempt| attempt.id).collect()
}

/// Attempts that went the same way, in order of the first of each kind. Those that came up are only folded when they
/// are many: what happened after the set-up may differ.
fn grouped(attempts: Vec<&Attempt>) -> Vec<Vec<&Attempt>> {
    const MANY: usize = 4;
    let same = |one: &Attempt, other: &Attempt| {
        let way = |attempt: &Attempt| {
            (attempt.mode, attempt.stage, attempt.waiting_for, attempt.outcome, attempt.verdict, attempt.initiator.ip())
        };
        way(one) == way(other)
    };
    let many_up = attempts.iter().filter(|attempt| attempt.outcome == Outcome::Established).count() >= MANY;
    let mut groups: Vec<Vec<&Attempt>> = Vec::new();
    for attempt in attempts {
        let folds = attempt.outcome != Outcome::Established || many_up;
        let group = groups.iter_mut().find(|group| folds && group.first().is_some_and(|first| same(first, attempt)));
        match group {
            Some(group) => group.push(attempt),
            None => groups.push(vec![attempt]),
        }
    }
    groups
}

fn print_attempt(
    view: &View<'_>,
    page: &mut Page<'_, impl Write>,
    attempt: &Attempt,
    (number, total): (usize, usize),
) -> io::Result<()> {
    let palette = page.palette;
    let name = match total {
        1 => "attempt".into(),
        _ => format!("attempt {number} of {total}"),
    };
    let ink = match attempt.outcome {
        Outcome::Established => palette.good,
        Outcome::Failed => palette.error,
        Outcome::Unfinished | Outcome::Unknown => palette.warning,
    };
    let is_denied = |verdict: &str| {
        let pair = view.report.pair(attempt.pair);
        pair.is_some_and(|pair| view.verdict(pair, verdict).is_some_and(|found| twice::is_denied(view, pair, found)))
    };
    let verdict = attempt.verdict.filter(|verdict| !is_denied(verdict));
    let head = Words::inked(palette.heading, format!("{name} · {}", mode(attempt)))
        .and(": ")
        .and_inked(ink, standing(attempt))
        .and(verdict.map(|verdict| format!(" · {verdict}")).unwrap_or_default());
    page.paragraph(0, &head)?;
    let start = view.clock.time(attempt.first);
    let who = match attempt.roles_known {
        true => format!("initiator {} ▸ responder {}, {start}", attempt.initiator, attempt.responder),
        false => format!("{} ▸ {}, {start}", attempt.initiator, attempt.responder),
    };
    page.paragraph(2, &Words::of(who))?;
    let mut about = vec![format!("SPIs {} {}", attempt.initiator_spi, attempt.responder_spi)];
    if attempt.midstream {
        about.push("its beginning is not in the capture".into());
    }
    if !attempt.roles_known {
        about.push("which end is the initiator is not known".into());
    }
    if let Some(older) = attempt.rekeyed_from {
        let spi = view.report.attempts.get(older).map(|older| older.initiator_spi.to_string()).unwrap_or_default();
        about.push(format!("seems to replace the SA with SPI {spi}"));
    }
    page.paragraph(2, &Words::inked(palette.faint, about.join(", ")))?;

    print_rungs(view, page, attempt)?;
    proposal::print(page, attempt)?;
    let mut line = |name: &str, words: Words| {
        let head = Words::of("  ").and_inked(palette.label, name).padded(12);
        page.wrapped(head, &Words::of(" ".repeat(12)), &words)
    };
    let name = |side: Side| match (attempt.roles_known, side) {
        (true, side) => format!("the {}", side.word()),
        (false, Side::Initiator) => attempt.initiator.ip().to_string(),
        (false, Side::Responder) => attempt.responder.ip().to_string(),
    };
    if let Some(mut nat) = nat_text(attempt) {
        for side in [Side::Initiator, Side::Responder] {
            nat = nat.replace(&format!("the {}", side.word()), &name(side));
        }
        line("NAT", Words::of(nat))?;
    }
    // The ladder itself shows the float to port 4500.
    let floats = |step: &Move| {
        let was = *[attempt.initiator, attempt.responder].get(step.side.index()).unwrap_or(&attempt.initiator);
        step.to.ip() == was.ip() && step.to.port() == 4500
    };
    for step in attempt.moves.iter().filter(|step| !floats(step)) {
        let frame = quantity::frame(step.frame, view.many_captures);
        line("moved", Words::of(format!("{} sends from {} since frame {frame}", name(step.side), step.to)))?;
    }
    for side in [Side::Initiator, Side::Responder] {
        let vendors = vendors_text(attempt.vendor_ids.of(side));
        if !vendors.is_empty() {
            let whose = if attempt.roles_known { side.word().to_owned() } else { name(side) };
            line("vendors", Words::of(format!("{whose}: {vendors}")))?;
        }
    }
    let explained = attempt
        .verdict
        .is_some_and(|verdict| view.report.pair(attempt.pair).and_then(|pair| view.verdict(pair, verdict)).is_some());
    let states = finding::states(&attempt.states);
    let up = attempt.outcome == Outcome::Established;
    // what came up without its last messages seen is beyond the stage that they show
    let passed = up && attempt.waiting_for.is_some();
    if !states.is_empty() && !passed && (up || !explained || number > 1) {
        let before = if attempt.verdict == Some("OK-DELETE") { " (before the delete)" } else { "" };
        line("states", states.and(before))?;
    }
    if attempt.messages_forgotten > 0 {
        line("forgotten", Words::of(counted(attempt.messages_forgotten, "message", "messages")))?;
    }
    Ok(())
}

/// A line of a ladder.
enum Rung<'a> {
    Message(&'a Exchange, &'a Message),
    /// Encrypted informational messages in a row.
    Quiet(Vec<&'a Message>),
    /// ICMP errors about the attempt's messages.
    Icmp(&'a IcmpError),
    /// Rows left out of a long ladder.
    Left(usize),
}

fn rungs<'a>(messages: Vec<(&'a Exchange, &'a Message)>) -> Vec<Rung<'a>> {
    let quiet = |message: &Message| {
        let informational = matches!(message.label, Label::Inf | Label::INFORMATIONAL_REQ | Label::INFORMATIONAL_RSP);
        informational && message.encrypted && message.retransmission_count == 0 && message.fault.is_none()
    };
    let mut rungs = Vec::new();
    let mut rest = messages.as_slice();
    while let Some((&(exchange, message), tail)) = rest.split_first() {
        let run = rest.iter().take_while(|(_, message)| quiet(message)).count();
        if run >= QUIET_RUN {
            let (folded, tail) = rest.split_at(run);
            rungs.push(Rung::Quiet(folded.iter().map(|(_, message)| *message).collect()));
            rest = tail;
        } else {
            rungs.push(Rung::Message(exchange, message));
            rest = tail;
        }
    }
    let (head, tail) = ROWS;
    if rungs.len() > head + tail + 1 {
        let left = rungs.len() - head - tail;
        rungs.splice(head..head + left, [Rung::Left(left)]);
    }
    rungs
}

/// Prints the messages of an attempt, what came between them, and what is awaited.
pub fn print_rungs(view: &View<'_>, page: &mut Page<'_, impl Write>, attempt: &Attempt) -> io::Result<()> {
    let palette = page.palette;
    let mut rungs = rungs(view.report.messages_of(attempt));
    for error in icmp_errors(view, attempt) {
        let after = |rung: &Rung<'_>| matches!(rung, Rung::Message(_, message) if message.at > error.first);
        let place = rungs.iter().position(after).unwrap_or(rungs.len());
        rungs.insert(place, Rung::Icmp(error));
    }
    let mut columns = Columns { frame: 5, time: 6, label: 3 };
    for rung in &rungs {
        if let Rung::Message(_, message) = rung {
            columns.frame = columns.frame.max(quantity::frame(message.frame_ref(), view.many_captures).len());
            columns.time = columns.time.max(quantity::offset(message.at.since(attempt.first)).len());
            columns.label = columns.label.max(message.label.to_string().len());
        }
    }
    page.line(&Words::inked(palette.faint, columns.heading()))?;

    let aside = |text: String| Words::of(" ".repeat(columns.frame + 4)).and_inked(palette.faint, text);
    let mut busy_until = attempt.first;
    let mut ports = None;
    for rung in &rungs {
        match rung {
            Rung::Message(exchange, message) => {
                let silence = message.at.since(busy_until);
                if silence >= GAP {
                    page.line(&aside(format!("… {} …", quantity::span(silence))))?;
                }
                busy_until = busy_until.max(message.last_at());
                let ports = &mut ports;
                print_message(view, page, &columns, attempt, exchange, message, ports)?;
            }
            Rung::Quiet(messages) => {
                let (Some(first), Some(last)) = (messages.first(), messages.last()) else { continue };
                page.paragraph(columns.frame + 4, &quiet_words(view, &palette, messages, first, last))?;
                busy_until = busy_until.max(last.at);
            }
            Rung::Icmp(error) => {
                let frame = error.frames.first().map(|&frame| quantity::frame(frame, view.many_captures));
                let time = quantity::offset(error.first.since(attempt.first));
                let head = Words::of(format!("  {:>1$}  ", frame.unwrap_or_default(), columns.frame))
                    .and_inked(palette.faint, format!("{time:>0$}  ", columns.time))
                    .and_inked(palette.error, "! ");
                let hang = Words::of(" ".repeat(2 + columns.frame + 2 + columns.time + 4));
                let times = match error.count {
                    1 => String::new(),
                    times => format!(", ×{} until {}", count(times), view.clock.second(error.last)),
                };
                let text = format!("{} says: {}{times}", error.from, error.text);
                page.wrapped(head, &hang, &Words::inked(palette.error, text))?;
            }
            Rung::Left(rows) => {
                page.line(&aside(format!("… {} not shown here …", counted(*rows as u64, "row", "rows"))))?
            }
        }
    }
    if let (Some(window), Some(next)) = (view.report.window, attempt.waiting_for) {
        let end = match next_first(view, attempt) {
            // it came up all the same
            _ if attempt.outcome == Outcome::Established && !view.running && !is_asked_late(view, attempt, next) => {
                format!("… {next} is not in the capture")
            }
            Some(first) if first > busy_until => {
                format!("… no {next}; the next attempt begins {} later", quantity::span(first.since(busy_until)))
            }
            Some(_) => format!("… no {next}"),
            None => match window.last.since(busy_until) {
                silence if view.running => format!("… {next} is awaited, for {} so far", quantity::span(silence)),
                silence if silence < Duration::from_secs(1) => {
                    let end = if view.is_cut_off() { "the file is cut off" } else { "the capture ends" };
                    format!("… no {next}; {end} here")
                }
                silence => format!("… no {next} until the capture ends, {} later", quantity::span(silence)),
            },
        };
        page.paragraph(columns.frame + 4, &Words::inked(palette.faint, end))?;
    }
    Ok(())
}

/// Whether what `owed` would answer was sent when the tunnel was up already.
fn is_asked_late(view: &View<'_>, attempt: &Attempt, owed: Label) -> bool {
    let late = |message: &Message| attempt.phase2_up.is_some_and(|up| message.at > up);
    let messages = view.report.messages_of(attempt);
    messages.iter().any(|(_, message)| message.label.is_followed_by(owed) && late(message))
}

/// When the next attempt of the same pair began.
fn next_first(view: &View<'_>, attempt: &Attempt) -> Option<Timestamp> {
    let pair = view.report.pair(attempt.pair)?;
    view.report.attempts_of(pair).map(|other| other.first).find(|first| *first > attempt.first)
}

/// ICMP errors about IKE that came while this was the latest attempt of its pair.
fn icmp_errors<'a>(view: &View<'a>, attempt: &'a Attempt) -> Vec<&'a IcmpError> {
    let next = next_first(view, attempt);
    let errors = view.report.icmp_errors.iter();
    errors
        .filter(|error| error.pair == attempt.pair && error.about == "isakmp")
        .filter(|error| error.first >= attempt.first && next.is_none_or(|next| error.first < next))
        .take(8)
        .collect()
}

fn quiet_words(view: &View<'_>, palette: &Palette, messages: &[&Message], first: &Message, last: &Message) -> Words {
    let total = messages.len() as u64;
    let sent = messages.iter().filter(|message| message.from == Side::Initiator).count() as u64;
    let whose = match sent {
        0 => "from the responder".into(),
        sent if sent == total => "from the initiator".into(),
        sent => format!("({}\u{a0}▸, {}\u{a0}◂)", count(sent), count(total - sent)),
    };
    let shortest = messages.iter().map(|message| message.length).min().unwrap_or_default();
    let longest = messages.iter().map(|message| message.length).max().unwrap_or_default();
    let octets = if shortest == longest { count(shortest.into()) } else { format!("{shortest} to {longest}") };
    let text = format!(
        "… {} encrypted informational messages {whose} of {octets} octets, frames {} to {}, {}",
        count(total),
        quantity::frame(first.frame_ref(), view.many_captures),
        quantity::frame(last.frame_ref(), view.many_captures),
        view.clock.range(first.at, last.at),
    );
    Words::inked(palette.faint, text)
}

/// Widths of the columns left of what a message carries.
struct Columns {
    frame: usize,
    time: usize,
    label: usize,
}

impl Columns {
    fn heading(&self) -> String {
        format!("  {:>1$}  {2:>3$}    {4:<5$} {6:>6}", "frame", self.frame, "+s", self.time, "", self.label, "octets")
    }

    fn width(&self) -> usize {
        2 + self.frame + 2 + self.time + 4 + self.label + 7 + 2
    }
}

fn print_message(
    view: &View<'_>,
    page: &mut Page<'_, impl Write>,
    columns: &Columns,
    attempt: &Attempt,
    exchange: &Exchange,
    message: &Message,
    ports: &mut Option<(SocketAddr, SocketAddr)>,
) -> io::Result<()> {
    const ROOM: usize = 44;
    let palette = page.palette;
    let number = quantity::frame(message.frame_ref(), view.many_captures);
    let time = quantity::offset(message.at.since(attempt.first));
    let head = Words::of(format!("  {number:>0$}  ", columns.frame))
        .and_inked(palette.faint, format!("{time:>0$}  ", columns.time))
        .join(arrow(&palette, message))
        .and(" ")
        .and_inked(palette.label, format!("{:<1$}", message.label.to_string(), columns.label))
        .and(format!(" {:>6}  ", count(message.length.into())));
    let hang = match page.width.checked_sub(columns.width()) {
        Some(room) if room >= ROOM => columns.width(),
        _ => 2 + columns.frame + 2 + columns.time + 4,
    };

    let mut parts = vec![content(&palette, attempt, message)];
    if belongs_to_many(message.label) && exchange.message_id.0 != 0 {
        parts.push(Words::whole(palette.faint, &format!("id {}", exchange.message_id)));
    }
    let sides = match message.from {
        Side::Initiator => (message.source, message.destination),
        Side::Responder => (message.destination, message.source),
    };
    let before = ports.replace(sides).unwrap_or((attempt.initiator, attempt.responder));
    if before != sides {
        parts.push(Words::whole(palette.notice, &between(sides, before)));
    }
    page.wrapped(head, &Words::of(" ".repeat(hang)), &Words::joined(parts, ", "))?;
    if message.retransmission_count > 0 {
        page.paragraph(hang, &Words::inked(palette.warning, repeats_text(view, message)))?;
    }
    Ok(())
}

/// Whether an attempt has many exchanges with this label, so that the message id has to tell them apart.
const fn belongs_to_many(label: Label) -> bool {
    matches!(
        label,
        Label::Qm(_)
            | Label::Tr(_)
            | Label::Ngm(_)
            | Label::Inf
            | Label::CREATE_CHILD_SA_REQ
            | Label::INFORMATIONAL_REQ
            | Label::CREATE_CHILD_SA_RSP
            | Label::INFORMATIONAL_RSP
    )
}

/// NAT in words, as far as the hashes tell.
pub fn nat_text(attempt: &Attempt) -> Option<String> {
    let nat = &attempt.nat;
    let checked =
        [Side::Initiator, Side::Responder].map(|side| [*nat.own_matches.of(side), *nat.peer_matches.of(side)]);
    let behind = match (nat.initiator_behind, nat.responder_behind) {
        (Some(true), Some(true)) => "both sides are behind NAT",
        (Some(true), _) => "the initiator is behind NAT",
        (_, Some(true)) => "the responder is behind NAT",
        (Some(false), Some(false)) => "NAT-D hashes match: no NAT between them",
        (Some(false), None) => "the initiator is not behind NAT; for the responder no hash could be checked",
        (None, Some(false)) => "the responder is not behind NAT; for the initiator no hash could be checked",
        (None, None) => match (nat.initiator_announced, nat.responder_announced) {
            _ if checked.as_flattened().iter().all(|matches| *matches == Some(false)) => {
                "no NAT-D hash fits an address of the capture: its addresses were changed after it was taken, or it was taken \
                 between two NATs"
            }
            (true, false) if attempt.chosen.is_some() && checked.as_flattened().contains(&Some(true)) => {
                "only the initiator announced NAT traversal; its own NAT-D hashes match here"
            }
            _ if checked.as_flattened().contains(&Some(true)) => "the NAT-D hashes that could be checked match",
            (true, true) => "both sides know NAT traversal; no NAT-D hash could be checked",
            (true, false) if attempt.chosen.is_none() => {
                "the initiator announced NAT traversal; the responder did not get so far"
            }
            (true, false) => "only the initiator announced NAT traversal",
            (false, true) => "only the responder announced NAT traversal",
            (false, false) => return None,
        },
    };
    if let Some(side) = differs_alone(attempt) {
        return Some(format!(
            "both hashes of {side} differ and both of its peer's match: wrong on purpose, to force UDP encapsulation, or both sides are behind NAT"
        ));
    }
    let hedge = if may_be_forced(attempt) { " (or a wrong hash on purpose, to force UDP encapsulation)" } else { "" };
    Some(format!("{behind}{hedge}"))
}

/// The side that sends two hashes that do not match, where both of its peer's do.
fn differs_alone(attempt: &Attempt) -> Option<&'static str> {
    let nat = &attempt.nat;
    let (own, peer) = (&nat.own_matches, &nat.peer_matches);
    let sent = [[own.initiator, peer.responder], [own.responder, peer.initiator]];
    match sent {
        _ if !matches!(attempt.initiator.port(), 500 | 4500) => None,
        [[Some(false), Some(false)], [Some(true), Some(true)]] => Some("the initiator"),
        [[Some(true), Some(true)], [Some(false), Some(false)]] => Some("the responder"),
        _ => None,
    }
}

/// Only a side's own hash speaks for a NAT, and no port was rewritten: a gateway that is told to encapsulate in UDP
/// sends a wrong hash of its own address.
fn may_be_forced(attempt: &Attempt) -> bool {
    let nat = &attempt.nat;
    let sides = [
        (nat.initiator_behind, nat.own_matches.initiator, nat.peer_matches.initiator),
        (nat.responder_behind, nat.own_matches.responder, nat.peer_matches.responder),
    ];
    let behind: Vec<_> = sides.iter().filter(|(behind, _, _)| *behind == Some(true)).collect();
    let own_word_only = behind.iter().all(|(_, own, peer)| *own == Some(false) && *peer != Some(false));
    !behind.is_empty() && own_word_only && matches!(attempt.initiator.port(), 500 | 4500)
}

fn vendors_text(vendor_ids: &[VendorId]) -> String {
    let mut names: Vec<String> = vendor_ids.iter().map(naming::vendor_id_text).collect();
    names.dedup();
    names.join(", ")
}
