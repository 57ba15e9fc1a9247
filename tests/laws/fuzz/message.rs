//! Any octets as a message: what is decoded lies in it, a part tells a prefix, and work and words are bounded by its
//! length.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::net::IpAddr;

use ikescope::base::{FrameRef, Timestamp};
use ikescope::isakmp::payload::{Attribute, AttributeValue, Body};
use ikescope::isakmp::{HEADER_LEN, MAX_PAYLOADS, Message, Payload, violations};
use ikescope::messages::Row;
use ikescope::packet::{self, Datagram, Encapsulation, IsakmpDatagram};

use serde::Deserialize;
use serde::de::IgnoredAny;

use super::Asked;
use super::plain::check_plain;

/// Octets that were not captured, then the message. One in four is shown in every form, one in two cut.
pub fn hold(octets: &[u8], asked: Asked) {
    let [missing, octets @ ..] = octets else { return };
    let missing = u32::from(*missing);
    check_decoding(octets, missing);
    if asked.one_in(4, 0) {
        check_words(octets, missing);
    }
    if !asked.one_in(2, 1) {
        return;
    }
    let whole = walk(octets, 0);
    let claimed = Message::decode(octets, 0).map_or(HEADER_LEN, |message| message.octets().len());
    let mut cuts = vec![0, HEADER_LEN - 1, HEADER_LEN, octets.len() / 2, octets.len().saturating_sub(1)];
    if let Ok(message) = Message::decode(octets, missing) {
        for payload in message.payloads().take(6) {
            let at = payload.at as usize;
            cuts.extend([at + 3, at + 4 + payload.octets.len() / 2, at + 4 + payload.octets.len()]);
        }
    }
    for (turn, end) in cuts.into_iter().filter(|end| *end < octets.len()).enumerate() {
        let uncaptured = if turn % 2 == 0 { 0 } else { (octets.len() - end) as u32 };
        check_cut(&whole, &octets[..end], uncaptured, claimed);
    }
}

/// What a message says, one digest a payload.
pub fn walk(octets: &[u8], missing: u32) -> Vec<u64> {
    let Ok(message) = Message::decode(octets, missing) else { return Vec::new() };
    message.payloads().map(|payload| digest(&payload).0).collect()
}

/// All that a payload says, in one number, and how many parts it took.
fn digest(payload: &Payload<'_>) -> (u64, usize) {
    let mut hasher = DefaultHasher::new();
    let mut steps = 1;
    (payload.payload_type, payload.next_payload, payload.critical, payload.length).hash(&mut hasher);
    let mut attribute = |each: Attribute<'_>, hasher: &mut DefaultHasher| {
        (each.attribute_type, each.value.number()).hash(hasher);
        if let AttributeValue::Long(octets) = each.value {
            octets.hash(hasher);
        }
        steps += 1;
    };
    match payload.body {
        Body::SecurityAssociation(association) => {
            let mut parts = 0;
            for proposal in association.proposals() {
                (proposal.number, proposal.protocol_id, proposal.spi).hash(&mut hasher);
                parts += 1;
                for transform in proposal.transforms() {
                    (transform.number, transform.transform_type, transform.transform_id).hash(&mut hasher);
                    parts += 1;
                    transform.attributes().for_each(|each| attribute(each, &mut hasher));
                }
            }
            steps += parts;
        }
        Body::Configuration(configuration) => configuration.attributes().for_each(|each| attribute(each, &mut hasher)),
        Body::TrafficSelectors(selectors) => {
            for selector in selectors.selectors() {
                format!("{selector:?}").hash(&mut hasher);
                steps += 1;
            }
        }
        Body::Delete(delete) => {
            for spi in delete.each_spi() {
                spi.hash(&mut hasher);
                steps += 1;
            }
        }
        Body::Malformed(fault) => fault.hash(&mut hasher),
        other => (std::mem::discriminant(&other), payload.octets).hash(&mut hasher),
    }
    (hasher.finish(), steps)
}

/// Payloads lie in the message, one behind the other; faults point into it or right behind it; the same octets say the
/// same; every step takes octets with it.
pub fn check_decoding(octets: &[u8], missing: u32) {
    assert_eq!(walk(octets, missing), walk(octets, missing), "the same octets say the same");
    let end = octets.len() as u32;
    let message = match Message::decode(octets, missing) {
        Ok(message) => message,
        Err(fault) => {
            assert!(octets.len() < HEADER_LEN && fault.at <= end, "{fault:?} of {end}");
            return;
        }
    };
    assert!(message.octets().len() <= octets.len());
    assert!(message.fault().is_none_or(|fault| fault.at <= end), "{:?} of {end}", message.fault());
    let mut at = HEADER_LEN;
    let mut steps = 0;
    let mut payloads = message.payloads();
    for payload in payloads.by_ref() {
        assert_eq!(payload.at as usize, at, "payloads stand one behind the other");
        assert_eq!(octets[at + 4..][..payload.octets.len()], *payload.octets, "a payload is what stands there");
        assert!(payload.fault().is_none_or(|fault| fault.at <= end), "{:?} of {end}", payload.fault());
        steps += digest(&payload).1;
        at += usize::from(payload.length);
    }
    assert!(payloads.next().is_none(), "a chain that has ended stays so");
    assert!(payloads.fault().is_none_or(|fault| fault.at <= end), "{:?} of {end}", payloads.fault());
    assert!(message.payloads().count() <= MAX_PAYLOADS as usize);
    // Nothing that is stepped over has fewer than four octets, but an SPI may have one.
    assert!(steps <= octets.len(), "{steps} steps in {} octets", octets.len());
    assert!(violations(&message).count() <= 64);
}

/// A part of a message, of which `claimed` octets are the message, says a prefix of what the `whole` says, and that
/// something is missing.
pub fn check_cut(whole: &[u64], part: &[u8], missing: u32, claimed: usize) {
    let end = part.len();
    let said = walk(part, missing);
    // The last one may have been cut.
    let sure = said.len().saturating_sub(1);
    assert!(said.len() <= whole.len(), "cut at {end} there are more payloads");
    assert_eq!(said[..sure], whole[..sure], "cut at {end} the payloads say something else");
    let fault = Message::decode(part, missing).map_or_else(Some, |message| message.fault());
    assert!(fault.is_some() || end >= claimed, "cut at {end} of {claimed} octets, and nothing is missing");
}

/// What is looked at of a message in JSON.
#[derive(Deserialize)]
struct Shown {
    payloads: Option<Vec<IgnoredAny>>,
}

/// The line, the tree and the JSON of a message: nothing but words and line ends, and no more than its length justifies.
fn check_words(octets: &[u8], missing: u32) {
    let isakmp = IsakmpDatagram {
        source_port: 500,
        destination_port: 4500,
        encapsulation: Encapsulation::Udp,
        non_esp_marker: false,
        octets,
    };
    let datagram = Datagram {
        frame: FrameRef::new(0, 1),
        first_frame: FrameRef::new(0, 1),
        at: Timestamp::default(),
        interface: 0,
        source: IpAddr::from([192, 0, 2, 1]),
        destination: IpAddr::from([198, 51, 100, 2]),
        ip_id: None,
        ttl: 64,
        fragments: 1,
        ambiguous_overlap: false,
        missing,
        body: packet::Body::Isakmp(isakmp),
    };
    let row = Row::new(&datagram, None).expect("an ISAKMP datagram has a row");
    let (mut line, mut tree, mut object) = (String::new(), String::new(), Vec::new());
    row.write_line(&mut line, false);
    row.write_tree(&mut tree, true);
    row.write_ndjson(&mut object);
    assert!(line.ends_with('\n') && line.matches('\n').count() == 1, "{line:?}");
    check_plain(&line);
    check_plain(&tree);
    assert_eq!(object.iter().filter(|octet| **octet == b'\n').count(), 1, "one row, one line");
    let object = std::str::from_utf8(&object).expect("JSON is UTF-8");
    let shown: Shown = serde_json::from_str(object).expect("a message is JSON");
    let decoded = Message::decode(octets, missing).map_or(0, |message| message.payloads().count());
    assert_eq!(shown.payloads.map_or(0, |payloads| payloads.len()), decoded, "every payload is shown");
    for words in [line.len(), tree.len()] {
        assert!(words <= 4096 + octets.len() * 64, "{words} octets of words about {} octets", octets.len());
    }
}
