//! Following messages by story: what is known is looked up, what is not is filed in full once and learnt from.
//!
//! Not here: filing ([`super::super::attempt`]). Contract: a step is learnt only if what it leads to comes out exactly as it
//! was filed; it is taken only by messages of which nothing else matters than what it was learnt for.

use std::mem;
use std::net::IpAddr;

use crate::base::IkeSpi;
use crate::isakmp::Header;
use crate::packet::{Datagram, IsakmpDatagram};

use super::super::attempt::Again;
use super::super::facts::{Attempt, ExchangeKind, IkeVersion, Label, Pair, Side};
use super::super::nat::HashAlgorithm;
use super::super::store::slot::{Body, Kept, Slot};
use super::super::{Observed, Tracker};
use super::aside::{Aside, BESIDE, Known, Part};
use super::own::has_own_id;
use super::preview::{Preview, Previewer};
use super::relation::{self, NEW, Relation};
use super::stories::{BEGINNINGS, OF_ASIDES, Step, StepKey};
use super::{Arrival, Line, Place, Story, Telling};
use crate::track::store::slot::NONE;

/// What became of a message that can be followed by story.
#[derive(Debug)]
pub(in crate::track) enum Tale {
    /// It was told.
    Told(Named),
    /// It was told as one more copy of another.
    Again(Observed),
    /// It is to be filed in full, and learnt from.
    New(Box<Lesson>),
}

/// A message that was told. Small, as it is handed from one to the other.
#[derive(Debug, Clone, Copy)]
pub(in crate::track) struct Named {
    pair: u32,
    attempt: u16,
    label: Label,
    from: Side,
    shape: u32,
}

impl From<Named> for Observed {
    #[inline(always)]
    fn from(Named { pair, attempt, label, from, shape }: Named) -> Self {
        Self { shape: Some(shape), ..Self::of(pair as usize, attempt.into(), label, from) }
    }
}

/// A step that is to be learnt, and the attempt at which it was met.
#[derive(Debug)]
pub(in crate::track) struct Lesson {
    key: StepKey,
    /// Which part of an exchange it is, if it may be told beside the story.
    beside: Option<Part>,
    /// How it went before; `None` if it begins with this message.
    story: Option<u16>,
    /// Its messages before, and this one.
    arrivals: Vec<Arrival>,
}

/// The attempt that a message goes on with, and how.
struct Found {
    row: u32,
    shape: u32,
    arrival: Arrival,
}

impl Tracker {
    /// Follows a message by story. `None` if it is to be filed in full.
    pub(in crate::track) fn tell(&mut self, datagram: &Datagram<'_>, isakmp: &IsakmpDatagram<'_>) -> Option<Tale> {
        if self.stories.off || datagram.missing > 0 {
            return None;
        }
        let mut scratch = mem::take(&mut self.stories.scratch);
        let (moulds, shapes) = &mut scratch;
        moulds.begin();
        shapes.clear();
        let (ends, mut preview) = ((&datagram.source, &datagram.destination), Preview::default());
        let read = self.previewer().preview(isakmp, ends, datagram.fragments, (moulds, shapes), &mut preview);
        let tale = read.and_then(|()| self.tell_of(datagram, isakmp, (&preview, shapes)));
        self.stories.scratch = scratch;
        tale
    }

    /// Follows a message by story that was read ahead; its shape is in `shapes`. `None` if it is to be filed in full.
    #[inline]
    pub(in crate::track) fn tell_of(
        &mut self,
        datagram: &Datagram<'_>,
        isakmp: &IsakmpDatagram<'_>,
        (preview, shapes): (&Preview, &[u8]),
    ) -> Option<Tale> {
        let stories = &mut self.stories;
        if stories.off || datagram.frame.packed().is_none() || stories.count == u32::MAX {
            return None;
        }
        let shape = stories.shape(preview, preview.shape(shapes))?;
        if self.is_full() || self.pairs.tellings.arrivals.is_full() {
            return None;
        }
        match self.stories.take_up(&self.pairs.tellings, preview.outline.initiator_spi) {
            Some(row) => self.go_on(datagram, isakmp, preview, shape, row),
            None => self.begin(datagram, isakmp, preview, shape),
        }
    }

    /// A message of an attempt that is told.
    #[inline]
    fn go_on(
        &mut self,
        datagram: &Datagram<'_>,
        isakmp: &IsakmpDatagram<'_>,
        preview: &Preview,
        shape: u32,
        row: u32,
    ) -> Option<Tale> {
        let outline = &preview.outline;
        let tellings = &self.pairs.tellings;
        let telling = tellings.row(row);
        let story = tellings.story(telling);
        let version = if outline.major == 2 { IkeVersion::V2 } else { IkeVersion::V1 };
        let from = if telling.ends == self.stories.ends(&datagram.source, &datagram.destination) {
            Side::Initiator
        } else if telling.ends == self.stories.ends(&datagram.destination, &datagram.source) {
            Side::Responder
        } else {
            return None;
        };
        if story.version != version || telling.messages.count() >= self.limits.messages_an_attempt {
            return None;
        }
        let kind = self.stories.shapes[shape as usize].kind;
        let (place, beside) = match story.is_long() {
            true => self.stories.exchanges.of(tellings, row, (kind, from), outline)?,
            false => (tellings.place_in_story(telling, kind, outline)?, None),
        };
        let algorithm = if version == IkeVersion::V2 { Some(HashAlgorithm::Sha1) } else { story.hash };
        let hashes = self.hashes(datagram, isakmp, preview, algorithm)?;
        let moved = telling.messages.ports()[from.index()] != isakmp.source_port;
        let lengths = if kind == ExchangeKind::QuickMode {
            tellings.lengths_of_quick_mode(telling, place, (from, outline.own_length))?
        } else {
            0
        };
        let relation = Relation::new(outline, telling.responder_spi, (from, moved), (place, lengths), hashes)?;
        // what becomes of an aside is the same beside any story
        let from_story = if beside.is_some() { OF_ASIDES - u32::from(outline.major) } else { telling.story.into() };
        let key = StepKey { story: from_story, shape, relation };
        let mut arrival = self.arrival(datagram, isakmp, preview, from);
        if !has_own_id(version, story.messages) {
            // IKEv2's count exchanges, which is for the story to tell
            arrival.message_id = 0;
        }
        match self.stories.step(key) {
            Some(Step::To(story)) => Some(Tale::Told(self.step(Found { row, shape, arrival }, preview, story))),
            Some(Step::Beside(aside)) => self.tell_aside(Found { row, shape, arrival: Arrival { aside, ..arrival } }),
            Some(Step::Full) => None,
            None if !self.stories.may_learn(telling.messages.count()) => None,
            None => {
                let mut arrivals = tellings.arrivals(telling);
                arrivals.push(arrival);
                Some(Tale::New(Box::new(Lesson { key, beside, story: Some(telling.story), arrivals })))
            }
        }
    }

    /// A message of no attempt that is told: perhaps the first of one.
    fn begin(
        &mut self,
        datagram: &Datagram<'_>,
        isakmp: &IsakmpDatagram<'_>,
        preview: &Preview,
        shape: u32,
    ) -> Option<Tale> {
        let outline = &preview.outline;
        let kind = self.stories.shapes[shape as usize].kind;
        let sent_by_initiator = match kind {
            ExchangeKind::MainMode | ExchangeKind::AggressiveMode => true,
            ExchangeKind::IkeSaInit | ExchangeKind::IkeSessionResume => {
                outline.flags & Header::INITIATOR != 0 || outline.flags & Header::RESPONSE == 0
            }
            _ => return None,
        };
        if !outline.responder_spi.is_zero() || !sent_by_initiator {
            return None;
        }
        let (source, destination) = (datagram.source, datagram.destination);
        let pair = self.pair_known(source, destination);
        if let Some(pair) = pair {
            let told = match &self.pairs.slots.get(pair)?.body {
                Body::Told(rows) => rows.len(),
                _ => return None,
            };
            let ends = self.pairs.ends(pair)?;
            if told >= Place::MOST || (ends != (source, destination) && ends != (destination, source)) {
                return None;
            }
        }
        let algorithm = (outline.major == 2).then_some(HashAlgorithm::Sha1);
        let place = match outline.message_id.0 {
            id if outline.major == 2 => id,
            0 => relation::NONE,
            _ => NEW,
        };
        let hashes = self.hashes(datagram, isakmp, preview, algorithm)?;
        let relation = Relation::new(outline, IkeSpi::ZERO, (Side::Initiator, false), (place, 0), hashes)?;
        let key = StepKey { story: BEGINNINGS - u32::from(outline.major), shape, relation };
        let mut arrival = self.arrival(datagram, isakmp, preview, Side::Initiator);
        if outline.major == 2 {
            arrival.message_id = 0;
        }
        let story = match self.stories.step(key) {
            Some(Step::To(story)) => story,
            Some(Step::Full | Step::Beside(_)) => return None,
            None => {
                return Some(Tale::New(Box::new(Lesson { key, beside: None, story: None, arrivals: vec![arrival] })));
            }
        };
        let pair = match pair {
            Some(pair) => {
                if !self.room_for_attempt(pair) {
                    return None;
                }
                pair
            }
            None => {
                let pair = self.place_pair(Slot::told((source, destination)))?;
                self.pair_index.insert(&self.pairs, pair);
                pair
            }
        };
        let slot = self.pairs.slots.get_mut(pair)?;
        let in_order = slot.ends() == (source, destination);
        let Body::Told(rows) = &mut slot.body else { return None };
        let index = rows.len();
        let row = self.pairs.tellings.place_row(Telling {
            initiator_spi: outline.initiator_spi,
            responder_spi: IkeSpi::ZERO,
            ends: self.stories.ends(&source, &destination),
            messages: Line::EMPTY,
            pair: pair as u32,
            story,
            place: Place::new(index, in_order)?,
        });
        rows.push(row);
        self.attempt_count += 1;
        self.index_attempt(pair, index);
        self.stories.enter(&self.pairs.tellings, row);
        Some(Tale::Told(self.step(Found { row, shape, arrival }, preview, story)))
    }

    /// Takes an attempt to its next story.
    #[inline(always)]
    fn step(&mut self, Found { row, shape, arrival }: Found, preview: &Preview, story: u16) -> Named {
        let tellings = &mut self.pairs.tellings;
        let telling = &mut tellings.rows[row];
        self.held += tellings.arrivals.add(&mut telling.messages, &arrival);
        telling.story = story;
        if telling.responder_spi.is_zero() {
            telling.responder_spi = preview.outline.responder_spi;
        }
        let (pair, attempt) = (telling.pair, telling.place.index());
        let Story { label, messages, .. } = tellings.stories[usize::from(story)];
        if messages >= BESIDE {
            self.held += self.stories.exchanges.go_on(tellings, row, &arrival);
        }
        Named { pair, attempt, label, from: arrival.from, shape }
    }

    /// One more message beside the story of an attempt.
    fn tell_aside(&mut self, Found { row, shape, arrival }: Found) -> Option<Tale> {
        let tellings = &mut self.pairs.tellings;
        let aside = tellings.asides.get(arrival.aside)?;
        let label = aside.record.label;
        let known = match aside.part {
            Part::Begins | Part::Follows => None,
            Part::Again => {
                let telling = tellings.row(row);
                let version = tellings.story(telling).version;
                let id = arrival.message_id;
                let known = tellings.asides.known(version, &tellings.arrivals(telling), (aside, id))?;
                if version == IkeVersion::V1 && known.state.digest != arrival.digest {
                    // another message under the same id
                    return None;
                }
                Some(known)
            }
        };
        let telling = &mut tellings.rows[row];
        self.held += tellings.arrivals.add(&mut telling.messages, &arrival);
        let (pair, attempt) = (telling.pair, telling.place.index());
        self.held += self.stories.exchanges.go_on(tellings, row, &arrival);
        let named = Named { pair, attempt, label, from: arrival.from, shape };
        Some(match known {
            None => Tale::Told(named),
            Some(Known { first, state }) => {
                let (retransmission_of, recorded_before) = match state.again(&arrival.copy()) {
                    Again::Recorded => (None, Some(state.last_frame())),
                    Again::Sent { .. } => (Some(first), None),
                };
                Tale::Again(Observed { retransmission_of, recorded_before, shape: None, ..named.into() })
            }
        })
    }

    /// See [`Previewer::answers`].
    #[inline]
    fn hashes(
        &self,
        datagram: &Datagram<'_>,
        isakmp: &IsakmpDatagram<'_>,
        preview: &Preview,
        algorithm: Option<HashAlgorithm>,
    ) -> Option<u32> {
        preview.answers.or_else(|| {
            self.previewer().answers(isakmp, (&datagram.source, &datagram.destination), &preview.outline, algorithm)
        })
    }

    /// Reads messages ahead for this tracker.
    #[inline]
    pub fn previewer(&self) -> Previewer {
        Previewer { hasher: self.stories.hasher.clone(), nat_checks: self.shared.nat_checks }
    }

    #[inline(always)]
    fn arrival(&self, datagram: &Datagram<'_>, isakmp: &IsakmpDatagram<'_>, preview: &Preview, from: Side) -> Arrival {
        let Preview { outline, digest, .. } = preview;
        Arrival {
            at: datagram.at.as_nanos(),
            // one that cannot be packed is not told
            frame: datagram.frame.packed().unwrap_or_default(),
            number: self.stories.count,
            message_id: outline.message_id.0,
            digest: *digest,
            ip_id: datagram.ip_id,
            ports: [isakmp.source_port, isakmp.destination_port],
            length: outline.own_length,
            aside: 0,
            from,
        }
    }

    /// The message of `lesson` was filed in full: what there is to learn from it is learnt, and its attempt is told on.
    #[cold]
    pub(in crate::track) fn learn(&mut self, lesson: Lesson, observed: &Observed) {
        let (key, beside) = (lesson.key, lesson.beside);
        match self.try_to_learn(lesson, observed) {
            Some(step) => self.stories.learn(key, step),
            // that this one cannot be told says nothing of other stories
            None if beside.is_some() => {}
            None => self.stories.learn(key, Step::Full),
        }
    }

    fn try_to_learn(&mut self, lesson: Lesson, observed: &Observed) -> Option<Step> {
        let Lesson { key, beside, story: known, mut arrivals } = lesson;
        let slot = self.pairs.slots.get(observed.pair)?;
        let ends = slot.ends();
        let Body::Open(open) = &slot.body else { return None };
        let mut rows = Vec::with_capacity(open.attempts.len());
        for (index, kept) in open.attempts.iter().enumerate() {
            match kept {
                Kept::Told(row) => rows.push(*row),
                Kept::Open(_) if index == observed.attempt && index == rows.len() => rows.push(NONE),
                _ => return None,
            }
        }
        let Kept::Open(followed) = open.attempts.get(observed.attempt)? else { return None };
        let facts = &followed.facts;
        if self.stories.find(&self.pairs.tellings, facts.initiator_spi).is_some() {
            return None;
        }
        let before = match known {
            Some(story) => self.pairs.tellings.stories.get(usize::from(story))?.clone(),
            None => Story::beginning(Attempt { exchanges: Vec::new(), moves: Vec::new(), ..facts.clone() }),
        };
        let last = arrivals.last_mut()?;
        let story = if let Some(part) = beside {
            let aside = Aside::of(facts, part, last, observed.label)?;
            last.aside = self.pairs.tellings.asides.keep(aside)?;
            before
        } else {
            let this = (last.frame(), key.relation.is_short());
            let facts = self.pairs.tellings.asides.left_out(facts, &arrivals);
            let story = before.goes_on(facts, followed.state.hash, this)?;
            if (story.label, story.from) != (observed.label, observed.from) {
                return None;
            }
            story
        };
        let telling = Telling {
            initiator_spi: facts.initiator_spi,
            responder_spi: facts.responder_spi,
            ends: self.stories.ends(&facts.initiator.ip(), &facts.responder.ip()),
            messages: Line::behind(&arrivals),
            pair: observed.pair as u32,
            story: 0,
            place: Place::new(observed.attempt, facts.initiator.ip() == ends.0)?,
        };
        let again = story.followed(&telling, (&arrivals, &self.pairs.tellings.asides), ends);
        if again.facts != *facts || !again.state.is(&followed.state) {
            return None;
        }
        let alone = followed.alone();
        let (story, step) = match arrivals.last()?.aside {
            0 => {
                let story = self.stories.keep(&mut self.pairs.tellings, story)?;
                (story, Step::To(story))
            }
            aside => (known?, Step::Beside(aside)),
        };
        let row = self.place_telling(Telling { story, messages: Line::EMPTY, ..telling }, &arrivals);
        rows[observed.attempt] = row;
        if self.tells_all(observed.pair, &rows, ends) {
            for (index, &row) in rows.iter().enumerate() {
                self.by_spis.remove(&self.pairs, observed.pair, index);
                self.stories.enter(&self.pairs.tellings, row);
            }
            self.held = (self.held + self.pairs.tellings.alone(row)).saturating_sub(alone);
            self.pairs.slots.get_mut(observed.pair)?.body = Body::Told(rows.into_iter().collect());
        } else {
            self.pairs.tellings.release(row);
        }
        Some(step)
    }

    /// Whether everything that is known of a pair is told by its attempts.
    fn tells_all(&self, pair: usize, rows: &[u32], ends: (IpAddr, IpAddr)) -> bool {
        let Some(Slot { body: Body::Open(open), .. }) = self.pairs.slots.get(pair) else { return false };
        let mut told = Pair::blank(ends);
        self.pairs.tellings.outline(rows, ends, &mut told);
        told == open.pair
    }

    fn place_telling(&mut self, telling: Telling, arrivals: &[Arrival]) -> u32 {
        let tellings = &mut self.pairs.tellings;
        let mut row = telling;
        for arrival in arrivals {
            tellings.arrivals.add(&mut row.messages, arrival);
        }
        tellings.place_row(row)
    }

    /// From now on the messages of a pair are filed in full.
    #[cold]
    pub(in crate::track) fn hand_over(&mut self, pair: usize) {
        let Some(slot) = self.pairs.slots.get(pair) else { return };
        let Body::Told(rows) = &slot.body else { return };
        for &row in rows.iter() {
            self.stories.take_out(&self.pairs.tellings, row);
        }
        for index in 0..rows.len() {
            let answered = self.pairs.spis(pair, index).is_some_and(|(_, _, responder)| !responder.is_zero());
            if answered {
                self.by_spis.insert(&self.pairs, pair, index);
            }
        }
        let Some(slot) = self.pairs.slots.get_mut(pair) else { return };
        slot.open(&self.pairs.tellings);
    }

    /// The attempt that is told and has both of these SPIs.
    pub(in crate::track) fn told_by_spis(
        &self,
        version: IkeVersion,
        initiator: IkeSpi,
        responder: IkeSpi,
    ) -> Option<(usize, usize)> {
        let row = self.stories.find(&self.pairs.tellings, initiator)?;
        let telling = self.pairs.tellings.row(row);
        (self.pairs.tellings.spis(row) == (version, initiator, responder))
            .then_some((telling.pair as usize, telling.place.index().into()))
    }

    /// Forgets the attempts of a pair that are told.
    pub(in crate::track) fn forget_told(&mut self, pair: usize) {
        let Some(Slot { body: Body::Told(rows), .. }) = self.pairs.slots.get(pair) else { return };
        for &row in rows.iter() {
            self.stories.take_out(&self.pairs.tellings, row);
            self.pairs.tellings.release(row);
        }
    }
}
