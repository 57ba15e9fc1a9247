//! Attempts that go as others went: told by a story that many share, and of each message only what is its own.
//!
//! A story is all that the facts of an attempt say after some messages, but for SPIs, addresses, times, frames, message ids
//! and lengths of what is encrypted. The next message leads from one story to another, always the same one if it has the same shape ([`shape`]) and
//! stands in the same relation to what went before. So the work of following a message is done once ([`follow`]), and
//! looked up ever after ([`stories`]). Where a story has become long, Informational exchanges are told beside it ([`aside`]).
//!
//! Not here: what a message means; that is decided where every message is filed. Contract: what is told comes out as if
//! each message had been filed by itself; a message told takes some twenty octets.

mod arrivals;
mod aside;
mod exchanges;
mod follow;
mod mould;
mod own;
mod preview;
mod relation;
mod shape;
mod stories;
mod told;

use std::hash::{Hash as _, Hasher as _};
use std::net::{IpAddr, SocketAddr};
use std::ops::Range;
use std::sync::Arc;

use crate::base::{FrameRef, IkeSpi, MessageId, Timestamp};

use super::attempt::{AttemptState, Followed, MessageState};
use super::facts::{Attempt, ExchangeKind, IkeVersion, Label, MessageRecord, Pair, Side};
use super::nat::HashAlgorithm;
use super::store::packed::{self, fingerprint};
use super::store::shelf::Shelf;

use arrivals::{Arrival, Arrivals, Line};
use aside::{Asides, BESIDE};

pub(super) use follow::Tale;
pub use mould::Moulds;
pub use preview::{Preview, Previewer};
pub(super) use stories::Stories;
pub(super) use told::Tally;
pub use told::{Passing, Told};

/// Messages that a story has at most.
const LONGEST: usize = 64;
/// No message of a story.
const NEVER: u8 = u8::MAX;

/// How attempts went so far.
#[derive(Debug, Clone)]
pub(super) struct Story {
    /// What is known of such an attempt; what is its own is blank.
    template: Arc<Attempt>,
    /// Its version, at hand for each message.
    version: IkeVersion,
    /// Which of its messages, in the order in which they came, each record of `template` is.
    order: Box<[u8]>,
    /// Which message began each of `template.moves`.
    moves: Box<[u8]>,
    /// Which message completed phase 1, which phase 2, and in which a NAT hash did not match first.
    phase1: u8,
    phase2: u8,
    mismatch: u8,
    messages: u8,
    /// What the last message was, and who sent it.
    label: Label,
    from: Side,
    /// The hash that was negotiated.
    hash: Option<HashAlgorithm>,
    /// Kind of each exchange, and which message began it.
    exchanges: Box<[(ExchangeKind, u8)]>,
    /// Messages of Quick Mode that have room for a hash only, a bit each.
    short: u64,
}

const _: () = assert!(LONGEST <= u64::BITS as usize);

/// An attempt that is told.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(128))]
struct Telling {
    initiator_spi: IkeSpi,
    responder_spi: IkeSpi,
    /// The addresses in short, the initiator's first.
    ends: u64,
    pair: u32,
    story: u16,
    place: Place,
    messages: Line,
}

const _: () =
    assert!(size_of::<Telling>() <= 128, "a message that is told touches two lines of the cache here, side by side");

/// The index of an attempt within its pair, and in the uppermost bit that the initiator is the end of the pair that sent
/// first.
#[derive(Debug, Clone, Copy)]
struct Place(u16);

impl Place {
    const IN_ORDER: u16 = 1 << 15;
    /// Attempts of a pair that are told.
    const MOST: usize = 1024;

    /// `None` if there are too many before it.
    fn new(index: usize, in_order: bool) -> Option<Self> {
        let index = u16::try_from(index).ok().filter(|&index| usize::from(index) < Self::MOST)?;
        Some(Self(index | if in_order { Self::IN_ORDER } else { 0 }))
    }

    fn index(self) -> u16 {
        self.0 & !Self::IN_ORDER
    }

    fn in_order(self) -> bool {
        self.0 & Self::IN_ORDER != 0
    }
}

impl Telling {
    /// Of the addresses of its pair, the initiator's first.
    fn ips(&self, (a, b): (IpAddr, IpAddr)) -> [IpAddr; 2] {
        if self.place.in_order() { [a, b] } else { [b, a] }
    }
}

/// All that is told.
#[derive(Debug, Clone, Default)]
pub(super) struct Tellings {
    stories: Vec<Story>,
    rows: Shelf<Telling>,
    arrivals: Arrivals,
    asides: Asides,
    free_rows: Vec<u32>,
}

impl Tellings {
    /// Repeats of a message that are remembered.
    pub(super) fn limit_repeats(&mut self, repeats_a_message: usize) {
        self.asides.repeats_a_message = repeats_a_message;
    }

    fn row(&self, row: u32) -> &Telling {
        &self.rows[row]
    }

    fn story(&self, row: &Telling) -> &Story {
        &self.stories[usize::from(row.story)]
    }

    /// The messages of an attempt in the order in which they came.
    fn arrivals(&self, row: &Telling) -> Vec<Arrival> {
        self.arrivals.all(&row.messages)
    }

    /// Version and SPIs, the initiator's first.
    pub(super) fn spis(&self, row: u32) -> (IkeVersion, IkeSpi, IkeSpi) {
        let row = self.row(row);
        (self.story(row).version, row.initiator_spi, row.responder_spi)
    }

    /// When and in which frame an attempt begins.
    pub(super) fn beginning(&self, row: u32) -> (Timestamp, FrameRef) {
        let first = self.arrivals.nth(&self.row(row).messages, 0);
        first.map_or((Timestamp::default(), FrameRef::new(0, 0)), |first| (first.at(), first.frame()))
    }

    /// What an attempt has in common with others.
    pub(super) fn template(&self, row: u32) -> &Arc<Attempt> {
        &self.story(self.row(row)).template
    }

    /// Exchanges of an attempt.
    pub(super) fn exchanges(&self, row: u32) -> usize {
        let row = self.row(row);
        let story = self.story(row);
        let beside = if story.has_asides(row) { self.asides.count(&self.arrivals(row)) } else { 0 };
        story.exchanges.len() + beside
    }

    /// Octets that the messages of an attempt take.
    pub(super) fn alone(&self, row: u32) -> usize {
        let messages = &self.row(row).messages;
        self.arrivals.octets_of(messages) + exchanges::octets_of(messages.count())
    }

    /// The attempt of a pair of these ends, at work.
    pub(super) fn followed(&self, row: u32, ends: (IpAddr, IpAddr)) -> Followed {
        let row = self.row(row);
        let story = self.story(row);
        story.followed(row, (&self.arrivals(row), &self.asides), ends)
    }

    /// What the attempts of a pair tell of it: everything but attempts and flows.
    pub(super) fn outline(&self, rows: &[u32], ends: (IpAddr, IpAddr), pair: &mut Pair) {
        let mut tally = Tally::of(pair, ends);
        for row in rows.iter().map(|&row| self.row(row)) {
            self.arrivals.each(&row.messages, |arrival| tally.add_message(row.place, &arrival, pair));
        }
    }

    /// Forgets an attempt.
    pub(super) fn release(&mut self, row: u32) {
        let messages = self.row(row).messages;
        self.arrivals.release(&messages);
        self.free_rows.push(row);
    }

    #[inline(always)]
    fn place_row(&mut self, row: Telling) -> u32 {
        match self.free_rows.pop() {
            Some(place) => {
                self.rows[place] = row;
                place
            }
            None => self.rows.push(row),
        }
    }
}

impl Story {
    /// How attempts begin of which there is no message yet.
    fn beginning(template: Attempt) -> Self {
        Self {
            version: template.version,
            template: Arc::new(own::blanked(template, &[])),
            order: Box::default(),
            moves: Box::default(),
            phase1: NEVER,
            phase2: NEVER,
            mismatch: NEVER,
            messages: 0,
            label: Label::Other(0),
            from: Side::Initiator,
            hash: None,
            exchanges: Box::default(),
            short: 0,
        }
    }

    /// How an attempt went, which went like `self` before the last message came. `None` if it cannot be told: more changed than
    /// one message more.
    fn goes_on(
        &self,
        facts: Attempt,
        hash: Option<HashAlgorithm>,
        (frame, is_short): (FrameRef, bool),
    ) -> Option<Self> {
        let place = self.messages;
        let (mut order, mut exchanges) = (Vec::new(), Vec::new());
        let mut known = self.order.iter();
        let mut new = None;
        for (index, exchange) in facts.exchanges.iter().enumerate() {
            let before = self.template.exchanges.get(index).map_or(0, |exchange| exchange.messages.len());
            let informal = |label| matches!(label, Label::Inf | Label::Stray | Label::Other(_));
            for (number, record) in exchange.messages.iter().enumerate() {
                if number < before {
                    order.push(*known.next()?);
                    continue;
                }
                // whether one of several informal messages repeats another depends on what is not told
                if new.is_some() || record.frame != frame || (informal(record.label) && number > 0) {
                    return None;
                }
                new = Some((record.label, record.from));
                order.push(place);
            }
            exchanges.push((exchange.kind, *order.get(order.len().checked_sub(exchange.messages.len())?)?));
        }
        let (label, from) = new?;
        let began = |before: u8, now: bool| match (before, now) {
            (NEVER, true) => place,
            (before, _) => before,
        };
        let moves: Box<[u8]> =
            self.moves.iter().copied().chain((self.moves.len()..facts.moves.len()).map(|_| place)).collect();
        Some(Self {
            // the last answer of IKE_AUTH counts
            phase1: match facts.phase1_up {
                None => NEVER,
                Some(_) if label == Label::AUTH_RSP => place,
                Some(_) => began(self.phase1, true),
            },
            phase2: began(self.phase2, facts.phase2_up.is_some()),
            mismatch: began(self.mismatch, facts.nat.mismatch_frame.is_some()),
            version: self.version,
            template: Arc::new(own::blanked(facts, &exchanges)),
            order: order.into(),
            moves,
            messages: place.checked_add(1).filter(|&count| usize::from(count) <= LONGEST)?,
            short: self.short | u64::from(is_short) << place,
            label,
            from,
            hash,
            exchanges: exchanges.into(),
        })
    }

    /// Whether Informational exchanges are told beside it from now on.
    fn is_long(&self) -> bool {
        self.messages >= BESIDE
    }

    /// Whether it stays as it is, whatever encrypted Informational exchanges there are: such say nothing of an SA that is up.
    fn bears_asides(&self) -> bool {
        let Attempt { stage, roles_known, phase1_up, .. } = *self.template;
        self.is_long() && roles_known && phase1_up.is_some() && stage.rank().is_some()
    }

    /// Whether the last message belongs to the exchange that began last.
    fn goes_on_with_newest(&self) -> bool {
        self.order.last().is_some_and(|&last| last + 1 == self.messages)
    }

    /// Whether exchanges of such an attempt are told beside its story.
    fn has_asides(&self, row: &Telling) -> bool {
        row.messages.count() > self.messages.into()
    }

    /// The message id of an exchange of the story; `own` tells that of a message.
    fn message_id(&self, exchange: usize, own: impl FnOnce(u8) -> u32) -> MessageId {
        let began = self.exchanges.get(exchange).map(|&(_, began)| began);
        match began.filter(|&began| own::has_own_id(self.version, began)) {
            Some(began) => MessageId(own(began)),
            None => self.template.exchanges.get(exchange).map_or(MessageId(0), |exchange| exchange.message_id),
        }
    }

    /// The message of the story that began each exchange, and where its messages stand in `order`.
    fn ranges(&self) -> impl Iterator<Item = (u8, Range<usize>)> {
        let mut start = 0;
        self.exchanges.iter().zip(&self.template.exchanges).map(move |(&(_, began), exchange)| {
            let end = start + exchange.messages.len();
            (began, std::mem::replace(&mut start, end)..end)
        })
    }

    /// Fills an attempt that was made from the template, between these addresses, the initiator's first.
    fn fill(&self, row: &Telling, (arrivals, asides): (&[Arrival], &Asides), ips: [IpAddr; 2], attempt: &mut Attempt) {
        if self.has_asides(row) {
            self.fill_all(row, (arrivals, asides), ips, attempt);
        } else {
            self.fill_alone(row, arrivals, ips, attempt);
        }
    }

    /// The same of one that has asides. Answers the state of its messages, in the order of the records.
    fn fill_all(
        &self,
        row: &Telling,
        (arrivals, asides): (&[Arrival], &Asides),
        ips: [IpAddr; 2],
        attempt: &mut Attempt,
    ) -> Vec<MessageState> {
        let of_story: Vec<Arrival> = arrivals.iter().copied().filter(|arrival| arrival.aside == 0).collect();
        self.fill_alone(row, &of_story, ips, attempt);
        let states = asides.put_into(attempt, self, (arrivals, &of_story), |record, own| put_own(record, own, ips));
        let latest = arrivals.iter().map(Arrival::at).max();
        attempt.last = attempt.last.max(latest.unwrap_or_default());
        attempt.last_frame = arrivals.last().map_or(attempt.last_frame, Arrival::frame);
        states
    }

    /// The same, of the messages of the story.
    fn fill_alone(&self, row: &Telling, arrivals: &[Arrival], ips: [IpAddr; 2], attempt: &mut Attempt) {
        let ([first, ..], [.., last]) = (arrivals, arrivals) else { return };
        let own = |place: u8| &arrivals[usize::from(place)];
        (attempt.initiator_spi, attempt.responder_spi) = (row.initiator_spi, row.responder_spi);
        attempt.initiator = SocketAddr::new(ips[0], first.ports[0]);
        attempt.responder = SocketAddr::new(ips[1], first.ports[1]);
        (attempt.first, attempt.first_frame, attempt.last_frame) = (first.at(), first.frame(), last.frame());
        attempt.last = last.at();
        let mut order = self.order.iter().map(|&place| own(place));
        for (exchange, &(_, began)) in attempt.exchanges.iter_mut().zip(&self.exchanges) {
            if own::has_own_id(attempt.version, began) {
                exchange.message_id = MessageId(own(began).message_id);
            }
            for (record, own) in exchange.messages.iter_mut().zip(&mut order) {
                put_own(record, own, ips);
                attempt.last = attempt.last.max(record.at);
            }
        }
        for (step, &place) in attempt.moves.iter_mut().zip(&self.moves) {
            let own = own(place);
            (step.at, step.frame) = (own.at(), own.frame());
            step.to = SocketAddr::new(ips[step.side.index()], own.ports[0]);
        }
        let own = |place: u8| (place != NEVER).then(|| own(place));
        attempt.nat.mismatch_frame = own(self.mismatch).map(Arrival::frame);
        attempt.phase1_up = own(self.phase1).map(Arrival::at);
        attempt.phase2_up = own(self.phase2).map(Arrival::at);
    }

    fn followed(&self, row: &Telling, (arrivals, asides): (&[Arrival], &Asides), ends: (IpAddr, IpAddr)) -> Followed {
        let mut facts = Attempt::clone(&self.template);
        let states = if self.has_asides(row) {
            self.fill_all(row, (arrivals, asides), row.ips(ends), &mut facts)
        } else {
            self.fill_alone(row, arrivals, row.ips(ends), &mut facts);
            self.order.iter().map(|&place| MessageState::new(arrivals[usize::from(place)].copy())).collect()
        };
        let ports = row.messages.ports();
        let current = [(facts.initiator, 0), (facts.responder, 1)]
            .map(|(endpoint, side): (SocketAddr, usize)| SocketAddr::new(endpoint.ip(), ports[side]));
        let state = AttemptState::of(&facts, current, states);
        Followed { facts, state }
    }

    /// Octets, about, that it takes.
    fn octets(&self) -> usize {
        size_of::<Self>() + packed::weight(&self.template)
    }

    fn fingerprint(&self) -> u64 {
        let mut hasher = super::hasher();
        hasher.write_u64(fingerprint(&self.template));
        (&self.order, &self.moves, self.phase1, self.phase2, self.mismatch, self.label, self.from).hash(&mut hasher);
        self.short.hash(&mut hasher);
        hasher.finish()
    }

    fn is(&self, other: &Self) -> bool {
        self.order == other.order
            && self.moves == other.moves
            && (self.phase1, self.phase2, self.mismatch) == (other.phase1, other.phase2, other.mismatch)
            && (self.label, self.from, self.hash) == (other.label, other.from, other.hash)
            && self.short == other.short
            && self.template == other.template
    }
}

/// Puts what is a message's own into what it shares with others.
fn put_own(record: &mut MessageRecord, own: &Arrival, ips: [IpAddr; 2]) {
    let from = record.from.index();
    (record.frame, record.at) = (own.frame(), own.at());
    if own.length > 0 {
        record.length = own.length.into();
    }
    record.source = SocketAddr::new(ips[from], own.ports[0]);
    record.destination = SocketAddr::new(ips[1 - from], own.ports[1]);
}
