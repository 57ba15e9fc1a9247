//! Shapes that came lately: a message like one of them is known by octets that stand where they stood then, and need not be
//! taken apart again.
//!
//! Not here: what a shape is ([`super::shape`]). Contract: it makes no difference but in time; what is kept has a ceiling.

use std::hash::BuildHasher;
use std::mem;

use foldhash::quality::RandomState;

use super::shape::{self, Outline, Shape};
use crate::isakmp::HEADER_LEN;

/// Trays of moulds: a shape has some places where it may be.
const TRAYS: usize = 1 << TRAY_BITS;
const TRAY_BITS: u32 = 6;
const PLACES: usize = 4;

/// Moulds of the shapes that came lately.
#[derive(Debug, Default)]
pub struct Moulds {
    /// None before anything came.
    trays: Vec<Tray>,
    /// How often shapes began to be written anew.
    turn: u64,
    /// What the message at hand is taken apart with.
    shape: Shape,
}

#[derive(Debug, Default)]
struct Tray {
    heads: [Head; PLACES],
    moulds: [Mould; PLACES],
    /// The place of the one that was made first.
    oldest: usize,
}

/// A shape, and what is known of its messages.
#[derive(Debug, Default)]
struct Mould {
    shape: Shape,
    outline: Outline,
    hash: u64,
    /// Where it was written last, and in which turn.
    written: Written,
    turn: u64,
}

/// Where a shape stands among those that were written, and where it ends.
pub(super) type Written = (u32, u32);

/// What of a shape shows before payloads are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Head {
    /// Next payload, version, exchange type, flags, and the length where the shape tells it.
    header: u64,
    /// IP fragments, and whether there was a non-ESP marker.
    passage: u32,
}

impl Head {
    #[inline(always)]
    fn of(header: &[u8; HEADER_LEN], (fragments, marker): (u16, bool)) -> Self {
        let &[.., n, v, e, f, _, _, _, _, l0, l1, l2, l3] = header;
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let told = if shape::is_encrypted(n, v, f) { 0 } else { length };
        Self {
            header: u64::from(u32::from_be_bytes([n, v, e, f])) << 32 | u64::from(told),
            passage: u32::from(fragments) << 1 | u32::from(marker),
        }
    }

    /// The tray in which moulds of such messages are.
    #[inline(always)]
    fn tray(self) -> usize {
        (self.header.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - TRAY_BITS)) as usize
    }
}

impl Moulds {
    /// Shapes are written anew from now on.
    pub fn begin(&mut self) {
        self.turn += 1;
    }

    /// Reads a whole message that came in so many IP fragments, with or without a non-ESP marker: what is its own goes to
    /// `outline`. Answers where its shape stands in `shapes` now, and a hash of it; `None` if it has none.
    #[inline]
    pub(super) fn read(
        &mut self,
        octets: &[u8],
        passage: (u16, bool),
        (outline, shapes): (&mut Outline, &mut Vec<u8>),
        hasher: &RandomState,
    ) -> Option<(Written, u64)> {
        let header = octets.first_chunk()?;
        let head = Head::of(header, passage);
        let tray = head.tray();
        let turn = self.turn;
        let [.., l0, l1, l2, l3] = *header;
        if octets.len() != u32::from_be_bytes([l0, l1, l2, l3]) as usize {
            return None;
        }
        if let Some(mould) = self.trays.get_mut(tray).and_then(|tray| tray.find(head, octets)) {
            return mould.cast(header, turn, (outline, shapes));
        }
        self.make((head, tray), octets, passage, hasher)?.cast(header, turn, (outline, shapes))
    }

    /// Makes a mould of a message, in the place of another one.
    #[cold]
    fn make(
        &mut self,
        (head, tray): (Head, usize),
        octets: &[u8],
        passage: (u16, bool),
        hasher: &RandomState,
    ) -> Option<&mut Mould> {
        let outline = self.shape.read(octets, passage)?;
        if self.trays.is_empty() {
            self.trays.resize_with(TRAYS, Tray::default);
        }
        let Tray { heads, moulds, oldest } = self.trays.get_mut(tray)?;
        let place = mem::replace(oldest, (*oldest + 1) % PLACES);
        let (mould, place_of_head) = (moulds.get_mut(place)?, heads.get_mut(place)?);
        mem::swap(&mut mould.shape, &mut self.shape);
        (*place_of_head, mould.outline) = (head, outline);
        mould.hash = shape::hash(mould.shape.octets(), hasher.build_hasher());
        // no turn is as far away
        mould.turn = u64::MAX;
        Some(mould)
    }
}

impl Mould {
    /// A message of this shape, with this header: what [`Moulds::read`] answers of it.
    #[inline(always)]
    fn cast(
        &mut self,
        header: &[u8; HEADER_LEN],
        turn: u64,
        (outline, shapes): (&mut Outline, &mut Vec<u8>),
    ) -> Option<(Written, u64)> {
        *outline = self.outline.with(header);
        if self.turn != turn {
            let start = shapes.len();
            shapes.extend_from_slice(self.shape.octets());
            self.written = (u32::try_from(start).ok()?, u32::try_from(shapes.len()).ok()?);
            self.turn = turn;
        }
        (!outline.initiator_spi.is_zero()).then_some((self.written, self.hash))
    }
}

impl Tray {
    /// The mould that a message fits.
    #[inline(always)]
    fn find(&mut self, head: Head, octets: &[u8]) -> Option<&mut Mould> {
        let fits = |(known, mould): &(&Head, &mut Mould)| **known == head && mould.shape.fits(octets);
        self.heads.iter().zip(&mut self.moulds).find(fits).map(|(_, mould)| mould)
    }
}
