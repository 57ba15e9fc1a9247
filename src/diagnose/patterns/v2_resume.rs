//! V2-RESUME: the gateway refuses to resume a session.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::track::{Label, Side};

use super::ikev2::{self, notify};

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SESSION_RESUME request (38) answered in clear with TICKET_NACK (16412), then an ordinary IKE_SA_INIT.
    ///
    /// ## What it means
    ///
    /// The initiator had a ticket from an earlier session and tried the short way; the gateway does not take the ticket any
    /// more: it expired, or another gateway gave it out. The initiator goes the long way. It costs time, and perhaps a new
    /// login.
    ///
    /// ## Look-alikes
    ///
    /// - A session that is resumed: the response carries a nonce and no TICKET_NACK.
    V2_RESUME = "V2-RESUME", IkeV2, Notice;
    title: "the gateway refuses to resume a session";
    causes: [
        "expired" 0.60 "the ticket has expired, or the gateway restarted and lost its key", raised by "a long time since the last session", lowered by "";
        "other" 0.40 "another gateway gave the ticket out", raised by "a cluster or load sharing", lowered by "a single gateway";
    ];
    checks: [
        Responder: "nothing has to be done; on a cluster, share the ticket key among the nodes";
    ];
    logs: [];
    sources: ["RFC 5723 §4.3.2", "RFC 5723 §4.3.4"];
    when: V2 TICKET_NACK;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let refusal = view.messages().find(|message| {
                message.from == Side::Responder
                    && message.label == Label::SESSION_RESUME_RSP
                    && ikev2::notified(message, notify::TICKET_NACK).is_some()
            })?;
            let request = view.message(Label::SESSION_RESUME_REQ);
            let anew = case
                .pair
                .attempts
                .get(index..)
                .unwrap_or_default()
                .iter()
                .take(2)
                .any(|attempt| ikev2::rounds(attempt).next().is_some());
            Some(
                Match::on(index, Confidence::Stated)
                    .seen(format!(
                        "IKE_SESSION_RESUME was answered with TICKET_NACK (16412) in clear{}",
                        if anew { "; an IKE_SA_INIT followed" } else { "" }
                    ))
                    .means("the ticket is no longer good; the initiator has to set the SA up from the start")
                    .frames(request.map(|request| request.frame))
                    .frames([refusal.frame]),
            )
        })
        .collect()
}
