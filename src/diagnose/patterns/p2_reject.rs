//! P2-REJECT: Quick Mode is refused.

use std::time::Duration;

use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::V1Suite;
use crate::diagnose::words::{number, role, span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::IkeVersion;

use super::life_cycle;
use super::p2_pfs::{Difference, FirstMessages};
use super::phase1::{self, notify};
use super::phase2::{self, Accepted, Fate, QuickMode, Standing};

/// No SA is renewed so soon, but by who tries out what happens then.
const LIFETIME: Duration = Duration::from_secs(60);

pattern! {
    /// ## What is seen
    ///
    /// Message 1 of Quick Mode, encrypted, is answered within a moment by an encrypted Informational under another message
    /// id, of a length that fits a notify; no message 2. The same is tried again, or a new one. Or the answer is an error in clear,
    /// which says what it is about and has nobody to vouch for it: then it is no more than suspected.
    ///
    /// ## What it means
    ///
    /// Phase 1 works: keys and identities are right. Phase 2 is refused, and the reason is encrypted. Networks that differ,
    /// algorithms that differ and a missing key exchange (PFS) all look the same, to the octet. What the other side does when
    /// it starts, other Quick Modes that succeed, and the size of message 1 are all that can tell.
    ///
    /// ## Look-alikes
    ///
    /// - A liveness check or a delete that crosses message 1: message 2 follows it.
    /// - `P2-NO-REPLY`: refusal without a word.
    /// - `L-STALE-SA`: INVALID-COOKIE in clear; the other side does not know the SA.
    P2_REJECT = "P2-REJECT", Phase2, Error;
    title: "phase 2 (quick mode) is refused, reason encrypted";
    causes: [
        "selectors" 0.392 "the protected networks (encryption domain, proxy ids) differ: address, mask, protocol or port",
            raised by "other Quick Modes of the pair succeed; the peer starts successfully with narrower networks", lowered by "a freshly configured proposal and one pair of networks";
        "proposal" 0.343 "the ESP or AH proposal differs: cipher, key length, hash, AH against ESP, tunnel against transport mode",
            raised by "the first Quick Mode of this pair; vendors differ", lowered by "other Quick Modes of the pair succeed";
        "pfs" 0.196 "one side wants perfect forward secrecy (PFS) and the other does not, or another group",
            raised by "room for a key exchange in message 1 of one side, and none in that of the other", lowered by "both sides' message 1 has the same size";
        "changed" 0.020 "the configuration of the side that refuses was changed since it accepted the same Quick Mode",
            raised by "it accepted one of the same length before", lowered by "it never accepted any";
        "other" 0.049 "another reason: a limit, a negotiation already under way, the policy bound to another interface", raised by "two Quick Modes that cross", lowered by "it repeats";
    ];
    checks: [
        Either("the side that refuses"): "read the log at that time: it names the reason; the other log only shows the refusal";
        Either("the side that refuses"): "compare what it is configured to now with what it was when the tunnel came up" about "changed";
        Either: "make the protected networks mirror images of each other: same addresses, masks, protocol and port";
        Either: "then compare ESP or AH, cipher with key length, hash, and tunnel or transport mode";
        Either: "then compare PFS: the same group on both ends, or off on both";
    ];
    logs: [
        "SMG": "QM Msg1 sent / Informational Exchange message received" ("SMG-22");
        "Cisco PIX": "IPSEC(validate_transform_proposal): proxy identities not supported" ("PIX-03");
        "Cisco PIX": "transform proposal … not supported / atts not acceptable" ("PIX-10");
        "Cisco ASA": "MM_WAIT_MSG6 briefly, and the tunnel is reset" ("S2S-26");
        "Cisco ASA": "QM FSM error" ("Cisco doc 5409");
        "strongSwan": "no matching CHILD_SA config found" ("strongSwan source");
        "strongSwan": "no matching proposal found, sending NO_PROPOSAL_CHOSEN" ("strongSwan source");
        "strongSwan": "received NO_PROPOSAL_CHOSEN error notify / received INVALID_ID_INFORMATION error notify" ("strongSwan log");
        "libreswan": "received and ignored notification payload: NO_PROPOSAL_CHOSEN" ("libreswan log");
        "Fortinet": "no SA proposal chosen" ("FortiGate guides");
        "racoon, MikroTik": "failed to pre-process ph2 packet" ("racoon source");
        "racoon": "no suitable policy found. / failed to get sainfo." ("racoon source");
        "AWS": "No Proposal Match Found. Notifying with \"No proposal chosen\"" ("AWS log-contents");
        "ZyXEL": "!! Verifying Local ID failed / Verifying Remote ID failed" ("ZyXEL manuals");
        "Huawei": "2: phase2 proposal or pfs mismatch / 4: flow or peer mismatch / 46: flow conflict / 48: netmask mismatch" ("Huawei ALM-303046755");
        "Cisco ASA": "Received non-routine Notify message: …" ("Cisco ASA syslog reference");
        "Cisco ASA": "QM FSM error (P2 struct …)! / Removing peer from correlator table failed, no match!" ("public ASA logs");
        "Cisco ASA": "Session is being torn down. Reason: crypto map policy not found" ("public ASA logs");
        "Cisco ASA": "All IPSec SA proposals found unacceptable!" ("public ASA logs");
        "Fortinet": "IPsec phase 2 error, reason=\"peer SA proposal not match local policy\", mode=\"quick\"" ("FortiOS event log samples");
        "Cisco ASA": "Rejecting new IPsec SA negotiation for peer. A negotiation was already in progress" ("Cisco ASA syslog reference");
        "Cisco ASA": "Tunnel Rejected: The maximum tunnel count allowed has been reached" ("Cisco ASA syslog reference");
        "racoon": "notification INVALID-ID-INFORMATION received in informational exchange." ("racoon log") about "selectors";
        "racoon": "notification NO-PROPOSAL-CHOSEN received in informational exchange." ("racoon log");
    ];
    sources: [
        "SMG-07", "SMG-21", "SMG-22", "SMG-23", "SMG-24", "SMG-25", "SMG-26", "SMG-27", "SMG-29", "SMG-32", "PIX-03", "PIX-06",
        "PIX-08", "PIX-10", "PIX-12", "PIX-15", "PIX-21", "PIX-23", "PIX-24", "PIX-34", "PIX-47", "S2S-26", "S2S-28", "S2S-29",
        "S2S-30", "S2S-34", "S2S-45", "CON-28", "NIR-15", "RFC 2409 §5.5", "RFC 2409 §5.7",
    ];
    misses: Answer;
    when: QUICK_MODE_OPEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let own = FirstMessages::of(case);
    let accepted = Accepted::of(case);
    case.attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1)
        .filter_map(|(index, view)| {
            let quick_modes = phase2::quick_modes(&view);
            let refused: Vec<&QuickMode<'_>> =
                quick_modes.iter().filter(|quick| matches!(quick.fate, Fate::Refused { .. })).collect();
            let Some(last) = refused.last() else {
                return in_clear(index, &view, &quick_modes, &standing);
            };
            let before = refused.first().and_then(|quick| accepted.before(&view, quick));
            let found = refusal(index, &view, &refused, &standing, before)?;
            let mended = accepted.after(&view, last).filter(|_| before.is_none());
            let worst = if last.may_be_greeted(&view) { Severity::Notice } else { P2_REJECT.severity };
            let severity = standing.severity(last.first.at, worst);
            let (found, severity) = match mended {
                None => (found, severity),
                Some(after) => (mended_after(found, after), severity.min(Severity::Notice)),
            };
            let mut differences = refused.iter().filter_map(|quick| own.difference(&view, quick));
            Some(match differences.next() {
                None => found.severity(severity),
                Some(Difference::Groups(..)) => {
                    found.severity(severity).weigh("pfs", 4.0).weigh("selectors", 0.8).weigh("proposal", 0.8)
                }
                // P2-PFS is the error then.
                Some(Difference::KeyExchange(_)) => found
                    .severity(severity.min(Severity::Warning))
                    .means(
                        "phase 1 works; phase 2 is refused, by the lengths of the two sides' messages 1 because of PFS",
                    )
                    .weigh("pfs", 20.0)
                    .weigh("selectors", 0.5)
                    .weigh("proposal", 0.5),
            })
        })
        .collect()
}

/// No key vouches for a refusal in clear.
fn in_clear(index: usize, view: &View<'_>, quick_modes: &[QuickMode<'_>], standing: &Standing) -> Option<Match> {
    let mut refused = quick_modes.iter().filter_map(|quick| match quick.fate {
        Fate::InClear(error) => Some((quick, error)),
        _ => None,
    });
    let (quick, error) = refused.next_back()?;
    let peer = quick.started_by.other();
    let (starter, other, refuser) = (role(quick.started_by), role(peer), life_cycle::address(view.attempt, peer));
    let found = Match::on(index, Confidence::Suspected)
        .seen(format!(
            "QM1 from the {starter} ({} octets) was sent {}; the {other} answered with {} in clear {} later, and no QM2",
            quick.first.length,
            times(u64::from(quick.first.repeat_count) + 1),
            phase1::notify_name(error.notify_message_type),
            span(error.message.at.since(quick.first.at)),
        ))
        .means(format!(
            "phase 1 works; the {other} {refuser} refuses phase 2, if it was the one to say so: in clear anybody can"
        ))
        .frames([quick.first.frame, error.message.frame])
        .about(peer)
        .severity(standing.severity(quick.first.at, P2_REJECT.severity))
        .rule_out(&["changed"])
        .settle(format!("the {other}'s log at that time: whether it sent this, and why"));
    Some(match error.notify_message_type {
        notify::INVALID_ID_INFORMATION => found.weigh("selectors", 8.0),
        notify::INVALID_KEY_INFORMATION => found.weigh("pfs", 8.0),
        said if notify::REFUSALS.contains(&said) => found.weigh("proposal", 3.0),
        _ => found.weigh("other", 40.0),
    })
}

/// One of the same length was accepted so much later.
fn mended_after(mut found: Match, after: Duration) -> Match {
    found.seen.push_str(&format!("; {} later one of the same length was accepted", span(after)));
    found.means("phase 2 was refused, and works since: somebody mended what differed, or it was about other networks")
}

/// `before`: how long before the first of them one like it was accepted.
fn refusal(
    index: usize,
    view: &View<'_>,
    refused: &[&QuickMode<'_>],
    standing: &Standing,
    before: Option<Duration>,
) -> Option<Match> {
    let quick = refused.first()?;
    let Fate::Refused { by, .. } = &quick.fate else { return None };
    let answer = by.first()?;
    let sure = refused.iter().any(|quick| matches!(quick.fate, Fate::Refused { sure: true, .. }));
    // Without the phase 1 before it no length can be read, and an answer may be about anything. Who was not answered asks again.
    let took_answer = view.case.end().since(quick.first.at) >= PATIENCE;
    if !sure && !view.shows_set_up() && quick.first.repeat_count == 0 && refused.len() < 2 && !took_answer {
        return None;
    }
    let peer = quick.started_by.other();
    let (starter, other, refuser) = (role(quick.started_by), role(peer), life_cycle::address(view.attempt, peer));
    let copies = u64::from(quick.first.repeat_count) + 1;
    let mut found = Match::on(index, if sure { Confidence::Inferred } else { Confidence::Suspected })
        .frames([quick.first.frame, answer.frame])
        .about(peer)
        .means(format!(
            "phase 1 works; the {other} {refuser} refuses phase 2, most often for its networks, its proposal or PFS"
        ));
    found.seen = format!(
        "QM1 from the {starter} ({} octets) was sent {}; the {other} answered with {}{}{} later, and no QM2",
        quick.first.length,
        times(copies),
        number(by.len() as u64, "encrypted Informational"),
        if by.len() > 1 { ", the first " } else { " " },
        span(answer.at.since(quick.first.at)),
    );
    if quick.may_be_greeted(view) {
        found.seen.push_str(match V1Suite::chosen(view.attempt) {
            Some(_) => "; an INITIAL-CONTACT would be as long",
            None => "; it stands where an INITIAL-CONTACT would",
        });
    }
    if refused.len() > 1 {
        found
            .seen
            .push_str(&format!("; {} fared alike under this phase 1", number(refused.len() as u64, "Quick Mode")));
    }
    if let Some(since) = before {
        let before = span(since);
        found
            .seen
            .push_str(&format!("; one of the same length that the {starter} started {before} before was accepted"));
        found = if since < LIFETIME {
            found
                .means(format!(
                    "phase 1 works and so does another Quick Mode; the {other} {refuser} refuses networks or proposal of this one, or was configured anew since"
                ))
                .weigh("changed", 8.0)
                .weigh("selectors", 1.2)
        } else {
            found
                .means(format!(
                    "phase 1 works; the {other} {refuser} refuses now what it most likely accepted before: a re-key, or other networks"
                ))
                .weigh("changed", 40.0)
                .weigh("pfs", 0.5)
                .weigh("proposal", 0.5)
        };
    } else if standing.any_success() {
        found.seen.push_str("; another Quick Mode between the two was accepted");
        found.means = format!(
            "phase 1 works and so does another Quick Mode; the {other} {refuser} refuses networks or proposal of this one"
        )
        .into();
        found = found.weigh("selectors", 1.8).weigh("proposal", 0.4).weigh("pfs", 0.5);
    }
    if before.is_none() {
        found = found.rule_out(&["changed"]);
    }
    match phase2::room_for_key_exchange(view, quick.first.length) {
        Some(true) if phase2::group_besides_one_proposal(view, quick.first.length).is_none() => {
            found.seen.push_str("; QM1 has room for a key exchange (PFS), or for several proposals");
        }
        Some(true) => {
            found.seen.push_str("; QM1 has room for a key exchange (PFS)");
            found = found.weigh("pfs", 2.0);
        }
        Some(false) => {
            found.seen.push_str("; QM1 is too short for PFS with the group of phase 1");
            found = found.weigh("pfs", 0.8);
        }
        None => {}
    }
    Some(found.settle(format!("the {other}'s log; or the same started from the {other}, while capturing")))
}
