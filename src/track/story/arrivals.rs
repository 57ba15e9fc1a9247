//! What is each message's own, of all attempts that are told, in a few octets: the difference from the message before it.
//!
//! Not here: what messages of an attempt have in common. Contract: what was written is read, in the order in which it was
//! written; nobody reads further than was written.

use crate::base::{FrameRef, Timestamp};
use crate::track::attempt::Own;
use crate::track::packed::{unzigzag, zigzag};
use crate::track::pairs::NONE;

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

/// What the next message of an attempt is told by its difference from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Before {
    at: i64,
    frame: u64,
    number: u32,
    message_id: u32,
    ports: [u16; 2],
}

impl Before {
    const NOTHING: Self = Self { at: 0, frame: 0, number: 0, message_id: 0, ports: [0; 2] };

    fn of(arrival: &Arrival) -> Self {
        let Arrival { at, frame, number, message_id, ports, .. } = *arrival;
        Self { at, frame, number, message_id, ports }
    }
}

/// The messages of one attempt: where they stand, and what the last of them said.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    at: i64,
    frame: u64,
    number: u32,
    message_id: u32,
    ports: [u16; 2],
    /// Its first and last chunk.
    first: u32,
    last: u32,
    /// Octets of the last one that are written.
    used: u8,
}

const _: () = assert!(size_of::<Line>() <= 40);

impl Line {
    /// With no message.
    pub(super) const EMPTY: Self =
        Self { at: 0, frame: 0, number: 0, message_id: 0, ports: [0; 2], first: NONE, last: NONE, used: 0 };

    /// The message id of the last message.
    pub(super) fn message_id(&self) -> u32 {
        self.message_id
    }

    fn before(&self) -> Before {
        let Self { at, frame, number, message_id, ports, .. } = *self;
        Before { at, frame, number, message_id, ports }
    }
}

/// Octets of a chunk: half a negotiation, and the place of the next chunk.
const CHUNK: usize = 64;
/// Those that hold messages, none of which runs on into the next chunk.
const ROOM: usize = CHUNK - 4;

/// Octets of an attempt. What is not written is zero.
#[derive(Debug, Clone, Copy)]
struct Chunk([u8; CHUNK]);

impl Chunk {
    const EMPTY: Self = Self([0; CHUNK]);

    fn next(&self) -> u32 {
        self.load(ROOM, 4) as u32
    }

    fn lead_to(&mut self, next: u32) {
        self.0[ROOM..].copy_from_slice(&next.to_le_bytes());
    }

    /// The number of so many octets at `at`. What lies beyond the end reads as nothing.
    #[inline(always)]
    fn load(&self, at: usize, width: usize) -> u64 {
        let from = at.min(CHUNK - 8);
        let eight = self.0.get(from..).and_then(|rest| rest.first_chunk()).copied().unwrap_or_default();
        u64::from_le_bytes(eight).checked_shr(8 * (at - from) as u32).unwrap_or(0) & low(width)
    }
}

/// The messages of all attempts.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    chunks: Vec<Chunk>,
    /// The first of those that are free; each names the next one. How many they are.
    free: u32,
    free_count: usize,
}

/// What stands before a message: how wide its numbers are, by their places in the lists of widths;
const AT: [usize; 4] = [2, 3, 5, 8];
const FRAME: [usize; 4] = [1, 2, 3, 8];
const NUMBER: [usize; 4] = [1, 2, 3, 4];
const AT_SHIFT: u16 = 0;
const FRAME_SHIFT: u16 = 2;
const NUMBER_SHIFT: u16 = 4;
/// that its time is in whole microseconds;
const MICROS: u16 = 1 << 6;
/// that its ports are those of the message before, or those the other way round;
const SAME_PORTS: u16 = 1 << 7;
const SWAPPED_PORTS: u16 = 1 << 8;
/// that its message id is another one;
const OTHER_ID: u16 = 1 << 9;
/// that it has an IP identification, and a long one;
const IP_ID: u16 = 1 << 10;
const LONG_IP_ID: u16 = 1 << 11;
/// that its place among all messages is as far behind as its frame;
const IN_STEP: u16 = 1 << 12;
/// and that there is one.
const MESSAGE: u16 = 1 << 15;

/// Octets that a message takes at most.
const LONGEST: usize = 2 + 8 + 8 + 4 + 4 + 4 + 4 + 4;
const _: () = assert!(LONGEST <= ROOM);

impl Arrivals {
    /// Adds a message to those of an attempt. Answers how many octets of memory that took.
    pub(super) fn add(&mut self, line: &mut Line, arrival: &Arrival) -> usize {
        let message = Octets::of(&line.before(), arrival);
        let Arrival { at, frame, number, message_id, ports, .. } = *arrival;
        *line = Line { at, frame, number, message_id, ports, ..*line };
        let longer = line.last == NONE || usize::from(line.used) + message.count > ROOM;
        if longer {
            self.lengthen(line);
        }
        let from = usize::from(line.used);
        self.chunks[line.last as usize].0[from..from + message.count].copy_from_slice(&message.all[..message.count]);
        line.used += message.count as u8;
        if longer { size_of::<Chunk>() } else { 0 }
    }

    /// One more chunk.
    fn lengthen(&mut self, line: &mut Line) {
        let place = if self.free_count > 0 {
            let place = self.free;
            let chunk = &mut self.chunks[place as usize];
            self.free = chunk.next();
            self.free_count -= 1;
            *chunk = Chunk::EMPTY;
            place
        } else {
            self.chunks.push(Chunk::EMPTY);
            (self.chunks.len() - 1) as u32
        };
        match line.last {
            NONE => line.first = place,
            last => self.chunks[last as usize].lead_to(place),
        }
        (line.last, line.used) = (place, 0);
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
        let Some(mut chunk) = self.chunks.get(line.first as usize) else { return };
        let mut at = 0;
        let mut before = Before::NOTHING;
        for _ in 0..count {
            if at + 2 > ROOM || chunk.load(at, 2) == 0 {
                let Some(next) = self.chunks.get(chunk.next() as usize) else { return };
                (chunk, at) = (next, 0);
            }
            let arrival = read(chunk, &mut at, &before);
            before = Before::of(&arrival);
            each(arrival);
        }
    }

    /// Octets of memory that the messages of an attempt take.
    pub(super) fn octets_of(&self, line: &Line) -> usize {
        self.chunks_of(line) * size_of::<Chunk>()
    }

    fn chunks_of(&self, line: &Line) -> usize {
        let mut count = 0;
        let mut place = line.first;
        while place != NONE {
            count += 1;
            place = if place == line.last { NONE } else { self.chunks[place as usize].next() };
        }
        count
    }

    /// Forgets the messages of an attempt.
    pub(super) fn release(&mut self, line: &Line) {
        let count = self.chunks_of(line);
        if count > 0 {
            self.chunks[line.last as usize].lead_to(self.free);
            self.free = line.first;
            self.free_count += count;
        }
    }
}

/// A message as it is written.
struct Octets {
    all: [u8; LONGEST + 8],
    count: usize,
}

impl Octets {
    #[inline]
    fn of(before: &Before, arrival: &Arrival) -> Self {
        let mut octets = Self { all: [0; LONGEST + 8], count: 2 };
        let Before { at, frame, number, message_id, ports: [source, destination] } = *before;
        let mut says = MESSAGE;
        let mut later = arrival.at.wrapping_sub(at);
        if later % 1000 == 0 {
            later /= 1000;
            says |= MICROS;
        }
        says |= octets.number(zigzag(later), AT) << AT_SHIFT;
        let frames = arrival.frame.wrapping_sub(frame);
        says |= octets.number(zigzag(frames as i64), FRAME) << FRAME_SHIFT;
        if arrival.number == number.wrapping_add(frames as u32) {
            says |= IN_STEP;
        } else {
            says |= octets.number(arrival.number.wrapping_sub(number).into(), NUMBER) << NUMBER_SHIFT;
        }
        let ports = arrival.ports;
        if ports == [source, destination] {
            says |= SAME_PORTS;
        } else if ports == [destination, source] {
            says |= SWAPPED_PORTS;
        } else {
            octets.put(u64::from(ports[0]) | u64::from(ports[1]) << 16, 4);
        }
        if arrival.message_id != message_id {
            says |= OTHER_ID;
            octets.put(arrival.message_id.into(), 4);
        }
        octets.put(arrival.digest.into(), 4);
        if let Some(id) = arrival.ip_id {
            says |= IP_ID;
            if id > u32::from(u16::MAX) {
                says |= LONG_IP_ID;
                octets.put(id.into(), 4);
            } else {
                octets.put(id.into(), 2);
            }
        }
        octets.all[..2].copy_from_slice(&says.to_le_bytes());
        octets
    }

    /// Puts a number behind. What its upper octets leave behind it is written over.
    #[inline(always)]
    fn put(&mut self, number: u64, width: usize) {
        if let Some(place) = self.all.get_mut(self.count..).and_then(|rest| rest.first_chunk_mut()) {
            *place = number.to_le_bytes();
        }
        self.count += width;
    }

    /// Puts a number behind in the least of these widths that holds it; answers which.
    #[inline(always)]
    fn number(&mut self, number: u64, widths: [usize; 4]) -> u16 {
        let which = widths[..3].iter().map(|&width| usize::from(number > low(width))).sum::<usize>();
        self.put(number, widths[which]);
        which as u16
    }
}

/// The message at `at`, and what stands behind it.
#[inline]
fn read(chunk: &Chunk, at: &mut usize, before: &Before) -> Arrival {
    let mut take = |width: usize| {
        let number = chunk.load(*at, width);
        *at += width;
        number
    };
    let says = take(2) as u16;
    let width = |shift: u16| usize::from(says >> shift & 3);
    let later = unzigzag(take(AT[width(AT_SHIFT)]));
    let later = if says & MICROS != 0 { later.wrapping_mul(1000) } else { later };
    let frames = unzigzag(take(FRAME[width(FRAME_SHIFT)])) as u64;
    let frame = before.frame.wrapping_add(frames);
    let places = if says & IN_STEP != 0 { frames as u32 } else { take(NUMBER[width(NUMBER_SHIFT)]) as u32 };
    let number = before.number.wrapping_add(places);
    let [source, destination] = before.ports;
    let ports = match says & (SAME_PORTS | SWAPPED_PORTS) {
        SAME_PORTS => [source, destination],
        SWAPPED_PORTS => [destination, source],
        _ => [take(2) as u16, take(2) as u16],
    };
    let message_id = if says & OTHER_ID != 0 { take(4) as u32 } else { before.message_id };
    let digest = take(4) as u32;
    let ip_id = match says & (IP_ID | LONG_IP_ID) {
        0 => None,
        IP_ID => Some(take(2) as u32),
        _ => Some(take(4) as u32),
    };
    Arrival { at: before.at.wrapping_add(later), frame, number, message_id, digest, ip_id, ports }
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
        let octets = Octets::of(&Before::of(&messages[1]), &messages[2]);
        assert!(octets.count < 16, "{} octets", octets.count);
    }
}
