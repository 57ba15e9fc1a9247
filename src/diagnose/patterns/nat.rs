//! Translation of addresses and ports on the path: what NAT detection and the ports say. Shared by the patterns about NAT.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::Match;
use crate::packet::Encapsulation;
use crate::track::{EspFlow, IcmpAbout, IcmpFact, MessageRecord, PortChange, Side};

use super::icmp;

/// The port that both sides move to for NAT traversal (RFC 3947 §4, RFC 7296 §2.23).
pub(super) const NAT_T: u16 = 4500;
/// The ports that IKE stands on where nobody rewrites them.
pub(super) const IKE: [u16; 2] = [500, NAT_T];

/// Sides that NAT detection shows to be behind a NAT.
pub(super) fn behind(view: &View<'_>) -> impl Iterator<Item = Side> + use<> {
    let nat = view.attempt.nat;
    [Side::Initiator, Side::Responder].into_iter().filter(move |&side| nat.behind(side) == Some(true))
}

/// Whether the address that the capture shows of `side` is that of a NAT in front of it: the hash of its own address differs. Within the
/// NAT only the hash of its peer does.
pub(super) fn is_in_front_of(view: &View<'_>, side: Side) -> bool {
    let nat = view.attempt.nat;
    nat.behind(side) == Some(true) && nat.own_matches[side.index()] == Some(false)
}

/// Whether NAT detection shows a NAT anywhere.
pub(super) fn detected(view: &View<'_>) -> bool {
    behind(view).next().is_some()
}

/// Whether NAT detection shows that there is none on the whole way.
pub(super) fn none(view: &View<'_>) -> bool {
    [Side::Initiator, Side::Responder].into_iter().all(|side| view.attempt.nat.behind(side) == Some(false))
}

/// The side of whose two hashes neither matches, while both of its peer's do, with no port rewritten: nothing is translated
/// between its peer and the capture.
pub(super) fn differs_alone(view: &View<'_>) -> Option<Side> {
    let nat = &view.attempt.nat;
    let sent_by = |side: Side| [nat.own_matches[side.index()], nat.peer_matches[side.other().index()]];
    [Side::Initiator, Side::Responder]
        .into_iter()
        .find(|&side| sent_by(side) == [Some(false); 2] && sent_by(side.other()) == [Some(true); 2])
        .filter(|_| IKE.contains(&view.attempt.initiator.port()))
}

/// The initiator's port looks rewritten: answered IKE to port 500 or 4500 comes from neither, and no hash says that this
/// is its own choice. A TCP connection begins at any port.
pub(super) fn rewritten_port(view: &View<'_>) -> Option<u16> {
    let attempt = view.attempt;
    let port = attempt.initiator.port();
    let own_choice = attempt.nat.behind(Side::Initiator) == Some(false);
    let in_udp = view.messages().next().is_some_and(|message| message.encapsulation == Encapsulation::Udp);
    let rewritten = in_udp && IKE.contains(&attempt.responder.port()) && !IKE.contains(&port);
    (rewritten && !own_choice && !attempt.midstream && view.heard(Side::Responder)).then_some(port)
}

/// Whether a message went between ports for NAT traversal.
pub(super) fn on_4500(message: &MessageRecord) -> bool {
    message.source.port() == NAT_T || message.destination.port() == NAT_T
}

/// Messages in the order in which they were sent.
pub(super) fn in_order<'a>(view: &View<'a>) -> Vec<&'a MessageRecord> {
    let mut messages: Vec<_> = view.messages().collect();
    messages.sort_by_key(|message| (message.at, message.frame));
    messages
}

/// A side began to be seen at another place, towards the same port of its peer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rebound<'a> {
    /// The first message from the new place.
    pub(super) message: &'a MessageRecord,
    /// Where it was before.
    pub(super) old: SocketAddr,
}

/// Changes of a side's place that are not the move to port 4500.
pub(super) fn rebound<'a>(view: &View<'a>) -> Vec<Rebound<'a>> {
    // A side has one place for each of the two ports that it may send to.
    let mut places: [[Option<SocketAddr>; 2]; 2] = [[None; 2]; 2];
    let mut found = Vec::new();
    for message in in_order(view) {
        let port = usize::from(message.destination.port() == NAT_T);
        let place = &mut places[message.from.index()][port];
        if let Some(old) = place.replace(message.source)
            && old != message.source
        {
            let ports = [old.port(), message.source.port()];
            let floated = old.ip() == message.source.ip() && ports.iter().all(|port| IKE.contains(port));
            let reconnected = old.ip() == message.source.ip() && message.encapsulation == Encapsulation::Tcp;
            if !floated && !reconnected {
                found.push(Rebound { message, old });
            }
        }
    }
    found
}

/// The port that the initiator sent from last.
pub(super) fn last_port(view: &View<'_>) -> Option<u16> {
    let of_initiator = view.messages().filter(|message| message.from == Side::Initiator);
    of_initiator.max_by_key(|message| message.at).map(|message| message.source.port())
}

/// Whether two ports of one address are those of two clients behind it, if both are in use: who moves for NAT traversal has two itself.
pub(super) fn of_two_clients(one: u16, other: u16) -> bool {
    one != other && !(IKE.contains(&one) && IKE.contains(&other))
}

/// `the initiator` or `the responder`.
pub(super) fn name(side: Side) -> &'static str {
    match side {
        Side::Initiator => "the initiator",
        Side::Responder => "the responder",
    }
}

/// ESP in UDP of one side that comes from another port than before, under the same SPI.
#[derive(Debug, Clone, Copy)]
pub(super) struct Remapped<'a> {
    /// Its flow.
    pub(super) flow: &'a EspFlow,
    /// What changed.
    pub(super) change: PortChange,
    /// The port since.
    pub(super) port: u16,
    /// Whether the ESP of its peer goes to that port, if any was seen since.
    pub(super) followed: Option<bool>,
}

/// The latest time that this befell a side.
pub(super) fn remapped<'a>(case: &Case<'a>) -> Option<Remapped<'a>> {
    let in_udp = |flow: &&EspFlow| flow.encapsulation == Encapsulation::Udp;
    let changed = |flow: &'a EspFlow| {
        let (change, (port, _)) = flow.port_change.zip(flow.ports)?;
        (change.from.0 != port).then_some((flow, change, port))
    };
    let changes = case.pair.flows.iter().filter(in_udp).filter_map(changed);
    let (flow, change, port) = changes.max_by_key(|(_, change, _)| change.at)?;
    let since = |back: &&EspFlow| back.last > change.at.after(LIVES_ON);
    let back = case.flows_from(flow.destination).filter(in_udp).filter(since).max_by_key(|back| back.last);
    let followed = back.and_then(|back| back.ports).map(|(_, to)| to == port);
    Some(Remapped { flow, change, port, followed })
}

/// A match on the attempt that was up at this time, or on the pair.
pub(super) fn match_at(case: &Case<'_>, at: Timestamp, confidence: Confidence) -> Match {
    let last = case.attempts().filter(|(_, view)| view.attempt.first <= at).last();
    last.map_or_else(|| Match::on_pair(confidence), |(index, _)| Match::on(index, confidence))
}

/// What is sent this long after an error or a change is sent in spite of it.
const LIVES_ON: Duration = Duration::from_secs(1);

/// ICMP port unreachable about ESP in UDP from an address that goes on under the same SA: a NAT there has no mapping for the
/// port that the packets go to.
#[derive(Debug, Clone)]
pub(super) struct Unmapped {
    /// The address.
    pub(super) inner: IpAddr,
    /// Errors.
    pub(super) count: u64,
    /// First and last of them.
    pub(super) span: (Timestamp, Timestamp),
    /// Their frames, the first few.
    pub(super) frames: Vec<FrameRef>,
    /// Both sides send after the last of them.
    pub(super) healed: bool,
}

/// Whether an error says so.
pub(super) fn is_unmapped(case: &Case<'_>, fact: &IcmpFact) -> bool {
    let lives_on = || {
        let mut flows = case.flows_from(fact.quoted_destination);
        flows.any(|flow| flow.first < fact.first && flow.last > fact.first.after(LIVES_ON))
    };
    // Of a quotation that ends before it tells IKE from ESP, what is sent all the time is the likelier subject.
    let about_esp = match fact.about {
        IcmpAbout::Isakmp { source_port, .. } => source_port == NAT_T && fact.initiator_spi.is_none(),
        about => about == IcmpAbout::EspInUdp,
    };
    icmp::is_no_port(fact) && about_esp && fact.from == fact.quoted_destination && lives_on()
}

/// What all errors say so of one side.
pub(super) fn unmapped(case: &Case<'_>) -> Option<Unmapped> {
    let mut facts = case.pair.icmp_errors.iter().filter(|fact| is_unmapped(case, fact));
    let first = facts.next()?;
    let inner = first.quoted_destination;
    let mut whole = Unmapped {
        inner,
        count: first.count,
        span: (first.first, first.last),
        frames: first.frames.clone(),
        healed: false,
    };
    for fact in facts.filter(|fact| fact.quoted_destination == inner) {
        whole.count += fact.count;
        whole.span = (whole.span.0.min(fact.first), whole.span.1.max(fact.last));
        whole.frames.extend(&fact.frames);
    }
    let after = |address| case.flows_from(address).any(|flow| flow.last > whole.span.1.after(LIVES_ON));
    whole.healed = after(inner) && after(first.quoted_source);
    Some(whole)
}
