//! ICMP errors about IKE, ESP or AH: shared by the patterns that sort them by what the router said.

use crate::base::Timestamp;
use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::Match;
use crate::diagnose::words::{span, times};
use crate::packet::icmp_error_name;
use crate::track::{IcmpAbout, IcmpFact};

/// What an error that says `is_this` is about, as one match for each sender and subject.
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
    case.pair
        .icmp_errors
        .iter()
        .filter(|fact| is_this(fact))
        .map(|fact| {
            let confidence = Confidence::Stated;
            let attempt = attempt(case, fact);
            let found = match attempt {
                Some(attempt) => Match::on(attempt, confidence),
                None => Match::on_pair(confidence),
            };
            // An SA whose beginning was not captured was up, too.
            let was_up =
                attempt.and_then(|index| case.pair.attempts.get(index)).is_some_and(|attempt| attempt.midstream);
            let itself = fact.from == fact.quoted_destination;
            let (who, to) = match itself {
                true => (format!("{} itself", fact.from), String::new()),
                false => (format!("{}, on the path,", fact.from), format!(" to {}", fact.quoted_destination)),
            };
            let over_time = match fact.count {
                0 | 1 => String::new(),
                _ => format!(" in {}", span(fact.last.since(fact.first))),
            };
            let numbers = format!("ICMP{} {}/{}", if fact.version == 6 { "v6" } else { "" }, fact.icmp_type, fact.code);
            let says = match icmp_error_name(fact.version, fact.icmp_type, fact.code) {
                Some(name) => format!("\"{name}\" ({numbers})"),
                None => numbers,
            };
            let mut seen =
                format!("{who} says {says} about {}{to}, {}{over_time}", about(fact.about), times(fact.count));
            let about_ike = matches!(fact.about, IcmpAbout::Isakmp { .. });
            let answers = case.flows_from(fact.quoted_destination).any(|flow| flow.last >= fact.last);
            let over = last_up.is_some_and(|up| up > fact.last);
            let after_up = was_up || first_up.is_some_and(|up| up <= fact.first);
            let severity = match (over, after_up) {
                (true, _) => Some(Severity::Info),
                (false, true) if about_ike || answers => Some(Severity::Warning),
                _ => None,
            };
            if after_up && !over {
                seen.push_str("; the tunnel had been up before");
            }
            let mut found = found.seen(seen).means(means).frames(fact.frames.iter().copied());
            found.severity = severity;
            let heard = case.heard_from(fact.quoted_destination);
            weigh(&Said { fact, itself, heard, after_up }, found)
        })
        .collect()
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
}

/// The attempt that the quoted message belongs to: by its SPI, or where the quotation is too short, by time.
fn attempt(case: &Case<'_>, fact: &IcmpFact) -> Option<usize> {
    let attempts = &case.pair.attempts;
    match fact.initiator_spi {
        Some(spi) => attempts.iter().position(|attempt| attempt.initiator_spi == spi),
        None => attempts.iter().rposition(|attempt| attempt.first <= fact.first),
    }
}

fn about(about: IcmpAbout) -> String {
    match about {
        IcmpAbout::Isakmp { destination_port, .. } => format!("IKE on UDP {destination_port}"),
        IcmpAbout::EspInUdp => "ESP in UDP".into(),
        IcmpAbout::Esp => "ESP".into(),
        IcmpAbout::Ah => "AH".into(),
        IcmpAbout::Fragment { protocol } => format!("a fragment of IP protocol {protocol}"),
    }
}
