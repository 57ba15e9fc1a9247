//! T-SHORT-SESSION: the tunnel comes up, a few packets pass, and it is taken down again.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};

use super::life_cycle::frame_at;
use super::{ok_delete, traffic};

/// A session longer than this has done something useful.
const SHORT: Duration = Duration::from_secs(60);
/// So has one with more packets, both directions together.
const FEW: u64 = 50;
/// What ends the session comes this soon after the last packet.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// A session as short as this has hardly more than a login in it.
const LOGIN: Duration = Duration::from_secs(10);

pattern! {
    /// ## What is seen
    ///
    /// Phase 2 completes, a few packets go both ways for seconds, then one side sends what by its place is a delete. The
    /// same happens again at the next try.
    ///
    /// ## What it means
    ///
    /// IPsec works; what runs inside it failed. Typical is L2TP over IPsec: the PPP login or the address assignment inside
    /// the tunnel is refused, and the client takes everything down. Inside is not visible.
    ///
    /// ## Look-alikes
    ///
    /// - Monitoring that opens and closes the tunnel on purpose.
    /// - An idle timeout of a few seconds.
    /// - `L-FLAP`: the tunnel is lost while in use.
    T_SHORT_SESSION = "T-SHORT-SESSION", Traffic, Warning;
    title: "the tunnel is taken down again after a few packets";
    causes: [
        "login" 0.50 "the login or session inside the tunnel is refused (L2TP or PPP user, GRE, inner address)",
            raised by "transport mode clients; the client starts and ends it", lowered by "a site-to-site tunnel of subnets";
        "monitor" 0.25 "a monitor or a person tests the tunnel", raised by "the same number of packets each time, at a fixed interval", lowered by "";
        "idle" 0.25 "a very short idle timeout", raised by "the same pause between the last packet and the end each time", lowered by "the end comes at once";
    ];
    checks: [
        Responder: "look at the log of what runs inside: L2TP and PPP server, RADIUS, address pool";
        Initiator: "check user name, password and authentication method of the inner login";
    ];
    logs: [
        "Windows": "RAS errors 691, 718, 734" ("Microsoft RAS error documentation");
    ];
    sources: ["RFC 3193 §3", "RFC 2408 §3.15"];
    when: SEVERAL FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let ways = traffic::ways(case).map(|mut way| {
        way.flows.sort_by_key(|flow| flow.first);
        way
    });
    let leaves = ok_delete::leaves(case);
    let sessions: Vec<_> = case
        .attempts()
        .filter_map(|(index, view)| {
            let up = view.tunnel_up()?;
            let until = case.pair.attempts.get(index + 1).map_or(case.end(), |next| next.first);
            let left = leaves.get(index).copied().flatten()?;
            short(&ways, &view, (up, left), until).map(|session| (index, session))
        })
        .collect();
    let [.., (last, session)] = sessions.as_slice() else { return Vec::new() };
    // The next one may be under way.
    let under_way = |view: View<'_>| view.tunnel_up().is_none_or(|up| case.end().since(up) <= SHORT);
    let next = case.view(*last + 1);
    if sessions.len() < 2 || *last + 2 < case.pair.attempts.len() || next.is_some_and(|next| !under_way(next)) {
        return Vec::new();
    }
    vec![
        Match::on(*last, Confidence::Suspected)
            .seen(format!(
                "{} of at most {} and {}, each ended by what looks like a delete",
                number(sessions.len() as u64, "session"),
                span(sessions.iter().map(|(_, session)| session.time).max().unwrap_or_default()),
                number(sessions.iter().map(|(_, session)| session.packets).max().unwrap_or_default(), "packet"),
            ))
            .means("IPsec works each time; what runs inside it most likely fails")
            .frames(sessions.iter().take(16).map(|(_, session)| session.end))
            .settle(format!("the log of the inner protocol on {}", case.pair.attempts[*last].responder.ip()))
            .weigh("login", if session.time < LOGIN { 1.5 } else { 1.0 }),
    ]
}

struct Session {
    time: Duration,
    packets: u64,
    end: crate::base::FrameRef,
}

/// A session from when the tunnel came `up` until one side took leave, with traffic both ways that stopped right before.
fn short(
    ways: &[traffic::Way<'_>; 2],
    view: &View<'_>,
    (up, left): (Timestamp, Timestamp),
    until: Timestamp,
) -> Option<Session> {
    let [there, back] = ways.each_ref().map(|way| way.begun_between(up, until));
    if there.is_empty() || back.is_empty() {
        return None;
    }
    let last = there.last()?.max(back.last()?);
    let packets = there.packets() + back.packets();
    let time = last.since(up);
    // What ends it after the next one began was replaced.
    let at_once = left.since(last) <= ENDS_WITHIN && left <= until;
    (time <= SHORT && packets <= FEW && last <= left && at_once).then_some(Session {
        time,
        packets,
        end: frame_at(view, left),
    })
}
