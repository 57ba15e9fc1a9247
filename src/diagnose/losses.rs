//! Frames that the recorder lost: what is concluded from something that was not seen becomes less certain.
//!
//! Contract: what a peer said in clear stays as certain as it was; nothing becomes more certain.

use super::{Confidence, Diagnosis, Severity};

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

/// Makes findings that no longer stand on firm ground *suspected*, and says what would settle them.
pub fn allow_for(diagnosis: &mut Diagnosis, losses: Losses) {
    if !losses.matter() {
        return;
    }
    let doubtful = diagnosis
        .findings
        .iter_mut()
        .filter(|finding| finding.confidence == Confidence::Inferred && finding.severity >= Severity::Notice);
    for finding in doubtful {
        finding.confidence = Confidence::Suspected;
        let frames = if losses.lost == 1 { "1 frame was".to_owned() } else { format!("{} frames were", losses.lost) };
        let complete = format!("a capture that loses nothing: {frames} lost while this one was recorded");
        finding.settle = Some(match finding.settle.take() {
            Some(settle) => format!("{settle}; {complete}"),
            None => complete,
        });
    }
}
