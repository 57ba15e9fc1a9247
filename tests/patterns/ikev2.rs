//! Trials: IKEv2.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
