//! What following an attempt takes besides its facts, and how it is packed with them.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use hashbrown::HashMap;

use crate::base::{MessageId, Timestamp};
use crate::isakmp::Header;
use crate::track::exchange::Clues;
use crate::track::facts::{Attempt, Exchange, ExchangeKind, IkeVersion, Side};
use crate::track::ike_fragment::SkfSet;
use crate::track::nat::HashAlgorithm;
use crate::track::store::packed::{put, take};
use crate::track::{carried, roles, stage};

use super::copies::{MessageState, PacketCopy};

/// Moves remembered of one attempt.
pub(super) const MOVES: usize = 32;
/// Exchanges that are looked through one by one.
const FEW_EXCHANGES: usize = 16;

/// Working state beside an [`Attempt`].
#[derive(Debug, Clone)]
pub(in crate::track) struct AttemptState {
    /// Where each side was last seen to send from.
    pub(super) current: [SocketAddr; 2],
    /// Negotiated hash, once the choice was seen (IKEv1).
    pub(in crate::track) hash: Option<HashAlgorithm>,
    /// Beside [`Attempt::exchanges`].
    pub(super) exchanges: Vec<ExchangeState>,
    /// Where an exchange stands, once there are too many to look through.
    index: HashMap<ExchangeKey, usize>,
    pub(super) message_count: usize,
    /// Octets, about, of lists that it holds alone.
    pub(super) alone: usize,
    /// Highest message id of an IKEv2 INFORMATIONAL seen.
    pub(super) highest_informational: u32,
    /// The last exchange that sets something up: the one that may owe a message.
    pub(super) youngest_setup: Option<usize>,
}

#[derive(Debug, Clone, Default)]
pub(super) struct ExchangeState {
    pub(super) content: u64,
    pub(super) messages: Vec<MessageState>,
}

impl AttemptState {
    pub(super) fn new(facts: &Attempt) -> Self {
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
    pub(super) fn write(&self, facts: &Attempt) -> Vec<u8> {
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
    pub(in crate::track) fn read(facts: &Attempt, octets: &mut &[u8]) -> Self {
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
    pub(in crate::track) fn of(facts: &Attempt, current: [SocketAddr; 2], all: Vec<MessageState>) -> Self {
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
    pub(in crate::track) fn is(&self, other: &Self) -> bool {
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
    pub(super) fn settle_roles(
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
    pub(super) fn find(&self, facts: &Attempt, key: &ExchangeKey) -> Option<usize> {
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
    pub(super) fn index_last(&mut self, facts: &Attempt, key: ExchangeKey) {
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

    pub(super) fn index_all(&mut self, facts: &Attempt) {
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
pub(super) struct ExchangeKey {
    pub(super) kind: ExchangeKind,
    pub(super) message_id: MessageId,
    /// IKEv2: both sides number their own exchanges. IKEv1 ids are the SA's.
    pub(super) started_by: Option<Side>,
    /// Clear informational messages are told apart by what they say: their message id may be new on each copy.
    pub(super) content: u64,
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

    /// The key of the exchange that a message belongs to.
    pub(super) fn of_message(
        kind: ExchangeKind,
        header: &Header,
        clues: &Clues<'_>,
        from: Side,
        octets: &[u8],
    ) -> Self {
        let started_by = match header.version.major {
            2 if header.has(Header::RESPONSE) => Some(from.other()),
            2 => Some(from),
            _ => None,
        };
        if kind == ExchangeKind::InformationalV1 && !clues.encrypted {
            let content = crate::track::content(octets.get(crate::isakmp::HEADER_LEN..).unwrap_or_default());
            return Self { kind, message_id: MessageId(0), started_by: Some(from), content };
        }
        Self { kind, message_id: header.message_id, started_by, content: 0 }
    }
}
