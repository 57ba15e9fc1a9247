//! The layers stay layers: every `crate::` path in `src` leads to a module that its own may know. And `unsafe` stays in
//! the one file that cannot do without.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What each module may name, besides itself.
fn allowed() -> BTreeMap<&'static str, Vec<&'static str>> {
    BTreeMap::from([
        ("base", vec![]),
        ("capture", vec!["base"]),
        ("packet", vec!["base", "capture"]),
        ("isakmp", vec!["base"]),
        ("track", vec!["base", "packet", "isakmp"]),
        ("diagnose", vec!["base", "packet", "isakmp", "track"]),
        ("report", vec!["base", "capture", "packet", "isakmp", "track", "diagnose"]),
        ("messages", vec!["base", "packet", "isakmp", "track", "report"]),
        ("tui", vec!["base", "packet", "isakmp", "track", "diagnose", "report"]),
        ("pipeline", vec!["base", "capture", "packet", "isakmp", "track", "diagnose", "report"]),
        (
            "cli",
            vec!["base", "capture", "packet", "isakmp", "track", "diagnose", "report", "messages", "pipeline", "tui"],
        ),
    ])
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_path_leads_down() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    let allowed = allowed();
    let mut wrong = Vec::new();
    for file in &files {
        let relative = file.strip_prefix(&src).unwrap();
        let module = relative.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if module == "lib" || module == "main" {
            continue;
        }
        let may = allowed.get(module).unwrap_or_else(|| panic!("module {module} has no place in the layers"));
        let text = fs::read_to_string(file).unwrap();
        // Tests may look anywhere.
        let code = text.split("#[cfg(test)]").next().unwrap();
        for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
            for path in line.split("crate::").skip(1) {
                let target: String = path.chars().take_while(|&c| c.is_alphanumeric() || c == '_').collect();
                if target != module && !may.contains(&target.as_str()) && allowed.contains_key(target.as_str()) {
                    wrong.push(format!("{}: {module} names {target}", relative.display()));
                }
            }
        }
    }
    assert!(files.len() > 20, "the sources were not found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The files that may be unsafe: one calls a C library that is loaded at run time, one looks at files in memory.
const UNSAFE: [&str; 2] = ["src/capture/live/library.rs", "src/capture/map.rs"];

/// Words of a line of code, without what a comment or a string says.
fn words(line: &str) -> impl Iterator<Item = &str> {
    let code = line.split("//").next().unwrap_or_default();
    let outside = code.split('"').step_by(2);
    outside.flat_map(|code| code.split(|c: char| !c.is_alphanumeric() && c != '_'))
}

#[test]
fn unsafe_stands_in_two_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = vec![root.join("build.rs")];
    for folder in ["src", "tests", "benches", "fuzz/src", "fuzz/fuzz_targets", "fuzz/examples"] {
        sources(&root.join(folder), &mut files);
    }
    let holds = |file: &Path, word: &str| {
        let text = fs::read_to_string(file).unwrap();
        text.lines().flat_map(words).any(|found| found == word)
    };
    let relative = |file: &Path| file.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
    for word in ["unsafe", "unsafe_code"] {
        let mut found: Vec<String> = files.iter().filter(|file| holds(file, word)).map(|file| relative(file)).collect();
        found.sort();
        assert_eq!(found, UNSAFE, "`{word}` in code");
    }
    let manifest = fs::read_to_string(root.join("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""), "the lint that keeps it so is on");
    assert!(manifest.contains("overflow-checks = true"), "arithmetic is checked in what users run");
}
