//! Stencils: what rows of attempts that go alike share, as text with holes for what is an attempt's own.
//!
//! Attempts made from one template differ in SPIs, endpoints, times, frames, message ids and lengths, and in what is judged of them;
//! all else stands in the stencil, which is made once and copied ever after. Not here: what goes into the holes
//! ([`super::rows`]). Contract: a stencil depends on nothing but the template; what is kept has a ceiling, and what is not
//! kept is made again.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::diagnose::{BLANKS, Finding};
use crate::report::pen::{digits, raw};
use crate::report::words::{self, Word as _};
use crate::track::{Attempt, NatFacts, Side};

use super::parts::{OfAttempts, OfFindings, OfMessages};
use super::rows::{self, label, maybe, truth};

/// Octets of all stencils of one kind that are kept.
const MOST: usize = 4 << 20;

/// Stencils of one kind, by what tells them apart.
pub(super) struct Stencils<S> {
    places: HashMap<u64, usize>,
    kept: Vec<S>,
    octets: usize,
    /// The one that was used last.
    last: (u64, usize),
}

impl<S> Default for Stencils<S> {
    fn default() -> Self {
        Self { places: HashMap::default(), kept: Vec::new(), octets: 0, last: (0, usize::MAX) }
    }
}

impl<S> Stencils<S> {
    /// The stencil with this key. `make` answers what octets it takes, too.
    #[inline]
    pub(super) fn of(&mut self, key: u64, make: impl FnOnce() -> (S, usize)) -> &S {
        if self.last.0 != key || self.last.1 >= self.kept.len() {
            let place = match self.places.get(&key) {
                Some(&place) => place,
                None => self.keep(key, make()),
            };
            self.last = (key, place);
        }
        &self.kept[self.last.1]
    }

    #[cold]
    fn keep(&mut self, key: u64, (stencil, octets): (S, usize)) -> usize {
        self.octets = self.octets.saturating_add(octets);
        if self.octets > MOST {
            self.places.clear();
            self.kept.clear();
            self.octets = octets;
        }
        self.places.insert(key, self.kept.len());
        self.kept.push(stencil);
        self.kept.len() - 1
    }
}

/// Tells templates apart that are there all the while, as those are that the facts hold.
pub(super) fn place_of(template: &Arc<Attempt>) -> u64 {
    Arc::as_ptr(template).addr() as u64
}

/// A row of `findings`.
#[derive(Debug)]
pub(super) struct FindingStencil {
    text: Vec<u8>,
    /// Where the pair stands.
    pair: usize,
    /// Where an address of the pair is left out, and which.
    blanks: Vec<(usize, usize)>,
}

impl FindingStencil {
    /// Of a finding as it is told of every pair, with [`BLANKS`] for the addresses.
    pub(super) fn new(parts: &mut OfFindings, fact: &Finding) -> Self {
        let whole = Self::whole(parts, fact);
        let (text, blanks) = without_blanks(&whole.text);
        Self { text, blanks, ..whole }
    }

    /// Of a finding as it is told of one pair.
    pub(super) fn whole(parts: &mut OfFindings, fact: &Finding) -> Self {
        let mut text = Vec::new();
        let out = &mut text;
        raw(out, "\"id\":\"");
        raw(out, fact.pattern.id);
        raw(out, "\",\"severity\":\"");
        raw(out, fact.severity.word());
        raw(out, "\",\"confidence\":\"");
        raw(out, fact.confidence.word());
        raw(out, "\",\"pair\":");
        let pair = out.len();
        parts.words(out, fact);
        raw(out, ",\"consequence_of\":");
        rows::name(out, fact.consequence_of);
        Self { text, pair, blanks: Vec::new() }
    }

    pub(super) fn octets(&self) -> usize {
        self.text.len()
    }

    /// Up to the pair.
    pub(super) fn before_pair(&self) -> &[u8] {
        self.text.get(..self.pair).unwrap_or_default()
    }

    /// Behind the count, piece by piece, and which address of the pair stands behind each.
    #[inline]
    pub(super) fn behind_count(&self) -> impl Iterator<Item = (&[u8], Option<usize>)> {
        let ends = self.blanks.iter().map(|&(at, which)| (at, Some(which))).chain([(self.text.len(), None)]);
        let mut from = self.pair;
        ends.map(move |(to, which)| (self.text.get(std::mem::replace(&mut from, to)..to).unwrap_or_default(), which))
    }
}

/// Text without its [`BLANKS`], and where they stood.
fn without_blanks(text: &[u8]) -> (Vec<u8>, Vec<(usize, usize)>) {
    let text = String::from_utf8_lossy(text);
    let of = |(which, &blank)| text.match_indices(blank).map(move |(at, blank)| (at, which, blank.len()));
    let mut found: Vec<(usize, usize, usize)> = BLANKS.iter().enumerate().flat_map(of).collect();
    found.sort_unstable();
    let (mut rest, mut blanks, mut from) = (Vec::with_capacity(text.len()), Vec::new(), 0);
    for (at, which, octets) in found {
        raw(&mut rest, text.get(from..at).unwrap_or_default());
        blanks.push((rest.len(), which));
        from = at + octets;
    }
    raw(&mut rest, text.get(from..).unwrap_or_default());
    (rest, blanks)
}

/// A row of `attempts`.
#[derive(Debug)]
pub(super) struct AttemptStencil {
    text: Vec<u8>,
    /// Where each piece ends.
    ends: [usize; 7],
}

impl AttemptStencil {
    pub(super) fn new(parts: &mut OfAttempts, fact: &Attempt) -> Self {
        let mut text = Vec::new();
        let out = &mut text;
        let mut ends = [0; 7];
        head(out, fact);
        ends[0] = out.len();
        stage(out, fact);
        ends[1] = out.len();
        for (failed, end) in [(false, 2), (true, 3)] {
            parts.states(out, fact, failed);
            raw(out, ",\"midstream\":");
            truth(out, fact.midstream);
            raw(out, ",\"roles_known\":");
            truth(out, fact.roles_known);
            raw(out, ",\"rekeyed_from\":");
            ends[end] = out.len();
        }
        raw(out, ",\"offered\":");
        parts.offer(out, fact);
        raw(out, ",\"chosen\":");
        parts.choice(out, fact);
        raw(out, ",\"nat\":");
        nat(out, &fact.nat);
        ends[4] = out.len();
        raw(out, "},\"vendor_ids\":{\"initiator\":");
        parts.vendor_ids(out, &fact.vendor_ids[0]);
        raw(out, ",\"responder\":");
        parts.vendor_ids(out, &fact.vendor_ids[1]);
        raw(out, "},\"moves\":[");
        ends[5] = out.len();
        raw(out, "],\"messages_forgotten\":");
        digits(out, fact.messages_forgotten);
        ends[6] = out.len();
        Self { text, ends }
    }

    pub(super) fn octets(&self) -> usize {
        self.text.len()
    }

    #[inline]
    fn piece(&self, number: usize) -> &[u8] {
        let start = number.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.text.get(start..self.ends[number]).unwrap_or_default()
    }

    /// Behind `pair`, up to the initiator.
    pub(super) fn head(&self) -> &[u8] {
        self.piece(0)
    }

    /// From `stage` to the outcome.
    pub(super) fn stage(&self) -> &[u8] {
        self.piece(1)
    }

    /// The states, and what follows up to the value of `rekeyed_from`.
    pub(super) fn states(&self, failed: bool) -> &[u8] {
        if failed { self.piece(3) } else { self.piece(2) }
    }

    /// From `offered` to the value of `mismatch_frame`.
    pub(super) fn lists(&self) -> &[u8] {
        self.piece(4)
    }

    /// The vendor ids, up to the moves.
    pub(super) fn vendor_ids(&self) -> &[u8] {
        self.piece(5)
    }

    /// What stands behind the exchanges.
    pub(super) fn tail(&self) -> &[u8] {
        self.piece(6)
    }
}

fn head(out: &mut Vec<u8>, fact: &Attempt) {
    raw(out, ",\"version\":");
    digits(out, u64::from(words::major(fact.version)));
    raw(out, ",\"mode\":\"");
    raw(out, fact.mode.word());
    raw(out, "\",\"initiator\":\"");
}

fn stage(out: &mut Vec<u8>, fact: &Attempt) {
    raw(out, ",\"stage\":\"");
    label(out, fact.stage);
    raw(out, "\",\"waiting_for\":");
    match fact.waiting_for {
        None => raw(out, "null"),
        Some(awaited) => {
            out.push(b'"');
            label(out, awaited);
            out.push(b'"');
        }
    }
    raw(out, ",\"outcome\":\"");
}

/// What NAT detection showed, up to the frame.
fn nat(out: &mut Vec<u8>, nat: &NatFacts) {
    raw(out, "{\"initiator_behind\":");
    maybe(out, nat.behind(Side::Initiator));
    raw(out, ",\"responder_behind\":");
    maybe(out, nat.behind(Side::Responder));
    raw(out, ",\"initiator_announced\":");
    truth(out, nat.announced[0]);
    raw(out, ",\"responder_announced\":");
    truth(out, nat.announced[1]);
    for (key, [initiator, responder]) in
        [(",\"own_matches\":{\"initiator\":", nat.own_matches), (",\"peer_matches\":{\"initiator\":", nat.peer_matches)]
    {
        raw(out, key);
        maybe(out, initiator);
        raw(out, ",\"responder\":");
        maybe(out, responder);
        out.push(b'}');
    }
    raw(out, ",\"mismatch_frame\":");
}

/// All rows of `exchanges` of an attempt.
#[derive(Debug, Default)]
pub(super) struct ExchangesStencil {
    text: Vec<u8>,
    exchanges: Vec<ExchangeHoles>,
    messages: Vec<MessageHoles>,
}

/// Where the holes of an exchange are.
#[derive(Debug, Clone, Copy)]
struct ExchangeHoles {
    start: usize,
    message_id: usize,
    /// Where its first message begins.
    open: usize,
    /// Its messages, among those of the attempt.
    first: usize,
    end: usize,
}

/// Where the holes of a message are; it begins where the one before it ends.
#[derive(Debug, Clone, Copy)]
struct MessageHoles {
    endpoints: usize,
    end: usize,
    length: u32,
    from: Side,
}

/// An exchange of a stencil.
#[derive(Debug, Clone, Copy)]
pub(super) struct ExchangeStencil<'s> {
    of: &'s ExchangesStencil,
    holes: ExchangeHoles,
}

/// A message of a stencil.
#[derive(Debug, Clone, Copy)]
pub(super) struct MessageStencil<'s> {
    /// From its label to its source.
    pub(super) before_endpoints: &'s [u8],
    /// Octets of it, if that is not its own.
    pub(super) length: u32,
    /// From behind its length to the number of the capture of the message that follows, or to the end of the exchange.
    pub(super) behind_length: &'s [u8],
    pub(super) from: Side,
}

impl ExchangesStencil {
    /// `None` if a message is not plain: such are written one by one.
    pub(super) fn new(parts: &mut OfMessages, fact: &Attempt) -> Option<Self> {
        let mut stencil = Self::default();
        let out = &mut stencil.text;
        for exchange in &fact.exchanges {
            let start = out.len();
            raw(out, ",\"kind\":\"");
            raw(out, &words::exchange_kind(exchange.kind));
            raw(out, "\",\"message_id\":\"");
            let message_id = out.len();
            raw(out, "\",\"started_by\":\"");
            raw(out, exchange.started_by.word());
            raw(out, "\",\"messages\":[");
            raw(out, rows::MESSAGE);
            let (open, first) = (out.len(), stencil.messages.len());
            for (number, record) in exchange.messages.iter().enumerate() {
                if !rows::is_plain(record) {
                    return None;
                }
                rows::before_endpoints(out, record);
                let endpoints = out.len();
                rows::behind_length(out, parts, record, fact);
                raw(out, rows::PLAIN_END);
                let last = number + 1 == exchange.messages.len();
                raw(out, if last { "]" } else { "," });
                raw(out, if last { "" } else { rows::MESSAGE });
                stencil.messages.push(MessageHoles {
                    endpoints,
                    end: out.len(),
                    length: record.length,
                    from: record.from,
                });
            }
            let end = stencil.messages.len();
            if end == first {
                return None;
            }
            stencil.exchanges.push(ExchangeHoles { start, message_id, open, first, end });
        }
        Some(stencil)
    }

    pub(super) fn octets(&self) -> usize {
        self.text.len()
    }

    /// Per exchange, which of the attempt's messages begins it.
    pub(super) fn firsts(&self) -> impl ExactSizeIterator<Item = usize> {
        self.exchanges.iter().map(|exchange| exchange.first)
    }

    pub(super) fn exchange(&self, index: usize) -> Option<ExchangeStencil<'_>> {
        Some(ExchangeStencil { of: self, holes: *self.exchanges.get(index)? })
    }
}

impl<'s> ExchangeStencil<'s> {
    fn text(&self, from: usize, to: usize) -> &'s [u8] {
        self.of.text.get(from..to).unwrap_or_default()
    }

    /// Behind `attempt`, up to the message id.
    pub(super) fn before_message_id(&self) -> &'s [u8] {
        self.text(self.holes.start, self.holes.message_id)
    }

    /// Behind the message id, up to the number of the first message's capture.
    pub(super) fn behind_message_id(&self) -> &'s [u8] {
        self.text(self.holes.message_id, self.holes.open)
    }

    /// Where its messages stand among those of the attempt.
    pub(super) fn range(&self) -> Range<usize> {
        self.holes.first..self.holes.end
    }

    /// Its messages.
    pub(super) fn messages(&self) -> impl Iterator<Item = MessageStencil<'s>> {
        let mut start = self.holes.open;
        let messages = self.of.messages.get(self.range()).unwrap_or_default();
        messages.iter().map(move |holes| {
            let from = std::mem::replace(&mut start, holes.end);
            MessageStencil {
                before_endpoints: self.text(from, holes.endpoints),
                length: holes.length,
                behind_length: self.text(holes.endpoints, holes.end),
                from: holes.from,
            }
        })
    }
}
