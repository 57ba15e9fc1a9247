//! Peer pairs: which one a datagram belongs to, and what was seen of it each way.

use std::net::IpAddr;

use crate::base::{FrameRef, Timestamp};
use crate::packet::{Datagram, IncompleteDatagram};

use super::Tracker;
use super::attempt::Followed;
use super::facts::{EspFlow, FlowProtocol, IncompleteFact, Pair, Seen};
use super::store::index::ends;
use super::store::pairs::Pairs;
use super::store::shared::Shared;
use super::store::slot::{Body, Kept, NONE, Open, Slot};

/// Broken datagrams remembered of one pair.
const INCOMPLETE_A_PAIR: usize = 256;

impl Tracker {
    /// The pair a datagram travels between, opened if need be; `None` if there is no room for another.
    pub(super) fn pair_of(&mut self, datagram: &Datagram<'_>) -> Option<usize> {
        self.pair_between(datagram.source, datagram.destination, datagram.at, datagram.frame)
    }

    /// The pair of these addresses, if it was seen.
    pub(super) fn pair_known(&self, one: IpAddr, other: IpAddr) -> Option<usize> {
        self.pair_index.find(&self.pairs, one, other)
    }

    pub(super) fn pair_between(
        &mut self,
        source: IpAddr,
        destination: IpAddr,
        at: Timestamp,
        frame: FrameRef,
    ) -> Option<usize> {
        if let Some(known) = self.pair_known(source, destination) {
            return Some(known);
        }
        let blank = Pair::blank((source, destination));
        let index =
            self.place_pair(Slot::new(Pair { first: at, last: at, first_frame: frame, last_frame: frame, ..blank }))?;
        self.pair_index.insert(&self.pairs, index);
        Some(index)
    }

    /// Gives a pair that moved one more pair of addresses to be found by.
    pub(super) fn name_pair(&mut self, one: IpAddr, other: IpAddr, pair: usize) {
        self.pair_index.rename(&self.pairs, ends(one, other), pair);
    }

    /// A pair, brought to work.
    pub(super) fn open(&mut self, pair: usize) -> Option<&mut Open> {
        if matches!(self.pairs.slots.get(pair)?.body, Body::Told(_)) {
            self.hand_over(pair);
        }
        let open = self.pairs.slots.get_mut(pair)?.open(&self.pairs.tellings);
        open.touched = true;
        if !open.queued {
            open.queued = true;
            self.working.push_back(pair as u32);
        }
        Some(open)
    }

    /// An attempt, brought to work, and what all have in common.
    pub(super) fn follow(&mut self, pair: usize, attempt: usize) -> Option<(&mut Shared, &mut Followed)> {
        self.open(pair)?;
        let Pairs { slots, tellings, .. } = &mut self.pairs;
        let slot = slots.get_mut(pair)?;
        let ends = slot.ends();
        let open = slot.open(tellings);
        let kept = open.attempts.get(attempt)?;
        if !matches!(kept, Kept::Open(_)) {
            let before = kept.alone(tellings);
            let after = open.follow(attempt, ends, tellings)?.alone();
            self.held = (self.held + after).saturating_sub(before);
        }
        Some((&mut self.shared, open.follow(attempt, ends, tellings)?))
    }

    /// Counts a datagram in its direction.
    pub(super) fn note(&mut self, pair: usize, datagram: &Datagram<'_>, count: impl FnOnce(&mut Seen)) {
        if let Some(open) = self.open(pair) {
            open.pair.note(datagram, count);
        }
    }

    /// Gives the flows of one pair, and what was counted of it, to another.
    pub(super) fn adopt_flows(&mut self, from: usize, to: usize) {
        let (Some((a, b)), Some(slot)) = (self.pairs.ends(from), self.pairs.slots.get_mut(from)) else { return };
        let mut next = std::mem::replace(&mut slot.flows, (NONE, NONE)).0;
        let sent = std::mem::take(&mut slot.open(&self.pairs.tellings).pair.sent);
        while let Some(row) = self.pairs.flows.get(next as usize) {
            let place = std::mem::replace(&mut next, row.next);
            self.append_flow(to as u32, place);
        }
        let Some(open) = self.open(to) else { return };
        let same_way = open.pair.is_from_a(a, b);
        for (index, seen) in sent.into_iter().enumerate() {
            let whole = &mut open.pair.sent[if same_way { index } else { 1 - index }];
            whole.esp += seen.esp;
            whole.ah += seen.ah;
            whole.keepalives += seen.keepalives;
            whole.on_4500 += seen.on_4500;
            if let Some(span) = seen.span {
                whole.widen(span);
            }
        }
    }

    pub(super) fn observe_incomplete(&mut self, datagram: &Datagram<'_>, incomplete: &IncompleteDatagram) {
        let Some(index) = self.pair_of(datagram) else { return };
        let Some(Open { pair, .. }) = self.open(index) else { return };
        if pair.incomplete.len() >= INCOMPLETE_A_PAIR {
            self.facts.forgotten.reassemblies += 1;
            return;
        }
        pair.incomplete.push(IncompleteFact {
            source: datagram.source,
            destination: datagram.destination,
            protocol: incomplete.protocol,
            ports: incomplete.ports,
            ip_id: incomplete.ip_id,
            fragments: incomplete.fragments,
            have: incomplete.have,
            total: incomplete.total,
            missing_from: incomplete.missing_from,
            first_seen: incomplete.first_seen,
            frame: datagram.first_frame,
            at: incomplete.since,
            reason: incomplete.reason,
        });
    }
}

impl Pair {
    /// Whether anything was seen in each direction.
    pub fn both_ways(&self) -> bool {
        self.sent.iter().all(|seen| seen.span.is_some())
    }

    /// Whether what travels from `source` to `destination` goes from `a` to `b`. After a move the pair knows one of the
    /// two addresses only; that one tells.
    pub fn is_from_a(&self, source: IpAddr, destination: IpAddr) -> bool {
        source == self.a || (source != self.b && destination == self.b)
    }

    /// What was seen to come from this end.
    pub fn sent_by(&self, end: IpAddr) -> &Seen {
        &self.sent[usize::from(end != self.a)]
    }

    /// Nothing is left of it: all of it turned out to belong to another pair.
    pub(super) fn is_empty(&self) -> bool {
        self.attempts.is_empty()
            && self.flows.is_empty()
            && self.icmp_errors.is_empty()
            && self.incomplete.is_empty()
            && self.malformed.is_empty()
            && self.sent.iter().all(|seen| seen.span.is_none())
    }

    /// Counts a datagram in its direction.
    pub(super) fn note(&mut self, datagram: &Datagram<'_>, count: impl FnOnce(&mut Seen)) {
        self.last = self.last.max(datagram.at);
        self.last_frame = datagram.frame;
        let from_a = self.is_from_a(datagram.source, datagram.destination);
        let seen = &mut self.sent[usize::from(!from_a)];
        count(seen);
        seen.widen((datagram.at, datagram.at));
    }

    /// Keeps the counts of a flow that is forgotten.
    pub(super) fn keep_counts(&mut self, flow: &EspFlow, on_4500: u64) {
        let from_a = self.is_from_a(flow.source, flow.destination);
        let seen = &mut self.sent[usize::from(!from_a)];
        match flow.protocol {
            FlowProtocol::Esp => seen.esp += flow.packets,
            FlowProtocol::Ah => seen.ah += flow.packets,
        }
        seen.on_4500 += on_4500;
        seen.widen((flow.first, flow.last));
    }
}

impl Seen {
    /// Widens the time in which anything was seen.
    pub(super) fn widen(&mut self, span: (Timestamp, Timestamp)) {
        let known = self.span.get_or_insert(span);
        *known = (known.0.min(span.0), known.1.max(span.1));
    }
}
