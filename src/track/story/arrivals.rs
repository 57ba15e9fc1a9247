//! What is each message's own, of all attempts that are told, in a few octets: the difference from the message before it.
//!
//! Not here: what messages of an attempt have in common. Contract: what was written is read, in the order in which it was
//! written; nobody reads further than was written.

use std::ops::ControlFlow;

use crate::base::{FrameRef, Timestamp};
use crate::track::DIGEST_BITS;
use crate::track::attempt::PacketCopy;
use crate::track::facts::Side;
use crate::track::store::packed::{unzigzag, zigzag};
use crate::track::store::shelf::Shelf;

/// What is a message's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: i64,
    /// Packed.
    pub(super) frame: u64,
    /// Place among all messages.
    pub(super) number: u32,
    pub(super) message_id: u32,
    pub(super) digest: u32,
    pub(super) ip_id: Option<u32>,
    /// Source and destination.
    pub(super) ports: [u16; 2],
    /// Octets of it, where its shape does not tell; else 0.
    pub(super) length: u16,
    /// Which of the [asides](super::aside) it is, from 1 on; 0 for a message of the story.
    pub(super) aside: u16,
    /// Who sent it.
    pub(super) from: Side,
}

impl Arrival {
    pub(super) fn frame(&self) -> FrameRef {
        FrameRef::unpacked(self.frame)
    }

    pub(super) fn at(&self) -> Timestamp {
        Timestamp::from_nanos(self.at)
    }

    pub(super) fn copy(&self) -> PacketCopy {
        PacketCopy { frame: self.frame(), at: self.at(), digest: self.digest, ip_id: self.ip_id }
    }
}

/// The messages of one attempt: what is known behind them, and where they stand.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub(super) struct Line {
    past: Past,
    /// The chunk that is not full; it leads to the last one before it, and that to the first.
    open: Chunk,
}

/// What is known behind a message, and what the next one is told by its difference from.
#[derive(Debug, Clone, Copy)]
struct Past {
    at: i64,
    frame: u64,
    number: u32,
    message_id: u32,
    /// Where each side last sent from.
    ports: [u16; 2],
    /// Messages so far.
    count: u32,
}

const _: () = assert!(size_of::<Line>() <= 96);

impl Line {
    /// With no message.
    pub(super) const EMPTY: Self = Self { past: Past::NOTHING, open: Chunk::leading_to(NOWHERE) };

    /// What is known behind these messages, which stand nowhere.
    pub(super) fn behind(arrivals: &[Arrival]) -> Self {
        let mut past = Past::NOTHING;
        for (number, arrival) in arrivals.iter().enumerate() {
            past.go_on(arrival, number == 0);
        }
        Self { past, ..Self::EMPTY }
    }

    /// The message id of the last message.
    pub(super) fn message_id(&self) -> u32 {
        self.past.message_id
    }

    /// Messages there are.
    pub(super) fn count(&self) -> usize {
        self.past.count as usize
    }

    /// Where each side last sent from; before it sent anything, where the first message was sent to.
    pub(super) fn ports(&self) -> [u16; 2] {
        self.past.ports
    }

    #[inline(always)]
    fn is_empty(&self) -> bool {
        self.open.next() == NOWHERE && self.open.used() == 0
    }
}

impl Past {
    const NOTHING: Self = Self { at: 0, frame: 0, number: 0, message_id: 0, ports: [ISAKMP; 2], count: 0 };

    /// One more message, `is_first` or not.
    #[inline(always)]
    fn go_on(&mut self, arrival: &Arrival, is_first: bool) {
        let Arrival { at, frame, number, message_id, ports: [source, destination], from, .. } = *arrival;
        (self.at, self.frame, self.number, self.message_id) = (at, frame, number, message_id);
        self.count += 1;
        self.ports[from.index()] = source;
        if is_first {
            self.ports[from.other().index()] = destination;
        }
    }

    /// Source and destination of a message of this side, if nobody moved.
    #[inline(always)]
    fn expected(&self, from: Side) -> [u16; 2] {
        [self.ports[from.index()], self.ports[from.other().index()]]
    }
}

/// The port that most first messages come from and go to.
const ISAKMP: u16 = 500;

/// Octets of a chunk: half a negotiation, and what leads to the next chunk.
const CHUNK: usize = 64;
/// Those that hold messages, none of which runs on into the next chunk.
const ROOM: usize = CHUNK - 4;
/// Chunks that there can be: what is left of what leads to the next one says how many octets are written.
const MOST_CHUNKS: usize = NOWHERE as usize;
const NEXT_BITS: u32 = 26;
/// No chunk.
const NOWHERE: u32 = (1 << NEXT_BITS) - 1;
const _: () = assert!(ROOM < 1 << (32 - NEXT_BITS));

/// Octets of an attempt. What is not written is zero.
#[derive(Debug, Clone, Copy)]
struct Chunk([u8; CHUNK]);

/// A chunk in one line of the cache.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Full(Chunk);

impl Chunk {
    /// Nothing but what leads to the next one.
    const fn leading_to(next: u32) -> Self {
        let mut octets = [0; CHUNK];
        [octets[ROOM], octets[ROOM + 1], octets[ROOM + 2], octets[ROOM + 3]] = next.to_le_bytes();
        Self(octets)
    }

    #[inline(always)]
    fn tail(&self) -> u32 {
        self.0.last_chunk().copied().map_or(0, u32::from_le_bytes)
    }

    /// The next chunk of the attempt, behind the last one that is full the first; if nobody has this one, the next that nobody
    /// has.
    #[inline(always)]
    fn next(&self) -> u32 {
        self.tail() & NOWHERE
    }

    /// Octets that are written.
    #[inline(always)]
    fn used(&self) -> usize {
        (self.tail() >> NEXT_BITS) as usize
    }

    #[inline(always)]
    fn set_tail(&mut self, next: u32, used: usize) {
        self.0[ROOM..].copy_from_slice(&(next | (used as u32) << NEXT_BITS).to_le_bytes());
    }

    fn lead_to(&mut self, next: u32) {
        self.set_tail(next, self.used());
    }

    /// Writes a message behind the others, if there is room.
    #[inline(always)]
    fn write(&mut self, message: &Written) -> bool {
        let (next, from) = (self.next(), self.used());
        let end = from + message.octets();
        if end > ROOM {
            return false;
        }
        if let Some([low, high]) = self.0.get_mut(from..).and_then(|rest| rest.as_chunks_mut().0.first_chunk_mut()) {
            // two moves; what of the tail is in their way is written again
            (*low, *high) = (message.low.to_le_bytes(), message.high.to_le_bytes());
        }
        if message.has_more() {
            let mut at = from + FIXED;
            message.each_word(|word| {
                self.0[at..at + 4].copy_from_slice(&word.to_le_bytes());
                at += 4;
            });
        }
        self.set_tail(next, end);
        true
    }

    /// Octets from `at` on; zeros if there are fewer.
    #[inline(always)]
    fn load<const N: usize>(&self, at: usize) -> [u8; N] {
        self.0.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
    }
}

/// The messages of all attempts, but for the open chunk of each.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    /// What the first message of each attempt is told by its difference from: the first one of all.
    begin: Option<Past>,
    chunks: Shelf<Full>,
    /// The first of those that are free; each names the next one. How many they are.
    free: u32,
    free_count: usize,
}

impl Arrivals {
    /// Whether there may be no room for all messages of one more attempt.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.free_count + MOST_CHUNKS.saturating_sub(self.chunks.len()) < super::LONGEST
    }

    /// Adds a message to those of an attempt; there has to be room. Answers how many octets of memory that took.
    #[inline]
    pub(super) fn add(&mut self, line: &mut Line, arrival: &Arrival) -> usize {
        let is_first = line.is_empty();
        if is_first {
            let Arrival { at, frame, number, .. } = *arrival;
            line.past = *self.begin.get_or_insert(Past { at, frame, number, ..Past::NOTHING });
        }
        let message = Written::of(&line.past, arrival);
        line.past.go_on(arrival, is_first);
        if line.open.write(&message) {
            return if is_first { CHUNK } else { 0 };
        }
        self.put_away(line);
        line.open.write(&message);
        CHUNK
    }

    /// The open chunk of an attempt is full.
    fn put_away(&mut self, line: &mut Line) {
        let place = match self.chunks.get(self.free) {
            Some(Full(free)) if self.free_count > 0 => {
                self.free_count -= 1;
                std::mem::replace(&mut self.free, free.next())
            }
            _ => self.chunks.push(Full(line.open)),
        };
        let first = self.chunks.get_mut(line.open.next()).map_or(place, |Full(last)| {
            let first = last.next();
            last.lead_to(place);
            first
        });
        let Full(chunk) = &mut self.chunks[place];
        *chunk = std::mem::replace(&mut line.open, Chunk::leading_to(place));
        chunk.lead_to(first);
    }

    /// The messages of an attempt.
    pub(super) fn all(&self, line: &Line) -> Vec<Arrival> {
        let mut all = Vec::with_capacity(line.count());
        self.each(line, |arrival| all.push(arrival));
        all
    }

    /// Hands over the messages of an attempt.
    pub(super) fn each(&self, line: &Line, mut each: impl FnMut(Arrival)) {
        self.read(line, |arrival| {
            each(arrival);
            ControlFlow::Continue(())
        });
    }

    /// Message `number` of an attempt's story, from 0. `None` if there is none.
    pub(super) fn nth(&self, line: &Line, number: usize) -> Option<Arrival> {
        let mut nth = None;
        self.of_story(line, |place, arrival| {
            if place < number {
                return ControlFlow::Continue(());
            }
            nth = Some(arrival);
            ControlFlow::Break(())
        });
        nth
    }

    /// Hands over the messages of an attempt's story, as long as they are wanted, each with its number.
    pub(super) fn of_story(&self, line: &Line, mut each: impl FnMut(usize, Arrival) -> ControlFlow<()>) {
        let mut before = 0;
        self.read(line, |arrival| {
            if arrival.aside > 0 {
                return ControlFlow::Continue(());
            }
            before += 1;
            each(before - 1, arrival)
        });
    }

    /// Hands over the messages of an attempt, as long as they are wanted.
    #[inline(always)]
    fn read(&self, line: &Line, mut each: impl FnMut(Arrival) -> ControlFlow<()>) {
        let Some(mut past) = self.begin else { return };
        let mut is_first = true;
        for chunk in self.chunks_of(line) {
            let mut at = 0;
            while let Some(arrival) = read(chunk, &mut at, &past) {
                past.go_on(&arrival, std::mem::take(&mut is_first));
                if each(arrival).is_break() {
                    return;
                }
            }
        }
    }

    /// Octets of memory that the messages of an attempt take.
    pub(super) fn octets_of(&self, line: &Line) -> usize {
        if line.is_empty() { 0 } else { self.chunks_of(line).count() * CHUNK }
    }

    /// The chunks of an attempt, in order.
    #[inline(always)]
    fn chunks_of<'s>(&'s self, line: &'s Line) -> impl Iterator<Item = &'s Chunk> {
        let last = line.open.next();
        let mut place = self.chunks.get(last).map(|Full(last)| last.next());
        let full = std::iter::from_fn(move || {
            let this = place?;
            let Full(chunk) = self.chunks.get(this)?;
            place = (this != last).then(|| chunk.next());
            Some(chunk)
        });
        full.chain([&line.open])
    }

    /// Forgets the messages of an attempt.
    pub(super) fn release(&mut self, line: &Line) {
        let count = self.chunks_of(line).count() - 1;
        if let Some(Full(last)) = self.chunks.get_mut(line.open.next()) {
            let first = last.next();
            last.lead_to(self.free);
            self.free = first;
            self.free_count += count;
        }
    }
}

/// What the first octet of a message says: that it is one;
const MESSAGE: u8 = 1;
/// that the responder sent it;
const FROM_RESPONDER: u8 = 1 << 1;
/// that its time is in whole microseconds;
const MICROS: u8 = 1 << 2;
/// that it has an IP identification;
const IP_ID: u8 = 1 << 3;
/// that time or frame go on in a word more, or these and the IP identification in three more behind that;
const LONG: u8 = 1 << 4;
/// that its place among all messages is not as far behind as its frame, and what it is;
const OUT_OF_STEP: u8 = 1 << 5;
/// that its ports are not those that each side last sent from, and which they are;
const OTHER_PORTS: u8 = 1 << 6;
/// that its message id is another one, and which.
const OTHER_ID: u8 = 1 << 7;

/// All of these that words follow for.
const MORE: u8 = LONG | OUT_OF_STEP | OTHER_PORTS | OTHER_ID;

/// Octets that every message takes: what it says, digest, IP identification, time, frame and length.
const FIXED: usize = 14;
/// Words of four octets that may follow.
const MOST_WORDS: usize = 1 + 3 + 1 + 1 + 1 + 1;
const _: () = assert!(FIXED + 4 * MOST_WORDS <= ROOM && FIXED <= 16);

/// Where numbers stand, in bits.
const DIGEST: u32 = 8;
const IP_IDENTIFICATION: u32 = DIGEST + DIGEST_BITS;
const TIME: u32 = IP_IDENTIFICATION + u16::BITS;
const FRAME: u32 = TIME + TIME_BITS;
const LENGTH: u32 = FRAME + FRAME_BITS;
const TIME_BITS: u32 = 27;
const FRAME_BITS: u32 = 21;
const LENGTH_BITS: u32 = 12;
const _: () = assert!(LENGTH + LENGTH_BITS == u8::BITS * FIXED as u32);
/// What fits there.
const MOST_DIGEST: u32 = (1 << DIGEST_BITS) - 1;
const MOST_TIME: u64 = (1 << TIME_BITS) - 1;
const MOST_FRAMES: u64 = (1 << FRAME_BITS) - 1;
const MOST_IP_ID: u32 = u16::MAX as u32;
/// What a word more of them leaves stands in a third one: from the lowest bit on the frame's, then the IP identification's and the
/// time's.
const TIME_LEFT: u32 = TIME_BITS + u32::BITS;
const FRAME_LEFT: u32 = FRAME_BITS + u32::BITS;
const IP_ID_THERE: u32 = u64::BITS - FRAME_LEFT;
const TIME_THERE: u32 = IP_ID_THERE + u16::BITS;
const _: () = assert!(TIME_THERE + u64::BITS - TIME_LEFT <= u32::BITS);
/// In place of the word that time and frame go on in: that would not be enough.
const FAR: u32 = u32::MAX;
/// In place of a length that does not fit, or of that of an aside: a word follows that tells both.
const OTHER_LENGTH: u16 = (1 << LENGTH_BITS) - 1;

/// A message as it is written, in numbers that stay in registers: octets that have just been put together in memory would be
/// slow to move.
struct Written {
    says: u8,
    /// The octets that every message takes, and nothing behind them.
    low: u64,
    high: u64,
    /// Time or frame are so far behind that a word is not enough.
    far: bool,
    /// What words are made of.
    later: u64,
    frames: u64,
    ip_id: u32,
    number: u32,
    ports: [u16; 2],
    message_id: u32,
    length: u16,
    aside: u16,
    /// Its length is all that there is to tell of it, and fits.
    fits: bool,
}

impl Written {
    #[inline(always)]
    fn of(before: &Past, arrival: &Arrival) -> Self {
        let &Arrival { at, frame, number, message_id, digest, ip_id, ports, length, aside, from } = arrival;
        let mut later = at.wrapping_sub(before.at);
        let in_micros = later % 1000 == 0;
        if in_micros {
            later /= 1000;
        }
        let frames = frame.wrapping_sub(before.frame);
        let out_of_step = number.wrapping_sub(before.number) != frames as u32;
        let (later, frames) = (zigzag(later), zigzag(frames as i64));
        let (has_ip_id, ip_id) = (ip_id.is_some(), ip_id.unwrap_or_default());
        let long = (later > MOST_TIME) | (frames > MOST_FRAMES) | (ip_id > MOST_IP_ID);
        let half = u64::from(u16::MAX);
        let far = (later >> TIME_BITS >= half) | (frames >> FRAME_BITS >= half) | (ip_id > MOST_IP_ID);
        let fits = aside == 0 && length < OTHER_LENGTH;
        let length_there = if fits { length } else { OTHER_LENGTH };
        let says = MESSAGE
            | if_so(from == Side::Responder, FROM_RESPONDER)
            | if_so(in_micros, MICROS)
            | if_so(has_ip_id, IP_ID)
            | if_so(long, LONG)
            | if_so(out_of_step, OUT_OF_STEP)
            | if_so(ports != before.expected(from), OTHER_PORTS)
            | if_so(message_id != before.message_id, OTHER_ID);
        let fixed = u128::from(says)
            | u128::from(digest) << DIGEST
            | u128::from(ip_id & MOST_IP_ID) << IP_IDENTIFICATION
            | u128::from(later & MOST_TIME) << TIME
            | u128::from(frames & MOST_FRAMES) << FRAME
            | u128::from(length_there) << LENGTH;
        let (low, high) = (fixed as u64, (fixed >> 64) as u64);
        Self { says, low, high, far, later, frames, ip_id, number, ports, message_id, length, aside, fits }
    }

    /// Hands over the words that follow.
    #[inline(always)]
    fn each_word(&self, mut each: impl FnMut(u32)) {
        if self.says & LONG != 0 && !self.far {
            each((self.later >> TIME_BITS) as u32 | ((self.frames >> FRAME_BITS) as u32) << 16);
        }
        if self.far {
            each(FAR);
            each((self.later >> TIME_BITS) as u32);
            each((self.frames >> FRAME_BITS) as u32);
            let (frame, time) = ((self.frames >> FRAME_LEFT) as u32, (self.later >> TIME_LEFT) as u32);
            each(frame | (self.ip_id >> u16::BITS) << IP_ID_THERE | time << TIME_THERE);
        }
        if self.says & OUT_OF_STEP != 0 {
            each(self.number);
        }
        if self.says & OTHER_PORTS != 0 {
            let [source, destination] = self.ports;
            each(u32::from(source) | u32::from(destination) << 16);
        }
        if self.says & OTHER_ID != 0 {
            each(self.message_id);
        }
        if !self.fits {
            each(u32::from(self.length) | u32::from(self.aside) << 16);
        }
    }

    /// Whether words follow.
    #[inline(always)]
    fn has_more(&self) -> bool {
        self.says & MORE != 0 || !self.fits
    }

    #[inline(always)]
    fn octets(&self) -> usize {
        let words = |mark: u8, words: usize| if self.says & mark != 0 { words } else { 0 };
        let all = words(LONG, 1) + words(OUT_OF_STEP, 1) + words(OTHER_PORTS, 1) + words(OTHER_ID, 1);
        FIXED + 4 * (all + if self.far { 3 } else { 0 } + usize::from(!self.fits))
    }
}

/// A mark, if something is so.
#[inline(always)]
fn if_so(is: bool, mark: u8) -> u8 {
    if is { mark } else { 0 }
}

/// The message at `at`, and what stands behind it. `None` if there is none.
#[inline(always)]
fn read(chunk: &Chunk, at: &mut usize, before: &Past) -> Option<Arrival> {
    let fixed = u128::from_le_bytes(chunk.load(*at));
    let says = fixed as u8;
    if says == 0 {
        return None;
    }
    *at += FIXED;
    let mut word = || {
        let word = u32::from_le_bytes(chunk.load(*at));
        *at += 4;
        word
    };
    let mut later = (fixed >> TIME) as u64 & MOST_TIME;
    let mut frames = (fixed >> FRAME) as u64 & MOST_FRAMES;
    let mut ip_id = (fixed >> IP_IDENTIFICATION) as u32 & MOST_IP_ID;
    if says & LONG != 0 {
        match word() {
            FAR => {
                later |= u64::from(word()) << TIME_BITS;
                frames |= u64::from(word()) << FRAME_BITS;
                let rest = word();
                // what does not belong to the frame is shifted out
                frames |= u64::from(rest) << FRAME_LEFT;
                ip_id |= rest >> IP_ID_THERE << u16::BITS;
                later |= u64::from(rest >> TIME_THERE) << TIME_LEFT;
            }
            both => {
                later |= u64::from(both & 0xffff) << TIME_BITS;
                frames |= u64::from(both >> 16) << FRAME_BITS;
            }
        }
    }
    let (later, frames) = (unzigzag(later), unzigzag(frames) as u64);
    let number = if says & OUT_OF_STEP != 0 { word() } else { before.number.wrapping_add(frames as u32) };
    let from = if says & FROM_RESPONDER != 0 { Side::Responder } else { Side::Initiator };
    let ports = if says & OTHER_PORTS != 0 {
        let both = word();
        [both as u16, (both >> 16) as u16]
    } else {
        before.expected(from)
    };
    let message_id = if says & OTHER_ID != 0 { word() } else { before.message_id };
    let (length, aside) = match (fixed >> LENGTH) as u16 & OTHER_LENGTH {
        OTHER_LENGTH => {
            let both = word();
            (both as u16, (both >> 16) as u16)
        }
        length => (length, 0),
    };
    Some(Arrival {
        at: before.at.wrapping_add(if says & MICROS != 0 { later.wrapping_mul(1000) } else { later }),
        frame: before.frame.wrapping_add(frames),
        number,
        message_id,
        digest: (fixed >> DIGEST) as u32 & MOST_DIGEST,
        ip_id: (says & IP_ID != 0).then_some(ip_id),
        ports,
        length,
        aside,
        from,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Messages of one attempt: some plain, some with whatever a packet may say.
    fn some(count: usize, seed: u64) -> Vec<Arrival> {
        let mut state = seed | 1;
        let mut random = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 33 ^ state << 31
        };
        let mut at = 1_764_000_000_000_000_000;
        let plain = |number: u32, at: i64, digest: u64| Arrival {
            at,
            frame: u64::from(number) * if number < 10 { 1 } else { 3 },
            number,
            message_id: number / 4,
            digest: digest as u32 & MOST_DIGEST,
            ip_id: Some(number),
            ports: if number.is_multiple_of(2) { [500, 4500] } else { [4500, 500] },
            length: [0, 28, 76, 4094, 4095, 24, 77, u16::MAX][number as usize % 8],
            aside: if number.is_multiple_of(5) { number as u16 } else { 0 },
            from: if number.is_multiple_of(2) { Side::Initiator } else { Side::Responder },
        };
        let mut each = |number: usize| {
            at += 20_000_000 + i64::from(number.is_multiple_of(3));
            let plain = plain(number as u32, at, random());
            match number % 7 {
                2 => Arrival { at: at + 3_000_000_000_000, frame: plain.frame + (1 << 30), ..plain },
                3 => Arrival { at: random() as i64, frame: random(), number: random() as u32, ..plain },
                4 => Arrival { at: i64::MIN, frame: u64::MAX, message_id: random() as u32, ..plain },
                5 => Arrival { at: i64::MAX, ip_id: Some(random() as u32), ports: [random() as u16; 2], ..plain },
                6 => Arrival { ip_id: None, message_id: u32::MAX, number: u32::MAX, ..plain },
                _ => plain,
            }
        };
        (0..count).map(&mut each).collect()
    }

    #[test]
    fn what_was_written_is_read() {
        let mut arrivals = Arrivals::default();
        let attempts: Vec<_> = (0..40).map(|count| some(count, count as u64)).collect();
        let mut lines = vec![Line::EMPTY; attempts.len()];
        let mut taken = 0;
        // message by message, as attempts go on beside each other
        for number in 0..40 {
            for (attempt, line) in attempts.iter().zip(&mut lines) {
                taken += attempt.get(number).map_or(0, |arrival| arrivals.add(line, arrival));
            }
        }
        for (attempt, line) in attempts.iter().zip(&lines) {
            assert_eq!(arrivals.all(line), *attempt);
            let of_story = attempt.iter().filter(|arrival| arrival.aside == 0).nth(7);
            assert_eq!(arrivals.nth(line, 7).as_ref(), of_story);
        }
        assert_eq!(lines.iter().map(|line| arrivals.octets_of(line)).sum::<usize>(), taken);
    }

    #[test]
    fn what_is_forgotten_makes_room() {
        let mut arrivals = Arrivals::default();
        for seed in 0..50 {
            let (mut line, mut other) = (Line::EMPTY, Line::EMPTY);
            let (messages, others) = (some(30, seed), some(11, seed + 1));
            messages.iter().for_each(|arrival| _ = arrivals.add(&mut line, arrival));
            others.iter().for_each(|arrival| _ = arrivals.add(&mut other, arrival));
            assert_eq!((arrivals.all(&line), line.count()), (messages, 30));
            assert_eq!(arrivals.all(&other), others);
            arrivals.release(&line);
            arrivals.release(&other);
            arrivals.release(&Line::EMPTY);
        }
        assert!(arrivals.chunks.len() < 60, "{} chunks", arrivals.chunks.len());
    }

    #[test]
    fn a_usual_message_takes_less_than_sixteen_octets() {
        let messages = some(2, 1);
        let octets = Written::of(&Line::behind(&messages[..1]).past, &messages[1]).octets();
        assert!(octets < 16, "{octets} octets");
    }
}
