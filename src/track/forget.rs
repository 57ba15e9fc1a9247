//! What is forgotten when a ceiling is reached: the least useful first, and counted.
//!
//! The rule: of the kind that takes most, what was never answered goes, or was answered and not taken up (half open), and of that
//! the oldest, the heaviest of a few; what has more than one packet is passed over once, because somebody waits for an answer. So
//! a flood of single packets, whatever addresses, SPIs or message ids it makes up, and whoever answers them, pushes out
//! itself, and the negotiations of real peers stay. Where nothing is left but what both ends took part in, what is new is turned
//! away.

use std::collections::VecDeque;

use crate::base::Timestamp;

use super::Tracker;
use super::facts::Label;
use super::flow::FlowRow;
use super::store::pairs::Pairs;
use super::store::slot::{Body, Kept, LONG_LIST, NONE, Slot};

/// Octets, about, that a pair, an attempt at rest and a flow take, with their places in the tables and in the report.
const PAIR: usize = 320;
const ATTEMPT: usize = 160;
const FLOW: usize = 448;
/// Pairs at work that are passed over, because they were touched again, for one that is put to rest.
const PASSED_OVER: usize = 4;
/// Datagrams between two searches for something to forget that find nothing.
const LOOK_AGAIN: u32 = 4096;
/// Pairs of which the heaviest goes.
const CANDIDATES: usize = 8;
/// Octets: what takes less is as good as what takes nothing, and the oldest of it goes.
const LIGHT: usize = 1024;
/// Pairs that take far less than their share and are passed over, for one that is forgotten.
const MOST_LIGHT: usize = 64;
/// Flows of a pair that are looked at to tell whether it was answered.
const FLOWS: usize = 64;
/// Packets of a flow that make it more than a stray.
const STRAY: u64 = 2;

/// Candidates for being forgotten, the oldest first.
#[derive(Debug, Default)]
pub(super) struct Unproven {
    /// Pairs, and whether they were passed over once.
    pairs: VecDeque<(u32, bool)>,
    flows: VecDeque<u32>,
    /// Places that are free.
    free_pairs: Vec<u32>,
    free_flows: Vec<u32>,
    /// Datagrams before anything is looked for again, because there was nothing.
    nothing_left: u32,
    /// There was nothing when it was last looked for, and there has been no room since.
    stuck: bool,
    /// New attempts before any of a long list are looked for again that may go, because there was none.
    no_attempt_left: u32,
}

impl Unproven {
    /// Whether datagrams are counted until something to forget is looked for again.
    #[inline]
    pub(super) fn is_waiting(&self) -> bool {
        self.nothing_left > 0
    }
}

impl Tracker {
    /// Puts a new pair into its place, if there is room for one or can be made.
    pub(super) fn place_pair(&mut self, slot: Slot) -> Option<usize> {
        if self.is_full() || (self.pair_count >= self.limits.pairs && !self.forget_a_pair(None)) {
            self.facts.forgotten.pairs += 1;
            self.note_forgetting();
            return None;
        }
        self.pair_count += 1;
        let place = match self.unproven.free_pairs.pop() {
            Some(place) => {
                self.pairs.slots[place as usize] = slot;
                place as usize
            }
            None => {
                self.pairs.slots.push(slot);
                self.pairs.slots.len() - 1
            }
        };
        self.unproven.pairs.push_back((place as u32, false));
        Some(place)
    }

    /// Puts a new flow at the end of its pair's list, if there is room for one or can be made.
    pub(super) fn place_flow(&mut self, row: FlowRow) -> Option<usize> {
        if self.is_full() || (self.flow_index.len() >= self.limits.flows && !self.forget_a_flow()) {
            // its packets passed all the same
            let (facts, on_4500) = (row.facts(), row.on_4500());
            if let Some(open) = self.open(row.pair as usize) {
                open.pair.keep_counts(&facts, on_4500);
            }
            self.facts.forgotten.flows += 1;
            return None;
        }
        let pair = row.pair;
        let place = match self.unproven.free_flows.pop() {
            Some(place) => {
                self.pairs.flows[place as usize] = row;
                place as usize
            }
            None => {
                self.pairs.flows.push(row);
                self.pairs.flows.len() - 1
            }
        };
        self.append_flow(pair, place as u32);
        self.unproven.flows.push_back(place as u32);
        self.flow_index.insert(&self.pairs.flows, place);
        Some(place)
    }

    /// Whether pair `pair` may have one more attempt. Makes room for it, if there is something to forget.
    pub(super) fn room_for_attempt(&mut self, pair: usize) -> bool {
        let count = self.pairs.attempts(pair);
        if self.attempt_count < self.limits.attempts && count < self.limits.attempts_a_pair {
            return !self.is_full();
        }
        // a long list is not gone through for every message that wants to be added to it
        if count > LONG_LIST && self.unproven.no_attempt_left > 0 {
            self.unproven.no_attempt_left -= 1;
            return false;
        }
        let gone = self.forget_attempts(pair) > 0;
        if !gone && count > LONG_LIST {
            self.unproven.no_attempt_left = LOOK_AGAIN;
        }
        gone
    }

    /// How many packets a pair has, about, and whether it may be forgotten: it was never answered, or the end that began said
    /// nothing more after that.
    fn sketch(&self, pair: usize) -> Option<(u64, bool)> {
        let known = self.pairs.outline_alone(pair)?;
        let spans = known.sent.map(|seen| seen.span);
        let mut packets: u64 = known.sent.iter().map(|seen| seen.isakmp + seen.esp + seen.ah).sum();
        let mut sent = spans.map(|span| span.is_some());
        let mut next = self.pairs.slots.get(pair)?.flows.0;
        let without_flows = next == NONE;
        for _ in 0..FLOWS {
            let Some(row) = self.pairs.flows.get(next as usize) else { break };
            packets = packets.saturating_add(row.packets());
            sent[usize::from(!row.is_from_a(&known))] = true;
            next = row.next;
        }
        let half_open = match spans {
            [Some(one), Some(other)] => {
                let (first, second) = if one.0 <= other.0 { (one, other) } else { (other, one) };
                without_flows && first.1 < second.0
            }
            _ => false,
        };
        Some((packets, half_open || sent != [true; 2]))
    }

    /// Forgets the heaviest of the oldest pairs that were never answered or are half open, but not `spared`.
    fn forget_a_pair(&mut self, spared: Option<usize>) -> bool {
        let mut candidates: Vec<(u32, bool, usize)> = Vec::with_capacity(CANDIDATES);
        // each may be passed over and come again
        let mut looks = self.unproven.pairs.len() * 2;
        let (share, mut light) = (self.held / self.pair_count.max(1), MOST_LIGHT);
        while candidates.len() < CANDIDATES && looks > 0 {
            looks -= 1;
            let Some((place, passed_over)) = self.unproven.pairs.pop_front() else { break };
            let pair = place as usize;
            // where some take much, little is won by forgetting others
            if light > 0 && self.pairs.alone(pair) < share / 4 && share > LIGHT {
                light -= 1;
                self.unproven.pairs.push_back((place, passed_over));
                continue;
            }
            let Some((packets, may_go)) = self.sketch(pair).filter(|_| !self.pairs.is_vacant(pair)) else { continue };
            if !may_go {
                continue;
            }
            if spared == Some(pair) || (packets > 1 && !passed_over) {
                self.unproven.pairs.push_back((place, true));
                continue;
            }
            candidates.push((place, passed_over, self.pairs.alone(pair) / LIGHT));
        }
        let heaviest = candidates.iter().map(|(.., alone)| *alone).max();
        let goes = candidates.iter().position(|(.., alone)| Some(*alone) == heaviest);
        for (number, &(place, passed_over, _)) in candidates.iter().enumerate().rev() {
            if Some(number) != goes {
                self.unproven.pairs.push_front((place, passed_over));
            }
        }
        if let Some((place, ..)) = goes.and_then(|number| candidates.get(number)) {
            self.forget_pair(*place as usize);
        }
        goes.is_some()
    }

    fn forget_pair(&mut self, pair: usize) {
        let attempts = self.pairs.attempts(pair);
        for attempt in 0..attempts {
            self.attempts.remove(&self.pairs, pair, attempt);
            self.by_spis.remove(&self.pairs, pair, attempt);
        }
        self.pair_index.remove(&self.pairs, pair);
        while let Some(&Slot { flows: (first, _), .. }) = self.pairs.slots.get(pair) {
            if first == NONE {
                break;
            }
            self.forget_flow(first);
        }
        self.held = self.held.saturating_sub(self.pairs.alone(pair));
        self.forget_told(pair);
        self.attempt_count -= attempts;
        self.facts.forgotten.attempts += attempts as u64;
        self.facts.forgotten.pairs += 1;
        self.note_forgetting();
        self.pair_count -= 1;
        self.pairs.slots[pair] = Slot::vacant();
        self.unproven.free_pairs.push(pair as u32);
    }

    fn forget_a_flow(&mut self) -> bool {
        while let Some(place) = self.unproven.flows.pop_front() {
            let Some(row) = self.pairs.flows.get(place as usize).filter(|row| row.pair != NONE) else { continue };
            if row.packets() > STRAY {
                continue;
            }
            // what is forgotten of it is that it was a flow of its own, not that packets passed
            let (pair, facts, on_4500) = (row.pair as usize, row.facts(), row.on_4500());
            if let Some(open) = self.open(pair) {
                open.pair.keep_counts(&facts, on_4500);
            }
            self.forget_flow(place);
            return true;
        }
        false
    }

    fn forget_flow(&mut self, place: u32) {
        self.flow_index.remove(&self.pairs.flows, place as usize);
        self.unlink_flow(place);
        if let Some(row) = self.pairs.flows.get_mut(place as usize) {
            row.forget();
        }
        self.unproven.free_flows.push(place);
        self.facts.forgotten.flows += 1;
    }

    /// Forgets the older half of the attempts of a pair that were never answered, or of those that are half open. Answers how
    /// many.
    fn forget_attempts(&mut self, pair: usize) -> usize {
        let count = self.pairs.attempts(pair);
        let answered = |place| self.pairs.spis(pair, place).is_some_and(|(_, _, responder)| !responder.is_zero());
        let mut unanswered: Vec<usize> = (0..count).filter(|&place| !answered(place)).collect();
        if unanswered.is_empty() {
            let stage = |place| self.pairs.stage(pair, place);
            unanswered = (0..count).filter(|&place| stage(place).is_some_and(Label::leaves_half_open)).collect();
        }
        unanswered.truncate(unanswered.len().div_ceil(2));
        if unanswered.is_empty() {
            return 0;
        }
        self.hand_over(pair);
        for place in 0..count {
            self.attempts.remove(&self.pairs, pair, place);
            self.by_spis.remove(&self.pairs, pair, place);
        }
        let gone = |place: usize| unanswered.binary_search(&place);
        let Pairs { slots, tellings, .. } = &mut self.pairs;
        let Some(slot) = slots.get_mut(pair) else { return 0 };
        let ends = slot.ends();
        let open = slot.open(tellings);
        let going = || unanswered.iter().filter_map(|&place| open.attempts.get(place));
        let held: usize = going().map(|kept| kept.alone(tellings)).sum();
        self.held = self.held.saturating_sub(held);
        let rows: Vec<u32> = going().filter_map(Kept::row).collect();
        rows.into_iter().for_each(|row| tellings.release(row));
        open.keep_attempts(tellings, |place| gone(place).is_err());
        for place in 0..open.attempts.len() {
            let rekeyed = match &open.attempts[place] {
                Kept::Open(followed) => followed.facts.rekeyed_from,
                Kept::Packed(packed) => packed.template().rekeyed_from,
                Kept::Told(row) => tellings.template(*row).rekeyed_from,
            };
            if let (Some(from), Some(followed)) = (rekeyed, rekeyed.and_then(|_| open.follow(place, ends, tellings))) {
                followed.facts.rekeyed_from = gone(from).err().map(|before| from - before);
            }
        }
        for place in 0..self.pairs.attempts(pair) {
            self.index_attempt(pair, place);
            self.by_spis.insert(&self.pairs, pair, place);
        }
        self.attempt_count -= unanswered.len();
        self.facts.forgotten.attempts += unanswered.len() as u64;
        self.note_forgetting();
        unanswered.len()
    }

    /// A pair or an attempt is forgotten, or turned away: from now on what begins may have begun before.
    pub(super) fn note_forgetting(&mut self) {
        let now = self.facts.window.map_or_else(Timestamp::default, |(_, last)| last);
        self.facts.forgotten.since.get_or_insert(now);
    }

    /// Puts a flow at the end of the list of pair `pair`.
    pub(super) fn append_flow(&mut self, pair: u32, place: u32) {
        let Some(slot) = self.pairs.slots.get_mut(pair as usize) else { return };
        let last = slot.flows.1;
        slot.flows = if last == NONE { (place, place) } else { (slot.flows.0, place) };
        if let Some(last) = self.pairs.flows.get_mut(last as usize) {
            last.next = place;
        }
        if let Some(row) = self.pairs.flows.get_mut(place as usize) {
            (row.pair, row.previous, row.next) = (pair, last, NONE);
        }
    }

    fn unlink_flow(&mut self, place: u32) {
        let Some(row) = self.pairs.flows.get(place as usize) else { return };
        let (pair, previous, next) = (row.pair, row.previous, row.next);
        match self.pairs.flows.get_mut(previous as usize) {
            Some(row) => row.next = next,
            None => self.pairs.slots[pair as usize].flows.0 = next,
        }
        match self.pairs.flows.get_mut(next as usize) {
            Some(row) => row.previous = previous,
            None => self.pairs.slots[pair as usize].flows.1 = previous,
        }
    }

    /// Octets, about, that all of it takes.
    #[inline]
    pub(super) fn octets(&self) -> usize {
        self.held + self.pair_count * PAIR + self.attempt_count * ATTEMPT + self.flow_index.len() * FLOW
    }

    /// After each datagram: see [`Tracker::settle`].
    #[inline]
    pub(super) fn settle_if_due(&mut self, pair: Option<usize>) {
        if self.working.len() > self.limits.working || self.octets() > self.limits.octets {
            self.settle(pair);
        }
    }

    /// Puts to rest what has not been touched for longest, if too much is at work, and forgets what is
    /// least useful, if all of it takes more octets than it may.
    fn settle(&mut self, pair: Option<usize>) {
        let most = self.limits.working;
        let has_room = self.octets() < self.limits.octets / 2;
        let mut passed_over = 0;
        while self.working.len() > most {
            let Some(place) = self.working.pop_front() else { break };
            let Some(slot) = self.pairs.slots.get_mut(place as usize) else { continue };
            let Body::Open(open) = &mut slot.body else { continue };
            if std::mem::take(&mut open.touched) && passed_over < PASSED_OVER && self.working.len() < most * 2 {
                self.working.push_back(place);
                passed_over += 1;
                continue;
            }
            // Packing many messages for each one that comes would cost more than it saves.
            if has_room && open.is_long() {
                open.queued = false;
                continue;
            }
            let (before, after) = slot.pack(&mut self.templates, &mut self.pairs.tellings);
            self.held = (self.held + after).saturating_sub(before);
        }
        self.unproven.nothing_left = self.unproven.nothing_left.saturating_sub(1);
        while self.octets() > self.limits.octets && self.unproven.nothing_left == 0 {
            if !self.forget_something(pair) {
                self.unproven.nothing_left = LOOK_AGAIN;
                self.unproven.stuck = true;
            }
        }
        self.unproven.stuck &= self.octets() > self.limits.octets;
    }

    /// Forgets something of the kind that takes most: flows, attempts of the pair at hand, or pairs.
    fn forget_something(&mut self, pair: Option<usize>) -> bool {
        let flows = self.flow_index.len() * FLOW;
        if flows > self.octets() / 2 && self.forget_a_flow() {
            return true;
        }
        let long = pair.filter(|&pair| self.pairs.attempts(pair) > LONG_LIST);
        long.is_some_and(|pair| self.forget_attempts(pair) > 0)
            || self.forget_a_pair(pair)
            || pair.is_some_and(|pair| self.forget_attempts(pair) > 0)
            || self.forget_a_flow()
    }

    /// Whether nothing more may be kept: there is no room, and both ends took part in all that is left. What is merely being
    /// looked at again may take more than there is room for, until [`Tracker::settle`].
    pub(super) fn is_full(&self) -> bool {
        self.unproven.stuck && self.octets() > self.limits.octets
    }
}
