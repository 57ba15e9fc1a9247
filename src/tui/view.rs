//! What is chosen, scrolled and filtered, and what keys do to it.
//!
//! Not here: how it looks. Contract: keys that mean nothing do nothing; a pair stays chosen while others come and go.

use std::net::IpAddr;
use std::path::PathBuf;

use ratatui::Frame;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use crate::report::text::by_need;
use crate::report::{Pair, Report};

use super::{Status, Wish, words};

/// The state of the screen.
#[derive(Debug)]
pub struct View {
    pub(super) shown: Option<(Report, Status)>,
    /// What came while the display was held.
    waiting: Option<(Report, Status)>,
    pub(super) held: bool,
    pub(super) colour: bool,
    /// Ids of pairs that are listed, in their order.
    pub(super) listed: Vec<usize>,
    pub(super) chosen: Option<(IpAddr, IpAddr)>,
    pub(super) first_listed: usize,
    pub(super) panel: Panel,
    pub(super) page: Page,
    /// Lines that the panel, or the page, is scrolled by.
    pub(super) scroll: usize,
    /// The most that makes sense, and the lines of a page, as drawn last.
    pub(super) most_scroll: usize,
    pub(super) page_lines: usize,
    pub(super) filter: String,
    pub(super) entry: Option<(Entry, String)>,
    pub(super) said: Option<String>,
}

/// What the lower panel shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Panel {
    Why,
    Ladder,
    Traffic,
}

/// What fills the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Page {
    Overview,
    Detail,
    Help,
}

/// What is being typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Entry {
    Filter,
    File,
}

impl View {
    /// With nothing to show yet. `colour`: whether to use any.
    pub fn new(colour: bool) -> Self {
        Self {
            shown: None,
            waiting: None,
            held: false,
            colour,
            listed: Vec::new(),
            chosen: None,
            first_listed: 0,
            panel: Panel::Why,
            page: Page::Overview,
            scroll: 0,
            most_scroll: 0,
            page_lines: 1,
            filter: String::new(),
            entry: None,
            said: None,
        }
    }

    /// Shows this from now on; or once the display is let go, if it is held.
    pub fn show(&mut self, report: Report, status: Status) {
        if self.held {
            self.waiting = Some((report, status));
        } else {
            self.shown = Some((report, status));
            self.list();
        }
    }

    /// Says one line, until the next key.
    pub fn say(&mut self, line: String) {
        self.said = Some(line);
    }

    /// Draws everything.
    pub fn draw(&mut self, frame: &mut Frame<'_>) {
        super::draw::draw(self, frame);
    }

    /// The pair that is chosen.
    pub(super) fn pair(&self) -> Option<&Pair> {
        let (report, _) = self.shown.as_ref()?;
        report.pair(self.listed.get(self.place()).copied()?)
    }

    /// Its place in the list.
    pub(super) fn place(&self) -> usize {
        let Some((report, _)) = &self.shown else { return 0 };
        let is_chosen = |id: &usize| report.pair(*id).is_some_and(|pair| Some((pair.a, pair.b)) == self.chosen);
        self.listed.iter().position(is_chosen).unwrap_or(0)
    }

    /// Lists the pairs that the filter lets through.
    fn list(&mut self) {
        let Some((report, _)) = &self.shown else { return };
        let wanted = self.filter.to_lowercase();
        let admits = |pair: &Pair| {
            let verdict = words::verdict(report, pair).map(|(_, words)| words).unwrap_or_default();
            let text = format!("{} {} {verdict}", words::name(pair), words::status(pair));
            wanted.is_empty() || text.to_lowercase().contains(&wanted)
        };
        self.listed = by_need(report);
        self.listed.retain(|&id| report.pair(id).is_some_and(admits));
        // without a choice of the person, what needs it most is on top
        if self.chosen.is_some() && self.pair().is_none() {
            self.scroll = 0;
        }
    }

    fn choose(&mut self, place: usize) {
        let Some((report, _)) = &self.shown else { return };
        let place = place.min(self.listed.len().saturating_sub(1));
        let pair = self.listed.get(place).and_then(|&id| report.pair(id));
        if let Some(chosen) = pair.map(|pair| (pair.a, pair.b)) {
            self.chosen = Some(chosen);
            self.scroll = 0;
        }
    }

    /// Obeys a key.
    pub fn key(&mut self, key: KeyEvent) -> Option<Wish> {
        self.said = None;
        if key.modifiers.contains(KeyModifiers::CONTROL) {
            match key.code {
                KeyCode::Char('c') => return Some(Wish::Quit),
                KeyCode::Char('d') if self.entry.is_none() => self.scroll_by(self.half_page(), true),
                KeyCode::Char('u') if self.entry.is_none() => self.scroll_by(self.half_page(), false),
                KeyCode::Char('u') => {
                    if let Some((_, text)) = &mut self.entry {
                        text.clear();
                    }
                }
                _ => {}
            }
            return None;
        }
        if self.entry.is_some() {
            return self.type_key(key);
        }
        match self.page {
            Page::Overview => self.overview_key(key),
            Page::Detail | Page::Help => self.page_key(key),
        }
    }

    fn overview_key(&mut self, key: KeyEvent) -> Option<Wish> {
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.choose(self.place().saturating_add(1)),
            KeyCode::Up | KeyCode::Char('k') => self.choose(self.place().saturating_sub(1)),
            KeyCode::Home | KeyCode::Char('g') => self.choose(0),
            KeyCode::End | KeyCode::Char('G') => self.choose(usize::MAX),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll_by(self.page_lines, true),
            KeyCode::PageUp => self.scroll_by(self.page_lines, false),
            KeyCode::Enter if self.pair().is_some() => self.turn_to(Page::Detail),
            KeyCode::Tab | KeyCode::Right | KeyCode::Char('l') => self.turn_panel(true),
            KeyCode::BackTab | KeyCode::Left | KeyCode::Char('h') => self.turn_panel(false),
            KeyCode::Esc if !self.filter.is_empty() => {
                self.filter.clear();
                self.list();
            }
            _ => return self.common_key(key),
        }
        None
    }

    fn page_key(&mut self, key: KeyEvent) -> Option<Wish> {
        match key.code {
            KeyCode::Down | KeyCode::Char('j') => self.scroll_by(1, true),
            KeyCode::Up | KeyCode::Char('k') => self.scroll_by(1, false),
            KeyCode::PageDown | KeyCode::Char(' ') => self.scroll_by(self.page_lines, true),
            KeyCode::PageUp => self.scroll_by(self.page_lines, false),
            KeyCode::Home | KeyCode::Char('g') => self.scroll = 0,
            KeyCode::End | KeyCode::Char('G') => self.scroll = self.most_scroll,
            KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace => self.turn_to(Page::Overview),
            KeyCode::Char('?') if self.page == Page::Help => self.turn_to(Page::Overview),
            _ => return self.common_key(key),
        }
        None
    }

    fn common_key(&mut self, key: KeyEvent) -> Option<Wish> {
        match key.code {
            KeyCode::Char('q') => return Some(Wish::Quit),
            KeyCode::Char('?') | KeyCode::F(1) => self.turn_to(Page::Help),
            KeyCode::Char('/') => {
                self.turn_to(Page::Overview);
                self.entry = Some((Entry::Filter, self.filter.clone()));
            }
            KeyCode::Char('w') => {
                let now = self.shown.as_ref().map(|(_, status)| status.now).unwrap_or_default();
                let name = format!("ikescope-{}.pcapng", now.to_utc().format("%Y%m%d-%H%M%S"));
                self.entry = Some((Entry::File, name));
            }
            KeyCode::Char('p') => {
                self.held = !self.held;
                if let (false, Some((report, status))) = (self.held, self.waiting.take()) {
                    self.show(report, status);
                }
            }
            _ => {}
        }
        None
    }

    /// A key while something is typed.
    fn type_key(&mut self, key: KeyEvent) -> Option<Wish> {
        let (entry, mut text) = self.entry.take()?;
        match key.code {
            KeyCode::Enter => {
                if entry == Entry::File {
                    return (!text.is_empty()).then(|| Wish::Write(PathBuf::from(text)));
                }
                self.filter = text;
                self.list();
                return None;
            }
            KeyCode::Esc => return None,
            KeyCode::Backspace => {
                text.pop();
            }
            KeyCode::Char(character) => text.push(character),
            _ => {}
        }
        if entry == Entry::Filter {
            self.filter.clone_from(&text);
            self.list();
        }
        self.entry = Some((entry, text));
        None
    }

    fn turn_to(&mut self, page: Page) {
        self.page = page;
        self.scroll = 0;
    }

    fn turn_panel(&mut self, forward: bool) {
        self.panel = match (self.panel, forward) {
            (Panel::Why, true) | (Panel::Traffic, false) => Panel::Ladder,
            (Panel::Ladder, true) | (Panel::Why, false) => Panel::Traffic,
            (Panel::Traffic, true) | (Panel::Ladder, false) => Panel::Why,
        };
        self.scroll = 0;
    }

    fn half_page(&self) -> usize {
        (self.page_lines / 2).max(1)
    }

    fn scroll_by(&mut self, lines: usize, down: bool) {
        let scroll = if down { self.scroll.saturating_add(lines) } else { self.scroll.saturating_sub(lines) };
        self.scroll = scroll.min(self.most_scroll);
    }
}
