//! Facts and findings to a report: flattens, numbers, names and escapes.
//!
//! Not here: judgement. Contract: the same facts give the same report, rows in order of first frame.

use std::net::IpAddr;
use std::str::FromStr;

use crate::base::{FrameRef, Timestamp};
use crate::capture::CaptureInfo;
use crate::diagnose::{self, Diagnosis, Outcome};
use crate::track::{self, Facts, Side};

use super::escape::{escape, escape_octets};
use super::model::*;
use super::{naming, proposal, quantity, vendor_state, words};

/// Which pairs a report is about: all, or those named.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Pairs with the first address, and the second one too if there is one. Empty: all pairs.
    pub pairs: Vec<(IpAddr, Option<IpAddr>)>,
}

impl Selection {
    /// All pairs.
    pub const ALL: Self = Self { pairs: Vec::new() };

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
        let mut build = Build::new(captures, facts, selection);
        build.pairs(facts, diagnosis, selection);
        build.findings(facts, diagnosis);
        build.report
    }
}

impl Finding {
    /// The row of a finding, with the ids that its pair and attempt have in the report.
    pub fn new(finding: &diagnose::Finding, pair: Option<usize>, attempt: Option<usize>) -> Self {
        let safe = |text: &str| escape(text).into_owned();
        Self {
            id: finding.id(),
            severity: finding.severity,
            confidence: finding.confidence,
            pair,
            attempt,
            frames: finding.frames.clone(),
            count: finding.count,
            title: safe(finding.pattern.title),
            seen: safe(&finding.seen),
            means: safe(&finding.means),
            causes: finding
                .causes
                .iter()
                .map(|cause| Cause { text: safe(cause.text), likelihood: cause.likelihood })
                .collect(),
            checks: finding.pattern.checks.iter().map(|&(side, text)| Check { side, text: safe(text) }).collect(),
            logs: finding
                .pattern
                .logs
                .iter()
                .map(|log| VendorLog { vendor: log.vendor, message: log.message, source: log.source })
                .collect(),
            sources: finding.pattern.sources.to_vec(),
            settle: finding.settle.as_deref().map(safe),
            consequence_of: finding.consequence_of,
        }
    }
}

/// A row's place: time first only where frames of several captures have to be told apart, because a capture's own order
/// is the truth even if its clock ran backwards.
type Place = (Timestamp, FrameRef);

struct Build {
    report: Report,
    many_captures: bool,
    /// Per pair of the facts: its id, and the ids of its attempts.
    ids: Vec<Option<(usize, Vec<usize>)>>,
}

impl Build {
    fn new(captures: Vec<(CaptureInfo, Counts)>, facts: &Facts, selection: &Selection) -> Self {
        let many_captures = captures.len() > 1;
        let captures = captures.into_iter().zip(0..).map(|((info, counts), id)| capture(id, info, counts)).collect();
        let forgotten = facts.forgotten;
        let report = Report {
            schema: SCHEMA_NAME,
            tool_version: env!("CARGO_PKG_VERSION"),
            window: facts.window.map(|(first, last)| Window { first, last }),
            selection: selection
                .pairs
                .iter()
                .map(|(one, other)| other.map_or_else(|| one.to_string(), |other| format!("{one},{other}")))
                .collect(),
            forgotten: Forgotten {
                pairs: forgotten.pairs,
                attempts: forgotten.attempts,
                flows: forgotten.flows,
                messages: forgotten.messages,
                reassemblies: forgotten.reassemblies,
                streams: forgotten.streams,
            },
            captures,
            pairs: Vec::new(),
            attempts: Vec::new(),
            exchanges: Vec::new(),
            esp_flows: Vec::new(),
            icmp_errors: Vec::new(),
            incomplete: Vec::new(),
            malformed: Vec::new(),
            findings: Vec::new(),
        };
        Self { report, many_captures, ids: vec![None; facts.pairs.len()] }
    }

    fn place(&self, at: Timestamp, frame: FrameRef) -> Place {
        if self.many_captures { (at, frame) } else { (Timestamp::default(), frame) }
    }

    fn pairs(&mut self, facts: &Facts, diagnosis: &Diagnosis, selection: &Selection) {
        let mut order: Vec<usize> = (0..facts.pairs.len())
            .filter(|&index| facts.pairs.ends(index).is_some_and(|(a, b)| selection.admits(a, b)))
            .collect();
        let whole: Vec<_> = facts.pairs.iter().collect();
        order.sort_by_key(|&index| whole.get(index).map(|pair| self.place(pair.first, pair.first_frame)));
        let mut chosen: Vec<(&track::Pair, Option<diagnose::PairDiagnosis<'_>>)> = Vec::with_capacity(order.len());
        for (id, &index) in order.iter().enumerate() {
            let Some(fact) = whole.get(index).map(AsRef::as_ref) else { continue };
            let judged = diagnosis.pair(index);
            self.report.pairs.push(pair(id, fact, judged));
            if let Some(slot) = self.ids.get_mut(index) {
                *slot = Some((id, vec![usize::MAX; fact.attempts.len()]));
            }
            chosen.push((fact, judged));
        }
        self.attempts(&order, &chosen);
        self.side_tables(&chosen);
    }

    fn attempts(&mut self, order: &[usize], chosen: &[(&track::Pair, Option<diagnose::PairDiagnosis<'_>>)]) {
        let mut attempts: Vec<(usize, usize, &track::Attempt)> = chosen
            .iter()
            .enumerate()
            .flat_map(|(pair, (fact, _))| {
                fact.attempts.iter().enumerate().map(move |(index, attempt)| (pair, index, attempt))
            })
            .collect();
        attempts.sort_by_key(|(.., attempt)| self.place(attempt.first, attempt.first_frame));

        let mut exchanges: Vec<(Place, usize, &track::Attempt, &track::Exchange)> = Vec::new();
        for (id, &(pair, index, fact)) in attempts.iter().enumerate() {
            let judged = chosen.get(pair).and_then(|(_, judged)| *judged).and_then(|judged| judged.attempts.get(index));
            self.report.attempts.push(attempt(id, pair, fact, judged));
            if let Some(pair) = self.report.pairs.get_mut(pair) {
                pair.attempts.push(id);
            }
            let slot = order.get(pair).and_then(|&fact_index| self.ids.get_mut(fact_index));
            if let Some(slot) = slot.and_then(Option::as_mut).and_then(|(_, ids)| ids.get_mut(index)) {
                *slot = id;
            }
            for exchange in &fact.exchanges {
                let place = match exchange.messages.first() {
                    Some(first) => self.place(first.at, first.frame),
                    None => self.place(fact.first, fact.first_frame),
                };
                exchanges.push((place, id, fact, exchange));
            }
        }

        for (id, &(pair, _, fact)) in attempts.iter().enumerate() {
            let ids = order.get(pair).and_then(|&index| self.ids.get(index)).and_then(Option::as_ref);
            let older = fact.rekeyed_from.and_then(|index| ids?.1.get(index)).copied();
            if let Some(row) = self.report.attempts.get_mut(id) {
                row.rekeyed_from = older;
            }
        }

        exchanges.sort_by_key(|&(place, attempt, ..)| (attempt, place));
        for (id, (_, attempt, fact, exchange)) in exchanges.into_iter().enumerate() {
            let major = words::major(fact.version);
            let Some(row) = self.report.attempts.get_mut(attempt) else { continue };
            row.exchanges.push(id);
            self.report.exchanges.push(Exchange {
                id,
                attempt,
                kind: words::exchange_kind(exchange.kind),
                message_id: exchange.message_id,
                started_by: exchange.started_by,
                messages: exchange.messages.iter().map(|record| message(major, record, &row.vendor_ids)).collect(),
            });
        }
    }

    fn side_tables(&mut self, chosen: &[(&track::Pair, Option<diagnose::PairDiagnosis<'_>>)]) {
        let mut flows: Vec<(usize, &track::EspFlow)> = Vec::new();
        for (pair, (fact, _)) in chosen.iter().enumerate() {
            flows.extend(fact.flows.iter().map(|flow| (pair, flow)));
            self.report.icmp_errors.extend(fact.icmp_errors.iter().map(|error| icmp_error(pair, error)));
            self.report.incomplete.extend(fact.incomplete.iter().map(|datagram| incomplete(pair, datagram)));
            self.report.malformed.extend(fact.malformed.iter().map(|datagram| Malformed {
                pair,
                source: if datagram.direction == 0 { fact.a } else { fact.b },
                frame: datagram.frame,
                at: datagram.at,
                fault: datagram.fault,
            }));
        }
        flows.sort_by_key(|(_, flow)| self.place(flow.first, flow.first_frame));
        self.report.esp_flows = flows.into_iter().zip(0..).map(|((pair, flow), id)| esp_flow(id, pair, flow)).collect();

        let many = self.many_captures;
        let place = |at, frame| if many { (at, frame) } else { (Timestamp::default(), frame) };
        let first_frame = |error: &IcmpError| error.frames.first().copied().unwrap_or(FrameRef::new(0, 0));
        self.report.icmp_errors.sort_by_key(|error| place(error.first, first_frame(error)));
        self.report.incomplete.sort_by_key(|datagram| place(datagram.at, datagram.frame));
        self.report.malformed.sort_by_key(|datagram| place(datagram.at, datagram.frame));
    }

    fn findings(&mut self, facts: &Facts, diagnosis: &Diagnosis) {
        for finding in diagnosis.findings(facts) {
            let ids = match finding.pair {
                None => None,
                Some(index) => match self.ids.get(index) {
                    Some(Some(ids)) => Some(ids),
                    _ => continue,
                },
            };
            let attempt = finding.attempt.and_then(|index| ids.and_then(|(_, attempts)| attempts.get(index)).copied());
            self.report.findings.push(Finding::new(&finding, ids.map(|(pair, _)| *pair), attempt));
        }
    }
}

fn capture(id: u32, info: CaptureInfo, counts: Counts) -> Capture {
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

fn pair(id: usize, fact: &track::Pair, judged: Option<diagnose::PairDiagnosis<'_>>) -> Pair {
    let [a, b] = fact.sent;
    Pair {
        id,
        a: fact.a,
        b: fact.b,
        status: judged.map_or(diagnose::PairStatus::Unknown, |judged| judged.status),
        verdict: judged.and_then(|judged| judged.verdict).map(diagnose::Verdict::id),
        attempts: Vec::with_capacity(fact.attempts.len()),
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

fn attempt(id: usize, pair: usize, fact: &track::Attempt, judged: Option<&diagnose::AttemptDiagnosis>) -> Attempt {
    let major = words::major(fact.version);
    let [initiator_ids, responder_ids] = &fact.vendor_ids;
    let vendor_ids = |ids: &[Box<[u8]>]| ids.iter().map(|data| naming::vendor_id(data)).collect();
    let quick_mode_by = fact
        .exchanges
        .iter()
        .find(|exchange| exchange.kind == track::ExchangeKind::QuickMode)
        .map(|exchange| exchange.started_by);
    let outcome = judged.map_or(Outcome::Unknown, |judged| judged.outcome);
    Attempt {
        id,
        pair,
        version: major,
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
        outcome,
        verdict: judged.and_then(|judged| judged.verdict).map(diagnose::Verdict::id),
        states: vendor_state::vendor_states(fact.mode, fact.stage, quick_mode_by, outcome == Outcome::Failed),
        midstream: fact.midstream,
        rekeyed_from: None,
        phase1_up: fact.phase1_up,
        phase2_up: fact.phase2_up,
        offered: fact.offered.iter().map(|offer| proposal::proposal(major, offer)).collect(),
        chosen: fact.chosen.as_ref().map(|choice| proposal::proposal(major, choice)),
        nat: Nat {
            initiator_behind: fact.nat.behind(Side::Initiator),
            responder_behind: fact.nat.behind(Side::Responder),
            initiator_announced: fact.nat.announced[Side::Initiator.index()],
            responder_announced: fact.nat.announced[Side::Responder.index()],
            own_matches: both(fact.nat.own_matches),
            peer_matches: both(fact.nat.peer_matches),
            mismatch_frame: fact.nat.mismatch_frame,
        },
        vendor_ids: BothSides { initiator: vendor_ids(initiator_ids), responder: vendor_ids(responder_ids) },
        moves: fact
            .moves
            .iter()
            .map(|step| Move { at: step.at, frame: step.frame, side: step.side, to: step.to })
            .collect(),
        exchanges: Vec::with_capacity(fact.exchanges.len()),
        messages_forgotten: fact.messages_forgotten,
    }
}

fn both<T>([initiator, responder]: [T; 2]) -> BothSides<T> {
    BothSides { initiator, responder }
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

fn icmp_error(pair: usize, fact: &track::IcmpFact) -> IcmpError {
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

fn incomplete(pair: usize, fact: &track::IncompleteFact) -> Incomplete {
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

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

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
