//! S-AGGR-PSK: Aggressive Mode with a pre-shared key.

use crate::diagnose::Confidence;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::track::{Label, Mode};

use super::offer::v1;

/// Pre-shared key, and pre-shared key with extended authentication of the initiator or the responder.
const METHODS: [u64; 3] = [1, 65001, 65002];

pattern! {
    /// ## What is seen
    ///
    /// Aggressive Mode, a pre-shared key (with or without extended authentication), and message 2.
    ///
    /// ## What it means
    ///
    /// Message 2 carries a hash made with the pre-shared key, in clear. Whoever records messages 1 and 2, or simply asks the
    /// responder for a message 2, can try keys at leisure on his own machine. A short or guessable key does not last long.
    ///
    /// ## Look-alikes
    ///
    /// - In Main Mode the hash is encrypted.
    S_AGGR_PSK = "S-AGGR-PSK", Security, Advisory;
    title: "Aggressive Mode gives away a hash of the pre-shared key";
    causes: [
        "client" 0.70 "remote access, or a peer whose address changes: Main Mode cannot choose the key by identity", raised by "an identity that is no address", lowered by "";
        "kept" 0.30 "configured so without need", raised by "addresses as identities", lowered by "";
    ];
    checks: [
        Either: "change to IKEv2, or to Main Mode where the addresses are fixed, or to certificates";
        Either: "until then use a long random key (20 characters or more), a different one for each peer";
    ];
    logs: [];
    sources: ["S2S-58", "RFC 2409 §5.4", "CVE-2002-1623"];
    when: AGGRESSIVE;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let given_away: Vec<_> = case
        .attempts()
        .filter(|(_, view)| view.attempt.mode == Mode::Aggressive)
        .filter_map(|(_, view)| {
            let method = view.attempt.chosen.as_ref()?.transforms.first()?.attribute(v1::AUTHENTICATION)?;
            view.message(Label::Am(2)).filter(|_| METHODS.contains(&method))
        })
        .collect();
    let Some(first) = given_away.first() else { return Vec::new() };
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(format!(
                "{} answered Aggressive Mode with a pre-shared key, {}",
                first.source.ip(),
                times(given_away.len() as u64)
            ))
            .means("this capture is enough to try keys off line")
            .frames(given_away.iter().take(8).map(|message| message.frame)),
    ]
}
