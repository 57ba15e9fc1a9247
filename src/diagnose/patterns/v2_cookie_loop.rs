//! V2-COOKIE-LOOP: the responder asks for cookies and is never content.

use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span, times};
use crate::diagnose::{Confidence, Severity};

use super::ikev2::{self, Round};

pattern! {
    /// ## What is seen
    ///
    /// The responder answers IKE_SA_INIT with COOKIE, the initiator brings the cookie, and the answer is another COOKIE, again
    /// and again. Or the initiator never brings it.
    ///
    /// ## What it means
    ///
    /// A cookie is bound to the initiator's address, SPI and nonce, and to a secret of the responder. It fails if one of
    /// these changes on the way: a NAT or load balancer that gives each packet another source, a cluster whose nodes do not
    /// share the secret. An initiator that never brings it either does not see the answer or does not know cookies.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-COOKIE`: asked once and content, which is normal.
    /// - `V2-NO-REPLY`: the request with the cookie is sent and draws no answer at all.
    /// - `V2-KE-LOOP`: COOKIE and INVALID_KE_PAYLOAD may alternate.
    V2_COOKIE_LOOP = "V2-COOKIE-LOOP", IkeV2, Error;
    title: "IKE_SA_INIT does not get past the cookie that the responder asks for";
    causes: [
        "nodes" 0.40 "a NAT or load balancer changes the source, or sends the requests to different nodes",
            raised by "the cookie comes back and is refused", lowered by "the cookie never comes back";
        "secret" 0.20 "the responder's secret or clock changes between the two requests",
            raised by "the cookie comes back late", lowered by "the cookie comes back at once";
        "support" 0.15 "the initiator does not support cookies",
            raised by "it goes on with the first request", lowered by "it brings the cookie";
        "lost" 0.15 "the COOKIE does not reach the initiator",
            raised by "it goes on with the first request", lowered by "it brings the cookie";
        "ping-pong" 0.10 "the initiator drops the cookie when it changes the group, or the other way round",
            raised by "COOKIE and INVALID_KE_PAYLOAD alternate", lowered by "only COOKIE is seen";
    ];
    checks: [
        Path: "look for a load balancer or NAT in front of the responder; keep one peer on one node";
        Responder: "look for a cluster whose nodes do not share the cookie secret; look why it asks for cookies at all";
        Initiator: "see in its log whether the COOKIE arrives and whether its software answers it";
    ];
    logs: [
        "strongSwan": "ignore response with duplicate COOKIE notify" ("strongSwan source");
    ];
    sources: ["RFC 7296 §2.6", "RFC 7296 §2.6.1"];
    misses: Messages;
    when: V2_UNPROVEN COOKIE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let found =
        ikev2::never_authenticated(case).filter_map(|(index, view)| never_content(case, index, &view)).collect();
    ikev2::tempered(case, found)
}

/// A cookie belongs to one nonce and one SPI of the initiator (RFC 7296 §2.6): a responder that has asked for another group since
/// may not know it any more, and drops what brings it.
fn outdated(index: usize, view: &View<'_>, rounds: &[Round<'_>]) -> Option<Match> {
    let last = rounds.last().filter(|last| last.response.is_none() && last.brought_cookie())?;
    let request = last.request?;
    let waited = view.waited(request);
    if !waited.is_silence() || !rounds.iter().any(|round| round.asked_group().is_some()) {
        return None;
    }
    Some(
        Match::on(index, Confidence::Suspected)
            .seen(format!(
                "the responder asked for a cookie and for another group; the request with both was sent {}, and nothing came back",
                times(waited.copies),
            ))
            .means("the responder answered until then: it most likely drops the request, because the cookie is one for an earlier nonce or exchange")
            .weigh("ping-pong", 10.0)
            .settle("the responder's log: whether the request arrives, and what it makes of the cookie")
            .frames(view.frames(request)),
    )
}

fn never_content(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let rounds: Vec<Round<'_>> = ikev2::rounds(view.attempt).collect();
    if rounds.iter().any(Round::accepted) {
        return None;
    }
    let asked: Vec<&Round<'_>> = rounds.iter().filter(|round| round.asked_cookie()).collect();
    let first = asked.first()?.response?;
    let refused = asked.iter().filter(|round| round.brought_cookie()).count();
    let frames = asked.iter().filter_map(|round| Some(round.response?.frame));
    if refused >= 2 {
        let alternates = rounds.iter().any(|round| round.asked_group().is_some());
        let found = Match::on(index, Confidence::Stated)
            .seen(format!(
                "the initiator brought a cookie {} in {}, and each time the responder asked for another",
                times(refused as u64),
                span(view.attempt.last.since(first.at)),
            ))
            .means("the responder does not recognise its own cookies")
            .weigh("nodes", 2.0)
            .weigh("support", 0.1)
            .weigh("lost", 0.1)
            .frames(frames);
        return Some(if alternates { found.weigh("ping-pong", 5.0) } else { found });
    }
    if let Some(found) = outdated(index, view, &rounds) {
        return Some(found.frames(frames));
    }
    let returned = rounds.iter().any(Round::brought_cookie);
    let copies = asked.last()?.copies_after_response();
    if returned || view.attempt.midstream || case.end().since(first.at) < PATIENCE {
        return None;
    }
    let goes_on = if copies == 0 {
        "no further request".to_owned()
    } else {
        number(copies as u64, "more request") + " without it"
    };
    let found = Match::on(index, Confidence::Inferred)
        .seen(format!("the responder asked for a cookie; {goes_on} in {} of capture", span(case.end().since(first.at))))
        .means("either the COOKIE does not reach the initiator, or the initiator does not answer it")
        .weigh("nodes", 0.1)
        .weigh("secret", 0.1)
        .weigh("ping-pong", 0.1)
        .settle("the initiator's log, or a capture on its outside, tells whether the COOKIE arrives there")
        .frames(frames);
    // Whoever wanted a tunnel would ask again; a scanner does not.
    Some(if copies > 0 { found.weigh("lost", 2.0) } else { found.severity(Severity::Warning) })
}
