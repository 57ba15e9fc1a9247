//! What the patterns of IKEv2 ask for together: the rounds of IKE_SA_INIT, clear notifies by name, requests without a
//! response, and whether what went wrong was made good later.

use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{AT_ONCE, Case, ClearNotify, PATIENCE, View};
use crate::diagnose::pattern::Match;
use crate::diagnose::sizes::Suite;
use crate::diagnose::unheard::Unheard;
use crate::diagnose::waiting::Waited;
use crate::diagnose::words::{span, times, until};
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{
    Attempt, EspFlow, Exchange, ExchangeKind, IcmpAbout, Label, MessageRecord, PayloadDetail, SaInitAnswer, Side,
    sa_init_answer,
};

use super::icmp;
use super::ok_delete::is_taken_down;
use super::traffic::goes_on_at;

/// Notify message types that patterns look for (RFC 7296 §3.10.1 and the RFCs named).
pub(super) mod notify {
    pub(in super::super) const UNSUPPORTED_CRITICAL_PAYLOAD: u16 = 1;
    pub(in super::super) const INVALID_IKE_SPI: u16 = 4;
    pub(in super::super) const INVALID_MAJOR_VERSION: u16 = 5;
    pub(in super::super) const INVALID_SPI: u16 = 11;
    pub(in super::super) const NO_PROPOSAL_CHOSEN: u16 = 14;
    pub(in super::super) const INVALID_KE_PAYLOAD: u16 = 17;
    pub(in super::super) const AUTHENTICATION_FAILED: u16 = 24;
    pub(in super::super) const TS_UNACCEPTABLE: u16 = 38;
    /// What refuses a child SA for other reasons: SINGLE_PAIR_REQUIRED, NO_ADDITIONAL_SAS, INTERNAL_ADDRESS_FAILURE,
    /// FAILED_CP_REQUIRED.
    pub(in super::super) const OF_CHILD: [u16; 4] = [34, 35, 36, 37];
    pub(in super::super) const COOKIE: u16 = 16390;
    /// RFC 5685.
    pub(in super::super) const REDIRECT_SUPPORTED: u16 = 16406;
    pub(in super::super) const REDIRECT: u16 = 16407;
    pub(in super::super) const REDIRECTED_FROM: u16 = 16408;
    /// RFC 5723.
    pub(in super::super) const TICKET_NACK: u16 = 16412;
    /// RFC 6023.
    pub(in super::super) const CHILDLESS_IKEV2_SUPPORTED: u16 = 16418;
    /// RFC 8784.
    pub(in super::super) const USE_PPK: u16 = 16435;
    /// RFC 9242.
    pub(in super::super) const INTERMEDIATE_EXCHANGE_SUPPORTED: u16 = 16438;
}

/// The data of the notify of this type that a message carries in clear.
pub(super) fn notified(message: &MessageRecord, wanted: u16) -> Option<&[u8]> {
    message.carried.iter().find_map(|payload| match &payload.detail {
        PayloadDetail::Notify { notify_message_type, data, .. } if *notify_message_type == wanted => Some(&**data),
        _ => None,
    })
}

/// A notify by name and number: `NO_PROPOSAL_CHOSEN (14)`.
pub(super) fn named(notify_message_type: u16) -> String {
    match registry::notify_name(2, notify_message_type) {
        Some(name) => format!("{name} ({notify_message_type})"),
        None => format!("notify {notify_message_type}"),
    }
}

/// A group by number and name: `group 19 (ECP-256)`.
pub(super) fn group(number: u16) -> String {
    match registry::group_name(number) {
        Some(name) => format!("group {number} ({name})"),
        None => format!("group {number}"),
    }
}

/// Errors in IKEv1 outside of any SA, with their types: a responder that does not know IKEv2 takes a request for a message of
/// IKEv1.
pub(super) struct RefusalsInV1<'a>(Vec<(&'a MessageRecord, u16)>);

impl<'a> RefusalsInV1<'a> {
    pub(super) fn of(case: &Case<'a>) -> Self {
        let remarks = case.attempts().filter(|(_, view)| !view.is_v2() && view.attempt.is_of_remarks());
        let errors = remarks.flat_map(|(_, view)| {
            [Side::Initiator, Side::Responder].into_iter().flat_map(move |side| view.clear_errors(side))
        });
        let own = errors.filter(|error| error.message.own_cookie);
        Self(own.map(|error| (error.message, error.notify_message_type)).collect())
    }

    /// The first that came at once after a copy of `request`, from where that went.
    pub(super) fn on(&self, request: &MessageRecord) -> Option<(&'a MessageRecord, u16)> {
        let copies = || std::iter::once(request.at).chain(request.repeats.iter().map(|repeat| repeat.at));
        let at_once = |at: Timestamp| copies().any(|copy| copy <= at && at.since(copy) <= AT_ONCE);
        let answers = |error: &MessageRecord| {
            (error.source, error.destination) == (request.destination, request.source) && at_once(error.at)
        };
        self.0.iter().copied().find(|(error, _)| answers(error))
    }
}

/// A request of IKE_SA_INIT, or of IKE_SESSION_RESUME, and its response.
#[derive(Debug, Clone, Copy)]
pub(super) struct Round<'a> {
    pub(super) request: Option<&'a MessageRecord>,
    pub(super) response: Option<&'a MessageRecord>,
}

/// The group that the KE payload of a message is for.
pub(super) fn group_of(message: &MessageRecord) -> Option<u16> {
    message.carried.iter().find_map(|payload| match payload.detail {
        PayloadDetail::KeyExchange { group, .. } => group,
        _ => None,
    })
}

impl Round<'_> {
    /// The responder made its choice.
    pub(super) fn accepted(&self) -> bool {
        self.response.is_some_and(|response| sa_init_answer(response) == SaInitAnswer::Accepted)
    }

    /// The group that the request's KE payload is for.
    pub(super) fn sent_group(&self) -> Option<u16> {
        group_of(self.request?)
    }

    /// The group that INVALID_KE_PAYLOAD asks for (RFC 7296 §1.2).
    pub(super) fn asked_group(&self) -> Option<u16> {
        let data = notified(self.response?, notify::INVALID_KE_PAYLOAD)?;
        Some(u16::from_be_bytes([*data.first()?, *data.get(1)?]))
    }

    /// The responder asked for a cookie.
    pub(super) fn asked_cookie(&self) -> bool {
        !self.accepted() && self.response.is_some_and(|response| notified(response, notify::COOKIE).is_some())
    }

    /// The request brought a cookie back.
    pub(super) fn brought_cookie(&self) -> bool {
        self.request.is_some_and(|request| notified(request, notify::COOKIE).is_some())
    }

    /// Copies of the request that were sent after the response went out.
    pub(super) fn copies_after_response(&self) -> usize {
        let (Some(request), Some(response)) = (self.request, self.response) else { return 0 };
        request.repeats.iter().filter(|repeat| repeat.at > response.at).count()
    }
}

/// IKE_SA_INIT of an attempt: one round, or more after COOKIE and INVALID_KE_PAYLOAD.
pub(super) fn rounds(attempt: &Attempt) -> impl DoubleEndedIterator<Item = Round<'_>> {
    rounds_of(attempt, ExchangeKind::IkeSaInit, [Label::SA_INIT_REQ, Label::SA_INIT_RSP])
}

/// Exchanges of one kind, by the labels of their requests and responses.
fn rounds_of(attempt: &Attempt, kind: ExchangeKind, labels: [Label; 2]) -> impl DoubleEndedIterator<Item = Round<'_>> {
    let exchanges = attempt.exchanges.iter().filter(move |exchange| exchange.kind == kind);
    exchanges.map(move |exchange| {
        let responses = exchange.messages.iter().filter(|message| message.label == labels[1]);
        let response = responses.min_by_key(|response| sa_init_answer(response) != SaInitAnswer::Accepted);
        Round { request: exchange.message(labels[0]), response }
    })
}

/// The round that the responder accepted.
pub(super) fn accepted(attempt: &Attempt) -> Option<Round<'_>> {
    rounds(attempt).find(Round::accepted)
}

/// IKE_SESSION_RESUME, if the responder took the ticket (RFC 5723 §4.3.2).
pub(super) fn resumed(attempt: &Attempt) -> Option<Round<'_>> {
    let labels = [Label::SESSION_RESUME_REQ, Label::SESSION_RESUME_RSP];
    rounds_of(attempt, ExchangeKind::IkeSessionResume, labels).find(Round::accepted)
}

/// The response by which the responder went along: with its choice, or with a ticket.
pub(super) fn went_along<'a>(view: &View<'a>) -> Option<&'a MessageRecord> {
    accepted(view.attempt).or_else(|| resumed(view.attempt)).and_then(|round| round.response)
}

/// When the responder had gone along, or was asked for what follows that.
pub(super) fn accepted_at(view: &View<'_>) -> Option<Timestamp> {
    let asked = view.message(Label::AUTH_REQ).map(|request| request.at);
    went_along(view).map(|response| response.at).into_iter().chain(asked).min()
}

/// The request of an exchange and its response, as far as they were seen.
pub(super) fn request_and_response(exchange: &Exchange) -> (Option<&MessageRecord>, Option<&MessageRecord>) {
    let requests = exchange.messages.iter().filter(|message| matches!(message.label, Label::Request(_)));
    let request = requests.min_by_key(|message| !message.encrypted);
    // What is said in clear beside an answer under protection is no answer.
    let responses = exchange.messages.iter().filter(|message| matches!(message.label, Label::Response(_)));
    (request, responses.min_by_key(|message| !message.encrypted))
}

/// What a request was first refused with in clear, as old stacks do, some of them under the header of IKE_SA_INIT or, later on,
/// of IKE_AUTH. Not that the IKE SA is unknown.
pub(super) fn refused_in_clear<'a>(view: &View<'a>, request: &MessageRecord) -> Option<ClearNotify<'a>> {
    let answers = |message: &MessageRecord| match message.label {
        Label::AUTH_RSP | Label::CREATE_CHILD_SA_RSP => true,
        Label::SA_INIT_RSP => sa_init_answer(message) == SaInitAnswer::Refused,
        _ => false,
    };
    view.clear_errors(request.from.other()).find(|notify| {
        let message = notify.message;
        !message.encrypted
            && message.at >= request.at
            && answers(message)
            && notify.notify_message_type != notify::INVALID_IKE_SPI
    })
}

/// The same of IKE_AUTH, unless the responder uses the IKE SA for more than a farewell.
pub(super) fn auth_refused_in_clear<'a>(view: &View<'a>) -> Option<ClearNotify<'a>> {
    let asked = view.message(Label::AUTH_REQ)?;
    let uses = |message: &MessageRecord| {
        message.encrypted
            && message.from == Side::Responder
            && message.last_sent() >= asked.at
            && message.label != Label::INFORMATIONAL_REQ
    };
    refused_in_clear(view, asked).filter(|_| !view.messages().any(uses))
}

/// `was answered with NO_PROPOSAL_CHOSEN (14) in clear, once; then with INVALID_IKE_SPI (4), 4 times`.
pub(super) fn in_clear(view: &View<'_>, refusal: &ClearNotify<'_>) -> String {
    let said = |notify: ClearNotify<'_>| {
        (named(notify.notify_message_type), times(u64::from(notify.message.repeat_count) + 1))
    };
    let (what, often) = said(*refusal);
    let mut seen = format!("was answered with {what} in clear, {often}");
    if refusal.message.label == Label::SA_INIT_RSP {
        seen.push_str(", under the header of IKE_SA_INIT");
    }
    let then = view.clear_errors(refusal.message.from).find(|notify| {
        notify.notify_message_type == notify::INVALID_IKE_SPI && notify.message.at >= refusal.message.at
    });
    if let Some((what, often)) = then.map(said) {
        seen.push_str(&format!("; then with {what}, {often}"));
    }
    seen
}

/// A request that was never answered.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unanswered<'a> {
    pub(super) request: &'a MessageRecord,
    pub(super) waited: Waited,
    /// Inferred, or suspected if the capture ends before the sender itself would have sent it once more, or if it never did
    /// (RFC 7296 §2.1 asks for it).
    pub(super) confidence: Confidence,
}

/// The request of an exchange that was never answered, if that may be said: both directions seen, long enough watched,
/// and nothing missing of the request itself.
pub(super) fn unanswered<'a>(view: &View<'a>, exchange: &'a Exchange) -> Option<Unanswered<'a>> {
    let (Some(request), None) = request_and_response(exchange) else { return None };
    // Of an SA that comes from a re-key both SPIs are known before anything is said under it.
    let replaced = view.attempt.rekeyed_from.filter(|_| !view.heard(request.from.other()));
    let one_sided = match replaced.and_then(|index| view.case.view(index)) {
        Some(replaced) => replaced.one_sided(),
        None => view.one_sided(),
    };
    let refused = match exchange.kind {
        ExchangeKind::IkeAuth => auth_refused_in_clear(view).is_some(),
        ExchangeKind::CreateChildSa => refused_in_clear(view, request).is_some(),
        _ => false,
    };
    // Nobody asks for anything else before IKE_AUTH is answered (RFC 7296 §2.3).
    let asks_on = |other: &Exchange| {
        other.started_by == exchange.started_by && other.message_id > exchange.message_id && other.kind != exchange.kind
    };
    let answered = exchange.kind == ExchangeKind::IkeAuth && view.exchanges().iter().any(asks_on);
    let licensed =
        !refused && !answered && !one_sided && view.case.both_ways() && request.ike_fragments_missing.is_none();
    let waited = view.waited(request);
    let outlasted = waited.after >= PATIENCE || waited.after >= last_gap(request);
    // One repeat on its own is everyday loss.
    let silent = waited.is_silence() && (outlasted || waited.copies >= 3);
    let confidence = if outlasted { waited.certainty() } else { Confidence::Suspected };
    (licensed && silent).then_some(Unanswered { request, waited, confidence })
}

/// How long the sender waited before the last copy.
fn last_gap(request: &MessageRecord) -> Duration {
    let mut copies = request.repeats.iter().map(|repeat| repeat.at).rev();
    let last = copies.next().unwrap_or(request.at);
    last.since(copies.next().unwrap_or(request.at))
}

impl Unanswered<'_> {
    /// `was sent 5 times in 41.2 s; no response in the 12.0 s after the last copy`.
    pub(super) fn in_vain(&self) -> String {
        let Waited { copies, over, after } = self.waited;
        if copies < 2 {
            return format!("was sent once and not again; no response {}", until(after, "it"));
        }
        format!("was sent {} in {}; no response {}", times(copies), span(over), until(after, "the last copy"))
    }
}

/// When the pair last came up, and last had an IKE SA whose both ends had proven themselves.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    up: Option<Timestamp>,
    authenticated: Option<Timestamp>,
}

impl Standing {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let mut standing = Self { up: None, authenticated: None };
        for (_, view) in case.attempts() {
            standing.up = standing.up.max(view.tunnel_up());
            standing.authenticated = standing.authenticated.max(authenticated(&view));
        }
        standing
    }

    /// An IKE SA came up after this attempt began: whatever kept it from one is over.
    pub(super) fn authenticated_after(&self, attempt: &Attempt) -> bool {
        self.authenticated.is_some_and(|at| at > attempt.first)
    }

    /// A tunnel came up after this attempt began.
    pub(super) fn up_after(&self, attempt: &Attempt) -> bool {
        self.up.is_some_and(|at| at > attempt.first)
    }

    /// No tunnel ever came up.
    pub(super) fn is_down(&self) -> bool {
        self.up.is_none()
    }

    /// A tunnel came up after `at`.
    pub(super) fn up_since(&self, at: Timestamp) -> bool {
        self.up.is_some_and(|up| up > at)
    }
}

/// When both ends of an attempt had proven themselves.
fn authenticated(view: &View<'_>) -> Option<Timestamp> {
    let up = view.tunnel_up();
    let proven = || view.authenticated() == Some(true) && view.set_up_unheard().is_none();
    view.attempt.phase1_up.filter(|_| !view.is_v2() || up.is_some() || proven()).or(up)
}

/// IKEv2 attempts with their index.
pub(super) fn attempts<'a>(case: &Case<'a>) -> impl Iterator<Item = (usize, View<'a>)> + use<'a> {
    case.attempts().filter(|(_, view)| view.is_v2())
}

/// IKEv2 attempts without an IKE SA of their own or of a later attempt.
pub(super) fn never_authenticated<'a>(case: &Case<'a>) -> impl Iterator<Item = (usize, View<'a>)> + use<'a> {
    let standing = Standing::of(case);
    attempts(case).filter(move |(_, view)| !standing.authenticated_after(view.attempt))
}

/// IKEv2 attempts without an IKE SA of their own.
pub(super) fn unproven<'a>(case: &Case<'a>) -> impl Iterator<Item = (usize, View<'a>)> + use<'a> {
    attempts(case).filter(|(_, view)| authenticated(view).is_none())
}

/// What was found on an attempt, as history if a later one made it `good`.
pub(super) fn recalled(found: Match, good: bool) -> Match {
    if good { found.severity(Severity::Notice) } else { found }
}

/// The side that asked in one of the further key exchanges, of this name, goes on asking in spite of the answer.
pub(super) fn round_unheard<'a>(
    index: usize,
    view: &View<'a>,
    exchange: &'a Exchange,
    name: &str,
) -> Option<(Match, Unheard<'a>)> {
    let unheard = view.round_unheard(exchange)?;
    let found = Match::on(index, unheard.confidence)
        .seen(format!("{name} of {} octets {}", unheard.request.length, unheard.in_spite()))
        .frames(view.frames(unheard.request))
        .frames([unheard.answer.frame]);
    Some((found, unheard))
}

/// What was found, and no worse than a warning for attempts beside a tunnel that works all the while: one came up or carried
/// traffic before them, and traffic goes on both ways after them.
pub(super) fn tempered(case: &Case<'_>, mut found: Vec<Match>) -> Vec<Match> {
    let goes_on = |flow: &EspFlow| goes_on_at(flow, case.end());
    let span = |from| {
        let flows = || case.flows_from(from);
        let last = flows().map(|flow| if goes_on(flow) { case.end() } else { flow.last }).max()?;
        Some((flows().map(|flow| flow.first).min()?, last))
    };
    let (Some(there), Some(back)) = (span(case.pair.a), span(case.pair.b)) else { return found };
    if is_taken_down(case) {
        return found;
    }
    let first_up = case.attempts().find(|(_, view)| view.tunnel_up().is_some()).map(|(_, view)| view.attempt.first);
    for one in &mut found {
        let Some(attempt) = one.attempt.and_then(|index| case.pair.attempts.get(index)) else { continue };
        let carried = [there, back].iter().all(|&(first, _)| first < attempt.first);
        let beside = [there, back].iter().all(|&(_, last)| last >= attempt.last)
            && (carried || first_up.is_some_and(|first| first < attempt.first));
        if beside && one.severity.is_none() {
            one.severity = Some(Severity::Warning);
        }
    }
    found
}

/// The tunnel came up, or the IKE SA was there before the capture.
pub(super) fn is_in_use(view: &View<'_>) -> bool {
    view.tunnel_up().is_some() || view.attempt.midstream && view.last_auth_response().is_none()
}

/// Sizes of each attempt's encrypted messages, by index. An IKE SA that replaces another is taken to use its suite.
pub(super) fn suites(case: &Case<'_>) -> Vec<Option<Suite>> {
    let mut suites: Vec<Option<Suite>> = Vec::with_capacity(case.pair.attempts.len());
    for attempt in &case.pair.attempts {
        let inherited = || attempt.rekeyed_from.and_then(|from| suites.get(from).copied().flatten());
        let suite = Suite::chosen_or_any(attempt).or_else(inherited);
        suites.push(suite);
    }
    suites
}

/// A router or host said that IKE of this pair cannot be delivered, and was not refuted since: that says more than silence.
pub(super) fn refused_by_icmp(case: &Case<'_>) -> bool {
    icmp::stands(case, |error| {
        let unreachable = matches!((error.version, error.icmp_type), (4, 3) | (6, 1));
        let too_big = (error.version, error.icmp_type, error.code) == (4, 3, 4);
        unreachable && !too_big && matches!(error.about, IcmpAbout::Isakmp { .. })
    })
}
