//! T-SPI-UNKNOWN: ESP on an SA that the receiver does not have.

use crate::base::Timestamp;
use crate::diagnose::case::{Case, ClearNotify, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{EspFlow, Exchange, ExchangeKind, MessageRecord, Side};

use super::informational::{self, Reading};
use super::phase1::{self, notify};
use super::traffic::{self, AHEAD, GRACE, Way};
use super::{ikev2, life_cycle, n_nat_multi};

/// Protocol ids (RFC 2407 §4.4.1, RFC 7296 §3.3.1).
const AH: u8 = 2;
const ESP: u8 = 3;
/// No more of these are stray packets that were late at a re-key.
const STRAY: u64 = 2;

pattern! {
    /// ## What is seen
    ///
    /// The receiver says so in clear (INVALID-SPI, 11) and ESP or AH goes to it, or it names an SPI of theirs; or one side goes on sending with an old SPI more than 30 s after
    /// a new negotiation, or after the receiver seems to have deleted it, while the other side has changed to new SPIs.
    ///
    /// ## What it means
    ///
    /// The two ends no longer agree on which SAs exist. SPIs are agreed under encryption, so "unknown" is read from the
    /// order in time, or from the notify, which anybody could have sent.
    ///
    /// ## Look-alikes
    ///
    /// - A few packets on the old SPI right after a re-key are normal, and so is an INVALID-SPI or two about them while
    ///   traffic goes on both ways: that is no more than a remark.
    /// - An INVALID-SPI that names no SPI of ESP or AH, while traffic goes on both ways: a remark, too.
    /// - `L-DUP-SA`: the same after a re-key within one IKE SA, of which no delete is seen.
    /// - `P1-NOTIFY`, `P2-REJECT`, `V2-CLEAR-ERROR`: an INVALID-SPI that can only be about IKE.
    /// - `N-NAT-MULTI`: two clients behind one address, one SA each.
    /// - `L-STALE-SA`: one end lost all its state.
    T_SPI_UNKNOWN = "T-SPI-UNKNOWN", Traffic, Warning;
    title: "traffic uses an SA that the receiver does not have";
    causes: [
        "restart" 0.45 "the receiver restarted or its SAs were cleared, and the sender was not told",
            raised by "a new negotiation that the receiver started", lowered by "";
        "delete" 0.35 "a delete was lost, or the sender ignores deletes",
            raised by "losses elsewhere in the capture", lowered by "";
        "failover" 0.20 "another member of a cluster took over without the SAs",
            raised by "sequence numbers begin again", lowered by "";
    ];
    checks: [
        Either: "compare the SPIs in the capture with those each gateway lists for this tunnel";
        Either: "clear the SAs of this tunnel";
        Either: "enable dead peer detection, and recovery on invalid SPIs where the product has it";
    ];
    logs: [
        "Cisco IOS": "%CRYPTO-4-RECVD_PKT_INV_SPI: decaps: rec'd IPSEC packet has invalid spi" ("Cisco 115801");
        "Cisco PIX": "%PIX-4-402101: decaps: rec'd IPSEC packet has invalid spi" ("Cisco community");
        "Cisco": "Up-No-IKE / crypto isakmp invalid-spi-recovery" ("CON-27");
        "ZyXEL": "!! Cannot find Phase 2 SA / Receive IPSec packet, but no corresponding tunnel exists" ("ZyXEL manuals");
        "Netopia": "Rx discard: unknown SPI" ("NIR-26");
        "racoon": "Unknown IPsec-SA spi=…, hmmmm?" ("racoon source");
        "Cisco ASA": "Received Invalid SPI notify (SPI …)!" ("Cisco ASA syslog reference");
    ];
    sources: [
        "S2S-42", "S2S-60", "CON-27", "CON-32", "NIR-26", "RFC 4301 §4.1", "RFC 2408 §3.14.1", "RFC 7296 §1.5",
    ];
    when: ERROR_NOTIFY, SEVERAL FLOWS, INFORMATIONAL FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let stated = stated(case);
    if stated.is_empty() { left_behind(case).or_else(|| deleted(case)).into_iter().collect() } else { stated }
}

fn stated(case: &Case<'_>) -> Vec<Match> {
    let refusals: Vec<_> = case.attempts().flat_map(|(_, view)| refusals(view)).collect();
    let all: Vec<_> = refusals.iter().map(|refusal| refusal.message).collect();
    let (Some(first), Some(refusal)) = (all.first(), refusals.first()) else { return Vec::new() };
    let from = first.source.ip();
    // RFC 2408 §3.14.1 and RFC 7296 §3.10.1 give it the same number.
    let name = if refusal.is_v2 { ikev2::named(notify::INVALID_SPI) } else { phase1::notify_name(notify::INVALID_SPI) };
    let count = all.iter().map(|message| u64::from(message.repeat_count) + 1).sum();
    let begun = all.iter().map(|message| message.at).min().unwrap_or(first.at);
    let last = all.iter().map(|message| message.last_sent()).max().unwrap_or(first.at);
    let found = Match::on_pair(Confidence::Stated)
        .seen(format!("{from} answered with {name} in clear {}", times(count)))
        .frames(all.iter().take(16).map(|message| message.frame));
    let [there, back] = traffic::ways(case);
    let (to_it, from_it) = if there.to == from { (there, back) } else { (back, there) };
    let stray = count <= STRAY && all.iter().all(|message| just_replaced(&to_it, &from_it, message.at));
    let renewed = |way: &Way<'_>| !way.only(|flow| flow.first > last).is_empty();
    let goes_on = |way: &Way<'_>| !way.only(|flow| flow.first < begun && flow.last > last.after(AHEAD)).is_empty();
    let unnamed = !refusals.iter().any(|refusal| refusal.names_spi);
    let silent = from_it.last().is_none_or(|last| last <= begun.after(AHEAD)) && !renewed(&to_it);
    let long = count > STRAY || to_it.last().is_some_and(|sent| sent.since(begun) >= PATIENCE);
    vec![if !refusals.iter().any(|refusal| refusal.traffic) {
        let mut found = found
            .means(format!("{from} gets packets for an SA that it does not have, and that the capture does not hold, or the notify is about something else"))
            .settle(format!("a capture of ESP and AH to {from}, or its log at that time"));
        found.seen.push_str(", and names an SPI; the capture holds no ESP or AH to it");
        found.confidence = Some(Confidence::Suspected);
        found
    } else if stray {
        found
            .means("a packet came late on an SA that had just been replaced; traffic goes on both ways")
            .severity(Severity::Info)
    } else if renewed(&to_it) && renewed(&from_it) {
        found
            .means("the two ends did not agree on which SAs exist; there are new ones since")
            .severity(Severity::Notice)
    } else if unnamed && goes_on(&to_it) && goes_on(&from_it) {
        found
            .means("it names no SPI of ESP or AH and is not authenticated, and traffic goes on both ways as before: it was forged, or is about something else")
            .severity(Severity::Notice)
    } else {
        let found = found
            .means(format!("{from} gets packets for an SA that it does not have; the notify is not authenticated"));
        if silent && long { refused_to_the_end(found, &to_it) } else { found }
    }]
}

/// The receiver sends nothing itself any more, and there is no new SA: nothing gets through.
fn refused_to_the_end(mut found: Match, to_it: &Way<'_>) -> Match {
    let spis: Vec<_> = to_it.flows.iter().map(|flow| flow.spi.to_string()).collect();
    if let (Some(last), [.., spi]) = (to_it.flows.last(), spis.as_slice()) {
        found.seen.push_str(&format!(
            "; {} still sends on SPI {spi} ({}), and nothing comes back",
            to_it.from,
            number(last.packets, "packet")
        ));
    }
    found.severity(Severity::Error)
}

/// INVALID-SPI in clear.
struct Refusal<'a> {
    message: &'a MessageRecord,
    /// It names an SA of ESP or AH.
    names_spi: bool,
    /// ESP or AH had gone to its sender.
    traffic: bool,
    is_v2: bool,
}

fn refusals(view: View<'_>) -> Vec<Refusal<'_>> {
    [Side::Initiator, Side::Responder]
        .into_iter()
        .flat_map(move |side| view.clear_notifies(side))
        .filter(|said| said.notify_message_type == notify::INVALID_SPI && !said.message.encrypted)
        .map(|said| Refusal {
            message: said.message,
            names_spi: names_spi(&said),
            traffic: answers_traffic(&view.case, said.message),
            is_v2: view.is_v2(),
        })
        .filter(|refusal| refusal.names_spi || refusal.traffic)
        .collect()
}

fn names_spi(notify: &ClearNotify<'_>) -> bool {
    matches!(notify.protocol_id, AH | ESP) || notify.spi_size == 4 || notify.data.len() == 4
}

/// Whether ESP or AH had gone to the sender of `said`.
fn answers_traffic(case: &Case<'_>, said: &MessageRecord) -> bool {
    let latest = said.last_sent().after(AHEAD);
    case.flows_from(said.destination.ip()).any(|flow| flow.first <= latest)
}

/// An INVALID-SPI in clear that is about ESP or AH: it names an SPI of theirs, or answers them. Otherwise it can only be about IKE.
pub(super) fn speaks_of(case: &Case<'_>, said: &ClearNotify<'_>) -> bool {
    said.notify_message_type == notify::INVALID_SPI && (names_spi(said) || answers_traffic(case, said.message))
}

/// Whether an SA of `way` had just been replaced at `at` by one that is in use on, and its receiver goes on sending, too.
fn just_replaced(way: &Way<'_>, back: &Way<'_>, at: Timestamp) -> bool {
    let replaced = |flow: &EspFlow| flow.last <= at.after(AHEAD) && flow.last.after(GRACE) >= at;
    let in_use = |flow: &EspFlow| flow.first <= at.after(AHEAD) && flow.last > at.after(AHEAD);
    way.flows.iter().any(|flow| replaced(flow))
        && way.flows.iter().any(|flow| in_use(flow))
        && back.last().is_some_and(|last| last > at.after(AHEAD))
}

/// A flow that goes on after its SA was deleted, as far as sizes and order tell, while its receiver changed over.
fn deleted(case: &Case<'_>) -> Option<Match> {
    let (_, view, _) = traffic::last_up(case)?;
    let read = informational::read(&view);
    let delete = read.iter().rev().find(|one| one.reading == Reading::Delete)?;
    let at = delete.last_sent();
    let rekeyed = rekeyed_before(&view, at)?;
    // Who gets a delete and answers it has deleted the other half (RFC 7296 §1.4.1).
    let other = Some(delete.message.from.other()).filter(|_| view.is_v2() && delete.is_answered());
    std::iter::once(delete.message.from).chain(other).find_map(|side| {
        let receiver = life_cycle::address(view.attempt, side);
        let [there, back] = traffic::ways(case);
        let (to_it, from_it) = if there.to == receiver { (there, back) } else { (back, there) };
        // The receiver changed over, from one SA to one, and its peer did not.
        let [flow] = to_it.used_since(at.after(AHEAD)).flows[..] else { return None };
        let [newer] = from_it.used_since(at.after(AHEAD)).flows[..] else { return None };
        let replaced = from_it.flows.iter().any(|flow| flow.first < rekeyed && flow.last <= at.after(AHEAD));
        if !replaced || newer.first < rekeyed || flow.first >= rekeyed || flow.last < at.after(GRACE) {
            return None;
        }
        let answered = if side == delete.message.from { String::new() } else { format!(" and that {receiver} answered") };
        let sender = life_cycle::address(view.attempt, delete.message.from);
        Some(
            Match::on_pair(Confidence::Suspected)
                .seen(format!(
                    "{} went on with SPI {} for {} after an encrypted message of {sender} that looks like the delete of the old SA{}, and on no other",
                    to_it.from,
                    flow.spi,
                    span(flow.last.since(at)),
                    answered,
                ))
                .means(format!("{receiver} most likely no longer has that SA and drops what comes on it"))
                .frames([flow.last_frame, delete.message.frame])
                .weigh("delete", 3.0)
                .settle(format!("the list of SPIs on {receiver}")),
        )
    })
}

/// When the last re-key before `at` began: a Quick Mode or CREATE_CHILD_SA that was answered.
fn rekeyed_before(view: &View<'_>, at: Timestamp) -> Option<Timestamp> {
    let rekeys = |exchange: &&Exchange| matches!(exchange.kind, ExchangeKind::QuickMode | ExchangeKind::CreateChildSa);
    let answered = view.exchanges().iter().filter(rekeys).filter(|exchange| exchange.messages.len() > 1);
    answered.filter_map(|exchange| exchange.messages.first()).map(|first| first.at).filter(|begun| *begun <= at).max()
}

/// A flow from before the latest negotiation that goes on after it, while the other direction has changed over.
fn left_behind(case: &Case<'_>) -> Option<Match> {
    let (attempt, view, up) = traffic::last_up(case)?;
    let earlier = case.pair.attempts.get(..attempt)?.iter().any(|attempt| attempt.phase1_up.is_some());
    if !earlier || view.attempt.rekeyed_from.is_some() {
        return None;
    }
    let settled = up.after(GRACE);
    let [there, back] = traffic::ways(case);
    let found = [(&there, &back), (&back, &there)].into_iter().find_map(|(late, other)| {
        let old = late.only(|flow| flow.first < up && flow.last > settled);
        let changed =
            !other.begun_since(up).is_empty() && other.only(|flow| flow.first < up && flow.last > settled).is_empty();
        let flow = old.flows.first().filter(|_| changed)?;
        let by_receiver = view.attempt.initiator.ip() == late.to;
        let found = Match::on_pair(Confidence::Suspected)
            .seen(format!(
                "{} went on with SPI {} for {} after the negotiation that gave {} new SPIs",
                late.from,
                flow.spi,
                span(flow.last.since(up)),
                late.to,
            ))
            .means(format!("{} most likely no longer has that SA and drops what comes on it", late.to))
            .frames([flow.last_frame, view.attempt.last_frame])
            .settle(format!("the list of SPIs on {}", late.to));
        Some(if by_receiver { found.weigh("restart", 2.0) } else { found })
    });
    found.filter(|_| !n_nat_multi::is_seen(case))
}
