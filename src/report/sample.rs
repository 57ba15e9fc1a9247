//! Hand-made facts for the tests of the report.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::base::{EspSpi, FrameRef, IkeSpi, LinkType, MessageId, Timestamp};
use crate::capture::CaptureInfo;
use crate::diagnose::pattern::{self, Missed, Pattern, Stage};
use crate::diagnose::{
    AttemptDiagnosis, Cause, Confidence, Diagnosis, Finding, Outcome, PairStatus, Severity, VendorLog, Verdict, Where,
    Words,
};
use crate::packet::{Class, Encapsulation};
use crate::track::*;

use super::{Counts, Report, Selection};

/// Facts and findings that belong together.
pub struct Sample {
    pub captures: Vec<(CaptureInfo, Counts)>,
    pub pairs: Vec<Pair>,
    /// Everything but the pairs.
    pub facts: Facts,
    /// Per pair.
    pub judged: Vec<Judged>,
    pub findings: Vec<Finding>,
}

/// Status and verdict of a pair; its attempts' verdict is the pair's.
#[derive(Clone, Copy)]
pub struct Judged {
    pub status: PairStatus,
    pub outcome: Outcome,
    pub verdict: &'static str,
}

impl Sample {
    pub fn report(&self) -> Report {
        Report::new(self.captures.clone(), &self.facts(), &self.diagnosis())
    }

    pub fn diagnosis(&self) -> Diagnosis {
        let mut diagnosis = Diagnosis::new();
        for (judged, pair) in self.judged.iter().zip(&self.pairs) {
            let verdict = Verdict::named(judged.verdict);
            let attempt = AttemptDiagnosis { outcome: judged.outcome, verdict };
            diagnosis.judge(judged.status, verdict, std::iter::repeat_n(attempt, pair.attempts.len()));
        }
        for finding in &self.findings {
            diagnosis.hold(finding.clone());
        }
        diagnosis
    }

    pub fn facts(&self) -> Facts {
        Facts { pairs: self.pairs.clone().into(), ..self.facts.clone() }
    }

    pub fn selected(&self, selection: &str) -> Report {
        let selection = selection.parse::<Selection>().unwrap();
        Report::selected(self.captures.clone(), &self.facts(), &self.diagnosis(), &selection)
    }
}

/// 2026-11-21T04:20:55.193Z and `millis` later.
pub fn at(millis: u64) -> Timestamp {
    Timestamp::from_parts(1_795_234_855, 193_000_000).after(Duration::from_millis(millis))
}

pub fn frame(number: u64) -> FrameRef {
    FrameRef::new(0, number)
}

pub fn v1_transform(number: u8, cipher: u64, bits: Option<u64>, hash: u64, auth: u64, group: u64) -> TransformFact {
    let mut attributes = vec![attribute(1, cipher)];
    attributes.extend(bits.map(|bits| attribute(14, bits)));
    attributes.extend([attribute(2, hash), attribute(3, auth), attribute(4, group), attribute(11, 1)]);
    attributes.push(attribute(12, 28_800));
    TransformFact { number, transform_type: 0, transform_id: 1, attributes }
}

pub fn v2_transform(transform_type: u8, transform_id: u16, bits: Option<u64>) -> TransformFact {
    let attributes = bits.map(|bits| attribute(14, bits)).into_iter().collect();
    TransformFact { number: 0, transform_type, transform_id, attributes }
}

pub fn attribute(attribute_type: u16, value: u64) -> AttributeFact {
    AttributeFact { attribute_type, number: Some(value), octets: None }
}

pub fn capture(path: &str, frames: u64) -> (CaptureInfo, Counts) {
    let info = CaptureInfo {
        watched_until: None,
        path: PathBuf::from(path),
        format: "pcapng",
        compression: None,
        link_types: vec![LinkType::ETHERNET],
        frames,
        octets: frames * 200,
        snapped: 0,
        first: Some(at(0)),
        last: Some(at(120_000)),
        cut_short: false,
        dropped: None,
        notes: Vec::new(),
    };
    let mut counts = Counts::default();
    for _ in 0..frames {
        counts.add(Class::Isakmp);
    }
    (info, counts)
}

pub fn pair(a: &str, b: &str) -> Pair {
    let (a, b): (IpAddr, IpAddr) = (a.parse().unwrap(), b.parse().unwrap());
    Pair {
        a,
        b,
        first: at(0),
        last: at(0),
        first_frame: frame(1),
        last_frame: frame(1),
        attempts: Vec::new(),
        flows: Vec::new(),
        icmp_errors: Vec::new(),
        incomplete: Vec::new(),
        malformed: Vec::new(),
        sent: [Seen::default(); 2],
    }
}

pub fn attempt(pair: &Pair, mode: Mode, number: u64, first: Timestamp, first_frame: u64) -> Attempt {
    let version = if mode == Mode::IkeV2 { IkeVersion::V2 } else { IkeVersion::V1 };
    Attempt {
        version,
        mode,
        initiator: SocketAddr::new(pair.a, 500),
        responder: SocketAddr::new(pair.b, 500),
        initiator_spi: IkeSpi(0x1122_3344_5566_7700 + number),
        responder_spi: IkeSpi::ZERO,
        first,
        last: first,
        first_frame: frame(first_frame),
        last_frame: frame(first_frame),
        exchanges: Vec::new(),
        offered: Arc::default(),
        chosen: None,
        vendor_ids: [Arc::default(), Arc::default()],
        nat: NatFacts::default(),
        midstream: false,
        roles_known: true,
        moves: Vec::new(),
        stage: Label::Mm(1),
        waiting_for: None,
        phase1_up: None,
        phase2_up: None,
        rekeyed_from: None,
        messages_forgotten: 0,
        forgotten_until: None,
    }
}

impl Attempt {
    /// Adds a message to the last exchange.
    pub fn say(
        &mut self,
        number: u64,
        at: Timestamp,
        label: Label,
        from: Side,
        length: u32,
        carried: Vec<PayloadFact>,
    ) -> &mut MessageRecord {
        let (source, destination) = match from {
            Side::Initiator => (self.initiator, self.responder),
            Side::Responder => (self.responder, self.initiator),
        };
        self.last = self.last.max(at);
        self.last_frame = frame(number);
        let messages = &mut self.exchanges.last_mut().unwrap().messages;
        messages.push(MessageRecord {
            frame: frame(number),
            at,
            label,
            from,
            source,
            destination,
            length,
            encrypted: carried.is_empty(),
            encapsulation: Encapsulation::Udp,
            non_esp_marker: false,
            flags: 0,
            ip_fragments: 1,
            ike_fragments: 0,
            ike_fragments_missing: None,
            ike_fragments_elsewhere: None,
            carried: carried.into(),
            fault: None,
            own_cookie: false,
            repeats: Vec::new(),
            repeat_count: 0,
            recorded_again: 0,
        });
        messages.last_mut().unwrap()
    }

    /// Begins an exchange.
    pub fn begin(&mut self, kind: ExchangeKind, message_id: u32, started_by: Side) {
        let message_id = MessageId(message_id);
        self.exchanges.push(Exchange { kind, message_id, started_by, messages: Vec::new() });
    }
}

impl MessageRecord {
    /// Adds repeats, each a frame and its time.
    pub fn repeated(&mut self, repeats: &[(u64, u64)]) {
        self.repeat_count = repeats.len() as u32;
        self.repeats = repeats
            .iter()
            .map(|&(number, millis)| Repeat { frame: frame(number), at: at(millis), changed: false, missing: None })
            .collect();
    }
}

pub fn payload(payload_type: u8, detail: PayloadDetail) -> PayloadFact {
    PayloadFact { payload_type, detail }
}

fn notify(payload_type: u8, notify_message_type: u16) -> PayloadFact {
    let detail = PayloadDetail::Notify { protocol_id: 1, spi_size: 0, notify_message_type, data: Box::default() };
    payload(payload_type, detail)
}

/// A pattern made for a test, with `change` made to it.
pub fn pattern(id: &'static str, change: impl FnOnce(&mut Pattern)) -> &'static Pattern {
    let mut pattern = Pattern {
        id,
        title: format!("a sentence about {id}").leak(),
        stage: Stage::Normal,
        severity: Severity::Info,
        prose: "",
        causes: &[],
        checks: &[],
        logs: &[],
        sources: &[],
        misses: Missed::Nothing,
        lost: &[],
        unanswered: &[],
        when: &[],
        by_story: false,
        check: |_| Vec::new(),
    };
    change(&mut pattern);
    Box::leak(Box::new(pattern))
}

pub fn finding(id: &'static str, severity: Severity, pair: usize, attempt: usize, frames: &[u64]) -> Finding {
    Finding {
        pattern: pattern(id, |_| {}),
        severity,
        confidence: Confidence::Stated,
        pair: Some(pair),
        attempt: Some(attempt),
        frames: frames.iter().map(|&number| frame(number)).collect(),
        count: 1,
        words: Arc::new(Words { seen: "what was seen".into(), means: "what it means".into(), ..Words::default() }),
        consequence_of: None,
    }
}

fn v1_offer() -> Vec<ProposalFact> {
    let transforms = vec![v1_transform(1, 7, Some(256), 4, 1, 14), v1_transform(2, 7, Some(128), 2, 1, 2)];
    vec![ProposalFact { number: 1, protocol_id: 1, spi: Box::default(), transforms }]
}

fn v2_offer() -> ProposalFact {
    let transforms = vec![
        v2_transform(1, 12, Some(256)),
        v2_transform(1, 12, Some(128)),
        v2_transform(2, 5, None),
        v2_transform(3, 12, None),
        v2_transform(4, 14, None),
        v2_transform(4, 19, None),
    ];
    ProposalFact { number: 1, protocol_id: 1, spi: Box::default(), transforms }
}

fn v2_choice() -> ProposalFact {
    let transforms = vec![
        v2_transform(1, 12, Some(256)),
        v2_transform(2, 5, None),
        v2_transform(3, 12, None),
        v2_transform(4, 14, None),
    ];
    ProposalFact { number: 1, protocol_id: 1, spi: Box::default(), transforms }
}

/// A pair whose Main Mode is refused `times` times, a minute apart.
pub fn refused(times: u64) -> Sample {
    let mut pair = pair("203.0.113.7", "198.51.100.2");
    for number in 0..times {
        let (base, first_frame) = (number * 60_000, 12 + number * 10);
        let mut attempt = attempt(&pair, Mode::Main, number, at(base), first_frame);
        attempt.offered = v1_offer().into();
        attempt.vendor_ids[0] = [Box::<[u8]>::from([
            0xaf, 0xca, 0xd7, 0x13, 0x68, 0xa1, 0xf1, 0xc9, 0x6b, 0x86, 0x96, 0xfc, 0x77, 0x57, 0x01, 0x00,
        ])]
        .into();
        attempt.begin(ExchangeKind::MainMode, 0, Side::Initiator);
        let carried = vec![
            payload(1, PayloadDetail::Sa { proposals: 1, transforms: 2 }),
            payload(13, PayloadDetail::VendorId { index: 0 }),
        ];
        attempt.say(first_frame, at(base), Label::Mm(1), Side::Initiator, 168, carried).repeated(&[
            (first_frame + 3, base + 4_000),
            (first_frame + 4, base + 11_200),
            (first_frame + 5, base + 24_200),
        ]);
        attempt.begin(ExchangeKind::InformationalV1, 0, Side::Responder);
        attempt.say(first_frame + 2, at(base + 50), Label::Inf, Side::Responder, 56, vec![notify(11, 14)]);
        attempt.last = at(base + 24_200);
        attempt.waiting_for = Some(Label::Mm(2));
        pair.attempts.push(attempt);
    }
    pair.sent[0].isakmp = times * 4;
    pair.sent[1].isakmp = times;
    pair.first_frame = frame(12);
    pair.last = pair.attempts.last().map_or(at(0), |attempt| attempt.last);
    let mut found = finding("P1-PROPOSAL", Severity::Error, 0, 0, &[12, 14]);
    found.count = times;
    found.seen = "message 1 was answered by NO-PROPOSAL-CHOSEN in clear after 50 ms, 10 times".into();
    found.means = "no transform that the initiator offered is in the responder's policy for this peer".into();
    found.causes = vec![
        Cause { text: "encryption, hash, group or method differ", likelihood: "likely", refuted: false },
        Cause {
            text: "the responder has no policy for this peer's address and falls back to another one",
            likelihood: "possible",
            refuted: false,
        },
    ];
    found.pattern = pattern("P1-PROPOSAL", |pattern| {
        pattern.title = "the responder refused every phase 1 proposal";
        pattern.checks = &[
            pattern::Check {
                side: Where::Responder,
                party: None,
                text: "encryption, hash, group and method of its phase 1 policy",
                about: &[],
            },
            pattern::Check {
                side: Where::Initiator,
                party: None,
                text: "the same on its side, against the offer below",
                about: &[],
            },
        ];
        pattern.logs = &[
            VendorLog { vendor: "PIX", message: "no offers accepted!", source: "PIX-11", about: &[] },
            VendorLog { vendor: "SMG", message: "Could not select an ISAKMP proposal", source: "SMG-12", about: &[] },
        ];
        pattern.sources = &["SMG-04", "RFC 2409 §5"];
    });
    let judged = Judged { status: PairStatus::DownNegotiating, outcome: Outcome::Failed, verdict: "P1-PROPOSAL" };
    Sample {
        captures: vec![capture("office.pcapng", times * 5)],
        facts: Facts { window: Some((at(0), pair.last.after(Duration::from_secs(35)))), ..Facts::default() },
        pairs: vec![pair],
        judged: vec![judged],
        findings: vec![found],
    }
}

/// A healthy IKEv2 tunnel behind NAT, with traffic; its first frame is `first_frame`.
pub fn healthy(a: &str, b: &str, first_frame: u64) -> (Pair, Judged, Finding) {
    let mut pair = pair(a, b);
    pair.first_frame = frame(first_frame);
    let mut attempt = attempt(&pair, Mode::IkeV2, 0x40, at(0), first_frame);
    attempt.responder_spi = IkeSpi(0xaabb_ccdd_eeff_0011);
    attempt.offered = vec![v2_offer()].into();
    attempt.chosen = Some(v2_choice().into());
    attempt.nat = NatFacts {
        own_matches: [Some(false), Some(true)],
        peer_matches: [Some(true), Some(true)],
        announced: [true, true],
        mismatch_frame: Some(frame(first_frame)),
    };
    let init = |mismatch: bool| {
        vec![
            payload(33, PayloadDetail::Sa { proposals: 1, transforms: 6 }),
            payload(34, PayloadDetail::KeyExchange { group: Some(14), length: 256 }),
            payload(40, PayloadDetail::Nonce { length: 32 }),
            payload(41, PayloadDetail::NatDetection { matches: Some(!mismatch) }),
            payload(41, PayloadDetail::NatDetection { matches: Some(true) }),
            notify(41, 16430),
        ]
    };
    attempt.begin(ExchangeKind::IkeSaInit, 0, Side::Initiator);
    attempt.say(first_frame, at(0), Label::SA_INIT_REQ, Side::Initiator, 464, init(true));
    attempt.say(first_frame + 1, at(12), Label::SA_INIT_RSP, Side::Responder, 472, init(false));
    attempt.initiator.set_port(4500);
    attempt.responder.set_port(4500);
    attempt.begin(ExchangeKind::IkeAuth, 1, Side::Initiator);
    let auth = attempt.say(
        first_frame + 2,
        at(31),
        Label::AUTH_REQ,
        Side::Initiator,
        1820,
        vec![payload(46, PayloadDetail::Plain)],
    );
    auth.encrypted = true;
    auth.ip_fragments = 2;
    auth.non_esp_marker = true;
    let answer = attempt.say(
        first_frame + 3,
        at(55),
        Label::AUTH_RSP,
        Side::Responder,
        256,
        vec![payload(46, PayloadDetail::Plain)],
    );
    answer.encrypted = true;
    answer.non_esp_marker = true;
    attempt.initiator.set_port(500);
    attempt.responder.set_port(500);
    attempt.moves = vec![Move {
        at: at(31),
        frame: frame(first_frame + 2),
        side: Side::Initiator,
        to: SocketAddr::new(pair.a, 4500),
    }];
    attempt.begin(ExchangeKind::InformationalV2, 2, Side::Initiator);
    for beat in 0..10 {
        let (number, millis) = (first_frame + 10 + beat * 4, 10_000 + beat * 10_000);
        let sk = || vec![payload(46, PayloadDetail::Plain)];
        attempt.say(number, at(millis), Label::INFORMATIONAL_REQ, Side::Initiator, 76, sk()).encrypted = true;
        attempt.say(number + 1, at(millis + 20), Label::INFORMATIONAL_RSP, Side::Responder, 76, sk()).encrypted = true;
    }
    attempt.stage = Label::AUTH_RSP;
    attempt.phase1_up = Some(at(55));
    attempt.phase2_up = Some(at(55));
    pair.attempts.push(attempt);
    let flow = |source, destination, spi, packets| EspFlow {
        source,
        destination,
        spi: EspSpi(spi),
        protocol: FlowProtocol::Esp,
        encapsulation: Encapsulation::Udp,
        packets,
        octets: packets * 1_100,
        first_sequence: 1,
        last_sequence: packets as u32 + 6,
        lost: 6,
        widest: 1,
        reordered: 0,
        deep: 0,
        duplicates: 1,
        changed: 0,
        copied: 0,
        recorded_again: 0,
        resets: 0,
        length_range: (104, 1_448),
        first: at(100),
        last: at(100_000),
        first_frame: frame(first_frame + 4),
        last_frame: frame(first_frame + 50),
        fragmented: 0,
        readable: 0,
        lengths: Lengths::default(),
        latest: None,
        ports: Some((4500, 4500)),
        port_change: None,
        ran_over: None,
        doubled: None,
        follows: None,
    };
    pair.flows = vec![flow(pair.a, pair.b, 0xc0ff_ee01, 1_204), flow(pair.b, pair.a, 0x0a0b_0c0d, 1_198)];
    pair.sent = [
        Seen { isakmp: 12, esp: 1_204, on_4500: 1_214, ..Seen::default() },
        Seen { isakmp: 12, esp: 1_198, on_4500: 1_208, ..Seen::default() },
    ];
    pair.last = at(100_020);
    let mut found = finding("OK-UP", Severity::Info, 0, 0, &[first_frame + 3]);
    found.pattern = pattern("OK-UP", |pattern| pattern.title = "the tunnel is up and carries traffic both ways");
    let judged = Judged { status: PairStatus::UpActive, outcome: Outcome::Established, verdict: "OK-UP" };
    (pair, judged, found)
}

/// A refused pair, then `count` healthy ones, the second of them over IPv6.
pub fn with_healthy(count: usize) -> Sample {
    let mut sample = refused(10);
    for number in 1..=count {
        let (a, b) = match number {
            2 => ("2001:db8:1234:5678:9abc:def0:1234:5678".into(), "2001:db8:ffff:ffff:ffff:ffff:ffff:1".into()),
            _ => (format!("192.0.2.{number}"), "192.0.2.254".to_string()),
        };
        let (pair, judged, mut found) = healthy(&a, &b, 1_000 * number as u64);
        found.pair = Some(sample.pairs.len());
        sample.pairs.push(pair);
        sample.judged.push(judged);
        sample.findings.push(found);
    }
    sample
}

/// Something of everything that a report can hold.
pub fn mixed() -> Sample {
    use crate::base::{Fault, FaultKind};
    use crate::packet::GaveUp;

    let mut sample = with_healthy(2);
    let pair = &mut sample.pairs[0];
    pair.icmp_errors.push(IcmpFact {
        from: "198.51.100.1".parse().unwrap(),
        version: 4,
        icmp_type: 3,
        code: 13,
        mtu: None,
        quoted_source: pair.a,
        quoted_destination: pair.b,
        about: IcmpAbout::Isakmp { source_port: 500, destination_port: 500 },
        initiator_spi: None,
        count: 3,
        frames: vec![frame(20), frame(30)],
        first: at(60_000),
        last: at(70_000),
    });
    pair.incomplete.push(IncompleteFact {
        source: pair.a,
        destination: pair.b,
        protocol: 17,
        ports: Some((500, 500)),
        ip_id: 7,
        fragments: 1,
        have: 1_480,
        total: None,
        missing_from: 1_480,
        first_seen: true,
        frame: frame(25),
        at: at(65_000),
        reason: GaveUp::TimedOut,
    });
    let fault = Fault { field: "payload length", at: 30, kind: FaultKind::Overrun { claims: 400, room: 20 } };
    pair.malformed.push(MalformedFact { frame: frame(27), at: at(66_000), direction: 1, fault });
    pair.attempts[0].exchanges[0].messages[0].fault = Some(fault);
    sample.captures[0].0.link_types.push(LinkType(147));
    for _ in 0..1_204 {
        sample.captures[0].1.add(Class::UnknownLink);
    }
    sample.facts.forgotten.messages = 3;
    sample.findings.push(Finding { pair: None, attempt: None, ..finding("C-SNAPLEN", Severity::Notice, 0, 0, &[1]) });
    sample
}
