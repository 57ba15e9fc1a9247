//! P1-VERSION: one side speaks IKEv1, the other IKEv2.

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::diagnose::{Confidence, Severity};
use crate::track::{IkeVersion, Side};

use super::ikev2;
use super::phase1::{self, Habits, Standing, notify};

pattern! {
    /// ## What is seen
    ///
    /// The responder answers message 1 of IKEv1 in clear with INVALID-MAJOR-VERSION (5) or INVALID-MINOR-VERSION (6), in
    /// IKEv1 or in an IKEv2 message with the same initiator SPI; or it refuses or ignores one version while the same two peers get further with the other one, or it starts with the
    /// other one itself.
    ///
    /// ## What it means
    ///
    /// One end is configured for IKEv1, the other for IKEv2. Few responders say so: many answer NO-PROPOSAL-CHOSEN (14), or
    /// nothing. Both versions between the same two addresses give it away.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-PROPOSAL`, `V2-PROPOSAL`: the version is right and the algorithms differ.
    /// - A peer that tries both versions, one after the other, and would take either.
    /// - `P1-NOTIFY`: the same notify after message 2, which had gone along with the version.
    P1_VERSION = "P1-VERSION", Phase1, Error;
    title: "the peer does not take this version of IKE";
    causes: [
        "version" 0.90 "one end is set to IKEv1, the other to IKEv2", raised by "the notify; each side starts its own version", lowered by "one side tries both";
        "migration" 0.10 "this version is only half configured for the peer",
            raised by "both versions are answered", lowered by "one version is never answered";
    ];
    checks: [
        Either: "set the same version; prefer IKEv2";
        Responder: "look whether its policy drops or rejects the other version for this peer";
    ];
    logs: [
        "strongSwan": "received unsupported IKE version …, sending INVALID_MAJOR_VERSION" ("strongSwan source");
        "racoon": "invalid major version …." ("racoon source");
        "Huawei": "5: version mismatch / 26: unsupported version" ("Huawei ALM-303046755");
    ];
    sources: ["RFC 2408 §3.14.1", "RFC 2408 §5.2", "RFC 7296 §2.5"];
    misses: Messages;
    when: V1 ERROR_NOTIFY, V1 V2;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let habits = Habits::of(case);
    case.attempts()
        .filter(|(_, view)| view.attempt.phase1_up.is_none() && !view.attempt.midstream && !view.one_sided())
        .filter_map(|(index, view)| {
            let found = stated(&habits, index, &view).or_else(|| by_the_other(&habits, index, &view))?;
            let own = if is_explained(&found) { P1_VERSION.severity } else { Severity::Notice };
            Some(found.severity(standing.severity(&view, own)))
        })
        .collect()
}

/// The peer says that it does not speak this version, or its other version explains why it does not answer.
pub(super) fn explains<'a>(habits: &Habits<'a>, view: &View<'a>) -> bool {
    habits.refused_in_v2(view).is_some() || by_the_other(habits, 0, view).is_some_and(|found| is_explained(&found))
}

fn is_explained(found: &Match) -> bool {
    found.confidence > Some(Confidence::Suspected)
}

fn stated<'a>(habits: &Habits<'a>, index: usize, view: &View<'a>) -> Option<Match> {
    if view.is_v2() {
        // V2-VERSION.
        return None;
    }
    let accepted = phase1::accepted_at(view);
    let refusal = view.clear_errors(Side::Responder).find(|refusal| {
        matches!(refusal.notify_message_type, notify::INVALID_MAJOR_VERSION | notify::INVALID_MINOR_VERSION)
            // P1-NOTIFY.
            && !phase1::was_accepted(accepted, refusal.message)
    });
    let (refusal, what, how) = match refusal {
        Some(refusal) => (refusal.message, phase1::notify_name(refusal.notify_message_type), ""),
        None => (habits.refused_in_v2(view)?, ikev2::named(notify::INVALID_MAJOR_VERSION), ", in an IKEv2 message"),
    };
    let first = view.messages().find(|message| message.from == Side::Initiator)?;
    Some(
        Match::on(index, Confidence::Stated)
            .seen(format!(
                "the responder answered {} with {what} in clear{how}, {}",
                first.label,
                times(u64::from(refusal.repeat_count) + 1),
            ))
            .means("the responder does not speak IKEv1 with this peer")
            .frames([first.frame, refusal.frame]),
    )
}

/// One version is refused or ignored by a peer that speaks the other one, and was never seen to speak this one.
fn by_the_other(habits: &Habits<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let responder = view.attempt.responder.ip();
    let peer = habits.at(responder);
    let (tried, name, other, other_name) = match view.attempt.version {
        IkeVersion::V1 => (IkeVersion::V1, "IKEv1", IkeVersion::V2, "IKEv2"),
        IkeVersion::V2 => (IkeVersion::V2, "IKEv2", IkeVersion::V1, "IKEv1"),
    };
    let (evidence, own) = peer.speaks(other)?;
    if view.attempt.chosen.is_some() || peer.speaks(tried).is_some() {
        return None;
    }
    let first = view.messages().next()?;
    let refused = view.clear_notifies(Side::Responder).find(|notify| {
        notify::REFUSALS.contains(&notify.notify_message_type)
            && (!view.is_v2() || notify.notify_message_type == notify::NO_PROPOSAL_CHOSEN)
    });
    let how = match &refused {
        Some(refusal) if view.is_v2() => format!("was refused with {}", ikev2::named(refusal.notify_message_type)),
        Some(refusal) => format!("was refused with {}", phase1::notify_name(refusal.notify_message_type)),
        None if view.heard(Side::Responder) => return None,
        None => {
            phase1::silence_after(view, first)?;
            "was not answered".into()
        }
    };
    let what = if own { "itself starts" } else { "accepts" };
    // Who says nothing may have other reasons (the offer, the mode, a filter), unless it never begins otherwise.
    let sure = refused.is_some() || own;
    let settle = (!sure).then(|| format!("the log of {responder}: whether it knows {name} for this peer"));
    let mut found = Match::on(index, if sure { Confidence::Inferred } else { Confidence::Suspected })
        .seen(format!("{} of {name} {how}; {responder} {what} {other_name} with the same peer", first.label))
        .means(match sure {
            true => format!("{responder} wants {other_name} from this peer"),
            false => format!("{responder} wants {other_name} from this peer, or what was sent was lost"),
        })
        .frames([first.frame])
        .frames(refused.map(|refusal| refusal.message.frame))
        .frames([evidence.first_frame]);
    found.settle = settle.map(Into::into);
    Some(found)
}
