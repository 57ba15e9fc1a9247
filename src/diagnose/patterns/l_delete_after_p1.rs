//! L-DELETE-AFTER-P1: phase 1 is deleted as soon as it is complete.

use std::time::Duration;

use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::Content;
use crate::diagnose::words::span;
use crate::diagnose::{Confidence, Severity};
use crate::track::{IkeVersion, Label, Side};

use super::informational::{self, Reading};
use super::life_cycle;

/// Later than this it has other reasons.
const AT_ONCE: Duration = Duration::from_secs(5);

pattern! {
    /// ## What is seen
    ///
    /// IKEv1 phase 1 completes. Within seconds one side sends an encrypted Informational of the size of a delete of the
    /// ISAKMP SA, and that SA is not used again: no Quick Mode, no extended authentication.
    ///
    /// ## What it means
    ///
    /// One side finds at the very end that it does not want this SA: the identity is not the one it expects, the peer does
    /// not follow with what it is to do (extended authentication), or it has an SA with this peer and keeps only one. What
    /// is inside cannot be read; an INITIAL-CONTACT notify has the same size.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-INIT-REJECT`: the initiator refuses message 6; the same picture, from the initiator at once.
    /// - `P1-UP-NO-P2`: phase 1 stays and nobody starts phase 2.
    /// - `OK-DELETE`: a delete after the tunnel was in use.
    L_DELETE_AFTER_P1 = "L-DELETE-AFTER-P1", LifeCycle, Error;
    title: "phase 1 is deleted as soon as it is complete";
    causes: [
        "identity" 0.50 "identity or policy is refused at the end of phase 1", raised by "the same each time", lowered by "it worked before";
        "unique" 0.25 "the sender keeps one SA for each peer, and another one is up", raised by "another SA of the pair is up", lowered by "no other SA of the pair";
        "xauth" 0.25 "extended authentication or a client policy was expected and did not come", raised by "an XAUTH vendor id", lowered by "plain site-to-site peers";
    ];
    checks: [
        Either: "read the log of the side that sent the delete: it knows why";
        Initiator: "send the identity that the peer expects (mostly the address)";
        Responder: "make sure that the peer matches a site-to-site profile and not one for clients (XAUTH, mode config)";
    ];
    logs: [
        "Cisco PIX": "processing DELETE payload spi size = 16" ("PIX-33");
        "AWS": "AWS tunnel received DELETE for IKE_SA from CGW" ("AWS log-contents");
        "Cisco ASA": "Connection terminated for peer. Reason: …" ("Cisco ASA syslog reference");
    ];
    sources: ["PIX-33", "PIX-42", "RFC 2408 §3.15", "RFC 2409 §5.7"];
    when: V1_UNUSED INFORMATIONAL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let lives: Vec<usize> = life_cycle::lives(case).iter().map(|life| life.index).collect();
    case.attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1 && !view.attempt.midstream && !view.one_sided())
        .filter_map(|(index, view)| {
            let found = deleted(case, index, &view, &lives)?;
            let over = lives.last().is_some_and(|&up| up > index);
            Some(if over { found.severity(Severity::Notice) } else { found })
        })
        .collect()
}

fn deleted(case: &Case<'_>, index: usize, view: &View<'_>, lives: &[usize]) -> Option<Match> {
    let up = view.attempt.phase1_up?;
    let used = view.messages().any(|message| matches!(message.label, Label::Qm(_) | Label::Tr(_) | Label::Ngm(_)));
    if used {
        return None;
    }
    let read = informational::read(view);
    let delete = read.iter().find(|each| each.message.at >= up)?;
    let fits = delete.contents.is_empty() || delete.contents.contains(Content::DeleteIsakmp);
    let unused = !delete.ike_after && matches!(delete.reading, Reading::Delete | Reading::Unclear);
    let followed = case.pair.attempts.get(index + 1).is_some_and(|next| next.first >= delete.message.at);
    let quiet = case.end().since(delete.last_sent()) >= PATIENCE;
    if !fits || !unused || delete.message.at.since(up) > AT_ONCE || !(followed || quiet) {
        return None;
    }
    let from = delete.message.from;
    let other_up = lives.iter().any(|&other| other != index);
    let mut found = Match::on(index, Confidence::Suspected)
        .seen(format!(
            "{} after phase 1 was complete {} sent an encrypted Informational of the size of a delete; no use of it since",
            span(delete.message.at.since(up)),
            life_cycle::address(view.attempt, from),
        ))
        .means(format!("{} most likely does not want this SA", life_cycle::address(view.attempt, from)))
        .frames([delete.message.frame])
        .weigh("unique", if other_up { 3.0 } else { 0.3 })
        .settle(format!("the log of {}", life_cycle::address(view.attempt, from)));
    if other_up {
        found = found.severity(Severity::Notice);
    } else if from == Side::Initiator {
        found = found.severity(Severity::Warning);
    }
    Some(found)
}
