//! Which octets of a payload decide the words for it, for the kinds of payload that come again and again.
//!
//! Not here: the words. Contract: payloads of which the key is the same read the same, but for the data that follow: the
//! key holds all that a view shows of a payload, and nothing of where it stood.

use crate::isakmp::Payload;
use crate::isakmp::payload::Body;

use super::memory::Key;
use super::words;

/// What words are kept of; the first octet of their key.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kept {
    /// A payload on the line.
    OnLine = 1,
    /// A payload as JSON.
    AsJson,
    /// What a line says of exchange and label.
    Exchange,
    /// A label alone.
    Label,
    /// That payloads of these types, in a message with such a header, violate nothing.
    Lawful,
    /// An IPv6 address and a port.
    Endpoint,
}

impl Kept {
    /// The fixed fields of a key: what is kept, and seven octets of what it is made of.
    pub(super) const fn fields(self, of: [u8; 7]) -> u64 {
        let [a, b, c, d, e, f, g] = of;
        u64::from_be_bytes([self as u8, a, b, c, d, e, f, g])
    }
}

/// What decides the words for a payload.
#[derive(Debug, Clone, Copy)]
pub(super) struct Alike<'a> {
    pub(super) key: Key<'a>,
    /// Data that are shown behind the words, whatever they are: JSON does.
    pub(super) data: Option<&'a [u8]>,
    /// Every octet of the payload is in the key.
    pub(super) whole: bool,
}

/// Notifications of more octets than this are seldom the same twice.
const NOTIFICATION: usize = 64;

impl<'a> Alike<'a> {
    /// What decides, or `None` for a payload that is not worth keeping, or not whole.
    #[inline]
    pub(super) fn of(kept: Kept, major: u8, payload: &Payload<'a>) -> Option<Self> {
        let Payload { octets, length, .. } = *payload;
        // how the body was understood: the exchange may have a say in that
        let (body, decisive, data) = match &payload.body {
            Body::SecurityAssociation(_) => (1, octets.len(), None),
            Body::VendorId(_) => (2, octets.len(), None),
            Body::KeyExchange(key_exchange) => (3, if key_exchange.group.is_some() { 2 } else { 0 }, None),
            Body::Certificate(certificate) => (4, 1, Some(certificate.data)),
            Body::CertificateRequest(certificate) => (5, 1, Some(certificate.data)),
            Body::Hash(data) => (6, 0, Some(*data)),
            Body::Signature(data) => (7, 0, Some(*data)),
            Body::Nonce(data) => (8, 0, Some(*data)),
            Body::NatDetection(data) => (9, 0, Some(*data)),
            Body::Opaque(data) => (10, 0, Some(*data)),
            Body::Encrypted(_) => (11, 0, None),
            Body::Notification(notification) => {
                let fixed = if notification.doi.is_some() { 8 } else { 4 };
                let all = fixed + notification.data.len() == octets.len();
                if !notification.spi.is_empty() || !all {
                    return None;
                }
                match words::is_layout_known(major, notification.notify_message_type) {
                    false => (12, fixed, Some(notification.data)),
                    true if octets.len() <= NOTIFICATION => (12, octets.len(), None),
                    true => return None,
                }
            }
            _ => return None,
        };
        if usize::from(length) != octets.len().checked_add(4)? {
            return None;
        }
        let [high, low] = length.to_be_bytes();
        let critical = u8::from(payload.critical) << 7;
        // of what is encrypted the words say what it begins with
        let first = payload.first_inside().unwrap_or(0);
        let fields = kept.fields([major, payload.payload_type, payload.reserved, critical | body, high, low, first]);
        let key = Key { fields, octets: octets.get(..decisive)? };
        let data = if matches!(kept, Kept::AsJson) { data } else { None };
        Some(Self { key, data, whole: decisive == octets.len() })
    }
}
