//! L-REKEY-COLLISION: both sides re-key at the same moment.

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::track::{ExchangeKind, Side};

pattern! {
    /// ## What is seen
    ///
    /// On one IKE SA both sides start a CREATE_CHILD_SA exchange (or a Quick Mode, after the first), each before it has
    /// the answer to the other's.
    ///
    /// ## What it means
    ///
    /// Both ends reached the same lifetime at once. They sort it out by themselves: of the two new SAs one is deleted. It
    /// is harmless as long as both follow the same rule for which one goes.
    ///
    /// ## Look-alikes
    ///
    /// - Several subnets that are set up from both sides at once (IKEv1).
    /// - `L-DELETE-STORM`: it does not end.
    L_REKEY_COLLISION = "L-REKEY-COLLISION", LifeCycle, Notice;
    title: "both sides re-key at the same moment";
    causes: [
        "timers" 0.90 "the same lifetime on both ends, without a random margin", raised by "it happens again at each re-key", lowered by "";
        "subnets" 0.10 "different subnets were negotiated from both sides at once", raised by "IKEv1, several Quick Modes in a row", lowered by "IKEv2";
    ];
    checks: [
        Either: "give one side a shorter lifetime, or both a random margin";
    ];
    logs: [
        "AWS": "AWS tunnel detected a (CHILD_REKEY) collision as CHILD_DELETE" ("AWS log-contents");
        "strongSwan": "CHILD_SA rekey collision won/lost" ("strongSwan source");
        "Cisco ASA": "Failure during phase 1 rekeying attempt due to collision" ("Cisco ASA syslog reference");
        "Cisco ASA": "Rejecting new IPsec SA negotiation … already in progress" ("Cisco ASA syslog reference");
    ];
    sources: ["RFC 7296 §2.8.1", "RFC 7296 §2.25"];
    when: BOTH_START;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let crossed: Vec<[FrameRef; 2]> = case.attempts().flat_map(|(_, view)| crossings(&view)).collect();
    if crossed.is_empty() {
        return Vec::new();
    }
    let v2 = case.pair.attempts.last().is_some_and(|attempt| attempt.version == crate::track::IkeVersion::V2);
    vec![
        Match::on_pair(if v2 { Confidence::Inferred } else { Confidence::Suspected })
            .seen(format!("requests of both sides crossed {}", times(crossed.len() as u64)))
            .means("harmless if it ends with one pair of SAs; see whether traffic goes on")
            .frames(crossed.iter().take(8).flatten().copied())
            .weigh("subnets", if v2 { 0.1 } else { 1.0 }),
    ]
}

fn crossings(view: &View<'_>) -> Vec<[FrameRef; 2]> {
    let mut requests: Vec<(Timestamp, Timestamp, Side, FrameRef)> = view
        .exchanges()
        .iter()
        .filter(|exchange| match exchange.kind {
            ExchangeKind::CreateChildSa => true,
            ExchangeKind::QuickMode => {
                let first = exchange.messages.first().map(|message| message.at);
                view.attempt.phase2_up.zip(first).is_some_and(|(up, first)| first > up)
            }
            _ => false,
        })
        .filter_map(|exchange| {
            let request = exchange.messages.first().filter(|message| message.from == exchange.started_by)?;
            let answer = exchange.messages.get(1)?;
            Some((request.at, answer.at, exchange.started_by, request.frame))
        })
        .collect();
    requests.sort_unstable();
    let mut open: [Option<(Timestamp, FrameRef)>; 2] = [None, None];
    let mut crossed = Vec::new();
    for (asked, answered, side, frame) in requests {
        if let Some((_, theirs)) = open[side.other().index()].take_if(|(until, _)| asked < *until) {
            crossed.push([theirs, frame]);
        }
        open[side.index()] = Some((answered, frame));
    }
    crossed
}
