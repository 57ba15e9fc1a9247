//! `ikescope bench` as people and scripts meet it.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::Value;

const HEALTHY: &str = "captures/lab/v1-main-psk-healthy.pcap";
const V2: &str = "captures/lab/v2-psk-healthy.pcap";
const STAGES: [&str; 6] = ["read", "refuse", "decode", "follow", "diagnose", "report"];

fn bench(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ikescope").unwrap();
    command.arg("bench").args(arguments);
    command
}

fn json(arguments: &[&str]) -> Value {
    let output = bench(&[&["--format", "json"], arguments].concat()).assert().success().stderr(is_empty());
    serde_json::from_slice(&output.get_output().stdout).unwrap()
}

#[test]
fn json_has_the_keys_that_help_names() {
    let answer = json(&["--runs", "3", HEALTHY, V2]);
    assert_eq!(answer["schema"], "ikescope.bench/1");
    assert_eq!(answer["tool_version"], env!("CARGO_PKG_VERSION"));
    assert_eq!((&answer["runs"], &answer["threads"]), (&3.into(), &1.into()));
    assert_eq!(answer["captures"].as_array().unwrap().len(), 2);
    let stages = answer["stages"].as_array().unwrap();
    assert_eq!(stages.iter().map(|stage| stage["stage"].as_str().unwrap()).collect::<Vec<_>>(), STAGES);
    for so_far in stages.iter().map(|stage| &stage["so_far"]).chain([&answer["whole"]]) {
        let second = |key: &str| so_far["seconds"][key].as_f64().unwrap();
        assert!(0.0 < second("min") && second("min") <= second("median") && second("median") <= second("max"));
        for (key, number) in [("packets", 1.0), ("octets", 60.0), ("messages", 1.0)] {
            let rate = so_far[format!("{key}_per_second")].as_f64().unwrap();
            let expected = answer[key].as_f64().unwrap() / second("median");
            assert!((rate - expected).abs() <= expected * 1e-9 && rate >= number, "{key}: {rate} and {expected}");
        }
    }
    assert_eq!(&stages[5]["so_far"], &answer["whole"]);
    assert!(stages[0]["ns_per_message"].is_null() && stages[2]["ns_per_message"].is_number());
    let help = String::from_utf8(bench(&["--help"]).assert().success().get_output().stdout.clone()).unwrap();
    for key in answer.as_object().unwrap().keys() {
        assert!(help.contains(key.as_str()), "{key} is not in --help");
    }
}

/// The differences are those of the whole: nothing is lost between the stages.
#[test]
fn stages_add_up_to_the_whole() {
    let answer = json(&["--runs", "2", V2]);
    let stages = answer["stages"].as_array().unwrap();
    let sum: f64 = stages.iter().map(|stage| stage["ns_per_packet"].as_f64().unwrap()).sum();
    let whole = answer["whole"]["seconds"]["min"].as_f64().unwrap() * 1e9 / answer["packets"].as_f64().unwrap();
    assert!((sum - whole).abs() < whole * 1e-6, "{sum} and {whole}");
}

#[test]
fn what_was_measured_on_is_what_a_report_counts() {
    let answer = json(&["--runs", "1", "captures/lab"]);
    let mut report = Command::cargo_bin("ikescope").unwrap();
    let output = report.args(["--format", "json", "captures/lab"]).assert().success().get_output().stdout.clone();
    let report: Value = serde_json::from_slice(&output).unwrap();
    let captures = report["captures"].as_array().unwrap();
    let sum = |key: &str| captures.iter().map(|capture| capture[key].as_u64().unwrap()).sum::<u64>();
    assert_eq!(answer["packets"], sum("frames"));
    assert_eq!(answer["octets"], sum("octets"));
    let messages: u64 = captures.iter().map(|capture| capture["counts"]["ike"].as_u64().unwrap()).sum();
    assert_eq!(answer["messages"], messages);
    assert_eq!(answer["captures"].as_array().unwrap().len(), captures.len());
}

#[cfg(target_os = "linux")]
#[test]
fn peak_memory_is_that_of_a_program_and_not_of_nothing() {
    let peak = json(&["--runs", "1", V2])["peak_memory"].as_u64().unwrap();
    assert!((1 << 20..1 << 30).contains(&peak), "{peak}");
}

#[test]
fn text_names_every_stage_and_says_when_a_capture_is_too_small() {
    let mut assert = bench(&["--runs", "2", HEALTHY]).assert().success().stderr(is_empty());
    for needed in STAGES.into_iter().chain([HEALTHY, "packets/s", "octets/s", "messages/s", "peak memory", "2 runs"]) {
        assert = assert.stdout(contains(needed));
    }
    assert.stdout(contains("take a larger capture").and(contains('\u{1b}').not()));
}

#[test]
fn of_many_captures_the_first_are_named() {
    let output = bench(&["--runs", "1", "captures/lab"]).assert().success().get_output().stdout.clone();
    let text = String::from_utf8(output).unwrap();
    assert_eq!(text.lines().filter(|line| line.starts_with("  captures/lab/")).count(), 8, "{text}");
    assert!(text.lines().any(|line| line.starts_with("  and ") && line.ends_with(" more")), "{text}");
}

#[cfg(unix)]
#[test]
fn a_path_is_escaped_once() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-paths-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("a\\b.pcap");
    fs::copy(V2, &file).unwrap();
    bench(&["--runs", "1", file.to_str().unwrap()]).assert().success().stdout(contains("a\\\\b.pcap\n"));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn ndjson_is_one_line_and_output_goes_to_a_file() {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let file = folder.join("bench.json");
    bench(&["--runs", "1", "--format", "ndjson", "--output", file.to_str().unwrap(), V2])
        .assert()
        .success()
        .stdout(is_empty());
    let answer = fs::read_to_string(&file).unwrap();
    fs::remove_dir_all(&folder).unwrap();
    assert_eq!(answer.lines().count(), 1);
    assert_eq!(serde_json::from_str::<Value>(&answer).unwrap()["runs"], 1);
}

#[test]
fn what_gives_its_octets_once_is_refused() {
    bench(&["-"])
        .write_stdin(fs::read(V2).unwrap())
        .assert()
        .code(2)
        .stdout(is_empty())
        .stderr(contains("standard input gives it once").and(contains("write it to a file first")));
    bench(&[V2, "/dev/null"]).assert().code(2).stdout(is_empty()).stderr(contains("/dev/null"));
}

#[test]
fn what_cannot_be_read_is_said_and_the_rest_measured() {
    bench(&["missing.pcap"]).assert().code(2).stdout(is_empty()).stderr(contains("missing.pcap"));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("bench-broken-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join("broken.pcap");
    // behind the last record a header that claims what no record can hold
    let broken = [fs::read(V2).unwrap(), vec![0x7f; 16], vec![0; 64]].concat();
    fs::write(&path, broken).unwrap();
    let assert = bench(&["--runs", "1", "--format", "json", path.to_str().unwrap()]).assert().code(2);
    let output = assert.stderr(contains("broken.pcap")).get_output().stdout.clone();
    fs::remove_dir_all(&folder).unwrap();
    let answer: Value = serde_json::from_slice(&output).unwrap();
    assert!(answer["packets"].as_u64().unwrap() > 0);
}

#[test]
fn no_run_at_all_measures_nothing() {
    bench(&["--runs", "0", V2]).assert().code(2).stdout(is_empty()).stderr(contains("--runs"));
}
