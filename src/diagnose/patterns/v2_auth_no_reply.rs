//! V2-AUTH-NO-REPLY: IKE_AUTH gets no answer.

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::track::{Label, Side};

use super::ikev2::{self, AUTH};

/// A datagram longer than this may need fragments somewhere on the path: the least MTU of IPv6 (RFC 8200 §5), headers off.
const FITS_EVERYWHERE: u32 = 1280 - 40 - 8 - 4;

pattern! {
    /// ## What is seen
    ///
    /// IKE_SA_INIT is answered; the IKE_AUTH request is sent again and again and draws no response.
    ///
    /// ## What it means
    ///
    /// The two ends can talk, and this message or its answer is lost, or the responder drops it in silence. IKE_AUTH differs
    /// from what went before in two ways: it often moves to UDP 4500, and it is often much longer (certificates).
    ///
    /// ## Look-alikes
    ///
    /// - `N-PORT4500`: the request moved to 4500 and nothing ever comes back there.
    /// - `F-IKE-FRAG-LOST`, `F-SKF-INCOMPLETE`: fragments of the request do not arrive.
    /// - `V2-AUTH-FAIL`: most responders do answer when they refuse.
    V2_AUTH_NO_REPLY = "V2-AUTH-NO-REPLY", IkeV2, Error;
    title: "IKE_AUTH gets no answer";
    causes: [
        "port-4500" 0.50 "UDP 4500 is blocked, or not forwarded to the responder",
            raised by "the request went to 4500, IKE_SA_INIT to 500, and nothing came from 4500", lowered by "the request stayed on the port that works";
        "fragments" 0.30 "IP fragments of the request or of its answer are dropped on the way",
            raised by "a request above 1200 octets or in IP fragments; ICMP fragment reassembly time exceeded", lowered by "a short request in one packet";
        "silent" 0.20 "the responder refuses in silence, or fails on the message",
            raised by "a short request on the port that works", lowered by "the responder is known to answer refusals";
    ];
    checks: [
        Path: "open and forward UDP 4500 both ways, on every filter and NAT between the two";
        Either: "enable IKE fragmentation (RFC 7383); shorten the certificate chain";
        Responder: "look in its log whether the IKE_AUTH request arrives, and what it makes of it";
    ];
    logs: [
        "libreswan": "Possible authentication failure: no acceptable response to our first encrypted message" ("libreswan source");
        "strongSwan": "sending retransmit of request with message ID 1 / giving up after 5 retransmits" ("strongSwan source");
        "Algo VPN": "fails after 5 transmission attempts" ("trailofbits/algo issue 799");
    ];
    sources: ["RFC 7296 §2.1", "RFC 7296 §2.4", "RFC 7296 §2.23", "RFC 7383 §1"];
    when: V2_UNPROVEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if ikev2::refused_by_icmp(case) {
        return Vec::new();
    }
    let found = ikev2::never_authenticated(case).filter_map(|(index, view)| no_answer(index, &view)).collect();
    ikev2::tempered(case, found)
}

fn no_answer(index: usize, view: &View<'_>) -> Option<Match> {
    let mut exchanges = view.auth_exchanges();
    let exchange = exchanges.next()?;
    if exchanges.next().is_some() || view.message(Label::Response(AUTH)).is_some() {
        return None;
    }
    let unanswered = ikev2::unanswered(view, exchange)?;
    let request = unanswered.request;
    let answered = ikev2::accepted(view.attempt).and_then(|round| round.response)?;
    let moved = request.destination.port() != answered.source.port();
    let fragmented = request.ip_fragments > 1 || (request.ike_fragments < 2 && request.length > FITS_EVERYWHERE);
    let heard_there = view
        .messages()
        .any(|message| message.from == Side::Responder && message.source.port() == request.destination.port());
    let mut seen = format!("IKE_AUTH {}", unanswered.in_vain());
    if moved {
        seen.push_str(&format!(
            "; it went to port {}, IKE_SA_INIT to {}",
            request.destination.port(),
            answered.source.port()
        ));
    }
    if request.ip_fragments > 1 {
        seen.push_str(&format!("; its {} octets travel in {} IP fragments", request.length, request.ip_fragments));
    }
    let mut found = Match::on(index, unanswered.confidence)
        .seen(seen)
        .means("the responder answers IKE_SA_INIT and not this: the message is lost, or dropped without a word")
        .settle("a capture on the responder's outside tells whether the request arrives whole")
        .frames([answered.frame])
        .frames(view.frames(request));
    found = if moved && !heard_there { found.weigh("port-4500", 1.5) } else { found.weigh("port-4500", 0.05) };
    found = found.weigh(
        "fragments",
        match (request.ip_fragments > 1, fragmented) {
            (true, _) => 5.0,
            (false, true) => 2.5,
            (false, false) => 0.2,
        },
    );
    Some(found)
}
