//! Identities on the wire: the SPIs of IKE and of ESP/AH, and the message id.

use std::fmt;

use serde::{Serialize, Serializer};

/// One side's IKE SPI, eight octets (RFC 7296 §3.1); what RFC 2408 §3.1 calls a cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct IkeSpi(pub u64);

impl IkeSpi {
    /// All zero: the side has not chosen one yet.
    pub const ZERO: Self = Self(0);

    /// Whether the side has not chosen one yet.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// The eight octets as they stand on the wire.
    pub const fn octets(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

/// The SPI of an ESP or AH SA, four octets (RFC 4303 §2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EspSpi(pub u32);

/// The message id of an IKE header, four octets (RFC 2408 §3.1, RFC 7296 §2.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct MessageId(pub u32);

impl fmt::Display for IkeSpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for EspSpi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl Serialize for IkeSpi {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for EspSpi {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for MessageId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
