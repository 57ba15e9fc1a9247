//! Scripts of datagrams with any address, any time and any message: the facts keep within their ceilings, the report is
//! sound, and the clock may stand anywhere.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use ikescope::base::{EspSpi, FrameRef, Limits, Timestamp};
use ikescope::diagnose;
use ikescope::packet::{
    AhPacket, Aside, Body, Datagram, Encapsulation, EspPacket, GaveUp, IcmpError, IncompleteDatagram, IsakmpDatagram,
    Quoted,
};
use ikescope::report::Report;
use ikescope::track::Tracker;

use super::Asked;
use super::craft::Header;
use super::report::{check_ids, check_json, check_text, octets_of};
use super::script::Script;

/// Datagrams of one script.
const MOST_STEPS: u64 = 128;

/// Flags: usual ceilings (1), twice (2), by a shifted clock (4), and little memory (8). Then the datagrams. One report in eight is written as
/// text, one in eight as JSON; of the scripts that want to be told twice, or later, one in four is.
pub fn hold(octets: &[u8], asked: Asked) {
    let [flags, octets @ ..] = octets else { return };
    let mut limits = if flags & 1 == 0 { tight() } else { Limits::default() };
    if flags & 8 != 0 {
        (limits.octets, limits.working) = (3_000, 2);
    }
    let told = tell(octets, &limits, Duration::ZERO);
    check_ceilings(&told.report, &limits, told.frames);
    check_ids(&told.report);
    if asked.one_in(8, 0) {
        check_text(&told.report, "");
    }
    if asked.one_in(8, 1) {
        check_json(&octets_of(&told.report));
    }
    if flags & 2 != 0 && asked.one_in(4, 2) {
        let again = tell(octets, &limits, Duration::ZERO);
        assert_eq!(octets_of(&told.report), octets_of(&again.report), "the same datagrams give the same report");
    }
    if flags & 4 != 0 && told.any_clock && asked.one_in(4, 3) {
        let later = tell(octets, &limits, Duration::from_secs(86_400 * 366));
        assert_eq!(claims(&told.report), claims(&later.report), "a shifted clock changes what is found");
    }
}

/// Ceilings that a short script reaches.
fn tight() -> Limits {
    Limits {
        pairs: 3,
        attempts: 5,
        flows: 3,
        messages_an_attempt: 6,
        repeats_a_message: 2,
        reassemblies: 2,
        reassembly_octets: 300,
        reassembly_time: Duration::from_secs(30),
        icmp_errors: 2,
        ..Limits::default()
    }
}

/// What a script came to.
struct Told {
    report: Report,
    frames: u64,
    /// No time of it stands where a shift would run into the end of all time.
    any_clock: bool,
}

/// What is found, without times of day.
fn claims(report: &Report) -> Vec<String> {
    let findings = report.findings.iter().map(|finding| {
        format!(
            "{} {:?} {:?} {:?} {:?} {} {:?}",
            finding.id,
            finding.severity,
            finding.confidence,
            finding.pair,
            finding.attempt,
            finding.count,
            finding.frames
        )
    });
    let pairs = report.pairs.iter().map(|pair| format!("{} {} {:?} {:?}", pair.a, pair.b, pair.status, pair.verdict));
    findings.chain(pairs).collect()
}

fn check_ceilings(report: &Report, limits: &Limits, frames: u64) {
    assert!(report.pairs.len() <= limits.pairs, "{} pairs", report.pairs.len());
    assert!(report.attempts.len() <= limits.attempts, "{} attempts", report.attempts.len());
    assert!(report.esp_flows.len() <= limits.flows, "{} flows", report.esp_flows.len());
    assert!(report.icmp_errors.len() <= limits.icmp_errors, "{} ICMP errors", report.icmp_errors.len());
    for attempt in &report.attempts {
        let messages = report.messages_of(attempt);
        assert!(messages.len() <= limits.messages_an_attempt, "{} messages of an attempt", messages.len());
        for (_, message) in messages {
            assert!(message.retransmissions.len() <= limits.repeats_a_message);
            assert!(message.retransmissions.len() as u64 <= u64::from(message.retransmission_count));
            assert!((1..=frames).contains(&message.frame));
        }
    }
    for finding in &report.findings {
        assert!(finding.frames.iter().all(|frame| (1..=frames).contains(&frame.frame)), "{finding:?}");
    }
}

/// Addresses that a datagram may travel between.
fn address(number: u8) -> IpAddr {
    match number & 7 {
        6 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
        7 => IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2)),
        5 => IpAddr::V4(Ipv4Addr::new(10, 0, 0, 5)),
        last => IpAddr::V4(Ipv4Addr::new(192, 0, 2, last)),
    }
}

const PORTS: [u16; 4] = [500, 4500, 500, 61_234];

/// Exchange types, those that are followed first (RFC 2408 §3.1, RFC 7296 §3.1).
const EXCHANGES: [u8; 16] = [2, 4, 5, 6, 32, 33, 34, 35, 36, 37, 38, 43, 44, 1, 0, 240];

/// Payload types, those that are looked into first.
const PAYLOADS: [u8; 32] = [
    1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 20, 21, 130, 132, 33, 34, 35, 36, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
    53, 200,
];

/// Moves the clock: mostly on, sometimes back, seldom anywhere.
fn step(at: i64, code: u8, any_clock: &mut bool) -> i64 {
    const SECOND: i64 = 1_000_000_000;
    match code {
        0..200 => at.saturating_add(i64::from(code) * i64::from(code) * 1_000_000),
        200..230 => at.saturating_add(i64::from(code - 199) * 600 * SECOND),
        230..240 => at.saturating_sub(i64::from(code - 229) * SECOND / 4),
        240..248 => at.saturating_sub(i64::from(code - 239) * 3600 * SECOND),
        _ => {
            *any_clock = false;
            match code {
                248 => 0,
                249 => i64::MIN,
                250 => i64::MAX,
                251 => i64::MIN + 1,
                252 => at.saturating_neg(),
                _ => at.saturating_add(i64::MAX / 2),
            }
        }
    }
}

fn tell(octets: &[u8], limits: &Limits, shift: Duration) -> Told {
    let script = Script::new(octets);
    let mut tracker = Tracker::new(limits);
    let mut nanos = 1_700_000_000_000_000_000_i64;
    let (mut frames, mut any_clock) = (0, true);
    while !script.is_over() && frames < MOST_STEPS {
        frames += 1;
        let [op, clock, ends, ports] = [script.u8(), script.u8(), script.u8(), script.u8()];
        nanos = step(nanos, clock, &mut any_clock);
        let at = Timestamp::from_nanos(nanos).after(shift);
        let message;
        let source_port = PORTS[usize::from(ports & 3)];
        let destination_port = PORTS[usize::from(ports >> 2 & 3)];
        let encapsulation = [Encapsulation::Udp, Encapsulation::None, Encapsulation::Udp, Encapsulation::Tcp]
            [usize::from(ports >> 4 & 3)];
        let body = match op % 8 {
            // Octets as they are.
            0 => {
                message = script.run(usize::from(script.u16() % 2048)).to_vec();
                isakmp(source_port, destination_port, encapsulation, &message)
            }
            // A message with its lengths right.
            1..=3 => {
                message = crafted(&script);
                isakmp(source_port, destination_port, encapsulation, &message)
            }
            4 => Body::Esp(EspPacket {
                spi: EspSpi(u32::from(script.u8())),
                sequence: script.u32(),
                length: u32::from(script.u16()),
                encapsulation,
                ports: (source_port, destination_port),
                readable: ports & 64 != 0,
            }),
            5 => Body::Ah(AhPacket {
                spi: EspSpi(u32::from(script.u8())),
                sequence: script.u32(),
                length: u32::from(script.u16()),
                next_header: 50,
            }),
            6 => {
                message = crafted(&script);
                Body::IcmpError(icmp_error(&script, &message, source_port, destination_port))
            }
            _ => {
                message = script.run(usize::from(script.u8() % 32)).to_vec();
                beside(&script, at, source_port, destination_port, &message)
            }
        };
        let datagram = Datagram {
            frame: FrameRef::new(0, frames),
            first_frame: FrameRef::new(0, frames),
            at,
            interface: 0,
            source: address(ends),
            destination: address(ends >> 3),
            ip_id: (ends & 64 != 0).then_some(u32::from(ports)),
            ttl: 64,
            fragments: 1 + u16::from(ends >> 7),
            ambiguous_overlap: false,
            missing: u32::from(op >> 5),
            body,
        };
        tracker.advance(at);
        tracker.observe(&datagram);
    }
    let facts = tracker.into_facts();
    let report = Report::new(Vec::new(), &facts, &diagnose::diagnose(&facts));
    Told { report, frames, any_clock }
}

fn isakmp(source_port: u16, destination_port: u16, encapsulation: Encapsulation, octets: &[u8]) -> Body<'_> {
    let non_esp_marker = source_port == 4500 || destination_port == 4500;
    Body::Isakmp(IsakmpDatagram { source_port, destination_port, encapsulation, non_esp_marker, octets })
}

fn crafted(script: &Script<'_>) -> Vec<u8> {
    let [kind, spis, flags, message_id] = [script.u8(), script.u8(), script.u8(), script.u8()];
    let exchange_type = EXCHANGES[usize::from(kind & 15)];
    let header = Header {
        spis: (u64::from(spis & 3) + 1, u64::from(spis >> 2 & 3)),
        version: if kind & 128 != 0 {
            0x30
        } else if exchange_type >= 34 {
            0x20
        } else {
            0x10
        },
        exchange_type,
        flags,
        message_id: u32::from(message_id),
    };
    let payloads: Vec<(u8, &[u8])> = (0..script.u8() % 12)
        .map(|_| (PAYLOADS[usize::from(script.u8() & 31)], script.run(usize::from(script.u8()))))
        .collect();
    header.message(&payloads)
}

fn icmp_error<'a>(script: &Script<'_>, isakmp: &'a [u8], source_port: u16, destination_port: u16) -> IcmpError<'a> {
    let [kind, quoted, ends, mtu] = [script.u8(), script.u8(), script.u8(), script.u8()];
    IcmpError {
        version: if kind & 1 == 0 { 4 } else { 6 },
        icmp_type: kind >> 1 & 15,
        code: kind >> 5,
        mtu: (mtu != 0).then_some(u32::from(mtu) * 16),
        quoted_source: address(ends),
        quoted_destination: address(ends >> 3),
        quoted_ip_id: None,
        quoted: match quoted & 3 {
            0 => Quoted::Udp {
                source_port,
                destination_port,
                length: isakmp.len() as u16,
                isakmp: &isakmp[..isakmp.len().min(usize::from(quoted))],
                esp: (quoted & 128 != 0).then_some(EspSpi(7)),
            },
            1 => Quoted::Esp { spi: Some(EspSpi(u32::from(quoted))) },
            2 => Quoted::Ah { spi: None },
            _ => Quoted::Fragment { protocol: 17 },
        },
    }
}

fn beside<'a>(script: &Script<'_>, at: Timestamp, source_port: u16, destination_port: u16, name: &'a [u8]) -> Body<'a> {
    let [kind, more] = [script.u8(), script.u8()];
    match kind % 5 {
        0 => Body::Keepalive { source_port, destination_port },
        1 => Body::Aside(Aside::ClearPrivate { count: u64::from(more) }),
        2 => Body::Aside(Aside::ClearL2tp),
        3 => Body::Aside(Aside::DnsFailure { code: more & 15, name }),
        _ => Body::Incomplete(IncompleteDatagram {
            protocol: [17, 50, 51, 17][usize::from(more & 3)],
            ip_id: u32::from(more),
            ports: (more & 4 != 0).then_some((source_port, destination_port)),
            fragments: u16::from(more >> 3) + 1,
            have: u32::from(more) * 8,
            total: (more & 8 != 0).then_some(u32::from(more) * 16),
            missing_from: u32::from(more) * 8,
            first_seen: more & 4 != 0,
            reason: [GaveUp::TimedOut, GaveUp::CaptureEnded, GaveUp::Evicted][usize::from(kind >> 4) % 3],
            since: at,
        }),
    }
}
