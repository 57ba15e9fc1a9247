//! The rows there are most of, written straight from the facts: pairs, attempts, exchanges with their messages, flows and
//! findings.
//!
//! The rows of the model, and what their serialiser writes, are what these are held to: a test compares every octet over
//! all captures. Everything here is known when the program is built but numbers, times, addresses and parts.

use std::io::{self, Write};

use crate::base::{Fault, FrameRef, Timestamp};
use crate::report::pen::{self, digits, raw};
use crate::report::walk::{AttemptRow, ExchangeRow, FindingRow, PairRow};
use crate::report::words::{self, Word};
use crate::track::{Attempt, EspFlow, Label, MessageRecord, NatFacts, Seen, Side};

use super::Lines;
use super::parts::{OfAttempts, OfFindings, OfMessages};

pub(super) fn pair(lines: &mut Lines<'_, impl Write>, row: &PairRow<'_>) -> io::Result<()> {
    let (out, fact) = (&mut lines.buffer, row.fact);
    raw(out, "\"id\":");
    count(out, row.id);
    raw(out, ",\"a\":\"");
    pen::address(out, fact.a);
    raw(out, "\",\"b\":\"");
    pen::address(out, fact.b);
    raw(out, "\",\"status\":\"");
    raw(out, row.status.word());
    raw(out, "\",\"verdict\":");
    name(out, row.verdict);
    raw(out, ",\"attempts\":[");
    for (index, &attempt) in row.attempts.iter().enumerate() {
        if index > 0 {
            lines.buffer.push(b',');
            lines.relieve()?;
        }
        digits(&mut lines.buffer, u64::from(attempt));
    }
    raw(&mut lines.buffer, "],\"first\":");
    span(lines, (fact.first, fact.last), (fact.first_frame, fact.last_frame));
    let out = &mut lines.buffer;
    raw(out, ",\"sent_by_a\":");
    sent(out, &fact.sent[0]);
    raw(out, ",\"sent_by_b\":");
    sent(out, &fact.sent[1]);
    Ok(())
}

fn sent(out: &mut Vec<u8>, seen: &Seen) {
    raw(out, "{\"isakmp\":");
    digits(out, seen.isakmp);
    raw(out, ",\"esp\":");
    digits(out, seen.esp);
    raw(out, ",\"ah\":");
    digits(out, seen.ah);
    raw(out, ",\"keepalives\":");
    digits(out, seen.keepalives);
    raw(out, ",\"on_4500\":");
    digits(out, seen.on_4500);
    out.push(b'}');
}

/// What stands behind the key `first`: first and last time, then the frames of both.
fn span(lines: &mut Lines<'_, impl Write>, times: (Timestamp, Timestamp), frames: (FrameRef, FrameRef)) {
    moment(lines, times.0);
    raw(&mut lines.buffer, ",\"last\":");
    moment(lines, times.1);
    let out = &mut lines.buffer;
    raw(out, ",\"first_frame\":");
    frame(out, frames.0);
    raw(out, ",\"last_frame\":");
    frame(out, frames.1);
}

pub(super) fn attempt(
    lines: &mut Lines<'_, impl Write>,
    parts: &mut OfAttempts,
    row: &AttemptRow<'_>,
) -> io::Result<()> {
    let (out, fact) = (&mut lines.buffer, row.fact);
    raw(out, "\"id\":");
    count(out, row.id);
    raw(out, ",\"pair\":");
    count(out, row.pair);
    raw(out, ",\"version\":");
    digits(out, u64::from(words::major(fact.version)));
    raw(out, ",\"mode\":\"");
    raw(out, fact.mode.word());
    raw(out, "\",\"initiator\":\"");
    pen::endpoint(out, fact.initiator);
    raw(out, "\",\"responder\":\"");
    pen::endpoint(out, fact.responder);
    raw(out, "\",\"initiator_spi\":\"");
    pen::hex_few(out, fact.initiator_spi.octets());
    raw(out, "\",\"responder_spi\":\"");
    pen::hex_few(out, fact.responder_spi.octets());
    raw(out, "\",\"first_frame\":");
    frame(out, fact.first_frame);
    raw(out, ",\"last_frame\":");
    frame(out, fact.last_frame);
    raw(out, ",\"first\":");
    moment(lines, fact.first);
    raw(&mut lines.buffer, ",\"last\":");
    moment(lines, fact.last);
    let out = &mut lines.buffer;
    raw(out, ",\"stage\":\"");
    label(out, fact.stage);
    raw(out, "\",\"waiting_for\":");
    match fact.waiting_for {
        None => raw(out, "null"),
        Some(awaited) => {
            out.push(b'"');
            label(out, awaited);
            out.push(b'"');
        }
    }
    raw(out, ",\"outcome\":\"");
    raw(out, row.outcome.word());
    raw(out, "\",\"verdict\":");
    name(out, row.verdict);
    raw(out, ",\"states\":");
    parts.states(out, fact, row.outcome);
    raw(out, ",\"midstream\":");
    truth(out, fact.midstream);
    raw(out, ",\"rekeyed_from\":");
    id(out, row.rekeyed_from);
    raw(out, ",\"phase1_up\":");
    maybe_moment(lines, fact.phase1_up);
    raw(&mut lines.buffer, ",\"phase2_up\":");
    maybe_moment(lines, fact.phase2_up);
    let out = &mut lines.buffer;
    raw(out, ",\"offered\":");
    parts.offer(out, fact);
    raw(out, ",\"chosen\":");
    parts.choice(out, fact);
    raw(out, ",\"nat\":");
    nat(out, &fact.nat);
    raw(out, ",\"vendor_ids\":{\"initiator\":");
    parts.vendor_ids(out, &fact.vendor_ids[0]);
    raw(out, ",\"responder\":");
    parts.vendor_ids(out, &fact.vendor_ids[1]);
    raw(out, "},\"moves\":[");
    moves(lines, fact)?;
    raw(&mut lines.buffer, "],\"exchanges\":[");
    for exchange in row.exchanges.clone() {
        if exchange > row.exchanges.start {
            lines.buffer.push(b',');
            lines.relieve()?;
        }
        count(&mut lines.buffer, exchange);
    }
    raw(&mut lines.buffer, "],\"messages_forgotten\":");
    digits(&mut lines.buffer, fact.messages_forgotten);
    Ok(())
}

fn nat(out: &mut Vec<u8>, nat: &NatFacts) {
    raw(out, "{\"initiator_behind\":");
    maybe(out, nat.behind(Side::Initiator));
    raw(out, ",\"responder_behind\":");
    maybe(out, nat.behind(Side::Responder));
    raw(out, ",\"initiator_announced\":");
    truth(out, nat.announced[0]);
    raw(out, ",\"responder_announced\":");
    truth(out, nat.announced[1]);
    for (key, [initiator, responder]) in
        [(",\"own_matches\":{\"initiator\":", nat.own_matches), (",\"peer_matches\":{\"initiator\":", nat.peer_matches)]
    {
        raw(out, key);
        maybe(out, initiator);
        raw(out, ",\"responder\":");
        maybe(out, responder);
        out.push(b'}');
    }
    raw(out, ",\"mismatch_frame\":");
    match nat.mismatch_frame {
        None => raw(out, "null"),
        Some(mismatch) => frame(out, mismatch),
    }
    out.push(b'}');
}

fn moves(lines: &mut Lines<'_, impl Write>, fact: &Attempt) -> io::Result<()> {
    for (index, step) in fact.moves.iter().enumerate() {
        raw(&mut lines.buffer, if index == 0 { "{\"at\":" } else { ",{\"at\":" });
        moment(lines, step.at);
        let out = &mut lines.buffer;
        raw(out, ",\"frame\":");
        frame(out, step.frame);
        raw(out, ",\"side\":\"");
        raw(out, step.side.word());
        raw(out, "\",\"to\":\"");
        pen::endpoint(out, step.to);
        raw(out, "\"}");
        lines.relieve()?;
    }
    Ok(())
}

pub(super) fn exchange(
    lines: &mut Lines<'_, impl Write>,
    parts: &mut OfMessages,
    row: &ExchangeRow<'_>,
) -> io::Result<()> {
    let (out, fact) = (&mut lines.buffer, row.fact);
    raw(out, "\"id\":");
    count(out, row.id);
    raw(out, ",\"attempt\":");
    count(out, row.attempt);
    raw(out, ",\"kind\":\"");
    raw(out, &words::exchange_kind(fact.kind));
    raw(out, "\",\"message_id\":\"");
    pen::hex_few(out, fact.message_id.0.to_be_bytes());
    raw(out, "\",\"started_by\":\"");
    raw(out, fact.started_by.word());
    raw(out, "\",\"messages\":[");
    for (index, record) in fact.messages.iter().enumerate() {
        if index > 0 {
            lines.buffer.push(b',');
            lines.relieve()?;
        }
        message(lines, parts, record, row.of)?;
    }
    lines.buffer.push(b']');
    Ok(())
}

fn message(
    lines: &mut Lines<'_, impl Write>,
    parts: &mut OfMessages,
    record: &MessageRecord,
    of: &Attempt,
) -> io::Result<()> {
    let at = lines.dates.moment(record.at);
    let out = &mut lines.buffer;
    raw(out, "{\"capture\":");
    digits(out, u64::from(record.frame.capture));
    raw(out, ",\"frame\":");
    digits(out, record.frame.frame);
    raw(out, ",\"at\":\"");
    out.extend_from_slice(&at);
    let plain = record.fault.is_none()
        && record.repeats.is_empty()
        && record.repeat_count == 0
        && record.recorded_again == 0
        && record.ike_fragments_missing.is_none();
    if plain {
        parts.plain(out, record, of);
        return Ok(());
    }
    before_endpoints(out, record);
    parts.endpoint(out, record.source);
    raw(out, BETWEEN_ENDPOINTS);
    parts.endpoint(out, record.destination);
    behind_endpoints(out, parts, record, of);
    raw(out, ",\"fault\":");
    fault(out, record.fault)?;
    raw(out, ",\"retransmissions\":[");
    for (index, repeat) in record.repeats.iter().enumerate() {
        let out = &mut lines.buffer;
        raw(out, if index == 0 { "{\"capture\":" } else { ",{\"capture\":" });
        digits(out, u64::from(repeat.frame.capture));
        raw(out, ",\"frame\":");
        digits(out, repeat.frame.frame);
        raw(out, ",\"at\":");
        moment(lines, repeat.at);
        raw(&mut lines.buffer, if repeat.changed { ",\"changed\":true}" } else { ",\"changed\":false}" });
    }
    let out = &mut lines.buffer;
    raw(out, "],\"retransmission_count\":");
    digits(out, u64::from(record.repeat_count));
    raw(out, ",\"recorded_again\":");
    digits(out, u64::from(record.recorded_again));
    out.push(b'}');
    Ok(())
}

/// What stands between the endpoints of a message.
pub(super) const BETWEEN_ENDPOINTS: &str = "\",\"destination\":\"";

/// What is nobody's own about a message without repeats and faults, behind what [`behind_endpoints`] writes.
pub(super) const PLAIN_END: &str =
    ",\"fault\":null,\"retransmissions\":[],\"retransmission_count\":0,\"recorded_again\":0}";

/// What a message shares with others of its kind, up to its source.
pub(super) fn before_endpoints(out: &mut Vec<u8>, record: &MessageRecord) {
    raw(out, "\",\"label\":\"");
    label(out, record.label);
    raw(out, "\",\"from\":\"");
    raw(out, record.from.word());
    raw(out, "\",\"source\":\"");
}

/// What a message shares with others of its kind, from its destination to its payloads.
pub(super) fn behind_endpoints(out: &mut Vec<u8>, parts: &mut OfMessages, record: &MessageRecord, of: &Attempt) {
    raw(out, "\",\"length\":");
    digits(out, u64::from(record.length));
    raw(out, if record.encrypted { ",\"encrypted\":true" } else { ",\"encrypted\":false" });
    raw(out, ",\"encapsulation\":\"");
    raw(out, record.encapsulation.word());
    raw(out, if record.non_esp_marker { "\",\"non_esp_marker\":true" } else { "\",\"non_esp_marker\":false" });
    raw(out, ",\"flags\":");
    digits(out, u64::from(record.flags));
    fragments(out, record);
    raw(out, ",\"carried\":");
    parts.carried(out, record, of);
}

fn fragments(out: &mut Vec<u8>, record: &MessageRecord) {
    raw(out, ",\"ip_fragments\":");
    digits(out, u64::from(record.ip_fragments));
    raw(out, ",\"ike_fragments\":");
    digits(out, u64::from(record.ike_fragments));
    raw(out, ",\"ike_fragments_missing\":");
    let Some((first_missing, total)) = record.ike_fragments_missing else { return raw(out, "null") };
    raw(out, "{\"first_missing\":");
    digits(out, u64::from(first_missing));
    raw(out, ",\"total\":");
    match total {
        None => raw(out, "null"),
        Some(total) => digits(out, u64::from(total)),
    }
    out.push(b'}');
}

fn fault(out: &mut Vec<u8>, fault: Option<Fault>) -> io::Result<()> {
    Ok(serde_json::to_writer(out, &fault)?)
}

pub(super) fn esp_flow(lines: &mut Lines<'_, impl Write>, id: usize, pair: usize, fact: &EspFlow) -> io::Result<()> {
    let out = &mut lines.buffer;
    raw(out, "\"id\":");
    count(out, id);
    raw(out, ",\"pair\":");
    count(out, pair);
    raw(out, ",\"source\":\"");
    pen::address(out, fact.source);
    raw(out, "\",\"destination\":\"");
    pen::address(out, fact.destination);
    raw(out, "\",\"spi\":\"");
    pen::hex_few(out, fact.spi.0.to_be_bytes());
    raw(out, "\",\"protocol\":\"");
    raw(out, fact.protocol.word());
    raw(out, "\",\"encapsulation\":\"");
    raw(out, fact.encapsulation.word());
    raw(out, "\",\"packets\":");
    digits(out, fact.packets);
    for (key, number) in [
        (",\"octets\":", fact.octets),
        (",\"first_sequence\":", u64::from(fact.first_sequence)),
        (",\"last_sequence\":", u64::from(fact.last_sequence)),
        (",\"lost\":", fact.lost),
        (",\"reordered\":", fact.reordered),
        (",\"duplicates\":", fact.duplicates),
        (",\"recorded_again\":", fact.recorded_again),
        (",\"resets\":", u64::from(fact.resets)),
        (",\"shortest\":", u64::from(fact.length_range.0)),
        (",\"longest\":", u64::from(fact.length_range.1)),
        (",\"fragmented\":", fact.fragmented),
    ] {
        raw(out, key);
        digits(out, number);
    }
    raw(out, ",\"first\":");
    span(lines, (fact.first, fact.last), (fact.first_frame, fact.last_frame));
    Ok(())
}

pub(super) fn finding(
    lines: &mut Lines<'_, impl Write>,
    parts: &mut OfFindings,
    row: &FindingRow<'_>,
) -> io::Result<()> {
    let (out, fact) = (&mut lines.buffer, row.fact);
    raw(out, "\"id\":\"");
    raw(out, fact.pattern.id);
    raw(out, "\",\"severity\":\"");
    raw(out, fact.severity.word());
    raw(out, "\",\"confidence\":\"");
    raw(out, fact.confidence.word());
    raw(out, "\",\"pair\":");
    id(out, row.pair);
    raw(out, ",\"attempt\":");
    id(out, row.attempt);
    raw(out, ",\"frames\":[");
    for (index, &evidence) in fact.frames.iter().enumerate() {
        if index > 0 {
            lines.buffer.push(b',');
            lines.relieve()?;
        }
        frame(&mut lines.buffer, evidence);
    }
    let out = &mut lines.buffer;
    raw(out, "],\"count\":");
    digits(out, fact.count);
    parts.words(out, fact);
    raw(out, ",\"consequence_of\":");
    name(out, fact.consequence_of);
    Ok(())
}

/// A number of rows, or an id.
#[inline]
fn count(out: &mut Vec<u8>, number: usize) {
    digits(out, u64::try_from(number).unwrap_or(u64::MAX));
}

fn id(out: &mut Vec<u8>, id: Option<usize>) {
    match id {
        None => raw(out, "null"),
        Some(id) => count(out, id),
    }
}

/// A catalogue id, or null.
fn name(out: &mut Vec<u8>, name: Option<&'static str>) {
    match name {
        None => raw(out, "null"),
        Some(name) => {
            out.push(b'"');
            raw(out, name);
            out.push(b'"');
        }
    }
}

#[inline]
fn truth(out: &mut Vec<u8>, truth: bool) {
    raw(out, if truth { "true" } else { "false" });
}

#[inline]
fn maybe(out: &mut Vec<u8>, known: Option<bool>) {
    match known {
        None => raw(out, "null"),
        Some(known) => truth(out, known),
    }
}

#[inline]
fn frame(out: &mut Vec<u8>, frame: FrameRef) {
    raw(out, "{\"capture\":");
    digits(out, u64::from(frame.capture));
    raw(out, ",\"frame\":");
    digits(out, frame.frame);
    out.push(b'}');
}

/// A time, with its quotes.
#[inline]
fn moment(lines: &mut Lines<'_, impl Write>, at: Timestamp) {
    let at = lines.dates.moment(at);
    lines.buffer.push(b'"');
    lines.buffer.extend_from_slice(&at);
    lines.buffer.push(b'"');
}

fn maybe_moment(lines: &mut Lines<'_, impl Write>, at: Option<Timestamp>) {
    match at {
        None => raw(&mut lines.buffer, "null"),
        Some(at) => moment(lines, at),
    }
}

/// A label, without quotes. Those that every tunnel shows are copied.
#[inline]
fn label(out: &mut Vec<u8>, label: Label) {
    let text = match label {
        Label::Mm(1) => "MM1",
        Label::Mm(2) => "MM2",
        Label::Mm(3) => "MM3",
        Label::Mm(4) => "MM4",
        Label::Mm(5) => "MM5",
        Label::Mm(6) => "MM6",
        Label::Qm(1) => "QM1",
        Label::Qm(2) => "QM2",
        Label::Qm(3) => "QM3",
        Label::Inf => "INF",
        Label::Request(34) => "SA_INIT-REQ",
        Label::Response(34) => "SA_INIT-RSP",
        Label::Request(35) => "AUTH-REQ",
        Label::Response(35) => "AUTH-RSP",
        Label::Request(36) => "CREATE_CHILD_SA-REQ",
        Label::Response(36) => "CREATE_CHILD_SA-RSP",
        Label::Request(37) => "INFORMATIONAL-REQ",
        Label::Response(37) => "INFORMATIONAL-RSP",
        other => {
            // a vector takes everything
            let _ = write!(out, "{other}");
            return;
        }
    };
    raw(out, text);
}
