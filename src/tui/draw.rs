//! The panels: pairs on top, the chosen one's ladder, and what is wrong with it; or one page that fills the screen.
//!
//! Contract: draws into any area, however small, and never outside of it.

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span, Text};
use ratatui::widgets::{Clear, Paragraph};

use crate::report::quantity::{self, count, counted};
use crate::report::text::{render_attempt, render_findings, render_flows, render_pair, render_rungs};
use crate::report::{Pair, Report};

use super::view::{Entry, Page, Panel, View};
use super::{Status, words};

/// From this width on, ladder and findings stand side by side.
const WIDE: u16 = 130;
/// The name of a pair of IPv4 addresses.
const NAME: usize = 33;
const NAME_LEAST: usize = 20;
const STATUS: usize = 16;

const HELP: &str = "\
 ↑ ↓  j k        choose a pair; the one that needs you most is on top
 Tab  ← →        turn the lower panel: why · ladder · traffic
 PgUp PgDn       scroll the lower panel
 Enter           everything about the pair; Esc goes back
 /               show only pairs that hold this text (address, status, finding); Esc shows all
 p               hold the display; the capture goes on, and p again shows where it is
 w               write the frames kept in memory to a file
 ?               this page
 q  Ctrl-C       end, with the report on the terminal

 In the list:  MM5 ×3, no MM6 for 14 s  means that message 5 of Main Mode was sent three times and
 message 6 has been owed for 14 s.  In ladders ▸ is from the initiator and ◂ from the responder; the
 times are seconds since the attempt began. All clock times are UTC.

 A finding is stated (a peer said so in clear, or the wire shows it), inferred (no other reading
 fits) or suspected (the best of several; it says what would settle it). Findings come and go as
 the evidence does: silence has to last before it is called silence.
";

pub(super) fn draw(view: &mut View, frame: &mut Frame<'_>) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(0), Constraint::Length(1)]).areas(frame.area());
    frame.render_widget(header(view, head.width.into()), head);
    match view.page {
        Page::Overview => overview(view, frame, body),
        Page::Detail => {
            let text = match (&view.shown, view.pair()) {
                (Some((report, _)), Some(pair)) => {
                    words::printed(body.width, view, |out, style| render_pair(report, pair, out, style))
                }
                _ => Text::raw("this pair is no longer there"),
            };
            scrolled(view, frame, body, trimmed(text));
        }
        Page::Help => scrolled(view, frame, body, Text::raw(HELP)),
    }
    frame.render_widget(Clear, foot);
    frame.render_widget(footer(view, foot.width.into()), foot);
}

/// The line on top: what is listened to, how long, what came.
fn header(view: &View, width: usize) -> Line<'static> {
    let mut text = String::from(" ikescope");
    if let Some((_, status)) = &view.shown {
        let Status { source, now, began, frames, ike, esp, lost, losing, ended, .. } = status;
        let time = now.to_utc().format("%H:%M:%S");
        let mut parts = Vec::new();
        if view.held {
            parts.push("HELD, p goes on".to_owned());
        }
        parts.extend(ended.as_ref().map(|ended| format!("ENDED, q shows the report: {ended}")));
        if *lost > 0 {
            // what makes findings doubtful comes before what is nice to know
            let still = if *losing { ", and it goes on" } else { "" };
            parts.push(format!("LOST {}{still}", counted(*lost, "frame", "frames")));
        }
        parts.push(format!("{time} UTC, {}", quantity::span(now.since(*began))));
        parts.push(format!("{}: {} IKE, {} ESP", counted(*frames, "frame", "frames"), count(*ike), count(*esp)));
        parts.push(source.clone());
        text = format!("{text} · {}", parts.join(" · "));
    }
    Line::styled(words::fill(&text, width), Style::new().add_modifier(Modifier::REVERSED))
}

/// The line at the bottom: what is typed, what was said, or what keys do.
fn footer(view: &View, width: usize) -> Line<'static> {
    match (&view.entry, &view.said) {
        (Some((entry, text)), _) => {
            let asks = match entry {
                Entry::Filter => "show only pairs with: ",
                Entry::File => "write the kept frames to: ",
            };
            // the end of a long line is where one types
            let room = width.saturating_sub(asks.chars().count() + 1);
            let skip = text.chars().count().saturating_sub(room);
            let tail: String = text.chars().skip(skip).collect();
            Line::from(vec![
                Span::styled(asks, Style::new().add_modifier(Modifier::BOLD)),
                Span::raw(crate::report::escape::escape(&tail).into_owned()),
                Span::styled(" ", Style::new().add_modifier(Modifier::REVERSED)),
            ])
        }
        (None, Some(said)) => Line::styled(words::cut(said, width), Style::new().add_modifier(Modifier::BOLD)),
        (None, None) => {
            let keys = match view.page {
                Page::Overview if width >= 74 => {
                    " ↑↓ pair  Tab panel  Enter all  / filter  p hold  w write  ? help  q end"
                }
                Page::Overview => " ↑↓ Tab Enter / p w ? q",
                Page::Detail | Page::Help => " ↑↓ PgUp PgDn scroll  Esc back  ? help  q end",
            };
            Line::styled(words::cut(keys, width), Style::new().add_modifier(Modifier::DIM))
        }
    }
}

fn overview(view: &mut View, frame: &mut Frame<'_>, area: Rect) {
    if view.shown.as_ref().is_none_or(|(report, _)| report.pairs.is_empty()) || view.listed.is_empty() {
        frame.render_widget(Paragraph::new(nothing(view, area.width.into())), area);
        return;
    }
    let height = usize::from(area.height);
    // a third of the screen for the list, so that the chosen pair has room
    let most = (height / 3).max(3);
    let two_lines = view.listed.len() * 2 < most.max(5);
    let wanted = view.listed.len() * if two_lines { 2 } else { 1 } + 1;
    let rows = u16::try_from(wanted.min(if two_lines { wanted } else { most })).unwrap_or(u16::MAX);
    let [list, rest] = Layout::vertical([Constraint::Length(rows), Constraint::Min(0)]).areas(area);
    pairs(view, frame, list, two_lines);
    if area.width >= WIDE {
        let [ladder, lower] = Layout::horizontal([Constraint::Percentage(48), Constraint::Min(0)]).areas(rest);
        let [gap, lower] = Layout::horizontal([Constraint::Length(1), Constraint::Min(0)]).areas(lower);
        frame.render_widget(Clear, gap);
        ladder_panel(view, frame, ladder);
        lower_panel(view, frame, lower);
        return;
    }
    // the ladder takes what it needs, up to two fifths of what is left
    let most = usize::from(rest.height) * 2 / 5;
    let needed = rungs(view, rest.width).map_or(0, |lines| lines.len() + 1);
    let ladder_rows = if most < 3 || view.panel == Panel::Ladder { 0 } else { needed.min(most) };
    let constraints = [Constraint::Length(u16::try_from(ladder_rows).unwrap_or(0)), Constraint::Min(0)];
    let [ladder, lower] = Layout::vertical(constraints).areas(rest);
    ladder_panel(view, frame, ladder);
    lower_panel(view, frame, lower);
}

/// What to say while there is no pair to show.
fn nothing(view: &View, width: usize) -> Text<'static> {
    let Some((report, status)) = &view.shown else { return Text::raw(" listening …") };
    let lines = if !report.pairs.is_empty() {
        vec![format!("no pair holds “{}”; Esc shows all {}", view.filter, count(report.pairs.len() as u64))]
    } else {
        let watched = quantity::span(status.now.since(status.began));
        let mut lines = vec![format!("no IKE, ESP or AH in {watched} on {}", status.source)];
        if status.ended.is_none() {
            lines.push(match status.frames {
                0 => "Nothing at all has come: is it the right interface, and is it up?".into(),
                _ => "Other frames come, so the capture works.".into(),
            });
            lines.push("Start the tunnel, or send traffic for the far subnet, from the side that should begin.".into());
        }
        for finding in &report.findings {
            lines.push(format!("{}: {}", finding.id, finding.title));
        }
        lines
    };
    let mut text = Text::raw("");
    for line in lines {
        text.extend(wrapped(&line, width.saturating_sub(2)).into_iter().map(|line| Line::raw(format!(" {line}"))));
    }
    text
}

/// `text` broken between words.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let used = lines.last().map_or(0, |line| line.chars().count());
        match lines.last_mut() {
            Some(line) if used == 0 => line.push_str(word),
            Some(line) if used + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// The list of pairs, the chosen one marked.
fn pairs(view: &mut View, frame: &mut Frame<'_>, area: Rect, two_lines: bool) {
    let width = usize::from(area.width);
    let place = view.place();
    let each = if two_lines { 2 } else { 1 };
    let room = (usize::from(area.height).saturating_sub(1) / each).max(1);
    view.first_listed = view.first_listed.min(place).max(place.saturating_add(1).saturating_sub(room));
    let last = view.listed.len().saturating_sub(room);
    view.first_listed = view.first_listed.min(last);

    let Some((report, status)) = &view.shown else { return };
    let mut lines = vec![heading(view, report, width, room)];
    for (index, &id) in view.listed.iter().enumerate().skip(view.first_listed).take(room) {
        let Some(pair) = report.pair(id) else { continue };
        lines.extend(pair_lines(view, (report, status), pair, index == place, width, two_lines));
    }
    frame.render_widget(Paragraph::new(lines), area);
}

/// Columns of the list of pairs.
#[derive(Clone, Copy)]
struct Columns {
    name: usize,
    /// Where there is room for them.
    rates: bool,
}

impl Columns {
    fn of(view: &View, width: usize) -> Self {
        const ROOM: usize = 100;
        let names = view.shown.iter().flat_map(|(report, _)| report.pairs.iter());
        let longest = names.map(|pair| words::name(pair).chars().count()).max().unwrap_or(NAME);
        Self { name: longest.clamp(NAME_LEAST, NAME), rates: width >= ROOM }
    }
}

fn heading(view: &View, report: &Report, width: usize, room: usize) -> Line<'static> {
    let columns = Columns::of(view, width);
    let total = report.pairs.len() as u64;
    let mut text = format!("  {}", counted(total, "pair", "pairs"));
    if !view.filter.is_empty() {
        text = format!("  {} of {total} with “{}”", count(view.listed.len() as u64), view.filter);
    } else if view.listed.len() > room {
        let last = (view.first_listed + room).min(view.listed.len());
        text = format!("{text}, {} to {last}", view.first_listed + 1);
    }
    let name = words::fill(&text, columns.name + 2);
    let rates = if columns.rates { "ESP/s ▸  ESP/s ◂  " } else { "" };
    let text = format!("{name} {:STATUS$} {rates}how far", "status");
    Line::styled(words::fill(&text, width), Style::new().add_modifier(Modifier::UNDERLINED))
}

fn pair_lines(
    view: &View,
    (report, status): (&Report, &Status),
    pair: &Pair,
    chosen: bool,
    width: usize,
    two_lines: bool,
) -> Vec<Line<'static>> {
    let columns = Columns::of(view, width);
    let mark = if chosen { "▶ " } else { "  " };
    let weight = if chosen { Style::new().add_modifier(Modifier::BOLD) } else { Style::new() };
    let rates = status.rates.get(pair.id).copied().unwrap_or_default();
    let [sent, received] = rates.map(words::short_rate);
    let mut far = words::how_far(report, pair, status.now);
    if !columns.rates && rates.iter().any(|rate| rate.packets >= 0.05) {
        far = format!("{far} · ESP ▸ {sent}/s ◂ {received}/s");
    }
    let verdict = words::verdict(report, pair);
    let last = match (&verdict, two_lines) {
        (Some((finding, _)), false) => format!("{} {far}", finding.id),
        _ => far,
    };
    let name = words::name(pair);
    let mut spans = vec![
        Span::styled(mark, weight),
        Span::styled(format!("{name:0$} ", columns.name), weight),
        Span::styled(format!("{:STATUS$} ", words::status(pair)), words::status_style(pair, view.colour)),
    ];
    if columns.rates {
        spans.push(Span::raw(format!("{sent:>7}  {received:>7}  ")));
    }
    let taken: usize = spans.iter().map(|span| span.content.chars().count()).sum();
    spans.push(Span::raw(words::cut(&last, width.saturating_sub(taken))));
    let mut lines = vec![Line::from(spans)];
    if two_lines {
        lines.push(match verdict {
            Some((finding, text)) => Line::styled(
                words::cut(&format!("    {text}"), width),
                words::severity_style(finding.severity, view.colour),
            ),
            None => Line::raw(words::cut(&format!("    {}", words::no_verdict(report, pair, status.now)), width)),
        });
    }
    lines
}

/// The rungs of the chosen pair's youngest attempt.
fn rungs(view: &View, width: u16) -> Option<Vec<Line<'static>>> {
    let (report, _) = view.shown.as_ref()?;
    let attempt = report.attempts_of(view.pair()?).last()?;
    let text = words::printed(width, view, |out, style| render_rungs(report, attempt, out, style));
    Some(text.lines)
}

/// The ladder as it grows: its end is always in view.
fn ladder_panel(view: &View, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let Some(mut lines) = rungs(view, area.width) else {
        let title = rule("no negotiation seen", area.width.into());
        return frame.render_widget(Paragraph::new(vec![title]), area);
    };
    let title = view.shown.as_ref().zip(view.pair()).and_then(|((report, _), pair)| {
        let attempt = report.attempts_of(pair).last()?;
        let mode = crate::report::words::mode_name(attempt.mode);
        let tries = pair.attempts.len();
        let which = if tries > 1 { format!(", attempt {tries} of {tries}") } else { String::new() };
        Some(format!("{mode}{which}: {} ▸ {}", attempt.initiator, attempt.responder))
    });
    let room = usize::from(area.height).saturating_sub(1);
    if lines.len() > room {
        // the heading of the columns goes first, then what is oldest
        lines.drain(..lines.len() - room);
    }
    let mut shown = vec![rule(&title.unwrap_or_default(), area.width.into())];
    shown.extend(lines);
    frame.render_widget(Paragraph::new(shown), area);
}

/// A line across with a title in it.
fn rule(title: &str, width: usize) -> Line<'static> {
    let title = words::cut(title, width.saturating_sub(6));
    let used = 4 + title.chars().count();
    Line::styled(format!("── {title} {}", "─".repeat(width.saturating_sub(used))), Style::new())
}

/// Why, ladder or traffic of the chosen pair.
fn lower_panel(view: &mut View, frame: &mut Frame<'_>, area: Rect) {
    if area.height == 0 {
        return;
    }
    let [title, body] = Layout::vertical([Constraint::Length(1), Constraint::Min(0)]).areas(area);
    let Some(((report, status), pair)) = view.shown.as_ref().zip(view.pair()) else { return };
    let width = body.width;
    let text = match view.panel {
        Panel::Why => {
            let mut text = words::printed(width, view, |out, style| render_findings(report, pair, out, style));
            if words::verdict(report, pair).is_none() {
                text.lines.insert(0, Line::raw(words::no_verdict(report, pair, status.now)));
            }
            text
        }
        Panel::Ladder => match report.attempts_of(pair).last() {
            Some(attempt) => words::printed(width, view, |out, style| render_attempt(report, attempt, out, style)),
            None => Text::raw("no negotiation seen"),
        },
        Panel::Traffic => {
            let [from_a, from_b] = status.rates.get(pair.id).copied().unwrap_or_default().map(words::rate);
            let mut text = words::printed(width, view, |out, style| render_flows(report, pair, out, style));
            text.lines.insert(0, Line::raw(format!("now ▸ {from_a} from {}", pair.a)));
            text.lines.insert(1, Line::raw(format!("now ◂ {from_b} from {}", pair.b)));
            text
        }
    };
    let tabs = [(Panel::Why, "why"), (Panel::Ladder, "ladder"), (Panel::Traffic, "traffic")];
    let names: Vec<String> = tabs
        .iter()
        .map(|(panel, name)| if *panel == view.panel { format!("[{name}]") } else { format!(" {name} ") })
        .collect();
    let text = trimmed(text);
    let lines = text.lines.len();
    let room = usize::from(body.height);
    let more = match lines.saturating_sub(room) {
        0 => String::new(),
        hidden => format!(" · {} more, PgDn", counted(hidden.saturating_sub(view.scroll) as u64, "line", "lines")),
    };
    frame.render_widget(rule(&format!("{}{more}", names.join("")), title.width.into()), title);
    scrolled(view, frame, body, text);
}

/// Without empty lines at the beginning and the end.
fn trimmed(mut text: Text<'static>) -> Text<'static> {
    let is_blank = |line: &Line<'_>| line.spans.iter().all(|span| span.content.trim().is_empty());
    while text.lines.first().is_some_and(is_blank) {
        text.lines.remove(0);
    }
    while text.lines.last().is_some_and(is_blank) {
        text.lines.pop();
    }
    text
}

fn scrolled(view: &mut View, frame: &mut Frame<'_>, area: Rect, text: Text<'static>) {
    view.page_lines = usize::from(area.height).max(1);
    view.most_scroll = text.lines.len().saturating_sub(view.page_lines);
    view.scroll = view.scroll.min(view.most_scroll);
    let lines: Vec<Line<'static>> = text.lines.into_iter().skip(view.scroll).take(view.page_lines).collect();
    frame.render_widget(Paragraph::new(lines), area);
}
