//! A message's place in its exchange: which message it is, and which side of the SA sent it. One file an exchange.

mod aggressive_mode;
mod main_mode;
mod quick_mode;
mod request_response;
mod transaction;

pub(super) use quick_mode::{is_for_hash_only, turn as turn_quick_mode};
pub use request_response::{SaInitAnswer, sa_init_answer};

use crate::isakmp::payload::{Body, EncryptedFragment};
use crate::isakmp::{Header, Message};

use super::attempt::MessageState;
use super::facts::{Exchange, ExchangeKind, Label, Side};
use super::nat::HashAlgorithm;

/// Payload types of IKEv1 that tell messages apart.
mod v1 {
    pub(super) const SA: u8 = 1;
    pub(super) const KE: u8 = 4;
    pub(super) const NOTIFICATION: u8 = 11;
    pub(super) const FRAGMENT: u8 = 132;
}

/// What the labels are decided by.
pub(super) struct Clues<'a> {
    /// Header of the message.
    pub(super) header: Header,
    /// Whether what follows the header is ciphertext.
    pub(super) encrypted: bool,
    /// An SA payload is there in clear.
    pub(super) has_sa: bool,
    /// A KE payload is there in clear.
    pub(super) has_ke: bool,
    /// IKEv1: it carries Notifications in clear and nothing else.
    pub(super) only_notifies: bool,
    /// It is an IKEv2 fragment.
    pub(super) fragment: Option<EncryptedFragment<'a>>,
    /// IKEv1: the hash that was negotiated, as far as known.
    pub(super) hash: Option<HashAlgorithm>,
    /// Hash of the message's octets.
    pub(super) digest: u32,
}

impl<'a> Clues<'a> {
    pub(super) fn of(message: &Message<'a>, digest: u32) -> Self {
        let mut clues = Self { encrypted: message.is_encrypted(), digest, ..Self::blank(&message.header) };
        // a fragment that could not be read, or it would not come here: whatever it is part of, it is not in clear
        clues.encrypted |= (message.header.version.major, message.header.next_payload) == (1, v1::FRAGMENT);
        let first = (message.header.version.major, message.header.next_payload);
        clues.only_notifies = !clues.encrypted && first == (1, v1::NOTIFICATION);
        for payload in message.payloads() {
            clues.only_notifies &= payload.payload_type == v1::NOTIFICATION;
            match (message.header.version.major, payload.payload_type) {
                (1, v1::SA) | (2, 33) => clues.has_sa = true,
                (1, v1::KE) | (2, 34) => clues.has_ke = true,
                _ => {}
            }
            if let (Body::EncryptedFragment(fragment), None) = (payload.body, clues.fragment) {
                clues.fragment = Some(fragment);
            }
        }
        clues
    }

    /// What the header alone tells.
    pub(super) fn blank(header: &Header) -> Self {
        let header = *header;
        Self {
            header,
            encrypted: false,
            has_sa: false,
            has_ke: false,
            only_notifies: false,
            fragment: None,
            hash: None,
            digest: 0,
        }
    }
}

/// The kind of exchange that a header's exchange type names.
pub(super) fn kind(major: u8, exchange_type: u8) -> ExchangeKind {
    match (major, exchange_type) {
        (1, 2) => ExchangeKind::MainMode,
        (1, 4) => ExchangeKind::AggressiveMode,
        (1, 5) => ExchangeKind::InformationalV1,
        (1, 6) => ExchangeKind::Transaction,
        (1, 32) => ExchangeKind::QuickMode,
        (1, 33) => ExchangeKind::NewGroupMode,
        (2, 34) => ExchangeKind::IkeSaInit,
        (2, 35) => ExchangeKind::IkeAuth,
        (2, 36) => ExchangeKind::CreateChildSa,
        (2, 37) => ExchangeKind::InformationalV2,
        (2, 38) => ExchangeKind::IkeSessionResume,
        (2, 43) => ExchangeKind::IkeIntermediate,
        (2, 44) => ExchangeKind::IkeFollowupKe,
        (_, other) => ExchangeKind::Other(other),
    }
}

/// The place of a message sent by `from`. `exchange` is what was seen of the exchange so far, with the digest of
/// each message.
pub(super) fn label(
    kind: ExchangeKind,
    clues: &Clues<'_>,
    from: Side,
    exchange: Option<(&Exchange, &[MessageState])>,
) -> Label {
    match kind {
        ExchangeKind::InformationalV1 => Label::Inf,
        ExchangeKind::Other(number) if clues.header.version.major == 1 => Label::Other(number),
        // an error in clear is no message of the exchange that it comes in
        _ if clues.only_notifies => Label::Stray,
        ExchangeKind::MainMode => main_mode::label(clues, from),
        ExchangeKind::AggressiveMode => aggressive_mode::label(clues, from),
        ExchangeKind::QuickMode => quick_mode::label(clues, from, exchange),
        ExchangeKind::Transaction => transaction::label(from, exchange),
        ExchangeKind::NewGroupMode => match transaction::label(from, exchange) {
            Label::Tr(number) => Label::Ngm(number),
            other => other,
        },
        _ => request_response::label(&clues.header),
    }
}
