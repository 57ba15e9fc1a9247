//! The story of two peers: who they are, what they say, when, and how much of it the capture holds.
//!
//! ```text
//! let capture = Scenario::new()
//!     .mm1(&[transform(AES_CBC, 256, SHA2_256, PSK, 14)])
//!     .repeat(4, &[4.0, 7.2, 13.0, 23.3])
//!     .after(secs(40))
//!     .icmp_unreachable(router, 1)
//!     .pcap();
//! ```
//!
//! Each step adds what one peer sends and moves the clock; [`Scenario::capture`] ends the story. Steps of IKEv1 stand
//! in [`ikev1`], of IKEv2 in [`ikev2`], everything else on the path in [`path`], and whole healthy negotiations in
//! [`healthy`]. This file holds the stage: peers, NAT, ports, clock, and how messages become frames.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use super::capture::Capture;
use super::filler::Filler;
use super::packet::{self, Ip};
use super::wire::{Header, Payload, v1, v2};

mod healthy;
mod ikev1;
mod ikev2;
pub mod path;

pub use healthy::*;

/// When every story starts: 2026-11-21T04:00:00Z.
pub const START: u64 = 1_795_233_600_000_000_000;

/// `count` milliseconds.
pub const fn ms(count: u64) -> Duration {
    Duration::from_millis(count)
}

/// `count` seconds.
pub const fn secs(count: u64) -> Duration {
    Duration::from_secs(count)
}

/// One of the two peers, by its role in the current attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// It sent the first message.
    Initiator,
    /// It was asked.
    Responder,
}

impl Side {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::Initiator => Self::Responder,
            Self::Responder => Self::Initiator,
        }
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// A peer.
#[derive(Debug, Clone)]
struct Host {
    /// The address that it has.
    own: IpAddr,
    /// The address under which the other peer sees it: another one behind NAT.
    seen: IpAddr,
    /// What NAT adds to its ports.
    port_shift: u16,
    /// IP identification of its next packet.
    ip_id: u16,
    /// Its packets' time to live at the capture point.
    ttl: u8,
    /// How it pads IKEv1 messages.
    padding: v1::Padding,
    /// The vendor ids of its first IKEv1 message, if not the usual ones.
    vendor_ids: Option<Vec<Payload>>,
    /// How many of its IKEv1 messages went in fragments: the id of the last one.
    fragmented: u16,
}

impl Host {
    fn new(ip: IpAddr, seed: u64) -> Self {
        Self {
            own: ip,
            seen: ip,
            port_shift: 0,
            ip_id: super::filler::mix(seed) as u16,
            ttl: 64,
            padding: v1::Padding::Always,
            vendor_ids: None,
            fragmented: 0,
        }
    }
}

/// What the peers have agreed on so far in this attempt.
#[derive(Debug, Clone)]
struct IkeSa {
    initiator_spi: u64,
    responder_spi: u64,
    group: u16,
    v1_hash: u16,
    v1_suite: v1::Suite,
    v2_suite: v2::Suite,
    /// Message id of the Quick Mode, or Transaction, under way.
    exchange_id: u32,
    /// IKEv2: message id of each side's next request.
    next_request: [u32; 2],
    /// IKEv2: message id of each side's last request.
    asked: [u32; 2],
    /// What the public values and nonces of both sides are made of: a first message said again says the same.
    seeds: [u64; 2],
}

impl IkeSa {
    fn new(filler: &mut Filler) -> Self {
        Self {
            initiator_spi: filler.number(),
            responder_spi: 0,
            group: 14,
            v1_hash: v1::SHA2_256,
            v1_suite: v1::Suite { hash: 32, block: 16 },
            v2_suite: v2::Suite::AES_CBC_SHA2_256,
            exchange_id: 0,
            next_request: [0; 2],
            asked: [0; 2],
            seeds: [filler.number(), filler.number()],
        }
    }
}

/// Where the non-ESP marker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marker {
    /// On port 4500, as it must.
    ByPort,
    /// Never.
    Never,
    /// Always.
    Always,
}

/// A TCP connection between the peers (RFC 9329): the next octet each side sends.
#[derive(Debug, Clone, Copy)]
struct Stream {
    next: [u32; 2],
}

/// What one side said last: its IKE messages, several if it used IKE fragments.
#[derive(Debug, Clone)]
struct Sent {
    side: Side,
    messages: Vec<Vec<u8>>,
}

/// The stage and the story so far.
#[derive(Debug, Clone)]
pub struct Scenario {
    filler: Filler,
    capture: Capture,
    hosts: [Host; 2],
    sa: IkeSa,
    /// When the last packet left.
    clock: u64,
    /// How long before the next message, if told.
    pause: Option<Duration>,
    latency: Duration,
    mtu: usize,
    ike_port: u16,
    nat_t: bool,
    float_anyway: bool,
    floated: bool,
    captured_inside: bool,
    ike_fragments: Option<usize>,
    losing: Vec<usize>,
    unseen: bool,
    tamper: Option<fn(&mut Vec<u8>)>,
    marker: Marker,
    stream: Option<Stream>,
    last: Option<Sent>,
    sent: [Option<Sent>; 2],
    /// The first IP packet of the last transmission.
    last_packet: Vec<u8>,
}

/// The stage.
impl Scenario {
    /// Initiator 203.0.113.10 and responder 198.51.100.7.
    pub fn new() -> Self {
        Self::between(Ipv4Addr::new(203, 0, 113, 10).into(), Ipv4Addr::new(198, 51, 100, 7).into())
    }

    /// Initiator 2001:db8:1::10 and responder 2001:db8:2::7.
    pub fn ipv6() -> Self {
        let ip = |text: &str| text.parse().expect("an IPv6 address");
        Self::between(ip("2001:db8:1::10"), ip("2001:db8:2::7"))
    }

    /// Any two peers of one address family. SPIs and all else that looks random follow from the addresses.
    pub fn between(initiator: IpAddr, responder: IpAddr) -> Self {
        let seed =
            |ip| super::wire::address(ip).iter().fold(0, |sum: u64, octet| super::filler::mix(sum) ^ u64::from(*octet));
        let mut filler = Filler::new(seed(initiator) ^ seed(responder).rotate_left(17));
        let sa = IkeSa::new(&mut filler);
        let latency = ms(20);
        Self {
            filler,
            capture: Capture::new(),
            hosts: [Host::new(initiator, seed(initiator)), Host::new(responder, seed(responder))],
            sa,
            clock: START - latency.as_nanos() as u64,
            pause: None,
            latency,
            mtu: 1500,
            ike_port: 500,
            nat_t: true,
            float_anyway: false,
            floated: false,
            captured_inside: false,
            ike_fragments: None,
            losing: Vec::new(),
            unseen: false,
            tamper: None,
            marker: Marker::ByPort,
            stream: None,
            last: None,
            sent: [None, None],
            last_packet: Vec::new(),
        }
    }

    /// Other SPIs, nonces and message ids than another story of the same peers.
    pub fn seed(mut self, number: u64) -> Self {
        self.filler = Filler::new(number ^ self.sa.initiator_spi);
        self.sa = IkeSa::new(&mut self.filler);
        self
    }

    /// The initiator has 192.168.1.10 and sits behind NAT, which shows it as it was and shifts its ports by 10000.
    pub fn nat(mut self) -> Self {
        self.hosts[0].own = Ipv4Addr::new(192, 168, 1, 10).into();
        self.hosts[0].port_shift = 10_000;
        self
    }

    /// The responder has 10.0.0.7 and sits behind NAT that keeps its ports.
    pub fn responder_nat(mut self) -> Self {
        self.hosts[1].own = Ipv4Addr::new(10, 0, 0, 7).into();
        self
    }

    /// From here on NAT shows the initiator with other ports, as after an expired mapping.
    pub fn mapping_changes(mut self) -> Self {
        self.hosts[0].port_shift += 1_111;
        self
    }

    /// From here on the initiator is seen at another address.
    pub fn initiator_moves(mut self, to: IpAddr) -> Self {
        self.hosts[0].own = to;
        self.hosts[0].seen = to;
        self
    }

    /// From here on the responder is at another address: it is asked there, and answers from there.
    pub fn responder_moves(mut self, to: IpAddr) -> Self {
        self.hosts[1].own = to;
        self.hosts[1].seen = to;
        self
    }

    /// The capture is taken between the initiator and its NAT, not outside.
    pub fn captured_inside(mut self) -> Self {
        self.captured_inside = true;
        self
    }

    /// Neither side knows NAT traversal of IKEv1, nor NAT detection of IKEv2.
    pub fn without_nat_t(mut self) -> Self {
        self.nat_t = false;
        self
    }

    /// The initiator moves to port 4500 even where there is no NAT, as with MOBIKE (RFC 4555 §3.3).
    pub fn floats(mut self) -> Self {
        self.float_anyway = true;
        self
    }

    /// IKE runs on this port in place of 500.
    pub fn ike_port(mut self, port: u16) -> Self {
        self.ike_port = port;
        self
    }

    /// IP packets longer than this go in fragments.
    pub fn mtu(mut self, octets: usize) -> Self {
        self.mtu = octets;
        self
    }

    /// Encrypted IKE messages longer than this go in IKE's own fragments: payload 132, or SKF.
    pub fn ike_fragments(mut self, octets: usize) -> Self {
        self.ike_fragments = Some(octets);
        self
    }

    /// From here on, of all frames that one message takes, those with these 1-based numbers are lost.
    pub fn losing(mut self, numbers: &[usize]) -> Self {
        self.losing = numbers.to_vec();
        self
    }

    /// How `side` pads IKEv1 messages.
    pub fn pads(mut self, side: Side, padding: v1::Padding) -> Self {
        self.hosts[side.index()].padding = padding;
        self
    }

    /// The vendor ids of `side`'s first IKEv1 message, in place of NAT-T and DPD.
    pub fn vendor_ids(mut self, side: Side, vendor_ids: &[Payload]) -> Self {
        self.hosts[side.index()].vendor_ids = Some(vendor_ids.to_vec());
        self
    }

    /// Time to live of `side`'s packets from here on.
    pub fn ttl(mut self, side: Side, ttl: u8) -> Self {
        self.hosts[side.index()].ttl = ttl;
        self
    }

    /// The address under which the other peer, and a capture outside, sees `side`.
    pub fn address(&self, side: Side) -> IpAddr {
        self.hosts[side.index()].seen
    }

    /// Both IKE SPIs of this attempt.
    pub fn ike_spis(&self) -> (u64, u64) {
        (self.sa.initiator_spi, self.sa.responder_spi)
    }
}

/// Time, and which attempt this is.
impl Scenario {
    /// The next packet leaves this long after the last one; without it, 20 ms.
    pub fn after(mut self, pause: Duration) -> Self {
        self.pause = Some(self.pause.unwrap_or_default() + pause);
        self
    }

    /// A new attempt: new SPIs, message ids from the start, ports not floated.
    pub fn new_attempt(mut self) -> Self {
        self.sa = IkeSa::new(&mut self.filler);
        self.floated = false;
        self.sent = [None, None];
        self
    }

    /// The IKE SA that takes the place of this one in a re-key (RFC 7296 §2.18): new SPIs, message ids from the start.
    pub fn rekeyed_ike_sa(mut self) -> Self {
        let (v2_suite, group) = (self.sa.v2_suite, self.sa.group);
        self.sa = IkeSa { v2_suite, group, ..IkeSa::new(&mut self.filler) };
        self.sa.responder_spi = self.filler.number();
        self.sent = [None, None];
        self
    }

    /// What `story` tells goes under the IKE SA with these SPIs, of the same algorithms.
    pub fn under(mut self, (initiator_spi, responder_spi): (u64, u64), story: impl FnOnce(Self) -> Self) -> Self {
        let sa = IkeSa { initiator_spi, responder_spi, ..self.sa.clone() };
        let now = std::mem::replace(&mut self.sa, sa);
        let mut told = story(self);
        told.sa = now;
        told
    }

    /// A new attempt in which the other peer is the initiator.
    pub fn swap_roles(mut self) -> Self {
        self.hosts.swap(0, 1);
        self.new_attempt()
    }

    /// What `story` tells is sent and never reaches the capture.
    pub fn unseen(mut self, story: impl FnOnce(Self) -> Self) -> Self {
        let before = std::mem::replace(&mut self.unseen, true);
        let mut told = story(self);
        told.unseen = before;
        told
    }

    /// Every IKE message that `story` tells is changed by `tamper` before it is sent.
    pub fn tampered(mut self, tamper: fn(&mut Vec<u8>), story: impl FnOnce(Self) -> Self) -> Self {
        self.tamper = Some(tamper);
        let mut told = story(self);
        told.tamper = None;
        told
    }

    /// What `story` tells lacks the non-ESP marker even on port 4500.
    pub fn without_marker(self, story: impl FnOnce(Self) -> Self) -> Self {
        self.marking(Marker::Never, story)
    }

    /// What `story` tells has the non-ESP marker even on port 500.
    pub fn with_marker(self, story: impl FnOnce(Self) -> Self) -> Self {
        self.marking(Marker::Always, story)
    }

    fn marking(mut self, marker: Marker, story: impl FnOnce(Self) -> Self) -> Self {
        self.marker = marker;
        let mut told = story(self);
        told.marker = Marker::ByPort;
        told
    }

    /// Every frame so far.
    pub fn capture(self) -> Capture {
        self.capture
    }

    /// Every frame so far, as a pcap file.
    pub fn pcap(self) -> Vec<u8> {
        self.capture.pcap()
    }
}

/// Saying something again.
impl Scenario {
    /// The last message again, `copies` times, with these gaps in seconds between; the last gap goes on.
    pub fn repeat(self, copies: usize, gaps: &[f64]) -> Self {
        let last = self.last.clone().expect("something to repeat");
        self.repeat_sent(&last, copies, gaps)
    }

    /// The last message of `side` again.
    pub fn repeat_from(self, side: Side, copies: usize, gaps: &[f64]) -> Self {
        let last = self.sent[side.index()].clone().expect("something to repeat");
        self.repeat_sent(&last, copies, gaps)
    }

    /// The last message again, its ciphertext different each time, as of a stack that encrypts anew.
    pub fn repeat_reencrypted(mut self, copies: usize, gaps: &[f64]) -> Self {
        let mut last = self.last.clone().expect("something to repeat");
        for copy in 0..copies {
            for message in &mut last.messages {
                let head = if message[17] == 0x20 { 32 } else { 28 };
                let fresh = self.filler.octets(message.len() - head);
                message.truncate(head);
                message.extend(fresh);
            }
            self = self.repeat_sent(&last, 1, &gaps[copy.min(gaps.len() - 1)..]);
        }
        self
    }

    fn repeat_sent(mut self, sent: &Sent, copies: usize, gaps: &[f64]) -> Self {
        for copy in 0..copies {
            let gap = gaps[copy.min(gaps.len() - 1)];
            self.clock += (gap * 1e9) as u64;
            self.transmit(sent.side, &sent.messages);
        }
        self
    }
}

/// From message to frame.
impl Scenario {
    fn header(&self, version: u8, exchange_type: u8, flags: u8, message_id: u32) -> Header {
        Header {
            initiator_spi: self.sa.initiator_spi,
            responder_spi: self.sa.responder_spi,
            version,
            exchange_type,
            flags,
            message_id,
        }
    }

    /// Any octets as an IKE message.
    pub fn raw(self, side: Side, message: &[u8]) -> Self {
        self.send(side, vec![message.to_vec()])
    }

    fn send(mut self, side: Side, mut messages: Vec<Vec<u8>>) -> Self {
        if let Some(tamper) = self.tamper {
            messages.iter_mut().for_each(tamper);
        }
        self.tick();
        self.transmit(side, &messages);
        let sent = Sent { side, messages };
        self.sent[side.index()] = Some(sent.clone());
        self.last = Some(sent);
        self
    }

    fn tick(&mut self) {
        self.clock += self.pause.take().unwrap_or(self.latency).as_nanos() as u64;
    }

    fn transmit(&mut self, side: Side, messages: &[Vec<u8>]) {
        let packets: Vec<Vec<u8>> = messages.iter().flat_map(|message| self.carry_ike(side, message)).collect();
        self.put(&packets);
    }

    /// Puts `packets` on the wire, a little apart, those that the story loses left out.
    fn put(&mut self, packets: &[Vec<u8>]) {
        for (index, packet) in packets.iter().enumerate() {
            if index > 0 {
                self.clock += 20_000;
            }
            if !self.unseen && !self.losing.contains(&(index + 1)) {
                self.capture.record(self.clock, packet);
            }
        }
        self.last_packet = packets.first().cloned().unwrap_or_default();
    }

    fn carry_ike(&mut self, side: Side, message: &[u8]) -> Vec<Vec<u8>> {
        if self.stream.is_some() {
            return self.carry_stream(side, &packet::streamed(message));
        }
        let marked = match self.marker {
            Marker::ByPort => self.floated,
            Marker::Never => false,
            Marker::Always => true,
        };
        self.carry_udp(side, &if marked { packet::marked(message) } else { message.to_vec() })
    }

    fn carry_udp(&mut self, side: Side, payload: &[u8]) -> Vec<Vec<u8>> {
        let (source, destination) = (self.endpoint(side), self.endpoint(side.other()));
        let datagram = packet::udp(source, destination, payload);
        let mtu = self.mtu;
        self.ip(side).fragments(packet::UDP, &datagram, mtu)
    }

    /// Where `side` is, as packets at the capture point say.
    fn endpoint(&self, side: Side) -> SocketAddr {
        if self.captured_inside && side == Side::Initiator { self.own_endpoint(side) } else { self.seen_endpoint(side) }
    }

    /// The port that `side` sends from; in TCP the initiator takes any (RFC 9329 §2).
    fn port(&self, side: Side) -> u16 {
        match (&self.stream, side) {
            (Some(_), Side::Initiator) => 51_234,
            (Some(_), Side::Responder) => 4500,
            (None, _) if self.floated => 4500,
            (None, _) => self.ike_port,
        }
    }

    /// Where `side` believes to be.
    fn own_endpoint(&self, side: Side) -> SocketAddr {
        SocketAddr::new(self.hosts[side.index()].own, self.port(side))
    }

    /// Where the other peer sees `side`.
    fn seen_endpoint(&self, side: Side) -> SocketAddr {
        let host = &self.hosts[side.index()];
        SocketAddr::new(host.seen, self.port(side) + host.port_shift)
    }

    fn is_behind_nat(&self, side: Side) -> bool {
        self.own_endpoint(side) != self.seen_endpoint(side)
    }

    /// Moves to port 4500 if the peers have found NAT, or anyway if told to.
    fn float_if_due(&mut self) {
        let natted = self.is_behind_nat(Side::Initiator) || self.is_behind_nat(Side::Responder);
        self.floated |= self.nat_t && (natted || self.float_anyway);
    }

    /// The IP header of `side`'s next packet.
    fn ip(&mut self, side: Side) -> Ip {
        let (source, destination) = (self.endpoint(side).ip(), self.endpoint(side.other()).ip());
        let host = &mut self.hosts[side.index()];
        host.ip_id = host.ip_id.wrapping_add(1);
        Ip { source, destination, id: host.ip_id, ttl: host.ttl }
    }
}

impl Default for Scenario {
    fn default() -> Self {
        Self::new()
    }
}
