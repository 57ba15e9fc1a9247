//! The wire of both versions: every payload as the RFCs draw it, and every way of lying about it.

macro_rules! body {
    ($octets:expr, $pattern:pat => $then:expr) => {{
        let octets = $octets.octets();
        let message = decode(&octets);
        assert_eq!(message.fault(), None);
        match only_body(&message) {
            $pattern => $then,
            other => panic!("another body: {other:?}"),
        }
    }};
}

#[path = "isakmp/bodies.rs"]
mod bodies;
#[path = "isakmp/chain.rs"]
mod chain;
#[path = "isakmp/encryption.rs"]
mod encryption;
#[path = "isakmp/grammar.rs"]
mod grammar;
#[path = "isakmp/header.rs"]
mod header;
#[path = "isakmp/laws.rs"]
mod laws;
#[path = "isakmp/lies.rs"]
mod lies;
#[path = "isakmp/wire.rs"]
mod wire;

use ikescope::base::{Fault, FaultKind, IkeSpi, MessageId};
use ikescope::isakmp::payload::{Attribute, AttributeValue, Body};
use ikescope::isakmp::{Header, MAX_PAYLOADS, Message, Payload, Violation, violations};
use proptest::prelude::*;
use wire::{join, long, payload, proposal, proposals, short, transform_v1, transform_v2};

fn decode(octets: &[u8]) -> Message<'_> {
    Message::decode(octets, 0).expect("the header is there")
}

fn sa_v1() -> wire::Payload {
    let lifetime = [short(11, 1), long(12, &[0, 1, 0x51, 0x80])].concat();
    let first = transform_v1(1, 1, &[short(1, 7), short(14, 256), short(2, 4), short(4, 14), short(3, 1), lifetime]);
    let second = transform_v1(2, 1, &[short(1, 5), short(2, 2), short(4, 2), short(3, 1)]);
    payload(1, join(&[&wire::IPSEC_IDENTITY_ONLY, &proposals(&[proposal(0, 1, &[], &[first, second])])]))
}

fn sa_v2() -> wire::Payload {
    let first = [transform_v2(1, 20, &[short(14, 256)]), transform_v2(2, 5, &[]), transform_v2(4, 31, &[])];
    let second = [transform_v2(1, 12, &[short(14, 128)]), transform_v2(3, 12, &[])];
    payload(33, proposals(&[proposal(1, 1, &[], &first), proposal(2, 3, &[0xc0, 0xff, 0xee, 1], &second)]))
}

fn notify_v2(notify_message_type: u16, data: &[u8]) -> wire::Payload {
    payload(41, join(&[&[0, 0], &notify_message_type.to_be_bytes(), data]))
}

/// KE of IKEv2 for group 31.
fn ke_v2() -> wire::Payload {
    payload(34, join(&[&[0, 31, 0, 0], &[7; 32]]))
}

fn main_mode_1() -> wire::Message {
    wire::Message::v1(2, vec![sa_v1(), payload(13, [9; 16]), payload(13, [8; 20])])
}

fn sa_init() -> wire::Message {
    let nat = [notify_v2(16388, &[1; 20]), notify_v2(16389, &[2; 20])];
    wire::Message::v2(34, [vec![sa_v2(), ke_v2(), payload(40, [5; 32])], nat.to_vec()].concat())
}

/// A message of each kind that the laws are tried on.
fn samples() -> Vec<Vec<u8>> {
    let v1 = |types: &[u8]| types.iter().map(|&kind| payload(kind, [1; 24])).collect::<Vec<_>>();
    vec![
        main_mode_1().octets(),
        sa_init().octets(),
        wire::Message::v1(
            4,
            [vec![sa_v1()], v1(&[4, 10, 5, 6, 7, 8, 9, 11, 12, 14, 15, 16, 20, 21, 130, 131])].concat(),
        )
        .octets(),
        wire::Message::v2(35, (34..=54).filter(|kind| !matches!(kind, 46 | 53)).flat_map(|kind| v1(&[kind])).collect())
            .octets(),
        wire::Message::v2(35, vec![payload(53, [0, 1, 0, 3, 9, 9, 9, 9])]).octets(),
        wire::Message::v1(2, vec![payload(132, [0, 1, 1, 0, 9, 9, 9, 9])]).octets(),
    ]
}

/// Everything that can be asked of a message.
fn walk(octets: &[u8], missing: u32) -> Vec<String> {
    let Ok(message) = Message::decode(octets, missing) else { return Vec::new() };
    let _ = (message.fault(), message.is_encrypted(), violations(&message).count());
    message.payloads().map(|payload| describe(&payload)).collect()
}

fn describe(payload: &Payload<'_>) -> String {
    let parts = match payload.body {
        Body::SecurityAssociation(association) => association
            .proposals()
            .map(|proposal| {
                let transforms = proposal.transforms().map(|transform| {
                    let attributes: Vec<_> = transform.attributes().map(|each| (each, each.value.number())).collect();
                    format!("{} {} {attributes:?}", transform.transform_type, transform.transform_id)
                });
                format!(
                    "{} {} {:?} {:?}",
                    proposal.number,
                    proposal.protocol_id,
                    proposal.spi,
                    transforms.collect::<Vec<_>>()
                )
            })
            .collect::<Vec<_>>(),
        Body::Configuration(configuration) => configuration.attributes().map(|each| format!("{each:?}")).collect(),
        Body::TrafficSelectors(selectors) => selectors.selectors().map(|each| format!("{each:?}")).collect(),
        Body::Delete(delete) => delete.each_spi().map(|spi| format!("{spi:?}")).collect(),
        other => vec![format!("{other:?}")],
    };
    format!("{} {} {parts:?}", payload.payload_type, payload.length)
}

fn only_body<'a>(message: &Message<'a>) -> Body<'a> {
    let payloads: Vec<_> = message.payloads().collect();
    assert_eq!(payloads.len(), 1, "one payload was written");
    payloads[0].body
}

fn one_v1(payload_type: u8, body: impl Into<Vec<u8>>) -> wire::Message {
    wire::Message::v1(5, vec![payload(payload_type, body)])
}

fn one_v2(payload_type: u8, body: impl Into<Vec<u8>>) -> wire::Message {
    wire::Message::v2(37, vec![payload(payload_type, body)])
}
