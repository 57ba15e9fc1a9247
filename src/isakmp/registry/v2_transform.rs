//! IKEv2 transform types, transform ids and transform attributes; `short` is what fits into a ladder line.
//!
//! Sources: IANA "Transform Type Values", the registries of its types, and "IKEv2 Transform Attribute Types"; the
//! reference says where a code point was deprecated. Key exchange methods (types 4 and 6 to 12) have their own table,
//! see `group`.

use super::code_point::{Registry, registries};

registries! {
    /// Transform types.
    TYPES = "IKEv2 transform types" {
        1 = "Encryption Algorithm" as "ENCR", "RFC 7296; RFC 9838";
        2 = "Pseudo-random Function" as "PRF", "RFC 7296";
        3 = "Integrity Algorithm" as "INTEG", "RFC 7296; RFC 9838";
        4 = "Key Exchange Method" as "KE", "RFC 7296; RFC 9370";
        5 = "Sequence Numbers" as "SN", "RFC 7296; RFC 9827";
        6 = "Additional Key Exchange 1" as "ADDKE1", "RFC 9370";
        7 = "Additional Key Exchange 2" as "ADDKE2", "RFC 9370";
        8 = "Additional Key Exchange 3" as "ADDKE3", "RFC 9370";
        9 = "Additional Key Exchange 4" as "ADDKE4", "RFC 9370";
        10 = "Additional Key Exchange 5" as "ADDKE5", "RFC 9370";
        11 = "Additional Key Exchange 6" as "ADDKE6", "RFC 9370";
        12 = "Additional Key Exchange 7" as "ADDKE7", "RFC 9370";
        13 = "Key Wrap Algorithm" as "KWA", "RFC 9838";
        14 = "Group Controller Authentication Method" as "GCAUTH", "RFC 9838";
    }

    /// Transform ids of type 1, ENCR.
    ENCR = "IKEv2 encryption algorithms" {
        1 = "ENCR_DES_IV64" as "DES-IV64", "IANA, deprecated by RFC 9395";
        2 = "ENCR_DES" as "DES", "RFC 7296; RFC 2405, deprecated by RFC 8247";
        3 = "ENCR_3DES" as "3DES", "RFC 7296; RFC 2451";
        4 = "ENCR_RC5" as "RC5", "RFC 7296; RFC 2451, deprecated by RFC 9395";
        5 = "ENCR_IDEA" as "IDEA", "RFC 7296; RFC 2451, deprecated by RFC 9395";
        6 = "ENCR_CAST" as "CAST", "RFC 7296; RFC 2451, deprecated by RFC 9395";
        7 = "ENCR_BLOWFISH" as "BLOWFISH", "RFC 7296; RFC 2451, deprecated by RFC 9395";
        8 = "ENCR_3IDEA" as "3IDEA", "RFC 7296, deprecated by RFC 9395";
        9 = "ENCR_DES_IV32" as "DES-IV32", "IANA, deprecated by RFC 9395";
        11 = "ENCR_NULL" as "NULL", "RFC 2410";
        12 = "ENCR_AES_CBC" as "AES-CBC", "RFC 7296; RFC 3602";
        13 = "ENCR_AES_CTR" as "AES-CTR", "RFC 5930; RFC 3686";
        14 = "ENCR_AES_CCM_8" as "AES-CCM-8", "RFC 5282; RFC 4309";
        15 = "ENCR_AES_CCM_12" as "AES-CCM-12", "RFC 5282; RFC 4309";
        16 = "ENCR_AES_CCM_16" as "AES-CCM-16", "RFC 5282; RFC 4309";
        18 = "ENCR_AES_GCM_8" as "AES-GCM-8", "RFC 5282; RFC 4106";
        19 = "ENCR_AES_GCM_12" as "AES-GCM-12", "RFC 5282; RFC 4106";
        20 = "ENCR_AES_GCM_16" as "AES-GCM-16", "RFC 5282; RFC 4106";
        21 = "ENCR_NULL_AUTH_AES_GMAC" as "NULL-AUTH-AES-GMAC", "RFC 4543";
        23 = "ENCR_CAMELLIA_CBC" as "CAMELLIA-CBC", "RFC 7296; RFC 5529";
        24 = "ENCR_CAMELLIA_CTR" as "CAMELLIA-CTR", "RFC 5529";
        25 = "ENCR_CAMELLIA_CCM_8" as "CAMELLIA-CCM-8", "RFC 5529; RFC 8247";
        26 = "ENCR_CAMELLIA_CCM_12" as "CAMELLIA-CCM-12", "RFC 5529; RFC 8247";
        27 = "ENCR_CAMELLIA_CCM_16" as "CAMELLIA-CCM-16", "RFC 5529; RFC 8247";
        28 = "ENCR_CHACHA20_POLY1305" as "CHACHA20-POLY1305", "RFC 7634";
        29 = "ENCR_AES_CCM_8_IIV" as "AES-CCM-8-IIV", "RFC 8750";
        30 = "ENCR_AES_GCM_16_IIV" as "AES-GCM-16-IIV", "RFC 8750";
        31 = "ENCR_CHACHA20_POLY1305_IIV" as "CHACHA20-POLY1305-IIV", "RFC 8750";
        32 = "ENCR_KUZNYECHIK_MGM_KTREE" as "KUZNYECHIK-MGM-KTREE", "RFC 9227";
        33 = "ENCR_MAGMA_MGM_KTREE" as "MAGMA-MGM-KTREE", "RFC 9227";
        34 = "ENCR_KUZNYECHIK_MGM_MAC_KTREE" as "KUZNYECHIK-MGM-MAC-KTREE", "RFC 9227";
        35 = "ENCR_MAGMA_MGM_MAC_KTREE" as "MAGMA-MGM-MAC-KTREE", "RFC 9227";
        65004 = "SERPENT_CBC" as "SERPENT-CBC", "private";
        65005 = "TWOFISH_CBC" as "TWOFISH-CBC", "private";
        65289 = "TWOFISH_CBC_SSH" as "TWOFISH-CBC-SSH", "private";
    }

    /// Transform ids of type 2, PRF.
    PRF = "IKEv2 pseudo-random functions" {
        1 = "PRF_HMAC_MD5" as "PRF-MD5", "RFC 2104, deprecated by RFC 8247";
        2 = "PRF_HMAC_SHA1" as "PRF-SHA1", "RFC 2104";
        3 = "PRF_HMAC_TIGER" as "PRF-TIGER", "IANA, deprecated by RFC 9395";
        4 = "PRF_AES128_XCBC" as "PRF-AES128-XCBC", "RFC 4434";
        5 = "PRF_HMAC_SHA2_256" as "PRF-SHA2-256", "RFC 4868";
        6 = "PRF_HMAC_SHA2_384" as "PRF-SHA2-384", "RFC 4868";
        7 = "PRF_HMAC_SHA2_512" as "PRF-SHA2-512", "RFC 4868";
        8 = "PRF_AES128_CMAC" as "PRF-AES128-CMAC", "RFC 4615";
        9 = "PRF_HMAC_STREEBOG_512" as "PRF-STREEBOG-512", "RFC 9385";
    }

    /// Transform ids of type 3, INTEG.
    INTEG = "IKEv2 integrity algorithms" {
        0 = "NONE", "RFC 7296";
        1 = "AUTH_HMAC_MD5_96" as "MD5-96", "RFC 2403; RFC 7296, deprecated by RFC 8247";
        2 = "AUTH_HMAC_SHA1_96" as "SHA1-96", "RFC 2404; RFC 7296";
        3 = "AUTH_DES_MAC" as "DES-MAC", "IANA, deprecated by RFC 8247";
        4 = "AUTH_KPDK_MD5" as "KPDK-MD5", "IANA, deprecated by RFC 8247";
        5 = "AUTH_AES_XCBC_96" as "AES-XCBC-96", "RFC 3566; RFC 7296";
        6 = "AUTH_HMAC_MD5_128" as "MD5-128", "RFC 4595, deprecated by RFC 9395";
        7 = "AUTH_HMAC_SHA1_160" as "SHA1-160", "RFC 4595, deprecated by RFC 9395";
        8 = "AUTH_AES_CMAC_96" as "AES-CMAC-96", "RFC 4494";
        9 = "AUTH_AES_128_GMAC" as "AES-128-GMAC", "RFC 4543";
        10 = "AUTH_AES_192_GMAC" as "AES-192-GMAC", "RFC 4543";
        11 = "AUTH_AES_256_GMAC" as "AES-256-GMAC", "RFC 4543";
        12 = "AUTH_HMAC_SHA2_256_128" as "SHA2-256-128", "RFC 4868";
        13 = "AUTH_HMAC_SHA2_384_192" as "SHA2-384-192", "RFC 4868";
        14 = "AUTH_HMAC_SHA2_512_256" as "SHA2-512-256", "RFC 4868";
    }

    /// Transform ids of type 5, SN, which was ESN until RFC 9827.
    SN = "IKEv2 sequence number kinds" {
        0 = "32-bit Sequential Numbers" as "NO-ESN", "RFC 7296; RFC 9827";
        1 = "Partially Transmitted 64-bit Sequential Numbers" as "ESN", "RFC 7296; RFC 9827";
        2 = "32-bit Unspecified Numbers", "RFC 9838";
    }

    /// Transform ids of type 13, KWA.
    KWA = "IKEv2 key wrap algorithms" {
        1 = "KW_5649_128", "RFC 9838";
        2 = "KW_5649_192", "RFC 9838";
        3 = "KW_5649_256", "RFC 9838";
        4 = "KW_ARX", "RFC 9838";
    }

    /// Transform ids of type 14, GCAUTH.
    GCAUTH = "IKEv2 group controller authentication methods" {
        1 = "Implicit", "RFC 9838";
        2 = "Digital Signature", "RFC 9838";
    }

    /// Transform attribute types.
    ATTRIBUTES = "IKEv2 transform attribute types" {
        14 = "Key Length", "RFC 7296";
        18 = "Signature Algorithm Identifier", "RFC 9838";
    }
}
