//! P1-MM4-NO-MM5: the initiator stops before it authenticates.

use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{times, until};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, Mode, Side};

use super::phase1::{self, Standing};
use super::{nat, p1_ke};

pattern! {
    /// ## What is seen
    ///
    /// Messages 1 to 4; message 4 is perhaps sent again; no message 5, neither on UDP 500 nor on UDP 4500.
    ///
    /// ## What it means
    ///
    /// If message 3 is repeated after message 4 was sent, message 4 does not get back to the initiator. Otherwise the
    /// initiator has it and cannot go on, because it has no key or certificate for this peer, or message 5 was sent and is lost
    /// before this point: it is the first message on UDP 4500 behind a translation, and with certificates the largest.
    ///
    /// ## Look-alikes
    ///
    /// - `N-PORT4500`: seen from the initiator's side, message 5 goes to UDP 4500 and is not answered.
    /// - `F-IKE-FRAG-LOST`: pieces of message 5 arrive, and not all of them.
    P1_MM4_NO_MM5 = "P1-MM4-NO-MM5", Phase1, Error;
    title: "message 4 is sent and message 5 does not come";
    causes: [
        "no-key" 0.34 "the initiator has no key or certificate for this peer, or no private key for it",
            raised by "the initiator stops at once", lowered by "the initiator repeats message 3";
        "port-4500" 0.15 "message 5 is lost on its way here: UDP 4500 is blocked, or not forwarded",
            raised by "NAT on the path", lowered by "no NAT: message 5 stays on UDP 500";
        "lost-5" 0.14 "message 5 is lost on its way here: its fragments are dropped, or it alone is",
            raised by "a certificate method; broken fragments", lowered by "a shared key";
        "lost-4" 0.29 "message 4 does not get back to the initiator", raised by "message 3 is repeated after message 4 was sent", lowered by "message 3 is not repeated";
        "crash" 0.05 "the initiator failed at the key exchange", raised by "", lowered by "";
        "early" 0.03 "nothing is wrong: the capture ends before message 5", raised by "it ends within seconds of message 4", lowered by "it goes on, or message 4 is sent again";
    ];
    checks: [
        Initiator: "capture on its outside: whether message 4 arrives, whether message 5 leaves, and on which port" about "no-key" "port-4500" "lost-5" "crash" "early";
        Initiator: "check that it has a key for this peer, or a certificate with its private key that one of the authorities issued which the responder asks for" about "no-key";
        Path: "let UDP 4500 through, both ways, and forward it where the responder is behind a NAT" about "port-4500";
        Path: "if the message goes in IP fragments, let these through, both ways" about "lost-5" "lost-4";
    ];
    logs: [
        "Cisco ASA": "MM_WAIT_MSG5" ("S2S-23");
        "Cisco PIX": "ISAKMP: No cert, and no keys (public or pre-shared) with remote peer" ("PIX-11");
        "racoon": "no cert defined. / failed to sign." ("racoon source");
        "strongSwan": "no private key found for … / no shared key found" ("strongSwan source");
        "strongSwan": "sending retransmit … of response message ID …, seq …" ("strongSwan log");
        "Cisco ASA": "Aborting: No identity cert specified in IPsec SA / no trust-point defined in tunnel-group" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-11", "S2S-23", "RFC 2409 §5", "RFC 3947 §4"];
    misses: SetUp;
    lost: "lost-4", or its answer: "lost-5" "port-4500";
    when: V1 DOWN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter(|(_, view)| view.attempt.mode == Mode::Main && view.attempt.phase1_up.is_none() && p1_ke::fits(view))
        .filter_map(|(index, view)| {
            let fourth = view.message(Label::Mm(4))?;
            let goes_on = view.messages().any(|message| {
                matches!(message.label, Label::Mm(5..)) || (message.label == Label::Inf && message.encrypted)
            });
            let said =
                [Side::Initiator, Side::Responder].into_iter().any(|side| view.clear_errors(side).next().is_some());
            if goes_on || said {
                return None;
            }
            let licence = phase1::silence_after(&view, fourth);
            let waited = licence.unwrap_or_else(|| view.waited(fourth));
            // A capture that ends with message 4 is what a filter leaves that takes all of message 5; or just a short one.
            let early = licence.is_none();
            if early && (!case.both_ways() || phase1::icmp_explains(&view)) {
                return None;
            }
            let asked_again = view.message(Label::Mm(3)).map_or(0, |third| phase1::repeats_after(third, fourth.at));
            let translated = nat::detected(&view);
            let pieces = case.pair.incomplete.iter().any(|piece| piece.source == view.attempt.initiator.ip());
            let (confidence, most) =
                if early { (Confidence::Suspected, Severity::Info) } else { (Confidence::Inferred, Severity::Error) };
            let mut found = Match::on(index, confidence)
                .frames(view.frames(fourth))
                .severity(standing.severity(&view, most))
                .settle("a capture on the initiator's outside: whether message 4 arrives and message 5 leaves");
            found.seen = format!(
                "MM4 was sent {}; no MM5 on any port {}",
                times(waited.copies),
                until(waited.over + waited.after, "it")
            );
            if early {
                found.seen.push_str(", which is too early to call it a stop");
                found.means = "the negotiation goes on after the capture, or message 5 does not get here".into();
                found = found.weigh("early", 100.0);
            } else if asked_again > 0 {
                found.seen.push_str(&format!("; MM3 came {} more after it", times(asked_again as u64)));
                found.means = "the initiator goes on with message 3: message 4 does not reach it".into();
                found = found.weigh("lost-4", 5.0).weigh("no-key", 0.2).weigh("port-4500", 0.2).weigh("lost-5", 0.2);
            } else {
                found.means = "the initiator cannot go on, or its message 5 is lost before this point".into();
                found = found.weigh("lost-4", 0.3);
            }
            if translated && asked_again == 0 {
                found.seen.push_str("; NAT detection says that message 5 moves to UDP 4500");
                found = found.weigh("port-4500", 8.0);
            } else if nat::none(&view) {
                found.seen.push_str("; NAT detection finds no NAT, so message 5 stays on this port");
                found = found.rule_out(&["port-4500"]);
            }
            if pieces {
                found.seen.push_str("; fragments from the initiator never became whole");
                found = found.weigh("lost-5", 8.0);
            } else {
                found = found.weigh(
                    "lost-5",
                    match phase1::method(&view) {
                        phase1::Method::Certificate => 2.0,
                        _ => 0.7,
                    },
                );
            }
            Some(found)
        })
        .collect()
}
