//! The command line as scripts and people meet it: exit status, what goes to which stream, forms, files.

use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command as Process, Stdio};

use assert_cmd::Command;
use predicates::prelude::*;
use predicates::str::{contains, is_empty};
use serde_json::Value;

const HEALTHY: &str = "captures/lab/v1-main-psk-healthy.pcap";
const V2: &str = "captures/lab/v2-psk-healthy.pcap";
const DROPPED: &str = "captures/lab/v1-udp500-drop.pcap";
const NAT: &str = "captures/lab/ss-lsw-v1-psk-mismatch-nat.pcap";

fn ikescope(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ikescope").unwrap();
    command.args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    command
}

fn stdout(arguments: &[&str]) -> String {
    let output = ikescope(arguments).assert().success().get_output().clone();
    String::from_utf8(output.stdout).unwrap()
}

/// A folder for one test, gone when the test is over.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("cli-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.0).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

#[test]
fn help_teaches_and_version_is_ours() {
    let help = stdout(&["--help"]);
    for needed in ["messages", "explain", "--pair", "Examples:", "Exit status:", "tcpdump"] {
        assert!(help.contains(needed), "{needed} is not in --help");
    }
    for command in ["analyze", "messages", "live", "explain", "schema", "completions", "man"] {
        ikescope(&[command, "--help"]).assert().success().stdout(contains("Usage: ikescope"));
    }
    ikescope(&["--version"]).assert().success().stdout(contains(env!("CARGO_PKG_VERSION")));
}

#[test]
fn without_arguments_the_help_is_shown_and_the_status_is_2() {
    ikescope(&[]).assert().code(2).stdout(is_empty()).stderr(contains("Usage:"));
}

#[test]
fn a_file_alone_is_analyzed() {
    assert_eq!(stdout(&[HEALTHY]), stdout(&["analyze", HEALTHY]));
    assert_eq!(stdout(&["--format", "json", HEALTHY]), stdout(&["analyze", HEALTHY, "--format", "json"]));
}

#[test]
fn a_missing_file_is_status_2_and_one_line_on_stderr() {
    for arguments in [&["no-such.pcap"][..], &["messages", "no-such.pcap"]] {
        ikescope(arguments).assert().code(2).stderr(
            predicate::str::starts_with("ikescope: no-such.pcap: ")
                .and(predicate::function(|text: &str| text.lines().count() == 1)),
        );
    }
}

#[test]
fn what_could_be_read_is_reported_beside_what_could_not() {
    let both = ikescope(&["--format", "json", "no-such.pcap", HEALTHY]).assert().code(2).get_output().clone();
    assert!(String::from_utf8(both.stderr).unwrap().starts_with("ikescope: no-such.pcap: "));
    let report: Value = serde_json::from_slice(&both.stdout).unwrap();
    assert_eq!(report["pairs"].as_array().unwrap().len(), 1);

    let messages = ikescope(&["messages", "no-such.pcap", HEALTHY]).assert().code(2).get_output().clone();
    assert!(String::from_utf8(messages.stdout).unwrap().lines().count() > 8);
}

#[test]
fn a_file_that_is_no_capture_is_named() {
    let folder = Folder::new("garbage");
    let path = folder.file("not-a-capture.pcap");
    fs::write(&path, b"this is not a capture file at all").unwrap();
    ikescope(&[&path]).assert().code(2).stdout(is_empty()).stderr(contains("not-a-capture.pcap: not a "));
}

#[test]
fn a_record_that_cannot_be_believed_is_named_with_its_octet() {
    const FILE_HEADER: usize = 24;
    let folder = Folder::new("corrupt");
    let path = folder.file("corrupt.pcap");
    let mut octets = fs::read(HEALTHY).unwrap();
    let first = u32::from_le_bytes(octets[FILE_HEADER + 8..FILE_HEADER + 12].try_into().unwrap()) as usize;
    let second = FILE_HEADER + 16 + first;
    octets[second + 8..second + 12].fill(0xff);
    fs::write(&path, octets).unwrap();
    let expected = format!("(octet {second}");
    ikescope(&["messages", &path]).assert().code(2).stdout(contains("MM1")).stderr(contains(expected));
}

#[test]
fn a_path_cannot_steer_the_terminal() {
    let output = ikescope(&["no\x1b[31m-such.pcap"]).assert().code(2).get_output().clone();
    assert!(!output.stderr.contains(&0x1b));
}

#[test]
fn standard_input_is_a_capture() {
    let piped = ikescope(&["messages", "-"]).pipe_stdin(HEALTHY).unwrap().assert().success().get_output().clone();
    assert_eq!(String::from_utf8(piped.stdout).unwrap(), stdout(&["messages", HEALTHY]));
    ikescope(&["--format", "json", "-"])
        .pipe_stdin(HEALTHY)
        .unwrap()
        .assert()
        .success()
        .stdout(contains(r#""path":"-""#));
}

#[test]
fn the_report_comes_in_every_form() {
    let report: Value = serde_json::from_str(&stdout(&["--format", "json", HEALTHY])).unwrap();
    assert_eq!(report["schema"], "ikescope.report/1");
    let pairs = report["pairs"].as_array().unwrap().len();
    assert_eq!(pairs, 1);

    let rows: Vec<Value> =
        stdout(&["--format", "ndjson", HEALTHY]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(rows.iter().all(|row| row["table"].is_string()));
    assert_eq!(rows.iter().filter(|row| row["table"] == "pairs").count(), pairs);

    assert!(stdout(&["--format", "text", HEALTHY]).contains("203.0.113.10"));
}

#[test]
fn messages_come_in_every_form() {
    let rows: Vec<Value> = stdout(&["messages", "--format", "ndjson", HEALTHY])
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let array: Value = serde_json::from_str(&stdout(&["messages", "--format", "json", HEALTHY])).unwrap();
    assert_eq!(array.as_array().unwrap(), &rows);
    assert_eq!(stdout(&["messages", HEALTHY]).lines().count(), rows.len());
    let trees = stdout(&["messages", "-v", HEALTHY]);
    assert_eq!(trees.lines().filter(|line| line.starts_with("Frame ")).count(), rows.len());
}

#[test]
fn what_was_looked_for_and_is_not_there_is_said() {
    let said = |arguments: &[&str], expected: &str| {
        ikescope(arguments).assert().success().stderr(contains(expected));
    };
    let first = String::from_utf8(ikescope(&["messages", HEALTHY]).output().unwrap().stdout).unwrap();
    assert!(!first.is_empty());
    ikescope(&["messages", HEALTHY]).assert().success().stderr(is_empty());
    said(&["messages", "--frame", "9999", HEALTHY], "no IKE message in frame 9999; the capture has ");
    said(&["messages", "--pair", "192.0.2.99", HEALTHY], "no IKE message of these peers; the capture has ");
    for arguments in [&["--from", "23:59:59", HEALTHY][..], &["messages", "--from", "23:59:59", HEALTHY]] {
        said(arguments, "no frame at or after 2026-11-21 23:59:59; there are frames from 2026-11-21 ");
    }
    ikescope(&["--from", "+0", HEALTHY]).assert().success().stderr(is_empty());
}

#[test]
fn a_slip_in_the_command_line_is_named() {
    let wrong = |arguments: &[&str], expected: &str| {
        ikescope(arguments).assert().code(2).stdout(is_empty()).stderr(contains(expected));
    };
    wrong(&["explian", "P1-PSK"], "explian: no such file or folder; did you mean the command `explain`?");
    wrong(&["missing.pcap"], "missing.pcap: no such file or folder\n");
    wrong(&["-v", HEALTHY], "'-v' belongs to the command: ikescope messages");
    wrong(&["live"], "--replay");
    wrong(&["--memory", "5", HEALTHY], "at least 1M");
    let folder = Folder::new("no-folder");
    let place = folder.file("none/answer.txt");
    ikescope(&["-o", &place, HEALTHY])
        .assert()
        .code(2)
        .stderr(contains("there is no folder").and(contains("os error").not()));
}

#[test]
fn a_compressed_capture_that_ends_before_its_first_frame_is_not_called_empty() {
    let folder = Folder::new("torn");
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
    packed.write_all(&fs::read(HEALTHY).unwrap()).unwrap();
    let packed = packed.finish().unwrap();
    let path = folder.file("torn.pcap.gz");
    fs::write(&path, &packed[..60]).unwrap();
    let whole = contains("the file is incomplete").and(contains("is empty").not());
    ikescope(&[&path]).assert().code(2).stdout(whole).stderr(contains("ends too early"));
    let path = folder.file("torn.pcap");
    fs::write(&path, &fs::read(HEALTHY).unwrap()[..30]).unwrap();
    ikescope(&[&path]).assert().success().stdout(contains("the file is incomplete"));
    fs::write(&path, &fs::read(HEALTHY).unwrap()[..600]).unwrap();
    ikescope(&[&path]).assert().success().stdout(contains("the file is cut off"));
}

#[test]
fn nat_detection_is_told_by_ends_and_not_by_the_order_of_payloads() {
    for (capture, expected) in [
        ("captures/lab/v1-main-nat-healthy.pcap", "NAT-D source ✓ destination ✗"),
        ("captures/lab/v2-nat-udp4500-blocked.pcap", "NAT-D source ✓ destination ✗"),
    ] {
        let text = stdout(&[capture]).split_whitespace().collect::<Vec<_>>().join(" ");
        // the initiator is behind the NAT: what the responder answers goes to an address that it does not know
        assert!(text.contains(expected), "{text}");
        assert!(!text.contains("NAT-D source ✗"), "{text}");
    }
}

#[test]
fn log_lines_of_the_other_mode_and_what_is_no_line_of_a_log_do_not_stand_in_a_finding() {
    let logs = |capture: &str| {
        let text = stdout(&[capture]).split_whitespace().collect::<Vec<_>>().join(" ");
        text.split(" = logs: ").nth(1).unwrap().split(" = ").next().unwrap().to_owned()
    };
    let main = "Processing of Main Mode failed";
    assert!(logs("captures/lab/lsw-lsw-v1-p1-mismatch.pcap").contains(main));
    let aggressive = logs("captures/lab/v1-aggr-p1-enc-mismatch.pcap");
    assert!(aggressive.contains("Cisco IOS") && !aggressive.contains(main), "{aggressive}");
    let refused = logs("captures/lab/v1-p2-ts-mismatch.pcap");
    assert!(refused.contains("Cisco ASA \"QM FSM error\""), "{refused}");
}

#[test]
fn an_empty_answer_is_still_json() {
    let none = stdout(&["messages", "--format", "json", "--pair", "192.0.2.99", HEALTHY]);
    assert_eq!(serde_json::from_str::<Value>(&none).unwrap(), Value::Array(Vec::new()));
}

#[test]
fn one_frame_can_be_asked_for() {
    let all = stdout(&["messages", HEALTHY]);
    let first = all.lines().next().unwrap();
    let number = first.split_whitespace().next().unwrap();
    assert_eq!(stdout(&["messages", "--frame", number, HEALTHY]).trim_end(), first);
    ikescope(&["messages", "--frame", "0", HEALTHY]).assert().code(2);
}

#[test]
fn several_captures_are_told_apart() {
    let lines = stdout(&["messages", HEALTHY, V2]);
    assert!(lines.lines().any(|line| line.trim_start().starts_with("0:")));
    assert!(lines.lines().any(|line| line.trim_start().starts_with("1:")));
}

#[test]
fn what_a_capture_that_ends_early_leaves_open_is_said() {
    let until = |time: &str| stdout(&["captures/lab/v2-nat-healthy.pcap", "--to", time]);
    let no_answer = until("2026-11-21T02:16:18.788900Z");
    let open = "too early to tell: the capture ends while ESP of 192.168.77.10 has no answer";
    assert!(no_answer.contains(open), "{no_answer}");
    assert!(!until("2026-11-21T02:16:18.789Z").contains("too early to tell"));
    let set_up = until("2026-11-21T02:16:15.7Z");
    assert!(set_up.contains("while SA_INIT-RSP is awaited"), "{set_up}");
}

#[test]
fn a_tunnel_seen_on_both_sides_of_a_nat_is_told_once() {
    let both = |name: &str| {
        let ends = ["", ".rside"].map(|end| format!("captures/{name}{end}.pcap"));
        stdout(&[&ends[0], &ends[1]])
    };
    let text = both("lab/v1-nat-udp4500-blocked");
    assert!(text.contains("2 pairs, 1 tunnel seen on both sides of a NAT: 1 Down-Negotiating · 1 error"), "{text}");
    let again = "the same tunnel as 192.168.77.10 ⇄ 198.51.100.7, beyond a NAT, in capture 1";
    assert_eq!(text.matches(again).count(), 2, "in the table and where it is told:\n{text}");
    assert_eq!(text.matches("[N-PORT4500]: ").count(), 2, "the same:\n{text}");
    assert!(text.contains("1:4  +0.012  ◂ MM4"), "what that capture has is still there:\n{text}");
    let other = both("lab/v1-udp500-drop");
    assert!(!other.contains("tunnel seen"), "no NAT between them:\n{other}");
    // what is in order on one side is not said where it is not on the other
    let text = both("ninth-lab/v1-nat-dpd-answers-lost");
    assert!(text.contains("2 pairs, 1 tunnel seen on both sides of a NAT: 1 Down · 1 error"), "{text}");
    assert!(!text.contains("OK-UP") && !text.contains("Up-Active"), "{text}");
    // of an answer that is lost between them one side has no SPI
    let text = both("seventh-lab/lsw-lsw-v2-cookie-response-dropped-nat");
    assert!(text.contains("1 tunnel seen on both sides of a NAT: 1 Down · 2 errors"), "{text}");
}

/// For scripts: which pair is another one, seen in another capture.
#[test]
fn a_tunnel_seen_on_both_sides_of_a_nat_is_one_in_json() {
    let same_as = |files: &[&str]| {
        let report: Value = serde_json::from_str(&stdout(&[&["--format", "json"], files].concat())).unwrap();
        report["pairs"].as_array().unwrap().iter().map(|pair| pair["same_as"].clone()).collect::<Vec<_>>()
    };
    let [near, far] = ["", ".rside"].map(|end| format!("captures/lab/v1-nat-udp4500-blocked{end}.pcap"));
    assert_eq!(same_as(&[&near]), [Value::Null]);
    assert_eq!(same_as(&[&near, &far]), [Value::Null, serde_json::json!({ "pair": 0, "capture": 0 })]);
    assert_eq!(same_as(&[&near, HEALTHY]), [Value::Null, Value::Null]);
}

#[test]
fn a_time_window_cuts_both_ends() {
    let count = |arguments: &[&str]| {
        stdout(&[&["messages", "--format", "ndjson", DROPPED][..], arguments].concat()).lines().count()
    };
    let all = count(&[]);
    assert!(all > 3);
    assert_eq!(count(&["--from", "+0"]), all);
    assert!((1..all).contains(&count(&["--to", "+1"])));
    assert_eq!(count(&["--to", "+5"]) + count(&["--from", "+5.000000001"]), all);
    assert_eq!(count(&["--to", "1999-01-01T00:00:00Z"]), 0);
}

#[test]
fn bad_arguments_are_status_2_and_say_what_was_expected() {
    let cases: [(&[&str], &str); 8] = [
        (&["--color", "never", "messages", HEALTHY], "the command goes first: ikescope messages"),
        (&["--pair", "gateway", HEALTHY], "not an IP address"),
        (&["--from", "yesterday", HEALTHY], "expected a time"),
        (&["--from", "+10", "--to", "+5", HEALTHY], "--from is later than --to"),
        (&["--format", "xml", HEALTHY], "possible values"),
        (&["--ike-port", "0", HEALTHY], "0"),
        (&["--threads", "0", HEALTHY], "0"),
        (&["messages", "--frame", "x", HEALTHY], "frame number"),
    ];
    for (arguments, expected) in cases {
        ikescope(arguments).assert().code(2).stdout(is_empty()).stderr(contains(expected));
    }
}

#[test]
fn findings_of_severity_error_are_status_1_when_asked_for() {
    ikescope(&["--exit-code", DROPPED]).assert().code(1);
    ikescope(&[DROPPED]).assert().code(0);
    ikescope(&["--exit-code", HEALTHY]).assert().code(0);
    ikescope(&["--exit-code", DROPPED, "no-such.pcap"]).assert().code(2);
}

#[test]
fn the_number_of_threads_changes_nothing() {
    let one = stdout(&["--format", "json", "--threads", "1", NAT]);
    assert_eq!(one, stdout(&["--format", "json", "--threads", "7", NAT]));
    let one = stdout(&["messages", "--threads", "1", NAT]);
    assert_eq!(one, stdout(&["messages", "--threads", "7", NAT]));
}

#[test]
fn a_file_is_written_whole_and_nothing_else_is_left() {
    let folder = Folder::new("output");
    let path = folder.file("report.json");
    ikescope(&["--format", "json", "--output", &path, HEALTHY]).assert().success().stdout(is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), stdout(&["--format", "json", HEALTHY]));
    ikescope(&["messages", "--output", &path, HEALTHY]).assert().success();
    assert_eq!(fs::read_to_string(&path).unwrap(), stdout(&["messages", HEALTHY]));
    assert_eq!(folder.names(), ["report.json"]);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = Folder::new("no-output");
    let path = folder.file("no/such/folder/report.json");
    ikescope(&["--output", &path, HEALTHY]).assert().code(2).stderr(contains("report.json: cannot be written"));
    let place = folder.file("");
    ikescope(&["--output", &place, HEALTHY]).assert().code(2).stderr(contains("cannot be written"));
    assert!(folder.names().is_empty());
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let program = assert_cmd::cargo::cargo_bin("ikescope");
    // the same capture many times over: more than a pipe holds
    let many = vec![HEALTHY; 200];
    let mut child = Process::new(program)
        .args(["messages", "-v"])
        .args(many)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn colour_is_for_terminals_unless_somebody_insists() {
    let escapes = |command: &mut Command| command.assert().success().get_output().stdout.contains(&0x1b);
    for arguments in [&["messages", "-v", NAT][..], &["messages", NAT], &[NAT]] {
        assert!(!escapes(&mut ikescope(arguments)), "{arguments:?}");
        let always = [arguments, &["--color", "always"]].concat();
        assert!(escapes(&mut ikescope(&always)), "{always:?}");
        let never = [arguments, &["--color", "never"]].concat();
        assert!(!escapes(ikescope(&never).env("CLICOLOR_FORCE", "1")), "{never:?}");
        assert!(!escapes(ikescope(arguments).env("NO_COLOR", "1").env("CLICOLOR_FORCE", "1")), "{arguments:?}");
    }
    assert!(!escapes(&mut ikescope(&["messages", "--format", "ndjson", "--color", "always", NAT])));
}

#[test]
fn the_schema_is_json() {
    let schema: Value = serde_json::from_str(&stdout(&["schema"])).unwrap();
    assert!(schema["$schema"].as_str().unwrap().contains("json-schema.org"));
    assert!(schema["properties"]["findings"].is_object());
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = stdout(&["completions", shell]);
        assert!(script.contains("messages") && script.contains("pair"), "{shell}");
    }
    ikescope(&["completions", "dos"]).assert().code(2);
}

#[test]
fn the_manual_page_is_roff() {
    let page = stdout(&["man"]);
    assert!(page.contains(".TH ikescope 1") && page.contains(".SH SYNOPSIS") && page.contains("Exit status"));
    assert!(stdout(&["man", "messages"]).contains(".TH ikescope-messages 1"));
    ikescope(&["man", "nonsense"]).assert().code(2);
}

#[cfg(feature = "live")]
#[test]
fn interfaces_are_listed_or_what_to_install_is_said() {
    let output = ikescope(&["interfaces", "--format", "json"]).output().unwrap();
    match output.status.code() {
        Some(0) => {
            let answer: Value = serde_json::from_slice(&output.stdout).unwrap();
            assert!(answer["interfaces"].is_array());
        }
        code => {
            assert_eq!(code, Some(2));
            assert!(String::from_utf8(output.stderr).unwrap().contains("libpcap"));
        }
    }
}

#[test]
fn a_capture_that_ends_inside_a_record_is_read_up_to_there() {
    let folder = Folder::new("cut");
    let path = folder.file("cut.pcap");
    let whole = fs::read(HEALTHY).unwrap();
    let mut file = fs::File::create(&path).unwrap();
    file.write_all(&whole[..whole.len() - 5]).unwrap();
    let output = ikescope(&["--format", "json", &path]).output().unwrap();
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["captures"][0]["cut_short"], true);
    assert_eq!(report["pairs"].as_array().unwrap().len(), 1);
}

#[test]
fn messages_tell_what_comes_first_inside_of_what_ikev2_encrypts() {
    const DELETED: &str = "captures/lab/v2-delete-by-responder.pcap";
    let messages = stdout(&["messages", "--format", "ndjson", DELETED]);
    let first_of = |label: &str| -> Vec<String> {
        let rows = messages.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
        let rows = rows.filter(|row| row["exchange"] == label);
        rows.map(|row| row["payloads"][0]["first_payload_name"].as_str().unwrap_or_default().to_owned()).collect()
    };
    assert_eq!(first_of("IKE_AUTH"), ["Identification - Initiator", "Identification - Responder"]);
    assert_eq!(first_of("INFORMATIONAL"), ["Delete", "No Next Payload"]);
    assert!(stdout(&["messages", DELETED]).contains("SK(D …, "));
    assert!(stdout(&[DELETED]).contains("encrypted: D …"));
}
