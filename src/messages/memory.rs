//! Words that were written before, found again by what they were made of: offers, vendor ids, labels.
//!
//! Not here: what is worth keeping ([`super::alike`]). Contract: words are found only by exactly the octets that they were
//! kept under; what is kept has a ceiling whatever passes; a slot is picked by a hash that nobody can foresee, and a
//! collision costs no more than writing the words again.

use std::hash::{BuildHasher as _, Hasher as _};

use foldhash::quality::RandomState;

/// Pairs of slots. A capture of one gateway has some dozens of different offers and vendor ids.
const PAIRS: usize = 256;
/// Octets of a key, beyond which nothing is kept.
const LONGEST_KEY: usize = 2048;
/// Octets of key and words, beyond which nothing is kept.
const LONGEST: usize = 32 << 10;
/// Octets kept in all; after that it begins anew.
const MOST: usize = 2 << 20;

/// What words were made of: fixed fields, and octets as they stood in a packet.
#[derive(Debug, Clone, Copy)]
pub(super) struct Key<'k> {
    pub(super) fields: u64,
    pub(super) octets: &'k [u8],
}

/// Words by the octets that they were made of.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Two slots for each hash, the one that was used last first; empty where nothing is to be kept.
    slots: Vec<[Slot; 2]>,
    /// In all slots.
    octets: usize,
    hash: RandomState,
}

#[derive(Debug, Clone, Default)]
struct Slot {
    fields: u64,
    key_len: usize,
    /// The key's octets, and the words behind them; empty for a slot without words.
    octets: Box<[u8]>,
    /// What the walk that kept the words found out beside them.
    well: bool,
}

impl Slot {
    fn holds(&self, key: &Key<'_>) -> bool {
        self.fields == key.fields
            && self.key_len == key.octets.len()
            && self.octets.get(..self.key_len) == Some(key.octets)
            && !self.octets.is_empty()
    }
}

impl Memory {
    /// A memory that keeps something.
    pub(super) fn new() -> Self {
        Self { slots: vec![Default::default(); PAIRS], ..Self::default() }
    }

    /// Whether it is one that keeps nothing, ever.
    #[inline]
    pub(super) fn keeps_nothing(&self) -> bool {
        self.slots.is_empty()
    }

    /// Appends the words that were kept under `key`, and says whether all was well with it.
    #[inline]
    pub(super) fn recall(&mut self, key: &Key<'_>, out: &mut Vec<u8>) -> Option<bool> {
        let at = self.slot(key)?;
        let [last, other] = self.slots.get_mut(at)?;
        if !last.holds(key) {
            if !other.holds(key) {
                return None;
            }
            std::mem::swap(last, other);
        }
        out.extend_from_slice(last.octets.get(last.key_len..)?);
        Some(last.well)
    }

    /// Keeps the words of `key`, if they are not too long, in the place of those that were not used for longer.
    pub(super) fn keep(&mut self, key: &Key<'_>, words: &[u8], well: bool) {
        let Some(at) = self.slot(key) else { return };
        let more = key.octets.len().saturating_add(words.len());
        if more > LONGEST || more == 0 {
            return;
        }
        if self.octets.saturating_add(more) > MOST {
            self.slots.fill(Default::default());
            self.octets = 0;
        }
        let Some(pair) = self.slots.get_mut(at) else { return };
        pair.reverse();
        let [slot, _] = pair;
        self.octets = self.octets.saturating_sub(slot.octets.len()).saturating_add(more);
        let octets = [key.octets, words].concat().into();
        *slot = Slot { fields: key.fields, key_len: key.octets.len(), octets, well };
    }

    /// Where words of this key would be.
    #[inline]
    fn slot(&self, key: &Key<'_>) -> Option<usize> {
        if self.keeps_nothing() || key.octets.len() > LONGEST_KEY {
            return None;
        }
        let mut hasher = self.hash.build_hasher();
        hasher.write_u64(key.fields);
        hasher.write(key.octets);
        Some(hasher.finish() as usize % PAIRS)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recalled(memory: &mut Memory, fields: u64, octets: &[u8]) -> Option<(Vec<u8>, bool)> {
        let mut out = Vec::new();
        let well = memory.recall(&Key { fields, octets }, &mut out)?;
        Some((out, well))
    }

    #[test]
    fn words_are_found_by_exactly_what_they_were_kept_under() {
        let mut memory = Memory::new();
        memory.keep(&Key { fields: 1, octets: b"offer" }, b"words", true);
        memory.keep(&Key { fields: 2, octets: b"" }, b"label", false);
        memory.keep(&Key { fields: 3, octets: b"lawful" }, b"", true);
        assert_eq!(recalled(&mut memory, 1, b"offer"), Some((b"words".to_vec(), true)));
        assert_eq!(recalled(&mut memory, 2, b""), Some((b"label".to_vec(), false)));
        assert_eq!(recalled(&mut memory, 3, b"lawful"), Some((b"".to_vec(), true)));
        for (fields, octets) in [(2, &b"offer"[..]), (1, b"offe"), (1, b"offerw"), (1, b""), (0, b""), (0, b"offer")] {
            assert_eq!(recalled(&mut memory, fields, octets), None);
        }
        let mut none = Memory::default();
        none.keep(&Key { fields: 1, octets: b"offer" }, b"words", true);
        assert_eq!(recalled(&mut none, 1, b"offer"), None, "a memory that keeps nothing");
    }

    #[test]
    fn a_flood_of_different_octets_takes_no_more_than_the_ceiling() {
        let mut memory = Memory::new();
        let words = vec![b'w'; 20 << 10];
        for number in 0..5_000_u64 {
            let octets = number.to_be_bytes();
            memory.keep(&Key { fields: 0, octets: &octets }, &words, true);
            assert_eq!(recalled(&mut memory, 0, &octets), Some((words.clone(), true)));
            let held: usize = memory.slots.iter().flatten().map(|slot| slot.octets.len()).sum();
            assert!(held == memory.octets && held <= MOST);
        }
        memory.keep(&Key { fields: 1, octets: &vec![0; LONGEST_KEY + 1] }, b"words", true);
        memory.keep(&Key { fields: 2, octets: b"long" }, &vec![0; LONGEST], true);
        assert_eq!(recalled(&mut memory, 1, &vec![0; LONGEST_KEY + 1]), None);
        assert_eq!(recalled(&mut memory, 2, b"long"), None);
    }

    #[test]
    fn what_is_used_stays_when_something_new_comes() {
        let mut memory = Memory::new();
        let [often, new] = [b"often".as_slice(), b"new"].map(|octets| Key { fields: 0, octets });
        memory.keep(&often, b"words", true);
        for number in 0..10_000_u64 {
            assert_eq!(recalled(&mut memory, 0, b"often"), Some((b"words".to_vec(), true)));
            memory.keep(&Key { fields: number, ..new }, b"others", true);
        }
    }
}
