//! T-SHORT-SESSION: the tunnel comes up, a few packets pass, and it is taken down again.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Attempt, IkeVersion};

use super::life_cycle::frame_at;
use super::{ok_delete, traffic};

/// A session longer than this has done something useful.
const SHORT: Duration = Duration::from_secs(60);
/// So has one with more packets, both directions together.
const FEW: u64 = 50;
/// What ends the session comes this soon after the last packet.
const ENDS_WITHIN: Duration = Duration::from_secs(10);
/// Fewer packets one way may be of one size by chance.
const PINGS: u64 = 3;
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
    /// the tunnel is refused, and the client takes everything down. Inside is not visible. L2TP goes with IKEv1, and its
    /// messages have several lengths: in IKEv2, or with packets of one size each way as pings have them, somebody who opens and
    /// closes the tunnel on purpose is as likely, and no alarm is raised.
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
        Responder: "look at the log of what runs inside: L2TP and PPP server, RADIUS, address pool" about "login";
        Initiator: "check user name, password and authentication method of the inner login" about "login";
        Either: "find out whether a person or a monitor opens and closes the tunnel on purpose";
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
    let sessions: Vec<_> = case
        .attempts()
        .filter_map(|(index, view)| {
            let up = view.tunnel_up()?;
            let until = case.pair.attempts.get(index + 1).map_or(case.end(), |next| next.first);
            let left = ok_delete::left(&view)?;
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
    let tests = sessions.iter().all(|(_, session)| session.is_even);
    let mut found = Match::on(*last, Confidence::Suspected)
        .seen(format!(
            "{} of at most {} and {}, each ended by what looks like a delete",
            number(sessions.len() as u64, "session"),
            span(sessions.iter().map(|(_, session)| session.time).max().unwrap_or_default()),
            number(sessions.iter().map(|(_, session)| session.packets).max().unwrap_or_default(), "packet"),
        ))
        .frames(sessions.iter().take(16).map(|(_, session)| session.end));
    let Attempt { version, responder, .. } = &case.pair.attempts[*last];
    let is_v2 = *version == IkeVersion::V2;
    if !tests {
        found = found.settle(format!("the log of the inner protocol on {}", responder.ip()));
    }
    if !tests && !is_v2 {
        let login = if session.time < LOGIN { 1.5 } else { 1.0 };
        return vec![found.means("IPsec works each time; what runs inside it most likely fails").weigh("login", login)];
    }
    found = found
        .means("IPsec works each time, and nothing shows that what runs inside it fails: somebody may open and close it on purpose")
        .weigh("monitor", 2.0)
        .severity(Severity::Notice);
    if tests {
        found.seen.push_str("; its packets are of one size each way, as those of a ping are");
        found = found.rule_out(&["login"]);
    }
    vec![found.weigh("login", 0.3)]
}

struct Session {
    time: Duration,
    packets: u64,
    /// There are enough packets to say that they are of one size each way.
    is_even: bool,
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
        is_even: there.is_even() && back.is_even() && there.packets().min(back.packets()) >= PINGS,
        end: frame_at(view, left),
    })
}
