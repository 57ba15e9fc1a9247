//! From where to where, as text: most messages go where others went a moment ago.
//!
//! Contract: what is written is the same octets, remembered or not; whoever wants his addresses to be forgotten makes us
//! write them again, and no more.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::report::pen;

/// Passages that are remembered: those of some hundred negotiations at a time.
const SLOTS: usize = 1 << SLOT_BITS;
const SLOT_BITS: u32 = 10;
/// Octets of the longest: `255.255.255.255:65535 > 255.255.255.255:65535`, and what fills a line of the cache.
const LONGEST: usize = 48;

/// What stands between both ends.
const BETWEEN: &str = " > ";

/// Passages between addresses of IPv4.
#[derive(Debug, Default)]
pub(super) struct Passages(Vec<Passage>);

#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Passage {
    addresses: u64,
    ports: u32,
    text: [u8; LONGEST],
    len: u8,
}

impl Passages {
    /// Some that are remembered; by default, none is.
    pub(super) fn new() -> Self {
        let nowhere = Passage { addresses: 0, ports: 0, text: [0; LONGEST], len: 0 };
        Self(vec![nowhere; SLOTS])
    }

    /// Appends address and port of the source and of the destination.
    #[inline]
    pub(super) fn write(&mut self, out: &mut Vec<u8>, source: SocketAddr, destination: SocketAddr) {
        let ([source_port, destination_port], IpAddr::V4(from), IpAddr::V4(to)) =
            ([source.port(), destination.port()], source.ip(), destination.ip())
        else {
            return write(out, source, destination);
        };
        let addresses = u64::from(from.to_bits()) << 32 | u64::from(to.to_bits());
        let ports = u32::from(source_port) << 16 | u32::from(destination_port);
        let Some(passage) = self.0.get_mut(slot(addresses, ports)) else { return write(out, source, destination) };
        if (passage.addresses, passage.ports) != (addresses, ports) || passage.len == 0 {
            passage.turn(from, to, addresses, ports);
        }
        // of a fixed length this is a few stores
        let end = out.len() + usize::from(passage.len);
        out.extend_from_slice(&passage.text);
        out.truncate(end);
    }
}

impl Passage {
    #[cold]
    fn turn(&mut self, from: Ipv4Addr, to: Ipv4Addr, addresses: u64, ports: u32) {
        let mut text = Vec::with_capacity(LONGEST);
        let end = |address: Ipv4Addr, port: u32| SocketAddr::new(address.into(), port as u16);
        write(&mut text, end(from, ports >> 16), end(to, ports));
        let len = text.len();
        text.resize(LONGEST, 0);
        self.text.copy_from_slice(&text);
        (self.addresses, self.ports, self.len) = (addresses, ports, len as u8);
    }
}

/// Where a passage is remembered.
#[inline]
fn slot(addresses: u64, ports: u32) -> usize {
    let mixed = (addresses ^ u64::from(ports).rotate_left(20)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> (u64::BITS - SLOT_BITS)) as usize
}

fn write(out: &mut Vec<u8>, source: SocketAddr, destination: SocketAddr) {
    pen::endpoint(out, source);
    pen::raw(out, BETWEEN);
    pen::endpoint(out, destination);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_passage_is_written_as_it_is_whatever_was_written_before() {
        let ends: Vec<SocketAddr> = ["0.0.0.0:0", "255.255.255.255:65535", "192.0.2.1:500", "[2001:db8::1]:4500"]
            .iter()
            .map(|text| text.parse().unwrap())
            .chain((0..2000_u16).map(|number| SocketAddr::new([10, 0, 0, number as u8].into(), number)))
            .collect();
        let mut passages = Passages::new();
        for _ in 0..2 {
            for (source, destination) in ends.iter().zip(ends.iter().skip(1)).chain(ends.iter().zip(&ends)) {
                let mut out = b"before ".to_vec();
                passages.write(&mut out, *source, *destination);
                assert_eq!(String::from_utf8(out).unwrap(), format!("before {source} > {destination}"));
            }
        }
    }
}
