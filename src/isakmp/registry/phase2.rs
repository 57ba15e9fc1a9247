//! Attributes of IKEv1 phase 2 (IPsec DOI) transforms and their values.
//!
//! Sources: RFC 2407 §4.5 and IANA "IPSEC Security Association Attributes" with its value registries; private numbers
//! as their owners published them. Groups have their own table, see `group`.

use super::code_point::{Registry, registries};

registries! {
    /// Attribute types.
    ATTRIBUTES = "IPsec DOI SA attributes" {
        1 = "SA Life Type", "RFC 2407";
        2 = "SA Life Duration", "RFC 2407";
        3 = "Group Description", "RFC 2407";
        4 = "Encapsulation Mode", "RFC 2407";
        5 = "Authentication Algorithm", "RFC 2407";
        6 = "Key Length", "RFC 2407";
        7 = "Key Rounds", "RFC 2407";
        8 = "Compress Dictionary Size", "RFC 2407";
        9 = "Compress Private Algorithm", "RFC 2407";
        10 = "ECN Tunnel", "RFC 3168";
        11 = "Extended (64-bit) Sequence Number", "RFC 4304";
        12 = "Authentication Key Length", "RFC 4359";
        13 = "Signature Encoding Algorithm", "RFC 4359";
        14 = "Address Preservation", "RFC 6407";
        15 = "SA Direction", "RFC 6407";
        32001 = "Security Context", "private: libreswan";
    }

    /// Values of attribute 1, SA Life Type.
    LIFE_TYPE = "IPsec DOI SA life types" {
        1 = "seconds", "RFC 2407";
        2 = "kilobytes", "RFC 2407";
    }

    /// Values of attribute 4, Encapsulation Mode.
    ENCAPSULATION = "IPsec DOI encapsulation modes" {
        1 = "Tunnel", "RFC 2407";
        2 = "Transport", "RFC 2407";
        3 = "UDP-Encapsulated-Tunnel", "RFC 3947";
        4 = "UDP-Encapsulated-Transport", "RFC 3947";
        61440 = "UDP encapsulation", "private: Check Point";
        61443 = "UDP-Encapsulated-Tunnel (draft)", "draft-ietf-ipsec-nat-t-ike-03";
        61444 = "UDP-Encapsulated-Transport (draft)", "draft-ietf-ipsec-nat-t-ike-03";
    }

    /// Values of attribute 5, Authentication Algorithm.
    AUTHENTICATION = "IPsec DOI authentication algorithms" {
        1 = "HMAC-MD5", "RFC 2407";
        2 = "HMAC-SHA", "RFC 2407";
        3 = "DES-MAC", "RFC 2407";
        4 = "KPDK", "RFC 2407";
        5 = "HMAC-SHA2-256", "IANA";
        6 = "HMAC-SHA2-384", "IANA";
        7 = "HMAC-SHA2-512", "IANA";
        8 = "HMAC-RIPEMD", "RFC 2857";
        9 = "AES-XCBC-MAC", "RFC 3566";
        10 = "SIG-RSA", "RFC 4359";
        11 = "AES-128-GMAC", "RFC 4543";
        12 = "AES-192-GMAC", "RFC 4543";
        13 = "AES-256-GMAC", "RFC 4543";
        250 = "AES-CMAC-96", "private";
        251 = "NULL", "private: KAME";
        252 = "HMAC-SHA2-256-96", "private: truncation of older Linux kernels";
    }

    /// Values of attribute 10, ECN Tunnel.
    ECN_TUNNEL = "IPsec DOI ECN tunnel values" {
        1 = "Allowed", "RFC 3168";
        2 = "Forbidden", "RFC 3168";
    }

    /// Values of attribute 11, Extended (64-bit) Sequence Number.
    EXTENDED_SEQUENCE = "IPsec DOI extended sequence number values" {
        1 = "64-bit Sequence Number", "RFC 4304";
    }

    /// Values of attribute 13, Signature Encoding Algorithm.
    SIGNATURE_ENCODING = "IPsec DOI signature encoding algorithms" {
        1 = "RSASSA-PKCS1-v1_5", "RFC 4359";
        2 = "RSASSA-PSS", "RFC 4359";
    }

    /// Values of attribute 14, Address Preservation.
    ADDRESS_PRESERVATION = "IPsec DOI address preservation values" {
        1 = "None", "RFC 6407";
        2 = "Source-Only", "RFC 6407";
        3 = "Destination-Only", "RFC 6407";
        4 = "Source-and-Destination", "RFC 6407";
    }

    /// Values of attribute 15, SA Direction.
    SA_DIRECTION = "IPsec DOI SA directions" {
        1 = "Sender-Only", "RFC 6407";
        2 = "Receiver-Only", "RFC 6407";
        3 = "Symmetric", "RFC 6407";
    }
}
