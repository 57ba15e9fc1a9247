//! Floods: a ceiling of memory that no number of packets passes, and real peers that keep their state meanwhile.
//!
//! Each flood is a stream of frames made while it is read, in which the frames of a recorded negotiation come now and then.
//! `IKESCOPE_FLOOD=10000000 cargo test --release --test floods` makes them as long as that; with `-- --exact NAME --nocapture`
//! one of them tells how much memory it took.

use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

use ikescope::base::Limits;
use ikescope::capture::Captures;
use ikescope::pipeline::{self, Options};
use ikescope::report::Report;

/// The ceiling of these tests.
const CEILING: usize = 8 << 20;
/// What the program takes besides: buffers, what is shared, what is at work, the tables' spare room, and the allocator's own.
const BESIDES: u64 = 80 << 20;

fn length() -> u64 {
    std::env::var("IKESCOPE_FLOOD").ok().and_then(|text| text.parse().ok()).unwrap_or(40_000)
}

/// Numbers that look random and are always the same.
#[derive(Clone)]
struct Numbers {
    state: u64,
    /// How many packets were made up.
    packets: u64,
}

impl Numbers {
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.state ^ self.state >> 29
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        (0..count.div_ceil(8)).flat_map(|_| self.next().to_be_bytes()).take(count).collect()
    }
}

/// Ethernet and IPv4 around what a protocol carries.
fn ipv4(source: u32, destination: u32, protocol: u8, id: u16, fragment: u16, carried: &[u8]) -> Vec<u8> {
    let mut frame = vec![2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0, 0x45, 0];
    frame.extend(u16::try_from(20 + carried.len()).unwrap().to_be_bytes());
    frame.extend(id.to_be_bytes());
    frame.extend(fragment.to_be_bytes());
    frame.extend([64, protocol, 0, 0]);
    frame.extend(source.to_be_bytes());
    frame.extend(destination.to_be_bytes());
    frame.extend(carried);
    frame
}

fn udp(source: u32, destination: u32, port: u16, payload: &[u8]) -> Vec<u8> {
    let mut carried = [port.to_be_bytes(), port.to_be_bytes()].concat();
    carried.extend(u16::try_from(8 + payload.len()).unwrap().to_be_bytes());
    carried.extend([0, 0]);
    carried.extend(payload);
    ipv4(source, destination, 17, 1, 0, &carried)
}

/// An IKEv2 header with these payloads behind it (RFC 7296 §3.1).
fn ikev2(spis: [u64; 2], first: u8, exchange: u8, message_id: u32, payloads: &[u8]) -> Vec<u8> {
    let mut message = [spis[0].to_be_bytes(), spis[1].to_be_bytes()].concat();
    message.extend([first, 0x20, exchange, 0x08]);
    message.extend(message_id.to_be_bytes());
    message.extend(u32::try_from(28 + payloads.len()).unwrap().to_be_bytes());
    message.extend(payloads);
    message
}

/// An SA payload of one proposal with so many transforms that differ (RFC 7296 §3.3).
fn transforms(count: u16, numbers: &mut Numbers) -> Vec<u8> {
    let mut proposal = vec![0, 0];
    proposal.extend((8 + 8 * count).to_be_bytes());
    proposal.extend([1, 1, 0, count.min(255) as u8]);
    for left in (0..count).rev() {
        let id = numbers.next() as u16;
        proposal.extend([if left > 0 { 3 } else { 0 }, 0, 0, 8, 1, 0]);
        proposal.extend(id.to_be_bytes());
    }
    let mut payload = vec![0, 0];
    payload.extend(u16::try_from(4 + proposal.len()).unwrap().to_be_bytes());
    payload.extend(proposal);
    payload
}

const HOME: u32 = 0xc633_6401;

/// One packet of a flood, by what is made up in it.
type Garbage = fn(&mut Numbers) -> Vec<u8>;

fn addresses(numbers: &mut Numbers) -> Vec<u8> {
    let message = ikev2([numbers.next() | 1, 0], 0, 34, 0, &[]);
    udp(0x0a00_0000 | numbers.next() as u32 & 0xff_ffff, HOME, 500, &message)
}

fn spis_of_one_pair(numbers: &mut Numbers) -> Vec<u8> {
    udp(0x0a00_0001, HOME, 500, &ikev2([numbers.next() | 1, 0], 0, 34, 0, &[]))
}

fn both_spis(numbers: &mut Numbers) -> Vec<u8> {
    let message = ikev2([numbers.next() | 1, numbers.next() | 1], 46, 37, numbers.next() as u32, &[0, 0, 0, 4]);
    udp(0x0a00_0000 | numbers.next() as u32 & 0xffff, HOME, 500, &message)
}

fn message_ids(numbers: &mut Numbers) -> Vec<u8> {
    let message = ikev2([7, 9], 46, 37, numbers.next() as u32, &[0, 0, 0, 4]);
    udp(0x0a00_0001, HOME, 500, &message)
}

fn esp(numbers: &mut Numbers) -> Vec<u8> {
    let carried = [numbers.octets(8), vec![0; 32]].concat();
    ipv4(0x0a00_0001, HOME, 50, 1, 0, &carried)
}

fn fragments(numbers: &mut Numbers) -> Vec<u8> {
    let id = numbers.next() as u16;
    ipv4(0x0a00_0000 | numbers.next() as u32 & 0xffff, HOME, 17, id, 0x2000 | 90, &numbers.octets(64))
}

fn long_offers(numbers: &mut Numbers) -> Vec<u8> {
    let payload = transforms(200, numbers);
    let message = ikev2([numbers.next() | 1, 0], 33, 34, 0, &payload);
    udp(0x0a00_0000 | numbers.next() as u32 & 0xffff, HOME, 500, &message)
}

fn vendor_ids(numbers: &mut Numbers) -> Vec<u8> {
    let mut payloads = Vec::new();
    for left in (0..24).rev() {
        payloads.extend([if left > 0 { 43 } else { 0 }, 0, 0, 44]);
        payloads.extend(numbers.octets(40));
    }
    udp(0x0a00_0000 | numbers.next() as u32 & 0xffff, HOME, 500, &ikev2([numbers.next() | 1, 0], 43, 34, 0, &payloads))
}

/// Every other packet is a responder's answer to the one before it: negotiations half open.
fn half_open(numbers: &mut Numbers) -> Vec<u8> {
    let number = numbers.packets / 2;
    let (spi, address) = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 0x0a00_0000 | number as u32 & 0xff_ffff);
    if numbers.packets.is_multiple_of(2) {
        udp(address, HOME, 500, &ikev2([spi, 0], 0, 34, 0, &[]))
    } else {
        let mut answer = ikev2([spi, numbers.next() | 1], 0, 34, 0, &[]);
        answer[19] = 0x20;
        udp(HOME, address, 500, &answer)
    }
}

/// Three packets a negotiation: both ends take part, as far as anybody can tell who has not their keys.
fn taken_up(numbers: &mut Numbers) -> Vec<u8> {
    let number = numbers.packets / 3;
    let (spi, address) = (number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1, 0x0a00_0000 | number as u32 & 0xff_ffff);
    match numbers.packets % 3 {
        0 => udp(address, HOME, 500, &ikev2([spi, 0], 0, 34, 0, &[])),
        1 => {
            let mut answer = ikev2([spi, !spi], 0, 34, 0, &[]);
            answer[19] = 0x20;
            udp(HOME, address, 500, &answer)
        }
        _ => udp(address, HOME, 500, &ikev2([spi, !spi], 46, 35, 1, &[0, 0, 0, 4])),
    }
}

/// Addresses, SPIs and ports in rows, as they would be chosen against a hash that takes some of their bits.
fn rows(numbers: &mut Numbers) -> Vec<u8> {
    let number = numbers.packets;
    let spi = (number << 32 | 0x8000_0000).rotate_left(number as u32 % 4 * 16);
    udp(0x0a00_0000 | (number as u32 & 0xff_ffff).reverse_bits() >> 8, HOME, 500, &ikev2([spi, 0], 0, 34, 0, &[]))
}

/// The first of 65,535 fragments of an encrypted message (RFC 7383 §2.5), each of another message.
fn skf_fragments(numbers: &mut Numbers) -> Vec<u8> {
    let mut payload = vec![0, 0];
    payload.extend((8 + 400_u16).to_be_bytes());
    payload.extend([0, 1, 0xff, 0xff]);
    payload.extend(numbers.octets(400));
    let message = ikev2([numbers.next() | 1, numbers.next() | 1], 53, 35, 1, &payload);
    udp(0x0a00_0000 | numbers.next() as u32 & 0xffff, HOME, 500, &message)
}

/// A fragment of an IKEv1 message (payload 132) that is not the last, each of another message.
fn v1_fragments(numbers: &mut Numbers) -> Vec<u8> {
    let mut payload = vec![0, 0];
    payload.extend((8 + 400_u16).to_be_bytes());
    payload.extend((numbers.next() as u16).to_be_bytes());
    payload.extend([1, 0]);
    payload.extend(numbers.octets(400));
    let mut message = ikev2([numbers.next() | 1, numbers.next() | 1], 132, 2, 0, &payload);
    message[17] = 0x10;
    udp(0x0a00_0000 | numbers.next() as u32 & 0xffff, HOME, 500, &message)
}

/// The beginning of a TCP stream that promises a message of 64 kB (RFC 9329 §3).
fn streams(numbers: &mut Numbers) -> Vec<u8> {
    let mut carried = (numbers.next() as u16 | 0x8000).to_be_bytes().to_vec();
    carried.extend(4500_u16.to_be_bytes());
    carried.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0]);
    carried.extend(*b"IKETCP");
    carried.extend([0xff, 0xff, 0, 0, 0, 0]);
    carried.extend(numbers.octets(600));
    ipv4(0x0a00_0000 | numbers.next() as u32 & 0xff_ffff, HOME, 6, 1, 0, &carried)
}

/// A message of 64 kB that is all minimal transforms.
fn vast_offers(numbers: &mut Numbers) -> Vec<u8> {
    let payload = transforms(8_000, numbers);
    let message = ikev2([numbers.next() | 1, 0], 33, 34, 0, &payload);
    udp(0x0a00_0000 | numbers.next() as u32 & 0xffff, HOME, 500, &message)
}

/// A pcap file that is made while it is read.
struct Flood {
    garbage: Garbage,
    numbers: Numbers,
    left: u64,
    /// Frames of a recorded negotiation, and after how many others each comes.
    real: std::vec::IntoIter<Vec<u8>>,
    every: u64,
    /// Frames that are left when the first of them comes.
    begin: u64,
    made: u64,
    ready: io::Cursor<Vec<u8>>,
}

impl Flood {
    fn new(garbage: Garbage, count: u64, real: Vec<Vec<u8>>) -> Self {
        let mut head = 0xa1b2_3c4d_u32.to_le_bytes().to_vec();
        head.extend([2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
        head.extend(262_144_u32.to_le_bytes());
        head.extend(1_u32.to_le_bytes());
        // The real peers answer each other within a tenth of a second, and then the flood goes on.
        let every = (count / (real.len() as u64 + 1)).min(1000);
        let (real, ready) = (real.into_iter(), io::Cursor::new(head));
        Self {
            garbage,
            numbers: Numbers { state: 1, packets: 0 },
            left: count,
            real,
            every,
            begin: count / 4 * 3,
            made: 0,
            ready,
        }
    }

    fn record(&mut self, frame: &[u8]) -> Vec<u8> {
        // ten thousand a second
        let at = Duration::from_micros(self.made * 100);
        self.made += 1;
        let mut record = Vec::with_capacity(16 + frame.len());
        record.extend((1_700_000_000 + at.as_secs() as u32).to_le_bytes());
        record.extend(at.subsec_nanos().to_le_bytes());
        record.extend((frame.len() as u32).to_le_bytes());
        record.extend((frame.len() as u32).to_le_bytes());
        record.extend(frame);
        record
    }
}

impl Read for Flood {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let count = self.ready.read(buffer)?;
            if count > 0 || self.left == 0 {
                return Ok(count);
            }
            self.left -= 1;
            let real =
                if self.left <= self.begin && self.left.is_multiple_of(self.every) { self.real.next() } else { None };
            let frame = real.unwrap_or_else(|| {
                self.numbers.packets += 1;
                (self.garbage)(&mut self.numbers)
            });
            let record = self.record(&frame);
            self.ready = io::Cursor::new(record);
        }
    }
}

/// The frames of a healthy negotiation with its traffic.
fn negotiation() -> Vec<Vec<u8>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab/v2-psk-healthy.pcap");
    let mut captures = Captures::open(&[path]);
    let mut frames = Vec::new();
    while let Some(frame) = captures.next_frame() {
        frames.push(frame.bytes.to_vec());
    }
    assert!(captures.errors().is_empty() && frames.len() >= 8, "{:?}", captures.errors());
    frames
}

/// Octets of memory in use now (`VmRSS:`) or at most so far (`VmHWM:`), where the system tells.
fn memory(kind: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(kind))?;
    line.trim().trim_end_matches(" kB").trim().parse::<u64>().ok().map(|kib| kib << 10)
}

fn drown(garbage: Garbage) -> Report {
    drown_in(garbage, length())
}

fn drown_in(garbage: Garbage, length: u64) -> Report {
    drown_below(CEILING, garbage, length)
}

fn drown_below(ceiling: usize, garbage: Garbage, length: u64) -> Report {
    let options = Options { limits: Limits { octets: ceiling, ..Limits::default() }, ..Options::default() };
    let flood = Flood::new(garbage, length, negotiation());
    let mut captures = Captures::from_reader("flood", flood);
    let (counts, facts) = pipeline::follow(&mut captures, &options, &mut ());
    if let (Some(resident), Some(most)) = (memory("VmRSS:"), memory("VmHWM:")) {
        // seen with --nocapture, and worth something if one flood runs alone
        println!("{length} packets: at most {} MiB while they were read", most >> 20);
        // eight floods run side by side at most
        assert!(resident < 8 * (CEILING as u64 * 2 + BESIDES), "{} MiB in use", resident >> 20);
    }
    let diagnosis = ikescope::diagnose::diagnose(&facts);
    let infos = captures.infos().into_iter().zip(counts).collect();
    Report::new(infos, &facts, &diagnosis)
}

/// The pair of the negotiation, among whatever else is left.
fn real_pair_is_told(report: &Report) {
    let pair = report.pairs.iter().find(|pair| pair.sent_by_a.isakmp > 1 && pair.sent_by_b.isakmp > 1);
    let pair = pair.expect("the pair that really spoke is still there");
    let attempt = &report.attempts[pair.attempts[0]];
    assert!(!attempt.responder_spi.is_zero());
    assert_eq!(attempt.outcome, ikescope::diagnose::Outcome::Established, "{:?}", pair.verdict);
    assert!(report.esp_flows.iter().filter(|flow| flow.pair == pair.id).count() >= 2, "its flows are still there");
}

#[test]
fn made_up_addresses_push_out_themselves() {
    let report = drown(addresses);
    real_pair_is_told(&report);
    assert!(report.forgotten.pairs > length() / 2, "{:?}", report.forgotten);
    assert!(report.forgotten.attempts >= report.forgotten.pairs);
}

#[test]
fn made_up_spis_of_one_pair_push_out_themselves() {
    let report = drown(spis_of_one_pair);
    real_pair_is_told(&report);
    assert!(report.forgotten.attempts > length() / 4, "{:?}", report.forgotten);
}

#[test]
fn made_up_answers_are_held_to_the_ceiling_too() {
    let report = drown(both_spis);
    assert!(report.forgotten.attempts + report.forgotten.messages > 0, "{:?}", report.forgotten);
}

#[test]
fn made_up_message_ids_of_one_attempt_are_forgotten_by_the_attempt() {
    let report = drown(message_ids);
    real_pair_is_told(&report);
    let kept = report.attempts.iter().map(|attempt| attempt.messages_forgotten).max();
    assert!(kept > Some(length() / 2), "{kept:?}");
}

#[test]
fn made_up_esp_spis_push_out_themselves() {
    let report = drown(esp);
    real_pair_is_told(&report);
    assert!(report.forgotten.flows > length() / 2, "{:?}", report.forgotten);
    let flood = report.pairs.iter().map(|pair| pair.sent_by_a.esp.max(pair.sent_by_b.esp)).max();
    assert!(flood > Some(length() - 200), "packets of flows that were forgotten are counted all the same: {flood:?}");
}

#[test]
fn made_up_fragments_are_given_up() {
    let report = drown(fragments);
    real_pair_is_told(&report);
    assert!(report.captures[0].counts.ip_fragment + 200 > length(), "{:?}", report.captures[0].counts);
}

#[test]
fn long_offers_weigh_what_they_take() {
    let report = drown_in(long_offers, length() / 4);
    real_pair_is_told(&report);
    assert!(report.forgotten.pairs > 0, "{:?}", report.forgotten);
}

#[test]
fn long_lists_of_vendor_ids_weigh_what_they_take() {
    let report = drown_in(vendor_ids, length() / 4);
    real_pair_is_told(&report);
    assert!(report.forgotten.pairs > 0, "{:?}", report.forgotten);
}

#[test]
fn negotiations_left_half_open_push_out_themselves() {
    let report = drown(half_open);
    real_pair_is_told(&report);
    assert!(report.forgotten.pairs > length() / 10, "{:?}", report.forgotten);
}

#[test]
fn where_all_that_is_kept_was_taken_up_what_is_new_is_turned_away() {
    const OCTETS: usize = 1 << 20;
    let report = drown_below(OCTETS, taken_up, length());
    // an attempt and its pair take 480 octets at the least
    assert!(report.pairs.len() <= OCTETS / 480, "{} pairs", report.pairs.len());
    assert!(report.forgotten.pairs > length() / 8, "{:?}", report.forgotten);
    let first = &report.pairs[0];
    assert!(first.sent_by_a.isakmp == 2 && first.sent_by_b.isakmp == 1, "the first is still there");
}

#[test]
fn keys_in_rows_are_told_apart_as_well_as_others() {
    let report = drown(rows);
    real_pair_is_told(&report);
    assert!(report.forgotten.pairs > length() / 2, "{:?}", report.forgotten);
}

#[test]
fn made_up_fragments_of_encrypted_messages_are_given_up() {
    let report = drown(skf_fragments);
    real_pair_is_told(&report);
    let forgotten = report.forgotten;
    assert!(forgotten.pairs + forgotten.attempts + forgotten.reassemblies > 0, "{forgotten:?}");
}

#[test]
fn made_up_fragments_of_ikev1_messages_are_given_up() {
    let report = drown(v1_fragments);
    real_pair_is_told(&report);
    assert!(report.forgotten.reassemblies > length() / 4, "{:?}", report.forgotten);
}

#[test]
fn streams_that_promise_long_messages_are_given_up() {
    let report = drown(streams);
    real_pair_is_told(&report);
    assert!(report.forgotten.streams > length() / 2, "{:?}", report.forgotten);
}

#[test]
fn offers_of_64_kilobytes_weigh_what_they_take() {
    let report = drown_in(vast_offers, length() / 64);
    real_pair_is_told(&report);
    assert!(report.captures[0].counts.ike >= length() / 64 - 200, "{:?}", report.captures[0].counts);
}
