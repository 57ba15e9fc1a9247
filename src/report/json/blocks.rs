//! Blocks: some rows of a table that follow each other, which anybody can draw who has the walk.
//!
//! Not here: who draws which block, and in what order they are written ([`super::hands`]). Contract: all blocks of a
//! report, one after the other, are its rows; a block is drawn the same wherever that is done.

use std::io::{self, Write};
use std::ops::Range;

use crate::base::{FrameRef, Timestamp};
use crate::report::build;
use crate::report::walk::{AttemptPlace, ExchangeRow, Table, Walk, beginnings};
use crate::track::{Attempt, Passing, Room, Told};

use super::lines::Lines;
use super::parts::{OfAttempts, OfFindings, OfMessages};
use super::rows::{self, Faces, Own};
use super::stencils::{AttemptStencil, ExchangesStencil, FindingStencil, Stencils, place_of};

/// Tables, in the order of the report, with their names and the rows of a block: about a hundred kilooctets of them.
const TABLES: [(Table, &str, usize); 8] = [
    (Table::Pairs, "pairs", 256),
    (Table::Attempts, "attempts", 32),
    (Table::Exchanges, "exchanges", 32),
    (Table::EspFlows, "esp_flows", 256),
    (Table::IcmpErrors, "icmp_errors", 128),
    (Table::Incomplete, "incomplete", 128),
    (Table::Malformed, "malformed", 128),
    (Table::Findings, "findings", 128),
];

/// Some rows of a table.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub table: Table,
    pub name: &'static str,
    rows: Range<usize>,
    /// Exchanges of all attempts before these.
    exchanges: usize,
    /// It is the first of its table, or the last.
    pub begins: bool,
    pub ends: bool,
}

/// The blocks of a report.
#[derive(Debug)]
pub(super) struct Blocks {
    /// Rows of each table, and of its blocks.
    tables: [(usize, usize); TABLES.len()],
    /// Exchanges before each block of attempts.
    exchanges: Vec<usize>,
}

impl Blocks {
    /// Those of a walk, with so many rows each, or what is good.
    pub(super) fn of(walk: &Walk<'_>, rows: Option<usize>) -> Self {
        let tables = TABLES.map(|(table, _, good)| {
            let each = rows.map_or(good, |rows| rows.max(1));
            (walk.rows(table), each)
        });
        let each = rows.map_or(TABLES[1].2, |rows| rows.max(1));
        let mut before = 0_usize;
        let exchanges = (0..walk.rows(Table::Attempts)).step_by(each).map(|start| {
            let here = walk.places(start..start.saturating_add(each)).map(|place| walk.exchanges(place));
            let next = before.saturating_add(here.sum());
            std::mem::replace(&mut before, next)
        });
        Self { tables, exchanges: exchanges.collect() }
    }

    /// Rows of all tables.
    pub(super) fn rows(&self) -> usize {
        self.tables.iter().map(|(rows, _)| rows).sum()
    }

    /// How many blocks there are.
    pub(super) fn len(&self) -> usize {
        self.tables.iter().map(|&(rows, each)| rows.div_ceil(each).max(1)).sum()
    }

    /// Block `index` of all, table by table. A table without rows has an empty block.
    pub(super) fn get(&self, mut index: usize) -> Option<Block> {
        for (&(rows, each), (table, name, _)) in self.tables.iter().zip(TABLES) {
            let blocks = rows.div_ceil(each).max(1);
            if index < blocks {
                let start = index.saturating_mul(each);
                return Some(Block {
                    table,
                    name,
                    rows: start..start.saturating_add(each).min(rows),
                    exchanges: self.exchanges.get(index).copied().unwrap_or_default(),
                    begins: index == 0,
                    ends: index + 1 == blocks,
                });
            }
            index -= blocks;
        }
        None
    }
}

/// What one who draws blocks has at hand.
pub(super) struct Desk<'f> {
    walk: &'f Walk<'f>,
    room: Room<'f>,
    of_attempts: OfAttempts,
    of_messages: OfMessages,
    of_findings: OfFindings,
    attempts: Stencils<AttemptStencil>,
    exchanges: Stencils<Option<ExchangesStencil>>,
    findings: Stencils<Option<FindingStencil>>,
    faces: Faces,
    messages: Vec<Passing>,
    order: Vec<usize>,
}

impl<'f> Desk<'f> {
    pub(super) fn new(walk: &'f Walk<'f>) -> Self {
        Self {
            walk,
            room: Room::default(),
            of_attempts: OfAttempts::default(),
            of_messages: OfMessages::default(),
            of_findings: OfFindings::default(),
            attempts: Stencils::default(),
            exchanges: Stencils::default(),
            findings: Stencils::default(),
            faces: Faces::default(),
            messages: Vec::new(),
            order: Vec::new(),
        }
    }

    /// Draws the rows of a block.
    ///
    /// Errors: those of `lines`.
    pub(super) fn draw(&mut self, block: &Block, lines: &mut Lines<impl Write>) -> io::Result<()> {
        let (walk, rows) = (self.walk, block.rows.clone());
        match block.table {
            Table::Pairs => walk.each_pair(rows, |row| lines.drawn(|lines| rows::pair(lines, &row))),
            Table::Attempts => {
                let mut exchange = block.exchanges;
                walk.places(rows).try_for_each(|place| self.attempt(place, &mut exchange, lines))
            }
            Table::Exchanges => {
                let mut id = block.exchanges;
                walk.places(rows).try_for_each(|place| self.exchanges(place, &mut id, lines))
            }
            Table::EspFlows => {
                walk.each_flow(rows, |id, pair, flow| lines.drawn(|lines| rows::esp_flow(lines, id, pair, flow)))
            }
            Table::IcmpErrors => walk.each_icmp_error(rows, |pair, error| lines.row(&build::icmp_error(pair, error))),
            Table::Incomplete => {
                walk.each_incomplete(rows, |pair, datagram| lines.row(&build::incomplete(pair, datagram)))
            }
            Table::Malformed => {
                walk.each_malformed(rows, |id, pair, datagram| lines.row(&build::malformed(id, pair, datagram)))
            }
            Table::Findings => walk.findings(rows).try_for_each(|(place, pair)| self.finding(place, pair, lines)),
        }
    }

    /// A row of `findings`: the one at this place, of the pair with this id.
    fn finding(&mut self, place: usize, pair: Option<usize>, lines: &mut Lines<impl Write>) -> io::Result<()> {
        let Self { walk, room, of_findings, findings, .. } = self;
        let attempt = |index: Option<usize>| index.and_then(|index| walk.attempt_id(pair?, index));
        if let Some(brief) = walk.brief(place) {
            let stencil = findings.of(brief.says, || {
                let stencil = walk.finding_of_many(place).map(|finding| FindingStencil::new(of_findings, &finding));
                let octets = stencil.as_ref().map_or(0, FindingStencil::octets);
                (stencil, octets)
            });
            let Some(stencil) = stencil else { return Ok(()) };
            let (own, ends) = ((pair, attempt(brief.attempt), brief.count), walk.ends(brief.pair));
            return lines.drawn(|lines| rows::finding(lines, stencil, own, ends, brief.frames()));
        }
        let Some(finding) = walk.finding(place, room) else { return Ok(()) };
        let stencil = FindingStencil::whole(of_findings, &finding);
        let own = (pair, attempt(finding.attempt), finding.count);
        lines.drawn(|lines| rows::finding(lines, &stencil, own, None, finding.frames.iter().copied()))
    }

    /// A row of `attempts`. `exchange`: the id of its first one, and then of the first one behind it.
    fn attempt(&mut self, place: AttemptPlace, exchange: &mut usize, lines: &mut Lines<impl Write>) -> io::Result<()> {
        let Self { walk, room, of_attempts, attempts, .. } = self;
        let (outcome, verdict) = walk.judged(place);
        let mut row = |fact: &Attempt| {
            let next = exchange.saturating_add(fact.exchanges.len());
            rows::AttemptRow {
                id: place.id,
                pair: place.pair,
                outcome,
                verdict,
                rekeyed_from: walk.rekeyed_from(place, fact.rekeyed_from),
                exchanges: std::mem::replace(exchange, next)..next,
            }
        };
        if let Some(told) = walk.told(place) {
            let template = told.template();
            let stencil = attempts.of(place_of(template), || {
                let stencil = AttemptStencil::new(of_attempts, template);
                let octets = stencil.octets();
                (stencil, octets)
            });
            let (row, own) = (row(template), Own::from(&told));
            return lines.drawn(|lines| rows::attempt(lines, stencil, row, &own, told.moves()));
        }
        let Some(fact) = walk.attempt(place, room) else { return Ok(()) };
        let stencil = AttemptStencil::new(of_attempts, fact);
        let (row, own) = (row(fact), Own::from(fact));
        lines.drawn(|lines| rows::attempt(lines, &stencil, row, &own, fact.moves.iter().copied()))
    }

    /// The rows of `exchanges` of an attempt, of which the first has this id.
    fn exchanges(&mut self, place: AttemptPlace, id: &mut usize, lines: &mut Lines<impl Write>) -> io::Result<()> {
        if let Some(told) = self.walk.told(place)
            && self.told_exchanges(&told, place, id, lines)?
        {
            return Ok(());
        }
        let Self { walk, room, of_messages, order, .. } = self;
        let Some(of) = walk.attempt(place, room) else { return Ok(()) };
        walk.order(|| beginnings(of), order);
        for fact in order.iter().filter_map(|&index| of.exchanges.get(index)) {
            let row = ExchangeRow { id: *id, attempt: place.id, fact, of };
            lines.drawn(|lines| rows::exchange(lines, of_messages, &row))?;
            *id += 1;
        }
        Ok(())
    }

    /// The same of an attempt that is told; `false` if there is no stencil for its exchanges.
    fn told_exchanges(
        &mut self,
        told: &Told<'f>,
        place: AttemptPlace,
        id: &mut usize,
        lines: &mut Lines<impl Write>,
    ) -> io::Result<bool> {
        let Self { walk, of_messages, exchanges, faces, messages, order, .. } = self;
        let template = told.template();
        let stencil = exchanges.of(place_of(template), || {
            let stencil = ExchangesStencil::new(of_messages, template);
            let octets = stencil.as_ref().map_or(0, ExchangesStencil::octets);
            (stencil, octets)
        });
        let Some(stencil) = stencil else { return Ok(false) };
        messages.clear();
        messages.extend(told.messages());
        let begins = |first: usize| {
            let first = messages.get(first).map(|first| (first.at(), first.frame()));
            first.unwrap_or((Timestamp::default(), FrameRef::new(0, 0)))
        };
        walk.order(|| stencil.firsts().map(begins), order);
        faces.turn(told.ips());
        for &index in order.iter() {
            let Some(exchange) = stencil.exchange(index) else { continue };
            let own = messages.get(exchange.range()).unwrap_or_default();
            let (ids, message_id) = ((*id, place.id), told.message_id(index));
            lines.drawn(|lines| rows::told_exchange(lines, ids, exchange, message_id, own, faces))?;
            *id += 1;
        }
        Ok(true)
    }
}
