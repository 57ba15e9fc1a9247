//! What `live` says while it happens: captures of the laboratory played again, without waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use assert_cmd::Command;
use ikescope::base::Timestamp;
use ikescope::capture::{Captures, Drops, WriteOptions, Writer};
use ikescope::pipeline;
use ikescope::report::Report;
use serde_json::Value;

mod support;

fn lab() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab")
}

fn program() -> Command {
    let mut program = Command::cargo_bin("ikescope").unwrap();
    program.env_remove("COLUMNS").env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE");
    program
}

fn live(arguments: &[&str], capture: &Path) -> String {
    live_of(arguments, &[capture.to_owned()])
}

fn live_of(arguments: &[&str], captures: &[PathBuf]) -> String {
    let output =
        program().arg("live").args(arguments).args(["--speed", "0", "--replay"]).args(captures).output().unwrap();
    assert!(output.status.success(), "{captures:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn events(capture: &Path) -> Vec<Value> {
    let text = live(&["--format", "ndjson"], capture);
    assert!(text.ends_with('\n'));
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn named(name: &str) -> Vec<Value> {
    events(&lab().join(format!("{name}.pcap")))
}

fn analyzed(capture: &Path) -> Value {
    analyzed_of(&[capture.to_owned()])
}

fn analyzed_of(captures: &[PathBuf]) -> Value {
    let mut captures = Captures::open(captures);
    let analysis = pipeline::analyze(&mut captures, &pipeline::Options::default(), &mut ());
    serde_json::to_value(Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis)).unwrap()
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_else(|| panic!("no text {key} in {value}"))
}

/// Seconds since the first event.
fn second(events: &[Value], event: &Value) -> f64 {
    let at = |event: &Value| chrono::DateTime::parse_from_rfc3339(text(event, "time")).unwrap();
    (at(event) - at(&events[0])).num_milliseconds() as f64 / 1000.0
}

fn position(events: &[Value], is: impl Fn(&Value) -> bool) -> Option<usize> {
    events.iter().position(is)
}

fn raises(id: &str) -> impl Fn(&Value) -> bool {
    move |event| event["event"] == "finding" && event["finding"]["id"] == id
}

fn withdraws(id: &str) -> impl Fn(&Value) -> bool {
    move |event| event["event"] == "finding-withdrawn" && event["finding"]["id"] == id
}

/// What holds of the events of any capture.
fn check(capture: &Path) {
    let name = capture.display();
    let events = events(capture);
    let end = events.last().unwrap();
    assert_eq!(end["event"], "end", "{name}");
    let report = &end["report"];

    let whole = analyzed(capture);
    for table in ["pairs", "attempts", "exchanges", "esp_flows", "icmp_errors", "incomplete", "malformed", "findings"] {
        assert_eq!(report[table], whole[table], "{name}: {table} of live and of analyze");
    }
    assert_eq!(report["window"], whole["window"], "{name}");
    assert_eq!(report["forgotten"], whole["forgotten"], "{name}");

    let mut standing: BTreeSet<(String, String)> = BTreeSet::new();
    let mut stages: BTreeMap<u64, (Value, Value)> = BTreeMap::new();
    let mut before = String::new();
    let mut messages = 0;
    for event in &events {
        let object: Vec<&str> = event.as_object().unwrap().keys().map(String::as_str).collect();
        for key in ["event", "time", "pair", "attempt"] {
            assert!(object.contains(&key), "{name}: no {key} in {event}");
        }
        assert!(text(event, "time") >= before.as_str(), "{name}: time runs backwards at {event}");
        before = text(event, "time").to_owned();
        if let Some(pair) = event["pair"].as_array() {
            assert!(
                pair.len() == 2
                    && pair.iter().all(|address| address.as_str().unwrap().parse::<std::net::IpAddr>().is_ok())
            );
        }
        let standing_key = || (event["pair"].to_string(), text(&event["finding"], "id").to_owned());
        match text(event, "event") {
            "message" | "retransmission" => {
                messages += 1;
                let message = &event["message"];
                for key in ["frame", "source", "exchange_type", "payloads", "initiator_spi", "retransmission_of"] {
                    assert!(message.get(key).is_some(), "{name}: no {key} in {event}");
                }
                assert_eq!(
                    event["event"] == "retransmission",
                    !message["retransmission_of"].is_null(),
                    "{name}: {event}"
                );
                if let Some(attempt) = event["attempt"].as_u64() {
                    let row = &report["attempts"][attempt as usize];
                    assert_eq!(message["initiator_spi"], row["initiator_spi"], "{name}: {event}");
                    let pair = &report["pairs"][row["pair"].as_u64().unwrap() as usize];
                    assert_eq!(event["pair"], serde_json::json!([pair["a"], pair["b"]]), "{name}");
                }
            }
            "stage" => {
                let stage = (event["stage"].clone(), event["waiting_for"].clone());
                stages.insert(event["attempt"].as_u64().unwrap(), stage);
            }
            "finding" => {
                standing.insert(standing_key());
                let seen = text(&event["finding"], "seen");
                let over = event["time"] == end["time"];
                assert!(!seen.contains("capture end") || over, "{name}: it goes on, yet: {seen}");
            }
            "finding-withdrawn" => assert!(standing.remove(&standing_key()), "{name}: never raised: {event}"),
            "end" | "drops" => {}
            other => panic!("{name}: event {other}"),
        }
    }
    let held: BTreeSet<(String, String)> = report["findings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|finding| {
            let pair = finding["pair"].as_u64().map(|pair| &report["pairs"][pair as usize]);
            let pair = pair.map_or("null".into(), |pair| serde_json::json!([pair["a"], pair["b"]]).to_string());
            (pair, text(finding, "id").to_owned())
        })
        .collect();
    assert_eq!(standing, held, "{name}: what was raised and not withdrawn, and what the report holds");
    for (id, attempt) in report["attempts"].as_array().unwrap().iter().enumerate() {
        let (stage, _) = stages.get(&(id as u64)).unwrap_or_else(|| panic!("{name}: no stage of attempt {id}"));
        assert_eq!(stage, &attempt["stage"], "{name}: the last stage of attempt {id}");
    }
    assert_eq!(messages, report["captures"][0]["counts"]["ike"].as_u64().unwrap(), "{name}: events of messages");
}

fn check_all(wanted: impl Fn(&str) -> bool) {
    let mut captures: Vec<PathBuf> = std::fs::read_dir(lab()).unwrap().map(|entry| entry.unwrap().path()).collect();
    captures.retain(|path| path.extension().is_some_and(|end| end == "pcap") && wanted(path.to_str().unwrap()));
    assert!(captures.len() > 50);
    captures.iter().for_each(|capture| check(capture));
}

#[test]
fn live_ends_in_the_report_of_analyze_on_every_capture_of_the_laboratory() {
    check_all(|name| !name.ends_with(".rside.pcap"));
}

#[test]
fn live_ends_in_the_report_of_analyze_on_the_other_side_too() {
    check_all(|name| name.ends_with(".rside.pcap"));
}

/// Two captures of one tunnel, whichever is named first; the clock of one of them may be wrong.
#[test]
fn live_ends_in_the_report_of_analyze_on_both_sides_together() {
    for name in ["v1-esp-large-dropped", "v1-mm5-lost", "v1-esp-blocked-oneway", "v1-peer-rebooted-dpd"] {
        let sides = ["pcap", "rside.pcap"].map(|side| lab().join(format!("{name}.{side}")));
        for captures in [sides.clone(), [sides[1].clone(), sides[0].clone()]] {
            let ended: Value = serde_json::from_str(&live_of(&["--format", "json"], &captures)).unwrap();
            let whole = analyzed_of(&captures);
            for table in ["pairs", "attempts", "exchanges", "esp_flows", "findings"] {
                assert_eq!(ended[table], whole[table], "{captures:?}: {table} of live and of analyze");
            }
        }
    }
}

#[test]
fn stages_come_in_order_and_say_what_is_next() {
    let events = named("v1-main-psk-healthy");
    let stages: Vec<String> = events
        .iter()
        .filter(|event| event["event"] == "stage")
        .map(|event| format!("{}>{}", text(event, "stage"), event["waiting_for"].as_str().unwrap_or("-")))
        .collect();
    let expected = ["MM1>MM2", "MM2>MM3", "MM3>MM4", "MM4>MM5", "MM5>MM6", "MM6>-", "QM1>QM2", "QM2>QM3", "QM3>-"];
    assert_eq!(stages, expected);
    let completed: Vec<&str> =
        events.iter().filter_map(|event| event.get("completed").and_then(Value::as_str)).collect();
    assert_eq!(completed, ["phase1", "phase2"]);
    let up = position(&events, raises("OK-UP")).or_else(|| position(&events, raises("OK-IDLE"))).unwrap();
    assert!(up > position(&events, |event| event["stage"] == "QM3").unwrap());
}

#[test]
fn silence_becomes_a_finding_before_the_next_packet_comes() {
    // MM1 goes unanswered: the finding comes with the clock, between two copies of it
    let events = named("v1-udp500-drop");
    let raised = position(&events, raises("P1-NO-REPLY")).expect("no finding");
    let at = second(&events, &events[raised]);
    assert!((4.0..14.0).contains(&at), "after {at} s");
    let message = |event: &Value| event["event"] == "message" || event["event"] == "retransmission";
    let (before, after) = events.split_at(raised);
    let last = second(&events, before.iter().rfind(|event| message(event)).unwrap());
    let next = second(&events, after.iter().find(|event| message(event)).expect("it goes on"));
    assert!(last <= at && at < next, "{last} {at} {next}");
}

#[test]
fn a_retransmission_tells_when_the_next_is_due() {
    let events = named("v1-udp500-drop");
    let repeats: Vec<&Value> = events.iter().filter(|event| event["event"] == "retransmission").collect();
    assert_eq!(repeats[0]["copies"], 2);
    assert_eq!(repeats[0]["answers"], 0);
    assert_eq!(repeats[0]["waiting_for"], "MM2");
    assert!(repeats[0]["next_due"].is_null(), "one gap is no rhythm");
    let due = chrono::DateTime::parse_from_rfc3339(text(repeats[1], "next_due")).unwrap();
    let came = chrono::DateTime::parse_from_rfc3339(text(repeats[2], "time")).unwrap();
    assert!((came - due).num_milliseconds().abs() < 3000, "due {due}, came {came}");
}

#[test]
fn what_a_later_message_refutes_is_withdrawn() {
    let events = named("v1-psk-mismatch-main");
    let refused = position(&events, raises("P1-AUTH-REJECT")).unwrap();
    let withdrawn = position(&events, withdraws("P1-AUTH-REJECT")).unwrap();
    let replaced = position(&events, raises("P1-PSK")).unwrap();
    assert!(refused < withdrawn && withdrawn < replaced);
    assert_eq!(events[withdrawn]["verdict"], "P1-PSK");
    assert!(second(&events, &events[replaced]) < 6.0);
}

#[test]
fn an_alarm_ends_when_the_tunnel_comes_up_after_all() {
    // first nobody answers on port 500, then the same two come up; the two runs were recorded one after the other
    let text = {
        let mut program = program();
        program.args(["live", "--format", "ndjson", "--speed", "0", "--replay"]);
        program.arg(lab().join("v1-udp500-drop.pcap")).arg(lab().join("v1-multi-subnet.pcap"));
        String::from_utf8(program.output().unwrap().stdout).unwrap()
    };
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = &events.last().unwrap()["report"];
    assert!(self::text(&end["pairs"][0], "status").starts_with("up"), "{}", end["pairs"][0]);
    let raised = position(&events, raises("P1-NO-REPLY")).unwrap();
    assert_eq!(events[raised]["finding"]["severity"], "error");
    let over = position(&events, |event| {
        withdraws("P1-NO-REPLY")(event) || (raises("P1-NO-REPLY")(event) && event["finding"]["severity"] != "error")
    });
    let up = position(&events, |event| event["completed"] == "phase1").unwrap();
    assert!(raised < up && over.is_some_and(|over| over > up), "raised {raised}, up {up}, over {over:?}");
}

#[test]
fn plain_lines_are_words_one_an_event() {
    let text = live(&["--plain"], &lab().join("v1-udp500-drop.pcap"));
    let (lines, report) = text.split_once("\n\n").unwrap();
    assert!(report.starts_with("ikescope "), "the report follows");
    let again = lines.lines().find(|line| line.contains("MM1 sent again (×3)")).unwrap_or_else(|| panic!("{lines}"));
    assert!(again.contains("nothing back; next is due in "), "{again}");
    assert!(again.contains("203.0.113.10 → 198.51.100.7"), "{again}");
    assert!(lines.lines().all(|line| line.as_bytes()[2] == b':' && line.as_bytes()[8] == b'.'), "{lines}");
    assert_eq!(lines.lines().filter(|line| line.contains("error[P1-NO-REPLY]")).count(), 1, "{lines}");
    assert!(!text.contains('\x1b'));
}

#[test]
fn json_is_the_report_and_nothing_else() {
    let capture = lab().join("v1-udp500-drop.pcap");
    let report: Value = serde_json::from_str(&live(&["--format", "json"], &capture)).unwrap();
    assert_eq!(
        report,
        analyzed(&capture).as_object().map_or(Value::Null, |_| {
            let mut whole = analyzed(&capture);
            whole["captures"][0]["path"] = report["captures"][0]["path"].clone();
            whole
        })
    );
}

#[test]
fn the_time_and_the_pair_that_are_wanted_are_kept_to() {
    let capture = lab().join("v1-udp500-drop.pcap");
    let text = live(&["--format", "ndjson", "--for", "10s"], &capture);
    let events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let end = second(&events, events.last().unwrap());
    assert!((10.0..11.5).contains(&end), "{end}");
    let text = live(&["--format", "ndjson", "--pair", "192.0.2.77"], &capture);
    assert_eq!(text.lines().count(), 1, "only the end: {text}");
}

#[test]
fn the_exit_status_is_that_of_the_contract() {
    let run = |name: &str, more: &[&str]| {
        let capture = lab().join(name);
        let mut program = program();
        program.args(["live", "--plain", "--speed", "0"]).args(more).arg("--replay").arg(capture);
        program.output().unwrap().status.code()
    };
    assert_eq!(run("v1-udp500-drop.pcap", &[]), Some(0));
    assert_eq!(run("v1-udp500-drop.pcap", &["--exit-code"]), Some(1));
    assert_eq!(run("v1-main-psk-healthy.pcap", &["--exit-code"]), Some(0));
    assert_eq!(run("no-such-file.pcap", &[]), Some(2));
    assert_eq!(run("v1-udp500-drop.pcap", &["--write", "/proc/no/such.pcapng"]), Some(2));
}

#[test]
fn bad_arguments_are_explained() {
    let complains = |arguments: &[&str], needle: &str| {
        let output = program().arg("live").args(arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(said.contains(needle), "{arguments:?}: {said}");
    };
    complains(&[], "--interface <INTERFACE>");
    complains(&["--replay", "x", "--speed", "-1"], "as fast as possible");
    complains(&["-i", "lo", "--for", "soon"], "write 30s, 5m, 1h");
    complains(&["-i", "lo", "--rotate-size", "1M"], "--write <FILE>");
    complains(&["-i", "lo", "--write", "x", "--rotate-size", "big"], "100M");
    complains(&["-i", "lo", "--replay", "x"], "cannot be used with");
}

#[test]
fn what_is_written_while_it_happens_gives_the_same_findings() {
    let folder = tempfile("again");
    let capture = lab().join("v1-psk-mismatch-main.pcap");
    for file in ["again.pcapng", "again.pcap"] {
        let file = folder.join(file);
        live(&["--plain", "--write", file.to_str().unwrap()], &capture);
        let (again, first) = (analyzed(&file), analyzed(&capture));
        for table in ["pairs", "attempts", "findings"] {
            assert_eq!(again[table], first[table], "{table}");
        }
    }
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn losses_are_told_and_doubted() {
    let folder = tempfile("losses");
    let file = folder.join("lossy.pcapng");
    let mut captures = Captures::open(&[lab().join("v1-psk-mismatch-main.pcap")]);
    let mut writer = Writer::create(&file, WriteOptions::default()).unwrap();
    while let Some(frame) = captures.next_frame() {
        writer.write(&frame, "eth0").unwrap();
    }
    writer.note_drops(0, Drops { received: 14, kernel: 5, interface: 0 });
    writer.finish().unwrap();

    let events = events(&file);
    let drops = &events[position(&events, |event| event["event"] == "drops").expect("no drops")];
    assert_eq!((&drops["received"], &drops["kernel"]), (&14.into(), &5.into()));
    let end = &events.last().unwrap()["report"];
    let finding = end["findings"].as_array().unwrap().iter().find(|finding| finding["id"] == "P1-PSK").unwrap();
    assert_eq!(finding["confidence"], "suspected");
    assert!(text(finding, "settle").contains("5 frames were lost"), "{finding}");
    assert_eq!(end["captures"][0]["dropped"], 5);

    let output = program().args(["--format", "json"]).arg(&file).output().unwrap();
    let whole: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(end["findings"], whole["findings"], "analyze doubts the same");
    std::fs::remove_dir_all(folder).unwrap();
}

#[cfg(unix)]
#[test]
fn a_signal_ends_it_with_the_whole_report() {
    use std::io::{BufRead, BufReader};
    use std::process::{Command, Stdio};
    for signal in ["INT", "TERM", "HUP"] {
        let mut child = Command::new(assert_cmd::cargo::cargo_bin("ikescope"))
            .args(["live", "--format", "ndjson", "--replay"])
            .arg(lab().join("v1-udp500-drop.pcap"))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // events do not wait for the end
        let first: Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
        assert_eq!(first["event"], "message");
        let killed = Command::new("kill").args(["-s", signal, &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        let last: Value = serde_json::from_str(&lines.last().unwrap().unwrap()).unwrap();
        assert_eq!(last["event"], "end", "SIG{signal}");
        assert_eq!(last["report"]["pairs"].as_array().unwrap().len(), 1);
        assert_eq!(child.wait().unwrap().code(), Some(0), "SIG{signal}");
    }
}

/// The program on a real interface: what is played into one end of a veth pair is heard at the other.
#[cfg(all(target_os = "linux", feature = "live"))]
#[test]
fn an_interface_gives_the_findings_of_its_capture() {
    use std::io::{BufRead, BufReader};
    use std::process::Stdio;
    use support::live::{Namespace, play};

    let Some(namespace) = Namespace::new() else { return };
    namespace.veth("one", "other");
    let folder = tempfile("interface");
    let written = folder.join("heard.pcapng");
    let mut child = namespace
        .command(assert_cmd::cargo::cargo_bin("ikescope").to_str().unwrap())
        .args(["live", "-i", "other", "--plain", "--write", written.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // the file is made when the interface is open
    let patience = std::time::Instant::now();
    while !written.exists() {
        assert!(patience.elapsed().as_secs() < 60 && child.try_wait().unwrap().is_none(), "it does not begin");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    let capture = support::Capture::read_pcap(&std::fs::read(lab().join("v1-p1-auth-mismatch.pcap")).unwrap());
    namespace.spawn(move || play(&capture, 20.0, "one")).join().unwrap();

    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let raised = lines.find(|line| line.as_ref().is_ok_and(|line| line.contains("error[P1-AUTH-REJECT]")));
    assert!(raised.is_some(), "the finding comes while it runs");
    let killed = std::process::Command::new("kill").args(["-s", "INT", &child.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.starts_with("1 pair")), "the report follows: {rest:#?}");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    let again = analyzed(&written);
    assert_eq!(again["pairs"][0]["verdict"], "P1-AUTH-REJECT", "what was written says the same");
    std::fs::remove_dir_all(folder).unwrap();
}

fn tempfile(name: &str) -> PathBuf {
    let folder = std::env::temp_dir().join(format!("ikescope-live-{name}-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

#[test]
fn silence_after_the_last_frame_is_in_the_file_too() {
    let folder = tempfile("silence");
    let file = folder.join("silence.pcapng");
    // The capture goes on for a while after its last frame, as an interface does on which nothing more comes.
    let mut captures = Captures::open(&[lab().join("v1-udp500-drop.pcap")]);
    let mut writer = Writer::create(&file, WriteOptions::default()).unwrap();
    let mut last = Timestamp::default();
    while let Some(frame) = captures.next_frame() {
        last = last.max(frame.at);
        writer.write(&frame, "eth0").unwrap();
    }
    let until = last.after(Duration::from_secs(3600));
    writer.watched_until(until);
    writer.finish().unwrap();
    let report = analyzed(&file);
    assert_eq!(report["window"]["last"], until.to_string());
    std::fs::remove_dir_all(folder).unwrap();
}
