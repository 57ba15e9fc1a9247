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
//! was broken; the same octets are asked the same, and the tests ask everything.

use std::hash::{DefaultHasher, Hash, Hasher};

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
pub type Law = fn(&[u8], Asked);

/// How much of a law is asked. What costs much is asked of some octets only while millions of them are tried.
#[derive(Debug, Clone, Copy)]
pub struct Asked(Option<u64>);

impl Asked {
    /// Everything.
    pub const ALL: Self = Self(None);

    /// What is cheap, and of the rest what falls to these octets.
    #[allow(dead_code, reason = "only the fuzz targets ask some")]
    pub fn of(octets: &[u8]) -> Self {
        let mut hasher = DefaultHasher::new();
        octets.hash(&mut hasher);
        Self(Some(hasher.finish()))
    }

    /// Whether part `part` (0 to 7) of a law is asked, which one in `many` (at most 256) is asked.
    pub fn one_in(self, many: u64, part: u32) -> bool {
        self.0.is_none_or(|digest| (digest >> (8 * part) & 0xff).is_multiple_of(many))
    }
}

/// Every law by the name of its fuzz target.
pub const ALL: [(&str, Law); 6] = [
    ("capture", capture::hold),
    ("frame", frame::hold),
    ("message", message::hold),
    ("reassembly", reassembly::hold),
    ("track", track::hold),
    ("report", report::hold),
];
