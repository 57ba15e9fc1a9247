//! Translation of addresses and ports on the path: what NAT detection and the ports say. Shared by the patterns about NAT.

use std::net::SocketAddr;

use crate::diagnose::case::View;
use crate::packet::Encapsulation;
use crate::track::{MessageRecord, Side};

/// The port that both sides move to for NAT traversal (RFC 3947 §4, RFC 7296 §2.23).
pub(super) const NAT_T: u16 = 4500;
/// The ports that IKE stands on where nobody rewrites them.
pub(super) const IKE: [u16; 2] = [500, NAT_T];

/// Sides that NAT detection shows to be behind a NAT.
pub(super) fn behind(view: &View<'_>) -> impl Iterator<Item = Side> + use<> {
    let nat = view.attempt.nat;
    [Side::Initiator, Side::Responder].into_iter().filter(move |&side| nat.behind(side) == Some(true))
}

/// Whether NAT detection shows a NAT anywhere.
pub(super) fn detected(view: &View<'_>) -> bool {
    behind(view).next().is_some()
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

/// `the initiator` or `the responder`.
pub(super) fn name(side: Side) -> &'static str {
    match side {
        Side::Initiator => "the initiator",
        Side::Responder => "the responder",
    }
}
