//! Field parsers: big-endian numbers and runs of octets, each under the RFC's name of the field it reads.
//!
//! Not here: what a field means. They are built on a fixed array taken off the front, because nom's own integer
//! parsers loop over a length that is known at run time only, which costs three times as much.

use nom::error::{ErrorKind, ParseError};
use nom::{Err, IResult, Parser};

use crate::base::{Fault, FaultKind};

/// What a field parser answers.
pub(super) type Parsed<'a, O> = IResult<&'a [u8], O, Short>;

/// A field that needs more octets than are left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Short {
    field: &'static str,
    need: usize,
    have: usize,
}

impl ParseError<&[u8]> for Short {
    fn from_error_kind(input: &[u8], _: ErrorKind) -> Self {
        Self { field: "field", need: 0, have: input.len() }
    }

    fn append(_: &[u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

/// `N` octets.
#[inline]
pub(super) fn array<const N: usize>(field: &'static str) -> impl Fn(&[u8]) -> Parsed<'_, [u8; N]> {
    move |octets| match octets.split_first_chunk::<N>() {
        Some((array, rest)) => Ok((rest, *array)),
        None => Err(Err::Error(Short { field, need: N, have: octets.len() })),
    }
}

/// A run of `length` octets.
#[inline]
pub(super) fn run(field: &'static str, length: usize) -> impl Fn(&[u8]) -> Parsed<'_, &[u8]> {
    move |octets| match octets.split_at_checked(length) {
        Some((run, rest)) => Ok((rest, run)),
        None => Err(Err::Error(Short { field, need: length, have: octets.len() })),
    }
}

macro_rules! numbers {
    ($($name:ident)*) => {
        $(
            #[doc = concat!("A big-endian `", stringify!($name), "`.")]
            #[inline]
            pub(super) fn $name(field: &'static str) -> impl Fn(&[u8]) -> Parsed<'_, $name> {
                move |octets| array(field)(octets).map(|(rest, array)| (rest, $name::from_be_bytes(array)))
            }
        )*
    };
}

numbers! { u8 u16 u32 u64 }

/// The four octets that open a payload, a proposal and a transform alike (RFC 2408 §3.2, RFC 7296 §3.2).
#[derive(Debug, Clone, Copy)]
pub(super) struct GenericHeader {
    /// Next payload type; in a proposal or transform, whether another one follows.
    pub(super) next: u8,
    /// Reserved, and the critical bit in an IKEv2 payload.
    pub(super) reserved: u8,
    /// Length of the whole part, these four octets included.
    pub(super) length: u16,
}

impl GenericHeader {
    /// Octets of it.
    pub(super) const LEN: u16 = 4;
    /// Where in it the length stands.
    pub(super) const LENGTH_AT: u32 = 2;
}

/// A generic header.
#[inline]
pub(super) fn generic_header(field: &'static str) -> impl Fn(&[u8]) -> Parsed<'_, GenericHeader> {
    move |octets| {
        array(field)(octets).map(|(rest, [next, reserved, high, low])| {
            (rest, GenericHeader { next, reserved, length: u16::from_be_bytes([high, low]) })
        })
    }
}

/// Applies `parser` to `octets`, which begin at octet `at` of the message; what is too short becomes a fault there.
#[inline]
pub(super) fn read<'a, O>(
    octets: &'a [u8],
    at: u32,
    mut parser: impl Parser<&'a [u8], Output = O, Error = Short>,
) -> Result<(&'a [u8], O), Fault> {
    parser.parse(octets).map_err(|error| match error {
        Err::Error(short) | Err::Failure(short) => Fault {
            field: short.field,
            at: after(at, octets.len().saturating_sub(short.have)),
            kind: FaultKind::Truncated { need: count(short.need), have: count(short.have) },
        },
        Err::Incomplete(_) => Fault { field: "field", at, kind: FaultKind::Truncated { need: 0, have: 0 } },
    })
}

/// A number of octets as faults count them.
#[inline]
pub(super) fn count(octets: usize) -> u32 {
    u32::try_from(octets).unwrap_or(u32::MAX)
}

/// The position `octets` behind `at`.
#[inline]
pub(super) fn after(at: u32, octets: usize) -> u32 {
    at.saturating_add(count(octets))
}

/// The one of two faults that stands first in the message.
#[inline]
pub(super) fn first(one: Option<Fault>, other: Option<Fault>) -> Option<Fault> {
    match (one, other) {
        (Some(one), Some(other)) => Some(if other.at < one.at { other } else { one }),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_field_is_named_where_it_stands() {
        let fault = read(&[1, 2, 3], 28, (u16("SPI"), u32("protocol"))).unwrap_err();
        assert_eq!(
            fault,
            Fault { field: "protocol", at: 30, kind: FaultKind::Truncated { need: 4, have: 1 } },
            "the two octets of the SPI were there"
        );
    }

    #[test]
    fn numbers_are_big_endian() {
        let (rest, number) = read(&[1, 2, 3, 4, 5, 6, 7, 8, 9], 0, u64("SPI")).unwrap();
        assert_eq!((rest, number), (&[9][..], 0x0102_0304_0506_0708));
    }
}
