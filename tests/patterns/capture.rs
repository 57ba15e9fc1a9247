//! Trials: What the capture itself can and cannot show.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
