//! Byte order of a capture's own numbers, and a cursor that reads them.
//!
//! Not here: the octets of a frame, whose numbers are always in network order.

/// Byte order of the machine that wrote a capture or a section of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    Little,
    Big,
}

impl Order {
    #[inline(always)]
    pub fn u16(self, octets: [u8; 2]) -> u16 {
        match self {
            Self::Little => u16::from_le_bytes(octets),
            Self::Big => u16::from_be_bytes(octets),
        }
    }

    #[inline(always)]
    pub fn u32(self, octets: [u8; 4]) -> u32 {
        match self {
            Self::Little => u32::from_le_bytes(octets),
            Self::Big => u32::from_be_bytes(octets),
        }
    }

    #[inline(always)]
    pub fn u64(self, octets: [u8; 8]) -> u64 {
        match self {
            Self::Little => u64::from_le_bytes(octets),
            Self::Big => u64::from_be_bytes(octets),
        }
    }
}

/// Numbers in a row; `None` once too few octets are left.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields<'a> {
    order: Order,
    rest: &'a [u8],
}

impl<'a> Fields<'a> {
    pub fn new(order: Order, octets: &'a [u8]) -> Self {
        Self { order, rest: octets }
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.rest.split_first_chunk()?;
        self.rest = rest;
        Some(*array)
    }

    #[inline(always)]
    pub fn u16(&mut self) -> Option<u16> {
        Some(self.order.u16(self.array()?))
    }

    #[inline(always)]
    pub fn u32(&mut self) -> Option<u32> {
        Some(self.order.u32(self.array()?))
    }

    /// The high half first whatever the byte order, as pcapng writes time stamps (draft-ietf-opsawg-pcapng §4.3).
    #[inline(always)]
    pub fn u32_pair(&mut self) -> Option<u64> {
        let high = self.u32()?;
        let low = self.u32()?;
        Some(u64::from(high) << 32 | u64::from(low))
    }

    /// The next `len` octets as they are.
    pub fn octets(&mut self, len: usize) -> Option<&'a [u8]> {
        let (octets, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(octets)
    }

    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }
}
