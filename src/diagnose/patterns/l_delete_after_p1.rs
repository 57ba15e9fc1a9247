//! L-DELETE-AFTER-P1: the IKE SA is deleted as soon as it is complete.

use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::Content;
use crate::diagnose::words::span;
use crate::diagnose::{Confidence, Severity};
use crate::track::{IkeVersion, Label, Side};

use super::informational::{self, Informational, Reading};
use super::life_cycle::{self, Life};

pattern! {
    /// ## What is seen
    ///
    /// IKEv1 phase 1 completes. Within seconds one side sends an encrypted Informational of the size of a delete of the
    /// ISAKMP SA, and that SA is not used again: no Quick Mode, no extended authentication. In IKEv2 the responder grants
    /// IKE_AUTH and deletes the SA within seconds, before any traffic.
    ///
    /// ## What it means
    ///
    /// One side finds at the very end that it does not want this SA: the identity is not the one it expects, the peer does
    /// not follow with what it is to do (extended authentication), or it has an SA with this peer and keeps only one. What
    /// is inside cannot be read in IKEv1; an INITIAL-CONTACT notify has the same size, and what comes in its place, as soon as
    /// phase 1 is complete, is taken for one unless the initiator gives up.
    ///
    /// ## Look-alikes
    ///
    /// - `P1-INIT-REJECT`: the initiator refuses message 6; the same picture, from the initiator at once.
    /// - `P1-UP-NO-P2`: phase 1 stays and nobody starts phase 2.
    /// - `OK-DELETE`: a delete after the tunnel was in use.
    L_DELETE_AFTER_P1 = "L-DELETE-AFTER-P1", LifeCycle, Error;
    title: "the IKE SA is deleted as soon as it is complete";
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
    when: V1_UNUSED INFORMATIONAL, V2 INFORMATIONAL;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let deleted: Vec<(usize, View<'_>, Informational<'_>)> = case
        .attempts()
        .filter(|(_, view)| !view.attempt.midstream && !view.one_sided() && view.attempt.rekeyed_from.is_none())
        .filter_map(|(index, view)| Some((index, view, deleted_at_once(&view)?)))
        .collect();
    if deleted.is_empty() {
        return Vec::new();
    }
    let is_deleted = |index: usize| deleted.binary_search_by_key(&index, |(index, ..)| *index).is_ok();
    let lives: Vec<Life<'_>> = life_cycle::lives(case).into_iter().filter(|life| !is_deleted(life.index)).collect();
    deleted
        .iter()
        .filter(|(index, _, delete)| is_over(case, *index, delete))
        .filter_map(|(index, view, delete)| found(*index, view, delete, &lives))
        .collect()
}

/// The delete that follows an IKE SA which nobody uses.
fn deleted_at_once<'a>(view: &View<'a>) -> Option<Informational<'a>> {
    let up = view.attempt.phase1_up?;
    let used = view.messages().any(|message| {
        matches!(message.label, Label::Qm(_) | Label::Tr(_) | Label::Ngm(_) | Label::CREATE_CHILD_SA_REQ)
            && message.at >= up
    });
    if used {
        return None;
    }
    let read = informational::read(view);
    let delete = read.into_iter().find(|each| each.message.at >= up)?;
    let fits = match view.attempt.version {
        IkeVersion::V1 => {
            let fits = delete.contents.is_empty() || delete.contents.contains(Content::DeleteIsakmp);
            fits && matches!(delete.reading, Reading::Delete | Reading::Unclear)
        }
        // what the initiator says to the answer is V2-AUTH-INIT-REJECT
        IkeVersion::V2 => delete.told && delete.reading == Reading::Delete && delete.message.from == Side::Responder,
    };
    let unused = !delete.ike_after && !(view.is_v2() && (delete.traffic_after || view.traffic_begins(up)));
    (fits && unused && delete.message.at.since(up) <= life_cycle::UNWANTED).then_some(delete)
}

/// Whether it was waited for long enough after a delete, or the next attempt came.
fn is_over(case: &Case<'_>, index: usize, delete: &Informational<'_>) -> bool {
    let followed = case.pair.attempts.get(index + 1).is_some_and(|next| next.first >= delete.message.at);
    followed || case.end().since(delete.last_sent()) >= PATIENCE
}

/// `lives`: attempts that brought the tunnel up and were not deleted at once.
fn found(index: usize, view: &View<'_>, delete: &Informational<'_>, lives: &[Life<'_>]) -> Option<Match> {
    let up = view.attempt.phase1_up?;
    let from = delete.message.from;
    let address = life_cycle::address(view.attempt, from);
    let other_up = !lives.is_empty();
    // Of two that are up at once, one may go.
    let at = delete.message.at;
    if view.is_v2() && lives.iter().any(|life| life.up <= at && life.view.attempt.last >= view.attempt.first) {
        return None;
    }
    let what = if delete.told {
        "an INFORMATIONAL that deletes"
    } else {
        "an encrypted Informational of the size of a delete"
    };
    let complete = if view.is_v2() { "IKE_AUTH" } else { "phase 1" };
    let found = Match::on(index, if delete.told { Confidence::Inferred } else { Confidence::Suspected })
        .seen(format!(
            "{} after {complete} was complete {address} sent {what}; no use of it since",
            span(delete.message.at.since(up)),
        ))
        .means(format!("{address} most likely does not want this SA"))
        .frames([delete.message.frame])
        .weigh("unique", if other_up { 3.0 } else { 0.3 })
        .settle(format!("the log of {address}"));
    let over = lives.last().is_some_and(|life| life.index > index);
    Some(match from {
        _ if other_up || over => found.severity(Severity::Notice),
        Side::Initiator => found.severity(Severity::Warning),
        Side::Responder => found,
    })
}
