//! Attributes of IKEv1 phase 1 transforms and their values; `short` is what fits into a ladder line.
//!
//! Sources: RFC 2409 Appendix A and IANA "Internet Key Exchange (IKE) Attributes" with its value registries; private
//! numbers as their owners published them. Groups have their own table, see `group`.

use super::code_point::{Registry, registries};

registries! {
    /// Attribute types.
    ATTRIBUTES = "IKEv1 phase 1 attributes" {
        1 = "Encryption Algorithm", "RFC 2409";
        2 = "Hash Algorithm", "RFC 2409";
        3 = "Authentication Method", "RFC 2409";
        4 = "Group Description", "RFC 2409";
        5 = "Group Type", "RFC 2409";
        6 = "Group Prime/Irreducible Polynomial", "RFC 2409";
        7 = "Group Generator One", "RFC 2409";
        8 = "Group Generator Two", "RFC 2409";
        9 = "Group Curve A", "RFC 2409";
        10 = "Group Curve B", "RFC 2409";
        11 = "Life Type", "RFC 2409";
        12 = "Life Duration", "RFC 2409";
        13 = "PRF", "RFC 2409";
        14 = "Key Length", "RFC 2409";
        15 = "Field Size", "RFC 2409";
        16 = "Group Order", "RFC 2409";
        16384 = "GSS Identity Name", "draft-ietf-ipsec-isakmp-gss-auth";
    }

    /// Values of attribute 1, Encryption Algorithm.
    ENCRYPTION = "IKEv1 encryption algorithms" {
        1 = "DES-CBC", "RFC 2405";
        2 = "IDEA-CBC", "RFC 2409";
        3 = "Blowfish-CBC" as "BLOWFISH-CBC", "RFC 2409";
        4 = "RC5-R16-B64-CBC" as "RC5-CBC", "RFC 2409";
        5 = "3DES-CBC", "RFC 2409";
        6 = "CAST-CBC", "RFC 2409";
        7 = "AES-CBC", "RFC 3602";
        8 = "CAMELLIA-CBC", "RFC 4312";
        13 = "AES-CTR", "unregistered: the IKEv2 number";
        18 = "AES-GCM-8", "unregistered: the IKEv2 number";
        19 = "AES-GCM-12", "unregistered: the IKEv2 number";
        20 = "AES-GCM-16", "unregistered: the IKEv2 number";
        127 = "SM4-CBC", "GM/T 0022, deprecated";
        128 = "SM1-CBC", "GM/T 0022";
        129 = "SM4-CBC", "GM/T 0022";
        65001 = "MARS-CBC", "private: pluto";
        65002 = "RC6-CBC", "private: pluto";
        65004 = "SERPENT-CBC", "private: pluto";
        65005 = "TWOFISH-CBC", "private: pluto";
        65289 = "TWOFISH-CBC", "private: SSH";
    }

    /// Values of attribute 2, Hash Algorithm.
    HASH = "IKEv1 hash algorithms" {
        1 = "MD5", "RFC 1321";
        2 = "SHA" as "SHA1", "FIPS 180-1";
        3 = "Tiger" as "TIGER", "LNCS 1039";
        4 = "SHA2-256", "RFC 4868";
        5 = "SHA2-384", "RFC 4868";
        6 = "SHA2-512", "RFC 4868";
        20 = "SM3", "GM/T 0022";
    }

    /// Values of attribute 3, Authentication Method. Windows used 65001 for GSS-API before XAUTH claimed it.
    AUTHENTICATION = "IKEv1 authentication methods" {
        1 = "pre-shared key" as "PSK", "RFC 2409";
        2 = "DSS signatures" as "DSS-SIG", "RFC 2409";
        3 = "RSA signatures" as "RSA-SIG", "RFC 2409";
        4 = "Encryption with RSA" as "RSA-ENC", "RFC 2409";
        5 = "Revised encryption with RSA" as "RSA-REV-ENC", "RFC 2409";
        6 = "Encryption with El-Gamal" as "ELGAMAL-ENC", "IANA, withdrawn";
        7 = "Revised encryption with El-Gamal" as "ELGAMAL-REV-ENC", "IANA, withdrawn";
        8 = "ECDSA signatures" as "ECDSA-SIG", "IANA, withdrawn";
        9 = "ECDSA with SHA-256 on the P-256 curve" as "ECDSA-256", "RFC 4754";
        10 = "ECDSA with SHA-384 on the P-384 curve" as "ECDSA-384", "RFC 4754";
        11 = "ECDSA with SHA-512 on the P-521 curve" as "ECDSA-521", "RFC 4754";
        64221 = "HybridInitRSA" as "HYBRID-RSA", "draft-ietf-ipsec-isakmp-hybrid-auth-05";
        64222 = "HybridRespRSA" as "HYBRID-RSA-RESP", "draft-ietf-ipsec-isakmp-hybrid-auth-05";
        64223 = "HybridInitDSS" as "HYBRID-DSS", "draft-ietf-ipsec-isakmp-hybrid-auth-05";
        64224 = "HybridRespDSS" as "HYBRID-DSS-RESP", "draft-ietf-ipsec-isakmp-hybrid-auth-05";
        65001 = "XAUTHInitPreShared" as "XAUTH-PSK", "draft-ietf-ipsec-isakmp-xauth-06";
        65002 = "XAUTHRespPreShared" as "XAUTH-PSK-RESP", "draft-ietf-ipsec-isakmp-xauth-06";
        65003 = "XAUTHInitDSS" as "XAUTH-DSS", "draft-ietf-ipsec-isakmp-xauth-06";
        65004 = "XAUTHRespDSS" as "XAUTH-DSS-RESP", "draft-ietf-ipsec-isakmp-xauth-06";
        65005 = "XAUTHInitRSA" as "XAUTH-RSA", "draft-ietf-ipsec-isakmp-xauth-06";
        65006 = "XAUTHRespRSA" as "XAUTH-RSA-RESP", "draft-ietf-ipsec-isakmp-xauth-06";
        65007 = "XAUTHInitRSAEncryption" as "XAUTH-RSA-ENC", "draft-ietf-ipsec-isakmp-xauth-06";
        65008 = "XAUTHRespRSAEncryption" as "XAUTH-RSA-ENC-RESP", "draft-ietf-ipsec-isakmp-xauth-06";
        65009 = "XAUTHInitRSARevisedEncryption" as "XAUTH-RSA-REV-ENC", "draft-ietf-ipsec-isakmp-xauth-06";
        65010 = "XAUTHRespRSARevisedEncryption" as "XAUTH-RSA-REV-ENC-RESP", "draft-ietf-ipsec-isakmp-xauth-06";
    }

    /// Values of attribute 5, Group Type.
    GROUP_TYPE = "IKEv1 group types" {
        1 = "MODP", "RFC 2409";
        2 = "ECP", "RFC 2409";
        3 = "EC2N", "RFC 2409";
    }

    /// Values of attribute 11, Life Type.
    LIFE_TYPE = "IKEv1 life types" {
        1 = "seconds", "RFC 2409";
        2 = "kilobytes", "RFC 2409";
    }
}
