//! ikescope reads a capture and says how far each ISAKMP/IKE exchange got, why it stopped, and who has to act.
//!
//! The modules are the stops of a packet's journey, in order:
//!
//! | module | in → out |
//! |---|---|
//! | [`capture`] | file, standard input or interface → [`capture::Frame`] |
//! | [`packet`] | frame → [`packet::Datagram`]: ISAKMP, ESP, AH, keepalive, ICMP error, or "not ours" |
//! | [`isakmp`] | octets → [`isakmp::Message`], IKEv1 and IKEv2 |
//! | [`track`] | decoded datagrams → facts about pairs, attempts, exchanges and flows |
//! | [`diagnose`] | facts → findings and one verdict a pair |
//! | [`report`] | findings → an ordered, owned, serialisable report, and its words |
//! | `tui` | a report → the screen of `live` |
//! | [`messages`] | one decoded message → a line, a tree or a JSON object: the shorter way out |
//!
//! [`base`] holds the words that all of them share, [`pipeline`] is the one place that knows every stop,
//! and [`cli`] is the program around it. Nothing between [`capture`] and [`report`] does I/O or reads a clock.

pub mod base;
pub mod capture;
pub mod cli;
pub mod diagnose;
pub mod isakmp;
pub mod messages;
pub mod packet;
pub mod pipeline;
pub mod report;
pub mod track;
#[cfg(feature = "tui")]
pub mod tui;
