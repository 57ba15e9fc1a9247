//! An attempt that is told, for who needs no more of it than what it shares with others and what is its own.
//!
//! Not here: a whole [`Attempt`], which is a copy of the template, filled. Contract: what is said here of an attempt is
//! what stands in it when it is brought out whole.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use crate::base::{FrameRef, IkeSpi, MessageId, Timestamp};

use super::aside::Asides;
use super::{Arrival, NEVER, Place, Story, Telling, Tellings};
use crate::track::facts::{Attempt, Move, Pair, Seen, Side};

/// An attempt that goes as others went. What is asked of its messages is asked of those in the template.
#[derive(Debug, Clone)]
pub struct Told<'f> {
    row: &'f Telling,
    story: &'f Story,
    /// In the order in which they came.
    arrivals: Vec<Arrival>,
    asides: &'f Asides,
    /// The initiator's first.
    ips: [IpAddr; 2],
}

/// What is a message's own.
#[derive(Debug, Clone, Copy)]
pub struct Passing(Arrival);

impl Passing {
    /// When.
    pub fn at(self) -> Timestamp {
        self.0.at()
    }

    /// The frame.
    pub fn frame(self) -> FrameRef {
        self.0.frame()
    }

    /// Source and destination.
    pub fn ports(self) -> [u16; 2] {
        self.0.ports
    }

    /// Octets of it; `None` if the template tells.
    pub fn length(self) -> Option<u16> {
        (self.0.length > 0).then_some(self.0.length)
    }
}

impl Tellings {
    /// The attempt of a pair of these ends, where it stands. `None` if there is no message of it.
    pub(in crate::track) fn told(&self, row: u32, ends: (IpAddr, IpAddr)) -> Option<Told<'_>> {
        let row = self.row(row);
        let story = self.story(row);
        let Self { asides, .. } = self;
        (story.messages > 0).then(|| Told { row, story, arrivals: self.arrivals(row), asides, ips: row.ips(ends) })
    }
}

/// What the attempts of a pair tell of it, one after the other.
pub(in crate::track) struct Tally {
    /// Numbers of the first and the last message.
    first: u32,
    last: u32,
    /// And of the first one each way.
    begins: [u32; 2],
}

impl Tally {
    /// With nothing told of `pair`, whose ends these are: attempts and flows stay.
    pub(in crate::track) fn of(pair: &mut Pair, ends: (IpAddr, IpAddr)) -> Self {
        (pair.a, pair.b) = ends;
        pair.last = Timestamp::from_nanos(i64::MIN);
        pair.sent = [Seen::default(); 2];
        pair.icmp_errors.clear();
        pair.incomplete.clear();
        pair.malformed.clear();
        Self { first: u32::MAX, last: 0, begins: [u32::MAX; 2] }
    }

    /// One more attempt.
    pub(in crate::track) fn add(&mut self, told: &Told<'_>, pair: &mut Pair) {
        told.arrivals.iter().for_each(|arrival| self.add_message(told.row.place, arrival, pair));
    }

    /// One more message, of the attempt at this place.
    pub(super) fn add_message(&mut self, attempt: Place, arrival: &Arrival, pair: &mut Pair) {
        let direction = arrival.from.index() ^ usize::from(!attempt.in_order());
        let at = arrival.at();
        let seen = &mut pair.sent[direction];
        seen.isakmp += 1;
        let [source, destination] = arrival.ports;
        seen.on_4500 += u64::from(source == 4500 || destination == 4500);
        let span = seen.span.get_or_insert((at, at));
        span.1 = span.1.max(at);
        if arrival.number < self.begins[direction] {
            self.begins[direction] = arrival.number;
            span.0 = at;
        }
        if arrival.number < self.first {
            self.first = arrival.number;
            (pair.first, pair.first_frame) = (at, arrival.frame());
        }
        if arrival.number >= self.last {
            self.last = arrival.number;
            pair.last_frame = arrival.frame();
        }
        pair.last = pair.last.max(at);
    }
}

impl<'f> Told<'f> {
    /// The whole attempt, in one that was made from the template.
    pub(in crate::track) fn fill(&self, attempt: &mut Attempt) {
        self.story.fill(self.row, (&self.arrivals, self.asides), self.ips, attempt);
    }

    /// Whether all of it is told by what it shares with others; if not, exchanges stand beside that.
    pub(in crate::track) fn is_of_template(&self) -> bool {
        !self.story.has_asides(self.row)
    }

    /// What it shares with others; what is its own is blank there.
    pub fn template(&self) -> &'f Arc<Attempt> {
        &self.story.template
    }

    /// The initiator's, and the responder's.
    pub fn spis(&self) -> [IkeSpi; 2] {
        [self.row.initiator_spi, self.row.responder_spi]
    }

    /// Addresses, the initiator's first: all its messages go between these.
    pub fn ips(&self) -> [IpAddr; 2] {
        self.ips
    }

    fn came(&self, place: u8) -> Passing {
        Passing(self.arrivals[usize::from(place)])
    }

    fn came_if(&self, place: u8) -> Option<Passing> {
        (place != NEVER).then(|| self.came(place))
    }

    /// The message that came first, and the one that came last.
    pub fn first_and_last(&self) -> [Passing; 2] {
        [self.came(0), self.came(self.story.messages.saturating_sub(1))]
    }

    /// The message id of an exchange of the template.
    pub fn message_id(&self, exchange: usize) -> MessageId {
        self.story.message_id(exchange, |began| self.came(began).0.message_id)
    }

    /// The latest time of any of its messages.
    pub fn latest(&self) -> Timestamp {
        self.arrivals.iter().map(Arrival::at).max().unwrap_or_default()
    }

    /// Its messages in the order in which they stand in the template, exchange by exchange.
    pub fn messages(&self) -> impl Iterator<Item = Passing> + use<'_> {
        self.story.order.iter().map(|&place| self.came(place))
    }

    /// What completed phase 1, or the IKE SA.
    pub fn phase1_up(&self) -> Option<Passing> {
        self.came_if(self.story.phase1)
    }

    /// What completed the first phase 2, or child SA.
    pub fn phase2_up(&self) -> Option<Passing> {
        self.came_if(self.story.phase2)
    }

    /// What held the first NAT-D hash that did not match.
    pub fn mismatch(&self) -> Option<Passing> {
        self.came_if(self.story.mismatch)
    }

    /// Places the sides moved to.
    pub fn moves(&self) -> impl Iterator<Item = Move> {
        self.story.template.moves.iter().zip(&self.story.moves).map(|(step, &place)| {
            let came = self.came(place);
            let to = SocketAddr::new(self.ips[step.side.index()], came.0.ports[0]);
            Move { at: came.at(), frame: came.frame(), side: step.side, to }
        })
    }

    /// From which side to which address and port the first message went: initiator and responder of the attempt.
    pub fn endpoints(&self) -> [SocketAddr; 2] {
        let Passing(first) = self.came(0);
        [
            SocketAddr::new(self.ips[Side::Initiator.index()], first.ports[0]),
            SocketAddr::new(self.ips[Side::Responder.index()], first.ports[1]),
        ]
    }
}
