//! No check is left out that would have found something: whatever is captured, judging by signs is judging with all checks.
//!
//! And few checks run on a healthy pair.

use std::io::Cursor;
use std::path::Path;
use std::sync::LazyLock;

use ikescope::capture::Captures;
use ikescope::diagnose::{AttemptDiagnosis, Checks, Diagnosis, PairStatus, Severity, Shares, Verdict, judge_all};
use ikescope::pipeline::{self, Options};
use ikescope::track::Facts;
use proptest::prelude::*;
use proptest::sample::Index;

use crate::healthy::STORIES;
use crate::support::story::{ikev2_psk, main_mode_psk};
use crate::support::{Capture, Side};
use crate::trials;

fn facts(file: Vec<u8>) -> Facts {
    let mut captures = Captures::from_reader("capture", Cursor::new(file));
    pipeline::follow(&mut captures, &Options::default(), &mut ()).1
}

/// All that a diagnosis says.
type Said = (
    Vec<(Option<usize>, &'static str, Severity)>,
    Vec<(PairStatus, Option<Verdict>, Vec<AttemptDiagnosis>)>,
    Vec<String>,
);

fn said(diagnosis: &Diagnosis, facts: &Facts) -> Said {
    let entries = diagnosis.entries().map(|entry| (entry.pair, entry.pattern.id, entry.severity)).collect();
    let pairs = diagnosis.pairs().map(|pair| (pair.status, pair.verdict, pair.attempts.to_vec())).collect();
    let findings = diagnosis.findings(facts).map(|finding| {
        let id = finding.id();
        format!("{id} {:?} {:?} {}", finding.consequence_of, finding.frames, finding.seen)
    });
    (entries, pairs, findings.collect())
}

/// What is kept of a finding puts it where the whole of it belongs.
fn diagnosis_is_in_order(facts: &Facts) -> bool {
    let diagnosis = judge_all(facts, Checks::Called, Shares::on(1)).0;
    let whole: Vec<_> = diagnosis.findings(facts).collect();
    whole.is_sorted_by_key(|found| {
        (std::cmp::Reverse(found.severity), found.frames.first().copied(), found.pair, found.id())
    })
}

/// What is wrong with judging this capture by its signs.
fn difference(file: Vec<u8>) -> Option<String> {
    let facts = facts(file);
    let (by_signs, all) =
        (judge_all(&facts, Checks::Called, Shares::on(1)).0, judge_all(&facts, Checks::All, Shares::on(1)).0);
    let (by_signs, all) = (said(&by_signs, &facts), said(&all, &facts));
    if by_signs.0.len() != by_signs.2.len() {
        return Some(format!("{} findings, {} can be made again", by_signs.0.len(), by_signs.2.len()));
    }
    if !diagnosis_is_in_order(&facts) {
        return Some("findings are not in order of what they turn out to be".into());
    }
    let missing: Vec<_> = all.0.iter().filter(|found| !by_signs.0.contains(found)).collect();
    (by_signs != all).then(|| format!("not found by signs: {missing:?}"))
}

/// Every recorded capture and every story, by name.
static SAMPLES: LazyLock<Vec<(String, Capture)>> = LazyLock::new(|| {
    let mut samples = Vec::new();
    let lab = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures/lab");
    for entry in std::fs::read_dir(lab).expect("the recorded captures") {
        let path = entry.expect("a file").path();
        if path.extension().is_some_and(|extension| extension == "pcap") {
            let file = std::fs::read(&path).expect("a capture");
            samples.push((path.display().to_string(), Capture::read_pcap(&file)));
        }
    }
    for evidence in trials().flat_map(|trial| [&trial.positive, &trial.near_miss]) {
        samples.extend(evidence.captures().into_iter().map(|capture| (evidence.name(), capture)));
    }
    samples.extend(STORIES.iter().map(|(name, story)| ((*name).to_owned(), story())));
    samples.retain(|(_, capture)| !capture.frames.is_empty());
    samples.sort_by(|one, other| one.0.cmp(&other.0));
    samples
});

/// The capture, cut short, started late, with holes, and one direction of it.
fn parts(capture: &Capture) -> Vec<(&'static str, Capture)> {
    let count = capture.frames.len();
    let mut parts = vec![("whole", capture.clone())];
    for cut in [1, 2, 3, 4, 5, 6, count / 4, count / 2, count * 3 / 4] {
        parts.push(("cut short", capture.clone().first(cut)));
        parts.push(("started late", capture.clone().skip(cut)));
    }
    for hole in [2, 3, 4, 5, 6, 7] {
        parts.push(("with a hole", capture.clone().without(&[hole])));
    }
    parts.push(("doubled", capture.clone().double_every_frame()));
    let whole = facts(capture.pcap());
    for (a, b) in (0..whole.pairs.len().min(3)).filter_map(|index| whole.pairs.ends(index)) {
        parts.push(("one direction", capture.clone().only_from(a)));
        parts.push(("the other direction", capture.clone().only_from(b)));
    }
    parts
}

#[test]
fn no_check_is_left_out_that_finds_something() {
    let mut wrong = Vec::new();
    for (name, capture) in SAMPLES.iter() {
        for (how, part) in parts(capture) {
            wrong.extend(difference(part.pcap()).map(|difference| format!("{name}, {how}: {difference}")));
        }
    }
    crate::expect_none(&wrong);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_octets_make_a_left_out_check_find_something(
        sample in any::<Index>(),
        other in any::<Index>(),
        changes in proptest::collection::vec((any::<Index>(), any::<Index>(), any::<u8>()), 1..12),
    ) {
        let mut capture = sample.get(&SAMPLES).1.clone();
        capture = capture.merge(&other.get(&SAMPLES).1);
        for (frame, octet, value) in &changes {
            let count = capture.frames.len();
            let data = &mut capture.frames[frame.index(count)].octets;
            if !data.is_empty() {
                let at = octet.index(data.len());
                data[at] = *value;
            }
        }
        prop_assert_eq!(difference(capture.pcap()), None);
    }
}

/// Most checks that run on a healthy pair. A new pattern without a sign of its own would run on every one of them.
const FEW: u64 = 10;

#[test]
fn few_checks_run_on_a_healthy_pair() {
    let stories = [
        ("IKEv1", main_mode_psk().quick_mode().traffic(4).capture()),
        ("IKEv1, idle", main_mode_psk().quick_mode().capture()),
        ("IKEv2", ikev2_psk().traffic(4).liveness(Side::Responder).capture()),
        ("IKEv2, idle", ikev2_psk().capture()),
    ];
    for (name, capture) in stories {
        let (_, ran) = judge_all(&facts(capture.pcap()), Checks::Called, Shares::on(1));
        assert!((1..=FEW).contains(&ran), "{name}: {ran} checks");
    }
}
