//! The two addresses of a pair, in eight octets where they are of IPv4, because there may be a million pairs.
//!
//! Contract: what was put in comes out.

use std::hash::BuildHasher;
use std::net::{IpAddr, Ipv4Addr};

/// Two addresses in short: those of IPv4 themselves, others by a hash that nobody can foresee.
#[inline]
pub(in crate::track) fn in_short(hasher: &impl BuildHasher, one: &IpAddr, other: &IpAddr) -> u64 {
    match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => u64::from(one.to_bits()) << 32 | u64::from(other.to_bits()),
        ends => hasher.hash_one(ends),
    }
}

/// Two addresses, in order.
#[derive(Debug, Clone)]
pub(in crate::track) enum PackedEnds {
    V4([Ipv4Addr; 2]),
    Other(Box<(IpAddr, IpAddr)>),
}

impl From<(IpAddr, IpAddr)> for PackedEnds {
    fn from(ends: (IpAddr, IpAddr)) -> Self {
        match ends {
            (IpAddr::V4(one), IpAddr::V4(other)) => Self::V4([one, other]),
            ends => Self::Other(Box::new(ends)),
        }
    }
}

impl PackedEnds {
    /// As addresses of any kind.
    #[inline]
    pub(in crate::track) fn get(&self) -> (IpAddr, IpAddr) {
        match self {
            Self::V4([one, other]) => (IpAddr::V4(*one), IpAddr::V4(*other)),
            Self::Other(ends) => **ends,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_put_in_comes_out() {
        let addresses: [IpAddr; 3] = ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1"].map(|text| text.parse().unwrap());
        for one in addresses {
            for other in addresses {
                assert_eq!(PackedEnds::from((one, other)).get(), (one, other));
            }
        }
    }
}
