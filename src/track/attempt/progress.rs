//! How far an attempt got, and what makes room in it.

use crate::base::Timestamp;
use crate::isakmp::Header;
use crate::track::exchange::{self, Clues};
use crate::track::facts::{Attempt, Exchange, ExchangeKind, Label, Side};
use crate::track::stage;

use super::AttemptState;

/// The EAP payload of IKEv2.
const EAP: u8 = 48;

/// Whether this is the first message of an attempt of which nothing but the answer to it was recorded so far.
pub(super) fn is_beginning(attempt: &Attempt, kind: ExchangeKind, header: &Header, from: Side) -> bool {
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

/// Whether an exchange is one more round of authentication, so that the answers so far were not the last (RFC 7296 §2.16): it
/// has the number behind the last answered one, no answer yet, and nothing else was asked on this SA.
fn is_next_round(attempt: &Attempt, exchange: usize) -> bool {
    let Some(this) = attempt.exchanges.get(exchange) else { return false };
    let is_answered = |exchange: &Exchange| {
        let mut messages = exchange.messages.iter();
        exchange.kind == ExchangeKind::IkeAuth && messages.any(|message| message.label == Label::AUTH_RSP)
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

/// A message that was not seen before moves the attempt on; one that only who has the keys can send does so under protection
/// only (RFC 7296 §1.2, RFC 2409 §5.5).
pub(super) fn note_progress(
    attempt: &mut Attempt,
    exchange: usize,
    label: Label,
    (encrypted, first_inside): (bool, Option<u8>),
    at: Timestamp,
) {
    let rank = |label: Label| label.rank().unwrap_or(0);
    let in_vain = !encrypted && stage::takes_keys(label);
    if (rank(label) > rank(attempt.stage) && !in_vain) || matches!(attempt.stage, Label::Other(_)) {
        attempt.stage = label;
    }
    match label {
        _ if in_vain => {}
        Label::AUTH_REQ if is_next_round(attempt, exchange) => attempt.phase1_up = None,
        Label::AUTH_RSP => attempt.phase1_up = Some(at).filter(|_| first_inside != Some(EAP)),
        label if stage::completes_phase_1(label) => _ = attempt.phase1_up.get_or_insert(at),
        // Any exchange of an SA that only runs under its keys shows that the keys are there.
        Label::CREATE_CHILD_SA_REQ
        | Label::INFORMATIONAL_REQ
        | Label::CREATE_CHILD_SA_RSP
        | Label::INFORMATIONAL_RSP
            if attempt.rekeyed_from.is_some() =>
        {
            attempt.phase1_up.get_or_insert(at);
        }
        _ => {}
    }
    if label == Label::Qm(3) && attempt.phase2_up.is_none() {
        attempt.phase2_up = Some(at);
    }
}

/// The message that a set-up in progress would expect from `from`: what an IKEv1 fragment is most likely part of.
pub(in crate::track) fn expected(attempt: &Attempt, header: &Header, from: Side) -> Label {
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
pub(super) fn forget_oldest(attempt: &mut Attempt, state: &mut AttemptState) {
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
