//! T-REPLAY: the same sequence number twice.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};
use crate::packet::Encapsulation;
use crate::track::EspFlow;

use super::traffic;

/// One or two may be a stray.
const LEAST: u64 = 3;

pattern! {
    /// ## What is seen
    ///
    /// Packets of an SA whose sequence number had come before, and that are not the same packet recorded twice.
    ///
    /// ## What it means
    ///
    /// Something on the path duplicates packets, two machines send on one SA, or somebody replays. The receiver drops the
    /// second copy; that harms nobody unless a sender's numbers began again. So it is no more than a notice where each double
    /// looks like the packet shortly before it that had its number.
    ///
    /// ## Look-alikes
    ///
    /// - A mirror port or a capture on several interfaces records packets twice, some of them a hop later: nearly every
    ///   packet then has its double.
    /// - `T-SEQ-RESET`: the numbers began again and go on from there. That is told apart only if they fall by some thousands, or
    ///   come in a row from a low one on after a pause.
    T_REPLAY = "T-REPLAY", Traffic, Warning;
    title: "sequence numbers come twice";
    causes: [
        "capture" 0.35 "the capture recorded packets twice, at two places of their path", raised by "nearly every packet has its double", lowered by "a few doubles only";
        "link" 0.30 "a link or a bridge loop duplicates packets", raised by "doubles in bursts; IKE messages come twice too", lowered by "";
        "cluster" 0.20 "both members of a cluster send on the same SA", raised by "doubles after a failover", lowered by "";
        "again" 0.10 "the sender's numbers began again at a low value, and have not gone far above the old ones",
            raised by "the numbers that come twice come one after the other, with other sizes than before", lowered by "the same octets again";
        "attack" 0.05 "somebody replays recorded packets, or floods the receiver with one", raised by "doubles come minutes later; one number many times", lowered by "doubles come at once";
    ];
    checks: [
        Capture: "compare TTL and IP identification of two copies: equal identification and another TTL mean one packet seen twice";
        Path: "look for bridge loops and duplicating links";
        Either: "check that only one member of a cluster is active, and whether the sender restarted with saved SAs";
    ];
    logs: [
        "Cisco": "Replay Check Failed" ("Cisco doc 5409");
    ];
    sources: ["S2S-42", "RFC 4303 §3.4.3"];
    when: DUPLICATES;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let doubles = |way: &traffic::Way<'_>| way.flows.iter().map(|flow| flow.duplicates).sum::<u64>();
    let ways = traffic::ways(case);
    let of_all = |way: &traffic::Way<'_>| doubles(way).saturating_mul(5) >= way.packets().saturating_mul(2);
    let all_ways = ways.iter().all(|way| !way.is_empty() && of_all(way));
    let Some(way) = ways.into_iter().filter(|way| doubles(way) >= LEAST).max_by_key(doubles) else {
        return Vec::new();
    };
    // Each packet twice is what two capture points are for.
    if points::is_seen_twice(case) {
        return Vec::new();
    }
    let changed: u64 = way.flows.iter().map(|flow| u64::from(flow.changed)).sum();
    let copied: u64 = way.flows.iter().map(|flow| u64::from(flow.copied)).sum();
    let copies = doubles(&way).saturating_sub(copied) < LEAST;
    let others = changed >= LEAST && changed.saturating_mul(2) >= doubles(&way);
    let found = Match::on_pair(Confidence::Stated)
        .seen(format!(
            "{} of {} from {} had a number that had come before",
            doubles(&way),
            number(way.packets(), "packet"),
            way.from
        ))
        .frames(way.only(|flow| flow.duplicates > 0).frames());
    let everywhere = of_all(&way);
    let rare = doubles(&way).saturating_mul(1000) < way.packets();
    // Beside no IKE anything may go between these ports.
    let in_udp = |flow: &&EspFlow| flow.encapsulation == Encapsulation::Udp;
    let may_be_none = case.pair.attempts.is_empty() && way.flows.iter().all(in_udp);
    let stuck = doubles(&way).saturating_mul(3) > way.packets().saturating_mul(2);
    vec![if stuck {
        found
            .means("the numbers hardly rise at all: a broken sender, a flood of one packet, or no IPsec")
            .severity(if may_be_none { Severity::Notice } else { Severity::Warning })
            .weigh("capture", 0.2)
    } else if others {
        found
            .means("another packet under a number that had come before, and soon after: two senders on one SA, or a sender that began again")
            .rule_out(&["capture", "link", "attack"])
    } else if everywhere && all_ways {
        found.means("most likely the capture holds each packet twice").severity(Severity::Notice).weigh("capture", 5.0)
    } else if everywhere {
        found
            .means("of one direction nearly every number comes twice: something sends or copies its packets twice, or the numbers began again")
            .severity(Severity::Notice)
            .weigh("again", 3.0)
    } else if rare {
        found.means("too few to matter: the receiver drops them").severity(Severity::Notice)
    } else if copies {
        found
            .means("the same packets again, soon after: the path or the capture has them twice, and the receiver drops the copies")
            .severity(Severity::Notice)
            .weigh("link", 3.0)
            .weigh("cluster", 0.2)
            .rule_out(&["again"])
    } else {
        found.means("the receiver drops what has such a number; something sends or copies packets twice, or the numbers began again").weigh("capture", 0.5)
    }]
}
