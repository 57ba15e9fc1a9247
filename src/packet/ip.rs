//! The IP packet: addresses, what it carries, and how much of that there is.
//!
//! The layout of headers is etherparse's; which of two lengths to believe is decided here. Not here: what to do with
//! fragments. Contract: borrows only; the extension chain is walked for at most [`MOST_EXTENSIONS`] headers.

use std::net::IpAddr;

use etherparse::{Ipv4HeaderSlice, Ipv6FragmentHeaderSlice, Ipv6HeaderSlice, Ipv6RawExtHeaderSlice};

use super::octets::{be8, count, up_to};
use super::protocol::ip_protocol;

/// Extension headers that are passed before a packet is given up as not ours.
const MOST_EXTENSIONS: usize = 32;

/// An IP packet, its extension headers passed.
#[derive(Debug, Clone, Copy)]
pub(super) struct IpPacket<'a> {
    pub source: IpAddr,
    pub destination: IpAddr,
    pub ttl: u8,
    /// IPv4 identification, or that of an IPv6 fragment header.
    pub id: Option<u32>,
    /// What the payload is; of an IPv6 fragment, what its fragment header announces.
    pub protocol: u8,
    pub payload: Payload<'a>,
    /// `None` if this is a whole datagram.
    pub fragment: Option<Fragment>,
}

/// Octets as captured, and how many of them there were on the wire.
#[derive(Debug, Clone, Copy)]
pub(super) struct Payload<'a> {
    pub octets: &'a [u8],
    /// Never less than `octets.len()`.
    pub wire: u32,
}

/// Where a fragment stands in its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Fragment {
    /// In octets.
    pub offset: u32,
    /// More fragments follow.
    pub more: bool,
}

impl<'a> Payload<'a> {
    /// All of `octets`, and `uncaptured` more of them on the wire.
    #[inline(always)]
    pub fn cut(octets: &'a [u8], uncaptured: u32) -> Self {
        Self { octets, wire: count(octets).saturating_add(uncaptured) }
    }

    /// At most `claimed` octets of `octets`; what is claimed beyond their end is believed as far as the frame was cut.
    #[inline(always)]
    fn claimed(octets: &'a [u8], claimed: u32, uncaptured: u32) -> Self {
        let octets = up_to(octets, claimed);
        let here = count(octets);
        Self { octets, wire: here.saturating_add(claimed.saturating_sub(here).min(uncaptured)) }
    }

    /// At most `most` octets of it.
    #[inline(always)]
    pub fn up_to(self, most: u32) -> Self {
        Self { octets: up_to(self.octets, most), wire: self.wire.min(most) }
    }

    /// What stands behind the first `passed` octets, all of which must have been captured.
    #[inline(always)]
    pub fn behind(self, passed: usize) -> Option<Self> {
        let octets = self.octets.get(passed..)?;
        Some(Self { octets, wire: self.wire.saturating_sub(u32::try_from(passed).ok()?) })
    }

    /// What stands behind the first `passed` octets, captured or not.
    pub fn past(self, passed: u32) -> Self {
        let octets = self.octets.get(passed as usize..).unwrap_or(&[]);
        Self { octets, wire: self.wire.saturating_sub(passed) }
    }

    /// Octets at the end that were on the wire and not captured.
    #[inline(always)]
    pub fn missing(self) -> u32 {
        self.wire.saturating_sub(count(self.octets))
    }
}

/// Reads an IPv4 or IPv6 packet. `uncaptured`: octets that the frame had on the wire behind its captured ones.
pub(super) fn read(octets: &[u8], uncaptured: u32) -> Option<IpPacket<'_>> {
    match be8(octets, 0)? >> 4 {
        4 => read_v4(octets, uncaptured),
        6 => read_v6(octets, uncaptured),
        _ => None,
    }
}

fn read_v4(octets: &[u8], uncaptured: u32) -> Option<IpPacket<'_>> {
    let header = Ipv4HeaderSlice::from_slice(octets).ok()?;
    let header_len = header.slice().len();
    let rest = octets.get(header_len..)?;
    let claimed = usize::from(header.total_len()).checked_sub(header_len);
    let offset = u32::from(header.fragments_offset().byte_offset());
    let more = header.more_fragments();
    Some(IpPacket {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        ttl: header.ttl(),
        id: Some(u32::from(header.identification())),
        protocol: header.protocol().0,
        payload: length_or_all(rest, claimed, uncaptured),
        fragment: (offset != 0 || more).then_some(Fragment { offset, more }),
    })
}

fn read_v6(octets: &[u8], uncaptured: u32) -> Option<IpPacket<'_>> {
    let header = Ipv6HeaderSlice::from_slice(octets).ok()?;
    let rest = octets.get(header.slice().len()..)?;
    let claimed = Some(usize::from(header.payload_length())).filter(|&claimed| claimed != 0);
    let payload = length_or_all(rest, claimed, uncaptured);
    let chain = pass_extensions(header.next_header().0, payload.octets)?;
    Some(IpPacket {
        source: header.source_addr().into(),
        destination: header.destination_addr().into(),
        ttl: header.hop_limit(),
        id: chain.id,
        protocol: chain.protocol,
        payload: payload.behind(chain.len)?,
        fragment: chain.fragment,
    })
}

/// No length, or one that does not even cover the header, is what a segmentation offload leaves behind (and a
/// jumbogram): all that follows belongs to the packet then.
#[inline(always)]
pub(super) fn length_or_all(rest: &[u8], claimed: Option<usize>, uncaptured: u32) -> Payload<'_> {
    match claimed.and_then(|claimed| u32::try_from(claimed).ok()) {
        Some(claimed) => Payload::claimed(rest, claimed, uncaptured),
        None => Payload::cut(rest, uncaptured),
    }
}

/// IPv6 extension headers, passed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chain {
    /// What follows them.
    pub protocol: u8,
    /// Octets they take.
    pub len: usize,
    /// Identification in a fragment header, even one around a whole datagram (RFC 6946).
    pub id: Option<u32>,
    /// Set if the walk ended at the header of a real fragment.
    pub fragment: Option<Fragment>,
}

/// Passes extension headers up to the upper layer, to AH, or to a fragment (RFC 8200 §4.1).
pub(super) fn pass_extensions(first: u8, octets: &[u8]) -> Option<Chain> {
    let mut chain = Chain { protocol: first, len: 0, id: None, fragment: None };
    for _ in 0..MOST_EXTENSIONS {
        let rest = octets.get(chain.len..)?;
        match chain.protocol {
            ip_protocol::HOP_BY_HOP
            | ip_protocol::ROUTING
            | ip_protocol::DESTINATION_OPTIONS
            | ip_protocol::MOBILITY => {
                let header = Ipv6RawExtHeaderSlice::from_slice(rest).ok()?;
                chain.len += header.slice().len();
                chain.protocol = header.next_header().0;
            }
            ip_protocol::FRAGMENT => {
                let header = Ipv6FragmentHeaderSlice::from_slice(rest).ok()?;
                chain.len += header.slice().len();
                chain.protocol = header.next_header().0;
                chain.id = Some(header.identification());
                if header.is_fragmenting_payload() {
                    let offset = u32::from(header.fragment_offset().byte_offset());
                    chain.fragment = Some(Fragment { offset, more: header.more_fragments() });
                    return Some(chain);
                }
            }
            _ => return Some(chain),
        }
    }
    None
}
