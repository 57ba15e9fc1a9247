//! Single messages: every ISAKMP message of a capture, as one line, as a tree, or as JSON.
//!
//! Not here: what a message means for its exchange (that is [`crate::report`]), and reading of captures. Contract:
//! borrows the datagram, writes straight into the given buffer, and everything that came from a packet is escaped.

mod addresses;
mod alike;
mod distinguished_name;
mod emit;
mod front;
mod json;
mod line;
mod memory;
mod stencil;
mod tree;
mod words;
mod writer;

use crate::base::Fault;
use crate::isakmp::{Message, Violation, violations};
use crate::packet::{Body, Datagram, IsakmpDatagram};
use crate::track::Observed;

pub use writer::Writer;

/// One ISAKMP message as it was seen, with what the tracker made of it.
#[derive(Debug, Clone, Copy)]
pub struct Row<'a> {
    /// The datagram it came in.
    pub datagram: &'a Datagram<'a>,
    /// Ports and octets.
    pub isakmp: &'a IsakmpDatagram<'a>,
    /// Label and repeats, where a tracker looked at it.
    pub observed: Option<&'a Observed>,
}

impl<'a> Row<'a> {
    /// The row of a datagram, or `None` if it holds no ISAKMP message.
    pub fn new(datagram: &'a Datagram<'a>, observed: Option<&'a Observed>) -> Option<Self> {
        let Body::Isakmp(isakmp) = &datagram.body else { return None };
        Some(Self { datagram, isakmp, observed })
    }

    /// The message; the fault where not even its header can be read.
    pub fn message(&self) -> Result<Message<'a>, Fault> {
        Message::decode(self.isakmp.octets, self.datagram.missing)
    }

    /// First lie in it. Walks the message.
    pub fn fault(&self) -> Option<Fault> {
        self.message().map_or_else(Some, |message| message.fault())
    }

    /// What the message lacks, or has more often than it may, by the RFC that describes its exchange.
    pub fn violations(&self) -> impl Iterator<Item = Violation> {
        let clear = self.message().ok().filter(|message| !message.is_encrypted());
        clear.into_iter().flat_map(|message| violations(&message))
    }

    /// The message that this fragment completed, if it did.
    pub fn reassembled(&self) -> Option<Message<'a>> {
        let octets = self.observed?.reassembled.as_deref()?;
        Message::decode(octets, 0).ok()
    }

    /// Appends the row as one JSON object on one line, without a newline. For many rows, [`Writer`] does the same sooner.
    pub fn write_json(&self, out: &mut Vec<u8>) {
        Writer::forgetful().json(self, out);
    }

    /// Appends the row as one line of JSON, newline included.
    pub fn write_ndjson(&self, out: &mut Vec<u8>) {
        Writer::forgetful().ndjson(self, out);
    }

    /// Appends the row as one line of coloured text, newline included. `many_captures`: frames are named `capture:frame`.
    pub fn write_line(&self, out: &mut String, many_captures: bool) {
        let mut line = Vec::new();
        Writer::forgetful().many_captures(many_captures).line(self, &mut line);
        out.push_str(&String::from_utf8_lossy(&line));
    }

    /// Appends the row as a tree: every payload, field and code point. `many_captures` as in [`Self::write_line`].
    pub fn write_tree(&self, out: &mut String, many_captures: bool) {
        tree::write(self, out, many_captures);
    }
}
