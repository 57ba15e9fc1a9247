//! What is read first: the captures, and how each pair stands.

use std::io::{self, Write};

use crate::diagnose::{Outcome, PairStatus, Severity};
use crate::report::model::{Capture, Counts, Pair};
use crate::report::quantity::{self, count, counted};
use crate::report::words::{Word, cisco_status};

use super::{Page, Palette, View, Words, ladder, mode, standing, twice};

/// Rows of the table of pairs, and of the compact list.
pub const SHOWN: usize = 50;
/// Captures that are listed one by one.
const CAPTURES: usize = 10;

/// Prints captures and the table of pairs.
pub fn print(view: &View<'_>, page: &mut Page<'_, impl Write>) -> io::Result<()> {
    let report = view.report;
    let palette = page.palette;
    let mut title = Words::inked(palette.heading, format!("ikescope {}", report.tool_version));
    if let (Some(window), Some(day)) = (report.window, view.clock.day()) {
        let span = quantity::span(window.last.since(window.first));
        title = title.and(format!(" · {day}, {} UTC · {span}", view.clock.range(window.first, window.last)));
    }
    page.paragraph(0, &title)?;
    page.blank()?;

    page.line(&Words::inked(palette.heading, "captures"))?;
    let (shown, others) = report.captures.split_at(report.captures.len().min(CAPTURES));
    for capture in shown {
        print_capture(view, page, capture)?;
    }
    if !others.is_empty() {
        let frames = others.iter().map(|capture| capture.frames).fold(0, u64::saturating_add);
        let more = counted(others.len() as u64, "more capture", "more captures");
        let line = format!("… and {more}: {}, {}", counted(frames, "frame", "frames"), counts(&total(others)));
        page.paragraph(2, &Words::inked(palette.faint, line))?;
    }
    if view.many_captures {
        page.paragraph(2, &Words::inked(palette.faint, "frames below are written capture:frame"))?;
    }
    page.blank()?;

    if report.pairs.is_empty() {
        let nothing = match report.selection.as_slice() {
            [] if report.captures.iter().any(|capture| capture.cut_short && capture.frames == 0) => {
                "no IKE, ESP or AH was seen: the file is incomplete, and no frame could be read from it".to_string()
            }
            [] if !report.captures.is_empty() && report.captures.iter().all(|capture| capture.frames == 0) => {
                "no IKE, ESP or AH was seen: the capture is empty. Check its filter, interface and place".to_string()
            }
            [] => "no IKE, ESP or AH was seen".to_string(),
            selection => format!("no IKE, ESP or AH was seen of {}", quantity::listed(selection)),
        };
        return page.paragraph(0, &Words::inked(palette.warning, nothing));
    }
    print_tally(view, page)?;
    print_pairs(view, page)
}

fn print_capture(view: &View<'_>, page: &mut Page<'_, impl Write>, capture: &Capture) -> io::Result<()> {
    let palette = page.palette;
    let number = if view.many_captures { format!("{:>3}  ", capture.id) } else { "  ".into() };
    let mut about = vec![match capture.compression {
        Some(compression) => format!("{} ({compression})", capture.format),
        None => capture.format.to_string(),
    }];
    about.extend((!capture.link_types.is_empty()).then(|| capture.link_types.join(" + ")));
    about.push(counted(capture.frames, "frame", "frames"));
    if let (Some(first), Some(last)) = (capture.first, capture.last) {
        about.push(format!("{} ({})", view.clock.range(first, last), quantity::span(last.since(first))));
    }
    let indent = number.len();
    let hang = Words::of(" ".repeat(indent));
    let line = Words::inked(palette.heading, capture.path.clone()).and(format!(": {}", about.join(", ")));
    page.wrapped(Words::inked(palette.faint, number), &hang, &line)?;
    page.wrapped(hang.clone(), &hang, &Words::of(counts(&capture.counts)))?;

    let mut notes: Vec<String> = Vec::new();
    if capture.cut_short && capture.notes.is_empty() {
        notes.push("the file ends inside a record".into());
    }
    if capture.snapped > 0 {
        let frames = counted(capture.snapped, "frame was", "frames were");
        notes.push(format!("{frames} recorded shorter than on the wire: capture whole ones (snap length 0)"));
    }
    if let Some(dropped) = capture.dropped.filter(|&dropped| dropped > 0) {
        notes.push(format!("the recorder dropped {}", counted(dropped, "frame", "frames")));
    }
    notes.extend(capture.notes.iter().cloned());
    for note in notes {
        let head = hang.clone().and_inked(palette.notice, "note: ");
        page.wrapped(head, &Words::of(" ".repeat(indent + 6)), &Words::of(note))?;
    }
    Ok(())
}

fn total(captures: &[Capture]) -> Counts {
    captures.iter().fold(Counts::default(), |sum, capture| sum.plus(&capture.counts))
}

fn counts(counts: &Counts) -> String {
    let kinds = [
        (counts.ike, "IKE"),
        (counts.esp, "ESP"),
        (counts.esp_udp, "ESP in UDP"),
        (counts.ah, "AH"),
        (counts.keepalive, "NAT keepalives"),
        (counts.icmp_error, "ICMP errors about them"),
        (counts.ip_fragment, "IP fragments"),
        (counts.malformed, "unreadable"),
        (counts.other, "other"),
    ];
    let seen: Vec<String> = kinds
        .iter()
        .filter(|(number, _)| *number > 0)
        .map(|(number, kind)| format!("{} {kind}", count(*number)))
        .collect();
    if seen.is_empty() { "nothing in it".into() } else { seen.join(" · ") }
}

fn print_tally(view: &View<'_>, page: &mut Page<'_, impl Write>) -> io::Result<()> {
    let tally = &view.tally;
    let palette = page.palette;
    let statuses = [
        PairStatus::Down,
        PairStatus::DownNegotiating,
        PairStatus::UpNoIke,
        PairStatus::Unknown,
        PairStatus::UpIdle,
        PairStatus::UpActive,
    ];
    let mut parts = Vec::new();
    for status in statuses {
        let number = tally.of_status(status);
        if number > 0 {
            parts.push(
                Words::of(format!("{} ", count(number))).and_inked(status_ink(&palette, status), cisco_status(status)),
            );
        }
    }
    let pairs = counted(tally.pairs as u64, "pair", "pairs");
    let twice = view.before.iter().flatten().count() as u64;
    let twice = (twice > 0 && tally.pairs <= SHOWN)
        .then(|| format!(", {} seen on both sides of a NAT", counted(twice, "tunnel", "tunnels")));
    let mut line =
        Words::inked(palette.heading, pairs).and(twice.unwrap_or_default()).and(": ").join(Words::joined(parts, ", "));
    for (severity, number, one, many) in
        [(Severity::Error, tally.errors, "error", "errors"), (Severity::Warning, tally.warnings, "warning", "warnings")]
    {
        if number > 0 {
            line = line.and(" · ").and_inked(severity_ink(&palette, severity), counted(number, one, many));
        }
    }
    page.paragraph(0, &line)?;
    page.blank()
}

fn print_pairs(view: &View<'_>, page: &mut Page<'_, impl Write>) -> io::Result<()> {
    const NAME: usize = 33;
    let palette = page.palette;
    let row = |name: Words, status: Words, attempts: &str, sent: &str, received: &str| {
        name.padded(NAME).and("  ").join(status.padded(16)).and(format!("  {attempts:>8}  {sent:>7}  {received:>7}"))
    };
    let faint = |text: &str| Words::inked(palette.faint, text);
    let narrow = page.width < NAME + 2 + 16 + 28;
    if !narrow {
        page.line(&row(faint("pair, a ⇄ b"), faint("status"), "attempts", "ESP a ▸", "ESP b ◂"))?;
    }
    for &id in view.by_need.iter().take(SHOWN) {
        let Some(pair) = view.report.pairs.get(id) else { continue };
        let name = Words::inked(palette.heading, format!("{} ⇄ {}", pair.a, pair.b));
        let status = view.status(pair);
        let status = Words::inked(status_ink(&palette, status), cisco_status(status));
        let attempts = count(pair.attempts.len() as u64);
        let [sent, received] = [pair.sent_by_a, pair.sent_by_b].map(|sent| quantity::short_count(sent.protected()));
        if narrow {
            page.paragraph(0, &name)?;
            let rest = status.and(format!(", attempts {attempts}, ESP ▸ {sent} ◂ {received}"));
            page.paragraph(2, &rest)?;
        } else if name.width() > NAME {
            page.line(&name)?;
            page.line(&row(Words::default(), status, &attempts, &sent, &received))?;
        } else {
            page.line(&row(name, status, &attempts, &sent, &received))?;
        }
        let again = twice::words(view, pair);
        if let Some(words) = &again {
            page.wrapped(Words::of("  "), &Words::of("    "), &Words::of(words.clone()))?;
        }
        if let Some(verdict) = pair.verdict {
            let finding = view.verdict(pair, verdict);
            if finding.is_some_and(|finding| twice::was_told(view, pair, finding)) {
                continue;
            }
            let line = match finding {
                Some(finding) => {
                    severity_words(&palette, finding.severity, verdict).and(": ").and(finding.title.clone())
                }
                None => Words::inked(palette.notice, verdict),
            };
            page.wrapped(Words::of("  "), &Words::of("    "), &line)?;
            // All was well, and then somebody began anew.
            let normal = finding.is_some_and(|finding| finding.severity == Severity::Info);
            if let Some(open) = awaited(view, pair).filter(|_| normal && pair.status == PairStatus::DownNegotiating) {
                page.wrapped(Words::of("  "), &Words::of("    "), &Words::inked(palette.notice, open))?;
            }
        } else if let Some(open) = still_open(view, pair).filter(|_| again.is_none()) {
            page.wrapped(Words::of("  "), &Words::of("    "), &Words::inked(palette.notice, open))?;
        }
    }
    if let Some(hidden) = view.tally.pairs.checked_sub(SHOWN).filter(|&hidden| hidden > 0) {
        let pairs = counted(hidden as u64, "more pair", "more pairs");
        page.paragraph(0, &faint(&format!("… and {pairs}: --pair shows one, --format json all")))?;
    }
    Ok(())
}

/// How the capture ends.
fn end(view: &View<'_>) -> &'static str {
    if view.is_cut_off() { "the file is cut off" } else { "the capture ends" }
}

/// What to say of a pair about which there is no finding: the capture ended too early for one.
fn still_open(view: &View<'_>, pair: &Pair) -> Option<String> {
    let attempt = view.report.attempts.get(*pair.attempts.last()?)?;
    let end = end(view);
    let sent = [(pair.a, pair.sent_by_a), (pair.b, pair.sent_by_b)].map(|(end, sent)| (end, sent.protected()));
    if let (Outcome::Established, [(from, 1..), (_, 0)] | [(_, 0), (from, 1..)]) = (attempt.outcome, sent) {
        return Some(format!("too early to tell: {end} while ESP of {from} has no answer"));
    }
    awaited(view, pair)
}

/// What the last attempt waits for as the capture ends, if nothing explains why.
fn awaited(view: &View<'_>, pair: &Pair) -> Option<String> {
    let attempt = view.report.attempts.get(*pair.attempts.last()?)?;
    let end = end(view);
    let unexplained = attempt.outcome == Outcome::Unfinished && attempt.verdict.is_none();
    let awaited = attempt.waiting_for.as_ref().filter(|_| unexplained)?;
    let cut = view.report.malformed.iter().filter(|datagram| datagram.pair == pair.id && datagram.fault.is_cut());
    let cut = cut.count() as u64;
    if cut > 0 {
        let cut = counted(cut, "datagram on an IKE port was", "datagrams on an IKE port were");
        return Some(format!("cannot be told: {awaited} is awaited, and {cut} captured too short to be read"));
    }
    Some(format!("too early to tell: {end} while {awaited} is awaited"))
}

/// Prints the line that a pair begins with.
pub fn print_heading(view: &View<'_>, page: &mut Page<'_, impl Write>, pair: &Pair) -> io::Result<()> {
    let palette = page.palette;
    let name = format!("{} ⇄ {}", pair.a, pair.b);
    let ink = status_ink(&palette, view.status(pair));
    let status = cisco_status(view.status(pair));
    if 3 + name.chars().count() + 2 + status.len() > page.width {
        page.paragraph(0, &Words::inked(palette.heading, name))?;
        let line = Words::inked(palette.faint, "── ").and_inked(ink, status);
        let rule = format!(" {}", "─".repeat(page.width.saturating_sub(line.width() + 1).min(200)));
        return page.line(&line.and_inked(palette.faint, rule));
    }
    let used = 3 + name.chars().count() + 2 + status.len() + 1;
    let line =
        Words::inked(palette.faint, "── ").and_inked(palette.heading, name).and("  ").and_inked(ink, status).and(" ");
    let rule = "─".repeat(page.width.saturating_sub(used).min(200));
    page.line(&line.and_inked(palette.faint, rule).cut(page.width))
}

/// Prints pairs in two lines each, the first few of all those that are left: `problems` and `healthy` of them.
pub fn print_compact(
    view: &View<'_>,
    page: &mut Page<'_, impl Write>,
    pairs: &[&Pair],
    problems: usize,
    healthy: usize,
) -> io::Result<()> {
    let palette = page.palette;
    page.blank()?;
    let left = problems + healthy;
    let (problems, healthy) = (problems as u64, healthy as u64);
    let title = match (problems, healthy) {
        (0, healthy) => format!("{} without a problem", counted(healthy, "pair", "pairs")),
        (problems, 0) => format!("{} with problems", counted(problems, "more pair", "more pairs")),
        (problems, healthy) => format!("{problems} more pairs with problems, {healthy} without"),
    };
    let title = Words::inked(palette.heading, title).and_inked(palette.faint, ", in short (--pair shows one in full)");
    page.paragraph(0, &title)?;
    for pair in pairs.iter().take(SHOWN) {
        let status = view.status(pair);
        let line = Words::inked(palette.heading, format!("{} ⇄ {}", pair.a, pair.b))
            .and(" · ")
            .and_inked(status_ink(&palette, status), cisco_status(status))
            .and(pair.verdict.map(|verdict| format!(" · {verdict}")).unwrap_or_default());
        page.wrapped(Words::of("  "), &Words::of("    "), &line)?;
        let Some(attempt) = view.report.attempts_of(pair).last() else {
            page.paragraph(4, &Words::inked(palette.faint, esp_text(view, pair)))?;
            continue;
        };
        let mut parts = vec![mode(attempt).to_string(), standing(attempt)];
        if let Some(chosen) = &attempt.chosen {
            parts.push(chosen.text.clone());
        }
        parts.extend(ladder::nat_text(attempt));
        if pair.attempts.len() > 1 {
            parts.insert(0, format!("last of {} attempts", count(pair.attempts.len() as u64)));
        }
        page.paragraph(4, &Words::inked(palette.faint, parts.join(" · ")))?;
    }
    if let Some(hidden) = left.checked_sub(SHOWN).filter(|&hidden| hidden > 0) {
        page.line(&Words::inked(palette.faint, format!("  … and {} more", count(hidden as u64))))?;
    }
    Ok(())
}

fn esp_text(view: &View<'_>, pair: &Pair) -> String {
    let [sent, received] = [pair.sent_by_a, pair.sent_by_b].map(|sent| count(sent.protected()));
    let flows = counted(view.flows_of(pair).count() as u64, "flow", "flows");
    format!("no IKE · ESP ▸ {sent} ◂ {received} in {flows}, {}", view.clock.range(pair.first, pair.last))
}

/// Prints what was forgotten, if anything was.
pub fn print_foot(view: &View<'_>, page: &mut Page<'_, impl Write>) -> io::Result<()> {
    let forgotten = view.report.forgotten;
    let kinds = [
        (forgotten.pairs, "pair", "pairs"),
        (forgotten.attempts, "attempt", "attempts"),
        (forgotten.flows, "flow", "flows"),
        (forgotten.messages, "message", "messages"),
        (forgotten.reassemblies, "reassembly", "reassemblies"),
        (forgotten.streams, "TCP stream", "TCP streams"),
    ];
    let words: Vec<String> = kinds
        .iter()
        .filter(|(number, ..)| *number > 0)
        .map(|(number, one, many)| counted(*number, one, many))
        .collect();
    if words.is_empty() {
        return Ok(());
    }
    page.blank()?;
    let note = format!("{} forgotten to stay within the limits of memory", quantity::listed(&words));
    let head = Words::inked(page.palette.warning, "note: ");
    page.wrapped(head, &Words::of("      "), &Words::of(note))
}

/// Ink of a status.
pub fn status_ink(palette: &Palette, status: PairStatus) -> anstyle::Style {
    match status {
        PairStatus::UpActive | PairStatus::UpIdle => palette.good,
        PairStatus::UpNoIke | PairStatus::Unknown => palette.warning,
        PairStatus::DownNegotiating | PairStatus::Down => palette.error,
    }
}

/// Ink of a severity.
pub fn severity_ink(palette: &Palette, severity: Severity) -> anstyle::Style {
    match severity {
        Severity::Error => palette.error,
        Severity::Warning => palette.warning,
        Severity::Notice | Severity::Advisory => palette.notice,
        Severity::Info => palette.good,
    }
}

/// A severity's word and ink.
pub fn severity_words(palette: &Palette, severity: Severity, id: &str) -> Words {
    Words::inked(severity_ink(palette, severity), format!("{}[{id}]", severity.word()))
}
