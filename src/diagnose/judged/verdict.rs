//! A pattern of the catalogue as what best explains something.

use std::num::NonZeroU8;

use crate::diagnose::pattern::Pattern;
use crate::diagnose::patterns::CATALOGUE;

/// A pattern of the catalogue, by its place there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Verdict(NonZeroU8);

impl Verdict {
    /// The pattern with this id.
    pub fn named(id: &str) -> Option<Self> {
        CATALOGUE.iter().position(|pattern| pattern.id.eq_ignore_ascii_case(id)).and_then(Self::at)
    }

    /// The pattern at this place of the catalogue.
    pub(in crate::diagnose) fn at(place: usize) -> Option<Self> {
        NonZeroU8::new(u8::try_from(place.checked_add(1)?).ok()?).filter(|_| place < CATALOGUE.len()).map(Self)
    }

    /// All of them, in the order of the catalogue.
    pub(in crate::diagnose) fn all() -> impl Iterator<Item = Self> {
        (0..CATALOGUE.len()).filter_map(Self::at)
    }

    /// Its place in the catalogue.
    pub(in crate::diagnose) fn place(self) -> usize {
        usize::from(self.0.get()) - 1
    }

    /// The pattern.
    pub fn pattern(self) -> &'static Pattern {
        CATALOGUE[self.place()]
    }

    /// Catalogue id.
    pub fn id(self) -> &'static str {
        self.pattern().id
    }
}

/// Place of each pattern of the catalogue when they are put in the order of their ids.
pub(super) fn alphabet() -> Vec<u8> {
    let mut sorted: Vec<usize> = (0..CATALOGUE.len()).collect();
    sorted.sort_unstable_by_key(|&place| CATALOGUE[place].id);
    let mut ranks = vec![0; sorted.len()];
    for (rank, &place) in (0..).zip(&sorted) {
        ranks[place] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_can_be_a_verdict() {
        for (place, pattern) in CATALOGUE.iter().enumerate() {
            let verdict = Verdict::named(pattern.id).unwrap();
            assert_eq!((verdict.place(), verdict.id()), (place, pattern.id));
        }
        assert_eq!(Verdict::named("NO-SUCH"), None);
        assert_eq!(Verdict::at(CATALOGUE.len()), None);
    }
}
