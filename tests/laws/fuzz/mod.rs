//! Laws that hold for any octets: what the fuzz targets run, and what the tests replay on the octets that were kept.
//!
//! | law | octets are |
//! |---|---|
//! | [`capture`] | a capture file of any format |
//! | [`frame`] | a link type and one frame |
//! | [`message`] | an ISAKMP message of either version |
//! | [`reassembly`] | a script: a datagram and the pieces it comes in, or pieces that contradict each other |
//! | [`track`] | a script: datagrams of every kind, with addresses and times |
//! | [`report`] | a capture file, taken all the way to its report |
//!
//! Not here: anything of a fuzzer, so that `cargo test` needs none. Contract: `hold` returns, or panics with the law that
//! was broken.

pub mod capture;
pub mod frame;
pub mod message;
pub mod reassembly;
pub mod report;
pub mod track;

pub mod craft;
mod plain;
mod script;
mod seen;

/// A law: returns if the octets keep it.
pub type Law = fn(&[u8]);

/// Every law by the name of its fuzz target.
pub const ALL: [(&str, Law); 6] = [
    ("capture", capture::hold),
    ("frame", frame::hold),
    ("message", message::hold),
    ("reassembly", reassembly::hold),
    ("track", track::hold),
    ("report", report::hold),
];
