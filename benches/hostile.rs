//! What hostile input costs: messages and datagrams of ever more and ever smaller parts, in sizes that double. The work has
//! to double with them; `cargo bench --bench hostile` prints the throughput, which therefore stays about the same from one
//! size to the next.
//!
//! Not here: whether the answers are right, which `tests/malformed` says.

use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ikescope::base::{FrameRef, Limits, LinkType, Timestamp};
use ikescope::capture::{Captures, Frame};
use ikescope::isakmp::payload::Body;
use ikescope::isakmp::{Message, violations};
use ikescope::packet::Classifier;
use ikescope::pipeline::{self, Options};

/// Octets of the messages and datagrams.
const SIZES: [usize; 5] = [4_000, 8_000, 16_000, 32_000, 64_000];

/// An IKE_SA_INIT, request or response, with this behind its header (RFC 7296 §3.1).
fn message(first: u8, response: bool, body: &[u8]) -> Vec<u8> {
    let mut octets = vec![0x11; 8];
    octets.extend(if response { [0x22; 8] } else { [0; 8] });
    octets.extend([first, 0x20, 34, if response { 0x20 } else { 0x08 }, 0, 0, 0, 0]);
    octets.extend((28 + body.len() as u32).to_be_bytes());
    octets.extend(body);
    octets
}

/// A payload: what follows it, and its body.
fn payload(next: u8, body: &[u8]) -> Vec<u8> {
    [&[next, 0][..], &(4 + body.len() as u16).to_be_bytes(), body].concat()
}

/// Eight octets a part: proposals without transforms.
fn proposals(size: usize) -> Vec<u8> {
    let count = size / 8;
    let parts: Vec<u8> =
        (0..count).flat_map(|at| [if at + 1 < count { 2 } else { 0 }, 0, 0, 8, at as u8, 1, 0, 0]).collect();
    message(33, false, &payload(0, &parts))
}

/// Eight octets a part: transforms of one proposal.
fn transforms(size: usize) -> Vec<u8> {
    let count = size / 8;
    let mut parts = vec![0, 0];
    parts.extend((8 + 8 * count as u16).to_be_bytes());
    parts.extend([1, 1, 0, count as u8]);
    parts.extend((0..count).flat_map(|at| [if at + 1 < count { 3 } else { 0 }, 0, 0, 8, 1 + at as u8 % 4, 0, 0, 12]));
    message(33, false, &payload(0, &parts))
}

/// Four octets a part: attributes of one transform.
fn attributes(size: usize) -> Vec<u8> {
    let count = size / 4;
    let mut parts = vec![0, 0];
    parts.extend((16 + 4 * count as u16).to_be_bytes());
    parts.extend([1, 1, 0, 1, 0, 0]);
    parts.extend((8 + 4 * count as u16).to_be_bytes());
    parts.extend([1, 0, 0, 12]);
    parts.extend([0x80, 14, 1, 0].repeat(count));
    message(33, false, &payload(0, &parts))
}

/// Four octets a part: payloads of nothing.
fn payloads(size: usize) -> Vec<u8> {
    message(43, false, &[43, 0, 0, 4].repeat(size / 4))
}

/// One octet a part: SPIs to delete.
fn spis(size: usize) -> Vec<u8> {
    let body = [&[3, 1][..], &(size as u16).to_be_bytes(), &vec![0x77; size]].concat();
    message(42, false, &payload(0, &body))
}

/// Four octets a part: traffic selectors of a type that is not known.
fn selectors(size: usize) -> Vec<u8> {
    let body = [&[(size / 4) as u8, 0, 0, 0][..], &[99, 0, 0, 4].repeat(size / 4)].concat();
    message(44, false, &payload(0, &body))
}

/// What the program asks of every message, and of every part in it.
fn read_all(octets: &[u8]) -> usize {
    let Ok(message) = Message::decode(octets, 0) else { return 0 };
    let mut parts = usize::from(message.fault().is_some()) + violations(&message).count();
    for payload in message.payloads() {
        parts += 1;
        match payload.body {
            Body::SecurityAssociation(association) => {
                for proposal in association.proposals() {
                    parts += 1;
                    for transform in proposal.transforms() {
                        parts += 1 + transform.attributes().count();
                    }
                }
            }
            Body::Delete(delete) => parts += delete.each_spi().count(),
            Body::TrafficSelectors(selectors) => parts += selectors.selectors().count(),
            _ => {}
        }
    }
    parts
}

/// Decoding one message of minimal parts.
fn quadratic(criterion: &mut Criterion) {
    type Make = fn(usize) -> Vec<u8>;
    let makes: [(&str, Make); 6] = [
        ("proposals", proposals),
        ("transforms", transforms),
        ("attributes", attributes),
        ("payloads", payloads),
        ("spis", spis),
        ("selectors", selectors),
    ];
    let mut group = criterion.benchmark_group("quadratic");
    for (name, make) in makes {
        for size in SIZES {
            let octets = make(size);
            group.throughput(Throughput::Bytes(octets.len() as u64));
            group.bench_with_input(BenchmarkId::new(name, size), &octets, |bencher, octets| {
                bencher.iter(|| read_all(black_box(octets)));
            });
        }
    }
    group.finish();
}

/// An IPv4 packet between two peers, `place` being flags and fragment offset (RFC 791 §3.1).
fn packet(protocol: u8, response: bool, place: u16, carried: &[u8]) -> Vec<u8> {
    let mut octets = vec![2; 12];
    octets.extend([8, 0, 0x45, 0]);
    octets.extend((20 + carried.len() as u16).to_be_bytes());
    octets.extend([0, 1]);
    octets.extend(place.to_be_bytes());
    octets.extend([64, protocol, 0, 0]);
    let (one, two) = ([203, 0, 113, 1], [198, 51, 100, 2]);
    octets.extend(if response { [two, one] } else { [one, two] }.concat());
    octets.extend(carried);
    octets
}

/// A UDP datagram on port 500.
fn datagram(message: &[u8]) -> Vec<u8> {
    [&[1, 0xf4, 1, 0xf4][..], &(8 + message.len() as u16).to_be_bytes(), &[0, 0], message].concat()
}

/// Everything that `frames` lead to, from classification to diagnosis.
fn judge(frames: &[Vec<u8>]) -> usize {
    let mut file = [&0xa1b2_c3d4_u32.to_le_bytes()[..], &[2, 0, 4, 0], &[0; 8], &[0, 0, 4, 0], &[1, 0, 0, 0]].concat();
    for (at, frame) in frames.iter().enumerate() {
        file.extend((at as u32 / 1000).to_le_bytes());
        file.extend((at as u32 % 1000 * 1000).to_le_bytes());
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend((frame.len() as u32).to_le_bytes());
        file.extend(frame);
    }
    let mut captures = Captures::from_reader("bench", std::io::Cursor::new(file));
    pipeline::analyze(&mut captures, &Options::default(), &mut ()).diagnosis.len()
}

/// An offer of minimal parts and its refusal: what explains why nothing of it was chosen.
fn refusal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("quadratic refusal");
    let answer = packet(17, true, 0, &datagram(&message(41, true, &payload(0, &[0, 0, 0, 14]))));
    for (name, make) in [("proposals", proposals as fn(usize) -> Vec<u8>), ("transforms", transforms)] {
        for size in SIZES {
            let frames = [packet(17, false, 0, &datagram(&make(size))), answer.clone()];
            group.throughput(Throughput::Bytes(size as u64));
            group.bench_with_input(BenchmarkId::new(name, size), &frames, |bencher, frames| {
                bencher.iter(|| judge(black_box(frames)));
            });
        }
    }
    group.finish();
}

fn frame(at: usize, bytes: &[u8]) -> Frame<'_> {
    let number = at as u64 + 1;
    Frame {
        reference: FrameRef::new(0, number),
        at: Timestamp::default(),
        link: LinkType::ETHERNET,
        interface: 0,
        bytes,
        wire_len: bytes.len() as u32,
    }
}

/// Pieces put together, as small as they can be and in the worst order.
fn pieces(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("quadratic pieces");
    for size in SIZES {
        let whole = datagram(&vec![0x5a; size - 8]);
        let last = whole.len().div_ceil(8) - 1;
        // The first one, that it is known to be ours, then from the end to the start.
        let fragments: Vec<Vec<u8>> = std::iter::once(0)
            .chain((1..=last).rev())
            .map(|at| {
                let more = if at == last { 0 } else { 0x2000 };
                packet(17, false, at as u16 | more, &whole[at * 8..(at * 8 + 8).min(whole.len())])
            })
            .collect();
        group.throughput(Throughput::Elements(fragments.len() as u64));
        group.bench_with_input(BenchmarkId::new("IP fragments backwards", size), &fragments, |bencher, fragments| {
            bencher.iter(|| classify(black_box(fragments)));
        });
        // A record of that length in a TCP stream, an octet a segment (RFC 9329 §3).
        let stream = [&b"IKETCP"[..], &(size as u16).to_be_bytes(), &vec![0; size - 2]].concat();
        let segments: Vec<Vec<u8>> = stream
            .iter()
            .enumerate()
            .map(|(at, octet)| {
                let head = [0xc0, 0, 0x11, 0x94];
                let rest = [0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0, *octet];
                packet(6, false, 0, &[&head[..], &(at as u32).to_be_bytes(), &rest].concat())
            })
            .collect();
        group.throughput(Throughput::Elements(segments.len() as u64));
        group.bench_with_input(BenchmarkId::new("TCP octet by octet", size), &segments, |bencher, segments| {
            bencher.iter(|| classify(black_box(segments)));
        });
    }
    group.finish();
}

fn classify(frames: &[Vec<u8>]) -> usize {
    let mut classifier = Classifier::new(&[], &Limits::default());
    let mut seen = 0;
    for (at, octets) in frames.iter().enumerate() {
        classifier.classify(&frame(at, octets), &mut |_| seen += 1);
    }
    classifier.finish(&mut |_| seen += 1);
    seen
}

criterion_group! {
    name = hostile;
    config = Criterion::default().sample_size(20).warm_up_time(std::time::Duration::from_millis(300))
        .measurement_time(std::time::Duration::from_secs(1));
    targets = quadratic, refusal, pieces
}
criterion_main!(hostile);
