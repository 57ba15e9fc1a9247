//! The captures that are kept in the repository, and what keeps them equal to what makes them.

use std::fmt::Write as _;
use std::path::Path;

use crate::shown::folder;

/// A committed capture and how it is made.
pub struct Made {
    /// File name; `rNN` is the row of the list of threats that it belongs to.
    pub name: &'static str,
    /// What it shows, for the list in the folder's README.
    pub shows: &'static str,
    /// Makes it.
    pub make: fn() -> Vec<u8>,
}

/// Compares a committed file with what it should be, and writes it anew where `IKESCOPE_BLESS` is set.
fn compare(path: &Path, expected: &[u8], wrong: &mut Vec<String>) {
    if std::fs::read(path).ok().as_deref() == Some(expected) {
        return;
    }
    wrong.push(path.display().to_string());
    if std::env::var_os("IKESCOPE_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("the folder can be made");
        std::fs::write(path, expected).expect("the file can be written");
    }
}

/// Compares all of them, the README included. No capture may be larger than this many octets.
pub fn compare_all(all: &[&Made], most: usize) {
    let mut wrong = Vec::new();
    let mut readme = HEAD.to_owned();
    for made in all {
        let octets = (made.make)();
        assert!(octets.len() <= most, "{}: {} octets", made.name, octets.len());
        compare(&folder().join(made.name), &octets, &mut wrong);
        let _ = writeln!(readme, "| `{}` | {} |", made.name, made.shows);
    }
    compare(&folder().join("README.md"), readme.as_bytes(), &mut wrong);
    let known: Vec<&str> = all.iter().map(|made| made.name).chain(["README.md"]).collect();
    for entry in std::fs::read_dir(folder()).expect("the folder") {
        let name = entry.expect("an entry").file_name().into_string().expect("a plain name");
        if !known.contains(&name.as_str()) {
            wrong.push(format!("{name} is made by nothing"));
        }
    }
    assert!(wrong.is_empty(), "not what the tests make (IKESCOPE_BLESS=1 writes them anew):\n{}", wrong.join("\n"));
}

const HEAD: &str = "\
# Malformed captures

Datagrams that no honest peer sends, crafted from the RFCs: each file is one row of a list of what has crashed, misled or
exhausted ISAKMP decoders and packet analyzers before. `tests/malformed` makes them, keeps them equal to what it makes
(`IKESCOPE_BLESS=1 cargo test --test malformed` writes them anew) and says what the program has to answer.

| capture | what it holds |
|---|---|
";
