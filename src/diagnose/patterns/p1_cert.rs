//! P1-CERT: authentication by certificate fails.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, role, span, times};
use crate::track::{MessageRecord, Side};

use super::phase1::{self, Answer, Method, Standing, notify};

/// Octets of a message 5 with a certificate, at least: header, identity, a short certificate, and a signature of ECDSA (RFC 2408 §3.9,
/// RFC 4754).
const WITH_CERTIFICATE: u32 = 28 + 8 + 5 + 350 + 4 + 64;

pattern! {
    /// ## What is seen
    ///
    /// A signature method in message 2; message 5 carries a certificate and is large. Then an encrypted error from the
    /// responder instead of message 6; or, from either side, a notify in clear about certificates (types 19 to 22, 25, 28)
    /// where the other side may have sent a certificate, a signature or a request for a certificate.
    ///
    /// ## What it means
    ///
    /// The notify says which: INVALID-CERT-ENCODING (19), INVALID-CERTIFICATE (20), INVALID-SIGNATURE (25) are about what the
    /// other side sent; CERT-TYPE-UNSUPPORTED (21) and INVALID-CERT-AUTHORITY (22) may be about what it asked for, and
    /// CERTIFICATE-UNAVAILABLE (28) means that the sender of the notify has no certificate as it was asked for. Without a notify:
    /// The certificate, its signature or the identity in it is refused: an unknown or untrusted authority, an expired
    /// certificate, a name that does not fit, a revocation list that cannot be fetched, a clock that is wrong. A responder
    /// that wants another method for this peer answers the same.
    ///
    /// ## Look-alikes
    ///
    /// - `F-IKE-FRAG-LOST`, `P1-AUTH-SILENT`: message 5 travels in fragments, and the path drops them.
    /// - `P1-AUTH-REJECT`: the same with a pre-shared key.
    /// - `P1-INIT-REJECT`: the initiator refuses the responder's certificate, after message 6.
    /// - `P1-NOTIFY`: such a notify where a pre-shared key was agreed on, or nothing that it could be about was sent.
    P1_CERT = "P1-CERT", Phase1, Error;
    title: "authentication by certificate is refused";
    causes: [
        "trust" 0.33 "the issuing authority is not known or not trusted by the other side", raised by "newly installed authorities", lowered by "a certificate of the same side was accepted before";
        "dates" 0.19 "the certificate has expired, or a clock is wrong", raised by "it worked until some day", lowered by "newly issued";
        "name" 0.20 "the identity is not in the certificate, or not the expected one", raised by "INVALID-ID-INFORMATION", lowered by "";
        "method" 0.15 "the other side wants another method for this peer", raised by "several methods in the offer", lowered by "one method on both ends";
        "revocation" 0.10 "the certificate is revoked, or the revocation list cannot be fetched", raised by "a certificate of the same side was accepted before; DNS or HTTP of the gateway fails", lowered by "revocation is not checked";
        "none" 0.02 "the side that says so has no certificate of the type and authority that it was asked for", raised by "CERTIFICATE-UNAVAILABLE", lowered by "any other type";
        "not-sent" 0.01 "no certificate was sent, and the other side has neither a copy of it nor its public key",
            raised by "message 5 has no room for a certificate", lowered by "a long message 5";
    ];
    checks: [
        Either: "on the side that says so, install a certificate of an authority that the other side asks for" about "none";
        Initiator: "let it send its certificate, or give the responder a copy" about "not-sent";
        Either: "check the chain, dates, names, and the clock" about "trust" "dates" "name";
        Responder: "look in its log for the reason; check that the certificate is not revoked, and that it can fetch the revocation list";
        Either: "compare the authentication method that is set";
    ];
    logs: [
        "Cisco IOS": "MM_KEY_EXCH" ("CON-18");
        "Huawei": "52: form cert payload fail / 54: no valid local cert" ("Huawei ALM-303046755");
        "libreswan": "X509: authentication failed" ("libreswan source");
        "racoon": "no ID nor CERT found." ("racoon source");
        "Cisco ASA": "Received unexpected Certificate payload Possible invalid Auth Method / Unable to find the requested certificate" ("Cisco ASA syslog reference");
        "racoon": "the peer's certificate is not verified." ("racoon log");
        "racoon": "unable to get local issuer certificate(20) at depth:0" ("racoon log") about "trust";
        "racoon": "certificate has expired(10) at depth:0" ("racoon log") about "dates";
    ];
    sources: ["CON-18", "RFC 2408 §3.14.1", "RFC 2409 §5.1", "RFC 4945 §3.3"];
    misses: SetUp;
    when: V1 ERROR_NOTIFY, V1 DOWN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    phase1::attempts(case)
        .filter_map(|(index, view)| {
            let found = stated(index, &view).or_else(|| refused(index, &view))?;
            Some(found.severity(standing.severity(&view, P1_CERT.severity)))
        })
        .collect()
}

fn stated(index: usize, view: &View<'_>) -> Option<Match> {
    let (who, error) =
        [(Side::Responder, "responder"), (Side::Initiator, "initiator")].into_iter().find_map(|(side, who)| {
            let error = view.clear_errors(side).find(|error| speaks_of(view, error))?;
            Some((who, error))
        })?;
    let found = Match::on(index, Confidence::Stated)
        .seen(format!(
            "the {who} sent {} in clear, {}",
            phase1::notify_name(error.notify_message_type),
            times(view.times_said(&error)),
        ))
        .means(meaning(error.notify_message_type, who, role(error.message.from.other())))
        .frames([error.message.frame]);
    let found = found.rule_out(&["not-sent"]);
    Some(match error.notify_message_type {
        notify::CERTIFICATE_UNAVAILABLE => {
            found.rule_out(&["trust", "dates", "name", "revocation"]).weigh("none", 20.0)
        }
        _ => found.rule_out(&["none"]),
    })
}

/// Payloads that such a notify may be about: CERT, CR, SIG (RFC 2408 §3.1).
const ABOUT: [u8; 3] = [6, 7, 9];

/// An error about certificates where there may be one: no pre-shared key was agreed on, and the other side sent something before,
/// in phase 1, that holds a certificate, a signature or a request for a certificate, or is encrypted.
pub(super) fn speaks_of(view: &View<'_>, error: &ClearNotify<'_>) -> bool {
    let before = || view.messages().filter(|message| message.at <= error.message.at);
    let may_hold = |message: &MessageRecord| {
        message.encrypted || message.carried.iter().any(|payload| ABOUT.contains(&payload.payload_type))
    };
    notify::CERTIFICATE.contains(&error.notify_message_type)
        && phase1::method(view) != Method::SharedKey
        && before().any(|message| message.from != error.message.from && may_hold(message))
        && !before().any(|message| phase1::uses_phase_1(message.label))
}

/// What a notify about certificates says (RFC 2408 §5.9, §5.10, §5.12).
pub(super) fn meaning(said: u16, who: &str, other: &str) -> String {
    match said {
        19 => {
            format!("the {who} does not know the encoding of a certificate of the {other}, or of one that it asks for")
        }
        20 => format!("the {who} finds the certificate of the {other} invalid or badly formed"),
        21 => {
            format!("the {who} does not support the type of a certificate of the {other}, or of one that it asks for")
        }
        22 => {
            format!("the {who} does not take the authority of a certificate of the {other}, or of one that it asks for")
        }
        notify::CERTIFICATE_UNAVAILABLE => {
            format!("the {who} has no certificate of the type and authority that the {other} asks for")
        }
        _ => format!("the {who} finds the signature of the {other} wrong"),
    }
}

fn refused(index: usize, view: &View<'_>) -> Option<Match> {
    if phase1::method(view) != Method::Certificate {
        return None;
    }
    let (proof, answer) = phase1::answer_to_message_5(view)?;
    let (how, frame, at) = match &answer {
        Answer::Encrypted { messages, .. } => {
            let first = messages.first()?;
            let several = if messages.len() > 1 { ", the first" } else { "" };
            (number(messages.len() as u64, "encrypted Informational") + several, first.frame, first.at)
        }
        Answer::Clear(clear) => ("a message in clear".to_owned(), clear.frame, clear.at),
        Answer::Aside(_) | Answer::Silence(_) => return None,
    };
    let method = match phase1::named_method(view) {
        Method::Unknown if phase1::asks_for_certificate(view) => "a certificate was asked for in clear; MM5",
        Method::Unknown => "by the length of MM5 it holds a certificate; it",
        _ => "the method is a signature; MM5",
    };
    let pieces = proof.ip_fragments.max(proof.ike_fragments);
    let size = match pieces {
        0 | 1 => format!("{} octets", proof.length),
        _ => format!("{} octets in {pieces} fragments", proof.length),
    };
    let mut found = Match::on(index, Confidence::Suspected)
        .seen(format!(
            "{method} ({size}) arrived and was answered by {how} {} later, and no MM6",
            span(at.since(proof.at))
        ))
        .means("the responder refuses the certificate, the name in it, or certificates as such for this peer; a wrong pre-shared key is not the reason")
        .rule_out(&["none"])
        .frames([proof.frame, frame])
        .settle("the responder's log: why it refuses the certificate");
    if proof.length < WITH_CERTIFICATE {
        found.seen.push_str("; MM5 has no room for a certificate");
        found.means =
            "the responder refuses the signature, for which it has no certificate or another one, or the name, or signatures as such for this \
             peer; a wrong pre-shared key is not the reason"
                .into();
        found = found.weigh("not-sent", 60.0).weigh("trust", 0.2).weigh("dates", 0.2).weigh("revocation", 0.2);
    } else {
        found = found.rule_out(&["not-sent"]);
    }
    if let Some(before) = phase1::authenticated_before(view) {
        let ago = span(view.attempt.first.since(before));
        found.seen.push_str(&format!("; an attempt of the same initiator that began {ago} before was authenticated"));
        found.means =
            "the responder refuses now what it took before: most likely the certificate was revoked or has expired"
                .into();
        // Authority, name and method are what they were, if nobody changed a configuration.
        found = found
            .weigh("revocation", 4.0)
            .weigh("dates", 1.5)
            .weigh("trust", 0.3)
            .weigh("name", 0.3)
            .weigh("method", 0.2);
    }
    Some(found)
}
