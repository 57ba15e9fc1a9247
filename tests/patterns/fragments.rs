//! Trials: Fragments and packet sizes.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
