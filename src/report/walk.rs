//! The rows of a report without the rows: which facts stand where, table by table, brought out one at a time.
//!
//! Not here: what a row holds ([`super::build`], [`super::json`]). Contract: rows in order of first frame, exchanges in the
//! order of their attempts; an id is a place; a dozen octets an attempt, whatever there is of it.

use std::collections::{BTreeSet, HashMap};
use std::net::IpAddr;
use std::ops::Range;

use crate::base::{FrameRef, Timestamp};
use crate::capture::CaptureInfo;
use crate::diagnose::{self, Diagnosis, Outcome, PairStatus, Severity};
use crate::track::{self, Facts, Room, UNDERWAY};

use super::build::{self, Selection};
use super::model::{Capture, Counts, Forgotten, Report, SameAs, Window};

/// A pair that the report leaves out.
const LEFT_OUT: u32 = u32::MAX;

/// The frame of what has none.
const NOWHERE: FrameRef = FrameRef::new(0, 0);

/// All rows of a table.
pub(super) const ALL: Range<usize> = 0..usize::MAX;

/// Tables whose rows are brought out one at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    Pairs,
    Attempts,
    Exchanges,
    EspFlows,
    IcmpErrors,
    Incomplete,
    Malformed,
    Findings,
}

/// What a report is made of, row by row.
#[derive(Debug)]
pub struct Walk<'a> {
    pub(super) facts: &'a Facts,
    pub(super) diagnosis: &'a Diagnosis,
    pub(super) captures: Vec<Capture>,
    pub(super) selection: Vec<String>,
    pairs: Chosen,
    /// Per row of pairs: where the ids of its attempts begin.
    starts: Vec<u32>,
    attempt_ids: Vec<u32>,
    /// By id, the pairs that show what an earlier one does.
    same_as: HashMap<usize, SameAs>,
    attempts: Vec<Place>,
    flows: Vec<Place>,
    icmp_errors: Vec<Place>,
    incomplete: Vec<Place>,
    malformed: Vec<Place>,
}

/// Which pairs of the facts are rows.
#[derive(Debug)]
enum Chosen {
    /// All of them, so many, in their order: an id is an index among the facts.
    All(u32),
    Some {
        /// Per row: index of the pair among the facts.
        pairs: Vec<u32>,
        /// Per pair of the facts: its id, or [`LEFT_OUT`].
        ids: Vec<u32>,
    },
}

impl Chosen {
    /// These, in order of their rows, of so many.
    fn new(pairs: Vec<u32>, of: usize) -> Self {
        if pairs.len() == of && pairs.is_sorted() {
            return Self::All(short(of));
        }
        let mut ids = vec![LEFT_OUT; of];
        for (&pair, id) in pairs.iter().zip(0..) {
            if let Some(slot) = ids.get_mut(index(pair)) {
                *slot = id;
            }
        }
        Self::Some { pairs, ids }
    }

    fn len(&self) -> usize {
        match self {
            Self::All(count) => index(*count),
            Self::Some { pairs, .. } => pairs.len(),
        }
    }

    /// The index among the facts of the pair with this id.
    fn fact(&self, id: usize) -> Option<usize> {
        match self {
            Self::All(count) => (id < index(*count)).then_some(id),
            Self::Some { pairs, .. } => pairs.get(id).copied().map(index),
        }
    }

    /// The id of a pair of the facts, if it is a row.
    fn id(&self, pair: usize) -> Option<usize> {
        match self {
            Self::All(count) => (pair < index(*count)).then_some(pair),
            Self::Some { ids, .. } => ids.get(pair).copied().filter(|&id| id != LEFT_OUT).map(index),
        }
    }

    /// Index among the facts and id of each.
    fn rows(&self) -> impl Iterator<Item = (usize, u32)> + Clone + '_ {
        (0..self.len()).filter_map(|id| Some((self.fact(id)?, short(id))))
    }
}

/// Where among the facts a row stands: id of the pair, and index within it.
type Place = [u32; 2];

/// A row of `pairs`.
pub(super) struct PairRow<'r> {
    pub id: usize,
    pub fact: &'r track::Pair,
    pub status: PairStatus,
    pub verdict: Option<&'static str>,
    pub same_as: Option<SameAs>,
    /// Ids.
    pub attempts: &'r [u32],
}

/// A row of `attempts`.
pub(super) struct AttemptRow<'r> {
    pub id: usize,
    pub pair: usize,
    pub fact: &'r track::Attempt,
    pub outcome: Outcome,
    pub verdict: Option<&'static str>,
    pub rekeyed_from: Option<usize>,
}

/// Where the attempt of a row stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct AttemptPlace {
    /// Its id, and that of its pair.
    pub id: usize,
    pub pair: usize,
    /// Index of the pair among the facts, and of the attempt within the pair.
    pub fact: usize,
    pub attempt: usize,
}

/// A row of `exchanges`.
pub(super) struct ExchangeRow<'r> {
    pub id: usize,
    pub attempt: usize,
    pub fact: &'r track::Exchange,
    pub of: &'r track::Attempt,
}

/// A row of `findings`.
pub(super) struct FindingRow<'r> {
    pub fact: &'r diagnose::Finding,
    pub pair: Option<usize>,
    pub attempt: Option<usize>,
}

/// Says of rows where they begin, so that they can be put in order.
struct Order {
    /// Several captures: time first. Within one, its own order is the truth even if its clock ran backwards.
    by_time: bool,
}

impl Order {
    /// The places of rows, in order of their beginnings and then of their places.
    fn of(&self, rows: impl Iterator<Item = (Timestamp, FrameRef, Place)> + Clone) -> Vec<Place> {
        self.of_two(rows, std::iter::empty(), 0)
    }

    /// The same of rows that come in two runs, so many in all, about.
    fn of_two(
        &self,
        one: impl Iterator<Item = (Timestamp, FrameRef, Place)> + Clone,
        other: impl Iterator<Item = (Timestamp, FrameRef, Place)> + Clone,
        count: usize,
    ) -> Vec<Place> {
        let by_time = |(at, frame, of): (Timestamp, FrameRef, Place)| ((at, frame), of);
        let by_frame = |(_, frame, of): (Timestamp, FrameRef, Place)| (frame.frame, of);
        if self.by_time {
            merged(one.map(by_time), other.map(by_time), count)
        } else {
            merged(one.map(by_frame), other.map(by_frame), count)
        }
    }
}

/// The places of rows that come in two runs, in order. Mostly each run is in order: then no key is kept.
fn merged<K: Ord + Copy>(
    one: impl Iterator<Item = (K, Place)> + Clone,
    other: impl Iterator<Item = (K, Place)> + Clone,
    count: usize,
) -> Vec<Place> {
    let (mut ones, mut others) = (one.clone().peekable(), other.clone().peekable());
    let mut places = Vec::with_capacity(count);
    let mut last = None;
    loop {
        let next = match (ones.peek(), others.peek()) {
            (Some(one), Some(other)) if other < one => others.next(),
            (Some(_), _) => ones.next(),
            (None, _) => others.next(),
        };
        let Some(next) = next else { return places };
        if last.replace(next).is_some_and(|last| next < last) {
            break;
        }
        places.push(next.1);
    }
    drop(places);
    let mut keyed: Vec<(K, Place)> = one.chain(other).collect();
    keyed.sort_unstable();
    keyed.into_iter().map(|(_, place)| place).collect()
}

/// The rows of a range, with their places.
fn numbered<T>(rows: &[T], range: Range<usize>) -> impl Iterator<Item = (usize, &T)> {
    let end = range.end.min(rows.len());
    rows.get(range.start..end).unwrap_or_default().iter().zip(range.start..).map(|(row, place)| (place, row))
}

/// When and in which frame each exchange of an attempt begins.
pub(super) fn beginnings(attempt: &track::Attempt) -> impl ExactSizeIterator<Item = (Timestamp, FrameRef)> {
    attempt.exchanges.iter().map(|exchange| {
        let first = exchange.messages.first().map(|first| (first.at, first.frame));
        first.unwrap_or((attempt.first, attempt.first_frame))
    })
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn short(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(LEFT_OUT)
}

/// Pairs that show the same tunnel as an earlier one, at the same time, in another capture.
fn same_as(facts: &Facts, diagnosis: &Diagnosis, pairs: &Chosen) -> HashMap<usize, SameAs> {
    let shared = diagnosis.seen_elsewhere();
    let ids: BTreeSet<usize> = shared.filter_map(|pair| pairs.id(pair)).collect();
    let (mut known, mut same) = (HashMap::new(), HashMap::new());
    for (id, pair) in ids.into_iter().filter_map(|id| Some((id, pairs.fact(id)?))) {
        let attempts = (0..facts.pairs.attempts(pair)).filter_map(|attempt| {
            let (version, initiator_spi, _) = facts.pairs.spis(pair, attempt)?;
            Some(((version, initiator_spi), facts.pairs.beginning(pair, attempt)?))
        });
        for (spi, (at, frame)) in attempts {
            let &mut (first, begun, capture) = known.entry(spi).or_insert((id, at, frame.capture));
            let at_once = at.since(begun) <= UNDERWAY && begun.since(at) <= UNDERWAY;
            if first != id && capture != frame.capture && at_once {
                same.entry(id).or_insert(SameAs { pair: first, capture });
            }
        }
    }
    same
}

impl<'a> Walk<'a> {
    /// The rows of the pairs that `selection` admits. Ids count the rows of this report; findings about the captures as a
    /// whole stay.
    pub fn new(
        captures: Vec<(CaptureInfo, Counts)>,
        facts: &'a Facts,
        diagnosis: &'a Diagnosis,
        selection: &Selection,
    ) -> Self {
        let pairs = (0..facts.pairs.len())
            .filter(|&index| facts.pairs.ends(index).is_some_and(|(a, b)| selection.admits(a, b)))
            .map(short)
            .collect();
        let captures =
            captures.into_iter().zip(0..).map(|((info, counts), id)| build::capture(id, info, counts)).collect();
        let selection = selection
            .pairs
            .iter()
            .map(|(one, other)| other.map_or_else(|| one.to_string(), |other| format!("{one},{other}")))
            .collect();
        Self::of(captures, selection, facts, diagnosis, pairs)
    }

    /// The rows of these pairs, by index among the facts.
    fn of(
        captures: Vec<Capture>,
        selection: Vec<String>,
        facts: &'a Facts,
        diagnosis: &'a Diagnosis,
        mut pairs: Vec<u32>,
    ) -> Self {
        let order = Order { by_time: captures.len() > 1 };
        let begins = |pair: u32| {
            let (at, frame) = facts.pairs.begins(index(pair)).unwrap_or((Timestamp::default(), NOWHERE));
            (if order.by_time { at } else { Timestamp::default() }, frame)
        };
        if !pairs.is_sorted_by_key(|&pair| begins(pair)) {
            pairs.sort_by_cached_key(|&pair| begins(pair));
        }

        let pairs = Chosen::new(pairs, facts.pairs.len());
        let mut starts = Vec::with_capacity(pairs.len());
        let mut all = 0_usize;
        for (pair, _) in pairs.rows() {
            starts.push(short(all));
            all = all.saturating_add(facts.pairs.attempts(pair));
        }

        let attempts_of = |pair: usize, id: u32, numbers: Range<usize>| {
            numbers.map(move |attempt| {
                let (at, frame) = facts.pairs.beginning(pair, attempt).unwrap_or((Timestamp::default(), NOWHERE));
                (at, frame, [id, short(attempt)])
            })
        };
        // pairs are in order of their first attempts, and so, mostly, are the others
        let firsts = pairs.rows().flat_map(|(pair, id)| attempts_of(pair, id, 0..facts.pairs.attempts(pair).min(1)));
        let others = pairs.rows().flat_map(|(pair, id)| attempts_of(pair, id, 1..facts.pairs.attempts(pair)));
        let attempts = order.of_two(firsts, others, all);
        let mut attempt_ids = vec![LEFT_OUT; all];
        for (&[pair, attempt], id) in attempts.iter().zip(0..) {
            let place = starts.get(index(pair)).map(|&start| index(start).saturating_add(index(attempt)));
            if let Some(slot) = place.and_then(|place| attempt_ids.get_mut(place)) {
                *slot = id;
            }
        }

        let flows = order.of(pairs
            .rows()
            .flat_map(|(pair, id)| facts.pairs.flows(pair).map(move |(place, at, frame)| (at, frame, [id, place]))));
        let (mut icmp_errors, mut incomplete, mut malformed) = (Vec::new(), Vec::new(), Vec::new());
        for (pair, id) in pairs.rows().filter(|&(pair, _)| facts.pairs.has_side_lists(pair)) {
            let Some(pair) = facts.pairs.outline(pair) else { continue };
            let place = |number: usize| [id, short(number)];
            icmp_errors.extend(
                pair.icmp_errors.iter().enumerate().map(|(number, error)| {
                    (error.first, error.frames.first().copied().unwrap_or(NOWHERE), place(number))
                }),
            );
            let datagrams = pair.incomplete.iter().enumerate();
            incomplete.extend(datagrams.map(|(number, datagram)| (datagram.at, datagram.frame, place(number))));
            let datagrams = pair.malformed.iter().enumerate();
            malformed.extend(datagrams.map(|(number, datagram)| (datagram.at, datagram.frame, place(number))));
        }
        let icmp_errors = order.of(icmp_errors.into_iter());
        let incomplete = order.of(incomplete.into_iter());
        let malformed = order.of(malformed.into_iter());
        Self {
            facts,
            diagnosis,
            captures,
            selection,
            same_as: same_as(facts, diagnosis, &pairs),
            pairs,
            starts,
            attempt_ids,
            attempts,
            flows,
            icmp_errors,
            incomplete,
            malformed,
        }
    }

    /// The whole report: all rows, at once.
    pub fn report(&self) -> Report {
        build::report(self)
    }

    /// The same about these pairs only, by id. Findings about the captures as a whole stay.
    pub(super) fn only(&self, ids: impl IntoIterator<Item = usize>) -> Self {
        let pairs = ids.into_iter().filter_map(|id| self.pairs.fact(id).map(short)).collect();
        Self::of(self.captures.clone(), self.selection.clone(), self.facts, self.diagnosis, pairs)
    }

    /// Whether there is a finding of this severity or a worse one.
    pub fn has(&self, severity: Severity) -> bool {
        self.severities().any(|(_, found)| found >= severity)
    }

    /// Of each finding: id of its pair, and severity.
    pub(super) fn severities(&self) -> impl Iterator<Item = (Option<usize>, Severity)> {
        self.diagnosis.entries().filter_map(|entry| match entry.pair {
            None => Some((None, entry.severity)),
            Some(pair) => Some((Some(self.pairs.id(pair)?), entry.severity)),
        })
    }

    /// Of each pair, by id: how it stands.
    pub(super) fn statuses(&self) -> impl Iterator<Item = PairStatus> {
        self.pairs.rows().map(|(pair, _)| self.diagnosis.pair(pair).map_or(PairStatus::Unknown, |judged| judged.status))
    }

    pub(super) fn window(&self) -> Option<Window> {
        self.facts.window.map(|(first, last)| Window { first, last })
    }

    pub(super) fn forgotten(&self) -> Forgotten {
        let forgotten = self.facts.forgotten;
        Forgotten {
            pairs: forgotten.pairs,
            attempts: forgotten.attempts,
            flows: forgotten.flows,
            messages: forgotten.messages,
            reassemblies: forgotten.reassemblies,
            streams: forgotten.streams,
        }
    }

    /// The ids of the attempts of the pair with this id.
    fn attempts_of(&self, pair: usize) -> &[u32] {
        let start_of = |pair: usize| self.starts.get(pair).map_or(self.attempt_ids.len(), |&start| index(start));
        self.attempt_ids.get(start_of(pair)..start_of(pair.saturating_add(1))).unwrap_or_default()
    }

    /// The id of an attempt, by its index within the pair with this id.
    pub(super) fn attempt_id(&self, pair: usize, attempt: usize) -> Option<usize> {
        self.attempts_of(pair).get(attempt).copied().map(index)
    }

    /// How many rows a table has; of exchanges, how many attempts they belong to.
    pub(super) fn rows(&self, table: Table) -> usize {
        match table {
            Table::Pairs => self.pairs.len(),
            Table::Attempts | Table::Exchanges => self.attempts.len(),
            Table::EspFlows => self.flows.len(),
            Table::IcmpErrors => self.icmp_errors.len(),
            Table::Incomplete => self.incomplete.len(),
            Table::Malformed => self.malformed.len(),
            Table::Findings => self.diagnosis.len(),
        }
    }

    /// These rows of `pairs`.
    pub(super) fn each_pair<E>(
        &self,
        rows: Range<usize>,
        mut each: impl FnMut(PairRow<'_>) -> Result<(), E>,
    ) -> Result<(), E> {
        for id in rows.start..rows.end.min(self.pairs.len()) {
            let Some(pair) = self.pairs.fact(id) else { continue };
            let Some(fact) = self.facts.pairs.outline(pair) else { continue };
            let judged = self.diagnosis.pair(pair);
            each(PairRow {
                id,
                fact: &fact,
                status: judged.as_ref().map_or(PairStatus::Unknown, |judged| judged.status),
                verdict: judged.as_ref().and_then(|judged| judged.verdict).map(|verdict| verdict.id()),
                same_as: self.same_as.get(&id).copied(),
                attempts: self.attempts_of(id),
            })?;
        }
        Ok(())
    }

    /// Where the attempts of these rows stand.
    pub(super) fn places(&self, rows: Range<usize>) -> impl Iterator<Item = AttemptPlace> {
        numbered(&self.attempts, rows).filter_map(|(id, &[pair, attempt])| {
            let fact = self.pairs.fact(index(pair))?;
            Some(AttemptPlace { id, pair: index(pair), fact, attempt: index(attempt) })
        })
    }

    /// How an attempt stood, and what best explains it.
    pub(super) fn judged(&self, place: AttemptPlace) -> (Outcome, Option<&'static str>) {
        let judged = self.diagnosis.pair(place.fact).and_then(|judged| judged.attempts.get(place.attempt).copied());
        let verdict = judged.and_then(|judged| judged.verdict).map(|verdict| verdict.id());
        (judged.map_or(Outcome::Unknown, |judged| judged.outcome), verdict)
    }

    /// The id of the attempt that this one replaces, whose index within the pair is `older`.
    pub(super) fn rekeyed_from(&self, place: AttemptPlace, older: Option<usize>) -> Option<usize> {
        older.and_then(|older| self.attempt_id(place.pair, older))
    }

    /// An attempt, brought out into `room`.
    pub(super) fn attempt<'s>(&'s self, place: AttemptPlace, room: &'s mut Room<'_>) -> Option<&'s track::Attempt> {
        self.facts.pairs.read_attempt(place.fact, place.attempt, room)
    }

    /// An attempt that is told, where it stands.
    pub(super) fn told(&self, place: AttemptPlace) -> Option<track::Told<'a>> {
        self.facts.pairs.told(place.fact, place.attempt)
    }

    /// How many exchanges an attempt has.
    pub(super) fn exchanges(&self, place: AttemptPlace) -> usize {
        self.facts.pairs.exchanges(place.fact, place.attempt)
    }

    /// Puts the exchanges of an attempt in order, by where each begins.
    pub(super) fn order<I>(&self, begins: impl Fn() -> I, order: &mut Vec<usize>)
    where
        I: ExactSizeIterator<Item = (Timestamp, FrameRef)>,
    {
        let by_time = self.captures.len() > 1;
        let keys = || begins().map(move |(at, frame)| (if by_time { at } else { Timestamp::default() }, frame));
        order.clear();
        order.extend(0..keys().len());
        if !keys().is_sorted() {
            let keys: Vec<_> = keys().collect();
            order.sort_by_key(|&index| keys.get(index));
        }
    }

    /// Every row of `attempts`.
    pub(super) fn each_attempt<E>(&self, mut each: impl FnMut(AttemptRow<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut room = Room::default();
        for place in self.places(ALL) {
            let Some(fact) = self.attempt(place, &mut room) else { continue };
            let (outcome, verdict) = self.judged(place);
            each(AttemptRow {
                id: place.id,
                pair: place.pair,
                fact,
                outcome,
                verdict,
                rekeyed_from: self.rekeyed_from(place, fact.rekeyed_from),
            })?;
        }
        Ok(())
    }

    /// Every row of `exchanges`.
    pub(super) fn each_exchange<E>(&self, mut each: impl FnMut(ExchangeRow<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut room = Room::default();
        let mut order = Vec::new();
        let mut id = 0;
        for place in self.places(ALL) {
            let Some(of) = self.attempt(place, &mut room) else { continue };
            self.order(|| beginnings(of), &mut order);
            for fact in order.iter().filter_map(|&index| of.exchanges.get(index)) {
                each(ExchangeRow { id, attempt: place.id, fact, of })?;
                id += 1;
            }
        }
        Ok(())
    }

    /// These rows of `esp_flows`: id, and that of its pair.
    pub(super) fn each_flow<E>(
        &self,
        rows: Range<usize>,
        mut each: impl FnMut(usize, usize, &track::EspFlow) -> Result<(), E>,
    ) -> Result<(), E> {
        for (id, &[pair, place]) in numbered(&self.flows, rows) {
            let Some(flow) = self.facts.pairs.flow(place) else { continue };
            each(id, index(pair), &flow)?;
        }
        Ok(())
    }

    /// These rows of `icmp_errors`, with the id of the pair.
    pub(super) fn each_icmp_error<E>(
        &self,
        rows: Range<usize>,
        mut each: impl FnMut(usize, &track::IcmpFact) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_of(&self.icmp_errors, rows, |pair| &pair.icmp_errors, |pair, _, error| each(pair, error))
    }

    /// These rows of `incomplete`, with the id of the pair.
    pub(super) fn each_incomplete<E>(
        &self,
        rows: Range<usize>,
        mut each: impl FnMut(usize, &track::IncompleteFact) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_of(&self.incomplete, rows, |pair| &pair.incomplete, |pair, _, datagram| each(pair, datagram))
    }

    /// These rows of `malformed`, with the id of the pair and the pair.
    pub(super) fn each_malformed<E>(
        &self,
        rows: Range<usize>,
        each: impl FnMut(usize, &track::Pair, &track::MalformedFact) -> Result<(), E>,
    ) -> Result<(), E> {
        self.each_of(&self.malformed, rows, |pair| &pair.malformed, each)
    }

    fn each_of<T, E>(
        &self,
        places: &[Place],
        rows: Range<usize>,
        list: impl Fn(&track::Pair) -> &[T],
        mut each: impl FnMut(usize, &track::Pair, &T) -> Result<(), E>,
    ) -> Result<(), E> {
        for (_, &[pair, place]) in numbered(places, rows) {
            let outline = self.pairs.fact(index(pair)).and_then(|fact| self.facts.pairs.outline(fact));
            let Some(outline) = outline else { continue };
            let Some(fact) = list(&outline).get(index(place)) else { continue };
            each(index(pair), &outline, fact)?;
        }
        Ok(())
    }

    /// Where the rows of `findings` in this range stand among all findings, each with the id of its pair.
    pub(super) fn findings(&self, places: Range<usize>) -> impl Iterator<Item = (usize, Option<usize>)> {
        (places.start..places.end.min(self.diagnosis.len())).filter_map(|place| {
            let pair = self.diagnosis.entry_at(place)?.pair;
            // those of pairs that are left out are left out too
            pair.map_or(Some((place, None)), |pair| Some((place, Some(self.pairs.id(pair)?))))
        })
    }

    /// A finding as far as it is its own; `None` if it has to be made.
    pub(super) fn brief(&self, place: usize) -> Option<diagnose::Brief<'a>> {
        self.diagnosis.brief(place)
    }

    /// The addresses of a pair of the facts.
    pub(super) fn ends(&self, index: usize) -> Option<(IpAddr, IpAddr)> {
        self.facts.pairs.ends(index)
    }

    /// The finding at this place as it is told of every pair: with [`diagnose::BLANKS`] for the addresses.
    pub(super) fn finding_of_many(&self, place: usize) -> Option<diagnose::Finding> {
        self.diagnosis.finding_of_many(place)
    }

    /// The finding at this place.
    pub(super) fn finding(&self, place: usize, room: &mut Room<'a>) -> Option<diagnose::Finding> {
        self.diagnosis.finding(place, self.facts, room)
    }

    /// Every row of `findings`.
    pub(super) fn each_finding<E>(&self, mut each: impl FnMut(FindingRow<'_>) -> Result<(), E>) -> Result<(), E> {
        let mut room = Room::default();
        for (place, pair) in self.findings(ALL) {
            let Some(finding) = self.finding(place, &mut room) else { continue };
            let attempt = finding.attempt.and_then(|attempt| self.attempt_id(pair?, attempt));
            each(FindingRow { fact: &finding, pair, attempt })?;
        }
        Ok(())
    }
}
