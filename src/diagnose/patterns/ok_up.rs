//! OK-UP: the tunnel is up and carries traffic.

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::track::EspFlow;

use super::life_cycle::{self, Life, Traffic, frame_at};
use super::{is_taken_down, ok_delete};

pattern! {
    /// ## What is seen
    ///
    /// Phase 2 (or IKE_AUTH) complete, and ESP or AH in both directions.
    ///
    /// ## What it means
    ///
    /// The tunnel works as far as the outside can see.
    ///
    /// ## Look-alikes
    ///
    /// - `T-ONEWAY`: ESP in one direction only.
    OK_UP = "OK-UP", Normal, Info;
    title: "the tunnel is up and carries traffic";
    causes: [];
    checks: [];
    logs: [
        "Cisco": "Up-Active" ("CON-25");
        "Netopia": "phase2 complete" ("NIR-18");
        "Cisco ASA": "PHASE 2 COMPLETED" ("Cisco ASA syslog reference");
        "GCP": "ESTABLISHED" ("Google Cloud VpnTunnel.Status reference");
    ];
    sources: [
        "SMG-01", "SMG-05", "S2S-52", "S2S-60", "S2S-61", "S2S-63", "CON-12", "CON-13", "CON-15", "CON-25", "NIR-05",
        "NIR-18", "NIR-20", "NIR-39", "NIR-46",
    ];
    when: TUNNEL FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // That it was taken down says more.
    if is_taken_down(case) {
        return Vec::new();
    }
    // Traffic of a tunnel that was up before does not show that this one works.
    let packets = |from, up| case.flows_from(from).filter(|flow| flow.last >= up).map(|flow| flow.packets).sum::<u64>();
    let (a, b) = (case.pair.a, case.pair.b);
    let carries = |up| packets(a, up) > 0 && packets(b, up) > 0;
    // One that took over a moment ago had no time for it: then the one before tells.
    let until = |from, up| case.flows_from(from).any(|flow| flow.last.after(PATIENCE) >= up);
    let just_begun = |up| case.end().since(up) < PATIENCE && until(a, up) && until(b, up);
    let ups = case.attempts().filter_map(|(index, view)| Some((index, view, view.tunnel_up()?)));
    let ups: Vec<_> = ups.collect();
    let told = ups.into_iter().rev().find(|&(_, _, up)| carries(up) || !just_begun(up));
    let Some((index, view, up)) = told.filter(|&(_, _, up)| carries(up)) else { return Vec::new() };
    // A re-key takes over what is up; its own beginning tells nothing.
    let seen = case.in_words(|| {
        let takes_over = taken_over(case, index);
        let is_old = |flow: &EspFlow| flow.first < view.attempt.first;
        let beside = |up: Timestamp| {
            [a, b].iter().all(|&from| case.flows_from(from).any(|flow| is_old(flow) && flow.last > up.after(PATIENCE)))
        };
        let took = match view.attempt.rekeyed_from {
            Some(_) => "re-keyed".into(),
            None if takes_over.is_some() && beside(up) => "negotiated beside one that goes on".into(),
            None if takes_over.is_some() => "negotiated anew while the one before was up".into(),
            None if view.attempt.midstream || view.shown_by_traffic().is_some() => {
                "up; messages of the negotiation are not in the capture".into()
            }
            None => format!("set up in {}", span(up.since(view.attempt.first))),
        };
        let since = takes_over.unwrap_or(up);
        format!("{took}; {} from {a}, {} from {b}", number(packets(a, since), "packet"), packets(b, since))
    });
    vec![
        Match::on(index, Confidence::Inferred)
            .seen(seen)
            .means("the tunnel works as far as the outside can see")
            .frames([frame_at(&view, up)]),
    ]
}

/// Since when the tunnel was up without a break, if attempt `index` took over from an earlier one.
fn taken_over(case: &Case<'_>, index: usize) -> Option<Timestamp> {
    let lives = life_cycle::lives(case);
    let last = lives.iter().rposition(|life| life.index == index).filter(|&last| last > 0)?;
    let traffic = Traffic::of(case);
    let leaves = ok_delete::leaves(case);
    let without_break = |earlier: &Life<'_>, later: &Life<'_>| {
        let left = leaves.get(earlier.index).copied().flatten();
        left.is_none_or(|left| left >= later.begun()) && !life_cycle::interrupted(&traffic, earlier, later)
    };
    let breaks = lives.get(..=last)?.windows(2).rposition(|two| !without_break(&two[0], &two[1]));
    let first = breaks.map_or(0, |place| place + 1);
    lives.get(first).filter(|_| first < last).map(|life| life.up)
}
