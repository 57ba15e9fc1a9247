//! How often to judge: at once where that is cheap, seldom where there is very much to judge.
//!
//! Contract: judging takes about a quarter of the time at most. Where nothing waits for the wall's clock, work is counted
//! instead of time, so that the same capture always gives the same events.

use std::time::{Duration, Instant};

use crate::base::Timestamp;

/// Silence is looked at again after this.
const TICK: Duration = Duration::from_secs(1);
/// Judging may take one part of so many of the time.
const SHARE: u32 = 4;
/// Frames and ticks that a judgement has to be worth, per pair and attempt to be judged.
const WORTH: usize = 64;

/// When to judge next.
#[derive(Debug)]
pub(super) struct Pace {
    rushed: bool,
    /// Not before this.
    rest: Instant,
    steps: usize,
    changed: bool,
    judged_at: Option<Timestamp>,
}

impl Pace {
    /// `rushed`: the source waits for nothing.
    pub fn new(rushed: bool) -> Self {
        Self { rushed, rest: Instant::now(), steps: 0, changed: false, judged_at: None }
    }

    /// Something of ours came.
    pub fn note(&mut self) {
        self.changed = true;
        self.steps = self.steps.saturating_add(1);
    }

    /// Whether it is time, at `now` on the source's clock and with so much to judge.
    pub fn is_time(&mut self, now: Timestamp, weight: usize) -> bool {
        let Some(judged_at) = self.judged_at else { return true };
        let tick = now.since(judged_at) >= TICK;
        if !self.changed && !tick {
            return false;
        }
        if self.rushed {
            self.steps = self.steps.saturating_add(usize::from(tick));
            self.steps >= weight / WORTH
        } else {
            Instant::now() >= self.rest
        }
    }

    /// Judges, and rests for as long as that deserves.
    pub fn judge<T>(&mut self, now: Timestamp, judge: impl FnOnce() -> T) -> T {
        let began = Instant::now();
        let judged = judge();
        let took = began.elapsed();
        self.rest = Instant::now() + took.saturating_mul(SHARE - 1);
        self.steps = 0;
        self.changed = false;
        self.judged_at = Some(now);
        judged
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_large_is_judged_seldom_and_what_is_small_at_once() {
        let at = Timestamp::from_parts(100, 0);
        let judged = |weight: usize| {
            let mut pace = Pace::new(true);
            (0..1000)
                .filter(|_| {
                    pace.note();
                    let time = pace.is_time(at, weight);
                    if time {
                        pace.judge(at, || ());
                    }
                    time
                })
                .count()
        };
        assert_eq!(judged(4), 1000);
        assert_eq!(judged(64_000), 1, "the first one");
        assert!((90..110).contains(&judged(640)));
    }

    #[test]
    fn silence_is_looked_at_every_second() {
        let mut pace = Pace::new(true);
        pace.judge(Timestamp::from_parts(100, 0), || ());
        assert!(!pace.is_time(Timestamp::from_parts(100, 999_000_000), 2));
        assert!(pace.is_time(Timestamp::from_parts(101, 0), 2));
    }
}
