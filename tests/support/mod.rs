//! Crafted captures: an encoder written from the RFCs, and the story that is told with it.
//!
//! | module | what it makes |
//! |---|---|
//! | [`filler`] | octets that look random and are the same on every run |
//! | [`wire`] | ISAKMP messages, IKEv1 and IKEv2 |
//! | [`packet`] | IP, UDP, TCP, ESP, AH, ICMP and DNS around them |
//! | [`link`] | the link layer around IP |
//! | [`capture`] | a list of frames, what may be done to one, and the pcap and pcapng files it makes |
//! | [`story`] | [`Scenario`]: two peers, a clock and what they say to each other |
//! | [`live`] | network namespaces, veth pairs, and captures played into them |
//! | [`verdict`] | the built program on such a capture, and what its report says |
//!
//! Not here: anything of the program's decoder. What the encoder believes comes from the RFCs named beside it.

#![allow(dead_code)] // Each test binary uses a part of it.
#![allow(unused_imports)]

pub mod capture;
pub mod filler;
pub mod link;
#[cfg(all(target_os = "linux", feature = "live"))]
pub mod live;
pub mod packet;
pub mod story;
pub mod verdict;
pub mod wire;

pub use capture::Capture;
pub use link::Link;
pub use story::{Scenario, Side, ms, secs};
pub use wire::{Header, Payload, v1, v2};
