//! P1-UP-NO-P2: phase 1 is complete and nobody starts phase 2.

use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::track::{ExchangeKind, Label, Side};

use super::phase1;

/// Some gateways take their time between the phases: 15 s is normal for one of them.
const BETWEEN_PHASES: Duration = Duration::from_secs(30);
/// An SA that ends this soon after phase 1 was refused or deleted, not left idle.
const AT_ONCE: Duration = Duration::from_secs(5);

pattern! {
    /// ## What is seen
    ///
    /// Phase 1 complete, and for half a minute and more no Quick Mode from either side. Liveness checks may run.
    ///
    /// ## What it means
    ///
    /// Most gateways start phase 2 when traffic asks for it. Either there is none, or it does not match the policy: access list,
    /// crypto map, route or object of the side that should start. Each side may also wait for the other one.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-XAUTH`: Transaction exchanges are under way.
    /// - `L-DELETE-AFTER-P1`, `P1-INIT-REJECT`: the SA is torn down at once.
    /// - A phase 1 SA that only replaces an older one: its phase 2 lives on.
    P1_UP_NO_P2 = "P1-UP-NO-P2", Phase1, Warning;
    title: "phase 1 is complete and nobody starts phase 2";
    causes: [
        "no-traffic" 0.45 "no traffic asks for the tunnel", raised by "liveness checks go on in peace", lowered by "traffic is known to be sent";
        "no-match" 0.35 "the traffic does not match policy, access list or crypto map, or is routed elsewhere",
            raised by "traffic is known to be sent; clear packets to the far network", lowered by "other networks of the pair work";
        "waiting" 0.20 "each side waits for the other to start", raised by "an answer-only policy", lowered by "either side starts at other times";
    ];
    checks: [
        Initiator: "send traffic for the far network and look whether Quick Mode appears";
        Initiator: "check access list or policy, crypto map, routes and network objects for that traffic";
        Responder: "the same from the other side";
    ];
    logs: [
        "Cisco IOS": "QM_IDLE" ("CON-23");
        "Cisco PIX": "IPSEC(sa_initiate): ACL = deny; no sa created" ("PIX-24");
        "racoon": "failed to get sainfo." ("racoon source");
    ];
    sources: [
        "PIX-24", "PIX-25", "PIX-26", "PIX-34", "PIX-35", "PIX-36", "PIX-37", "PIX-44", "S2S-30", "S2S-56", "CON-23", "NIR-46",
        "RFC 2409 §5.5",
    ];
    when: V1 NO_QUICK_MODE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let phase2 = case
        .pair
        .attempts
        .iter()
        .flat_map(|attempt| &attempt.exchanges)
        .any(|exchange| exchange.kind == ExchangeKind::QuickMode);
    if phase2 || !case.pair.flows.is_empty() || !case.both_ways() {
        return Vec::new();
    }
    phase1::attempts(case)
        .filter_map(|(index, view)| {
            let up = view.attempt.phase1_up?;
            if view.messages().any(|message| matches!(message.label, Label::Tr(_))) {
                return None;
            }
            let next = case.pair.attempts.get(index + 1..).unwrap_or_default().first();
            let until = next.map_or(case.end(), |next| next.first);
            let idle = until.since(up);
            let torn_down = [Side::Initiator, Side::Responder]
                .into_iter()
                .flat_map(|side| phase1::encrypted_informationals(&view, side))
                .any(|message| message.at.since(up) <= AT_ONCE && view.attempt.last <= message.at.after(AT_ONCE));
            if idle < BETWEEN_PHASES || torn_down {
                return None;
            }
            let alive = view.attempt.last.since(up) >= AT_ONCE;
            let found = Match::on(index, Confidence::Inferred)
                .seen(format!(
                    "phase 1 was complete after {}; no Quick Mode from either side in the {} since{}",
                    span(up.since(view.attempt.first)),
                    span(idle),
                    if alive { "; other messages of the SA go on" } else { "" },
                ))
                .means("nothing asked for phase 2, or what asked does not match the policy")
                .frames([view.attempt.first_frame, view.attempt.last_frame])
                .settle("send traffic for the far network and look whether Quick Mode appears");
            Some(found)
        })
        .collect()
}
