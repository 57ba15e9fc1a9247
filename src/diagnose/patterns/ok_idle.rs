//! OK-IDLE: the tunnel is up and idle.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;

pattern! {
    /// ## What is seen
    ///
    /// Phase 2 (or IKE_AUTH) complete, and no ESP since. Liveness checks and NAT keepalives may go on.
    ///
    /// ## What it means
    ///
    /// The tunnel is up and nobody uses it, or nothing gets as far as the tunnel.
    ///
    /// ## Look-alikes
    ///
    /// - `T-NONE`: traffic ought to flow and does not: only the user knows.
    OK_IDLE = "OK-IDLE", Normal, Info;
    title: "the tunnel is up and idle";
    causes: [];
    checks: [
        Either: "if traffic should flow: send some from inside and look whether ESP appears";
    ];
    logs: [
        "Cisco": "Up-IDLE" ("CON-26");
    ];
    sources: ["S2S-36", "S2S-55", "S2S-56", "CON-26", "NIR-38"];
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let up = case.attempts().filter_map(|(index, view)| Some((index, view, view.tunnel_up()?))).last();
    match up {
        Some((index, view, at)) if case.pair.flows.is_empty() => vec![
            Match::on(index, Confidence::Inferred)
                .seen(format!("set up; no ESP or AH in the {} since", span(case.end().since(at))))
                .means("the tunnel is up and nothing uses it")
                .frames([view.attempt.last_frame]),
        ],
        _ => Vec::new(),
    }
}
