//! What is known of how things go: shapes, stories, the steps between them, and the attempts that are told.
//!
//! Contract: what is learnt has a ceiling, and takes being seen twice.

use std::hash::BuildHasher;
use std::net::IpAddr;

use foldhash::quality::RandomState;
use hashbrown::{HashMap, HashTable};

use crate::base::IkeSpi;
use crate::track::exchange;
use crate::track::facts::ExchangeKind;
use crate::track::store::ends::in_short;
use crate::track::store::slot::NONE;

use super::exchanges::Exchanges;
use super::mould::Moulds;
use super::preview::Preview;
use super::relation::Relation;
use super::shape::{self, Outline};
use super::{LONGEST, Story, Tellings};

/// Shapes, stories and steps that are kept.
const SHAPES: usize = 1 << 14;
const SHAPE_OCTETS: usize = 8 << 20;
const STORIES: usize = 1 << 14;
const STORY_OCTETS: usize = 24 << 20;
const _: () = assert!(STORIES <= u16::MAX as usize);
const STEPS: usize = 1 << 17;
/// Shapes remembered that were seen once.
const GLIMPSES: usize = 1 << 14;
/// Messages of long attempts that are looked through in any case.
const LOOKED_THROUGH: u32 = 1 << 14;
/// Attempts at hand: more than go on beside each other in most captures, and few enough to stay in the cache.
const AT_HAND: usize = 4096;

/// What is known of how things go.
#[derive(Debug)]
pub(in crate::track) struct Stories {
    /// Nothing is told: somebody looks on who wants to see attempts at work.
    pub(super) off: bool,
    pub(super) hasher: RandomState,
    pub(super) shapes: Vec<Shape>,
    pub(super) shape_octets: usize,
    pub(super) by_octets: HashTable<u32>,
    pub(super) glimpses: Box<[u64]>,
    pub(super) steps: HashMap<StepKey, Step, RandomState>,
    /// The step that was taken last from each story, and where it led.
    pub(super) taken: Vec<Option<(StepKey, u16)>>,
    pub(super) by_story: HashTable<u16>,
    pub(super) story_octets: usize,
    /// Attempts that are told, by their initiator's SPI.
    pub(super) by_spi: HashTable<Spot>,
    /// Those that went on lately: the next message is most often of one of them.
    pub(super) at_hand: Box<[Spot]>,
    /// The exchanges of those whose story is long.
    pub(super) exchanges: Exchanges,
    /// Of the message that comes by itself.
    pub(super) scratch: (Moulds, Vec<u8>),
    /// Messages so far, told or not: so they are in step with the frames where there is nothing else.
    pub(super) count: u32,
    /// Messages that were looked through to learn from attempts of many.
    pub(super) looked_through: u32,
}

#[derive(Debug)]
pub(super) struct Shape {
    pub(super) octets: Box<[u8]>,
    pub(super) kind: ExchangeKind,
}

/// Stories of no message yet, and what stands for that of an aside, are where no other story's place can be: so much less than this
/// as the version is.
pub(super) const BEGINNINGS: u32 = u32::MAX;
pub(super) const OF_ASIDES: u32 = u32::MAX - 2;

/// What decides where a message leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct StepKey {
    pub(super) story: u32,
    pub(super) shape: u32,
    pub(super) relation: Relation,
}

#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// To this story.
    To(u16),
    /// Nowhere: it is this aside.
    Beside(u16),
    /// It has to be filed in full.
    Full,
}

/// Where an attempt that is told is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Spot {
    pub(super) row: u32,
    /// Of its initiator's SPI: so that few rows are looked at, and none where spots are put elsewhere.
    pub(super) tag: u32,
}

impl Spot {
    fn hash(self) -> u64 {
        spread(self.tag)
    }

    /// Whether it is that of this SPI, whose tag this is.
    #[inline(always)]
    fn is(&self, tag: u32, spi: IkeSpi, tellings: &Tellings) -> bool {
        self.tag == tag && self.row != NONE && tellings.row(self.row).initiator_spi == spi
    }
}

/// A hash of a tag.
#[inline]
fn spread(tag: u32) -> u64 {
    u64::from(tag).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

impl Default for Stories {
    fn default() -> Self {
        Self {
            off: false,
            hasher: RandomState::default(),
            shapes: Vec::new(),
            shape_octets: 0,
            by_octets: HashTable::new(),
            glimpses: Box::default(),
            steps: HashMap::default(),
            taken: Vec::new(),
            by_story: HashTable::new(),
            story_octets: 0,
            by_spi: HashTable::new(),
            at_hand: Box::default(),
            exchanges: Exchanges::default(),
            scratch: Default::default(),
            count: 0,
            looked_through: 0,
        }
    }
}

impl Stories {
    /// A message has come and was told or filed.
    #[inline]
    pub(in crate::track) fn go_on(&mut self) {
        self.count = self.count.saturating_add(1);
    }

    /// Tells nothing from now on.
    pub(in crate::track) fn switch_off(&mut self) {
        self.off = true;
    }

    /// Two addresses in their order, in short.
    #[inline]
    pub(super) fn ends(&self, initiator: &IpAddr, responder: &IpAddr) -> u64 {
        in_short(&self.hasher, initiator, responder)
    }

    /// This shape of the message that was read ahead, if it is known or seen for the second time.
    #[inline]
    pub(super) fn shape(&mut self, preview: &Preview, shape: &[u8]) -> Option<u32> {
        let is = |&place: &u32| *self.shapes[place as usize].octets == *shape;
        if let Some(&known) = self.by_octets.find(preview.hash, is) {
            return Some(known);
        }
        let Outline { major, exchange_type, .. } = preview.outline;
        self.new_shape(preview.hash, shape, exchange::kind(major, exchange_type))
    }

    #[cold]
    pub(super) fn new_shape(&mut self, hash: u64, shape: &[u8], kind: ExchangeKind) -> Option<u32> {
        if self.shapes.len() >= SHAPES || self.shape_octets + shape.len() > SHAPE_OCTETS {
            return None;
        }
        if self.glimpses.is_empty() {
            self.glimpses = vec![0; GLIMPSES].into();
        }
        let glimpse = &mut self.glimpses[hash as usize % GLIMPSES];
        if *glimpse != hash {
            *glimpse = hash;
            return None;
        }
        let place = self.shapes.len() as u32;
        self.shape_octets += shape.len();
        self.shapes.push(Shape { octets: shape.into(), kind });
        let (shapes, hasher) = (&self.shapes, &self.hasher);
        self.by_octets
            .insert_unique(hash, place, |&place| shape::hash(&shapes[place as usize].octets, hasher.build_hasher()));
        Some(place)
    }

    /// The story that is like `story`, kept if it is new. `None` if there is no room for it.
    pub(super) fn keep(&mut self, tellings: &mut Tellings, story: Story) -> Option<u16> {
        let hash = story.fingerprint();
        let is = |&place: &u16| tellings.stories[usize::from(place)].is(&story);
        if let Some(&known) = self.by_story.find(hash, is) {
            return Some(known);
        }
        let octets = self.story_octets + story.octets();
        if tellings.stories.len() >= STORIES || octets > STORY_OCTETS {
            return None;
        }
        self.story_octets = octets;
        let place = tellings.stories.len() as u16;
        tellings.stories.push(story);
        self.by_story.insert_unique(hash, place, |&place| tellings.stories[usize::from(place)].fingerprint());
        Some(place)
    }

    pub(super) fn find(&self, tellings: &Tellings, spi: IkeSpi) -> Option<u32> {
        let tag = self.tag(spi);
        self.by_spi.find(spread(tag), |spot| spot.is(tag, spi, tellings)).map(|spot| spot.row)
    }

    /// The same, for the next message of it to find it at hand.
    #[inline]
    pub(super) fn take_up(&mut self, tellings: &Tellings, spi: IkeSpi) -> Option<u32> {
        let tag = self.tag(spi);
        match self.at_hand.get(tag as usize % AT_HAND) {
            Some(spot) if spot.is(tag, spi, tellings) => Some(spot.row),
            _ => {
                let spot = *self.by_spi.find(spread(tag), |spot| spot.is(tag, spi, tellings))?;
                self.lay_at_hand(spot);
                Some(spot.row)
            }
        }
    }

    pub(super) fn lay_at_hand(&mut self, spot: Spot) {
        if self.at_hand.is_empty() {
            self.at_hand = vec![Spot { row: NONE, tag: 0 }; AT_HAND].into();
        }
        self.at_hand[spot.tag as usize % AT_HAND] = spot;
    }

    pub(super) fn tag(&self, spi: IkeSpi) -> u32 {
        self.hasher.hash_one(spi) as u32
    }

    pub(super) fn enter(&mut self, tellings: &Tellings, row: u32) {
        let spot = Spot { row, tag: self.tag(tellings.row(row).initiator_spi) };
        self.by_spi.insert_unique(spot.hash(), spot, |spot| spot.hash());
        self.lay_at_hand(spot);
        self.exchanges.enter(tellings, row);
    }

    pub(super) fn take_out(&mut self, tellings: &Tellings, row: u32) {
        self.exchanges.take_out(tellings, row);
        let tag = self.tag(tellings.row(row).initiator_spi);
        if let Ok(entry) = self.by_spi.find_entry(spread(tag), |spot| spot.row == row) {
            entry.remove();
        }
        if let Some(spot) = self.at_hand.get_mut(tag as usize % AT_HAND).filter(|spot| spot.row == row) {
            spot.row = NONE;
        }
    }

    /// Where this step leads, if that is known: most often it is the one that was taken last from its story.
    #[inline]
    pub(super) fn step(&mut self, key: StepKey) -> Option<Step> {
        match self.taken.get(key.story as usize) {
            Some(&Some((taken, to))) if taken == key => Some(Step::To(to)),
            _ => self.another_step(key),
        }
    }

    pub(super) fn another_step(&mut self, key: StepKey) -> Option<Step> {
        let step = self.steps.get(&key).copied()?;
        let from = key.story as usize;
        if let Step::To(to) = step
            && from < STORIES
        {
            if from >= self.taken.len() {
                self.taken.resize(from + 1, None);
            }
            self.taken[from] = Some((key, to));
        }
        Some(step)
    }

    /// Whether a step is to be learnt from an attempt of so many messages. Where many are to be looked through for it, many have to
    /// have come.
    pub(super) fn may_learn(&mut self, messages: usize) -> bool {
        if messages < LONGEST {
            return true;
        }
        let so_many = self.looked_through.saturating_add(messages as u32);
        let may = so_many <= self.count.saturating_mul(2).saturating_add(LOOKED_THROUGH);
        if may {
            self.looked_through = so_many;
        }
        may
    }

    pub(super) fn learn(&mut self, key: StepKey, step: Step) {
        if self.steps.len() < STEPS {
            self.steps.insert(key, step);
        }
    }
}
