//! V2-EAP: the rounds of EAP do not end well.

use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{AuthAnswer, Suite, payload};
use crate::diagnose::words::span;
use crate::diagnose::{Confidence, Severity};
use crate::track::{Label, MessageRecord, Side};

use super::ikev2::{self, Standing, Unanswered};

/// A user may look for a password this long before the initiator goes on.
const A_USER_TYPES: std::time::Duration = std::time::Duration::from_secs(90);
/// A message of EAP that is as long as this holds a certificate; names, passwords and their hashes are shorter.
const LEAST_CERTIFICATE: u32 = 512;

pattern! {
    /// ## What is seen
    ///
    /// Several IKE_AUTH exchanges under rising message ids, and no end to them: the last answer has no room for a child SA,
    /// and the initiator sends an INFORMATIONAL instead of the next IKE_AUTH; or a request draws no response; or nothing
    /// more comes.
    ///
    /// ## What it means
    ///
    /// More than one IKE_AUTH exchange means EAP (or two authentications). What EAP says is encrypted; where it stops tells
    /// something. After the first response: the initiator does not accept the server's certificate or has no such EAP
    /// method. Later: user name, password or the AAA server. In EAP-TLS both sides send certificates, and so a request between the rounds is
    /// long: where it stops after that, the client's certificate is refused. A refused password, a time-out of the AAA server and a user who
    /// gives up look the same. An answer that has room for an EAP Success or Failure and little else (a prompt of a few letters), after
    /// which the initiator does nothing, most likely held Failure.
    ///
    /// ## Look-alikes
    ///
    /// - `F-IKE-FRAG-LOST`, `F-SKF-INCOMPLETE`: EAP-TLS sends long messages, and fragments of them get lost.
    /// - `V2-AUTH-FAIL`: refused after a single IKE_AUTH exchange.
    /// - A user who takes long to type a password.
    V2_EAP = "V2-EAP", IkeV2, Error;
    title: "user authentication by EAP does not succeed";
    causes: [
        "credentials" 0.42 "user name or password is wrong, or the account is locked",
            raised by "the end comes after several rounds", lowered by "the end comes after the first response; the client sent a certificate";
        "aaa" 0.20 "the AAA server does not answer, or refuses the gateway",
            raised by "a long wait before the last answer; a request without a response", lowered by "quick answers";
        "method" 0.15 "the two ends have no EAP method in common",
            raised by "the end comes in the first rounds", lowered by "many rounds";
        "lost" 0.03 "the request or its answer is lost on the way", raised by "a request that is sent again and not answered", lowered by "every request is answered";
        "client" 0.01 "the client's certificate is refused (EAP-TLS): expired, revoked, of an authority that the server does not know, or not of this user",
            raised by "after the server's certificate a request as long as one comes from the initiator, and then the end", lowered by "no long request";
        "certificate" 0.19 "the initiator does not accept the server's certificate: name, EKU or CA",
            raised by "the end comes right after the first response", lowered by "rounds go on after the first response";
    ];
    checks: [
        Either: "check the client's certificate: dates, the revocation list, the authority that the server knows for clients, and its name" about "client";
        Responder: "read the log of the AAA server: whether the request arrives, and what it answers";
        Initiator: "try the credentials elsewhere; compare the EAP method with the one that the server wants" about "credentials" "method";
        Initiator: "with EAP-TLS or PEAP, check the server's certificate for the name that the initiator dials and for its EKU" about "certificate";
        Path: "follow the last request to the responder and its answer back: loss, fragments, a filter" about "lost";
        Path: "with EAP-TLS, enable IKE fragmentation on both ends";
    ];
    logs: [
        "Windows": "RAS error 691" ("Microsoft RAS error documentation") about "credentials" "aaa" "method";
    ];
    sources: ["RFC 7296 §2.16", "RFC 3748 §4.2"];
    misses: SetUp;
    when: V2_UNPROVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let found = ikev2::attempts(case)
        .filter(|(_, view)| !standing.authenticated_after(view.attempt))
        .filter_map(|(index, view)| stalled(case, index, &view))
        .collect();
    ikev2::tempered(case, found)
}

/// How the rounds ended.
enum End<'a> {
    /// With a word of the initiator instead of the next round.
    Farewell(&'a MessageRecord),
    /// With a request that was not answered.
    Unanswered(Unanswered<'a>),
    /// With nothing more.
    Nothing,
}

fn stalled(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let rounds = view.auth_exchanges().count();
    if rounds < 2 {
        return None;
    }
    let last = view.auth_exchanges().next_back()?;
    let (request, response) = ikev2::request_and_response(last);
    let request = request?;
    // An answer that can hold a child SA is the end that was wanted. Where its suite is not known, what it begins with tells.
    let ends_well = |response| match view.auth_answer() {
        Some(answer) => answer == AuthAnswer::Child,
        None => view.first_inside(response) != Some(payload::EAP),
    };
    if response.is_some_and(ends_well) {
        return None;
    }
    let since = response.unwrap_or(request);
    let farewell = view.messages().find(|message| {
        message.at >= since.at && message.from == Side::Initiator && message.label == Label::INFORMATIONAL_REQ
    });
    let end = match (response, farewell) {
        (None, _) => End::Unanswered(ikev2::unanswered(view, last)?),
        (Some(_), Some(farewell)) => End::Farewell(farewell),
        (Some(response), None) => {
            let quiet = case.end().since(response.at) >= PATIENCE && view.attempt.last <= since.at;
            if !quiet || view.traffic_begins(response.at) {
                return None;
            }
            End::Nothing
        }
    };
    let how = match &end {
        End::Farewell(_) => "the initiator then sent an INFORMATIONAL in place of the next one".to_owned(),
        End::Unanswered(unanswered) => format!("the last request {}", unanswered.in_vain()),
        End::Nothing => format!("nothing followed in {} of capture", span(case.end().since(since.at))),
    };
    let in_vain = if response.is_some() && view.auth_answer().is_none() {
        "EAP still in the last answer"
    } else {
        "no answer with room for a child SA"
    };
    let slow = response.is_some_and(|response| response.at.since(request.at) >= std::time::Duration::from_secs(5));
    let confidence = match &end {
        End::Unanswered(unanswered) => unanswered.confidence,
        End::Farewell(_) | End::Nothing => Confidence::Inferred,
    };
    let mut found = Match::on(index, confidence)
        .seen(format!("{rounds} IKE_AUTH exchanges and {in_vain}; {how}"))
        .means("EAP went on for a while and did not succeed; what it said is encrypted")
        .settle("the log of the responder or of its AAA server at that time")
        .weigh("certificate", 0.3)
        .frames([request.frame])
        .frames(response.map(|response| response.frame));
    match client_certificate(view) {
        Some(sent) => {
            found.seen.push_str(&format!(
                "; behind a long answer the initiator sent a request of {} octets, as long as one with a certificate",
                sent.length
            ));
            found.frames.push(sent.frame);
            found = found.weigh("client", 60.0).weigh("credentials", 0.2).weigh("method", 0.2);
        }
        None => found = found.rule_out(&["client"]),
    }
    if let End::Farewell(farewell) = &end {
        found = found.frames([farewell.frame]);
    }
    let outcome = response.is_some_and(|response| rounds > 2 && holds_outcome_only(view, response));
    // The next round is the initiator's, and a user may be typing.
    let may_go_on = matches!(end, End::Nothing) && case.end().since(since.at) < A_USER_TYPES;
    if may_go_on {
        found.means = "EAP is as far as this capture goes; the next message is the initiator's".into();
        found.confidence = Some(Confidence::Suspected);
        found = if outcome {
            found.means(
                "the last answer has room for an EAP Success or Failure and little else; after Success the initiator goes on at once, so most likely it was Failure",
            )
        } else {
            found.severity(Severity::Notice).weigh("lost", 10.0)
        };
    }
    if matches!(end, End::Unanswered(_)) {
        found.means = "a round of EAP is not answered: what it said before is encrypted".into();
        found = found.weigh("aaa", 3.0).weigh("credentials", 0.5).weigh("lost", 15.0).weigh("client", 0.3);
    } else if !may_go_on {
        found = found.rule_out(&["lost"]);
    }
    Some(if slow { found.weigh("aaa", 2.0) } else { found })
}

/// The request with which the initiator seems to send a certificate of its own, after the server did (EAP-TLS): both are long, and stand
/// between the first exchange, which holds what IKE itself has to prove, and the end.
fn client_certificate<'a>(view: &View<'a>) -> Option<&'a MessageRecord> {
    let suite = Suite::chosen(view.attempt)?;
    let is_long =
        |message: &&MessageRecord| suite.plain_of(message).is_some_and(|(least, _)| least >= LEAST_CERTIFICATE);
    let rounds = || view.auth_exchanges().skip(1).map(ikev2::request_and_response);
    let of_server = rounds().filter_map(|(_, response)| response).find(is_long)?;
    rounds().filter_map(|(request, _)| request).filter(|request| request.at > of_server.at).find(is_long)
}

/// Octets of an EAP payload around Success or Failure (RFC 7296 §3.16, RFC 3748 §4.2).
const OUTCOME: u32 = 4 + 4;

/// The answer is of the least length that such a payload takes.
fn holds_outcome_only(view: &View<'_>, response: &MessageRecord) -> bool {
    let plain = Suite::chosen(view.attempt).and_then(|suite| suite.plain_of(response));
    let begins_so = view.first_inside(response).is_none_or(|first| first == payload::EAP);
    begins_so && plain.is_some_and(|(least, most)| least <= OUTCOME && (OUTCOME..2 * OUTCOME).contains(&most))
}
