//! P-DIRECTION: it works only when one side starts.

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::base::FrameRef;
use crate::diagnose::case::{Case, View};
use crate::diagnose::pattern::{Match, pattern};
use crate::diagnose::words::times;
use crate::diagnose::{Confidence, Severity};
use crate::track::{Attempt, IkeVersion, Label, SaInitAnswer, Side, sa_init_answer};

use super::p2_pfs::FirstMessages;
use super::phase2::{self, Fate};
use super::{life_cycle, silence};

pattern! {
    /// ## What is seen
    ///
    /// In one capture, the same phase between the same two peers completes when one of them starts it, and is refused when
    /// the other does; or that one gets no answer, each time, from a peer that shows meanwhile that it is there.
    ///
    /// ## What it means
    ///
    /// The two configurations overlap without being equal. A responder accepts networks that are part of its own, and the first
    /// proposal in its list that fits; the other way round the same two settings do not fit. The tunnel works as long as the
    /// right side starts, and then fails at a re-key for no visible reason.
    ///
    /// ## Look-alikes
    ///
    /// - The configuration was changed between the two.
    /// - `L-SIMULT-INIT`: both start at once and one gives way.
    P_DIRECTION = "P-DIRECTION", Phase2, Warning;
    title: "the negotiation succeeds only when one of the two sides starts it";
    causes: [
        "wider" 0.38 "the networks of one side are part of the other's: the narrower side may start, the wider one may not", raised by "phase 2 is what differs", lowered by "phase 1 is what differs";
        "proposals" 0.25 "the proposal lists differ in order or length", raised by "phase 1 is what differs", lowered by "equal offers both ways";
        "pfs" 0.05 "one side wants perfect forward secrecy (PFS), the other does not ask for it, or asks for another group",
            raised by "messages 1 of the two sides differ by a key exchange payload",
            lowered by "phase 1 is what differs; messages 1 of the two sides are of the same length";
        "role" 0.20 "one side may only answer or only start: a dynamic peer, an answer-only policy", raised by "silence or a refusal without SPI", lowered by "a refusal of the offer";
        "nat" 0.12 "one side sees the other at another address than it has configured", raised by "NAT in front of one side", lowered by "no NAT";
    ];
    checks: [
        Either: "set the same PFS group on both ends, or turn PFS off on both" about "pfs";
        Either: "make networks mirror images and proposal lists equal";
        Either: "give each end the other's real address, or agree that one side alone starts";
    ];
    logs: [
        "Cisco ASA": "Rejecting IPSec tunnel: no matching crypto map entry for remote proxy 0.0.0.0/0.0.0.0 …" ("public ASA logs");
        "Cisco ASA": "Tunnel rejected: Originate-Only: Cannot accept incoming tunnel yet!" ("Cisco ASA syslog reference");
    ];
    sources: ["RFC 2409 §5.5", "RFC 7296 §2.9"];
    when: DOWN, QUICK_MODE_OPEN;
    check: check
}

/// Outcomes of one kind of negotiation, by the side that started it.
#[derive(Debug, Default)]
struct Tally {
    /// Successes and refusals, started by `a` and by `b` of the pair.
    successes: [u64; 2],
    refusals: [u64; 2],
    /// First messages without an answer from a peer that was there, started by `a` and by `b`.
    silences: [u64; 2],
    /// One of those peers was more than a host that answers pings.
    alive: bool,
    /// A refused one differs from one of the other side by what PFS adds.
    pfs: bool,
    /// Lengths of message 1 of accepted and of refused Quick Modes, by the side that started them.
    accepted: [BTreeSet<u32>; 2],
    refused: [BTreeSet<u32>; 2],
    example: [Option<(usize, FrameRef)>; 2],
    success: [Option<FrameRef>; 2],
}

impl Tally {
    fn succeed(&mut self, starter: usize, frame: FrameRef) {
        if let (Some(count), Some(example)) = (self.successes.get_mut(starter), self.success.get_mut(starter)) {
            *count += 1;
            example.get_or_insert(frame);
        }
    }

    fn refuse(&mut self, starter: usize, attempt: usize, frame: FrameRef) {
        if let (Some(count), Some(example)) = (self.refusals.get_mut(starter), self.example.get_mut(starter)) {
            *count += 1;
            example.get_or_insert((attempt, frame));
        }
    }
}

fn check(case: &Case<'_>) -> Vec<Match> {
    let [mut phase1_tally, mut phase2_tally, mut v2_tally] = [Tally::default(), Tally::default(), Tally::default()];
    let mut own: Option<FirstMessages> = None;
    let signs = OnceCell::new();
    let starter = |address: IpAddr| usize::from(address != case.pair.a);
    for (index, view) in case.attempts() {
        let attempt = view.attempt;
        if attempt.midstream || view.one_sided() {
            continue;
        }
        let set_up = if attempt.version == IkeVersion::V1 { &mut phase1_tally } else { &mut v2_tally };
        let by = starter(attempt.initiator.ip());
        if attempt.phase1_up.is_some() {
            set_up.succeed(by, attempt.first_frame);
        } else if refused(&view) {
            set_up.refuse(by, index, attempt.first_frame);
        } else if let Some(alive) = silence::ignored(&view, &signs).filter(|_| !is_met(case, index, attempt)) {
            set_up.silences[by] += 1;
            set_up.alive |= alive;
            set_up.example[by].get_or_insert((index, attempt.first_frame));
        }
        for quick in phase2::quick_modes(&view) {
            let by = starter(life_cycle::address(attempt, quick.started_by));
            match quick.fate {
                Fate::Answered => {
                    phase2_tally.succeed(by, quick.first.frame);
                    phase2_tally.accepted[by].insert(quick.first.length);
                }
                Fate::Refused { sure: true, .. } => {
                    phase2_tally.refuse(by, index, quick.first.frame);
                    phase2_tally.refused[by].insert(quick.first.length);
                    let own = own.get_or_insert_with(|| FirstMessages::of(case));
                    phase2_tally.pfs |= own.difference(&view, &quick).is_some();
                }
                _ => {}
            }
        }
    }
    [(phase1_tally, "phase 1"), (phase2_tally, "Quick Mode"), (v2_tally, "IKE_SA_INIT")]
        .into_iter()
        .filter_map(|(tally, what)| one_way(case, &tally, what))
        .collect()
}

fn refused(view: &View<'_>) -> bool {
    match view.attempt.version {
        IkeVersion::V1 => view.clear_errors(Side::Responder).next().is_some(),
        IkeVersion::V2 => view
            .messages()
            .filter(|message| message.label == Label::SA_INIT_RSP)
            .last()
            .is_some_and(|response| sa_init_answer(response) == SaInitAnswer::Refused),
    }
}

/// Whether the other side begins a negotiation of its own meanwhile: one of the two gives way (`L-SIMULT-INIT`).
fn is_met(case: &Case<'_>, index: usize, attempt: &Attempt) -> bool {
    let neighbours = [index.checked_sub(1), index.checked_add(1)];
    neighbours.into_iter().flatten().filter_map(|index| case.pair.attempts.get(index)).any(|other| {
        let under_way = other.first <= attempt.last && other.phase1_up.unwrap_or(other.last) >= attempt.first;
        other.initiator.ip() != attempt.initiator.ip() && under_way
    })
}

/// One side only succeeds, the other is only refused, or ignored.
fn one_way(case: &Case<'_>, tally: &Tally, what: &str) -> Option<Match> {
    let ends = [case.pair.a, case.pair.b];
    for (works, fails) in [(0, 1), (1, 0)] {
        let counts = (
            tally.successes.get(works).copied()?,
            tally.refusals.get(works)? + tally.silences.get(works)?,
            tally.successes.get(fails).copied()?,
            (tally.refusals.get(fails).copied()?, tally.silences.get(fails).copied()?),
        );
        let (successes @ 1.., 0, 0, (refusals, silences)) = counts else { continue };
        let (how, means, confidence) = match (refusals, silences) {
            (0, 0) => continue,
            (0, _) => (
                format!("got no answer {}", times(silences)),
                "one side may only start itself, or does not know the other at this address: it is there, and does not answer",
                Confidence::Suspected,
            ),
            _ => (
                format!("was refused {}", times(refusals)),
                "the two configurations overlap without being equal",
                Confidence::Inferred,
            ),
        };
        let (attempt, frame) = tally.example.get(fails).copied().flatten()?;
        let found = Match::on(attempt, confidence)
            .seen(format!(
                "{what} succeeded {} when {} started it, and {how} when {} did",
                times(successes),
                ends.get(works)?,
                ends.get(fails)?,
            ))
            .means(means)
            .frames(tally.success.get(works).copied().flatten())
            .frames([frame])
            .settle("whether the configuration was changed in between");
        let (wider, proposals) = if what == "Quick Mode" { (1.5, 0.7) } else { (0.02, 1.5) };
        let found = found.weigh("wider", wider).weigh("proposals", proposals);
        let found = if refusals == 0 { found.weigh("role", 4.0).weigh("nat", 2.0) } else { found };
        // It may have been starting.
        let found = if refusals == 0 && !tally.alive { found.severity(Severity::Notice) } else { found };
        // A key exchange more would show, and one in another group mostly does.
        let alike = !tally.accepted[works].is_disjoint(&tally.refused[fails]);
        return Some(if what != "Quick Mode" || alike {
            found.rule_out(&["pfs"])
        } else if tally.pfs {
            found.weigh("pfs", 30.0).weigh("wider", 0.5)
        } else {
            found
        });
    }
    None
}
