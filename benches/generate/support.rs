//! The encoder that the tests craft captures with, so that large captures and small ones say the same on the wire.
//!
//! Not here: an encoder of its own. Contract: `crate::support` as the encoder's own files name it.

#![allow(dead_code)] // the tests use more of it
#![allow(unused_imports)]

#[path = "../../tests/support/capture.rs"]
pub mod capture;
#[path = "../../tests/support/filler.rs"]
pub mod filler;
#[path = "../../tests/support/link.rs"]
pub mod link;
#[path = "../../tests/support/packet.rs"]
pub mod packet;
#[path = "../../tests/support/story/mod.rs"]
pub mod story;
#[path = "../../tests/support/wire/mod.rs"]
pub mod wire;

pub use capture::Capture;
pub use link::Link;
pub use story::{Scenario, Side, ms, secs};
pub use wire::{Header, Payload, v1, v2};
