//! Fields in words, the same in every view: identities, selectors, proposals, notification data.
//!
//! Contract: the words are safe to print as they are; what has no words is `None`, and the view shows the octets.

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::isakmp::payload::{Attribute, AttributeValue, SecurityAssociation, TrafficSelector};
use crate::isakmp::{Violation, registry};
use crate::report::escape::escape_octets;
use crate::{report, track};

use super::distinguished_name::distinguished_name;

/// What an identity says, for one of the ID types that both versions share (RFC 2407 §4.6.2.1, RFC 7296 §3.5).
pub(super) fn identity(major: u8, id_type: u8, data: &[u8]) -> Option<String> {
    match (major, id_type) {
        (_, 1) => v4(data).map(|address| address.to_string()),
        (_, 2 | 3) => Some(escape_octets(data)),
        (_, 5) => v6(data).map(|address| address.to_string()),
        (1, 4) => Some(subnet(v4(data.get(..4)?)?.into(), v4(data.get(4..)?)?.into())),
        (1, 6) => Some(subnet(v6(data.get(..16)?)?.into(), v6(data.get(16..)?)?.into())),
        (1, 7) => Some(format!("{}-{}", v4(data.get(..4)?)?, v4(data.get(4..)?)?)),
        (1, 8) => Some(format!("{}-{}", v6(data.get(..16)?)?, v6(data.get(16..)?)?)),
        (_, 9) => distinguished_name(data),
        (_, 11) => printable(data),
        (2, 12) => printable(data),
        (2, 13) => Some("anonymous".to_owned()),
        _ => None,
    }
}

/// What a message lacks or has too often: `KE is missing`, `SA more than once`.
pub(super) fn violation(major: u8, violation: Violation) -> String {
    let named = |payload_type| match registry::payload_notation(major, payload_type) {
        Some(notation) => notation.to_owned(),
        None => format!("payload {payload_type}"),
    };
    match violation {
        Violation::Missing { payload_type } => format!("{} is missing", named(payload_type)),
        Violation::Duplicate { payload_type } => format!("{} more than once", named(payload_type)),
    }
}

/// The text of octets that are all printable ASCII, and at least one.
pub(super) fn printable(data: &[u8]) -> Option<String> {
    let text = !data.is_empty() && data.iter().all(|octet| (0x20..0x7f).contains(octet));
    text.then(|| escape_octets(data))
}

/// Address range, protocol and ports of a traffic selector: `10.1.0.0/16`, `10.1.0.0-10.1.2.7 protocol 17 port 500`.
pub(super) fn selector(selector: &TrafficSelector<'_>) -> Option<String> {
    let (start, end) = (address(selector.start)?, address(selector.end)?);
    let mut words = match (prefix(start, end), start == end) {
        (_, true) => start.to_string(),
        (Some(bits), _) => format!("{start}/{bits}"),
        (None, _) => format!("{start}-{end}"),
    };
    if selector.protocol_id != 0 {
        let _ = write!(words, " protocol {}", selector.protocol_id);
    }
    match (selector.start_port, selector.end_port) {
        (0, u16::MAX) => {}
        (u16::MAX, 0) => words.push_str(" port opaque"),
        (start, end) if start == end => {
            let _ = write!(words, " port {start}");
        }
        (start, end) => {
            let _ = write!(words, " ports {start}-{end}");
        }
    }
    Some(words)
}

/// An address of 4 or 16 octets.
pub(super) fn address(octets: &[u8]) -> Option<IpAddr> {
    v4(octets).map(IpAddr::V4).or_else(|| v6(octets).map(IpAddr::V6))
}

fn v4(octets: &[u8]) -> Option<Ipv4Addr> {
    <[u8; 4]>::try_from(octets).ok().map(Ipv4Addr::from)
}

fn v6(octets: &[u8]) -> Option<Ipv6Addr> {
    <[u8; 16]>::try_from(octets).ok().map(Ipv6Addr::from)
}

/// `address/bits`, or `address/mask` where the mask has holes.
fn subnet(address: IpAddr, mask: IpAddr) -> String {
    let (bits, width) = bits(mask);
    let ones = bits.leading_ones();
    if bits.count_ones() == ones { format!("{address}/{}", ones.min(width)) } else { format!("{address}/{mask}") }
}

/// The bits of an address, first bit highest, and how many there are.
fn bits(address: IpAddr) -> (u128, u32) {
    match address {
        IpAddr::V4(address) => (u128::from(u32::from(address)) << 96, 32),
        IpAddr::V6(address) => (u128::from(address), 128),
    }
}

/// The length of the prefix that a range is, if it is one.
fn prefix(start: IpAddr, end: IpAddr) -> Option<u32> {
    let ((first, width), (last, end_width)) = (bits(start), bits(end));
    if width != end_width {
        return None;
    }
    let shared = (first ^ last).leading_zeros().min(width);
    // the octets below a v4 address are padding on both sides, so that only the host bits are asked for
    let host = u128::MAX.checked_shr(shared).unwrap_or(0) & !u128::MAX.checked_shr(width).unwrap_or(0);
    (first & host == 0 && last & host == host).then_some(shared)
}

/// The proposals of an SA payload in the report's words, at most `most` transforms of each.
pub(super) fn proposals(major: u8, sa: &SecurityAssociation<'_>, most: usize) -> String {
    let mut words = String::new();
    for mut fact in track::proposals(sa) {
        if !words.is_empty() {
            words.push_str("; ");
        }
        if fact.protocol_id != 1 {
            match registry::protocol_name(major, fact.protocol_id) {
                Some(name) => words.push_str(name),
                None => words.push_str(&format!("protocol {}", fact.protocol_id)),
            }
            words.push_str(&format!(" {} ", hex::encode(&fact.spi)));
        }
        let more = fact.transforms.len().saturating_sub(most);
        fact.transforms.truncate(most);
        words.push_str(&report::proposal::proposal_text(major, &fact));
        if more > 0 {
            words.push_str(&format!(" +{more}"));
        }
    }
    words
}

/// Whether [`notification`] may have words for the data of this type.
pub(super) const fn is_layout_known(major: u8, notify_message_type: u16) -> bool {
    match major {
        1 => matches!(notify_message_type, 36136 | 36137 | 1..=16383),
        2 => matches!(notify_message_type, 1 | 9 | 17 | 16397 | 16398 | 16403 | 16407 | 16408 | 16424 | 16431),
        _ => false,
    }
}

/// What the data of a notification say, for the types whose data have a layout.
pub(super) fn notification(major: u8, notify_message_type: u16, data: &[u8]) -> Option<String> {
    let short = || <[u8; 2]>::try_from(data).ok().map(u16::from_be_bytes);
    let long = || <[u8; 4]>::try_from(data).ok().map(u32::from_be_bytes);
    match (major, notify_message_type) {
        // UNSUPPORTED_CRITICAL_PAYLOAD
        (2, 1) => match data {
            [payload_type] => Some(format!("payload type {payload_type}")),
            _ => None,
        },
        // INVALID_MESSAGE_ID
        (2, 9) => long().map(|message_id| format!("message id {message_id:08x}")),
        // INVALID_KE_PAYLOAD
        (2, 17) => short().map(|group| match registry::group_name(group) {
            Some(name) => format!("wants group {group} {name}"),
            None => format!("wants group {group}"),
        }),
        // ADDITIONAL_IP4_ADDRESS, ADDITIONAL_IP6_ADDRESS
        (2, 16397 | 16398) => address(data).map(|address| address.to_string()),
        // AUTH_LIFETIME
        (2, 16403) => long().map(|seconds| format!("{seconds} s")),
        // REDIRECT, REDIRECTED_FROM (RFC 5685)
        (2, 16407 | 16408) => {
            let (&identity_type, rest) = data.split_first()?;
            let (&length, rest) = rest.split_first()?;
            let gateway = rest.get(..usize::from(length))?;
            match identity_type {
                1 | 2 => address(gateway).map(|address| address.to_string()),
                _ => printable(gateway),
            }
        }
        // SECURE_PASSWORD_METHODS (RFC 6467), SIGNATURE_HASH_ALGORITHMS (RFC 7427)
        (2, 16424) => numbers(data, registry::secure_password_method_name),
        (2, 16431) => numbers(data, registry::hash_algorithm_name),
        // R-U-THERE, R-U-THERE-ACK (RFC 3706)
        (1, 36136 | 36137) => long().map(|sequence| format!("sequence {sequence}")),
        // error notifications of IKEv1 carry what the sender likes, and some send a sentence
        (1, 1..=16383) if data.len() >= 4 => printable(data),
        _ => None,
    }
}

/// A list of numbers of two octets, by name where they have one.
fn numbers(data: &[u8], name: impl Fn(u16) -> Option<&'static str>) -> Option<String> {
    let (numbers, []) = data.as_chunks::<2>() else { return None };
    let numbers = numbers.iter().map(|&octets| u16::from_be_bytes(octets));
    let words: Vec<String> =
        numbers.map(|number| name(number).map_or_else(|| number.to_string(), str::to_owned)).collect();
    (!words.is_empty()).then(|| words.join(" "))
}

/// The value of an attribute of a v1 transform, with its name where it has one.
pub(super) fn attribute_value(protocol_id: u8, attribute: &Attribute<'_>) -> String {
    match attribute.value.number() {
        Some(number) => match registry::v1_attribute_value_name(protocol_id, attribute.attribute_type, number) {
            Some(name) => format!("{name} ({number})"),
            None => number.to_string(),
        },
        None => match attribute.value {
            AttributeValue::Long(octets) => hex::encode(octets),
            AttributeValue::Short(number) => number.to_string(),
        },
    }
}

/// The value of a configuration attribute: addresses and printable text in words, the rest in hexadecimal digits.
pub(super) fn configuration_value(attribute: &Attribute<'_>) -> String {
    match attribute.value {
        AttributeValue::Short(number) => number.to_string(),
        AttributeValue::Long(octets) => match octets {
            [] => String::new(),
            // addresses, masks and servers of the two versions (RFC 7296 §3.15.1)
            _ if matches!(attribute.attribute_type, 1..=4 | 6 | 8..=12) && address(octets).is_some() => {
                address(octets).map(|address| address.to_string()).unwrap_or_default()
            }
            _ => printable(octets).map_or_else(|| hex::encode(octets), |text| format!("\"{text}\"")),
        },
    }
}

/// At most `most` characters of `text`, and a sign that there was more.
pub(super) fn shortened(text: &str, most: usize) -> std::borrow::Cow<'_, str> {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()).into(),
        None => text.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_in_words() {
        let cases: [(u8, u8, &[u8], Option<&str>); 13] = [
            (1, 1, &[192, 0, 2, 1], Some("192.0.2.1")),
            (1, 1, &[192, 0, 2], None),
            (1, 2, b"vpn.example\x1b[2J", Some("vpn.example\\x1b[2J")),
            (2, 3, b"me@example.org", Some("me@example.org")),
            (1, 4, &[10, 1, 0, 0, 255, 255, 0, 0], Some("10.1.0.0/16")),
            (1, 4, &[0; 8], Some("0.0.0.0/0")),
            (1, 4, &[10, 1, 0, 0, 255, 0, 255, 0], Some("10.1.0.0/255.0.255.0")),
            (1, 4, &[10, 1, 0, 0, 255], None),
            (1, 7, &[10, 0, 0, 1, 10, 0, 0, 9], Some("10.0.0.1-10.0.0.9")),
            (2, 4, &[10, 1, 0, 0, 255, 255, 0, 0], None),
            (2, 11, b"group", Some("group")),
            (2, 11, &[0, 1], None),
            (2, 13, &[], Some("anonymous")),
        ];
        for (major, id_type, data, text) in cases {
            assert_eq!(identity(major, id_type, data).as_deref(), text, "v{major} type {id_type}");
        }
        let mut subnet = [0; 32];
        subnet[..2].copy_from_slice(&[0x20, 0x01]);
        subnet[16..24].fill(255);
        assert_eq!(identity(1, 6, &subnet).as_deref(), Some("2001::/64"));
        assert_eq!(identity(1, 6, &subnet[..31]), None);
    }

    #[test]
    fn selectors_in_words() {
        let selector = |start: &[u8], end: &[u8], protocol_id, start_port, end_port| {
            super::selector(&TrafficSelector { ts_type: 7, protocol_id, start_port, end_port, start, end })
        };
        let any = u16::MAX;
        assert_eq!(selector(&[10, 1, 0, 0], &[10, 1, 255, 255], 0, 0, any).as_deref(), Some("10.1.0.0/16"));
        assert_eq!(selector(&[0; 4], &[255; 4], 0, 0, any).as_deref(), Some("0.0.0.0/0"));
        assert_eq!(
            selector(&[10, 1, 0, 1], &[10, 1, 0, 1], 17, 53, 53).as_deref(),
            Some("10.1.0.1 protocol 17 port 53")
        );
        assert_eq!(
            selector(&[10, 1, 0, 1], &[10, 1, 0, 4], 6, 1, 9).as_deref(),
            Some("10.1.0.1-10.1.0.4 protocol 6 ports 1-9")
        );
        assert_eq!(selector(&[0; 16], &[255; 16], 0, any, 0).as_deref(), Some("::/0 port opaque"));
        assert_eq!(selector(&[9; 4], &[1; 4], 0, 0, any).as_deref(), Some("9.9.9.9-1.1.1.1"));
        assert_eq!(selector(&[0; 4], &[0; 16], 0, 0, any).as_deref(), Some("0.0.0.0-::"));
        assert_eq!(selector(&[0; 3], &[0; 4], 0, 0, any), None);
    }

    #[test]
    fn notification_data_in_words() {
        assert_eq!(notification(2, 1, &[99]).as_deref(), Some("payload type 99"));
        assert_eq!(notification(2, 16431, &[0, 2, 0, 9]).as_deref(), Some("SHA2-256 9"));
        assert_eq!(notification(2, 16431, &[0, 2, 0]), None);
        assert_eq!(notification(1, 36136, &[0, 0, 1, 0]).as_deref(), Some("sequence 256"));
        assert_eq!(notification(2, 16407, &[1, 4, 192, 0, 2, 9]).as_deref(), Some("192.0.2.9"));
        assert_eq!(notification(2, 16407, &[1, 9, 192]), None);
        assert_eq!(notification(1, 14, b"no policy").as_deref(), Some("no policy"));
        assert_eq!(notification(1, 14, &[0, 1, 2, 3]), None);
    }

    #[test]
    fn only_notifications_of_a_known_layout_have_words() {
        let data = [&[1][..], &[0, 2], &[192, 0, 2, 9], b"text", &[1, 4, 192, 0, 2, 9], &[0; 16]];
        let known = |major, number| data.iter().any(|data| notification(major, number, data).is_some());
        for major in 0..=3 {
            for number in 0..=u16::MAX {
                assert_eq!(is_layout_known(major, number), known(major, number), "{major} {number}");
            }
        }
    }

    #[test]
    fn long_text_is_cut_between_characters() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöü!", 3), "äöü…");
    }
}
