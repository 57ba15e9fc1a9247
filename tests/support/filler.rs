//! Octets that look random and are the same on every run: what keys, nonces and ciphertext are made of here.

/// The next step of a SplitMix64 counter: one well-mixed number for every `state`.
pub fn mix(state: u64) -> u64 {
    let mut mixed = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// `length` octets, different for every `seed`.
pub fn octets(seed: u64, length: usize) -> Vec<u8> {
    (0..).flat_map(|step| mix(mix(seed) ^ step).to_be_bytes()).take(length).collect()
}

/// A source of numbers and octets that never repeats itself.
#[derive(Debug, Clone)]
pub struct Filler {
    seed: u64,
    drawn: u64,
}

impl Filler {
    /// Of a story with number `seed`.
    pub fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    fn draw(&mut self) -> u64 {
        self.drawn += 1;
        mix(self.seed).wrapping_add(self.drawn)
    }

    /// `length` octets.
    pub fn octets(&mut self, length: usize) -> Vec<u8> {
        octets(self.draw(), length)
    }

    /// A number that is not zero.
    pub fn number(&mut self) -> u64 {
        mix(self.draw()).max(1)
    }

    /// A 32-bit number above 255, fit for an ESP SPI (RFC 4303 §2.1) or an IKEv1 message id.
    pub fn short(&mut self) -> u32 {
        (self.number() >> 32) as u32 | 0x100
    }
}
