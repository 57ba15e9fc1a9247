//! Questions of IKEv1 phase 2: what became of each Quick Mode, and what its length says about a key exchange in it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::Severity;
use crate::diagnose::case::{Case, ClearNotify, PATIENCE, View};
use crate::diagnose::sizes::{Content, Contents, V1Suite};
use crate::diagnose::waiting::Waited;
use crate::isakmp::registry;
use crate::track::{Exchange, ExchangeKind, IkeVersion, Label, MessageRecord, Side};

use super::informational::{self, Reading};
use super::phase1::{self, notify};
use super::{initial_contact, life_cycle, t_spi_unknown};

/// A refusal comes within this time of the copy of message 1 that it answers.
const REFUSAL: Duration = Duration::from_secs(3);
/// With nothing more of the exchange for this long after it, it was a refusal and no message that crossed.
const CROSSING: Duration = Duration::from_secs(2);
/// Halves of a liveness check that crosses message 1 are not further apart than this.
const HALVES: Duration = Duration::from_secs(1);

/// One Quick Mode.
#[derive(Debug)]
pub(super) struct QuickMode<'a> {
    /// Message 1.
    pub first: &'a MessageRecord,
    /// The side of the SA that started it.
    pub started_by: Side,
    /// What became of it.
    pub fate: Fate<'a>,
}

impl QuickMode<'_> {
    /// What came instead of message 2, as the capture ends or to a message 1 that was not repeated, may be the INITIAL-CONTACT of the
    /// side that is asked.
    pub(super) fn may_be_greeted(&self, view: &View<'_>) -> bool {
        let Fate::Refused { by, .. } = &self.fate else { return false };
        let greeting = greets_instead(view, self.first);
        let is_it = |one: &MessageRecord| {
            greeting.is_some_and(|greeting| std::ptr::eq(one, greeting)) || initial_contact::may_be_by_place(view, one)
        };
        let last = |one: &MessageRecord| self.first.repeats.is_empty() || is_last(view, one);
        by.iter().all(|&one| is_it(one) && last(one))
    }
}

/// What became of a Quick Mode.
#[derive(Debug)]
pub(super) enum Fate<'a> {
    /// Message 2 or 3 came.
    Answered,
    /// Encrypted Informational messages came and no message 2.
    Refused {
        /// They.
        by: Vec<&'a MessageRecord>,
        /// Nothing else they could be.
        sure: bool,
    },
    /// An error came in clear, which anybody can send, and no message 2.
    InClear(ClearNotify<'a>),
    /// Nothing came, for long enough to say so.
    Silence(Waited),
    /// The capture does not tell.
    Open,
}

/// All Quick Modes of an attempt of which message 1 was seen.
pub(super) fn quick_modes<'a>(view: &View<'a>) -> Vec<QuickMode<'a>> {
    if view.attempt.version != IkeVersion::V1 {
        return Vec::new();
    }
    let informationals = [Side::Initiator, Side::Responder].map(|side| informationals(view, side));
    let in_clear = [Side::Initiator, Side::Responder].map(|side| refusals_in_clear(view, side));
    let any_answered =
        view.exchanges().iter().any(|exchange| exchange.kind == ExchangeKind::QuickMode && answered(exchange));
    let ended = phase1::ended_at_message_3(view);
    view.exchanges()
        .iter()
        .filter(|exchange| exchange.kind == ExchangeKind::QuickMode)
        .filter_map(|exchange| {
            let first = exchange.message(Label::Qm(1))?;
            let fate = if answered(exchange) {
                Fate::Answered
            } else if ended.is_some_and(|ended| !ended.may_refuse_quick) {
                // P1-AGGR-AUTH.
                Fate::Open
            } else {
                let of = |side: Side| informationals.get(side.index()).map_or(&[][..], Vec::as_slice);
                let side = exchange.started_by;
                match fate(view, first, [of(side), of(side.other())], any_answered) {
                    // It is refused for being in clear: M-ENC-BIT.
                    Fate::Refused { .. } if !first.encrypted => Fate::Open,
                    Fate::Refused { by, .. } if ended.is_some() => Fate::Refused { by, sure: false },
                    fate @ (Fate::Silence(_) | Fate::Open) => {
                        let refusals = in_clear.get(side.other().index()).map_or(&[][..], Vec::as_slice);
                        refused_in_clear(view, first, refusals).map_or(fate, Fate::InClear)
                    }
                    fate => fate,
                }
            };
            Some(QuickMode { first, started_by: exchange.started_by, fate })
        })
        .collect()
}

/// An encrypted Informational message, and whether its length fits a refusal.
#[derive(Debug, Clone)]
struct Informational<'a> {
    message: &'a MessageRecord,
    contents: Option<Contents>,
    /// By its place it could be INITIAL-CONTACT, if it was late.
    late_contact: bool,
    /// It deletes an SA, by its size, by when it comes and by what follows.
    deletes: bool,
}

/// Those of one side, in order of time, without what may be its INITIAL-CONTACT.
fn informationals<'a>(view: &View<'a>, side: Side) -> Vec<Informational<'a>> {
    let suite = V1Suite::chosen(view.attempt);
    let mut by_length: BTreeMap<u32, Option<Contents>> = BTreeMap::new();
    let announces = initial_contact::either(view);
    let late_contact = initial_contact::may_be(view, side);
    let read = informational::read(view);
    let deletes: BTreeSet<FrameRef> =
        read.iter().filter(|one| one.reading == Reading::Delete).map(|one| one.message.frame).collect();
    let mut found: Vec<Informational<'a>> = phase1::encrypted_informationals(view, side)
        .filter(|message| !announces(message))
        .map(|message| {
            let contents = by_length.entry(message.length).or_insert_with(|| {
                let contents = suite?.contents(view.attempt, side, message.length);
                (!contents.is_empty()).then_some(contents)
            });
            let late_contact = late_contact.is_some_and(|late| std::ptr::eq(late, message));
            let deletes = deletes.contains(&message.frame);
            Informational { message, contents: *contents, late_contact, deletes }
        })
        .collect();
    found.sort_by_key(|informational| informational.message.at);
    found
}

fn answered(exchange: &Exchange) -> bool {
    exchange.messages.iter().any(|message| matches!(message.label, Label::Qm(2 | 3)))
}

/// `informationals` are those of the side that started, and of the other.
fn fate<'a>(
    view: &View<'a>,
    first: &'a MessageRecord,
    informationals: [&[Informational<'a>]; 2],
    any_answered: bool,
) -> Fate<'a> {
    let [_, from_other] = informationals;
    let mut by: Vec<&MessageRecord> = Vec::new();
    let mut only_refusals = true;
    let mut next = 0;
    for copy in std::iter::once(first.at).chain(first.repeats.iter().map(|repeat| repeat.at)) {
        next = next.max(from_other.partition_point(|answer| answer.message.at < copy));
        while let Some(answer) = from_other.get(next).filter(|answer| answer.message.at.since(copy) <= REFUSAL) {
            next += 1;
            if is_liveness(first, answer, informationals) {
                continue;
            }
            if is_farewell(view, first, answer, from_other) {
                return Fate::Open;
            }
            if answer.contents.is_none_or(|contents| contents.iter().any(refuses)) {
                // Without an IPsec SA there is none to delete.
                only_refusals &= !answer.late_contact;
                only_refusals &= answer.contents.is_some_and(|contents| {
                    contents
                        .iter()
                        .all(|content| refuses(content) || (!any_answered && content == Content::DeleteIpsec))
                });
                by.push(answer.message);
            }
        }
    }
    match by.last() {
        Some(last) => {
            let quiet = view.case.end().since(last.at) >= CROSSING;
            let readable = !view.attempt.midstream || V1Suite::chosen(view.attempt).is_some();
            let sure = readable && (only_refusals || quiet || by.len() > 1);
            Fate::Refused { by, sure }
        }
        // Copies of message 1 from before the capture may have been answered.
        None if !view.shows_set_up() || view.one_sided() => Fate::Open,
        // Who has no SA sends nothing under one: it is message 2, and the capture misses message 1, or it misses the answer.
        None if !any_answered && begins_traffic(view, first) => Fate::Open,
        None => match phase1::silence_after(view, first) {
            // Who gets no answer asks again; of one that was sent once the capture misses the answer.
            None => unasked(view, first, any_answered),
            Some(waited) if waited.copies < 2 && waited.after >= PATIENCE => unasked(view, first, any_answered),
            // What may be its INITIAL-CONTACT, and came when message 1 had come, may refuse that as well.
            Some(waited) => greets_instead(view, first)
                .filter(|_| !any_answered)
                .map_or(Fate::Silence(waited), |greeting| Fate::Refused { by: vec![greeting], sure: false }),
        },
    }
}

/// Of a message 1 that was sent once: what may be an INITIAL-CONTACT right after it may refuse it, as the capture ends, or if nobody asks
/// again while another Quick Mode is answered.
fn unasked<'a>(view: &View<'a>, first: &MessageRecord, any_answered: bool) -> Fate<'a> {
    let settled = || view.case.end().since(first.at) >= PATIENCE / 2;
    let refuses = |greeting: &&MessageRecord| if any_answered { settled() } else { is_last(view, greeting) };
    match greets_instead(view, first).filter(|_| first.repeats.is_empty()).filter(refuses) {
        Some(greeting) => Fate::Refused { by: vec![greeting], sure: false },
        None => Fate::Open,
    }
}

/// Refusals in clear of one side, in order of time: other than that it does not know the SA (L-STALE-SA), and not about ESP or AH
/// (T-SPI-UNKNOWN).
fn refusals_in_clear<'a>(view: &View<'a>, side: Side) -> Vec<ClearNotify<'a>> {
    let mut refusals: Vec<ClearNotify<'_>> = view
        .clear_errors(side)
        .filter(|error| {
            let said = error.notify_message_type;
            !error.message.encrypted
                && said != notify::INVALID_COOKIE
                && !notify::REFUSES_NOTHING.contains(&said)
                && !t_spi_unknown::speaks_of(&view.case, error)
        })
        .collect();
    refusals.sort_by_key(|refusal| refusal.message.at);
    refusals
}

/// The one of them that came right after a copy of message 1.
fn refused_in_clear<'a>(
    view: &View<'a>,
    first: &MessageRecord,
    refusals: &[ClearNotify<'a>],
) -> Option<ClearNotify<'a>> {
    if refusals.is_empty() || !first.encrypted || view.one_sided() {
        return None;
    }
    let after = |(_, copy): (FrameRef, Timestamp)| {
        let next = refusals.get(refusals.partition_point(|refusal| refusal.message.at < copy));
        next.copied().filter(|refusal| refusal.message.at.since(copy) <= REFUSAL)
    };
    first.copies().find_map(after).filter(|_| !begins_traffic(view, first))
}

/// What may be the INITIAL-CONTACT of the side that is asked, if it came right after a copy of message 1.
fn greets_instead<'a>(view: &View<'a>, first: &MessageRecord) -> Option<&'a MessageRecord> {
    let greeting = initial_contact::of(view, first.from.other())?;
    let after = |at: Timestamp| at <= greeting.at && greeting.at.since(at) <= REFUSAL;
    first.copies().any(|(_, at)| after(at)).then_some(greeting)
}

/// Whether nothing of the attempt comes behind this message, which is near the end of the capture.
fn is_last(view: &View<'_>, message: &MessageRecord) -> bool {
    view.messages().all(|other| other.last_sent() <= message.at) && view.case.end().since(message.at) < PATIENCE
}

/// Whether the side that is asked begins to send ESP or AH after message 1.
fn begins_traffic(view: &View<'_>, first: &MessageRecord) -> bool {
    view.begun_from(first.at).any(|flow| flow.source == first.destination.ip())
}

/// `answer` is half of a liveness check that crossed message 1: the side that started sent one of the same length at that
/// time too, and goes on with message 1 as nobody does who was refused, or that is what the two said last before it.
fn is_liveness(
    first: &MessageRecord,
    answer: &Informational<'_>,
    [from_starter, from_other]: [&[Informational<'_>]; 2],
) -> bool {
    let may_be = answer.contents.is_some_and(|contents| contents.contains(Content::Dpd));
    let half = |one: &Informational<'_>| other_half(one, from_starter);
    let checked_before = || {
        let before = from_other.partition_point(|other| other.message.at < first.at);
        let last = before.checked_sub(1).and_then(|last| from_other.get(last));
        last.is_some_and(|last| last.message.length == answer.message.length && half(last).is_some())
    };
    may_be
        && half(answer).is_some_and(|partner| {
            let both = partner.message.at.max(answer.message.at);
            first.repeats.iter().any(|repeat| repeat.at > both) || checked_before()
        })
}

/// The one of `others` that comes with `one`, and is as long.
fn other_half<'i, 'a>(one: &Informational<'_>, others: &'i [Informational<'a>]) -> Option<&'i Informational<'a>> {
    let at = one.message.at;
    let from = others.partition_point(|other| other.message.at.after(HALVES) < at);
    let near = others.get(from..).unwrap_or_default().iter().take_while(|other| other.message.at.since(at) <= HALVES);
    near.into_iter().find(|other| other.message.length == one.message.length)
}

/// `answer` ends an SA that its sender was deleting when message 1 came: it had sent what may be the delete of an IPsec SA right
/// before, or is too late for a refusal; this one may be that of the ISAKMP SA, and the one that started sends nothing more but
/// another such delete.
fn is_farewell(
    view: &View<'_>,
    first: &MessageRecord,
    answer: &Informational<'_>,
    from_other: &[Informational<'_>],
) -> bool {
    let may_be = |one: &Informational<'_>, content| one.contents.is_none_or(|contents| contents.contains(content));
    let before = from_other.iter().any(|one| {
        one.message.at < first.at && first.at.since(one.message.at) <= REFUSAL && may_be(one, Content::DeleteIpsec)
    });
    let nothing_after = || {
        let last = view.messages().filter(|message| message.at > answer.message.at);
        last.fold(true, |none, message| none && message.label == Label::Inf && message.encrypted)
            && first.last_sent() <= answer.message.at
    };
    let late = answer.message.at.since(first.at) > REFUSAL;
    (before || late && answer.deletes) && may_be(answer, Content::DeleteIsakmp) && nothing_after()
}

/// Quick Modes that were accepted, by who started them and how long their message 1 was: when the last of each was, and under
/// which attempt.
#[derive(Debug)]
pub(super) struct Accepted(BTreeMap<(IpAddr, u32), (Timestamp, usize)>);

impl Accepted {
    /// Of this pair.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let mut last = BTreeMap::new();
        for (index, view) in case.attempts() {
            let quick = |exchange: &&Exchange| exchange.kind == ExchangeKind::QuickMode && answered(exchange);
            for exchange in view.exchanges().iter().filter(quick) {
                let first = exchange.message(Label::Qm(1));
                let Some(first) = first else { continue };
                let key = (life_cycle::address(view.attempt, exchange.started_by), first.length);
                let this = (first.at, index);
                last.entry(key).and_modify(|last: &mut (Timestamp, usize)| *last = this.max(*last)).or_insert(this);
            }
        }
        Self(last)
    }

    /// How long before `quick` the last one like it was accepted, if it was so long before that this may be its re-key. One that
    /// came right before under the same phase 1 is another pair of networks.
    pub(super) fn before(&self, view: &View<'_>, quick: &QuickMode<'_>) -> Option<Duration> {
        let key = (life_cycle::address(view.attempt, quick.started_by), quick.first.length);
        let (last, index) = *self.0.get(&key)?;
        let before = quick.first.at.since(last);
        (before > PATIENCE || index < view.index && last < quick.first.at).then_some(before)
    }

    /// How long after `quick` one like it was last accepted, if somebody may have mended a setting in between.
    pub(super) fn after(&self, view: &View<'_>, quick: &QuickMode<'_>) -> Option<Duration> {
        const MENDING: Duration = Duration::from_secs(3);
        let key = (life_cycle::address(view.attempt, quick.started_by), quick.first.length);
        self.0.get(&key).map(|(last, _)| last.since(quick.first.at)).filter(|after| *after > MENDING)
    }
}

/// A notify other than a liveness check.
pub(super) fn refuses(content: Content) -> bool {
    matches!(content, Content::BareNotify | Content::IpsecNotify | Content::IsakmpNotify)
}

/// What a failed Quick Mode weighs beside the others of its pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    successes: u64,
    last_success: Option<Timestamp>,
}

impl Standing {
    /// Of this pair.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let exchanges = case.pair.attempts.iter().flat_map(|attempt| &attempt.exchanges);
        let began = exchanges
            .filter(|exchange| exchange.kind == ExchangeKind::QuickMode && answered(exchange))
            .filter_map(|exchange| exchange.messages.first())
            .map(|message| message.at);
        began.fold(Self { successes: 0, last_success: None }, |standing, at| Self {
            successes: standing.successes + 1,
            last_success: standing.last_success.max(Some(at)),
        })
    }

    /// Quick Modes of the pair that were answered.
    pub(super) fn successes(&self) -> u64 {
        self.successes
    }

    /// Whether any was.
    pub(super) fn any_success(&self) -> bool {
        self.successes > 0
    }

    /// `severity`, unless a Quick Mode that came later was answered (history), or another one was: then the tunnel works
    /// in part. One that follows at once is another pair of networks and no second try.
    pub(super) fn severity(&self, at: Timestamp, severity: Severity) -> Severity {
        match self.last_success {
            Some(success) if success.since(at) > PATIENCE => severity.min(Severity::Notice),
            Some(_) => severity.min(Severity::Warning),
            None => severity,
        }
    }
}

/// Least octets in front of a key exchange in message 1 besides the hash: an SA of one proposal with one transform
/// (RFC 2407 §4.6.1) and the shortest nonce.
const LEAST_SA: u32 = 12 + 12 + 8 + 8;
const LEAST_NONCE: u32 = 4 + 8;

/// The group that was chosen for phase 1.
pub(super) fn phase1_group(view: &View<'_>) -> Option<u16> {
    let transform = view.attempt.chosen.as_ref()?.transforms.first()?;
    u16::try_from(transform.attribute(phase1::GROUP_DESCRIPTION)?).ok()
}

/// Whether a message 1 of this length has room for a key exchange in the group of phase 1 (PFS). `Some(false)` is
/// certain; `Some(true)` may also be a longer list of proposals.
pub(super) fn room_for_key_exchange(view: &View<'_>, length: u32) -> Option<bool> {
    let suite = V1Suite::chosen(view.attempt)?;
    let public = u32::from(registry::group_public_len(phase1_group(view)?)?);
    let least = 4 + suite.hash + LEAST_SA + LEAST_NONCE + 4 + public;
    Some(length.saturating_sub(28) >= least)
}

/// MODP groups, those in common use first.
const MODP: [u16; 7] = [14, 2, 5, 15, 16, 17, 18];

/// The group that the key exchange of a message 1 of this length seems to be in, if besides it there is one proposal: that of phase
/// 1, or else the largest that leaves room for it. Who lists much in phase 1 does so in phase 2: then the length tells nothing.
pub(super) fn group_besides_one_proposal(view: &View<'_>, length: u32) -> Option<u16> {
    let listed = view.attempt.offered.iter().map(|proposal| proposal.transforms.len()).sum::<usize>();
    if listed > MUCH {
        return None;
    }
    let suite = V1Suite::chosen(view.attempt)?;
    let own = phase1_group(view)?;
    let fits = |group: &u16| {
        let public = registry::group_public_len(*group).map(u32::from)?;
        let rest = length.checked_sub(28 + 4 + suite.hash + 4 + public)?;
        ONE_PROPOSAL.contains(&rest).then_some(public)
    };
    let largest = || MODP.into_iter().filter_map(|group| Some((fits(&group)?, group))).max();
    fits(&own).map(|_| own).or_else(|| largest().map(|(_, group)| group))
}

/// More transforms than these are a list of all that an initiator knows.
const MUCH: usize = 8;

/// Octets of an SA with one proposal, a nonce and two address identities, with padding (RFC 2407 §4.6).
const ONE_PROPOSAL: std::ops::RangeInclusive<u32> = LEAST_SA + LEAST_NONCE + 2 * 12..=160;

/// The groups of the shorter and the longer of two messages 1 of the same suite, if both seem to hold one proposal and a key
/// exchange, and the public values are what they differ by. A proposal more can look the same.
pub(super) fn differ_by_group(suite: V1Suite, one: u32, other: u32) -> Option<(u16, u16)> {
    let (shorter, longer) = (one.min(other), one.max(other));
    let around = 28 + 4 + suite.hash + 4;
    let groups = || MODP.into_iter().filter_map(|group| Some((group, u32::from(registry::group_public_len(group)?))));
    groups().find_map(|(small, octets)| {
        let rest = shorter.checked_sub(around + octets)?;
        let fits = |more| more > octets && (longer - shorter).abs_diff(more - octets) < suite.block;
        let (large, _) = groups().find(|&(_, more)| fits(more))?;
        ONE_PROPOSAL.contains(&rest).then_some((small, large))
    })
}

/// The group whose key exchange payload is what two messages 1 of the same suite differ by, to within a cipher block.
/// Only MODP groups are long enough to tell from another proposal or two.
pub(super) fn differ_by_key_exchange(suite: V1Suite, one: u32, other: u32) -> Option<u16> {
    let difference = one.abs_diff(other);
    MODP.into_iter().find(|&group| {
        registry::group_public_len(group)
            .is_some_and(|public| difference.abs_diff(u32::from(public) + 4) <= suite.block)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Lengths of one proposal with and without a key exchange in group 14, AES-CBC and SHA2-256, as daemons send them.
    #[test]
    fn a_key_exchange_shows_in_the_difference() {
        let suite = V1Suite { hash: 32, block: 16 };
        assert_eq!(differ_by_key_exchange(suite, 460, 188), Some(14));
        assert_eq!(differ_by_key_exchange(suite, 188, 460), Some(14));
        assert_eq!(differ_by_key_exchange(suite, 188, 188), None);
        assert_eq!(differ_by_key_exchange(suite, 268, 188), None, "an IPCOMP proposal more");
    }

    /// MODP-1536 and MODP-2048 have 192 and 256 octets (RFC 3526).
    #[test]
    fn two_groups_show_in_the_difference() {
        let suite = V1Suite { hash: 32, block: 16 };
        assert_eq!(differ_by_group(suite, 444, 380), Some((5, 14)));
        assert_eq!(differ_by_group(suite, 380, 444), Some((5, 14)));
        assert_eq!(differ_by_group(suite, 444, 444), None);
        assert_eq!(differ_by_group(suite, 252, 188), None, "no room for a key exchange in the shorter one");
        assert_eq!(differ_by_group(suite, 524, 460), None, "the shorter one holds MODP-2048: a proposal more");
    }
}
