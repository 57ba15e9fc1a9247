//! What is left of a stretch of frames once those are out that are only counted: a row for each that is more.
//!
//! Rows are made by looking at one frame after another, without what came before, so that whoever has the octets can make
//! them; `super::path` takes them on in order. Here is the place for other work that needs a frame and nothing else.
//! Contract: a row is of a fixed size; which frames have one depends on the frames alone.

use crate::base::{FrameRef, LinkType, Timestamp};
use crate::capture::Frame;
use crate::packet::{Class, Datagram, Eye, Glance, SeenEsp, SeenIsakmp, Sight};
use crate::track::{Moulds, Preview, Previewer};

/// What is known of a frame that is not only counted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) at: Timestamp,
    /// Number of the frame in its stretch, from 1.
    pub(super) number: u32,
    pub(super) what: What,
}

/// What a frame with a row is.
#[derive(Debug, Clone, Copy)]
pub(super) enum What {
    /// ESP, read already.
    Esp(SeenEsp),
    /// Between private networks.
    Private { source: u32, destination: u32, interface: u32 },
    /// An ISAKMP message, by its place among the letters.
    Isakmp(u32),
    /// To be classified: where it lies.
    Open(Lying),
    /// One that is only counted, and later than all before it and the next one with a row.
    Passed,
}

const _: () = assert!(size_of::<Row>() <= 40);

/// An ISAKMP message, read as far as it can be without what came before.
#[derive(Debug)]
pub(super) struct Letter {
    /// With its place in the buffer, not in the frame.
    seen: SeenIsakmp,
    /// What was read ahead, if anything was.
    preview: Preview,
    is_read: bool,
}

/// What was read ahead of a message, and where shapes are. `None` of a message that comes by another way.
pub(super) type Ahead<'s> = Option<(Option<&'s Preview>, &'s [u8])>;

/// A frame that lies in a buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lying {
    place: u32,
    len: u32,
    wire_len: u32,
    link: LinkType,
    interface: u32,
}

impl Lying {
    /// The frame, out of the buffer it lies in.
    #[inline]
    pub(super) fn frame<'buf>(&self, octets: &'buf [u8], reference: FrameRef, at: Timestamp) -> Frame<'buf> {
        let place = self.place as usize;
        Frame {
            reference,
            at,
            link: self.link,
            interface: self.interface,
            bytes: octets.get(place..place.saturating_add(self.len as usize)).unwrap_or_default(),
            wire_len: self.wire_len,
        }
    }
}

const NEVER: Timestamp = Timestamp::from_nanos(i64::MIN);

/// The rows of one stretch.
#[derive(Debug)]
pub(super) struct Sieve {
    pub(super) rows: Vec<Row>,
    /// Messages, as many as there are, and behind them some of earlier stretches, which are written over one after the other:
    /// to make a letter and move it would take longer.
    letters: Vec<Letter>,
    letter_count: usize,
    /// Shapes of messages that were read ahead.
    shapes: Vec<u8>,
    /// Those that came lately; whoever fills one sieve after the other had better take them along.
    pub(super) moulds: Moulds,
    /// Reads messages ahead, if anybody wants that.
    previewer: Option<Previewer>,
    /// Looked at as if TCP streams were being followed.
    pub(super) streams: bool,
    /// Some row has to be classified.
    pub(super) open: bool,
    /// The octets of such frames and of messages, where they have to be kept; their places are then in here.
    kept: Option<Vec<u8>>,
    /// Latest time of frames with a row, and of those without.
    told: Timestamp,
    passed: Timestamp,
}

impl Sieve {
    /// With no rows. Messages are read ahead by `previewer`.
    pub(super) fn new(previewer: Option<Previewer>) -> Self {
        Self {
            rows: Vec::new(),
            letters: Vec::new(),
            letter_count: 0,
            shapes: Vec::new(),
            moulds: Moulds::default(),
            previewer,
            streams: false,
            open: false,
            kept: None,
            told: NEVER,
            passed: NEVER,
        }
    }

    /// The same, for frames whose octets will not be there when they are taken on.
    pub(super) fn keeping(previewer: Option<Previewer>) -> Self {
        Self { kept: Some(Vec::new()), ..Self::new(previewer) }
    }

    /// Forgets all rows. `streams`: any TCP segment that comes now may be ours.
    pub(super) fn begin(&mut self, streams: bool) {
        self.rows.clear();
        self.letter_count = 0;
        self.shapes.clear();
        self.moulds.begin();
        if let Some(kept) = &mut self.kept {
            kept.clear();
        }
        (self.streams, self.open) = (streams, false);
        (self.told, self.passed) = (NEVER, NEVER);
    }

    /// A message: its datagram, in this frame that was recorded then, what its frame counts as, and what was read ahead. It
    /// lies in `octets`.
    #[inline]
    pub(super) fn letter<'o>(
        &self,
        place: u32,
        frame: (FrameRef, Timestamp),
        octets: &'o [u8],
    ) -> Option<(Datagram<'o>, Class, Ahead<'_>)> {
        let Letter { seen, preview, is_read } = self.letters.get(..self.letter_count)?.get(place as usize)?;
        let octets = seen.octets(octets);
        Some((seen.datagram(frame, octets), seen.class(octets), Some((is_read.then_some(preview), &self.shapes))))
    }

    /// The octets of frames that were kept.
    pub(super) fn kept(&self) -> &[u8] {
        self.kept.as_deref().unwrap_or_default()
    }

    /// The next frame of the stretch, which lies at `place`. Answers whether a glance was not enough.
    #[inline(always)]
    pub(super) fn sift(&mut self, eye: &Eye, frame: Frame<'_>, place: usize) -> bool {
        match eye.glance(&frame, self.streams) {
            Glance::Foreign => {
                self.passed = self.passed.max(frame.at);
                return false;
            }
            Glance::Esp => self.take_esp(eye, frame, place),
            Glance::Ike => self.take_ours(eye, frame, place),
            Glance::Unsettled => self.take(eye, frame, place),
        }
        true
    }

    /// The next frame, which lies at `place` and may be ESP. By value, so that frames that are foreign need not lie in memory.
    #[inline(never)]
    fn take_esp(&mut self, eye: &Eye, frame: Frame<'_>, place: usize) {
        match eye.esp(&frame) {
            Some(esp) => self.push(frame.at, frame.reference.frame as u32, What::Esp(esp)),
            None => self.take_ours(eye, frame, place),
        }
    }

    /// The next frame, which lies at `place` and is ours.
    #[inline(never)]
    fn take_ours(&mut self, eye: &Eye, frame: Frame<'_>, place: usize) {
        if eye.whole_isakmp(&frame, &mut self.next_letter().seen) {
            self.read(&frame, place);
        } else {
            let sight = eye.sight(&frame);
            self.take_sight(&frame, place, &sight);
        }
    }

    /// The next frame, which lies at `place`.
    #[inline(never)]
    fn take(&mut self, eye: &Eye, frame: Frame<'_>, place: usize) {
        let sight = eye.look(&frame, self.streams);
        self.take_sight(&frame, place, &sight);
    }

    #[inline(always)]
    fn take_sight(&mut self, frame: &Frame<'_>, place: usize, sight: &Sight) {
        let number = frame.reference.frame as u32;
        match sight {
            Sight::Foreign => self.passed = self.passed.max(frame.at),
            &Sight::Esp(esp) => self.push(frame.at, number, What::Esp(esp)),
            &Sight::Private { source, destination } => {
                self.push(frame.at, number, What::Private { source, destination, interface: frame.interface });
            }
            Sight::Isakmp(seen) => {
                self.next_letter().seen = *seen;
                self.read(frame, place);
            }
            Sight::Open => {
                let what = self.open(frame, place);
                self.push(frame.at, number, what);
            }
        }
    }

    #[inline(always)]
    fn push(&mut self, at: Timestamp, number: u32, what: What) {
        if self.passed > at && self.passed > self.told {
            self.rows.push(Row { at: self.passed, number: number.saturating_sub(1), what: What::Passed });
            self.told = self.passed;
        }
        self.told = self.told.max(at);
        self.rows.push(Row { at, number, what });
    }

    /// The letter that is to be written next.
    #[inline(always)]
    fn next_letter(&mut self) -> &mut Letter {
        if self.letter_count == self.letters.len() {
            self.letters.push(Letter { seen: SeenIsakmp::BLANK, preview: Preview::default(), is_read: false });
        }
        &mut self.letters[self.letter_count]
    }

    /// The message of the next letter, which was seen in `frame`.
    #[inline(always)]
    fn read(&mut self, frame: &Frame<'_>, place: usize) {
        let seen = &self.letters[self.letter_count].seen;
        let octets = seen.octets(frame.bytes);
        let place = self.keep(octets, place.saturating_add(seen.place as usize)) as u32;
        let Self { letters, letter_count, shapes, moulds, previewer, .. } = self;
        let Letter { seen, preview, is_read } = &mut letters[*letter_count];
        seen.place = place;
        let ends = (&seen.source, &seen.destination);
        *is_read = seen.missing == 0
            && previewer.as_ref().is_some_and(|previewer| {
                previewer.preview(&seen.isakmp(octets), ends, 1, (moulds, shapes), preview).is_some()
            });
        let what = What::Isakmp(*letter_count as u32);
        *letter_count += 1;
        self.push(frame.at, frame.reference.frame as u32, what);
    }

    /// Where octets lie that lie at `place` now.
    fn keep(&mut self, octets: &[u8], place: usize) -> usize {
        self.kept.as_mut().map_or(place, |kept| {
            let place = kept.len();
            kept.extend_from_slice(octets);
            place
        })
    }

    fn open(&mut self, frame: &Frame<'_>, place: usize) -> What {
        self.open = true;
        let place = self.keep(frame.bytes, place);
        What::Open(Lying {
            place: place as u32,
            len: frame.bytes.len() as u32,
            wire_len: frame.wire_len,
            link: frame.link,
            interface: frame.interface,
        })
    }
}
