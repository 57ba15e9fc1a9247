//! Exchange types.
//!
//! Sources: IANA "ISAKMP Exchange Type" and "IKEv2 Exchange Types"; the types above 239 are Microsoft's (MS-AIPS).

use super::code_point::{Registry, point};

/// Exchange types under major version 1.
pub static V1: Registry = Registry::new(
    "ISAKMP exchange types",
    &[
        point(0, "NONE", "RFC 2408"),
        point(1, "Base", "RFC 2408"),
        point(2, "Identity Protection", "RFC 2408"),
        point(3, "Authentication Only", "RFC 2408"),
        point(4, "Aggressive", "RFC 2408"),
        point(5, "Informational", "RFC 2408"),
        point(6, "Transaction", "draft-dukes-ike-mode-cfg-02"),
        point(32, "Quick Mode", "RFC 2409"),
        point(33, "New Group Mode", "RFC 2409"),
        point(243, "AuthIP Main Mode", "MS-AIPS §2.2.1"),
        point(244, "AuthIP Quick Mode", "MS-AIPS §2.2.1"),
        point(245, "AuthIP Extended Mode", "MS-AIPS §2.2.1"),
        point(246, "AuthIP Notify", "MS-AIPS §2.2.1"),
    ],
);

/// Exchange types under major version 2.
pub static V2: Registry = Registry::new(
    "IKEv2 exchange types",
    &[
        point(34, "IKE_SA_INIT", "RFC 7296"),
        point(35, "IKE_AUTH", "RFC 7296"),
        point(36, "CREATE_CHILD_SA", "RFC 7296"),
        point(37, "INFORMATIONAL", "RFC 7296"),
        point(38, "IKE_SESSION_RESUME", "RFC 5723"),
        point(39, "GSA_AUTH", "RFC 9838"),
        point(40, "GSA_REGISTRATION", "RFC 9838"),
        point(41, "GSA_REKEY", "RFC 9838"),
        point(42, "GSA_INBAND_REKEY", "RFC 9838"),
        point(43, "IKE_INTERMEDIATE", "RFC 9242"),
        point(44, "IKE_FOLLOWUP_KE", "RFC 9370"),
    ],
);
