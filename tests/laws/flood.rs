//! Work grows with the packets, whatever they pretend to be.
//!
//! No clock is asked: where every packet costs as much as there are packets before it, these tests do not end.

use std::net::{IpAddr, Ipv4Addr};

use ikescope::base::{EspSpi, FrameRef, Limits, Timestamp};
use ikescope::diagnose;
use ikescope::packet::{Body, Datagram, Encapsulation, EspPacket, IsakmpDatagram};
use ikescope::report::Report;
use ikescope::track::Tracker;

use crate::fuzz::craft::Header;

/// Packets of a flood.
const MANY: u64 = 100_000;

const PEERS: (IpAddr, IpAddr) = (IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)), IpAddr::V4(Ipv4Addr::new(198, 51, 100, 2)));

fn datagram(number: u64, ends: (IpAddr, IpAddr), body: Body<'_>) -> Datagram<'_> {
    Datagram {
        frame: FrameRef::new(0, number + 1),
        first_frame: FrameRef::new(0, number + 1),
        at: Timestamp::from_nanos(number as i64 * 100_000),
        interface: 0,
        source: ends.0,
        destination: ends.1,
        ip_id: None,
        ttl: 64,
        fragments: 1,
        ambiguous_overlap: false,
        missing: 0,
        body,
    }
}

fn isakmp(octets: &[u8]) -> Body<'_> {
    Body::Isakmp(IsakmpDatagram {
        source_port: 500,
        destination_port: 500,
        encapsulation: Encapsulation::Udp,
        non_esp_marker: false,
        octets,
    })
}

fn esp(spi: u64) -> Body<'static> {
    Body::Esp(EspPacket {
        spi: EspSpi(spi as u32),
        sequence: 1,
        length: 64,
        encapsulation: Encapsulation::None,
        ports: (0, 0),
        readable: false,
    })
}

/// An encrypted IKEv2 message of the initiator.
fn encrypted(spis: (u64, u64), exchange_type: u8, message_id: u64) -> Vec<u8> {
    let header = Header { spis, version: 0x20, exchange_type, flags: 8, message_id: message_id as u32 };
    header.message(&[(46, &[7; 32])])
}

/// All that follows the last packet.
fn judge(tracker: Tracker) -> Report {
    let facts = tracker.into_facts();
    Report::new(Vec::new(), &facts, &diagnose::diagnose(&facts))
}

#[test]
fn messages_of_sas_that_nobody_saw_begin() {
    let mut tracker = Tracker::new(&Limits::default());
    for number in 0..MANY {
        let spis = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, number + 1);
        tracker.observe(&datagram(number, PEERS, isakmp(&encrypted(spis, 37, 1))));
    }
    assert_eq!(judge(tracker).attempts.len() as u64, MANY);
}

#[test]
fn first_messages_of_one_peer() {
    let mut tracker = Tracker::new(&Limits::default());
    for number in 0..MANY {
        tracker.observe(&datagram(number, PEERS, isakmp(&encrypted((number + 1, 0), 34, 0))));
    }
    assert_eq!(judge(tracker).attempts.len() as u64, MANY);
}

#[test]
fn packets_of_spis_that_nobody_negotiated() {
    let mut tracker = Tracker::new(&Limits::default());
    for number in 0..MANY {
        tracker.observe(&datagram(number, PEERS, esp(number + 256)));
    }
    assert_eq!(judge(tracker).esp_flows.len() as u64, MANY);
}

#[test]
fn a_peer_that_moves_with_every_message() {
    let mut tracker = Tracker::new(&Limits::default());
    tracker.observe(&datagram(0, PEERS, isakmp(&encrypted((1, 2), 35, 1))));
    for number in 1..MANY / 2 {
        let ends = (IpAddr::V4(Ipv4Addr::from_bits(0x0a00_0000 + number as u32)), PEERS.1);
        tracker.observe(&datagram(number, ends, esp(number + 256)));
        tracker.observe(&datagram(number, ends, isakmp(&encrypted((1, 2), 37, number + 1))));
    }
    let report = judge(tracker);
    assert_eq!((report.pairs.len(), report.attempts.len()), (1, 1), "it is one peer");
    assert_eq!(report.esp_flows.len() as u64, MANY / 2 - 1);
}

#[test]
fn messages_of_one_sa_without_end() {
    let mut tracker = Tracker::new(&Limits::default());
    for number in 0..MANY {
        tracker.observe(&datagram(number, PEERS, isakmp(&encrypted((1, 2), 37, number))));
    }
    let report = judge(tracker);
    let kept: usize = report.exchanges.iter().map(|exchange| exchange.messages.len()).sum();
    assert!(kept <= Limits::default().messages_an_attempt);
    assert_eq!(kept as u64 + report.attempts[0].messages_forgotten, MANY);
}

#[test]
fn a_message_of_minimal_transforms() {
    // 64 kB: one proposal after another, each of 255 transforms without attributes (RFC 7296 §3.3).
    let mut body = Vec::new();
    while body.len() + 2048 < 65_000 {
        body.extend([2, 0, 8, 0, 1, 1, 0, 255]);
        (0..255_u8).for_each(|number| body.extend([if number == 254 { 0 } else { 3 }, 0, 0, 8, 1, 0, 0, number]));
    }
    let last = body.len() - 2048;
    body[last] = 0;
    let header = Header { spis: (1, 0), version: 0x20, exchange_type: 34, flags: 8, message_id: 0 };
    let message = header.message(&[(33, &body)]);
    crate::fuzz::message::hold(&[&[0], &message[..]].concat(), crate::fuzz::Asked::ALL);
    let mut tracker = Tracker::new(&Limits::default());
    for number in 0..50 {
        tracker.observe(&datagram(number, PEERS, isakmp(&message)));
    }
    assert_eq!(judge(tracker).attempts.len(), 1);
}
