//! IKEv2 authentication methods (IKEv1 names them in an attribute, see `phase1`).
//!
//! Source: IANA "IKEv2 Authentication Method".

use super::code_point::{Registry, registries};

registries! {
    /// Authentication methods of the AUTH payload.
    V2 = "IKEv2 authentication methods" {
        1 = "RSA Digital Signature", "RFC 7296";
        2 = "Shared Key Message Integrity Code", "RFC 7296";
        3 = "DSS Digital Signature", "RFC 7296";
        9 = "ECDSA with SHA-256 on the P-256 curve", "RFC 4754";
        10 = "ECDSA with SHA-384 on the P-384 curve", "RFC 4754";
        11 = "ECDSA with SHA-512 on the P-521 curve", "RFC 4754";
        12 = "Generic Secure Password Authentication Method", "RFC 6467";
        13 = "NULL Authentication", "RFC 7619";
        14 = "Digital Signature", "RFC 7427";
    }
}
