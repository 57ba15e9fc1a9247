//! How a pair and its attempts stand at the end of the capture.
//!
//! Not here: what explains it ([`super::verdicts`]).

use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::packet::Encapsulation;
use crate::track::{Attempt, EspFlow, IcmpAbout, IcmpFact, Label, MessageRecord};

use super::case::{Case, PATIENCE, View};
use super::engine::Found;
use super::losses;
use super::pattern::Stage;
use super::patterns::{
    ended_with, initial_contact, is_cut_short, is_faded, is_no_esp, is_no_port, is_taken_down, spacing,
};
use super::{AttemptDiagnosis, Outcome, PairStatus, Severity};

/// A pair that tried more than once is still negotiating if its last try ended no longer ago than this.
const NEGOTIATING: Duration = Duration::from_secs(120);

/// Where IKE is without ESP in UDP (RFC 7296 §2).
const IKE_PORT: u16 = 500;
/// Packets of a stream.
const STREAM: u64 = 10;
/// So long before the lifetime of SAs is over others are negotiated in their place.
const RENEWAL: Duration = Duration::from_secs(300);

/// How far an attempt got. `error`: something was found on it that stopped it; `asks`: that XAUTH or Mode Config is as far as it got.
pub(super) fn outcome(case: &Case<'_>, view: &View<'_>, error: bool, asks: bool) -> Outcome {
    let attempt = view.attempt;
    // An IKE SA whose phase 2 nobody asked for is all that was negotiated.
    let refused = || view.is_refused() || view.children_turned_down().is_some();
    let done = || attempt.phase1_up.is_some() && attempt.waiting_for.is_none() && !error && !asks && !refused();
    if view.tunnel_up().is_some() || done() {
        return Outcome::Established;
    }
    let confirmed_unseen = || {
        attempt.waiting_for == Some(Label::Qm(3))
            && attempt.exchanges.iter().any(|exchange| view.quick_mode_unasked(exchange))
            && case.end().since(attempt.last) >= PATIENCE
    };
    if losses::may_have_gone_on(view) || confirmed_unseen() {
        return Outcome::Unknown;
    }
    // What belongs nowhere tells of no negotiation, nor does one message that contradicts itself and begins none.
    let is_faulty = || {
        let mut messages = view.messages();
        let one = messages.next().filter(|_| attempt.waiting_for.is_none());
        one.is_some_and(|one| one.fault.is_some()) && messages.next().is_none()
    };
    if attempt.stage == Label::Stray || is_faulty() {
        return Outcome::Unknown;
    }
    // Rounds of EAP end with an answer, too, and what comes next is up to the initiator. So does each of XAUTH.
    let of_eap = view.is_v2() && attempt.phase1_up.is_none() && attempt.stage == Label::AUTH_RSP;
    let in_rounds = (of_eap || asks) && !error;
    let told = view.shows_set_up() || view.authenticated() == Some(false);
    if attempt.waiting_for.is_none() && told && !in_rounds {
        return Outcome::Failed;
    }
    if view.lives_on().is_some() {
        return Outcome::Unknown;
    }
    if error && view.answered_otherwise() {
        return Outcome::Failed;
    }
    if view.one_sided() || !view.shows_set_up() {
        return Outcome::Unknown;
    }
    let quiet = case.end().since(attempt.last);
    // Attempts stand in the order of their first messages.
    let replaced = case
        .pair
        .attempts
        .last()
        .is_some_and(|youngest| youngest.first >= attempt.last && youngest.first > attempt.first);
    let given_up = || view.waiting().and_then(|message| view.next_copy(message)).is_some_and(|next| next.given_up);
    if replaced || quiet > PATIENCE * 6 || given_up() { Outcome::Failed } else { Outcome::Unfinished }
}

/// How a pair stands, whose `attempts` are judged. `verdict`: what best explains it; `silent`: a peer does not answer, for a
/// reason that is the verdict.
pub(super) fn status(
    case: &Case<'_>,
    attempts: &[AttemptDiagnosis],
    verdict: Option<&Found>,
    silent: bool,
) -> PairStatus {
    let pair = case.pair;
    let traffic = !pair.flows.is_empty();
    // What is lost was up before the capture, or while it ran.
    let was_up = || traffic && case.attempts().any(|(_, view)| view.attempt.midstream);
    let came_up = case.attempts().any(|(_, view)| view.tunnel_up().is_some());
    let lost = silent || verdict.is_some_and(|found| tells_a_loss(found) || is_mute(case, found));
    let begins = is_just_set_up(case, attempts, verdict);
    let up = came_up || lost && was_up();
    // A farewell that another finding explains better is one all the same; another attempt may have begun since.
    if is_taken_down(case) {
        let unfinished = || attempts.last().is_some_and(|last| last.outcome == Outcome::Unfinished);
        let begun = begins || unfinished() || asks_for_child(case);
        return if begun { PairStatus::DownNegotiating } else { PairStatus::Down };
    }
    if verdict.is_some_and(|found| is_left(case, found)) {
        return if case.end().since(pair.last) < NEGOTIATING { PairStatus::DownNegotiating } else { PairStatus::Down };
    }
    let turned_down = verdict.is_some_and(|found| found.is("V2-AUTH-INIT-REJECT", Severity::Error));
    match up {
        true if turned_down && !traffic => {}
        true if lost => {
            // one end goes on with what the other has lost
            let closed = [pair.a, pair.b].map(|end| closed_at(case, end));
            let goes_on = |flow: &EspFlow| {
                let closed = if flow.source == pair.a { closed[0] } else { closed[1] };
                let is_over = flow.encapsulation == Encapsulation::Udp && closed > Some(flow.last);
                case.end().since(flow.last) < PATIENCE && !is_over
            };
            if pair.flows.iter().any(goes_on) {
                return PairStatus::UpNoIke;
            }
        }
        true if verdict.is_some_and(|found| is_expired(case, found) || is_begun_anew(case, found)) => {}
        true if traffic => return PairStatus::UpActive,
        true => return PairStatus::UpIdle,
        false if pair.attempts.is_empty() && is_no_esp(pair) => return PairStatus::Unknown,
        // Its IKE began between other addresses.
        false
            if traffic
                && pair.attempts.is_empty()
                && verdict.is_some_and(|found| found.is("V2-MOBIKE", Severity::Info)) =>
        {
            return PairStatus::UpActive;
        }
        false if traffic && pair.attempts.iter().all(Attempt::is_of_remarks) => return PairStatus::UpNoIke,
        false => {}
    }
    let said = case.attempts().filter(|(_, view)| !view.attempt.is_of_remarks());
    let Some((index, last)) = said.last() else {
        // keepalives are sent while there is an SA, and what was cut off, malformed or refused may have been anything
        let idle = pair.sent.iter().any(|sent| sent.keepalives > 0);
        let unreadable = is_cut_short(pair) || !pair.incomplete.is_empty() || !pair.malformed.is_empty();
        let refuses = || case.attempts().any(|(_, view)| view.messages().any(|message| message.own_cookie));
        return if idle || unreadable || refuses() { PairStatus::Unknown } else { PairStatus::Down };
    };
    // Phase 1 anew, and IPsec SAs from before the capture.
    let recently = |from| case.flows_from(from).any(|flow| flow.last.after(PATIENCE * 3) >= case.end());
    let anew = || last.attempt.phase1_up.is_some() && !(last.is_v2() && last.authenticated() == Some(false));
    let carries = || anew() && recently(pair.a) && recently(pair.b);
    if traffic && !up && (last.attempt.midstream || carries()) && !lost {
        return PairStatus::UpActive;
    }
    match attempts.get(index).map(|attempt| attempt.outcome) {
        Some(Outcome::Unknown) => PairStatus::Unknown,
        Some(Outcome::Established) if hides_its_tunnel(&last) => PairStatus::Unknown,
        Some(Outcome::Established) if begins && !up => PairStatus::DownNegotiating,
        Some(Outcome::Unfinished) => PairStatus::DownNegotiating,
        // One try after another: the next one is due.
        _ if pair.attempts.len() > 1 && case.end().since(last.attempt.last) < NEGOTIATING => {
            PairStatus::DownNegotiating
        }
        _ => PairStatus::Down,
    }
}

/// When `end` last said that its port for ESP in UDP, and for IKE beside it, is closed.
fn closed_at(case: &Case<'_>, end: IpAddr) -> Option<Timestamp> {
    let is_port = |error: &&IcmpFact| match error.about {
        IcmpAbout::Isakmp { destination_port, .. } => destination_port != IKE_PORT,
        IcmpAbout::EspInUdp => true,
        IcmpAbout::Esp | IcmpAbout::Ah | IcmpAbout::Fragment { .. } => false,
    };
    let own = |error: &&IcmpFact| error.from == end && error.quoted_destination == end && is_no_port(error);
    case.pair.icmp_errors.iter().filter(own).filter(is_port).map(|error| error.last).max()
}

/// A tunnel that was up is none any more.
fn tells_a_loss(found: &Found) -> bool {
    found.severity() == Severity::Error
        && (found.stage() == Stage::LifeCycle || found.is("T-SPI-UNKNOWN", Severity::Error))
}

/// Who does not answer says nothing else either since it was asked.
fn is_mute(case: &Case<'_>, found: &Found) -> bool {
    let Some(view) = found.attempt().and_then(|index| case.view(index)) else { return false };
    let asked = view.messages().filter(|message| found.rests_on(message.frame)).min_by_key(|message| message.at);
    let silent_since = |asked: &MessageRecord| {
        let sent = case.pair.sent_by(asked.destination.ip()).span;
        case.end().since(asked.at) >= PATIENCE && sent.is_none_or(|(_, last)| last < asked.at)
    };
    found.severity() == Severity::Error && found.misses_messages() && asked.is_some_and(silent_since)
}

/// What was to take the place of the SAs in use failed, and then a steady stream both ways ended at both ends at once, while
/// somebody asks for others, or at one that had no more answers: their lifetime was over.
fn is_expired(case: &Case<'_>, found: &Found) -> bool {
    let fails = matches!(found.stage(), Stage::Phase1 | Stage::Phase2 | Stage::IkeV2);
    let view = found.attempt().and_then(|index| case.view(index)).filter(|_| fails);
    if found.severity() < Severity::Warning || view.is_none() {
        return false;
    }
    let Some([one, other]) = latest_flows(case) else { return false };
    let pace = spacing(one).max(spacing(other));
    let ended = one.last.max(other.last);
    let at_once = ended.since(one.last.min(other.last)) <= pace * 2;
    // Who begins from nothing again and again has nothing.
    let anew = case.pair.attempts.iter().filter(|attempt| attempt.first > ended && attempt.rekeyed_from.is_none());
    let again = anew.count() >= 2;
    // Where nobody asks for anything after the end, nothing more was to be sent.
    let asks = |message: &MessageRecord| {
        let first = matches!(
            message.label,
            Label::Mm(1) | Label::Am(1) | Label::Qm(1) | Label::SA_INIT_REQ | Label::CREATE_CHILD_SA_REQ
        );
        first && message.last_sent() > ended
    };
    let wanted = || case.attempts().any(|(_, view)| view.messages().any(asks));
    let patience = if again { PATIENCE } else { PATIENCE * 3 };
    let steady = one.packets.min(other.packets) >= STREAM && is_long_ago(case, ended, pace, patience);
    let shows = |message: &&MessageRecord| found.rests_on(message.frame);
    let tried = view.and_then(|view| view.messages().filter(shows).map(|message| message.at).min());
    (at_once && wanted() || is_faded(case))
        && steady
        && tried.is_some_and(|tried| ended <= tried.after(RENEWAL) && (again || tried <= ended.after(PATIENCE)))
}

/// What was to take the place of the SA in use failed, and with it that came to its end.
fn is_left(case: &Case<'_>, found: &Found) -> bool {
    let view = found.attempt().and_then(|index| case.view(index));
    let fails = found.stage() == Stage::Phase1 && found.severity() >= Severity::Warning;
    fails && view.is_some_and(|view| view.tunnel_up().is_none() && ended_with(&view))
}

/// The flow of each end with the latest packet.
fn latest_flows<'a>(case: &Case<'a>) -> Option<[&'a EspFlow; 2]> {
    let last_of = |end| case.flows_from(end).max_by_key(|flow| flow.last);
    Some([last_of(case.pair.a)?, last_of(case.pair.b)?])
}

/// Traffic whose packets came at this pace is no longer expected when it has rested so long, and for so long at least.
fn is_long_ago(case: &Case<'_>, ended: Timestamp, pace: Duration, least: Duration) -> bool {
    case.end().since(ended) >= (pace * 20).max(least)
}

/// A side that had a tunnel begins anew, in the same version, and fails, after its own traffic stopped; and nothing is said and
/// nothing answered under the SAs from before since then: it has them no more.
fn is_begun_anew(case: &Case<'_>, found: &Found) -> bool {
    let fails = matches!(found.stage(), Stage::Phase1 | Stage::Phase2 | Stage::IkeV2 | Stage::Path | Stage::Fragments);
    let Some(view) = found.attempt().filter(|_| fails).and_then(|index| case.view(index)) else { return false };
    let attempt = view.attempt;
    let Some([one, other]) = latest_flows(case) else { return false };
    let own = if attempt.initiator.ip() == case.pair.a { one } else { other };
    let earlier = || case.attempts().take(view.index).filter(|(_, earlier)| earlier.tunnel_up().is_some());
    let rests = |earlier: &View<'_>| earlier.messages().all(|message| message.last_sent() < attempt.first);
    found.severity() >= Severity::Warning
        && view.tunnel_up().is_none()
        && own.last < attempt.first
        && is_long_ago(case, one.last.max(other.last), spacing(one).max(spacing(other)), PATIENCE * 2)
        && earlier().next().is_some()
        && earlier().all(|(_, earlier)| earlier.attempt.version == attempt.version && rests(&earlier))
        && case.attempts().skip(view.index).all(|(_, later)| later.tunnel_up().is_none())
}

/// The last that was said is the question for a child SA, and its answer may be on its way.
fn asks_for_child(case: &Case<'_>) -> bool {
    let last = case.attempts().last().and_then(|(_, view)| view.messages().max_by_key(|message| message.last_sent()));
    last.is_some_and(|last| last.label == Label::CREATE_CHILD_SA_REQ && case.end().since(last.last_sent()) < PATIENCE)
}

/// Phase 1 of the last attempt is complete, phase 2 may follow at once, and nothing was found that stops it.
fn is_just_set_up(case: &Case<'_>, attempts: &[AttemptDiagnosis], verdict: Option<&Found>) -> bool {
    let Some(view) = case.pair.attempts.len().checked_sub(1).and_then(|last| case.view(last)) else { return false };
    let stopped = |found: &Found| {
        found.stage() != Stage::Normal && found.severity() >= Severity::Warning && found.attempt() == Some(view.index)
    };
    let last_word = |at| {
        let announces = initial_contact(&view);
        let is_between = |message: &MessageRecord| matches!(message.label, Label::Tr(_)) || announces(message);
        view.messages().all(|message| message.at <= at || is_between(message))
    };
    !view.is_v2()
        && !view.attempt.midstream
        && case.end().since(view.attempt.last) < PATIENCE
        && attempts.last().is_some_and(|last| last.outcome == Outcome::Established)
        && view.attempt.phase1_up.is_some_and(last_word)
        && !verdict.is_some_and(stopped)
}

/// The IKE SA is up, and whether a tunnel came with it does not show: its beginning or one side was not captured, or what the
/// answer to IKE_AUTH may hold cannot be said.
fn hides_its_tunnel(view: &View<'_>) -> bool {
    let unread = || view.last_auth_response().is_some() && view.auth_answer().is_none();
    view.attempt.midstream || view.one_sided() || unread()
}
