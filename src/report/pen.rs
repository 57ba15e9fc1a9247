//! Values as they stand in JSON, appended to a buffer without a detour through formatting.
//!
//! Not here: rows, keys and commas. Contract: what is written is what the value's own printing gives, octet for octet.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use crate::base::quad;

/// Appends text as it is.
#[inline(always)]
pub(crate) fn raw(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}

/// Appends a number in decimal digits.
#[inline(always)]
pub(crate) fn digits(out: &mut Vec<u8>, number: u64) {
    match number {
        0..10 => out.push(b'0' + number as u8),
        10..100_000_000 => several(out, number as u32),
        _ => long(out, number),
    }
}

/// The same below 100,000,000.
fn several(out: &mut Vec<u8>, number: u32) {
    let (digits, count) = up_to_eight(number);
    let end = out.len() + count;
    out.extend_from_slice(&digits);
    out.truncate(end);
}

/// Eight times the digit 0.
const ZEROS: u64 = 0x3030_3030_3030_3030;

/// The eight digits of a number below 100,000,000, as numbers, an octet each, the first one lowest: halves, quarters and eighths
/// of the digits are told apart in all lanes of one word at once. What a lane is divided by is a multiplication and a shift.
#[inline(always)]
const fn eight_at_once(number: u32) -> u64 {
    let halves = (number / 10_000) as u64 | ((number % 10_000) as u64) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let quarters = hundreds | (halves - hundreds * 100) << 16;
    let tens = ((quarters * 103) >> 10) & 0x000f_000f_000f_000f;
    tens | (quarters - tens * 10) << 8
}

fn long(out: &mut Vec<u8>, number: u64) {
    // twice at most: twenty digits are all there are
    digits(out, number / 100_000_000);
    out.extend_from_slice(&eight_digits((number % 100_000_000) as u32));
}

/// The digits of a number below 100,000,000 without zeros in front, and how many they are. Behind them is nothing of worth.
#[inline(always)]
pub(crate) fn up_to_eight(number: u32) -> ([u8; 8], usize) {
    let all = eight_at_once(number);
    // the first digit is the lowest octet; the last one is written whatever it is
    let zeros = (all.trailing_zeros() / 8).min(7);
    (((all | ZEROS) >> (8 * zeros)).to_le_bytes(), 8 - zeros as usize)
}

/// The eight digits of a number below 100,000,000.
#[inline(always)]
pub(crate) const fn eight_digits(number: u32) -> [u8; 8] {
    (eight_at_once(number) | ZEROS).to_le_bytes()
}

/// Appends a few octets as lower-case hexadecimal digits, without quotes.
#[inline(always)]
pub(crate) fn hex_few<const N: usize>(out: &mut Vec<u8>, octets: [u8; N]) {
    let mut pairs = [[0; 2]; N];
    for (pair, octet) in pairs.iter_mut().zip(octets) {
        *pair = HEX[usize::from(octet)];
    }
    out.extend_from_slice(pairs.as_flattened());
}

/// Appends octets as lower-case hexadecimal digits, without quotes.
#[inline]
pub(crate) fn hex(out: &mut Vec<u8>, octets: &[u8]) {
    let (blocks, rest) = octets.as_chunks();
    out.reserve(octets.len().saturating_mul(2));
    for block in blocks {
        out.extend_from_slice(&sixteen(block));
    }
    if !rest.is_empty() {
        let mut block = [0; 16];
        block[..rest.len()].copy_from_slice(rest);
        out.extend_from_slice(&sixteen(&block)[..rest.len() * 2]);
    }
}

/// Writes the same over as many digits.
#[inline]
pub(crate) fn hex_over(digits: &mut [u8], octets: &[u8]) {
    let (blocks, rest) = octets.as_chunks();
    let (places, last) = digits.as_chunks_mut();
    for (place, block) in places.iter_mut().zip(blocks) {
        *place = sixteen(block);
    }
    for (pair, &octet) in last.as_chunks_mut().0.iter_mut().zip(rest) {
        *pair = HEX[usize::from(octet)];
    }
}

/// Writes the same of four octets over eight digits.
#[inline(always)]
pub(crate) fn four_over(digits: &mut [u8; 8], octets: &[u8; 4]) {
    digits.copy_from_slice(octets.map(|octet| HEX[usize::from(octet)]).as_flattened());
}

/// The digits of sixteen octets: computed, not looked up, as a machine does that with all of them at once.
#[inline]
fn sixteen(octets: &[u8; 16]) -> [u8; 32] {
    const fn digit(value: u8) -> u8 {
        // what lies between '9' and 'a'
        value + b'0' + if value > 9 { 39 } else { 0 }
    }
    let mut pairs = [[0; 2]; 16];
    for (pair, octet) in pairs.iter_mut().zip(octets) {
        *pair = [digit(octet >> 4), digit(octet & 0xf)];
    }
    let mut text = [0; 32];
    text.copy_from_slice(pairs.as_flattened());
    text
}

/// Appends text as a JSON string with its quotes.
#[inline]
pub(crate) fn string(out: &mut Vec<u8>, text: &str) {
    // without an early end this is a few vector instructions for a name
    let special =
        text.bytes().fold(false, |special, octet| special | (octet < 0x20) | (octet == b'"') | (octet == b'\\'));
    if special {
        out.extend_from_slice(serde_json::Value::from(text).to_string().as_bytes());
    } else {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
    }
}

/// Appends an address, without quotes: `192.0.2.1`, `2001:db8::1`.
#[inline]
pub(crate) fn address(out: &mut Vec<u8>, address: IpAddr) {
    match address {
        IpAddr::V4(address) => append_quad(out, address),
        // a vector takes everything
        IpAddr::V6(address) => _ = write!(out, "{address}"),
    }
}

/// Appends address and port, without quotes: `192.0.2.1:500`, `[2001:db8::1]:500`.
#[inline]
pub(crate) fn endpoint(out: &mut Vec<u8>, endpoint: SocketAddr) {
    match endpoint {
        SocketAddr::V4(endpoint) => {
            append_quad(out, *endpoint.ip());
            port(out, endpoint.port());
        }
        SocketAddr::V6(endpoint) => _ = write!(out, "{endpoint}"),
    }
}

/// Appends a port with the colon in front of it.
#[inline(always)]
pub(crate) fn port(out: &mut Vec<u8>, port: u16) {
    match port {
        // what nearly all are
        500 => raw(out, ":500"),
        4500 => raw(out, ":4500"),
        _ => {
            out.push(b':');
            digits(out, u64::from(port));
        }
    }
}

fn append_quad(out: &mut Vec<u8>, address: Ipv4Addr) {
    let (text, len) = quad::text(address);
    // of a fixed length this is one store
    let end = out.len() + len;
    out.extend_from_slice(&text);
    out.truncate(end);
}

/// The two digits of every number below 100.
pub(super) static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut number = 0;
    while number < pairs.len() {
        pairs[number] = [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
        number += 1;
    }
    pairs
};

/// The two digits of every octet.
static HEX: [[u8; 2]; 256] = {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut octet = 0;
    while octet < pairs.len() {
        pairs[octet] = [DIGITS[octet >> 4], DIGITS[octet & 0xf]];
        octet += 1;
    }
    pairs
};

#[cfg(test)]
mod tests {
    use super::*;

    fn written(write: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = b"before ".to_vec();
        write(&mut out);
        String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().into()
    }

    #[test]
    fn numbers_are_written_whole() {
        let around = |number: u64| [number - 1, number, number + 1];
        let tens = (0..20).map(|power| 10_u64.pow(power)).flat_map(around);
        for number in tens.chain(0..30_000).chain((30_000..100_000_000).step_by(4_999)).chain([u64::MAX]) {
            assert_eq!(written(|out| digits(out, number)), number.to_string());
            if number < 100_000_000 {
                let (digits, columns) = up_to_eight(number as u32);
                assert_eq!(digits[..columns], *number.to_string().as_bytes());
            }
        }
    }

    #[test]
    fn addresses_read_as_they_print() {
        for octet in 0..=255 {
            let ip: IpAddr = [octet, 0, 255, octet].into();
            assert_eq!(written(|out| address(out, ip)), ip.to_string());
            let at = SocketAddr::new(ip, u16::from(octet) * 257);
            assert_eq!(written(|out| endpoint(out, at)), at.to_string());
        }
        let at: SocketAddr = "[2001:db8::1]:4500".parse().unwrap();
        assert_eq!(written(|out| address(out, at.ip())), "2001:db8::1");
        assert_eq!(written(|out| endpoint(out, at)), "[2001:db8::1]:4500");
    }

    #[test]
    fn octets_have_two_digits_each() {
        let octets: Vec<u8> = (0..=255).collect();
        for end in 0..=octets.len() {
            assert_eq!(written(|out| hex(out, &octets[..end])), ::hex::encode(&octets[..end]));
        }
        assert_eq!(written(|out| hex_few(out, [0x00, 0xa5, 0x0f, 0xff])), "00a50fff");
    }

    #[test]
    fn text_of_any_kind_stays_what_it_is() {
        for text in ["", "plain", "qu\"ote", "back\\slash", "line\nfeed\u{1}\u{7f}", "Zürich ▸", ","] {
            let json = written(|out| string(out, text));
            assert_eq!(json, serde_json::to_string(text).unwrap());
        }
    }
}
