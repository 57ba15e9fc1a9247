//! Identification types.
//!
//! Sources: IANA "IPSEC Identification Type" and "IKEv2 Identification Payload ID Types".

use super::code_point::{Registry, registries};

registries! {
    /// Identification types under major version 1.
    V1 = "IPsec DOI identification types" {
        1 = "ID_IPV4_ADDR", "RFC 2407";
        2 = "ID_FQDN", "RFC 2407";
        3 = "ID_USER_FQDN", "RFC 2407";
        4 = "ID_IPV4_ADDR_SUBNET", "RFC 2407";
        5 = "ID_IPV6_ADDR", "RFC 2407";
        6 = "ID_IPV6_ADDR_SUBNET", "RFC 2407";
        7 = "ID_IPV4_ADDR_RANGE", "RFC 2407";
        8 = "ID_IPV6_ADDR_RANGE", "RFC 2407";
        9 = "ID_DER_ASN1_DN", "RFC 2407";
        10 = "ID_DER_ASN1_GN", "RFC 2407";
        11 = "ID_KEY_ID", "RFC 2407";
        12 = "ID_LIST", "RFC 3554";
    }

    /// Identification types under major version 2.
    V2 = "IKEv2 identification types" {
        1 = "ID_IPV4_ADDR", "RFC 7296";
        2 = "ID_FQDN", "RFC 7296";
        3 = "ID_RFC822_ADDR", "RFC 7296";
        5 = "ID_IPV6_ADDR", "RFC 7296";
        9 = "ID_DER_ASN1_DN", "RFC 7296";
        10 = "ID_DER_ASN1_GN", "RFC 7296";
        11 = "ID_KEY_ID", "RFC 7296";
        12 = "ID_FC_NAME", "RFC 4595";
        13 = "ID_NULL", "RFC 7619";
    }
}
