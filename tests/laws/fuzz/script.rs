//! Octets read as a script: numbers and runs one after the other, from the front only, so that scripts can be written
//! by hand and by the program that makes the first ones.

use std::cell::RefCell;

use arbitrary::Unstructured;

/// A script being read. Past its end every number is zero and every run empty.
pub struct Script<'a>(RefCell<Unstructured<'a>>);

impl<'a> Script<'a> {
    pub fn new(octets: &'a [u8]) -> Self {
        Self(RefCell::new(Unstructured::new(octets)))
    }

    pub fn is_over(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub fn u8(&self) -> u8 {
        self.0.borrow_mut().arbitrary().unwrap_or(0)
    }

    pub fn u16(&self) -> u16 {
        self.0.borrow_mut().arbitrary().unwrap_or(0)
    }

    pub fn u32(&self) -> u32 {
        self.0.borrow_mut().arbitrary().unwrap_or(0)
    }

    /// A run of `length` octets, as far as they are there.
    pub fn run(&self, length: usize) -> &'a [u8] {
        let mut rest = self.0.borrow_mut();
        let length = length.min(rest.len());
        rest.bytes(length).unwrap_or_default()
    }
}
