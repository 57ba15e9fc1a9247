//! P1-KE: a key exchange payload does not fit the group.

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{Attempt, Label, MessageRecord, PayloadDetail, Side, TransformFact};

use super::phase1::{self, Standing, notify};

pattern! {
    /// ## What is seen
    ///
    /// The public value in message 3 or 4 (in Aggressive Mode 1 or 2) is not as long as the chosen group makes it; or the
    /// peer says INVALID-KEY-INFORMATION (17) about it in clear.
    ///
    /// ## What it means
    ///
    /// The two sides do not mean the same group by its number, or one of them has a fault: they cannot come to a common
    /// secret. Groups of elliptic curves were first written in other ways; old software may still do so.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-NO-KEY`: INVALID-KEY-INFORMATION with a public value that fits: the responder has no pre-shared key.
    P1_KE = "P1-KE", Phase1, Error;
    title: "a key exchange payload does not fit the chosen group";
    causes: [
        "fault" 0.50 "one side has a fault, or mixes up groups", raised by "a MODP group", lowered by "a curve";
        "encoding" 0.40 "one side writes points of a curve in the old way, without y or with one octet more",
            raised by "a curve (groups 19 to 21, 25 to 30)", lowered by "a MODP group";
        "altered" 0.10 "the message was altered on its way", raised by "an older proxy or inspection device on the path", lowered by "it repeats the same";
    ];
    checks: [
        Either: "use group 14 and see whether it works";
        Either: "bring the software of both ends up to date";
    ];
    logs: [
        "strongSwan": "DH group selection failed / negotiated DH group not supported" ("strongSwan source");
        "Huawei": "6: responder dh mismatch / 7: initiator dh mismatch" ("Huawei ALM-303046755");
    ];
    sources: ["RFC 2409 §5", "RFC 2409 §6", "RFC 3526", "RFC 5903 §7"];
    when: ODD_KEY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter_map(|(index, view)| {
            let odd = misfit(view.attempt)?;
            let group = odd.group;
            let said = [Side::Initiator, Side::Responder].into_iter().find_map(|side| {
                view.clear_errors(side).find(|error| error.notify_message_type == notify::INVALID_KEY_INFORMATION)
            });
            let name = registry::group_name(group).unwrap_or("this group");
            let mut found = Match::on(index, Confidence::Stated)
                .frames([odd.message.frame])
                .means("the two sides do not come to a common secret with a public value of that length");
            found.seen = format!(
                "{} carries a public value of {} octets; {name} (group {group}) has {}",
                odd.message.label, odd.length, odd.expected,
            );
            if let Some(error) = said {
                found.seen.push_str(&format!(
                    "; the peer answered {} in clear, {}",
                    phase1::notify_name(error.notify_message_type),
                    times(view.times_said(&error)),
                ));
                found.frames.push(error.message.frame);
            }
            let severity = if view.attempt.phase1_up.is_some() {
                Severity::Notice
            } else {
                standing.severity(&view, P1_KE.severity)
            };
            let curve = matches!(group, 19..=21 | 25..=30);
            let (fault, encoding) = if curve { (0.5, 2.0) } else { (1.5, 0.02) };
            Some(found.severity(severity).weigh("fault", fault).weigh("encoding", encoding))
        })
        .collect()
}

/// The group of the choice, or the one group of all offers.
fn group(attempt: &Attempt) -> Option<u16> {
    let named = |transform: &TransformFact| transform.attribute(phase1::GROUP_DESCRIPTION);
    let chosen = attempt.chosen.as_ref().and_then(|chosen| chosen.transforms.first());
    let group = match chosen {
        Some(transform) => named(transform)?,
        None => {
            let mut offered = attempt.offered.iter().flat_map(|proposal| &proposal.transforms).map(named);
            let first = offered.next()??;
            if offered.any(|other| other != Some(first)) {
                return None;
            }
            first
        }
    };
    u16::try_from(group).ok()
}

pub(super) struct Misfit<'a> {
    group: u16,
    message: &'a MessageRecord,
    length: u16,
    expected: u16,
}

/// The first public value of an attempt that does not fit its group.
pub(super) fn misfit(attempt: &Attempt) -> Option<Misfit<'_>> {
    let group = group(attempt)?;
    let expected = registry::group_public_len(group)?;
    let messages = attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
    messages
        .filter(|message| {
            let read = message.fault.is_none_or(|fault| fault.field == "key exchange data");
            matches!(message.label, Label::Mm(3 | 4) | Label::Am(1 | 2)) && read
        })
        .find_map(|message| {
            message.carried.iter().find_map(|payload| match payload.detail {
                PayloadDetail::KeyExchange { length, .. } if length != expected => {
                    Some(Misfit { group, message, length, expected })
                }
                _ => None,
            })
        })
}

/// Whether the public values of this attempt fit its group, as far as known.
pub(super) fn fits(view: &View<'_>) -> bool {
    misfit(view.attempt).is_none()
}
