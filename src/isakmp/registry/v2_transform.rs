//! IKEv2 transform types, transform ids and transform attributes; `short` is what fits into a ladder line.
//!
//! Sources: IANA "Transform Type Values", the registries of its types, and "IKEv2 Transform Attribute Types"; the reference
//! says where a code point was deprecated. Key exchange methods (types 4 and 6 to 12) have their own table, see `group`.

use super::code_point::{Registry, point};

/// Transform types.
pub static TYPES: Registry = Registry::new(
    "IKEv2 transform types",
    &[
        point(1, "Encryption Algorithm", "RFC 7296; RFC 9838").short("ENCR"),
        point(2, "Pseudo-random Function", "RFC 7296").short("PRF"),
        point(3, "Integrity Algorithm", "RFC 7296; RFC 9838").short("INTEG"),
        point(4, "Key Exchange Method", "RFC 7296; RFC 9370").short("KE"),
        point(5, "Sequence Numbers", "RFC 7296; RFC 9827").short("SN"),
        point(6, "Additional Key Exchange 1", "RFC 9370").short("ADDKE1"),
        point(7, "Additional Key Exchange 2", "RFC 9370").short("ADDKE2"),
        point(8, "Additional Key Exchange 3", "RFC 9370").short("ADDKE3"),
        point(9, "Additional Key Exchange 4", "RFC 9370").short("ADDKE4"),
        point(10, "Additional Key Exchange 5", "RFC 9370").short("ADDKE5"),
        point(11, "Additional Key Exchange 6", "RFC 9370").short("ADDKE6"),
        point(12, "Additional Key Exchange 7", "RFC 9370").short("ADDKE7"),
        point(13, "Key Wrap Algorithm", "RFC 9838").short("KWA"),
        point(14, "Group Controller Authentication Method", "RFC 9838").short("GCAUTH"),
    ],
);

/// Transform ids of type 1, ENCR.
pub static ENCR: Registry = Registry::new(
    "IKEv2 encryption algorithms",
    &[
        point(1, "ENCR_DES_IV64", "IANA, deprecated by RFC 9395").short("DES-IV64"),
        point(2, "ENCR_DES", "RFC 7296; RFC 2405, deprecated by RFC 8247").short("DES"),
        point(3, "ENCR_3DES", "RFC 7296; RFC 2451").short("3DES"),
        point(4, "ENCR_RC5", "RFC 7296; RFC 2451, deprecated by RFC 9395").short("RC5"),
        point(5, "ENCR_IDEA", "RFC 7296; RFC 2451, deprecated by RFC 9395").short("IDEA"),
        point(6, "ENCR_CAST", "RFC 7296; RFC 2451, deprecated by RFC 9395").short("CAST"),
        point(7, "ENCR_BLOWFISH", "RFC 7296; RFC 2451, deprecated by RFC 9395").short("BLOWFISH"),
        point(8, "ENCR_3IDEA", "RFC 7296, deprecated by RFC 9395").short("3IDEA"),
        point(9, "ENCR_DES_IV32", "IANA, deprecated by RFC 9395").short("DES-IV32"),
        point(11, "ENCR_NULL", "RFC 2410").short("NULL"),
        point(12, "ENCR_AES_CBC", "RFC 7296; RFC 3602").short("AES-CBC"),
        point(13, "ENCR_AES_CTR", "RFC 5930; RFC 3686").short("AES-CTR"),
        point(14, "ENCR_AES_CCM_8", "RFC 5282; RFC 4309").short("AES-CCM-8"),
        point(15, "ENCR_AES_CCM_12", "RFC 5282; RFC 4309").short("AES-CCM-12"),
        point(16, "ENCR_AES_CCM_16", "RFC 5282; RFC 4309").short("AES-CCM-16"),
        point(18, "ENCR_AES_GCM_8", "RFC 5282; RFC 4106").short("AES-GCM-8"),
        point(19, "ENCR_AES_GCM_12", "RFC 5282; RFC 4106").short("AES-GCM-12"),
        point(20, "ENCR_AES_GCM_16", "RFC 5282; RFC 4106").short("AES-GCM-16"),
        point(21, "ENCR_NULL_AUTH_AES_GMAC", "RFC 4543").short("NULL-AUTH-AES-GMAC"),
        point(23, "ENCR_CAMELLIA_CBC", "RFC 7296; RFC 5529").short("CAMELLIA-CBC"),
        point(24, "ENCR_CAMELLIA_CTR", "RFC 5529").short("CAMELLIA-CTR"),
        point(25, "ENCR_CAMELLIA_CCM_8", "RFC 5529; RFC 8247").short("CAMELLIA-CCM-8"),
        point(26, "ENCR_CAMELLIA_CCM_12", "RFC 5529; RFC 8247").short("CAMELLIA-CCM-12"),
        point(27, "ENCR_CAMELLIA_CCM_16", "RFC 5529; RFC 8247").short("CAMELLIA-CCM-16"),
        point(28, "ENCR_CHACHA20_POLY1305", "RFC 7634").short("CHACHA20-POLY1305"),
        point(29, "ENCR_AES_CCM_8_IIV", "RFC 8750").short("AES-CCM-8-IIV"),
        point(30, "ENCR_AES_GCM_16_IIV", "RFC 8750").short("AES-GCM-16-IIV"),
        point(31, "ENCR_CHACHA20_POLY1305_IIV", "RFC 8750").short("CHACHA20-POLY1305-IIV"),
        point(32, "ENCR_KUZNYECHIK_MGM_KTREE", "RFC 9227").short("KUZNYECHIK-MGM-KTREE"),
        point(33, "ENCR_MAGMA_MGM_KTREE", "RFC 9227").short("MAGMA-MGM-KTREE"),
        point(34, "ENCR_KUZNYECHIK_MGM_MAC_KTREE", "RFC 9227").short("KUZNYECHIK-MGM-MAC-KTREE"),
        point(35, "ENCR_MAGMA_MGM_MAC_KTREE", "RFC 9227").short("MAGMA-MGM-MAC-KTREE"),
        point(65004, "SERPENT_CBC", "private").short("SERPENT-CBC"),
        point(65005, "TWOFISH_CBC", "private").short("TWOFISH-CBC"),
        point(65289, "TWOFISH_CBC_SSH", "private").short("TWOFISH-CBC-SSH"),
    ],
);

/// Transform ids of type 2, PRF.
pub static PRF: Registry = Registry::new(
    "IKEv2 pseudo-random functions",
    &[
        point(1, "PRF_HMAC_MD5", "RFC 2104, deprecated by RFC 8247").short("PRF-MD5"),
        point(2, "PRF_HMAC_SHA1", "RFC 2104").short("PRF-SHA1"),
        point(3, "PRF_HMAC_TIGER", "IANA, deprecated by RFC 9395").short("PRF-TIGER"),
        point(4, "PRF_AES128_XCBC", "RFC 4434").short("PRF-AES128-XCBC"),
        point(5, "PRF_HMAC_SHA2_256", "RFC 4868").short("PRF-SHA2-256"),
        point(6, "PRF_HMAC_SHA2_384", "RFC 4868").short("PRF-SHA2-384"),
        point(7, "PRF_HMAC_SHA2_512", "RFC 4868").short("PRF-SHA2-512"),
        point(8, "PRF_AES128_CMAC", "RFC 4615").short("PRF-AES128-CMAC"),
        point(9, "PRF_HMAC_STREEBOG_512", "RFC 9385").short("PRF-STREEBOG-512"),
    ],
);

/// Transform ids of type 3, INTEG.
pub static INTEG: Registry = Registry::new(
    "IKEv2 integrity algorithms",
    &[
        point(0, "NONE", "RFC 7296"),
        point(1, "AUTH_HMAC_MD5_96", "RFC 2403; RFC 7296, deprecated by RFC 8247").short("MD5-96"),
        point(2, "AUTH_HMAC_SHA1_96", "RFC 2404; RFC 7296").short("SHA1-96"),
        point(3, "AUTH_DES_MAC", "IANA, deprecated by RFC 8247").short("DES-MAC"),
        point(4, "AUTH_KPDK_MD5", "IANA, deprecated by RFC 8247").short("KPDK-MD5"),
        point(5, "AUTH_AES_XCBC_96", "RFC 3566; RFC 7296").short("AES-XCBC-96"),
        point(6, "AUTH_HMAC_MD5_128", "RFC 4595, deprecated by RFC 9395").short("MD5-128"),
        point(7, "AUTH_HMAC_SHA1_160", "RFC 4595, deprecated by RFC 9395").short("SHA1-160"),
        point(8, "AUTH_AES_CMAC_96", "RFC 4494").short("AES-CMAC-96"),
        point(9, "AUTH_AES_128_GMAC", "RFC 4543").short("AES-128-GMAC"),
        point(10, "AUTH_AES_192_GMAC", "RFC 4543").short("AES-192-GMAC"),
        point(11, "AUTH_AES_256_GMAC", "RFC 4543").short("AES-256-GMAC"),
        point(12, "AUTH_HMAC_SHA2_256_128", "RFC 4868").short("SHA2-256-128"),
        point(13, "AUTH_HMAC_SHA2_384_192", "RFC 4868").short("SHA2-384-192"),
        point(14, "AUTH_HMAC_SHA2_512_256", "RFC 4868").short("SHA2-512-256"),
    ],
);

/// Transform ids of type 5, SN, which was ESN until RFC 9827.
pub static SN: Registry = Registry::new(
    "IKEv2 sequence number kinds",
    &[
        point(0, "32-bit Sequential Numbers", "RFC 7296; RFC 9827").short("NO-ESN"),
        point(1, "Partially Transmitted 64-bit Sequential Numbers", "RFC 7296; RFC 9827").short("ESN"),
        point(2, "32-bit Unspecified Numbers", "RFC 9838"),
    ],
);

/// Transform ids of type 13, KWA.
pub static KWA: Registry = Registry::new(
    "IKEv2 key wrap algorithms",
    &[
        point(1, "KW_5649_128", "RFC 9838"),
        point(2, "KW_5649_192", "RFC 9838"),
        point(3, "KW_5649_256", "RFC 9838"),
        point(4, "KW_ARX", "RFC 9838"),
    ],
);

/// Transform ids of type 14, GCAUTH.
pub static GCAUTH: Registry = Registry::new(
    "IKEv2 group controller authentication methods",
    &[point(1, "Implicit", "RFC 9838"), point(2, "Digital Signature", "RFC 9838")],
);

/// Transform attribute types.
pub static ATTRIBUTES: Registry = Registry::new(
    "IKEv2 transform attribute types",
    &[point(14, "Key Length", "RFC 7296"), point(18, "Signature Algorithm Identifier", "RFC 9838")],
);
