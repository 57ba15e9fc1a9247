//! The verdicts on real captures: what `expectations.tsv` of each laboratory says the wire supports, from both ends.

#[path = "support/labs.rs"]
mod labs;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use ikescope::capture::Captures;
use ikescope::diagnose::{Severity, Verdict};
use ikescope::pipeline::{self, Analysis};

use labs::LABS;

struct Expectation {
    capture: PathBuf,
    healthy: bool,
    accept: BTreeSet<String>,
    allow: BTreeSet<String>,
}

fn words(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Every capture with its row; the responder's side too, where there is something to judge.
fn expectations() -> Vec<Expectation> {
    let captures = Path::new(env!("CARGO_MANIFEST_DIR")).join("captures");
    LABS.iter().flat_map(|lab| expectations_of(&captures.join(lab))).collect()
}

fn expectations_of(lab: &Path) -> Vec<Expectation> {
    let table = std::fs::read_to_string(lab.join("expectations.tsv")).unwrap();
    let mut rows = table.lines();
    let head: Vec<&str> = rows.next().unwrap().split('\t').collect();
    let column = |name: &str| head.iter().position(|&column| column == name).unwrap();
    let (scenario, kind, accept, far, allow) =
        (column("scenario"), column("kind"), column("accept"), column("accept_far"), column("allow"));
    let mut expectations = Vec::new();
    for row in rows {
        let cell: Vec<&str> = row.split('\t').collect();
        expectations.push(Expectation {
            capture: lab.join(format!("{}.pcap", cell[scenario])),
            healthy: cell[kind] == "healthy",
            accept: words(cell[accept]),
            allow: words(cell[allow]),
        });
        if cell[far] != "-" {
            expectations.push(Expectation {
                capture: lab.join(format!("{}.rside.pcap", cell[scenario])),
                healthy: cell[kind] == "healthy" || cell[far].starts_with("OK"),
                accept: words(cell[far]),
                allow: &words(cell[allow]) | &words(cell[accept]),
            });
        }
    }
    expectations
}

fn analyze(path: &Path) -> Analysis {
    let mut captures = Captures::open(&[path.to_owned()]);
    let analysis = pipeline::analyze(&mut captures, &pipeline::Options::default(), &mut ());
    assert!(captures.errors().is_empty(), "{:?}", captures.errors());
    analysis
}

fn loud(analysis: &Analysis, least: Severity) -> BTreeSet<String> {
    analysis
        .diagnosis
        .findings(&analysis.facts)
        .filter(|finding| finding.severity >= least)
        .map(|finding| finding.id().to_owned())
        .collect()
}

#[test]
fn every_capture_gets_a_verdict_that_the_wire_supports() {
    let mut wrong = Vec::new();
    for expected in expectations() {
        let analysis = analyze(&expected.capture);
        for (pair, facts) in analysis.diagnosis.pairs().zip(analysis.facts.pairs.iter()) {
            if !facts.attempts.is_empty() && !pair.verdict.is_some_and(|verdict| expected.accept.contains(verdict.id()))
            {
                let name = expected.capture.file_name().unwrap().to_string_lossy();
                wrong.push(format!(
                    "{name}: {:?}, expected one of {:?}",
                    pair.verdict.map(Verdict::id),
                    expected.accept
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn healthy_tunnels_raise_no_alarm() {
    let mut wrong = Vec::new();
    for expected in expectations().into_iter().filter(|expected| expected.healthy) {
        let raised = loud(&analyze(&expected.capture), Severity::Warning);
        let alarms: Vec<_> = raised.difference(&(&expected.allow | &expected.accept)).cloned().collect();
        if !alarms.is_empty() {
            wrong.push(format!("{}: {alarms:?}", expected.capture.display()));
        }
    }
    assert!(wrong.is_empty(), "{} false alarms:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn failing_tunnels_raise_no_more_errors_than_the_wire_supports() {
    let mut wrong = Vec::new();
    for expected in expectations().into_iter().filter(|expected| !expected.healthy) {
        let raised = loud(&analyze(&expected.capture), Severity::Error);
        let claims: Vec<_> = raised.difference(&(&expected.allow | &expected.accept)).cloned().collect();
        if !claims.is_empty() {
            wrong.push(format!("{}: {claims:?}", expected.capture.display()));
        }
    }
    assert!(wrong.is_empty(), "{} over-claims:\n{}", wrong.len(), wrong.join("\n"));
}
