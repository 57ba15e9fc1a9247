//! P1-UP-NO-P2: phase 1 is complete and nobody starts phase 2.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{ExchangeKind, Label, Side};

use super::initial_contact;
use super::life_cycle::UNWANTED;
use super::phase1::{self, Standing};
use super::{p1_init_reject, p1_xauth};

/// Some gateways take their time between the phases: 15 s is normal for one of them.
pub(super) const BETWEEN_PHASES: Duration = Duration::from_secs(30);

pattern! {
    /// ## What is seen
    ///
    /// Phase 1 complete, and for half a minute and more no Quick Mode from either side. Liveness checks may run. Or message 6
    /// of Main Mode leaves the responder, and message 5 comes again and again all the same.
    ///
    /// ## What it means
    ///
    /// Most gateways start phase 2 when traffic asks for it. Either there is none, or it does not match the policy: access list,
    /// crypto map, route or object of the side that should start. Each side may also wait for the other one. If message 5 goes
    /// on after message 6, phase 1 is complete for the responder only: message 6 does not reach the initiator.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-XAUTH`: Transaction exchanges are under way.
    /// - `L-DELETE-AFTER-P1`, `P1-INIT-REJECT`: the SA is torn down at once.
    /// - A phase 1 SA that only replaces an older one: its phase 2 lives on.
    P1_UP_NO_P2 = "P1-UP-NO-P2", Phase1, Warning;
    title: "phase 1 gets to its last message, and no phase 2 follows";
    causes: [
        "no-traffic" 0.41 "no traffic asks for the tunnel", raised by "liveness checks go on in peace", lowered by "traffic is known to be sent";
        "no-match" 0.35 "the traffic does not match policy, access list or crypto map, or is routed elsewhere",
            raised by "traffic is known to be sent; clear packets to the far network", lowered by "other networks of the pair work";
        "waiting" 0.18 "each side waits for the other to start", raised by "an answer-only policy", lowered by "either side starts at other times";
        "lost-qm" 0.02 "its first messages (Quick Mode) do not reach this point: a filter, or lost fragments",
            raised by "the initiator begins a new phase 1 while this one is unused", lowered by "liveness checks go on in peace";
        "lost-6" 0.03 "message 6 is lost on its way back to the initiator",
            raised by "message 5 is repeated after message 6 was sent", lowered by "message 5 is not repeated";
        "dislikes-6" 0.01 "the initiator drops message 6 without a word: it does not accept the responder's identity or proof", raised by "message 6 is seen to arrive, or is no larger than message 4, which did", lowered by "message 5 is not repeated";
    ];
    checks: [
        Initiator: "look in its log for whether message 6 arrives and what it makes of it" about "dislikes-6" "lost-6";
        Initiator: "set the identity that it expects of the responder" about "dislikes-6";
        Path: "follow message 6 back to the initiator: filters for its port, IP fragments, address translation, the return route" about "lost-6";
        Path: "see whether Quick Mode leaves the initiator, and follow it to the responder: filters, IP fragments" about "lost-qm";
        Initiator: "send traffic for the far network and see whether Quick Mode appears" about "no-traffic" "no-match" "waiting";
        Initiator: "check access list or policy, crypto map, routes and network objects for that traffic" about "no-match";
        Responder: "the same from the other side" about "no-traffic" "no-match" "waiting";
        Initiator: "look in its log for what it is waiting for" about "no-traffic" "no-match" "waiting" "lost-qm";
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
    misses: Messages;
    lost: "lost-6";
    when: V1 NO_QUICK_MODE, V1 REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if !case.both_ways() {
        return Vec::new();
    }
    let standing = Standing::of(case);
    let last_success = phase1::last_with_phase_2(case);
    let phase2 = case
        .pair
        .attempts
        .iter()
        .flat_map(|attempt| &attempt.exchanges)
        .any(|exchange| exchange.kind == ExchangeKind::QuickMode);
    let unused = !phase2 && case.pair.flows.is_empty();
    phase1::attempts(case)
        .filter_map(|(index, view)| {
            let up = view.attempt.phase1_up?;
            if view.messages().any(|message| matches!(message.label, Label::Tr(_) | Label::Qm(_))) {
                return None;
            }
            if refused_at_once(&view, up)
                || phase1::message_3_ignored(&view).is_some()
                || p1_init_reject::refusal(&view).is_some()
                || p1_xauth::is_unasked(&view)
            {
                // M-ENC-BIT, P1-AGGR-AUTH, P1-INIT-REJECT, P1-XAUTH.
                return None;
            }
            if let Some(found) = message_6_lost(index, &view) {
                let history = last_success.is_some_and(|success| success > view.attempt.first);
                let worst = if history { Severity::Notice } else { Severity::Error };
                return Some(found.severity(standing.severity(&view, worst)));
            }
            if unused { idle(case, index, &view, up) } else { None }
        })
        .collect()
}

/// Nothing follows for a while.
fn idle(case: &Case<'_>, index: usize, view: &View<'_>, up: Timestamp) -> Option<Match> {
    let next = case.pair.attempts.get(index + 1..).unwrap_or_default().first();
    let until = next.map_or(case.end(), |next| next.first);
    let idle = until.since(up);
    let announces = initial_contact::either(view);
    let torn_down = [Side::Initiator, Side::Responder]
        .into_iter()
        .flat_map(|side| phase1::encrypted_informationals(view, side))
        .filter(|message| message.at.since(up) <= UNWANTED && view.attempt.last <= message.at.after(UNWANTED))
        .any(|message| !announces(message));
    if idle < BETWEEN_PHASES || torn_down {
        return None;
    }
    let alive = view.attempt.last.since(up) >= UNWANTED;
    // Nobody asks for another phase 1 who does not want a tunnel.
    let anew = next.filter(|next| next.initiator.ip() == view.attempt.initiator.ip() && !alive);
    let again = anew.map_or(String::new(), |_| "; then the same initiator begins a new phase 1".to_owned());
    let found = Match::on(index, Confidence::Inferred)
        .seen(format!(
            "phase 1 was complete{}; no Quick Mode from either side in the {} since{}{again}",
            if view.attempt.midstream {
                String::new()
            } else {
                format!(" after {}", span(up.since(view.attempt.first)))
            },
            span(idle),
            if alive { "; other messages of the SA go on" } else { "" },
        ))
        .means(match anew {
            Some(_) => {
                "the initiator wants the tunnel: its Quick Mode does not get here, or it waits for the other side"
            }
            None => "nothing asked for phase 2, or what asked does not match the policy",
        })
        .frames([view.attempt.first_frame, view.attempt.last_frame])
        .rule_out(&["lost-6", "dislikes-6"])
        .settle(match anew {
            Some(_) => "a capture on the initiator's outside: whether Quick Mode leaves",
            None => "send traffic for the far network and see whether Quick Mode appears",
        });
    Some(if anew.is_some() { found.weigh("lost-qm", 25.0).weigh("no-traffic", 0.2) } else { found })
}

/// Either side refused the last message of phase 1 in clear.
fn refused_at_once(view: &View<'_>, up: Timestamp) -> bool {
    [Side::Initiator, Side::Responder].into_iter().any(|side| {
        view.clear_errors(side).any(|error| error.message.at >= up && error.message.at.since(up) <= UNWANTED)
    })
}

/// The initiator goes on with message 5 although message 6 passes here.
fn message_6_lost(index: usize, view: &View<'_>) -> Option<Match> {
    let (fifth, sixth) = (view.message(Label::Mm(5))?, view.message(Label::Mm(6))?);
    phase1::copies_in_spite_of(sixth, fifth).filter(|_| view.tunnel_up().is_none())?;
    let waited = view.waited(sixth);
    let over = if waited.copies > 1 { format!(" in {}", span(waited.over)) } else { String::new() };
    // What is lost on the way again and again is larger than what is not, or takes another way.
    let passes = view.message(Label::Mm(4)).is_some_and(|fourth| {
        sixth.ip_fragments <= 1 && sixth.length <= fourth.length && sixth.source.port() == fourth.source.port()
    });
    let pieces = match sixth.ip_fragments {
        0 | 1 => String::new(),
        pieces => format!(", in {pieces} IP fragments"),
    };
    let found =
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "MM6 ({} octets{pieces}) was sent {}{over}; the initiator goes on with MM5, {} more after it; no Quick Mode",
                sixth.length,
                times(waited.copies),
                times(phase1::repeats_after(fifth, sixth.at) as u64),
            ))
            .means(if passes {
                "the initiator does not take message 6, or it does not get there, as message 4 did: for the responder phase 1 is complete, for the initiator it is not"
            } else {
                "message 6 does not reach the initiator, or it does not take it: for the responder phase 1 is complete, for the initiator it is not"
            })
            .frames(view.frames(sixth))
            .frames([fifth.frame])
            .rule_out(&["no-traffic", "no-match", "waiting", "lost-qm"])
            .settle("a capture on the initiator's outside: whether message 6 arrives");
    Some(if passes { found.weigh("dislikes-6", 8.0) } else { found })
}
