//! Answers that one side did not get, and answers that the capture did not: one that passed here while its request goes on
//! and on, and one that must have come, because what only follows it did.
//!
//! Contract: nothing is told of an attempt whose initiator shows in any other way that it went on.

use std::time::Duration;

use crate::base::Timestamp;
use crate::track::{Attempt, Exchange, ExchangeKind, IkeVersion, Label, MessageRecord, Mode, Side};

use super::Confidence;
use super::case::{PATIENCE, View};
use super::sizes::{AuthAnswer, payload};
use super::words::{span, times};

/// A copy sent this long after its answer passed here did not cross it on the way.
const CROSSED: Duration = Duration::from_secs(1);
/// As many copies in spite of the answer are all that most senders ever send.
const ALL: usize = 4;
/// Halves of a liveness check are not further apart than this, and nothing answers later than this.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(3);

/// An answer that passed here, and does not reach who asked, or is not taken by it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unheard<'a> {
    /// What was asked.
    pub(super) request: &'a MessageRecord,
    /// The answer.
    pub(super) answer: &'a MessageRecord,
    /// Copies of the request that came after the answer.
    pub(super) copies: usize,
    /// Inferred; suspected while there are few copies.
    pub(super) confidence: Confidence,
}

impl<'a> Unheard<'a> {
    fn of(request: &'a MessageRecord, answer: &'a MessageRecord, confidence: Confidence) -> Self {
        let copies = request.copies().filter(|(_, at)| *at > answer.at).count();
        Self { request, answer, copies, confidence }
    }

    /// How often it was asked in spite of the answer.
    pub(super) fn in_spite(&self) -> String {
        format!(
            "is answered by {}, and comes all the same, {} more in the {} after the first answer",
            self.answer.source.ip(),
            times(self.copies as u64),
            span(self.request.last_sent().since(self.answer.at)),
        )
    }
}

/// Copies of `message` sent although its `answer` had passed here.
pub(super) fn copies_after(answer: &MessageRecord, message: &MessageRecord) -> usize {
    message.copies().filter(|(_, at)| at.since(answer.at) >= CROSSED).count()
}

/// The answer to an encrypted message. What is said to one in clear answers nothing: nobody may act on it (RFC 7296 §2.21.4).
fn under_protection(exchange: &Exchange, answer: Label) -> Option<&MessageRecord> {
    exchange.messages.iter().find(|message| message.label == answer && message.encrypted)
}

impl<'a> View<'a> {
    /// The last answer of the set-up, if the initiator seems never to get it: it goes on with what was answered, and does
    /// nothing else.
    pub(super) fn set_up_unheard(&self) -> Option<Unheard<'a>> {
        if self.attempt.mode == Mode::Aggressive {
            return self.question_unheard();
        }
        if !matches!(self.attempt.stage, Label::Mm(6) | Label::AUTH_RSP) {
            return None;
        }
        let exchange = if self.is_v2() {
            self.auth_exchanges().next_back()?
        } else {
            self.exchanges().iter().find(|exchange| exchange.kind == ExchangeKind::MainMode)?
        };
        let labels = if self.is_v2() { (Label::AUTH_REQ, Label::AUTH_RSP) } else { (Label::Mm(5), Label::Mm(6)) };
        // Whoever says no more than no has no SA that could be up on one side only, whether that is heard or not.
        let refuses = self.auth_answer() == Some(AuthAnswer::Notify) && self.authenticated() == Some(false);
        let unheard = self.unheard(exchange, labels).filter(|_| !refuses)?;
        let (asked, at) = (unheard.request.from, unheard.answer.at);
        let speaks = self
            .exchanges()
            .iter()
            .filter(|other| !std::ptr::eq(*other, exchange))
            .any(|other| other.messages.iter().any(|message| message.from == asked && message.at >= at));
        let uses = || self.case.flows_from(unheard.request.source.ip()).any(|flow| flow.first >= at);
        (!speaks && !uses()).then_some(unheard)
    }

    /// What the responder begins behind Aggressive Mode (XAUTH, Mode Config), if the initiator seems never to get it: it goes on with
    /// message 3, and does nothing else.
    fn question_unheard(&self) -> Option<Unheard<'a>> {
        let third = self.message(Label::Am(3)).filter(|third| third.repeats.len() >= 2)?;
        let asks = |message: &&MessageRecord| message.label == Label::Tr(1) && message.from != third.from;
        let question = self.messages().filter(asks).find(|message| message.encrypted)?;
        let unheard = self.unheard_of(third, question)?;
        let speaks = |message: &MessageRecord| message.from == third.from && message.at >= question.at;
        (!self.messages().any(speaks)).then_some(unheard)
    }

    /// The answer to a CREATE_CHILD_SA, if the side that asked seems never to get it: it goes on asking, asks for nothing
    /// else, and uses nothing new.
    pub(super) fn child_unheard(&self, exchange: &'a Exchange) -> Option<Unheard<'a>> {
        let (request, answer) = (Label::CREATE_CHILD_SA_REQ, Label::CREATE_CHILD_SA_RSP);
        let unheard = self.unheard(exchange, (request, answer)).or_else(|| self.rekey_unheard(exchange))?;
        let asks = self.exchanges().iter().any(|other| {
            other.started_by == exchange.started_by
                && other.message_id > exchange.message_id
                && other.messages.first().is_some_and(|first| first.at >= unheard.answer.at)
        });
        // what it used before it asked once more is not what it asked for
        let begins = || {
            let asked = unheard.request;
            self.case.flows_from(asked.source.ip()).any(|flow| flow.first >= asked.last_sent())
                || self.case.pair.attempts.iter().any(|other| other.rekeyed_from == Some(self.index))
        };
        (!asks && !begins()).then_some(unheard)
    }

    /// The answer to one of the further key exchanges (IKE_INTERMEDIATE, IKE_FOLLOWUP_KE), if the side that asked seems never to
    /// get it: it goes on asking.
    pub(super) fn round_unheard(&self, exchange: &'a Exchange) -> Option<Unheard<'a>> {
        let round = match exchange.kind {
            ExchangeKind::IkeIntermediate => 43,
            ExchangeKind::IkeFollowupKe => 44,
            _ => return None,
        };
        self.unheard(exchange, (Label::Request(round), Label::Response(round)))
    }

    /// The answer to a liveness check, if the side that asked seems never to get it: it goes on asking until the capture ends or it
    /// begins anew, and for nothing else.
    pub(super) fn check_unheard(&self, exchange: &'a Exchange) -> Option<Unheard<'a>> {
        if exchange.kind != ExchangeKind::InformationalV2 {
            return None;
        }
        let labels = (Label::INFORMATIONAL_REQ, Label::INFORMATIONAL_RSP);
        let unheard = self.unheard(exchange, labels).or_else(|| self.check_given_up(exchange))?;
        let goes_on = match self.next_copy(unheard.request) {
            Some(next) => !next.given_up,
            None => self.case.end().since(unheard.request.last_sent()) < PATIENCE,
        };
        let later =
            |other: &Exchange| other.started_by == exchange.started_by && other.message_id > exchange.message_id;
        let in_vain = (goes_on && !self.case.is_over(self.attempt)) || self.begins_anew(unheard.request);
        (in_vain && !self.exchanges().iter().any(later)).then_some(unheard)
    }

    /// Who begins anew instead of asking once more had no answer: the copies may have ended with any number.
    fn check_given_up(&self, exchange: &'a Exchange) -> Option<Unheard<'a>> {
        let request = exchange.message(Label::INFORMATIONAL_REQ).filter(|request| self.begins_anew(request))?;
        let answer = under_protection(exchange, Label::INFORMATIONAL_RSP)?;
        (copies_after(answer, request) >= 2).then_some(Unheard::of(request, answer, Confidence::Suspected))
    }

    /// Whether the side that sent `message` again and again gave up, and began another negotiation: in place of the next copy, or
    /// after it had waited as long again.
    fn begins_anew(&self, message: &MessageRecord) -> bool {
        let [.., before, last] = message.repeats.as_slice() else { return false };
        let due = last.at.after(last.at.since(before.at) * 4);
        let next = self.case.pair.attempts.get(self.index + 1);
        next.is_some_and(|next| {
            next.initiator.ip() == message.source.ip() && next.first > last.at && next.first <= due && !next.midstream
        })
    }

    /// Who re-keys a child SA and has the answer deletes the old one (RFC 7296 §2.8): the copies may have ended with any number.
    fn rekey_unheard(&self, exchange: &'a Exchange) -> Option<Unheard<'a>> {
        let request = exchange.message(Label::CREATE_CHILD_SA_REQ)?;
        let answer = under_protection(exchange, Label::CREATE_CHILD_SA_RSP)?;
        let copies = copies_after(answer, request);
        let watched = self.case.end().since(request.last_sent()) >= PATIENCE;
        // which begins with a Notify that names it (RFC 7296 §1.3.3)
        let rekeys = self.first_inside(request) == Some(payload::NOTIFY);
        (copies >= 2 && watched && rekeys).then_some(Unheard::of(request, answer, Confidence::Suspected))
    }

    /// The side that the capture holds nothing more of from some point on, although it goes on answering: twice and more the other
    /// one sent what can only follow an answer, or an answer to what is not there.
    pub(super) fn lost_side(&self) -> Option<Side> {
        // By side: when it was last heard, and when the last message but one of it came.
        let (mut heard, mut before): ([Option<Timestamp>; 2], [Option<Timestamp>; 2]) = Default::default();
        let mut latest: [Option<Timestamp>; 2] = [None; 2];
        for exchange in self.exchanges() {
            for message in &exchange.messages {
                let (side, at) = (message.from.index(), Some(message.at));
                heard[side] = heard[side].max(Some(message.last_sent()));
                before[side] = before[side].max(latest[side].min(at));
                latest[side] = latest[side].max(at);
            }
        }
        let lost = if heard[0]? < heard[1]? { Side::Initiator } else { Side::Responder };
        let since = heard[lost.index()]?;
        // two proofs take two messages
        if before[lost.other().index()] <= Some(since) {
            return None;
        }
        let address = if lost == Side::Initiator { self.attempt.initiator } else { self.attempt.responder };
        let uses = || self.case.flows_from(address.ip()).any(|flow| flow.last > since);
        let proofs = match self.attempt.version {
            IkeVersion::V1 => self.answered_in_v1(since),
            IkeVersion::V2 => self.answered_unseen_in_v2(since),
        };
        (proofs >= 2 && !uses()).then_some(lost)
    }

    /// Whether the capture misses an answer of `side`, as the other one shows, and holds nothing of that side from then on: the
    /// other one goes on with what only an answer lets it go on with. IKEv2 asks under the next message id when the last was
    /// answered, and under the same one until then (RFC 7296 §2.3).
    ///
    /// [`Self::lost_side`] wants more: two answers, of different messages, and nothing of that side from then on.
    pub(super) fn misses_answer_of(&self, side: Side) -> bool {
        let shown = if self.is_v2() { self.goes_on_in_v2(side) } else { self.goes_on_in_v1() };
        let heard = self.messages().filter(|message| message.from == side).map(MessageRecord::last_sent).max();
        shown.is_some_and(|shown| heard.is_none_or(|heard| heard < shown))
    }

    /// When the other side last asked under a message id that follows one of which no answer of `side` is there.
    fn goes_on_in_v2(&self, side: Side) -> Option<Timestamp> {
        let asked = || self.exchanges().iter().filter(|exchange| exchange.started_by == side.other());
        let last = asked().max_by_key(|exchange| exchange.message_id)?;
        let unanswered = |exchange: &&Exchange| exchange.messages.iter().all(|message| message.from != side);
        let misses = asked().filter(unanswered).any(|exchange| exchange.message_id < last.message_id);
        last.messages.first().filter(|_| misses).map(|first| first.at)
    }

    /// When a message last came that skips the one before it.
    fn goes_on_in_v1(&self) -> Option<Timestamp> {
        let skipping = self.exchanges().iter().flat_map(|exchange| {
            [Label::Mm, Label::Qm].into_iter().flat_map(move |label: fn(u8) -> Label| {
                (1..=4).filter_map(move |one| {
                    let (before, skipped) = (exchange.message(label(one)), exchange.message(label(one + 1)));
                    exchange.message(label(one + 2)).filter(|_| before.is_some() && skipped.is_none())
                })
            })
        });
        skipping.map(|message| message.at).max()
    }

    /// How many of the messages after `since`, all of one side, show that the one before was answered (RFC 2409 §5), by what is
    /// not there.
    fn answered_in_v1(&self, since: Timestamp) -> usize {
        let late = |message: &&MessageRecord| message.at > since;
        let of_set_up = || {
            self.messages().filter(late).filter_map(|message| match message.label {
                Label::Mm(number) => Some(number),
                Label::Qm(1) => Some(7),
                _ => None,
            })
        };
        let skipped = |(one, other): &(u8, u8)| *other == one + 2 && self.message(Label::Mm(one + 1)).is_none();
        let steps = of_set_up().zip(of_set_up().skip(1)).filter(skipped).count();
        let confirmed = self.exchanges().iter().filter(|exchange| {
            let has = |label| exchange.messages.iter().filter(late).any(|message| message.label == label);
            let answered = exchange.message(Label::Qm(2)).is_some();
            has(Label::Qm(1)) && has(Label::Qm(3)) && !answered
        });
        steps + confirmed.count()
    }

    /// The same in IKEv2: a request is sent once, and then the next one under the next number (RFC 7296 §2.3), or a request is
    /// answered that is not there.
    fn answered_unseen_in_v2(&self, since: Timestamp) -> usize {
        let mut proofs = 0;
        // By side, the last request that was sent once: its number, and when.
        let mut last: [Option<(u32, Timestamp)>; 2] = [None; 2];
        for exchange in self.exchanges() {
            let Some(first) = exchange.messages.first().filter(|first| first.at > since) else { continue };
            match first.label {
                Label::Response(_) => proofs += 1,
                Label::Request(_) => {
                    let (number, last) = (exchange.message_id.0, &mut last[first.from.index()]);
                    // Several at once are of a side that may have several under way, once the SA is up.
                    let follows = |(before, at): (u32, Timestamp)| {
                        let in_turn = exchange.kind == ExchangeKind::IkeAuth || first.at.since(at) >= CROSSED;
                        before.checked_add(1) == Some(number) && in_turn
                    };
                    proofs += usize::from(last.is_some_and(follows));
                    *last = Some((number, first.at)).filter(|_| first.repeat_count == 0);
                }
                _ => {}
            }
        }
        proofs
    }

    fn unheard(&self, exchange: &'a Exchange, (request, answer): (Label, Label)) -> Option<Unheard<'a>> {
        let request = exchange.message(request).filter(|request| request.repeats.len() >= 2)?;
        self.unheard_of(request, under_protection(exchange, answer)?)
    }

    fn unheard_of(&self, request: &'a MessageRecord, answer: &'a MessageRecord) -> Option<Unheard<'a>> {
        let copies = copies_after(answer, request);
        // Of a few copies the last may have been answered for good, unless the next is not due yet.
        let goes_on = || match self.next_copy(request) {
            Some(next) => !next.given_up,
            None => self.case.end().since(request.last_sent()) < PATIENCE,
        };
        // Two captures may show that it got lost between them.
        let lost = || self.case.points().is_some_and(|points| points.loses(answer));
        let confidence = match copies {
            ALL.. => Confidence::Inferred,
            1.. if lost() => Confidence::Inferred,
            2.. if goes_on() => Confidence::Suspected,
            _ => return None,
        };
        Some(Unheard::of(request, answer, confidence))
    }

    /// When it first showed that a set-up came to its end which the capture holds no end of: both sides use its keys later
    /// on. Whoever got no answer would have sent its message again, so once is enough for one that was not repeated.
    pub(super) fn lives_on(&self) -> Option<Timestamp> {
        let attempt = self.attempt;
        if attempt.phase1_up.is_some() || attempt.midstream || attempt.rekeyed_from.is_some() {
            return None;
        }
        let furthest = self.message(attempt.stage)?;
        let asks = matches!(furthest.label, Label::Mm(1 | 3 | 5) | Label::Request(_));
        let enough = if asks && furthest.repeat_count == 0 { 1 } else { 2 };
        let after = furthest.last_sent().after(ANSWER_WITHIN);
        match attempt.version {
            IkeVersion::V1 => self.checks_in_v1(after, enough),
            IkeVersion::V2 => self.answered_in_v2(after, enough),
        }
    }

    /// The last message of a set-up was sent once and never again, beside traffic that goes both ways all the while: whoever gets
    /// no answer asks again, and a capture that misses one message misses others. The traffic may be what this attempt renews: it is
    /// no other version's.
    pub(super) fn unasked_beside_traffic(&self) -> bool {
        let pair = self.case.pair;
        let Some(furthest) = self.message(self.attempt.stage) else { return false };
        let goes_on = |end| {
            let from_then = furthest.at.after(PATIENCE);
            self.case.flows_from(end).any(|flow| flow.first < self.attempt.first && flow.last >= furthest.at)
                && self.case.flows_from(end).any(|flow| flow.last >= from_then)
        };
        let may_answer = |message: &MessageRecord| {
            message.from != furthest.from && message.at >= furthest.at && message.at.since(furthest.at) <= PATIENCE
        };
        let answered = || self.messages().any(may_answer);
        let other = |attempt: &Attempt| attempt.version != self.attempt.version;
        let renews = || pair.attempts.iter().take(self.index).all(|earlier| !other(earlier));
        furthest.repeat_count == 0 && goes_on(pair.a) && goes_on(pair.b) && !answered() && renews()
    }

    /// Whether traffic began both ways after this attempt, which is the only one of the pair.
    pub(super) fn carries_traffic(&self) -> bool {
        let pair = self.case.pair;
        let begins = |end| self.case.flows_from(end).next().is_some_and(|flow| flow.first >= self.attempt.first);
        pair.attempts.len() == 1 && begins(pair.a) && begins(pair.b)
    }

    /// When the first of `enough` liveness checks was seen after `after`: Informationals of one length, one of each side.
    fn checks_in_v1(&self, after: Timestamp, enough: usize) -> Option<Timestamp> {
        let of = |side| {
            let informationals = self.messages().filter(move |message| message.label == Label::Inf);
            informationals.filter(move |message| message.from == side && message.encrypted && message.at > after)
        };
        let mut answers = of(Side::Responder).peekable();
        let mut checks = of(Side::Initiator).filter(|one| {
            let near = |other: &&MessageRecord| {
                other.at.since(one.at) <= ANSWER_WITHIN && one.at.since(other.at) <= ANSWER_WITHIN
            };
            while answers.next_if(|other| other.at < one.at && !near(other)).is_some() {}
            answers.next_if(|other| near(other) && other.length == one.length).is_some()
        });
        let first = checks.next()?.at;
        (1 + checks.count() >= enough).then_some(first)
    }

    /// When the first of `enough` exchanges was answered that began after `after`.
    fn answered_in_v2(&self, after: Timestamp, enough: usize) -> Option<Timestamp> {
        let mut answered = self.exchanges().iter().filter_map(|exchange| {
            let later = matches!(exchange.kind, ExchangeKind::CreateChildSa | ExchangeKind::InformationalV2);
            let first = exchange.messages.first().filter(|first| later && first.at > after)?;
            let both = [Side::Initiator, Side::Responder]
                .into_iter()
                .all(|side| exchange.messages.iter().any(|message| message.from == side && message.encrypted));
            both.then_some(first.at)
        });
        let first = answered.next()?;
        (1 + answered.count() >= enough).then_some(first)
    }
}
