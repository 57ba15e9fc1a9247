//! Where pairs and attempts are brought out to.

use std::net::IpAddr;
use std::sync::Arc;

use hashbrown::HashMap;

use crate::track::facts::{Attempt, Pair};
use crate::track::story::Told;

use super::packed::PackedAttempt;
use super::pairs::Pairs;

/// Attempts that a [`Room`] keeps for the pairs to come, and exchanges that one of these has at most.
const SPARE: (usize, usize) = (256, 64);

/// What an attempt was made from when it was brought out; `None` if it was at work, or has more than that.
pub type MadeFrom = Option<Arc<Attempt>>;

/// Where pairs and attempts are brought out to. Reusing one saves the allocations.
#[derive(Debug, Default)]
pub struct Room<'f> {
    /// Which pair `pair` is.
    pub(super) holds: Option<(&'f Pairs, usize)>,
    pub(super) pair: Option<Pair>,
    /// What each attempt of `pair` was made from.
    pub(super) templates: Vec<MadeFrom>,
    pub(super) spare: Spare,
    pub(super) single: Option<(MadeFrom, Attempt)>,
}

impl Room<'_> {
    /// Takes back what was brought out.
    pub(super) fn clear(&mut self) {
        self.holds = None;
        if let Some(mut pair) = self.pair.take() {
            while let (Some(attempt), Some(template)) = (pair.attempts.pop(), self.templates.pop()) {
                if let Some(template) = template {
                    self.spare.keep(template, attempt);
                }
            }
            pair.attempts.clear();
            pair.flows.clear();
            self.pair = Some(pair);
        }
        self.templates.clear();
    }

    pub(super) fn bring(&mut self, at_rest: &AtRest<'_>, ends: (IpAddr, IpAddr), attempts: &mut Vec<Attempt>) {
        attempts.push(self.fetch(at_rest, ends));
        self.templates.push(at_rest.made_from());
    }

    pub(super) fn fetch(&mut self, at_rest: &AtRest<'_>, ends: (IpAddr, IpAddr)) -> Attempt {
        let template = at_rest.template();
        let mut attempt = self.spare.take(template).unwrap_or_else(|| Attempt::clone(template));
        at_rest.fill(&mut attempt, ends);
        attempt
    }
}

/// Attempts brought out before, by where that stands which they were made from.
#[derive(Debug, Default)]
pub(super) struct Spare {
    made: HashMap<usize, Vec<(Arc<Attempt>, Attempt)>>,
    count: usize,
}

impl Spare {
    pub(super) fn keep(&mut self, template: Arc<Attempt>, attempt: Attempt) {
        if attempt.exchanges.len() > SPARE.1 {
            return;
        }
        if self.count.max(self.made.len()) >= SPARE.0 {
            self.made.clear();
            self.count = 0;
        }
        self.count += 1;
        self.made.entry(Arc::as_ptr(&template).addr()).or_default().push((template, attempt));
    }

    fn take(&mut self, template: &Arc<Attempt>) -> Option<Attempt> {
        let (_, attempt) = self.made.get_mut(&Arc::as_ptr(template).addr())?.pop()?;
        self.count -= 1;
        Some(attempt)
    }
}

/// An attempt that is to be brought out.
pub(super) enum AtRest<'a> {
    Packed(&'a PackedAttempt),
    Told(Told<'a>),
}

impl<'a> AtRest<'a> {
    /// What it has in common with others.
    fn template(&self) -> &'a Arc<Attempt> {
        match self {
            Self::Packed(packed) => packed.template(),
            Self::Told(told) => told.template(),
        }
    }

    /// The same, if it has nothing but that and what is its own.
    pub(super) fn made_from(&self) -> MadeFrom {
        let is_all = match self {
            Self::Packed(_) => true,
            Self::Told(told) => told.is_of_template(),
        };
        is_all.then(|| Arc::clone(self.template()))
    }

    /// Fills an attempt that was made from the same template.
    fn fill(&self, attempt: &mut Attempt, ends: (IpAddr, IpAddr)) {
        match self {
            Self::Packed(packed) => _ = packed.fill(attempt, ends),
            Self::Told(told) => told.fill(attempt),
        }
    }
}
