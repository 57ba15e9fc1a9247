//! ICMP errors about IKE, ESP or AH: shared by the patterns that sort them by what the router said.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::{Case, PATIENCE, View};
use crate::diagnose::pattern::Match;
use crate::diagnose::words::{span, times};
use crate::packet::icmp_error_name;
use crate::track::{Attempt, EspFlow, IcmpAbout, IcmpFact, MessageRecord, Side};

use super::{informational, life_cycle, nat, probe, v2_redirect};

/// Packets that were refused one after the other.
const OFTEN: u64 = 3;
/// Packets that are not refused one after the other.
const MISSED: u32 = 8;

/// Port unreachable: nobody listens there, or somebody says so in the host's name.
pub(in crate::diagnose) fn is_no_port(fact: &IcmpFact) -> bool {
    matches!((fact.version, fact.icmp_type, fact.code), (4, 3, 3) | (6, 1, 4))
}

/// What an error that says `is_this` is about, as one match for each sender and host that could not be reached: IKE and
/// ESP that are refused alike have one cause.
///
/// Errors that came and went before the tunnel came up are history. Those about IKE after a tunnel was up say why it does
/// not come back, or why nobody answers, and are no more than a warning: what the tunnel lacks has a finding of its own.
pub(super) fn errors(
    case: &Case<'_>,
    is_this: impl Fn(&IcmpFact) -> bool,
    means: &'static str,
    weigh: impl Fn(&Said<'_>, Match) -> Match,
) -> Vec<Match> {
    let mut ups: Vec<(usize, Timestamp)> =
        case.attempts().filter_map(|(index, view)| Some((index, view.tunnel_up()?))).collect();
    ups.sort_by_key(|&(_, at)| at);
    let (first_up, last_up) = (ups.first().map(|&(_, at)| at), ups.last().map(|&(_, at)| at));
    let mut alike: Vec<(Key, Vec<&IcmpFact>)> = Vec::new();
    for fact in case.pair.icmp_errors.iter().filter(|fact| is_this(fact)) {
        let key = key(fact, attempt(case, fact));
        match alike.iter_mut().find(|(known, _)| *known == key) {
            Some((_, facts)) => facts.push(fact),
            None => alike.push((key, vec![fact])),
        }
    }
    let mut found = Vec::new();
    let heard = LastHeard::of(case);
    for ((.., index), facts) in &alike {
        let (Some(&fact), index) = (facts.first(), *index) else { continue };
        let facts_of_attempt = index.and_then(|index| case.pair.attempts.get(index));
        let matched = match index {
            Some(index) => Match::on(index, Confidence::Stated),
            None => Match::on_pair(Confidence::Stated),
        };
        // An SA whose beginning was not captured was up, too, and so is one of whose negotiation nothing was.
        let was_up = facts_of_attempt.map_or(!case.pair.flows.is_empty(), |attempt| attempt.midstream);
        let begun = facts.iter().map(|fact| fact.first).min().unwrap_or(fact.first);
        let last = facts.iter().map(|fact| fact.last).max().unwrap_or(fact.last);
        let after_up = was_up || first_up.is_some_and(|up| up <= begun);
        let after_farewell = index.is_some_and(|index| taken_down_before(case, index, begun));
        let passes = fact.from != fact.quoted_destination && passes_again(case, fact.quoted_destination, last);
        let answers = case.flows_from(fact.quoted_destination).any(|flow| flow.last >= last);
        let about_ike = facts.iter().all(|fact| matches!(fact.about, IcmpAbout::Isakmp { .. }));
        // who answers IKE after it is there, and listens
        let answered = about_ike && facts.iter().all(|fact| heard.refutes(fact));
        let probed = fact.from == fact.quoted_destination
            && index.and_then(|index| case.view(index)).is_some_and(|view| {
                life_cycle::address(view.attempt, Side::Initiator) == fact.from && probe::looks_like_one(&view)
            });
        let left = facts_of_attempt.is_some_and(|attempt| has_left(attempt, fact.quoted_destination));
        let refused = index.and_then(|index| case.view(index)).is_some_and(|view| leaves_refused(&view, fact));
        let moved = index.and_then(|index| case.view(index)).is_some_and(|view| has_moved(&view, facts));
        let over = answered || left || moved || probed || refused || last_up.is_some_and(|up| up > last);
        // What a router says of a peer that falls silent is the reason of that.
        let lasting = fact.from != fact.quoted_destination
            && facts.iter().map(|fact| fact.count).sum::<u64>() > 1
            && case.end().since(last) >= PATIENCE
            && case.heard_from(fact.quoted_destination)
            && !heard_since(case, fact.quoted_destination, begun);
        let mut seen = words(facts);
        if after_farewell {
            seen.push_str("; the tunnel had been taken down before");
        } else if after_up && !over {
            seen.push_str("; the tunnel had been up before");
        }
        let sent_here = index.and_then(|index| case.view(index)).and_then(|view| v2_redirect::sent_here(&view));
        seen.push_str(sent_here.as_deref().unwrap_or_default());
        let mut matched = matched.seen(seen).means(means);
        matched = matched.frames(facts.iter().flat_map(|fact| fact.frames.iter().copied()));
        matched.severity = match (over || after_farewell, after_up) {
            (true, _) => Some(Severity::Info),
            (false, true) if passes => Some(Severity::Notice),
            (false, true) if lasting => None,
            // one alone may be anything
            (false, true) if facts.iter().map(|fact| fact.count).sum::<u64>() == 1 => Some(Severity::Notice),
            (false, true) if about_ike || answers => Some(Severity::Warning),
            _ => None,
        };
        let unreached = facts_of_attempt.and_then(|attempt| side_at(attempt, fact));
        let said = Said {
            fact,
            itself: fact.from == fact.quoted_destination,
            heard: case.heard_from(fact.quoted_destination),
            after_up,
            after_farewell,
            probed,
            refused,
            moved,
            redirected: sent_here.is_some(),
            unreached,
            delay: index.and_then(|index| case.view(index)).and_then(|view| delay(&view, begun)),
            ceased: ceased(case, facts),
            only_4500: index.and_then(|index| case.view(index)).is_some_and(|view| answers_on_500_only(&view, facts)),
            natted: index
                .and_then(|index| case.view(index))
                .zip(unreached)
                .is_some_and(|(view, side)| nat::is_in_front_of(&view, side)),
        };
        let weighed = weigh(&said, matched);
        found.push(match (answered, passes) {
            (true, _) => weighed.means("that is over: IKE of that host answers from there later"),
            (_, true) => weighed.means("that is over: what is sent there passes since, and is answered"),
            _ => weighed,
        });
    }
    found
}

/// What errors of one finding have in common: who says it, of which host, in which words, on which attempt.
type Key = (IpAddr, IpAddr, (u8, u8, u8), Option<usize>);

fn key(fact: &IcmpFact, attempt: Option<usize>) -> Key {
    (fact.from, fact.quoted_destination, (fact.version, fact.icmp_type, fact.code), attempt)
}

/// Who says what about which packets, how often.
fn words(facts: &[&IcmpFact]) -> String {
    let Some(fact) = facts.first() else { return String::new() };
    let itself = fact.from == fact.quoted_destination;
    let (who, to) = match itself {
        true => (format!("{} itself", fact.from), String::new()),
        false => (format!("{}, on the path,", fact.from), format!(" to {}", fact.quoted_destination)),
    };
    let numbers = format!("ICMP{} {}/{}", if fact.version == 6 { "v6" } else { "" }, fact.icmp_type, fact.code);
    let says = match icmp_error_name(fact.version, fact.icmp_type, fact.code) {
        Some(name) => format!("\"{name}\" ({numbers})"),
        None => numbers,
    };
    let is_told = facts.iter().any(|fact| fact.initiator_spi.is_some());
    // What is said of several kinds of packets to one port is said of the port.
    let mut subjects: Vec<(String, u64, Timestamp, Timestamp)> = Vec::new();
    for fact in facts {
        let subject = about(fact.about, is_told);
        match subjects.iter_mut().find(|(known, ..)| *known == subject) {
            Some((_, count, first, last)) => {
                *count += fact.count;
                (*first, *last) = ((*first).min(fact.first), (*last).max(fact.last));
            }
            None => subjects.push((subject, fact.count, fact.first, fact.last)),
        }
    }
    let how_often = subjects.iter().map(|(subject, count, first, last)| {
        let over_time = match count {
            0 | 1 => String::new(),
            _ => format!(" in {}", span(last.since(*first))),
        };
        format!("about {subject}{to}, {}{over_time}", times(*count))
    });
    format!("{who} says {says} {}", how_often.collect::<Vec<_>>().join("; "))
}

/// The address and port that an error about IKE says cannot be reached.
fn unreached(error: &IcmpFact) -> Option<SocketAddr> {
    let IcmpAbout::Isakmp { destination_port, .. } = error.about else { return None };
    Some(SocketAddr::new(error.quoted_destination, destination_port))
}

/// Whether a message shows that an error about IKE is history: who could not be reached speaks from there since.
pub(super) fn refutes(message: &MessageRecord, error: &IcmpFact) -> bool {
    message.last_sent() > error.last && unreached(error) == Some(message.source)
}

/// When IKE was last seen from each address and port of a pair that has ICMP errors.
struct LastHeard(HashMap<SocketAddr, Timestamp>);

impl LastHeard {
    fn of(case: &Case<'_>) -> Self {
        let mut last = HashMap::new();
        let attempts = case.attempts().filter(|_| !case.pair.icmp_errors.is_empty());
        for message in attempts.flat_map(|(_, view)| view.messages()) {
            let at = last.entry(message.source).or_insert(message.at);
            *at = (*at).max(message.last_sent());
        }
        Self(last)
    }

    /// As in [`refutes()`], by any message of the pair.
    fn refutes(&self, error: &IcmpFact) -> bool {
        unreached(error).and_then(|end| self.0.get(&end)).is_some_and(|&last| last > error.last)
    }
}

/// Whether one of the errors of a pair that are `of_interest` is not history.
pub(super) fn stands(case: &Case<'_>, of_interest: impl Fn(&IcmpFact) -> bool) -> bool {
    let heard = LastHeard::of(case);
    case.pair.icmp_errors.iter().any(|error| of_interest(error) && !heard.refutes(error))
}

/// Whether an error says what became of the first messages of an attempt, and so breaks their silence.
pub(super) fn answers(case: &Case<'_>, attempt: &Attempt) -> bool {
    let until = attempt.last.after(PATIENCE);
    case.pair.icmp_errors.iter().any(|error| match error.initiator_spi {
        Some(spi) => spi == attempt.initiator_spi,
        // a short quotation tells where the packet went, and the time tells the rest
        None => unreached(error) == Some(attempt.responder) && error.first <= until && error.last >= attempt.first,
    })
}

/// Whether IKE, ESP or AH of `address` is seen after `at`.
fn heard_since(case: &Case<'_>, address: IpAddr, at: Timestamp) -> bool {
    let end = usize::from(address != case.pair.a);
    case.pair.sent[end].span.is_some_and(|(_, last)| last > at)
}

/// An error, and what its causes depend on.
pub(super) struct Said<'a> {
    /// The error.
    pub fact: &'a IcmpFact,
    /// It comes from the host that could not be reached.
    pub itself: bool,
    /// That host sent something of ours.
    pub heard: bool,
    /// The tunnel had been up before.
    pub after_up: bool,
    /// It had been taken down in good order before.
    pub after_farewell: bool,
    /// It is the host of an initiator that asked once and never went on, as scanners do.
    pub probed: bool,
    /// It is the host of an initiator that was refused in clear, and said nothing more.
    pub refused: bool,
    /// It moved to UDP 4500 in the same negotiation, and left the port in question behind.
    pub moved: bool,
    /// Another gateway sent the initiator there.
    pub redirected: bool,
    /// The side that could not be reached, as far as it is known.
    pub unreached: Option<Side>,
    /// That side is behind a NAT, and its address is that of the NAT here: the hash of its own address does not match.
    pub natted: bool,
    /// How long after a message of the attempt the first of them came.
    pub delay: Option<Duration>,
    /// What is sent there goes on, and is not refused any more.
    pub ceased: bool,
    /// That side answered IKE on UDP 500, and only UDP 4500 was ever refused there.
    pub only_4500: bool,
}

/// How long before `at` a message of an attempt was sent last.
fn delay(view: &View<'_>, at: Timestamp) -> Option<Duration> {
    let sent = view.messages().flat_map(MessageRecord::copies).map(|(_, sent)| sent).filter(|&sent| sent <= at);
    sent.max().map(|sent| at.since(sent))
}

/// Whether errors are about UDP 4500 of a host that spoke IKE on UDP 500 before, and never on 4500.
fn answers_on_500_only(view: &View<'_>, facts: &[&IcmpFact]) -> bool {
    let on_4500 = |fact: &&IcmpFact| match fact.about {
        IcmpAbout::Isakmp { destination_port, .. } => destination_port == nat::NAT_T,
        IcmpAbout::EspInUdp => true,
        IcmpAbout::Esp | IcmpAbout::Ah | IcmpAbout::Fragment { .. } => false,
    };
    let Some(host) = facts.first().map(|fact| fact.quoted_destination) else { return false };
    let speaks = |port: u16| view.messages().any(|message| message.source == SocketAddr::new(host, port));
    facts.iter().all(on_4500) && speaks(nat::IKE[0]) && !speaks(nat::NAT_T)
}

/// What `host` itself said of the port that it was sent ESP to, if that goes on and is not refused any more.
pub(super) fn refused_for_a_while<'a>(case: &Case<'a>, host: IpAddr) -> Option<&'a IcmpFact> {
    let own = |fact: &&IcmpFact| fact.from == host && fact.quoted_destination == host && is_no_port(fact);
    let facts: Vec<&IcmpFact> = case.pair.icmp_errors.iter().filter(own).collect();
    facts.iter().find(|fact| fact.about == IcmpAbout::EspInUdp).copied().filter(|_| ceased(case, &facts))
}

/// Whether ESP that was refused again and again goes on in the same way, and draws no error any more: for longer than a host that
/// limits its errors would be silent.
fn ceased(case: &Case<'_>, facts: &[&IcmpFact]) -> bool {
    let Some(host) = facts.first().map(|fact| fact.quoted_destination) else { return false };
    let refused = facts.iter().filter(|fact| fact.about == IcmpAbout::EspInUdp);
    let (count, last) = refused.fold((0, None), |(count, last), fact| (count + fact.count, last.max(Some(fact.last))));
    let all = facts.iter().map(|fact| fact.last).max();
    let goes_on = |last: Timestamp| {
        let mut flows = case.pair.flows.iter().filter(|flow| flow.destination == host && flow.first < last);
        flows.any(|flow| outlasts(flow, last))
    };
    count >= OFTEN && last == all && last.is_some_and(goes_on)
}

/// Whether ESP to and from `host` goes on since an error at `last`, for longer than a router that limits its errors is silent.
pub(super) fn passes_again(case: &Case<'_>, host: IpAddr, last: Timestamp) -> bool {
    let goes_on = |from_host: bool| {
        let mut flows = case.pair.flows.iter().filter(|flow| (flow.source == host) == from_host);
        flows.any(|flow| outlasts(flow, last))
    };
    goes_on(true) && goes_on(false)
}

/// Whether a flow goes on after an error at `last` for so long that many of its packets would have drawn others.
fn outlasts(flow: &EspFlow, last: Timestamp) -> bool {
    flow.last.since(last) >= PATIENCE.max(life_cycle::spacing(flow) * MISSED)
}

/// Whether an encrypted message before `at` looks like the delete that ended an attempt's SAs.
fn taken_down_before(case: &Case<'_>, index: usize, at: Timestamp) -> bool {
    let Some(view) = case.view(index) else { return false };
    let deletes = informational::deletes_in_good_order(&view);
    deletes.iter().any(|one| !one.ike_after && !one.traffic_after && one.message.at <= at)
}

/// A side of `attempt` was at `address` and went to another one.
fn has_left(attempt: &Attempt, address: IpAddr) -> bool {
    [Side::Initiator, Side::Responder].into_iter().any(|side| {
        let last = attempt.moves.iter().rfind(|moved| moved.side == side);
        let was_there = || {
            let first = life_cycle::address(attempt, side);
            let of_side = attempt.moves.iter().filter(|moved| moved.side == side).map(|moved| moved.to.ip());
            std::iter::once(first).chain(of_side).any(|at| at == address)
        };
        last.is_some_and(|last| last.to.ip() != address && was_there())
    })
}

/// The host says so of the port that it came from before it moved to UDP 4500.
fn has_moved(view: &View<'_>, facts: &[&IcmpFact]) -> bool {
    let itself = facts.iter().all(|fact| fact.from == fact.quoted_destination);
    let left: Option<Vec<SocketAddr>> = facts.iter().map(|fact| unreached(fact)).collect();
    let Some([left, others @ ..]) = left.as_deref() else { return false };
    let of_host = view.messages().filter(|message| message.source.ip() == left.ip());
    let moved = of_host.max_by_key(|message| message.last_sent()).filter(|latest| nat::on_4500(latest));
    itself
        && others.iter().all(|other| other == left)
        && left.port() != nat::NAT_T
        && moved.is_some_and(|latest| latest.source != *left)
}

/// The initiator's host says so, after its offer was refused in clear, and there is no more of the initiator in this attempt.
fn leaves_refused(view: &View<'_>, fact: &IcmpFact) -> bool {
    let refused = view.clear_errors(Side::Responder).any(|error| error.message.at <= fact.first);
    let asks_on = view.messages().any(|message| message.from == Side::Initiator && message.last_sent() > fact.first);
    let initiator = life_cycle::address(view.attempt, Side::Initiator);
    refused && !asks_on && fact.from == initiator && fact.quoted_destination == initiator
}

/// The side of `attempt` that a quoted packet was sent to.
fn side_at(attempt: &Attempt, fact: &IcmpFact) -> Option<Side> {
    let first = [Side::Initiator, Side::Responder].map(|side| (side, life_cycle::address(attempt, side)));
    let moved = attempt.moves.iter().map(|moved| (moved.side, moved.to.ip()));
    first.into_iter().chain(moved).find(|&(_, at)| at == fact.quoted_destination).map(|(side, _)| side)
}

/// The attempt that the quoted message belongs to: by its SPI, or where the quotation is too short, by time.
fn attempt(case: &Case<'_>, fact: &IcmpFact) -> Option<usize> {
    let attempts = &case.pair.attempts;
    match fact.initiator_spi {
        Some(spi) => attempts.iter().position(|attempt| attempt.initiator_spi == spi),
        None => attempts.iter().rposition(|attempt| attempt.first <= fact.first),
    }
}

fn about(about: IcmpAbout, is_told: bool) -> String {
    match about {
        // all quotations end before they tell IKE from ESP
        IcmpAbout::Isakmp { destination_port: nat::NAT_T, .. } if !is_told => "UDP 4500".into(),
        IcmpAbout::Isakmp { destination_port, .. } => format!("IKE on UDP {destination_port}"),
        IcmpAbout::EspInUdp => "ESP in UDP".into(),
        IcmpAbout::Esp => "ESP".into(),
        IcmpAbout::Ah => "AH".into(),
        IcmpAbout::Fragment { protocol } => format!("a fragment of IP protocol {protocol}"),
    }
}
