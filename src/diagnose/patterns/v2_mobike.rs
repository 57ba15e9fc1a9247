//! V2-MOBIKE: an end of the IKE SA moved to another address.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::track::{ExchangeKind, Move, Side};

use super::ikev2;

pattern! {
    /// ## What is seen
    ///
    /// The same SPIs go on from another address, beginning with an INFORMATIONAL; the peer then sends its ESP there.
    ///
    /// ## What it means
    ///
    /// The initiator changed networks (or picked another of its addresses) and took the SA with it, as MOBIKE provides for.
    /// Nothing is wrong.
    ///
    /// ## Look-alikes
    ///
    /// - `N-MAPPING-CHANGED`: a NAT gave the initiator another address or port; the initiator does not know of it.
    V2_MOBIKE = "V2-MOBIKE", IkeV2, Info;
    title: "an end of the IKE SA moved to another address";
    causes: [
        "roaming" 0.80 "the initiator changed networks", raised by "an INFORMATIONAL longer than a liveness check comes from the new address", lowered by "";
        "nat" 0.20 "a NAT in front of it gave it another address", raised by "NAT on the path; ESP comes from the new address before IKE", lowered by "no NAT on the path";
    ];
    checks: [
        Either: "nothing has to be done; if it happens often, look at the initiator's network, or at the NAT's timers";
    ];
    logs: [
        "strongSwan": "detected changes in NAT mappings, initiating MOBIKE update" ("strongSwan source");
    ];
    sources: ["RFC 4555 §3.5", "RFC 7296 §2.23"];
    when: V2 MOVED;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let up = view.attempt.phase1_up?;
            let moves: Vec<&Move> = view
                .attempt
                .moves
                .iter()
                .filter(|moved| moved.at > up && moved.to.ip() != home(moved.side, &view).ip())
                .collect();
            let first = moves.first()?;
            let announced = view.exchanges().iter().any(|exchange| {
                exchange.kind == ExchangeKind::InformationalV2
                    && exchange.messages.iter().any(|message| message.source == first.to)
            });
            if !announced {
                return None;
            }
            let who = if first.side == Side::Initiator { "initiator" } else { "responder" };
            let natted = view.attempt.nat.behind(first.side) == Some(true);
            let found = Match::on(index, Confidence::Inferred)
                .seen(format!(
                    "{} after it came up, the {who} went on from {} instead of {}",
                    span(first.at.since(up)),
                    first.to,
                    home(first.side, &view).ip(),
                ))
                .means("the SA moved with it: MOBIKE at work")
                .frames(moves.iter().map(|moved| moved.frame));
            Some(if natted { found.weigh("nat", 3.0) } else { found.weigh("nat", 0.2) })
        })
        .collect()
}

/// Where a side was when the attempt began.
fn home(side: Side, view: &crate::diagnose::case::View<'_>) -> std::net::SocketAddr {
    match side {
        Side::Initiator => view.attempt.initiator,
        Side::Responder => view.attempt.responder,
    }
}
