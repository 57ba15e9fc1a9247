//! Addresses as text: most messages come from where others came from a moment ago.
//!
//! Contract: what is written is the same octets, remembered or not; whoever wants addresses to be forgotten makes us write
//! them again, and no more.

use std::net::{IpAddr, Ipv4Addr};

use crate::report::pen;

/// Addresses that are remembered: those of some hundred negotiations at a time.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;
/// Octets of the longest, `255.255.255.255`, and one that says how many it has.
const LONGEST: usize = 16;

/// Addresses of IPv4.
#[derive(Debug, Default)]
pub(super) struct Addresses(Vec<Slot>);

#[derive(Debug, Clone, Copy)]
struct Slot {
    address: Ipv4Addr,
    text: [u8; LONGEST],
}

impl Addresses {
    /// Some that are remembered; by default, none is.
    pub(super) fn new() -> Self {
        let mut text = [0; LONGEST];
        text[..7].copy_from_slice(b"0.0.0.0");
        text[LONGEST - 1] = 7;
        Self(vec![Slot { address: Ipv4Addr::UNSPECIFIED, text }; SLOTS])
    }

    /// Appends an address.
    #[inline]
    pub(super) fn write(&mut self, out: &mut Vec<u8>, address: Ipv4Addr) {
        let place = address.to_bits().wrapping_mul(0x9e37_79b1) >> (u32::BITS - SLOT_BITS);
        match self.0.get_mut(place as usize) {
            // of a fixed length this is one store
            Some(slot) if slot.address == address => {
                let end = out.len() + usize::from(slot.text[LONGEST - 1]);
                out.extend_from_slice(&slot.text);
                out.truncate(end);
            }
            Some(slot) => slot.turn(out, address),
            None => pen::address(out, IpAddr::V4(address)),
        }
    }
}

impl Slot {
    /// Appends another address and remembers it.
    fn turn(&mut self, out: &mut Vec<u8>, address: Ipv4Addr) {
        let start = out.len();
        pen::address(out, IpAddr::V4(address));
        let written = out.get(start..).unwrap_or_default();
        if let Some(place) = self.text.get_mut(..written.len()) {
            place.copy_from_slice(written);
            self.text[LONGEST - 1] = written.len() as u8;
            self.address = address;
        }
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
