//! Protocol ids of proposals, notifications and deletes; `short` is the protocol without its `PROTO_` prefix.
//!
//! Sources: IANA "IPSEC Security Protocol Identifiers" and "IKEv2 Security Protocol Identifiers".

use super::code_point::{Registry, registries};

registries! {
    /// Protocol ids under major version 1.
    V1 = "IPsec DOI protocol ids" {
        1 = "PROTO_ISAKMP" as "ISAKMP", "RFC 2407";
        2 = "PROTO_IPSEC_AH" as "AH", "RFC 2407";
        3 = "PROTO_IPSEC_ESP" as "ESP", "RFC 2407";
        4 = "PROTO_IPCOMP" as "IPCOMP", "RFC 2407";
        5 = "PROTO_GIGABEAM_RADIO" as "GIGABEAM_RADIO", "RFC 4705";
    }

    /// Protocol ids under major version 2.
    V2 = "IKEv2 security protocol ids" {
        1 = "IKE", "RFC 7296";
        2 = "AH", "RFC 7296";
        3 = "ESP", "RFC 7296";
        4 = "FC_ESP_HEADER", "RFC 4595";
        5 = "FC_CT_AUTHENTICATION", "RFC 4595";
        6 = "GIKE_UPDATE", "RFC 9838";
    }
}
