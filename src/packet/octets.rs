//! Numbers in network byte order, read at an offset that may lie outside.

/// The octet at `at`.
#[inline(always)]
pub(super) fn be8(octets: &[u8], at: usize) -> Option<u8> {
    octets.get(at).copied()
}

/// The two octets at `at`.
#[inline(always)]
pub(super) fn be16(octets: &[u8], at: usize) -> Option<u16> {
    octets.get(at..)?.first_chunk().map(|chunk| u16::from_be_bytes(*chunk))
}

/// The four octets at `at`.
#[inline(always)]
pub(super) fn be32(octets: &[u8], at: usize) -> Option<u32> {
    octets.get(at..)?.first_chunk().map(|chunk| u32::from_be_bytes(*chunk))
}

/// How many there are; a frame never has more than four gigabytes.
#[inline(always)]
pub(super) fn count(octets: &[u8]) -> u32 {
    u32::try_from(octets.len()).unwrap_or(u32::MAX)
}

/// The first `most` of them, or as many as there are.
#[inline(always)]
pub(super) fn up_to(octets: &[u8], most: u32) -> &[u8] {
    octets.get(..most as usize).unwrap_or(octets)
}
