//! ESP and AH of a pair by direction: shared by the patterns that judge traffic.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::sizes::{Content, V1Suite};
use crate::diagnose::unheard::ANSWER_WITHIN;
use crate::packet::Encapsulation;
use crate::track::{EspFlow, Label, Lengths, MessageRecord, Pair, Side};

use super::life_cycle::{self, spacing};
use super::nat;

/// An SA replaced by a newer one is used for this long at most: longer, and the sender does not know the newer one.
pub(super) const GRACE: Duration = Duration::from_secs(30);
/// The first packets on an SA may be recorded before the message that completes it.
pub(super) const AHEAD: Duration = Duration::from_secs(1);

/// Packets of one direction.
#[derive(Debug, Clone)]
pub(super) struct Way<'a> {
    /// Who sends.
    pub from: IpAddr,
    /// Who receives.
    pub to: IpAddr,
    /// One entry an SPI, in order of first packet.
    pub flows: Vec<&'a EspFlow>,
}

/// From `a` to `b`, and back. An address that moved counts for the side it belongs to.
pub(super) fn ways<'a>(case: &Case<'a>) -> [Way<'a>; 2] {
    let (a, b) = (case.pair.a, case.pair.b);
    let (there, back) = case.pair.flows.iter().partition(|flow| flow.source == a || flow.destination == b);
    [Way { from: a, to: b, flows: there }, Way { from: b, to: a, flows: back }]
}

/// Whether a flow sent packets until `at`, at its pace.
pub(super) fn goes_on_at(flow: &EspFlow, at: Timestamp) -> bool {
    flow.last.after(AHEAD.max(life_cycle::spacing(flow) * 2)) >= at
}

impl<'a> Way<'a> {
    /// Flows that `keep` accepts.
    pub fn only(&self, keep: impl Fn(&EspFlow) -> bool) -> Self {
        Self { flows: self.flows.iter().copied().filter(|flow| keep(flow)).collect(), ..*self }
    }

    /// Flows of SAs that came up at `at` or later.
    pub fn begun_since(&self, at: Timestamp) -> Self {
        self.only(|flow| flow.first.after(AHEAD) >= at)
    }

    /// Flows of SAs that came up between `at` and `until`, if all flows are in order of their first packet.
    pub fn begun_between(&self, at: Timestamp, until: Timestamp) -> Self {
        let from = self.flows.partition_point(|flow| flow.first.after(AHEAD) < at);
        let to = self.flows.partition_point(|flow| flow.first <= until);
        Self { flows: self.flows.get(from..to).unwrap_or_default().to_vec(), ..*self }
    }

    /// Flows still in use at `at` or later.
    pub fn used_since(&self, at: Timestamp) -> Self {
        self.only(|flow| flow.last >= at)
    }

    /// Whether packets were sent until `at`, at the pace of their flow.
    pub fn goes_on_at(&self, at: Timestamp) -> bool {
        self.flows.iter().any(|flow| goes_on_at(flow, at))
    }

    /// No packet.
    pub fn is_empty(&self) -> bool {
        self.flows.is_empty()
    }

    /// Packets in all.
    pub fn packets(&self) -> u64 {
        self.flows.iter().map(|flow| flow.packets).sum()
    }

    /// Time of the first packet.
    pub fn first(&self) -> Option<Timestamp> {
        self.flows.iter().map(|flow| flow.first).min()
    }

    /// Time of the last packet.
    pub fn last(&self) -> Option<Timestamp> {
        self.flows.iter().map(|flow| flow.last).max()
    }

    /// From the first packet to the last.
    pub fn span(&self) -> Duration {
        self.first().zip(self.last()).map_or(Duration::ZERO, |(first, last)| last.since(first))
    }

    /// All packets travel directly over IP.
    pub fn is_native(&self) -> bool {
        self.flows.iter().all(|flow| flow.encapsulation == Encapsulation::None)
    }

    /// Whether one of the packets was recorded behind the first one of `other`, whatever their times say.
    pub fn is_recorded_behind(&self, other: &Self) -> bool {
        let first = other.flows.iter().map(|flow| flow.first_frame).min();
        let behind = |last: FrameRef| first.is_some_and(|first| last.capture == first.capture && last > first);
        self.flows.iter().any(|flow| behind(flow.last_frame))
    }

    /// For how long packets were lost one after the other, before a capture point, by the pace of all of them.
    pub fn outage(&self) -> Duration {
        let of = |flow: &&EspFlow| {
            let lost = u64::from(flow.widest.max(flow.follows.map_or(0, |follows| follows.widest)));
            let all = flow.packets.saturating_add(flow.lost).max(2);
            let seconds = flow.last.since(flow.first).as_secs_f64() * lost as f64 / (all - 1) as f64;
            Duration::try_from_secs_f64(seconds).unwrap_or_default()
        };
        self.flows.iter().map(of).max().unwrap_or_default()
    }

    /// Frames of the first and last packet of the first few flows.
    pub fn frames(&self) -> Vec<FrameRef> {
        self.flows.iter().take(8).flat_map(|flow| [flow.first_frame, flow.last_frame]).collect()
    }

    /// All packets are of one size.
    pub fn is_even(&self) -> bool {
        let one = self.flows.first().map_or(0, |flow| flow.length_range.0);
        self.flows.iter().all(|flow| flow.length_range == (one, one))
    }

    /// What this side sends is answered by `other`, as far as one sees: packets of one size each way, as many, that begin and end
    /// together.
    pub fn is_answered_by(&self, other: &Self) -> bool {
        let (here, there) = (self.packets(), other.packets());
        let pace = u32::try_from(here).ok().and_then(|packets| self.span().checked_div(packets)).unwrap_or_default();
        let together = |one: Option<Timestamp>, two: Option<Timestamp>| {
            one.zip(two).is_some_and(|(one, two)| one.max(two).since(one.min(two)) <= (pace / 4).max(LEAST_TIME))
        };
        let as_many = here.min(there) >= LEAST_PACKETS && here.abs_diff(there) <= here / 8;
        let even = self.is_even() && other.is_even();
        even && as_many && together(self.first(), other.first()) && together(self.last(), other.last())
    }

    /// What the spacing of equal packets looks like, in words.
    pub fn rhythm(&self) -> Option<&'static str> {
        let [flow] = self.flows.as_slice() else { return None };
        if flow.length_range.0 != flow.length_range.1 || !(3..=64).contains(&flow.packets) {
            return None;
        }
        let seconds = flow.last.since(flow.first).as_secs_f64();
        let gaps = (flow.packets - 1) as f64;
        let close = |to: f64| (seconds - to).abs() <= 0.1 * to;
        if close(gaps) {
            return Some("one a second and all of one size, as ping sends them");
        }
        // A SYN is sent again after 1, 2, 4, … s.
        let doubling = flow.packets >= 3 && flow.packets <= 8 && close(gaps.exp2() - 1.0);
        doubling.then_some("all of one size, at doubling intervals, as TCP repeats a SYN")
    }
}

/// So many SPIs in UDP, and hardly more packets than SPIs, are no SAs.
const NO_SPIS: usize = 16;

/// Whether what looks like ESP in UDP is none: nearly every packet would have an SPI of its own.
pub(in crate::diagnose) fn is_no_esp(pair: &Pair) -> bool {
    let flows = &pair.flows;
    let in_udp = |flow: &EspFlow| flow.encapsulation == Encapsulation::Udp;
    let packets: u64 = flows.iter().map(|flow| flow.packets).sum();
    flows.len() >= NO_SPIS && packets <= flows.len() as u64 * 3 / 2 && flows.iter().all(in_udp)
}

/// Whether packets of each of the [`ways`] were counted whose flows were forgotten.
pub(super) fn forgotten(case: &Case<'_>) -> [bool; 2] {
    let mut counted = case.pair.sent.map(|sent| sent.esp + sent.ah);
    for flow in case.pair.flows.iter().filter(|_| case.facts.forgotten.flows > 0) {
        let way = usize::from(!case.pair.is_from_a(flow.source, flow.destination));
        counted[way] = counted[way].saturating_sub(flow.packets);
    }
    counted.map(|left| case.facts.forgotten.flows > 0 && left > 0)
}

/// Packets of a stream.
pub(super) const STREAM: u64 = 10;
/// A stream that missed so many of its packets has stopped, if it misses them for this long.
pub(super) const GONE: (u32, Duration) = (10, Duration::from_secs(5));

/// IKEv1: a steady stream both ways ended at both ends at once while this attempt was under way and has not come again, and the last
/// that is said under the SA it belonged to may delete that: the attempt was to take its place.
pub(in crate::diagnose) fn ended_with(view: &View<'_>) -> bool {
    let case = view.case;
    let last_of = |end| case.flows_from(end).max_by_key(|flow| flow.last);
    let (Some(one), Some(other)) = (last_of(case.pair.a), last_of(case.pair.b)) else { return false };
    let pace = spacing(one).max(spacing(other));
    let (first, ended) = (one.last.min(other.last), one.last.max(other.last));
    let steady = one.packets.min(other.packets) >= STREAM && ended.since(first) <= pace * 2;
    let with = ended.after(pace * 2) >= view.attempt.first && ended <= view.attempt.last.after(pace * 2);
    let gone = case.end().since(ended) >= GONE.1.max(pace * GONE.0);
    let takes_leave = |other: &View<'_>| {
        let Some(last) = other.messages().max_by_key(|message| message.last_sent()) else { return false };
        let deletes = V1Suite::chosen(other.attempt)
            .is_none_or(|suite| suite.contents(other.attempt, last.from, last.length).contains(Content::DeleteIsakmp));
        let alone = other.messages().filter(|message| message.last_sent() > ended).count() == 1;
        last.label == Label::Inf && last.encrypted && last.at > ended && deletes && alone
    };
    let of_before = |other: &View<'_>| other.attempt.midstream || other.tunnel_up().is_some();
    let near = view.index.saturating_sub(BESIDE)..=view.index.saturating_add(BESIDE);
    let others = || near.clone().filter(|&index| index != view.index).filter_map(|index| case.view(index));
    !view.is_v2() && steady && with && gone && others().any(|other| of_before(&other) && takes_leave(&other))
}

/// So many attempts on either side of one are looked at.
const BESIDE: usize = 8;

/// The latest attempt that brought the tunnel up, with when it did.
pub(super) fn last_up<'a>(case: &Case<'a>) -> Option<(usize, View<'a>, Timestamp)> {
    (0..case.pair.attempts.len()).rev().find_map(|index| {
        let view = case.view(index)?;
        Some((index, view, view.tunnel_up()?))
    })
}

/// Traffic of one direction only, since the tunnel last came up.
#[derive(Debug, Clone)]
pub(super) struct OneWay<'a> {
    /// The attempt that brought the tunnel up.
    pub attempt: usize,
    /// The direction that has packets.
    pub way: Way<'a>,
    /// The silent side sent ESP or AH before that.
    pub answered_before: bool,
    /// From the first packet to the end of the capture.
    pub waited: Duration,
    /// The wait was short, though longer than answers take here.
    pub short: bool,
    /// The silent side sent IKE after the traffic began.
    pub alive: bool,
    /// The responder does not know that the tunnel is up: it repeats Quick Mode message 2.
    pub unconfirmed: bool,
    /// The tunnel came up before the capture began: what happened until then is not known.
    pub late: bool,
    /// Other SAs of the two carry traffic both ways all the while.
    pub beside: bool,
}

/// Whether the capture misses what `address` says, as the other side shows.
fn is_missed(view: &View<'_>, address: IpAddr) -> bool {
    let is_initiator = life_cycle::address(view.attempt, Side::Initiator) == address;
    view.misses_answer_of(if is_initiator { Side::Initiator } else { Side::Responder })
}

/// Fewer packets than these may just not have been answered yet.
const LEAST_PACKETS: u64 = 4;
/// So may those of which the first has waited no longer than this, or than so many answer times of IKE.
const LEAST_TIME: Duration = Duration::from_millis(500);
/// See [`LEAST_TIME`].
const ANSWER_TIMES: u32 = 4;
/// So many packets that waited for half of [`PATIENCE`] leave no doubt; fewer take the whole of it.
const MANY_PACKETS: u64 = 10;
/// So many packets and so long it takes where the capture begins after the tunnel came up: the other side may have had
/// its say before.
const LATE_PACKETS: u64 = 30;
/// See [`LATE_PACKETS`].
const LATE_TIME: Duration = Duration::from_secs(30);

/// So many packets without an answer are of something that may want none.
const BY_DESIGN: u64 = 30;

impl<'a> OneWay<'a> {
    /// Traffic of one of several tunnels, or of one of several SAs.
    fn beside(view: &View<'a>, way: Way<'a>, waited: Duration) -> Self {
        let first = way.first();
        let speaks = |message: &MessageRecord| message.source.ip() == way.to && Some(message.at) > first;
        Self {
            attempt: view.index,
            answered_before: false,
            waited,
            short: false,
            alive: view.messages().any(speaks),
            unconfirmed: false,
            late: false,
            beside: true,
            way,
        }
    }

    /// Whether so many packets came that it is likely nobody waits for an answer: who does gives up, or asks as ping does.
    pub(super) fn may_want_no_answer(&self) -> bool {
        !self.answered_before && self.way.rhythm().is_none() && self.way.packets() >= BY_DESIGN
    }
}

/// Whether traffic flows one way only, if the capture permits to say so: both directions are captured, the tunnel came
/// up, and several packets waited for an answer.
pub(super) fn one_way<'a>(case: &Case<'a>) -> Option<OneWay<'a>> {
    let Some((attempt, view, up)) = last_up(case) else { return one_way_late(case) };
    if !case.both_ways() || view.one_sided() {
        return None;
    }
    let [there, back] = ways(case);
    let forgotten = forgotten(case);
    let silent = |way: &Way<'_>, forgotten: bool| !forgotten && way.used_since(up).is_empty();
    let (sending, silent) = match (silent(&there, forgotten[0]), silent(&back, forgotten[1])) {
        (false, true) => (there, back),
        (true, false) => (back, there),
        _ => return one_way_beside(case).or_else(|| one_way_client(case)).or_else(|| one_way_child(case)),
    };
    let way = sending.begun_since(up);
    let first = way.first()?;
    // A clock that is set back while recording puts answers before what they answer.
    if is_missed(&view, silent.from) || silent.is_recorded_behind(&way) {
        return None;
    }
    let waited = case.end().since(first);
    if way.packets() < LEAST_PACKETS || waited < LEAST_TIME.max(answer_time(&view).saturating_mul(ANSWER_TIMES)) {
        return None;
    }
    let long = if way.packets() >= MANY_PACKETS { PATIENCE / 2 } else { PATIENCE };
    let short = waited < long;
    let alive = view.messages().any(|message| message.source.ip() == silent.from && message.at > first);
    // Who sends message 2 again has not had message 3.
    let unconfirmed = view.message(Label::Qm(2)).is_some_and(|message| {
        let lacks_message_3 = message.repeat_count > 0 && view.message(Label::Qm(3)).is_none();
        lacks_message_3 || message.repeats.iter().any(|repeat| repeat.at > up)
    });
    let answered_before = !silent.is_empty();
    Some(OneWay { attempt, way, answered_before, waited, short, alive, unconfirmed, late: false, beside: false })
}

/// The same of one of several tunnels: since it came up and until the next one did, one side began to send under a new SPI and the
/// other did not, while both go on under older ones. Who changes from one SA to another does not send under both.
fn one_way_beside<'a>(case: &Case<'a>) -> Option<OneWay<'a>> {
    if forgotten(case).contains(&true) {
        return None;
    }
    let ways = ways(case);
    case.attempts().skip(1).filter(|(_, view)| view.attempt.rekeyed_from.is_none() && !view.one_sided()).find_map(
        |(attempt, view)| {
            let up = view.tunnel_up()?;
            let next = case.pair.attempts.get(attempt + 1).map_or(case.end(), |next| next.first);
            let begun = |way: &Way<'a>| way.begun_between(up, next);
            let (way, silent) = match ways.each_ref().map(begun) {
                [there, back] if back.is_empty() => (there, back),
                [there, back] if there.is_empty() => (back, there),
                _ => return None,
            };
            let (first, last) = (way.first()?, way.last()?);
            let goes_on = |way: &Way<'_>| way.only(|flow| flow.first < view.attempt.first).goes_on_at(last);
            let waited = case.end().since(first);
            let long = if way.packets() >= MANY_PACKETS { PATIENCE / 2 } else { PATIENCE };
            let enough = way.packets() >= LEAST_PACKETS && waited >= long;
            let found = || OneWay { short: true, ..OneWay::beside(&view, way.clone(), waited) };
            (enough && ways.iter().all(goes_on) && !is_missed(&view, silent.from)).then(found)
        },
    )
}

/// The same of one of several clients behind one address: the ports of ESP in UDP tell whose it is.
fn one_way_client<'a>(case: &Case<'a>) -> Option<OneWay<'a>> {
    let address = last_up(case)?.1.attempt.initiator.ip();
    let moved = |flow: &EspFlow| flow.encapsulation != Encapsulation::Udp || flow.port_change.is_some();
    if forgotten(case).contains(&true) || case.pair.flows.iter().any(moved) {
        return None;
    }
    let ways = ways(case);
    let mut own: BTreeMap<u16, [Way<'a>; 2]> = BTreeMap::new();
    for (place, way) in ways.iter().enumerate() {
        for &flow in &way.flows {
            let (source, destination) = flow.ports?;
            let port = if way.from == address { source } else { destination };
            let own = own.entry(port).or_insert_with(|| ways.each_ref().map(|way| way.only(|_| false)));
            own[place].flows.push(flow);
        }
    }
    if !own.values().any(|own| own.iter().all(|way| !way.is_empty())) {
        return None;
    }
    let mut clients: BTreeMap<u16, Vec<View<'a>>> = BTreeMap::new();
    for (_, view) in case.attempts() {
        clients.entry(nat::last_port(&view)?).or_default().push(view);
    }
    clients.into_iter().find_map(|(port, views)| {
        let [view] = views.as_slice() else { return None };
        let up = view.tunnel_up().filter(|_| !view.one_sided() && nat::rebound(view).is_empty())?;
        let (way, silent) = match own.remove(&port)? {
            [there, back] if back.is_empty() => (there, back),
            [there, back] if there.is_empty() => (back, there),
            _ => return None,
        };
        let waited = case.end().since(way.first()?);
        let begun = way.begun_since(up);
        let long = if way.packets() >= MANY_PACKETS { PATIENCE / 2 } else { PATIENCE };
        let enough = begun.flows.len() == way.flows.len() && way.packets() >= LEAST_PACKETS && waited >= long;
        (enough && !is_missed(view, silent.from)).then(|| OneWay::beside(view, way, waited))
    })
}

/// So many SAs of one side are held against those of the other.
const SIDE_BY_SIDE: usize = 8;

/// The same of one of several SAs that one side uses side by side, as ping does: what comes back answers the others one for one.
fn one_way_child<'a>(case: &Case<'a>) -> Option<OneWay<'a>> {
    let (_, view, up) = last_up(case)?;
    if forgotten(case).contains(&true) || view.one_sided() {
        return None;
    }
    let ways = ways(case);
    let last = ways[0].last().min(ways[1].last())?;
    let used = |flow: &EspFlow| {
        let long = flow.packets >= MANY_PACKETS && flow.last.since(flow.first) >= PATIENCE;
        long && flow.first.after(AHEAD) >= up && goes_on_at(flow, last)
    };
    let [there, back] = ways.map(|way| way.only(used));
    let (mut sending, silent) = if there.flows.len() > back.flows.len() { (there, back) } else { (back, there) };
    let others = silent.flows.len();
    if others == 0 || sending.flows.len() != others + 1 || others >= SIDE_BY_SIDE {
        return None;
    }
    for &answers in &silent.flows {
        let way = |from: &Way<'a>, flow| Way { flows: vec![flow], ..*from };
        let own = way(&silent, answers);
        let apart = |flow: &EspFlow| flow.first.since(answers.first).max(answers.first.since(flow.first));
        let asks = (0..sending.flows.len()).filter(|&place| way(&sending, sending.flows[place]).is_answered_by(&own));
        let place = asks.min_by_key(|&place| apart(sending.flows[place]))?;
        sending.flows.remove(place);
    }
    let alike = |flow: &&EspFlow| flow.length_range == silent.flows[0].length_range;
    let slow = |flow: &&EspFlow| spacing(flow) >= STREAM_GAP;
    let asks = sending.is_even() && sending.flows.iter().all(|flow| alike(flow) && slow(flow));
    let waited = case.end().since(sending.first()?);
    let found = OneWay { short: true, ..OneWay::beside(&view, sending, waited) };
    (asks && !is_missed(&view, silent.from)).then_some(found)
}

/// The same in a capture that holds no set-up: one direction has many packets and the other one none, while IKE of the
/// silent side goes on.
fn one_way_late<'a>(case: &Case<'a>) -> Option<OneWay<'a>> {
    let [there, back] = ways(case);
    let way = match (there.is_empty(), back.is_empty()) {
        (false, true) => there,
        (true, false) => back,
        _ => return None,
    };
    let first = way.first()?;
    let enough = way.packets() >= LATE_PACKETS && way.span() >= LATE_TIME;
    let midstream = case.pair.attempts.iter().all(|attempt| attempt.midstream);
    if !enough || !midstream || !case.both_ways() || forgotten(case).contains(&true) {
        return None;
    }
    let speaks = |view: &View<'_>| {
        view.messages().any(|message| message.source.ip() == way.to && message.at >= first.after(LATE_TIME))
    };
    let (attempt, _) = case.attempts().filter(|(_, view)| !view.one_sided() && speaks(view)).last()?;
    let waited = case.end().since(first);
    Some(OneWay {
        attempt,
        way,
        answered_before: false,
        waited,
        short: false,
        alive: true,
        unconfirmed: false,
        late: true,
        beside: false,
    })
}

/// Whether traffic was answered and no longer is.
pub(in crate::diagnose) fn is_faded(case: &Case<'_>) -> bool {
    faded(case).is_some()
}

/// Traffic that was answered one for one and no longer is.
#[derive(Debug, Clone)]
pub(super) struct Faded<'a> {
    /// The attempt that brought the tunnel up.
    pub attempt: Option<usize>,
    /// The direction that goes on.
    pub way: Way<'a>,
    /// Packets of it while there were answers, and since the last one: all of them, or those that are told by their lengths.
    pub packets: [u64; 2],
    /// All packets are of one size.
    pub even: bool,
    /// The silent side sent IKE meanwhile.
    pub alive: bool,
    /// For how long it goes on without.
    pub over: Duration,
    /// The last answer's frame.
    pub last_answer: FrameRef,
}

/// Answers before, and packets without one since: fewer may be chance.
const FADED: [u64; 2] = [3, 10];
/// Fewer packets without an answer may be on their way.
const FADING: u64 = 5;
/// Packets that come faster than this are a stream, which may fall silent on one side.
const STREAM_GAP: Duration = Duration::from_millis(100);
/// The pace before and after may differ by this factor.
const SAME_PACE: f64 = 5.0;

/// Whether packets of one size were answered with packets of one size, about one for one, and go on at that pace without
/// an answer; or packets of several sizes go on without, all of sizes that answers had. What one side has to say without being
/// asked is of other sizes, or comes at another pace.
pub(super) fn faded<'a>(case: &Case<'a>) -> Option<Faded<'a>> {
    faded_for(case, PATIENCE, FADED[1])
}

/// The same of packets of one size, when it is too early to tell whether that is an outage.
pub(super) fn fading<'a>(case: &Case<'a>) -> Option<Faded<'a>> {
    faded_for(case, ANSWER_WITHIN, FADING).filter(|faded| faded.even)
}

/// The same, if it goes on without an answer `at_least` so long, with so many packets.
fn faded_for<'a>(case: &Case<'a>, at_least: Duration, packets: u64) -> Option<Faded<'a>> {
    let ways = ways(case);
    let faded_in = |attempt, own| faded_in(case, attempt, own, (at_least, packets));
    let attempt = last_up(case).map(|(attempt, ..)| attempt);
    let tunnels = tunnels(case, &ways);
    let newest = tunnels.last().filter(|(newest, _)| Some(*newest) == attempt);
    let of_newest = newest.and_then(|(_, own)| faded_in(attempt, own.clone()));
    of_newest.or_else(|| faded_in(attempt, ways)).or_else(|| {
        tunnels.iter().find_map(|(attempt, own)| {
            let faded = faded_in(Some(*attempt), own.clone())?;
            // Who has one tunnel in the place of another does not send under both for long.
            let last = faded.way.last()?;
            let begun = |way: &Way<'_>| way.first().is_some_and(|first| first.after(PATIENCE) <= last);
            let beside = |way: &Way<'_>| begun(way) && way.goes_on_at(last);
            let mut others = tunnels.iter().filter(|(other, _)| other != attempt);
            others.any(|(_, own)| own.iter().all(beside)).then_some(faded)
        })
    })
}

/// The SAs of each of several tunnels, used both ways since it came up and until the next one was negotiated.
fn tunnels<'a>(case: &Case<'a>, ways: &[Way<'a>; 2]) -> Vec<(usize, [Way<'a>; 2])> {
    let lives = life_cycle::lives(case);
    let until = |place: usize| lives.get(place + 1).map_or(case.end(), life_cycle::Life::begun);
    let own = |(place, life): (usize, &life_cycle::Life<'a>)| {
        (life.index, ways.each_ref().map(|way| way.begun_between(life.up, until(place))))
    };
    let used = |(_, own): &(usize, [Way<'a>; 2])| own.iter().all(|way| !way.is_empty());
    lives.iter().enumerate().map(own).filter(used).collect()
}

fn faded_in<'a>(
    case: &Case<'a>,
    attempt: Option<usize>,
    [there, back]: [Way<'a>; 2],
    (at_least, packets): (Duration, u64),
) -> Option<Faded<'a>> {
    let (way, silent) = if there.last() >= back.last() { (there, back) } else { (back, there) };
    let (first, last, answered) = (way.first()?, way.last()?, silent.last()?);
    let over = last.since(answered);
    if over < at_least || !case.both_ways() || forgotten(case).contains(&true) {
        return None;
    }
    if attempt.and_then(|index| case.view(index)).is_some_and(|view| is_missed(&view, silent.from)) {
        return None;
    }
    let before = silent.packets();
    if before < FADED[0] || answered <= first {
        return None;
    }
    let last_answer = silent.flows.iter().max_by_key(|flow| flow.last)?.last_frame;
    let speaks = |message: &MessageRecord| message.source.ip() == silent.from && message.at > answered;
    let alive = case.attempts().any(|(_, view)| view.messages().any(speaks));
    let more = way.packets().saturating_sub(before);
    let pace = |time: Duration, gaps: u64| time.as_secs_f64() / gaps.max(1) as f64;
    let (was, is) = (pace(answered.since(first), before - 1), pace(over, more));
    let steady = is >= STREAM_GAP.as_secs_f64() && was <= is * SAME_PACE && is <= was * SAME_PACE;
    let even = way.is_even() && silent.is_even() && more >= packets && steady;
    let after = if even { more } else { unanswered_alike(&way, &silent, answered)? };
    Some(Faded { attempt, way, packets: [before, after], even, alive, over, last_answer })
}

/// Packets that came after `answered` at the end of `way`, no faster than a stream, and all of lengths that had come back before, as the
/// answers to a ping and to a TCP SYN do. What needs no answer never had one of its length.
pub(super) fn unanswered_alike(way: &Way<'_>, silent: &Way<'_>, answered: Timestamp) -> Option<u64> {
    let flow = way.flows.iter().max_by_key(|flow| flow.last)?;
    let latest = flow.latest.filter(|latest| latest.since > answered)?;
    let came_back = silent.flows.iter().fold(Lengths::default(), |all, flow| all.with(flow.lengths));
    let count = latest.lengths.len() as u32;
    let slow = flow.last.since(latest.since) >= STREAM_GAP * count;
    let alike = latest.lengths.iter().all(|&length| came_back.hold(length));
    (slow && came_back.are_few() && alike).then_some(count.into())
}

/// The shortest time that an answer took during the negotiation, seen from the capture point.
fn answer_time(view: &View<'_>) -> Duration {
    let answers =
        view.exchanges().iter().flat_map(|exchange| exchange.messages.windows(2)).filter_map(|two| match two {
            [asked, answer] if asked.from != answer.from && answer.at > asked.at => Some(answer.at.since(asked.at)),
            _ => None,
        });
    answers.min().unwrap_or_default()
}
