//! ICMP errors about IKE, ESP or AH: shared by the patterns that sort them by what the router said.

use crate::diagnose::Confidence;
use crate::diagnose::Severity;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::Match;
use crate::diagnose::words::{span, times};
use crate::track::{IcmpAbout, IcmpFact};

/// What an error that says `is_this` is about, as one match for each sender and subject. Errors that came and went before
/// the tunnel came up are no longer an error.
pub(super) fn errors(case: &Case<'_>, is_this: impl Fn(&IcmpFact) -> bool, means: &str) -> Vec<Match> {
    case.pair
        .icmp_errors
        .iter()
        .filter(|fact| is_this(fact))
        .map(|fact| {
            let attempt = fact
                .initiator_spi
                .and_then(|spi| case.pair.attempts.iter().position(|attempt| attempt.initiator_spi == spi));
            let confidence = Confidence::Stated;
            let mut found = match attempt {
                Some(attempt) => Match::on(attempt, confidence),
                None => Match::on_pair(confidence),
            };
            let who = if fact.from == fact.quoted_destination { "itself" } else { "on the path" };
            found = found
                .seen(format!(
                    "{} ({who}) answered {} to {} with ICMP {} code {} {} in {}",
                    fact.from,
                    about(fact.about),
                    fact.quoted_destination,
                    fact.icmp_type,
                    fact.code,
                    times(fact.count),
                    span(fact.last.since(fact.first)),
                ))
                .means(means)
                .frames(fact.frames.iter().copied());
            let over = case.attempts().any(|(_, view)| view.tunnel_up().is_some_and(|at| at > fact.last));
            if over { found.severity(Severity::Notice) } else { found }
        })
        .collect()
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
