//! Questions about all pairs at once, answered once: what a check of one pair may ask about the others.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use crate::base::{FrameRef, IkeSpi, Timestamp};
use crate::track::{Attempt, Facts, IkeVersion, Pair, Room};

use super::patterns::Shown;

/// Pairs, the first ones, whose addresses can be looked up: a bound on the work, far above what a responder is seen with.
const BY_ADDRESS: usize = 4096;
/// Pairs, the first ones, of which it is known whether UDP 4500 works.
const ON_4500: usize = 256;

/// What a responder showed in no more pairs than these is not remembered.
const FEW_PAIRS: usize = 8;

/// What the capture as a whole shows.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Per address: the pairs it opened in which nothing came back. Known once somebody asks.
    silent: OnceLock<HashMap<IpAddr, u32>>,
    /// Pairs that hold an attempt with this SPI, where more than one does, in order.
    shared: Vec<Holder>,
    /// Pairs with IKE.
    with_ike: usize,
    /// Addresses that start IKE. Known once somebody asks.
    initiators: OnceLock<HashSet<IpAddr>>,
    /// The first pairs by either address, in order. Known once somebody asks.
    by_address: OnceLock<Vec<(IpAddr, u32)>>,
    /// Those of the first pairs in which more than keepalives goes both ways on UDP 4500. Known once somebody asks.
    on_4500: OnceLock<Vec<usize>>,
    /// Initiators that say which gateway sent them, in order. Known once somebody asks.
    redirected: OnceLock<Vec<Redirected>>,
    /// Two captures of the run were recording at the same time.
    captures_overlap: bool,
    /// What a responder was seen to take, of those somebody asked about.
    shown: Arc<Mutex<ByResponder>>,
}

/// An initiator, when it began with a gateway, as which words name the one that sent it there, that gateway, and the frame.
pub(super) type Redirected = (IpAddr, Timestamp, String, IpAddr, FrameRef);

/// What a responder was seen to take.
type ByResponder = HashMap<(IpAddr, IkeVersion), Arc<[Shown]>>;

/// The initiator's SPI of an attempt, its version, and its pair.
type Holder = (IkeSpi, IkeVersion, u32);

impl Survey {
    /// Looks over all pairs, at what can be seen without bringing them out.
    pub fn of(facts: &Facts) -> Self {
        let mut survey = Self::default();
        let pairs = &facts.pairs;
        let mut marks = Marks::of((0..pairs.len()).map(|index| pairs.attempts(index)).sum());
        for index in 0..pairs.len() {
            let attempts = pairs.attempts(index);
            survey.with_ike += usize::from(attempts > 0);
            for (_, initiator_spi, _) in (0..attempts).filter_map(|attempt| pairs.spis(index, attempt)) {
                marks.note(initiator_spi);
            }
        }
        let again = (0..pairs.len()).zip(0_u32..).flat_map(|(index, number)| {
            let spis = (0..pairs.attempts(index)).filter_map(move |attempt| pairs.spis(index, attempt));
            spis.map(move |(version, initiator_spi, _)| (initiator_spi, version, number))
        });
        let holders = again.filter(|&(initiator_spi, ..)| marks.came_again(initiator_spi)).collect();
        let mut windows: Vec<_> = facts.recorded.iter().flatten().collect();
        windows.sort_unstable();
        survey.captures_overlap = windows.windows(2).any(|two| matches!(two, [one, next] if next.0 < one.1));
        survey.shared = shared(holders);
        survey
    }

    /// Pairs opened by `address` in which nothing came back.
    pub fn silent_peers(&self, facts: &Facts, address: IpAddr) -> usize {
        let silent = self.silent.get_or_init(|| {
            let mut silent: HashMap<IpAddr, u32> = HashMap::new();
            for_each(facts, facts.pairs.len(), |_, pair| {
                if !pair.both_ways() {
                    *silent.entry(pair.a).or_default() += 1;
                }
            });
            silent
        });
        silent.get(&address).map_or(0, |&count| index(count))
    }

    /// The pairs that share an attempt's initiator SPI, if more than one does: the same exchange between other addresses.
    pub fn pairs_with(&self, version: IkeVersion, initiator_spi: IkeSpi) -> impl Iterator<Item = usize> {
        let key = (initiator_spi, version);
        let from = self.shared.partition_point(|&(spi, version, _)| (spi, version) < key);
        let behind = self.shared.get(from..).unwrap_or_default();
        behind.iter().take_while(move |&&(spi, version, _)| (spi, version) == key).map(|&(.., pair)| index(pair))
    }

    /// Pairs that hold an SPI which another one holds, if two captures were recording at the same time; some more than once.
    pub fn shared_at_once(&self) -> impl Iterator<Item = usize> {
        let shared = if self.captures_overlap { self.shared.as_slice() } else { &[] };
        shared.iter().map(|&(.., pair)| index(pair))
    }

    /// Those of the first pairs that `address` is an end of, in order.
    pub fn pairs_of(&self, facts: &Facts, address: IpAddr) -> impl Iterator<Item = usize> {
        let by_address = self.by_address.get_or_init(|| {
            let first = (0..facts.pairs.len()).zip(0_u32..).take(BY_ADDRESS);
            let ends = first.filter_map(|(index, number)| Some((facts.pairs.ends(index)?, number)));
            let mut all: Vec<_> = ends.flat_map(|((a, b), number)| [(a, number), (b, number)]).collect();
            all.sort_unstable();
            all
        });
        let from = by_address.partition_point(|&(known, _)| known < address);
        let behind = by_address.get(from..).unwrap_or_default();
        behind.iter().take_while(move |&&(known, _)| known == address).map(|&(_, pair)| index(pair))
    }

    /// Those of the first pairs in which more than keepalives goes both ways on UDP 4500.
    pub fn working_on_4500(&self, facts: &Facts) -> &[usize] {
        self.on_4500.get_or_init(|| {
            let mut working = Vec::new();
            for_each(facts, facts.pairs.len().min(ON_4500), |index, pair| {
                if pair.sent.iter().all(|sent| sent.on_4500 > sent.keepalives) {
                    working.push(index);
                }
            });
            working
        })
    }

    /// Where an initiator says next, from `since` on, that a gateway sent it, as `look` finds it in the first pairs, which is asked once.
    pub(super) fn redirected_since(
        &self,
        facts: &Facts,
        (initiator, since): (IpAddr, Timestamp),
        look: impl Fn(&Attempt) -> Option<Redirected>,
    ) -> Option<&Redirected> {
        let all = self.redirected.get_or_init(|| {
            let mut all = Vec::new();
            for_each(facts, facts.pairs.len().min(BY_ADDRESS), |_, pair| {
                all.extend(pair.attempts.iter().filter_map(&look))
            });
            all.sort_unstable();
            all
        });
        let next = all.partition_point(|&(from, at, ..)| (from, at) < (initiator, since));
        all.get(next).filter(|(from, ..)| *from == initiator)
    }

    /// What `address` was seen to take of IKE's `version`, as `look` finds it, which is asked once.
    pub(super) fn shown(
        &self,
        facts: &Facts,
        address: IpAddr,
        version: IkeVersion,
        look: impl FnOnce() -> Vec<Shown>,
    ) -> Arc<[Shown]> {
        let mut known = self.shown.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(shown) = known.get(&(address, version)) {
            return Arc::clone(shown);
        }
        let shown: Arc<[Shown]> = look().into();
        // With few pairs it is quickly found again.
        if self.pairs_of(facts, address).nth(FEW_PAIRS).is_some() {
            known.insert((address, version), Arc::clone(&shown));
        }
        shown
    }

    /// Whether two captures of the run were recording at the same time: not the pieces of one, which follow each other.
    pub fn captures_overlap(&self) -> bool {
        self.captures_overlap
    }

    /// Whether any IKE was seen at all.
    pub fn has_ike(&self) -> bool {
        self.with_ike > 0
    }

    /// Whether one pair speaks IKE, and no other.
    pub fn is_only_pair_with_ike(&self) -> bool {
        self.with_ike == 1
    }

    /// Whether `address` starts IKE with anybody.
    pub fn starts_ike(&self, facts: &Facts, address: IpAddr) -> bool {
        let initiators = self.initiators.get_or_init(|| {
            let mut initiators = HashSet::new();
            for_each(facts, facts.pairs.len(), |_, pair| {
                initiators.extend(pair.attempts.iter().map(|attempt| attempt.initiator.ip()));
            });
            initiators
        });
        initiators.contains(&address)
    }
}

/// Looks at the first `count` pairs, one after the other.
fn for_each(facts: &Facts, count: usize, mut look: impl FnMut(usize, &Pair)) {
    let mut room = Room::default();
    for index in 0..count {
        if let Some(pair) = facts.pairs.read(index, &mut room) {
            look(index, pair);
        }
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Which SPIs may have come more than once: most did not, and need not be put in order to know.
struct Marks {
    /// A bit a place: an SPI was seen that belongs there, and one more.
    once: Vec<u64>,
    again: Vec<u64>,
}

impl Marks {
    /// Places for each of so many SPIs: with as many as these, few share one by chance.
    const PLACES: usize = 16;

    fn of(count: usize) -> Self {
        let words = count.saturating_mul(Self::PLACES).div_ceil(64).next_power_of_two();
        Self { once: vec![0; words], again: vec![0; words] }
    }

    /// Word and bit of an SPI.
    fn place(&self, spi: IkeSpi) -> (usize, u64) {
        // the upper half of a product depends on all bits
        let mixed = spi.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        ((mixed >> 32) as usize & (self.once.len() - 1), 1 << (mixed >> 26 & 63))
    }

    fn note(&mut self, spi: IkeSpi) {
        let (word, bit) = self.place(spi);
        self.again[word] |= self.once[word] & bit;
        self.once[word] |= bit;
    }

    fn came_again(&self, spi: IkeSpi) -> bool {
        let (word, bit) = self.place(spi);
        self.again[word] & bit != 0
    }
}

/// Of all holders those of an SPI that several pairs hold, each pair once.
fn shared(mut holders: Vec<Holder>) -> Vec<Holder> {
    holders.sort_unstable();
    holders.dedup();
    let same = |one: &Holder, other: &Holder| (one.0, one.1) == (other.0, other.1);
    holders.chunk_by(same).filter(|pairs| pairs.len() > 1).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_spi_is_shared_by_pairs_and_not_by_attempts() {
        let holder = |spi, pair| (IkeSpi(spi), IkeVersion::V2, pair);
        let other_version = (IkeSpi(7), IkeVersion::V1, 4);
        let all = vec![holder(7, 3), holder(5, 1), holder(7, 0), holder(5, 1), holder(7, 3), other_version];
        let survey = Survey { shared: shared(all), ..Survey::default() };
        assert_eq!(survey.pairs_with(IkeVersion::V2, IkeSpi(7)).collect::<Vec<_>>(), [0, 3]);
        assert_eq!(survey.pairs_with(IkeVersion::V2, IkeSpi(5)).count(), 0);
        assert_eq!(survey.pairs_with(IkeVersion::V1, IkeSpi(7)).count(), 0);
    }

    #[test]
    fn what_comes_again_is_marked_and_little_else() {
        let spis = || (1..=1000_u64).map(|number| IkeSpi(number << 40 | number));
        let mut marks = Marks::of(1002);
        spis().chain([IkeSpi(7 << 40 | 7), IkeSpi(9 << 40 | 9)]).for_each(|spi| marks.note(spi));
        assert!(marks.came_again(IkeSpi(7 << 40 | 7)) && marks.came_again(IkeSpi(9 << 40 | 9)));
        let by_chance = spis().filter(|&spi| marks.came_again(spi)).count();
        assert!(by_chance < 200, "{by_chance}");
        let mut none = Marks::of(0);
        none.note(IkeSpi(1));
        assert!(!none.came_again(IkeSpi(1)));
    }
}
