//! What a row of a vendor id table is, when it fits, and the index that finds it.

/// A known vendor id: its octets in hexadecimal, what else has to fit, and what it tells.
pub(super) struct Pattern {
    /// Hexadecimal digits in lower case, compared from the start of the data; `.` stands for any digit.
    pub(super) hex: &'static str,
    /// Who or what, for people.
    pub(super) name: &'static str,
    /// Where the octets come from.
    pub(super) origin: Origin,
    /// The version of who sends it.
    pub(super) version: Version,
    /// Fewest octets of the data.
    least: usize,
    /// Whether the data may not be longer than `least`.
    closed: bool,
}

/// What octets were made of.
#[derive(Clone, Copy)]
pub(super) enum Origin {
    /// Nobody published it.
    Unknown,
    /// The text itself.
    Text(&'static str),
    /// The text's MD5, or its first octets.
    Md5(&'static str),
    /// Two or three letters, then octets of the text's MD5 folded into printable ones.
    Folded(&'static str),
}

/// Where a version is to be found.
#[derive(Clone, Copy)]
pub(super) enum Version {
    /// Nowhere, except in the name where its family says so.
    None,
    /// The octets stand for this one.
    Fixed(&'static str),
    /// In the octets behind the pattern, which this function reads.
    Behind(fn(&[u8]) -> Option<String>),
}

/// Octets of which nobody published the origin.
pub(super) const fn octets(hex: &'static str, name: &'static str) -> Pattern {
    let digits = hex.as_bytes();
    assert!(digits.len().is_multiple_of(2), "two digits an octet");
    let mut i = 0;
    while i < digits.len() {
        assert!(matches!(digits[i], b'0'..=b'9' | b'a'..=b'f' | b'.'), "hexadecimal digits in lower case, or dots");
        i += 1;
    }
    Pattern { hex, name, origin: Origin::Unknown, version: Version::None, least: digits.len() / 2, closed: false }
}

/// Octets that are a text, which is the name as well.
pub(super) const fn text(hex: &'static str, text: &'static str) -> Pattern {
    Pattern { origin: Origin::Text(text), ..octets(hex, text) }
}

/// Octets that are the MD5 of a text, which is the name as well; a version may stand in the place of the last ones.
pub(super) const fn md5(hex: &'static str, text: &'static str) -> Pattern {
    Pattern { origin: Origin::Md5(text), ..octets(hex, text) }
}

/// Letters and folded octets of the MD5 of a text, which is the name as well.
pub(super) const fn folded(hex: &'static str, text: &'static str) -> Pattern {
    Pattern { origin: Origin::Folded(text), ..octets(hex, text) }
}

impl Pattern {
    /// The same row with a name for people.
    pub(super) const fn named(self, name: &'static str) -> Self {
        Self { name, ..self }
    }

    /// The same row for data of exactly the pattern's length.
    pub(super) const fn exact(self) -> Self {
        Self { closed: true, ..self }
    }

    /// The same row for data of exactly `least` octets.
    pub(super) const fn total(self, least: usize) -> Self {
        Self { least, closed: true, ..self }
    }

    /// The same row for data of `least` octets or more.
    pub(super) const fn at_least(self, least: usize) -> Self {
        Self { least, ..self }
    }

    /// The same row, which stands for one version.
    pub(super) const fn version(self, version: &'static str) -> Self {
        Self { version: Version::Fixed(version), ..self }
    }

    /// The same row with a version in the octets behind it.
    pub(super) const fn behind(self, read: fn(&[u8]) -> Option<String>) -> Self {
        Self { version: Version::Behind(read), ..self }
    }

    /// The text that the octets were made of.
    pub(super) fn text(&self) -> Option<&'static str> {
        match self.origin {
            Origin::Unknown => None,
            Origin::Text(text) | Origin::Md5(text) | Origin::Folded(text) => Some(text),
        }
    }

    /// Octets of the pattern.
    pub(super) const fn len(&self) -> usize {
        self.hex.len() / 2
    }

    /// Whether `data` is this vendor id.
    pub(super) fn fits(&self, data: &[u8]) -> bool {
        let long_enough = if self.closed { data.len() == self.least } else { data.len() >= self.least };
        long_enough
            && data.len() >= self.len()
            && self.hex.as_bytes().chunks_exact(2).zip(data).all(|(pair, octet)| match pair {
                [high, low] => digit_fits(*high, octet >> 4) && digit_fits(*low, octet & 0x0f),
                _ => false,
            })
    }

    /// How much `fits` compares: of two that fit, the heavier one is right.
    pub(super) fn weight(&self) -> (usize, bool) {
        (self.hex.bytes().filter(|digit| *digit != b'.').count(), self.closed)
    }

    /// The bucket of the index that this row belongs to: its first octets', or the last one if it does not fix them.
    const fn bucket(&self) -> usize {
        let digits = self.hex.as_bytes();
        if digits.len() < 2 * KEY {
            return BUCKETS;
        }
        let mut key = [0; KEY];
        let mut i = 0;
        while i < 2 * KEY {
            let Some(value) = (digits[i] as char).to_digit(16) else { return BUCKETS };
            key[i / 2] = key[i / 2] << 4 | value as u8;
            i += 1;
        }
        bucket_of(key)
    }
}

/// Whether a digit of a pattern allows the value of half an octet.
fn digit_fits(digit: u8, value: u8) -> bool {
    digit == b'.' || (digit as char).to_digit(16) == Some(value.into())
}

/// Vendor ids that mean the same to a rule.
pub(super) struct Family {
    /// The word for rules.
    pub(super) word: &'static str,
    /// Whether the last word of a name is a version, where the row has a text.
    pub(super) releases: bool,
    /// The rows, in any order.
    pub(super) rows: &'static [Pattern],
}

impl Family {
    /// A family.
    pub(super) const fn new(word: &'static str, rows: &'static [Pattern]) -> Self {
        Self { word, releases: false, rows }
    }

    /// A family with one row a release.
    pub(super) const fn releases(word: &'static str, rows: &'static [Pattern]) -> Self {
        Self { word, releases: true, rows }
    }
}

/// Octets that choose a bucket.
const KEY: usize = 4;

/// Buckets for patterns that fix their first octets.
const BUCKETS: usize = 512;

/// The bucket of data that starts with `key`.
const fn bucket_of(key: [u8; KEY]) -> usize {
    // Texts share their first letters: the multiplication spreads what differs behind them over the upper bits.
    (u32::from_be_bytes(key).wrapping_mul(0x9e37_79b1) >> 23) as usize
}

/// Finds the rows that may fit without looking at all of them. Built by the compiler.
pub(super) struct Index<const ROWS: usize> {
    families: &'static [Family],
    /// Where the rows of a bucket start in `places`; one more bucket for the patterns that fit none.
    starts: [u16; BUCKETS + 2],
    /// Family and row.
    places: [(u16, u16); ROWS],
}

impl<const ROWS: usize> Index<ROWS> {
    /// The index of all rows of `families`, of which there are `ROWS`.
    pub(super) const fn new(families: &'static [Family]) -> Self {
        let mut starts = [0_u16; BUCKETS + 2];
        let mut family = 0;
        while family < families.len() {
            let rows = families[family].rows;
            let mut row = 0;
            while row < rows.len() {
                starts[rows[row].bucket() + 1] += 1;
                row += 1;
            }
            family += 1;
        }
        let mut bucket = 0;
        while bucket <= BUCKETS {
            starts[bucket + 1] += starts[bucket];
            bucket += 1;
        }
        let mut next = starts;
        let mut places = [(0, 0); ROWS];
        family = 0;
        while family < families.len() {
            let rows = families[family].rows;
            let mut row = 0;
            while row < rows.len() {
                let bucket = rows[row].bucket();
                places[next[bucket] as usize] = (family as u16, row as u16);
                next[bucket] += 1;
                row += 1;
            }
            family += 1;
        }
        Self { families, starts, places }
    }

    /// The heaviest row that fits `data`, with its family.
    pub(super) fn find(&self, data: &[u8]) -> Option<(&'static Family, &'static Pattern)> {
        let keyed = data.first_chunk().map(|key| self.bucket(bucket_of(*key))).unwrap_or_default();
        keyed
            .iter()
            .chain(self.bucket(BUCKETS))
            .map(|(family, row)| {
                let family = &self.families[usize::from(*family)];
                (family, &family.rows[usize::from(*row)])
            })
            .filter(|(_, row)| row.fits(data))
            .max_by_key(|(_, row)| row.weight())
    }

    fn bucket(&self, bucket: usize) -> &[(u16, u16)] {
        &self.places[usize::from(self.starts[bucket])..usize::from(self.starts[bucket + 1])]
    }
}

/// How many rows `families` have.
pub(super) const fn count(families: &[Family]) -> usize {
    let (mut rows, mut family) = (0, 0);
    while family < families.len() {
        rows += families[family].rows.len();
        family += 1;
    }
    rows
}
