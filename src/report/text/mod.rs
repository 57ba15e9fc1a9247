//! The report as text: a summary taken in at a glance, then each pair with its findings, ladders and flows.
//!
//! | file | what it prints |
//! |---|---|
//! | `summary` | captures, and the table of pairs |
//! | `finding` | one finding, in the manner of rustc |
//! | `ladder` | one attempt: every message, repeats folded, gaps visible |
//! | `message` | what one message carried, and its repeats |
//! | `proposal` | what was offered and chosen |
//! | `flows` | ESP and AH, ICMP errors, fragments, what could not be read |
//! | `twice` | one tunnel seen on both sides of a NAT |
//! | `page` | widths, colours, wrapping |

mod finding;
mod flows;
mod ladder;
mod message;
mod page;
mod proposal;
mod summary;
mod twice;

use std::collections::HashSet;
use std::io::{self, BufWriter, Write};
use std::net::IpAddr;

use crate::base::EspSpi;
use crate::diagnose::{Outcome, PairStatus, Severity};
use crate::track::FlowProtocol;

use super::build;
use super::model::{Attempt, EspFlow, Finding, Message, Pair, Report};
use super::quantity::{self, Clock};
use super::walk::Walk;
use super::words;

pub use page::{Column, Page, Palette, Words};

/// How the text is to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// Columns of the terminal.
    pub width: usize,
    /// Colours.
    pub palette: Palette,
    /// Pairs that are printed in full; those with problems come first.
    pub full_pairs: usize,
    /// The capture goes on: its end is now.
    pub running: bool,
}

impl Default for Style {
    /// 100 columns, no colours, twenty pairs in full.
    fn default() -> Self {
        Self { width: 100, palette: Palette::plain(), full_pairs: 20, running: false }
    }
}

/// Up to this many pairs, healthy ones are printed in full too.
const FEW_PAIRS: usize = 3;

/// Writes the report as text.
///
/// Errors: those of `out`.
pub fn render(report: &Report, out: &mut impl Write, style: &Style) -> io::Result<()> {
    render_view(&View::new(report), out, style)
}

/// Writes what [`render`] writes of the report of this walk, and makes of that report only what is printed.
///
/// Errors: those of `out`.
pub fn render_walk(walk: &Walk<'_>, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let needs = Need::of_each(walk.statuses(), walk.severities());
    let mut by_need: Vec<u32> = (0..).take(needs.len()).collect();
    let need = |&id: &u32| usize::try_from(id).ok().and_then(|id| needs.get(id)).copied();
    by_need.sort_by_key(|id| std::cmp::Reverse(need(id)));
    let printed = style.full_pairs.saturating_add(summary::SHOWN);
    let ids = by_need.into_iter().take(printed).filter_map(|id| usize::try_from(id).ok());
    let report = build::told(&walk.only(ids), told);
    let mut view = View::new(&report);
    view.tally = Tally::new(&needs, walk.statuses(), walk.severities());
    view.tally_once();
    render_view(&view, out, style)
}

/// Of each attempt, by id, whether more of it is printed than how it stands.
fn told(report: &Report) -> Vec<bool> {
    let mut told = vec![false; report.attempts.len()];
    let findings = report.findings.iter().filter_map(|finding| finding.attempt);
    let latest = report.pairs.iter().filter_map(|pair| pair.attempts.last().copied());
    let ladders = report.pairs.iter().flat_map(|pair| ladder::first_of_each(report, pair));
    for id in findings.chain(latest).chain(ladders) {
        if let Some(told) = told.get_mut(id) {
            *told = true;
        }
    }
    told
}

fn render_view(view: &View<'_>, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let report = view.report;
    let mut out = BufWriter::new(out);
    let mut page = Page::new(&mut out, style.width, style.palette);
    summary::print(view, &mut page)?;
    for finding in report.findings.iter().filter(|finding| finding.pair.is_none()) {
        page.blank()?;
        finding::print(view, &mut page, finding)?;
    }

    let few = view.tally.pairs <= FEW_PAIRS;
    let (mut full, mut full_with_problem) = (0, 0);
    let mut compact = Vec::new();
    for &pair in &view.by_need {
        let Some(pair) = report.pairs.get(pair) else { continue };
        let problem = view.has_problem(pair);
        if full < style.full_pairs && (few || problem) {
            full += 1;
            full_with_problem += usize::from(problem);
            print_pair(view, &mut page, pair)?;
        } else {
            compact.push(pair);
        }
    }
    let left = view.tally.pairs.saturating_sub(full);
    if left > 0 {
        let problems = view.tally.problems.saturating_sub(full_with_problem);
        summary::print_compact(view, &mut page, &compact, problems, left.saturating_sub(problems))?;
    }
    summary::print_foot(view, &mut page)?;
    out.flush()
}

/// Writes one pair in full: its findings, its ladders, its flows.
///
/// Errors: those of `out`.
pub fn render_pair(report: &Report, pair: &Pair, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let view = View { running: style.running, ..View::new(report) };
    print_pair(&view, &mut Page::new(out, style.width, style.palette), pair)
}

/// Writes the findings of a pair: the verdict and what is loud, then the others in short. Without their evidence, which is
/// in the ladder.
///
/// Errors: those of `out`.
pub fn render_findings(report: &Report, pair: &Pair, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let view = View { brief: true, ..View::new(report) };
    let page = &mut Page::new(out, style.width, style.palette);
    let (full, short) = view.by_weight(pair);
    for (index, finding) in full.iter().enumerate() {
        if index > 0 {
            page.blank()?;
        }
        finding::print(&view, page, finding)?;
    }
    if !short.is_empty() {
        page.blank()?;
    }
    short.into_iter().try_for_each(|finding| finding::print_short(&view, page, finding))
}

/// Writes the ladder of one attempt: its messages, what came between them, and what is awaited.
///
/// Errors: those of `out`.
pub fn render_rungs(report: &Report, attempt: &Attempt, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let view = View { running: style.running, ..View::new(report) };
    ladder::print_rungs(&view, &mut Page::new(out, style.width, style.palette), attempt)
}

/// Writes the ladder of one attempt, with what was offered and chosen.
///
/// Errors: those of `out`.
pub fn render_attempt(report: &Report, attempt: &Attempt, out: &mut impl Write, style: &Style) -> io::Result<()> {
    let view = View { running: style.running, ..View::new(report) };
    ladder::print_one(&view, &mut Page::new(out, style.width, style.palette), attempt)
}

/// Writes the ESP and AH flows of a pair, ICMP errors, broken fragments and what could not be read; nothing if there is
/// none of it.
///
/// Errors: those of `out`.
pub fn render_flows(report: &Report, pair: &Pair, out: &mut impl Write, style: &Style) -> io::Result<()> {
    flows::print(&View::new(report), &mut Page::new(out, style.width, style.palette), pair)
}

/// What a message carried and how it travelled, in words without colour.
pub fn message_text(attempt: &Attempt, message: &Message) -> String {
    message::content(&Palette::plain(), attempt, message).text()
}

/// Ids of all pairs, those that somebody has to look at first; the same order for the same findings.
pub fn by_need(report: &Report) -> Vec<usize> {
    View::new(report).by_need
}

fn print_pair(view: &View<'_>, page: &mut Page<'_, impl Write>, pair: &Pair) -> io::Result<()> {
    page.blank()?;
    summary::print_heading(view, page, pair)?;
    if let Some(words) = twice::words(view, pair) {
        page.paragraph(0, &Words::of(words))?;
    }
    let (full, short) = view.by_weight(pair);
    for finding in &full {
        page.blank()?;
        finding::print(view, page, finding)?;
    }
    if !short.is_empty() {
        page.blank()?;
        page.line(&Words::inked(page.palette.heading, if full.is_empty() { "noted" } else { "also" }))?;
    }
    for finding in short {
        finding::print_short(view, page, finding)?;
    }
    ladder::print_attempts(view, page, pair)?;
    flows::print(view, page, pair)
}

/// How much somebody has to look at a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Need {
    /// Somebody has to.
    problem: bool,
    /// The worst finding about it.
    worst: Option<Severity>,
}

impl Need {
    fn of(status: PairStatus, worst: Option<Severity>) -> Self {
        let down = matches!(status, PairStatus::Down | PairStatus::DownNegotiating);
        Self { problem: down || worst >= Some(Severity::Warning), worst }
    }

    /// Of each pair, by id, from how it stands and the findings of all.
    fn of_each(
        statuses: impl Iterator<Item = PairStatus>,
        findings: impl Iterator<Item = (Option<usize>, Severity)>,
    ) -> Vec<Self> {
        let mut needs: Vec<Self> = statuses.map(|status| Self::of(status, None)).collect();
        for (pair, severity) in findings {
            if let Some(need) = pair.and_then(|pair| needs.get_mut(pair)) {
                need.worst = need.worst.max(Some(severity));
                need.problem |= severity >= Severity::Warning;
            }
        }
        needs
    }
}

/// How all pairs stand, those included that are not printed.
#[derive(Debug, Default)]
struct Tally {
    pairs: usize,
    problems: usize,
    /// Pairs by status.
    statuses: Vec<(PairStatus, u64)>,
    errors: u64,
    warnings: u64,
}

impl Tally {
    fn new(
        needs: &[Need],
        statuses: impl Iterator<Item = PairStatus>,
        findings: impl Iterator<Item = (Option<usize>, Severity)>,
    ) -> Self {
        let problems = needs.iter().filter(|need| need.problem).count();
        let mut tally = Self { pairs: needs.len(), problems, ..Self::default() };
        for status in statuses {
            match tally.statuses.iter_mut().find(|(known, _)| *known == status) {
                Some((_, number)) => *number += 1,
                None => tally.statuses.push((status, 1)),
            }
        }
        for (_, severity) in findings {
            tally.errors += u64::from(severity == Severity::Error);
            tally.warnings += u64::from(severity == Severity::Warning);
        }
        tally
    }

    /// What was counted of one pair: how it stands, and findings of these severities.
    fn take_out(&mut self, status: PairStatus, severities: &[Severity]) {
        let known = self.statuses.iter_mut().filter(|(known, _)| *known == status);
        known.for_each(|(_, number)| *number = number.saturating_sub(1));
        let of = |severity| severities.iter().filter(|&&one| one == severity).count() as u64;
        self.errors = self.errors.saturating_sub(of(Severity::Error));
        self.warnings = self.warnings.saturating_sub(of(Severity::Warning));
    }

    fn of_status(&self, status: PairStatus) -> u64 {
        self.statuses.iter().find(|(known, _)| *known == status).map_or(0, |(_, number)| *number)
    }
}

/// A report with what printing has to look up again and again.
struct View<'a> {
    report: &'a Report,
    tally: Tally,
    clock: Clock,
    many_captures: bool,
    /// Per pair: indices of its findings and flows.
    findings: Vec<Vec<usize>>,
    flows: Vec<Vec<usize>>,
    /// SAs for groups, by what is the same in each flow of one: their numbers run over all its destinations.
    of_groups: HashSet<(IpAddr, EspSpi, FlowProtocol)>,
    /// Ids of pairs, those with the worst findings first.
    by_need: Vec<usize>,
    /// Per pair: what its tunnel was told as.
    before: Vec<Option<twice::Before>>,
    /// The capture goes on.
    running: bool,
    /// Findings without their place and evidence, where the ladder stands beside them.
    brief: bool,
}

impl<'a> View<'a> {
    fn new(report: &'a Report) -> Self {
        let mut findings = vec![Vec::new(); report.pairs.len()];
        let mut flows = vec![Vec::new(); report.pairs.len()];
        for (index, finding) in report.findings.iter().enumerate() {
            if let Some(of_pair) = finding.pair.and_then(|pair| findings.get_mut(pair)) {
                of_pair.push(index);
            }
        }
        for (index, flow) in report.esp_flows.iter().enumerate() {
            if let Some(of_pair) = flows.get_mut(flow.pair) {
                of_pair.push(index);
            }
        }
        let to_groups = report.esp_flows.iter().filter(|flow| flow.destination.is_multicast());
        let of_groups = to_groups.map(|flow| (flow.source, flow.spi, flow.protocol)).collect();
        let statuses = || report.pairs.iter().map(|pair| pair.status);
        let severities = || report.findings.iter().map(|finding| (finding.pair, finding.severity));
        let needs = Need::of_each(statuses(), severities());
        let mut by_need: Vec<usize> = (0..report.pairs.len()).collect();
        by_need.sort_by_key(|&pair| std::cmp::Reverse(needs.get(pair)));
        let listed = by_need.get(..summary::SHOWN).unwrap_or(&by_need);
        let before = twice::told_before(report, listed);
        twice::put_together(&mut by_need, &before);
        let mut view = Self {
            report,
            tally: Tally::new(&needs, statuses(), severities()),
            clock: Clock::new(report.window.map(|window| window.first)),
            many_captures: report.captures.len() > 1,
            findings,
            flows,
            of_groups,
            by_need,
            before,
            running: false,
            brief: false,
        };
        view.tally_once();
        view
    }

    /// Takes what was told of a tunnel as one pair out of the tally as another.
    fn tally_once(&mut self) {
        let again: Vec<&Pair> = self.report.pairs.iter().filter(|pair| self.before(pair).is_some()).collect();
        for pair in again {
            let told = self.findings_of(pair).filter(|finding| twice::was_told(self, pair, finding));
            let told: Vec<Severity> = told.map(|finding| finding.severity).collect();
            self.tally.take_out(pair.status, &told);
        }
    }

    /// How a pair stands, or the tunnel that was told as another one.
    fn status(&self, pair: &Pair) -> PairStatus {
        twice::first_of(self, pair).unwrap_or(pair).status
    }

    /// What the tunnel of a pair was told as.
    fn before(&self, pair: &Pair) -> Option<twice::Before> {
        self.before.get(pair.id).copied().flatten()
    }

    /// Whether numbers that are missing in a flow may have gone to another destination of its SA.
    fn counts_elsewhere(&self, flow: &EspFlow) -> bool {
        self.of_groups.contains(&(flow.source, flow.spi, flow.protocol))
    }

    /// The only capture ends inside a record.
    fn is_cut_off(&self) -> bool {
        matches!(self.report.captures.as_slice(), [only] if only.cut_short)
    }

    fn findings_of(&self, pair: &Pair) -> impl Iterator<Item = &'a Finding> + use<'a, '_> {
        let indices = self.findings.get(pair.id).map(Vec::as_slice).unwrap_or_default();
        indices.iter().filter_map(|&index| self.report.findings.get(index))
    }

    /// Findings told in full, the verdict first; and in short: hypotheses, consequences, what is normal, advice.
    fn by_weight(&self, pair: &Pair) -> (Vec<&'a Finding>, Vec<&'a Finding>) {
        let verdict = pair.verdict.and_then(|verdict| self.verdict(pair, verdict));
        let is_verdict = |finding: &Finding| verdict.is_some_and(|verdict| std::ptr::eq(verdict, finding));
        let down = matches!(pair.status, PairStatus::Down | PairStatus::DownNegotiating);
        // What was well before the end is in the ladders.
        let over = |finding: &Finding| down && matches!(finding.id, "OK-UP" | "OK-IDLE");
        let loud = |finding: &Finding| finding.severity >= Severity::Warning && finding.consequence_of.is_none();
        let (mut full, mut short): (Vec<_>, Vec<_>) = self
            .findings_of(pair)
            .filter(|finding| is_verdict(finding) || !over(finding))
            .filter(|finding| !twice::was_told(self, pair, finding))
            .partition(|finding| is_verdict(finding) || loud(finding));
        full.sort_by_key(|finding| !is_verdict(finding));
        short.sort_by_key(|finding| is_advice(finding));
        (full, short)
    }

    fn flows_of(&self, pair: &Pair) -> impl Iterator<Item = &'a super::model::EspFlow> + use<'a, '_> {
        let indices = self.flows.get(pair.id).map(Vec::as_slice).unwrap_or_default();
        indices.iter().filter_map(|&index| self.report.esp_flows.get(index))
    }

    fn worst(&self, pair: usize) -> Option<Severity> {
        self.report.pairs.get(pair).and_then(|pair| self.findings_of(pair).map(|finding| finding.severity).max())
    }

    /// Whether somebody has to look at this pair.
    fn has_problem(&self, pair: &Pair) -> bool {
        Need::of(pair.status, self.worst(pair.id)).problem
    }

    /// The finding that a verdict about this pair names.
    fn verdict(&self, pair: &Pair, verdict: &str) -> Option<&'a Finding> {
        self.findings_of(pair).find(|finding| finding.id == verdict)
    }
}

/// Whether a finding is advice on security, which explains nothing.
fn is_advice(finding: &Finding) -> bool {
    finding.id.starts_with("S-")
}

/// How an attempt stands, in a few words: `failed at MM1, waiting for MM2`, `up after 55 ms`.
pub fn standing(attempt: &Attempt) -> String {
    let mut text = match attempt.outcome {
        Outcome::Established if attempt.rekeyed_from.is_some() => "re-keyed".into(),
        Outcome::Established => match attempt.phase2_up.or(attempt.phase1_up) {
            Some(up) if !attempt.midstream => format!("up after {}", quantity::span(up.since(attempt.first))),
            _ => "up".into(),
        },
        Outcome::Failed if attempt.verdict == Some("V2-REDIRECT") => format!("redirected at {}", attempt.stage),
        Outcome::Failed => format!("failed at {}", attempt.stage),
        Outcome::Unfinished => format!("unfinished at {}", attempt.stage),
        Outcome::Unknown => format!("outcome not seen, got to {}", attempt.stage),
    };
    if let (Some(next), false) = (attempt.waiting_for, attempt.outcome == Outcome::Established) {
        text.push_str(&format!(", waiting for {next}"));
    }
    text
}

/// Mode of an attempt with its IKE version where the mode does not tell it.
fn mode(attempt: &Attempt) -> &'static str {
    words::mode_name(attempt.mode)
}

#[cfg(test)]
mod tests {
    use super::super::Selection;
    use super::super::sample::{self, Sample};
    use super::*;

    fn text(sample: &Sample, width: usize) -> String {
        let mut out = Vec::new();
        render(&sample.report(), &mut out, &Style { width, ..Style::default() }).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn no_line_is_wider_than_asked_nor_ends_in_a_space() {
        for width in [60, 80, 100, 160] {
            for sample in [sample::refused(10), sample::mixed(), sample::with_healthy(8)] {
                for line in text(&sample, width).lines() {
                    assert!(line.chars().count() <= width, "{} columns of {width}: {line}", line.chars().count());
                    assert_eq!(line, line.trim_end());
                }
            }
        }
    }

    #[test]
    fn plain_text_has_no_escapes_and_colours_change_nothing_else() {
        let sample = sample::mixed();
        let plain = text(&sample, 100);
        assert!(!plain.contains('\x1b'));
        let mut coloured = Vec::new();
        let style = Style { palette: Palette::colour(), ..Style::default() };
        render(&sample.report(), &mut coloured, &style).unwrap();
        let coloured = String::from_utf8(coloured).unwrap();
        assert!(coloured.contains('\x1b'));
        assert_eq!(anstream::adapter::strip_str(&coloured).to_string(), plain);
    }

    #[test]
    fn equal_failures_are_one_ladder() {
        let text = text(&sample::refused(10), 100);
        assert_eq!(text.matches("▸ MM1").count(), 2, "once as evidence, once in the ladder:\n{text}");
        assert!(text.contains("×9 more like it until 04:30:19"), "{text}");
    }

    #[test]
    fn the_verdict_comes_before_louder_advice_which_is_one_line() {
        let mut sample = sample::refused(1);
        let mut advice = sample.findings[0].clone();
        advice.pattern = sample::pattern("S-IKEV1", |pattern| pattern.title = "IKEv1 is in use");
        advice.severity = Severity::Advisory;
        (advice.seen, advice.attempt) = ("1 of 1 negotiation here".into(), None);
        sample.findings[0].severity = Severity::Info;
        sample.findings.insert(0, advice);
        let text = text(&sample, 100);
        let at = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("no {needle} in\n{text}"));
        assert!(
            at("info[P1-PROPOSAL]: ") < at("also\n  advisory[S-IKEV1] IKEv1 is in use – 1 of 1 negotiation here (")
        );
    }

    #[test]
    fn four_log_lines_are_shown_those_of_the_vendors_seen_first_and_then_those_met_most() {
        let mut sample = sample::refused(1);
        let log = |vendor| crate::diagnose::VendorLog { vendor, message: "no", source: "S2S-10", about: &[] };
        let logs = ["Netopia", "AWS", "Huawei", "SMG", "Fortinet", "Cisco ASA"].map(log);
        sample.findings[0].pattern = sample::pattern("P1-PROPOSAL", |pattern| pattern.logs = Vec::leak(logs.into()));
        let unity = hex::decode("12f5f28c457168a9702d9fe274cc0100").unwrap();
        sample.pairs[0].attempts[0].vendor_ids[1] = [unity.into()].into();
        let logs = r#"logs: Cisco ASA "no" · Fortinet "no" · Netopia "no" · AWS "no" ="#;
        assert!(flat(&sample).contains(logs), "{}", flat(&sample));
    }

    #[test]
    fn what_would_settle_it_is_a_step() {
        let mut sample = sample::refused(1);
        for (settle, next) in [("whether it listens", "find out whether it listens"), ("its log", "its log")] {
            sample.findings[0].settle = Some(settle.into());
            assert!(flat(&sample).contains(&format!("= next: {next} =")), "{}", flat(&sample));
        }
    }

    #[test]
    fn problems_come_first_and_healthy_pairs_are_short() {
        let mut sample = sample::with_healthy(6);
        sample.pairs.swap(0, 3);
        sample.judged.swap(0, 3);
        for finding in &mut sample.findings {
            finding.pair = match finding.pair {
                Some(0) => Some(3),
                Some(3) => Some(0),
                other => other,
            };
        }
        let text = text(&sample, 100);
        let at = |needle: &str| text.find(needle).unwrap_or_else(|| panic!("no {needle} in\n{text}"));
        assert!(at("error[P1-PROPOSAL]") < at("6 pairs without a problem"));
        assert!(!text.contains("INFORMATIONAL-REQ"), "healthy pairs have no ladder:\n{text}");
    }

    /// The text with every run of blanks made one, so that wrapping does not matter.
    fn flat(sample: &Sample) -> String {
        text(sample, 100).split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_ladder_tells_repeats_silence_and_errors_on_the_way() {
        let mut sample = sample::mixed();
        let icmp = &mut sample.pairs[0].icmp_errors[0];
        (icmp.first, icmp.last) = (sample::at(30), sample::at(24_230));
        let text = flat(&sample);
        for phrase in [
            "×4 until 04:21:19, after 4.0, 7.2, 13.0 s (frames 15, 16 and 17)",
            "20 +0.030 ! 198.51.100.1 says: communication administratively prohibited (ICMP 3/13), ×3 until 04:21:19",
            "14 +0.050 ◂ INF 56 NO-PROPOSAL-CHOSEN (14), in clear",
            "… no MM2; the next attempt begins 35.8 s later",
            "malformed: payload length at octet 30 claims 400 octets, 20 are left",
            "state: Cisco ASA MM_WAIT_MSG2 · Cisco IOS MM_NO_STATE · libreswan STATE_MAIN_I1",
            "check: on the responder 198.51.100.2: encryption, hash",
        ] {
            assert!(text.contains(phrase), "no {phrase:?} in\n{text}");
        }
    }

    #[test]
    fn a_healthy_tunnel_tells_what_was_agreed_and_what_passes() {
        let text = flat(&sample::with_healthy(1));
        for phrase in [
            "1002 +0.031 ▸ AUTH-REQ 1,820 encrypted, 2 IP fragments, now on port 4500",
            "20 encrypted informational messages (10 ▸, 10 ◂) of 76 octets, frames 1010 to 1047",
            "offered 1 ✓ AES-CBC-256/AES-CBC-128 SHA2-256-128 PRF-SHA2-256 MODP-2048/ECP-256",
            "chosen 1 ✓ AES-CBC-256 SHA2-256-128 PRF-SHA2-256 MODP-2048",
            "the initiator is behind NAT",
            "▸ c0ffee01 ESP/UDP 1,204 1.3 MiB 1 – 1,210 6 0/1 12.0/s 04:20:55 – 04:22:35",
        ] {
            assert!(text.contains(phrase), "no {phrase:?} in\n{text}");
        }
    }

    #[test]
    fn what_a_peer_sends_cannot_reach_the_terminal() {
        let mut sample = sample::refused(1);
        let hostile = "\x1b]0;owned\x07\u{202e}\u{9b}2J";
        sample.captures[0].0.path = hostile.into();
        sample.captures[0].0.notes = vec![hostile.into()];
        sample.findings[0].pattern = sample::pattern("P1-PROPOSAL", |pattern| pattern.title = hostile);
        let detail = crate::track::PayloadDetail::Identification { id_type: 2, data: hostile.as_bytes().into() };
        sample.pairs[0].attempts[0].exchanges[0].messages[0].carried = [sample::payload(5, detail)].into();
        let text = text(&sample, 100);
        assert!(text.matches("\\x1b]0;owned\\x07\\u{202e}").count() >= 4, "{text}");
        assert!(text.chars().all(|character| character == '\n' || !character.is_control()));
        assert!(!text.contains('\u{202e}'));
    }

    #[test]
    fn of_many_pairs_only_those_that_are_printed_are_made() {
        for (problems, healthy) in [(0, 2), (0, 200), (30, 0), (30, 100), (200, 200)] {
            let mut sample = sample::with_healthy(healthy);
            let (pair, judged, finding) = (sample.pairs[0].clone(), sample.judged[0], sample.findings[0].clone());
            for number in 1..=problems {
                let mut finding = finding.clone();
                finding.pair = Some(sample.pairs.len());
                finding.severity = if number % 3 == 0 { Severity::Error } else { Severity::Warning };
                sample.findings.push(finding);
                sample.judged.push(judged);
                let mut pair = pair.clone();
                pair.a = [10, 0, 1, number].into();
                sample.pairs.push(pair);
            }
            let (facts, diagnosis) = (sample.facts(), sample.diagnosis());
            let walk = Walk::new(sample.captures.clone(), &facts, &diagnosis, &Selection::ALL);
            let mut out = Vec::new();
            render_walk(&walk, &mut out, &Style::default()).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), text(&sample, 100), "{problems} and {healthy}");
        }
    }

    #[test]
    fn nothing_seen_is_said() {
        let mut sample = sample::refused(1);
        sample.pairs.clear();
        sample.judged.clear();
        sample.findings.clear();
        assert!(text(&sample, 100).contains("no IKE, ESP or AH was seen"));
    }
}
