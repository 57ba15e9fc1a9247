//! Vendor ids of operating systems, clients and libraries.
//!
//! Sources: published fingerprint lists. Rows with a text were recomputed from it, the others rest on the lists alone.

use super::behind;
use super::pattern::{Pattern, md5, octets, text};

/// Apple.
pub(super) static APPLE: &[Pattern] = &[text("4d6163204f53582031302e78", "Mac OSX 10.x").named("Mac OS X 10")];

/// CryptoPro.
pub(super) static CRYPTOPRO: &[Pattern] = &[octets("031017e07f7a82e3aa6950c999990101", "CryptoPro GOST 1.1")];

/// ELVIS-PLUS.
pub(super) static ELVIS_PLUS: &[Pattern] = &[octets("08db45e6cb01f80bb576e9a78c0f54e1300b8881", "ELVIS-PLUS Zastava")];

/// Microsoft. Four octets behind the text's hash say which Windows.
pub(super) static MICROSOFT: &[Pattern] = &[
    md5("1e2b516905991c7d7c96fcbfb587e461", "MS NT5 ISAKMPOAKLEY")
        .named("Windows (MS NT5 ISAKMPOAKLEY)")
        .behind(behind::windows),
    md5("1e2b516905991c7d7c96fcbfb587e46100000002", "MS NT5 ISAKMPOAKLEY").named("Windows 2000").version("2000"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000003", "MS NT5 ISAKMPOAKLEY").named("Windows XP SP1").version("XP SP1"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000004", "MS NT5 ISAKMPOAKLEY")
        .named("Windows Server 2003 or XP SP2")
        .version("Server 2003 or XP SP2"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000005", "MS NT5 ISAKMPOAKLEY").named("Windows Vista").version("Vista"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000006", "MS NT5 ISAKMPOAKLEY")
        .named("Windows Server 2008")
        .version("Server 2008"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000007", "MS NT5 ISAKMPOAKLEY").named("Windows 7").version("7"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000008", "MS NT5 ISAKMPOAKLEY")
        .named("Windows Server 2008 R2")
        .version("Server 2008 R2"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000009", "MS NT5 ISAKMPOAKLEY")
        .named("Windows 8 or later")
        .version("8 or later"),
    md5("1e2b516905991c7d7c96fcbfb587e46100000010", "MS NT5 ISAKMPOAKLEY")
        .named("Windows Server 2012")
        .version("Server 2012"),
    octets("01528bbbc00696121849ab9a1c5b2a5100000000", "Windows KEY_MODS (IKE)").exact(),
    octets("01528bbbc00696121849ab9a1c5b2a5100000001", "Windows KEY_MODS (AuthIP)").exact(),
    octets("01528bbbc00696121849ab9a1c5b2a5100000002", "Windows KEY_MODS (IKEv2)").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000000", "AuthIP initial KE, no group").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000001", "AuthIP initial KE, group 1").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000002", "AuthIP initial KE, group 2").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000003", "AuthIP initial KE, group 14").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000004", "AuthIP initial KE, group 19").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000005", "AuthIP initial KE, group 20").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000006", "AuthIP initial KE, group 21").exact(),
    octets("7bb93867d76c8d80df0f40fae8fc3b1900000007", "AuthIP initial KE, any group").exact(),
    md5("e3a5966a76379fe707228231e5ce8652", "IKE CGA version 1"),
    md5("26244d38eddb61b3172a36e3d0cfb819", "Vid-Initial-Contact").named("Microsoft Initial-Contact"),
    octets("3025dbd21062b9e53dc441c6aab52936", "Microsoft L2TP client (unconfirmed)"),
    octets("8aa394cf8a5577dc3110c113b027a4f2", "Xbox One").exact(),
    md5("214ca4faffa7f32d6748e5303395ae83", "MS-MamieExists").named("MS-MamieExists (AuthIP)"),
    md5("fb1de3cdf341b7ea16b7e5be0855f120", "MS-Negotiation Discovery Capable"),
    octets("686a8cbdfe634b405146fb2baf33e9e8", "Microsoft Security Realm Id").exact(),
    md5("72872b95fcda2eb708efe322119b4971", "NLBS_PRESENT").named("NLBS_PRESENT (failover cluster)"),
    octets("660822b3a73a244149578d62e0eb46a0", "Xbox IKEv2 Negotiation").exact(),
    text("4d532d4e65676f74696174696f6e20446973636f766572792043617061626c65", "MS-Negotiation Discovery Capable"),
];

/// NCP.
pub(super) static NCP: &[Pattern] = &[
    octets("101fb0b35c5a4f4c08b919f1cb9777b0", "NCP client").exact(),
    octets("c61baca1f1a60cc10800000000000000", "NCP client (unconfirmed)"),
    octets("cbe79444a0870de4224a2c151fbfe099", "NCP client (unconfirmed)"),
    octets("eb4c1b788afd4a9cb7730a68d56d088b", "NCP client (unconfirmed)"),
];

/// OpenBSD.
pub(super) static OPENIKED: &[Pattern] = &[text("4f70656e494b4544", "OpenIKED").behind(behind::text)];

/// PGP.
pub(super) static PGP: &[Pattern] =
    &[text("4f70656e504750", "OpenPGP"), text("4f70656e5047503130313731", "OpenPGP10171").named("OpenPGP")];

/// KAME and IPsec-Tools.
pub(super) static RACOON: &[Pattern] = &[
    md5("20a3622c1cea7ce37bee3ca484425276", "IPSec-Tools").named("IPsec-Tools racoon"),
    md5("7003cbc1097dbe9c2600ba6983bc8b35", "KAME/racoon").named("KAME racoon"),
];

/// SafeNet.
pub(super) static SAFENET: &[Pattern] = &[
    octets("da8e9378", "SafeNet or WatchGuard"),
    octets("47bbe7c993f1fc13b4e6d0db565c68e5", "SafeNet SoftRemote"),
    octets(
        "47bbe7c993f1fc13b4e6d0db565c68e5010201010201010310382e302e3020284275696c6420313029000000",
        "SafeNet SoftRemote 8.0.0",
    )
    .version("8.0.0"),
    octets(
        "47bbe7c993f1fc13b4e6d0db565c68e5010201010201010310392e302e3120284275696c6420313229000000",
        "SafeNet SoftRemote 9.0.1",
    )
    .version("9.0.1"),
];

/// Shrew Soft.
pub(super) static SHREWSOFT: &[Pattern] = &[octets("f14b94b7bff1fef02773b8c49feded26", "Shrew Soft Client")];

/// SSH Communications Security, later INSIDE Secure.
pub(super) static SSH: &[Pattern] = &[
    md5("fbf47614984031fa8e3bb6198089b223", "Ssh Communications Security IPSEC Express version 1.1.0")
        .named("SSH IPSEC Express 1.1.0"),
    md5("1952dc91ac20f646fb01cf42a33aee30", "Ssh Communications Security IPSEC Express version 1.1.1")
        .named("SSH IPSEC Express 1.1.1"),
    md5("e8bffa643e5c8f2cd10fda7370b6ebe5", "Ssh Communications Security IPSEC Express version 1.1.2")
        .named("SSH IPSEC Express 1.1.2"),
    md5("c1111b2dee8cbc3d620573ec57aab9cb", "Ssh Communications Security IPSEC Express version 1.2.1")
        .named("SSH IPSEC Express 1.2.1"),
    md5("09ec27bfbc09c75823cfecbffe565a2e", "Ssh Communications Security IPSEC Express version 1.2.2")
        .named("SSH IPSEC Express 1.2.2"),
    md5("7f21a596e4e318f0b2f4944c2384cb84", "SSH Communications Security IPSEC Express version 2.0.0")
        .named("SSH IPSEC Express 2.0.0"),
    md5("2836d1fd2807bc9e5ae30786320451ec", "SSH Communications Security IPSEC Express version 2.1.0")
        .named("SSH IPSEC Express 2.1.0"),
    md5("a68de756a9c5229bae66498040951ad5", "SSH Communications Security IPSEC Express version 2.1.1")
        .named("SSH IPSEC Express 2.1.1"),
    md5("3f2372867e237c1cd8250a75559cae20", "SSH Communications Security IPSEC Express version 2.1.2")
        .named("SSH IPSEC Express 2.1.2"),
    md5("0e58d5774df602007d0b02443660f7eb", "SSH Communications Security IPSEC Express version 3.0.0")
        .named("SSH IPSEC Express 3.0.0"),
    md5("f5ce31ebc210f44350cf71265b57380f", "SSH Communications Security IPSEC Express version 3.0.1")
        .named("SSH IPSEC Express 3.0.1"),
    md5("f64260af2e2742daddd56987068a99a0", "SSH Communications Security IPSEC Express version 4.0.0")
        .named("SSH IPSEC Express 4.0.0"),
    md5("7a54d3bdb3b1e6d923892064be2d981c", "SSH Communications Security IPSEC Express version 4.0.1")
        .named("SSH IPSEC Express 4.0.1"),
    md5("9aa1f3b43472a45d5f506aeb260cf214", "SSH Communications Security IPSEC Express version 4.1.0")
        .named("SSH IPSEC Express 4.1.0"),
    md5("89f7b760d86b012acf263382394d962f", "SSH Communications Security IPSEC Express version 4.1.1")
        .named("SSH IPSEC Express 4.1.1"),
    md5("6880c7d026099114e486c55430e7abee", "SSH Communications Security IPSEC Express version 4.2.0")
        .named("SSH IPSEC Express 4.2.0"),
    md5("b037a21aceccb5570f602546f97bde8c", "SSH Communications Security IPSEC Express version 5.0")
        .named("SSH IPSEC Express 5.0"),
    md5("2b2dad97c4d140930053287f996850b0", "SSH Communications Security IPSEC Express version 5.0.0")
        .named("SSH IPSEC Express 5.0.0"),
    md5("45e17f3abe93944cb202910c59ef806b", "SSH Communications Security IPSEC Express version 5.1.0")
        .named("SSH IPSEC Express 5.1.0"),
    md5("5925859f7377ed7816d2fb81c01fa551", "SSH Communications Security IPSEC Express version 5.1.1")
        .named("SSH IPSEC Express 5.1.1"),
    md5("37eba0c4136184e7daf8562a77060b4a", "SSH Communications Security QuickSec 0.9.0").named("SSH QuickSec 0.9.0"),
    md5("5d72925e55948a9661a7fc48fdec7ff9", "SSH Communications Security QuickSec 1.1.0").named("SSH QuickSec 1.1.0"),
    md5("777fbf4c5af6d1cdd4b895a05bf82594", "SSH Communications Security QuickSec 1.1.1").named("SSH QuickSec 1.1.1"),
    md5("2cdf08e712ede8a5978761267cd19b91", "SSH Communications Security QuickSec 1.1.2").named("SSH QuickSec 1.1.2"),
    md5("59e454a8c2cf02a34959121f1890bc87", "SSH Communications Security QuickSec 1.1.3").named("SSH QuickSec 1.1.3"),
    md5("8f9cc94e01248ecdf147594c284b213b", "SSH Communications Security QuickSec 2.1.0").named("SSH QuickSec 2.1.0"),
    md5("b91623e693ca18a54c6a2778552305e8", "SSH Sentinel 1.1"),
    md5("5430888de01a31a6fa8f60224e449958", "SSH Sentinel 1.2"),
    md5("7ee5cb85f71ce259c94a5c731ee4e752", "SSH Sentinel 1.3"),
    md5("63d9a1a7009491b5a0a6fdeb2a8284f0", "SSH Sentinel 1.4"),
    md5("eb4b0d96276b4e220ad16221a7b2a5e6", "SSH Sentinel 1.4.1"),
    md5("054182a07c7ae206f9d2cf9d2432c482", "SSH Sentinel"),
];
