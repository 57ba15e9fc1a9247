//! The pages under `docs/` are the catalogue: written from it, and complete.
//!
//! `IKESCOPE_BLESS=1 cargo test --test docs` writes them anew.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{env, fs};

use ikescope::diagnose::documents::{self, UNANSWERED};
use ikescope::diagnose::patterns::{CATALOGUE, by_id};
use ikescope::report::pages::markdown;

fn docs() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs")
}

/// Every generated file with its text.
fn generated() -> BTreeMap<PathBuf, String> {
    let mut files = BTreeMap::from([
        (docs().join("documents.md"), markdown::source_documents()),
        (docs().join("patterns/README.md"), markdown::catalogue()),
    ]);
    for pattern in CATALOGUE {
        files.insert(docs().join(format!("patterns/{}.md", pattern.id)), markdown::page(pattern));
    }
    files
}

fn pages_that_are_there() -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(docs().join("patterns")).into_iter().flatten();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn the_pages_are_those_of_the_catalogue() {
    let generated = generated();
    if env::var_os("IKESCOPE_BLESS").is_some() {
        fs::create_dir_all(docs().join("patterns")).unwrap();
        for stale in pages_that_are_there().iter().filter(|path| !generated.contains_key(*path)) {
            fs::remove_file(stale).unwrap();
        }
        for (path, text) in &generated {
            fs::write(path, text).unwrap();
        }
    }
    let differs = |(path, text): &(&PathBuf, &String)| fs::read_to_string(path).ok().as_ref() != Some(*text);
    let mut wrong: Vec<_> = generated.iter().filter(differs).map(|(path, _)| path.clone()).collect();
    wrong.extend(pages_that_are_there().into_iter().filter(|path| !generated.contains_key(path)));
    assert!(wrong.is_empty(), "write them anew with IKESCOPE_BLESS=1 cargo test --test docs: {wrong:#?}");
}

#[test]
fn every_link_of_a_page_leads_somewhere() {
    let generated = generated();
    let mut links = 0;
    for (path, text) in &generated {
        for target in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            links += 1;
            let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
            let mut leads = path.parent().unwrap().to_owned();
            for step in file.split('/') {
                if step == ".." { leads = leads.parent().unwrap().to_owned() } else { leads.push(step) }
            }
            let there = generated.get(&leads).unwrap_or_else(|| panic!("{}: {target} leads nowhere", path.display()));
            let heading = |line: &str| {
                let kept = line.trim_start_matches('#').trim().to_lowercase().replace(' ', "-");
                line.starts_with('#') && kept.replace(',', "") == anchor
            };
            let found =
                anchor.is_empty() || there.contains(&format!("<a id=\"{anchor}\">")) || there.lines().any(heading);
            assert!(found, "{}: {target} has no such place", path.display());
        }
    }
    assert!(links > CATALOGUE.len(), "the pages have no links");
}

#[test]
fn a_page_names_only_rows_that_exist() {
    for pattern in CATALOGUE {
        let logged = pattern.logs.iter().flat_map(|log| log.source.split(", "));
        for source in pattern.sources.iter().copied().chain(logged) {
            let is_row = documents::DOCUMENTS
                .iter()
                .any(|document| source.strip_prefix(document.prefix).is_some_and(|number| number.starts_with('-')));
            assert!(!is_row || documents::row(source).is_some(), "{}: {source}", pattern.id);
        }
    }
}

#[test]
fn every_row_of_the_source_documents_is_answered() {
    let mut missing = Vec::new();
    for (_, row) in documents::rows() {
        let answered: Vec<&str> =
            CATALOGUE.iter().filter(|page| page.sources.contains(&row.id)).map(|page| page.id).collect();
        if answered.is_empty() && !UNANSWERED.iter().any(|(id, _)| *id == row.id) {
            missing.push(format!("{}: no page names it", row.id));
        }
        for id in row.patterns {
            match by_id(id) {
                None => missing.push(format!("{}: there is no page {id}", row.id)),
                Some(_) if !answered.contains(id) => missing.push(format!("{}: {id} does not name it", row.id)),
                Some(_) => {}
            }
        }
        if !answered.is_empty() && UNANSWERED.iter().any(|(id, _)| *id == row.id) {
            missing.push(format!("{}: {answered:?} answer what is listed as answered by none", row.id));
        }
    }
    assert!(missing.is_empty(), "{} in all:\n{}", missing.len(), missing.join("\n"));
}

#[test]
fn every_id_in_the_prose_has_a_page() {
    let families: BTreeSet<&str> = CATALOGUE.iter().filter_map(|page| page.id.split('-').next()).collect();
    let is_id = |text: &str| {
        let upper = text.chars().all(|letter| letter.is_ascii_uppercase() || letter.is_ascii_digit() || letter == '-');
        upper && text.split_once('-').is_some_and(|(family, _)| families.contains(family))
    };
    let mut missing = BTreeSet::new();
    for page in CATALOGUE {
        for code in page.prose.split('`').skip(1).step_by(2).filter(|code| is_id(code) && by_id(code).is_none()) {
            missing.insert(format!("{}: {code}", page.id));
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}
