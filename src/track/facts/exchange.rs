//! Exchanges, and the labels of their messages.

use std::fmt;

use crate::base::MessageId;

use super::attempt::Side;
use super::message::{MessageRecord, PayloadDetail};

/// Notify type of both versions (RFC 2408 §3.14.1, RFC 7296 §3.10.1).
pub(in crate::track) const INVALID_SPI: u16 = 11;

/// An exchange: messages that share a message id (and, in phase 1 of IKEv1, the SA's set-up).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// Which.
    pub kind: ExchangeKind,
    /// Its message id.
    pub message_id: MessageId,
    /// Side of the SA that sent its first message.
    pub started_by: Side,
    /// Its messages in order, repeats folded into the message they repeat.
    pub messages: Vec<MessageRecord>,
}

impl Exchange {
    /// The first message with this label.
    pub fn message(&self, label: Label) -> Option<&MessageRecord> {
        self.messages.iter().find(|message| message.label == label)
    }

    /// An Informational in clear with INVALID-SPI, or under a cookie of its own.
    pub(in crate::track) fn is_remark(&self) -> bool {
        let invalid = |message: &MessageRecord| match message.carried.first().map(|payload| &payload.detail) {
            Some(PayloadDetail::Notify { notify_message_type, .. }) => *notify_message_type == INVALID_SPI,
            _ => false,
        };
        matches!(self.kind, ExchangeKind::InformationalV1 | ExchangeKind::InformationalV2)
            && self.messages.iter().all(|message| !message.encrypted && (message.own_cookie || invalid(message)))
    }
}

/// Kinds of exchange, of both versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExchangeKind {
    /// v1 type 2.
    MainMode,
    /// v1 type 4.
    AggressiveMode,
    /// v1 type 32.
    QuickMode,
    /// v1 type 33.
    NewGroupMode,
    /// v1 type 6.
    Transaction,
    /// v1 type 5.
    InformationalV1,
    /// v2 type 34.
    IkeSaInit,
    /// v2 type 43.
    IkeIntermediate,
    /// v2 type 35.
    IkeAuth,
    /// v2 type 36.
    CreateChildSa,
    /// v2 type 37.
    InformationalV2,
    /// v2 type 44.
    IkeFollowupKe,
    /// v2 type 38.
    IkeSessionResume,
    /// Any other, by number.
    Other(u8),
}

/// A message's place in its exchange, as the field writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Label {
    /// Main Mode, 1 to 6.
    Mm(u8),
    /// Main Mode, 3 or 5, or the one after it: which side sent it is not known.
    MmEither(u8),
    /// Aggressive Mode, 1 to 3.
    Am(u8),
    /// Quick Mode, 1 to 3; 4 with the commit bit.
    Qm(u8),
    /// Transaction, from 1.
    Tr(u8),
    /// New Group Mode, 1 and 2.
    Ngm(u8),
    /// IKEv1 Informational.
    Inf,
    /// A clear-text notify or other stray inside a phase 1 or phase 2 exchange type.
    Stray,
    /// IKEv2 request and response of the exchange with this type.
    Request(u8),
    /// See `Request`.
    Response(u8),
    /// A message of an exchange type this program does not know.
    Other(u8),
}

impl Label {
    /// Request of IKE_SA_INIT.
    pub const SA_INIT_REQ: Self = Self::Request(34);
    /// Response of IKE_SA_INIT.
    pub const SA_INIT_RSP: Self = Self::Response(34);
    /// Request of IKE_AUTH.
    pub const AUTH_REQ: Self = Self::Request(35);
    /// Response of IKE_AUTH.
    pub const AUTH_RSP: Self = Self::Response(35);
    /// Request of CREATE_CHILD_SA.
    pub const CREATE_CHILD_SA_REQ: Self = Self::Request(36);
    /// Response of CREATE_CHILD_SA.
    pub const CREATE_CHILD_SA_RSP: Self = Self::Response(36);
    /// Request of INFORMATIONAL.
    pub const INFORMATIONAL_REQ: Self = Self::Request(37);
    /// Response of INFORMATIONAL.
    pub const INFORMATIONAL_RSP: Self = Self::Response(37);
    /// Request of IKE_SESSION_RESUME.
    pub const SESSION_RESUME_REQ: Self = Self::Request(38);
    /// Response of IKE_SESSION_RESUME.
    pub const SESSION_RESUME_RSP: Self = Self::Response(38);
    /// Request of IKE_INTERMEDIATE.
    pub const INTERMEDIATE_REQ: Self = Self::Request(43);
    /// Response of IKE_INTERMEDIATE.
    pub const INTERMEDIATE_RSP: Self = Self::Response(43);
    /// Request of IKE_FOLLOWUP_KE.
    pub const FOLLOWUP_KE_REQ: Self = Self::Request(44);
    /// Response of IKE_FOLLOWUP_KE.
    pub const FOLLOWUP_KE_RSP: Self = Self::Response(44);

    /// How far a message that sets an SA up takes it; `None` for those that only use it.
    pub fn rank(self) -> Option<u8> {
        Some(match self {
            Self::Mm(number) | Self::MmEither(number) | Self::Am(number) => number,
            Self::Tr(number) => 10 + number.min(2),
            // A fourth one confirms what the third completed.
            Self::Qm(number) => 20 + number.min(3),
            Self::SA_INIT_REQ | Self::SESSION_RESUME_REQ => 1,
            Self::SA_INIT_RSP | Self::SESSION_RESUME_RSP => 2,
            Self::INTERMEDIATE_REQ => 3,
            Self::INTERMEDIATE_RSP => 4,
            Self::AUTH_REQ => 5,
            Self::AUTH_RSP => 6,
            _ => return None,
        })
    }

    /// The same, of a message of which is not known which side sent it.
    pub(in crate::track) fn by_either(self) -> Self {
        match self {
            Self::Mm(number @ 1..=6) => Self::MmEither(number - (number + 1) % 2),
            other => other,
        }
    }

    /// The same, of a message that `side` sent.
    pub(in crate::track) fn by(self, side: Side) -> Self {
        match self {
            Self::MmEither(number) => Self::Mm(number.saturating_add(side.index() as u8)),
            other => other,
        }
    }

    /// A set-up that got no further leaves the responder with a negotiation half open.
    pub(in crate::track) fn leaves_half_open(self) -> bool {
        matches!(self, Label::Mm(1 | 2) | Label::Am(1 | 2) | Label::SA_INIT_REQ | Label::SA_INIT_RSP)
    }
}

impl fmt::Display for Label {
    /// `MM1`, `AM2`, `QM3`, `TR1`, `INF`, `SA_INIT-REQ`, `AUTH-RSP`, …
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::Mm(number) => write!(f, "MM{number}"),
            Self::MmEither(number) => write!(f, "MM{number}/{}", number.saturating_add(1)),
            Self::Am(number) => write!(f, "AM{number}"),
            Self::Qm(number) => write!(f, "QM{number}"),
            Self::Tr(number) => write!(f, "TR{number}"),
            Self::Ngm(number) => write!(f, "NGM{number}"),
            Self::Inf => f.write_str("INF"),
            Self::Stray => f.write_str("STRAY"),
            Self::Request(exchange_type) => write_v2(f, exchange_type, "REQ"),
            Self::Response(exchange_type) => write_v2(f, exchange_type, "RSP"),
            Self::Other(exchange_type) => write!(f, "EXCH{exchange_type}"),
        }
    }
}

fn write_v2(f: &mut fmt::Formatter<'_>, exchange_type: u8, end: &str) -> fmt::Result {
    let name = match exchange_type {
        34 => "SA_INIT",
        35 => "AUTH",
        36 => "CREATE_CHILD_SA",
        37 => "INFORMATIONAL",
        38 => "SESSION_RESUME",
        43 => "INTERMEDIATE",
        44 => "FOLLOWUP_KE",
        other => return write!(f, "EXCH{other}-{end}"),
    };
    write!(f, "{name}-{end}")
}
