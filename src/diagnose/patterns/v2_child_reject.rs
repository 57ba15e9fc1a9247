//! V2-CHILD-REJECT: authentication goes through and the child SA is refused.

use crate::diagnose::case::{AT_ONCE, Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{AuthAnswer, Suite};
use crate::diagnose::tunnel::TurnedDown;
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, MessageRecord, Side};

use super::ikev2::{self, Standing, notify};
use super::{v2_auth_fail, v2_rekey_refused};

pattern! {
    /// ## What is seen
    ///
    /// An IKE_AUTH response with room for an identity and its proof, and none for a child SA; the IKE SA stays (liveness,
    /// further CREATE_CHILD_SA), and no ESP. Or CREATE_CHILD_SA answered with a lone notify while no child SA was ever up. Old
    /// stacks answer IKE_AUTH in clear with NO_PROPOSAL_CHOSEN or TS_UNACCEPTABLE, and drop the IKE SA with it.
    ///
    /// If CREATE_CHILD_SA brings a child SA later on, the first one was refused all the same.
    ///
    /// While a tunnel works, the same may befall a further child SA: a CREATE_CHILD_SA request that begins with SA, so that it
    /// names none to be re-keyed, and has no room for the key exchange that would renew the IKE SA, is answered with a lone notify.
    ///
    /// Or the initiator deletes each child SA as soon as it is granted, and keeps the IKE SA: then it is the initiator that does
    /// not accept what the responder made of its request. That a child SA is deleted shows where another one is asked for, and where
    /// the answer begins with a Delete too; that to the Delete of an IKE SA is empty.
    ///
    /// ## What it means
    ///
    /// Both ends know and trust each other; they do not agree on what to carry. The notify is encrypted: TS_UNACCEPTABLE if
    /// the traffic selectors (subnets) have nothing in common, NO_PROPOSAL_CHOSEN if the ESP or AH algorithms have not, others
    /// for address pools and limits. They all have the same length.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-CHILDLESS`: the initiator did not ask for a child SA; the responder then says CHILDLESS_IKEV2_SUPPORTED in clear
    ///   and the request is short too.
    /// - `V2-AUTH-FAIL`: room for a notify only.
    /// - `V2-REKEY-REFUSED`: what is refused is a re-key, or may be one.
    V2_CHILD_REJECT = "V2-CHILD-REJECT", IkeV2, Error;
    title: "authentication goes through and the child SA (phase 2) is refused";
    causes: [
        "selectors" 0.45 "the traffic selectors have nothing in common: subnets differ or are not mirrored",
            raised by "one end is route-based (0.0.0.0/0), the other policy-based", lowered by "another child SA of the same pair succeeds";
        "proposal" 0.40 "no ESP or AH proposal in common: cipher, integrity, key length, group, ESP against AH",
            raised by "products of different vendors, first set-up ever", lowered by "the same pair worked before";
        "other" 0.15 "no address in the pool, only one pair of selectors per SA, tunnel against transport mode, a limit",
            raised by "remote access", lowered by "site to site";
    ];
    checks: [
        Either("the side that refuses"): "read the log at that time: it names TS_UNACCEPTABLE or NO_PROPOSAL_CHOSEN; for remote access look at the address pool";
        Either: "put the traffic selectors side by side: what is local here must be remote there, with the same masks";
        Either: "compare the ESP proposals: cipher with key length, integrity, group, ESN, mode";
    ];
    logs: [
        "strongSwan": "received TS_UNACCEPTABLE notify, no CHILD_SA built" ("strongSwan source");
        "strongSwan": "failed to establish CHILD_SA, keeping IKE_SA" ("strongSwan source");
        "AWS": "AWS: Traffic Selector: TS_UNACCEPTABLE: received from responder" ("AWS log-contents");
        "AWS": "AWS tunnel Phase 2 was unable to establish while keeping Phase 1" ("AWS log-contents");
        "libreswan": "IKE_AUTH response contains the Child SA error notification" ("libreswan source");
        "Azure": "IkeCleanupQMNegotiation called with error 13868 / Policy Mismatch" ("Azure network-watcher-troubleshoot-overview");
        "Cisco ASA": "%ASA-4-750003: IKEv2 Negotiation aborted due to ERROR: There was no IPSEC policy found for received TS" ("public ASA logs");
        "libreswan": "no proposal chosen from:1:ESP:…" ("libreswan log");
        "libreswan": "IKE_AUTH response rejected Child SA with …" ("libreswan log");
        "strongSwan": "received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built" ("strongSwan log");
        "strongSwan": "no acceptable proposal found" ("strongSwan log");
    ];
    sources: ["RFC 7296 §1.2", "RFC 7296 §2.9", "RFC 7296 §2.21.2", "RFC 7296 §3.10.1"];
    when: V2 NO_TUNNEL, CREATE_CHILD;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let found: Vec<Match> = ikev2::attempts(case)
        .filter(|(_, view)| view.tunnel_up().is_none())
        .filter_map(|(index, view)| {
            let asked_once = view.auth_exchanges().nth(1).is_none();
            let in_answer = || refused_in_clear(index, &view).or_else(|| refused(index, &view)).filter(|_| asked_once);
            let found = deleted_at_once(index, &view).or_else(in_answer)?;
            Some(ikev2::recalled(found, standing.up_after(view.attempt)))
        })
        .collect();
    let mut found = ikev2::tempered(case, found);
    found.extend(ikev2::attempts(case).filter_map(|(index, view)| first_refused(index, &view)));
    found.extend(further_refused(case));
    found
}

/// The initiator deletes each child SA that it is granted, at once.
fn deleted_at_once(index: usize, view: &View<'_>) -> Option<Match> {
    let TurnedDown { grants, deletes } = view.children_turned_down()?;
    let (last, grant) = (deletes.last()?, grants.last()?);
    let (initiator, responder) = (view.attempt.initiator.ip(), view.attempt.responder.ip());
    let again = grants.len() > 1;
    let when =
        if again { "each time within a second".into() } else { format!("{} later", span(last.at.since(grant.at))) };
    let settled = again || view.is_watched_after(last);
    let found = Match::on(index, if settled { Confidence::Inferred } else { Confidence::Suspected })
        .seen(format!(
            "{responder} granted a child SA {}, and {initiator} deleted it {when}; no ESP",
            times(grants.len() as u64)
        ))
        .means(format!(
            "both accept each other, and {initiator} does not accept what {responder} makes of its request: the traffic selectors, \
             the algorithms or the mode (tunnel or transport)"
        ))
        .settle(format!("the log of {initiator} at that time"))
        .frames(grants.iter().chain(&deletes).map(|message| message.frame))
        .about(Side::Initiator);
    let found = if again { found.weigh("other", 4.0) } else { found };
    // Who deletes it in the moment it is up, and once, may have been told to.
    Some(if settled { found } else { found.severity(Severity::Warning) })
}

/// The child SA that IKE_AUTH asked for was refused, and CREATE_CHILD_SA brought another one, which is used.
fn first_refused(index: usize, view: &View<'_>) -> Option<Match> {
    let suite = Suite::chosen(view.attempt)?;
    let (request, response) = (view.message(Label::AUTH_REQ)?, view.last_auth_response()?);
    if view.auth_exchanges().nth(1).is_some() || view.auth_answer() != Some(AuthAnswer::NoChild) {
        return None;
    }
    let created = view.child_created()?;
    let used = view.begun_from(response.at).next().is_some_and(|flow| flow.first >= created);
    // A certificate, or other notifies, may be what the request is longer by.
    let childless = allows_childless(view);
    let asked = || suite.surely_asks_child(request, response) == Some(true) && !v2_auth_fail::holds_certificate(view);
    if !used || childless && !asked() {
        return None;
    }
    Some(
        Match::on(index, if childless { Confidence::Suspected } else { Confidence::Inferred })
            .severity(Severity::Notice)
            .seen(format!(
                "the IKE_AUTH response of {} octets has room for identity and proof and none for a child SA; CREATE_CHILD_SA brought \
                 one {} later",
                response.length,
                span(created.since(response.at)),
            ))
            .means(
                "the child SA that IKE_AUTH asked for was refused, most often for its subnets or its ESP proposal; another one came up, or \
                 the same, after something was mended",
            )
            .settle("the responder's log at that time, or the keys of the IKE SA")
            .about(Side::Responder)
            .frames([request.frame, response.frame]),
    )
}

/// A tunnel works, and a further child SA is refused.
fn further_refused(case: &Case<'_>) -> Vec<Match> {
    let suites = ikev2::suites(case);
    let up = ikev2::attempts(case).filter(|(_, view)| ikev2::is_in_use(view));
    up.filter_map(|(index, view)| further_child(case, suites.get(index).copied().flatten()?, index, &view)).collect()
}

fn further_child(case: &Case<'_>, suite: Suite, index: usize, view: &View<'_>) -> Option<Match> {
    let refusals = v2_rekey_refused::refusals(case, suite, index, view);
    let (last, answer) = *refusals.last()?;
    if !v2_rekey_refused::asks_further_child(case, suite, index, &refusals) {
        return None;
    }
    let count = refusals.len() as u64;
    let sure = count > 1 || view.is_watched_after(answer);
    let found = Match::on(index, if sure { Confidence::Inferred } else { Confidence::Suspected })
        .seen(format!(
            "CREATE_CHILD_SA of {} was answered {} with a message that has room for a notify only; it names no SA to be re-keyed, \
             and has no room for the key exchange that renews the IKE SA",
            last.source.ip(),
            times(count),
        ))
        .means(format!(
            "{} between the two works; {} refuses a further child SA, its subnets or its proposal, and the reason is encrypted",
            if view.tunnel_up().is_some() || !case.pair.flows.is_empty() { "a tunnel" } else { "the IKE SA" },
            last.destination.ip(),
        ))
        .settle(format!("the log of {} at that time, or the keys of the IKE SA", last.destination.ip()))
        .frames(refusals.iter().flat_map(|(request, response)| [request.frame, response.frame]))
        .about(answer.from)
        .weigh("selectors", 2.0);
    // Who is busy with an exchange of its own says so once, and it passes.
    let passes = count == 1 && is_busy(view, last);
    Some(found.severity(if passes { Severity::Notice } else { Severity::Warning }))
}

/// The side that is asked asks for an SA itself at that time.
fn is_busy(view: &View<'_>, asked: &MessageRecord) -> bool {
    view.messages().any(|message| {
        let near = message.at.since(asked.at).max(asked.at.since(message.at)) <= AT_ONCE;
        message.label == Label::CREATE_CHILD_SA_REQ && message.from != asked.from && near
    })
}

/// What refuses a child SA (RFC 7296 §1.2, §1.3): said in clear to IKE_AUTH, it is no less than that.
fn refused_in_clear(index: usize, view: &View<'_>) -> Option<Match> {
    let refusal = ikev2::auth_refused_in_clear(view)?;
    let found = Match::on(index, Confidence::Stated)
        .seen(format!("IKE_AUTH {}", ikev2::in_clear(view, &refusal)))
        .means(
            "the responder refused the child SA, and the IKE SA with it; it did not protect its answer, so that nobody vouches \
             for that",
        )
        .settle("the responder's log at that time")
        .about(Side::Responder)
        .frames(view.message(Label::AUTH_REQ).map(|request| request.frame))
        .frames(view.frames(refusal.message));
    match refusal.notify_message_type {
        // Old stacks say it of selectors, too.
        notify::NO_PROPOSAL_CHOSEN => Some(found.weigh("other", 0.5)),
        notify::TS_UNACCEPTABLE => Some(found.rule_out(&["proposal"])),
        other if notify::OF_CHILD.contains(&other) => Some(found.rule_out(&["selectors", "proposal"])),
        _ => None,
    }
}

fn refused(index: usize, view: &View<'_>) -> Option<Match> {
    let suite = Suite::chosen_or_any(view.attempt)?;
    let response = view.last_auth_response()?;
    let first = view.auth_answer()?;
    if first < AuthAnswer::NoChild || view.turned_down().is_some() || view.traffic_begins(response.at) {
        return None;
    }
    let later = view
        .messages()
        .filter(|message| message.label == Label::CREATE_CHILD_SA_RSP && suite.refuses_child(message) == Some(true));
    let (later, last) = later.fold((0_u64, None), |(count, _), message| (count + 1, Some(message)));
    let request = view.message(Label::AUTH_REQ);
    let childless = first == AuthAnswer::NoChild && allows_childless(view);
    let asked = request.and_then(|request| suite.asks_no_child(request, response)).map(|no_child| !no_child);
    // Whether a short answer is a refusal, then only the request can tell.
    if childless && later == 0 && request.is_none() {
        return None;
    }
    if first == AuthAnswer::Child || (childless && asked == Some(false) && later == 0) {
        return None;
    }
    let mut seen = format!(
        "the IKE_AUTH response of {} octets has room for identity and proof and none for a child SA; no ESP follows",
        response.length
    );
    if later > 0 {
        seen.push_str(&format!("; CREATE_CHILD_SA was refused {}", times(later)));
    }
    // With CHILDLESS_IKEV2_SUPPORTED a short answer alone may be what was asked for.
    let sure = !childless
        || later > 0
        || request.is_some_and(|request| suite.surely_asks_child(request, response) == Some(true));
    let found = Match::on(index, if sure { Confidence::Inferred } else { Confidence::Suspected })
        .seen(seen)
        .means("authentication works; the child SA is refused, most often for its subnets or its ESP proposal, and the reason is encrypted")
        .settle("the responder's log at that time, or the keys of the IKE SA")
        .about(Side::Responder)
        .frames(request.map(|request| request.frame))
        .frames([response.frame])
        .frames(last.map(|message| message.frame));
    Some(if sure { found } else { found.severity(Severity::Warning) })
}

/// As far as the capture holds what would say so.
fn allows_childless(view: &View<'_>) -> bool {
    let unseen = view.attempt.midstream && view.message(Label::SA_INIT_RSP).is_none();
    unseen
        || view
            .clear_notifies(Side::Responder)
            .any(|notify| notify.notify_message_type == notify::CHILDLESS_IKEV2_SUPPORTED)
}
