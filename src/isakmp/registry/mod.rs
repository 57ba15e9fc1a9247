//! Code points: number, name and reference of everything the registries name.
//!
//! Lookups answer `None` for a number without a name: the number itself is what is printed then. IKEv1 names
//! keep RFC 2407/2408/2409's spelling (`NO-PROPOSAL-CHOSEN`), IKEv2 names RFC 7296's (`NO_PROPOSAL_CHOSEN`).
//!
//! One file a registry, one row a code point; a new one is a new row, and rows out of order do not compile. Numbers
//! that a registry only reserves have no row. Lookups neither allocate nor fail, whatever the number.
//! [`registries`] walks through all rows with their references.

mod auth_method;
mod cert_encoding;
mod code_point;
mod config;
mod exchange;
mod group;
mod id_type;
mod notify;
mod payload;
mod phase1;
mod phase2;
mod protocol;
mod v1_transform;
mod v2_transform;
mod v2_value;
mod vendor_id;

pub use code_point::{CodePoint, Registry};
pub use group::{GROUPS, Group};
pub use vendor_id::{VendorId, announces_nat_t, vendor_id, vendor_id_label, vendor_id_origin, vendor_id_version};

/// Every registry, for lists and documentation. Groups have lengths as well and stand apart, in [`GROUPS`].
pub fn registries() -> &'static [&'static Registry] {
    ALL
}

static ALL: &[&Registry] = &[
    &exchange::V1,
    &exchange::V2,
    &payload::V1,
    &payload::V2,
    &notify::V1,
    &notify::V2,
    &protocol::V1,
    &protocol::V2,
    &id_type::V1,
    &id_type::V2,
    &cert_encoding::V1,
    &cert_encoding::V2,
    &phase1::ATTRIBUTES,
    &phase1::ENCRYPTION,
    &phase1::HASH,
    &phase1::AUTHENTICATION,
    &phase1::GROUP_TYPE,
    &phase1::LIFE_TYPE,
    &phase2::ATTRIBUTES,
    &phase2::LIFE_TYPE,
    &phase2::ENCAPSULATION,
    &phase2::AUTHENTICATION,
    &phase2::ECN_TUNNEL,
    &phase2::EXTENDED_SEQUENCE,
    &phase2::SIGNATURE_ENCODING,
    &phase2::ADDRESS_PRESERVATION,
    &phase2::SA_DIRECTION,
    &v1_transform::ISAKMP,
    &v1_transform::AH,
    &v1_transform::ESP,
    &v1_transform::IPCOMP,
    &v2_transform::TYPES,
    &v2_transform::ENCR,
    &v2_transform::PRF,
    &v2_transform::INTEG,
    &v2_transform::SN,
    &v2_transform::KWA,
    &v2_transform::GCAUTH,
    &v2_transform::ATTRIBUTES,
    &auth_method::V2,
    &config::TYPES_V1,
    &config::TYPES_V2,
    &config::ATTRIBUTES_V1,
    &config::ATTRIBUTES_V2,
    &config::XAUTH_TYPES,
    &v2_value::TRAFFIC_SELECTOR,
    &v2_value::GATEWAY_IDENTITY,
    &v2_value::SECURE_PASSWORD,
    &v2_value::HASH,
    &v2_value::PPK_ID,
    &v2_value::IPCOMP_TRANSFORM,
    &v2_value::ROHC_ATTRIBUTE,
    &v2_value::GSA_ATTRIBUTE,
    &v2_value::GWP_ATTRIBUTE,
    &v2_value::MEMBER_KEY_BAG,
];

/// The registry of a major version; there is none for a version that nobody specified.
fn of(major: u8, v1: &'static Registry, v2: &'static Registry) -> Option<&'static Registry> {
    match major {
        1 => Some(v1),
        2 => Some(v2),
        _ => None,
    }
}

/// Name of an exchange type: `"Identity Protection"` (v1 2), `"IKE_SA_INIT"` (v2 34).
pub fn exchange_name(major: u8, exchange_type: u8) -> Option<&'static str> {
    of(major, &exchange::V1, &exchange::V2)?.name(exchange_type.into())
}

/// Name of a payload type, in full: `"Security Association"`, `"Encrypted and Authenticated Fragment"`.
pub fn payload_name(major: u8, payload_type: u8) -> Option<&'static str> {
    of(major, &payload::V1, &payload::V2)?.name(payload_type.into())
}

/// Short notation of a payload type as the RFCs write it in diagrams: `"SA"`, `"KE"`, `"NAT-D"`, `"SKF"`.
pub fn payload_notation(major: u8, payload_type: u8) -> Option<&'static str> {
    of(major, &payload::V1, &payload::V2)?.short(payload_type.into())
}

/// Name of a notify message type.
pub fn notify_name(major: u8, notify_message_type: u16) -> Option<&'static str> {
    of(major, &notify::V1, &notify::V2)?.name(notify_message_type)
}

/// Whether a notify message type stands for an error rather than a status.
pub fn notify_is_error(major: u8, notify_message_type: u16) -> bool {
    matches!(major, 1 | 2) && (1..notify::FIRST_STATUS).contains(&notify_message_type)
}

/// Name of a protocol id: `"ISAKMP"`/`"IKE"`, `"AH"`, `"ESP"`, `"IPCOMP"`.
pub fn protocol_name(major: u8, protocol_id: u8) -> Option<&'static str> {
    of(major, &protocol::V1, &protocol::V2)?.short(protocol_id.into())
}

/// Name of an identification type: `"ID_IPV4_ADDR"`.
pub fn id_type_name(major: u8, id_type: u8) -> Option<&'static str> {
    of(major, &id_type::V1, &id_type::V2)?.name(id_type.into())
}

/// Name of a certificate encoding.
pub fn cert_encoding_name(major: u8, encoding: u8) -> Option<&'static str> {
    of(major, &cert_encoding::V1, &cert_encoding::V2)?.name(encoding.into())
}

/// Name of a v2 transform type, short: `"ENCR"`, `"PRF"`, `"INTEG"`, `"KE"`, `"SN"`, `"ADDKE1"`.
pub fn transform_type_name(transform_type: u8) -> Option<&'static str> {
    v2_transform::TYPES.short(transform_type.into())
}

/// Place of a v2 transform type where algorithms are listed: encryption, integrity, PRF, key exchange, then the rest by number.
pub const fn transform_type_order(transform_type: u8) -> u8 {
    match transform_type {
        1 => 0,
        3 => 1,
        2 => 2,
        4 => 3,
        other => other,
    }
}

/// Name of a v2 transform id within its type: `(1, 12)` is `"ENCR_AES_CBC"`.
pub fn transform_id_name(transform_type: u8, transform_id: u16) -> Option<&'static str> {
    match transform_type {
        4 | 6..=12 => group::get(transform_id)?.v2_name,
        _ => v2_transform_ids(transform_type)?.name(transform_id),
    }
}

/// Name of a v1 transform id within its protocol: `(3, 12)` is `"ESP_AES-CBC"`.
pub fn v1_transform_id_name(protocol_id: u8, transform_id: u16) -> Option<&'static str> {
    match protocol_id {
        1 => &v1_transform::ISAKMP,
        2 => &v1_transform::AH,
        3 => &v1_transform::ESP,
        4 => &v1_transform::IPCOMP,
        _ => return None,
    }
    .name(transform_id)
}

/// Name of a v1 attribute type; `protocol_id` 1 means phase 1 attributes, any other the IPsec DOI's.
pub fn v1_attribute_name(protocol_id: u8, attribute_type: u16) -> Option<&'static str> {
    let attributes = if protocol_id == 1 { &phase1::ATTRIBUTES } else { &phase2::ATTRIBUTES };
    attributes.name(attribute_type)
}

/// Name of a v1 attribute's value: `(1, 1, 7)` is `"AES-CBC"`.
pub fn v1_attribute_value_name(protocol_id: u8, attribute_type: u16, value: u64) -> Option<&'static str> {
    let value = u16::try_from(value).ok()?;
    match (protocol_id, attribute_type) {
        (1, 4) => group::get(value)?.v1_name,
        (1, _) => phase1_values(attribute_type)?.name(value),
        (_, 3) => group::get(value)?.v1_name,
        (_, _) => phase2_values(attribute_type)?.name(value),
    }
}

/// Name of a v2 transform attribute type: 14 is `"Key Length"`.
pub fn v2_attribute_name(attribute_type: u16) -> Option<&'static str> {
    v2_transform::ATTRIBUTES.name(attribute_type)
}

/// Name of a v2 authentication method.
pub fn auth_method_name(method: u8) -> Option<&'static str> {
    auth_method::V2.name(method.into())
}

/// Name of a configuration attribute (v1 Mode Config and XAUTH, v2 CP).
pub fn config_attribute_name(major: u8, attribute_type: u16) -> Option<&'static str> {
    of(major, &config::ATTRIBUTES_V1, &config::ATTRIBUTES_V2)?.name(attribute_type)
}

/// Name of a configuration type: v1 `"ISAKMP_CFG_REQUEST"`, v2 `"CFG_REQUEST"`.
pub fn cfg_type_name(major: u8, cfg_type: u8) -> Option<&'static str> {
    of(major, &config::TYPES_V1, &config::TYPES_V2)?.name(cfg_type.into())
}

/// Short, common name of a Diffie-Hellman group or key exchange method, the same for both versions:
/// 14 is `"MODP-2048"`, 19 is `"ECP-256"`, 31 is `"Curve25519"`.
pub fn group_name(group: u16) -> Option<&'static str> {
    group::get(group).map(|row| row.name)
}

/// Octets of the public value of a group (KE data), where the group fixes it and both sides send the same length.
pub fn group_public_len(group: u16) -> Option<u16> {
    let (initiator, responder) = group_public_lens(group)?;
    (initiator == responder).then_some(initiator)
}

/// Octets of the initiator's and of the responder's public value of a group, where the group fixes them.
pub fn group_public_lens(group: u16) -> Option<(u16, u16)> {
    group::get(group)?.public_lens
}

/// Short name of a phase 1 attribute's value, for a proposal in one line: `(1, 7)` is `"AES-CBC"`, `(2, 2)` is
/// `"SHA1"`, `(3, 1)` is `"PSK"`, `(4, 14)` is `"MODP-2048"`. XAUTH and hybrid methods where the responder is
/// the one to be asked end in `"-RESP"`.
pub fn short_v1_value(attribute_type: u16, value: u64) -> Option<&'static str> {
    let value = u16::try_from(value).ok()?;
    match attribute_type {
        4 => group_name(value),
        _ => phase1_values(attribute_type)?.short(value),
    }
}

/// Short name of a v2 transform, for a proposal in one line: `(1, 12)` is `"AES-CBC"`, `(2, 5)` is `"PRF-SHA2-256"`,
/// `(3, 12)` is `"SHA2-256-128"`, `(4, 19)` is `"ECP-256"`.
pub fn short_v2_transform(transform_type: u8, transform_id: u16) -> Option<&'static str> {
    match transform_type {
        4 | 6..=12 => group_name(transform_id),
        _ => v2_transform_ids(transform_type)?.short(transform_id),
    }
}

/// Name of a traffic selector type: 7 is `"TS_IPV4_ADDR_RANGE"`.
pub fn traffic_selector_type_name(ts_type: u8) -> Option<&'static str> {
    v2_value::TRAFFIC_SELECTOR.name(ts_type.into())
}

/// Name of a hash in SIGNATURE_HASH_ALGORITHMS: 2 is `"SHA2-256"`.
pub fn hash_algorithm_name(hash: u16) -> Option<&'static str> {
    v2_value::HASH.name(hash)
}

/// Name of a method in SECURE_PASSWORD_METHODS.
pub fn secure_password_method_name(method: u16) -> Option<&'static str> {
    v2_value::SECURE_PASSWORD.name(method)
}

/// Values of a phase 1 attribute, groups left out.
fn phase1_values(attribute_type: u16) -> Option<&'static Registry> {
    Some(match attribute_type {
        1 => &phase1::ENCRYPTION,
        2 => &phase1::HASH,
        3 => &phase1::AUTHENTICATION,
        5 => &phase1::GROUP_TYPE,
        11 => &phase1::LIFE_TYPE,
        _ => return None,
    })
}

/// Values of a phase 2 attribute, groups left out.
fn phase2_values(attribute_type: u16) -> Option<&'static Registry> {
    Some(match attribute_type {
        1 => &phase2::LIFE_TYPE,
        4 => &phase2::ENCAPSULATION,
        5 => &phase2::AUTHENTICATION,
        10 => &phase2::ECN_TUNNEL,
        11 => &phase2::EXTENDED_SEQUENCE,
        13 => &phase2::SIGNATURE_ENCODING,
        14 => &phase2::ADDRESS_PRESERVATION,
        15 => &phase2::SA_DIRECTION,
        _ => return None,
    })
}

/// Transform ids of a v2 transform type, key exchange methods left out.
fn v2_transform_ids(transform_type: u8) -> Option<&'static Registry> {
    Some(match transform_type {
        1 => &v2_transform::ENCR,
        2 => &v2_transform::PRF,
        3 => &v2_transform::INTEG,
        5 => &v2_transform::SN,
        13 => &v2_transform::KWA,
        14 => &v2_transform::GCAUTH,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_found_again() {
        for registry in registries() {
            for row in registry.rows() {
                assert_eq!(registry.get(row.number), Some(row), "{} {}", registry.title(), row.number);
                assert!(!row.name.is_empty() && !row.short.is_empty() && !row.reference.is_empty(), "{row:?}");
            }
        }
        for row in GROUPS {
            assert_eq!(group_name(row.number), Some(row.name));
        }
    }

    #[test]
    fn titles_are_distinct() {
        let mut titles: Vec<_> = registries().iter().map(|registry| registry.title()).collect();
        let all = titles.len();
        titles.sort_unstable();
        titles.dedup();
        assert_eq!(titles.len(), all);
    }

    #[test]
    fn any_number_gets_an_answer() {
        for number in 0..=u16::MAX {
            let (low, wide) = (number as u8, u64::from(number) << 20);
            for major in [0, 1, 2, 15] {
                let _ = (exchange_name(major, low), payload_notation(major, low), notify_name(major, number));
            }
            for kind in [0, 1, 4, 6, 12, 255] {
                let _ = (transform_id_name(kind, number), short_v2_transform(kind, number));
                let _ = (v1_transform_id_name(kind, number), v1_attribute_value_name(kind, number, wide));
            }
            let _ = (short_v1_value(number, wide), group_public_lens(number));
        }
        assert_eq!(short_v1_value(1, 7 + (1 << 16)), None, "a value is not cut to the width of the registry");
    }

    #[test]
    fn versions_number_differently() {
        assert_eq!(exchange_name(1, 2), Some("Identity Protection"));
        assert_eq!(exchange_name(1, 32), Some("Quick Mode"));
        assert_eq!(exchange_name(1, 34), None);
        assert_eq!(exchange_name(2, 34), Some("IKE_SA_INIT"));
        assert_eq!(exchange_name(2, 2), None);
        assert_eq!(exchange_name(3, 34), None);
        assert_eq!((payload_name(1, 4), payload_name(2, 34)), (Some("Key Exchange"), Some("Key Exchange")));
        assert_eq!(payload_name(2, 53), Some("Encrypted and Authenticated Fragment"));
    }

    #[test]
    fn payloads_are_noted_as_in_the_rfcs() {
        // RFC 2408 §2.5.1, RFC 3947 §3.2, RFC 6407 §4.
        let v1 = [
            (1, "SA"),
            (7, "CR"),
            (10, "NONCE"),
            (13, "VID"),
            (15, "SAK"),
            (20, "NAT-D"),
            (21, "NAT-OA"),
            (130, "NAT-D"),
        ];
        // RFC 7296 §1.2, RFC 7383 §2.5.
        let v2 = [(33, "SA"), (35, "IDi"), (38, "CERTREQ"), (40, "Nonce"), (45, "TSr"), (46, "SK"), (53, "SKF")];
        for (payload_type, notation) in v1 {
            assert_eq!(payload_notation(1, payload_type), Some(notation));
        }
        for (payload_type, notation) in v2 {
            assert_eq!(payload_notation(2, payload_type), Some(notation));
        }
    }

    #[test]
    fn notifies_are_errors_below_16384() {
        // RFC 2408 §3.14.1, RFC 2407 §4.6.3, RFC 3706 §5.3.
        assert_eq!((notify_name(1, 14), notify_is_error(1, 14)), (Some("NO-PROPOSAL-CHOSEN"), true));
        assert_eq!((notify_name(1, 24578), notify_is_error(1, 24578)), (Some("INITIAL-CONTACT"), false));
        assert_eq!((notify_name(1, 36136), notify_is_error(1, 36136)), (Some("R-U-THERE"), false));
        // RFC 7296 §3.10.1.
        assert_eq!((notify_name(2, 14), notify_is_error(2, 14)), (Some("NO_PROPOSAL_CHOSEN"), true));
        assert_eq!((notify_name(2, 38), notify_is_error(2, 38)), (Some("TS_UNACCEPTABLE"), true));
        assert_eq!((notify_name(2, 16388), notify_is_error(2, 16388)), (Some("NAT_DETECTION_SOURCE_IP"), false));
        assert_eq!((notify_name(2, 15), notify_is_error(2, 16383)), (None, true));
        assert!(!notify_is_error(1, 0));
    }

    #[test]
    fn algorithms_have_long_and_short_names() {
        // RFC 2409 Appendix A, RFC 2407 §4.4.4 and §4.5.
        assert_eq!(v1_attribute_name(1, 3), Some("Authentication Method"));
        assert_eq!(v1_attribute_name(3, 4), Some("Encapsulation Mode"));
        assert_eq!(v1_attribute_value_name(1, 2, 2), Some("SHA"));
        assert_eq!(v1_attribute_value_name(1, 4, 2), Some("alternate 1024-bit MODP group"));
        assert_eq!(v1_attribute_value_name(3, 4, 3), Some("UDP-Encapsulated-Tunnel"));
        assert_eq!(v1_transform_id_name(3, 12), Some("ESP_AES-CBC"));
        assert_eq!(
            [(1, 5), (2, 2), (3, 1), (3, 65001), (4, 14)].map(|(kind, value)| short_v1_value(kind, value).unwrap()),
            ["3DES-CBC", "SHA1", "PSK", "XAUTH-PSK", "MODP-2048"]
        );
        // RFC 7296 §3.3.2, RFC 4868 §4, RFC 5282 §10.
        assert_eq!(transform_id_name(1, 12), Some("ENCR_AES_CBC"));
        assert_eq!(transform_id_name(7, 36), Some("ml-kem-768"));
        assert_eq!(transform_id_name(4, 3), None, "IKEv2 reserves what IKEv1 used");
        assert_eq!(transform_type_name(6), Some("ADDKE1"));
        assert_eq!(v2_attribute_name(14), Some("Key Length"));
        assert_eq!(
            [(1, 20), (2, 5), (3, 12), (4, 31), (5, 1)].map(|(kind, id)| short_v2_transform(kind, id).unwrap()),
            ["AES-GCM-16", "PRF-SHA2-256", "SHA2-256-128", "Curve25519", "ESN"]
        );
    }

    #[test]
    fn groups_fix_the_length_of_public_values() {
        // RFC 2409 §6.2, RFC 3526 §3, RFC 5903 §7, RFC 8031 §2, FIPS 203 §8.
        let lengths =
            [(2, Some(128)), (14, Some(256)), (19, Some(64)), (21, Some(132)), (31, Some(32)), (36, None), (6, None)];
        for (group, length) in lengths {
            assert_eq!(group_public_len(group), length, "group {group}");
        }
        assert_eq!(group_public_lens(36), Some((1184, 1088)));
        for row in GROUPS.iter().filter(|row| row.name.starts_with("MODP-") && row.number < 1024) {
            let bits: u16 = row.name.split('-').nth(1).unwrap().parse().unwrap();
            assert_eq!(row.public_lens, Some((bits / 8, bits / 8)), "{}", row.name);
        }
    }

    #[test]
    fn other_values_are_named() {
        assert_eq!(protocol_name(1, 3), Some("ESP"));
        assert_eq!((protocol_name(1, 1), protocol_name(2, 1)), (Some("ISAKMP"), Some("IKE")));
        assert_eq!((id_type_name(1, 3), id_type_name(2, 3)), (Some("ID_USER_FQDN"), Some("ID_RFC822_ADDR")));
        assert_eq!(cert_encoding_name(2, 4), Some("X.509 Certificate - Signature"));
        assert_eq!(auth_method_name(2), Some("Shared Key Message Integrity Code"));
        assert_eq!(config_attribute_name(1, 16521), Some("XAUTH_USER_NAME"));
        assert_eq!((cfg_type_name(1, 1), cfg_type_name(2, 1)), (Some("ISAKMP_CFG_REQUEST"), Some("CFG_REQUEST")));
        assert_eq!(traffic_selector_type_name(7), Some("TS_IPV4_ADDR_RANGE"));
        assert_eq!(hash_algorithm_name(2), Some("SHA2-256"));
    }
}
