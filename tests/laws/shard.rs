//! Any number of threads gives the same octets.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::samples;

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
