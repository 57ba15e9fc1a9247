//! The lines of the screen: how a pair stands, in the width there is.
//!
//! Contract: text that came from a packet has been escaped by the report; nothing here is cut without an ellipsis.

use ansi_to_tui::IntoText;
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::Text;

use crate::base::Timestamp;
use crate::diagnose::{Outcome, PairStatus, Severity};
use crate::report::quantity::{self, count};
use crate::report::text::{self, Palette};
use crate::report::words::{Word, cisco_status};
use crate::report::{Attempt, Finding, Pair, Report};

use super::{Rate, View};

/// Text as the report prints it, in columns of the screen.
pub(super) fn printed(
    width: u16,
    view: &View,
    render: impl FnOnce(&mut Vec<u8>, &text::Style) -> std::io::Result<()>,
) -> Text<'static> {
    let palette = if view.colour { Palette::colour() } else { Palette::plain() };
    let running = view.shown.as_ref().is_some_and(|(_, status)| status.ended.is_none());
    let style = text::Style { width: width.into(), palette, running, ..text::Style::default() };
    let mut octets = Vec::new();
    // writing to memory cannot fail
    let _ = render(&mut octets, &style);
    octets.into_text().unwrap_or_else(|_| Text::raw(String::from_utf8_lossy(&octets).into_owned()))
}

/// `203.0.113.7 ⇄ 198.51.100.2`.
pub(super) fn name(pair: &Pair) -> String {
    format!("{} ⇄ {}", pair.a, pair.b)
}

/// How a pair stands, in a word or two.
pub(super) fn status(pair: &Pair) -> &'static str {
    cisco_status(pair.status)
}

/// The colour of a status, for those who see one.
pub(super) fn status_style(pair: &Pair, colour: bool) -> Style {
    if !colour {
        return Style::new();
    }
    Style::new().fg(match pair.status {
        PairStatus::UpActive | PairStatus::UpIdle => Color::Green,
        PairStatus::UpNoIke | PairStatus::Unknown => Color::Yellow,
        PairStatus::DownNegotiating | PairStatus::Down => Color::Red,
    })
}

/// The colour of a severity, for those who see one.
pub(super) fn severity_style(severity: Severity, colour: bool) -> Style {
    let style = if severity >= Severity::Warning { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    if !colour {
        return style;
    }
    style.fg(match severity {
        Severity::Error => Color::Red,
        Severity::Warning => Color::Yellow,
        Severity::Notice | Severity::Advisory => Color::Cyan,
        Severity::Info => Color::Green,
    })
}

/// How far the youngest attempt got, and what it waits for since when: `MM5 ×3, no MM6 for 14.2 s`.
pub(super) fn how_far(report: &Report, pair: &Pair, now: Timestamp) -> String {
    let Some(attempt) = report.attempts_of(pair).last() else {
        return if pair.sent_by_a.protected().saturating_add(pair.sent_by_b.protected()) > 0 {
            "traffic, no IKE seen".into()
        } else {
            "no negotiation seen".into()
        };
    };
    let tries = match pair.attempts.len() {
        1 => String::new(),
        tries => format!("try {}: ", count(tries as u64)),
    };
    format!("{tries}{}", reached(report, attempt, now))
}

fn reached(report: &Report, attempt: &Attempt, now: Timestamp) -> String {
    let (Some(next), false) = (attempt.waiting_for, attempt.outcome == Outcome::Established) else {
        return text::standing(attempt);
    };
    let messages = report.messages_of(attempt);
    let furthest = messages.iter().rev().map(|(_, message)| message).find(|message| message.label == attempt.stage);
    let Some(furthest) = furthest else { return text::standing(attempt) };
    let copies = match furthest.retransmission_count {
        0 => String::new(),
        repeats => format!(" ×{}", count(u64::from(repeats) + 1)),
    };
    format!("{}{copies}, no {next} for {}", attempt.stage, quantity::span(now.since(furthest.at)))
}

/// The finding that explains a pair: `error[P1-PSK]: the pre-shared keys do not match (inferred)`.
pub(super) fn verdict<'a>(report: &'a Report, pair: &Pair) -> Option<(&'a Finding, String)> {
    let finding = report.verdict_finding(pair.id, pair.verdict?)?;
    let words =
        format!("{}[{}]: {} ({})", finding.severity.word(), finding.id, finding.title, finding.confidence.word());
    Some((finding, words))
}

/// What to say of a pair about which there is no finding yet.
pub(super) fn no_verdict(report: &Report, pair: &Pair, now: Timestamp) -> String {
    let attempt = report.attempts_of(pair).last();
    match attempt.and_then(|attempt| Some((attempt, attempt.waiting_for?))) {
        Some((attempt, next)) if attempt.outcome != Outcome::Established => {
            format!("too early to tell: {next} is awaited for {}", quantity::span(now.since(attempt.last)))
        }
        _ => "nothing to say about this pair yet".into(),
    }
}

/// `12.0/s 1.3 KiB/s`, or `quiet`.
pub(super) fn rate(rate: Rate) -> String {
    if rate.packets < 0.05 {
        return "quiet".into();
    }
    let packets = if rate.packets < 100.0 { format!("{:.1}", rate.packets) } else { count(rate.packets as u64) };
    format!("{packets}/s, {}/s", quantity::octets(rate.octets as u64))
}

/// `12/s`, in few columns.
pub(super) fn short_rate(rate: Rate) -> String {
    match rate.packets {
        none if none < 0.05 => "–".into(),
        few if few < 9.95 => format!("{few:.1}"),
        many => quantity::short_count(many.round() as u64),
    }
}

/// `text` in at most `width` columns.
pub(super) fn cut(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(width.saturating_sub(1)).collect();
    if width > 0 {
        short.push('…');
    }
    short
}

/// `text` cut or filled up to exactly `width` columns.
pub(super) fn fill(text: &str, width: usize) -> String {
    let text = cut(text, width);
    format!("{text:width$}")
}
