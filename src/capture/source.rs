//! What frames come from while time passes: an interface, or a capture that is played again with its timing.
//!
//! Not here: capture files that are read as fast as they can be ([`super::Captures`]). Contract: a source never blocks
//! longer than it was asked to wait, and nothing but a source reads the wall clock.

use std::time::Duration;

use crate::base::Timestamp;

use super::{CaptureError, CaptureInfo, Frame};

/// Where frames come from while time passes.
pub trait Source {
    /// The next thing heard, waiting at most `wait` for it. The frame's octets are good until the next call.
    ///
    /// Errors: nothing more can come from any interface, and why.
    fn next(&mut self, wait: Duration) -> Result<Heard<'_>, CaptureError>;

    /// The time of day, on the clock that stamps the frames.
    fn now(&self) -> Timestamp;

    /// What was received and what was lost so far, over all interfaces.
    fn drops(&mut self) -> Drops;

    /// What is known of each interface so far, as of a capture, by [`crate::base::FrameRef::capture`].
    fn infos(&self) -> Vec<CaptureInfo>;
}

/// What a [`Source`] heard.
#[derive(Debug)]
pub enum Heard<'buf> {
    /// A frame.
    Frame(Frame<'buf>),
    /// Nothing, for as long as was asked.
    Silence,
    /// Something about an interface that a person should know: it went down, it came back.
    Notice(String),
    /// The source has ended: the capture that was played is over.
    End,
}

/// Frames received and lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Drops {
    /// Frames that passed the filter.
    pub received: u64,
    /// Lost because this program did not keep up (kernel ring full).
    pub kernel: u64,
    /// Lost by the interface or its driver.
    pub interface: u64,
}
