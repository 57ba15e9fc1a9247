//! What the length of an encrypted message says: the negotiated suite is in clear, so the length of the plaintext is
//! known to within its padding.

use crate::track::{Attempt, IkeVersion};

/// Octets around an IKEv2 ciphertext (RFC 7296 §3.14, RFC 5282).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Suite {
    iv: u32,
    block: u32,
    icv: u32,
}

/// Transform types and attribute (RFC 7296 §3.3.2).
const ENCR: u8 = 1;
const INTEG: u8 = 3;

impl Suite {
    /// Of the proposal that the responder chose; `None` if it was not seen or its algorithms have no fixed sizes here.
    pub(super) fn chosen(attempt: &Attempt) -> Option<Self> {
        if attempt.version != IkeVersion::V2 {
            return None;
        }
        let transforms = &attempt.chosen.as_ref()?.transforms;
        let id = |transform_type| {
            transforms
                .iter()
                .find(|transform| transform.transform_type == transform_type)
                .map(|transform| transform.transform_id)
        };
        let (iv, block, aead) = match id(ENCR)? {
            3 | 6 | 7 => (8, 8, None),
            12 | 23 => (16, 16, None),
            13 | 24 => (8, 1, None),
            14 | 18 | 25 => (8, 1, Some(8)),
            15 | 19 | 26 => (8, 1, Some(12)),
            16 | 20 | 27 | 28 => (8, 1, Some(16)),
            _ => return None,
        };
        let icv = match aead {
            Some(icv) => icv,
            None => match id(INTEG)? {
                1 | 2 | 5 => 12,
                12 => 16,
                13 => 24,
                14 => 32,
                _ => return None,
            },
        };
        Some(Self { iv, block, icv })
    }

    /// Least and most octets of plaintext in a message of `length` octets that holds one SK payload and nothing else.
    pub(super) fn plain(&self, length: u32) -> Option<(u32, u32)> {
        let ciphertext = length.checked_sub(28 + 4 + self.iv + self.icv)?;
        // One pad-length octet always, and up to a block of padding; counter modes may align to four.
        let most = ciphertext.checked_sub(1)?;
        let least = ciphertext.saturating_sub(self.block.max(4));
        Some((least, most))
    }
}
