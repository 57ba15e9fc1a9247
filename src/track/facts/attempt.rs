//! A negotiation: its sides, its NAT.

use std::net::SocketAddr;
use std::sync::Arc;

use crate::base::{FrameRef, IkeSpi, Timestamp};

use super::exchange::{Exchange, Label};
use super::message::ProposalFact;

/// Version of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IkeVersion {
    /// ISAKMP/IKEv1.
    V1,
    /// IKEv2.
    V2,
}

/// Phase 1 mode of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// IKEv1 Main Mode (Identity Protection).
    Main,
    /// IKEv1 Aggressive Mode.
    Aggressive,
    /// IKEv2.
    IkeV2,
    /// IKEv1, phase 1 not seen.
    Unknown,
}

/// A side of an SA.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Side {
    /// Sent the first message of the attempt.
    Initiator,
    /// Its peer.
    Responder,
}

impl Side {
    /// The peer.
    pub const fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }

    /// 0 for the initiator, 1 for the responder.
    pub const fn index(self) -> usize {
        self as usize
    }
}

/// One negotiation: an IKE SA, or a try at one. One entry across retries within it (COOKIE, INVALID_KE_PAYLOAD), the
/// float to port 4500, NAT rebinding and address changes; retries with new SPIs are attempts of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// IKE version.
    pub version: IkeVersion,
    /// Phase 1 mode.
    pub mode: Mode,
    /// Address and port of the initiator in the first message seen.
    pub initiator: SocketAddr,
    /// Address and port of the responder in the first message seen.
    pub responder: SocketAddr,
    /// Initiator's SPI.
    pub initiator_spi: IkeSpi,
    /// Responder's SPI; zero while it never showed one.
    pub responder_spi: IkeSpi,
    /// First and last message.
    pub first: Timestamp,
    /// See `first`.
    pub last: Timestamp,
    /// See `first`.
    pub first_frame: FrameRef,
    /// See `first`.
    pub last_frame: FrameRef,
    /// Exchanges in order of their first message.
    pub exchanges: Vec<Exchange>,
    /// Proposals of the first SA payload from the initiator (the latest one, where SA_INIT was repeated).
    pub offered: Arc<[ProposalFact]>,
    /// The responder's choice.
    pub chosen: Option<Arc<ProposalFact>>,
    /// Vendor ids in clear, by side ([`Side::index`]), each once, in order.
    pub vendor_ids: [Arc<[Box<[u8]>]>; 2],
    /// What the NAT-D hashes say.
    pub nat: NatFacts,
    /// The capture does not hold its beginning.
    pub midstream: bool,
    /// Which side is the initiator is known. If not, it is the one that was heard first.
    pub roles_known: bool,
    /// Later places the sides sent from, after the first: the float to 4500, rebinding, MOBIKE.
    pub moves: Vec<Move>,
    /// The furthest message of the set-up.
    pub stage: Label,
    /// The message that has to come next, or `None` if nothing is owed.
    pub waiting_for: Option<Label>,
    /// When phase 1, or the IKE SA, was completed as far as the wire shows.
    pub phase1_up: Option<Timestamp>,
    /// When the first phase 2, or child SA, was completed as far as the wire shows.
    pub phase2_up: Option<Timestamp>,
    /// Index, within the pair, of the IKE SA that this one seems to replace: it came up without an SA_INIT of its own
    /// after a CREATE_CHILD_SA exchange there.
    pub rekeyed_from: Option<usize>,
    /// Messages not kept because of the limits.
    pub messages_forgotten: u64,
    /// When the last of them came.
    pub forgotten_until: Option<Timestamp>,
}

impl Attempt {
    /// Counts a message that is not kept.
    pub(in crate::track) fn forget_message(&mut self, at: Timestamp) {
        self.messages_forgotten += 1;
        self.forgotten_until = self.forgotten_until.max(Some(at));
    }

    /// It is no attempt: one side says in clear, outside of any SA, that it does not have an SA of ESP or AH, or what else it
    /// does not take.
    pub fn is_of_remarks(&self) -> bool {
        !self.exchanges.is_empty() && self.exchanges.iter().all(Exchange::is_remark)
    }

    /// The responder's choice as a list: of one, or empty.
    pub fn choice(&self) -> &[ProposalFact] {
        self.chosen.as_deref().map_or(&[], std::slice::from_ref)
    }
}

/// Address and port that a side began to send from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Move {
    /// When, and in which frame.
    pub at: Timestamp,
    /// See `at`.
    pub frame: FrameRef,
    /// Which side moved.
    pub side: Side,
    /// From here on.
    pub to: SocketAddr,
}

/// What NAT detection showed. `None` where no hash could be checked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct NatFacts {
    /// Per side: the address it put into its own hash is the one it was seen to send from.
    pub own_matches: [Option<bool>; 2],
    /// Per side: the address its peer's hash names for it is the one it was seen at.
    pub peer_matches: [Option<bool>; 2],
    /// Per side: it announced NAT traversal (vendor id, or NAT_DETECTION notifies).
    pub announced: [bool; 2],
    /// Frame of the first hash that did not match.
    pub mismatch_frame: Option<FrameRef>,
}

impl NatFacts {
    /// Whether `side` is behind a NAT. A hash that matches speaks for one stretch of the path only, from the side to the
    /// capture or from there to its peer: "no" takes both. Where nothing fits, nothing is said.
    pub fn behind(&self, side: Side) -> Option<bool> {
        if self.fits_nowhere() {
            return None;
        }
        match (self.own_matches[side.index()], self.peer_matches[side.index()]) {
            (Some(false), _) | (_, Some(false)) => Some(true),
            (Some(true), Some(true)) => Some(false),
            _ => None,
        }
    }

    /// No hash of either side is of any address that the capture shows. One NAT leaves the hash of one address right: what differs is
    /// the capture, whose addresses were made up afterwards, or it was taken between two NATs that both rewrite both addresses.
    pub fn fits_nowhere(&self) -> bool {
        [self.own_matches, self.peer_matches].as_flattened().iter().all(|matches| *matches == Some(false))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn not_behind_a_nat_takes_both_hashes() {
        let behind = |own: Option<bool>, peer: Option<bool>| {
            let nat = NatFacts { own_matches: [own, None], peer_matches: [peer, None], ..NatFacts::default() };
            nat.behind(Side::Initiator)
        };
        assert_eq!(behind(Some(true), Some(true)), Some(false));
        assert_eq!(behind(Some(false), Some(true)), Some(true));
        assert_eq!(behind(None, Some(false)), Some(true));
        assert_eq!(behind(None, Some(true)), None, "the NAT may stand between the side and the capture");
        assert_eq!(behind(Some(true), None), None, "the NAT may stand between the capture and the peer");
        assert_eq!(behind(None, None), None);
    }

    #[test]
    fn hashes_that_all_differ_tell_of_no_nat() {
        let nat = NatFacts { own_matches: [Some(false); 2], peer_matches: [Some(false); 2], ..NatFacts::default() };
        assert_eq!([Side::Initiator, Side::Responder].map(|side| nat.behind(side)), [None; 2]);
        let one_fits = NatFacts { peer_matches: [Some(false), Some(true)], ..nat };
        assert_eq!([Side::Initiator, Side::Responder].map(|side| one_fits.behind(side)), [Some(true); 2]);
    }
}
