//! Facts to findings, and one verdict a pair.
//!
//! Not here: anything that looks at packets, and anything that prints. Contract: pure functions of the facts.

mod alike;
pub mod case;
mod consequences;
pub mod documents;
mod engine;
mod gists;
mod judged;
pub mod lookup;
pub mod losses;
pub mod pattern;
pub mod patterns;
mod points;
mod round;
mod sayings;
pub mod signs;
pub mod sizes;
mod status;
pub mod survey;
mod tunnel;
mod unheard;
mod verdicts;
pub mod waiting;
mod words;

pub use judged::{AttemptDiagnosis, Brief, Diagnosis, Entry, PairDiagnosis, Verdict};
#[doc(hidden)]
pub use round::{Checks, Shares, judge_all};
pub use round::{diagnose, diagnose_on};
pub use sayings::BLANKS;

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use pattern::{Check, Hypothesis, Pattern};

use crate::base::FrameRef;
use crate::track::Side;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Nothing wrong: a state worth naming.
    Info,
    /// Works, and could be safer.
    Advisory,
    /// Worth knowing.
    Notice,
    /// Something does not work as meant, or will not for long.
    Warning,
    /// The tunnel does not work.
    Error,
}

/// How sure it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Confidence {
    /// The best of several readings.
    Suspected,
    /// No other reading fits.
    Inferred,
    /// A peer or a router said so in clear, or the wire shows it directly.
    Stated,
}

/// Who has to act, or where to look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Where {
    /// On the initiator.
    Initiator,
    /// On the responder.
    Responder,
    /// Between them.
    Path,
    /// At the capture point.
    Capture,
    /// On either.
    Either,
}

/// Status of a pair, in Cisco's words for a crypto session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PairStatus {
    /// IPsec SA up and transferring data.
    UpActive,
    /// IPsec SA up, no data.
    UpIdle,
    /// Data without an IKE SA.
    UpNoIke,
    /// Down, still negotiating.
    DownNegotiating,
    /// Down.
    Down,
    /// The capture does not tell.
    Unknown,
}

/// One thing that is the case, with its evidence. What it shares with every other finding of its pattern (title, checks,
/// log lines, sources) is the pattern's.
#[derive(Debug, Clone)]
pub struct Finding {
    /// What it is a case of.
    pub pattern: &'static Pattern,
    /// Severity.
    pub severity: Severity,
    /// Confidence.
    pub confidence: Confidence,
    /// Index into [`crate::track::Facts::pairs`].
    pub pair: Option<usize>,
    /// Index into [`crate::track::Pair::attempts`]: the first one it was found on.
    pub attempt: Option<usize>,
    /// Evidence, in order.
    pub frames: Vec<FrameRef>,
    /// How many attempts (or events) show the same.
    pub count: u64,
    /// What is said of it.
    pub words: Arc<Words>,
    /// The finding on the same pair that this one follows from.
    pub consequence_of: Option<&'static str>,
}

/// What is said of a finding. Many findings have theirs in common.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Words {
    /// What was seen and what was not, with numbers.
    pub seen: String,
    /// What it means.
    pub means: String,
    /// The pattern's causes, likeliest first.
    pub causes: Vec<Cause>,
    /// What would settle it, if it is not stated.
    pub settle: Option<String>,
    /// Which side it is about, if it is about one: see [`Check::party`].
    pub party: Option<Side>,
}

impl Deref for Finding {
    type Target = Words;

    fn deref(&self) -> &Words {
        &self.words
    }
}

impl DerefMut for Finding {
    fn deref_mut(&mut self) -> &mut Words {
        Arc::make_mut(&mut self.words)
    }
}

impl Finding {
    /// Catalogue id: `"P1-NO-REPLY"`.
    pub fn id(&self) -> &'static str {
        self.pattern.id
    }

    /// What to check, in order: the pattern's, but that what is about some causes stands in the order of those, and last what is
    /// about causes only that are all but refuted.
    pub fn checks(&self) -> impl Iterator<Item = &'static Check> {
        let open = |refuted| self.pattern.checks.iter().filter(move |check| self.is_open(check.about) == Some(refuted));
        let mut about: Vec<&'static Check> = open(false).filter(|check| !check.about.is_empty()).collect();
        about.sort_by_key(|check| self.rank(check.about));
        let mut about = about.into_iter();
        let in_order =
            open(false).filter_map(move |check| if check.about.is_empty() { Some(check) } else { about.next() });
        in_order.chain(open(true))
    }

    /// Place of the likeliest of these causes, by key, that is possible.
    fn rank(&self, about: &[&str]) -> Option<usize> {
        let is_about = |cause: &Cause| {
            let mut named = self.pattern.causes.iter().filter(|named| named.text == cause.text);
            named.any(|named| about.contains(&named.key))
        };
        self.causes.iter().position(is_about)
    }

    /// What the order of the checks depends on besides which causes are possible: the places of the likeliest causes that each is
    /// about.
    pub fn order_of_checks(&self) -> u128 {
        let about = self.pattern.checks.iter().filter(|check| !check.about.is_empty());
        about.fold(0, |all, check| all << 4 | self.rank(check.about).map_or(0, |rank| rank as u128 + 1).min(15))
    }

    /// Where a check has to be made.
    pub fn place(&self, check: &Check) -> Where {
        match check.party.and(self.party) {
            Some(Side::Initiator) => Where::Initiator,
            Some(Side::Responder) => Where::Responder,
            None => check.side,
        }
    }

    /// Where to begin: the side of the first check.
    pub fn side(&self) -> Where {
        self.checks().next().map_or(Where::Either, |check| self.place(check))
    }

    /// What vendors log: last what they log where another cause is at work than the likeliest.
    pub fn logs(&self) -> impl Iterator<Item = &'static VendorLog> {
        let open = self.pattern.logs.iter().filter(|log| log.is_line() && self.is_open(log.about).is_some());
        let (first, last): (Vec<_>, Vec<_>) =
            open.partition(|log| log.about.is_empty() || self.rank(log.about) == Some(0));
        first.into_iter().chain(last)
    }

    /// Which of the pattern's causes are open, two bits each, the first one the lowest: what its checks and log lines depend on.
    pub fn open_causes(&self) -> u32 {
        if self.causes.len() == self.pattern.causes.len() && self.causes.iter().all(|cause| !cause.refuted) {
            return u32::MAX;
        }
        let bits = self.pattern.causes.iter().zip((0..u32::BITS).step_by(2));
        bits.fold(0, |all, (cause, bit)| {
            let named = self.named(cause);
            let open = u32::from(named.is_some()) | u32::from(named.is_some_and(|cause| cause.refuted)) << 1;
            all | open << bit
        })
    }

    fn named(&self, cause: &Hypothesis) -> Option<&Cause> {
        self.causes.iter().find(|named| named.text == cause.text)
    }

    /// Whether those of these causes, by key, that are possible are all but refuted; `None` if none is possible.
    fn is_open(&self, about: &[&str]) -> Option<bool> {
        let causes = self.pattern.causes.iter().filter(|cause| about.contains(&cause.key));
        let refuted = causes.filter_map(|cause| self.named(cause)).map(|cause| cause.refuted);
        if about.is_empty() { Some(false) } else { refuted.reduce(|one, other| one && other) }
    }
}

/// A possible cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cause {
    /// In words.
    pub text: &'static str,
    /// `"likely"`, `"possible"` or `"less likely"`.
    pub likelihood: &'static str,
    /// The evidence leaves hardly anything of it.
    pub refuted: bool,
}

/// A line of a vendor's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VendorLog {
    /// Vendor or product.
    pub vendor: &'static str,
    /// The line, as the source words it; " / " stands between two lines, "…" for a variable part.
    pub message: &'static str,
    /// Where the wording was seen: a row of a source document (`S2S-10`), a public reference, or `lab`.
    pub source: &'static str,
    /// As in [`pattern::Check::about`].
    pub about: &'static [&'static str],
}

impl VendorLog {
    /// Whether it is the line of a log. What a source document says in its own words stands on the page only.
    pub fn is_line(&self) -> bool {
        let mut rows = self.source.split(", ").map(documents::row);
        rows.any(|row| row.is_none_or(|(_, row)| !row.log.is_empty()))
    }
}

/// How an attempt stood at the end of the capture.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// What it negotiated came up.
    Established,
    /// It was refused or given up.
    Failed,
    /// The capture ended while it was under way.
    Unfinished,
    /// The capture does not tell (its start or one direction is missing).
    Unknown,
}
