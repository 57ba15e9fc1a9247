//! Rows of messages of one shape, written again from what they have in common: text, with holes for octets of the message.
//!
//! Not here: which messages have one shape ([`crate::track`] says that), and what stands in front of a row: frame, time and
//! addresses. Contract: a row is kept only where its message is without fault; what is kept has a ceiling.

use crate::isakmp::Header;
use crate::report::pen;
use crate::track::Label;

use super::Row;

/// Octets kept in all; after that it begins anew.
const MOST: usize = 4 << 20;
/// Places for stencils.
const PLACES: usize = 1 << PLACE_BITS;
const PLACE_BITS: u32 = 10;
/// Octets, about, that a stencil takes besides its text.
const STENCIL: usize = 64;

/// What is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    Line,
    Json,
}

/// Stencils by their keys.
#[derive(Debug, Default)]
pub(super) struct Stencils {
    /// Those of one place have two seats.
    kept: Vec<[Option<Stencil>; 2]>,
    /// In all of them.
    octets: usize,
    /// Of the row that is being written, counted from where the buffer begins.
    holes: Vec<Hole>,
    /// Nothing is to be kept, ever.
    off: bool,
}

/// What decides all of a row but frame, time, addresses and holes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Key {
    view: View,
    /// The responder SPI, the message id is zero.
    zeros: (bool, bool),
    label: Label,
    shape: u32,
    /// Octets of the message.
    length: u32,
}

impl Key {
    /// Where such stencils are.
    #[inline(always)]
    fn place(self) -> usize {
        let Self { view, zeros, shape, length, .. } = self;
        let all = u64::from(shape) << 32
            | u64::from(length) << 8
            | (view as u64) << 2
            | u64::from(zeros.0) << 1
            | u64::from(zeros.1);
        (all.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACE_BITS)) as usize
    }
}

#[derive(Debug)]
struct Stencil {
    key: Key,
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

    /// The key of a row; `None` if it has none.
    #[inline(always)]
    pub(super) fn key(&self, view: View, row: &Row<'_>) -> Option<Key> {
        let observed = row.observed?;
        let again = observed.retransmission_of.is_some() || observed.recorded_before.is_some();
        if self.off || again || observed.reassembled.is_some() || row.datagram.ambiguous_overlap {
            return None;
        }
        let shape = observed.shape?;
        let spi: &[u8; 8] = field(row.isakmp.octets, Header::RESPONDER_SPI_AT)?;
        let id: &[u8; 4] = field(row.isakmp.octets, Header::MESSAGE_ID_AT)?;
        let length = row.isakmp.octets.len() as u32;
        Some(Key { view, zeros: (*spi == [0; 8], *id == [0; 4]), label: observed.label, shape, length })
    }

    /// Appends the row of a message of these octets, if one like it was kept.
    #[inline(always)]
    pub(super) fn fill(&self, key: Key, octets: &[u8], out: &mut Vec<u8>) -> bool {
        let Some(seats) = self.kept.get(key.place()) else { return false };
        let kept = seats.iter().flatten().find(|stencil| stencil.key == key);
        kept.is_some_and(|stencil| stencil.fill(octets, out))
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
    pub(super) fn keep(&mut self, key: Key, out: &[u8], start: usize) {
        let text = out.get(start..).unwrap_or_default();
        let holes = self.holes.iter().map(|hole| Hole { at: hole.at.saturating_sub(start), ..*hole });
        let stencil = Stencil { key, text: text.into(), holes: holes.collect() };
        let more = stencil.octets();
        if self.octets.saturating_add(more) > MOST {
            self.kept.clear();
            self.octets = 0;
        }
        self.kept.resize_with(PLACES, Default::default);
        if more <= MOST
            && let Some(seats) = self.kept.get_mut(key.place())
        {
            // the one that came first goes
            seats.rotate_right(1);
            let before = seats[0].replace(stencil).map_or(0, |before| before.octets());
            self.octets = self.octets.saturating_add(more).saturating_sub(before);
        }
    }
}

/// Apart, as what many digits take is in the way of few.
#[inline(never)]
fn fill_long(digits: &mut [u8], own: &[u8]) {
    pen::hex_over(digits, own);
}

/// So many octets of a message, from `at` on.
#[inline(always)]
fn field<const N: usize>(octets: &[u8], at: u32) -> Option<&[u8; N]> {
    octets.get(at as usize..)?.first_chunk()
}

impl Stencil {
    /// Octets, about, that it takes.
    fn octets(&self) -> usize {
        self.text.len().saturating_add(size_of_val(&*self.holes)).saturating_add(STENCIL)
    }

    #[inline(always)]
    fn fill(&self, octets: &[u8], out: &mut Vec<u8>) -> bool {
        let start = out.len();
        out.extend_from_slice(&self.text);
        let row = out.get_mut(start..).unwrap_or_default();
        if self.holes.iter().all(|hole| hole.fill(octets, row).is_some()) {
            return true;
        }
        out.truncate(start);
        false
    }
}

impl Hole {
    /// Fills the hole in a row with the digits of a message. `None` if that is too short.
    #[inline(always)]
    fn fill(self, octets: &[u8], row: &mut [u8]) -> Option<()> {
        let Self { at, from, len } = self;
        let (own, digits) = (octets.get(from..)?, row.get_mut(at..)?);
        if len == 4 {
            // SPIs and message ids
            pen::four_over(digits.first_chunk_mut()?, own.first_chunk()?);
            return Some(());
        }
        fill_long(digits.get_mut(..len.saturating_mul(2))?, own.get(..len)?);
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key like others, but for the shape.
    fn of_shape(shape: u32) -> Key {
        Key { view: View::Line, zeros: (false, true), label: Label::Mm(1), shape, length: 400 }
    }

    fn kept(stencils: &mut Stencils, key: Key, octets: &[u8]) {
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
            let key = of_shape(len.into());
            kept(&mut stencils, key, &octets);
            let others: Vec<u8> = octets.iter().map(|octet| octet ^ 0xa5).collect();
            let mut out = b"front ".to_vec();
            assert!(stencils.fill(key, &others, &mut out));
            let expected = format!("front SPI {} data {}.\n", hex::encode(&others[..4]), hex::encode(&others[4..]));
            assert_eq!(String::from_utf8(out).unwrap(), expected);
            let mut out = b"front ".to_vec();
            let longer = Key { length: 404, ..key };
            for other in [Key { label: Label::Mm(2), ..key }, Key { view: View::Json, ..key }, of_shape(1), longer] {
                assert!(!stencils.fill(other, &others, &mut out), "nothing was kept under this key");
            }
            assert!(!stencils.fill(key, &others[1..], &mut out), "not a message of this shape");
            assert_eq!(out, b"front ");
        }
    }

    #[test]
    fn a_flood_of_shapes_takes_no_more_than_the_ceiling() {
        let mut stencils = Stencils::default();
        let octets = vec![7; 10_000];
        for shape in 0..3000 {
            kept(&mut stencils, of_shape(shape), &octets);
            assert!(stencils.fill(of_shape(shape), &octets, &mut Vec::new()));
            let held: usize = stencils.kept.iter().flatten().flatten().map(Stencil::octets).sum();
            assert!(held == stencils.octets && held <= MOST);
        }
        kept(&mut stencils, of_shape(3000), &vec![0; MOST]);
        assert!(!stencils.fill(of_shape(3000), &vec![0; MOST], &mut Vec::new()));
    }
}
