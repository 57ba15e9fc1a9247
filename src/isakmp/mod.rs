//! The wire of ISAKMP, IKEv1 and IKEv2: octets to header, payload chain and payload bodies.
//!
//! Not here: addresses, time, state, text for people. Contract: never panics, never allocates while decoding,
//! never reads past the slice, does work bounded by the length of the message; decoding stops at the first lie and
//! what stood before it is kept.

mod field;
pub mod grammar;
mod header;
mod message;
pub mod payload;
pub mod registry;

pub use grammar::{Violation, violations};
pub use header::{HEADER_LEN, Header, Version};
pub use message::{MAX_PAYLOADS, Message, Payload, Payloads};
