//! What a message carried in clear, kept: payload types, and of each what later stops may need.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::IkeSpi;
use crate::isakmp::payload::Body;
use crate::isakmp::{Header, Message};

use super::Passage;
use super::attempt::AttemptState;
use super::facts::{Attempt, PayloadDetail, PayloadFact, ProposalFact, Side};
use super::nat::{self, HashAlgorithm};
use super::store::shared::Shared;

/// Octets kept of notification and identification data.
const NOTIFY_OCTETS: usize = 64;
const IDENTITY_OCTETS: usize = 256;
/// Vendor ids kept of one side, and octets of each.
const VENDOR_IDS: usize = 64;
const VENDOR_ID_OCTETS: usize = 256;
/// IKEv2 NAT detection notifies (RFC 7296 §2.23).
const NAT_DETECTION_SOURCE_IP: u16 = 16388;
const NAT_DETECTION_DESTINATION_IP: u16 = 16389;
/// IKEv1 phase 1 attribute: hash algorithm.
const HASH_ALGORITHM: u16 = 2;

/// Reads the payloads of a message, keeping on the attempt what belongs to all of it: offers, the choice, vendor
/// ids, NAT detection.
pub(super) fn read(
    attempt: &mut Attempt,
    state: &mut AttemptState,
    shared: &mut Shared,
    message: &Message<'_>,
    passage: &Passage,
    from: Side,
) -> Arc<[PayloadFact]> {
    let mut carried = std::mem::take(&mut shared.scratch);
    let mut nat_hashes = 0;
    let major = message.header.version.major;
    for payload in message.payloads() {
        let detail = match payload.body {
            Body::SecurityAssociation(sa) => {
                let proposals = shared.offer(major, payload.octets, &sa);
                let transforms = proposals.iter().map(|proposal| proposal.transforms.len()).sum::<usize>();
                let detail = PayloadDetail::Sa {
                    proposals: u16::try_from(proposals.len()).unwrap_or(u16::MAX),
                    transforms: u16::try_from(transforms).unwrap_or(u16::MAX),
                };
                match from {
                    Side::Initiator => attempt.offered = proposals,
                    Side::Responder => {
                        attempt.chosen = proposals.first().map(|choice| shared.choice(choice));
                        state.hash = attempt.chosen.as_deref().and_then(negotiated_hash);
                    }
                }
                detail
            }
            Body::KeyExchange(key_exchange) => {
                PayloadDetail::KeyExchange { group: key_exchange.group, length: octets(key_exchange.data) }
            }
            Body::Nonce(nonce) => PayloadDetail::Nonce { length: octets(nonce) },
            Body::Notification(notification) => {
                if major == 2 {
                    let number = notification.notify_message_type;
                    note_nat_detection(attempt, shared.nat_checks, message, passage, from, number, notification.data);
                }
                PayloadDetail::Notify {
                    protocol_id: notification.protocol_id,
                    spi_size: u8::try_from(notification.spi.len()).unwrap_or(u8::MAX),
                    notify_message_type: notification.notify_message_type,
                    data: match notification.notify_message_type {
                        NAT_DETECTION_SOURCE_IP | NAT_DETECTION_DESTINATION_IP if major == 2 => Box::default(),
                        _ => notification.data.iter().copied().take(NOTIFY_OCTETS).collect(),
                    },
                }
            }
            Body::Delete(delete) => PayloadDetail::Delete {
                protocol_id: delete.protocol_id,
                count: u16::try_from(delete.each_spi().count()).unwrap_or(u16::MAX),
            },
            Body::Identification(identification) => PayloadDetail::Identification {
                id_type: identification.id_type,
                data: identification.data.iter().copied().take(IDENTITY_OCTETS).collect(),
            },
            Body::VendorId(data) => match remember_vendor_id(attempt, shared, from, data) {
                Some(index) => PayloadDetail::VendorId { index },
                None => PayloadDetail::Plain,
            },
            Body::Certificate(certificate) | Body::CertificateRequest(certificate) => {
                PayloadDetail::Certificate { encoding: certificate.encoding, length: octets(certificate.data) }
            }
            Body::NatDetection(hash) => {
                // RFC 3947 §3.2: the first hash stands for the peer, the others for the sender.
                let first = nat_hashes == 0;
                nat_hashes += 1;
                let endpoint = if first { passage.destination } else { passage.source };
                let side = if first { from.other() } else { from };
                let matches = shared.nat_checks.matches(state.hash, spis(&message.header), endpoint, hash);
                if let Some(matches) = matches {
                    note_hash(attempt, passage, side, !first, matches);
                }
                PayloadDetail::NatDetection { matches }
            }
            Body::Fragment(fragment) => {
                PayloadDetail::Fragment { number: u16::from(fragment.number), total: None, first: None }
            }
            Body::Encrypted(_) => PayloadDetail::Encrypted { first: payload.next_payload },
            Body::EncryptedFragment(fragment) => {
                let first = payload.first_inside();
                PayloadDetail::Fragment { number: fragment.number, total: Some(fragment.total), first }
            }
            _ => PayloadDetail::Plain,
        };
        carried.push(PayloadFact { payload_type: payload.payload_type, detail });
    }
    let list = shared.payloads(&carried);
    carried.clear();
    shared.scratch = carried;
    list
}

/// Whether `message` carries what `carried` is of: payloads of the same types in the same order, and the same notifies.
pub(super) fn is_of(carried: &[PayloadFact], message: &Message<'_>) -> bool {
    let known = carried.iter().map(|payload| match payload.detail {
        PayloadDetail::Notify { notify_message_type, .. } => (payload.payload_type, Some(notify_message_type)),
        _ => (payload.payload_type, None),
    });
    let read = message.payloads().map(|payload| match payload.body {
        Body::Notification(notification) => (payload.payload_type, Some(notification.notify_message_type)),
        _ => (payload.payload_type, None),
    });
    read.eq(known)
}

/// The hash that IKEv1 negotiated, if the choice names one.
pub(super) fn negotiated_hash(chosen: &ProposalFact) -> Option<HashAlgorithm> {
    HashAlgorithm::from_attribute(chosen.transforms.first()?.attribute(HASH_ALGORITHM)?)
}

fn octets(data: &[u8]) -> u16 {
    u16::try_from(data.len()).unwrap_or(u16::MAX)
}

fn remember_vendor_id(attempt: &mut Attempt, shared: &mut Shared, from: Side, data: &[u8]) -> Option<u16> {
    if shared.announces_nat_traversal(data) {
        attempt.nat.announced[from.index()] = true;
    }
    let known = &mut attempt.vendor_ids[from.index()];
    let data = &data[..data.len().min(VENDOR_ID_OCTETS)];
    let index = match known.iter().position(|seen| **seen == *data) {
        Some(index) => index,
        None if known.len() < VENDOR_IDS => {
            *known = shared.vendor_ids(known, data);
            known.len() - 1
        }
        None => return None,
    };
    u16::try_from(index).ok()
}

fn note_nat_detection(
    attempt: &mut Attempt,
    checks: nat::Checks,
    message: &Message<'_>,
    passage: &Passage,
    from: Side,
    notify_message_type: u16,
    hash: &[u8],
) {
    let own = match notify_message_type {
        NAT_DETECTION_SOURCE_IP => true,
        NAT_DETECTION_DESTINATION_IP => false,
        _ => return,
    };
    attempt.nat.announced[from.index()] = true;
    let (side, endpoint): (Side, SocketAddr) =
        if own { (from, passage.source) } else { (from.other(), passage.destination) };
    if let Some(matches) = checks.matches(Some(HashAlgorithm::Sha1), spis(&message.header), endpoint, hash) {
        note_hash(attempt, passage, side, own, matches);
    }
}

fn spis(header: &Header) -> (IkeSpi, IkeSpi) {
    (header.initiator_spi, header.responder_spi)
}

/// A sender with several addresses sends a hash for each: one that fits is enough for its own, and the peer's view is one
/// hash only.
fn note_hash(attempt: &mut Attempt, passage: &Passage, side: Side, own: bool, matches: bool) {
    let nat = &mut attempt.nat;
    let known = if own { &mut nat.own_matches[side.index()] } else { &mut nat.peer_matches[side.index()] };
    *known = Some(if own { known.unwrap_or(false) || matches } else { known.unwrap_or(true) && matches });
    if !matches && nat.mismatch_frame.is_none() {
        nat.mismatch_frame = Some(passage.frame);
    }
}
