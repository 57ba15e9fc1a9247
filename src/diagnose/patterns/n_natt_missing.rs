//! N-NATT-MISSING: a NAT on the path, and no NAT traversal.

use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::packet::Encapsulation;
use crate::track::Side;

use super::traffic::{self, OneWay};
use super::{n_private_outer, nat};

/// Native ESP in one direction, so many packets of it, is no accident.
const ENOUGH: u64 = 3;

pattern! {
    /// ## What is seen
    ///
    /// The initiator's port is rewritten, or its address is a private one and the responder's is not, so there is a NAT; one side or both announce no NAT traversal (no vendor id in
    /// IKEv1, no NAT_DETECTION notify in IKEv2). Or both do, and stay on UDP 500 although NAT detection shows the NAT. IKE
    /// completes on UDP 500 all the same, and ESP goes natively over IP, in one direction only or not at all.
    ///
    /// ## What it means
    ///
    /// Without NAT traversal ESP has no ports that the NAT could tell clients apart by. Some NATs pass one client's ESP; most
    /// lose the packets that come back.
    ///
    /// ## Look-alikes
    ///
    /// - A NAT that passes ESP through for one client: works, until a second one comes (`N-NAT-MULTI`).
    /// - `T-ESP-BLOCKED`: a filter for ESP, without a NAT.
    N_NATT_MISSING = "N-NATT-MISSING", Path, Error;
    title: "there is a NAT on the path and no NAT traversal";
    causes: [
        "off" 0.70 "NAT traversal is turned off at the side that does not announce it", raised by "that product is known to do it", lowered by "";
        "unsupported" 0.30 "that side cannot do NAT traversal", raised by "an old or small device", lowered by "";
    ];
    checks: [
        Either: "turn on NAT traversal";
        Path: "permit UDP 4500 both ways; an ESP helper in the NAT serves one client at most";
    ];
    logs: [
        "Windows": "AssumeUDPEncapsulationContextOnSendRule" ("MS KB 947234");
        "SonicWALL": "Peer IPSec Security Gateway doesn't support VPN NAT Traversal" ("SonicWALL manual, NAT Traversal chapter");
    ];
    sources: ["RFC 3947 §3.1", "RFC 3715 §2.1", "RFC 7296 §2.23"];
    when: PORT, NAT, PRIVATE FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if !case.both_ways() {
        return Vec::new();
    }
    case.attempts()
        .filter(|(_, view)| sign_of_nat(view).is_some() && view.attempt.phase1_up.is_some())
        .last()
        .and_then(|(index, view)| found(case, index, &view))
        .or_else(|| case.attempts().last().and_then(|(index, view)| in_spite(case, index, &view)))
        .into_iter()
        .collect()
}

/// Both sides announce NAT traversal and find a NAT, and go on as if there were none (RFC 3947 §4, RFC 7296 §2.23).
fn in_spite(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let up = view.attempt.phase1_up?;
    let inner = nat::behind(view).next()?;
    let native = case.pair.flows.iter().all(|flow| flow.encapsulation == Encapsulation::None);
    let packets = |from| case.flows_from(from).filter(|flow| flow.last >= up).map(|flow| flow.packets).sum::<u64>();
    let (there, back) = (packets(view.attempt.initiator.ip()), packets(view.attempt.responder.ip()));
    let one_way = (there == 0) != (back == 0) && there + back >= ENOUGH;
    if !native || !one_way || view.attempt.midstream || view.messages().any(nat::on_4500) {
        return None;
    }
    Some(
        Match::on(index, Confidence::Inferred)
            .frames([view.attempt.first_frame])
            .seen(format!(
                "NAT detection shows {} behind a NAT, and neither IKE nor ESP moves to UDP 4500. In {} since IKE came up: {} of native ESP from the initiator, {} back",
                nat::name(inner),
                span(case.end().since(up)),
                number(there, "packet"),
                number(back, "packet"),
            ))
            .means("NAT traversal is known to both sides and not used: native ESP does not get through the NAT in one direction")
            .weigh("unsupported", 0.1),
    )
}

/// What shows that there is a NAT, where NAT detection cannot: the initiator's port, or its address seen before it is translated.
fn sign_of_nat(view: &View<'_>) -> Option<String> {
    let (initiator, responder) = (view.attempt.initiator, view.attempt.responder.ip());
    let is_private = n_private_outer::is_private;
    let rewritten = nat::rewritten_port(view)
        .map(|port| format!("the initiator's packets come from port {port}, as a NAT would have it"));
    rewritten.or_else(|| {
        let inside = is_private(initiator.ip()) && !is_private(responder) && nat::IKE.contains(&initiator.port());
        let says = || format!("the initiator has a private address, {}, and the responder has none", initiator.ip());
        (inside && !view.attempt.midstream).then(says)
    })
}

fn found(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let attempt = view.attempt;
    let sign = sign_of_nat(view)?;
    let up = attempt.phase1_up?;
    let silent: Vec<Side> = [Side::Initiator, Side::Responder]
        .into_iter()
        .filter(|side| view.heard(*side) && !attempt.nat.announced[side.index()])
        .collect();
    if silent.is_empty() || case.pair.flows.iter().any(|flow| flow.encapsulation != Encapsulation::None) {
        return None;
    }
    let packets = |from| case.flows_from(from).filter(|flow| flow.last >= up).map(|flow| flow.packets).sum::<u64>();
    let (there, back) = (packets(attempt.initiator.ip()), packets(attempt.responder.ip()));
    // Within the NAT no more is known of it than that there has to be one: what gets lost beyond it shows in what does not come back.
    let shows = |one: &OneWay<'_>| one.way.from == attempt.initiator.ip() && !one.short && !one.answered_before;
    let is_seen = || nat::rewritten_port(view).is_some() || traffic::one_way(case).as_ref().is_some_and(shows);
    if (there > 0 && back > 0) || !is_seen() {
        return None;
    }
    let sides: Vec<&str> = silent.iter().map(|&side| nat::name(side)).collect();
    let found = Match::on(index, Confidence::Suspected).frames([attempt.first_frame]).seen(format!(
        "{sign}; {} announced no NAT traversal. In {} since IKE came up: {} of native ESP from the initiator, {} back",
        sides.join(" and "),
        span(case.end().since(up)),
        number(there, "packet"),
        number(back, "packet"),
    ));
    Some(if there + back >= ENOUGH {
        found
            .means("native ESP does not get through the NAT in one direction")
            .settle("captures on both sides of the NAT: does ESP arrive, and does it leave?")
    } else {
        found
            .severity(Severity::Warning)
            .means("IKE works; ESP has no ports for the NAT to go by")
            .settle("send traffic through the tunnel and look whether ESP goes both ways")
    })
}
