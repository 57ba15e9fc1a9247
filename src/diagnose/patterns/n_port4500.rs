//! N-PORT4500: the negotiation stops where it moves to UDP 4500.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{AT_ONCE, Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::unheard::Unheard;
use crate::diagnose::words::{span, times, until};
use crate::diagnose::{Confidence, Severity};
use crate::packet::Encapsulation;
use crate::track::{EspFlow, IcmpAbout, Label, MessageRecord, Mode, Move, Side};

use super::phase1::Method;
use super::{fragments, ikev2, nat, p1_xauth, phase1, traffic, v2_auth_fail, v2_auth_no_reply, v2_init_no_auth};

/// Attempts before one that are looked at.
const EARLIER: usize = 16;

pattern! {
    /// ## What is seen
    ///
    /// Messages on UDP 500 go both ways. The next message is sent on UDP 4500, again and again, and nothing ever comes back
    /// on 4500. At the other end it looks like this: NAT is detected, the answer on 500 leaves, and the message that has to
    /// come on 4500 never does. Or that message comes, its answer on 4500 leaves, and the message goes on all the same.
    ///
    /// ## What it means
    ///
    /// UDP 4500 does not pass between the two, in one direction or both. IKEv2 may move to 4500 without any NAT (MOBIKE does
    /// so; turned off, IKE stays on 500), so tunnels without a NAT can be hit too. In IKEv1 a responder that stays silent about
    /// a wrong key looks the same when it is reached on 4500; what it sends after the first message on 4500 tells the two
    /// apart.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-PSK`: an encrypted answer comes back, even from port 500: message 5 did arrive.
    /// - `P1-AUTH-SILENT`, `V2-AUTH-NO-REPLY`: the responder got it and says nothing.
    /// - `F-IKE-FRAG-LOST`: the message on 4500 is large, and its fragments are lost.
    N_PORT4500 = "N-PORT4500", Path, Error;
    title: "the negotiation stops where it moves to UDP 4500";
    causes: [
        "forward" 0.087 "the NAT in front of the responder does not forward UDP 4500",
            raised by "NAT detection: the responder is behind one", lowered by "NAT detection: it is not";
        "blocked" 0.385 "UDP 4500 is filtered on the way",
            raised by "nothing ever comes from the peer on 4500; other peers fail there too", lowered by "any packet from the peer on 4500";
        "secret" 0.288 "the packet arrives, and the responder stays silent because the pre-shared keys or identities differ",
            raised by "the responder repeats its last message on 500; earlier tries failed the same way on 500", lowered by "other authentication than a shared key; earlier success";
        "refused" 0.019 "the packet arrives, and the responder does not accept the certificate, signature or identity, without a word",
            raised by "a signature method of IKEv1", lowered by "a pre-shared key method; earlier success";
        "pieces" 0.019 "the message is the first large one, and a fragment of it, of IP or of IKE, is lost on the way",
            raised by "the message goes in IKE fragments; a certificate is due in it", lowered by "a small message";
        "answer" 0.010 "the answer is large, for its certificates, and its IP fragments are lost on the way back",
            raised by "certificates are asked for, and one end does not announce IKE fragmentation", lowered by "a pre-shared key; IKE fragmentation on both ends";
        "filter" 0.096 "the capture leaves UDP 4500 out",
            raised by "nothing at all is on UDP 4500", lowered by "anything on UDP 4500";
        "natt" 0.077 "NAT traversal is on at one end where the path or the other end does not do it",
            raised by "both announce it and no NAT is there", lowered by "a NAT is detected";
        "stopped" 0.019 "the initiator stopped by itself: it has no key for the responder, or does not accept what that chose, announces or lacks",
            raised by "the capture is on the initiator's side of its NAT, and it begins anew", lowered by "anything of it on UDP 4500";
    ];
    checks: [
        Responder: "capture on its outside and see whether the message on 4500 arrives" about "forward" "secret" "refused";
        Initiator: "read its log: whether the answer arrives, and what it makes of it" about "stopped";
        Path: "permit UDP 4500 both ways";
        Path: "forward UDP 4500 to the responder wherever UDP 500 is forwarded" about "forward";
        Either: "capture with a filter that names both ports: udp port 500 or udp port 4500 or esp" about "filter";
        Either: "turn on IKE fragmentation; where it is on, make its fragments smaller, 1200 octets or less" about "pieces" "answer";
        Either: "compare the pre-shared keys and identities; the responder's log tells what it refuses" about "secret";
        Either: "compare the authority that the responder trusts, validity and names of the certificate; its log tells what it refuses" about "refused";
        Either: "if there is no NAT, NAT traversal can be turned off" about "natt";
    ];
    logs: [
        "Cisco ASA": "MM_WAIT_MSG5/6: NAT-T on and should be off" ("S2S-23, S2S-25") about "natt";
        "Windows": "Error 809: UDP 500 and 4500 must be open and forwarded" ("Microsoft RAS error documentation");
    ];
    sources: ["S2S-09", "S2S-23", "S2S-25", "RFC 3947 §4", "RFC 7296 §2.23"];
    misses: SetUp;
    lost: "forward" "blocked" "pieces" "natt", or its answer: "blocked" "answer";
    when: DOWN, REPEATS, V1_UNUSED;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    if case
        .pair
        .icmp_errors
        .iter()
        .any(|error| matches!(error.about, IcmpAbout::Isakmp { destination_port: nat::NAT_T, .. }))
    {
        return Vec::new();
    }
    let last_up = traffic::last_up(case).map(|(up, ..)| up);
    case.attempts()
        .filter(|(index, view)| view.shows_set_up() && !view.one_sided() && !case.overcome(*index))
        .filter_map(|(index, view)| match view.attempt.phase1_up {
            None => sent(case, index, &view).or_else(|| awaited(case, index, &view)),
            // for the initiator, if message 3 of Aggressive Mode does not arrive, or what the gateway asks behind it does not
            Some(_) if phase1::message_3_ignored(&view).is_some() => sent(case, index, &view),
            Some(_) if p1_xauth::is_unasked(&view) && last_up < Some(index) => sent(case, index, &view),
            Some(_) => unheard(case, index, &view),
        })
        .collect()
}

/// A message went out on 4500 and nothing came back there.
fn sent(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let attempt = view.attempt;
    // An Informational of IKEv1 asks for no answer (RFC 2409 §5.7).
    let asks = |message: &&MessageRecord| message.from == Side::Initiator && message.label != Label::Inf;
    let first = view.messages().filter(asks).find(|message| nat::on_4500(message))?;
    let began_on_500 = attempt.responder.port() != nat::NAT_T && view.heard(Side::Responder);
    // Past the move, whatever the responder says under encryption shows that it got the message.
    let answered = view.messages().any(|message| {
        message.from == Side::Responder && (nat::on_4500(message) || (message.encrypted && message.at >= first.at))
    });
    // Who repeats itself on 4500 has learnt from the message to move there.
    let mut moves = attempt.moves.iter().filter(|moved| moved.side == Side::Responder && moved.at >= first.at);
    let follows = moves.any(|moved| moved.to.port() == nat::NAT_T);
    let traffic = case.flows_from(attempt.responder.ip()).any(|flow| flow.last >= first.at);
    let waited = view.waited(first);
    // Of fragments that arrive only in part, those that are missing say more; that they arrive shows an open port.
    let in_part =
        first.ip_fragments > 1 || first.ike_fragments_missing.is_some() || points::lost_fragment(view, first).is_some();
    // Another capture may show that it arrives.
    let arrives = || speaks_on_4500(view) || points::arrives(view, first);
    if !began_on_500 || answered || follows || traffic || in_part || !waited.is_silence() || arrives() {
        return None;
    }
    let repeated =
        last_of(view, Side::Responder).filter(|message| message.repeats.iter().any(|repeat| repeat.at > first.at));
    let (over, since) = if waited.copies > 1 {
        (format!(" in {}", span(waited.over)), until(waited.after, "the last copy"))
    } else {
        (String::new(), until(waited.after, "it"))
    };
    let mut seen = format!(
        "{} went to UDP 4500 {}{over}; nothing came back on 4500 {since}, though UDP 500 was answered",
        first.label,
        times(waited.copies),
    );
    if let Some(message) = repeated {
        seen.push_str(&format!("; the responder went on repeating {} on UDP 500", message.label));
    }
    let elsewhere = elsewhere_on_4500(case);
    let mut found = Match::on(index, Confidence::Suspected)
        .seen(seen)
        .means("UDP 4500 does not pass, or the responder got the message and keeps silent about it")
        .frames(view.frames(first))
        .rule_out(&["stopped"])
        .settle("a capture on the responder's outside: if the message arrives there on UDP 4500, the path is fine");
    found = if first.ike_fragments > 1 { found.weigh("pieces", 15.0) } else { found.rule_out(&["pieces"]) };
    found = found.rule_out(&["filter"]);
    found = match (view.is_v2() && v2_auth_fail::holds_certificate(view), in_ip_fragments(view)) {
        (true, true) => found.weigh("answer", 50.0).rule_out(&["secret"]),
        (true, false) => found.rule_out(&["answer", "secret"]),
        (false, _) => found.rule_out(&["answer"]),
    };
    found = match phase1::method(view) {
        Method::Certificate | Method::Hybrid => found.rule_out(&["secret"]).weigh("refused", 10.0),
        _ => found.rule_out(&["refused"]),
    };
    if attempt.mode == Mode::Aggressive {
        // The initiator has checked the responder's proof.
        found = found.weigh("secret", 0.2).weigh("refused", 0.2);
    } else if repeated.is_some() {
        found = found.weigh("secret", 2.0).weigh("refused", 2.0);
    }
    if view.is_v2() {
        // NAT detection is part of IKEv2. Keys are compared in IKE_AUTH, and what is refused there is said aloud.
        found = found.rule_out(&["natt"]);
        found = if first.label == Label::AUTH_REQ { found.weigh("secret", 0.2) } else { found.rule_out(&["secret"]) };
    }
    if elsewhere {
        found = found.weigh("blocked", 0.6);
    }
    if points::answered_elsewhere(view, std::iter::once(first)).is_some() {
        found = found.rule_out(&["secret", "refused"]);
    }
    Some(of_nat(view, found))
}

/// Whether a large answer goes in fragments of IP: not both announce that they take those of IKE.
fn in_ip_fragments(view: &View<'_>) -> bool {
    ![Side::Initiator, Side::Responder].into_iter().all(|side| fragments::announced(view, side))
}

/// Whether the responder said something on 4500 in an attempt before this one.
fn speaks_on_4500(view: &View<'_>) -> bool {
    let responder = view.attempt.responder.ip();
    view.earlier(EARLIER).any(|before| {
        let moved = |moved: &Move| moved.to == SocketAddr::new(responder, nat::NAT_T);
        let sent = |message: &MessageRecord| message.source.ip() == responder && nat::on_4500(message);
        before.attempt.moves.iter().any(moved) || before.messages().any(sent)
    })
}

/// How long before this attempt another one came up over UDP 4500, after whose last answer its initiator went on: it passed both ways.
pub(super) fn passed_before(view: &View<'_>) -> Option<Duration> {
    let passed = view.earlier(EARLIER).filter_map(|before| {
        let up = before.tunnel_up().filter(|&up| up < view.attempt.first)?;
        let moved =
            |side| before.messages().any(|message| message.from == side && message.encrypted && nat::on_4500(message));
        let said = || before.messages().any(|message| message.from == Side::Initiator && message.at > up);
        let sent = || before.begun_from(up).any(|flow| flow.source == before.attempt.initiator.ip());
        (moved(Side::Initiator) && moved(Side::Responder) && (said() || sent())).then_some(up)
    });
    passed.max().map(|up| view.attempt.first.since(up))
}

/// Who fell silent on UDP 4500 and not on UDP 500, and when it was last heard there: its ESP answered and no longer does, and a message
/// that went there since has no answer either. What stops one of them stops all.
pub(super) fn fallen_silent(case: &Case<'_>) -> Option<(IpAddr, Timestamp)> {
    let faded = traffic::faded(case)?;
    let peer = faded.way.to;
    let in_udp = |flow: &&EspFlow| flow.encapsulation == Encapsulation::Udp;
    let answered = case.flows_from(peer).map(|flow| flow.last).max()?;
    let later = answered.after(AT_ONCE);
    let since = || {
        let attempts = case.attempts().filter(|(_, view)| view.attempt.last > later);
        attempts.flat_map(|(_, view)| view.messages()).filter(|message| message.last_sent() > later)
    };
    let on = |port: u16| since().any(|message| message.source == SocketAddr::new(peer, port));
    let in_vain = |message: &MessageRecord| {
        let asks = message.label != Label::Inf && message.repeat_count > 0;
        message.source.ip() != peer && message.at > later && nat::on_4500(message) && asks
    };
    let silent = faded.way.flows.iter().all(in_udp) && on(500) && !on(nat::NAT_T);
    (silent && since().any(in_vain)).then_some((peer, answered))
}

/// Whether the initiator goes on asking in spite of the answer: it has not got as far as moving.
fn asks_on(view: &View<'_>, answer: &MessageRecord) -> bool {
    let asked = match answer.label {
        Label::Mm(_) => view.message(Label::Mm(3)),
        _ => ikev2::accepted(view.attempt).and_then(|round| round.request),
    };
    asked.is_some_and(|asked| phase1::copies_in_spite_of(answer, asked).is_some())
}

/// The responder waits for the message that has to come on 4500.
fn awaited(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let owed = matches!(view.attempt.waiting_for, Some(Label::Mm(5) | Label::AUTH_REQ));
    let moved = view.messages().any(nat::on_4500);
    // A place that changes breaks the hashes as a NAT does, and fragments that are lost say more than this.
    if !owed || moved || !nat::detected(view) || !nat::rebound(view).is_empty() || !case.pair.incomplete.is_empty() {
        return None;
    }
    let answer =
        last_of(view, Side::Responder).filter(|message| matches!(message.label, Label::Mm(4) | Label::SA_INIT_RSP))?;
    if asks_on(view, answer) || v2_init_no_auth::bad_choice(view).is_some() {
        return None;
    }
    let waited = view.waited(answer);
    let watched = waited.over + waited.after;
    // A filter for UDP 4500 leaves a capture that ends here; so does a capture that was stopped too soon.
    let early = watched < PATIENCE;
    // at the other point nothing came either
    if early && points::passes(view, answer) {
        return None;
    }
    let found = Match::on(index, Confidence::Suspected)
        .seen(format!(
            "{} left the responder {}; NAT is detected, so the next message has to come on UDP 4500, and none came {}{}",
            answer.label,
            times(waited.copies),
            until(watched, "it"),
            if early { ", which is too early to call it a stop" } else { "" },
        ))
        .means(if early {
            "the negotiation goes on after the capture, or UDP 4500 does not get here"
        } else {
            "the initiator's message on UDP 4500 is lost before this point, or the initiator stopped by itself"
        })
        .frames(view.frames(answer))
        .rule_out(&["secret", "refused", "answer"])
        .settle("a capture on the initiator's outside: does it send on UDP 4500?");
    let certificate_due = match view.is_v2() {
        true => v2_auth_fail::asks_certificate(view),
        false => phase1::method(view) == Method::Certificate,
    };
    let found = match (certificate_due, in_ip_fragments(view)) {
        (true, true) => found.weigh("pieces", 15.0),
        (true, false) => found.weigh("pieces", 4.0),
        (false, _) => found.rule_out(&["pieces"]),
    };
    let none_elsewhere = case.survey.working_on_4500(case.facts).is_empty();
    let found = if none_elsewhere { found.weigh("filter", 3.0) } else { found.rule_out(&["filter"]) };
    // Before its own NAT there is little that can lose its message.
    let beside = view.attempt.nat.own_matches[Side::Initiator.index()] == Some(true)
        && view.attempt.nat.behind(Side::Initiator) == Some(true);
    let goes_on = points::answered_elsewhere(view, std::iter::once(answer)).is_some();
    let found = match (early || goes_on, beside) {
        (true, _) => found.rule_out(&["stopped"]),
        (false, true) => found.weigh("stopped", 40.0).weigh("blocked", 0.4).weigh("forward", 0.2),
        (false, false) => found.weigh("stopped", 8.0),
    };
    let found = of_nat(view, if view.is_v2() { found.rule_out(&["natt"]) } else { found });
    Some(if early { found.severity(Severity::Info) } else { found })
}

/// The answer leaves on 4500 for the first time, and the initiator goes on with what it answers.
fn unheard(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let Unheard { request, answer, copies, confidence } = view.set_up_unheard()?;
    let moved = answer.source.port() == nat::NAT_T && v2_auth_no_reply::first_on_its_port(view, answer);
    let later = case.came_up_after(view.attempt);
    // Of a large answer the size may be what does not get through.
    if !moved || later || answer.ip_fragments > 1 || answer.ike_fragments > 1 {
        return None;
    }
    let passed = passed_before(view);
    let found = Match::on(index, confidence.min(Confidence::Suspected))
        .seen(format!(
            "{} left the responder from UDP 4500 {}{}; {} came {} more in the {} after it; UDP 500 passed both ways{}",
            answer.label,
            times(u64::from(answer.repeat_count) + 1),
            if passed.is_none() { ", the first message to the initiator from there" } else { "" },
            request.label,
            times(copies as u64),
            span(request.last_sent().since(answer.at)),
            passed.map(|ago| format!(", and UDP 4500 did {} earlier", span(ago))).unwrap_or_default(),
        ))
        .means(match passed {
            None => "UDP 4500 gets to the responder and not back to the initiator",
            Some(_) => {
                "UDP 4500 gets to the responder and no longer back to the initiator: what stops it is new, a filter, or what a NAT \
                 makes of its mapping"
            }
        })
        .frames(view.frames(answer))
        .frames([request.frame])
        // It arrives, and is accepted.
        .rule_out(&["secret", "refused", "forward", "pieces", "answer", "filter", "stopped"])
        .settle("a capture on the initiator's outside: does anything arrive from UDP 4500?");
    Some(if nat::detected(view) || view.is_v2() { found.rule_out(&["natt"]) } else { found })
}

/// What NAT detection rules out.
fn of_nat(view: &View<'_>, found: Match) -> Match {
    let found = if nat::detected(view) { found.rule_out(&["natt"]) } else { found };
    match view.attempt.nat.behind(Side::Responder) {
        Some(true) => found.weigh("forward", 3.0),
        Some(false) => found.rule_out(&["forward"]),
        None => found,
    }
}

fn last_of<'a>(view: &View<'a>, side: Side) -> Option<&'a MessageRecord> {
    view.messages().filter(|message| message.from == side && !message.encrypted).max_by_key(|message| message.at)
}

/// Whether UDP 4500 works for another pair of this initiator.
fn elsewhere_on_4500(case: &Case<'_>) -> bool {
    case.survey
        .working_on_4500(case.facts)
        .iter()
        .filter(|&&index| index != case.index)
        .any(|&index| case.facts.pairs.ends(index).is_some_and(|(a, b)| [a, b].contains(&case.pair.a)))
}
