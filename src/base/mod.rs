//! Words that every layer shares: time, frame references, link types, SPIs, faults, limits, how text is made safe, and how
//! work is shared among threads.
//!
//! Not here: anything that knows a protocol's layout or does I/O.

pub mod crew;
pub mod escape;
mod fault;
mod frame;
mod identity;
mod limits;
mod link;
pub(crate) mod quad;
mod time;

pub use fault::{Fault, FaultKind};
pub use frame::FrameRef;
pub use identity::{EspSpi, IkeSpi, MessageId};
pub use limits::Limits;
pub use link::LinkType;
pub use time::Timestamp;
