//! The layers stay layers: every `crate::` path in `src` leads to a module that its own may know.

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
