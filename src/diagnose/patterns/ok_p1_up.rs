//! OK-P1-UP: phase 1, or the IKE SA, is established.

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::track::{ExchangeKind, IkeVersion, Label, Side};

use super::life_cycle::frame_at;
use super::p1_init_reject;

pattern! {
    /// ## What is seen
    ///
    /// IKEv1: message 6 of Main Mode; or message 3 of Aggressive Mode, and the responder going on under the keys. IKEv2:
    /// an answer to IKE_AUTH that is longer than a refusal. No phase 2 yet.
    ///
    /// ## What it means
    ///
    /// Both sides agree on the proposal, on the keys and on who they are. What they send from here on is encrypted, so this
    /// is known from what follows and from sizes.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-INIT-REJECT`: the initiator refuses message 6.
    /// - `P1-UP-NO-P2`: phase 1 is up, and nobody asks for phase 2.
    OK_P1_UP = "OK-P1-UP", Normal, Info;
    title: "the IKE SA is established";
    causes: [];
    checks: [];
    logs: [
        "Netopia": "phase1 complete" ("NIR-14");
        "Cisco IOS": "IKE_P1_COMPLETE / MM_KEY_AUTH / QM_IDLE" ("CON-11");
        "Cisco ASA": "MM_ACTIVE" ("S2S-27");
        "Cisco ASA": "PHASE 1 COMPLETED" ("Cisco ASA syslog reference");
    ];
    sources: [
        "SMG-01", "SMG-06", "SMG-18", "PIX-44", "PIX-49", "PIX-51", "S2S-27", "CON-03", "CON-05", "CON-06", "CON-08",
        "CON-09", "CON-10", "CON-11", "CON-19", "CON-22", "CON-23", "CON-30", "CON-31", "NIR-14", "RFC 2409 §5",
        "RFC 7296 §1.2",
    ];
    when: NO_TUNNEL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // Once a tunnel is up, OK-UP and OK-IDLE say more.
    if case.attempts().any(|(_, view)| view.tunnel_up().is_some()) {
        return Vec::new();
    }
    case.attempts()
        .filter(|(_, view)| is_confirmed(view))
        .last()
        .and_then(|(index, view)| {
            let up = view.attempt.phase1_up?;
            Some(
                Match::on(index, Confidence::Inferred)
                    .seen(seen(&view, up))
                    .means("both sides agree on proposal, keys and identities")
                    .frames([frame_at(&view, up)]),
            )
        })
        .into_iter()
        .collect()
}

/// Of a capture that holds one direction, or traffic, nobody can say that there is no phase 2; where the beginning is not
/// in it, how long it took.
fn seen(view: &View<'_>, up: Timestamp) -> String {
    let unread = view.is_v2() && view.last_auth_response().is_some() && view.auth_answer().is_none();
    let phase2 = match view.case.both_ways() && view.case.pair.flows.is_empty() {
        true if unread => "; whether a child SA came with it does not show",
        true => "; phase 2 is not up",
        false => "",
    };
    match view.attempt.midstream {
        true => format!("set up; the beginning is not in the capture{phase2}"),
        false => format!("set up in {}{phase2}", span(up.since(view.attempt.first))),
    }
}

/// The peer showed that it takes the SA for good.
fn is_confirmed(view: &View<'_>) -> bool {
    let Some(up) = view.attempt.phase1_up else { return false };
    match view.attempt.version {
        // With EAP an answer that is longer than a refusal is just one more round.
        IkeVersion::V2 => {
            view.attempt.rekeyed_from.is_some()
                || (rounds(view) == 1 && view.authenticated() == Some(true) && view.set_up_unheard().is_none())
        }
        IkeVersion::V1 => {
            // A lone encrypted message of Main Mode is message 6 only if its sender is the responder.
            let complete = view.attempt.roles_known && view.message(Label::Mm(6)).is_some();
            (complete && p1_init_reject::refusal(view).is_none() && !is_asking(view))
                || view.messages().any(|message| {
                    message.from == Side::Responder
                        && message.at >= up
                        && matches!(message.label, Label::Qm(_))
                        && message.encrypted
                })
        }
    }
}

/// IKEv1: XAUTH or Mode Config stands between phase 1 and phase 2.
fn is_asking(view: &View<'_>) -> bool {
    let has = |kind| view.exchanges().iter().any(|exchange| exchange.kind == kind);
    has(ExchangeKind::Transaction) && !has(ExchangeKind::QuickMode)
}

fn rounds(view: &View<'_>) -> usize {
    view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::IkeAuth).count()
}
