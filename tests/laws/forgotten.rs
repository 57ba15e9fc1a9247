//! What was forgotten to stay within the limits lowers the certainty of what it may explain, and of nothing else.

use std::io::Cursor;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use ikescope::base::Limits;
use ikescope::capture::Captures;
use ikescope::diagnose::{Confidence, Severity};
use ikescope::pipeline::Options;
use ikescope::report::{Finding, Report};

use crate::bench::{self, nothing_wrong};
use crate::samples;
use crate::support::packet::{self, Ip};
use crate::support::story::{START, main_mode_psk};
use crate::support::{Capture, Header, v2};

fn report_within(capture: &Capture, limits: Limits) -> Report {
    let captures = Captures::from_reader("capture", Cursor::new(capture.pcap()));
    bench::report_within(captures, &Options { limits, ..Options::default() })
}

/// A recorded capture that begins at a time.
fn recorded(name: &str, begins: u64) -> Capture {
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab");
    let mut capture = Capture::read_pcap(&std::fs::read(lab.join(name)).expect("a recorded capture"));
    let first = capture.frames.iter().map(|frame| frame.at).min().expect("a frame");
    for frame in &mut capture.frames {
        frame.at = frame.at - first + begins;
    }
    capture
}

/// First messages from two hundred addresses, a millisecond apart.
fn flood(begins: u64) -> Capture {
    let mut capture = Capture::new();
    for number in 0..200_u32 {
        let header = Header {
            initiator_spi: 0x0100 + u64::from(number),
            responder_spi: 0,
            version: 0x20,
            exchange_type: v2::exchange::SA_INIT,
            flags: v2::INITIATOR,
            message_id: 0,
        };
        let source = SocketAddr::from((Ipv4Addr::from(0x0a00_0000 | number), 500));
        let destination = SocketAddr::from(([198, 51, 100, 200], 500));
        let ip = Ip { source: source.ip(), destination: destination.ip(), id: number as u16, ttl: 64 };
        let datagram = packet::udp(source, destination, &header.message(&[v2::nonce(32, 2)]));
        capture.record(begins + u64::from(number) * 1_000_000, &ip.packet(packet::UDP, &datagram));
    }
    capture
}

/// The only finding with this id.
fn finding<'a>(report: &'a Report, id: &str) -> &'a Finding {
    let mut all = report.findings.iter().filter(|finding| finding.id == id);
    let finding = all.next().unwrap_or_else(|| panic!("{id} is not among {:?}", report.findings));
    assert!(all.next().is_none(), "{id} is there twice");
    finding
}

fn is_doubted(finding: &Finding, what: &str) {
    let settle = finding.settle.as_deref().unwrap_or_default();
    assert_eq!(finding.confidence, Confidence::Suspected, "{settle}");
    assert!(settle.contains(what) && settle.contains("forgotten to stay within its limits"), "{settle}");
}

#[test]
fn silence_that_began_while_pairs_were_forgotten_is_only_suspected() {
    let silence = recorded("v1-mm4-lost.pcap", START + 60_000_000_000);
    let link = |capture: Capture| capture.relink(silence.link);
    let before = silence.clone().merge(&link(flood(START)));
    let whole = report_within(&before, Limits::default());
    assert_eq!(finding(&whole, "P1-MM3-NO-REPLY").confidence, Confidence::Inferred);
    let limits = Limits { pairs: 20, ..Limits::default() };
    is_doubted(finding(&report_within(&before, limits), "P1-MM3-NO-REPLY"), " pairs were");
    // Two ends that spoke with each other before anything was forgotten are not forgotten later.
    let behind = silence.clone().merge(&link(flood(START + 120_000_000_000)));
    let report = report_within(&behind, limits);
    assert!(report.forgotten.pairs > 0);
    assert_eq!(finding(&report, "P1-MM3-NO-REPLY").confidence, Confidence::Inferred);
}

#[test]
fn what_was_said_in_clear_is_not_doubted_whatever_was_forgotten() {
    let refusal = recorded("lsw-lsw-v1-p1-mismatch.pcap", START + 60_000_000_000);
    let before = refusal.clone().merge(&flood(START).relink(refusal.link));
    let limits = Limits { pairs: 20, ..Limits::default() };
    let report = report_within(&before, limits);
    assert!(report.forgotten.pairs > 0);
    assert_eq!(finding(&report, "P1-PROPOSAL").confidence, Confidence::Stated);
}

#[test]
fn a_direction_without_traffic_is_doubted_where_its_own_flows_were_forgotten() {
    let tunnel = main_mode_psk().quick_mode().traffic(60).capture();
    let one = report_within(&tunnel, Limits { flows: 1, ..Limits::default() });
    assert_eq!((one.esp_flows.len(), one.forgotten.flows > 0), (1, true));
    for finding in one.findings.iter().filter(|finding| finding.id.starts_with("T-")) {
        is_doubted(finding, "flow");
    }
    // Flows of others were forgotten, and its own are all there.
    let blocked = recorded("v1-esp-blocked-oneway.pcap", START);
    let mut strays = Capture::new();
    for number in 0..50_u32 {
        let ip = Ip {
            source: Ipv4Addr::from(0x0a00_0000 | number).into(),
            destination: Ipv4Addr::new(198, 51, 100, 200).into(),
            id: number as u16,
            ttl: 64,
        };
        strays.record(START + 600_000_000_000, &ip.packet(packet::ESP, &packet::esp(0x1000 + number, 1, &[7; 40])));
    }
    let report =
        report_within(&blocked.clone().merge(&strays.relink(blocked.link)), Limits { flows: 8, ..Limits::default() });
    assert!(report.forgotten.flows > 0);
    assert_eq!(finding(&report, "T-ONEWAY").confidence, Confidence::Stated);
}

/// Every limit made small, alone, in sizes that let more and more through.
fn narrow() -> Vec<(String, Limits)> {
    let mut all = Vec::new();
    for most in [0, 1, 2, 3, 4, 5, 6, 8, 10, 14, 20, 30] {
        let limits = Limits::default();
        let of_kind = [
            ("pairs", Limits { pairs: most, ..limits }),
            ("attempts", Limits { attempts: most, ..limits }),
            ("attempts_a_pair", Limits { attempts_a_pair: most, ..limits }),
            ("octets", Limits { octets: most * 500, ..limits }),
            ("flows", Limits { flows: most, ..limits }),
            ("messages_an_attempt", Limits { messages_an_attempt: most, ..limits }),
            ("repeats_a_message", Limits { repeats_a_message: most, ..limits }),
            ("reassemblies", Limits { reassemblies: most, ..limits }),
            ("reassembly_octets", Limits { reassembly_octets: most * 200, ..limits }),
            ("streams", Limits { streams: most, ..limits }),
            ("icmp_errors", Limits { icmp_errors: most, ..limits }),
            ("working", Limits { working: most, ..limits }),
        ];
        all.extend(of_kind.map(|(name, limits)| (format!("{name} {most}"), limits)));
    }
    all
}

#[test]
fn a_run_that_forgets_claims_no_more() {
    let mut wrong = Vec::new();
    let narrow = narrow();
    for sample in samples::all().iter().filter(|sample| sample.healthy) {
        let whole = report_within(&sample.capture, Limits::default());
        let known =
            |id: &str, severity| whole.findings.iter().any(|found| found.id == id && found.severity >= severity);
        for (name, limits) in &narrow {
            let report = report_within(&sample.capture, *limits);
            let loud = report.findings.iter().filter(|found| found.severity >= Severity::Warning);
            let new = loud.filter(|found| !known(found.id, found.severity));
            wrong.extend(new.map(|found| {
                format!("{} with {name}: {:?} {} {:?}", sample.name, found.severity, found.id, found.confidence)
            }));
        }
    }
    nothing_wrong(&wrong);
}
