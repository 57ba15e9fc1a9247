//! How long a message waited for what should follow it, and when its next copy is due.

use std::time::Duration;

use crate::base::Timestamp;
use crate::track::MessageRecord;

use super::Confidence;
use super::case::{PATIENCE, View};

impl View<'_> {
    /// How long a message was repeated without the exchange going on, and how long was watched after its last copy.
    pub fn waited(&self, message: &MessageRecord) -> Waited {
        let last = message.repeats.iter().map(|repeat| repeat.at).max().unwrap_or(message.at);
        Waited {
            copies: u64::from(message.repeat_count) + 1,
            over: last.since(message.at),
            after: self.case.end().since(last),
        }
    }

    /// When the next copy of `message` is due, by its rhythm, and whether it should have come.
    pub fn next_copy(&self, message: &MessageRecord) -> Option<NextCopy> {
        let (due, late) = next_due(message)?;
        Some(NextCopy { due, given_up: self.case.end() > due.after(late) })
    }
}

/// When the next copy of `message` is due, as the gaps between its copies so far tell: they grow by a steady factor, or
/// stay the same; and how late it may be. `None` with fewer than three copies, or without a rhythm.
pub fn next_due(message: &MessageRecord) -> Option<(Timestamp, Duration)> {
    if message.repeats.len() < 2 || message.repeat_count as usize != message.repeats.len() {
        return None;
    }
    let times: Vec<Timestamp> = message.copies().map(|(_, at)| at).collect();
    let gaps: Vec<f64> = times.windows(2).map(|pair| pair[1].since(pair[0]).as_secs_f64()).collect();
    let factors: Vec<f64> = gaps.windows(2).map(|pair| pair[1] / pair[0]).collect();
    let mean = factors.iter().sum::<f64>() / factors.len() as f64;
    let steady = mean.is_finite() && mean > 0.5 && factors.iter().all(|factor| (factor / mean - 1.0).abs() < RHYTHM);
    let gap = gaps.last().map(|gap| gap * mean).filter(|gap| steady && *gap > 0.0 && *gap < 86_400.0)?;
    let due = times.last()?.after(Duration::from_secs_f64(gap));
    Some((due, Duration::from_secs_f64(gap * RHYTHM).max(Duration::from_secs(1))))
}

/// Gaps between copies are in rhythm if their growth stays within this of its mean.
const RHYTHM: f64 = 0.25;

/// The copy of a message that its rhythm lets expect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NextCopy {
    /// When it is due.
    pub due: Timestamp,
    /// The capture goes on long enough after that to say that it did not come.
    pub given_up: bool,
}

/// Copies of a message, and the time they took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waited {
    /// How often it was sent.
    pub copies: u64,
    /// From the first copy to the last.
    pub over: Duration,
    /// From the last copy to the end of the capture.
    pub after: Duration,
}

impl Waited {
    /// Long enough to call it unanswered: repeated at least once and over some time, or watched for longer than anybody
    /// waits before repeating.
    pub fn is_silence(&self) -> bool {
        (self.copies >= 2 && self.over + self.after >= PATIENCE / 2) || self.after >= PATIENCE
    }

    /// How sure it is that a message which asks for an answer got none: whoever gets none sends it again. Of one that was sent
    /// once the capture may have missed the answer.
    pub fn certainty(&self) -> Confidence {
        if self.copies >= 2 { Confidence::Inferred } else { Confidence::Suspected }
    }
}
