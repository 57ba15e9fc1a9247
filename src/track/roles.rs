//! Which side of an IKEv1 SA is which, where the capture does not hold its beginning.
//!
//! IKEv1 has no flag for it: it shows in what the sides send one after the other. Until then the side that was heard first
//! stands for the initiator, [`Attempt::roles_known`] says that this is not known, and messages of Main Mode are
//! [`Label::MmEither`].
//!
//! Contract: what is known once stays as it is.

use std::time::Duration;

use crate::base::Timestamp;

use super::exchange::Clues;
use super::facts::{Attempt, Exchange, ExchangeKind, Label, MessageRecord, Side};
use super::stage;

/// An answer within this follows what stands before it, and is no repeat of something earlier: nobody repeats as soon.
const AT_ONCE: Duration = Duration::from_millis(300);
/// Exchanges among which Main Mode is looked for: nothing but stray messages stands before it.
const FIRST_EXCHANGES: usize = 16;

/// What a message shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shown {
    /// The initiator, by the names that the sides have so far.
    pub(super) initiator: Side,
    /// Nothing else fits.
    pub(super) certain: bool,
}

/// What a message shows that comes from `from` at `at`, together with those before it. `None` if it shows nothing.
pub(super) fn shown(
    attempt: &Attempt,
    kind: ExchangeKind,
    clues: &Clues<'_>,
    from: Side,
    at: Timestamp,
) -> Option<Shown> {
    let certain = |initiator| Some(Shown { initiator, certain: true });
    let main = main_mode(attempt);
    let sent = |side: Side, encrypted: bool| {
        main.and_then(|main| main.messages.iter().find(|message| is_from(message, side, encrypted)))
    };
    let other = from.other();
    match kind {
        // Message 2 carries an SA payload and both SPIs, message 1 no SPI of the responder.
        ExchangeKind::MainMode | ExchangeKind::AggressiveMode if clues.has_sa => {
            certain(if clues.header.responder_spi.is_zero() { from } else { other })
        }
        // Message 3, in clear or not, unless it is a mere notify.
        ExchangeKind::AggressiveMode if !clues.only_notifies => certain(from),
        ExchangeKind::MainMode if clues.encrypted => match (sent(from, true), sent(other, true)) {
            // Message 6 answers message 5.
            (None, Some(fifth)) => Some(Shown { initiator: other, certain: at.since(fifth.last_sent()) <= AT_ONCE }),
            // Message 3 is answered in clear, message 4 encrypted.
            (None, None) if sent(other, false).is_some() => certain(from),
            // Message 6 comes again only if message 5 does.
            (Some(fifth), None) if speaks_after(attempt, other, fifth.at) => certain(from),
            (None, None) if sent(from, false).is_none() => Some(Shown { initiator: from, certain: false }),
            _ => None,
        },
        ExchangeKind::MainMode if clues.has_ke => match (sent(from, false), sent(other, false)) {
            (None, Some(third)) => Some(Shown { initiator: other, certain: at.since(third.last_sent()) <= AT_ONCE }),
            (None, None) if sent(from, true).or(sent(other, true)).is_none() => {
                Some(Shown { initiator: from, certain: false })
            }
            _ => None,
        },
        // Phase 1 ends with message 6, so that was the only one of Main Mode: its sender did not send message 5.
        ExchangeKind::QuickMode | ExchangeKind::Transaction | ExchangeKind::NewGroupMode if clues.encrypted => {
            match (sent(from, true), sent(other, true)) {
                (None, Some(_)) => certain(from),
                // The gateway asks for the user right after message 6.
                (Some(_), None) if kind == ExchangeKind::Transaction => certain(other),
                (Some(own), Some(theirs)) if own.repeat_count == 0 && theirs.repeat_count == 0 => {
                    certain(if own.at < theirs.at { from } else { other })
                }
                _ => None,
            }
        }
        _ => None,
    }
}

/// Gives the sides each other's names, in all that is known of an attempt.
pub(super) fn swap(attempt: &mut Attempt) {
    std::mem::swap(&mut attempt.initiator, &mut attempt.responder);
    attempt.vendor_ids.swap(0, 1);
    let nat = &mut attempt.nat;
    nat.own_matches.swap(0, 1);
    nat.peer_matches.swap(0, 1);
    nat.announced.swap(0, 1);
    for step in &mut attempt.moves {
        step.side = step.side.other();
    }
    for exchange in &mut attempt.exchanges {
        exchange.started_by = exchange.started_by.other();
        for message in &mut exchange.messages {
            message.from = message.from.other();
        }
    }
}

/// Says of each message of Main Mode which one it is, and what that shows.
pub(super) fn name(attempt: &mut Attempt) {
    attempt.roles_known = true;
    for message in attempt.exchanges.iter_mut().flat_map(|exchange| &mut exchange.messages) {
        message.label = message.label.by(message.from);
    }
    let whole = |message: &&MessageRecord| message.ike_fragments_missing.is_none();
    let messages = || attempt.exchanges.iter().flat_map(|exchange| &exchange.messages).filter(whole);
    let stage = messages().map(|message| message.label).max_by_key(|label| label.rank().unwrap_or(0));
    let proves = |message: &&MessageRecord| stage::completes_phase_1(message.label);
    let phase1_up = messages().filter(proves).map(|message| message.at).chain(attempt.phase1_up).min();
    attempt.stage = stage.filter(|label| label.rank().is_some()).unwrap_or(attempt.stage);
    attempt.phase1_up = phase1_up;
}

fn main_mode(attempt: &Attempt) -> Option<&Exchange> {
    attempt.exchanges.iter().take(FIRST_EXCHANGES).find(|exchange| exchange.kind == ExchangeKind::MainMode)
}

fn is_from(message: &MessageRecord, side: Side, encrypted: bool) -> bool {
    message.from == side && message.encrypted == encrypted && matches!(message.label, Label::Mm(_) | Label::MmEither(_))
}

/// Whether anything came from `side` after `at`, so that all of it would have been captured.
fn speaks_after(attempt: &Attempt, side: Side, at: Timestamp) -> bool {
    let exchanges = attempt.exchanges.iter().take(FIRST_EXCHANGES);
    exchanges.flat_map(|exchange| &exchange.messages).any(|message| message.from == side && message.last_sent() >= at)
}
