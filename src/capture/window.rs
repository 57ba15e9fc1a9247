//! A reused buffer that slides over a stream: the octets a record walk is looking at.
//!
//! Not here: what the octets mean. Contract: what was in view stays in place until the next call that may read; memory
//! grows with the octets that are really there, never with what a length field claims.

use std::fmt;
use std::io::{self, Read};

/// Where octets come from.
pub(super) type Stream = Box<dyn Read + Send>;

/// First read of a stream, so that a look at the head of thousands of files stays cheap.
const FIRST_READ: usize = 16 << 10;

/// The part of a stream between what was consumed and what was read.
pub(super) struct Window {
    stream: Stream,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Octet of the stream at which the buffer starts.
    base: u64,
    /// Size the buffer has when no record is larger.
    capacity: usize,
    ended: bool,
    torn: bool,
}

impl Window {
    /// Over a stream whose next octet is number `base`.
    pub fn new(stream: Stream, base: u64, capacity: usize) -> Self {
        Self { stream, buffer: Vec::new(), start: 0, end: 0, base, capacity, ended: false, torn: false }
    }

    /// Over nothing.
    pub fn closed() -> Self {
        Self::new(Box::new(io::empty()), 0, 0)
    }

    /// Octets in view.
    #[inline]
    pub fn view(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    /// Octet of the stream that comes next.
    pub fn offset(&self) -> u64 {
        self.base.saturating_add(self.start as u64)
    }

    /// Octet of the stream that stands at `place` in the buffer.
    pub fn offset_of(&self, place: usize) -> u64 {
        self.base.saturating_add(place as u64)
    }

    /// The stream ended inside its compression.
    pub fn is_torn(&self) -> bool {
        self.torn
    }

    /// Brings at least `len` octets into view; `false` if the stream ends before.
    #[inline]
    pub fn need(&mut self, len: usize) -> io::Result<bool> {
        if self.end - self.start >= len { Ok(true) } else { self.fill(len) }
    }

    /// The next `N` octets, which stay in view; `None` if the stream ends before.
    #[inline]
    pub fn fixed<const N: usize>(&mut self) -> io::Result<Option<[u8; N]>> {
        if self.need(N)? { Ok(self.view().first_chunk().copied()) } else { Ok(None) }
    }

    /// Moves past `len` octets that are in view and says where in the buffer they stand.
    #[inline]
    pub fn consume(&mut self, len: usize) -> usize {
        let place = self.start;
        self.start = self.start.saturating_add(len).min(self.end);
        place
    }

    /// All that is in the buffer, and where in it the next octet stands.
    #[inline]
    pub fn buffer(&self) -> (&[u8], usize) {
        (self.buffer.get(..self.end).unwrap_or_default(), self.start)
    }

    /// Moves on to a place in the buffer.
    #[inline]
    pub fn move_to(&mut self, place: usize) {
        self.start = place.clamp(self.start, self.end);
    }

    /// Goes on at octet `base`, which is the next one of `stream`. What is in view is forgotten.
    pub fn go_on_with(&mut self, stream: Stream, base: u64) {
        let buffer = std::mem::take(&mut self.buffer);
        *self = Self { buffer, ..Self::new(stream, base, self.capacity) };
    }

    /// Octets at a place that [`Window::consume`] gave.
    #[inline]
    pub fn slice(&self, place: usize, len: usize) -> &[u8] {
        self.buffer.get(place..place.saturating_add(len)).unwrap_or_default()
    }

    /// Moves past `len` octets without keeping them; `false` if the stream ends before.
    pub fn skip(&mut self, mut len: u64) -> io::Result<bool> {
        loop {
            let here = len.min((self.end - self.start) as u64);
            self.consume(here as usize);
            len -= here;
            if len == 0 {
                return Ok(true);
            }
            if !self.need(1)? {
                return Ok(false);
            }
        }
    }

    /// What is in view and all that follows it, as a stream again.
    pub fn into_stream(mut self) -> Stream {
        self.buffer.truncate(self.end);
        let start = self.start as u64;
        let mut read = io::Cursor::new(self.buffer);
        read.set_position(start);
        Box::new(read.chain(self.stream))
    }

    #[inline(never)]
    fn fill(&mut self, len: usize) -> io::Result<bool> {
        if self.ended {
            return Ok(false);
        }
        self.buffer.copy_within(self.start..self.end, 0);
        self.base = self.offset();
        self.end -= self.start;
        self.start = 0;
        if self.buffer.len() < self.capacity {
            let size = (self.buffer.len() * 2).clamp(FIRST_READ, self.capacity.max(FIRST_READ));
            self.buffer.resize(size, 0);
        } else if self.buffer.len() > self.capacity && len <= self.capacity && self.end <= self.capacity {
            self.buffer.truncate(self.capacity);
            self.buffer.shrink_to_fit();
        }
        while self.end < len {
            if self.end == self.buffer.len() {
                let size = self.buffer.len().saturating_mul(2).max(FIRST_READ).min(len);
                self.buffer.resize(size, 0);
            }
            let room = self.buffer.get_mut(self.end..).unwrap_or_default();
            match self.stream.read(room) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(false);
                }
                Ok(count) => self.end += count.min(room.len()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    self.ended = true;
                    self.torn = true;
                    return Ok(false);
                }
                Err(error) => {
                    self.ended = true;
                    return Err(error);
                }
            }
        }
        Ok(true)
    }
}

impl fmt::Debug for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Window")
            .field("offset", &self.offset())
            .field("in_view", &(self.end - self.start))
            .field("buffer", &self.buffer.len())
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn over(octets: Vec<u8>, capacity: usize) -> Window {
        Window::new(Box::new(io::Cursor::new(octets)), 0, capacity)
    }

    #[test]
    fn slides_over_a_stream_larger_than_its_buffer() {
        let octets: Vec<u8> = (0..100_000u32).map(|i| (i % 251) as u8).collect();
        let mut window = over(octets.clone(), FIRST_READ);
        let mut read = Vec::new();
        while window.need(1000).unwrap() {
            let place = window.consume(1000);
            read.extend_from_slice(window.slice(place, 1000));
        }
        assert_eq!(read, octets);
        assert_eq!(window.offset(), 100_000);
        assert_eq!(window.buffer.len(), FIRST_READ);
    }

    #[test]
    fn grows_for_a_large_record_and_shrinks_again() {
        let mut window = over(vec![7; 200_000], FIRST_READ);
        assert!(window.need(100_000).unwrap());
        window.consume(100_000);
        assert!(window.buffer.len() >= 100_000);
        while window.need(1).unwrap() {
            window.consume(1000);
        }
        assert_eq!(window.buffer.len(), FIRST_READ);
        assert_eq!(window.offset(), 200_000);
    }

    #[test]
    fn a_false_claim_does_not_cost_memory() {
        let mut window = over(vec![7; 20], 1 << 20);
        assert!(!window.need(64 << 20).unwrap());
        assert!(window.buffer.len() <= 1 << 20);
        assert_eq!(window.view().len(), 20);
    }

    #[test]
    fn skips_without_holding_and_goes_back_to_a_stream() {
        let mut octets = vec![0; 50_000];
        octets.extend_from_slice(b"the rest");
        let mut window = over(octets, FIRST_READ);
        assert!(window.need(10).unwrap());
        assert!(window.skip(50_000).unwrap());
        assert_eq!(window.offset(), 50_000);
        let mut rest = String::new();
        window.into_stream().read_to_string(&mut rest).unwrap();
        assert_eq!(rest, "the rest");
        assert!(!over(vec![1, 2, 3], FIRST_READ).skip(4).unwrap());
    }
}
