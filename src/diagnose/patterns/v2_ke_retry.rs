//! V2-KE-RETRY: the responder asked for another key exchange group and got it.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;

use super::ikev2::{self, Round};

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SA_INIT response in clear with INVALID_KE_PAYLOAD (17), which names a group; then a new request with a key
    /// exchange value for that group, answered normally.
    ///
    /// ## What it means
    ///
    /// Nothing is wrong. The initiator has to send its key exchange value before it knows which of the offered groups the
    /// responder will take; it guessed, and guessed another. It costs one round trip.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-KE-LOOP`: the group asked for was not offered, or the initiator never sends it.
    V2_KE_RETRY = "V2-KE-RETRY", IkeV2, Info;
    title: "the responder asked for another key exchange group and got it";
    causes: [
        "order" 1.00 "the initiator puts a group first that is not the responder's choice", raised by "", lowered by "";
    ];
    checks: [
        Initiator: "nothing has to be done; putting the common group first saves a round trip";
    ];
    logs: [
        "strongSwan": "peer didn't accept key exchange method …, it requested …" ("strongSwan source");
        "racoon2": "received KE type …, expected …" ("racoon2 source");
    ];
    sources: ["RFC 7296 §1.2", "RFC 7296 §3.4"];
    when: V2 ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let mut asked = ikev2::rounds(view.attempt).filter(|round| round.asked_group().is_some());
            let first = asked.next()?;
            let (refused, before) = asked.fold((first, 0), |(_, before), round| (round, before + 1));
            let next = case.pair.attempts.get(index + 1);
            // Some initiators start over with new SPIs.
            let granted = ikev2::accepted(view.attempt)
                .or_else(|| ikev2::accepted(next?).filter(|round| round.sent_group() == refused.asked_group()))?;
            Some(
                Match::on(index, Confidence::Stated)
                    .seen(seen(&refused, before))
                    .means("a normal part of IKEv2: the first guess at the group was not the responder's")
                    .frames(refused.response.map(|response| response.frame))
                    .frames(granted.request.map(|request| request.frame)),
            )
        })
        .collect()
}

/// `before`: how often it had asked for another group before that.
fn seen(refused: &Round<'_>, before: u64) -> String {
    let asked = refused.asked_group().map_or("another group".to_owned(), ikev2::group);
    let in_place = refused.sent_group().map_or_else(String::new, |sent| format!(" in place of {}", ikev2::group(sent)));
    let last = if before > 0 { format!(", and {} for another before that", times(before)) } else { String::new() };
    format!("the responder asked for {asked}{in_place}{last}; the initiator sent it and was answered")
}
