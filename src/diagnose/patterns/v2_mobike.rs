//! V2-MOBIKE: an end of the IKE SA moved to another address.

use std::net::IpAddr;

use crate::base::FrameRef;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::payload;
use crate::diagnose::words::span;
use crate::track::{EspFlow, ExchangeKind, MessageRecord, Move, Room, Side};

use super::{ikev2, life_cycle};

/// With more pairs than these it is not looked up whether the IKE of another one moved here.
pub(super) const PAIRS: usize = 64;

pattern! {
    /// ## What is seen
    ///
    /// The same SPIs go on from another address, beginning with an INFORMATIONAL; the peer then sends its ESP there. Both ends
    /// move together where the family of the addresses changes, from IPv4 to IPv6 or back.
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
    when: V2 MOVED, NO_IKE FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let of_attempts = ikev2::attempts(case)
        .filter_map(|(index, view)| one_end_moved(index, &view).or_else(|| both_ends_moved(index, &view)));
    of_attempts.chain(moved_here(case)).collect()
}

/// One end went on from another address.
fn one_end_moved(index: usize, view: &View<'_>) -> Option<Match> {
    let up = view.attempt.phase1_up?;
    let home = |side| life_cycle::address(view.attempt, side);
    let moves: Vec<&Move> =
        view.attempt.moves.iter().filter(|moved| moved.at > up && moved.to.ip() != home(moved.side)).collect();
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
            home(first.side),
        ))
        .means("the SA moved with it: MOBIKE at work")
        .frames(moves.iter().map(|moved| moved.frame));
    Some(if natted { found.weigh("nat", 3.0) } else { found.weigh("nat", 0.2) })
}

/// Both ends went on from other addresses, as from IPv4 to IPv6.
fn both_ends_moved(index: usize, view: &View<'_>) -> Option<Match> {
    let Together { request, response } = moved_together(view)?;
    let home = |side| life_cycle::address(view.attempt, side);
    Some(
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "{}the SA went on between {} and {} instead of {} and {}: an INFORMATIONAL that is no mere probe was answered there",
                match view.attempt.phase1_up {
                    Some(up) => format!("{} after it came up, ", span(request.at.since(up))),
                    None => String::new(),
                },
                request.source.ip(),
                request.destination.ip(),
                home(request.from),
                home(request.from.other()),
            ))
            .means("the SA moved with them: MOBIKE at work, and its traffic goes on between the new addresses")
            .frames([request.frame, response.frame])
            .weigh("nat", 0.2),
    )
}

/// ESP or AH without IKE of its own, of an SA that moved here from other addresses.
fn moved_here(case: &Case<'_>) -> Option<Match> {
    let elsewhere = came_from(case)?;
    let (a, b) = elsewhere.ends;
    Some(
        Match::on_pair(Confidence::Inferred)
            .seen(format!("the IKE SA between {a} and {b} went on between these two addresses, and so did its traffic"))
            .means("the SA moved here: MOBIKE at work; its negotiation stands with the addresses it began between")
            .frames(elsewhere.frames),
    )
}

/// Where an SA began that moved between the two addresses of a pair.
struct Elsewhere {
    ends: (IpAddr, IpAddr),
    frames: Vec<FrameRef>,
}

/// Where the SA of a pair without IKE of its own began, if it moved here altogether.
fn came_from(case: &Case<'_>) -> Option<Elsewhere> {
    let pairs = &case.facts.pairs;
    if !case.pair.attempts.is_empty() || case.pair.flows.is_empty() || pairs.len() > PAIRS {
        return None;
    }
    let mut answers = Vec::new();
    let mut room = Room::default();
    let others = (0..pairs.len()).filter(|&index| index != case.index && pairs.attempts(index) > 0);
    for index in others {
        let Some(pair) = pairs.read(index, &mut room) else { continue };
        let other = Case::new(case.facts, case.survey, index, pair, &mut answers);
        let asked = ikev2::attempts(&other)
            .flat_map(|(_, view)| answered_elsewhere(&view).map(move |found| (is_no_probe(&view, &found), found)));
        let carried_on = goes_on(&pair.flows, &case.pair.flows);
        let here = |(no_probe, together): &(bool, Together<'_>)| {
            let (source, destination) = (together.request.source.ip(), together.request.destination.ip());
            (*no_probe || carried_on) && [(source, destination), (destination, source)].contains(&case.ends())
        };
        let mut asked = asked.filter(here);
        if let Some((_, Together { request, response })) = asked.next() {
            return Some(Elsewhere { ends: other.ends(), frames: vec![request.frame, response.frame] });
        }
    }
    None
}

/// What shows that both ends moved.
struct Together<'a> {
    request: &'a MessageRecord,
    response: &'a MessageRecord,
}

/// The first INFORMATIONAL between two other addresses that was answered there and is no mere probe.
fn moved_together<'a>(view: &View<'a>) -> Option<Together<'a>> {
    answered_elsewhere(view).find(|found| is_no_probe(view, found))
}

/// INFORMATIONALs between two other addresses that were answered there.
fn answered_elsewhere<'a>(view: &View<'a>) -> impl Iterator<Item = Together<'a>> + use<'a> {
    let view = *view;
    view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::InformationalV2).filter_map(
        move |exchange| {
            let (request, response) = ikev2::request_and_response(exchange);
            let (request, response) = (request?, response?);
            let answered_there = (response.source, response.destination) == (request.destination, request.source);
            (answered_there && is_elsewhere(&view, request)).then_some(Together { request, response })
        },
    )
}

/// It is not empty. One that is may only try the path (RFC 4555 §3.3).
fn is_no_probe(view: &View<'_>, found: &Together<'_>) -> bool {
    view.first_inside(found.request) == Some(payload::NOTIFY)
}

/// Whether an SA that carried traffic between some addresses carries it between others later.
fn goes_on(before: &[EspFlow], after: &[EspFlow]) -> bool {
    after.iter().any(|flow| before.iter().any(|one| one.spi == flow.spi && one.first < flow.first))
}

/// Whether a message goes between two addresses of which neither is one that the SA began between or moved to.
fn is_elsewhere(view: &View<'_>, message: &MessageRecord) -> bool {
    let attempt = view.attempt;
    let began = [attempt.initiator.ip(), attempt.responder.ip()];
    let known = |ip: IpAddr| began.contains(&ip) || attempt.moves.iter().any(|moved| moved.to.ip() == ip);
    !known(message.source.ip()) && !known(message.destination.ip())
}

/// Whether a message only tries the path between two other addresses, to which the SA has not moved.
pub(super) fn tries_a_path(view: &View<'_>, message: &MessageRecord) -> bool {
    is_elsewhere(view, message) && moved_together(view).is_none_or(|moved| message.at < moved.request.at)
}
