//! What stands in front of a line: frame, time, and where the message came from and went to.
//!
//! Not here: the rest of the line. Contract: the usual front is put together in one piece, any other bit by bit; nobody can
//! tell them apart.

use std::net::IpAddr;

use crate::report::pen::{self, raw};

use super::Row;
use super::addresses::Slot;
use super::line::frame;
use super::writer::Writer;

/// Columns of a frame number.
const FRAME: usize = 5;

/// Appends the front of a row.
#[inline]
pub(super) fn write(row: &Row<'_>, writer: &mut Writer, out: &mut Vec<u8>) {
    if usual(row, writer, out).is_none() {
        any(row, writer, out);
    }
}

/// The front of any row.
fn any(row: &Row<'_>, writer: &mut Writer, out: &mut Vec<u8>) {
    let datagram = row.datagram;
    let start = out.len();
    frame(out, datagram.frame, writer.many_captures);
    let columns = out.len().saturating_sub(start);
    if columns < FRAME {
        out.extend_from_slice(&[b' '; FRAME][columns..]);
        out[start..].rotate_right(FRAME - columns);
    }
    out.push(b' ');
    writer.calendar.micros(out, datagram.at);
    raw(out, "Z ");
    writer.endpoint(out, datagram.source, row.isakmp.source_port);
    raw(out, " > ");
    writer.endpoint(out, datagram.destination, row.isakmp.destination_port);
    out.push(b' ');
}

/// Octets that the usual front takes at most, and those of a piece that is written beyond its end.
const MOST: usize = 8 + 1 + 28 + 2 * (15 + 6 + 3) + 16;

/// The front of a row with IPv4 addresses, of a single capture, in one of its first hundred million frames. `None` if it is
/// another one; then nothing was written.
#[inline]
fn usual(row: &Row<'_>, writer: &mut Writer, out: &mut Vec<u8>) -> Option<()> {
    let datagram = row.datagram;
    let number = u32::try_from(datagram.frame.frame).ok().filter(|&number| number < 100_000_000)?;
    let (IpAddr::V4(source), IpAddr::V4(destination)) = (datagram.source, datagram.destination) else { return None };
    if writer.many_captures {
        return None;
    }
    let start = out.len();
    out.resize(start + MOST, b' ');
    let mut front = Front { text: out.get_mut(start..)?.first_chunk_mut()?, end: 0 };
    front.number(number);
    front.put(b" ", 1);
    let (second, nanos) = writer.calendar.second(datagram.at);
    front.put(second, 20);
    front.micros(nanos / 1_000);
    front.put(b"Z ", 2);
    front.address(writer.addresses.slot(source));
    front.port(row.isakmp.source_port);
    front.put(b" > ", 3);
    front.address(writer.addresses.slot(destination));
    front.port(row.isakmp.destination_port);
    front.put(b" ", 1);
    let end = start + front.end;
    out.truncate(end);
    Some(())
}

/// A front on its way.
struct Front<'o> {
    text: &'o mut [u8; MOST],
    end: usize,
}

impl Front<'_> {
    /// The first `len` octets of a piece; what is behind them is written over by the next one.
    #[inline(always)]
    fn put<const N: usize>(&mut self, piece: &[u8; N], len: usize) {
        if let Some(place) = self.text.get_mut(self.end..).and_then(|rest| rest.first_chunk_mut()) {
            *place = *piece;
        }
        self.end += len;
    }

    /// The number of the frame, below a hundred million, flush right.
    #[inline(always)]
    fn number(&mut self, number: u32) {
        let (digits, columns) = pen::up_to_eight(number);
        self.end = FRAME.saturating_sub(columns);
        self.put(&digits, columns);
    }

    #[inline(always)]
    fn micros(&mut self, number: u32) {
        let [_, _, digits @ ..] = pen::eight_digits(number);
        self.put(&digits, 6);
    }

    #[inline(always)]
    fn address(&mut self, slot: &Slot) {
        self.put(&slot.text, slot.len);
    }

    #[inline(always)]
    fn port(&mut self, port: u16) {
        match port {
            500 => self.put(b":500", 4),
            4500 => self.put(b":4500", 5),
            _ => {
                let (digits, columns) = pen::up_to_eight(port.into());
                self.put(b":", 1);
                self.put(&digits, columns);
            }
        }
    }
}
