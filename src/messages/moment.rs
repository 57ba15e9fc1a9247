//! Times as text, put together on the stack: every row has one, and the calendar's own way there is a long one.

use crate::base::Timestamp;

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

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(nanos: i64) -> String {
        String::from_utf8(Moment(Timestamp::from_nanos(nanos)).octets().to_vec()).unwrap()
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
}
