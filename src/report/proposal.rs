//! Proposals in words: every code point with the RFC's name, and a short line as engineers write it in a configuration.

use std::fmt::Write as _;

use crate::isakmp::registry;
use crate::track::{AttributeFact, ProposalFact, TransformFact};

use super::model::{Attribute, AttributeValue, Proposal, Transform};

/// Phase 1 attributes of IKEv1 (RFC 2409 appendix A).
mod phase1 {
    pub const ENCRYPTION: u16 = 1;
    pub const HASH: u16 = 2;
    pub const AUTHENTICATION: u16 = 3;
    pub const GROUP: u16 = 4;
    pub const LIFE_TYPE: u16 = 11;
    pub const LIFE_DURATION: u16 = 12;
    pub const KEY_LENGTH: u16 = 14;
}

/// Attributes of the IPsec DOI (RFC 2407 §4.5).
mod phase2 {
    pub const LIFE_TYPE: u16 = 1;
    pub const LIFE_DURATION: u16 = 2;
    pub const GROUP: u16 = 3;
    pub const AUTHENTICATION: u16 = 5;
    pub const KEY_LENGTH: u16 = 6;
}

const V2_KEY_LENGTH: u16 = 14;
const ISAKMP: u8 = 1;

/// The row of a proposal of IKE version `major`.
pub fn proposal(major: u8, fact: &ProposalFact) -> Proposal {
    Proposal {
        number: fact.number,
        protocol_id: fact.protocol_id,
        protocol: registry::protocol_name(major, fact.protocol_id),
        spi: hex::encode(&fact.spi),
        transforms: fact.transforms.iter().map(|part| transform(major, fact.protocol_id, part)).collect(),
        text: proposal_text(major, fact),
    }
}

/// A proposal in one line. IKEv1: its transforms, `AES-CBC-256 SHA2-256 PSK MODP-2048 · …`; IKEv2: its algorithms by
/// type, alternatives joined by a slash, `AES-CBC-256/AES-CBC-128 SHA2-256-128 PRF-SHA2-256 MODP-2048`.
pub fn proposal_text(major: u8, fact: &ProposalFact) -> String {
    if major == 1 {
        let lines: Vec<String> = fact.transforms.iter().map(|part| v1_text(fact.protocol_id, part)).collect();
        return lines.join(" · ");
    }
    let mut text = String::new();
    let mut previous_type = None;
    // Stable, so that each type keeps the order of preference that its sender gave it.
    let mut parts: Vec<&TransformFact> = fact.transforms.iter().collect();
    parts.sort_by_key(|part| registry::transform_type_order(part.transform_type));
    for part in parts {
        let same_type = previous_type == Some(part.transform_type);
        if previous_type.is_some() {
            text.push(if same_type { '/' } else { ' ' });
        }
        text.push_str(&v2_text(part));
        previous_type = Some(part.transform_type);
    }
    text
}

fn transform(major: u8, protocol_id: u8, fact: &TransformFact) -> Transform {
    let v1 = major == 1;
    Transform {
        number: v1.then_some(fact.number),
        transform_type: (!v1).then_some(fact.transform_type),
        type_name: if v1 { None } else { registry::transform_type_name(fact.transform_type) },
        transform_id: fact.transform_id,
        name: match v1 {
            true => registry::v1_transform_id_name(protocol_id, fact.transform_id),
            false => registry::transform_id_name(fact.transform_type, fact.transform_id),
        },
        attributes: fact.attributes.iter().map(|part| attribute(v1, protocol_id, part)).collect(),
        text: if v1 { v1_text(protocol_id, fact) } else { v2_text(fact) },
    }
}

fn attribute(v1: bool, protocol_id: u8, fact: &AttributeFact) -> Attribute {
    Attribute {
        attribute_type: fact.attribute_type,
        name: match v1 {
            true => registry::v1_attribute_name(protocol_id, fact.attribute_type),
            false => registry::v2_attribute_name(fact.attribute_type),
        },
        value: match (fact.number, &fact.octets) {
            (Some(number), _) => AttributeValue::Number(number),
            (None, octets) => AttributeValue::Octets(octets.as_deref().map(hex::encode).unwrap_or_default()),
        },
        value_name: match fact.number {
            Some(number) if v1 => registry::v1_attribute_value_name(protocol_id, fact.attribute_type, number),
            _ => None,
        },
    }
}

fn v1_text(protocol_id: u8, fact: &TransformFact) -> String {
    if protocol_id == ISAKMP { phase1_text(fact) } else { phase2_text(protocol_id, fact) }
}

fn phase1_text(fact: &TransformFact) -> String {
    let mut words = Vec::new();
    let named = |kind: u16, value: u64| registry::v1_attribute_value_name(ISAKMP, kind, value);
    if let Some(value) = fact.attribute(phase1::ENCRYPTION) {
        let name = named(phase1::ENCRYPTION, value).map_or_else(|| format!("encryption {value}"), short);
        words.push(with_key_length(name, fact.attribute(phase1::KEY_LENGTH)));
    }
    if let Some(value) = fact.attribute(phase1::HASH) {
        let name = match value {
            2 => "SHA1".into(),
            _ => named(phase1::HASH, value).map_or_else(|| format!("hash {value}"), short),
        };
        words.push(name);
    }
    if let Some(value) = fact.attribute(phase1::AUTHENTICATION) {
        words.push(auth_short(value).map_or_else(
            || named(phase1::AUTHENTICATION, value).map_or_else(|| format!("auth {value}"), short),
            String::from,
        ));
    }
    if let Some(value) = fact.attribute(phase1::GROUP) {
        words.push(group(value));
    }
    words.extend(lifetimes(fact, phase1::LIFE_TYPE, phase1::LIFE_DURATION));
    if words.is_empty() {
        words.push(format!("transform {}", fact.number));
    }
    words.join(" ")
}

fn phase2_text(protocol_id: u8, fact: &TransformFact) -> String {
    let name = registry::v1_transform_id_name(protocol_id, fact.transform_id);
    let name = name.map_or_else(|| format!("transform id {}", fact.transform_id), short);
    let mut words = vec![with_key_length(name, fact.attribute(phase2::KEY_LENGTH))];
    if let Some(value) = fact.attribute(phase2::AUTHENTICATION) {
        let name = registry::v1_attribute_value_name(protocol_id, phase2::AUTHENTICATION, value);
        words.push(name.map_or_else(|| format!("auth {value}"), short));
    }
    if let Some(value) = fact.attribute(phase2::GROUP) {
        words.push(format!("PFS {}", group(value)));
    }
    words.extend(lifetimes(fact, phase2::LIFE_TYPE, phase2::LIFE_DURATION));
    words.join(" ")
}

/// Lifetimes in the unit of configurations, so that both boxes can be compared: `28800s`, `4608000kB`.
fn lifetimes(fact: &TransformFact, life_type: u16, life_duration: u16) -> Vec<String> {
    let mut words = Vec::new();
    let mut unit = None;
    for attribute in &fact.attributes {
        if attribute.attribute_type == life_type {
            unit = attribute.number;
        } else if attribute.attribute_type == life_duration
            && let Some(duration) = attribute.number
        {
            words.push(match unit {
                Some(1) => format!("{duration}s"),
                Some(2) => format!("{duration}kB"),
                _ => format!("life {duration}"),
            });
        }
    }
    words
}

fn v2_text(fact: &TransformFact) -> String {
    let id = fact.transform_id;
    let named = || registry::transform_id_name(fact.transform_type, id);
    match fact.transform_type {
        1 => {
            let name = named().map_or_else(|| format!("ENCR {id}"), short);
            with_key_length(name, fact.attribute(V2_KEY_LENGTH))
        }
        2 => named().map_or_else(|| format!("PRF {id}"), |name| format!("PRF-{}", short(name))),
        3 if id == 0 => "no INTEG".into(),
        3 => named().map_or_else(|| format!("INTEG {id}"), short),
        4 if id == 0 => "no KE".into(),
        4 => group(u64::from(id)),
        5 => match id {
            0 => "no ESN".into(),
            1 => "ESN".into(),
            _ => named().map_or_else(|| format!("SN {id}"), short),
        },
        6..=12 if id == 0 => format!("no ADDKE{}", fact.transform_type - 5),
        6..=12 => format!("ADDKE{} {}", fact.transform_type - 5, group(u64::from(id))),
        other => {
            let kind = registry::transform_type_name(other).map_or_else(|| format!("type {other}"), String::from);
            format!("{kind} {}", named().map_or_else(|| id.to_string(), short))
        }
    }
}

/// A group or key exchange method in short: `MODP-2048`, or `group 1030` if it has no name.
pub fn group(number: u64) -> String {
    let name = u16::try_from(number).ok().and_then(registry::group_name);
    name.map_or_else(|| format!("group {number}"), String::from)
}

fn with_key_length(mut name: String, key_length: Option<u64>) -> String {
    if let Some(bits) = key_length {
        let _ = write!(name, "-{bits}");
    }
    name
}

/// `ENCR_AES_GCM_16` as people write it: `AES-GCM-16`.
fn short(name: &str) -> String {
    const PREFIXES: [&str; 8] = ["ENCR_", "PRF_HMAC_", "PRF_", "AUTH_HMAC_", "AUTH_", "ESP_", "AH_", "HMAC-"];
    let bare = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix)).unwrap_or(name);
    let bare = bare.split(" (").next().unwrap_or(bare);
    bare.replace('_', "-")
}

/// Authentication methods of IKEv1 as people write them.
const fn auth_short(method: u64) -> Option<&'static str> {
    Some(match method {
        1 => "PSK",
        2 => "DSS-SIG",
        3 => "RSA-SIG",
        4 => "RSA-ENC",
        5 => "RSA-REV-ENC",
        9 => "ECDSA-256",
        10 => "ECDSA-384",
        11 => "ECDSA-521",
        64221 => "HYBRID-RSA",
        65001 => "XAUTH-PSK",
        65005 => "XAUTH-RSA-SIG",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sample::{v1_transform, v2_transform};
    use super::*;

    fn of(protocol_id: u8, transforms: Vec<TransformFact>) -> ProposalFact {
        ProposalFact { number: 1, protocol_id, spi: Box::default(), transforms }
    }

    #[test]
    fn a_phase_1_transform_reads_like_a_policy() {
        let fact = of(1, vec![v1_transform(1, 7, Some(256), 4, 1, 14), v1_transform(2, 5, None, 2, 3, 2)]);
        assert_eq!(
            proposal_text(1, &fact),
            "AES-CBC-256 SHA2-256 PSK MODP-2048 28800s · 3DES-CBC SHA1 RSA-SIG MODP-1024 28800s"
        );
    }

    #[test]
    fn an_ikev2_proposal_joins_alternatives_of_one_type() {
        let fact = of(
            1,
            vec![
                v2_transform(1, 12, Some(256)),
                v2_transform(1, 12, Some(128)),
                v2_transform(2, 5, None),
                v2_transform(3, 12, None),
                v2_transform(4, 14, None),
                v2_transform(4, 31, None),
            ],
        );
        assert_eq!(proposal_text(2, &fact), "AES-CBC-256/AES-CBC-128 SHA2-256-128 PRF-SHA2-256 MODP-2048/Curve25519");
    }

    #[test]
    fn numbers_without_a_name_stay_numbers() {
        let fact = of(1, vec![v2_transform(1, 60_000, None), v2_transform(4, 60_001, None), v2_transform(77, 3, None)]);
        assert_eq!(proposal_text(2, &fact), "ENCR 60000 group 60001 type 77 3");
        assert_eq!(proposal(2, &fact).transforms[0].name, None);
    }

    #[test]
    fn names_in_the_rows_are_the_rfcs() {
        let row = proposal(2, &of(1, vec![v2_transform(1, 12, Some(256))]));
        assert_eq!((row.transforms[0].type_name, row.transforms[0].name), (Some("ENCR"), Some("ENCR_AES_CBC")));
        assert_eq!(row.transforms[0].attributes[0].name, Some("Key Length"));
        let row = proposal(1, &of(1, vec![v1_transform(1, 7, Some(256), 4, 1, 14)]));
        assert_eq!(row.transforms[0].number, Some(1));
        assert_eq!(row.transforms[0].attributes[0].value_name, Some("AES-CBC"));
    }
}
