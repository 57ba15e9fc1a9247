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
//! | [`survival`] | no octets at all make it panic, hang or write broken JSON |
//!
//! The law that no number of threads changes a report needs none here: a report is made by one.

#[path = "../support/mod.rs"]
mod support;

mod again;
mod bench;
mod certainty;
mod container;
mod prefix;
mod rest;
mod samples;
mod survival;
mod time;
