//! What is said of findings, each once: the words of pairs that differ in nothing but their addresses are the same words,
//! with blanks where these stand.
//!
//! Not here: who says it of whom ([`super::judged`]). Contract: filled in with the addresses that were left out, words are
//! to the letter what they were; what there is no room for has no place.

use std::hash::BuildHasher;
use std::net::IpAddr;
use std::sync::Arc;

use foldhash::quality::RandomState;
use hashbrown::HashTable;

use super::Words;
use super::pattern::Match;
use super::words::address;

/// They stand for the first and the second address of a pair. Unicode leaves both to programs, for use inside.
pub const BLANKS: [char; 2] = ['\u{fdd0}', '\u{fdd1}'];

/// Stands for no place.
pub(super) const NOWHERE: u32 = u32::MAX;

/// What is said of findings.
#[derive(Debug, Clone, Default)]
pub(super) struct Sayings {
    hasher: RandomState,
    known: HashTable<u32>,
    all: Vec<Saying>,
    octets: usize,
}

#[derive(Debug, Clone)]
struct Saying {
    words: Arc<Words>,
    /// There are blanks in them.
    blank: bool,
}

impl Sayings {
    /// What is said at most, and octets of it.
    const MOST: usize = 1 << 16;
    const OCTETS: usize = 8 << 20;

    /// Where these words of a pair of these ends stand; [`NOWHERE`] if there is no room for them.
    pub(super) fn place(&mut self, words: &Arc<Words>, ends: (IpAddr, IpAddr)) -> u32 {
        if has_blanks(words) {
            // a packet said so: filling them in would change what it said
            return NOWHERE;
        }
        if let Some(place) = self.find(words) {
            return place;
        }
        match without(words, ends) {
            None => self.add(Saying { words: Arc::clone(words), blank: false }),
            Some(words) => {
                let known = self.find(&words);
                known.unwrap_or_else(|| self.add(Saying { words: Arc::new(words), blank: true }))
            }
        }
    }

    /// Where what stands at `place` of `others` stands here; [`NOWHERE`] if there is no room for it.
    pub(super) fn take(&mut self, others: &Self, place: u32) -> u32 {
        let Some(saying) = others.all.get(place as usize) else { return NOWHERE };
        self.find(&saying.words).unwrap_or_else(|| self.add(saying.clone()))
    }

    /// Whether there are blanks in the words at `place`. `None` if there are no words.
    pub(super) fn has_blanks(&self, place: u32) -> Option<bool> {
        self.all.get(place as usize).map(|saying| saying.blank)
    }

    /// The words at `place`, with blanks.
    pub(super) fn blank(&self, place: u32) -> Option<Arc<Words>> {
        self.all.get(place as usize).map(|saying| Arc::clone(&saying.words))
    }

    /// The words at `place`, as they are said of a pair of these ends.
    pub(super) fn filled(&self, place: u32, ends: (IpAddr, IpAddr)) -> Option<Arc<Words>> {
        let saying = self.all.get(place as usize)?;
        let with = || {
            let ends = [ends.0, ends.1].map(|end| end.to_string());
            let fill = |text: &str| text.replace(BLANKS[0], &ends[0]).replace(BLANKS[1], &ends[1]);
            Arc::new(saying.words.changed(fill))
        };
        Some(if saying.blank { with() } else { Arc::clone(&saying.words) })
    }

    fn find(&self, words: &Words) -> Option<u32> {
        self.known.find(hash(&self.hasher, words), |&place| *self.all[place as usize].words == *words).copied()
    }

    fn add(&mut self, saying: Saying) -> u32 {
        let Self { hasher, known, all, octets } = self;
        let words = &saying.words;
        *octets += words.seen.len() + words.means.len() + size_of_val(&*words.causes) + size_of::<Words>();
        if all.len() >= Self::MOST || *octets > Self::OCTETS {
            return NOWHERE;
        }
        let place = all.len() as u32;
        known.insert_unique(hash(hasher, words), place, |&place| hash(hasher, &all[place as usize].words));
        all.push(saying);
        place
    }
}

impl Words {
    /// Everything that is said in this case and not in others.
    fn texts(&self) -> impl Iterator<Item = &str> {
        [&self.seen, &self.means].into_iter().chain(&self.settle).map(String::as_str)
    }

    /// The same, with other texts in the place of these.
    fn changed(&self, mut change: impl FnMut(&str) -> String) -> Self {
        Self {
            seen: change(&self.seen),
            means: change(&self.means),
            causes: self.causes.clone(),
            settle: self.settle.as_deref().map(change),
            party: self.party,
        }
    }
}

/// Of what most words differ in.
fn hash(hasher: &RandomState, words: &Words) -> u64 {
    hasher.hash_one((&words.seen, &words.means))
}

fn has_blanks(words: &Words) -> bool {
    words.texts().any(is_blank)
}

fn is_blank(text: &str) -> bool {
    !text.is_ascii() && text.contains(BLANKS)
}

/// The addresses of a pair as words name them, each with the blank that stands for it.
#[derive(Debug)]
pub(super) struct Names([(String, char); 2]);

impl Names {
    pub(super) fn of(ends: (IpAddr, IpAddr)) -> Self {
        let mut names = [(address(ends.0), BLANKS[0]), (address(ends.1), BLANKS[1])];
        // the shorter one may stand at the beginning of the longer one
        names.sort_by_key(|(end, _)| std::cmp::Reverse(end.len()));
        Self(names)
    }

    fn are_in(&self, text: &str) -> bool {
        self.0.iter().any(|(end, _)| text.contains(end))
    }

    fn left_out(&self, text: &str) -> String {
        let named = self.0.iter().filter(|(end, _)| text.contains(end));
        let leave_out = |text: String, (end, blank): &(String, char)| text.replace(end, blank.encode_utf8(&mut [0; 4]));
        named.fold(text.to_owned(), leave_out)
    }

    /// What a match says, with blanks for the addresses. `None` if it names neither, or has blanks of its own.
    pub(super) fn left_out_of(&self, said: &Match) -> Option<Match> {
        let texts = || [Some(&*said.seen), Some(&*said.means), said.settle.as_deref()].into_iter().flatten();
        (texts().any(|text| self.are_in(text)) && !texts().any(is_blank)).then(|| Match {
            attempt: said.attempt,
            confidence: said.confidence,
            severity: said.severity,
            frames: Vec::new(),
            seen: self.left_out(&said.seen),
            means: self.left_out(&said.means).into(),
            weights: said.weights.clone(),
            settle: said.settle.as_deref().map(|settle| self.left_out(settle).into()),
            party: said.party,
        })
    }
}

/// Words with blanks for these addresses. `None` if they name neither.
fn without(words: &Words, ends: (IpAddr, IpAddr)) -> Option<Words> {
    let names = Names::of(ends);
    words.texts().any(|text| names.are_in(text)).then(|| words.changed(|text| names.left_out(text)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(seen: &str) -> Arc<Words> {
        Arc::new(Words { seen: seen.to_owned(), settle: Some(format!("not {seen}")), ..Words::default() })
    }

    fn ends(one: &str, other: &str) -> (IpAddr, IpAddr) {
        (one.parse().unwrap(), other.parse().unwrap())
    }

    #[test]
    fn pairs_share_what_is_said_but_for_their_addresses() {
        let mut sayings = Sayings::default();
        let one = ends("192.0.2.1", "192.0.2.10");
        let other = ends("2001:db8::2", "198.51.100.7");
        let said = |(a, b): (IpAddr, IpAddr)| words(&format!("{b} answers {a} and not 192.0.2.1"));
        let place = sayings.place(&said(other), other);
        assert_eq!(sayings.filled(place, other), Some(said(other)));
        // the first address of this pair stands in the words twice, and in front of its second
        let place = sayings.place(&said(one), one);
        assert_eq!(sayings.filled(place, one), Some(said(one)));
        let third = ends("203.0.113.4", "203.0.113.40");
        let known = sayings.all.len();
        let place = sayings.place(&said(third), third);
        assert_eq!((sayings.all.len(), sayings.filled(place, third)), (known, Some(said(third))));
    }

    #[test]
    fn what_a_packet_says_is_not_taken_for_a_blank() {
        let pair = ends("192.0.2.1", "192.0.2.2");
        let said = words(&format!("the peer calls itself {}", BLANKS[1]));
        assert_eq!(Sayings::default().place(&said, pair), NOWHERE);
    }
}
