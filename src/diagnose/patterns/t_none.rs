//! T-NONE: the tunnel is negotiated and carries nothing.

use crate::diagnose::case::{Case, PATIENCE};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};

use super::life_cycle::{self, Life};
use super::{is_taken_down, ok_delete, traffic};

/// Set up so often, it is more than idle.
const AGAIN: usize = 3;

pattern! {
    /// ## What is seen
    ///
    /// Quick Mode or IKE_AUTH complete, and not one ESP or AH packet in either direction afterwards.
    ///
    /// ## What it means
    ///
    /// The negotiation is fine; nothing reaches the tunnel. That is normal while nobody uses it. If traffic should flow,
    /// it is lost before the gateway encrypts it: a route that points elsewhere, an address translated before the policy
    /// sees it, subnets that overlap, another policy that takes the traffic first.
    ///
    /// A tunnel that is set up again and again and never carries a packet is more than idle, and is reported as a warning; one
    /// whose SAs are only renewed is not.
    ///
    /// ## Look-alikes
    ///
    /// - `OK-IDLE`: the same picture, when no traffic is expected. Only the user knows.
    /// - A capture filter for UDP 500 and 4500 leaves out ESP that is not in UDP.
    T_NONE = "T-NONE", Traffic, Warning;
    title: "the tunnel is negotiated and no packet uses it";
    causes: [
        "idle" 0.45 "nobody sends anything for the far subnet",
            raised by "liveness checks go on; the tunnel was set up by hand or at boot", lowered by "the tunnel comes up on demand, again and again";
        "inside" 0.35 "traffic does not reach the tunnel: route, address translation before encryption, policy or access list, overlapping subnets",
            raised by "the tunnel is negotiated repeatedly", lowered by "";
        "capture" 0.20 "the capture leaves out ESP (protocol 50) or AH (protocol 51)",
            raised by "no ESP of any pair in the capture, no NAT", lowered by "ESP of other pairs is there; this pair uses UDP 4500";
    ];
    checks: [
        Either: "send traffic from a host inside the local subnet to one inside the far subnet (not from the gateway itself) and look whether ESP appears";
        Either: "check the route to the far subnet, and that tunnel traffic is exempt from address translation";
        Either: "check that the two subnets do not overlap and that no other policy takes this traffic first";
        Capture: "make sure that the capture filter lets IP protocols 50 and 51 through";
    ];
    logs: [
        "Cisco ASA": "#pkts encaps / #pkts decaps" ("S2S-36");
    ];
    sources: [
        "SMG-05", "S2S-32", "S2S-36", "S2S-37", "S2S-38", "S2S-40", "S2S-41", "CON-24", "NIR-38", "RFC 4301 §5.1",
    ];
    misses: Data;
    when: TUNNEL NO_FLOWS;
    check: check
}

/// How often the tunnel was brought up from nothing: one that is taken down only after the next one has come up was renewed.
fn times_anew(case: &Case<'_>) -> usize {
    let lives = life_cycle::lives(case);
    let renewed = |two: &&[Life<'_>]| {
        let (earlier, next) = (&two[0].view, two[1].begun());
        earlier.attempt.last >= next && ok_delete::left(earlier).is_none_or(|left| left >= next)
    };
    lives.len() - lives.windows(2).filter(renewed).count()
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let Some((_, view, up)) = traffic::last_up(case) else { return Vec::new() };
    let idle = case.end().since(up);
    let seen = !case.pair.flows.is_empty() || traffic::forgotten(case).contains(&true);
    if seen || !case.both_ways() {
        return Vec::new();
    }
    let set_up = times_anew(case);
    if idle < PATIENCE && set_up < AGAIN {
        return Vec::new();
    }
    if view.attempt.last.since(up) <= life_cycle::UNWANTED && is_taken_down(case) {
        return Vec::new();
    }
    let native = !view.messages().any(|message| message.non_esp_marker);
    let found = Match::on_pair(Confidence::Stated)
        .seen(case.in_words(|| {
            let ups = times(set_up.max(1) as u64);
            if set_up >= AGAIN {
                let over = span(case.end().since(case.pair.first));
                return ["the tunnel came up ", &ups, " in ", &over, "; neither side sent ESP or AH"].concat();
            }
            ["the tunnel came up ", &ups, " and neither side sent ESP or AH in the ", &span(idle), " since"].concat()
        }))
        .frames([view.attempt.last_frame])
        .weigh("capture", if native { 1.5 } else { 0.2 });
    if set_up >= AGAIN {
        return vec![
            found
                .means("what asks for the tunnel again and again does not get into it")
                .weigh("idle", 0.3)
                .weigh("inside", 2.0),
        ];
    }
    vec![
        found
            .means("the tunnel is idle, or the traffic meant for it is lost before it is encrypted")
            .severity(Severity::Info)
            .settle("traffic sent from inside on purpose, while capturing outside"),
    ]
}
