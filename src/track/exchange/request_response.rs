//! IKEv2 (RFC 7296 §2.1): every exchange is a request and its response.

use crate::isakmp::Header;

use super::super::facts::{Label, MessageRecord, PayloadDetail};

/// Notify types of IKE_SA_INIT that ask for the request again (RFC 7296 §1.2, §2.6).
const INVALID_KE_PAYLOAD: u16 = 17;
const COOKIE: u16 = 16390;
/// Of IKE_SESSION_RESUME: the ticket is not taken (RFC 5723 §4.3.2).
const TICKET_NACK: u16 = 16412;
const SA: u8 = 33;

pub(super) fn label(header: &Header) -> Label {
    if header.has(Header::RESPONSE) {
        Label::Response(header.exchange_type)
    } else {
        Label::Request(header.exchange_type)
    }
}

/// What an IKE_SA_INIT response says, or one of IKE_SESSION_RESUME.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaInitAnswer {
    /// A choice, or no word against the ticket: the exchange went on.
    Accepted,
    /// COOKIE or INVALID_KE_PAYLOAD: send it once more.
    AskedAgain,
    /// Neither.
    Refused,
}

/// What an IKE_SA_INIT response says, or one of IKE_SESSION_RESUME: that it goes on, the wish for the request once more, or a
/// refusal (RFC 7296 §1.2, RFC 5723 §4.3.2).
pub fn sa_init_answer(response: &MessageRecord) -> SaInitAnswer {
    let says = |types: &[u16]| {
        response.carried.iter().any(|payload| {
            matches!(payload.detail, PayloadDetail::Notify { notify_message_type, .. } if types.contains(&notify_message_type))
        })
    };
    let goes_along = match response.label {
        Label::SESSION_RESUME_RSP => !says(&[TICKET_NACK, COOKIE]),
        _ => response.carried.iter().any(|payload| payload.payload_type == SA),
    };
    if goes_along {
        SaInitAnswer::Accepted
    } else if says(&[INVALID_KE_PAYLOAD, COOKIE]) {
        SaInitAnswer::AskedAgain
    } else {
        SaInitAnswer::Refused
    }
}
