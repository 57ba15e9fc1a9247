//! IKEv1 transform ids, one registry a protocol.
//!
//! Sources: IANA "IPSEC ISAKMP/AH/ESP/IPCOMP Transform Identifiers" (RFC 2407 §4.4); ESP's private numbers as their
//! owners published them.

use super::code_point::{Registry, registries};

registries! {
    /// Transform ids of protocol 1, ISAKMP.
    ISAKMP = "ISAKMP transform ids" {
        1 = "KEY_IKE", "RFC 2407";
    }

    /// Transform ids of protocol 2, AH.
    AH = "AH transform ids" {
        2 = "AH_MD5", "RFC 2407";
        3 = "AH_SHA", "RFC 2407";
        4 = "AH_DES", "RFC 2407";
        5 = "AH_SHA2-256", "RFC 4868";
        6 = "AH_SHA2-384", "RFC 4868";
        7 = "AH_SHA2-512", "RFC 4868";
        8 = "AH_RIPEMD", "RFC 2857";
        9 = "AH_AES-XCBC-MAC", "RFC 3566";
        10 = "AH_RSA", "RFC 4359";
        11 = "AH_AES-128-GMAC", "RFC 4543";
        12 = "AH_AES-192-GMAC", "RFC 4543";
        13 = "AH_AES-256-GMAC", "RFC 4543";
    }

    /// Transform ids of protocol 3, ESP.
    ESP = "ESP transform ids" {
        1 = "ESP_DES_IV64", "RFC 2407";
        2 = "ESP_DES", "RFC 2407";
        3 = "ESP_3DES", "RFC 2407";
        4 = "ESP_RC5", "RFC 2407";
        5 = "ESP_IDEA", "RFC 2407";
        6 = "ESP_CAST", "RFC 2407";
        7 = "ESP_BLOWFISH", "RFC 2407";
        8 = "ESP_3IDEA", "RFC 2407";
        9 = "ESP_DES_IV32", "RFC 2407";
        10 = "ESP_RC4", "RFC 2407";
        11 = "ESP_NULL", "RFC 2407";
        12 = "ESP_AES-CBC", "RFC 3602";
        13 = "ESP_AES-CTR", "RFC 3686";
        14 = "ESP_AES-CCM_8", "RFC 4309";
        15 = "ESP_AES-CCM_12", "RFC 4309";
        16 = "ESP_AES-CCM_16", "RFC 4309";
        18 = "ESP_AES-GCM_8", "RFC 4106";
        19 = "ESP_AES-GCM_12", "RFC 4106";
        20 = "ESP_AES-GCM_16", "RFC 4106";
        21 = "ESP_SEED_CBC", "RFC 4196";
        22 = "ESP_CAMELLIA", "RFC 4312";
        23 = "ESP_NULL_AUTH_AES-GMAC", "RFC 4543";
        249 = "ESP_MARS", "private: pluto";
        250 = "ESP_RC6", "private: pluto";
        251 = "ESP_KAME_NULL", "private: KAME";
        252 = "ESP_SERPENT", "private: FreeS/WAN";
        253 = "ESP_TWOFISH", "private: FreeS/WAN";
    }

    /// Transform ids of protocol 4, IPCOMP.
    IPCOMP = "IPCOMP transform ids" {
        1 = "IPCOMP_OUI", "RFC 2407";
        2 = "IPCOMP_DEFLATE", "RFC 2407";
        3 = "IPCOMP_LZS", "RFC 2407";
        4 = "IPCOMP_LZJH", "RFC 3051";
    }
}
