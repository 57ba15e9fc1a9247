//! What each message has to carry in clear: a table, and what a message has too little or too much of.
//!
//! Not here: what stands inside of ciphertexts, and any order of payloads. A message stands in the table if its place
//! in its exchange follows from the message alone.

use super::header::Header;
use super::message::Message;

/// A breach of what the RFC wants a message to carry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Violation {
    /// This payload has to be there, and is not. Where one of several would do, the first of them is named.
    Missing {
        /// Payload type.
        payload_type: u8,
    },
    /// This payload is there more often than it may be.
    Duplicate {
        /// Payload type.
        payload_type: u8,
    },
}

/// A row of the table: the messages that it is about, and what they carry.
struct Place {
    version: u8,
    exchange_type: u8,
    sent: Sent,
    /// Any of these payloads tells the place; empty: nothing else needs to be seen.
    told_by: &'static [u8],
    /// A refusal may stand here instead: notifications, and nothing that negotiates.
    or_notifications: bool,
    carries: &'static [Carries],
}

/// Who can have sent it, by the header.
#[derive(Clone, Copy)]
enum Sent {
    /// v1: the responder SPI is zero.
    First,
    /// v1: the responder SPI is not zero.
    Later,
    /// v2: R bit clear.
    Request,
    /// v2: R bit set.
    Response,
}

/// How often one of `any_of` stands in a message.
struct Carries {
    any_of: &'static [u8],
    least: u8,
    most: u8,
}

const fn one(any_of: &'static [u8]) -> Carries {
    Carries { any_of, least: 1, most: 1 }
}

const fn at_most_one(any_of: &'static [u8]) -> Carries {
    Carries { any_of, least: 0, most: 1 }
}

/// Payload types of IKEv1 (RFC 2408 §3.1).
mod v1 {
    pub(super) const SA: u8 = 1;
    pub(super) const KE: u8 = 4;
    pub(super) const ID: u8 = 5;
    pub(super) const HASH: u8 = 8;
    pub(super) const SIG: u8 = 9;
    pub(super) const NONCE: u8 = 10;
    /// N, D: what a refusal is made of.
    pub(super) const TELLING: &[u8] = &[11, 12];
    /// CR, VID, NAT-D: what may go with it.
    pub(super) const BESIDE: &[u8] = &[7, 13, 15, 20, 130];
}

/// Payload types of IKEv2 (RFC 7296 §3.2).
mod v2 {
    pub(super) const SA: u8 = 33;
    pub(super) const KE: u8 = 34;
    pub(super) const NONCE: u8 = 40;
    pub(super) const SK: u8 = 46;
    pub(super) const SKF: u8 = 53;
    /// N, D: what a refusal is made of.
    pub(super) const TELLING: &[u8] = &[41, 42];
    /// CERTREQ, V: what may go with it.
    pub(super) const BESIDE: &[u8] = &[38, 43];
}

/// IKEv2: all there is in clear is the ciphertext.
const fn protected(exchange_type: u8, sent: Sent) -> Place {
    let carries = &[Carries { any_of: &[v2::SK, v2::SKF], least: 1, most: 1 }];
    // Outside of any IKE SA, INVALID_IKE_SPI and INVALID_MAJOR_VERSION come in clear (RFC 7296 §1.5).
    Place { version: 2, exchange_type, sent, told_by: &[], or_notifications: true, carries }
}

/// (RFC 2409 §5, RFC 7296 §1.2 to §1.4 and appendix C, RFC 5723 §4.3, RFC 9242 §3.2, RFC 9370 §2.2.4)
///
/// The first row that fits a message counts. Main Mode with public key encryption carries its encrypted ID and nonce
/// beside KE, and so fits the same rows.
const PLACES: &[Place] = &[
    // Main Mode 1: HDR, SA
    Place {
        version: 1,
        exchange_type: 2,
        sent: Sent::First,
        told_by: &[],
        or_notifications: true,
        carries: &[one(&[v1::SA]), at_most_one(&[v1::KE])],
    },
    // Main Mode 2: HDR, SA
    Place {
        version: 1,
        exchange_type: 2,
        sent: Sent::Later,
        told_by: &[v1::SA],
        or_notifications: false,
        carries: &[one(&[v1::SA]), at_most_one(&[v1::KE])],
    },
    // Main Mode 3 and 4: HDR, KE, N
    Place {
        version: 1,
        exchange_type: 2,
        sent: Sent::Later,
        told_by: &[v1::KE, v1::NONCE],
        or_notifications: false,
        carries: &[one(&[v1::KE]), one(&[v1::NONCE])],
    },
    // Aggressive Mode 1: HDR, SA, KE, N, IDii
    Place {
        version: 1,
        exchange_type: 4,
        sent: Sent::First,
        told_by: &[],
        or_notifications: true,
        carries: &[one(&[v1::SA]), one(&[v1::KE]), one(&[v1::NONCE]), one(&[v1::ID])],
    },
    // Aggressive Mode 2: HDR, SA, KE, N, IDir, HASH_R or SIG_R
    Place {
        version: 1,
        exchange_type: 4,
        sent: Sent::Later,
        told_by: &[v1::SA, v1::KE, v1::NONCE],
        or_notifications: false,
        carries: &[one(&[v1::SA]), one(&[v1::KE]), one(&[v1::NONCE]), one(&[v1::ID]), one(&[v1::HASH, v1::SIG])],
    },
    // Aggressive Mode 3: HDR, HASH_I or SIG_I
    Place {
        version: 1,
        exchange_type: 4,
        sent: Sent::Later,
        told_by: &[],
        or_notifications: true,
        carries: &[one(&[v1::HASH, v1::SIG])],
    },
    // IKE_SA_INIT: HDR, SA, KE, N
    Place {
        version: 2,
        exchange_type: 34,
        sent: Sent::Request,
        told_by: &[],
        or_notifications: false,
        carries: &[one(&[v2::SA]), one(&[v2::KE]), one(&[v2::NONCE])],
    },
    Place {
        version: 2,
        exchange_type: 34,
        sent: Sent::Response,
        told_by: &[],
        or_notifications: true,
        carries: &[one(&[v2::SA]), one(&[v2::KE]), one(&[v2::NONCE])],
    },
    // IKE_SESSION_RESUME: HDR, N, N(TICKET_OPAQUE)
    Place {
        version: 2,
        exchange_type: 38,
        sent: Sent::Request,
        told_by: &[],
        or_notifications: false,
        carries: &[one(&[v2::NONCE])],
    },
    Place {
        version: 2,
        exchange_type: 38,
        sent: Sent::Response,
        told_by: &[],
        or_notifications: true,
        carries: &[one(&[v2::NONCE])],
    },
    // IKE_AUTH, CREATE_CHILD_SA, INFORMATIONAL, IKE_INTERMEDIATE, IKE_FOLLOWUP_KE: HDR, SK
    protected(35, Sent::Request),
    protected(35, Sent::Response),
    protected(36, Sent::Request),
    protected(36, Sent::Response),
    protected(37, Sent::Request),
    protected(37, Sent::Response),
    protected(43, Sent::Request),
    protected(43, Sent::Response),
    protected(44, Sent::Request),
    protected(44, Sent::Response),
];

impl Sent {
    fn fits(self, header: &Header) -> bool {
        match self {
            Self::First => header.responder_spi.is_zero(),
            Self::Later => !header.responder_spi.is_zero(),
            Self::Request => !header.has(Header::RESPONSE),
            Self::Response => header.has(Header::RESPONSE),
        }
    }
}

/// How often each payload type stands in a message, and whether it was read to its end.
struct Tally {
    times: [u8; 256],
    all: u8,
    complete: bool,
}

impl Tally {
    fn of(message: &Message<'_>) -> Self {
        let (mut times, mut all) = ([0; 256], 0);
        let mut payloads = message.payloads();
        for payload in &mut payloads {
            all = u8::saturating_add(all, 1);
            if let Some(times) = times.get_mut(usize::from(payload.payload_type)) {
                *times = u8::saturating_add(*times, 1);
            }
        }
        Self { times, all, complete: payloads.fault().is_none() }
    }

    fn sum(&self, payload_types: &[u8]) -> u8 {
        payload_types.iter().fold(0, |sum, &payload_type| {
            sum.saturating_add(self.times.get(usize::from(payload_type)).copied().unwrap_or_default())
        })
    }
}

/// What is missing from a message in clear, and what stands in it more often than it may.
///
/// Nothing for an encrypted message and for one whose place in its exchange cannot be told. Nothing is called missing
/// from a message that could not be read to its end.
pub fn violations(message: &Message<'_>) -> impl Iterator<Item = Violation> + use<> {
    let header = &message.header;
    let tally = Tally::of(message);
    let major = header.version.major;
    let fragment = major == 1 && header.next_payload == super::payload::FRAGMENT;
    let place = PLACES.iter().find(|place| {
        place.version == major
            && place.exchange_type == header.exchange_type
            && place.sent.fits(header)
            && (place.told_by.is_empty() || tally.sum(place.told_by) > 0)
    });
    let (telling, beside) = match major {
        1 => (tally.sum(v1::TELLING), tally.sum(v1::BESIDE)),
        _ => (tally.sum(v2::TELLING), tally.sum(v2::BESIDE)),
    };
    let is_refusal = telling > 0 && telling.saturating_add(beside) == tally.all;
    let carries: &[Carries] = match place {
        _ if message.is_encrypted() || fragment => &[],
        Some(place) if place.or_notifications && is_refusal => &[],
        Some(place) => place.carries,
        None => &[],
    };
    carries.iter().filter_map(move |Carries { any_of, least, most }| {
        let payload_type = *any_of.first()?;
        let times = tally.sum(any_of);
        if times < *least && tally.complete {
            Some(Violation::Missing { payload_type })
        } else if times > *most {
            let twice = any_of.iter().copied().find(|&payload_type| tally.sum(&[payload_type]) > *most);
            Some(Violation::Duplicate { payload_type: twice.unwrap_or(payload_type) })
        } else {
            None
        }
    })
}
