//! Finding pairs, attempts and flows by what a datagram says of them, in a few octets an entry: the tables hold places,
//! and what is looked for is compared where it stands.
//!
//! Contract: hashes are keyed anew for each tracker, so that nobody can choose addresses or SPIs that collide.

use std::hash::{BuildHasher, Hash};
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashTable};

use crate::base::IkeSpi;

use super::ends::in_short;
use super::pairs::Pairs;
use crate::track::facts::IkeVersion;
use crate::track::flow::{FlowKey, FlowRow};

/// An unordered pair of addresses.
pub(in crate::track) type Ends = (IpAddr, IpAddr);

/// The key of what travels between two addresses, in either direction.
pub(in crate::track) fn ends(one: IpAddr, other: IpAddr) -> Ends {
    if one <= other { (one, other) } else { (other, one) }
}

/// A hash of such a pair.
fn hash_of(hasher: &RandomState, (one, other): Ends) -> u64 {
    hasher.hash_one(in_short(hasher, &one, &other))
}

/// Pairs by their addresses.
#[derive(Debug, Default)]
pub(in crate::track) struct PairIndex {
    hasher: RandomState,
    by_ends: HashTable<u32>,
    /// Other addresses that a pair moved to.
    moved: HashMap<Ends, u32, RandomState>,
}

impl PairIndex {
    pub(in crate::track) fn find(&self, pairs: &Pairs, one: IpAddr, other: IpAddr) -> Option<usize> {
        let key = ends(one, other);
        let hash = hash_of(&self.hasher, key);
        let here = |&place: &u32| pairs.ends(place as usize).is_some_and(|(a, b)| ends(a, b) == key);
        let found = self.by_ends.find(hash, here).copied();
        found
            .or_else(|| if self.moved.is_empty() { None } else { self.moved.get(&key).copied() })
            .map(|place| place as usize)
    }

    /// Enters a pair under its own addresses.
    pub(in crate::track) fn insert(&mut self, pairs: &Pairs, pair: usize) {
        let Self { hasher, by_ends, .. } = self;
        let hash =
            |&place: &u32| hash_of(hasher, pairs.ends(place as usize).map(|(a, b)| ends(a, b)).unwrap_or(NOBODY));
        by_ends.insert_unique(hash(&(pair as u32)), pair as u32, hash);
    }

    /// Enters a pair under addresses that it moved to, instead of who was there.
    pub(in crate::track) fn rename(&mut self, pairs: &Pairs, key: Ends, pair: usize) {
        self.take_out(pairs, key);
        self.moved.insert(key, pair as u32);
    }

    /// Takes a pair out, under all of its addresses.
    pub(in crate::track) fn remove(&mut self, pairs: &Pairs, pair: usize) {
        if let Some((a, b)) = pairs.ends(pair) {
            let key = ends(a, b);
            let hash = hash_of(&self.hasher, key);
            if let Ok(entry) = self.by_ends.find_entry(hash, |&place| place as usize == pair) {
                entry.remove();
            }
        }
        if !self.moved.is_empty() {
            self.moved.retain(|_, place| *place as usize != pair);
        }
    }

    fn take_out(&mut self, pairs: &Pairs, key: Ends) {
        let hash = hash_of(&self.hasher, key);
        let here = |&place: &u32| pairs.ends(place as usize).is_some_and(|(a, b)| ends(a, b) == key);
        if let Ok(entry) = self.by_ends.find_entry(hash, here) {
            entry.remove();
        }
    }
}

const NOBODY: Ends = (IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED), IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED));

/// What attempts are found by.
pub(in crate::track) trait SpiKey: Hash + Eq {
    /// The key of attempt `attempt` of pair `pair`.
    fn of(pairs: &Pairs, pair: usize, attempt: usize) -> Option<Self>
    where
        Self: Sized;
}

/// Attempts of a pair by the SPI that their initiator chose.
type InPair = (u32, IkeVersion, IkeSpi);

impl SpiKey for InPair {
    fn of(pairs: &Pairs, pair: usize, attempt: usize) -> Option<Self> {
        let (version, initiator_spi, _) = pairs.spis(pair, attempt)?;
        Some((pair as u32, version, initiator_spi))
    }
}

/// Attempts of all pairs by both SPIs.
pub(in crate::track) type BothSpis = (IkeVersion, IkeSpi, IkeSpi);

impl SpiKey for BothSpis {
    fn of(pairs: &Pairs, pair: usize, attempt: usize) -> Option<Self> {
        pairs.spis(pair, attempt)
    }
}

/// Attempts by a key of theirs.
#[derive(Debug)]
pub(in crate::track) struct AttemptIndex<K> {
    hasher: RandomState,
    places: HashTable<(u32, u32)>,
    key: std::marker::PhantomData<K>,
}

impl<K> Default for AttemptIndex<K> {
    fn default() -> Self {
        Self { hasher: RandomState::default(), places: HashTable::new(), key: std::marker::PhantomData }
    }
}

impl<K: SpiKey> AttemptIndex<K> {
    fn look_up(&self, pairs: &Pairs, key: &K) -> Option<(usize, usize)> {
        let here = |&(pair, attempt): &(u32, u32)| K::of(pairs, pair as usize, attempt as usize).as_ref() == Some(key);
        let (pair, attempt) = *self.places.find(self.hasher.hash_one(key), here)?;
        Some((pair as usize, attempt as usize))
    }

    /// Enters an attempt, unless its key is there already.
    pub(in crate::track) fn insert(&mut self, pairs: &Pairs, pair: usize, attempt: usize) {
        let Some(key) = K::of(pairs, pair, attempt) else { return };
        if self.look_up(pairs, &key).is_some() {
            return;
        }
        let Self { hasher, places, .. } = self;
        let hash = |&(pair, attempt): &(u32, u32)| {
            K::of(pairs, pair as usize, attempt as usize).map_or(0, |key| hasher.hash_one(key))
        };
        places.insert_unique(hasher.hash_one(&key), (pair as u32, attempt as u32), hash);
    }

    /// Takes an attempt out.
    pub(in crate::track) fn remove(&mut self, pairs: &Pairs, pair: usize, attempt: usize) {
        let Some(key) = K::of(pairs, pair, attempt) else { return };
        let hash = self.hasher.hash_one(key);
        if let Ok(entry) = self.places.find_entry(hash, |&place| place == (pair as u32, attempt as u32)) {
            entry.remove();
        }
    }
}

impl AttemptIndex<InPair> {
    pub(in crate::track) fn find(
        &self,
        pairs: &Pairs,
        pair: usize,
        version: IkeVersion,
        initiator_spi: IkeSpi,
    ) -> Option<usize> {
        self.look_up(pairs, &(pair as u32, version, initiator_spi)).map(|(_, attempt)| attempt)
    }
}

impl AttemptIndex<BothSpis> {
    pub(in crate::track) fn find(&self, pairs: &Pairs, spis: BothSpis) -> Option<(usize, usize)> {
        self.look_up(pairs, &spis)
    }
}

/// Attempts of a pair by the SPI that their initiator chose.
pub(in crate::track) type AttemptsOfPair = AttemptIndex<InPair>;
/// Attempts of all pairs by both SPIs.
pub(in crate::track) type AttemptsBySpis = AttemptIndex<BothSpis>;

/// Flows by addresses, SPI and how they travel.
#[derive(Debug, Default)]
pub(in crate::track) struct FlowIndex {
    hasher: RandomState,
    places: HashTable<u32>,
    /// Where flows were found last, by SPI, two a place: saves looking for what was looked for a moment ago.
    near: Vec<[Near; 2]>,
}

/// A flow that was found, by its SPI.
#[derive(Debug, Clone, Copy)]
struct Near {
    spi: u32,
    place: u32,
}

/// Places for flows that were found last: far less than there may be flows, and what the second cache holds without pain.
const NEAR: usize = 1 << 12;
const NOWHERE: Near = Near { spi: 0, place: u32::MAX };

impl FlowIndex {
    /// The flow with this key, and its place.
    #[inline(always)]
    pub(in crate::track) fn find<'f>(&mut self, flows: &'f [FlowRow], key: &FlowKey) -> Option<(usize, &'f FlowRow)> {
        for near in self.near.get(slot(key))? {
            if near.spi == key.spi.0
                && let Some(row) = flows.get(near.place as usize)
                && row.key() == key
            {
                return Some((near.place as usize, row));
            }
        }
        self.look_up(flows, *key)
    }

    /// The key comes by value so that it need not lie in memory where the flow is found before.
    #[inline(never)]
    fn look_up<'f>(&mut self, flows: &'f [FlowRow], key: FlowKey) -> Option<(usize, &'f FlowRow)> {
        let here = |&place: &u32| flows.get(place as usize).is_some_and(|row| *row.key() == key);
        let place = *self.places.find(self.hasher.hash_one(key), here)?;
        if let Some([first, second]) = self.near.get_mut(slot(&key)) {
            *second = std::mem::replace(first, Near { spi: key.spi.0, place });
        }
        Some((place as usize, flows.get(place as usize)?))
    }

    pub(in crate::track) fn insert(&mut self, flows: &[FlowRow], flow: usize) {
        let Self { hasher, places, near } = self;
        if near.is_empty() {
            near.resize(NEAR, [NOWHERE; 2]);
        }
        let hash = |&place: &u32| flows.get(place as usize).map_or(0, |row| hasher.hash_one(row.key()));
        places.insert_unique(hash(&(flow as u32)), flow as u32, hash);
    }

    /// Takes a flow out, which is then to forget its key.
    pub(in crate::track) fn remove(&mut self, flows: &[FlowRow], flow: usize) {
        let Some(row) = flows.get(flow) else { return };
        if let Ok(entry) = self.places.find_entry(self.hasher.hash_one(row.key()), |&place| place as usize == flow) {
            entry.remove();
        }
    }

    /// How many there are.
    #[inline]
    pub(in crate::track) fn len(&self) -> usize {
        self.places.len()
    }
}

/// Where a flow is remembered as found. Whoever chooses SPIs that share a place only gains that each is looked for.
#[inline]
fn slot(key: &FlowKey) -> usize {
    (key.spi.0.wrapping_mul(0x9e37_79b1) >> 20) as usize
}

const _: () = assert!(NEAR == 1 << (32 - 20));
