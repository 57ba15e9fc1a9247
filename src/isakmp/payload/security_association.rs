//! The SA payload: proposals, their transforms, and the transforms' attributes.

use nom::Parser;

use super::walk::{Claim, Kind};
use super::{Attribute, Body, Content, Walk};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{Parsed, Short, after, array, count, generic_header, read, run, u8, u16, u32};

/// An SA payload of either version. Proposals are decoded one at a time.
#[derive(Debug, Clone, Copy)]
pub struct SecurityAssociation<'a> {
    /// v1: domain of interpretation.
    pub doi: Option<u32>,
    /// v1, IPsec DOI: situation bits.
    pub situation: Option<u32>,
    version: u8,
    octets: &'a [u8],
    at: u32,
    /// Nobody but the DOI knows where the situation ends: without it, no proposals.
    readable: bool,
    cut: Option<Fault>,
}

/// One proposal (RFC 2408 §3.5, RFC 7296 §3.3.1).
#[derive(Debug, Clone, Copy)]
pub struct Proposal<'a> {
    /// Proposal number.
    pub number: u8,
    /// Protocol id.
    pub protocol_id: u8,
    /// SPI of the sender, `spi.len()` is the SPI size.
    pub spi: &'a [u8],
    /// Number of transforms as claimed.
    pub transform_count: u8,
    version: u8,
    octets: &'a [u8],
    at: u32,
    /// Octet at which the number of transforms stands.
    count_at: u32,
    cut: Option<Fault>,
}

/// One transform (RFC 2408 §3.6, RFC 7296 §3.3.2).
#[derive(Debug, Clone, Copy)]
pub struct Transform<'a> {
    /// v1: transform number; v2: 0.
    pub number: u8,
    /// v2: transform type; v1: 0.
    pub transform_type: u8,
    /// Transform id (8 bits in v1, 16 in v2).
    pub transform_id: u16,
    octets: &'a [u8],
    at: u32,
}

const PROPOSAL: Kind = Kind {
    header: "proposal header",
    last: "last proposal",
    length: "proposal length",
    marker: "last substructure",
    more: 2,
    least: 8,
};

const TRANSFORM: Kind = Kind {
    header: "transform header",
    last: "last transform",
    length: "transform length",
    marker: "last substructure",
    more: 3,
    least: 8,
};

/// DOI of RFC 2408: no protocol in particular.
const DOI_ISAKMP: u32 = 0;
/// DOI of RFC 2407.
const DOI_IPSEC: u32 = 1;
const SIT_SECRECY: u32 = 0x02;
const SIT_INTEGRITY: u32 = 0x04;

#[inline]
pub(super) fn decode_v1(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (rest, doi) = content.read(u32("domain of interpretation"))?;
    let (rest, situation) = match doi {
        DOI_IPSEC => {
            let (rest, situation) = content.read_on(rest, situation)?;
            (Some(rest), Some(situation))
        }
        DOI_ISAKMP => match content.read_on(rest, situation) {
            Ok((behind, situation)) if begins_with_proposal(behind) => (Some(behind), Some(situation)),
            _ => (begins_with_proposal(rest).then_some(rest), None),
        },
        _ => (None, None),
    };
    let octets = rest.unwrap_or_default();
    Ok(Body::SecurityAssociation(SecurityAssociation {
        doi: Some(doi),
        situation,
        version: content.version,
        octets,
        at: content.position(octets),
        readable: rest.is_some(),
        cut: content.cut,
    }))
}

#[inline]
pub(super) fn decode_v2(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let Content { octets, at, version, cut, .. } = content;
    Ok(Body::SecurityAssociation(SecurityAssociation {
        doi: None,
        situation: None,
        version,
        octets,
        at,
        readable: true,
        cut,
    }))
}

/// The situation and the labels that its bits announce (RFC 2407 §4.6.1).
fn situation(octets: &[u8]) -> Parsed<'_, u32> {
    let (mut rest, situation) = u32("situation")(octets)?;
    if situation & (SIT_SECRECY | SIT_INTEGRITY) != 0 {
        (rest, _) = u32("labeled domain identifier")(rest)?;
    }
    if situation & SIT_SECRECY != 0 {
        rest = label(rest, ["secrecy length", "secrecy level", "secrecy category length", "secrecy category bitmap"])?;
    }
    if situation & SIT_INTEGRITY != 0 {
        rest = label(
            rest,
            ["integrity length", "integrity level", "integrity category length", "integrity category bitmap"],
        )?;
    }
    Ok((rest, situation))
}

/// Steps over a level (its length is in octets) and a category bitmap (in bits), both padded to four octets.
fn label<'a>(octets: &'a [u8], fields: [&'static str; 4]) -> Result<&'a [u8], nom::Err<Short>> {
    let [level_length, level, category_length, category] = fields;
    let (rest, (length, _)) = (u16(level_length), array::<2>("reserved")).parse(octets)?;
    let (rest, _) = run(level, usize::from(length).next_multiple_of(4))(rest)?;
    let (rest, (bits, _)) = (u16(category_length), array::<2>("reserved")).parse(rest)?;
    let (rest, _) = run(category, usize::from(bits).div_ceil(8).next_multiple_of(4))(rest)?;
    Ok(rest)
}

fn begins_with_proposal(octets: &[u8]) -> bool {
    generic_header("proposal header")(octets).is_ok_and(|(_, header)| {
        matches!(header.next, 0 | 2)
            && header.reserved == 0
            && header.length >= PROPOSAL.least
            && usize::from(header.length) <= octets.len()
    })
}

impl<'a> SecurityAssociation<'a> {
    /// The proposals in order, ending at the first fault ([`Walk::fault`]).
    ///
    /// A proposal that is cut short is the last one, with the transforms that are whole. Of a DOI that is not known,
    /// none: where its situation ends cannot be told.
    pub fn proposals(&self) -> Walk<'a, Proposal<'a>> {
        let walk = Walk::new(self.octets, self.at, self.version).cut(self.cut);
        if self.readable { walk.at_least_one() } else { walk }
    }

    /// The first lie in it, or `None`. Walks proposals, transforms and attributes.
    pub fn fault(&self) -> Option<Fault> {
        self.proposals().first_fault(Proposal::fault)
    }
}

impl<'a> Proposal<'a> {
    /// The transforms in order, ending at the first fault.
    pub fn transforms(&self) -> Walk<'a, Transform<'a>> {
        let claim = Claim { field: "number of transforms", parts: self.transform_count, at: self.count_at };
        Walk::new(self.octets, self.at, self.version).claimed(claim).cut(self.cut)
    }

    fn fault(&self) -> Option<Fault> {
        self.transforms().first_fault(Transform::fault)
    }
}

impl<'a> Transform<'a> {
    /// The attributes in order, ending at the first fault.
    pub fn attributes(&self) -> Walk<'a, Attribute<'a>> {
        Walk::new(self.octets, self.at, Attribute::SHORT_OR_LONG)
    }

    fn fault(&self) -> Option<Fault> {
        self.attributes().first_fault(|_| None)
    }
}

impl<'a> Iterator for Walk<'a, Proposal<'a>> {
    type Item = Proposal<'a>;

    #[inline]
    fn next(&mut self) -> Option<Proposal<'a>> {
        const FIXED: u32 = 4;
        let part = self.substructure(&PROPOSAL)?;
        let fixed_at = part.at.saturating_add(FIXED);
        let fields = (u8("proposal number"), u8("protocol ID"), u8("SPI size"), u8("number of transforms"));
        let (rest, (number, protocol_id, spi_size, transform_count)) = match read(part.octets, fixed_at, fields) {
            Ok(read) => read,
            // Only a proposal that is cut short is shorter than its fixed part, and then the walk has ended.
            Err(fault) => {
                self.stop(fault);
                return None;
            }
        };
        let Some((spi, octets)) = rest.split_at_checked(spi_size.into()) else {
            let kind = FaultKind::Overrun { claims: spi_size.into(), room: count(rest.len()) };
            self.stop(Fault { field: "SPI size", at: fixed_at.saturating_add(2), kind });
            return None;
        };
        Some(Proposal {
            number,
            protocol_id,
            spi,
            transform_count,
            version: self.version,
            octets,
            at: after(fixed_at, spi.len().saturating_add(4)),
            count_at: fixed_at.saturating_add(3),
            cut: part.cut,
        })
    }
}

impl<'a> Iterator for Walk<'a, Transform<'a>> {
    type Item = Transform<'a>;

    #[inline]
    fn next(&mut self) -> Option<Transform<'a>> {
        let part = self.substructure(&TRANSFORM)?;
        // Without its last attributes a transform would say something else than its sender did.
        if part.cut.is_some() {
            return None;
        }
        let (octets, [one, two, three, four]) =
            part.octets.split_first_chunk().map(|(fields, rest)| (rest, *fields))?;
        let at = part.at.saturating_add(TRANSFORM.least.into());
        Some(match self.version {
            1 => Transform { number: one, transform_type: 0, transform_id: two.into(), octets, at },
            _ => {
                let transform_id = u16::from_be_bytes([three, four]);
                Transform { number: 0, transform_type: one, transform_id, octets, at }
            }
        })
    }
}
