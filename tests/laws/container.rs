//! The same frames in any file format and on any link give the same report.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::bench::{difference, nothing_wrong, report, story};
use crate::samples;
use crate::support::{Capture, Link};

fn gzip(octets: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(octets).and_then(|()| encoder.finish()).expect("memory takes everything")
}

fn zstd(octets: &[u8]) -> Vec<u8> {
    zstd::encode_all(octets, 0).expect("memory takes everything")
}

fn files(capture: &Capture) -> [(&'static str, Vec<u8>); 6] {
    [
        ("pcap in nanoseconds", capture.pcap_nanoseconds()),
        ("pcap, big-endian", capture.pcap_big_endian()),
        ("pcap in nanoseconds, big-endian", capture.pcap_big_endian_nanoseconds()),
        ("pcapng", capture.pcapng()),
        ("gzip", gzip(&capture.pcap())),
        ("zstd", zstd(&capture.pcapng())),
    ]
}

#[test]
fn any_file_format_gives_the_same_report() {
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let plain = story(&report(sample.capture.pcap()));
        for (format, file) in files(&sample.capture) {
            let other = difference(&plain, &story(&report(file)));
            wrong.extend(other.map(|other| format!("{}, {format}: {other}", sample.name)));
        }
    }
    nothing_wrong(&wrong);
}

#[test]
fn any_link_gives_the_same_report() {
    let mut wrong = Vec::new();
    for sample in samples::all() {
        // Frames without IP do not fit on every link: frame numbers are those of the frames with IP.
        let plain = story(&report(sample.capture.relink(Link::Raw).pcap()));
        for link in Link::ALL {
            let other = difference(&plain, &story(&report(sample.capture.relink(link).pcap())));
            wrong.extend(other.map(|other| format!("{}, {link:?}: {other}", sample.name)));
        }
    }
    nothing_wrong(&wrong);
}
