//! Places in a table, of which most owners have one or two: those take no memory of their own.
//!
//! Contract: read like a slice.

use std::ops::Deref;

/// Places.
#[derive(Debug, Clone)]
pub(in crate::track) enum Rows {
    /// None, one or two.
    Few { rows: [u32; 2], count: u8 },
    /// More.
    #[expect(clippy::box_collection, reason = "so that few take little")]
    Many(Box<Vec<u32>>),
}

const _: () = assert!(size_of::<Rows>() <= 16);

impl Rows {
    pub(in crate::track) const EMPTY: Self = Self::Few { rows: [0; 2], count: 0 };

    /// One more, behind all others.
    pub(in crate::track) fn push(&mut self, row: u32) {
        match self {
            Self::Few { rows, count } => match rows.get_mut(usize::from(*count)) {
                Some(place) => {
                    *place = row;
                    *count += 1;
                }
                None => *self = Self::Many(Box::new(rows.iter().copied().chain([row]).collect())),
            },
            Self::Many(rows) => rows.push(row),
        }
    }
}

impl FromIterator<u32> for Rows {
    fn from_iter<I: IntoIterator<Item = u32>>(all: I) -> Self {
        let mut rows = Self::EMPTY;
        all.into_iter().for_each(|row| rows.push(row));
        rows
    }
}

impl Deref for Rows {
    type Target = [u32];

    fn deref(&self) -> &[u32] {
        match self {
            Self::Few { rows, count } => rows.get(..usize::from(*count)).unwrap_or_default(),
            Self::Many(rows) => rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stay_in_the_order_in_which_they_came() {
        let mut rows = Rows::EMPTY;
        for count in 0..5 {
            assert_eq!(*rows, *(0..count).collect::<Vec<_>>());
            assert_eq!(*(0..count).collect::<Rows>(), *rows);
            rows.push(count);
        }
    }
}
