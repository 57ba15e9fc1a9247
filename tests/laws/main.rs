//! Laws: what holds for every capture, whatever it shows.
//!
//! | law | says |
//! |---|---|
//! | [`container`] | the same frames in any file format and on any link give the same report |
//! | [`time`] | a shifted clock shifts time stamps and nothing else |
//! | [`prefix`] | what is cut off changes nothing before the cut |
//! | [`again`] | the same octets give the same octets; rotated files and frames recorded twice change no verdict |
//! | [`rest`] | pairs that are packed between any two messages are told as if they had never been |
//! | [`certainty`] | who sees less never claims more |
//! | [`stream`] | a report written row by row has the octets of the report written whole |
//! | [`ceiling`] | no capture passes the limits, and what was forgotten is counted |
//! | [`forgotten`] | what was forgotten lowers the certainty of what it may explain, and of nothing else |
//! | [`flood`] | work grows with the packets, whatever they pretend to be |
//! | [`shard`] | any number of threads gives the same octets |
//! | [`survival`] | no octets at all make it panic, hang or write broken JSON |
//! | [`fuzz`] | the laws of the fuzz targets, which [`corpus`] replays on what the fuzzers kept |

#[path = "../support/mod.rs"]
mod support;

mod again;
mod bench;
mod ceiling;
mod certainty;
mod container;
mod corpus;
mod flood;
mod forgotten;
mod fuzz;
mod prefix;
mod rest;
mod samples;
mod shard;
mod stream;
mod survival;
mod time;
