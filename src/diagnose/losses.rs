//! Frames that the recorder lost: what is concluded from something that was not seen becomes less certain.
//!
//! Contract: what a peer said in clear stays as certain as it was; nothing becomes more certain.

use super::{Confidence, Finding, Severity};

/// One frame lost of so many changes no conclusion: what matters was sent more than once.
const FEW: u64 = 1000;

/// Frames recorded, and frames lost while recording.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// Recorded.
    pub recorded: u64,
    /// Lost, as the recorder says.
    pub lost: u64,
}

impl Losses {
    /// Whether enough was lost to doubt what was not seen.
    pub fn matter(self) -> bool {
        self.lost > 0 && self.lost.saturating_mul(FEW) >= self.recorded
    }
}

/// Makes a finding that no longer stands on firm ground *suspected*, and says what would settle it.
pub(super) fn allow_for(losses: Losses, finding: &mut Finding) {
    let doubtful = finding.confidence == Confidence::Inferred && finding.severity >= Severity::Notice;
    if !losses.matter() || !doubtful {
        return;
    }
    finding.confidence = Confidence::Suspected;
    let frames = if losses.lost == 1 { "1 frame was".to_owned() } else { format!("{} frames were", losses.lost) };
    let complete = format!("a capture that loses nothing: {frames} lost while this one was recorded");
    finding.settle = Some(match finding.settle.take() {
        Some(settle) => format!("{settle}; {complete}"),
        None => complete,
    });
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::patterns::by_id;
    use super::super::{Diagnosis, Words};
    use super::*;
    use crate::track::{Facts, Room};

    fn judged(confidence: Confidence, severity: Severity, recorded: u64, lost: u64) -> (Confidence, String) {
        let mut diagnosis = Diagnosis::new();
        diagnosis.hold(Finding {
            pattern: by_id("P1-PSK").unwrap(),
            severity,
            confidence,
            pair: None,
            attempt: None,
            frames: Vec::new(),
            count: 1,
            words: Arc::new(Words { settle: Some("a longer capture".into()), ..Words::default() }),
            consequence_of: None,
        });
        diagnosis.allow_for(Losses { recorded, lost });
        let finding = diagnosis.finding(0, &Facts::default(), &mut Room::default()).unwrap();
        (finding.confidence, finding.settle.clone().unwrap())
    }

    #[test]
    fn what_was_concluded_from_silence_is_doubted_and_what_was_said_is_not() {
        let (confidence, settle) = judged(Confidence::Inferred, Severity::Error, 100, 1);
        assert_eq!(confidence, Confidence::Suspected);
        assert_eq!(
            settle,
            "a longer capture; a capture that loses nothing: 1 frame was lost while this one was recorded"
        );
        assert_eq!(judged(Confidence::Stated, Severity::Error, 100, 50).0, Confidence::Stated);
        assert_eq!(judged(Confidence::Inferred, Severity::Info, 100, 50).0, Confidence::Inferred);
        assert_eq!(judged(Confidence::Inferred, Severity::Error, 100, 0).0, Confidence::Inferred);
        assert_eq!(judged(Confidence::Inferred, Severity::Error, 1_000_000, 3).0, Confidence::Inferred);
    }
}
