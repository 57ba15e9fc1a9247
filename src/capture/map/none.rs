//! No file is looked at in memory on this system: all are read.

use std::fs::File;

/// There is none.
#[derive(Debug)]
pub(in crate::capture) enum Region {}

impl Region {
    pub fn new(_file: &File, _start: u64, _len: usize) -> Option<Self> {
        None
    }

    pub fn start(&self) -> u64 {
        match *self {}
    }

    pub fn octets(&self, _start: u64, _end: u64) -> &[u8] {
        match *self {}
    }

    pub fn is_torn(&self) -> bool {
        match *self {}
    }

    pub fn let_go(&self, _start: u64, _end: u64) {
        match *self {}
    }
}
