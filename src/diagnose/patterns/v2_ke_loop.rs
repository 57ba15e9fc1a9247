//! V2-KE-LOOP: the responder's wish for another key exchange group is never met.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{span, times};
use crate::track::{Label, MessageRecord};

use super::ikev2::{self, Round};

/// Transform type of key exchange methods (RFC 7296 §3.3.2).
const KE: u8 = 4;

pattern! {
    /// ## What is seen
    ///
    /// INVALID_KE_PAYLOAD (17) comes twice or more for one attempt, even where the initiator brings the group that it asked
    /// for; or it asks for a group that the initiator did not offer; or the initiator tries again with the very group that was
    /// refused, or not at all.
    ///
    /// ## What it means
    ///
    /// Both ends talk and never agree on a group. The offer, the group of the key exchange value and the group asked for are
    /// all in clear: put them side by side. A responder that refuses the very group it asked for contradicts itself, or several
    /// nodes answer in its name. The notify is not authenticated, so anybody on the path can send it; it is
    /// believed more when the initiator acts on it.
    ///
    /// ## Look-alikes
    ///
    /// - `V2-KE-RETRY`: asked once and granted, which is normal.
    /// - `V2-PROPOSAL`: no group in common at all, so the responder refuses outright.
    V2_KE_LOOP = "V2-KE-LOOP", IkeV2, Error;
    title: "the responder asks for another key exchange group, and none is agreed on";
    causes: [
        "not-offered" 0.60 "the initiator is not configured for the group that the responder asks for",
            raised by "the group is not in the offer", lowered by "the group is in the offer";
        "defect" 0.20 "one side handles the retry wrongly",
            raised by "the retry brings the same group, or the group asked for and is refused again", lowered by "the group is not in the offer";
        "nodes" 0.05 "several nodes with different settings answer in turn",
            raised by "the group asked for is refused; another group, or a cookie, is asked for each time", lowered by "the same group is asked for each time";
        "lost" 0.10 "the notify does not reach the initiator",
            raised by "the same request goes on, each copy drawing the same notify", lowered by "the initiator acts on it";
        "forged" 0.05 "the notify was not sent by the responder",
            raised by "another source or time to live than the responder's other packets", lowered by "";
    ];
    checks: [
        Initiator: "allow the group that the responder asks for, or the responder one that is offered" about "not-offered";
        Responder: "look which groups its proposal for this peer holds, and in which order";
        Responder: "look whether several nodes answer at its address, and whether their settings are the same" about "nodes";
        Either: "update the software if the group asked for is sent and refused all the same";
    ];
    logs: [
        "strongSwan": "giving up after … retries / requested key exchange method … not supported" ("strongSwan source");
        "racoon2": "received KE type …, expected …" ("racoon2 source");
    ];
    sources: ["RFC 7296 §1.2", "RFC 7296 §2.7", "RFC 7296 §3.4"];
    when: V2_UNPROVEN ERROR_NOTIFY;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let found = ikev2::never_authenticated(case).filter_map(|(index, view)| never_met(case, index, &view)).collect();
    ikev2::tempered(case, found)
}

fn never_met(case: &Case<'_>, index: usize, view: &View<'_>) -> Option<Match> {
    let rounds: Vec<Round<'_>> = ikev2::rounds(view.attempt).collect();
    let asked: Vec<&Round<'_>> = rounds.iter().filter(|round| round.asked_group().is_some()).collect();
    let last = asked.last()?;
    let wanted = last.asked_group()?;
    if rounds.iter().any(Round::accepted) {
        return None;
    }
    let frames = asked.iter().filter_map(|round| Some(round.response?.frame));
    let offered = offered_groups(view);
    let follower = rounds.last().filter(|round| round.response.is_none()).and_then(Round::sent_group);
    let wish = ikev2::group(wanted);
    // What was cut off may have been the group.
    let mut requests = view.messages().filter(|message| message.label == Label::SA_INIT_REQ);
    let cut = requests.any(MessageRecord::is_cut);
    let brought = |round: &&&Round<'_>| {
        let before = asked.iter().take_while(|earlier| !std::ptr::eq(**earlier, **round));
        before.last().is_some_and(|earlier| earlier.asked_group() == round.sent_group())
    };
    let refused = asked.iter().rfind(brought).and_then(|round| round.sent_group());
    let found = if last.sent_group() == Some(wanted) && asked.len() == 1 {
        Match::on(index, Confidence::Stated)
            .seen(format!("the responder asked for {wish}, the very group that it had been sent"))
            .means("the responder refuses what it asks for: the initiator does what it can")
            .weigh("nodes", 4.0)
            .rule_out(&["not-offered", "lost"])
    } else if !cut && !offered.is_empty() && !offered.contains(&wanted) {
        Match::on(index, Confidence::Stated)
            .seen(format!("the responder asked for {wish}; the initiator offered {}", list(&offered)))
            .means("the two ends have no group in common that the responder wants")
            .weigh("not-offered", 4.0)
            .rule_out(&["nodes"])
    } else if let Some(refused) = refused {
        Match::on(index, Confidence::Stated)
            .seen(format!(
                "the responder asked for another group {}; the initiator brought {} when that was asked for, and {} was asked for next",
                times(asked.len() as u64),
                ikev2::group(refused),
                if wanted == refused { "the same" } else { &wish },
            ))
            .means("the responder refuses the very group that it asked for: the initiator does what it can")
            .weigh("nodes", 4.0)
            .rule_out(&["not-offered", "lost"])
    } else if asked.len() >= 2 {
        Match::on(index, Confidence::Stated)
            .seen(format!("the responder asked for another group {}, at last for {wish}", times(asked.len() as u64)))
            .means("the retry does not satisfy the responder")
            .weigh("defect", 3.0)
            .weigh("not-offered", 0.3)
    } else if follower == last.sent_group() && follower.is_some() {
        Match::on(index, Confidence::Stated)
            .seen(format!("the responder asked for {wish}; the initiator tried again with the group that was refused"))
            .means("the initiator does not follow the responder's wish")
            .weigh("defect", 3.0)
            .weigh("not-offered", 0.5)
    } else if rounds.last().is_some_and(|round| round.response.is_some() && round.asked_group().is_none()) {
        // It followed, and was refused for another reason.
        return None;
    } else if !view.attempt.midstream && !cut && follower.is_none() && ignored(case, index, last, wanted) {
        let copies = last.copies_after_response();
        let found = Match::on(index, Confidence::Inferred)
            .seen(format!(
                "the responder asked for {wish}, which was offered; no request with it followed in {} of capture",
                span(case.end().since(last.response?.at))
            ))
            .means("the initiator gave up, or never saw the notify")
            .weigh("not-offered", 0.3);
        if copies > 0 { found.weigh("lost", 6.0) } else { found }
    } else {
        return None;
    };
    let mut found = found.frames(last.request.map(|request| request.frame)).frames(frames);
    let cookies = rounds.iter().filter(|round| round.asked_cookie()).count();
    if cookies >= 2 {
        found.seen.push_str(&format!("; besides, it asked for a cookie {}", times(cookies as u64)));
    }
    Some(found)
}

/// The group asked for does not come, neither in this attempt nor in the next.
fn ignored(case: &Case<'_>, index: usize, round: &Round<'_>, wanted: u16) -> bool {
    let next = case.pair.attempts.get(index + 1);
    let starts_over = next.is_some_and(|next| ikev2::rounds(next).any(|round| round.sent_group() == Some(wanted)));
    let waited = round.response.is_some_and(|response| case.end().since(response.at) >= PATIENCE);
    !starts_over && waited
}

fn offered_groups(view: &View<'_>) -> Vec<u16> {
    let mut groups: Vec<u16> = view
        .attempt
        .offered
        .iter()
        .flat_map(|proposal| &proposal.transforms)
        .filter(|transform| transform.transform_type == KE)
        .map(|transform| transform.transform_id)
        .collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

fn list(groups: &[u16]) -> String {
    groups.iter().map(|&number| ikev2::group(number)).collect::<Vec<_>>().join(", ")
}
