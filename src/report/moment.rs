//! Times as text, put together on the stack: every row has one, and the calendar's own way there is a long one.

use crate::base::Timestamp;

use super::pen::{PAIRS, eight_digits};

/// Writes times as [`Timestamp`] prints them: RFC 3339 in UTC with nanoseconds. Of times of one second, date and time of day
/// are worked out once.
#[derive(Debug)]
pub(crate) struct Calendar {
    /// Counted from 1970-01-01.
    day: i64,
    second: i64,
    /// The second of the time that was written last, in quotes. Behind the dot it has zeros: what has just been put together
    /// digit by digit would be slow to copy.
    text: [u8; 32],
}

/// Where the digits behind the dot begin.
const FRACTION: usize = 21;

impl Default for Calendar {
    fn default() -> Self {
        Self { day: 0, second: 0, text: *b"\"1970-01-01T00:00:00.000000000Z\"" }
    }
}

impl Calendar {
    /// Appends a time in quotes.
    #[inline]
    pub(crate) fn quoted(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        let (digits, nanos) = self.append::<0, 32>(out, at);
        nine(digits, nanos);
    }

    /// Appends a time.
    #[inline]
    pub(crate) fn plain(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        let (digits, nanos) = self.append::<1, 31>(out, at);
        nine(digits, nanos);
    }

    /// Appends a time to the microsecond, without what says that it is in UTC.
    #[inline]
    pub(crate) fn micros(&mut self, out: &mut Vec<u8>, at: Timestamp) {
        let (digits, nanos) = self.append::<1, { FRACTION + 6 }>(out, at);
        six(digits, nanos / 1_000);
    }

    /// The text of a time as far as its second, with the dot behind it, and the nanoseconds of that second.
    #[inline(always)]
    pub(crate) fn second(&mut self, at: Timestamp) -> (&[u8; FRACTION - 1], u32) {
        let nanos = self.turn_to(at);
        let [_, text @ .., _, _, _, _, _, _, _, _, _, _, _] = &self.text;
        (text, nanos)
    }

    /// Turns to the second of a time; answers the nanoseconds.
    #[inline(always)]
    fn turn_to(&mut self, at: Timestamp) -> u32 {
        const SECOND: i64 = 1_000_000_000;
        let nanos = at.as_nanos();
        let second = nanos.div_euclid(SECOND);
        if second != self.second {
            self.turn(second);
        }
        nanos.rem_euclid(SECOND) as u32
    }

    /// Appends octets of the text, from one to the other. Answers where the digits behind the dot are, and what they say.
    #[inline(always)]
    fn append<'o, const FROM: usize, const TO: usize>(
        &mut self,
        out: &'o mut Vec<u8>,
        at: Timestamp,
    ) -> (&'o mut [u8], u32) {
        let nanos = self.turn_to(at);
        let digits = out.len() + FRACTION - FROM;
        out.extend_from_slice(&self.text[FROM..TO]);
        (&mut out[digits..], nanos)
    }

    #[cold]
    fn turn(&mut self, second: i64) {
        const DAY: i64 = 86_400;
        let day = second.div_euclid(DAY);
        if day != self.day {
            let (year, month, day_of_month) = date(day);
            self.day = day;
            // the type covers four-digit years only
            pair(&mut self.text, 1, (year / 100) as u32);
            pair(&mut self.text, 3, (year % 100) as u32);
            pair(&mut self.text, 6, month as u32);
            pair(&mut self.text, 9, day_of_month as u32);
        }
        self.second = second;
        let second = second.rem_euclid(DAY) as u32;
        pair(&mut self.text, 12, second / 3600);
        pair(&mut self.text, 15, second / 60 % 60);
        pair(&mut self.text, 18, second % 60);
    }
}

/// Nine digits of a number below 1,000,000,000.
#[inline(always)]
fn nine(digits: &mut [u8], number: u32) {
    if let Some((eight, [last, ..])) = digits.split_first_chunk_mut() {
        *eight = eight_digits(number / 10);
        *last = b'0' + (number % 10) as u8;
    }
}

/// Six digits of a number below 1,000,000.
#[inline(always)]
fn six(digits: &mut [u8], number: u32) {
    pair(digits, 0, number / 10_000);
    pair(digits, 2, number / 100);
    pair(digits, 4, number);
}

/// The two last digits of a number.
#[inline(always)]
fn pair(out: &mut [u8], at: usize, number: u32) {
    out[at..at + 2].copy_from_slice(&PAIRS[(number % 100) as usize]);
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_as_the_time_stamp_prints_them() {
        let mut calendar = Calendar::default();
        let mut moment = |nanos: i64| {
            let at = Timestamp::from_nanos(nanos);
            let mut written = |write: fn(&mut Calendar, &mut Vec<u8>, Timestamp)| {
                let mut out = b"before ".to_vec();
                write(&mut calendar, &mut out, at);
                String::from_utf8(out).unwrap().strip_prefix("before ").unwrap().to_owned()
            };
            let text = written(Calendar::plain);
            assert_eq!(written(Calendar::quoted), format!("\"{text}\""));
            assert_eq!(written(Calendar::micros), text[..26]);
            text
        };
        let days = [0, 59, 60, 365, 789, 11_016, 11_017, 19_782, 20_000, 49_673, 106_000, -1, -719, -106_000];
        for day in days {
            for nanos in [0, 1, 86_399_999_999_999, 43_200_000_000_001, 12_345_678_901_234] {
                let nanos = day * 86_400_000_000_000 + nanos;
                assert_eq!(moment(nanos), Timestamp::from_nanos(nanos).to_string());
            }
        }
        assert_eq!(moment(i64::MAX), Timestamp::from_nanos(i64::MAX).to_string());
        assert_eq!(moment(i64::MIN), Timestamp::from_nanos(i64::MIN).to_string());
    }
}
