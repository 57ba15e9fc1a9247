//! The walk over the parts of a body: proposals, transforms, attributes, traffic selectors.

use std::marker::PhantomData;

use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{GenericHeader, Parsed, after, count, first, generic_header, read};

/// A walk over equal parts that stops at the first one that contradicts itself.
#[derive(Debug, Clone)]
pub struct Walk<'a, T> {
    rest: &'a [u8],
    at: u32,
    pub(super) version: u8,
    /// Another part has to follow.
    more: bool,
    seen: u16,
    claim: Option<Claim>,
    /// Why the parts end before their container does.
    cut: Option<Fault>,
    fault: Option<Fault>,
    part: PhantomData<T>,
}

/// How many parts the container says it has, and where it says so.
#[derive(Debug, Clone, Copy)]
pub(super) struct Claim {
    pub(super) field: &'static str,
    pub(super) parts: u8,
    pub(super) at: u32,
}

/// What the parts of one kind are called, and how another one is announced.
pub(super) struct Kind {
    pub(super) header: &'static str,
    pub(super) last: &'static str,
    pub(super) length: &'static str,
    pub(super) marker: &'static str,
    /// Value of the first octet if another part follows; 0 if none does.
    pub(super) more: u8,
    /// Octets of the fixed part.
    pub(super) least: u16,
}

/// A part behind its generic header.
pub(super) struct Part<'a> {
    pub(super) octets: &'a [u8],
    /// Octet of the message at which the part begins.
    pub(super) at: u32,
    /// Why it ends before its length says, if it does; the walk has ended then.
    pub(super) cut: Option<Fault>,
}

impl<'a, T> Walk<'a, T> {
    /// Over `octets`, which begin at octet `at` of the message.
    #[inline]
    pub(super) fn new(octets: &'a [u8], at: u32, version: u8) -> Self {
        let more = !octets.is_empty();
        Self { rest: octets, at, version, more, seen: 0, claim: None, cut: None, fault: None, part: PhantomData }
    }

    /// Of a container that says how many parts it has.
    #[inline]
    pub(super) fn claimed(self, claim: Claim) -> Self {
        Self { claim: Some(claim), ..self }
    }

    /// Of a container that ends before its length says, for the reason `cut`.
    #[inline]
    pub(super) fn cut(self, cut: Option<Fault>) -> Self {
        Self { cut, ..self }
    }

    /// Of a container that must have at least one part.
    #[inline]
    pub(super) fn at_least_one(self) -> Self {
        Self { more: true, ..self }
    }

    /// What stopped the walk, once it has ended.
    pub fn fault(&self) -> Option<Fault> {
        self.fault
    }

    /// Ends the walk: the part at hand contradicts itself.
    pub(super) fn stop(&mut self, fault: Fault) {
        self.fault = self.fault.or(Some(fault));
        self.rest = &[];
    }

    /// Ends the walk: a part needs more than is left. If the container was cut short, that is why.
    fn stop_short(&mut self, fault: Fault) {
        self.stop(self.cut.unwrap_or(fault));
    }

    /// Whether the walk goes on. At its end, what is left over and what was claimed is checked.
    #[inline]
    pub(super) fn goes_on(&mut self, last: &'static str) -> bool {
        if self.fault.is_some() {
            return false;
        }
        if self.more {
            return true;
        }
        let left = count(self.rest.len());
        if let Some(cut) = self.cut {
            self.stop(cut);
        } else if left > 0 {
            self.stop(Fault { field: last, at: self.at, kind: FaultKind::Trailing { octets: left } });
        } else if let Some(Claim { field, parts, at }) = self.claim
            && u16::from(parts) != self.seen
        {
            self.stop(Fault { field, at, kind: FaultKind::Unexpected { value: parts.into() } });
        }
        false
    }

    /// Reads fields of the part at hand without stepping over them.
    #[inline]
    pub(super) fn look<O>(&mut self, parser: impl Fn(&'a [u8]) -> Parsed<'a, O>) -> Option<(&'a [u8], O)> {
        read(self.rest, self.at, parser).map_err(|fault| self.stop_short(fault)).ok()
    }

    /// Steps over a part of `length` octets, the value of the field that stands `offset` octets into the part, and
    /// hands out the part without its first `behind` octets.
    #[inline]
    pub(super) fn take(&mut self, field: &'static str, offset: u32, length: usize, behind: usize) -> Option<&'a [u8]> {
        let Some((part, rest)) = self.rest.split_at_checked(length) else {
            let kind = FaultKind::Overrun { claims: count(length), room: count(self.rest.len()) };
            self.stop_short(Fault { field, at: self.at.saturating_add(offset), kind });
            return None;
        };
        self.rest = rest;
        self.at = after(self.at, length);
        self.more = !rest.is_empty();
        self.seen = self.seen.saturating_add(1);
        part.get(behind..)
    }

    /// Octet of the message at which the part at hand begins.
    #[inline]
    pub(super) fn at(&self) -> u32 {
        self.at
    }

    /// The next proposal or transform. Both open alike: whether another one follows, a reserved octet, the length.
    #[inline]
    pub(super) fn substructure(&mut self, kind: &Kind) -> Option<Part<'a>> {
        if !self.goes_on(kind.last) {
            return None;
        }
        let at = self.at;
        let (behind, GenericHeader { next: marker, length, .. }) = self.look(generic_header(kind.header))?;
        let length_at = at.saturating_add(GenericHeader::LENGTH_AT);
        if length < kind.least {
            let short = FaultKind::TooShort { claims: length.into(), least: kind.least.into() };
            self.stop(Fault { field: kind.length, at: length_at, kind: short });
            return None;
        }
        let room = self.rest.len();
        if room < length.into() {
            let overrun = FaultKind::Overrun { claims: length.into(), room: count(room) };
            self.stop_short(Fault { field: kind.length, at: length_at, kind: overrun });
            return Some(Part { octets: behind, at, cut: self.fault });
        }
        let octets = self.take(kind.length, GenericHeader::LENGTH_AT, length.into(), GenericHeader::LEN.into())?;
        self.more = marker == kind.more;
        if marker != 0 && marker != kind.more {
            self.stop(Fault { field: kind.marker, at, kind: FaultKind::Unexpected { value: marker.into() } });
        }
        Some(Part { octets, at, cut: None })
    }

    /// The first fault of the walk and, by `inside`, of its parts.
    pub(super) fn first_fault(mut self, inside: impl Fn(&T) -> Option<Fault>) -> Option<Fault>
    where
        Self: Iterator<Item = T>,
    {
        let mut fault = None;
        while fault.is_none()
            && let Some(part) = self.next()
        {
            fault = inside(&part);
        }
        first(fault, self.fault)
    }
}
