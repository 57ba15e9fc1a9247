//! T-SEQ-WRAP: a sequence number at its end, or zero.

use std::time::Duration;

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::diagnose::{Confidence, Severity};
use crate::track::EspFlow;

use super::{life_cycle, traffic};

/// So near to 2^32 that a re-key is overdue.
const NEAR: u32 = 0xf000_0000;
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
        Either: "set a lifetime by volume or packets, or a shorter one by time";
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
    let flows: Vec<_> = traffic::ways(case).into_iter().flat_map(|way| way.flows).collect();
    let judged = flows.iter().filter_map(|flow| Some((*flow, judge(flow)?)));
    let Some((flow, end)) = judged.max_by_key(|(_, end)| *end) else { return Vec::new() };
    let frames = [flow.first_frame, flow.last_frame];
    let found = Match::on_pair(Confidence::Stated).frames(frames);
    let which = format!("SPI {} from {}", flow.spi, flow.source);
    vec![match end {
        End::RanOver => found
            .seen(format!("the numbers of {which} ran over 2^32 and went on to {}", flow.last_sequence))
            .means("normal with extended sequence numbers; without them the receiver drops everything since")
            .severity(Severity::Notice)
            .weigh("esn", 3.0)
            .settle("whether extended sequence numbers are on, from either gateway"),
        End::Near => {
            let left = life_cycle::spacing(flow).saturating_mul(u32::MAX - flow.last_sequence);
            Match::on_pair(Confidence::Suspected)
                .frames(frames)
                .severity(if left > SOON { Severity::Notice } else { Severity::Warning })
                .seen(format!(
                    "the numbers of {which} reached {} of 4294967295 without a re-key; at its pace the others last for {}",
                    flow.last_sequence,
                    span(left),
                ))
                .means("without extended sequence numbers this SA stops when they are used up, until it is re-keyed")
                .settle("whether extended sequence numbers are on, from either gateway")
        }
        End::Zero => found
            .seen(format!("the first packet of {which} has sequence number 0"))
            .means("the first number of an SA is 1: the sender counts wrongly, or the packets are not what they seem")
            .weigh("bug", 6.0),
    }]
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum End {
    Zero,
    RanOver,
    Near,
}

pub(super) fn judge(flow: &EspFlow) -> Option<End> {
    if flow.packets < LEAST_PACKETS {
        return None;
    }
    let ran_over = flow.resets == 0 && flow.first_sequence > NEAR && flow.last_sequence < 1 << 28;
    if ran_over {
        Some(End::RanOver)
    } else if flow.last_sequence > NEAR && flow.last_sequence.wrapping_sub(flow.first_sequence) < 1 << 31 {
        Some(End::Near)
    } else if flow.first_sequence == 0 && (1..1 << 28).contains(&flow.last_sequence) {
        Some(End::Zero)
    } else {
        None
    }
}
