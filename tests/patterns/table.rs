//! The table of trials, `docs/patterns-tried.md`.

use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use ikescope::diagnose::patterns::CATALOGUE;

use crate::trial::Trial;

const HEAD: &str = "\
# Patterns on trial

Every pattern is tried on a capture in which it must be found and on a near miss, which looks like it and is something \
else. Names stand for files of [`captures/lab`](../captures/README.md), recorded from real daemons; crafted captures \
are told from the RFCs under `tests/patterns`. Besides, no pattern may raise an alarm on any healthy capture.

This page is generated: `IKESCOPE_BLESS=1 cargo test --test patterns`.

| pattern | found in | silent on | what tells them apart |
|---|---|---|---|
";

/// The page, in the order of the catalogue.
pub fn write(trials: &[&Trial]) -> String {
    let mut page = HEAD.to_owned();
    for pattern in CATALOGUE {
        let link = format!("[{0}](patterns/{0}.md)", pattern.id);
        if let Some(trial) = trials.iter().find(|trial| trial.id == pattern.id) {
            let (found, silent) = (trial.positive.name(), trial.near_miss.name());
            writeln!(page, "| {link} | {found} | {silent} | {} |", trial.how).unwrap();
        }
    }
    page
}

/// Holds the page against the file, or writes the file anew.
pub fn compare(page: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/patterns-tried.md");
    if env::var_os("IKESCOPE_BLESS").is_some() {
        fs::write(&path, page).unwrap();
    }
    let current = fs::read_to_string(&path).unwrap_or_default();
    assert!(current == page, "write it anew with IKESCOPE_BLESS=1 cargo test --test patterns");
}
