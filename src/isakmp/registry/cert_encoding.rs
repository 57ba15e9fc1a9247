//! Certificate encodings of CERT and certificate request payloads.
//!
//! Sources: RFC 2408 §3.9 and IANA "IKEv2 Certificate Encodings".

use super::code_point::{Registry, point};

/// Certificate encodings under major version 1.
pub static V1: Registry = Registry::new(
    "ISAKMP certificate encodings",
    &[
        point(0, "NONE", "RFC 2408 §3.9"),
        point(1, "PKCS #7 wrapped X.509 certificate", "RFC 2408 §3.9"),
        point(2, "PGP Certificate", "RFC 2408 §3.9"),
        point(3, "DNS Signed Key", "RFC 2408 §3.9"),
        point(4, "X.509 Certificate - Signature", "RFC 2408 §3.9"),
        point(5, "X.509 Certificate - Key Exchange", "RFC 2408 §3.9"),
        point(6, "Kerberos Tokens", "RFC 2408 §3.9"),
        point(7, "Certificate Revocation List (CRL)", "RFC 2408 §3.9"),
        point(8, "Authority Revocation List (ARL)", "RFC 2408 §3.9"),
        point(9, "SPKI Certificate", "RFC 2408 §3.9"),
        point(10, "X.509 Certificate - Attribute", "RFC 2408 §3.9"),
    ],
);

/// Certificate encodings under major version 2.
pub static V2: Registry = Registry::new(
    "IKEv2 certificate encodings",
    &[
        point(1, "PKCS #7 wrapped X.509 certificate", "IANA"),
        point(2, "PGP Certificate", "IANA"),
        point(3, "DNS Signed Key", "IANA"),
        point(4, "X.509 Certificate - Signature", "RFC 7296"),
        point(6, "Kerberos Token", "IANA"),
        point(7, "Certificate Revocation List (CRL)", "RFC 7296"),
        point(8, "Authority Revocation List (ARL)", "IANA"),
        point(9, "SPKI Certificate", "IANA"),
        point(10, "X.509 Certificate - Attribute", "IANA"),
        point(11, "Raw RSA Key", "RFC 7296"),
        point(12, "Hash and URL of X.509 certificate", "RFC 7296"),
        point(13, "Hash and URL of X.509 bundle", "RFC 7296"),
        point(14, "OCSP Content", "RFC 4806"),
        point(15, "Raw Public Key", "RFC 7670"),
    ],
);
