//! What many messages and attempts have in common, kept once: lists of payloads, offers, vendor ids.
//!
//! Not here: what belongs to one negotiation only. Contract: equal content is one allocation as far as there is room, and
//! what nobody holds any more is let go.

use std::borrow::Borrow;
use std::hash::Hash;
use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use crate::isakmp::payload::{Body, SecurityAssociation};
use crate::isakmp::{Payload, registry};

use crate::track::facts::{AttributeFact, PayloadDetail, PayloadFact, ProposalFact};
use crate::track::{nat, offer};

/// Octets that the contents of one kind may take, about, to be found again; what there is no room for is kept by those who
/// hold it.
const ROOM: usize = 4 << 20;
/// Lists that are remembered by the one they continue, and of each continuation as many as these.
const LISTS: usize = 1024;
const MORE_IDS: usize = 4;
/// Vendor ids longer than this are looked up anew each time.
const LONGEST_ID: usize = 64;
/// Octets that a proposal takes in memory, for each on the wire.
const OFFER_GROWS: usize = 10;
/// SA payloads longer than this are read anew each time.
const LONGEST_SA: usize = 2048;

/// Vendor ids of one side.
type VendorIds = Arc<[Box<[u8]>]>;

/// Offers by the octets of the SA payload.
type Offers = HashMap<Box<[u8]>, Offer>;

#[derive(Debug)]
struct Offer {
    proposals: Arc<[ProposalFact]>,
    /// Nothing in it contradicts itself.
    sound: bool,
}

/// Everything that is kept once.
#[derive(Debug, Default)]
pub(in crate::track) struct Shared {
    payloads: Pool<[PayloadFact]>,
    vendor_ids: Pool<[Box<[u8]>]>,
    /// Lists by the one that they continue, and the length of what they add.
    more_ids: HashMap<(usize, usize), Vec<VendorIds>>,
    nat_traversal: HashMap<Box<[u8]>, bool>,
    /// Of IKEv1 and of IKEv2.
    offers: [Offers; 2],
    choices: Pool<ProposalFact>,
    sweeps: [Sweep; 2],
    pub(in crate::track) nat_checks: nat::Checks,
    /// Room for a list that is being made.
    pub(in crate::track) scratch: Vec<PayloadFact>,
    /// Octets, about, of what was handed out and is not kept here: who asked holds them alone.
    alone: usize,
}

impl Shared {
    /// Octets, about, that were handed out since this was last asked, to be held by who asked for them alone.
    pub(in crate::track) fn take_alone(&mut self) -> usize {
        std::mem::take(&mut self.alone)
    }

    /// A list of payloads.
    pub(in crate::track) fn payloads(&mut self, list: &[PayloadFact]) -> Arc<[PayloadFact]> {
        self.payloads.share(list, &mut self.alone)
    }

    /// The vendor ids of one side: those it had, and one more.
    pub(in crate::track) fn vendor_ids(&mut self, had: &Arc<[Box<[u8]>]>, data: &[u8]) -> Arc<[Box<[u8]>]> {
        let key = (Arc::as_ptr(had).addr(), data.len());
        let more = self.more_ids.entry(key).or_default();
        let is =
            |list: &&Arc<[Box<[u8]>]>| list.split_last().is_some_and(|(last, rest)| **last == *data && *rest == **had);
        if let Some(list) = more.iter().find(is) {
            return Arc::clone(list);
        }
        let list: Vec<Box<[u8]>> = had.iter().cloned().chain([data.into()]).collect();
        let list = self.vendor_ids.share(&list, &mut self.alone);
        if more.len() < MORE_IDS && data.len() <= LONGEST_ID {
            more.push(Arc::clone(&list));
        }
        if self.more_ids.len() > LISTS {
            self.more_ids.clear();
        }
        list
    }

    /// Whether a vendor id announces NAT traversal.
    pub(in crate::track) fn announces_nat_traversal(&mut self, data: &[u8]) -> bool {
        if let Some(&known) = self.nat_traversal.get(data) {
            return known;
        }
        let announces = registry::vendor_id(data).is_some_and(|known| known.family == "nat-t");
        if self.nat_traversal.len() < LISTS && data.len() <= LONGEST_ID {
            self.nat_traversal.insert(data.into(), announces);
        }
        announces
    }

    /// Whether the body of a payload is known to be free of lies: an offer that was read before.
    pub(in crate::track) fn is_sound(&self, major: u8, payload: &Payload<'_>) -> bool {
        matches!(payload.body, Body::SecurityAssociation(_))
            && usize::from(payload.length) == payload.octets.len() + 4
            && self.offers[usize::from(major == 2)].get(payload.octets).is_some_and(|offer| offer.sound)
    }

    /// The proposals of an SA payload, of which `octets` is all behind its generic header.
    pub(in crate::track) fn offer(
        &mut self,
        major: u8,
        octets: &[u8],
        sa: &SecurityAssociation<'_>,
    ) -> Arc<[ProposalFact]> {
        let (known, sweep) = (&mut self.offers[usize::from(major == 2)], &mut self.sweeps[usize::from(major == 2)]);
        if let Some(offer) = known.get(octets) {
            return Arc::clone(&offer.proposals);
        }
        let proposals: Arc<[ProposalFact]> = offer::proposals(sa).into();
        let weight = |octets: &[u8]| octets.len() * OFFER_GROWS;
        if octets.len() > LONGEST_SA {
            self.alone += weight(octets);
            return proposals;
        }
        if sweep.is_due(weight(octets), known.len(), ROOM) {
            known.retain(|_, offer| Arc::strong_count(&offer.proposals) > 1);
            sweep.held = known.keys().map(|octets| weight(octets)).sum();
        }
        if sweep.admits(weight(octets), ROOM) {
            let sound = sa.fault().is_none();
            known.insert(octets.into(), Offer { proposals: Arc::clone(&proposals), sound });
        } else {
            self.alone += weight(octets);
        }
        proposals
    }

    /// A choice out of an offer.
    pub(in crate::track) fn choice(&mut self, choice: &ProposalFact) -> Arc<ProposalFact> {
        self.choices.share(choice, &mut self.alone)
    }
}

/// Contents of one kind.
#[derive(Debug)]
struct Pool<T: ?Sized> {
    known: HashSet<Arc<T>>,
    sweep: Sweep,
}

/// How full a pool is, and when it is looked through for what nobody holds any more: once in as many misses as it has
/// entries, so that the work stays even when everything is held.
#[derive(Debug, Default)]
pub(in crate::track) struct Sweep {
    /// Octets in the pool, about.
    pub(in crate::track) held: usize,
    misses: usize,
}

impl Sweep {
    /// Counts a miss, in a pool of `entries` and with `room`.
    pub(in crate::track) fn is_due(&mut self, weight: usize, entries: usize, room: usize) -> bool {
        if self.held + weight <= room {
            return false;
        }
        self.misses += 1;
        let due = self.misses > entries;
        if due {
            self.misses = 0;
        }
        due
    }

    /// Whether there is room for one more, which is taken then.
    pub(in crate::track) fn admits(&mut self, weight: usize, room: usize) -> bool {
        let admitted = self.held + weight <= room;
        self.held += if admitted { weight } else { 0 };
        admitted
    }
}

impl<T: ?Sized> Default for Pool<T> {
    fn default() -> Self {
        Self { known: HashSet::default(), sweep: Sweep::default() }
    }
}

impl<T: ?Sized + Eq + Hash> Pool<T> {
    /// The one allocation that holds what `value` holds.
    fn share(&mut self, value: &T, alone: &mut usize) -> Arc<T>
    where
        Arc<T>: Borrow<T>,
        T: ToShared,
    {
        if let Some(known) = self.known.get(value) {
            return Arc::clone(known);
        }
        let new = value.to_shared();
        if self.sweep.is_due(new.weight(), self.known.len(), ROOM) {
            self.known.retain(|known| Arc::strong_count(known) > 1);
            self.sweep.held = self.known.iter().map(|known| known.weight()).sum();
        }
        if self.sweep.admits(new.weight(), ROOM) {
            self.known.insert(Arc::clone(&new));
        } else {
            *alone += new.weight();
        }
        new
    }
}

/// What can be copied into an allocation of its own.
trait ToShared {
    /// A copy of it.
    fn to_shared(&self) -> Arc<Self>;
    /// Octets that it takes, about.
    fn weight(&self) -> usize;
}

impl ToShared for [PayloadFact] {
    fn to_shared(&self) -> Arc<Self> {
        self.into()
    }

    fn weight(&self) -> usize {
        let data = self.iter().map(|payload| match &payload.detail {
            PayloadDetail::Notify { data, .. } | PayloadDetail::Identification { data, .. } => data.len(),
            _ => 0,
        });
        size_of_val(self) + data.sum::<usize>()
    }
}

impl ToShared for [Box<[u8]>] {
    fn to_shared(&self) -> Arc<Self> {
        self.into()
    }

    fn weight(&self) -> usize {
        size_of_val(self) + self.iter().map(|data| data.len() + 16).sum::<usize>()
    }
}

impl ToShared for ProposalFact {
    fn to_shared(&self) -> Arc<Self> {
        Arc::new(self.clone())
    }

    fn weight(&self) -> usize {
        let attributes = self.transforms.iter().map(|transform| transform.attributes.len()).sum::<usize>();
        size_of_val(self) + size_of_val(&*self.transforms) + attributes * size_of::<AttributeFact>()
    }
}
