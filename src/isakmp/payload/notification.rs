//! The notification payload.

use super::{Body, Content};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{count, u8, u16, u32};

/// A notification.
///
/// If the SPI size claims more octets than there are, neither SPI nor data can be told: both are empty then. So they are where the
/// capture does not hold all of it.
#[derive(Debug, Clone, Copy)]
pub struct Notification<'a> {
    /// v1: domain of interpretation.
    pub doi: Option<u32>,
    /// Protocol id.
    pub protocol_id: u8,
    /// SPI, `spi.len()` is the SPI size.
    pub spi: &'a [u8],
    /// Notify message type.
    pub notify_message_type: u16,
    /// Notification data.
    pub data: &'a [u8],
}

/// Types from here on tell of a state and not of an error (RFC 2408 §3.14.1, RFC 7296 §3.10.1).
const FIRST_STATUS: u16 = 16384;

/// (RFC 2408 §3.14)
#[inline]
pub(super) fn decode_v1(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (rest, doi) = content.read(u32("domain of interpretation"))?;
    fields(content, Some(doi), rest)
}

/// (RFC 7296 §3.10)
#[inline]
pub(super) fn decode_v2(content: Content<'_>) -> Result<Body<'_>, Fault> {
    fields(content, None, content.octets)
}

/// Of an error whose end was not captured the type is known; SPI and data are empty then. Where the type asks for data, there is
/// nothing to be said without.
#[inline]
pub(super) fn decode_cut(content: Content<'_>, cut: Fault) -> Result<Body<'_>, Fault> {
    let decoded = match cut.kind {
        FaultKind::NotCaptured { .. } if content.version == 1 => decode_v1(content)?,
        FaultKind::NotCaptured { .. } => decode_v2(content)?,
        _ => return Err(cut),
    };
    match decoded {
        Body::Notification(notification) if notification.notify_message_type < FIRST_STATUS => {
            Ok(Body::Notification(Notification { spi: &[], data: &[], ..notification }))
        }
        _ => Err(cut),
    }
}

fn fields<'a>(content: Content<'a>, doi: Option<u32>, octets: &'a [u8]) -> Result<Body<'a>, Fault> {
    let (rest, (protocol_id, spi_size, notify_message_type)) =
        content.read_on(octets, (u8("protocol ID"), u8("SPI size"), u16("notify message type")))?;
    let (spi, data) = rest.split_at_checked(spi_size.into()).unwrap_or_default();
    Ok(Body::Notification(Notification { doi, protocol_id, spi, notify_message_type, data }))
}

impl Notification<'_> {
    /// Whether the SPI size was false, by the body's octets, which begin at octet `at` of the message.
    pub(super) fn fault(&self, octets: &[u8], at: u32) -> Option<Fault> {
        let (size_at, fixed) = if self.doi.is_some() { (5, 8) } else { (1, 4) };
        let (claims, room) = (u32::from(*octets.get(size_at)?), count(octets.len()).saturating_sub(fixed));
        (claims > room).then_some(Fault {
            field: "SPI size",
            at: at.saturating_add(count(size_at)),
            kind: FaultKind::Overrun { claims, room },
        })
    }
}
