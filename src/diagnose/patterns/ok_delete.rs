//! OK-DELETE: an SA was deleted in good order.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::span;
use crate::track::{ExchangeKind, Label, Side};

use super::informational::{self, Informational, Reading};
use super::nat;

/// An SA that came up no longer than this before another was deleted takes its place.
const IN_ITS_PLACE: Duration = Duration::from_secs(60);
/// So many older SAs may go on beside one.
const BESIDE: usize = 8;
/// Quiet shorter than this is not worth a number.
const SHORT: Duration = Duration::from_secs(1);

pattern! {
    /// ## What is seen
    ///
    /// An encrypted Informational of the size of a delete (IKEv1), or one that says in clear that a Delete comes first (IKEv2,
    /// the next payload of SK); after it the IKE SA, or the ESP that ran before it, is not used any more. Often two in a row:
    /// one for the IPsec SA, one for the IKE SA.
    ///
    /// ## What it means
    ///
    /// One side took the tunnel down, or cleaned up after re-keying: an idle timeout, a lifetime, an administrator.
    ///
    /// ## Look-alikes
    ///
    /// - `OK-DPD`: liveness checks of IKEv1 have the same size in some suites; they are answered, and the SA is used afterwards.
    /// - `L-DELETE-AFTER-P1`, `L-DELETE-STORM`, `L-FLAP`: deletes that come too early or too often.
    OK_DELETE = "OK-DELETE", Normal, Info;
    title: "an SA was deleted in good order";
    causes: [
        "rekey" 0.40 "clean-up after re-keying", raised by "a new SA came up right before", lowered by "no traffic goes on";
        "idle" 0.35 "idle timeout or end of the session", raised by "no traffic for a while before", lowered by "traffic until right before";
        "admin" 0.25 "an administrator or a restart", raised by "traffic until right before", lowered by "a new SA came up right before";
    ];
    checks: [];
    logs: [
        "Cisco PIX": "processing DELETE payload" ("PIX-38");
        "AWS": "AWS tunnel received DELETE for Phase 2 SA" ("AWS log-contents");
        "Check Point": "Informational Exchange Received Delete IKE-SA from Peer" ("Check Point log sample");
        "Cisco ASA": "IKE Received delete for rekeyed SA" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-38", "PIX-39", "PIX-51", "RFC 2408 §3.15", "RFC 7296 §1.4.1"];
    when: INFORMATIONAL;
    check: check
}

/// Whether the tunnel of a pair was taken down: one side took leave, and no other IKE SA of the pair lives on.
pub(in crate::diagnose) fn is_taken_down(case: &Case<'_>) -> bool {
    case.is_taken_down(|| read_taken_down(case))
}

fn read_taken_down(case: &Case<'_>) -> bool {
    let leaves: Vec<Option<Timestamp>> = case.attempts().map(|(_, view)| leave(&view)).collect();
    let Some(last) = leaves.iter().flatten().max() else { return false };
    !case.attempts().zip(&leaves).any(|((_, view), leave)| leave.is_none() && lives_on(&view, *last))
}

/// When the tunnel of an attempt was taken down.
fn leave(view: &View<'_>) -> Option<Timestamp> {
    let deletes = in_good_order(view);
    deletes.last().filter(|_| ends(view, &deletes)).map(|last| last.message.at)
}

/// Whether an IKE SA that came up, or was up before the capture, goes on after `at`: both sides are heard under it, or it came up
/// but a moment before, to take the place of the one that was deleted then.
fn lives_on(view: &View<'_>, at: Timestamp) -> bool {
    let up = view.tunnel_up().or(view.attempt.phase1_up);
    if up.is_none() && !view.attempt.midstream {
        return false;
    }
    let heard = |side| view.messages().any(|message| message.from == side && message.at > at);
    up.is_some_and(|up| up.after(IN_ITS_PLACE) >= at) || (heard(Side::Initiator) && heard(Side::Responder))
}

/// The deletes of an attempt that had come up, in good order.
fn in_good_order<'a>(view: &View<'a>) -> Vec<Informational<'a>> {
    // A delete before anything was up belongs to the failure that it follows.
    if view.tunnel_up().is_none() && view.attempt.rekeyed_from.is_none() && !view.attempt.midstream {
        return Vec::new();
    }
    let mut read = informational::read(view);
    // A peer that no longer answers is not taken leave of in good order.
    if read.iter().any(|one| one.reading == Reading::Question { answered: false }) {
        return Vec::new();
    }
    read.retain(|one| one.reading == Reading::Delete);
    read
}

/// Whether nothing goes on after the last of these deletes: no IKE and no traffic; or in IKEv1, where phase 1 may stay, no
/// Quick Mode is left that was not deleted.
fn ends(view: &View<'_>, deletes: &[Informational<'_>]) -> bool {
    let Some(last) = deletes.last().filter(|last| !last.traffic_after) else { return false };
    if !last.ike_after {
        return true;
    }
    let quick_modes = || view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::QuickMode);
    let goes_on = quick_modes().any(|quick| quick.messages.iter().any(|message| message.at > last.message.at));
    let complete = quick_modes().filter(|quick| quick.messages.iter().any(|message| message.label == Label::Qm(3)));
    let gone = deletes.iter().filter(|one| one.deletes_ipsec()).count();
    gone > 0 && gone >= complete.count() && !goes_on && !view.is_v2()
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    for (index, view) in case.attempts() {
        let deletes = in_good_order(&view);
        let Some(last) = deletes.last() else { continue };
        // Where an older SA goes on, this one was one too many.
        let older = || (index.saturating_sub(BESIDE)..index).filter_map(|other| case.view(other));
        let beside = || older().any(|other| lives_on(&other, last.message.at));
        let farewell = ends(&view, &deletes) && !beside();
        let sender = nat::name(last.message.from);
        let told = deletes.iter().all(|one| one.told);
        let seen = case.in_words(|| match (deletes.len(), told) {
            (1, true) => format!("an encrypted message from {sender} begins with a Delete"),
            (several, true) => {
                format!("{several} encrypted messages begin with a Delete; the last is from {sender}")
            }
            (1, false) => {
                format!("an encrypted message from {sender} looks like a delete, by its size and what follows")
            }
            (several, false) => format!(
                "{several} encrypted messages look like deletes, by size and what follows; the last is from {sender}"
            ),
        });
        let confidence = if told { Confidence::Inferred } else { Confidence::Suspected };
        let quiet = case.end().since(last.last_sent());
        let matched = if farewell {
            Match::on(index, confidence)
                .seen(case.in_words(|| match quiet < SHORT {
                    true => format!("{seen}; the capture ends with it"),
                    false if last.ike_after => format!("{seen}; no ESP and no Quick Mode in the {} since", span(quiet)),
                    false => format!("{seen}; nothing was sent under these SAs in the {} since", span(quiet)),
                }))
                .means(case.in_words(|| format!("{sender} most likely took the tunnel down")))
                .weigh("rekey", 0.3)
        } else {
            // The tunnel lives on: that it is up says more about the attempt.
            Match::on_pair(confidence)
                .seen(case.in_words(|| format!("{seen}; the tunnel goes on")))
                .means("clean-up of an SA that is no longer needed")
                .weigh("rekey", 3.0)
        };
        found.push(matched.frames(deletes.iter().map(|one| one.message.frame)));
    }
    found
}
