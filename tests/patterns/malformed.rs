//! Trials: Malformed messages.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
