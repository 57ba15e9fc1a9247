//! Large captures are made of healthy tunnels: what the generator of `benches/generate` writes, made small, is read as such.

#[path = "../benches/generate/large/mod.rs"]
mod large;
mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Cursor;
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::process::Command;

use ikescope::base::{FrameRef, Limits};
use ikescope::capture::Captures;
use ikescope::diagnose::{Checks, Diagnosis, Shares, judge_all};
use ikescope::isakmp::Message;
use ikescope::packet::{Body, Classifier, Datagram};
use ikescope::pipeline::{self, Onlooker, Options, Passed, Session, Watch};
use ikescope::report::{Report, Selection};
use ikescope::track::{Label, Observed, Side};
use large::{Format, Kind, Made, Order, make};
use serde_json::Value;

fn made(order: &Order) -> (Made, Vec<u8>) {
    let mut file = Vec::new();
    let made = make(order, &mut file).unwrap();
    assert_eq!(made.octets, file.len() as u64);
    (made, file)
}

fn captures(file: &[u8]) -> Captures {
    Captures::from_reader("large", Cursor::new(file.to_vec()))
}

/// The report as the contract has it.
fn report(file: &[u8]) -> Value {
    report_watched(file, &mut ())
}

/// The same, while somebody looks on.
fn report_watched(file: &[u8], watch: &mut impl Watch) -> Value {
    let mut captures = captures(file);
    let analysis = pipeline::analyze(&mut captures, &Options::default(), watch);
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    serde_json::to_value(Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis)).unwrap()
}

fn rows<'r>(report: &'r Value, table: &str) -> &'r [Value] {
    report[table].as_array().unwrap()
}

fn text<'r>(row: &'r Value, key: &str) -> &'r str {
    row[key].as_str().unwrap()
}

/// Captures that show every option, small enough to look at all of each.
fn orders() -> Vec<(&'static str, Order)> {
    let ike = Order { pairs: Some(120), ..Order::new(Kind::Ike) };
    let esp = Order { pairs: Some(24), size: Some(1_000_000), ..Order::new(Kind::Esp) };
    let mixed = Order { pairs: Some(12), size: Some(2_000_000), ..Order::new(Kind::Mixed) };
    vec![
        ("ike", ike.clone()),
        ("ike twice", Order { rounds: 2, deleted: 0.5, ..ike.clone() }),
        ("ike in fragments", Order { fragments: 1.0, ..ike.clone() }),
        ("ike in fragments over IPv6", Order { fragments: 1.0, ipv6: 1.0, nat: 0.0, ..ike.clone() }),
        ("ike behind NAT", Order { nat: 1.0, fragments: 0.3, seed: 2, ..ike.clone() }),
        ("ike of many names", Order { names: 9, deleted: 0.5, ..ike.clone() }),
        ("ike that lives long", Order { checks: Some(25), names: 3, deleted: 0.5, pairs: Some(24), ..ike.clone() }),
        ("ike on VLANs", Order { vlan: 1.0, ipv6: 0.5, format: Format::Pcapng, ..ike }),
        ("esp", esp.clone()),
        ("esp, everything", Order { ipv6: 0.3, vlan: 0.3, nat: 0.5, fragments: 0.3, deleted: 1.0, ..esp.clone() }),
        ("esp, many SPIs", Order { spis: 12, nat: 0.5, ..esp.clone() }),
        ("esp, negotiated anew", Order { rounds: 3, spis: 2, deleted: 0.5, ..esp }),
        ("mixed", mixed.clone()),
        ("mixed, everything", Order { ipv6: 0.5, vlan: 0.5, fragments: 0.5, nanoseconds: true, ..mixed }),
    ]
}

#[test]
fn every_pair_is_healthy_and_nothing_is_found_above_a_notice() {
    for (name, order) in orders() {
        let (made, file) = made(&order);
        let report = report(&file);
        let pairs = rows(&report, "pairs");
        assert_eq!(pairs.len(), made.pairs as usize, "{name}");
        for pair in pairs {
            assert!(text(pair, "verdict").starts_with("OK-"), "{name}: {pair}");
        }
        for finding in rows(&report, "findings") {
            assert!(!["warning", "error"].contains(&text(finding, "severity")), "{name}: {finding}");
        }
        for attempt in rows(&report, "attempts") {
            assert_eq!(text(attempt, "outcome"), "established", "{name}: {attempt}");
        }
        assert_eq!(rows(&report, "attempts").len() as u64, negotiations(&order, &made), "{name}");
        assert_eq!(rows(&report, "captures")[0]["notes"].as_array().map(Vec::len), Some(0), "{name}");
    }
}

/// What `made` says it is; `rounds` of tunnels with traffic follow as their SAs are used up.
fn negotiations(order: &Order, made: &Made) -> u64 {
    assert_eq!(made.negotiations, u64::from(made.pairs) * u64::from(order.rounds));
    made.negotiations
}

#[test]
fn every_frame_is_what_it_was_made_as() {
    for (name, order) in orders() {
        let (made, file) = made(&order);
        let report = report(&file);
        let counts = &rows(&report, "captures")[0]["counts"];
        let count = |key: &str| counts[key].as_u64().unwrap();
        assert_eq!(count("esp") + count("esp_udp"), made.esp, "{name}");
        assert_eq!(count("ike"), made.messages, "{name}");
        assert_eq!(count("malformed"), 0, "{name}");
        let all: u64 = counts.as_object().unwrap().values().filter_map(Value::as_u64).sum();
        assert_eq!(all, made.packets, "{name}");
        if order.kind == Kind::Mixed {
            let share = count("other") as f64 / made.packets as f64;
            assert!((0.90..0.96).contains(&share), "{name}: {share}");
        } else {
            assert_eq!(count("other"), 0, "{name}");
        }
    }
}

#[test]
fn no_message_lies() {
    for (name, order) in orders() {
        let (_, file) = made(&order);
        let mut captures = captures(&file);
        let mut classifier = Classifier::new(&[], &Limits::default());
        while let Some(frame) = captures.next_frame() {
            classifier.classify(&frame, &mut |datagram| match datagram.body {
                Body::Isakmp(isakmp) => {
                    let message = Message::decode(isakmp.octets, 0).unwrap();
                    assert_eq!(message.fault(), None, "{name}: frame {}", datagram.frame.frame);
                }
                Body::Incomplete(incomplete) => panic!("{name}: {incomplete:?}"),
                _ => {}
            });
        }
    }
}

/// The NAT detection hashes are right: the program finds NAT where there is one, and only there.
#[test]
fn nat_is_found_where_it_was_put() {
    let order = Order { pairs: Some(60), ..Order::new(Kind::Ike) };
    for (nat, expected) in [(0.0, 0), (1.0, 60)] {
        let (_, file) = made(&Order { nat, ..order.clone() });
        let report = report(&file);
        let found = rows(&report, "findings").iter().filter(|finding| text(finding, "id") == "N-NAT-DETECTED").count();
        assert_eq!(found, expected, "{nat}");
    }
    // a hash that did not fit would be NAT
    let (_, file) = made(&Order { nat: 0.0, ipv6: 1.0, rounds: 2, ..order });
    assert!(rows(&report(&file), "findings").iter().all(|finding| text(finding, "id") != "N-NAT-DETECTED"));
}

#[test]
fn half_of_the_pairs_speak_each_version_and_their_suites_differ() {
    let (_, file) = made(&Order { pairs: Some(120), ..Order::new(Kind::Ike) });
    let report = report(&file);
    let versions = rows(&report, "attempts").iter().filter(|attempt| attempt["version"] == 1).count();
    assert_eq!(versions, 60);
    let chosen: BTreeSet<String> = rows(&report, "attempts").iter().map(|row| row["chosen"].to_string()).collect();
    assert_eq!(chosen.len(), 6, "{chosen:?}");
}

#[test]
fn fragments_of_both_kinds_are_there() {
    let (_, file) = made(&Order { pairs: Some(60), fragments: 1.0, ..Order::new(Kind::Ike) });
    let mut captures = captures(&file);
    let mut classifier = Classifier::new(&[], &Limits::default());
    let mut first_payloads: BTreeMap<u8, u32> = BTreeMap::new();
    let mut in_ip_fragments = 0;
    while let Some(frame) = captures.next_frame() {
        classifier.classify(&frame, &mut |datagram| {
            if let Body::Isakmp(isakmp) = datagram.body {
                *first_payloads.entry(isakmp.octets[16]).or_default() += 1;
                in_ip_fragments += u32::from(datagram.fragments > 1);
            }
        });
    }
    // payload 132 of IKEv1, SKF of IKEv2
    assert!(first_payloads.get(&132).is_some_and(|&count| count >= 20), "{first_payloads:?}");
    assert!(first_payloads.get(&53).is_some_and(|&count| count >= 20), "{first_payloads:?}");
    assert!(in_ip_fragments >= 20, "{in_ip_fragments}");
}

#[test]
fn sequence_numbers_rise_by_one_and_spis_are_as_many_as_wanted() {
    let order = Order { pairs: Some(10), size: Some(2_000_000), spis: 5, nat: 0.4, ..Order::new(Kind::Esp) };
    let (made, file) = made(&order);
    let report = report(&file);
    let flows = rows(&report, "esp_flows");
    assert_eq!(flows.len() as u64, u64::from(made.pairs) * 2 * 5);
    for flow in flows {
        for key in ["lost", "reordered", "duplicates"] {
            assert_eq!(flow[key], 0, "{flow}");
        }
        assert_eq!(flow["first_sequence"], 1);
        assert_eq!(flow["last_sequence"], flow["packets"]);
    }
}

#[test]
fn many_negotiations_are_under_way_at_once() {
    let (_, file) = made(&Order { pairs: Some(500), ..Order::new(Kind::Ike) });
    let report = report(&file);
    let spans = rows(&report, "attempts").iter().map(|row| {
        let frame = |key: &str| row[key]["frame"].as_u64().unwrap();
        (frame("first_frame"), frame("last_frame"))
    });
    let alive = spans.filter(|&(first, last)| first < 1000 && last > 1000).count();
    assert!(alive > 50, "{alive}");
}

#[test]
fn the_same_order_makes_the_same_octets_and_another_seed_others() {
    for (name, order) in orders() {
        let (_, file) = made(&order);
        assert!(made(&order).1 == file, "{name}");
        assert!(made(&Order { seed: order.seed + 1, ..order }).1 != file, "{name}");
    }
}

#[test]
fn the_form_of_the_file_changes_nothing_but_the_file() {
    let order = Order { pairs: Some(20), fragments: 0.5, vlan: 0.5, ..Order::new(Kind::Ike) };
    let story = |order: &Order| {
        let mut report = report(&made(order).1);
        report["captures"].take();
        report
    };
    let expected = story(&Order { nanoseconds: true, ..order.clone() });
    for nanoseconds in [false, true] {
        let pcapng = story(&Order { format: Format::Pcapng, nanoseconds, ..order.clone() });
        let pcap = story(&Order { format: Format::Pcap, nanoseconds, ..order.clone() });
        assert!(pcap == pcapng, "nanoseconds: {nanoseconds}");
        assert_eq!(pcap == expected, nanoseconds, "times are cut to what the file can hold");
    }
}

#[test]
fn files_are_about_as_large_as_wanted() {
    for kind in [Kind::Ike, Kind::Esp, Kind::Mixed] {
        let order = Order { size: Some(3_000_000), ..Order::new(kind) };
        let pairs = if kind == Kind::Ike { None } else { Some(10) };
        let (made, _) = made(&Order { pairs, ..order });
        assert!((2_400_000..3_600_000).contains(&made.octets), "{kind:?}: {made:?}");
    }
}

/// A second opinion, where it can be had.
#[test]
fn tshark_finds_nothing_malformed() {
    if Command::new("tshark").arg("--version").output().is_err() {
        println!("skipped: tshark is not installed");
        return;
    }
    for (number, (name, order)) in orders().into_iter().enumerate() {
        let path =
            PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("generate-{}-{number}.pcap", std::process::id()));
        std::fs::write(&path, made(&order).1).unwrap();
        let checks = ["ip", "udp", "tcp"].map(|protocol| format!("{protocol}.check_checksum:TRUE"));
        let output = Command::new("tshark")
            .args(["-n", "-o", &checks[0], "-o", &checks[1], "-o", &checks[2], "-r"])
            .arg(&path)
            .args(["-Y", "_ws.malformed or _ws.expert.severity >= error"])
            .output()
            .unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        assert!(output.stdout.is_empty(), "{name}: {}", String::from_utf8_lossy(&output.stdout));
    }
}

/// The same records, some of them left out, sent again a second later or recorded twice, as `dice` falls.
fn disturbed(file: &[u8], mut dice: u64) -> Vec<u8> {
    let (head, mut rest) = file.split_at(24);
    let mut records: Vec<(u32, Vec<u8>)> = Vec::new();
    while let Some((header, behind)) = rest.split_first_chunk::<16>() {
        let field = |at: usize| u32::from_le_bytes(header[at..at + 4].try_into().unwrap());
        let (octets, behind) = behind.split_at(field(8) as usize);
        let record = [&header[4..], octets].concat();
        dice = dice.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        match (dice >> 33) % 40 {
            0 => {}
            1 => records.extend([(field(0), record.clone()), (field(0) + 1, record)]),
            2 => records.extend([(field(0), record.clone()), (field(0), record)]),
            _ => records.push((field(0), record)),
        }
        rest = behind;
    }
    records.sort_by_key(|(seconds, record)| (*seconds, u32::from_le_bytes(record[..4].try_into().unwrap())));
    let body = records.into_iter().flat_map(|(seconds, record)| [&seconds.to_le_bytes()[..], &record].concat());
    head.iter().copied().chain(body).collect()
}

/// What a message was when it came: frame, attempt, label, sender, and what it repeats.
type Name = (FrameRef, usize, Label, Side, [Option<FrameRef>; 2]);

/// What each message was.
#[derive(Default)]
struct Names(Vec<Name>);

impl Names {
    fn note(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) {
        self.0.extend(observed.map(|observed| {
            let before = [observed.retransmission_of, observed.recorded_before];
            (datagram.frame, observed.attempt, observed.label, observed.from, before)
        }));
    }
}

impl Watch for Names {
    fn message(&mut self, datagram: &Datagram<'_>, observed: Option<&Observed>) -> ControlFlow<()> {
        self.note(datagram, observed);
        ControlFlow::Continue(())
    }
}

impl Onlooker for Names {
    fn message(&mut self, passed: &Passed<'_>) {
        self.note(passed.datagram, passed.observed);
    }
}

/// Attempts that go as others went are told by what they have in common. `Session` keeps them as they are.
#[test]
fn attempts_are_told_as_if_each_had_been_followed_alone() {
    for (name, order) in orders() {
        if order.format == Format::Pcapng {
            continue;
        }
        let (_, file) = made(&order);
        for dice in [None, Some(1), Some(2)] {
            let file = dice.map_or_else(|| file.clone(), |dice| disturbed(&file, dice));
            let mut alone = captures(&file);
            let mut session = Session::new(&Options::default(), Selection::ALL);
            let (mut names, mut told_names) = (Names::default(), Names::default());
            while let Some(frame) = alone.next_frame() {
                session.frame(&frame, &mut names);
            }
            let alone = serde_json::to_value(session.finish(alone.infos(), &mut names)).unwrap();
            let told = report_watched(&file, &mut told_names);
            for (told, alone) in told_names.0.iter().zip(&names.0) {
                assert_eq!(told, alone, "{name}, {dice:?}");
            }
            assert_eq!(told_names.0.len(), names.0.len(), "{name}, {dice:?}");
            for table in ["pairs", "attempts", "exchanges", "findings"] {
                for (told, alone) in rows(&told, table).iter().zip(rows(&alone, table)) {
                    assert_eq!(told, alone, "{name}, {dice:?}, {table}");
                }
            }
            assert_eq!(told, alone, "{name}, {dice:?}");
        }
    }
}

/// What pairs have in common is found once, and threads judge some pairs each: every check on every pair, one after the
/// other, finds the same.
#[test]
fn pairs_are_judged_alike_however_they_are_shared() {
    for (name, order) in orders() {
        let (_, file) = made(&order);
        let (counts, facts) = pipeline::follow(&mut captures(&file), &Options::default(), &mut ());
        let infos = captures(&file).infos();
        let report = |diagnosis: &Diagnosis| {
            let captures = infos.iter().cloned().zip(counts.iter().copied()).collect();
            serde_json::to_value(Report::new(captures, &facts, diagnosis)).unwrap()
        };
        let plain = report(&judge_all(&facts, Checks::All, Shares::on(1)).0);
        for (threads, pairs) in [(1, 2048), (1, 5), (2, 7), (3, 1), (4, 16)] {
            let shared = judge_all(&facts, Checks::Called, Shares { threads, pairs }).0;
            assert_eq!(report(&shared), plain, "{name}: {threads} threads, {pairs} pairs at a time");
        }
    }
}
