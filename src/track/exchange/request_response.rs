//! IKEv2 (RFC 7296 §2.1): every exchange is a request and its response.

use crate::isakmp::Header;

use super::super::facts::{Label, MessageRecord, PayloadDetail};

/// Notify types of IKE_SA_INIT that ask for the request again (RFC 7296 §1.2, §2.6).
const INVALID_KE_PAYLOAD: u16 = 17;
const COOKIE: u16 = 16390;
const SA: u8 = 33;

pub(super) fn label(header: &Header) -> Label {
    if header.has(Header::RESPONSE) {
        Label::Response(header.exchange_type)
    } else {
        Label::Request(header.exchange_type)
    }
}

/// What an IKE_SA_INIT response says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaInitAnswer {
    /// A choice: the exchange went on.
    Accepted,
    /// COOKIE or INVALID_KE_PAYLOAD: send it once more.
    AskedAgain,
    /// Neither.
    Refused,
}

/// What an IKE_SA_INIT response says: a choice, the wish for the request once more, or a refusal (RFC 7296 §1.2).
pub fn sa_init_answer(response: &MessageRecord) -> SaInitAnswer {
    if response.carried.iter().any(|payload| payload.payload_type == SA) {
        return SaInitAnswer::Accepted;
    }
    let asks_again = response.carried.iter().any(|payload| {
        matches!(payload.detail, PayloadDetail::Notify { notify_message_type: INVALID_KE_PAYLOAD | COOKIE, .. })
    });
    if asks_again { SaInitAnswer::AskedAgain } else { SaInitAnswer::Refused }
}
