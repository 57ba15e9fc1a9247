//! Trials: IKEv1 phase 2.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
