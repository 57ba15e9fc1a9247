//! Data attributes, of transforms and of configuration payloads.

use nom::Parser;

use super::Walk;
use crate::isakmp::field::u16;

/// A data attribute (RFC 2408 §3.3, RFC 7296 §3.3.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribute<'a> {
    /// Attribute type, the AF bit removed.
    pub attribute_type: u16,
    /// Its value.
    pub value: AttributeValue<'a>,
}

/// A value in the short (TV) or the long (TLV) form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttributeValue<'a> {
    /// AF = 1: sixteen bits.
    Short(u16),
    /// AF = 0: octets.
    Long(&'a [u8]),
}

impl AttributeValue<'_> {
    /// The value as a number: `Short`, or `Long` of at most eight octets, big-endian.
    pub fn number(&self) -> Option<u64> {
        match *self {
            Self::Short(value) => Some(u64::from(value)),
            Self::Long(octets) if octets.is_empty() || octets.len() > 8 => None,
            Self::Long(octets) => Some(octets.iter().fold(0, |sum, &octet| sum << 8 | u64::from(octet))),
        }
    }
}

impl Attribute<'_> {
    /// Version for a walk whose attributes have both forms: the attributes of every transform, and those of IKEv1.
    pub(super) const SHORT_OR_LONG: u8 = 1;
    /// Version for a walk whose attributes are all long: in CP of IKEv2 the AF bit is reserved (RFC 7296 §3.15.1).
    pub(super) const LONG: u8 = 2;
}

impl<'a> Iterator for Walk<'a, Attribute<'a>> {
    type Item = Attribute<'a>;

    #[inline]
    fn next(&mut self) -> Option<Attribute<'a>> {
        const FIXED: usize = 4;
        const AF: u16 = 0x8000;
        if !self.goes_on("last attribute") {
            return None;
        }
        let (_, (format_and_type, second)) =
            self.look(|octets| (u16("attribute type"), u16("attribute length")).parse(octets))?;
        let short = self.version == Attribute::SHORT_OR_LONG && format_and_type & AF != 0;
        let length = if short { 0 } else { usize::from(second) };
        let octets = self.take("attribute length", 2, FIXED.saturating_add(length), FIXED)?;
        let value = if short { AttributeValue::Short(second) } else { AttributeValue::Long(octets) };
        Some(Attribute { attribute_type: format_and_type & !AF, value })
    }
}
