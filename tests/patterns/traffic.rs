//! Trials: ESP and AH.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
