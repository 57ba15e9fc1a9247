//! Whether and when the tunnel of an attempt came up: messages say so, or ESP and AH show it.

use std::time::Duration;

use crate::base::Timestamp;
use crate::track::{EspFlow, Exchange, Label, MessageRecord, Side};

use super::case::{AT_ONCE, PATIENCE, View};
use super::sizes::{AuthAnswer, Suite, payload};

/// IKEv2: the answers that granted child SAs, and the requests by which the initiator deleted each of them at once.
#[derive(Debug)]
pub(super) struct TurnedDown<'a> {
    pub(super) grants: Vec<&'a MessageRecord>,
    pub(super) deletes: Vec<&'a MessageRecord>,
}

impl<'a> View<'a> {
    /// [`Self::tunnel_up`], read from the facts.
    pub(super) fn read_tunnel_up(&self) -> Option<Timestamp> {
        if let Some(at) = self.attempt.phase2_up {
            return Some(at);
        }
        let Some(at) = self.attempt.phase1_up else {
            let lives_on = || self.lives_on().filter(|_| self.is_v2() || self.carries_traffic());
            return self.shown_by_traffic().or_else(lives_on).or_else(|| self.child_replaced());
        };
        if self.is_v2() {
            return self.v2_tunnel_up(at);
        }
        // A responder takes ESP as the proof that message 3 came; a capture that missed it may too.
        let confirmed = self.message(Label::Qm(2)).is_some_and(|second| self.traffic_begins(second.at));
        let settled = || self.attempt.exchanges.iter().any(|exchange| self.quick_mode_settled(exchange));
        (confirmed || settled()).then_some(at).or_else(|| self.shown_by_traffic())
    }

    /// IKEv1: message 3 of this Quick Mode is not in the capture, and nobody asks for it: message 2 was sent once, message 1 not
    /// again after it, and the side that started did not say anything to it at once. Who waits, asks again.
    pub fn quick_mode_unasked(&self, exchange: &Exchange) -> bool {
        let (Some(second), None) = (exchange.message(Label::Qm(2)), exchange.message(Label::Qm(3))) else {
            return false;
        };
        let asked_again = exchange.message(Label::Qm(1)).is_some_and(|first| first.last_sent() > second.at);
        // A liveness check is no refusal: it is answered with one as long.
        let answered = |question: &MessageRecord| {
            self.messages().any(|message| {
                message.label == Label::Inf
                    && (message.from, message.length) == (question.from.other(), question.length)
                    && message.at >= question.at
                    && message.at.since(question.at) <= AT_ONCE
            })
        };
        let said = self.messages().any(|message| {
            message.label == Label::Inf
                && message.from == exchange.started_by
                && message.at > second.at
                && message.at.since(second.at) <= AT_ONCE
                && !answered(message)
        });
        second.repeat_count == 0 && !asked_again && !said
    }

    /// The same, and both sides go on under this SA for long after that: message 3 came.
    pub fn quick_mode_settled(&self, exchange: &Exchange) -> bool {
        let second = exchange.message(Label::Qm(2)).map(|second| second.at);
        let speaks = |side| {
            self.messages().any(|message| {
                message.from == side
                    && message.encrypted
                    && second.is_some_and(|second| message.at.since(second) >= PATIENCE)
            })
        };
        self.quick_mode_unasked(exchange) && speaks(Side::Initiator) && speaks(Side::Responder)
    }

    fn v2_tunnel_up(&self, at: Timestamp) -> Option<Timestamp> {
        if self.attempt.rekeyed_from.is_some() {
            return Some(at);
        }
        if self.is_refused() || self.set_up_unheard().is_some() || self.children_turned_down().is_some() {
            return None;
        }
        match self.auth_answer() {
            Some(AuthAnswer::Child) => Some(at),
            // Other SAs of the pair may carry traffic: only what begins now counts.
            _ => self.child_created().or_else(|| self.traffic_begins(at).then_some(at)),
        }
    }

    /// When traffic began, if it goes both ways, began after this attempt and before the next one, on SAs that have just come
    /// up, and nothing else can have brought them: this attempt did, and the capture misses messages of it.
    pub(super) fn shown_by_traffic(&self) -> Option<Timestamp> {
        let (pair, attempt) = (self.case.pair, self.attempt);
        // Flows stand in the order of their first packets, attempts in that of their first messages.
        let begin = pair.flows.first()?.first;
        let between = attempt.first <= begin && pair.attempts.get(self.index + 1).is_none_or(|next| next.first > begin);
        let unseen = attempt.phase2_up.is_none() && !(self.is_v2() && attempt.phase1_up.is_some());
        let refused = self.clear_errors(Side::Responder).next().is_some();
        if !between || !unseen || refused {
            return None;
        }
        let missed = self.unrecorded_before(begin);
        let fresh = |end| {
            self.case
                .flows_from(end)
                .any(|flow| f64::from(flow.first_sequence) <= f64::from(FRESH) + sent_in(missed, flow))
        };
        // An answer to IKE_AUTH that has no room for more than an error brings no SA.
        let refused = |view: &View<'_>| view.is_v2() && !view.attempt.midstream && view.authenticated() == Some(false);
        let can_bring = |view: &View<'_>| view.attempt.phase1_up.is_some() || view.attempt.midstream;
        let mut others = self.case.attempts().filter(|&(index, _)| index != self.index);
        let can_be_others = others.any(|(_, other)| can_bring(&other) && !refused(&other));
        (fresh(pair.a) && fresh(pair.b) && !can_be_others).then_some(begin)
    }

    /// How long nothing of this attempt was recorded before `begin`, if it was waiting for a message then that was not asked for
    /// again: a capture that was on all the while would hold one or the other.
    fn unrecorded_before(&self, begin: Timestamp) -> Duration {
        let before = || self.messages().filter(|message| message.at < begin);
        let Some(last) = before().max_by_key(|message| message.at) else { return Duration::ZERO };
        let of_set_up = matches!(last.label, Label::Mm(_) | Label::Am(_) | Label::Qm(_) | Label::Tr(_))
            || matches!(
                last.label,
                Label::SA_INIT_REQ
                    | Label::AUTH_REQ
                    | Label::INTERMEDIATE_REQ
                    | Label::SA_INIT_RSP
                    | Label::AUTH_RSP
                    | Label::INTERMEDIATE_RSP
            );
        let unasked = last.repeat_count == 0 && before().all(|message| message.last_sent() <= last.at);
        let hole = begin.since(last.at);
        if of_set_up && unasked && hole >= PATIENCE / 2 { hole } else { Duration::ZERO }
    }

    /// IKEv2, of an SA from before the capture: when another took the place of a child SA, as both sides say in clear. The request
    /// begins with the one that it replaces, and the answer with what was chosen (RFC 7296 §1.3.3).
    fn child_replaced(&self) -> Option<Timestamp> {
        let first = |exchange: &Exchange, label| {
            exchange.messages.iter().find(|message| message.label == label).and_then(MessageRecord::first_inside)
        };
        let replaced = |exchange: &&Exchange| {
            let asked = first(exchange, Label::CREATE_CHILD_SA_REQ);
            asked == Some(payload::NOTIFY) && first(exchange, Label::CREATE_CHILD_SA_RSP) == Some(payload::SA)
        };
        let exchange = self.exchanges().iter().filter(|_| self.is_v2() && self.attempt.midstream).find(replaced)?;
        exchange.messages.iter().find(|message| message.label == Label::CREATE_CHILD_SA_RSP).map(|answer| answer.at)
    }

    /// IKEv2: when a CREATE_CHILD_SA was first answered with more than a refusal.
    pub fn child_created(&self) -> Option<Timestamp> {
        let suite = Suite::chosen(self.attempt)?;
        self.messages()
            .find(|message| message.label == Label::CREATE_CHILD_SA_RSP && suite.refuses_child(message) == Some(false))
            .map(|message| message.at)
    }

    /// IKEv2: every child SA of the attempt, if the initiator deleted each as soon as it was granted, and nothing but them: there is
    /// more than one, or the answer begins with a Delete too, as that to the Delete of an IKE SA does not (RFC 7296 §1.4.1).
    pub(super) fn children_turned_down(&self) -> Option<TurnedDown<'a>> {
        let first = self.last_auth_response().filter(|_| self.auth_answer() == Some(AuthAnswer::Child))?;
        let deletes = |message: &MessageRecord| message.first_inside() == Some(payload::DELETE);
        let of_initiator = |message: &&MessageRecord| message.from == Side::Initiator && message.at >= first.at;
        let mut said: Vec<&MessageRecord> = self.messages().filter(of_initiator).collect();
        if !said.iter().any(|message| deletes(message)) || self.traffic_begins(first.at) {
            return None;
        }
        said.sort_by_key(|message| message.at);
        let suite = Suite::chosen(self.attempt);
        let granted = |message: &&MessageRecord| {
            message.label == Label::CREATE_CHILD_SA_RSP
                && suite.and_then(|suite| suite.refuses_child(message)) == Some(false)
        };
        let grants: Vec<&MessageRecord> = std::iter::once(first).chain(self.messages().filter(granted)).collect();
        let at_once = |grant: &&MessageRecord| {
            let next = said.get(said.partition_point(|message| message.at < grant.at)).copied();
            next.filter(|next| deletes(next) && next.at.since(grant.at) <= AT_ONCE)
        };
        let gone: Vec<&MessageRecord> = grants.iter().filter_map(at_once).collect();
        let with_its_pair = |exchange: &Exchange| {
            let is_it = |message: &MessageRecord| gone.iter().any(|gone| gone.frame == message.frame);
            let answers = |message: &MessageRecord| message.from == Side::Responder && deletes(message);
            exchange.messages.iter().any(is_it) && exchange.messages.iter().any(answers)
        };
        let alone = || said.iter().filter(|message| deletes(message)).count() == gone.len();
        let of_child = || grants.len() > 1 || alone() && self.exchanges().iter().any(with_its_pair);
        (gone.len() >= grants.len() && of_child()).then_some(TurnedDown { grants, deletes: gone })
    }

    /// Whether ESP or AH of an SPI not seen before is seen from `at` on, before the pair negotiates anew.
    pub fn traffic_begins(&self, at: Timestamp) -> bool {
        self.begun_from(at).next().is_some()
    }

    /// ESP and AH of SPIs not seen before, from `at` on and before the pair negotiates anew: what may be of this attempt, and nothing
    /// else is. Flows stand in the order of their first packets, attempts in that of their first messages.
    pub fn begun_from(&self, at: Timestamp) -> impl Iterator<Item = &'a EspFlow> + use<'a> {
        let (flows, attempts) = (&self.case.pair.flows, &self.case.pair.attempts);
        let next = attempts.get(attempts.partition_point(|attempt| attempt.first <= at.max(self.attempt.first)));
        let begun = flows.iter().skip(flows.partition_point(|flow| flow.first < at));
        begun.take_while(move |flow| next.is_none_or(|next| flow.first < next.first))
    }
}

/// Sequence numbers up to this one are those of an SA that has just come up; some packets may have been missed.
const FRESH: u32 = 32;

/// Packets that a flow may have sent in the time before it was seen, at twice its pace since.
fn sent_in(missed: Duration, flow: &EspFlow) -> f64 {
    let seen = flow.last.since(flow.first).as_secs_f64();
    if seen > 0.0 { 2.0 * missed.as_secs_f64() * flow.packets as f64 / seen } else { 0.0 }
}
