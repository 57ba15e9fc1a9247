//! From a pcapng interface's ticks to nanoseconds since the epoch.
//!
//! Contract: every resolution and offset the format can express gives a time; what lies outside the range of
//! [`Timestamp`] is clamped to its nearest end.

use crate::base::Timestamp;

const NANOS_A_SECOND: u64 = 1_000_000_000;

/// How one interface counts time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    scale: Scale,
    /// Nanoseconds to add.
    offset: i128,
}

/// Nanoseconds in a tick.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// This many.
    Times(u64),
    /// One part in this many.
    Parts(u64),
    /// 10⁹ halved this often.
    Halvings(u32),
    /// So few that no 64-bit count reaches one.
    None,
}

impl Default for Clock {
    /// Microseconds since the epoch (draft-ietf-opsawg-pcapng §4.2).
    fn default() -> Self {
        Self { scale: Scale::Times(1000), offset: 0 }
    }
}

impl Clock {
    /// Takes `if_tsresol`: a negative power of ten, or of two if the high bit is set.
    pub fn set_resolution(&mut self, octet: u8) {
        let exponent = u32::from(octet & 0x7f);
        self.scale = if octet & 0x80 != 0 {
            Scale::Halvings(exponent)
        } else if let Some(coarser) = 9u32.checked_sub(exponent) {
            Scale::Times(10u64.pow(coarser))
        } else {
            10u64.checked_pow(exponent - 9).map_or(Scale::None, Scale::Parts)
        };
    }

    /// Takes `if_tsoffset`: seconds to add to every time stamp.
    pub fn set_offset(&mut self, seconds: i64) {
        self.offset = i128::from(seconds) * i128::from(NANOS_A_SECOND);
    }

    /// When `ticks` is.
    #[inline]
    pub fn at(&self, ticks: u64) -> Timestamp {
        let nanos = match self.scale {
            Scale::Times(nanos) => u128::from(ticks) * u128::from(nanos),
            Scale::Parts(parts) => u128::from(ticks / parts),
            Scale::Halvings(halvings) => (u128::from(ticks) * u128::from(NANOS_A_SECOND)) >> halvings,
            Scale::None => 0,
        };
        // Neither addend reaches 2¹⁰⁰, so the sum cannot overflow.
        let nanos = nanos as i128 + self.offset;
        Timestamp::from_nanos(nanos.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nanos(resolution: u8, offset: i64, ticks: u64) -> i64 {
        let mut clock = Clock::default();
        clock.set_resolution(resolution);
        clock.set_offset(offset);
        clock.at(ticks).as_nanos()
    }

    #[test]
    fn powers_of_ten_and_of_two() {
        assert_eq!(Clock::default().at(1_000_001).as_nanos(), 1_000_001_000);
        assert_eq!(nanos(0, 0, 3), 3_000_000_000);
        assert_eq!(nanos(3, 0, 1_500), 1_500_000_000);
        assert_eq!(nanos(9, 0, 1_500), 1_500);
        assert_eq!(nanos(12, 0, 1_500_999), 1_500);
        assert_eq!(nanos(0x80, 0, 3), 3_000_000_000);
        assert_eq!(nanos(0x80 | 10, 0, 1536), 1_500_000_000);
        assert_eq!(nanos(0x80 | 32, 0, 3 << 31), 1_500_000_000);
    }

    #[test]
    fn offsets_go_both_ways_and_clamp() {
        assert_eq!(nanos(6, 1_700_000_000, 1), 1_700_000_000_000_001_000);
        assert_eq!(nanos(6, -1, 0), -1_000_000_000);
        assert_eq!(nanos(6, i64::MAX, u64::MAX), i64::MAX);
        assert_eq!(nanos(6, i64::MIN, 0), i64::MIN);
    }

    #[test]
    fn every_resolution_has_an_answer() {
        for resolution in 0..=u8::MAX {
            assert_eq!(nanos(resolution, 0, 0), 0);
            assert!(nanos(resolution, 0, u64::MAX) >= 0);
        }
        assert_eq!(nanos(0x7f, 0, u64::MAX), 0);
        assert_eq!(nanos(0xff, 0, u64::MAX), 0);
    }
}
