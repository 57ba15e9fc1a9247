//! IKEv1 transform ids, one registry a protocol.
//!
//! Sources: IANA "IPSEC ISAKMP/AH/ESP/IPCOMP Transform Identifiers" (RFC 2407 §4.4); ESP's private numbers as their
//! owners published them.

use super::code_point::{Registry, point};

/// Transform ids of protocol 1, ISAKMP.
pub static ISAKMP: Registry = Registry::new("ISAKMP transform ids", &[point(1, "KEY_IKE", "RFC 2407")]);

/// Transform ids of protocol 2, AH.
pub static AH: Registry = Registry::new(
    "AH transform ids",
    &[
        point(2, "AH_MD5", "RFC 2407"),
        point(3, "AH_SHA", "RFC 2407"),
        point(4, "AH_DES", "RFC 2407"),
        point(5, "AH_SHA2-256", "RFC 4868"),
        point(6, "AH_SHA2-384", "RFC 4868"),
        point(7, "AH_SHA2-512", "RFC 4868"),
        point(8, "AH_RIPEMD", "RFC 2857"),
        point(9, "AH_AES-XCBC-MAC", "RFC 3566"),
        point(10, "AH_RSA", "RFC 4359"),
        point(11, "AH_AES-128-GMAC", "RFC 4543"),
        point(12, "AH_AES-192-GMAC", "RFC 4543"),
        point(13, "AH_AES-256-GMAC", "RFC 4543"),
    ],
);

/// Transform ids of protocol 3, ESP.
pub static ESP: Registry = Registry::new(
    "ESP transform ids",
    &[
        point(1, "ESP_DES_IV64", "RFC 2407"),
        point(2, "ESP_DES", "RFC 2407"),
        point(3, "ESP_3DES", "RFC 2407"),
        point(4, "ESP_RC5", "RFC 2407"),
        point(5, "ESP_IDEA", "RFC 2407"),
        point(6, "ESP_CAST", "RFC 2407"),
        point(7, "ESP_BLOWFISH", "RFC 2407"),
        point(8, "ESP_3IDEA", "RFC 2407"),
        point(9, "ESP_DES_IV32", "RFC 2407"),
        point(10, "ESP_RC4", "RFC 2407"),
        point(11, "ESP_NULL", "RFC 2407"),
        point(12, "ESP_AES-CBC", "RFC 3602"),
        point(13, "ESP_AES-CTR", "RFC 3686"),
        point(14, "ESP_AES-CCM_8", "RFC 4309"),
        point(15, "ESP_AES-CCM_12", "RFC 4309"),
        point(16, "ESP_AES-CCM_16", "RFC 4309"),
        point(18, "ESP_AES-GCM_8", "RFC 4106"),
        point(19, "ESP_AES-GCM_12", "RFC 4106"),
        point(20, "ESP_AES-GCM_16", "RFC 4106"),
        point(21, "ESP_SEED_CBC", "RFC 4196"),
        point(22, "ESP_CAMELLIA", "RFC 4312"),
        point(23, "ESP_NULL_AUTH_AES-GMAC", "RFC 4543"),
        point(249, "ESP_MARS", "private: pluto"),
        point(250, "ESP_RC6", "private: pluto"),
        point(251, "ESP_KAME_NULL", "private: KAME"),
        point(252, "ESP_SERPENT", "private: FreeS/WAN"),
        point(253, "ESP_TWOFISH", "private: FreeS/WAN"),
    ],
);

/// Transform ids of protocol 4, IPCOMP.
pub static IPCOMP: Registry = Registry::new(
    "IPCOMP transform ids",
    &[
        point(1, "IPCOMP_OUI", "RFC 2407"),
        point(2, "IPCOMP_DEFLATE", "RFC 2407"),
        point(3, "IPCOMP_LZS", "RFC 2407"),
        point(4, "IPCOMP_LZJH", "RFC 3051"),
    ],
);
