//! Attributes of IKEv1 phase 2 (IPsec DOI) transforms and their values.
//!
//! Sources: RFC 2407 §4.5 and IANA "IPSEC Security Association Attributes" with its value registries; private numbers as
//! their owners published them. Groups have their own table, see `group`.

use super::code_point::{Registry, point};

/// Attribute types.
pub static ATTRIBUTES: Registry = Registry::new(
    "IPsec DOI SA attributes",
    &[
        point(1, "SA Life Type", "RFC 2407"),
        point(2, "SA Life Duration", "RFC 2407"),
        point(3, "Group Description", "RFC 2407"),
        point(4, "Encapsulation Mode", "RFC 2407"),
        point(5, "Authentication Algorithm", "RFC 2407"),
        point(6, "Key Length", "RFC 2407"),
        point(7, "Key Rounds", "RFC 2407"),
        point(8, "Compress Dictionary Size", "RFC 2407"),
        point(9, "Compress Private Algorithm", "RFC 2407"),
        point(10, "ECN Tunnel", "RFC 3168"),
        point(11, "Extended (64-bit) Sequence Number", "RFC 4304"),
        point(12, "Authentication Key Length", "RFC 4359"),
        point(13, "Signature Encoding Algorithm", "RFC 4359"),
        point(14, "Address Preservation", "RFC 6407"),
        point(15, "SA Direction", "RFC 6407"),
        point(32001, "Security Context", "private: libreswan"),
    ],
);

/// Values of attribute 1, SA Life Type.
pub static LIFE_TYPE: Registry =
    Registry::new("IPsec DOI SA life types", &[point(1, "seconds", "RFC 2407"), point(2, "kilobytes", "RFC 2407")]);

/// Values of attribute 4, Encapsulation Mode.
pub static ENCAPSULATION: Registry = Registry::new(
    "IPsec DOI encapsulation modes",
    &[
        point(1, "Tunnel", "RFC 2407"),
        point(2, "Transport", "RFC 2407"),
        point(3, "UDP-Encapsulated-Tunnel", "RFC 3947"),
        point(4, "UDP-Encapsulated-Transport", "RFC 3947"),
        point(61440, "UDP encapsulation (Check Point)", "private: Check Point"),
        point(61443, "UDP-Encapsulated-Tunnel (draft)", "draft-ietf-ipsec-nat-t-ike-03"),
        point(61444, "UDP-Encapsulated-Transport (draft)", "draft-ietf-ipsec-nat-t-ike-03"),
    ],
);

/// Values of attribute 5, Authentication Algorithm.
pub static AUTHENTICATION: Registry = Registry::new(
    "IPsec DOI authentication algorithms",
    &[
        point(1, "HMAC-MD5", "RFC 2407"),
        point(2, "HMAC-SHA", "RFC 2407"),
        point(3, "DES-MAC", "RFC 2407"),
        point(4, "KPDK", "RFC 2407"),
        point(5, "HMAC-SHA2-256", "IANA"),
        point(6, "HMAC-SHA2-384", "IANA"),
        point(7, "HMAC-SHA2-512", "IANA"),
        point(8, "HMAC-RIPEMD", "RFC 2857"),
        point(9, "AES-XCBC-MAC", "RFC 3566"),
        point(10, "SIG-RSA", "RFC 4359"),
        point(11, "AES-128-GMAC", "RFC 4543"),
        point(12, "AES-192-GMAC", "RFC 4543"),
        point(13, "AES-256-GMAC", "RFC 4543"),
        point(250, "AES-CMAC-96", "private"),
        point(251, "NULL", "private: KAME"),
        point(252, "HMAC-SHA2-256-96", "private: truncation of older Linux kernels"),
    ],
);

/// Values of attribute 10, ECN Tunnel.
pub static ECN_TUNNEL: Registry =
    Registry::new("IPsec DOI ECN tunnel values", &[point(1, "Allowed", "RFC 3168"), point(2, "Forbidden", "RFC 3168")]);

/// Values of attribute 11, Extended (64-bit) Sequence Number.
pub static EXTENDED_SEQUENCE: Registry =
    Registry::new("IPsec DOI extended sequence number values", &[point(1, "64-bit Sequence Number", "RFC 4304")]);

/// Values of attribute 13, Signature Encoding Algorithm.
pub static SIGNATURE_ENCODING: Registry = Registry::new(
    "IPsec DOI signature encoding algorithms",
    &[point(1, "RSASSA-PKCS1-v1_5", "RFC 4359"), point(2, "RSASSA-PSS", "RFC 4359")],
);

/// Values of attribute 14, Address Preservation.
pub static ADDRESS_PRESERVATION: Registry = Registry::new(
    "IPsec DOI address preservation values",
    &[
        point(1, "None", "RFC 6407"),
        point(2, "Source-Only", "RFC 6407"),
        point(3, "Destination-Only", "RFC 6407"),
        point(4, "Source-and-Destination", "RFC 6407"),
    ],
);

/// Values of attribute 15, SA Direction.
pub static SA_DIRECTION: Registry = Registry::new(
    "IPsec DOI SA directions",
    &[point(1, "Sender-Only", "RFC 6407"), point(2, "Receiver-Only", "RFC 6407"), point(3, "Symmetric", "RFC 6407")],
);
