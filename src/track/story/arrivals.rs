//! What is each message's own, of all attempts that are told, in a few octets: the difference from the message before it.
//!
//! Not here: what messages of an attempt have in common. Contract: what was written is read, in the order in which it was
//! written; nobody reads further than was written.

use crate::base::{FrameRef, Timestamp};
use crate::track::attempt::Own;
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

/// Octets of a chunk besides the place of the next one: those of the messages of half a negotiation.
const ROOM: usize = 44;

/// Octets of an attempt, which stand in several chunks if they are many.
#[derive(Debug, Clone, Copy)]
struct Chunk {
    /// The one behind it.
    next: u32,
    octets: [u8; ROOM],
}

/// The messages of all attempts.
#[derive(Debug, Clone, Default)]
pub(super) struct Arrivals {
    chunks: Vec<Chunk>,
    /// The first of those that are free; each names the next one. How many they are.
    free: u32,
    free_count: usize,
}

/// Octets that a message takes at most.
const LONGEST: usize = 1 + 10 + 10 + 5 + 5 + 4 + 4 + 4;

/// What the first octet of a message says: the time is in whole microseconds;
const MICROS: u8 = 1;
/// the ports are those of the message before, or those the other way round;
const SAME_PORTS: u8 = 1 << 1;
const SWAPPED_PORTS: u8 = 1 << 2;
/// the message id is another one;
const OTHER_ID: u8 = 1 << 3;
/// there is an IP identification, and it is a long one.
const IP_ID: u8 = 1 << 4;
const LONG_IP_ID: u8 = 1 << 5;

impl Arrivals {
    /// Adds a message to those of an attempt. Answers how many octets of memory that took.
    pub(super) fn add(&mut self, line: &mut Line, arrival: &Arrival) -> usize {
        let mut octets = Octets { all: [0; LONGEST], count: 0 };
        octets.message(&line.before(), arrival);
        let Arrival { at, frame, number, message_id, ports, .. } = *arrival;
        *line = Line { at, frame, number, message_id, ports, ..*line };
        let mut rest = octets.all.get(..octets.count).unwrap_or_default();
        let mut taken = 0;
        while !rest.is_empty() {
            if line.last == NONE || usize::from(line.used) == ROOM {
                self.lengthen(line);
                taken += size_of::<Chunk>();
            }
            let room = &mut self.chunks[line.last as usize].octets[usize::from(line.used)..];
            let (now, later) = rest.split_at(rest.len().min(room.len()));
            room[..now.len()].copy_from_slice(now);
            line.used += now.len() as u8;
            rest = later;
        }
        taken
    }

    /// One more chunk.
    fn lengthen(&mut self, line: &mut Line) {
        let place = if self.free_count > 0 {
            let place = self.free;
            self.free = self.chunks[place as usize].next;
            self.free_count -= 1;
            place
        } else {
            self.chunks.push(Chunk { next: NONE, octets: [0; ROOM] });
            (self.chunks.len() - 1) as u32
        };
        match line.last {
            NONE => line.first = place,
            last => self.chunks[last as usize].next = place,
        }
        (line.last, line.used) = (place, 0);
    }

    /// The messages of an attempt, one after the other; as many as are asked for are there.
    pub(super) fn read(&self, line: &Line) -> impl Iterator<Item = Arrival> {
        let mut reader = Reader { chunks: &self.chunks, place: line.first, at: 0 };
        let mut before = Before::NOTHING;
        std::iter::from_fn(move || {
            let arrival = reader.message(&before);
            before = Before::of(&arrival);
            Some(arrival)
        })
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
            place = if place == line.last { NONE } else { self.chunks[place as usize].next };
        }
        count
    }

    /// Forgets the messages of an attempt.
    pub(super) fn release(&mut self, line: &Line) {
        let count = self.chunks_of(line);
        if count > 0 {
            self.chunks[line.last as usize].next = self.free;
            self.free = line.first;
            self.free_count += count;
        }
    }
}

/// A message as it is written.
struct Octets {
    all: [u8; LONGEST],
    count: usize,
}

impl Octets {
    fn message(&mut self, before: &Before, arrival: &Arrival) {
        let Before { at, frame, number, message_id, ports: [source, destination] } = *before;
        let later = arrival.at.wrapping_sub(at);
        let whole = later % 1000 == 0;
        let ports = match arrival.ports {
            ports if ports == [source, destination] => SAME_PORTS,
            ports if ports == [destination, source] => SWAPPED_PORTS,
            _ => 0,
        };
        let ip_id = match arrival.ip_id {
            None => 0,
            Some(id) if id > u32::from(u16::MAX) => IP_ID | LONG_IP_ID,
            Some(_) => IP_ID,
        };
        let other_id = arrival.message_id != message_id;
        self.put(u8::from(whole) * MICROS | ports | u8::from(other_id) * OTHER_ID | ip_id);
        self.number(zigzag(if whole { later / 1000 } else { later }));
        self.number(zigzag(arrival.frame.wrapping_sub(frame) as i64));
        self.number(arrival.number.wrapping_sub(number).into());
        self.all(&arrival.digest.to_le_bytes());
        if ports == 0 {
            arrival.ports.iter().for_each(|port| self.all(&port.to_le_bytes()));
        }
        if other_id {
            self.number(arrival.message_id.wrapping_sub(message_id).into());
        }
        let length = if ip_id & LONG_IP_ID != 0 { 4 } else { 2 };
        if let Some(id) = arrival.ip_id {
            self.all(&id.to_le_bytes()[..length]);
        }
    }

    fn put(&mut self, octet: u8) {
        self.all[self.count] = octet;
        self.count += 1;
    }

    fn all(&mut self, octets: &[u8]) {
        self.all[self.count..self.count + octets.len()].copy_from_slice(octets);
        self.count += octets.len();
    }

    /// Seven bits an octet, the lowest first.
    fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.put(number as u8 | 0x80);
            number >>= 7;
        }
        self.put(number as u8);
    }
}

struct Reader<'a> {
    chunks: &'a [Chunk],
    place: u32,
    at: usize,
}

impl Reader<'_> {
    fn message(&mut self, before: &Before) -> Arrival {
        let says = self.octet();
        let later = back(self.number());
        let later = if says & MICROS != 0 { later.wrapping_mul(1000) } else { later };
        let frame = before.frame.wrapping_add(back(self.number()) as u64);
        let number = before.number.wrapping_add(self.number() as u32);
        let digest = u32::from_le_bytes(self.some());
        let [source, destination] = before.ports;
        let ports = match says & (SAME_PORTS | SWAPPED_PORTS) {
            SAME_PORTS => [source, destination],
            SWAPPED_PORTS => [destination, source],
            _ => [(); 2].map(|()| u16::from_le_bytes(self.some())),
        };
        let other_id = if says & OTHER_ID != 0 { self.number() as u32 } else { 0 };
        let ip_id = match says & (IP_ID | LONG_IP_ID) {
            0 => None,
            IP_ID => Some(u16::from_le_bytes(self.some()).into()),
            _ => Some(u32::from_le_bytes(self.some())),
        };
        let (at, message_id) = (before.at.wrapping_add(later), before.message_id.wrapping_add(other_id));
        Arrival { at, frame, number, message_id, digest, ip_id, ports }
    }

    #[inline]
    fn octet(&mut self) -> u8 {
        if self.at == ROOM {
            self.place = self.chunks.get(self.place as usize).map_or(NONE, |chunk| chunk.next);
            self.at = 0;
        }
        let octet = self.chunks.get(self.place as usize).map_or(0, |chunk| chunk.octets[self.at]);
        self.at += 1;
        octet
    }

    fn some<const N: usize>(&mut self) -> [u8; N] {
        [(); N].map(|()| self.octet())
    }

    fn number(&mut self) -> u64 {
        let mut number = 0;
        for shift in (0..u64::BITS).step_by(7) {
            let octet = self.octet();
            number |= u64::from(octet & 0x7f) << shift;
            if octet < 0x80 {
                break;
            }
        }
        number
    }
}

/// Small numbers of either sign as small numbers.
fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63) as u64
}

/// What was [zigzagged](zigzag).
fn back(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
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
            frame: u64::from(number) * 3,
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
            assert_eq!(arrivals.read(line).take(attempt.len()).collect::<Vec<_>>(), *attempt);
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
            assert_eq!(arrivals.read(&line).take(30).collect::<Vec<_>>(), messages);
            assert_eq!(arrivals.read(&other).take(11).collect::<Vec<_>>(), others);
            arrivals.release(&line);
            arrivals.release(&other);
            arrivals.release(&Line::EMPTY);
        }
        assert!(arrivals.chunks.len() < 60, "{} chunks", arrivals.chunks.len());
    }

    #[test]
    fn a_usual_message_takes_less_than_sixteen_octets() {
        let messages = some(3, 1);
        let mut octets = Octets { all: [0; LONGEST], count: 0 };
        octets.message(&Before::of(&messages[1]), &messages[2]);
        assert!(octets.count < 16, "{} octets", octets.count);
    }
}
