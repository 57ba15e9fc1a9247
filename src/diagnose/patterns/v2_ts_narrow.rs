//! V2-TS-NARROW: the responder may have narrowed the traffic selectors.

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::EspFlow;

use super::ikev2::Standing;
use super::traffic::{self, GRACE};

/// Packets from which a flow without a counterpart is worth a word.
const A_FEW: u64 = 4;

pattern! {
    /// ## What is seen
    ///
    /// Tunnel up and carrying traffic, with several child SAs in use side by side, and more of them in one direction than in
    /// the other: some traffic goes out and nothing comes back for it.
    ///
    /// ## What it means
    ///
    /// The responder may take less than it is offered: a part of the range, or one pair of subnets a child SA. Traffic outside
    /// of that part then finds no SA, or one that the peer drops. The selectors are encrypted, so this is no more than a
    /// hint; only the two ends can confirm it.
    ///
    /// ## Look-alikes
    ///
    /// - `T-ONEWAY`: inner routing or a host firewall; far more common.
    /// - Several child SAs on purpose, one a pair of subnets, all answered.
    V2_TS_NARROW = "V2-TS-NARROW", IkeV2, Notice;
    title: "the responder may have narrowed the traffic selectors";
    causes: [
        "narrowed" 0.50 "the responder took a part of the offered range", raised by "ranges or 0.0.0.0/0 on one end only", lowered by "the same subnets on both ends";
        "single-pair" 0.30 "the peer supports one pair of subnets a child SA", raised by "products of different vendors", lowered by "the same product on both ends";
        "inner" 0.20 "something behind the gateways does not answer", raised by "a single host is concerned", lowered by "a whole subnet is concerned";
    ];
    checks: [
        Either: "compare the selectors that both status commands show, child SA by child SA";
        Either: "use one child SA a pair of subnets, or 0.0.0.0/0 on both";
    ];
    logs: [
        "GCP": "TS_NARROWING_NOT_ALLOWED: Traffic selector narrowing not allowed for an HA-VPN tunnel" ("Google Cloud VpnTunnel.Status reference");
    ];
    sources: ["RFC 7296 §2.9", "RFC 7296 §2.9.2"];
    when: V2 FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if Standing::of(case).is_down() || !case.both_ways() {
        return Vec::new();
    }
    let Some((index, view)) = super::ikev2::attempts(case).filter(|(_, view)| view.tunnel_up().is_some()).last() else {
        return Vec::new();
    };
    // Only SAs of this tunnel that began in the capture, and have been there long enough to draw an answer.
    let since = view.attempt.first;
    let until = case.end();
    let other = case.attempts().skip(index + 1).find(|(_, other)| other.tunnel_up().is_some());
    let is_own = |flow: &&EspFlow| other.is_none_or(|(_, other)| flow.first < other.attempt.first);
    let there = at_once(case.flows_from(case.pair.a).filter(is_own), since, until);
    let back = at_once(case.flows_from(case.pair.b).filter(is_own), since, until);
    let (more, less) = (there.max(back), there.min(back));
    // What one SA carries in vain has a finding of its own.
    if more < 2 || less == 0 || more == less || traffic::one_way(case).is_some() {
        return Vec::new();
    }
    vec![
        Match::on(index, Confidence::Suspected)
            .seen(format!("{} in use at once in one direction, {less} in the other", number(more as u64, "child SA"),))
            .means("some traffic has no way back; narrowed selectors would look like this, and so would inner routing")
            .settle("the selectors that the status commands of both ends show")
            .frames([view.attempt.last_frame]),
    ]
}

/// The most flows that were in use at the same time, of those with more than a few packets. One that is replaced goes on for
/// a while beside the new one.
fn at_once<'a>(flows: impl Iterator<Item = &'a EspFlow>, since: Timestamp, until: Timestamp) -> usize {
    let mut events: Vec<(Timestamp, i32)> = flows
        .filter(|flow| flow.packets >= A_FEW && flow.first >= since && until.since(flow.first) >= PATIENCE)
        .filter(|flow| flow.last.since(flow.first) >= PATIENCE)
        .flat_map(|flow| {
            let lasted = flow.last.since(flow.first);
            let replaced = until.since(flow.last) >= PATIENCE;
            let alone = if replaced { lasted.saturating_sub(GRACE) } else { lasted };
            [(flow.first, 1), (flow.first.after(alone), -1)]
        })
        .collect();
    events.sort_unstable();
    let mut now = 0_i32;
    let most = events.iter().map(|(_, step)| {
        now += step;
        now
    });
    usize::try_from(most.max().unwrap_or(0)).unwrap_or(0)
}
