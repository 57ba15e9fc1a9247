//! Attempts: which one a message belongs to, which side sent it, and filing it there.
//!
//! | file | what |
//! |---|---|
//! | `locate` | the attempt of a message, and the side that sent it |
//! | `state` | what following an attempt takes besides its facts |
//! | `copies` | what a message is to those of its exchange: new, a repeat, a fragment, the same recorded again |
//! | `progress` | how far the attempt got, and what makes room in it |

mod copies;
mod locate;
mod progress;
mod state;

use std::net::IpAddr;
use std::sync::Arc;

pub(super) use copies::{Again, MessageState, PacketCopy};
pub(super) use progress::expected;
pub(super) use state::AttemptState;

use crate::base::{Limits, MessageId};
use crate::isakmp::{Message, Payload};

use super::exchange::{self, Clues};
use super::facts::{
    Attempt, Exchange, ExchangeKind, FragmentsElsewhere, IkeVersion, Label, MessageRecord, Mode, Repeat, Side,
};
use super::ike_fragment::{FragmentSet, SetKey, SkfSet};
use super::store::packed::{PackedAttempt, Templates};
use super::store::slot::Kept;
use super::story::Tellings;
use super::{Observed, Passage, Tracker, carried, stage};

use copies::{Place, RECORDED_TWICE_NANOS};
use locate::Remark;
use state::{ExchangeKey, ExchangeState};

/// Messages kept of one exchange: none of any RFC has as many.
const MESSAGES_AN_EXCHANGE: usize = 64;

/// An attempt at work: its facts, and what following it takes.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    pub(super) facts: Attempt,
    pub(super) state: AttemptState,
}

/// Octets, about, that a message of an attempt at work takes.
const MESSAGE_AT_WORK: usize = 320;

impl Followed {
    /// An attempt that was made by hand.
    pub(super) fn made(facts: Attempt) -> Self {
        let state = AttemptState::read(&facts, &mut [].as_slice());
        Self { facts, state }
    }

    /// Packs it for a pair of these ends.
    pub(super) fn pack(self, ends: (IpAddr, IpAddr), templates: &mut Templates) -> PackedAttempt {
        let rest = self.state.write(&self.facts);
        PackedAttempt::pack(self.facts, self.state.alone, ends, templates, &rest)
    }

    /// Octets, about, that it holds alone.
    pub(super) fn alone(&self) -> usize {
        self.state.alone + self.state.message_count * MESSAGE_AT_WORK
    }

    /// Messages of it.
    pub(super) fn messages(&self) -> usize {
        self.state.message_count
    }

    /// Files a message that begins an exchange.
    fn begin(&mut self, key: ExchangeKey, message_id: MessageId, record: MessageRecord, message: MessageState) {
        let Self { facts, state } = self;
        let exchange = facts.exchanges.len();
        let started_by = key.started_by.unwrap_or(record.from);
        facts.exchanges.push(Exchange { kind: key.kind, message_id, started_by, messages: vec![record] });
        state.exchanges.push(ExchangeState { content: key.content, messages: vec![message] });
        state.index_last(facts, key);
        if stage::sets_up(key.kind) {
            state.youngest_setup = Some(exchange);
        }
        state.message_count += 1;
        self.note_progress(exchange, 0);
    }

    /// Files a message of an exchange that was not seen before.
    fn add(&mut self, exchange: usize, record: MessageRecord, message: MessageState) {
        let messages = &mut self.facts.exchanges[exchange].messages;
        messages.push(record);
        let index = messages.len() - 1;
        self.state.exchanges[exchange].messages.push(message);
        self.state.message_count += 1;
        self.note_progress(exchange, index);
    }

    /// A message that is whole moves the attempt on.
    fn note_progress(&mut self, exchange: usize, index: usize) {
        let record = &self.facts.exchanges[exchange].messages[index];
        if record.ike_fragments_missing.is_none() {
            let (label, at, inside) = (record.label, record.at, (record.encrypted, record.first_inside()));
            progress::note_progress(&mut self.facts, exchange, label, inside, at);
        }
    }

    /// Notes which message the youngest exchange that sets something up owes.
    fn note_waiting(&mut self) {
        let youngest = self.state.youngest_setup.and_then(|youngest| self.facts.exchanges.get(youngest));
        self.facts.waiting_for = youngest.and_then(stage::waiting_for);
    }

    /// Files what came of a message of this exchange that was seen before: `length` octets of it. No more than `most` repeats are
    /// remembered.
    fn take(
        &mut self,
        exchange: usize,
        place: Place,
        passage: &Passage,
        length: u32,
        most: usize,
        observed: &mut Observed,
    ) {
        let (exchange_facts, exchange_state) =
            (&mut self.facts.exchanges[exchange], &mut self.state.exchanges[exchange]);
        match place {
            Place::New => {}
            Place::Repeats { index, changed } => {
                let record = &mut exchange_facts.messages[index];
                observed.retransmission_of = Some(record.frame);
                copies::note_elsewhere(record, passage);
                let (copy, again) = (passage.copy(), Again::Sent { changed });
                again.note(record, copy, most);
                exchange_state.messages[index].take(copy, again);
            }
            Place::RecordedAgain { index } => {
                let message = &mut exchange_state.messages[index];
                observed.recorded_before = Some(message.copy.frame);
                let record = &mut exchange_facts.messages[index];
                copies::note_elsewhere(record, passage);
                Again::Recorded.note(record, passage.copy(), most);
                message.take(passage.copy(), Again::Recorded);
            }
            Place::Fragment { index } => {
                let record = &mut exchange_facts.messages[index];
                if let Some(set) = &exchange_state.messages[index].fragments {
                    record.ike_fragments = set.count();
                    record.ike_fragments_missing = set.missing();
                }
                record.length = record.length.saturating_add(length);
                if record.ike_fragments_missing.is_none() {
                    (record.frame, record.at) = (passage.frame, passage.at);
                    self.note_progress(exchange, index);
                }
            }
            Place::FragmentOfRepeat { index } => {
                observed.retransmission_of = Some(exchange_facts.messages[index].frame);
            }
            Place::FragmentElsewhere { index, begins } => {
                let record = &mut exchange_facts.messages[index];
                observed.recorded_before = Some(record.frame);
                record.recorded_again = record.recorded_again.saturating_add(u32::from(begins));
                if let Some(set) = &exchange_state.messages[index].elsewhere {
                    let capture = passage.frame.capture;
                    record.ike_fragments_elsewhere = Some(FragmentsElsewhere { capture, missing: set.missing() });
                }
            }
        }
    }
}

impl Tracker {
    /// Files a whole message (or one SKF fragment of one).
    pub(super) fn file_message(&mut self, passage: &Passage, message: &Message<'_>) -> Option<Observed> {
        let remark = locate::remark(message);
        let (pair, index, mut from) = self.locate(passage, &message.header, remark)?;
        let (limits, full) = (self.limits, self.is_full());
        let (shared, followed) = self.follow(pair, index)?;
        let before = followed.alone();
        let Followed { facts: attempt, state } = followed;
        attempt.last = attempt.last.max(passage.at);
        attempt.last_frame = passage.frame;

        let clues = Clues { hash: state.hash, ..Clues::of(message, passage.digest) };
        let kind = exchange::kind(message.header.version.major, message.header.exchange_type);
        if attempt.mode == Mode::Unknown {
            attempt.mode = match kind {
                ExchangeKind::MainMode => Mode::Main,
                ExchangeKind::AggressiveMode => Mode::Aggressive,
                _ => Mode::Unknown,
            };
        }
        if !attempt.roles_known {
            from = state.settle_roles(attempt, kind, &clues, from, passage.at);
        }
        if attempt.midstream && progress::is_beginning(attempt, kind, &message.header, from) {
            attempt.midstream = false;
        }
        let key = ExchangeKey::of_message(kind, &message.header, &clues, from, message.octets());
        let mut known = state.find(attempt, &key);
        if let (ExchangeKind::QuickMode, Some(exchange)) = (kind, known.and_then(|at| attempt.exchanges.get_mut(at))) {
            exchange::turn_quick_mode(exchange, &clues, from);
        }
        let label = exchange::label(
            kind,
            &clues,
            from,
            known.map(|known| (&attempt.exchanges[known], state.exchanges[known].messages.as_slice())),
        );
        let label = if attempt.roles_known { label } else { label.by_either() };
        let fragment = clues.fragment;
        let mut place = match known {
            Some(known) => copies::place(
                &attempt.exchanges[known],
                &mut state.exchanges[known],
                label,
                from,
                &clues,
                passage,
                message,
            ),
            None => Place::New,
        };
        // A clear first request that differs is not a repeat: it answers a COOKIE or INVALID_KE_PAYLOAD.
        if matches!(kind, ExchangeKind::IkeSaInit | ExchangeKind::IkeSessionResume)
            && label == Label::Request(message.header.exchange_type)
            && matches!(place, Place::Repeats { changed: true, .. })
        {
            known = None;
            place = Place::New;
        }

        let mut observed = Observed::of(pair, index, label, from);
        match (place, known) {
            (Place::New, mut known) => {
                if state.message_count >= limits.messages_an_attempt {
                    progress::forget_oldest(attempt, state);
                    known = known.and_then(|_| state.find(attempt, &key));
                }
                let exchange_full =
                    known.is_some_and(|known| attempt.exchanges[known].messages.len() >= MESSAGES_AN_EXCHANGE);
                // The first exchange is never forgotten, so that there may be no room to make.
                if full || exchange_full || state.message_count >= limits.messages_an_attempt {
                    attempt.forget_message(passage.at);
                    return Some(observed);
                }
                let carried = carried::read(attempt, state, shared, message, passage, from);
                state.alone += shared.take_alone();
                let sound = |payload: &Payload<'_>| shared.is_sound(message.header.version.major, payload);
                let fault = message.gravest_fault(sound);
                let skf_set = fragment.as_ref().map(SkfSet::new);
                let record = MessageRecord {
                    frame: passage.frame,
                    at: passage.at,
                    label,
                    from,
                    source: passage.source,
                    destination: passage.destination,
                    length: message.header.length,
                    encrypted: clues.encrypted,
                    encapsulation: passage.encapsulation,
                    non_esp_marker: passage.non_esp_marker,
                    flags: message.header.flags,
                    ip_fragments: passage.ip_fragments,
                    ike_fragments: skf_set.as_ref().map_or(passage.ike_fragments, SkfSet::count),
                    ike_fragments_missing: skf_set.as_ref().and_then(SkfSet::missing),
                    ike_fragments_elsewhere: None,
                    carried,
                    fault,
                    own_cookie: remark == Some(Remark::Refusal)
                        && (attempt.exchanges.is_empty() || attempt.initiator_spi != message.header.initiator_spi),
                    repeats: Vec::new(),
                    repeat_count: 0,
                    recorded_again: 0,
                };
                let mut message_state = MessageState::new(passage.copy());
                message_state.fragments = skf_set.map(Box::new);
                match known {
                    Some(exchange) => followed.add(exchange, record, message_state),
                    None => followed.begin(key, message.header.message_id, record, message_state),
                }
            }
            (place, Some(exchange)) => {
                let length = message.header.length;
                followed.take(exchange, place, passage, length, limits.repeats_a_message, &mut observed);
            }
            (_, None) => {}
        }
        followed.note_waiting();
        let after = followed.alone();
        if matches!(observed.label, Label::CREATE_CHILD_SA_REQ | Label::CREATE_CHILD_SA_RSP) {
            self.note_rekeying(pair, index);
        }
        self.held = (self.held + after).saturating_sub(before);
        Some(observed)
    }

    /// An answer to CREATE_CHILD_SA was seen in an attempt: an SA without an SA_INIT of its own may come from there.
    fn note_rekeying(&mut self, pair: usize, attempt: usize) {
        let Some(open) = self.open(pair) else { return };
        let Some(Kept::Open(followed)) = open.attempts.get(attempt) else { return };
        let answered =
            |exchange: &Exchange| exchange.kind == ExchangeKind::CreateChildSa && exchange.messages.len() > 1;
        if followed.facts.exchanges.iter().rev().any(answered) {
            open.rekeying = open.rekeying.max(u32::try_from(attempt).ok());
        }
    }

    /// A set of IKEv1 fragments that will not become whole, or that the capture cut: a message all the same, with what is
    /// missing of it.
    pub(super) fn file_fragments(&mut self, key: &SetKey, set: &FragmentSet) {
        let Some(pair) = self.pair_known(key.source.ip(), key.destination.ip()) else { return };
        let Some(index) = self.attempt_known(pair, IkeVersion::V1, key.initiator_spi) else { return };
        let Limits { repeats_a_message, messages_an_attempt, .. } = self.limits;
        let Some((_, followed)) = self.follow(pair, index) else { return };
        let Followed { facts: attempt, state } = followed;
        let from = if key.source.ip() == state.current[0].ip() { Side::Initiator } else { Side::Responder };
        let kind = match attempt.mode {
            Mode::Aggressive => ExchangeKind::AggressiveMode,
            _ => ExchangeKind::MainMode,
        };
        let label = match kind {
            ExchangeKind::AggressiveMode => Label::Am(if from == Side::Initiator { 3 } else { 2 }),
            _ => Label::Mm(5 + from.index() as u8),
        };
        let label = if attempt.roles_known { label } else { label.by_either() };
        let Some(exchange) = attempt.exchanges.iter().position(|exchange| exchange.kind == kind) else { return };
        let mut known = attempt.exchanges[exchange].messages.iter_mut().zip(&state.exchanges[exchange].messages);
        if let Some((record, message)) = known.find(|(record, _)| record.label == label) {
            // What passes another point, too, is no copy.
            if key.point.is_some() && set.first_frame.capture != record.frame.capture {
                let (capture, missing) = (set.first_frame.capture, set.missing());
                record.recorded_again = record.recorded_again.saturating_add(1 + set.again.len() as u32);
                let known = record.ike_fragments_elsewhere.get_or_insert(FragmentsElsewhere { capture, missing });
                let number = |missing: Option<(u16, Option<u16>)>| missing.map(|(number, _)| number);
                if known.missing.is_some() && number(known.missing) != number(missing) {
                    known.missing = missing.map(|_| (0, None));
                }
                return;
            }
            // What a mirror port left over of a message that had just become whole is not another copy of it, and what came
            // before it is none that follows it.
            let begins = std::iter::once((set.first_frame, set.since)).chain(set.again.iter().copied());
            let copies = begins.filter(|(_, at)| at.since(message.copy.at).as_nanos() >= RECORDED_TWICE_NANOS);
            let before = record.repeat_count;
            for (frame, at) in copies {
                record.repeat_count = record.repeat_count.saturating_add(1);
                if record.repeats.len() < repeats_a_message {
                    record.repeats.push(Repeat { frame, at, changed: true, missing: set.missing() });
                }
            }
            record.recorded_again = record.recorded_again.saturating_add(u32::from(record.repeat_count == before));
            return;
        }
        let again = set.again.iter().map(|&(frame, at)| Repeat { frame, at, changed: false, missing: None });
        if state.message_count >= messages_an_attempt {
            attempt.forget_message(set.since);
            return;
        }
        let record = MessageRecord {
            frame: set.first_frame,
            at: set.since,
            label,
            from,
            source: key.source,
            destination: key.destination,
            length: set.length(),
            encrypted: true,
            encapsulation: crate::packet::Encapsulation::Udp,
            non_esp_marker: set.non_esp_marker,
            flags: 0,
            ip_fragments: 1,
            ike_fragments: set.count(),
            ike_fragments_missing: set.missing(),
            ike_fragments_elsewhere: None,
            carried: Arc::default(),
            fault: set.cut,
            own_cookie: false,
            repeats: again.take(repeats_a_message).collect(),
            repeat_count: set.again.len() as u32,
            recorded_again: 0,
        };
        let copy = PacketCopy { frame: set.first_frame, at: set.since, ip_id: None, digest: 0 };
        followed.add(exchange, record, MessageState::new(copy));
        if set.missing().is_none() {
            let attempt = &mut followed.facts;
            (attempt.last, attempt.last_frame) = (attempt.last.max(set.since), set.first_frame);
            followed.note_waiting();
        }
    }
}

/// The youngest IKEv2 SA of a pair that had a CREATE_CHILD_SA answered: what a new SA without an SA_INIT of its own came
/// from (RFC 7296 §1.3.2).
pub(super) fn rekeying_attempt(attempts: &[Kept], tellings: &Tellings) -> Option<u32> {
    let found = attempts.iter().rposition(|kept| {
        let attempt = match kept {
            Kept::Open(followed) => &followed.facts,
            // what is asked here is the same in the template
            Kept::Packed(packed) => packed.template(),
            Kept::Told(row) => tellings.template(*row),
        };
        attempt.version == IkeVersion::V2
            && attempt
                .exchanges
                .iter()
                .any(|exchange| exchange.kind == ExchangeKind::CreateChildSa && exchange.messages.len() > 1)
    });
    found.and_then(|place| u32::try_from(place).ok())
}
