//! Peer pairs: which one a datagram belongs to, and what was seen of it each way.

use std::net::IpAddr;

use crate::base::{FrameRef, Timestamp};
use crate::packet::{Datagram, IncompleteDatagram};

use super::Tracker;
use super::facts::{IncompleteFact, Pair, Seen};

/// Broken datagrams remembered of one pair.
const INCOMPLETE_A_PAIR: usize = 256;

/// An unordered pair of addresses.
pub(super) fn key(one: IpAddr, other: IpAddr) -> (IpAddr, IpAddr) {
    if one <= other { (one, other) } else { (other, one) }
}

impl Tracker {
    /// The pair a datagram travels between, opened if need be; `None` if there is no room for another.
    pub(super) fn pair_of(&mut self, datagram: &Datagram<'_>) -> Option<usize> {
        self.pair_between(datagram.source, datagram.destination, datagram.at, datagram.frame)
    }

    pub(super) fn pair_between(
        &mut self,
        source: IpAddr,
        destination: IpAddr,
        at: Timestamp,
        frame: FrameRef,
    ) -> Option<usize> {
        let key = key(source, destination);
        if let Some(&index) = self.pairs.get(&key) {
            return Some(index);
        }
        if self.seen.len() >= self.limits.pairs {
            self.facts.forgotten.pairs += 1;
            return None;
        }
        let index = self.seen.len();
        self.seen.push(Pair {
            a: source,
            b: destination,
            first: at,
            last: at,
            first_frame: frame,
            last_frame: frame,
            attempts: Vec::new(),
            flows: Vec::new(),
            icmp_errors: Vec::new(),
            incomplete: Vec::new(),
            malformed: Vec::new(),
            sent: [Seen::default(); 2],
        });
        self.states.push(Vec::new());
        self.flow_states.push(Vec::new());
        self.pairs.insert(key, index);
        Some(index)
    }

    pub(super) fn observe_incomplete(&mut self, datagram: &Datagram<'_>, incomplete: &IncompleteDatagram) {
        let Some(index) = self.pair_of(datagram) else { return };
        let pair = &mut self.seen[index];
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
        let span = seen.span.get_or_insert((datagram.at, datagram.at));
        span.1 = span.1.max(datagram.at);
    }
}
