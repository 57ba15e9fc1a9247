//! V2-VERSION: the responder refuses the IKE version.

use std::collections::HashMap;

use crate::base::{IkeSpi, Timestamp};
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::track::{IkeVersion, MessageRecord, Side};

use super::ikev2::{self, RefusalsInV1, notify};
use super::phase1::{self, Habits};

pattern! {
    /// ## What is seen
    ///
    /// An IKEv2 request is answered with INVALID_MAJOR_VERSION (5) in clear, in an IKEv2 response or in an IKEv1 message
    /// with the same initiator SPI; or its copies draw errors in IKEv1 at once, of any type, each under a cookie of its own.
    ///
    /// ## What it means
    ///
    /// The responder does not speak IKEv2, or not with this peer. The notify is not authenticated.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-PROPOSAL`: many responders without IKEv2 for this peer answer NO_PROPOSAL_CHOSEN instead.
    /// - `V2-CLEAR-ERROR`: the same notify after a response to IKE_SA_INIT, which had gone along with the version.
    /// - `P1-VERSION`: the same the other way round, or the two ends seen to start with different versions.
    V2_VERSION = "V2-VERSION", IkeV2, Error;
    title: "the responder refuses the IKE version";
    causes: [
        "v1-only" 0.70 "the responder is configured for IKEv1 with this peer", raised by "the peer starts with IKEv1 itself", lowered by "the peer sends IKEv2 itself";
        "old" 0.20 "the responder's software has no IKEv2", raised by "the answer is an IKEv1 message", lowered by "the answer is an IKEv2 message";
        "forged" 0.10 "the notify was not sent by the responder", raised by "the responder goes on all the same", lowered by "";
    ];
    checks: [
        Either: "set the same IKE version, IKEv2 if both have it";
        Responder: "make sure that IKEv2 is enabled for this peer and on this interface";
    ];
    logs: [
        "strongSwan": "received unsupported IKE version" ("strongSwan source");
    ];
    sources: ["RFC 7296 §2.5", "RFC 7296 §3.10.1"];
    when: V2_UNPROVEN ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // An answer in IKEv1 is filed as an attempt of that version, under the SPI that it answers.
    let answered_in_v1: HashMap<IkeSpi, Timestamp> = case
        .attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1)
        .filter_map(|(_, view)| {
            let mut messages = view.messages();
            let said = messages.find(|message| ikev2::notified(message, notify::INVALID_MAJOR_VERSION).is_some())?;
            Some((view.attempt.initiator_spi, said.at))
        })
        .collect();
    let habits = Habits::of(case);
    let refusals = RefusalsInV1::of(case);
    let found = ikev2::never_authenticated(case)
        // A lone IKEv2 answer to an IKEv1 request is that request's refusal.
        .filter(|(_, view)| view.heard(Side::Initiator))
        .filter_map(|(index, view)| {
            let accepted = ikev2::accepted_at(&view);
            let before = |at: Timestamp| accepted.is_none_or(|accepted| at < accepted);
            let stated = view.messages().find(|message| {
                message.from == Side::Responder
                    && !message.encrypted
                    && ikev2::notified(message, notify::INVALID_MAJOR_VERSION).is_some()
                    // V2-CLEAR-ERROR.
                    && before(message.at)
            });
            let in_v1 = answered_in_v1.get(&view.attempt.initiator_spi);
            let in_v1 = in_v1.is_some_and(|&at| before(at));
            let request = view.messages().find(|message| message.from == Side::Initiator)?;
            if stated.is_none() && !in_v1 {
                return taken_for_v1(&refusals, index, &view, request);
            }
            let how = match stated {
                Some(message) => times(u64::from(message.repeat_count) + 1),
                None => "in an IKEv1 message".to_owned(),
            };
            let mut found = Match::on(index, Confidence::Stated)
                .seen(format!("{} was answered with INVALID_MAJOR_VERSION (5) in clear, {how}", request.label))
                .means("the responder does not speak IKEv2 with this peer")
                .frames([request.frame])
                .frames(stated.map(|message| message.frame));
            if habits.at(view.attempt.responder.ip()).speaks(IkeVersion::V1).is_some() {
                found = found.weigh("v1-only", 2.0);
            }
            Some(if in_v1 { found.weigh("old", 2.0) } else { found })
        })
        .collect();
    ikev2::tempered(case, found)
}

/// The responder, which knows no IKEv2, finds fault with the request as with one of IKEv1.
fn taken_for_v1(refusals: &RefusalsInV1<'_>, index: usize, view: &View<'_>, request: &MessageRecord) -> Option<Match> {
    let (error, said) = refusals.on(request).filter(|_| !view.heard(Side::Responder))?;
    let again = error.repeat_count > 0;
    let confidence = if again { Confidence::Inferred } else { Confidence::Suspected };
    let found = Match::on(index, confidence)
        .seen(format!(
            "{} was sent {} and answered in IKEv1, with {} in clear under cookies of its own, {}",
            request.label,
            times(u64::from(request.repeat_count) + 1),
            phase1::notify_name(said),
            times(u64::from(error.repeat_count) + 1),
        ))
        .means("the responder takes the request for a message of IKEv1: it does not speak IKEv2")
        .frames([request.frame, error.frame])
        .weigh("old", 5.0);
    Some(if again { found } else { found.settle("another try: whether the responder answers each copy in IKEv1") })
}
