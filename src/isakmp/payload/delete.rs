//! The delete payload.

use super::{Body, Content};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{count, u8, u16, u32};

/// A delete.
#[derive(Debug, Clone, Copy)]
pub struct Delete<'a> {
    /// v1: domain of interpretation.
    pub doi: Option<u32>,
    /// Protocol id.
    pub protocol_id: u8,
    /// Octets of one SPI.
    pub spi_size: u8,
    /// SPIs claimed.
    pub spi_count: u16,
    /// The SPIs, one after the other: whole ones only, no more than are claimed.
    pub spis: &'a [u8],
}

/// (RFC 2408 §3.15)
#[inline]
pub(super) fn decode_v1(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (rest, doi) = content.read(u32("domain of interpretation"))?;
    fields(content, Some(doi), rest)
}

/// (RFC 7296 §3.11)
#[inline]
pub(super) fn decode_v2(content: Content<'_>) -> Result<Body<'_>, Fault> {
    fields(content, None, content.octets)
}

fn fields<'a>(content: Content<'a>, doi: Option<u32>, octets: &'a [u8]) -> Result<Body<'a>, Fault> {
    let (rest, (protocol_id, spi_size, spi_count)) =
        content.read_on(octets, (u8("protocol ID"), u8("SPI size"), u16("number of SPIs")))?;
    let size = usize::from(spi_size);
    let whole = rest.len().checked_div(size).unwrap_or(0).min(spi_count.into());
    let spis = rest.get(..whole.saturating_mul(size)).unwrap_or_default();
    Ok(Body::Delete(Delete { doi, protocol_id, spi_size, spi_count, spis }))
}

impl<'a> Delete<'a> {
    /// The SPIs one at a time, each `spi_size` octets.
    pub fn each_spi(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.spis.chunks_exact(usize::from(self.spi_size).max(1))
    }

    /// Whether the number of SPIs was false, by the `length` octets of the body, which begins at octet `at`.
    pub(super) fn fault(&self, length: usize, at: u32) -> Option<Fault> {
        let fixed = if self.doi.is_some() { 8 } else { 4 };
        let claims = u32::from(self.spi_size).saturating_mul(self.spi_count.into());
        let room = count(length).saturating_sub(fixed);
        let count_at = at.saturating_add(fixed).saturating_sub(2);
        let kind = if self.spi_size == 0 && self.spi_count > 0 {
            FaultKind::Unexpected { value: self.spi_count.into() }
        } else if claims > room {
            FaultKind::Overrun { claims, room }
        } else if claims < room {
            let at = at.saturating_add(fixed).saturating_add(claims);
            let kind = FaultKind::Trailing { octets: room.saturating_sub(claims) };
            return Some(Fault { field: "last SPI", at, kind });
        } else {
            return None;
        };
        Some(Fault { field: "number of SPIs", at: count_at, kind })
    }
}
