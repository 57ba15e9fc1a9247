//! What each stop of the journey costs: refusing a frame that is not ours, decoding a message of either version, and a
//! whole capture from octets to diagnosis.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use ikescope::base::{FrameRef, Limits, LinkType, Timestamp};
use ikescope::capture::{Captures, Frame};
use ikescope::isakmp::Message;
use ikescope::packet::{Body, Classifier};
use ikescope::pipeline::{self, Options};

fn lab(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab").join(name);
    std::fs::read(path).expect("a capture of the laboratory")
}

fn frame(bytes: &[u8]) -> Frame<'_> {
    let wire_len = u32::try_from(bytes.len()).expect("a frame");
    Frame {
        reference: FrameRef::new(0, 1),
        at: Timestamp::default(),
        link: LinkType::ETHERNET,
        interface: 0,
        bytes,
        wire_len,
    }
}

/// A TCP segment to port 443, as most frames of a busy link are.
fn foreign() -> Vec<u8> {
    let mut octets = vec![2; 12];
    octets.extend([8, 0, 0x45, 0, 0, 60, 0, 1, 0x40, 0, 64, 6, 0, 0, 203, 0, 113, 9, 198, 51, 100, 9]);
    octets.extend([0xc0, 0, 1, 0xbb, 0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 1, 1, 0, 0, 0, 0]);
    octets.resize(74, 0x17);
    octets
}

/// The first ISAKMP message of a capture.
fn first_message(name: &str) -> Vec<u8> {
    let mut captures = Captures::from_reader(name, std::io::Cursor::new(lab(name)));
    let mut classifier = Classifier::new(&[], &Limits::default());
    let mut found = None;
    while let Some(frame) = captures.next_frame() {
        classifier.classify(&frame, &mut |datagram| {
            if let Body::Isakmp(isakmp) = datagram.body {
                found.get_or_insert_with(|| isakmp.octets.to_vec());
            }
        });
    }
    found.expect("a message")
}

fn refuse(criterion: &mut Criterion) {
    let octets = foreign();
    let mut classifier = Classifier::new(&[], &Limits::default());
    criterion.bench_function("refuse/tcp", |bencher| {
        bencher.iter(|| classifier.classify(black_box(&frame(&octets)), &mut |_| {}));
    });
}

fn decode(criterion: &mut Criterion) {
    for (name, capture) in [("decode/v1 MM1", "v1-main-psk-healthy.pcap"), ("decode/v2 SA_INIT", "v2-psk-healthy.pcap")]
    {
        let octets = first_message(capture);
        criterion.bench_function(name, |bencher| {
            bencher.iter(|| {
                let message = Message::decode(black_box(&octets), 0).expect("a header");
                (message.payloads().count(), message.fault())
            });
        });
    }
}

fn analyze(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("analyze");
    for name in ["v1-main-psk-healthy.pcap", "v1-multi-subnet.pcap", "v2-rekey-ike-healthy.pcap"] {
        let octets = lab(name);
        group.throughput(Throughput::Bytes(octets.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut captures = Captures::from_reader(name, std::io::Cursor::new(octets.clone()));
                pipeline::analyze(&mut captures, &Options::default(), &mut ())
            });
        });
    }
}

criterion_group!(benches, refuse, decode, analyze);
criterion_main!(benches);
