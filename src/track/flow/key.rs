//! What tells flows apart.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::EspSpi;
use crate::packet::{AhPacket, Datagram, Encapsulation, EspPacket, SeenEsp};
use crate::track::facts::FlowProtocol;

/// Addresses, SPI, protocol and encapsulation, in words that are soon compared.
#[derive(Debug, Clone, Copy)]
pub(in crate::track) struct FlowKey {
    source: [u64; 2],
    destination: [u64; 2],
    pub(in crate::track) spi: EspSpi,
    pub(super) protocol: FlowProtocol,
    pub(super) encapsulation: Encapsulation,
    pub(super) family: Family,
}

/// What the addresses of a flow are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    /// There are none: the flow was forgotten.
    Gone,
    V4,
    V6,
}

impl PartialEq for FlowKey {
    #[inline(always)]
    fn eq(&self, other: &Self) -> bool {
        // word by word: to compare arrays as such, they would be written to memory first
        let ([a, b], [c, d]) = (self.source, self.destination);
        let ([e, f], [g, h]) = (other.source, other.destination);
        (a ^ e) | (b ^ f) | (c ^ g) | (d ^ h) == 0
            && self.spi == other.spi
            && self.protocol == other.protocol
            && self.encapsulation == other.encapsulation
            && self.family == other.family
    }
}

impl FlowKey {
    #[inline(always)]
    pub(super) fn of_esp(esp: &SeenEsp) -> Self {
        Self {
            source: [0, u64::from(esp.source.to_bits())],
            destination: [0, u64::from(esp.destination.to_bits())],
            spi: esp.spi,
            protocol: FlowProtocol::Esp,
            encapsulation: esp.encapsulation,
            family: Family::V4,
        }
    }

    /// ESP in a datagram.
    pub(in crate::track) fn esp(datagram: &Datagram<'_>, esp: &EspPacket) -> Self {
        Self::new((datagram.source, datagram.destination), esp.spi, FlowProtocol::Esp, esp.encapsulation)
    }

    /// AH in a datagram.
    pub(in crate::track) fn ah(datagram: &Datagram<'_>, ah: &AhPacket) -> Self {
        Self::new((datagram.source, datagram.destination), ah.spi, FlowProtocol::Ah, Encapsulation::None)
    }

    pub(super) fn new(
        (source, destination): (IpAddr, IpAddr),
        spi: EspSpi,
        protocol: FlowProtocol,
        encapsulation: Encapsulation,
    ) -> Self {
        let family = if source.is_ipv4() { Family::V4 } else { Family::V6 };
        Self { source: words(source), destination: words(destination), spi, protocol, encapsulation, family }
    }

    /// Source and destination.
    pub(super) fn ends(&self) -> (IpAddr, IpAddr) {
        (self.address(self.source), self.address(self.destination))
    }

    fn address(&self, [high, low]: [u64; 2]) -> IpAddr {
        match self.family {
            Family::V6 => Ipv6Addr::from_bits(u128::from(high) << 64 | u128::from(low)).into(),
            Family::V4 | Family::Gone => Ipv4Addr::from_bits(low as u32).into(),
        }
    }
}

/// An address in two words.
fn words(address: IpAddr) -> [u64; 2] {
    match address {
        IpAddr::V4(address) => [0, u64::from(address.to_bits())],
        IpAddr::V6(address) => [(address.to_bits() >> 64) as u64, address.to_bits() as u64],
    }
}

impl Hash for FlowKey {
    /// In as few steps as it takes; what is alike in this is told apart by comparing.
    #[inline]
    fn hash<H: Hasher>(&self, state: &mut H) {
        let ([source_high, source], [destination_high, destination]) = (self.source, self.destination);
        if self.family == Family::V6 {
            state.write_u64(source_high);
            state.write_u64(source);
            state.write_u64(destination_high);
            state.write_u64(destination);
        } else {
            state.write_u64(source << 32 | destination);
        }
        let kind = u64::from(self.protocol as u8) << 8 | u64::from(self.encapsulation as u8);
        state.write_u64(u64::from(self.spi.0) << 16 | kind);
    }
}
