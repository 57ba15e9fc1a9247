//! P1-AUTH-SILENT: the first encrypted message gets no answer.

use std::cell::LazyCell;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::waiting::Waited;
use crate::diagnose::words::{span, times};
use crate::track::{Label, MessageRecord, Side};

use super::phase1::{self, Answer, Method, Standing};
use super::{initial_contact, n_port4500, nat};

pattern! {
    /// ## What is seen
    ///
    /// Message 5, encrypted, is sent again and again; no message 6, no Informational, no ICMP error. Often the responder sends
    /// message 4 again in between.
    ///
    /// ## What it means
    ///
    /// With a pre-shared key, most responders drop a message 5 that they cannot decrypt without a word: the keys differ. A
    /// responder that repeats message 4 is alive, waits, and its packets get through. Behind a translation message 5 moves
    /// to UDP 4500, and then a filter there looks just the same. With certificates message 5 is large and travels in
    /// fragments, which get lost first.
    ///
    /// ## Look-alikes
    ///
    /// - `N-PORT4500`: nothing ever comes back on UDP 4500.
    /// - `F-IKE-FRAG-LOST`: fragments of message 5 are missing.
    /// - `P1-PSK`: the responder does answer, in a way that shows that the keys differ.
    P1_AUTH_SILENT = "P1-AUTH-SILENT", Phase1, Error;
    title: "message 5, the first encrypted one, gets no answer";
    causes: [
        "keys" 0.48 "the pre-shared keys differ, and the responder drops what it cannot decrypt",
            raised by "message 4 is repeated while message 5 keeps coming; several attempts end alike", lowered by "the same pair worked before";
        "port-4500" 0.15 "UDP 4500 is blocked or not forwarded",
            raised by "nothing comes from the peer on 4500, ever or since ESP of a tunnel stopped; other peers fail there too", lowered by "message 5 stays on port 500; packets from the peer on 4500 meanwhile";
        "lost" 0.10 "message 5, or its answer, is lost", raised by "message 4 is not repeated; other losses", lowered by "message 4 is repeated";
        "fragments" 0.05 "fragments of message 5, or of its answer, are lost", raised by "message 5 in IP fragments, or with certificates", lowered by "a small message 5";
        "identity" 0.12 "the responder refuses the identity without a word", raised by "NAT in front of a peer that is known by its address", lowered by "no NAT";
        "certificate" 0.08 "the responder refuses the certificate without a word", raised by "a certificate method, message 5 in one piece", lowered by "a pre-shared key method";
        "changed" 0.02 "what the responder accepted of the initiator before was changed on one side since: key, identity or certificate",
            raised by "an attempt of the same initiator was authenticated before", lowered by "none was";
    ];
    checks: [
        Either: "find out what was changed since the responder accepted this initiator, and on which side" about "changed";
        Either: "compare the pre-shared keys, and which key the responder selects for the address it sees" about "keys";
        Path: "follow message 5 to the responder and the answer back: filters, the return route, losses" about "lost";
        Path: "if message 5 went to UDP 4500, let it through, both ways, and forward it where the responder is behind a NAT" about "port-4500";
        Path: "let IP fragments through, or turn IKE fragmentation on; where it is on, make its fragments smaller" about "fragments";
        Responder: "look in its log for the identity it got, and for an error about a payload or decryption";
        Either: "compare the CA that the responder trusts, validity and names of the certificate" about "certificate";
    ];
    logs: [
        "Cisco ASA": "MM_WAIT_MSG5 / MM_WAIT_MSG6" ("S2S-22");
        "Cisco IOS": "MM_KEY_EXCH" ("CON-18");
        "libreswan": "Possible authentication failure: no acceptable response to our first encrypted message" ("libreswan source");
        "strongSwan": "giving up after … retransmits / establishing IKE_SA failed, peer not responding" ("strongSwan source");
        "strongSwan": "sending retransmit … of request message ID …, seq …" ("strongSwan log");
        "Fortinet": "sent IKE msg (P1_RETRANSMIT)" ("FortiOS debug notes");
        "Tencent": "retransmit IKEv1 Main Mode Initiator 5th message" ("Tencent Cloud doc 554/79960");
        "racoon, MikroTik": "phase1 negotiation failed due to time up." ("racoon source");
        "Cisco ASA": "Error processing payload: Payload ID" ("Cisco ASA syslog reference");
        "Cisco ASA": "group not found, using BASE GROUP default preshared key" ("Cisco ASA syslog reference");
        "SonicWALL": "Received packet retransmission. Drop duplicate packet" ("public forum log");
        "racoon": "No ID match. / Expecting IP address type in main mode, but FQDN." ("racoon log") about "identity";
    ];
    sources: [
        "PIX-01", "PIX-14", "S2S-04", "S2S-22", "S2S-24", "CON-18", "CON-28", "NIR-11", "RFC 2409 §5.4", "RFC 3947 §4",
    ];
    misses: SetUp;
    lost: "port-4500" "lost" "fragments", or its answer: "port-4500" "lost" "fragments";
    when: V1 DOWN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let closed = LazyCell::new(|| n_port4500::fallen_silent(case));
    phase1::attempts(case)
        .filter_map(|(index, view)| match phase1::answer_to_message_5(&view)? {
            (proof, Answer::Silence(waited)) => {
                let severity = standing.severity(&view, P1_AUTH_SILENT.severity);
                let responder = view.attempt.responder.ip();
                let before = |&(peer, since): &_| peer == responder && since < view.attempt.first;
                let closed = closed.filter(before).filter(|_| nat::on_4500(proof)).map(|(_, since)| since);
                Some(silent(case, index, &view, (proof, waited), closed).severity(severity))
            }
            _ => None,
        })
        .collect()
}

/// `closed`: since when nothing comes from UDP 4500 of the responder.
fn silent(
    case: &Case<'_>,
    index: usize,
    view: &View<'_>,
    (proof, waited): (&MessageRecord, Waited),
    closed: Option<Timestamp>,
) -> Match {
    let responder = view.attempt.responder.ip();
    let port = proof.destination.port();
    let moved = port == 4500;
    let waits = view.message(Label::Mm(4)).map_or(0, |fourth| phase1::repeats_after(fourth, proof.at));
    let from_responder = case.pair.sent.get(usize::from(responder != case.pair.a));
    let on_4500 = from_responder.is_some_and(|seen| seen.on_4500 > seen.keepalives);
    let pieces = proof.ip_fragments.max(proof.ike_fragments);

    let certainty = match waits {
        _ if !phase1::is_first_copy(view, proof) => Confidence::Suspected,
        0 => waited.certainty(),
        _ => Confidence::Inferred,
    };
    let mut found = Match::on(index, certainty).frames(view.frames(proof));
    found.seen = format!(
        "MM5 ({} octets, to UDP {port}) was sent {}; no MM6 and no error in the {} from the first copy to the end",
        proof.length,
        times(waited.copies),
        span(waited.over + waited.after),
    );
    if waits > 0 {
        found.seen.push_str(&format!("; the responder sent MM4 {} more meanwhile", times(waits as u64)));
    }
    let greets = initial_contact::of(view, Side::Responder).is_some();
    if greets {
        found.seen.push_str("; the one encrypted Informational that came right after it is as long as INITIAL-CONTACT");
    }
    match closed {
        Some(since) => found.seen.push_str(&format!(
            "; its UDP 4500 answered ESP until {} before, and nothing comes from there since, while UDP 500 answers",
            span(proof.at.since(since))
        )),
        None if !moved => {}
        None if on_4500 => found.seen.push_str("; other packets from it came on UDP 4500"),
        None => found.seen.push_str("; nothing at all came from it on UDP 4500"),
    }
    if pieces > 1 {
        let of = if proof.ip_fragments > 1 { "IP" } else { "IKE" };
        found.seen.push_str(&format!("; MM5 travels in {pieces} {of} fragments"));
    }
    found.means = match (phase1::method(view), moved) {
        _ if closed.is_some() => {
            "UDP 4500 does not get through any more, or the responder started anew, and keeps silent about what it refuses"
        }
        (Method::Certificate, _) => {
            "message 5, its answer or fragments of either are lost, or the responder refuses the certificate without a word"
        }
        (_, true) if !on_4500 => {
            "either UDP 4500 does not get through, or the keys differ and the responder is silent about it"
        }
        (Method::Unknown, _) if waits > 0 => {
            "the responder is alive and waits for a message 5 that it can decrypt: if the method is a pre-shared key, which was not seen, the keys most likely differ"
        }
        (_, _) if waits > 0 => {
            "the responder is alive and waits for a message 5 that it accepts: the keys differ, or it refuses the identity without a word"
        }
        _ => "message 5 or its answer is lost, or the keys differ and the responder is silent about it",
    }
    .into();
    if greets {
        found = found.weigh("fragments", 3.0).weigh("certificate", 0.5);
    }
    for (key, factor) in weights(view, moved, on_4500 && closed.is_none(), waits > 0, pieces > 1) {
        found = found.weigh(key, factor);
    }
    if closed.is_some() {
        found = found.weigh("port-4500", 6.0);
    }
    let found =
        phase1::weigh_change(view, found, if waits > 0 { 40.0 } else { 20.0 }, &["keys", "identity", "certificate"]);
    found.settle(if moved {
        "a capture on the responder's outside: whether message 5 arrives on UDP 4500"
    } else {
        "the responder's log, or a capture on its outside: whether message 5 arrives whole"
    })
}

/// The priors of the page are those of all cases together; these make them those of the case at hand.
fn weights(view: &View<'_>, moved: bool, on_4500: bool, waits: bool, pieces: bool) -> Vec<(&'static str, f32)> {
    let mut weights = match phase1::method(view) {
        Method::Certificate => vec![("keys", 0.0), ("certificate", 5.0), ("lost", 3.0), ("fragments", 3.0)],
        Method::SharedKey => vec![("certificate", 0.0)],
        _ => vec![("certificate", 0.05)],
    };
    weights.push(("port-4500", if moved { 3.5 } else { 0.0 }));
    if moved {
        weights.extend([("keys", 0.8), ("lost", 0.3), ("fragments", 0.3)]);
    }
    if on_4500 {
        weights.push(("port-4500", 0.1));
    }
    // Behind a translation a responder repeats message 4 in either case.
    match (waits, moved) {
        (true, false) => weights.extend([("keys", 1.5), ("identity", 1.5), ("lost", 0.5), ("fragments", 0.5)]),
        (true, true) => weights.extend([("keys", 1.5), ("port-4500", 0.75)]),
        // Neither sign that message 5 arrives and cannot be read: an error, or message 4 again.
        (false, false) => weights.push(("lost", 5.0)),
        (false, true) => {}
    }
    if pieces {
        weights.push(("fragments", 10.0));
    } else if phase1::method(view) == Method::SharedKey {
        weights.push(("fragments", 0.0));
    }
    if view.attempt.nat.behind(Side::Initiator) == Some(true) {
        weights.push(("identity", 1.5));
    }
    weights
}
