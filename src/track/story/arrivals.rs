//! What is each message's own, of all attempts that are told, in a few octets: the difference from the message before it.
//!
//! Not here: what messages of an attempt have in common. Contract: what was written is read, in the order in which it was
//! written; nobody reads further than was written.

use crate::base::{FrameRef, Timestamp};
use crate::track::attempt::Own;
use crate::track::facts::Side;
use crate::track::packed::{unzigzag, zigzag};
use crate::track::pairs::NONE;
use crate::track::shelf::Shelf;

/// What is a message's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    pub(super) at: i64,
    /// Packed.
    pub(super) frame: u64,
    /// Place among all messages that were told.
    pub(super) number: u32,
    pub(super) message_id: u32,
    pub(super) digest: u32,
    pub(super) ip_id: Option<u32>,
    /// Source and destination.
    pub(super) ports: [u16; 2],
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

    pub(super) fn own(&self) -> Own {
        Own { frame: self.frame(), at: self.at(), digest: self.digest, ip_id: self.ip_id }
    }
}

/// The messages of one attempt: where they stand, and what the last of them said, which the next one is told by its
/// difference from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    at: i64,
    frame: u64,
    number: u32,
    message_id: u32,
    /// Where each side last sent from.
    ports: [u16; 2],
    /// Its last chunk, which leads to the first.
    last: u32,
}

const _: () = assert!(size_of::<Line>() <= 32);

impl Line {
    /// With no message.
    pub(super) const EMPTY: Self = Self { at: 0, frame: 0, number: 0, message_id: 0, ports: [ISAKMP; 2], last: NONE };

    /// What is known behind these messages, which stand nowhere.
    pub(super) fn behind(arrivals: &[Arrival]) -> Self {
        let all = arrivals.iter().enumerate();
        all.fold(Self::EMPTY, |line, (number, arrival)| line.after(arrival, number == 0))
    }

    /// The message id of the last message.
    pub(super) fn message_id(&self) -> u32 {
        self.message_id
    }

    /// Where each side last sent from; before it sent anything, where the first message was sent to.
    pub(super) fn ports(&self) -> [u16; 2] {
        self.ports
    }

    /// The same with one more message, `is_first` or not, but for where it stands.
    #[inline(always)]
    fn after(&self, arrival: &Arrival, is_first: bool) -> Self {
        let Arrival { at, frame, number, message_id, ports: [source, destination], from, .. } = *arrival;
        let mut ports = self.ports;
        ports[from.index()] = source;
        if is_first {
            ports[from.other().index()] = destination;
        }
        Self { at, frame, number, message_id, ports, last: self.last }
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
const MOST_CHUNKS: usize = 1 << NEXT_BITS;
const NEXT_BITS: u32 = 26;
const _: () = assert!(ROOM < 1 << (32 - NEXT_BITS));

/// Octets of an attempt. What is not written is zero.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
struct Chunk([u8; CHUNK]);

impl Chunk {
    const EMPTY: Self = Self([0; CHUNK]);

    fn tail(&self) -> u32 {
        self.0.last_chunk().copied().map_or(0, u32::from_le_bytes)
    }

    /// The next chunk of the attempt, behind the last one the first; if nobody has this one, the next that nobody has.
    fn next(&self) -> u32 {
        self.tail() & ((1 << NEXT_BITS) - 1)
    }

    /// Octets that are written.
    fn used(&self) -> usize {
        (self.tail() >> NEXT_BITS) as usize
    }

    fn set_tail(&mut self, next: u32, used: usize) {
        self.0[ROOM..].copy_from_slice(&(next | (used as u32) << NEXT_BITS).to_le_bytes());
    }

    fn lead_to(&mut self, next: u32) {
        self.set_tail(next, self.used());
    }

    /// Writes a message behind the others.
    #[inline(always)]
    fn write(&mut self, message: &Written) {
        let (from, count) = (self.used(), message.count);
        match (&message.long, self.0.get_mut(from..ROOM).and_then(|free| free.first_chunk_mut::<USUAL>())) {
            (Some(long), _) => self.0[from..from + count].copy_from_slice(&long[..count]),
            // one move; behind what is written stands nothing yet
            (None, Some(place)) => *place = message.usual.to_le_bytes(),
            (None, None) => self.0[from..from + count].copy_from_slice(&message.usual.to_le_bytes()[..count]),
        }
        self.set_tail(self.next(), from + count);
    }

    /// Eight octets from `at` on. What lies beyond the end reads as nothing.
    #[inline(always)]
    fn load(&self, at: usize) -> u64 {
        let from = at.min(CHUNK - 8);
        let eight = self.0.get(from..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        u64::from_le_bytes(eight).wrapping_shr(8 * (at - from) as u32)
    }
}

/// The messages of all attempts.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    /// What the first message of each attempt is told by its difference from: the first one of all.
    begin: Option<Line>,
    chunks: Shelf<Chunk>,
    /// The first of those that are free; each names the next one. How many they are.
    free: u32,
    free_count: usize,
}

/// What stands before a message: how wide its numbers are, by their places in the lists of widths;
const AT: Widths = Widths::of([2, 3, 5, 8]);
const FRAME: Widths = Widths::of([1, 2, 3, 8]);
const NUMBER: Widths = Widths::of([1, 2, 3, 4]);
const AT_SHIFT: u32 = 0;
const FRAME_SHIFT: u32 = 2;
const NUMBER_SHIFT: u32 = 4;
/// that its time is in whole microseconds;
const MICROS: u16 = 1 << 6;
/// that its ports are those that each side last sent from;
const EXPECTED_PORTS: u16 = 1 << 7;
/// that the responder sent it;
const FROM_RESPONDER: u16 = 1 << 8;
/// that its message id is another one;
const OTHER_ID: u16 = 1 << 9;
/// that it has an IP identification, and a long one;
const IP_ID: u16 = 1 << 10;
const LONG_IP_ID: u16 = 1 << 11;
/// that its place among all messages is as far behind as its frame;
const IN_STEP: u16 = 1 << 12;
/// and that there is one.
const MESSAGE: u16 = 1 << 15;

/// Octets of that, and of the digest behind it.
const FIXED: usize = 2 + 4;
/// Octets that a message takes at most,
const LONGEST: usize = FIXED + 8 + 8 + 4 + 4 + 4 + 4;
/// and those that most take no more than.
const USUAL: usize = 16;
const _: () = assert!(LONGEST <= ROOM);

/// Octets that a number may take.
#[derive(Clone, Copy)]
struct Widths(u32);

impl Widths {
    const fn of([a, b, c, d]: [u8; 4]) -> Self {
        Self(u32::from_le_bytes([a, b, c, d]))
    }

    #[inline(always)]
    fn get(self, which: u32) -> usize {
        (self.0 >> (8 * (which & 3)) & 0xff) as usize
    }

    /// Which is the least that holds a number.
    #[inline(always)]
    fn holding(self, number: u64) -> u32 {
        (0..3).map(|which| u32::from(number > low(self.get(which)))).sum()
    }
}

impl Arrivals {
    /// Whether there may be no room for all messages of one more attempt.
    #[inline]
    pub(super) fn is_full(&self) -> bool {
        self.free_count + MOST_CHUNKS.saturating_sub(self.chunks.len()) < super::LONGEST
    }

    /// Adds a message to those of an attempt; there has to be room. Answers how many octets of memory that took.
    pub(super) fn add(&mut self, line: &mut Line, arrival: &Arrival) -> usize {
        let is_first = line.last == NONE;
        if is_first {
            let Arrival { at, frame, number, .. } = *arrival;
            *line = *self.begin.get_or_insert(Line { at, frame, number, ..Line::EMPTY });
        }
        let message = Written::of(line, arrival);
        *line = line.after(arrival, is_first);
        if let Some(chunk) = self.chunks.get_mut(line.last)
            && chunk.used() + message.count <= ROOM
        {
            chunk.write(&message);
            return 0;
        }
        self.lengthen(line);
        if let Some(chunk) = self.chunks.get_mut(line.last) {
            chunk.write(&message);
        }
        size_of::<Chunk>()
    }

    /// One more chunk.
    fn lengthen(&mut self, line: &mut Line) {
        let place = if let Some(chunk) = self.chunks.get_mut(self.free).filter(|_| self.free_count > 0) {
            self.free_count -= 1;
            std::mem::replace(&mut self.free, chunk.next())
        } else {
            self.chunks.push(Chunk::EMPTY)
        };
        let first = self.chunks.get_mut(line.last).map_or(place, |last| {
            let first = last.next();
            last.lead_to(place);
            first
        });
        let chunk = &mut self.chunks[place];
        *chunk = Chunk::EMPTY;
        chunk.lead_to(first);
        line.last = place;
    }

    /// The messages of an attempt: this many were added.
    pub(super) fn all(&self, line: &Line, count: usize) -> Vec<Arrival> {
        let mut all = Vec::with_capacity(count);
        self.read(line, count, |arrival| all.push(arrival));
        all
    }

    /// Message `number` of an attempt, from 0. `None` if there is none.
    pub(super) fn nth(&self, line: &Line, number: usize) -> Option<Arrival> {
        let mut last = None;
        self.read(line, number + 1, |arrival| last = Some(arrival));
        last
    }

    /// Hands over the first messages of an attempt, this many.
    #[inline(always)]
    fn read(&self, line: &Line, count: usize, mut each: impl FnMut(Arrival)) {
        let next = |chunk: &Chunk| self.chunks.get(chunk.next());
        let Some(mut chunk) = self.chunks.get(line.last).and_then(next) else { return };
        let mut at = 0;
        let Some(mut before) = self.begin else { return };
        for number in 0..count {
            if at + 2 > ROOM || chunk.load(at) & 0xffff == 0 {
                let Some(behind) = next(chunk) else { return };
                (chunk, at) = (behind, 0);
            }
            let arrival = read(chunk, &mut at, &before);
            before = before.after(&arrival, number == 0);
            each(arrival);
        }
    }

    /// Octets of memory that the messages of an attempt take.
    pub(super) fn octets_of(&self, line: &Line) -> usize {
        self.chunks_of(line) * size_of::<Chunk>()
    }

    fn chunks_of(&self, line: &Line) -> usize {
        let mut count = 0;
        let mut place = line.last;
        while let Some(chunk) = self.chunks.get(place) {
            count += 1;
            place = chunk.next();
            if place == line.last {
                break;
            }
        }
        count
    }

    /// Forgets the messages of an attempt.
    pub(super) fn release(&mut self, line: &Line) {
        let count = self.chunks_of(line);
        if let Some(last) = self.chunks.get_mut(line.last) {
            let first = last.next();
            last.lead_to(self.free);
            self.free = first;
            self.free_count += count;
        }
    }
}

/// A message as it is written.
struct Written {
    /// If it takes no more than [`USUAL`] octets: a number stays in registers, while octets that have just been put together in
    /// memory would be slow to move.
    usual: u128,
    /// Otherwise.
    long: Option<[u8; LONGEST]>,
    count: usize,
}

impl Written {
    #[inline(always)]
    fn of(before: &Line, arrival: &Arrival) -> Self {
        let Octets { all: usual, count } = Octets::of(before, arrival);
        let long = (count > USUAL).then(|| Octets::of(before, arrival).all);
        Self { usual, long, count }
    }
}

/// Octets of a message, one behind the other.
struct Octets<S> {
    all: S,
    count: usize,
}

/// What octets are put on.
trait Sheet {
    const EMPTY: Self;

    /// Puts a number at octet `at`, where nothing was put yet. What does not fit is left out.
    fn put(&mut self, at: usize, number: u64);
}

impl Sheet for u128 {
    const EMPTY: Self = 0;

    #[inline(always)]
    fn put(&mut self, at: usize, number: u64) {
        *self |= Self::from(number).unbounded_shl(8 * at as u32);
    }
}

impl Sheet for [u8; LONGEST] {
    const EMPTY: Self = [0; LONGEST];

    fn put(&mut self, at: usize, number: u64) {
        for (place, octet) in self.iter_mut().skip(at).zip(number.to_le_bytes()) {
            *place |= octet;
        }
    }
}

impl<S: Sheet> Octets<S> {
    #[inline(always)]
    fn of(before: &Line, arrival: &Arrival) -> Self {
        let mut octets = Self { all: S::EMPTY, count: FIXED };
        let mut says = MESSAGE;
        let mut later = arrival.at.wrapping_sub(before.at);
        if later % 1000 == 0 {
            later /= 1000;
            says |= MICROS;
        }
        says |= octets.number(zigzag(later), AT) << AT_SHIFT;
        let frames = arrival.frame.wrapping_sub(before.frame);
        says |= octets.number(zigzag(frames as i64), FRAME) << FRAME_SHIFT;
        if arrival.number == before.number.wrapping_add(frames as u32) {
            says |= IN_STEP;
        } else {
            says |= octets.number(arrival.number.wrapping_sub(before.number).into(), NUMBER) << NUMBER_SHIFT;
        }
        if arrival.from == Side::Responder {
            says |= FROM_RESPONDER;
        }
        let ([source, destination], expected) = (arrival.ports, before.expected(arrival.from));
        if source == expected[0] && destination == expected[1] {
            says |= EXPECTED_PORTS;
        } else {
            octets.put(u64::from(source) | u64::from(destination) << 16, 4);
        }
        if arrival.message_id != before.message_id {
            says |= OTHER_ID;
            octets.put(arrival.message_id.into(), 4);
        }
        if let Some(id) = arrival.ip_id {
            says |= IP_ID;
            if id > u32::from(u16::MAX) {
                says |= LONG_IP_ID;
                octets.put(id.into(), 4);
            } else {
                octets.put(id.into(), 2);
            }
        }
        octets.all.put(0, u64::from(says) | u64::from(arrival.digest) << 16);
        octets
    }

    /// Puts a number behind, which so many octets hold.
    #[inline(always)]
    fn put(&mut self, number: u64, width: usize) {
        self.all.put(self.count, number);
        self.count += width;
    }

    /// Puts a number behind in the least of these widths that holds it; answers which.
    #[inline(always)]
    fn number(&mut self, number: u64, widths: Widths) -> u16 {
        let which = widths.holding(number);
        self.put(number, widths.get(which));
        which as u16
    }
}

/// The message at `at`, and what stands behind it.
#[inline(always)]
fn read(chunk: &Chunk, at: &mut usize, before: &Line) -> Arrival {
    let fixed = chunk.load(*at);
    let (says, digest) = (fixed as u16, (fixed >> 16) as u32);
    *at += FIXED;
    let mut take = |width: usize| {
        let number = chunk.load(*at) & low(width);
        *at += width;
        number
    };
    let later = unzigzag(take(AT.get((says >> AT_SHIFT).into())));
    let later = if says & MICROS != 0 { later.wrapping_mul(1000) } else { later };
    let frames = unzigzag(take(FRAME.get((says >> FRAME_SHIFT).into()))) as u64;
    let frame = before.frame.wrapping_add(frames);
    let places =
        if says & IN_STEP != 0 { frames as u32 } else { take(NUMBER.get((says >> NUMBER_SHIFT).into())) as u32 };
    let from = if says & FROM_RESPONDER != 0 { Side::Responder } else { Side::Initiator };
    let ports = if says & EXPECTED_PORTS != 0 {
        before.expected(from)
    } else {
        let both = take(4);
        [both as u16, (both >> 16) as u16]
    };
    let message_id = if says & OTHER_ID != 0 { take(4) as u32 } else { before.message_id };
    let ip_id = match says & (IP_ID | LONG_IP_ID) {
        0 => None,
        IP_ID => Some(take(2) as u32),
        _ => Some(take(4) as u32),
    };
    Arrival {
        at: before.at.wrapping_add(later),
        frame,
        number: before.number.wrapping_add(places),
        message_id,
        digest,
        ip_id,
        ports,
        from,
    }
}

/// All that so many octets, at most eight, can hold.
#[inline(always)]
fn low(width: usize) -> u64 {
    u64::MAX >> (64 - 8 * width)
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
            digest: digest as u32,
            ip_id: Some(number),
            ports: if number.is_multiple_of(2) { [500, 4500] } else { [4500, 500] },
            from: if number.is_multiple_of(2) { Side::Initiator } else { Side::Responder },
        };
        let mut each = |number: usize| {
            at += 20_000_000 + i64::from(number.is_multiple_of(3));
            let plain = plain(number as u32, at, random());
            match number % 7 {
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
            assert_eq!(arrivals.all(line, attempt.len()), *attempt);
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
            assert_eq!(arrivals.all(&line, 30), messages);
            assert_eq!(arrivals.all(&other, 11), others);
            arrivals.release(&line);
            arrivals.release(&other);
            arrivals.release(&Line::EMPTY);
        }
        assert!(arrivals.chunks.len() < 60, "{} chunks", arrivals.chunks.len());
    }

    #[test]
    fn a_usual_message_takes_less_than_sixteen_octets() {
        let messages = some(3, 1);
        let octets = Written::of(&Line::behind(&messages[..2]), &messages[2]);
        assert!(octets.count < 16, "{} octets", octets.count);
    }
}
