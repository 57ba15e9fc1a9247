//! Vendor ids that announce a feature, whoever sends them.
//!
//! Sources: the RFCs and drafts named in the rows; most are the MD5 of a text, which stands beside.

use super::behind;
use super::pattern::{Pattern, md5, octets, text};

/// NAT traversal: RFC 3947, its drafts, and what came before.
pub(super) static NAT_T: &[Pattern] = &[
    md5("4df37928e9fc4fd1b3262170d515c662", "draft-ietf-ipsec-nat-t-ike").named("draft-ietf-ipsec-nat-t-ike (Apple)"),
    md5("6a7434c19d7e36348090a02334c9c805", "draft-huttunen-ipsec-esp-in-udp-00.txt"),
    md5("4485152d18b6bbcd0be8a8469579ddcc", "draft-ietf-ipsec-nat-t-ike-00"),
    md5("16f6ca16e4a4066d83821a0f0aeaa862", "draft-ietf-ipsec-nat-t-ike-01"),
    md5("cd60464335df21f87cfdb2fc68b6a448", "draft-ietf-ipsec-nat-t-ike-02"),
    md5("90cb80913ebb696e086381b5ec427b1f", "draft-ietf-ipsec-nat-t-ike-02\n").named("draft-ietf-ipsec-nat-t-ike-02"),
    md5("7d9419a65310ca6f2c179d9215529d56", "draft-ietf-ipsec-nat-t-ike-03"),
    md5("9909b64eed937c6573de52ace952fa6b", "draft-ietf-ipsec-nat-t-ike-04"),
    md5("80d0bb3def54565ee84645d4c85ce3ee", "draft-ietf-ipsec-nat-t-ike-05"),
    md5("4d1e0e136deafa34c4f3ea9f02ec7285", "draft-ietf-ipsec-nat-t-ike-06"),
    md5("439b59f8ba676c4c7737ae22eab8f582", "draft-ietf-ipsec-nat-t-ike-07"),
    md5("8f8d83826d246b6fc7a8a6a428c11de8", "draft-ietf-ipsec-nat-t-ike-08"),
    md5("42ea5b6f898d9773a575df26e7dd19e1", "draft-ietf-ipsec-nat-t-ike-09"),
    md5("27bab5dc01ea0760ea4e3190ac27c0d0", "draft-stenberg-ipsec-nat-traversal-01"),
    md5("6105c422e76847e43f9684801292aecd", "draft-stenberg-ipsec-nat-traversal-02"),
    md5("50760f624c63e5c53eea386c685ca083", "ESPThruNAT").named("ESP through NAT"),
    md5("4a131c81070358455c5728f20e95452f", "RFC 3947").named("NAT-T (RFC 3947)"),
    md5("810fa565f8ab14369105d706fbd57279", "RFC XXXX").named("NAT-T (RFC XXXX)"),
    md5("c40fee00d5d39ddb1fc762e09b7cfea7", "Testing NAT-T RFC"),
];

/// Dead peer detection (RFC 3706 §5.1).
pub(super) static DPD: &[Pattern] = &[
    md5("afcad71368a1f1c96b8696fc7757", "CISCO-DEAD-PEER-DETECTION")
        .named("Dead Peer Detection")
        .at_least(16)
        .behind(behind::major_minor),
    md5("afcad71368a1f1c96b8696fc77570100", "CISCO-DEAD-PEER-DETECTION")
        .named("Dead Peer Detection v1.0")
        .version("1.0"),
    octets("3b9031dce4fcf88b489a923963dd0c49", "Dead Peer Detection v1 NG").exact(),
];

/// Fragmentation of IKEv1 messages. Four octets may follow that say for which exchanges.
pub(super) static FRAGMENTATION: &[Pattern] =
    &[md5("4048b7d56ebce88525e7de7f00d6c2d3", "FRAGMENTATION").named("IKE Fragmentation")];

/// Extended authentication.
pub(super) static XAUTH: &[Pattern] = &[md5("09002689dfd6b712", "draft-ietf-ipsra-isakmp-xauth-06.txt").named("XAUTH")];

/// Challenge/Response for Authenticated Cryptographic Keys.
pub(super) static CRACK: &[Pattern] = &[
    md5("ba290499c24e84e53a1d83a05e5f00c9", "IKE Challenge/Response for Authenticated Cryptographic Keys")
        .named("Challenge-Response"),
    md5("ad3251042cdc4652c9e0734ce5de4c7d", "IKE Challenge/Response for Authenticated Cryptographic Keys (Revised)")
        .named("Challenge-Response, revised"),
    md5("13f11823f966fa91900f024ba66a86ba", "IKE Challenge/Response for Authenticated Cryptographic Keys (Revised)\n")
        .named("Challenge-Response, revised"),
    md5("0d33611a5d521b5e3c9c03d2fc107e12", "IKE Challenge/Response for Authenticated Cryptographic Keys\n")
        .named("Challenge-Response"),
];

/// Kerberos authentication by GSS-API.
pub(super) static GSS_API: &[Pattern] = &[
    md5("ad2c0dd0b9c32083ccba25b8861ec455", "A GSS-API Authentication Method for IKE").named("GSS-API authentication"),
    md5("b46d8914f3aaa3f2fedeb7c7db2943ca", "A GSS-API Authentication Method for IKE\n")
        .named("GSS-API authentication"),
    md5("621b04bb09882ac1e15935fefa24aeee", "GSSAPI"),
];

/// Heartbeats.
pub(super) static HEARTBEAT: &[Pattern] = &[
    text("486561727442656174204e6f74696679", "HeartBeat Notify"),
    text("4865617274426561745f4e6f74696679", "HeartBeat_Notify").named("HeartBeat Notify"),
    octets("8db7a41811221660", "draft-ietf-ipsec-heartbeats-00"),
];

/// Replay protection of IKE messages.
pub(super) static ANTIREPLAY: &[Pattern] = &[octets("325df29a2319f2dd", "draft-krywaniuk-ipsec-antireplay-00")];

/// Deletes that say why.
pub(super) static DELETE_REASON: &[Pattern] = &[octets("2d7922c6b301d9b0e1342739e9cfbbd5", "Delete with Reason")];

/// IKEv1 messages of a peer that could do IKEv2.
pub(super) static IKEV2: &[Pattern] = &[text("494b457632", "IKEv2").named("IKEv2 capable (obsolete)").exact()];
