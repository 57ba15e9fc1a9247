//! N-WIN-NAT-SERVER: a Windows client, and a server behind a NAT.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::track::{IkeVersion, Label, MessageRecord, Side};

use super::nat;

/// What every Windows before IKEv2 announces, with a version behind it.
const WINDOWS: [u8; 16] =
    [0x1e, 0x2b, 0x51, 0x69, 0x05, 0x99, 0x1c, 0x7d, 0x7c, 0x96, 0xfc, 0xbf, 0xb5, 0x87, 0xe4, 0x61];

pattern! {
    /// ## What is seen
    ///
    /// The initiator announces itself as Windows, NAT detection shows the responder behind a NAT, and the client stops after
    /// message 4 or 6, or never sends ESP.
    ///
    /// ## What it means
    ///
    /// Windows refuses IPsec through NAT traversal to a server that is itself behind a NAT, unless it is told otherwise.
    ///
    /// ## Look-alikes
    ///
    /// - `N-PORT4500`: UDP 4500 does not pass; a Windows that may use it sends on 4500.
    N_WIN_NAT_SERVER = "N-WIN-NAT-SERVER", Path, Error;
    title: "a Windows client stops before a server that is behind a NAT";
    causes: [
        "default" 0.80 "the Windows default, which refuses NAT traversal to a server behind a NAT", raised by "the client sends nothing on 4500", lowered by "the client repeats a message on 4500";
        "port" 0.20 "UDP 4500 is not forwarded to the server", raised by "the client repeats a message on 4500", lowered by "the client sends nothing on 4500";
    ];
    checks: [
        Initiator: "set AssumeUDPEncapsulationContextOnSendRule to 2 (1 if only the server is behind a NAT) and restart Windows, or use IKEv2";
        Responder: "give the server a public address";
        Responder: "forward UDP 500 and 4500 to it" about "port";
    ];
    logs: [
        "Windows": "Error 789 / 809" ("MS KB 947234");
        "Windows": "AssumeUDPEncapsulationContextOnSendRule 0/1/2" ("MS KB 947234");
    ];
    sources: ["RFC 3947 §3.2", "RFC 3948 §5.1"];
    when: V1 NAT;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    case.attempts()
        .filter(|(index, view)| view.attempt.version == IkeVersion::V1 && !view.one_sided() && !case.overcome(*index))
        .filter_map(|(index, view)| found(case, index, &view))
        .collect()
}

fn found(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let attempt = view.attempt;
    let windows = attempt.vendor_ids[Side::Initiator.index()].iter().any(|id| id.starts_with(&WINDOWS));
    // The responder may repeat itself to the end.
    let last = view.messages().filter(|message| message.from == Side::Initiator).map(MessageRecord::last_sent);
    // A client that opens a tunnel has something to send: once it is up, what else is said does not count.
    let up = attempt.phase2_up.filter(|_| attempt.stage == Label::Qm(3));
    let quiet = case.end().since(up.or(last.max())?);
    if !windows || attempt.nat.behind(Side::Responder) != Some(true) || quiet < PATIENCE {
        return None;
    }
    let traffic = case.flows_from(attempt.initiator.ip()).any(|flow| flow.last >= attempt.first);
    let stopped = matches!(attempt.stage, Label::Mm(4 | 6) | Label::Qm(3));
    if traffic || !stopped {
        return None;
    }
    let answered = view.messages().any(|message| message.from == Side::Responder && nat::on_4500(message));
    let on_4500 = view.messages().any(|message| message.from == Side::Initiator && nat::on_4500(message));
    Some(
        Match::on(index, Confidence::Suspected)
            .seen(match up {
                Some(_) => format!(
                    "the initiator is Windows, the responder is behind a NAT; the tunnel came up, and the client sent no ESP in the {} since",
                    span(quiet)
                ),
                None => format!(
                    "the initiator is Windows, the responder is behind a NAT; after {} the client sent nothing, and no ESP, in {}",
                    attempt.stage,
                    span(quiet)
                ),
            })
            .means(match answered {
                true => "IKE passes on UDP 4500; Windows sends no ESP to a server behind a NAT unless its registry says so",
                false => "Windows does not use NAT traversal to a server behind a NAT unless its registry says so",
            })
            .frames(attempt.nat.mismatch_frame)
            .frames([attempt.last_frame])
            .weigh(if on_4500 && !answered { "port" } else { "default" }, 2.0)
            // What is answered there is forwarded.
            .rule_out(if answered { &["port"] } else { &[] })
            .settle("the value of AssumeUDPEncapsulationContextOnSendRule on the client"),
    )
}
