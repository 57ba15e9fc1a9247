//! N-MAPPING-CHANGED: a side shows up at another address or port while the tunnel is up.

use std::net::IpAddr;
use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::{ExchangeKind, Label, Side};

use super::{n_keepalive, nat};

/// A client that moves says so within this (RFC 4555 §3.5).
const SAYS_SO: Duration = Duration::from_secs(10);

pattern! {
    /// ## What is seen
    ///
    /// Messages with the same SPIs come from another port or address than before, after the tunnel was up. Or the address of a
    /// side answers ESP in UDP with ICMP port unreachable, while that side goes on sending under the same SA. Or ESP in UDP comes
    /// from another port than before, under the same SPI.
    ///
    /// ## What it means
    ///
    /// The NAT in front of that side made a new mapping: it restarted, or the old one timed out; or its outer address is
    /// dynamic. Until the peer notices it sends to the old place, and what it sends is lost.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-MOBIKE`: a client that moves on purpose, and says so.
    /// - `N-WRONG-ADDR`: the place changes while the tunnel is still being negotiated.
    N_MAPPING_CHANGED = "N-MAPPING-CHANGED", Path, Warning;
    title: "the NAT mapping of a side changed while the tunnel was up";
    causes: [
        "timeout" 0.50 "the mapping timed out and was made anew", raised by "quiet before the change; only the port changed", lowered by "steady traffic or keepalives before the change";
        "restart" 0.30 "the NAT restarted, or failed over to another one", raised by "several pairs change at once", lowered by "";
        "dynamic" 0.20 "the outer address is dynamic and was renewed", raised by "the address changed", lowered by "only the port changed";
    ];
    checks: [
        Path: "shorten the keepalive interval below the NAT's timer";
        Either: "let both ends follow new mappings (NAT traversal by RFC 3947, MOBIKE in IKEv2)";
    ];
    logs: [
        "strongSwan": "detected changes in NAT mappings" ("strongSwan source");
        "ZyXEL": "!! WAN IP changed to <IP>" ("ZyXEL manuals");
    ];
    sources: ["S2S-48", "RFC 3947 §5.2", "RFC 7296 §2.23"];
    when: MOVED, ICMP;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let moved: Vec<Match> = case.attempts().filter_map(|(index, view)| found(index, &view)).collect();
    if moved.is_empty() { remapped(case).or_else(|| refused(case)).into_iter().collect() } else { moved }
}

/// ESP in UDP comes from another port.
fn remapped(case: &Case<'_>) -> Option<Match> {
    let nat::Remapped { flow, change, port, followed } = nat::remapped(case)?;
    let (peer, old) = (flow.destination, change.from.0);
    let mut found = nat::match_at(case, change.at, Confidence::Stated)
        .seen(format!(
            "ESP in UDP of {} comes from port {port} instead of {old} under the same SPI; its port changed {}",
            flow.source,
            times(change.count.into()),
        ))
        .frames([change.frame])
        .weigh("dynamic", 0.1)
        .weigh("timeout", if n_keepalive::keeps_pace(flow) { 0.3 } else { 1.5 });
    found = tell_refused(case, found, flow.source);
    Some(match followed {
        Some(true) => {
            found.severity(Severity::Info).means(format!("a new mapping; {peer} noticed, and sends to the new port"))
        }
        Some(false) => {
            found.means(format!("a new mapping, which {peer} does not follow: what it sends to the old port is lost"))
        }
        None => found
            .severity(Severity::Notice)
            .means(format!("a new mapping; {peer} sent no ESP since, from which one could tell whether it follows"))
            .settle("a longer capture, with traffic both ways"),
    })
}

/// With the errors that what was sent to the old place of `side` met.
fn tell_refused(case: &Case<'_>, mut found: Match, side: IpAddr) -> Match {
    if let Some(refused) = nat::unmapped(case).filter(|refused| refused.inner == side) {
        let errors = times(refused.count);
        found.seen.push_str(&format!(
            "; ESP in UDP that was sent to the old place was answered with ICMP port unreachable {errors}"
        ));
        found = found.frames(refused.frames);
    }
    found
}

/// The peer does not follow: a NAT says that it has no mapping for where ESP in UDP goes, while the side behind it sends on.
fn refused(case: &Case<'_>) -> Option<Match> {
    let refused = nat::unmapped(case).filter(|refused| !n_keepalive::explains(case, refused))?;
    Some(
        nat::match_at(case, refused.span.0, Confidence::Inferred)
            .seen(format!(
                "ICMP port unreachable from {} about ESP in UDP to it, {} in {}, and under the same SA its own packets go on",
                refused.inner,
                times(refused.count),
                span(refused.span.1.since(refused.span.0)),
            ))
            .means(if refused.healed {
                "the mapping was gone for a while, and what went to the old place was lost"
            } else {
                "a new mapping, which the peer does not follow: what it sends to the old place is lost"
            })
            .frames(refused.frames)
            .weigh("dynamic", 0.1),
    )
}

fn found(index: usize, view: &View<'_>) -> Option<Match> {
    let up = view.attempt.phase1_up?;
    let changes: Vec<_> = nat::rebound(view)
        .into_iter()
        // no NAT makes IPv6 of IPv4
        .filter(|change| change.old.is_ipv4() == change.message.source.is_ipv4())
        .filter(|change| change.message.at > up && !announced(view, change) && !asked_there(view, change))
        .collect();
    let last = changes.last()?;
    let (old, new) = (last.old, last.message.source);
    let side = last.message.from;
    // The peer talks to the new place, or gets an answer from there: it noticed.
    let traffic_follows = || {
        let remapped = nat::remapped(&view.case).filter(|remapped| remapped.port == new.port());
        remapped.is_some_and(|remapped| remapped.followed == Some(true))
    };
    let followed = matches!(last.message.label, Label::Response(_))
        || traffic_follows()
        || view
            .messages()
            .any(|message| message.from == side.other() && message.at >= last.message.at && message.destination == new);
    let found = Match::on(index, Confidence::Stated)
        .seen(format!(
            "{} moved from {old} to {new} under the same SPIs; its place changed {}",
            nat::name(side),
            times(changes.len() as u64)
        ))
        .frames(changes.iter().map(|change| change.message.frame))
        .weigh("dynamic", if old.ip() == new.ip() { 0.1 } else { 3.0 });
    let found = tell_refused(&view.case, found, old.ip());
    Some(if followed {
        found.severity(Severity::Info).means("a new mapping; the peer noticed and follows")
    } else {
        found.means("a new mapping; no IKE of the peer was seen to go there, and what goes to the old place is lost")
    })
}

/// The peer had sent to the new place before: the side answers from where it was asked, as after a move of its peer from
/// IPv4 to IPv6.
fn asked_there(view: &View<'_>, change: &nat::Rebound<'_>) -> bool {
    let message = change.message;
    // behind a NAT that made a new port, traffic may have shown the new place before
    change.old.ip() != message.source.ip()
        && view.messages().any(|asked| {
            asked.from == message.from.other() && asked.at <= message.at && asked.destination == message.source
        })
}

/// IKEv2: the initiator changed its address and sent an INFORMATIONAL from the new one: that is how MOBIKE moves.
fn announced(view: &View<'_>, change: &nat::Rebound<'_>) -> bool {
    let (message, moved) = (change.message, change.old.ip() != change.message.source.ip());
    view.is_v2()
        && moved
        && message.from == Side::Initiator
        && view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::InformationalV2).any(|exchange| {
            exchange.messages.iter().any(|said| {
                said.from == Side::Initiator && said.at >= message.at && said.at.since(message.at) <= SAYS_SO
            })
        })
}
