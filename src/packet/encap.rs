//! ISAKMP, ESP or keepalive: how RFC 3948 tells them apart, and what is done where senders do not follow it.

use super::ip::Payload;
use super::octets::{be8, be32};

/// Octets of an ISAKMP header (RFC 2408 §3.1).
pub(super) const ISAKMP_HEADER_LEN: usize = 28;

/// Octets of the non-ESP marker (RFC 3948 §2.2).
const MARKER_LEN: usize = 4;
/// A keepalive behind a marker, as some clients send it.
const MARKED_KEEPALIVE: [u8; 5] = [0, 0, 0, 0, 0xff];

/// What a datagram between IKE ports holds.
#[derive(Debug, Clone, Copy)]
pub(super) enum Content<'a> {
    /// One octet 0xFF (RFC 3948 §2.3), with or without a marker.
    Keepalive,
    /// An ISAKMP message, the marker taken off. May be too short for a header.
    Isakmp { non_esp_marker: bool, message: Payload<'a> },
    /// ESP: the first four octets are an SPI. May be too short for a sequence number.
    Esp(Payload<'a>),
    /// Too short to tell.
    Short,
}

/// Tells what `carried` is. `shared_with_esp`: ESP may stand between these ports, which is everywhere but on 500.
#[inline(always)]
pub(super) fn read(shared_with_esp: bool, carried: Payload<'_>) -> Content<'_> {
    let marked_keepalive = || shared_with_esp && carried.wire == 5 && carried.octets == MARKED_KEEPALIVE;
    if carried.wire == 1 && carried.octets == [0xff] || marked_keepalive() {
        return Content::Keepalive;
    }
    let plain = Content::Isakmp { non_esp_marker: false, message: carried };
    let (spi, behind_marker) = (be32(carried.octets, 0), carried.behind(MARKER_LEN));
    match (spi, behind_marker) {
        (Some(0), Some(message)) => {
            let marked = Content::Isakmp { non_esp_marker: true, message };
            // An initiator SPI may begin with four zero octets too, and senders put markers on port 500.
            let is_marked = if shared_with_esp {
                may_be_isakmp(message.octets) || !is_isakmp(carried)
            } else {
                may_be_isakmp(message.octets) && !is_isakmp(carried)
            };
            if is_marked { marked } else { plain }
        }
        _ if !shared_with_esp || is_isakmp(carried) => plain,
        (Some(_), _) => Content::Esp(carried),
        (None, _) => Content::Short,
    }
}

/// Whether `octets` may begin with an ISAKMP header: version, exchange type and next payload go together.
#[inline(always)]
pub(super) fn may_be_isakmp(octets: &[u8]) -> bool {
    let fields = (be8(octets, 16), be8(octets, 17), be8(octets, 18));
    let (Some(next_payload), Some(version), Some(exchange_type)) = fields else { return false };
    match version {
        0x10 => matches!(exchange_type, 1..=6 | 32..=33 | 240..) && matches!(next_payload, 0..=21 | 128..),
        0x20 => matches!(exchange_type, 34..=44 | 240..) && matches!(next_payload, 0 | 33..=54 | 128..),
        _ => false,
    }
}

/// Whether there is a whole header, of a version that exists: the rest of a message may lie and it still is one.
pub(super) fn has_header(octets: &[u8]) -> bool {
    octets.len() >= ISAKMP_HEADER_LEN && be8(octets, 17).is_some_and(|version| matches!(version >> 4, 1 | 2))
}

/// Whether `carried` is an ISAKMP message beyond doubt: its length field says how long it really is, too.
#[inline(always)]
pub(super) fn is_isakmp(carried: Payload<'_>) -> bool {
    may_be_isakmp(carried.octets) && be32(carried.octets, 24) == Some(carried.wire)
}
