//! IKE messages in IKE fragments: IKEv1 payload 132 put together, IKEv2 SKF counted.
//!
//! Contract: bounded in sets, in octets and in depth (what was put together is never taken apart again).

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use lru::LruCache;

use crate::base::{Fault, FaultKind, FrameRef, IkeSpi, Limits, Timestamp};
use crate::isakmp::payload::{EncryptedFragment, Fragment};

use super::flow::RECORDED_TWICE;
use super::store::packed::{put, take};

/// Octets that one message in fragments may have: the most a UDP datagram could carry.
const MESSAGE_OCTETS: usize = 65_535;
/// What a fragment is reckoned to cost beside its octets: there may be many with hardly any.
const PART_COST: usize = 64;
/// Numbers of an SKF set that are followed one by one.
const SKF_NUMBERS: u16 = 1024;

/// Which set a fragment belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct SetKey {
    pub(super) source: SocketAddr,
    pub(super) destination: SocketAddr,
    pub(super) initiator_spi: IkeSpi,
    pub(super) fragment_id: u16,
    /// The capture, where it is known to be one of two points: what passes both is no part of one set.
    pub(super) point: Option<u32>,
}

/// IKEv1 fragments waiting for the rest of their message.
#[derive(Debug)]
pub(super) struct FragmentSets {
    sets: LruCache<SetKey, FragmentSet>,
    octets: usize,
    most_sets: usize,
    most_octets: usize,
    longest_wait: Duration,
}

/// One message's fragments.
#[derive(Debug)]
pub(super) struct FragmentSet {
    parts: BTreeMap<u8, Box<[u8]>>,
    last: Option<u8>,
    octets: usize,
    /// Octets that were on the wire and not captured, and the first that says so.
    uncaptured: u32,
    pub(super) cut: Option<Fault>,
    /// A non-ESP marker stood in front of the first one that came.
    pub(super) non_esp_marker: bool,
    pub(super) first_frame: FrameRef,
    pub(super) since: Timestamp,
    /// When the lowest of its fragments came again, the first few times.
    pub(super) again: Vec<(FrameRef, Timestamp)>,
}

/// Times that are kept of those.
const AGAIN: usize = 16;

impl FragmentSet {
    /// What it is reckoned to take of the octets that may be held.
    fn cost(&self) -> usize {
        self.octets + (self.parts.len() + self.again.len()) * PART_COST
    }

    /// Octets of the message in the fragments that are there.
    pub(super) fn length(&self) -> u32 {
        u32::try_from(self.octets).unwrap_or(u32::MAX).saturating_add(self.uncaptured)
    }

    /// Fragments that are there.
    pub(super) fn count(&self) -> u16 {
        u16::try_from(self.parts.len()).unwrap_or(u16::MAX)
    }

    /// Lowest number that is not there, and how many there should be.
    pub(super) fn missing(&self) -> Option<(u16, Option<u16>)> {
        let lowest = (1..=u8::MAX).find(|number| !self.parts.contains_key(number))?;
        match self.last {
            Some(last) if lowest > last => None,
            last => Some((u16::from(lowest), last.map(u16::from))),
        }
    }
}

/// What became of a fragment.
pub(super) enum Added {
    /// The set waits for more.
    Waiting,
    /// The message is whole: its octets, and how many fragments it came in.
    Whole { octets: Vec<u8>, fragments: u16 },
    /// All fragments are there, and the capture cut off what they hold.
    Cut(FragmentSet),
}

impl FragmentSets {
    pub(super) fn new(limits: &Limits) -> Self {
        Self {
            sets: LruCache::unbounded(),
            octets: 0,
            most_sets: limits.reassemblies.max(1),
            most_octets: limits.reassembly_octets,
            longest_wait: limits.reassembly_time,
        }
    }

    /// Adds a fragment, and why its data end early if they do; the first copy of a number wins. Sets pushed out for room are
    /// answered too.
    pub(super) fn add(
        &mut self,
        key: SetKey,
        (fragment, cut): (&Fragment<'_>, Option<Fault>),
        non_esp_marker: bool,
        (frame, at): (FrameRef, Timestamp),
    ) -> (Added, Vec<(SetKey, FragmentSet)>) {
        let mut given_up = Vec::new();
        let set = self.sets.get_or_insert_mut(key, || FragmentSet {
            parts: BTreeMap::new(),
            last: None,
            octets: 0,
            uncaptured: 0,
            cut: None,
            non_esp_marker,
            first_frame: frame,
            since: at,
            again: Vec::new(),
        });
        let last = set.again.last().map_or(set.since, |&(_, at)| at);
        let is_lowest = set.parts.first_key_value().is_some_and(|(lowest, _)| *lowest == fragment.number);
        // what a mirror port records again was not sent again
        if is_lowest && at.since(last) >= RECORDED_TWICE && set.again.len() < AGAIN {
            set.again.push((frame, at));
            self.octets += PART_COST;
        }
        if !set.parts.contains_key(&fragment.number) && set.octets + fragment.data.len() <= MESSAGE_OCTETS {
            set.octets += fragment.data.len();
            self.octets += fragment.data.len() + PART_COST;
            set.parts.insert(fragment.number, fragment.data.into());
            if let Some(Fault { kind: FaultKind::NotCaptured { missing }, .. }) = cut {
                set.uncaptured = set.uncaptured.saturating_add(missing);
                set.cut = set.cut.or(cut);
            }
        }
        if fragment.flags & 1 != 0 {
            set.last = Some(set.last.map_or(fragment.number, |last| last.max(fragment.number)));
        }
        let whole = set.last.is_some_and(|last| last > 0 && (1..=last).all(|number| set.parts.contains_key(&number)));
        if whole && let Some(set) = self.sets.pop(&key) {
            self.octets -= set.cost();
            if set.cut.is_some() {
                return (Added::Cut(set), given_up);
            }
            let last = set.last.unwrap_or(u8::MAX);
            let octets = set.parts.range(1..=last).flat_map(|(_, part)| part.iter().copied()).collect();
            return (Added::Whole { octets, fragments: u16::from(last) }, given_up);
        }
        while self.sets.len() > self.most_sets || self.octets > self.most_octets {
            let Some((key, set)) = self.sets.pop_lru() else { break };
            self.octets -= set.cost();
            given_up.push((key, set));
        }
        (Added::Waiting, given_up)
    }

    /// Whether no set waits.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// Gives up the sets that have waited too long by `at`.
    pub(super) fn expire(&mut self, at: Timestamp) -> Vec<(SetKey, FragmentSet)> {
        let mut given_up = Vec::new();
        while let Some((_, set)) = self.sets.peek_lru() {
            if at.since(set.since) <= self.longest_wait {
                break;
            }
            if let Some((key, set)) = self.sets.pop_lru() {
                self.octets -= set.cost();
                given_up.push((key, set));
            }
        }
        given_up
    }

    /// Gives up all of them.
    pub(super) fn drain(&mut self) -> Vec<(SetKey, FragmentSet)> {
        self.octets = 0;
        let mut given_up = Vec::new();
        while let Some(entry) = self.sets.pop_lru() {
            given_up.push(entry);
        }
        given_up
    }
}

/// Which SKF fragments of one message were seen (RFC 7383 §2.5: numbers are in clear).
#[derive(Debug, Clone)]
pub(super) struct SkfSet {
    total: u16,
    seen: Box<[u64]>,
    count: u16,
}

/// What one more SKF fragment means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SkfStep {
    /// A number not seen before.
    New,
    /// The message begins again: the lowest number that was seen comes once more, or it was split into another total.
    Again {
        /// Split into another number of fragments than before.
        changed: bool,
    },
    /// Another number of a repeat.
    Repeat,
}

impl SkfSet {
    pub(super) fn new(fragment: &EncryptedFragment<'_>) -> Self {
        let total = fragment.total.min(SKF_NUMBERS);
        let mut set = Self { total: fragment.total, seen: vec![0; usize::from(total).div_ceil(64)].into(), count: 0 };
        set.mark(fragment.number);
        set
    }

    /// Adds a fragment.
    pub(super) fn add(&mut self, fragment: &EncryptedFragment<'_>) -> SkfStep {
        if fragment.total != self.total {
            // RFC 7383 §2.5.1: a sender that retries with smaller fragments raises the total.
            if fragment.total > self.total {
                *self = Self::new(fragment);
                return SkfStep::Again { changed: true };
            }
            return SkfStep::Repeat;
        }
        if self.mark(fragment.number) {
            SkfStep::New
        } else if self.lowest() == Some(fragment.number) {
            SkfStep::Again { changed: false }
        } else {
            SkfStep::Repeat
        }
    }

    /// Writes a set, or that there is none.
    pub(super) fn write(set: Option<&Self>, octets: &mut Vec<u8>) {
        put(octets, set.map_or(0, |set| u64::from(set.total) + 1));
        for word in set.iter().flat_map(|set| &*set.seen) {
            put(octets, *word);
        }
    }

    /// Reads what [`SkfSet::write`] wrote.
    pub(super) fn read(octets: &mut &[u8]) -> Option<Self> {
        let total = u16::try_from(take(octets).checked_sub(1)?).ok()?;
        let words = usize::from(total.min(SKF_NUMBERS)).div_ceil(64);
        let seen: Box<[u64]> = (0..words).map(|_| take(octets)).collect();
        let count = seen.iter().map(|word| word.count_ones()).sum::<u32>();
        Some(Self { total, seen, count: u16::try_from(count).unwrap_or(u16::MAX) })
    }

    pub(super) fn count(&self) -> u16 {
        self.count
    }

    /// Lowest number not seen, and the total.
    pub(super) fn missing(&self) -> Option<(u16, Option<u16>)> {
        if self.total == 0 {
            // a message in no fragments at all is never whole
            return Some((1, None));
        }
        (1..=self.total.min(SKF_NUMBERS))
            .find(|&number| !self.is_marked(number))
            .map(|lowest| (lowest, Some(self.total)))
    }

    /// Lowest number seen.
    fn lowest(&self) -> Option<u16> {
        let (word, bits) = self.seen.iter().enumerate().find(|(_, bits)| **bits != 0)?;
        u16::try_from(word * 64 + bits.trailing_zeros() as usize + 1).ok()
    }

    /// Whether `number` was new.
    fn mark(&mut self, number: u16) -> bool {
        let Some(index) = number.checked_sub(1).filter(|_| number <= self.total) else { return false };
        let Some(word) = self.seen.get_mut(usize::from(index) / 64) else { return false };
        let bit = 1 << (index % 64);
        let new = *word & bit == 0;
        *word |= bit;
        self.count += u16::from(new);
        new
    }

    fn is_marked(&self, number: u16) -> bool {
        let index = number.wrapping_sub(1);
        self.seen.get(usize::from(index) / 64).is_some_and(|word| word & (1 << (index % 64)) != 0)
    }
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn key(number: u16) -> SetKey {
        let end = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 500);
        SetKey { source: end, destination: end, initiator_spi: IkeSpi(7), fragment_id: number, point: None }
    }

    #[test]
    fn fragments_without_octets_are_not_held_for_nothing() {
        let limits = Limits { reassembly_octets: 10_000, ..Limits::default() };
        let mut sets = FragmentSets::new(&limits);
        let mut given_up = 0;
        for number in 0..500 {
            for part in 1..=200 {
                let fragment = Fragment { fragment_id: number, number: part, flags: 0, data: &[] };
                let (_, pushed_out) =
                    sets.add(key(number), (&fragment, None), false, (FrameRef::new(0, 1), Timestamp::default()));
                given_up += pushed_out.len();
                let held: usize = sets.sets.iter().map(|(_, set)| set.cost()).sum();
                assert_eq!(sets.octets, held, "what is held is what is counted");
                assert!(held <= 10_000, "{held} octets are held");
            }
        }
        assert!(given_up > 0 && sets.sets.len() < 500);
    }
}
