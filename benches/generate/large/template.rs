//! A negotiation told once by the encoder and said many times: its messages, and what is different in each telling.
//!
//! Contract: what a telling changes are SPIs, message ids, public values, nonces, NAT detection hashes and
//! ciphertext, and how long it is where a name is encrypted; a told message is as well-formed as the encoder's.

use std::ops::Range;

use md5::Md5;
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::frame::Addresses;
use super::fresh::{fill, number};
use crate::support::link::Link;
use crate::support::{Scenario, Side, secs, v1, v2};

/// The private address of an initiator behind NAT, and what its NAT adds to its ports: those of the story.
const BEHIND_NAT: [u8; 4] = [192, 168, 1, 10];
/// Octets of a certificate that makes a message too long for a packet.
const CERTIFICATE: usize = 1700;
/// Octets of an IKE fragment at most.
const FRAGMENT: usize = 1280;
const HEADER: usize = 28;
/// Octets of a block of the widest cipher.
const BLOCK: u16 = 16;

/// Whose suites: three of IKEv1, three of IKEv2.
pub const SUITES: usize = 6;

/// In which world a negotiation happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum World {
    /// IPv4, nothing between the peers.
    V4,
    /// IPv6.
    V6,
    /// IPv4, the initiator behind NAT.
    Nat,
}

/// How long messages travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// There are none.
    Short,
    /// In IP fragments.
    IpFragments,
    /// In IKE's own fragments: payload 132, or SKF.
    IkeFragments,
}

/// A part of a tunnel's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The negotiation, until both have the SAs.
    Negotiation,
    /// A liveness check.
    Check,
    /// New IPsec SAs in place of the old.
    Rekey,
    /// The tunnel is taken down.
    Farewell,
}

/// All parts, as told.
#[derive(Debug)]
pub struct Template {
    parts: [Told; 4],
}

impl Template {
    /// The one of a part.
    pub fn part(&self, part: Part) -> &Told {
        &self.parts[part as usize]
    }

    /// Lets the encoder tell a tunnel's life. Suites 0 to 2 are IKEv1's, 3 to 5 IKEv2's.
    pub fn new(suite: usize, world: World, style: Style) -> Self {
        let mut story = match world {
            World::V4 => Scenario::new(),
            World::V6 => Scenario::ipv6(),
            World::Nat => Scenario::new().nat(),
        }
        .mtu(usize::from(u16::MAX));
        story = match style {
            Style::Short => story,
            Style::IpFragments => story.ike_fragments(usize::from(u16::MAX)),
            Style::IkeFragments => story.ike_fragments(FRAGMENT),
        };
        let nat = world == World::Nat;
        if suite < 3 { ikev1(story, suite, style, nat) } else { ikev2(story, suite, style, nat) }
    }
}

fn ikev1(story: Scenario, suite: usize, style: Style, nat: bool) -> Template {
    let (transform, hash) = match (suite, style) {
        (1, Style::Short) => (v1::transform(v1::AES_CBC, 128, v1::SHA1, v1::PSK, 16), Hash::Sha1),
        (2, Style::Short) => (v1::transform(v1::TRIPLE_DES, 0, v1::MD5, v1::PSK, 5), Hash::Md5),
        _ => (v1::transform(v1::AES_CBC, 256, v1::SHA2_256, v1::PSK, 16), Hash::Sha256),
    };
    let initiator = Side::Initiator;
    // most gateways offer more than one thing
    let more = [(256, v1::SHA1), (128, v1::SHA2_256)];
    let more = more.map(|(bits, hash)| v1::transform(v1::AES_CBC, bits, hash, v1::PSK, 14));
    let phase1 = match style {
        Style::Short => {
            story.mm1(&[std::slice::from_ref(&transform), &more[..]].concat()).mm2(&transform).mm3().mm4().mm5().mm6()
        }
        Style::IpFragments | Style::IkeFragments => story.main_mode_certificates(CERTIFICATE),
    };
    let negotiated = phase1.qm1(15).qm2(15).qm3();
    let old = negotiated.esp_spi(initiator);
    let checked = negotiated.clone().after(secs(5)).dpd(initiator, 0x1234).dpd_ack(Side::Responder, 0x1234);
    let rekeyed = checked.clone().after(secs(5)).qm1(15).qm2(15).qm3().after(secs(1)).delete_ipsec(initiator, old);
    let ended = rekeyed.clone().after(secs(5)).delete_ipsec(initiator, old).delete_isakmp(initiator);
    let frames = negotiated.clone().capture().frames.len();
    Template { parts: cut([negotiated, checked, rekeyed, ended], [frames - 1, 1, 2, 0], hash, nat) }
}

fn ikev2(story: Scenario, suite: usize, style: Style, nat: bool) -> Template {
    let proposal = match suite {
        3 => v2::ike_cbc(16),
        4 => v2::ike_gcm(15),
        _ => v2::ike(&[v2::encr(v2::CHACHA20_POLY1305, 0), v2::prf(v2::PRF_SHA2_256), v2::group(31)]),
    };
    let initiator = Side::Initiator;
    // most gateways offer more than one thing; a KE is for the first of it
    let cbc = [v2::encr(v2::AES_CBC, 128), v2::encr(v2::AES_CBC, 256), v2::integ(v2::SHA2_256_128)];
    let hashes = [v2::prf(v2::PRF_SHA2_256), v2::prf(v2::PRF_SHA1)];
    let more = v2::ike(&[&cbc[..], &hashes, &[14, 19, 31].map(v2::group)].concat());
    let begun = story.sa_init_request(&[proposal.clone(), more]).sa_init_response(&proposal);
    let negotiated = match style {
        Style::Short => begun.ikev2_auth(),
        Style::IpFragments | Style::IkeFragments => begun.ikev2_auth_certificates(CERTIFICATE),
    };
    let old = negotiated.esp_spi(initiator);
    // SA, nonce, traffic selectors (RFC 7296 §1.3.1)
    let child = |side| {
        let mut payloads = negotiated.child(side);
        payloads.insert(1, v2::nonce(32, 7));
        payloads
    };
    let rekeys = v2::notify_about(v2::PROTO_ESP, &old.to_be_bytes(), v2::REKEY_SA, &[]);
    let checked = negotiated.clone().after(secs(5)).liveness(initiator);
    let rekeyed = checked
        .clone()
        .after(secs(5))
        .create_child_request(initiator, &[vec![rekeys], child(initiator)].concat())
        .create_child_response(Side::Responder, &child(Side::Responder))
        .after(secs(1))
        .informational_request(initiator, &[v2::delete_esp(&[old])])
        .informational_response(Side::Responder, &[v2::delete_esp(&[old])]);
    let ended = rekeyed
        .clone()
        .after(secs(5))
        .informational_request(initiator, &[v2::delete_ike()])
        .informational_response(Side::Responder, &[]);
    let frames = negotiated.clone().capture().frames.len();
    Template { parts: cut([negotiated, checked, rekeyed, ended], [frames - 1, 1, 1, 1], Hash::Sha1, nat) }
}

/// What each story tells beyond the one before. `up` are the steps with which each part's SAs are there.
fn cut(stories: [Scenario; 4], up: [usize; 4], hash: Hash, nat: bool) -> [Told; 4] {
    let mut told = 0;
    let mut parts = stories.into_iter().zip(up).map(|(story, up)| {
        let before = told;
        let capture = story.capture();
        told = capture.frames.len();
        let link = Link::Ethernet;
        let packets = capture
            .frames
            .iter()
            .skip(before)
            .map(|frame| (frame.at, link.unwrap(&frame.octets).expect("the encoder makes IP packets")));
        Told::new(packets, up, hash, nat)
    });
    std::array::from_fn(|_| parts.next().expect("four stories"))
}

/// The messages of one part.
#[derive(Debug)]
pub struct Told {
    /// In order of time.
    pub steps: Vec<Step>,
    /// When its SAs are there, nanoseconds after its first message.
    pub up: u64,
    /// The message id of its first request.
    first_id: u32,
    /// Requests of the initiator in it (IKEv2).
    pub requests: u32,
}

impl Told {
    fn new<'a>(packets: impl Iterator<Item = (u64, &'a [u8])>, up: usize, hash: Hash, nat: bool) -> Self {
        let mut start = None;
        let steps: Vec<Step> =
            packets.map(|(at, packet)| Step::new(at - *start.get_or_insert(at), packet, hash, nat)).collect();
        let ids = || steps.iter().filter(|step| step.is_v2).map(|step| step.message_id);
        let first_id = ids().min().unwrap_or(0);
        let requests = ids().max().map_or(0, |last| last - first_id + 1);
        Self { up: steps.get(up).map_or(0, |step| step.offset), first_id, requests, steps }
    }
}

/// One message.
#[derive(Debug)]
pub struct Step {
    /// Nanoseconds after the first message of its part.
    pub offset: u64,
    /// 0 the initiator, 1 the responder.
    pub from: usize,
    /// UDP ports, source and destination.
    pub ports: [u16; 2],
    /// What UDP carries, the non-ESP marker included.
    payload: Vec<u8>,
    /// Where the message starts in it.
    start: usize,
    is_v2: bool,
    message_id: u32,
    edits: Vec<Edit>,
    /// All of it that is encrypted stands in one piece, and its sender's name is in it.
    names: bool,
}

/// What is different in each telling.
#[derive(Debug)]
enum Edit {
    /// Keys, nonces, ciphertext.
    Fresh(Range<usize>),
    /// Another copy of both SPIs, as the message in fragments has.
    Spis(usize),
    /// The hash of SPIs, address and port of `host`; of `fixed` if nobody sees its own address.
    NatDetection { at: usize, hash: Hash, host: usize, fixed: Option<[u8; 4]>, port: u16 },
}

#[derive(Debug, Clone, Copy)]
enum Hash {
    Md5,
    Sha1,
    Sha256,
}

/// Which negotiation is told.
#[derive(Debug, Clone, Copy)]
pub struct Telling {
    /// Different for every negotiation.
    pub seed: u64,
    /// Different for every part of it.
    pub part: u64,
    /// Requests of the initiator before this part (IKEv2).
    pub requests: u32,
    /// Who negotiates.
    pub addresses: Addresses,
    /// Blocks of a cipher by which their names are longer, initiator's and responder's.
    pub names: [u16; 2],
}

impl Telling {
    fn spis(&self) -> [u64; 2] {
        // zero means that there is none yet
        [1, 2].map(|side| number(&[self.seed, side]).max(1))
    }
}

impl Step {
    fn new(offset: u64, packet: &[u8], hash: Hash, nat: bool) -> Self {
        let udp = if packet[0] >> 4 == 4 { 20 } else { 40 };
        let word = |at: usize| u16::from_be_bytes([packet[at], packet[at + 1]]);
        let ports = [word(udp), word(udp + 2)];
        let payload = packet[udp + 8..].to_vec();
        let start = if ports.contains(&4500) { 4 } else { 0 };
        let message = &payload[start..];
        let from_initiator = match packet[0] >> 4 {
            4 => packet[12..16] == [203, 0, 113, 10],
            _ => packet[8..14] == [0x20, 1, 0x0d, 0xb8, 0, 1],
        };
        let message_id = u32::from_be_bytes([message[20], message[21], message[22], message[23]]);
        let mut step = Self {
            offset,
            from: usize::from(!from_initiator),
            ports,
            start,
            is_v2: message[17] == 0x20,
            message_id,
            edits: Vec::new(),
            names: match (message[17], message[18]) {
                (0x10, 2) => message[19] & v1::ENCRYPTED != 0 && message[16] != 132,
                (0x20, 35) => message[16] == 46,
                _ => false,
            },
            payload,
        };
        step.edits = step.find(hash, nat);
        step
    }

    /// Walks the payloads and finds what each telling changes.
    fn find(&self, hash: Hash, nat: bool) -> Vec<Edit> {
        let octets = &self.payload;
        let mut edits = Vec::new();
        if !self.is_v2 && octets[self.start + 19] & v1::ENCRYPTED != 0 {
            return vec![Edit::Fresh(self.start + HEADER..octets.len())];
        }
        let mut next = octets[self.start + 16];
        let mut at = self.start + HEADER;
        let mut hashes = 0;
        while next != 0 && at < octets.len() {
            let end = at + usize::from(u16::from_be_bytes([octets[at + 2], octets[at + 3]]));
            match next {
                4 | 10 | 40 | 46 => edits.push(Edit::Fresh(at + 4..end)),
                34 | 53 => edits.push(Edit::Fresh(at + 8..end)),
                132 if octets[at + 6] == 1 => {
                    edits.push(Edit::Spis(at + 8));
                    edits.push(Edit::Fresh(at + 8 + HEADER..end));
                }
                132 => edits.push(Edit::Fresh(at + 8..end)),
                20 => {
                    // of the other side, then of its own (RFC 3947 §3.2)
                    edits.push(self.nat_detection(at + 4, hash, hashes == 1, nat));
                    hashes += 1;
                }
                41 => match u16::from_be_bytes([octets[at + 6], octets[at + 7]]) {
                    v2::NAT_DETECTION_SOURCE_IP => edits.push(self.nat_detection(at + 8, Hash::Sha1, true, nat)),
                    v2::NAT_DETECTION_DESTINATION_IP => edits.push(self.nat_detection(at + 8, Hash::Sha1, false, nat)),
                    _ => {}
                },
                _ => {}
            }
            if matches!(next, 46 | 53) {
                break;
            }
            next = octets[at];
            at = end;
        }
        edits
    }

    fn nat_detection(&self, at: usize, hash: Hash, own: bool, nat: bool) -> Edit {
        let host = if own { self.from } else { 1 - self.from };
        let fixed = (own && host == 0 && nat).then_some(BEHIND_NAT);
        let port = if own { 500 } else { self.ports[1] };
        Edit::NatDetection { at, hash, host, fixed, port }
    }

    /// Puts the message of this telling, as UDP carries it, into `out`.
    pub fn tell(&self, telling: &Telling, told: &Told, out: &mut Vec<u8>) {
        out.clear();
        out.extend(&self.payload);
        if self.names {
            self.lengthen(out, BLOCK * telling.names[self.from], number(&[telling.seed, self.from as u64]));
        }
        let spis = telling.spis();
        self.put_spis(out, self.start, spis);
        let id = match (self.is_v2, self.message_id) {
            (true, id) => id - told.first_id + telling.requests,
            (false, 0) => 0,
            (false, id) => number(&[telling.seed, telling.part, id.into()]) as u32 | 1,
        };
        out[self.start + 20..self.start + 24].copy_from_slice(&id.to_be_bytes());
        let place = number(&[telling.seed, telling.part, self.offset, self.from as u64]);
        for edit in &self.edits {
            match edit {
                Edit::Fresh(range) => fill(&mut out[range.clone()], place ^ (range.start as u64) << 40),
                Edit::Spis(at) => self.put_spis(out, *at, spis),
                Edit::NatDetection { at, hash, host, fixed, port } => {
                    let known = [spis[0], if self.has_responder() { spis[1] } else { 0 }];
                    let address = fixed.as_ref().map_or(telling.addresses.of(*host), |fixed| fixed);
                    hash.write(known, address, *port, &mut out[*at..]);
                }
            }
        }
    }

    /// Makes the ciphertext longer, and what says how long it is.
    fn lengthen(&self, out: &mut Vec<u8>, octets: u16, seed: u64) {
        let end = out.len();
        out.resize(end + usize::from(octets), 0);
        fill(&mut out[end..], seed);
        let mut add = |at: usize| {
            let length = u16::from_be_bytes([out[at], out[at + 1]]) + octets;
            out[at..at + 2].copy_from_slice(&length.to_be_bytes());
        };
        add(self.start + HEADER - 2);
        if self.is_v2 {
            add(self.start + HEADER + 2);
        }
    }

    fn has_responder(&self) -> bool {
        self.payload[self.start + 8..self.start + 16] != [0; 8]
    }

    fn put_spis(&self, out: &mut [u8], at: usize, spis: [u64; 2]) {
        out[at..at + 8].copy_from_slice(&spis[0].to_be_bytes());
        if self.has_responder() {
            out[at + 8..at + 16].copy_from_slice(&spis[1].to_be_bytes());
        }
    }
}

impl Hash {
    fn write(self, spis: [u64; 2], address: &[u8], port: u16, out: &mut [u8]) {
        let mut input = [0; 34];
        input[..8].copy_from_slice(&spis[0].to_be_bytes());
        input[8..16].copy_from_slice(&spis[1].to_be_bytes());
        input[16..16 + address.len()].copy_from_slice(address);
        input[16 + address.len()..18 + address.len()].copy_from_slice(&port.to_be_bytes());
        let input = &input[..18 + address.len()];
        match self {
            Self::Md5 => out[..16].copy_from_slice(&Md5::digest(input)),
            Self::Sha1 => out[..20].copy_from_slice(&Sha1::digest(input)),
            Self::Sha256 => out[..32].copy_from_slice(&Sha256::digest(input)),
        }
    }
}
