//! First messages that draw no answer, of either version: what may be said of them, and how surely.

use std::cell::OnceCell;
use std::net::IpAddr;
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::{Confidence, Severity};

use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::Match;
use crate::diagnose::points;
use crate::diagnose::words::{number, span, times};
use crate::track::{Attempt, IkeVersion, Label, MessageRecord, Side};

use super::icmp;
use super::ikev2::RefusalsInV1;
use super::life_cycle::Traffic;
use super::{probe, v2_redirect};

/// Who was heard this long before the last copy of a message is alive.
const JUST_BEFORE: Duration = Duration::from_secs(10);
/// Copies of a first message that are not lost one and all.
const IGNORED: u64 = 3;

/// Attempts of `version` whose first message, as told by `is_first`, was all that was ever seen of them.
pub(super) fn unanswered_first_message(
    case: &Case<'_>,
    version: IkeVersion,
    is_first: impl Fn(Label) -> bool,
) -> Vec<Match> {
    // Where the capture misses the answers to one attempt, it misses those to another.
    let one_way = !case.both_ways() && case.attempts().any(|(_, view)| view.one_sided());
    if one_way || icmp::stands(case, |_| true) {
        return Vec::new();
    }
    let signs = OnceCell::new();
    let refusals = RefusalsInV1::of(case);
    let answered = [case.pair.a, case.pair.b].map(|end| is_answered_from_500(case, end));
    case.attempts()
        .filter(|(_, view)| view.attempt.version == version && !view.attempt.midstream)
        // S-SCAN.
        .filter(|(_, view)| !probe::is_beside_a_tunnel(view))
        .filter_map(|(index, view)| {
            let from_500 = answered[usize::from(view.attempt.initiator.ip() != case.pair.a)];
            unanswered(case, index, &view, &is_first, (&signs, &refusals, from_500))
        })
        .collect()
}

/// Whether what `address` sent to UDP 500 first was answered where it came from UDP 500, and nowhere else.
fn is_answered_from_500(case: &Case<'_>, address: IpAddr) -> bool {
    let own = |attempt: &&Attempt| attempt.initiator.ip() == address && attempt.responder.port() == 500;
    let heard = |view: &View<'_>| !view.attempt.midstream && view.heard(Side::Responder);
    let answered = case.attempts().filter(|(_, view)| own(&view.attempt) && heard(view));
    let mut ports = answered.map(|(_, view)| view.attempt.initiator.port()).peekable();
    ports.peek().is_some() && ports.all(|port| port == 500)
}

/// From another port than what was answered: a filter may want port 500 on both ends.
fn tell_port(port: u16, mut found: Match) -> Match {
    found.seen.push_str(&format!("; it comes from port {port}, and what was answered came from port 500"));
    found
        .weigh("source-port", 60.0)
        .means(format!("the responder answers what comes from port 500, and not what comes from port {port}: a filter wants port 500 on both ends, or the responder is not set up for this peer"))
}

/// When something of ours came from either end of a pair: single packets in order of time, and flows.
pub(super) struct SignsOfLife {
    packets: [Vec<Timestamp>; 2],
    flows: [Traffic; 2],
}

impl SignsOfLife {
    fn of(case: &Case<'_>) -> Self {
        let mut packets = [Vec::new(), Vec::new()];
        for message in case.attempts().flat_map(|(_, view)| view.messages()) {
            let from = usize::from(message.source.ip() != case.pair.a);
            packets[from].push(message.at);
            packets[from].extend(message.repeats.iter().map(|repeat| repeat.at));
        }
        packets.iter_mut().for_each(|times| times.sort_unstable());
        Self { packets, flows: [case.pair.a, case.pair.b].map(|end| Traffic::over(case.flows_from(end))) }
    }

    /// When the first one came after this time.
    fn first_after(&self, end: usize, after: Timestamp) -> Option<Timestamp> {
        let packets = &self.packets[end];
        packets.get(packets.partition_point(|&at| at <= after)).copied()
    }

    /// Whether one of them stands between these times. Flows count that ran all the while or began or ended then.
    fn between(&self, end: usize, from: Timestamp, to: Timestamp) -> bool {
        let packets = &self.packets[end];
        let next = packets.get(packets.partition_point(|&at| at < from));
        let latest = self.flows[end].latest_of(|first| first <= to);
        next.is_some_and(|&at| at <= to) || latest.is_some_and(|last| last >= from)
    }
}

/// What shows that the peer is there while it does not answer.
struct Presence {
    /// IKE, ESP or AH of it.
    alive: bool,
    /// The same, while the message was sent and not just before.
    meanwhile: bool,
    /// Nothing but answers to pings.
    pinged: bool,
}

impl Presence {
    /// Since `first` was sent; while it was sent again and again `over` that time.
    fn of(view: &View<'_>, first: &MessageRecord, over: Duration, signs: &OnceCell<SignsOfLife>) -> Self {
        let View { case, attempt, .. } = view;
        let peer = attempt.responder.ip();
        let end = usize::from(peer != case.pair.a);
        let lost = || case.points().is_some_and(|points| points.loses(first));
        let signs = || signs.get_or_init(|| SignsOfLife::of(case));
        let to = first.at.after(over);
        let from = first.at.min(to.before(JUST_BEFORE.as_nanos() as i64));
        let alive = case.heard_from(peer) && !lost() && signs().between(end, from, to);
        let meanwhile = alive && signs().between(end, first.at, to);
        let ends = (peer, attempt.initiator.ip());
        let mut pings = case.facts.echo_replies.iter();
        let pinged = !alive && pings.any(|echo| (echo.source, echo.destination) == ends && echo.last >= first.at);
        Self { alive, meanwhile, pinged }
    }
}

/// Whether a first message, sent again and again, is all there is of an attempt, and the peer does not answer though it is there:
/// as its IKE, ESP or AH of the same time shows, or (`Some(false)`) an answer to a ping, which a host that is just
/// starting gives too.
pub(super) fn ignored(view: &View<'_>, signs: &OnceCell<SignsOfLife>) -> Option<bool> {
    let first = view.messages().next()?;
    let opens = matches!(first.label, Label::Mm(1) | Label::Am(1) | Label::SA_INIT_REQ);
    let nothing_more = || view.messages().all(|message| message.label == first.label && message.from == first.from);
    let unanswered = opens && nothing_more() && view.attempt.responder_spi.is_zero();
    let waited = view.waited(first);
    if !unanswered || waited.copies < IGNORED || !waited.is_silence() || icmp::answers(&view.case, view.attempt) {
        return None;
    }
    let Presence { alive, meanwhile, pinged } = Presence::of(view, first, waited.over, signs);
    // what came just before may have been its last
    (alive || pinged).then_some(meanwhile)
}

fn unanswered(
    case: &Case<'_>,
    index: usize,
    view: &View<'_>,
    is_first: impl Fn(Label) -> bool,
    (signs, refusals, from_500): (&OnceCell<SignsOfLife>, &RefusalsInV1<'_>, bool),
) -> Option<Match> {
    let first = view.messages().find(|message| is_first(message.label))?;
    let nothing_more = view.messages().all(|message| is_first(message.label)) && !view.heard(Side::Responder);
    let answered_elsewhere = !view.attempt.responder_spi.is_zero();
    let refused_in_v1 = || view.is_v2() && refusals.on(first).is_some();
    let waited = view.waited(first);
    let refused_by_icmp = || icmp::answers(case, view.attempt);
    if !nothing_more || answered_elsewhere || !waited.is_silence() || refused_in_v1() || refused_by_icmp() {
        return None;
    }
    let peer = view.attempt.responder.ip();
    let end = usize::from(peer != case.pair.a);
    let heard = case.heard_from(peer);
    let last = first.at.after(waited.over);
    let Presence { alive, meanwhile, pinged } = Presence::of(view, first, waited.over, signs);
    // It begins to speak once nobody asks any more.
    let packets = || signs.get_or_init(|| SignsOfLife::of(case)).first_after(end, last);
    let flows = || case.flows_from(peer).map(|flow| flow.first).filter(|&begun| begun > last).min();
    let later = (heard && !alive).then(|| packets().into_iter().chain(flows()).min()).flatten();
    // Since when nothing comes from a peer that a tunnel had been up with.
    let gone = case.pair.sent[end].span.map(|(_, last)| last).filter(|&last| {
        let tunnel =
            || case.flows_from(peer).next().is_some() || case.attempts().any(|(_, view)| view.tunnel_up().is_some());
        !alive && last < first.at && tunnel()
    });
    // Of what else counts as heard, only keepalives are left.
    let sent = &case.pair.sent[end];
    let keeps = sent.keepalives > 0 && !alive && later.is_none() && sent.span.is_some_and(|(_, last)| last >= first.at);
    let silent_peers = case.silent_peers();
    let to_others = !heard && case.speaks_to_others(peer);
    let mut seen = format!("{} was sent {}", first.label, times(waited.copies));
    if waited.copies > 1 {
        seen.push_str(&format!(" in {}", span(waited.over)));
    }
    seen.push_str(&if waited.after < Duration::from_secs(1) {
        "; nothing came back before the capture ends".to_owned()
    } else {
        let last = if waited.copies > 1 { "the last copy" } else { "it" };
        format!("; nothing came back, also not in the {} after {last}", span(waited.after))
    });
    seen.push_str(&match (alive, gone, later) {
        (true, ..) if meanwhile => format!("; {peer} is alive: it sends other IKE, ESP or AH meanwhile"),
        (true, ..) => format!("; {peer} is alive: it sent other IKE, ESP or AH shortly before"),
        (_, Some(last), _) => {
            format!("; {peer} was last heard {} before that, and a tunnel had been up", span(first.at.since(last)))
        }
        (.., Some(later)) => {
            format!("; {peer} sends IKE, ESP or AH from {} after that on", span(later.since(last)))
        }
        _ if keeps => format!("; {peer} sends NAT keepalives meanwhile, and nothing else"),
        _ if heard => format!("; {peer} sends IKE, ESP or AH at other times, and none meanwhile"),
        _ if to_others => format!("; no IKE, ESP or AH from {peer} to this address, and some to others"),
        _ => format!("; no IKE, ESP or AH from {peer} in {} of capture", span(case.watched())),
    });
    seen.push_str(v2_redirect::sent_here(view).as_deref().unwrap_or_default());
    if pinged {
        seen.push_str("; it answers pings meanwhile");
    }
    let (confidence, settle) = if alive {
        let once = || {
            format!("another try with a capture on the outside of {peer}: whether the message arrives and is answered")
        };
        (waited.certainty(), (waited.copies < 2).then(once))
    } else {
        let anything = format!(
            "whether {peer} answers anything else, such as a ping, and whether the capture holds both directions; "
        );
        let anything = if pinged || keeps { "" } else { &anything };
        let outside = format!("{anything}a capture on the outside of {peer} tells whether the message arrives there");
        (Confidence::Suspected, Some(outside))
    };
    let mut found = Match::on(index, confidence).seen(seen).frames(view.frames(first)).means(if points::loses(view, first) {
        "the message is lost between the two points"
    } else if alive {
        "the responder is reachable and does not answer this: look at its configuration before the path"
    } else if pinged {
        "the host is there, and the way to it and back is open: UDP 500 is filtered, IKE is not enabled there, or nothing is set up for this peer"
    } else if keeps {
        "the responder is there, keeps its NAT open for a tunnel, and what it sends gets here: this does not get there, or it does not answer it"
    } else if gone.is_some() {
        "the responder answered before, and nothing comes from it any more: it, its IKE daemon or the path to it is gone"
    } else if points::passes(view, first) {
        "the message passes both points, and no answer to it comes to either: the responder stays silent, or it is lost beyond them"
    } else {
        "either the message does not arrive, or its answer does not, or the responder stays silent on purpose"
    });
    found.settle = settle.map(Into::into);
    let [port, to] = [view.attempt.initiator, view.attempt.responder].map(|end| end.port());
    found = match alive && from_500 && to == 500 && port != 500 {
        true => tell_port(port, found),
        false => found.rule_out(&["source-port"]),
    };
    if waited.copies < 2 {
        found = found.severity(Severity::Warning);
    }
    found = match gone {
        Some(_) => found.weigh("gone", 50.0).weigh("path", 0.5).weigh("no-profile", 0.5).weigh("off", 0.3),
        None => found.rule_out(&["gone"]),
    };
    if alive {
        found = found.weigh("path", 0.3).weigh("no-profile", 2.0).weigh("refused", 2.0).weigh("off", 1.5);
    } else if keeps {
        found = found.weigh("no-profile", 0.5).weigh("off", 0.3);
    } else if pinged {
        found = found.weigh("path", 0.6).weigh("no-profile", 1.5).weigh("off", 2.0);
    } else if to_others || later.is_some() {
        found = found.weigh("path", 0.5).weigh("no-profile", 2.0);
    } else if silent_peers > 1 {
        found = found.weigh("path", 1.5);
        found.seen.push_str(&format!(
            "; {} of the same sender are silent too",
            number(silent_peers as u64 - 1, "other peer")
        ));
    }
    Some(found)
}
