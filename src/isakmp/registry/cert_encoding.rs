//! Certificate encodings of CERT and certificate request payloads.
//!
//! Sources: RFC 2408 §3.9 and IANA "IKEv2 Certificate Encodings".

use super::code_point::{Registry, registries};

registries! {
    /// Certificate encodings under major version 1.
    V1 = "ISAKMP certificate encodings" {
        0 = "NONE", "RFC 2408 §3.9";
        1 = "PKCS #7 wrapped X.509 certificate", "RFC 2408 §3.9";
        2 = "PGP Certificate", "RFC 2408 §3.9";
        3 = "DNS Signed Key", "RFC 2408 §3.9";
        4 = "X.509 Certificate - Signature", "RFC 2408 §3.9";
        5 = "X.509 Certificate - Key Exchange", "RFC 2408 §3.9";
        6 = "Kerberos Tokens", "RFC 2408 §3.9";
        7 = "Certificate Revocation List (CRL)", "RFC 2408 §3.9";
        8 = "Authority Revocation List (ARL)", "RFC 2408 §3.9";
        9 = "SPKI Certificate", "RFC 2408 §3.9";
        10 = "X.509 Certificate - Attribute", "RFC 2408 §3.9";
    }

    /// Certificate encodings under major version 2.
    V2 = "IKEv2 certificate encodings" {
        1 = "PKCS #7 wrapped X.509 certificate", "IANA";
        2 = "PGP Certificate", "IANA";
        3 = "DNS Signed Key", "IANA";
        4 = "X.509 Certificate - Signature", "RFC 7296";
        6 = "Kerberos Token", "IANA";
        7 = "Certificate Revocation List (CRL)", "RFC 7296";
        8 = "Authority Revocation List (ARL)", "IANA";
        9 = "SPKI Certificate", "IANA";
        10 = "X.509 Certificate - Attribute", "IANA";
        11 = "Raw RSA Key", "RFC 7296";
        12 = "Hash and URL of X.509 certificate", "RFC 7296";
        13 = "Hash and URL of X.509 bundle", "RFC 7296";
        14 = "OCSP Content", "RFC 4806";
        15 = "Raw Public Key", "RFC 7670";
    }
}
