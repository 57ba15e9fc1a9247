//! Encrypted Informationals, read without their keys: which of them ask whether the peer is alive, which answer that, which
//! delete, which refuse.
//!
//! IKEv2 pairs a request with its response, and says in clear which payload comes first: none asks for life, a delete deletes;
//! where that was not recorded, size and use decide as far as they can. IKEv1 does not pair: size (as far as the suite tells
//! contents apart), an answer within about a round trip, and whether the SA is used afterwards decide together. Where they do
//! not, the reading is [`Reading::Unclear`].
//!
//! Not here: notifies in clear. Contract: linear in messages, but for one sort.

use std::collections::{BTreeMap, HashSet};
use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::case::{PATIENCE, View};
use crate::diagnose::sizes::{Content, Contents, Suite, V1Suite, payload};
use crate::track::{Exchange, ExchangeKind, IkeVersion, Label, MessageRecord, Side, UNDERWAY};

use super::initial_contact;
use super::life_cycle::Traffic;

/// An answer comes within this many of the shortest answer times seen.
const ROUND_TRIPS: u32 = 4;
/// Bounds on what is taken for an answer, whatever the round trip: a path may be short and a peer busy.
const ANSWER_WITHIN: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(3));
/// What comes no later than this after a delete was sent before it arrived.
const CROSSING: Duration = Duration::from_millis(200);
/// What is said no later than this after phase 1 is about phase 1.
pub(super) const ABOUT_PHASE_1: Duration = Duration::from_millis(200);
/// Traffic that stopped no longer than this before a delete may have been stopped by it.
const JUST_BEFORE: Duration = Duration::from_secs(60);
/// Questions follow each other at least this far apart; what comes closer belongs to one farewell.
const APART: Duration = Duration::from_secs(1);
/// So many phase 1 SAs before one are looked at.
const EARLIER: usize = 8;
/// No more deletes of one side than these, apart from each other, are heartbeats.
const HEARTBEATS: usize = 4;
/// Plaintext of the smallest IKEv2 payload that an Informational may hold: a notify or a delete without SPI.
const LEAST_PAYLOAD: u32 = 8;
/// Two hashes of NAT detection (RFC 7296 §2.23), which who may move asks with whether a NAT has changed its mapping (RFC 4555 §3.8).
const NAT_DETECTION: u32 = 2 * (8 + 20);
/// A delete of one IPsec SA (RFC 7296 §3.11).
const DELETE_CHILD: u32 = 12;

/// What an encrypted Informational seems to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    /// It asks whether the peer is alive, and was answered or not.
    Question {
        /// Its answer was seen.
        answered: bool,
    },
    /// It answers the partner: life, or an acknowledged delete or notify.
    Answer,
    /// It deletes something.
    Delete,
    /// It refuses what came right before it: message 5, or message 1 of a Quick Mode.
    Refusal,
    /// Something else: neither empty nor a delete.
    Notify,
    /// More than one of these fits.
    Unclear,
}

/// One encrypted Informational with its reading.
#[derive(Debug, Clone)]
pub(super) struct Informational<'a> {
    /// The message.
    pub(super) message: &'a MessageRecord,
    read: Read,
}

/// What was read in an encrypted Informational.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Read {
    /// Index of its exchange in the attempt.
    exchange: usize,
    /// Its own index in the exchange.
    place: usize,
    /// What its size allows it to hold (IKEv1). Empty if the suite is unknown or nothing known fits.
    pub(super) contents: Contents,
    /// What it seems to be.
    pub(super) reading: Reading,
    /// Index, in the same list, of its question or its answer.
    partner: Option<usize>,
    /// The IKE SA was used after it (and after its answer).
    pub(super) ike_after: bool,
    /// ESP or AH that ran before it went on after it, or other began, for longer than what was under way goes on, or both ways,
    /// before the peers set up another IKE SA.
    pub(super) traffic_after: bool,
    /// ESP or AH that ran before it stopped with it, while the capture went on.
    traffic_stopped: bool,
    /// Its sender says in clear what it begins with (IKEv2).
    pub(super) told: bool,
}

impl Deref for Informational<'_> {
    type Target = Read;

    fn deref(&self) -> &Read {
        &self.read
    }
}

impl DerefMut for Informational<'_> {
    fn deref_mut(&mut self) -> &mut Read {
        &mut self.read
    }
}

impl Informational<'_> {
    /// Its exchange.
    pub(super) fn exchange<'v>(&self, view: &View<'v>) -> Option<&'v Exchange> {
        view.exchanges().get(self.read.exchange)
    }

    /// When its last copy was sent.
    pub(super) fn last_sent(&self) -> Timestamp {
        self.message.last_sent()
    }

    /// Whether its size allows `content`; an unknown suite allows all.
    fn may_be(&self, content: Content) -> bool {
        self.contents.is_empty() || self.contents.contains(content)
    }

    /// IKEv1: by its size it deletes an IPsec SA, and nothing else; the ISAKMP SA was not deleted if it is used after it.
    pub(super) fn deletes_ipsec(&self) -> bool {
        self.reading == Reading::Delete
            && self.contents.contains(Content::DeleteIpsec)
            && !self.contents.contains(Content::Dpd)
            && (self.ike_after || !self.contents.contains(Content::DeleteIsakmp))
    }

    /// Whether an answer of the other side was seen.
    pub(super) fn is_answered(&self) -> bool {
        self.read.partner.is_some()
    }

    /// Whether its size allows the delete of an IPsec SA.
    pub(super) fn may_delete_ipsec(&self) -> bool {
        self.may_be(Content::DeleteIpsec)
    }

    /// Whether its size allows the delete of the ISAKMP SA.
    pub(super) fn may_delete_isakmp(&self) -> bool {
        self.may_be(Content::DeleteIsakmp)
    }

    fn may_delete(&self) -> bool {
        self.may_delete_ipsec() || self.may_delete_isakmp()
    }
}

/// All encrypted Informationals of an attempt in order of time, each with its reading.
pub(super) fn read<'a>(view: &View<'a>) -> Vec<Informational<'a>> {
    let found = view.informationals(|| read_once(view).into_iter().map(|one| one.read).collect());
    if found.is_empty() {
        return Vec::new();
    }
    let message = |read: &Read| view.exchanges().get(read.exchange)?.messages.get(read.place);
    found.iter().filter_map(|read| Some(Informational { message: message(read)?, read: *read })).collect()
}

/// The deletes of an attempt in order of time. None if a peer no longer answers: it is not taken leave of in good order.
pub(super) fn deletes_in_good_order<'a>(view: &View<'a>) -> Vec<Informational<'a>> {
    let mut read = read(view);
    if read.iter().any(|one| one.reading == Reading::Question { answered: false }) {
        return Vec::new();
    }
    read.retain(|one| one.reading == Reading::Delete);
    read
}

fn read_once<'a>(view: &View<'a>) -> Vec<Informational<'a>> {
    let attempt = view.attempt;
    let kind = match attempt.version {
        IkeVersion::V1 => ExchangeKind::InformationalV1,
        IkeVersion::V2 => ExchangeKind::InformationalV2,
    };
    if attempt.exchanges.iter().all(|exchange| exchange.kind != kind) {
        return Vec::new();
    }
    let suite = V1Suite::chosen(attempt).or_else(|| V1Suite::shown(attempt));
    // Few lengths come up, each of them often.
    let mut known: BTreeMap<(Side, u32), Contents> = BTreeMap::new();
    let mut contents = |from, length| {
        let Some(suite) = suite else { return Contents::default() };
        *known.entry((from, length)).or_insert_with(|| suite.contents(attempt, from, length))
    };
    let mut found: Vec<Informational<'a>> = attempt
        .exchanges
        .iter()
        .enumerate()
        .filter(|(_, exchange)| exchange.kind == kind)
        .flat_map(|(index, exchange)| {
            exchange.messages.iter().enumerate().map(move |(place, message)| (index, place, message))
        })
        .filter(|(.., message)| message.encrypted)
        .map(|(exchange, place, message)| Informational {
            message,
            read: Read {
                exchange,
                place,
                contents: contents(message.from, message.length),
                reading: Reading::Unclear,
                partner: None,
                ike_after: false,
                traffic_after: false,
                traffic_stopped: false,
                told: false,
            },
        })
        .collect();
    found.sort_by_key(|informational| (informational.message.at, informational.message.frame));
    if found.is_empty() {
        return found;
    }
    match attempt.version {
        IkeVersion::V1 => {
            refusals(view, &mut found);
            announcements(view, &mut found);
            pair_by_time(view, &mut found);
            note_use(view, &mut found);
            read_v1(view, suite.is_some(), &mut found);
            too_many_deletes(view, &mut found);
        }
        IkeVersion::V2 => {
            pair_by_request(view, &mut found);
            note_use(view, &mut found);
            read_v2(view, &mut found);
        }
    }
    found
}

/// What is said of a notify that [`is_refuted`].
pub(super) const REFUTED: &str =
    "the notify is not authenticated, and what follows refutes it: it was forged, or of another node";

/// Whether the side that said in clear that it does not know an SA, or refuses it, goes on under it: only who has it can.
pub(super) fn is_refuted(view: &View<'_>, notify: &MessageRecord) -> bool {
    let said = notify.last_sent();
    view.messages().any(|message| message.encrypted && message.from == notify.from && message.last_sent() > said)
}

/// How long `side` takes to answer at this capture point, with room for a busy moment.
pub(super) fn answer_within(view: &View<'_>, side: Side) -> Duration {
    let shortest = view
        .exchanges()
        .iter()
        .flat_map(|exchange| exchange.messages.windows(2))
        .filter(|two| two[0].from != side && two[1].from == side && two[1].at > two[0].at)
        .map(|two| two[1].at.since(two[0].at))
        .min()
        .unwrap_or(ANSWER_WITHIN.0);
    shortest
        .saturating_mul(ROUND_TRIPS)
        .clamp(ANSWER_WITHIN.0, ANSWER_WITHIN.1)
        .max(shortest.saturating_mul(2).min(PATIENCE))
}

/// IKEv1: what comes right after a copy of message 5, or of a Quick Mode's first message that was never answered in kind,
/// refuses it.
fn refusals(view: &View<'_>, found: &mut [Informational<'_>]) {
    let mut asked: [Vec<Timestamp>; 2] = [Vec::new(), Vec::new()];
    for exchange in view.exchanges() {
        let has = |label| exchange.message(label).is_some();
        let unanswered = exchange.messages.iter().filter(|message| match message.label {
            Label::Mm(5) => !has(Label::Mm(6)),
            Label::Qm(1) => !has(Label::Qm(2)),
            _ => false,
        });
        for message in unanswered {
            asked[message.from.index()].extend(message.copies().map(|(_, at)| at));
        }
    }
    for times in &mut asked {
        times.sort_unstable();
    }
    for side in [Side::Initiator, Side::Responder] {
        let times = &asked[side.other().index()];
        if times.is_empty() {
            continue;
        }
        let within = answer_within(view, side);
        for informational in found.iter_mut().filter(|informational| informational.message.from == side) {
            let at = informational.message.at;
            let before = times.partition_point(|&asked| asked <= at);
            let just_before = before.checked_sub(1).and_then(|index| times.get(index));
            if just_before.is_some_and(|&asked| at.since(asked) <= within) {
                informational.reading = Reading::Refusal;
            }
        }
    }
}

/// IKEv1: what may be INITIAL-CONTACT asks for no life, and deletes nothing.
fn announcements(view: &View<'_>, found: &mut [Informational<'_>]) {
    let announces = initial_contact::either(view);
    for one in found.iter_mut().filter(|one| announces(one.message)) {
        one.reading = Reading::Notify;
    }
}

/// IKEv1: a question and the answer of the other side that follows it closely, both of a size that allows R-U-THERE, and neither
/// lost between two capture points.
fn pair_by_time(view: &View<'_>, found: &mut [Informational<'_>]) {
    if found.len() < 2 {
        return;
    }
    let within = [answer_within(view, Side::Initiator), answer_within(view, Side::Responder)];
    let mut pending: [Option<usize>; 2] = [None, None];
    let points = view.case.points();
    let lost = |message| points.is_some_and(|points| points.loses_in(view, message));
    for index in 0..found.len() {
        let (from, at) = (found[index].message.from, found[index].message.at);
        if found[index].reading != Reading::Unclear || !found[index].may_be(Content::Dpd) {
            continue;
        }
        let question = pending[from.other().index()]
            .filter(|&question| at.since(found[question].message.last_sent()) <= within[from.index()])
            .filter(|&question| !lost(found[question].message) && !lost(found[index].message))
            .filter(|&question| {
                !found[question].contents.is_empty() || found[question].message.length == found[index].message.length
            });
        match question {
            Some(question) => {
                found[question].partner = Some(index);
                found[index].partner = Some(question);
                pending[from.other().index()] = None;
            }
            None => pending[from.index()] = Some(index),
        }
    }
}

/// IKEv2: a response stands behind its request in the same exchange, unless it is lost between two capture points.
fn pair_by_request(view: &View<'_>, found: &mut [Informational<'_>]) {
    let points = view.case.points();
    let lost = |message| points.is_some_and(|points| points.loses(message));
    // Of each exchange, the last message so far.
    let mut last: Vec<Option<usize>> = vec![None; view.exchanges().len()];
    for index in 0..found.len() {
        let Some(last) = last.get_mut(found[index].exchange).filter(|_| !lost(found[index].message)) else { continue };
        if let Some(request) = last.replace(index) {
            found[request].partner = Some(index);
            found[index].partner = Some(request);
        }
    }
}

/// What of the SA and its traffic is seen after each message and its answer.
fn note_use(view: &View<'_>, found: &mut [Informational<'_>]) {
    let last_message = view.messages().map(MessageRecord::last_sent).max();
    // Only what ran beside this SA: a pair that re-keys all day has many of both.
    let until = last_message.unwrap_or(view.attempt.last).after(UNDERWAY);
    let flows = view
        .case
        .pair
        .flows
        .iter()
        .filter(|flow| flow.first <= until && flow.last.after(JUST_BEFORE) >= view.attempt.first);
    let mut ended: Vec<Timestamp> = flows.clone().map(|flow| flow.last).collect();
    ended.sort_unstable();
    let traffic = Traffic::over(flows);
    let begins = Begins::of(view);
    for index in 0..found.len() {
        let partner = found[index].partner.map(|partner| found[partner].message.last_sent());
        let at = partner.map_or(found[index].last_sent(), |partner| partner.max(found[index].last_sent()));
        // Where the capture ends before that, what did not cross it goes on as far as one can tell.
        let cut = view.case.end() <= at.after(UNDERWAY);
        let soon = at.after(if cut { CROSSING } else { UNDERWAY });
        let goes_on = traffic.latest_of(|first| first <= at).is_some_and(|last| last > soon);
        let begins_anew = begins.iter().any(|begins| begins.after(at).is_some_and(|(_, last)| last > soon))
            || begins.iter().all(|begins| begins.after(at).is_some_and(|(first, _)| first > at.after(CROSSING)));
        let stopped = ended.partition_point(|&last| last <= soon);
        let stopped = stopped.checked_sub(1).and_then(|last| ended.get(last));
        let informational = &mut found[index];
        informational.ike_after = last_message.is_some_and(|last| last > at);
        informational.traffic_after = goes_on || begins_anew;
        informational.traffic_stopped =
            view.case.end() > soon && stopped.is_some_and(|&last| last.after(JUST_BEFORE) >= at);
    }
}

/// Flows of a direction in the order of their begin, up to the next IKE SA of the pair, each with the latest packet of it and of
/// those behind it: what begins there runs under an SA of this attempt.
struct Begins(Vec<(Timestamp, Timestamp)>);

impl Begins {
    /// Those of each direction.
    fn of(view: &View<'_>) -> [Self; 2] {
        let pair = view.case.pair;
        let next = pair.attempts.get(pair.attempts.partition_point(|attempt| attempt.first <= view.attempt.first));
        [pair.a, pair.b].map(|end| {
            let flows = view.case.flows_from(end).filter(|flow| next.is_none_or(|next| flow.first < next.first));
            let mut begins: Vec<(Timestamp, Timestamp)> = flows.map(|flow| (flow.first, flow.last)).collect();
            begins.sort_unstable();
            let mut latest = Timestamp::from_nanos(i64::MIN);
            for (_, last) in begins.iter_mut().rev() {
                latest = latest.max(*last);
                *last = latest;
            }
            Self(begins)
        })
    }

    /// The first that begins after `at`.
    fn after(&self, at: Timestamp) -> Option<(Timestamp, Timestamp)> {
        self.0.get(self.0.partition_point(|&(first, _)| first <= at)).copied()
    }
}

fn read_v1(view: &View<'_>, suite_known: bool, found: &mut [Informational<'_>]) {
    let mut asked_before: HashSet<(Side, u32)> = HashSet::new();
    let mut unanswered: [Option<usize>; 2] = [None, None];
    let mut deleted: [Option<Timestamp>; 2] = [None, None];
    let ipsec_up = ipsec_up(view);
    let only_one = has_one_ipsec_sa(view);
    for index in 0..found.len() {
        let this = &found[index];
        let (from, at, length) = (this.message.from, this.message.at, this.message.length);
        if this.reading != Reading::Unclear {
            continue;
        }
        if let Some(partner) = this.partner {
            if partner > index {
                let goes_on = this.ike_after || this.traffic_after;
                let only_life = !this.contents.is_empty() && !this.may_delete();
                if goes_on || only_life || asked_before.contains(&(from, length)) {
                    asked_before.insert((from, length));
                    found[index].reading = Reading::Question { answered: true };
                    found[partner].reading = Reading::Answer;
                }
            }
            continue;
        }
        let unknown_content = suite_known && this.contents.is_empty();
        let may_ask = !unknown_content && this.may_be(Content::Dpd);
        let may_delete = !unknown_content && this.may_delete();
        // First the IPsec SA, then at once the ISAKMP SA, and then nothing: a farewell, whatever else has that size. Who has deleted the
        // only IPsec SA asks for no life.
        let since_deleted = deleted[from.index()].map(|deleted| at.since(deleted));
        let unanswered_for = view.case.end().since(this.last_sent());
        let with_others = since_deleted.is_some_and(|since| {
            since < APART && (!may_ask || unanswered_for >= UNDERWAY || only_one && since < CROSSING)
        });
        let farewell = with_others && may_delete && !this.ike_after && !this.traffic_after;
        let up_before = view.attempt.phase1_up.map_or(view.attempt.midstream, |up| up <= at);
        let repeated = this.last_sent().since(at) >= APART;
        let again = unanswered[from.index()].filter(|&earlier| {
            found[earlier].message.length == length && at.since(found[earlier].last_sent()) >= APART
        });
        if !farewell && may_ask && up_before && (repeated || again.is_some() || !may_delete) {
            found[index].reading = Reading::Question { answered: false };
            if let Some(earlier) = again {
                found[earlier].reading = Reading::Question { answered: false };
            }
        } else if may_delete && up_before {
            let goes_on = this.ike_after || this.traffic_after;
            let quiet = unanswered_for >= PATIENCE;
            // Of an SA of which nothing is known, a lone message may be anything.
            let tells = suite_known || !view.attempt.midstream || this.traffic_stopped;
            let is_delete = if may_ask {
                !goes_on && (with_others || quiet && tells)
            } else {
                !goes_on || ipsec_up.is_some_and(|up| up <= at)
            };
            if is_delete {
                deleted[from.index()] = Some(at);
                found[index].reading = Reading::Delete;
            }
        } else if !unknown_content && suite_known && !may_ask && !may_delete {
            found[index].reading = Reading::Notify;
        }
        if may_ask {
            unanswered[from.index()] = Some(index);
        }
    }
}

/// Whether one IPsec SA came up under this phase 1, and none before it that may live on.
fn has_one_ipsec_sa(view: &View<'_>) -> bool {
    let of_others = view.earlier(EARLIER).any(|before| before.attempt.midstream || before.attempt.phase2_up.is_some());
    let quick = view.exchanges().iter().filter(|exchange| exchange.kind == ExchangeKind::QuickMode);
    !view.attempt.midstream && !of_others && quick.count() == 1 && view.attempt.phase2_up.is_some()
}

/// When there was an IPsec SA to delete: one of this phase 1, or of one before, once what is said right after phase 1 is over.
fn ipsec_up(view: &View<'_>) -> Option<Timestamp> {
    let before = view.earlier(EARLIER).filter_map(|before| before.attempt.phase2_up).min();
    let here = view.attempt.phase1_up.map(|up| up.after(ABOUT_PHASE_1));
    let earlier = before.zip(here).map(|(before, here)| before.max(here));
    [view.attempt.phase2_up, earlier].into_iter().flatten().min()
}

/// IKEv1: what one side sends again and again, and far oftener than there are SAs, deletes nothing: a heartbeat.
fn too_many_deletes(view: &View<'_>, found: &mut [Informational<'_>]) {
    let is_quick = |exchange: &&Exchange| exchange.kind == ExchangeKind::QuickMode;
    let sas = view.exchanges().iter().filter(is_quick).count() + 1 + usize::from(view.attempt.midstream);
    for side in [Side::Initiator, Side::Responder] {
        let is_delete = |one: &Informational<'_>| one.message.from == side && one.reading == Reading::Delete;
        let mut last: Option<Timestamp> = None;
        let mut times = 0;
        for one in found.iter().filter(|one| is_delete(one)) {
            times += usize::from(last.is_none_or(|last| one.message.at.since(last) >= APART));
            last = Some(one.message.at);
        }
        if times > HEARTBEATS.max(2 * sas) {
            for one in found.iter_mut().filter(|one| is_delete(one)) {
                one.reading = Reading::Unclear;
            }
        }
    }
}

/// IKEv2: whether a request is answered by a message that begins alike and is as long.
fn is_echoed(exchange: &Exchange, request: &MessageRecord) -> bool {
    let alike = |message: &MessageRecord| (message.length, message.first_inside());
    exchange.messages.iter().any(|answer| answer.from != request.from && alike(answer) == alike(request))
}

fn read_v2(view: &View<'_>, found: &mut [Informational<'_>]) {
    let suite = Suite::chosen(view.attempt);
    let mut rekeyed: Vec<Timestamp> = view
        .messages()
        .filter(|message| message.label == Label::CREATE_CHILD_SA_RSP)
        .map(|message| message.at)
        .collect();
    rekeyed.sort_unstable();
    let mut cleaned_up = 0;
    let mut asked_before: HashSet<(Side, u32)> = HashSet::new();
    for this in found {
        let message = this.message;
        if matches!(message.label, Label::Response(_)) {
            if this.partner.is_some() {
                this.reading = Reading::Answer;
            }
            continue;
        }
        let told = view.first_inside(message);
        this.told = told.is_some();
        let plain = if message.ike_fragments == 0 { suite.and_then(|suite| suite.plain(message.length)) } else { None };
        let may_be_empty = message.ike_fragments == 0 && plain.is_none_or(|(least, _)| least == 0);
        let must_be_empty = plain.is_some_and(|(_, most)| most < LEAST_PAYLOAD);
        let may_delete = plain.is_none_or(|(least, most)| most >= LEAST_PAYLOAD && least <= DELETE_CHILD);
        let must_delete_child =
            plain.is_some_and(|(least, most)| least > LEAST_PAYLOAD && most >= DELETE_CHILD) && may_delete;
        let answered = this.partner.is_some();
        let goes_on = this.ike_after || this.traffic_after;
        // The last check of many is followed by nothing, as a delete is.
        let asks_again = asked_before.contains(&(message.from, message.length));
        let changes = rekeyed.partition_point(|&at| at <= message.at);
        let cleans_up = may_delete
            && changes > cleaned_up
            && changes
                .checked_sub(1)
                .and_then(|last| rekeyed.get(last))
                .is_some_and(|&at| message.at.since(at) < PATIENCE);
        // Where no suite tells what it holds, one is a check that is answered by one as long.
        let echoed = || this.exchange(view).is_some_and(|exchange| is_echoed(exchange, message));
        let alike = suite.is_none() && (asked_before.contains(&(message.from, message.length)) || answered && echoed());
        this.reading = if let Some(first) = told {
            match first {
                0 => Reading::Question { answered },
                payload::DELETE => Reading::Delete,
                payload::NOTIFY if alike => {
                    asked_before.insert((message.from, message.length));
                    Reading::Question { answered }
                }
                payload::NOTIFY if plain.is_some_and(|(least, most)| (least..=most).contains(&NAT_DETECTION)) => {
                    Reading::Question { answered }
                }
                _ => Reading::Notify,
            }
        } else if must_be_empty {
            Reading::Question { answered }
        } else if !may_be_empty && !may_delete {
            Reading::Notify
        } else if cleans_up || must_delete_child {
            cleaned_up = changes;
            Reading::Delete
        } else if !answered {
            if message.repeat_count > 0 && may_be_empty { Reading::Question { answered } } else { Reading::Unclear }
        } else if (goes_on || asks_again) && may_be_empty {
            asked_before.insert((message.from, message.length));
            Reading::Question { answered }
        } else if !goes_on && may_delete && (this.traffic_stopped || !may_be_empty) {
            // A liveness check may have the same length; only traffic that ends with it tells them apart.
            Reading::Delete
        } else {
            Reading::Unclear
        };
    }
}
