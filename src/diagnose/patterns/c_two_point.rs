//! C-TWO-POINT: two captures of the same conversation, put side by side.

use std::net::IpAddr;
use std::time::Duration;

use hashbrown::HashMap;

use crate::base::{EspSpi, FrameRef, Timestamp};
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, Pattern, pattern};
use crate::diagnose::points::{self, Fate, LOST, MISSING, PASSED, Points};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};
use crate::track::{EspFlow, FlowProtocol, MessageRecord};

use super::{nat, traffic};

/// Packets of ESP or AH that are more than a few.
const TRAFFIC: u64 = 10;
/// Fewer lost packets than these, or less than one in so many, are nothing to speak of.
const WORD: (u64, u64) = (5, 200);
/// So many lost packets, and one in so many, disturb what goes through the tunnel.
const ALARM: (u64, u64) = (10, 5);
/// What does not pass for so long no longer passes.
const GONE: Duration = traffic::GONE.1;
/// Pairs, and flows, that are looked through for the same packets.
const PAIRS: usize = 64;
const FLOWS: usize = 1024;
/// Messages named as evidence.
const NAMED: usize = 8;

pattern! {
    /// ## What is seen
    ///
    /// Two captures of the run hold messages of the same SPIs, message id and content. A message that one of them holds and
    /// the other does not, although that one was recording, was lost between the two points. So was ESP of one side that only
    /// one of them holds, all of it, part of it or all from some moment on, where both hold that of the other side. Beyond a NAT, its
    /// SPI and its count tell what is the same.
    ///
    /// A capture on all interfaces of a router is one at two points: it holds each packet twice. Where from some moment on it holds
    /// the packets of one side once, and those of the other side go on twice, they come in and do not go out.
    ///
    /// ## What it means
    ///
    /// A silence can be placed: a message 1 that leaves one gateway and does not show outside the other never arrived; an
    /// answer that shows at the responder and not at the initiator was lost on its way back.
    ///
    /// ## Look-alikes
    ///
    /// - A capture in pieces (one file after the other): nothing is seen twice, and nothing is compared.
    /// - A capture filter, or a clock, that differs between the two points.
    C_TWO_POINT = "C-TWO-POINT", Capture, Info;
    title: "one capture point misses what the other one saw";
    causes: [
        "filter" 0.60 "a filter, firewall or translation between the two points drops them", raised by "always the same kind of message", lowered by "now one message, now another";
        "loss" 0.30 "packets are lost between the two points", raised by "now one message, now another", lowered by "every copy of a message is missing";
        "capture" 0.10 "one of the captures dropped or filtered them", raised by "the missing message was answered", lowered by "the missing message was sent again";
    ];
    checks: [
        Path: "look for the filter or the loss between the two capture points";
        Capture: "make sure that both captures use the same filter, and clocks that agree";
    ];
    logs: [
        "Netopia": "show ip nat translation: no UDP 500 incoming" ("NIR-31");
    ];
    sources: ["SMG-31", "NIR-31", "NIR-36"];
    when: CAPTURES, FLOWS_NO_LONGER_TWICE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    match case.points() {
        Some(points) => messages_of(case, points).into_iter().chain(traffic_of(case, points)).collect(),
        None => no_longer_twice(case).or_else(|| traffic_beyond_nat(case)).into_iter().collect(),
    }
}

fn messages_of(case: &Case<'_>, points: &Points) -> Option<Match> {
    let mut found = Match::on_pair(Confidence::Inferred);
    let (mut both, mut missing, mut labels) = (0_u64, [0_u64; 2], Vec::new());
    for message in case.attempts().flat_map(|(_, view)| view.messages()) {
        match points.fate(message) {
            None | Some(Fate::Unwatched(..) | Fate::AnswerLost(..)) => {}
            Some(Fate::Passed) => both += 1,
            Some(Fate::Lost(..) | Fate::FragmentLost(..)) => {
                let Some(count) = missing.get_mut(message.from.index()) else { continue };
                *count += 1;
                if found.frames.len() < NAMED {
                    found.frames.push(message.frame);
                    labels.push(message.label.to_string());
                }
            }
        }
    }
    let [from_initiator, from_responder] = missing;
    (from_initiator + from_responder > 0).then(|| {
        found
            .seen(format!(
                "{} in both captures; in one of them only: {from_initiator} from the initiator, {from_responder} from the responder ({})",
                number(both, "message"),
                labels.join(", "),
            ))
            .means("what one capture holds and the other does not was lost between the two points")
    })
}

/// ESP or AH of one side at one point only, where that of the other side is at both: half of the tunnel. Or that of each side at
/// its own point only: all of it.
fn traffic_of(case: &Case<'_>, points: &Points) -> Option<Match> {
    let [there, back] = &traffic::ways(case);
    let (lost, known) = if at_both(back) { (there, back) } else { (back, there) };
    let enough = recorded(lost) >= TRAFFIC && recorded(known) >= TRAFFIC;
    let found = Match::on_pair(Confidence::Inferred).severity(Severity::Error);
    let of = |way: &traffic::Way<'_>| {
        let capture = way.flows.first().map_or(0, |flow| flow.first_frame.capture);
        format!("{} of ESP or AH from {} in capture {capture} only", number(way.packets(), "packet"), way.from)
    };
    match [lost, known].map(|way| missed_by(points, way)) {
        _ if !enough => None,
        [Some(_), _] if at_both(known) => Some(
            found
                .seen(format!("{}; what {} sends is in both", of(lost), known.from))
                .means(one_way_only(lost.from))
                .frames(lost.frames()),
        ),
        _ if at_both(known) && at_one(lost) > lost.packets() / 2 && watched_all(points, lost) => Some(
            found
                .seen(format!(
                    "of {} of ESP or AH from {}, {} in one capture only; what {} sends is in both",
                    number(lost.packets(), "packet"),
                    lost.from,
                    match at_one(lost) {
                        1 => "1 is".to_owned(),
                        several => format!("{several} are"),
                    },
                    known.from,
                ))
                .means(format!("much of what {} sends is lost between the two points", lost.from))
                .frames(lost.frames()),
        ),
        [Some(one), Some(other)] if one != other => Some(
            found
                .seen(format!("{}, {}", of(there), of(back)))
                .means("what both sides send is lost between the two points: the tunnel is up and carries nothing")
                .frames(there.frames())
                .frames(back.frames()),
        ),
        _ => partly(&[there, back].map(|way| Partly::of(points, way))),
    }
}

/// Traffic of one side that two points have, of which one lacks some.
struct Partly {
    from: IpAddr,
    frames: Vec<FrameRef>,
    /// The capture that has all of it, if it shows.
    capture: Option<u32>,
    packets: u64,
    lost: u64,
    /// Most of the lost ones came one after the other, as far as one knows.
    in_a_row: bool,
    /// Of some SA the other point has nothing.
    unknown: bool,
    /// When the last one was seen that both points have, and how many the one has had since.
    passed: Option<(Timestamp, u64)>,
    last: Option<Timestamp>,
}

impl Partly {
    /// At two points between the same addresses.
    fn of(points: &Points, way: &traffic::Way<'_>) -> Option<Self> {
        // what comes far behind may not be known again
        let known = way.flows.iter().all(|flow| flow.deep == 0 && flow.resets == 0);
        if !known || at_one(way) > way.packets() / 2 || !watched_all(points, way) {
            return None;
        }
        // what came twice may have done so at the other point
        let packets = way.flows.iter().map(|flow| unique(flow)).sum::<u64>();
        let lost = packets.saturating_sub(doubles(way));
        // what one capture lacks shows where the other one comes second, or in what comes late where it comes first
        let (mut shown, mut widest) = (0, 0);
        for flow in &way.flows {
            let (lacks, most) = flow.follows.map_or((0, 0), |follows| (follows.lacks, follows.widest));
            shown += flow.reordered.max(lacks.into());
            widest = widest.max(u64::from(flow.widest.max(most)));
        }
        Some(Self {
            from: way.from,
            frames: way.frames(),
            capture: None,
            packets,
            lost,
            in_a_row: widest * 2 >= lost || shown * 5 < lost * 4,
            unknown: false,
            passed: passed(way, |flow| flow.doubled),
            last: way.last(),
        })
    }

    /// At this one, where that beyond a NAT has the flows `there`, and both were recording in these windows.
    fn beyond_nat(way: &traffic::Way<'_>, there: &Flows, windows: [(Timestamp, Timestamp); 2]) -> Option<Self> {
        let (mut packets, mut lost, mut widest, mut unknown) = (0, 0, 0, false);
        for flow in &way.flows {
            let watched = windows.iter().all(|&window| points::covers(window, (flow.first, flow.last)));
            if !watched || flow.first_frame.capture != flow.last_frame.capture || flow.resets > 0 {
                return None;
            }
            let own = unique(flow);
            packets += own;
            let Some(other) = there.get(&(flow.spi, flow.protocol)) else {
                (lost, widest, unknown) = (lost + own, widest.max(own), true);
                continue;
            };
            lost += own.saturating_sub(unique(other));
            let before = other.first_sequence.saturating_sub(flow.first_sequence);
            let behind = flow.last_sequence.saturating_sub(other.last_sequence);
            widest = widest.max(u64::from(other.widest.max(before).max(behind)));
        }
        let capture = way.flows.first().map(|flow| flow.first_frame.capture);
        let in_a_row = widest * 2 >= lost;
        let until = |flow: &EspFlow| {
            let other = there.get(&(flow.spi, flow.protocol))?;
            let behind = flow.last_sequence.saturating_sub(other.last_sequence);
            Some((other.last, flow.packets.saturating_sub(behind.into())))
        };
        let (passed, last) = (passed(way, until), way.last());
        Some(Self { from: way.from, frames: way.frames(), capture, packets, lost, in_a_row, unknown, passed, last })
    }

    /// How bad it is, if it is worth a word.
    fn severity(&self) -> Option<Severity> {
        let reaches = |(least, one_in): (u64, u64)| self.lost >= least && self.lost * one_in >= self.packets;
        match reaches(ALARM) && !self.in_a_row {
            true => Some(Severity::Warning),
            false => reaches(WORD).then_some(Severity::Notice),
        }
    }

    /// Nothing of it has passed for long, while what the other side sends passes.
    fn is_cut(&self, other: &Self) -> bool {
        let long_after = |at: Option<Timestamp>, since: Timestamp| at.is_some_and(|at| at.since(since) >= GONE);
        self.passed.is_some_and(|(since, packets)| {
            packets >= TRAFFIC && long_after(self.last, since) && long_after(other.passed.map(|(at, _)| at), since)
        })
    }

    fn told(&self) -> String {
        let only = self.capture.map_or_else(|| "one capture".to_owned(), |capture| format!("capture {capture}"));
        format!(
            "{} of {} of ESP or AH from {} are in {only} only",
            self.lost,
            number(self.packets, "packet"),
            self.from
        )
    }
}

/// When the last packet of a way was seen that both points have, and how many packets the one has had since. `until` tells the
/// former of a flow, and how many packets that had by then.
fn passed(way: &traffic::Way<'_>, until: impl Fn(&EspFlow) -> Option<(Timestamp, u64)>) -> Option<(Timestamp, u64)> {
    let known = way.flows.iter().map(|flow| (flow, until(flow)));
    let (at, _) = known.clone().filter_map(|(_, until)| until).max()?;
    let since = known.map(|(flow, until)| match until {
        Some((last, packets)) if last == at => flow.packets.saturating_sub(packets),
        None if flow.first >= at => flow.packets,
        _ => 0,
    });
    Some((at, since.sum()))
}

/// Some of what either side sends is lost between two points.
fn partly(ways: &[Option<Partly>; 2]) -> Option<Match> {
    if let [Some(one), Some(other)] = ways
        && let Some((cut, goes_on)) = [(one, other), (other, one)].into_iter().find(|(way, other)| way.is_cut(other))
        && let Some((since, packets)) = cut.passed
    {
        let lasted = cut.last.map_or(Duration::ZERO, |last| last.since(since));
        return Some(
            Match::on_pair(Confidence::Inferred)
                .severity(if lasted >= PATIENCE { Severity::Error } else { Severity::Warning })
                .seen(format!(
                    "{}; the last {packets} of them, in {}, one and all, while what {} sends passes",
                    cut.told(),
                    span(lasted),
                    goes_on.from,
                ))
                .means(format!(
                    "what {} sends no longer gets from one point to the other: the tunnel carries traffic one way only",
                    cut.from
                ))
                .frames(cut.frames.iter().copied()),
        );
    }
    let lossy = || ways.iter().flatten().filter(|way| way.severity().is_some());
    let severity = lossy().filter_map(Partly::severity).max()?;
    let in_a_row = lossy().all(|way| way.in_a_row);
    let found = Match::on_pair(Confidence::Inferred)
        .severity(severity)
        .seen(lossy().map(Partly::told).collect::<Vec<_>>().join("; "))
        .means(if in_a_row {
            "they were lost between the two points, most of them one after the other: the path was gone for a while or still is, or packets of one kind or size do not pass"
        } else {
            "they were lost between the two points, now and then, or because of their size"
        })
        .frames(lossy().flat_map(|way| way.frames.clone()));
    Some(if in_a_row { found } else { found.weigh("loss", 4.0) })
}

/// Flows by what is the same at all points.
type Flows = HashMap<(EspSpi, FlowProtocol), EspFlow>;

/// Another capture that has the negotiations of a pair, too, beyond a NAT.
pub(super) struct OtherPoint {
    capture: u32,
    /// When this one was recording, and that one.
    windows: [(Timestamp, Timestamp); 2],
    flows: Flows,
}

/// The other point beyond a NAT, if all negotiations of the pair pass it.
pub(super) fn other_point(case: &Case<'_>) -> Option<OtherPoint> {
    let here = case.pair.first_frame.capture;
    if !case.survey.captures_overlap() || case.facts.pairs.len() > PAIRS {
        return None;
    }
    let elsewhere =
        |view: View<'_>| view.elsewhere(|_, other| Some(other.first_frame.capture).filter(|&at| at != here));
    let there = case.attempts().find_map(|(_, view)| elsewhere(view))?;
    // another client behind the same NAT may not pass the other point
    if case.attempts().any(|(_, view)| elsewhere(view) != Some(there)) {
        return None;
    }
    let windows = [points::recorded(case, here)?, points::recorded(case, there)?];
    Some(OtherPoint { capture: there, windows, flows: flows_of(case, there)? })
}

impl OtherPoint {
    /// A flow as that point has it, if both were recording all the time that it shows.
    pub(super) fn flow(&self, own: &EspFlow) -> Option<&EspFlow> {
        let other = self.flows.get(&(own.spi, own.protocol))?;
        let watched =
            |flow: &EspFlow| self.windows.iter().all(|&window| points::covers(window, (flow.first, flow.last)));
        (watched(own) && watched(other)).then_some(other)
    }
}

/// Where the negotiation is in another capture beyond a NAT, too: what that one lacks of the traffic of this pair.
fn traffic_beyond_nat(case: &Case<'_>) -> Option<Match> {
    let OtherPoint { capture: there, windows, flows } = other_point(case)?;
    let [one, other] = traffic::ways(case).map(|way| Partly::beyond_nat(&way, &flows, windows));
    let ways = [one?, other?];
    // what one side sends is at both points: the other capture takes ESP in
    let passes = |way: &Partly| way.packets - way.lost >= TRAFFIC;
    let whole = |way: &&Partly| way.packets == way.lost && way.lost >= TRAFFIC;
    if !ways.iter().any(passes) || ways.iter().all(|way| way.unknown) {
        return None;
    }
    let Some(lost) = ways.iter().find(whole) else { return partly(&ways.map(Some)) };
    Some(
        Match::on_pair(Confidence::Inferred)
            .severity(Severity::Error)
            .seen(format!(
                "{}, and capture {there}, beyond a NAT, was recording and has what comes the other way",
                lost.told()
            ))
            .means(one_way_only(lost.from))
            .frames(lost.frames.iter().copied()),
    )
}

/// The flows of other pairs that a capture holds, if they are not too many.
fn flows_of(case: &Case<'_>, capture: u32) -> Option<Flows> {
    let pairs = &case.facts.pairs;
    let others = (0..pairs.len()).filter(|&index| index != case.index).flat_map(|index| pairs.flows(index));
    let places: Vec<u32> = others.map(|(place, ..)| place).take(FLOWS + 1).collect();
    let flows = || places.iter().filter_map(|&place| pairs.flow(place));
    let own = || flows().filter(|flow| flow.first_frame.capture == capture);
    (places.len() <= FLOWS).then(|| own().map(|flow| ((flow.spi, flow.protocol), flow)).collect())
}

fn unique(flow: &EspFlow) -> u64 {
    flow.packets.saturating_sub(flow.duplicates)
}

fn one_way_only(from: IpAddr) -> String {
    format!("what {from} sends is lost between the two points: the tunnel is up and carries traffic one way only")
}

/// One capture at two points, as of all interfaces of a router: packets of one side were in it twice and no longer are, while those
/// of the other side go on twice.
fn no_longer_twice(case: &Case<'_>) -> Option<Match> {
    if case.survey.captures_overlap() {
        return None;
    }
    let latest = traffic::ways(case).map(|way| way.flows.iter().copied().max_by_key(|flow| flow.last));
    let [there, back] = [latest[0]?, latest[1]?];
    let (once, twice) = if once_since(there).is_some() { (there, back) } else { (back, there) };
    let since = once_since(once)?;
    let (last_twice, until) = twice.doubled?;
    let goes_on = twice.packets < until + TRAFFIC && last_twice.since(since) >= PATIENCE && all_twice(twice, until);
    let packets = once.packets - once.doubled?.1;
    let watched = once.first_frame.capture == twice.last_frame.capture;
    (goes_on && watched).then(|| {
        Match::on_pair(Confidence::Inferred)
            .severity(Severity::Warning)
            .seen(format!(
                "each packet of ESP or AH was recorded twice at first; the last {packets} from {}, in {}, once only, while those from {} go on \
                 twice",
                once.source,
                span(once.last.since(since)),
                twice.source,
            ))
            .means(format!(
                "what {} sends comes in at one point of the capture and no longer gets to the other: it is lost between the two",
                once.source
            ))
            .frames([once.first_frame, once.last_frame, twice.last_frame])
            .settle("what drops its packets between the two points, or whether they leave another way that is not captured")
    })
}

/// Since when the packets of a flow, of which nearly all were recorded twice, are recorded once.
fn once_since(flow: &EspFlow) -> Option<Timestamp> {
    let (at, until) = flow.doubled?;
    let one_capture = flow.first_frame.capture == flow.last_frame.capture;
    let enough = flow.packets >= until + TRAFFIC && flow.last.since(at) >= PATIENCE;
    (one_capture && enough && all_twice(flow, until)).then_some(at)
}

/// Nearly all of the first so many packets were recorded twice.
fn all_twice(flow: &EspFlow, packets: u64) -> bool {
    packets >= TRAFFIC && flow.recorded_again.saturating_mul(10) >= packets.saturating_mul(9)
}

/// Adds to what a pattern found of traffic that has no answer what another capture tells of it. `lost`: the cause that it, or the
/// answer, is lost on its way.
pub(super) fn tell_traffic(
    case: &Case<'_>,
    way: &traffic::Way<'_>,
    (pattern, lost): (&Pattern, &'static str),
    found: Match,
) -> Match {
    let view = found.attempt.and_then(|attempt| case.view(attempt));
    if let Some(beyond) = view.and_then(|view| beyond_nat(&view, way)) {
        let Beyond { captures: [here, there], has, takes_in, answers } = beyond;
        let between = Between { pattern, cause: lost };
        if answers > 0 {
            let mut found = between.lost(found, way.to, [there, here]).means(format!(
                "{} answers, and what it sends is lost between the two points, on its way to {}",
                way.to, way.from
            ));
            found.severity = found.severity.filter(|&severity| severity < Severity::Warning);
            found.seen.push_str(&format!(
                "; capture {there}, beyond a NAT, has them, too, and {} back",
                number(answers, "packet")
            ));
            return found;
        }
        let mut found = match (has, takes_in) {
            (true, _) => found.weigh(lost, PASSED),
            (false, true) => between.lost(found, way.from, [here, there]),
            (false, false) => between.missing(found, there),
        };
        let has = if has { "has them, too" } else { "was recording and has none of them" };
        found.seen.push_str(&format!("; capture {there}, beyond a NAT, {has}"));
        return found;
    }
    let Some(points) = case.points() else { return found };
    let Some(there) = missed_by(points, way) else {
        return match Tail::of(points, way).filter(|tail| tail.is_long() && !tail.watched) {
            Some(tail) => tail.tell(way, lost, found),
            None => tell_passed(points, way, lost, found),
        };
    };
    let between = Between { pattern, cause: lost };
    let both_on_4500 = |message: &MessageRecord| nat::on_4500(message) && points.fate(message) == Some(Fate::Passed);
    let takes_in = !way.is_native() && case.attempts().any(|(_, view)| view.messages().any(both_on_4500));
    let here = way.flows.first().map_or(0, |flow| flow.first_frame.capture);
    let mut found = match takes_in {
        true => between.lost(found, way.from, [here, there]),
        false => between.missing(found, there),
    };
    found.seen.push_str(&format!("; capture {there} was recording and has none of them"));
    found
}

/// What a pattern found of traffic that is lost between two points, and the cause by which it says so.
struct Between<'p> {
    pattern: &'p Pattern,
    cause: &'static str,
}

impl Between<'_> {
    /// What this side sends is surely lost on its way from one capture to the other.
    fn lost(&self, found: Match, from: IpAddr, [here, there]: [u32; 2]) -> Match {
        let others = self.pattern.causes.iter().map(|cause| cause.key).filter(|&key| key != self.cause);
        let found = found
            .rule_out(&others.collect::<Vec<_>>())
            .means(format!("what {from} sends is lost between the two points"))
            .settle(points::what_drops(&format!("the traffic of {from}"), here, there));
        Match { confidence: Some(Confidence::Inferred), ..found }
    }

    /// A capture has none of it, and nothing like it.
    fn missing(&self, found: Match, there: u32) -> Match {
        found.weigh(self.cause, MISSING).settle(format!(
            "whether capture {there} takes in IP protocols 50 and 51: if so, they are lost between the two points"
        ))
    }
}

/// The same of traffic that had answers at first.
pub(super) fn tell_end(case: &Case<'_>, way: &traffic::Way<'_>, lost: &'static str, found: Match) -> Match {
    let Some(points) = case.points() else { return found };
    match Tail::of(points, way).filter(Tail::is_long) {
        Some(tail) => tail.tell(way, lost, found),
        None => tell_passed(points, way, lost, found),
    }
}

/// The same of the end of a flow, as far as the other capture ends before it.
pub(super) fn tell_unwatched_end(case: &Case<'_>, flow: &EspFlow, found: Match) -> Match {
    let of_source = traffic::ways(case).into_iter().find(|way| way.from == flow.source);
    let way = of_source.map(|way| way.only(|other| other.spi == flow.spi));
    let tail = way.as_ref().and_then(|way| Tail::of(case.points()?, way));
    match (way, tail.filter(|tail| !tail.watched)) {
        (Some(way), Some(tail)) => tail.tell_unwatched(&way, found),
        _ => found,
    }
}

/// The end of a way, which one point has and the other has not.
struct Tail {
    packets: u64,
    lasted: Duration,
    here: u32,
    there: u32,
    /// The other one was recording.
    watched: bool,
}

impl Tail {
    fn of(points: &Points, way: &traffic::Way<'_>) -> Option<Self> {
        let all = || way.first().filter(|_| doubles(way) == 0).map(|first| (first, way.packets()));
        let (since, packets) = passed(way, |flow| flow.doubled).or_else(all)?;
        let latest = way.flows.iter().max_by_key(|flow| flow.last)?;
        let here = latest.last_frame.capture;
        let watching = points.watching(here, since, latest.last);
        let there = watching.or_else(|| points.another(here))?;
        let lasted = latest.last.since(since);
        (packets > 0).then_some(Self { packets, lasted, here, there, watched: watching.is_some() })
    }

    /// More than the loss of a few packets.
    fn is_long(&self) -> bool {
        self.packets >= TRAFFIC && self.lasted >= GONE
    }

    fn tell(&self, way: &traffic::Way<'_>, lost: &'static str, found: Match) -> Match {
        let &Self { packets, here, there, watched, .. } = self;
        if watched {
            let means = format!("the tunnel worked, and what {} sends is lost between the two points", way.from);
            let drops = points::what_drops(&format!("the traffic of {}", way.from), here, there);
            let mut found = found.weigh(lost, LOST).means(means).settle(drops);
            found.seen.push_str(&format!(
                "; the last {packets} are in capture {here} only, and capture {there} was recording"
            ));
            return found;
        }
        self.tell_unwatched(way, found.weigh(lost, MISSING))
    }

    fn tell_unwatched(&self, way: &traffic::Way<'_>, found: Match) -> Match {
        let &Self { packets, here, there, .. } = self;
        let settle = format!("whether capture {there} was running then: if so, they are lost between the two points");
        let mut found = found.settle(settle);
        let which = if packets == way.packets() { "all of them".to_owned() } else { format!("the last {packets}") };
        found.seen.push_str(&format!("; {which} are in capture {here} only, and capture {there} ends before them"));
        found
    }
}

/// Where all of it passes two points, it is not lost between them.
fn tell_passed(points: &Points, way: &traffic::Way<'_>, lost: &'static str, found: Match) -> Match {
    if Partly::of(points, way).is_none_or(|partly| partly.lost > 0) {
        return found;
    }
    let mut found = found.weigh(lost, PASSED).means(format!(
        "what {} sends passes both points, and no answer comes to either: {} does not take it, or nothing behind it answers",
        way.from, way.to
    ));
    found.seen.push_str("; all of them pass both capture points");
    found
}

/// What another capture, beyond a NAT, that was recording all the time has of traffic that one has, and that has no answer there.
struct Beyond {
    /// This one, and that one.
    captures: [u32; 2],
    /// It has some of it.
    has: bool,
    /// It has the like of it: other traffic of the two, or, of ESP in UDP, IKE on the same port.
    takes_in: bool,
    /// Packets that go the other way.
    answers: u64,
}

fn beyond_nat(view: &View<'_>, way: &traffic::Way<'_>) -> Option<Beyond> {
    if !view.case.survey.captures_overlap() {
        return None;
    }
    let (first, last) = way.first().zip(way.last())?;
    let own = view.attempt.first_frame.capture;
    let here = points::recorded(&view.case, own);
    view.elsewhere(|pair, other| {
        let capture = other.first_frame.capture;
        let watched = points::covers(points::recorded(&view.case, capture)?, (first, last));
        let same = pair.flows.iter().find(|flow| way.flows.iter().any(|own| own.spi == flow.spi));
        // of another client behind the same NAT
        let others = pair
            .attempts
            .iter()
            .any(|one| !view.case.pair.attempts.iter().any(|own| own.initiator_spi == one.initiator_spi));
        let back = |flow: &&EspFlow| {
            !others
                && same.is_some_and(|same| (flow.source, flow.destination) == (same.destination, same.source))
                && flow.last >= first
                && here.is_some_and(|window| points::covers(window, (flow.first, flow.last)))
        };
        let answers = pair.flows.iter().filter(back).map(|flow| flow.packets).sum();
        let in_udp = || other.exchanges.iter().flat_map(|exchange| &exchange.messages).any(nat::on_4500);
        let takes_in = !pair.flows.is_empty() || !way.is_native() && in_udp();
        let beyond = Beyond { captures: [own, capture], has: same.is_some(), takes_in, answers };
        (capture != own && watched).then_some(beyond)
    })
}

/// The capture that was recording and has nothing of a way that another one has.
fn missed_by(points: &Points, way: &traffic::Way<'_>) -> Option<u32> {
    let (first, last) = way.first().zip(way.last())?;
    let here = way.flows.first()?.first_frame.capture;
    let at_one = way.flows.iter().all(|flow| [flow.first_frame, flow.last_frame].iter().all(|at| at.capture == here));
    points.watching(here, first, last).filter(|_| at_one && doubles(way) == 0)
}

/// Nearly all packets were recorded twice.
fn at_both(way: &traffic::Way<'_>) -> bool {
    doubles(way).saturating_mul(5) >= recorded(way).saturating_mul(2)
}

/// Packets that were recorded once.
fn at_one(way: &traffic::Way<'_>) -> u64 {
    way.packets().saturating_sub(doubles(way))
}

/// Whether two captures were recording all the time from the first packet of a way to the last.
pub(super) fn watched_all(points: &Points, way: &traffic::Way<'_>) -> bool {
    let Some((first, last)) = way.first().zip(way.last()) else { return false };
    let another = |capture| points.watching(capture, first, last);
    way.flows.first().and_then(|flow| another(flow.first_frame.capture)).and_then(another).is_some()
}

fn doubles(way: &traffic::Way<'_>) -> u64 {
    way.flows.iter().map(|flow| flow.duplicates.saturating_add(flow.recorded_again)).sum()
}

fn recorded(way: &traffic::Way<'_>) -> u64 {
    way.flows.iter().map(|flow| flow.packets.saturating_add(flow.recorded_again)).sum()
}
