//! Rows of messages of one shape, written again from what they have in common: text, with holes for octets of the message.
//!
//! Not here: which messages have one shape ([`crate::track`] says that), and what stands in front of a row: frame, time and
//! addresses. Contract: a row is kept only where its message is without fault; what is kept has a ceiling.

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use crate::report::pen;

use super::Row;
use super::writer::code;

/// Octets kept in all; after that it begins anew.
const MOST: usize = 4 << 20;
/// Octets, about, that a stencil takes besides its text.
const STENCIL: usize = 64;

/// What is kept; the first octet of a key.
#[derive(Debug, Clone, Copy)]
pub(super) enum View {
    Line = 1,
    Json,
}

/// Stencils by view, shape, label, and which numbers of the header are zero.
#[derive(Debug, Default)]
pub(super) struct Stencils {
    kept: HashMap<u64, Stencil, RandomState>,
    /// In all of them.
    octets: usize,
    /// Of the row that is being written, counted from where the buffer begins.
    holes: Vec<Hole>,
    /// Nothing is to be kept, ever.
    off: bool,
}

#[derive(Debug)]
struct Stencil {
    /// As it was, with the digits of the message that it was made from.
    text: Box<[u8]>,
    /// Counted from where the text begins.
    holes: Box<[Hole]>,
}

/// Where octets of the message stand in hexadecimal digits.
#[derive(Debug, Clone, Copy)]
struct Hole {
    /// In the text.
    at: usize,
    /// In the message.
    from: usize,
    len: usize,
}

impl Stencils {
    /// Some that are never there.
    pub(super) fn none() -> Self {
        Self { off: true, ..Self::default() }
    }

    /// What decides all of a row but frame, time, addresses and holes; `None` if nothing does.
    #[inline]
    pub(super) fn key(&self, view: View, row: &Row<'_>) -> Option<u64> {
        let observed = row.observed?;
        let again = observed.retransmission_of.is_some() || observed.recorded_before.is_some();
        if self.off || again || observed.reassembled.is_some() || row.datagram.ambiguous_overlap {
            return None;
        }
        let [a, b, c, d] = observed.shape?.to_be_bytes();
        let header = &row.message.as_ref().ok()?.header;
        let zeros = u8::from(header.responder_spi.is_zero()) << 1 | u8::from(header.message_id.0 == 0);
        let (label, number) = code(observed.label);
        Some(u64::from_be_bytes([view as u8, a, b, c, d, label, number, zeros]))
    }

    /// Appends the row of a message of these octets, if one like it was kept.
    #[inline]
    pub(super) fn fill(&self, key: u64, octets: &[u8], out: &mut Vec<u8>) -> bool {
        self.kept.get(&key).is_some_and(|stencil| stencil.fill(octets, out))
    }

    /// A row is about to be written.
    pub(super) fn begin(&mut self) {
        self.holes.clear();
    }

    /// At the end of `out` octets of the message are about to stand, from octet `from` on.
    #[inline]
    pub(super) fn hole(&mut self, out: &[u8], from: usize, len: usize) {
        if !self.off {
            self.holes.push(Hole { at: out.len(), from, len });
        }
    }

    /// Keeps the row that stands in `out` from `start` on.
    pub(super) fn keep(&mut self, key: u64, out: &[u8], start: usize) {
        let text = out.get(start..).unwrap_or_default();
        let more = text.len().saturating_add(size_of_val(&*self.holes)).saturating_add(STENCIL);
        if self.octets.saturating_add(more) > MOST {
            self.kept.clear();
            self.octets = 0;
        }
        if more <= MOST {
            self.octets = self.octets.saturating_add(more);
            let holes = self.holes.iter().map(|hole| Hole { at: hole.at.saturating_sub(start), ..*hole });
            self.kept.insert(key, Stencil { text: text.into(), holes: holes.collect() });
        }
    }
}

impl Stencil {
    #[inline]
    fn fill(&self, octets: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.extend_from_slice(&self.text);
        let row = out.get_mut(start..).unwrap_or_default();
        for &Hole { at, from, len } in &self.holes {
            let own = octets.get(from..).and_then(|rest| rest.get(..len));
            let digits = row.get_mut(at..).and_then(|rest| rest.get_mut(..len.saturating_mul(2)));
            let (Some(own), Some(digits)) = (own, digits) else {
                out.truncate(start);
                return false;
            };
            pen::hex_over(digits, own);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(stencils: &mut Stencils, key: u64, octets: &[u8]) {
        let mut out = b"before ".to_vec();
        let start = out.len();
        stencils.begin();
        out.extend_from_slice(b"SPI ");
        stencils.hole(&out, 0, 4);
        pen::hex(&mut out, &octets[..4]);
        out.extend_from_slice(b" data ");
        stencils.hole(&out, 4, octets.len() - 4);
        pen::hex(&mut out, &octets[4..]);
        out.extend_from_slice(b".\n");
        stencils.keep(key, &out, start);
    }

    #[test]
    fn what_is_a_messages_own_is_written_over_what_was_anothers() {
        let mut stencils = Stencils::default();
        for len in [4, 5, 19, 20, 21, 36, 53] {
            let octets: Vec<u8> = (0..len).collect();
            kept(&mut stencils, len.into(), &octets);
            let others: Vec<u8> = octets.iter().map(|octet| octet ^ 0xa5).collect();
            let mut out = b"front ".to_vec();
            assert!(stencils.fill(len.into(), &others, &mut out));
            let expected = format!("front SPI {} data {}.\n", hex::encode(&others[..4]), hex::encode(&others[4..]));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            let mut out = b"front ".to_vec();
            assert!(!stencils.fill(0, &others, &mut out), "nothing was kept under this key");
            assert!(!stencils.fill(len.into(), &others[1..], &mut out), "not a message of this shape");
            assert_eq!(out, b"front ");
        }
    }

    #[test]
    fn a_flood_of_shapes_takes_no_more_than_the_ceiling() {
        let mut stencils = Stencils::default();
        let octets = vec![7; 10_000];
        for key in 0..1000 {
            kept(&mut stencils, key, &octets);
            assert!(stencils.fill(key, &octets, &mut Vec::new()));
            let held: usize = stencils.kept.values().map(|stencil| stencil.text.len()).sum();
            assert!(held <= stencils.octets && stencils.octets <= MOST);
        }
        kept(&mut stencils, 1000, &vec![0; MOST]);
        assert!(!stencils.fill(1000, &vec![0; MOST], &mut Vec::new()));
    }
}
