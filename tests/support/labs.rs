//! The laboratories whose captures have an `expectations.tsv`.

/// Their folders below `captures`.
pub const LABS: [&str; 11] = [
    "lab",
    "second-lab",
    "third-lab",
    "fourth-lab",
    "fifth-lab",
    "sixth-lab",
    "seventh-lab",
    "eighth-lab",
    "ninth-lab",
    "tenth-lab",
    "eleventh-lab",
];
