//! P1-NO-KEY: the responder says in clear that it has no key for this peer.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::track::{Label, Side};

use super::p1_ke;
use super::phase1::{self, Method, Standing, notify};

pattern! {
    /// ## What is seen
    ///
    /// Messages 1 and 2 as they should be, then INVALID-KEY-INFORMATION (17) in clear from the responder as the answer to
    /// message 3, and no message 4.
    ///
    /// ## What it means
    ///
    /// The responder needs the pre-shared key to go on from message 3, and most likely finds none for this peer. The public
    /// value in message 3 fits its group, so the complaint is hardly about that.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-KE`: the public value does not fit the group.
    /// - `P1-MM3-NO-REPLY`: other responders have no key and say nothing.
    /// - `P1-PSK`: there is a key, and it is another one.
    /// - `P1-NOTIFY`: the same with certificates, where no such key is needed.
    P1_NO_KEY = "P1-NO-KEY", Phase1, Error;
    title: "the responder calls the key invalid, most likely for want of one";
    causes: [
        "missing" 0.58 "no pre-shared key is configured for the address or identity of the initiator", raised by "newly configured", lowered by "it worked before";
        "address" 0.30 "the key is bound to another address than the one the responder sees", raised by "NAT in front of the initiator; a changed address", lowered by "no NAT";
        "exchange" 0.10 "the responder does not like the public value itself", raised by "an unusual group", lowered by "a common group";
        "changed" 0.02 "the key was taken out, or bound to another address, since the responder accepted the initiator",
            raised by "an attempt of the same initiator was authenticated before", lowered by "none was";
    ];
    checks: [
        Responder: "look what was changed there since it accepted this initiator" about "changed";
        Responder: "add the pre-shared key for the address that it really sees";
        Responder: "check that the key belongs to this connection and not to another one";
    ];
    logs: [
        "strongSwan": "no shared key found for … - …" ("lab");
        "Cisco ASA": "No Group found matching peer_ID or IP_address for Pre-shared key peer" ("Cisco ASA syslog reference");
    ];
    sources: ["RFC 2408 §3.14.1", "RFC 2409 §5.4"];
    when: V1 ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter(|(_, view)| p1_ke::fits(view) && asks_for_shared_key(view))
        .filter_map(|(index, view)| {
            let error = view
                .clear_errors(Side::Responder)
                .find(|error| error.notify_message_type == notify::INVALID_KEY_INFORMATION)?;
            let third = view.message(Label::Mm(3)).or_else(|| view.message(Label::Am(1)));
            let found = Match::on(index, Confidence::Inferred)
                .seen(format!(
                    "the responder answered {} with {} in clear, {}",
                    third.map_or("the initiator".to_owned(), |third| third.label.to_string()),
                    phase1::notify_name(error.notify_message_type),
                    times(view.times_said(&error)),
                ))
                .means("the responder needs the pre-shared key from here on, and most likely has none for this peer")
                .frames(third.map(|third| third.frame))
                .frames([error.message.frame])
                .severity(standing.severity(&view, P1_NO_KEY.severity));
            let translated = view.attempt.nat.behind(Side::Initiator) == Some(true);
            let found = if translated { found.weigh("address", 2.0) } else { found };
            Some(phase1::weigh_change(&view, found, 60.0, &["missing", "address", "exchange"]))
        })
        .collect()
}

/// The responder needs a pre-shared key to answer the last message of the initiator.
pub(super) fn asks_for_shared_key(view: &View<'_>) -> bool {
    let method = phase1::method(view);
    let goes_on = view.messages().any(|message| matches!(message.label, Label::Mm(4..)));
    let until = !matches!(view.attempt.stage, Label::Mm(1)) && !goes_on;
    until && matches!(method, Method::SharedKey | Method::Unknown)
}
