//! Where in the evidence something stands: a capture and a frame number in it.

use serde::Serialize;

/// A frame, by capture (its id in the report, from 0) and 1-based number within it, as Wireshark counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct FrameRef {
    /// Index of the capture in the report's `captures`.
    pub capture: u32,
    /// Number of the frame within that capture, from 1.
    pub frame: u64,
}

impl FrameRef {
    /// Frame `frame` (from 1) of capture `capture` (from 0).
    #[inline]
    pub const fn new(capture: u32, frame: u64) -> Self {
        Self { capture, frame }
    }
}
