//! The rows there are most of, written straight from the facts: pairs, attempts, exchanges with their messages, flows and
//! findings.
//!
//! The rows of the model, and what their serialiser writes, are what these are held to: a test compares every octet over
//! all captures. Everything here is known when the program is built but numbers, times, addresses and parts.

use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;

use crate::base::{Fault, FrameRef, IkeSpi, MessageId, Timestamp};
use crate::diagnose::Outcome;
use crate::report::build;
use crate::report::model::SameAs;
use crate::report::pen::{self, digits, raw};
use crate::report::walk::{ExchangeRow, PairRow};
use crate::report::words::{self, Word};
use crate::track::{Attempt, EspFlow, Label, MessageRecord, Move, Passing, Seen, Side, Told};

use super::lines::Lines;
use super::parts::OfMessages;
use super::stencils::{AttemptStencil, ExchangeStencil, FindingStencil};

pub(super) fn pair(lines: &mut Lines<impl Write>, row: &PairRow<'_>) -> io::Result<()> {
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
    raw(out, ",\"same_as\":");
    match row.same_as {
        None => raw(out, "null"),
        Some(SameAs { pair, capture }) => {
            raw(out, "{\"pair\":");
            count(out, pair);
            raw(out, ",\"capture\":");
            digits(out, capture.into());
            raw(out, "}");
        }
    }
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
fn span(lines: &mut Lines<impl Write>, times: (Timestamp, Timestamp), frames: (FrameRef, FrameRef)) {
    moment(lines, times.0);
    raw(&mut lines.buffer, ",\"last\":");
    moment(lines, times.1);
    let out = &mut lines.buffer;
    raw(out, ",\"first_frame\":");
    frame(out, frames.0);
    raw(out, ",\"last_frame\":");
    frame(out, frames.1);
}

/// What is an attempt's own, and no stencil's.
pub(super) struct Own {
    /// Initiator, then responder.
    endpoints: [SocketAddr; 2],
    spis: [IkeSpi; 2],
    /// First, then last.
    times: [Timestamp; 2],
    frames: [FrameRef; 2],
    phase1_up: Option<Timestamp>,
    phase2_up: Option<Timestamp>,
    mismatch: Option<FrameRef>,
}

impl From<&Attempt> for Own {
    fn from(fact: &Attempt) -> Self {
        Self {
            endpoints: [fact.initiator, fact.responder],
            spis: [fact.initiator_spi, fact.responder_spi],
            times: [fact.first, fact.last],
            frames: [fact.first_frame, fact.last_frame],
            phase1_up: fact.phase1_up,
            phase2_up: fact.phase2_up,
            mismatch: fact.nat.mismatch_frame,
        }
    }
}

impl From<&Told<'_>> for Own {
    fn from(told: &Told<'_>) -> Self {
        let ends = told.first_and_last();
        Self {
            endpoints: told.endpoints(),
            spis: told.spis(),
            times: [ends[0].at(), told.latest()],
            frames: ends.map(Passing::frame),
            phase1_up: told.phase1_up().map(Passing::at),
            phase2_up: told.phase2_up().map(Passing::at),
            mismatch: told.mismatch().map(Passing::frame),
        }
    }
}

/// What is judged of an attempt, and what it refers to.
pub(super) struct AttemptRow {
    pub id: usize,
    pub pair: usize,
    pub outcome: Outcome,
    pub verdict: Option<&'static str>,
    pub rekeyed_from: Option<usize>,
    /// Ids.
    pub exchanges: Range<usize>,
}

pub(super) fn attempt(
    lines: &mut Lines<impl Write>,
    stencil: &AttemptStencil,
    row: AttemptRow,
    own: &Own,
    moves: impl Iterator<Item = Move>,
) -> io::Result<()> {
    let out = &mut lines.buffer;
    raw(out, "\"id\":");
    count(out, row.id);
    raw(out, ",\"pair\":");
    count(out, row.pair);
    out.extend_from_slice(stencil.head());
    pen::endpoint(out, own.endpoints[0]);
    raw(out, "\",\"responder\":\"");
    pen::endpoint(out, own.endpoints[1]);
    raw(out, "\",\"initiator_spi\":\"");
    pen::hex_few(out, own.spis[0].octets());
    raw(out, "\",\"responder_spi\":\"");
    pen::hex_few(out, own.spis[1].octets());
    raw(out, "\",\"first_frame\":");
    frame(out, own.frames[0]);
    raw(out, ",\"last_frame\":");
    frame(out, own.frames[1]);
    raw(out, ",\"first\":");
    moment(lines, own.times[0]);
    raw(&mut lines.buffer, ",\"last\":");
    moment(lines, own.times[1]);
    let out = &mut lines.buffer;
    out.extend_from_slice(stencil.stage());
    raw(out, row.outcome.word());
    raw(out, "\",\"verdict\":");
    name(out, row.verdict);
    raw(out, ",\"states\":");
    out.extend_from_slice(stencil.states(build::without_ike_sa(row.outcome, row.verdict)));
    id(out, row.rekeyed_from);
    raw(out, ",\"phase1_up\":");
    maybe_moment(lines, own.phase1_up);
    raw(&mut lines.buffer, ",\"phase2_up\":");
    maybe_moment(lines, own.phase2_up);
    let out = &mut lines.buffer;
    out.extend_from_slice(stencil.lists());
    match own.mismatch {
        None => raw(out, "null"),
        Some(mismatch) => frame(out, mismatch),
    }
    out.extend_from_slice(stencil.vendor_ids());
    for (index, step) in moves.enumerate() {
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
    raw(&mut lines.buffer, "],\"exchanges\":[");
    for exchange in row.exchanges.clone() {
        if exchange > row.exchanges.start {
            lines.buffer.push(b',');
            lines.relieve()?;
        }
        count(&mut lines.buffer, exchange);
    }
    lines.buffer.extend_from_slice(stencil.tail());
    Ok(())
}

/// A row of `exchanges` of an attempt that is told. `messages`: what is their own.
pub(super) fn told_exchange(
    lines: &mut Lines<impl Write>,
    (id, attempt): (usize, usize),
    stencil: ExchangeStencil<'_>,
    message_id: MessageId,
    messages: &[Passing],
    faces: &mut Faces,
) -> io::Result<()> {
    let out = &mut lines.buffer;
    raw(out, "\"id\":");
    count(out, id);
    raw(out, ",\"attempt\":");
    count(out, attempt);
    out.extend_from_slice(stencil.before_message_id());
    pen::hex_few(out, message_id.0.to_be_bytes());
    out.extend_from_slice(stencil.behind_message_id());
    for (stencil, own) in stencil.messages().zip(messages) {
        let (out, frame) = (&mut lines.buffer, own.frame());
        digits(out, u64::from(frame.capture));
        raw(out, ",\"frame\":");
        digits(out, frame.frame);
        raw(out, ",\"at\":");
        lines.dates.quoted(out, own.at());
        out.extend_from_slice(stencil.before_endpoints);
        let [source, destination] = own.ports();
        faces.write(out, stencil.from, source);
        raw(out, BETWEEN_ENDPOINTS);
        faces.write(out, stencil.from.other(), destination);
        raw(out, LENGTH);
        digits(out, own.length().map_or(stencil.length.into(), u64::from));
        out.extend_from_slice(stencil.behind_length);
        lines.relieve()?;
    }
    Ok(())
}

/// Both sides of an attempt as text.
pub(super) struct Faces([Face; 2]);

struct Face {
    ip: IpAddr,
    port: u16,
    text: Vec<u8>,
}

impl Default for Faces {
    fn default() -> Self {
        let nobody = || Face { ip: IpAddr::from([0; 4]), port: 0, text: b"0.0.0.0:0".to_vec() };
        Self([nobody(), nobody()])
    }
}

impl Faces {
    /// Turns to an attempt between these addresses, the initiator's first.
    pub(super) fn turn(&mut self, ips: [IpAddr; 2]) {
        for (face, ip) in self.0.iter_mut().zip(ips) {
            if face.ip != ip {
                face.ip = ip;
                face.write();
            }
        }
    }

    #[inline]
    fn write(&mut self, out: &mut Vec<u8>, side: Side, port: u16) {
        let face = &mut self.0[side.index()];
        if face.port != port {
            face.port = port;
            face.write();
        }
        out.extend_from_slice(&face.text);
    }
}

impl Face {
    fn write(&mut self) {
        self.text.clear();
        pen::endpoint(&mut self.text, SocketAddr::new(self.ip, self.port));
    }
}

pub(super) fn exchange(lines: &mut Lines<impl Write>, parts: &mut OfMessages, row: &ExchangeRow<'_>) -> io::Result<()> {
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
    lines: &mut Lines<impl Write>,
    parts: &mut OfMessages,
    record: &MessageRecord,
    of: &Attempt,
) -> io::Result<()> {
    let out = &mut lines.buffer;
    raw(out, MESSAGE);
    digits(out, u64::from(record.frame.capture));
    raw(out, ",\"frame\":");
    digits(out, record.frame.frame);
    raw(out, ",\"at\":");
    lines.dates.quoted(out, record.at);
    if is_plain(record) {
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

/// What stands before the number of a message's capture.
pub(super) const MESSAGE: &str = "{\"capture\":";

/// What stands between the endpoints of a message.
pub(super) const BETWEEN_ENDPOINTS: &str = "\",\"destination\":\"";

/// What is nobody's own about a message without repeats and faults, behind what [`behind_endpoints`] writes.
pub(super) const PLAIN_END: &str =
    ",\"fault\":null,\"retransmissions\":[],\"retransmission_count\":0,\"recorded_again\":0}";

/// Whether [`PLAIN_END`] is how a message ends.
pub(super) fn is_plain(record: &MessageRecord) -> bool {
    record.fault.is_none()
        && record.repeats.is_empty()
        && record.repeat_count == 0
        && record.recorded_again == 0
        && record.ike_fragments_missing.is_none()
}

/// What a message shares with others of its kind, up to its source.
pub(super) fn before_endpoints(out: &mut Vec<u8>, record: &MessageRecord) {
    raw(out, ",\"label\":\"");
    label(out, record.label);
    raw(out, "\",\"from\":\"");
    raw(out, record.from.word());
    raw(out, "\",\"source\":\"");
}

/// What stands between the endpoints of a message and its length.
const LENGTH: &str = "\",\"length\":";

/// What a message shares with others of its kind, from its destination to its payloads.
pub(super) fn behind_endpoints(out: &mut Vec<u8>, parts: &mut OfMessages, record: &MessageRecord, of: &Attempt) {
    raw(out, LENGTH);
    digits(out, u64::from(record.length));
    behind_length(out, parts, record, of);
}

/// The same, from behind its length on.
pub(super) fn behind_length(out: &mut Vec<u8>, parts: &mut OfMessages, record: &MessageRecord, of: &Attempt) {
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

pub(super) fn esp_flow(lines: &mut Lines<impl Write>, id: usize, pair: usize, fact: &EspFlow) -> io::Result<()> {
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
    raw(out, "\",\"source_port\":");
    port(out, fact.ports.map(|(source, _)| source));
    raw(out, ",\"destination_port\":");
    port(out, fact.ports.map(|(_, destination)| destination));
    raw(out, ",\"port_changes\":");
    digits(out, fact.port_change.map_or(0, |change| u64::from(change.count)));
    raw(out, ",\"packets\":");
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
    lines: &mut Lines<impl Write>,
    stencil: &FindingStencil,
    (pair, attempt, count): (Option<usize>, Option<usize>, u64),
    ends: Option<(IpAddr, IpAddr)>,
    frames: impl Iterator<Item = FrameRef>,
) -> io::Result<()> {
    let out = &mut lines.buffer;
    out.extend_from_slice(stencil.before_pair());
    id(out, pair);
    raw(out, ",\"attempt\":");
    id(out, attempt);
    raw(out, ",\"frames\":[");
    for (index, evidence) in frames.enumerate() {
        if index > 0 {
            lines.buffer.push(b',');
            lines.relieve()?;
        }
        frame(&mut lines.buffer, evidence);
    }
    let out = &mut lines.buffer;
    raw(out, "],\"count\":");
    digits(out, count);
    for (piece, which) in stencil.behind_count() {
        out.extend_from_slice(piece);
        if let (Some(which), Some((first, second))) = (which, ends) {
            pen::address(out, [first, second][which]);
        }
    }
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

/// A port, or null.
fn port(out: &mut Vec<u8>, port: Option<u16>) {
    match port {
        None => raw(out, "null"),
        Some(port) => digits(out, port.into()),
    }
}

/// A catalogue id, or null.
pub(super) fn name(out: &mut Vec<u8>, name: Option<&'static str>) {
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
pub(super) fn truth(out: &mut Vec<u8>, truth: bool) {
    raw(out, if truth { "true" } else { "false" });
}

#[inline]
pub(super) fn maybe(out: &mut Vec<u8>, known: Option<bool>) {
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
fn moment(lines: &mut Lines<impl Write>, at: Timestamp) {
    lines.dates.quoted(&mut lines.buffer, at);
}

fn maybe_moment(lines: &mut Lines<impl Write>, at: Option<Timestamp>) {
    match at {
        None => raw(&mut lines.buffer, "null"),
        Some(at) => moment(lines, at),
    }
}

/// A label, without quotes. Those that every tunnel shows are copied.
#[inline]
pub(super) fn label(out: &mut Vec<u8>, label: Label) {
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
        Label::SA_INIT_REQ => "SA_INIT-REQ",
        Label::SA_INIT_RSP => "SA_INIT-RSP",
        Label::AUTH_REQ => "AUTH-REQ",
        Label::AUTH_RSP => "AUTH-RSP",
        Label::CREATE_CHILD_SA_REQ => "CREATE_CHILD_SA-REQ",
        Label::CREATE_CHILD_SA_RSP => "CREATE_CHILD_SA-RSP",
        Label::INFORMATIONAL_REQ => "INFORMATIONAL-REQ",
        Label::INFORMATIONAL_RSP => "INFORMATIONAL-RSP",
        other => {
            // a vector takes everything
            let _ = write!(out, "{other}");
            return;
        }
    };
    raw(out, text);
}
