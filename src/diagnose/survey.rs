//! Questions about all pairs at once, answered once: what a check of one pair may ask about the others.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::base::IkeSpi;
use crate::track::{Facts, IkeVersion, Room};

/// What the capture as a whole shows.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// Per address: the pairs it opened in which nothing came back.
    silent: HashMap<IpAddr, usize>,
    /// Pairs that hold an attempt with this SPI, where more than one does.
    shared: HashMap<(IkeVersion, IkeSpi), Vec<usize>>,
    /// Pairs with IKE.
    with_ike: usize,
    /// Addresses that start IKE.
    initiators: HashSet<IpAddr>,
}

impl Survey {
    /// Looks over all pairs.
    pub fn of(facts: &Facts) -> Self {
        let mut survey = Self::default();
        let mut holders: HashMap<(IkeVersion, IkeSpi), usize> = HashMap::new();
        let mut room = Room::default();
        for index in 0..facts.pairs.len() {
            let Some(pair) = facts.pairs.read(index, &mut room) else { continue };
            survey.with_ike += usize::from(!pair.attempts.is_empty());
            survey.initiators.extend(pair.attempts.iter().map(|attempt| attempt.initiator.ip()));
            if !pair.both_ways() {
                *survey.silent.entry(pair.a).or_default() += 1;
            }
            for attempt in &pair.attempts {
                let key = (attempt.version, attempt.initiator_spi);
                match holders.get(&key) {
                    Some(&first) if first != index => {
                        survey.shared.entry(key).or_insert_with(|| vec![first]).push(index)
                    }
                    Some(_) => {}
                    None => {
                        holders.insert(key, index);
                    }
                }
            }
        }
        survey
    }

    /// Pairs opened by `address` in which nothing came back.
    pub fn silent_peers(&self, address: IpAddr) -> usize {
        self.silent.get(&address).copied().unwrap_or(0)
    }

    /// The pairs that share an attempt's initiator SPI, if more than one does: the same exchange between other addresses.
    pub fn pairs_with(&self, version: IkeVersion, initiator_spi: IkeSpi) -> &[usize] {
        self.shared.get(&(version, initiator_spi)).map_or(&[], Vec::as_slice)
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
    pub fn starts_ike(&self, address: IpAddr) -> bool {
        self.initiators.contains(&address)
    }
}
