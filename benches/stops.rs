//! What each stop of the journey costs: refusing a frame that is not ours, decoding a message of either version, following
//! IKE and ESP, writing single messages, judging what was followed, and writing the report.
//!
//! Not here: files and the disk (`ikescope bench`), other programs (`benches/side-by-side`). Contract: captures that are not
//! of the laboratory come from the generator, with its usual seed.

#[path = "generate/large/mod.rs"]
mod large;
#[path = "generate/support.rs"]
mod support;

use std::hint::black_box;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Duration;

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use ikescope::base::{FrameRef, Limits, LinkType, Timestamp};
use ikescope::capture::{Captures, Frame};
use ikescope::isakmp::Message;
use ikescope::messages::{Row, Writer};
use ikescope::packet::{Body, Classifier, Datagram, IsakmpDatagram};
use ikescope::pipeline::{self, Options, Watch};
use ikescope::report::{Report, json};
use ikescope::track::Observed;
use large::{Kind, Order};

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
    let mut captures = Captures::from_reader(name, Cursor::new(lab(name)));
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

/// A generated capture: how many of what is measured are in it, and its octets.
fn generated(order: &Order) -> (large::Made, Vec<u8>) {
    let mut file = Vec::new();
    let made = large::make(order, &mut file).expect("memory takes everything");
    (made, file)
}

/// IKE alone: complete negotiations, half of them IKEv1.
fn ike() -> (large::Made, Vec<u8>) {
    generated(&Order { pairs: Some(500), ..Order::new(Kind::Ike) })
}

fn opened(file: &[u8]) -> Captures {
    Captures::from_reader("generated", Cursor::new(file.to_vec()))
}

fn refuse(criterion: &mut Criterion) {
    let octets = foreign();
    let mut classifier = Classifier::new(&[], &Limits::default());
    criterion.bench_function("refuse/tcp", |bencher| {
        bencher.iter(|| classifier.classify(black_box(&frame(&octets)), &mut |_| {}));
    });
    let (made, file) = generated(&Order { pairs: Some(1), size: Some(4_000_000), ..Order::new(Kind::Mixed) });
    let mut group = criterion.benchmark_group("refuse");
    group.throughput(Throughput::Elements(made.packets));
    group.bench_function("a busy link, read and refused", |bencher| {
        bencher.iter_batched(|| opened(&file), classified, BatchSize::LargeInput);
    });
}

/// Reads to the end, and does no more than tell frames apart.
fn classified(mut captures: Captures) -> u64 {
    let mut classifier = Classifier::new(&[], &Limits::default());
    let mut datagrams = 0;
    while let Some(frame) = captures.next_frame() {
        classifier.classify(&frame, &mut |_| datagrams += 1);
    }
    datagrams
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

/// With reading and refusing, which are little beside it.
fn follow(criterion: &mut Criterion) {
    let (ike, ike_file) = ike();
    let (esp, esp_file) = generated(&Order { pairs: Some(50), size: Some(6_000_000), ..Order::new(Kind::Esp) });
    let mut group = criterion.benchmark_group("follow");
    for (name, packets, file) in [("ike", ike.packets, ike_file), ("esp", esp.packets, esp_file)] {
        group.throughput(Throughput::Elements(packets));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(
                || opened(&file),
                |mut captures| pipeline::follow(&mut captures, &Options::default(), &mut ()),
                BatchSize::LargeInput,
            );
        });
    }
}

/// Single messages as they came, with what the tracker made of them.
#[derive(Default)]
struct Kept(Vec<(Datagram<'static>, Option<Observed>)>);

impl Watch for Kept {
    fn message(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        if let Body::Isakmp(isakmp) = datagram.body {
            // kept until the program ends, as the rows borrow them
            let octets = isakmp.octets.to_vec().leak();
            let body = Body::Isakmp(IsakmpDatagram { octets, ..isakmp });
            let Datagram { frame, first_frame, at, interface, source, destination, .. } = *datagram;
            let Datagram { ip_id, ttl, fragments, ambiguous_overlap, missing, .. } = *datagram;
            let datagram = Datagram {
                frame,
                first_frame,
                at,
                interface,
                source,
                destination,
                ip_id,
                ttl,
                fragments,
                ambiguous_overlap,
                missing,
                body,
            };
            self.0.push((datagram, observed.cloned()));
        }
        ControlFlow::Continue(())
    }
}

/// Without reading and following.
fn messages(criterion: &mut Criterion) {
    let mut kept = Kept::default();
    pipeline::follow(&mut opened(&ike().1), &Options::default(), &mut kept);
    let mut group = criterion.benchmark_group("messages");
    group.throughput(Throughput::Elements(kept.0.len() as u64));
    for name in ["line", "ndjson"] {
        let (mut writer, mut out) = (Writer::default().in_color(false), Vec::new());
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                for (datagram, observed) in &kept.0 {
                    let row = Row::new(datagram, observed.as_ref()).expect("a message");
                    match name {
                        "line" => writer.line(&row, &mut out),
                        _ => writer.ndjson(&row, &mut out),
                    }
                    if out.len() >= 1 << 15 {
                        black_box(&out);
                        out.clear();
                    }
                }
            });
        });
    }
}

fn judge(criterion: &mut Criterion) {
    let (made, file) = ike();
    let analysis = pipeline::analyze(&mut opened(&file), &Options::default(), &mut ());
    let mut group = criterion.benchmark_group("500 pairs");
    group.throughput(Throughput::Elements(made.packets));
    group.bench_function("diagnose", |bencher| {
        bencher.iter(|| ikescope::diagnose::diagnose(black_box(&analysis.facts)))
    });
    group.bench_function("report", |bencher| {
        bencher.iter(|| {
            let report = Report::new(analysis.captures.clone(), &analysis.facts, &analysis.diagnosis);
            json::write_json(&report, &mut std::io::sink())
        });
    });
}

fn analyze(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("analyze");
    for name in ["v1-main-psk-healthy.pcap", "v1-multi-subnet.pcap", "v2-rekey-ike-healthy.pcap"] {
        let octets = lab(name);
        group.throughput(Throughput::Bytes(octets.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut captures = opened(&octets);
                pipeline::analyze(&mut captures, &Options::default(), &mut ())
            });
        });
    }
}

criterion_group! {
    name = benches;
    // long enough to compare, short enough to be run
    config = Criterion::default()
        .sample_size(20)
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(1));
    targets = refuse, decode, follow, messages, judge, analyze
}
criterion_main!(benches);
