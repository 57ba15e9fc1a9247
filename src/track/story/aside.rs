//! Messages beside the story: Informational exchanges of an attempt that has come far, liveness checks most of all. There may be
//! thousands of them, they change nothing but that they were there, and whose turn it is to ask is nobody's to foresee. So the
//! story stays as it is, and each of them is told by what it has in common with others of its kind.
//!
//! Not here: which exchanges those are ([`super::follow`]). Contract: as for stories; what is kept has a ceiling.

use std::ops::Range;

use crate::base::MessageId;
use crate::track::attempt::Own;
use crate::track::facts::{Attempt, Exchange, ExchangeKind, MessageRecord, Side};

use super::{Arrival, Story, own};

/// Messages of its story from which on the Informational exchanges of an attempt are told beside it.
pub(super) const BESIDE: u8 = 16;
/// Kinds of asides that are kept.
const MOST: usize = 1024;

/// A message beside the story, without what is its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Aside {
    kind: ExchangeKind,
    started_by: Side,
    /// It begins an exchange; else it is the second message of the one that began with the aside before it.
    pub(super) begins: bool,
    pub(super) record: MessageRecord,
}

/// All kinds of them. Those of an attempt name them by their place, from 1 on.
#[derive(Debug, Clone, Default)]
pub(super) struct Asides(Vec<Aside>);

/// What an attempt that is told has, in the order in which it began.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    /// An exchange of the story, and where its messages stand there.
    OfStory(Range<usize>),
    /// An exchange beside it: where its messages stand among the arrivals, and the number of the aside that began it.
    Beside { messages: Vec<usize>, began: u16 },
}

impl Aside {
    /// The message of an attempt that was filed last, if it may be one.
    pub(super) fn of(attempt: &Attempt, message: &Arrival) -> Option<Self> {
        let frame = message.frame();
        let is_last = |exchange: &&Exchange| exchange.messages.last().is_some_and(|last| last.frame == frame);
        let exchange = attempt.exchanges.iter().rfind(is_last)?;
        let mut record = exchange.messages.last()?.clone();
        own::blank(&mut record);
        let begins = match exchange.messages.len() {
            1 => true,
            2 => false,
            _ => return None,
        };
        Some(Self { kind: exchange.kind, started_by: exchange.started_by, begins, record })
    }

    /// Kind, starter and message id of the exchange that it begins.
    pub(super) fn exchange_of(&self, message_id: u32) -> (ExchangeKind, Side, u32) {
        (self.kind, self.started_by, message_id)
    }

    fn exchange(&self, message_id: MessageId) -> Exchange {
        Exchange { kind: self.kind, message_id, started_by: self.started_by, messages: Vec::with_capacity(2) }
    }
}

impl Asides {
    pub(super) fn get(&self, number: u16) -> Option<&Aside> {
        self.0.get(usize::from(number).checked_sub(1)?)
    }

    /// The number of an aside, kept if it is new. `None` if there is no room for it.
    pub(super) fn keep(&mut self, aside: Aside) -> Option<u16> {
        if let Some(place) = self.0.iter().position(|known| *known == aside) {
            return Some(place as u16 + 1);
        }
        if self.0.len() >= MOST {
            return None;
        }
        self.0.push(aside);
        Some(self.0.len() as u16)
    }

    /// Whether a message begins an exchange beside the story.
    pub(super) fn begins(&self, arrival: &Arrival) -> bool {
        self.get(arrival.aside).is_some_and(|aside| aside.begins)
    }

    /// Kind, starter and message id of each exchange beside the story.
    pub(super) fn exchanges<'a>(
        &'a self,
        arrivals: &'a [Arrival],
    ) -> impl Iterator<Item = (ExchangeKind, Side, u32)> + use<'a> {
        let began = arrivals.iter().filter_map(|arrival| Some((self.get(arrival.aside)?, arrival.message_id)));
        began.filter(|(aside, _)| aside.begins).map(|(aside, id)| aside.exchange_of(id))
    }

    fn pieces(&self, story: &Story, arrivals: &[Arrival]) -> Vec<Piece> {
        let mut pieces = Vec::with_capacity(story.exchanges.len() + arrivals.len() / 2);
        let (mut of_story, mut place) = (story.ranges().peekable(), 0);
        for (index, arrival) in arrivals.iter().enumerate() {
            match (arrival.aside, pieces.last_mut()) {
                (0, _) => {
                    if let Some((_, range)) = of_story.next_if(|&(began, _)| began == place) {
                        pieces.push(Piece::OfStory(range));
                    }
                    place += 1;
                }
                (_, Some(Piece::Beside { messages, .. })) if !self.begins(arrival) => messages.push(index),
                (began, _) => pieces.push(Piece::Beside { messages: vec![index], began }),
            }
        }
        pieces
    }

    /// Puts what was told beside its story into an attempt that was filled by that.
    pub(super) fn put_into(
        &self,
        attempt: &mut Attempt,
        story: &Story,
        arrivals: &[Arrival],
        mut fill: impl FnMut(&mut MessageRecord, &Arrival),
    ) {
        let mut of_story = std::mem::take(&mut attempt.exchanges).into_iter();
        for piece in self.pieces(story, arrivals) {
            let (messages, began) = match piece {
                Piece::OfStory(_) => {
                    attempt.exchanges.extend(of_story.next());
                    continue;
                }
                Piece::Beside { messages, began } => (messages, began),
            };
            let own = |index: usize| arrivals.get(index);
            let id = messages.first().and_then(|&first| own(first)).map_or(0, |first| first.message_id);
            let Some(mut exchange) = self.get(began).map(|aside| aside.exchange(MessageId(id))) else { continue };
            for arrival in messages.into_iter().filter_map(own) {
                let Some(aside) = self.get(arrival.aside) else { continue };
                let mut record = aside.record.clone();
                fill(&mut record, arrival);
                exchange.messages.push(record);
            }
            attempt.exchanges.push(exchange);
        }
        attempt.exchanges.extend(of_story);
    }

    /// An attempt with these messages, without what is told beside its story.
    pub(super) fn left_out(&self, attempt: &Attempt, arrivals: &[Arrival]) -> Attempt {
        let beside: Vec<_> = arrivals.iter().filter(|arrival| self.begins(arrival)).map(Arrival::frame).collect();
        let mut attempt = attempt.clone();
        let is_beside = |exchange: &Exchange| exchange.messages.first().is_some_and(|first| beside.contains(&first.frame));
        if !beside.is_empty() {
            attempt.exchanges.retain(|exchange| !is_beside(exchange));
        }
        attempt
    }

    /// What is each message's own, in the order of the records.
    pub(super) fn owns(&self, story: &Story, arrivals: &[Arrival]) -> Vec<Own> {
        let of_story: Vec<&Arrival> = arrivals.iter().filter(|arrival| arrival.aside == 0).collect();
        let of_piece = |piece: Piece| -> Vec<Own> {
            match piece {
                Piece::OfStory(range) => {
                    let places = story.order.get(range).unwrap_or_default();
                    places.iter().filter_map(|&place| of_story.get(usize::from(place))).map(|own| own.own()).collect()
                }
                Piece::Beside { messages, .. } => {
                    messages.into_iter().filter_map(|index| arrivals.get(index)).map(Arrival::own).collect()
                }
            }
        };
        self.pieces(story, arrivals).into_iter().flat_map(of_piece).collect()
    }
}
