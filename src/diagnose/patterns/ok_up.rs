//! OK-UP: the tunnel is up and carries traffic.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};

use super::is_taken_down;
use super::life_cycle::frame_at;

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
    let Some((index, view, up)) =
        case.attempts().filter_map(|(index, view)| Some((index, view, view.tunnel_up()?))).last()
    else {
        return Vec::new();
    };
    // That it was taken down says more.
    if is_taken_down(case) {
        return Vec::new();
    }
    // Traffic of a tunnel that was up before does not show that this one works.
    let packets = |from| case.flows_from(from).filter(|flow| flow.last >= up).map(|flow| flow.packets).sum::<u64>();
    let (there, back) = (packets(case.pair.a), packets(case.pair.b));
    if there == 0 || back == 0 {
        return Vec::new();
    }
    // A re-key takes over what is up; its own beginning tells nothing.
    let seen = case.in_words(|| {
        let took = match view.attempt.rekeyed_from {
            Some(_) => "re-keyed".into(),
            None if view.attempt.midstream || view.shown_by_traffic().is_some() => {
                "up; messages of the negotiation are not in the capture".into()
            }
            None => format!("set up in {}", span(up.since(view.attempt.first))),
        };
        format!("{took}; {} from {}, {back} from {}", number(there, "packet"), case.pair.a, case.pair.b)
    });
    vec![
        Match::on(index, Confidence::Inferred)
            .seen(seen)
            .means("the tunnel works as far as the outside can see")
            .frames([frame_at(&view, up)]),
    ]
}
