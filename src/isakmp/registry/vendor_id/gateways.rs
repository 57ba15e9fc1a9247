//! Vendor ids of gateways and firewalls.
//!
//! Sources: published fingerprint lists. Rows with a text were recomputed from it, the others rest on the lists alone.

use super::behind;
use super::pattern::{Pattern, md5, octets, text};

/// Aruba.
pub(super) static ARUBA: &[Pattern] = &[
    octets("3c8e70bdf9c7d74add53e4100915dc2e4bb51274", "Aruba Controller"),
    octets("ca3e2b854ba8030017dc1023a4fde2041f9f7463", "Aruba Remote AP"),
    text("56494120417574682050726f66696c65203a20", "VIA Auth Profile : ").named("Aruba VIA Auth Profile"),
    octets("88f0e3149b3fa48b05aa7f685f0b766be186ccb8", "Aruba VIA Client"),
];

/// Avaya.
pub(super) static AVAYA: &[Pattern] = &[octets("4485152d18b6bbcc0be8a8469579ddcc", "Avaya")];

/// Check Point. Behind 20 fixed octets stand product, version, time, a reserved word and features, four octets each.
pub(super) static CHECKPOINT: &[Pattern] = &[
    octets("f4ed19e0c114eb516faaac0ee37daf2807b4381f", "Check Point Firewall-1").behind(behind::checkpoint),
    octets(
        "f4ed19e0c114eb516faaac0ee37daf2807b4381f00000001000000020000000000000000",
        "Check Point Firewall-1 4.1 Base",
    )
    .at_least(40)
    .version("4.1 Base"),
    octets(
        "f4ed19e0c114eb516faaac0ee37daf2807b4381f00000001000000030000000000000000",
        "Check Point Firewall-1 4.1 SP1",
    )
    .at_least(40)
    .version("4.1 SP1"),
    octets(
        "f4ed19e0c114eb516faaac0ee37daf2807b4381f0000000100000fa20000000000000000",
        "Check Point Firewall-1 4.1 SP2-SP6",
    )
    .at_least(40)
    .version("4.1 SP2-SP6"),
    octets(
        "f4ed19e0c114eb516faaac0ee37daf2807b4381f00000001000013880000000000000000",
        "Check Point Firewall-1 NG Base",
    )
    .at_least(40)
    .version("NG Base"),
    octets("f4ed19e0c114eb516faaac0ee37daf2807b4381f00000001000013890000000000000000", "Check Point Firewall-1 NG FP1")
        .at_least(40)
        .version("NG FP1"),
    octets("f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138a0000000000000000", "Check Point Firewall-1 NG FP2")
        .at_least(40)
        .version("NG FP2"),
    octets("f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138b0000000000000000", "Check Point Firewall-1 NG FP3")
        .at_least(40)
        .version("NG FP3"),
    octets(
        "f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138c0000000000000000",
        "Check Point Firewall-1 NG AI R54",
    )
    .at_least(40)
    .version("NG AI R54"),
    octets(
        "f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138d........00000000........",
        "Check Point Firewall-1 NGX or later",
    )
    .version("NGX or later"),
    octets(
        "f4ed19e0c114eb516faaac0ee37daf2807b4381f000000010000138d0000000000000000",
        "Check Point Firewall-1 NG AI R55",
    )
    .at_least(40)
    .version("NG AI R55"),
    octets("031017e07f7a82e3aa6950c999990100", "CryptoPro GOST 1.0 (Check Point R71)"),
];

/// Cisco.
pub(super) static CISCO: &[Pattern] = &[
    octets("6d761ddc26aceca1b0ed11fabbb860c4", "Cisco (unidentified)"),
    octets("c32364b3b4f447eb17c488ab2a480a57", "Cisco (unidentified)"),
    text("434953434f28434f505952494748542926436f7079726967687420286329203230303920436973636f2053797374656d732c20496e632e", "CISCO(COPYRIGHT)&Copyright (c) 2009 Cisco Systems, Inc.").named("Cisco Copyright 2009"),
    text("434953434f2d44454c4554452d524541534f4e", "CISCO-DELETE-REASON").named("Cisco Delete Reason"),
    text("464c455856504e2d535550504f52544544", "FLEXVPN-SUPPORTED").named("Cisco FlexVPN"),
    octets("3e984048", "Cisco IOS"),
    octets("ade1e70e9953c1328373ebf0257b85ed", "Cisco PIX"),
    md5("12f5f28c457168a9702d9fe274cc", "CISCO-UNITY").named("Cisco Unity").behind(behind::major_minor),
    octets("5946c258f99a1a57b03eb9d1759e0f24", "Cisco VPN 3000"),
    octets("ebbc5b00141d0c895e11bd395902d690", "Cisco VPN 3000"),
    md5("1f07f70eaa6514d3b0fa96542a", "ALTIGA GATEWAY").named("Cisco VPN 3000 Concentrator"),
    md5("1f07f70eaa6514d3b0fa96542a50", "ALTIGA GATEWAY").named("Cisco VPN 3000 Concentrator").behind(behind::altiga),
    text("434953434f2d44594e414d49432d524f555445", "CISCO-DYNAMIC-ROUTE").named("Cisco Dynamic Route"),
    text("434953434f2d4752452d4d4f4445", "CISCO-GRE-MODE").named("Cisco GRE Mode"),
    octets("800100018002000180030002", "Cisco Unity Firewall Type").exact(),
    text("434953434f56504e2d5245562d3032", "CISCOVPN-REV-02").named("Cisco VPN revision 2"),
    octets("bdb41038a7ec5e5534dd004d0f91f927", "Cisco IOS (unconfirmed)"),
    octets("32cee856b61f1b955ec553d0ebc2ab2c", "Cisco ASA (unconfirmed)"),
    octets("e23ae9f51a46876ff93d89ba725d649d", "Cisco (unidentified)"),
    md5("f6f7efc7f5aeb8cb158cb9d094ba69e7", "ALTIGA NETWORKS").named("Cisco VPN 3000 Client"),
];

/// Fortinet.
pub(super) static FORTINET: &[Pattern] = &[
    md5("4c53427b6d465d1b337bb755a37a7fef", "forticlient connect license").named("FortiClient Connect License"),
    octets("1d6e178f6c2c0be284985465450fe9d4", "FortiGate"),
    md5("8299031757a36082c6a621de", "FORTIGATE").named("FortiGate").behind(behind::fortigate),
    md5("b4f01ca951e9da8d0bafbbd34ad3044e", "Fortinet Endpoint Control"),
];

/// Juniper and NetScreen.
pub(super) static JUNIPER: &[Pattern] = &[
    octets("fd808804df73b15150709d878044cde0ac1efcde", "Juniper SRX").exact(),
    octets("cf49908791073fb46439790fdeb6aeed981101ab", "NetScreen"),
    octets("d6b45f82f24bacb288af59a978830ab7", "NetScreen (unidentified)"),
    octets("299ee8289f40a8973bc78687e2e7226b532c3b76", "NetScreen 01"),
    octets("3a15e1f3cf2a63582e3ac82d1c64cbe3b6d779e7", "NetScreen 02"),
    octets("47d2b126bfcd83489760e2cf8c5d4d5a03497c15", "NetScreen 03"),
    octets("4a4340b543e02b84c88a8b96a8af9ebe77d9accc", "NetScreen 04"),
    octets("64405f46f03b7660a23be116a1975058e69e8387", "NetScreen 05"),
    octets("699369228741c6d4ca094c93e242c9de19e7b7c6", "NetScreen 06"),
    octets("8c0dc6cf62a0ef1b5c6eabd1b67ba69866adf16a", "NetScreen 07"),
    octets("92d27a9ecb31d99246986d3453d0c3d57a222a61", "NetScreen 08"),
    octets("9b096d9ac3275a7d6fe8b91c583111b09efed1a0", "NetScreen 09"),
    octets("bf03746108d746c904f1f3547de24f78479fed12", "NetScreen 10"),
    octets("c2e80500f4cc5fbf5daaeed3bb59abaeee56c652", "NetScreen 11"),
    octets("c8660a62b03b1b6130bf781608d32a6a8d0fb89f", "NetScreen 12"),
    octets("f885da40b1e7a9abd17655ec5bbec0f21f0ed52e", "NetScreen 13"),
    octets("2a2bcac19b8e91b426107807e02e7249569d6fd3", "NetScreen 14"),
    octets("166f932d55eb64d8e4df4fd37e2313f0d0fd8451", "NetScreen 15"),
    octets("9436e8d67174ef9aed068d5ad5213f187a3f8ba6", "NetScreen 16"),
    octets("a35bfd05ca1ac0b3d2f24e9e82bfcbff9c9e52b5", "NetScreen 16"),
];

/// Lucent.
pub(super) static LUCENT: &[Pattern] = &[
    text("4c5647362e303a627269636b3a362e302e353732", "LVG6.0:brick:6.0.572").named("Lucent VPN Gateway 6 (Brick)"),
    text("4c5643372e312e323a5850", "LVC7.1.2:XP").named("Lucent VPN Client 7.1.2").exact(),
    text("4c5647392e322e3234353a425249434b3a392e322e323435", "LVG9.2.245:BRICK:9.2.245")
        .named("Lucent VPN Gateway 9.2 (Brick)")
        .exact(),
];

/// Netgear.
pub(super) static NETGEAR: &[Pattern] = &[md5("dbfb81eb5760b0788562067da102d755", "NETGEAR").named("Netgear")];

/// Nortel.
pub(super) static NORTEL: &[Pattern] = &[octets("424e4553000000", "Nortel Contivity").at_least(8)];

/// Secure Computing.
pub(super) static SIDEWINDER: &[Pattern] = &[
    octets("8404adf9cda05760b2ca292e4bff537b", "Sidewinder G2 (unconfirmed)"),
    octets("e720cdd49d2ee7b83ce1970a6c69b528", "Sidewinder G2 (unconfirmed)"),
];

/// SonicWall.
pub(super) static SONICWALL: &[Pattern] = &[
    octets("5b362bc820f60001", "SonicWall 1"),
    octets("5b362bc820f60002", "SonicWall 2"),
    octets("5b362bc820f60003", "SonicWall 3"),
    octets("5b362bc820f60005", "SonicWall 5"),
    octets("5b362bc820f60006", "SonicWall 6"),
    octets("5b362bc820f60007", "SonicWall 7"),
    octets("5b362bc820f60008", "SonicWall 8"),
    octets("404bf439522ca3f6", "SonicWall a"),
    octets("da8e937880010000", "SonicWall b"),
    octets("5b362bc820f70001", "SonicWall c"),
];

/// Stonesoft.
pub(super) static STONESOFT: &[Pattern] = &[
    octets("c573b056d7faca36c2fba28374127cbf", "StoneGate 1"),
    octets("baeb239037e17787d730eed9d95d48aa", "StoneGate 2"),
];

/// Symantec.
pub(super) static SYMANTEC: &[Pattern] = &[
    text("526170746f7220506f77657256706e20536572766572", "Raptor PowerVpn Server")
        .named("Symantec Raptor PowerVPN Server"),
    text("526170746f7220506f77657256706e20536572766572205b56382e315d", "Raptor PowerVpn Server [V8.1]")
        .named("Symantec Raptor PowerVPN Server V8.1"),
];

/// Teldat. The octets before the name differ from box to box.
pub(super) static TELDAT: &[Pattern] = &[octets("..................54656c646174", "Teldat")];

/// TimeStep.
pub(super) static TIMESTEP: &[Pattern] = &[text("54494d4553544550", "TIMESTEP").named("TimeStep")];

/// ZyXEL.
pub(super) static ZYXEL: &[Pattern] = &[
    octets("625027749d5ab97f5616c1602765cf480a3b7d0b", "ZyXEL ZyWALL"),
    octets("b858d1addd08c1e8adafea150608aa4497aa6cc8", "ZyXEL ZyWALL Router"),
    octets("f758f22668750f03b08df6ebe1d0", "ZyXEL ZyWALL USG 100"),
];
