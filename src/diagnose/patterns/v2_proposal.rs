//! V2-PROPOSAL: the responder refused every proposal of IKE_SA_INIT.

use std::time::Duration;

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, ClearNotify, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::isakmp::registry;
use crate::track::{IcmpAbout, IcmpFact, IkeVersion, Label, MessageRecord, PayloadDetail, Side};

use super::icmp;
use super::ikev2::{self, notify};
use super::mended::{self, Accepted, mended};
use super::nearest_miss;
use super::phase1::Habits;

/// Transform attribute (RFC 7296 §3.3.5).
const KEY_LENGTH: u16 = 14;

pattern! {
    /// ## What is seen
    ///
    /// An IKE_SA_INIT response in clear that carries NO_PROPOSAL_CHOSEN (14) and no SA.
    ///
    /// ## What it means
    ///
    /// Of everything the initiator offered, nothing was acceptable. The notify never names the algorithm. Several stacks
    /// answer exactly the same when they know no connection for the initiator's address, or when IKEv2 is not enabled for
    /// this peer. The notify is not authenticated. If the responder accepts a later copy of the very request, or a later request, it is
    /// over: what refused was mended, or had not been loaded yet.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-KE-RETRY`: INVALID_KE_PAYLOAD asks for another group and is normal.
    /// - `P1-VERSION`: the peer speaks IKEv1 to us at the same time.
    V2_PROPOSAL = "V2-PROPOSAL", IkeV2, Error;
    title: "the responder refused every proposal of IKE_SA_INIT";
    causes: [
        "differs" 0.67 "an algorithm, the key length or the key exchange group differs",
            raised by "the peer itself starts with another offer; a short or exotic offer",
            lowered by "the offer holds the usual AES-256, SHA-256, group 14";
        "no-profile" 0.20 "the responder has no connection for this address",
            raised by "the source address changed; NAT", lowered by "earlier success from this address";
        "version" 0.10 "IKEv2 is not enabled at the responder for this peer",
            raised by "the peer sends IKEv1 itself", lowered by "the peer sends IKEv2 itself";
        "starting" 0.01 "its IKE daemon has just started, and its configuration is not loaded yet",
            raised by "it accepted this offer before, and its port was closed a moment ago", lowered by "nothing shows a restart";
        "changed" 0.02 "the responder's configuration for this peer was changed or taken out since it accepted the same offer from here",
            raised by "it accepted this offer from the same address before", lowered by "it never accepted it";
    ];
    checks: [
        Responder: "compare its configuration for this peer with what it was when it accepted this offer" about "changed";
        Responder: "put its IKEv2 proposal for this peer beside the offer: encryption with key length, PRF, integrity and group must match in one set" about "differs";
        Responder: "make sure that a connection for the initiator's address exists, and for IKEv2";
        Initiator: "offer a set that the responder has; do not rely on defaults of either product" about "differs";
        Initiator: "try again, or let it go on trying, in case it asked while the responder was starting" about "starting";
    ];
    logs: [
        "strongSwan": "received proposals unacceptable / no IKE config found for …, sending NO_PROPOSAL_CHOSEN" ("strongSwan source");
        "libreswan": "no local proposal matches remote proposals" ("libreswan source");
        "strongSwan": "received NO_PROPOSAL_CHOSEN notify error" ("strongSwan log");
        "Fortinet": "no SA proposal chosen" ("FortiGate guides");
        "AWS": "No Proposal Match Found by AWS" ("AWS log-contents");
        "Azure": "IkePolicyMismatch" ("Azure network-watcher-troubleshoot-overview");
        "HP-UX": "no proposal chosen" ("HP-UX IPSec admin guide");
        "libreswan": "no proposal chosen from:1:IKE:…" ("libreswan log");
    ];
    sources: ["S2S-02", "S2S-43", "RFC 7296 §2.7", "RFC 7296 §3.10.1"];
    when: V2 ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let habits = Habits::of(case);
    let accepted = ikev2::attempts(case).filter(|(_, view)| ikev2::went_along(view).is_some());
    let accepted = Accepted::of(accepted.map(|(_, view)| view.attempt));
    let mut compared = false;
    let found = ikev2::unproven(case)
        .filter_map(|(index, view)| {
            let found = refused(&habits, index, &view)?;
            if let Some(later) = accepted.same_after(view.attempt) {
                return Some(mended::recalled(found, later).rule_out(&["changed"]).weigh("starting", 20.0));
            }
            let found = ikev2::recalled(found, accepted.after(view.attempt).is_some());
            // Equal findings of a pair are told once: one comparison is enough.
            Some(match std::mem::replace(&mut compared, true) {
                true => found.rule_out(&["changed"]),
                false => beside(case, &view, found),
            })
        })
        .collect();
    let mut found = ikev2::tempered(case, found);
    found.extend(ikev2::attempts(case).filter_map(|(_, view)| refused_until(&view)));
    found
}

/// The request was refused several times, and accepted in the end.
fn refused_until(view: &View<'_>) -> Option<Match> {
    let round = ikev2::accepted(view.attempt)?;
    let refusals = view.clear_notifies(Side::Responder).filter(refuses).map(|notify| notify.message);
    let said = ikev2::named(notify::NO_PROPOSAL_CHOSEN);
    let found = mended(round.request?, refusals, &said, round.response?)?;
    Some(found.rule_out(&["changed"]).weigh("no-profile", 2.0).weigh("starting", 20.0))
}

fn refuses(notify: &ClearNotify<'_>) -> bool {
    notify.notify_message_type == notify::NO_PROPOSAL_CHOSEN && notify.message.label == Label::SA_INIT_RSP
}

fn refused(habits: &Habits<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let notify = view.clear_notifies(Side::Responder).find(refuses)?;
    if view.attempt.chosen.is_some() {
        return None;
    }
    let request = view.message(Label::SA_INIT_REQ);
    let mut found = Match::on(index, Confidence::Stated)
        .seen(format!(
            "the responder answered IKE_SA_INIT with NO_PROPOSAL_CHOSEN (14) in clear, {}",
            times(u64::from(notify.message.repeat_count) + 1)
        ))
        .means("nothing in the offer fits the responder, or it has no connection for this peer; the notify does not tell which")
        .frames(request.map(|request| request.frame))
        .frames([notify.message.frame]);
    let peer = habits.at(view.attempt.responder.ip());
    match (peer.speaks(IkeVersion::V1), peer.speaks(IkeVersion::V2)) {
        (Some((_, own)), None) => {
            found.seen.push_str(if own {
                "; it starts with IKEv1 itself"
            } else {
                "; it accepts IKEv1 from the same peer"
            });
            found = found.weigh("version", 15.0);
        }
        (_, Some(_)) => found = found.weigh("version", 0.1),
        (None, None) => {}
    }
    if view.attempt.nat.behind(Side::Initiator) == Some(true) {
        found = found.weigh("no-profile", 1.5);
    }
    if let Some(misfit) = request.and_then(misfit) {
        found.seen.push_str(&misfit);
        found = found
            .means("the key exchange value does not fit its group, which may be the reason; the notify does not tell");
    }
    Some(if is_usual(view) { found.weigh("differs", 0.6) } else { found })
}

/// How a key exchange value and its group disagree (RFC 7296 §3.4).
fn misfit(request: &MessageRecord) -> Option<String> {
    request.carried.iter().find_map(|payload| {
        let PayloadDetail::KeyExchange { group: Some(number), length } = payload.detail else { return None };
        let (expected, _) = registry::group_public_lens(number)?;
        let group = ikev2::group(number);
        (length != expected)
            .then(|| format!("; its key exchange value for {group} has {length} octets and should have {expected}"))
    })
}

/// The offer, beside what the responder takes.
fn beside(case: &Case<'_>, view: &View<'_>, mut found: Match) -> Match {
    if let Some(offer) = nearest_miss::offer(view.attempt) {
        found.seen.push_str(&format!("; the offer is {offer}"));
    }
    let Some(miss) = nearest_miss::of(case, view) else {
        return found.rule_out(&["changed"]).settle(
            "the responder's IKEv2 proposal for this peer, or an attempt that it starts itself, while capturing",
        );
    };
    found.means = format!("{}. {}", found.means, miss.sentence).into();
    found.frames.push(miss.frame);
    if miss.changes > 0 {
        return found.weigh("differs", 2.0).rule_out(&["changed"]);
    }
    found = match miss.accepted_before {
        true => found.weigh("changed", 60.0).weigh("no-profile", 0.3),
        false => found.weigh("no-profile", 8.0).rule_out(&["changed"]),
    };
    match closed_before(view) {
        Some(ago) => {
            let closed =
                format!("; it said {} before that this port is closed, as it is until a daemon has started", span(ago));
            found.seen.push_str(&closed);
            found.weigh("differs", 0.05).weigh("starting", 400.0)
        }
        // Or its port was closed before the capture saw it.
        None if miss.accepted_before => found.weigh("differs", 0.3).weigh("starting", 20.0),
        None => found.weigh("differs", 0.3),
    }
}

/// How long before it refused the offer the responder's own host called the port closed, if not longer than a start takes.
fn closed_before(view: &View<'_>) -> Option<Duration> {
    let refused = view.messages().find(|message| message.from == Side::Responder)?.at;
    let responder = view.attempt.responder.ip();
    let closed = |fact: &&IcmpFact| {
        let about_ike = matches!(fact.about, IcmpAbout::Isakmp { .. });
        let itself = [fact.from, fact.quoted_destination] == [responder; 2];
        icmp::is_no_port(fact) && about_ike && itself && fact.last <= refused
    };
    let ago = view.case.pair.icmp_errors.iter().filter(closed).map(|fact| refused.since(fact.last)).min();
    ago.filter(|&ago| ago <= STARTING)
}

/// How long a daemon may take from its start to its configuration.
const STARTING: Duration = Duration::from_secs(60);

/// The offer holds what nearly every responder takes: AES-CBC or AES-GCM of 256 bits, SHA2-256, a 2048-bit group.
fn is_usual(view: &View<'_>) -> bool {
    view.attempt.offered.iter().any(|proposal| {
        let has = |transform_type: u8, ids: &[u16]| {
            proposal
                .transforms
                .iter()
                .any(|transform| transform.transform_type == transform_type && ids.contains(&transform.transform_id))
        };
        let long_key = proposal.transforms.iter().any(|transform| {
            transform.transform_type == 1
                && matches!(transform.transform_id, 12 | 20)
                && transform.attribute(KEY_LENGTH) == Some(256)
        });
        long_key && has(2, &[5]) && has(4, &[14])
    })
}
