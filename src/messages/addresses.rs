//! Addresses as text: most messages come from where others came from a moment ago.
//!
//! Contract: what is written is the same octets, remembered or not; whoever wants addresses to be forgotten makes us write
//! them again, and no more.

use std::net::Ipv4Addr;

use crate::base::quad;

/// Addresses that are remembered: those of some hundred negotiations at a time.
const SLOT_BITS: u32 = 10;

/// Addresses of IPv4.
#[derive(Debug)]
pub(super) struct Addresses {
    slots: Box<[Slot]>,
    /// What of a hash says nothing of a slot.
    shift: u32,
}

/// An address as text.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slot {
    address: Ipv4Addr,
    /// With nothing of worth behind it.
    pub(super) text: [u8; 16],
    pub(super) len: usize,
}

impl Default for Addresses {
    /// The last one is remembered.
    fn default() -> Self {
        Self::with(0)
    }
}

impl Addresses {
    /// Some hundred are remembered.
    pub(super) fn new() -> Self {
        Self::with(SLOT_BITS)
    }

    fn with(bits: u32) -> Self {
        Self { slots: vec![Slot::of(Ipv4Addr::UNSPECIFIED); 1 << bits].into(), shift: u64::BITS - 1 - bits }
    }

    /// Appends an address.
    #[inline]
    pub(super) fn write(&mut self, out: &mut Vec<u8>, address: Ipv4Addr) {
        let Slot { text, len, .. } = self.slot(address);
        // of a fixed length this is one store
        let end = out.len() + len;
        out.extend_from_slice(text);
        out.truncate(end);
    }

    /// An address.
    #[inline(always)]
    pub(super) fn slot(&mut self, address: Ipv4Addr) -> &Slot {
        let hash = u64::from(address.to_bits()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
        let slot = &mut self.slots[(hash >> self.shift) as usize];
        if slot.address != address {
            *slot = Slot::of(address);
        }
        slot
    }
}

impl Slot {
    #[cold]
    fn of(address: Ipv4Addr) -> Self {
        let (text, len) = quad::text(address);
        Self { address, text, len }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_written_as_it_is_whatever_was_written_before() {
        let mut addresses = Addresses::new();
        for _ in 0..2 {
            for number in (0..5000_u32).chain([0, u32::MAX, u32::MAX - 1, 1 << 31]) {
                let address = Ipv4Addr::from(number.wrapping_mul(0x0100_0193));
                for _ in 0..2 {
                    let mut out = b"before ".to_vec();
                    addresses.write(&mut out, address);
                    assert_eq!(String::from_utf8(out).unwrap(), format!("before {address}"));
                }
            }
        }
    }
}
