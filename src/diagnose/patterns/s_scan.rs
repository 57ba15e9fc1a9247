//! S-SCAN: probes.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::diagnose::{Confidence, Severity};
use crate::track::Side;

use super::probe;

pattern! {
    /// ## What is seen
    ///
    /// First messages that are answered and never followed up, from a sender that does not look like a gateway: no vendor ids
    /// (IKEv1) or no NAT detection (IKEv2), often with many transforms, and never repeated once the answer is there. Or first
    /// messages of IKEv1 with many transforms and no vendor ids that go to many addresses and are answered by none.
    ///
    /// ## What it means
    ///
    /// Somebody wants to know what answers here: a scanner, a security test, a monitor. It is no tunnel that fails.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-MM2-NO-MM3`: a real initiator that does not get, or does not like, the answer.
    /// - `S-HALFOPEN`: many of them.
    S_SCAN = "S-SCAN", Security, Notice;
    title: "first messages look like probes";
    causes: [
        "scan" 0.60 "a scan or a security test", raised by "many transforms; other addresses are tried too", lowered by "one address, at fixed intervals";
        "monitor" 0.30 "monitoring that checks whether IKE answers", raised by "fixed intervals from one address", lowered by "";
        "peer" 0.10 "a real peer with an old or bare stack", raised by "it continues at times", lowered by "many transforms";
    ];
    checks: [
        Responder: "nothing to repair; if it should not be seen from there, filter UDP 500 by address";
        Initiator: "if the address is a real peer of yours, find out why it does not continue";
    ];
    logs: [];
    sources: ["RFC 2408 §5.1"];
    when: LEFT_OPEN, V1 UNHEARD;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // Beside a tunnel only those are meant that are no part of it.
    let (beside, others): (Vec<_>, Vec<_>) = case.attempts().partition(|(_, view)| probe::is_beside_a_tunnel(view));
    let all = if beside.is_empty() { others } else { beside };
    let probes = all
        .iter()
        .all(|(_, view)| probe::looks_like_one(view) || probe::is_one_of_many(view) || probe::is_beside_a_tunnel(view));
    let (Some((index, last)), true) = (all.last(), probes) else { return Vec::new() };
    let transforms = last.attempt.offered.iter().map(|proposal| proposal.transforms.len()).sum::<usize>();
    let found = Match::on(*index, Confidence::Suspected)
        .seen(format!(
            "{} from {}, {}, {} and never continued",
            number(all.len() as u64, "first message"),
            last.attempt.initiator.ip(),
            number(transforms as u64, "transform"),
            if last.heard(Side::Responder) {
                "answered".to_owned()
            } else if probe::is_beside_a_tunnel(last) {
                format!("not answered, from port {} beside a tunnel of that address,", last.attempt.initiator.port())
            } else {
                format!("not answered, like those to {} other addresses,", case.silent_peers().saturating_sub(1))
            },
        ))
        .means("it looks as if somebody finds out what answers here, and means no tunnel")
        .frames(all.iter().take(8).map(|(_, view)| view.attempt.first_frame))
        .settle(format!("whether {} is one of your peers", last.attempt.initiator.ip()));
    // What else gets no answer beside a tunnel is no probe for that.
    vec![if probe::is_beside_a_tunnel(last) { found.severity(Severity::Info) } else { found }]
}
