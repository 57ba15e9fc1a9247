//! Attempts: which one a message belongs to, which side sent it, and filing it there.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use hashbrown::HashMap;

use crate::base::{FrameRef, IkeSpi, Limits, MessageId, Timestamp};
use crate::isakmp::payload::Body;
use crate::isakmp::{Header, Message, Payload, registry};

use super::exchange::{self, Clues};
use super::facts::{
    Attempt, Exchange, ExchangeKind, FragmentsElsewhere, INVALID_SPI, IkeVersion, Label, MessageRecord, Mode, Move,
    NatFacts, Repeat, Side,
};
use super::flow::{RECORDED_TWICE, UNDERWAY};
use super::ike_fragment::{FragmentSet, SetKey, SkfSet, SkfStep};
use super::nat::HashAlgorithm;
use super::packed::{PackedAttempt, Templates, put, take};
use super::pairs::Kept;
use super::story::Tellings;
use super::{Observed, Passage, Tracker, carried, roles, stage};

/// Moves remembered of one attempt.
const MOVES: usize = 32;
/// How far the message id of a path probe may be ahead of the last INFORMATIONAL seen.
const PROBES_AHEAD: u32 = 16;
/// Messages kept of one exchange: none of any RFC has as many.
const MESSAGES_AN_EXCHANGE: usize = 64;
/// Copies of one packet that a capture records lie closer together than this, whatever their IP identification.
const RECORDED_TWICE_NANOS: u128 = RECORDED_TWICE.as_nanos();
/// Copies with the same non-zero IP identification lie closer together than this.
const SAME_IP_ID_NANOS: u128 = 1_000_000_000;

/// Who refuses a message does so within this.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

/// An attempt at work: its facts, and what following it takes.
#[derive(Debug, Clone)]
pub(super) struct Followed {
    pub(super) facts: Attempt,
    pub(super) state: AttemptState,
}

/// Working state beside an [`Attempt`].
#[derive(Debug, Clone)]
pub(super) struct AttemptState {
    /// Where each side was last seen to send from.
    current: [SocketAddr; 2],
    /// Negotiated hash, once the choice was seen (IKEv1).
    pub(super) hash: Option<HashAlgorithm>,
    /// Beside [`Attempt::exchanges`].
    exchanges: Vec<ExchangeState>,
    /// Where an exchange stands, once there are too many to look through.
    index: HashMap<ExchangeKey, usize>,
    message_count: usize,
    /// Octets, about, of lists that it holds alone.
    alone: usize,
    /// Highest message id of an IKEv2 INFORMATIONAL seen.
    highest_informational: u32,
    /// The last exchange that sets something up: the one that may owe a message.
    youngest_setup: Option<usize>,
}

#[derive(Debug, Clone, Default)]
struct ExchangeState {
    content: u64,
    messages: Vec<MessageState>,
}

/// Working state beside a [`MessageRecord`].
#[derive(Debug, Clone)]
pub(super) struct MessageState {
    /// Of its octets.
    pub(super) digest: u32,
    /// The last one that was recorded.
    copy: PacketCopy,
    fragments: Option<Box<SkfSet>>,
    /// Of those at another point.
    elsewhere: Option<Box<SkfSet>>,
}

/// What one more copy of a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// The same packet, as a mirror port or `-i any` records it.
    Recorded,
    /// A repeat, with other octets or not.
    Sent { changed: bool },
}

/// A copy of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct PacketCopy {
    pub(super) frame: FrameRef,
    pub(super) at: Timestamp,
    pub(super) ip_id: Option<u32>,
    /// Of its octets.
    pub(super) digest: u32,
}

/// Attempts of a pair that are looked through one by one, and the number that is too many.
const FEW_ATTEMPTS: usize = 4;
const MORE_ATTEMPTS: usize = FEW_ATTEMPTS + 1;
/// Octets, about, that a message of an attempt at work takes.
const MESSAGE_AT_WORK: usize = 320;
/// Exchanges that are looked through one by one.
const FEW_EXCHANGES: usize = 16;

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
}

impl AttemptState {
    fn new(facts: &Attempt) -> Self {
        Self {
            current: [facts.initiator, facts.responder],
            hash: None,
            exchanges: Vec::new(),
            index: HashMap::new(),
            message_count: 0,
            alone: 0,
            highest_informational: 0,
            youngest_setup: None,
        }
    }

    /// What cannot be told from the facts, for [`AttemptState::read`]. Left out: where the last copy of a message stood,
    /// which matters for a second only.
    fn write(&self, facts: &Attempt) -> Vec<u8> {
        let mut octets = Vec::with_capacity(48);
        put(&mut octets, u64::from(self.highest_informational));
        put(&mut octets, self.alone as u64);
        if facts.moves.len() >= MOVES {
            for endpoint in self.current {
                match endpoint.ip() {
                    IpAddr::V4(ip) => octets.extend_from_slice(&ip.to_ipv6_mapped().octets()),
                    IpAddr::V6(ip) => octets.extend_from_slice(&ip.octets()),
                }
                octets.extend_from_slice(&endpoint.port().to_le_bytes());
            }
        }
        for (exchange, state) in facts.exchanges.iter().zip(&self.exchanges) {
            if is_clear_informational(exchange) {
                octets.extend_from_slice(&state.content.to_le_bytes());
            }
            for (record, message) in exchange.messages.iter().zip(&state.messages) {
                octets.extend_from_slice(&message.digest.to_le_bytes());
                if record.ike_fragments > 0 {
                    SkfSet::write(message.fragments.as_deref(), &mut octets);
                }
                if record.ike_fragments_elsewhere.is_some() {
                    SkfSet::write(message.elsewhere.as_deref(), &mut octets);
                }
            }
        }
        octets
    }

    /// The state of an attempt that was packed.
    pub(super) fn read(facts: &Attempt, octets: &mut &[u8]) -> Self {
        let mut state = Self::new(facts);
        state.highest_informational = take(octets) as u32;
        state.alone = take(octets) as usize;
        for step in &facts.moves {
            state.current[step.side.index()] = step.to;
        }
        if facts.moves.len() >= MOVES {
            for endpoint in &mut state.current {
                let ip = Ipv6Addr::from(array::<16>(octets)).to_canonical();
                *endpoint = SocketAddr::new(ip, u16::from_le_bytes(array(octets)));
            }
        }
        state.hash = facts.chosen.as_deref().and_then(carried::negotiated_hash);
        for (index, exchange) in facts.exchanges.iter().enumerate() {
            let clear = is_clear_informational(exchange);
            let content = if clear { u64::from_le_bytes(array(octets)) } else { 0 };
            let messages = exchange.messages.iter().map(|record| {
                let digest = u32::from_le_bytes(array(octets));
                let long_ago = Timestamp::from_nanos(i64::MIN);
                let copy = PacketCopy { frame: record.frame, at: long_ago, ip_id: None, digest };
                let mut read = |is_there: bool| if is_there { SkfSet::read(octets).map(Box::new) } else { None };
                let fragments = read(record.ike_fragments > 0);
                let elsewhere = read(record.ike_fragments_elsewhere.is_some());
                MessageState { digest, copy, fragments, elsewhere }
            });
            let exchange_state = ExchangeState { content, messages: messages.collect() };
            state.message_count += exchange_state.messages.len();
            state.exchanges.push(exchange_state);
            if stage::sets_up(exchange.kind) {
                state.youngest_setup = Some(index);
            }
        }
        state.index_all(facts);
        state
    }

    /// The state of an attempt that sends from `current` now, has `all` messages, in the order of the records, and had no
    /// fragments.
    pub(super) fn of(facts: &Attempt, current: [SocketAddr; 2], all: Vec<MessageState>) -> Self {
        let mut state = Self { current, ..Self::new(facts) };
        state.hash = facts.chosen.as_deref().and_then(carried::negotiated_hash);
        let mut all = all.into_iter();
        for (index, exchange) in facts.exchanges.iter().enumerate() {
            let messages: Vec<MessageState> = all.by_ref().take(exchange.messages.len()).collect();
            state.message_count += messages.len();
            state.exchanges.push(ExchangeState { content: 0, messages });
            if stage::sets_up(exchange.kind) {
                state.youngest_setup = Some(index);
            }
            if exchange.kind == ExchangeKind::InformationalV2 {
                state.highest_informational = state.highest_informational.max(exchange.message_id.0);
            }
        }
        state.index_all(facts);
        state
    }

    /// Whether it is the same state.
    pub(super) fn is(&self, other: &Self) -> bool {
        let messages = |state: &Self| state.exchanges.iter().map(|exchange| exchange.messages.len()).sum::<usize>();
        let plain = |state: &Self| {
            let whole = state.exchanges.iter().flat_map(|exchange| &exchange.messages);
            state.alone == 0
                && state.exchanges.iter().all(|exchange| exchange.content == 0)
                && whole.clone().all(|message| message.fragments.is_none())
        };
        let pairs = self.exchanges.iter().zip(&other.exchanges);
        let mut copies = pairs.flat_map(|(one, other)| one.messages.iter().zip(&other.messages));
        plain(self)
            && plain(other)
            && self.current == other.current
            && self.hash == other.hash
            && self.highest_informational == other.highest_informational
            && (self.message_count, self.youngest_setup) == (other.message_count, other.youngest_setup)
            && (self.exchanges.len(), messages(self)) == (other.exchanges.len(), messages(other))
            && copies.all(|(one, other)| (one.digest, one.copy) == (other.digest, other.copy))
    }

    /// Learns from a message which side is which, and answers the side that sent it.
    fn settle_roles(
        &mut self,
        facts: &mut Attempt,
        kind: ExchangeKind,
        clues: &Clues<'_>,
        from: Side,
        at: Timestamp,
    ) -> Side {
        let Some(shown) = roles::shown(facts, kind, clues, from, at) else { return from };
        let swapped = shown.initiator == Side::Responder;
        if swapped {
            roles::swap(facts);
            self.current.swap(0, 1);
            self.index_all(facts);
        }
        if shown.certain {
            roles::name(facts);
        }
        if swapped { from.other() } else { from }
    }

    /// The exchange that `key` names.
    fn find(&self, facts: &Attempt, key: &ExchangeKey) -> Option<usize> {
        if self.exchanges.len() > FEW_EXCHANGES {
            return self.index.get(key).copied();
        }
        facts
            .exchanges
            .iter()
            .zip(&self.exchanges)
            .rposition(|(exchange, state)| *key == ExchangeKey::of(facts.version, exchange, state))
    }

    /// Enters the last exchange into the index, if one is kept.
    fn index_last(&mut self, facts: &Attempt, key: ExchangeKey) {
        match self.exchanges.len() {
            0..=FEW_EXCHANGES => {}
            count if self.index.is_empty() => {
                debug_assert_eq!(count, FEW_EXCHANGES + 1);
                self.index_all(facts);
            }
            count => {
                self.index.insert(key, count - 1);
            }
        }
    }

    fn index_all(&mut self, facts: &Attempt) {
        self.index.clear();
        if self.exchanges.len() > FEW_EXCHANGES {
            let all = facts.exchanges.iter().zip(&self.exchanges).enumerate();
            self.index
                .extend(all.map(|(index, (exchange, state))| (ExchangeKey::of(facts.version, exchange, state), index)));
        }
    }
}

/// Whether an exchange is told from others by what it says.
fn is_clear_informational(exchange: &Exchange) -> bool {
    exchange.kind == ExchangeKind::InformationalV1
        && exchange.messages.first().is_some_and(|message| !message.encrypted)
}

fn array<const N: usize>(octets: &mut &[u8]) -> [u8; N] {
    match octets.split_first_chunk() {
        Some((array, rest)) => {
            *octets = rest;
            *array
        }
        None => [0; N],
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct ExchangeKey {
    kind: ExchangeKind,
    message_id: MessageId,
    /// IKEv2: both sides number their own exchanges. IKEv1 ids are the SA's.
    started_by: Option<Side>,
    /// Clear informational messages are told apart by what they say: their message id may be new on each copy.
    content: u64,
}

impl ExchangeKey {
    /// The key that the messages of an exchange have.
    fn of(version: IkeVersion, exchange: &Exchange, state: &ExchangeState) -> Self {
        let clear = is_clear_informational(exchange);
        let started_by = exchange.messages.first().map(|first| match version {
            IkeVersion::V2 if first.flags & Header::RESPONSE != 0 => first.from.other(),
            _ => first.from,
        });
        Self {
            kind: exchange.kind,
            message_id: if clear { MessageId(0) } else { exchange.message_id },
            started_by: started_by.filter(|_| clear || version == IkeVersion::V2),
            content: state.content,
        }
    }
}

/// What a message does to its exchange.
enum Place {
    /// It is the first of its kind.
    New,
    /// It repeats message `index`, with the same octets or not.
    Repeats { index: usize, changed: bool },
    /// The capture holds it twice.
    RecordedAgain { index: usize },
    /// It is one more fragment of message `index`, not seen before.
    Fragment { index: usize },
    /// It is one more fragment of a repeat that was counted already.
    FragmentOfRepeat { index: usize },
    /// It is a fragment of message `index`, at another point; with it, a copy begins there.
    FragmentElsewhere { index: usize, begins: bool },
}

impl Tracker {
    /// The pair and attempt a message belongs to, opened if need be, and the side that sent it.
    pub(super) fn locate(
        &mut self,
        passage: &Passage,
        header: &Header,
        remark: Option<Remark>,
    ) -> Option<(usize, usize, Side)> {
        let version = if header.version.major == 2 { IkeVersion::V2 } else { IkeVersion::V1 };
        let here = self
            .pair_known(passage.source.ip(), passage.destination.ip())
            .and_then(|pair| self.attempt_known(pair, version, header.initiator_spi).map(|attempt| (pair, attempt)));
        let known = here
            .or_else(|| self.moved(passage, header, version))
            .or_else(|| remark.filter(|&remark| remark == Remark::Refusal).and_then(|_| self.refused(passage)))
            .or_else(|| remark.and_then(|_| self.remarks(passage, version)));
        let (pair, attempt) = match known {
            Some(found) => found,
            None => self.open_attempt(passage, header, version)?,
        };
        let (_, followed) = self.follow(pair, attempt)?;
        let from = side(&followed.state, passage, header, version);
        self.note_addresses(pair, attempt, passage, header, from);
        Some((pair, attempt, from))
    }

    /// An attempt known by both SPIs that goes on between other addresses. One end where it was is enough: the other has
    /// moved (RFC 4555, or a NAT's mapping). With both ends elsewhere only the next INFORMATIONAL of an IKEv2 SA is believed,
    /// as MOBIKE probes paths (RFC 4555 §3.3). SPIs alone are not: they can be anybody's. And a message that another capture
    /// has between its addresses did not move: this capture was taken beyond a NAT.
    fn moved(&mut self, passage: &Passage, header: &Header, version: IkeVersion) -> Option<(usize, usize)> {
        if header.responder_spi.is_zero() {
            return None;
        }
        let spis = (version, header.initiator_spi, header.responder_spi);
        let told = || self.told_by_spis(version, header.initiator_spi, header.responder_spi);
        let (pair, attempt) = self.by_spis.find(&self.pairs, spis).or_else(told)?;
        let (_, followed) = self.follow(pair, attempt)?;
        let state = &followed.state;
        let ends = [passage.source.ip(), passage.destination.ip()];
        if !state.current.iter().any(|endpoint| ends.contains(&endpoint.ip())) {
            let kind = exchange::kind(header.version.major, header.exchange_type);
            let next = header.message_id.0.wrapping_sub(state.highest_informational) <= PROBES_AHEAD;
            return (kind == ExchangeKind::InformationalV2 && next).then_some((pair, attempt));
        }
        if state.exchanges.iter().flat_map(|exchange| &exchange.messages).any(|message| message.is_beyond_nat(passage))
        {
            return None;
        }
        match self.pair_known(passage.source.ip(), passage.destination.ip()) {
            None => self.name_pair(passage.source.ip(), passage.destination.ip(), pair),
            // ESP was seen at the new address before IKE explained it: it belongs to the pair that moved.
            Some(early) if early != pair && self.pairs.attempts(early) == 0 => {
                self.adopt_flows(early, pair);
                self.name_pair(passage.source.ip(), passage.destination.ip(), pair);
            }
            Some(_) => {}
        }
        Some((pair, attempt))
    }

    /// Where remarks are collected that one side makes outside of any SA, each under SPIs of its own: the last attempt of a pair
    /// if it is one of nothing else.
    fn remarks(&self, passage: &Passage, version: IkeVersion) -> Option<(usize, usize)> {
        let pair = self.pair_known(passage.source.ip(), passage.destination.ip())?;
        let last = self.pairs.attempts(pair).checked_sub(1)?;
        self.pairs.is_of_remarks(pair, last, version).then_some((pair, last))
    }

    /// The attempt that a refusal under a cookie of its own is about: one whose phase 1 is under way, and whose message to the
    /// side that refuses was the last thing that came there, at once before.
    fn refused(&mut self, passage: &Passage) -> Option<(usize, usize)> {
        let pair = self.pair_known(passage.source.ip(), passage.destination.ip())?;
        let count = self.pairs.attempts(pair);
        let mut latest: Option<(Timestamp, usize, bool)> = None;
        for place in count.saturating_sub(FEW_ATTEMPTS)..count {
            let Some((_, Followed { facts, .. })) = self.follow(pair, place) else { continue };
            let messages = facts.exchanges.iter().flat_map(|exchange| &exchange.messages);
            let asked = messages.filter(|message| {
                (message.source, message.destination) == (passage.destination, passage.source) && !message.own_cookie
            });
            let under_way = facts.version == IkeVersion::V1 && facts.phase1_up.is_none();
            let last = asked.map(MessageRecord::last_sent).max();
            latest = latest.max(last.map(|last| (last, place, under_way)));
        }
        let (asked, place, under_way) = latest?;
        (under_way && passage.at.since(asked) <= REFUSED_WITHIN).then_some((pair, place))
    }

    /// The attempt of a pair whose initiator chose this SPI. The few of most pairs are looked through, the youngest first.
    fn attempt_known(&self, pair: usize, version: IkeVersion, initiator_spi: IkeSpi) -> Option<usize> {
        let count = self.pairs.attempts(pair);
        if count > FEW_ATTEMPTS {
            return self.attempts.find(&self.pairs, pair, version, initiator_spi);
        }
        let is = |&place: &usize| {
            self.pairs.spis(pair, place).is_some_and(|(of, initiator, _)| (of, initiator) == (version, initiator_spi))
        };
        (0..count).rev().find(is)
    }

    /// Enters an attempt, the last one of its pair, for [`Tracker::attempt_known`].
    pub(super) fn index_attempt(&mut self, pair: usize, attempt: usize) {
        match attempt + 1 {
            0..=FEW_ATTEMPTS => {}
            MORE_ATTEMPTS => (0..=attempt).for_each(|attempt| self.attempts.insert(&self.pairs, pair, attempt)),
            _ => self.attempts.insert(&self.pairs, pair, attempt),
        }
    }

    fn open_attempt(&mut self, passage: &Passage, header: &Header, version: IkeVersion) -> Option<(usize, usize)> {
        let pair = self.pair_between(passage.source.ip(), passage.destination.ip(), passage.at, passage.frame)?;
        if !self.room_for_attempt(pair) {
            self.facts.forgotten.attempts += 1;
            self.note_forgetting();
            return None;
        }
        let from = opening_side(header, version);
        let (initiator, responder) = match from {
            Side::Initiator => (passage.source, passage.destination),
            Side::Responder => (passage.destination, passage.source),
        };
        let kind = exchange::kind(header.version.major, header.exchange_type);
        let begins = header.responder_spi.is_zero()
            && from == Side::Initiator
            && matches!(
                kind,
                ExchangeKind::MainMode
                    | ExchangeKind::AggressiveMode
                    | ExchangeKind::IkeSaInit
                    | ExchangeKind::IkeSessionResume
                    | ExchangeKind::Other(BASE_MODE)
            );
        let open = self.open(pair)?;
        let rekeyed_from = match version {
            IkeVersion::V2 if !begins => open.rekeying.map(|place| place as usize),
            _ => None,
        };
        let index = open.attempts.len();
        let facts = Attempt {
            version,
            mode: match (version, kind) {
                (IkeVersion::V2, _) => Mode::IkeV2,
                (_, ExchangeKind::MainMode) => Mode::Main,
                (_, ExchangeKind::AggressiveMode) => Mode::Aggressive,
                _ => Mode::Unknown,
            },
            initiator,
            responder,
            initiator_spi: header.initiator_spi,
            responder_spi: header.responder_spi,
            first: passage.at,
            last: passage.at,
            first_frame: passage.frame,
            last_frame: passage.frame,
            exchanges: Vec::new(),
            offered: Arc::default(),
            chosen: None,
            vendor_ids: [Arc::default(), Arc::default()],
            nat: NatFacts::default(),
            midstream: !begins && rekeyed_from.is_none(),
            roles_known: begins || version == IkeVersion::V2,
            moves: Vec::new(),
            stage: Label::Other(header.exchange_type),
            waiting_for: None,
            phase1_up: None,
            phase2_up: None,
            rekeyed_from,
            messages_forgotten: 0,
            forgotten_until: None,
        };
        let state = AttemptState::new(&facts);
        open.begin(Followed { facts, state });
        self.attempt_count += 1;
        self.index_attempt(pair, index);
        if !header.responder_spi.is_zero() {
            self.by_spis.insert(&self.pairs, pair, index);
        }
        Some((pair, index))
    }

    fn note_addresses(&mut self, pair: usize, attempt: usize, passage: &Passage, header: &Header, from: Side) {
        let Some((_, Followed { facts, state })) = self.follow(pair, attempt) else { return };
        if exchange::kind(header.version.major, header.exchange_type) == ExchangeKind::InformationalV2 {
            state.highest_informational = state.highest_informational.max(header.message_id.0);
        }
        let other_end_moved = state.current[from.other().index()].ip() != passage.destination.ip();
        if state.current[from.index()] != passage.source && !other_end_moved {
            state.current[from.index()] = passage.source;
            if facts.moves.len() < MOVES {
                facts.moves.push(Move { at: passage.at, frame: passage.frame, side: from, to: passage.source });
            }
        }
        let of_this = facts.initiator_spi == header.initiator_spi;
        if of_this && facts.responder_spi.is_zero() && !header.responder_spi.is_zero() {
            facts.responder_spi = header.responder_spi;
            self.by_spis.insert(&self.pairs, pair, attempt);
        }
    }

    /// Files a whole message (or one SKF fragment of one).
    pub(super) fn file_message(&mut self, passage: &Passage, message: &Message<'_>) -> Option<Observed> {
        let remark = remark(message);
        let (pair, index, mut from) = self.locate(passage, &message.header, remark)?;
        let (limits, full) = (self.limits, self.is_full());
        let (shared, followed) = self.follow(pair, index)?;
        let Followed { facts: attempt, state } = followed;
        attempt.last = attempt.last.max(passage.at);
        attempt.last_frame = passage.frame;
        let before = state.alone + state.message_count * MESSAGE_AT_WORK;

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
        if attempt.midstream && is_beginning(attempt, kind, &message.header, from) {
            attempt.midstream = false;
        }
        let key = exchange_key(kind, &message.header, &clues, from, message.octets());
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
            Some(known) => {
                place(&attempt.exchanges[known], &mut state.exchanges[known], label, from, &clues, passage, message)
            }
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

        let mut observed = Observed {
            pair,
            attempt: index,
            label,
            from,
            retransmission_of: None,
            recorded_before: None,
            reassembled: None,
            shape: None,
        };
        match (place, known) {
            (Place::New, mut known) => {
                if state.message_count >= limits.messages_an_attempt {
                    forget_oldest(attempt, state);
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
                let whole = record.ike_fragments_missing.is_none();
                let inside = (record.encrypted, record.first_inside());
                let mut message_state = MessageState::new(passage.copy());
                message_state.fragments = skf_set.map(Box::new);
                match known {
                    Some(exchange) => {
                        attempt.exchanges[exchange].messages.push(record);
                        state.exchanges[exchange].messages.push(message_state);
                    }
                    None => {
                        let message_id = message.header.message_id;
                        let started_by = key.started_by.unwrap_or(from);
                        let exchange = Exchange { kind, message_id, started_by, messages: vec![record] };
                        attempt.exchanges.push(exchange);
                        state.exchanges.push(ExchangeState { content: key.content, messages: vec![message_state] });
                        state.index_last(attempt, key);
                        if stage::sets_up(kind) {
                            state.youngest_setup = Some(attempt.exchanges.len() - 1);
                        }
                    }
                }
                state.message_count += 1;
                if whole {
                    let exchange = known.unwrap_or(attempt.exchanges.len() - 1);
                    note_progress(attempt, exchange, label, inside, passage.at);
                }
            }
            (Place::Repeats { index, changed }, Some(exchange)) => {
                let record = &mut attempt.exchanges[exchange].messages[index];
                observed.retransmission_of = Some(record.frame);
                note_elsewhere(record, passage);
                let (copy, again) = (passage.copy(), Again::Sent { changed });
                again.note(record, copy, limits.repeats_a_message);
                state.exchanges[exchange].messages[index].take(copy, again);
            }
            (Place::RecordedAgain { index }, Some(exchange)) => {
                let message = &mut state.exchanges[exchange].messages[index];
                observed.recorded_before = Some(message.copy.frame);
                let record = &mut attempt.exchanges[exchange].messages[index];
                note_elsewhere(record, passage);
                Again::Recorded.note(record, passage.copy(), limits.repeats_a_message);
                message.take(passage.copy(), Again::Recorded);
            }
            (Place::Fragment { index }, Some(exchange)) => {
                let record = &mut attempt.exchanges[exchange].messages[index];
                if let Some(set) = &state.exchanges[exchange].messages[index].fragments {
                    record.ike_fragments = set.count();
                    record.ike_fragments_missing = set.missing();
                }
                record.length = record.length.saturating_add(message.header.length);
                if record.ike_fragments_missing.is_none() {
                    (record.frame, record.at) = (passage.frame, passage.at);
                    let inside = (record.encrypted, record.first_inside());
                    note_progress(attempt, exchange, label, inside, passage.at);
                }
            }
            (Place::FragmentOfRepeat { index }, Some(exchange)) => {
                observed.retransmission_of = Some(attempt.exchanges[exchange].messages[index].frame);
            }
            (Place::FragmentElsewhere { index, begins }, Some(exchange)) => {
                let record = &mut attempt.exchanges[exchange].messages[index];
                observed.recorded_before = Some(record.frame);
                record.recorded_again += u32::from(begins);
                if let Some(set) = &state.exchanges[exchange].messages[index].elsewhere {
                    let capture = passage.frame.capture;
                    record.ike_fragments_elsewhere = Some(FragmentsElsewhere { capture, missing: set.missing() });
                }
            }
            (_, None) => {}
        }
        attempt.waiting_for =
            state.youngest_setup.and_then(|youngest| stage::waiting_for(&attempt.exchanges[youngest]));
        let after = state.alone + state.message_count * MESSAGE_AT_WORK;
        if matches!(observed.label, Label::Request(36) | Label::Response(36)) {
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
        let Some((_, Followed { facts: attempt, state })) = self.follow(pair, index) else { return };
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
                record.recorded_again += 1 + set.again.len() as u32;
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
                record.repeat_count += 1;
                if record.repeats.len() < repeats_a_message {
                    record.repeats.push(Repeat { frame, at, changed: true, missing: set.missing() });
                }
            }
            record.recorded_again += u32::from(record.repeat_count == before);
            return;
        }
        let again = set.again.iter().map(|&(frame, at)| Repeat { frame, at, changed: false, missing: None });
        if state.message_count >= messages_an_attempt {
            attempt.forget_message(set.since);
            return;
        }
        state.message_count += 1;
        attempt.exchanges[exchange].messages.push(MessageRecord {
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
        });
        let copy = PacketCopy { frame: set.first_frame, at: set.since, ip_id: None, digest: 0 };
        state.exchanges[exchange].messages.push(MessageState::new(copy));
        if set.missing().is_none() {
            (attempt.last, attempt.last_frame) = (attempt.last.max(set.since), set.first_frame);
            note_progress(attempt, exchange, label, (true, None), set.since);
            attempt.waiting_for =
                state.youngest_setup.and_then(|youngest| stage::waiting_for(&attempt.exchanges[youngest]));
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

impl Passage {
    fn copy(&self) -> PacketCopy {
        PacketCopy { frame: self.frame, at: self.at, ip_id: self.ip_id, digest: self.digest }
    }
}

impl MessageState {
    /// Of a message that came whole, for the first time.
    pub(super) fn new(first: PacketCopy) -> Self {
        Self { digest: first.digest, copy: first, fragments: None, elsewhere: None }
    }

    /// Whether a message that came between other addresses is this one, in another capture.
    fn is_beyond_nat(&self, passage: &Passage) -> bool {
        let elsewhere = passage.frame.capture != self.copy.frame.capture;
        elsewhere && self.digest == passage.digest && passage.at.since(self.copy.at) < UNDERWAY
    }

    /// The frame of the copy that was recorded last.
    pub(super) fn last_frame(&self) -> FrameRef {
        self.copy.frame
    }

    /// What one more copy of a message is that came whole.
    pub(super) fn again(&self, copy: &PacketCopy) -> Again {
        if self.copy.is(copy) { Again::Recorded } else { Again::Sent { changed: copy.digest != self.digest } }
    }

    /// It came again.
    pub(super) fn take(&mut self, copy: PacketCopy, again: Again) {
        match again {
            Again::Recorded => self.copy.at = copy.at,
            Again::Sent { .. } => self.copy = copy,
        }
    }
}

impl Again {
    /// Notes in a message's record that it came again; no more than `limit` repeats are remembered.
    pub(super) fn note(self, record: &mut MessageRecord, copy: PacketCopy, limit: usize) {
        match self {
            Self::Recorded => record.recorded_again += 1,
            Self::Sent { changed } => {
                record.repeat_count += 1;
                if record.repeats.len() < limit {
                    record.repeats.push(Repeat { frame: copy.frame, at: copy.at, changed, missing: None });
                }
            }
        }
    }
}

impl PacketCopy {
    /// Whether `other` is this very packet once more, as a mirror port or `-i any` records it, or a capture at another point.
    fn is(&self, other: &Self) -> bool {
        let gap = other.at.since(self.at).as_nanos();
        let same_id = self.ip_id.is_some_and(|id| id != 0 && other.ip_id == Some(id));
        let elsewhere = other.frame.capture != self.frame.capture;
        self.digest == other.digest
            && self.ip_id == other.ip_id
            && (gap < RECORDED_TWICE_NANOS || (same_id && (elsewhere || gap < SAME_IP_ID_NANOS)))
    }
}

/// The side that sent the first message seen of an attempt.
fn opening_side(header: &Header, version: IkeVersion) -> Side {
    match version {
        IkeVersion::V2 if header.has(Header::INITIATOR) => Side::Initiator,
        IkeVersion::V2 if header.responder_spi.is_zero() && !header.has(Header::RESPONSE) => Side::Initiator,
        IkeVersion::V2 => Side::Responder,
        IkeVersion::V1 if header.responder_spi.is_zero() => Side::Initiator,
        // Message 2 carries an SA payload and both SPIs, and no other message after the first does.
        IkeVersion::V1 if !header.has(Header::ENCRYPTION) && header.next_payload == 1 => Side::Responder,
        IkeVersion::V1 => Side::Initiator,
    }
}

/// What a message says in clear outside of any IKE SA.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Remark {
    /// Its receiver uses an SA of ESP or AH which there is not (RFC 2408 §3.14.1, RFC 7296 §1.5).
    InvalidSpi,
    /// An error, in an IKEv1 exchange that names no responder. Where its initiator cookie is a new one too, the sender refuses
    /// something without saying of which SA.
    Refusal,
}

fn remark(message: &Message<'_>) -> Option<Remark> {
    let Header { version, exchange_type, responder_spi, .. } = message.header;
    let kind = exchange::kind(version.major, exchange_type);
    if !matches!(kind, ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2) || message.is_encrypted() {
        return None;
    }
    let Body::Notification(notification) = message.payloads().next()?.body else { return None };
    let said = notification.notify_message_type;
    match kind {
        _ if said == INVALID_SPI => Some(Remark::InvalidSpi),
        ExchangeKind::InformationalV1 if responder_spi.is_zero() => {
            registry::notify_is_error(version.major, said).then_some(Remark::Refusal)
        }
        _ => None,
    }
}

/// Whether this is the first message of an attempt of which nothing but the answer to it was recorded so far.
fn is_beginning(attempt: &Attempt, kind: ExchangeKind, header: &Header, from: Side) -> bool {
    let opens = match kind {
        ExchangeKind::MainMode | ExchangeKind::AggressiveMode => true,
        ExchangeKind::IkeSaInit | ExchangeKind::IkeSessionResume => !header.has(Header::RESPONSE),
        _ => false,
    };
    let [exchange] = attempt.exchanges.as_slice() else { return false };
    opens
        && header.responder_spi.is_zero()
        && from == Side::Initiator
        && exchange.kind == kind
        && exchange.messages.iter().all(|message| message.from == Side::Responder)
}

/// The side of a known attempt that sent a message.
fn side(state: &AttemptState, passage: &Passage, header: &Header, version: IkeVersion) -> Side {
    if version == IkeVersion::V2 {
        // RFC 7296 §3.1: the flag names the original initiator, whoever asks.
        let claims = if header.has(Header::INITIATOR) { Side::Initiator } else { Side::Responder };
        let fits = passage.source.ip() == state.current[claims.index()].ip()
            || passage.source.ip() != state.current[claims.other().index()].ip();
        if fits {
            return claims;
        }
    }
    let [initiator, responder] = state.current;
    if initiator.ip() == responder.ip() {
        return if passage.source == responder && passage.source != initiator {
            Side::Responder
        } else {
            Side::Initiator
        };
    }
    if passage.source.ip() == initiator.ip() || passage.destination.ip() == responder.ip() {
        Side::Initiator
    } else {
        Side::Responder
    }
}

fn exchange_key(kind: ExchangeKind, header: &Header, clues: &Clues<'_>, from: Side, octets: &[u8]) -> ExchangeKey {
    let started_by = match header.version.major {
        2 if header.has(Header::RESPONSE) => Some(from.other()),
        2 => Some(from),
        _ => None,
    };
    if kind == ExchangeKind::InformationalV1 && !clues.encrypted {
        let content = super::content(octets.get(crate::isakmp::HEADER_LEN..).unwrap_or_default());
        return ExchangeKey { kind, message_id: MessageId(0), started_by: Some(from), content };
    }
    ExchangeKey { kind, message_id: header.message_id, started_by, content: 0 }
}

fn place(
    exchange: &Exchange,
    state: &mut ExchangeState,
    label: Label,
    from: Side,
    clues: &Clues<'_>,
    passage: &Passage,
    message: &Message<'_>,
) -> Place {
    let informal = matches!(label, Label::Inf | Label::Stray | Label::Other(_));
    let answers_in_clear = matches!(label, Label::Response(_)) && !clues.encrypted;
    let Some(index) = exchange.messages.iter().enumerate().position(|(index, record)| {
        record.label == label
            && record.from == from
            // What came in clear and what came under protection are not copies of one another.
            && (record.encrypted == clues.encrypted || clues.header.version.major == 1)
            // A response that says something else answers something else: IKE_AUTH, under the header of IKE_SA_INIT.
            && (!answers_in_clear || carried::is_of(&record.carried, message))
            && (!informal
                || state.messages.get(index).is_some_and(|state| state.digest == clues.digest)
                || !clues.encrypted && label == Label::Inf)
    }) else {
        return Place::New;
    };
    let Some(state) = state.messages.get_mut(index) else { return Place::New };
    if let Some(fragment) = clues.fragment.as_ref().filter(|_| state.fragments.is_some())
        && let Some(record) = exchange.messages.get(index).filter(|record| is_elsewhere(record, passage))
    {
        let begins = match (&mut state.elsewhere, record.ike_fragments_elsewhere) {
            (none @ None, None) => {
                *none = Some(Box::new(SkfSet::new(fragment)));
                true
            }
            (Some(set), Some(known)) if known.capture == passage.frame.capture => {
                matches!(set.add(fragment), SkfStep::Again { .. })
            }
            // at a third point
            _ => return Place::RecordedAgain { index },
        };
        return Place::FragmentElsewhere { index, begins };
    }
    if state.copy.is(&passage.copy()) {
        return Place::RecordedAgain { index };
    }
    let changed = state.digest != clues.digest;
    match (&clues.fragment, &mut state.fragments) {
        (Some(fragment), Some(set)) => match set.add(fragment) {
            SkfStep::New => Place::Fragment { index },
            SkfStep::Again { changed } => Place::Repeats { index, changed },
            SkfStep::Repeat => Place::FragmentOfRepeat { index },
        },
        (Some(fragment), none @ None) => {
            // Sent whole before, now in fragments.
            *none = Some(Box::new(SkfSet::new(fragment)));
            Place::Repeats { index, changed: true }
        }
        _ => Place::Repeats { index, changed },
    }
}

/// Whether what came passed another point than that of the record of its message.
fn is_elsewhere(record: &MessageRecord, passage: &Passage) -> bool {
    passage.at_a_point && passage.frame.capture != record.frame.capture
}

/// Notes that a message in IKE fragments of IKEv1 came whole at another point.
fn note_elsewhere(record: &mut MessageRecord, passage: &Passage) {
    if passage.ike_fragments > 0 && is_elsewhere(record, passage) {
        let capture = passage.frame.capture;
        record.ike_fragments_elsewhere = Some(FragmentsElsewhere { capture, missing: None });
    }
}

/// Whether an exchange is one more round of authentication, so that the answers so far were not the last (RFC 7296 §2.16): it
/// has the number behind the last answered one, no answer yet, and nothing else was asked on this SA.
fn is_next_round(attempt: &Attempt, exchange: usize) -> bool {
    let Some(this) = attempt.exchanges.get(exchange) else { return false };
    let is_answered = |exchange: &Exchange| {
        let mut messages = exchange.messages.iter();
        exchange.kind == ExchangeKind::IkeAuth && messages.any(|message| message.label == Label::Response(35))
    };
    let answered = attempt.exchanges.iter().filter(|exchange| is_answered(exchange));
    let last = answered.map(|exchange| exchange.message_id.0).max();
    let in_use = attempt
        .exchanges
        .iter()
        .any(|exchange| matches!(exchange.kind, ExchangeKind::CreateChildSa | ExchangeKind::InformationalV2));
    attempt.rekeyed_from.is_none()
        && !in_use
        && !is_answered(this)
        && last.is_some_and(|last| last.checked_add(1) == Some(this.message_id.0))
}

/// The EAP payload of IKEv2.
const EAP: u8 = 48;
/// The Base exchange, which begins as Main Mode does (RFC 2408 §4.4).
const BASE_MODE: u8 = 1;

/// A message that was not seen before moves the attempt on; one that answers IKE_AUTH does so under protection only (RFC 7296
/// §1.2).
fn note_progress(
    attempt: &mut Attempt,
    exchange: usize,
    label: Label,
    (encrypted, first_inside): (bool, Option<u8>),
    at: Timestamp,
) {
    let rank = |label| stage::rank(label).unwrap_or(0);
    let in_vain = label == Label::Response(35) && !encrypted;
    if (rank(label) > rank(attempt.stage) && !in_vain) || matches!(attempt.stage, Label::Other(_)) {
        attempt.stage = label;
    }
    match label {
        _ if in_vain => {}
        Label::Request(35) if is_next_round(attempt, exchange) => attempt.phase1_up = None,
        Label::Response(35) => attempt.phase1_up = Some(at).filter(|_| first_inside != Some(EAP)),
        label if stage::completes_phase_1(label) => _ = attempt.phase1_up.get_or_insert(at),
        // Any exchange of an SA that only runs under its keys shows that the keys are there.
        Label::Request(36 | 37) | Label::Response(36 | 37) if attempt.rekeyed_from.is_some() => {
            attempt.phase1_up.get_or_insert(at);
        }
        _ => {}
    }
    if label == Label::Qm(3) && attempt.phase2_up.is_none() {
        attempt.phase2_up = Some(at);
    }
}

/// The message that a set-up in progress would expect from `from`: what an IKEv1 fragment is most likely part of.
pub(super) fn expected(attempt: &Attempt, header: &Header, from: Side) -> Label {
    let label = match exchange::kind(header.version.major, header.exchange_type) {
        ExchangeKind::AggressiveMode => Label::Am(if from == Side::Responder { 2 } else { 3 }),
        ExchangeKind::MainMode => match attempt.stage {
            Label::Mm(number @ 1..=3) => Label::Mm(number + 1),
            _ => Label::Mm(5 + from.index() as u8),
        },
        kind => exchange::label(kind, &Clues::blank(header), from, None),
    };
    if attempt.roles_known { label } else { label.by_either() }
}

/// Makes room: the older half of what does not belong to the set-up goes, or of everything behind the first exchange.
fn forget_oldest(attempt: &mut Attempt, state: &mut AttemptState) {
    let informal = |kind: ExchangeKind| {
        matches!(kind, ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2 | ExchangeKind::Other(_))
    };
    let informals = attempt.exchanges.iter().filter(|exchange| informal(exchange.kind)).count();
    let by_kind = informals * 2 > attempt.exchanges.len();
    let mut going = if by_kind { informals / 2 } else { attempt.exchanges.len() / 2 }.max(1);
    let mut keep = Vec::with_capacity(attempt.exchanges.len());
    for (index, exchange) in attempt.exchanges.iter().enumerate() {
        let goes = going > 0 && index > 0 && (!by_kind || informal(exchange.kind));
        going -= usize::from(goes);
        keep.push(!goes);
    }
    let going = attempt.exchanges.iter().zip(&keep).filter(|(_, keep)| !**keep);
    let going = going.flat_map(|(exchange, _)| exchange.messages.iter().map(|message| message.at));
    for at in going.collect::<Vec<_>>() {
        attempt.forget_message(at);
    }
    let mut kept = keep.iter();
    attempt.exchanges.retain(|_| kept.next().copied().unwrap_or(true));
    let mut kept = keep.iter();
    state.exchanges.retain(|_| kept.next().copied().unwrap_or(true));
    state.index_all(attempt);
    state.youngest_setup = attempt.exchanges.iter().rposition(|exchange| stage::sets_up(exchange.kind));
    state.message_count = attempt.exchanges.iter().map(|exchange| exchange.messages.len()).sum();
}
