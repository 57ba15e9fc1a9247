//! V2-INIT-NO-AUTH: IKE_SA_INIT is answered, and IKE_AUTH never follows.

use crate::base::Timestamp;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times, until};
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{ExchangeKind, MessageRecord, TransformFact};

use super::offer::v2::KE;
use super::{ikev2, nat};

/// A request that crosses its answer is repeated once; more copies mean that the answer is not seen.
const CROSSING: usize = 1;
/// So many attempts after one are looked at.
const LOOKED_AHEAD: usize = 8;

pattern! {
    /// ## What is seen
    ///
    /// The responder answers IKE_SA_INIT with its choice, or takes the ticket of IKE_SESSION_RESUME. Then either the same request keeps coming, answered each time; or
    /// nothing more comes from the initiator, on port 500 or 4500.
    ///
    /// ## What it means
    ///
    /// If the request keeps coming, the answers do not reach the initiator. If nothing comes, the initiator's next message is
    /// lost before the place of the capture (it moves to UDP 4500, which may be blocked on the initiator's side), or the
    /// initiator does not go on with what it was offered.
    ///
    /// ## Look-alikes
    ///
    /// - A capture filter that leaves out port 4500.
    /// - `S-SCAN`: probes send IKE_SA_INIT and nothing else.
    /// - `V2-AUTH-NO-REPLY`: IKE_AUTH is seen, and its answer is not.
    V2_INIT_NO_AUTH = "V2-INIT-NO-AUTH", IkeV2, Error;
    title: "IKE_SA_INIT is answered, and no IKE_AUTH follows";
    causes: [
        "port-4500" 0.412 "UDP 4500 is blocked between the initiator and the place of the capture",
            raised by "NAT on the path; nothing on 4500 from the initiator", lowered by "the same request keeps coming";
        "return" 0.196 "the answer does not reach the initiator: filter, NAT or route on the way back",
            raised by "the same request keeps coming after it was answered", lowered by "the request stops with the answer";
        "initiator" 0.225 "the initiator does not go on: no key or certificate for this peer, or it does not accept the choice",
            raised by "the request stops with the answer", lowered by "the same request keeps coming";
        "probe" 0.098 "a probe, and no real peer", raised by "one request, many transforms, no vendor id", lowered by "a known peer";
        "choice" 0.020 "the responder chose what was not offered, or sent a key exchange value of another group",
            raised by "what both say in clear", lowered by "a choice that was offered";
        "early" 0.049 "the capture ends before IKE_AUTH was due", raised by "the capture ends within seconds of the answer", lowered by "a long capture";
    ];
    checks: [
        Responder: "update its software, and look for what may change packets on the way" about "choice";
        Path: "check the way back to the initiator for UDP 500, and UDP 4500 in both directions near the initiator";
        Initiator: "read its log: whether the answer arrives, and what it makes of it";
        Capture: "make sure that the capture filter holds UDP 4500";
    ];
    logs: [
        "Cisco ASA": "%ASA-4-750003: IKEv2 Negotiation aborted due to ERROR: Failed to receive the AUTH msg before the timer expired" ("public ASA logs");
        "strongSwan": "deleting half open IKE_SA with … after timeout" ("public logs");
    ];
    sources: ["RFC 7296 §1.2", "RFC 7296 §2.1", "RFC 7296 §2.23"];
    misses: SetUp;
    lost: "return", or its answer: "port-4500";
    when: V2_UNPROVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    // Pieces of a datagram that never became whole may be the IKE_AUTH that is missed.
    let broken = !case.pair.incomplete.is_empty();
    let found = ikev2::never_authenticated(case)
        .filter(|(_, view)| !broken && !view.attempt.midstream && !view.one_sided())
        .filter_map(|(index, view)| never_follows(case, index, &view))
        .collect();
    ikev2::tempered(case, found)
}

/// What the initiator cannot go on with, as both say in clear: a transform that it did not offer, or a key exchange value of another
/// group than the chosen one (RFC 7296 §2.7, §3.3.6, §3.4).
pub(super) fn bad_choice(view: &View<'_>) -> Option<String> {
    let round = ikev2::accepted(view.attempt)?;
    let whole = |message: Option<&MessageRecord>| message.is_some_and(|message| message.fault.is_none());
    let chosen = view.attempt.chosen.as_deref().filter(|_| whole(round.request) && whole(round.response))?;
    let offered = || view.attempt.offered.iter().flat_map(|proposal| &proposal.transforms);
    let same = |one: &TransformFact, other: &TransformFact| {
        (one.transform_type, one.transform_id, &one.attributes)
            == (other.transform_type, other.transform_id, &other.attributes)
    };
    let is_stray = |one: &&TransformFact| one.transform_id != 0 && !offered().any(|other| same(one, other));
    if let Some(stray) = chosen.transforms.iter().find(is_stray).filter(|_| offered().next().is_some()) {
        let name = registry::short_v2_transform(stray.transform_type, stray.transform_id);
        return Some(format!("the responder chose {}, which was not offered like this", name.unwrap_or("a transform")));
    }
    let chosen = chosen.transforms.iter().find(|one| one.transform_type == KE)?.transform_id;
    let sent = ikev2::group_of(round.response?)?;
    (sent != chosen).then(|| {
        format!("the responder chose {} and sent a key exchange value of {}", ikev2::group(chosen), ikev2::group(sent))
    })
}

/// When the initiator began anew from the same port, sooner than anybody gives up who repeats a message.
fn begun_anew(view: &View<'_>, response: &MessageRecord) -> Option<Timestamp> {
    let attempts = view.case.pair.attempts.get(view.index + 1..)?;
    let next =
        attempts.iter().take(LOOKED_AHEAD).find(|next| next.initiator == view.attempt.initiator && !next.midstream)?;
    Some(next.first).filter(|first| first.since(response.at) < PATIENCE)
}

fn never_follows(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    use ExchangeKind::{IkeSaInit, IkeSessionResume, InformationalV2};
    let goes_on = view
        .exchanges()
        .iter()
        .any(|exchange| !matches!(exchange.kind, IkeSaInit | IkeSessionResume | InformationalV2));
    let refusal = view.exchanges().iter().any(|exchange| exchange.kind == InformationalV2);
    let (round, name) = match ikev2::accepted(view.attempt) {
        Some(round) => (round, "IKE_SA_INIT"),
        None => (ikev2::resumed(view.attempt)?, "IKE_SESSION_RESUME"),
    };
    let (request, response) = (round.request?, round.response?);
    if goes_on || refusal {
        return None;
    }
    let copies = round.copies_after_response();
    let quiet = case.end().since(view.attempt.last);
    let anew = begun_anew(view, response);
    let stops = copies > CROSSING || quiet >= PATIENCE || anew.is_some();
    if stops && let Some(fault) = bad_choice(view) {
        let found = Match::on(index, Confidence::Inferred)
            .seen(format!("{name} was answered, and no IKE_AUTH follows; {fault}"))
            .means("the initiator cannot go on with this answer")
            .weigh("choice", 500.0)
            .settle("the initiator's log at that time");
        return Some(found.frames(view.frames(request)).frames([response.frame]));
    }
    let found = if copies > CROSSING {
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "{name} was answered, and the same request came again {} in the {} after the answer; no IKE_AUTH",
                times(copies as u64),
                span(view.attempt.last.since(response.at)),
            ))
            .means("the answers do not reach the initiator")
            .weigh("return", 8.0)
            .weigh("port-4500", 0.1)
            .weigh("initiator", 0.3)
            .weigh("probe", 0.2)
    } else if let Some(anew) = anew {
        Match::on(index, Confidence::Suspected)
            .seen(format!(
                "{name} was answered; no IKE_AUTH followed, and the initiator began anew {} later",
                span(anew.since(response.at)),
            ))
            .means("the initiator does not go on with what it was answered; who only misses an answer to IKE_AUTH repeats that for longer")
            .weigh("return", 0.3)
            .weigh("port-4500", 0.2)
            .weigh("initiator", 4.0)
            .settle("the initiator's log at that time")
    } else if quiet >= PATIENCE {
        let found = Match::on(index, Confidence::Suspected)
            .seen(format!(
                "{name} was answered; nothing more from the initiator on this SA in the {} that follow",
                span(quiet),
            ))
            .means("either IKE_AUTH is lost before the place of the capture, or the initiator does not go on")
            .weigh("return", 0.5)
            .settle("a capture on the initiator's outside tells whether it sends IKE_AUTH, and to which port");
        if nat::detected(view) { found.weigh("port-4500", 1.5) } else { found }
    } else {
        // What a filter leaves that takes all of IKE_AUTH; or just a short capture.
        Match::on(index, Confidence::Suspected)
            .severity(Severity::Info)
            .seen(format!(
                "{name} was answered; no IKE_AUTH {}, which is too early to call it a stop",
                until(quiet, "it")
            ))
            .means("the negotiation goes on after the capture, or IKE_AUTH does not get here")
            .weigh("early", 100.0)
            .settle("a longer capture")
    };
    Some(found.rule_out(&["choice"]).frames(view.frames(request)).frames([response.frame]))
}
