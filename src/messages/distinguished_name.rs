//! A certificate's name (X.501, in DER) in words: `C=CH, O=strongSwan, CN=moon`, in the order in which it is encoded.
//!
//! Not here: any other ASN.1. Contract: one pass, bounded by the octets; `None` for what is not such a name.

use crate::report::escape::escape_octets;

/// Relative names that are followed; longer chains do not occur and are not worth a screen.
const MOST: usize = 64;

/// The name in words, or `None` if `der` is not one.
pub(super) fn distinguished_name(der: &[u8]) -> Option<String> {
    let (sequence, after) = value(der, SEQUENCE)?;
    if !after.is_empty() {
        return None;
    }
    let mut words = String::new();
    let mut rest = sequence;
    for _ in 0..MOST {
        if rest.is_empty() {
            return Some(words);
        }
        let (set, next) = value(rest, SET)?;
        rest = next;
        let mut set = set;
        let mut separator = if words.is_empty() { "" } else { ", " };
        while !set.is_empty() {
            let (pair, next) = value(set, SEQUENCE)?;
            set = next;
            let (object, text) = value(pair, OBJECT_IDENTIFIER)?;
            let (tag, text, _) = element(text)?;
            words.push_str(separator);
            words.push_str(&attribute(object));
            words.push('=');
            words.push_str(&characters(tag, text));
            separator = "+";
        }
    }
    None
}

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BMP_STRING: u8 = 0x1e;

/// The content of the element of this tag at the start, and what follows the element.
fn value(der: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(der)?;
    (tag == wanted).then_some((content, rest))
}

/// Tag, content and rest of the first element, definite lengths only.
fn element(der: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = der.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (octets, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (octets.iter().fold(0, |sum: usize, &octet| sum << 8 | usize::from(octet)), rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

/// Short name of an attribute type, or its object identifier in dots.
fn attribute(object: &[u8]) -> String {
    let known = match object {
        [0x55, 0x04, 3] => "CN",
        [0x55, 0x04, 4] => "SN",
        [0x55, 0x04, 5] => "serialNumber",
        [0x55, 0x04, 6] => "C",
        [0x55, 0x04, 7] => "L",
        [0x55, 0x04, 8] => "ST",
        [0x55, 0x04, 9] => "street",
        [0x55, 0x04, 10] => "O",
        [0x55, 0x04, 11] => "OU",
        [0x55, 0x04, 12] => "title",
        [0x55, 0x04, 42] => "GN",
        [0x55, 0x04, 46] => "dnQualifier",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x01] => "UID",
        [0x09, 0x92, 0x26, 0x89, 0x93, 0xf2, 0x2c, 0x64, 0x01, 0x19] => "DC",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x01] => "E",
        [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x02] => "unstructuredName",
        _ => return dotted(object),
    };
    known.to_owned()
}

fn dotted(object: &[u8]) -> String {
    let mut words = String::new();
    let mut arc: u64 = 0;
    for &octet in object {
        arc = arc.checked_mul(128).map_or(u64::MAX, |arc| arc.saturating_add(u64::from(octet & 0x7f)));
        if octet & 0x80 != 0 {
            continue;
        }
        if words.is_empty() {
            let root = (arc / 40).min(2);
            words = format!("{root}.{}", arc - root * 40);
        } else {
            words.push_str(&format!(".{arc}"));
        }
        arc = 0;
    }
    words
}

/// The string, escaped, and with the characters quoted that would be read as the name's own punctuation.
fn characters(tag: u8, text: &[u8]) -> String {
    let escaped = match tag {
        BMP_STRING => {
            let units = text.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]));
            let text: String =
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            escape_octets(text.as_bytes())
        }
        _ => escape_octets(text),
    };
    if escaped.contains([',', '+', '=', '"', '<', '>', ';']) {
        format!("\"{}\"", escaped.replace('"', "\\\""))
    } else {
        escaped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
        let mut out = vec![tag, u8::try_from(content.len()).unwrap()];
        out.extend_from_slice(content);
        out
    }

    fn relative(object: &[u8], tag: u8, text: &[u8]) -> Vec<u8> {
        tlv(SET, &tlv(SEQUENCE, &[tlv(OBJECT_IDENTIFIER, object), tlv(tag, text)].concat()))
    }

    #[test]
    fn a_name_reads_in_the_order_it_is_encoded() {
        let name = tlv(
            SEQUENCE,
            &[
                relative(&[0x55, 4, 6], 0x13, b"CH"),
                relative(&[0x55, 4, 10], 0x0c, "Zürich, Ltd".as_bytes()),
                relative(&[0x55, 4, 3], BMP_STRING, &[0, b'm', 0, 0x1b]),
                relative(&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 9], 0x16, b"x"),
            ]
            .concat(),
        );
        assert_eq!(distinguished_name(&name).unwrap(), "C=CH, O=\"Zürich, Ltd\", CN=m\\x1b, 1.2.840.113549.1.9.9=x");
    }

    #[test]
    fn what_is_not_a_name_is_none() {
        let name = tlv(SEQUENCE, &relative(&[0x55, 4, 6], 0x13, b"CH"));
        for cut in 0..name.len() {
            assert_eq!(distinguished_name(&name[..cut]), None, "{cut}");
        }
        for odd in
            [&[0x30, 0x80, 0, 0][..], &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30, 0x85, 0, 0, 0, 0, 0], b"text"]
        {
            assert_eq!(distinguished_name(odd), None);
        }
        assert_eq!(distinguished_name(&[0x30, 0]).as_deref(), Some(""));
    }
}
