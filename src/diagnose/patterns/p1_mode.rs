//! P1-MODE: one side wants Main Mode, the other Aggressive Mode.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::{Label, Mode, Side};

use super::phase1::{self, Habits, Standing, notify};

pattern! {
    /// ## What is seen
    ///
    /// Message 1 of Main or Aggressive Mode is answered in clear by INVALID-EXCHANGE-TYPE (7) or
    /// UNSUPPORTED-EXCHANGE-TYPE (29); or it is not answered at all while the same peer starts with the other mode itself.
    ///
    /// ## What it means
    ///
    /// One end is configured for Main Mode, the other for Aggressive Mode. Many responders drop the wrong mode without a
    /// word; then only the peer's own attempts give it away.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-NO-REPLY`: silence for any other reason.
    /// - `P1-AGGR-AUTH`: some responders answer an Aggressive Mode that they do not allow with AUTHENTICATION-FAILED (24), the
    ///   same as for an identity that they do not know.
    /// - `P1-AUTH-REJECT`: some responders find out at message 5 only.
    /// - `P1-NOTIFY`: the same notify after message 2, which had gone along with the mode.
    P1_MODE = "P1-MODE", Phase1, Error;
    title: "one side uses Main Mode, the other Aggressive Mode";
    causes: [
        "mode" 0.90 "one end is set to Main Mode, the other to Aggressive Mode", raised by "the notify; the peer starts with the other mode itself", lowered by "the peer answers this mode at other times";
        "unknown" 0.10 "the responder has no configuration for this peer and only seems to refuse the mode",
            raised by "silence without any attempt of the peer", lowered by "the notify";
    ];
    checks: [
        Either: "set the same mode; prefer Main Mode, or IKEv2, which knows no modes";
        Responder: "if the initiator's address changes, Main Mode with a shared key cannot work: use certificates or IKEv2 rather than Aggressive Mode";
    ];
    logs: [
        "SMG": "Messages have differing exchange types" ("SMG-12");
        "racoon": "exchange … not allowed in any applicable rmconf." ("racoon source");
        "racoon": "exchange type is mismatched" ("racoon source");
        "strongSwan": "unsupported exchange type" ("strongSwan source");
        "Huawei": "32: exchange mode mismatch" ("Huawei ALM-303046755");
        "SonicWALL": "ISAKMP_N_INVALID_EXCHANGE_TYPE(7)" ("public forum log");
    ];
    sources: ["SMG-12", "SMG-32", "CON-20", "RFC 2408 §3.14.1", "RFC 2409 §5"];
    misses: Messages;
    when: V1 ERROR_NOTIFY, V1 UNHEARD;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let habits = Habits::of(case);
    phase1::attempts(case)
        .filter(|(_, view)| view.attempt.phase1_up.is_none())
        .filter_map(|(index, view)| {
            Some((stated(index, &view).or_else(|| by_the_peer_itself(&habits, index, &view))?, view))
        })
        .map(|(found, view)| {
            let severity = standing.severity(&view, P1_MODE.severity);
            found.severity(severity)
        })
        .collect()
}

/// The peer's own mode explains why it does not answer this one.
pub(super) fn explains(habits: &Habits<'_>, view: &View<'_>) -> bool {
    by_the_peer_itself(habits, 0, view).is_some()
}

fn stated(index: usize, view: &View<'_>) -> Option<Match> {
    let accepted = phase1::accepted_at(view);
    let refusal = view.clear_errors(Side::Responder).find(|refusal| {
        matches!(refusal.notify_message_type, notify::INVALID_EXCHANGE_TYPE | notify::UNSUPPORTED_EXCHANGE_TYPE)
            // P1-NOTIFY.
            && !phase1::was_accepted(accepted, refusal.message)
    })?;
    let first = view.messages().find(|message| message.from == Side::Initiator)?;
    Some(
        Match::on(index, Confidence::Stated)
            .seen(format!(
                "the responder answered {} with {} in clear, {}",
                first.label,
                phase1::notify_name(refusal.notify_message_type),
                times(view.times_said(&refusal)),
            ))
            .means(format!("the responder does not do {} with this peer", name(view.attempt.mode)))
            .frames([first.frame, refusal.message.frame]),
    )
}

/// The first message is not answered, and the silent peer starts with the other mode.
fn by_the_peer_itself(habits: &Habits<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let first = view.messages().next()?;
    if view.heard(Side::Responder) || !matches!(first.label, Label::Mm(1) | Label::Am(1)) {
        return None;
    }
    let peer = habits.at(view.attempt.responder.ip());
    let own = if view.attempt.mode == Mode::Main { peer.starts_aggressive } else { peer.starts_main }?;
    let waited = phase1::silence_after(view, first)?;
    Some(
        Match::on(index, Confidence::Inferred)
            .seen(format!(
                "{} was sent {} without an answer in {}; {} itself starts with {}",
                first.label,
                times(waited.copies),
                span(waited.over + waited.after),
                view.attempt.responder.ip(),
                name(own.mode),
            ))
            .means("the two ends are set to different modes, and each drops the other's")
            .frames(view.frames(first))
            .frames([own.first_frame])
            .weigh("unknown", 0.5),
    )
}

fn name(mode: Mode) -> &'static str {
    match mode {
        Mode::Main => "Main Mode",
        Mode::Aggressive => "Aggressive Mode",
        Mode::IkeV2 => "IKEv2",
        Mode::Unknown => "this mode",
    }
}
