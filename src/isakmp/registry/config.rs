//! Configuration payloads: their types, their attributes, and XAUTH's types.
//!
//! Sources: draft-dukes-ike-mode-cfg and draft-beaulieu-ike-xauth for IKEv1, IANA "IKEv2 Configuration Payload CFG
//! Types" and "Attribute Types" for IKEv2; private numbers as their owners published them.

use super::code_point::{Registry, registries};

registries! {
    /// Configuration types under major version 1.
    TYPES_V1 = "Mode Config types" {
        1 = "ISAKMP_CFG_REQUEST", "draft-dukes-ike-mode-cfg-02";
        2 = "ISAKMP_CFG_REPLY", "draft-dukes-ike-mode-cfg-02";
        3 = "ISAKMP_CFG_SET", "draft-dukes-ike-mode-cfg-02";
        4 = "ISAKMP_CFG_ACK", "draft-dukes-ike-mode-cfg-02";
    }

    /// Configuration types under major version 2.
    TYPES_V2 = "IKEv2 configuration types" {
        1 = "CFG_REQUEST", "RFC 7296";
        2 = "CFG_REPLY", "RFC 7296";
        3 = "CFG_SET", "RFC 7296";
        4 = "CFG_ACK", "RFC 7296";
    }

    /// Configuration attributes under major version 1.
    ATTRIBUTES_V1 = "Mode Config and XAUTH attributes" {
        1 = "INTERNAL_IP4_ADDRESS", "draft-dukes-ike-mode-cfg-02";
        2 = "INTERNAL_IP4_NETMASK", "draft-dukes-ike-mode-cfg-02";
        3 = "INTERNAL_IP4_DNS", "draft-dukes-ike-mode-cfg-02";
        4 = "INTERNAL_IP4_NBNS", "draft-dukes-ike-mode-cfg-02";
        5 = "INTERNAL_ADDRESS_EXPIRY", "draft-dukes-ike-mode-cfg-02";
        6 = "INTERNAL_IP4_DHCP", "draft-dukes-ike-mode-cfg-02";
        7 = "APPLICATION_VERSION", "draft-dukes-ike-mode-cfg-02";
        8 = "INTERNAL_IP6_ADDRESS", "draft-dukes-ike-mode-cfg-02";
        9 = "INTERNAL_IP6_NETMASK", "draft-dukes-ike-mode-cfg-02";
        10 = "INTERNAL_IP6_DNS", "draft-dukes-ike-mode-cfg-02";
        11 = "INTERNAL_IP6_NBNS", "draft-dukes-ike-mode-cfg-02";
        12 = "INTERNAL_IP6_DHCP", "draft-dukes-ike-mode-cfg-02";
        13 = "INTERNAL_IP4_SUBNET", "draft-dukes-ike-mode-cfg-02";
        14 = "SUPPORTED_ATTRIBUTES", "draft-dukes-ike-mode-cfg-02";
        15 = "INTERNAL_IP6_SUBNET", "draft-dukes-ike-mode-cfg-02";
        16387 = "CHKPT_DEF_DOMAIN", "private: Check Point";
        16388 = "CHKPT_MAC_ADDRESS", "private: Check Point";
        16389 = "CHKPT_MARCIPAN_REASON_CODE", "private: Check Point";
        16520 = "XAUTH_TYPE", "draft-beaulieu-ike-xauth-02";
        16521 = "XAUTH_USER_NAME", "draft-beaulieu-ike-xauth-02";
        16522 = "XAUTH_USER_PASSWORD", "draft-beaulieu-ike-xauth-02";
        16523 = "XAUTH_PASSCODE", "draft-beaulieu-ike-xauth-02";
        16524 = "XAUTH_MESSAGE", "draft-beaulieu-ike-xauth-02";
        16525 = "XAUTH_CHALLENGE", "draft-beaulieu-ike-xauth-02";
        16526 = "XAUTH_DOMAIN", "draft-beaulieu-ike-xauth-02";
        16527 = "XAUTH_STATUS", "draft-beaulieu-ike-xauth-02";
        16528 = "XAUTH_NEXT_PIN", "draft-beaulieu-ike-xauth-02";
        16529 = "XAUTH_ANSWER", "draft-beaulieu-ike-xauth-02";
        23456 = "INTERNAL_IP4_SERVER", "MS-IKEE";
        23457 = "INTERNAL_IP6_SERVER", "MS-IKEE";
        28672 = "UNITY_BANNER", "private: Cisco Unity";
        28673 = "UNITY_SAVE_PASSWD", "private: Cisco Unity";
        28674 = "UNITY_DEF_DOMAIN", "private: Cisco Unity";
        28675 = "UNITY_SPLITDNS_NAME", "private: Cisco Unity";
        28676 = "UNITY_SPLIT_INCLUDE", "private: Cisco Unity";
        28677 = "UNITY_NATT_PORT", "private: Cisco Unity";
        28678 = "UNITY_LOCAL_LAN", "private: Cisco Unity";
        28679 = "UNITY_PFS", "private: Cisco Unity";
        28680 = "UNITY_FW_TYPE", "private: Cisco Unity";
        28681 = "UNITY_BACKUP_SERVERS", "private: Cisco Unity";
        28682 = "UNITY_DDNS_HOSTNAME", "private: Cisco Unity";
    }

    /// Configuration attributes under major version 2.
    ATTRIBUTES_V2 = "IKEv2 configuration attributes" {
        1 = "INTERNAL_IP4_ADDRESS", "RFC 7296";
        2 = "INTERNAL_IP4_NETMASK", "RFC 7296";
        3 = "INTERNAL_IP4_DNS", "RFC 7296";
        4 = "INTERNAL_IP4_NBNS", "RFC 7296";
        6 = "INTERNAL_IP4_DHCP", "RFC 7296";
        7 = "APPLICATION_VERSION", "RFC 7296";
        8 = "INTERNAL_IP6_ADDRESS", "RFC 7296";
        10 = "INTERNAL_IP6_DNS", "RFC 7296";
        12 = "INTERNAL_IP6_DHCP", "RFC 7296";
        13 = "INTERNAL_IP4_SUBNET", "RFC 7296";
        14 = "SUPPORTED_ATTRIBUTES", "RFC 7296";
        15 = "INTERNAL_IP6_SUBNET", "RFC 7296";
        16 = "MIP6_HOME_PREFIX", "RFC 5026";
        17 = "INTERNAL_IP6_LINK", "RFC 5739";
        18 = "INTERNAL_IP6_PREFIX", "RFC 5739";
        19 = "HOME_AGENT_ADDRESS", "3GPP TS 24.302";
        20 = "P_CSCF_IP4_ADDRESS", "RFC 7651";
        21 = "P_CSCF_IP6_ADDRESS", "RFC 7651";
        22 = "FTT_KAT", "3GPP TS 24.302 12.6.0";
        23 = "EXTERNAL_SOURCE_IP4_NAT_INFO", "3GPP TS 29.139";
        24 = "TIMEOUT_PERIOD_FOR_LIVENESS_CHECK", "3GPP TS 24.302 13.4.0";
        25 = "INTERNAL_DNS_DOMAIN", "RFC 8598";
        26 = "INTERNAL_DNSSEC_TA", "RFC 8598";
        27 = "ENCDNS_IP4", "RFC 9464";
        28 = "ENCDNS_IP6", "RFC 9464";
        29 = "ENCDNS_DIGEST_INFO", "RFC 9464";
    }

    /// Values of XAUTH_TYPE.
    XAUTH_TYPES = "XAUTH types" {
        0 = "Generic", "draft-beaulieu-ike-xauth-02";
        1 = "RADIUS-CHAP", "draft-beaulieu-ike-xauth-02";
        2 = "OTP", "draft-beaulieu-ike-xauth-02";
        3 = "S/KEY", "draft-beaulieu-ike-xauth-02";
    }
}
