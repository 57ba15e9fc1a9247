//! Trials: Security advice.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
