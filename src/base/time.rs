//! Capture time: nanoseconds since the Unix epoch, read from the capture and never from the wall clock.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};

/// A point in capture time, in nanoseconds since 1970-01-01T00:00:00Z.
///
/// Covers the years 1677 to 2262; what lies outside is clamped to the nearest end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From nanoseconds since the epoch.
    #[inline]
    pub const fn from_nanos(nanos: i64) -> Self {
        Self(nanos)
    }

    /// From whole seconds and nanoseconds since the epoch, clamped to the range of the type.
    pub fn from_parts(seconds: i64, nanos: u32) -> Self {
        Self(seconds.saturating_mul(1_000_000_000).saturating_add(i64::from(nanos)))
    }

    /// Nanoseconds since the epoch.
    #[inline]
    pub const fn as_nanos(self) -> i64 {
        self.0
    }

    /// Time from `earlier` to `self`; zero if the clock ran backwards between them.
    #[inline]
    pub fn since(self, earlier: Self) -> Duration {
        let nanos = self.0.saturating_sub(earlier.0);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(0))
    }

    /// `self` moved forward by `span`, clamped to the range of the type.
    #[inline]
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_nanos()).unwrap_or(i64::MAX)))
    }

    /// `self` moved back by so many nanoseconds (forward, if below zero), clamped to the range of the type.
    #[inline]
    pub const fn before(self, nanos: i64) -> Self {
        Self(self.0.saturating_sub(nanos))
    }

    /// The same instant as a calendar date in UTC.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_nanos(self.0)
    }
}

impl fmt::Display for Timestamp {
    /// RFC 3339 in UTC with nanoseconds, as the report prints it: `2026-11-21T04:05:45.000000001Z`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_utc().to_rfc3339_opts(SecondsFormat::Nanos, true))
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_rfc_3339_with_nanoseconds() {
        let at = Timestamp::from_parts(1_795_226_455, 193);
        assert_eq!(at.to_string(), "2026-11-21T02:00:55.000000193Z");
    }

    #[test]
    fn a_clock_that_runs_backwards_spans_nothing() {
        let early = Timestamp::from_parts(10, 0);
        let late = Timestamp::from_parts(12, 5);
        assert_eq!(late.since(early), Duration::new(2, 5));
        assert_eq!(early.since(late), Duration::ZERO);
        assert_eq!(Timestamp::from_parts(i64::MAX, 7).as_nanos(), i64::MAX);
    }
}
