//! Times, addresses and octets as JSON text, put together on the stack: a row has many, and most rows have little else.

use std::net::{IpAddr, SocketAddr};

use serde::ser::Error as _;
use serde::{Serialize, Serializer};

use crate::base::Timestamp;

/// Octets as lower-case hexadecimal digits.
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl Serialize for Hex<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut digits = [0; 128];
        match digits.get_mut(..self.0.len().saturating_mul(2)) {
            Some(room) => {
                hex::encode_to_slice(self.0, room).map_err(S::Error::custom)?;
                serializer.serialize_str(text(room))
            }
            None => serializer.serialize_str(&hex::encode(self.0)),
        }
    }
}

/// Address and port: `192.0.2.1:500`, `[2001:db8::1]:500`.
pub(super) struct Endpoint(pub(super) IpAddr, pub(super) u16);

impl Serialize for Endpoint {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let IpAddr::V4(address) = self.0 else {
            return serializer.collect_str(&SocketAddr::new(self.0, self.1));
        };
        let mut line = Line::<21>::default();
        for (index, octet) in address.octets().into_iter().enumerate() {
            if index > 0 {
                line.push(b'.');
            }
            line.number(u32::from(octet));
        }
        line.push(b':');
        line.number(u32::from(self.1));
        serializer.serialize_str(line.as_str())
    }
}

/// A time stamp as [`Timestamp`] prints it: RFC 3339 in UTC with nanoseconds.
pub(super) struct Moment(pub(super) Timestamp);

impl Moment {
    /// The text, in 30 octets.
    pub(super) fn octets(&self) -> [u8; 30] {
        const DAY: i64 = 86_400;
        let nanos = self.0.as_nanos();
        let seconds = nanos.div_euclid(1_000_000_000);
        let (year, month, day) = date(seconds.div_euclid(DAY));
        let second_of_day = seconds.rem_euclid(DAY);
        let mut out = *b"0000-00-00T00:00:00.000000000Z";
        digits(&mut out[0..4], year);
        digits(&mut out[5..7], month);
        digits(&mut out[8..10], day);
        digits(&mut out[11..13], second_of_day / 3600);
        digits(&mut out[14..16], second_of_day / 60 % 60);
        digits(&mut out[17..19], second_of_day % 60);
        digits(&mut out[20..29], nanos.rem_euclid(1_000_000_000));
        out
    }
}

impl Serialize for Moment {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(text(&self.octets()))
    }
}

/// Year, month and day of a day counted from 1970-01-01, by the usual era of 400 Gregorian years that begin in March.
fn date(day: i64) -> (i64, i64, i64) {
    const ERA: i64 = 146_097;
    let from_era = day + 719_468;
    let (era, day) = (from_era.div_euclid(ERA), from_era.rem_euclid(ERA));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let march_month = (5 * day + 2) / 153;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (era * 400 + year + i64::from(month <= 2), month, day - (153 * march_month + 2) / 5 + 1)
}

fn digits(room: &mut [u8], mut number: i64) {
    for digit in room.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
    }
}

/// A short ASCII line; what does not fit is dropped.
struct Line<const N: usize> {
    octets: [u8; N],
    length: usize,
}

impl<const N: usize> Default for Line<N> {
    fn default() -> Self {
        Self { octets: [0; N], length: 0 }
    }
}

impl<const N: usize> Line<N> {
    fn push(&mut self, octet: u8) {
        if let Some(place) = self.octets.get_mut(self.length) {
            *place = octet;
            self.length += 1;
        }
    }

    fn number(&mut self, number: u32) {
        let mut digits = [0; 10];
        let mut first = digits.len();
        let mut rest = number;
        while first > 0 {
            first -= 1;
            digits[first] = b'0' + (rest % 10) as u8;
            rest /= 10;
            if rest == 0 {
                break;
            }
        }
        digits[first..].iter().for_each(|&digit| self.push(digit));
    }

    fn as_str(&self) -> &str {
        text(self.octets.get(..self.length).unwrap_or_default())
    }
}

fn text(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(nanos: i64) -> String {
        text(&Moment(Timestamp::from_nanos(nanos)).octets()).to_owned()
    }

    #[test]
    fn times_read_as_the_time_stamp_prints_them() {
        let days = [0, 59, 60, 365, 789, 11_016, 11_017, 19_782, 20_000, 49_673, 106_000, -1, -719, -106_000];
        for day in days {
            for nanos in [0, 1, 86_399_999_999_999, 43_200_000_000_001] {
                let nanos = day * 86_400_000_000_000 + nanos;
                assert_eq!(moment(nanos), Timestamp::from_nanos(nanos).to_string());
            }
        }
        assert_eq!(moment(i64::MAX), Timestamp::from_nanos(i64::MAX).to_string());
        assert_eq!(moment(i64::MIN), Timestamp::from_nanos(i64::MIN).to_string());
    }

    #[test]
    fn endpoints_read_as_socket_addresses() {
        for (address, port) in [("0.0.0.0", 0), ("192.0.2.1", 500), ("255.255.255.255", 65_535), ("2001:db8::1", 4500)]
        {
            let address: IpAddr = address.parse().unwrap();
            let json = serde_json::to_string(&Endpoint(address, port)).unwrap();
            assert_eq!(json, format!("\"{}\"", SocketAddr::new(address, port)));
        }
    }

    #[test]
    fn long_octets_are_written_whole() {
        for length in [0, 1, 64, 65, 300] {
            let json = serde_json::to_string(&Hex(&vec![0xa5; length])).unwrap();
            assert_eq!(json, format!("\"{}\"", "a5".repeat(length)));
        }
    }
}
