//! The nearest miss of a refused offer: beside everything the same responder was seen to offer or to accept, in this pair
//! and in others, the smallest change that would have made one set fit. For phase 1 of both versions.
//!
//! Not here: any claim that the change is the cause. A responder may have another policy for each peer.

use std::fmt::Write as _;
use std::net::IpAddr;

use crate::base::{FrameRef, Timestamp};
use crate::diagnose::case::{Case, View};
use crate::isakmp::registry;
use crate::track::{Attempt, IkeVersion, Pair, ProposalFact, TransformFact};

/// Attempts looked at of each pair, and sets compared on each side: bounds on the work, far above what a configuration
/// holds.
const ATTEMPTS: usize = 64;
const KNOWN: usize = 16;
const OFFERED: usize = 32;
/// Sets and values named in a sentence.
const SETS_NAMED: usize = 4;
const VALUES_NAMED: usize = 6;

/// IKEv1 phase 1 attributes that must agree: encryption, hash, method, group (RFC 2409 appendix A).
const V1_ENCRYPTION: u16 = 1;
const V1_KINDS: [u16; 4] = [V1_ENCRYPTION, 2, 3, 4];
/// Key length, of both versions (RFC 2409 appendix A, RFC 7296 §3.3.5).
const KEY_LENGTH: u16 = 14;

/// An algorithm, with its key length if it has one.
type Value = (u64, Option<u64>);

/// What a peer may choose from when it takes one proposal: for each kind of algorithm, the values on offer. IKEv1 puts one
/// value of each kind into a transform, IKEv2 several into a proposal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Set {
    version: IkeVersion,
    kinds: Vec<(u16, Vec<Value>)>,
}

/// How it is known what the responder would take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Offered,
    Accepted,
}

#[derive(Debug, Clone)]
pub(in crate::diagnose) struct Known {
    set: Set,
    how: How,
    other: IpAddr,
    frame: FrameRef,
    at: Timestamp,
}

/// The nearest miss of an offer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct NearestMiss {
    /// Kinds of algorithm that would have to change; 0 if the responder takes exactly this elsewhere.
    pub changes: usize,
    /// The responder accepted it from this very initiator before.
    pub accepted_before: bool,
    /// In words.
    pub sentence: String,
    /// Where the responder showed what it takes.
    pub frame: FrameRef,
}

/// The nearest miss of what `view`'s initiator offered, if its responder showed anywhere what it takes.
pub(super) fn of(case: &Case<'_>, view: &View<'_>) -> Option<NearestMiss> {
    let offered = sets(view.attempt.version, &view.attempt.offered, OFFERED);
    let responder = view.attempt.responder.ip();
    let known = known(case, view.attempt);
    let (changes, nearest, taken) = offered
        .iter()
        .flat_map(|offer| known.iter().map(move |taken| (differences(offer, &taken.set), offer, taken)))
        .min_by_key(|(changes, ..)| changes.len())?;
    let mut sentence = match taken.how {
        How::Accepted => format!("{responder} accepted {} from {}", taken.set.name(), taken.other),
        How::Offered => format!("{responder} itself offers {} to {}", taken.set.name(), taken.other),
    };
    if changes.is_empty() {
        sentence.push_str(
            ", which is in this offer too: unless that was changed since, the algorithms are not what it refuses here",
        );
    } else {
        let _ = write!(sentence, "; nearest in this offer is {}: it would fit with ", nearest.name());
        for (index, &kind) in changes.iter().enumerate() {
            let separator = match index {
                0 => "",
                _ if index + 1 == changes.len() => " and ",
                _ => ", ",
            };
            let wanted = taken.set.values_named(kind);
            let _ = write!(sentence, "{separator}{} {wanted}", kind_name(nearest.version, kind));
        }
    }
    let own = taken.how == How::Accepted && taken.other == view.attempt.initiator.ip();
    Some(NearestMiss {
        changes: changes.len(),
        accepted_before: own && changes.is_empty() && taken.at < view.attempt.first,
        sentence,
        frame: taken.frame,
    })
}

/// What was offered, set by set, the first few of them.
pub(super) fn offer(attempt: &Attempt) -> Option<String> {
    let sets = sets(attempt.version, &attempt.offered, OFFERED);
    if sets.is_empty() {
        return None;
    }
    let mut text = sets.iter().take(SETS_NAMED).map(Set::name).collect::<Vec<_>>().join("; ");
    if sets.len() > SETS_NAMED {
        let _ = write!(text, "; and {} more", sets.len() - SETS_NAMED);
    }
    Some(text)
}

/// Everything that the responder of `refused` showed it would take: in other attempts of the pair and of other pairs.
fn known(case: &Case<'_>, refused: &Attempt) -> Vec<Known> {
    let (responder, version) = (refused.responder.ip(), refused.version);
    let mut known: Vec<Known> = Vec::new();
    learn(case.pair, responder, version, KNOWN, &mut known);
    let elsewhere = case.survey.shown(case.facts, responder, version, || in_all_pairs(case, responder, version));
    // What this pair showed is in `elsewhere` too, and stands in `known` already, unless that is full.
    for shown in elsewhere.iter() {
        if known.len() < KNOWN && !known.iter().any(|known| known.set == shown.set) {
            known.push(shown.clone());
        }
    }
    known
}

/// What `responder` showed in the first pairs, enough of it for any of them: twice what one looks at, because all that one
/// looks at may be its own.
fn in_all_pairs(case: &Case<'_>, responder: IpAddr, version: IkeVersion) -> Vec<Known> {
    let mut known = Vec::new();
    for pair in case.survey.pairs_of(case.facts, responder).filter_map(|index| case.facts.pairs.get(index)) {
        if !learn(&pair, responder, version, 2 * KNOWN, &mut known) {
            break;
        }
    }
    known
}

/// Adds what the attempts of a pair show that `responder` takes, up to `most` sets. Answers whether there is room for more.
fn learn(pair: &Pair, responder: IpAddr, version: IkeVersion, most: usize, known: &mut Vec<Known>) -> bool {
    for attempt in pair.attempts.iter().take(ATTEMPTS).filter(|attempt| attempt.version == version) {
        let (how, other, proposals) = if attempt.responder.ip() == responder {
            (How::Accepted, attempt.initiator.ip(), attempt.choice())
        } else if attempt.initiator.ip() == responder {
            (How::Offered, attempt.responder.ip(), &attempt.offered[..])
        } else {
            continue;
        };
        for set in sets(attempt.version, proposals, KNOWN) {
            if known.len() >= most {
                return false;
            }
            if !known.iter().any(|known| known.set == set) {
                known.push(Known { set, how, other, frame: attempt.first_frame, at: attempt.first });
            }
        }
    }
    true
}

fn sets(version: IkeVersion, proposals: &[ProposalFact], most: usize) -> Vec<Set> {
    match version {
        IkeVersion::V1 => {
            proposals.iter().flat_map(|proposal| &proposal.transforms).take(most).map(Set::of_v1_transform).collect()
        }
        IkeVersion::V2 => proposals.iter().take(most).map(Set::of_v2_proposal).collect(),
    }
}

/// Kinds of which no value is on both sides.
fn differences(offer: &Set, taken: &Set) -> Vec<u16> {
    let mut kinds: Vec<u16> = offer.kinds.iter().chain(&taken.kinds).map(|(kind, _)| *kind).collect();
    kinds.sort_unstable();
    kinds.dedup();
    kinds.retain(|&kind| !offer.values(kind).iter().any(|value| taken.values(kind).contains(value)));
    kinds
}

/// Not offering a kind of algorithm is the same as offering its NONE.
const ABSENT: &[Value] = &[(0, None)];

impl Set {
    fn of_v1_transform(transform: &TransformFact) -> Self {
        let kinds = V1_KINDS
            .iter()
            .filter_map(|&kind| {
                let key_length = if kind == V1_ENCRYPTION { transform.attribute(KEY_LENGTH) } else { None };
                Some((kind, vec![(transform.attribute(kind)?, key_length)]))
            })
            .collect();
        Self { version: IkeVersion::V1, kinds }
    }

    fn of_v2_proposal(proposal: &ProposalFact) -> Self {
        let mut kinds: Vec<(u16, Vec<Value>)> = Vec::new();
        for transform in &proposal.transforms {
            let kind = u16::from(transform.transform_type);
            let value = (u64::from(transform.transform_id), transform.attribute(KEY_LENGTH));
            match kinds.iter_mut().find(|(known, _)| *known == kind) {
                Some((_, values)) => values.push(value),
                None => kinds.push((kind, vec![value])),
            }
        }
        kinds.sort_by_key(|(kind, _)| u8::try_from(*kind).map_or(u8::MAX, registry::transform_type_order));
        Self { version: IkeVersion::V2, kinds }
    }

    fn values(&self, kind: u16) -> &[Value] {
        self.kinds.iter().find(|(known, _)| *known == kind).map_or(ABSENT, |(_, values)| values)
    }

    fn values_named(&self, kind: u16) -> String {
        let values = self.values(kind);
        let mut names: Vec<String> =
            values.iter().take(VALUES_NAMED).map(|&value| value_name(self.version, kind, value)).collect();
        if values.len() > VALUES_NAMED {
            names.push("…".into());
        }
        names.join("/")
    }

    fn name(&self) -> String {
        self.kinds.iter().map(|(kind, _)| self.values_named(*kind)).collect::<Vec<_>>().join(" ")
    }
}

fn value_name(version: IkeVersion, kind: u16, (id, key_length): Value) -> String {
    let name = match version {
        IkeVersion::V1 => registry::short_v1_value(kind, id),
        IkeVersion::V2 => u8::try_from(kind)
            .ok()
            .zip(u16::try_from(id).ok())
            .and_then(|(kind, id)| registry::short_v2_transform(kind, id)),
    };
    let name = match name {
        Some(name) => name.to_owned(),
        None if id == 0 => "none".to_owned(),
        None => format!("{} {id}", kind_name(version, kind)),
    };
    match key_length {
        Some(bits) => format!("{name}-{bits}"),
        None => name,
    }
}

fn kind_name(version: IkeVersion, kind: u16) -> &'static str {
    match (version, kind) {
        (_, 1) => "encryption",
        (IkeVersion::V1, 2) => "hash",
        (IkeVersion::V1, 3) => "authentication method",
        (_, 4) => "group",
        (IkeVersion::V2, 2) => "PRF",
        (IkeVersion::V2, 3) => "integrity",
        (IkeVersion::V2, 6..=12) => "additional key exchange",
        _ => "transform",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::AttributeFact;

    fn attribute(attribute_type: u16, number: u64) -> AttributeFact {
        AttributeFact { attribute_type, number: Some(number), octets: None }
    }

    fn v1(values: [u64; 5]) -> Set {
        let [encryption, bits, hash, method, group] = values;
        Set::of_v1_transform(&TransformFact {
            number: 1,
            transform_type: 0,
            transform_id: 1,
            attributes: vec![
                attribute(1, encryption),
                attribute(14, bits),
                attribute(2, hash),
                attribute(3, method),
                attribute(4, group),
            ],
        })
    }

    fn v2(transforms: &[(u8, u16, Option<u64>)]) -> Set {
        Set::of_v2_proposal(&ProposalFact {
            number: 1,
            protocol_id: 1,
            spi: Box::default(),
            transforms: transforms
                .iter()
                .map(|&(transform_type, transform_id, bits)| TransformFact {
                    number: 0,
                    transform_type,
                    transform_id,
                    attributes: bits.map(|bits| attribute(14, bits)).into_iter().collect(),
                })
                .collect(),
        })
    }

    #[test]
    fn a_key_length_alone_is_a_difference_in_encryption() {
        let one = v1([7, 256, 4, 1, 14]);
        let other = v1([7, 128, 4, 1, 14]);
        assert_eq!(differences(&one, &other), [1]);
        assert_eq!(differences(&one, &one), [0_u16; 0]);
        assert_eq!(one.name(), "AES-CBC-256 SHA2-256 PSK MODP-2048");
    }

    #[test]
    fn one_common_value_of_each_kind_is_enough_in_v2() {
        let offer =
            v2(&[(1, 12, Some(256)), (1, 12, Some(128)), (2, 5, None), (3, 12, None), (4, 14, None), (4, 19, None)]);
        let taken = v2(&[(1, 12, Some(128)), (2, 5, None), (3, 12, None), (4, 19, None)]);
        assert!(differences(&offer, &taken).is_empty());
        let narrow = v2(&[(1, 12, Some(128)), (2, 5, None), (3, 12, None), (4, 20, None)]);
        assert_eq!(differences(&offer, &narrow), [4]);
    }

    #[test]
    fn algorithms_stand_in_the_order_of_every_list_of_them() {
        let sent = v2(&[(3, 12, None), (1, 12, Some(128)), (4, 14, None), (2, 5, None)]);
        assert_eq!(sent.name(), "AES-CBC-128 SHA2-256-128 PRF-SHA2-256 MODP-2048");
    }

    /// RFC 5282 §8: an AEAD proposal has no integrity transform, or one that says NONE.
    #[test]
    fn no_integrity_is_integrity_none() {
        let absent = v2(&[(1, 20, Some(256)), (2, 5, None), (4, 19, None)]);
        let none = v2(&[(1, 20, Some(256)), (2, 5, None), (3, 0, None), (4, 19, None)]);
        assert!(differences(&absent, &none).is_empty());
        let cbc = v2(&[(1, 12, Some(256)), (2, 5, None), (3, 12, None), (4, 19, None)]);
        assert_eq!(differences(&absent, &cbc), [1, 3]);
    }
}
