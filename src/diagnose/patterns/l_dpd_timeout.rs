//! L-DPD-TIMEOUT: nobody answers the liveness checks.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::packet::Encapsulation;
use crate::track::{EspFlow, IcmpAbout, Label, MessageRecord, Side, UNDERWAY};

use super::informational::{self, Informational, Reading};
use super::life_cycle::{self, spacing};
use super::{n_port4500, nat, phase1};

/// Copies of a question before its silence means something.
const LEAST: u64 = 3;
/// An outage no longer than this may be over the next moment.
const YOUNG: Duration = Duration::from_secs(20);
/// So many of them one after the other, each another one, are no questions.
const HEARTBEATS: usize = 8;
/// Questions, the latest, whose answers are looked for at another point.
const LATEST: usize = 8;
/// ICMP errors that are looked at.
const ICMP_ERRORS: usize = 64;
/// Packets of a stream.
const STREAM: u64 = 10;
/// So many packets that are missing are no pause.
const STOPPED: u32 = 10;

pattern! {
    /// ## What is seen
    ///
    /// After the tunnel was up, one side sends small encrypted Informationals of the size of a liveness check, at
    /// intervals or repeated, and the other side answers none of them. In IKEv2 each request must have its response, so the
    /// lack of one is certain; in IKEv1 the size and the spacing tell.
    ///
    /// ## What it means
    ///
    /// The peer, its IKE daemon, its memory of this SA, or the path is gone. The side that asks soon deletes the SA and
    /// starts anew. If ESP of the peer goes on all the while, its kernel lives and its daemon does not. If it stopped before, while
    /// its host refuses the port, its SAs went with the daemon: most likely it restarted.
    ///
    /// ## Look-alikes
    ///
    /// - `L-STALE-SA`: the peer says in clear that it does not know the SA, or starts anew itself.
    /// - A check that is answered here and comes again and again all the same: the answers are lost on their way back.
    /// - IKEv1 deletes: some suites give them the length of a liveness check; they come in one burst.
    /// - `N-ICMP-PORT`: the errors that a host without IKE daemon sends for each check.
    L_DPD_TIMEOUT = "L-DPD-TIMEOUT", LifeCycle, Error;
    title: "liveness checks no longer get an answer";
    causes: [
        "path" 0.327 "the path is gone", raised by "ESP of the peer stopped too", lowered by "ESP of the peer goes on";
        "mapping" 0.093 "a NAT device forgot its mapping", raised by "NAT on the path", lowered by "NAT detection: there is none";
        "restart" 0.327 "the peer restarted, or its SAs were cleared",
            raised by "the peer sends a new message 1; INVALID-COOKIE or INVALID-SPI; ICMP port unreachable after its ESP stopped", lowered by "ESP of the peer goes on";
        "daemon" 0.140 "the IKE daemon of the peer is dead",
            raised by "ICMP port unreachable; ESP goes on both ways", lowered by "ESP of the peer stopped too";
        "return" 0.019 "the answers are lost on their way back: a filter, a NAT or the route",
            raised by "an answer is seen at another point, and the question comes again", lowered by "no answer is seen";
        "dropped" 0.047 "the peer deleted this IKE SA and uses another one; the delete was lost",
            raised by "it answers under another IKE SA meanwhile", lowered by "there is no other one";
        "unsupported" 0.047 "the peer does not support liveness checks",
            raised by "no dead peer detection vendor id", lowered by "it answered checks before; IKEv2";
    ];
    checks: [
        Either("the silent peer"): "look whether it is up and answers a ping, its IKE daemon runs, and which SAs it lists" about "restart" "daemon" "dropped";
        Path: "check UDP 500 and 4500 both ways" about "path" "mapping" "return";
        Either: "shorten the NAT keepalive interval on the side behind the NAT" about "mapping";
        Either: "use dead peer detection on both ends or on none; between vendors, try a longer interval" about "unsupported";
    ];
    logs: [
        "AWS": "Peer is not responsive - Declaring peer dead" ("AWS log-contents");
        "AWS": "AWS tunnel DPD timed out after … retransmits" ("AWS log-contents");
        "Cisco ASA": "DPD (Dead Peer Detection) setting" ("S2S-47");
        "Azure": "network glitch causing a DPD timeout" ("Azure diagnostics doc");
        "Cisco ASA": "IKE lost contact with remote peer, deleting connection (keepalive type: …)" ("Cisco ASA syslog reference");
        "Cisco ASA": "Keep-alives configured … but peer … support keep-alives (type = …)" ("Cisco ASA syslog reference");
        "Cisco ASA": "Received DPD sequence number in … expected seq #" ("Cisco ASA syslog reference");
        "racoon": "DPD: remote (ISAKMP-SA spi=…) seems to be dead." ("racoon log");
        "strongSwan": "giving up after … retransmits" ("strongSwan source");
        "strongSwan": "retransmit … of request with message ID …" ("strongSwan log");
        "strongSwan": "sending retransmit … of request message ID …, seq …" ("strongSwan log");
        "libreswan": "ESTABLISHED_IKE_SA: … second timeout exceeded after … retransmits. No response (or no acceptable response) to our IKEv2 message" ("libreswan log");
        "Shrew": "tunnel DPD timeout for peer" ("Shrew log");
    ];
    sources: ["S2S-47", "RFC 3706 §5", "RFC 7296 §2.4"];
    misses: Messages;
    lost: "path" "mapping" "return", or its answer: "return" "mapping";
    when: LAST_WORD, CAPTURES INFORMATIONAL, INFORMATIONAL REPEATS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let later = Later::of(case);
    let mut found: Vec<_> = case
        .attempts()
        .filter(|(_, view)| view.attempt.phase1_up.is_some() || view.attempt.midstream)
        .filter(|(_, view)| case.both_ways() && (!view.one_sided() || falls_silent(view)))
        // For the responder phase 1 is not complete: it has no SA to answer under.
        .filter(|(_, view)| phase1::message_3_ignored(view).is_none())
        .filter(|(_, view)| [Side::Initiator, Side::Responder].into_iter().any(|side| has_last_word(view, side)))
        .filter_map(|(index, view)| {
            let read = informational::read(&view);
            [Side::Initiator, Side::Responder]
                .into_iter()
                .find_map(|side| unanswered(&later, index, &view, &read, side))
        })
        .collect();
    let silent: Vec<_> = found.iter().filter_map(|found| found.attempt).collect();
    let others = case.attempts().filter(|(index, view)| view.is_v2() && silent.binary_search(index).is_err());
    found.extend(others.filter_map(|(index, view)| answered_in_vain(index, &view)));
    found
}

/// A check is answered, and comes all the same.
fn answered_in_vain(index: usize, view: &View<'_>) -> Option<Match> {
    let asks = informational::read(view).into_iter().filter(|one| matches!(one.reading, Reading::Question { .. }));
    let unheard = asks.rev().find_map(|one| one.exchange(view).and_then(|exchange| view.check_unheard(exchange)))?;
    let (request, answer) = (unheard.request, unheard.answer);
    let from = request.source.ip();
    let young = request.last_sent().since(request.at) < YOUNG;
    let sure = unheard.confidence == Confidence::Inferred && !young;
    Some(
        Match::on(index, if sure { Confidence::Inferred } else { Confidence::Suspected })
            .severity(if sure { Severity::Error } else { Severity::Warning })
            .seen(format!("a liveness check of {from} {}", unheard.in_spite()))
            .means(format!(
                "the peer lives, and its answers do not reach {from}, which {} this SA",
                if view.case.is_over(view.attempt) { "gave up" } else { "will give up" },
            ))
            .frames(view.frames(request))
            .frames([answer.frame])
            .rule_out(&["path", "restart", "daemon", "dropped", "unsupported"])
            .rule_out(if nat::none(view) { &["mapping"] } else { &[] })
            .weigh("return", 20.0)
            .settle(format!("a capture on the outside of {from}: whether the answer arrives")),
    )
}

/// The last of what may follow an attempt, from and to `a` (0) and `b` (1).
struct Later<'a> {
    /// ICMP errors about IKE sent to it: first and last, and whether it sent them itself.
    refused: [Vec<(Timestamp, Timestamp, bool)>; 2],
    /// The last attempt that it began.
    begun: [Option<usize>; 2],
    /// The last attempt that came up.
    up: Option<usize>,
    /// The flow from it with the latest packet.
    latest: [Option<&'a EspFlow>; 2],
    /// Who fell silent on UDP 4500 alone, and when.
    closed: OnceCell<Option<(IpAddr, Timestamp)>>,
}

impl<'a> Later<'a> {
    fn of(case: &Case<'a>) -> Self {
        let addresses = [case.pair.a, case.pair.b];
        let errors = case.pair.icmp_errors.iter().filter(|fact| matches!(fact.about, IcmpAbout::Isakmp { .. }));
        Self {
            refused: addresses.map(|address| {
                let about = errors.clone().filter(|fact| fact.quoted_destination == address).take(ICMP_ERRORS);
                about.map(|fact| (fact.first, fact.last, fact.from == address)).collect()
            }),
            begun: addresses
                .map(|address| case.pair.attempts.iter().rposition(|attempt| attempt.initiator.ip() == address)),
            up: life_cycle::last_up(case),
            latest: addresses.map(|address| case.flows_from(address).max_by_key(|flow| flow.last)),
            closed: OnceCell::new(),
        }
    }

    /// Whether a steady stream of ESP from a peer ended before `at`, while the other direction goes on for long: what a daemon leaves behind
    /// that merely died is in the kernel, and goes on. In UDP its ESP needs the port that the daemon had open.
    fn stops_alone(&self, peers: usize, at: Timestamp) -> bool {
        let (Some(own), Some(other)) = (self.latest[peers], self.latest[1 - peers]) else { return false };
        let bare = |flow: &EspFlow| flow.encapsulation == Encapsulation::None;
        own.packets >= STREAM
            && bare(own)
            && bare(other)
            && own.last < at
            && other.last >= own.last.after(spacing(own) * STOPPED)
    }
}

/// What ESP or AH of the silent peer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Traffic {
    /// There is none any more, or none that says anything.
    Silent,
    /// It goes on while checks are not answered.
    GoesOn,
    /// It was there before, and is there after them; whether meanwhile, nobody kept.
    Later,
}

impl Traffic {
    /// Flows of a pair that are looked at, the latest ones.
    const MOST: usize = 256;

    /// From `peer`, under the SAs of this attempt, with checks from the first to the last of these times.
    fn of(view: &View<'_>, peer: IpAddr, (first, last): (Timestamp, Timestamp)) -> Self {
        let pair = view.case.pair;
        let next = pair.attempts.get(view.index + 1).map(|attempt| attempt.first);
        let from_a = peer == pair.a;
        // Flows stand in the order of their first packets; what begins under another IKE SA says nothing of this one.
        let own = pair.flows.partition_point(|flow| next.is_none_or(|next| flow.first < next));
        let flows = pair.flows.iter().take(own).rev().take(Self::MOST);
        let mut flows = flows.filter(|flow| pair.is_from_a(flow.source, flow.destination) == from_a);
        let meanwhile = |at: Timestamp| at > first && at <= last.after(UNDERWAY);
        if flows.clone().any(|flow| meanwhile(flow.first) || meanwhile(flow.last)) {
            Self::GoesOn
        } else if flows.any(|flow| flow.last > last) {
            Self::Later
        } else {
            Self::Silent
        }
    }
}

/// When `side` was last heard in this attempt: not by what is lost between two capture points. Of an SA from before the capture a
/// side may have been heard in ESP only.
fn last_heard(view: &View<'_>, side: Side) -> Option<Timestamp> {
    let lost = |message| view.case.points().is_some_and(|points| points.loses_in(view, message));
    let messages = view.messages().filter(|message| message.from == side && !lost(message));
    let times = messages.flat_map(|message| message.copies().map(|(_, at)| at));
    times.max().or_else(|| esp_before(view, side))
}

/// When the last ESP of `side` came, if it stopped before anything was said under an SA from before the capture.
fn esp_before(view: &View<'_>, side: Side) -> Option<Timestamp> {
    let attempt = view.attempt;
    let last = view.case.flows_from(life_cycle::address(attempt, side)).map(|flow| flow.last).max()?;
    (attempt.midstream && last <= attempt.first).then_some(last)
}

/// Whether the capture has one side in ESP that stopped, and in no IKE since: it holds that direction.
fn falls_silent(view: &View<'_>) -> bool {
    let silent = |side: Side| !view.heard(side) && esp_before(view, side).is_some();
    [Side::Initiator, Side::Responder].into_iter().any(silent)
}

/// Whether the last messages of the attempt are enough Informationals of `side`.
fn has_last_word(view: &View<'_>, side: Side) -> bool {
    let Some(heard) = last_heard(view, side.other()) else { return false };
    let since = view.messages().filter(|message| {
        message.from == side && message.at > heard && matches!(message.label, Label::Inf | Label::INFORMATIONAL_REQ)
    });
    since.map(|message| u64::from(message.repeat_count) + 1).sum::<u64>() >= LEAST
}

/// Whether the capture ends with a check for which more copies are to come: an outage may be over the next moment.
fn is_young(view: &View<'_>, question: &MessageRecord) -> bool {
    let goes_on = view.next_copy(question).is_some_and(|next| !next.given_up);
    goes_on && question.repeat_count < 3 && view.case.end().since(question.at) < YOUNG
}

/// IKEv1: whether the outage is over in which there was no answer: nothing more is asked for much longer than the checks lie
/// apart, and ESP of both sides goes on for as long.
fn is_over(view: &View<'_>, last: Timestamp, apart: Duration) -> bool {
    let settled = last.after((apart * 2).max(UNDERWAY));
    let goes_on = |end| view.case.flows_from(end).any(|flow| flow.first < last && flow.last > settled);
    let pair = view.case.pair;
    !view.is_v2()
        && goes_on(pair.a)
        && goes_on(pair.b)
        && pair.attempts.last().is_none_or(|youngest| youngest.first < last)
}

/// Questions of `side` since the last word of its peer.
fn unanswered(
    later: &Later<'_>,
    index: usize,
    view: &View<'_>,
    read: &[Informational<'_>],
    side: Side,
) -> Option<Match> {
    let peer = life_cycle::address(view.attempt, side.other());
    let heard = last_heard(view, side.other())?;
    let begun = view.exchanges().iter().filter(|exchange| exchange.started_by == side);
    let newest = begun.map(|exchange| exchange.message_id).max();
    let questions: Vec<_> = read
        .iter()
        .filter(|each| each.message.from == side && each.message.at > heard)
        .filter(|each| each.reading == Reading::Question { answered: false })
        // Who asks under a later number in IKEv2 had an answer (RFC 7296 §2.3).
        .filter(|each| !view.is_v2() || each.exchange(view).map(|exchange| exchange.message_id) >= newest)
        .collect();
    let copies: u64 = questions.iter().map(|each| u64::from(each.message.repeat_count) + 1).sum();
    let first = questions.first()?.message;
    let last = questions.last()?.last_sent();
    // The capture ends with the last check: what is missing may be on its way.
    let asked_for = last.since(first.at);
    let is_short = view.case.end().since(last).is_zero() && asked_for < PATIENCE;
    if copies < LEAST || (is_short && (questions.len() == 1 || asked_for < PATIENCE / 2)) {
        return None;
    }
    let peers = usize::from(peer == view.case.pair.b);
    let traffic = Traffic::of(view, peer, (first.at, last));
    let errors = later.refused[peers].iter();
    let meanwhile = errors.filter(|(begun, ended, _)| *ended >= first.at && *begun <= last.after(UNDERWAY));
    let errors: Vec<_> = meanwhile.collect();
    let refused = errors.iter().map(|(.., itself)| *itself).max();
    let forgets = traffic == Traffic::Silent && later.stops_alone(peers, first.at);
    // The last check draws none any more: what it asks is there again.
    let reopened = refused == Some(true) && errors.iter().all(|(_, ended, _)| ended.after(UNDERWAY) < last);
    let starts_anew = later.begun[peers].is_some_and(|begun| begun > index);
    let acted = later.begun[1 - peers].is_some_and(|begun| begun > index);
    let announced = view.attempt.vendor_ids[side.other().index()]
        .iter()
        .any(|data| registry::vendor_id(data).is_some_and(|vendor| vendor.family == "dpd"));
    // It is there, and talks under another IKE SA.
    let others = view.case.attempts().filter(|(other, it)| *other != index && it.attempt.last > first.at);
    let talks_elsewhere = others.filter_map(|(_, other)| {
        let talks = |from| life_cycle::address(other.attempt, from) == peer;
        let said = |message: &&MessageRecord| message.encrypted && message.at > first.at && talks(message.from);
        other.messages().filter(said).map(|message| message.at).min()
    });
    let talks_elsewhere = talks_elsewhere.min();
    let elsewhere = talks_elsewhere.is_some();
    // Its port was closed, and is open since.
    let back =
        refused == Some(true) && talks_elsewhere.is_some_and(|since| errors.iter().all(|(_, ended, _)| *ended < since));
    // All of UDP 4500 stopped at one time.
    let fallen = || later.closed.get_or_init(|| n_port4500::fallen_silent(&view.case));
    let closed =
        refused.is_none() && !elsewhere && fallen().is_some_and(|(end, since)| end == peer && since < first.at);
    let answered =
        read.iter().any(|each| each.reading == Reading::Question { answered: true } && each.message.from == side);
    let unannounced = !view.is_v2() && !announced && !answered && !view.attempt.midstream;
    // It was never asked in a form that it knows.
    let unknown = unannounced && traffic != Traffic::Silent && refused.is_none() && !elsewhere;
    let mut found = Match::on(index, Confidence::Inferred)
        .about(side.other())
        .seen(format!(
            "{} sent a liveness check {} in {}; {peer} said nothing to any of them{}{}",
            life_cycle::address(view.attempt, side),
            times(copies),
            span(asked_for),
            match (refused, traffic) {
                _ if back && reopened => {
                    "; the first drew ICMP errors of its host, the last nothing any more, and it talks under another IKE SA since"
                }
                _ if back => "; its host sent ICMP errors instead, and it talks under another IKE SA since",
                _ if elsewhere => ", and talks under another IKE SA meanwhile or later",
                _ if reopened => "; the first drew ICMP errors of its host, the last nothing any more",
                _ if closed => "; since before that nothing comes from its UDP 4500, and its UDP 500 answers",
                (Some(true), _) => ", and it sent ICMP errors instead",
                (Some(false), _) => ", and ICMP errors came from the path instead",
                (None, Traffic::GoesOn) => ", while its ESP goes on",
                (None, Traffic::Later) => "; its ESP is there before and after them",
                (None, Traffic::Silent) => "",
            },
            if unknown { ", and it had sent no dead peer detection vendor id in clear" } else { "" },
        ))
        .means(match (refused, traffic) {
            _ if back => "the IKE daemon of the peer was gone; it is back, and most likely does not know this SA any more",
            _ if elsewhere && acted => {
                "the peer lives; the side that asked gave this IKE SA up and began anew, so what became of it at the peer does not show"
            }
            _ if elsewhere => "the peer lives; it dropped this IKE SA and uses another one",
            _ if reopened => {
                "the IKE daemon of the peer was gone; it is back and does not know this SA, or now nothing arrives any more"
            }
            (Some(true), _) if forgets => {
                "the host is there; its IKE daemon seems to be gone, and its IPsec SAs with it: its ESP stopped, too"
            }
            (Some(true), _) => "the host is there, and its IKE daemon seems to be gone",
            (Some(false), _) => "a router says that the peer cannot be reached, or a filter that it must not",
            _ if closed => {
                "the peer lives, and nothing gets from its UDP 4500 to here any more, or it started anew without these SAs"
            }
            _ if unknown => {
                "the peer lives; it did not announce that it knows liveness checks, and then it should not be asked"
            }
            (None, Traffic::GoesOn) => "the kernel of the peer lives; its IKE daemon does not answer",
            (None, Traffic::Later) => {
                "the peer lives; its IKE daemon does not answer, or the path was gone for a while"
            }
            (None, Traffic::Silent) => "the peer, its memory of this SA, or the path is gone",
        })
        .frames(questions.iter().take(8).flat_map(|each| view.frames(each.message)));
    found = match (refused, traffic) {
        _ if back => found.weigh("restart", 4.0).weigh("path", 0.2).weigh("mapping", 0.2).rule_out(&["daemon"]),
        _ if elsewhere && acted => found.weigh("dropped", 2.0).rule_out(&["daemon"]),
        _ if elsewhere => found.weigh("dropped", 20.0).weigh("path", 0.5).rule_out(&["daemon"]),
        _ if reopened => found.weigh("restart", 4.0).weigh("daemon", 2.0).weigh("path", 0.2).weigh("mapping", 0.2),
        (Some(true), _) if forgets => {
            found.weigh("restart", 4.0).weigh("daemon", 3.0).weigh("path", 0.2).weigh("mapping", 0.2)
        }
        (Some(true), _) | (None, Traffic::GoesOn) => {
            found.weigh("daemon", 8.0).weigh("path", 0.2).weigh("mapping", 0.2)
        }
        (Some(false), _) => found.weigh("path", 8.0).rule_out(&["mapping"]),
        _ if closed => found
            .weigh("path", 4.0)
            .rule_out(&["daemon"])
            .settle(format!("a capture on the outside of {peer}: what arrives on UDP 4500, and what leaves")),
        (None, traffic) => {
            if traffic == Traffic::Later {
                found = found.weigh("daemon", 3.0).weigh("path", 0.8).weigh("restart", 0.5);
            }
            found.settle(format!("whether {peer} answers anything at all, and since when it has been up"))
        }
    };
    if !elsewhere {
        found = found.rule_out(&["dropped"]);
    }
    if starts_anew && !elsewhere {
        found = found.weigh("restart", 4.0);
    }
    if view.is_v2() || announced || answered {
        found = found.rule_out(&["unsupported"]);
    } else if unannounced {
        found = found.weigh("unsupported", if unknown { 60.0 } else { 3.0 });
    }
    if nat::none(view) {
        found = found.rule_out(&["mapping"]);
    } else if nat::detected(view) {
        found = found.weigh("mapping", 2.0);
    }
    // Whoever asks and gets no answer gives up after a few; heartbeats of IKEv1 go on, and nobody answers them.
    let heartbeats = !view.is_v2() && !answered && !acted && questions.len() >= HEARTBEATS;
    if heartbeats || unannounced {
        found.confidence = Some(Confidence::Suspected);
        if traffic != Traffic::Silent && refused.is_none() {
            found = found.severity(Severity::Notice);
        }
    }
    let latest = questions.iter().rev().take(LATEST).map(|question| question.message);
    let answers_in = points::answered_elsewhere(view, latest);
    if let Some(capture) = answers_in {
        found.seen = format!(
            "{} sent a liveness check {} in {}; {peer} answered, and its answers are in capture {capture} only",
            life_cycle::address(view.attempt, side),
            times(copies),
            span(asked_for),
        );
        found.means = "the peer lives; what it answers is lost between the two points".into();
        found = found.weigh("return", 20.0).weigh("mapping", 0.3).rule_out(&["path", "daemon", "restart"]);
        found.settle = None;
    } else {
        found = found.rule_out(&["return"]);
    }
    if traffic == Traffic::Later && refused.is_none() && is_over(view, last, asked_for / copies.max(2) as u32) {
        found.seen.push_str("; it asks no more, and traffic goes both ways to the end");
        found = found.severity(Severity::Notice).weigh("path", 10.0).means(
            "the path was gone for a while; whoever hears traffic again under the same SAs has no more need to ask",
        );
    }
    let is_silent = traffic == Traffic::Silent && refused.is_none();
    if elsewhere || later.up.is_some_and(|up| up > index) {
        found = found.severity(Severity::Notice);
    } else if is_short || (is_silent && questions.len() == 1 && is_young(view, first)) {
        found.confidence = Some(Confidence::Suspected);
        found.seen.push_str("; it has not given up yet, and the capture ends");
        found.severity = Some(found.severity.unwrap_or(Severity::Error).min(Severity::Warning));
        if is_silent && answers_in.is_none() {
            found = found.means("the peer, its memory of this SA, or the path is gone, or was for a moment");
        }
    }
    Some(found)
}
