//! Diffie-Hellman groups and key exchange methods of both versions, in one table: they share their numbers.
//!
//! Sources: IANA "Group Description" of IKEv1 and "Transform Type 4 - Key Exchange Method Transform IDs" of IKEv2;
//! lengths from the specification that a row names. An elliptic curve's public value is x and y, Curve25519's and
//! Curve448's is u, a KEM's is the encapsulation key one way and the ciphertext back. Lengths of ECP groups are those
//! of RFC 5903: IKEv1 implementations from before it may send others.

/// A Diffie-Hellman group or key exchange method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group {
    /// The number on the wire.
    pub number: u16,
    /// Short, common name, the same for both versions.
    pub name: &'static str,
    /// Name as IKEv1's registry spells it, if the group is used there.
    pub v1_name: Option<&'static str>,
    /// Name as IKEv2's registry spells it, if the group is used there.
    pub v2_name: Option<&'static str>,
    /// Octets of the initiator's and of the responder's public value, where the group fixes them.
    pub public_lens: Option<(u16, u16)>,
    /// Where it is specified.
    pub reference: &'static str,
}

/// A row of the table.
const fn group(number: u16, name: &'static str, reference: &'static str) -> Group {
    Group { number, name, v1_name: None, v2_name: None, public_lens: None, reference }
}

impl Group {
    /// The same row with IKEv1's name.
    const fn v1(self, name: &'static str) -> Self {
        Self { v1_name: Some(name), ..self }
    }

    /// The same row with IKEv2's name.
    const fn v2(self, name: &'static str) -> Self {
        Self { v2_name: Some(name), ..self }
    }

    /// The same row with a name that both versions use.
    const fn both(self, name: &'static str) -> Self {
        self.v1(name).v2(name)
    }

    /// The same row with the length of either side's public value.
    const fn octets(self, octets: u16) -> Self {
        self.kem(octets, octets)
    }

    /// The same row with the lengths of an encapsulation key and of a ciphertext.
    const fn kem(self, initiator: u16, responder: u16) -> Self {
        Self { public_lens: Some((initiator, responder)), ..self }
    }
}

/// All groups, in ascending order of their numbers.
pub static GROUPS: &[Group] = &[
    group(0, "NONE", "RFC 7296").v2("NONE"),
    group(1, "MODP-768", "RFC 2409, deprecated by RFC 8247")
        .octets(96)
        .v1("default 768-bit MODP group")
        .v2("768-bit MODP Group"),
    group(2, "MODP-1024", "RFC 2409").octets(128).v1("alternate 1024-bit MODP group").v2("1024-bit MODP Group"),
    group(3, "EC2N-155", "RFC 2409").octets(20).v1("EC2N group on GP[2^155]"),
    group(4, "EC2N-185", "RFC 2409").octets(24).v1("EC2N group on GP[2^185]"),
    group(5, "MODP-1536", "RFC 3526").octets(192).v1("1536-bit MODP group").v2("1536-bit MODP Group"),
    group(6, "EC2N-163", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^163]"),
    group(7, "EC2N-163", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^163]"),
    group(8, "EC2N-283", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^283]"),
    group(9, "EC2N-283", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^283]"),
    group(10, "EC2N-409", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^409]"),
    group(11, "EC2N-409", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^409]"),
    group(12, "EC2N-571", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^571]"),
    group(13, "EC2N-571", "draft-ietf-ipsec-ike-ecc-groups-10").v1("EC2N group over GF[2^571]"),
    group(14, "MODP-2048", "RFC 3526").octets(256).v1("2048-bit MODP group").v2("2048-bit MODP Group"),
    group(15, "MODP-3072", "RFC 3526").octets(384).v1("3072-bit MODP group").v2("3072-bit MODP Group"),
    group(16, "MODP-4096", "RFC 3526").octets(512).v1("4096-bit MODP group").v2("4096-bit MODP Group"),
    group(17, "MODP-6144", "RFC 3526").octets(768).v1("6144-bit MODP group").v2("6144-bit MODP Group"),
    group(18, "MODP-8192", "RFC 3526").octets(1024).v1("8192-bit MODP group").v2("8192-bit MODP Group"),
    group(19, "ECP-256", "RFC 5903").octets(64).both("256-bit random ECP group"),
    group(20, "ECP-384", "RFC 5903").octets(96).both("384-bit random ECP group"),
    group(21, "ECP-521", "RFC 5903").octets(132).both("521-bit random ECP group"),
    group(22, "MODP-1024-160", "RFC 5114, deprecated by RFC 8247")
        .octets(128)
        .both("1024-bit MODP Group with 160-bit Prime Order Subgroup"),
    group(23, "MODP-2048-224", "RFC 5114").octets(256).both("2048-bit MODP Group with 224-bit Prime Order Subgroup"),
    group(24, "MODP-2048-256", "RFC 5114").octets(256).both("2048-bit MODP Group with 256-bit Prime Order Subgroup"),
    group(25, "ECP-192", "RFC 5114").octets(48).both("192-bit Random ECP Group"),
    group(26, "ECP-224", "RFC 5114").octets(56).both("224-bit Random ECP Group"),
    group(27, "brainpoolP224r1", "RFC 6932; RFC 6954")
        .octets(56)
        .v1("224-bit Brainpool ECP group")
        .v2("brainpoolP224r1"),
    group(28, "brainpoolP256r1", "RFC 6932; RFC 6954")
        .octets(64)
        .v1("256-bit Brainpool ECP group")
        .v2("brainpoolP256r1"),
    group(29, "brainpoolP384r1", "RFC 6932; RFC 6954")
        .octets(96)
        .v1("384-bit Brainpool ECP group")
        .v2("brainpoolP384r1"),
    group(30, "brainpoolP512r1", "RFC 6932; RFC 6954")
        .octets(128)
        .v1("512-bit Brainpool ECP group")
        .v2("brainpoolP512r1"),
    group(31, "Curve25519", "RFC 8031").octets(32).both("Curve25519"),
    group(32, "Curve448", "RFC 8031").octets(56).both("Curve448"),
    group(33, "GOST3410-2012-256", "RFC 9385").octets(64).v2("GOST3410_2012_256"),
    group(34, "GOST3410-2012-512", "RFC 9385").octets(128).v2("GOST3410_2012_512"),
    group(35, "ML-KEM-512", "draft-ietf-ipsecme-ikev2-mlkem-09").kem(800, 768).v2("ml-kem-512"),
    group(36, "ML-KEM-768", "draft-ietf-ipsecme-ikev2-mlkem-09").kem(1184, 1088).v2("ml-kem-768"),
    group(37, "ML-KEM-1024", "draft-ietf-ipsecme-ikev2-mlkem-09").octets(1568).v2("ml-kem-1024"),
    group(1024, "MODP-NULL", "private").v2("MODP_NULL"),
];

const _: () = {
    let mut i = 1;
    while i < GROUPS.len() {
        assert!(GROUPS[i - 1].number < GROUPS[i].number, "rows stand in ascending order, each number once");
        i += 1;
    }
};

/// The row of `number`, or `None` if it is unknown.
pub fn get(number: u16) -> Option<&'static Group> {
    GROUPS.binary_search_by_key(&number, |row| row.number).ok().map(|at| &GROUPS[at])
}
