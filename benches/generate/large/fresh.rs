//! Octets and numbers that look random, fast, the same for the same seed: keys, nonces, ciphertext, and every choice.

use crate::support::filler::mix;

/// A number that depends on all of `parts` and on nothing else.
pub fn number(parts: &[u64]) -> u64 {
    parts.iter().fold(0x243f_6a88_85a3_08d3, |state, part| mix(state ^ part))
}

/// Whether what `number` stands for belongs to a share of the whole.
pub fn belongs(number: u64, share: f64) -> bool {
    // 53 bits are what an f64 holds
    ((number >> 11) as f64) < share * (1_u64 << 53) as f64
}

/// Fills `octets`, differently for every `seed`.
pub fn fill(octets: &mut [u8], seed: u64) {
    let mut state = seed;
    let mut words = octets.chunks_exact_mut(8);
    for word in &mut words {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        word.copy_from_slice(&mix(state).to_le_bytes());
    }
    let rest = words.into_remainder();
    let last = mix(!state).to_le_bytes();
    rest.copy_from_slice(&last[..rest.len()]);
}
