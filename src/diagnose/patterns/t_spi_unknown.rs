//! T-SPI-UNKNOWN: ESP on an SA that the receiver does not have.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::Side;

use super::traffic::{self, GRACE};

/// RFC 2408 §3.14.1 and RFC 7296 §3.10.1 give it the same number.
const INVALID_SPI: u16 = 11;

pattern! {
    /// ## What is seen
    ///
    /// The receiver says so in clear (INVALID-SPI, 11), or one side goes on sending with an old SPI more than 30 s after
    /// a new negotiation, while the other side has changed to new SPIs.
    ///
    /// ## What it means
    ///
    /// The two ends no longer agree on which SAs exist. SPIs are agreed under encryption, so "unknown" is read from the
    /// order in time, or from the notify, which anybody could have sent.
    ///
    /// ## Look-alikes
    ///
    /// - A few packets on the old SPI right after a re-key are normal.
    /// - `L-DUP-SA`: the same after a re-key within one IKE SA.
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
        "racoon": "Unknown IPsec-SA spi=%u, hmmmm?" ("racoon source");
        "Cisco ASA": "Received Invalid SPI notify (SPI …)!" ("Cisco ASA syslog reference");
    ];
    sources: [
        "S2S-42", "S2S-60", "CON-27", "CON-32", "NIR-26", "RFC 4301 §4.1", "RFC 2408 §3.14.1", "RFC 7296 §1.5",
    ];
    when: ERROR_NOTIFY, SEVERAL FLOWS;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let stated = stated(case);
    if stated.is_empty() { left_behind(case).into_iter().collect() } else { stated }
}

fn stated(case: &Case<'_>) -> Vec<Match> {
    let notifies = |view: View<'_>| {
        [Side::Initiator, Side::Responder]
            .into_iter()
            .flat_map(move |side| view.clear_notifies(side))
            .filter(|notify| notify.notify_message_type == INVALID_SPI && !notify.message.encrypted)
            .map(|notify| (notify.message.frame, notify.message.source.ip(), notify.message.repeat_count))
            .collect::<Vec<_>>()
    };
    let all: Vec<_> = case.attempts().flat_map(|(_, view)| notifies(view)).collect();
    let Some(&(_, from, _)) = all.first() else { return Vec::new() };
    let count = all.iter().map(|(_, _, repeats)| u64::from(*repeats) + 1).sum();
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!("{from} answered with INVALID-SPI (11) in clear {}", times(count)))
            .means(format!("{from} gets packets for an SA that it does not have; the notify is not authenticated"))
            .frames(all.iter().take(16).map(|(frame, _, _)| *frame)),
    ]
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
    [(&there, &back), (&back, &there)].into_iter().find_map(|(late, other)| {
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
    })
}
