//! Spans of time and sizes as people type them.

use std::time::Duration;

/// `30s`, `5m`, `1h30m`, `90` (seconds), `0.5s`.
///
/// Errors: what was expected.
pub(super) fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("`{text}` is no span of time: write 30s, 5m, 1h or 1h30m");
    let mut total = 0.0;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(expected());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let letters = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(letters);
        let factor = match unit.trim() {
            "s" => 1.0,
            "" if rest == text.trim() && tail.is_empty() => 1.0,
            "ms" => 0.001,
            "m" | "min" => 60.0,
            "h" => 3600.0,
            "d" => 86_400.0,
            _ => return Err(expected()),
        };
        let number: f64 = number.parse().map_err(|_| expected())?;
        total += number * factor;
        rest = tail;
    }
    let span = Duration::try_from_secs_f64(total).map_err(|_| expected())?;
    if span.is_zero() { Err(expected()) } else { Ok(span) }
}

/// `64K`, `100M`, `2G`, or plain octets; powers of 1024.
///
/// Errors: what was expected.
pub(super) fn octets(text: &str) -> Result<u64, String> {
    let expected = || format!("`{text}` is no size: write octets, 64K, 100M or 2G");
    let text = text.trim();
    let number = text.trim_end_matches(['B', 'b']).trim_end_matches('i');
    let (number, factor) = match number.char_indices().last() {
        Some((end, 'k' | 'K')) => (&number[..end], 1 << 10),
        Some((end, 'm' | 'M')) => (&number[..end], 1 << 20),
        Some((end, 'g' | 'G')) => (&number[..end], 1 << 30),
        _ => (number, 1_u64),
    };
    let number: u64 = number.trim().parse().map_err(|_| expected())?;
    number.checked_mul(factor).filter(|octets| *octets > 0).ok_or_else(expected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_as_people_type_them() {
        for (text, seconds) in [("30s", 30.0), ("5m", 300.0), ("1h30m", 5400.0), ("90", 90.0), ("0.5s", 0.5)] {
            assert_eq!(duration(text), Ok(Duration::from_secs_f64(seconds)), "{text}");
        }
        for text in ["", "s", "5x", "0", "-3s", "1h30", "1e3", "1..5s"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn sizes_are_read_as_people_type_them() {
        for (text, size) in
            [("4096", 4096), ("64K", 65_536), ("100M", 104_857_600), ("2GiB", 2 << 30), ("1 mb", 1 << 20)]
        {
            assert_eq!(octets(text), Ok(size), "{text}");
        }
        for text in ["", "K", "0", "-1", "1.5G", "99999999999G", "ten"] {
            assert!(octets(text).is_err(), "{text}");
        }
    }
}
