//! Payload types: full names, and as `short` the notation that the RFCs use in message diagrams.
//!
//! Sources: IANA "Next Payload Types" of ISAKMP and "IKEv2 Payload Types"; private numbers as their owners published
//! them. Where a draft used a number that the registry gave to something else (15 and 16: NAT-D and NAT-OA of early
//! NAT traversal drafts), the row holds the registry's name and the decoder settles what is meant.

use super::code_point::{Registry, registries};

registries! {
    /// Payload types under major version 1.
    V1 = "ISAKMP payload types" {
        0 = "NONE", "RFC 2408";
        1 = "Security Association" as "SA", "RFC 2408";
        2 = "Proposal" as "P", "RFC 2408";
        3 = "Transform" as "T", "RFC 2408";
        4 = "Key Exchange" as "KE", "RFC 2408";
        5 = "Identification" as "ID", "RFC 2408";
        6 = "Certificate" as "CERT", "RFC 2408";
        7 = "Certificate Request" as "CR", "RFC 2408";
        8 = "Hash" as "HASH", "RFC 2408";
        9 = "Signature" as "SIG", "RFC 2408";
        10 = "Nonce" as "NONCE", "RFC 2408";
        11 = "Notification" as "N", "RFC 2408";
        12 = "Delete" as "D", "RFC 2408";
        13 = "Vendor ID" as "VID", "RFC 2408";
        14 = "Attributes" as "ATTR", "draft-dukes-ike-mode-cfg-02";
        15 = "SA KEK Payload" as "SAK", "RFC 3547; RFC 6407";
        16 = "SA TEK Payload" as "SAT", "RFC 3547; RFC 6407";
        17 = "Key Download" as "KD", "RFC 3547";
        18 = "Sequence Number" as "SEQ", "RFC 3547";
        19 = "Proof of Possession" as "POP", "RFC 3547";
        20 = "NAT Discovery" as "NAT-D", "RFC 3947";
        21 = "NAT Original Address" as "NAT-OA", "RFC 3947";
        22 = "Group Associated Policy" as "GAP", "RFC 6407";
        129 = "GSS-API Token" as "GSS", "draft-ietf-ipsec-isakmp-gss-auth-07";
        130 = "NAT Discovery (draft)" as "NAT-D", "draft-ietf-ipsec-nat-t-ike-02";
        131 = "NAT Original Address (draft)" as "NAT-OA", "draft-ietf-ipsec-nat-t-ike-02";
        132 = "Fragment" as "FRAG", "MS-IKEE";
        133 = "Crypto" as "CRYPTO", "MS-AIPS §2.2.3.2";
    }

    /// Payload types under major version 2.
    V2 = "IKEv2 payload types" {
        0 = "No Next Payload", "RFC 7296";
        33 = "Security Association" as "SA", "RFC 7296";
        34 = "Key Exchange" as "KE", "RFC 7296";
        35 = "Identification - Initiator" as "IDi", "RFC 7296";
        36 = "Identification - Responder" as "IDr", "RFC 7296";
        37 = "Certificate" as "CERT", "RFC 7296";
        38 = "Certificate Request" as "CERTREQ", "RFC 7296";
        39 = "Authentication" as "AUTH", "RFC 7296";
        40 = "Nonce", "RFC 7296";
        41 = "Notify" as "N", "RFC 7296";
        42 = "Delete" as "D", "RFC 7296";
        43 = "Vendor ID" as "VID", "RFC 7296";
        44 = "Traffic Selector - Initiator" as "TSi", "RFC 7296";
        45 = "Traffic Selector - Responder" as "TSr", "RFC 7296";
        46 = "Encrypted and Authenticated" as "SK", "RFC 7296";
        47 = "Configuration" as "CP", "RFC 7296";
        48 = "Extensible Authentication" as "EAP", "RFC 7296";
        49 = "Generic Secure Password Method" as "GSPM", "RFC 6467";
        50 = "Group Identification" as "IDg", "RFC 9838";
        51 = "Group Security Association" as "GSA", "RFC 9838";
        52 = "Key Download" as "KD", "RFC 9838";
        53 = "Encrypted and Authenticated Fragment" as "SKF", "RFC 7383";
        54 = "Puzzle Solution" as "PS", "RFC 8019";
        128 = "Identification - Peer" as "IDp", "private: strongSwan";
    }
}
