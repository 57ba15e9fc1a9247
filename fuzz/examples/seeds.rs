//! Makes the first octets for the fuzz targets out of capture files.
//!
//!     cargo run --release --example seeds -- OUTPUT-FOLDER CAPTURE-OR-FOLDER...
//!
//! Below the output folder there is one folder a target afterwards; `cargo fuzz cmin` picks what is worth keeping.

use std::collections::HashMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use ikescope::base::{Limits, LinkType, Timestamp};
use ikescope::capture::Captures;
use ikescope::packet::{Body, Classifier, Datagram};
use ikescope_fuzz::laws::frame::LINKS;

/// Files longer than this are cut: a fuzzer learns little from the second half.
const LONGEST: usize = 4096;

fn main() {
    let mut arguments = std::env::args_os().skip(1).map(PathBuf::from);
    let output = arguments.next().expect("the output folder comes first");
    let mut files = Vec::new();
    arguments.for_each(|path| find(&path, &mut files));
    for file in &files {
        seed(&output, file);
    }
    println!("{} captures", files.len());
}

fn find(path: &Path, files: &mut Vec<PathBuf>) {
    if path.is_dir() {
        let entries = fs::read_dir(path).expect("a folder can be read");
        entries.for_each(|entry| find(&entry.expect("an entry").path(), files));
    } else if path.extension().is_some_and(|ending| ending == "pcap" || ending == "pcapng" || ending == "cap") {
        files.push(path.to_owned());
    }
}

/// Keeps octets under a name made from them, so that the same ones are kept once.
fn keep(output: &Path, target: &str, octets: &[u8]) {
    let octets = &octets[..octets.len().min(LONGEST)];
    let mut hasher = DefaultHasher::new();
    octets.hash(&mut hasher);
    let folder = output.join(target);
    fs::create_dir_all(&folder).expect("a folder can be made");
    fs::write(folder.join(format!("{:016x}", hasher.finish())), octets).expect("a seed can be written");
}

fn seed(output: &Path, path: &Path) {
    let file = fs::read(path).expect("a capture can be read");
    keep(output, "capture", &file);
    keep(output, "report", &file);
    let packed = zstd_of(&file[..file.len().min(LONGEST)]);
    keep(output, "capture", &packed);

    let mut captures = Captures::open(&[path.to_owned()]);
    let mut classifier = Classifier::new(&[], &Limits::default());
    let mut script = Track::default();
    let mut pieces: Vec<u8> = vec![4];
    while let Some(frame) = captures.next_frame() {
        let link = LINKS.iter().position(|link| LinkType(*link) == frame.link).unwrap_or(LINKS.len() - 1);
        keep(output, "frame", &[&[link as u8, 0], frame.bytes].concat());
        if frame.link == LinkType::ETHERNET && frame.bytes.len() > 34 {
            piece(&frame.bytes[14..], &mut pieces);
        }
        classifier.classify(&frame, &mut |datagram| {
            if let Body::Isakmp(isakmp) = datagram.body {
                keep(output, "message", &[&[0], isakmp.octets].concat());
            }
            script.add(datagram);
        });
    }
    script.keep(output);
    keep(output, "reassembly", &pieces);
}

/// A capture packed, so that the fuzzer knows what that looks like.
fn zstd_of(octets: &[u8]) -> Vec<u8> {
    // A zstd frame of raw blocks needs no compressor (RFC 8878 §3.1.1).
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
    let length = (octets.len() as u32) << 3 | 1;
    frame.extend(&length.to_le_bytes()[..3]);
    frame.extend(octets);
    frame
}

/// An IPv4 packet as a step of the reassembly script, roughly.
fn piece(packet: &[u8], script: &mut Vec<u8>) {
    if packet[0] != 0x45 || script.len() > LONGEST / 2 {
        return;
    }
    let place = u16::from_be_bytes([packet[6], packet[7]]);
    let fragment = place & 0x3fff != 0;
    let payload = &packet[20..packet.len().min(275)];
    let op = if fragment {
        0x30
    } else if packet[9] == 6 {
        0x33
    } else {
        0x32
    };
    let skip = if fragment { 0 } else { 8.min(payload.len()) };
    let ends = u8::from(packet[19] & 1 != 0) << 1 | u8::from(place & 0x2000 != 0) << 5;
    script.extend([op, ends, packet[5], (place & 0xff) as u8, (payload.len() - skip) as u8]);
    script.extend(&payload[skip..]);
}

/// The script of the tracker law.
#[derive(Default)]
struct Track {
    octets: Vec<u8>,
    addresses: HashMap<IpAddr, u8>,
    last: Option<Timestamp>,
}

impl Track {
    fn address(&mut self, address: IpAddr) -> u8 {
        let next = self.addresses.len() as u8 & 7;
        *self.addresses.entry(address).or_insert(next)
    }

    fn add(&mut self, datagram: &Datagram<'_>) {
        if self.octets.len() > LONGEST - 600 {
            return;
        }
        let gap = self.last.map_or(0, |last| datagram.at.since(last).as_millis());
        self.last = Some(datagram.at);
        // The script's clock goes on by squares of milliseconds.
        let clock = (gap as f64).sqrt().min(199.0) as u8;
        let ends = self.address(datagram.source) | self.address(datagram.destination) << 3;
        let port = |port: u16| match port {
            500 => 0,
            4500 => 1,
            _ => 3,
        };
        match datagram.body {
            Body::Isakmp(isakmp) => {
                let ports = port(isakmp.source_port) | port(isakmp.destination_port) << 2;
                let length = isakmp.octets.len().min(2047);
                self.octets.extend([0, clock, ends, ports]);
                self.octets.extend((length as u16).to_le_bytes());
                self.octets.extend(&isakmp.octets[..length]);
            }
            Body::Esp(esp) => {
                let ports = port(esp.ports.0) | port(esp.ports.1) << 2 | 16;
                self.octets.extend([4, clock, ends, ports, esp.spi.0 as u8]);
                self.octets.extend(esp.sequence.to_le_bytes());
                self.octets.extend((esp.length as u16).to_le_bytes());
            }
            _ => {}
        }
    }

    fn keep(&self, output: &Path) {
        for flags in [2, 5] {
            keep(output, "track", &[&[flags], &self.octets[..]].concat());
        }
    }
}
