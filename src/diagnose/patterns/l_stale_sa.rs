//! L-STALE-SA: one end lost its SAs, the other goes on using them.

use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::points;
use crate::diagnose::words::{number, span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{IkeVersion, Label, MessageRecord, Side};

use super::icmp;
use super::informational::{self, Reading};
use super::life_cycle;
use super::traffic::{self, GRACE};

/// INVALID-COOKIE (RFC 2408 §3.14.1) and INVALID_IKE_SPI (RFC 7296 §3.10.1) have the same number.
const UNKNOWN_SA: u16 = 4;
/// Traffic that one side sends for this long after the other has stopped.
const UNANSWERED: Duration = Duration::from_secs(2);
/// Messages of a new negotiation, all in vain, while traffic on the old SAs goes on.
const ASKED: u64 = 3;
/// The deletes of one tunnel, its IPsec SA's and its ISAKMP SA's, follow each other within this time.
const FAREWELL: Duration = Duration::from_secs(1);
/// A negotiation with a message younger than this goes on.
const AT_IT: Duration = Duration::from_secs(60);

pattern! {
    /// ## What is seen
    ///
    /// One side uses an IKE SA and the other answers in clear that it does not know it (INVALID-COOKIE, INVALID_IKE_SPI).
    /// Or: both sent ESP, one of them falls silent without a delete and then starts a new negotiation, while the other goes
    /// on sending on the old SAs. Or: the last thing that one side says looks like a delete, and the traffic that it answered
    /// goes on without an answer. Or the host of one side refuses the port for a while, and then takes what comes and answers nothing. Or,
    /// in IKEv2: during an outage one side asks whether the other lives until it gives up; then
    /// the other's ESP comes again, and has no answer.
    ///
    /// ## What it means
    ///
    /// One end restarted, was cleared, or a cluster failed over without its SAs; or it took them down and its delete was lost; or
    /// it had no answer to its liveness checks and forgot them, as it must.
    /// The other end does not know until it asks, or until the new negotiation tells it.
    ///
    /// ## Look-alikes
    ///
    /// - `L-DPD-TIMEOUT`: the silent side says nothing at all; the path may be gone.
    /// - `T-SPI-UNKNOWN`: the same for a single IPsec SA.
    /// - A notify in clear is not authenticated: anybody can send it.
    L_STALE_SA = "L-STALE-SA", LifeCycle, Error;
    title: "one end lost its SAs and the other goes on using them";
    causes: [
        "restart" 0.53 "the gateway restarted", raised by "it starts a new negotiation", lowered by "";
        "cleared" 0.25 "its SAs were cleared by hand or by a change of configuration", raised by "", lowered by "";
        "lost" 0.02 "its delete did not arrive, or was not heeded", raised by "a delete is the last thing it says", lowered by "no delete";
        "given-up" 0.02 "its liveness checks had no answer during an outage, and it gave the SAs up",
            raised by "checks of it that were not answered", lowered by "no checks";
        "failover" 0.18 "another cluster member took over without the SAs", raised by "sequence numbers or addresses change", lowered by "a single gateway";
    ];
    checks: [
        Either: "on the end that lost its SAs, look how long it has been up, and what it logged at that time" about "restart" "cleared" "lost" "failover";
        Either: "on the end that still uses them, clear the SAs";
        Either: "enable dead peer detection and INITIAL-CONTACT, and recovery on invalid SPIs where the product has it";
    ];
    logs: [
        "Cisco": "Up-No-IKE" ("CON-27");
        "Cisco PIX": "Peer Info for x.x.x.x/500 not found" ("PIX-16");
        "Netopia": "phase2 hash failed" ("NIR-15");
        "Huawei": "16: rekey no find old sa" ("Huawei ALM-303046755");
        "Meraki, Palo Alto": "rekey: outbound CHILD_SA missing" ("public post");
        "libreswan": "Quick Mode message is for a non-existent (expired or deleted?) ISAKMP SA" ("libreswan log");
        "Cisco ASA": "Received encrypted packet with no matching SA, dropping" ("public ASA logs");
        "D-Link": "Ike_invalid_cookie" ("D-Link NetDefendOS manual 9.7.5");
    ];
    sources: ["PIX-16", "CON-27", "NIR-15", "NIR-26", "RFC 7296 §2.4", "RFC 7296 §2.21.4", "RFC 3706 §3", "RFC 6290"];
    when: ERROR_NOTIFY, SEVERAL FLOWS, FLOWS_ONE_WAY, ICMP FLOWS;
    check: check
}

/// Phase 1 was complete: seen to be, or nothing of its negotiation is in a capture that began later.
fn was_up(view: &View<'_>) -> bool {
    let negotiates = |label| {
        matches!(
            label,
            Label::Mm(_) | Label::Am(_) | Label::SA_INIT_REQ | Label::AUTH_REQ | Label::SA_INIT_RSP | Label::AUTH_RSP
        )
    };
    view.attempt.phase1_up.is_some()
        || (view.attempt.midstream && !view.messages().any(|message| negotiates(message.label)))
}

fn seen_in_use(case: &Case<'_>, view: &View<'_>) -> bool {
    view.attempt.phase1_up.is_some() || !case.pair.flows.is_empty() || view.messages().any(|message| message.encrypted)
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let last_up = life_cycle::last_up(case);
    let mut found: Vec<Match> = case
        .attempts()
        .filter(|(_, view)| was_up(view))
        .filter_map(|(index, view)| {
            [Side::Initiator, Side::Responder].into_iter().find_map(|side| {
                let notify = view
                    .clear_notifies(side)
                    .find(|notify| notify.notify_message_type == UNKNOWN_SA && !notify.message.encrypted)?;
                let name = match view.attempt.version {
                    IkeVersion::V1 => "INVALID-COOKIE",
                    IkeVersion::V2 => "INVALID_IKE_SPI",
                };
                let from = life_cycle::address(view.attempt, side);
                let over = last_up.is_some_and(|up| up > index);
                // Under a cookie of its own it names no SA: whatever goes on speaks against it.
                let unnamed = notify.message.own_cookie;
                let refuted = match unnamed {
                    true => goes_on(case, from, notify.message.last_sent()),
                    false => informational::is_refuted(&view, notify.message),
                };
                let found = Match::on(index, if unnamed { Confidence::Suspected } else { Confidence::Stated })
                    .seen(format!(
                        "{from} answered with {name} ({UNKNOWN_SA}) in clear {}{}",
                        times(u64::from(notify.message.repeat_count) + 1),
                        match (unnamed, refuted) {
                            (true, true) => ", under a cookie of its own, and its SAs go on all the same",
                            (true, false) => ", under a cookie of its own, which names no SA",
                            (false, true) => ", and goes on under this IKE SA all the same",
                            (false, false) => "",
                        },
                    ))
                    .means(if refuted {
                        informational::REFUTED.to_owned()
                    } else {
                        let which = if unnamed { "an" } else { "this" };
                        format!("{from} does not know {which} IKE SA; the notify is not authenticated")
                    })
                    .frames(view.frames(notify.message))
                    .settle(format!(
                        "which SAs {from} lists, and which {} does",
                        life_cycle::address(view.attempt, side.other())
                    ));
                Some(if over || refuted {
                    found.severity(Severity::Notice)
                } else if seen_in_use(case, &view) {
                    found
                } else {
                    // It may be the answer to a negotiation that was not captured.
                    found.severity(Severity::Warning)
                })
            })
        })
        .collect();
    if found.is_empty() {
        let faded = traffic::faded(case);
        let gone = || {
            let traffic = faded.as_ref()?;
            deleted(case, traffic).or_else(|| given_up(case, traffic)).or_else(|| restarted(case, traffic))
        };
        found.extend(started_anew(case).or_else(gone));
    }
    found
}

/// The delete that is the last thing one side says, which nobody acknowledged, where the traffic of the other side, which had
/// answers, goes on without.
pub(super) fn unheeded_delete<'a>(case: &Case<'a>, traffic: &traffic::Faded<'_>) -> Option<&'a MessageRecord> {
    let view = case.view(traffic.attempt?)?;
    let of_silent = view.messages().filter(|message| message.source.ip() == traffic.way.to);
    let last = of_silent.map(MessageRecord::last_sent).max()?;
    let deletes = informational::read(&view);
    let is_last = |each: &&informational::Informational<'_>| {
        each.reading == Reading::Delete
            && each.message.source.ip() == traffic.way.to
            && last.since(each.message.at) <= FAREWELL
    };
    let delete = deletes.iter().find(is_last)?.message;
    let went_on = traffic.way.last()?;
    let goes_on = went_on.since(delete.last_sent()) >= PATIENCE && traffic.over >= PATIENCE;
    let acknowledged = view.messages().any(|message| message.from != delete.from && message.last_sent() > delete.at);
    (goes_on && !acknowledged).then_some(delete)
}

/// One side took the tunnel down, and the other one goes on.
fn deleted(case: &Case<'_>, traffic: &traffic::Faded<'_>) -> Option<Match> {
    let delete = unheeded_delete(case, traffic)?;
    let index = traffic.attempt?;
    let view = case.view(index)?;
    let [from, to] = [traffic.way.to, traffic.way.from];
    let [_, unanswered] = traffic.packets;
    let lost = points::loses(&view, delete);
    let fate = if lost {
        "the delete is lost between the two points"
    } else {
        "the delete was lost on its way, or not heeded"
    };
    let found = Match::on(index, Confidence::Suspected)
            .seen(format!(
                "the last thing {from} said looks like a delete, by its size and place; {to} goes on for {} under the old SA, {} without an answer",
                span(traffic.way.last()?.since(delete.last_sent())),
                number(unanswered, "packet"),
            ))
            .means(format!("{from} took the tunnel down, and {to} does not know: {fate}"))
            .frames(view.frames(delete))
            .frames(traffic.way.frames())
            .weigh("lost", 100.0)
            .weigh("restart", 0.2)
            .severity(Severity::Warning)
            .settle(format!("which SAs {from} lists, and which {to} does"));
    Some(if lost { found.rule_out(&["restart", "cleared", "failover", "given-up"]) } else { found })
}

/// The host of one side said that nobody listens on its port, and says so no more, while what is sent there goes on without an answer.
fn restarted(case: &Case<'_>, traffic: &traffic::Faded<'_>) -> Option<Match> {
    let [from, to] = [traffic.way.to, traffic.way.from];
    let refused = icmp::refused_for_a_while(case, from)?;
    let goes_on = traffic.way.last()?.since(refused.last);
    Some(
        Match::on(traffic.attempt?, Confidence::Suspected)
            .seen(format!(
                "{from} said that its port is unreachable, {} in {}; ESP of {to} goes on for {} after that, is not refused any more, and has no answer",
                times(refused.count),
                span(refused.last.since(refused.first)),
                span(goes_on),
            ))
            .means(format!("the IKE service of {from} was down for a while and listens again, without its SAs; {to} goes on using them"))
            .frames(refused.frames.iter().copied())
            .frames(traffic.way.frames())
            .weigh("restart", 20.0)
            .rule_out(&["lost", "given-up"])
            .severity(Severity::Warning)
            .settle(format!("which SAs {from} lists, and since when its IKE service runs")),
    )
}

/// IKEv2: one side asked whether the other one lives until it gave up, which ends its SA (RFC 7296 §2.4), while packets of the other
/// one were lost; what came of it later has no answer.
fn given_up(case: &Case<'_>, traffic: &traffic::Faded<'_>) -> Option<Match> {
    let index = traffic.attempt?;
    let view = case.view(index).filter(View::is_v2)?;
    let [from, to] = [traffic.way.to, traffic.way.from];
    let read = informational::read(&view);
    let asks = |each: &&informational::Informational<'_>| {
        each.reading == Reading::Question { answered: false } && each.message.source.ip() == from
    };
    let question = read.iter().rfind(asks)?.message;
    let (last, went_on) = (question.last_sent(), traffic.way.last()?);
    let heard = view.messages().any(|message| message.source.ip() == to && message.last_sent() > question.at);
    let gave_up = question.repeat_count > 0 && view.next_copy(question).is_some_and(|next| next.given_up);
    if heard || !gave_up || went_on.since(last) < PATIENCE || traffic.way.outage() < last.since(question.at) {
        return None;
    }
    Some(
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "{from} sent a liveness check {} in {}, and had no answer, while packets of {to} were lost too; {to} is heard for {} after that, and its last {} have no answer",
                times(u64::from(question.repeat_count) + 1),
                span(last.since(question.at)),
                span(went_on.since(last)),
                number(traffic.packets[1], "packet"),
            ))
            .means(format!("the path was gone for a while; {from} gave this SA up, as it must, and {to} has not noticed"))
            .frames(view.frames(question))
            .frames(traffic.way.frames())
            .weigh("given-up", 1000.0)
            .rule_out(&["restart", "cleared", "lost", "failover"])
            .settle(format!("which SAs {from} lists, and which {to} does")),
    )
}

/// Whether `address` uses any SA after `said`.
fn goes_on(case: &Case<'_>, address: IpAddr, said: Timestamp) -> bool {
    let uses =
        |message: &MessageRecord| message.encrypted && message.source.ip() == address && message.last_sent() > said;
    case.flows_from(address).any(|flow| flow.last > said) || case.attempts().any(|(_, view)| view.messages().any(uses))
}

/// A side fell silent while the other still sent, and started anew without a delete.
fn started_anew(case: &Case<'_>) -> Option<Match> {
    let lives = life_cycle::lives(case);
    let [there, back] = traffic::ways(case);
    lives.iter().rev().take(4).find_map(|life| {
        let next = case
            .pair
            .attempts
            .iter()
            .skip(life.index + 1)
            .find(|next| !next.midstream && next.rekeyed_from.is_none())?;
        let (silent, sending) = if next.initiator.ip() == there.from { (&there, &back) } else { (&back, &there) };
        let old = |flow: &crate::track::EspFlow| flow.first < next.first && flow.last >= life.up;
        let stopped = silent.only(old).last()?;
        let went_on = sending.only(old).last()?;
        let unanswered = went_on.since(stopped);
        if unanswered < UNANSWERED || stopped >= next.first || next.first <= life.up {
            return None;
        }
        let gone = informational::read(&life.view).iter().any(|each| each.reading == Reading::Delete);
        if gone {
            return None;
        }
        let over = next.phase1_up.is_some() || life_cycle::last_up(case).is_some_and(|up| up > life.index);
        let found = Match::on(life.index, Confidence::Suspected)
            .seen(format!(
                "{} sent its last ESP {} before it began a new negotiation, with no delete between; {} went on for {}",
                silent.from,
                span(next.first.since(stopped)),
                sending.from,
                span(unanswered),
            ))
            .means(format!("{} most likely restarted or lost its SAs", silent.from))
            .frames([life.view.attempt.last_frame, next.first_frame])
            .weigh("restart", 1.5)
            .settle(format!("how long {} has been up", silent.from));
        // Still negotiating: it may be all right again in a moment, unless the other one goes on as if nothing were.
        let asked = next.exchanges.iter().flat_map(|exchange| &exchange.messages);
        let in_vain = next.waiting_for.is_some()
            && asked.clone().map(|message| u64::from(message.repeat_count) + 1).sum::<u64>() >= ASKED
            && asked.clone().all(|message| message.from == Side::Initiator)
            && went_on.since(next.first) >= GRACE;
        let under_way = case.end().since(next.last) < AT_IT && !in_vain;
        Some(if over || under_way { found.severity(Severity::Notice) } else { found })
    })
}
