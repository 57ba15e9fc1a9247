//! How far a set-up got, and which message it owes next.

use super::exchange::{SaInitAnswer, sa_init_answer};
use super::facts::{Exchange, ExchangeKind, Label};

/// Whether a message of IKEv1 shows that phase 1 is complete.
pub(super) fn completes_phase_1(label: Label) -> bool {
    matches!(label, Label::Mm(6) | Label::Am(3) | Label::Qm(_) | Label::Tr(_))
}

/// Whether a message can only be sent under the keys of phase 1, or of the IKE SA, and moves the set-up on.
pub(super) fn takes_keys(label: Label) -> bool {
    matches!(label, Label::Qm(_) | Label::Tr(_) | Label::AUTH_RSP)
}

/// The message that must follow `label` for the set-up to go on, or `None` if nothing is owed.
pub(super) fn next(label: Label) -> Option<Label> {
    match label {
        Label::Mm(number @ 1..=5) => Some(Label::Mm(number + 1)),
        Label::Am(number @ 1..=2) => Some(Label::Am(number + 1)),
        Label::Qm(number @ 1..=2) => Some(Label::Qm(number + 1)),
        Label::Tr(1) => Some(Label::Tr(2)),
        Label::Ngm(1) => Some(Label::Ngm(2)),
        Label::Request(exchange_type) => Some(Label::Response(exchange_type)),
        Label::SA_INIT_RSP | Label::SESSION_RESUME_RSP | Label::INTERMEDIATE_RSP => Some(Label::AUTH_REQ),
        _ => None,
    }
}

impl Label {
    /// Whether it is after this message that `owed` has to come: COOKIE and INVALID_KE_PAYLOAD ask for the request again.
    pub fn is_followed_by(self, owed: Self) -> bool {
        next(self) == Some(owed) || (self, owed) == (Self::SA_INIT_RSP, Self::SA_INIT_REQ)
    }
}

/// Whether an exchange sets something up, and so can leave something owed.
pub(super) fn sets_up(kind: ExchangeKind) -> bool {
    !matches!(kind, ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2 | ExchangeKind::Other(_))
}

/// What is owed by the last exchange that sets something up.
pub(super) fn waiting_for(youngest: &Exchange) -> Option<Label> {
    let furthest =
        youngest.messages.iter().map(|message| message.label).max_by_key(|label| label.rank().unwrap_or(0))?;
    // An answer may be recorded before what it answers.
    let last = youngest.messages.iter().rfind(|message| message.label == furthest)?;
    match furthest {
        // A COOKIE or INVALID_KE_PAYLOAD answer asks for the request once more; any other error notify ends it.
        Label::SA_INIT_RSP | Label::SESSION_RESUME_RSP => match sa_init_answer(last) {
            SaInitAnswer::Accepted => next(furthest),
            SaInitAnswer::AskedAgain if furthest == Label::SA_INIT_RSP => Some(Label::SA_INIT_REQ),
            SaInitAnswer::AskedAgain => Some(Label::SESSION_RESUME_REQ),
            SaInitAnswer::Refused => None,
        },
        _ => next(furthest),
    }
}
