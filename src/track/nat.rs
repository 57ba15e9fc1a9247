//! NAT detection, checked: the hashes of RFC 3947 §3.2 and RFC 7296 §2.23 recomputed for the addresses that were seen.

use std::net::{IpAddr, SocketAddr};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::base::IkeSpi;

/// IKEv1 hash algorithms by their attribute value (RFC 2409 appendix A, RFC 4868).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum HashAlgorithm {
    Md5,
    Sha1,
    Sha2_256,
    Sha2_384,
    Sha2_512,
}

impl HashAlgorithm {
    /// From the value of phase 1 attribute 2.
    pub(super) fn from_attribute(value: u64) -> Option<Self> {
        Some(match value {
            1 => Self::Md5,
            2 => Self::Sha1,
            4 => Self::Sha2_256,
            5 => Self::Sha2_384,
            6 => Self::Sha2_512,
            _ => return None,
        })
    }

    /// Octets of the shortest hash.
    pub(super) const SHORTEST: u32 = 16;

    /// Octets of its hash.
    pub(super) const fn octets(self) -> u32 {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha2_256 => 32,
            Self::Sha2_384 => 48,
            Self::Sha2_512 => 64,
        }
    }

    /// The one algorithm of IKE whose output has this many octets: for when the negotiation was not captured.
    fn from_length(octets: usize) -> Option<Self> {
        Some(match octets {
            16 => Self::Md5,
            20 => Self::Sha1,
            32 => Self::Sha2_256,
            48 => Self::Sha2_384,
            64 => Self::Sha2_512,
            _ => return None,
        })
    }

    /// Whether `hash` is that of `message`.
    fn is(self, message: &[u8], hash: &[u8]) -> bool {
        match self {
            Self::Md5 => *Md5::digest(message) == *hash,
            Self::Sha1 => *Sha1::digest(message) == *hash,
            Self::Sha2_256 => *Sha256::digest(message) == *hash,
            Self::Sha2_384 => *Sha384::digest(message) == *hash,
            Self::Sha2_512 => *Sha512::digest(message) == *hash,
        }
    }
}

/// Whether hashes are checked: only findings want that.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Checks {
    #[default]
    On,
    Off,
}

impl Checks {
    /// Whether `hash` stands for `endpoint` in the SA of these SPIs, the initiator's first. `negotiated`: the algorithm, where
    /// it is known. `None` if that cannot be told, or nobody wants to know.
    pub(super) fn matches(
        self,
        negotiated: Option<HashAlgorithm>,
        spis: (IkeSpi, IkeSpi),
        endpoint: SocketAddr,
        hash: &[u8],
    ) -> Option<bool> {
        if self == Self::Off {
            return None;
        }
        let algorithm = negotiated.or_else(|| HashAlgorithm::from_length(hash.len()))?;
        Some(matches(algorithm, spis, endpoint, hash))
    }
}

fn matches(
    algorithm: HashAlgorithm,
    (initiator_spi, responder_spi): (IkeSpi, IkeSpi),
    endpoint: SocketAddr,
    hash: &[u8],
) -> bool {
    let mut message = [0; 34];
    message[..8].copy_from_slice(&initiator_spi.octets());
    message[8..16].copy_from_slice(&responder_spi.octets());
    let port = endpoint.port().to_be_bytes();
    let message = match endpoint.ip() {
        IpAddr::V4(address) => {
            message[16..20].copy_from_slice(&address.octets());
            message[20..22].copy_from_slice(&port);
            &message[..22]
        }
        IpAddr::V6(address) => {
            message[16..32].copy_from_slice(&address.octets());
            message[32..].copy_from_slice(&port);
            &message[..]
        }
    };
    algorithm.is(message, hash)
}
