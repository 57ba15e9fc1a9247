//! What a message says by itself, read ahead: whoever has its octets can do that, and the tracker only puts it in its place.
//!
//! Not here: what came before. Contract: whether a message was read ahead or not makes no difference but in time.

use std::net::{IpAddr, SocketAddr};

use foldhash::quality::RandomState;

use super::super::nat::{Checks, HashAlgorithm};
use super::mould::{Moulds, Written};
use super::shape::Outline;
use crate::packet::{Encapsulation, IsakmpDatagram};
use crate::track::digest;

/// Reads messages ahead for one tracker.
#[derive(Debug, Clone)]
pub struct Previewer {
    pub(super) hasher: RandomState,
    pub(super) nat_checks: Checks,
}

/// What a message says by itself.
#[derive(Debug, Clone, Default)]
pub struct Preview {
    pub(super) outline: Outline,
    shape: Written,
    pub(super) hash: u64,
    pub(super) digest: u32,
    /// What [`Previewer::answers`] says of its hashes in IKEv2, where it does not take more to know.
    pub(super) answers: Option<u32>,
}

impl Preview {
    /// Its shape, in what it was written to.
    #[inline]
    pub(super) fn shape<'s>(&self, shapes: &'s [u8]) -> &'s [u8] {
        let (start, end) = self.shape;
        shapes.get(start as usize..end as usize).unwrap_or_default()
    }
}

impl Previewer {
    /// Reads a message ahead that came from one address to the other in so many IP fragments, if it may be one that is told.
    /// What it says is written to `preview`, its shape behind what is in `shapes` if it is not there. `None` if it has to be filed
    /// in full.
    #[inline]
    pub fn preview(
        &self,
        isakmp: &IsakmpDatagram<'_>,
        ends: (&IpAddr, &IpAddr),
        fragments: u16,
        (moulds, shapes): (&mut Moulds, &mut Vec<u8>),
        preview: &mut Preview,
    ) -> Option<()> {
        if isakmp.encapsulation != Encapsulation::Udp || ends.0 == ends.1 {
            return None;
        }
        let Preview { outline, .. } = preview;
        let passage = (fragments, isakmp.non_esp_marker);
        (preview.shape, preview.hash) = moulds.read(isakmp.octets, passage, (outline, shapes), &self.hasher)?;
        preview.answers = match outline.major {
            2 => Some(self.answers(isakmp, ends, outline, Some(HashAlgorithm::Sha1))?),
            _ => None,
        };
        preview.digest = digest(isakmp.octets);
        Some(())
    }

    /// Which NAT detection hashes of a message match, two bits each, where they are checked. `None` if that cannot be said.
    #[inline(always)]
    pub(super) fn answers(
        &self,
        isakmp: &IsakmpDatagram<'_>,
        (source, destination): (&IpAddr, &IpAddr),
        outline: &Outline,
        algorithm: Option<HashAlgorithm>,
    ) -> Option<u32> {
        // most messages have none
        if outline.hashes().is_empty() {
            Some(0)
        } else {
            self.answers_of(isakmp, (source, destination), outline, algorithm)
        }
    }

    fn answers_of(
        &self,
        isakmp: &IsakmpDatagram<'_>,
        (source, destination): (&IpAddr, &IpAddr),
        outline: &Outline,
        algorithm: Option<HashAlgorithm>,
    ) -> Option<u32> {
        let mut answers = 0;
        for (number, hash) in outline.hashes().iter().enumerate() {
            let at = usize::from(hash.at);
            let octets = isakmp.octets.get(at..at + usize::from(hash.length))?;
            let endpoint = if hash.of_sender {
                SocketAddr::new(*source, isakmp.source_port)
            } else {
                SocketAddr::new(*destination, isakmp.destination_port)
            };
            let spis = (outline.initiator_spi, outline.responder_spi);
            let answer = match self.nat_checks.matches(algorithm, spis, endpoint, octets) {
                None => 1,
                Some(false) => 2,
                Some(true) => 3,
            };
            answers |= answer << (2 * number);
        }
        Some(answers)
    }
}
