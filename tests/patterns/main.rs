//! Every failure pattern on trial: found where it is, silent where something merely looks like it, and on all that is
//! healthy.
//!
//! One file a stage of the catalogue, each with its `TRIALS`; a new pattern takes a line there.
//! `docs/patterns-tried.md` is written from them: `IKESCOPE_BLESS=1 cargo test --test patterns` writes it anew.
//!
//! Not here: what real captures are judged to be (`tests/verdicts.rs`).

#[path = "../support/mod.rs"]
mod support;

mod capture;
mod fragments;
mod gates;
mod healthy;
mod ikev2;
mod late;
mod life_cycle;
mod malformed;
mod normal;
mod path;
mod phase1;
mod phase2;
mod roles;
mod security;
mod table;
mod traffic;
mod trial;

use std::collections::BTreeSet;

use ikescope::diagnose::pattern::Stage;
use ikescope::diagnose::patterns::{CATALOGUE, by_id};
use ikescope::diagnose::{Finding, Severity, Verdict};

use trial::Trial;

/// All trials, by stage.
const STAGES: &[(Stage, &[Trial])] = &[
    (Stage::Capture, capture::TRIALS),
    (Stage::Phase1, phase1::TRIALS),
    (Stage::Phase2, phase2::TRIALS),
    (Stage::IkeV2, ikev2::TRIALS),
    (Stage::Path, path::TRIALS),
    (Stage::Fragments, fragments::TRIALS),
    (Stage::Traffic, traffic::TRIALS),
    (Stage::LifeCycle, life_cycle::TRIALS),
    (Stage::Security, security::TRIALS),
    (Stage::Malformed, malformed::TRIALS),
    (Stage::Normal, normal::TRIALS),
];

fn trials() -> impl Iterator<Item = &'static Trial> {
    STAGES.iter().flat_map(|(_, trials)| *trials)
}

/// Fails with everything that is wrong, a line each.
fn expect_none(wrong: &[String]) {
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_pattern_is_found_where_it_is() {
    let mut wrong = Vec::new();
    for trial in trials() {
        let raised = trial.positive.raises();
        let loud = by_id(trial.id).map(|pattern| pattern.severity).filter(|severity| *severity >= Severity::Warning);
        match raised.iter().find(|(id, _)| *id == trial.id) {
            Some((_, severity)) if loud.is_none_or(|loud| loud == *severity) => {}
            Some((_, severity)) => wrong.push(format!("{}: only as {severity:?}", trial.id)),
            None => wrong.push(format!("{}: not in {}, which raises {raised:?}", trial.id, trial.positive.name())),
        }
    }
    expect_none(&wrong);
}

#[test]
fn every_pattern_is_silent_on_its_near_miss() {
    let mut wrong = Vec::new();
    for trial in trials() {
        if trial.near_miss.raises().iter().any(|(id, _)| *id == trial.id) {
            wrong.push(format!("{}: in {} too", trial.id, trial.near_miss.name()));
        }
    }
    expect_none(&wrong);
}

#[test]
fn healthy_stories_raise_no_alarm_and_end_well() {
    let mut wrong = Vec::new();
    for (name, story) in healthy::STORIES {
        let analysis = trial::judge(&story());
        let alarms = trial::alarms(&analysis);
        if !alarms.is_empty() {
            wrong.push(format!("{name}: {alarms:?}"));
        }
        if trial::is_up(&analysis) == healthy::NOT_UP.contains(name) {
            let pair = analysis.diagnosis.pairs().last();
            wrong.push(format!("{name}: {:?}", pair.map(|pair| (pair.status, pair.verdict.map(Verdict::id)))));
        }
    }
    expect_none(&wrong);
}

#[test]
fn a_flood_from_many_addresses_is_one_finding() {
    let analysis = trial::judge(&security::flood_of_many());
    let floods: Vec<_> =
        analysis.diagnosis.findings(&analysis.facts).filter(|finding| finding.id() == "S-HALFOPEN").collect();
    assert_eq!(floods.len(), 1);
    assert_eq!(floods[0].pair, None);
    assert!(floods[0].seen.starts_with("39 addresses"), "{}", floods[0].seen);
    // what each of them left open follows from it
    assert_eq!(trial::alarms(&analysis), ["S-HALFOPEN"]);
    let left_open = |id| matches!(id, "P1-MM2-NO-MM3" | "V2-INIT-NO-AUTH");
    let others: Vec<_> =
        analysis.diagnosis.findings(&analysis.facts).filter(|finding| left_open(finding.id())).collect();
    let follows =
        |finding: &Finding| finding.consequence_of == Some("S-HALFOPEN") && finding.severity == Severity::Notice;
    assert!(!others.is_empty() && others.iter().all(follows), "{others:?}");
    let verdicts: BTreeSet<_> = analysis.diagnosis.pairs().filter_map(|pair| pair.verdict.map(Verdict::id)).collect();
    assert!(!verdicts.contains("P1-MM2-NO-MM3") && !verdicts.contains("V2-INIT-NO-AUTH"), "{verdicts:?}");
}

#[test]
fn trials_are_filed_by_stage_and_once() {
    let mut wrong = Vec::new();
    let mut known = BTreeSet::new();
    for (stage, trials) in STAGES {
        for Trial { id, .. } in *trials {
            match by_id(id) {
                Some(pattern) if pattern.stage != *stage => wrong.push(format!("{id}: belongs to {:?}", pattern.stage)),
                Some(_) if !known.insert(id) => wrong.push(format!("{id}: tried twice")),
                Some(_) => {}
                None => wrong.push(format!("{id}: no such pattern")),
            }
        }
    }
    expect_none(&wrong);
}

#[test]
fn checks_and_log_lines_are_about_causes_that_there_are() {
    let mut wrong = Vec::new();
    for pattern in CATALOGUE {
        let about = pattern.checks.iter().map(|check| check.about).chain(pattern.logs.iter().map(|log| log.about));
        for key in about.flatten() {
            if !pattern.causes.iter().any(|cause| cause.key == *key) {
                wrong.push(format!("{}: no cause {key}", pattern.id));
            }
        }
        let checked = |key| pattern.checks.iter().any(|check| check.about.is_empty() || check.about.contains(key));
        for cause in pattern.causes.iter().filter(|cause| !pattern.checks.is_empty() && !checked(&cause.key)) {
            wrong.push(format!("{}: of {} there is nothing to check", pattern.id, cause.key));
        }
    }
    expect_none(&wrong);
}

#[test]
fn every_pattern_is_tried() {
    let tried: BTreeSet<&str> = trials().map(|trial| trial.id).collect();
    let missing: Vec<String> =
        CATALOGUE.iter().filter(|pattern| !tried.contains(pattern.id)).map(|pattern| pattern.id.to_owned()).collect();
    expect_none(&missing);
}

#[test]
fn the_table_of_trials_is_up_to_date() {
    table::compare(&table::write(&trials().collect::<Vec<_>>()));
}
