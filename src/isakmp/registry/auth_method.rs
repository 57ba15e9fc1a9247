//! IKEv2 authentication methods (IKEv1 names them in an attribute, see `phase1`).
//!
//! Source: IANA "IKEv2 Authentication Method".

use super::code_point::{Registry, point};

/// Authentication methods of the AUTH payload.
pub static V2: Registry = Registry::new(
    "IKEv2 authentication methods",
    &[
        point(1, "RSA Digital Signature", "RFC 7296"),
        point(2, "Shared Key Message Integrity Code", "RFC 7296"),
        point(3, "DSS Digital Signature", "RFC 7296"),
        point(9, "ECDSA with SHA-256 on the P-256 curve", "RFC 4754"),
        point(10, "ECDSA with SHA-384 on the P-384 curve", "RFC 4754"),
        point(11, "ECDSA with SHA-512 on the P-521 curve", "RFC 4754"),
        point(12, "Generic Secure Password Authentication Method", "RFC 6467"),
        point(13, "NULL Authentication", "RFC 7619"),
        point(14, "Digital Signature", "RFC 7427"),
    ],
);
