//! What users of `packet` rely on: every way in which ISAKMP, ESP and AH reach a capture, and every way to break it.

mod bench;
mod craft;
mod fragments;
mod icmp;
mod laws;
mod links;
mod tcp;
mod udp;
