//! Attributes of IKEv1 phase 1 transforms and their values; `short` is what fits into a ladder line.
//!
//! Sources: RFC 2409 Appendix A and IANA "Internet Key Exchange (IKE) Attributes" with its value registries; private
//! numbers as their owners published them. Groups have their own table, see `group`.

use super::code_point::{Registry, point};

/// Attribute types.
pub static ATTRIBUTES: Registry = Registry::new(
    "IKEv1 phase 1 attributes",
    &[
        point(1, "Encryption Algorithm", "RFC 2409"),
        point(2, "Hash Algorithm", "RFC 2409"),
        point(3, "Authentication Method", "RFC 2409"),
        point(4, "Group Description", "RFC 2409"),
        point(5, "Group Type", "RFC 2409"),
        point(6, "Group Prime/Irreducible Polynomial", "RFC 2409"),
        point(7, "Group Generator One", "RFC 2409"),
        point(8, "Group Generator Two", "RFC 2409"),
        point(9, "Group Curve A", "RFC 2409"),
        point(10, "Group Curve B", "RFC 2409"),
        point(11, "Life Type", "RFC 2409"),
        point(12, "Life Duration", "RFC 2409"),
        point(13, "PRF", "RFC 2409"),
        point(14, "Key Length", "RFC 2409"),
        point(15, "Field Size", "RFC 2409"),
        point(16, "Group Order", "RFC 2409"),
        point(16384, "GSS Identity Name", "draft-ietf-ipsec-isakmp-gss-auth"),
    ],
);

/// Values of attribute 1, Encryption Algorithm.
pub static ENCRYPTION: Registry = Registry::new(
    "IKEv1 encryption algorithms",
    &[
        point(1, "DES-CBC", "RFC 2405"),
        point(2, "IDEA-CBC", "RFC 2409"),
        point(3, "Blowfish-CBC", "RFC 2409").short("BLOWFISH-CBC"),
        point(4, "RC5-R16-B64-CBC", "RFC 2409").short("RC5-CBC"),
        point(5, "3DES-CBC", "RFC 2409"),
        point(6, "CAST-CBC", "RFC 2409"),
        point(7, "AES-CBC", "RFC 3602"),
        point(8, "CAMELLIA-CBC", "RFC 4312"),
        point(13, "AES-CTR", "unregistered: the IKEv2 number"),
        point(18, "AES-GCM-8", "unregistered: the IKEv2 number"),
        point(19, "AES-GCM-12", "unregistered: the IKEv2 number"),
        point(20, "AES-GCM-16", "unregistered: the IKEv2 number"),
        point(127, "SM4-CBC", "GM/T 0022, deprecated"),
        point(128, "SM1-CBC", "GM/T 0022"),
        point(129, "SM4-CBC", "GM/T 0022"),
        point(65001, "MARS-CBC", "private: pluto"),
        point(65002, "RC6-CBC", "private: pluto"),
        point(65004, "SERPENT-CBC", "private: pluto"),
        point(65005, "TWOFISH-CBC", "private: pluto"),
        point(65289, "TWOFISH-CBC", "private: SSH"),
    ],
);

/// Values of attribute 2, Hash Algorithm.
pub static HASH: Registry = Registry::new(
    "IKEv1 hash algorithms",
    &[
        point(1, "MD5", "RFC 1321"),
        point(2, "SHA", "FIPS 180-1").short("SHA1"),
        point(3, "Tiger", "LNCS 1039").short("TIGER"),
        point(4, "SHA2-256", "RFC 4868"),
        point(5, "SHA2-384", "RFC 4868"),
        point(6, "SHA2-512", "RFC 4868"),
        point(20, "SM3", "GM/T 0022"),
    ],
);

/// Values of attribute 3, Authentication Method. Windows used 65001 for GSS-API before XAUTH claimed it.
pub static AUTHENTICATION: Registry = Registry::new(
    "IKEv1 authentication methods",
    &[
        point(1, "pre-shared key", "RFC 2409").short("PSK"),
        point(2, "DSS signatures", "RFC 2409").short("DSS-SIG"),
        point(3, "RSA signatures", "RFC 2409").short("RSA-SIG"),
        point(4, "Encryption with RSA", "RFC 2409").short("RSA-ENC"),
        point(5, "Revised encryption with RSA", "RFC 2409").short("RSA-REV-ENC"),
        point(6, "Encryption with El-Gamal", "IANA, withdrawn").short("ELGAMAL-ENC"),
        point(7, "Revised encryption with El-Gamal", "IANA, withdrawn").short("ELGAMAL-REV-ENC"),
        point(8, "ECDSA signatures", "IANA, withdrawn").short("ECDSA-SIG"),
        point(9, "ECDSA with SHA-256 on the P-256 curve", "RFC 4754").short("ECDSA-256"),
        point(10, "ECDSA with SHA-384 on the P-384 curve", "RFC 4754").short("ECDSA-384"),
        point(11, "ECDSA with SHA-512 on the P-521 curve", "RFC 4754").short("ECDSA-521"),
        point(64221, "HybridInitRSA", "draft-ietf-ipsec-isakmp-hybrid-auth-05").short("HYBRID-RSA"),
        point(64222, "HybridRespRSA", "draft-ietf-ipsec-isakmp-hybrid-auth-05").short("HYBRID-RSA-RESP"),
        point(64223, "HybridInitDSS", "draft-ietf-ipsec-isakmp-hybrid-auth-05").short("HYBRID-DSS"),
        point(64224, "HybridRespDSS", "draft-ietf-ipsec-isakmp-hybrid-auth-05").short("HYBRID-DSS-RESP"),
        point(65001, "XAUTHInitPreShared", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-PSK"),
        point(65002, "XAUTHRespPreShared", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-PSK-RESP"),
        point(65003, "XAUTHInitDSS", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-DSS"),
        point(65004, "XAUTHRespDSS", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-DSS-RESP"),
        point(65005, "XAUTHInitRSA", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-RSA"),
        point(65006, "XAUTHRespRSA", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-RSA-RESP"),
        point(65007, "XAUTHInitRSAEncryption", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-RSA-ENC"),
        point(65008, "XAUTHRespRSAEncryption", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-RSA-ENC-RESP"),
        point(65009, "XAUTHInitRSARevisedEncryption", "draft-ietf-ipsec-isakmp-xauth-06").short("XAUTH-RSA-REV-ENC"),
        point(65010, "XAUTHRespRSARevisedEncryption", "draft-ietf-ipsec-isakmp-xauth-06")
            .short("XAUTH-RSA-REV-ENC-RESP"),
    ],
);

/// Values of attribute 5, Group Type.
pub static GROUP_TYPE: Registry = Registry::new(
    "IKEv1 group types",
    &[point(1, "MODP", "RFC 2409"), point(2, "ECP", "RFC 2409"), point(3, "EC2N", "RFC 2409")],
);

/// Values of attribute 11, Life Type.
pub static LIFE_TYPE: Registry =
    Registry::new("IKEv1 life types", &[point(1, "seconds", "RFC 2409"), point(2, "kilobytes", "RFC 2409")]);
