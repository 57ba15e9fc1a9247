//! What was seen, as facts: pairs, attempts, exchanges, flows, ICMP errors, fragments.
//!
//! Not here: judgement, and text. Contract: time comes from the datagrams, memory has a ceiling, what is
//! forgotten is counted, and the same datagrams in the same order give the same facts.

mod aside;
mod attempt;
mod carried;
mod exchange;
mod facts;
mod flow;
mod forget;
mod icmp;
mod ike_fragment;
mod nat;
mod offer;
mod pair;
mod roles;
mod stage;
mod store;
mod story;

use std::collections::{BTreeSet, VecDeque};
use std::hash::{BuildHasher, Hasher};
use std::net::{IpAddr, SocketAddr};

pub use exchange::{SaInitAnswer, sa_init_answer};
pub use facts::*;
pub use flow::{Expected, UNDERWAY};
pub use offer::proposals;
pub use store::pairs::Pairs;
pub use store::room::{MadeFrom, Room};
pub use story::{Moulds, Passing, Preview, Previewer, Told};

use crate::base::{Fault, FaultKind, FrameRef, Limits, Timestamp};
use crate::isakmp::payload::Body as PayloadBody;
use crate::isakmp::{Message, registry};
use crate::packet::{Body, Datagram, Encapsulation, IsakmpDatagram};

use flow::{FlowKey, FlowPacket};
use forget::Unproven;
use ike_fragment::{Added, FragmentSets, SetKey};
use store::index::{AttemptsBySpis, AttemptsOfPair, FlowIndex, PairIndex};
use store::packed::Templates;
use store::shared::Shared;
use store::slot::Open;
use story::{Stories, Tale};

/// Unreadable datagrams remembered of one pair.
const MALFORMED_A_PAIR: usize = 64;

/// Follows every exchange of every pair.
#[derive(Debug)]
pub struct Tracker {
    /// See [`Tracker::only_naming`].
    only_naming: bool,
    /// Everything but the pairs.
    facts: Facts,
    pairs: Pairs,
    limits: Limits,
    pair_index: PairIndex,
    attempts: AttemptsOfPair,
    /// Attempts whose both SPIs are known: what finds them again after an address changed.
    by_spis: AttemptsBySpis,
    flow_index: FlowIndex,
    fragments: FragmentSets,
    /// Captures of [`Facts::at_two_points`].
    at_points: BTreeSet<u32>,
    shared: Shared,
    templates: Templates,
    stories: Stories,
    /// Pairs at work, in the order in which they are to be put to rest.
    working: VecDeque<u32>,
    unproven: Unproven,
    pair_count: usize,
    attempt_count: usize,
    icmp_count: usize,
    /// Octets, about, that attempts hold alone.
    held: usize,
}

/// What the tracker made of one ISAKMP message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// Index of the pair in [`Facts::pairs`].
    pub pair: usize,
    /// Index of the attempt in [`Pair::attempts`].
    pub attempt: usize,
    /// Which message of its exchange it is.
    pub label: Label,
    /// Which side of the SA sent it.
    pub from: Side,
    /// The frame of the message that this one repeats.
    pub retransmission_of: Option<FrameRef>,
    /// The frame of the same packet recorded before (mirror port, `-i any`): not a retransmission.
    pub recorded_before: Option<FrameRef>,
    /// The whole message that this fragment (IKEv1 payload 132) completed, from its initiator SPI on.
    pub reassembled: Option<Vec<u8>>,
    /// Its shape: of messages that one tracker gives the same number, only SPIs, message id and what is random differ (key
    /// exchange data, nonces, hashes, signatures, certificates), octet for octet in the same places, and where one is without
    /// fault, so are all whose responder SPI and message id are zero where its are. `None` if it was looked at in full.
    pub shape: Option<u32>,
}

impl Observed {
    /// A message that was looked at in full, and repeats none.
    #[inline(always)]
    fn of(pair: usize, attempt: usize, label: Label, from: Side) -> Self {
        Self {
            pair,
            attempt,
            label,
            from,
            retransmission_of: None,
            recorded_before: None,
            reassembled: None,
            shape: None,
        }
    }
}

/// How a message came: what is known of it besides its octets.
#[derive(Debug, Clone, Copy)]
struct Passage {
    frame: FrameRef,
    at: Timestamp,
    source: SocketAddr,
    destination: SocketAddr,
    ip_id: Option<u32>,
    ip_fragments: u16,
    ike_fragments: u16,
    encapsulation: Encapsulation,
    non_esp_marker: bool,
    digest: u32,
    /// Its capture is known to be one of two points.
    at_a_point: bool,
}

impl Tracker {
    /// With nothing seen yet.
    pub fn new(limits: &Limits) -> Self {
        let mut pairs = Pairs::default();
        pairs.tellings.limit_repeats(limits.repeats_a_message);
        Self {
            only_naming: false,
            facts: Facts::default(),
            pairs,
            limits: *limits,
            pair_index: PairIndex::default(),
            attempts: AttemptsOfPair::default(),
            by_spis: AttemptsBySpis::default(),
            flow_index: FlowIndex::default(),
            fragments: FragmentSets::new(limits),
            at_points: BTreeSet::new(),
            shared: Shared::default(),
            templates: Templates::default(),
            stories: Stories::default(),
            working: VecDeque::new(),
            unproven: Unproven::default(),
            pair_count: 0,
            attempt_count: 0,
            icmp_count: 0,
            held: 0,
        }
    }

    /// Keeps attempts as they are while they are at work, for who looks at them with [`Tracker::attempt`].
    pub fn keep_at_work(mut self) -> Self {
        self.stories.switch_off();
        self
    }

    /// Only names messages: what [`Tracker::observe`] answers is the same, but for [`Observed::pair`], and the facts are for
    /// nobody. What no name depends on is left out: datagrams of any other kind, and the checks of NAT detection.
    pub fn only_naming(mut self) -> Self {
        self.only_naming = true;
        self.shared.nat_checks = nat::Checks::Off;
        self
    }

    /// Files one datagram. Answers what it was, if it was an ISAKMP message whose header could be read.
    #[inline]
    pub fn observe(&mut self, datagram: &Datagram<'_>) -> Option<Observed> {
        if self.only_naming && !matches!(datagram.body, Body::Isakmp(_)) {
            return None;
        }
        let observed = self.file(datagram);
        self.settle_if_due(observed.as_ref().map(|observed| observed.pair));
        observed
    }

    /// Files an ISAKMP message that was read ahead, by [`Tracker::previewer`]; its shape was written into `shapes`. What it was is
    /// shown to `watch`: it is slow to hand about.
    #[inline]
    pub fn observe_ahead<R>(
        &mut self,
        datagram: &Datagram<'_>,
        isakmp: &IsakmpDatagram<'_>,
        (preview, shapes): (Option<&Preview>, &[u8]),
        watch: impl FnOnce(Option<&Observed>) -> R,
    ) -> R {
        let tale = preview.and_then(|preview| self.tell_of(datagram, isakmp, (preview, shapes)));
        let observed = self.file_untold(tale, datagram, isakmp);
        self.settle_if_due(observed.as_ref().map(|observed| observed.pair));
        watch(observed.as_ref())
    }

    fn file(&mut self, datagram: &Datagram<'_>) -> Option<Observed> {
        match &datagram.body {
            Body::Isakmp(isakmp) => self.observe_isakmp(datagram, isakmp),
            Body::Esp(esp) => {
                self.observe_flow(&FlowKey::esp(datagram, esp), &FlowPacket::esp(datagram, esp));
                None
            }
            Body::Ah(ah) => {
                self.observe_flow(&FlowKey::ah(datagram, ah), &FlowPacket::ah(datagram, ah));
                None
            }
            Body::Keepalive { .. } => {
                if let Some(pair) = self.pair_of(datagram) {
                    self.note(pair, datagram, |seen| {
                        seen.keepalives += 1;
                        seen.on_4500 += 1;
                    });
                }
                None
            }
            Body::IcmpError(error) => {
                self.observe_icmp(datagram, error);
                None
            }
            Body::Aside(aside) => {
                self.observe_aside(datagram, aside);
                None
            }
            Body::Incomplete(incomplete) => {
                self.observe_incomplete(datagram, incomplete);
                None
            }
        }
    }

    /// Lets capture time move on to `at`: widens the window that was watched, gives up what waited too long.
    #[inline]
    pub fn advance(&mut self, at: Timestamp) {
        let window = self.facts.window.get_or_insert((at, at));
        window.0 = window.0.min(at);
        window.1 = window.1.max(at);
        if !self.fragments.is_empty() {
            self.expire_fragments(at);
        }
    }

    fn expire_fragments(&mut self, at: Timestamp) {
        for (key, set) in self.fragments.expire(at) {
            self.file_fragments(&key, &set);
        }
        self.settle_if_due(None);
    }

    /// The captures have ended: what waited for more is filed as it is, and the facts are handed over.
    pub fn into_facts(mut self) -> Facts {
        for (key, set) in self.fragments.drain() {
            self.file_fragments(&key, &set);
        }
        self.pairs.slots.retain(|slot| !slot.is_empty());
        self.pairs.slots.shrink_to_fit();
        Facts { pairs: self.pairs, ..self.facts }
    }

    /// The addresses of a pair of which a message was just observed.
    pub fn ends(&self, observed: &Observed) -> Option<(IpAddr, IpAddr)> {
        self.pairs.ends(observed.pair)
    }

    /// The attempt of which a message was just observed.
    pub fn attempt(&self, observed: &Observed) -> Option<&Attempt> {
        self.pairs.at_work(observed.pair, observed.attempt)
    }

    /// First and last time that was watched.
    pub fn window(&self) -> Option<(Timestamp, Timestamp)> {
        self.facts.window
    }

    /// How much there is to judge: pairs and attempts.
    pub fn weight(&self) -> usize {
        self.pair_count + self.attempt_count
    }

    /// The facts so far, while more is coming.
    pub fn facts(&self) -> Facts {
        let mut pairs = self.pairs.clone();
        pairs.slots.retain(|slot| !slot.is_empty());
        Facts { pairs, ..self.facts.clone() }
    }

    fn observe_isakmp(&mut self, datagram: &Datagram<'_>, isakmp: &IsakmpDatagram<'_>) -> Option<Observed> {
        let tale = self.tell(datagram, isakmp);
        self.file_untold(tale, datagram, isakmp)
    }

    #[inline]
    fn file_untold(
        &mut self,
        tale: Option<Tale>,
        datagram: &Datagram<'_>,
        isakmp: &IsakmpDatagram<'_>,
    ) -> Option<Observed> {
        self.stories.go_on();
        match tale {
            Some(Tale::Told(named)) => Some(named.into()),
            Some(Tale::Again(observed)) => Some(observed),
            None => self.file_isakmp(datagram, isakmp),
            Some(Tale::New(lesson)) => {
                let observed = self.file_isakmp(datagram, isakmp)?;
                self.learn(*lesson, &observed);
                Some(observed)
            }
        }
    }

    fn file_isakmp(&mut self, datagram: &Datagram<'_>, isakmp: &IsakmpDatagram<'_>) -> Option<Observed> {
        let message = match readable(isakmp.octets, datagram.missing) {
            Ok(message) => message,
            Err(fault) => {
                self.file_malformed(datagram, fault);
                return None;
            }
        };
        let mut passage = Passage {
            frame: datagram.frame,
            at: datagram.at,
            source: SocketAddr::new(datagram.source, isakmp.source_port),
            destination: SocketAddr::new(datagram.destination, isakmp.destination_port),
            ip_id: datagram.ip_id,
            ip_fragments: datagram.fragments,
            ike_fragments: 0,
            encapsulation: isakmp.encapsulation,
            non_esp_marker: isakmp.non_esp_marker,
            digest: digest(isakmp.octets),
            at_a_point: self.at_points.contains(&datagram.frame.capture),
        };
        let mut payloads = message.payloads();
        let fragment = payloads.next().and_then(|payload| match payload.body {
            PayloadBody::Fragment(fragment) => Some(fragment),
            _ => None,
        });
        let Some(fragment) = fragment else {
            let observed = self.file_message(&passage, &message)?;
            self.note_isakmp(datagram, &observed, &passage);
            return Some(observed);
        };

        let key = SetKey {
            source: passage.source,
            destination: passage.destination,
            initiator_spi: message.header.initiator_spi,
            fragment_id: fragment.fragment_id,
            point: passage.at_a_point.then_some(passage.frame.capture),
        };
        let (added, given_up) = self.fragments.add(
            key,
            (&fragment, payloads.fault()),
            passage.non_esp_marker,
            (datagram.frame, datagram.at),
        );
        for (key, set) in given_up {
            self.facts.forgotten.reassemblies += 1;
            self.file_fragments(&key, &set);
        }
        let observed = match added {
            Added::Waiting | Added::Cut(_) => {
                let (pair, attempt, from) = self.locate(&passage, &message.header, None)?;
                let label = attempt::expected(&self.follow(pair, attempt)?.1.facts, &message.header, from);
                if let Added::Cut(set) = added {
                    self.file_fragments(&key, &set);
                }
                Observed::of(pair, attempt, label, from)
            }
            Added::Whole { octets, fragments } => {
                passage.ike_fragments = fragments;
                passage.digest = digest(&octets);
                let inner = readable(&octets, 0).inspect_err(|&fault| self.file_malformed(datagram, fault)).ok()?;
                let observed = self.file_message(&passage, &inner)?;
                Observed { reassembled: Some(octets), ..observed }
            }
        };
        self.note_isakmp(datagram, &observed, &passage);
        Some(observed)
    }

    fn note_isakmp(&mut self, datagram: &Datagram<'_>, observed: &Observed, passage: &Passage) {
        let here = passage.frame.capture;
        if let Some(before) = observed.recorded_before.filter(|before| before.capture != here)
            && self.facts.at_two_points.len() < POINTS
        {
            self.facts.at_two_points.insert((here.min(before.capture), here.max(before.capture)));
            self.at_points.extend([here, before.capture]);
        }
        let on_4500 = passage.source.port() == 4500 || passage.destination.port() == 4500;
        self.note(observed.pair, datagram, |seen| {
            seen.isakmp += 1;
            seen.on_4500 += u64::from(on_4500);
        });
    }

    fn file_malformed(&mut self, datagram: &Datagram<'_>, fault: Fault) {
        let Some(index) = self.pair_of(datagram) else { return };
        let Some(Open { pair, .. }) = self.open(index) else { return };
        pair.note(datagram, |_| {});
        if pair.malformed.len() < MALFORMED_A_PAIR {
            let direction = usize::from(datagram.source != pair.a);
            pair.malformed.push(MalformedFact { frame: datagram.frame, at: datagram.at, direction, fault });
        }
    }
}

/// Captures that are known to have recorded the same packets.
const POINTS: usize = 1024;

/// The longest message that a UDP datagram or a TCP record can carry.
const LONGEST: u32 = 65_535;

/// A message that can be followed: of a known version, and with a header that is damaged in one place at most. A length
/// that no datagram can hold, claimed for an exchange that does not exist, is somebody else's datagram.
fn readable(octets: &[u8], missing: u32) -> Result<Message<'_>, Fault> {
    let message = Message::decode(octets, missing)?;
    let header = &message.header;
    if header.length > LONGEST && registry::exchange_name(header.version.major, header.exchange_type).is_none() {
        let room = u32::try_from(octets.len()).unwrap_or(u32::MAX);
        return Err(Fault { field: "length", at: 24, kind: FaultKind::Overrun { claims: header.length, room } });
    }
    match message.header.version.major {
        1 | 2 => Ok(message),
        other => Err(Fault { field: "version", at: 17, kind: FaultKind::Unexpected { value: u32::from(other) } }),
    }
}

/// Tells octets apart, for noticing that a message differs from the one before, in this many bits.
fn digest(octets: &[u8]) -> u32 {
    content(octets) as u32 >> (u32::BITS - DIGEST_BITS)
}

const DIGEST_BITS: u32 = 28;

/// The same, with more to tell apart.
fn content(octets: &[u8]) -> u64 {
    let mut hasher = hasher();
    hasher.write(octets);
    hasher.finish()
}

/// A fast hash, always the same: for what no table is keyed by.
fn hasher() -> impl Hasher {
    foldhash::quality::FixedState::default().build_hasher()
}
