//! No capture passes the limits, and what was forgotten for them is counted.

use std::time::Duration;

use ikescope::base::Limits;
use ikescope::capture::Captures;
use ikescope::pipeline::{self, Options};
use ikescope::report::Report;
use proptest::prelude::*;

use crate::bench::report;
use crate::samples;
use crate::support::{Capture, Scenario, Side};

fn report_within(capture: &Capture, limits: Limits) -> Report {
    let mut captures = Captures::from_reader("capture", std::io::Cursor::new(capture.pcap()));
    let analysis = pipeline::analyze(&mut captures, &Options { limits, ..Options::default() }, &mut ());
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    Report::new(analysis.captures, &analysis.facts, &analysis.diagnosis)
}

fn messages(report: &Report) -> usize {
    report.exchanges.iter().map(|exchange| exchange.messages.len()).sum()
}

/// What is over a ceiling.
fn over(report: &Report, limits: &Limits) -> Vec<String> {
    let mut over = Vec::new();
    let mut check = |what: &str, count: usize, most: usize| {
        if count > most {
            over.push(format!("{count} {what} where {most} may be"));
        }
    };
    check("pairs", report.pairs.len(), limits.pairs);
    check("attempts", report.attempts.len(), limits.attempts);
    check("flows", report.esp_flows.len(), limits.flows);
    check("ICMP errors", report.icmp_errors.len(), limits.icmp_errors);
    for attempt in &report.attempts {
        let messages = report.messages_of(attempt);
        check("messages of an attempt", messages.len(), limits.messages_an_attempt);
        for (_, message) in messages {
            check("repeats of a message", message.retransmissions.len(), limits.repeats_a_message);
        }
    }
    over
}

#[test]
fn an_attempt_with_one_long_exchange_keeps_no_more_messages_than_it_may() {
    // Encrypted messages of one exchange of no known type: each is new, and there is no older exchange to forget.
    let story = (0..20_u8).fold(Scenario::new(), |story, number| {
        let mut message = [&[0x11; 8][..], &[0x22; 8], &[13, 0x10, 240, 1, 0, 0, 0, 9, 0, 0, 0, 36]].concat();
        message.extend([0, 0, 0, 8, number, number, number, number]);
        story.raw(Side::Initiator, &message)
    });
    let limits = Limits { messages_an_attempt: 6, ..Limits::default() };
    let capture = story.capture();
    let narrow = report_within(&capture, limits);
    assert_eq!(over(&narrow, &limits), Vec::<String>::new());
    let all = messages(&report(capture.pcap()));
    assert!(all > 6, "the story has more messages than may be kept: {all}");
    let forgotten: u64 = narrow.attempts.iter().map(|attempt| attempt.messages_forgotten).sum();
    assert_eq!(messages(&narrow) as u64 + forgotten, all as u64, "what is not kept is counted");
}

#[test]
fn what_does_not_fit_is_counted() {
    for sample in samples::all() {
        let whole = report(sample.capture.pcap());
        let limits = Limits { pairs: 1, attempts: 1, flows: 1, icmp_errors: 1, ..Limits::default() };
        let narrow = report_within(&sample.capture, limits);
        assert_eq!(over(&narrow, &limits), Vec::<String>::new(), "{}", sample.name);
        let forgotten = narrow.forgotten;
        let lost = (
            whole.pairs.len() > narrow.pairs.len(),
            whole.attempts.len() > narrow.attempts.len(),
            whole.esp_flows.len() > narrow.esp_flows.len(),
        );
        let told =
            (forgotten.pairs > 0, forgotten.attempts + forgotten.pairs > 0, forgotten.flows + forgotten.pairs > 0);
        for (what, lost, told) in [("pairs", lost.0, told.0), ("attempts", lost.1, told.1), ("flows", lost.2, told.2)] {
            assert!(!lost || told, "{}: {what} were forgotten and {forgotten:?} says nothing of them", sample.name);
        }
        assert_eq!(whole.captures[0].counts, narrow.captures[0].counts, "{}: every frame is counted", sample.name);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_capture_passes_any_limits(
        sample in any::<prop::sample::Index>(),
        numbers in prop::collection::vec(0_usize..12, 9),
        octets in 0_usize..4000,
        seconds in 0_u64..90,
    ) {
        let samples = samples::crafted();
        let limits = Limits {
            pairs: numbers[0],
            attempts: numbers[1],
            flows: numbers[2],
            messages_an_attempt: numbers[3],
            repeats_a_message: numbers[4],
            reassemblies: numbers[5],
            streams: numbers[6],
            icmp_errors: numbers[7],
            working: numbers[8],
            reassembly_octets: octets,
            reassembly_time: Duration::from_secs(seconds),
            ..Limits::default()
        };
        let report = report_within(&sample.get(&samples).capture, limits);
        prop_assert_eq!(over(&report, &limits), Vec::<String>::new());
    }
}
