//! Large captures: who the peers are, what each of them does when, and the one clock that orders it.
//!
//! `template` tells a negotiation, `frame` puts it on the wire, `file` into a file; `background` is everything else.
//! Not here: an encoder of IKE, which is the tests'. Contract: what is kept is a word for every event that is due and for
//! every ESP tunnel; never a packet.

mod background;
mod file;
mod frame;
mod fresh;
mod template;

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::io::{self, Write};

use background::Background;
use clap::ValueEnum;
use file::File;
use frame::{Addresses, ESP, Frames, Route};
use fresh::{belongs, fill, number};
use template::{Part, SUITES, Style, Telling, Template, World};

use crate::support::story::START;

const MILLISECOND: u64 = 1_000_000;
const SECOND: u64 = 1_000_000_000;
/// From the start of one pair's negotiation to the next pair's.
const APART: u64 = SECOND / 2000;
/// What is due comes up to so much later.
const JITTER: u64 = MILLISECOND / 5;
/// Rounds are at least this long, so that a pair's last one is over.
const ROUND: u64 = 60 * SECOND;
/// Between two packets of one ESP tunnel, on average.
const RHYTHM: u64 = 25 * MILLISECOND;
/// SAs live at least this long, or their re-keying would look like trouble.
const LIFE: u64 = 30 * SECOND;
/// Octets of an average ESP packet, with its record in a pcap file.
const ESP_OCTETS: u64 = 1304;
/// Octets of an average packet of a busy link, with its record.
const MIXED_OCTETS: u64 = 770;
/// One packet in so many of a busy link is ESP.
const MIXED_ESP: u64 = 20;
/// Share of the negotiations in `ike` that are followed by a liveness check, and by a re-key.
const CHECKED: f64 = 0.1;
const REKEYED: f64 = 0.1;
/// Between what happens in the life of a tunnel without traffic.
const PAUSE: u64 = 5 * SECOND;

/// What is in the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    /// IKE and nothing else: complete negotiations, half of them IKEv1
    #[value(alias = "ike-dense")]
    Ike,
    /// ESP of many tunnels, native and in UDP, each brought up by IKE
    #[value(alias = "esp-heavy")]
    Esp,
    /// A busy link of which 95 % is neither IKE nor ESP
    Mixed,
}

/// Form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// pcap
    Pcap,
    /// pcapng
    Pcapng,
}

/// What to make. Shares are 0 to 1.
#[derive(Debug, Clone)]
pub struct Order {
    /// What is in it.
    pub kind: Kind,
    /// Pairs of peers.
    pub pairs: Option<u32>,
    /// Complete negotiations of each.
    pub rounds: u32,
    /// Octets of the file, about.
    pub size: Option<u64>,
    /// SPIs that each side of an ESP tunnel uses in a round.
    pub spis: u32,
    /// Pairs on IPv6.
    pub ipv6: f64,
    /// Pairs on a VLAN.
    pub vlan: f64,
    /// IPv4 pairs with NAT.
    pub nat: f64,
    /// Pairs whose authentication goes in fragments.
    pub fragments: f64,
    /// Tunnels that are taken down.
    pub deleted: f64,
    /// Liveness checks of each tunnel in `ike`; one of some tunnels if nothing is said.
    pub checks: Option<u16>,
    /// How many different lengths the names have that peers give themselves.
    pub names: u16,
    /// Which one of its kind.
    pub seed: u64,
    /// Form of the file.
    pub format: Format,
    /// Nanoseconds in place of microseconds.
    pub nanoseconds: bool,
}

impl Order {
    /// The usual one of its kind.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            pairs: None,
            rounds: 1,
            size: None,
            spis: 1,
            ipv6: 0.0,
            vlan: 0.0,
            nat: 0.2,
            fragments: 0.0,
            deleted: 0.2,
            checks: None,
            names: 1,
            seed: 1,
            format: Format::Pcap,
            nanoseconds: false,
        }
    }
}

/// What was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Made {
    /// Frames.
    pub packets: u64,
    /// Octets of the file.
    pub octets: u64,
    /// UDP datagrams with an IKE message.
    pub messages: u64,
    /// ESP packets.
    pub esp: u64,
    /// Negotiations.
    pub negotiations: u64,
    /// Pairs of peers.
    pub pairs: u32,
}

/// Writes the capture that is wanted.
///
/// Errors: `out` takes no more.
pub fn make(order: &Order, out: impl Write) -> io::Result<Made> {
    let pairs = match (order.kind, order.pairs, order.size) {
        (_, Some(pairs), _) => pairs,
        (Kind::Ike, None, Some(size)) => pairs_in(order, size)?,
        (Kind::Ike | Kind::Esp, None, _) => 1000,
        (Kind::Mixed, None, _) => 50,
    };
    let mut maker = Maker::new(order, pairs, File::begin(out, order.format, order.nanoseconds)?);
    maker.run()?;
    Ok(Made {
        packets: maker.frames.file.packets,
        octets: maker.frames.file.octets,
        messages: maker.messages,
        esp: maker.esp,
        negotiations: maker.negotiations,
        pairs,
    })
}

/// Pairs whose negotiations take `size` octets: some are tried.
fn pairs_in(order: &Order, size: u64) -> io::Result<u32> {
    const TRIED: u32 = 2000;
    let made = make(&Order { pairs: Some(TRIED), size: None, ..order.clone() }, io::sink())?;
    Ok(u32::try_from(size * u64::from(TRIED) / made.octets).unwrap_or(u32::MAX).max(1))
}

/// Something that is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at: u64,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A negotiation begins, and the next one is planned.
    Begin { negotiation: u32 },
    /// A message of it.
    Step { negotiation: u32, part: u8, step: u8, generation: u16, requests: u16 },
    /// The next ESP packet of a tunnel.
    Esp { pair: u32 },
    /// Something that is not ours.
    Background { count: u64 },
}

/// An ESP tunnel.
#[derive(Debug, Clone, Copy, Default)]
struct Tunnel {
    sequence: [u32; 2],
    /// SAs one after the other; the SPIs follow from the number.
    generation: u16,
    /// Packets left for these SAs.
    left: u32,
    /// When the next SAs are there.
    change: Option<u64>,
    /// Requests that its initiator has sent (IKEv2).
    requests: u16,
    /// Number of its latest negotiation.
    negotiation: u32,
}

/// What follows from a pair's number.
struct Pair {
    template: usize,
    route: Route,
    nat: bool,
    deleted: bool,
}

struct Maker<'o, W> {
    order: &'o Order,
    pairs: u32,
    templates: Vec<Template>,
    frames: Frames<W>,
    background: Background,
    due: BinaryHeap<Reverse<Event>>,
    tunnels: Vec<Tunnel>,
    /// ESP packets of each tunnel under the same SAs, and the time between two.
    per_generation: u32,
    rhythm: u64,
    /// Packets that are not ours, and the time between two.
    others: u64,
    others_apart: u64,
    payload: Vec<u8>,
    messages: u64,
    esp: u64,
    negotiations: u64,
}

impl<'o, W: Write> Maker<'o, W> {
    fn new(order: &'o Order, pairs: u32, file: File<W>) -> Self {
        let size = order.size.unwrap_or(100_000_000);
        let (esp, others) = match order.kind {
            Kind::Ike => (0, 0),
            Kind::Esp => (size / ESP_OCTETS, 0),
            Kind::Mixed => {
                let packets = size / MIXED_OCTETS;
                (packets / MIXED_ESP, packets - packets / MIXED_ESP)
            }
        };
        let generations = u64::from(order.rounds) * u64::from(order.spis);
        // both sides have to be heard, or the tunnel is no healthy one
        let per_generation = (esp / u64::from(pairs) / generations).max(8) as u32;
        let rhythm = RHYTHM.max(if generations > 1 { LIFE / u64::from(per_generation) } else { 0 });
        let span = u64::from(per_generation) * generations * rhythm;
        Self {
            order,
            pairs,
            templates: templates(),
            frames: Frames::new(file),
            background: Background::new(order.seed),
            due: BinaryHeap::new(),
            tunnels: vec![Tunnel::default(); if order.kind == Kind::Ike { 0 } else { pairs as usize }],
            per_generation,
            rhythm,
            others,
            others_apart: (span / others.max(1)).max(1),
            payload: Vec::new(),
            messages: 0,
            esp: 0,
            negotiations: 0,
        }
    }

    fn run(&mut self) -> io::Result<()> {
        self.plan(START, What::Begin { negotiation: 0 });
        if self.others > 0 {
            self.plan(START, What::Background { count: 0 });
        }
        while let Some(Reverse(Event { at, what })) = self.due.pop() {
            match what {
                What::Begin { negotiation } => self.begin(at, negotiation),
                What::Step { negotiation, part, step, generation, requests } => {
                    self.step(at, negotiation, PARTS[usize::from(part)], step, generation, requests)?;
                }
                What::Esp { pair } => self.packet(at, pair)?,
                What::Background { count } => self.other(at, count)?,
            }
        }
        Ok(())
    }

    fn plan(&mut self, at: u64, what: What) {
        self.due.push(Reverse(Event { at, what }));
    }

    /// All that is the same each time this pair negotiates.
    fn pair(&self, pair: u32) -> Pair {
        let draw = |what: u64| number(&[self.order.seed, what, pair.into()]);
        let order = self.order;
        let world = match (belongs(draw(1), order.ipv6), belongs(draw(2), order.nat)) {
            (true, _) => World::V6,
            (false, true) => World::Nat,
            (false, false) => World::V4,
        };
        let style = match (belongs(draw(3), order.fragments), draw(4) % 2) {
            (false, _) => Style::Short,
            (true, 0) => Style::IpFragments,
            (true, _) => Style::IkeFragments,
        };
        // half of the pairs speak IKEv1
        let suite = pair as usize % 2 * 3 + draw(5) as usize % 3;
        let [_, high, middle, low] = pair.to_be_bytes();
        // each initiator has one tunnel to each of its responders, each responder tunnels to many
        let responder = high << 2 | low & 3;
        let addresses = if world == World::V6 {
            let host = |net, high, low| [0x20, 1, 0x0d, 0xb8, 0, net, 0, 0, 0, 0, 0, 0, 0, 0, high, low];
            Addresses::V6([host(1, middle, low), host(2, 1, responder)])
        } else {
            Addresses::V4([[198, 18, middle, low], [198, 19, 1, responder]])
        };
        let vlan = belongs(draw(6), order.vlan).then_some(100 + (draw(7) % 16) as u16);
        Pair {
            template: template_index(suite, world, style),
            route: Route { addresses, vlan },
            nat: world == World::Nat,
            deleted: belongs(draw(8), order.deleted),
        }
    }

    fn begin(&mut self, at: u64, negotiation: u32) {
        let step = What::Step { negotiation, part: Part::Negotiation as u8, step: 0, generation: 0, requests: 0 };
        self.plan(at, step);
        // tunnels with traffic come up once here, and again when their SAs have been used up
        let last = match self.order.kind {
            Kind::Ike => u64::from(self.pairs) * u64::from(self.order.rounds),
            Kind::Esp | Kind::Mixed => u64::from(self.pairs),
        };
        let next = negotiation + 1;
        if u64::from(next) < last {
            let round = ROUND.max(u64::from(self.pairs) * APART);
            let (number, place) = (u64::from(next / self.pairs), u64::from(next % self.pairs));
            let jitter = fresh::number(&[self.order.seed, 16, next.into()]) % JITTER;
            self.plan(START + number * round + place * APART + jitter, What::Begin { negotiation: next });
        }
    }

    fn step(
        &mut self,
        at: u64,
        negotiation: u32,
        part: Part,
        step: u8,
        generation: u16,
        requests: u16,
    ) -> io::Result<()> {
        let index = negotiation % self.pairs;
        let pair = self.pair(index);
        let told = self.templates[pair.template].part(part);
        let message = &told.steps[usize::from(step)];
        let telling = Telling {
            seed: number(&[self.order.seed, 9, negotiation.into()]),
            part: (part as u64) << 16 | u64::from(generation),
            requests: requests.into(),
            addresses: pair.route.addresses,
            names: [17, 18].map(|what| number(&[self.order.seed, what, index.into()]) as u16 % self.order.names),
        };
        message.tell(&telling, told, &mut self.payload);
        self.frames.udp(at, &pair.route, message.from, message.ports, &self.payload, true)?;
        self.messages += 1;
        let next = told.steps.get(usize::from(step) + 1).map(|next| next.offset - message.offset);
        let all = requests + told.requests as u16;
        if step == 0 && part == Part::Negotiation {
            self.negotiations += 1;
        }
        match next {
            Some(later) => {
                let what = What::Step { negotiation, part: part as u8, step: step + 1, generation, requests };
                // no two answers take equally long
                self.plan(at + later + number(&[telling.seed, telling.part, at]) % JITTER, what);
            }
            None if self.order.kind == Kind::Ike => self.go_on(at, negotiation, (part, generation), all, pair.deleted),
            None if part == Part::Negotiation && generation == 0 => {
                let tunnel = &mut self.tunnels[index as usize];
                *tunnel = Tunnel { left: self.per_generation, requests: all, negotiation, ..Tunnel::default() };
                self.plan(at + 50 * MILLISECOND, What::Esp { pair: index });
            }
            None => {}
        }
        Ok(())
    }

    /// What comes after a part of a negotiation without traffic.
    fn go_on(&mut self, at: u64, negotiation: u32, done: (Part, u16), requests: u16, deleted: bool) {
        let draw = |what: u64| number(&[self.order.seed, what, negotiation.into()]);
        let checks = self.order.checks.unwrap_or(belongs(draw(10), CHECKED).into());
        let checked = match done {
            (Part::Check, number) => number + 1,
            _ => 0,
        };
        let wanted = [
            (Part::Check, checked < checks, checked),
            (Part::Rekey, belongs(draw(11), REKEYED), 0),
            (Part::Farewell, deleted, 0),
        ];
        let comes = |part: Part| part as u8 > done.0 as u8 || part == Part::Check && done.0 == Part::Check;
        let next = wanted.into_iter().find(|&(part, wanted, _)| wanted && comes(part));
        if let Some((part, _, generation)) = next {
            let what = What::Step { negotiation, part: part as u8, step: 0, generation, requests };
            self.plan(at + PAUSE, what);
        }
    }

    /// An ESP packet of a tunnel, and what is due with it.
    fn packet(&mut self, at: u64, index: u32) -> io::Result<()> {
        let pair = self.pair(index);
        let mut tunnel = self.tunnels[index as usize];
        if tunnel.change.is_some_and(|change| at >= change) {
            tunnel = Tunnel {
                sequence: [0; 2],
                generation: tunnel.generation + 1,
                left: self.per_generation,
                change: None,
                ..tunnel
            };
        }
        let draw = number(&[self.order.seed, 12, index.into(), at]);
        // the first packets go both ways
        let from = match tunnel.sequence {
            [0, _] => 0,
            [_, 0] => 1,
            _ => (draw >> 8 & 1) as usize,
        };
        tunnel.sequence[from] += 1;
        let spi = number(&[self.order.seed, 13, index.into(), tunnel.generation.into(), from as u64]) as u32 | 0x100;
        self.payload.clear();
        self.payload.extend(spi.to_be_bytes());
        self.payload.extend(tunnel.sequence[from].to_be_bytes());
        self.payload.resize(esp_length(&pair, draw), 0);
        fill(&mut self.payload[8..], draw);
        if pair.nat {
            let ports = if from == 0 { [14_500, 4500] } else { [4500, 14_500] };
            self.frames.udp(at, &pair.route, from, ports, &self.payload, false)?;
        } else {
            self.frames.ip(at, &pair.route, from, ESP, &self.payload)?;
        }
        self.esp += 1;
        tunnel.left = tunnel.left.saturating_sub(1);
        let generations = self.order.rounds * self.order.spis;
        let is_last = u32::from(tunnel.generation) + 1 == generations;
        if tunnel.left == 0 && is_last {
            if pair.deleted {
                self.life(at + SECOND / 2, tunnel, Part::Farewell);
            }
            return Ok(());
        }
        // a rhythm that is right on average and never the same
        let mut next_at = at + self.rhythm / 2 + number(&[draw, 14]) % self.rhythm;
        if tunnel.left == 0 && tunnel.change.is_none() {
            let next = u32::from(tunnel.generation) + 1;
            let (part, start) = (if next % self.order.spis == 0 { Part::Negotiation } else { Part::Rekey }, at + 1000);
            if part == Part::Negotiation {
                tunnel.negotiation += self.pairs;
                tunnel.requests = 0;
            }
            let told = self.templates[pair.template].part(part);
            // what is under way on the old SAs still comes when the new ones are there
            let last = start + told.up + 10 * MILLISECOND;
            tunnel.change = Some(last + 1);
            next_at = last;
            let requests = told.requests as u16;
            self.life(start, tunnel, part);
            tunnel.requests += requests;
        }
        self.tunnels[index as usize] = tunnel;
        self.plan(next_at, What::Esp { pair: index });
        Ok(())
    }

    fn life(&mut self, at: u64, tunnel: Tunnel, part: Part) {
        let what = What::Step {
            negotiation: tunnel.negotiation,
            part: part as u8,
            step: 0,
            generation: tunnel.generation + 1,
            requests: tunnel.requests,
        };
        self.plan(at, what);
    }

    fn other(&mut self, at: u64, count: u64) -> io::Result<()> {
        let vlan = belongs(number(&[self.order.seed, 15, count]), self.order.vlan).then_some(20);
        self.background.packet(at, count, vlan, &mut self.frames)?;
        if count + 1 < self.others {
            self.plan(at + self.others_apart, What::Background { count: count + 1 });
        }
        Ok(())
    }
}

const PARTS: [Part; 4] = [Part::Negotiation, Part::Check, Part::Rekey, Part::Farewell];
const WORLDS: [World; 3] = [World::V4, World::V6, World::Nat];
const STYLES: [Style; 3] = [Style::Short, Style::IpFragments, Style::IkeFragments];

fn templates() -> Vec<Template> {
    let mut templates = Vec::new();
    for suite in 0..SUITES {
        for world in WORLDS {
            templates.extend(STYLES.map(|style| Template::new(suite, world, style)));
        }
    }
    templates
}

fn template_index(suite: usize, world: World, style: Style) -> usize {
    (suite * WORLDS.len() + world as usize) * STYLES.len() + style as usize
}

/// Octets of an ESP packet, SPI to ICV: five in six are as long as the link allows, the others short (RFC 4303 §2).
/// Even templates are AES-CBC with HMAC-SHA2-256-128, odd ones AES-GCM with a 16-octet ICV.
fn esp_length(pair: &Pair, draw: u64) -> usize {
    let is_long = !draw.is_multiple_of(6);
    let short = 48 + (draw >> 16) as usize % 200;
    let room = if pair.nat || matches!(pair.route.addresses, Addresses::V6(_)) { 1448 } else { 1480 };
    let (around, block) = if pair.template.is_multiple_of(2) { (8 + 16 + 16, 16) } else { (8 + 8 + 16, 4) };
    around + if is_long { room - around } else { short } / block * block
}
