//! Captures played again with their own timing, as if they happened now.
//!
//! Not here: reading of captures ([`super::Captures`]). Contract: the clock stands at the capture's time, runs `speed`
//! times as fast as the wall's, and never overtakes a frame that is still to be given out, so that what is concluded from
//! silence while playing is what the whole capture shows.

use std::thread;
use std::time::{Duration, Instant};

use crate::base::{FrameRef, LinkType, Timestamp};

use super::{CaptureError, CaptureInfo, Captures, Drops, Frame, Heard, Source};

/// Time between two looks at the clock where nothing waits for the wall's.
const TICK: Duration = Duration::from_secs(1);
/// Silence in a capture that is played without waiting is passed in steps of [`TICK`] for so long, then in ever larger
/// ones: a gap of days is a few dozen steps.
const PATIENT: Duration = Duration::from_secs(120);
/// Frames closer than this are one batch when nothing waits for the wall's clock.
const TOGETHER: Duration = Duration::from_millis(5);

/// A capture that is played again.
#[derive(Debug)]
pub struct Replay {
    captures: Captures,
    speed: f64,
    /// When playing began, on the wall and in the capture.
    began: Option<(Instant, Timestamp)>,
    /// Latest time given out.
    clock: Timestamp,
    /// The frame that comes next.
    held: Option<Held>,
    octets: Vec<u8>,
}

/// What is known of the frame that comes next, besides its octets.
#[derive(Debug, Clone, Copy)]
struct Held {
    reference: FrameRef,
    at: Timestamp,
    link: LinkType,
    interface: u32,
    wire_len: u32,
}

impl Replay {
    /// Plays captures that are open. `speed`: 1 as it was, 2 in half the time, 0 without waiting. What is not a positive number
    /// counts as 0.
    pub fn over(captures: Captures, speed: f64) -> Self {
        let speed = if speed.is_finite() && speed > 0.0 { speed } else { 0.0 };
        let clock = Timestamp::default();
        let mut replay = Self { captures, speed, began: None, clock, held: None, octets: Vec::new() };
        replay.hold();
        replay.clock = replay.held.map_or(clock, |held| held.at);
        replay
    }

    /// What could not be opened or read to its end, in the order it happened.
    pub fn errors(&self) -> &[CaptureError] {
        self.captures.errors()
    }

    /// Whether nothing is waited for.
    pub fn is_rushed(&self) -> bool {
        self.speed == 0.0
    }

    fn hold(&mut self) {
        self.held = self.captures.next_frame().map(|frame| {
            self.octets.clear();
            self.octets.extend_from_slice(frame.bytes);
            let Frame { reference, at, link, interface, wire_len, .. } = frame;
            Held { reference, at, link, interface, wire_len }
        });
    }

    /// How long until the held frame is due on the wall's clock.
    fn wait_for(&self, held: &Held) -> Duration {
        let Some((began, start)) = self.began else { return Duration::ZERO };
        let due = held.at.since(start).as_secs_f64() / self.speed;
        // a capture of decades is due never rather than at once
        Duration::try_from_secs_f64(due).unwrap_or(Duration::MAX).saturating_sub(began.elapsed())
    }

    /// Where the next step through silence leads, if it ends before the held frame.
    fn step(&self, held: &Held) -> Option<Timestamp> {
        let (_, busy) = self.began?;
        let quiet = self.clock.since(busy);
        let step = if quiet.is_zero() {
            TOGETHER
        } else if quiet < TICK {
            TICK.saturating_sub(quiet)
        } else if quiet < PATIENT {
            TICK
        } else {
            quiet / 4
        };
        let next = self.clock.after(step);
        (held.at > next).then_some(next)
    }
}

impl Source for Replay {
    fn next(&mut self, wait: Duration) -> Result<Heard<'_>, CaptureError> {
        let Some(held) = self.held else {
            // what was given out last lies in `octets` until the reader has been asked for the next one
            self.hold();
            return match self.held {
                Some(_) => self.next(wait),
                None => Ok(Heard::End),
            };
        };
        let (_, start) = *self.began.get_or_insert((Instant::now(), held.at));
        if self.is_rushed() {
            if let Some(next) = self.step(&held) {
                self.clock = next;
                return Ok(Heard::Silence);
            }
        } else {
            let missing = self.wait_for(&held);
            thread::sleep(missing.min(wait));
            if missing > wait {
                let (began, _) = self.began.unwrap_or((Instant::now(), start));
                let passed = Duration::try_from_secs_f64(began.elapsed().as_secs_f64() * self.speed);
                let now = start.after(passed.unwrap_or(Duration::MAX)).min(held.at);
                self.clock = self.clock.max(now);
                return Ok(Heard::Silence);
            }
        }
        self.clock = self.clock.max(held.at);
        if self.is_rushed() {
            self.began = Some((Instant::now(), self.clock));
        }
        self.held = None;
        let Held { reference, at, link, interface, wire_len } = held;
        Ok(Heard::Frame(Frame { reference, at, link, interface, bytes: &self.octets, wire_len }))
    }

    fn now(&self) -> Timestamp {
        self.clock
    }

    fn drops(&mut self) -> Drops {
        let infos = self.infos();
        let received = infos.iter().map(|info| info.frames).fold(0, u64::saturating_add);
        let kernel = infos.iter().filter_map(|info| info.dropped).fold(0, u64::saturating_add);
        Drops { received, kernel, interface: 0 }
    }

    fn infos(&self) -> Vec<CaptureInfo> {
        let mut infos = self.captures.infos();
        // the frame that comes next has been read, and not been heard
        let held = self.held.and_then(|held| Some((held, usize::try_from(held.reference.capture).ok()?)));
        if let Some((held, capture)) = held
            && let Some(info) = infos.get_mut(capture)
        {
            info.frames = info.frames.saturating_sub(1);
            info.octets = info.octets.saturating_sub(self.octets.len() as u64);
            info.snapped = info.snapped.saturating_sub(u64::from(held.wire_len as usize > self.octets.len()));
            info.last = info.last.map(|last| last.min(self.clock));
        }
        infos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A classic capture with frames of one octet at these milliseconds.
    fn capture(at: &[u32]) -> Captures {
        let mut file = Vec::new();
        for word in [0xa1b2_c3d4_u32, 0x0004_0002, 0, 0, 65_535, 1] {
            file.extend(word.to_le_bytes());
        }
        for millis in at {
            for word in [millis / 1000, millis % 1000 * 1000, 1, 1] {
                file.extend(word.to_le_bytes());
            }
            file.push(0);
        }
        Captures::from_reader("crafted", std::io::Cursor::new(file))
    }

    #[test]
    fn without_waiting_silence_is_passed_second_by_second() {
        let mut replay = Replay::over(capture(&[0, 2, 3500]), 0.0);
        let mut seen = Vec::new();
        loop {
            match replay.next(Duration::ZERO).unwrap() {
                Heard::Frame(frame) => seen.push(format!("{}", frame.reference.frame)),
                Heard::Silence => seen.push(format!("-{}", replay.now().as_nanos() / 1_000_000)),
                Heard::End => break,
                Heard::Notice(notice) => panic!("{notice}"),
            }
        }
        assert_eq!(seen, ["1", "2", "-7", "-1002", "-2002", "-3002", "3"]);
        assert_eq!(replay.now(), Timestamp::from_nanos(3_500_000_000));
        assert_eq!(replay.infos()[0].frames, 3);
    }

    #[test]
    fn a_gap_of_days_is_a_few_steps() {
        let mut replay = Replay::over(capture(&[0, 864_000_000]), 0.0);
        let steps = std::iter::from_fn(|| match replay.next(Duration::ZERO).unwrap() {
            Heard::End => None,
            _ => Some(()),
        });
        assert!(steps.count() < 200);
    }

    #[test]
    fn the_clock_runs_and_waits_for_the_frame() {
        let mut replay = Replay::over(capture(&[0, 400]), 4.0);
        assert!(matches!(replay.next(Duration::ZERO).unwrap(), Heard::Frame(_)));
        assert!(matches!(replay.next(Duration::from_millis(20)).unwrap(), Heard::Silence));
        assert_eq!(replay.infos()[0].frames, 1, "the second was not heard yet");
        let early = replay.now();
        assert!(early > Timestamp::from_nanos(0) && early <= Timestamp::from_nanos(400_000_000), "{early}");
        let began = Instant::now();
        while !matches!(replay.next(Duration::from_millis(10)).unwrap(), Heard::Frame(_)) {
            assert!(began.elapsed() < Duration::from_secs(30), "the second frame never comes");
        }
        assert_eq!(replay.now(), Timestamp::from_nanos(400_000_000));
        assert!(matches!(replay.next(Duration::ZERO).unwrap(), Heard::End));
    }
}
