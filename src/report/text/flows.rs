//! What belongs to a pair and not to a negotiation: ESP and AH, ICMP errors, fragments, what could not be read.

use std::io::{self, Write};

use crate::packet::{Encapsulation, GaveUp};
use crate::report::model::{EspFlow, IcmpError, Incomplete, Malformed, Pair};
use crate::report::quantity::{self, count, counted};
use crate::track::FlowProtocol;

use super::{Column, Page, View, Words};

/// Rows of each kind.
const SHOWN: usize = 16;

const COLUMNS: [Column; 10] = [
    Column::left(""),
    Column::left("SPI"),
    Column::left("carried"),
    Column::right("packets"),
    Column::right("octets"),
    Column::left("sequence"),
    Column::right("lost"),
    Column::right("late/twice"),
    Column::right("rate"),
    Column::left("seen"),
];

/// Prints them.
pub fn print(view: &View<'_>, page: &mut Page<'_, impl Write>, pair: &Pair) -> io::Result<()> {
    let flows: Vec<&EspFlow> = view.flows_of(pair).collect();
    if !flows.is_empty() {
        let palette = page.palette;
        let packets: u64 = flows.iter().map(|flow| flow.packets).fold(0, u64::saturating_add);
        page.blank()?;
        let title =
            format!("{} in {}", counted(packets, "packet", "packets"), counted(flows.len() as u64, "flow", "flows"));
        let ends = format!(", ▸ from {}, ◂ from {}", pair.a, pair.b);
        let of = |protocol| flows.iter().any(|flow| flow.protocol == protocol);
        let name = match (of(FlowProtocol::Esp), of(FlowProtocol::Ah)) {
            (true, true) => "ESP and AH",
            (false, true) => "AH",
            _ => "ESP",
        };
        page.paragraph(0, &Words::inked(palette.heading, format!("{name}: {title}")).and(ends))?;
        let rows: Vec<Vec<Words>> = flows.iter().take(SHOWN).map(|flow| row(view, page, pair, flow)).collect();
        page.table(2, &COLUMNS, &rows)?;
        if let Some((_, hidden)) = flows.split_at_checked(SHOWN).filter(|(_, hidden)| !hidden.is_empty()) {
            let packets = hidden.iter().map(|flow| flow.packets).fold(0, u64::saturating_add);
            let flows = counted(hidden.len() as u64, "more flow", "more flows");
            let line = format!("  … {flows} with {}", counted(packets, "packet", "packets"));
            page.line(&Words::inked(palette.faint, line))?;
        }
    }

    let report = view.report;
    let icmp: Vec<Words> =
        report.icmp_errors.iter().filter(|e| e.pair == pair.id).map(|e| icmp_words(view, e)).collect();
    list(page, "ICMP errors", icmp)?;
    let broken = report.incomplete.iter().filter(|datagram| datagram.pair == pair.id);
    list(page, "datagrams that never became whole", broken.map(|datagram| incomplete_words(view, datagram)).collect())?;
    let unreadable = report.malformed.iter().filter(|datagram| datagram.pair == pair.id);
    list(page, "unreadable on an IKE port", unreadable.map(|datagram| malformed_words(view, datagram)).collect())
}

fn row(view: &View<'_>, page: &Page<'_, impl Write>, pair: &Pair, flow: &EspFlow) -> Vec<Words> {
    let palette = page.palette;
    let number = |number: u64| match number {
        0 => Words::inked(palette.faint, "0"),
        number => Words::inked(palette.warning, count(number)),
    };
    let protocol = match flow.protocol {
        FlowProtocol::Esp => "ESP",
        FlowProtocol::Ah => "AH",
    };
    let mut carried = match flow.encapsulation {
        Encapsulation::None => protocol.to_string(),
        Encapsulation::Udp => format!("{protocol}/UDP"),
        Encapsulation::Tcp => format!("{protocol}/TCP"),
    };
    // MOBIKE and rebinding: the flow stays with its pair and comes from elsewhere.
    if flow.source != pair.a && flow.source != pair.b {
        carried.push_str(&format!(" from {}", flow.source));
    }
    if flow.destination != pair.a && flow.destination != pair.b {
        carried.push_str(&format!(" to {}", flow.destination));
    }
    let mut sequence =
        Words::of(format!("{} – {}", count(flow.first_sequence.into()), count(flow.last_sequence.into())));
    if flow.resets > 0 {
        sequence =
            sequence.and_inked(palette.warning, format!(" ({})", counted(flow.resets.into(), "reset", "resets")));
    }
    let disorder = match (flow.reordered, flow.duplicates) {
        (0, 0) => Words::inked(palette.faint, "0/0"),
        (late, twice) => Words::inked(palette.notice, format!("{}/{}", count(late), count(twice))),
    };
    vec![
        Words::of(if flow.source == pair.a || flow.destination == pair.b { "▸" } else { "◂" }),
        Words::inked(palette.label, flow.spi.to_string()),
        Words::of(carried),
        Words::of(count(flow.packets)),
        Words::of(quantity::octets(flow.octets)),
        sequence,
        if view.counts_elsewhere(flow) { Words::inked(palette.faint, "–") } else { number(flow.lost) },
        disorder,
        Words::of(quantity::rate(flow.packets, flow.last.since(flow.first)).unwrap_or_default()),
        Words::inked(palette.faint, view.clock.range(flow.first, flow.last)),
    ]
}

fn list(page: &mut Page<'_, impl Write>, title: &str, entries: Vec<Words>) -> io::Result<()> {
    if entries.is_empty() {
        return Ok(());
    }
    let palette = page.palette;
    page.blank()?;
    page.line(&Words::inked(palette.heading, title))?;
    let left = entries.len().saturating_sub(SHOWN);
    for entry in entries.iter().take(SHOWN) {
        page.wrapped(Words::of("  "), &Words::of("    "), entry)?;
    }
    if left > 0 {
        page.line(&Words::inked(palette.faint, format!("  … {} more", count(left as u64))))?;
    }
    Ok(())
}

fn icmp_words(view: &View<'_>, error: &IcmpError) -> Words {
    let about = match (error.about, error.quoted_ports) {
        ("isakmp", Some(ports)) => format!("IKE (port {} to {})", ports.source, ports.destination),
        ("esp-in-udp", _) => "ESP in UDP".into(),
        ("esp", _) => "ESP".into(),
        ("ah", _) => "AH".into(),
        _ => "a later fragment".into(),
    };
    let mtu = error.mtu.map(|mtu| format!(", next hop takes {mtu} octets")).unwrap_or_default();
    Words::of(format!(
        "{} ×{}, {} says: {}{mtu}, about {about} from {} to {}; {}",
        view.clock.range(error.first, error.last),
        count(error.count),
        error.from,
        error.text,
        error.quoted_source,
        error.quoted_destination,
        quantity::frames(&error.frames, view.many_captures),
    ))
}

fn incomplete_words(view: &View<'_>, datagram: &Incomplete) -> Words {
    let why = match datagram.reason {
        GaveUp::TimedOut => "in time",
        GaveUp::CaptureEnded => "before the capture ended",
        GaveUp::Evicted => "before it was given up",
    };
    let what = match (datagram.protocol, datagram.ports) {
        (17, Some(ports)) => format!("UDP from port {} to port {}", ports.source, ports.destination),
        (17, None) => "UDP".into(),
        (50, _) => "ESP".into(),
        (51, _) => "AH".into(),
        (other, _) => format!("IP protocol {other}"),
    };
    let of = datagram.total.map(|total| format!(" of {total}")).unwrap_or_default();
    let missing = if datagram.first_seen {
        format!("what follows octet {} did not come {why}", datagram.missing_from)
    } else {
        format!("the first fragment did not come {why}")
    };
    Words::of(format!(
        "{} {what}, {} ▸ {}: {} with {}{of} octets; {missing}; frame {}",
        view.clock.second(datagram.at),
        datagram.source,
        datagram.destination,
        counted(datagram.fragments.into(), "fragment", "fragments"),
        datagram.have,
        quantity::frame(datagram.frame, view.many_captures),
    ))
}

fn malformed_words(view: &View<'_>, datagram: &Malformed) -> Words {
    let frame = quantity::frame(datagram.frame, view.many_captures);
    Words::of(format!("frame {frame}, from {}: {}", datagram.source, datagram.fault))
}
