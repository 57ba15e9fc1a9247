//! T-SEQ-WRAP: a sequence number at its end, or zero.

use std::cmp::Reverse;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};
use crate::track::EspFlow;

use super::traffic::{GONE, STREAM, Way};
use super::{life_cycle, traffic};

/// Fewer packets than these may be anything that looks like ESP.
const LEAST_PACKETS: u64 = 3;
/// Numbers that last for longer than this are no concern of today.
const SOON: Duration = Duration::from_secs(30 * 24 * 3600);

pattern! {
    /// ## What is seen
    ///
    /// A sequence number close to 2^32 without a re-key, one that ran over to zero, or a first packet with number zero.
    ///
    /// ## What it means
    ///
    /// An SA with 32-bit numbers ends before the number runs over; a sender must re-key or stop. With extended sequence
    /// numbers (64 bits, of which the low half is on the wire) running over is normal, and whether they are in use was
    /// agreed under encryption. The first number of an SA is 1; zero is never sent.
    ///
    /// Where the other side sent steadily until the number ran over and nothing since, it drops what comes: the SA is
    /// dead until it is re-keyed. Where it goes on to answer one for one, extended sequence numbers are in use, and all is well.
    ///
    /// ## Look-alikes
    ///
    /// - `T-SEQ-RESET`: the numbers began again long before 2^32.
    T_SEQ_WRAP = "T-SEQ-WRAP", Traffic, Warning;
    title: "the sequence number of an SA is at its end";
    causes: [
        "esn" 0.45 "extended sequence numbers are in use and all is well", raised by "the number ran over and traffic goes on", lowered by "traffic stops";
        "volume" 0.40 "no lifetime by volume is set, so that nothing re-keys in time", raised by "a fast link and a long lifetime", lowered by "";
        "bug" 0.15 "the sender counts wrongly", raised by "a number of zero", lowered by "";
    ];
    checks: [
        Either: "if the tunnel has stopped, clear its SAs, so that new ones are negotiated" about "volume" "bug";
        Either: "set a lifetime by volume or packets, or a shorter one by time" about "volume" "bug";
        Either: "use extended sequence numbers on fast links, if both ends have them";
    ];
    logs: [
        "Cisco": "replay check failed … sequence number=0" ("Cisco community");
    ];
    sources: ["RFC 4303 §2.2", "RFC 4303 §2.2.1", "RFC 4304"];
    when: NUMBERS_AT_AN_END;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if let Some(stopped) = stopped(case) {
        return vec![tell_stopped(&stopped)];
    }
    let [there, back] = &traffic::ways(case);
    let judged = [(there, back), (back, there)].into_iter().flat_map(|(way, other)| {
        let judged = way.flows.iter().filter_map(|&flow| Some((judge(flow)?, flow)));
        judged.map(move |(end, flow)| (end, Reverse(left(flow)), flow, way.is_answered_by(other)))
    });
    let Some((end, _, flow, answered)) = judged.max_by_key(|&(end, left, ..)| (end, left)) else { return Vec::new() };
    let which = format!("SPI {} from {}", flow.spi, flow.source);
    let found = |confidence| Match::on_pair(confidence).frames([flow.first_frame, flow.last_frame]);
    vec![match end {
        End::RanOver(_) => {
            let seen = format!("the numbers of {which} ran over 2^32 and went on to {}", flow.last_sequence);
            if u64::from(flow.last_sequence) >= STREAM && answered {
                return vec![
                    found(Confidence::Inferred)
                        .seen(format!("{seen}; what was sent has as many answers, to the end"))
                        .means("the receiver takes them: extended sequence numbers are in use")
                        .severity(Severity::Info)
                        .rule_out(&["volume", "bug"]),
                ];
            }
            found(Confidence::Stated)
                .seen(seen)
                .means("normal with extended sequence numbers; without them the receiver drops everything since")
                .severity(Severity::Notice)
                .weigh("esn", 3.0)
                .settle("whether extended sequence numbers are on, from either gateway")
        }
        End::Near => {
            let left = left(flow);
            found(Confidence::Suspected)
                .severity(if left > SOON { Severity::Notice } else { Severity::Warning })
                .seen(format!(
                    "the numbers of {which} reached {} without a re-key; {} are left, enough for {} at its pace",
                    flow.last_sequence,
                    u32::MAX - flow.last_sequence,
                    span(left),
                ))
                .means("without extended sequence numbers this SA stops when they are used up, until it is re-keyed")
                .settle("whether extended sequence numbers are on, from either gateway")
        }
        End::Zero => found(Confidence::Stated)
            .seen(format!("the first packet of {which} has sequence number 0"))
            .means("the first number of an SA is 1: the sender counts wrongly, or the packets are not what they seem")
            .weigh("bug", 6.0),
    }]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Zero,
    /// With the first packet after it.
    RanOver((Timestamp, FrameRef)),
    Near,
}

pub(super) fn judge(flow: &EspFlow) -> Option<End> {
    if flow.packets < LEAST_PACKETS {
        return None;
    }
    let ran_over = flow.ran_over.filter(|_| flow.resets == 0 && flow.first_sequence > EspFlow::NEAR_END);
    if let Some(first) = ran_over.filter(|_| flow.last_sequence < 1 << 28) {
        Some(End::RanOver(first))
    } else if flow.last_sequence > EspFlow::NEAR_END && flow.last_sequence.wrapping_sub(flow.first_sequence) < 1 << 31 {
        Some(End::Near)
    } else if flow.first_sequence == 0 && (1..1 << 28).contains(&flow.last_sequence) {
        Some(End::Zero)
    } else {
        None
    }
}

/// How long the numbers that are left last at the pace of the flow.
fn left(flow: &EspFlow) -> Duration {
    life_cycle::spacing(flow).saturating_mul(u32::MAX - flow.last_sequence)
}

/// A peer that sent until the numbers of the other side ran over.
struct Stopped<'a> {
    flow: &'a EspFlow,
    /// The first packet after that.
    ran_over: (Timestamp, FrameRef),
    silent: Way<'a>,
}

/// The peer sent steadily until the numbers of the other side ran over, and nothing since, while that goes on.
fn stopped<'a>(case: &Case<'a>) -> Option<Stopped<'a>> {
    let [there, back] = traffic::ways(case);
    if !case.both_ways() || traffic::forgotten(case).contains(&true) {
        return None;
    }
    [(&there, &back), (&back, &there)].into_iter().find_map(|(way, silent)| {
        let flow = way.flows.iter().copied().max_by_key(|flow| flow.last)?;
        let Some(End::RanOver(ran_over)) = judge(flow) else { return None };
        let peer = silent.flows.iter().max_by_key(|flow| flow.last)?;
        let pace = life_cycle::spacing(peer).max(life_cycle::spacing(flow));
        let near = |at: Timestamp, other: Timestamp| at.max(other).since(at.min(other)) <= pace * 2;
        let gone = flow.last.since(ran_over.0) >= GONE.1.max(pace * GONE.0);
        let steady = peer.packets >= STREAM && near(peer.last, ran_over.0);
        (steady && gone).then(|| Stopped { flow, ran_over, silent: silent.clone() })
    })
}

/// Whether traffic is no longer answered since the numbers of a side ran over.
pub(super) fn has_stopped(case: &Case<'_>) -> bool {
    stopped(case).is_some()
}

fn tell_stopped(Stopped { flow, ran_over: (at, frame), silent }: &Stopped<'_>) -> Match {
    let since = span(flow.last.since(*at));
    Match::on_pair(Confidence::Inferred)
        .seen(format!(
            "the numbers of SPI {} from {} ran over 2^32 and went on to {}; {} from {} until then, and none in the {since} since",
            flow.spi,
            flow.source,
            flow.last_sequence,
            number(silent.packets(), "packet"),
            silent.from,
        ))
        .means(format!("{} drops all that came since: extended sequence numbers are not in use there", silent.from))
        .frames([flow.first_frame, *frame, flow.last_frame])
        .rule_out(&["esn"])
        .settle(format!("the replay counter of the SA on {}", silent.from))
}
