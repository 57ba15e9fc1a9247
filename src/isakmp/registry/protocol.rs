//! Protocol ids of proposals, notifications and deletes; `short` is the protocol without its `PROTO_` prefix.
//!
//! Sources: IANA "IPSEC Security Protocol Identifiers" and "IKEv2 Security Protocol Identifiers".

use super::code_point::{Registry, point};

/// Protocol ids under major version 1.
pub static V1: Registry = Registry::new(
    "IPsec DOI protocol ids",
    &[
        point(1, "PROTO_ISAKMP", "RFC 2407").short("ISAKMP"),
        point(2, "PROTO_IPSEC_AH", "RFC 2407").short("AH"),
        point(3, "PROTO_IPSEC_ESP", "RFC 2407").short("ESP"),
        point(4, "PROTO_IPCOMP", "RFC 2407").short("IPCOMP"),
        point(5, "PROTO_GIGABEAM_RADIO", "RFC 4705").short("GIGABEAM_RADIO"),
    ],
);

/// Protocol ids under major version 2.
pub static V2: Registry = Registry::new(
    "IKEv2 security protocol ids",
    &[
        point(1, "IKE", "RFC 7296"),
        point(2, "AH", "RFC 7296"),
        point(3, "ESP", "RFC 7296"),
        point(4, "FC_ESP_HEADER", "RFC 4595"),
        point(5, "FC_CT_AUTHENTICATION", "RFC 4595"),
        point(6, "GIKE_UPDATE", "RFC 9838"),
    ],
);
