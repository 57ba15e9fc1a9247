//! What was offered and chosen in clear: shared by the patterns that give advice about proposals.
//!
//! One match a pair: advice is the same for each of its attempts.

use std::collections::BTreeMap;

use crate::base::FrameRef;
use crate::diagnose::case::Case;
use crate::diagnose::pattern::Match;
use crate::diagnose::signs::Signs;
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{Attempt, IkeVersion, TransformFact};

/// Attempts whose frames are named as evidence.
const EVIDENCE: usize = 8;

/// IKEv2 transform types (RFC 7296 §3.3.2, RFC 9370 §4).
pub(super) mod v2 {
    /// Encryption.
    pub const ENCR: u8 = 1;
    /// Pseudo-random function.
    pub const PRF: u8 = 2;
    /// Integrity.
    pub const INTEG: u8 = 3;
    /// Key exchange.
    pub const KE: u8 = 4;
    /// Additional key exchanges, first to last.
    pub const ADDKE: std::ops::RangeInclusive<u8> = 6..=12;
    /// The Key Length attribute.
    pub const KEY_LENGTH: u16 = 14;
}

/// IKEv1 phase 1 attributes (RFC 2409 appendix A).
pub(super) mod v1 {
    /// Encryption algorithm.
    pub const ENCRYPTION: u16 = 1;
    /// Hash algorithm.
    pub const HASH: u16 = 2;
    /// Authentication method.
    pub const AUTHENTICATION: u16 = 3;
    /// Group.
    pub const GROUP: u16 = 4;
    /// Life type; 1 is seconds.
    pub const LIFE_TYPE: u16 = 11;
    /// Life duration, of the life type before it.
    pub const LIFE_DURATION: u16 = 12;
    /// Key length.
    pub const KEY_LENGTH: u16 = 14;
}

/// Algorithms of one kind that turned up in proposals of a pair.
#[derive(Debug, Clone, Default)]
pub(super) struct Advice {
    /// By name: whether a responder chose it.
    names: BTreeMap<String, bool>,
    frames: Vec<FrameRef>,
    attempts: usize,
    /// Some responder of these attempts chose anything.
    answered: bool,
}

impl Advice {
    /// Notes `name`, found in an offer or in a choice of `attempt`.
    fn note(&mut self, name: String, chosen: bool) {
        *self.names.entry(name).or_default() |= chosen;
    }

    fn note_names(&mut self, attempt: &Attempt, weak: impl Fn(&Attempt, &TransformFact) -> Vec<String>) -> bool {
        let mut hit = false;
        let offers = attempt.offered.iter().map(|proposal| (false, proposal));
        let choice = attempt.choice().iter().map(|proposal| (true, proposal));
        for (chosen, proposal) in offers.chain(choice) {
            for name in proposal.transforms.iter().flat_map(|transform| weak(attempt, transform)) {
                hit = true;
                self.note(name, chosen);
            }
        }
        hit
    }

    /// Without words one name stands for all.
    fn note_signs(&mut self, known: Signs, [any, chosen]: [Signs; 2]) -> bool {
        if known.has(any) {
            self.note(String::new(), known.has(chosen));
        }
        known.has(any)
    }

    /// The match, if anything was noted. What was offered and not chosen by a peer that chose something else is worth a
    /// word only.
    pub fn found(self, case: &Case<'_>, means: &'static str) -> Vec<Match> {
        if self.names.is_empty() {
            return Vec::new();
        }
        let list = |wanted: bool| {
            self.names
                .iter()
                .filter(|(_, chosen)| **chosen == wanted)
                .map(|(name, _)| name.as_str())
                .collect::<Vec<_>>()
        };
        let seen = case.in_words(|| {
            let (chosen, offered) = (list(true), list(false));
            let mut seen = Vec::new();
            if !chosen.is_empty() {
                seen.push(format!("chosen: {}", chosen.join(", ")));
            }
            if !offered.is_empty() {
                let what = if self.answered { "offered and not chosen" } else { "offered" };
                seen.push(format!("{what}: {}", offered.join(", ")));
            }
            seen.join("; ")
        });
        let chosen = self.names.values().any(|&chosen| chosen);
        let mut found = Match::on_pair(Confidence::Stated).seen(seen).means(means).frames(self.frames);
        if !chosen && self.answered {
            found = found.severity(Severity::Info);
        }
        vec![found]
    }
}

/// Collects what `weak` names in the offers and choices of all attempts. `signs` are those of an attempt in which it names
/// something, in the offer or at all and in the choice.
pub(super) fn advice(
    case: &Case<'_>,
    signs: [Signs; 2],
    weak: impl Fn(&Attempt, &TransformFact) -> Vec<String>,
) -> Advice {
    let mut advice = Advice::default();
    for (index, view) in case.attempts() {
        let attempt = view.attempt;
        let before = advice.names.len();
        let hit = match case.offer_signs(index) {
            Some(known) => advice.note_signs(known, signs),
            None => advice.note_names(attempt, &weak),
        };
        if hit {
            advice.answered |= attempt.chosen.is_some();
            advice.attempts += 1;
            if advice.attempts <= EVIDENCE || advice.names.len() > before {
                advice.frames.extend(frames(attempt));
            }
        }
    }
    advice
}

/// Frames of the offer and of the choice.
pub(super) fn frames(attempt: &Attempt) -> impl Iterator<Item = FrameRef> {
    let mut messages = attempt.exchanges.iter().flat_map(|exchange| &exchange.messages);
    let first = messages.next().map(|message| message.frame);
    let second = messages.next().map(|message| message.frame).filter(|_| attempt.chosen.is_some());
    [first, second].into_iter().flatten()
}

/// The names of those IKEv1 attribute values of a transform that are in `weak`.
pub(super) fn weak_v1(transform: &TransformFact, attribute_type: u16, weak: &[u64]) -> Vec<String> {
    let value = transform.attribute(attribute_type).filter(|value| weak.contains(value));
    value
        .map(|value| match registry::short_v1_value(attribute_type, value) {
            Some(name) => name.to_owned(),
            None => format!("attribute {attribute_type} = {value}"),
        })
        .into_iter()
        .collect()
}

/// The name of an IKEv2 transform, if its id is in `weak`.
pub(super) fn weak_v2(transform: &TransformFact, transform_type: u8, weak: &[u16]) -> Vec<String> {
    let fits = transform.transform_type == transform_type && weak.contains(&transform.transform_id);
    fits.then(|| match registry::short_v2_transform(transform_type, transform.transform_id) {
        Some(name) => name.to_owned(),
        None => format!("transform {transform_type}/{}", transform.transform_id),
    })
    .into_iter()
    .collect()
}

/// Either, by the version of the attempt.
pub(super) fn weak(
    attempt: &Attempt,
    transform: &TransformFact,
    in_v1: (u16, &[u64]),
    in_v2: &[(u8, &[u16])],
) -> Vec<String> {
    match attempt.version {
        IkeVersion::V1 => weak_v1(transform, in_v1.0, in_v1.1),
        IkeVersion::V2 => in_v2.iter().flat_map(|(kind, ids)| weak_v2(transform, *kind, ids)).collect(),
    }
}

/// Lifetime in seconds that an IKEv1 phase 1 transform names.
pub(super) fn lifetime(transform: &TransformFact) -> Option<u64> {
    let mut in_seconds = false;
    transform.attributes.iter().find_map(|attribute| match attribute.attribute_type {
        v1::LIFE_TYPE => {
            in_seconds = attribute.number == Some(1);
            None
        }
        v1::LIFE_DURATION if in_seconds => attribute.number,
        _ => None,
    })
}
