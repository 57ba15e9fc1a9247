//! Exchange types.
//!
//! Sources: IANA "ISAKMP Exchange Type" and "IKEv2 Exchange Types"; the types above 239 are Microsoft's (MS-AIPS).

use super::code_point::{Registry, registries};

registries! {
    /// Exchange types under major version 1.
    V1 = "ISAKMP exchange types" {
        0 = "NONE", "RFC 2408";
        1 = "Base", "RFC 2408";
        2 = "Identity Protection", "RFC 2408";
        3 = "Authentication Only", "RFC 2408";
        4 = "Aggressive", "RFC 2408";
        5 = "Informational", "RFC 2408";
        6 = "Transaction", "draft-dukes-ike-mode-cfg-02";
        32 = "Quick Mode", "RFC 2409";
        33 = "New Group Mode", "RFC 2409";
        243 = "AuthIP Main Mode", "MS-AIPS §2.2.1";
        244 = "AuthIP Quick Mode", "MS-AIPS §2.2.1";
        245 = "AuthIP Extended Mode", "MS-AIPS §2.2.1";
        246 = "AuthIP Notify", "MS-AIPS §2.2.1";
    }

    /// Exchange types under major version 2.
    V2 = "IKEv2 exchange types" {
        34 = "IKE_SA_INIT", "RFC 7296";
        35 = "IKE_AUTH", "RFC 7296";
        36 = "CREATE_CHILD_SA", "RFC 7296";
        37 = "INFORMATIONAL", "RFC 7296";
        38 = "IKE_SESSION_RESUME", "RFC 5723";
        39 = "GSA_AUTH", "RFC 9838";
        40 = "GSA_REGISTRATION", "RFC 9838";
        41 = "GSA_REKEY", "RFC 9838";
        42 = "GSA_INBAND_REKEY", "RFC 9838";
        43 = "IKE_INTERMEDIATE", "RFC 9242";
        44 = "IKE_FOLLOWUP_KE", "RFC 9370";
    }
}
