//! Any number of threads gives the same octets.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use ikescope::base::Timestamp;
use ikescope::capture::Captures;
use ikescope::packet::Datagram;
use ikescope::pipeline::{self, Options, Sharing, Watch};
use ikescope::report::{Report, json};
use ikescope::track::Observed;

use crate::samples;
use crate::support::{Capture, Link};

/// What the program prints about these captures.
fn printed(paths: &[PathBuf], arguments: &[&str], threads: &str) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_ikescope"))
        .args(arguments)
        .args(["--threads", threads])
        .args(paths)
        .output()
        .expect("the program starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(!output.stdout.is_empty());
    output.stdout
}

/// Fails unless every number of threads prints the same.
fn same_for_any_number(paths: &[PathBuf]) {
    for view in [&["analyze"][..], &["analyze", "--format", "json"], &["analyze", "--format", "ndjson"]] {
        let one = printed(paths, view, "1");
        for threads in ["2", "3", "16"] {
            let other = printed(paths, view, threads);
            let first = one.iter().zip(&other).position(|(one, other)| one != other);
            assert!(one == other, "{view:?} of {paths:?} on {threads} threads differs from octet {first:?} on");
        }
    }
}

fn lab(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab").join(name)
}

/// A folder that goes when it is no longer used.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("ikescope-shard-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        Self(folder)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_recorded_capture_reads_the_same_on_any_number_of_threads() {
    for name in ["v1-psk-mismatch-main.pcap", "lsw-lsw-v1-healthy.pcap", "v1-host-unreachable-icmp.pcap"] {
        same_for_any_number(&[lab(name)]);
    }
}

#[test]
fn all_crafted_stories_in_one_file_read_the_same_on_any_number_of_threads() {
    let folder = Folder::new("one-file");
    let stories = samples::crafted().into_iter().map(|sample| sample.capture);
    let all = stories.reduce(|all, story| all.merge(&story)).expect("stories");
    let file = folder.0.join("all.pcap");
    std::fs::write(&file, all.pcap()).expect("room for a capture");
    same_for_any_number(&[file]);
}

#[test]
fn rotated_files_and_a_broken_one_read_the_same_on_any_number_of_threads() {
    let folder = Folder::new("rotated");
    let fragments =
        samples::crafted().into_iter().find(|sample| sample.name == "ikev2-ip-fragments").expect("a sample");
    for (number, part) in fragments.capture.split(5).iter().enumerate() {
        let mut file = part.pcap();
        if number == 3 {
            file.truncate(file.len() - 7);
        }
        std::fs::write(folder.0.join(format!("part{number}.pcap")), file).expect("room for a capture");
    }
    same_for_any_number(&[folder.0.clone(), lab("v1-psk-mismatch-main.pcap")]);
}

/// Sizes of chunks, so small that records lie across their borders in every way, and numbers of threads.
const CHUNKS: [usize; 6] = [64, 100, 333, 700, 1_500, 6_000];
const THREADS: [usize; 4] = [1, 2, 3, 7];

/// Looks at part of the time only, and at no more than so many messages.
#[derive(Clone, Copy)]
struct Part {
    from: Timestamp,
    to: Timestamp,
    messages: u64,
}

const ALL: Part =
    Part { from: Timestamp::from_nanos(i64::MIN), to: Timestamp::from_nanos(i64::MAX), messages: u64::MAX };

impl Watch for Part {
    fn admits(&mut self, at: Timestamp) -> bool {
        self.from <= at && at <= self.to
    }

    fn admits_all(&mut self, _first: Timestamp, earliest: Timestamp, latest: Timestamp) -> Option<bool> {
        match (self.admits(earliest), self.admits(latest)) {
            (true, true) => Some(true),
            (false, false) if latest < self.from || self.to < earliest => Some(false),
            _ => None,
        }
    }

    fn message(&mut self, _datagram: &Datagram<'_>, _observed: Option<&Observed>) -> ControlFlow<()> {
        self.messages = self.messages.saturating_sub(1);
        if self.messages == 0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

/// Everything that is said about a file: the report with its notes, and errors.
fn told(file: &Path, sharing: Sharing, mut part: Part) -> String {
    let (told, errors) = report_and_errors(file, sharing, &mut part);
    // how far was read ahead of a look that was broken off is nobody's concern
    if part.messages == 0 { told } else { told + &errors }
}

fn told_by(file: &Path, sharing: Sharing, watch: &mut impl Watch) -> String {
    let (told, errors) = report_and_errors(file, sharing, watch);
    told + &errors
}

fn report_and_errors(file: &Path, sharing: Sharing, watch: &mut impl Watch) -> (String, String) {
    let mut captures = Captures::open(&[file.to_owned()]);
    let options = Options { sharing, ..Options::default() };
    let analysis = pipeline::analyze(&mut captures, &options, watch);
    let report = Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis);
    let mut told = Vec::new();
    json::write_json(&report, &mut told).expect("memory takes everything");
    (String::from_utf8(told).expect("JSON is UTF-8"), format!("{:#?}", captures.errors()))
}

/// Fails unless a file is told alike however it is cut and shared.
fn same_however_shared(folder: &Folder, name: &str, octets: &[u8], part: Part) {
    let file = folder.0.join("file");
    std::fs::write(&file, octets).expect("room for a capture");
    let one = told(&file, Sharing { threads: Some(1), chunk: None }, part);
    for chunk in CHUNKS.into_iter().filter(|chunk| octets.len() / chunk < 3_000) {
        for threads in THREADS {
            let other = told(&file, Sharing { threads: Some(threads), chunk: Some(chunk) }, part);
            let differ = one.lines().zip(other.lines()).find(|(one, other)| one != other);
            assert!(one == other, "{name} on {threads} threads in chunks of {chunk}: {differ:#?}");
        }
    }
}

fn same_for(name: &str, octets: &[u8]) {
    same_however_shared(&Folder::new(name), name, octets, ALL);
}

/// All crafted stories, one after the other.
fn stories() -> Capture {
    samples::crafted().into_iter().map(|sample| sample.capture).reduce(|all, story| all.merge(&story)).expect("stories")
}

/// Some recorded captures.
fn recorded() -> Vec<(String, Capture)> {
    let some = samples::recorded().into_iter().step_by(9);
    some.map(|sample| (sample.name, sample.capture)).collect()
}

#[test]
fn records_may_lie_across_chunks_in_every_way() {
    for (name, capture) in recorded() {
        same_for(&name, &capture.pcap());
    }
    for sample in samples::crafted() {
        same_for(&sample.name, &sample.capture.pcap());
    }
}

#[test]
fn every_file_format_is_shared() {
    let stories = stories();
    same_for("pcap", &stories.pcap());
    same_for("nanoseconds", &stories.pcap_nanoseconds());
    same_for("big-endian", &stories.pcap_big_endian());
    same_for("pcapng", &stories.pcapng());
    same_for("raw-ip", &stories.relink(Link::Raw).pcap());
    same_for("snapped", &stories.snap(80).pcap());
}

#[test]
fn sections_and_interfaces_that_come_later_are_shared() {
    let part = |capture: &Capture, times| capture.pcapng().repeat(times);
    let parts: Vec<u8> = recorded()
        .iter()
        .take(6)
        .enumerate()
        .flat_map(|(number, (_, capture))| {
            let capture = if number % 2 == 0 { capture.clone() } else { capture.relink(Link::Raw) };
            part(&capture, 1 + number % 3)
        })
        .collect();
    same_for("sections", &parts);
}

#[test]
fn a_file_that_is_cut_or_broken_is_told_alike() {
    let (_, capture) = recorded().into_iter().max_by_key(|(_, capture)| capture.frames.len()).expect("captures");
    for (format, whole) in [("pcap", capture.pcap()), ("pcapng", capture.pcapng())] {
        for cut in [1, 3, 15, 16, 17, 40, 200, whole.len() / 2] {
            same_for(&format!("{format}-cut-{cut}"), &whole[..whole.len() - cut]);
        }
        for place in (whole.len() / 7..whole.len()).step_by(whole.len() / 7) {
            let mut broken = whole.clone();
            broken[place..].iter_mut().take(9).for_each(|octet| *octet = 0xff);
            same_for(&format!("{format}-broken-{place}"), &broken);
            let mut zeroed = whole.clone();
            zeroed[place..].iter_mut().take(40).for_each(|octet| *octet = 0);
            same_for(&format!("{format}-zeroed-{place}"), &zeroed);
        }
        same_for(&format!("{format}-tail"), &[&whole[..], &[0; 2_000]].concat());
    }
}

#[test]
fn records_inside_of_records_deceive_nobody() {
    // UDP datagrams that carry capture files: what is in them looks like records, and is none
    let inner = stories().pcap();
    let mut outer = Capture::new();
    let (_, honest) = recorded().swap_remove(0);
    for (number, part) in inner[24..].chunks(1_100).enumerate().take(60) {
        let length = (part.len() + 8) as u16;
        let mut packet = vec![0x45, 0];
        packet.extend((length + 20).to_be_bytes());
        packet.extend([0, 1, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 2, 0xc0, 0, 0xc0, 1]);
        packet.extend(length.to_be_bytes());
        packet.extend([0, 0]);
        packet.extend(part);
        let at = honest.packets().next().map_or(0, |(at, _)| at);
        outer.record(at + number as u64 * 1_000_000, &packet);
    }
    let deceiving = outer.merge(&honest);
    same_for("deceiving", &deceiving.pcap());
    same_for("deceiving-pcapng", &deceiving.pcapng());
}

#[test]
fn a_clock_that_jumps_is_told_alike() {
    let (_, capture) = recorded().swap_remove(2);
    let later = capture.clone().shift_time(4_000);
    let parts: Vec<u8> = [&capture, &later, &capture, &later]
        .iter()
        .enumerate()
        .flat_map(|(number, part)| part.pcap()[if number == 0 { 0 } else { 24 }..].to_vec())
        .collect();
    same_for("jumps", &parts);
    let fragments = samples::crafted().into_iter().filter(|sample| sample.name.contains("fragment"));
    let jumps: Vec<u8> = fragments
        .enumerate()
        .flat_map(|(n, sample)| sample.capture.pcap()[if n == 0 { 0 } else { 24 }..].to_vec())
        .collect();
    same_for("fragments-jump", &jumps);
}

#[test]
fn a_part_of_time_and_a_look_that_is_broken_off_are_shared() {
    let stories = stories();
    let times: Vec<u64> = stories.packets().map(|(at, _)| at).collect();
    let (first, last) = (times.iter().min().expect("frames"), times.iter().max().expect("frames"));
    let at = |share: u64| Timestamp::from_nanos((first + (last - first) / 100 * share) as i64);
    let folder = Folder::new("part");
    for (from, to) in [(0, 30), (20, 60), (55, 100)] {
        same_however_shared(&folder, "part of time", &stories.pcap(), Part { from: at(from), to: at(to), ..ALL });
    }
    let watched = at(0).after(Duration::from_secs(3));
    for messages in [1, 7, 40] {
        same_however_shared(&folder, "some messages", &stories.pcap(), Part { messages, ..ALL });
    }
    same_however_shared(&folder, "its beginning", &stories.pcap(), Part { to: watched, ..ALL });
}

/// Cuts the file short after some messages.
struct Cutter<'f> {
    file: &'f Path,
    messages: usize,
    to: usize,
}

impl Watch for Cutter<'_> {
    fn admits_all(&mut self, _first: Timestamp, _earliest: Timestamp, _latest: Timestamp) -> Option<bool> {
        Some(true)
    }

    fn message(&mut self, _datagram: &Datagram<'_>, _observed: Option<&Observed>) -> ControlFlow<()> {
        self.messages = self.messages.wrapping_sub(1);
        if self.messages == 0 {
            let file = std::fs::File::options().write(true).open(self.file).expect("a file of our own");
            file.set_len(self.to as u64).expect("a file can be cut");
        }
        ControlFlow::Continue(())
    }
}

#[test]
fn a_file_that_is_cut_while_it_is_read_is_told_like_one_that_was_cut_before() {
    let folder = Folder::new("cut");
    let file = folder.0.join("file");
    let stories = stories();
    for whole in [stories.pcap(), stories.pcapng()] {
        // inside of a page, and of its last one
        for to in [whole.len() / 2 + 1, whole.len() / 4 * 3 + 2, whole.len() - 600, whole.len() - 5] {
            std::fs::write(&file, &whole[..to]).expect("room for a capture");
            let before = told_by(&file, Sharing { threads: Some(1), chunk: None }, &mut ());
            assert!(before.contains("the file ends inside a record"), "{before}");
            for (threads, chunk) in [(1, 700), (2, 700), (3, 6_000)] {
                std::fs::write(&file, &whole).expect("room for a capture");
                let sharing = Sharing { threads: Some(threads), chunk: Some(chunk) };
                // not before some of it was looked at
                let meanwhile = told_by(&file, sharing, &mut Cutter { file: &file, messages: 40, to });
                assert!(before == meanwhile, "cut to {to} of {}, {threads} threads, chunks of {chunk}", whole.len());
            }
        }
    }
}
