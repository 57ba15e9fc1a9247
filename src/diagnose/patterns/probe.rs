//! First messages that were never followed up: shared by the patterns about scans and floods.

use crate::diagnose::case::View;
use crate::track::{IkeVersion, Label, MessageRecord, Side};

use super::nat;

/// More transforms than these in one offer are a list to try and not a configuration.
const MANY_TRANSFORMS: usize = 8;
/// As many peers of one sender that all stay silent are targets: a gateway has some that are down, and names itself.
const MANY_TARGETS: usize = 8;
/// NAT_DETECTION_SOURCE_IP and NAT_DETECTION_DESTINATION_IP (RFC 7296 §2.23).
const NAT_DETECTION: [u16; 2] = [16388, 16389];

/// All that the initiator ever sent are first messages, and the responder answered them.
pub(super) fn left_open(view: &View<'_>) -> bool {
    let only_first = view
        .messages()
        .filter(|message| message.from == Side::Initiator)
        .all(|message| matches!(message.label, Label::Mm(1) | Label::Am(1) | Label::SA_INIT_REQ));
    only_first && view.heard(Side::Initiator) && view.heard(Side::Responder) && !view.attempt.midstream
}

/// An offer that is a list to try, made to many and answered by none, from a sender that does not name itself or its
/// abilities.
pub(super) fn is_one_of_many(view: &View<'_>) -> bool {
    let only_first = view.messages().all(|message| matches!(message.label, Label::Mm(1) | Label::Am(1)));
    let alone = view.heard(Side::Initiator) && !view.heard(Side::Responder) && !view.attempt.midstream;
    alone
        && only_first
        && is_bare(view)
        && transforms(view) >= MANY_TRANSFORMS
        && view.case.survey.silent_peers(view.case.facts, view.attempt.initiator.ip()) >= MANY_TARGETS
}

/// A list to try, from another port than IKE's, of a sender that does not name itself and got no answer, beside a tunnel that was set
/// up from that address as gateways do it: a monitor on the gateway, or behind it.
pub(super) fn is_beside_a_tunnel(view: &View<'_>) -> bool {
    let only_first =
        |message: &MessageRecord| matches!(message.label, Label::Mm(1) | Label::Am(1) | Label::SA_INIT_REQ);
    let initiator = view.attempt.initiator;
    let is_gateway = |other: View<'_>| {
        let end = other.attempt.initiator;
        end.ip() == initiator.ip() && nat::IKE.contains(&end.port()) && other.tunnel_up().is_some() && !is_bare(&other)
    };
    view.messages().all(only_first)
        && !view.heard(Side::Responder)
        && !nat::IKE.contains(&initiator.port())
        && is_bare(view)
        && transforms(view) >= MANY_TRANSFORMS
        && view.case.attempts().any(|(_, other)| is_gateway(other))
}

fn transforms(view: &View<'_>) -> usize {
    view.attempt.offered.iter().map(|proposal| proposal.transforms.len()).sum()
}

/// The initiator names neither itself nor its abilities, in a first message that was captured to its end.
fn is_bare(view: &View<'_>) -> bool {
    let is_whole = |message: &MessageRecord| !message.is_cut();
    if !view.messages().find(|message| message.from == Side::Initiator).is_some_and(is_whole) {
        return false;
    }
    match view.attempt.version {
        IkeVersion::V1 => view.attempt.vendor_ids[Side::Initiator.index()].is_empty(),
        IkeVersion::V2 => {
            !view.clear_notifies(Side::Initiator).any(|notify| NAT_DETECTION.contains(&notify.notify_message_type))
        }
    }
}

/// Left open by a sender that does not look like a gateway, and that did not ask again once it had its answer.
pub(super) fn looks_like_one(view: &View<'_>) -> bool {
    let Some(first) = view.messages().find(|message| message.from == Side::Initiator) else { return false };
    let answer = view.messages().find(|message| message.from == Side::Responder);
    let asked_again = answer.is_some_and(|answer| first.repeats.iter().any(|repeat| repeat.at > answer.at));
    let went_ahead = view.attempt.chosen.is_some();
    left_open(view) && is_bare(view) && !asked_again && (went_ahead || transforms(view) >= MANY_TRANSFORMS)
}
