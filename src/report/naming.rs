//! Code points in words, for everything but proposals ([`super::proposal`]): payloads, notifies, vendor ids, ICMP.

use crate::isakmp::registry;
use crate::packet;
use crate::track::{IcmpAbout, IcmpFact, PayloadDetail, PayloadFact};

use super::escape::escape_octets;
use super::model::{Carried, Ports, VendorId};
use super::proposal::group;

/// The row of a payload of IKE version `major`; `vendor_ids` are those of its sender.
pub fn carried(major: u8, fact: &PayloadFact, vendor_ids: &[VendorId]) -> Carried {
    let notation = registry::payload_notation(major, fact.payload_type);
    let named = notation.map_or_else(|| format!("payload {}", fact.payload_type), String::from);
    let mut row = Carried { payload_type: fact.payload_type, notation, ..Carried::default() };
    row.text = match &fact.detail {
        PayloadDetail::Plain => named,
        PayloadDetail::Sa { proposals, transforms } => {
            row.proposals = Some(*proposals);
            row.transforms = Some(*transforms);
            format!("SA with {} and {}", plural(*proposals, "proposal"), plural(*transforms, "transform"))
        }
        PayloadDetail::KeyExchange { group: number, length } => {
            row.dh_group = *number;
            row.length = Some(*length);
            match number {
                Some(number) => format!("KE {}", group(u64::from(*number))),
                None => format!("KE {length} octets"),
            }
        }
        PayloadDetail::Nonce { length } => {
            row.length = Some(*length);
            "Nonce".into()
        }
        PayloadDetail::Notify { protocol_id, notify_message_type, data, .. } => {
            row.protocol_id = Some(*protocol_id);
            row.notify_message_type = Some(*notify_message_type);
            row.error = Some(registry::notify_is_error(major, *notify_message_type));
            row.data = Some(hex::encode(data));
            notify_text(major, *notify_message_type, data)
        }
        PayloadDetail::Delete { protocol_id, count } => {
            row.protocol_id = Some(*protocol_id);
            row.spi_count = Some(*count);
            let protocol = registry::protocol_name(major, *protocol_id);
            match protocol {
                Some(protocol) => format!("delete {protocol}, {}", plural(*count, "SPI")),
                None => format!("delete protocol {protocol_id}, {}", plural(*count, "SPI")),
            }
        }
        PayloadDetail::Identification { id_type, data } => {
            row.id_type = Some(*id_type);
            row.data = Some(hex::encode(data));
            let kind =
                registry::id_type_name(major, *id_type).map_or_else(|| format!("ID type {id_type}"), String::from);
            format!("{kind} {}", identity_text(*id_type, data))
        }
        PayloadDetail::VendorId { index } => {
            row.vendor_id = Some(*index);
            match vendor_ids.get(usize::from(*index)) {
                Some(vendor_id) => format!("VID {}", vendor_id_text(vendor_id)),
                None => named,
            }
        }
        PayloadDetail::Certificate { encoding, length } => {
            row.encoding = Some(*encoding);
            row.length = Some(*length);
            match registry::cert_encoding_name(major, *encoding) {
                Some(name) => format!("{named} {name}"),
                None => format!("{named} encoding {encoding}"),
            }
        }
        PayloadDetail::NatDetection { matches } => {
            row.matches = *matches;
            match matches {
                Some(true) => "NAT-D matches".into(),
                Some(false) => "NAT-D differs".into(),
                None => "NAT-D".into(),
            }
        }
        PayloadDetail::Encrypted { first } => {
            row.first_payload = Some(*first);
            named
        }
        PayloadDetail::Fragment { number, total, first } => {
            row.first_payload = *first;
            row.fragment = Some(*number);
            row.fragments = *total;
            match total {
                Some(total) => format!("fragment {number} of {total}"),
                None => format!("fragment {number}"),
            }
        }
    };
    row
}

/// A notify by name and number, `NO-PROPOSAL-CHOSEN (14)`, with the group that an INVALID_KE_PAYLOAD asks for.
pub fn notify_text(major: u8, notify_message_type: u16, data: &[u8]) -> String {
    const INVALID_KE_PAYLOAD: u16 = 17;
    let text = match registry::notify_name(major, notify_message_type) {
        Some(name) => format!("{name} ({notify_message_type})"),
        None => format!("notify {notify_message_type}"),
    };
    match *data {
        [high, low] if major == 2 && notify_message_type == INVALID_KE_PAYLOAD => {
            format!("{text}, wants {}", group(u64::from(u16::from_be_bytes([high, low]))))
        }
        _ => text,
    }
}

/// An identity as text: addresses as such, names escaped, anything else in hex. Types are the same in both versions.
pub fn identity_text(id_type: u8, data: &[u8]) -> String {
    use std::net::{Ipv4Addr, Ipv6Addr};
    const ID_IPV4_ADDR: u8 = 1;
    const ID_FQDN: u8 = 2;
    const ID_USER_FQDN: u8 = 3;
    const ID_IPV4_ADDR_SUBNET: u8 = 4;
    const ID_IPV6_ADDR: u8 = 5;
    const ID_KEY_ID: u8 = 11;
    match id_type {
        ID_IPV4_ADDR => {
            if let Ok(octets) = <[u8; 4]>::try_from(data) {
                return Ipv4Addr::from(octets).to_string();
            }
        }
        ID_IPV4_ADDR_SUBNET => {
            if let Ok(octets) = <[u8; 8]>::try_from(data) {
                let [a, b, c, d, mask @ ..] = octets;
                return format!("{}/{}", Ipv4Addr::new(a, b, c, d), Ipv4Addr::from(mask));
            }
        }
        ID_IPV6_ADDR => {
            if let Ok(octets) = <[u8; 16]>::try_from(data) {
                return Ipv6Addr::from(octets).to_string();
            }
        }
        ID_FQDN | ID_USER_FQDN => return format!("\"{}\"", escape_octets(data)),
        // octets of any kind, and mostly the name of a group
        ID_KEY_ID if !data.is_empty() && data.iter().all(|octet| (b' '..=b'~').contains(octet)) => {
            return format!("\"{}\"", escape_octets(data));
        }
        _ => {}
    }
    hex::encode(data)
}

/// The row of a vendor id.
pub fn vendor_id(data: &[u8]) -> VendorId {
    let known = registry::vendor_id(data);
    VendorId {
        data: hex::encode(data),
        name: known.map(|vendor_id| vendor_id.name),
        family: known.map(|vendor_id| vendor_id.family),
        version: known
            .and_then(|_| registry::vendor_id_version(data))
            .map(|version| super::escape::escape(&version).into_owned()),
    }
}

/// A vendor id in short: its name and version, or its first octets.
pub fn vendor_id_text(vendor_id: &VendorId) -> String {
    const SHOWN: usize = 16;
    match (vendor_id.name, &vendor_id.version) {
        (Some(name), Some(version)) if !name.contains(version.as_str()) => format!("{name} {version}"),
        (Some(name), _) => name.into(),
        (None, _) => match vendor_id.data.get(..SHOWN) {
            Some(start) if vendor_id.data.len() > SHOWN => format!("unknown {start}…"),
            _ => format!("unknown {}", vendor_id.data),
        },
    }
}

/// What an ICMP error says, with its numbers.
pub fn icmp_text(version: u8, icmp_type: u8, code: u8) -> String {
    let protocol = if version == 6 { "ICMPv6" } else { "ICMP" };
    match packet::icmp_error_name(version, icmp_type, code) {
        Some(name) => format!("{name} ({protocol} {icmp_type}/{code})"),
        None => format!("{protocol} type {icmp_type} code {code}"),
    }
}

/// What was quoted in an ICMP error: its word, and the ports if it was ISAKMP.
pub fn icmp_about(fact: &IcmpFact) -> (&'static str, Option<Ports>) {
    match fact.about {
        IcmpAbout::Isakmp { source_port, destination_port } => {
            ("isakmp", Some(Ports { source: source_port, destination: destination_port }))
        }
        IcmpAbout::EspInUdp => ("esp-in-udp", None),
        IcmpAbout::Esp => ("esp", None),
        IcmpAbout::Ah => ("ah", None),
        IcmpAbout::Fragment { .. } => ("fragment", None),
    }
}

fn plural(number: u16, one: &str) -> String {
    super::quantity::counted(u64::from(number), one, &format!("{one}s"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identities_are_readable_and_harmless() {
        assert_eq!(identity_text(1, &[192, 0, 2, 1]), "192.0.2.1");
        assert_eq!(identity_text(4, &[10, 1, 0, 0, 255, 255, 0, 0]), "10.1.0.0/255.255.0.0");
        assert_eq!(identity_text(1, &[192, 0, 2]), "c00002", "too short to be an address");
        assert_eq!(identity_text(11, b"labgroup"), "\"labgroup\"");
        assert_eq!(identity_text(11, &[0, 0xc0]), "00c0");
        assert_eq!(identity_text(2, b"vpn\x1b[2J"), "\"vpn\\x1b[2J\"");
    }

    #[test]
    fn icmp_errors_have_names() {
        assert_eq!(icmp_text(4, 3, 3), "port unreachable (ICMP 3/3)");
        assert_eq!(icmp_text(6, 2, 0), "packet too big (ICMPv6 2/0)");
        assert_eq!(icmp_text(4, 77, 1), "ICMP type 77 code 1");
    }
}
