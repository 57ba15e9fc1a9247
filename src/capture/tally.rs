//! What is counted and noted while a capture is read.
//!
//! Contract: constant work a frame and bounded memory, however odd the capture: what happens often is counted, and
//! becomes one line of [`super::CaptureInfo::notes`].

use std::time::Duration;

use super::{Record, Stretch};
use crate::base::{LinkType, Timestamp};

/// Link types listed of one capture; real ones have a handful.
const MOST_LINK_TYPES: usize = 64;

/// Counters of one capture.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub frames: u64,
    pub octets: u64,
    pub snapped: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    pub link_types: Vec<LinkType>,
    /// Where the file ends inside a record or inside its compression.
    pub cut: Option<Cut>,
    pub oddities: Oddities,
    previous: Timestamp,
    /// Nanoseconds that its clock is ahead of the others'.
    pub ahead: i64,
}

/// How a capture ends too early.
#[derive(Debug, Clone, Copy)]
pub(super) enum Cut {
    /// Inside the record that starts at this octet.
    Record(u64),
    /// Inside compressed data.
    Compression(&'static str),
    /// Between two records, at this octet, where the file had more when it was opened.
    Shrunk(u64),
}

/// Things a capture should not hold, and how often it does.
#[derive(Debug, Default)]
pub(super) struct Oddities {
    pub named_again: u64,
    /// A pcap version other than 2.4.
    pub version: Option<(u16, u16)>,
    pub longer_than_wire: u64,
    pub longer_than_snap: u64,
    pub fraction_over_a_second: u64,
    pub unknown_interface: u64,
    unknown_blocks: u64,
    first_unknown_block: u32,
    pub bad_options: u64,
    without_time: u64,
    backwards: u64,
    furthest_back: Duration,
    more_link_types: bool,
}

impl Tally {
    /// Counts one frame and says when it was: a frame without a time stamp is given that of the frame before it.
    #[inline]
    pub fn count(&mut self, record: &Record) -> Timestamp {
        self.frames += 1;
        self.octets = self.octets.saturating_add(record.len as u64);
        if record.wire_len as usize > record.len {
            self.snapped += 1;
        }
        let Some(at) = record.at.map(|at| at.before(self.ahead)) else {
            self.oddities.without_time += 1;
            return self.previous;
        };
        if self.last.is_some_and(|last| last <= at) {
            self.last = Some(at);
            self.previous = at;
            return at;
        }
        self.note_order(at);
        at
    }

    /// Times are this many nanoseconds earlier from now on, and were so from the beginning.
    pub fn put_back(&mut self, ahead: i64) {
        self.ahead = ahead;
        self.previous = self.previous.before(ahead);
        for at in [&mut self.first, &mut self.last].into_iter().flatten() {
            *at = at.before(ahead);
        }
    }

    /// Counts the frames of a stretch.
    pub fn add(&mut self, stretch: &Stretch) {
        if stretch.frames == 0 {
            return;
        }
        self.frames += stretch.frames;
        self.octets = self.octets.saturating_add(stretch.octets);
        self.snapped += stretch.snapped;
        self.note_order(stretch.first);
        self.first = self.first.map(|first| first.min(stretch.earliest));
        self.last = self.last.map(|last| last.max(stretch.latest));
        self.oddities.backwards += stretch.backwards;
        let furthest_back = Duration::from_nanos(u64::try_from(stretch.furthest_back).unwrap_or(0));
        self.oddities.furthest_back = self.oddities.furthest_back.max(furthest_back);
        self.previous = stretch.last;
    }

    /// Takes the time of a frame that is the first one, or not the latest one.
    fn note_order(&mut self, at: Timestamp) {
        match (self.first, self.last) {
            (Some(first), Some(last)) => {
                if at > last {
                    self.last = Some(at);
                }
                if at < self.previous {
                    self.oddities.backwards += 1;
                    self.oddities.furthest_back = self.oddities.furthest_back.max(self.previous.since(at));
                    self.first = Some(first.min(at));
                }
            }
            _ => {
                self.first = Some(at);
                self.last = Some(at);
            }
        }
        self.previous = at;
    }

    /// Lists a link type, once.
    pub fn list(&mut self, link: LinkType) {
        if self.link_types.contains(&link) {
            return;
        }
        if self.link_types.len() < MOST_LINK_TYPES {
            self.link_types.push(link);
        } else {
            self.oddities.more_link_types = true;
        }
    }

    /// Counts a pcapng block of a type that has no name here.
    pub fn note_unknown_block(&mut self, kind: u32) {
        if self.oddities.unknown_blocks == 0 {
            self.oddities.first_unknown_block = kind;
        }
        self.oddities.unknown_blocks += 1;
    }

    /// One line for everything odd.
    pub fn notes(&self) -> Vec<String> {
        let odd = &self.oddities;
        let mut notes = Vec::new();
        let mut note = |happened: bool, line: String| {
            if happened {
                notes.push(line);
            }
        };
        match self.cut {
            Some(Cut::Record(octet)) => {
                note(true, format!("the file ends inside a record, at octet {octet} after frame {}", self.frames));
            }
            Some(Cut::Shrunk(octet)) => {
                note(true, format!("the file was cut while it was read, at octet {octet} after frame {}", self.frames));
            }
            Some(Cut::Compression(name)) => note(true, format!("the {name} data ends too early")),
            None => {}
        }
        if let Some((major, minor)) = odd.version {
            note(true, format!("pcap version {major}.{minor}, read like 2.4"));
        }
        let apart = Duration::from_nanos(self.ahead.unsigned_abs());
        let how = if self.ahead > 0 { "ahead of" } else { "behind" };
        note(
            self.ahead != 0,
            format!(
                "its clock is {apart:.3?} {how} the others', as messages that both hold show: put right in all times here"
            ),
        );
        note(odd.named_again > 0, "named more than once, read once".to_owned());
        note(
            odd.backwards > 0,
            format!("time stamps run backwards {}, by up to {:?}", times(odd.backwards), odd.furthest_back),
        );
        note(
            odd.without_time > 0,
            format!("{} without time stamp, given that of the frame before", frames(odd.without_time)),
        );
        note(
            odd.fraction_over_a_second > 0,
            format!("{} with more than a second in the fraction of a second", frames(odd.fraction_over_a_second)),
        );
        note(
            odd.longer_than_wire > 0,
            format!("{} recorded longer than on the wire, which is taken as unknown", frames(odd.longer_than_wire)),
        );
        note(odd.longer_than_snap > 0, format!("{} longer than the snap length", frames(odd.longer_than_snap)));
        note(
            odd.unknown_interface > 0,
            format!("{} of interfaces that the file does not describe, skipped", frames(odd.unknown_interface)),
        );
        note(
            odd.unknown_blocks > 0,
            format!(
                "unknown blocks skipped {}, the first of type {:#x}",
                times(odd.unknown_blocks),
                odd.first_unknown_block
            ),
        );
        note(odd.bad_options > 0, format!("block options that cannot be read {}", times(odd.bad_options)));
        note(odd.more_link_types, format!("more than {MOST_LINK_TYPES} link types, not all listed"));
        notes
    }
}

fn times(count: u64) -> String {
    if count == 1 { "once".to_owned() } else { format!("{count} times") }
}

fn frames(count: u64) -> String {
    if count == 1 { "1 frame".to_owned() } else { format!("{count} frames") }
}
