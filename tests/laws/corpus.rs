//! The octets that the fuzzers kept, and those they once broke a law with, against the same laws.

use std::fs;
use std::path::Path;

use crate::fuzz;

/// Octets that may be kept in all, so that the repository stays small.
const MOST_OCTETS: u64 = 300_000;

fn replay(target: &str) {
    let (_, hold) = fuzz::ALL.iter().find(|(name, _)| *name == target).expect("a law of that name");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
    let mut files: Vec<_> =
        fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("an entry").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", folder.display());
    for file in files {
        // Printed only if the law is broken: which octets did it.
        println!("{}", file.display());
        hold(&fs::read(&file).expect("a file of the corpus"), fuzz::Asked::ALL);
    }
}

macro_rules! replays {
    ($($target:ident)*) => {
        $(
            #[test]
            fn $target() {
                replay(stringify!($target));
            }
        )*

        #[test]
        fn every_law_is_replayed() {
            let mut names: Vec<_> = fuzz::ALL.iter().map(|(name, _)| *name).collect();
            names.sort_unstable();
            let mut replayed = [$(stringify!($target)),*];
            replayed.sort_unstable();
            assert_eq!(names, replayed);
        }
    };
}

replays! { capture frame message reassembly track report }

#[test]
fn the_corpora_stay_small() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus");
    let sizes = fs::read_dir(corpus).expect("corpora").flat_map(|folder| {
        fs::read_dir(folder.expect("a corpus").path()).expect("a corpus").map(|file| {
            let file = file.expect("a file");
            let size = file.metadata().expect("a size").len();
            assert!(size <= 4096, "{} is too long to keep", file.path().display());
            size
        })
    });
    let sum: u64 = sizes.sum();
    assert!(sum <= MOST_OCTETS, "{sum} octets of corpora");
}
