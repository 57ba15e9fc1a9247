//! Who sees less never claims more.
//!
//! A capture is cut short, started late, or reduced to one direction. Then, for every pair of addresses:
//!
//! 1. Its verdict is no *error*, unless
//!    - the whole capture holds the same finding about the same addresses with at least the same confidence, at whatever
//!      severity: what is over later was an error all the same as long as it lasted; or
//!    - it is only *suspected*, and says what would settle it. From the first message alone, repeated, silence cannot be
//!      told from answers that were not captured; and the second of two refusals is what turns a suspicion into another.
//! 2. If the whole capture shows nothing but healthy tunnels, no *error* and no *warning* appears that the whole one does
//!    not have, suspected or not. Findings about the capture (`C-…`) may: they say that something is missing.
//!
//! Of a healthy tunnel one message is missing in the middle. Then nothing louder than *suspected* is said of it, and if it carries
//! traffic, it is up.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use ikescope::diagnose::{Confidence, PairStatus, Severity};
use ikescope::report::Report;

use crate::bench::{nothing_wrong, report};
use crate::samples::{self, Sample};
use crate::support::Capture;

/// Two addresses, the lower one first.
type Ends = (IpAddr, IpAddr);

fn ends(report: &Report, pair: usize) -> Ends {
    let pair = report.pair(pair).expect("a pair of the report");
    (pair.a.min(pair.b), pair.a.max(pair.b))
}

/// What a report claims about each pair: ids, each with its highest confidence and severity.
fn claims(report: &Report) -> BTreeMap<(Ends, &'static str), (Confidence, Severity)> {
    let mut claims = BTreeMap::new();
    for finding in &report.findings {
        let Some(pair) = finding.pair else { continue };
        let claim = claims.entry((ends(report, pair), finding.id)).or_insert((finding.confidence, finding.severity));
        *claim = (claim.0.max(finding.confidence), claim.1.max(finding.severity));
    }
    claims
}

/// What the report of a part claims and that of the whole does not; of healthy tunnels, with `at_least` this confidence.
fn excess(whole: &Report, part: &Report, healthy: Option<Confidence>) -> Vec<String> {
    let known = claims(whole);
    let mut excess = Vec::new();
    for pair in &part.pairs {
        let Some(verdict) = pair.verdict.and_then(|verdict| part.verdict_finding(pair.id, verdict)) else { continue };
        let in_whole = known.get(&(ends(part, pair.id), verdict.id));
        let is_known = in_whole.is_some_and(|known| known.0 >= verdict.confidence);
        let is_open = verdict.confidence == Confidence::Suspected && verdict.settle.is_some();
        if verdict.severity == Severity::Error && !is_known && !is_open {
            excess.push(format!("verdict {} {:?}, whole: {in_whole:?}", verdict.id, verdict.confidence));
        }
    }
    if let Some(at_least) = healthy {
        let loud: BTreeSet<_> =
            known.iter().filter(|(_, claim)| claim.1 >= Severity::Warning).map(|(key, _)| key.1).collect();
        for finding in &part.findings {
            let claims = finding.severity >= Severity::Warning && finding.confidence >= at_least;
            if claims && !finding.id.starts_with("C-") && !loud.contains(finding.id) {
                excess.push(format!(
                    "{:?} {} {:?} on a healthy tunnel",
                    finding.severity, finding.id, finding.confidence
                ));
            }
        }
    }
    excess
}

/// Frames in which a message ended, repeats included.
fn message_frames(report: &Report) -> BTreeSet<usize> {
    let messages = report.exchanges.iter().flat_map(|exchange| &exchange.messages);
    messages
        .flat_map(|message| std::iter::once(message.frame).chain(message.retransmissions.iter().map(|copy| copy.frame)))
        .map(|frame| frame as usize)
        .collect()
}

/// How many frames come before each cut: at quarters of the time, and behind every message.
fn cuts(capture: &Capture, whole: &Report) -> BTreeSet<usize> {
    let (first, last) = (capture.frames[0].at, capture.frames[capture.frames.len() - 1].at);
    let quarters = [1, 2, 3].map(|quarter| {
        let end = first + (last - first) / 4 * quarter;
        capture.frames.iter().filter(|frame| frame.at <= end).count()
    });
    let mut cuts = message_frames(whole);
    cuts.extend(quarters);
    cuts
}

/// Tries parts of every sample, each under a name.
fn try_parts(parts: impl Fn(&Sample, &Report) -> Vec<(String, Capture)>) {
    let mut wrong = Vec::new();
    for sample in samples::all() {
        let whole = report(sample.capture.pcap());
        for (name, part) in parts(&sample, &whole) {
            let healthy = sample.healthy.then_some(Confidence::Suspected);
            let excess = excess(&whole, &report(part.pcap()), healthy);
            wrong.extend(excess.into_iter().map(|excess| format!("{} {name}: {excess}", sample.name)));
        }
    }
    nothing_wrong(&wrong);
}

#[test]
fn a_capture_cut_short_claims_no_more() {
    try_parts(|sample, whole| {
        let cut = |count| (format!("up to frame {count}"), sample.capture.clone().first(count));
        cuts(&sample.capture, whole).into_iter().map(cut).collect()
    });
}

#[test]
fn a_capture_started_late_claims_no_more() {
    try_parts(|sample, whole| {
        let cut = |count| (format!("without the first {count} frames"), sample.capture.clone().skip(count));
        cuts(&sample.capture, whole).into_iter().map(cut).collect()
    });
}

#[test]
fn one_direction_claims_no_more() {
    try_parts(|sample, whole| {
        let senders: BTreeSet<IpAddr> = whole.pairs.iter().flat_map(|pair| [pair.a, pair.b]).collect();
        senders.into_iter().map(|ip| (format!("only from {ip}"), sample.capture.clone().only_from(ip))).collect()
    });
}

#[test]
fn a_message_that_was_not_recorded_is_no_certain_alarm() {
    let mut wrong = Vec::new();
    for sample in samples::all().into_iter().filter(|sample| sample.healthy) {
        let whole = report(sample.capture.pcap());
        for frame in message_frames(&whole) {
            let part = report(sample.capture.clone().without(&[frame]).pcap());
            let mut excess = excess(&whole, &part, Some(Confidence::Inferred));
            for pair in whole.pairs.iter().filter(|pair| pair.status == PairStatus::UpActive) {
                let known = part.pairs.iter().find(|known| (known.a, known.b) == (pair.a, pair.b));
                let other = known.filter(|known| known.status != pair.status);
                excess.extend(other.map(|other| format!("{:?} is {:?}", pair.status, other.status)));
            }
            wrong.extend(excess.into_iter().map(|excess| format!("{} without frame {frame}: {excess}", sample.name)));
        }
    }
    nothing_wrong(&wrong);
}
