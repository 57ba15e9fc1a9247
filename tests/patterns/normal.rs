//! Trials: Normal states worth naming.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
