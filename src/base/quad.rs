//! IPv4 addresses as text, put together from the digits of their octets: there is one or two of them in most of what is written.

use std::net::Ipv4Addr;

/// An address as it prints, and how many octets of that it takes.
#[inline]
pub(crate) fn text(address: Ipv4Addr) -> ([u8; 16], usize) {
    let mut text = [0; 16];
    let mut end = 0;
    for octet in address.octets() {
        let (digits, len) = DECIMAL[usize::from(octet)];
        text[end..end + 4].copy_from_slice(&digits);
        end += usize::from(len);
    }
    // the last dot goes
    (text, end - 1)
}

/// The digits of every octet from the left with a dot behind them, and how many octets that are.
static DECIMAL: [([u8; 4], u8); 256] = {
    let mut texts = [([b'.'; 4], 0); 256];
    let mut number = 0;
    while number < texts.len() {
        let (hundreds, tens, ones) = (number / 100, number / 10 % 10, number % 10);
        let [hundreds, tens, ones] = [b'0' + hundreds as u8, b'0' + tens as u8, b'0' + ones as u8];
        texts[number] = match number {
            0..=9 => ([ones, b'.', b'.', b'.'], 2),
            10..=99 => ([tens, ones, b'.', b'.'], 3),
            _ => ([hundreds, tens, ones, b'.'], 4),
        };
        number += 1;
    }
    texts
};
