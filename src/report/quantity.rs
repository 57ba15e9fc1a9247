//! Numbers as people read them: counts, octets, spans of time, rates, clock times.
//!
//! Not here: code points and their names ([`super::naming`]).

use std::time::Duration;

use chrono::NaiveDate;

use crate::base::{FrameRef, Timestamp};

/// `1,204`.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// The same in at most seven columns: `999,999`, `1.2 M`, `34.5 G`.
pub fn short_count(number: u64) -> String {
    const UNITS: [(u64, &str); 4] =
        [(1_000_000_000_000_000, "P"), (1_000_000_000_000, "T"), (1_000_000_000, "G"), (1_000_000, "M")];
    match UNITS.iter().find(|(size, _)| number >= *size) {
        Some((size, unit)) => format!("{}.{} {unit}", number / size, number % size / (size / 10)),
        None => count(number),
    }
}

/// `1 frame`, `1,204 frames`.
pub fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// `812 B`, `1.2 KiB`, `3.4 MiB`.
pub fn octets(number: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `0 s`, `3 ms`, `14.2 s`, `3 min 12 s`, `2 h 5 min`, `3 d 4 h`. Rounded to what is printed.
pub fn span(span: Duration) -> String {
    let pair = |big: u64, big_unit: &str, small: u64, small_unit: &str| match small {
        0 => format!("{big} {big_unit}"),
        _ => format!("{big} {big_unit} {small} {small_unit}"),
    };
    let seconds = span.as_secs().saturating_add(u64::from(span.subsec_millis() >= 500));
    match span.as_millis() {
        0 if span.is_zero() => "0 s".into(),
        0 => format!("{} µs", span.as_micros().max(1)),
        millis @ 1..=999 => format!("{millis} ms"),
        1_000..=59_949 => format!("{:.1} s", span.as_secs_f64()),
        _ if seconds < 3600 => pair(seconds / 60, "min", seconds % 60, "s"),
        _ if seconds < 86_400 => pair(seconds / 3600, "h", seconds % 3600 / 60, "min"),
        _ => pair(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

/// Seconds without unit, for lists that share one: `4.0`. Small ones keep what tells them apart: `0.05`.
pub fn seconds(span: Duration) -> String {
    match span.as_millis() {
        0..=999 => format!("{:.2}", span.as_secs_f64()),
        _ => format!("{:.1}", span.as_secs_f64()),
    }
}

/// Time since the beginning of a ladder: `+0.000`, `+12.345`, `+1:02:03.456`.
pub fn offset(span: Duration) -> String {
    let (seconds, millis) = (span.as_secs(), span.subsec_millis());
    match seconds {
        0..=59 => format!("+{seconds}.{millis:03}"),
        60..=3599 => format!("+{}:{:02}.{millis:03}", seconds / 60, seconds % 60),
        _ => format!("+{}:{:02}:{:02}", seconds / 3600, seconds % 3600 / 60, seconds % 60),
    }
}

/// Packets a second over a span, `None` where there is no span to speak of.
pub fn rate(packets: u64, over: Duration) -> Option<String> {
    if packets < 2 || over < Duration::from_millis(1) {
        return None;
    }
    let rate = (packets - 1) as f64 / over.as_secs_f64();
    Some(match rate {
        rate if rate >= 100.0 => format!("{}/s", count(rate.round() as u64)),
        rate if rate >= 0.1 => format!("{rate:.1}/s"),
        rate if rate * 60.0 >= 0.1 => format!("{:.1}/min", rate * 60.0),
        rate => format!("{:.1}/h", rate * 3600.0),
    })
}

/// Clock times in UTC, with the date only where it is not the one at the top of the report.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    day: Option<NaiveDate>,
}

impl Clock {
    /// For a report whose top names the day of `start`.
    pub fn new(start: Option<Timestamp>) -> Self {
        Self { day: start.map(|at| at.to_utc().date_naive()) }
    }

    /// `2026-11-21`, the day at the top.
    pub fn day(self) -> Option<String> {
        self.day.map(|day| day.to_string())
    }

    /// `04:20:55.193`.
    pub fn time(self, at: Timestamp) -> String {
        self.write(at, "%H:%M:%S%.3f")
    }

    /// `04:20:55`.
    pub fn second(self, at: Timestamp) -> String {
        self.write(at, "%H:%M:%S")
    }

    /// `04:20:55 – 04:35:01`, or one time where both are the same.
    pub fn range(self, first: Timestamp, last: Timestamp) -> String {
        let (first, last) = (self.second(first), self.second(last));
        if first == last { first } else { format!("{first} – {last}") }
    }

    fn write(self, at: Timestamp, form: &str) -> String {
        let at = at.to_utc();
        match self.day {
            Some(day) if day == at.date_naive() => at.format(form).to_string(),
            _ => format!("{} {}", at.date_naive(), at.format(form)),
        }
    }
}

/// `frame 12`, `frames 12 and 14`, `frames 12, 14, 15 and 9 more`; `0:12` where there is more than one capture.
pub fn frames(frames: &[FrameRef], many_captures: bool) -> String {
    const SHOWN: usize = 6;
    let (shown, hidden) = frames.split_at(frames.len().min(SHOWN));
    let mut words: Vec<String> = shown.iter().map(|&reference| frame(reference, many_captures)).collect();
    if !hidden.is_empty() {
        words.push(format!("{} more", count(hidden.len() as u64)));
    }
    format!("{} {}", if frames.len() == 1 { "frame" } else { "frames" }, listed(&words))
}

/// `12`, or `0:12` where there is more than one capture.
pub fn frame(reference: FrameRef, many_captures: bool) -> String {
    match many_captures {
        true => format!("{}:{}", reference.capture, reference.frame),
        false => reference.frame.to_string(),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub fn listed(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [only] => only.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_grouped_in_threes() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_000), "1,000");
        assert_eq!(count(u64::MAX), "18,446,744,073,709,551,615");
        assert_eq!(counted(1, "frame", "frames"), "1 frame");
        assert_eq!(short_count(999_999), "999,999");
        assert_eq!(short_count(1_290_000), "1.2 M");
        assert_eq!(short_count(345_600_000_000), "345.6 G");
    }

    #[test]
    fn octets_change_unit_before_they_need_four_digits() {
        assert_eq!(octets(1023), "1023 B");
        assert_eq!(octets(1024), "1.0 KiB");
        assert_eq!(octets(1_048_575), "1.0 MiB");
        assert_eq!(octets(u64::MAX), "16.0 EiB");
    }

    #[test]
    fn spans_read_as_people_say_them() {
        let spans = [
            (0, "0 s"),
            (40_000, "40 µs"),
            (180_000_000, "180 ms"),
            (14_230_000_000, "14.2 s"),
            (59_940_000_000, "59.9 s"),
            (59_990_000_000, "1 min"),
            (192_000_000_000, "3 min 12 s"),
            (7_500_000_000_000, "2 h 5 min"),
            (273_600_000_000_000, "3 d 4 h"),
        ];
        for (nanos, text) in spans {
            assert_eq!(span(Duration::from_nanos(nanos)), text);
        }
    }

    #[test]
    fn a_rate_counts_the_gaps_between_packets() {
        assert_eq!(rate(11, Duration::from_secs(10)).as_deref(), Some("1.0/s"));
        assert_eq!(rate(2, Duration::from_secs(20)).as_deref(), Some("3.0/min"));
        assert_eq!(rate(1, Duration::from_secs(20)), None);
        assert_eq!(rate(5, Duration::ZERO), None);
    }

    #[test]
    fn another_day_is_named() {
        let start = Timestamp::from_parts(1_795_226_455, 193_000_000);
        let clock = Clock::new(Some(start));
        assert_eq!(clock.day().as_deref(), Some("2026-11-21"));
        assert_eq!(clock.time(start), "02:00:55.193");
        assert_eq!(clock.second(start.after(Duration::from_secs(86_400))), "2026-11-22 02:00:55");
    }

    #[test]
    fn long_lists_of_frames_are_cut() {
        let many: Vec<FrameRef> = (1..=9).map(|number| FrameRef::new(0, number)).collect();
        assert_eq!(frames(&many[..1], false), "frame 1");
        assert_eq!(frames(&many[..2], true), "frames 0:1 and 0:2");
        assert_eq!(frames(&many, false), "frames 1, 2, 3, 4, 5, 6 and 3 more");
    }
}
