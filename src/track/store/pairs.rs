//! The pairs that were seen, kept small: those at work as they are, the others packed. What is asked for is brought out
//! whole, and only while it is looked at.
//!
//! Not here: what becomes of a datagram. Contract: the same index gives the same pair, however often it is asked for.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::base::{FrameRef, IkeSpi, Timestamp};
use crate::track::attempt::Followed;
use crate::track::facts::{Attempt, EspFlow, Exchange, FlowProtocol, IkeVersion, Label, Pair};
use crate::track::flow::FlowRow;
use crate::track::story::{Tally, Tellings, Told};

use super::packed::PackedAttempt;
use super::room::{AtRest, MadeFrom, Room};
use super::slot::{Body, Kept, NONE, Slot};

/// All pairs, in order of their first frame.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    pub(in crate::track) slots: Vec<Slot>,
    pub(in crate::track) flows: Vec<FlowRow>,
    pub(in crate::track) tellings: Tellings,
}

impl Pairs {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// The addresses of pair `index`: the one that sent the first datagram, and the other one.
    pub fn ends(&self, index: usize) -> Option<(IpAddr, IpAddr)> {
        self.slots.get(index).map(Slot::ends)
    }

    /// How many attempts pair `index` has.
    pub fn attempts(&self, index: usize) -> usize {
        self.slots.get(index).map_or(0, |slot| match &slot.body {
            Body::Open(open) => open.attempts.len(),
            Body::Packed(packed) => packed.attempts.len(),
            Body::Told(rows) => rows.len(),
        })
    }

    /// Version and SPIs of an attempt, the initiator's first.
    pub fn spis(&self, index: usize, attempt: usize) -> Option<(IkeVersion, IkeSpi, IkeSpi)> {
        match &self.slots.get(index)?.body {
            Body::Open(open) => Some(match open.attempts.get(attempt)? {
                Kept::Open(followed) => {
                    let facts = &followed.facts;
                    (facts.version, facts.initiator_spi, facts.responder_spi)
                }
                Kept::Packed(packed) => packed.spis(),
                Kept::Told(row) => self.tellings.spis(*row),
            }),
            Body::Packed(packed) => packed.attempts.get(attempt).map(PackedAttempt::spis),
            Body::Told(rows) => rows.get(attempt).map(|&row| self.tellings.spis(row)),
        }
    }

    /// Octets, about, that the attempts of a pair hold alone.
    pub(in crate::track) fn alone(&self, index: usize) -> usize {
        self.slots.get(index).map_or(0, |slot| match &slot.body {
            Body::Open(open) => open.attempts.iter().map(|kept| kept.alone(&self.tellings)).sum(),
            Body::Packed(packed) => packed.alone(),
            Body::Told(rows) => rows.iter().map(|&row| self.tellings.alone(row)).sum(),
        })
    }

    /// Whether this place is free.
    pub(in crate::track) fn is_vacant(&self, index: usize) -> bool {
        self.slots.get(index).is_none_or(Slot::is_empty)
    }

    /// An attempt, if it is at work.
    pub(in crate::track) fn at_work(&self, index: usize, attempt: usize) -> Option<&Attempt> {
        match &self.slots.get(index)?.body {
            Body::Open(open) => match open.attempts.get(attempt)? {
                Kept::Open(followed) => Some(&followed.facts),
                Kept::Packed(_) | Kept::Told(_) => None,
            },
            Body::Packed(_) | Body::Told(_) => None,
        }
    }

    /// Pair `index`, for a look at one or a few.
    pub fn get(&self, index: usize) -> Option<Cow<'_, Pair>> {
        let mut room = Room::default();
        self.read(index, &mut room)?;
        room.pair.map(Cow::Owned)
    }

    /// Pair `index`, brought out into `room`: for a walk over many.
    pub fn read<'s, 'f>(&'f self, index: usize, room: &'s mut Room<'f>) -> Option<&'s Pair> {
        let slot = self.slots.get(index)?;
        if room.holds.is_some_and(|(pairs, known)| std::ptr::eq(pairs, self) && known == index) {
            return room.pair.as_ref();
        }
        room.clear();
        room.holds = Some((self, index));
        let mut pair = room.pair.take().unwrap_or_else(|| Pair::blank(slot.ends()));
        (pair.a, pair.b) = slot.ends();
        match &slot.body {
            Body::Open(open) => {
                let attempts = std::mem::take(&mut pair.attempts);
                let flows = std::mem::take(&mut pair.flows);
                pair = open.pair.clone();
                (pair.attempts, pair.flows) = (attempts, flows);
                for kept in &open.attempts {
                    match kept {
                        Kept::Open(followed) => {
                            pair.attempts.push(followed.facts.clone());
                            room.templates.push(None);
                        }
                        Kept::Packed(packed) => room.bring(&AtRest::Packed(packed), slot.ends(), &mut pair.attempts),
                        Kept::Told(row) => {
                            let Some(told) = self.tellings.told(*row, slot.ends()) else { continue };
                            room.bring(&AtRest::Told(told), slot.ends(), &mut pair.attempts);
                        }
                    }
                }
            }
            Body::Packed(packed) => {
                packed.unpack_into(&mut pair);
                for packed in &packed.attempts {
                    room.bring(&AtRest::Packed(packed), slot.ends(), &mut pair.attempts);
                }
            }
            Body::Told(rows) => {
                let mut tally = Tally::of(&mut pair, slot.ends());
                for told in rows.iter().filter_map(|&row| self.tellings.told(row, slot.ends())) {
                    tally.add(&told, &mut pair);
                    room.bring(&AtRest::Told(told), slot.ends(), &mut pair.attempts);
                }
            }
        }
        self.add_flows(slot, &mut pair, true);
        Some(room.pair.insert(pair))
    }

    /// The same, and what each of its attempts was made from, if that tells how the attempts of the pair went: but for
    /// SPIs, addresses, times, frames and message ids, attempts are alike that were made from the same.
    pub fn read_alike<'s, 'f>(
        &'f self,
        index: usize,
        room: &'s mut Room<'f>,
    ) -> Option<(&'s Pair, Option<&'s [MadeFrom]>)> {
        let told = matches!(self.slots.get(index)?.body, Body::Told(_));
        self.read(index, room)?;
        Some((room.pair.as_ref()?, told.then_some(room.templates.as_slice())))
    }

    /// One attempt of a pair, brought out into `room`: for a walk over many.
    pub fn read_attempt<'s>(&'s self, index: usize, attempt: usize, room: &'s mut Room<'_>) -> Option<&'s Attempt> {
        let slot = self.slots.get(index)?;
        let at_rest = match self.kept(index, attempt)? {
            Brought::AtWork(facts) => return Some(facts),
            Brought::Packed(packed) => AtRest::Packed(packed),
            Brought::Told(row) => AtRest::Told(self.tellings.told(row, slot.ends())?),
        };
        if let Some((Some(template), single)) = room.single.take() {
            room.spare.keep(template, single);
        }
        let single = room.fetch(&at_rest, slot.ends());
        Some(&room.single.insert((at_rest.made_from(), single)).1)
    }

    /// An attempt that is told, where it stands. `None` if it has to be brought out.
    pub fn told(&self, index: usize, attempt: usize) -> Option<Told<'_>> {
        let slot = self.slots.get(index)?;
        match self.kept(index, attempt)? {
            Brought::Told(row) => self.tellings.told(row, slot.ends()).filter(Told::is_of_template),
            Brought::AtWork(_) | Brought::Packed(_) => None,
        }
    }

    /// How many exchanges an attempt has.
    pub fn exchanges(&self, index: usize, attempt: usize) -> usize {
        match self.kept(index, attempt) {
            Some(Brought::Told(row)) => self.tellings.exchanges(row),
            Some(Brought::AtWork(facts)) => facts.exchanges.len(),
            Some(Brought::Packed(packed)) => packed.template().exchanges.len(),
            None => 0,
        }
    }

    /// The furthest message of the set-up of an attempt.
    pub(in crate::track) fn stage(&self, index: usize, attempt: usize) -> Option<Label> {
        self.gist(index, attempt).map(|gist| gist.stage)
    }

    /// Whether an attempt is nothing but remarks made outside of any SA.
    pub(in crate::track) fn is_of_remarks(&self, index: usize, attempt: usize, version: IkeVersion) -> bool {
        // What sets an SA up, or uses one, has a stage.
        self.gist(index, attempt).is_some_and(|attempt| {
            attempt.stage.rank().is_none()
                && attempt.version == version
                && [attempt.exchanges.first(), attempt.exchanges.last()].into_iter().flatten().all(Exchange::is_remark)
        })
    }

    /// An attempt without what is its own: as it is if it is at work, what it was made from if it is at rest.
    fn gist(&self, index: usize, attempt: usize) -> Option<&Attempt> {
        Some(match self.kept(index, attempt)? {
            Brought::AtWork(facts) => facts,
            Brought::Packed(packed) => packed.template(),
            Brought::Told(row) => self.tellings.template(row),
        })
    }

    /// Where an attempt stands.
    fn kept(&self, index: usize, attempt: usize) -> Option<Brought<'_>> {
        Some(match &self.slots.get(index)?.body {
            Body::Open(open) => match open.attempts.get(attempt)? {
                Kept::Open(followed) => Brought::AtWork(&followed.facts),
                Kept::Packed(packed) => Brought::Packed(packed),
                Kept::Told(row) => Brought::Told(*row),
            },
            Body::Packed(packed) => Brought::Packed(packed.attempts.get(attempt)?),
            Body::Told(rows) => Brought::Told(*rows.get(attempt)?),
        })
    }

    /// Pair `index` without its attempts and flows; what was counted of the flows is there.
    pub fn outline(&self, index: usize) -> Option<Pair> {
        let mut pair = self.outline_alone(index)?;
        self.add_flows(self.slots.get(index)?, &mut pair, false);
        Some(pair)
    }

    /// The same without what was counted of the flows.
    pub(in crate::track) fn outline_alone(&self, index: usize) -> Option<Pair> {
        let slot = self.slots.get(index)?;
        Some(match &slot.body {
            Body::Open(open) => open.pair.clone(),
            Body::Packed(packed) => {
                let mut pair = Pair::blank(slot.ends());
                packed.unpack_into(&mut pair);
                pair
            }
            Body::Told(rows) => {
                let mut pair = Pair::blank(slot.ends());
                self.tellings.outline(rows, slot.ends(), &mut pair);
                pair
            }
        })
    }

    /// When and in which frame pair `index` begins.
    pub fn begins(&self, index: usize) -> Option<(Timestamp, FrameRef)> {
        Some(match &self.slots.get(index)?.body {
            Body::Open(open) => (open.pair.first, open.pair.first_frame),
            Body::Packed(packed) => packed.begins(),
            Body::Told(rows) => self.tellings.beginning(*rows.first()?),
        })
    }

    /// Whether pair `index` has ICMP errors, or datagrams that were not whole or could not be read.
    pub fn has_side_lists(&self, index: usize) -> bool {
        self.slots.get(index).is_some_and(|slot| match &slot.body {
            Body::Open(_) => true,
            Body::Packed(packed) => packed.rare.is_some(),
            Body::Told(_) => false,
        })
    }

    /// When and in which frame an attempt of pair `index` begins.
    pub fn beginning(&self, index: usize, attempt: usize) -> Option<(Timestamp, FrameRef)> {
        let slot = self.slots.get(index)?;
        Some(match self.kept(index, attempt)? {
            Brought::AtWork(facts) => (facts.first, facts.first_frame),
            Brought::Packed(packed) => packed.beginning(slot.ends()),
            Brought::Told(row) => self.tellings.beginning(row),
        })
    }

    /// The flows of pair `index` by their place among all flows: when and in which frame each begins.
    pub fn flows(&self, index: usize) -> impl Iterator<Item = (u32, Timestamp, FrameRef)> + Clone + '_ {
        let first = self.slots.get(index).map_or(NONE, |slot| slot.flows.0);
        let row = |place: u32| self.flows.get(place as usize).map(|row| (place, row));
        std::iter::successors(row(first), move |(_, before)| row(before.next)).map(|(place, row)| {
            let (at, frame) = row.begins();
            (place, at, frame)
        })
    }

    /// The flow at this place among all flows.
    pub fn flow(&self, place: u32) -> Option<EspFlow> {
        self.flows.get(place as usize).map(FlowRow::facts)
    }

    /// All of them, in order.
    pub fn iter(&self) -> impl Iterator<Item = Cow<'_, Pair>> {
        (0..self.len()).filter_map(|index| self.get(index))
    }

    /// Adds what the flows of a pair say, to its counts and, if wanted, as a list.
    fn add_flows(&self, slot: &Slot, pair: &mut Pair, with_list: bool) {
        let mut next = slot.flows.0;
        while let Some(row) = self.flows.get(next as usize) {
            let flow = row.facts();
            let direction = usize::from(!pair.is_from_a(flow.source, flow.destination));
            let seen = &mut pair.sent[direction];
            match flow.protocol {
                FlowProtocol::Esp => seen.esp += flow.packets,
                FlowProtocol::Ah => seen.ah += flow.packets,
            }
            seen.on_4500 += row.on_4500();
            let last = row.seen_last();
            let span = seen.span.get_or_insert((flow.first, last));
            *span = (span.0.min(flow.first), span.1.max(last));
            if (last, row.last_frame()) >= (pair.last, pair.last_frame) {
                pair.last_frame = row.last_frame();
            }
            pair.last = pair.last.max(last);
            next = row.next;
            if with_list {
                pair.flows.push(flow);
            }
        }
    }
}

/// An attempt where it stands.
enum Brought<'a> {
    AtWork(&'a Attempt),
    Packed(&'a PackedAttempt),
    /// By its row.
    Told(u32),
}

impl From<Vec<Pair>> for Pairs {
    /// For facts that were made by hand.
    fn from(pairs: Vec<Pair>) -> Self {
        let mut all = Self::default();
        for mut pair in pairs {
            let attempts = std::mem::take(&mut pair.attempts);
            let mut flows = (NONE, NONE);
            for flow in std::mem::take(&mut pair.flows) {
                let direction = usize::from(!pair.is_from_a(flow.source, flow.destination));
                let seen = &mut pair.sent[direction];
                let count = match flow.protocol {
                    FlowProtocol::Esp => &mut seen.esp,
                    FlowProtocol::Ah => &mut seen.ah,
                };
                *count = count.saturating_sub(flow.packets);
                let row = FlowRow::made(flow, all.slots.len() as u32);
                let index = all.flows.len() as u32;
                match all.flows.get_mut(flows.1 as usize) {
                    Some(last) => (last.next, flows.1) = (index, index),
                    None => flows = (index, index),
                }
                all.flows.push(row);
            }
            let attempts = attempts.into_iter().map(|facts| Kept::Open(Box::new(Followed::made(facts)))).collect();
            all.slots.push(Slot::made(pair, attempts, flows));
        }
        all
    }
}
