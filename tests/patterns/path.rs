//! Trials: NAT, ports and ICMP.

use crate::trial::Trial;

pub const TRIALS: &[Trial] = &[];
