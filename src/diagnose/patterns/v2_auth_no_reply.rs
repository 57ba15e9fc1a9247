//! V2-AUTH-NO-REPLY: IKE_AUTH gets no answer, or none that arrives.

use std::time::Duration;

use crate::diagnose::Severity;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::sizes::{AuthAnswer, Suite};
use crate::diagnose::unheard::Unheard;
use crate::diagnose::words::{span, times};
use crate::packet::Encapsulation;
use crate::track::{Label, MessageRecord, Side};

use super::{f_pmtu, ikev2, n_port4500, nat, v2_auth_fail};

/// A datagram longer than this may need fragments somewhere on the path: the least MTU of IPv6 (RFC 8200 §5), headers off.
const FITS_EVERYWHERE: u32 = 1280 - 40 - 8 - 4;

pattern! {
    /// ## What is seen
    ///
    /// IKE_SA_INIT, or IKE_SESSION_RESUME, is answered; the IKE_AUTH request is sent again and again and draws no response. Or, beside the responder,
    /// the response leaves, and the request comes again and again all the same, and nothing else from the initiator.
    ///
    /// ## What it means
    ///
    /// The two ends can talk, and this message or its answer is lost, or the responder drops it in silence. IKE_AUTH differs
    /// from what went before in two ways: it often moves to UDP 4500, and it is often much longer (certificates). If the request
    /// goes on after its response, the IKE SA is up for the responder only: the response is lost, or, most likely if it is no longer
    /// than the one to IKE_SA_INIT and on the same ports, some initiators pass it over and ask again.
    ///
    /// ## Look-alikes
    ///
    /// - `N-PORT4500`: the request moved to 4500 and nothing ever comes back there.
    /// - `F-IKE-FRAG-LOST`, `F-SKF-INCOMPLETE`: fragments of the request do not arrive.
    /// - `V2-AUTH-INIT-REJECT`: most initiators say so when they refuse the answer, or begin anew.
    /// - `V2-AUTH-FAIL`: most responders do answer when they refuse. An initiator that does not take the refusal goes on with its
    ///   request, too.
    V2_AUTH_NO_REPLY = "V2-AUTH-NO-REPLY", IkeV2, Error;
    title: "no answer to IKE_AUTH arrives, or none is taken";
    causes: [
        "port-4500" 0.45 "UDP 4500 is blocked, or not forwarded to the responder",
            raised by "the request went to 4500, IKE_SA_INIT to 500, and nothing came from 4500", lowered by "the request stayed on the port that works";
        "fragments" 0.28 "IP fragments of the request or of its answer are dropped on the way",
            raised by "a request above 1200 octets or in IP fragments; ICMP fragment reassembly time exceeded", lowered by "a short request in one packet";
        "silent" 0.16 "the responder refuses in silence, or fails on the message",
            raised by "a short request on the port that works", lowered by "the responder is known to answer refusals";
        "path" 0.02 "the request is lost on its way: loss, or a filter that looks into it",
            raised by "a short request on the port that works", lowered by "a request in IP fragments";
        "return" 0.05 "the answer does not reach the initiator: a filter, a NAT or the route on its way back",
            raised by "the request comes again although its answer has left", lowered by "no answer is seen beside the responder; a longer one, to IKE_SA_INIT, arrived on the same ports";
        "taken" 0.04 "the initiator does not take the answer: not the identity or proof that it expects, not the child SA that it asked for, or a fault in reading it",
            raised by "a longer answer, to IKE_SA_INIT, arrived on the same ports", lowered by "no answer is seen";
    ];
    checks: [
        Path: "open and forward UDP 4500 both ways, on every filter and NAT between the two" about "port-4500";
        Path: "look for loss, and for a filter that drops these messages and lets those of IKE_SA_INIT through" about "path";
        Either: "enable IKE fragmentation (RFC 7383); shorten the certificate chain" about "fragments";
        Responder: "look in its log whether the IKE_AUTH request arrives, and what it makes of it" about "silent" "port-4500" "fragments";
        Initiator: "look in its log whether the answer arrives, and what it makes of it" about "silent" "path" "port-4500" "taken";
        Either: "compare the responder's identity and key with what the initiator expects" about "taken";
        Path: "follow the answer back to the initiator: filters for its port, address translation, the return route" about "return";
    ];
    logs: [
        "libreswan": "Possible authentication failure: no acceptable response to our first encrypted message" ("libreswan source");
        "strongSwan": "giving up after … retransmits / establishing IKE_SA failed, peer not responding" ("strongSwan source");
        "strongSwan": "retransmit … of request with message ID …" ("strongSwan log");
        "strongSwan": "received retransmit of request with ID …, retransmitting response" ("strongSwan log");
        "Algo VPN": "fails after 5 transmission attempts" ("trailofbits/algo issue 799");
    ];
    sources: ["RFC 7296 §2.1", "RFC 7296 §2.4", "RFC 7296 §2.23", "RFC 7383 §1"];
    misses: SetUp;
    lost: "path" "port-4500" "fragments" "return", or its answer: "fragments" "return";
    when: V2_UNPROVEN, V2 REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if ikev2::refused_by_icmp(case) {
        return Vec::new();
    }
    let found = ikev2::never_authenticated(case)
        .filter_map(|(index, view)| no_answer(index, &view).or_else(|| answer_lost(index, &view)))
        .collect();
    ikev2::tempered(case, found)
}

fn no_answer(index: usize, view: &View<'_>) -> Option<Match> {
    let mut exchanges = view.auth_exchanges();
    let exchange = exchanges.next()?;
    if exchanges.next().is_some() || view.message(Label::AUTH_RSP).is_some() {
        return None;
    }
    let unanswered = ikev2::unanswered(view, exchange)?;
    let request = unanswered.request;
    let answered = ikev2::went_along(view)?;
    let before = if answered.label == Label::SA_INIT_RSP { "IKE_SA_INIT" } else { "IKE_SESSION_RESUME" };
    let moved = request.destination.port() != answered.source.port();
    let fragmented = request.ip_fragments > 1 || (request.ike_fragments < 2 && request.length > FITS_EVERYWHERE);
    let heard_there = view
        .messages()
        .any(|message| message.from == Side::Responder && message.source.port() == request.destination.port());
    let mut seen = format!("IKE_AUTH {}", unanswered.in_vain());
    if moved {
        seen.push_str(&format!(
            "; it went to port {}, {before} to {}",
            request.destination.port(),
            answered.source.port()
        ));
    }
    if let Some(ago) = n_port4500::passed_before(view).filter(|_| nat::on_4500(request)) {
        seen.push_str(&passed(ago));
    }
    if request.ip_fragments > 1 {
        seen.push_str(&format!("; its {} octets travel in {} IP fragments", request.length, request.ip_fragments));
    }
    let mut found = Match::on(index, unanswered.confidence)
        .seen(seen)
        .means(if f_pmtu::about_ike(view.case) {
            format!("the responder answers {before} and not this: the message is too large for a link on the path")
        } else if points::passes(view, request) {
            format!(
                 "the responder answers {before} and not this, which passes both points: it drops it without a word, or does not get it even so"
             )
        } else {
            format!("the responder answers {before} and not this: the message is lost, or dropped without a word")
        })
        .rule_out(&["taken"])
        .settle("a capture on the responder's outside tells whether the request arrives whole")
        .frames([answered.frame])
        .frames(view.frames(request));
    if points::answered_elsewhere(view, std::iter::once(request)).is_some() {
        found = found.rule_out(&["silent", "path"]).weigh("return", 8.0);
    }
    // Who sends ESP has accepted the request.
    let accepted = view.case.flows_from(view.attempt.responder.ip()).find(|flow| flow.first >= request.at);
    if let Some(flow) = accepted {
        found.seen.push_str(&format!("; ESP from {} comes meanwhile", flow.source));
        found.means =
            "the responder got the request and accepted it, as its ESP shows: its answer is lost on its way back"
                .into();
        found = found.rule_out(&["silent"]).weigh("return", 30.0);
    }
    let in_udp = accepted.is_some_and(|flow| flow.encapsulation == Encapsulation::Udp);
    found = match (moved, heard_there || in_udp) {
        _ if in_udp => found.rule_out(&["port-4500"]),
        (true, false) => found.weigh("port-4500", 1.5),
        (true, true) => found.weigh("port-4500", 0.05),
        (false, _) => found.rule_out(&["port-4500"]),
    };
    Some(match (request.ip_fragments > 1, fragmented) {
        (true, _) => found.weigh("fragments", 5.0),
        (false, true) => found.weigh("fragments", 2.5),
        // Without a certificate the answer is short, too.
        (false, false) if !v2_auth_fail::holds_certificate(view) => found.rule_out(&["fragments"]).weigh("path", 8.0),
        (false, false) => found.weigh("fragments", 0.2).weigh("path", 4.0),
    })
}

/// The answer leaves, and the request comes all the same.
fn answer_lost(index: usize, view: &View<'_>) -> Option<Match> {
    let Unheard { request, answer, copies, confidence } = view.set_up_unheard()?;
    let open = goes_an_open_way(view, answer);
    let asks_child =
        || Suite::chosen(view.attempt).and_then(|suite| suite.asks_no_child(request, answer)) == Some(false);
    // V2-CHILD-REJECT says what it does not take.
    let told = view.auth_answer() == Some(AuthAnswer::NoChild) && asks_child() && open;
    let fragmented = answer.ip_fragments > 1;
    let pieces = match (answer.ip_fragments, answer.ike_fragments) {
        (ip @ 2.., _) => format!(", in {ip} IP fragments"),
        (_, ike @ 2..) => format!(", in {ike} IKE fragments"),
        _ => String::new(),
    };
    let first_there = first_on_its_port(view, answer);
    let mut seen = format!(
        "AUTH-RSP ({} octets{pieces}) was sent {}; the initiator goes on with AUTH-REQ, {} more in the {} after it, and sends \
         nothing else",
        answer.length,
        times(u64::from(answer.repeat_count) + 1),
        times(copies as u64),
        span(request.last_sent().since(answer.at)),
    );
    match n_port4500::passed_before(view).filter(|_| nat::on_4500(answer)) {
        Some(ago) => seen.push_str(&passed(ago)),
        None if first_there => {
            let port = answer.source.port();
            seen.push_str(&format!("; it is the first message to the initiator from UDP {port}"));
        }
        None => {}
    }
    let found = Match::on(index, confidence)
        .seen(seen)
        .means(if open {
            "the answer does not reach the initiator, or it does not take it (the longer answer to IKE_SA_INIT reached it on the same \
             ports): the IKE SA is up for the responder and not for the initiator"
        } else {
            "the answer does not reach the initiator, or it does not take it: the IKE SA is up for the responder and not for the \
             initiator"
        })
        .settle("a capture on the initiator's outside tells whether the answer arrives whole")
        .frames(view.frames(answer))
        .frames([request.frame])
        .rule_out(&["silent", "path"])
        .rule_out(if first_there { &[] } else { &["port-4500"] })
        .rule_out(if fragmented { &[] } else { &["fragments"] })
        .weigh("return", 8.0)
        .weigh("taken", if open { 10.0 } else { 2.0 })
        .weigh("fragments", 5.0);
    Some(if told { found.severity(Severity::Notice) } else { found })
}

fn passed(ago: Duration) -> String {
    format!("; UDP 4500 passed both ways {} earlier, so what stops it is new", span(ago))
}

/// Whether an answer goes, in one piece, the way on which a longer one, to IKE_SA_INIT, got to the initiator.
fn goes_an_open_way(view: &View<'_>, answer: &MessageRecord) -> bool {
    let way = |message: &MessageRecord| (message.source, message.destination);
    let arrived = |message: &MessageRecord| message.label == Label::SA_INIT_RSP && message.length >= answer.length;
    let in_one_piece = answer.ip_fragments < 2 && answer.ike_fragments < 2;
    in_one_piece && view.messages().any(|message| arrived(message) && way(message) == way(answer))
}

/// Whether nothing came from the responder from the port of `answer` before it, and something from another.
pub(super) fn first_on_its_port(view: &View<'_>, answer: &MessageRecord) -> bool {
    let mut before = view.messages().filter(|message| message.from == answer.from && message.at < answer.at).peekable();
    before.peek().is_some() && before.all(|message| message.source.port() != answer.source.port())
}
