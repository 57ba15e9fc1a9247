//! One finding, in the manner of rustc: level, id, sentence; the place; the evidence as a small ladder; what it means,
//! what to check and where. Or in short, where it explains nothing by itself.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::SocketAddr;

use crate::base::FrameRef;
use crate::diagnose::{Severity, Where};
use crate::report::model::{Attempt, Finding, Message, VendorLog, VendorStates};
use crate::report::quantity;
use crate::report::words::{self, Word};
use crate::track::{Mode, Side};

use super::{Page, View, Words, message, mode, summary};

/// Messages shown as evidence; the ladder below has them all.
const EVIDENCE: usize = 6;
/// Causes named; the page of the pattern has them all.
const CAUSES: usize = 4;

/// Prints a finding that is good to know and explains nothing by itself: advice, what is normal, consequences.
pub fn print_short(view: &View<'_>, page: &mut Page<'_, impl Write>, finding: &Finding) -> io::Result<()> {
    let palette = page.palette;
    let mut told = vec![finding.title.clone()];
    match finding.consequence_of {
        // The cause has said what was seen.
        Some(_) => told.push(finding.means.clone()),
        None if finding.severity == Severity::Notice => told.extend([finding.seen.clone(), finding.means.clone()]),
        None => told.push(finding.seen.clone()),
    }
    told.retain(|words| !words.is_empty());
    let mut place = Vec::new();
    place.extend(finding.consequence_of.map(|cause| format!("follows from {cause}")));
    match finding.frames.as_slice() {
        [] => {}
        [first, _, _, ..] => place.push(format!("from frame {} on", quantity::frame(*first, view.many_captures))),
        few => place.push(quantity::frames(few, view.many_captures)),
    }
    let (title, rest) = (told.remove(0), told.join("; "));
    let mut words = Words::inked(palette.heading, title);
    if !rest.is_empty() {
        words = words.and(format!(" – {rest}"));
    }
    if !place.is_empty() {
        words = words.and(" ").join(Words::whole(palette.faint, &format!("({})", place.join(", "))));
    }
    let head = Words::of("  ").join(summary::severity_words(&palette, finding.severity, finding.id)).and(" ");
    page.wrapped(head, &Words::of("    "), &words)
}

/// Prints a finding.
pub fn print(view: &View<'_>, page: &mut Page<'_, impl Write>, finding: &Finding) -> io::Result<()> {
    let palette = page.palette;
    let confidence = finding.confidence.word();
    let head = summary::severity_words(&palette, finding.severity, finding.id).and(": ");
    let title = Words::inked(palette.heading, finding.title.clone());
    let used = head.width() + title.width();
    if used + 2 + confidence.len() <= page.width {
        let line = head.join(title).padded(page.width - confidence.len());
        page.line(&line.and_inked(palette.faint, confidence))?;
    } else {
        page.wrapped(head, &Words::of("    "), &title.and_inked(palette.faint, format!(" ({confidence})")))?;
    }

    let attempt = finding.attempt.and_then(|id| view.report.attempts.get(id));
    if view.brief {
        return print_fields(view, page, 0, attempt, finding);
    }
    let evidence = match attempt {
        Some(attempt) if finding.severity > Severity::Info => evidence(view, attempt, finding),
        _ => Vec::new(),
    };
    let number = |message: &Message| quantity::frame(message.frame_ref(), view.many_captures);
    let gutter = evidence.iter().map(|message| number(message).len()).max().unwrap_or(0).max(2);
    let bar = |text: &str| Words::inked(palette.faint, format!("{text:>gutter$} | "));

    print_place(view, page, gutter, attempt, finding)?;
    if let (Some(attempt), false) = (attempt, evidence.is_empty()) {
        page.line(&bar(""))?;
        for message in &evidence {
            let words = message::arrow(&palette, message)
                .and(" ")
                .join(Words::inked(palette.label, message.label.to_string()))
                .and("  ")
                .join(message::content(&palette, attempt, message));
            page.line(&bar(&number(message)).join(words).cut(page.width))?;
        }
        page.line(&bar(""))?;
    }
    print_fields(view, page, gutter, attempt, finding)
}

/// The messages that the finding's frames show, or that they repeat.
fn evidence<'a>(view: &View<'a>, attempt: &'a Attempt, finding: &Finding) -> Vec<&'a Message> {
    let frames: BTreeSet<FrameRef> = finding.frames.iter().copied().collect();
    let shows = |message: &Message| {
        let repeats = message.retransmissions.iter().map(|repeat| FrameRef::new(repeat.capture, repeat.frame));
        std::iter::once(message.frame_ref()).chain(repeats).any(|frame| frames.contains(&frame))
    };
    let messages = view.report.messages_of(attempt);
    messages.into_iter().map(|(_, message)| message).filter(|message| shows(message)).take(EVIDENCE).collect()
}

fn print_place(
    view: &View<'_>,
    page: &mut Page<'_, impl Write>,
    gutter: usize,
    attempt: Option<&Attempt>,
    finding: &Finding,
) -> io::Result<()> {
    let palette = page.palette;
    let mut place = Vec::new();
    match (attempt, finding.pair.and_then(|id| view.report.pair(id))) {
        (Some(attempt), _) => {
            let [initiator, responder] = [attempt.initiator, attempt.responder].map(endpoint);
            place.push(match attempt.roles_known {
                true => format!("initiator {initiator} → responder {responder}"),
                false => format!("{initiator} ⇄ {responder}"),
            });
            place.push(mode(attempt).into());
        }
        (None, Some(pair)) => place.push(format!("{} ⇄ {}", pair.a, pair.b)),
        (None, None) => {}
    }
    if !finding.frames.is_empty() {
        place.push(quantity::frames(&finding.frames, view.many_captures));
    }
    // On attempts, what was seen tells how many.
    if finding.count > 1 && attempt.is_none() {
        place.push(format!("×{}\u{a0}in\u{a0}all", quantity::count(finding.count)));
    }
    if place.is_empty() {
        return Ok(());
    }
    let head = Words::inked(palette.faint, format!("{:>gutter$}--> ", ""));
    let hang = Words::of(" ".repeat(gutter + 4));
    page.wrapped(head, &hang, &Words::of(place.join(", ")))
}

fn print_fields(
    view: &View<'_>,
    page: &mut Page<'_, impl Write>,
    gutter: usize,
    attempt: Option<&Attempt>,
    finding: &Finding,
) -> io::Result<()> {
    let palette = page.palette;
    let mut field = |name: &str, words: Words| {
        if words.is_empty() {
            return Ok(());
        }
        let head = Words::inked(palette.faint, format!("{:>gutter$} = ", ""))
            .and_inked(palette.label, format!("{name}:"))
            .padded(gutter + 10);
        page.wrapped(head, &Words::of(" ".repeat(gutter + 10)), &words)
    };
    let wants_action = finding.severity >= Severity::Warning;
    field("seen", Words::of(finding.seen.clone()))?;
    field("means", Words::of(finding.means.clone()))?;
    if finding.severity < Severity::Notice {
        return field("next", finding.settle.as_deref().map(step).unwrap_or_default());
    }
    for cause in finding.causes.iter().take(CAUSES) {
        field("cause", Words::inked(palette.faint, format!("{}: ", cause.likelihood)).and(cause.text.clone()))?;
    }
    for check in &finding.checks {
        let text = Words::of(check.text.clone());
        // Some checks name the place themselves.
        let told = check.text.starts_with("on the ");
        let words =
            if told { text } else { Words::inked(palette.heading, place(check.side, attempt)).and(": ").join(text) };
        field("check", words)?;
    }
    if let Some(settle) = &finding.settle {
        field("next", step(settle))?;
    }
    if let Some(attempt) = attempt.filter(|attempt| wants_action && attempt.verdict == Some(finding.id)) {
        field("state", states(&attempt.states))?;
    }
    field("logs", logs(view, attempt, finding))?;
    if let Some(cause) = finding.consequence_of {
        field("from", Words::of(format!("a consequence of {cause}")))?;
    }
    if wants_action {
        field("more", Words::of(format!("ikescope explain {}", finding.id)))?;
    }
    Ok(())
}

/// What would settle it, as the next step.
fn step(settle: &str) -> Words {
    let is_question = ["whether ", "which ", "what ", "how "].iter().any(|word| settle.starts_with(word));
    if is_question { Words::of(format!("find out {settle}")) } else { Words::of(settle) }
}

/// Vendors whose products are met most, Cisco's first as the source documents are about them mostly.
const MET_MOST: [&str; 9] =
    ["Cisco ASA", "Cisco IOS", "Fortinet", "Palo Alto", "strongSwan", "libreswan", "Check Point", "Windows", "Cisco"];

/// One line of each of a few vendors: first those whose vendor ids were seen, then those met most.
fn logs(view: &View<'_>, attempt: Option<&Attempt>, finding: &Finding) -> Words {
    const VENDORS: usize = 4;
    let latest = || view.report.pair(finding.pair?)?.attempts.last().and_then(|&id| view.report.attempts.get(id));
    let families: Vec<&str> = attempt
        .or_else(latest)
        .into_iter()
        .flat_map(|attempt| [Side::Initiator, Side::Responder].map(|side| attempt.vendor_ids.of(side)))
        .flatten()
        .filter_map(|vendor_id| vendor_id.family)
        .collect();
    let of_this_mode = |log: &&VendorLog| attempt.is_none_or(|attempt| !is_of_another_mode(log.message, attempt.mode));
    let mut logs: Vec<&VendorLog> = finding.logs.iter().filter(of_this_mode).collect();
    let rank = |vendor: &str| MET_MOST.iter().position(|met| vendor == *met).unwrap_or(MET_MOST.len());
    logs.sort_by_key(|log| (!families.iter().any(|family| is_of(log.vendor, family)), rank(log.vendor)));
    let mut vendors: Vec<&str> = Vec::new();
    let mut lines = Vec::new();
    for log in logs {
        if vendors.len() < VENDORS && !vendors.contains(&log.vendor) {
            vendors.push(log.vendor);
            lines.push(Words::of(format!("{} \"{}\"", words::vendor(log.vendor), log.message)));
        }
    }
    Words::joined(lines, " · ")
}

/// Whether a log line names the one mode of phase 1 and the attempt was in the other.
fn is_of_another_mode(line: &str, mode: Mode) -> bool {
    let line = line.to_lowercase().replace('_', " ");
    let names = |name: &str, short: &str| line.contains(name) || line.split_whitespace().any(|word| word == short);
    let (main, aggressive) = (names("main mode", "mm"), names("aggressive mode", "ag"));
    match mode {
        Mode::Main => aggressive && !main,
        Mode::Aggressive => main && !aggressive,
        _ => false,
    }
}

/// Whether log lines of `vendor` are those of products that send vendor ids of `family`.
fn is_of(vendor: &str, family: &str) -> bool {
    let vendor = vendor.to_lowercase().replace(' ', "");
    vendor.contains(if family == "microsoft" { "windows" } else { family })
}

/// What vendors call a stage, in one line.
pub fn states(states: &VendorStates) -> Words {
    let names = [
        ("Cisco ASA", states.cisco_asa),
        ("Cisco IOS", states.cisco_ios),
        ("libreswan", states.libreswan),
        ("strongSwan", states.strongswan),
    ];
    let named = names.iter().filter_map(|(vendor, name)| name.map(|name| format!("{vendor} {name}")));
    let named: Vec<Words> = named.map(|named| Words::whole(Default::default(), &named)).collect();
    match states.side {
        Some(side) if !named.is_empty() => Words::joined(named, " · ").and(format!(" (the {})", side.word())),
        _ => Words::joined(named, " · "),
    }
}

/// An address, with its port where it is not the usual one.
fn endpoint(at: SocketAddr) -> String {
    if at.port() == 500 { at.ip().to_string() } else { at.to_string() }
}

/// Where to check, with the address of the box.
fn place(side: Where, attempt: Option<&Attempt>) -> String {
    match (side, attempt.filter(|attempt| attempt.roles_known)) {
        (Where::Initiator, Some(attempt)) => format!("on the initiator {}", attempt.initiator.ip()),
        (Where::Responder, Some(attempt)) => format!("on the responder {}", attempt.responder.ip()),
        (Where::Initiator, None) => "on the initiator".into(),
        (Where::Responder, None) => "on the responder".into(),
        (Where::Path, _) => "between them".into(),
        (Where::Capture, _) => "at the capture point".into(),
        (Where::Either, _) => "on both sides".into(),
    }
}
