//! NAT detection, checked: the hashes of RFC 3947 §3.2 and RFC 7296 §2.23 recomputed for the addresses that were seen.

use std::net::{IpAddr, SocketAddr};

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha384, Sha512};

use crate::isakmp::Header;

/// IKEv1 hash algorithms by their attribute value (RFC 2409 appendix A, RFC 4868).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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

    /// The one algorithm of IKE whose output has this many octets: for when the negotiation was not captured.
    pub(super) fn from_length(octets: usize) -> Option<Self> {
        Some(match octets {
            16 => Self::Md5,
            20 => Self::Sha1,
            32 => Self::Sha2_256,
            48 => Self::Sha2_384,
            64 => Self::Sha2_512,
            _ => return None,
        })
    }

    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Md5 => Md5::digest(message).to_vec(),
            Self::Sha1 => Sha1::digest(message).to_vec(),
            Self::Sha2_256 => Sha256::digest(message).to_vec(),
            Self::Sha2_384 => Sha384::digest(message).to_vec(),
            Self::Sha2_512 => Sha512::digest(message).to_vec(),
        }
    }
}

/// Whether `hash` stands for `endpoint` in the SA of `header`.
pub(super) fn matches(algorithm: HashAlgorithm, header: &Header, endpoint: SocketAddr, hash: &[u8]) -> bool {
    let mut message = Vec::with_capacity(34);
    message.extend_from_slice(&header.initiator_spi.octets());
    message.extend_from_slice(&header.responder_spi.octets());
    match endpoint.ip() {
        IpAddr::V4(address) => message.extend_from_slice(&address.octets()),
        IpAddr::V6(address) => message.extend_from_slice(&address.octets()),
    }
    message.extend_from_slice(&endpoint.port().to_be_bytes());
    algorithm.of(&message) == hash
}
