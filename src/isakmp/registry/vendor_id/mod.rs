//! Vendor ids: who sends a message and what the sender can do, told by a payload that has no registry.
//!
//! One table a family, one row a vendor id: its octets, what they were made of, a name. Most are the MD5 of a text
//! that somebody chose; tests make those again. Several rows may fit: the one that fixes most of the octets is right.
//! A vendor id is a claim, and easily copied: names are what it says, not proof of what sends it.

mod behind;
mod features;
mod freeswan;
mod gateways;
mod hosts;
mod openswan;
mod pattern;
mod strongswan;

use std::borrow::Cow;

use pattern::{Family, Index, Pattern, Version};

static FAMILIES: &[Family] = &[
    Family::new("nat-t", features::NAT_T),
    Family::new("dpd", features::DPD),
    Family::new("fragmentation", features::FRAGMENTATION),
    Family::new("xauth", features::XAUTH),
    Family::new("crack", features::CRACK),
    Family::new("gss-api", features::GSS_API),
    Family::new("heartbeat", features::HEARTBEAT),
    Family::new("antireplay", features::ANTIREPLAY),
    Family::new("delete-reason", features::DELETE_REASON),
    Family::new("ikev2", features::IKEV2),
    Family::new("aruba", gateways::ARUBA),
    Family::new("avaya", gateways::AVAYA),
    Family::new("checkpoint", gateways::CHECKPOINT),
    Family::new("cisco", gateways::CISCO),
    Family::new("fortinet", gateways::FORTINET),
    Family::new("juniper", gateways::JUNIPER),
    Family::new("lucent", gateways::LUCENT),
    Family::new("netgear", gateways::NETGEAR),
    Family::new("nortel", gateways::NORTEL),
    Family::new("sidewinder", gateways::SIDEWINDER),
    Family::new("sonicwall", gateways::SONICWALL),
    Family::new("stonesoft", gateways::STONESOFT),
    Family::new("symantec", gateways::SYMANTEC),
    Family::new("teldat", gateways::TELDAT),
    Family::new("timestep", gateways::TIMESTEP),
    Family::new("zyxel", gateways::ZYXEL),
    Family::new("apple", hosts::APPLE),
    Family::new("cryptopro", hosts::CRYPTOPRO),
    Family::new("elvis-plus", hosts::ELVIS_PLUS),
    Family::new("microsoft", hosts::MICROSOFT),
    Family::new("ncp", hosts::NCP),
    Family::new("openiked", hosts::OPENIKED),
    Family::new("pgp", hosts::PGP),
    Family::new("racoon", hosts::RACOON),
    Family::new("safenet", hosts::SAFENET),
    Family::new("shrewsoft", hosts::SHREWSOFT),
    Family::releases("ssh", hosts::SSH),
    Family::releases("strongswan", strongswan::STRONGSWAN),
    Family::releases("freeswan", freeswan::FREESWAN),
    Family::releases("openswan", openswan::OPENSWAN),
    Family::releases("libreswan", openswan::LIBRESWAN),
];

static INDEX: Index<{ pattern::count(FAMILIES) }> = Index::new(FAMILIES);

/// What a vendor id payload tells, from the table of known ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorId {
    /// Who or what, for people: `"Dead Peer Detection v1.0"`, `"strongSwan"`.
    pub name: &'static str,
    /// Family, for rules: `"cisco"`, `"nat-t"`, `"dpd"`, `"fragmentation"`, …
    pub family: &'static str,
}

/// Looks a vendor id up: the longest known pattern that fits `data`, or `None`. Does not allocate.
pub fn vendor_id(data: &[u8]) -> Option<VendorId> {
    INDEX.find(data).map(|(family, row)| VendorId { name: row.name, family: family.word })
}

/// The version that a vendor id tells, in words, if it is one of those that do: in octets behind its fixed part
/// (`"1.0"` of dead peer detection), or because each version has a vendor id of its own (`"4.3.6"`, `"Vista"`).
pub fn vendor_id_version(data: &[u8]) -> Option<String> {
    let (family, row) = INDEX.find(data)?;
    version(family, row, data).map(Cow::into_owned)
}

/// Name and version together, without saying anything twice: `"strongSwan 4.3.6"`, `"Cisco Unity 1.0"`.
pub fn vendor_id_label(data: &[u8]) -> Option<Cow<'static, str>> {
    let (family, row) = INDEX.find(data)?;
    Some(match version(family, row, data) {
        Some(version) if !row.name.contains(version.as_ref()) => Cow::Owned(format!("{} {version}", row.name)),
        _ => Cow::Borrowed(row.name),
    })
}

/// The text that a vendor id was made of, mostly by MD5, where somebody published it: `"RFC 3947"`.
pub fn vendor_id_origin(data: &[u8]) -> Option<&'static str> {
    INDEX.find(data)?.1.text()
}

/// Whether a vendor id announces NAT traversal, in any of its drafts.
pub fn announces_nat_t(data: &[u8]) -> bool {
    INDEX.find(data).is_some_and(|(family, _)| family.word == "nat-t")
}

fn version(family: &Family, row: &Pattern, data: &[u8]) -> Option<Cow<'static, str>> {
    match row.version {
        Version::Fixed(version) => Some(Cow::Borrowed(version)),
        Version::Behind(read) => read(data.get(row.len()..)?).map(Cow::Owned),
        Version::None if family.releases => {
            let word = row.text().and(row.name.rsplit(' ').next())?;
            word.starts_with(|first: char| first.is_ascii_digit()).then_some(Cow::Borrowed(word))
        }
        Version::None => None,
    }
}

#[cfg(test)]
mod tests {
    use md5::{Digest, Md5};

    use super::pattern::Origin;
    use super::*;

    fn rows() -> impl Iterator<Item = (&'static Family, &'static Pattern)> {
        FAMILIES.iter().flat_map(|family| family.rows.iter().map(move |row| (family, row)))
    }

    /// Data that a row fits: its octets, wildcards as one, filled up to the length it asks for.
    fn sample(row: &Pattern) -> Vec<u8> {
        let mut data = hex::decode(row.hex.replace('.', "1")).unwrap();
        while !row.fits(&data) {
            assert!(data.len() < 64, "{} fits nothing", row.hex);
            data.push(0);
        }
        data
    }

    fn hashed(text: &str) -> Vec<u8> {
        Md5::digest(text.as_bytes()).to_vec()
    }

    #[test]
    fn every_row_is_found_again() {
        for (family, row) in rows() {
            let (found_family, found) = INDEX.find(&sample(row)).unwrap();
            assert_eq!((found_family.word, found.name), (family.word, row.name), "{}", row.hex);
            assert_eq!(found.hex, row.hex);
        }
    }

    #[test]
    fn rows_are_distinct() {
        let mut seen: Vec<_> = rows().map(|(_, row)| (row.hex, row.weight())).collect();
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!(seen.len(), all);
    }

    #[test]
    fn octets_are_what_their_text_makes() {
        let mut recomputed = 0;
        for (_, row) in rows() {
            let Some(text) = row.text() else { continue };
            let octets = hex::decode(row.hex).unwrap();
            match row.origin {
                Origin::Unknown => unreachable!(),
                Origin::Text(_) => assert_eq!(octets, text.as_bytes()),
                Origin::Md5(_) => {
                    let digest = hashed(text);
                    let common = octets.iter().zip(&digest).take_while(|(a, b)| a == b).count();
                    let version_inside = common >= 13 && !matches!(row.version, Version::None);
                    assert!(common == octets.len().min(16) || version_inside, "{} is not the MD5 of {text:?}", row.hex);
                }
                Origin::Folded(_) => {
                    let printable: Vec<u8> = hashed(text).iter().map(|octet| octet & 0x7f | 0x40).collect();
                    let behind = |letters: &[u8]| octets.strip_prefix(letters).map(|rest| rest.to_vec());
                    let lettered = [b"OEN".as_slice(), b"OSW", b"OE"].into_iter().filter_map(behind);
                    assert!(lettered.into_iter().any(|rest| printable.starts_with(&rest)), "{} {text:?}", row.hex);
                    assert_eq!(octets.len(), 12);
                }
            }
            recomputed += 1;
        }
        assert!(recomputed > 400);
    }

    #[test]
    fn well_known_texts_have_their_family() {
        let families = [
            ("RFC 3947", "nat-t"),
            ("draft-ietf-ipsec-nat-t-ike-02\n", "nat-t"),
            ("draft-ietf-ipsec-nat-t-ike-03", "nat-t"),
            ("FRAGMENTATION", "fragmentation"),
            ("strongSwan", "strongswan"),
            ("KAME/racoon", "racoon"),
            ("MS NT5 ISAKMPOAKLEY", "microsoft"),
            ("Vid-Initial-Contact", "microsoft"),
        ];
        for (text, family) in families {
            let data = hashed(text);
            assert_eq!(vendor_id(&data).map(|found| found.family), Some(family), "{text:?}");
            assert_eq!(vendor_id_origin(&data), Some(text));
            assert_eq!(announces_nat_t(&data), family == "nat-t");
        }
    }

    #[test]
    fn rfcs_values_are_known() {
        // RFC 3947 §3.1 and RFC 3706 §5.1.
        let nat_t = hex::decode("4a131c81070358455c5728f20e95452f").unwrap();
        assert_eq!(vendor_id(&nat_t), Some(VendorId { name: "NAT-T (RFC 3947)", family: "nat-t" }));
        let dpd = [0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 1, 0];
        assert_eq!(vendor_id(&dpd), Some(VendorId { name: "Dead Peer Detection v1.0", family: "dpd" }));
        assert_eq!(vendor_id_version(&dpd).as_deref(), Some("1.0"));
        assert_eq!(vendor_id_label(&dpd).as_deref(), Some("Dead Peer Detection v1.0"));
    }

    #[test]
    fn the_row_that_fixes_most_wins() {
        let name = |hex: &str| vendor_id(&hex::decode(hex).unwrap()).unwrap().name;
        assert_eq!(name("1e2b516905991c7d7c96fcbfb587e461"), "Windows (MS NT5 ISAKMPOAKLEY)");
        assert_eq!(name("1e2b516905991c7d7c96fcbfb587e46100000005"), "Windows Vista");
        assert_eq!(name("1e2b516905991c7d7c96fcbfb587e461000000ff"), "Windows (MS NT5 ISAKMPOAKLEY)");
        assert_eq!(name("4f45"), "FreeS/WAN or Openswan");
        assert_eq!(name("4f454e5f52685050487b645e"), "Libreswan 3.5");
        assert_eq!(name("4f454e5f52685050487b645f"), "FreeS/WAN, Openswan or Libreswan");
        assert_eq!(name("4f454e5f52685050487b645f00"), "Libreswan 3.0 to 3.5");

        let checkpoint = |behind: &str| format!("f4ed19e0c114eb516faaac0ee37daf2807b4381f{behind}");
        assert_eq!(name(&checkpoint("000000010000138d0000000000000000000018a8")), "Check Point Firewall-1 NG AI R55");
        assert_eq!(
            name(&checkpoint("000000010000138d43c2b1a000000000000018a8")),
            "Check Point Firewall-1 NGX or later"
        );
        assert_eq!(name(&checkpoint("000000010000138d43c2b1a000000001000018a8")), "Check Point Firewall-1");
    }

    #[test]
    fn wildcards_take_any_octet() {
        let box_one = [b"\x01\x02\x03\x04\x05\x06\x07\x08\x09".as_slice(), b"Teldat"].concat();
        assert_eq!(vendor_id(&box_one).map(|found| found.family), Some("teldat"));
        assert_eq!(vendor_id(&box_one[1..]), None);
    }

    #[test]
    fn cut_data_never_fits_a_longer_row() {
        for (_, row) in rows() {
            let data = sample(row);
            for length in 0..data.len() {
                if let Some((_, found)) = INDEX.find(&data[..length]) {
                    assert!(found.len() <= length, "{} found by {length} octets of {}", found.hex, row.hex);
                }
            }
        }
        assert_eq!(vendor_id(&[]), None);
    }

    #[test]
    fn exact_rows_refuse_longer_data() {
        let xbox = hex::decode("8aa394cf8a5577dc3110c113b027a4f2").unwrap();
        assert_eq!(vendor_id(&xbox).map(|found| found.name), Some("Xbox One"));
        assert_eq!(vendor_id(&[xbox.as_slice(), &[0]].concat()), None);
        // A capability word may follow the hash.
        let fragmentation = [hashed("FRAGMENTATION").as_slice(), &[0x80, 0, 0, 0]].concat();
        assert_eq!(vendor_id(&fragmentation).map(|found| found.family), Some("fragmentation"));
    }

    #[test]
    fn versions_are_read() {
        let label = |hex: &str| vendor_id_label(&hex::decode(hex).unwrap()).unwrap().into_owned();
        let version = |hex: &str| vendor_id_version(&hex::decode(hex).unwrap());
        assert_eq!(label("12f5f28c457168a9702d9fe274cc0100"), "Cisco Unity 1.0");
        assert_eq!(label("1f07f70eaa6514d3b0fa96542a500407"), "Cisco VPN 3000 Concentrator 4.0.7");
        assert_eq!(label("8299031757a36082c6a621de00050428"), "FortiGate release 5 build 1064");
        assert_eq!(version("8299031757a36082c6a621de00000000"), None);
        assert_eq!(label("1e2b516905991c7d7c96fcbfb587e46100000009"), "Windows 8 or later");
        assert_eq!(version("1e2b516905991c7d7c96fcbfb587e4610000000b").as_deref(), Some("version 11"));
        assert_eq!(label(&hex::encode("OpenIKED-7.2")), "OpenIKED 7.2");
        assert_eq!(label(&hex::encode("OE-Libreswan-4.10")), "Libreswan 4.10");
        assert_eq!(label(&hex::encode(hashed("strongSwan 4.2.1"))), "strongSwan 4.2.1");
        assert_eq!(version(&hex::encode(hashed("strongSwan 4.2.1"))).as_deref(), Some("4.2.1"));
        assert_eq!(version("4f454e5f52685050487b645e").as_deref(), Some("3.5"));
        assert_eq!(version("4a131c81070358455c5728f20e95452f"), None);
        assert_eq!(version("f4ed19e0c114eb516faaac0ee37daf2807b4381f").as_deref(), None);
        assert_eq!(version(&hex::encode("OpenIKED-\x1b[2J")), None, "control characters stay out of reports");
    }
}
