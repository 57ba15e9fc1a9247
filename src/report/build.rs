//! Facts and findings to rows of the model: names and escapes.
//!
//! Not here: judgement; where a row stands ([`super::walk`]). Contract: the same facts give the same row.

use std::convert::Infallible;
use std::net::IpAddr;
use std::str::FromStr;

use crate::capture::CaptureInfo;
use crate::diagnose::pattern::Pattern;
use crate::diagnose::{self, Diagnosis, Outcome};
use crate::track::{self, Facts, Label, Side};

use super::escape::{escape, escape_octets};
use super::model::*;
use super::vendor_state::Stand;
use super::walk::{ALL, AttemptRow, ExchangeRow, FindingRow, PairRow, Walk};
use super::{naming, proposal, quantity, words};

/// Which pairs a report is about: all, or those named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Pairs with the first address, and the second one too if there is one. Empty: all pairs.
    pub pairs: Vec<(IpAddr, Option<IpAddr>)>,
}

impl Selection {
    /// All pairs.
    pub const ALL: Self = Self { pairs: Vec::new() };

    /// The pairs of all of these; none of them is all pairs.
    pub fn any_of(selections: &[Self]) -> Self {
        Self { pairs: selections.iter().flat_map(|selection| selection.pairs.iter().copied()).collect() }
    }

    /// Whether the pair of these two addresses is wanted.
    pub fn admits(&self, a: IpAddr, b: IpAddr) -> bool {
        self.pairs.is_empty()
            || self.pairs.iter().any(|&(one, other)| match other {
                None => one == a || one == b,
                Some(other) => (one, other) == (a, b) || (one, other) == (b, a),
            })
    }
}

impl FromStr for Selection {
    type Err = String;

    /// `ADDR` or `ADDR,ADDR`.
    fn from_str(text: &str) -> Result<Self, String> {
        let address = |text: &str| {
            let text = text.trim();
            text.parse::<IpAddr>().map_err(|_| format!("`{}` is not an IP address", escape(text)))
        };
        let pair = match text.split_once(',') {
            Some((one, other)) => (address(one)?, Some(address(other)?)),
            None => (address(text)?, None),
        };
        Ok(Self { pairs: vec![pair] })
    }
}

impl Report {
    /// The report of these captures, with everything that was seen.
    pub fn new(captures: Vec<(CaptureInfo, Counts)>, facts: &Facts, diagnosis: &Diagnosis) -> Self {
        Self::selected(captures, facts, diagnosis, &Selection::ALL)
    }

    /// The report of the pairs that `selection` admits. Ids count the rows of this report; findings about the captures
    /// as a whole stay.
    pub fn selected(
        captures: Vec<(CaptureInfo, Counts)>,
        facts: &Facts,
        diagnosis: &Diagnosis,
        selection: &Selection,
    ) -> Self {
        Walk::new(captures, facts, diagnosis, selection).report()
    }
}

/// What one message carried and how it travelled, in words, as the ladder of its attempt tells it.
pub fn message_words(fact: &track::Attempt, record: &track::MessageRecord) -> String {
    let major = words::major(fact.version);
    let row = AttemptRow { id: 0, pair: 0, fact, outcome: Outcome::Unknown, verdict: None, rekeyed_from: None };
    let mut row = attempt_in_short(&row);
    add_lists(&mut row, fact);
    super::text::message_text(&row, &message(major, record, &row.vendor_ids))
}

/// All rows of a walk.
pub(super) fn report(walk: &Walk<'_>) -> Report {
    told(walk, |report| vec![true; report.attempts.len()])
}

/// The rows of a walk, with exchanges and lists only of those attempts that `which` picks by id: it is shown the report
/// with all other rows.
pub(super) fn told(walk: &Walk<'_>, which: impl FnOnce(&Report) -> Vec<bool>) -> Report {
    let mut report = Report {
        schema: SCHEMA_NAME,
        tool_version: env!("CARGO_PKG_VERSION"),
        window: walk.window(),
        selection: walk.selection.clone(),
        forgotten: walk.forgotten(),
        captures: walk.captures.clone(),
        pairs: Vec::new(),
        attempts: Vec::new(),
        exchanges: Vec::new(),
        esp_flows: Vec::new(),
        icmp_errors: Vec::new(),
        incomplete: Vec::new(),
        malformed: Vec::new(),
        findings: Vec::new(),
    };
    let Ok(()) = collect(walk, &mut report);
    let which = which(&report);
    let Ok(()) = tell(walk, &mut report, |id| which.get(id) == Some(&true));
    report
}

/// Takes a row; nothing can go wrong with it.
fn take<T>(rows: &mut Vec<T>, row: T) -> Result<(), Infallible> {
    rows.push(row);
    Ok(())
}

/// All rows but those of `exchanges`, attempts in short.
fn collect(walk: &Walk<'_>, report: &mut Report) -> Result<(), Infallible> {
    walk.each_pair(ALL, |row| take(&mut report.pairs, pair(&row)))?;
    walk.each_attempt(|row| take(&mut report.attempts, attempt_in_short(&row)))?;
    walk.each_flow(ALL, |id, pair, flow| take(&mut report.esp_flows, esp_flow(id, pair, flow)))?;
    walk.each_icmp_error(ALL, |pair, error| take(&mut report.icmp_errors, icmp_error(pair, error)))?;
    walk.each_incomplete(ALL, |pair, datagram| take(&mut report.incomplete, incomplete(pair, datagram)))?;
    walk.each_malformed(ALL, |id, pair, datagram| take(&mut report.malformed, malformed(id, pair, datagram)))?;
    walk.each_finding(|row| take(&mut report.findings, finding(&row)))
}

/// The rest of the attempts that are wanted: their lists, and their exchanges, which are counted anew.
fn tell(walk: &Walk<'_>, report: &mut Report, wanted: impl Fn(usize) -> bool) -> Result<(), Infallible> {
    walk.each_attempt(|row| -> Result<(), Infallible> {
        if let Some(attempt) = report.attempts.get_mut(row.id).filter(|_| wanted(row.id)) {
            add_lists(attempt, row.fact);
        }
        Ok(())
    })?;
    walk.each_exchange(|row| {
        if let Some(attempt) = report.attempts.get_mut(row.attempt).filter(|_| wanted(row.attempt)) {
            let id = report.exchanges.len();
            attempt.exchanges.push(id);
            report.exchanges.push(exchange(id, &row, &attempt.vendor_ids));
        }
        Ok(())
    })
}

fn safe(text: &str) -> String {
    escape(text).into_owned()
}

fn finding(row: &FindingRow<'_>) -> Finding {
    let fact = row.fact;
    Finding {
        id: fact.pattern.id,
        severity: fact.severity,
        confidence: fact.confidence,
        pair: row.pair,
        attempt: row.attempt,
        frames: fact.frames.clone(),
        count: fact.count,
        title: title(fact.pattern),
        seen: safe(&fact.seen),
        means: safe(&fact.means),
        causes: causes(fact),
        checks: checks(fact),
        side: fact.side(),
        logs: logs(fact),
        sources: sources(fact.pattern),
        settle: fact.settle.as_deref().map(safe),
        consequence_of: fact.consequence_of,
    }
}

pub(super) fn title(pattern: &Pattern) -> String {
    safe(pattern.title)
}

fn causes(finding: &diagnose::Finding) -> Vec<Cause> {
    finding.causes.iter().map(|cause| Cause { text: safe(cause.text), likelihood: cause.likelihood }).collect()
}

pub(super) fn checks(finding: &diagnose::Finding) -> Vec<Check> {
    let text = |check: &diagnose::pattern::Check| match finding.party {
        Some(_) => safe(check.text),
        None => safe(&check.in_full()),
    };
    finding.checks().map(|check| Check { side: finding.place(check), text: text(check) }).collect()
}

pub(super) fn logs(finding: &diagnose::Finding) -> Vec<VendorLog> {
    let log = |log: &diagnose::VendorLog| VendorLog { vendor: log.vendor, message: log.message, source: log.source };
    finding.logs().map(log).collect()
}

pub(super) fn sources(pattern: &Pattern) -> Vec<&'static str> {
    pattern.sources.to_vec()
}

pub(super) fn capture(id: u32, info: CaptureInfo, counts: Counts) -> Capture {
    let mut notes: Vec<String> = info.notes.iter().map(|note| escape(note).into_owned()).collect();
    if counts.unknown_link > 0 {
        let unknown: Vec<String> =
            info.link_types.iter().filter(|link| link.name().is_none()).map(ToString::to_string).collect();
        let of = if unknown.is_empty() {
            "an unknown link type".into()
        } else {
            format!("link type {}", quantity::listed(&unknown))
        };
        let frames = quantity::counted(counts.unknown_link, "frame", "frames");
        let were = if counts.unknown_link == 1 { "was" } else { "were" };
        notes.push(format!("{frames} of {of} {were} not read"));
    }
    if counts.stream_gaps > 0 {
        let gaps = quantity::counted(counts.stream_gaps, "gap", "gaps");
        notes.push(format!("{gaps} in TCP streams: what was sent there was not captured, and is not in this report"));
    }
    if counts.ambiguous_overlaps > 0 {
        let datagrams = quantity::counted(counts.ambiguous_overlaps, "datagram", "datagrams");
        notes.push(format!(
            "{datagrams} in IP fragments that overlap with different octets: the receiver may have read something else"
        ));
    }
    Capture {
        id,
        path: escape_octets(info.path.as_os_str().as_encoded_bytes()),
        format: info.format,
        compression: info.compression,
        link_types: info.link_types.iter().map(ToString::to_string).collect(),
        frames: info.frames,
        octets: info.octets,
        snapped: info.snapped,
        first: info.first,
        last: info.last,
        cut_short: info.cut_short,
        dropped: info.dropped,
        counts,
        notes,
    }
}

fn pair(row: &PairRow<'_>) -> Pair {
    let fact = row.fact;
    let [a, b] = fact.sent;
    Pair {
        id: row.id,
        a: fact.a,
        b: fact.b,
        status: row.status,
        verdict: row.verdict,
        same_as: row.same_as,
        attempts: row.attempts.iter().map(|&id| usize::try_from(id).unwrap_or(usize::MAX)).collect(),
        first: fact.first,
        last: fact.last,
        first_frame: fact.first_frame,
        last_frame: fact.last_frame,
        sent_by_a: sent(a),
        sent_by_b: sent(b),
    }
}

fn sent(seen: track::Seen) -> Sent {
    Sent { isakmp: seen.isakmp, esp: seen.esp, ah: seen.ah, keepalives: seen.keepalives, on_4500: seen.on_4500 }
}

/// The side that began the first Quick Mode.
fn quick_mode_by(fact: &track::Attempt) -> Option<Side> {
    let quick = fact.exchanges.iter().find(|exchange| exchange.kind == track::ExchangeKind::QuickMode);
    quick.map(|exchange| exchange.started_by)
}

/// Whether an attempt that ended so, with this verdict, failed before its IKE SA was up.
pub(super) fn without_ike_sa(outcome: Outcome, verdict: Option<&str>) -> bool {
    let with_ike_sa = |id: &str| matches!(id, "V2-CHILD-REJECT" | "P1-XAUTH") || id.starts_with("L-");
    outcome == Outcome::Failed && !verdict.is_some_and(with_ike_sa)
}

/// What decides how vendors call the stage of an attempt, which failed before its IKE SA was up, or not.
pub(super) fn stand(fact: &track::Attempt, failed: bool) -> Stand {
    let in_rounds = fact.stage == Label::AUTH_RSP && fact.phase1_up.is_none();
    let refused = in_rounds || (failed && (fact.stage != Label::SA_INIT_RSP || fact.chosen.is_none()));
    Stand { mode: fact.mode, stage: fact.stage, quick_mode_by: quick_mode_by(fact), refused }
}

/// An attempt without its lists, which take most of its room: offer, choice, vendor ids, exchanges.
fn attempt_in_short(row: &AttemptRow<'_>) -> Attempt {
    let fact = row.fact;
    Attempt {
        id: row.id,
        pair: row.pair,
        version: words::major(fact.version),
        mode: fact.mode,
        initiator: fact.initiator,
        responder: fact.responder,
        initiator_spi: fact.initiator_spi,
        responder_spi: fact.responder_spi,
        first_frame: fact.first_frame,
        last_frame: fact.last_frame,
        first: fact.first,
        last: fact.last,
        stage: fact.stage,
        waiting_for: fact.waiting_for,
        outcome: row.outcome,
        verdict: row.verdict,
        states: stand(fact, without_ike_sa(row.outcome, row.verdict)).states(),
        midstream: fact.midstream,
        roles_known: fact.roles_known,
        rekeyed_from: row.rekeyed_from,
        phase1_up: fact.phase1_up,
        phase2_up: fact.phase2_up,
        offered: Vec::new(),
        chosen: None,
        nat: Nat {
            initiator_behind: fact.nat.behind(Side::Initiator),
            responder_behind: fact.nat.behind(Side::Responder),
            initiator_announced: fact.nat.announced[Side::Initiator.index()],
            responder_announced: fact.nat.announced[Side::Responder.index()],
            own_matches: both(fact.nat.own_matches),
            peer_matches: both(fact.nat.peer_matches),
            mismatch_frame: fact.nat.mismatch_frame,
        },
        vendor_ids: BothSides::default(),
        moves: fact
            .moves
            .iter()
            .map(|step| Move { at: step.at, frame: step.frame, side: step.side, to: step.to })
            .collect(),
        exchanges: Vec::new(),
        messages_forgotten: fact.messages_forgotten,
    }
}

fn add_lists(attempt: &mut Attempt, fact: &track::Attempt) {
    let major = words::major(fact.version);
    let vendor_ids = |ids: &[Box<[u8]>]| ids.iter().map(|data| naming::vendor_id(data)).collect();
    let [initiator, responder] = &fact.vendor_ids;
    attempt.offered = fact.offered.iter().map(|offer| proposal::proposal(major, offer)).collect();
    attempt.chosen = fact.chosen.as_ref().map(|choice| proposal::proposal(major, choice));
    attempt.vendor_ids = BothSides { initiator: vendor_ids(initiator), responder: vendor_ids(responder) };
}

fn both<T>([initiator, responder]: [T; 2]) -> BothSides<T> {
    BothSides { initiator, responder }
}

fn exchange(id: usize, row: &ExchangeRow<'_>, vendor_ids: &BothSides<Vec<VendorId>>) -> Exchange {
    let major = words::major(row.of.version);
    let fact = row.fact;
    Exchange {
        id,
        attempt: row.attempt,
        kind: words::exchange_kind(fact.kind).into_owned(),
        message_id: fact.message_id,
        started_by: fact.started_by,
        messages: fact.messages.iter().map(|record| message(major, record, vendor_ids)).collect(),
    }
}

fn message(major: u8, record: &track::MessageRecord, vendor_ids: &BothSides<Vec<VendorId>>) -> Message {
    let vendor_ids = vendor_ids.of(record.from);
    Message {
        capture: record.frame.capture,
        frame: record.frame.frame,
        at: record.at,
        label: record.label,
        from: record.from,
        source: record.source,
        destination: record.destination,
        length: record.length,
        encrypted: record.encrypted,
        encapsulation: record.encapsulation,
        non_esp_marker: record.non_esp_marker,
        flags: record.flags,
        ip_fragments: record.ip_fragments,
        ike_fragments: record.ike_fragments,
        ike_fragments_missing: record
            .ike_fragments_missing
            .map(|(first_missing, total)| MissingFragments { first_missing, total }),
        carried: record.carried.iter().map(|payload| naming::carried(major, payload, vendor_ids)).collect(),
        fault: record.fault,
        retransmissions: record
            .repeats
            .iter()
            .map(|repeat| Retransmission {
                capture: repeat.frame.capture,
                frame: repeat.frame.frame,
                at: repeat.at,
                changed: repeat.changed,
            })
            .collect(),
        retransmission_count: record.repeat_count,
        recorded_again: record.recorded_again,
    }
}

fn esp_flow(id: usize, pair: usize, fact: &track::EspFlow) -> EspFlow {
    EspFlow {
        id,
        pair,
        source: fact.source,
        destination: fact.destination,
        spi: fact.spi,
        protocol: fact.protocol,
        encapsulation: fact.encapsulation,
        source_port: fact.ports.map(|(source, _)| source),
        destination_port: fact.ports.map(|(_, destination)| destination),
        port_changes: fact.port_change.map_or(0, |change| change.count),
        packets: fact.packets,
        octets: fact.octets,
        first_sequence: fact.first_sequence,
        last_sequence: fact.last_sequence,
        lost: fact.lost,
        reordered: fact.reordered,
        duplicates: fact.duplicates,
        recorded_again: fact.recorded_again,
        resets: fact.resets,
        shortest: fact.length_range.0,
        longest: fact.length_range.1,
        fragmented: fact.fragmented,
        first: fact.first,
        last: fact.last,
        first_frame: fact.first_frame,
        last_frame: fact.last_frame,
    }
}

pub(super) fn icmp_error(pair: usize, fact: &track::IcmpFact) -> IcmpError {
    let (about, quoted_ports) = naming::icmp_about(fact);
    IcmpError {
        pair,
        from: fact.from,
        version: fact.version,
        icmp_type: fact.icmp_type,
        code: fact.code,
        text: naming::icmp_text(fact.version, fact.icmp_type, fact.code),
        mtu: fact.mtu,
        quoted_source: fact.quoted_source,
        quoted_destination: fact.quoted_destination,
        about,
        quoted_ports,
        initiator_spi: fact.initiator_spi,
        count: fact.count,
        frames: fact.frames.clone(),
        first: fact.first,
        last: fact.last,
    }
}

pub(super) fn incomplete(pair: usize, fact: &track::IncompleteFact) -> Incomplete {
    Incomplete {
        pair,
        source: fact.source,
        destination: fact.destination,
        protocol: fact.protocol,
        ports: fact.ports.map(|(source, destination)| Ports { source, destination }),
        ip_id: fact.ip_id,
        fragments: fact.fragments,
        have: fact.have,
        total: fact.total,
        missing_from: fact.missing_from,
        first_seen: fact.first_seen,
        frame: fact.frame,
        at: fact.at,
        reason: fact.reason,
    }
}

pub(super) fn malformed(pair_id: usize, pair: &track::Pair, fact: &track::MalformedFact) -> Malformed {
    Malformed {
        pair: pair_id,
        source: if fact.direction == 0 { pair.a } else { pair.b },
        frame: fact.frame,
        at: fact.at,
        fault: fact.fault,
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use crate::base::FrameRef;

    #[test]
    fn rows_refer_to_each_other_by_index() {
        let report = sample::mixed().report();
        for (index, pair) in report.pairs.iter().enumerate() {
            assert_eq!(pair.id, index);
            assert!(pair.attempts.iter().all(|&id| report.attempts[id].pair == index));
        }
        for (index, attempt) in report.attempts.iter().enumerate() {
            assert_eq!(attempt.id, index);
            assert!(report.pairs[attempt.pair].attempts.contains(&index));
            assert!(attempt.exchanges.iter().all(|&id| report.exchanges[id].attempt == index));
        }
        assert!(report.exchanges.iter().enumerate().all(|(index, exchange)| exchange.id == index));
    }

    #[test]
    fn rows_stand_in_order_of_first_frame() {
        let mut sample = sample::with_healthy(3);
        sample.pairs.reverse();
        sample.judged.reverse();
        let report = sample.report();
        let firsts = |frames: Vec<FrameRef>| frames.is_sorted();
        assert!(firsts(report.pairs.iter().map(|pair| pair.first_frame).collect()));
        assert!(firsts(report.attempts.iter().map(|attempt| attempt.first_frame).collect()));
        assert!(firsts(report.esp_flows.iter().map(|flow| flow.first_frame).collect()));
        assert_eq!(report.pairs[0].verdict, Some("P1-PROPOSAL"), "the verdict moved with its pair");
    }

    #[test]
    fn a_selection_counts_its_rows_anew() {
        let sample = sample::with_healthy(3);
        let report = sample.selected("192.0.2.254,192.0.2.3");
        assert_eq!(report.pairs.len(), 1);
        assert_eq!((report.pairs[0].id, report.pairs[0].attempts.as_slice()), (0, &[0][..]));
        assert_eq!(report.attempts[0].initiator.to_string(), "192.0.2.3:500");
        assert_eq!(report.findings.len(), 1);
        assert_eq!((report.findings[0].pair, report.findings[0].attempt), (Some(0), Some(0)));
        assert_eq!(report.selection, ["192.0.2.254,192.0.2.3"]);
        assert_eq!(sample.selected("192.0.2.254").pairs.len(), 2);
        assert_eq!(sample.selected("203.0.113.99").pairs.len(), 0);
        assert!("vpn.example.org".parse::<Selection>().is_err());
    }

    #[test]
    fn frames_of_unreadable_links_are_named() {
        let report = sample::mixed().report();
        assert_eq!(report.captures[0].notes, ["1,204 frames of link type linktype-147 were not read"]);
        assert_eq!(report.captures[0].counts.other, 1_204);
    }

    #[cfg(unix)]
    #[test]
    fn a_path_that_is_not_utf_8_keeps_its_octets() {
        use std::os::unix::ffi::OsStrExt;
        let mut sample = sample::refused(1);
        sample.captures[0].0.path = std::ffi::OsStr::from_bytes(b"cap\xff\x1b[31m.pcap").into();
        assert_eq!(sample.report().captures[0].path, "cap\\xff\\x1b[31m.pcap");
    }

    #[test]
    fn words_of_a_finding_are_escaped_once() {
        let mut sample = sample::refused(1);
        sample.findings[0].seen = "identity \u{202e}moc.elpmaxe".into();
        assert_eq!(sample.report().findings[0].seen, "identity \\u{202e}moc.elpmaxe");
    }
}
