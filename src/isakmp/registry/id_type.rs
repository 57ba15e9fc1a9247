//! Identification types.
//!
//! Sources: IANA "IPSEC Identification Type" and "IKEv2 Identification Payload ID Types".

use super::code_point::{Registry, point};

/// Identification types under major version 1.
pub static V1: Registry = Registry::new(
    "IPsec DOI identification types",
    &[
        point(1, "ID_IPV4_ADDR", "RFC 2407"),
        point(2, "ID_FQDN", "RFC 2407"),
        point(3, "ID_USER_FQDN", "RFC 2407"),
        point(4, "ID_IPV4_ADDR_SUBNET", "RFC 2407"),
        point(5, "ID_IPV6_ADDR", "RFC 2407"),
        point(6, "ID_IPV6_ADDR_SUBNET", "RFC 2407"),
        point(7, "ID_IPV4_ADDR_RANGE", "RFC 2407"),
        point(8, "ID_IPV6_ADDR_RANGE", "RFC 2407"),
        point(9, "ID_DER_ASN1_DN", "RFC 2407"),
        point(10, "ID_DER_ASN1_GN", "RFC 2407"),
        point(11, "ID_KEY_ID", "RFC 2407"),
        point(12, "ID_LIST", "RFC 3554"),
    ],
);

/// Identification types under major version 2.
pub static V2: Registry = Registry::new(
    "IKEv2 identification types",
    &[
        point(1, "ID_IPV4_ADDR", "RFC 7296"),
        point(2, "ID_FQDN", "RFC 7296"),
        point(3, "ID_RFC822_ADDR", "RFC 7296"),
        point(5, "ID_IPV6_ADDR", "RFC 7296"),
        point(9, "ID_DER_ASN1_DN", "RFC 7296"),
        point(10, "ID_DER_ASN1_GN", "RFC 7296"),
        point(11, "ID_KEY_ID", "RFC 7296"),
        point(12, "ID_FC_NAME", "RFC 4595"),
        point(13, "ID_NULL", "RFC 7619"),
    ],
);
