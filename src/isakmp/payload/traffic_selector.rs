//! TSi and TSr of IKEv2.

use nom::Parser;

use super::walk::Claim;
use super::{Body, Content, Walk};
use crate::base::{Fault, FaultKind};
use crate::isakmp::field::{array, u8, u16};

/// A v2 TS payload. Selectors are decoded one at a time.
#[derive(Debug, Clone, Copy)]
pub struct TrafficSelectors<'a> {
    /// Number of selectors as claimed.
    pub count: u8,
    octets: &'a [u8],
    at: u32,
    /// Octet at which the number of selectors stands.
    count_at: u32,
}

/// One traffic selector (RFC 7296 §3.13.1).
///
/// Of a type other than 7 and 8 only the type is known, and the octet after it: the rest stands in `start`.
#[derive(Debug, Clone, Copy)]
pub struct TrafficSelector<'a> {
    /// TS type.
    pub ts_type: u8,
    /// IP protocol, 0 for any.
    pub protocol_id: u8,
    /// First port.
    pub start_port: u16,
    /// Last port.
    pub end_port: u16,
    /// First address, 4 or 16 octets.
    pub start: &'a [u8],
    /// Last address.
    pub end: &'a [u8],
}

const TS_IPV4_ADDR_RANGE: u8 = 7;
const TS_IPV6_ADDR_RANGE: u8 = 8;

/// (RFC 7296 §3.13)
#[inline]
pub(super) fn decode(content: Content<'_>) -> Result<Body<'_>, Fault> {
    let (octets, (count, _)) = content.read((u8("number of TSs"), array::<3>("reserved")))?;
    let at = content.position(octets);
    Ok(Body::TrafficSelectors(TrafficSelectors { count, octets, at, count_at: content.at }))
}

impl<'a> TrafficSelectors<'a> {
    /// The selectors in order, ending at the first fault.
    pub fn selectors(&self) -> Walk<'a, TrafficSelector<'a>> {
        let claim = Claim { field: "number of TSs", parts: self.count, at: self.count_at };
        Walk::new(self.octets, self.at, 2).claimed(claim)
    }

    pub(super) fn fault(&self) -> Option<Fault> {
        self.selectors().first_fault(|_| None)
    }
}

impl<'a> Iterator for Walk<'a, TrafficSelector<'a>> {
    type Item = TrafficSelector<'a>;

    #[inline]
    fn next(&mut self) -> Option<TrafficSelector<'a>> {
        const FIXED: u16 = 4;
        const LENGTH_AT: u32 = 2;
        if !self.goes_on("last traffic selector") {
            return None;
        }
        let (_, (ts_type, protocol_id, length)) =
            self.look(|octets| (u8("TS type"), u8("IP protocol ID"), u16("selector length")).parse(octets))?;
        // The length of one address, and of the whole selector: header, ports, two addresses.
        let (address, least, most) = match ts_type {
            TS_IPV4_ADDR_RANGE => (Some(4), 16, 16),
            TS_IPV6_ADDR_RANGE => (Some(16), 40, 40),
            _ => (None, FIXED, u16::MAX),
        };
        if !(least..=most).contains(&length) {
            let kind = match length {
                short if short < least => FaultKind::TooShort { claims: short.into(), least: least.into() },
                long => FaultKind::Unexpected { value: long.into() },
            };
            self.stop(Fault { field: "selector length", at: self.at().saturating_add(LENGTH_AT), kind });
            return None;
        }
        let octets = self.take("selector length", LENGTH_AT, length.into(), FIXED.into())?;
        let Some(address) = address else {
            return Some(TrafficSelector { ts_type, protocol_id, start_port: 0, end_port: 0, start: octets, end: &[] });
        };
        let (octets, (start_port, end_port)) = (u16("start port"), u16("end port")).parse(octets).ok()?;
        let (start, end) = octets.split_at_checked(address)?;
        Some(TrafficSelector { ts_type, protocol_id, start_port, end_port, start, end })
    }
}
