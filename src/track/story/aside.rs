//! Messages beside the story: Informational exchanges of an attempt that has come far, liveness checks most of all. There may be
//! thousands of them, they change nothing but that they were there, and whose turn it is to ask is nobody's to foresee. So the
//! story stays as it is, and each of them is told by what it has in common with others of its kind.
//!
//! Not here: which exchanges those are ([`super::follow`], [`super::exchanges`]). Contract: as for stories; what is kept has a
//! ceiling.

use std::ops::Range;

use hashbrown::HashMap;

use crate::base::{FrameRef, MessageId};
use crate::track::attempt::MessageState;
use crate::track::facts::{Attempt, Exchange, ExchangeKind, IkeVersion, Label, MessageRecord, Side};

use super::exchanges::{Name, name};
use super::{Arrival, Story, own};

/// Messages of its story from which on the Informational exchanges of an attempt are told beside it.
pub(super) const BESIDE: u8 = 16;
/// Kinds of asides that are kept.
const MOST: usize = 1024;

/// Which message of its exchange an aside is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// The first one.
    Begins,
    /// Another one.
    Follows,
    /// A copy of one that came before.
    Again,
}

/// A message beside the story, without what is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aside {
    kind: ExchangeKind,
    started_by: Side,
    pub(super) part: Part,
    pub(super) record: MessageRecord,
}

/// All kinds of them. Those of an attempt name them by their place, from 1 on.
#[derive(Debug, Clone, Default)]
pub(super) struct Asides {
    kinds: Vec<Aside>,
    /// Repeats of a message that are remembered.
    pub(super) repeats_a_message: usize,
}

/// A message that came before: the frame in which it came first, and what is known of its copies.
pub(super) struct Known {
    pub(super) first: FrameRef,
    pub(super) state: MessageState,
}

/// What an attempt that is told has, in the order in which it began.
enum Piece {
    /// An exchange of the story, and where its messages stand there.
    OfStory(Range<usize>),
    /// An exchange beside it.
    Beside(Exchange, Vec<MessageState>),
}

impl Aside {
    /// What was filed last in an attempt, if it may be one: this part of an exchange, sent as `message` was, with this label.
    pub(super) fn of(attempt: &Attempt, part: Part, message: &Arrival, label: Label) -> Option<Self> {
        let (frame, id) = (message.frame(), MessageId(message.message_id));
        let is_it = |record: &MessageRecord| match part {
            Part::Begins | Part::Follows => record.frame == frame,
            Part::Again => record.label == label && record.from == message.from,
        };
        let exchange = attempt
            .exchanges
            .iter()
            .rfind(|exchange| exchange.message_id == id && exchange.messages.iter().any(is_it))?;
        let place = exchange.messages.iter().position(is_it)?;
        let is_part = match part {
            Part::Begins => place == 0 && exchange.messages.len() == 1,
            Part::Follows => place == 1 && exchange.messages.len() == 2,
            Part::Again => true,
        };
        let mut record = MessageRecord {
            repeats: Vec::new(),
            repeat_count: 0,
            recorded_again: 0,
            ..exchange.messages.get(place)?.clone()
        };
        own::blank(&mut record);
        is_part.then_some(Self { kind: exchange.kind, started_by: exchange.started_by, part, record })
    }

    /// What names its exchange, which has this message id.
    pub(super) fn exchange(&self, version: IkeVersion, message_id: u32) -> Name {
        name(version, (self.kind, self.started_by, message_id))
    }

    /// Whether a message of its exchange is it, or what it is a copy of.
    fn is_like(&self, record: &MessageRecord) -> bool {
        (self.record.label, self.record.from) == (record.label, record.from)
    }
}

impl Asides {
    pub(super) fn get(&self, number: u16) -> Option<&Aside> {
        self.kinds.get(usize::from(number).checked_sub(1)?)
    }

    /// The number of an aside, kept if it is new. `None` if there is no room for it.
    pub(super) fn keep(&mut self, aside: Aside) -> Option<u16> {
        if let Some(place) = self.kinds.iter().position(|known| *known == aside) {
            return Some(place as u16 + 1);
        }
        if self.kinds.len() >= MOST {
            return None;
        }
        self.kinds.push(aside);
        Some(self.kinds.len() as u16)
    }

    /// Whether a message begins an exchange beside the story.
    fn begins(&self, arrival: &Arrival) -> bool {
        self.get(arrival.aside).is_some_and(|aside| aside.part == Part::Begins)
    }

    /// Exchanges beside the story.
    pub(super) fn count(&self, arrivals: &[Arrival]) -> usize {
        arrivals.iter().filter(|arrival| self.begins(arrival)).count()
    }

    /// What came before of the message that is this aside of the exchange with this message id.
    pub(super) fn known(&self, version: IkeVersion, arrivals: &[Arrival], (aside, id): (&Aside, u32)) -> Option<Known> {
        let exchange = aside.exchange(version, id);
        let mut known: Option<Known> = None;
        for arrival in arrivals.iter().filter(|arrival| arrival.aside > 0 && arrival.message_id == id) {
            let Some(other) = self.get(arrival.aside) else { continue };
            if other.exchange(version, id) != exchange || !other.is_like(&aside.record) {
                continue;
            }
            match &mut known {
                None => known = Some(Known { first: arrival.frame(), state: MessageState::new(arrival.copy()) }),
                Some(Known { state, .. }) => state.take(arrival.copy(), state.again(&arrival.copy())),
            }
        }
        known
    }

    fn pieces(
        &self,
        story: &Story,
        arrivals: &[Arrival],
        mut fill: impl FnMut(&mut MessageRecord, &Arrival),
    ) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(story.exchanges.len() + arrivals.len() / 2);
        let (mut of_story, mut place) = (story.ranges().peekable(), 0);
        let mut known: HashMap<Name, usize> = HashMap::with_capacity(arrivals.len() / 2);
        for arrival in arrivals {
            let Some(aside) = self.get(arrival.aside) else {
                if let Some((_, range)) = of_story.next_if(|&(began, _)| began == place) {
                    pieces.push(Piece::OfStory(range));
                }
                place += 1;
                continue;
            };
            let name = aside.exchange(story.version, arrival.message_id);
            if aside.part == Part::Begins {
                known.insert(name, pieces.len());
                let (kind, started_by, message_id) = (aside.kind, aside.started_by, MessageId(arrival.message_id));
                let exchange = Exchange { kind, message_id, started_by, messages: Vec::with_capacity(2) };
                pieces.push(Piece::Beside(exchange, Vec::with_capacity(2)));
            }
            let piece = known.get(&name).and_then(|&piece| pieces.get_mut(piece));
            let Some(Piece::Beside(exchange, states)) = piece else { continue };
            if aside.part == Part::Again {
                let mut messages = exchange.messages.iter_mut().zip(states);
                if let Some((record, state)) = messages.find(|(record, _)| aside.is_like(record)) {
                    let again = state.again(&arrival.copy());
                    again.note(record, arrival.copy(), self.repeats_a_message);
                    state.take(arrival.copy(), again);
                }
            } else {
                let mut record = aside.record.clone();
                fill(&mut record, arrival);
                exchange.messages.push(record);
                states.push(MessageState::new(arrival.copy()));
            }
        }
        pieces
    }

    /// Puts what was told beside its story into an attempt that was filled by that: `of_story` of all that came. Answers the state of
    /// all messages, in the order of the records.
    pub(super) fn put_into(
        &self,
        attempt: &mut Attempt,
        story: &Story,
        (arrivals, of_story): (&[Arrival], &[Arrival]),
        fill: impl FnMut(&mut MessageRecord, &Arrival),
    ) -> Vec<MessageState> {
        let mut states = Vec::with_capacity(arrivals.len());
        let mut filled = std::mem::take(&mut attempt.exchanges).into_iter();
        for piece in self.pieces(story, arrivals, fill) {
            match piece {
                Piece::OfStory(range) => {
                    attempt.exchanges.extend(filled.next());
                    let places = story.order.get(range).unwrap_or_default();
                    let came = places.iter().filter_map(|&place| of_story.get(usize::from(place)));
                    states.extend(came.map(|arrival| MessageState::new(arrival.copy())));
                }
                Piece::Beside(exchange, of_exchange) => {
                    attempt.exchanges.push(exchange);
                    states.extend(of_exchange);
                }
            }
        }
        states
    }

    /// An attempt with these messages, without what is told beside its story.
    pub(super) fn left_out(&self, attempt: &Attempt, arrivals: &[Arrival]) -> Attempt {
        let beside: Vec<_> = arrivals.iter().filter(|arrival| self.begins(arrival)).map(Arrival::frame).collect();
        let mut attempt = attempt.clone();
        let is_beside =
            |exchange: &Exchange| exchange.messages.first().is_some_and(|first| beside.contains(&first.frame));
        if !beside.is_empty() {
            attempt.exchanges.retain(|exchange| !is_beside(exchange));
        }
        attempt
    }
}
