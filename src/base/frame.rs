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

    /// The same in 63 bits that sort as it does. `None` for a capture or a frame that nobody ever had: from capture 2^23, or
    /// frame 2^40, on.
    #[inline]
    pub fn packed(self) -> Option<u64> {
        let fits = self.capture >> (63 - FRAME_BITS) == 0 && self.frame >> FRAME_BITS == 0;
        fits.then_some(u64::from(self.capture) << FRAME_BITS | self.frame)
    }

    /// What was [packed](Self::packed).
    #[inline]
    pub const fn unpacked(packed: u64) -> Self {
        Self { capture: (packed >> FRAME_BITS) as u32, frame: packed & ((1 << FRAME_BITS) - 1) }
    }
}

/// Bits of a frame's number that is packed.
const FRAME_BITS: u32 = 40;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_packed_frame_is_itself_again() {
        for frame in [FrameRef::new(0, 1), FrameRef::new(7, 1 << 33), FrameRef::new((1 << 23) - 1, (1 << 40) - 1)] {
            assert_eq!(frame.packed().map(FrameRef::unpacked), Some(frame));
        }
        assert_eq!((FrameRef::new(1 << 23, 1).packed(), FrameRef::new(0, 1 << 40).packed()), (None, None));
    }
}
