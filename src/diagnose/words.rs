//! Numbers and sides in sentences: durations, counts, who it was.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::quad;
use crate::track::Side;

/// `40 ms`, `14.2 s`, `3 min 12 s`, `2 h 5 min`, `40 days 2 h`.
pub(super) fn span(duration: Duration) -> String {
    let pair = |big: u64, big_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{big} {big_unit}"),
        _ => format!("{big} {big_unit} {small} {small_unit}"),
    };
    let seconds = duration.as_secs().saturating_add(u64::from(duration.subsec_millis() >= 500));
    match duration.as_millis() {
        0 => "less than 1 ms".into(),
        millis @ 1..=999 => format!("{millis} ms"),
        1_000..=59_949 => tenths(duration),
        _ if seconds < 3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        _ if seconds < 100 * 3600 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "days", seconds % 86_400 / 3600, "h"),
    }
}

/// Seconds below a minute with one decimal, as `{:.1}` writes them.
fn tenths(duration: Duration) -> String {
    const TENTH: u128 = 100_000_000;
    let nanos = duration.as_nanos();
    if nanos % TENTH == TENTH / 2 {
        // goes where the nearest number in binary lies
        return format!("{:.1} s", duration.as_secs_f64());
    }
    let tenths = (nanos + TENTH / 2) / TENTH;
    let digit = |number: u128| char::from(b'0' + (number % 10) as u8);
    let mut text = String::with_capacity("59.9 s".len());
    if tenths >= 100 {
        text.push(digit(tenths / 100));
    }
    text.push(digit(tenths / 10));
    text.push('.');
    text.push(digit(tenths));
    text.push_str(" s");
    text
}

/// How long nothing came: `in the 14.2 s after the last copy`, or that there was no time to wait.
pub(super) fn until(quiet: Duration, after: &str) -> String {
    match quiet.as_millis() {
        0..=99 => "before the capture ends".into(),
        _ => format!("in the {} after {after}", span(quiet)),
    }
}

/// `once`, `twice`, `5 times`.
pub(super) fn times(count: u64) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        _ => format!("{count} times"),
    }
}

/// `1 packet`, `3 packets`.
pub(super) fn number(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// An address as it prints.
pub(super) fn address(address: IpAddr) -> String {
    let IpAddr::V4(address) = address else { return address.to_string() };
    let (text, len) = quad::text(address);
    String::from_utf8_lossy(&text[..len]).into_owned()
}

/// `initiator` or `responder`.
pub(super) const fn role(side: Side) -> &'static str {
    match side {
        Side::Initiator => "initiator",
        Side::Responder => "responder",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_as_people_say_them() {
        let spans =
            [(0, "less than 1 ms"), (40, "40 ms"), (14_230, "14.2 s"), (59_990, "1 min"), (192_000, "3 min 12 s")];
        for (millis, text) in spans {
            assert_eq!(span(Duration::from_millis(millis)), text);
        }
        assert_eq!(span(Duration::from_secs(7_500)), "2 h 5 min");
        assert_eq!(span(Duration::from_secs(86_400)), "24 h");
        assert_eq!(span(Duration::from_secs(40 * 86_400 + 7_500)), "40 days 2 h");
    }

    #[test]
    fn tenths_are_those_of_the_number_itself() {
        for millis in (1_000..59_950).step_by(25) {
            for nanos in [0, 1, 499_999, 999_999] {
                let duration = Duration::from_millis(millis) + Duration::from_nanos(nanos);
                assert_eq!(span(duration), format!("{:.1} s", duration.as_secs_f64()));
            }
        }
    }

    #[test]
    fn addresses_read_as_they_print() {
        for octet in 0..=255 {
            let quad: IpAddr = [octet, 0, 255 - octet, octet].into();
            assert_eq!(address(quad), quad.to_string());
        }
        assert_eq!(address("2001:db8::1".parse().unwrap()), "2001:db8::1");
    }

    #[test]
    fn no_time_to_wait_is_no_silence() {
        assert_eq!(until(Duration::ZERO, "it"), "before the capture ends");
        assert_eq!(until(Duration::from_secs(12), "the last copy"), "in the 12.0 s after the last copy");
    }
}
