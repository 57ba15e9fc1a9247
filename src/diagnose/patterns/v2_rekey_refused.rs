//! V2-REKEY-REFUSED: CREATE_CHILD_SA is refused while the tunnel is up.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::{Suite, payload};
use crate::diagnose::words::{span, times};
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{Attempt, ExchangeKind, Label, MessageRecord};

use super::ikev2::{self, notify};
use super::ok_delete;

/// An IKE SA that could not be renewed ends no later than this after the last try.
const ENDS_WITHIN: Duration = Duration::from_secs(60);
/// Few IKE SAs are re-keyed so soon.
const YOUNG: Duration = Duration::from_secs(60);
/// The latest refusals, which are looked at one by one.
const LOOKED_AT: usize = 16;
/// A change is over this long after it was last asked for, as far as others can tell.
const SETTLED: Duration = Duration::from_secs(10);

pattern! {
    /// ## What is seen
    ///
    /// A tunnel that works; then CREATE_CHILD_SA requests answered with a lone notify, again and again, or with an error in
    /// clear, as old stacks do. ESP goes on with the old keys until their lifetime ends.
    ///
    /// ## What it means
    ///
    /// A re-key, or a further child SA, is refused. The notify is encrypted. A classic: the first child SA takes its keys from
    /// IKE_AUTH and needs no group of its own, so a difference in perfect forward secrecy shows only now, hours after the
    /// tunnel came up. TEMPORARY_FAILURE and collisions look the same and pass.
    ///
    /// Only the re-key of a child SA names what it replaces; that of the IKE SA looks like a further child SA with a key
    /// exchange. If its sender deletes the IKE SA soon after, and none takes its place, the tunnel most likely ended because the
    /// IKE SA could not be renewed.
    ///
    /// ## Look-alikes
    ///
    /// - Both sides re-key at once: one refusal, then success; normal (`L-REKEY-COLLISION`).
    /// - `V2-CHILD-REJECT`: the very first child SA is refused, or a further one by a request that can re-key nothing.
    V2_REKEY_REFUSED = "V2-REKEY-REFUSED", IkeV2, Warning;
    title: "a re-key or further child SA is refused while the tunnel is up";
    causes: [
        "pfs" 0.45 "the groups for perfect forward secrecy differ: first visible at the first re-key",
            raised by "the request is long enough for a key exchange value; it fails each time", lowered by "an earlier re-key succeeded";
        "busy" 0.20 "the peer is busy with an exchange of its own (TEMPORARY_FAILURE)",
            raised by "requests of both sides cross", lowered by "it fails each time";
        "support" 0.15 "the peer does not support this re-key, or further child SAs (NO_ADDITIONAL_SAS)",
            raised by "it never works", lowered by "an earlier re-key succeeded";
        "selectors" 0.10 "this is a further child SA, and its selectors or proposal are refused",
            raised by "long before the lifetime ends", lowered by "at the time of a re-key";
        "stale" 0.10 "the SA to be re-keyed no longer exists at the peer (CHILD_SA_NOT_FOUND)",
            raised by "deletes crossed the request", lowered by "the peer goes on using the SA";
    ];
    checks: [
        Either: "compare the groups for perfect forward secrecy in the ESP proposals";
        Either: "compare the lifetimes, so that one end re-keys well before the other gives up" about "stale";
        Either("the side that refuses"): "compare the networks, the ESP proposal and the group of the further child SA with what it has for it" about "selectors";
        Either("the side that refuses"): "read the log at that time: it names the notify";
    ];
    logs: [
        "strongSwan": "CHILD_SA rekeying failed, trying again in … seconds" ("strongSwan source");
        "strongSwan": "peer seems to not support CHILD_SA rekeying, starting reauthentication" ("strongSwan source");
        "strongSwan": "generating CREATE_CHILD_SA response 142 [ N(NO_PROP) ]" ("public log");
        "strongSwan": "received TEMPORARY_FAILURE notify error" ("strongSwan log") about "busy";
        "strongSwan": "IKE_SA rekeying failed, trying again in … seconds" ("strongSwan log");
        "strongSwan": "no acceptable proposal found" ("strongSwan log");
    ];
    sources: ["RFC 7296 §1.3", "RFC 7296 §2.8", "RFC 7296 §2.25", "RFC 7296 §3.10.1"];
    when: CREATE_CHILD;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let suites = ikev2::suites(case);
    ikev2::attempts(case)
        .filter(|(_, view)| ikev2::is_in_use(view))
        .filter_map(|(index, view)| {
            let suite = suites.get(index).copied().flatten()?;
            refused_in_clear(index, &view).or_else(|| refused(case, suite, index, &view))
        })
        .collect()
}

/// The last request has no answer but one in clear.
fn refused_in_clear(index: usize, view: &View<'_>) -> Option<Match> {
    let last = view.exchanges().iter().rfind(|exchange| exchange.kind == ExchangeKind::CreateChildSa)?;
    let (request, response) = ikev2::request_and_response(last);
    let request = request.filter(|_| response.is_none_or(|response| !response.encrypted))?;
    let refusal = ikev2::refused_in_clear(view, request)?;
    let found = Match::on(index, Confidence::Stated)
        .seen(format!("CREATE_CHILD_SA of {} {}", request.source.ip(), ikev2::in_clear(view, &refusal)))
        .means("the peer refuses, and did not protect its answer: nobody vouches for that; who does not take it asks in vain")
        .settle(format!("the log of {} at that time", request.destination.ip()))
        .frames(view.frames(request))
        .frames(view.frames(refusal.message))
        .about(refusal.message.from);
    Some(match refusal.notify_message_type {
        notify::NO_PROPOSAL_CHOSEN => found.rule_out(&["busy", "stale"]),
        _ => found,
    })
}

/// CREATE_CHILD_SA requests and what refused them, since the last grant: one refusal and then success is how collisions are
/// settled. None if another SA replaced this one: that is the success that counts.
pub(super) fn refusals<'a>(
    case: &Case<'_>,
    suite: Suite,
    index: usize,
    view: &View<'a>,
) -> Vec<(&'a MessageRecord, &'a MessageRecord)> {
    let mut refusals: Vec<(&MessageRecord, &MessageRecord)> = Vec::new();
    for exchange in view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::CreateChildSa) {
        let (Some(request), Some(response)) = ikev2::request_and_response(exchange) else { continue };
        match suite.refuses_child(response) {
            Some(true) => refusals.push((request, response)),
            Some(false) => refusals.clear(),
            None => {}
        }
    }
    let Some((last, _)) = refusals.last() else { return refusals };
    let replaces = |later: &Attempt| later.rekeyed_from == Some(index) && later.first > last.at;
    if case.pair.attempts.iter().any(replaces) { Vec::new() } else { refusals }
}

/// Whether what was refused is a further child SA and nothing else: no request names an SA to be re-keyed, none has room for
/// the key exchange that renews the IKE SA, in any group that was offered for it, and no answer holds more than an error.
pub(super) fn asks_further_child(
    case: &Case<'_>,
    suite: Suite,
    index: usize,
    refusals: &[(&MessageRecord, &MessageRecord)],
) -> bool {
    let names_none = |request| suite.first_inside(request) == Some(payload::SA);
    let renews = |request| match least_public_value(case, index) {
        Some(octets) => suite.can_renew(request, octets) != Some(false),
        None => suite.can_hold_key_exchange(request) != Some(false),
    };
    let refuses = |response| suite.is_short(response) == Some(true);
    refusals.iter().all(|(request, response)| names_none(request) && !renews(request) && refuses(response))
}

/// Octets of the shortest public value of a group that was offered for the IKE SA, or for the one that it replaced, or chosen where the
/// offer was not captured; `None` if that is not known of each.
fn least_public_value(case: &Case<'_>, index: usize) -> Option<u32> {
    const GROUP: u8 = 4;
    let mut attempt = case.pair.attempts.get(index)?;
    let mut place = index;
    // An SA replaces one that stands before it.
    while let Some(replaced) = attempt.rekeyed_from.filter(|&from| from < place && attempt.offered.is_empty()) {
        (attempt, place) = (case.pair.attempts.get(replaced)?, replaced);
    }
    let named = if attempt.offered.is_empty() { attempt.choice() } else { &attempt.offered };
    let transforms = named.iter().flat_map(|proposal| &proposal.transforms);
    let groups =
        transforms.filter(|transform| transform.transform_type == GROUP).map(|transform| transform.transform_id);
    let lengths: Option<Vec<u16>> = groups.map(registry::group_public_len).collect();
    lengths?.into_iter().min().map(u32::from)
}

fn refused(case: &Case<'_>, suite: Suite, index: usize, view: &View<'_>) -> Option<Match> {
    let refusals = refusals(case, suite, index, view);
    let (first, _) = refusals.first()?;
    let (last, _) = refusals.last()?;
    // V2-CHILD-REJECT says so.
    if asks_further_child(case, suite, index, &refusals) {
        return None;
    }
    let count = refusals.len() as u64;
    let over = if count > 1 { format!(" in {}", span(last.at.since(first.at))) } else { String::new() };
    let pfs = suite.can_hold_key_exchange(last) == Some(true);
    // A re-key of a child SA begins with the notify that names it, and one of the IKE SA holds a key exchange value.
    let names_none = refusals.iter().all(|(request, _)| suite.first_inside(request) == Some(payload::SA));
    let may_renew = pfs && suite.first_inside(last) == Some(payload::SA);
    let ended = may_renew.then(|| ended_by(case, view, last)).flatten();
    let goes_on = case.pair.flows.iter().any(|flow| flow.last > last.at);
    let deleted = ok_delete::left(view).is_some();
    let undisturbed =
        refusals.iter().rev().take(LOOKED_AT).all(|(request, response)| is_undisturbed(view, request, response));
    let matters = count > 1 || ended.is_some() || (undisturbed && !case.came_up_after(view.attempt));
    let found = Match::on(index, if count > 1 { Confidence::Inferred } else { Confidence::Suspected })
        .about(last.from.other())
        .seen(format!(
            "CREATE_CHILD_SA of {} was answered {}{over} with a message that has room for a notify only{}",
            last.source.ip(),
            times(count),
            match ended {
                Some(at) => format!("; it deleted the IKE SA {} later, and none took its place", span(at.since(last.at))),
                None if goes_on && deleted => "; ESP went on with the old SA until that was deleted".to_owned(),
                None if goes_on => "; ESP goes on with the old SA".to_owned(),
                None => String::new(),
            },
        ))
        .means(if ended.is_some() {
            "the IKE SA was most likely to be renewed, and ended because that was refused; its tunnels ended with it"
        } else if names_none {
            match suite {
                Suite::ANY => "the re-key of the IKE SA is refused, or a further child SA: the request names none to be re-keyed",
                _ => "the re-key of the IKE SA is refused, or a further child SA with a key exchange: the request names none to be re-keyed",
            }
        } else if count > 1 {
            "the peer refuses each time; when the lifetime of the SA in use ends, the tunnel ends with it"
        } else if undisturbed {
            "the peer refuses; if it goes on to, the tunnel ends when the lifetime of the SA in use does"
        } else {
            "refused once: it may pass, if the peer was busy or both sides started at once"
        })
        .settle(format!("the log of {} at that time, or the keys of the IKE SA", last.destination.ip()))
        .frames(refusals.iter().flat_map(|(request, response)| [request.frame, response.frame]));
    let found = found.weigh(
        "busy",
        if undisturbed {
            0.1
        } else if count > 1 {
            0.3
        } else {
            2.0
        },
    );
    let found = if matters { found } else { found.severity(Severity::Notice) };
    let young = view.tunnel_up().is_some_and(|up| last.at.since(up) < YOUNG);
    let found = match ended {
        Some(_) => found.weigh("selectors", 0.1).weigh("pfs", 0.3),
        None if names_none && young => found.weigh("selectors", 8.0).weigh("pfs", 0.5),
        None if names_none && view.attempt.midstream => found.weigh("selectors", 4.0),
        None => found.weigh("selectors", 0.3),
    };
    Some(if pfs { found.weigh("pfs", 1.5) } else { found.weigh("pfs", 0.7) })
}

/// Whether nothing that the refusing side asked for was under way, or had been shortly before: it was neither busy with a change
/// of its own, nor did both start at once.
fn is_undisturbed(view: &View<'_>, request: &MessageRecord, response: &MessageRecord) -> bool {
    let own = view.messages().filter(|message| message.from == response.from);
    let mut asked = own.filter(|message| matches!(message.label, Label::Request(_)) && message.at <= response.at);
    !asked.any(|message| message.last_sent().after(SETTLED) >= request.at)
}

/// When the side that was refused deleted the IKE SA, not long after the last refusal, with nothing in its place.
fn ended_by(case: &Case<'_>, view: &View<'_>, refused: &MessageRecord) -> Option<Timestamp> {
    let left = ok_delete::left(view)?;
    let soon = left >= refused.at && left.since(refused.at) <= ENDS_WITHIN;
    let by_it = ok_delete::leaver(view) == Some(refused.from);
    (soon && by_it && ok_delete::is_taken_down(case)).then_some(left)
}
