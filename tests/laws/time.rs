//! A shifted clock shifts time stamps and nothing else.

use chrono::{DateTime, SecondsFormat, TimeDelta};
use serde_json::Value;

use crate::bench::{difference, nothing_wrong, report, story};
use crate::samples;

/// Seconds: a step of a clock, a time zone, other years; before 1970 is no time of a pcap file.
const SHIFTS: [i64; 4] = [1, -7_200, 86_400 * 365 * 20, -86_400 * 365 * 40];

/// Every time stamp in `value` later by `seconds`.
fn shift(value: &mut Value, seconds: i64) {
    match value {
        Value::String(text) => {
            if let Ok(at) = DateTime::parse_from_rfc3339(text) {
                let later = at.to_utc() + TimeDelta::seconds(seconds);
                *text = later.to_rfc3339_opts(SecondsFormat::Nanos, true);
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| shift(value, seconds)),
        Value::Object(fields) => fields.values_mut().for_each(|value| shift(value, seconds)),
        _ => {}
    }
}

#[test]
fn a_shifted_clock_shifts_only_time_stamps() {
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let whole = story(&report(sample.capture.pcap()));
        for seconds in SHIFTS {
            let mut expected = whole.clone();
            shift(&mut expected, seconds);
            let shifted = story(&report(sample.capture.clone().shift_time(seconds).pcap()));
            assert_ne!(shifted, whole, "{}: no time stamp was shifted", sample.name);
            let other = difference(&expected, &shifted);
            wrong.extend(other.map(|other| format!("{}, {seconds} s: {other}", sample.name)));
        }
    }
    nothing_wrong(&wrong);
}
