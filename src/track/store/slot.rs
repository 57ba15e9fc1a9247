//! One pair, at work or at rest.

use std::net::{IpAddr, Ipv4Addr};

use crate::base::{FrameRef, Timestamp};
use crate::track::attempt::{AttemptState, Followed, rekeying_attempt};
use crate::track::facts::{IcmpFact, IncompleteFact, MalformedFact, Pair, Seen};
use crate::track::story::Tellings;

use super::ends::PackedEnds;
use super::packed::{PackedAttempt, Templates, put, take};
use super::rows::Rows;

/// No flow.
pub(in crate::track) const NONE: u32 = u32::MAX;

/// One pair.
#[derive(Debug, Clone)]
pub(in crate::track) struct Slot {
    ends: PackedEnds,
    /// First and last of its flows in [`super::pairs::Pairs::flows`].
    pub(in crate::track) flows: (u32, u32),
    pub(in crate::track) body: Body,
}

/// What is known of a pair besides its flows.
#[derive(Debug, Clone)]
pub(in crate::track) enum Body {
    /// At work.
    Open(Box<Open>),
    /// At rest.
    Packed(Box<Packed>),
    /// Nothing but attempts that are told, by their rows.
    Told(Rows),
}

const _: () = assert!(size_of::<Slot>() <= 40);

/// A pair at work. Its own lists of attempts and flows are empty.
#[derive(Debug, Clone)]
pub(in crate::track) struct Open {
    pub(in crate::track) pair: Pair,
    pub(in crate::track) attempts: Vec<Kept>,
    /// Those that are at work.
    working: Vec<u32>,
    /// The youngest that may have been re-keyed.
    pub(in crate::track) rekeying: Option<u32>,
    /// Since it was last looked at for putting to rest.
    pub(in crate::track) touched: bool,
    /// It waits to be put to rest.
    pub(in crate::track) queued: bool,
}

/// An attempt of a pair at work.
#[derive(Debug, Clone)]
pub(in crate::track) enum Kept {
    /// At work too.
    Open(Box<Followed>),
    /// At rest.
    Packed(PackedAttempt),
    /// Told, by its row.
    Told(u32),
}

/// A pair at rest.
#[derive(Debug, Clone)]
pub(in crate::track) struct Packed {
    octets: Box<[u8]>,
    pub(super) attempts: Box<[PackedAttempt]>,
    pub(super) rare: Option<Box<Rare>>,
}

/// What most pairs have none of.
#[derive(Debug, Clone)]
pub(super) struct Rare {
    icmp_errors: Vec<IcmpFact>,
    incomplete: Vec<IncompleteFact>,
    malformed: Vec<MalformedFact>,
}

/// Attempts of a pair that are never taken apart to be put to rest.
pub(in crate::track) const LONG_LIST: usize = 64;

/// Messages of an attempt that is put to rest only where memory becomes short.
const LONG_ATTEMPT: usize = 64;

impl Slot {
    pub(in crate::track) fn new(pair: Pair) -> Self {
        Self::made(pair, Vec::new(), (NONE, NONE))
    }

    /// A pair at work with these attempts, and the first and last of its flows.
    pub(super) fn made(pair: Pair, attempts: Vec<Kept>, flows: (u32, u32)) -> Self {
        let ends = (pair.a, pair.b).into();
        Self { ends, flows, body: Body::Open(Box::new(Open::new(pair, attempts, None))) }
    }

    /// A pair whose attempts are told, none so far.
    pub(in crate::track) fn told(ends: (IpAddr, IpAddr)) -> Self {
        Self { ends: ends.into(), flows: (NONE, NONE), body: Body::Told(Rows::EMPTY) }
    }

    /// A place that is free.
    pub(in crate::track) fn vacant() -> Self {
        let packed = Packed { octets: Box::default(), attempts: Box::default(), rare: None };
        Self {
            ends: PackedEnds::V4([Ipv4Addr::UNSPECIFIED; 2]),
            flows: (NONE, NONE),
            body: Body::Packed(Box::new(packed)),
        }
    }

    /// The addresses: the one that sent the first datagram, and the other one.
    #[inline]
    pub(in crate::track) fn ends(&self) -> (IpAddr, IpAddr) {
        self.ends.get()
    }

    /// Nothing is left of it: all of it turned out to belong to another pair.
    pub(in crate::track) fn is_empty(&self) -> bool {
        let nothing_else = match &self.body {
            Body::Open(open) => open.attempts.is_empty() && open.pair.is_empty(),
            Body::Told(rows) => rows.is_empty(),
            Body::Packed(packed) => {
                packed.attempts.is_empty() && {
                    let mut pair = Pair::blank(self.ends.get());
                    packed.unpack_into(&mut pair);
                    pair.is_empty()
                }
            }
        };
        self.flows.0 == NONE && nothing_else
    }

    /// Brings the pair to work, if it is not.
    pub(in crate::track) fn open(&mut self, tellings: &Tellings) -> &mut Open {
        let opened = match &mut self.body {
            Body::Open(_) => None,
            Body::Packed(packed) => {
                let mut pair = Pair::blank(self.ends.get());
                packed.unpack_into(&mut pair);
                Some((pair, std::mem::take(&mut packed.attempts).into_iter().map(Kept::Packed).collect()))
            }
            Body::Told(rows) => {
                let mut pair = Pair::blank(self.ends.get());
                tellings.outline(rows, self.ends.get(), &mut pair);
                Some((pair, rows.iter().map(|&row| Kept::Told(row)).collect()))
            }
        };
        if let Some((pair, attempts)) = opened {
            self.body = Body::Open(Box::new(Open::new(pair, attempts, Some(tellings))));
        }
        match &mut self.body {
            Body::Open(open) => open,
            Body::Packed(_) | Body::Told(_) => unreachable!("it was just opened"),
        }
    }

    /// Puts the pair to rest, with all of its attempts. Answers what those held alone before and hold now, in octets.
    pub(in crate::track) fn pack(&mut self, templates: &mut Templates, tellings: &mut Tellings) -> (usize, usize) {
        let Body::Open(open) = &mut self.body else { return (0, 0) };
        let ends = self.ends.get();
        open.queued = false;
        // Taking a long list apart for each message of the pair would cost more than it saves.
        if open.attempts.len() > LONG_LIST {
            return open.pack_attempts(ends, templates);
        }
        let (mut before, mut after) = (0, 0);
        let attempts = std::mem::take(&mut open.attempts).into_iter().map(|kept| match kept {
            Kept::Packed(packed) => packed,
            Kept::Open(followed) => {
                before += followed.alone();
                let packed = followed.pack(ends, templates);
                after += packed.alone();
                packed
            }
            Kept::Told(row) => {
                before += tellings.alone(row);
                let packed = tellings.followed(row, ends).pack(ends, templates);
                tellings.release(row);
                after += packed.alone();
                packed
            }
        });
        let attempts = attempts.collect();
        let pair = &mut open.pair;
        let rare = Rare {
            icmp_errors: std::mem::take(&mut pair.icmp_errors),
            incomplete: std::mem::take(&mut pair.incomplete),
            malformed: std::mem::take(&mut pair.malformed),
        };
        let none = rare.icmp_errors.is_empty() && rare.incomplete.is_empty() && rare.malformed.is_empty();
        let rare = (!none).then(|| Box::new(rare));
        self.body = Body::Packed(Box::new(Packed { octets: write(pair).into(), attempts, rare }));
        (before, after)
    }
}

impl Kept {
    /// Its row, if it is told.
    pub(in crate::track) fn row(&self) -> Option<u32> {
        match self {
            Self::Told(row) => Some(*row),
            Self::Open(_) | Self::Packed(_) => None,
        }
    }

    /// Octets, about, that it holds alone.
    pub(in crate::track) fn alone(&self, tellings: &Tellings) -> usize {
        match self {
            Self::Open(followed) => followed.alone(),
            Self::Packed(packed) => packed.alone(),
            Self::Told(row) => tellings.alone(*row),
        }
    }
}

impl Open {
    fn new(pair: Pair, attempts: Vec<Kept>, tellings: Option<&Tellings>) -> Self {
        let rekeying = tellings.and_then(|tellings| rekeying_attempt(&attempts, tellings));
        Self { pair, attempts, working: Vec::new(), rekeying, touched: true, queued: false }
    }

    /// Whether an attempt at work has so many messages that it stays there as long as there is room.
    pub(in crate::track) fn is_long(&self) -> bool {
        let at_work = self.working.iter().filter_map(|&place| self.attempts.get(place as usize));
        let mut messages = at_work.map(|kept| match kept {
            Kept::Open(followed) => followed.messages(),
            Kept::Packed(_) | Kept::Told(_) => 0,
        });
        messages.any(|messages| messages > LONG_ATTEMPT)
    }

    /// One more attempt, at work.
    pub(in crate::track) fn begin(&mut self, followed: Followed) {
        self.working.push(self.attempts.len() as u32);
        self.attempts.push(Kept::Open(Box::new(followed)));
    }

    /// Puts all attempts to rest where they stand.
    fn pack_attempts(&mut self, ends: (IpAddr, IpAddr), templates: &mut Templates) -> (usize, usize) {
        let (mut before, mut after) = (0, 0);
        for place in self.working.drain(..) {
            let Some(kept) = self.attempts.get_mut(place as usize) else { continue };
            let Kept::Open(followed) = kept else { continue };
            before += followed.alone();
            let packed = Followed::clone(followed).pack(ends, templates);
            after += packed.alone();
            *kept = Kept::Packed(packed);
        }
        (before, after)
    }

    /// Forgets the attempts that are not to be kept.
    pub(in crate::track) fn keep_attempts(&mut self, tellings: &Tellings, mut keep: impl FnMut(usize) -> bool) {
        let mut place = 0;
        self.attempts.retain(|_| {
            place += 1;
            keep(place - 1)
        });
        self.working.clear();
        let open = self.attempts.iter().zip(0..).filter(|(kept, _)| matches!(kept, Kept::Open(_)));
        self.working.extend(open.map(|(_, place)| place));
        self.rekeying = rekeying_attempt(&self.attempts, tellings);
    }

    /// An attempt, brought to work if it is not.
    pub(in crate::track) fn follow(
        &mut self,
        index: usize,
        ends: (IpAddr, IpAddr),
        tellings: &mut Tellings,
    ) -> Option<&mut Followed> {
        let kept = self.attempts.get_mut(index)?;
        let followed = match kept {
            Kept::Open(_) => None,
            Kept::Packed(packed) => {
                let (facts, mut rest) = packed.unpack(ends);
                let state = AttemptState::read(&facts, &mut rest);
                Some(Followed { facts, state })
            }
            Kept::Told(row) => {
                let followed = tellings.followed(*row, ends);
                tellings.release(*row);
                Some(followed)
            }
        };
        if let Some(followed) = followed {
            *kept = Kept::Open(Box::new(followed));
            self.working.push(index as u32);
        }
        match kept {
            Kept::Open(followed) => Some(followed),
            Kept::Packed(_) | Kept::Told(_) => None,
        }
    }
}

impl Packed {
    /// Octets, about, that its attempts hold alone.
    pub(in crate::track) fn alone(&self) -> usize {
        self.attempts.iter().map(PackedAttempt::alone).sum()
    }

    /// When and in which frame the pair begins.
    pub(super) fn begins(&self) -> (Timestamp, FrameRef) {
        let mut octets = &*self.octets;
        let at = Timestamp::from_nanos(take(&mut octets) as i64);
        let (_, frame) = (take(&mut octets), take(&mut octets));
        (at, FrameRef::new(take(&mut octets) as u32, frame))
    }

    /// Everything but attempts and flows.
    pub(super) fn unpack_into(&self, pair: &mut Pair) {
        read(&self.octets, pair);
        let (icmp_errors, incomplete, malformed) = match &self.rare {
            Some(rare) => (rare.icmp_errors.as_slice(), rare.incomplete.as_slice(), rare.malformed.as_slice()),
            None => Default::default(),
        };
        pair.icmp_errors.clear();
        pair.icmp_errors.extend_from_slice(icmp_errors);
        pair.incomplete.clear();
        pair.incomplete.extend_from_slice(incomplete);
        pair.malformed.clear();
        pair.malformed.extend_from_slice(malformed);
    }
}

impl Pair {
    /// A pair of which nothing is known but who it is.
    pub(in crate::track) fn blank((a, b): (IpAddr, IpAddr)) -> Self {
        Self {
            a,
            b,
            first: Timestamp::default(),
            last: Timestamp::default(),
            first_frame: FrameRef::new(0, 0),
            last_frame: FrameRef::new(0, 0),
            attempts: Vec::new(),
            flows: Vec::new(),
            icmp_errors: Vec::new(),
            incomplete: Vec::new(),
            malformed: Vec::new(),
            sent: [Seen::default(); 2],
        }
    }
}

/// Times, frames and counts of a pair. Counts of ESP and AH are those of its flows.
fn write(pair: &Pair) -> Vec<u8> {
    let mut octets = Vec::with_capacity(64);
    let mut put = |value: u64| put(&mut octets, value);
    let offset = |at: Timestamp| at.as_nanos().wrapping_sub(pair.first.as_nanos()) as u64;
    put(pair.first.as_nanos() as u64);
    put(offset(pair.last));
    for frame in [pair.first_frame, pair.last_frame] {
        put(frame.frame);
        put(u64::from(frame.capture));
    }
    for seen in &pair.sent {
        put(seen.isakmp << 2 | u64::from(seen.keepalives > 0) << 1 | u64::from(seen.span.is_some()));
        if seen.keepalives > 0 {
            put(seen.keepalives);
        }
        put(seen.on_4500);
        if let Some((first, last)) = seen.span {
            put(offset(first));
            put(last.as_nanos().wrapping_sub(first.as_nanos()) as u64);
        }
        put(seen.esp << 1 | u64::from(seen.ah > 0));
        if seen.ah > 0 {
            put(seen.ah);
        }
    }
    octets
}

/// Reads what [`write()`] wrote.
fn read(mut octets: &[u8], pair: &mut Pair) {
    let mut take = || take(&mut octets);
    let at = |first: Timestamp, offset: u64| Timestamp::from_nanos(first.as_nanos().wrapping_add(offset as i64));
    pair.first = Timestamp::from_nanos(take() as i64);
    pair.last = at(pair.first, take());
    for frame in [&mut pair.first_frame, &mut pair.last_frame] {
        let number = take();
        *frame = FrameRef::new(take() as u32, number);
    }
    for seen in &mut pair.sent {
        let isakmp = take();
        seen.isakmp = isakmp >> 2;
        seen.keepalives = if isakmp & 2 != 0 { take() } else { 0 };
        seen.on_4500 = take();
        seen.span = (isakmp & 1 != 0).then(|| {
            let first = at(pair.first, take());
            (first, at(first, take()))
        });
        let esp = take();
        seen.esp = esp >> 1;
        seen.ah = if esp & 1 != 0 { take() } else { 0 };
    }
}
