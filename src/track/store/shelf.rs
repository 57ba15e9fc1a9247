//! Rows that stay where they are while there come more: in boards of some hundred, so that nothing is copied, and no more
//! memory taken than there are rows.
//!
//! Contract: a row is found by the place that it was given.

use std::ops::{Index, IndexMut};

/// Rows of a board.
const BOARD: usize = 512;

/// Rows, by place.
#[derive(Debug, Clone)]
pub(in crate::track) struct Shelf<T> {
    boards: Vec<Box<[T]>>,
    len: usize,
}

impl<T> Default for Shelf<T> {
    fn default() -> Self {
        Self { boards: Vec::new(), len: 0 }
    }
}

impl<T: Copy> Shelf<T> {
    /// Rows that there are.
    pub(in crate::track) fn len(&self) -> usize {
        self.len
    }

    /// Adds a row behind all others; answers its place.
    #[inline(always)]
    pub(in crate::track) fn push(&mut self, row: T) -> u32 {
        let place = self.len as u32;
        match self.get_mut(place) {
            Some(free) => *free = row,
            None => self.lengthen(row),
        }
        self.len += 1;
        place
    }

    /// One more board, of rows like this one.
    #[cold]
    fn lengthen(&mut self, row: T) {
        self.boards.push(vec![row; BOARD].into());
    }

    #[inline(always)]
    pub(in crate::track) fn get(&self, place: u32) -> Option<&T> {
        let place = place as usize;
        self.boards.get(place / BOARD).and_then(|board| board.get(place % BOARD))
    }

    #[inline(always)]
    pub(in crate::track) fn get_mut(&mut self, place: u32) -> Option<&mut T> {
        let place = place as usize;
        self.boards.get_mut(place / BOARD).and_then(|board| board.get_mut(place % BOARD))
    }
}

impl<T: Copy> Index<u32> for Shelf<T> {
    type Output = T;

    #[inline(always)]
    fn index(&self, place: u32) -> &T {
        &self.boards[place as usize / BOARD][place as usize % BOARD]
    }
}

impl<T: Copy> IndexMut<u32> for Shelf<T> {
    #[inline(always)]
    fn index_mut(&mut self, place: u32) -> &mut T {
        &mut self.boards[place as usize / BOARD][place as usize % BOARD]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_found_where_it_was_put() {
        let mut shelf = Shelf::default();
        for number in 0..2000_u32 {
            assert_eq!(shelf.push(number * 3), number);
        }
        shelf[7] = 5;
        assert_eq!((shelf.len(), shelf[7], shelf[600], shelf[1999]), (2000, 5, 1800, 5997));
        assert_eq!(shelf.get(u32::MAX), None);
    }
}
