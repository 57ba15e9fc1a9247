//! What many messages and attempts have in common, kept once: lists of payloads, offers, vendor ids.
//!
//! Not here: what belongs to one negotiation only. Contract: equal content is one allocation as far as there is room, and
//! what nobody holds any more is let go.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::isakmp::payload::SecurityAssociation;

use super::facts::{PayloadFact, ProposalFact};
use super::offer;

/// Contents of one kind that are kept for finding them again.
const MOST: usize = 1 << 14;
/// SA payloads longer than this are read anew each time.
const LONGEST_SA: usize = 2048;

/// Offers by the octets of the SA payload.
type Offers = HashMap<Box<[u8]>, Arc<[ProposalFact]>>;

/// Everything that is kept once.
#[derive(Debug, Default)]
pub(super) struct Shared {
    payloads: Pool<[PayloadFact]>,
    vendor_ids: Pool<[Box<[u8]>]>,
    /// Of IKEv1 and of IKEv2.
    offers: [Offers; 2],
    choices: Pool<ProposalFact>,
    sweep: Sweep,
}

impl Shared {
    /// A list of payloads.
    pub(super) fn payloads(&mut self, list: &[PayloadFact]) -> Arc<[PayloadFact]> {
        self.payloads.share(list)
    }

    /// The vendor ids of one side.
    pub(super) fn vendor_ids(&mut self, list: &[Box<[u8]>]) -> Arc<[Box<[u8]>]> {
        self.vendor_ids.share(list)
    }

    /// The proposals of an SA payload, of which `octets` is all behind its generic header.
    pub(super) fn offer(&mut self, major: u8, octets: &[u8], sa: &SecurityAssociation<'_>) -> Arc<[ProposalFact]> {
        let known = &mut self.offers[usize::from(major == 2)];
        if let Some(offer) = known.get(octets) {
            return Arc::clone(offer);
        }
        let offer: Arc<[ProposalFact]> = offer::proposals(sa).into();
        if octets.len() <= LONGEST_SA {
            if self.sweep.is_due(known.len(), MOST) {
                known.retain(|_, offer| Arc::strong_count(offer) > 1);
            }
            if known.len() < MOST {
                known.insert(octets.into(), Arc::clone(&offer));
            }
        }
        offer
    }

    /// A choice out of an offer.
    pub(super) fn choice(&mut self, choice: &ProposalFact) -> Arc<ProposalFact> {
        self.choices.share(choice)
    }
}

/// Contents of one kind.
#[derive(Debug)]
struct Pool<T: ?Sized> {
    known: HashSet<Arc<T>>,
    sweep: Sweep,
}

/// When a full pool is looked through for what nobody holds any more: once in as many misses as it has room for, so that
/// the work stays even when everything is held.
#[derive(Debug, Default)]
pub(super) struct Sweep {
    misses: usize,
}

impl Sweep {
    /// Counts a miss in a pool that holds `known` of at most `most`.
    pub(super) fn is_due(&mut self, known: usize, most: usize) -> bool {
        self.misses += 1;
        let due = known >= most && self.misses >= most;
        if due {
            self.misses = 0;
        }
        due
    }
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self { known: HashSet::default(), sweep: Sweep::default() }
    }
}

impl<T: ?Sized + Eq + Hash> Pool<T> {
    /// The one allocation that holds what `value` holds.
    fn share(&mut self, value: &T) -> Arc<T>
    where
        Arc<T>: Borrow<T>,
        T: ToShared,
    {
        if let Some(known) = self.known.get(value) {
            return Arc::clone(known);
        }
        let new = value.to_shared();
        if self.sweep.is_due(self.known.len(), MOST) {
            self.known.retain(|known| Arc::strong_count(known) > 1);
        }
        if self.known.len() < MOST {
            self.known.insert(Arc::clone(&new));
        }
        new
    }
}

/// What can be copied into an allocation of its own.
trait ToShared {
    /// A copy of it.
    fn to_shared(&self) -> Arc<Self>;
}

impl<T: Clone> ToShared for [T] {
    fn to_shared(&self) -> Arc<Self> {
        self.into()
    }
}

impl ToShared for ProposalFact {
    fn to_shared(&self) -> Arc<Self> {
        Arc::new(self.clone())
    }
}
