//! The exchanges of attempts whose story is long, by what names them: to look through hundreds of them for each message would take
//! longer than all else.
//!
//! Not here: what becomes of a message. Contract: an exchange stands here from when its attempt is entered until it is taken
//! out; memory goes with the exchanges.

use std::hash::BuildHasher;

use foldhash::quality::RandomState;
use hashbrown::HashMap;

use super::aside::{BESIDE, Part};
use super::relation::{AGAIN, FOLLOWS, NEW, OF_STORY, Place};
use super::shape::Outline;
use super::{Arrival, Tellings};
use crate::base::MessageId;
use crate::isakmp::Header;
use crate::track::facts::{ExchangeKind, IkeVersion, Side};

/// Octets, about, that an exchange takes here: of one message in IKEv1, of two in IKEv2.
const OCTETS: usize = 18;

/// Octets, about, that the exchanges of an attempt with so many messages take here.
pub(super) fn octets_of(messages: usize) -> usize {
    messages.saturating_sub(BESIDE.into()) * OCTETS
}

/// What stands for an exchange of the story is its place there; for one that is told beside it these, and which messages of it came.
const BESIDE_IT: u8 = 1 << 7;
const BY_INITIATOR: u8 = 1;
const BY_RESPONDER: u8 = 1 << 1;

/// Which exchange of its story each is, or that it is told beside that.
#[derive(Debug, Default)]
pub(super) struct Exchanges {
    hasher: RandomState,
    known: HashMap<u64, u8>,
}

/// What names an exchange within its attempt. Both sides of IKEv2 number their own; ids of IKEv1 are the SA's.
pub(super) type Name = (ExchangeKind, Option<Side>, u32);

pub(super) fn name(version: IkeVersion, (kind, started_by, id): (ExchangeKind, Side, u32)) -> Name {
    (kind, (version == IkeVersion::V2).then_some(started_by), id)
}

/// What stands there of a message that this side sent. No exchange beside the story has two.
fn by(from: Side) -> u8 {
    BESIDE_IT | if from == Side::Initiator { BY_INITIATOR } else { BY_RESPONDER }
}

impl Exchanges {
    fn key(&self, row: u32, name: Name) -> u64 {
        self.hasher.hash_one((row, name))
    }

    /// Which exchange a message of this side belongs to, for its relation to what went before, and which part of that it is if that
    /// is to be told beside the story. `None` if the message has to be filed in full.
    pub(super) fn of(
        &self,
        tellings: &Tellings,
        row: u32,
        (kind, from): (ExchangeKind, Side),
        outline: &Outline,
    ) -> Option<(Place, Option<Part>)> {
        let telling = tellings.row(row);
        let story = tellings.story(telling);
        let version = story.version;
        let answers = version == IkeVersion::V2 && outline.flags & Header::RESPONSE != 0;
        let started_by = if answers { from.other() } else { from };
        let id = outline.message_id.0;
        if id == 0 {
            return None;
        }
        let informational = matches!(kind, ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2);
        let encrypted = outline.own_length > 0;
        let beside = |part, place| (place, Some(part));
        Some(match self.known.get(&self.key(row, name(version, (kind, started_by, id)))) {
            None if informational && encrypted && story.bears_asides() => beside(Part::Begins, NEW),
            None => (NEW, None),
            Some(&place) if place & BESIDE_IT == 0 => (Place::from(place) + OF_STORY, None),
            Some(_) if !encrypted => return None,
            Some(&came) if came & by(from) == by(from) => beside(Part::Again, AGAIN),
            Some(_) => beside(Part::Follows, FOLLOWS),
        })
    }

    /// An attempt is told from now on: enters its exchanges, if its story is long.
    pub(super) fn enter(&mut self, tellings: &Tellings, row: u32) {
        if !tellings.story(tellings.row(row)).is_long() {
            return;
        }
        for (name, place) in exchanges(tellings, row) {
            let key = self.key(row, name);
            *self.known.entry(key).or_default() |= place;
        }
    }

    /// It is told no more.
    pub(super) fn take_out(&mut self, tellings: &Tellings, row: u32) {
        if !tellings.story(tellings.row(row)).is_long() {
            return;
        }
        for (name, _) in exchanges(tellings, row) {
            let key = self.key(row, name);
            self.known.remove(&key);
        }
    }

    /// An attempt went on with this message, and its story is a long one, since before or since now. Answers how many octets
    /// that took.
    pub(super) fn go_on(&mut self, tellings: &Tellings, row: u32, arrival: &Arrival) -> usize {
        let telling = tellings.row(row);
        let story = tellings.story(telling);
        if story.messages == BESIDE && arrival.aside == 0 {
            self.enter(tellings, row);
        } else if let Some(aside) = tellings.asides.get(arrival.aside) {
            if aside.part != Part::Again {
                let key = self.key(row, aside.exchange(story.version, arrival.message_id));
                *self.known.entry(key).or_default() |= by(arrival.from);
            }
        } else if let (Some(&(kind, began)), Some(exchange)) = (story.exchanges.last(), story.template.exchanges.last())
            && began + 1 == story.messages
        {
            let name = name(story.version, (kind, exchange.started_by, arrival.message_id));
            let key = self.key(row, name);
            self.known.insert(key, (story.exchanges.len() - 1) as u8);
        }
        let count = telling.messages.count();
        octets_of(count) - octets_of(count.saturating_sub(1))
    }
}

/// The exchanges of an attempt, and what they are entered as.
fn exchanges(tellings: &Tellings, row: u32) -> Vec<(Name, u8)> {
    let telling = tellings.row(row);
    let (story, arrivals) = (tellings.story(telling), tellings.arrivals(telling));
    let of_story: Vec<&Arrival> = arrivals.iter().filter(|arrival| arrival.aside == 0).collect();
    let mut all = Vec::new();
    for (place, exchange) in story.template.exchanges.iter().enumerate() {
        let own = |began: u8| of_story.get(usize::from(began)).map_or(0, |first| first.message_id);
        let MessageId(id) = story.message_id(place, own);
        all.push((name(story.version, (exchange.kind, exchange.started_by, id)), place as u8));
    }
    // one of two messages comes twice, once for each
    let beside = arrivals.iter().filter_map(|arrival| Some((tellings.asides.get(arrival.aside)?, arrival)));
    all.extend(beside.map(|(aside, own)| (aside.exchange(story.version, own.message_id), by(own.from))));
    all
}
