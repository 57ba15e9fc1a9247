//! Questions of IKEv1 phase 1: what came back for a message, in clear or encrypted, and what the initiator did then.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::time::Duration;

use crate::base::{IkeSpi, Timestamp};
use crate::diagnose::Severity;
use crate::diagnose::case::{AT_ONCE, Case, ClearNotify, PATIENCE, View};
use crate::diagnose::pattern::Match;
use crate::diagnose::sizes::{Content, V1Suite};
use crate::diagnose::unheard;
use crate::diagnose::waiting::Waited;
use crate::diagnose::words::span;
use crate::isakmp::registry;
use crate::track::{Attempt, IkeVersion, Label, MessageRecord, Mode, PayloadDetail, Side};

use super::informational::answer_within;
use super::{icmp, ikev2, initial_contact, nat};

/// Phase 1 attributes (RFC 2409 appendix A).
const AUTHENTICATION_METHOD: u16 = 3;
pub(super) const GROUP_DESCRIPTION: u16 = 4;
/// ICMP errors looked at: routers repeat themselves, and equal errors are one.
const ICMP_ERRORS: usize = 256;
/// Peers that are in the middle of an exchange repeat themselves after half a second and still come to an end after some.
const PATIENCE_WITHIN: Duration = Duration::from_secs(5);
/// An initiator that sends message 5 again this long after it was answered did not understand the answer.
const UNDERSTANDING: Duration = Duration::from_secs(1);

/// So many attempts before one are looked at for how they went.
const LOOKED_BACK: usize = 4;
/// So many are looked at for one that was accepted.
const CHANGED_SINCE: usize = 8;

/// Notify message types of RFC 2408 §3.14.1 that patterns tell apart.
pub(super) mod notify {
    pub(in super::super) const INVALID_COOKIE: u16 = 4;
    pub(in super::super) const INVALID_MAJOR_VERSION: u16 = 5;
    pub(in super::super) const INVALID_MINOR_VERSION: u16 = 6;
    pub(in super::super) const INVALID_EXCHANGE_TYPE: u16 = 7;
    pub(in super::super) const INVALID_SPI: u16 = 11;
    /// Of both versions.
    pub(in super::super) const NO_PROPOSAL_CHOSEN: u16 = 14;
    pub(in super::super) const INVALID_KEY_INFORMATION: u16 = 17;
    pub(in super::super) const INVALID_ID_INFORMATION: u16 = 18;
    pub(in super::super) const INVALID_HASH_INFORMATION: u16 = 23;
    pub(in super::super) const AUTHENTICATION_FAILED: u16 = 24;
    pub(in super::super) const UNSUPPORTED_EXCHANGE_TYPE: u16 = 29;
    /// What a peer says about the other's proof of who it is.
    pub(in super::super) const PROOF: [u16; 3] =
        [INVALID_ID_INFORMATION, INVALID_HASH_INFORMATION, AUTHENTICATION_FAILED];
    /// INVALID-TRANSFORM-ID, ATTRIBUTES-NOT-SUPPORTED, NO-PROPOSAL-CHOSEN, BAD-PROPOSAL-SYNTAX.
    pub(in super::super) const REFUSALS: [u16; 4] = [12, 13, 14, 15];
    /// INVALID-CERT-ENCODING, INVALID-CERTIFICATE, CERT-TYPE-UNSUPPORTED, INVALID-CERT-AUTHORITY, INVALID-SIGNATURE,
    /// CERTIFICATE-UNAVAILABLE.
    pub(in super::super) const CERTIFICATE: [u16; 6] = [19, 20, 21, 22, 25, 28];
    pub(in super::super) const CERTIFICATE_UNAVAILABLE: u16 = 28;
    /// What is said of an encrypted message that makes no sense under the keys of the one that got it: INVALID-PAYLOAD-TYPE,
    /// PAYLOAD-MALFORMED, and what finds fault with identity, hash and proof.
    pub(in super::super) const UNREADABLE: [u16; 5] = [1, 16, 18, 23, 24];
    /// ADDRESS-NOTIFICATION, NOTIFY-SA-LIFETIME.
    pub(in super::super) const REFUSES_NOTHING: [u16; 2] = [26, 27];
    /// What is said of nothing that messages 5 and 6 hold under encryption: of the DOI and the situation of an SA payload, of
    /// the header (cookies, versions, exchange type, flags, message id), of an SPI, of certificates that the sender has; or that
    /// refuses nothing (ADDRESS-NOTIFICATION, NOTIFY-SA-LIFETIME).
    pub(in super::super) const ASIDE: [u16; 13] = [2, 3, 4, 5, 6, 7, 8, 9, 11, 26, 27, 28, 29];
}

/// How the peers prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    /// A pre-shared key, with or without XAUTH.
    SharedKey,
    /// Signatures or public key encryption, with or without XAUTH.
    Certificate,
    /// The gateway by certificate, the user by XAUTH.
    Hybrid,
    /// The choice was not seen, or its number is not known.
    Unknown,
}

/// IKEv1 attempts of which phase 1, or what shows who began, and both directions were captured, as far as the wire shows. What
/// was offered and chosen may not have been.
pub(super) fn attempts<'a>(case: &Case<'a>) -> impl Iterator<Item = (usize, View<'a>)> + use<'a> {
    case.attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1 && view.shows_set_up() && !view.one_sided())
}

/// When the latest attempt began that got through phase 2.
pub(super) fn last_with_phase_2(case: &Case<'_>) -> Option<Timestamp> {
    case.pair.attempts.iter().filter(|attempt| attempt.phase2_up.is_some()).map(|attempt| attempt.first).max()
}

/// A message 5 of this length carries a certificate: with a shared key it is an identity and a hash of 64 octets at most, and
/// what an initiator has to say beside (RFC 2409 §5.4).
const HOLDS_CERTIFICATE: u32 = 512;

/// The method of the choice or the offer; where neither was captured, what messages 3 to 5 show of it.
pub(super) fn method(view: &View<'_>) -> Method {
    let holds = || view.message(Label::Mm(5)).is_some_and(|proof| proof.length >= HOLDS_CERTIFICATE);
    match named_method(view) {
        Method::Unknown if asks_for_certificate(view) || holds() => Method::Certificate,
        named => named,
    }
}

/// Message 3 or 4 of Main Mode asks for a certificate in clear, as nobody does who has agreed on a key.
pub(super) fn asks_for_certificate(view: &View<'_>) -> bool {
    const CERTIFICATE_REQUEST: u8 = 7;
    let asks =
        |message: &MessageRecord| message.carried.iter().any(|payload| payload.payload_type == CERTIFICATE_REQUEST);
    view.messages().any(|message| matches!(message.label, Label::Mm(3 | 4)) && asks(message))
}

/// The method of the choice, or of the offer if all of it names the same.
pub(super) fn named_method(view: &View<'_>) -> Method {
    let chosen = view.attempt.chosen.iter().flat_map(|chosen| &chosen.transforms).next();
    let number = match chosen {
        Some(transform) => transform.attribute(AUTHENTICATION_METHOD),
        None => {
            let mut offered = view
                .attempt
                .offered
                .iter()
                .flat_map(|proposal| &proposal.transforms)
                .map(|transform| transform.attribute(AUTHENTICATION_METHOD));
            let first = offered.next().flatten();
            if offered.all(|other| other == first) { first } else { None }
        }
    };
    match number {
        Some(1 | 65001 | 65002) => Method::SharedKey,
        Some(2..=5 | 8..=11 | 65003..=65010) => Method::Certificate,
        Some(64221..=64224) => Method::Hybrid,
        _ => Method::Unknown,
    }
}

/// Whether the choice, or any offer, calls for XAUTH (draft-beaulieu-ike-xauth, draft-ietf-ipsec-isakmp-hybrid-auth).
pub(super) fn wants_xauth(view: &View<'_>) -> bool {
    let proposals = view.attempt.choice();
    let proposals = if proposals.is_empty() { &view.attempt.offered[..] } else { proposals };
    proposals
        .iter()
        .flat_map(|proposal| &proposal.transforms)
        .filter_map(|transform| transform.attribute(AUTHENTICATION_METHOD))
        .any(|method| matches!(method, 65001..=65010 | 64221..=64224))
}

/// Whether both sides announce XAUTH (draft-ietf-ipsra-isakmp-xauth), whatever was chosen.
pub(super) fn announce_xauth(view: &View<'_>) -> bool {
    const XAUTH: [u8; 8] = [0x09, 0x00, 0x26, 0x89, 0xdf, 0xd6, 0xb7, 0x12];
    view.attempt.vendor_ids.iter().all(|ids| ids.iter().any(|id| **id == XAUTH))
}

/// Type and data of the identity that a message names in clear.
pub(super) fn identity(message: &MessageRecord) -> Option<(u8, &[u8])> {
    message.carried.iter().find_map(|payload| match &payload.detail {
        PayloadDetail::Identification { id_type, data } => Some((*id_type, &**data)),
        _ => None,
    })
}

/// The initiator sent no vendor id, as its first message shows.
pub(super) fn is_anonymous(view: &View<'_>) -> bool {
    !view.attempt.midstream && view.attempt.vendor_ids.first().is_some_and(|ids| ids.is_empty())
}

/// Encrypted Informational messages from `side`, in order.
pub(super) fn encrypted_informationals<'a>(
    view: &View<'a>,
    side: Side,
) -> impl Iterator<Item = &'a MessageRecord> + use<'a> {
    view.messages().filter(move |message| message.label == Label::Inf && message.encrypted && message.from == side)
}

/// Copies of `message` sent later than `after`.
pub(super) fn repeats_after(message: &MessageRecord, after: Timestamp) -> usize {
    message.repeats.iter().filter(|repeat| repeat.at > after).count()
}

/// Copies of `message` sent although its `answer` had passed here: it did not arrive, or was not taken. One copy tells
/// nothing.
pub(super) fn copies_in_spite_of(answer: &MessageRecord, message: &MessageRecord) -> Option<usize> {
    let copies = unheard::copies_after(answer, message);
    (copies >= 2).then_some(copies)
}

/// Message 3 of Aggressive Mode passed here, or what the initiator sends after it, and the responder goes on with message 2:
/// what passed, and how often the responder did, if nothing else came from it but errors.
pub(super) fn message_3_ignored<'a>(view: &View<'a>) -> Option<(&'a MessageRecord, usize)> {
    let second = view.message(Label::Am(2))?;
    let after = || view.messages().find(|message| message.from == Side::Initiator && uses_phase_1(message.label));
    let third = view.message(Label::Am(3)).or_else(after)?;
    let is_error = |message: &MessageRecord| message.label == Label::Inf && message.encrypted;
    // of message 2 too the first copy may be missing
    let says_more = |message: &MessageRecord| message.label != Label::Am(2) && !is_error(message);
    let speaks =
        view.messages().any(|message| message.from == Side::Responder && message.at >= third.at && says_more(message));
    if speaks { None } else { Some((third, copies_in_spite_of(third, second)?)) }
}

pub(super) fn uses_phase_1(label: Label) -> bool {
    matches!(label, Label::Qm(_) | Label::Tr(_))
}

/// How the responder ended an SA of Aggressive Mode as soon as it had message 3, with a Quick Mode right behind that.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended<'a> {
    /// Message 3.
    pub third: &'a MessageRecord,
    /// Message 1 of the Quick Mode.
    pub quick: &'a MessageRecord,
    /// What the responder said.
    pub by: &'a MessageRecord,
    /// By its size it may also be a notify that refuses the Quick Mode.
    pub may_refuse_quick: bool,
}

impl Ended<'_> {
    /// The responder said so before it had the Quick Mode: it is not what it answers.
    pub(super) fn before_quick(&self) -> bool {
        self.by.at < self.quick.at
    }
}

/// The one thing that the responder says after message 3 of Aggressive Mode may have the size of a delete of the ISAKMP SA, and the initiator,
/// which had begun Quick Mode right behind message 3, says nothing more under it. Nothing shows that the responder took message 3.
pub(super) fn ended_at_message_3<'a>(view: &View<'a>) -> Option<Ended<'a>> {
    if view.attempt.mode != Mode::Aggressive {
        return None;
    }
    let third = view.message(Label::Am(3))?;
    let quick = view.message(Label::Qm(1)).filter(|quick| quick.from == Side::Initiator)?;
    let mut said = view.messages().filter(|message| message.from == Side::Responder && message.last_sent() >= third.at);
    let (by, None) = (said.next()?, said.next()) else { return None };
    // what was chosen may not have been captured
    let contents = V1Suite::chosen(view.attempt).map(|suite| suite.contents(view.attempt, by.from, by.length));
    let holds = |content| contents.is_none_or(|contents| contents.contains(content));
    let deletes = holds(Content::DeleteIsakmp);
    let notifies = holds(Content::BareNotify) || holds(Content::IpsecNotify);
    let only = by.label == Label::Inf && by.encrypted && by.repeat_count == 0 && deletes;
    let within = answer_within(view, Side::Responder);
    let soon = third.copies().any(|(_, at)| at <= by.at && by.at.since(at) <= within);
    let goes_on = |message: &MessageRecord| {
        message.from == Side::Initiator && message.last_sent() > by.at.after(AT_ONCE)
            || message.label == Label::Qm(1) && message.repeat_count > 0
    };
    let greets = || initial_contact::of(view, Side::Responder).is_some();
    (only && soon && !view.messages().any(goes_on) && !greets()).then_some(Ended {
        third,
        quick,
        by,
        may_refuse_quick: notifies && by.at >= quick.at,
    })
}

/// When the responder had gone along with version, mode and offer: message 2 had passed, or what follows it.
pub(super) fn accepted_at(view: &View<'_>) -> Option<Timestamp> {
    let follows = |message: &&MessageRecord| matches!(message.label, Label::Mm(2..) | Label::Am(2..));
    view.messages().filter(follows).map(|message| message.at).min()
}

/// When an attempt of the same initiator before this one began whose authentication, by the same method, the responder accepted.
pub(super) fn authenticated_before(view: &View<'_>) -> Option<Timestamp> {
    let before = (view.index.saturating_sub(CHANGED_SINCE)..view.index).rev().filter_map(|index| view.case.view(index));
    let same = |before: &View<'_>| {
        let (one, other) = (before.attempt.initiator, view.attempt.initiator);
        one.ip() == other.ip()
            && !nat::of_two_clients(one.port(), other.port())
            && method(before) == method(view)
            && before.messages().any(accepts)
    };
    before.filter(same).map(|before| before.attempt.first).next()
}

/// With such a message a responder shows that it has accepted the initiator's authentication.
fn accepts(message: &MessageRecord) -> bool {
    message.from == Side::Responder && matches!(message.label, Label::Mm(6) | Label::Qm(_) | Label::Tr(_))
}

/// Weighs the cause `"changed"`, that something was changed since the responder accepted the same initiator, against those of
/// `others`, which were the same before. Without such an attempt it is out.
pub(super) fn weigh_change(view: &View<'_>, mut found: Match, factor: f32, others: &[&'static str]) -> Match {
    let Some(before) = authenticated_before(view) else { return found.rule_out(&["changed"]) };
    let ago = span(view.attempt.first.since(before));
    found.seen.push_str(&format!("; an attempt of the same initiator that began {ago} before was authenticated"));
    others.iter().fold(found, |found, other| found.weigh(other, 0.3)).weigh("changed", factor)
}

/// Whether this was said after that.
pub(super) fn was_accepted(accepted: Option<Timestamp>, said: &MessageRecord) -> bool {
    accepted.is_some_and(|at| at <= said.at)
}

/// The message that this answers: the latest of the other side.
pub(super) fn answered_by<'a>(view: &View<'a>, said: &MessageRecord) -> Option<&'a MessageRecord> {
    let before = view.messages().filter(|message| message.from != said.from && message.at <= said.at);
    before.max_by_key(|message| message.at)
}

/// `name (number)`, or the number alone.
pub(super) fn notify_name(notify_message_type: u16) -> String {
    match registry::notify_name(1, notify_message_type) {
        Some(name) => format!("{name} ({notify_message_type})"),
        None => format!("notify {notify_message_type}"),
    }
}

/// A router or host said that the messages of this attempt do not arrive, and the responder did not refute that by answering
/// from that port since: that explains a silence.
pub(super) fn icmp_explains(view: &View<'_>) -> bool {
    view.case.pair.icmp_errors.iter().take(ICMP_ERRORS).any(|error| {
        let unreachable = matches!(
            (error.version, error.icmp_type, error.code),
            (4, 3, 0..=3 | 5..=15) | (4, 11, 0) | (6, 1, _) | (6, 3, 0)
        );
        let of_this = error.initiator_spi.is_none_or(|spi| spi == view.attempt.initiator_spi);
        unreachable && of_this && !view.messages().any(|message| icmp::refutes(message, error))
    })
}

/// `message` was sent, nothing followed it, and it was waited for long enough to say so.
pub(super) fn silence_after(view: &View<'_>, message: &MessageRecord) -> Option<Waited> {
    let waited = view.waited(message);
    let least =
        if message.from == Side::Initiator { slowest_answer(view, message).min(PATIENCE) } else { Duration::ZERO };
    let long = waited.is_silence() && waited.over + waited.after >= PATIENCE_WITHIN.max(least);
    (long && view.case.both_ways() && !icmp_explains(view)).then_some(waited)
}

/// How long the other side took for the slowest of its answers before `message`, at most: what was repeated meanwhile was lost,
/// or the path is slow.
fn slowest_answer(view: &View<'_>, message: &MessageRecord) -> Duration {
    let before = || view.messages().filter(|other| other.at < message.at);
    let answers = before().zip(before().skip(1)).filter(|(asked, answer)| {
        asked.from == message.from && answer.from != message.from && matches!(answer.label, Label::Mm(_) | Label::Am(_))
    });
    answers.map(|(asked, answer)| answer.at.since(asked.at)).max().unwrap_or_default()
}

/// What a failed attempt weighs beside the other attempts of its pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Standing {
    /// Beginning of the latest attempt whose phase 1 came up.
    last_success: Option<Timestamp>,
    /// Latest packet of a tunnel of this pair.
    last_traffic: Option<Timestamp>,
}

impl Standing {
    /// Of this pair.
    pub(super) fn of(case: &Case<'_>) -> Self {
        let ups = || case.pair.attempts.iter().filter(|attempt| attempt.phase1_up.is_some());
        Self {
            last_success: ups().map(|attempt| attempt.first).max(),
            last_traffic: case.pair.flows.iter().map(|flow| flow.last).max().filter(|_| ups().next().is_some()),
        }
    }

    /// `severity`, unless the attempt was overcome by a later one (history), or a tunnel of the pair carries traffic
    /// after it all the same.
    pub(super) fn severity(&self, view: &View<'_>, severity: Severity) -> Severity {
        let first = view.attempt.first;
        if view.attempt.phase1_up.is_none() && self.last_success.is_some_and(|success| success > first) {
            severity.min(Severity::Notice)
        } else if self.last_traffic.is_some_and(|traffic| traffic > view.attempt.last) {
            severity.min(Severity::Warning)
        } else {
            severity
        }
    }
}

/// What the two ends of a pair do at other times: each asked for once, however many attempts there are.
#[derive(Debug)]
pub(super) struct Habits<'a> {
    ends: [Habit<'a>; 2],
    a: IpAddr,
    refused_in_v2: RefusalsInV2<'a>,
}

/// Refusals of the IKE version in IKEv2, with the initiator cookie of the message 1 that each answers: they are filed as
/// attempts of their own.
#[derive(Debug)]
pub(super) struct RefusalsInV2<'a>(HashMap<IkeSpi, &'a MessageRecord>);

impl<'a> RefusalsInV2<'a> {
    pub(super) fn of(case: &Case<'a>) -> Self {
        let answers = case.attempts().filter(|(_, view)| view.is_v2() && view.attempt.midstream);
        let refusal = |view: View<'a>| {
            let mut messages = view.messages();
            messages
                .find(|message| !message.encrypted && ikev2::notified(message, notify::INVALID_MAJOR_VERSION).is_some())
        };
        let mut refusals: HashMap<IkeSpi, &MessageRecord> =
            answers.filter_map(|(_, view)| Some((view.attempt.initiator_spi, refusal(view)?))).collect();
        if !refusals.is_empty() {
            let asked: HashSet<IkeSpi> = attempts(case).map(|(_, view)| view.attempt.initiator_spi).collect();
            refusals.retain(|spi, _| asked.contains(spi));
        }
        Self(refusals)
    }

    /// That of this attempt in IKEv1, if it got no other answer.
    pub(super) fn on(&self, view: &View<'a>) -> Option<&'a MessageRecord> {
        let refusal = *self.0.get(&view.attempt.initiator_spi)?;
        let asked = view.messages().next().filter(|_| !view.is_v2() && !view.heard(Side::Responder))?;
        (asked.at <= refusal.at && asked.destination.ip() == refusal.source.ip()).then_some(refusal)
    }

    /// Whether the attempt is such a refusal.
    pub(super) fn holds(&self, attempt: &Attempt) -> bool {
        attempt.version == IkeVersion::V2 && self.0.contains_key(&attempt.initiator_spi)
    }
}

/// What one end does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Habit<'a> {
    /// It starts Main Mode.
    pub starts_main: Option<&'a Attempt>,
    /// It starts Aggressive Mode.
    pub starts_aggressive: Option<&'a Attempt>,
    /// It starts IKEv2.
    pub starts_v2: Option<&'a Attempt>,
    /// It accepts an offer of the other end, in IKEv1 and in IKEv2.
    pub accepts_v1: Option<&'a Attempt>,
    /// See `accepts_v1`.
    pub accepts_v2: Option<&'a Attempt>,
    /// Beginning of the latest attempt that it started.
    pub latest: Option<Timestamp>,
}

impl<'a> Habit<'a> {
    /// An attempt that shows that this end speaks `version`, and whether it is one of its own.
    pub(super) fn speaks(&self, version: IkeVersion) -> Option<(&'a Attempt, bool)> {
        let (accepts, starts) = match version {
            IkeVersion::V1 => (self.accepts_v1, self.starts_main.or(self.starts_aggressive)),
            IkeVersion::V2 => (self.accepts_v2, self.starts_v2),
        };
        accepts.map(|attempt| (attempt, false)).or(starts.map(|attempt| (attempt, true)))
    }
}

impl<'a> Habits<'a> {
    /// Of this pair.
    pub(super) fn of(case: &Case<'a>) -> Self {
        let refused_in_v2 = RefusalsInV2::of(case);
        let mut habits = Self { ends: [Habit::default(); 2], a: case.pair.a, refused_in_v2 };
        for attempt in case.pair.attempts.iter() {
            if let Some(starter) = habits.end(attempt.initiator.ip()).filter(|_| !attempt.midstream) {
                let known = match (attempt.version, attempt.mode) {
                    (IkeVersion::V2, _) => &mut starter.starts_v2,
                    (_, Mode::Aggressive) => &mut starter.starts_aggressive,
                    _ => &mut starter.starts_main,
                };
                known.get_or_insert(attempt);
                starter.latest = starter.latest.max(Some(attempt.first));
            }
            if let Some(responder) = habits.end(attempt.responder.ip()) {
                let known = match attempt.version {
                    IkeVersion::V1 => &mut responder.accepts_v1,
                    IkeVersion::V2 => &mut responder.accepts_v2,
                };
                if attempt.chosen.is_some() {
                    known.get_or_insert(attempt);
                }
            }
        }
        habits
    }

    fn end(&mut self, address: IpAddr) -> Option<&mut Habit<'a>> {
        self.ends.get_mut(usize::from(address != self.a))
    }

    /// Of the end with this address.
    pub(super) fn at(&self, address: IpAddr) -> Habit<'a> {
        self.ends.get(usize::from(address != self.a)).copied().unwrap_or_default()
    }

    /// The refusal of this attempt's version in IKEv2.
    pub(super) fn refused_in_v2(&self, view: &View<'a>) -> Option<&'a MessageRecord> {
        self.refused_in_v2.on(view)
    }

    /// Beginning of the latest attempt of either end.
    pub(super) fn latest(&self) -> Option<Timestamp> {
        self.ends.iter().filter_map(|end| end.latest).max()
    }
}

/// What became of message 5, the initiator's proof in Main Mode.
#[derive(Debug)]
pub(super) enum Answer<'a> {
    /// Something in clear, where only an encrypted message 6 may stand.
    Clear(&'a MessageRecord),
    /// An error in clear that is not about what message 5 holds.
    Aside(ClearNotify<'a>),
    /// Encrypted Informational messages and no message 6.
    Encrypted {
        /// They.
        messages: Vec<&'a MessageRecord>,
        /// What the initiator did with them.
        initiator: Conduct,
        /// The only one may be INITIAL-CONTACT: then message 6 was sent, too, and got lost.
        may_greet: bool,
    },
    /// Nothing, for long enough to say so.
    Silence(Waited),
}

/// What the initiator did after an encrypted answer: it could read it, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Conduct {
    /// It sends message 5 again: it could make nothing of the answer.
    GoesOn,
    /// It stops.
    Stops,
    /// The capture ends too early.
    Unknown,
}

/// Message 5 of an attempt whose phase 1 never came up, and what came back for it.
pub(super) fn answer_to_message_5<'a>(view: &View<'a>) -> Option<(&'a MessageRecord, Answer<'a>)> {
    if view.attempt.mode != Mode::Main || view.attempt.phase1_up.is_some() {
        return None;
    }
    let proof = view.message(Label::Mm(5))?;
    let in_clear = |message: &&MessageRecord| {
        message.from == Side::Responder
            && !message.encrypted
            // Copies of message 5 before the one that was recorded may have drawn it too.
            && message.last_sent() >= proof.at
            && matches!(message.label, Label::Stray | Label::Inf)
    };
    let aside = |message: &'a MessageRecord| {
        ClearNotify::of(message).find(|said| notify::ASIDE.contains(&said.notify_message_type))
    };
    if let Some(clear) = view.messages().filter(in_clear).min_by_key(|message| aside(message).is_some()) {
        return Some((proof, aside(clear).map_or(Answer::Clear(clear), Answer::Aside)));
    }
    // What is encrypted before message 5 answers a copy of it that was not recorded.
    let answers = |message: &&MessageRecord| message.at < proof.at || may_answer(message, proof);
    let messages: Vec<&MessageRecord> = encrypted_informationals(view, Side::Responder).filter(answers).collect();
    if let Some(first) = messages.first() {
        if view.message(Label::Mm(6)).is_some() {
            // In part: message 5 was accepted.
            return None;
        }
        let may_greet = messages.len() == 1 && initial_contact::of(view, Side::Responder).is_some();
        let initiator = match conduct(view, proof, first.at) {
            Conduct::Stops if may_greet => Conduct::Unknown,
            initiator => initiator,
        };
        // A message 6 that is as large as a message 5 in fragments is lost sooner than others, any where others were lost.
        let in_pieces = proof.ip_fragments > 1 || proof.ike_fragments > 1;
        let repeated = || view.messages().any(|message| message.repeat_count > 0);
        match initiator {
            Conduct::GoesOn if may_greet && in_pieces => {}
            Conduct::Unknown if may_greet && repeated() => return None,
            _ => return Some((proof, Answer::Encrypted { messages, initiator, may_greet })),
        }
    }
    let waited = silence_after(view, proof)?;
    Some((proof, Answer::Silence(waited)))
}

/// What stands before message 5 is in the capture, so that its first copy is, too, and all that came since.
pub(super) fn is_first_copy(view: &View<'_>, proof: &MessageRecord) -> bool {
    !view.attempt.midstream
        || view.messages().any(|message| matches!(message.label, Label::Mm(1..=4)) && message.at < proof.at)
}

/// `message` came soon enough after a copy of `asked` to be the answer to it. What comes later has other reasons: a liveness
/// check, a farewell.
pub(super) fn may_answer(message: &MessageRecord, asked: &MessageRecord) -> bool {
    let copies = std::iter::once(asked.at).chain(asked.repeats.iter().map(|repeat| repeat.at));
    copies.filter(|copy| *copy <= message.at).max().is_some_and(|copy| message.at.since(copy) <= PATIENCE)
}

/// Message 5 was answered once and then, copy after copy, not any more: whoever answered dropped its state with that, as one
/// does that read the message and refuses it. Who cannot read it answers each copy alike.
pub(super) fn answered_once(view: &View<'_>, proof: &MessageRecord, answers: &[&MessageRecord]) -> bool {
    let [only] = answers else { return false };
    let end = view.case.end();
    let in_vain = proof.repeats.iter().filter(|repeat| repeat.at > only.at && end.since(repeat.at) >= UNDERSTANDING);
    only.repeat_count == 0 && in_vain.count() >= 3
}

/// An earlier attempt of the pair drew answers of the length of `answer` too, which told the initiator nothing: one and no more
/// (`once`), or one after the other.
pub(super) fn went_before(view: &View<'_>, answer: &MessageRecord, once: bool) -> bool {
    let mut before = (view.index.saturating_sub(LOOKED_BACK)..view.index).filter_map(|index| view.case.view(index));
    before.any(|before| {
        let Some((proof, Answer::Encrypted { messages, initiator, .. })) = answer_to_message_5(&before) else {
            return false;
        };
        initiator == Conduct::GoesOn
            && messages.first().is_some_and(|first| first.length == answer.length)
            && (if once { answered_once(&before, proof, &messages) } else { messages.len() > 1 })
    })
}

fn conduct(view: &View<'_>, proof: &MessageRecord, answered: Timestamp) -> Conduct {
    let later = || proof.repeats.iter().filter(|repeat| repeat.at > answered);
    let understood_not = later().count() >= 2 || later().any(|repeat| repeat.at.since(answered) >= UNDERSTANDING);
    if understood_not {
        Conduct::GoesOn
    } else if later().next().is_none() && view.case.end().since(answered) >= PATIENCE {
        Conduct::Stops
    } else {
        Conduct::Unknown
    }
}
