//! P1-XAUTH: extended authentication or Mode Config stalls.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{Content, Padding, V1Suite};
use crate::diagnose::unheard::Unheard;
use crate::diagnose::words::{number, role, span, times, until};
use crate::diagnose::{Confidence, Severity};
use crate::track::{EspFlow, Exchange, ExchangeKind, Label, MessageRecord, Side};

use super::informational::answer_within;
use super::nat;
use super::p1_init_reject;
use super::phase1::{self, Habits};
use super::{traffic, v2_auth_no_reply};

/// A user needs this long to type a password; a tunnel needs less to go on after it.
const USER: Duration = Duration::from_secs(30);
/// NAT keepalives come 20 s after what was sent before, if nobody says otherwise (RFC 3948 §4).
const KEEPALIVE: Duration = Duration::from_secs(15);
/// So many attempts before one are looked at.
const LOOKED_BACK: usize = 8;
/// Octets of an attributes payload with one IPv4 address (draft-dukes-ike-mode-cfg-02 §3.2).
const ONE_ADDRESS: u32 = 8 + 8;
/// Quick Mode follows a finished Transaction sooner than this.
const GOES_ON: Duration = Duration::from_secs(5);

pattern! {
    /// ## What is seen
    ///
    /// Phase 1 complete, then Transaction exchanges (type 6, encrypted), and no Quick Mode: they stop, repeat, or end in a
    /// delete.
    ///
    /// ## What it means
    ///
    /// The gateway asks the user for name and password (XAUTH), or hands out an address (Mode Config), and that does not come
    /// to an end. Two exchanges and nothing more is what a wrong password looks like: question and answer, then verdict
    /// and acknowledgement. A question that is never answered: the client does not know XAUTH, or its user is still typing. A
    /// request of the client that is never answered: the gateway has no address to hand out; one that is answered, and the client says
    /// something in an Informational at once: it is handed out no address, or does not accept what it is handed out. A client that was refused ends the SA or begins
    /// anew; one that keeps it, with NAT keepalives, waits for Mode Config. Between two gateways it should not happen at all.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-UP-NO-P2`: no Transaction exchange either.
    /// - `P1-AUTH-REJECT`: some gateways that want XAUTH refuse message 5 of a peer that does not offer it.
    P1_XAUTH = "P1-XAUTH", Phase1, Warning;
    title: "extended authentication (XAUTH) or mode config does not finish";
    causes: [
        "password" 0.46 "user name or password is wrong, or the user may not use this group",
            raised by "exactly two exchanges and then nothing, or a delete", lowered by "a question that is never answered";
        "address" 0.05 "the gateway does not hand out an address: its pool is empty or missing, Mode Config is off for this client, or each side waits for the other to begin it (push against pull)",
            raised by "the client's own request is not answered, or its answer is not accepted; the client keeps the SA and says nothing", lowered by "the gateway's question is not answered";
        "server" 0.19 "the gateway's user directory (RADIUS, LDAP) does not answer", raised by "long gaps between the messages", lowered by "quick answers";
        "peer" 0.18 "a gateway treats another gateway as a client: XAUTH or Mode Config is on by mistake",
            raised by "a site-to-site peer; a question that is never answered", lowered by "a client";
        "user" 0.08 "the user is still typing, or gave up", raised by "tens of seconds of silence", lowered by "an automatic client";
        "lost" 0.02 "questions or answers do not reach the other side: loss, a filter, or a route",
            raised by "the same question comes again although it was answered; the client goes on with the message before it", lowered by "the questions differ";
        "answer" 0.01 "the client does not accept what it is handed out: address, networks, or another attribute of the answer",
            raised by "an Informational of the client at once after the answer", lowered by "no request of the client";
        "unasked" 0.01 "the gateway's question is lost on its way, or the gateway does not ask", raised by "a method with XAUTH and no Transaction", lowered by "a question is seen";
    ];
    checks: [
        Initiator: "look in its log for what it does not accept in the answer (Mode Config)" about "answer";
        Responder: "check the address, networks and other attributes that it hands out to this client" about "answer";
        Initiator: "check user name, password and group" about "password" "server" "user";
        Responder: "look in its log at that time: the user's name, the directory's answer" about "password" "server" "user" "peer";
        Responder: "for a site-to-site peer, turn XAUTH and Mode Config off for its address" about "peer";
        Responder: "check its address pool, and that Mode Config is set up for this client, as push or pull as the client has it" about "address";
        Path: "follow the questions and the answers on their way: filters for their port, address translation, the route" about "lost";
        Path: "follow the gateway's first message after phase 1 on its way: filters, address translation, the route" about "unasked";
        Either: "look in both logs at that time: what was asked last, and who waits for what";
    ];
    logs: [
        "Cisco PIX": "Reserved Not Zero on Payload 8" ("PIX-15");
        "Check Point": "Client Encryption: User Unknown" ("PIX-42");
        "racoon": "Attempt to start phase 2 whereas Xauth failed" ("racoon source");
        "Cisco ASA": "Xauth required but selected Proposal does not support xauth" ("Cisco ASA syslog reference");
        "Cisco ASA": "Remote peer has failed user authentication - check configured username and password" ("Cisco ASA syslog reference");
        "Cisco ASA": "Received unexpected Transaction Exchange payload type" ("Cisco ASA syslog reference");
        "racoon": "Xauth authentication failed / Hybrid auth negotiated but peer did not succeed Xauth exchange" ("racoon log");
        "strongSwan": "XAuth authentication of '…' failed" ("strongSwan log") about "password" "server";
        "vpnc": "authentication unsuccessful" ("vpnc log") about "password" "server";
        "Shrew": "user authentication error / user … authentication failed" ("Shrew log") about "password" "server";
    ];
    sources: ["PIX-15", "PIX-42", "draft-beaulieu-ike-xauth-02 §3", "draft-dukes-ike-mode-cfg-02 §3"];
    when: V1 RARE_EXCHANGE, V1_UNUSED;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let latest = Habits::of(case).latest();
    let last_up = traffic::last_up(case);
    phase1::attempts(case)
        .filter_map(|(index, view)| {
            let quick = view.messages().any(|message| matches!(message.label, Label::Qm(_)));
            if quick && !quick_mode_too_early(&view) || p1_init_reject::refusal(&view).is_some() {
                return None;
            }
            // What was made good since is history.
            let overcome = last_up.is_some_and(|(up, other, _)| up > index && !is_of_another_client(&view, &other));
            let recalled = |found: Match| if overcome { found.severity(Severity::Notice) } else { found };
            if is_unasked(&view) {
                return Some(recalled(unasked(index, &view)));
            }
            if let Some(unheard) = view.set_up_unheard().filter(|unheard| unheard.answer.label == Label::Tr(1)) {
                return Some(recalled(not_heard(index, &view, unheard)));
            }
            let transactions = || view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::Transaction);
            let count = transactions().count() as u64;
            let last = transactions().flat_map(|exchange| &exchange.messages).max_by_key(|message| message.at)?;
            let asked = transactions().next_back()?;
            let answered = is_answered(asked);
            let copied = last.repeats.iter().map(|repeat| repeat.at).max().unwrap_or(last.at);
            let quiet = case.end().since(copied);
            let ended = [Side::Initiator, Side::Responder]
                .into_iter()
                .flat_map(|side| phase1::encrypted_informationals(&view, side))
                .find(|message| message.at >= last.at);
            let begins_anew = latest.is_some_and(|latest| latest > copied);
            let patience = if answered { GOES_ON } else { USER };
            let settled = case.both_ways() && (quiet >= patience || ended.is_some() || begins_anew);
            // Phase 1 anew, beside SAs that are still in use: phase 2 is not due yet.
            let left = ended.is_some_and(|message| message.at.since(copied) <= GOES_ON);
            if answered && !left && !begins_anew && goes_on_elsewhere(&view, copied) {
                return None;
            }
            let asked_by = role(asked.started_by);
            let asked_by_client = asked.started_by == Side::Initiator;
            // Both ends do XAUTH then.
            let agreed = phase1::wants_xauth(&view);
            // The verdict is the gateway's second question; who reads in it that he is refused may leave without acknowledging it.
            let answered_before = || {
                transactions()
                    .filter(|exchange| exchange.started_by == asked.started_by && !std::ptr::eq(*exchange, asked))
                    .any(is_answered)
            };
            let told = !answered && !asked_by_client && (ended.is_some() || begins_anew) && falls_silent_at_verdict(&view);
            let refused = told || !answered && !asked_by_client && ended.is_some() && answered_before();
            let objection = if asked_by_client { objects(&view, asked) } else { None };
            let hands_out = asked.message(Label::Tr(2)).is_some_and(|answer| holds_more_than_address(&view, answer));
            let keeps = answered && !asked_by_client && ended.is_none() && keeps_alive(&view, copied);
            let mut found = Match::on(index, Confidence::Suspected)
                .frames([view.attempt.first_frame, last.frame])
                .frames(ended.map(|message| message.frame))
                .settle("the gateway's log: user name and verdict");
            found.seen = format!(
                "phase 1 is complete; {} ran, the last one (started by the {asked_by}) {}; {}",
                number(count, "Transaction exchange"),
                if answered {
                    "answered".to_owned()
                } else {
                    format!("sent {} and not answered", times(u64::from(last.repeat_count) + 1))
                },
                if quick {
                    "Quick Mode began before that came to an end, and is not answered".to_owned()
                } else {
                    format!("no Quick Mode {}", until(quiet, "it"))
                },
            );
            if let Some((objection, answer)) = objection.zip(asked.message(Label::Tr(2))) {
                let after = span(objection.at.since(answer.at));
                found.seen.push_str(&format!("; an encrypted Informational of the client came {after} after the answer"));
            } else if ended.is_some() {
                found.seen.push_str("; an encrypted Informational came instead");
            } else if begins_anew {
                found.seen.push_str("; the peers began anew");
            } else if traffic::ended_with(&view) {
                found.seen.push_str("; the traffic of before stopped with this attempt");
            } else if keeps {
                found.seen.push_str("; the client goes on with NAT keepalives");
            }
            found.means = match (answered, count) {
                _ if !settled => "user authentication or the hand-out of an address is as far as this capture goes",
                _ if objection.is_some() => {
                    match hands_out {
                        true => "the client has the answer to its request (Mode Config), and does not accept it: the user was let in",
                        false => "the client has the answer to its request (Mode Config), and does not accept it, or finds no address in it: the user was let in",
                    }
                }
                _ if keeps => {
                    "the client keeps the SA, as who was refused does not: most likely each side waits for the other, for Mode Config"
                }
                _ if told => {
                    "question, answer, verdict, acknowledgement, and the client says nothing more: most likely the user was refused"
                }
                (false, _) if refused => {
                    "question, answer, verdict, and the peers part: most likely the user was refused"
                }
                (false, _) if asked_by_client => {
                    "the client's request is not answered: the gateway hands out no address, or waits for something itself"
                }
                (false, _) if agreed => {
                    "the question is not answered: it or its answer is lost, or the user has not typed yet"
                }
                (false, _) => {
                    "the question is not answered: the other side does not do XAUTH, or its user has not typed yet"
                }
                (true, 2) => {
                    "question, answer, verdict, acknowledgement, and nothing more: most likely the user was refused"
                }
                _ => "user authentication or the hand-out of an address did not come to an end",
            }
            .into();
            found = match (answered, count) {
                _ if objection.is_some() => found
                    .rule_out(&["password", "server", "peer", "user", "lost"])
                    .weigh("answer", if hands_out { 20.0 } else { 3.0 })
                    .settle("both logs: what the gateway handed out, and what the client does not accept"),
                _ if keeps => found
                    .rule_out(&["user", "lost"])
                    .weigh("address", 20.0)
                    .weigh("password", 0.3)
                    .weigh("server", 0.3)
                    .settle("both logs: whether the user was let in, and what each side waits for"),
                (false, _) if refused => found.rule_out(&["user", "address", "lost"]).weigh("password", 1.5).weigh("peer", 0.2),
                (false, _) if asked_by_client => found
                    .rule_out(&["user"])
                    .weigh("address", 20.0)
                    .weigh("password", if count > 1 { 0.1 } else { 0.3 })
                    .weigh("server", 0.5),
                (false, _) => {
                    found.rule_out(&["address"]).weigh("password", 0.2).weigh("peer", 2.0).weigh("user", 3.0)
                }
                // Whoever was asked has answered.
                (true, 2) => found.weigh("password", 1.5).rule_out(&["user"]),
                _ => found.rule_out(&["user"]),
            };
            found = found.rule_out(&["unasked"]);
            if objection.is_none() {
                found = found.rule_out(&["answer"]);
            }
            if agreed {
                found = found.rule_out(&["peer"]);
            }
            let question = asked.message(Label::Tr(1));
            if agreed && !answered && !asked_by_client && !refused {
                let first_there = |question: &MessageRecord| {
                    nat::on_4500(question) && v2_auth_no_reply::first_on_its_port(&view, question)
                };
                let first_there = question.is_some_and(first_there);
                if first_there {
                    found.seen.push_str("; it is the first message to the client from UDP 4500");
                }
                found = found.weigh("lost", if first_there { 14.0 } else { 10.0 });
            }
            let answer = asked.message(Label::Tr(2));
            let copies = question.zip(answer).and_then(|(one, other)| phase1::copies_in_spite_of(other, one));
            if let Some(copies) = copies {
                found.seen.push_str(&format!("; the same question came {} more after its answer", times(copies as u64)));
            }
            if let Some(objection) = objection {
                found.frames.push(objection.frame);
            } else if copies.is_some() {
                found.means = "the side that asks goes on asking although it was answered: the answers do not reach it".into();
                found = found.rule_out(&["user", "address", "peer"]).weigh("lost", 100.0).weigh("password", 0.3);
            }
            // Too short to tell a stop from a pause: the stage is all that can be said.
            Some(if settled { recalled(found) } else { found.severity(Severity::Notice) })
        })
        .collect()
}

/// Phase 1 was set up with a method that has XAUTH behind it, which the gateway begins (draft-beaulieu-ike-xauth-02 §3), and nobody asked,
/// though a gateway asks at once, and who has not heard it sends message 3 of Aggressive Mode again.
pub(super) fn is_unasked(view: &View<'_>) -> bool {
    let Some(up) = view.attempt.phase1_up else { return false };
    let used = view.messages().any(|message| matches!(message.label, Label::Tr(_) | Label::Qm(_)));
    let again = view.message(Label::Am(3)).is_some_and(|third| view.waited(third).is_silence());
    let next = view.case.pair.attempts.get(view.index + 1).map(|next| next.first);
    let waited = again || next.unwrap_or(view.case.end()).since(up) >= PATIENCE;
    !used && waited && view.case.both_ways() && phase1::wants_xauth(view) && phase1::message_3_ignored(view).is_none()
}

fn unasked(index: usize, view: &View<'_>) -> Match {
    let up = view.attempt.phase1_up.unwrap_or(view.attempt.last);
    Match::on(index, Confidence::Suspected)
        .frames([view.attempt.first_frame, view.attempt.last_frame])
        .seen(format!(
            "phase 1 is complete, with a method that has XAUTH behind it; no Transaction exchange and no Quick Mode {}",
            until(view.case.end().since(up), "it"),
        ))
        .means("the gateway has to ask for the user right after phase 1: its question does not get here, or it does not ask")
        .rule_out(&["password", "address", "server", "peer", "user", "lost", "answer"])
        .settle("the gateway's log, or a capture on its outside: whether its question leaves")
}

/// The gateway asks, and the client goes on with message 3: it has not heard it.
fn not_heard(index: usize, view: &View<'_>, unheard: Unheard<'_>) -> Match {
    let Unheard { request, answer, copies, confidence } = unheard;
    let found = Match::on(index, confidence)
        .frames(view.frames(answer))
        .frames([request.frame])
        .seen(format!(
            "the gateway asked {}; the client goes on with {}, {} more in the {} after that, and sends nothing else",
            times(u64::from(answer.repeat_count) + 1),
            request.label,
            times(copies as u64),
            span(request.last_sent().since(answer.at)),
        ))
        .means(
            "phase 1 is complete for the gateway, and its question does not reach the client, or is not taken by it",
        );
    found
        .rule_out(&["password", "address", "server", "peer", "user", "answer", "unasked"])
        .settle("a capture on the client's outside: whether the question arrives")
}

/// The SAs of another phase 1 of the same client, in the same version, are used after `at`: by IKE, or by traffic both ways.
fn goes_on_elsewhere(view: &View<'_>, at: Timestamp) -> bool {
    if traffic::ended_with(view) {
        return false;
    }
    let (case, index) = (view.case, view.index);
    let talks = |other: View<'_>| other.messages().any(|message| message.encrypted && message.at > at);
    let earlier = || {
        let before = case.attempts().take(index).map(|(_, other)| other);
        before.filter(|other| !other.is_v2() && !is_of_another_client(view, other))
    };
    let client = view.attempt.initiator.ip();
    let sends = |end| {
        let own = |flow: &&EspFlow| {
            let port = flow.ports.map(|(from, to)| if end == client { from } else { to });
            !port.zip(nat::last_port(view)).is_some_and(|(one, other)| nat::of_two_clients(one, other))
        };
        let mut flows = case.flows_from(end).filter(own);
        flows.any(|flow| flow.first < view.attempt.first && flow.last > at)
    };
    earlier().any(talks)
        || (earlier().any(|other| other.tunnel_up().is_some()) && sends(case.pair.a) && sends(case.pair.b))
}

/// `other`, or what it renews, was up before this attempt, from another port of the same address: two clients behind one NAT. What comes
/// later from another port may be the same one, whose mapping has changed.
fn is_of_another_client(view: &View<'_>, other: &View<'_>) -> bool {
    let port = nat::last_port(other);
    let apart = nat::last_port(view).zip(port).is_some_and(|(one, other)| nat::of_two_clients(one, other));
    let known = || {
        let before = (view.index.saturating_sub(LOOKED_BACK)..view.index).filter_map(|index| view.case.view(index));
        before.filter(|before| before.tunnel_up().is_some()).any(|before| nat::last_port(&before) == port)
    };
    apart && view.attempt.initiator.ip() == other.attempt.initiator.ip() && (other.index < view.index || known())
}

/// What the client says in an Informational as soon as it has the answer to its own question, if it is no liveness check.
fn objects<'a>(view: &View<'a>, asked: &Exchange) -> Option<&'a MessageRecord> {
    let answer = asked.message(Label::Tr(2))?;
    let within = answer_within(view, asked.started_by);
    let says_no = |message: &MessageRecord| {
        let suite = V1Suite::chosen(view.attempt);
        suite.is_none_or(|suite| {
            let contents = suite.contents(view.attempt, message.from, message.length);
            contents.is_empty() || contents.iter().any(|content| content != Content::Dpd)
        })
    };
    phase1::encrypted_informationals(view, asked.started_by)
        .find(|message| message.at >= answer.at && message.at.since(answer.at) <= within && says_no(message))
}

/// Whether an answer of Mode Config is too long for one IPv4 address, or none.
fn holds_more_than_address(view: &View<'_>, answer: &MessageRecord) -> bool {
    let suite = V1Suite::chosen(view.attempt);
    suite.is_some_and(|suite| answer.length > suite.length(4 + suite.hash + ONE_ADDRESS, Padding::Always))
}

/// The gateway asked, the client answered, and after it acknowledged something of another length it says nothing more, whatever the
/// gateway asks again.
fn falls_silent_at_verdict(view: &View<'_>) -> bool {
    let of_gateway = |exchange: &&Exchange| {
        exchange.kind == ExchangeKind::Transaction && exchange.started_by == Side::Responder && is_answered(exchange)
    };
    let answered = || view.exchanges().iter().filter(of_gateway);
    let length = |exchange: &Exchange| exchange.message(Label::Tr(1)).map(|question| question.length);
    let last_sent = |exchange: &Exchange| exchange.message(Label::Tr(2)).map(MessageRecord::last_sent);
    let Some(verdict) = answered().max_by_key(|exchange| last_sent(exchange)) else { return false };
    let silent = view
        .messages()
        .filter(|message| message.from == Side::Initiator && message.label != Label::Inf)
        .all(|message| Some(message.last_sent()) <= last_sent(verdict));
    silent && answered().next().is_some_and(|first| length(first) != length(verdict))
}

/// All that the client says after `at` are NAT keepalives, and it still does so when one that was refused has long gone.
fn keeps_alive(view: &View<'_>, at: Timestamp) -> bool {
    let (case, client) = (view.case, view.attempt.initiator.ip());
    let sent = case.pair.sent_by(client);
    let alone = case.pair.attempts.len() == 1 && case.pair.flows.is_empty() && view.attempt.last <= at;
    alone && sent.keepalives > 0 && sent.span.is_some_and(|(_, last)| last.since(at) >= KEEPALIVE)
}

fn is_answered(exchange: &Exchange) -> bool {
    exchange.messages.iter().any(|message| message.label == Label::Tr(2))
}

/// The initiator begins Quick Mode before XAUTH came to an end (question and answer, verdict and acknowledgement), and gets no
/// answer: there is no phase 2 before that.
pub(super) fn quick_mode_too_early(view: &View<'_>) -> bool {
    let Some(first) = view.message(Label::Qm(1)).filter(|first| first.from == Side::Initiator) else { return false };
    let answered = view.messages().any(|message| matches!(message.label, Label::Qm(2..)));
    let by_then = |exchange: &&Exchange| {
        exchange.kind == ExchangeKind::Transaction
            && exchange.started_by == Side::Responder
            && exchange.messages.iter().any(|message| message.label == Label::Tr(2) && message.at <= first.last_sent())
    };
    let asked = view.exchanges().iter().any(|exchange| exchange.kind == ExchangeKind::Transaction);
    asked && !answered && phase1::wants_xauth(view) && view.exchanges().iter().filter(by_then).count() < 2
}
