//! INITIAL-CONTACT (RFC 2407 §4.6.3.3), a notify with both cookies: many stacks send it in an Informational of its own as soon
//! as phase 1 is complete for them. Encrypted, it is as long as a refusal with both cookies and as a delete of the ISAKMP SA.
//! What stands in its place is neither, until the initiator gives up.
//!
//! Not here: what rides along in message 5 or 6 of Main Mode, but that it does.

use std::time::Duration;

use crate::diagnose::case::{AT_ONCE, PATIENCE, View};
use crate::diagnose::sizes::{Content, V1Suite};
use crate::track::{Label, MessageRecord, Side};

use super::informational::{ABOUT_PHASE_1, answer_within};
use super::phase1::{self, Method};

/// Who sends message 6 and announces itself does so one right behind the other, which the path hardly draws further apart than
/// this.
const BEHIND_MESSAGE_6: Duration = Duration::from_millis(50);
/// Who waits for an answer asks again before that.
const ASKS_AGAIN: Duration = PATIENCE.saturating_add(AT_ONCE);

/// The encrypted Informational of `side` that may be its INITIAL-CONTACT: the first one, right after what completed phase 1 for
/// that side and before it does anything else, of the size of such a notify, and no sign that it refuses or deletes.
pub(super) fn of<'a>(view: &View<'a>, side: Side) -> Option<&'a MessageRecord> {
    may_be(view, side).filter(|first| !waits_for_quick_mode(view, first))
}

/// The same by its place among the messages alone, whatever lay in between.
pub(super) fn may_be<'a>(view: &View<'a>, side: Side) -> Option<&'a MessageRecord> {
    let first = first_informational(view, side)?;
    let stands_there = completes_phase_1(view, first) && !comes_later(view, first) && is_as_long(view, first);
    let refuses = || {
        comes_again(view, first)
            || rides_along(view, side) == Some(true)
            || goes_on_with_5(view, first)
            || gives_up(view, first)
            || gave_up_before(view, first)
    };
    (stands_there && !refuses()).then_some(first)
}

/// Whether an Informational stands where an INITIAL-CONTACT would, and no suite tells how long that is.
pub(super) fn may_be_by_place(view: &View<'_>, message: &MessageRecord) -> bool {
    V1Suite::chosen(view.attempt).is_none()
        && completes_phase_1(view, message)
        && !comes_later(view, message)
        && !waits_for_quick_mode(view, message)
        && !gives_up(view, message)
}

/// Whether a message is what [`of`] finds, of either side.
pub(in crate::diagnose) fn either<'a>(view: &View<'a>) -> impl Fn(&MessageRecord) -> bool + use<'a> {
    let found = [Side::Initiator, Side::Responder].map(|side| of(view, side));
    move |message| found.iter().flatten().any(|&one| std::ptr::eq(one, message))
}

/// Whether message 5 or 6 of `side` holds another notify besides its proof, by its length; `None` if that cannot be said.
pub(super) fn rides_along(view: &View<'_>, side: Side) -> Option<bool> {
    let suite = V1Suite::chosen(view.attempt).filter(|_| phase1::method(view) == Method::SharedKey)?;
    suite.proof_with_notify(view.attempt, side)
}

fn first_informational<'a>(view: &View<'a>, side: Side) -> Option<&'a MessageRecord> {
    phase1::encrypted_informationals(view, side).min_by_key(|message| message.at)
}

/// `first` comes right after a message with which phase 1 is complete for its side: one that it got, or the last one, its own.
/// That of the responder, message 6, may be lost.
fn completes_phase_1(view: &View<'_>, first: &MessageRecord) -> bool {
    let side = first.from;
    let sixth = view.message(Label::Mm(6));
    view.messages()
        .filter(|message| match message.label {
            Label::Mm(6) | Label::Am(3) => true,
            Label::Mm(5) => side == Side::Responder && sixth.is_none(),
            _ => false,
        })
        .any(|message| {
            let within = if message.from == side { ABOUT_PHASE_1 } else { answer_within(view, side) };
            message.copies().any(|(_, at)| at <= first.at && first.at.since(at) <= within)
        })
}

/// Its side has begun something else before.
fn comes_later(view: &View<'_>, first: &MessageRecord) -> bool {
    let of_side = |message: &&MessageRecord| message.from == first.from && message.at < first.at;
    view.messages().filter(of_side).any(|message| matches!(message.label, Label::Qm(_) | Label::Tr(_)))
}

/// The responder had sent message 6 a while ago and announced nothing, till a Quick Mode came: it speaks about that.
fn waits_for_quick_mode(view: &View<'_>, first: &MessageRecord) -> bool {
    let sixth = view.message(Label::Mm(6)).filter(|sixth| sixth.from == first.from);
    let asked = view.messages().filter(|message| message.label == Label::Qm(1) && message.from != first.from);
    let asked = asked.map(|message| message.at).filter(|&asked| asked <= first.at).min();
    sixth.zip(asked).is_some_and(|(sixth, asked)| asked >= sixth.last_sent().after(BEHIND_MESSAGE_6))
}

/// Where no suite tells, it is as likely to refuse the Quick Mode that came right before and got no answer.
fn is_as_long(view: &View<'_>, first: &MessageRecord) -> bool {
    match V1Suite::chosen(view.attempt) {
        Some(suite) => suite.contents(view.attempt, first.from, first.length).contains(Content::IsakmpNotify),
        None => !view.exchanges().iter().any(|exchange| {
            let asked = |message: &MessageRecord| message.from != first.from && message.at <= first.at;
            exchange.message(Label::Qm(1)).is_some_and(asked) && exchange.message(Label::Qm(2)).is_none()
        }),
    }
}

/// It is sent once; a refusal may be drawn by each copy of message 5.
fn comes_again(view: &View<'_>, first: &MessageRecord) -> bool {
    let alike = |message: &&MessageRecord| message.length == first.length;
    let drawn = || phase1::encrypted_informationals(view, first.from).filter(alike).count();
    first.repeat_count > 0 || view.attempt.phase1_up.is_none() && drawn() > 1
}

/// Phase 1 is not complete for the initiator.
fn goes_on_with_5(view: &View<'_>, first: &MessageRecord) -> bool {
    let fifth = view.message(Label::Mm(5)).filter(|fifth| fifth.from == first.from);
    fifth.is_some_and(|fifth| phase1::copies_in_spite_of(first, fifth).is_some())
}

/// The initiator says nothing more under this SA, or no more than farewell, and begins anew, or does not ask again for what it
/// lacks.
fn gives_up(view: &View<'_>, first: &MessageRecord) -> bool {
    let lacks = matches!(view.attempt.waiting_for, Some(Label::Mm(6) | Label::Qm(2)));
    let goes_on = |message: &MessageRecord| {
        message.from == Side::Initiator && message.last_sent() > first.at && !(lacks && message.label == Label::Inf)
    };
    let next = || view.case.view(view.index + 1).is_some_and(|next| is_of_same(view, &next));
    let ends = next() || lacks && view.case.end().since(first.at) >= ASKS_AGAIN;
    ends && !view.messages().any(goes_on)
}

/// It gave up the attempt before with one that was as long.
fn gave_up_before(view: &View<'_>, first: &MessageRecord) -> bool {
    let before =
        view.index.checked_sub(1).and_then(|index| view.case.view(index)).filter(|before| is_of_same(view, before));
    before.is_some_and(|before| {
        first_informational(&before, first.from)
            .is_some_and(|earlier| earlier.length == first.length && gives_up(&before, earlier))
    })
}

fn is_of_same(view: &View<'_>, other: &View<'_>) -> bool {
    other.attempt.version == view.attempt.version && other.attempt.initiator.ip() == view.attempt.initiator.ip()
}
