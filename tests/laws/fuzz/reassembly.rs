//! Scripts of pieces: whatever order and overlap they come in, honest pieces give the datagram and nothing else, and
//! pieces that contradict each other give no more octets than there are.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use ikescope::base::{FrameRef, Limits, LinkType, Timestamp};
use ikescope::capture::Frame;
use ikescope::diagnose;
use ikescope::packet::{Body, Classifier, Datagram, Encapsulation, IsakmpDatagram};
use ikescope::report::Report;
use ikescope::track::{Observed, Tracker};

use super::Asked;
use super::craft::{self, Header, Piece};
use super::script::Script;
use super::seen::{Seen, What};

const UDP: u8 = 17;
const TCP: u8 = 6;

/// What kind of pieces, then the pieces.
pub fn hold(octets: &[u8], asked: Asked) {
    let [kind, script @ ..] = octets else { return };
    match kind % 5 {
        0 => ip_fragments(script),
        1 => tcp_segments(script),
        2 => ike_fragments(script),
        3 => encrypted_fragments(script),
        _ => anything(script, asked),
    }
}

/// A classifier that numbers its frames, all of them raw IP.
struct Bench {
    classifier: Classifier,
    frames: u64,
    seen: Vec<Seen>,
}

impl Bench {
    fn new() -> Self {
        Self { classifier: Classifier::new(&[], &Limits::default()), frames: 0, seen: Vec::new() }
    }

    fn packet(&mut self, packet: &[u8]) {
        self.frames += 1;
        let frame = raw(self.frames, Timestamp::default(), packet, 0);
        self.classifier.classify(&frame, &mut |datagram| self.seen.push(Seen::of(datagram)));
    }

    /// Every message that came out, the captures being over.
    fn messages(mut self) -> Vec<Seen> {
        self.classifier.finish(&mut |datagram| self.seen.push(Seen::of(datagram)));
        self.seen.retain(|seen| seen.isakmp().is_some());
        self.seen
    }
}

fn raw(number: u64, at: Timestamp, bytes: &[u8], uncaptured: u8) -> Frame<'_> {
    Frame {
        reference: FrameRef::new(0, number),
        at,
        link: LinkType::RAW,
        interface: 0,
        bytes,
        wire_len: bytes.len() as u32 + u32::from(uncaptured),
    }
}

const SPIS: (u64, u64) = (0x0102_0304_0506_0708, 0);

/// An IKE_SA_INIT request around a vendor id of these octets.
fn message(vendor_id: &[u8]) -> Vec<u8> {
    Header { spis: SPIS, version: 0x20, exchange_type: 34, flags: 8, message_id: 0 }.message(&[(43, vendor_id)])
}

/// Two datagrams, of which any pieces come, and then every piece that makes them whole. Each piece is four octets of
/// script: which of them, from where, how long, and nothing.
fn ip_fragments(octets: &[u8]) {
    let script = Script::new(octets);
    let [flags, length, count] = [script.u8(), script.u8(), script.u8()];
    let v6 = flags & 1 != 0;
    let vendor_id = script.run(usize::from(length) * 4);
    let messages = [message(vendor_id), message(&[vendor_id, b"the other"].concat())];
    let datagrams = messages.each_ref().map(|message| craft::udp((500, 500), message));

    let mut pieces: Vec<(usize, usize, usize)> = Vec::new();
    for _ in 0..count % 32 {
        let [which, from, len] = [script.u8(), script.u8(), script.u8()];
        pieces.push((usize::from(which & 1), usize::from(from) * 8, (usize::from(len) + 1) * 8));
    }
    for (which, datagram) in datagrams.iter().enumerate() {
        let half = datagram.len() / 16 * 8;
        pieces.push((which, 0, half.max(8)));
        pieces.push((which, half.max(8), usize::MAX / 2));
    }
    if flags & 2 != 0 {
        pieces.reverse();
    }
    let mut bench = Bench::new();
    for (which, from, len) in pieces {
        let datagram = &datagrams[which];
        let to = datagram.len().min(from.saturating_add(len));
        if let Some(octets) = datagram.get(from..to).filter(|octets| !octets.is_empty()) {
            let more = to != datagram.len();
            let (id, offset) = (which as u16 + 7, from as u16);
            bench.packet(&Piece { v6, source: 1, protocol: UDP, id, offset, more, octets }.packet());
        }
    }
    let seen = bench.messages();
    for (which, message) in messages.iter().enumerate() {
        let mut copies = seen.iter().filter(|seen| seen.isakmp() == Some(message));
        assert!(copies.next().is_some(), "datagram {which} was there and did not become whole: {seen:?}");
    }
    for seen in &seen {
        assert!(messages.iter().any(|message| seen.isakmp() == Some(message)), "nobody sent {seen:?}");
        assert!(!seen.ambiguous_overlap && seen.missing == 0, "{seen:?}");
    }
}

/// A stream of records, of which any segments come behind the first, and then all of it again in order.
fn tcp_segments(octets: &[u8]) {
    let script = Script::new(octets);
    let (start, first, count, records) = (script.u32(), script.u8(), script.u8() % 24, script.u8() % 8 + 1);
    let mut stream = b"IKETCP".to_vec();
    let mut messages = Vec::new();
    for _ in 0..records {
        let message = message(script.run(usize::from(script.u8())));
        stream.extend((message.len() as u16 + 6).to_be_bytes());
        stream.extend([0; 4]);
        stream.extend(&message);
        messages.push(message);
    }
    let first = 6 + usize::from(first) % 200;
    let mut pieces = vec![(0, first)];
    for _ in 0..count {
        let (from, len) = (usize::from(script.u16()) % stream.len(), usize::from(script.u8()) + 1);
        pieces.push((from, len));
    }
    pieces.extend((0..stream.len()).step_by(150).map(|from| (from, 150)));

    let mut bench = Bench::new();
    for (from, len) in pieces {
        let part = &stream[from..stream.len().min(from + len)];
        let segment = craft::tcp((40_000, 4500), start.wrapping_add(from as u32), 0x10, part);
        bench.packet(
            &Piece { v6: false, source: 1, protocol: TCP, id: 1, offset: 0, more: false, octets: &segment }.packet(),
        );
    }
    let seen = bench.messages();
    let read: Vec<_> = seen.iter().filter_map(Seen::isakmp).collect();
    assert_eq!(read, messages, "every record once, in order");
}

/// The datagram of an IKEv1 or IKEv2 message, as the tracker is given it.
fn carried(octets: &[u8], number: u64, from_initiator: bool) -> Datagram<'_> {
    let ends = [IpAddr::from([192, 0, 2, 1]), IpAddr::from([198, 51, 100, 2])];
    let (source, destination) = if from_initiator { (ends[0], ends[1]) } else { (ends[1], ends[0]) };
    Datagram {
        frame: FrameRef::new(0, number),
        first_frame: FrameRef::new(0, number),
        at: Timestamp::from_parts(number as i64, 0),
        interface: 0,
        source,
        destination,
        ip_id: None,
        ttl: 64,
        fragments: 1,
        ambiguous_overlap: false,
        missing: 0,
        body: Body::Isakmp(IsakmpDatagram {
            source_port: 500,
            destination_port: 500,
            encapsulation: Encapsulation::Udp,
            non_esp_marker: false,
            octets,
        }),
    }
}

/// One message in payloads 132: any of them in any order, then each once.
fn ike_fragments(octets: &[u8]) {
    let script = Script::new(octets);
    let (parts, count, length) = (usize::from(script.u8() % 20) + 1, script.u8() % 24, script.u8());
    let header = Header { spis: SPIS, version: 0x10, exchange_type: 2, flags: 0, message_id: 0 };
    let whole = header.message(&[(13, script.run(usize::from(length) * 4)), (13, b"the last one")]);
    let size = whole.len().div_ceil(parts);
    let parts: Vec<&[u8]> = whole.chunks(size).collect();

    let mut order: Vec<usize> = (0..count).map(|_| usize::from(script.u8()) % parts.len()).collect();
    let came: BTreeSet<usize> = order.iter().copied().collect();
    order.extend((0..parts.len()).rev().filter(|part| !came.contains(part)));
    let mut tracker = Tracker::new(&Limits::default());
    let mut became_whole = 0;
    for (number, part) in (1..).zip(order) {
        let last = u8::from(part + 1 == parts.len());
        let body = [&[0, 9, part as u8 + 1, last], parts[part]].concat();
        let fragment = header.message(&[(132, &body)]);
        let observed = tracker.observe(&carried(&fragment, number, true));
        if let Some(octets) = observed.and_then(|observed| observed.reassembled) {
            assert_eq!(octets, whole, "the parts give the message");
            became_whole += 1;
        }
    }
    assert!(became_whole >= 1, "all parts came");
}

/// One message in SKF payloads, each once, in any order: all of them are counted, and none is missing.
fn encrypted_fragments(octets: &[u8]) {
    let script = Script::new(octets);
    let total = u16::from(script.u8() % 80) + 1;
    let header = Header { spis: (SPIS.0, 9), version: 0x20, exchange_type: 35, flags: 8, message_id: 1 };
    let mut left: Vec<u16> = (1..=total).collect();
    let mut tracker = Tracker::new(&Limits::default());
    for frame in 1.. {
        if left.is_empty() {
            break;
        }
        let number = left.remove(usize::from(script.u8()) % left.len());
        let body = [&number.to_be_bytes()[..], &total.to_be_bytes(), &[7; 24]].concat();
        tracker.observe(&carried(&header.message(&[(53, &body)]), frame, true));
    }
    let facts = tracker.into_facts();
    let report = Report::new(Vec::new(), &facts, &diagnose::diagnose(&facts));
    let messages: Vec<_> = report.exchanges.iter().flat_map(|exchange| &exchange.messages).collect();
    assert_eq!(messages.len(), 1, "one message, however it came");
    assert_eq!((messages[0].ike_fragments, messages[0].retransmission_count), (total, 0));
}

/// Pieces of any kind that need not fit: nothing comes out that did not go in, and the same script tells the same, of which
/// one in four is asked.
fn anything(octets: &[u8], asked: Asked) {
    let told = tell(octets);
    if asked.one_in(4, 0) {
        assert_eq!(told, tell(octets), "the same pieces give the same");
    }
}

/// Ceilings that a short script reaches.
fn tight() -> Limits {
    Limits {
        reassemblies: 3,
        reassembly_octets: 2_000,
        reassembly_time: Duration::from_secs(5),
        streams: 2,
        ..Limits::default()
    }
}

fn tell(octets: &[u8]) -> (Vec<Seen>, Vec<Observed>) {
    let script = Script::new(octets);
    let mut classifier = Classifier::new(&[], &tight());
    let mut tracker = Tracker::new(&tight());
    let (mut seen, mut reassembled): (Vec<Seen>, Vec<Observed>) = (Vec::new(), Vec::new());
    let (mut frames, mut seconds, mut went_in) = (0, 0_i64, 0);
    while !script.is_over() && frames < 200 {
        frames += 1;
        let [op, ends, id] = [script.u8(), script.u8(), script.u8()];
        seconds = seconds.saturating_add(i64::from(op >> 4) - 3);
        let offset = script.u8();
        let run = script.run(usize::from(script.u8()));
        let piece = |protocol, more, offset, octets| Piece {
            v6: ends & 1 != 0,
            source: ends >> 1 & 3,
            protocol,
            id: u16::from(id & 3),
            offset,
            more,
            octets,
        };
        let ports = [(500, 500), (4500, 4500), (40_000, 4500), (53, 53)][usize::from(ends >> 3 & 3)];
        let header = Header {
            spis: (SPIS.0, u64::from(id & 1)),
            version: if op & 1 == 0 { 0x10 } else { 0x20 },
            exchange_type: if op & 1 == 0 { 2 } else { 35 },
            flags: ends >> 5 & 1,
            message_id: u32::from(id >> 6),
        };
        let packet = match op % 7 {
            0 | 1 => {
                piece([UDP, 50, 51, 60][usize::from(id >> 4 & 3)], ends & 32 != 0, u16::from(offset) * 8, run).packet()
            }
            2 => {
                let head = craft::udp(ports, run);
                piece(UDP, ends & 32 != 0, 0, &head).packet()
            }
            3 | 4 => {
                let payload = if ends & 64 == 0 { run.to_vec() } else { [b"IKETCP", run].concat() };
                piece(TCP, false, 0, &craft::tcp(ports, u32::from(offset) * 8, id, &payload)).packet()
            }
            5 => {
                let body = [&[0, id & 3, offset, ends >> 7], run].concat();
                piece(UDP, false, 0, &craft::udp((500, 500), &header.message(&[(132, &body)]))).packet()
            }
            _ => {
                let body = [&[0, offset, 0, id], run].concat();
                piece(UDP, false, 0, &craft::udp((500, 500), &header.message(&[(53, &body)]))).packet()
            }
        };
        went_in += packet.len();
        let at = Timestamp::from_parts(1_000_000_000 + seconds, 0);
        tracker.advance(at);
        classifier.classify(&raw(frames, at, &packet, ends >> 6 & 1), &mut |datagram| {
            seen.push(Seen::of(datagram));
            reassembled.extend(tracker.observe(datagram));
        });
    }
    classifier.finish(&mut |datagram| {
        seen.push(Seen::of(datagram));
        tracker.observe(datagram);
    });
    let before = seen.len();
    classifier.finish(&mut |datagram| seen.push(Seen::of(datagram)));
    seen.truncate(before.max(seen.iter().filter(|seen| !matches!(seen.what, What::Aside(_))).count()));
    assert_eq!(seen.len(), before, "what is over is over");

    let came_out: usize = seen.iter().filter_map(Seen::isakmp).map(<[u8]>::len).sum();
    assert!(came_out <= went_in, "{came_out} octets out of {went_in}");
    for octets in reassembled.iter().filter_map(|observed| observed.reassembled.as_ref()) {
        assert!(octets.len() <= went_in, "{} octets out of {went_in}", octets.len());
    }
    (seen, reassembled)
}
