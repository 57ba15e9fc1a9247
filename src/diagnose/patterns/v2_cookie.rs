//! V2-COOKIE: the responder asked for a cookie first.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};

use super::ikev2::{self, Round};

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SA_INIT response in clear with only COOKIE (16390); the initiator repeats its request with that cookie in
    /// front, and is answered normally.
    ///
    /// ## What it means
    ///
    /// Nothing is wrong. The responder has many half-open negotiations (or is set to ask always) and wants proof that the
    /// initiator's address is real before it spends any work.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-COOKIE-LOOP`: the cookie comes back and a new one is asked for.
    /// - `S-HALFOPEN`: a flood of requests is the reason; cookies for every peer point to it.
    V2_COOKIE = "V2-COOKIE", IkeV2, Info;
    title: "the responder asked for a cookie first";
    causes: [
        "load" 0.60 "the responder has many half-open negotiations", raised by "many initiators at once", lowered by "a single peer";
        "always" 0.40 "the responder is set to ask for cookies always", raised by "every attempt is asked, on a quiet network", lowered by "";
    ];
    checks: [
        Responder: "nothing has to be done; if every attempt is asked, look for a flood of requests or for the threshold in its configuration";
    ];
    logs: [
        "strongSwan": "cookie_threshold" ("strongSwan source");
    ];
    sources: ["RFC 7296 §2.6"];
    when: V2 COOKIE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    ikev2::attempts(case)
        .filter_map(|(index, view)| {
            let asked = ikev2::rounds(view.attempt).find(Round::asked_cookie)?;
            let granted = ikev2::accepted(view.attempt)?;
            Some(
                Match::on(index, Confidence::Stated)
                    .seen("the responder answered the first request with a COOKIE; the request with it was accepted")
                    .means("a normal defence against floods of requests")
                    .frames(asked.response.map(|response| response.frame))
                    .frames(granted.request.map(|request| request.frame)),
            )
        })
        .collect()
}
