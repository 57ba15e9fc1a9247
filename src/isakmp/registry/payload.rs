//! Payload types: full names, and as `short` the notation that the RFCs use in message diagrams.
//!
//! Sources: IANA "Next Payload Types" of ISAKMP and "IKEv2 Payload Types"; private numbers as their owners published
//! them. Where a draft used a number that the registry gave to something else (15 and 16: NAT-D and NAT-OA of early
//! NAT traversal drafts), the row holds the registry's name and the decoder settles what is meant.

use super::code_point::{Registry, point};

/// Payload types under major version 1.
pub static V1: Registry = Registry::new(
    "ISAKMP payload types",
    &[
        point(0, "NONE", "RFC 2408"),
        point(1, "Security Association", "RFC 2408").short("SA"),
        point(2, "Proposal", "RFC 2408").short("P"),
        point(3, "Transform", "RFC 2408").short("T"),
        point(4, "Key Exchange", "RFC 2408").short("KE"),
        point(5, "Identification", "RFC 2408").short("ID"),
        point(6, "Certificate", "RFC 2408").short("CERT"),
        point(7, "Certificate Request", "RFC 2408").short("CR"),
        point(8, "Hash", "RFC 2408").short("HASH"),
        point(9, "Signature", "RFC 2408").short("SIG"),
        point(10, "Nonce", "RFC 2408").short("NONCE"),
        point(11, "Notification", "RFC 2408").short("N"),
        point(12, "Delete", "RFC 2408").short("D"),
        point(13, "Vendor ID", "RFC 2408").short("VID"),
        point(14, "Attributes", "draft-dukes-ike-mode-cfg-02").short("ATTR"),
        point(15, "SA KEK Payload", "RFC 3547; RFC 6407").short("SAK"),
        point(16, "SA TEK Payload", "RFC 3547; RFC 6407").short("SAT"),
        point(17, "Key Download", "RFC 3547").short("KD"),
        point(18, "Sequence Number", "RFC 3547").short("SEQ"),
        point(19, "Proof of Possession", "RFC 3547").short("POP"),
        point(20, "NAT Discovery", "RFC 3947").short("NAT-D"),
        point(21, "NAT Original Address", "RFC 3947").short("NAT-OA"),
        point(22, "Group Associated Policy", "RFC 6407").short("GAP"),
        point(129, "GSS-API Token", "draft-ietf-ipsec-isakmp-gss-auth-07").short("GSS"),
        point(130, "NAT Discovery (draft)", "draft-ietf-ipsec-nat-t-ike-02").short("NAT-D"),
        point(131, "NAT Original Address (draft)", "draft-ietf-ipsec-nat-t-ike-02").short("NAT-OA"),
        point(132, "Fragment", "MS-IKEE").short("FRAG"),
        point(133, "Crypto", "MS-AIPS §2.2.3.2").short("CRYPTO"),
    ],
);

/// Payload types under major version 2.
pub static V2: Registry = Registry::new(
    "IKEv2 payload types",
    &[
        point(0, "No Next Payload", "RFC 7296"),
        point(33, "Security Association", "RFC 7296").short("SA"),
        point(34, "Key Exchange", "RFC 7296").short("KE"),
        point(35, "Identification - Initiator", "RFC 7296").short("IDi"),
        point(36, "Identification - Responder", "RFC 7296").short("IDr"),
        point(37, "Certificate", "RFC 7296").short("CERT"),
        point(38, "Certificate Request", "RFC 7296").short("CERTREQ"),
        point(39, "Authentication", "RFC 7296").short("AUTH"),
        point(40, "Nonce", "RFC 7296"),
        point(41, "Notify", "RFC 7296").short("N"),
        point(42, "Delete", "RFC 7296").short("D"),
        point(43, "Vendor ID", "RFC 7296").short("VID"),
        point(44, "Traffic Selector - Initiator", "RFC 7296").short("TSi"),
        point(45, "Traffic Selector - Responder", "RFC 7296").short("TSr"),
        point(46, "Encrypted and Authenticated", "RFC 7296").short("SK"),
        point(47, "Configuration", "RFC 7296").short("CP"),
        point(48, "Extensible Authentication", "RFC 7296").short("EAP"),
        point(49, "Generic Secure Password Method", "RFC 6467").short("GSPM"),
        point(50, "Group Identification", "RFC 9838").short("IDg"),
        point(51, "Group Security Association", "RFC 9838").short("GSA"),
        point(52, "Key Download", "RFC 9838").short("KD"),
        point(53, "Encrypted and Authenticated Fragment", "RFC 7383").short("SKF"),
        point(54, "Puzzle Solution", "RFC 8019").short("PS"),
        point(128, "Identification - Peer", "private: strongSwan").short("IDp"),
    ],
);
