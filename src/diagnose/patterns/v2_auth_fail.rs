//! V2-AUTH-FAIL: the responder refuses IKE_AUTH.

use std::collections::BTreeMap;
use std::net::IpAddr;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{AT_ONCE, Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{self, AuthAnswer, Suite, payload};
use crate::diagnose::unheard::copies_after;
use crate::diagnose::words::times;
use crate::track::{Label, PayloadDetail, Side};

use super::ikev2::{self, Standing, notify};
use super::nat::{self, NAT_T};

/// Payload type of CERTREQ (RFC 7296 §3.2).
const CERTREQ: u8 = 38;
/// A request with more than this, in octets of its payloads, is likely to carry a certificate.
const CERTIFICATE_SIZED: u32 = 700;
/// One with less than this has none: a certificate alone hardly takes less.
const LEAST_CERTIFICATE: u32 = 350;

pattern! {
    /// ## What is seen
    ///
    /// IKE_SA_INIT complete, then an IKE_AUTH response that is too short for an identity and its proof: one notify and no
    /// more fits in. After it the SA is not used; often a new IKE_SA_INIT follows. Old stacks say AUTHENTICATION_FAILED in
    /// clear, even under the header of IKE_SA_INIT, and answer later copies of the request with INVALID_IKE_SPI.
    ///
    /// ## What it means
    ///
    /// The responder refuses. The notify itself is encrypted, or should be; it is AUTHENTICATION_FAILED (24) as a rule. A wrong
    /// shared key, an identity that matches no connection, another authentication method and an untrusted certificate all give
    /// the same answer of the same length, so only the responder's log tells them apart. In a session that is resumed
    /// (IKE_SESSION_RESUME) the keys of the ticket are the proof, and no shared key or certificate is involved.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-CHILD-REJECT`: some responders refuse the child SA with a lone notify as well, and drop the IKE SA with it; an
    ///   INFORMATIONAL from the initiator right afterwards speaks for that.
    /// - `V2-EAP`: refused after further rounds of IKE_AUTH.
    /// - `V2-AUTH-INIT-REJECT`: the responder's answer is long, and the initiator ends it.
    V2_AUTH_FAIL = "V2-AUTH-FAIL", IkeV2, Error;
    title: "the responder refuses IKE_AUTH";
    causes: [
        "key" 0.40 "the pre-shared keys differ",
            raised by "freshly configured; several attempts with the same end", lowered by "an IKE_AUTH request long enough for a certificate";
        "identity" 0.27 "the initiator's identity, or the one it asks for, matches no connection on the responder",
            raised by "identity left at its default", lowered by "the same pair worked before";
        "translated" 0.05 "a NAT changes the address that the responder knows the initiator by",
            raised by "NAT detection: the initiator is behind one", lowered by "NAT detection: there is none";
        "certificate" 0.13 "the initiator's certificate is not trusted",
            raised by "a long IKE_AUTH request; CERTREQ in the IKE_SA_INIT response", lowered by "an IKE_AUTH request too short for a certificate";
        "method" 0.06 "the responder wants another authentication method of this peer: a certificate and no key, or a key and no certificate",
            raised by "CERTREQ in the IKE_SA_INIT response, and a short IKE_AUTH request", lowered by "a short request and no CERTREQ";
        "child" 0.05 "the responder refuses the child SA, and does so with a lone notify",
            raised by "the initiator sends an INFORMATIONAL on the same SA right afterwards", lowered by "nothing more is sent on this SA";
        "resumed" 0.02 "the session that was resumed has other keys at the responder, or its policy has changed since",
            raised by "IKE_SESSION_RESUME was accepted", lowered by "IKE_SA_INIT was";
        "changed" 0.02 "what the responder accepted before has expired, was revoked or was changed since: certificate, key, identity or connection",
            raised by "it accepted an IKE_AUTH request of the same length from this address before", lowered by "it never accepted one";
    ];
    checks: [
        Responder: "read its log at that time: it knows the reason and keeps it from the wire";
        Initiator: "let it begin with IKE_SA_INIT: without its ticket, or with session resumption off" about "resumed";
        Responder: "look whether the initiator's certificate has expired or was revoked, and what was changed since it was accepted" about "changed";
        Either: "compare the pre-shared key, character by character" about "key";
        Either: "compare both identities with their types (address, name, distinguished name)" about "identity";
        Initiator: "set its identity rather than rely on its address, which a NAT changes" about "translated";
        Either: "compare ESP or AH proposals and networks of the child SA: a refusal of these looks alike" about "child";
        Either: "compare the authentication method: key or certificate" about "method";
        Either: "with certificates: compare the CA that the responder trusts, validity and subjectAltName" about "certificate";
    ];
    logs: [
        "AWS": "AWS tunnel is sending AUTHENTICATION_FAILED as the response / detected a pre-shared key mismatch" ("AWS log-contents") about "key";
        "strongSwan": "received AUTHENTICATION_FAILED notify error / tried 1 shared key … but MAC mismatched" ("strongSwan source") about "key";
        "strongSwan": "parsed IKE_AUTH response … [ N(AUTH_FAILED) ]" ("public logs");
        "Fortinet": "gw validation failed" ("Fortinet community 408078");
        "libreswan": "authentication failed: computed hash does not match hash received from peer" ("libreswan source") about "key";
        "libreswan": "IKE SA authentication failed, unrecognized IKE_AUTH response" ("libreswan source");
        "pfSense": "received AUTHENTICATION_FAILED notify error / no matching peer config found" ("Netgate docs, strongSwan source");
        "Azure": "Authentication failed. Check shared key. (13801)" ("Azure network-watcher-troubleshoot-overview") about "key";
        "Azure": "error 13801 ERROR_IPSEC_IKE_AUTH_FAIL" ("Azure network-watcher-troubleshoot-overview");
        "Windows": "13801 IKE authentication credentials are unacceptable" ("Azure network-watcher-troubleshoot-overview");
        "Meraki": "IDr payload missing" ("public blog");
        "GCP": "AUTHORIZATION_ERROR / PEER_IDENTITY_MISMATCH" ("Google Cloud VpnTunnel.Status reference");
        "libreswan": "AUTH mismatch: Received AUTH != computed AUTH / PSK Authentication failed: AUTH mismatch!" ("libreswan log") about "key";
    ];
    sources: ["S2S-04", "RFC 7296 §2.21.2", "RFC 7296 §2.15", "RFC 7296 §3.14"];
    when: V2_UNPROVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let accepted = Accepted::of(case);
    let found = ikev2::unproven(case)
        .filter_map(|(index, view)| {
            let found = refused_in_clear(index, &view).or_else(|| refused(case, index, &view))?;
            let found = weighed(&view, found, accepted.before(&view));
            Some(ikev2::recalled(found, standing.authenticated_after(view.attempt)))
        })
        .collect();
    ikev2::tempered(case, found)
}

fn refused_in_clear(index: usize, view: &View<'_>) -> Option<Match> {
    let refusal =
        ikev2::auth_refused_in_clear(view).filter(|said| said.notify_message_type == notify::AUTHENTICATION_FAILED)?;
    let found = Match::on(index, Confidence::Stated)
        .seen(format!("IKE_AUTH {}", ikev2::in_clear(view, &refusal)))
        .means("the responder refused the initiator, and did not protect its answer: nobody vouches for that")
        .settle("the responder's log at that time")
        .frames(view.message(Label::AUTH_REQ).map(|request| request.frame))
        .frames(view.frames(refusal.message))
        .rule_out(&["child"]);
    Some(found)
}

fn refused(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    if view.auth_exchanges().nth(1).is_some() {
        return None;
    }
    let response = view.last_auth_response()?;
    let lone = match view.auth_answer()? {
        AuthAnswer::Notify => true,
        // The first answer of EAP without certificates (RFC 5998) is as short; its next round would have come by now.
        AuthAnswer::Short if case.end().since(response.at) >= PATIENCE => false,
        _ => return None,
    };
    let request = view.message(Label::AUTH_REQ);
    let farewell = view.messages().find(|message| {
        message.label == Label::INFORMATIONAL_REQ && message.from == Side::Initiator && message.at >= response.at
    });
    let room = if lone { "one notify" } else { "a few notifies" };
    // without IKE_SA_INIT the suite, and so what else there is room for, is not known
    let confidence = if Suite::chosen(view.attempt).is_some() { Confidence::Inferred } else { Confidence::Suspected };
    let in_spite = match request.map_or(0, |request| copies_after(response, request)) {
        0 => String::new(),
        copies => format!("; AUTH-REQ was sent {} more all the same", times(copies as u64)),
    };
    let mut found = Match::on(index, confidence)
        .seen(format!(
            "the IKE_AUTH response of {} octets {}has room for {room} and not for an identity and its proof{}{in_spite}",
            response.length,
            if view.first_inside(response) == Some(payload::NOTIFY) { "begins with a Notify, " } else { "" },
            if farewell.is_some() { "; the initiator then sent an INFORMATIONAL on the same SA" } else { "" },
        ))
        .means(match farewell {
            Some(_) => "the responder refused the initiator or the child SA; the reason is encrypted",
            None => "the responder refused; the reason is encrypted, most often AUTHENTICATION_FAILED (24)",
        })
        .settle("the responder's log at that time")
        .frames(request.map(|request| request.frame))
        .frames([response.frame])
        .frames(farewell.map(|message| message.frame));
    if farewell.is_some() {
        found = found.weigh("child", 15.0);
    }
    Some(found)
}

/// Whether the request of IKE_AUTH is as long as one with a certificate.
pub(super) fn holds_certificate(view: &View<'_>) -> bool {
    let least = view.message(Label::AUTH_REQ).and_then(|request| match Suite::chosen(view.attempt) {
        Some(suite) => suite.plain_of(request).map(|(least, _)| least),
        None => sizes::least_plain_in_any_suite(request),
    });
    least >= Some(CERTIFICATE_SIZED)
}

/// Whether the responder asks for a certificate.
pub(super) fn asks_certificate(view: &View<'_>) -> bool {
    ikev2::accepted(view.attempt).and_then(|round| round.response).is_some_and(|response| {
        response.carried.iter().any(|payload| {
            payload.payload_type == CERTREQ || matches!(payload.detail, PayloadDetail::Certificate { .. })
        })
    })
}

/// Whether the request is too short to have one.
fn lacks_certificate(view: &View<'_>) -> bool {
    let request = view.message(Label::AUTH_REQ);
    let plain = request.zip(Suite::chosen(view.attempt)).and_then(|(request, suite)| suite.plain_of(request));
    plain.is_some_and(|(_, most)| most < LEAST_CERTIFICATE)
}

/// Requests of IKE_AUTH that were accepted, by who sent them and how long they were: when the first of each was sent.
struct Accepted {
    first: BTreeMap<(IpAddr, u16, u32), Timestamp>,
    /// The last packet of ESP or AH.
    traffic: Option<Timestamp>,
}

impl Accepted {
    /// Of this pair.
    fn of(case: &Case<'_>) -> Self {
        let mut first = BTreeMap::new();
        for (_, view) in ikev2::attempts(case).filter(|(_, view)| view.authenticated() == Some(true)) {
            let Some((key, sent)) = Self::key(&view) else { continue };
            let at = first.entry(key).or_insert(sent);
            *at = sent.min(*at);
        }
        Self { first, traffic: case.pair.flows.iter().map(|flow| flow.last).max() }
    }

    /// How much likelier a change is if one like that of this attempt was accepted before it. Beside SAs that stay in use this may be
    /// about another connection.
    fn before(&self, view: &View<'_>) -> Option<f32> {
        let (key, sent) = Self::key(view)?;
        self.first.get(&key).filter(|first| **first < sent)?;
        let goes_on = self.traffic.is_some_and(|last| last > sent.after(AT_ONCE));
        Some(if goes_on { 10.0 } else { 60.0 })
    }

    /// Behind one NAT there may be several, each with a port of its own.
    fn key(view: &View<'_>) -> Option<((IpAddr, u16, u32), Timestamp)> {
        let request = view.message(Label::AUTH_REQ)?;
        let port = nat::last_port(view).filter(|&port| nat::of_two_clients(port, NAT_T)).unwrap_or(NAT_T);
        Some(((view.attempt.initiator.ip(), port, request.length), request.at))
    }
}

/// What the request, IKE_SA_INIT and NAT detection say for and against causes. `accepted`: how much likelier a
/// change is, as one as long was accepted before.
fn weighed(view: &View<'_>, found: Match, accepted: Option<f32>) -> Match {
    // Then neither a shared key nor a certificate proves who it is (RFC 5723 §4.3.3).
    let resumed = ikev2::went_along(view).is_some_and(|answer| answer.label == Label::SESSION_RESUME_RSP);
    if resumed {
        return found.weigh("resumed", 40.0).rule_out(&["key", "certificate", "method", "translated", "changed"]);
    }
    let mut found = found.rule_out(&["resumed"]);
    if let Some(changed) = accepted {
        found.seen.push_str("; an IKE_AUTH request of the same length from there was accepted before");
        let before = ["key", "identity", "translated", "certificate", "method"];
        found = before.into_iter().fold(found, |found, cause| found.weigh(cause, 0.3)).weigh("changed", changed);
    } else {
        found = found.rule_out(&["changed"]);
    }
    let found = match (holds_certificate(view), asks_certificate(view)) {
        (true, _) => found.weigh("certificate", 8.0).weigh("method", 2.0).weigh("key", 0.1),
        // Who knows an authority asks for its certificates, whatever this peer is to prove itself by.
        (false, true) if lacks_certificate(view) => {
            found.seen.push_str("; the responder asks for a certificate, and AUTH-REQ has no room for one");
            found.weigh("certificate", 0.1).weigh("method", 8.0)
        }
        // A signature without its certificate is longer than what a key makes, as many proposals are.
        (false, true) => found.weigh("certificate", 2.5).weigh("key", 0.6),
        (false, false) => {
            let proves_by_key = if lacks_certificate(view) { 0.1 } else { 0.6 };
            found.weigh("certificate", proves_by_key).weigh("method", 0.6)
        }
    };
    match view.attempt.nat.behind(Side::Initiator) {
        Some(true) => found.weigh("translated", 4.0),
        Some(false) => found.rule_out(&["translated"]),
        None => found,
    }
}
