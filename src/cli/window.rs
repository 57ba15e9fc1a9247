//! The part of capture time that is wanted: `--from` and `--to`.

use std::str::FromStr;
use std::time::Duration;

use chrono::{DateTime, NaiveDateTime, NaiveTime, Timelike};

use crate::base::Timestamp;
use crate::capture::Captures;

use super::complain;

/// One end of the window, as the user names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// A point in time.
    At(Timestamp),
    /// A time of the day (UTC) on which the captures begin.
    OfDay(Duration),
    /// Counted from the first frame.
    After(Duration),
}

impl FromStr for Bound {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse(text.trim()).ok_or_else(|| {
            "expected a time: 2026-11-21T04:05:45Z, 04:05:45 (on the day the capture begins, UTC), or +90 (seconds \
             from its start)"
                .to_owned()
        })
    }
}

fn parse(text: &str) -> Option<Bound> {
    if let Some(seconds) = text.strip_prefix('+') {
        return seconds_of(seconds).map(Bound::After);
    }
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return at.timestamp_nanos_opt().map(|nanos| Bound::At(Timestamp::from_nanos(nanos)));
    }
    for form in ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f"] {
        if let Ok(at) = NaiveDateTime::parse_from_str(text, form) {
            return at.and_utc().timestamp_nanos_opt().map(|nanos| Bound::At(Timestamp::from_nanos(nanos)));
        }
    }
    let time = ["%H:%M:%S%.f", "%H:%M"].iter().find_map(|form| NaiveTime::parse_from_str(text, form).ok())?;
    Some(Bound::OfDay(Duration::new(u64::from(time.num_seconds_from_midnight()), time.nanosecond().min(999_999_999))))
}

/// Seconds with up to nine decimals.
fn seconds_of(text: &str) -> Option<Duration> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|octet| octet.is_ascii_digit());
    if whole.is_empty() || fraction.len() > 9 || !digits(whole) || !digits(fraction) {
        return None;
    }
    let nanos: u32 = format!("{fraction:0<9}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanos))
}

/// A window of capture time, both ends included.
#[derive(Debug, Clone, Copy)]
pub(super) struct Window {
    from: Option<Bound>,
    to: Option<Bound>,
    resolved: Option<(Timestamp, Timestamp)>,
}

impl Window {
    /// From one bound to the other; without a bound, that end is open.
    ///
    /// Errors: bounds of the same kind in the wrong order.
    pub fn new(from: Option<Bound>, to: Option<Bound>) -> anyhow::Result<Self> {
        let backwards = match (from, to) {
            (Some(Bound::At(from)), Some(Bound::At(to))) => from > to,
            (Some(Bound::OfDay(from)), Some(Bound::OfDay(to))) => from > to,
            (Some(Bound::After(from)), Some(Bound::After(to))) => from > to,
            _ => false,
        };
        anyhow::ensure!(!backwards, "--from is later than --to");
        Ok(Self { from, to, resolved: None })
    }

    /// Whether a frame recorded at `at` is wanted. The first frame asked about is where the captures begin.
    #[inline]
    pub fn admits(&mut self, at: Timestamp) -> bool {
        let (from, to) = self.resolved(at);
        from <= at && at <= to
    }

    /// Whether frames between these two times are wanted, all or none; `None` if some are. The first of them is at `first`.
    pub fn admits_all(&mut self, first: Timestamp, earliest: Timestamp, latest: Timestamp) -> Option<bool> {
        let (from, to) = self.resolved(first);
        if from <= earliest && latest <= to {
            return Some(true);
        }
        (latest < from || to < earliest).then_some(false)
    }

    /// Says so if all frames lie outside, and whether they do.
    pub fn complain_if_missed(&self, captures: &Captures) -> bool {
        let infos = captures.infos();
        let first = infos.iter().filter_map(|info| info.first).min();
        let last = infos.iter().filter_map(|info| info.last).max();
        let (Some((from, to)), Some(first), Some(last)) = (self.resolved, first, last) else { return false };
        let missed = last < from || to < first;
        if missed {
            let bounds = [("at or after", self.from.map(|_| from)), ("up to", self.to.map(|_| to))];
            let bounds = bounds.iter().filter_map(|(words, at)| at.map(|at| format!("{words} {}", shown(at))));
            let bounds = bounds.collect::<Vec<_>>().join(" and ");
            complain(&format!("no frame {bounds}; there are frames from {} to {} UTC", shown(first), shown(last)));
        }
        missed
    }

    fn resolved(&mut self, start: Timestamp) -> (Timestamp, Timestamp) {
        *self.resolved.get_or_insert_with(|| {
            let from = self.from.map(|bound| resolve(bound, start));
            let to = self.to.map(|bound| resolve(bound, start));
            (from.unwrap_or(Timestamp::from_nanos(i64::MIN)), to.unwrap_or(Timestamp::from_nanos(i64::MAX)))
        })
    }
}

fn shown(at: Timestamp) -> String {
    at.to_utc().format("%Y-%m-%d %H:%M:%S").to_string()
}

fn resolve(bound: Bound, start: Timestamp) -> Timestamp {
    const DAY: i64 = 86_400_000_000_000;
    match bound {
        Bound::At(at) => at,
        Bound::OfDay(time) => {
            let midnight = start.as_nanos().div_euclid(DAY).saturating_mul(DAY);
            Timestamp::from_nanos(midnight).after(time)
        }
        Bound::After(span) => start.after(span),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-21T04:05:45Z
    const START: i64 = 1_795_233_945;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    fn bound(text: &str) -> Bound {
        text.parse().unwrap()
    }

    #[test]
    fn times_are_read_in_every_form() {
        assert_eq!(bound("2026-11-21T04:05:45Z"), Bound::At(at(START)));
        assert_eq!(bound("2026-11-21T05:05:45+01:00"), Bound::At(at(START)));
        assert_eq!(bound("2026-11-21 04:05:45"), Bound::At(at(START)));
        assert_eq!(bound("04:05:45.5"), Bound::OfDay(Duration::from_millis(14_745_500)));
        assert_eq!(bound("04:05"), Bound::OfDay(Duration::from_secs(14_700)));
        assert_eq!(bound("+90"), Bound::After(Duration::from_secs(90)));
        assert_eq!(bound("+0.25"), Bound::After(Duration::from_millis(250)));
    }

    #[test]
    fn what_is_no_time_is_refused() {
        for text in [
            "",
            "+",
            "+-1",
            "+1e9",
            "+1.0000000001",
            "25:00:00",
            "yesterday",
            "90",
            "2026-11-21",
            "9999-01-01T00:00:00Z",
        ] {
            assert!(text.parse::<Bound>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_window_counts_from_the_first_frame() {
        let mut window = Window::new(Some(bound("+10")), Some(bound("04:06:00"))).unwrap();
        let admitted: Vec<i64> = (0..30).filter(|&second| window.admits(at(START + second))).collect();
        assert_eq!(admitted, [10, 11, 12, 13, 14, 15]);
    }

    #[test]
    fn an_open_end_admits_everything() {
        let mut window = Window::new(None, None).unwrap();
        assert!(window.admits(Timestamp::from_nanos(i64::MIN)) && window.admits(Timestamp::from_nanos(i64::MAX)));
    }

    #[test]
    fn a_window_that_ends_before_it_begins_is_refused() {
        assert!(Window::new(Some(bound("+10")), Some(bound("+9"))).is_err());
        assert!(Window::new(Some(bound("+10")), Some(bound("+10"))).is_ok());
    }
}
