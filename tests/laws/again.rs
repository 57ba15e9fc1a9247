//! The same octets give the same octets; rotated files, and frames that were recorded twice, change no verdict.

use std::time::Duration;

use ikescope::capture::Captures;
use ikescope::report::Report;
use serde_json::{Value, json};

use crate::bench::{difference, nothing_wrong, octets, report, report_of, report_of_files, story};
use crate::samples::{self, Sample};
use crate::support::story::usual_transform;
use crate::support::{Capture, Scenario, Side, secs, v1};

#[test]
fn analysing_twice_gives_the_same_octets() {
    for sample in samples::all() {
        let file = sample.capture.pcap();
        assert!(octets(&report(file.clone())) == octets(&report(file)), "{}", sample.name);
    }
}

/// Every frame reference as it would be if the captures were one.
fn join_references(value: &mut Value, frames_before: &[u64]) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(|value| join_references(value, frames_before)),
        Value::Object(fields) => {
            let capture = fields.get("capture").and_then(Value::as_u64);
            let frame = fields.get("frame").and_then(Value::as_u64);
            if let Some((capture, frame)) = capture.zip(frame) {
                fields.insert("capture".to_owned(), json!(0));
                fields.insert("frame".to_owned(), json!(frames_before[capture as usize] + frame));
            }
            fields.values_mut().for_each(|value| join_references(value, frames_before));
        }
        _ => {}
    }
}

fn joined(report: &Report) -> Value {
    let frames_before: Vec<u64> = report
        .captures
        .iter()
        .scan(0, |sum, capture| {
            *sum += capture.frames;
            Some(*sum - capture.frames)
        })
        .collect();
    let mut value = story(report);
    join_references(&mut value, &frames_before);
    value
}

/// Where rotated files tell something else than one.
fn torn_apart(samples: &[Sample]) -> Vec<String> {
    let mut wrong = Vec::new();
    for sample in samples {
        let whole = story(&report(sample.capture.pcap()));
        for parts in [2, 3, 7] {
            let files = sample.capture.split(parts).iter().map(Capture::pcap).collect();
            let other = difference(&whole, &joined(&report_of_files(files)));
            wrong.extend(other.map(|other| format!("{} in {parts}: {other}", sample.name)));
        }
    }
    wrong
}

/// Samples with and without IP fragments.
fn by_fragments() -> (Vec<Sample>, Vec<Sample>) {
    samples::all().into_iter().partition(|sample| report(sample.capture.pcap()).captures[0].counts.ip_fragment > 0)
}

#[test]
fn rotated_files_give_the_report_of_one() {
    nothing_wrong(&torn_apart(&by_fragments().1));
}

#[test]
fn rotated_files_with_ip_fragments_give_the_report_of_one() {
    nothing_wrong(&torn_apart(&by_fragments().0));
}

#[test]
fn a_folder_of_rotated_files_gives_the_report_of_one() {
    for name in ["main-mode", "ikev2-tcp", "second-try"] {
        let capture = samples::crafted().into_iter().find(|sample| sample.name == name).expect("a sample").capture;
        let folder = std::env::temp_dir().join(format!("ikescope-laws-{}-{name}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of our own");
        for (part, number) in capture.split(4).iter().zip(0..) {
            // Names in another order than times: what counts is what the files hold.
            std::fs::write(folder.join(format!("part{}.pcap", 9 - number)), part.pcap()).expect("room for a capture");
        }
        let parts = report_of(Captures::open(std::slice::from_ref(&folder)));
        std::fs::remove_dir_all(&folder).expect("a folder of our own");
        assert_eq!(difference(&story(&report(capture.pcap())), &joined(&parts)), None, "{name}");
    }
}

/// What may not change when every frame was recorded twice: judgement, and what the peers and not the recorder did.
fn deeds(report: &Report) -> Value {
    let story = story(report);
    let pick = |table: &str, keys: &[&str]| -> Vec<Value> {
        let rows = story[table].as_array().expect("a table");
        rows.iter().map(|row| keys.iter().map(|key| row[*key].clone()).collect()).collect()
    };
    let messages: Vec<Value> = report
        .exchanges
        .iter()
        .flat_map(|exchange| &exchange.messages)
        .map(|message| json!([message.label, message.from, message.at, message.retransmission_count, message.fault]))
        .collect();
    json!({
        "pairs": pick("pairs", &["a", "b", "status", "verdict"]),
        "attempts": pick("attempts", &["initiator_spi", "responder_spi", "stage", "waiting_for", "outcome", "verdict"]),
        "exchanges": pick("exchanges", &["attempt", "kind", "message_id", "started_by"]),
        "messages": messages,
        "flows": pick("esp_flows", &[
            "source", "destination", "spi", "packets", "octets", "first_sequence", "last_sequence", "lost", "reordered",
            "duplicates", "resets",
        ]),
        "icmp": pick("icmp_errors", &["from", "icmp_type", "code", "mtu", "about"]),
        "findings": pick("findings", &["id", "severity", "confidence", "pair", "attempt", "count"]),
    })
}

#[test]
fn frames_recorded_twice_are_one_deed() {
    let gap = Duration::from_micros(100);
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let once = deeds(&report(sample.capture.pcap()));
        let doubled = [
            ("twice", sample.capture.clone().double_apart(gap)),
            ("before and behind a router", sample.capture.clone().double_across_a_hop(gap)),
        ];
        for (how, capture) in doubled {
            let other = difference(&once, &deeds(&report(capture.pcap())));
            wrong.extend(other.map(|other| format!("{} recorded {how}: {other}", sample.name)));
        }
    }
    nothing_wrong(&wrong);
}

/// So many attempts that are refused, ten seconds apart, and one that succeeds.
fn refused_before_success(times: usize) -> Capture {
    let refusal = v1::notify(v1::NO_PROPOSAL_CHOSEN);
    let refused = (0..times).fold(Scenario::new(), |story, _| {
        story
            .mm1(&[usual_transform()])
            .informational_clear(Side::Responder, refusal.clone())
            .after(secs(10))
            .new_attempt()
    });
    refused.main_mode().quick_mode().quiet(secs(30)).capture()
}

/// What a finding is kept in has room for fewer.
#[test]
fn however_many_attempts_show_the_same_they_are_counted_and_named() {
    for times in [2, 254, 255, 256, 300] {
        let report = report(refused_before_success(times).pcap());
        assert_eq!(report.attempts.len(), times + 1);
        let found = |id: &str| report.findings.iter().find(|finding| finding.id == id).expect("found");
        let refused = found("P1-PROPOSAL");
        assert_eq!((refused.count, refused.attempt), (times as u64, Some(0)));
        assert!(refused.frames.len() >= times);
        let idle = found("OK-IDLE");
        assert_eq!((idle.count, idle.attempt), (1, Some(times)));
    }
}
