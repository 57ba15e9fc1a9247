//! What a failure pattern is: its page, its words, and the check that finds it.
//!
//! One file a pattern under [`super::patterns`]. The doc comment of its declaration is the prose of its page; the
//! causes, checks, log lines and sources are data, so that the page and every finding say the same.

use std::borrow::Cow;

use crate::base::FrameRef;
use crate::track::Side;

use super::case::Case;
use super::signs::Signs;
use super::{Confidence, Severity, VendorLog, Where};

/// Where in a tunnel's life a pattern belongs: the headings of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// What the capture itself can and cannot show.
    Capture,
    /// IKEv1 phase 1.
    Phase1,
    /// IKEv1 phase 2.
    Phase2,
    /// IKEv2.
    IkeV2,
    /// NAT, ports and ICMP.
    Path,
    /// Fragments and packet sizes.
    Fragments,
    /// ESP and AH.
    Traffic,
    /// Liveness, re-keying, deletion.
    LifeCycle,
    /// Security advice.
    Security,
    /// Malformed messages.
    Malformed,
    /// All is well.
    Normal,
}

/// A possible cause of what a pattern sees, with what makes it more or less likely.
#[derive(Debug, Clone, Copy)]
pub struct Hypothesis {
    /// Short name that the check uses to weigh it.
    pub key: &'static str,
    /// Weight without further evidence; those of one pattern sum to 1. A judgement, used only for ranking.
    pub prior: f32,
    /// In words.
    pub text: &'static str,
    /// Evidence that makes it likelier.
    pub raised_by: &'static str,
    /// Evidence against it.
    pub lowered_by: &'static str,
}

/// Something to check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Where.
    pub side: Where,
    /// The side in question, as far as it can be told before it is known which one that is: `"the side that refuses"`.
    pub party: Option<&'static str>,
    /// What.
    pub text: &'static str,
    /// Keys of the causes that it is about, if it is not about all: it is worth while as long as one of them is possible.
    pub about: &'static [&'static str],
}

impl Check {
    /// What to check, and on which side in question.
    pub fn in_full(&self) -> Cow<'static, str> {
        self.party.map_or(Cow::Borrowed(self.text), |party| format!("on {party}: {}", self.text).into())
    }
}

/// What is not in the capture where a pattern fits, and would refute it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missed {
    /// Nothing: the pattern rests on what was seen.
    Nothing,
    /// Messages that would have followed, or answered.
    Messages,
    /// Those of them that would have brought a set-up to its end.
    SetUp,
    /// The answer, in whose place something stands that is taken for a refusal.
    Answer,
    /// The beginning: messages from before.
    Beginning,
    /// ESP or AH.
    Data,
    /// The other fragments of a message.
    Fragments,
}

/// A failure pattern (or a normal state worth naming).
#[derive(Debug)]
pub struct Pattern {
    /// Catalogue id. Once released it never changes its meaning.
    pub id: &'static str,
    /// One lower-case sentence without a full stop.
    pub title: &'static str,
    /// Heading of the catalogue.
    pub stage: Stage,
    /// How bad it is, unless the check says otherwise.
    pub severity: Severity,
    /// Prose of the page in Markdown: what is seen, what it means, look-alikes.
    pub prose: &'static str,
    /// Possible causes.
    pub causes: &'static [Hypothesis],
    /// What to check, in order.
    pub checks: &'static [Check],
    /// What vendors log.
    pub logs: &'static [VendorLog],
    /// Rows of the source documents and RFC sections.
    pub sources: &'static [&'static str],
    /// What it misses. Of the beginning and of ESP and AH it states that they are not there; what it states elsewhere was said
    /// in clear.
    pub misses: Missed,
    /// Keys of the causes that the last message of the attempt was lost on its way.
    pub lost: &'static [&'static str],
    /// Keys of those that an answer to it was.
    pub unanswered: &'static [&'static str],
    /// Signs without which the check finds nothing: one of these sets, the whole of it.
    pub when: &'static [Signs],
    /// Finds it in what was seen of a pair.
    pub check: fn(&Case<'_>) -> Vec<Match>,
    /// What the check finds follows from how the attempts of the pair went: from versions, offers, choices and what else
    /// messages carried, in their order; not from addresses, SPIs, message ids, times, frames, flows and other pairs.
    pub by_story: bool,
}

/// One place where a pattern fits.
#[derive(Debug, Clone, Default)]
pub struct Match {
    /// Index of the attempt it fits, if it fits one.
    pub attempt: Option<usize>,
    /// How sure.
    pub confidence: Option<Confidence>,
    /// Severity, where it differs from the pattern's.
    pub severity: Option<Severity>,
    /// Evidence.
    pub frames: Vec<FrameRef>,
    /// What was seen and what was not, with numbers: one or two short sentences.
    pub seen: String,
    /// What that means, for this case.
    pub means: Cow<'static, str>,
    /// Factors on the causes' priors, by key.
    pub weights: Vec<(&'static str, f32)>,
    /// What would settle it.
    pub settle: Option<Cow<'static, str>>,
    /// Which side it is about: see [`Check::party`].
    pub party: Option<Side>,
}

impl Match {
    /// A match on attempt `attempt`.
    pub fn on(attempt: usize, confidence: Confidence) -> Self {
        Self { attempt: Some(attempt), confidence: Some(confidence), ..Self::default() }
    }

    /// A match on the pair as a whole.
    pub fn on_pair(confidence: Confidence) -> Self {
        Self { confidence: Some(confidence), ..Self::default() }
    }

    /// With what was seen.
    pub fn seen(mut self, seen: impl Into<String>) -> Self {
        self.seen = seen.into();
        self
    }

    /// With what it means here.
    pub fn means(mut self, means: impl Into<Cow<'static, str>>) -> Self {
        self.means = means.into();
        self
    }

    /// With evidence.
    pub fn frames(mut self, frames: impl IntoIterator<Item = FrameRef>) -> Self {
        self.frames.extend(frames);
        self
    }

    /// With causes that what was seen rules out.
    pub fn rule_out(mut self, keys: &[&'static str]) -> Self {
        self.weights.extend(keys.iter().map(|key| (*key, 0.0)));
        self
    }

    /// With a cause made likelier (factor above 1) or less likely (below 1).
    pub fn weigh(mut self, key: &'static str, factor: f32) -> Self {
        self.weights.push((key, factor));
        self
    }

    /// With what would settle it.
    pub fn settle(mut self, settle: impl Into<Cow<'static, str>>) -> Self {
        self.settle = Some(settle.into());
        self
    }

    /// About this side.
    pub fn about(mut self, party: Side) -> Self {
        self.party = Some(party);
        self
    }

    /// With another severity than the pattern's.
    pub fn severity(mut self, severity: Severity) -> Self {
        self.severity = Some(severity);
        self
    }
}

/// Declares a [`Pattern`]; the doc comment becomes its prose.
macro_rules! pattern {
    (
        $(#[doc = $line:literal])+
        $name:ident = $id:literal, $stage:ident, $severity:ident;
        title: $title:literal;
        causes: [$($key:literal $prior:literal $cause:literal, raised by $raised:literal, lowered by $lowered:literal;)*];
        checks: [$($side:ident $(($party:literal))?: $text:literal $(about $($check_of:literal)+)?;)*];
        logs: [$($vendor:literal: $message:literal ($log_source:literal) $(about $($log_of:literal)+)?;)*];
        sources: [$($source:literal),* $(,)?];
        $(misses: $missed:ident;)?
        $(lost: $($lost:literal)+ $(, or its answer: $($unanswered:literal)+)?;)?
        when: $($($sign:ident)+),+;
        check: $check:expr $(, $by_story:ident)?
    ) => {
        #[doc = concat!("`", $id, "`: ", $title)]
        ///
        $(#[doc = $line])+
        pub static $name: $crate::diagnose::pattern::Pattern = $crate::diagnose::pattern::Pattern {
            id: $id,
            title: $title,
            stage: $crate::diagnose::pattern::Stage::$stage,
            severity: $crate::diagnose::Severity::$severity,
            prose: concat!($($line, "\n"),+),
            causes: &[$($crate::diagnose::pattern::Hypothesis {
                key: $key, prior: $prior, text: $cause, raised_by: $raised, lowered_by: $lowered,
            }),*],
            checks: &[$($crate::diagnose::pattern::Check {
                side: $crate::diagnose::Where::$side, party: [$(Some($party),)? None][0], text: $text, about: &[$($($check_of),+)?],
            }),*],
            logs: &[$($crate::diagnose::VendorLog {
                vendor: $vendor, message: $message, source: $log_source, about: &[$($($log_of),+)?],
            }),*],
            sources: &[$($source),*],
            misses: [$($crate::diagnose::pattern::Missed::$missed,)? $crate::diagnose::pattern::Missed::Nothing][0],
            lost: &[$($($lost),+)?],
            unanswered: &[$($($($unanswered),+)?)?],
            when: &[$($crate::diagnose::signs::Signs::NONE$(.and($crate::diagnose::signs::Signs::$sign))+),+],
            check: $check,
            by_story: !concat!("", $(stringify!($by_story))?).is_empty(),
        };
    };
}

pub(crate) use pattern;
