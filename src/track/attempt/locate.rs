//! The attempt that a message belongs to, and the side that sent it.

use std::sync::Arc;
use std::time::Duration;

use crate::base::{IkeSpi, Timestamp};
use crate::isakmp::payload::Body;
use crate::isakmp::{Header, Message, registry};
use crate::track::exchange;
use crate::track::facts::{
    Attempt, ExchangeKind, INVALID_SPI, IkeVersion, Label, MessageRecord, Mode, Move, NatFacts, Side,
};
use crate::track::{Passage, Tracker};

use super::state::MOVES;
use super::{AttemptState, Followed};

/// How far the message id of a path probe may be ahead of the last INFORMATIONAL seen.
const PROBES_AHEAD: u32 = 16;

/// Who refuses a message does so within this.
const REFUSED_WITHIN: Duration = Duration::from_secs(1);

/// Attempts of a pair that are looked through one by one, and the number that is too many.
const FEW_ATTEMPTS: usize = 4;
const MORE_ATTEMPTS: usize = FEW_ATTEMPTS + 1;

/// The Base exchange, which begins as Main Mode does (RFC 2408 §4.4).
const BASE_MODE: u8 = 1;

impl Tracker {
    /// The pair and attempt a message belongs to, opened if need be, and the side that sent it.
    pub(in crate::track) fn locate(
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
    pub(super) fn attempt_known(&self, pair: usize, version: IkeVersion, initiator_spi: IkeSpi) -> Option<usize> {
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
    pub(in crate::track) fn index_attempt(&mut self, pair: usize, attempt: usize) {
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
pub(in crate::track) enum Remark {
    /// Its receiver uses an SA of ESP or AH which there is not (RFC 2408 §3.14.1, RFC 7296 §1.5).
    InvalidSpi,
    /// An error, in an IKEv1 exchange that names no responder. Where its initiator cookie is a new one too, the sender refuses
    /// something without saying of which SA.
    Refusal,
}

pub(super) fn remark(message: &Message<'_>) -> Option<Remark> {
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
