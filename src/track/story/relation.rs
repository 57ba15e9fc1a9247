//! How a message stands to what went before in its attempt, as far as that decides what becomes of it.
//!
//! Not here: what its octets say ([`super::shape`]). Contract: messages of one shape that stand alike behind one story lead to one
//! story.

use std::ops::ControlFlow;

use crate::base::IkeSpi;
use crate::track::exchange;
use crate::track::facts::{ExchangeKind, Label, Side};

use super::shape::{MOST_HASHES, Outline};
use super::{Arrival, Telling, Tellings};

/// Which exchange a message belongs to: in IKEv2 its message id, as long as no exchange is told beside the story; else one of
/// these.
pub(super) type Place = u32;

/// No exchange that is known, and it has no message id of its own, or has one.
pub(super) const NONE: Place = 0;
pub(super) const NEW: Place = 1;
/// The first one of the story; the others follow.
pub(super) const OF_STORY: Place = 2;
/// One beside the story, of which there is this message, or there is not.
pub(super) const AGAIN: Place = 0xfe;
pub(super) const FOLLOWS: Place = 0xff;

/// In bits: who sent it, from where it was expected or not, whether it has the responder's SPI, which exchange it belongs to, what
/// its hashes say, and what its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Relation(u32);

const HASHES: u32 = 12;
const LENGTHS: u32 = HASHES + 2 * MOST_HASHES as u32;
/// Of what lengths tell: that a message of Quick Mode has room for a hash only, and that it is as long as one before.
const SHORT: u32 = 1;
const AS_LONG: u32 = 1 << 1;

impl Relation {
    /// Of a message that this side sent from another place than before or not. `responder_spi`: the one known before. `hashes`: what
    /// [`super::preview::Previewer::answers`] says. `None` if that cannot be said.
    #[inline]
    pub(super) fn new(
        outline: &Outline,
        responder_spi: IkeSpi,
        (from, moved): (Side, bool),
        (place, lengths): (Place, u32),
        hashes: u32,
    ) -> Option<Self> {
        let responder_spi = match (outline.responder_spi, responder_spi) {
            (IkeSpi::ZERO, IkeSpi::ZERO) => 0,
            (IkeSpi::ZERO, _) => 1,
            (_, IkeSpi::ZERO) => 2,
            (now, known) if now == known => 3,
            _ => return None,
        };
        if place > 0xff {
            return None;
        }
        let sent = responder_spi << 2 | u32::from(moved) << 1 | from.index() as u32;
        Some(Self(lengths << LENGTHS | hashes << HASHES | place << 4 | sent))
    }

    /// Whether it is a message of Quick Mode that has room for a hash only.
    pub(super) fn is_short(self) -> bool {
        self.0 >> LENGTHS & SHORT != 0
    }
}

impl Tellings {
    /// Which exchange of an attempt that tells all of them by its story a message belongs to. `None` if there are too many.
    #[inline]
    pub(super) fn place_in_story(&self, telling: &Telling, kind: ExchangeKind, outline: &Outline) -> Option<Place> {
        let id = outline.message_id.0;
        if outline.major == 2 {
            return Some(id);
        }
        let story = self.story(telling);
        let newest = story.exchanges.last();
        if story.goes_on_with_newest()
            && telling.messages.message_id() == id
            && newest.is_some_and(|&(it, _)| it == kind)
        {
            return Some(story.exchanges.len() as Place - 1 + OF_STORY);
        }
        let mut firsts = story.exchanges.iter().zip(OF_STORY..).peekable();
        let mut found = None;
        self.arrivals.of_story(&telling.messages, |number, arrival| {
            // the messages of an exchange have its message id
            if let Some((&(known, _), place)) = firsts.next_if(|((_, first), _)| usize::from(*first) == number)
                && (known, arrival.message_id) == (kind, id)
            {
                found = Some(place);
            }
            ControlFlow::Continue(())
        });
        Some(found.unwrap_or(if id == 0 { NONE } else { NEW }))
    }

    /// What its length tells of a message of Quick Mode: whether it holds a hash only, and whether it is as long as what its
    /// sender sent first there. `None` if its length is not its own.
    pub(super) fn lengths_of_quick_mode(
        &self,
        telling: &Telling,
        place: Place,
        (from, length): (Side, u16),
    ) -> Option<u32> {
        let story = self.story(telling);
        let is_short = exchange::is_for_hash_only(length.into(), story.hash);
        let first = || {
            let index = place.checked_sub(OF_STORY)? as usize;
            let exchange = story.template.exchanges.get(index)?;
            let label = Label::Qm(if from == exchange.started_by { 1 } else { 2 });
            let (_, messages) = story.ranges().nth(index)?;
            let place = exchange.messages.iter().position(|message| message.label == label)?;
            let place = *story.order.get(messages)?.get(place)?;
            let may_be = (story.short >> place & 1 != 0) == is_short;
            may_be.then(|| self.arrivals.nth(&telling.messages, place.into()))?
        };
        let is_as_long = first().is_some_and(|first: Arrival| first.length == length);
        (length > 0).then_some(if is_short { SHORT } else { 0 } | if is_as_long { AS_LONG } else { 0 })
    }
}
