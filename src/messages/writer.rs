//! Writes many rows: what is the same in many of them is written once and remembered.
//!
//! Not here: the words of each view. Contract: what is written is the same octets, remembered or not.

use std::net::{IpAddr, SocketAddr};

use anstyle::Style;

use crate::base::Fault;
use crate::isakmp::{Header, MAX_PAYLOADS, Message, Payload, violations};
use crate::report::moment::Calendar;
use crate::report::pen;
use crate::track::Label;

use super::addresses::Addresses;
use super::alike::{Alike, Kept};
use super::memory::{Key, Memory};
use super::stencil::{Stencils, View};
use super::{Row, json, line};

/// Writes rows one after the other, as lines or as JSON, all of them observed by one tracker, or by none. What it remembers
/// of those before makes no difference to what it writes, and takes some megabytes at most.
#[derive(Debug)]
pub struct Writer {
    pub(super) many_captures: bool,
    pub(super) in_color: bool,
    pub(super) calendar: Calendar,
    pub(super) memory: Memory,
    pub(super) stencils: Stencils,
    pub(super) addresses: Addresses,
}

impl Default for Writer {
    fn default() -> Self {
        Self { memory: Memory::new(), stencils: Stencils::default(), addresses: Addresses::new(), ..Self::forgetful() }
    }
}

impl Writer {
    /// One that remembers nothing, for a single row.
    pub(super) fn forgetful() -> Self {
        Self {
            many_captures: false,
            in_color: true,
            calendar: Calendar::default(),
            memory: Memory::default(),
            stencils: Stencils::none(),
            addresses: Addresses::default(),
        }
    }

    /// Whether frames are named `capture:frame` on lines.
    pub fn many_captures(self, many_captures: bool) -> Self {
        Self { many_captures, ..self }
    }

    /// Whether lines are coloured. They are until this says no.
    pub fn in_color(self, in_color: bool) -> Self {
        Self { in_color, ..self }
    }

    /// Appends a row as one line of text, newline included.
    pub fn line(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        line::write(row, self, out);
    }

    /// Appends a row as one JSON object on one line, without a newline.
    pub fn json(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        json::write(row, self, out);
    }

    /// Appends a row as one line of JSON, newline included.
    pub fn ndjson(&mut self, row: &Row<'_>, out: &mut Vec<u8>) {
        json::write(row, self, out);
        out.push(b'\n');
    }

    /// A style, as far as lines are coloured.
    pub(super) fn style(&self, style: Style) -> Style {
        if self.in_color { style } else { Style::new() }
    }

    /// Appends address and port.
    #[inline]
    pub(super) fn endpoint(&mut self, out: &mut Vec<u8>, address: IpAddr, port: u16) {
        match address {
            IpAddr::V4(address) => {
                self.addresses.write(out, address);
                pen::port(out, port);
            }
            IpAddr::V6(address) => {
                let endpoint = SocketAddr::new(address.into(), port);
                let [high, low] = port.to_be_bytes();
                let key = Key { fields: Kept::Endpoint.fields([high, low, 0, 0, 0, 0, 0]), octets: &address.octets() };
                self.remembered(&key, out, |out| pen::endpoint(out, endpoint));
            }
        }
    }

    /// Appends a label.
    #[inline]
    pub(super) fn label(&mut self, out: &mut Vec<u8>, label: Label) {
        let (kind, number) = code(label);
        let key = Key { fields: Kept::Label.fields([kind, number, 0, 0, 0, 0, 0]), octets: &[] };
        self.remembered(&key, out, |out| pen::raw(out, &label.to_string()));
    }

    /// Appends what `write` writes behind frame, time and addresses of a row, from a stencil if it did before.
    #[inline]
    pub(super) fn shaped(
        &mut self,
        view: View,
        row: &Row<'_>,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Self, &mut Vec<u8>) -> Standing,
    ) {
        let key = self.stencils.key(view, row);
        if key.is_some_and(|key| self.stencils.fill(key, row.isakmp.octets, out)) {
            return;
        }
        self.stencils.begin();
        let start = out.len();
        let standing = write(self, out);
        if let Some(key) = key.filter(|_| standing.is_well()) {
            self.stencils.keep(key, out, start);
        }
    }

    /// Appends what `write` writes, from memory if it did before. It may depend on nothing but `key`, and on what never
    /// changes in a writer.
    #[inline]
    pub(super) fn remembered(&mut self, key: &Key<'_>, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
        if self.memory.recall(key, out).is_none() {
            let start = out.len();
            write(out);
            self.memory.keep(key, out.get(start..).unwrap_or_default(), true);
        }
    }

    /// Appends every payload of a message as `write` does, and says how the message stands.
    #[inline]
    pub(super) fn payloads(
        &mut self,
        kept: Kept,
        message: &Message<'_>,
        out: &mut Vec<u8>,
        mut write: impl FnMut(&Payload<'_>, &mut Vec<u8>),
    ) -> Standing {
        let start = out.len();
        let mut types = Types { types: [0; MAX_PAYLOADS as usize], count: 0 };
        // the walk that looks for faults comes past every payload if there are none
        let gravest = message.gravest_fault(|payload| {
            types.push(payload.payload_type);
            self.payload(kept, message, payload, out, &mut write)
        });
        if gravest.is_some() {
            out.truncate(start);
            for payload in message.payloads() {
                self.payload(kept, message, &payload, out, &mut write);
            }
            return Standing { fault: message.fault(), violates: !message.is_encrypted() };
        }
        Standing { fault: None, violates: !message.is_encrypted() && !self.is_lawful(message, &types) }
    }

    /// Appends one payload, and says whether it is known to be without fault.
    #[inline]
    fn payload(
        &mut self,
        kept: Kept,
        message: &Message<'_>,
        payload: &Payload<'_>,
        out: &mut Vec<u8>,
        write: &mut impl FnMut(&Payload<'_>, &mut Vec<u8>),
    ) -> bool {
        let alike = match self.memory.keeps_nothing() {
            true => None,
            false => Alike::of(kept, message.header.version.major, payload),
        };
        let Some(Alike { key, data, whole }) = alike else {
            write(payload, out);
            return false;
        };
        // data end their payload
        let from = data.map_or(0, |data| {
            let end = (payload.at as usize).saturating_add(payload.length.into());
            end.saturating_sub(data.len())
        });
        if let Some(well) = self.memory.recall(&key, out) {
            if let Some(data) = data {
                self.stencils.hole(out, from, data.len());
                pen::hex(out, data);
                out.extend_from_slice(BEHIND_DATA);
            }
            return well;
        }
        let start = out.len();
        write(payload, out);
        let behind = data.map_or(0, |data| data.len().saturating_mul(2).saturating_add(BEHIND_DATA.len()));
        let before_data = out.get(..out.len().saturating_sub(behind)).unwrap_or_default();
        if let Some(data) = data {
            self.stencils.hole(before_data, from, data.len());
        }
        let words = before_data.get(start..).unwrap_or_default();
        let well = whole && payload.fault().is_none();
        self.memory.keep(&key, words, well);
        well
    }

    /// Whether a message without fault has just the payloads that it has to have: its header and their types decide.
    #[inline]
    fn is_lawful(&mut self, message: &Message<'_>, types: &Types) -> bool {
        let Header { version, exchange_type, flags, next_payload, responder_spi, .. } = message.header;
        let first = u8::from(responder_spi.is_zero());
        let fields = Kept::Lawful.fields([version.major, exchange_type, flags, next_payload, first, 0, 0]);
        let key = Key { fields, octets: types.seen() };
        self.memory.recall(&key, &mut Vec::new()).unwrap_or_else(|| {
            let lawful = violations(message).next().is_none();
            self.memory.keep(&key, &[], lawful);
            lawful
        })
    }
}

/// What follows data in JSON, where they are the last of a payload.
const BEHIND_DATA: &[u8] = b"\"},";

/// How a message stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// The first lie in it.
    pub(super) fault: Option<Fault>,
    /// It may lack something, or have something too often.
    pub(super) violates: bool,
}

impl Standing {
    /// Nothing is wrong with it.
    fn is_well(self) -> bool {
        self.fault.is_none() && !self.violates
    }
}

/// The types of the payloads of a message, in order.
struct Types {
    types: [u8; MAX_PAYLOADS as usize],
    count: usize,
}

impl Types {
    #[inline]
    fn push(&mut self, payload_type: u8) {
        if let Some(place) = self.types.get_mut(self.count) {
            *place = payload_type;
            self.count += 1;
        }
    }

    fn seen(&self) -> &[u8] {
        self.types.get(..self.count).unwrap_or_default()
    }
}

/// A label in two octets.
pub(super) const fn code(label: Label) -> (u8, u8) {
    match label {
        Label::Mm(number) => (1, number),
        Label::Am(number) => (2, number),
        Label::Qm(number) => (3, number),
        Label::Tr(number) => (4, number),
        Label::Ngm(number) => (5, number),
        Label::Inf => (6, 0),
        Label::Stray => (7, 0),
        Label::Request(exchange_type) => (8, exchange_type),
        Label::Response(exchange_type) => (9, exchange_type),
        Label::Other(exchange_type) => (10, exchange_type),
        Label::MmEither(number) => (11, number),
    }
}
