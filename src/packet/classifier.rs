//! The stop that every frame passes: a cheap first look, then the slower path for what that look does not settle.

use crate::base::{Limits, Timestamp};
use crate::capture::Frame;

use super::{Class, Datagram};

/// Tells what a frame is and hands on the datagrams in it.
#[derive(Debug)]
pub struct Classifier {}

impl Classifier {
    /// For IKE on UDP 500, 4500 and `extra_ports`.
    pub fn new(extra_ports: &[u16], limits: &Limits) -> Self {
        let _ = (extra_ports, limits);
        Self {}
    }

    /// Tells what `frame` is, and gives `sink` every datagram that ended in it: none, one, or several (TCP).
    /// Datagrams whose reassembly timed out by `frame.at` come first, as [`super::Body::Incomplete`].
    pub fn classify(&mut self, frame: &Frame<'_>, sink: &mut impl FnMut(&Datagram<'_>)) -> Class {
        let _ = (frame, sink);
        todo!()
    }

    /// Gives up what waited too long by `at`.
    pub fn advance(&mut self, at: Timestamp, sink: &mut impl FnMut(&Datagram<'_>)) {
        let _ = (at, sink);
    }

    /// The captures have ended: gives up everything still under reassembly.
    pub fn finish(&mut self, sink: &mut impl FnMut(&Datagram<'_>)) {
        let _ = sink;
    }
}
