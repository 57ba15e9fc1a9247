//! F-PMTU-BLACKHOLE: large ESP packets vanish without a word.

use std::net::IpAddr;
use std::time::Duration;

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};
use crate::track::{EspFlow, Follows};

use super::{c_two_point, f_pmtu, traffic};

/// A packet that needs more than IPv6's least MTU may be too large for a path.
const LARGE: u32 = 1200;
/// So many of them unanswered are more than bad luck.
const ENOUGH: u64 = 3;
/// So many, where small ones are answered all along.
const MANY: u64 = 5;
/// More of them than this are a stream, which nobody repeats in vain.
const STREAM: u64 = 64;
/// So many lost before the capture point, at least as many as came, are more than the loss of a bad link.
const MISSED: u64 = 20;
/// The other side is silent for this long while the large ones go on.
const SILENT: Duration = Duration::from_secs(2);

pattern! {
    /// ## What is seen
    ///
    /// Small ESP packets go both ways. Then one side sends a few large ones of one size, again and again, and nothing comes
    /// back any more. No ICMP that asks for smaller packets. Where small ones go on both ways, and there are as many answers as
    /// small ones, the same is a remark: the more so where the numbers of the other side lack as many as there were large ones. On the other side of the link: more packets are missing than come, all that come are
    /// small, and nothing of the other direction is missing. Of two captures: those that one of them lacks are longer than all that it has.
    ///
    /// ## What it means
    ///
    /// Packets of that size do not get through, and nobody tells the sender: ping and login work, and everything hangs as
    /// soon as there is something to transfer.
    ///
    /// ## Look-alikes
    ///
    /// - An application that stopped answering at that moment.
    /// - `F-PMTU`: a router does say that packets are too large.
    /// - `T-ONEWAY`: small packets do not come back either.
    F_PMTU_BLACKHOLE = "F-PMTU-BLACKHOLE", Fragments, Error;
    title: "large ESP packets seem to vanish on the path";
    causes: [
        "mtu" 0.60 "a link with a smaller MTU, and ICMP that would say so is filtered", raised by "the packets are above 1280 octets", lowered by "packets of that size were answered before";
        "loss" 0.05 "the path, or the capture, loses packets of any size in this direction", raised by "packets of several sizes are missing", lowered by "nothing else is missing";
        "df" 0.15 "packets with overhead are too large and must not be fragmented (DF)", raised by "the packets are close to 1500 octets", lowered by "";
        "application" 0.20 "the other end stopped answering for its own reasons", raised by "small packets go unanswered too", lowered by "small packets are answered before and after";
    ];
    checks: [
        Either: "clamp the TCP MSS (1350 octets is usual) or lower the MTU of the tunnel";
        Path: "let ICMP type 3 code 4 (ICMPv6 type 2) through; look for a link with a smaller MTU";
        Either: "ping through the tunnel with rising sizes and the don't-fragment bit, and see from which size on it fails";
    ];
    logs: [
        "Cisco PIX": "client fails on large packets" ("PIX-45");
    ];
    sources: ["PIX-45", "RFC 2923 §2.1", "RFC 4301 §8.2"];
    when: FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let errors = || case.pair.icmp_errors.iter().filter(|error| f_pmtu::asks_for_smaller(error));
    let is_told = |end: IpAddr| errors().any(|error| error.quoted_source == end);
    // Re-keying replaces flows: the latest one of each side tells how it ended.
    let flows: Vec<_> = [case.pair.a, case.pair.b].into_iter().filter_map(|side| latest_from(case, side)).collect();
    let beyond_nat = c_two_point::other_point(case);
    let between = |&flow: &&EspFlow| match &beyond_nat {
        _ if is_told(flow.source) => None,
        Some(other) => beyond_a_nat(other, flow),
        None => between_points(case, flow),
    };
    let proven: Vec<Match> = flows.iter().filter_map(between).collect();
    if !proven.is_empty() {
        return proven;
    }
    let at_one_point = |&flow: &&EspFlow| match (is_told(flow.source), is_told(flow.destination)) {
        (_, true) => None,
        (true, false) => between_small_ones(case, flow).filter(|_| lacks_as_many_answers(case, flow)),
        (false, false) => {
            let found = found(case, flow).map(|found| c_two_point::tell_unwatched_end(case, flow, found));
            found.or_else(|| between_small_ones(case, flow)).or_else(|| lost_on_the_way(case, flow))
        }
    };
    flows.iter().filter_map(at_one_point).collect()
}

fn latest_from<'a>(case: &Case<'a>, side: IpAddr) -> Option<&'a EspFlow> {
    case.flows_from(side).max_by_key(|flow| (flow.last, flow.last_frame))
}

/// Of two captures the one behind the other lacks packets that are longer than all that it has.
fn between_points(case: &Case<'_>, flow: &EspFlow) -> Option<Match> {
    let (points, has) = case.points().zip(flow.follows)?;
    let way = traffic::ways(case).into_iter().find(|way| way.from == flow.source)?.only(|other| other.spi == flow.spi);
    lacks_large(flow.source, flow, has).filter(|_| c_two_point::watched_all(points, &way))
}

/// The same of two captures with a NAT between them, whichever of the two lacks them.
fn beyond_a_nat(other_point: &c_two_point::OtherPoint, flow: &EspFlow) -> Option<Match> {
    let other = other_point.flow(flow)?;
    let (all, some) = if other.packets > flow.packets { (other, flow) } else { (flow, other) };
    let has =
        Follows { packets: some.packets, octets: some.octets, longest: some.length_range.1, ..Follows::default() };
    let alike = some.duplicates == 0 && some.resets == 0;
    let found = lacks_large(flow.source, all, has).filter(|_| alike)?;
    Some(Match { frames: vec![flow.first_frame, flow.last_frame], ..found })
}

/// What one capture has of a flow and the other one, which has this, lacks, is longer than all that that one has.
fn lacks_large(source: IpAddr, flow: &EspFlow, has: Follows) -> Option<Match> {
    let missing = flow.packets.checked_sub(has.packets).filter(|&missing| missing >= MANY)?;
    let length = flow.octets.checked_sub(has.octets)?.checked_div(missing)?;
    let large = length > has.longest.into() && flow.length_range.1 >= LARGE && has.packets >= ENOUGH;
    let alike = flow.duplicates == 0 && flow.resets == 0;
    (large && alike).then(|| {
        Match::on_pair(Confidence::Inferred)
            .seen(format!(
                "{missing} of {} from {}, of {length} octets on average, are in one capture only; those in both have {} at most",
                number(flow.packets, "packet"),
                source,
                has.longest,
            ))
            .means("small packets pass between the two points, and large ones do not")
            .rule_out(&["application", "loss"])
            .frames([flow.first_frame, flow.last_frame])
            .settle("a link with a smaller MTU between the two points, and what becomes of its ICMP")
    })
}

fn found(case: &Case<'_>, flow: &EspFlow) -> Option<Match> {
    let (short, long) = flow.length_range;
    let back = latest_from(case, flow.destination)?;
    let silent = flow.last.since(back.last);
    let unanswered = flow.packets.saturating_sub(back.packets);
    let large = large_packets(flow);
    let small_both_ways = short < LARGE / 2 && back.length_range.1 < LARGE / 2;
    // Of the small ones, those that only confirm need no answer: one of the two that open a TCP connection.
    let small = flow.packets.saturating_sub(large);
    let small_answered = back.packets.saturating_mul(2) >= small;
    let few = (ENOUGH..=STREAM).contains(&large) && unanswered >= ENOUGH && small_answered;
    if long < LARGE || !small_both_ways || !few || silent < SILENT || flow.first > back.last {
        return None;
    }
    Some(
        Match::on_pair(Confidence::Suspected)
            .seen(format!(
                "small packets went both ways; then {} sent about {} of up to {long} octets of ESP, and {} sent nothing for {}; nobody asked for smaller packets",
                flow.source,
                number(large, "packet"),
                flow.destination,
                span(silent),
            ))
            .means("packets of that size do not arrive, or what they ask for is not answered")
            .frames([back.last_frame, flow.last_frame])
            .rule_out(&["loss"])
            .settle("a capture on the other gateway's outside: do the large packets arrive there?"),
    )
}

/// At one point: packets of two sizes, as many answers as there were small ones, and answers to the end: none of the large ones got one. No
/// error, because large packets may be of something that wants no answer.
fn between_small_ones(case: &Case<'_>, flow: &EspFlow) -> Option<Match> {
    let (short, long) = flow.length_range;
    let back = latest_from(case, flow.destination)?;
    let large = large_packets(flow);
    let small = flow.packets.saturating_sub(large);
    let octets = [(small, short), (large, long)].map(|(packets, length)| packets.saturating_mul(length.into()));
    let two_sizes = octets.iter().sum::<u64>() == flow.octets && long >= LARGE && short < LARGE / 2;
    let answered = back.packets.abs_diff(small) <= 1 && back.length_range.1 < LARGE / 2 && small >= ENOUGH;
    let to_the_end = flow.last.since(back.last) < SILENT && flow.first <= back.first;
    let lacks_answers = lacks_as_many_answers(case, flow);
    let plain = if lacks_answers { flow.lost <= 1 } else { flow.lost == 0 && case.points().is_none() };
    let found = two_sizes && answered && to_the_end && plain && (MANY..=STREAM).contains(&large);
    found.then(|| {
        let [from, to] = [flow.source, flow.destination];
        let seen = format!(
            "{from} sent {} of {short} octets and {} of {long}; {to} sent {}, about as many as there were small ones",
            number(small, "packet"),
            number(large, "packet"),
            number(back.packets, "packet"),
        );
        let found = Match::on_pair(Confidence::Suspected).severity(Severity::Warning).rule_out(&["loss"]);
        let found = if lacks_answers {
            found
                .seen(format!("{seen}, and {} of it never came by, as many as there were large ones; nobody asked it for smaller packets", number(back.lost, "more packet")))
                .means(format!("the large packets arrive and are answered; the answers of {to}, most likely as large, are lost on their way here"))
                .rule_out(&["application"])
                .frames([back.first_frame, back.last_frame])
                .settle(format!("a capture on the outside of {to}: how large are the packets that are missing here?"))
        } else {
            found
                .seen(format!("{seen}; nobody asked for smaller packets"))
                .means("packets of that size do not arrive, or what they ask for is not answered; small ones are answered all along")
                .settle("a capture on the other gateway's outside: do the large packets arrive there?")
        };
        found.frames([flow.first_frame, flow.last_frame])
    })
}

/// The other side's numbers lack as many packets as there were large ones: those were answered, and the answers are lost.
fn lacks_as_many_answers(case: &Case<'_>, flow: &EspFlow) -> bool {
    let back = latest_from(case, flow.destination);
    back.is_some_and(|back| back.lost >= MANY && back.lost.abs_diff(large_packets(flow)) <= 1)
}

/// Only small packets reach the capture point, and more are missing; the other direction, of small ones too, lacks nothing.
fn lost_on_the_way(case: &Case<'_>, flow: &EspFlow) -> Option<Match> {
    let back = latest_from(case, flow.destination)?;
    let small = [flow, back].iter().all(|flow| flow.length_range.1 < LARGE / 2);
    // where all that comes has one size, what is missing may have that size too
    let of_sizes = flow.length_range.0 < flow.length_range.1;
    // one gap is an outage, or a sender that skips ahead
    let scattered = u64::from(flow.widest).saturating_mul(2) <= flow.lost;
    let missed = flow.lost >= MISSED && flow.lost >= flow.packets && scattered && back.lost == 0;
    let meanwhile =
        flow.packets >= ENOUGH && back.packets >= ENOUGH && back.first <= flow.last && flow.first <= back.last;
    (small && of_sizes && missed && meanwhile && flow.resets == 0).then(|| {
        Match::on_pair(Confidence::Suspected)
            .severity(Severity::Warning)
            .seen(format!(
                "{} of {} packets from {} are missing at this capture point; those that came have {} octets at most, and nothing of the other direction is missing",
                flow.lost,
                flow.lost.saturating_add(flow.packets),
                flow.source,
                flow.length_range.1,
            ))
            .means("small packets arrive; what is lost on the way is most likely large")
            .rule_out(&["application"])
            .weigh("loss", 4.0)
            .frames([flow.first_frame, flow.last_frame])
            .settle(format!("a capture on the outside of {}: how large are the packets that are missing here?", flow.source))
    })
}

/// How many packets are of the longest size if all others are of the shortest.
fn large_packets(flow: &EspFlow) -> u64 {
    let (short, long) = (u64::from(flow.length_range.0), u64::from(flow.length_range.1));
    let above = flow.octets.saturating_sub(flow.packets.saturating_mul(short));
    above.checked_div(long.saturating_sub(short)).unwrap_or(0)
}
