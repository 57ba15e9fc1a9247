//! Notify message types.
//!
//! Sources: IANA "IPSEC Notify Message Types" with RFC 2408 §3.14.1, and the two IKEv2 registries "Notify Message
//! Error Types" and "Notify Message Status Types"; private numbers as their owners published them. Errors end at
//! 16383 in both versions.

use super::code_point::{Registry, registries};

/// First notify message type that is a status and no error, in both versions (RFC 2408 §3.14.1, RFC 7296 §3.10.1).
pub const FIRST_STATUS: u16 = 16384;

registries! {
    /// Notify message types under major version 1.
    V1 = "ISAKMP notify message types" {
        1 = "INVALID-PAYLOAD-TYPE", "RFC 2408";
        2 = "DOI-NOT-SUPPORTED", "RFC 2408";
        3 = "SITUATION-NOT-SUPPORTED", "RFC 2408";
        4 = "INVALID-COOKIE", "RFC 2408";
        5 = "INVALID-MAJOR-VERSION", "RFC 2408";
        6 = "INVALID-MINOR-VERSION", "RFC 2408";
        7 = "INVALID-EXCHANGE-TYPE", "RFC 2408";
        8 = "INVALID-FLAGS", "RFC 2408";
        9 = "INVALID-MESSAGE-ID", "RFC 2408";
        10 = "INVALID-PROTOCOL-ID", "RFC 2408";
        11 = "INVALID-SPI", "RFC 2408";
        12 = "INVALID-TRANSFORM-ID", "RFC 2408";
        13 = "ATTRIBUTES-NOT-SUPPORTED", "RFC 2408";
        14 = "NO-PROPOSAL-CHOSEN", "RFC 2408";
        15 = "BAD-PROPOSAL-SYNTAX", "RFC 2408";
        16 = "PAYLOAD-MALFORMED", "RFC 2408";
        17 = "INVALID-KEY-INFORMATION", "RFC 2408";
        18 = "INVALID-ID-INFORMATION", "RFC 2408";
        19 = "INVALID-CERT-ENCODING", "RFC 2408";
        20 = "INVALID-CERTIFICATE", "RFC 2408";
        21 = "CERT-TYPE-UNSUPPORTED", "RFC 2408";
        22 = "INVALID-CERT-AUTHORITY", "RFC 2408";
        23 = "INVALID-HASH-INFORMATION", "RFC 2408";
        24 = "AUTHENTICATION-FAILED", "RFC 2408";
        25 = "INVALID-SIGNATURE", "RFC 2408";
        26 = "ADDRESS-NOTIFICATION", "RFC 2408";
        27 = "NOTIFY-SA-LIFETIME", "RFC 2408";
        28 = "CERTIFICATE-UNAVAILABLE", "RFC 2408";
        29 = "UNSUPPORTED-EXCHANGE-TYPE", "RFC 2408";
        30 = "UNEQUAL-PAYLOAD-LENGTHS", "RFC 2408";
        16384 = "CONNECTED", "RFC 2408";
        24576 = "RESPONDER-LIFETIME", "RFC 2407";
        24577 = "REPLAY-STATUS", "RFC 2407";
        24578 = "INITIAL-CONTACT", "RFC 2407";
        30000 = "CISCO_HELLO", "private: Cisco";
        30001 = "CISCO_WWTEBR", "private: Cisco";
        30002 = "CISCO_SHUT_UP", "private: Cisco";
        32768 = "IOS_KEEP_ALIVE_REQ", "private: Cisco";
        32769 = "IOS_KEEP_ALIVE_ACK", "private: Cisco";
        36136 = "R-U-THERE", "RFC 3706";
        36137 = "R-U-THERE-ACK", "RFC 3706";
        40001 = "NETSCREEN_NHTB_INFORM", "private: NetScreen";
        40003 = "NOTIFY_STATUS", "MS-IKEE §2.2.6";
        40004 = "NOTIFY_DOS_COOKIE", "MS-IKEE §2.2.6";
        40005 = "EXCHANGE_INFO", "MS-IKEE §2.2.6";
        40501 = "UNITY_LOAD_BALANCE", "private: Cisco";
        40502 = "UNITY_UNKNOWN", "private: Cisco";
        40503 = "UNITY_GROUP_HASH", "private: Cisco";
    }

    /// Notify message types under major version 2.
    V2 = "IKEv2 notify message types" {
        1 = "UNSUPPORTED_CRITICAL_PAYLOAD", "RFC 7296";
        4 = "INVALID_IKE_SPI", "RFC 7296";
        5 = "INVALID_MAJOR_VERSION", "RFC 7296";
        7 = "INVALID_SYNTAX", "RFC 7296";
        9 = "INVALID_MESSAGE_ID", "RFC 7296";
        11 = "INVALID_SPI", "RFC 7296";
        14 = "NO_PROPOSAL_CHOSEN", "RFC 7296";
        17 = "INVALID_KE_PAYLOAD", "RFC 7296";
        24 = "AUTHENTICATION_FAILED", "RFC 7296";
        34 = "SINGLE_PAIR_REQUIRED", "RFC 7296";
        35 = "NO_ADDITIONAL_SAS", "RFC 7296";
        36 = "INTERNAL_ADDRESS_FAILURE", "RFC 7296";
        37 = "FAILED_CP_REQUIRED", "RFC 7296";
        38 = "TS_UNACCEPTABLE", "RFC 7296";
        39 = "INVALID_SELECTORS", "RFC 7296";
        40 = "UNACCEPTABLE_ADDRESSES", "RFC 4555";
        41 = "UNEXPECTED_NAT_DETECTED", "RFC 4555";
        42 = "USE_ASSIGNED_HoA", "RFC 5026";
        43 = "TEMPORARY_FAILURE", "RFC 7296";
        44 = "CHILD_SA_NOT_FOUND", "RFC 7296";
        45 = "INVALID_GROUP_ID", "RFC 9838";
        46 = "AUTHORIZATION_FAILED", "RFC 9838";
        47 = "STATE_NOT_FOUND", "RFC 9370";
        48 = "TS_MAX_QUEUE", "RFC 9611";
        49 = "REGISTRATION_FAILED", "RFC 9838";
        8192 = "ME_CONNECT_FAILED", "private: strongSwan IKE-ME";
        12345 = "NOTIFY_STATUS", "MS-IKEE §2.2.7";
        16384 = "INITIAL_CONTACT", "RFC 7296";
        16385 = "SET_WINDOW_SIZE", "RFC 7296";
        16386 = "ADDITIONAL_TS_POSSIBLE", "RFC 7296";
        16387 = "IPCOMP_SUPPORTED", "RFC 7296";
        16388 = "NAT_DETECTION_SOURCE_IP", "RFC 7296";
        16389 = "NAT_DETECTION_DESTINATION_IP", "RFC 7296";
        16390 = "COOKIE", "RFC 7296";
        16391 = "USE_TRANSPORT_MODE", "RFC 7296";
        16392 = "HTTP_CERT_LOOKUP_SUPPORTED", "RFC 7296";
        16393 = "REKEY_SA", "RFC 7296";
        16394 = "ESP_TFC_PADDING_NOT_SUPPORTED", "RFC 7296";
        16395 = "NON_FIRST_FRAGMENTS_ALSO", "RFC 7296";
        16396 = "MOBIKE_SUPPORTED", "RFC 4555";
        16397 = "ADDITIONAL_IP4_ADDRESS", "RFC 4555";
        16398 = "ADDITIONAL_IP6_ADDRESS", "RFC 4555";
        16399 = "NO_ADDITIONAL_ADDRESSES", "RFC 4555";
        16400 = "UPDATE_SA_ADDRESSES", "RFC 4555";
        16401 = "COOKIE2", "RFC 4555";
        16402 = "NO_NATS_ALLOWED", "RFC 4555";
        16403 = "AUTH_LIFETIME", "RFC 4478";
        16404 = "MULTIPLE_AUTH_SUPPORTED", "RFC 4739";
        16405 = "ANOTHER_AUTH_FOLLOWS", "RFC 4739";
        16406 = "REDIRECT_SUPPORTED", "RFC 5685";
        16407 = "REDIRECT", "RFC 5685";
        16408 = "REDIRECTED_FROM", "RFC 5685";
        16409 = "TICKET_LT_OPAQUE", "RFC 5723";
        16410 = "TICKET_REQUEST", "RFC 5723";
        16411 = "TICKET_ACK", "RFC 5723";
        16412 = "TICKET_NACK", "RFC 5723";
        16413 = "TICKET_OPAQUE", "RFC 5723";
        16414 = "LINK_ID", "RFC 5739";
        16415 = "USE_WESP_MODE", "RFC 5840";
        16416 = "ROHC_SUPPORTED", "RFC 5857";
        16417 = "EAP_ONLY_AUTHENTICATION", "RFC 5998";
        16418 = "CHILDLESS_IKEV2_SUPPORTED", "RFC 6023";
        16419 = "QUICK_CRASH_DETECTION", "RFC 6290";
        16420 = "IKEV2_MESSAGE_ID_SYNC_SUPPORTED", "RFC 6311";
        16421 = "IPSEC_REPLAY_COUNTER_SYNC_SUPPORTED", "RFC 6311";
        16422 = "IKEV2_MESSAGE_ID_SYNC", "RFC 6311";
        16423 = "IPSEC_REPLAY_COUNTER_SYNC", "RFC 6311";
        16424 = "SECURE_PASSWORD_METHODS", "RFC 6467";
        16425 = "PSK_PERSIST", "RFC 6631";
        16426 = "PSK_CONFIRM", "RFC 6631";
        16427 = "ERX_SUPPORTED", "RFC 6867";
        16428 = "IFOM_CAPABILITY", "3GPP TS 24.303";
        16429 = "GROUP_SENDER", "RFC 9838";
        16430 = "IKEV2_FRAGMENTATION_SUPPORTED", "RFC 7383";
        16431 = "SIGNATURE_HASH_ALGORITHMS", "RFC 7427";
        16432 = "CLONE_IKE_SA_SUPPORTED", "RFC 7791";
        16433 = "CLONE_IKE_SA", "RFC 7791";
        16434 = "PUZZLE", "RFC 8019";
        16435 = "USE_PPK", "RFC 8784";
        16436 = "PPK_IDENTITY", "RFC 8784";
        16437 = "NO_PPK_AUTH", "RFC 8784";
        16438 = "INTERMEDIATE_EXCHANGE_SUPPORTED", "RFC 9242";
        16439 = "IP4_ALLOWED", "RFC 8983";
        16440 = "IP6_ALLOWED", "RFC 8983";
        16441 = "ADDITIONAL_KEY_EXCHANGE", "RFC 9370";
        16442 = "USE_AGGFRAG", "RFC 9347";
        16443 = "SUPPORTED_AUTH_METHODS", "RFC 9593";
        16444 = "SA_RESOURCE_INFO", "RFC 9611";
        16445 = "USE_PPK_INT", "RFC 9867";
        16446 = "PPK_IDENTITY_KEY", "RFC 9867";
        16447 = "IKE_SA_INIT_FULL_TRANSCRIPT_AUTH", "draft-ietf-ipsecme-ikev2-downgrade-prevention-08";
        40960 = "NULL_AUTH", "private: libreswan";
        40961 = "USE_BEET_MODE", "private: strongSwan";
        40962 = "ME_MEDIATION", "private: strongSwan";
        40963 = "ME_ENDPOINT", "private: strongSwan";
        40964 = "ME_CALLBACK", "private: strongSwan";
        40965 = "ME_CONNECTID", "private: strongSwan";
        40966 = "ME_CONNECTKEY", "private: strongSwan";
        40967 = "ME_CONNECTAUTH", "private: strongSwan";
        40968 = "ME_RESPONSE", "private: strongSwan";
        40969 = "RADIUS_ATTRIBUTE", "private: strongSwan";
    }
}
