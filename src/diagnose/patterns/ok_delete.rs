//! OK-DELETE: an SA was deleted in good order.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{AuthAnswer, Suite, payload};
use crate::diagnose::words::span;
use crate::track::{EspFlow, Exchange, ExchangeKind, Label, MessageRecord, Side};

use super::informational::{self, Informational, Reading};
use super::life_cycle::{self, Traffic, spacing};
use super::{l_stale_sa, nat, traffic};

/// An SA that came up no longer than this before another may take its place; one that came up after it does.
const IN_ITS_PLACE: Duration = Duration::from_secs(10);
/// So many SAs before and after one are looked at.
const BESIDE: usize = 8;
/// A farewell that takes two messages takes no longer.
const FAREWELL: Duration = Duration::from_secs(2);
/// IKEv2: copies of a delete after the first, none of them answered.
const IN_VAIN: u32 = 2;
/// A tunnel at rest for so long was idle.
const RESTED: Duration = Duration::from_secs(30);
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
    let leaves = case.attempts().filter_map(|(_, view)| Some((left(&view)?, view)));
    let Some((last, view)) = leaves.max_by_key(|(left, _)| *left) else { return false };
    let up = came_up(&view);
    !case.attempts().any(|(_, view)| left(&view).is_none() && lives_on(&view, last, up, case.end()))
}

/// When the tunnel of an attempt was taken down.
pub(super) fn left(view: &View<'_>) -> Option<Timestamp> {
    view.left(|| read_left(view))
}

fn read_left(view: &View<'_>) -> Option<Timestamp> {
    let deletes = in_good_order(view);
    deletes.last().filter(|_| ends(view, &deletes)).map(|last| last.message.at)
}

/// When the IKE SA of an attempt came up, as far as was seen. One that was refused never did.
fn came_up(view: &View<'_>) -> Option<Timestamp> {
    view.attempt.phase1_up.filter(|_| !view.is_refused()).or_else(|| view.tunnel_up())
}

/// Whether an IKE SA that came up before `until`, or was up before the capture, goes on after `at`, when one that had come up
/// at `up` was deleted: both sides are heard under it, or it is the younger one, that takes the place of the other.
fn lives_on(view: &View<'_>, at: Timestamp, up: Option<Timestamp>, until: Timestamp) -> bool {
    // Whoever begins after it begins anew, and takes over nothing.
    let anew = view.attempt.first > at;
    let own = if anew { view.tunnel_up() } else { came_up(view) };
    if view.attempt.first > until || own.map_or(!view.attempt.midstream, |own| own > until) {
        return false;
    }
    let heard = |side| view.messages().any(|message| message.from == side && message.at > at);
    let younger = own.is_some_and(|own| up.is_none_or(|up| own.after(IN_ITS_PLACE) >= up));
    // Child SAs of IKEv2 are its own (RFC 7296 §1.4.1): nobody else deletes them.
    let carried = |end| {
        let before = |flow: &&EspFlow| Some(flow.first) >= own && up.is_some_and(|up| flow.first < up);
        view.case.flows_from(end).filter(before).any(|flow| flow.last.after(spacing(flow) * 2) >= until)
    };
    let carries = || view.is_v2() && own.is_some() && carried(view.case.pair.a) && carried(view.case.pair.b);
    let speaks = || heard(Side::Initiator) && heard(Side::Responder) && !ends_with_delete(view);
    (younger && !is_deleted(view)) || carries() || speaks()
}

/// IKEv2: whether the last that was said under an IKE SA deletes it: a delete that is answered with nothing (RFC 7296 §1.4.1).
fn ends_with_delete(view: &View<'_>) -> bool {
    let deletes = informational::read(view);
    let Some(last) = deletes.iter().rfind(|one| one.reading == Reading::Delete && one.told) else { return false };
    view.is_v2() && !last.ike_after && answer_to(view, last).is_some_and(|first| first == 0)
}

/// IKEv2: the type of the first payload inside of the answer to a delete, 0 if there is none.
fn answer_to(view: &View<'_>, delete: &Informational<'_>) -> Option<u8> {
    let answer = delete.exchange(view)?.messages.iter().find(|message| matches!(message.label, Label::Response(_)))?;
    view.first_inside(answer)
}

/// Whether the last that was said under an IKE SA seems to delete it.
fn is_deleted(view: &View<'_>) -> bool {
    informational::read(view).last().is_some_and(|last| match last.reading {
        Reading::Delete => !last.ike_after && !last.deletes_ipsec(),
        Reading::Question { answered } => !answered,
        _ => false,
    })
}

/// The side that took leave of the tunnel of an attempt.
pub(super) fn leaver(view: &View<'_>) -> Option<Side> {
    beginning(&in_good_order(view)).map(|first| first.message.from)
}

/// The first of the last deletes, which follow each other at once. In IKEv1 the other side may delete its half too, as an answer:
/// who began took leave.
fn beginning<'d, 'a>(deletes: &'d [Informational<'a>]) -> Option<&'d Informational<'a>> {
    let at_once = |two: &&[Informational<'_>]| two[1].message.at.since(two[0].message.at) <= FAREWELL;
    deletes.windows(2).rev().take_while(at_once).last().map(|two| &two[0]).or(deletes.last())
}

/// The deletes of an attempt that had come up, in good order.
fn in_good_order<'a>(view: &View<'a>) -> Vec<Informational<'a>> {
    // A delete before anything was up belongs to the failure that it follows. Of one side alone no answers are seen, nor
    // what is being answered: anything may look like a delete.
    let came_up = view.tunnel_up().is_some() || view.attempt.rekeyed_from.is_some() || view.attempt.midstream;
    if !came_up || !view.case.both_ways() {
        return Vec::new();
    }
    informational::deletes_in_good_order(view)
}

/// Whether nothing goes on after the last of these deletes: no IKE and no traffic, and no SA took the place of the one that
/// was deleted; or in IKEv1, where phase 1 may stay, no IPsec SA is left.
fn ends(view: &View<'_>, deletes: &[Informational<'_>]) -> bool {
    let Some(last) = deletes.last().filter(|last| !last.traffic_after) else { return false };
    if view.is_v2() {
        let over = !last.ike_after && !clears_up(view, deletes) && !is_redundant(view);
        return over || no_child_is_left(view, deletes);
    }
    let goes_on = quick_modes(view).any(|quick| quick.messages.iter().any(|message| message.at > last.message.at));
    if goes_on || (last.ike_after && !deletes.iter().any(Informational::deletes_ipsec)) {
        return false;
    }
    // Where nothing is left of phase 1, a delete that cannot be one of an IPsec SA ends it, and so does one that follows another
    // of the same side at once: first the IPsec SA, then the ISAKMP SA.
    let same = |one: &&Informational<'_>| one.message.from == last.message.from && !std::ptr::eq(*one, last);
    let follows = deletes.iter().filter(same).any(|one| last.message.at.since(one.message.at) <= FAREWELL);
    let of_phase1 = !last.may_delete_ipsec() || (follows && last.may_delete_isakmp());
    (!last.ike_after && of_phase1) || !ipsec_is_left(view, last)
}

/// A CREATE_CHILD_SA that was granted.
struct Created {
    by: Side,
    asked: Timestamp,
    answered: Timestamp,
    /// The request begins with naming the child SA that it replaces (RFC 7296 §1.3.3).
    names_child: bool,
}

/// What was created under an IKE SA up to `until`.
fn created(view: &View<'_>, until: Timestamp) -> Vec<Created> {
    let suite = Suite::chosen(view.attempt);
    let of = |exchange: &Exchange| {
        let labelled = |label| exchange.messages.iter().find(|message| message.label == label);
        let answer = labelled(Label::CREATE_CHILD_SA_RSP).filter(|answer| answer.at <= until)?;
        let request = labelled(Label::CREATE_CHILD_SA_REQ);
        let granted = suite.is_none_or(|suite| suite.refuses_child(answer) != Some(true));
        granted.then_some(Created {
            by: exchange.started_by,
            asked: request.map_or(answer.at, |request| request.at),
            answered: answer.last_sent(),
            names_child: request.and_then(|request| view.first_inside(request)) == Some(payload::NOTIFY),
        })
    };
    view.exchanges().iter().filter_map(of).collect()
}

/// IKEv2: whether the last delete is what ends a re-key (RFC 7296 §2.8): an SA was created right before, and each
/// one created has one delete. The delete of a child SA is answered by one, that of the IKE SA by nothing; who replaces a child SA
/// begins with naming it, and who replaces the IKE SA does not (RFC 7296 §1.3, §1.4.1).
fn clears_up(view: &View<'_>, deletes: &[Informational<'_>]) -> bool {
    let Some(last) = deletes.last() else { return false };
    let created = created(view, last.message.at);
    let of_child = answer_to(view, last).map(|first| first == payload::DELETE);
    let recent: Vec<&Created> = created.iter().filter(|one| last.message.at.since(one.answered) < PATIENCE).collect();
    let fits = match of_child {
        // Some name the child SA elsewhere; what counts is that one is left.
        Some(true) => deletes.len() <= created.len(),
        Some(false) => recent.iter().any(|one| !one.names_child),
        None => true,
    };
    let first = recent.iter().map(|one| one.answered).min();
    let since = |first: Timestamp| deletes.iter().filter(|one| one.message.at >= first).count();
    fits && first.is_some_and(|first| since(first) <= recent.len())
}

/// IKEv2: whether as many child SAs were deleted as ever came up under an IKE SA, and nothing was sent since: what is left of it
/// carries nothing.
fn no_child_is_left(view: &View<'_>, deletes: &[Informational<'_>]) -> bool {
    let Some(last) = deletes.last() else { return false };
    let of_child = |delete: &&Informational<'_>| answer_to(view, delete) == Some(payload::DELETE);
    let handed_on = view.case.pair.attempts.iter().any(|other| other.rekeyed_from == Some(view.index));
    let own = !view.attempt.midstream && view.attempt.rekeyed_from.is_none() && !handed_on;
    own && view.auth_answer() == Some(AuthAnswer::Child)
        && (view.case.end().since(last.last_sent()) >= PATIENCE / 2 || another_is_wanted(view, last))
        && deletes.iter().filter(of_child).count() > created(view, view.case.end()).len()
}

/// Whether one side asks for an SA after a delete and names none that it replaces, or is refused one.
fn another_is_wanted(view: &View<'_>, delete: &Informational<'_>) -> bool {
    let suite = Suite::chosen(view.attempt);
    let wanted = |message: &MessageRecord| match message.label {
        Label::CREATE_CHILD_SA_REQ => view.first_inside(message) == Some(payload::SA),
        Label::CREATE_CHILD_SA_RSP => suite.and_then(|suite| suite.refuses_child(message)) == Some(true),
        _ => false,
    };
    view.messages().any(|message| message.at > delete.message.at && wanted(message))
}

/// IKEv2: whether the IKE SA is one of two that took the place of the same one, because both sides re-keyed that at once: of the two
/// one is deleted and the other stays, even if nothing was said under it yet (RFC 7296 §2.8.1).
fn is_redundant(view: &View<'_>) -> bool {
    let Some(replaced) = view.attempt.rekeyed_from.and_then(|index| view.case.view(index)) else { return false };
    let siblings = view.case.pair.attempts.iter().filter(|other| other.rekeyed_from == view.attempt.rekeyed_from);
    let created = created(&replaced, view.case.end());
    let mut new: Vec<&Created> = created.iter().filter(|one| !one.names_child).collect();
    new.sort_unstable_by_key(|one| one.asked);
    let crossed = |two: &[&Created]| two[0].by != two[1].by && two[1].asked < two[0].answered;
    siblings.count() == 1 && new.windows(2).any(crossed)
}

/// IKEv1: whether an IPsec SA of the pair is left after the delete `last` under `view`. All phase 1 SAs of two peers serve the
/// same ones: what came up under one may be deleted under the next. Who replaces an SA deletes the old one, not the new one.
fn ipsec_is_left(view: &View<'_>, last: &Informational<'_>) -> bool {
    let at = last.message.at;
    let from = view.index.saturating_sub(BESIDE);
    let near = || (from..=view.index.saturating_add(BESIDE)).filter_map(|index| view.case.view(index));
    let mut up: Vec<Timestamp> = near().flat_map(|near| completed(&near)).filter(|up| *up <= at).collect();
    if up.is_empty() {
        return false;
    }
    up.sort_unstable();
    if let [.., before, newest] = up[..] {
        // A replaced SA does not outlive the new one's birth by much more than it had lived before.
        let lived = newest.since(before);
        if !last.ike_after && lived > PATIENCE && at.since(newest) > lived.saturating_mul(2) {
            return false;
        }
    }
    // What was there before is not counted, but may be deleted.
    let before = from > 0 || near().any(|near| near.attempt.midstream);
    let mut deletes: Vec<(Timestamp, IpAddr)> =
        near().flat_map(|near| ipsec_deletes(&near, at, near.index == view.index)).collect();
    deletes.sort_unstable();
    in_all(&deletes) < up.len() + usize::from(before)
}

/// How many SAs these deletes concern: each side may say that it deletes the same one, at about the same time.
fn in_all(deletes: &[(Timestamp, IpAddr)]) -> usize {
    let mut answered = vec![false; deletes.len()];
    let mut count = 0;
    let mut from = 0;
    for (index, &(at, sender)) in deletes.iter().enumerate() {
        while deletes.get(from).is_some_and(|&(before, _)| at.since(before) > FAREWELL) {
            from += 1;
        }
        let open = (from..index).find(|&before| !answered[before] && deletes[before].1 != sender);
        match open {
            Some(before) => (answered[before], answered[index]) = (true, true),
            None => count += 1,
        }
    }
    count
}

/// What deleted IPsec SAs under an attempt up to `until`, at least, and who sent it. `all`: what comes last may have, too, and not
/// have deleted the ISAKMP SA.
fn ipsec_deletes(view: &View<'_>, until: Timestamp, all: bool) -> Vec<(Timestamp, IpAddr)> {
    let read = informational::read(view);
    let last = view.messages().map(MessageRecord::last_sent).max().unwrap_or(view.attempt.last);
    [Side::Initiator, Side::Responder]
        .into_iter()
        .flat_map(|side| {
            let of_side = |one: &&Informational<'_>| one.message.from == side && one.message.at <= until;
            let deletes: Vec<_> = read.iter().filter(of_side).filter(|one| one.reading == Reading::Delete).collect();
            let mut farewell = deletes.iter().filter(|one| one.message.at.after(FAREWELL) >= last).peekable();
            let one_is_not = !all
                && farewell.peek().is_some()
                && farewell.all(|one| one.may_delete_ipsec())
                && deletes.last().is_some_and(|one| one.may_delete_isakmp());
            let from = life_cycle::address(view.attempt, side);
            let mut times: Vec<(Timestamp, IpAddr)> =
                deletes.iter().filter(|one| one.may_delete_ipsec()).map(|one| (one.message.at, from)).collect();
            if one_is_not {
                times.pop();
            }
            times
        })
        .collect()
}

fn quick_modes<'a>(view: &View<'a>) -> impl Iterator<Item = &'a Exchange> + use<'a> {
    view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::QuickMode)
}

/// When the Quick Modes of an attempt were complete.
fn completed<'a>(view: &View<'a>) -> impl Iterator<Item = Timestamp> + use<'a> {
    quick_modes(view).filter_map(|quick| quick.message(Label::Qm(3))).map(|message| message.at)
}

/// Whether what took the place of an IKE SA is deleted as well.
fn replaced_by_deleted(view: &View<'_>) -> bool {
    let mut later = view.case.attempts().skip(view.index + 1);
    later.any(|(_, other)| other.attempt.rekeyed_from == Some(view.index) && left(&other).is_some())
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let mut found = Vec::new();
    let (all_traffic, unheeded) = (OnceCell::new(), OnceCell::new());
    for (index, view) in case.attempts() {
        let deletes = in_good_order(&view);
        let Some(last) = deletes.last() else { continue };
        // Nor is who does not answer a delete.
        if view.is_v2() && !last.is_answered() && last.message.repeat_count >= IN_VAIN {
            continue;
        }
        // Where another SA goes on, this one was one too many.
        let others = || (index.saturating_sub(BESIDE)..=index.saturating_add(BESIDE)).filter(|&other| other != index);
        let (at, up) = (last.message.at, came_up(&view));
        let stays = |other: &View<'_>| left(other).is_none_or(|left| left > at) && lives_on(other, at, up, at);
        let beside = || others().filter_map(|other| case.view(other)).any(|other| stays(&other));
        let farewell = left(&view).is_some() && !beside();
        let first = beginning(&deletes).unwrap_or(last);
        // Nor is who is not heeded.
        let unheeded = || unheeded.get_or_init(|| l_stale_sa::unheeded_delete(case, &traffic::faded(case)?));
        if !farewell && unheeded().is_some_and(|delete| std::ptr::eq(delete, first.message)) {
            continue;
        }
        let sender = nat::name(first.message.from);
        let told = deletes.iter().all(|one| one.told);
        let seen = case.in_words(|| {
            let which =
                if std::ptr::eq(first, last) { "the last is from" } else { "in the end the first to delete is" };
            match (deletes.len(), told) {
                (1, true) => ["an encrypted message from ", sender, " begins with a Delete"].concat(),
                (several, true) => format!("{several} encrypted messages begin with a Delete; {which} {sender}"),
                (1, false) => {
                    let looks = " looks like a delete, by its size and what follows";
                    ["an encrypted message from ", sender, looks].concat()
                }
                (several, false) => format!(
                    "{several} encrypted messages look like deletes, by size and what follows; {which} {sender}"
                ),
            }
        });
        let confidence = if told { Confidence::Inferred } else { Confidence::Suspected };
        let matched = if farewell {
            let attempts = &case.pair.attempts;
            let next = attempts.get(attempts.partition_point(|attempt| attempt.first <= at));
            let then = next.map_or(case.end(), |next| next.first);
            let quiet = then.since(last.last_sent());
            let since = match next {
                None if quiet < SHORT => "; the capture ends right after it".to_owned(),
                Some(_) => ["; a new negotiation began ", &span(quiet), " later"].concat(),
                None if last.ike_after && view.is_v2() => {
                    format!("; no child SA is left, and no ESP in the {} since", span(quiet))
                }
                None if last.ike_after => format!("; no ESP and no Quick Mode in the {} since", span(quiet)),
                None => format!("; nothing was sent under these SAs in the {} since", span(quiet)),
            };
            let rested = all_traffic.get_or_init(|| Traffic::of(case)).rests(at, RESTED)
                && up.is_some_and(|up| at.since(up) >= RESTED);
            let (idle, admin) = if rested { (2.0, 0.7) } else { (0.5, 1.5) };
            Match::on(index, confidence)
                .seen(case.in_words(|| [seen, since].concat()))
                .means(case.in_words(|| [sender, " most likely took the tunnel down"].concat()))
                .weigh("rekey", 0.3)
                .weigh("idle", idle)
                .weigh("admin", admin)
        } else if is_taken_down(case) && replaced_by_deleted(&view) {
            Match::on(index, confidence)
                .seen(case.in_words(|| format!("{seen}; the SA that took its place is deleted too")))
                .means("the tunnel is gone: its SA and the one that replaced it were deleted")
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
    // Who took leave says more than who cleaned up.
    found.sort_by_key(|matched| matched.attempt.is_none());
    found
}
