//! The README tells the truth: every command shown in it is run, and prints what it shows.
//!
//! `IKESCOPE_BLESS=1 cargo test --test readme` writes the real output into the README.

use std::path::Path;
use std::process::Command;

/// Runs a line such as `ikescope --help` where the README stands.
fn run(root: &Path, line: &str) -> String {
    let mut words = line.split_whitespace();
    assert_eq!(words.next(), Some("ikescope"), "only ikescope is run: {line}");
    let output = Command::new(env!("CARGO_BIN_EXE_ikescope"))
        .args(words)
        .current_dir(root)
        .env("COLUMNS", "100")
        .env_remove("IKESCOPE_BLESS")
        .output()
        .unwrap();
    assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The README with the output of each `console` block as it really is.
fn real(root: &Path, readme: &str) -> String {
    let mut out = String::new();
    let mut lines = readme.lines();
    while let Some(line) = lines.next() {
        out.push_str(line);
        out.push('\n');
        if line != "```console" {
            continue;
        }
        for inside in lines.by_ref() {
            if let Some(command) = inside.strip_prefix("$ ") {
                out.push_str(inside);
                out.push('\n');
                out.push_str(&run(root, command));
            }
            if inside == "```" {
                out.push_str("```\n");
                break;
            }
        }
    }
    out
}

#[test]
fn every_output_shown_is_real() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("README.md");
    let readme = std::fs::read_to_string(&path).unwrap();
    let real = real(root, &readme);
    assert!(real.matches("\n$ ikescope").count() >= 3, "the README shows too little");
    if std::env::var_os("IKESCOPE_BLESS").is_some() {
        std::fs::write(&path, &real).unwrap();
        return;
    }
    for (number, (shown, is)) in readme.lines().zip(real.lines()).enumerate() {
        assert_eq!(shown, is, "README.md line {}", number + 1);
    }
    assert_eq!(readme.len(), real.len());
}

#[test]
fn the_set_up_commands_are_those_that_ci_runs() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("README.md")).unwrap();
    let ci = std::fs::read_to_string(root.join(".ci/run")).unwrap();
    let commands: Vec<&str> = readme.lines().filter_map(|line| line.strip_prefix("    cargo ")).collect();
    assert_eq!(commands.len(), 2, "{commands:?}");
    for command in commands {
        let command = format!("cargo {}", command.trim());
        assert!(ci.lines().any(|line| line == command), "{command} is not run by .ci/run");
    }
}
