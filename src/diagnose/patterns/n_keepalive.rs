//! N-KEEPALIVE: the NAT forgets its mapping between packets.

use std::collections::HashSet;
use std::net::IpAddr;
use std::ptr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::{number, span, times};
use crate::diagnose::{Confidence, Severity};
use crate::track::{EspFlow, Label, MessageRecord, Side};

use super::informational::{self, Informational, Reading};
use super::nat::Unmapped;
use super::{life_cycle, nat};

/// NATs are known to forget a UDP mapping after this.
const MAPPING: Duration = Duration::from_secs(30);
/// No NAT forgets a mapping that was used so short a time ago.
const JUST_USED: Duration = Duration::from_secs(20);
/// Traffic at this pace leaves no mapping unused for long.
const STEADY: Duration = Duration::from_secs(2);
/// A NAT that refuses packets for so long has more than one moment without state.
const OUTAGE: Duration = Duration::from_secs(10);
/// Copies of a question that went unanswered for that long; fewer may have been lost on the way.
const LEAST_COPIES: u64 = 4;

pattern! {
    /// ## What is seen
    ///
    /// One side is behind a NAT. It sends nothing for half a minute or longer, not even keepalives (a single octet 0xFF on
    /// UDP 4500); then a message from the other side stays without an answer, or gets it only when the inner side sends again.
    /// Or the NAT answers ESP in UDP with ICMP port unreachable, until the inner side sends again.
    ///
    /// ## What it means
    ///
    /// A NAT forgets a mapping that is not used, some after 30 seconds. After that nothing from outside gets in until the inner
    /// side sends again. The keepalive interval has to be shorter than the NAT's timer.
    ///
    /// Where the inner side had sent a moment before, no timer is to blame: the NAT lost its state, because it was restarted or
    /// flushed or another one took over, or its address went away.
    ///
    /// ## Look-alikes
    ///
    /// - `L-DPD-TIMEOUT`: the side behind the NAT is gone, and does not come back when it sends.
    /// - `N-MAPPING-CHANGED`: the mapping came back as another port.
    N_KEEPALIVE = "N-KEEPALIVE", Path, Warning;
    title: "the NAT seems to forget its mapping between packets";
    causes: [
        "timer" 0.571 "the NAT's UDP timer is shorter than the interval between packets of the inner side", raised by "the tunnel works again as soon as the inner side sends", lowered by "keepalives every 20 s or oftener";
        "lost" 0.048 "the NAT lost its state (it was restarted or flushed, or another one took over), or its address went away for a moment", raised by "the inner side had sent a moment before", lowered by "it had been quiet for long";
        "gone" 0.381 "the inner side, its link or the NAT went down", raised by "it never sends again", lowered by "it sends again under the same SPIs";
    ];
    checks: [
        Either: "on the side behind the NAT, send NAT keepalives every 10 to 20 seconds, and do the liveness checks from there" about "timer" "gone";
        Path: "raise the NAT's timer for UDP 4500" about "timer" "gone";
        Path: "look at the NAT's log and uptime at that time, and at its outside address and link";
    ];
    logs: [
        "strongSwan": "keep_alive = 20s" ("strongSwan source");
        "Netopia": "ESP_LIFE = 180 IKE_LIFE = 600" ("NIR-40");
    ];
    sources: ["NIR-40", "RFC 3948 §4", "RFC 7296 §2.23"];
    when: NAT, ICMP;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let unanswered: Vec<Match> = case
        .attempts()
        .filter(|(_, view)| view.attempt.phase1_up.is_some() && !view.one_sided())
        .filter_map(|(index, view)| {
            let inner = nat::behind(&view).next()?;
            found(case, index, &view, inner)
        })
        .collect();
    if unanswered.is_empty() { refused(case).into_iter().collect() } else { unanswered }
}

/// Whether a side sends keepalives less often than a mapping lives, if any.
fn rarely(case: &Case<'_>, address: IpAddr) -> bool {
    let sent = case.pair.sent_by(address);
    let often = sent.span.map_or(Duration::MAX, |(first, last)| {
        u32::try_from(sent.keepalives)
            .ok()
            .and_then(|count| last.since(first).checked_div(count))
            .unwrap_or(Duration::MAX)
    });
    often > MAPPING
}

/// Whether keepalives that are missing explain that a NAT had no mapping for a while: there was the same one again as soon as
/// the inner side sent.
pub(super) fn explains(case: &Case<'_>, refused: &Unmapped) -> bool {
    let another = || nat::remapped(case).is_some_and(|remapped| remapped.flow.source == refused.inner);
    refused.healed && rarely(case, refused.inner) && !another()
}

/// The NAT itself says that it has no mapping, and has one again when the inner side sends.
fn refused(case: &Case<'_>) -> Option<Match> {
    let refused = nat::unmapped(case).filter(|refused| explains(case, refused))?;
    let keepalives = case.pair.sent_by(refused.inner).keepalives;
    let found = nat::match_at(case, refused.span.0, Confidence::Inferred)
        .seen(format!(
            "ICMP port unreachable from {} about ESP in UDP to it, {} in {}; after that traffic goes both ways under the same SA ({} of it in all)",
            refused.inner,
            times(refused.count),
            span(refused.span.1.since(refused.span.0)),
            number(keepalives, "keepalive"),
        ))
        .frames(refused.frames.iter().copied());
    let Some(ago) = used_before(case, &refused) else {
        let forgot = "the NAT had forgotten its mapping, and made one again when the inner side sent by itself";
        let found = found.means(forgot).weigh("timer", 4.0);
        return Some(if is_steady(case, &refused) { found.weigh("lost", 30.0) } else { found.rule_out(&["lost"]) });
    };
    let mut found = found
        .means(
            "the NAT lost a mapping that was in use, and made one again when the inner side sent: no timer does that",
        )
        .rule_out(&["timer", "gone"]);
    found.seen.push_str(&format!("; the inner side had sent no longer than {} before", span(ago)));
    let brief = refused.span.1.since(refused.span.0) < OUTAGE;
    Some(if brief { found.severity(Severity::Notice) } else { found })
}

/// How long at most the inner side had sent nothing when a NAT had no mapping, if that is so short that no timer had run out.
/// Of a flow that goes on after that it is certain only when its first packet was sent.
fn used_before(case: &Case<'_>, refused: &Unmapped) -> Option<Duration> {
    let at = refused.span.0;
    let of_inner = |message: &MessageRecord| message.source.ip() == refused.inner;
    let said = case.attempts().flat_map(|(_, view)| view.messages()).filter(|message| of_inner(message));
    let said = said.flat_map(MessageRecord::copies).map(|(_, at)| at);
    let flows = case.flows_from(refused.inner).flat_map(|flow| [flow.first, flow.last]);
    let last = said.chain(flows).filter(|&sent| sent <= at).max()?;
    Some(at.since(last)).filter(|ago| *ago <= JUST_USED)
}

/// Whether its traffic goes on all the while, at a pace that leaves a mapping unused for long only if it pauses.
fn is_steady(case: &Case<'_>, refused: &Unmapped) -> bool {
    let at = refused.span.0;
    case.flows_from(refused.inner).any(|flow| flow.first <= at && flow.last > at && keeps_pace(flow))
}

/// Whether the packets of a flow come so often, on average, that they keep a mapping alive.
pub(super) fn keeps_pace(flow: &EspFlow) -> bool {
    life_cycle::spacing(flow) <= STEADY
}

fn found(case: &Case<'_>, index: usize, view: &View<'_>, inner: Side) -> Option<Match> {
    let up = view.attempt.phase1_up?;
    let read = informational::read(view);
    let tells = |one: &&Informational<'_>| matches!(one.reading, Reading::Delete | Reading::Notify | Reading::Answer);
    let told: HashSet<*const MessageRecord> = read.iter().filter(tells).map(|one| ptr::from_ref(one.message)).collect();
    let asks = |message: &MessageRecord| {
        message.from == inner.other()
            && message.at > up
            && is_question(message.label)
            && !told.contains(&ptr::from_ref(message))
    };
    if !view.messages().any(asks) {
        return None;
    }
    let ordered = nat::in_order(view);
    let asked = ordered
        .iter()
        .enumerate()
        .filter(|(_, message)| asks(message))
        .find(|&(place, message)| !answered(&ordered, place) && view.waited(message).is_silence())
        .map(|(_, message)| *message)?;
    let address = life_cycle::address(view.attempt, inner);
    let flows = || case.pair.flows.iter().filter(|flow| flow.source != asked.source.ip());
    let sent = case.pair.sent_by(address);
    if !rarely(case, address) {
        return None;
    }
    let waited = view.waited(asked);
    // A flow that spans the question may have spoken at any time: nothing can be said about quiet.
    if flows().any(|flow| flow.first <= asked.at && flow.last >= asked.at) {
        return answered_late(view, inner, asked, sent.keepalives).filter(|_| flows().all(|flow| flow.lost == 0));
    }
    let spoke_before = |at: Timestamp| (at <= asked.at).then_some(at);
    let last = view
        .messages()
        .filter(|message| message.from == inner)
        .filter_map(|message| spoke_before(message.at))
        .chain(flows().filter_map(|flow| spoke_before(flow.last)))
        .max()?;
    let quiet = asked.at.since(last);
    if quiet < MAPPING {
        return None;
    }
    let again = view.messages().any(|message| message.from == inner && message.at > asked.at)
        || flows().any(|flow| flow.first > asked.at);
    let found = Match::on(index, Confidence::Suspected)
        .seen(format!(
            "{} ({address}) is behind a NAT and was quiet for {} ({} in all); then {} from outside was sent {} without an answer",
            nat::name(inner),
            span(quiet),
            number(sent.keepalives, "keepalive"),
            asked.label,
            times(waited.copies),
        ))
        .means(if again {
            "the inner side came back when it sent by itself: a mapping that had been forgotten fits"
        } else {
            "the mapping was forgotten, or the inner side is gone"
        })
        .frames(view.frames(asked))
        .settle("captures on both sides of the NAT: does the message from outside get in?");
    let found = found.rule_out(&["lost"]);
    Some(if again { found.weigh("timer", 2.0) } else { found.weigh("gone", 1.5) })
}

/// A question that was sent again and again before the inner side was heard again. Its traffic goes on across that, so that
/// its flow does not tell for how long it was quiet; but with a mapping that is used a question gets in.
fn answered_late(view: &View<'_>, inner: Side, asked: &MessageRecord, keepalives: u64) -> Option<Match> {
    let waited = view.waited(asked);
    let heard = nat::in_order(view).into_iter().find(|message| message.from == inner && message.at > asked.at)?;
    if waited.copies < LEAST_COPIES {
        return None;
    }
    let found = Match::on(view.index, Confidence::Suspected)
        .seen(format!(
            "{} ({}) is behind a NAT ({} in all); {} from outside was sent {}, and no IKE of it came for {}",
            nat::name(inner),
            life_cycle::address(view.attempt, inner),
            number(keepalives, "keepalive"),
            asked.label,
            times(waited.copies),
            span(heard.at.since(asked.at)),
        ))
        .means("the inner side came back in the end: a mapping that had been forgotten until it sent again fits")
        .frames(view.frames(asked))
        .frames([heard.frame])
        .weigh("timer", 2.0)
        .settle("captures on both sides of the NAT: does the message from outside get in?");
    Some(found)
}

fn is_question(label: Label) -> bool {
    matches!(label, Label::Inf | Label::Qm(1) | Label::Tr(1) | Label::Request(_))
}

/// Whether the other side sent anything soon after the message at `place`.
fn answered(ordered: &[&MessageRecord], place: usize) -> bool {
    let Some((question, later)) = ordered.get(place..).and_then(<[_]>::split_first) else { return false };
    let until = question.at.after(MAPPING);
    later.iter().take_while(|message| message.at <= until).any(|message| message.from != question.from)
}
