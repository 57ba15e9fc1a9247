//! N-WRONG-ADDR: the answer comes from another address than the one that was asked.

use std::net::IpAddr;

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::diagnose::{Confidence, Severity};
use crate::packet::Encapsulation;
use crate::track::{Attempt, Exchange, Label, MessageRecord, Side};

use super::{nat, phase1};

pattern! {
    /// ## What is seen
    ///
    /// A message is sent to one address, and its answer, with the same SPIs, comes from another address or from a port that is
    /// not an IKE port.
    ///
    /// ## What it means
    ///
    /// The initiator drops an answer from an address it did not ask. The peer has several addresses and answers from the
    /// wrong one, or a NAT on the way back rewrites its source.
    ///
    /// ## Look-alikes
    ///
    /// - A cluster with a shared address, where the member answers from its own.
    /// - `N-MAPPING-CHANGED`, `V2-MOBIKE`: the address changes after the tunnel is up. What is asked at the new address and
    ///   answered from there is no wrong address, whether the capture holds the set-up or not.
    N_WRONG_ADDR = "N-WRONG-ADDR", Path, Error;
    title: "the answer comes from another address than the one that was asked";
    causes: [
        "source" 0.45 "the peer answers from another of its addresses or interfaces", raised by "both addresses are in one network", lowered by "only the port differs";
        "nat" 0.35 "a static translation on the way is wrong or one-way", raised by "the port is rewritten too", lowered by "";
        "address" 0.20 "the initiator's peer address is an alias or another box than the gateway", raised by "first attempt ever", lowered by "it worked before";
    ];
    checks: [
        Responder: "bind IKE to the address that the initiator asks (source interface, crypto map on the outside interface)";
        Initiator: "check the peer address in its configuration";
        Path: "check static translations in both directions: answers must leave with the address that was asked";
    ];
    logs: [
        "Cisco PIX": "invalid local address / Peer Info not found" ("PIX-08, PIX-19");
        "Netopia": "no matching phase1 profile" ("NIR-09");
        "racoon": "remote address mismatched. db=…, act=…" ("racoon source");
        "Huawei": "12: peer address mismatch / 39: local address mismatch" ("Huawei ALM-303046755");
        "Check Point": "Link Selection: wrong source IP" ("public guide");
        "Cisco ASA": "Attempting to establish a phase2 tunnel on x interface but phase1 tunnel is on y interface" ("Cisco ASA syslog reference");
        "Cisco ASA": "Remote L2L Peer initiated a tunnel with same outer and inner addresses. Peer could be Originate Only" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-08", "PIX-11", "PIX-19", "S2S-12", "S2S-35", "NIR-09", "NIR-33", "RFC 2408 §2.5.3", "RFC 7296 §2.11"];
    when: MOVED, UNHEARD, V2_OPEN, DOWN REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut found: Vec<Match> =
        case.attempts().filter_map(|(index, view)| moved_while_negotiating(case, index, &view)).collect();
    found.extend(answered_elsewhere(case));
    found.extend(case.attempts().filter_map(|(index, view)| from_another_port(index, &view)));
    found
}

/// The first answer comes from another port than the one that was asked, and the initiator asks on.
fn from_another_port(index: usize, view: &View<'_>) -> Option<Match> {
    if view.attempt.midstream || view.attempt.phase1_up.is_some() {
        return None;
    }
    let answer = view.messages().find(|message| message.from == Side::Responder)?;
    let asked = view.messages().filter(|message| message.from == Side::Initiator && message.at <= answer.at).last()?;
    let (from, to) = (answer.source, asked.destination);
    if answer.encapsulation != Encapsulation::Udp || from.ip() != to.ip() || from.port() == to.port() {
        return None;
    }
    let copies = phase1::copies_in_spite_of(answer, asked)?;
    Some(
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "{} came from port {}, and port {} was asked; {} came {} more in spite of it",
                answer.label,
                from.port(),
                to.port(),
                asked.label,
                times(copies as u64),
            ))
            .means("the initiator does not take an answer from a port that it did not ask")
            .frames([answer.frame])
            .frames(view.frames(asked))
            .weigh("source", 0.1)
            .weigh("nat", 4.0)
            .weigh("address", 0.1),
    )
}

/// The responder changed its place before anything was up.
fn moved_while_negotiating(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    // Of an SA whose set-up is not in the capture nobody knows whether it was negotiating.
    let attempt = Some(view.attempt).filter(|attempt| !attempt.midstream)?;
    let change = nat::rebound(view).into_iter().find(|change| {
        change.message.from == Side::Responder
            && attempt.phase1_up.is_none_or(|up| change.message.at < up)
            && !was_asked_there(view, change.message)
    })?;
    let message = change.message;
    let over = attempt.phase1_up.is_some() || case.overcome(index);
    let found = Match::on(index, Confidence::Stated)
        .seen(format!("{} came from {}, where the responder had been {}", message.label, message.source, change.old))
        .means("the peer does not keep to one address; many initiators drop what comes from another one")
        .frames([message.frame])
        .weigh("source", if change.old.ip() == message.source.ip() { 0.2 } else { 1.0 });
    Some(if over { found.severity(Severity::Info) } else { found })
}

/// Whether the initiator had sent a message of the same exchange to the very place that this answer comes from: both moved
/// there (MOBIKE, RFC 4555 §3.5), and the set-up may lie before the capture.
fn was_asked_there(view: &View<'_>, answer: &MessageRecord) -> bool {
    let holds = |exchange: &&Exchange| exchange.messages.iter().any(|message| std::ptr::eq(message, answer));
    let asked = |message: &MessageRecord| message.from == Side::Initiator && message.destination == answer.source;
    view.exchanges().iter().find(holds).is_some_and(|exchange| exchange.messages.iter().any(asked))
}

/// Attempts that were never answered here, or whose IKE_SA_INIT was not, and whose answer another pair holds.
fn answered_elsewhere(case: &Case<'_>) -> Vec<Match> {
    let of = |view: &View<'_>, label| view.message(label).is_some();
    let open = |view: &View<'_>| {
        !view.heard(Side::Responder) || (of(view, Label::SA_INIT_REQ) && !of(view, Label::SA_INIT_RSP))
    };
    let asked = case.attempts().filter(|(_, view)| !view.attempt.midstream && open(view));
    asked.filter_map(|(index, view)| from_elsewhere(index, &view)).collect()
}

fn from_elsewhere(index: usize, view: &View<'_>) -> Option<Match> {
    let attempt = view.attempt;
    let (first_frame, from) = view.elsewhere(|_, answer| Some((answer.first_frame, answers_from(attempt, answer)?)))?;
    let asked = attempt.responder.ip();
    let found = Match::on(index, Confidence::Inferred)
        .seen(format!("{asked} was asked, and the answer with the same SPI came from {from}"))
        .means("the initiator does not take an answer from an address it did not ask")
        .frames([attempt.first_frame, first_frame])
        .settle("a capture on the outside of the peer: from which address does it answer?");
    // Who goes on with the address it asked has taken that answer all the same.
    let is_next = |message: &MessageRecord| !matches!(message.label, Label::Mm(1) | Label::Am(1) | Label::SA_INIT_REQ);
    let mut next = view.messages().filter(|message| message.from == Side::Initiator && is_next(message)).peekable();
    if next.peek().is_none() {
        return Some(found);
    }
    let took = format!("this initiator took it all the same and went on with {asked}");
    Some(if next.any(|message| message.encrypted) {
        found.means(format!("{took}; many do not")).severity(Severity::Notice)
    } else {
        found.means(format!("{took}, but got no further"))
    })
}

/// The address that `answer` came from, if it can be the answer to `attempt`.
fn answers_from(attempt: &Attempt, answer: &Attempt) -> Option<IpAddr> {
    let from_responder = answer
        .exchanges
        .iter()
        .flat_map(|exchange| &exchange.messages)
        .find(|message| message.from == Side::Responder)?;
    let asked_there =
        answer.exchanges.iter().flat_map(|exchange| &exchange.messages).any(|message| message.from == Side::Initiator);
    let to_us = from_responder.destination.ip() == attempt.initiator.ip() && from_responder.at >= attempt.first;
    (to_us && !asked_there).then_some(from_responder.source.ip())
}
