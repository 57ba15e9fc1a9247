//! M-LENGTH: lengths that contradict each other.

use crate::base::{Fault, FaultKind};
use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::number;
use crate::track::{MessageRecord, Side};

pattern! {
    /// ## What is seen
    ///
    /// A length in a message that cannot be true: the header claims another length than the datagram has, a payload runs over
    /// the end, a count does not fit what follows, or octets are left over.
    ///
    /// ## What it means
    ///
    /// A fault in the sender, something that changes packets on the way, another protocol on the IKE port, or an attack. The
    /// peer must drop such a message.
    ///
    /// ## Look-alikes
    ///
    /// - A capture with a snap length: the octets are missing in the capture only. Not reported here.
    /// - Up to three zeros behind the last payload, up to a multiple of four octets: padding. Not reported here.
    M_LENGTH = "M-LENGTH", Malformed, Warning;
    title: "lengths in a message contradict each other";
    causes: [
        "bug" 0.45 "a fault in the sender", raised by "the same message is broken every time", lowered by "";
        "foreign" 0.30 "another protocol uses the IKE port", raised by "no readable IKE from that address", lowered by "the same address speaks IKE otherwise";
        "path" 0.15 "something on the way cuts or changes packets", raised by "only large packets are broken", lowered by "";
        "attack" 0.10 "somebody tries out the receiver", raised by "an address that never spoke IKE before", lowered by "";
    ];
    checks: [
        Either: "look up the sender's version for known faults";
        Path: "look for a device that rewrites or truncates UDP";
    ];
    logs: [
        "Cisco PIX": "Reserved Not Zero on Payload 5/8" ("PIX-14");
        "racoon": "received invalid length (… != …), why ?" ("racoon source");
        "racoon": "the length in the isakmp header is too big." ("racoon source");
    ];
    sources: ["RFC 2408 §3.1", "RFC 2408 §5.1", "RFC 7296 §3.1", "RFC 7296 §3.2"];
    when: FAULTS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut found: Vec<Match> = case
        .attempts()
        .filter_map(|(index, view)| {
            let broken: Vec<_> = view
                .messages()
                .filter_map(|message| message.fault.filter(is_about_length).map(|fault| (message, fault)))
                .collect();
            let (first, fault) = broken.first()?;
            let up = view.tunnel_up();
            let taken = up.is_some_and(|up| broken.iter().all(|(message, _)| message.at <= up));
            let copies: u64 = broken.iter().map(|(message, _)| u64::from(message.repeat_count) + 1).sum();
            let found = Match::on(index, Confidence::Stated)
                .seen(format!(
                    "{} from {}: {fault}; {} like this{}",
                    first.label,
                    first.source,
                    number(copies, "message"),
                    if copies > broken.len() as u64 { ", copies and all" } else { "" },
                ))
                .means(if taken {
                    "the message is not what its lengths say; the other side took it all the same"
                } else if stops(&view, &broken) {
                    "the message is not what its lengths say: a peer has to drop it, and no answer came"
                } else {
                    "the message is not what its lengths say; it was read as far as they can be believed"
                })
                .frames(broken.iter().map(|(message, _)| message.frame));
            Some(if taken {
                found.severity(Severity::Notice)
            } else if stops(&view, &broken) {
                found.severity(Severity::Error)
            } else {
                found
            })
        })
        .collect();
    let unreadable: Vec<_> = case.pair.malformed.iter().filter(|datagram| is_about_length(&datagram.fault)).collect();
    if let Some(first) = unreadable.first() {
        let speaks_ike = !case.pair.attempts.is_empty();
        let unread = Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} on an IKE port that cannot be read as IKE: {}",
                number(unreadable.len() as u64, "datagram"),
                first.fault
            ))
            .means("not an IKE message, or one cut off before its header ends")
            .frames(unreadable.iter().map(|datagram| datagram.frame));
        found.push(if speaks_ike { unread } else { unread.severity(Severity::Notice).weigh("foreign", 3.0) });
    }
    found
}

/// One of them is the first message of the attempt, sent again and again and never answered.
fn stops(view: &View<'_>, broken: &[(&MessageRecord, Fault)]) -> bool {
    let first = view.messages().next().filter(|first| first.from == Side::Initiator && first.repeat_count > 0);
    let unheard = !view.attempt.midstream && !view.heard(Side::Responder);
    first.is_some_and(|first| unheard && broken.iter().any(|(message, _)| std::ptr::eq(*message, first)))
}

/// Header fields and values that are no lengths; the version is [`super::m_unknown`]'s.
const NO_LENGTHS: [&str; 6] = ["version", "initiator SPI", "responder SPI", "flags", "message ID", "key exchange data"];

/// Not what the capture alone cut off, and nothing but lengths.
fn is_about_length(fault: &Fault) -> bool {
    !matches!(fault.kind, FaultKind::NotCaptured { .. } | FaultKind::TooMany { .. })
        && !NO_LENGTHS.contains(&fault.field)
}
