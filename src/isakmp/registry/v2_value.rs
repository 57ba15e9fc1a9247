//! Values inside IKEv2 payloads that have a registry of their own: traffic selectors, gateways, hashes, PPK and more.
//!
//! Sources: IANA registries of the same names under "IKEv2 Parameters".

use super::code_point::{Registry, registries};

registries! {
    /// Traffic selector types (RFC 7296 §3.13.1).
    TRAFFIC_SELECTOR = "IKEv2 traffic selector types" {
        7 = "TS_IPV4_ADDR_RANGE", "RFC 7296";
        8 = "TS_IPV6_ADDR_RANGE", "RFC 7296";
        9 = "TS_FC_ADDR_RANGE", "RFC 4595";
        10 = "TS_SECLABEL", "RFC 9478";
    }

    /// Gateway identity types of REDIRECT and REDIRECTED_FROM (RFC 5685 §9).
    GATEWAY_IDENTITY = "IKEv2 gateway identity types" {
        1 = "IPv4 address of the VPN gateway", "RFC 5685";
        2 = "IPv6 address of the VPN gateway", "RFC 5685";
        3 = "FQDN of the VPN gateway", "RFC 5685";
    }

    /// Methods of SECURE_PASSWORD_METHODS (RFC 6467).
    SECURE_PASSWORD = "IKEv2 secure password methods" {
        1 = "PACE", "RFC 6631";
        2 = "AugPAKE", "RFC 6628";
        3 = "Secure PSK Authentication", "RFC 6617";
    }

    /// Hashes of SIGNATURE_HASH_ALGORITHMS (RFC 7427 §4).
    HASH = "IKEv2 hash algorithms" {
        1 = "SHA1", "RFC 7427";
        2 = "SHA2-256", "RFC 7427";
        3 = "SHA2-384", "RFC 7427";
        4 = "SHA2-512", "RFC 7427";
        5 = "Identity", "RFC 8420";
        6 = "STREEBOG_256", "RFC 9385";
        7 = "STREEBOG_512", "RFC 9385";
    }

    /// Types of PPK_ID in PPK_IDENTITY (RFC 8784 §5.1).
    PPK_ID = "IKEv2 PPK_ID types" {
        1 = "PPK_ID_OPAQUE", "RFC 8784";
        2 = "PPK_ID_FIXED", "RFC 8784";
    }

    /// Transforms of IPCOMP_SUPPORTED (RFC 7296 §2.22).
    IPCOMP_TRANSFORM = "IKEv2 IPCOMP transform ids" {
        1 = "IPCOMP_OUI", "IANA";
        2 = "IPCOMP_DEFLATE", "RFC 2394";
        3 = "IPCOMP_LZS", "RFC 2395";
        4 = "IPCOMP_LZJH", "RFC 3051";
    }

    /// Attributes of ROHC_SUPPORTED (RFC 5857).
    ROHC_ATTRIBUTE = "ROHC attribute types" {
        1 = "Maximum Context Identifier (MAX_CID)", "RFC 5857";
        2 = "ROHC Profile (ROHC_PROFILE)", "RFC 5857";
        3 = "ROHC Integrity Algorithm (ROHC_INTEG)", "RFC 5857";
        4 = "ROHC ICV Length in bytes (ROHC_ICV_LEN)", "RFC 5857";
        5 = "Maximum Reconstructed Reception Unit (MRRU)", "RFC 5857";
    }

    /// Attributes of a group security association (RFC 9838).
    GSA_ATTRIBUTE = "GSA attributes" {
        1 = "GSA_KEY_LIFETIME", "RFC 9838";
        2 = "GSA_INITIAL_MESSAGE_ID", "RFC 9838";
        3 = "GSA_NEXT_SPI", "RFC 9838";
    }

    /// Attributes of a group-wide policy (RFC 9838).
    GWP_ATTRIBUTE = "Group-wide policy attributes" {
        1 = "GWP_ATD", "RFC 9838";
        2 = "GWP_DTD", "RFC 9838";
        3 = "GWP_SENDER_ID_BITS", "RFC 9838";
    }

    /// Attributes of a member key bag (RFC 9838).
    MEMBER_KEY_BAG = "Member key bag attributes" {
        1 = "WRAP_KEY", "RFC 9838";
        2 = "AUTH_KEY", "RFC 9838";
        3 = "GM_SENDER_ID", "RFC 9838";
    }
}
