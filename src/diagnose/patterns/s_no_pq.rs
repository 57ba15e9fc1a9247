//! S-NO-PQ: no protection against quantum computers.

use crate::diagnose::Confidence;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::isakmp::registry;
use crate::track::{ProposalFact, Side};

use super::offer::{self, v2};
use super::s_null_integ::is_cut;

/// Key exchange methods 35 to 37: ML-KEM-512, -768, -1024.
const ML_KEM: std::ops::RangeInclusive<u16> = 35..=37;
/// RFC 8784 §3.
const USE_PPK: u16 = 16435;

pattern! {
    /// ## What is seen
    ///
    /// An IKEv2 negotiation whose choice has no post-quantum key exchange (ML-KEM, alone or as an additional one), and no
    /// announcement of post-quantum pre-shared keys from both sides.
    ///
    /// ## What it means
    ///
    /// What is recorded today may be decrypted when a large quantum computer exists. Whether that matters depends on how long the
    /// traffic has to stay secret.
    ///
    /// ## Look-alikes
    ///
    /// - A capture that cut the choice short: what is missing of it may have been there, and nothing is reported.
    /// - IKEv1 has nothing of the kind; see `S-IKEV1`. A long random pre-shared key protects IKEv1 to a degree.
    S_NO_PQ = "S-NO-PQ", Security, Info;
    title: "the key exchange has no post-quantum part";
    causes: [
        "usual" 1.0 "usual today: few products have it on by default", raised by "", lowered by "";
    ];
    checks: [
        Either: "where traffic must stay secret for many years: add ML-KEM (RFC 9370), or post-quantum pre-shared keys (RFC 8784), if both ends have it";
    ];
    logs: [];
    sources: ["RFC 9370", "RFC 8784"];
    when: NO_POST_QUANTUM;
    check: check, by_story
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let plain: Vec<_> = case
        .attempts()
        .filter(|(_, view)| view.is_v2() && view.attempt.rekeyed_from.is_none() && !is_cut(view.attempt))
        .filter(|(_, view)| view.attempt.chosen.as_ref().is_some_and(|choice| !hybrid(choice)) && !ppk(view))
        .map(|(_, view)| view)
        .collect();
    let Some(first) = plain.first() else { return Vec::new() };
    let seen = case.in_words(|| {
        let groups = first.attempt.chosen.iter().flat_map(|choice| &choice.transforms);
        let groups: Vec<_> = groups
            .filter(|transform| transform.transform_type == v2::KE)
            .filter_map(|transform| registry::group_name(transform.transform_id))
            .collect();
        let by = if groups.is_empty() { "one method".to_owned() } else { groups.join(", ") };
        format!("key exchange by {by} only")
    });
    vec![
        Match::on_pair(Confidence::Stated)
            .seen(seen)
            .means("what is recorded today may be readable to a quantum computer one day")
            .frames(plain.iter().take(8).flat_map(|view| offer::frames(view.attempt))),
    ]
}

pub(super) fn hybrid(choice: &ProposalFact) -> bool {
    choice.transforms.iter().any(|transform| {
        (v2::ADDKE.contains(&transform.transform_type) && transform.transform_id != 0)
            || (transform.transform_type == v2::KE && ML_KEM.contains(&transform.transform_id))
    })
}

fn ppk(view: &View<'_>) -> bool {
    [Side::Initiator, Side::Responder]
        .into_iter()
        .all(|side| view.clear_notifies(side).any(|notify| notify.notify_message_type == USE_PPK))
}
