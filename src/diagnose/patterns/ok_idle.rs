//! OK-IDLE: the tunnel is up and idle.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};

use super::informational::{self, Reading};
use super::is_taken_down;
use super::life_cycle::frame_at;

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
    when: TUNNEL NO_FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let up = case.attempts().filter_map(|(index, view)| Some((index, view, view.tunnel_up()?))).last();
    let Some((index, view, at)) = up.filter(|_| case.pair.flows.is_empty()) else { return Vec::new() };
    let read = informational::read(&view);
    if is_taken_down(case) {
        return Vec::new();
    }
    let alive = read.iter().filter(|one| one.reading == Reading::Question { answered: true }).count();
    let keepalives = case.pair.sent.iter().map(|sent| sent.keepalives).sum();
    let idle = case.end().since(at);
    let seen = case.in_words(|| {
        // Where messages of it are missing, only that it is up shows.
        let attempt = view.attempt;
        let came_up = if view.is_v2() { attempt.phase1_up } else { attempt.phase2_up };
        let whole = !attempt.midstream && attempt.rekeyed_from.is_none() && came_up.is_some();
        let took = if whole { format!(" in {}", span(at.since(attempt.first))) } else { String::new() };
        let mut seen = format!("set up{took}; no ESP or AH in the {} since", span(idle));
        if alive > 0 {
            seen.push_str(&format!("; {} answered", number(alive as u64, "liveness check")));
        }
        if keepalives > 0 {
            seen.push_str(&format!("; {}", number(keepalives, "NAT keepalive")));
        }
        seen
    });
    vec![
        Match::on(index, Confidence::Inferred)
            .seen(seen)
            .means(if idle < PATIENCE {
                "the tunnel came up, and the capture ends before anything uses it"
            } else {
                "the tunnel is up and nothing uses it"
            })
            .frames([frame_at(&view, at)]),
    ]
}
