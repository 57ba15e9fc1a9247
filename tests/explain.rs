//! `ikescope explain` as people and scripts meet it.

use std::fs;
use std::path::PathBuf;

use assert_cmd::Command;
use ikescope::diagnose::patterns::CATALOGUE;
use predicates::prelude::*;
use predicates::str::{contains, is_empty, starts_with};
use serde_json::Value;

fn explain(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("ikescope").unwrap();
    command.arg("explain").args(arguments).env_remove("NO_COLOR").env_remove("CLICOLOR_FORCE").env_remove("COLUMNS");
    command
}

fn stdout(arguments: &[&str]) -> String {
    String::from_utf8(explain(arguments).assert().success().get_output().stdout.clone()).unwrap()
}

fn json(arguments: &[&str]) -> Value {
    serde_json::from_str(&stdout(&[arguments, &["--format", "json"]].concat())).unwrap()
}

#[test]
fn without_an_argument_the_catalogue_is_listed() {
    let text = stdout(&[]);
    for pattern in CATALOGUE {
        let listed = text.lines().filter(|line| line.split_whitespace().nth(1) == Some(pattern.id)).count();
        assert_eq!(listed, 1, "{}", pattern.id);
    }
    assert!(text.contains("\nIKEv1 phase 1\n"));
    assert!(text.lines().all(|line| line.chars().count() <= 80));
    assert!(!text.contains('\x1b'));
}

#[test]
fn a_page_is_found_by_its_id_however_it_is_written() {
    let page = stdout(&["P1-NO-REPLY"]);
    assert!(page.starts_with("P1-NO-REPLY: "));
    for arguments in [&["p1-no-reply"][..], &["p1", "no", "reply"], &["error[P1-NO-REPLY]: the first message"]] {
        assert_eq!(stdout(arguments), page);
    }
    let both = stdout(&["P1-NO-REPLY", "OK-UP"]);
    assert!(both.starts_with(&page) && both.contains("\nOK-UP: "));
}

#[test]
fn a_page_as_json_has_all_that_the_text_has() {
    let page = json(&["P1-PROPOSAL"]);
    assert_eq!(page["id"], "P1-PROPOSAL");
    assert_eq!(page["severity"], "error");
    assert_eq!(page["stage"], "phase1");
    assert!(page["prose"].as_str().unwrap().starts_with("## What is seen\n\nMessage 1,"));
    let weight: f64 = page["causes"].as_array().unwrap().iter().map(|cause| cause["prior"].as_f64().unwrap()).sum();
    assert!((weight - 1.0).abs() < 0.01);
    assert_eq!(page["checks"][0]["side"], "responder");
    assert_eq!(page["logs"][0]["source"], "SMG-15");
    assert!(page["sources"].as_array().unwrap().iter().any(|source| source == "PIX-07"));
}

#[test]
fn the_causes_of_a_pattern_share_what_is_likely() {
    let wrong: Vec<(&str, f64)> = CATALOGUE
        .iter()
        .map(|pattern| (pattern.id, pattern.causes.iter().map(|cause| f64::from(cause.prior)).sum::<f64>()))
        .filter(|(_, sum)| (sum - 1.0).abs() > 0.001 && *sum > 0.0)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}");
}

#[test]
fn the_catalogue_as_json_is_all_pages() {
    let pages = json(&[]);
    let ids: Vec<&str> = pages.as_array().unwrap().iter().map(|page| page["id"].as_str().unwrap()).collect();
    assert_eq!(ids, CATALOGUE.iter().map(|pattern| pattern.id).collect::<Vec<_>>());
}

#[test]
fn markdown_is_what_stands_in_docs() {
    let docs =
        |path: &str| fs::read_to_string(PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs").join(path)).unwrap();
    assert_eq!(stdout(&["--format", "markdown", "ok-up"]), docs("patterns/OK-UP.md"));
    assert_eq!(stdout(&["--format", "markdown"]), docs("patterns/README.md"));
}

#[test]
fn a_log_line_leads_to_its_page() {
    let text = stdout(&["Jun  1 10:11:12 pix ISAKMP (0:7): no offers accepted!"]);
    assert!(text.starts_with("Cisco PIX  \"ISAKMP (0:1); no offers accepted!\" (PIX-07)\nE P1-PROPOSAL "), "{text}");
    assert!(text.contains("\nP1-PROPOSAL: the responder refused every phase 1 proposal\n"));
    let answer = json(&["no", "offers", "accepted"]);
    assert_eq!(answer["matches"][0]["sources"][0], "PIX-07");
    assert_eq!(answer["matches"][0]["patterns"][0], "P1-PROPOSAL");
    assert_eq!(answer["page"]["id"], "P1-PROPOSAL");
}

#[test]
fn a_row_of_a_source_document_leads_to_its_page() {
    let text = stdout(&["s2s-12"]);
    assert!(text.starts_with("Cisco ASA  \"MM_WAIT_MSG2\", wrong address of the remote gateway (S2S-12)\n"), "{text}");
    assert!(text.contains("\nP1-NO-REPLY: "));
    assert!(stdout(&["PIX-20"]).contains("says nothing about the tunnel"));
}

#[test]
fn where_no_line_is_like_it_the_nearest_are_named_as_such() {
    let line = "Phase 1 failed due to mismatched Pre-shared key";
    let said = "No log line is known that is like it; the nearest are:\n\n";
    explain(&[line]).assert().code(2).stdout(starts_with(said).and(contains("P1-PSK")));
    explain(&[line, "--format", "markdown"]).assert().code(2).stdout(starts_with(said));
    let answer = explain(&[line, "--format", "json"]).assert().code(2).get_output().stdout.clone();
    let answer: Value = serde_json::from_slice(&answer).unwrap();
    assert_eq!((&answer["known"], &answer["page"]), (&Value::Bool(false), &Value::Null));
    assert_eq!(json(&["no offers accepted"])["known"], true);
}

#[test]
fn the_beginning_of_an_id_lists_its_family() {
    let text = stdout(&["n-icmp"]);
    assert!(text.lines().count() >= 3 && text.lines().all(|line| line.contains(" N-ICMP-")), "{text}");
}

#[test]
fn what_is_not_known_is_status_2_and_says_what_may_be_meant() {
    let wrong = |arguments: &[&str], said: &str| {
        explain(arguments).assert().code(2).stdout(is_empty()).stderr(starts_with("ikescope: ").and(contains(said)));
    };
    wrong(&["P1-NO-REPLAY"], "did you mean P1-NO-REPLY?");
    wrong(&["sshd: accepted password for root"], "ikescope explain lists the findings");
    wrong(&["\x1b[2Jbanana"], "\\x1b[2Jbanana");
}

#[test]
fn colours_come_only_when_asked_for() {
    assert!(stdout(&["OK-UP", "--color", "always"]).contains('\x1b'));
    assert!(!stdout(&["OK-UP", "--color", "always", "--format", "markdown"]).contains('\x1b'));
}
