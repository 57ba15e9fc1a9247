//! The pairs that were seen, kept small: those at work as they are, the others packed. What is asked for is brought out
//! whole, and only while it is looked at.
//!
//! Not here: what becomes of a datagram. Contract: the same index gives the same pair, however often it is asked for.

use std::borrow::Cow;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use hashbrown::HashMap;

use crate::base::{FrameRef, IkeSpi, Timestamp};

use super::attempt::{AttemptState, Followed, rekeying_attempt};
use super::ends::PackedEnds;
use super::facts::{
    Attempt, EspFlow, Exchange, FlowProtocol, IcmpFact, IkeVersion, IncompleteFact, Label, MalformedFact, Pair, Seen,
};
use super::flow::FlowRow;
use super::packed::{PackedAttempt, Templates, put, take};
use super::rows::Rows;
use super::stage;
use super::story::{Tally, Tellings, Told};

/// No flow.
pub(super) const NONE: u32 = u32::MAX;

/// All pairs, in order of their first frame.
#[derive(Debug, Clone, Default)]
pub struct Pairs {
    pub(super) slots: Vec<Slot>,
    pub(super) flows: Vec<FlowRow>,
    pub(super) tellings: Tellings,
}

/// One pair.
#[derive(Debug, Clone)]
pub(super) struct Slot {
    ends: PackedEnds,
    /// First and last of its flows in [`Pairs::flows`].
    pub(super) flows: (u32, u32),
    pub(super) body: Body,
}

/// What is known of a pair besides its flows.
#[derive(Debug, Clone)]
pub(super) enum Body {
    /// At work.
    Open(Box<Open>),
    /// At rest.
    Packed(Box<Packed>),
    /// Nothing but attempts that are told, by their rows.
    Told(Rows),
}

const _: () = assert!(size_of::<Slot>() <= 40);

/// A pair at work. Its own lists of attempts and flows are empty.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) pair: Pair,
    pub(super) attempts: Vec<Kept>,
    /// Those that are at work.
    working: Vec<u32>,
    /// The youngest that may have been re-keyed.
    pub(super) rekeying: Option<u32>,
    /// Since it was last looked at for putting to rest.
    pub(super) touched: bool,
    /// It waits to be put to rest.
    pub(super) queued: bool,
}

/// An attempt of a pair at work.
#[derive(Debug, Clone)]
pub(super) enum Kept {
    /// At work too.
    Open(Box<Followed>),
    /// At rest.
    Packed(PackedAttempt),
    /// Told, by its row.
    Told(u32),
}

/// An attempt that is to be brought out.
enum AtRest<'a> {
    Packed(&'a PackedAttempt),
    Told(Told<'a>),
}

/// A pair at rest.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    octets: Box<[u8]>,
    attempts: Box<[PackedAttempt]>,
    rare: Option<Box<Rare>>,
}

/// What most pairs have none of.
#[derive(Debug, Clone)]
struct Rare {
    icmp_errors: Vec<IcmpFact>,
    incomplete: Vec<IncompleteFact>,
    malformed: Vec<MalformedFact>,
}

/// Attempts of a pair that are never taken apart to be put to rest.
pub(super) const LONG_LIST: usize = 64;

/// Messages of an attempt that is put to rest only where memory becomes short.
const LONG_ATTEMPT: usize = 64;

/// Attempts that a [`Room`] keeps for the pairs to come, and exchanges that one of these has at most.
const SPARE: (usize, usize) = (256, 64);

/// What an attempt was made from when it was brought out; `None` if it was at work, or has more than that.
pub type MadeFrom = Option<Arc<Attempt>>;

/// Where pairs and attempts are brought out to. Reusing one saves the allocations.
#[derive(Debug, Default)]
pub struct Room<'f> {
    /// Which pair `pair` is.
    holds: Option<(&'f Pairs, usize)>,
    pair: Option<Pair>,
    /// What each attempt of `pair` was made from.
    templates: Vec<MadeFrom>,
    spare: Spare,
    single: Option<(MadeFrom, Attempt)>,
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
    pub(super) fn alone(&self, index: usize) -> usize {
        self.slots.get(index).map_or(0, |slot| match &slot.body {
            Body::Open(open) => open.attempts.iter().map(|kept| kept.alone(&self.tellings)).sum(),
            Body::Packed(packed) => packed.alone(),
            Body::Told(rows) => rows.iter().map(|&row| self.tellings.alone(row)).sum(),
        })
    }

    /// Whether this place is free.
    pub(super) fn is_vacant(&self, index: usize) -> bool {
        self.slots.get(index).is_none_or(Slot::is_empty)
    }

    /// An attempt, if it is at work.
    pub(super) fn at_work(&self, index: usize, attempt: usize) -> Option<&Attempt> {
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
    pub(super) fn stage(&self, index: usize, attempt: usize) -> Option<Label> {
        self.gist(index, attempt).map(|gist| gist.stage)
    }

    /// Whether an attempt is nothing but remarks made outside of any SA.
    pub(super) fn is_of_remarks(&self, index: usize, attempt: usize, version: IkeVersion) -> bool {
        // What sets an SA up, or uses one, has a stage.
        self.gist(index, attempt).is_some_and(|attempt| {
            stage::rank(attempt.stage).is_none()
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
    pub(super) fn outline_alone(&self, index: usize) -> Option<Pair> {
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

impl<'a> AtRest<'a> {
    /// What it has in common with others.
    fn template(&self) -> &'a Arc<Attempt> {
        match self {
            Self::Packed(packed) => packed.template(),
            Self::Told(told) => told.template(),
        }
    }

    /// The same, if it has nothing but that and what is its own.
    fn made_from(&self) -> MadeFrom {
        let is_all = match self {
            Self::Packed(_) => true,
            Self::Told(told) => told.is_of_template(),
        };
        is_all.then(|| Arc::clone(self.template()))
    }

    /// Fills an attempt that was made from the same template.
    fn fill(&self, attempt: &mut Attempt, ends: (IpAddr, IpAddr)) {
        match self {
            Self::Packed(packed) => _ = packed.fill(attempt, ends),
            Self::Told(told) => told.fill(attempt),
        }
    }
}

impl Slot {
    pub(super) fn new(pair: Pair) -> Self {
        let ends = (pair.a, pair.b).into();
        Self { ends, flows: (NONE, NONE), body: Body::Open(Box::new(Open::new(pair, Vec::new(), None))) }
    }

    /// A pair whose attempts are told, none so far.
    pub(super) fn told(ends: (IpAddr, IpAddr)) -> Self {
        Self { ends: ends.into(), flows: (NONE, NONE), body: Body::Told(Rows::EMPTY) }
    }

    /// A place that is free.
    pub(super) fn vacant() -> Self {
        let packed = Packed { octets: Box::default(), attempts: Box::default(), rare: None };
        Self {
            ends: PackedEnds::V4([Ipv4Addr::UNSPECIFIED; 2]),
            flows: (NONE, NONE),
            body: Body::Packed(Box::new(packed)),
        }
    }

    /// The addresses: the one that sent the first datagram, and the other one.
    #[inline]
    pub(super) fn ends(&self) -> (IpAddr, IpAddr) {
        self.ends.get()
    }

    /// Nothing is left of it: all of it turned out to belong to another pair.
    pub(super) fn is_empty(&self) -> bool {
        let nothing_else = match &self.body {
            Body::Open(open) => open.attempts.is_empty() && open.pair.is_empty(),
            Body::Told(rows) => rows.is_empty(),
            Body::Packed(packed) => {
                packed.attempts.is_empty() && {
                    let mut pair = Pair::blank(self.ends.get());
                    packed.unpack_into(&mut pair);
                    pair.is_empty()
                }
            }
        };
        self.flows.0 == NONE && nothing_else
    }

    /// Brings the pair to work, if it is not.
    pub(super) fn open(&mut self, tellings: &Tellings) -> &mut Open {
        let opened = match &mut self.body {
            Body::Open(_) => None,
            Body::Packed(packed) => {
                let mut pair = Pair::blank(self.ends.get());
                packed.unpack_into(&mut pair);
                Some((pair, std::mem::take(&mut packed.attempts).into_iter().map(Kept::Packed).collect()))
            }
            Body::Told(rows) => {
                let mut pair = Pair::blank(self.ends.get());
                tellings.outline(rows, self.ends.get(), &mut pair);
                Some((pair, rows.iter().map(|&row| Kept::Told(row)).collect()))
            }
        };
        if let Some((pair, attempts)) = opened {
            self.body = Body::Open(Box::new(Open::new(pair, attempts, Some(tellings))));
        }
        match &mut self.body {
            Body::Open(open) => open,
            Body::Packed(_) | Body::Told(_) => unreachable!("it was just opened"),
        }
    }

    /// Puts the pair to rest, with all of its attempts. Answers what those held alone before and hold now, in octets.
    pub(super) fn pack(&mut self, templates: &mut Templates, tellings: &mut Tellings) -> (usize, usize) {
        let Body::Open(open) = &mut self.body else { return (0, 0) };
        let ends = self.ends.get();
        open.queued = false;
        // Taking a long list apart for each message of the pair would cost more than it saves.
        if open.attempts.len() > LONG_LIST {
            return open.pack_attempts(ends, templates);
        }
        let (mut before, mut after) = (0, 0);
        let attempts = std::mem::take(&mut open.attempts).into_iter().map(|kept| match kept {
            Kept::Packed(packed) => packed,
            Kept::Open(followed) => {
                before += followed.alone();
                let packed = followed.pack(ends, templates);
                after += packed.alone();
                packed
            }
            Kept::Told(row) => {
                before += tellings.alone(row);
                let packed = tellings.followed(row, ends).pack(ends, templates);
                tellings.release(row);
                after += packed.alone();
                packed
            }
        });
        let attempts = attempts.collect();
        let pair = &mut open.pair;
        let rare = Rare {
            icmp_errors: std::mem::take(&mut pair.icmp_errors),
            incomplete: std::mem::take(&mut pair.incomplete),
            malformed: std::mem::take(&mut pair.malformed),
        };
        let none = rare.icmp_errors.is_empty() && rare.incomplete.is_empty() && rare.malformed.is_empty();
        let rare = (!none).then(|| Box::new(rare));
        self.body = Body::Packed(Box::new(Packed { octets: write(pair).into(), attempts, rare }));
        (before, after)
    }
}

impl Kept {
    /// Its row, if it is told.
    pub(super) fn row(&self) -> Option<u32> {
        match self {
            Self::Told(row) => Some(*row),
            Self::Open(_) | Self::Packed(_) => None,
        }
    }

    /// Octets, about, that it holds alone.
    pub(super) fn alone(&self, tellings: &Tellings) -> usize {
        match self {
            Self::Open(followed) => followed.alone(),
            Self::Packed(packed) => packed.alone(),
            Self::Told(row) => tellings.alone(*row),
        }
    }
}

impl Open {
    fn new(pair: Pair, attempts: Vec<Kept>, tellings: Option<&Tellings>) -> Self {
        let rekeying = tellings.and_then(|tellings| rekeying_attempt(&attempts, tellings));
        Self { pair, attempts, working: Vec::new(), rekeying, touched: true, queued: false }
    }

    /// Whether an attempt at work has so many messages that it stays there as long as there is room.
    pub(super) fn is_long(&self) -> bool {
        let at_work = self.working.iter().filter_map(|&place| self.attempts.get(place as usize));
        let mut messages = at_work.map(|kept| match kept {
            Kept::Open(followed) => followed.messages(),
            Kept::Packed(_) | Kept::Told(_) => 0,
        });
        messages.any(|messages| messages > LONG_ATTEMPT)
    }

    /// One more attempt, at work.
    pub(super) fn begin(&mut self, followed: Followed) {
        self.working.push(self.attempts.len() as u32);
        self.attempts.push(Kept::Open(Box::new(followed)));
    }

    /// Puts all attempts to rest where they stand.
    fn pack_attempts(&mut self, ends: (IpAddr, IpAddr), templates: &mut Templates) -> (usize, usize) {
        let (mut before, mut after) = (0, 0);
        for place in self.working.drain(..) {
            let Some(kept) = self.attempts.get_mut(place as usize) else { continue };
            let Kept::Open(followed) = kept else { continue };
            before += followed.alone();
            let packed = Followed::clone(followed).pack(ends, templates);
            after += packed.alone();
            *kept = Kept::Packed(packed);
        }
        (before, after)
    }

    /// Forgets the attempts that are not to be kept.
    pub(super) fn keep_attempts(&mut self, tellings: &Tellings, mut keep: impl FnMut(usize) -> bool) {
        let mut place = 0;
        self.attempts.retain(|_| {
            place += 1;
            keep(place - 1)
        });
        self.working.clear();
        let open = self.attempts.iter().zip(0..).filter(|(kept, _)| matches!(kept, Kept::Open(_)));
        self.working.extend(open.map(|(_, place)| place));
        self.rekeying = rekeying_attempt(&self.attempts, tellings);
    }

    /// An attempt, brought to work if it is not.
    pub(super) fn follow(
        &mut self,
        index: usize,
        ends: (IpAddr, IpAddr),
        tellings: &mut Tellings,
    ) -> Option<&mut Followed> {
        let kept = self.attempts.get_mut(index)?;
        let followed = match kept {
            Kept::Open(_) => None,
            Kept::Packed(packed) => {
                let (facts, mut rest) = packed.unpack(ends);
                let state = AttemptState::read(&facts, &mut rest);
                Some(Followed { facts, state })
            }
            Kept::Told(row) => {
                let followed = tellings.followed(*row, ends);
                tellings.release(*row);
                Some(followed)
            }
        };
        if let Some(followed) = followed {
            *kept = Kept::Open(Box::new(followed));
            self.working.push(index as u32);
        }
        match kept {
            Kept::Open(followed) => Some(followed),
            Kept::Packed(_) | Kept::Told(_) => None,
        }
    }
}

impl Packed {
    /// Octets, about, that its attempts hold alone.
    pub(super) fn alone(&self) -> usize {
        self.attempts.iter().map(PackedAttempt::alone).sum()
    }

    /// When and in which frame the pair begins.
    fn begins(&self) -> (Timestamp, FrameRef) {
        let mut octets = &*self.octets;
        let at = Timestamp::from_nanos(take(&mut octets) as i64);
        let (_, frame) = (take(&mut octets), take(&mut octets));
        (at, FrameRef::new(take(&mut octets) as u32, frame))
    }

    /// Everything but attempts and flows.
    fn unpack_into(&self, pair: &mut Pair) {
        read(&self.octets, pair);
        let (icmp_errors, incomplete, malformed) = match &self.rare {
            Some(rare) => (rare.icmp_errors.as_slice(), rare.incomplete.as_slice(), rare.malformed.as_slice()),
            None => Default::default(),
        };
        pair.icmp_errors.clear();
        pair.icmp_errors.extend_from_slice(icmp_errors);
        pair.incomplete.clear();
        pair.incomplete.extend_from_slice(incomplete);
        pair.malformed.clear();
        pair.malformed.extend_from_slice(malformed);
    }
}

impl Room<'_> {
    /// Takes back what was brought out.
    fn clear(&mut self) {
        self.holds = None;
        if let Some(mut pair) = self.pair.take() {
            while let (Some(attempt), Some(template)) = (pair.attempts.pop(), self.templates.pop()) {
                if let Some(template) = template {
                    self.spare.keep(template, attempt);
                }
            }
            pair.attempts.clear();
            pair.flows.clear();
            self.pair = Some(pair);
        }
        self.templates.clear();
    }

    fn bring(&mut self, at_rest: &AtRest<'_>, ends: (IpAddr, IpAddr), attempts: &mut Vec<Attempt>) {
        attempts.push(self.fetch(at_rest, ends));
        self.templates.push(at_rest.made_from());
    }

    fn fetch(&mut self, at_rest: &AtRest<'_>, ends: (IpAddr, IpAddr)) -> Attempt {
        let template = at_rest.template();
        let mut attempt = self.spare.take(template).unwrap_or_else(|| Attempt::clone(template));
        at_rest.fill(&mut attempt, ends);
        attempt
    }
}

/// Attempts brought out before, by where that stands which they were made from.
#[derive(Debug, Default)]
struct Spare {
    made: HashMap<usize, Vec<(Arc<Attempt>, Attempt)>>,
    count: usize,
}

impl Spare {
    fn keep(&mut self, template: Arc<Attempt>, attempt: Attempt) {
        if attempt.exchanges.len() > SPARE.1 {
            return;
        }
        if self.count.max(self.made.len()) >= SPARE.0 {
            self.made.clear();
            self.count = 0;
        }
        self.count += 1;
        self.made.entry(Arc::as_ptr(&template).addr()).or_default().push((template, attempt));
    }

    fn take(&mut self, template: &Arc<Attempt>) -> Option<Attempt> {
        let (_, attempt) = self.made.get_mut(&Arc::as_ptr(template).addr())?.pop()?;
        self.count -= 1;
        Some(attempt)
    }
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
            let ends = (pair.a, pair.b);
            all.slots.push(Slot {
                ends: ends.into(),
                flows,
                body: Body::Open(Box::new(Open::new(pair, attempts, None))),
            });
        }
        all
    }
}

impl Pair {
    /// A pair of which nothing is known but who it is.
    pub(super) fn blank((a, b): (IpAddr, IpAddr)) -> Self {
        Self {
            a,
            b,
            first: Timestamp::default(),
            last: Timestamp::default(),
            first_frame: FrameRef::new(0, 0),
            last_frame: FrameRef::new(0, 0),
            attempts: Vec::new(),
            flows: Vec::new(),
            icmp_errors: Vec::new(),
            incomplete: Vec::new(),
            malformed: Vec::new(),
            sent: [Seen::default(); 2],
        }
    }
}

/// Times, frames and counts of a pair. Counts of ESP and AH are those of its flows.
fn write(pair: &Pair) -> Vec<u8> {
    let mut octets = Vec::with_capacity(64);
    let mut put = |value: u64| put(&mut octets, value);
    let offset = |at: Timestamp| at.as_nanos().wrapping_sub(pair.first.as_nanos()) as u64;
    put(pair.first.as_nanos() as u64);
    put(offset(pair.last));
    for frame in [pair.first_frame, pair.last_frame] {
        put(frame.frame);
        put(u64::from(frame.capture));
    }
    for seen in &pair.sent {
        put(seen.isakmp << 2 | u64::from(seen.keepalives > 0) << 1 | u64::from(seen.span.is_some()));
        if seen.keepalives > 0 {
            put(seen.keepalives);
        }
        put(seen.on_4500);
        if let Some((first, last)) = seen.span {
            put(offset(first));
            put(last.as_nanos().wrapping_sub(first.as_nanos()) as u64);
        }
        put(seen.esp << 1 | u64::from(seen.ah > 0));
        if seen.ah > 0 {
            put(seen.ah);
        }
    }
    octets
}

/// Reads what [`write()`] wrote.
fn read(mut octets: &[u8], pair: &mut Pair) {
    let mut take = || take(&mut octets);
    let at = |first: Timestamp, offset: u64| Timestamp::from_nanos(first.as_nanos().wrapping_add(offset as i64));
    pair.first = Timestamp::from_nanos(take() as i64);
    pair.last = at(pair.first, take());
    for frame in [&mut pair.first_frame, &mut pair.last_frame] {
        let number = take();
        *frame = FrameRef::new(take() as u32, number);
    }
    for seen in &mut pair.sent {
        let isakmp = take();
        seen.isakmp = isakmp >> 2;
        seen.keepalives = if isakmp & 2 != 0 { take() } else { 0 };
        seen.on_4500 = take();
        seen.span = (isakmp & 1 != 0).then(|| {
            let first = at(pair.first, take());
            (first, at(first, take()))
        });
        let esp = take();
        seen.esp = esp >> 1;
        seen.ah = if esp & 1 != 0 { take() } else { 0 };
    }
}
