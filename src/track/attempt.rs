//! Attempts: which one a message belongs to, which side sent it, and filing it there.

use std::collections::HashMap;
use std::net::SocketAddr;

use crate::base::{MessageId, Timestamp};
use crate::isakmp::payload::{Body, EncryptedFragment};
use crate::isakmp::{Header, Message};

use super::exchange::{self, Clues};
use super::facts::{
    Attempt, Exchange, ExchangeKind, IkeVersion, Label, MessageRecord, Mode, Move, NatFacts, Repeat, Side,
};
use super::ike_fragment::{FragmentSet, SetKey, SkfSet, SkfStep};
use super::nat::HashAlgorithm;
use super::{FlowKey, Observed, Passage, Tracker, carried, pair, stage};

/// Moves remembered of one attempt.
const MOVES: usize = 32;
/// How far the message id of a path probe may be ahead of the last INFORMATIONAL seen.
const PROBES_AHEAD: u32 = 16;
/// Messages kept of one exchange: none of any RFC has as many.
const MESSAGES_AN_EXCHANGE: usize = 64;
/// Copies of one packet that a capture records lie closer together than this, whatever their IP identification.
const RECORDED_TWICE_NANOS: u128 = 10_000_000;
/// Copies with the same non-zero IP identification lie closer together than this.
const SAME_IP_ID_NANOS: u128 = 1_000_000_000;

/// Working state beside an [`Attempt`].
#[derive(Debug)]
pub(super) struct AttemptState {
    /// Where each side was last seen to send from.
    current: [SocketAddr; 2],
    /// Negotiated hash, once the choice was seen (IKEv1).
    pub(super) hash: Option<HashAlgorithm>,
    exchanges: HashMap<ExchangeKey, usize>,
    /// Beside [`Attempt::exchanges`].
    messages: Vec<ExchangeState>,
    message_count: usize,
    /// Highest message id of an IKEv2 INFORMATIONAL seen.
    highest_informational: u32,
    /// The last exchange that sets something up: the one that may owe a message.
    youngest_setup: Option<usize>,
}

#[derive(Debug, Default)]
struct ExchangeState {
    digests: Vec<u64>,
    copies: Vec<LastCopy>,
    fragments: Vec<Option<SkfSet>>,
}

/// The last copy of a message that was recorded.
#[derive(Debug, Clone, Copy)]
struct LastCopy {
    frame: crate::base::FrameRef,
    at: Timestamp,
    ip_id: Option<u32>,
    digest: u64,
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
}

impl Tracker {
    /// The pair and attempt a message belongs to, opened if need be, and the side that sent it.
    pub(super) fn locate(&mut self, passage: &Passage, header: &Header) -> Option<(usize, usize, Side)> {
        let version = if header.version.major == 2 { IkeVersion::V2 } else { IkeVersion::V1 };
        let pair_key = pair::key(passage.source.ip(), passage.destination.ip());
        let here = self.pairs.get(&pair_key).and_then(|&index| {
            self.attempts.get(&(index, version, header.initiator_spi)).map(|&attempt| (index, attempt))
        });
        let (pair, attempt) = match here.or_else(|| self.moved(passage, header, version)) {
            Some(found) => found,
            None => self.open_attempt(passage, header, version)?,
        };
        let from = side(&self.states[pair][attempt], passage, header, version);
        self.note_addresses(pair, attempt, passage, header, from);
        Some((pair, attempt, from))
    }

    /// An attempt known by both SPIs that goes on between other addresses. One end where it was is enough: the other has
    /// moved (RFC 4555, or a NAT's mapping). With both ends elsewhere only the next INFORMATIONAL of an IKEv2 SA is believed,
    /// as MOBIKE probes paths (RFC 4555 §3.3). SPIs alone are not: they can be anybody's.
    fn moved(&mut self, passage: &Passage, header: &Header, version: IkeVersion) -> Option<(usize, usize)> {
        if header.responder_spi.is_zero() {
            return None;
        }
        let &(pair, attempt) = self.by_spis.get(&(version, header.initiator_spi, header.responder_spi))?;
        let state = self.states.get(pair)?.get(attempt)?;
        let ends = [passage.source.ip(), passage.destination.ip()];
        if !state.current.iter().any(|endpoint| ends.contains(&endpoint.ip())) {
            let kind = exchange::kind(header.version.major, header.exchange_type);
            let next = header.message_id.0.wrapping_sub(state.highest_informational) <= PROBES_AHEAD;
            return (kind == ExchangeKind::InformationalV2 && next).then_some((pair, attempt));
        }
        let key = pair::key(passage.source.ip(), passage.destination.ip());
        match self.pairs.get(&key).copied() {
            None => {
                self.pairs.insert(key, pair);
            }
            // ESP was seen at the new address before IKE explained it: it belongs to the pair that moved.
            Some(early) if early != pair && self.facts.pairs[early].attempts.is_empty() => {
                self.adopt_flows(early, pair);
                self.pairs.insert(key, pair);
            }
            Some(_) => {}
        }
        Some((pair, attempt))
    }

    fn adopt_flows(&mut self, from: usize, to: usize) {
        let flows = std::mem::take(&mut self.facts.pairs[from].flows);
        let states = std::mem::take(&mut self.flow_states[from]);
        let sent = std::mem::take(&mut self.facts.pairs[from].sent);
        let same_way = self.facts.pairs[to].is_from_a(self.facts.pairs[from].a, self.facts.pairs[from].b);
        for (index, seen) in sent.into_iter().enumerate() {
            let whole = &mut self.facts.pairs[to].sent[if same_way { index } else { 1 - index }];
            whole.esp += seen.esp;
            whole.ah += seen.ah;
            whole.keepalives += seen.keepalives;
            whole.on_4500 += seen.on_4500;
            if let Some((first, last)) = seen.span {
                let span = whole.span.get_or_insert((first, last));
                *span = (span.0.min(first), span.1.max(last));
            }
        }
        let first = self.facts.pairs[to].flows.len();
        self.facts.pairs[to].flows.extend(flows);
        self.flow_states[to].extend(states);
        // By their keys: looking through all flows for those of one pair would take as long as there are flows.
        for (index, flow) in self.facts.pairs[to].flows.iter().enumerate().skip(first) {
            self.flows.insert(FlowKey::of(flow), (to, index));
        }
    }

    fn open_attempt(&mut self, passage: &Passage, header: &Header, version: IkeVersion) -> Option<(usize, usize)> {
        if self.attempt_count >= self.limits.attempts {
            self.facts.forgotten.attempts += 1;
            return None;
        }
        let pair = self.pair_between(passage.source.ip(), passage.destination.ip(), passage.at, passage.frame)?;
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
            );
        let rekeyed_from = match version {
            // What a new SA without an SA_INIT of its own came from (RFC 7296 §1.3.2).
            IkeVersion::V2 if !begins => self.rekeying.get(&pair).copied(),
            _ => None,
        };
        let attempts = &mut self.facts.pairs[pair].attempts;
        let index = attempts.len();
        attempts.push(Attempt {
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
            offered: Vec::new(),
            chosen: None,
            vendor_ids: [Vec::new(), Vec::new()],
            nat: NatFacts::default(),
            midstream: !begins && rekeyed_from.is_none(),
            moves: Vec::new(),
            stage: Label::Other(header.exchange_type),
            waiting_for: None,
            phase1_up: None,
            phase2_up: None,
            rekeyed_from,
            messages_forgotten: 0,
        });
        self.states[pair].push(AttemptState {
            current: [initiator, responder],
            hash: None,
            exchanges: HashMap::new(),
            messages: Vec::new(),
            message_count: 0,
            highest_informational: 0,
            youngest_setup: None,
        });
        self.attempt_count += 1;
        if !header.responder_spi.is_zero() {
            self.by_spis.entry((version, header.initiator_spi, header.responder_spi)).or_insert((pair, index));
        }
        self.attempts.insert((pair, version, header.initiator_spi), index);
        Some((pair, index))
    }

    fn note_addresses(&mut self, pair: usize, attempt: usize, passage: &Passage, header: &Header, from: Side) {
        let state = &mut self.states[pair][attempt];
        let facts = &mut self.facts.pairs[pair].attempts[attempt];
        if exchange::kind(header.version.major, header.exchange_type) == ExchangeKind::InformationalV2 {
            state.highest_informational = state.highest_informational.max(header.message_id.0);
        }
        if facts.responder_spi.is_zero() && !header.responder_spi.is_zero() {
            facts.responder_spi = header.responder_spi;
            self.by_spis.entry((facts.version, header.initiator_spi, header.responder_spi)).or_insert((pair, attempt));
        }
        let other_end_moved = state.current[from.other().index()].ip() != passage.destination.ip();
        if state.current[from.index()] != passage.source && !other_end_moved {
            state.current[from.index()] = passage.source;
            if facts.moves.len() < MOVES {
                facts.moves.push(Move { at: passage.at, frame: passage.frame, side: from, to: passage.source });
            }
        }
    }

    /// Files a whole message (or one SKF fragment of one).
    pub(super) fn file_message(&mut self, passage: &Passage, message: &Message<'_>) -> Option<Observed> {
        let (pair, index, from) = self.locate(passage, &message.header)?;
        let attempt = &mut self.facts.pairs[pair].attempts[index];
        let state = &mut self.states[pair][index];
        attempt.last = attempt.last.max(passage.at);
        attempt.last_frame = passage.frame;

        let clues = Clues::of(message, passage.digest);
        let kind = exchange::kind(message.header.version.major, message.header.exchange_type);
        if attempt.mode == Mode::Unknown {
            attempt.mode = match kind {
                ExchangeKind::MainMode => Mode::Main,
                ExchangeKind::AggressiveMode => Mode::Aggressive,
                _ => Mode::Unknown,
            };
        }
        let key = exchange_key(kind, &message.header, &clues, from, message.octets());
        let mut known = state.exchanges.get(&key).copied();
        let label = exchange::label(
            kind,
            &clues,
            from,
            known.map(|known| (&attempt.exchanges[known], state.messages[known].digests.as_slice())),
        );
        let fragment = skf(message);
        let mut place = match known {
            Some(known) => place(
                &attempt.exchanges[known],
                &mut state.messages[known],
                label,
                from,
                &clues,
                passage,
                fragment.as_ref(),
            ),
            None => Place::New,
        };
        // A clear IKE_SA_INIT request that differs is not a repeat: it answers a COOKIE or INVALID_KE_PAYLOAD.
        if kind == ExchangeKind::IkeSaInit
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
        };
        match (place, known) {
            (Place::New, mut known) => {
                if state.message_count >= self.limits.messages_an_attempt {
                    forget_oldest(attempt, state);
                    known = known.and_then(|_| state.exchanges.get(&key).copied());
                }
                let exchange_full =
                    known.is_some_and(|known| attempt.exchanges[known].messages.len() >= MESSAGES_AN_EXCHANGE);
                // The first exchange is never forgotten, so that there may be no room to make.
                if exchange_full || state.message_count >= self.limits.messages_an_attempt {
                    attempt.messages_forgotten += 1;
                    return Some(observed);
                }
                let carried = carried::read(attempt, state, message, passage, from);
                let exchange = match known {
                    Some(exchange) => exchange,
                    None => {
                        attempt.exchanges.push(Exchange {
                            kind,
                            message_id: message.header.message_id,
                            started_by: from,
                            messages: Vec::new(),
                        });
                        state.messages.push(ExchangeState::default());
                        let exchange = attempt.exchanges.len() - 1;
                        state.exchanges.insert(key, exchange);
                        if stage::sets_up(kind) {
                            state.youngest_setup = Some(exchange);
                        }
                        exchange
                    }
                };
                let skf_set = fragment.as_ref().map(SkfSet::new);
                attempt.exchanges[exchange].messages.push(MessageRecord {
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
                    carried,
                    fault: message.fault(),
                    repeats: Vec::new(),
                    repeat_count: 0,
                    recorded_again: 0,
                });
                let state_of = &mut state.messages[exchange];
                state_of.digests.push(passage.digest);
                state_of.copies.push(LastCopy::of(passage));
                state_of.fragments.push(skf_set);
                state.message_count += 1;
                if kind == ExchangeKind::CreateChildSa && attempt.exchanges[exchange].messages.len() > 1 {
                    let youngest = self.rekeying.entry(pair).or_insert(index);
                    *youngest = index.max(*youngest);
                }
                let missing =
                    attempt.exchanges[exchange].messages.last().and_then(|record| record.ike_fragments_missing);
                if missing.is_none() {
                    note_progress(attempt, label, passage.at);
                }
            }
            (Place::Repeats { index, changed }, Some(exchange)) => {
                let record = &mut attempt.exchanges[exchange].messages[index];
                observed.retransmission_of = Some(record.frame);
                record.repeat_count += 1;
                if record.repeats.len() < self.limits.repeats_a_message {
                    record.repeats.push(Repeat { frame: passage.frame, at: passage.at, changed });
                }
                state.messages[exchange].copies[index] = LastCopy::of(passage);
            }
            (Place::RecordedAgain { index }, Some(exchange)) => {
                let record = &mut attempt.exchanges[exchange].messages[index];
                record.recorded_again += 1;
                let copy = &mut state.messages[exchange].copies[index];
                observed.recorded_before = Some(copy.frame);
                copy.at = passage.at;
            }
            (Place::Fragment { index }, Some(exchange)) => {
                let record = &mut attempt.exchanges[exchange].messages[index];
                if let Some(set) = &state.messages[exchange].fragments[index] {
                    record.ike_fragments = set.count();
                    record.ike_fragments_missing = set.missing();
                }
                record.length = record.length.saturating_add(message.header.length);
                if record.ike_fragments_missing.is_none() {
                    (record.frame, record.at) = (passage.frame, passage.at);
                    note_progress(attempt, label, passage.at);
                }
            }
            (Place::FragmentOfRepeat { index }, Some(exchange)) => {
                observed.retransmission_of = Some(attempt.exchanges[exchange].messages[index].frame);
            }
            (_, None) => {}
        }
        attempt.waiting_for =
            state.youngest_setup.and_then(|youngest| stage::waiting_for(&attempt.exchanges[youngest]));
        Some(observed)
    }

    /// A set of IKEv1 fragments that will not become whole: a message all the same, with what is missing of it.
    pub(super) fn file_incomplete_fragments(&mut self, key: &SetKey, set: &FragmentSet) {
        let found = self.pairs.get(&pair::key(key.source.ip(), key.destination.ip())).and_then(|&pair| {
            self.attempts.get(&(pair, IkeVersion::V1, key.initiator_spi)).map(|&attempt| (pair, attempt))
        });
        let Some((pair, index)) = found else { return };
        let attempt = &mut self.facts.pairs[pair].attempts[index];
        let state = &mut self.states[pair][index];
        let from = if key.source.ip() == state.current[0].ip() { Side::Initiator } else { Side::Responder };
        let kind = match attempt.mode {
            Mode::Aggressive => ExchangeKind::AggressiveMode,
            _ => ExchangeKind::MainMode,
        };
        let label = match kind {
            ExchangeKind::AggressiveMode => Label::Am(if from == Side::Initiator { 3 } else { 2 }),
            _ => Label::Mm(5 + from.index() as u8),
        };
        let Some(exchange) = attempt.exchanges.iter().position(|exchange| exchange.kind == kind) else { return };
        let mut known = attempt.exchanges[exchange].messages.iter_mut().zip(&state.messages[exchange].copies);
        if let Some((record, copy)) = known.find(|(record, _)| record.label == label) {
            // What a mirror port left over of a message that had just become whole is not another copy of it.
            if set.since.since(copy.at).as_nanos() < RECORDED_TWICE_NANOS {
                record.recorded_again += 1;
                return;
            }
            record.repeat_count += 1;
            if record.repeats.len() < self.limits.repeats_a_message {
                record.repeats.push(Repeat { frame: set.first_frame, at: set.since, changed: true });
            }
            return;
        }
        if state.message_count >= self.limits.messages_an_attempt {
            attempt.messages_forgotten += 1;
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
            length: 0,
            encrypted: true,
            encapsulation: crate::packet::Encapsulation::Udp,
            non_esp_marker: false,
            flags: 0,
            ip_fragments: 1,
            ike_fragments: set.count(),
            ike_fragments_missing: set.missing(),
            carried: Vec::new(),
            fault: None,
            repeats: Vec::new(),
            repeat_count: 0,
            recorded_again: 0,
        });
        let state_of = &mut state.messages[exchange];
        state_of.digests.push(0);
        state_of.copies.push(LastCopy { frame: set.first_frame, at: set.since, ip_id: None, digest: 0 });
        state_of.fragments.push(None);
    }
}

impl LastCopy {
    fn of(passage: &Passage) -> Self {
        Self { frame: passage.frame, at: passage.at, ip_id: passage.ip_id, digest: passage.digest }
    }

    /// Whether `passage` is this very packet once more, as a mirror port or `-i any` records it.
    fn is(&self, passage: &Passage) -> bool {
        let gap = passage.at.since(self.at).as_nanos();
        let same_id = self.ip_id.is_some_and(|id| id != 0 && passage.ip_id == Some(id));
        self.digest == passage.digest
            && self.ip_id == passage.ip_id
            && (gap < RECORDED_TWICE_NANOS || (same_id && gap < SAME_IP_ID_NANOS))
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

fn exchange_key(kind: ExchangeKind, header: &Header, clues: &Clues, from: Side, octets: &[u8]) -> ExchangeKey {
    let started_by = match header.version.major {
        2 if header.has(Header::RESPONSE) => Some(from.other()),
        2 => Some(from),
        _ => None,
    };
    if kind == ExchangeKind::InformationalV1 && !clues.encrypted {
        let content = super::digest(octets.get(crate::isakmp::HEADER_LEN..).unwrap_or_default());
        return ExchangeKey { kind, message_id: MessageId(0), started_by: Some(from), content };
    }
    ExchangeKey { kind, message_id: header.message_id, started_by, content: 0 }
}

fn skf<'a>(message: &Message<'a>) -> Option<EncryptedFragment<'a>> {
    message.payloads().find_map(|payload| match payload.body {
        Body::EncryptedFragment(fragment) => Some(fragment),
        _ => None,
    })
}

fn place(
    exchange: &Exchange,
    state: &mut ExchangeState,
    label: Label,
    from: Side,
    clues: &Clues,
    passage: &Passage,
    fragment: Option<&EncryptedFragment<'_>>,
) -> Place {
    let informal = matches!(label, Label::Inf | Label::Stray | Label::Other(_));
    let Some(index) = exchange.messages.iter().enumerate().position(|(index, record)| {
        record.label == label
            && record.from == from
            && (!informal || state.digests.get(index) == Some(&clues.digest) || !clues.encrypted && label == Label::Inf)
    }) else {
        return Place::New;
    };
    if state.copies[index].is(passage) {
        return Place::RecordedAgain { index };
    }
    let changed = state.digests[index] != clues.digest;
    match (fragment, &mut state.fragments[index]) {
        (Some(fragment), Some(set)) => match set.add(fragment) {
            SkfStep::New => Place::Fragment { index },
            SkfStep::Again { changed } => Place::Repeats { index, changed },
            SkfStep::Repeat => Place::FragmentOfRepeat { index },
        },
        (Some(fragment), none @ None) => {
            // Sent whole before, now in fragments.
            *none = Some(SkfSet::new(fragment));
            Place::Repeats { index, changed: true }
        }
        _ => Place::Repeats { index, changed },
    }
}

/// A message that was not seen before moves the attempt on.
fn note_progress(attempt: &mut Attempt, label: Label, at: Timestamp) {
    let rank = |label| stage::rank(label).unwrap_or(0);
    if rank(label) > rank(attempt.stage) || matches!(attempt.stage, Label::Other(_)) {
        attempt.stage = label;
    }
    let phase1 = match label {
        Label::Mm(6) | Label::Am(3) | Label::Qm(_) | Label::Tr(_) | Label::Response(35) => true,
        // Any exchange of an SA that only runs under its keys shows that the keys are there.
        Label::Request(36 | 37) | Label::Response(36 | 37) => attempt.rekeyed_from.is_some(),
        _ => false,
    };
    if phase1 && attempt.phase1_up.is_none() {
        attempt.phase1_up = Some(at);
    }
    if label == Label::Qm(3) && attempt.phase2_up.is_none() {
        attempt.phase2_up = Some(at);
    }
}

/// The message that a set-up in progress would expect from `from`: what an IKEv1 fragment is most likely part of.
pub(super) fn expected(attempt: &Attempt, header: &Header, from: Side) -> Label {
    match exchange::kind(header.version.major, header.exchange_type) {
        ExchangeKind::AggressiveMode => Label::Am(if from == Side::Responder { 2 } else { 3 }),
        ExchangeKind::MainMode => match attempt.stage {
            Label::Mm(number @ 1..=3) => Label::Mm(number + 1),
            _ => Label::Mm(5 + from.index() as u8),
        },
        kind => exchange::label(kind, &Clues::blank(header), from, None),
    }
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
    let mut place = 0;
    let places: Vec<Option<usize>> = keep
        .iter()
        .map(|&kept| {
            place += usize::from(kept);
            kept.then(|| place - 1)
        })
        .collect();
    state.exchanges.retain(|_, index| match places.get(*index).copied().flatten() {
        Some(place) => {
            *index = place;
            true
        }
        None => false,
    });
    let before: usize = attempt.exchanges.iter().map(|exchange| exchange.messages.len()).sum();
    let mut kept = keep.iter();
    attempt.exchanges.retain(|_| kept.next().copied().unwrap_or(true));
    let mut kept = keep.iter();
    state.messages.retain(|_| kept.next().copied().unwrap_or(true));
    state.youngest_setup = attempt.exchanges.iter().rposition(|exchange| stage::sets_up(exchange.kind));
    let after: usize = attempt.exchanges.iter().map(|exchange| exchange.messages.len()).sum();
    attempt.messages_forgotten += (before - after) as u64;
    state.message_count = after;
}
