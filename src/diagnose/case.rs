//! A pair's facts with the questions that checks ask of them: who said what in clear, who was heard, how far authentication
//! got.
//!
//! Not here: whether the tunnel came up (`tunnel`), whether silence may be called silence ([`super::waiting`]), which answers did
//! not arrive (`unheard`).

use std::cell::{Cell, OnceCell};
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::isakmp::registry;
use crate::track::{
    Attempt, EspFlow, Exchange, ExchangeKind, Facts, IkeVersion, Label, MessageRecord, Pair, PayloadDetail, Side,
};

use super::patterns::Read;
use super::points::{self, Points};
use super::signs::Signs;
use super::sizes::{self, AuthAnswer, Suite, payload};
use super::survey::Survey;

/// Silence shorter than this, with no repeat in it, says nothing.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);

/// What a side says to an answer, it says within this.
pub(super) const AT_ONCE: Duration = Duration::from_secs(1);

/// Pairs, and attempts of each, that are looked through for the same negotiation.
const PAIRS: usize = 8;
const ATTEMPTS: usize = 64;

/// One pair, seen by a check.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// All facts.
    pub facts: &'a Facts,
    /// What they show as a whole.
    pub survey: &'a Survey,
    /// The pair in question.
    pub pair: &'a Pair,
    /// Its index in [`Facts::pairs`].
    pub index: usize,
    /// Whether a finding's words are wanted, or only what it is, how bad, and its frames.
    words: bool,
    /// Per attempt, what was asked before.
    answers: &'a [Answers],
}

/// What checks ask again and again about an attempt, answered once.
#[derive(Debug, Clone, Default)]
pub struct Answers {
    auth_answer: OnceCell<Option<AuthAnswer>>,
    tunnel_up: OnceCell<Option<Timestamp>>,
    lost_direction: OnceCell<Option<Side>>,
    informationals: OnceCell<Vec<Read>>,
    left: OnceCell<Option<Timestamp>>,
    /// Of the first attempt: whether the tunnel of the pair was taken down, and when the youngest attempt began that got past
    /// authentication.
    taken_down: OnceCell<bool>,
    youngest_success: OnceCell<Option<Timestamp>>,
    /// Of the first attempt: what two captures of the pair tell.
    points: OnceCell<Option<Box<Points>>>,
    /// Of the first attempt: when the captures ended that hold something of the pair.
    end: OnceCell<Option<Timestamp>>,
    offer: Cell<Option<Signs>>,
}

/// A notification in clear.
#[derive(Debug, Clone, Copy)]
pub struct ClearNotify<'a> {
    /// The message that carried it.
    pub message: &'a MessageRecord,
    /// Its type.
    pub notify_message_type: u16,
    /// Protocol id.
    pub protocol_id: u8,
    /// Octets of its SPI.
    pub spi_size: u8,
    /// Its data, as far as kept.
    pub data: &'a [u8],
}

impl<'a> ClearNotify<'a> {
    /// Those of a message.
    pub fn of(message: &'a MessageRecord) -> impl Iterator<Item = Self> + use<'a> {
        message.carried.iter().filter_map(move |payload| match &payload.detail {
            PayloadDetail::Notify { notify_message_type, protocol_id, spi_size, data } => Some(Self {
                message,
                notify_message_type: *notify_message_type,
                protocol_id: *protocol_id,
                spi_size: *spi_size,
                data,
            }),
            _ => None,
        })
    }
}

impl<'a> Case<'a> {
    /// The case of `pair`, number `index` of `facts`. `answers` is room for answers; reusing it saves the allocation.
    pub fn new(
        facts: &'a Facts,
        survey: &'a Survey,
        index: usize,
        pair: &'a Pair,
        answers: &'a mut Vec<Answers>,
    ) -> Self {
        answers.clear();
        answers.resize(pair.attempts.len(), Answers::default());
        Self { facts, survey, pair, index, words: true, answers }
    }

    /// When the youngest attempt that got past authentication began.
    fn youngest_success(&self) -> Option<Timestamp> {
        let got_past = |(_, view): &(usize, View<'_>)| {
            let answered = view.attempt.phase1_up.is_some() || view.tunnel_up().is_some();
            let got = || view.set_up_unheard().is_none();
            answered && (!view.is_v2() || view.authenticated() != Some(false)) && got()
        };
        let read = || self.attempts().filter(got_past).map(|(_, view)| view.attempt.first).max();
        self.answers.first().and_then(|answers| *answers.youngest_success.get_or_init(read))
    }

    /// The same case, judged without words.
    pub fn without_words(self) -> Self {
        Self { words: false, ..self }
    }

    /// What `say` says, if words are wanted.
    pub fn in_words(&self, say: impl FnOnce() -> String) -> String {
        if self.words { say() } else { String::new() }
    }

    /// Pairs that this one's first sender opened and in which nothing came back: it serves words only.
    pub fn silent_peers(&self) -> usize {
        if self.words { self.survey.silent_peers(self.facts, self.pair.a) } else { 0 }
    }

    /// Whether something of ours from `address` to others is in the capture: it serves words only.
    pub fn speaks_to_others(&self, address: IpAddr) -> bool {
        let mut others = self.survey.pairs_of(self.facts, address).filter(|&pair| pair != self.index).take(PAIRS);
        let pair = |other| self.facts.pairs.get(other);
        self.words && others.any(|other| pair(other).is_some_and(|pair| pair.sent_by(address).span.is_some()))
    }

    /// What an attempt's offer and choice tell; `None` if words are wanted and it has to be read.
    pub fn offer_signs(&self, index: usize) -> Option<Signs> {
        self.answers.get(index).filter(|_| !self.words)?.offer.get()
    }

    /// Notes what an attempt's offer and choice tell.
    pub fn note_offer(&self, index: usize, signs: Signs) {
        if let Some(answers) = self.answers.get(index) {
            answers.offer.set(Some(signs));
        }
    }

    /// Whether the tunnel was taken down, as `read` reads it, which is asked once.
    pub(super) fn is_taken_down(&self, read: impl FnOnce() -> bool) -> bool {
        self.answers.first().is_some_and(|answers| *answers.taken_down.get_or_init(read))
    }

    /// The capture points that the pair was recorded at, if there are two.
    pub(super) fn points(&self) -> Option<&'a Points> {
        let answers = self.answers.first().filter(|_| self.survey.captures_overlap())?;
        answers.points.get_or_init(|| Points::of(self).map(Box::new)).as_deref()
    }

    /// The addresses of the pair.
    pub fn ends(&self) -> (IpAddr, IpAddr) {
        (self.pair.a, self.pair.b)
    }

    /// Attempts with their index.
    pub fn attempts(&self) -> impl Iterator<Item = (usize, View<'a>)> + use<'a> {
        let case = *self;
        self.pair.attempts.iter().enumerate().map(move |(index, attempt)| (index, View { case, attempt, index }))
    }

    /// One attempt.
    pub fn view(&self, index: usize) -> Option<View<'a>> {
        self.pair.attempts.get(index).map(|attempt| View { case: *self, attempt, index })
    }

    /// When the capture ended; of several that were recording at the same time, those that hold something of the pair.
    pub fn end(&self) -> Timestamp {
        let read = || points::recorded_until(self);
        let of_several = || self.answers.first().map_or_else(read, |answers| *answers.end.get_or_init(read));
        let of_all = || self.facts.window.map(|(_, end)| end);
        let end = if self.survey.captures_overlap() { of_several() } else { None }.or_else(of_all);
        end.map_or(self.pair.last, |end| end.max(self.pair.last))
    }

    /// How long was watched in all.
    pub fn watched(&self) -> Duration {
        self.facts.window.map_or(self.pair.last.since(self.pair.first), |(first, last)| last.since(first))
    }

    /// Whether anything at all of ours came from `address` to the other end.
    pub fn heard_from(&self, address: IpAddr) -> bool {
        let direction = usize::from(address != self.pair.a);
        self.pair.sent[direction].span.is_some()
    }

    /// Whether the capture shows both directions of this pair.
    pub fn both_ways(&self) -> bool {
        self.pair.both_ways()
    }

    /// ESP and AH flows from the end of the pair that is (or was) at `address`.
    pub fn flows_from(&self, address: IpAddr) -> impl Iterator<Item = &'a EspFlow> + use<'a> {
        let pair = self.pair;
        let wanted = address == pair.a;
        pair.flows.iter().filter(move |flow| pair.is_from_a(flow.source, flow.destination) == wanted)
    }

    /// Another attempt began after this one's last message: nobody waits for this one any more.
    pub fn is_over(&self, attempt: &Attempt) -> bool {
        self.pair.attempts.last().is_some_and(|youngest| youngest.first > attempt.last)
    }

    /// A later attempt got further than `index` did: what stopped `index` is over.
    pub fn overcome(&self, index: usize) -> bool {
        let Some(this) = self.pair.attempts.get(index) else { return false };
        let held_up = this.phase1_up.is_none() || this.version == IkeVersion::V2;
        held_up && self.came_up_after(this)
    }

    /// A later attempt got past authentication.
    pub(super) fn came_up_after(&self, attempt: &Attempt) -> bool {
        self.youngest_success().is_some_and(|began| began > attempt.first)
    }
}

/// One attempt, seen by a check.
#[derive(Debug, Clone, Copy)]
pub struct View<'a> {
    /// The pair it belongs to.
    pub case: Case<'a>,
    /// Its facts.
    pub attempt: &'a Attempt,
    /// Its index in the pair.
    pub index: usize,
}

impl<'a> View<'a> {
    /// All messages in order of their exchanges.
    pub fn messages(&self) -> impl Iterator<Item = &'a MessageRecord> + use<'a> {
        self.attempt.exchanges.iter().flat_map(|exchange| &exchange.messages)
    }

    /// Exchanges with their messages.
    pub fn exchanges(&self) -> &'a [Exchange] {
        &self.attempt.exchanges
    }

    /// The first message with this label.
    pub fn message(&self, label: Label) -> Option<&'a MessageRecord> {
        self.messages().find(|message| message.label == label)
    }

    /// The attempts before this one, the latest `most` of them.
    pub(super) fn earlier(&self, most: usize) -> impl Iterator<Item = View<'a>> + use<'a> {
        let case = self.case;
        (self.index.saturating_sub(most)..self.index).filter_map(move |index| case.view(index))
    }

    /// The message that waits for an answer: of several alike, the latest.
    pub fn waiting(&self) -> Option<&'a MessageRecord> {
        let owed = self.attempt.waiting_for?;
        self.messages().filter(|message| message.label.is_followed_by(owed)).max_by_key(|message| message.at)
    }

    /// The first thing that `look` finds in the same negotiation between other addresses, or in the pair that it is of.
    pub(super) fn elsewhere<T>(&self, look: impl Fn(&Pair, &Attempt) -> Option<T>) -> Option<T> {
        let Self { case, attempt, .. } = self;
        let pairs = case.survey.pairs_with(attempt.version, attempt.initiator_spi).take(PAIRS);
        let mut others = pairs.filter(|&pair| pair != case.index).filter_map(|pair| case.facts.pairs.get(pair));
        let same = |other: &&Attempt| (other.version, other.initiator_spi) == (attempt.version, attempt.initiator_spi);
        others.find_map(|pair| pair.attempts.iter().take(ATTEMPTS).filter(same).find_map(|other| look(&pair, other)))
    }

    /// Whether anything came from `side`.
    pub fn heard(&self, side: Side) -> bool {
        self.messages().any(|message| message.from == side)
    }

    /// IKEv2.
    pub fn is_v2(&self) -> bool {
        self.attempt.version == IkeVersion::V2
    }

    /// Notifications in clear from `side`.
    pub fn clear_notifies(&self, side: Side) -> impl Iterator<Item = ClearNotify<'a>> + use<'a> {
        self.messages().filter(move |message| message.from == side).flat_map(ClearNotify::of)
    }

    /// Error notifications in clear from `side`.
    pub fn clear_errors(&self, side: Side) -> impl Iterator<Item = ClearNotify<'a>> + use<'a> {
        let major = if self.is_v2() { 2 } else { 1 };
        self.clear_notifies(side).filter(move |notify| registry::notify_is_error(major, notify.notify_message_type))
    }

    /// How often a side said this in clear from then on: it may be said again under another message id.
    pub fn times_said(&self, said: &ClearNotify<'_>) -> u64 {
        let same = |notify: &ClearNotify<'_>| {
            notify.notify_message_type == said.notify_message_type && notify.message.at >= said.message.at
        };
        let messages = self.clear_notifies(said.message.from).filter(same).map(|notify| notify.message);
        messages.map(|message| u64::from(message.repeat_count) + 1).sum()
    }

    /// The capture holds the beginning, or so much of the set-up that it shows who began, and what came of it.
    pub fn shows_set_up(&self) -> bool {
        let of_v1 = |kind| matches!(kind, ExchangeKind::MainMode | ExchangeKind::AggressiveMode);
        let of_v2 =
            |kind| matches!(kind, ExchangeKind::IkeSaInit | ExchangeKind::IkeIntermediate | ExchangeKind::IkeAuth);
        let is_set_up = |exchange: &Exchange| of_v1(exchange.kind) || of_v2(exchange.kind);
        // an answer to message 5 may be the first thing in the capture
        let is_answer = |exchange: &Exchange| exchange.kind == ExchangeKind::InformationalV1;
        let first = || self.exchanges().iter().find(|exchange| !is_answer(exchange));
        let known = self.attempt.roles_known && !self.attempt.responder_spi.is_zero();
        !self.attempt.midstream || known && first().is_some_and(is_set_up)
    }

    /// The responder's SPI is known, and yet nothing from the responder was captured (or nothing from the initiator, who
    /// must have sent what is being answered), or nothing more from some point on: no silence may be called silence.
    pub fn one_sided(&self) -> bool {
        let answered = !self.attempt.responder_spi.is_zero();
        answered && (!(self.heard(Side::Initiator) && self.heard(Side::Responder)) || self.lost_direction().is_some())
    }

    /// The side that the capture holds nothing more of from some point on, although it goes on answering.
    pub(super) fn lost_direction(&self) -> Option<Side> {
        let once = self.case.answers.get(self.index).map(|answers| &answers.lost_direction);
        once.map_or_else(|| self.lost_side(), |once| *once.get_or_init(|| self.lost_side()))
    }

    /// The capture itself proves that the other side answered while it ran: the side that was heard sent two messages of
    /// which the second can only follow the other side's answer to the first.
    pub fn proves_missing_direction(&self) -> bool {
        let mut furthest: Option<&MessageRecord> = None;
        self.one_sided()
            && self.messages().any(|message| {
                let goes_on = furthest.is_some_and(|before| needs_answer_between(before, message));
                if furthest.is_none_or(|before| before.label.rank() < message.label.rank()) {
                    furthest = Some(message);
                }
                goes_on
            })
    }

    /// The side that owes the next message sent something else instead after the set-up had got this far.
    pub fn answered_otherwise(&self) -> bool {
        let Some(furthest) = self.message(self.attempt.stage) else { return false };
        self.messages().any(|message| {
            message.from != furthest.from && message.at >= furthest.at && message.frame != furthest.frame
        })
    }

    /// Frames of a message and its repeats.
    pub fn frames(&self, message: &MessageRecord) -> Vec<FrameRef> {
        message.copies().map(|(frame, _)| frame).collect()
    }

    /// IKEv2: the IKE_AUTH exchanges, in order. More than one means EAP, or several authentications.
    pub fn auth_exchanges(&self) -> impl DoubleEndedIterator<Item = &'a Exchange> + use<'a> {
        // What comes once the SA is up and is not answered is nobody's, or forged.
        let up = self.attempt.phase1_up;
        self.attempt.exchanges.iter().filter(move |exchange| {
            let answered = || exchange.message(Label::AUTH_RSP).is_some();
            let late = || exchange.messages.first().is_some_and(|first| up.is_some_and(|up| first.at > up));
            // What is refused in clear may be so under a number of its own.
            let protected = || exchange.messages.iter().any(|message| message.encrypted);
            exchange.kind == ExchangeKind::IkeAuth && protected() && (!late() || answered())
        })
    }

    /// IKEv2: what the last answer to IKE_AUTH may hold, as far as its length tells.
    pub fn auth_answer(&self) -> Option<AuthAnswer> {
        let once = self.case.answers.get(self.index).map(|answers| &answers.auth_answer);
        once.map_or_else(|| self.read_auth_answer(), |once| *once.get_or_init(|| self.read_auth_answer()))
    }

    fn read_auth_answer(&self) -> Option<AuthAnswer> {
        let response = self.last_auth_response()?;
        let identified = self.auth_exchanges().nth(1).is_some();
        match Suite::chosen(self.attempt) {
            Some(suite) => suite.auth_answer(response, identified),
            None if sizes::refuses_in_any_suite(response) => Some(AuthAnswer::Notify),
            None => {
                let any = Suite::chosen_or_any(self.attempt)?.auth_answer(response, identified)?;
                (any == AuthAnswer::NoChild && response.first_inside() == Some(payload::IDR)).then_some(any)
            }
        }
    }

    /// IKEv2: the last answer to IKE_AUTH holds more than notifies, as far as its length tells, or begins with an identity. In the
    /// rounds of EAP that is said only of an answer that can hold a child SA too: EAP's own messages have any length.
    pub fn authenticated(&self) -> Option<bool> {
        let rounds = self.auth_exchanges().nth(1).is_some();
        let Some(answer) = self.auth_answer() else {
            let identified = self.last_auth_response().and_then(MessageRecord::first_inside) == Some(payload::IDR);
            return (identified && !rounds && Suite::chosen(self.attempt).is_none()).then_some(true);
        };
        match answer {
            AuthAnswer::Notify | AuthAnswer::Short if !rounds => Some(false),
            AuthAnswer::Notify | AuthAnswer::Short | AuthAnswer::NoChild if rounds => None,
            _ => Some(true),
        }
    }

    /// The attempt's encrypted Informationals, as `read` reads them, which is asked once.
    pub(super) fn informationals(&self, read: impl FnOnce() -> Vec<Read>) -> &'a [Read] {
        self.case.answers.get(self.index).map_or(&[], |answers| answers.informationals.get_or_init(read))
    }

    /// When the tunnel of the attempt was taken down, as `read` reads it, which is asked once.
    pub(super) fn left(&self, read: impl FnOnce() -> Option<Timestamp>) -> Option<Timestamp> {
        self.case.answers.get(self.index).and_then(|answers| *answers.left.get_or_init(read))
    }

    /// Whether the tunnel came up, as far as the wire shows: Quick Mode complete, or an IKE_AUTH answer that can hold a
    /// child SA, or ESP after either.
    pub fn tunnel_up(&self) -> Option<Timestamp> {
        let once = self.case.answers.get(self.index).map(|answers| &answers.tunnel_up);
        once.map_or_else(|| self.read_tunnel_up(), |once| *once.get_or_init(|| self.read_tunnel_up()))
    }

    /// IKEv2: one side refused the other's proof.
    pub fn is_refused(&self) -> bool {
        self.is_v2() && (self.authenticated() == Some(false) || self.turned_down().is_some())
    }

    /// IKEv2: the INFORMATIONAL with which the initiator ended the SA as soon as it had the last answer to IKE_AUTH. Long
    /// enough watched (or another attempt begun) to say so; where it is one notify and nothing else, as a refusal is, a Delete
    /// although the answer has room for a child SA, or ended the attempt before like this, at any time.
    pub fn turned_down(&self) -> Option<&'a MessageRecord> {
        let farewell = self.farewell_at_once()?;
        // It is the child SA that is turned down.
        if self.children_turned_down().is_some() {
            return None;
        }
        // Without a child SA there is nothing to keep the IKE SA for.
        if self.auth_answer() == Some(AuthAnswer::NoChild) && farewell.first_inside() == Some(payload::DELETE) {
            return None;
        }
        let deletes =
            || farewell.first_inside() == Some(payload::DELETE) && self.auth_answer() == Some(AuthAnswer::Child);
        let refuses = || match Suite::chosen(self.attempt) {
            Some(suite) => {
                suite.holds_one_notify(farewell) == Some(true) && self.first_inside(farewell) == Some(payload::NOTIFY)
            }
            None => sizes::refuses_in_any_suite(farewell),
        };
        let again = || {
            let before = self.index.checked_sub(1).and_then(|index| self.case.view(index));
            let same = before.filter(|before| before.attempt.initiator.ip() == self.attempt.initiator.ip());
            same.is_some_and(|before| before.farewell_at_once().is_some())
        };
        (self.is_watched_after(farewell) || deletes() || refuses() || again()).then_some(farewell)
    }

    /// The capture goes on long enough after a message, or with another attempt, to say that nothing came of it.
    pub fn is_watched_after(&self, message: &MessageRecord) -> bool {
        self.case.end().since(message.at) >= PATIENCE
            || self.case.pair.attempts.last().is_some_and(|last| last.first > message.at)
    }

    /// IKEv2: an INFORMATIONAL of the initiator as soon as it had the last answer to IKE_AUTH, without traffic of its own and
    /// anything after it on this SA.
    fn farewell_at_once(&self) -> Option<&'a MessageRecord> {
        let answer = self.last_auth_response()?;
        let farewell = self.messages().find(|message| {
            message.at >= answer.at && message.from == Side::Initiator && message.label == Label::INFORMATIONAL_REQ
        })?;
        // What comes again had not arrived whole before.
        let arrived = answer.copies().map(|(_, at)| at).filter(|&at| at <= farewell.at).max().unwrap_or(answer.at);
        let at_once = || farewell.at.since(arrived) <= AT_ONCE;
        let last_word = || {
            self.messages().all(|message| {
                message.at <= answer.at
                    || std::ptr::eq(message, farewell)
                    || (message.label == Label::INFORMATIONAL_RSP && message.from == Side::Responder)
            })
        };
        let empty = || {
            let suite = Suite::chosen(self.attempt);
            suite.and_then(|suite| suite.is_empty(farewell)) == Some(true) || farewell.first_inside() == Some(0)
        };
        // Under other SAs it may send all the while.
        let from_a = self.attempt.initiator.ip() == self.case.pair.a;
        let is_own = |flow: &EspFlow| self.case.pair.is_from_a(flow.source, flow.destination) == from_a;
        let sends = || self.begun_from(answer.at).any(is_own);
        (at_once() && last_word() && !empty() && !sends()).then_some(farewell)
    }

    /// IKEv2: type of the first payload inside of an encrypted message, 0 if it is empty, as far as it is told and its length
    /// agrees.
    pub fn first_inside(&self, message: &MessageRecord) -> Option<u8> {
        Suite::chosen(self.attempt).map_or_else(|| message.first_inside(), |suite| suite.first_inside(message))
    }

    /// IKEv2: the answer to the last IKE_AUTH exchange, if it came under protection and is whole.
    pub fn last_auth_response(&self) -> Option<&'a MessageRecord> {
        let whole = |message: &&MessageRecord| message.encrypted && message.ike_fragments_missing.is_none();
        let mut messages = self.auth_exchanges().next_back()?.messages.iter();
        messages.find(|message| message.label == Label::AUTH_RSP && whole(message))
    }
}

/// Whether `later` can only have been sent after the other side answered `earlier`.
fn needs_answer_between(earlier: &MessageRecord, later: &MessageRecord) -> bool {
    match (earlier.label, later.label) {
        (Label::Mm(one), Label::Mm(other)) | (Label::Am(one), Label::Am(other)) => other >= one + 2,
        // who sent the last message of phase 1 may begin at once
        (Label::Mm(6) | Label::Am(3), Label::Qm(1) | Label::Tr(1)) => false,
        (Label::Mm(_) | Label::Am(_), Label::Qm(_) | Label::Tr(_)) => true,
        (Label::Qm(1), Label::Qm(3)) => true,
        (Label::SA_INIT_REQ, Label::AUTH_REQ) | (Label::SA_INIT_RSP, Label::AUTH_RSP) => true,
        _ => false,
    }
}
