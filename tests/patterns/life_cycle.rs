//! Trials: Liveness, re-keying, deletion.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
