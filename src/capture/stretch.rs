//! A stretch: records that lie whole in one buffer, one behind the other, with nothing odd about any of them.
//!
//! Nearly all of a capture is stretches, so this is the short way past nearly all records: one loop, and what is counted
//! is counted for all of them. Not here: odd records, which the walks of the formats tell about. Contract: whoever passes
//! a stretch has counted what he had counted record by record.

use super::Frame;
use crate::base::{FrameRef, LinkType, Timestamp};

/// A record of which there is nothing odd to say.
#[derive(Debug, Clone, Copy)]
pub(super) struct PlainRecord {
    pub at: Timestamp,
    pub link: LinkType,
    pub interface: u32,
    /// Where in the buffer its octets start.
    pub place: usize,
    pub len: usize,
    pub wire_len: u32,
    /// Where in the buffer the next record starts.
    pub next: usize,
}

/// How records without oddities are read.
pub(super) trait Plain {
    /// The record at `at`, if it lies whole in `octets` and nothing about it is odd.
    fn plain(&self, octets: &[u8], at: usize) -> Option<PlainRecord>;

    /// Octets that the record at `at` takes by what it says itself, if that is there and it may be plain.
    fn whole(&self, octets: &[u8], at: usize) -> Option<usize>;
}

/// Who looks at the frames of a stretch. A trait and not a closure, so that the loop over them can be one with the look.
pub trait Each {
    /// The next frame, numbered from 1 within the stretch, and its place in the buffer. Answers whether to go on.
    fn frame(&mut self, frame: Frame<'_>, place: usize) -> bool;
}

/// Records in a row, and what is to be counted of them.
#[derive(Debug, Clone, Copy)]
pub struct Stretch {
    /// Frames in it.
    pub frames: u64,
    /// Time of its first frame.
    pub first: Timestamp,
    /// Earliest time in it.
    pub earliest: Timestamp,
    /// Latest time in it.
    pub latest: Timestamp,
    /// Time of its last frame.
    pub(super) last: Timestamp,
    /// Octets recorded.
    pub(super) octets: u64,
    /// Frames recorded shorter than they were on the wire.
    pub(super) snapped: u64,
    /// Frames earlier than the one before, and the furthest of them in nanoseconds.
    pub(super) backwards: u64,
    pub(super) furthest_back: i64,
    /// Where in the buffer the record behind the last one would start.
    pub(super) end: usize,
}

impl Stretch {
    pub(super) fn empty(start: usize) -> Self {
        const NEVER: Timestamp = Timestamp::from_nanos(i64::MIN);
        Self {
            frames: 0,
            first: NEVER,
            earliest: NEVER,
            latest: NEVER,
            last: NEVER,
            octets: 0,
            snapped: 0,
            backwards: 0,
            furthest_back: 0,
            end: start,
        }
    }

    /// Walks on behind `so_far` to the first record that begins at `stop` or behind it, that is odd, or that `each` does not
    /// want another one after.
    #[inline(always)]
    pub(super) fn walk(plain: &impl Plain, octets: &[u8], so_far: Self, stop: usize, each: &mut impl Each) -> Self {
        let Self { mut end, frames: mut number, octets: mut recorded, mut snapped, .. } = so_far;
        let (mut first, mut latest, mut last) =
            (so_far.first.as_nanos(), so_far.latest.as_nanos(), so_far.last.as_nanos());
        let mut disorder = Disorder {
            earliest: if number == 0 { i64::MAX } else { so_far.earliest.as_nanos() },
            backwards: so_far.backwards,
            furthest_back: so_far.furthest_back,
        };
        while end < stop
            && let Some(record) = plain.plain(octets, end)
            && let Some(bytes) = octets.get(record.place..record.place.wrapping_add(record.len))
        {
            number = u64::wrapping_add(number, 1);
            end = record.next;
            recorded = recorded.wrapping_add(record.len as u64);
            snapped = snapped.wrapping_add(u64::from(record.wire_len as usize > record.len));
            let at = record.at.as_nanos();
            if number == 1 {
                first = at;
            } else if at < latest {
                disorder.note(at, last);
            }
            latest = latest.max(at);
            last = at;
            let frame = Frame {
                reference: FrameRef::new(0, number),
                at: record.at,
                link: record.link,
                interface: record.interface,
                bytes,
                wire_len: record.wire_len,
            };
            if !each.frame(frame, record.place) {
                break;
            }
        }
        Self {
            frames: number,
            first: Timestamp::from_nanos(first),
            earliest: Timestamp::from_nanos(first.min(disorder.earliest)),
            latest: Timestamp::from_nanos(latest),
            last: Timestamp::from_nanos(last),
            octets: recorded,
            snapped,
            backwards: disorder.backwards,
            furthest_back: disorder.furthest_back,
            end,
        }
    }
}

/// What happens where the clock runs backwards.
struct Disorder {
    earliest: i64,
    backwards: u64,
    furthest_back: i64,
}

impl Disorder {
    #[cold]
    fn note(&mut self, at: i64, last: i64) {
        self.earliest = self.earliest.min(at);
        if at < last {
            self.backwards += 1;
            self.furthest_back = self.furthest_back.max(last.saturating_sub(at));
        }
    }
}
