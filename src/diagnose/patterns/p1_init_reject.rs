//! P1-INIT-REJECT: the initiator refuses the responder after message 6.

use crate::base::Timestamp;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{Content, V1Suite};
use crate::diagnose::words::{span, times, until};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, MessageRecord, Mode, Side};

use super::informational::answer_within;
use super::initial_contact;
use super::l_simult_init;
use super::life_cycle::UNWANTED;
use super::p1_up_no_p2::BETWEEN_PHASES;
use super::phase1::{self, Habits, Method};

pattern! {
    /// ## What is seen
    ///
    /// Message 6, then at once an encrypted Informational from the initiator; no Quick Mode, and nothing more under these
    /// cookies. Or messages 5 and 6 again and again, with an Informational of the initiator after each message 6 or the first. Where
    /// the method has XAUTH behind it, the gateway's question may follow message 6 at once; the Informational comes in place of an answer.
    ///
    /// ## What it means
    ///
    /// The responder accepted the initiator, and the initiator did not accept the responder: its identity is not the one that
    /// was expected, its certificate is not trusted, or its hash does not verify. The error, or the delete, is encrypted. Many
    /// initiators announce themselves right then, with an INITIAL-CONTACT that is as long: it is a refusal if message 5 held that
    /// already, if the initiator goes on with message 5, or if it begins anew and never goes on.
    ///
    /// ## Look-alikes
    ///
    /// - `L-DELETE-AFTER-P1`: phase 1 is deleted for another reason, by either side.
    /// - `P1-UP-NO-P2`: phase 1 stays up and nothing asks for phase 2; or message 5 goes on, and the initiator says nothing.
    /// - An initiator that drops this negotiation because another one with the same peer has come up.
    P1_INIT_REJECT = "P1-INIT-REJECT", Phase1, Error;
    title: "the initiator refuses the responder after message 6";
    causes: [
        "identity" 0.60 "the responder's identity is not the one that the initiator expects: name against address, or a private address behind a NAT",
            raised by "NAT in front of the responder; a pre-shared key method", lowered by "a certificate method";
        "certificate" 0.25 "the responder's certificate is not trusted, has expired, or does not name its identity",
            raised by "a certificate method", lowered by "a pre-shared key method";
        "policy" 0.14 "the initiator drops the negotiation for another reason: one SA a peer, changed configuration",
            raised by "another negotiation of the two came up meanwhile", lowered by "it repeats";
        "user" 0.01 "the initiator has no user name or password for the gateway's question (XAUTH), or cannot answer what it asks for",
            raised by "a Transaction of the responder right behind message 6", lowered by "no Transaction";
    ];
    checks: [
        Initiator: "look in its log for the identity it got from the responder, and set the one it expects to match";
        Responder: "set the local identity explicitly, to its address or name, as the initiator expects it";
        Either: "with certificates: check chain, dates, names and clocks, and that the initiator knows the authority" about "certificate";
        Initiator: "check that a user name and a password are set" about "user";
    ];
    logs: [
        "strongSwan": "IDir '…' does not match to '…'" ("strongSwan source");
        "strongSwan": "received INVALID_ID_INFORMATION error notify" ("strongSwan log");
        "Cisco PIX": "RESPONDER_LIFETIME notify 24576 / DELETE spi size = 16" ("PIX-33");
        "Nokia": "terminated by state machine" ("PIX-43");
        "racoon": "invalid ID payload." ("racoon source");
        "racoon": "Expecting IP address type in main mode, but FQDN." ("racoon log") about "identity";
        "libreswan": "we require IKEv1 peer to have ID '…', but peer declares '…'" ("libreswan log") about "identity";
    ];
    sources: ["PIX-33", "PIX-43", "RFC 2409 §5", "RFC 2409 §5.7"];
    when: V1_UNUSED INFORMATIONAL, V1 RARE_EXCHANGE INFORMATIONAL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // An attempt that is judged here has no phase 2: one that has is another.
    let other_up = case.pair.attempts.iter().any(|attempt| attempt.phase2_up.is_some());
    let latest = Habits::of(case).latest();
    // Once it was watched for long enough, the next one that begins alike is the same.
    let mut known = false;
    phase1::attempts(case)
        .filter(|(_, view)| view.attempt.mode == Mode::Main)
        .filter_map(|(index, view)| {
            let (sixth, refusal) = refusal(&view)?;
            let quiet = case.end().since(refusal.at);
            let may_greet = initial_contact::of(&view, Side::Initiator).is_some();
            let asked = asked_in_vain(&view);
            let each = refuses_each(&view, sixth);
            let goes_on = goes_on(&view, refusal);
            let takes_not = each.is_some() || goes_on.is_some();
            known |= takes_not
                || (!may_greet || asked) && (latest.is_some_and(|latest| latest > refusal.at) || quiet >= PATIENCE);
            let severity = match (other_up, known) {
                // One of several SAs is tidied up.
                (true, false) => return None,
                _ if l_simult_init::beside(&view).is_some_and(|other| self::refusal(&other).is_none()) => return None,
                (true, true) => Severity::Notice,
                (_, true) => P1_INIT_REJECT.severity,
                (_, false) if may_greet && quiet < BETWEEN_PHASES => Severity::Notice,
                (_, false) => Severity::Warning,
            };
            let method = phase1::method(&view);
            let by_certificate = matches!(method, Method::Certificate | Method::Hybrid);
            let seen = match (each, goes_on) {
                (Some(copies), _) => format!(
                    "MM6 came {}; the initiator answered each with an encrypted Informational, the first {} later, and goes on with MM5; no Quick Mode",
                    times(copies as u64),
                    span(refusal.at.since(sixth.at)),
                ),
                (None, Some(copies)) => format!(
                    "the initiator sent an encrypted Informational {} after MM6, and goes on with MM5, {} more after that; no Quick Mode",
                    span(refusal.at.since(sixth.at)),
                    times(copies as u64),
                ),
                (None, None) => format!(
                    "the initiator sent an encrypted Informational {} after MM6, and neither {} nor anything else {}",
                    span(refusal.at.since(sixth.at)),
                    if asked { "an answer to the gateway's question (XAUTH)" } else { "Quick Mode" },
                    if known { "followed under these cookies".to_owned() } else { until(quiet, "it") },
                ),
            };
            let confidence = if takes_not { Confidence::Inferred } else { Confidence::Suspected };
            let mut found = Match::on(index, confidence)
                .seen(seen)
                .means(if takes_not {
                    "the responder accepted the initiator; the initiator has message 6 and does not accept the responder"
                } else if by_certificate {
                    "the responder accepted the initiator; the initiator did not accept the responder's certificate or identity, or dropped the SA for another reason"
                } else {
                    "the responder accepted the initiator; the initiator did not accept the responder, or dropped the SA for another reason"
                })
                .frames([sixth.frame, refusal.frame])
                .severity(severity)
                .settle("the initiator's log: the identity it got from the responder")
                .weigh("certificate", match method {
                    Method::Certificate | Method::Hybrid => 3.0,
                    Method::SharedKey => 0.0,
                    Method::Unknown => 0.1,
                });
            if view.attempt.nat.behind(Side::Responder) == Some(true) {
                found = found.weigh("identity", 1.5);
            }
            found = if asked { found.weigh("user", 12.0) } else { found.rule_out(&["user"]) };
            if method == Method::Hybrid {
                // Only the responder has a certificate, and its authority is what the client has to know.
                found = found.weigh("certificate", 1.5).weigh("identity", 0.5);
            }
            if takes_not {
                // It goes on with this negotiation, and drops nothing.
                found = found.weigh("policy", 0.3);
            }
            if other_up {
                found = found.weigh("policy", 6.0);
            }
            if may_greet {
                found.seen.push_str("; an INITIAL-CONTACT would be as long");
            }
            Some(found)
        })
        .collect()
}

/// Message 6 and the encrypted Informational that the initiator sent at once after it, instead of Quick Mode. None if it is
/// likelier its INITIAL-CONTACT: message 5 held none, or the responder sends one too.
pub(super) fn refusal<'a>(view: &View<'a>) -> Option<(&'a MessageRecord, &'a MessageRecord)> {
    let sixth = view.message(Label::Mm(6))?;
    let asked = asked_in_vain(view);
    if view.messages().any(|message| matches!(message.label, Label::Qm(_) | Label::Tr(_)) && !asked) {
        return None;
    }
    let refusal = phase1::encrypted_informationals(view, Side::Initiator)
        .find(|message| message.at >= sixth.at && message.at.since(sixth.at) <= UNWANTED)?;
    let greets = || {
        initial_contact::rides_along(view, Side::Initiator) == Some(false)
            || initial_contact::of(view, Side::Responder).is_some()
    };
    if initial_contact::of(view, Side::Initiator).is_some() && greets() {
        return None;
    }
    let says_no = V1Suite::chosen(view.attempt).is_none_or(|suite| {
        let contents = suite.contents(view.attempt, Side::Initiator, refusal.length);
        contents.is_empty() || contents.iter().any(|content| content != Content::Dpd)
    });
    // An answer means that it was a liveness check; a later message, that the SA is in use, unless it is message 5 or 6 again.
    let answered = phase1::encrypted_informationals(view, Side::Responder)
        .any(|message| message.at >= refusal.at && message.length == refusal.length);
    let abandoned = || view.attempt.last.since(refusal.at) <= UNWANTED || asked;
    let goes_on = || goes_on(view, refusal).is_some();
    (says_no && !answered && (refuses_each(view, sixth).is_some() || goes_on() || abandoned()))
        .then_some((sixth, refusal))
}

/// Copies of message 5 that the initiator sent after its Informational, in spite of message 6 that it answers with it, and of nothing
/// else.
fn goes_on(view: &View<'_>, refusal: &MessageRecord) -> Option<usize> {
    let (fifth, sixth) = (view.message(Label::Mm(5))?, view.message(Label::Mm(6))?);
    let within = answer_within(view, Side::Initiator);
    let answers = sixth.copies().any(|(_, at)| at <= refusal.at && refusal.at.since(at) <= within);
    let asked = phase1::encrypted_informationals(view, Side::Responder).any(|message| message.at <= refusal.at);
    phase1::copies_in_spite_of(refusal, fifth).filter(|_| answers && !asked)?;
    Some(phase1::repeats_after(fifth, refusal.at))
}

/// The responder goes on to XAUTH, as the method demands, and the initiator, instead of answering its question, says something in an
/// Informational as soon as it has it, and nothing more: a user takes longer to give up.
fn asked_in_vain(view: &View<'_>) -> bool {
    let question = view.message(Label::Tr(1)).filter(|question| question.from == Side::Responder);
    let (Some(question), true) = (question, phase1::wants_xauth(view)) else { return false };
    let within = answer_within(view, Side::Initiator);
    let mut said = phase1::encrypted_informationals(view, Side::Initiator);
    let at_once = said.find(|said| said.at.after(within) >= question.at && said.at.since(question.at) <= within);
    // Who goes on asking was not told that it is over.
    let last = |at: Timestamp| {
        view.messages().all(|message| match (message.label, message.from) {
            (Label::Qm(_), _) | (Label::Tr(_), Side::Initiator) => false,
            (_, Side::Initiator) => message.last_sent() <= at,
            _ => message.last_sent() <= at.after(within),
        })
    };
    at_once.is_some_and(|said| last(said.at))
}

/// Copies of message 6, if it was sent again and the initiator answered each with an encrypted Informational: it had them all.
fn refuses_each(view: &View<'_>, sixth: &MessageRecord) -> Option<usize> {
    let sent: Vec<Timestamp> = sixth.copies().map(|(_, at)| at).collect();
    let said: Vec<Timestamp> =
        phase1::encrypted_informationals(view, Side::Initiator).map(|message| message.at).collect();
    let answered = sent.iter().enumerate().all(|(copy, &at)| {
        let next = sent.get(copy + 1).map_or(at.after(UNWANTED), |&next| next.min(at.after(UNWANTED)));
        said.iter().any(|&said| said >= at && said <= next)
    });
    (sent.len() >= 2 && said.len() >= sent.len() && answered).then_some(sent.len())
}
