//! N-NAT-MULTI: two clients behind one public address get in each other's way.

use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::{Label, MessageRecord, Side};

use super::nat;
use super::traffic::{self, AHEAD, GRACE, Way};

pattern! {
    /// ## What is seen
    ///
    /// Two IKE SAs from one public address, from different ports. From the moment the second one is up the first one goes
    /// on asking and is no longer answered. Or, where the NAT keeps the ports, the SAs of both are used at the same time, and
    /// from the moment the second one is up nothing comes back any more on those of the first.
    ///
    /// ## What it means
    ///
    /// Two clients share the address, and the NAT or the gateway cannot keep them apart: an ESP helper in the NAT serves
    /// one client, transport mode (L2TP) cannot tell them apart, or the gateway keeps one peer per address.
    ///
    /// ## Look-alikes
    ///
    /// - Several clients behind one NAT, with tunnel mode and NAT traversal, work: nothing is reported.
    /// - One client that came back from another port after its mapping changed (`N-MAPPING-CHANGED`) does not go on
    ///   asking under its old SPIs.
    N_NAT_MULTI = "N-NAT-MULTI", Path, Warning;
    title: "two clients behind one public address seem to get in each other's way";
    causes: [
        "unique" 0.45 "the gateway keeps one peer per address, or one per identity, and throws out the first", raised by "both use the same identity", lowered by "the first one is gone without a delete from the gateway";
        "helper" 0.30 "an IPsec helper (pass-through, ALG) in the NAT serves one client only", raised by "native ESP, or port 500 kept by the NAT", lowered by "both on UDP 4500";
        "transport" 0.25 "transport mode clients (L2TP) behind one NAT", raised by "Windows or L2TP clients", lowered by "tunnel mode";
    ];
    checks: [
        Path: "turn off the NAT's IPsec helper or pass-through";
        Responder: "allow several peers from one address, and give each client its own identity";
        Either: "use NAT traversal everywhere, and IKEv2 or tunnel mode instead of L2TP";
    ];
    logs: [
        "GCP": "PEER_IDENTITY_MISMATCH: Peer identity does not match peer IP, probably behind NAT" ("Google Cloud VpnTunnel.Status reference");
    ];
    sources: ["RFC 3948 §5", "RFC 3715 §2.1"];
    when: SEVERAL NAT, SEVERAL PORT;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let up: Vec<(usize, View<'_>)> = case
        .attempts()
        .filter(|(_, view)| {
            view.attempt.phase1_up.is_some()
                && !view.one_sided()
                && (nat::detected(view) || nat::rewritten_port(view).is_some())
        })
        .collect();
    if up.len() < 2 {
        return Vec::new();
    }
    let ways = traffic::ways(case);
    let one_after_the_other = up.iter().zip(up.iter().skip(1));
    one_after_the_other
        .filter_map(|((index, first), (_, second))| {
            found(*index, first, second).or_else(|| traffic_taken_over(&ways, *index, first, second))
        })
        .collect()
}

/// Whether two clients behind one address are the better reading of a pair.
pub(super) fn is_seen(case: &Case<'_>) -> bool {
    !check(case).is_empty()
}

/// The first client goes on sending on its SA beside the second one, and what came back to it stops with the second one.
fn traffic_taken_over(ways: &[Way<'_>; 2], index: usize, first: &View<'_>, second: &View<'_>) -> Option<Match> {
    let second_up = second.attempt.phase1_up?;
    let address = first.attempt.initiator.ip();
    if address != second.attempt.initiator.ip() || second.attempt.rekeyed_from.is_some() {
        return None;
    }
    let [there, back] = ways;
    let (out, back) = if there.from == address { (there, back) } else { (back, there) };
    let settled = second_up.after(GRACE);
    let asks = out.begun_between(first.attempt.first, second.attempt.first);
    let answers = back.begun_between(first.attempt.first, second.attempt.first);
    let others = out.begun_between(second_up, settled);
    // Who changes from one SA to another may need a while, and does not go on asking on both.
    let (asked, other) = (asks.last()?, others.last()?);
    let long = asked.min(other) > settled;
    let in_vain = || traffic::unanswered_alike(&asks, &answers, answers.last()?);
    let both_used = long || asked.min(other) > second_up.after(PATIENCE) && in_vain().is_some();
    let others_answered = !back.begun_between(second_up, settled).is_empty();
    let stopped = answers.last()? <= second_up.after(AHEAD) && answers.last()?.after(GRACE) >= second_up;
    (both_used && others_answered && stopped).then(|| {
        Match::on(index, Confidence::Suspected)
            .seen(format!(
                "{address} used the SAs of two negotiations side by side, those of the first for {} after the second came up; nothing came back on the first since then",
                span(asks.last().map_or(Duration::ZERO, |last| last.since(second_up))),
            ))
            .means("the second client seems to have taken the first one's place at the gateway or in the NAT")
            .frames(asks.frames())
            .frames([second.attempt.first_frame])
            .settle("the log of the gateway: does it drop the first client when the second one connects?")
    })
}

fn found(index: usize, first: &View<'_>, second: &View<'_>) -> Option<Match> {
    let second_up = second.attempt.phase1_up?;
    if first.attempt.initiator.ip() != second.attempt.initiator.ip() || nat::last_port(first) == nat::last_port(second)
    {
        return None;
    }
    let answered = first.messages().any(|message| message.from == Side::Responder && message.at > second_up);
    let asks = nat::in_order(first)
        .into_iter()
        .find(|message| message.from == Side::Initiator && message.at > second_up && is_question(message))?;
    let waited = first.waited(asks);
    if answered || !waited.is_silence() {
        return None;
    }
    Some(
        Match::on(index, Confidence::Suspected)
            .seen(format!(
                "the first SA, from {}, asks {} after a second one came up from the same address and another port, and is not answered in {}",
                asks.source,
                times(waited.copies),
                span(waited.over + waited.after),
            ))
            .means("the second client seems to have taken the first one's place at the gateway or in the NAT")
            .frames(first.frames(asks))
            .frames([second.attempt.first_frame])
            .settle("the log of the gateway: does it drop the first client when the second one connects?"),
    )
}

fn is_question(message: &MessageRecord) -> bool {
    matches!(message.label, Label::Inf | Label::Qm(1) | Label::Request(_))
}
