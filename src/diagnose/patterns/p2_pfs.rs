//! P2-PFS: perfect forward secrecy may not match.

use std::net::IpAddr;

use crate::base::FrameRef;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::sizes::V1Suite;
use crate::diagnose::{Confidence, Severity};
use crate::isakmp::registry;
use crate::track::{IkeVersion, Label};

use super::life_cycle;
use super::phase2::{self, Fate, QuickMode, Standing};

/// Lengths compared: a peer's configuration gives a handful.
const LENGTHS: usize = 32;

pattern! {
    /// ## What is seen
    ///
    /// Quick Mode is refused or not answered, and its message 1 has room for a key exchange. It is much more than a guess if the
    /// other side's own message 1 is in the capture too, and is shorter or longer by just such a payload, or by what the public
    /// values of two groups differ by.
    ///
    /// ## What it means
    ///
    /// With perfect forward secrecy (PFS) Quick Mode carries a key exchange of its own. Both sides must have it, with the
    /// same group, or neither. The payload is encrypted; its size is what shows it.
    ///
    /// ## Look-alikes
    ///
    /// - More proposals or transforms in message 1 make it longer as well.
    /// - `P2-SELECTOR`, `P2-PROPOSAL`: refused in the same way.
    P2_PFS = "P2-PFS", Phase2, Notice;
    title: "perfect forward secrecy (PFS) may not match";
    causes: [
        "one-side" 0.60 "PFS is on at one end only", raised by "message 1 of one side has room for a key exchange and that of the other has not", lowered by "both have";
        "group" 0.25 "PFS is on at both ends, with different groups", raised by "messages 1 of both sides have room for a key exchange, of different size", lowered by "one has none";
        "proposals" 0.15 "no PFS: message 1 is long because it offers much", raised by "the other side refuses for another reason", lowered by "the difference is just a key exchange payload";
    ];
    checks: [
        Either: "set the same PFS group on both ends, or turn it off on both; vendors' defaults differ";
    ];
    logs: [
        "SMG": "IkeSelectXform : Mismatch in PFS in policies or group descriptors" ("SMG-22");
        "Netopia": "ph2 resend timeout" ("NIR-17");
        "Huawei": "phase2 proposal or pfs mismatch" ("Huawei ALM-303046755");
        "Cisco ASA": "Mismatch: Overriding phase 2 DH Group with phase 1 group" ("Cisco ASA syslog reference");
        "racoon": "pfs group mismatched: my:… peer:…" ("racoon log");
    ];
    sources: ["SMG-22", "S2S-34", "S2S-51", "NIR-17", "RFC 2409 §5.5"];
    misses: Answer;
    when: QUICK_MODE_OPEN;
    check: check
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let standing = Standing::of(case);
    let own = FirstMessages::of(case);
    case.attempts()
        .filter(|(_, view)| view.attempt.version == IkeVersion::V1)
        .filter_map(|(index, view)| {
            let quick_modes = phase2::quick_modes(&view);
            let failed = || {
                let quick_modes = quick_modes.iter().rev();
                quick_modes.filter(|quick| matches!(quick.fate, Fate::Refused { .. } | Fate::Silence(_)))
            };
            failed()
                .find_map(|failed| both_sides(&own, index, &view, failed, &standing))
                .or_else(|| one_side(index, &view, failed().next()?, &standing))
        })
        .collect()
}

/// A message 1 of Quick Mode, with what its length depends on.
struct First {
    starter: IpAddr,
    suite: V1Suite,
    length: u32,
    frame: FrameRef,
}

/// What the lengths of two messages 1 differ by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Difference {
    /// A key exchange payload of this group.
    KeyExchange(u16),
    /// The public values of these groups, the smaller first.
    Groups(u16, u16),
}

/// Messages 1 of the pair, each length of each side once.
pub(super) struct FirstMessages(Vec<First>);

impl FirstMessages {
    pub(super) fn of(case: &Case<'_>) -> Self {
        let mut found: Vec<First> = Vec::new();
        for attempt in &case.pair.attempts {
            let Some(suite) = V1Suite::chosen(attempt) else { continue };
            for exchange in &attempt.exchanges {
                let first = exchange.messages.iter().find(|message| message.label == Label::Qm(1) && message.encrypted);
                let Some(first) = first else { continue };
                let (starter, length) = (life_cycle::address(attempt, exchange.started_by), first.length);
                let known =
                    found.iter().any(|known| (known.starter, known.suite, known.length) == (starter, suite, length));
                if !known && found.len() < LENGTHS {
                    found.push(First { starter, suite, length, frame: first.frame });
                }
            }
        }
        Self(found)
    }

    /// What a failed message 1 and one of the other side differ by, if PFS explains it.
    pub(super) fn difference(&self, view: &View<'_>, failed: &QuickMode<'_>) -> Option<Difference> {
        self.differ(view, failed).map(|(_, difference)| difference)
    }

    /// The other side's message 1 that differs from the failed one by what PFS adds, and by what.
    fn differ(&self, view: &View<'_>, failed: &QuickMode<'_>) -> Option<(&First, Difference)> {
        let suite = V1Suite::chosen(view.attempt)?;
        let starter = life_cycle::address(view.attempt, failed.started_by);
        let length = failed.first.length;
        self.0.iter().filter(|own| own.starter != starter && own.suite == suite).find_map(|own| {
            let one_side = || phase2::differ_by_key_exchange(suite, length, own.length).map(Difference::KeyExchange);
            let groups = phase2::differ_by_group(suite, length, own.length)
                .map(|(smaller, larger)| Difference::Groups(smaller, larger));
            Some((own, groups.or_else(one_side)?))
        })
    }
}

/// The other side's own message 1 differs from the failed one by a key exchange payload, or by the group in it.
fn both_sides(
    firsts: &FirstMessages,
    index: usize,
    view: &View<'_>,
    failed: &QuickMode<'_>,
    standing: &Standing,
) -> Option<Match> {
    let starter = life_cycle::address(view.attempt, failed.started_by);
    let (own, difference) = firsts.differ(view, failed)?;
    let name = |group| registry::group_name(group).unwrap_or("a group");
    let longer = failed.first.length > own.length;
    let found = Match::on(index, Confidence::Suspected)
        .frames([failed.first.frame, own.frame])
        .settle("the configuration or the log of either end");
    let lengths = format!(
        "QM1 from {starter} has {} octets, the peer's own QM1 has {}: they differ by",
        failed.first.length, own.length,
    );
    Some(match difference {
        Difference::KeyExchange(group) => {
            let (with, without) = if longer { ("this one", "the other") } else { ("the other", "this one") };
            found
                .seen(format!("{lengths} the key exchange payload of {}", name(group)))
                .means(format!("PFS is on at one end only: {with} asks for it, {without} does not"))
                .severity(standing.severity(failed.first.at, Severity::Error))
                .weigh("one-side", 2.0)
                .weigh("group", 0.1)
        }
        Difference::Groups(smaller, larger) => {
            let (this, other) = if longer { (larger, smaller) } else { (smaller, larger) };
            found
                .seen(format!(
                    "{lengths} what the public values of {} and {} do, and both have room for them",
                    name(smaller),
                    name(larger),
                ))
                .means(format!(
                    "PFS seems to be on at both ends with different groups: by the lengths {} here, {} at the other end",
                    name(this),
                    name(other),
                ))
                .severity(standing.severity(failed.first.at, Severity::Warning))
                .weigh("group", 5.0)
                .weigh("one-side", 0.2)
                .weigh("proposals", 2.0)
        }
    })
}

fn one_side(index: usize, view: &View<'_>, failed: &QuickMode<'_>, standing: &Standing) -> Option<Match> {
    if standing.any_success() || phase2::room_for_key_exchange(view, failed.first.length) != Some(true) {
        return None;
    }
    let length = failed.first.length;
    // What is longer than one proposal and a key exchange tells nothing about PFS.
    let group = Some(phase2::group_besides_one_proposal(view, length)?);
    let group = group.filter(|group| Some(*group) != phase2::phase1_group(view));
    let found = Match::on(index, Confidence::Suspected).frames([failed.first.frame]);
    let found = match group.and_then(registry::group_name) {
        None => found
            .seen(format!("QM1 has {length} octets: room for a key exchange in the group of phase 1 besides one proposal"))
            .means("the side that started seems to want PFS; the other may want none, or another group"),
        Some(group) => found
            .seen(format!(
                "QM1 has {length} octets: room for a key exchange in {group}, and not in the group of phase 1, besides one proposal"
            ))
            .means("the side that started seems to want PFS, with another group than phase 1 has; the other may want none, or another group")
            .weigh("group", 2.0),
    };
    Some(found.settle("the same started from the other side, while capturing: the size of its message 1"))
}
